/* SPDX-License-Identifier: Apache-2.0
 * Checks of a program on a universe: what they share. check.c holds the report, check_runs.c runs a
 * program over variants of a universe side by side, each check_<kind>.c compares. */
#ifndef HY_FEATURE_CHECK_H
#define HY_FEATURE_CHECK_H

#include <hayate/feature_check.h>
#include <hayate/feature_stream.h>

#include "feature/feature.h"
#include "feature/program.h"

/* ---- the report ---- */

typedef enum hy__check_unit {
  HY__CHECK_COUNT,
  HY__CHECK_BARS, /* a count; NaN: never */
  HY__CHECK_SHARE,
  HY__CHECK_REAL,
  HY__CHECK_NS,
  HY__CHECK_TIME /* ns UTC; NaN: none */
} hy__check_unit;

/* A column of the table, or a fact about the whole. */
typedef struct hy__check_column {
  const char *key, *title;
  hy__check_unit unit;
} hy__check_column;

enum { HY__CHECK_COLUMNS_MAX = 8, HY__CHECK_FACTS_MAX = 8, HY__CHECK_FINDINGS_MAX = 20 };

typedef struct hy__check_finding {
  uint32_t feature;
  const char *symbol; /* NULL: none in particular */
  size_t bar;
  int64_t time_ns;
  const char *what;
} hy__check_finding;

struct hy_features_check {
  const hy_allocator *allocator;
  hy__arena *arena;
  const char *name;
  const char **features;
  size_t n_features, n_columns, n_facts;
  const hy__check_column *columns;
  double *cells; /* [feature][column] */
  hy__check_column facts[HY__CHECK_FACTS_MAX];
  double fact[HY__CHECK_FACTS_MAX];
  hy__check_finding findings[HY__CHECK_FINDINGS_MAX];
  size_t n_findings; /* in all; those past the last kept are counted */
};

static inline double *hy__check_cell(hy_features_check *c, size_t feature, size_t column) {
  return &c->cells[feature * c->n_columns + column];
}
void hy__check_fact(hy_features_check *c, hy__check_column what, double value);

/* Where a finding is. */
typedef struct hy__check_place {
  size_t feature, symbol, bar;
} hy__check_place;
HY_CHECKED hy_status hy__check_find(hy_features_check *c, const hy_universe_info *info,
                                    hy__check_place place, hy_error *err, const char *format, ...)
    HY_PRINTF(5, 6);

/* ---- runs ---- */

/* The universe in arrays, so that variants of it can be made. */
typedef struct hy__check_market {
  hy_runtime *runtime;
  hy_universe_info info;
  const char **fields;
  double **data;       /* [field] -> [T, S] */
  const double **part; /* scratch of as many */
  uint8_t *valid;
  size_t n_fields;
} hy__check_market;

HY_CHECKED hy_status hy__check_market_read(const hy_features *f, const hy_universe *u,
                                           hy__arena *arena, hy__check_market *out, hy_error *err);
/* A universe of rows [begin, end) over the market's arrays. */
HY_CHECKED hy_status hy__check_market_part(const hy__check_market *m, size_t begin, size_t end,
                                           hy_universe **out, hy_error *err);

/* A stream that takes the market's rows. */
HY_CHECKED hy_status hy__check_market_stream(const hy__check_market *m, const hy_features *f,
                                             hy_feature_stream **out, hy_error *err);

enum { HY__CHECK_RUNS_MAX = 3 };

/* One block of 8 symbols: each run's values, [lane][row][feature]. */
typedef struct hy__check_block {
  size_t block, n_lanes;
  size_t rows[HY__CHECK_RUNS_MAX];
  const double *out[HY__CHECK_RUNS_MAX];
} hy__check_block;

/* The program over up to three universes of the same symbols. `block` is called for one block after
 * the other, in their order, by the caller's thread. */
typedef struct hy__check_runs {
  const hy_features *f;
  const hy_universe *universes[HY__CHECK_RUNS_MAX];
  size_t n;
  hy_status (*block)(void *ctx, const hy__check_block *b, hy_error *err);
  void *ctx;
  hy_progress_fn progress;
  void *progress_ctx;
  size_t step, n_steps; /* of several such calls, for progress */
} hy__check_runs;

HY_CHECKED hy_status hy__check_runs_all(const hy__check_runs *r, hy_error *err);

/* ---- the kinds ---- */

typedef struct hy__check_task {
  const hy_features *f;
  const hy_universe *universe;
  hy_universe_info info;
  hy_features_check_options options; /* defaults filled in */
  hy_features_check *report;
} hy__check_task;

HY_CHECKED hy_status hy__check_lookahead(hy__check_task *t, hy_error *err);
HY_CHECKED hy_status hy__check_recursive(hy__check_task *t, hy_error *err);
HY_CHECKED hy_status hy__check_coverage(hy__check_task *t, hy_error *err);
HY_CHECKED hy_status hy__check_bench(hy__check_task *t, hy_error *err);
HY_CHECKED hy_status hy__check_parity(hy__check_task *t, hy_error *err);

/* Names the report and its columns; called first by each kind. */
HY_CHECKED hy_status hy__check_begin(hy__check_task *t, const char *name,
                                     const hy__check_column *columns, size_t n_columns,
                                     hy_error *err);

#endif
