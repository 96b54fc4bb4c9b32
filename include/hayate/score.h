/* SPDX-License-Identifier: Apache-2.0 */
/* The main job: a universe through a pipeline to ranked, evaluated predictions. */
#ifndef HAYATE_SCORE_H
#define HAYATE_SCORE_H

#include <hayate/market.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A pipeline file, or one that hy_pipeline_pack wrote, read and checked: spec, models, combination.
 * Immutable; a packed file stays mapped while it lives. Errors of a packed one: BAD_FORMAT (cut,
 * changed), UNSUPPORTED (a later format), MISMATCH (another spec). */
typedef struct hy_pipeline hy_pipeline;
HY_API HY_CHECKED hy_status hy_pipeline_open(hy_runtime *runtime, const char *path,
                                             hy_pipeline **out, hy_error *err);
HY_API void hy_pipeline_destroy(hy_pipeline *pipeline);
HY_API const char *hy_pipeline_name(const hy_pipeline *pipeline);

typedef enum hy_history { HY_HISTORY_FULL = 0, HY_HISTORY_STABLE = 1 } hy_history;

typedef struct hy_score_options {
  size_t struct_size;
  const char *at;   /* "last" (also NULL), a date, or ISO 8601; exclusive with from/to */
  const char *from; /* range, both ends included; NULL: the first, the last */
  const char *to;
  hy_history history;
  bool evaluate;
  bool strict; /* any symbol without a score makes the run's answer "no" */
  uint64_t symbol_limit_ns, run_limit_ns; /* 0: none */
  uint32_t repeat; /* runs the job that often and reports the medians of the times; 0: once */
  const volatile int
      *cancel; /* becomes non-zero: stop with CANCELLED, leaving no partial file; NULL: none */
  hy_progress_fn progress;
  void *progress_ctx;
  /* A table of corporate actions (hy_actions_read, on the clock of the universe's zone): those with
   * an ex until the last row asked for (with evaluate: the last that it is measured against) are
   * applied. NULL: prices as they stand. */
  const char *actions;
} hy_score_options;

/* The answer: scores per symbol (and time), evaluation, timings. Immutable. */
typedef struct hy_score_result hy_score_result;
HY_API HY_CHECKED hy_status hy_score_run(const hy_pipeline *pipeline, const char *universe_path,
                                         const hy_score_options *options, hy_score_result **out,
                                         hy_error *err);
HY_API void hy_score_result_destroy(hy_score_result *result);

typedef struct hy_score_totals {
  size_t struct_size;
  size_t symbols, scored, failed, bars, features;
  double read_ms, features_ms, inference_ms, write_ms, elapsed_ms, symbols_per_s;
  size_t peak_anon_bytes, peak_rss_bytes;
} hy_score_totals;
HY_API void hy_score_totals_get(const hy_score_result *result, hy_score_totals *totals);
/* The ranked table for people; limit 0: all rows. */
HY_API HY_CHECKED hy_status hy_score_write_table(const hy_score_result *result, size_t limit,
                                                 const hy_sink *sink, hy_error *err);
HY_API HY_CHECKED hy_status hy_score_write_json(const hy_score_result *result, const hy_sink *sink,
                                                hy_error *err);
/* scores.csv, run.json, with evaluation evaluation.json, daily.csv and report.html, with npz
 * scores.npz. */
HY_API HY_CHECKED hy_status hy_score_write_folder(hy_score_result *result, const char *folder,
                                                  bool npz, hy_error *err);

/* --- pipelines in one file: <hayate/pack.h> says the same of models --- */

typedef struct hy_pipeline_pack_options {
  size_t struct_size;
  const hy_isa *isas; /* instruction sets to pack for; NULL: the runtime's alone */
  size_t n_isas;
  const char *data; /* a universe whose last bars become the golden input; NULL: synthetic bars */
  uint64_t seed;    /* of the synthetic ones; 0: 7 */
} hy_pipeline_pack_options;
/* Freezes the pipeline file with its spec, its models and a golden input and answer into one
 * checksummed file, whole or not at all; hy_pipeline_open maps it. Errors: those of opening and
 * scoring; NEED_MORE_DATA where the golden bars give no score. */
HY_API HY_CHECKED hy_status hy_pipeline_pack(hy_runtime *runtime, const char *path,
                                             const char *output,
                                             const hy_pipeline_pack_options *options,
                                             hy_error *err);
/* Checks every section's checksum and scores the golden bars again with each instruction set that
 * the file and the machine have: as hy_pack_verify. */
HY_API HY_CHECKED hy_status hy_pipeline_verify(hy_runtime *runtime, const char *path, bool json,
                                               const hy_sink *sink, bool *ok, hy_error *err);
/* What is in it, packed or not: spec, features, models and how they are fed; the sections. */
HY_API HY_CHECKED hy_status hy_pipeline_inspect(const hy_pipeline *pipeline, bool json,
                                                const hy_sink *sink, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
