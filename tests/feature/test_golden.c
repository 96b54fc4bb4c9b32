/* SPDX-License-Identifier: Apache-2.0
 * Every row of the indicator table against its golden file (TA-Lib, pandas or a closed form): to
 * 1e-9 of the expected values' largest magnitude, and with exactly the look-back's rows missing in
 * front. All ISAs give the same bits, and so do all lanes, each of which sees the series a few bars
 * later than the one before. */
#include "feature/rows.h"

enum { DELAY = 3 };
static const double TOLERANCE = 1e-9;

typedef struct expected {
  const double *values;
  size_t n;
  const char *id, *name;
} expected;

static bool compare(expected e, const double *got, size_t lane) {
  const size_t delay = DELAY * lane;
  double scale = 0;
  for (size_t t = 0; t < e.n; t++)
    if (isfinite(e.values[t])) scale = fmax(scale, fabs(e.values[t]));
  for (size_t t = 0; t < e.n - delay; t++) {
    const double value = got[(t + delay) * HY_LANES + lane];
    const bool same =
        isnan(e.values[t]) ? isnan(value) : fabs(value - e.values[t]) <= TOLERANCE * scale;
    if (same) continue;
    print_error("%s %s lane %zu row %zu: %.17g, expected %.17g (scale %g)\n", e.id, e.name, lane, t,
                value, e.values[t], scale);
    return false;
  }
  for (size_t t = 0; t < delay; t++) assert_true(isnan(got[t * HY_LANES + lane]));
  return true;
}

/* All lanes of one output against the expected values, and each lane's bits against lane 0's. */
static bool check_lanes(expected e, const double *got) {
  for (size_t lane = 0; lane < HY_LANES; lane++) {
    if (!compare(e, got, lane)) return false;
    for (size_t t = 0; t < e.n - DELAY * lane; t++)
      if (memcmp(&got[(t + DELAY * lane) * HY_LANES + lane], &got[t * HY_LANES], sizeof *got) !=
          0) {
        print_error("%s %s row %zu: lane %zu has other bits\n", e.id, e.name, t, lane);
        return false;
      }
  }
  return true;
}

static bool check_isas(const row *r, const golden_name *g, const double *series, expected e) {
  const size_t bytes = e.n * HY_LANES * sizeof(double);
  double *const reference = zeroed(bytes);
  bool good = true;
  for (int isa = 0; isa < isas_here() && good; isa++) {
    trial t = trial_make(r, g->p, series, e.n, DELAY);
    trial_run(&t, r->code[isa], g->p);
    good = check_lanes(e, t.out[g->output]);
    if (isa == 0) memcpy(reference, t.out[g->output], bytes);
    if (good && memcmp(reference, t.out[g->output], bytes) != 0) {
      print_error("%s %s: ISA %d has other bits\n", e.id, e.name, isa);
      good = false;
    }
    trial_free(&t);
  }
  free(reference);
  return good;
}

static bool check_array(const row *r, const hy_arrays *input, expected e) {
  const golden_name g = golden_parse(r, e.name);
  const hy_tensor *series = hy_arrays_find(input, g.series);
  if (g.output < 0 || series == NULL || series->dims[0] != N_SERIES_FIELDS ||
      (size_t)series->dims[1] != e.n) {
    print_error("%s: cannot place the array %s\n", r->id, e.name);
    return false;
  }
  const size_t lookback = of_params(r->code[0]->lookback, g.p);
  size_t first = 0;
  while (first < e.n && isnan(e.values[first])) first++;
  if (strcmp(g.series, "holes") == 0) first = lookback; /* a hole stands in its first rows */
  if (first != lookback)
    print_error("%s %s: look-back %zu, but the first value stands at %zu\n", r->id, e.name,
                lookback, first);
  return check_isas(r, &g, series->data, e) && first == lookback;
}

static void every_row_matches_its_golden(void **state) {
  hy_runtime *runtime = *state;
  hy_arrays *input = golden_open(runtime, "input");
  size_t n_wrong = 0;
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    hy_arrays *golden = golden_open(runtime, rows[i].id);
    for (size_t k = 0; k < hy_arrays_n(golden); k++) {
      const hy_tensor *values = hy_arrays_at(golden, k);
      assert_int_equal(values->dtype, HY_F64);
      const expected e = {values->data, (size_t)values->dims[0], rows[i].id,
                          hy_arrays_name(golden, k)};
      n_wrong += check_array(&rows[i], input, e) ? 0 : 1;
    }
    hy_arrays_destroy(golden);
  }
  hy_arrays_destroy(input);
  assert_int_equal(n_wrong, 0);
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
