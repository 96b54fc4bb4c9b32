/* SPDX-License-Identifier: Apache-2.0
 * Pow with mixed types and Mod, by NumPy's broadcast in plain loops. Floats go through double; a
 * known exponent of 2 or 1/2 is a product or a square root, as in a decomposed normalisation. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  hy__walk walk;
  bool is_mod, fmod;
  double exponent; /* known and one number, else NaN */
} params;

hy_status hy__op_pow_infer(hy__op_plan *p, hy_error *err) {
  if (!strcmp(p->node->op_type, "Mod")) {
    HY_FAIL_IF(hy__element_is_float(p->in[0].dtype) && p->node->version < 28 &&
                   !hy__node_int(p->node, "fmod", 0),
               HY_BAD_FORMAT, err, "Mod of floats needs fmod=1 before opset 28");
    return hy__op_elementwise(p, p->in[0].dtype, err);
  }
  const hy_tensor *const both[2] = {&p->in[0], &p->in[1]};
  int64_t dims[HY_MAX_RANK];
  int32_t rank = 0;
  hy_dtype e = p->in[1].dtype;
  HY_FAIL_IF(!hy__element_is_float(e) && !(HY__OP_INTS >> e & 1), HY_UNSUPPORTED, err,
             "exponents of type %s", hy_dtype_name(e));
  HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
  p->out_inplace[0] = 1;
  return hy__op_out(p, 0, p->in[0].dtype, rank, dims, err);
}

static int64_t whole_pow(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent & 1 ? -1 : 1) : 0;
  uint64_t result = 1, square = (uint64_t)base;
  for (; exponent; exponent >>= 1, square *= square)
    if (exponent & 1) result *= square;
  return (int64_t)result;
}

/* Remainder with the divisor's sign (fmod: the dividend's). Division by zero gives 0. */
static int64_t whole_mod(int64_t a, int64_t b, bool c_sign, bool is_u64) {
  if (b == 0) return 0;
  if (is_u64) return (int64_t)((uint64_t)a % (uint64_t)b);
  if (b == -1) return 0;
  int64_t r = a % b;
  return !c_sign && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* The remainder of floats with the divisor's sign, a zero too. */
static double floor_mod(double x, double y) {
  const double r = fmod(x, y);
  if (r == 0.0) return copysign(0.0, y);
  return (r < 0.0) != (y < 0.0) && r == r ? r + y : r;
}

static void element(const hy__step *step, const params *q, size_t at, const int64_t in[2]) {
  const hy_tensor *a = &step->in[0], *b = &step->in[1], *y = &step->out[0];
  if (!hy__element_is_float(y->dtype)) {
    bool whole = !hy__element_is_float(b->dtype);
    int64_t base = hy__element_whole(a, in[0]);
    int64_t v = q->is_mod
                    ? whole_mod(base, hy__element_whole(b, in[1]), q->fmod, y->dtype == HY_U64)
                : whole ? whole_pow(base, hy__element_whole(b, in[1]))
                        : (int64_t)pow((double)base, hy__element_real(b, in[1]));
    hy__element_put_whole(y, (int64_t)at, v);
    return;
  }
  double x = hy__element_real(a, in[0]), e = hy__element_real(b, in[1]);
  double v = q->is_mod ? (q->fmod ? fmod(x, e) : floor_mod(x, e)) : pow(x, e);
  hy__element_put_real(y, (int64_t)at, v);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  size_t at = 0;
  (void)err;
  for (size_t row = 0; row < q->walk.n_rows; ++row) {
    for (size_t i = 0; i < q->walk.row; ++i) {
      const int64_t in[2] = {offsets[0] + (int64_t)i * q->walk.inner[0],
                             offsets[1] + (int64_t)i * q->walk.inner[1]};
      element(step, q, at++, in);
    }
    hy__walk_next(&q->walk, index, offsets);
  }
  return HY_OK;
}

/* X^2 and X^0.5 of floats. */
static hy_status run_known(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t n = hy__op_count_of(y);
  (void)err;
  if (q->exponent == 2.0)
    step->kernels->binary->fn[HY__BINARY_MUL][y->dtype](x->data, x->data, y->data, n, 1, 1);
  else if (y->dtype == HY_F64)
    step->kernels->unary_f64->fn[HY__UNARY_SQRT](x->data, y->data, n, 0, 0);
  else
    step->kernels->unary_f32->fn[HY__UNARY_SQRT](x->data, y->data, n, 0, 0);
  return HY_OK;
}

hy_status hy__op_pow_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *const both[2] = {&p->in[0], &p->in[1]};
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->is_mod = !strcmp(p->node->op_type, "Mod");
  q->fmod = hy__node_int(p->node, "fmod", 0) != 0;
  hy__walk_broadcast(&q->walk, &p->out[0], both, 2);
  p->params = q;
  p->run = run;
  if (q->is_mod || !p->in[1].data || hy__op_count_of(&p->in[1]) != 1) return HY_OK;
  q->exponent = hy__element_real(&p->in[1], 0);
  if (hy__element_is_float(p->out[0].dtype) && hy__op_same_dims(&p->in[0], &p->out[0]) &&
      (q->exponent == 2.0 || q->exponent == 0.5))
    p->run = run_known;
  return HY_OK;
}
