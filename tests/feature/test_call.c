/* SPDX-License-Identifier: Apache-2.0
 * hy_feature_call: the values of batch from the first whole row on, whatever the program; the forms
 * that a feature is given out in, many threads with one call, and what is refused. */
#include <hayate/feature_call.h>

#include <pthread.h>

#include "feature/random_spec.h"
#include "feature/solo/solo.h"

enum { BARS = 900, LATE = 5, N_FEATURES = 4, N_THREADS = 4, CASES = 2000 };

static const char text[] = "rsi(close, 5); sma(high, 9); argmax(close, 7); cdl.doji()";
static panel market;
static const double *data[PANEL_FIELDS];

static int set_up(void **state) {
  (void)state;
  market = panel_make(BARS, 1, 0, false);
  for (size_t k = 0; k < PANEL_FIELDS; k++) data[k] = market.data[k];
  for (size_t t = 0; t < LATE; t++) market.data[t % 2 ? 1 : 3][t] = (double)NAN;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  return 0;
}

/* Open, high, low and close are the panel's first four fields. */
static hy_feature_call *call_make(const hy_features *f, const hy_answer *answers) {
  hy_feature_call *call;
  hy_error err;
  const hy_feature_call_options options = {.struct_size = sizeof options,
                                           .fields = panel_fields,
                                           .n_fields = 4,
                                           .answers = answers,
                                           .window_bars = 7};
  if (hy_feature_call_create(f, &options, &call, &err) != HY_OK) fail_msg("%s", err.message);
  return call;
}

/* The series behind the rows where a field is missing. */
static void compute_series(const hy_features *f, double values[N_FEATURES][BARS]) {
  const double *behind[4];
  double *out[N_FEATURES];
  for (size_t k = 0; k < 4; k++) behind[k] = data[k] + LATE;
  for (size_t i = 0; i < N_FEATURES; i++) out[i] = values[i] + LATE;
  const hy_series series = {.struct_size = sizeof series,
                            .n_bars = BARS - LATE,
                            .n_fields = 4,
                            .fields = panel_fields,
                            .data = behind};
  assert_int_equal(hy_features_compute_series(f, &series, out, NULL), HY_OK);
  for (size_t i = 0; i < N_FEATURES; i++)
    for (size_t t = 0; t < LATE; t++) values[i][t] = (double)NAN;
}

static double want[N_FEATURES][BARS], got[N_FEATURES][BARS];

static void a_call_begins_at_the_first_whole_row(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, text);
  hy_feature_call *call = call_make(f, NULL);
  compute_series(f, want);
  assert_int_equal(hy_feature_call_run(call, BARS, NULL, data[0], data[1], data[2], data[3], got[0],
                                       got[1], got[2], got[3]),
                   HY_OK);
  assert_memory_equal(got, want, sizeof want);
  assert_int_equal(hy_feature_call_run(call, 0, NULL, data[0], data[1], data[2], data[3], got[0],
                                       got[1], got[2], got[3]),
                   HY_OK);
  hy_feature_call_destroy(call);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

/* In one piece (rsi recurs) and in pieces side by side. */
static void answers_have_their_forms(void **state) {
  (void)state;
  static const char *const texts[] = {
      text, "mom(close, 5) / 0 + sma(high, 9); sma(high, 9); argmax(close, 7); cdl.doji()"};
  static const hy_answer answers[N_FEATURES] = {HY_ANSWER_ZERO, HY_ANSWER_F64, HY_ANSWER_ROW,
                                                HY_ANSWER_I32};
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  for (size_t k = 0; k < 2; k++) {
    hy_features *f = features_make(runtime, texts[k]);
    hy_feature_call *call = call_make(f, answers);
    static int32_t places[BARS], candles[BARS];
    compute_series(f, want);
    assert_int_equal(hy_feature_call_run(call, BARS, NULL, data[0], data[1], data[2], data[3],
                                         got[0], got[1], places, candles),
                     HY_OK);
    for (size_t t = 0; t < BARS; t++) {
      const bool behind = t >= LATE + (k ? 8 : 5); /* the look-backs */
      const double first = isnan(want[0][t]) && behind ? 0.0 : want[0][t];
      assert_true(isnan(first) ? isnan(got[0][t]) : got[0][t] == first);
      assert_true(isnan(want[1][t]) ? isnan(got[1][t]) : got[1][t] == want[1][t]);
      assert_int_equal(places[t], isnan(want[2][t]) ? 0 : (int)t - 7 + (int)want[2][t]);
      assert_int_equal(candles[t], isnan(want[3][t]) ? 0 : (int)want[3][t]);
      if (k && behind) assert_true(got[0][t] == 0.0);
      if (places[t]) assert_true(data[3][places[t]] >= data[3][t]);
    }
    hy_feature_call_destroy(call);
    hy_features_destroy(f);
  }
  hy_runtime_destroy(runtime);
}

/* The series' holes, and worse; the first rows are whole. */
static panel odd_panel(hy__random *random) {
  static const double odd[] = {NAN, INFINITY, 0.0, -0.0, 5e-324, 1e-9, 1e12, -1e300};
  const size_t n_bars = 2 + hy__random_below(random, BARS - 2),
               row = hy__random_below(random, n_bars);
  panel p = panel_make(n_bars, 1, 0, false);
  memset(p.valid, 1, n_bars);
  for (size_t k = hy__random_below(random, 9); k > 0; k--)
    p.data[hy__random_below(random, PANEL_FIELDS)][1 + hy__random_below(random, n_bars - 1)] =
        odd[hy__random_below(random, HY_COUNT(odd))];
  for (size_t k = 0; row && k < PANEL_FIELDS; k++) p.data[k][row] = (double)NAN;
  return p;
}

static void assert_call_is_batch(const hy_features *f, panel *p, const char *spec) {
  hy_feature_call *call;
  double *out[4];
  hy_universe *u = panel_open(f->runtime, p);
  answer a = compute_range(f, u, (hy__feature_range){0});
  const hy_feature_call_options options = {
      .struct_size = sizeof options, .fields = panel_fields, .n_fields = PANEL_FIELDS};
  assert_int_equal(hy_feature_call_create(f, &options, &call, NULL), HY_OK);
  for (size_t i = 0; i < 4; i++) out[i] = got[i];
  assert_int_equal(hy_feature_call_run(call, (uint32_t)p->n_bars, NULL, p->data[0], p->data[1],
                                       p->data[2], p->data[3], p->data[4], p->data[5], out[0],
                                       out[1], out[2], out[3]),
                   HY_OK);
  for (size_t i = 0; i < a.n_features; i++)
    if (memcmp(got[i], answer_at(&a, i, 0, 0), p->n_bars * sizeof(double)) != 0)
      fail_msg("%s over %zu bars of\n%s", f->names[i], p->n_bars, spec);
  hy_feature_call_destroy(call);
  hy_universe_destroy(u);
  free(a.values);
}

static void random_programs_have_the_bits_of_batch(void **state) {
  hy_runtime *runtimes[2] = {runtime_make(1, HY_ISA_SCALAR), runtime_make(1, HY_ISA_DEFAULT)};
  size_t n = 0;
  (void)state;
  for (size_t i = 0; i < CASES; i++) {
    static char spec[RANDOM_SPEC_BYTES];
    const hy__solo *plan;
    hy__random random;
    hy__random_init(&random, 31, i);
    random_spec_make(&random, 1 + hy__random_below(&random, 4), spec);
    hy_features *f;
    const hy_status status = features_parse(runtimes[i % 2], spec, NULL, &f, NULL);
    if (status == HY_OK) assert_int_equal(hy__solo_plan(f, &plan, NULL), HY_OK);
    if (f && plan->fits && f->n_features <= 4) {
      panel p = odd_panel(&random);
      assert_call_is_batch(f, &p, spec);
      panel_free(&p);
      n++;
    }
    hy_features_destroy(f);
  }
  for (size_t i = 0; i < 2; i++) hy_runtime_destroy(runtimes[i]);
  print_message("%zu programs\n", n);
  assert_true(n > CASES / 10);
}

/* What has no int32_t is 0. */
static void integers_are_bounded(void **state) {
  (void)state;
  static const double in[] = {2147483647.0, 2147483648.0, -2147483648.0, -2147483649.0,
                              1e300,        (double)NAN,  7.9,           (double)INFINITY};
  static const int32_t as[] = {INT32_MAX, 0, INT32_MIN, 0, 0, 0, 7, 0};
  static const hy_answer integer = HY_ANSWER_I32;
  int32_t out[HY_COUNT(in)];
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "close + 0");
  hy_feature_call *call;
  const hy_feature_call_options options = {.struct_size = sizeof options,
                                           .fields = (const char *const[]){"close"},
                                           .n_fields = 1,
                                           .answers = &integer};
  assert_int_equal(hy_feature_call_create(f, &options, &call, NULL), HY_OK);
  assert_int_equal(hy_feature_call_run(call, HY_COUNT(in), NULL, in, out), HY_OK);
  assert_memory_equal(out, as, sizeof out);
  hy_feature_call_destroy(call);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

/* A thread's arrays; the program and its plan are everybody's. */
typedef struct caller {
  pthread_t thread;
  const hy_features *f;
  const hy_feature_call *call;
  double got[N_FEATURES][BARS];
  bool right;
} caller;

static bool run_into(const hy_feature_call *call, double out[N_FEATURES][BARS]) {
  memset(out, 0, sizeof want);
  return hy_feature_call_run(call, BARS, NULL, data[0], data[1], data[2], data[3], out[0], out[1],
                             out[2], out[3]) == HY_OK &&
         memcmp(out, want, sizeof want) == 0;
}

static void *call_often(void *arg) {
  caller *c = arg;
  hy_feature_call *mine = call_make(c->f, NULL); /* who comes first makes the plan */
  c->right = true;
  for (int i = 0; i < 50; i++) c->right &= run_into(mine, c->got) && run_into(c->call, c->got);
  hy_feature_call_destroy(mine);
  return NULL;
}

static void threads_share_a_program_and_a_call(void **state) {
  (void)state;
  static caller callers[N_THREADS];
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *shared = features_make(runtime, text), *anew = features_make(runtime, text);
  hy_feature_call *call = call_make(shared, NULL);
  compute_series(shared, want);
  for (size_t i = 0; i < N_THREADS; i++) {
    callers[i].f = anew, callers[i].call = call;
    assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
  }
  for (size_t i = 0; i < N_THREADS; i++) {
    assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
    assert_true(callers[i].right);
  }
  hy_feature_call_destroy(call);
  hy_features_destroy(shared);
  hy_features_destroy(anew);
  hy_runtime_destroy(runtime);
}

static hy_status create_status(hy_runtime *runtime, const char *spec, const char *field,
                               hy_answer form) {
  hy_feature_call *call;
  hy_error err;
  const char *const fields[] = {field};
  const hy_answer answers[] = {form};
  const hy_feature_call_options options = {
      .struct_size = sizeof options, .fields = fields, .n_fields = 1, .answers = answers};
  hy_features *f = features_make(runtime, spec);
  const hy_status status = hy_feature_call_create(f, &options, &call, &err);
  if (status == HY_OK)
    hy_feature_call_destroy(call);
  else
    assert_true(err.message[0] != 0);
  hy_features_destroy(f);
  return status;
}

static void what_is_no_call_is_refused(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  assert_int_equal(create_status(runtime, "sma(close, 3)", "close", HY_ANSWER_F64), HY_OK);
  assert_int_equal(create_status(runtime, "sma(close, 3)", "open", HY_ANSWER_F64), HY_NOT_FOUND);
  assert_int_equal(create_status(runtime, "cs.rank(close)", "close", HY_ANSWER_F64),
                   HY_UNSUPPORTED);
  assert_int_equal(create_status(runtime, "close@H1", "close", HY_ANSWER_F64), HY_UNSUPPORTED);
  assert_int_equal(create_status(runtime, "sma(close, 3)", "close", (hy_answer)9),
                   HY_INVALID_ARGUMENT);
  hy_runtime_destroy(runtime);
}

static void arrays_that_do_not_fit_are_refused(void **state) {
  (void)state;
  static const char *const twice[33] = {"close", "open", "close"};
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, "sma(close, 3)");
  hy_feature_call *call = call_make(f, NULL), *none;
  hy_feature_call_options options = {.struct_size = sizeof options, .fields = twice, .n_fields = 3};
  hy_error err;
  double *const absent = NULL;
  assert_int_equal(hy_feature_call_create(f, &options, &none, &err), HY_INVALID_ARGUMENT);
  options.n_fields = HY_COUNT(twice);
  assert_int_equal(hy_feature_call_create(f, &options, &none, &err), HY_LIMIT);
  options.n_fields = SIZE_MAX;
  assert_int_equal(hy_feature_call_create(f, &options, &none, &err), HY_LIMIT);
  options.n_fields = 1, options.struct_size = 8;
  assert_int_equal(hy_feature_call_create(f, &options, &none, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_feature_call_create(f, NULL, &none, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_feature_call_run(call, 9, &err, data[0], data[1], data[2], data[3], absent),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(hy_feature_call_run(call, 9, &err, data[0], data[1], absent, data[3], got[0]),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(hy_feature_call_run(NULL, 9, &err), HY_INVALID_ARGUMENT);
  hy_feature_call_destroy(NULL);
  hy_feature_call_destroy(call);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_begins_at_the_first_whole_row),
      cmocka_unit_test(answers_have_their_forms),
      cmocka_unit_test(random_programs_have_the_bits_of_batch),
      cmocka_unit_test(integers_are_bounded),
      cmocka_unit_test(threads_share_a_program_and_a_call),
      cmocka_unit_test(what_is_no_call_is_refused),
      cmocka_unit_test(arrays_that_do_not_fit_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
