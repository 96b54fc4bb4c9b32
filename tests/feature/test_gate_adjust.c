/* SPDX-License-Identifier: Apache-2.0
 * Corporate actions in a gate: after each, the values are those of batch over the history adjusted
 * as of then, by bits; other symbols' do not change; corrections across an action hold. */
#include "feature/panel.h"

#include <hayate/feature_gate.h>

enum { BARS = 90, SYMBOLS = 11, FIRST = 30, SECOND = 61 };

#define SPEC                                                                                       \
  "rsi.mid(close, 5); quantile(high, 9, 0.3); atr.sma(6); cs.rank(mom(close, 2)); kama(close, "    \
  "6); "                                                                                           \
  "sma(close@M5, 3); sma(volume, 4); vwap/close"
#define WINDOWS "quantile(high, 9, 0.3); sma(volume, 4); roc(close, 5); rsi.mid(close, 5)"

typedef struct fixture {
  panel p;
  hy_runtime *runtime;
  hy_features *f;
  hy_feature_stream *s;
  hy_feature_gate *g;
  hy_actions *actions;
  size_t n_features;
} fixture;

static hy_actions *actions_make(hy_runtime *runtime, const panel *p) {
  const hy_action rows[] = {{"S004", p->time_ns[FIRST], HY_ACTION_SPLIT, 3},
                            {"S004", p->time_ns[FIRST], HY_ACTION_DIVIDEND, 0.5},
                            {"S004", p->time_ns[SECOND] + 1, HY_ACTION_ROLL_RATIO, 1.02},
                            {"S009", p->time_ns[SECOND], HY_ACTION_ROLL_DIFFERENCE, -0.75},
                            {"S001", p->time_ns[BARS - 1], HY_ACTION_SPLIT, 2},
                            {"ELSE", p->time_ns[5], HY_ACTION_SPLIT, 2}};
  hy_actions *actions;
  hy_error err;
  if (hy_actions_create(runtime, rows, HY_COUNT(rows), &actions, &err) != HY_OK)
    fail_msg("%s", err.message);
  return actions;
}

static fixture fixture_make(const char *spec, size_t n_kept) {
  fixture x = {.p = panel_make(BARS, SYMBOLS, 60, false),
               .runtime = runtime_make(1, HY_ISA_DEFAULT)};
  hy_error err;
  x.f = features_make(x.runtime, spec);
  x.actions = actions_make(x.runtime, &x.p);
  x.s = panel_stream(x.f, &x.p);
  const hy_feature_gate_options gate = {.struct_size = sizeof gate,
                                        .late = HY_LATE_REPLAY,
                                        .n_kept = n_kept,
                                        .checkpoint_rows = 7,
                                        .actions = x.actions};
  if (hy_feature_gate_create(x.s, &gate, &x.g, &err) != HY_OK) fail_msg("%s", err.message);
  hy_features_info info = {.struct_size = sizeof info};
  hy_features_describe(x.f, &info);
  x.n_features = info.n_features;
  return x;
}

static void fixture_free(fixture *x) {
  hy_feature_gate_destroy(x->g);
  hy_feature_stream_destroy(x->s);
  hy_actions_destroy(x->actions);
  hy_features_destroy(x->f);
  hy_runtime_destroy(x->runtime);
  panel_free(&x->p);
}

static void push(const fixture *x, size_t t, size_t s, double factor) {
  double fields[PANEL_FIELDS];
  hy_error err;
  if (!x->p.valid[t * SYMBOLS + s]) return;
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = x->p.data[k][t * SYMBOLS + s] * factor;
  if (hy_feature_gate_push(x->g, s, x->p.time_ns[t], fields, &err) != HY_OK)
    fail_msg("%s", err.message);
}

/* values: [row][symbol][feature] */
static void take(const fixture *x, double *values) {
  hy_gate_row row = {.struct_size = sizeof row};
  hy_error err;
  for (bool has = true;;) {
    if (hy_feature_gate_next(x->g, &row, &has, &err) != HY_OK) fail_msg("%s", err.message);
    if (!has) return;
    size_t t = 0;
    while (x->p.time_ns[t] != row.time_ns) t++;
    memcpy(values + t * SYMBOLS * x->n_features, row.values, SYMBOLS * x->n_features * 8);
  }
}

static void run(const fixture *x, bool correct, double *values) {
  for (size_t t = 0; t < BARS; t++) {
    for (size_t s = 0; s < SYMBOLS; s++)
      if (!correct || (t * 5 + s) % 53) push(x, t, s, correct && (t + s) % 31 == 0 ? 1.5 : 1);
    assert_int_equal(hy_feature_gate_close(x->g, x->p.time_ns[t], NULL), HY_OK);
    take(x, values);
    for (size_t s = 0; correct && t >= 9 && s < SYMBOLS; s++) push(x, t - 9, s, 1);
    if (t % 3 == 0) take(x, values);
  }
  for (size_t t = BARS - 9; correct && t < BARS; t++)
    for (size_t s = 0; s < SYMBOLS; s++) push(x, t, s, 1);
  take(x, values);
}

static answer batch(fixture *x, const hy_actions *actions, int64_t as_of_ns) {
  hy_universe *raw = panel_open(x->runtime, &x->p), *u;
  hy_error err;
  if (hy_universe_adjust(x->runtime, raw, actions, as_of_ns, &u, &err) != HY_OK)
    fail_msg("%s", err.message);
  answer a = compute_range(x->f, u, (hy__feature_range){0});
  hy_universe_destroy(u);
  hy_universe_destroy(raw);
  return a;
}

static void same_rows(const answer *a, const double *values, size_t begin, size_t end, size_t s) {
  for (size_t t = begin; t < end; t++)
    for (size_t i = 0; i < a->n_features; i++)
      if (memcmp(answer_at(a, i, t, s), &values[(t * SYMBOLS + s) * a->n_features + i], 8) != 0)
        fail_msg("row %zu, symbol %zu, feature %zu: batch %a, gate %a", t, s, i,
                 *answer_at(a, i, t, s), values[(t * SYMBOLS + s) * a->n_features + i]);
}

/* Until a time, what was known then. */
static void check_all(bool correct) {
  fixture x = fixture_make(SPEC, 256);
  double *values = panel_alloc(BARS * SYMBOLS * x.n_features, 8);
  const size_t ends[] = {FIRST + 1, SECOND + 1, SECOND + 2, BARS};
  run(&x, correct, values);
  for (size_t k = 0, begin = 0; k < HY_COUNT(ends); begin = ends[k++]) {
    answer a = batch(&x, x.actions, x.p.time_ns[ends[k] - 1] - 1);
    for (size_t s = 0; s < SYMBOLS; s++) same_rows(&a, values, begin, ends[k], s);
    free(a.values);
  }
  hy_feature_gate_info info = {.struct_size = sizeof info};
  hy_feature_gate_describe(x.g, &info);
  assert_true(!correct || info.n_corrections > 10);
  free(values);
  fixture_free(&x);
}

static void test_values_are_those_known_at_each_time(void **state) {
  (void)state;
  check_all(false);
}

static void test_corrections_across_actions(void **state) {
  (void)state;
  check_all(true);
}

/* Few rows are kept: windows of the symbol are whole again, the others never notice. */
static void test_other_symbols_go_on(void **state) {
  fixture x = fixture_make(WINDOWS, 12);
  double *values = panel_alloc(BARS * SYMBOLS * x.n_features, 8);
  hy_actions *none;
  (void)state;
  run(&x, true, values);
  assert_int_equal(hy_actions_create(x.runtime, NULL, 0, &none, NULL), HY_OK);
  answer raw = batch(&x, none, INT64_MAX), known = batch(&x, x.actions, x.p.time_ns[BARS - 2]);
  for (size_t s = 0; s < SYMBOLS; s++)
    if (s != 4 && s != 9) same_rows(&raw, values, 0, BARS, s);
  for (size_t t = SECOND + 2; t < BARS; t++)
    for (size_t i = 0; i < 3; i++)
      assert_memory_equal(answer_at(&known, i, t, 9), &values[(t * SYMBOLS + 9) * x.n_features + i],
                          8);
  free(raw.values);
  free(known.values);
  hy_actions_destroy(none);
  free(values);
  fixture_free(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_values_are_those_known_at_each_time),
      cmocka_unit_test(test_corrections_across_actions),
      cmocka_unit_test(test_other_symbols_go_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
