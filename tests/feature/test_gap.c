/* SPDX-License-Identifier: Apache-2.0
 * Gap policies against what they mean, said with plain panels: a market whose missing bars are
 * taken out, filled, or cut apart before anything is computed. */
#include "feature/panel.h"

enum { BARS = 380, SYMBOLS = 8 }; /* a whole block, whose rows are read as they lie */

#define FEATURES                                                                                   \
  "\"r = rsi.mid(close, 5)\", \"m = sma(close, 9)\", \"e = ema(volume, 4)\", \"p = ref(open, "     \
  "1)\", "                                                                                         \
  "\"x = std.pop(r, 6)\", \"s = sum(volume, 70)\", \"d = tod_sin()\""

static panel market;

static int set_up(void **state) {
  (void)state;
  market = panel_make(BARS, SYMBOLS, 60, true);
  for (size_t t = 200; t < 212; t++) market.valid[t * SYMBOLS + 3] = 0; /* a halt */
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  return 0;
}

static hy_features *with_gap(hy_runtime *runtime, const char *gap) {
  char text[1024];
  hy_features *f;
  hy_error err;
  snprintf(text, sizeof text, "params: {gap: %s}\nfeatures: [%s]\n", gap, FEATURES);
  if (features_parse(runtime, text, NULL, &f, &err) != HY_OK) fail_msg("%s", err.message);
  return f;
}

static answer compute_gap(panel *p, const char *gap, hy__feature_range range) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = with_gap(runtime, gap);
  hy_universe *u = panel_open(runtime, p);
  answer a = compute_range(f, u, range);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  return a;
}

/* The rows `t` of symbol s alone, as a market of its own in which no bar is missing. */
static panel only_rows(size_t s, const size_t *rows, size_t n) {
  panel p = panel_empty(n, 1);
  for (size_t i = 0; i < n; i++) {
    p.time_ns[i] = market.time_ns[rows[i]];
    p.valid[i] = 1;
    for (size_t k = 0; k < PANEL_FIELDS; k++) p.data[k][i] = market.data[k][rows[i] * SYMBOLS + s];
  }
  return p;
}

/* Symbol s of `got` holds in `rows` what the features of those rows alone are. */
static void check_piece(const answer *got, size_t s, const size_t *rows, size_t n) {
  if (!n) return;
  panel alone = only_rows(s, rows, n);
  answer want = compute_gap(&alone, "none", (hy__feature_range){0});
  for (size_t i = 0; i < want.n_features; i++)
    for (size_t r = 0; r < n; r++)
      if (memcmp(answer_at(got, i, rows[r], s), answer_at(&want, i, r, 0), sizeof(double)))
        fail_msg("feature %zu of symbol %zu differs at row %zu", i, s, rows[r]);
  free(want.values);
  panel_free(&alone);
}

/* reset_after_ns 0: the bars of a symbol are one series. */
static void check_pieces(const answer *got, int64_t reset_after_ns) {
  size_t rows[BARS];
  for (size_t s = 0; s < SYMBOLS; s++) {
    size_t n = 0;
    for (size_t t = 0; t < BARS; t++) {
      if (!market.valid[t * SYMBOLS + s]) {
        for (size_t i = 0; i < got->n_features; i++) assert_true(isnan(*answer_at(got, i, t, s)));
        continue;
      }
      bool cut =
          n && reset_after_ns && market.time_ns[t] - market.time_ns[rows[n - 1]] > reset_after_ns;
      if (cut) check_piece(got, s, rows, n), n = 0;
      rows[n++] = t;
    }
    check_piece(got, s, rows, n);
  }
}

static void none_takes_missing_bars_out(void **state) {
  (void)state;
  answer a = compute_gap(&market, "none", (hy__feature_range){.chunk_rows = 32});
  check_pieces(&a, 0);
  free(a.values);
}

static void reset_begins_anew(void **state) {
  (void)state;
  answer a =
      compute_gap(&market, "{fill: reset, reset_after: 1h}", (hy__feature_range){.chunk_rows = 32});
  check_pieces(&a, INT64_C(3600) * 1000000000);
  answer b = compute_gap(&market, "{reset_after: 5m}", (hy__feature_range){0});
  check_pieces(&b, INT64_C(300) * 1000000000);
  free(a.values);
  free(b.values);
}

static void flat_fills_with_the_last_close(void **state) {
  (void)state;
  size_t all[SYMBOLS];
  for (size_t s = 0; s < SYMBOLS; s++) all[s] = s;
  panel filled = panel_part(&market, 0, BARS, all, SYMBOLS);
  for (size_t s = 0; s < SYMBOLS; s++) {
    size_t missing = 100;
    for (size_t t = 0; t < BARS; t++) {
      size_t cell = t * SYMBOLS + s;
      missing = filled.valid[cell] ? 0 : missing + 1;
      if (missing == 0 || missing > 3) continue;
      double last = filled.data[3][cell - SYMBOLS];
      for (size_t k = 0; k < PANEL_FIELDS; k++) filled.data[k][cell] = k == 4 ? 0 : last;
    }
    missing = 100;
    for (size_t t = 0; t < BARS; t++) {
      missing = filled.valid[t * SYMBOLS + s] ? 0 : missing + 1;
      filled.valid[t * SYMBOLS + s] = missing <= 3;
    }
  }
  answer a = compute_gap(&market, "{fill: flat, max: 3}", (hy__feature_range){.chunk_rows = 32});
  answer b = compute_gap(&filled, "mark", (hy__feature_range){0});
  assert_memory_equal(a.values, b.values, a.n_features * BARS * SYMBOLS * sizeof(double));
  answer part = compute_gap(&market, "{fill: flat, max: 3}", (hy__feature_range){.t_begin = 203});
  for (size_t i = 0; i < a.n_features; i++)
    assert_memory_equal(answer_at(&part, i, 0, 0), answer_at(&a, i, 203, 0),
                        (BARS - 203) * SYMBOLS * sizeof(double));
  free(a.values);
  free(b.values);
  free(part.values);
  panel_free(&filled);
}

static void ranges_have_the_bits_of_the_whole(void **state) {
  (void)state;
  static const char *const gaps[] = {"none", "mark", "{fill: flat, max: 2}",
                                     "{fill: reset, reset_after: 4m}",
                                     "{fill: reset, reset_after: 1h}"};
  static const size_t begins[] = {1, 119, 120, 206, BARS - 1};
  for (size_t g = 0; g < HY_COUNT(gaps); g++) {
    answer whole = compute_gap(&market, gaps[g], (hy__feature_range){0});
    for (size_t b = 0; b < HY_COUNT(begins); b++) {
      size_t begin = begins[b], rows = BARS - begin;
      hy__feature_range range = {.t_begin = begin, .chunk_rows = 32};
      answer part = compute_gap(&market, gaps[g], range);
      for (size_t i = 0; i < whole.n_features; i++)
        if (memcmp(answer_at(&part, i, 0, 0), answer_at(&whole, i, begin, 0),
                   rows * SYMBOLS * sizeof(double)))
          fail_msg("%s from row %zu: feature %zu differs", gaps[g], begin, i);
      free(part.values);
    }
    free(whole.values);
  }
}

/* A window that holds a missing bar has no value; a shift finds none either. */
static void mark_keeps_the_rows(void **state) {
  (void)state;
  answer a = compute_gap(&market, "mark", (hy__feature_range){0});
  for (size_t s = 0; s < SYMBOLS; s++)
    for (size_t t = 0, run = 0; t < BARS; t++) {
      bool here = market.valid[t * SYMBOLS + s];
      bool before = t > 0 && market.valid[(t - 1) * SYMBOLS + s];
      run = here ? run + 1 : 0;
      assert_int_equal(!isnan(*answer_at(&a, 1, t, s)), run >= 9);
      assert_int_equal(!isnan(*answer_at(&a, 3, t, s)), here && before);
    }
  free(a.values);
}

/* Each feature can have its own policy; what it names is computed under it. */
static void a_feature_has_its_own_policy(void **state) {
  (void)state;
  const char *text = "params: {gap: none}\n"
                     "features:\n"
                     "  - {name: m, expr: 'sma(close, 9)'}\n"
                     "  - {name: k, expr: 'm * 1', gap: mark}\n"
                     "  - {name: n, expr: 'm * 1'}\n";
  hy_features *f;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  assert_int_equal(features_parse(runtime, text, NULL, &f, NULL), HY_OK);
  hy_universe *u = panel_open(runtime, &market);
  answer a = compute_range(f, u, (hy__feature_range){0});
  answer mark = compute_gap(&market, "mark", (hy__feature_range){0});
  size_t bytes = BARS * SYMBOLS * sizeof(double);
  assert_memory_equal(answer_at(&a, 1, 0, 0), answer_at(&mark, 1, 0, 0), bytes);
  assert_memory_equal(answer_at(&a, 2, 0, 0), answer_at(&a, 0, 0, 0), bytes);
  assert_memory_not_equal(answer_at(&a, 1, 0, 0), answer_at(&a, 0, 0, 0), bytes);
  free(a.values);
  free(mark.values);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(none_takes_missing_bars_out),
                                     cmocka_unit_test(reset_begins_anew),
                                     cmocka_unit_test(flat_fills_with_the_last_close),
                                     cmocka_unit_test(mark_keeps_the_rows),
                                     cmocka_unit_test(ranges_have_the_bits_of_the_whole),
                                     cmocka_unit_test(a_feature_has_its_own_policy)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
