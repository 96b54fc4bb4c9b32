/* SPDX-License-Identifier: Apache-2.0
 * Reports of checks: a row for each feature, facts about the whole, findings with their places; as
 * a table for people and as JSON. */
#include "feature/check/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "codec/codec.h"

enum { TEXT_BYTES = 300, CELL_BYTES = 48 };

/* ---- making one ---- */

hy_status hy__check_begin(hy__check_task *t, const char *name, const hy__check_column *columns,
                          size_t n_columns, hy_error *err) {
  hy_features_check *c = t->report;
  void *memory;
  c->name = name;
  c->columns = columns;
  c->n_columns = n_columns;
  c->n_features = t->f->n_features;
  HY_TRY(hy__arena_array(c->arena, c->n_features, sizeof(char *), &memory, err));
  c->features = memory;
  HY_TRY(hy__arena_array(c->arena, c->n_features * n_columns, sizeof(double), &memory, err));
  c->cells = memory;
  for (size_t i = 0; i < c->n_features; i++) {
    const char *text = t->f->names[i];
    HY_TRY(hy__arena_text(c->arena, text, strlen(text), &c->features[i], err));
  }
  return HY_OK;
}

void hy__check_fact(hy_features_check *c, hy__check_column what, double value) {
  HY_ASSERT(c->n_facts < HY__CHECK_FACTS_MAX);
  c->facts[c->n_facts] = what;
  c->fact[c->n_facts++] = value;
}

hy_status hy__check_find(hy_features_check *c, const hy_universe_info *info, hy__check_place place,
                         hy_error *err, const char *format, ...) {
  if (c->n_findings++ >= HY__CHECK_FINDINGS_MAX) return HY_OK;
  hy__check_finding *found = &c->findings[c->n_findings - 1];
  char text[TEXT_BYTES];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  found->feature = (uint32_t)place.feature;
  HY_TRY(hy__arena_text(c->arena, text, strlen(text), &found->what, err));
  if (place.symbol == SIZE_MAX) return HY_OK;
  const char *symbol = info->symbols[place.symbol];
  found->bar = place.bar;
  found->time_ns = info->time_ns[place.bar];
  return hy__arena_text(c->arena, symbol, strlen(symbol), &found->symbol, err);
}

static hy_status run_kind(hy__check_task *t, hy_check_kind kind, hy_error *err) {
  switch (kind) {
  case HY_CHECK_LOOKAHEAD: return hy__check_lookahead(t, err);
  case HY_CHECK_RECURSIVE: return hy__check_recursive(t, err);
  case HY_CHECK_COVERAGE: return hy__check_coverage(t, err);
  case HY_CHECK_BENCH: return hy__check_bench(t, err);
  case HY_CHECK_PARITY: return hy__check_parity(t, err);
  default: break;
  }
  HY_FAIL(HY_INVALID_ARGUMENT, err, "there is no check %d", (int)kind);
}

hy_status hy_features_check_run(const hy_features *f, const hy_universe *universe,
                                hy_check_kind kind, const hy_features_check_options *options,
                                hy_features_check **out, hy_error *err) {
  HY_FAIL_IF(!f || !universe || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_check_run: features, universe and out must be given");
  void *memory;
  hy__check_task task = {.f = f, .universe = universe, .info = {.struct_size = sizeof task.info}};
  hy_universe_describe(universe, &task.info);
  if (options) memcpy(&task.options, options, HY_MIN(options->struct_size, sizeof task.options));
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy_features_check), &memory, err));
  task.report = memory;
  task.report->allocator = f->allocator;
  hy_status status = hy__arena_create(f->allocator, 16384, 0, &task.report->arena, err);
  if (status == HY_OK) status = run_kind(&task, kind, err);
  if (status == HY_OK)
    *out = task.report;
  else
    hy_features_check_destroy(task.report);
  return status;
}

void hy_features_check_destroy(hy_features_check *c) {
  if (!c) return;
  hy__arena_destroy(c->arena);
  hy__free(c->allocator, c, sizeof *c);
}

bool hy_features_check_passed(const hy_features_check *c) { return c->n_findings == 0; }

/* ---- as JSON ---- */

static void put_value(hy__json_writer *w, const hy__check_column *column, double value) {
  hy__json_key(w, column->key);
  const bool whole = column->unit != HY__CHECK_SHARE && column->unit != HY__CHECK_REAL &&
                     column->unit != HY__CHECK_NS;
  if (isnan(value))
    hy__json_null(w);
  else if (whole)
    hy__json_i64(w, (int64_t)value);
  else
    hy__json_f64(w, value);
}

static void put_finding(hy__json_writer *w, const hy_features_check *c,
                        const hy__check_finding *f) {
  hy__json_object_begin(w);
  hy__json_member_text(w, "feature", c->features[f->feature]);
  hy__json_member_text(w, "symbol", f->symbol);
  if (f->symbol) {
    hy__json_member_i64(w, "bar", (int64_t)f->bar);
    hy__json_member_i64(w, "time_ns", f->time_ns);
  }
  hy__json_member_text(w, "what", f->what);
  hy__json_object_end(w);
}

static size_t kept(const hy_features_check *c) {
  return HY_MIN(c->n_findings, (size_t)HY__CHECK_FINDINGS_MAX);
}

static hy_status write_json(const hy_features_check *c, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "check", c->name);
  hy__json_member_bool(&w, "passed", c->n_findings == 0);
  for (size_t i = 0; i < c->n_facts; i++) put_value(&w, &c->facts[i], c->fact[i]);
  hy__json_key(&w, "features");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < c->n_features; i++) {
    hy__json_object_begin(&w);
    hy__json_member_text(&w, "name", c->features[i]);
    for (size_t k = 0; k < c->n_columns; k++)
      put_value(&w, &c->columns[k], c->cells[i * c->n_columns + k]);
    hy__json_object_end(&w);
  }
  hy__json_array_end(&w);
  hy__json_member_i64(&w, "n_findings", (int64_t)c->n_findings);
  hy__json_key(&w, "findings");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < kept(c); i++) put_finding(&w, c, &c->findings[i]);
  hy__json_array_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

/* ---- as text ---- */

static void cell_text(const hy__check_column *column, double value, char text[CELL_BYTES]) {
  if (column->unit == HY__CHECK_TIME && !isnan(value))
    hy__time_format((int64_t)value, text);
  else if (isnan(value))
    snprintf(text, CELL_BYTES, column->unit == HY__CHECK_BARS ? "never" : "-");
  else if (column->unit == HY__CHECK_SHARE)
    snprintf(text, CELL_BYTES, "%.2f %%", 100 * value);
  else if (column->unit == HY__CHECK_REAL)
    snprintf(text, CELL_BYTES, "%.3g", value);
  else if (column->unit == HY__CHECK_NS)
    snprintf(text, CELL_BYTES, "%.2f", value);
  else
    snprintf(text, CELL_BYTES, "%.0f", value);
}

static size_t names_width(const hy_features_check *c) {
  size_t width = strlen("feature");
  for (size_t i = 0; i < c->n_features; i++) width = HY_MAX(width, strlen(c->features[i]));
  return HY_MIN(width, 48);
}

static size_t column_width(const hy_features_check *c, size_t column) {
  char text[CELL_BYTES];
  size_t width = strlen(c->columns[column].title);
  for (size_t i = 0; i < c->n_features; i++) {
    cell_text(&c->columns[column], c->cells[i * c->n_columns + column], text);
    width = HY_MAX(width, strlen(text));
  }
  return width;
}

static hy_status write_table(const hy_features_check *c, const hy_sink *sink, hy_error *err) {
  const int names = (int)names_width(c);
  int widths[HY__CHECK_COLUMNS_MAX];
  char text[CELL_BYTES];
  HY_TRY(hy__sink_printf(sink, err, "%-*s", names, "feature"));
  for (size_t k = 0; k < c->n_columns; k++) {
    widths[k] = (int)column_width(c, k);
    HY_TRY(hy__sink_printf(sink, err, "  %*s", widths[k], c->columns[k].title));
  }
  for (size_t i = 0; i < c->n_features; i++) {
    HY_TRY(hy__sink_printf(sink, err, "\n%-*s", names, c->features[i]));
    for (size_t k = 0; k < c->n_columns; k++) {
      cell_text(&c->columns[k], c->cells[i * c->n_columns + k], text);
      HY_TRY(hy__sink_printf(sink, err, "  %*s", widths[k], text));
    }
  }
  return hy__sink_text(sink, "\n", err);
}

static hy_status write_finding(const hy_features_check *c, const hy__check_finding *f,
                               const hy_sink *sink, hy_error *err) {
  char time[CELL_BYTES];
  HY_TRY(hy__sink_printf(sink, err, "found: %s", c->features[f->feature]));
  if (f->symbol) {
    hy__time_format(f->time_ns, time);
    HY_TRY(hy__sink_printf(sink, err, ", %s at %s (bar %zu)", f->symbol, time, f->bar));
  }
  return hy__sink_printf(sink, err, ": %s\n", f->what);
}

static hy_status write_text(const hy_features_check *c, const hy_sink *sink, hy_error *err) {
  char text[CELL_BYTES];
  HY_TRY(write_table(c, sink, err));
  for (size_t i = 0; i < kept(c); i++) HY_TRY(write_finding(c, &c->findings[i], sink, err));
  if (c->n_findings > kept(c))
    HY_TRY(hy__sink_printf(sink, err, "and %zu more\n", c->n_findings - kept(c)));
  HY_TRY(hy__sink_printf(sink, err, "%s: %s", c->name, c->n_findings ? "failed" : "passed"));
  for (size_t i = 0; i < c->n_facts; i++) {
    cell_text(&c->facts[i], c->fact[i], text);
    HY_TRY(hy__sink_printf(sink, err, ", %s %s", text, c->facts[i].title));
  }
  return hy__sink_text(sink, "\n", err);
}

hy_status hy_features_check_write(const hy_features_check *c, bool json, const hy_sink *sink,
                                  hy_error *err) {
  HY_FAIL_IF(!c || !sink, HY_INVALID_ARGUMENT, err,
             "hy_features_check_write: check and sink must be given");
  return json ? write_json(c, sink, err) : write_text(c, sink, err);
}
