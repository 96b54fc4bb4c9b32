/* SPDX-License-Identifier: Apache-2.0
 * Programs over a universe: every row of the tables in one spec, and what must not change a bit of
 * it: chunks, threads, instruction sets, the place of a symbol, the range that is asked for, the
 * bars that come later. */
#include "feature/every_row.h"
#include "feature/program.h"

enum { BARS = 420, SYMBOLS = 21 };

static char spec[SPEC_BYTES], series_spec[SPEC_BYTES];
static panel market;
static answer whole;

static int set_up(void **state) {
  (void)state;
  for (size_t row = 0; row < hy__def_n(); row++) {
    const hy__def def = def_at(row);
    add_row(spec, &def, takes_n_alone(&def) ? 9 : 0);
    if (!def.is_cross) add_row(series_spec, &def, takes_n_alone(&def) ? 9 : 0);
    if (!takes_n_alone(&def)) continue;
    add_row(spec, &def, 70); /* where a row chooses its method by length */
    add_row(series_spec, &def, 70);
  }
  add_text(
      spec,
      "sma(sma(close, 9), 11); std.pop(ref(rsi.mid(high, 5), 7), 8); highest(mom(low, 2), 70); ");
  add_text(spec,
           "sma(cs.rank(rsi.mid(close, 5)), 4); cs.demean(ema(cs.zscore(close), 3) - close); ");
  add_text(spec, "rsi.mid(close, 5)@M5; cs.rank(mom(close, 2)@M15); age_bars@M5; n_src@H1; ");
  add_text(spec, "sma(close@M15 / close@H1 - close@M5, 3); ema(vwap@M5, 3) / close; tod_sin()@M15");
  add_text(series_spec, "rsi.mid(close, 5)@M5; sma(close@M15 / close@H1 - close@M5, 3); ");
  add_text(series_spec, "age_bars@M15; ema(vwap@M5, 3) / close");
  market = panel_make(BARS, SYMBOLS, 30, true);
  for (size_t t = 50; t < BARS; t += 61) /* holes: the bar is there, a field is not */
    market.data[t % PANEL_FIELDS][t * SYMBOLS + t % SYMBOLS] = (double)NAN;
  whole = compute_panel(&market, spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  free(whole.values);
  return 0;
}

/* Rows of `part` against the same rows of `whole`. */
static void assert_same(const answer *part, size_t first_row, const char *what) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  for (size_t i = 0; i < part->n_features; i++)
    for (size_t t = 0; t < part->rows; t++)
      if (memcmp(answer_at(part, i, t, 0), answer_at(&whole, i, first_row + t, 0),
                 part->symbols * sizeof(double)))
        fail_msg("%s: %s differs in row %zu", what, info.names[i], first_row + t);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

static void check(uint32_t n_threads, hy_isa isa, hy__feature_range range, const char *what) {
  answer part = compute_panel(&market, spec, n_threads, isa, range);
  assert_same(&part, range.t_begin, what);
  free(part.values);
}

static void every_feature_has_values(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(f, &info);
  for (size_t i = 0; i < whole.n_features; i++) {
    size_t n = 0;
    for (size_t c = 0; c < whole.rows * whole.symbols; c++) {
      double v = whole.values[i * whole.rows * whole.symbols + c];
      assert_false(isinf(v));
      n += v == v;
    }
    if (!n) fail_msg("%s has no value", info.names[i]);
  }
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

static void chunks_change_nothing(void **state) {
  (void)state;
  static const size_t rows[] = {1, 7, 64, 1000};
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    check(1, HY_ISA_DEFAULT, (hy__feature_range){.chunk_rows = rows[i]}, "chunk");
}

static void instruction_sets_change_nothing(void **state) {
  (void)state;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  for (hy_isa isa = HY_ISA_SCALAR; isa <= HY_ISA_NEON; isa++)
    if (hy__cpu_has(cpu.mask, isa)) check(1, isa, (hy__feature_range){0}, hy_isa_name(isa));
}

static void threads_change_nothing(void **state) {
  (void)state;
  for (uint32_t n = 2; n <= 4; n++) check(n, HY_ISA_DEFAULT, (hy__feature_range){0}, "threads");
}

static void ranges_have_the_bits_of_the_whole(void **state) {
  (void)state;
  static const size_t begins[] = {1, 69, 200, 333, BARS - 1};
  for (size_t i = 0; i < HY_COUNT(begins); i++)
    check(1, HY_ISA_DEFAULT, (hy__feature_range){.t_begin = begins[i], .chunk_rows = 50}, "range");
}

static void later_bars_change_nothing(void **state) {
  (void)state;
  size_t which[SYMBOLS];
  for (size_t s = 0; s < SYMBOLS; s++) which[s] = s;
  for (size_t end = 1; end < BARS; end += 59) {
    panel cut = panel_part(&market, 0, end, which, SYMBOLS);
    answer part = compute_panel(&cut, spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
    assert_same(&part, 0, "look-ahead");
    free(part.values);
    panel_free(&cut);
  }
}

/* Series alone: a cross-section's sums go in symbol order. */
static void the_place_of_a_symbol_changes_nothing(void **state) {
  (void)state;
  size_t which[SYMBOLS];
  for (size_t s = 0; s < SYMBOLS; s++) which[s] = (s * 8 + 5) % SYMBOLS;
  panel mixed = panel_part(&market, 0, BARS, which, SYMBOLS);
  answer a = compute_panel(&market, series_spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  answer b = compute_panel(&mixed, series_spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  for (size_t i = 0; i < a.n_features; i++)
    for (size_t t = 0; t < BARS; t++)
      for (size_t s = 0; s < SYMBOLS; s++)
        if (memcmp(answer_at(&b, i, t, s), answer_at(&a, i, t, which[s]), sizeof(double)))
          fail_msg("feature %zu of symbol %zu at row %zu differs", i, which[s], t);
  free(a.values);
  free(b.values);
  panel_free(&mixed);
}

/* The façade for score: [lane][row][feature] per block, stages and cross-sections by hand. */
static void blocks_hold_the_same(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_universe *u = panel_open(runtime, &market);
  hy__feature_run *run;
  hy__feature_range range = {.t_begin = 300, .t_end = 330};
  assert_int_equal(hy__feature_run_create(f, u, range, &run, NULL), HY_OK);
  size_t rows = range.t_end - range.t_begin, n = whole.n_features;
  void *workspace = aligned_alloc(64, (hy__feature_run_workspace_bytes(run) + 63) / 64 * 64);
  double *out = panel_alloc(HY_LANES * rows * n, sizeof *out);
  uint32_t n_bars[HY_LANES], stages = hy__feature_run_n_stages(run);
  int64_t time_ns[2] = {0, 0};
  assert_int_equal(stages, 4);
  for (uint32_t stage = 0; stage < stages; stage++) {
    for (size_t b = 0; b < hy__feature_run_n_blocks(run); b++) {
      double *to = stage + 1 == stages ? out : NULL;
      assert_int_equal(hy__feature_run_block(run, stage, b, workspace, to, n_bars, time_ns, NULL),
                       HY_OK);
      for (size_t k = 0; to && k < HY_LANES; k++)
        for (size_t r = 0; r < rows; r++)
          for (size_t i = 0; i < n; i++) {
            const double *got = &out[(k * rows + r) * n + i];
            if (b * HY_LANES + k >= SYMBOLS)
              assert_true(isnan(*got));
            else
              assert_memory_equal(got, answer_at(&whole, i, 300 + r, b * HY_LANES + k), 8);
          }
    }
    size_t cross = hy__feature_run_cross_rows(run, stage), half = cross / 2;
    assert_int_equal(hy__feature_run_cross(run, stage, half, cross, workspace, NULL), HY_OK);
    assert_int_equal(hy__feature_run_cross(run, stage, 0, half, workspace, NULL), HY_OK);
  }
  size_t bars = 0;
  for (size_t t = 0; t < range.t_end; t++) bars += market.valid[t * SYMBOLS + 16];
  assert_int_equal(n_bars[0], bars);
  assert_int_equal(n_bars[SYMBOLS % HY_LANES], 0);
  free(out);
  free(workspace);
  hy__feature_run_destroy(run);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

/* A symbol's columns as plain arrays give the bits of the universe; the call needs no times unless
 * the spec asks for them. */
static void a_series_has_the_bits_of_a_universe(void **state) {
  (void)state;
  const size_t first = 0;
  const char *text = "rsi(close, 5); bbands(close, 9).lower; obv(); cs.rank(high, min_names=1)";
  panel one = panel_part(&market, 0, BARS, &first, 1);
  memset(one.valid, 1, BARS);
  one.data[3][17] = (double)NAN;
  answer want = compute_panel(&one, text, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  const double *data[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) data[k] = one.data[k];
  hy_series series = {.struct_size = sizeof series,
                      .n_bars = BARS,
                      .n_fields = PANEL_FIELDS,
                      .fields = panel_fields,
                      .data = data};
  double *values = panel_alloc(4 * BARS, sizeof *values);
  double *const out[] = {values, values + BARS, values + 2 * BARS, values + 3 * BARS};
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, text), *clocks = features_make(runtime, "tod_sin()");
  hy_features *slower = features_make(runtime, "close@H1");
  hy_error err;
  assert_int_equal(hy_features_compute_series(f, &series, out, &err), HY_OK);
  assert_memory_equal(values, want.values, sizeof(double) * 4 * BARS);
  assert_int_equal(hy_features_compute_series(clocks, &series, out, &err), HY_INVALID_ARGUMENT);
  assert_non_null(strstr(err.message, "@local"));
  assert_int_equal(hy_features_compute_series(slower, &series, out, &err), HY_INVALID_ARGUMENT);
  assert_non_null(strstr(err.message, "H1"));
  series.time_ns = one.time_ns;
  assert_int_equal(hy_features_compute_series(clocks, &series, out, &err), HY_OK);
  series.n_fields = 3;
  assert_int_equal(hy_features_compute_series(f, &series, out, &err), HY_NOT_FOUND);
  series.n_bars = 0;
  assert_int_equal(hy_features_compute_series(f, &series, out, &err), HY_OK);
  hy_features_destroy(f);
  hy_features_destroy(clocks);
  hy_features_destroy(slower);
  hy_runtime_destroy(runtime);
  free(values);
  free(want.values);
  panel_free(&one);
}

/* Whether the row's values come from a series' rows alone, and from their windows alone. */
static bool is_of_rows(const hy__def *def) {
  bool clock = false;
  for (size_t i = 0; i < def->n_inputs; i++)
    clock |= def->inputs[i].name[0] == '@' && strcmp(def->inputs[i].name, "@bar") != 0;
  return !def->is_cross && !clock;
}
static bool is_window(const hy__def *def) {
  bool bar = false;
  for (size_t i = 0; i < def->n_inputs; i++) bar |= def->inputs[i].name[0] == '@';
  return is_of_rows(def) && def->klass == HY__IND_W && !bar;
}

/* One series' arrays against the same series as a universe. */
static void assert_series_is_batch(const char *text, size_t n_bars) {
  const size_t first = 0;
  panel all = panel_make(n_bars, 1, 0, false), one = panel_part(&all, 0, n_bars, &first, 1);
  one.data[3][n_bars / 3] = (double)NAN;
  one.data[1][n_bars / 8] = (double)INFINITY;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, text);
  answer want = compute_panel(&one, text, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  const double *data[PANEL_FIELDS];
  for (size_t i = 0; i < PANEL_FIELDS; i++) data[i] = one.data[i];
  hy_series series = {.struct_size = sizeof series,
                      .n_bars = one.n_bars,
                      .n_fields = PANEL_FIELDS,
                      .fields = panel_fields,
                      .data = data};
  double *values = panel_alloc(want.n_features * one.n_bars, sizeof *values);
  double **out = panel_alloc(want.n_features, sizeof *out);
  for (size_t i = 0; i < want.n_features; i++) out[i] = values + i * one.n_bars;
  assert_int_equal(hy_features_compute_series(f, &series, out, NULL), HY_OK);
  for (size_t i = 0; i < want.n_features; i++)
    if (memcmp(out[i], answer_at(&want, i, 0, 0), one.n_bars * sizeof(double)))
      fail_msg("%s at %zu bars", f->names[i], one.n_bars);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  free(out);
  free(values);
  free(want.values);
  panel_free(&one);
  panel_free(&all);
}

/* A program of windows takes a series in pieces side by side: the bits of one piece, at any length
 * and with holes. */
static void pieces_of_a_series_change_nothing(void **state) {
  (void)state;
  static char windows[SPEC_BYTES];
  static const size_t lengths[] = {255, 256, 701, 1900, 17003, 32768};
  for (size_t row = 0; row < hy__def_n(); row++) {
    hy__def def;
    if (hy__def_read(row, &def, NULL) == HY_OK && is_window(&def)) add_row(windows, &def, 0);
  }
  for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++)
    assert_series_is_batch(windows, lengths[k]);
}

/* A single series has code of its own, one lane wide. */
static void one_lane_has_the_bits_of_eight(void **state) {
  (void)state;
  static char all[SPEC_BYTES];
  static const size_t lengths[] = {1, 2, 40, 64, 65, 701, 2500};
  for (size_t row = 0; row < hy__def_n(); row++) {
    hy__def def;
    if (hy__def_read(row, &def, NULL) != HY_OK || !is_of_rows(&def)) continue;
    add_row(all, &def, 0);
    if (def.n_params == 1 && !strcmp(def.params[0].name, "n")) add_row(all, &def, 70);
  }
  for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++)
    assert_series_is_batch(all, lengths[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_feature_has_values),
      cmocka_unit_test(chunks_change_nothing),
      cmocka_unit_test(instruction_sets_change_nothing),
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(ranges_have_the_bits_of_the_whole),
      cmocka_unit_test(later_bars_change_nothing),
      cmocka_unit_test(the_place_of_a_symbol_changes_nothing),
      cmocka_unit_test(a_series_has_the_bits_of_a_universe),
      cmocka_unit_test(pieces_of_a_series_change_nothing),
      cmocka_unit_test(one_lane_has_the_bits_of_eight),
      cmocka_unit_test(blocks_hold_the_same),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
