/* SPDX-License-Identifier: Apache-2.0 */
/* The graph of a batch, written for fewer rows: the dims that carry them, and what names them
 * besides. That every operator infers the same dims from its new inputs is checked. */
#include "engine/block.h"

static bool is(const hy__node *node, const char *domain, const char *op_type) {
  return strcmp(node->domain, domain) == 0 && strcmp(node->op_type, op_type) == 0;
}

/* Input 1 becomes the output's dims, the attribute `shape` too. */
static hy_status shape_given(hy__work *w, hy__node *node, hy_error *err) {
  void *dims, *ids, *attrs;
  const hy_tensor y = w->values[node->outputs[0]].t;
  hy_tensor list = {.dtype = HY_I64, .rank = 1, .dims = {y.rank}};
  HY_TRY(hy__arena_array(w->arena, HY_MAX_RANK, sizeof(int64_t), &dims, err));
  memcpy(dims, y.dims, (size_t)y.rank * sizeof(int64_t));
  list.data = dims;
  if (node->n_inputs > 1) {
    HY_TRY(hy__arena_array(w->arena, node->n_inputs, sizeof(int32_t), &ids, err));
    memcpy(ids, node->inputs, node->n_inputs * sizeof(int32_t));
    node->inputs = ids;
    return hy__work_value_new(w, &list, "", (int32_t *)ids + 1, err);
  }
  HY_TRY(hy__arena_array(w->arena, node->n_attrs + 1, sizeof(hy__attr), &attrs, err));
  if (node->n_attrs) memcpy(attrs, node->attrs, node->n_attrs * sizeof(hy__attr));
  node->attrs = attrs;
  for (size_t i = 0; i < node->n_attrs; i++)
    if (strcmp(node->attrs[i].name, "shape") == 0) {
      ((hy__attr *)attrs)[i].as.ints = dims;
      ((hy__attr *)attrs)[i].n = (size_t)y.rank;
    }
  return HY_OK;
}

static hy_status scale_node(hy__work *w, const hy__tracks *t, hy__node *node, int64_t rows,
                            hy_error *err) {
  if (is(node, "", "Reshape") || is(node, "", "Expand")) return shape_given(w, node, err);
  if (is(node, "hayate", "AttentionView")) return hy__block_scale_attention(w, t, node, rows, err);
  return HY_OK;
}

static hy_status check(hy__work *w, const hy__work_node *node, hy_error *err) {
  hy__op_plan view;
  HY_TRY(hy__work_view(w, node, &view, err));
  for (size_t k = 0; k < view.n_out; k++) {
    if (!view.out_wanted[k]) continue;
    const hy_tensor *made = &view.out[k], *meant = &w->values[node->node.outputs[k]].t;
    HY_FAIL_IF(made->rank != meant->rank || made->data, HY_UNSUPPORTED, err, "not by rows");
    for (int32_t d = 0; d < made->rank; d++)
      HY_FAIL_IF(made->dims[d] != meant->dims[d], HY_UNSUPPORTED, err, "not by rows");
  }
  return HY_OK;
}

/* A known value's rows are alike: the first ones. */
static hy_status trim(hy__work *w, const hy__tracks *t, size_t value, int64_t rows, hy_error *err) {
  hy_tensor *x = &w->values[value].t;
  void *memory;
  size_t outer = 1;
  for (int32_t d = 0; d < t->of[value].axis; d++) outer *= (size_t)x->dims[d];
  const size_t whole = outer ? hy__work_bytes(x) / outer : 0;
  const size_t part = whole / (size_t)t->n_rows * (size_t)rows;
  if (outer < 2) return HY_OK; /* they come first */
  HY_TRY(hy__arena_array(w->arena, outer, part, &memory, err));
  for (size_t o = 0; o < outer; o++)
    memcpy((uint8_t *)memory + o * part, (const uint8_t *)x->data + o * whole, part);
  x->data = memory;
  w->values[value].stable = false;
  return HY_OK;
}

hy_status hy__block_scale(hy__work *w, const hy__tracks *t, int64_t rows, hy_error *err) {
  const size_t n_values = w->n_values; /* what is added has no track */
  for (size_t v = 0; v < n_values; v++) {
    if (t->of[v].axis < 0) continue;
    if (w->values[v].t.data) HY_TRY(trim(w, t, v, rows, err));
    w->values[v].t.dims[t->of[v].axis] = t->of[v].each * rows;
  }
  for (size_t i = 0; i < w->n_nodes; i++) {
    if (w->nodes[i].dead) continue;
    HY_TRY(scale_node(w, t, &w->nodes[i].node, rows, err));
    HY_TRY(check(w, &w->nodes[i], err));
  }
  return HY_OK;
}
