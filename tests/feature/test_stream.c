/* SPDX-License-Identifier: Apache-2.0
 * Streams against batch, by bits: every row of the tables, and random programs over markets with
 * missing bars, holes, halts and late starts; peeked at, snapshotted and restored on the way. Batch
 * against itself on the same programs: cut anywhere, by other threads and instruction sets. And
 * what a stream refuses. */
#include "feature/random_spec.h"
#include "market/market.h"

enum { SNAPSHOT_ROOM = 1 << 22, CASES = 10000 };

/* ---- a stream fed with a panel's rows ---- */

typedef hy_status (*take_fn)(hy_feature_stream *, const hy_bar_row *, double *, uint8_t *,
                             hy_error *);

static void feed(hy_feature_stream *s, const panel *p, size_t t, take_fn take, double *values) {
  const double *fields[PANEL_FIELDS];
  hy_error err;
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = p->data[k] + t * p->n_symbols;
  const hy_bar_row row = {sizeof row, p->time_ns[t], fields, p->valid + t * p->n_symbols};
  if (take(s, &row, values, NULL, &err) != HY_OK) fail_msg("row %zu: %s", t, err.message);
}

/* Row t of batch as a stream gives it. */
static bool same_row(const answer *a, size_t t, const double *values) {
  for (size_t s = 0; s < a->symbols; s++)
    for (size_t i = 0; i < a->n_features; i++)
      if (memcmp(answer_at(a, i, t, s), &values[s * a->n_features + i], 8) != 0) {
        print_error("feature %zu, row %zu, symbol %zu: batch %a, stream %a\n", i, t, s,
                    *answer_at(a, i, t, s), values[s * a->n_features + i]);
        return false;
      }
  return true;
}

typedef struct snapshot {
  uint8_t *data;
  size_t bytes;
} snapshot;

static snapshot snapshot_of(hy_feature_stream *s) {
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy_error err;
  hy_feature_stream_describe(s, &info);
  snapshot shot = {panel_alloc(info.snapshot_bytes, 1), info.snapshot_bytes};
  if (hy_feature_stream_snapshot(s, shot.data, shot.bytes, &err) != HY_OK)
    fail_msg("%s", err.message);
  return shot;
}

static hy_feature_stream *restored(const hy_features *f, panel *p, snapshot shot) {
  hy_feature_stream *s = panel_stream(f, p);
  hy_error err;
  if (hy_feature_stream_restore(s, shot.data, shot.bytes, &err) != HY_OK)
    fail_msg("%s", err.message);
  return s;
}

/* ---- random programs ---- */

/* Peeks at a bar that is never taken, then at the one that will be: neither leaves a trace. */
static bool peeks_right(hy_feature_stream *s, const panel *p, size_t t, size_t other,
                        double *values, const answer *a) {
  const snapshot before = snapshot_of(s);
  if (p->time_ns[other] > p->time_ns[t]) feed(s, p, other, hy_feature_stream_peek, values);
  feed(s, p, t, hy_feature_stream_peek, values);
  const snapshot after = snapshot_of(s);
  const bool same = memcmp(before.data, after.data, before.bytes) == 0;
  free(before.data);
  free(after.data);
  return same && same_row(a, t, values);
}

static bool stream_equals(hy_features *f, panel *p, const answer *a, hy__random *random) {
  double *values = panel_alloc(a->n_features * a->symbols, 8);
  hy_feature_stream *s = panel_stream(f, p);
  bool good = true;
  for (size_t t = 0; t < p->n_bars && good; t++) {
    if (hy__random_below(random, 8) == 0)
      good = peeks_right(s, p, t, hy__random_below(random, p->n_bars), values, a);
    if (hy__random_below(random, 16) == 0) {
      const snapshot shot = snapshot_of(s);
      hy_feature_stream_destroy(s);
      s = restored(f, p, shot);
      free(shot.data);
    }
    feed(s, p, t, hy_feature_stream_update, values);
    good = good && same_row(a, t, values);
  }
  hy_feature_stream_destroy(s);
  free(values);
  return good;
}

/* Batch on another runtime (its instruction set and threads), of some of the rows, in chunks of any
 * length. */
static bool cuts_equal(hy_features *f, hy_runtime *runtime, panel *p, const answer *whole,
                       hy__random *random) {
  hy__feature_range range = {.t_begin = hy__random_below(random, p->n_bars),
                             .chunk_rows = 1 + hy__random_below(random, 40)};
  range.t_end = range.t_begin + 1 + hy__random_below(random, p->n_bars - range.t_begin);
  hy_universe *u = panel_open(runtime, p);
  answer a = compute_range(f, u, range);
  bool good = true;
  for (size_t i = 0; i < a.n_features; i++) {
    const size_t bytes = a.rows * a.symbols * sizeof(double);
    if (!memcmp(answer_at(&a, i, 0, 0), answer_at(whole, i, range.t_begin, 0), bytes)) continue;
    print_error("feature %zu of rows %zu to %zu, in chunks of %zu\n", i, range.t_begin, range.t_end,
                range.chunk_rows);
    good = false;
  }
  free(a.values);
  hy_universe_destroy(u);
  return good;
}

/* Minutes around both changes of the clock in New York, the first open after one, a half day's
 * close, and plain ones. */
static void move_in_time(panel *p, hy__random *random) {
  static const char *const begins[] = {"2024-01-02T14:31:00Z", "2024-03-10T06:30:00Z",
                                       "2024-11-03T05:30:00Z", "2024-11-03T04:45:00Z",
                                       "2024-03-11T13:10:00Z", "2024-07-03T16:30:00Z"};
  int64_t begin;
  hy_error err;
  const char *text = begins[hy__random_below(random, HY_COUNT(begins))];
  if (hy__time_parse(text, NULL, &begin, &err) != HY_OK) fail_msg("%s", err.message);
  const int64_t by = begin - p->time_ns[0];
  for (size_t t = 0; t < p->n_bars; t++) p->time_ns[t] += by;
}

/* Some markets are small and whole, some have everything. */
static panel random_panel(hy__random *random) {
  const size_t n_symbols = 1 + hy__random_below(random, 19),
               n_bars = 1 + hy__random_below(random, 71);
  const unsigned missing[] = {0, 30, 300};
  panel p = panel_make(n_bars, n_symbols, missing[hy__random_below(random, 3)],
                       hy__random_below(random, 2) == 0);
  move_in_time(&p, random);
  static const double odd[] = {NAN, INFINITY, 0.0, -0.0, 5e-324, 1e-9, 1e12, -1e300};
  for (size_t k = hy__random_below(random, 9); k > 0; k--) /* holes in fields, and worse */
    p.data[hy__random_below(random, PANEL_FIELDS)][hy__random_below(random, n_bars * n_symbols)] =
        odd[hy__random_below(random, HY_COUNT(odd))];
  return p;
}

static size_t n_cases(void) {
  const char *text = getenv("HAYATE_STREAM_CASES");
  double n = CASES;
  if (text) (void)hy__parse_f64(text, text + strlen(text), &n);
  return (size_t)n;
}

static void test_random_programs(void **state) {
  hy_runtime *runtimes[3] = {runtime_make(1, HY_ISA_SCALAR), runtime_make(1, HY_ISA_DEFAULT),
                             runtime_make(2, HY_ISA_DEFAULT)};
  size_t refused = 0, cases = n_cases();
  (void)state;
  for (size_t i = 0; i < cases; i++) {
    char text[RANDOM_SPEC_BYTES];
    hy_error err;
    hy__random random;
    hy__random_init(&random, 21, i);
    random_spec_make(&random, 1 + hy__random_below(&random, 4), text);
    hy_features *batch, *live;
    if (features_parse(runtimes[i % 3], text, NULL, &batch, &err) != HY_OK) {
      refused++;
      continue;
    }
    assert_int_equal(features_parse(runtimes[(i + 1) % 3], text, NULL, &live, &err), HY_OK);
    panel p = random_panel(&random);
    hy_universe *u = panel_open(runtimes[i % 3], &p);
    answer a = compute_range(batch, u, (hy__feature_range){0});
    if (!cuts_equal(live, runtimes[(i + 1) % 3], &p, &a, &random) ||
        !stream_equals(live, &p, &a, &random))
      fail_msg("case %zu:\n%s", i, text);
    free(a.values);
    hy_universe_destroy(u);
    panel_free(&p);
    hy_features_destroy(batch);
    hy_features_destroy(live);
  }
  for (size_t i = 0; i < 3; i++) hy_runtime_destroy(runtimes[i]);
  assert_true(refused < cases / 20);
}

/* ---- snapshots ---- */

#define SPEC                                                                                       \
  "rsi.mid(close, 5); quantile(high, 9, 0.3); atr.sma(6); adxr(4); stochrsi(close, 5, 4, 2); "     \
  "cs.rank(mom(close, 2)); kama(close, 6); tod_sin()"

static void test_symbols_are_found_by_name(void **state) {
  static const size_t order[] = {12, 0, 7, 3, 3 + 8, 5}; /* of 13, a new one in front of none */
  panel all = panel_make(60, 13, 100, true), part = panel_part(&all, 0, 60, order, 6);
  for (size_t k = 0; k < 6; k++) memcpy(part.names[k], all.names[order[k]], 8);
  memcpy(part.names[4], "NEW", 4);
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "rsi.mid(close, 5); quantile(high, 9, 0.3); sma(low, 7); "
                                          "adxr(4); stochrsi(close, 5, 4, 2)");
  double values[6 * 5], theirs[13 * 5];
  (void)state;
  hy_feature_stream *whole = panel_stream(f, &all);
  for (size_t t = 0; t < 30; t++) feed(whole, &all, t, hy_feature_stream_update, theirs);
  const snapshot shot = snapshot_of(whole);
  hy_feature_stream *some = restored(f, &part, shot), *anew = panel_stream(f, &part);
  for (size_t t = 30; t < 60; t++) {
    double fresh[6 * 5];
    feed(whole, &all, t, hy_feature_stream_update, theirs);
    feed(some, &part, t, hy_feature_stream_update, values);
    feed(anew, &part, t, hy_feature_stream_update, fresh);
    for (size_t k = 0; k < 6; k++)
      assert_memory_equal(values + k * 5, k == 4 ? fresh + k * 5 : theirs + order[k] * 5, 40);
  }
  free(shot.data);
  hy_feature_stream_destroy(whole);
  hy_feature_stream_destroy(some);
  hy_feature_stream_destroy(anew);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  panel_free(&all);
  panel_free(&part);
}

typedef struct refusal {
  panel p;
  hy_runtime *runtime;
  hy_features *f;
  hy_feature_stream *s;
  snapshot shot;
} refusal;

static refusal refusal_make(void) {
  refusal r = {.p = panel_make(40, 11, 50, true), .runtime = runtime_make(1, HY_ISA_DEFAULT)};
  double values[11 * 8];
  r.f = features_make(r.runtime, SPEC);
  r.s = panel_stream(r.f, &r.p);
  for (size_t t = 0; t < 20; t++) feed(r.s, &r.p, t, hy_feature_stream_update, values);
  r.shot = snapshot_of(r.s);
  return r;
}

static void refusal_free(refusal *r) {
  free(r->shot.data);
  hy_feature_stream_destroy(r->s);
  hy_features_destroy(r->f);
  hy_runtime_destroy(r->runtime);
  panel_free(&r->p);
}

/* Refused with this status and word, and the stream is as it was. */
static void refuses(const refusal *r, hy_feature_stream *s, const void *data, size_t bytes,
                    hy_status status, const char *word) {
  hy_error err;
  const snapshot before = snapshot_of(s);
  (void)r;
  assert_int_equal(hy_feature_stream_restore(s, data, bytes, &err), status);
  if (!strstr(err.message, word)) fail_msg("\"%s\" does not say %s", err.message, word);
  const snapshot after = snapshot_of(s);
  assert_memory_equal(before.data, after.data, before.bytes);
  free(before.data);
  free(after.data);
}

static void test_damaged_snapshots_are_refused(void **state) {
  refusal r = refusal_make();
  hy__random random;
  (void)state;
  hy__random_init(&random, 3, 0);
  for (size_t k = 0; k < 400; k++) {
    const size_t bit = hy__random_below(&random, r.shot.bytes * 8);
    hy_error err;
    r.shot.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    const hy_status status = hy_feature_stream_restore(r.s, r.shot.data, r.shot.bytes, &err);
    if (status != HY_BAD_FORMAT) fail_msg("bit %zu: %d", bit, status);
    r.shot.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  for (size_t bytes = 0; bytes < r.shot.bytes; bytes += 1 + bytes / 7)
    refuses(&r, r.s, r.shot.data, bytes, HY_BAD_FORMAT, bytes < 8 ? "no snapshot" : "short");
  r.shot.data[8] = 1; /* an older version */
  refuses(&r, r.s, r.shot.data, r.shot.bytes, HY_BAD_FORMAT, "of version 1; this hayate reads 2");
  refusal_free(&r);
}

/* Real bytes of the first form, to the stream that they were taken from: shorter than the head of
 * today, and their checksum fits. */
static void test_older_snapshots_are_refused(void **state) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "sma(close, 2)");
  const char *const symbols[] = {"A"}, *const fields[] = {"close"};
  const hy_feature_stream_options o = {.struct_size = sizeof o,
                                       .n_symbols = 1,
                                       .n_fields = 1,
                                       .symbols = symbols,
                                       .fields = fields,
                                       .timeframe = "1m"};
  uint8_t bytes[1024];
  hy_feature_stream *s;
  hy_error err;
  (void)state;
  FILE *file = fopen("tests/golden/stream/snapshot_v1.bin", "rb");
  assert_non_null(file);
  const size_t n = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  assert_int_equal(hy_feature_stream_create(f, &o, &s, &err), HY_OK);
  assert_int_equal(hy_feature_stream_restore(s, bytes, n, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "a snapshot of version 1; this hayate reads 2");
  bytes[8] = 3; /* and of a later one */
  assert_int_equal(hy_feature_stream_restore(s, bytes, n, &err), HY_BAD_FORMAT);
  assert_string_equal(err.message, "a snapshot of version 3; this hayate reads 2");
  hy_feature_stream_destroy(s);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

static void test_other_snapshots_are_refused(void **state) {
  refusal r = refusal_make();
  (void)state;
  hy_features *other = features_make(r.runtime, "sma(close, 5)");
  hy_feature_stream *s = panel_stream(other, &r.p);
  refuses(&r, s, r.shot.data, r.shot.bytes, HY_MISMATCH, "here");
  hy_feature_stream_destroy(s);
  hy_features_destroy(other);
  const char *const one[] = {"A"};
  hy_error err;
  hy_feature_stream_options o = {.struct_size = sizeof o,
                                 .n_symbols = 1,
                                 .n_fields = PANEL_FIELDS,
                                 .symbols = one,
                                 .fields = panel_fields,
                                 .timeframe = "1m",
                                 .zone = "Europe/London",
                                 .calendar = "XNYS"};
  assert_int_equal(hy_feature_stream_create(r.f, &o, &s, &err), HY_OK);
  refuses(&r, s, r.shot.data, r.shot.bytes, HY_MISMATCH, "zone is America/New_York");
  hy_feature_stream_destroy(s);
  refusal_free(&r);
}

/* ---- rows ---- */

static void test_a_late_row_changes_nothing(void **state) {
  refusal r = refusal_make();
  double values[11 * 8];
  const double *fields[PANEL_FIELDS];
  hy_error err;
  (void)state;
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = r.p.data[k];
  const hy_bar_row late = {sizeof late, r.p.time_ns[19], fields, r.p.valid};
  assert_int_equal(hy_feature_stream_update(r.s, &late, values, NULL, &err), HY_LATE);
  assert_non_null(strstr(err.message, "after that of"));
  assert_int_equal(hy_feature_stream_peek(r.s, &late, values, NULL, &err), HY_LATE);
  const snapshot after = snapshot_of(r.s);
  assert_memory_equal(after.data, r.shot.data, after.bytes);
  free(after.data);
  refusal_free(&r);
}

static void test_what_a_stream_lacks_is_named(void **state) {
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "sma(vwap, 5)");
  const char *const symbols[] = {"A", "A"};
  hy_feature_stream *s;
  hy_error err;
  (void)state;
  hy_feature_stream_options o = {.struct_size = sizeof o, .n_symbols = 1, .symbols = symbols};
  assert_int_equal(hy_feature_stream_create(f, &o, &s, &err), HY_NOT_FOUND);
  assert_non_null(strstr(err.message, "vwap"));
  o.n_symbols = 2;
  assert_int_equal(hy_feature_stream_create(f, &o, &s, &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "\"A\""));
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_programs),
      cmocka_unit_test(test_symbols_are_found_by_name),
      cmocka_unit_test(test_damaged_snapshots_are_refused),
      cmocka_unit_test(test_older_snapshots_are_refused),
      cmocka_unit_test(test_other_snapshots_are_refused),
      cmocka_unit_test(test_a_late_row_changes_nothing),
      cmocka_unit_test(test_what_a_stream_lacks_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
