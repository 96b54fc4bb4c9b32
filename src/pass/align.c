/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasting before opset 7: the second operand stands at `axis` of the first, not at its end.
 * It is reshaped to stand so by the rule of today, and the node becomes one of opset 7. */
#include "pass/rewrite.h"

/* Where B's first dim stands in A, -1 if today's rule does the same. */
static int32_t legacy_axis(const hy__node *node, int32_t rank, const hy_tensor *b) {
  if (strcmp(node->op_type, "PRelu") == 0) { /* a slope per channel */
    return b->rank == 1 && b->dims[0] != 1 && rank > 2 ? 1 : -1;
  }
  const hy__attr *axis = hy__node_attr(node, "axis");
  if (!hy__node_int(node, "broadcast", 0) || !axis || axis->kind != HY__ATTR_INT) return -1;
  const int64_t at = axis->as.i < 0 ? axis->as.i + rank : axis->as.i;
  const bool inside = at >= 0 && at + b->rank < rank;
  return inside ? (int32_t)at : -1;
}

bool hy__work_is_legacy(const hy__work_node *node) {
  static const char *const names[] = {"Add",   "Sub",     "Mul",  "Div", "Pow", "PRelu",
                                      "Equal", "Greater", "Less", "And", "Or",  "Xor"};
  const hy__node *n = &node->node;
  if (*n->domain || n->version >= 7 || n->n_inputs != 2) return false;
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(names[i], n->op_type) == 0) return true;
  return false;
}

static hy_status reshape_enter(hy__work *w, const hy__node *of, const hy_tensor *to, int32_t *id,
                               hy_error *err) {
  const hy_tensor dims = {.dtype = HY_I64, .rank = 1, .dims = {to->rank}};
  void *memory;
  int32_t shape, made;
  HY_TRY(hy__work_value_new(w, &dims, "dims", &shape, err));
  HY_TRY(hy__arena_array(w->arena, HY_MAX_RANK, sizeof(int64_t), &memory, err));
  memcpy(memory, to->dims, (size_t)to->rank * sizeof(int64_t));
  w->values[shape].t.data = memory;
  HY_TRY(hy__work_value_new(w, NULL, w->values[*id].name, &made, err));
  w->values[made].uses = 1;
  HY_TRY(hy__arena_array(w->arena, 3, sizeof(int32_t), &memory, err));
  int32_t *ids = memory;
  ids[0] = *id;
  ids[1] = shape;
  ids[2] = made;
  hy__work_node node = {.node = {.name = of->name,
                                 .domain = "",
                                 .op_type = "Reshape",
                                 .version = 13,
                                 .inputs = ids,
                                 .outputs = ids + 2,
                                 .n_inputs = 2,
                                 .n_outputs = 1,
                                 .offset_bytes = of->offset_bytes}};
  node.op = hy__op_find("", "Reshape", 13, NULL);
  HY_FAIL_IF(!node.op, HY_INTERNAL, err, "no row for Reshape");
  *id = made;
  return hy__work_enter(w, &node, NULL, err);
}

hy_status hy__work_align(hy__work *w, hy__work_node *node, hy_error *err) {
  hy__node *n = &node->node;
  n->version = 7;
  if (n->inputs[0] < 0 || n->inputs[1] < 0) return HY_OK; /* refused later */
  const int32_t rank = w->values[n->inputs[0]].t.rank;
  hy_tensor b = w->values[n->inputs[1]].t;
  const int32_t axis = legacy_axis(n, rank, &b);
  if (axis < 0) return HY_OK;
  for (int32_t d = axis + b.rank; d < rank; d++) b.dims[b.rank++] = 1;
  void *memory;
  HY_TRY(hy__arena_array(w->arena, 2, sizeof(int32_t), &memory, err));
  int32_t *inputs = memory;
  inputs[0] = n->inputs[0];
  inputs[1] = n->inputs[1];
  HY_TRY(reshape_enter(w, n, &b, &inputs[1], err));
  n->inputs = inputs;
  return HY_OK;
}
