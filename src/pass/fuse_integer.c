/* SPDX-License-Identifier: Apache-2.0 */
/* What quantize_dynamic writes: MatMulInteger, a Cast to floats, times the product of both scales,
 * plus a bias, become MatMulIntegerToFloat; ConvInteger likewise ConvIntegerToFloat. The same bits:
 * a sum is multiplied by the same product of scales and the bias added after it. */
#include "pass/rewrite.h"

/* One number, or `n` of them in one dim. */
static bool is_list(const hy_tensor *t, int64_t n) {
  if (!t || t->dtype != HY_F32) return false;
  return hy__work_bytes(t) == sizeof(float) || (t->rank == 1 && t->dims[0] == n);
}

/* The two factors of a Mul that makes value id; a scalar first. */
static bool scales_of(const hy__work *w, int32_t id, int64_t n, int32_t out[2]) {
  const int32_t mul = id < 0 ? -1 : w->values[id].producer;
  if (mul < 0 || !hy__work_is(w, mul, "Mul")) return false;
  for (size_t k = 0; k < 2; k++) {
    out[0] = hy__work_input(w, mul, k), out[1] = hy__work_input(w, mul, 1 - k);
    const hy_tensor *a = hy__work_tensor(w, out[0]);
    if (is_list(a, 1) && a->rank <= 1 && is_list(hy__work_tensor(w, out[1]), n)) return true;
  }
  return false;
}

/* Behind node n alone: an Add of one float per column (of the axis, counted from the last). */
static int32_t add_behind(const hy__work *w, int32_t n, int64_t columns, int32_t axis,
                          int32_t *bias) {
  const int32_t y = w->nodes[n].node.outputs[0], add = hy__work_sole_user(w, y);
  if (add < 0 || !hy__work_is(w, add, "Add")) return -1;
  for (size_t k = 0; k < 2; k++) {
    *bias = hy__work_input(w, add, 1 - k);
    const hy_tensor *b = hy__work_tensor(w, *bias);
    if (hy__work_input(w, add, k) != y || !b || b->dtype != HY_F32 || b->rank <= axis) continue;
    if (hy__work_bytes(b) == (size_t)columns * sizeof(float) &&
        b->dims[b->rank - 1 - axis] == columns)
      return add;
  }
  return -1;
}

/* Value id as a vector of what it holds, if it is known. */
static hy_status flat(hy__work *w, int32_t *id, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(w, *id);
  if (t->rank <= 1) return HY_OK;
  hy_tensor vector = {.data = t->data,
                      .dtype = HY_F32,
                      .rank = 1,
                      .dims = {(int64_t)(hy__work_bytes(t) / sizeof(float))}};
  const bool stable = w->values[*id].stable, known = t->data != NULL;
  if (!known) {
    *id = HY__ABSENT;
    return HY_OK;
  }
  HY_TRY(hy__work_value_new(w, &vector, w->values[*id].name, id, err));
  w->values[*id].stable = stable;
  return HY_OK;
}

/* `scaled`: a Mul of the sums and their scales. */
static hy_status from_mul(hy__work *w, int32_t scaled, bool conv, bool *done, hy_error *err) {
  const char *made[2] = {"MatMulInteger", "ConvInteger"};
  for (size_t k = 0; k < 2 && !*done; k++) {
    const int32_t cast = hy__work_maker(w, hy__work_input(w, scaled, k), "Cast");
    const int32_t sum = cast < 0 ? -1 : hy__work_maker(w, hy__work_input(w, cast, 0), made[conv]);
    if (sum < 0 || hy__work_tensor(w, w->nodes[cast].node.outputs[0])->dtype != HY_F32) continue;
    const hy__node node = w->nodes[sum].node;
    const hy_tensor *y = hy__work_tensor(w, node.outputs[0]);
    const int32_t axis = conv ? y->rank - 2 : 0; /* of the columns, counted from the last */
    if (y->rank < 1 + axis) continue;
    const int64_t columns = y->dims[y->rank - 1 - axis];
    int32_t scales[2], bias = HY__ABSENT;
    if (!scales_of(w, hy__work_input(w, scaled, 1 - k), conv ? 1 : columns, scales)) continue;
    int32_t n = add_behind(w, scaled, columns, axis, &bias);
    if (n >= 0) HY_TRY(flat(w, &bias, err));
    if (n < 0 || bias < 0) n = scaled, bias = HY__ABSENT;
    const int32_t inputs[7] = {node.inputs[0],
                               node.inputs[1],
                               scales[0],
                               scales[1],
                               hy__work_input(w, sum, 2),
                               hy__work_input(w, sum, 3),
                               bias};
    const hy__work_rewrite to = {.domain = conv ? "hayate" : "com.microsoft",
                                 .op_type = conv ? "ConvIntegerToFloat" : "MatMulIntegerToFloat",
                                 .version = 1,
                                 .inputs = inputs,
                                 .n_inputs = bias < 0 ? 6 : 7,
                                 .attrs = node.attrs,
                                 .n_attrs = node.n_attrs};
    HY_TRY(hy__work_replace(w, n, &to, done, err));
  }
  return HY_OK;
}

hy_status hy__pass_fuse_integer(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    bool done = false;
    for (int conv = 0; conv < 2 && !done; conv++)
      if (hy__work_is(w, (int32_t)i, "Mul")) HY_TRY(from_mul(w, (int32_t)i, conv, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
