/* SPDX-License-Identifier: Apache-2.0 */
/* TopK along an axis: k is an attribute until opset 9, an input known at planning since. Equal
 * values keep their order; NaN counts as the largest. The result is always sorted. */
#include "op/rule.h"

typedef struct params {
  int32_t axis;
  bool largest;
} params;

hy_status hy__op_top_k_infer(hy__op_plan *p, hy_error *err) {
  int64_t k, dims[HY_MAX_RANK];
  int32_t axis;
  const hy_tensor *in = &p->in[0];
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", -1), in->rank, &axis, err));
  HY_TRY(hy__op_int(p, 1, "k", -1, &k, err));
  HY_FAIL_IF(k < 0 || k > in->dims[axis], HY_BAD_FORMAT, err, "k is %lld of %lld elements",
             (long long)k, (long long)in->dims[axis]);
  memcpy(dims, in->dims, sizeof dims);
  dims[axis] = k;
  HY_TRY(hy__op_out(p, 0, in->dtype, in->rank, dims, err));
  return hy__op_out(p, 1, HY_I64, in->rank, dims, err);
}

/* Integers widen to 64 bits and floats to double, so one order serves all. */
typedef struct item {
  bool nan;
  double f;
  int64_t i;
  int64_t at;
} item;

static item item_of(const hy_tensor *t, int64_t k, int64_t at) {
  item x = {.at = at};
  switch (t->dtype) {
  case HY_F32: x.f = (double)((const float *)t->data)[k]; break;
  case HY_F64: x.f = ((const double *)t->data)[k]; break;
  case HY_I8: x.i = ((const int8_t *)t->data)[k]; break;
  case HY_I16: x.i = ((const int16_t *)t->data)[k]; break;
  case HY_I32: x.i = ((const int32_t *)t->data)[k]; break;
  case HY_U8: x.i = ((const uint8_t *)t->data)[k]; break;
  case HY_U16: x.i = ((const uint16_t *)t->data)[k]; break;
  case HY_U32: x.i = ((const uint32_t *)t->data)[k]; break;
  case HY_U64: x.i = (int64_t)(((const uint64_t *)t->data)[k] ^ (uint64_t)1 << 63); break;
  default: x.i = ((const int64_t *)t->data)[k]; break;
  }
  x.nan = x.f != x.f;
  return x;
}

/* Does a come before b in the answer? */
static bool before(const item *a, const item *b, bool largest) {
  int order = 0; /* of a against b */
  if (a->nan || b->nan)
    order = (int)a->nan - (int)b->nan;
  else if (a->f != b->f)
    order = a->f > b->f ? 1 : -1;
  else if (a->i != b->i)
    order = a->i > b->i ? 1 : -1;
  if (order == 0) return a->at < b->at;
  return largest ? order > 0 : order < 0;
}

/* A heap of the k best with the worst on top. */
static void sift_down(item *heap, size_t n, size_t at, bool largest) {
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= n) return;
    if (child + 1 < n && before(&heap[child], &heap[child + 1], largest)) child++;
    if (!before(&heap[at], &heap[child], largest)) return;
    item swap = heap[at];
    heap[at] = heap[child];
    heap[child] = swap;
    at = child;
  }
}

static void line_run(const hy__step *s, int64_t base, int64_t stride, item *heap) {
  const params *q = s->params;
  const hy_tensor *in = &s->in[0];
  int64_t n = in->dims[q->axis];
  size_t k = (size_t)s->out[0].dims[q->axis];
  for (size_t i = 0; i < k; i++) heap[i] = item_of(in, base + (int64_t)i * stride, (int64_t)i);
  for (size_t i = k / 2; i-- > 0;) sift_down(heap, k, i, q->largest);
  for (int64_t i = (int64_t)k; i < n; i++) {
    item x = item_of(in, base + i * stride, i);
    if (!before(&x, &heap[0], q->largest)) continue;
    heap[0] = x;
    sift_down(heap, k, 0, q->largest);
  }
  for (size_t m = k; m > 1; m--) { /* the worst of the rest goes last */
    item worst = heap[0];
    heap[0] = heap[m - 1];
    heap[m - 1] = worst;
    sift_down(heap, m - 1, 0, q->largest);
  }
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy_tensor *in = &s->in[0];
  int64_t n = in->dims[q->axis], k = s->out[0].dims[q->axis], inner = 1, outer = 1;
  size_t each = hy_dtype_bytes(in->dtype);
  item *heap = s->scratch;
  for (int32_t d = 0; d < q->axis; d++) outer *= in->dims[d];
  for (int32_t d = q->axis + 1; d < in->rank; d++) inner *= in->dims[d];
  for (int64_t line = 0; line < outer * inner && k > 0; line++) {
    int64_t from = line / inner * n * inner + line % inner;
    int64_t to = line / inner * k * inner + line % inner;
    line_run(s, from, inner, heap);
    for (int64_t i = 0; i < k; i++, to += inner) {
      if (s->out[0].data)
        memcpy((uint8_t *)s->out[0].data + (size_t)to * each,
               (const uint8_t *)in->data + (size_t)(from + heap[i].at * inner) * each, each);
      if (s->n_out > 1 && s->out[1].data) ((int64_t *)s->out[1].data)[to] = heap[i].at;
    }
  }
  return HY_OK;
}

hy_status hy__op_top_k_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", -1), p->in[0].rank, &q->axis, err));
  q->largest = hy__node_int(p->node, "largest", 1) != 0;
  HY_FAIL_IF(!hy__mul((size_t)p->out[0].dims[q->axis] + 1, sizeof(item), &p->scratch_bytes),
             HY_LIMIT, err, "k is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
