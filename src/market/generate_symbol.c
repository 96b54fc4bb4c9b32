/* SPDX-License-Identifier: Apache-2.0
 * One symbol of the synthetic universe: a log price of market, sector and own moves, rounded to
 * ticks; volumes that follow the moves, an average price that the bar's range holds; halts and bars
 * without trades. Streams of its own, so that the order in which symbols are made does not
 * matter. */
#include <math.h>

#include "market/generate.h"

enum { STREAM_SYMBOL = 1 << 20, STREAM_VWAP = 1 << 21 };
enum { OPEN, HIGH, LOW, CLOSE, VOLUME, VWAP };
const char *const hy__generate_fields[HY__GENERATE_FIELDS] = {"open",  "high",   "low",
                                                              "close", "volume", "vwap"};
static const double tick = 0.01;

/* What sets one symbol apart, drawn first. */
typedef struct character {
  double beta, gamma, own_sigma; /* weights of market and sector; own volatility per session */
  double log_volume;             /* of a session */
  double quiet;                  /* share of bars without a trade */
  size_t sector;
} character;

typedef struct walk {
  character is;
  double log_price, own_last, log_vol; /* log_vol: the own volatility's slow drift */
  size_t halted;                       /* bars left of a halt */
} walk;

static void draw_character(hy__random *r, walk *w) {
  character *c = &w->is;
  c->sector = (size_t)hy__random_below(r, HY_SECTORS);
  c->beta = 1 + 0.3 * hy__random_normal(r);
  c->gamma = 0.8 + 0.4 * hy__random_uniform(r);
  c->own_sigma = 0.011 * hy__exp(0.35 * hy__random_normal(r));
  c->log_volume = 14.0 + 1.2 * hy__random_normal(r);
  c->quiet = hy__random_uniform(r) < 0.05 ? 0.02 : 0;
  w->log_price = 4.0 + 0.7 * hy__random_normal(r);
  w->own_last = w->log_vol = 0;
  w->halted = 0;
}

static double to_tick(double log_price) {
  const double ticks = floor(hy__exp(log_price) / tick + 0.5);
  return (ticks < 1 ? 1 : ticks) / 100; /* one division: the double nearest to the decimal */
}

/* A halt begins about once in three years of sessions, and lasts minutes to an hour, or days. */
static bool bar_is_missing(hy__random *r, const hy__tape *t, size_t k, walk *w) {
  const double u = hy__random_uniform(r);
  if (w->halted) {
    w->halted--;
    return true;
  }
  if (u < 0.0013 * HY_MIN(t->share[k], 1.0)) {
    const double bars = t->intraday ? (0.01 + 0.14 * hy__random_uniform(r)) / t->share[k] : 2;
    w->halted = (size_t)(bars < 1 ? 0 : bars > 10000 ? 9999 : bars - 1);
    return true;
  }
  return u > 1 - w->is.quiet;
}

static void put_bar(const hy__symbol_cells *out, size_t t, const double *bar, bool missing) {
  for (int f = 0; f < HY__GENERATE_FIELDS; f++)
    out->field[f][t * HY_LANES] = missing ? (double)NAN : bar[f];
  out->valid[t * HY_LANES] = !missing;
}

/* The bar's moves; draws are made for missing bars too, the price moves on unseen. */
static void step(const hy__tape *t, size_t k, hy__random *r, walk *w, double *bar) {
  const double shape = t->intraday ? 0.5 + 1.5 * (2 * t->phase[k] - 1) * (2 * t->phase[k] - 1) : 1;
  w->log_vol = 0.98 * w->log_vol + 0.05 * hy__random_normal(r);
  const double sigma =
      w->is.own_sigma * hy__exp(w->log_vol) * t->regime[k] * sqrt(t->share[k] * shape);
  /* a slight reversal of the own move: the bounce between bid and ask */
  const double own = sigma * hy__random_normal(r) - 0.06 * w->own_last;
  w->own_last = own;
  const double gap =
      w->is.beta * t->overnight[k] +
      (t->first[k] ? 0.5 * w->is.own_sigma * t->regime[k] * hy__random_normal(r) : 0);
  const double move = w->is.beta * t->market[k] + w->is.gamma * t->sector[w->is.sector][k] + own;
  const double reach = 0.45 * (sigma + 0.006 * t->regime[k] * sqrt(t->share[k] * shape));
  const double open = w->log_price + gap, close = open + move;
  const double up = reach * fabs(hy__random_normal(r)), down = reach * fabs(hy__random_normal(r));
  w->log_price = close;
  bar[OPEN] = to_tick(open);
  bar[HIGH] = to_tick((open > close ? open : close) + up);
  bar[LOW] = to_tick((open < close ? open : close) - down);
  bar[CLOSE] = to_tick(close);
  const double surprise = fabs(move) / (sigma + 0.006 * sqrt(t->share[k] * shape));
  const double volume = hy__exp(w->is.log_volume + 0.45 * hy__random_normal(r) + 0.25 * surprise) *
                        t->share[k] * (0.4 + 0.6 * shape) * t->regime[k];
  bar[VOLUME] = floor(volume) + 1;
}

/* Where in its range a bar traded, to a hundredth of a tick: drawn apart, no other field moves. */
static double average_price(hy__random *r, const double *bar) {
  const double middle = (bar[OPEN] + bar[HIGH] + bar[LOW] + bar[CLOSE]) / 4;
  const double drawn = middle + 0.08 * (bar[HIGH] - bar[LOW]) * hy__random_normal(r);
  const double price = drawn > bar[HIGH] ? bar[HIGH] : drawn < bar[LOW] ? bar[LOW] : drawn;
  return floor(price * 10000 + 0.5) / 10000;
}

void hy__generate_symbol(const hy__tape *t, uint64_t seed, size_t symbol,
                         const hy__symbol_cells *out) {
  hy__random r, average;
  walk w;
  double bar[HY__GENERATE_FIELDS];
  hy__random_init(&r, seed, STREAM_SYMBOL + (uint64_t)symbol);
  hy__random_init(&average, seed, STREAM_VWAP + (uint64_t)symbol);
  draw_character(&r, &w);
  for (size_t k = 0; k < t->n_bars; k++) {
    step(t, k, &r, &w, bar);
    bar[VWAP] = average_price(&average, bar);
    put_bar(out, k, bar, bar_is_missing(&r, t, k, &w));
  }
}
