/* SPDX-License-Identifier: Apache-2.0 */
/* Conv with known weights, and pools, onto channels-last data between two transposes;
 * sink_transpose moves those on and takes out the pairs that cancel. Sums run over the window's
 * places first, then its channels, so the last bits differ from Conv's own. */
#include "pass/rewrite.h"

/* Transpose of `id` that puts axis 1 last, or back. */
static hy_status turn(hy__work *w, int32_t id, bool back, hy__work_rewrite *to, hy_error *err) {
  const int32_t rank = hy__work_tensor(w, id)->rank;
  int64_t perm[HY_MAX_RANK];
  for (int32_t d = 0; d < rank; d++) perm[d] = back ? d - 1 : d + 1;
  perm[0] = 0;
  perm[back ? 1 : rank - 1] = back ? rank - 1 : 1;
  return hy__work_transpose(w, id, perm, to, err);
}

/* Node n over channels-last data: `op` between two transposes. */
static hy_status between(hy__work *w, int32_t n, const char *op, bool average, bool *done,
                         hy_error *err) {
  hy__node node = w->nodes[n].node;
  hy__work_rewrite to;
  int32_t inputs[3] = {HY__ABSENT, HY__ABSENT, HY__ABSENT}, made;
  for (size_t k = 1; k < node.n_inputs && k < 3; k++) inputs[k] = node.inputs[k];
  HY_TRY(turn(w, node.inputs[0], false, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &inputs[0], err));
  if (inputs[0] < 0) return HY_OK;
  const hy__attr kind = {.name = "average", .kind = HY__ATTR_INT, .as.i = average};
  to = (hy__work_rewrite){.domain = "hayate",
                          .op_type = op,
                          .version = 1,
                          .inputs = inputs,
                          .n_inputs = HY_MIN(node.n_inputs, (size_t)3)};
  HY_TRY(hy__work_attrs(w, &node, &kind, 1, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  if (made < 0) return HY_OK;
  HY_TRY(turn(w, made, true, &to, err));
  to.outputs = node.outputs;
  to.n_outputs = 1;
  return hy__work_replace(w, n, &to, done, err);
}

static bool is_f32_plane(const hy__work *w, int32_t n) {
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 0));
  return x && x->dtype == HY_F32 && x->rank >= 3 && x->rank <= 5;
}

static bool one_output(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  for (size_t k = 1; k < node->n_outputs; k++)
    if (node->outputs[k] >= 0 && w->values[node->outputs[k]].uses) return false;
  return true;
}

hy_status hy__pass_layout_conv(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes; /* those added are none of ours */
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    bool done = false;
    if (w->nodes[n].dead || *w->nodes[n].node.domain || !is_f32_plane(w, n)) continue;
    if (hy__work_is(w, n, "Conv") && hy__work_known_input(w, n, 1))
      HY_TRY(between(w, n, "ConvLast", false, &done, err));
    if (hy__work_is(w, n, "MaxPool") && one_output(w, n))
      HY_TRY(between(w, n, "PoolLast", false, &done, err));
    if (hy__work_is(w, n, "AveragePool")) HY_TRY(between(w, n, "PoolLast", true, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
