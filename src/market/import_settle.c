/* SPDX-License-Identifier: Apache-2.0
 * From rows to a universe's axis: order, timeframe, close times, duplicates, bars that cannot be,
 * the union of all times, and what is missing on it. Each step is a policy of docs/data-formats.md,
 * counted. */
#include <math.h>
#include <stdlib.h>

#include "market/import.h"

static const hy__row *row_of(const hy__import *im, uint32_t k) { return hy__rows_at(&im->rows, k); }

/* --- order --- */

/* A counting sort by symbol, which keeps the files' order within each. */
static hy_status split_by_symbol(hy__import *im, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_array(im->allocator, im->rows.n_rows, sizeof(uint32_t), &memory, err));
  im->order = memory;
  HY_TRY(hy__arena_array(im->arena, im->symbols.n, sizeof(hy__series), &memory, err));
  im->series = memory;
  for (size_t k = 0; k < im->rows.n_rows; k++) im->series[row_of(im, (uint32_t)k)->symbol].n++;
  uint32_t *at = im->order;
  for (size_t s = 0; s < im->symbols.n; s++) {
    im->series[s].row = at;
    at += im->series[s].n;
    im->series[s].n = 0;
  }
  for (size_t k = 0; k < im->rows.n_rows; k++) {
    hy__series *s = &im->series[row_of(im, (uint32_t)k)->symbol];
    s->row[s->n++] = (uint32_t)k;
  }
  return HY_OK;
}

typedef struct timed {
  int64_t time_ns;
  uint32_t row;
} timed;

static int by_time(const void *a, const void *b) {
  const timed *x = a, *y = b;
  if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
  return x->row < y->row ? -1 : x->row > y->row;
}

static hy_status sort_series(hy__import *im, hy__series *s, hy_error *err) {
  uint64_t n_back = 0;
  for (size_t k = 1; k < s->n; k++)
    n_back += row_of(im, s->row[k])->time_ns < row_of(im, s->row[k - 1])->time_ns;
  if (n_back == 0) return HY_OK;
  im->report->counts.out_of_order += n_back;
  void *memory;
  HY_TRY(hy__alloc_array(im->allocator, s->n, sizeof(timed), &memory, err));
  timed *list = memory;
  for (size_t k = 0; k < s->n; k++) list[k] = (timed){row_of(im, s->row[k])->time_ns, s->row[k]};
  qsort(list, s->n, sizeof(timed), by_time);
  for (size_t k = 0; k < s->n; k++) s->row[k] = list[k].row;
  hy__free(im->allocator, memory, s->n * sizeof(timed));
  return HY_OK;
}

hy_status hy__import_sort(hy__import *im, hy_error *err) {
  HY_TRY(split_by_symbol(im, err));
  for (size_t s = 0; s < im->symbols.n; s++) HY_TRY(sort_series(im, &im->series[s], err));
  return HY_OK;
}

/* --- timeframe --- */

enum { STEPS_MAX = 1 << 16, STEPS_PER_SYMBOL = 2048 };

static int by_value(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

static size_t collect_steps(const hy__import *im, int64_t *steps) {
  size_t n = 0;
  for (size_t s = 0; s < im->symbols.n; s++) {
    const hy__series *series = &im->series[s];
    const size_t end = HY_MIN(series->n, (size_t)STEPS_PER_SYMBOL);
    for (size_t k = 1; k < end && n < STEPS_MAX; k++) {
      const int64_t step =
          row_of(im, series->row[k])->time_ns - row_of(im, series->row[k - 1])->time_ns;
      if (step > 0) steps[n++] = step;
    }
  }
  return n;
}

/* The most frequent step and how many have it. */
static int64_t most_frequent(int64_t *steps, size_t n, size_t *count) {
  int64_t best = 0;
  *count = 0;
  qsort(steps, n, sizeof *steps, by_value);
  for (size_t k = 0, run = 0; k < n; k++) {
    run = k > 0 && steps[k] == steps[k - 1] ? run + 1 : 1;
    if (run > *count) *count = run, best = steps[k];
  }
  return best;
}

static hy_status infer_timeframe(hy__import *im, hy_error *err) {
  void *memory;
  size_t count;
  char text[24];
  const char *given = im->options->timeframe;
  if (given) HY_TRY(hy__timeframe_parse(given, &im->timeframe_ns, err));
  HY_FAIL_IF(hy__timeframe_months(im->timeframe_ns) && im->stamp != HY_STAMP_CLOSE,
             HY_INVALID_ARGUMENT, err,
             "--timeframe %.20s: the dates of months' bars must be their last days, --stamp close",
             given);
  if (given) return HY_OK;
  HY_TRY(hy__alloc_array(im->allocator, STEPS_MAX, sizeof(int64_t), &memory, err));
  const size_t n = collect_steps(im, memory);
  const int64_t step = most_frequent(memory, n, &count);
  hy__free(im->allocator, memory, STEPS_MAX * sizeof(int64_t));
  /* daily bars with many holes are still daily */
  const bool daily = !im->any_clock && step == HY_S_PER_DAY * HY_NS_PER_S;
  const bool even = (2 * count > n || daily) && step < 28 * HY_S_PER_DAY * HY_NS_PER_S;
  if (even)
    im->timeframe_ns = step;
  else if (n == 0 && !im->any_clock)
    im->timeframe_ns = HY_S_PER_DAY * HY_NS_PER_S;
  if (im->timeframe_ns || im->stamp == HY_STAMP_CLOSE) return HY_OK;
  hy__timeframe_format(step, text);
  HY_FAIL(
      HY_BAD_FORMAT, err,
      "the bars' length cannot be told (most frequent step %s, %zu of %zu): give --timeframe, or "
      "--stamp close if the stamps are closes",
      n ? text : "none", count, n);
}

/* --- close times --- */

static int64_t floor_day(int64_t s) { return s / HY_S_PER_DAY - (s % HY_S_PER_DAY < 0); }

static int64_t wall_to_utc_s(const hy__zone *zone, int64_t wall_s) {
  int64_t utc_s, later_s;
  (void)hy__zone_to_utc(zone, wall_s, &utc_s, &later_s);
  return utc_s;
}

/* The session of a local date, in UTC seconds. */
static bool session_on(const hy__import *im, int64_t days, int64_t *open_s, int64_t *close_s) {
  hy__hours hours = {0};
  if (!hy__calendar_hours(im->calendar, days, &hours)) return false;
  *open_s = wall_to_utc_s(im->calendar_zone, days * HY_S_PER_DAY + hours.open_s);
  *close_s = wall_to_utc_s(im->calendar_zone, days * HY_S_PER_DAY + hours.close_s);
  return true;
}

/* A bar of one date or more: it closes with the last session in them, or with the last day. */
static int64_t date_close_s(hy__import *im, int64_t time_ns) {
  const int64_t day_ns = HY_S_PER_DAY * HY_NS_PER_S;
  int64_t days = floor_day(time_ns / HY_NS_PER_S), open_s, close_s;
  const int64_t n =
      im->stamp == HY_STAMP_OPEN && im->timeframe_ns > day_ns ? im->timeframe_ns / day_ns : 1;
  days += n - 1;
  if (im->calendar) {
    for (int64_t back = 0; back < n; back++)
      if (session_on(im, days - back, &open_s, &close_s)) return close_s;
    im->report->counts.outside_sessions++;
  }
  return wall_to_utc_s(im->zone, (days + 1) * HY_S_PER_DAY);
}

typedef struct sessions { /* the one looked at last */
  int64_t open_s, close_s;
} sessions;

static bool find_session(const hy__import *im, sessions *last, int64_t utc_s) {
  if (utc_s >= last->open_s && utc_s < last->close_s) return true;
  const int64_t day = floor_day(utc_s + hy__zone_offset_s(im->calendar_zone, utc_s));
  for (int64_t k = day; k <= day + 1; k++) /* FX sessions begin the evening before */
    if (session_on(im, k, &last->open_s, &last->close_s) && utc_s >= last->open_s &&
        utc_s < last->close_s)
      return true;
  return false;
}

static int64_t clock_close_ns(hy__import *im, sessions *last, int64_t time_ns) {
  const bool opens = im->stamp != HY_STAMP_CLOSE;
  int64_t close_ns = opens ? time_ns + im->timeframe_ns : time_ns;
  if (!im->calendar) return close_ns;
  const int64_t inside_s = (opens ? time_ns : time_ns - 1) / HY_NS_PER_S;
  if (!find_session(im, last, inside_s))
    im->report->counts.outside_sessions++;
  else if (opens)
    close_ns = HY_MIN(close_ns, last->close_s * HY_NS_PER_S);
  return close_ns;
}

static void to_closes(hy__import *im) {
  sessions last = {0, 0};
  int64_t date_ns = INT64_MIN, date_close_ns = 0;
  for (size_t k = 0; k < im->rows.n_rows; k++) {
    hy__row *row = hy__rows_at(&im->rows, k);
    if (!(row->flags & HY_ROW_DATE)) {
      row->time_ns = clock_close_ns(im, &last, row->time_ns);
      continue;
    }
    if (row->time_ns != date_ns) date_close_ns = date_close_s(im, row->time_ns) * HY_NS_PER_S;
    date_ns = row->time_ns;
    row->time_ns = date_close_ns;
  }
}

/* --- bars that cannot be --- */

static bool is_price(const char *field) {
  static const char *const prices[] = {"open",      "high", "low", "close",
                                       "adj_close", "vwap", "bid", "ask"};
  for (size_t k = 0; k < HY_COUNT(prices); k++)
    if (strcmp(prices[k], field) == 0) return true;
  return false;
}

typedef struct rules {
  bool price[HY_UNIVERSE_FIELDS_MAX], volume[HY_UNIVERSE_FIELDS_MAX];
  int32_t open, high, low, close;
} rules;

static rules make_rules(const hy__import *im) {
  rules r = {.open = hy__universe_find(im->fields, im->n_fields, "open"),
             .high = hy__universe_find(im->fields, im->n_fields, "high"),
             .low = hy__universe_find(im->fields, im->n_fields, "low"),
             .close = hy__universe_find(im->fields, im->n_fields, "close")};
  for (size_t k = 0; k < im->n_fields; k++) {
    r.price[k] = is_price(im->fields[k]);
    r.volume[k] = strstr(im->fields[k], "volume") != NULL;
  }
  return r;
}

static bool outside(const hy__row *row, const rules *r, int32_t field) {
  if (field < 0 || isnan(row->value[field])) return false;
  return row->value[field] > row->value[r->high] || row->value[field] < row->value[r->low];
}

/* false: the bar is dropped. */
static bool bar_holds(hy__import *im, hy__row *row, const rules *r) {
  hy__import_counts *counts = &im->report->counts;
  bool any = false;
  for (size_t k = 0; k < im->n_fields; k++) {
    const bool bad_price = r->price[k] && row->value[k] <= 0;
    const bool bad_volume = r->volume[k] && row->value[k] < 0;
    counts->bad_prices += bad_price;
    counts->negative_volumes += bad_volume;
    if (bad_price || bad_volume) row->value[k] = (double)NAN;
    any = any || !isnan(row->value[k]);
  }
  counts->empty_bars += !any;
  if (!any || r->high < 0 || r->low < 0) return any;
  if (row->value[r->high] < row->value[r->low]) return counts->high_below_low++, false;
  counts->outside_range += outside(row, r, r->open) || outside(row, r, r->close);
  return true;
}

static bool same_values(const hy__import *im, const hy__row *a, const hy__row *b) {
  return memcmp(a->value, b->value, im->n_fields * sizeof(double)) == 0;
}

/* Of bars with one time the last in the files' order stays. */
static void drop_duplicates(hy__import *im, hy__series *s) {
  size_t n = 0;
  for (size_t k = 0; k < s->n; k++) {
    const hy__row *row = row_of(im, s->row[k]), *before = n ? row_of(im, s->row[n - 1]) : NULL;
    if (!before || before->time_ns != row->time_ns) {
      s->row[n++] = s->row[k];
      continue;
    }
    if (same_values(im, row, before))
      im->report->counts.duplicates_same++;
    else
      im->report->counts.duplicates_changed++;
    s->row[n - 1] = s->row[k];
  }
  s->n = n;
}

static void drop_bars(hy__import *im, hy__series *s, const rules *r) {
  size_t n = 0;
  for (size_t k = 0; k < s->n; k++)
    if (bar_holds(im, hy__rows_at(&im->rows, s->row[k]), r)) s->row[n++] = s->row[k];
  s->n = n;
}

/* --- the axis --- */

static bool is_on_axis(const hy__import *im, const hy__series *s) {
  size_t t = 0;
  for (size_t k = 0; k < s->n; k++, t++) {
    const int64_t at = row_of(im, s->row[k])->time_ns;
    while (t < im->n_axis && im->axis[t] < at) t++;
    if (t == im->n_axis || im->axis[t] != at) return false;
  }
  return true;
}

/* Both are sorted; the larger ends go first, so that the axis grows in place. */
static hy_status merge_into_axis(hy__import *im, const hy__series *s, hy_error *err) {
  void *memory = im->axis;
  if (is_on_axis(im, s)) return HY_OK;
  HY_TRY(hy__grow(im->allocator, &memory, &im->axis_capacity, im->n_axis + s->n, sizeof(int64_t),
                  err));
  im->axis = memory;
  size_t a = im->n_axis, b = s->n, to = im->n_axis + s->n;
  while (b > 0) {
    const int64_t next = row_of(im, s->row[b - 1])->time_ns;
    if (a > 0 && im->axis[a - 1] >= next) {
      b -= im->axis[a - 1] == next;
      im->axis[--to] = im->axis[--a];
    } else {
      im->axis[--to] = next;
      b--;
    }
  }
  const size_t n_rest =
      im->n_axis + s->n - to; /* between a and to lies a hole of the common times */
  memmove(im->axis + a, im->axis + to, n_rest * sizeof(int64_t));
  im->n_axis = a + n_rest;
  HY_FAIL_IF(im->n_axis > HY_UNIVERSE_BARS_MAX, HY_LIMIT, err, "more than %d different times",
             (int)HY_UNIVERSE_BARS_MAX);
  return HY_OK;
}

static size_t axis_index(const hy__import *im, int64_t time_ns) {
  size_t low = 0, high = im->n_axis;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (im->axis[middle] < time_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void count_missing(hy__import *im) {
  for (size_t s = 0; s < im->symbols.n; s++) {
    const hy__series *series = &im->series[s];
    im->report->n_cells_present += series->n;
    if (series->n == 0) continue;
    const size_t first = axis_index(im, row_of(im, series->row[0])->time_ns);
    const size_t last = axis_index(im, row_of(im, series->row[series->n - 1])->time_ns);
    im->report->counts.missing_bars += last - first + 1 - series->n;
  }
}

static void count_missing_sessions(hy__import *im) {
  if (!im->calendar || strcmp(im->calendar->name, "24x7") == 0) return;
  const int64_t first_s = im->axis[0] / HY_NS_PER_S,
                last_s = im->axis[im->n_axis - 1] / HY_NS_PER_S;
  const int64_t first = floor_day(first_s + hy__zone_offset_s(im->calendar_zone, first_s));
  const int64_t last = floor_day(last_s + hy__zone_offset_s(im->calendar_zone, last_s));
  const int64_t day_ns = HY_S_PER_DAY * HY_NS_PER_S;
  if (im->timeframe_ns > day_ns) return;
  size_t t = 0;
  for (int64_t days = first; days <= last; days++) {
    int64_t open_s, close_s;
    if (!session_on(im, days, &open_s, &close_s)) continue;
    while (t < im->n_axis && im->axis[t] <= open_s * HY_NS_PER_S) t++;
    if (t == im->n_axis || im->axis[t] > close_s * HY_NS_PER_S)
      im->report->counts.missing_sessions++;
  }
}

/* --- all of it --- */

static hy_status settle_zone(hy__import *im, hy_error *err) {
  const hy_import_options *o = im->options;
  if (o->calendar) {
    HY_TRY(hy__calendar_require(o->calendar, &im->calendar, err));
    HY_TRY(hy__zone_open(im->allocator, im->calendar->zone, &im->calendar_zone, err));
  }
  if (im->zone) return HY_OK;
  im->zone_name = o->zone ? o->zone : im->calendar ? im->calendar->zone : "UTC";
  return hy__zone_open(im->allocator, im->zone_name, &im->zone, err);
}

hy_status hy__import_settle(hy__import *im, hy_error *err) {
  const rules r = make_rules(im);
  HY_TRY(settle_zone(im, err));
  const bool closes = im->options->stamp == HY_STAMP_CLOSE || im->options->bars;
  HY_TRY(hy__import_sort(im, err));
  im->report->stamp_assumed = !closes && im->options->stamp == HY_STAMP_DEFAULT && im->any_clock;
  im->stamp = closes ? HY_STAMP_CLOSE : HY_STAMP_OPEN;
  if (!im->options->bars) HY_TRY(infer_timeframe(im, err));
  to_closes(im);
  for (size_t s = 0; s < im->symbols.n; s++) {
    drop_duplicates(im, &im->series[s]);
    drop_bars(im, &im->series[s], &r);
    HY_TRY(merge_into_axis(im, &im->series[s], err));
  }
  HY_FAIL_IF(im->n_axis == 0, HY_BAD_FORMAT, err, "no bar is left: none has a price above zero");
  im->report->counts.ambiguous_times = im->walls.n_ambiguous;
  im->report->counts.nonexistent_times = im->walls.n_nonexistent;
  count_missing(im);
  count_missing_sessions(im);
  return HY_OK;
}
