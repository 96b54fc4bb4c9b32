/* SPDX-License-Identifier: Apache-2.0
 * MatMul by NumPy's rule: leading dims broadcast, vectors count as a row on the left and a column
 * on the right. A known right-hand matrix is packed once, and all rows of the left pass over it as
 * one product. Integers run in a plain loop and wrap. */
#include <string.h>

#include "op/product.h"

typedef struct params {
  hy__product product;     /* of one matrix pair */
  hy__walk walk;           /* over the pairs: matrix numbers of A and B */
  size_t n_pairs, n_right; /* right-hand matrices */
  const void **packed;     /* n_right packed matrices, NULL: at run */
} params;

hy_status hy__op_matmul_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *a = &p->in[0], *b = &p->in[1];
  HY_FAIL_IF(a->rank < 1 || b->rank < 1, HY_BAD_FORMAT, err, "a scalar is no matrix");
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  hy_tensor am = hy__op_as_matrix(a, true), bm = hy__op_as_matrix(b, false);
  HY_FAIL_IF(am.dims[am.rank - 1] != bm.dims[bm.rank - 2], HY_BAD_FORMAT, err,
             "the inner dimensions differ: %lld and %lld", (long long)am.dims[am.rank - 1],
             (long long)bm.dims[bm.rank - 2]);
  hy_tensor al = hy__op_leading(&am), bl = hy__op_leading(&bm);
  const hy_tensor *const both[2] = {&al, &bl};
  int64_t dims[HY_MAX_RANK];
  int32_t rank = 0;
  HY_TRY(hy__op_broadcast(both, 2, &rank, dims, err));
  HY_FAIL_IF(rank > HY_MAX_RANK - 2, HY_LIMIT, err, "more than %d dims", HY_MAX_RANK);
  if (a->rank > 1) dims[rank++] = am.dims[am.rank - 2];
  if (b->rank > 1) dims[rank++] = bm.dims[bm.rank - 1];
  return hy__op_out(p, 0, a->dtype, rank, dims, err);
}

#define INTEGER(type, wide)                                                                        \
  static void product_##type(const hy__product *q, const void *a, const void *b, void *c) {        \
    for (size_t i = 0; i < q->m; ++i) {                                                            \
      for (size_t j = 0; j < q->n; ++j) {                                                          \
        wide sum = 0;                                                                              \
        for (size_t k = 0; k < q->k; ++k)                                                          \
          sum += (wide)((const type *)a)[i * q->k + k] * (wide)((const type *)b)[k * q->n + j];    \
        ((type *)c)[i * q->n + j] = (type)sum;                                                     \
      }                                                                                            \
    }                                                                                              \
  }
INTEGER(uint32_t, uint32_t)
INTEGER(uint64_t, uint64_t)
#undef INTEGER

static hy_status pair(const hy__step *step, const params *q, const size_t at[3], hy_error *err) {
  const size_t a_index = at[0], b_index = at[1], index = at[2];
  const hy__product *product = &q->product;
  const size_t each = hy_dtype_bytes(product->dtype);
  const char *a = (const char *)step->in[0].data + a_index * product->m * product->k * each;
  const char *b = (const char *)step->in[1].data + b_index * product->k * product->n * each;
  char *c = (char *)step->out[0].data + index * product->m * product->n * each;
  switch (product->dtype) {
  case HY_I32:
  case HY_U32: product_uint32_t(product, a, b, c); return HY_OK;
  case HY_I64:
  case HY_U64: product_uint64_t(product, a, b, c); return HY_OK;
  default: break;
  }
  hy__product_call call = {.a = a, .c = c};
  call.right =
      q->packed ? q->packed[b_index] : hy__product_right(product, step->kernels, b, step->scratch);
  return hy__product_divide(product, step, &call, err);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  size_t done = 0;
  if (q->product.m == 0 || q->product.n == 0) return HY_OK;
  for (size_t row = 0; row < q->walk.n_rows; ++row) {
    for (size_t i = 0; i < q->walk.row; ++i) {
      size_t a = (size_t)(offsets[0] + (int64_t)i * q->walk.inner[0]);
      size_t b = (size_t)(offsets[1] + (int64_t)i * q->walk.inner[1]);
      HY_TRY(pair(step, q, (const size_t[3]){a, b, done++}, err));
    }
    hy__walk_next(&q->walk, index, offsets);
  }
  return HY_OK;
}

static hy_status pack_known(hy__op_plan *p, params *q, hy_error *err) {
  const size_t bytes = q->product.k * q->product.n * hy_dtype_bytes(q->product.dtype);
  HY_TRY(hy__arena_array(p->arena, q->n_right, sizeof *q->packed, (void **)&q->packed, err));
  for (size_t i = 0; i < q->n_right; ++i) {
    HY_TRY(hy__product_lower(p, &q->product, (const char *)p->in[1].data + i * bytes, err));
    q->packed[i] = q->product.packed;
  }
  return HY_OK;
}

hy_status hy__op_matmul_lower(hy__op_plan *p, hy_error *err) {
  hy_tensor am = hy__op_as_matrix(&p->in[0], true), bm = hy__op_as_matrix(&p->in[1], false);
  hy_tensor al = hy__op_leading(&am), bl = hy__op_leading(&bm), out = {.rank = 0};
  const hy_tensor *const both[2] = {&al, &bl};
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->product = (hy__product){.dtype = p->in[0].dtype,
                             .m = (size_t)am.dims[am.rank - 2],
                             .n = (size_t)bm.dims[bm.rank - 1],
                             .k = (size_t)am.dims[am.rank - 1],
                             .weights = true,
                             .alpha = 1.0};
  HY_TRY(hy__op_broadcast(both, 2, &out.rank, out.dims, err));
  q->n_right = hy__op_count_of(&bl);
  if (q->n_right == 1 && hy__op_count_of(&al) == hy__op_count_of(&out)) {
    q->product.m *= hy__op_count_of(&al); /* one product of all rows */
    out.rank = al.rank = bl.rank = 0;
  }
  hy__walk_broadcast(&q->walk, &out, both, 2);
  bool real = q->product.dtype == HY_F32 || q->product.dtype == HY_F64;
  if (real && p->in[1].data && q->n_right <= 4096)
    HY_TRY(pack_known(p, q, err));
  else if (real)
    HY_TRY(hy__product_lower(p, &q->product, NULL, err));
  p->scratch_bytes = q->packed ? 0 : q->product.packed_bytes;
  p->params = q;
  p->run = run;
  return HY_OK;
}
