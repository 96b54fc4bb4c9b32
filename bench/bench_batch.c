/* SPDX-License-Identifier: Apache-2.0
 * The thirty most used definitions over 500 symbols x 10,000 bars, each side from its own layout in
 * memory and with all outputs kept: ours from [bar, symbol] matrices into such, TA-Lib's C core
 * from a series for each symbol into such. One thread, then two; each definition alone, then all in
 * one spec, with the bars that they are held to.
 *
 *     bench_batch [SYMBOLS [BARS]] */
#include <math.h>
#include <sys/mman.h>

#include <hayate/feature.h>

#include "bar.h"
#include "base/base.h"
#include "definitions.h"
#include "market/market.h"
#include "talib.h"

enum { FIELDS = 5, OUTPUTS_MOST = 64, SPEC_BYTES = 8192, PASSES = 3 };

static size_t n_symbols = 500, n_bars = 10000;
static double *matrix[FIELDS], *series[FIELDS], *outputs[OUTPUTS_MOST];
static int64_t *time_ns;
static char (*names)[12];
static const char **symbols;
static const char *const field_names[FIELDS] = {"open", "high", "low", "close", "volume"};

static void fail(const char *what, const hy_error *err) {
  (void)fprintf(stderr, "bench_batch: %s: %s\n", what, err ? err->message : "no memory");
  _Exit(1);
}

static double *made(size_t n) {
  const size_t page = 2 << 20, bytes = (n * sizeof(double) + page - 1) / page * page;
  double *p = aligned_alloc(page, bytes);
  if (p == NULL) fail("arrays", NULL);
  (void)madvise(p, bytes, MADV_HUGEPAGE); /* as NumPy does for large arrays */
  memset(p, 0, n * sizeof(double));
  return p;
}

static void walk(size_t symbol, hy__random *random) {
  double price = 20.0 + 200.0 * hy__random_uniform(random);
  for (size_t t = 0; t < n_bars; t++) {
    const double open = price * (1.0 + 2e-4 * hy__random_normal(random));
    price *= 1.0 + 1e-3 * hy__random_normal(random);
    const double bar[FIELDS] = {open, fmax(open, price) * (1.0 + 5e-4 * hy__random_uniform(random)),
                                fmin(open, price) * (1.0 - 5e-4 * hy__random_uniform(random)),
                                price, (double)(100 + hy__random_below(random, 10000))};
    for (size_t f = 0; f < FIELDS; f++)
      matrix[f][t * n_symbols + symbol] = series[f][symbol * n_bars + t] = bar[f];
  }
}

static void make_market(void) {
  hy__random random;
  hy__random_init(&random, 7, 0);
  for (size_t f = 0; f < FIELDS; f++) {
    matrix[f] = made(n_bars * n_symbols);
    series[f] = made(n_bars * n_symbols);
  }
  for (size_t s = 0; s < n_symbols; s++) walk(s, &random);
  time_ns = malloc(n_bars * sizeof *time_ns);
  names = malloc(n_symbols * sizeof *names);
  symbols = malloc(n_symbols * sizeof *symbols);
  if (!time_ns || !names || !symbols) fail("names", NULL);
  for (size_t t = 0; t < n_bars; t++) time_ns[t] = (int64_t)(1 + t) * 60 * 1000000000;
  for (size_t s = 0; s < n_symbols; s++) {
    (void)snprintf(names[s], sizeof names[s], "S%05zu", s % 100000);
    symbols[s] = names[s];
  }
}

static hy_universe *make_universe(hy_runtime *runtime) {
  hy_universe *u;
  hy_error err;
  const double *data[FIELDS];
  for (size_t f = 0; f < FIELDS; f++) data[f] = matrix[f];
  const hy_panel panel = {.struct_size = sizeof panel,
                          .n_bars = n_bars,
                          .n_symbols = n_symbols,
                          .n_fields = FIELDS,
                          .time_ns = time_ns,
                          .symbols = symbols,
                          .fields = field_names,
                          .data = data,
                          .timeframe = "1m"};
  if (hy_universe_from_panel(runtime, &panel, &u, &err) != HY_OK) fail("universe", &err);
  return u;
}

/* Nanoseconds per symbol-bar. */
static double ours_ns(hy_runtime *runtime, size_t begin, size_t end) {
  char spec[SPEC_BYTES];
  hy_features *f;
  hy_error err;
  int64_t best = INT64_MAX;
  hy_universe *u = make_universe(runtime);
  (void)definitions_spec(spec, sizeof spec, begin, end);
  if (hy_features_create(runtime, spec, &f, &err) != HY_OK) fail(spec, &err);
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    const hy_features_columns columns = {
        .struct_size = sizeof columns, .t_end = n_bars, .stride = n_bars, .out = outputs};
    if (hy_features_compute_columns(f, u, &columns, &err) != HY_OK) fail(spec, &err);
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  hy_features_destroy(f);
  hy_universe_destroy(u);
  return (double)best / ((double)n_symbols * (double)n_bars);
}

static double theirs_ns(void *library, const definition *d) {
  const talib_row *q = talib_find(d->id);
  const talib_fn f = q ? talib_symbol(library, q, "") : NULL;
  int64_t best = INT64_MAX;
  if (f == NULL) return (double)NAN;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    for (size_t s = 0; s < n_symbols; s++) {
      const double *in[6] = {NULL};
      double *out[3] = {NULL};
      for (size_t k = 0; k < FIELDS; k++) in[k] = series[k] + s * n_bars;
      for (size_t k = 0; k < 3; k++) out[k] = outputs[k] + s * n_bars;
      talib_batch(f, q, in, n_bars, out);
    }
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  return (double)best / ((double)n_symbols * (double)n_bars);
}

/* The least that the memory takes: each input read once, each output written once. */
static double floor_ns(size_t n_outputs) {
  static volatile double sink;
  const size_t n = n_symbols * n_bars;
  int64_t best = INT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t begin = hy__clock_monotonic_ns();
    for (size_t f = 0; f < FIELDS; f++) {
      double sums[8] = {0};
      for (size_t i = 0; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++) sums[k] += matrix[f][i + k];
      sink = sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
    }
    for (size_t o = 0; o < n_outputs; o++) memset(outputs[o], pass, n * sizeof(double));
    best = HY_MIN(best, hy__clock_monotonic_ns() - begin);
  }
  (void)sink;
  return (double)best / (double)n;
}

static hy_runtime *make_runtime(hy_isa isa, uint32_t n_threads) {
  hy_runtime *runtime;
  hy_error err;
  const hy_runtime_options o = {.struct_size = sizeof o, .n_threads = n_threads, .isa = isa};
  if (hy_runtime_create(&o, &runtime, &err) != HY_OK) fail("runtime", &err);
  return runtime;
}

static void run_isa(hy_isa isa, const char *name, void *library) {
  hy_runtime *one = make_runtime(isa, 1), *two = make_runtime(isa, 2);
  double ours = 0, theirs = 0, worst = INFINITY;
  const char *slowest = "";
  (void)printf("\n%s\n%-12s %9s %9s %8s\n", name, "ns per cell", "hayate", "ta-lib", "ratio");
  for (size_t i = 0; i < HY_COUNT(definitions); i++) {
    const double a = ours_ns(one, i, i + 1), b = library ? theirs_ns(library, &definitions[i]) : 0;
    (void)printf("%-12s %9.2f %9.2f %7.2fx\n", definitions[i].id, a, b, b / a);
    if (b / a < worst) worst = b / a, slowest = definitions[i].id;
    ours += a;
    theirs += b;
  }
  const double all = ours_ns(one, 0, HY_COUNT(definitions));
  const double pair = ours_ns(two, 0, HY_COUNT(definitions));
  (void)printf("%-12s %9.2f %9.2f %7.2fx   worst %s %.2fx\n", "one by one", ours, theirs,
               theirs / ours, slowest, worst);
  (void)printf("%-12s %9.2f %9.2f %7.2fx   two threads %.2fx of one\n", "one spec", all, theirs,
               theirs / all, all / pair);
  const bool wide = isa == HY_ISA_AVX512;
  if (library) bar_at_least("all in one spec, one core, times TA-Lib", theirs / all, wide ? 3 : 2);
  if (library) bar_at_least("the slowest of them, times TA-Lib", worst, 0.9);
  bar_at_least("two threads, times one", all / pair, 1.8);
  hy_runtime_destroy(one);
  hy_runtime_destroy(two);
}

int main(int argc, char **argv) {
  double value = 0;
  if (argc > 1 && hy__parse_f64(argv[1], argv[1] + strlen(argv[1]), &value))
    n_symbols = (size_t)fmin(fmax(value, 1), 100000);
  if (argc > 2 && hy__parse_f64(argv[2], argv[2] + strlen(argv[2]), &value))
    n_bars = (size_t)fmin(fmax(value, 200), 1e7);
  void *const library = talib_load();
  char spec[SPEC_BYTES];
  const size_t n_outputs = definitions_spec(spec, sizeof spec, 0, HY_COUNT(definitions));
  make_market();
  for (size_t i = 0; i < n_outputs; i++) outputs[i] = made(n_bars * n_symbols);
  (void)printf("%zu definitions, %zu outputs, %zu symbols x %zu bars; the memory floor: %zu bytes "
               "written and %d read for each symbol-bar, %.2f ns\n",
               HY_COUNT(definitions), n_outputs, n_symbols, n_bars, 8 * n_outputs, 8 * FIELDS,
               floor_ns(n_outputs));
  if (hy_isa_detect() >= HY_ISA_AVX2) run_isa(HY_ISA_AVX2, "avx2", library);
  if (hy_isa_detect() >= HY_ISA_AVX512) run_isa(HY_ISA_AVX512, "avx512", library);
  if (library == NULL)
    (void)printf("TA-Lib is not beside it: set HAYATE_TALIB=$(python bench/peers/talib_so.py)\n");
  return 0;
}
