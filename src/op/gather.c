/* SPDX-License-Identifier: Apache-2.0 */
/* Gather, GatherElements and GatherND: indices may be negative; one outside is refused at the run.
 */
#include "op/rule.h"

typedef struct params {
  int32_t axis, batch;
} params;

static hy_status index_type(const hy__op_plan *p, hy_error *err) {
  hy_dtype dtype = p->in[1].dtype;
  HY_FAIL_IF(dtype != HY_I32 && dtype != HY_I64, HY_BAD_FORMAT, err,
             "indices must be i32 or i64, not %s", hy_dtype_name(dtype));
  return HY_OK;
}

static hy_status gather(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0], *at = &p->in[1];
  int64_t dims[2 * HY_MAX_RANK];
  int32_t axis, rank = 0;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), in->rank, &axis, err));
  for (int32_t d = 0; d < axis; d++) dims[rank++] = in->dims[d];
  for (int32_t d = 0; d < at->rank; d++) dims[rank++] = at->dims[d];
  for (int32_t d = axis + 1; d < in->rank; d++) dims[rank++] = in->dims[d];
  return hy__op_out(p, 0, in->dtype, rank, dims, err);
}

static hy_status gather_elements(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0], *at = &p->in[1];
  int32_t axis;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), in->rank, &axis, err));
  bool fits = in->rank == at->rank;
  for (int32_t d = 0; fits && d < in->rank; d++) fits = d == axis || at->dims[d] <= in->dims[d];
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "the shape of the indices does not fit the data's");
  return hy__op_out(p, 0, in->dtype, at->rank, at->dims, err);
}

static hy_status gather_nd(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0], *at = &p->in[1];
  int64_t batch = hy__node_int(p->node, "batch_dims", 0), dims[2 * HY_MAX_RANK];
  HY_FAIL_IF(at->rank < 1 || batch < 0 || batch >= at->rank || batch >= in->rank ||
                 at->dims[at->rank - 1] < 1 || at->dims[at->rank - 1] > in->rank - batch,
             HY_BAD_FORMAT, err, "indices and batch_dims do not fit the data");
  int32_t depth = (int32_t)at->dims[at->rank - 1], rank = 0;
  for (int32_t d = 0; d < batch; d++)
    HY_FAIL_IF(at->dims[d] != in->dims[d], HY_BAD_FORMAT, err, "batch dim %d differs", (int)d);
  for (int32_t d = 0; d < at->rank - 1; d++) dims[rank++] = at->dims[d];
  for (int32_t d = (int32_t)batch + depth; d < in->rank; d++) dims[rank++] = in->dims[d];
  return hy__op_out(p, 0, in->dtype, rank, dims, err);
}

/* 0 Gather, 1 GatherElements, 2 GatherND */
static int kind_of(const hy__op_plan *p) {
  const char *name = p->node->op_type;
  return name[6] == 0 ? 0 : name[6] == 'E' ? 1 : 2;
}

hy_status hy__op_gather_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(index_type(p, err));
  switch (kind_of(p)) {
  case 0: return gather(p, err);
  case 1: return gather_elements(p, err);
  default: return gather_nd(p, err);
  }
}

/* Index i of the list, made positive; refused outside [-dim, dim). */
static inline hy_status index_at(const hy_tensor *at, size_t i, int64_t dim, int64_t *out,
                                 hy_error *err) {
  int64_t value =
      at->dtype == HY_I64 ? ((const int64_t *)at->data)[i] : ((const int32_t *)at->data)[i];
  HY_FAIL_IF(value < -dim || value >= dim, HY_INVALID_ARGUMENT, err,
             "index %lld is outside [-%lld, %lld)", (long long)value, (long long)dim,
             (long long)dim);
  *out = value < 0 ? value + dim : value;
  return HY_OK;
}

static hy_status run_gather(const hy__step *s, hy_error *err) {
  const hy_tensor *in = &s->in[0], *at = &s->in[1];
  int32_t axis = ((const params *)s->params)->axis;
  size_t outer = 1, inner = hy_dtype_bytes(in->dtype), n = hy__op_count_of(at);
  for (int32_t d = 0; d < axis; d++) outer *= (size_t)in->dims[d];
  for (int32_t d = axis + 1; d < in->rank; d++) inner *= (size_t)in->dims[d];
  uint8_t *to = s->out[0].data;
  const uint8_t *from = in->data;
  for (size_t o = 0; o < outer; o++, from += (size_t)in->dims[axis] * inner)
    for (size_t i = 0; i < n; i++, to += inner) {
      int64_t index;
      HY_TRY(index_at(at, i, in->dims[axis], &index, err));
      memcpy(to, from + (size_t)index * inner, inner);
    }
  return HY_OK;
}

static hy_status run_elements(const hy__step *s, hy_error *err) {
  const hy_tensor *in = &s->in[0], *at = &s->in[1];
  int32_t axis = ((const params *)s->params)->axis;
  int64_t strides[HY_MAX_RANK], index[HY_MAX_RANK] = {0}, offset = 0;
  size_t each = hy_dtype_bytes(in->dtype), n = hy__op_count_of(at);
  hy__op_strides(in, strides);
  for (size_t i = 0; i < n; i++) {
    int64_t along;
    HY_TRY(index_at(at, i, in->dims[axis], &along, err));
    memcpy((uint8_t *)s->out[0].data + i * each,
           (const uint8_t *)in->data + (size_t)(offset + along * strides[axis]) * each, each);
    for (int32_t d = at->rank - 1; d >= 0; d--) {
      int64_t stride = d == axis ? 0 : strides[d];
      offset += stride;
      if (++index[d] < at->dims[d]) break;
      offset -= stride * at->dims[d];
      index[d] = 0;
    }
  }
  return HY_OK;
}

static hy_status run_nd(const hy__step *s, hy_error *err) {
  const hy_tensor *in = &s->in[0], *at = &s->in[1];
  int32_t batch = ((const params *)s->params)->batch;
  int32_t depth = (int32_t)at->dims[at->rank - 1];
  int64_t strides[HY_MAX_RANK];
  size_t each = hy_dtype_bytes(in->dtype), n = hy__op_count_of(at) / (size_t)depth, per = n,
         inner = 1;
  hy__op_strides(in, strides);
  for (int32_t d = batch + depth; d < in->rank; d++) inner *= (size_t)in->dims[d];
  for (int32_t d = 0; d < batch; d++) per /= HY_MAX((size_t)at->dims[d], (size_t)1);
  size_t batch_stride = batch ? (size_t)strides[batch - 1] : 0;
  for (size_t i = 0; i < n; i++) {
    size_t offset = batch ? i / per * batch_stride : 0;
    for (int32_t d = 0; d < depth; d++) {
      int64_t along;
      HY_TRY(index_at(at, i * (size_t)depth + (size_t)d, in->dims[batch + d], &along, err));
      offset += (size_t)(along * strides[batch + d]);
    }
    memcpy((uint8_t *)s->out[0].data + i * inner * each, (const uint8_t *)in->data + offset * each,
           inner * each);
  }
  return HY_OK;
}

hy_status hy__op_gather_lower(hy__op_plan *p, hy_error *err) {
  static const hy__step_fn runs[] = {run_gather, run_elements, run_nd};
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  int kind = kind_of(p);
  q->batch = (int32_t)hy__node_int(p->node, "batch_dims", 0);
  if (kind < 2) HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), p->in[0].rank, &q->axis, err));
  p->params = q;
  p->run = runs[kind];
  return HY_OK;
}
