/* SPDX-License-Identifier: Apache-2.0
 * Between the reading and the settling of an import: the rows are trades, and become bars by the
 * same steps as a feed's trades do. */
#include <hayate/tick.h>

#include <math.h>

#include "market/import.h"

enum { N_FIELDS = 7 };

typedef struct work {
  hy__import *im;
  hy_ticks *ticks;
  hy__rows bars;
  int32_t price, size, flags;
  int64_t last_ns;      /* of all trades */
  hy_tick_bar *closing; /* [symbol] */
} work;

/* ---- columns ---- */

static int32_t find_column(const hy__import *im, const char *const *names, size_t n) {
  for (size_t k = 0; k < n; k++) {
    const int32_t field = hy__universe_find(im->fields, im->n_fields, names[k]);
    if (field >= 0) return field;
  }
  return -1;
}

static hy_status find_columns(work *w, hy_error *err) {
  static const char *const prices[] = {"close"}; /* what a column `price` is called */
  static const char *const sizes[] = {"size", "volume", "qty", "quantity", "amount"};
  static const char *const flags[] = {"flags", "flag", "cancelled"};
  w->price = find_column(w->im, prices, HY_COUNT(prices));
  w->size = find_column(w->im, sizes, HY_COUNT(sizes));
  w->flags = find_column(w->im, flags, HY_COUNT(flags));
  HY_FAIL_IF(w->price < 0 || w->size < 0, HY_BAD_FORMAT, err,
             "no column %s in the trades; expected time, symbol, price, size and perhaps flags",
             w->price < 0 ? "price" : "size");
  for (size_t k = 0; k < HY_COUNT(flags); k++)
    HY_FAIL_IF(strstr(w->im->report->ignored, flags[k]), HY_UNSUPPORTED, err,
               "the column %s is not of numbers: 0 or empty keeps a trade, another drops it",
               flags[k]);
  return HY_OK;
}

/* ---- trades to bars ---- */

static hy_status add_bar(work *w, const hy_tick_bar *bar, hy_error *err) {
  hy__row *row;
  HY_TRY(hy__rows_add(&w->bars, &row, err));
  row->time_ns = bar->time_ns;
  row->symbol = (uint32_t)bar->symbol;
  row->flags = 0;
  const double values[N_FIELDS] = {
      bar->open, bar->high, bar->low, bar->close, bar->volume, (double)bar->n_trades, bar->vwap};
  memcpy(row->value, values, sizeof values);
  return HY_OK;
}

static hy_status push_row(work *w, const hy__row *row, hy_error *err) {
  const double flags = w->flags < 0 ? 0 : row->value[w->flags];
  const hy_trade trade = {.time_ns = row->time_ns,
                          .price = row->value[w->price],
                          .size = row->value[w->size],
                          .symbol = row->symbol,
                          .flags = flags != 0 && flags == flags};
  hy_tick_bar bar;
  size_t n;
  HY_FAIL_IF(row->flags & HY_ROW_DATE, HY_BAD_FORMAT, err,
             "the trades' stamps are dates; expected a time of day");
  w->last_ns = HY_MAX(w->last_ns, row->time_ns);
  if (!trade.flags && !(trade.price > 0 && trade.size >= 0)) {
    w->im->report->counts.bad_trades++;
    return HY_OK;
  }
  HY_TRY(hy_ticks_push(w->ticks, &trade, 1, &bar, &n, err));
  return n ? add_bar(w, &bar, err) : HY_OK;
}

static hy_status push_rows(work *w, hy_error *err) {
  for (size_t s = 0; s < w->im->symbols.n; s++)
    for (size_t k = 0; k < w->im->series[s].n; k++)
      HY_TRY(push_row(w, hy__rows_at(&w->im->rows, w->im->series[s].row[k]), err));
  return HY_OK;
}

/* Time bars that end by the last trade of all have closed. */
static hy_status close_bars(work *w, hy_error *err) {
  hy_ticks_info info = {.struct_size = sizeof info};
  size_t n;
  HY_TRY(hy_ticks_close(w->ticks, w->last_ns, w->closing, &n, err));
  for (size_t k = 0; k < n; k++) HY_TRY(add_bar(w, &w->closing[k], err));
  hy_ticks_describe(w->ticks, &info);
  hy__import_counts *counts = &w->im->report->counts;
  counts->dropped_trades = info.n_dropped;
  counts->open_trades = info.n_open;
  counts->moved_bars = info.n_moved;
  HY_FAIL_IF(w->bars.n_rows == 0, HY_NEED_MORE_DATA, err, "the %llu trades do not fill a bar of %s",
             (unsigned long long)info.n_trades, w->im->options->bars);
  return HY_OK;
}

/* The bars take the trades' place. */
static hy_status replace_rows(work *w, hy_error *err) {
  static const char *const fields[N_FIELDS] = {"open",   "high",     "low", "close",
                                               "volume", "n_trades", "vwap"};
  hy__import *im = w->im;
  const char *text = im->options->bars, *source = im->report->source;
  hy__free(im->allocator, im->order, im->rows.n_rows * sizeof(uint32_t));
  im->order = NULL;
  hy__rows_destroy(&im->rows);
  im->rows = w->bars;
  w->bars = (hy__rows){0};
  im->n_fields = N_FIELDS;
  memcpy(im->fields, fields, sizeof fields);
  if (!strncmp(text, "time:", 5)) HY_TRY(hy__timeframe_parse(text + 5, &im->timeframe_ns, err));
  return hy__arena_printf(im->report->arena, &im->report->source, err, "%s; bars %s%s", source,
                          text, im->options->carry ? " carry" : "");
}

static hy_status make_bars(work *w, hy_runtime *runtime, hy_error *err) {
  hy__import *im = w->im;
  void *memory;
  const hy_ticks_options o = {.struct_size = sizeof o,
                              .n_symbols = im->symbols.n,
                              .bars = im->options->bars,
                              .remainder =
                                  im->options->carry ? HY_REMAINDER_CARRY : HY_REMAINDER_WHOLE,
                              .zone = im->options->zone,
                              .calendar = im->options->calendar};
  HY_TRY(hy_ticks_create(runtime, &o, &w->ticks, err));
  HY_TRY(hy__arena_array(im->arena, im->symbols.n, sizeof(hy_tick_bar), &memory, err));
  w->closing = memory;
  HY_TRY(push_rows(w, err));
  HY_TRY(close_bars(w, err));
  return replace_rows(w, err);
}

hy_status hy__import_ticks(hy__import *im, hy_runtime *runtime, hy_error *err) {
  work w = {.im = im, .last_ns = INT64_MIN};
  HY_TRY(find_columns(&w, err));
  HY_TRY(hy__import_sort(im, err));
  hy__rows_init(&w.bars, im->allocator, N_FIELDS);
  const hy_status status = make_bars(&w, runtime, err);
  if (w.bars.allocator) hy__rows_destroy(&w.bars);
  hy_ticks_destroy(w.ticks);
  return status;
}
