/* SPDX-License-Identifier: Apache-2.0 */
/* ScatterElements (Scatter of old), ScatterND and TensorScatter: the data, with updates written, or
 * joined by add, mul, min or max, where indices say. Indices may be negative; one outside is
 * refused at the run, as is a row past the end of a linear cache. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef enum reduction { NONE, ADD, MUL, MIN, MAX } reduction;

typedef struct params {
  reduction how;
  int32_t axis;
  bool circular;
  hy__around around; /* TensorScatter: of the cache */
} params;

static hy_status read_reduction(const hy__op_plan *p, reduction *out, hy_error *err) {
  static const char *const names[] = {"none", "add", "mul", "min", "max", NULL};
  int32_t choice;
  HY_TRY(hy__op_choice(p, "reduction", names, &choice, err));
  *out = (reduction)choice;
  HY_FAIL_IF(choice && !(HY__OP_NUMBERS >> p->in[0].dtype & 1), HY_UNSUPPORTED, err,
             "reduction over elements of type %s", hy_dtype_name(p->in[0].dtype));
  return HY_OK;
}

static hy_status check_indices(const hy__op_plan *p, hy_error *err) {
  const hy_dtype dtype = p->in[1].dtype;
  HY_FAIL_IF(dtype != HY_I32 && dtype != HY_I64, HY_BAD_FORMAT, err,
             "indices must be i32 or i64, not %s", hy_dtype_name(dtype));
  return hy__op_same_type(p, 0, 2, err);
}

static hy_status infer_elements(const hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *at = &p->in[1];
  int32_t axis;
  HY_TRY(check_indices(p, err));
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), x->rank, &axis, err));
  bool fits = x->rank == at->rank && hy__op_same_dims(at, &p->in[2]);
  for (int32_t d = 0; fits && d < x->rank; d++) fits = d == axis || at->dims[d] <= x->dims[d];
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "indices and updates do not fit the data");
  return HY_OK;
}

static hy_status infer_nd(const hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *at = &p->in[1], *updates = &p->in[2];
  HY_TRY(check_indices(p, err));
  const int64_t depth = at->rank > 0 ? at->dims[at->rank - 1] : -1;
  HY_FAIL_IF(depth < 0 || depth > x->rank, HY_BAD_FORMAT, err, "indices of %lld into %d dims",
             (long long)depth, (int)x->rank);
  const int32_t rank = at->rank - 1 + x->rank - (int32_t)depth;
  bool fits = updates->rank == rank;
  for (int32_t d = 0; fits && d < rank; d++)
    fits = updates->dims[d] ==
           (d < at->rank - 1 ? at->dims[d] : x->dims[d - (at->rank - 1) + (int32_t)depth]);
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "updates do not fit indices and data");
  return HY_OK;
}

static hy_status infer_cache(const hy__op_plan *p, hy_error *err) {
  static const char *const modes[] = {"linear", "circular", NULL};
  const hy_tensor *x = &p->in[0], *update = &p->in[1];
  int32_t axis, mode;
  HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", -2), x->rank, &axis, err));
  bool fits = axis > 0 && update->rank == x->rank;
  for (int32_t d = 0; fits && d < x->rank; d++)
    fits = update->dims[d] == x->dims[d] || (d == axis && update->dims[d] < x->dims[d]);
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "the update does not fit the cache along axis %d",
             (int)axis);
  HY_FAIL_IF(hy__op_has(p, 2) &&
                 (p->in[2].dtype != HY_I64 || hy__op_count_of(&p->in[2]) != (size_t)x->dims[0]),
             HY_BAD_FORMAT, err, "write_indices is not one i64 for each of %lld",
             (long long)x->dims[0]);
  return HY_OK;
}

/* 0 ScatterElements and Scatter, 1 ScatterND, 2 TensorScatter */
static int kind_of(const hy__node *node) {
  if (node->op_type[0] == 'T') return 2;
  return !strcmp(node->op_type, "ScatterND");
}

hy_status hy__op_scatter_infer(hy__op_plan *p, hy_error *err) {
  const int kind = kind_of(p->node);
  reduction how;
  HY_TRY(kind == 0 ? infer_elements(p, err) : kind == 1 ? infer_nd(p, err) : infer_cache(p, err));
  if (kind < 2) HY_TRY(read_reduction(p, &how, err));
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static double join_reals(reduction how, double a, double b) {
  if (how == ADD) return a + b;
  if (how == MUL) return a * b;
  if (a != a || b != b) return a != a ? a : b;
  return (how == MIN) == (b < a) ? b : a;
}

static int64_t join_wholes(reduction how, int64_t a, int64_t b, bool is_u64) {
  if (how == ADD) return (int64_t)((uint64_t)a + (uint64_t)b);
  if (how == MUL) return (int64_t)((uint64_t)a * (uint64_t)b);
  const bool less = is_u64 ? (uint64_t)b < (uint64_t)a : b < a;
  return (how == MIN) == less ? b : a;
}

/* n updates from element `from` on join the outputs from `to` on. */
static void put(const hy__step *step, size_t from, size_t to, size_t n) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0], *updates = &step->in[2];
  const size_t each = hy_dtype_bytes(y->dtype);
  if (q->how == NONE) {
    memcpy((char *)y->data + to * each, (const char *)updates->data + from * each, n * each);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    const int64_t a = (int64_t)(to + i), b = (int64_t)(from + i);
    if (hy__element_is_float(y->dtype))
      hy__element_put_real(
          y, a, join_reals(q->how, hy__element_real(y, a), hy__element_real(updates, b)));
    else
      hy__element_put_whole(y, a,
                            join_wholes(q->how, hy__element_whole(y, a),
                                        hy__element_whole(updates, b), y->dtype == HY_U64));
  }
}

static hy_status index_at(const hy_tensor *at, size_t i, int64_t dim, int64_t *out, hy_error *err) {
  const int64_t value = hy__element_whole(at, (int64_t)i);
  HY_FAIL_IF(value < -dim || value >= dim, HY_INVALID_ARGUMENT, err,
             "index %lld is outside [-%lld, %lld)", (long long)value, (long long)dim,
             (long long)dim);
  *out = value < 0 ? value + dim : value;
  return HY_OK;
}

static void start(const hy__step *step) {
  if (step->out[0].data != step->in[0].data)
    memcpy(step->out[0].data, step->in[0].data, hy__op_bytes_of(&step->in[0]));
}

static hy_status run_elements(const hy__step *step, hy_error *err) {
  const hy_tensor *x = &step->in[0], *at = &step->in[1];
  const int32_t axis = ((const params *)step->params)->axis;
  int64_t strides[HY_MAX_RANK], index[HY_MAX_RANK] = {0}, offset = 0, along;
  const size_t n = hy__op_count_of(at);
  hy__op_strides(x, strides);
  start(step);
  for (size_t i = 0; i < n; i++) {
    HY_TRY(index_at(at, i, x->dims[axis], &along, err));
    put(step, i, (size_t)(offset + along * strides[axis]), 1);
    for (int32_t d = at->rank - 1; d >= 0; d--) {
      const int64_t stride = d == axis ? 0 : strides[d];
      offset += stride;
      if (++index[d] < at->dims[d]) break;
      offset -= stride * at->dims[d];
      index[d] = 0;
    }
  }
  return HY_OK;
}

static hy_status run_nd(const hy__step *step, hy_error *err) {
  const hy_tensor *x = &step->in[0], *at = &step->in[1];
  const size_t depth = (size_t)at->dims[at->rank - 1];
  int64_t strides[HY_MAX_RANK], along;
  size_t n = 1, inner = 1;
  hy__op_strides(x, strides);
  for (int32_t d = 0; d < at->rank - 1; d++) n *= (size_t)at->dims[d];
  for (int32_t d = (int32_t)depth; d < x->rank; d++) inner *= (size_t)x->dims[d];
  start(step);
  for (size_t i = 0; i < n; i++) {
    size_t to = 0;
    for (size_t d = 0; d < depth; d++) {
      HY_TRY(index_at(at, i * depth + d, x->dims[d], &along, err));
      to += (size_t)(along * strides[d]);
    }
    put(step, i * inner, to, inner);
  }
  return HY_OK;
}

static hy_status run_cache(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__around *a = &q->around;
  const size_t rows = (size_t)step->in[1].dims[q->axis],
               per = a->outer / (size_t)HY_MAX(step->in[0].dims[0], (int64_t)1);
  const size_t bytes = a->inner * hy_dtype_bytes(step->in[0].dtype);
  const int64_t *first = step->n_in > 2 ? step->in[2].data : NULL;
  start(step);
  for (size_t o = 0; o < a->outer; o++) {
    const int64_t begin = first ? first[o / per] : 0;
    HY_FAIL_IF(begin < 0 || (!q->circular && (uint64_t)begin + rows > a->n), HY_INVALID_ARGUMENT,
               err, "%zu rows from %lld on do not fit a cache of %zu", rows, (long long)begin,
               a->n);
    for (size_t r = 0; r < rows; r++) {
      const size_t to = ((size_t)begin % a->n + r) % a->n;
      memcpy((char *)step->out[0].data + (o * a->n + to) * bytes,
             (const char *)step->in[1].data + (o * rows + r) * bytes, bytes);
    }
  }
  return HY_OK;
}

hy_status hy__op_scatter_lower(hy__op_plan *p, hy_error *err) {
  static const hy__step_fn runs[] = {run_elements, run_nd, run_cache};
  static const char *const modes[] = {"linear", "circular", NULL};
  const int kind = kind_of(p->node);
  const int64_t axis = hy__node_int(p->node, "axis", kind == 2 ? -2 : 0);
  int32_t mode = 0;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  if (kind != 1) HY_TRY(hy__op_axis(axis, p->in[0].rank, &q->axis, err));
  if (kind < 2)
    HY_TRY(read_reduction(p, &q->how, err));
  else
    HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
  q->circular = mode == 1;
  q->around = hy__op_around(&p->in[0], q->axis);
  p->params = q;
  p->run = runs[kind];
  return HY_OK;
}
