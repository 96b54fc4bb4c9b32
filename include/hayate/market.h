/* SPDX-License-Identifier: Apache-2.0 */
/* Market data: a universe is bars of many symbols on one time axis, [time, symbol] panels of
 * float64 with a validity mask; import from files of other tools, and the deterministic synthetic
 * universe. */
#ifndef HAYATE_MARKET_H
#define HAYATE_MARKET_H

#include <hayate/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable once open; shared by threads. */
typedef struct hy_universe hy_universe;

typedef struct hy_universe_info {
  size_t struct_size; /* the caller's sizeof(hy_universe_info) */
  size_t n_bars, n_symbols, n_fields;
  const int64_t *time_ns; /* [n_bars] bar close, UTC, strictly increasing */
  const char *const *symbols;
  const char *const *fields; /* "open", "high", "low", "close", "volume", then further ones */
  const char *timeframe;     /* "1m", "1h", "1d" ...; "" unknown */
  int64_t timeframe_ns;      /* 0 unknown or irregular */
  const char *zone;          /* IANA name; "UTC" */
  const char *calendar;      /* "XNYS", "24x7", "FX" ...; "" none */
  const char *source;        /* what it was imported from */
} hy_universe_info;

/* A universe file (HDF5, see docs/data-formats.md). Errors: NOT_FOUND, IO, BAD_FORMAT, LIMIT. */
HY_API HY_CHECKED hy_status hy_universe_open(hy_runtime *runtime, const char *path,
                                             hy_universe **out, hy_error *err);

/* A universe over the caller's arrays, which must outlive it. */
typedef struct hy_panel {
  size_t struct_size;
  size_t n_bars, n_symbols, n_fields;
  const int64_t *time_ns;
  const char *const *symbols;
  const char *const *fields;
  const double *const *data; /* [field] -> [n_bars, n_symbols] row-major; NaN is missing */
  const uint8_t *valid;      /* [n_bars, n_symbols], 0 missing; NULL: all present */
  const char *timeframe, *zone, *calendar; /* NULL: unknown, "UTC", none; others must be known */
} hy_panel;
HY_API HY_CHECKED hy_status hy_universe_from_panel(hy_runtime *runtime, const hy_panel *panel,
                                                   hy_universe **out, hy_error *err);
HY_API void hy_universe_destroy(hy_universe *universe);
/* Pointers in info live as long as the universe. */
HY_API void hy_universe_describe(const hy_universe *universe, hy_universe_info *info);
/* Row-major copy of field rows [t_begin, t_end) for all symbols; missing cells are NaN. */
HY_API HY_CHECKED hy_status hy_universe_read(const hy_universe *universe, const char *field,
                                             size_t t_begin, size_t t_end, double *out,
                                             hy_error *err);

/* The rows [*t_begin, *t_end) that texts name: `at` one row ("last", a date, ISO 8601 with offset
 * or Z; the last bar at or before it), or `from` and `to`, both included; NULL is the first, the
 * last. A date is a day of the universe's zone. Errors: INVALID_ARGUMENT (at beside from or to),
 * BAD_FORMAT, NOT_FOUND (no bar there). */
HY_API HY_CHECKED hy_status hy_universe_find_rows(const hy_universe *universe, const char *at,
                                                  const char *from, const char *to, size_t *t_begin,
                                                  size_t *t_end, hy_error *err);

typedef enum hy_stamp { HY_STAMP_DEFAULT = 0, HY_STAMP_OPEN = 1, HY_STAMP_CLOSE = 2 } hy_stamp;

typedef struct hy_import_options {
  size_t struct_size;
  const char *const *paths; /* files or folders */
  size_t n_paths;
  const char *output;    /* universe file to write */
  const char *dialect;   /* NULL: detect; else a name of the dialect table */
  const char *timeframe; /* NULL: infer from the most frequent step */
  const char *zone;      /* of stamps without offset; NULL: the dialect's, else UTC */
  const char *calendar;
  hy_stamp stamp;     /* DEFAULT: the dialect's */
  const char *symbol; /* for a single-symbol file; NULL: from the file name */
  bool compress;
  hy_progress_fn progress;
  void *progress_ctx;
  const char
      *date_order; /* "dmy" or "mdy" for dates such as 03/04/2024; NULL: the data must prove it */
  /* The files are of trades (time, symbol, price, size, flags), which become bars: as in
   * hy_ticks_options (hayate/tick.h). NULL: the files are of bars. */
  const char *bars;
  bool carry; /* HY_REMAINDER_CARRY */
} hy_import_options;

/* What was found and done, each policy counted; see docs/data-formats.md for the policies. */
typedef struct hy_import_report hy_import_report;
HY_API HY_CHECKED hy_status hy_universe_import(hy_runtime *runtime,
                                               const hy_import_options *options,
                                               hy_import_report **out, hy_error *err);
HY_API void hy_import_report_destroy(hy_import_report *report);
HY_API HY_CHECKED hy_status hy_import_report_text(const hy_import_report *report,
                                                  const hy_sink *sink, hy_error *err);
HY_API HY_CHECKED hy_status hy_import_report_json(const hy_import_report *report,
                                                  const hy_sink *sink, hy_error *err);

typedef struct hy_generate_options {
  size_t struct_size;
  size_t n_symbols, n_bars; /* 0: 500, 2000 */
  const char *timeframe;    /* NULL: "1m" */
  uint64_t seed;            /* 0: 7 */
  const char *output;
  hy_progress_fn progress;
  void *progress_ctx;
} hy_generate_options;
HY_API HY_CHECKED hy_status hy_universe_generate(hy_runtime *runtime,
                                                 const hy_generate_options *options, hy_error *err);

#ifdef __cplusplus
}
#endif
#endif
