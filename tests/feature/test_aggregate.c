/* SPDX-License-Identifier: Apache-2.0
 * Slower universes: the same however their faster bars are cut into calls, and out of bars of any
 * timeframe between. */
#include "feature/panel.h"

enum { BARS = 700, SYMBOLS = 11 };

static hy_universe *make(hy_runtime *runtime, const hy_universe *base, const char *timeframe,
                         size_t t_end) {
  hy__grid *grid;
  hy_universe *u;
  hy_error err;
  hy__grid_options g = {.zone = "America/New_York"};
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(base, &info);
  hy__aggregate_options o = {.timeframe = timeframe,
                             .fields = panel_fields,
                             .n_fields = PANEL_FIELDS,
                             .t_end = t_end ? t_end : info.n_bars};
  assert_int_equal(hy__timeframe_parse(timeframe, &g.timeframe_ns, NULL), HY_OK);
  assert_int_equal(hy__grid_create(&hy__allocator_libc, &g, &grid, NULL), HY_OK);
  o.grid = grid;
  if (hy__universe_aggregate(runtime, base, &o, &u, &err) != HY_OK) fail_msg("%s", err.message);
  hy__grid_destroy(grid);
  return u;
}

static double *read_all(const hy_universe *u, const char *field, hy_universe_info *info) {
  *info = (hy_universe_info){.struct_size = sizeof *info};
  hy_universe_describe(u, info);
  double *out = panel_alloc(info->n_bars * info->n_symbols, sizeof *out);
  assert_int_equal(hy_universe_read(u, field, 0, info->n_bars, out, NULL), HY_OK);
  return out;
}

static void quarters_of_minutes_are_quarters_of_fives(void **state) {
  (void)state;
  panel p = panel_make(BARS, SYMBOLS, 40, true);
  p.data[0][7 * SYMBOLS + 3] = p.data[1][31 * SYMBOLS + 3] = (double)NAN;
  hy_runtime *runtime = runtime_make(2, HY_ISA_DEFAULT);
  hy_universe *minutes = panel_open(runtime, &p);
  hy_universe *fives = make(runtime, minutes, "M5", 0);
  hy_universe *direct = make(runtime, minutes, "M15", 0);
  hy_universe *through = make(runtime, fives, "M15", 0);
  for (size_t k = 0; k < 4; k++) {
    hy_universe_info a, b;
    double *x = read_all(direct, panel_fields[k], &a), *y = read_all(through, panel_fields[k], &b);
    assert_int_equal(a.n_bars, b.n_bars);
    assert_true(a.n_bars > 40);
    assert_memory_equal(a.time_ns, b.time_ns, a.n_bars * sizeof(int64_t));
    assert_memory_equal(x, y, a.n_bars * SYMBOLS * sizeof(double));
    free(x);
    free(y);
  }
  hy_universe_destroy(through);
  hy_universe_destroy(direct);
  hy_universe_destroy(fives);
  hy_universe_destroy(minutes);
  hy_runtime_destroy(runtime);
  panel_free(&p);
}

/* A bar that has not ended by the last close is not there, at any cut; and none at all may be. */
static void only_what_has_ended_is_a_bar(void **state) {
  (void)state;
  panel p = panel_make(BARS, SYMBOLS, 40, false);
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_universe *minutes = panel_open(runtime, &p);
  for (size_t end = 1; end < 80; end++) {
    hy_universe *u = make(runtime, minutes, "M15", end);
    hy_universe_info info = {.struct_size = sizeof info};
    hy_universe_describe(u, &info);
    /* the panel's first bar closes at 14:31 */
    size_t ended = (end + 30) / 15 - 2;
    if (info.n_bars != ended) fail_msg("%zu bars of %zu minutes", info.n_bars, end);
    if (ended) assert_true(info.time_ns[ended - 1] <= p.time_ns[end - 1]);
    hy_universe_destroy(u);
  }
  hy_universe_destroy(minutes);
  hy_runtime_destroy(runtime);
  panel_free(&p);
}

static void calls_of_any_length_fold_alike(void **state) {
  (void)state;
  enum { ROWS = 37 };
  double cells[ROWS * HY_LANES], volume[ROWS * HY_LANES];
  hy__random r;
  hy__random_init(&r, 3, 0);
  for (size_t i = 0; i < ROWS * HY_LANES; i++) {
    cells[i] = hy__random_below(&r, 9) ? hy__random_normal(&r) : (double)NAN;
    volume[i] = hy__random_below(&r, 9) ? hy__random_uniform(&r) : (double)NAN;
    if (i % HY_LANES == 5) cells[i] = (double)NAN;
  }
  for (int how = HY__FOLD_FIRST; how <= HY__FOLD_VWAP; how++) {
    double whole[HY_LANES], parts[HY_LANES];
    hy__fold_state s;
    hy__fold_begin(&s);
    hy__fold_rows((hy__fold)how, cells, volume, ROWS, &s);
    hy__fold_end((hy__fold)how, &s, whole);
    hy__fold_begin(&s);
    for (size_t t = 0; t < ROWS; t++)
      hy__fold_rows((hy__fold)how, cells + t * HY_LANES, volume + t * HY_LANES, 1, &s);
    hy__fold_end((hy__fold)how, &s, parts);
    assert_memory_equal(whole, parts, sizeof whole);
    for (size_t k = 0; k < HY_LANES; k++) assert_int_equal(whole[k] != whole[k], k == 5);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quarters_of_minutes_are_quarters_of_fives),
      cmocka_unit_test(only_what_has_ended_is_a_bar),
      cmocka_unit_test(calls_of_any_length_fold_alike),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
