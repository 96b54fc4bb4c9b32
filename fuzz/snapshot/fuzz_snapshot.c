/* SPDX-License-Identifier: Apache-2.0
 * Any bytes as the snapshot of a stream, and of bars of trades, as they are and with a checksum
 * that fits: refused, or what they are of goes on. */
#include <stdio.h>
#include <stdlib.h>

#include <hayate/feature_stream.h>
#include <hayate/tick.h>

#include "base/base.h"

enum { SYMBOLS = 10, FEATURES = 6, SIZE_MOST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char spec[] = "rsi.mid(close, 3); quantile(high, 4, 0.3); atr.sma(3); adxr(2); "
                           "cs.rank(mom(close, 2)); sma(volume, 3)";

static hy_feature_stream *stream_of(const hy_features *f) {
  static const char *const symbols[SYMBOLS] = {"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"};
  const hy_feature_stream_options o = {
      .struct_size = sizeof o, .n_symbols = SYMBOLS, .symbols = symbols, .timeframe = "1m"};
  hy_feature_stream *s = NULL;
  return hy_feature_stream_create(f, &o, &s, NULL) == HY_OK ? s : NULL;
}

static void step(hy_feature_stream *s, int64_t time_ns) {
  static double price[SYMBOLS], values[SYMBOLS * FEATURES];
  const double *fields[5];
  for (size_t k = 0; k < SYMBOLS; k++) price[k] = (double)(k + 1);
  for (size_t k = 0; k < 5; k++) fields[k] = price;
  const hy_bar_row row = {.struct_size = sizeof row, .time_ns = time_ns, .fields = fields};
  (void)!hy_feature_stream_update(s, &row, values, NULL, NULL);
}

static void try_bytes(hy_feature_stream *s, const uint8_t *data, size_t size) {
  hy_feature_stream_info info = {.struct_size = sizeof info};
  if (hy_feature_stream_restore(s, data, size, NULL) != HY_OK) return;
  hy_feature_stream_describe(s, &info);
  step(s, info.time_ns < INT64_MAX ? info.time_ns + 1 : 0);
  uint8_t *again = malloc(info.snapshot_bytes);
  if (again && hy_feature_stream_snapshot(s, again, info.snapshot_bytes, NULL) != HY_OK)
    __builtin_trap();
  free(again);
}

static void try_ticks(hy_ticks *t, const uint8_t *data, size_t size) {
  const hy_trade trades[] = {{INT64_C(8999999999000000000), 3, 2, 0, 0},
                             {INT64_C(9000000000000000000), 1e100, 1e100, 1, 0},
                             {INT64_C(9000000000000000000), 2.5, 7, 1, 0}};
  hy_tick_bar bars[HY_COUNT(trades)];
  hy_ticks_info info = {.struct_size = sizeof info};
  size_t n;
  if (hy_ticks_restore(t, data, size, NULL) != HY_OK) return;
  (void)!hy_ticks_push(t, trades, HY_COUNT(trades), bars, &n, NULL);
  (void)!hy_ticks_close(t, INT64_MAX, bars, &n, NULL);
  hy_ticks_describe(t, &info);
  uint8_t *again = malloc(info.snapshot_bytes);
  if (again && hy_ticks_snapshot(t, again, info.snapshot_bytes, NULL) != HY_OK) __builtin_trap();
  /* what was written is read */
  if (again && hy_ticks_restore(t, again, info.snapshot_bytes, NULL) != HY_OK) __builtin_trap();
  free(again);
}

static void try_all_ticks(hy_runtime *runtime, const uint8_t *data, size_t size) {
  static const char *const rules[] = {"tick:3", "volume:5", "dollar:50", "time:1m"};
  for (size_t k = 0; k < HY_COUNT(rules); k++) {
    const hy_ticks_options o = {.struct_size = sizeof o,
                                .n_symbols = 2,
                                .bars = rules[k],
                                .remainder = k & 1 ? HY_REMAINDER_CARRY : HY_REMAINDER_WHOLE};
    hy_ticks *t;
    if (hy_ticks_create(runtime, &o, &t, NULL) != HY_OK) continue;
    try_ticks(t, data, size);
    hy_ticks_destroy(t);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const hy_runtime_options o = {.struct_size = sizeof o, .n_threads = 1, .no_pinning = true};
  hy_runtime *runtime;
  hy_features *f;
  if (size > SIZE_MOST || hy_runtime_create(&o, &runtime, NULL) != HY_OK) return 0;
  if (hy_features_create(runtime, spec, &f, NULL) == HY_OK) {
    hy_feature_stream *s = stream_of(f);
    uint8_t *copy = malloc(size + 1);
    if (s && copy) {
      try_bytes(s, data, size);
      try_all_ticks(runtime, data, size);
      memcpy(copy, data, size);
      if (size >= 16) {
        const hy__hash128 check = hy__hash(copy, size - 16);
        memcpy(copy + size - 16, &check.low, 8);
        memcpy(copy + size - 8, &check.high, 8);
      }
      try_bytes(s, copy, size);
      try_all_ticks(runtime, copy, size);
    }
    free(copy);
    hy_feature_stream_destroy(s);
    hy_features_destroy(f);
  }
  hy_runtime_destroy(runtime);
  return 0;
}
