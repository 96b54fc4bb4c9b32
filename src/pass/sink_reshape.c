/* SPDX-License-Identifier: Apache-2.0 */
/* Reshapes that only join or part the rows of a Linear move behind it, and behind functions of one
 * operand; those that take out axes of one place move before a transpose: there they meet the one
 * that undoes them. Two in a row become one. So an axis stays in sight from the output back. Exact.
 */
#include "pass/rewrite.h"

static bool is_reshape(const hy__work *w, int32_t n) {
  static const char *const names[] = {"Reshape", "Squeeze", "Unsqueeze", "Flatten"};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (hy__work_is(w, n, names[i])) return true;
  return false;
}

/* The value before the reshape that makes `id`, else -1. */
static int32_t before(const hy__work *w, int32_t id) {
  const int32_t n = id < 0 ? -1 : w->values[hy__work_resolve(w, id)].producer;
  if (n < 0 || w->nodes[n].dead || !is_reshape(w, n)) return -1;
  return hy__work_resolve(w, hy__work_input(w, n, 0));
}

static hy_status two_in_a_row(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  const int32_t x = before(w, hy__work_input(w, n, 0));
  hy__work_rewrite to;
  if (x < 0) return HY_OK;
  HY_TRY(hy__work_reshape(w, x, y->rank, y->dims, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

/* x's leading dims, where its last ones hold `k` elements together; 0 where they do not. */
static int32_t leading(const hy_tensor *x, int64_t k) {
  int64_t last = 1;
  int32_t d = x->rank;
  while (d > 0 && last < k) last *= x->dims[--d];
  return last == k ? d : 0;
}

/* Linear(reshape(x)): over rows as x has them, and the reshape behind. */
static hy_status behind_linear(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  const int32_t x = before(w, node.inputs[0]);
  const hy_tensor from = *hy__work_tensor(w, node.inputs[0]);
  if (x < 0 || node.n_inputs > 3) return HY_OK;
  hy_tensor rows = *hy__work_tensor(w, x);
  const int64_t k = from.dims[from.rank - 1];
  const int32_t n_leading = leading(&rows, k);
  int32_t inputs[3] = {HY__ABSENT, HY__ABSENT, HY__ABSENT}, made;
  hy__work_rewrite to;
  if (n_leading + 1 <= from.rank) return HY_OK;
  rows.dims[n_leading] = k;
  HY_TRY(hy__work_reshape(w, x, n_leading + 1, rows.dims, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &inputs[0], err));
  for (size_t i = 1; i < node.n_inputs; i++) inputs[i] = node.inputs[i];
  to = (hy__work_rewrite){.domain = node.domain,
                          .op_type = node.op_type,
                          .version = node.version,
                          .inputs = inputs,
                          .n_inputs = node.n_inputs,
                          .attrs = node.attrs,
                          .n_attrs = node.n_attrs};
  if (inputs[0] < 0) return HY_OK;
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  if (made < 0) return HY_OK;
  const hy_tensor *y = hy__work_tensor(w, node.outputs[0]);
  HY_TRY(hy__work_reshape(w, made, y->rank, y->dims, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

/* Is `to` the dims of `from` less some of 1? dropped[d]: those of `from` that are gone. */
static bool drops_ones(const hy_tensor *from, const hy_tensor *to, bool *dropped) {
  int32_t k = 0;
  for (int32_t d = 0; d < from->rank; d++) {
    dropped[d] = k == to->rank || to->dims[k] != from->dims[d];
    if (dropped[d] && from->dims[d] != 1) return false;
    if (!dropped[d]) k++;
  }
  return k == to->rank && to->rank < from->rank;
}

/* Squeeze(Transpose(x)), x itself reshaped, to Transpose(Squeeze(x)): the two reshapes meet. */
static hy_status before_transpose(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  const int32_t turned = hy__work_maker(w, hy__work_input(w, n, 0), "Transpose");
  bool dropped[HY_MAX_RANK];
  int64_t perm[HY_MAX_RANK], rest[HY_MAX_RANK], dims[HY_MAX_RANK];
  if (turned < 0 || !hy__work_read_perm(w, turned, perm)) return HY_OK;
  const int32_t from = hy__work_resolve(w, hy__work_input(w, turned, 0));
  const hy_tensor *x = hy__work_tensor(w, from), *t = hy__work_tensor(w, hy__work_input(w, n, 0));
  if (before(w, from) < 0 || !drops_ones(t, y, dropped)) return HY_OK;
  int32_t place[HY_MAX_RANK] = {0}, rank = 0; /* of x's dims among those that stay */
  bool gone[HY_MAX_RANK] = {false};
  for (int32_t d = 0; d < t->rank; d++) gone[perm[d]] = dropped[d];
  for (int32_t d = 0; d < x->rank; d++) {
    place[d] = rank;
    if (!gone[d]) dims[rank++] = x->dims[d];
  }
  for (int32_t d = 0, k = 0; d < t->rank; d++)
    if (!dropped[d]) rest[k++] = place[perm[d]];
  hy__work_rewrite to;
  int32_t made;
  HY_TRY(hy__work_reshape(w, from, rank, dims, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  if (made < 0) return HY_OK;
  HY_TRY(hy__work_transpose(w, made, rest, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

enum { INPUTS_MAX = 4 };

/* A function of reshape(x) and single numbers. */
static hy_status behind_function(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  const hy_tensor y = *hy__work_tensor(w, node.outputs[0]);
  int32_t inputs[INPUTS_MAX], x = -1, made;
  if (node.n_inputs > INPUTS_MAX) return HY_OK;
  for (size_t k = 0; k < node.n_inputs; k++) {
    const hy_tensor *t = hy__work_tensor(w, node.inputs[k]);
    inputs[k] = node.inputs[k];
    if (!t || (t->data && hy__work_bytes(t) == hy_dtype_bytes(t->dtype) && t->rank <= 1)) continue;
    if (x >= 0 || (x = before(w, node.inputs[k])) < 0) return HY_OK;
    if (t->rank != y.rank || hy__work_tensor(w, x)->rank < 1) return HY_OK;
    inputs[k] = x;
  }
  hy__work_rewrite to = {.domain = node.domain,
                         .op_type = node.op_type,
                         .version = node.version,
                         .inputs = inputs,
                         .n_inputs = node.n_inputs,
                         .attrs = node.attrs,
                         .n_attrs = node.n_attrs};
  if (x < 0) return HY_OK;
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  if (made < 0) return HY_OK;
  HY_TRY(hy__work_reshape(w, made, y.rank, y.dims, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

hy_status hy__pass_sink_reshape(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes;
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    bool done = false;
    if (w->nodes[n].dead) continue;
    if (is_reshape(w, n)) HY_TRY(two_in_a_row(w, n, &done, err));
    if (!done && is_reshape(w, n)) HY_TRY(before_transpose(w, n, &done, err));
    if (hy__work_is(w, n, "Linear")) HY_TRY(behind_linear(w, n, &done, err));
    if (!done && hy__work_pointwise(w, n)) HY_TRY(behind_function(w, n, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
