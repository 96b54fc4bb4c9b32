/* SPDX-License-Identifier: Apache-2.0 */
/* RandomNormal, RandomUniform, their Like forms, Bernoulli and Multinomial. The numbers are ours
 * (Philox, base/random.h), not numpy's nor another engine's, and every run draws the same ones: the
 * stream follows from the seed attribute, 0 where there is none, and the node's name, so that two
 * nodes do not draw alike. A row's numbers depend on where it stands in the batch. */
#include <string.h>

#include "op/element.h"
#include "op/narrow.h"
#include "op/rule.h"

typedef enum draw { DRAW_NORMAL, DRAW_UNIFORM, DRAW_BERNOULLI, DRAW_MULTINOMIAL } draw;

typedef struct source {
  draw kind;
  double a, b; /* mean and scale, or low and high */
  uint64_t seed, stream;
} source;

static draw kind_of(const hy__node *node) {
  switch (node->op_type[0]) {
  case 'B': return DRAW_BERNOULLI;
  case 'M': return DRAW_MULTINOMIAL;
  default: return strncmp(node->op_type, "RandomN", 7) == 0 ? DRAW_NORMAL : DRAW_UNIFORM;
  }
}

static hy_status dtype_of(const hy__op_plan *p, uint32_t types, hy_dtype otherwise, hy_dtype *out,
                          hy_error *err) {
  const int64_t dtype = hy__node_int(p->node, "dtype", otherwise);
  HY_FAIL_IF(dtype < 0 || dtype > 31 || !(types >> dtype & 1), HY_UNSUPPORTED, err, "dtype %lld",
             (long long)dtype);
  *out = (hy_dtype)dtype;
  return HY_OK;
}

static hy_status multinomial_out(hy__op_plan *p, hy_error *err) {
  const int64_t n = hy__node_int(p->node, "sample_size", 1);
  hy_dtype dtype;
  HY_TRY(dtype_of(p, 1u << HY_I32 | 1u << HY_I64, HY_I32, &dtype, err));
  HY_FAIL_IF(p->in[0].rank != 2 || p->in[0].dims[1] < 1 || n < 0, HY_BAD_FORMAT, err,
             "the input must be [rows, classes], and sample_size not negative");
  const int64_t dims[2] = {p->in[0].dims[0], n};
  return hy__op_out(p, 0, dtype, 2, dims, err);
}

hy_status hy__op_random_infer(hy__op_plan *p, hy_error *err) {
  const draw kind = kind_of(p->node);
  const bool like = p->n_in > 0;
  const uint32_t floats = HY__OP_FLOATS | HY__OP_HALVES;
  const hy__attr *shape = hy__node_attr(p->node, "shape");
  hy_dtype dtype;
  if (kind == DRAW_MULTINOMIAL) return multinomial_out(p, err);
  HY_TRY(dtype_of(p,
                  kind == DRAW_BERNOULLI ? HY__OP_NUMBERS | HY__OP_HALVES | HY__OP_BOOLS : floats,
                  like ? p->in[0].dtype : HY_F32, &dtype, err));
  if (like) return hy__op_out(p, 0, dtype, p->in[0].rank, p->in[0].dims, err);
  HY_FAIL_IF(!shape || shape->kind != HY__ATTR_INTS || shape->n > HY_MAX_RANK, HY_BAD_FORMAT, err,
             "it has no shape");
  for (size_t d = 0; d < shape->n; d++)
    HY_FAIL_IF(shape->as.ints[d] < 0, HY_BAD_FORMAT, err, "shape has a negative dim");
  return hy__op_out(p, 0, dtype, (int32_t)shape->n, shape->as.ints, err);
}

static void put(const hy_tensor *y, size_t i, double v) {
  if (y->dtype == HY_F32)
    ((float *)y->data)[i] = (float)v;
  else if (y->dtype == HY_F64)
    ((double *)y->data)[i] = v;
  else if (y->dtype == HY_F16 || y->dtype == HY_BF16)
    ((uint16_t *)y->data)[i] = hy__narrow_encode(y->dtype, v, false);
  else
    hy__element_put_whole(y, (int64_t)i, (int64_t)v);
}

static double get(const hy_tensor *x, size_t i) {
  if (x->dtype == HY_F16 || x->dtype == HY_BF16)
    return (double)hy__narrow_decode(x->dtype, ((const uint16_t *)x->data)[i]);
  return hy__element_real(x, (int64_t)i);
}

static double one(const source *s, hy__random *r, const hy__step *step, size_t i) {
  if (s->kind == DRAW_NORMAL) return s->a + s->b * hy__random_normal(r);
  const double u = hy__random_uniform(r);
  if (s->kind == DRAW_BERNOULLI) return u < get(&step->in[0], i) ? 1.0 : 0.0;
  return s->a + (s->b - s->a) * u;
}

/* The class in whose part of the row's sum the draw falls; the last one where rounding leaves none.
 * up_to: sums of exp(x - largest) up to each class. */
static int64_t class_of(const double *up_to, size_t n, double at) {
  size_t low = 0, high = n - 1;
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (at < up_to[middle])
      high = middle;
    else
      low = middle + 1;
  }
  return (int64_t)low;
}

static void multinomial(hy__random *r, const hy__step *step) {
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t n = (size_t)x->dims[1], samples = (size_t)y->dims[1];
  double *up_to = step->scratch;
  for (size_t row = 0; row < (size_t)x->dims[0]; row++) {
    double largest = get(x, row * n), sum = 0;
    for (size_t k = 1; k < n; k++) largest = HY_MAX(largest, get(x, row * n + k));
    for (size_t k = 0; k < n; k++) up_to[k] = sum += hy__exp(get(x, row * n + k) - largest);
    for (size_t j = 0; j < samples; j++)
      hy__element_put_whole(y, (int64_t)(row * samples + j),
                            class_of(up_to, n, hy__random_uniform(r) * sum));
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const source *s = step->params;
  const size_t n = hy__op_count_of(&step->out[0]);
  hy__random r;
  (void)err;
  hy__random_init(&r, s->seed, s->stream);
  if (s->kind == DRAW_MULTINOMIAL)
    multinomial(&r, step);
  else
    for (size_t i = 0; i < n; i++) put(&step->out[0], i, one(s, &r, step, i));
  return HY_OK;
}

/* FNV-1a. */
static uint64_t stream_of(const char *name) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
  return h;
}

hy_status hy__op_random_lower(hy__op_plan *p, hy_error *err) {
  const float seed = hy__node_float(p->node, "seed", 0.0f);
  const draw kind = kind_of(p->node);
  uint32_t bits;
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(source), _Alignof(source), &memory, err));
  memcpy(&bits, &seed, sizeof bits);
  *(source *)memory =
      (source){.kind = kind,
               .a = (double)hy__node_float(p->node, kind == DRAW_NORMAL ? "mean" : "low", 0.0f),
               .b = (double)hy__node_float(p->node, kind == DRAW_NORMAL ? "scale" : "high", 1.0f),
               .seed = bits,
               .stream = stream_of(p->node->name)};
  if (kind == DRAW_MULTINOMIAL) p->scratch_bytes = (size_t)p->in[0].dims[1] * sizeof(double);
  p->params = memory;
  p->run = run;
  return HY_OK;
}
