/* SPDX-License-Identifier: Apache-2.0 */
/* Takes out what changes nothing: Identity, Dropout at inference, and casts, reshapes and
 * expansions to the type and shape that the value has already. Exact. */
#include "pass/rewrite.h"

static bool same_type(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank &&
         memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

/* Dropout whose training_mode is on, or not known. */
static bool may_drop(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  if (!hy__work_is(w, n, "Dropout") || node->n_inputs < 3 || node->inputs[2] < 0) return false;
  const hy_tensor *training = hy__work_tensor(w, node->inputs[2]);
  return !training->data || *(const uint8_t *)training->data != 0;
}

/* Operators that leave elements and their order alone whenever type and shape stay. */
static bool keeps_order(const hy__work *w, int32_t n) {
  static const char *const names[] = {"Identity", "Dropout",   "Cast",    "CastLike", "Reshape",
                                      "Flatten",  "Unsqueeze", "Squeeze", "Expand"};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (hy__work_is(w, n, names[i])) return true;
  return hy__work_is(w, n, "Concat") && w->nodes[n].node.n_inputs == 1;
}

hy_status hy__pass_drop_noop(hy__work *w, size_t *n_rewrites, hy_error *err) {
  (void)err;
  for (size_t i = 0; i < w->n_nodes; i++) {
    int32_t n = (int32_t)i;
    const hy__node *node = &w->nodes[n].node;
    if (!keeps_order(w, n) || may_drop(w, n) || hy__work_input(w, n, 0) < 0 || node->outputs[0] < 0)
      continue;
    bool alone = true;
    for (size_t k = 1; k < node->n_outputs; k++)
      if (node->outputs[k] >= 0 && w->values[node->outputs[k]].uses) alone = false;
    const hy_tensor *in = hy__work_tensor(w, node->inputs[0]);
    if (!alone || !same_type(in, hy__work_tensor(w, node->outputs[0]))) continue;
    hy__work_forward(w, node->outputs[0], node->inputs[0]);
    w->nodes[n].dead = true;
    ++*n_rewrites;
  }
  return HY_OK;
}
