/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring the machine: the multiply-add rate and the read bandwidth of each level of memory, the
 * best of a few passes, since whatever disturbs only ever adds. */
#include "engine/limits.h"

enum { FMA_ROUNDS = 100000, PASSES = 7, READ_BYTES = 1 << 23, MEMORY_BYTES = 1 << 26 };

static double fma_rate(const hy__peak *peak) {
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    size_t lanes;
    int64_t began = hy__clock_monotonic_ns();
    volatile double sum = peak->multiply_add(FMA_ROUNDS, 0.999f, 0.001f, &lanes);
    int64_t spent = hy__clock_monotonic_ns() - began;
    (void)sum;
    double done = (double)FMA_ROUNDS * HY__PEAK_CHAINS * (double)lanes;
    best = HY_MAX(best, done * 1e9 / (double)HY_MAX(spent, (int64_t)1));
  }
  return best;
}

static double read_rate(const hy__peak *peak, const float *data, size_t bytes) {
  size_t rounds = HY_MAX(READ_BYTES / bytes, (size_t)1);
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    int64_t began = hy__clock_monotonic_ns();
    volatile double sum = peak->read(data, bytes / sizeof(float), rounds);
    int64_t spent = hy__clock_monotonic_ns() - began;
    (void)sum;
    best = HY_MAX(best, (double)rounds * (double)bytes * 1e9 / (double)HY_MAX(spent, (int64_t)1));
  }
  return best;
}

/* A buffer that lies in level k and not in the one below. */
static size_t probe_bytes(const hy__limits *limits, size_t k) {
  size_t most = k + 1 < HY__LEVELS ? limits->level_bytes[k] / 2 : MEMORY_BYTES;
  size_t above = k ? limits->level_bytes[k - 1] * 4 : most;
  return HY_MIN(most, HY_MAX(above, (size_t)1 << 12)) & ~(size_t)1023;
}

hy_status hy__limits_measure(const hy_runtime *runtime, size_t resident_bytes, hy__limits *out,
                             hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(runtime);
  const hy__cpu *cpu = hy__runtime_cpu(runtime);
  hy__kernels kernels;
  hy__kernels_for(cpu->mask, &kernels);
  *out = (hy__limits){.fma_per_s = fma_rate(kernels.peak),
                      .level_bytes = {cpu->l1d_bytes ? cpu->l1d_bytes : 32 << 10,
                                      cpu->l2_bytes ? cpu->l2_bytes : 1 << 20,
                                      cpu->l3_bytes ? cpu->l3_bytes : 8 << 20, SIZE_MAX}};
  for (size_t k = 0; k < HY__LEVELS; k++) {
    void *data;
    if (k && resident_bytes <= out->level_bytes[k - 1]) {
      out->bytes_per_s[k] = out->bytes_per_s[k - 1];
      continue;
    }
    size_t bytes = k + 1 < HY__LEVELS ? probe_bytes(out, k) : MEMORY_BYTES;
    HY_TRY(hy__alloc_zero(a, bytes, &data, err));
    out->bytes_per_s[k] = read_rate(kernels.peak, data, bytes);
    hy__free(a, data, bytes);
  }
  return HY_OK;
}
