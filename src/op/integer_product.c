/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers: see integer_product.h. With bytes flipped to unsigned A and signed B,
 * and zero points moved as far, the sum over k of (a - za)(b - zb) is that of a b, less za times
 * the sum of a column of B (known when B is packed), less zb times (the sum of a row of A - k za).
 */
#include "op/integer_product.h"

#include <math.h>

bool hy__integer_room(hy__op_plan *p, size_t *at, size_t n, size_t each) {
  size_t bytes;
  *at = p->scratch_bytes;
  return hy__mul(n, each, &bytes) && hy__round_up(bytes, HY_ALIGN, &bytes) &&
         hy__add(*at, bytes, &p->scratch_bytes);
}

hy_status hy__integer_list(const hy__op_plan *p, size_t k, int64_t n, const char *name,
                           hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  const size_t count = hy__op_count_of(t);
  HY_FAIL_IF(count != 1 && (t->rank != 1 || count != (size_t)n), HY_UNSUPPORTED, err,
             "%s has %zu elements in %d dims; one, or %lld in one dim are done", name, count,
             (int)t->rank, (long long)n);
  return HY_OK;
}

/* --- scales --- */

static float rounded(hy_dtype type, float v) {
  if (type == HY_F32) return v;
  return hy__narrow_decode(type, hy__narrow_encode(type, (double)v, false));
}

static float scale_at(const hy_tensor *t, size_t i) {
  if (!t) return 1.0f;
  return t->dtype == HY_F32 ? ((const float *)t->data)[i] : (float)hy__narrow_value(t, i);
}

void hy__requantise_factors(const hy__requantise *r, size_t a, float *to) {
  const size_t n = hy__op_count_of(r->b);
  const hy_dtype type = r->a->dtype;
  const float scale = scale_at(r->a, a) * r->alpha, y = scale_at(r->y, 0);
  if (type == HY_F32) {
    const float *b = r->b->data;
    for (size_t j = 0; j < n; j++) to[j] = scale * b[j] / y;
    return;
  }
  for (size_t j = 0; j < n; j++)
    to[j] = rounded(type, rounded(type, scale * scale_at(r->b, j)) / y);
}

hy__integer_end hy__integer_end_of(const hy_tensor *zero, hy_dtype y) {
  return (hy__integer_end){.zero = hy__integer_at(zero, 0), .least = y == HY_I8 ? -128 : 0};
}

hy__integer_end hy__integer_span(const hy__integer *kernel, const float *x, size_t n, float none,
                                 float *scale) {
  float range[2];
  kernel->extremes(x, n, range);
  *scale = (range[0] == range[1] ? none : range[1] - range[0]) / 255.0f;
  float zero = 0.0f - range[0] / *scale;
  zero = zero > 0.0f ? zero : 0.0f; /* NaN is zero */
  return (hy__integer_end){.factor = scale, .zero = (int32_t)rintf(zero < 255.0f ? zero : 255.0f)};
}

/* --- the right-hand side --- */

typedef struct packing {
  const hy__integer *kernel;
  hy__integer_source source;
} packing;

static hy__integer_source source_of(const hy__integer_right *r, const uint8_t *b) {
  return (hy__integer_source){.b = b,
                              .tap_stride = r->tap_stride,
                              .outer_stride = r->outer_stride,
                              .k_stride = r->k_stride,
                              .n_stride = r->n_stride,
                              .n_taps = r->n_taps,
                              .each = r->each,
                              .inner = r->inner,
                              .n = r->n,
                              .flip = r->flip,
                              .ones = r->ones};
}

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  const packing *p = ctx;
  (void)err;
  hy__integer_pack(p->kernel, &p->source, packed);
  return HY_OK;
}

/* Zero points as those of signed bytes. */
static void zeros_read(const hy__integer_right *r, const hy_tensor *zero, int32_t *to) {
  const size_t n = zero ? hy__op_count_of(zero) : 1;
  for (size_t i = 0; i < n; i++) to[i] = hy__integer_at(zero, i) - r->flip;
}

static hy_status zeros_lower(hy__op_plan *p, hy__integer_right *r, hy_error *err) {
  const bool has = hy__op_has(p, r->b_zero);
  const hy_tensor *zero = has ? &p->in[r->b_zero] : NULL;
  const size_t n = has ? hy__op_count_of(zero) : 1;
  void *memory;
  r->zeros = n / (r->by_matrix ? r->n_right : 1);
  r->ones = true;
  if (has && !zero->data) {
    HY_FAIL_IF(!hy__integer_room(p, &r->zero_at, n, sizeof(int32_t)), HY_LIMIT, err,
               "B is too large");
    return HY_OK;
  }
  HY_TRY(hy__arena_array(p->arena, n, sizeof(int32_t), &memory, err));
  zeros_read(r, zero, memory);
  r->zero = memory;
  r->ones = false;
  for (size_t i = 0; i < n; i++) r->ones = r->ones || r->zero[i];
  return HY_OK;
}

hy_status hy__integer_right_lower(hy__op_plan *p, hy__integer_right *r, hy_error *err) {
  const hy__integer *kernel = p->kernels->integer;
  const hy_tensor *b = &p->in[r->b];
  void *memory;
  r->flip = (uint8_t)(b->dtype == HY_U8 ? 128 : 0);
  HY_TRY(zeros_lower(p, r, err));
  packing ctx = {kernel, source_of(r, NULL)};
  HY_FAIL_IF(!hy__integer_packed_bytes(kernel, &ctx.source, &r->packed_bytes), HY_LIMIT, err,
             "a matrix of %zu x %zu is too large", r->n_taps * r->each, r->n);
  if (!b->data) {
    HY_FAIL_IF(!hy__integer_room(p, &r->packed_at, 1, r->packed_bytes), HY_LIMIT, err,
               "B is too large");
    return HY_OK;
  }
  HY_TRY(hy__arena_array(p->arena, r->n_right, sizeof *r->packed, &memory, err));
  r->packed = memory;
  const uint32_t layout =
      HY__PACK('i', 0, 0) | (hy__integer_layout(kernel, &ctx.source) & 0xffffffu);
  for (size_t i = 0; i < r->n_right; i++) {
    ctx.source.b = (const uint8_t *)b->data + i * r->n_taps * r->each * r->n;
    HY_TRY(hy__pack_get(p->packs, ctx.source.b, layout, r->packed_bytes, fill, &ctx, &r->packed[i],
                        err));
  }
  return HY_OK;
}

const void *hy__integer_right_at(const hy__integer_right *r, const hy__step *step, size_t index,
                                 const int32_t **zero) {
  char *scratch = step->scratch;
  int32_t *zeros = (int32_t *)(void *)(scratch + r->zero_at);
  *zero = r->zero;
  if (!r->zero) {
    zeros_read(r, hy__integer_input(step, r->b_zero), zeros);
    *zero = zeros;
  }
  if (r->by_matrix) *zero += index * r->zeros;
  if (r->packed) return r->packed[index];
  const uint8_t *b = (const uint8_t *)step->in[r->b].data + index * r->n_taps * r->each * r->n;
  const hy__integer_source source = source_of(r, b);
  hy__integer_pack(step->kernels->integer, &source, scratch + r->packed_at);
  return scratch + r->packed_at;
}

void hy__integer_correct(const hy__integer_right *r, const hy__integer *kernel, const int32_t *zero,
                         int32_t a_zero, int32_t *sums) {
  if (!r->ones) return;
  uint32_t by = (uint32_t)sums[r->n] - (uint32_t)(r->n_taps * r->each) * (uint32_t)a_zero;
  if (r->zeros == 1) by *= (uint32_t)zero[0];
  kernel->subtract(sums, r->n, r->zeros == 1 ? NULL : zero, (int32_t)by);
}

/* --- rows --- */

hy_status hy__integer_gemm_lower(hy__op_plan *p, hy__integer_gemm *g, bool raw, hy_error *err) {
  enum { BLOCK_BYTES = 1 << 16, ROWS = 12, BLOCK_MAX = 20 * ROWS };
  const hy__integer *kernel = p->kernels->integer;
  const size_t k = g->right.each, n_workers = p->pool ? hy__pool_n_workers(p->pool) : 1;
  size_t sums_bytes, left_bytes, room;
  HY_TRY(hy__integer_right_lower(p, &g->right, err));
  const size_t n = g->right.n + g->right.ones;
  g->in_place = kernel->element == 1 && !g->a_signed && k % kernel->group == 0;
  g->step = (k + kernel->group - 1) / kernel->group * kernel->group;
  g->whole = raw && !g->right.ones && !g->by_row;
  g->ldc = n;
  const size_t row_bytes =
      HY_MAX(HY_MAX(g->step * kernel->element, n * sizeof(int32_t)), (size_t)1);
  g->block = HY_MIN(HY_MAX(BLOCK_BYTES / row_bytes / ROWS, (size_t)1) * ROWS, (size_t)BLOCK_MAX);
  g->block = HY_MAX(HY_MIN(g->block, g->m), (size_t)1);
  const bool fits = hy__mul(g->in_place ? 0 : g->block * kernel->element, g->step, &left_bytes) &&
                    hy__round_up(left_bytes + HY_ALIGN, HY_ALIGN, &g->sums_at) &&
                    hy__mul(g->whole ? 0 : g->block * sizeof(int32_t), n, &sums_bytes) &&
                    hy__add(sums_bytes, g->right.n * sizeof(float), &sums_bytes) &&
                    hy__add(g->sums_at, sums_bytes, &room) &&
                    hy__round_up(room, HY_ALIGN, &g->part_bytes) &&
                    hy__integer_room(p, &g->init_at, n, sizeof(int32_t)) &&
                    hy__integer_room(p, &g->parts_at, n_workers, g->part_bytes);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "a product of %zu x %zu x %zu is too large", g->m, g->right.n,
             k);
  return HY_OK;
}

typedef struct job {
  const hy__step *step;
  const hy__integer_gemm *g;
  const hy__integer_call *call;
  const void *packed;
  const int32_t *zero, *init;
  int32_t a_zero; /* of unsigned bytes */
} job;

/* Takes the zero points that are not in `init` out of row i. */
static void correct(const job *j, int32_t *c, size_t i) {
  const hy__integer *kernel = j->step->kernels->integer;
  const hy__integer_right *r = &j->g->right;
  int32_t a_zero = j->a_zero;
  if (j->g->by_row) {
    a_zero = hy__integer_at(j->call->a_zeros, i) + (j->g->a_signed ? 128 : 0);
    kernel->subtract(c, r->n, hy__integer_sums(j->packed), a_zero);
  }
  hy__integer_correct(r, kernel, j->zero, a_zero, c);
}

static void put(const job *j, const int32_t *c, size_t i, float *factors) {
  const hy__integer *kernel = j->step->kernels->integer;
  const size_t n = j->g->right.n;
  hy__integer_end end = j->call->end;
  if (j->call->row_scales) {
    hy__requantise_factors(j->call->row_scales, i, factors);
    end.factor = factors;
  }
  if (j->call->bytes)
    kernel->to_bytes(c, n, &end, j->call->bytes + i * n);
  else if (j->call->floats)
    kernel->to_floats(c, n, &end, j->call->floats + i * n);
  else
    memcpy(j->call->sums + i * n, c, n * sizeof *c);
}

static void block_run(const job *j, size_t first, size_t m, char *part) {
  const hy__integer_gemm *g = j->g;
  const hy__integer *kernel = j->step->kernels->integer;
  const size_t k = g->right.each, taps[1] = {0};
  const uint8_t *a = j->call->a + first * k, flip = (uint8_t)(g->a_signed ? 128 : 0);
  int32_t *sums = (int32_t *)(void *)(part + g->sums_at);
  hy__integer_product product = {.left = a,
                                 .step = g->step,
                                 .taps = taps,
                                 .n_taps = 1,
                                 .each = k,
                                 .packed = j->packed,
                                 .init = j->init,
                                 .c = g->whole ? j->call->sums + first * g->ldc : sums,
                                 .ldc = g->ldc,
                                 .m = m,
                                 .n = g->ldc};
  if (!g->in_place) {
    product.left = part;
    if (g->step == k)
      kernel->left(a, m * k, flip, part);
    else
      for (size_t i = 0; i < m; i++)
        kernel->left(a + i * k, k, flip, part + i * g->step * kernel->element);
  }
  kernel->run(&product);
  if (g->whole) return;
  float *factors = (float *)(void *)(sums + m * g->ldc);
  if (!g->right.ones && !g->by_row && j->call->bytes && !j->call->row_scales &&
      !j->call->end.factor_step) {
    kernel->to_bytes(sums, m * g->ldc, &j->call->end, j->call->bytes + first * g->ldc);
    return;
  }
  for (size_t i = 0; i < m; i++) {
    correct(j, sums + i * g->ldc, first + i);
    put(j, sums + i * g->ldc, first + i, factors);
  }
}

static hy_status blocks_run(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  const hy__integer_gemm *g = j->g;
  (void)err;
  for (size_t b = begin; b < end; b++)
    block_run(j, b * g->block, HY_MIN(g->block, g->m - b * g->block),
              (char *)j->step->scratch + g->parts_at + worker * g->part_bytes);
  return HY_OK;
}

hy_status hy__integer_gemm_run(const hy__step *step, const hy__integer_gemm *g,
                               const hy__integer_call *call, hy_error *err) {
  enum { MACS_OF_ONE = 2 }; /* products of bytes in the time of one of floats */
  if (!g->m || !g->right.n) return HY_OK;
  job j = {.step = step, .g = g, .call = call};
  j.packed = hy__integer_right_at(&g->right, step, call->index, &j.zero);
  j.a_zero = call->a_zero + (g->a_signed ? 128 : 0);
  int32_t *init = (int32_t *)(void *)((char *)step->scratch + g->init_at);
  if (call->bias)
    memcpy(init, call->bias, g->right.n * sizeof *init);
  else
    memset(init, 0, g->right.n * sizeof *init);
  if (g->right.ones) init[g->right.n] = 0;
  if (!g->by_row)
    step->kernels->integer->subtract(init, g->right.n, hy__integer_sums(j.packed), j.a_zero);
  j.init = init;
  const size_t n_blocks = (g->m + g->block - 1) / g->block;
  const size_t macs = g->m * g->right.n * g->right.each;
  if (n_blocks == 1 || !hy__pool_worth(step->pool, macs / MACS_OF_ONE))
    return blocks_run(&j, 0, 0, n_blocks, err);
  return hy__pool_for(step->pool, n_blocks, 1, blocks_run, &j, err);
}
