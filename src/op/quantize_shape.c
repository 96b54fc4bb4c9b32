/* SPDX-License-Identifier: Apache-2.0 */
/* Scales and zero points over a tensor: see quantize.h. */
#include "op/quantize.h"

static hy_status blocked(const hy__op_plan *p, int32_t axis, hy__quant *q, hy_error *err) {
  const hy_tensor *x = &p->in[0], *s = &p->in[1];
  bool fits = s->rank == x->rank;
  for (int32_t d = 0; fits && d < x->rank; d++) fits = d == axis || s->dims[d] == x->dims[d];
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "the scale does not fit the input beside axis %d",
             (int)axis);
  q->blocks = (size_t)s->dims[axis];
  HY_FAIL_IF(q->blocks != (q->dim + q->block - 1) / q->block, HY_BAD_FORMAT, err,
             "%zu scales for %zu elements in blocks of %zu", q->blocks, q->dim, q->block);
  return HY_OK;
}

hy_status hy__quant_shape(const hy__op_plan *p, hy__quant *q, hy_error *err) {
  const hy_tensor *x = &p->in[0], *s = &p->in[1];
  const int64_t block = hy__node_int(p->node, "block_size", 0);
  *q = (hy__quant){.outer = 1, .dim = 1, .inner = hy__op_count_of(x), .n = hy__op_count_of(s)};
  HY_FAIL_IF(block < 0, HY_BAD_FORMAT, err, "block_size is %lld", (long long)block);
  HY_FAIL_IF(hy__op_has(p, 2) && hy__op_count_of(&p->in[2]) != q->n, HY_BAD_FORMAT, err,
             "%zu zero points for %zu scales", hy__op_count_of(&p->in[2]), q->n);
  if (q->n == 1 && !block) return HY_OK;
  int32_t axis;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 1), x->rank, &axis, err));
  q->inner = 1;
  q->dim = (size_t)x->dims[axis];
  for (int32_t d = 0; d < axis; d++) q->outer *= (size_t)x->dims[d];
  for (int32_t d = axis + 1; d < x->rank; d++) q->inner *= (size_t)x->dims[d];
  q->block = (size_t)block;
  if (block) return blocked(p, axis, q, err);
  HY_FAIL_IF(s->rank != 1 || q->n != q->dim, HY_BAD_FORMAT, err,
             "%zu scales for %zu elements of axis %d", q->n, q->dim, (int)axis);
  return HY_OK;
}

static void work_out(const hy_tensor *scales, const hy_tensor *zeros, size_t n, float *scale,
                     int32_t *zero) {
  for (size_t i = 0; i < n; i++) {
    scale[i] = (float)hy__narrow_value(scales, i);
    zero[i] = zeros ? (int32_t)hy__narrow_value(zeros, i) : 0;
  }
}

hy_status hy__quant_lower(hy__op_plan *p, hy__quant *q, hy_error *err) {
  const hy_tensor *zeros = hy__op_has(p, 2) ? &p->in[2] : NULL;
  if (!p->in[1].data || (zeros && !zeros->data)) {
    HY_FAIL_IF(!hy__mul(q->n, sizeof(float) + sizeof(int32_t), &p->scratch_bytes), HY_LIMIT, err,
               "too many scales");
    return HY_OK;
  }
  void *scale, *zero;
  HY_TRY(hy__arena_array(p->arena, q->n + 1, sizeof(float), &scale, err));
  HY_TRY(hy__arena_array(p->arena, q->n + 1, sizeof(int32_t), &zero, err));
  work_out(&p->in[1], zeros, q->n, scale, zero);
  q->scale = scale;
  q->zero = zero;
  return HY_OK;
}

void hy__quant_read(const hy__step *step, const hy__quant *q, const float **scale,
                    const int32_t **zero) {
  *scale = q->scale;
  *zero = q->zero;
  if (q->scale) return;
  float *made = step->scratch;
  int32_t *zeros = (int32_t *)(void *)(made + q->n);
  const bool has = step->n_in > 2 && step->in[2].data;
  work_out(&step->in[1], has ? &step->in[2] : NULL, q->n, made, zeros);
  *scale = made;
  *zero = zeros;
}

size_t hy__quant_n_runs(const hy__quant *q) { return q->outer * q->dim; }

hy__quant_run hy__quant_run_at(const hy__quant *q, size_t index) {
  const size_t at = q->dim ? index % q->dim : 0, outer = q->dim ? index / q->dim : 0;
  const hy__quant_run run = {.begin = index * q->inner, .n = q->inner};
  if (q->block)
    return (hy__quant_run){run.begin, run.n, (outer * q->blocks + at / q->block) * q->inner, 1};
  return (hy__quant_run){run.begin, run.n, q->n == 1 ? 0 : at, 0};
}

void hy__quant_range(hy_dtype dtype, int32_t *least, int32_t *most) {
  int bits = 8 * (int)hy_dtype_bytes(dtype);
  if (dtype == HY_I4 || dtype == HY_U4) bits = 4;
  if (dtype == HY_I2 || dtype == HY_U2) bits = 2;
  const bool is_signed = dtype == HY_I8 || dtype == HY_I16 || dtype == HY_I4 || dtype == HY_I2;
  *least = is_signed ? -(1 << (bits - 1)) : 0;
  *most = is_signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}
