/* SPDX-License-Identifier: Apache-2.0 */
/* MatMulInteger and QLinearMatMul: matrices of 8-bit integers by MatMul's rule, zero points one for
 * a matrix, one per row of A or one per column of B. A known B is widened once. */
#include "op/integer_product.h"

typedef struct ports {
  size_t a, b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero;
} ports;

typedef struct params {
  ports at;
  bool requantise;
  hy__walk walk; /* over the pairs: matrix numbers of A and B */
  size_t m, n, k;
  const int16_t *b; /* all matrices, NULL: at run */
  size_t b_offset, c_offset;
} params;

static ports ports_of(const hy__node *node) {
  if (node->op_type[0] == 'M') return (ports){.b = 1, .a_zero = 2, .b_zero = 3};
  return (ports){0, 3, 2, 5, 1, 4, 6, 7};
}

/* A shape as [leading.., rows, columns]; vectors get the missing dim. */
static hy_tensor as_matrix(const hy_tensor *t, bool left) {
  hy_tensor m = *t;
  if (t->rank != 1) return m;
  m.rank = 2;
  m.dims[0] = left ? 1 : t->dims[0];
  m.dims[1] = left ? t->dims[0] : 1;
  return m;
}

static hy_tensor leading(const hy_tensor *matrix) {
  hy_tensor t = *matrix;
  t.rank -= 2;
  return t;
}

static hy_status check_scales(const hy__op_plan *p, const ports *at, int64_t m, int64_t n,
                              hy_error *err) {
  const hy_dtype type = p->in[at->a_scale].dtype;
  HY_FAIL_IF(!((1u << HY_F32 | HY__OP_HALVES) >> type & 1), HY_UNSUPPORTED, err,
             "scales of type %s", hy_dtype_name(type));
  HY_TRY(hy__op_same_type(p, at->a_scale, at->b_scale, err));
  HY_TRY(hy__op_same_type(p, at->a_scale, at->y_scale, err));
  HY_TRY(hy__integer_list(p, at->a_scale, m, "a_scale", err));
  HY_TRY(hy__integer_list(p, at->b_scale, n, "b_scale", err));
  HY_TRY(hy__integer_list(p, at->y_scale, 1, "y_scale", err));
  return hy__integer_list(p, at->y_zero, 1, "y_zero_point", err);
}

hy_status hy__op_matmul_integer_infer(hy__op_plan *p, hy_error *err) {
  const ports at = ports_of(p->node);
  const bool quantised = at.y_scale != 0;
  const hy_tensor *a = &p->in[at.a], *b = &p->in[at.b];
  HY_FAIL_IF(a->rank < 1 || b->rank < 1, HY_BAD_FORMAT, err, "a scalar is no matrix");
  const hy_dtype y = quantised ? p->in[at.y_zero].dtype : HY_I32;
  HY_FAIL_IF(!hy__integer_is_byte(a->dtype) || !hy__integer_is_byte(b->dtype) ||
                 (quantised && !hy__integer_is_byte(y)),
             HY_UNSUPPORTED, err, "a product of %s and %s to %s", hy_dtype_name(a->dtype),
             hy_dtype_name(b->dtype), hy_dtype_name(y));
  hy_tensor am = as_matrix(a, true), bm = as_matrix(b, false);
  const int64_t m = am.dims[am.rank - 2], n = bm.dims[bm.rank - 1], k = bm.dims[bm.rank - 2];
  HY_FAIL_IF(am.dims[am.rank - 1] != k, HY_BAD_FORMAT, err,
             "the inner dimensions differ: %lld "
             "and %lld",
             (long long)am.dims[am.rank - 1], (long long)k);
  HY_TRY(hy__integer_list(p, at.a_zero, m, "a_zero_point", err));
  HY_TRY(hy__integer_list(p, at.b_zero, n, "b_zero_point", err));
  if (quantised) HY_TRY(check_scales(p, &at, m, n, err));
  hy_tensor al = leading(&am), bl = leading(&bm);
  const hy_tensor *const both[2] = {&al, &bl};
  int64_t dims[HY_MAX_RANK];
  int32_t rank = 0;
  HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
  if (a->rank > 1) dims[rank++] = m;
  if (b->rank > 1) dims[rank++] = n;
  return hy__op_out(p, 0, y, rank, dims, err);
}

static const hy_tensor *maybe(const hy_tensor *in, size_t n_in, size_t k) {
  return k < n_in && in[k].data ? &in[k] : NULL;
}

static hy__integer_source right_of(const params *q, const hy_tensor *in, size_t n_in, size_t b) {
  const hy_tensor *zero = maybe(in, n_in, q->at.b_zero);
  return (hy__integer_source){.t = &in[q->at.b],
                              .zero = zero,
                              .begin = b * q->k * q->n,
                              .rows = q->k,
                              .cols = q->n,
                              .by_col = zero && hy__op_count_of(zero) > 1};
}

static void requantise(const hy__step *step, const params *q, const int32_t *c, size_t first) {
  const hy__requantise r = {&step->in[q->at.a_scale], &step->in[q->at.b_scale],
                            &step->in[q->at.y_scale], &step->in[q->at.y_zero]};
  const bool by_row = hy__op_count_of(r.a) > 1, by_col = hy__op_count_of(r.b) > 1;
  for (size_t i = 0; i < q->m; i++) {
    float factor = hy__requantise_factor(&r, by_row ? i : 0, 0);
    for (size_t j = 0; j < q->n; j++) {
      const size_t at = i * q->n + j;
      if (by_col) factor = hy__requantise_factor(&r, by_row ? i : 0, j);
      hy__requantise_store(&r, factor, c[at], &step->out[0], first + at);
    }
  }
}

static void pair(const hy__step *step, const params *q, size_t a, size_t b, size_t index) {
  char *scratch = step->scratch;
  int16_t *left = (int16_t *)(void *)scratch, *right = (int16_t *)(void *)(scratch + q->b_offset);
  const size_t first = index * q->m * q->n;
  const hy_tensor *zero = maybe(step->in, step->n_in, q->at.a_zero);
  const hy__integer_source from = {.t = &step->in[q->at.a],
                                   .zero = zero,
                                   .begin = a * q->m * q->k,
                                   .rows = q->m,
                                   .cols = q->k,
                                   .by_row = zero && hy__op_count_of(zero) > 1};
  hy__integer_call call = {.a = left, .ldc = q->n, .m = q->m, .n = q->n, .k = q->k};
  hy__integer_widen(&from, left);
  call.b = q->b ? q->b + b * q->k * q->n : right;
  if (!q->b) {
    const hy__integer_source source = right_of(q, step->in, step->n_in, b);
    hy__integer_widen(&source, right);
  }
  call.c = q->requantise ? (int32_t *)(void *)(scratch + q->c_offset)
                         : (int32_t *)step->out[0].data + first;
  hy__integer_multiply(&call);
  if (q->requantise) requantise(step, q, call.c, first);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  size_t done = 0;
  (void)err;
  for (size_t row = 0; row < q->walk.n_rows; ++row) {
    for (size_t i = 0; i < q->walk.row; ++i)
      pair(step, q, (size_t)(offsets[0] + (int64_t)i * q->walk.inner[0]),
           (size_t)(offsets[1] + (int64_t)i * q->walk.inner[1]), done++);
    hy__walk_next(&q->walk, index, offsets);
  }
  return HY_OK;
}

static hy_status pack_known(hy__op_plan *p, params *q, size_t n_right, hy_error *err) {
  void *memory;
  size_t count;
  if (!p->in[q->at.b].data || (hy__op_has(p, q->at.b_zero) && !p->in[q->at.b_zero].data))
    return HY_OK;
  HY_FAIL_IF(!hy__mul(n_right, q->k * q->n, &count), HY_LIMIT, err, "B is too large");
  HY_TRY(hy__arena_array(p->arena, count + 1, sizeof(int16_t), &memory, err));
  for (size_t b = 0; b < n_right; b++) {
    const hy__integer_source source = right_of(q, p->in, p->n_in, b);
    hy__integer_widen(&source, (int16_t *)memory + b * q->k * q->n);
  }
  q->b = memory;
  return HY_OK;
}

static size_t lines(size_t bytes) { return (bytes + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN; }

hy_status hy__op_matmul_integer_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->at = ports_of(p->node);
  q->requantise = q->at.y_scale != 0;
  hy_tensor am = as_matrix(&p->in[q->at.a], true), bm = as_matrix(&p->in[q->at.b], false);
  hy_tensor al = leading(&am), bl = leading(&bm), out = {.rank = 0};
  const hy_tensor *const both[2] = {&al, &bl};
  q->m = (size_t)am.dims[am.rank - 2];
  q->n = (size_t)bm.dims[bm.rank - 1];
  q->k = (size_t)am.dims[am.rank - 1];
  HY_TRY(hy__op_broadcast(both, 2, &out.rank, out.dims, err));
  hy__walk_broadcast(&q->walk, &out, both, 2);
  HY_TRY(pack_known(p, q, hy__op_count_of(&bl), err));
  q->b_offset = lines(q->m * q->k * sizeof(int16_t));
  q->c_offset = q->b_offset + (q->b ? 0 : lines(q->k * q->n * sizeof(int16_t)));
  p->scratch_bytes = q->c_offset + (q->requantise ? lines(q->m * q->n * sizeof(int32_t)) : 0);
  p->params = q;
  p->run = run;
  return HY_OK;
}
