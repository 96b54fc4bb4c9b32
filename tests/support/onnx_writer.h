/* SPDX-License-Identifier: Apache-2.0
 * ONNX models for tests, written field by field: messages as growing byte buffers. Field numbers as
 * in onnx.proto. A message is added to its parent with pb_message, which takes its bytes.
 *
 *   pb node = node_make("Add", "a b", "c"); pb_message(&graph, 1, &node);
 */
#ifndef TESTS_SUPPORT_ONNX_WRITER_H
#define TESTS_SUPPORT_ONNX_WRITER_H

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct pb {
  uint8_t *data;
  size_t n, capacity;
} pb;

static inline void pb_raw(pb *b, const void *data, size_t n) {
  if (b->n + n > b->capacity) {
    b->capacity = 2 * (b->n + n) + 64;
    b->data = realloc(b->data, b->capacity);
    assert(b->data);
  }
  if (n) memcpy(b->data + b->n, data, n);
  b->n += n;
}

static inline void pb_varint(pb *b, uint64_t v) {
  uint8_t byte;
  for (; v >= 0x80; v >>= 7) {
    byte = (uint8_t)(v | 0x80);
    pb_raw(b, &byte, 1);
  }
  byte = (uint8_t)v;
  pb_raw(b, &byte, 1);
}

static inline void pb_int(pb *b, uint32_t number, int64_t v) {
  pb_varint(b, number << 3);
  pb_varint(b, (uint64_t)v);
}

static inline void pb_bytes(pb *b, uint32_t number, const void *data, size_t n) {
  pb_varint(b, number << 3 | 2);
  pb_varint(b, n);
  pb_raw(b, data, n);
}

static inline void pb_text(pb *b, uint32_t number, const char *text) {
  pb_bytes(b, number, text, strlen(text));
}

static inline void pb_free(pb *b) {
  free(b->data);
  *b = (pb){0};
}

static inline void pb_message(pb *b, uint32_t number, pb *child) {
  pb_bytes(b, number, child->data, child->n);
  pb_free(child);
}

/* Each word of a blank-separated list as field `number`; "-" stands for an empty name. */
static inline void pb_words(pb *b, uint32_t number, const char *words) {
  while (*words) {
    size_t n = strcspn(words, " ");
    pb_bytes(b, number, words, n == 1 && *words == '-' ? 0 : n);
    words += n + (words[n] == ' ');
  }
}

static inline pb node_make(const char *op_type, const char *inputs, const char *outputs) {
  pb b = {0};
  pb_words(&b, 1, inputs);
  pb_words(&b, 2, outputs);
  pb_text(&b, 4, op_type);
  return b;
}

static inline void node_add(pb *graph, const char *op_type, const char *inputs,
                            const char *outputs) {
  pb node = node_make(op_type, inputs, outputs);
  pb_message(graph, 1, &node);
}

static inline void attr_int(pb *node, const char *name, int64_t v) {
  pb a = {0};
  pb_text(&a, 1, name);
  pb_int(&a, 3, v);
  pb_int(&a, 20, 2);
  pb_message(node, 5, &a);
}

static inline void attr_float(pb *node, const char *name, float v) {
  pb a = {0};
  pb_text(&a, 1, name);
  pb_varint(&a, 2 << 3 | 5); /* fixed 32 bits, little-endian as this machine */
  pb_raw(&a, &v, sizeof v);
  pb_int(&a, 20, 1);
  pb_message(node, 5, &a);
}

static inline void attr_ints(pb *node, const char *name, const int64_t *v, size_t n) {
  pb a = {0};
  pb_text(&a, 1, name);
  for (size_t i = 0; i < n; i++) pb_int(&a, 8, v[i]);
  pb_int(&a, 20, 7);
  pb_message(node, 5, &a);
}

static inline void attr_message(pb *node, const char *name, uint32_t number, pb *value) {
  pb a = {0};
  pb_text(&a, 1, name);
  pb_message(&a, number, value);
  pb_message(node, 5, &a);
}

/* Field 11 (input) or 12 (output): a tensor with dims, -1 for an open one; rank -1 for no shape. */
static inline void port_add(pb *graph, uint32_t number, const char *name, int dtype,
                            const int64_t *dims, int rank) {
  pb shape = {0}, tensor = {0}, type = {0}, info = {0};
  for (int d = 0; d < rank; d++) {
    pb dim = {0};
    if (dims[d] == -1)
      pb_text(&dim, 2, "N");
    else
      pb_int(&dim, 1, dims[d]);
    pb_message(&shape, 1, &dim);
  }
  pb_int(&tensor, 1, dtype);
  if (rank >= 0) pb_message(&tensor, 2, &shape);
  pb_free(&shape);
  pb_message(&type, 1, &tensor);
  pb_text(&info, 1, name);
  pb_message(&info, 2, &type);
  pb_message(graph, number, &info);
}

static inline pb tensor_make(const char *name, int dtype, const int64_t *dims, int rank,
                             const void *raw, size_t bytes) {
  pb b = {0};
  for (int d = 0; d < rank; d++) pb_int(&b, 1, dims[d]);
  pb_int(&b, 2, dtype);
  pb_text(&b, 8, name);
  if (raw) pb_bytes(&b, 9, raw, bytes);
  return b;
}

static inline void initializer_add(pb *graph, const char *name, int dtype, const int64_t *dims,
                                   int rank, const void *raw, size_t bytes) {
  pb b = tensor_make(name, dtype, dims, rank, raw, bytes);
  pb_message(graph, 5, &b);
}

static inline void opset_add(pb *model, const char *domain, int64_t version) {
  pb opset = {0};
  if (*domain) pb_text(&opset, 1, domain);
  pb_int(&opset, 2, version);
  pb_message(model, 8, &opset);
}

/* The whole model over `graph`, whose bytes it takes. */
static inline pb model_make(pb *graph, int64_t opset) {
  pb model = {0};
  pb_int(&model, 1, 8);
  opset_add(&model, "", opset);
  pb_message(&model, 7, graph);
  return model;
}

#endif
