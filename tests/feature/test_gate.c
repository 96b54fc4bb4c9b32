/* SPDX-License-Identifier: Apache-2.0
 * Gates: bars that come in any order, twice, wrong or late give batch's rows over the right data,
 * by bits; barriers let rows go when they say, and what is missing is named. */
#include "feature/panel.h"

#include <hayate/feature_gate.h>

enum { BARS = 120, SYMBOLS = 11, FEATURES_MAX = 8 };

#define SPEC                                                                                       \
  "rsi.mid(close, 5); quantile(high, 9, 0.3); atr.sma(6); cs.rank(mom(close, 2)); kama(close, "    \
  "6); "                                                                                           \
  "sma(close@M5, 3)"

typedef struct fixture {
  panel p;
  hy_runtime *runtime;
  hy_features *f;
  hy_feature_stream *s;
  hy_feature_gate *g;
  answer want;
} fixture;

static fixture fixture_make(unsigned missing, hy_feature_gate_options o) {
  fixture x = {.p = panel_make(BARS, SYMBOLS, missing, false),
               .runtime = runtime_make(1, HY_ISA_DEFAULT)};
  hy_error err;
  x.f = features_make(x.runtime, SPEC);
  x.s = panel_stream(x.f, &x.p);
  hy_universe *u = panel_open(x.runtime, &x.p);
  x.want = compute_range(x.f, u, (hy__feature_range){0});
  hy_universe_destroy(u);
  o.struct_size = sizeof o;
  if (hy_feature_gate_create(x.s, &o, &x.g, &err) != HY_OK) fail_msg("%s", err.message);
  return x;
}

static void fixture_free(fixture *x) {
  hy_feature_gate_destroy(x->g);
  hy_feature_stream_destroy(x->s);
  hy_features_destroy(x->f);
  hy_runtime_destroy(x->runtime);
  free(x->want.values);
  panel_free(&x->p);
}

static hy_status push(const fixture *x, size_t t, size_t s, double factor, hy_error *err) {
  double fields[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = x->p.data[k][t * SYMBOLS + s] * factor;
  return hy_feature_gate_push(x->g, s, x->p.time_ns[t], fields, err);
}

static void must_push(const fixture *x, size_t t, size_t s) {
  hy_error err;
  if (push(x, t, s, 1, &err) != HY_OK) fail_msg("bar %zu of %zu: %s", t, s, err.message);
}

static bool next(const fixture *x, hy_gate_row *row) {
  hy_error err;
  bool has;
  row->struct_size = sizeof *row;
  if (hy_feature_gate_next(x->g, row, &has, &err) != HY_OK) fail_msg("%s", err.message);
  return has;
}

static hy_feature_gate_info info_of(const fixture *x) {
  hy_feature_gate_info info = {.struct_size = sizeof info};
  hy_feature_gate_describe(x->g, &info);
  return info;
}

static size_t row_at(const fixture *x, int64_t time_ns) {
  size_t t = 0;
  while (t < BARS && x->p.time_ns[t] != time_ns) t++;
  assert_true(t < BARS);
  return t;
}

static void check_values(const fixture *x, size_t t, const double *values) {
  for (size_t s = 0; s < SYMBOLS; s++)
    for (size_t i = 0; i < x->want.n_features; i++)
      assert_memory_equal(answer_at(&x->want, i, t, s), &values[s * x->want.n_features + i], 8);
}

/* ---- barriers ---- */

static void test_rows_wait_for_all(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){0});
  hy_gate_row row;
  (void)state;
  for (size_t t = 0; t < BARS; t++)
    for (size_t k = 0; k < SYMBOLS; k++) {
      assert_false(next(&x, &row));
      must_push(&x, t, (k * 7 + t) % SYMBOLS);
      if (k + 1 < SYMBOLS) continue;
      assert_true(next(&x, &row));
      assert_int_equal(row.time_ns, x.p.time_ns[t]);
      assert_int_equal(row.n_bars, SYMBOLS);
      assert_int_equal(row.n_missing, 0);
      assert_int_equal(row.revision, 0);
      check_values(&x, t, row.values);
    }
  assert_int_equal(info_of(&x).n_rows, BARS);
  fixture_free(&x);
}

/* A later bar says that there is no earlier one; symbols that are not expected are not waited for.
 */
static void test_a_later_bar_reports_for_earlier_rows(void **state) {
  static const uint8_t expected[SYMBOLS] = {1, 1, 1};
  fixture x = fixture_make(0, (hy_feature_gate_options){.expected = expected});
  hy_gate_row row;
  (void)state;
  must_push(&x, 0, 0);
  must_push(&x, 0, 5);
  must_push(&x, 1, 1);
  assert_false(next(&x, &row));
  must_push(&x, 2, 2);
  assert_true(next(&x, &row));
  assert_int_equal(row.time_ns, x.p.time_ns[0]);
  assert_int_equal(row.n_bars, 2);
  assert_int_equal(row.n_missing, 2);
  assert_int_equal(row.missing[0], 1);
  assert_int_equal(row.missing[1], 2);
  assert_false(next(&x, &row)); /* 0 has not said that it has none at 1 */
  assert_int_equal(hy_feature_gate_expect(x.g, (const uint8_t[SYMBOLS]){0, 1}, NULL), HY_OK);
  assert_true(next(&x, &row));
  assert_int_equal(row.n_missing, 0);
  assert_false(next(&x, &row));
  assert_int_equal(hy_feature_gate_close(x.g, x.p.time_ns[2], NULL), HY_OK);
  assert_true(next(&x, &row));
  assert_int_equal(row.n_missing, 1);
  assert_int_equal(row.missing[0], 1);
  fixture_free(&x);
}

static void test_deadlines(void **state) {
  const int64_t s = 1000000000;
  hy_gate_row row;
  hy_error err;
  (void)state;
  for (int from_first = 0; from_first < 2; from_first++) {
    fixture x = fixture_make(0, (hy_feature_gate_options){.barrier = HY_BARRIER_DEADLINE,
                                                          .deadline_ns = 2 * s,
                                                          .deadline_from_first = from_first});
    const int64_t close_ns = x.p.time_ns[0], came_ns = close_ns + 5 * s * from_first;
    assert_int_equal(hy_feature_gate_advance(x.g, came_ns, &err), HY_OK);
    must_push(&x, 0, 3);
    assert_int_equal(hy_feature_gate_advance(x.g, came_ns + 2 * s - 1, &err), HY_OK);
    assert_false(next(&x, &row));
    assert_int_equal(hy_feature_gate_advance(x.g, came_ns + 2 * s, &err), HY_OK);
    assert_true(next(&x, &row));
    assert_int_equal(row.n_missing, SYMBOLS - 1);
    assert_int_equal(hy_feature_gate_advance(x.g, came_ns, &err), HY_LATE);
    for (size_t k = 0; k < SYMBOLS; k++) must_push(&x, 1, k); /* before the deadline */
    assert_true(next(&x, &row));
    fixture_free(&x);
  }
}

static void test_quorum(void **state) {
  fixture x = fixture_make(
      0, (hy_feature_gate_options){.barrier = HY_BARRIER_QUORUM, .quorum = 0.5, .n_kept = 4});
  hy_gate_row row;
  hy_error err;
  (void)state;
  for (size_t k = 0; k < 5; k++) must_push(&x, 0, k);
  assert_false(next(&x, &row));
  must_push(&x, 0, 9);
  assert_true(next(&x, &row));
  assert_int_equal(row.n_missing, 5);
  assert_int_equal(row.missing[4], 10);
  assert_int_equal(push(&x, 0, 6, 1, &err), HY_LATE); /* the default is to refuse */
  assert_string_equal(err.subject, "S006");
  assert_non_null(strstr(err.message, "a bar of 2024-01-02T14:31:00Z"));
  assert_int_equal(info_of(&x).n_late, 1);
  fixture_free(&x);
}

/* ---- bars that are repeated, wrong, or too many ---- */

static void test_repeated_and_bad_bars(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){0});
  hy_gate_row row;
  hy_error err;
  double bar[PANEL_FIELDS] = {10, 11, 9, 10, 5, NAN};
  (void)state;
  for (size_t k = 0; k < SYMBOLS; k++) must_push(&x, 0, k);
  must_push(&x, 0, 4);
  assert_true(next(&x, &row));
  must_push(&x, 0, 4); /* known from the kept rows */
  assert_int_equal(info_of(&x).n_duplicates, 2);
  assert_int_equal(info_of(&x).n_bars, SYMBOLS);
  bar[2] = INFINITY;
  assert_int_equal(hy_feature_gate_push(x.g, 1, x.p.time_ns[1], bar, &err), HY_BAD_FORMAT);
  assert_string_equal(err.subject, "S001");
  assert_string_equal(err.message, "low is infinite");
  bar[2] = 9, bar[3] = NAN;
  assert_int_equal(hy_feature_gate_push(x.g, 1, x.p.time_ns[1], bar, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "close is not a number");
  bar[3] = 10, bar[1] = 8;
  assert_int_equal(hy_feature_gate_push(x.g, 1, x.p.time_ns[1], bar, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "high 8 is below low 9");
  assert_int_equal(hy_feature_gate_push(x.g, SYMBOLS, x.p.time_ns[1], bar, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(info_of(&x).n_bad, 3);
  assert_int_equal(info_of(&x).n_waiting, 0);
  bar[1] = 11; /* then right: the vwap may be missing */
  assert_int_equal(hy_feature_gate_push(x.g, 1, x.p.time_ns[1], bar, &err), HY_OK);
  fixture_free(&x);
}

static void test_a_waiting_bar_is_corrected(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){0});
  hy_gate_row row;
  hy_error err;
  (void)state;
  assert_int_equal(push(&x, 0, 2, 1.5, &err), HY_OK);
  for (size_t k = 0; k < SYMBOLS; k++) must_push(&x, 0, k);
  assert_int_equal(info_of(&x).n_corrections, 1);
  assert_true(next(&x, &row));
  check_values(&x, 0, row.values);
  fixture_free(&x);
}

static void test_the_queue_is_bounded(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){.n_waiting = 3});
  hy_gate_row row;
  hy_error err;
  (void)state;
  for (size_t t = 0; t < 3; t++) must_push(&x, t, 0);
  assert_int_equal(push(&x, 3, 0, 1, &err), HY_LIMIT);
  must_push(&x, 2, 1); /* of a row that is there */
  assert_int_equal(hy_feature_gate_close(x.g, x.p.time_ns[0], NULL), HY_OK);
  assert_true(next(&x, &row));
  must_push(&x, 3, 0);
  assert_int_equal(info_of(&x).n_waiting, 3);
  fixture_free(&x);
}

/* ---- replay ---- */

typedef struct latest {
  double *values; /* [row][symbol][feature] */
  uint32_t revision[BARS];
  bool seen[BARS];
} latest;

/* Each row's newest values; revisions count up one by one. */
static void collect(const fixture *x, latest *l) {
  hy_gate_row row;
  int64_t last_ns = INT64_MIN;
  while (next(x, &row)) {
    const size_t t = row_at(x, row.time_ns), each = SYMBOLS * x->want.n_features;
    assert_true(row.time_ns > last_ns);
    last_ns = row.time_ns;
    if (l->seen[t]) assert_int_equal(row.revision, l->revision[t] + 1);
    l->seen[t] = true;
    l->revision[t] = row.revision;
    memcpy(l->values + t * each, row.values, each * sizeof(double));
  }
}

typedef struct held { /* a bar that comes later, or again and right */
  size_t t, s, due;
} held;

/* One symbol's bar is left out, another's comes wrong: both come right some rows later. */
static void disturb(const fixture *x, size_t t, hy__random *r, held *out, size_t *n) {
  hy_error err;
  for (size_t s = 0; s < SYMBOLS; s++) {
    const uint32_t kind = (uint32_t)hy__random_below(r, 40);
    if (!x->p.valid[t * SYMBOLS + s]) continue;
    if (kind <= 1) out[(*n)++] = (held){t, s, t + 1 + hy__random_below(r, 30)};
    if (kind == 0) assert_int_equal(push(x, t, s, 1.25, &err), HY_OK);
    if (kind > 1) must_push(x, t, s);
  }
}

static void replay_case(uint64_t seed, size_t checkpoint_rows) {
  fixture x = fixture_make(100, (hy_feature_gate_options){.late = HY_LATE_REPLAY,
                                                          .n_kept = 32,
                                                          .checkpoint_rows = checkpoint_rows});
  latest l = {.values = panel_alloc(BARS * SYMBOLS * x.want.n_features, 8)};
  held *late = panel_alloc(BARS * SYMBOLS, sizeof *late);
  hy__random r;
  size_t n = 0;
  hy__random_init(&r, seed, 0);
  for (size_t t = 0; t < BARS + 31; t++) {
    if (t < BARS) {
      disturb(&x, t, &r, late, &n);
      assert_int_equal(hy_feature_gate_close(x.g, x.p.time_ns[t], NULL), HY_OK);
      collect(&x, &l);
    }
    for (size_t k = 0; k < n; k++) {
      if (late[k].due != t) continue;
      must_push(&x, late[k].t, late[k].s);
      if (hy__random_below(&r, 2)) collect(&x, &l); /* several at once, now and then */
    }
  }
  collect(&x, &l);
  for (size_t t = 0; t < BARS; t++)
    if (l.seen[t]) check_values(&x, t, l.values + t * SYMBOLS * x.want.n_features);
  hy_feature_gate_info info = info_of(&x);
  assert_int_equal(info.n_replayed, n);
  assert_true(info.n_revisions > n && info.n_corrections > 0 && info.n_corrections < n);
  assert_true(info.n_kept <= 32 + checkpoint_rows);
  free(late);
  free(l.values);
  fixture_free(&x);
}

static void test_corrections_give_batch_over_right_data(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 12; seed++) replay_case(seed, seed % 3 == 0 ? 1 : 3 + 5 * seed);
}

/* A row of which no bar had come in time takes its place among those that have gone. */
static void test_a_row_that_nobody_had_seen(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){.late = HY_LATE_REPLAY});
  latest l = {.values = panel_alloc(BARS * SYMBOLS * x.want.n_features, 8)};
  (void)state;
  for (size_t t = 0; t < 20; t++)
    for (size_t k = 0; k < SYMBOLS && t != 9; k++) must_push(&x, t, k);
  collect(&x, &l);
  for (size_t k = 0; k < SYMBOLS; k++) must_push(&x, 9, k);
  collect(&x, &l);
  assert_true(l.seen[9]);
  assert_int_equal(l.revision[8], 0);
  assert_int_equal(l.revision[9], 1);
  assert_int_equal(l.revision[19], 1);
  for (size_t t = 0; t < 20; t++) check_values(&x, t, l.values + t * SYMBOLS * x.want.n_features);
  free(l.values);
  fixture_free(&x);
}

static void test_too_late_even_for_replay(void **state) {
  fixture x = fixture_make(
      0, (hy_feature_gate_options){.late = HY_LATE_REPLAY, .n_kept = 10, .checkpoint_rows = 4});
  hy_gate_row row;
  hy_error err;
  (void)state;
  for (size_t t = 0; t < 60; t++) {
    for (size_t k = 0; k < SYMBOLS; k++) must_push(&x, t, k);
    assert_true(next(&x, &row));
  }
  assert_int_equal(push(&x, 49, 0, 1.5, &err), HY_LATE);
  assert_int_equal(push(&x, 50, 0, 1.5, &err), HY_OK);
  for (size_t t = 50; t < 60; t++) {
    assert_true(next(&x, &row));
    assert_int_equal(row.time_ns, x.p.time_ns[t]);
    assert_int_equal(row.revision, 1);
  }
  assert_false(next(&x, &row));
  assert_true(info_of(&x).n_kept < 10 + 2 * 4);
  fixture_free(&x);
}

static void test_options_are_checked(void **state) {
  fixture x = fixture_make(0, (hy_feature_gate_options){0});
  const hy_feature_gate_options bad[] = {{.barrier = HY_BARRIER_QUORUM},
                                         {.barrier = HY_BARRIER_QUORUM, .quorum = 1.5},
                                         {.quorum = 0.5},
                                         {.deadline_ns = 5},
                                         {.barrier = HY_BARRIER_DEADLINE, .deadline_ns = -1},
                                         {.barrier = (hy_barrier)7}};
  hy_feature_gate *g;
  hy_error err;
  (void)state;
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    hy_feature_gate_options o = bad[i];
    o.struct_size = sizeof o;
    assert_int_equal(hy_feature_gate_create(x.s, &o, &g, &err), HY_INVALID_ARGUMENT);
  }
  hy_feature_gate_options o = {.struct_size = sizeof o, .n_waiting = 65537};
  assert_int_equal(hy_feature_gate_create(x.s, &o, &g, &err), HY_LIMIT);
  fixture_free(&x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows_wait_for_all),
      cmocka_unit_test(test_a_later_bar_reports_for_earlier_rows),
      cmocka_unit_test(test_deadlines),
      cmocka_unit_test(test_quorum),
      cmocka_unit_test(test_repeated_and_bad_bars),
      cmocka_unit_test(test_a_waiting_bar_is_corrected),
      cmocka_unit_test(test_the_queue_is_bounded),
      cmocka_unit_test(test_corrections_give_batch_over_right_data),
      cmocka_unit_test(test_a_row_that_nobody_had_seen),
      cmocka_unit_test(test_too_late_even_for_replay),
      cmocka_unit_test(test_options_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
