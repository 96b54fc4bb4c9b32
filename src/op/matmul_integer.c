/* SPDX-License-Identifier: Apache-2.0 */
/* MatMulInteger and QLinearMatMul, and com.microsoft's MatMulIntegerToFloat, DynamicQuantizeMatMul
 * and QGemm: matrices of 8-bit integers by MatMul's rule, zero points one for a matrix, one per row
 * of A or one per column of B. */
#include "op/integer_product.h"

typedef struct ports {
  const char *name;
  size_t a, b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero, bias; /* inputs; 0: has none */
} ports;

static const ports table[] = {
    {"MatMulInteger", .b = 1, .a_zero = 2, .b_zero = 3},
    {"QLinearMatMul", 0, 3, 2, 5, 1, 4, 6, 7, 0},
    {"QGemm", 0, 3, 2, 5, 1, 4, 7, 8, 6},
    {"MatMulIntegerToFloat", 0, 1, 4, 5, 2, 3, 0, 0, 6},
    {"DynamicQuantizeMatMul", .b = 1, .b_scale = 2, .b_zero = 3, .bias = 4},
};

typedef enum kind { SUMS, BYTES, FLOATS } kind;

typedef struct shape {
  ports at;
  kind kind;
  bool trans_b, dynamic; /* dynamic: A is float */
  hy_tensor a, b;        /* [leading.., rows, columns] */
  size_t m, n, k;
} shape;

typedef struct params {
  ports at;
  kind kind;
  bool dynamic, row_scales;
  hy_dtype y;
  float alpha;
  hy__integer_gemm gemm;
  hy__walk walk;        /* over the pairs: matrix numbers of A and B */
  const float *factors; /* NULL: at run */
  size_t factor_step, factors_at, a_at;
} params;

static hy_status shape_read(const hy__op_plan *p, shape *s, hy_error *err) {
  size_t k = 0;
  while (strcmp(table[k].name, p->node->op_type) != 0) k++;
  *s = (shape){.at = table[k]};
  const hy_tensor *a = &p->in[s->at.a], *b = &p->in[s->at.b];
  HY_FAIL_IF(a->rank < 1 || b->rank < 1, HY_BAD_FORMAT, err, "a scalar is no matrix");
  HY_FAIL_IF(hy__node_int(p->node, "transA", 0) != 0, HY_UNSUPPORTED, err, "transA of integers");
  s->kind = !s->at.b_scale ? SUMS : s->at.y_scale && hy__op_has(p, s->at.y_scale) ? BYTES : FLOATS;
  s->dynamic = a->dtype == HY_F32;
  s->trans_b = hy__node_int(p->node, "transB", 0) != 0;
  HY_FAIL_IF(s->trans_b && b->rank != 2, HY_BAD_FORMAT, err, "B has %d dims, not 2", b->rank);
  s->a = hy__op_as_matrix(a, true), s->b = hy__op_as_matrix(b, false);
  s->m = (size_t)s->a.dims[s->a.rank - 2];
  s->k = (size_t)s->b.dims[s->b.rank - (s->trans_b ? 1 : 2)];
  s->n = (size_t)s->b.dims[s->b.rank - (s->trans_b ? 2 : 1)];
  HY_FAIL_IF((size_t)s->a.dims[s->a.rank - 1] != s->k, HY_BAD_FORMAT, err,
             "the inner dimensions differ: %lld and %zu", (long long)s->a.dims[s->a.rank - 1],
             s->k);
  return HY_OK;
}

/* Scales and zero points: one, one per row of A, or one per column of B. */
static hy_status check_scales(const hy__op_plan *p, const shape *s, hy_error *err) {
  const ports *at = &s->at;
  const int64_t m = (int64_t)s->m, n = (int64_t)s->n;
  if (at->a_zero) HY_TRY(hy__integer_list(p, at->a_zero, m, "a_zero_point", err));
  HY_TRY(hy__integer_list(p, at->b_zero, n, "b_zero_point", err));
  if (s->kind == SUMS) return HY_OK;
  const hy_dtype type = p->in[at->b_scale].dtype;
  HY_FAIL_IF(!((1u << HY_F32 | HY__OP_HALVES) >> type & 1), HY_UNSUPPORTED, err,
             "scales of type %s", hy_dtype_name(type));
  if (at->a_scale) {
    HY_TRY(hy__op_same_type(p, at->a_scale, at->b_scale, err));
    HY_TRY(hy__integer_list(p, at->a_scale, m, "a_scale", err));
  }
  HY_TRY(hy__integer_list(p, at->b_scale, n, "b_scale", err));
  if (s->kind == FLOATS) {
    HY_FAIL_IF(type != HY_F32, HY_UNSUPPORTED, err, "a product of type %s", hy_dtype_name(type));
    return HY_OK;
  }
  HY_TRY(hy__op_same_type(p, at->b_scale, at->y_scale, err));
  HY_TRY(hy__integer_list(p, at->y_scale, 1, "y_scale", err));
  return hy__integer_list(p, at->y_zero, 1, "y_zero_point", err);
}

static hy_status check_bias(const hy__op_plan *p, const shape *s, hy_error *err) {
  if (!s->at.bias || !hy__op_has(p, s->at.bias)) return HY_OK;
  const hy_tensor *t = &p->in[s->at.bias];
  const hy_dtype type = s->at.y_scale ? HY_I32 : HY_F32;
  HY_FAIL_IF(t->dtype != type, HY_UNSUPPORTED, err, "a bias of type %s", hy_dtype_name(t->dtype));
  HY_FAIL_IF(hy__op_count_of(t) != s->n || t->rank < 1 || (size_t)t->dims[t->rank - 1] != s->n,
             HY_UNSUPPORTED, err, "a bias of %zu elements; one per column, %zu, are done",
             hy__op_count_of(t), s->n);
  return HY_OK;
}

static hy_status output_type(const hy__op_plan *p, const shape *s, hy_dtype *y, hy_error *err) {
  const hy_tensor *a = &p->in[s->at.a], *b = &p->in[s->at.b];
  *y = s->kind == SUMS ? HY_I32 : s->kind == FLOATS ? HY_F32 : a->dtype;
  if (s->kind == BYTES && hy__op_has(p, s->at.y_zero)) *y = p->in[s->at.y_zero].dtype;
  const bool left = hy__integer_is_byte(a->dtype) || (s->dynamic && !s->at.a_zero);
  HY_FAIL_IF(!left || !hy__integer_is_byte(b->dtype) ||
                 (s->kind == BYTES && !hy__integer_is_byte(*y)),
             HY_UNSUPPORTED, err, "a product of %s and %s to %s", hy_dtype_name(a->dtype),
             hy_dtype_name(b->dtype), hy_dtype_name(*y));
  return HY_OK;
}

hy_status hy__op_matmul_integer_infer(hy__op_plan *p, hy_error *err) {
  shape s;
  hy_dtype y;
  HY_TRY(shape_read(p, &s, err));
  HY_TRY(output_type(p, &s, &y, err));
  HY_TRY(check_scales(p, &s, err));
  HY_TRY(check_bias(p, &s, err));
  hy_tensor al = hy__op_leading(&s.a), bl = hy__op_leading(&s.b);
  const hy_tensor *const both[2] = {&al, &bl};
  int64_t dims[HY_MAX_RANK];
  int32_t rank = 0;
  HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
  HY_FAIL_IF(rank > HY_MAX_RANK - 2, HY_LIMIT, err, "more than %d dims", HY_MAX_RANK);
  if (p->in[s.at.a].rank > 1) dims[rank++] = (int64_t)s.m;
  if (p->in[s.at.b].rank > 1) dims[rank++] = (int64_t)s.n;
  return hy__op_out(p, 0, y, rank, dims, err);
}

static hy__requantise scales_of(const params *q, const hy_tensor *in, const hy_tensor *a) {
  return (hy__requantise){.a = q->dynamic ? a : &in[q->at.a_scale],
                          .b = &in[q->at.b_scale],
                          .y = q->kind == BYTES ? &in[q->at.y_scale] : NULL,
                          .alpha = q->alpha};
}

/* A of floats to bytes over its extremes; its scale and zero point. */
static void quantise(const hy__step *step, const params *q, float *scale, int32_t *zero) {
  const hy__integer *kernel = step->kernels->integer;
  const size_t n = hy__op_count_of(&step->in[q->at.a]);
  const hy__integer_end end = hy__integer_span(kernel, step->in[q->at.a].data, n, 1.0f, scale);
  kernel->quantise(step->in[q->at.a].data, n, &end, (uint8_t *)step->scratch + q->a_at);
  *zero = end.zero;
}

static void call_fill(const hy__step *step, const params *q, hy__integer_call *call, float *scale,
                      hy__requantise *scales, hy_tensor *a_scale) {
  const hy_tensor *a_zero = q->at.a_zero ? hy__integer_input(step, q->at.a_zero) : NULL;
  const hy_tensor *bias = q->at.bias ? hy__integer_input(step, q->at.bias) : NULL;
  *call = (hy__integer_call){.a = step->in[q->at.a].data, .a_zeros = a_zero};
  if (!q->gemm.by_row) call->a_zero = hy__integer_at(a_zero, 0);
  if (q->dynamic) {
    quantise(step, q, scale, &call->a_zero);
    call->a = (const uint8_t *)step->scratch + q->a_at;
    *a_scale = (hy_tensor){.data = scale, .dtype = HY_F32};
  }
  if (q->kind == SUMS) return;
  const hy_tensor *y_zero = q->kind == BYTES ? hy__integer_input(step, q->at.y_zero) : NULL;
  call->end = hy__integer_end_of(y_zero, q->y);
  call->end.factor_step = q->factor_step;
  call->end.factor = q->factors;
  *scales = scales_of(q, step->in, a_scale);
  if (q->row_scales) {
    call->row_scales = scales;
  } else if (!q->factors) {
    float *factors = (float *)(void *)((char *)step->scratch + q->factors_at);
    hy__requantise_factors(scales, 0, factors);
    call->end.factor = factors;
  }
  if (!bias) return;
  if (q->at.y_scale)
    call->bias = bias->data;
  else
    call->end.bias = bias->data;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t a_each = q->gemm.m * q->gemm.right.each, y_each = q->gemm.m * q->gemm.right.n;
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  size_t done = 0;
  float scale;
  hy__requantise scales;
  hy_tensor a_scale;
  hy__integer_call whole;
  call_fill(step, q, &whole, &scale, &scales, &a_scale);
  for (size_t row = 0; row < q->walk.n_rows; ++row) {
    for (size_t i = 0; i < q->walk.row; ++i, ++done) {
      hy__integer_call call = whole;
      call.a += (size_t)(offsets[0] + (int64_t)i * q->walk.inner[0]) * a_each;
      call.index = (size_t)(offsets[1] + (int64_t)i * q->walk.inner[1]);
      if (q->kind == SUMS) call.sums = (int32_t *)step->out[0].data + done * y_each;
      if (q->kind == BYTES) call.bytes = (uint8_t *)step->out[0].data + done * y_each;
      if (q->kind == FLOATS) call.floats = (float *)step->out[0].data + done * y_each;
      HY_TRY(hy__integer_gemm_run(step, &q->gemm, &call, err));
    }
    hy__walk_next(&q->walk, index, offsets);
  }
  return HY_OK;
}

static hy_status factors_lower(hy__op_plan *p, params *q, hy_error *err) {
  if (q->kind == SUMS) return HY_OK;
  const size_t n = hy__op_count_of(&p->in[q->at.b_scale]);
  void *memory;
  q->factor_step = n > 1;
  if (!q->dynamic && p->in[q->at.a_scale].data && p->in[q->at.b_scale].data &&
      (q->kind == FLOATS || p->in[q->at.y_scale].data)) {
    HY_TRY(hy__arena_array(p->arena, n, sizeof(float), &memory, err));
    const hy__requantise scales = scales_of(q, p->in, NULL);
    hy__requantise_factors(&scales, 0, memory);
    q->factors = memory;
    return HY_OK;
  }
  HY_FAIL_IF(!hy__integer_room(p, &q->factors_at, n, sizeof(float)), HY_LIMIT, err,
             "B is too large");
  return HY_OK;
}

hy_status hy__op_matmul_integer_lower(hy__op_plan *p, hy_error *err) {
  shape s;
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  HY_TRY(shape_read(p, &s, err));
  params *q = memory;
  *q = (params){.at = s.at, .kind = s.kind, .dynamic = s.dynamic, .y = p->out[0].dtype};
  q->alpha = hy__node_float(p->node, "alpha", 1.0f);
  hy_tensor al = hy__op_leading(&s.a), bl = hy__op_leading(&s.b), out = {.rank = 0};
  const hy_tensor *const both[2] = {&al, &bl};
  const bool zeros = s.at.a_zero && hy__op_has(p, s.at.a_zero);
  q->gemm.by_row = zeros && hy__op_count_of(&p->in[s.at.a_zero]) > 1;
  q->row_scales = s.kind != SUMS && s.at.a_scale && hy__op_count_of(&p->in[s.at.a_scale]) > 1;
  if (bl.rank == 0 && !q->gemm.by_row && !q->row_scales) { /* all rows as one product */
    s.m *= hy__op_count_of(&al);
    al.rank = 0;
  }
  HY_TRY(hy__op_broadcast(both, 2, &out.rank, out.dims, err));
  hy__walk_broadcast(&q->walk, &out, both, 2);
  q->gemm.m = s.m;
  q->gemm.a_signed = p->in[s.at.a].dtype == HY_I8;
  q->gemm.right = (hy__integer_right){.b = s.at.b,
                                      .b_zero = s.at.b_zero,
                                      .n_right = hy__op_count_of(&bl),
                                      .n_taps = 1,
                                      .each = s.k,
                                      .n = s.n,
                                      .k_stride = s.trans_b ? 1 : (ptrdiff_t)s.n,
                                      .n_stride = s.trans_b ? (ptrdiff_t)s.k : 1};
  HY_TRY(hy__integer_gemm_lower(p, &q->gemm, s.kind == SUMS, err));
  HY_TRY(factors_lower(p, q, err));
  if (q->dynamic)
    HY_FAIL_IF(!hy__integer_room(p, &q->a_at, hy__op_count_of(&p->in[s.at.a]), 1), HY_LIMIT, err,
               "A is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
