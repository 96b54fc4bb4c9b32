/* SPDX-License-Identifier: Apache-2.0
 * The ONNX reader on models written by hand: what is accepted, and each refusal with its message.
 * Whole models of exporters are in tests/engine/test_golden.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/onnx.h"
#include "support/onnx_writer.h"
#include "support/runtime.h"

static const int64_t open2[2] = {-1, 2}, two[1] = {2};
static const float pair[2] = {1.5f, -2.0f};

/* x [N,2] and y [N,2], one node in between. */
static pb small_graph(void) {
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, open2, 2);
  port_add(&g, 12, "y", HY_F32, open2, 2);
  return g;
}

static hy_model *accept(pb *model) {
  hy_model *m;
  hy_error err;
  hy_status status = hy_model_open_memory(runtime, model->data, model->n, NULL, &m, &err);
  if (status != HY_OK) print_error("%s\n", err.message);
  assert_int_equal(status, HY_OK);
  return m;
}

static void refuse(pb *model, hy_status status, const char *said) {
  hy_model *m = NULL;
  hy_error err;
  hy_status got = hy_model_open_memory(runtime, model->data, model->n, NULL, &m, &err);
  if (got != status || !strstr(err.message, said))
    print_error("%s: '%s', not %s with '%s'\n", hy_status_name(got), err.message,
                hy_status_name(status), said);
  assert_int_equal(got, status);
  assert_non_null(strstr(err.message, said));
  assert_null(m);
  pb_free(model);
}

static void refuse_graph(pb *graph, hy_status status, const char *said) {
  pb model = model_make(graph, 17);
  refuse(&model, status, said);
}

static void a_small_model(void **state) {
  (void)state;
  pb g = small_graph(), meta = {0};
  initializer_add(&g, "w", HY_F32, two, 1, pair, sizeof pair);
  port_add(&g, 11, "w", HY_F32, two, 1); /* as files of IR 3 list it */
  node_add(&g, "Add", "x w", "y");
  pb model = model_make(&g, 17);
  opset_add(&model, "ai.onnx", 17); /* the same again */
  pb_text(&meta, 1, "key");
  pb_text(&meta, 2, "value");
  pb_message(&model, 14, &meta);
  hy_model *m = accept(&model);
  assert_int_equal(hy_model_n_inputs(m), 1);
  assert_string_equal(hy_model_input(m, 0)->name, "x");
  assert_int_equal(hy_model_input(m, 0)->rank, 2);
  assert_int_equal(hy_model_input(m, 0)->dims[0], -1);
  assert_int_equal(hy_model_input(m, 0)->dims[1], 2);
  assert_string_equal(hy_model_metadata(m, "key"), "value");
  assert_null(hy_model_metadata(m, "none"));
  const hy__graph *graph = hy__model_graph(m);
  assert_int_equal(graph->n_nodes, 1);
  const hy__value *w = &graph->values[graph->nodes[0].inputs[1]];
  assert_memory_equal(w->constant->data, pair, sizeof pair);
  assert_int_equal(graph->nodes[0].version, 17);
  hy_model_destroy(m);
  pb_free(&model);
}

static void typed_lists(void **state) {
  (void)state;
  const int64_t three[1] = {3};
  const int32_t halves[3] = {0x3c00, 0xc000, 0x7c00};
  pb g = small_graph(), t = tensor_make("h", HY_F16, three, 1, NULL, 0), packed = {0};
  for (int i = 0; i < 3; i++) pb_int(&t, 5, halves[i]); /* unpacked */
  pb_message(&g, 5, &t);
  t = tensor_make("i", HY_I64, three, 1, NULL, 0);
  for (int64_t i = 0; i < 3; i++) pb_varint(&packed, (uint64_t)(i - 1));
  pb_message(&t, 7, &packed);
  pb_message(&g, 5, &t);
  t = tensor_make("s", HY_STRING, two, 1, NULL, 0);
  pb_text(&t, 6, "up");
  pb_text(&t, 6, "down");
  pb_message(&g, 5, &t);
  node_add(&g, "Identity", "x", "y");
  pb model = model_make(&g, 17);
  hy_model *m = accept(&model);
  const hy__graph *graph = hy__model_graph(m);
  const uint16_t *h = graph->values[0].constant->data;
  const int64_t *i = graph->values[1].constant->data;
  const hy_string *s = graph->values[2].constant->data;
  assert_true(h[0] == 0x3c00 && h[1] == 0xc000 && h[2] == 0x7c00);
  assert_true(i[0] == -1 && i[1] == 0 && i[2] == 1);
  assert_true(s[1].len_bytes == 4 && memcmp(s[1].data, "down", 4) == 0);
  hy_model_destroy(m);
  pb_free(&model);
}

static void nodes_in_any_order(void **state) {
  (void)state;
  pb g = small_graph();
  node_add(&g, "Neg", "b", "y");
  node_add(&g, "Abs", "a", "b");
  node_add(&g, "Relu", "x", "a");
  pb model = model_make(&g, 17);
  hy_model *m = accept(&model);
  const hy__graph *graph = hy__model_graph(m);
  assert_string_equal(graph->nodes[0].op_type, "Relu");
  assert_string_equal(graph->nodes[1].op_type, "Abs");
  assert_string_equal(graph->nodes[2].op_type, "Neg");
  hy_model_destroy(m);
  pb_free(&model);
}

static void cycles_are_named(void **state) {
  (void)state;
  pb g = small_graph(), node = node_make("Add", "x c", "b");
  pb_text(&node, 3, "first");
  pb_message(&g, 1, &node);
  node = node_make("Neg", "b", "c");
  pb_text(&node, 3, "second");
  pb_message(&g, 1, &node);
  node_add(&g, "Abs", "c", "y");
  refuse_graph(&g, HY_BAD_FORMAT, "the graph has a cycle: 'first' (Add) <- 'second' (Neg)");
  g = small_graph();
  node_add(&g, "Add", "x y", "y");
  refuse_graph(&g, HY_BAD_FORMAT, "cycle: '' (Add)");
}

static void names(void **state) {
  (void)state;
  pb g = small_graph();
  node_add(&g, "Neg", "nosuch", "y");
  refuse_graph(&g, HY_BAD_FORMAT, "value 'nosuch' is used but nothing defines it");
  g = small_graph();
  node_add(&g, "Neg", "x", "y");
  node_add(&g, "Abs", "x", "y");
  refuse_graph(&g, HY_BAD_FORMAT, "value 'y' is defined twice");
  g = small_graph();
  node_add(&g, "Neg", "x", "x");
  refuse_graph(&g, HY_BAD_FORMAT, "value 'x' is defined twice");
  g = small_graph();
  pb node = node_make("Neg", "x", "y");
  pb_bytes(&node, 3, "a\0b", 3);
  pb_message(&g, 1, &node);
  refuse_graph(&g, HY_BAD_FORMAT, "a node's name contains a zero byte");
  g = small_graph();
  node = node_make("Neg", "x", "y");
  pb_text(&node, 7, "hayate");
  pb_message(&g, 1, &node);
  refuse_graph(&g, HY_UNSUPPORTED, "uses domain 'hayate', which is the engine's own");
  g = small_graph();
  node = node_make("Neg", "x", "y");
  pb_text(&node, 7, "com.other");
  pb_message(&g, 1, &node);
  refuse_graph(&g, HY_BAD_FORMAT, "uses domain 'com.other', which opset_import does not list");
}

static void name_lengths(void **state) {
  (void)state;
  size_t most = hy__onnx_limits_default.max_name_bytes;
  char *name = malloc(most + 2);
  memset(name, 'n', most + 1);
  for (size_t n = most; n <= most + 1; n++) {
    pb g = small_graph(), node = node_make("Neg", "x", "y");
    pb_bytes(&node, 3, name, n);
    pb_message(&g, 1, &node);
    if (n > most) {
      refuse_graph(&g, HY_LIMIT, "a node's name has 4097 bytes; at most 4096 are allowed");
      continue;
    }
    pb model = model_make(&g, 17);
    hy_model_destroy(accept(&model));
    pb_free(&model);
  }
  free(name);
}

static void opsets(void **state) {
  (void)state;
  pb g = small_graph();
  node_add(&g, "Neg", "x", "y");
  pb model = model_make(&g, 17);
  opset_add(&model, "", 18);
  refuse(&model, HY_BAD_FORMAT, "imported at version 17 and at 18");
  g = small_graph();
  model = (pb){0};
  pb_int(&model, 1, 8);
  pb_message(&model, 7, &g);
  refuse(&model, HY_BAD_FORMAT, "imports no opset");
  g = small_graph();
  model = model_make(&g, 17);
  pb_int(&model, 1, 99);
  refuse(&model, HY_UNSUPPORTED, "ONNX IR version 99");
}

static void dims(void **state) {
  (void)state;
  const int64_t huge[2] = {INT64_C(1) << 40, INT64_C(1) << 40};
  const int64_t negative[1] = {-2}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
  pb g = {0};
  port_add(&g, 11, "x", HY_F32, huge, 2);
  refuse_graph(&g, HY_LIMIT, "the dims of 'x' overflow");
  g = (pb){0};
  port_add(&g, 11, "x", HY_F32, nine, 9);
  refuse_graph(&g, HY_LIMIT, "'x' has more than 8 dims");
  g = small_graph();
  initializer_add(&g, "w", HY_F32, huge, 2, pair, sizeof pair);
  refuse_graph(&g, HY_BAD_FORMAT, "tensor 'w': its dims are negative or their product overflows");
  g = small_graph();
  initializer_add(&g, "w", HY_F32, negative, 1, pair, sizeof pair);
  refuse_graph(&g, HY_BAD_FORMAT, "tensor 'w': its dims are negative");
  g = small_graph();
  initializer_add(&g, "w", HY_F32, nine, 9, pair, 4);
  refuse_graph(&g, HY_LIMIT, "a tensor has more than 8 dims");
  g = small_graph();
  initializer_add(&g, "w", HY_F32, nine, 8, pair, 4);
  node_add(&g, "Neg", "x", "y");
  pb model = model_make(&g, 17);
  hy_model_destroy(accept(&model));
  pb_free(&model);
}

static void tensors(void **state) {
  (void)state;
  const int64_t three[1] = {3}, many[1] = {INT64_C(1) << 33};
  pb g = small_graph();
  initializer_add(&g, "w", HY_F32, three, 1, pair, sizeof pair);
  refuse_graph(&g, HY_BAD_FORMAT, "tensor 'w': its data has 8 bytes, its dims and type ask for 12");
  g = small_graph();
  initializer_add(&g, "w", 27, two, 1, pair, sizeof pair);
  refuse_graph(&g, HY_UNSUPPORTED, "tensor 'w': its type 27 (float6e2m3) is not supported");
  g = small_graph();
  initializer_add(&g, "w", HY_I4, three, 1, pair, 3);
  refuse_graph(&g, HY_BAD_FORMAT, "tensor 'w': its data has 3 bytes, its dims and type ask for 2");
  g = small_graph();
  initializer_add(&g, "w", HY_F32, many, 1, NULL, 0);
  refuse_graph(&g, HY_BAD_FORMAT, "its dims ask for 8589934592 elements, more than it has bytes");
  g = small_graph();
  initializer_add(&g, "w", HY_STRING, two, 1, pair, sizeof pair);
  refuse_graph(&g, HY_BAD_FORMAT, "strings cannot be raw data");
  g = small_graph();
  pb t = tensor_make("w", HY_F32, two, 1, NULL, 0);
  pb_int(&t, 14, 1);
  pb_message(&g, 5, &t);
  refuse_graph(&g, HY_UNSUPPORTED, "a model from memory has no folder");
}

/* A graph that holds itself `depth` times in the attribute of an If. */
static pb nested(size_t depth) {
  pb g = {0};
  for (size_t i = 0; i <= depth; i++) {
    pb outer = {0}, node = node_make("If", "-", "y");
    if (i) attr_message(&node, "then_branch", 6, &g);
    if (i) pb_message(&outer, 1, &node);
    pb_free(&node);
    g = outer;
  }
  return g;
}

static void depth_of_graphs(void **state) {
  (void)state;
  size_t most = hy__onnx_limits_default.max_depth;
  pb g = nested(most), model = model_make(&g, 17);
  hy_model_destroy(accept(&model));
  pb_free(&model);
  g = nested(most + 1);
  refuse_graph(&g, HY_LIMIT, "graphs nest deeper than 32");
  g = nested(3000);
  refuse_graph(&g, HY_LIMIT, "graphs nest deeper than 32");
}

static void number_of_nodes(void **state) {
  (void)state;
  hy__onnx_limits limits = hy__onnx_limits_default;
  limits.max_nodes = 5;
  for (int n = 5; n <= 6; n++) {
    pb g = {0};
    port_add(&g, 11, "x", HY_F32, open2, 2);
    for (int i = 0; i < n; i++) {
      char name[16];
      snprintf(name, sizeof name, "v%d", i);
      node_add(&g, "Neg", "x", name);
    }
    pb model = model_make(&g, 17);
    hy__arena *arena;
    hy_error err;
    assert_int_equal(hy__arena_create(hy__runtime_allocator(runtime), 0, 0, &arena, NULL), HY_OK);
    hy_model m = {.runtime = runtime, .arena = arena, .map = {model.data, model.n}};
    assert_int_equal(hy__onnx_read(&m, &limits, &err), n == 5 ? HY_OK : HY_LIMIT);
    if (n == 6) assert_string_equal(err.message, "the graph has 6 nodes; at most 5");
    hy__arena_destroy(arena);
    pb_free(&model);
  }
}

static pb function_make(const char *name, const char *inputs, const char *outputs) {
  pb f = {0}, opset = {0};
  pb_text(&f, 1, name);
  pb_words(&f, 4, inputs);
  pb_words(&f, 5, outputs);
  pb_int(&opset, 2, 17);
  pb_message(&f, 9, &opset);
  pb_text(&f, 10, "own");
  return f;
}

static pb call_make(const char *name, const char *inputs, const char *outputs) {
  pb node = node_make(name, inputs, outputs);
  pb_text(&node, 7, "own");
  return node;
}

static void functions_are_inlined(void **state) {
  (void)state;
  pb g = small_graph(), call = call_make("Twice", "x", "y -");
  attr_int(&call, "axis", 5);
  pb_message(&g, 1, &call);
  pb f = function_make("Twice", "in", "out same"), body = node_make("Softmax", "in", "t"),
     ref = {0};
  pb_text(&ref, 1, "axis");
  pb_text(&ref, 21, "axis");
  pb_message(&body, 5, &ref);
  pb_message(&f, 7, &body);
  body = node_make("Add", "t t", "out");
  pb_message(&f, 7, &body);
  body = node_make("Neg", "t", "same");
  pb_message(&f, 7, &body);
  pb model = model_make(&g, 17);
  pb_message(&model, 25, &f);
  hy_model *m = accept(&model);
  const hy__graph *graph = hy__model_graph(m);
  assert_int_equal(graph->n_nodes, 3);
  assert_string_equal(graph->nodes[0].op_type, "Softmax");
  assert_int_equal(hy__node_int(&graph->nodes[0], "axis", 0), 5);
  assert_int_equal(graph->nodes[1].outputs[0], graph->outputs[0]);
  hy_model_destroy(m);
  pb_free(&model);
}

static void bad_functions(void **state) {
  (void)state;
  pb g = small_graph(), call = call_make("Self", "x", "y");
  pb_message(&g, 1, &call);
  pb f = function_make("Self", "in", "out"), body = call_make("Self", "in", "out");
  pb_message(&f, 7, &body);
  pb model = model_make(&g, 17);
  pb_message(&model, 25, &f);
  refuse(&model, HY_LIMIT, "function 'Self' nests deeper than 32 calls");
  g = small_graph();
  call = call_make("None", "x", "y");
  pb_message(&g, 1, &call);
  f = function_make("None", "in", "out");
  model = model_make(&g, 17);
  pb_message(&model, 25, &f);
  refuse(&model, HY_BAD_FORMAT, "function 'None' does not define its output 0");
  g = small_graph();
  call = call_make("One", "x x", "y");
  pb_message(&g, 1, &call);
  f = function_make("One", "in", "out");
  model = model_make(&g, 17);
  pb_message(&model, 25, &f);
  refuse(&model, HY_BAD_FORMAT, "function 'One' takes 1 inputs, not 2");
}

/* Functions that call the next one ten times each: 10^8 calls in a file of a kilobyte. */
static void functions_that_explode(void **state) {
  (void)state;
  pb g = small_graph(), call = call_make("f0", "x", "y"), model;
  pb_message(&g, 1, &call);
  model = model_make(&g, 17);
  for (int level = 0; level < 8; level++) {
    char name[16], next[16];
    snprintf(name, sizeof name, "f%d", level);
    snprintf(next, sizeof next, "f%d", level + 1);
    pb f = function_make(name, "in", "o0");
    for (int i = 0; i < 10; i++) {
      char out[16];
      snprintf(out, sizeof out, "o%d", i);
      pb body = level == 7 ? node_make("Neg", "in", out) : call_make(next, "in", out);
      pb_message(&f, 7, &body);
    }
    pb_message(&model, 25, &f);
  }
  refuse(&model, HY_LIMIT, "more than 1048576 nodes");
}

/* Every prefix of a model, and every byte of it flipped: refused or accepted, never worse. */
static void damaged(void **state) {
  (void)state;
  pb g = small_graph();
  initializer_add(&g, "w", HY_F32, two, 1, pair, sizeof pair);
  node_add(&g, "Add", "x w", "a");
  node_add(&g, "Neg", "a", "y");
  pb model = model_make(&g, 17);
  for (size_t n = 0; n < model.n; n++) {
    hy_model *m;
    uint8_t *cut = malloc(n ? n : 1); /* exactly so much, for the sanitizer */
    memcpy(cut, model.data, n);
    hy_status status = hy_model_open_memory(runtime, cut, n, NULL, &m, NULL);
    if (status == HY_OK) hy_model_destroy(m);
    assert_int_not_equal(status, HY_OK);
    free(cut);
  }
  for (size_t n = 0; n < model.n; n++)
    for (int bit = 0; bit < 8; bit++) {
      hy_model *m;
      model.data[n] ^= (uint8_t)(1 << bit);
      if (hy_model_open_memory(runtime, model.data, model.n, NULL, &m, NULL) == HY_OK)
        hy_model_destroy(m);
      model.data[n] ^= (uint8_t)(1 << bit);
    }
  pb_free(&model);
}

/* --- external data --- */

static pb external_model(const char *location, int64_t offset, int64_t length) {
  char text[32];
  pb g = small_graph(), t = tensor_make("w", HY_F32, two, 1, NULL, 0), entry = {0};
  pb_text(&entry, 1, "location");
  pb_text(&entry, 2, location);
  pb_message(&t, 13, &entry);
  snprintf(text, sizeof text, "%lld", (long long)offset);
  pb_text(&entry, 1, "offset");
  pb_text(&entry, 2, text);
  pb_message(&t, 13, &entry);
  snprintf(text, sizeof text, "%lld", (long long)length);
  pb_text(&entry, 1, "length");
  pb_text(&entry, 2, text);
  pb_message(&t, 13, &entry);
  pb_int(&t, 14, 1);
  pb_message(&g, 5, &t);
  node_add(&g, "Add", "x w", "y");
  return model_make(&g, 17);
}

static char folder[256];

static const char *in_folder(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static hy_status open_external(pb *model, hy_model **m, hy_error *err) {
  assert_int_equal(hy__file_write_all(in_folder("m.onnx"), model->data, model->n, NULL), HY_OK);
  pb_free(model);
  return hy_model_open(runtime, in_folder("m.onnx"), NULL, m, err);
}

static void refuse_external(const char *location, int64_t offset, int64_t length, hy_status status,
                            const char *said) {
  pb model = external_model(location, offset, length);
  hy_model *m;
  hy_error err;
  assert_int_equal(open_external(&model, &m, &err), status);
  if (!strstr(err.message, said)) print_error("'%s', not '%s'\n", err.message, said);
  assert_non_null(strstr(err.message, said));
  assert_non_null(strstr(err.subject, "hayate-onnx"));
}

static void external_data(void **state) {
  (void)state;
  hy_model *m;
  hy_error err;
  snprintf(folder, sizeof folder, "/tmp/hayate-onnx-%d", (int)getpid());
  assert_int_equal(hy__folder_make(in_folder("sub"), NULL), HY_OK);
  float values[4] = {9, 1.5f, -2.0f, 9};
  assert_int_equal(hy__file_write_all(in_folder("sub/w.bin"), values, sizeof values, NULL), HY_OK);
  pb model = external_model("sub/w.bin", 4, 8);
  assert_int_equal(open_external(&model, &m, &err), HY_OK);
  assert_memory_equal(hy__model_graph(m)->values[0].constant->data, pair, sizeof pair);
  hy_model_destroy(m);
  refuse_external("sub/w.bin", 12, 8, HY_BAD_FORMAT, "are past its end at 16");
  refuse_external("sub/w.bin", INT64_MAX, 8, HY_BAD_FORMAT, "are past its end");
  refuse_external("sub/w.bin", 0, 12, HY_BAD_FORMAT, "its data has 12 bytes");
  refuse_external("sub/w.bin", -4, 8, HY_BAD_FORMAT, "offset is not a whole number of bytes");
  refuse_external("/etc/hostname", 0, 8, HY_BAD_FORMAT, "lies outside the model's folder");
  refuse_external("../w.bin", 0, 8, HY_BAD_FORMAT, "lies outside the model's folder");
  refuse_external("sub/../../w.bin", 0, 8, HY_BAD_FORMAT, "lies outside the model's folder");
  refuse_external("none.bin", 0, 8, HY_NOT_FOUND, "'none.bin' is not there");
  refuse_external("sub", 0, 8, HY_BAD_FORMAT, "");
  assert_int_equal(symlink("/etc/hostname", in_folder("link.bin")), 0);
  refuse_external("link.bin", 0, 8, HY_BAD_FORMAT, "is a link that leaves the model's folder");
  assert_int_equal(symlink("sub/w.bin", in_folder("inner.bin")), 0);
  model = external_model("inner.bin", 4, 8);
  assert_int_equal(open_external(&model, &m, &err), HY_OK);
  hy_model_destroy(m);
  hy_model_options options = {.struct_size = sizeof options, .max_bytes = 100};
  assert_int_equal(hy_model_open(runtime, in_folder("m.onnx"), &options, &m, &err), HY_LIMIT);
  static const char *const made[] = {"link.bin", "inner.bin", "m.onnx", "sub/w.bin", "sub", ""};
  for (size_t i = 0; i < HY_COUNT(made); i++) (void)remove(in_folder(made[i]));
}

static void bad_arguments(void **state) {
  (void)state;
  hy_model *m;
  hy_model_options options = {.struct_size = 1};
  assert_int_equal(hy_model_open(runtime, NULL, NULL, &m, NULL), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_model_open(NULL, "x", NULL, &m, NULL), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_model_open(runtime, "x", &options, &m, NULL), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_model_open(runtime, "tests/none.onnx", NULL, &m, NULL), HY_NOT_FOUND);
  assert_int_not_equal(hy_model_open(runtime, "tests", NULL, &m, NULL), HY_OK);
  hy_model_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_small_model),
                                     cmocka_unit_test(typed_lists),
                                     cmocka_unit_test(nodes_in_any_order),
                                     cmocka_unit_test(cycles_are_named),
                                     cmocka_unit_test(names),
                                     cmocka_unit_test(name_lengths),
                                     cmocka_unit_test(opsets),
                                     cmocka_unit_test(dims),
                                     cmocka_unit_test(tensors),
                                     cmocka_unit_test(depth_of_graphs),
                                     cmocka_unit_test(number_of_nodes),
                                     cmocka_unit_test(functions_are_inlined),
                                     cmocka_unit_test(bad_functions),
                                     cmocka_unit_test(functions_that_explode),
                                     cmocka_unit_test(damaged),
                                     cmocka_unit_test(external_data),
                                     cmocka_unit_test(bad_arguments)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
