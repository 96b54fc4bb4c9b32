/* SPDX-License-Identifier: Apache-2.0 */
/* One series at a time, many times: hy_features_compute_series for callers whose series are short
 * and to whom every argument costs, such as Python's ctypes. */
#ifndef HAYATE_FEATURE_CALL_H
#define HAYATE_FEATURE_CALL_H

#include <hayate/feature.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A program bound to the fields of one series. Immutable; shared by threads. */
typedef struct hy_feature_call hy_feature_call;

/* How a feature is given out. */
typedef enum hy_answer {
  HY_ANSWER_F64,  /* double, NaN where missing */
  HY_ANSWER_ZERO, /* double, but 0 where a value is missing behind the feature's look-back */
  HY_ANSWER_I32,  /* int32_t, 0 where missing or past what it holds */
  HY_ANSWER_ROW   /* int32_t: a place in the window (its oldest bar is 1) as the bar's row, or 0 */
} hy_answer;

typedef struct hy_feature_call_options {
  size_t struct_size;
  const char *const *fields; /* in the order of the arrays */
  size_t n_fields;
  const hy_answer *answers; /* [feature]; NULL: all F64 */
  size_t window_bars;       /* for HY_ANSWER_ROW */
} hy_feature_call_options;

/* `features` must outlive the call; names and answers are read here alone. Errors:
 * INVALID_ARGUMENT, UNSUPPORTED (a spec that asks for times, slower bars or other symbols), LIMIT
 * (more than 32 arrays), NOT_FOUND (a field of the spec is not among them), OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_feature_call_create(const hy_features *features,
                                                   const hy_feature_call_options *options,
                                                   hy_feature_call **out, hy_error *err);
HY_API void hy_feature_call_destroy(hy_feature_call *call);

/* Every feature over one series, in the caller's thread alone. Behind err come pointers: an array
 * of n_bars doubles for each field, then one for each feature, of double or int32_t as its answer
 * says; no array may lie over another. Rows before the first in which all fields have a value are
 * missing, and the series begins behind them; the values are then those of
 * hy_features_compute_series. A run takes one piece of memory and gives it back. Errors:
 * INVALID_ARGUMENT (no call, or an array is NULL), LIMIT, OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_feature_call_run(const hy_feature_call *call, uint32_t n_bars,
                                                hy_error *err, ...);

#ifdef __cplusplus
}
#endif
#endif
