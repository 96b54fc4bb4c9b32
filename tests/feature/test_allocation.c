/* SPDX-License-Identifier: Apache-2.0
 * A run takes no memory: everything is laid out when it is made, and blocks use a worker's
 * workspace. */
#include "feature/panel.h"
#include "support/allocation_counter.h"

enum { BARS = 300, SYMBOLS = 20 };

static void runs_take_no_memory(void **state) {
  (void)state;
  if (!allocation_counter_works) skip();
  panel p = panel_make(BARS, SYMBOLS, 30, true);
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(
      runtime, "r = rsi(close,14); cs.rank(r); tod_sin(); highest(high, 70); macd(close).signal");
  hy_universe *u = panel_open(runtime, &p);
  hy__feature_run *run;
  hy__feature_range range = {.t_begin = BARS - 9, .t_end = BARS};
  assert_int_equal(hy__feature_run_create(f, u, range, &run, NULL), HY_OK);
  size_t bytes = (hy__feature_run_workspace_bytes(run) + 63) / 64 * 64;
  void *workspace = aligned_alloc(64, bytes);
  double *out = panel_alloc((size_t)HY_LANES * 9 * 5, sizeof *out);
  uint32_t n_bars[HY_LANES], stages = hy__feature_run_n_stages(run);
  int64_t time_ns[2] = {0, 0};
  size_t before = allocation_count();
  int failed = 0;
  for (int again = 0; again < 20; again++)
    for (uint32_t s = 0; s < stages; s++) {
      for (size_t b = 0; b < hy__feature_run_n_blocks(run); b++)
        failed |= hy__feature_run_block(run, s, b, workspace, s + 1 == stages ? out : NULL, n_bars,
                                        time_ns, NULL) != HY_OK;
      size_t rows = hy__feature_run_cross_rows(run, s);
      failed |= hy__feature_run_cross(run, s, 0, rows, workspace, NULL) != HY_OK;
    }
  assert_int_equal(allocation_count(), before);
  assert_int_equal(failed, 0);
  hy__feature_run_destroy(run);
  hy_universe_destroy(u);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
  free(out);
  free(workspace);
  panel_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_take_no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
