/* SPDX-License-Identifier: Apache-2.0
 * The ranked table and the evaluation for people, as plain text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "score/result.h"

enum { NAME_WIDTH_MAX = 24 };

/* Significant digits that keep a column short: 0.0123, 12.3, 1.2e-07. */
static void short_number(double v, char *text, size_t bytes) {
  if (isnan(v)) {
    snprintf(text, bytes, "-");
  } else {
    snprintf(text, bytes, "%.5g", v);
  }
}

static int symbol_width(const hy_score_result *r) {
  size_t width = 6;
  for (size_t s = 0; s < r->n_symbols; s++) width = HY_MAX(width, strlen(r->info.symbols[s]));
  return (int)HY_MIN(width, (size_t)NAME_WIDTH_MAX);
}

static hy_status table_row(const hy_score_result *r, size_t row, size_t s, int width,
                           const hy_sink *sink, hy_error *err) {
  size_t cell = hy__result_cell(r, row, s);
  char score[32], close[32], rank[16] = "-", change[16] = "", age[16] = "-";
  short_number(r->score[cell], score, sizeof score);
  short_number(r->close[cell], close, sizeof close);
  if (r->rank[cell]) snprintf(rank, sizeof rank, "%u", r->rank[cell]);
  int32_t moved = hy__result_rank_change(r, row, s);
  if (moved != INT32_MIN) snprintf(change, sizeof change, moved ? "%+d" : "=", moved);
  if (r->age_bars[cell] != UINT32_MAX) snprintf(age, sizeof age, "%u", r->age_bars[cell]);
  uint8_t flag = r->flag[cell];
  return hy__sink_printf(sink, err, "%5s %6s  %-*.*s %12s %12s %5s  %s\n", rank, change, width,
                         width, r->info.symbols[s], score, close, age,
                         flag ? hy__flag_word(flag) : "");
}

static hy_status explain_flags(const hy_score_result *r, size_t row, const hy_sink *sink,
                               hy_error *err) {
  static const char *const texts[] = {
#define HY_FLAG(number, name, word, text) [number] = text,
#include "score/flag.inc"
#undef HY_FLAG
  };
  size_t count[HY_COUNT(texts)] = {0};
  for (size_t s = 0; s < r->n_symbols; s++) count[r->flag[hy__result_cell(r, row, s)]]++;
  for (size_t k = 1; k < HY_COUNT(texts); k++) {
    if (!count[k]) continue;
    HY_TRY(hy__sink_printf(sink, err, "  %s: %zu of %zu symbols: %s\n", hy__flag_word((uint8_t)k),
                           count[k], r->n_symbols, texts[k]));
  }
  if (r->read_error.status == HY_OK) return HY_OK;
  char text[sizeof(hy_error)];
  hy_error_format(&r->read_error, text, sizeof text);
  return hy__sink_printf(sink, err, "  read_error: %s\n", text);
}

static hy_status ranked_rows(const hy_score_result *r, size_t row, size_t limit,
                             const uint32_t *order, const hy_sink *sink, hy_error *err) {
  size_t n = r->n_symbols, head = n, tail = 0;
  if (limit && limit < n) {
    /* The ends are what a desk trades: half from the top, half from the bottom. */
    head = limit - limit / 2;
    tail = limit / 2;
  }
  int width = symbol_width(r);
  HY_TRY(hy__sink_printf(sink, err, "%5s %6s  %-*s %12s %12s %5s  %s\n", "rank", "change", width,
                         "symbol", "score", "close", "age", "flags"));
  for (size_t k = 0; k < head; k++) HY_TRY(table_row(r, row, order[k], width, sink, err));
  if (tail) HY_TRY(hy__sink_printf(sink, err, "  ... %zu more ...\n", n - head - tail));
  for (size_t k = n - tail; k < n; k++) HY_TRY(table_row(r, row, order[k], width, sink, err));
  return HY_OK;
}

static void metric_text(double v, char format, char *text, size_t bytes) {
  if (isnan(v)) {
    snprintf(text, bytes, "-");
  } else if (format == 'p') {
    snprintf(text, bytes, "%.3f %%", v * 100);
  } else {
    snprintf(text, bytes, "%.4f", v);
  }
}

static hy_status evaluation_table(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  const hy__evaluation *e[] = {&r->evaluation, &r->baselines[HY__BASELINE_ZERO],
                               &r->baselines[HY__BASELINE_LAST_RETURN]};
  HY_TRY(hy__sink_printf(sink, err,
                         "\nevaluation over %zu bars, %zu labels%s\n%-14s %12s %12s %12s\n",
                         r->n_rows - r->n_lead, r->evaluation.n_labels,
                         r->evaluation.over_time ? " (one series: correlations over time)" : "", "",
                         "model", "zero", "last return"));
#define HY_METRIC(field, label, format, doc)                                                       \
  {                                                                                                \
    char text[3][32];                                                                              \
    for (int k = 0; k < 3; k++) metric_text(e[k]->field, #format[0], text[k], sizeof text[k]);     \
    HY_TRY(                                                                                        \
        hy__sink_printf(sink, err, "%-14s %12s %12s %12s\n", label, text[0], text[1], text[2]));   \
  }
#include "score/metric.inc"
#undef HY_METRIC
  return HY_OK;
}

hy_status hy_score_write_table(const hy_score_result *r, size_t limit, const hy_sink *sink,
                               hy_error *err) {
  HY_FAIL_IF(!r || !sink, HY_INVALID_ARGUMENT, err, "result and sink are required");
  size_t row = r->n_rows - 1;
  char time[40];
  hy__time_format(hy__result_time_ns(r, row), time);
  HY_TRY(hy__sink_printf(sink, err, "%s at %s: %zu of %zu symbols scored\n", r->pipeline->name,
                         time, r->totals.scored, r->totals.symbols));
  if (r->history == HY_HISTORY_STABLE) {
    HY_TRY(hy__sink_printf(
        sink, err,
        "history: %zu bars before the first row, from where a start elsewhere moves no "
        "feature by more than 1e-9 of its scale\n",
        r->history_bars));
  }
  void *order = NULL;
  HY_TRY(hy__alloc_array(r->allocator, r->n_symbols, sizeof(uint32_t), &order, err));
  hy__result_order(r, row, order);
  hy_status status = ranked_rows(r, row, limit, order, sink, err);
  hy__free(r->allocator, order, r->n_symbols * sizeof(uint32_t));
  if (status == HY_OK) status = explain_flags(r, row, sink, err);
  if (status == HY_OK && r->evaluated) status = evaluation_table(r, sink, err);
  return status;
}
