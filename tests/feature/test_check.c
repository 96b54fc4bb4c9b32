/* SPDX-License-Identifier: Apache-2.0
 * The checks find what they are there to find: a step that reads the next bar, a recurrence that
 * calls itself a window, gaps and zeros; and pass what is sound. */
#include "feature/check/check.h"
#include "feature/panel.h"

enum { BARS = 300, SYMBOLS = 11 };

static panel market;

static int set_up(void **state) {
  (void)state;
  market = panel_make(BARS, SYMBOLS, 30, true);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  return 0;
}

typedef struct checked {
  hy_runtime *runtime;
  hy_features *f;
  hy_universe *u;
  hy_features_check *report;
} checked;

typedef void (*patch_fn)(hy_features *f);

static checked check(const char *spec, hy_check_kind kind, hy_features_check_options o,
                     patch_fn patch) {
  checked c = {.runtime = runtime_make(2, HY_ISA_DEFAULT)};
  hy_error err;
  o.struct_size = sizeof o;
  c.f = features_make(c.runtime, spec);
  c.u = panel_open(c.runtime, &market);
  if (patch) patch(c.f);
  if (hy_features_check_run(c.f, c.u, kind, &o, &c.report, &err) != HY_OK)
    fail_msg("%s", err.message);
  return c;
}

static void done(checked *c) {
  hy_features_check_destroy(c->report);
  hy_universe_destroy(c->u);
  hy_features_destroy(c->f);
  hy_runtime_destroy(c->runtime);
}

static const double *row_of(const checked *c, size_t feature) {
  return hy__check_cell(c->report, feature, 0);
}

/* x of the next bar, where the chunk holds one. */
static void peeking_step(const hy__ind_step *s) {
  for (size_t i = 0; i < s->n * HY_LANES; i++)
    s->out[0][i] = s->in[0][i + HY_LANES < s->n * HY_LANES ? i + HY_LANES : i];
}
static const hy__ind_code peeking = {.step = peeking_step};

/* The number of bars since the start: for ever another one. */
static void counting_step(const hy__ind_step *s) {
  double *count = s->state;
  for (size_t i = 0; i < s->n * HY_LANES; i++) {
    const bool bar = s->in[0][i] == s->in[0][i];
    count[i % HY_LANES] += bar;
    s->out[0][i] = bar ? count[i % HY_LANES] : (double)NAN;
  }
}
static const hy__ind_code counting = {.step = counting_step};

static hy__node *node_named(hy_features *f, const char *id) {
  for (size_t k = 0; k < f->n_nodes; k++)
    if (f->nodes[k].def && !strcmp(f->nodes[k].def->id, id)) return &f->nodes[k];
  fail_msg("no node %s", id);
  return NULL;
}

static void let_it_peek(hy_features *f) { node_named(f, "neg")->code = &peeking; }
static void let_it_count(hy_features *f) { node_named(f, "ema.talib")->code = &counting; }

static const char sound[] = "rsi(close, 5); m = sma(close, 9); sma(close, 80); cs.rank(m); obv(); "
                            "sma(cs.zscore(high), 4); highest(high, 70); tod_sin()";

static void a_sound_program_sees_no_future(void **state) {
  (void)state;
  hy_features_check_options o = {.n_points = 6};
  checked c = check(sound, HY_CHECK_LOOKAHEAD, o, NULL);
  assert_true(hy_features_check_passed(c.report));
  assert_true(c.report->fact[1] > 1000);
  done(&c);
}

static void a_look_ahead_is_found(void **state) {
  (void)state;
  hy_features_check_options o = {.n_points = 6};
  checked c = check("fine = sma(close, 3); peeks = -close; on_it = cs.rank(peeks)",
                    HY_CHECK_LOOKAHEAD, o, let_it_peek);
  assert_false(hy_features_check_passed(c.report));
  assert_true(row_of(&c, 0)[0] == 0 && row_of(&c, 0)[1] == 0);
  assert_true(row_of(&c, 1)[0] > 0 && row_of(&c, 1)[1] > 0);
  assert_true(row_of(&c, 2)[1] > 0);
  const hy__check_finding *found = &c.report->findings[0];
  assert_true(found->feature == 1 || found->feature == 2);
  assert_non_null(found->symbol);
  assert_true(found->bar < BARS && found->time_ns == market.time_ns[found->bar]);
  assert_non_null(strstr(found->what, "with the bars after "));
  done(&c);
}

/* By a step that tells a chunk of many rows from a single one. */
static void batch_only_step(const hy__ind_step *s) {
  for (size_t i = 0; i < s->n * HY_LANES; i++) s->out[0][i] = s->in[0][i] + (s->n > 1 ? 0 : 1e-9);
}
static const hy__ind_code batch_only = {.step = batch_only_step};
static void let_it_differ(hy_features *f) { node_named(f, "neg")->code = &batch_only; }

static void streams_are_batch_or_are_found(void **state) {
  (void)state;
  hy_features_check_options o = {.n_points = 20, .seed = 3};
  checked c = check(sound, HY_CHECK_PARITY, o, NULL);
  assert_true(hy_features_check_passed(c.report));
  done(&c);
  c = check("fine = sma(close, 3); differs = -close", HY_CHECK_PARITY, o, let_it_differ);
  assert_false(hy_features_check_passed(c.report));
  assert_true(row_of(&c, 0)[0] == 0 && row_of(&c, 1)[0] > BARS);
  assert_true(c.report->findings[0].feature == 1 && c.report->findings[0].symbol != NULL);
  assert_non_null(strstr(c.report->findings[0].what, "stream"));
  done(&c);
}

static void claims_hold_or_are_found(void **state) {
  (void)state;
  hy_features_check_options o = {.tol = 1e-3};
  checked c = check(sound, HY_CHECK_RECURSIVE, o, NULL);
  assert_true(hy_features_check_passed(c.report));
  assert_true(row_of(&c, 1)[0] == 8 && row_of(&c, 1)[1] == 8 && row_of(&c, 1)[2] == 8);
  assert_true(row_of(&c, 2)[2] == 79 && row_of(&c, 2)[3] == 0); /* a window: not a bit apart */
  assert_true(row_of(&c, 0)[2] > 5 && row_of(&c, 0)[2] < row_of(&c, 0)[1]);
  assert_true(isnan(row_of(&c, 4)[1]) && isnan(row_of(&c, 4)[2])); /* obv: never */
  assert_true(row_of(&c, 5)[2] == row_of(&c, 5)[1]);
  done(&c);
  c = check("fine = sma(close, 3); counts = ema(close, 3)", HY_CHECK_RECURSIVE, o, let_it_count);
  assert_false(hy_features_check_passed(c.report));
  assert_true(c.report->findings[0].feature == 1 && isnan(row_of(&c, 1)[2]));
  assert_non_null(strstr(c.report->findings[0].what, "called stable"));
  done(&c);
}

static void too_short_a_history_is_found(void **state) {
  (void)state;
  hy_features_check_options o = {.warmup_bars = 30};
  checked c = check("sma(close, 9); sma(close, 80); obv()", HY_CHECK_RECURSIVE, o, NULL);
  assert_int_equal(c.report->n_findings, 2);
  assert_non_null(strstr(c.report->findings[0].what, "needs 79 bars of history, there are 30"));
  assert_non_null(strstr(c.report->findings[1].what, "never forgets"));
  assert_null(c.report->findings[0].symbol);
  done(&c);
}

/* Counted here from the panel: symbol s begins 7 s bars late, and bars are missing. */
static void what_is_missing_has_its_cause(void **state) {
  (void)state;
  double absent = 0, warm = 0;
  for (size_t s = 0; s < SYMBOLS; s++) {
    size_t behind = 0;
    for (size_t t = 0; t < BARS; t++) {
      const bool bar = market.valid[t * SYMBOLS + s];
      absent += !bar;
      warm += bar && behind < 8;
      behind += bar;
    }
  }
  hy_features_check_options o = {.max_missing = 0.5};
  checked c = check("sma(close, 9); x = close / (close - close); half = close / (high > close)",
                    HY_CHECK_COVERAGE, o, NULL);
  const double cells = BARS * SYMBOLS;
  assert_true(fabs(row_of(&c, 0)[1] * cells - absent) < 1e-6);
  assert_true(fabs(row_of(&c, 0)[2] * cells - warm) < 1e-6);
  assert_true(row_of(&c, 0)[3] == 0 && row_of(&c, 0)[4] == 0);
  assert_true(fabs(row_of(&c, 0)[0] * cells - absent - warm) < 1e-6);
  assert_true(row_of(&c, 1)[3] > 0.5 && row_of(&c, 1)[4] == SYMBOLS && isnan(row_of(&c, 1)[5]));
  assert_int_equal(c.report->n_findings, 1);
  assert_non_null(strstr(c.report->findings[0].what, "no value at all"));
  done(&c);
  o.max_missing = 0.001;
  c = check("first = ln(close - 20.5)", HY_CHECK_COVERAGE, o, NULL);
  assert_int_equal(c.report->n_findings, 1);
  assert_non_null(strstr(c.report->findings[0].what, "0.10 % are allowed"));
  assert_non_null(c.report->findings[0].symbol);
  done(&c);
}

/* A spec that names no base is measured in the universe's bars. */
static void slower_timeframes_count_in_the_universes_bars(void **state) {
  static const char *const spec = "a = sma(close, 3)@M5; b = sma(sma(close, 3)@M5, 4)";
  (void)state;
  hy_features_check_options o = {0};
  checked c = check(spec, HY_CHECK_RECURSIVE, o, NULL);
  assert_true(hy_features_check_passed(c.report));
  for (size_t i = 0; i < 2; i++) {
    const double lookback = i ? 29 : 14, claimed = i ? 96 : 81; /* a change of the clock, too */
    assert_true(row_of(&c, i)[0] == lookback && row_of(&c, i)[1] == claimed);
    assert_true(row_of(&c, i)[2] <= claimed && row_of(&c, i)[3] == 0);
  }
  done(&c);
  c = check(spec, HY_CHECK_COVERAGE, o, NULL);
  for (size_t i = 0; i < 2; i++) assert_true(row_of(&c, i)[2] > 0 && row_of(&c, i)[3] == 0);
  done(&c);
}

static void costs_are_divided(void **state) {
  (void)state;
  hy_features_check_options o = {0};
  checked c = check("a = sma(close, 50); b = a * 2; d = a + 1", HY_CHECK_BENCH, o, NULL);
  double part = 0, share = 0;
  assert_true(hy_features_check_passed(c.report) && c.report->fact[0] > 0);
  for (size_t i = 0; i < 3; i++) part += row_of(&c, i)[1], share += row_of(&c, i)[2];
  assert_true(row_of(&c, 1)[0] > row_of(&c, 1)[1] && row_of(&c, 1)[3] == 4);
  assert_true(part > 0 && fabs(share - 1) < 1e-12);
  done(&c);
}

static void wrong_calls_are_refused(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "sma(close, 3)");
  panel one = panel_part(&market, 0, 1, &(const size_t){0}, 1);
  hy_universe *u = panel_open(runtime, &one);
  hy_features_check *report;
  hy_error err;
  assert_int_equal(hy_features_check_run(f, u, (hy_check_kind)99, NULL, &report, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(hy_features_check_run(f, u, HY_CHECK_LOOKAHEAD, NULL, &report, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(hy_features_check_run(f, NULL, HY_CHECK_COVERAGE, NULL, &report, &err),
                   HY_INVALID_ARGUMENT);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  panel_free(&one);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_program_sees_no_future),
      cmocka_unit_test(a_look_ahead_is_found),
      cmocka_unit_test(streams_are_batch_or_are_found),
      cmocka_unit_test(claims_hold_or_are_found),
      cmocka_unit_test(too_short_a_history_is_found),
      cmocka_unit_test(what_is_missing_has_its_cause),
      cmocka_unit_test(slower_timeframes_count_in_the_universes_bars),
      cmocka_unit_test(costs_are_divided),
      cmocka_unit_test(wrong_calls_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
