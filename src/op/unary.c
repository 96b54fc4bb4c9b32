/* SPDX-License-Identifier: Apache-2.0
 * The element-wise functions of one operand. Floats run in the unary kernels; Neg, Abs, Sign, Relu
 * and Clip take integers as well, in plain loops. Bounds and slopes are attributes, or Clip's
 * inputs. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "op/divide.h"
#include "op/rule.h"

typedef struct kind {
  const char *name;
  hy__unary op;
  const char *alpha_name, *beta_name;
  float alpha, beta;
} kind;

static const kind kinds[] = {
    {"Abs", HY__UNARY_ABS, NULL, NULL, 0, 0},
    {"Ceil", HY__UNARY_CEIL, NULL, NULL, 0, 0},
    {"Celu", HY__UNARY_CELU, "alpha", NULL, 1, 0},
    {"Clip", HY__UNARY_CLIP, "min", "max", -FLT_MAX, FLT_MAX},
    {"Cos", HY__UNARY_COS, NULL, NULL, 0, 0},
    {"Elu", HY__UNARY_ELU, "alpha", NULL, 1, 0},
    {"Erf", HY__UNARY_ERF, NULL, NULL, 0, 0},
    {"Exp", HY__UNARY_EXP, NULL, NULL, 0, 0},
    {"Floor", HY__UNARY_FLOOR, NULL, NULL, 0, 0},
    {"Gelu", HY__UNARY_GELU, NULL, NULL, 0, 0},
    {"HardSigmoid", HY__UNARY_HARD_SIGMOID, "alpha", "beta", 0.2f, 0.5f},
    {"HardSwish", HY__UNARY_HARD_SWISH, NULL, NULL, 0, 0},
    {"LeakyRelu", HY__UNARY_LEAKY_RELU, "alpha", NULL, 0.01f, 0},
    {"Log", HY__UNARY_LOG, NULL, NULL, 0, 0},
    {"Mish", HY__UNARY_MISH, NULL, NULL, 0, 0},
    {"Neg", HY__UNARY_NEG, NULL, NULL, 0, 0},
    {"Reciprocal", HY__UNARY_RECIPROCAL, NULL, NULL, 0, 0},
    {"Relu", HY__UNARY_RELU, NULL, NULL, 0, 0},
    {"Round", HY__UNARY_ROUND, NULL, NULL, 0, 0},
    {"Selu", HY__UNARY_SELU, "alpha", "gamma", 1.67326319217681884765625f,
     1.05070102214813232421875f},
    {"Sigmoid", HY__UNARY_SIGMOID, NULL, NULL, 0, 0},
    {"Sign", HY__UNARY_SIGN, NULL, NULL, 0, 0},
    {"Sin", HY__UNARY_SIN, NULL, NULL, 0, 0},
    {"Softplus", HY__UNARY_SOFTPLUS, NULL, NULL, 0, 0},
    {"Softsign", HY__UNARY_SOFTSIGN, NULL, NULL, 0, 0},
    {"Sqrt", HY__UNARY_SQRT, NULL, NULL, 0, 0},
    {"Swish", HY__UNARY_SWISH, "alpha", NULL, 1, 0},
    {"Tanh", HY__UNARY_TANH, NULL, NULL, 0, 0},
    {"ThresholdedRelu", HY__UNARY_THRESHOLDED_RELU, "alpha", NULL, 1, 0},
};

typedef struct params {
  hy__unary op;
  double alpha, beta;
  bool bounds; /* Clip from opset 11: inputs 1 and 2 */
} params;

hy_status hy__op_unary_infer(hy__op_plan *p, hy_error *err) {
  for (size_t k = 1; k < p->n_in; ++k) {
    if (!hy__op_has(p, k)) continue;
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[k]) != 1, HY_BAD_FORMAT, err, "a bound is one number");
  }
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

/* Element `k` of the bounds as a float of either width; otherwise where it is absent. */
static double bound(const hy__step *step, size_t k, double otherwise) {
  if (k >= step->n_in || !step->in[k].data) return otherwise;
  if (step->in[k].dtype == HY_F64) return *(const double *)step->in[k].data;
  return (double)*(const float *)step->in[k].data;
}

enum { BLOCK = 1024, WORK_EACH = 8 }; /* elements of an item; their work in multiply-adds */

/* Items are blocks of elements. */
static void run_blocks(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t from = begin * BLOCK, n = HY_MIN(end * BLOCK, hy__op_count_of(y)) - from;
  double alpha = q->alpha, beta = q->beta;
  (void)worker;
  if (q->bounds) {
    alpha = bound(step, 1, -(double)INFINITY);
    beta = bound(step, 2, (double)INFINITY);
  }
  if (y->dtype == HY_F64)
    step->kernels->unary_f64->fn[q->op]((const double *)x->data + from, (double *)y->data + from, n,
                                        alpha, beta);
  else
    step->kernels->unary_f32->fn[q->op]((const float *)x->data + from, (float *)y->data + from, n,
                                        (float)alpha, (float)beta);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const size_t n = hy__op_count_of(&step->out[0]);
  return hy__op_divide(step, (n + BLOCK - 1) / BLOCK, n * WORK_EACH, run_blocks, err);
}

/* Integers: by the function's number, over one element type. */
#define INTEGERS(type, utype, low, high, less_than_zero)                                           \
  static void run_##type(const hy__step *step, hy__unary op) {                                     \
    const type *x = step->in[0].data;                                                              \
    type *y = step->out[0].data;                                                                   \
    const type *a = step->n_in > 1 ? step->in[1].data : NULL;                                      \
    const type *b = step->n_in > 2 ? step->in[2].data : NULL;                                      \
    const type min = a ? *a : low, max = b ? *b : high;                                            \
    size_t n = hy__op_count_of(&step->out[0]);                                                     \
    for (size_t i = 0; i < n; ++i) {                                                               \
      type v = x[i], negated = (type)((utype)0 - (utype)v);                                        \
      bool negative = less_than_zero;                                                              \
      switch (op) {                                                                                \
      case HY__UNARY_NEG: v = negated; break;                                                      \
      case HY__UNARY_ABS: v = negative ? negated : v; break;                                       \
      case HY__UNARY_RELU: v = negative ? 0 : v; break;                                            \
      case HY__UNARY_SIGN: v = negative ? (type)-1 : v != 0; break;                                \
      default: v = v < min ? min : v; v = v > max ? max : v;                                       \
      }                                                                                            \
      y[i] = v;                                                                                    \
    }                                                                                              \
  }
INTEGERS(int8_t, uint32_t, INT8_MIN, INT8_MAX, v < 0)
INTEGERS(int16_t, uint32_t, INT16_MIN, INT16_MAX, v < 0)
INTEGERS(int32_t, uint32_t, INT32_MIN, INT32_MAX, v < 0)
INTEGERS(int64_t, uint64_t, INT64_MIN, INT64_MAX, v < 0)
INTEGERS(uint8_t, uint32_t, 0, UINT8_MAX, false)
INTEGERS(uint16_t, uint32_t, 0, UINT16_MAX, false)
INTEGERS(uint32_t, uint32_t, 0, UINT32_MAX, false)
INTEGERS(uint64_t, uint64_t, 0, UINT64_MAX, false)
#undef INTEGERS

static hy_status run_integers(const hy__step *step, hy_error *err) {
  const hy__unary op = ((const params *)step->params)->op;
  (void)err;
  switch (step->out[0].dtype) {
  case HY_I8: run_int8_t(step, op); break;
  case HY_I16: run_int16_t(step, op); break;
  case HY_I32: run_int32_t(step, op); break;
  case HY_I64: run_int64_t(step, op); break;
  case HY_U8: run_uint8_t(step, op); break;
  case HY_U16: run_uint16_t(step, op); break;
  case HY_U32: run_uint32_t(step, op); break;
  default: run_uint64_t(step, op); break;
  }
  return HY_OK;
}

static const kind *kind_of(const char *name) {
  for (size_t i = 0; i < HY_COUNT(kinds); ++i)
    if (!strcmp(kinds[i].name, name)) return &kinds[i];
  return NULL;
}

hy_status hy__op_unary_lower(hy__op_plan *p, hy_error *err) {
  const kind *k = kind_of(p->node->op_type);
  params *q;
  HY_FAIL_IF(!k, HY_INTERNAL, err, "%s has no unary kernel", p->node->op_type);
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->op = k->op;
  q->alpha = (double)(k->alpha_name ? hy__node_float(p->node, k->alpha_name, k->alpha) : k->alpha);
  q->beta = (double)(k->beta_name ? hy__node_float(p->node, k->beta_name, k->beta) : k->beta);
  q->bounds = k->op == HY__UNARY_CLIP && p->node->version >= 11;
  if (k->op == HY__UNARY_GELU) {
    hy_string how = hy__node_string(p->node, "approximate", "none");
    if (how.len_bytes == 4 && !memcmp(how.data, "tanh", 4)) q->op = HY__UNARY_GELU_TANH;
  }
  p->params = q;
  p->run = p->out[0].dtype == HY_F32 || p->out[0].dtype == HY_F64 ? run : run_integers;
  return HY_OK;
}
