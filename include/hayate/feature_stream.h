/* SPDX-License-Identifier: Apache-2.0 */
/* Features bar by bar: the same values, to the bit, as hy_features_compute gives over all bars. */
#ifndef HAYATE_FEATURE_STREAM_H
#define HAYATE_FEATURE_STREAM_H

#include <hayate/feature.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Single-writer: one thread at a time. All memory is taken when it is made; update, peek and
 * advance allocate nothing, lock nothing and make no system call. */
typedef struct hy_feature_stream hy_feature_stream;

typedef struct hy_feature_stream_options {
  size_t struct_size;
  size_t n_symbols, n_fields;
  const char *const *symbols; /* all different, copied; a bar's columns in their order */
  const char *const *fields;  /* NULL: open high low close volume (n_fields 0) */
  const char *timeframe, *zone, *calendar; /* as in hy_panel; NULL: unknown, "UTC", none */
} hy_feature_stream_options;

/* The features must outlive the stream. Errors: INVALID_ARGUMENT, NOT_FOUND (a field that the spec
 * reads), MISMATCH (what the spec requires of its input), LIMIT, OUT_OF_MEMORY. */
HY_API HY_CHECKED hy_status hy_feature_stream_create(const hy_features *features,
                                                     const hy_feature_stream_options *options,
                                                     hy_feature_stream **out, hy_error *err);
HY_API void hy_feature_stream_destroy(hy_feature_stream *stream);

/* A row of bars: one time, a bar for each symbol that has one. */
typedef struct hy_bar_row {
  size_t struct_size;
  int64_t
      time_ns; /* the bars' close, UTC; later than every row before, and than what advance closed */
  const double *const *fields; /* [n_fields] -> [n_symbols]; NaN is missing */
  const uint8_t *valid;        /* [n_symbols], 0: no bar; NULL: all have one */
} hy_bar_row;

/* The stream takes a row of closed bars. values: [n_symbols, n_features] row-major float64, NaN
 * where missing; valid (may be NULL) the same shape, 1 where present. A refused row changes
 * nothing. Errors: INVALID_ARGUMENT, LATE (not after the row before). */
HY_API HY_CHECKED hy_status hy_feature_stream_update(hy_feature_stream *stream,
                                                     const hy_bar_row *row, double *values,
                                                     uint8_t *valid, hy_error *err);
/* What update would give for this row, such as a forming bar: the stream stays as it is. */
HY_API HY_CHECKED hy_status hy_feature_stream_peek(hy_feature_stream *stream, const hy_bar_row *row,
                                                   double *values, uint8_t *valid, hy_error *err);

/* No bar that closes by time_ns comes any more: bars of slower timeframes that end by then close,
 * which a row would do only when it comes. Errors: LATE (before what has closed already). */
HY_API HY_CHECKED hy_status hy_feature_stream_advance(hy_feature_stream *stream, int64_t time_ns,
                                                      hy_error *err);

typedef struct hy_feature_stream_info {
  size_t struct_size;
  size_t n_symbols, n_features;
  const char *const *symbols;
  int64_t time_ns;       /* of the last row; INT64_MIN before the first */
  uint64_t n_rows;       /* taken so far */
  size_t state_bytes;    /* of all symbols, in memory */
  size_t snapshot_bytes; /* what hy_feature_stream_snapshot writes */
} hy_feature_stream_info;
HY_API void hy_feature_stream_describe(const hy_feature_stream *stream,
                                       hy_feature_stream_info *info);

/* Everything that later values depend on, with the hash of the spec, the definitions' versions,
 * the symbols and a checksum; the same bytes on every machine and instruction set. `bytes` is the
 * room at `data`, at least snapshot_bytes. */
HY_API HY_CHECKED hy_status hy_feature_stream_snapshot(hy_feature_stream *stream, void *data,
                                                       size_t bytes, hy_error *err);
/* The stream goes on where the snapshot was taken: symbols are found by name, in whatever order;
 * those that the snapshot lacks begin anew, those that the stream lacks are left out. Errors: LIMIT
 * or BAD_FORMAT (cut short, not a snapshot, of another version, a wrong checksum), MISMATCH
 * (another spec, timeframe, zone or calendar; says what differs). After an error the stream is as
 * it was.
 */
HY_API HY_CHECKED hy_status hy_feature_stream_restore(hy_feature_stream *stream, const void *data,
                                                      size_t bytes, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
