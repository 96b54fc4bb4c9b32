/* SPDX-License-Identifier: Apache-2.0
 * What this machine can do at most, for the paper floors of the other benchmarks: float32
 * multiply-adds per second on one thread and on two, and the bytes per second that a core reads
 * from each level of memory.
 *
 *     bench_limits          one JSON object
 */
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 10, FMA_ROUNDS = 6000000, PASSES = 5 };

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile float sink_f32;
static volatile uint64_t sink_u64;

/* Ten independent chains hide the latency of two units and leave registers for the operands. They
 * begin at different numbers: of equal ones the compiler would make one. */
#define HY_FMA_LOOP(name, isa, vec, lanes, set1, fmadd, add, store)                                \
  __attribute__((target(isa), noinline)) static double name(void) {                                \
    vec c0 = set1(0), c1 = set1(1), c2 = set1(2), c3 = set1(3), c4 = set1(4), c5 = set1(5),        \
        c6 = set1(6), c7 = set1(7), c8 = set1(8), c9 = set1(9);                                    \
    const vec a = set1(0.999f), b = set1(0.001f);                                                  \
    const double began = now_s();                                                                  \
    for (int i = 0; i < FMA_ROUNDS; i++) {                                                         \
      c0 = fmadd(c0, a, b), c1 = fmadd(c1, a, b), c2 = fmadd(c2, a, b), c3 = fmadd(c3, a, b);      \
      c4 = fmadd(c4, a, b), c5 = fmadd(c5, a, b), c6 = fmadd(c6, a, b), c7 = fmadd(c7, a, b);      \
      c8 = fmadd(c8, a, b), c9 = fmadd(c9, a, b);                                                  \
    }                                                                                              \
    const double spent = now_s() - began;                                                          \
    float out[16];                                                                                 \
    c0 = add(add(add(c0, c1), add(c2, c3)), add(add(c4, c5), add(add(c6, c7), add(c8, c9))));      \
    store(out, c0);                                                                                \
    sink_f32 += out[0];                                                                            \
    return (double)FMA_ROUNDS * CHAINS * (lanes) / spent;                                          \
  }
HY_FMA_LOOP(fma_avx2, "avx2,fma", __m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps,
            _mm256_storeu_ps)
HY_FMA_LOOP(fma_avx512, "avx512f", __m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps,
            _mm512_storeu_ps)

static double fma_best(int wide) {
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    const double rate = wide ? fma_avx512() : fma_avx2();
    if (rate > best) best = rate;
  }
  return best;
}

static void *fma_thread(void *arg) {
  double *rate = arg;
  *rate = fma_best(*rate > 0);
  return NULL;
}

/* The sum of what two threads reach when they run together. */
static double fma_pair(int wide) {
  double rates[2] = {wide ? 1.0 : 0.0, wide ? 1.0 : 0.0};
  pthread_t other;
  if (pthread_create(&other, NULL, fma_thread, &rates[0]) != 0) return 0;
  fma_thread(&rates[1]);
  pthread_join(other, NULL);
  return rates[0] + rates[1];
}

#define HY_LOAD(k) _mm256_load_si256((const __m256i *)(data + i + 32 * (k)))

__attribute__((target("avx2"), noinline)) static double read_rate(const uint8_t *data,
                                                                  size_t bytes) {
  const size_t rounds = ((size_t)1 << 31) / bytes + 1;
  double best = 0;
  for (int pass = 0; pass < PASSES; pass++) {
    __m256i s0 = _mm256_setzero_si256(), s1 = s0, s2 = s0, s3 = s0;
    const double began = now_s();
    for (size_t r = 0; r < rounds; r++) {
      for (size_t i = 0; i < bytes; i += 128) {
        s0 = _mm256_xor_si256(s0, HY_LOAD(0)), s1 = _mm256_xor_si256(s1, HY_LOAD(1));
        s2 = _mm256_xor_si256(s2, HY_LOAD(2)), s3 = _mm256_xor_si256(s3, HY_LOAD(3));
      }
      __asm__ volatile("" ::: "memory"); /* each round reads again */
    }
    const double rate = (double)rounds * (double)bytes / (now_s() - began);
    s0 = _mm256_xor_si256(_mm256_xor_si256(s0, s1), _mm256_xor_si256(s2, s3));
    sink_u64 += (uint64_t)_mm256_extract_epi64(s0, 0);
    if (rate > best) best = rate;
  }
  return best;
}

int main(void) {
  static const struct {
    const char *name;
    size_t bytes;
  } levels[] = {{"l1", 16u << 10}, {"l2", 256u << 10}, {"l3", 4u << 20}, {"memory", 512u << 20}};
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    fputs("bench_limits: needs AVX2 and FMA\n", stderr);
    return 1;
  }
  const int wide = __builtin_cpu_supports("avx512f") != 0;
  const double one = fma_best(0);
  printf("{\"isa\": \"%s\"", wide ? "avx512" : "avx2");
  printf(", \"fma_avx2_per_s\": %.4g, \"fma_avx2_pair_per_s\": %.4g", one, fma_pair(0));
  if (wide)
    printf(", \"fma_avx512_per_s\": %.4g, \"fma_avx512_pair_per_s\": %.4g", fma_best(1),
           fma_pair(1));
  uint8_t *data = aligned_alloc(4096, levels[3].bytes);
  if (data == NULL) return 3;
  for (size_t i = 0; i < levels[3].bytes; i += 4096) data[i] = (uint8_t)i;
  for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++) {
    printf(", \"%s_bytes_per_s\": %.4g", levels[k].name, read_rate(data, levels[k].bytes));
  }
  puts("}");
  free(data);
  return 0;
}
