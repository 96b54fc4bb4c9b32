/* SPDX-License-Identifier: Apache-2.0
 * Gemm: Y = alpha A' B' + beta C (ONNX 7 and later), and Linear, which passes write: Y = act(X W +
 * B). The bias starts the accumulation; C of other shapes is spread into rows first. */
#include <string.h>

#include "op/product.h"

typedef struct params {
  hy__product product;
  bool trans_a;
  double beta;
  const void *init; /* known bias, spread to rows and scaled */
  size_t init_ld;
  bool spread_at_run;
  size_t a_offset, init_offset; /* in scratch, after the packed right-hand side */
  bool leaky;
  float leaky_alpha;
} params;

static bool is_linear(const hy__op_plan *p) { return p->node->op_type[0] == 'L'; }

hy_status hy__op_gemm_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *a = &p->in[0], *b = &p->in[1];
  bool trans_a = !is_linear(p) && hy__node_int(p->node, "transA", 0) != 0;
  bool trans_b = hy__node_int(p->node, "transB", 0) != 0;
  HY_FAIL_IF(a->rank < 1 || (!is_linear(p) && a->rank != 2) || b->rank != 2, HY_BAD_FORMAT, err,
             "needs matrices, not ranks %d and %d", a->rank, b->rank);
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  int64_t dims[HY_MAX_RANK];
  int32_t rank = a->rank;
  memcpy(dims, a->dims, sizeof dims);
  if (trans_a) dims[0] = a->dims[1];
  int64_t k = trans_a ? a->dims[0] : a->dims[rank - 1];
  HY_FAIL_IF(b->dims[trans_b ? 1 : 0] != k, HY_BAD_FORMAT, err,
             "the inner dimensions differ: %lld and %lld", (long long)k,
             (long long)b->dims[trans_b ? 1 : 0]);
  dims[rank - 1] = b->dims[trans_b ? 0 : 1];
  HY_TRY(hy__op_out(p, 0, a->dtype, rank, dims, err));
  if (!hy__op_has(p, 2)) return HY_OK;
  HY_TRY(hy__op_same_type(p, 0, 2, err));
  const hy_tensor *const both[2] = {&p->out[0], &p->in[2]};
  int64_t spread[HY_MAX_RANK];
  int32_t spread_rank = 0;
  HY_TRY(hy__op_broadcast(both, 2, &spread_rank, spread, err));
  HY_FAIL_IF(spread_rank != rank || memcmp(spread, dims, (size_t)rank * sizeof *dims) != 0,
             HY_BAD_FORMAT, err, "C does not broadcast to the product's shape");
  return HY_OK;
}

/* The rows of C: 1 where all rows of the product share it, else m. */
static size_t bias_rows(const hy__op_plan *p) {
  const hy_tensor *c = &p->in[2];
  size_t n = hy__op_count_of(c);
  bool one = n == 1 || (c->rank >= 1 && n == (size_t)c->dims[c->rank - 1]);
  if (c->rank >= 1 && n > 1 && c->dims[c->rank - 1] == 1) one = false;
  return one ? 1 : hy__op_count_of(&p->out[0]) / (size_t)p->out[0].dims[p->out[0].rank - 1];
}

/* C over `rows` rows of n, times beta: C is a scalar, a row, a column or the whole. */
static void spread(const hy_tensor *c, double beta, size_t rows, size_t n, void *out) {
  size_t count = hy__op_count_of(c);
  bool column = count == rows && n != 1 && rows != 1 && (c->rank < 1 || c->dims[c->rank - 1] == 1);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < n; ++j) {
      size_t at = count == 1 ? 0 : column ? i : count == n ? j : i * n + j;
      if (c->dtype == HY_F64)
        ((double *)out)[i * n + j] = ((const double *)c->data)[at] * beta;
      else
        ((float *)out)[i * n + j] = ((const float *)c->data)[at] * (float)beta;
    }
  }
}

static void transpose(const hy_tensor *a, void *out) {
  size_t rows = (size_t)a->dims[0], cols = (size_t)a->dims[1];
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < cols; ++j) {
      if (a->dtype == HY_F64)
        ((double *)out)[j * rows + i] = ((double *)a->data)[i * cols + j];
      else
        ((float *)out)[j * rows + i] = ((float *)a->data)[i * cols + j];
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__product *product = &q->product;
  char *scratch = step->scratch;
  hy__product_call call = {.a = step->in[0].data, .c = step->out[0].data};
  (void)err;
  if (product->m == 0 || product->n == 0) return HY_OK;
  call.right = hy__product_right(product, step->kernels, step->in[1].data, scratch);
  if (q->trans_a) {
    transpose(&step->in[0], scratch + q->a_offset);
    call.a = scratch + q->a_offset;
  }
  if (q->spread_at_run) {
    spread(&step->in[2], q->beta, q->init_ld ? product->m : 1, product->n,
           scratch + q->init_offset);
    call.init = scratch + q->init_offset;
  } else if (q->init) {
    call.init = q->init;
  } else if (step->n_in > 2 && q->beta != 0.0) {
    call.init = step->in[2].data;
  }
  call.init_ld = q->init_ld;
  HY_TRY(hy__product_divide(product, step, &call, err));
  if (q->leaky) {
    size_t n = product->m * product->n;
    if (product->dtype == HY_F32)
      step->kernels->unary_f32->fn[HY__UNARY_LEAKY_RELU](call.c, call.c, n, q->leaky_alpha, 0);
    else
      step->kernels->unary_f64->fn[HY__UNARY_LEAKY_RELU](call.c, call.c, n, (double)q->leaky_alpha,
                                                         0);
  }
  return HY_OK;
}

static hy_status lower_bias(hy__op_plan *p, params *q, hy_error *err) {
  if (!hy__op_has(p, 2) || q->beta == 0.0) return HY_OK;
  const hy_tensor *c = &p->in[2];
  size_t rows = bias_rows(p), n = q->product.n, bytes;
  HY_FAIL_IF(!hy__mul(rows * n, hy_dtype_bytes(c->dtype), &bytes), HY_LIMIT, err, "C is too large");
  q->init_ld = rows == 1 ? 0 : n;
  if (q->beta == 1.0 && hy__op_count_of(c) == rows * n) {
    q->init = c->data; /* NULL where it is not known: the run takes it */
  } else if (c->data) {
    void *init;
    HY_TRY(hy__arena_alloc(p->arena, bytes + 1, HY_ALIGN, &init, err));
    spread(c, q->beta, rows, n, init);
    q->init = init;
  } else {
    q->spread_at_run = true;
    q->init_offset = p->scratch_bytes;
    p->scratch_bytes += (bytes + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
  }
  return HY_OK;
}

static hy_status lower_activation(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const names[] = {"", "Relu", "Sigmoid", "Tanh"};
  hy_string name = hy__node_string(p->node, "activation", "");
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    if (name.len_bytes == strlen(names[i]) && !memcmp(name.data, names[i], name.len_bytes)) {
      q->product.act = (hy__act)i;
      return HY_OK;
    }
  }
  q->leaky = name.len_bytes == 9 && !memcmp(name.data, "LeakyRelu", 9);
  HY_FAIL_IF(!q->leaky, HY_UNSUPPORTED, err, "activation '%.*s'", (int)name.len_bytes, name.data);
  q->leaky_alpha = hy__node_float(p->node, "alpha", 0.01f);
  return HY_OK;
}

hy_status hy__op_gemm_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *a = &p->in[0], *y = &p->out[0];
  params *q;
  if (a->dtype != HY_F32 && a->dtype != HY_F64) return hy__gemm_integer_lower(p, err);
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  bool linear = is_linear(p);
  q->trans_a = !linear && hy__node_int(p->node, "transA", 0) != 0;
  q->beta = linear ? 1.0 : (double)hy__node_float(p->node, "beta", 1.0f);
  hy__product *product = &q->product;
  product->dtype = a->dtype;
  product->n = (size_t)y->dims[y->rank - 1];
  product->m = product->n ? hy__op_count_of(y) / product->n : 0;
  product->k = (size_t)a->dims[q->trans_a ? 0 : a->rank - 1];
  product->weights = true;
  product->transposed = hy__node_int(p->node, "transB", 0) != 0;
  product->alpha = linear ? 1.0 : (double)hy__node_float(p->node, "alpha", 1.0f);
  if (linear) HY_TRY(lower_activation(p, q, err));
  HY_TRY(hy__product_lower(p, product, p->in[1].data, err));
  p->scratch_bytes = product->packed ? 0 : product->packed_bytes;
  if (q->trans_a) {
    q->a_offset = p->scratch_bytes;
    p->scratch_bytes += (hy__op_bytes_of(a) + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
  }
  if (product->m && product->n) HY_TRY(lower_bias(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
