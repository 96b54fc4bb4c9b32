/* SPDX-License-Identifier: Apache-2.0
 * The import report, for people and as JSON: what was read, how it was understood, and every
 * policy's count. */
#include <stdio.h>

#include "market/import.h"

static const struct {
  const char *key, *text;
  size_t offset;
} counts[] = {
#define HY_IMPORT_COUNT(key, text) {#key, text, offsetof(hy__import_counts, key)},
#include "market/import_count.inc"
#undef HY_IMPORT_COUNT
};

static uint64_t count_of(const hy_import_report *r, size_t k) {
  uint64_t n;
  memcpy(&n, (const char *)&r->counts + counts[k].offset, sizeof n);
  return n;
}

static hy_status text_head(const hy_import_report *r, const hy_sink *sink, hy_error *err) {
  char first[40], last[40], bytes[HY_NUMBER_TEXT];
  hy__time_format(r->first_ns, first);
  hy__time_format(r->last_ns, last);
  (void)hy__format_bytes((double)r->bytes_read, bytes);
  HY_TRY(hy__sink_printf(sink, err, "%s: %zu symbols x %zu bars of %s, closing %s to %s\n",
                         r->output, r->n_symbols, r->n_bars,
                         r->timeframe[0] ? r->timeframe : "uneven length", first, last));
  if (r->n_rows)
    HY_TRY(hy__sink_printf(sink, err, "  read     %llu rows, %s, from %zu %s (%s) in %.0f ms\n",
                           (unsigned long long)r->n_rows, bytes, r->n_files,
                           r->n_files == 1 ? "file" : "files", r->dialects,
                           (double)r->total_ns / 1e6));
  HY_TRY(hy__sink_printf(sink, err, "  fields  "));
  for (size_t k = 0; k < r->n_fields; k++) HY_TRY(hy__sink_printf(sink, err, " %s", r->fields[k]));
  if (r->ignored[0]) HY_TRY(hy__sink_printf(sink, err, "; not read: %s", r->ignored));
  return hy__sink_printf(sink, err, "\n  times    bars are stamped at their %s%s, zone %s%s%s\n",
                         r->stamp, r->stamp_assumed ? " (assumed; --stamp close if not)" : "",
                         r->zone, r->calendar[0] ? ", calendar " : "", r->calendar);
}

hy_status hy_import_report_text(const hy_import_report *r, const hy_sink *sink, hy_error *err) {
  HY_TRY(text_head(r, sink, err));
  for (size_t k = 0; k < HY_COUNT(counts); k++)
    if (count_of(r, k))
      HY_TRY(hy__sink_printf(sink, err, "  %8llu %s\n", (unsigned long long)count_of(r, k),
                             counts[k].text));
  return HY_OK;
}

hy_status hy_import_report_json(const hy_import_report *r, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  char time[40];
  hy__json_begin(&w, *sink, 2);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "output", r->output);
  hy__json_member_text(&w, "dialect", r->dialects);
  hy__json_member_i64(&w, "files", (int64_t)r->n_files);
  hy__json_member_i64(&w, "rows", (int64_t)r->n_rows);
  hy__json_member_i64(&w, "bytes", (int64_t)r->bytes_read);
  hy__json_member_i64(&w, "symbols", (int64_t)r->n_symbols);
  hy__json_member_i64(&w, "bars", (int64_t)r->n_bars);
  hy__json_member_i64(&w, "cells", (int64_t)r->n_cells_present);
  hy__json_key(&w, "fields");
  hy__json_array_begin(&w);
  for (size_t k = 0; k < r->n_fields; k++) hy__json_text(&w, r->fields[k]);
  hy__json_array_end(&w);
  hy__json_member_text(&w, "not_read", r->ignored);
  hy__time_format(r->first_ns, time);
  hy__json_member_text(&w, "first", time);
  hy__time_format(r->last_ns, time);
  hy__json_member_text(&w, "last", time);
  hy__json_member_text(&w, "timeframe", r->timeframe);
  hy__json_member_text(&w, "stamp", r->stamp);
  hy__json_member_bool(&w, "stamp_assumed", r->stamp_assumed);
  hy__json_member_text(&w, "zone", r->zone);
  hy__json_member_text(&w, "calendar", r->calendar);
  hy__json_member_f64(&w, "parse_ms", (double)r->parse_ns / 1e6);
  hy__json_member_f64(&w, "parse_mb_per_s",
                      r->parse_ns ? (double)r->bytes_read / 1e6 / ((double)r->parse_ns / 1e9) : 0);
  hy__json_member_f64(&w, "settle_ms", (double)r->settle_ns / 1e6);
  hy__json_member_f64(&w, "write_ms", (double)r->write_ns / 1e6);
  hy__json_member_f64(&w, "elapsed_ms", (double)r->total_ns / 1e6);
  hy__json_key(&w, "counts");
  hy__json_object_begin(&w);
  for (size_t k = 0; k < HY_COUNT(counts); k++)
    hy__json_member_i64(&w, counts[k].key, (int64_t)count_of(r, k));
  hy__json_object_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}
