/* SPDX-License-Identifier: Apache-2.0
 * The base room's hot functions beside the C library's: numbers from text and back, the real
 * functions, hashes, and what a job of the thread pool costs. One JSON object; nanoseconds per call
 * unless the name says otherwise.
 *
 *     bench_base
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/codec.h"

enum { N_TEXTS = 1024, ROUNDS = 20, PASSES = 25, HASH_BYTES = 1 << 15, N_JOBS = 2000 };

static volatile double sink_f64;
static volatile uint64_t sink_u64;

typedef struct texts {
  char text[N_TEXTS][HY_NUMBER_TEXT];
  size_t len[N_TEXTS];
  double value[N_TEXTS], out[N_TEXTS];
} texts;

static texts all;

/* The best of some passes, in nanoseconds per unit of the work. */
static double best_ns(double (*volatile work)(void), double n_units) {
  double best = INFINITY;
  for (int pass = 0; pass < PASSES; pass++) {
    int64_t began = hy__clock_monotonic_ns();
    for (int round = 0; round < ROUNDS; round++) sink_f64 += work();
    best = fmin(best, (double)(hy__clock_monotonic_ns() - began) / (n_units * ROUNDS));
  }
  return best;
}

static double parse_ours(void) {
  double sum = 0, x = 0;
  for (size_t i = 0; i < N_TEXTS; i++) {
    (void)hy__parse_f64(all.text[i], all.text[i] + all.len[i], &x);
    sum += x;
  }
  return sum;
}

static double parse_peer(void) {
  double sum = 0;
  for (size_t i = 0; i < N_TEXTS; i++) sum += (strtod)(all.text[i], NULL);
  return sum;
}

static double format_ours(void) {
  char text[HY_NUMBER_TEXT];
  size_t n = 0;
  for (size_t i = 0; i < N_TEXTS; i++) n += hy__format_f64(all.value[i], text);
  return (double)n;
}

static double format_peer(void) {
  char text[64];
  int n = 0;
  for (size_t i = 0; i < N_TEXTS; i++) n += snprintf(text, sizeof text, "%.17g", all.value[i]);
  return n;
}

#define REAL_LOOP(name, call)                                                                      \
  static double name(void) {                                                                       \
    for (size_t i = 0; i < N_TEXTS; i++) all.out[i] = call(all.value[i]);                          \
    return all.out[0];                                                                             \
  }
#define REAL_LOOP_AVX2(name, call) __attribute__((target("avx2"))) REAL_LOOP(name, call)
REAL_LOOP_AVX2(exp_ours, hy__exp)
REAL_LOOP(exp_peer, exp)
REAL_LOOP_AVX2(ln_ours, hy__ln)
REAL_LOOP(ln_peer, log)

/* Prices as sources print them: cents, and binary doubles in full. */
static void fill(bool cents) {
  hy__random r;
  hy__random_init(&r, 5, cents);
  for (size_t i = 0; i < N_TEXTS; i++) {
    double price = 10 + 490 * hy__random_uniform(&r);
    all.value[i] = cents ? floor(price * 100) / 100 : (double)(float)price;
    all.len[i] = hy__format_f64(all.value[i], all.text[i]);
  }
}

static void pair(hy__json_writer *w, const char *name, double ours, double peer) {
  hy__json_key(w, name);
  hy__json_object_begin(w);
  hy__json_member_f64(w, "ours_ns", ours);
  hy__json_member_f64(w, "peer_ns", peer);
  hy__json_member_f64(w, "ratio", peer / ours);
  hy__json_object_end(w);
}

static void numbers(hy__json_writer *w) {
  const double n = N_TEXTS;
  fill(true);
  pair(w, "parse_cents", best_ns(parse_ours, n), best_ns(parse_peer, n));
  pair(w, "format_cents", best_ns(format_ours, n), best_ns(format_peer, n));
  fill(false);
  pair(w, "parse_full", best_ns(parse_ours, n), best_ns(parse_peer, n));
  pair(w, "format_full", best_ns(format_ours, n), best_ns(format_peer, n));
}

static void reals(hy__json_writer *w) {
  const double n = N_TEXTS;
  pair(w, "ln_avx2", best_ns(ln_ours, n), best_ns(ln_peer, n));
  for (size_t i = 0; i < N_TEXTS; i++) all.value[i] = all.value[i] / 50 - 5;
  pair(w, "exp_avx2", best_ns(exp_ours, n), best_ns(exp_peer, n));
}

static uint8_t block[HASH_BYTES];

static double hash_fast(void) {
  sink_u64 += hy__hash(block, sizeof block).low;
  return 0;
}

static double hash_sha256(void) {
  char hex[65];
  hy__sha256_hex(block, sizeof block, hex);
  return hex[0];
}

static hy_status nothing(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)ctx, (void)worker, (void)begin, (void)end, (void)err;
  return HY_OK;
}

/* An empty job of one piece per worker, jobs following each other at once. */
static bool dispatch(hy__json_writer *w, uint32_t n_threads) {
  char name[32];
  hy_runtime *runtime;
  hy_error err;
  hy_runtime_options options = {.struct_size = sizeof options, .n_threads = n_threads};
  if (hy_runtime_create(&options, &runtime, &err) != HY_OK) return false;
  hy__pool *pool = hy__runtime_pool(runtime);
  double best = INFINITY;
  for (int pass = 0; pass < PASSES; pass++) {
    int64_t began = hy__clock_monotonic_ns();
    for (int i = 0; i < N_JOBS; i++)
      if (hy__pool_for(pool, n_threads, 1, nothing, NULL, &err) != HY_OK) return false;
    best = fmin(best, (double)(hy__clock_monotonic_ns() - began) / N_JOBS);
  }
  hy_runtime_destroy(runtime);
  snprintf(name, sizeof name, "pool_job_%u_ns", n_threads);
  hy__json_member_f64(w, name, best);
  return true;
}

static hy_status to_stdout(void *ctx, const void *data, size_t bytes, hy_error *err) {
  (void)ctx;
  HY_FAIL_IF(fwrite(data, 1, bytes, stdout) != bytes, HY_IO, err, "cannot write");
  return HY_OK;
}

int main(void) {
  hy__json_writer w;
  hy_error err;
  hy__json_begin(&w, (hy_sink){.write = to_stdout}, 2);
  hy__json_object_begin(&w);
  numbers(&w);
  reals(&w);
  hy__json_member_f64(&w, "xxh3_128_gb_per_s", 1 / best_ns(hash_fast, HASH_BYTES));
  hy__json_member_f64(&w, "sha256_gb_per_s", 1 / best_ns(hash_sha256, HASH_BYTES));
  bool ok = dispatch(&w, 1) && dispatch(&w, 2);
  hy__json_object_end(&w);
  return ok && hy__json_end(&w, &err) == HY_OK ? 0 : 1;
}
