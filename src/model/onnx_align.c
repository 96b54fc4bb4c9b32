/* SPDX-License-Identifier: Apache-2.0 */
/* Large float constants that do not lie aligned in the file stay there while all that use them pack
 * them, which reads from any place: a copy would be a second pass and a second time their memory.
 * What somebody reads in place is copied once the graph is known. */
#include "model/onnx.h"

enum { LOOSE_BYTES = 1024 };

static bool aligned(const void *p, size_t each) { return ((uintptr_t)p & (each - 1)) == 0; }

hy_status hy__onnx_place(hy__onnx *r, const hy__span *raw, hy_dtype dtype, void **out,
                         hy_error *err) {
  const size_t bytes = hy__span_left(raw);
  *out = (void *)(uintptr_t)raw->pos; /* views are not const; nobody writes to a constant */
  if (aligned(raw->pos, hy_dtype_bytes(dtype))) return HY_OK;
  if (r->loose && dtype == HY_F32 && bytes >= LOOSE_BYTES) return HY_OK;
  const void *there = hy__model_aligned(r->model, bytes);
  if (there) {
    *out = (void *)(uintptr_t)there;
  } else {
    HY_TRY(hy__arena_alloc_raw(r->arena, bytes, HY_ALIGN, out, err));
    memcpy(*out, raw->pos, bytes);
  }
  return hy__model_copied(r->model, *out, bytes, err);
}

/* A value's constant, if it still lies where it is not aligned. */
static hy_tensor *loose_of(const hy__graph *graph, int32_t value) {
  const hy_tensor *t = value >= 0 ? graph->values[value].constant : NULL;
  return t && !aligned(t->data, hy_dtype_bytes(t->dtype)) ? (hy_tensor *)(uintptr_t)t : NULL;
}

static hy_status settle(hy__onnx *r, hy_tensor *t, hy_error *err) {
  size_t bytes;
  if (!t) return HY_OK;
  (void)hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes);
  const hy__span raw = hy__span_make(t->data, bytes);
  return hy__onnx_place(r, &raw, t->dtype, &t->data, err);
}

/* Whether a recurrent layer's weights are all known, and so packed. */
static bool known_weights(const hy__graph *graph, const hy__node *node) {
  static const size_t weights[] = {1, 2, 3, 7};
  for (size_t i = 0; i < HY_COUNT(weights); i++) {
    const size_t k = weights[i];
    if (k < node->n_inputs && node->inputs[k] >= 0 && !graph->values[node->inputs[k]].constant)
      return false;
  }
  return true;
}

/* Whether the node packs its input k, and so never reads it in place. */
static bool packs(const hy__graph *graph, const hy__node *node, size_t k) {
  const char *name = node->op_type;
  if (*node->domain) return false;
  if (strcmp(name, "Gemm") == 0 || strcmp(name, "MatMul") == 0)
    return k == 1 && graph->values[node->inputs[k]].constant->rank == 2;
  if (strcmp(name, "LSTM") == 0 || strcmp(name, "GRU") == 0 || strcmp(name, "RNN") == 0)
    return (k == 1 || k == 2) && known_weights(graph, node);
  return false;
}

/* Captured constants are the outer graph's own tensors. */
static hy_status settle_captured(hy__onnx *r, const hy__graph *graph, hy_error *err) {
  for (size_t v = 0; v < graph->n_values; v++) HY_TRY(settle(r, loose_of(graph, (int32_t)v), err));
  for (size_t n = 0; n < graph->n_nodes; n++)
    for (size_t i = 0; i < graph->nodes[n].n_attrs; i++)
      if (graph->nodes[n].attrs[i].kind == HY__ATTR_GRAPH)
        HY_TRY(settle_captured(r, graph->nodes[n].attrs[i].as.graph, err));
  return HY_OK;
}

static hy_status settle_node(hy__onnx *r, const hy__graph *graph, const hy__node *node,
                             hy_error *err) {
  for (size_t k = 0; k < node->n_inputs; k++) {
    hy_tensor *t = loose_of(graph, node->inputs[k]);
    if (t && !packs(graph, node, k)) HY_TRY(settle(r, t, err));
  }
  for (size_t i = 0; i < node->n_attrs; i++)
    if (node->attrs[i].kind == HY__ATTR_GRAPH)
      HY_TRY(settle_captured(r, node->attrs[i].as.graph, err));
  return HY_OK;
}

hy_status hy__onnx_align(hy__onnx *r, const hy__graph *graph, hy_error *err) {
  r->loose = false;
  for (size_t n = 0; n < graph->n_nodes; n++) HY_TRY(settle_node(r, graph, &graph->nodes[n], err));
  for (size_t k = 0; k < graph->n_outputs; k++)
    HY_TRY(settle(r, loose_of(graph, graph->outputs[k]), err));
  return HY_OK;
}
