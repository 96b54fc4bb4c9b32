/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections of several inputs: groups from a field or from a map of the spec, and residuals,
 * against their definitions in long double; and the sort against qsort. */
#include "feature/cross/cross.h"
#include "feature/panel.h"
#include "support/runtime.h"

enum { N = 12, N_FACTORS = 5 };

/* One row: close is x, open the groups' numbers, high, low, volume and vwap factors. */
static const double row_x[N] = {4, 2, 8, NAN, 1, 4, 6, NAN, 5, 2, 4, 3};
static const double row_group[N] = {1, 1, 2, 2, 2, 1, 7, 1, NAN, 2, 2, 1};

static panel make_row(void) {
  panel p = panel_empty(1, N);
  hy__random r;
  hy__random_init(&r, 5, 0);
  p.time_ns[0] = 1;
  for (size_t s = 0; s < N; s++) {
    p.valid[s] = 1;
    p.data[3][s] = row_x[s];
    p.data[0][s] = row_group[s];
    p.data[1][s] = hy__random_normal(&r);
    p.data[2][s] = 1e6 + 10 * hy__random_normal(&r);
    p.data[4][s] = 1e-3 * hy__random_normal(&r);
    p.data[5][s] = s == 4 ? NAN : hy__random_normal(&r);
  }
  return p;
}

/* By batch and by stream, which must agree. */
static void compute_row(panel *p, const char *yaml, double out[N]) {
  hy_features *f;
  hy_error err;
  if (features_parse(runtime, yaml, NULL, &f, &err) != HY_OK) fail_msg("%s: %s", yaml, err.message);
  hy_universe *u = panel_open(runtime, p);
  answer a = compute_range(f, u, (hy__feature_range){0});
  memcpy(out, a.values, N * sizeof *out);
  hy_feature_stream *s = panel_stream(f, p);
  double live[N];
  const double *fields[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = p->data[k];
  const hy_bar_row row = {sizeof row, 1, fields, p->valid};
  assert_int_equal(hy_feature_stream_update(s, &row, live, NULL, NULL), HY_OK);
  assert_memory_equal(live, out, sizeof live);
  hy_feature_stream_destroy(s);
  free(a.values);
  hy_universe_destroy(u);
  hy_features_destroy(f);
}

static void check(const char *call, const double want[N], double tolerance) {
  panel p = make_row();
  double have[N];
  compute_row(&p, call, have);
  for (size_t s = 0; s < N; s++) {
    bool same = isnan(want[s]) ? isnan(have[s]) : fabs(have[s] - want[s]) <= tolerance;
    if (!same) fail_msg("%s: symbol %zu is %.17g, not %.17g", call, s, have[s], want[s]);
  }
  panel_free(&p);
}

/* ---- groups ---- */

/* Of symbol s, by the definition: kind 0 neutral, 1 z-score, 2 rank. */
static double of_group(size_t s, int kind) {
  long double sum = 0, squares = 0, n = 0, below = 0, equal = 0;
  if (isnan(row_x[s]) || isnan(row_group[s])) return NAN;
  for (size_t i = 0; i < N; i++) {
    if (isnan(row_x[i]) || row_group[i] != row_group[s]) continue;
    n += 1;
    sum += (long double)row_x[i];
    below += row_x[i] < row_x[s];
    equal += row_x[i] == row_x[s];
  }
  const long double mean = sum / n;
  for (size_t i = 0; i < N; i++)
    if (!isnan(row_x[i]) && row_group[i] == row_group[s])
      squares += ((long double)row_x[i] - mean) * ((long double)row_x[i] - mean);
  const long double away = (long double)row_x[s] - mean;
  if (kind == 0) return (double)away;
  if (kind == 2) return (double)((below + (equal + 1) / 2) / n);
  return n > 1 && squares > 0 ? (double)(away / sqrtl(squares / (n - 1))) : 0;
}

#define MAP                                                                                        \
  "groups: {sector: {S000: tech, S001: tech, S005: tech, S007: tech, S011: tech, S002: oil, "      \
  "S003: oil, S004: oil, S009: oil, S010: oil, S006: alone, ELSE: far}}, "
#define LISTS                                                                                      \
  "groups: {sector: {tech: [S000, S001, S005, S007, S011], alone: [S006], "                        \
  "oil: [S010, S009, S004, S003, S002], far: [ELSE]}}, "

static void groups_by_definition(void **state) {
  (void)state;
  static const char *const ids[] = {"cs.neutral", "cs.group_zscore", "cs.group_rank"};
  for (int kind = 0; kind < 3; kind++) {
    double want[N];
    char text[400];
    for (size_t s = 0; s < N; s++) want[s] = of_group(s, kind);
    (void)snprintf(text, sizeof text, "%s(close, open)", ids[kind]);
    check(text, want, 1e-15);
    (void)snprintf(text, sizeof text, "{" MAP "features: [\"a = %s(close, sector)\"]}", ids[kind]);
    check(text, want, 1e-15);
    (void)snprintf(text, sizeof text, "{" LISTS "cross: [{name: a, op: %s, in: [c, sector]}]}",
                   ids[kind]);
    check(text, want, 1e-15);
    /* nine symbols have all inputs */
    (void)snprintf(text, sizeof text, "%s(close, group=open, min_names=9)", ids[kind]);
    check(text, want, 1e-15);
    for (size_t s = 0; s < N; s++) want[s] = NAN;
    (void)snprintf(text, sizeof text, "%s(close, group=open, min_names=10)", ids[kind]);
    check(text, want, 0);
  }
}

static void a_group_is_a_number_elsewhere(void **state) {
  (void)state;
  double want[N];
  for (size_t s = 0; s < N; s++) want[s] = isnan(row_x[s]) ? NAN : row_x[s] + (s == 6 ? 0 : 3);
  want[8] = NAN; /* in no group */
  for (size_t s = 0; s < N; s++)
    if (row_group[s] == 2 && !isnan(row_x[s])) want[s] = row_x[s] + 2;
  check("{" MAP "features: [\"a = close + sector\"]}", want, 0);
}

static void forms_of_a_map_are_one(void **state) {
  (void)state;
  hy_features *f[2];
  hy_features_info info[2] = {{.struct_size = sizeof info[0]}, {.struct_size = sizeof info[0]}};
  assert_int_equal(features_parse(runtime, "{" MAP "features: [\"cs.neutral(close, sector)\"]}",
                                  NULL, &f[0], NULL),
                   HY_OK);
  assert_int_equal(features_parse(runtime, "{" LISTS "features: [\"cs.neutral(c, sector)\"]}", NULL,
                                  &f[1], NULL),
                   HY_OK);
  for (int i = 0; i < 2; i++) hy_features_describe(f[i], &info[i]);
  /* names of unnamed items are their text; the nodes are the same */
  assert_string_equal(strstr(info[0].canonical, "\"nodes\""),
                      strstr(info[1].canonical, "\"nodes\""));
  assert_non_null(strstr(info[0].canonical, "\"symbols\":{\"ELSE\":\"0x1p+0\",\"S000\":"));
  for (int i = 0; i < 2; i++) hy_features_destroy(f[i]);
}

/* ---- residuals ---- */

/* What least squares on a constant and the factors leaves, by the normal equations of centred
 * columns in long double, with pivots; factors that are not independent are passed over. */
static void residual(const double *const *factors, size_t n_factors, const double *x, size_t n,
                     double *out) {
  long double c[N_FACTORS + 1][N];
  for (size_t k = 0; k <= n_factors; k++) {
    const double *from = k < n_factors ? factors[k] : x;
    long double mean = 0;
    for (size_t i = 0; i < n; i++) mean += (long double)from[i] / (long double)n;
    for (size_t i = 0; i < n; i++) c[k][i] = (long double)from[i] - mean;
  }
  for (size_t k = 0; k < n_factors; k++) {
    /* against the columns before it (Gram and Schmidt, twice) */
    long double whole = 0, left = 0;
    for (size_t i = 0; i < n; i++) whole += c[k][i] * c[k][i];
    for (int twice = 0; twice < 2; twice++)
      for (size_t j = 0; j < k; j++) {
        long double along = 0;
        for (size_t i = 0; i < n; i++) along += c[j][i] * c[k][i];
        for (size_t i = 0; i < n; i++) c[k][i] -= along * c[j][i];
      }
    for (size_t i = 0; i < n; i++) left += c[k][i] * c[k][i];
    const long double unit = left > 1e-20L * whole && left > 0 ? 1 / sqrtl(left) : 0;
    for (size_t i = 0; i < n; i++) c[k][i] *= unit;
  }
  for (int twice = 0; twice < 2; twice++)
    for (size_t j = 0; j < n_factors; j++) {
      long double along = 0;
      for (size_t i = 0; i < n; i++) along += c[j][i] * c[n_factors][i];
      for (size_t i = 0; i < n; i++) c[n_factors][i] -= along * c[j][i];
    }
  for (size_t i = 0; i < n; i++) out[i] = (double)c[n_factors][i];
}

/* `fields`: of the panel's, the factors. */
static void check_residual(const char *call, const size_t *fields, size_t n_fields) {
  panel p = make_row();
  double columns[N_FACTORS + 1][N], left[N], want[N];
  const double *factors[N_FACTORS];
  size_t which[N], n = 0;
  for (size_t s = 0; s < N; s++) {
    bool whole = !isnan(row_x[s]);
    for (size_t k = 0; k < n_fields; k++) whole &= !isnan(p.data[fields[k]][s]);
    want[s] = NAN;
    if (!whole) continue;
    for (size_t k = 0; k < n_fields; k++) columns[k][n] = p.data[fields[k]][s];
    columns[N_FACTORS][n] = row_x[s];
    which[n++] = s;
  }
  for (size_t k = 0; k < n_fields; k++) factors[k] = columns[k];
  residual(factors, n_fields, columns[N_FACTORS], n, left);
  for (size_t i = 0; i < n; i++) want[which[i]] = left[i];
  panel_free(&p);
  check(call, want, 1e-9);
}

static void residuals_by_definition(void **state) {
  (void)state;
  check_residual("cs.resid(close, high)", (size_t[]){1}, 1);
  check_residual("cs.resid(close, high * 1e200)", (size_t[]){1}, 1);
  check_residual("cs.resid(close, low)", (size_t[]){2}, 1);
  check_residual("cs.resid(close, high, vwap)", (size_t[]){1, 5}, 2);
  check_residual("cs.resid(close, f2=low, f1=high, f3=volume)", (size_t[]){1, 2, 4}, 3);
  check_residual("cs.resid(close, high, low, volume, vwap, open)", (size_t[]){1, 2, 4, 5, 0}, 5);
  /* a factor that the others explain, a constant, and one of zeros add nothing */
  check_residual("cs.resid(close, high, 3 * high - 2)", (size_t[]){1}, 1);
  check_residual("cs.resid(close, high * 0 + 7, high, volume * 0)", (size_t[]){1}, 1);
}

static void no_freedom_leaves_nothing(void **state) {
  (void)state;
  double want[N];
  for (size_t s = 0; s < N; s++) want[s] = s == 2 || s == 6 || s == 8 ? 0 : NAN;
  /* three symbols, a constant and two factors */
  check("cs.resid(where(close > 4, close, close / 0), high, low)", want, 0);
}

/* ---- the sort ---- */

typedef struct item {
  double value;
  size_t index;
} item;

static int by_value(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->value != y->value) return x->value < y->value ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static double drawn(hy__random *r, int kind) {
  const double z = hy__random_normal(r);
  if (kind == 0) return z;
  if (kind == 1) return floor(2 * z);
  if (kind == 2) return z > 0 ? 0.0 : -0.0;
  if (kind == 3) return 1e6 * (1 + 1e-15 * floor(8 * z)); /* differs in the last bits alone */
  if (kind == 4) return z > 0 ? 1e300 * z : 5e-324 * floor(z);
  return 3;
}

static void sorts_as_qsort_does(void **state) {
  (void)state;
  enum { MOST = 3000 };
  hy__random r;
  hy__random_init(&r, 3, 0);
  hy__ranked *have = panel_alloc(2 * MOST, sizeof *have);
  item *want = panel_alloc(MOST, sizeof *want);
  for (size_t n = 0; n <= MOST; n += n < 300 ? 1 : 900)
    for (int kind = 0; kind < 6; kind++) {
      for (size_t i = 0; i < n; i++) {
        want[i] = (item){drawn(&r, kind), i};
        have[i] = (hy__ranked){hy__cross_key(want[i].value), i};
      }
      hy__cross_sort(have, have + n, n);
      if (n) qsort(want, n, sizeof *want, by_value);
      for (size_t i = 0; i < n; i++) assert_int_equal(have[i].index, want[i].index);
    }
  free(have);
  free(want);
}

/* ---- refusals ---- */

static void refuses_by_name(void **state) {
  (void)state;
  static const struct {
    const char *yaml, *message;
    int32_t line, column;
  } cases[] = {
      {"cs.resid(close, high, f3=low)", "cs.resid: f3 is given without f2", 1, 1},
      {"cs.resid(close)", "cs.resid(x, f1, f2?, f3?, f4?, f5?, min_names=2) needs f1", 1, 1},
      {"cs.neutral(close, 3)", "group of cs.neutral must be a series, not a number", 1, 19},
      {"{groups: {sector: {A: x}},\n features: [\"cs.neutral(c, sectr)\"],\n"
       " inputs: {fields: [close]}}",
       "unknown name \"sectr\"; did you mean sector?", 2, 28},
      {"{groups: {sector: {A: x}},\n features: [{name: sector, expr: c}]}",
       "sector is a group's name, choose another", 2, 20},
      {"{groups: {close: {A: x}},\n features: [c]}", "close is a field's name, choose another", 1,
       18},
      {"{groups: {sector: {a: [X, Y],\n b: [Z, X]}}, features: [c]}", "X is in the groups a and b",
       2, 9},
      {"{groups: {sector: {a: {X: Y}}}, features: [c]}",
       "a: SYMBOL: group, or group: [SYMBOL, ...] was expected", 1, 23},
      {"{groups: [a], features: [c]}", "groups: a map was expected, such as {sector: {AAPL: tech}}",
       1, 10},
      {"{groups: {sector: {}}, features: [c]}",
       "groups: a map such as {AAPL: tech, XOM: energy} was expected", 1, 19},
      {"{groups: {sector: {a: []}}, features: [c]}", "groups: sector names no symbol", 1, 19},
  };
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    hy_features *f = NULL;
    hy_error err = {0};
    assert_int_not_equal(features_parse(runtime, cases[i].yaml, NULL, &f, &err), HY_OK);
    if (strcmp(err.message, cases[i].message) || err.line != cases[i].line ||
        err.column != cases[i].column)
      fail_msg("%s: %d:%d: %s", cases[i].yaml, err.line, err.column, err.message);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(groups_by_definition),      cmocka_unit_test(a_group_is_a_number_elsewhere),
      cmocka_unit_test(forms_of_a_map_are_one),    cmocka_unit_test(residuals_by_definition),
      cmocka_unit_test(no_freedom_leaves_nothing), cmocka_unit_test(sorts_as_qsort_does),
      cmocka_unit_test(refuses_by_name),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
