/* SPDX-License-Identifier: Apache-2.0
 * Bars of trades over a restart: random trades, pushed all at once, one by one, and with ticks made
 * anew and restored before random trades, give the same bytes; snapshots that are cut, changed or
 * of other bars are refused. What the bars hold is tested against its definition in tests/python.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hayate/tick.h>

#include "base/base.h"

enum { TRADES = 600, SYMBOLS = 3, ROUNDS = 40, ROOM = 4096 };

typedef struct made {
  hy_tick_bar bars[TRADES + SYMBOLS];
  size_t n;
  uint8_t shot[ROOM]; /* at the end */
} made;

typedef struct bars_case {
  const char *bars, *zone, *calendar;
  hy_remainder remainder;
} bars_case;

static const bars_case cases[] = {
    {"tick:7", NULL, NULL, HY_REMAINDER_WHOLE},
    {"volume:2.5", NULL, NULL, HY_REMAINDER_WHOLE},
    {"volume:0.7", NULL, NULL, HY_REMAINDER_CARRY},
    {"dollar:199.9", NULL, NULL, HY_REMAINDER_CARRY},
    {"time:1m", NULL, NULL, HY_REMAINDER_WHOLE},
    {"time:5m", NULL, NULL, HY_REMAINDER_CARRY},
    {"time:1d", "Asia/Tokyo", "XNYS", HY_REMAINDER_WHOLE},
};

static hy_ticks *make(hy_runtime *runtime, const bars_case *c) {
  hy_ticks *t;
  hy_error err;
  const hy_ticks_options o = {.struct_size = sizeof o,
                              .n_symbols = SYMBOLS,
                              .bars = c->bars,
                              .remainder = c->remainder,
                              .zone = c->zone,
                              .calendar = c->calendar};
  if (hy_ticks_create(runtime, &o, &t, &err) != HY_OK) fail_msg("%s", err.message);
  return t;
}

static size_t snapshot_bytes(const hy_ticks *t) {
  hy_ticks_info info = {.struct_size = sizeof info};
  hy_ticks_describe(t, &info);
  assert_true(info.snapshot_bytes <= ROOM);
  return info.snapshot_bytes;
}

static size_t snapshot(const hy_ticks *t, uint8_t shot[ROOM]) {
  const size_t bytes = snapshot_bytes(t);
  assert_int_equal(hy_ticks_snapshot(t, shot, bytes, NULL), HY_OK);
  return bytes;
}

/* Sizes of tenths, some zero; times that stand still, move by minutes, or by hours. */
static void draw(hy__random *r, hy_trade trades[TRADES]) {
  int64_t now_ns = INT64_C(1709856000000000000);
  for (size_t k = 0; k < TRADES; k++) {
    const uint64_t step = hy__random_below(r, 4);
    if (step == 3) now_ns += (int64_t)hy__random_below(r, 40) * INT64_C(1000000000) * 60;
    if (step == 2) now_ns += (int64_t)hy__random_below(r, 90) * INT64_C(1000000000);
    trades[k] = (hy_trade){.time_ns = now_ns,
                           .price = 100 + 0.01 * (double)hy__random_below(r, 500),
                           .size = 0.1 * (double)hy__random_below(r, 12),
                           .symbol = (uint32_t)hy__random_below(r, SYMBOLS),
                           .flags = hy__random_below(r, 20) == 0};
  }
}

/* In calls of 1 to `most` trades; before each, with restart, new ticks from a snapshot. */
static void run(hy_runtime *runtime, const bars_case *c, const hy_trade *trades, size_t most,
                hy__random *restart, made *out) {
  hy_ticks *t = make(runtime, c);
  size_t n;
  memset(out, 0, sizeof *out);
  for (size_t at = 0; at < TRADES;) {
    const size_t left = TRADES - at, part = restart ? 1 + hy__random_below(restart, most) : most;
    if (restart) {
      const size_t bytes = snapshot(t, out->shot);
      hy_ticks_destroy(t);
      t = make(runtime, c);
      assert_int_equal(hy_ticks_restore(t, out->shot, bytes, NULL), HY_OK);
    }
    const size_t n_now = HY_MIN(part, left);
    assert_int_equal(hy_ticks_push(t, trades + at, n_now, out->bars + out->n, &n, NULL), HY_OK);
    at += n_now;
    out->n += n;
  }
  const int64_t end_ns = trades[TRADES - 1].time_ns;
  assert_int_equal(hy_ticks_close(t, end_ns, out->bars + out->n, &n, NULL), HY_OK);
  out->n += n;
  snapshot(t, out->shot);
  hy_ticks_destroy(t);
}

static hy_runtime *new_runtime(void) {
  hy_runtime *runtime;
  const hy_runtime_options o = {.struct_size = sizeof o, .n_threads = 1, .no_pinning = true};
  assert_int_equal(hy_runtime_create(&o, &runtime, NULL), HY_OK);
  return runtime;
}

static void restored_anywhere(void **state) {
  (void)state;
  static made whole, single, restored;
  static hy_trade trades[TRADES];
  hy_runtime *runtime = new_runtime();
  for (uint64_t round = 0; round < ROUNDS; round++) {
    const bars_case *c = &cases[round % HY_COUNT(cases)];
    hy__random r;
    hy__random_init(&r, round, 0);
    draw(&r, trades);
    run(runtime, c, trades, TRADES, NULL, &whole);
    run(runtime, c, trades, 1, NULL, &single);
    run(runtime, c, trades, 1 + round % 9, &r, &restored);
    assert_true(whole.n > 0);
    assert_memory_equal(&single, &whole, sizeof whole);
    assert_memory_equal(&restored, &whole, sizeof whole);
  }
  hy_runtime_destroy(runtime);
}

static hy_status restore_changed(hy_ticks *t, uint8_t *shot, size_t bytes, size_t at,
                                 uint8_t flip) {
  shot[at] ^= flip;
  const hy_status status = hy_ticks_restore(t, shot, bytes, NULL);
  shot[at] ^= flip;
  return status;
}

/* Every bit but the checksum's own is behind the checksum; the ticks stay as they were. */
static void changed_and_cut(void **state) {
  (void)state;
  static hy_trade trades[TRADES];
  static hy_tick_bar bars[TRADES];
  uint8_t shot[ROOM], after[ROOM];
  size_t n;
  hy_error err;
  hy_runtime *runtime = new_runtime();
  hy__random r;
  hy__random_init(&r, 1, 0);
  hy_ticks *t = make(runtime, &cases[2]);
  draw(&r, trades);
  assert_int_equal(hy_ticks_push(t, trades, TRADES, bars, &n, NULL), HY_OK);
  const size_t bytes = snapshot(t, shot);
  for (size_t at = 0; at < bytes; at++)
    for (int bit = 0; bit < 8; bit++)
      assert_int_equal(restore_changed(t, shot, bytes, at, (uint8_t)(1 << bit)), HY_BAD_FORMAT);
  for (size_t cut = 0; cut < bytes; cut++)
    assert_int_equal(hy_ticks_restore(t, shot, cut, NULL), HY_BAD_FORMAT);
  assert_int_equal(hy_ticks_restore(t, shot, bytes + 1, NULL), HY_BAD_FORMAT);
  assert_int_equal(hy_ticks_snapshot(t, after, bytes - 1, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(snapshot(t, after), bytes);
  assert_memory_equal(after, shot, bytes);
  hy_ticks_destroy(t);
  hy_runtime_destroy(runtime);
}

/* A trade of more thresholds than a sum has places for: nothing is left, and bars go on. */
static void vast_trade(void **state) {
  (void)state;
  static const char *const rules[] = {"volume:1e-30", "dollar:3e-30", "volume:0.3", "tick:1"};
  const hy_trade trades[] = {{1, 1e100, 1e100, 0, 0}, {2, 3, 1e100, 0, 0}, {3, 7, 1e-31, 0, 0}};
  hy_runtime *runtime = new_runtime();
  for (size_t k = 0; k < HY_COUNT(rules); k++) {
    const bars_case c = {rules[k], NULL, NULL, HY_REMAINDER_CARRY};
    hy_tick_bar bars[HY_COUNT(trades)];
    uint8_t shot[ROOM];
    size_t n;
    hy_ticks *t = make(runtime, &c);
    assert_int_equal(hy_ticks_push(t, trades, HY_COUNT(trades), bars, &n, NULL), HY_OK);
    assert_true(n >= 2 && bars[1].n_trades == 1);
    const size_t bytes = snapshot(t, shot);
    assert_int_equal(hy_ticks_restore(t, shot, bytes, NULL), HY_OK);
    hy_ticks_destroy(t);
  }
  hy_runtime_destroy(runtime);
}

static void of_others(void **state) {
  (void)state;
  uint8_t shot[ROOM];
  hy_error err;
  hy_runtime *runtime = new_runtime();
  for (size_t a = 0; a < HY_COUNT(cases); a++) {
    hy_ticks *from = make(runtime, &cases[a]);
    const size_t bytes = snapshot(from, shot);
    for (size_t b = 0; b < HY_COUNT(cases); b++) {
      hy_ticks *to = make(runtime, &cases[b]);
      assert_int_equal(hy_ticks_restore(to, shot, bytes, &err), a == b ? HY_OK : HY_MISMATCH);
      if (a != b) assert_non_null(strstr(err.message, cases[a].bars));
      hy_ticks_destroy(to);
    }
    hy_ticks_destroy(from);
  }
  hy_runtime_destroy(runtime);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(restored_anywhere),
      cmocka_unit_test(changed_and_cut),
      cmocka_unit_test(vast_trade),
      cmocka_unit_test(of_others),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
