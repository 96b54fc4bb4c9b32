/* SPDX-License-Identifier: Apache-2.0
 * A run takes no memory: everything is laid out when it is made, and blocks use a worker's
 * workspace. Nor do a stream and a gate after their start. */
#include "feature/panel.h"
#include "support/allocation_counter.h"

#include <hayate/feature_gate.h>

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

typedef struct live {
  panel p;
  hy_runtime *runtime;
  hy_features *f;
  hy_feature_stream *s;
  double *values;
  int failed;
} live;

static live live_make(void) {
  live l = {.p = panel_make(BARS, SYMBOLS, 30, true), .runtime = runtime_make(1, HY_ISA_DEFAULT)};
  l.f = features_make(l.runtime, "r = rsi(close,14); cs.rank(r); tod_sin(); highest(high, 70); "
                                 "macd(close).signal; sma(close@M5, 3)");
  l.s = panel_stream(l.f, &l.p);
  l.values = panel_alloc((size_t)SYMBOLS * 6, 8);
  return l;
}

static void live_free(live *l) {
  hy_feature_stream_destroy(l->s);
  hy_features_destroy(l->f);
  hy_runtime_destroy(l->runtime);
  panel_free(&l->p);
  free(l->values);
}

static void streams_take_no_memory(void **state) {
  (void)state;
  if (!allocation_counter_works) skip();
  live l = live_make();
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy_feature_stream_describe(l.s, &info);
  uint8_t *shot = panel_alloc(info.snapshot_bytes, 1);
  const size_t before = allocation_count();
  for (size_t t = 0; t < BARS; t++) {
    const double *fields[PANEL_FIELDS];
    for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = l.p.data[k] + t * SYMBOLS;
    const hy_bar_row row = {sizeof row, l.p.time_ns[t], fields, l.p.valid + t * SYMBOLS};
    l.failed |= hy_feature_stream_peek(l.s, &row, l.values, NULL, NULL) != HY_OK;
    l.failed |= hy_feature_stream_update(l.s, &row, l.values, NULL, NULL) != HY_OK;
    l.failed |= hy_feature_stream_advance(l.s, l.p.time_ns[t] + 1, NULL) != HY_OK;
    l.failed |= hy_feature_stream_snapshot(l.s, shot, info.snapshot_bytes, NULL) != HY_OK;
    l.failed |= hy_feature_stream_restore(l.s, shot, info.snapshot_bytes, NULL) != HY_OK;
  }
  assert_int_equal(allocation_count(), before);
  assert_int_equal(l.failed, 0);
  free(shot);
  live_free(&l);
}

static size_t take_rows(live *l, hy_feature_gate *g) {
  hy_gate_row row = {.struct_size = sizeof row};
  bool has = true;
  size_t n = 0;
  while (has && !l->failed) {
    l->failed |= hy_feature_gate_next(g, &row, &has, NULL) != HY_OK;
    n += has;
  }
  return n;
}

static void push(live *l, hy_feature_gate *g, size_t t, size_t s) {
  double fields[PANEL_FIELDS];
  for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = l->p.data[k][t * SYMBOLS + s];
  l->failed |= hy_feature_gate_push(g, s, l->p.time_ns[t], fields, NULL) != HY_OK;
}

static void gates_take_no_memory(void **state) {
  (void)state;
  if (!allocation_counter_works) skip();
  live l = live_make();
  hy_feature_gate *g;
  hy_error err;
  const hy_feature_gate_options o = {
      .struct_size = sizeof o, .late = HY_LATE_REPLAY, .n_kept = 16, .checkpoint_rows = 5};
  if (hy_feature_gate_create(l.s, &o, &g, &err) != HY_OK) fail_msg("%s", err.message);
  const size_t before = allocation_count();
  size_t n = 0;
  for (size_t t = 0; t < BARS; t++) {
    for (size_t s = t % 9 == 0; s < SYMBOLS; s++) push(&l, g, t, s);
    l.failed |= hy_feature_gate_advance(g, l.p.time_ns[t], NULL) != HY_OK;
    l.failed |= hy_feature_gate_close(g, l.p.time_ns[t], NULL) != HY_OK;
    n += take_rows(&l, g);
    if (t % 9 == 3) push(&l, g, t - 3, 0); /* late by three rows */
  }
  n += take_rows(&l, g);
  assert_int_equal(allocation_count(), before);
  assert_int_equal(l.failed, 0);
  assert_true(n > BARS + BARS / 9 * 4 - 9);
  hy_feature_gate_destroy(g);
  live_free(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_take_no_memory),
                                     cmocka_unit_test(streams_take_no_memory),
                                     cmocka_unit_test(gates_take_no_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
