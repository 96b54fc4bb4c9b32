/* SPDX-License-Identifier: Apache-2.0
 * hy_universe_import: any source into a universe file. Plans all files first, so that their fields
 * are known, then reads, settles and writes; the output appears whole or not at all. */
#include "market/import.h"

#include <stdio.h>

#include "market/hdf5.h"

/* --- plans --- */

static hy_status add_field(hy__import *im, const char *name, hy_error *err) {
  if (hy__universe_find(im->fields, im->n_fields, name) >= 0 && name[1]) return HY_OK;
  for (size_t k = 0; k < im->n_fields; k++)
    if (strcmp(im->fields[k], name) == 0) return HY_OK;
  HY_FAIL_IF(im->n_fields == HY_UNIVERSE_FIELDS_MAX, HY_LIMIT, err, "more than %d value columns",
             (int)HY_UNIVERSE_FIELDS_MAX);
  im->fields[im->n_fields++] = name;
  return HY_OK;
}

static hy_status choose_dialect(const hy__sample *s, const char *name, const hy__dialect **out,
                                hy_error *err) {
  if (name) {
    hy__nearest near;
    char hint[160];
    hy__nearest_init(&near, name);
    for (size_t k = 0; k < hy__n_dialects; k++) hy__nearest_offer(&near, hy__dialects[k].name);
    hy__nearest_text(&near, hint, sizeof hint);
    *out = hy__dialect_find(name);
    HY_FAIL_IF(!*out, HY_INVALID_ARGUMENT, err, "\"%.40s\" is no dialect%s", name, hint);
    return HY_OK;
  }
  for (size_t k = 0; k < hy__n_dialects; k++) {
    if (!hy__dialects[k].knows(s)) continue;
    *out = &hy__dialects[k];
    return HY_OK;
  }
  hy_status status = hy__error_set(
      err, HY_BAD_FORMAT,
      "not a table of bars that is known: expected a head with a time column (date, time, "
      "timestamp) and "
      "prices (close) or one column per symbol; the first line is \"%.*s\"",
      (int)HY_MIN(s->row[0][0].len_bytes + (s->n_fields[0] > 1 ? 1 + s->row[0][1].len_bytes : 0),
                  60u),
      s->row[0][0].text);
  hy__error_place(err, (int64_t)s->line[0], 1, 0);
  return status;
}

/* What the loop over the rows relies on: a time, and no column past a row's width. */
static hy_status check_plan(const hy__plan *p, hy_error *err) {
  HY_FAIL_IF(p->date < 0 || p->n_cells == 0, HY_BAD_FORMAT, err,
             "no %s column was found; the %s dialect needs one", p->date < 0 ? "time" : "value",
             p->dialect);
  int64_t last = HY_MAX(HY_MAX(p->date, p->clock), p->symbol);
  for (size_t k = 0; k < p->n_cells; k++) last = HY_MAX(last, (int64_t)p->cells[k].column);
  HY_FAIL_IF(last >= (int64_t)p->n_columns, HY_BAD_FORMAT, err,
             "rows of %zu columns; the %s dialect needs %lld", p->n_columns, p->dialect,
             (long long)last + 1);
  return HY_OK;
}

hy_status hy__import_plan(hy__import *im, const hy__source *source, hy__import_file *out,
                          hy_error *err) {
  hy__sample sample;
  const hy__dialect *dialect = NULL;
  HY_TRY(hy__sample_take(source, im->scratch, &sample, err));
  HY_TRY(choose_dialect(&sample, im->options->dialect, &dialect, err));
  HY_TRY(dialect->plan(&sample, im->arena, &out->plan, err));
  HY_TRY(check_plan(&out->plan, err));
  out->path = source->path;
  out->delimiter = sample.delimiter;
  out->decimal = sample.decimal;
  for (size_t k = 0; k < out->plan.n_fields; k++) HY_TRY(add_field(im, out->plan.fields[k], err));
  return HY_OK;
}

/* The five first; the others in the order in which they were met. */
static void order_fields(hy__import *im) {
  for (size_t k = 1; k < im->n_fields; k++) {
    const char *name = im->fields[k];
    size_t at = k;
    for (; at > 0 && hy__universe_field_rank(im->fields[at - 1]) > hy__universe_field_rank(name);
         at--)
      im->fields[at] = im->fields[at - 1];
    im->fields[at] = name;
  }
}

hy_status hy__import_map(hy__import *im, hy__import_file *f, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(im->arena, f->plan.n_fields, sizeof(int32_t), &memory, err));
  f->field_of = memory;
  for (size_t k = 0; k < f->plan.n_fields; k++)
    for (size_t g = 0; g < im->n_fields; g++)
      if (strcmp(im->fields[g], f->plan.fields[k]) == 0) f->field_of[k] = (int32_t)g;
  return HY_OK;
}

hy_status hy__import_planned(hy__import *im, hy_error *err) {
  void *memory;
  order_fields(im);
  hy__rows_init(&im->rows, im->allocator, im->n_fields);
  HY_TRY(hy__alloc_array(im->allocator, HY_CSV_FIELDS_MAX, sizeof(hy__csv_field), &memory, err));
  im->csv_fields = memory;
  return HY_OK;
}

/* --- files --- */

static hy_status with_place(hy_status status, const char *path, hy_error *err) {
  if (status != HY_OK) hy__error_subject(err, path);
  return status;
}

static hy_status plan_file(hy__import *im, const char *path, size_t n_files, hy__import_file *out,
                           bool *is_hdf5, hy_error *err) {
  hy__source source;
  hy_status status = hy__source_open(im->allocator, path, &source, err);
  if (status == HY_OK) {
    *is_hdf5 = source.is_hdf5;
    if (!source.is_hdf5)
      status = hy__import_plan(im, &source, out, err);
    else if (n_files > 1)
      status =
          hy__error_set(err, HY_UNSUPPORTED, "a universe is imported alone, not among other files");
    hy__source_close(&source);
  }
  hy__arena_reset(im->scratch);
  return with_place(status, path, err);
}

static hy_status read_file(hy__import *im, hy__import_file *f, hy_error *err) {
  hy__source source;
  HY_TRY(hy__source_open(im->allocator, f->path, &source, err));
  const int64_t start_ns = hy__clock_monotonic_ns();
  hy_status status = hy__import_read(im, f, &source, err);
  im->report->parse_ns += hy__clock_monotonic_ns() - start_ns;
  im->report->bytes_read += source.bytes;
  hy__source_close(&source);
  hy__arena_reset(im->scratch);
  return with_place(status, f->path, err);
}

/* "long (3 files), single (1 file)" would say little more than the names. */
static hy_status note_dialect(hy__import *im, const hy__plan *p, hy_error *err) {
  hy_import_report *r = im->report;
  if (!strstr(r->dialects, p->dialect))
    HY_TRY(hy__arena_printf(r->arena, &r->dialects, err, "%s%s%s", r->dialects,
                            r->dialects[0] ? ", " : "", p->dialect));
  if (p->ignored[0] && !r->ignored[0])
    HY_TRY(hy__arena_text(r->arena, p->ignored, strlen(p->ignored), &r->ignored, err));
  return HY_OK;
}

static hy_status note_source(hy__import *im, const hy__source_list *list, hy_error *err) {
  const char *text = im->report->dialects;
  for (size_t k = 0; k < HY_MIN(list->n, (size_t)3); k++) {
    const char *slash = strrchr(list->paths[k], '/');
    HY_TRY(hy__arena_printf(im->report->arena, &text, err, "%s%s %.200s", text, k ? "," : ":",
                            slash ? slash + 1 : list->paths[k]));
  }
  if (list->n > 3)
    HY_TRY(hy__arena_printf(im->report->arena, &text, err, "%s and %zu more", text, list->n - 3));
  im->report->source = text;
  return HY_OK;
}

static hy_status read_all(hy__import *im, const hy__source_list *list, hy_runtime *runtime,
                          hy_error *err) {
  void *memory;
  bool is_hdf5 = false;
  HY_TRY(hy__arena_array(im->arena, list->n, sizeof(hy__import_file), &memory, err));
  hy__import_file *files = memory;
  for (size_t k = 0; k < list->n; k++)
    HY_FAIL_IF(hy__path_same(list->paths[k], im->options->output), HY_INVALID_ARGUMENT, err,
               "the output %s would be written over the input %s", im->options->output,
               list->paths[k]);
  for (size_t k = 0; k < list->n; k++)
    HY_TRY(plan_file(im, list->paths[k], list->n, &files[k], &is_hdf5, err));
  HY_FAIL_IF(is_hdf5 && im->options->bars, HY_UNSUPPORTED, err,
             "%s is a universe; bars are made of tables of trades", list->paths[0]);
  if (is_hdf5) return hy__import_universe(im, runtime, list->paths[0], err);
  HY_TRY(hy__import_planned(im, err));
  for (size_t k = 0; k < list->n; k++) {
    HY_TRY(hy__import_map(im, &files[k], err));
    HY_TRY(note_dialect(im, &files[k].plan, err));
    HY_TRY(read_file(im, &files[k], err));
  }
  HY_TRY(note_source(im, list, err));
  const int64_t start_ns = hy__clock_monotonic_ns();
  if (im->options->bars) HY_TRY(hy__import_ticks(im, runtime, err));
  HY_TRY(hy__import_settle(im, err));
  im->report->settle_ns = hy__clock_monotonic_ns() - start_ns;
  return HY_OK;
}

/* What the report says about the settled import; its texts must outlive it. */
static hy_status describe(hy__import *im, hy_error *err) {
  hy_import_report *r = im->report;
  char timeframe[24];
  hy__timeframe_format(im->timeframe_ns, timeframe);
  HY_TRY(hy__arena_text(r->arena, timeframe, strlen(timeframe), &r->timeframe, err));
  HY_TRY(hy__arena_text(r->arena, im->zone_name, strlen(im->zone_name), &r->zone, err));
  r->calendar = im->calendar ? im->calendar->name : "";
  r->stamp = im->stamp == HY_STAMP_CLOSE ? "close" : "open";
  r->n_symbols = im->symbols.n, r->n_bars = im->n_axis, r->n_fields = im->n_fields;
  r->first_ns = im->axis[0], r->last_ns = im->axis[im->n_axis - 1];
  void *memory;
  HY_TRY(hy__arena_array(r->arena, im->n_fields, sizeof(char *), &memory, err));
  const char **fields = memory;
  for (size_t k = 0; k < im->n_fields; k++)
    HY_TRY(hy__arena_text(r->arena, im->fields[k], strlen(im->fields[k]), &fields[k], err));
  r->fields = fields;
  return HY_OK;
}

static hy_status import_all(hy__import *im, hy_runtime *runtime, hy_error *err) {
  const int64_t start_ns = hy__clock_monotonic_ns();
  hy__source_list list = {0};
  hy_status status = hy__source_collect(im->allocator, im->arena, im->options->paths,
                                        im->options->n_paths, &list, err);
  if (status == HY_OK) status = read_all(im, &list, runtime, err);
  im->report->n_files = list.n;
  hy__source_list_destroy(&list, im->allocator);
  HY_TRY(status);
  if (im->n_axis) {
    const int64_t write_ns = hy__clock_monotonic_ns();
    HY_TRY(describe(im, err));
    HY_TRY(hy__import_write(im, err));
    im->report->write_ns = hy__clock_monotonic_ns() - write_ns;
  }
  im->report->total_ns = hy__clock_monotonic_ns() - start_ns;
  return HY_OK;
}

/* --- life --- */

void hy_import_report_destroy(hy_import_report *r) {
  if (!r) return;
  hy__arena_destroy(r->arena);
  hy__free(r->allocator, r, sizeof *r);
}

static hy_status report_create(const hy_allocator *a, const hy_import_options *o,
                               hy_import_report **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_import_report), &memory, err));
  hy_import_report *r = memory;
  r->allocator = a;
  r->dialects = r->ignored = r->calendar = r->source = r->zone = r->timeframe = r->stamp = "";
  hy_status status = hy__arena_create(a, 4096, 0, &r->arena, err);
  if (status == HY_OK)
    status = hy__arena_text(r->arena, o->output, strlen(o->output), &r->output, err);
  if (status == HY_OK)
    *out = r;
  else
    hy_import_report_destroy(r);
  return status;
}

void hy__import_end(hy__import *im) {
  const hy_allocator *a = im->allocator;
  hy__free(a, im->csv_fields, HY_CSV_FIELDS_MAX * sizeof(hy__csv_field));
  hy__free(a, im->order, im->rows.n_rows * sizeof(uint32_t));
  hy__free(a, im->axis, im->axis_capacity * sizeof(int64_t));
  if (im->rows.allocator) hy__rows_destroy(&im->rows);
  hy__symbols_destroy(&im->symbols);
  hy__zone_close(im->zone);
  hy__zone_close(im->calendar_zone);
  hy__arena_destroy(im->scratch);
  hy__arena_destroy(im->arena);
}

hy_status hy__import_begin(hy__import *im, const hy_allocator *a, const hy_import_options *options,
                           hy_import_report *report, hy_error *err) {
  *im = (hy__import){.allocator = a, .options = options, .report = report};
  hy_status status = hy__arena_create(a, 0, 0, &im->arena, err);
  if (status == HY_OK) status = hy__arena_create(a, (size_t)2 << 20, 0, &im->scratch, err);
  hy__symbols_init(&im->symbols, a, im->arena);
  return status;
}

static hy_status check_options(const hy_import_options *o, hy_error *err) {
  HY_FAIL_IF(!o->paths || !o->output, HY_INVALID_ARGUMENT, err,
             "an import needs files and an output");
  HY_FAIL_IF(o->date_order && strcmp(o->date_order, "dmy") != 0 &&
                 strcmp(o->date_order, "mdy") != 0,
             HY_INVALID_ARGUMENT, err, "\"%.20s\" is no order of a date: expected dmy or mdy",
             o->date_order);
  const hy__calendar *calendar;
  int64_t ns;
  HY_FAIL_IF(o->bars && (o->timeframe || o->stamp), HY_INVALID_ARGUMENT, err,
             "bars of trades have their own timeframe and stamp");
  if (o->calendar) HY_TRY(hy__calendar_require(o->calendar, &calendar, err));
  return o->timeframe ? hy__timeframe_parse(o->timeframe, &ns, err) : HY_OK;
}

hy_status hy_universe_import(hy_runtime *runtime, const hy_import_options *options,
                             hy_import_report **out, hy_error *err) {
  HY_FAIL_IF(!runtime || !options || !out || options->struct_size < sizeof *options,
             HY_INVALID_ARGUMENT, err,
             "hy_universe_import: runtime, options with struct_size, and out must be given");
  HY_TRY(check_options(options, err));
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__import im;
  hy_import_report *report;
  HY_TRY(report_create(a, options, &report, err));
  hy_status status = hy__import_begin(&im, a, options, report, err);
  if (status == HY_OK) status = import_all(&im, runtime, err);
  hy__import_end(&im);
  if (status == HY_OK)
    *out = im.report;
  else
    hy_import_report_destroy(im.report);
  return status;
}
