/* SPDX-License-Identifier: Apache-2.0
 * Every row of the indicator table against its golden file (TA-Lib, pandas or a closed form): to 1e-9 of the
 * expected values' largest magnitude, and with exactly the look-back's rows missing in front. All ISAs give the
 * same bits, and so do all lanes, each of which sees the series a few bars later than the one before. */
#include "feature/rows.h"

enum { DELAY = 3 };
static const double TOLERANCE = 1e-9;

typedef struct expected {
  const double *values;
  size_t n;
  const char *id, *name;
} expected;

static void compare(expected e, const double *got, size_t lane) {
  const size_t delay = DELAY * lane;
  double scale = 0;
  for (size_t t = 0; t < e.n; t++)
    if (isfinite(e.values[t])) scale = fmax(scale, fabs(e.values[t]));
  for (size_t t = 0; t < e.n - delay; t++) {
    const double value = got[(t + delay) * HY_LANES + lane];
    const bool same =
        isnan(e.values[t]) ? isnan(value) : fabs(value - e.values[t]) <= TOLERANCE * scale;
    if (!same)
      fail_msg("%s %s lane %zu row %zu: %.17g, expected %.17g (scale %g)", e.id, e.name, lane, t,
               value, e.values[t], scale);
  }
  for (size_t t = 0; t < delay; t++) assert_true(isnan(got[t * HY_LANES + lane]));
}

static void check_array(const row *r, const hy_arrays *input, expected e) {
  const golden_name g = golden_parse(r, e.name);
  const hy_tensor *series = hy_arrays_find(input, g.series);
  if (g.output < 0 || series == NULL) fail_msg("%s: cannot place the array %s", r->id, e.name);
  assert_int_equal(series->dims[0], N_SERIES_FIELDS);
  assert_int_equal(series->dims[1], e.n);
  size_t first = 0;
  while (first < e.n && isnan(e.values[first])) first++;
  if (first != of_params(r->code[0]->lookback, g.p))
    fail_msg("%s %s: look-back %zu, but the first value stands at %zu", r->id, e.name,
             of_params(r->code[0]->lookback, g.p), first);
  double *reference = NULL;
  for (int isa = 0; isa < isas_here(); isa++) {
    trial t = trial_make(r, g.p, series->data, e.n, DELAY);
    const size_t bytes = e.n * HY_LANES * sizeof(double);
    trial_run(&t, r->code[isa], g.p);
    for (size_t lane = 0; lane < HY_LANES; lane++) compare(e, t.out[g.output], lane);
    for (size_t k = 0; k < (e.n - 7 * DELAY) * HY_LANES; k++) {
      const size_t lane = k % HY_LANES, at = (k / HY_LANES + DELAY * lane) * HY_LANES + lane;
      assert_memory_equal(&t.out[g.output][at], &t.out[g.output][k - lane], sizeof(double));
    }
    if (reference == NULL) {
      reference = zeroed(bytes);
      memcpy(reference, t.out[g.output], bytes);
    }
    if (memcmp(reference, t.out[g.output], bytes) != 0)
      fail_msg("%s %s: ISA %d gives other bits", r->id, e.name, isa);
    trial_free(&t);
  }
  free(reference);
}

static void every_row_matches_its_golden(void **state) {
  hy_runtime *runtime = *state;
  hy_arrays *input = golden_open(runtime, "input");
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    hy_arrays *golden = golden_open(runtime, rows[i].id);
    for (size_t k = 0; k < hy_arrays_n(golden); k++) {
      const hy_tensor *values = hy_arrays_at(golden, k);
      assert_int_equal(values->dtype, HY_F64);
      check_array(
          &rows[i], input,
          (expected){values->data, (size_t)values->dims[0], rows[i].id, hy_arrays_name(golden, k)});
    }
    hy_arrays_destroy(golden);
  }
  hy_arrays_destroy(input);
}

static int make_runtime(void **state) {
  return hy_runtime_create(NULL, (hy_runtime **)state, NULL) == HY_OK ? 0 : 1;
}

static int drop_runtime(void **state) {
  hy_runtime_destroy(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_matches_its_golden)};
  return cmocka_run_group_tests(tests, make_runtime, drop_runtime);
}
