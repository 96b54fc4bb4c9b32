/* SPDX-License-Identifier: Apache-2.0 */
/* The moving operators as passes write them, and what is read from them: transposes, slices,
 * reshapes. */
#include "pass/rewrite.h"

static hy_status ints_keep(hy__work *w, const int64_t *from, int32_t n, int64_t **out,
                           hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, (size_t)n + 1, sizeof(int64_t), &memory, err));
  memcpy(memory, from, (size_t)n * sizeof(int64_t));
  *out = memory;
  return HY_OK;
}

hy_status hy__work_ints(hy__work *w, const int64_t *from, int32_t n, int32_t *out, hy_error *err) {
  int64_t *data;
  HY_TRY(ints_keep(w, from, n, &data, err));
  const hy_tensor t = {.data = data, .dtype = HY_I64, .rank = 1, .dims = {n}};
  return hy__work_value_new(w, &t, "", out, err);
}

hy_status hy__work_attrs(hy__work *w, const hy__node *node, const hy__attr *more, size_t n_more,
                         hy__work_rewrite *to, hy_error *err) {
  void *memory;
  const size_t n = node ? node->n_attrs : 0;
  HY_TRY(hy__arena_array(w->arena, n + n_more + 1, sizeof(hy__attr), &memory, err));
  hy__attr *attrs = memory;
  to->attrs = attrs;
  to->n_attrs = 0;
  for (size_t i = 0; i < n; i++) {
    bool replaced = false;
    for (size_t k = 0; k < n_more; k++)
      replaced = replaced || strcmp(node->attrs[i].name, more[k].name) == 0;
    if (!replaced) attrs[to->n_attrs++] = node->attrs[i];
  }
  for (size_t k = 0; k < n_more; k++) {
    attrs[to->n_attrs] = more[k];
    if (more[k].kind == HY__ATTR_INTS) {
      int64_t *own;
      HY_TRY(ints_keep(w, more[k].as.ints, (int32_t)more[k].n, &own, err));
      attrs[to->n_attrs].as.ints = own;
    }
    to->n_attrs++;
  }
  return HY_OK;
}

static hy_status inputs_keep(hy__work *w, const int32_t *from, size_t n, hy__work_rewrite *to,
                             hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, n, sizeof(int32_t), &memory, err));
  memcpy(memory, from, n * sizeof(int32_t));
  to->inputs = memory;
  to->n_inputs = n;
  return HY_OK;
}

hy_status hy__work_transpose(hy__work *w, int32_t id, const int64_t *perm, hy__work_rewrite *to,
                             hy_error *err) {
  const hy__attr attr = {.name = "perm",
                         .kind = HY__ATTR_INTS,
                         .n = (size_t)hy__work_tensor(w, id)->rank,
                         .as.ints = perm};
  *to = (hy__work_rewrite){.domain = "", .op_type = "Transpose", .version = 13};
  HY_TRY(inputs_keep(w, &id, 1, to, err));
  return hy__work_attrs(w, NULL, &attr, 1, to, err);
}

hy_status hy__work_reshape(hy__work *w, int32_t id, int32_t rank, const int64_t *dims,
                           hy__work_rewrite *to, hy_error *err) {
  const hy__attr attr = {.name = "allowzero", .kind = HY__ATTR_INT, .as.i = 1};
  int32_t inputs[2] = {id, HY__ABSENT};
  *to = (hy__work_rewrite){.domain = "", .op_type = "Reshape", .version = 14};
  HY_TRY(hy__work_ints(w, dims, rank, &inputs[1], err));
  HY_TRY(inputs_keep(w, inputs, 2, to, err));
  return hy__work_attrs(w, NULL, &attr, 1, to, err);
}

hy_status hy__work_slice(hy__work *w, int32_t id, int32_t axis, hy__steps steps,
                         hy__work_rewrite *to, hy_error *err) {
  const int64_t end = steps.first + (steps.n - 1) * steps.step + 1, at = axis;
  int32_t inputs[5] = {id};
  *to = (hy__work_rewrite){.domain = "", .op_type = "Slice", .version = 13};
  HY_TRY(hy__work_ints(w, &steps.first, 1, &inputs[1], err));
  HY_TRY(hy__work_ints(w, &end, 1, &inputs[2], err));
  HY_TRY(hy__work_ints(w, &at, 1, &inputs[3], err));
  HY_TRY(hy__work_ints(w, &steps.step, 1, &inputs[4], err));
  return inputs_keep(w, inputs, 5, to, err);
}

/* --- reading --- */

bool hy__work_known_ints(const hy__work *w, int32_t n, size_t k, const char *name, int64_t *out,
                         int32_t *n_out) {
  const hy_tensor *t = hy__work_known_input(w, n, k);
  const hy__attr *attr = name ? hy__node_attr(&w->nodes[n].node, name) : NULL;
  *n_out = 0;
  if (hy__work_input(w, n, k) >= 0) {
    if (!t || (t->dtype != HY_I64 && t->dtype != HY_I32)) return false;
    const size_t count = hy__work_bytes(t) / hy_dtype_bytes(t->dtype);
    if (count > HY_MAX_RANK) return false;
    for (size_t i = 0; i < count; i++)
      out[i] = t->dtype == HY_I64 ? ((const int64_t *)t->data)[i]
                                  : (int64_t)((const int32_t *)t->data)[i];
    *n_out = (int32_t)count;
    return true;
  }
  if (!attr || attr->kind != HY__ATTR_INTS || attr->n > HY_MAX_RANK) return false;
  for (size_t i = 0; i < attr->n; i++) out[i] = attr->as.ints[i];
  *n_out = (int32_t)attr->n;
  return true;
}

bool hy__work_number(const hy__work *w, int32_t id, double *out) {
  const hy_tensor *t = hy__work_tensor(w, id);
  if (!t || !t->data || hy__work_bytes(t) != hy_dtype_bytes(t->dtype)) return false;
  if (t->dtype != HY_F32 && t->dtype != HY_F64) return false;
  *out = t->dtype == HY_F64 ? *(const double *)t->data : (double)*(const float *)t->data;
  return true;
}

bool hy__work_read_perm(const hy__work *w, int32_t n, int64_t *perm) {
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 0));
  const hy__attr *attr = hy__node_attr(&w->nodes[n].node, "perm");
  if (!hy__work_is(w, n, "Transpose") || !x) return false;
  for (int32_t d = 0; d < x->rank; d++) perm[d] = attr ? attr->as.ints[d] : x->rank - 1 - d;
  return true;
}

bool hy__work_read_slice(const hy__work *w, int32_t n, int32_t *axis, hy__steps *steps) {
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 0));
  int64_t first[HY_MAX_RANK], axes[HY_MAX_RANK], by[HY_MAX_RANK] = {1};
  int32_t n_first, n_axes, n_by;
  if (!hy__work_is(w, n, "Slice") || !hy__work_known_ints(w, n, 1, "starts", first, &n_first) ||
      n_first != 1)
    return false;
  if (!hy__work_known_ints(w, n, 3, "axes", axes, &n_axes)) axes[0] = 0;
  if (hy__work_input(w, n, 4) >= 0 && (!hy__work_known_ints(w, n, 4, NULL, by, &n_by) || by[0] < 1))
    return false;
  *axis = (int32_t)(axes[0] < 0 ? axes[0] + x->rank : axes[0]);
  const int64_t dim = x->dims[*axis];
  int64_t at = first[0];
  if (at < 0) at = at < -dim ? 0 : at + dim;
  const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  *steps = (hy__steps){at, by[0], y->dims[*axis]};
  return steps->n > 0;
}

bool hy__work_read_gather(const hy__work *w, int32_t n, int32_t *axis, int64_t *index) {
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 0));
  const hy_tensor *t = hy__work_is(w, n, "Gather") ? hy__work_known_input(w, n, 1) : NULL;
  int32_t count;
  if (!t || t->rank != 0 || !hy__work_known_ints(w, n, 1, NULL, index, &count)) return false;
  const int64_t a = hy__node_int(&w->nodes[n].node, "axis", 0);
  *axis = (int32_t)(a < 0 ? a + x->rank : a);
  if (*index < 0) *index += x->dims[*axis];
  return true;
}

bool hy__work_pointwise(const hy__work *w, int32_t n) {
  static const char *const names[] = {"Abs",
                                      "Add",
                                      "And",
                                      "Cast",
                                      "Ceil",
                                      "Celu",
                                      "Clip",
                                      "Cos",
                                      "Div",
                                      "Elu",
                                      "Equal",
                                      "Erf",
                                      "Exp",
                                      "Floor",
                                      "Gelu",
                                      "Greater",
                                      "HardSigmoid",
                                      "HardSwish",
                                      "IsInf",
                                      "IsNaN",
                                      "LeakyRelu",
                                      "Less",
                                      "Log",
                                      "Max",
                                      "Mean",
                                      "Min",
                                      "Mish",
                                      "Mod",
                                      "Mul",
                                      "Neg",
                                      "Not",
                                      "Or",
                                      "Pow",
                                      "PRelu",
                                      "Reciprocal",
                                      "Relu",
                                      "Round",
                                      "Selu",
                                      "Sigmoid",
                                      "Sign",
                                      "Sin",
                                      "Softplus",
                                      "Sqrt",
                                      "Softsign",
                                      "Sub",
                                      "Sum",
                                      "Swish",
                                      "Tanh",
                                      "Where",
                                      "Xor",
                                      "ThresholdedRelu",
                                      "GreaterOrEqual",
                                      "LessOrEqual"};
  if (*w->nodes[n].node.domain || w->nodes[n].dead || w->nodes[n].node.n_outputs != 1) return false;
  if (hy__node_attr(&w->nodes[n].node, "broadcast")) return false; /* of the first opsets */
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(w->nodes[n].node.op_type, names[i]) == 0) return true;
  return false;
}
