/* SPDX-License-Identifier: Apache-2.0 */
/* LayerNormalization and RMSNormalization over the dims from `axis` on; the former with the mean
 * and the inverse deviation as further outputs. Scale and bias broadcast to X: those of the
 * normalised dims' own shape go with the rows, any other is applied by a walk afterwards. */
#include <math.h>

#include "op/divide.h"
#include "op/rule.h"

enum { WORK_EACH = 8 }; /* of an element, in multiply-adds */

typedef struct params {
  size_t rows, n;
  float epsilon;
  bool rms, with_rows;        /* with_rows: scale and bias have the n elements of a row */
  hy__walk by_scale, by_bias; /* operands: Y, and scale or bias */
} params;

static hy_status axis_of(const hy__op_plan *p, int32_t *out, hy_error *err) {
  return hy__op_axis(hy__node_int(p->node, "axis", -1), p->in[0].rank, out, err);
}

/* The dims of t, 1s before them aside, are x's from `axis` on. */
static bool is_a_row(const hy_tensor *t, const hy_tensor *x, int32_t axis) {
  if (t->rank > x->rank) return false;
  for (int32_t d = 0; d < x->rank; d++) {
    const int32_t own = d - (x->rank - t->rank);
    const int64_t dim = own < 0 ? 1 : t->dims[own];
    if (dim != (d < axis ? 1 : x->dims[d])) return false;
  }
  return true;
}

hy_status hy__op_layer_norm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int64_t dims[HY_MAX_RANK];
  int32_t axis, rank;
  HY_TRY(axis_of(p, &axis, err));
  HY_TRY(hy__op_out_like(p, 0, x, err));
  for (size_t k = 1; k < p->n_in; ++k) {
    if (!hy__op_has(p, k)) continue;
    const hy_tensor *const both[2] = {x, &p->in[k]};
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
    bool fits = rank == x->rank;
    for (int32_t d = 0; fits && d < rank; d++) fits = dims[d] == x->dims[d];
    HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "input %zu does not broadcast to X's shape", k);
  }
  hy_tensor small = *x;
  for (int32_t i = axis; i < x->rank; ++i) small.dims[i] = 1;
  for (size_t k = 1; k < p->n_out; ++k)
    HY_TRY(hy__op_out(p, k, HY_F32, small.rank, small.dims, err));
  return HY_OK;
}

static void *maybe_in(const hy__step *step, size_t k) {
  return k < step->n_in ? step->in[k].data : NULL;
}

static void *maybe_out(const hy__step *step, size_t k) {
  return k < step->n_out ? step->out[k].data : NULL;
}

/* Y, or scratch where only the moments are wanted. */
static void *result(const hy__step *step) {
  return step->out[0].data ? step->out[0].data : step->scratch;
}

/* y = (x - mean) * inverse * scale + bias, in double, in two passes; scale and bias may be NULL. */
#define ROW(type)                                                                                  \
  static void row_##type(const params *q, const type *x, const type *const affine[2], type *y,     \
                         double moments[2]) {                                                      \
    double mean = 0.0, squares = 0.0;                                                              \
    if (!q->rms) {                                                                                 \
      for (size_t i = 0; i < q->n; ++i) mean += (double)x[i];                                      \
      mean /= (double)q->n;                                                                        \
    }                                                                                              \
    for (size_t i = 0; i < q->n; ++i) {                                                            \
      const double d = (double)x[i] - mean;                                                        \
      squares += d * d;                                                                            \
    }                                                                                              \
    const double inverse = 1.0 / sqrt(squares / (double)q->n + (double)q->epsilon);                \
    for (size_t i = 0; i < q->n; ++i) {                                                            \
      const double scale = affine[0] ? (double)affine[0][i] : 1.0;                                 \
      const double bias = affine[1] ? (double)affine[1][i] : 0.0;                                  \
      y[i] = (type)(((double)x[i] - mean) * inverse * scale + bias);                               \
    }                                                                                              \
    moments[0] = mean;                                                                             \
    moments[1] = inverse;                                                                          \
  }                                                                                                \
  static void rows_##type(const hy__step *step) {                                                  \
    const params *q = step->params;                                                                \
    const type *const affine[2] = {q->with_rows ? maybe_in(step, 1) : NULL,                        \
                                   q->with_rows ? maybe_in(step, 2) : NULL};                       \
    float *means = maybe_out(step, 1), *inverses = maybe_out(step, 2);                             \
    for (size_t row = 0; row < q->rows; ++row) {                                                   \
      const size_t at = row * q->n;                                                                \
      double moments[2];                                                                           \
      row_##type(q, (const type *)step->in[0].data + at, affine, (type *)result(step) + at,        \
                 moments);                                                                         \
      if (means) means[row] = (float)moments[0];                                                   \
      if (inverses) inverses[row] = (float)moments[1];                                             \
    }                                                                                              \
  }
ROW(double)
#undef ROW

static void rows_kernel(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  float *means = maybe_out(step, 1), *inverses = maybe_out(step, 2);
  const hy__layer_norm_call call = {.x = (const float *)step->in[0].data + begin * q->n,
                                    .scale = q->with_rows ? maybe_in(step, 1) : NULL,
                                    .bias = q->with_rows ? maybe_in(step, 2) : NULL,
                                    .y = (float *)result(step) + begin * q->n,
                                    .mean_out = means ? means + begin : NULL,
                                    .inv_std_out = inverses ? inverses + begin : NULL,
                                    .rows = end - begin,
                                    .n = q->n,
                                    .epsilon = q->epsilon,
                                    .rms = q->rms};
  (void)worker;
  step->kernels->rows_f32->layer_norm(&call);
}

static void by_walk(const hy__step *step, const hy__walk *w, hy__binary op, const void *operand) {
  const hy_tensor *y = &step->out[0];
  const size_t each = hy_dtype_bytes(y->dtype);
  const hy__binary_fn fn = step->kernels->binary->fn[op][y->dtype];
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  for (size_t row = 0; row < w->n_rows; ++row) {
    char *at = (char *)y->data + (size_t)offsets[0] * each;
    fn(at, (const char *)operand + (size_t)offsets[1] * each, at, w->row, (size_t)w->inner[0],
       (size_t)w->inner[1]);
    hy__walk_next(w, index, offsets);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  if (step->in[0].dtype == HY_F64)
    rows_double(step);
  else
    HY_TRY(hy__op_divide(step, q->rows, q->rows * q->n * WORK_EACH, rows_kernel, err));
  if (q->with_rows || !step->out[0].data) return HY_OK;
  by_walk(step, &q->by_scale, HY__BINARY_MUL, step->in[1].data);
  if (maybe_in(step, 2)) by_walk(step, &q->by_bias, HY__BINARY_ADD, step->in[2].data);
  return HY_OK;
}

hy_status hy__op_layer_norm_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  int32_t axis;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(axis_of(p, &axis, err));
  q->n = 1;
  for (int32_t i = axis; i < x->rank; ++i) q->n *= (size_t)x->dims[i];
  q->rows = q->n ? hy__op_count_of(x) / q->n : 0;
  q->epsilon = hy__node_float(p->node, "epsilon", 1e-5f);
  q->rms = p->node->op_type[0] == 'R';
  q->with_rows =
      is_a_row(&p->in[1], x, axis) && (!hy__op_has(p, 2) || is_a_row(&p->in[2], x, axis));
  for (size_t k = 1; k < 3 && !q->with_rows; ++k) {
    if (!hy__op_has(p, k)) continue;
    const hy_tensor *const both[2] = {&p->out[0], &p->in[k]};
    hy__walk_broadcast(k == 1 ? &q->by_scale : &q->by_bias, &p->out[0], both, 2);
  }
  if (!p->out_wanted[0]) p->scratch_bytes = hy__op_bytes_of(x);
  p->params = q;
  p->run = run;
  return HY_OK;
}
