/* SPDX-License-Identifier: Apache-2.0
 * Bars of trades, one step per trade: the same for a feed and for a file. What a threshold is held
 * against is summed in two doubles and rounded once: ten sizes of 0.1 reach 1, which a sum in one
 * double misses. */
#include "market/tick.h"

#include <math.h>

enum { SYMBOLS_MAX = 1 << 20 };

typedef hy__tick_sum pair;
typedef hy__tick_open open_bar;

/* ---- exact sums ---- */

static pair add_exactly(double a, double b) {
  const double sum = a + b, back = sum - a;
  return (pair){sum, (a - (sum - back)) + (b - back)};
}

/* Veltkamp's halves of 26 bits, whose products are exact. */
static pair halves(double v) {
  const double wide = v * 134217729.0, high = wide - (wide - v);
  return (pair){high, v - high};
}

static pair multiply_exactly(double a, double b) {
  const double product = a * b;
  const pair x = halves(a), y = halves(b);
  const double low =
      ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low;
  return (pair){product, low};
}

static pair add_pairs(pair a, pair b) {
  const pair high = add_exactly(a.high, b.high), low = add_exactly(a.low, b.low);
  const pair once = add_exactly(high.high, high.low + low.high);
  return add_exactly(once.high, once.low + low.low);
}

static bool reaches(pair sum, double threshold) { return sum.high >= threshold; }

/* What is left of the sum above whole thresholds; nothing of a sum so far above one that its last
 * places do not reach down to it. */
static pair carried(pair sum, double threshold) {
  while (reaches(sum, threshold)) {
    const double whole = floor(sum.high / threshold);
    const pair off = multiply_exactly(whole > 1 ? whole - 1 : 1, threshold);
    sum = add_pairs(sum, (pair){-off.high, -off.low});
  }
  return sum.high < -threshold ? (pair){0, 0} : sum;
}

/* ---- one trade ---- */

static pair measure(const hy_ticks *t, const hy_trade *trade) {
  switch (t->rule) {
  case HY__TICK_VOLUME: return (pair){trade->size, 0};
  case HY__TICK_DOLLAR: return multiply_exactly(trade->price, trade->size);
  default: return (pair){1, 0};
  }
}

static void take_trade(const hy_ticks *t, open_bar *o, const hy_trade *trade) {
  hy_tick_bar *b = &o->bar;
  if (b->n_trades == 0) {
    b->open = b->high = b->low = trade->price;
    o->volume = o->turnover = 0;
    if (t->rule == HY__TICK_TIME) b->time_ns = hy__grid_end(t->grid, trade->time_ns);
  }
  b->high = HY_MAX(b->high, trade->price);
  b->low = HY_MIN(b->low, trade->price);
  b->close = trade->price;
  o->volume += trade->size;
  o->turnover += trade->price * trade->size;
  b->n_trades++;
  o->last_ns = trade->time_ns;
  o->sum = add_pairs(o->sum, measure(t, trade));
}

static void end_bar(hy_ticks *t, open_bar *o, hy_tick_bar *out) {
  hy_tick_bar *b = &o->bar;
  int64_t end_ns = t->rule == HY__TICK_TIME ? b->time_ns : o->last_ns;
  if (end_ns <= o->ended_ns) {
    end_ns = o->ended_ns + 1;
    t->counts.n_moved++;
  }
  const double vwap = o->turnover / o->volume;
  b->time_ns = o->ended_ns = end_ns;
  b->volume = o->volume;
  b->vwap = vwap - vwap == 0.0 ? vwap : (double)NAN;
  b->symbol = (uint64_t)(o - t->open);
  *out = *b;
  b->n_trades = 0;
  const bool carries = t->remainder == HY_REMAINDER_CARRY && t->rule != HY__TICK_TIME;
  o->sum = carries ? carried(o->sum, t->threshold) : (pair){0, 0};
  t->counts.n_bars++;
}

/* At most one bar closes with a trade. */
static size_t push_trade(hy_ticks *t, const hy_trade *trade, hy_tick_bar *out) {
  open_bar *o = &t->open[trade->symbol];
  size_t n = 0;
  t->counts.n_trades++;
  t->counts.n_dropped += trade->flags != 0;
  if (trade->flags) return 0;
  if (t->rule == HY__TICK_TIME && o->bar.n_trades && trade->time_ns > o->bar.time_ns) {
    end_bar(t, o, out);
    n = 1;
  }
  take_trade(t, o, trade);
  if (t->rule == HY__TICK_TIME || !reaches(o->sum, t->threshold)) return n;
  end_bar(t, o, out);
  return 1;
}

/* ---- calls ---- */

static hy_status check_trade(hy_ticks *t, const hy_trade *trade, size_t k, hy_error *err) {
  char now[40], last[40];
  HY_FAIL_IF(trade->symbol >= t->n_symbols, HY_INVALID_ARGUMENT, err, "trade %zu: symbol %u of %zu",
             k, trade->symbol, t->n_symbols);
  if (trade->flags) return HY_OK;
  HY_FAIL_IF(!(trade->price > 0 && trade->price <= HY__TICK_MOST), HY_BAD_FORMAT, err,
             "trade %zu: a price of %g, expected one above zero", k, trade->price);
  HY_FAIL_IF(!(trade->size >= 0 && trade->size <= HY__TICK_MOST), HY_BAD_FORMAT, err,
             "trade %zu: a size of %g, expected zero or more", k, trade->size);
  HY_FAIL_IF(trade->time_ns > HY__TICK_NS_MOST || trade->time_ns < -HY__TICK_NS_MOST, HY_BAD_FORMAT,
             err, "trade %zu: a time of %lld ns, expected one of the years 1685 to 2254", k,
             (long long)trade->time_ns);
  open_bar *o = &t->open[trade->symbol];
  const int64_t last_ns = HY_MAX(o->seen_ns, t->closed_ns);
  if (trade->time_ns >= o->seen_ns && trade->time_ns > t->closed_ns) {
    o->seen_ns = trade->time_ns;
    return HY_OK;
  }
  hy__time_format(trade->time_ns, now);
  hy__time_format(last_ns, last);
  HY_FAIL(HY_LATE, err, "trade %zu: of %s, after %s", k, now, last);
}

static hy_status check_trades(hy_ticks *t, const hy_trade *trades, size_t n, hy_error *err) {
  hy_status status = HY_OK;
  size_t k = 0;
  for (; k < n && status == HY_OK; k++) status = check_trade(t, &trades[k], k, err);
  for (size_t i = 0; status != HY_OK && i + 1 < k; i++)
    t->open[trades[i].symbol].seen_ns = t->open[trades[i].symbol].last_ns;
  return status;
}

hy_status hy_ticks_push(hy_ticks *t, const hy_trade *trades, size_t n_trades, hy_tick_bar *bars,
                        size_t *n_bars, hy_error *err) {
  HY_FAIL_IF(!t || (n_trades && (!trades || !bars)) || !n_bars, HY_INVALID_ARGUMENT, err,
             "hy_ticks_push: ticks, trades, bars and n_bars must be given");
  HY_TRY(check_trades(t, trades, n_trades, err));
  *n_bars = 0;
  for (size_t k = 0; k < n_trades; k++) *n_bars += push_trade(t, &trades[k], bars + *n_bars);
  return HY_OK;
}

hy_status hy_ticks_close(hy_ticks *t, int64_t time_ns, hy_tick_bar *bars, size_t *n_bars,
                         hy_error *err) {
  HY_FAIL_IF(!t || !bars || !n_bars, HY_INVALID_ARGUMENT, err,
             "hy_ticks_close: ticks, bars and n_bars must be given");
  *n_bars = 0;
  t->closed_ns = HY_MAX(t->closed_ns, time_ns);
  if (t->rule != HY__TICK_TIME) return HY_OK;
  for (size_t s = 0; s < t->n_symbols; s++)
    if (t->open[s].bar.n_trades && t->open[s].bar.time_ns <= t->closed_ns)
      end_bar(t, &t->open[s], bars + (*n_bars)++);
  return HY_OK;
}

void hy_ticks_describe(const hy_ticks *t, hy_ticks_info *info) {
  hy_ticks_info full = t->counts;
  full.struct_size = info->struct_size;
  full.snapshot_bytes = hy__ticks_snapshot_bytes(t);
  for (size_t s = 0; s < t->n_symbols; s++) full.n_open += t->open[s].bar.n_trades;
  memcpy(info, &full, HY_MIN(info->struct_size, sizeof full));
}

/* ---- making one ---- */

const char *const hy__tick_rules[4] = {"time:", "tick:", "volume:", "dollar:"};

static hy_status fail_rule(const char *text, hy_error *err) {
  HY_FAIL(HY_INVALID_ARGUMENT, err,
          "bars \"%.40s\": expected tick:1000, volume:1e6, dollar:5e7, or time:1m", text);
}

static hy_status read_rule(hy_ticks *t, const hy_ticks_options *o, hy_error *err) {
  const char *const *names = hy__tick_rules;
  const char *text = o->bars, *end = text + strlen(text);
  size_t k = 0;
  while (k < HY_COUNT(hy__tick_rules) && strncmp(text, names[k], strlen(names[k])) != 0) k++;
  if (k == HY_COUNT(hy__tick_rules)) return fail_rule(text, err);
  t->rule = (hy__tick_rule)k;
  const char *number = text + strlen(names[k]);
  if (t->rule == HY__TICK_TIME) {
    hy__grid_options grid = {.zone = o->zone, .calendar = o->calendar};
    HY_TRY(hy__timeframe_parse(number, &grid.timeframe_ns, err));
    t->timeframe_ns = grid.timeframe_ns;
    return hy__grid_create(t->allocator, &grid, &t->grid, err);
  }
  if (hy__parse_f64(number, end, &t->threshold) != end || end == number)
    return fail_rule(text, err);
  HY_FAIL_IF(!(t->threshold >= 1e-30 && t->threshold <= 1e30), HY_INVALID_ARGUMENT, err,
             "bars \"%.40s\": expected a threshold from 1e-30 to 1e30", text);
  HY_FAIL_IF(t->rule == HY__TICK_COUNT && floor(t->threshold) != t->threshold, HY_INVALID_ARGUMENT,
             err, "bars \"%.40s\": expected a whole number of trades", text);
  return HY_OK;
}

/* What a snapshot of time bars must be of. */
static hy_status keep_names(hy_ticks *t, const hy_ticks_options *o, hy_error *err) {
  void *memory;
  const bool timed = t->rule == HY__TICK_TIME;
  const char *zone = !timed ? "" : o->zone ? o->zone : "UTC";
  const char *calendar = timed && o->calendar ? o->calendar : "";
  const size_t zone_bytes = strlen(zone) + 1, calendar_bytes = strlen(calendar) + 1;
  HY_TRY(hy__alloc(t->allocator, zone_bytes + calendar_bytes, &memory, err));
  t->names_bytes = zone_bytes + calendar_bytes;
  t->zone = memcpy(memory, zone, zone_bytes);
  t->calendar = memcpy(t->zone + zone_bytes, calendar, calendar_bytes);
  return HY_OK;
}

static hy_status make(hy_ticks *t, const hy_ticks_options *o, hy_error *err) {
  void *memory;
  HY_TRY(read_rule(t, o, err));
  HY_TRY(keep_names(t, o, err));
  HY_TRY(hy__alloc_array(t->allocator, o->n_symbols, sizeof *t->open, &memory, err));
  t->open = memory;
  t->n_symbols = o->n_symbols;
  for (size_t s = 0; s < t->n_symbols; s++)
    t->open[s] = (open_bar){.last_ns = INT64_MIN, .seen_ns = INT64_MIN, .ended_ns = INT64_MIN};
  return HY_OK;
}

hy_status hy_ticks_create(hy_runtime *runtime, const hy_ticks_options *o, hy_ticks **out,
                          hy_error *err) {
  void *memory;
  HY_FAIL_IF(!runtime || !o || !out || o->struct_size < sizeof *o || !o->bars, HY_INVALID_ARGUMENT,
             err, "hy_ticks_create: runtime, options with struct_size and bars, and out");
  HY_FAIL_IF(o->n_symbols == 0 || o->n_symbols > SYMBOLS_MAX, HY_LIMIT, err,
             "%zu symbols: expected 1 to %d", o->n_symbols, SYMBOLS_MAX);
  HY_FAIL_IF(o->remainder < HY_REMAINDER_WHOLE || o->remainder > HY_REMAINDER_CARRY,
             HY_INVALID_ARGUMENT, err, "there is no such remainder policy");
  const hy_allocator *a = hy__runtime_allocator(runtime);
  HY_TRY(hy__alloc_zero(a, sizeof(hy_ticks), &memory, err));
  hy_ticks *t = memory;
  t->allocator = a;
  t->remainder = o->remainder;
  t->closed_ns = INT64_MIN;
  const hy_status status = make(t, o, err);
  if (status == HY_OK)
    *out = t;
  else
    hy_ticks_destroy(t);
  return status;
}

void hy_ticks_destroy(hy_ticks *t) {
  if (!t) return;
  hy__grid_destroy(t->grid);
  hy__free(t->allocator, t->zone, t->names_bytes);
  hy__free(t->allocator, t->open, t->n_symbols * sizeof *t->open);
  hy__free(t->allocator, t, sizeof *t);
}
