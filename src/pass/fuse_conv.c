/* SPDX-License-Identifier: Apache-2.0 */
/* An activation behind ConvLast, the residual that is added to it, and the activation behind the
 * sum move into it. Exact. */
#include "pass/rewrite.h"

static bool has_text(const hy__node *node, const char *name) {
  return hy__node_string(node, name, "").len_bytes > 0;
}

static hy_status from_activation(hy__work *w, int32_t n, const char *name, bool *done,
                                 hy_error *err) {
  const int32_t conv = hy__work_maker(w, hy__work_input(w, n, 0), "ConvLast");
  if (conv < 0) return HY_OK;
  const hy__node node = w->nodes[conv].node;
  const bool added = node.n_inputs > 3;
  const char *slot = added ? "after" : "activation";
  if (has_text(&node, slot)) return HY_OK;
  const hy__attr attr = {.name = slot, .kind = HY__ATTR_STRING, .as.s = {name, strlen(name)}};
  hy__work_rewrite to = {.domain = node.domain,
                         .op_type = node.op_type,
                         .version = node.version,
                         .inputs = node.inputs,
                         .n_inputs = node.n_inputs};
  HY_TRY(hy__work_attrs(w, &node, &attr, 1, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status from_add(hy__work *w, int32_t n, bool *done, hy_error *err) {
  for (size_t k = 0; k < 2 && !*done; k++) {
    const int32_t conv = hy__work_maker(w, hy__work_input(w, n, k), "ConvLast");
    const int32_t other = hy__work_input(w, n, 1 - k);
    if (conv < 0 || other < 0) continue;
    const hy__node node = w->nodes[conv].node;
    if (node.n_inputs > 3 || hy__node_int(&node, "group", 1) != 1) continue;
    int32_t inputs[4] = {HY__ABSENT, HY__ABSENT, HY__ABSENT, other};
    for (size_t i = 0; i < node.n_inputs; i++) inputs[i] = node.inputs[i];
    const hy__work_rewrite to = {.domain = node.domain,
                                 .op_type = node.op_type,
                                 .version = node.version,
                                 .inputs = inputs,
                                 .n_inputs = 4,
                                 .attrs = node.attrs,
                                 .n_attrs = node.n_attrs};
    HY_TRY(hy__work_replace(w, n, &to, done, err)); /* refuses another shape */
  }
  return HY_OK;
}

hy_status hy__pass_fuse_conv(hy__work *w, size_t *n_rewrites, hy_error *err) {
  static const char *const activations[] = {"Relu", "Sigmoid", "Tanh"};
  for (size_t i = 0; i < w->n_nodes; i++) {
    const int32_t n = (int32_t)i;
    bool done = false;
    if (hy__work_is(w, n, "Add")) HY_TRY(from_add(w, n, &done, err));
    for (size_t a = 0; a < HY_COUNT(activations) && !done; a++)
      if (hy__work_is(w, n, activations[a]))
        HY_TRY(from_activation(w, n, activations[a], &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
