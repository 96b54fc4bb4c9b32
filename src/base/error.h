/* SPDX-License-Identifier: Apache-2.0
 * Filling hy_error, and the three macros that carry a status upwards. */
#ifndef HY_BASE_ERROR_H
#define HY_BASE_ERROR_H

#include <assert.h>

#include <hayate/status.h>

/* Sets status and message and clears the place; returns status. err may be NULL. */
hy_status hy__error_set(hy_error *err, hy_status status, const char *format, ...) HY_PRINTF(3, 4);
/* Adds the place to an error already set; a part that is already there stays (innermost wins). */
void hy__error_subject(hy_error *err, const char *subject);
void hy__error_place(hy_error *err, int64_t line, int64_t column, int64_t offset_bytes);
/* Puts "text: " before the message, for context that the subject cannot carry. */
void hy__error_prefix(hy_error *err, const char *format, ...) HY_PRINTF(2, 3);

#define HY_TRY(expression)                                                                         \
  do {                                                                                             \
    hy_status hy_try_status_ = (expression);                                                       \
    if (hy_try_status_ != HY_OK) return hy_try_status_;                                            \
  } while (0)

/* The status is named again after the call, so that the compiler knows which one is returned. */
#define HY_FAIL(status, err, ...) return (hy__error_set((err), (status), __VA_ARGS__), (status))

#define HY_FAIL_IF(condition, status, err, ...)                                                    \
  do {                                                                                             \
    if (condition) HY_FAIL(status, err, __VA_ARGS__);                                              \
  } while (0)

/* An invariant of our own code, never of input. On with HY_ASSERTIONS (debug, tests, fuzzers). */
#ifdef HY_ASSERTIONS
#define HY_ASSERT(condition) assert(condition)
#else
#define HY_ASSERT(condition) ((void)0)
#endif

#define HY_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HY_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define HY_MAX(a, b)    ((a) > (b) ? (a) : (b))

#endif
