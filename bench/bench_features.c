/* SPDX-License-Identifier: Apache-2.0
 * The cost of each indicator: nanoseconds per row of one symbol, per instruction set, on one
 * thread, beside TA-Lib's C core called directly on the same series.
 *
 *     bench_features [ID...]
 *
 * TA-Lib's shared object is the file that HAYATE_TALIB names (bench/peers/talib_so.py prints the
 * one of the wheel); without it hayate runs alone. */
#include <math.h>

#include "base/base.h"
#include "feature/indicator.h"
#include "talib.h"

enum { N_BARS = 2000, CHUNK = 128, N_BLOCKS = 8, N_FIELDS = 7, PASSES = 5, N_ISAS = 3, HEAD = 128 };

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  extern const hy__ind_code hy__ind_##symbol##_scalar, hy__ind_##symbol##_avx2,                    \
      hy__ind_##symbol##_avx512;
#include "feature/indicator.inc"
#undef HY_IND

typedef struct row {
  const char *id, *inputs, *params, *outputs;
  const hy__ind_code *code[N_ISAS];
} row;

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  {id,                                                                                             \
   inputs,                                                                                         \
   params,                                                                                         \
   outputs,                                                                                        \
   {&hy__ind_##symbol##_scalar, &hy__ind_##symbol##_avx2, &hy__ind_##symbol##_avx512}},
static const row rows[] = {
#include "feature/indicator.inc"
};
#undef HY_IND

static double volatile sink;
static double *fields[N_FIELDS]; /* o h l c v y local: N_BLOCKS of HEAD + N_BARS rows of 8 lanes */
static double *series[N_FIELDS]; /* the same, N_BLOCKS * 8 series of N_BARS */

static double *made(size_t n) {
  double *p = aligned_alloc(64, n * sizeof(double));
  if (p != NULL) memset(p, 0, n * sizeof(double));
  return p;
}

/* Random walks of a few basis points a bar, with ranges, opening steps and volumes. */
static void walk(double *bars[N_FIELDS], hy__random *random) {
  double price = 20.0 + 200.0 * hy__random_uniform(random), other = price;
  for (size_t t = 0; t < N_BARS; t++) {
    const double open = price * (1.0 + 2e-4 * hy__random_normal(random));
    price *= 1.0 + 1e-3 * hy__random_normal(random);
    other *= 1.0 + 1e-3 * hy__random_normal(random);
    bars[0][t] = open;
    bars[1][t] = fmax(open, price) * (1.0 + 5e-4 * hy__random_uniform(random));
    bars[2][t] = fmin(open, price) * (1.0 - 5e-4 * hy__random_uniform(random));
    bars[3][t] = price;
    bars[4][t] = (double)(100 + hy__random_below(random, 10000));
    bars[5][t] = other;
    bars[6][t] = 1.7e9 + 60.0 * (double)t;
  }
}

static bool make_inputs(void) {
  const size_t block = (HEAD + N_BARS) * HY_LANES;
  hy__random random;
  hy__random_init(&random, 7, 0);
  for (int f = 0; f < N_FIELDS; f++) {
    fields[f] = made(N_BLOCKS * block);
    series[f] = made((size_t)N_BLOCKS * HY_LANES * N_BARS);
    if (fields[f] == NULL || series[f] == NULL) return false;
    for (size_t k = 0; k < N_BLOCKS * block; k++) fields[f][k] = (double)NAN;
  }
  for (size_t s = 0; s < (size_t)N_BLOCKS * HY_LANES; s++) {
    double *bars[N_FIELDS];
    for (int f = 0; f < N_FIELDS; f++) bars[f] = series[f] + s * N_BARS;
    walk(bars, &random);
    for (int f = 0; f < N_FIELDS; f++)
      for (size_t t = 0; t < N_BARS; t++)
        fields[f][s / HY_LANES * block + (HEAD + t) * HY_LANES + s % HY_LANES] = bars[f][t];
  }
  return true;
}

static int field_of(const char *name, size_t length, int *n_free) {
  static const char *const names[N_FIELDS] = {"open",   "high", "low",   "close",
                                              "volume", "",     "@local"};
  for (int f = 0; f < N_FIELDS; f++)
    if (strlen(names[f]) == length && strncmp(names[f], name, length) == 0) return f;
  const int nth = (*n_free)++;
  return nth == 0 ? 3 : nth == 1 ? 5 : 0;
}

static int inputs_of(const row *r, int out[HY__IND_INPUTS]) {
  int n = 0, n_free = 0;
  for (const char *at = r->inputs; *at != '\0'; at += strspn(at, " ")) {
    const size_t length = strcspn(at, " ");
    out[n++] = field_of(at, length, &n_free);
    at += length;
  }
  return n;
}

/* The defaults of the row; a parameter without one is 1. */
static void defaults_of(const row *r, double p[HY__IND_PARAMS]) {
  int n = 0;
  for (const char *at = r->params; *at != '\0'; at += strspn(at, " ")) {
    const size_t length = strcspn(at, " ");
    const char *equals = memchr(at, '=', length);
    p[n] = 1.0;
    if (equals != NULL) (void)hy__parse_f64(equals + 1, at + length, &p[n]);
    n++;
    at += length;
  }
}

/* Hidden columns of one chunk behind their history. */
static double *mids[HY__IND_MIDS];

static void keep_history(const hy__ind_code *code, size_t mid_rows, size_t n) {
  for (int i = 0; i < code->n_mid; i++)
    memmove(mids[i] + (HEAD - mid_rows) * HY_LANES, mids[i] + (HEAD + n - mid_rows) * HY_LANES,
            mid_rows * HY_LANES * sizeof(double));
}

static double ours_ns(const row *r, int isa, double *const out[HY__IND_OUTPUTS], void *state) {
  double p[HY__IND_PARAMS] = {0};
  int in[HY__IND_INPUTS] = {0};
  const int n_in = inputs_of(r, in);
  const hy__ind_code *code = r->code[isa];
  defaults_of(r, p);
  const size_t bytes = code->state_bytes != NULL ? code->state_bytes(p) : 0;
  const size_t mid_rows = code->mid_rows != NULL ? code->mid_rows(p) : 0;
  int64_t best = INT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    for (size_t b = 0; b < N_BLOCKS; b++) {
      memset(state, 0, bytes);
      for (size_t t = 0; t < N_BARS; t += CHUNK) {
        hy__ind_step s = {.n = HY_MIN(CHUNK, N_BARS - t), .state = state, .p = p};
        for (int i = 0; i < n_in; i++)
          s.in[i] = fields[in[i]] + (b * (HEAD + N_BARS) + HEAD + t) * HY_LANES;
        for (int i = 0; i < HY__IND_OUTPUTS; i++) s.out[i] = out[i];
        for (int i = 0; i < code->n_mid; i++) s.mid[i] = mids[i] + HEAD * HY_LANES;
        code->step(&s);
        keep_history(code, mid_rows, s.n);
      }
    }
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  sink += out[0][0];
  return (double)best / ((double)N_BLOCKS * HY_LANES * N_BARS);
}

static double peer_ns(void *library, const talib_row *q, double *const out[3]) {
  const talib_fn f = talib_symbol(library, q, "");
  if (f == NULL) return (double)NAN;
  int64_t best = INT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    for (size_t s = 0; s < (size_t)N_BLOCKS * HY_LANES; s++) {
      const double *in[6];
      for (int k = 0; k < 6; k++) in[k] = series[k] + s * N_BARS;
      talib_batch(f, q, in, N_BARS, out);
    }
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  sink += out[0][0];
  return (double)best / ((double)N_BLOCKS * HY_LANES * N_BARS);
}

static bool wanted(const char *id, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], id) == 0) return true;
  return argc == 1;
}

static void report(const row *r, int n_isas, void *library, double *const out[HY__IND_OUTPUTS],
                   void *state) {
  double ns[N_ISAS];
  (void)printf("%-20s", r->id);
  for (int isa = 0; isa < N_ISAS; isa++) {
    ns[isa] = isa < n_isas ? ours_ns(r, isa, out, state) : (double)NAN;
    (void)printf("%9.2f", ns[isa]);
  }
  const talib_row *peer = library != NULL ? talib_find(r->id) : NULL;
  if (peer != NULL) {
    const double theirs = peer_ns(library, peer, out);
    (void)printf("%9.2f %7.1fx %7.1fx", theirs, theirs / ns[HY_MIN(1, n_isas - 1)],
                 theirs / ns[n_isas - 1]);
  }
  (void)printf("\n");
}

int main(int argc, char **argv) {
  double *out[HY__IND_OUTPUTS];
  void *const state = made(1 << 16), *const library = talib_load();
  const hy_isa best = hy_isa_detect();
  const int n_isas = best >= HY_ISA_AVX512 ? 3 : best >= HY_ISA_AVX2 ? 2 : 1;
  for (int i = 0; i < HY__IND_OUTPUTS; i++)
    if ((out[i] = made(N_BARS * HY_LANES)) == NULL) return 1;
  for (int i = 0; i < HY__IND_MIDS; i++)
    if ((mids[i] = made((HEAD + CHUNK) * HY_LANES)) == NULL) return 1;
  if (state == NULL || !make_inputs()) return 1;
  (void)printf("ns per row of one symbol, one thread, %d bars in chunks of %d, defaults\n"
               "%-20s%9s%9s%9s%9s %8s %8s\n",
               N_BARS, CHUNK, "", "sse2", "avx2", "avx512", library ? "ta-lib" : "", "avx2",
               "best");
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (wanted(rows[i].id, argc, argv)) report(&rows[i], n_isas, library, out, state);
  if (library == NULL)
    (void)printf("TA-Lib is not beside it: set HAYATE_TALIB=$(python bench/peers/talib_so.py)\n");
  return 0;
}
