/* SPDX-License-Identifier: Apache-2.0
 * Every row of the tables on bars that are hard: no range, a price that never moves, one bar, fewer
 * bars than the look-back, prices of 1e-9 and of 1e12, denormals, zeros, negative prices, NaN and
 * infinities. Each is a symbol of one market. What must hold: no value is infinite, all instruction
 * sets and a stream give the same bits, a short series is the beginning of a long one, and a change
 * of the price's unit changes a value by that unit's power alone, to the bit. */
#include "feature/every_row.h"

#include <hayate/feature_stream.h>

enum { BARS = 320, FEW_BARS = 4, FEATURES_MAX = 700 };

typedef enum kind {
  PLAIN,
  TINY,       /* plain, in a unit that makes prices 1e-9 */
  HUGE_PRICE, /* 1e12 */
  ONE_BAR,
  FEW,
  CONSTANT,
  CONSTANT_TINY,
  CONSTANT_HUGE,
  ZERO_RANGE, /* it moves, but open, high, low and close are one; no volume */
  DENORMAL,
  SPOILT,
  ZERO,
  NEGATIVE,
  KINDS
} kind;

/* As powers of two: plain prices are about 20. */
enum { TINY_POWER = -34, HUGE_POWER = 36, DENORMAL_POWER = -1070 };

static char spec[SPEC_BYTES];
static size_t row_of[FEATURES_MAX]; /* the table's row that a feature comes from */
static size_t n_features;
static panel market;
static answer whole;

static bool is_price(size_t field) { return strcmp(panel_fields[field], "volume") != 0; }

static double *cell(size_t field, size_t t, kind s) {
  return &market.data[field][t * KINDS + (size_t)s];
}

/* One field of the bar of a symbol, made of the plain one's. */
static double field_of(kind s, size_t field, double plain, double close) {
  const double level = is_price(field) ? 100 : 1000;
  const int volume_unit = 0;
  switch (s) {
  case TINY: return ldexp(plain, is_price(field) ? TINY_POWER : volume_unit);
  case HUGE_PRICE: return ldexp(plain, is_price(field) ? HUGE_POWER : volume_unit);
  case CONSTANT: return level;
  case CONSTANT_TINY: return ldexp(level, is_price(field) ? TINY_POWER : volume_unit);
  case CONSTANT_HUGE: return ldexp(level, is_price(field) ? HUGE_POWER : volume_unit);
  case ZERO_RANGE: return is_price(field) ? close : 0;
  case DENORMAL: return ldexp(plain, DENORMAL_POWER);
  case ZERO: return 0;
  case NEGATIVE: return is_price(field) ? -plain : plain;
  default: return plain;
  }
}

static void make_market(void) {
  static const double odd[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 5e-324, 1e308, -1e308};
  hy__random random;
  hy__random_init(&random, 4, 0);
  market = panel_make(BARS, KINDS, 0, false);
  for (size_t t = 0; t < BARS; t++) {
    double plain[PANEL_FIELDS];
    for (size_t k = 0; k < PANEL_FIELDS; k++) plain[k] = *cell(k, t, PLAIN);
    for (kind s = TINY; s < KINDS; s++)
      for (size_t k = 0; k < PANEL_FIELDS; k++) *cell(k, t, s) = field_of(s, k, plain[k], plain[3]);
    *cell(1, t, NEGATIVE) = -plain[2]; /* the high is still above the low */
    *cell(2, t, NEGATIVE) = -plain[1];
    for (size_t k = 0; k < PANEL_FIELDS; k++)
      if (hy__random_below(&random, 8) == 0)
        *cell(k, t, SPOILT) = odd[hy__random_below(&random, HY_COUNT(odd))];
    market.valid[t * KINDS + ONE_BAR] = t == 0;
    market.valid[t * KINDS + FEW] = t < FEW_BARS;
  }
}

static int set_up(void **state) {
  (void)state;
  for (size_t row = 0; row < hy__def_n(); row++) {
    const hy__def def = def_at(row);
    add_row(spec, &def, takes_n_alone(&def) ? 9 : 0);
    for (size_t o = 0; o < def.n_outputs; o++) row_of[n_features++] = row;
    assert_true(n_features < FEATURES_MAX);
  }
  make_market();
  whole = compute_panel(&market, spec, 1, HY_ISA_DEFAULT, (hy__feature_range){0});
  assert_int_equal(whole.n_features, n_features);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  panel_free(&market);
  free(whole.values);
  return 0;
}

static const char *id_of(size_t feature) { return def_at(row_of[feature]).id; }
static bool is_series(size_t feature) { return !def_at(row_of[feature]).is_cross; }
static const char *output_of(size_t feature) {
  size_t o = 0;
  while (o < feature && row_of[feature - o - 1] == row_of[feature]) o++;
  static hy__def def;
  def = def_at(row_of[feature]);
  return def.outputs[o];
}
static double value(size_t feature, size_t t, kind s) {
  return *answer_at(&whole, feature, t, (size_t)s);
}
static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static void nothing_is_infinite(void **state) {
  (void)state;
  for (size_t i = 0; i < n_features; i++)
    for (size_t t = 0; t < BARS; t++)
      for (kind s = PLAIN; s < KINDS; s++)
        if (isinf(value(i, t, s))) fail_msg("%s: row %zu, kind %d", id_of(i), t, (int)s);
}

static void instruction_sets_give_the_same_bits(void **state) {
  (void)state;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  for (hy_isa isa = HY_ISA_SCALAR; isa <= HY_ISA_NEON; isa++) {
    if (!hy__cpu_has(cpu.mask, isa)) continue;
    answer a = compute_panel(&market, spec, 1, isa, (hy__feature_range){.chunk_rows = 17});
    for (size_t i = 0; i < n_features; i++)
      if (memcmp(answer_at(&a, i, 0, 0), answer_at(&whole, i, 0, 0), BARS * KINDS * 8))
        fail_msg("%s: %s has other bits", id_of(i), hy_isa_name(isa));
    free(a.values);
  }
}

static void a_stream_gives_the_same_bits(void **state) {
  (void)state;
  hy_runtime *runtime = runtime_make(1, HY_ISA_DEFAULT);
  hy_features *f = features_make(runtime, spec);
  hy_feature_stream *stream = panel_stream(f, &market);
  hy_error err;
  double *values = panel_alloc(n_features * KINDS, 8);
  for (size_t t = 0; t < BARS; t++) {
    const double *fields[PANEL_FIELDS];
    for (size_t k = 0; k < PANEL_FIELDS; k++) fields[k] = cell(k, t, PLAIN);
    const hy_bar_row row = {sizeof row, market.time_ns[t], fields, market.valid + t * KINDS};
    if (hy_feature_stream_update(stream, &row, values, NULL, &err) != HY_OK)
      fail_msg("row %zu: %s", t, err.message);
    for (size_t i = 0; i < n_features; i++)
      for (size_t s = 0; s < KINDS; s++)
        if (!same_bits(values[s * n_features + i], *answer_at(&whole, i, t, s)))
          fail_msg("%s: row %zu, kind %zu", id_of(i), t, s);
  }
  free(values);
  hy_feature_stream_destroy(stream);
  hy_features_destroy(f);
  hy_runtime_destroy(runtime);
}

/* One bar, and fewer than most rows look back on: what a longer series has there, and then nothing.
 */
static void short_series_are_the_beginning_of_long_ones(void **state) {
  (void)state;
  for (size_t i = 0; i < n_features; i++)
    for (size_t t = 0; t < BARS && is_series(i); t++)
      for (kind s = ONE_BAR; s <= FEW; s++) {
        const bool has_bar = t < (s == ONE_BAR ? 1 : FEW_BARS);
        const bool good =
            has_bar ? same_bits(value(i, t, s), value(i, t, PLAIN)) : isnan(value(i, t, s)) != 0;
        if (!good) fail_msg("%s: row %zu of %s", id_of(i), t, s == ONE_BAR ? "one bar" : "a few");
      }
}

/* Whether all values of a symbol are those of another times 2^(degree * power), to the bit. */
static bool scales_by(size_t i, kind of, kind scaled, int degree_power) {
  for (size_t t = 0; t < BARS; t++) {
    const double a = value(i, t, of), b = value(i, t, scaled);
    if (isnan(a) ? !isnan(b) : !(b == ldexp(a, degree_power))) return false;
  }
  return true;
}

static bool scales(size_t i, kind of, kind scaled, int power) {
  for (int degree = -3; degree <= 9; degree++)
    if (scales_by(i, of, scaled, degree * power)) return true;
  return false;
}

/* Rows that have a unit of their own by definition: functions of a number, constants that stand in
 * the call, and Qlib's absolute thresholds. */
static bool has_its_own_unit(const char *id) {
  static const char *const ids[] = {
      "ln",    "exp",   "sqrt",     "sin",          "cos",       "tan",        "asin",
      "acos",  "atan",  "sinh",     "cosh",         "tanh",      "log10",      "floor",
      "ceil",  "angle", "clip",     "fixed_z",      "mavp",      "kmid2",      "kup2",
      "klow2", "ksft2", "fit.qlib", "rsquare.qlib", "corr.qlib", "updown.qlib"};
  for (size_t k = 0; k < HY_COUNT(ids); k++)
    if (strcmp(ids[k], id) == 0) return true;
  return false;
}

static void the_unit_of_prices_is_a_factor(void **state) {
  (void)state;
  size_t n_wrong = 0;
  for (size_t i = 0; i < n_features; i++) {
    if (!is_series(i) || has_its_own_unit(id_of(i))) continue;
    const bool good = scales(i, PLAIN, TINY, TINY_POWER) &&
                      scales(i, PLAIN, HUGE_PRICE, HUGE_POWER) &&
                      scales(i, CONSTANT, CONSTANT_TINY, TINY_POWER) &&
                      scales(i, CONSTANT, CONSTANT_HUGE, HUGE_POWER);
    if (good) continue;
    print_error("%s\n", id_of(i));
    n_wrong++;
  }
  assert_int_equal(n_wrong, 0);
}

static void every_row_has_values(void **state) {
  (void)state;
  for (size_t i = 0; i < n_features; i++)
    if (isnan(value(i, BARS - 1, PLAIN))) fail_msg("%s has no value", id_of(i));
}

/* What the definitions say of a price that does not move: open, high, low and close are 100, the
 * volume is 1000. NAN: no value. */
typedef struct pin {
  const char *id, *output;
  double want;
} pin;
static const pin pins[] = {
    {"sma", "", 100},
    {"ema.talib", "", 100},
    {"wma", "", 100},
    {"kama", "", 100},
    {"std.pop", "", 0},
    {"std.sample", "", 0},
    {"var.pop", "", 0},
    {"zscore", "", NAN},
    {"bbands", "upper", 100},
    {"bbands", "lower", 100},
    {"bbands.pctb", "", 0.5},
    {"bbands.width", "", 0},
    {"mom", "", 0},
    {"roc", "", 0},
    {"rocr", "", 1},
    {"logret", "", 0},
    {"rsi.talib", "", 0},
    {"rsi.mid", "", 50},
    {"rsi.cutler", "", 50},
    {"cmo", "", 0},
    {"cmou", "", 0},
    {"macd", "hist", 0},
    {"trix", "", 0},
    {"tsi", "", 0},
    {"stoch", "k", 0},
    {"stochf", "k", 0},
    {"stochrsi", "k", 0},
    {"willr", "", 0},
    {"cci", "", 0},
    {"plus_di", "", 0},
    {"dx", "", 0},
    {"adx", "", 0},
    {"adxr", "", 0},
    {"aroon", "down", 100},
    {"aroon", "up", 100},
    {"bop", "", 0},
    {"er", "", 1},
    {"imi", "", 50},
    {"vhf", "", 0},
    {"vortex", "plus", 0},
    {"tr", "", 0},
    {"atr.talib", "", 0},
    {"natr", "", 0},
    {"massi", "", 25},
    {"rvi", "", 50},
    {"yang_zhang", "", 0},
    {"garman_klass", "", 0},
    {"parkinson", "", 0},
    {"obv", "", 1000},
    {"ad", "", 0},
    {"adosc", "", 0},
    {"cmf", "", 0},
    {"mfi", "", 0},
    {"efi", "", 0},
    {"nvi", "", 1000},
    {"marketfi", "", 0},
    {"vwap.cum", "", 100},
    {"vwma", "", 100},
    {"rvol", "", 1},
    {"pvo", "", 0},
    {"amihud", "", 0},
    {"roll.spread", "", 0},
    {"corwin_schultz", "", 0},
    {"corr", "", NAN},
    {"beta.ret", "", NAN},
    {"slope", "", 0},
    {"drawdown", "", 0},
    {"rank.pct_avg", "", 5.0 / 9},
    {"autocorr", "", NAN},
    {"cdl.doji", "", 100},
    {"body_ratio", "", 0},
    {"gap", "", 0},
    {"streak", "", 0},
};

/* Of a price that moves while nothing is traded: each bar is a point, without volume. */
static const pin untraded[] = {
    {"vwma", "", NAN},   {"vwap.cum", "", NAN}, {"amihud", "", NAN},   {"cmf", "", 0},
    {"marketfi", "", 0}, {"mfi", "", 0},        {"obv", "", 0},        {"ad", "", 0},
    {"adosc", "", 0},    {"efi", "", 0},        {"pvo", "", 0},        {"nvi", "", 1000},
    {"pvi", "", 1000},   {"pvt", "", 0},        {"bop", "", 0},        {"adr", "", 0},
    {"imi", "", 50},     {"qstick", "", 0},     {"body_ratio", "", 0}, {"parkinson", "", 0},
    {"massi", "", 25},   {"cvi", "", 0},
};

/* Of a price of 0. */
static const pin worthless[] = {
    {"roc", "", 0},      {"rocp", "", 0},  {"rocr", "", 0},   {"rocr100", "", 0},
    {"logret", "", NAN}, {"ln", "", NAN},  {"ppo", "", 0},    {"fosc", "", 0},
    {"coppock", "", 0},  {"trix", "", 0},  {"rvol", "", NAN}, {"bbands.width", "", NAN},
    {"div", "", NAN},    {"gap", "", NAN}, {"sqrt", "", 0},   {"drawdown", "", NAN},
};

/* Of prices below 0. */
static const pin owed[] = {
    {"logret", "", NAN},   {"ln", "", NAN},      {"log10", "", NAN},
    {"sqrt", "", NAN},     {"bipower", "", NAN}, {"rv.volatility", "", NAN},
    {"ewma_vol", "", NAN},
};

static size_t pins_that_fail(const pin *from, size_t n, kind of) {
  size_t n_wrong = 0;
  for (size_t k = 0; k < n; k++) {
    size_t i = 0;
    while (i < n_features && (strcmp(id_of(i), from[k].id) || strcmp(output_of(i), from[k].output)))
      i++;
    if (i == n_features) fail_msg("%s %s is no row", from[k].id, from[k].output);
    for (size_t t = BARS - 20; t < BARS; t++) {
      const double got = value(i, t, of), want = from[k].want;
      if (isnan(want) ? isnan(got) : got == want) continue;
      print_error("kind %d: %s %s is %.17g, not %g\n", (int)of, from[k].id, from[k].output, got,
                  want);
      n_wrong++;
      break;
    }
  }
  return n_wrong;
}

static void a_price_that_never_moves(void **state) {
  (void)state;
  assert_int_equal(pins_that_fail(pins, HY_COUNT(pins), CONSTANT), 0);
}

static void no_volume_no_price_and_less_than_none(void **state) {
  (void)state;
  assert_int_equal(pins_that_fail(untraded, HY_COUNT(untraded), ZERO_RANGE) +
                       pins_that_fail(worthless, HY_COUNT(worthless), ZERO) +
                       pins_that_fail(owed, HY_COUNT(owed), NEGATIVE),
                   0);
}

static const struct {
  const char *id;
  double least, most;
} bounded[] = {
    {"rsi.talib", 0, 100},
    {"rsi.mid", 0, 100},
    {"rsi.cutler", 0, 100},
    {"cmo", -100, 100},
    {"cmou", -100, 100},
    {"tsi", -100, 100},
    {"stochrsi", 0, 100},
    {"willr", -100, 0},
    {"mfi", 0, 100},
    {"adx", 0, 100},
    {"adxr", 0, 100},
    {"dx", 0, 100},
    {"aroon", 0, 100},
    {"aroon.osc", -100, 100},
    {"bop", -1, 1},
    {"er", 0, 1},
    {"imi", 0, 100},
    {"vhf", 0, 1},
    {"rvi", 0, 100},
    {"cmf", -1, 1},
    {"std.pop", 0, 1e308},
    {"var.sample", 0, 1e308},
    {"corr", -1, 1},
    {"autocorr", -1, 1},
    {"rsquare", 0, 1},
    {"rank.pct_avg", 0, 1},
    {"percentrank.talib", 0, 100},
    {"drawdown", -1, 0},
    {"cdl.doji", 0, 100},
    {"cdl.engulfing", -100, 100},
    {"tod_sin", -1, 1},
    {"frac_session", 0, 1},
    {"cs.rank", 0, 1},
    {"cs.robust", -3, 3},
    {"cs.scale", -1, 1},
    {"cs.breadth", 0, 1},
    {"cs.bucket", 0, 9},
};

/* Of plausible prices, and of those in other units. */
static void what_has_bounds_keeps_them(void **state) {
  static const kind kinds[] = {PLAIN, TINY, HUGE_PRICE, CONSTANT, ZERO_RANGE, ZERO, DENORMAL};
  (void)state;
  size_t n_wrong = 0;
  for (size_t k = 0; k < HY_COUNT(bounded); k++) {
    size_t n = 0;
    for (size_t i = 0; i < n_features; i++) {
      if (strcmp(id_of(i), bounded[k].id)) continue;
      for (size_t t = 0; t < BARS; t++)
        for (size_t s = 0; s < HY_COUNT(kinds); s++) {
          const double got = value(i, t, kinds[s]);
          const double slack = 4e-14; /* of 100: a rounding of the quotient */
          n++;
          if (isnan(got) || (got >= bounded[k].least - slack && got <= bounded[k].most + slack))
            continue;
          if (n_wrong++ < 20)
            print_error("%s: %.17g in row %zu of kind %d\n", id_of(i), got, t, (int)kinds[s]);
        }
    }
    if (!n) fail_msg("%s is no row", bounded[k].id);
  }
  assert_int_equal(n_wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_values),
      cmocka_unit_test(nothing_is_infinite),
      cmocka_unit_test(instruction_sets_give_the_same_bits),
      cmocka_unit_test(a_stream_gives_the_same_bits),
      cmocka_unit_test(short_series_are_the_beginning_of_long_ones),
      cmocka_unit_test(the_unit_of_prices_is_a_factor),
      cmocka_unit_test(a_price_that_never_moves),
      cmocka_unit_test(no_volume_no_price_and_less_than_none),
      cmocka_unit_test(what_has_bounds_keeps_them),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
