/* SPDX-License-Identifier: Apache-2.0
 * For the tests of programs: a made-up market with missing bars and holes in fields, universes over
 * parts of it, programs of specs, streams, and features computed into one array. */
#ifndef TESTS_FEATURE_PANEL_H
#define TESTS_FEATURE_PANEL_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <hayate/feature_stream.h>

#include "feature/batch/compute.h"
#include "feature/feature.h"

enum { PANEL_FIELDS = 6, PANEL_SYMBOLS_MAX = 32 };
static const char *const panel_fields[PANEL_FIELDS] = {"open",  "high",   "low",
                                                       "close", "volume", "vwap"};

/* [row, symbol] matrices. */
typedef struct panel {
  size_t n_bars, n_symbols;
  double *data[PANEL_FIELDS];
  uint8_t *valid;
  int64_t *time_ns;
  char names[PANEL_SYMBOLS_MAX][8];
  const char *symbols[PANEL_SYMBOLS_MAX];
} panel;

static inline void *panel_alloc(size_t n, size_t each) {
  void *memory = calloc(n ? n : 1, each);
  assert_non_null(memory);
  return memory;
}

static inline panel panel_empty(size_t n_bars, size_t n_symbols) {
  panel p = {.n_bars = n_bars, .n_symbols = n_symbols};
  assert_true(n_symbols <= PANEL_SYMBOLS_MAX);
  for (size_t k = 0; k < PANEL_FIELDS; k++) p.data[k] = panel_alloc(n_bars * n_symbols, 8);
  p.valid = panel_alloc(n_bars * n_symbols, 1);
  p.time_ns = panel_alloc(n_bars, 8);
  for (size_t s = 0; s < n_symbols; s++)
    (void)snprintf(p.names[s], sizeof p.names[s], "S%03u", (unsigned)(s % 1000));
  return p;
}

static inline void panel_free(panel *p) {
  for (size_t k = 0; k < PANEL_FIELDS; k++) free(p->data[k]);
  free(p->valid);
  free(p->time_ns);
}

static inline void panel_bar(panel *p, size_t t, size_t s, hy__random *r, double *price) {
  double open = *price, close = open * hy__exp(0.01 * hy__random_normal(r));
  double spread = 0.003 * open * hy__random_uniform(r);
  const double bar[PANEL_FIELDS] = {open,
                                    HY_MAX(open, close) + spread,
                                    HY_MIN(open, close) - spread,
                                    close,
                                    100.0 + (double)hy__random_below(r, 900),
                                    (open + close) / 2};
  *price = close;
  for (size_t k = 0; k < PANEL_FIELDS; k++) p->data[k][t * p->n_symbols + s] = bar[k];
}

/* Minutes from a Tuesday in winter on, with a night after every 120; `missing` of 1000 bars do not
 * exist, and symbol s begins 7 s bars late when late. */
static inline panel panel_make(size_t n_bars, size_t n_symbols, unsigned missing, bool late) {
  panel p = panel_empty(n_bars, n_symbols);
  for (size_t t = 0; t < n_bars; t++)
    p.time_ns[t] = (INT64_C(1704205860) + (int64_t)(t * 60 + t / 120 * 57600)) * 1000000000;
  for (size_t s = 0; s < n_symbols; s++) {
    hy__random r;
    double price = 20 + (double)s;
    hy__random_init(&r, 11, s);
    for (size_t t = 0; t < n_bars; t++) {
      panel_bar(&p, t, s, &r, &price);
      bool gone = hy__random_below(&r, 1000) < missing || (late && t < 7 * s);
      p.valid[t * n_symbols + s] = !gone;
    }
  }
  return p;
}

/* Rows [begin, end) of symbols `which` in their order. */
static inline panel panel_part(const panel *from, size_t begin, size_t end, const size_t *which,
                               size_t n) {
  panel p = panel_empty(end - begin, n);
  for (size_t t = begin; t < end; t++) {
    p.time_ns[t - begin] = from->time_ns[t];
    for (size_t s = 0; s < n; s++) {
      size_t to = (t - begin) * n + s, cell = t * from->n_symbols + which[s];
      for (size_t k = 0; k < PANEL_FIELDS; k++) p.data[k][to] = from->data[k][cell];
      p.valid[to] = from->valid[cell];
    }
  }
  return p;
}

static inline hy_universe *panel_open(hy_runtime *runtime, panel *p) {
  hy_universe *u;
  hy_error err;
  const double *data[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) data[k] = p->data[k];
  for (size_t s = 0; s < p->n_symbols; s++) p->symbols[s] = p->names[s];
  hy_panel whole = {.struct_size = sizeof whole,
                    .n_bars = p->n_bars,
                    .n_symbols = p->n_symbols,
                    .n_fields = PANEL_FIELDS,
                    .time_ns = p->time_ns,
                    .symbols = p->symbols,
                    .fields = panel_fields,
                    .data = data,
                    .valid = p->valid,
                    .timeframe = "1m",
                    .zone = "America/New_York",
                    .calendar = "XNYS"};
  if (hy_universe_from_panel(runtime, &whole, &u, &err) != HY_OK) fail_msg("%s", err.message);
  return u;
}

static inline hy_runtime *runtime_make(uint32_t n_threads, hy_isa isa) {
  hy_runtime *runtime;
  hy_error err;
  hy_runtime_options o = {
      .struct_size = sizeof o, .n_threads = n_threads, .isa = isa, .no_pinning = true};
  if (hy_runtime_create(&o, &runtime, &err) != HY_OK) fail_msg("%s", err.message);
  return runtime;
}

static inline hy_features *features_make(hy_runtime *runtime, const char *spec) {
  hy_features *f;
  hy_error err;
  if (hy_features_create(runtime, spec, &f, &err) != HY_OK)
    fail_msg("%d: %s in %s", err.column, err.message, spec);
  return f;
}

/* Of a spec's file form; fit may be NULL. */
static inline hy_status features_parse(hy_runtime *runtime, const char *yaml,
                                       const hy__fit_source *fit, hy_features **out,
                                       hy_error *err) {
  hy__arena *arena;
  const hy__yaml *root;
  *out = NULL;
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  hy_status status = hy__yaml_parse(yaml, strlen(yaml), "spec", arena, &root, err);
  if (status == HY_OK) status = hy__features_create_node(runtime, root, "spec", fit, out, err);
  hy__arena_destroy(arena);
  return status;
}

/* For rows of the panel. */
static inline hy_feature_stream *panel_stream(const hy_features *f, panel *p) {
  hy_feature_stream *s;
  hy_error err;
  for (size_t k = 0; k < p->n_symbols; k++) p->symbols[k] = p->names[k];
  const hy_feature_stream_options o = {.struct_size = sizeof o,
                                       .n_symbols = p->n_symbols,
                                       .n_fields = PANEL_FIELDS,
                                       .symbols = p->symbols,
                                       .fields = panel_fields,
                                       .timeframe = "1m",
                                       .zone = "America/New_York",
                                       .calendar = "XNYS"};
  if (hy_feature_stream_create(f, &o, &s, &err) != HY_OK) fail_msg("%s", err.message);
  return s;
}

/* A computed range: values[feature][row, symbol] one after the other. */
typedef struct answer {
  size_t n_features, rows, symbols;
  double *values;
} answer;

static inline const double *answer_at(const answer *a, size_t feature, size_t row, size_t symbol) {
  return &a->values[(feature * a->rows + row) * a->symbols + symbol];
}

static inline answer compute_range(const hy_features *f, const hy_universe *u,
                                   hy__feature_range range) {
  hy_features_info info = {.struct_size = sizeof info};
  hy_universe_info market = {.struct_size = sizeof market};
  hy_error err;
  hy_features_describe(f, &info);
  hy_universe_describe(u, &market);
  if (!range.t_end) range.t_end = market.n_bars;
  answer a = {info.n_features, range.t_end - range.t_begin, market.n_symbols, NULL};
  a.values = panel_alloc(a.n_features * a.rows * a.symbols, 8);
  double **columns = panel_alloc(a.n_features, sizeof *columns);
  for (size_t i = 0; i < a.n_features; i++) columns[i] = a.values + i * a.rows * a.symbols;
  hy__compute_out out = {.columns = columns};
  if (hy__compute_range(f, u, range, &out, &err) != HY_OK) fail_msg("%s", err.message);
  free(columns);
  return a;
}

/* A runtime, a panel and a spec, all at once. */
static inline answer compute_panel(panel *p, const char *spec, uint32_t n_threads, hy_isa isa,
                                   hy__feature_range range) {
  hy_runtime *runtime = runtime_make(n_threads, isa);
  hy_features *f = features_make(runtime, spec);
  hy_universe *u = panel_open(runtime, p);
  answer a = compute_range(f, u, range);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  return a;
}

#endif
