/* SPDX-License-Identifier: Apache-2.0
 * Universes: generated files, arrays, blocks, masks; what every reader of blocks may rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "market/market.h"

static hy_runtime *runtime_with(uint32_t n_threads) {
  hy_runtime *runtime;
  hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = n_threads, .no_pinning = true};
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  return runtime;
}

static void temporary(char path[64], const char *name) {
  (void)snprintf(path, 64, "/tmp/hayate_%d_%s.h5", (int)getpid(), name);
}

static void generate(hy_runtime *runtime, const char *path, size_t n_symbols, size_t n_bars) {
  hy_generate_options options = {.struct_size = sizeof options,
                                 .n_symbols = n_symbols,
                                 .n_bars = n_bars,
                                 .output = path,
                                 .seed = 3};
  hy_error err;
  if (hy_universe_generate(runtime, &options, &err) != HY_OK) fail_msg("%s", err.message);
}

static void generated_bytes_do_not_depend_on_threads(void **state) {
  (void)state;
  char path[2][64];
  hy__map map[2];
  for (uint32_t k = 0; k < 2; k++) {
    temporary(path[k], k ? "two" : "one");
    hy_runtime *runtime = runtime_with(k ? 3 : 1);
    generate(runtime, path[k], 45, 333);
    hy_runtime_destroy(runtime);
    assert_int_equal(hy__map_open(path[k], &map[k], NULL), HY_OK);
  }
  assert_int_equal(map[0].bytes, map[1].bytes);
  assert_memory_equal(map[0].data, map[1].data, map[0].bytes);
  for (int k = 0; k < 2; k++) {
    hy__map_close(&map[k]);
    unlink(path[k]);
  }
}

static void check_bar(const double *bar[5], size_t at, uint8_t present, size_t lane) {
  const double open = bar[0][at], high = bar[1][at], low = bar[2][at], close = bar[3][at];
  assert_int_equal(!isnan(close), present >> lane & 1);
  if (isnan(close)) return;
  assert_true(high >= open && high >= close && low <= open && low <= close && low > 0);
  assert_true(bar[4][at] >= 1);
}

/* 45 symbols: the last block has three absent lanes. 20000 bars: three tiles in time. */
static void blocks_lie_in_the_file(void **state) {
  (void)state;
  char path[64];
  temporary(path, "blocks");
  hy_runtime *runtime = runtime_with(2);
  generate(runtime, path, 45, 20000);
  hy_universe *u;
  hy_universe_info info = {.struct_size = sizeof info};
  assert_int_equal(hy_universe_open(runtime, path, &u, NULL), HY_OK);
  hy_universe_describe(u, &info);
  assert_int_equal(info.n_bars, 20000);
  assert_int_equal(info.n_symbols, 45);
  assert_string_equal(info.fields[3], "close");
  assert_int_equal(hy__universe_field(u, "c"), 3);
  assert_int_equal(hy__universe_field(u, "turnover"), -1);
  assert_int_equal(info.timeframe_ns, INT64_C(60000000000));
  double *scratch = calloc(5 * 20000 * HY_LANES, sizeof(double));
  uint8_t *mask = calloc(20000, 1);
  for (size_t block = 0; block < 6; block++) {
    const double *bar[5];
    bool all;
    for (int32_t f = 0; f < 5; f++) {
      assert_int_equal(
          hy__universe_block(u, f, block, 7, 19999, scratch + (size_t)f * 160000, &bar[f], NULL),
          HY_OK);
      assert_ptr_not_equal(bar[f], scratch + (size_t)f * 160000);
    }
    assert_int_equal(hy__universe_present(u, block, 7, 19999, mask, &all, NULL), HY_OK);
    for (size_t at = 0; at < (19999 - 7) * HY_LANES; at++)
      check_bar(bar, at, mask[at / HY_LANES], at % HY_LANES);
  }
  free(scratch), free(mask);
  hy_universe_destroy(u);
  hy_runtime_destroy(runtime);
  unlink(path);
}

enum { T = 11, S = 10 };

static void fill(double data[2][T * S], uint8_t valid[T * S], int64_t time_ns[T]) {
  for (size_t k = 0; k < T * S; k++) {
    data[0][k] = (double)k;
    data[1][k] = -(double)k;
    valid[k] = k % 7 != 0;
  }
  data[0][9] = (double)INFINITY;
  data[1][12] = (double)NAN;
  for (int t = 0; t < T; t++) time_ns[t] = 1000 + t;
}

static const char *const symbols[S] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
static const char *const fields[2] = {"close", "spread"};

static hy_status from_panel(hy_runtime *runtime, hy_universe **u, const double *data[2],
                            const uint8_t *valid, const int64_t *time_ns, hy_error *err) {
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = T,
                    .n_symbols = S,
                    .n_fields = 2,
                    .time_ns = time_ns,
                    .symbols = symbols,
                    .fields = fields,
                    .data = data,
                    .valid = valid};
  return hy_universe_from_panel(runtime, &panel, u, err);
}

static void arrays_read_like_files(void **state) {
  (void)state;
  static double data[2][T * S];
  static uint8_t valid[T * S];
  int64_t time_ns[T];
  fill(data, valid, time_ns);
  const double *planes[2] = {data[0], data[1]};
  hy_runtime *runtime = runtime_with(1);
  hy_universe *u;
  assert_int_equal(from_panel(runtime, &u, planes, valid, time_ns, NULL), HY_OK);
  double scratch[T * HY_LANES], out[T * S];
  uint8_t mask[T];
  const double *cells;
  bool all;
  for (size_t block = 0; block < 2; block++) {
    assert_int_equal(hy__universe_block(u, 0, block, 1, T, scratch, &cells, NULL), HY_OK);
    assert_int_equal(hy__universe_present(u, block, 1, T, mask, &all, NULL), HY_OK);
    assert_false(all);
    for (size_t t = 1; t < T; t++)
      for (size_t lane = 0; lane < HY_LANES; lane++) {
        const size_t symbol = block * HY_LANES + lane, k = t * S + symbol;
        const double value = cells[(t - 1) * HY_LANES + lane];
        const bool there = symbol < S && valid[k];
        assert_int_equal(mask[t - 1] >> lane & 1, there);
        if (there)
          assert_true(value == data[0][k]);
        else
          assert_true(isnan(value));
      }
  }
  assert_int_equal(hy_universe_read(u, "spread", 0, T, out, NULL), HY_OK);
  for (size_t k = 0; k < T * S; k++)
    assert_true(k == 12 || !valid[k] ? isnan(out[k]) : out[k] == data[1][k]);
  assert_int_equal(hy_universe_read(u, "close", 0, T, out, NULL), HY_OK);
  assert_true(isnan(out[9])); /* an infinity is missing */
  assert_int_equal(hy_universe_read(u, "high", 0, T, out, NULL), HY_NOT_FOUND);
  assert_int_equal(hy_universe_read(u, "close", 3, T + 1, out, NULL), HY_INVALID_ARGUMENT);
  hy_universe_destroy(u);
  assert_int_equal(from_panel(runtime, &u, planes, NULL, time_ns, NULL), HY_OK);
  assert_int_equal(hy__universe_present(u, 1, 0, T, mask, &all, NULL), HY_OK);
  assert_true(all && mask[0] == 3);
  hy_universe_destroy(u);
  hy_runtime_destroy(runtime);
}

/* Whether a spec asks for them or not. */
static void names_that_say_nothing_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *timeframe, *zone, *calendar, *message;
  } bad[] = {{"banana", NULL, NULL, "\"banana\" is no timeframe: expected"},
             {"0m", NULL, NULL, "is no timeframe"},
             {"1m", "Mars/Base", NULL, "\"Mars/Base\" is no zone of"},
             {"1m", "../etc", NULL, "\"../etc\" is no zone: expected a name such as"},
             {"1m", "America", NULL, "\"America\" is no zone of"},
             {"1m", "UTC", "XXXX", "\"XXXX\" is no calendar: expected one of"}};
  static const struct {
    const char *timeframe, *zone, *calendar;
  } good[] = {{NULL, NULL, NULL},
              {"", "", ""},
              {"1mo", "UTC-05:30", "24x7"},
              {"D1", "America/New_York", "XNYS"}};
  const double cell = 1, *const data[1] = {&cell};
  const int64_t time_ns = 0;
  hy_panel panel = {.struct_size = sizeof panel,
                    .n_bars = 1,
                    .n_symbols = 1,
                    .n_fields = 1,
                    .time_ns = &time_ns,
                    .symbols = symbols,
                    .fields = fields,
                    .data = data};
  hy_runtime *runtime = runtime_with(1);
  hy_universe *u = NULL;
  hy_error err;
  for (size_t i = 0; i < HY_COUNT(bad); i++) {
    panel.timeframe = bad[i].timeframe, panel.zone = bad[i].zone;
    panel.calendar = bad[i].calendar;
    assert_int_not_equal(hy_universe_from_panel(runtime, &panel, &u, &err), HY_OK);
    if (!strstr(err.message, bad[i].message)) fail_msg("%s: %s", bad[i].message, err.message);
    assert_null(u);
  }
  for (size_t i = 0; i < HY_COUNT(good); i++) {
    panel.timeframe = good[i].timeframe, panel.zone = good[i].zone;
    panel.calendar = good[i].calendar;
    if (hy_universe_from_panel(runtime, &panel, &u, &err) != HY_OK) fail_msg("%s", err.message);
    hy_universe_destroy(u);
  }
  hy_runtime_destroy(runtime);
}

static void bad_arrays_are_refused(void **state) {
  (void)state;
  static double data[2][T * S];
  static uint8_t valid[T * S];
  int64_t time_ns[T];
  fill(data, valid, time_ns);
  const double *planes[2] = {data[0], NULL};
  hy_runtime *runtime = runtime_with(1);
  hy_universe *u = NULL;
  hy_error err;
  assert_int_equal(from_panel(runtime, &u, planes, valid, time_ns, &err), HY_INVALID_ARGUMENT);
  planes[1] = data[1];
  time_ns[5] = time_ns[4];
  assert_int_equal(from_panel(runtime, &u, planes, valid, time_ns, &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "time[5] = 1004 is not after time[4] = 1004"));
  assert_null(u);
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(generated_bytes_do_not_depend_on_threads),
      cmocka_unit_test(blocks_lie_in_the_file),
      cmocka_unit_test(arrays_read_like_files),
      cmocka_unit_test(bad_arrays_are_refused),
      cmocka_unit_test(names_that_say_nothing_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
