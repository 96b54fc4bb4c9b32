/* SPDX-License-Identifier: Apache-2.0
 * Streams at every instruction set of this machine, one thread: a row of bars for a universe, a row
 * at which all timeframes close, one symbol, a peek, and the snapshot written and taken back, with
 * the bars that they are held to. Then thirty definitions beside the streams of TA-Lib's C core,
 * one for each symbol and definition.
 *
 *     bench_stream [SPEC [SYMBOLS]]        default examples/universe500/features100.yaml, 500 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <hayate/feature_stream.h>

#include "bar.h"
#include "base/base.h"
#include "definitions.h"
#include "market/market.h"
#include "talib.h"

enum { BARS = 2400, WARM = 1200, FIELDS = 5, SYMBOLS_MOST = 4096, SHOTS = 15 };

typedef struct market {
  hy_panel panel;
  hy__arena *arena;
  double *cells[FIELDS]; /* [bar][symbol] */
  uint8_t *valid;
} market;

/* Seconds of rows, in classes. */
typedef struct sample {
  double us[BARS];
  size_t n;
} sample;

static volatile double sink;

static void fail(const char *what, const hy_error *err) {
  (void)fprintf(stderr, "bench_stream: %s: %s\n", what, err->message);
  _Exit(1);
}

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double quantile_of(sample *s, double q) {
  if (s->n == 0) return (double)NAN;
  qsort(s->us, s->n, sizeof s->us[0], by_size);
  return s->us[(size_t)(q * (double)(s->n - 1))];
}

static market make_market(hy_runtime *runtime, size_t n_symbols) {
  market m = {.panel = {.struct_size = sizeof m.panel,
                        .n_bars = BARS,
                        .n_symbols = n_symbols,
                        .timeframe = "1m"}};
  hy_error err;
  hy_universe *u;
  if (hy__arena_create(&hy__allocator_libc, 0, 0, &m.arena, &err) != HY_OK ||
      hy__generate_panel(&m.panel, 7, m.arena, &err) != HY_OK ||
      hy_universe_from_panel(runtime, &m.panel, &u, &err) != HY_OK)
    fail("universe", &err);
  static const char *const names[FIELDS] = {"open", "high", "low", "close", "volume"};
  for (size_t k = 0; k < FIELDS; k++) {
    m.cells[k] = aligned_alloc(HY_ALIGN, BARS * n_symbols * sizeof(double) / 64 * 64 + 64);
    if (!m.cells[k] || hy_universe_read(u, names[k], 0, BARS, m.cells[k], &err) != HY_OK)
      fail(names[k], &err);
  }
  m.valid = malloc(BARS * n_symbols);
  for (size_t i = 0; i < BARS * n_symbols; i++) m.valid[i] = m.cells[3][i] == m.cells[3][i];
  hy_universe_destroy(u);
  return m;
}

static hy_feature_stream *make_stream(const hy_features *f, const market *m, size_t n_symbols) {
  hy_feature_stream *s;
  hy_error err;
  const hy_feature_stream_options o = {.struct_size = sizeof o,
                                       .n_symbols = n_symbols,
                                       .symbols = m->panel.symbols,
                                       .timeframe = "1m",
                                       .zone = m->panel.zone,
                                       .calendar = m->panel.calendar};
  if (hy_feature_stream_create(f, &o, &s, &err) != HY_OK) fail("stream", &err);
  return s;
}

static hy_bar_row row_at(const market *m, size_t t, const double *fields[FIELDS]) {
  for (size_t k = 0; k < FIELDS; k++) fields[k] = m->cells[k] + t * m->panel.n_symbols;
  return (hy_bar_row){.struct_size = sizeof(hy_bar_row),
                      .time_ns = m->panel.time_ns[t],
                      .fields = fields,
                      .valid = m->valid + t * m->panel.n_symbols};
}

/* Whether an hour ends with the row, as every faster timeframe then does. */
static bool ends_an_hour(const market *m, size_t t) {
  return m->panel.time_ns[t] % INT64_C(3600000000000) == 0;
}
static bool ends_five(const market *m, size_t t) {
  return m->panel.time_ns[t] % INT64_C(300000000000) == 0;
}

static double now_us(void) { return (double)hy__clock_monotonic_ns() / 1e3; }

typedef struct times {
  sample base, five, all, peek;
} times;

static void run_rows(hy_feature_stream *s, const market *m, double *values, times *out) {
  const double *fields[FIELDS];
  hy_error err;
  for (size_t t = 0; t < BARS; t++) {
    const hy_bar_row row = row_at(m, t, fields);
    double began = now_us();
    if (t >= WARM && t % 16 == 0) {
      if (hy_feature_stream_peek(s, &row, values, NULL, &err) != HY_OK) fail("peek", &err);
      out->peek.us[out->peek.n++] = now_us() - began;
      began = now_us();
    }
    if (hy_feature_stream_update(s, &row, values, NULL, &err) != HY_OK) fail("update", &err);
    const double us = now_us() - began;
    sample *to = ends_an_hour(m, t) ? &out->all : ends_five(m, t) ? &out->five : &out->base;
    if (t >= WARM) to->us[to->n++] = us;
    sink = values[0];
  }
}

typedef struct snapshot_ms {
  double write, read;
} snapshot_ms;

static snapshot_ms run_snapshots(hy_feature_stream *s) {
  hy_feature_stream_info info = {.struct_size = sizeof info};
  sample write = {.n = 0}, read = {.n = 0};
  hy_error err;
  hy_feature_stream_describe(s, &info);
  void *bytes = aligned_alloc(HY_ALIGN, info.snapshot_bytes / 64 * 64 + 64);
  for (int i = 0; i < SHOTS; i++) {
    double began = now_us();
    if (hy_feature_stream_snapshot(s, bytes, info.snapshot_bytes, &err) != HY_OK)
      fail("snapshot", &err);
    write.us[write.n++] = now_us() - began;
    began = now_us();
    if (hy_feature_stream_restore(s, bytes, info.snapshot_bytes, &err) != HY_OK)
      fail("restore", &err);
    read.us[read.n++] = now_us() - began;
  }
  const snapshot_ms ms = {quantile_of(&write, 0.5) / 1e3, quantile_of(&read, 0.5) / 1e3};
  (void)printf("%9.2f %9.2f %11.0f %11.0f\n", ms.write, ms.read,
               (double)info.state_bytes / (double)info.n_symbols,
               (double)info.snapshot_bytes / (double)info.n_symbols);
  free(bytes);
  return ms;
}

/* Of the spec and the symbols that are measured without arguments. */
static void print_bars(hy_isa isa, times *many, times *one, snapshot_ms ms) {
  const bool wide = isa == HY_ISA_AVX512;
  bar_at_most("a row of 500 symbols, median us", quantile_of(&many->base, 0.5), wide ? 150 : 300);
  bar_at_most("a row at which all timeframes close, median us", quantile_of(&many->all, 0.5),
              wide ? 400 : 800);
  bar_at_most("a bar of one symbol, median us", quantile_of(&one->base, 0.5), 4);
  bar_at_most("a snapshot written, ms", ms.write, 5);
  bar_at_most("a snapshot taken back, ms", ms.read, 3);
}

static void run_isa(hy_isa isa, const char *name, const char *spec, size_t n_symbols, bool held) {
  hy_runtime *runtime;
  hy_features *f;
  hy_error err;
  const hy_runtime_options o = {
      .struct_size = sizeof o, .n_threads = 1, .isa = isa, .no_pinning = true};
  static times many, one;
  memset(&many, 0, sizeof many);
  memset(&one, 0, sizeof one);
  if (hy_runtime_create(&o, &runtime, &err) != HY_OK) fail("runtime", &err);
  if (hy_features_create(runtime, spec, &f, &err) != HY_OK) fail(spec, &err);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  market m = make_market(runtime, n_symbols), single = make_market(runtime, 1);
  double *values = aligned_alloc(HY_ALIGN, n_symbols * info.n_features * 8 / 64 * 64 + 64);
  hy_feature_stream *s = make_stream(f, &m, n_symbols), *s1 = make_stream(f, &single, 1);
  run_rows(s, &m, values, &many);
  run_rows(s1, &single, values, &one);
  (void)printf("%-8s %9.1f %9.1f %9.1f %9.1f %9.1f %9.2f ", name, quantile_of(&many.base, 0.5),
               quantile_of(&many.base, 0.99), quantile_of(&many.five, 0.5),
               quantile_of(&many.all, 0.5), quantile_of(&many.peek, 0.5),
               quantile_of(&one.base, 0.5));
  const snapshot_ms ms = run_snapshots(s);
  if (held && isa != HY_ISA_SCALAR) print_bars(isa, &many, &one, ms);
  hy_feature_stream_destroy(s);
  hy_feature_stream_destroy(s1);
  free(values);
  hy__arena_destroy(m.arena);
  hy__arena_destroy(single.arena);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

/* ---- beside TA-Lib ---- */

/* Bars of one symbol as TA-Lib has them. */
static void series_of(const market *m, size_t symbol, double *series[FIELDS]) {
  for (size_t k = 0; k < FIELDS; k++)
    for (size_t t = 0; t < BARS; t++) {
      const double v = m->cells[k][t * m->panel.n_symbols + symbol];
      series[k][t] = v == v ? v : t > 0 ? series[k][t - 1] : 100.0; /* TA-Lib takes no gaps */
    }
}

/* The median microseconds of a row: each stream of each symbol takes its bar. */
static double talib_row_us(void *library, const market *m) {
  enum { N = sizeof definitions / sizeof definitions[0] };
  const size_t n = m->panel.n_symbols;
  static sample rows;
  talib_fn update[N];
  void **streams = calloc(N * n, sizeof *streams);
  double *bars = malloc(BARS * n * 6 * sizeof *bars), *series[FIELDS], out[8];
  rows.n = 0;
  for (size_t k = 0; k < FIELDS; k++) series[k] = malloc(BARS * sizeof *series[k]);
  for (size_t s = 0; s < n; s++) {
    series_of(m, s, series);
    const double *in[6] = {series[0], series[1], series[2], series[3], series[4], series[3]};
    for (size_t t = 0; t < BARS; t++)
      for (size_t k = 0; k < 6; k++) bars[(t * n + s) * 6 + k] = in[k][t];
    for (size_t i = 0; i < N; i++) {
      const talib_row *q = talib_find(definitions[i].id);
      const talib_fn open = talib_symbol(library, q, "_Open");
      update[i] = talib_symbol(library, q, "_Update");
      if (open && update[i]) streams[i * n + s] = talib_stream(open, q, in, WARM);
    }
  }
  for (size_t t = WARM; t < BARS; t++) {
    const double began = now_us();
    for (size_t i = 0; i < N; i++) {
      const talib_row *q = talib_find(definitions[i].id);
      for (size_t s = 0; s < n; s++)
        if (streams[i * n + s])
          talib_update(update[i], q, streams[i * n + s], bars + (t * n + s) * 6, out);
    }
    rows.us[rows.n++] = now_us() - began;
    sink = out[0];
  }
  size_t missing = 0;
  for (size_t i = 0; i < N * n; i++) missing += streams[i] == NULL;
  if (missing) (void)printf("%zu of TA-Lib's streams could not be opened\n", missing);
  for (size_t k = 0; k < FIELDS; k++) free(series[k]);
  free(bars);
  free(streams);
  return quantile_of(&rows, 0.5);
}

static double ours_row_us(hy_isa isa, size_t n_symbols, market *m) {
  char spec[8192];
  hy_runtime *runtime;
  hy_features *f;
  hy_error err;
  static times t;
  memset(&t, 0, sizeof t);
  const hy_runtime_options o = {
      .struct_size = sizeof o, .n_threads = 1, .isa = isa, .no_pinning = true};
  const size_t n = definitions_spec(spec, sizeof spec, 0, HY_COUNT(definitions));
  if (hy_runtime_create(&o, &runtime, &err) != HY_OK) fail("runtime", &err);
  if (hy_features_create(runtime, spec, &f, &err) != HY_OK) fail(spec, &err);
  *m = make_market(runtime, n_symbols);
  double *values = aligned_alloc(HY_ALIGN, n_symbols * n * 8 / 64 * 64 + 64);
  hy_feature_stream *s = make_stream(f, m, n_symbols);
  run_rows(s, m, values, &t);
  const double us = quantile_of(&t.base, 0.5);
  hy_feature_stream_destroy(s);
  free(values);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  return us;
}

static void beside_talib(size_t n_symbols) {
  void *const library = talib_load();
  market m;
  if (library == NULL) {
    (void)printf("TA-Lib is not beside it: set HAYATE_TALIB=$(python bench/peers/talib_so.py)\n");
    return;
  }
  const hy_isa isas[] = {HY_ISA_AVX2, HY_ISA_AVX512};
  for (size_t i = 0; i < HY_COUNT(isas) && isas[i] <= hy_isa_detect(); i++) {
    const double ours = ours_row_us(isas[i], n_symbols, &m), theirs = talib_row_us(library, &m);
    (void)printf("thirty definitions, a row of %zu symbols, %s: %.1f us, TA-Lib's streams %.1f us, "
                 "%.1fx\n",
                 n_symbols, i ? "avx512" : "avx2", ours, theirs, theirs / ours);
    bar_at_least("streams, times TA-Lib's", theirs / ours, 3);
    (void)printf("a bar of one symbol of them: %.3f us\n", ours / (double)n_symbols);
    hy__arena_destroy(m.arena);
  }
}

int main(int argc, char **argv) {
  static const char *const names[] = {"scalar", "avx2", "avx512"};
  static const hy_isa isas[] = {HY_ISA_SCALAR, HY_ISA_AVX2, HY_ISA_AVX512};
  const char *spec = argc > 1 ? argv[1] : "examples/universe500/features100.yaml";
  double n = 500;
  if (argc > 2) (void)hy__parse_f64(argv[2], argv[2] + strlen(argv[2]), &n);
  const size_t n_symbols = n >= 1 && n <= SYMBOLS_MOST ? (size_t)n : 500;
  (void)printf("%s, %zu symbols, one thread: microseconds for a row (all: every timeframe closes), "
               "milliseconds for a snapshot, bytes of a symbol\n%-8s %9s %9s %9s %9s %9s %9s %9s "
               "%9s %11s %11s\n",
               spec, n_symbols, "", "row", "p99", "M5", "all", "peek", "1 symbol", "write",
               "restore", "memory", "snapshot");
  for (size_t i = 0; i < HY_COUNT(isas); i++)
    if (isas[i] <= hy_isa_detect()) run_isa(isas[i], names[i], spec, n_symbols, argc == 1);
  beside_talib(n_symbols);
  return 0;
}
