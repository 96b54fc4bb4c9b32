/* SPDX-License-Identifier: Apache-2.0
 * One text file into the row store, by its plan: the loop in which import spends its time. Stamps
 * and symbols that repeat the row before are not read again. */
#include <math.h>
#include <stdio.h>

#include "market/import.h"

typedef struct reading {
  hy__import *im;
  const hy__import_file *file;
  hy__csv csv;
  hy__stamp_form form;
  bool dates;    /* all stamps are dates, or midnights a day or more apart */
  size_t *group; /* first cell of each symbol's columns, and the end */
  size_t n_groups;
  uint32_t *symbol_of;                 /* [plan.n_symbols] */
  const char *stamp_text, *clock_text; /* of the row before */
  uint32_t stamp_len, clock_len;
  int64_t time_ns;
  uint32_t flags, last_symbol;
  bool any, zoned;
} reading;

static hy_status fail_field(const reading *r, size_t column, hy_error *err, const char *expected) {
  const hy__csv_field *f = column < r->csv.n_fields ? &r->csv.fields[column] : NULL;
  hy_status status = hy__error_set(err, HY_BAD_FORMAT, "expected %s, found \"%.*s\"", expected,
                                   f ? (int)HY_MIN(f->len_bytes, 60u) : 0, f ? f->text : "");
  hy__error_place(err, r->csv.line, f ? f->column : 0, f ? f->text - r->csv.begin : -1);
  return status;
}

/* Trailing empty columns are harmless; other widths are not. */
static hy_status check_width(const reading *r, hy_error *err) {
  const size_t expected = r->file->plan.n_columns;
  size_t n = r->csv.n_fields;
  while (n > expected && r->csv.fields[n - 1].len_bytes == 0) n--;
  if (n == expected) return HY_OK;
  hy_status status =
      hy__error_set(err, HY_BAD_FORMAT, "a row of %zu columns; expected %zu, as above",
                    r->csv.n_fields, expected);
  hy__error_place(err, r->csv.line, 1, r->csv.fields[0].text - r->csv.begin);
  return status;
}

/* --- stamps --- */

static bool row_stamp(const reading *r, hy__stamp_value *v) {
  const hy__plan *p = &r->file->plan;
  const hy__csv_field *date = &r->csv.fields[p->date];
  if (!hy__stamp_parse(r->form, date->text, date->len_bytes, v)) return false;
  if (p->clock < 0) return true;
  const hy__csv_field *clock = &r->csv.fields[p->clock];
  return hy__stamp_clock(clock->text, clock->len_bytes, v);
}

/* The zone of wall clocks: the option's, else the dialect's. */
static hy_status need_zone(reading *r, hy_error *err) {
  hy__import *im = r->im;
  const char *name = im->options->zone ? im->options->zone : r->file->plan.zone;
  HY_FAIL_IF(!name, HY_INVALID_ARGUMENT, err,
             "the %s dialect does not say its zone (%s): give --zone", r->file->plan.dialect,
             r->file->plan.zone_hint);
  if (im->zone && strcmp(name, im->zone_name) == 0) return HY_OK;
  HY_FAIL_IF(im->zone, HY_UNSUPPORTED, err,
             "files in the zones %s and %s in one import: give --zone", im->zone_name, name);
  HY_TRY(hy__zone_open(im->allocator, name, &im->zone, err));
  im->zone_name = name;
  hy__walls_init(&im->walls, im->zone);
  return HY_OK;
}

/* The second time of an hour that happens twice shows by the file stepping back, or by the same
 * symbol again. */
static hy_status stamp_utc(reading *r, const hy__stamp_value *v, uint32_t symbol, hy_error *err) {
  int64_t later_s = v->wall_s, utc_s = v->wall_s, ns;
  const int64_t before_ns = r->time_ns;
  r->flags = r->dates ? HY_ROW_DATE : 0;
  if (!r->dates) {
    r->im->any_clock = true;
    if (!v->is_utc) {
      if (!r->zoned) HY_TRY(need_zone(r, err));
      r->zoned = true;
      utc_s = hy__walls_utc_s(&r->im->walls, v->wall_s, &later_s);
    }
  }
  if (!hy__mul_i64(utc_s, HY_NS_PER_S, &ns) || !hy__add_i64(ns, v->ns, &r->time_ns))
    return fail_field(r, (size_t)r->file->plan.date, err, "a time between the years 1678 and 2261");
  if (later_s == utc_s) return HY_OK;
  r->flags |= HY_ROW_LATER;
  if (r->any && (r->time_ns < before_ns || (r->time_ns == before_ns && symbol == r->last_symbol)))
    r->time_ns += (later_s - utc_s) * HY_NS_PER_S;
  return HY_OK;
}

/* Equal texts, eight bytes at a time: shorter than a call. */
static inline bool same_text(const hy__csv_field *f, const char *text, uint32_t len_bytes) {
  if (f->len_bytes != len_bytes) return false;
  uint32_t k = 0;
  for (; k + 8 <= len_bytes; k += 8) {
    uint64_t a, b;
    memcpy(&a, f->text + k, 8);
    memcpy(&b, text + k, 8);
    if (a != b) return false;
  }
  for (; k < len_bytes; k++)
    if (f->text[k] != text[k]) return false;
  return true;
}

static hy_status read_stamp(reading *r, uint32_t symbol, hy_error *err) {
  const hy__plan *p = &r->file->plan;
  const hy__csv_field *date = &r->csv.fields[p->date];
  const hy__csv_field *clock = p->clock < 0 ? NULL : &r->csv.fields[p->clock];
  const bool same = r->any && same_text(date, r->stamp_text, r->stamp_len) &&
                    (!clock || same_text(clock, r->clock_text, r->clock_len));
  if (same && !((r->flags & HY_ROW_LATER) && symbol == r->last_symbol)) return HY_OK;
  hy__stamp_value v;
  if (!row_stamp(r, &v)) {
    char expected[96];
    (void)snprintf(expected, sizeof expected, "a time such as %s", hy__stamp_form_name(r->form));
    return fail_field(r, (size_t)p->date, err, expected);
  }
  if (r->dates && (v.wall_s % HY_S_PER_DAY || v.ns) && !v.is_utc)
    return fail_field(r, (size_t)(clock ? p->clock : p->date), err, "a date, as in the rows above");
  if (r->dates && v.is_utc) { /* a midnight with its offset: the date as written counts */
    hy__stamp_value written;
    const size_t n = HY_MIN(date->len_bytes, 10u);
    if (r->form != HY_FORM_EPOCH && hy__stamp_parse(r->form, date->text, n, &written)) v = written;
  }
  HY_TRY(stamp_utc(r, &v, symbol, err));
  r->stamp_text = date->text, r->stamp_len = date->len_bytes;
  if (clock) r->clock_text = clock->text, r->clock_len = clock->len_bytes;
  return HY_OK;
}

static bool is_midnight(const hy__csv_field *f, hy__stamp_form form, const hy__stamp_value *v) {
  hy__stamp_value written;
  if (!v->has_clock) return true;
  if (form == HY_FORM_EPOCH || !v->is_utc) return v->wall_s % HY_S_PER_DAY == 0 && v->ns == 0;
  /* 2024-01-02 00:00:00-05:00: the clock as written */
  size_t n = 0;
  while (n < f->len_bytes && f->text[n] != '+' && f->text[n] != 'Z' &&
         !(n > 10 && f->text[n] == '-'))
    n++;
  return hy__stamp_parse(form, f->text, n, &written) && written.wall_s % HY_S_PER_DAY == 0;
}

typedef struct survey {
  unsigned forms; /* that all stamps so far could have */
  bool dates;
  int n_stamps; /* different ones in a row */
  const hy__csv_field *field;
  char last[64];
  uint32_t last_len;
} survey;

static void survey_row(survey *s, const reading *r) {
  const hy__csv_field *f = &r->csv.fields[r->file->plan.date];
  if (same_text(f, s->last, s->last_len) || f->len_bytes > sizeof s->last) return;
  memcpy(s->last, f->text, f->len_bytes);
  s->last_len = f->len_bytes;
  const unsigned forms = hy__stamp_forms(f->text, f->len_bytes);
  if (forms & s->forms) s->forms &= forms;
  if (s->n_stamps++ > 64) return;
  hy__stamp_value v;
  const hy__stamp_form form = (hy__stamp_form)(s->forms & -s->forms);
  if (r->file->plan.clock >= 0)
    s->dates = false;
  else if (hy__stamp_parse(form, f->text, f->len_bytes, &v))
    s->dates = s->dates && is_midnight(f, form, &v);
}

static bool survey_done(const survey *s) {
  return s->n_stamps >= 4 && (s->forms & (s->forms - 1)) == 0;
}

/* Which form the stamps have: proven by the data, or declared. Looks no further than it must. */
static hy_status find_form(reading *r, hy_error *err) {
  const char *order = r->im->options->date_order;
  survey s = {.forms = ~0u, .dates = true};
  const hy__csv start = r->csv;
  if (order) s.forms = ~(unsigned)(strcmp(order, "dmy") == 0 ? HY_FORM_MDY : HY_FORM_DMY);
  while (!survey_done(&s)) {
    HY_TRY(hy__csv_next(&r->csv, err));
    if (r->csv.n_fields == 0) break;
    if ((size_t)r->file->plan.date < r->csv.n_fields) survey_row(&s, r);
  }
  r->csv = start;
  r->dates = s.dates;
  if (s.forms == ~0u || s.n_stamps == 0)
    s.forms = HY_FORM_YMD; /* no time at all: the loop says so */
  HY_FAIL_IF((s.forms & (s.forms - 1)) && (s.forms & ~(unsigned)(HY_FORM_DMY | HY_FORM_MDY)) == 0,
             HY_BAD_FORMAT, err,
             "dates such as %.*s could be day first or month first: give --date-order dmy or mdy",
             (int)s.last_len, s.last);
  r->form = (hy__stamp_form)(s.forms & -s.forms);
  return HY_OK;
}

/* --- values --- */

/* What the short way did not read: other marks, missing values, or an error. */
static hy_status odd_value(const reading *r, uint32_t column, double *out, hy_error *err) {
  const hy__csv_field *f = &r->csv.fields[column];
  const char decimal = r->file->decimal;
  hy__import_counts *counts = &r->im->report->counts;
  bool good = hy__csv_is_missing(f->text, f->len_bytes);
  if (good)
    *out = (double)NAN;
  else
    good = (decimal == '.' && hy__csv_f64(f->text, f->len_bytes, r->csv.end, out)) ||
           hy__csv_f64_grouped(f->text, f->len_bytes, decimal, out);
  if (!good) return fail_field(r, column, err, "a number");
  if (isfinite(*out)) return HY_OK;
  if (isnan(*out))
    counts->missing_values++;
  else
    counts->infinite_values++;
  *out = (double)NAN;
  return HY_OK;
}

static hy_status read_cells(reading *r, size_t group, uint32_t symbol, hy_error *err) {
  const hy__plan *p = &r->file->plan;
  const size_t begin = r->group[group], end = r->group[group + 1];
  hy__row *row;
  bool any = false;
  HY_TRY(hy__rows_add(&r->im->rows, &row, err));
  row->time_ns = r->time_ns;
  row->symbol = symbol;
  row->flags = r->flags;
  if (end - begin != r->im->n_fields)
    for (size_t k = 0; k < r->im->n_fields; k++) row->value[k] = (double)NAN;
  for (size_t k = begin; k < end; k++) {
    const hy__cell_column *cell = &p->cells[k];
    const hy__csv_field *f = &r->csv.fields[cell->column];
    double value;
    if (r->file->decimal != '.' || !hy__csv_f64(f->text, f->len_bytes, r->csv.end, &value) ||
        !isfinite(value))
      HY_TRY(odd_value(r, cell->column, &value, err));
    any = any || !isnan(value);
    row->value[r->file->field_of[cell->field]] = value;
  }
  if (!any && p->cells[begin].symbol >= 0) { /* a panel's empty place is no bar */
    r->im->rows.n_rows--;
    r->im->report->counts.missing_values -= end - begin;
  }
  return HY_OK;
}

/* The head again, where files were joined. */
static bool is_head(const reading *r) {
  const hy__plan *p = &r->file->plan;
  const hy__csv_field *f = &r->csv.fields[p->date];
  const char *field;
  if (p->skip_lines == 0) return false;
  const hy__role role = hy__column_role(f, &field);
  return role == HY_ROLE_DATE || role == HY_ROLE_CLOCK || role == HY_ROLE_STAMP;
}

static hy_status row_symbol(reading *r, uint32_t *out, hy_error *err) {
  const int32_t column = r->file->plan.symbol;
  if (column < 0) {
    *out = r->symbol_of[0];
    return HY_OK;
  }
  const hy__csv_field *f = &r->csv.fields[column];
  hy_status status = hy__symbols_find(&r->im->symbols, f->text, f->len_bytes, out, err);
  if (status != HY_OK) hy__error_place(err, r->csv.line, f->column, f->text - r->csv.begin);
  return status;
}

static hy_status read_row(reading *r, hy_error *err) {
  uint32_t symbol;
  if (r->csv.n_fields != r->file->plan.n_columns) HY_TRY(check_width(r, err));
  const hy__csv_field *date = &r->csv.fields[r->file->plan.date];
  if (date->len_bytes && date->text[0] > '9' && is_head(r)) {
    r->im->report->counts.repeated_heads++;
    return HY_OK;
  }
  HY_TRY(row_symbol(r, &symbol, err));
  HY_TRY(read_stamp(r, symbol, err));
  for (size_t g = 0; g < r->n_groups; g++)
    HY_TRY(read_cells(r, g, r->n_groups == 1 ? symbol : r->symbol_of[g], err));
  r->any = true;
  r->last_symbol = symbol;
  r->im->report->n_rows++;
  return HY_OK;
}

static hy_status find_groups(reading *r, hy_error *err) {
  const hy__plan *p = &r->file->plan;
  void *memory;
  HY_TRY(hy__arena_array(r->im->scratch, p->n_cells + 1, sizeof(size_t), &memory, err));
  r->group = memory;
  for (size_t k = 0; k < p->n_cells; k++)
    if (k == 0 || p->cells[k].symbol != p->cells[k - 1].symbol) r->group[r->n_groups++] = k;
  r->group[r->n_groups] = p->n_cells;
  HY_TRY(hy__arena_array(r->im->scratch, p->n_symbols + 1, sizeof(uint32_t), &memory, err));
  r->symbol_of = memory;
  const char *own = r->im->options->symbol;
  for (size_t k = 0; k < p->n_symbols; k++) {
    const char *name = own && p->n_symbols == 1 ? own : p->symbols[k];
    HY_TRY(hy__symbols_find(&r->im->symbols, name, strlen(name), &r->symbol_of[k], err));
  }
  return HY_OK;
}

hy_status hy__import_read(hy__import *im, const hy__import_file *file, const hy__source *source,
                          hy_error *err) {
  reading r = {.im = im, .file = file};
  const hy_import_options *o = im->options;
  HY_TRY(find_groups(&r, err));
  r.csv.fields = im->csv_fields;
  r.csv.max_fields = HY_CSV_FIELDS_MAX;
  hy__csv_init(&r.csv, source->text, source->bytes, file->delimiter);
  hy__csv_skip_lines(&r.csv, file->plan.skip_lines);
  HY_TRY(find_form(&r, err));
  for (uint64_t n = 1;; n++) {
    HY_TRY(hy__csv_next(&r.csv, err));
    if (r.csv.n_fields == 0) break;
    HY_TRY(read_row(&r, err));
    if (n % 65536 || !o->progress) continue;
    const uint64_t done = im->report->bytes_read + (uint64_t)(r.csv.pos - r.csv.begin);
    HY_FAIL_IF(!o->progress(o->progress_ctx, done, 0, "bytes"), HY_CANCELLED, err,
               "stopped on request; nothing was written");
  }
  HY_FAIL_IF(!r.any, HY_BAD_FORMAT, err, "no bar after the head; expected at least one row");
  return HY_OK;
}
