/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections: each row of cross.inc on a row of values worked out by hand, ties, flats, and too
 * few names. */
#include <hayate/feature_stream.h>

#include "feature/panel.h"

enum { N = 11 };

/* Nine names have a value; 3 and 7 have none. Sum 36, mean 4; sorted 1 2 2 4 4 4 5 6 8. */
static const double row[N] = {4, 2, 8, NAN, 1, 4, 6, NAN, 5, 2, 4};

static void check(const char *call, const double want[N]) {
  panel p = panel_empty(1, N);
  p.time_ns[0] = 1;
  for (size_t s = 0; s < N; s++) {
    p.valid[s] = 1;
    for (size_t k = 0; k < PANEL_FIELDS; k++) p.data[k][s] = row[s];
  }
  answer a = compute_panel(&p, call, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  for (size_t s = 0; s < N; s++) {
    bool same = isnan(want[s]) ? isnan(a.values[s]) : fabs(a.values[s] - want[s]) < 1e-14;
    if (!same) fail_msg("%s: symbol %zu is %.17g, not %.17g", call, s, a.values[s], want[s]);
  }
  free(a.values);
  panel_free(&p);
}

static void of_row(double (*f)(double x), double want[N]) {
  for (size_t s = 0; s < N; s++) want[s] = isnan(row[s]) ? NAN : f(row[s]);
}

/* Average rank of each value above. */
static double rank_of(double x) {
  return x == 1 ? 1 : x == 2 ? 2.5 : x == 4 ? 5 : x == 5 ? 7 : x == 6 ? 8 : 9;
}
static double rank(double x) { return rank_of(x) / 9; }
static double ranknorm(double x) { return (rank_of(x) / 9 - 0.5) * 3.46; }
static double bucket(double x) { return floor((rank_of(x) - 0.5) * 3 / 9); }
static double demean(double x) { return x - 4; }
/* squares: 0 4 16 9 0 4 1 4 0 = 38, over 8 */
static double zscore(double x) { return (x - 4) / sqrt(38.0 / 8); }
/* median 4, deviations 0 0 0 1 2 2 2 3 4: MAD 2 */
static double robust(double x) { return (x - 4) / (1.4826 * 2); }
static double scale(double x) { return x / 36; }
/* quantiles .25 and .75 of nine: the third and seventh */
static double winsor(double x) { return x < 2 ? 2 : x > 5 ? 5 : x; }
static double breadth(double x) { return x * 0 + 1; }
static double none(double x) { return x * 0 + (double)NAN; }
static double zero(double x) { return x * 0; }

static void rows_by_hand(void **state) {
  (void)state;
  static const struct {
    const char *call;
    double (*f)(double x);
  } cases[] = {
      {"cs.rank(close)", rank},
      {"cs.ranknorm(close)", ranknorm},
      {"cs.bucket(close, 3)", bucket},
      {"cs.demean(close)", demean},
      {"cs.zscore(close)", zscore},
      {"cs.robust(close)", robust},
      {"cs.scale(close)", scale},
      {"cs.winsor(close, 0.25)", winsor},
      {"cs.winsor(close, 0.75)", winsor},
      {"cs.breadth(close)", breadth},
      {"cs.rank(close, min_names=9)", rank},
      {"cs.rank(close, min_names=10)", none},
      {"cs.zscore(close * 0)", zero},
      {"cs.robust(close * 0)", zero},
      {"cs.scale(close * 0)", zero},
      {"cs.breadth(0 - close)", zero},
  };
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    double want[N];
    of_row(cases[i].f, want);
    check(cases[i].call, want);
  }
}

static void robust_is_held_within_three(void **state) {
  (void)state;
  check("cs.robust(where(close > 7, 100, close))",
        (double[N]){0, -2 / 2.9652, 3, NAN, -3 / 2.9652, 0, 2 / 2.9652, NAN, 1 / 2.9652,
                    -2 / 2.9652, 0});
}

/* One row, whose symbols stand in their names' order or the other way round; a stream as well. */
static void compute_row(const char *spec, const double values[N], bool turned, double out[2][N]) {
  panel p = panel_empty(1, N);
  hy_error err;
  double streamed[N];
  p.time_ns[0] = INT64_C(60000000000);
  for (size_t s = 0; s < N; s++) {
    const size_t from = turned ? N - 1 - s : s;
    (void)snprintf(p.names[s], sizeof p.names[s], "S%02u", (unsigned)(from % 100));
    p.valid[s] = 1;
    for (size_t k = 0; k < PANEL_FIELDS; k++)
      p.data[k][s] = k == 4 ? (double)(from % 2) : values[from];
    p.data[0][s] = (double)((from * 5) % N);
  }
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_universe *u = panel_open(runtime, &p);
  answer a = compute_range(f, u, (hy__feature_range){0});
  const hy_feature_stream_options o = {.struct_size = sizeof o,
                                       .n_symbols = N,
                                       .n_fields = PANEL_FIELDS,
                                       .symbols = p.symbols,
                                       .fields = panel_fields};
  const double *fields[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = p.data[k];
  const hy_bar_row bars = {.struct_size = sizeof bars, .time_ns = p.time_ns[0], .fields = fields};
  hy_feature_stream *stream;
  if (hy_feature_stream_create(f, &o, &stream, &err) ||
      hy_feature_stream_update(stream, &bars, streamed, NULL, &err))
    fail_msg("%s", err.message);
  for (size_t s = 0; s < N; s++) {
    const size_t to = turned ? N - 1 - s : s;
    out[0][to] = a.values[s];
    out[1][to] = streamed[s];
  }
  hy_feature_stream_destroy(stream);
  free(a.values);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  panel_free(&p);
}

static const char *const sums[] = {"cs.demean(close)",
                                   "cs.zscore(close)",
                                   "cs.scale(close)",
                                   "cs.neutral(close, volume)",
                                   "cs.group_zscore(close, volume)",
                                   "cs.resid(close, open)"};

static void values_do_not_depend_on_the_symbols_order(void **state) {
  (void)state;
  static const double uneven[N] = {1e16, 1, 3, -1e16, 0.1, 7, 1e-3, 0.3, 1e9, -5, 0.7};
  for (size_t i = 0; i < HY_COUNT(sums); i++) {
    double straight[2][N], turned[2][N];
    compute_row(sums[i], uneven, false, straight);
    compute_row(sums[i], uneven, true, turned);
    for (size_t s = 0; s < N; s++)
      for (size_t k = 0; k < 2; k++)
        if (memcmp(&straight[0][s], &turned[k][s], 8) != 0 ||
            memcmp(&straight[0][s], &straight[k][s], 8) != 0)
          fail_msg("%s: symbol %zu is %.17g, turned %.17g%s", sums[i], s, straight[0][s],
                   turned[k][s], k ? " in a stream" : "");
  }
}

/* The mean of eleven times 0.1 is not 0.1. */
static void equal_values_have_no_deviation(void **state) {
  (void)state;
  static const char *const specs[] = {"cs.zscore(close)", "cs.group_zscore(close, volume)"};
  double flat[N], out[2][N];
  for (size_t s = 0; s < N; s++) flat[s] = 0.1;
  for (size_t i = 0; i < HY_COUNT(specs); i++) {
    compute_row(specs[i], flat, false, out);
    for (size_t s = 0; s < N; s++)
      if (out[0][s] != 0 || out[1][s] != 0)
        fail_msg("%s: symbol %zu is %g, streamed %g", specs[i], s, out[0][s], out[1][s]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rows_by_hand),
                                     cmocka_unit_test(robust_is_held_within_three),
                                     cmocka_unit_test(values_do_not_depend_on_the_symbols_order),
                                     cmocka_unit_test(equal_values_have_no_deviation)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
