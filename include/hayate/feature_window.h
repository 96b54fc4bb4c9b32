/* SPDX-License-Identifier: Apache-2.0 */
/* Windows of several timeframes: for each symbol the last bars of each, with the features that are
 * computed there, as sequence models take them. */
#ifndef HAYATE_FEATURE_WINDOW_H
#define HAYATE_FEATURE_WINDOW_H

#include <hayate/feature.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The features that a spec computes at a timeframe ("H1"; NULL or "" is the universe's own): their
 * number, and where `indices` is not NULL their places in hy_features_info.names, ascending. 0:
 * there are none. */
HY_API size_t hy_features_at(const hy_features *features, const char *timeframe, uint32_t *indices);

typedef struct hy_features_window {
  const char *timeframe; /* each at most once */
  size_t n_bars;
} hy_features_window;

typedef struct hy_features_windows_options {
  size_t struct_size;
  const hy_features_window *windows;
  size_t n_windows;
  size_t t_begin, t_end; /* rows of the universe, each of which has its windows; t_end 0: the last
                            row alone */
  hy_dtype dtype;        /* HY_F32 (also 0), rounded once, or HY_F64 */
} hy_features_windows_options;

/* out[w]: [t_end - t_begin, n_symbols, n_bars of w, features at w's timeframe] row-major; the last
 * bar is the newest that has ended by the row's close, NaN where there is none or no value. Under
 * gap: none (and reset) a window holds the symbol's own bars, else those of the axis. Errors:
 * INVALID_ARGUMENT, NOT_FOUND (a timeframe without features), MISMATCH, LIMIT, OUT_OF_MEMORY, those
 * of hy_features_compute. */
HY_API HY_CHECKED hy_status hy_features_windows(const hy_features *features,
                                                const hy_universe *universe,
                                                const hy_features_windows_options *options,
                                                void *const *out, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
