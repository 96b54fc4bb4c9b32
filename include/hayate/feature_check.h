/* SPDX-License-Identifier: Apache-2.0 */
/* What a spec's features can be trusted with, on the user's own data: each check runs the program
 * in more than one way and says which feature, symbol and bar differs. */
#ifndef HAYATE_FEATURE_CHECK_H
#define HAYATE_FEATURE_CHECK_H

#include <hayate/feature.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hy_check_kind {
  /* At random bars the future is cut off, then spoiled: no earlier value may change a bit. */
  HY_CHECK_LOOKAHEAD = 1,
  /* The history begins 1, 37, 101, 333 .. bars later: how many bars until the values are the same,
   * and whether the spec's stable bars hold. */
  HY_CHECK_RECURSIVE = 2,
  /* How much is missing, and why. */
  HY_CHECK_COVERAGE = 3,
  /* What each feature costs. */
  HY_CHECK_BENCH = 4,
  /* A stream fed with the same bars gives batch's bits, peeks change nothing, and a stream restored
   * from a snapshot goes on with them. */
  HY_CHECK_PARITY = 5
} hy_check_kind;

typedef struct hy_features_check_options {
  size_t struct_size;
  uint64_t seed;      /* LOOKAHEAD, PARITY; 0: 7 */
  size_t n_points;    /* LOOKAHEAD, PARITY: bars that are tried; 0: 4 */
  double tol;         /* RECURSIVE: of a feature's largest magnitude; 0: 1e-6 */
  size_t warmup_bars; /* RECURSIVE: the history that there will be; 0: not asked */
  double
      max_missing; /* COVERAGE: the largest share that may be missing for no known cause; 0: any */
  hy_progress_fn progress;
  void *progress_ctx;
} hy_features_check_options;

/* A report; immutable. */
typedef struct hy_features_check hy_features_check;

/* options may be NULL. A check that finds something is HY_OK with a report that has not passed.
 * Errors as in hy_features_compute, LIMIT, CANCELLED. */
HY_API HY_CHECKED hy_status hy_features_check_run(const hy_features *features,
                                                  const hy_universe *universe, hy_check_kind kind,
                                                  const hy_features_check_options *options,
                                                  hy_features_check **out, hy_error *err);
HY_API void hy_features_check_destroy(hy_features_check *check);
HY_API bool hy_features_check_passed(const hy_features_check *check);
/* A table for people, or one JSON object. */
HY_API HY_CHECKED hy_status hy_features_check_write(const hy_features_check *check, bool json,
                                                    const hy_sink *sink, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
