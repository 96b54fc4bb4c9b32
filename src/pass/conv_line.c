/* SPDX-License-Identifier: Apache-2.0 */
/* Conv over a plane that is one line (an axis of one place under a window of one) becomes Conv over
 * the line between two reshapes, which merge_reshape joins with the exporter's own: Keras writes
 * each Conv1D as Unsqueeze, a two-dimensional Conv, Squeeze. Exact. */
#include "pass/rewrite.h"

enum { PLANE_RANK = 4, LINE_RANK = 3 };

/* Entry `d` of a list attribute, `otherwise` where it is absent; false where it has another size.
 */
static bool entry(const hy__node *node, const char *name, size_t n, size_t d, int64_t otherwise,
                  int64_t *out) {
  const hy__attr *a = hy__node_attr(node, name);
  *out = otherwise;
  if (!a) return true;
  if (a->kind != HY__ATTR_INTS || a->n != n) return false;
  *out = a->as.ints[d];
  return true;
}

/* Is spatial dim d (0 or 1) one place, read through a window of one? */
static bool is_flat(const hy__work *w, const hy__node *node, size_t d) {
  const hy_tensor *x = hy__work_tensor(w, node->inputs[0]),
                  *k = hy__work_tensor(w, node->inputs[1]);
  const hy_tensor *y = hy__work_tensor(w, node->outputs[0]);
  int64_t stride, before, after;
  if (!entry(node, "strides", 2, d, 1, &stride) || !entry(node, "pads", 4, d, 0, &before) ||
      !entry(node, "pads", 4, d + 2, 0, &after))
    return false;
  return x->dims[d + 2] == 1 && k->dims[d + 2] == 1 && y->dims[d + 2] == 1 && stride == 1 &&
         before == 0 && after == 0;
}

static hy_tensor without(const hy_tensor *t, size_t d) {
  hy_tensor line = *t;
  line.rank = LINE_RANK;
  for (size_t i = d + 2; i < LINE_RANK; i++) line.dims[i] = t->dims[i + 1];
  return line;
}

/* The list attributes without the entries of dim d. */
static hy_status line_attrs(hy__work *w, const hy__node *node, size_t d, hy__work_rewrite *to,
                            hy_error *err) {
  static const char *const names[] = {"strides", "dilations", "kernel_shape", "pads"};
  const size_t other = 1 - d;
  int64_t ints[HY_COUNT(names)][2];
  hy__attr attrs[HY_COUNT(names)];
  size_t n = 0;
  for (size_t i = 0; i < HY_COUNT(names); i++) {
    const hy__attr *a = hy__node_attr(node, names[i]);
    if (!a) continue;
    ints[n][0] = a->as.ints[other];
    ints[n][1] = a->n == 4 ? a->as.ints[other + 2] : 0;
    attrs[n] = (hy__attr){
        .name = names[i], .kind = HY__ATTR_INTS, .n = a->n == 4 ? 2 : 1, .as.ints = ints[n]};
    n++;
  }
  return hy__work_attrs(w, node, attrs, n, to, err);
}

static bool lists_fit(const hy__node *node) {
  int64_t unused;
  return entry(node, "dilations", 2, 0, 1, &unused) &&
         entry(node, "kernel_shape", 2, 0, 1, &unused);
}

static hy_status flatten(hy__work *w, int32_t n, size_t d, bool *done, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  const hy_tensor x = without(hy__work_tensor(w, node.inputs[0]), d);
  const hy_tensor weights = without(hy__work_tensor(w, node.inputs[1]), d);
  const hy_tensor y = *hy__work_tensor(w, node.outputs[0]);
  int32_t inputs[3] = {HY__ABSENT, HY__ABSENT, HY__ABSENT}, made;
  hy__work_rewrite to;
  HY_TRY(hy__work_reshape(w, node.inputs[0], LINE_RANK, x.dims, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &inputs[0], err));
  if (inputs[0] < 0) return HY_OK;
  HY_TRY(hy__work_value_new(w, &weights, "", &inputs[1], err));
  w->values[inputs[1]].stable = w->values[node.inputs[1]].stable;
  if (node.n_inputs > 2) inputs[2] = node.inputs[2];
  to = (hy__work_rewrite){.domain = node.domain,
                          .op_type = node.op_type,
                          .version = node.version,
                          .inputs = inputs,
                          .n_inputs = HY_MIN(node.n_inputs, (size_t)3)};
  HY_TRY(line_attrs(w, &node, d, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  if (made < 0) return HY_OK;
  HY_TRY(hy__work_reshape(w, made, y.rank, y.dims, &to, err));
  to.outputs = node.outputs;
  to.n_outputs = 1;
  return hy__work_replace(w, n, &to, done, err);
}

hy_status hy__pass_conv_line(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes; /* those added are none of ours */
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    const hy__node *node = &w->nodes[n].node;
    bool done = false;
    if (!hy__work_is(w, n, "Conv") || !hy__work_known_input(w, n, 1)) continue;
    if (hy__work_tensor(w, node->inputs[0])->rank != PLANE_RANK || !lists_fit(node)) continue;
    for (size_t d = 0; d < 2 && !done; d++)
      if (is_flat(w, node, d)) HY_TRY(flatten(w, n, d, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
