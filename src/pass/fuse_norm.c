/* SPDX-License-Identifier: Apache-2.0 */
/* Layer and root-mean-square normalisation of the last axis, written out as means, differences,
 * squares and roots, become LayerNormalization and RMSNormalization; scale and bias behind them
 * move in. Keras' form, x s + (bias - mean s) with s = scale / deviation, is known as well. The
 * last bits differ. */
#include "pass/rewrite.h"

/* The mean over the last axis alone, kept as 1: its input, else -1. */
static int32_t mean_of(const hy__work *w, int32_t id) {
  const int32_t n = id < 0 ? -1 : w->values[id].producer;
  int64_t axes[HY_MAX_RANK];
  int32_t n_axes;
  if (n < 0) return -1;
  const int32_t x = hy__work_input(w, n, 0);
  if (hy__work_is(w, n, "GlobalAveragePool")) return hy__work_tensor(w, x)->rank == 3 ? x : -1;
  if (!hy__work_is(w, n, "ReduceMean")) return -1;
  if (!hy__work_known_ints(w, n, 1, "axes", axes, &n_axes) || n_axes != 1 ||
      hy__node_int(&w->nodes[n].node, "keepdims", 1) != 1)
    return -1;
  return axes[0] == -1 || axes[0] == hy__work_tensor(w, x)->rank - 1 ? x : -1;
}

/* The node that makes id, if it is this operator. */
static int32_t maker(const hy__work *w, int32_t id, const char *op_type) {
  const int32_t n = id < 0 ? -1 : w->values[id].producer;
  return n >= 0 && hy__work_is(w, n, op_type) ? n : -1;
}

/* What is squared in `id`, else -1. */
static int32_t square_of(const hy__work *w, int32_t id) {
  const int32_t pow = maker(w, id, "Pow"), mul = maker(w, id, "Mul");
  double exponent;
  if (pow >= 0 && hy__work_number(w, hy__work_input(w, pow, 1), &exponent) && exponent == 2.0)
    return hy__work_input(w, pow, 0);
  if (mul >= 0 && hy__work_input(w, mul, 0) == hy__work_input(w, mul, 1))
    return hy__work_input(w, mul, 0);
  return -1;
}

/* sqrt(mean(d^2) + epsilon): d, else -1. */
static int32_t deviation_of(const hy__work *w, int32_t id, double *epsilon) {
  const int32_t root = maker(w, id, "Sqrt");
  const int32_t add = root < 0 ? -1 : maker(w, hy__work_input(w, root, 0), "Add");
  if (add < 0) return -1;
  for (size_t k = 0; k < 2; k++)
    if (hy__work_number(w, hy__work_input(w, add, k), epsilon))
      return square_of(w, mean_of(w, hy__work_input(w, add, 1 - k)));
  return -1;
}

/* One over the deviation of d: Reciprocal, or one divided by it. */
static int32_t inverse_of(const hy__work *w, int32_t id, double *epsilon) {
  const int32_t reciprocal = maker(w, id, "Reciprocal"), div = maker(w, id, "Div");
  double one;
  if (reciprocal >= 0) return deviation_of(w, hy__work_input(w, reciprocal, 0), epsilon);
  if (div >= 0 && hy__work_number(w, hy__work_input(w, div, 0), &one) && one == 1.0)
    return deviation_of(w, hy__work_input(w, div, 1), epsilon);
  return -1;
}

/* A vector of ones as long as x's last axis. */
static hy_status ones(hy__work *w, const hy_tensor *x, int32_t *out, hy_error *err) {
  const int64_t n = x->dims[x->rank - 1];
  void *memory;
  HY_TRY(hy__arena_array(w->arena, (size_t)n + 1, sizeof(float), &memory, err));
  for (int64_t i = 0; i < n; i++) ((float *)memory)[i] = 1.0f;
  const hy_tensor t = {.data = memory, .dtype = HY_F32, .rank = 1, .dims = {n}};
  return hy__work_value_new(w, &t, "ones", out, err);
}

/* d / deviation(d), or d times its inverse, where d is x less its mean, or x itself. */
static hy_status from_quotient(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const bool div = hy__work_is(w, n, "Div");
  double epsilon = 0;
  int32_t d = -1, inputs[2];
  for (size_t k = 0; k < (div ? 1u : 2u) && d < 0; k++) {
    const int32_t other = hy__work_input(w, n, 1 - k);
    d = div ? deviation_of(w, other, &epsilon) : inverse_of(w, other, &epsilon);
    if (d != hy__work_input(w, n, k)) d = -1;
  }
  if (d < 0 || hy__work_tensor(w, d)->dtype != HY_F32) return HY_OK;
  const int32_t sub = maker(w, d, "Sub");
  const bool layer = sub >= 0 && mean_of(w, hy__work_input(w, sub, 1)) == hy__work_input(w, sub, 0);
  inputs[0] = layer ? hy__work_input(w, sub, 0) : d;
  HY_TRY(ones(w, hy__work_tensor(w, d), &inputs[1], err));
  const hy__attr attrs[2] = {{.name = "axis", .kind = HY__ATTR_INT, .as.i = -1},
                             {.name = "epsilon", .kind = HY__ATTR_FLOAT, .as.f = (float)epsilon}};
  hy__work_rewrite to = {.domain = "",
                         .op_type = layer ? "LayerNormalization" : "RMSNormalization",
                         .version = layer ? 17 : 23,
                         .inputs = inputs,
                         .n_inputs = 2};
  HY_TRY(hy__work_attrs(w, NULL, attrs, 2, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

/* A known value as long as the last axis, alone in its other dims. */
static bool is_row(const hy__work *w, int32_t id, const hy_tensor *x) {
  const hy_tensor *t = hy__work_tensor(w, id);
  if (!t || !t->data || t->dtype != HY_F32 || t->rank < 1 || t->rank > x->rank) return false;
  return t->dims[t->rank - 1] == x->dims[x->rank - 1] &&
         hy__work_bytes(t) == (size_t)t->dims[t->rank - 1] * sizeof(float);
}

static bool all_ones(const hy_tensor *t) {
  const float *x = t && t->dtype == HY_F32 ? t->data : NULL;
  if (!x) return false;
  for (size_t i = 0; i < hy__work_bytes(t) / sizeof *x; i++)
    if (x[i] != 1.0f) return false;
  return true;
}

/* norm(x) * scale and norm(x) + bias. */
static hy_status from_affine(hy__work *w, int32_t n, const char *norm, bool *done, hy_error *err) {
  const bool add = hy__work_is(w, n, "Add");
  for (size_t k = 0; k < 2 && !*done; k++) {
    const int32_t m = hy__work_maker(w, hy__work_input(w, n, k), norm);
    const int32_t row = hy__work_input(w, n, 1 - k);
    if (m < 0) continue;
    const hy__node node = w->nodes[m].node;
    const hy_tensor *x = hy__work_tensor(w, node.inputs[0]);
    const int64_t axis = hy__node_int(&node, "axis", -1);
    if (x->dtype != HY_F32 || (axis != -1 && axis != x->rank - 1) || node.n_inputs != 2 ||
        !is_row(w, row, x) || (!add && !all_ones(hy__work_known_input(w, m, 1))))
      continue;
    int32_t inputs[3] = {node.inputs[0], add ? node.inputs[1] : row, row};
    const hy__work_rewrite to = {.domain = node.domain,
                                 .op_type = node.op_type,
                                 .version = node.version,
                                 .inputs = inputs,
                                 .n_inputs = add ? 3 : 2,
                                 .attrs = node.attrs,
                                 .n_attrs = node.n_attrs};
    HY_TRY(hy__work_replace(w, n, &to, done, err));
  }
  return HY_OK;
}

/* --- Keras' form --- */

/* A factor over the deviation of x: its scale, HY__ABSENT for none. */
typedef struct gain {
  int32_t value, x, scale;
  double epsilon;
} gain;

/* Where d is x less its mean: x, else -1. */
static int32_t centred(const hy__work *w, int32_t d) {
  const int32_t sub = maker(w, d, "Sub"), x = sub < 0 ? -1 : hy__work_input(w, sub, 0);
  return sub >= 0 && mean_of(w, hy__work_input(w, sub, 1)) == x ? x : -1;
}

static bool is_gain(const hy__work *w, int32_t id, gain *g) {
  const int32_t mul = maker(w, id, "Mul");
  *g = (gain){.value = -1, .scale = HY__ABSENT};
  g->x = centred(w, inverse_of(w, id, &g->epsilon));
  for (size_t k = 0; k < 2 && mul >= 0 && g->x < 0; k++) {
    g->x = centred(w, inverse_of(w, hy__work_input(w, mul, k), &g->epsilon));
    g->scale = hy__work_input(w, mul, 1 - k);
  }
  if (g->x >= 0) g->value = id;
  return g->x >= 0;
}

/* id = other * gain, where the gain is g (found here if g has none): other, else -1. */
static int32_t gained(const hy__work *w, int32_t id, gain *g) {
  const int32_t mul = maker(w, id, "Mul");
  for (size_t k = 0; k < 2 && mul >= 0; k++) {
    const int32_t at = hy__work_input(w, mul, k);
    if (g->value >= 0 ? at == g->value : is_gain(w, at, g)) return hy__work_input(w, mul, 1 - k);
  }
  return -1;
}

/* Is id mean * gain (or, where it is added, -mean * gain)? */
static bool mean_gained(const hy__work *w, int32_t id, gain *g, bool negated) {
  int32_t mean = gained(w, id, g);
  const int32_t neg = negated ? maker(w, mean, "Neg") : -1;
  if (negated) mean = neg < 0 ? -1 : hy__work_input(w, neg, 0);
  return mean >= 0 && mean_of(w, mean) == g->x;
}

/* bias - mean * gain, the bias left out where it is none. */
static bool shifted(const hy__work *w, int32_t id, gain *g, int32_t *bias) {
  const int32_t add = maker(w, id, "Add"), sub = maker(w, id, "Sub");
  *bias = HY__ABSENT;
  if (mean_gained(w, id, g, true)) return true;
  for (size_t k = 0; k < 2 && add >= 0; k++) {
    *bias = hy__work_input(w, add, 1 - k);
    if (mean_gained(w, hy__work_input(w, add, k), g, true)) return true;
  }
  if (sub < 0) return false;
  *bias = hy__work_input(w, sub, 0);
  return mean_gained(w, hy__work_input(w, sub, 1), g, false);
}

static hy_status keras_write(hy__work *w, int32_t n, const gain *g, int32_t bias, bool *done,
                             hy_error *err) {
  const hy_tensor *x = hy__work_tensor(w, g->x);
  int32_t inputs[3] = {g->x, g->scale, bias};
  if (x->dtype != HY_F32 || (g->scale >= 0 && !is_row(w, g->scale, x)) ||
      (bias >= 0 && !is_row(w, bias, x)))
    return HY_OK;
  if (g->scale < 0) HY_TRY(ones(w, x, &inputs[1], err));
  const hy__attr attrs[2] = {
      {.name = "axis", .kind = HY__ATTR_INT, .as.i = -1},
      {.name = "epsilon", .kind = HY__ATTR_FLOAT, .as.f = (float)g->epsilon}};
  hy__work_rewrite to = {.domain = "",
                         .op_type = "LayerNormalization",
                         .version = 17,
                         .inputs = inputs,
                         .n_inputs = bias < 0 ? 2 : 3};
  HY_TRY(hy__work_attrs(w, NULL, attrs, 2, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

/* x * gain + (bias - mean * gain), or x * gain - mean * gain. */
static hy_status from_keras(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const bool sub = hy__work_is(w, n, "Sub");
  for (size_t k = 0; k < (sub ? 1u : 2u) && !*done; k++) {
    gain g = {.value = -1};
    int32_t bias = HY__ABSENT;
    const int32_t other = hy__work_input(w, n, 1 - k);
    if (gained(w, hy__work_input(w, n, k), &g) != g.x || g.value < 0) continue;
    if (sub ? mean_gained(w, other, &g, false) : shifted(w, other, &g, &bias))
      HY_TRY(keras_write(w, n, &g, bias, done, err));
  }
  return HY_OK;
}

hy_status hy__pass_fuse_norm(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    const int32_t n = (int32_t)i;
    const bool mul = hy__work_is(w, n, "Mul");
    bool done = false;
    if (mul || hy__work_is(w, n, "Div")) HY_TRY(from_quotient(w, n, &done, err));
    if (!done && mul) HY_TRY(from_affine(w, n, "LayerNormalization", &done, err));
    if (!done && mul) HY_TRY(from_affine(w, n, "RMSNormalization", &done, err));
    const bool add = hy__work_is(w, n, "Add");
    if (add) HY_TRY(from_affine(w, n, "LayerNormalization", &done, err));
    if (!done && (add || hy__work_is(w, n, "Sub"))) HY_TRY(from_keras(w, n, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
