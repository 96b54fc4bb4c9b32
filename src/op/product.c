/* SPDX-License-Identifier: Apache-2.0
 * A matrix product with an offline or run-time packed right-hand side, in float32 and float64. */
#include "op/product.h"

typedef struct packing {
  const hy__product *product;
  const hy__kernels *kernels;
  const void *b;
  bool rounded;
} packing;

static hy__gemm_source source_of(const hy__product *product, const void *b) {
  ptrdiff_t n = (ptrdiff_t)product->n, k = (ptrdiff_t)product->k;
  return (hy__gemm_source){.b = b,
                           .k_stride = product->transposed ? 1 : n,
                           .n_stride = product->transposed ? k : 1,
                           .k = product->k,
                           .n = product->n,
                           .alpha = (float)product->alpha};
}

/* Float64 is not packed into panels: a transposed or scaled copy, where there is need of one. */
static void copy_f64(const hy__product *product, const double *b, double *out) {
  const size_t n = product->n, k = product->k;
  for (size_t i = 0; i < k; ++i)
    for (size_t j = 0; j < n; ++j)
      out[i * n + j] = (product->transposed ? b[j * k + i] : b[i * n + j]) * product->alpha;
}

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  const packing *p = ctx;
  (void)err;
  if (p->product->dtype == HY_F64) {
    copy_f64(p->product, p->b, packed);
    return HY_OK;
  }
  const hy__gemm_source source = source_of(p->product, p->b);
  if (p->product->pairs) {
    hy__gemm_f32_pack_pairs(p->kernels->gemm_f32, &source, packed);
    return HY_OK;
  }
  hy__gemm_f32_pack(p->kernels->gemm_f32, &source, packed);
  if (p->rounded) hy__bf16_round(packed, p->product->packed_bytes / sizeof(float));
  return HY_OK;
}

static bool packed_bytes(const hy__product *product, const hy__kernels *kernels, size_t *out) {
  size_t n = 0, bytes = 0;
  if (product->dtype == HY_F64) {
    if (!product->transposed && product->alpha == 1.0) {
      *out = 0;
      return true;
    }
    return hy__mul(product->n, product->k, &n) && hy__mul(n, sizeof(double), &bytes) &&
           hy__round_up(bytes, HY_ALIGN, out);
  }
  return (product->pairs ? hy__gemm_f32_pairs_n
                         : hy__gemm_f32_packed_n)(kernels->gemm_f32, product->k, product->n, &n) &&
         hy__mul(n, sizeof(float), &bytes) && hy__round_up(bytes, HY_ALIGN, out);
}

hy_status hy__product_lower(hy__op_plan *p, hy__product *product, const void *b, hy_error *err) {
  const bool rounded = b && product->weights && p->packs->halves && product->dtype == HY_F32;
  product->pairs = rounded && product->m == 1 && product->n > HY__GEMM_NARROW;
  HY_FAIL_IF(!packed_bytes(product, p->kernels, &product->packed_bytes), HY_LIMIT, err,
             "a matrix of %zu x %zu is too large", product->k, product->n);
  product->packed = NULL;
  if (!b) return HY_OK;
  if (product->packed_bytes == 0) {
    product->packed = b;
    return HY_OK;
  }
  packing ctx = {product, p->kernels, b, rounded};
  hy__gemm_source source = source_of(product, b);
  uint32_t layout = hy__gemm_f32_layout(p->kernels->gemm_f32, &source) & 0xffffu;
  const char form = product->dtype == HY_F64 ? 'd' : product->pairs ? 'p' : rounded ? 'h' : 'f';
  return hy__pack_get(p->packs, b, HY__PACK('g', form, layout), product->packed_bytes, fill, &ctx,
                      &product->packed, err);
}

const void *hy__product_right(const hy__product *product, const hy__kernels *kernels, const void *b,
                              void *scratch) {
  if (product->packed) return product->packed;
  if (product->packed_bytes == 0) return b;
  packing ctx = {product, kernels, b, false};
  hy_status status = fill(&ctx, scratch, NULL); /* cannot fail */
  (void)status;
  return scratch;
}

static void run_f64(const hy__product *product, const hy__kernels *kernels,
                    const hy__product_call *call) {
  static const hy__unary after[] = {[HY__ACT_RELU] = HY__UNARY_RELU,
                                    [HY__ACT_SIGMOID] = HY__UNARY_SIGMOID,
                                    [HY__ACT_TANH] = HY__UNARY_TANH};
  const hy__gemm_f64_call gemm = {.a = call->a,
                                  .lda = product->k,
                                  .b = call->right,
                                  .ldb = product->n,
                                  .init = call->init,
                                  .init_ld = call->init_ld,
                                  .c = call->c,
                                  .ldc = product->n,
                                  .m = product->m,
                                  .n = product->n,
                                  .k = product->k};
  kernels->gemm_f64->run(&gemm);
  if (product->act != HY__ACT_NONE)
    kernels->unary_f64->fn[after[product->act]](call->c, call->c, product->m * product->n, 0, 0);
}

typedef struct division {
  const hy__gemm_f32 *kernel;
  const hy__gemm_f32_call *whole;
  size_t n_parts;
  bool by_rows;
} division;

static void part_of(const division *d, size_t part, hy__gemm_f32_call *call) {
  const size_t n = d->by_rows ? call->m : call->n / d->kernel->panel;
  const size_t unit = d->by_rows ? 1 : d->kernel->panel;
  const size_t from = n * part / d->n_parts * unit, to = n * (part + 1) / d->n_parts * unit;
  if (d->by_rows) {
    call->a += from * call->lda;
    if (call->init) call->init += from * call->init_ld;
    call->c += from * call->ldc;
    call->m = to - from;
  } else { /* whole panels; the last part takes what is left of one */
    call->packed += from * (call->pairs ? (call->k + 1) / 2 : call->k);
    if (call->init) call->init += from;
    call->c += from;
    call->n = (part + 1 == d->n_parts ? call->n : to) - from;
  }
}

static hy_status run_parts(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const division *d = ctx;
  (void)worker, (void)err;
  for (size_t part = begin; part < end; ++part) {
    hy__gemm_f32_call call = *d->whole;
    part_of(d, part, &call);
    d->kernel->run(&call);
  }
  return HY_OK;
}

/* Into how many parts: one where a part would not outweigh the wake of a worker by far. */
static division divide(const hy__step *step, const hy__gemm_f32_call *gemm) {
  enum { MACS_MIN = 1 << 18, ROWS_MIN = 28, PARTS_PER_WORKER = 2 };
  const hy__gemm_f32 *kernel = step->kernels->gemm_f32;
  division d = {kernel, gemm, 1, true};
  const size_t macs = gemm->m * gemm->n * gemm->k; /* of memory that exists: no overflow */
  if (!hy__pool_worth(step->pool, macs)) return d;
  const size_t n_workers = hy__pool_n_workers(step->pool);
  const size_t most = HY_MIN(macs / (MACS_MIN / 2), n_workers * PARTS_PER_WORKER);
  d.by_rows = gemm->m >= n_workers * ROWS_MIN || gemm->n < 2 * kernel->panel;
  const size_t units = d.by_rows ? gemm->m / ROWS_MIN : gemm->n / kernel->panel;
  const size_t parts = HY_MIN(units, most);
  d.n_parts = parts < n_workers ? HY_MAX(parts, (size_t)1) : parts / n_workers * n_workers;
  if (!d.by_rows) d.n_parts = HY_MIN(d.n_parts, n_workers);
  return d;
}

static hy__gemm_f32_call gemm_of(const hy__product *product, const hy__product_call *call) {
  return (hy__gemm_f32_call){.a = call->a,
                             .lda = product->k,
                             .packed = call->right,
                             .init = call->init,
                             .init_ld = call->init_ld,
                             .c = call->c,
                             .ldc = product->n,
                             .m = product->m,
                             .n = product->n,
                             .k = product->k,
                             .act = product->act,
                             .pairs = product->pairs};
}

void hy__product_run(const hy__product *product, const hy__kernels *kernels,
                     const hy__product_call *call) {
  if (product->dtype == HY_F64) {
    run_f64(product, kernels, call);
    return;
  }
  const hy__gemm_f32_call gemm = gemm_of(product, call);
  kernels->gemm_f32->run(&gemm);
}

hy_status hy__product_divide(const hy__product *product, const hy__step *step,
                             const hy__product_call *call, hy_error *err) {
  if (product->dtype == HY_F64) {
    run_f64(product, step->kernels, call);
    return HY_OK;
  }
  hy__gemm_f32_call gemm = gemm_of(product, call);
  gemm.turned = step->turned;
  division d = divide(step, &gemm);
  if (d.n_parts > 1) return hy__pool_for(step->pool, d.n_parts, 1, run_parts, &d, err);
  d.kernel->run(&gemm);
  return HY_OK;
}
