/* SPDX-License-Identifier: Apache-2.0
 * The numeric kernels at every instruction set of this machine, on one thread: matrix products, a
 * recurrent layer, activations and a forest, each beside its paper floor (multiply-adds over the
 * peak that the same run measures; a forest has none, its cost is the chain of loads).
 *
 *     bench_kernels */
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/kernel.h"

enum { PASSES = 7, FMA_ROUNDS = 2000000, CHAINS = 10 };

typedef struct level {
  const char *name;
  hy_isa isa;
  double peak; /* multiply-adds per ns */
  hy__kernels kernels;
} level;

static volatile float sink;

static double now_ns(void) { return (double)hy__clock_monotonic_ns(); }

#define PEAK(name, isa, vec, lanes, set1, fmadd, store)                                            \
  __attribute__((target(isa), noinline)) static double name(void) {                                \
    vec c[CHAINS];                                                                                 \
    const vec a = set1(0.999f), b = set1(0.001f);                                                  \
    float out[lanes];                                                                              \
    for (int k = 0; k < CHAINS; k++) c[k] = a;                                                     \
    const double began = now_ns();                                                                 \
    for (int i = 0; i < FMA_ROUNDS; i++)                                                           \
      for (int k = 0; k < CHAINS; k++) c[k] = fmadd(c[k], a, b);                                   \
    const double spent = now_ns() - began;                                                         \
    for (int k = 0; k < CHAINS; k++) {                                                             \
      store(out, c[k]);                                                                            \
      sink += out[0];                                                                              \
    }                                                                                              \
    return (double)FMA_ROUNDS * CHAINS * (lanes) / spent;                                          \
  }
#define MUL_ADD(c, a, b) _mm_add_ps(_mm_mul_ps(c, a), b)
PEAK(peak_scalar, "sse2", __m128, 4, _mm_set1_ps, MUL_ADD, _mm_storeu_ps)
PEAK(peak_avx2, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps)
PEAK(peak_avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps)

static double peak_of(hy_isa isa) {
  double best = 0;
  for (int i = 0; i < PASSES; i++) {
    double rate = isa == HY_ISA_AVX512 ? peak_avx512()
                  : isa == HY_ISA_AVX2 ? peak_avx2()
                                       : peak_scalar();
    best = HY_MAX(best, rate);
  }
  return best;
}

static void *memory(size_t bytes) { return aligned_alloc(HY_ALIGN, (bytes + 4159) / 64 * 64); }

static float *numbers(size_t n, double size) {
  hy__random r;
  hy__random_init(&r, 7, n);
  float *x = memory(n * sizeof *x);
  for (size_t i = 0; i < n; i++) x[i] = (float)(size * hy__random_normal(&r));
  return x;
}

static void report(const level *l, const char *what, double ns, double macs) {
  printf("%-7s %-34s %10.2f us", l->name, what, ns / 1e3);
  if (macs > 0)
    printf("  %6.1f GMAC/s, floor %8.2f us, %3.0f %% of the peak", macs / ns, macs / l->peak / 1e3,
           100 * macs / ns / l->peak);
  printf("\n");
}

static void bench_gemm(const level *l, size_t m, size_t n, size_t k) {
  const hy__gemm_f32 *gemm = l->kernels.gemm_f32;
  size_t packed_n;
  if (!hy__gemm_f32_packed_n(gemm, k, n, &packed_n)) return;
  float *a = numbers(m * k, 1), *b = numbers(k * n, 1), *c = memory(m * n * 4);
  float *packed = memory(packed_n * 4);
  const hy__gemm_source source = {
      .b = b, .k_stride = (ptrdiff_t)n, .n_stride = 1, .k = k, .n = n, .alpha = 1};
  hy__gemm_f32_pack(gemm, &source, packed);
  const hy__gemm_f32_call call = {
      .a = a, .lda = k, .packed = packed, .c = c, .ldc = n, .m = m, .n = n, .k = k};
  const int rounds = (int)(4e6 / (double)(m * n * k)) + 1;
  double best = 1e30;
  for (int pass = 0; pass < PASSES; pass++) {
    const double began = now_ns();
    for (int i = 0; i < rounds; i++) gemm->run(&call);
    best = HY_MIN(best, (now_ns() - began) / rounds);
  }
  char what[64];
  snprintf(what, sizeof what, "gemm %zu x %zu x %zu (%s)", m, n, k, gemm->tile);
  report(l, what, best, (double)m * (double)n * (double)k);
  free(a), free(b), free(c), free(packed);
}

/* 60 steps of 40 features into 64 units, the projection in one product. */
static void bench_lstm(const level *l, size_t batch) {
  enum { T = 60, F = 40, H = 64, N = 4 * H };
  float *x = numbers(T * batch * F, 1), *w = numbers(F * N + 64, 0.1), *r = numbers(H * N, 0.1);
  float *pre = memory(T * batch * N * 4), *h = numbers(2 * batch * H, 0.1);
  float *c = numbers(batch * H, 0.1);
  double best = 1e30;
  for (int pass = 0; pass < PASSES * 3; pass++) {
    const double began = now_ns();
    const hy__gemm_f32_call project = {
        .a = x, .lda = F, .packed = w, .c = pre, .ldc = N, .m = T * batch, .n = N, .k = F};
    l->kernels.gemm_f32->run(&project);
    const hy__recurrent_call steps = {.steps = T,
                                      .pre = pre,
                                      .pre_step = (ptrdiff_t)batch * N,
                                      .pre_ld = N,
                                      .r = r,
                                      .h = {h, h + batch * H},
                                      .c = c,
                                      .c_out = c,
                                      .rows = batch,
                                      .hidden = H,
                                      .padded = H};
    l->kernels.recurrent->lstm(&steps);
    best = HY_MIN(best, now_ns() - began);
  }
  char what[64];
  snprintf(what, sizeof what, "lstm 60 x 40 -> 64, batch %zu", batch);
  report(l, what, best, (double)batch * T * (F + H) * N);
  free(x), free(w), free(r), free(pre), free(h), free(c);
}

static void bench_unary(const level *l, hy__unary op) {
  enum { N = 4096 };
  float *x = numbers(N, 2), *y = memory(N * 4);
  double best = 1e30;
  for (int pass = 0; pass < PASSES; pass++) {
    const double began = now_ns();
    for (int i = 0; i < 50; i++) l->kernels.unary_f32->fn[op](x, y, N, 1, 0);
    best = HY_MIN(best, (now_ns() - began) / 50);
  }
  char what[64];
  snprintf(what, sizeof what, "%s of %d", hy__unary_name(op), N);
  report(l, what, best, 0);
  free(x), free(y);
}

/* A seeded forest of 500 trees of 63 leaves over 40 features, grown at random. */
enum { TREES = 500, LEAVES = 63, NODES = 2 * LEAVES - 1, FEATURES = 40, ROWS = 8192 };

typedef struct forest {
  uint8_t mode[TREES * NODES], missing[TREES * NODES];
  uint32_t feature[TREES * NODES], yes[TREES * NODES], no[TREES * NODES], roots[TREES];
  uint32_t begin[TREES * NODES + 1], target[TREES * LEAVES];
  double threshold[TREES * NODES], weight[TREES * LEAVES];
} forest;

static size_t grow(forest *f, hy__random *r, uint32_t tree, size_t n_weights) {
  const uint32_t first = tree * NODES;
  uint32_t open[LEAVES + 1] = {first}, n_open = 1, n = 1;
  f->roots[tree] = first;
  for (int split = 0; split < LEAVES - 1; split++) {
    const uint32_t pick = (uint32_t)hy__random_below(r, n_open), i = open[pick];
    open[pick] = open[--n_open];
    f->mode[i] = HY__TREE_LEQ;
    f->feature[i] = (uint32_t)hy__random_below(r, FEATURES);
    /* as histograms give them: 254 places for a feature */
    f->threshold[i] = (double)((float)hy__random_below(r, 254) - 127.0f) / 50.0;
    f->yes[i] = open[n_open++] = first + n++;
    f->no[i] = open[n_open++] = first + n++;
  }
  for (uint32_t i = first; i < first + NODES; i++) {
    f->begin[i] = (uint32_t)n_weights;
    if (f->mode[i] == HY__TREE_LEAF) f->weight[n_weights++] = (double)(float)hy__random_normal(r);
  }
  return n_weights;
}

static hy__forest *make_forest(void) {
  forest *f = calloc(1, sizeof *f);
  hy__random r;
  hy__random_init(&r, 7, 1);
  size_t n_weights = 0, bytes;
  for (uint32_t t = 0; t < TREES; t++) n_weights = grow(f, &r, t, n_weights);
  f->begin[TREES * NODES] = (uint32_t)n_weights;
  const hy__tree_source s = {.n_nodes = TREES * NODES,
                             .n_trees = TREES,
                             .n_features = FEATURES,
                             .n_targets = 1,
                             .n_weights = n_weights,
                             .mode = f->mode,
                             .feature = f->feature,
                             .threshold = f->threshold,
                             .if_true = f->yes,
                             .if_false = f->no,
                             .missing_true = f->missing,
                             .roots = f->roots,
                             .weight_begin = f->begin,
                             .target = f->target,
                             .weight = f->weight};
  if (!hy__forest_work_bytes(&s, &bytes)) return NULL;
  void *work = memory(bytes);
  hy_error err;
  hy__forest_size size;
  const double began = now_ns();
  if (hy__forest_measure(&s, work, &size, &err) != HY_OK) return NULL;
  hy__forest *block = memory(size.bytes);
  hy__forest_pack(&s, work, &size, block);
  printf("packing %d trees of %d leaves: %.2f ms, %.0f KB, %zu slots\n", TREES, LEAVES,
         (now_ns() - began) / 1e6, (double)size.bytes / 1e3, size.n_slots);
  free(work), free(f);
  return block;
}

static void bench_trees(const level *l, const hy__forest *f, size_t batch) {
  float *x = numbers(ROWS * FEATURES, 1);
  void *keys = memory(hy__tree_scratch_bytes(f));
  double *scores = memory(batch * sizeof *scores), best = 1e30;
  for (int pass = 0; pass < PASSES; pass++) {
    const double began = now_ns();
    for (size_t row = 0; row + batch <= ROWS; row += batch) {
      const hy__tree_call call = {.forest = f,
                                  .x = x + row * FEATURES,
                                  .x_ld = FEATURES,
                                  .rows = batch,
                                  .scratch = keys,
                                  .scores = scores};
      l->kernels.tree->run(&call);
    }
    best = HY_MIN(best, (now_ns() - began) / (double)(ROWS / batch * batch));
  }
  char what[64];
  snprintf(what, sizeof what, "forest 500 x 63, batch %zu, per row", batch);
  report(l, what, best, 0);
  free(x), free(keys), free(scores);
}

int main(void) {
  static level levels[] = {{.name = "scalar", .isa = HY_ISA_SCALAR},
                           {.name = "avx2", .isa = HY_ISA_AVX2},
                           {.name = "avx512", .isa = HY_ISA_AVX512}};
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  hy__forest *f = make_forest();
  if (!f) return 1;
  for (size_t i = 0; i < HY_COUNT(levels); i++) {
    level *l = &levels[i];
    const uint32_t mask = hy__cpu_limit(cpu.mask, l->isa);
    if (i > 0 && mask == hy__cpu_limit(cpu.mask, levels[i - 1].isa)) continue;
    hy__kernels_for(mask, &l->kernels);
    l->peak = peak_of(l->isa);
    printf("%-7s peak %.1f GMAC/s\n", l->name, l->peak);
    bench_gemm(l, 1, 256, 256);
    bench_gemm(l, 16, 256, 64);
    bench_gemm(l, 512, 512, 256);
    for (size_t batch = 1; batch <= 16; batch *= 4) bench_lstm(l, batch);
    bench_unary(l, HY__UNARY_TANH);
    bench_unary(l, HY__UNARY_SIGMOID);
    bench_unary(l, HY__UNARY_EXP);
    for (size_t batch = 1; batch <= 1024; batch *= 4) bench_trees(l, f, batch);
    bench_trees(l, f, ROWS);
  }
  free(f);
  return 0;
}
