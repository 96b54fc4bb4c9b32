/* SPDX-License-Identifier: Apache-2.0
 * The stages of import: files to rows (import_read), rows to one time axis (import_settle), the
 * report. */
#ifndef HY_MARKET_IMPORT_H
#define HY_MARKET_IMPORT_H

#include "market/calendar.h"
#include "market/dialect.h"
#include "market/rows.h"

typedef struct hy__import_counts {
#define HY_IMPORT_COUNT(key, text) uint64_t key;
#include "market/import_count.inc"
#undef HY_IMPORT_COUNT
} hy__import_counts;

struct hy_import_report {
  const hy_allocator *allocator;
  hy__arena *arena;
  const char *output, *dialects, *timeframe, *zone, *calendar, *stamp, *source, *ignored;
  size_t n_files, n_symbols, n_bars, n_fields, n_cells_present;
  const char *const *fields;
  uint64_t n_rows, bytes_read;
  int64_t first_ns, last_ns, parse_ns, settle_ns, write_ns, total_ns;
  bool stamp_assumed;
  hy__import_counts counts;
};

/* One symbol's bars: positions in the row store, sorted by time. */
typedef struct hy__series {
  uint32_t *row;
  size_t n;
} hy__series;

typedef struct hy__import {
  const hy_allocator *allocator;
  hy__arena *arena, *scratch; /* scratch: reset after each file */
  const hy_import_options *options;
  hy_import_report *report;
  hy__rows rows;
  hy__symbols symbols;
  const char *fields[HY_UNIVERSE_FIELDS_MAX]; /* of all files, the five first */
  size_t n_fields;
  hy__zone *zone; /* of stamps without offset; NULL until a file needs it */
  const char *zone_name;
  hy__walls walls;
  bool any_clock;
  hy_stamp stamp;
  int64_t timeframe_ns; /* 0: to be inferred */
  const hy__calendar *calendar;
  hy__zone *calendar_zone;
  hy__csv_field *csv_fields; /* HY_CSV_FIELDS_MAX */
  uint32_t *order;           /* all rows, by symbol */
  hy__series *series;        /* [symbols.n] */
  int64_t *axis;
  size_t n_axis, axis_capacity;
} hy__import;

/* A file with its plan and, per field of the plan, the field of the import. */
typedef struct hy__import_file {
  const char *path;
  hy__plan plan;
  char delimiter, decimal;
  int32_t *field_of; /* [plan.n_fields] */
} hy__import_file;

/* The stages in order: begin, plan each file, planned, map and read each, settle, write, end (also
 * after a failure of begin). options and report outlive it. */
HY_CHECKED hy_status hy__import_begin(hy__import *im, const hy_allocator *a,
                                      const hy_import_options *options, hy_import_report *report,
                                      hy_error *err);
void hy__import_end(hy__import *im);
/* All fields are known: makes the row store. */
HY_CHECKED hy_status hy__import_planned(hy__import *im, hy_error *err);
HY_CHECKED hy_status hy__import_map(hy__import *im, hy__import_file *file, hy_error *err);
/* Recognises and plans a file; its text is not kept. */
HY_CHECKED hy_status hy__import_plan(hy__import *im, const hy__source *s, hy__import_file *out,
                                     hy_error *err);
/* All rows of one file into the store. */
HY_CHECKED hy_status hy__import_read(hy__import *im, const hy__import_file *file,
                                     const hy__source *source, hy_error *err);
/* The rows of each symbol in the order of time, of equal times in that of the files. */
HY_CHECKED hy_status hy__import_sort(hy__import *im, hy_error *err);
/* Rows of trades become rows of bars, stamped at their close; before settle, with options->bars. */
HY_CHECKED hy_status hy__import_ticks(hy__import *im, hy_runtime *runtime, hy_error *err);
/* Policies, close times, the axis. */
HY_CHECKED hy_status hy__import_settle(hy__import *im, hy_error *err);
HY_CHECKED hy_status hy__import_write(hy__import *im, hy_error *err);
/* Another universe file, written anew. */
HY_CHECKED hy_status hy__import_universe(hy__import *im, hy_runtime *runtime, const char *path,
                                         hy_error *err);

#endif
