/* SPDX-License-Identifier: Apache-2.0 */
/* Features: a spec (YAML file or inline list) compiled to a program, run over a universe. */
#ifndef HAYATE_FEATURE_H
#define HAYATE_FEATURE_H

#include <hayate/array.h>
#include <hayate/market.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable; shared by threads. */
typedef struct hy_features hy_features;

/* spec: a file if it exists, else an inline list such as "rsi=rsi.mid(close,14); logret(close,1)".
 * Errors: NOT_FOUND, BAD_FORMAT (line and column), UNSUPPORTED; unknown ids suggest the nearest
 * names. */
HY_API HY_CHECKED hy_status hy_features_create(hy_runtime *runtime, const char *spec,
                                               hy_features **out, hy_error *err);
/* With the constants of the steps that ask for a fit (fit_z, fit_robust, fit_minmax): a file of
 * hy_features_fit; NULL: the file that the spec names. Errors: also MISMATCH (a fit of another
 * spec, one whose contents have changed, two fits, or a fit that the spec has no step for). */
HY_API HY_CHECKED hy_status hy_features_create_fitted(hy_runtime *runtime, const char *spec,
                                                      const char *fit, hy_features **out,
                                                      hy_error *err);
HY_API void hy_features_destroy(hy_features *features);

typedef struct hy_features_info {
  size_t struct_size;
  size_t n_features;
  const char *const *names;
  size_t lookback_bars; /* rows missing at the front of a gapless series, the most of any feature */
  /* bars of history after which a start anywhere differs by less than 1e-9 of scale; 0: no bound
   * exists */
  size_t stable_bars;
  const char *spec_sha256; /* 64 hex digits */
  const char *canonical;   /* the canonical JSON that was hashed */
  const char *fit_sha256;  /* of its fit; "" while a fit is wanting, NULL where none is asked for */
} hy_features_info;
HY_API void hy_features_describe(const hy_features *features, hy_features_info *info);
/* The definition graph, look-back, stability and cost of each feature; for people or as one JSON
 * object. */
HY_API HY_CHECKED hy_status hy_features_explain(const hy_features *features, bool json,
                                                const hy_sink *sink, hy_error *err);
/* All definitions, one line or object each; pattern filters ids by substring (NULL: all). */
HY_API HY_CHECKED hy_status hy_features_list(const char *pattern, bool json, const hy_sink *sink,
                                             hy_error *err);
/* A definition, or all of a family: what it is, its parameters, the history that it needs.
 * NOT_FOUND suggests the nearest names. */
HY_API HY_CHECKED hy_status hy_features_describe_id(const char *id, bool json, const hy_sink *sink,
                                                    hy_error *err);

/* Rows [t_begin, t_end) of every feature for every symbol, history from the first bar.
 * out[f]: [t_end - t_begin, n_symbols] row-major float64, NaN where missing; valid[f] (may be NULL
 * as a whole) the same shape, 1 where present. Errors: NOT_FOUND (a field the universe lacks),
 * MISMATCH, OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_features_compute(const hy_features *features,
                                                const hy_universe *universe, size_t t_begin,
                                                size_t t_end, double *const *out,
                                                uint8_t *const *valid, hy_error *err);

/* One symbol's bars in plain arrays. */
typedef struct hy_series {
  size_t struct_size;
  size_t n_bars, n_fields;
  const char *const *fields;
  const double *const *data; /* [field] -> [n_bars]; NaN is missing */
  const int64_t *time_ns; /* [n_bars] bar close, UTC, increasing; NULL: for a spec without clocks */
} hy_series;
/* Every feature over one series, in the caller's thread alone: many threads may compute with the
 * same features at once. out[f]: [n_bars] float64, NaN where missing. Errors as in
 * hy_features_compute, INVALID_ARGUMENT (a spec that reads clocks, without times). */
HY_API HY_CHECKED hy_status hy_features_compute_series(const hy_features *features,
                                                       const hy_series *series, double *const *out,
                                                       hy_error *err);

/* The same into a series for each symbol, which costs half of what rows of all symbols do: values
 * of one symbol lie together, as in a frame of columns. */
typedef struct hy_features_columns {
  size_t struct_size;
  size_t t_begin, t_end;
  size_t stride;      /* doubles from one symbol's first value to the next's, t_end - t_begin or
                         more; best a multiple of 8 */
  double *const *out; /* out[f]: [n_symbols, stride], best at a multiple of 64 bytes */
} hy_features_columns;
HY_API HY_CHECKED hy_status hy_features_compute_columns(const hy_features *features,
                                                        const hy_universe *universe,
                                                        const hy_features_columns *columns,
                                                        hy_error *err);

typedef struct hy_features_fit_options {
  size_t struct_size;
  const char *path;      /* the fit that is written, JSON, which is YAML too */
  size_t t_begin, t_end; /* the training range's rows */
} hy_features_fit_options;
typedef struct hy_features_fit_report {
  size_t struct_size;
  size_t n_features, n_constants; /* pairs of center and scale */
  char sha256[65];
} hy_features_fit_report;
/* The constants of the spec's steps of a fit over a range of rows, written to a file with the
 * hash of the spec, the range, the counts, and a hash of all of it. Each feature is taken as it is
 * before the step. Errors as in hy_features_create and hy_features_compute, NEED_MORE_DATA (a
 * feature without values in the range), IO. */
HY_API HY_CHECKED hy_status hy_features_fit(hy_runtime *runtime, const char *spec,
                                            const hy_universe *universe,
                                            const hy_features_fit_options *options,
                                            hy_features_fit_report *report, hy_error *err);

typedef struct hy_features_write_options {
  size_t struct_size;
  const char *path;      /* the .npz */
  size_t t_begin, t_end; /* rows; t_end 0: to the last */
  hy_dtype dtype;        /* HY_F64 (also 0) or HY_F32, rounded once */
  hy_progress_fn progress;
  void *progress_ctx;
} hy_features_write_options;
/* Computes rows and writes them as .npz: NAME f8 or f4 [row, symbol] and NAME.valid u1 for each
 * feature, `time` i8, `symbol` U, hayate.spec_sha256 and, with a fit, hayate.fit_sha256. Errors as
 * in hy_features_compute, LIMIT, IO, CANCELLED. */
HY_API HY_CHECKED hy_status hy_features_write(const hy_features *features,
                                              const hy_universe *universe,
                                              const hy_features_write_options *options,
                                              hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
