/* SPDX-License-Identifier: Apache-2.0
 * Bars of trades as bytes, with those that are open: a head that says what they are of, the names
 * of zone and calendar, a row for each symbol, and a checksum of all. Little-endian, as every
 * machine that hayate runs on. What is read back is held to what trades can have made. */
#include "market/tick.h"

#include <math.h>
#include <stdio.h>

enum { VERSION = 1, CHECK_BYTES = 16, N_COUNTS = 4 };

static const char magic[8] = {'H', 'Y', 'T', 'I', 'C', 'K', 'S', 0};

typedef struct head {
  char magic[8];
  uint32_t version, rule, remainder, names_bytes;
  double threshold;
  int64_t timeframe_ns, closed_ns;
  uint64_t counts[N_COUNTS], n_symbols;
} head;

/* A bar without trades is zeros. */
typedef struct row {
  int64_t end_ns, last_ns, ended_ns;
  uint64_t n_trades;
  double open, high, low, close, volume, turnover, sum_high, sum_low;
} row;

static size_t padded(size_t bytes) { return (bytes + 7) / 8 * 8; }

size_t hy__ticks_snapshot_bytes(const hy_ticks *t) {
  return sizeof(head) + padded(t->names_bytes) + t->n_symbols * sizeof(row) + CHECK_BYTES;
}

/* ---- writing ---- */

static head head_of(const hy_ticks *t) {
  const hy_ticks_info *c = &t->counts;
  head h = {.version = VERSION,
            .rule = (uint32_t)t->rule,
            .remainder = (uint32_t)t->remainder,
            .names_bytes = (uint32_t)padded(t->names_bytes),
            .threshold = t->threshold,
            .timeframe_ns = t->timeframe_ns,
            .closed_ns = t->closed_ns,
            .counts = {c->n_trades, c->n_dropped, c->n_bars, c->n_moved},
            .n_symbols = t->n_symbols};
  memcpy(h.magic, magic, sizeof magic);
  return h;
}

static row row_of(const hy_ticks *t, const hy__tick_open *o) {
  row r = {.last_ns = o->last_ns, .ended_ns = o->ended_ns};
  if (t->rule != HY__TICK_TIME) r.sum_high = o->sum.high, r.sum_low = o->sum.low;
  if (o->bar.n_trades == 0) return r;
  r.n_trades = o->bar.n_trades;
  r.end_ns = t->rule == HY__TICK_TIME ? o->bar.time_ns : 0;
  r.open = o->bar.open, r.high = o->bar.high, r.low = o->bar.low, r.close = o->bar.close;
  r.volume = o->volume, r.turnover = o->turnover;
  return r;
}

hy_status hy_ticks_snapshot(const hy_ticks *t, void *data, size_t bytes, hy_error *err) {
  HY_FAIL_IF(!t || !data, HY_INVALID_ARGUMENT, err, "ticks and room for a snapshot must be given");
  const size_t all = hy__ticks_snapshot_bytes(t);
  HY_FAIL_IF(bytes < all, HY_INVALID_ARGUMENT, err,
             "the snapshot takes %zu bytes, the room has %zu", all, bytes);
  uint8_t *at = data;
  const head h = head_of(t);
  memset(at, 0, all);
  memcpy(at, &h, sizeof h);
  memcpy(at + sizeof h, t->zone, t->names_bytes);
  at += sizeof h + padded(t->names_bytes);
  for (size_t s = 0; s < t->n_symbols; s++, at += sizeof(row)) {
    const row r = row_of(t, &t->open[s]);
    memcpy(at, &r, sizeof r);
  }
  const hy__hash128 check = hy__hash(data, all - CHECK_BYTES);
  memcpy(at, &check.low, 8);
  memcpy(at + 8, &check.high, 8);
  return HY_OK;
}

/* ---- reading ---- */

static hy_status read_head(const uint8_t *data, size_t bytes, head *h, hy_error *err) {
  size_t all, rows;
  memcpy(h, data, HY_MIN(bytes, sizeof *h));
  HY_FAIL_IF(bytes < sizeof magic || memcmp(h->magic, magic, sizeof magic) != 0, HY_BAD_FORMAT, err,
             "this is no snapshot of bars of trades");
  HY_FAIL_IF(bytes >= sizeof magic + 4 && h->version != VERSION, HY_BAD_FORMAT, err,
             "a snapshot of version %u; this hayate reads %d", h->version, VERSION);
  HY_FAIL_IF(bytes < sizeof *h + CHECK_BYTES, HY_BAD_FORMAT, err,
             "the snapshot is cut short: at least %zu bytes are wanted, %zu are there",
             sizeof *h + CHECK_BYTES, bytes);
  HY_FAIL_IF(!hy__mul(h->n_symbols, sizeof(row), &rows) ||
                 !hy__add(rows, sizeof *h + h->names_bytes + CHECK_BYTES, &all) || all != bytes,
             HY_BAD_FORMAT, err, "the snapshot is cut short or has more than it says: %zu bytes",
             bytes);
  const hy__hash128 check = hy__hash(data, bytes - CHECK_BYTES);
  HY_FAIL_IF(memcmp(data + bytes - CHECK_BYTES, &check.low, 8) != 0 ||
                 memcmp(data + bytes - 8, &check.high, 8) != 0,
             HY_BAD_FORMAT, err, "the snapshot's checksum does not fit: its bytes have changed");
  return HY_OK;
}

static void bars_text(uint32_t rule, double threshold, int64_t timeframe_ns, char text[48]) {
  char number[HY_NUMBER_TEXT] = "?";
  if (rule == HY__TICK_TIME)
    hy__timeframe_format(timeframe_ns, number);
  else
    hy__format_f64(threshold, number);
  (void)snprintf(text, 48, "%s%.32s",
                 rule < HY_COUNT(hy__tick_rules) ? hy__tick_rules[rule] : "?:", number);
}

static hy_status check_head(const hy_ticks *t, const head *h, hy_error *err) {
  char theirs[48], ours[48];
  bars_text(h->rule, h->threshold, h->timeframe_ns, theirs);
  bars_text((uint32_t)t->rule, t->threshold, t->timeframe_ns, ours);
  HY_FAIL_IF(h->rule != (uint32_t)t->rule || h->timeframe_ns != t->timeframe_ns ||
                 memcmp(&h->threshold, &t->threshold, sizeof h->threshold) != 0,
             HY_MISMATCH, err, "the snapshot is of bars %s, these are of %s", theirs, ours);
  HY_FAIL_IF(h->remainder != (uint32_t)t->remainder, HY_MISMATCH, err,
             "the snapshot's remainders %s, these %s",
             h->remainder == HY_REMAINDER_CARRY ? "carry over" : "begin at zero",
             t->remainder == HY_REMAINDER_CARRY ? "carry over" : "begin at zero");
  HY_FAIL_IF(h->n_symbols != t->n_symbols, HY_MISMATCH, err,
             "the snapshot is of %llu symbols, these are %zu", (unsigned long long)h->n_symbols,
             t->n_symbols);
  return HY_OK;
}

static hy_status check_names(const hy_ticks *t, const uint8_t *names, size_t bytes, hy_error *err) {
  const char *zone = (const char *)names, *end = zone + bytes;
  const char *calendar = bytes ? memchr(zone, 0, bytes) : NULL;
  HY_FAIL_IF(!calendar || !memchr(calendar + 1, 0, (size_t)(end - calendar - 1)), HY_BAD_FORMAT,
             err, "the snapshot's names do not end");
  calendar++;
  HY_FAIL_IF(strcmp(zone, t->zone) != 0, HY_MISMATCH, err,
             "the snapshot's zone is %.60s, that of these bars %.60s", zone, t->zone);
  HY_FAIL_IF(strcmp(calendar, t->calendar) != 0, HY_MISMATCH, err,
             "the snapshot's calendar is %.60s, that of these bars %.60s",
             calendar[0] ? calendar : "none", t->calendar[0] ? t->calendar : "none");
  return HY_OK;
}

/* The end of a bar lies behind its last trade by a timeframe, or by as many ns as it was moved. */
#define BEHIND (INT64_C(1) << 56)
static bool is_time(int64_t ns, int64_t behind) {
  return ns == INT64_MIN || (ns >= -HY__TICK_NS_MOST && ns <= HY__TICK_NS_MOST + behind);
}
static bool is_price(double v) { return v > 0 && v <= HY__TICK_MOST; }
static bool is_sum(double v) { return v >= 0 && isfinite(v); }

static bool is_possible(const hy_ticks *t, const row *r) {
  const bool timed = t->rule == HY__TICK_TIME;
  const double most = timed ? 0 : t->threshold;
  const bool begun = r->n_trades > 0;
  return is_time(r->last_ns, 0) && is_time(r->end_ns, BEHIND) && is_time(r->ended_ns, BEHIND) &&
         (!begun || (r->last_ns > INT64_MIN && is_price(r->open) && is_price(r->high) &&
                     is_price(r->low) && is_price(r->close))) &&
         is_sum(r->volume) && is_sum(r->turnover) && fabs(r->sum_high) <= most &&
         (timed || r->sum_high < most) && fabs(r->sum_low) <= fabs(r->sum_high);
}

static void take_row(hy__tick_open *o, const row *r) {
  *o = (hy__tick_open){.sum = {r->sum_high, r->sum_low},
                       .volume = r->volume,
                       .turnover = r->turnover,
                       .last_ns = r->last_ns,
                       .seen_ns = r->last_ns,
                       .ended_ns = r->ended_ns};
  o->bar.time_ns = r->end_ns, o->bar.n_trades = r->n_trades;
  o->bar.open = r->open, o->bar.high = r->high, o->bar.low = r->low, o->bar.close = r->close;
}

hy_status hy_ticks_restore(hy_ticks *t, const void *data, size_t bytes, hy_error *err) {
  head h;
  row r;
  HY_FAIL_IF(!t || !data, HY_INVALID_ARGUMENT, err, "ticks and a snapshot must be given");
  HY_TRY(read_head(data, bytes, &h, err));
  HY_TRY(check_head(t, &h, err));
  const uint8_t *names = (const uint8_t *)data + sizeof h, *rows = names + h.names_bytes;
  HY_TRY(check_names(t, names, h.names_bytes, err));
  for (size_t s = 0; s < t->n_symbols; s++) {
    memcpy(&r, rows + s * sizeof r, sizeof r);
    HY_FAIL_IF(!is_possible(t, &r), HY_BAD_FORMAT, err,
               "the snapshot's symbol %zu is in a state that no trades make", s);
  }
  for (size_t s = 0; s < t->n_symbols; s++) {
    memcpy(&r, rows + s * sizeof r, sizeof r);
    take_row(&t->open[s], &r);
  }
  t->closed_ns = h.closed_ns;
  t->counts.n_trades = h.counts[0], t->counts.n_dropped = h.counts[1];
  t->counts.n_bars = h.counts[2], t->counts.n_moved = h.counts[3];
  return HY_OK;
}
