/* SPDX-License-Identifier: Apache-2.0
 * The cost of each indicator: nanoseconds per row of one symbol, per instruction set, on one
 * thread, beside TA-Lib's C core called directly on the same series.
 *
 *     bench_features [ID...]
 *
 * TA-Lib's shared object is the file that HAYATE_TALIB names (bench/peers/talib_so.py prints the
 * one of the wheel); without it hayate runs alone. */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "feature/indicator.h"

enum { N_BARS = 2000, CHUNK = 128, N_BLOCKS = 8, N_FIELDS = 7, PASSES = 5, N_ISAS = 3, HEAD = 128 };

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  extern const hy__ind_code hy__ind_##symbol##_scalar, hy__ind_##symbol##_avx2,                    \
      hy__ind_##symbol##_avx512;
#include "feature/indicator.inc"
#undef HY_IND

typedef struct row {
  const char *id, *inputs, *params, *outputs;
  const hy__ind_code *code[N_ISAS];
} row;

#define HY_IND(id, version, symbol, class, is_default, inputs, params, outputs, doc)               \
  {id,                                                                                             \
   inputs,                                                                                         \
   params,                                                                                         \
   outputs,                                                                                        \
   {&hy__ind_##symbol##_scalar, &hy__ind_##symbol##_avx2, &hy__ind_##symbol##_avx512}},
static const row rows[] = {
#include "feature/indicator.inc"
};
#undef HY_IND

/* TA-Lib's function for a row: which of o h l c v and y it reads, its parameters (counts; a capital
 * letter is a real), how many outputs. MA types stand as a count. */
typedef struct peer {
  const char *id, *function, *fields, *params;
  double p[8];
  int n_out;
} peer;

static const peer peers[] = {
    {"sma", "TA_SMA", "c", "i", {30}, 1},
    {"sum", "TA_SUM", "c", "i", {30}, 1},
    {"ema.talib", "TA_EMA", "c", "i", {30}, 1},
    {"dema", "TA_DEMA", "c", "i", {30}, 1},
    {"tema", "TA_TEMA", "c", "i", {30}, 1},
    {"t3", "TA_T3", "c", "iR", {5, 0.7}, 1},
    {"wma", "TA_WMA", "c", "i", {30}, 1},
    {"trima", "TA_TRIMA", "c", "i", {30}, 1},
    {"kama", "TA_KAMA", "c", "i", {30}, 1},
    {"bbands", "TA_BBANDS", "c", "iRRi", {20, 2, 2, 0}, 3},
    {"std.pop", "TA_STDDEV", "c", "iR", {5, 1}, 1},
    {"var.pop", "TA_VAR", "c", "iR", {5, 1}, 1},
    {"roc", "TA_ROC", "c", "i", {10}, 1},
    {"rsi.talib", "TA_RSI", "c", "i", {14}, 1},
    {"cmo", "TA_CMO", "c", "i", {14}, 1},
    {"macd", "TA_MACD", "c", "iii", {12, 26, 9}, 3},
    {"trix", "TA_TRIX", "c", "i", {30}, 1},
    {"tr", "TA_TRANGE", "hlc", "", {0}, 1},
    {"atr.talib", "TA_ATR", "hlc", "i", {14}, 1},
    {"natr", "TA_NATR", "hlc", "i", {14}, 1},
    {"adx", "TA_ADX", "hlc", "i", {14}, 1},
    {"dx", "TA_DX", "hlc", "i", {14}, 1},
    {"plus_di", "TA_PLUS_DI", "hlc", "i", {14}, 1},
    {"stoch", "TA_STOCH", "hlc", "iiiii", {5, 3, 0, 3, 0}, 2},
    {"stochrsi", "TA_STOCHRSI", "c", "iiii", {14, 5, 3, 0}, 2},
    {"willr", "TA_WILLR", "hlc", "i", {14}, 1},
    {"cci", "TA_CCI", "hlc", "i", {14}, 1},
    {"mfi", "TA_MFI", "hlcv", "i", {14}, 1},
    {"obv", "TA_OBV", "cv", "", {0}, 1},
    {"ad", "TA_AD", "hlcv", "", {0}, 1},
    {"adosc", "TA_ADOSC", "hlcv", "ii", {3, 10}, 1},
    {"aroon", "TA_AROON", "hl", "i", {14}, 2},
    {"ultosc", "TA_ULTOSC", "hlc", "iii", {7, 14, 28}, 1},
    {"bop", "TA_BOP", "ohlc", "", {0}, 1},
    {"highest", "TA_MAX", "c", "i", {30}, 1},
    {"lowest", "TA_MIN", "c", "i", {30}, 1},
    {"midpoint", "TA_MIDPOINT", "c", "i", {14}, 1},
    {"corr", "TA_CORREL", "cy", "i", {30}, 1},
    {"beta.ret", "TA_BETA", "cy", "i", {5}, 1},
    {"linreg", "TA_LINEARREG", "c", "i", {14}, 1},
    {"slope", "TA_LINEARREG_SLOPE", "c", "i", {14}, 1},
    {"tsf", "TA_TSF", "c", "i", {14}, 1},
    {"cmf", "TA_CMF", "hlcv", "i", {20}, 1},
    {"efi", "TA_EFI", "cv", "i", {13}, 1},
    {"vwap.cum", "TA_VWAP", "hlcv", "", {0}, 1},
    {"rvol", "TA_RVOL", "v", "i", {20}, 1},
    {"pvt", "TA_PVT", "cv", "", {0}, 1},
    {"mad.mean", "TA_AVGDEV", "c", "i", {14}, 1},
    {"intercept", "TA_LINEARREG_INTERCEPT", "c", "i", {14}, 1},
    {"adr", "TA_ADR", "hl", "i", {14}, 1},
    {"cvi", "TA_CVI", "hl", "ii", {10, 10}, 1},
    {"massi", "TA_MASSI", "hl", "ii", {9, 25}, 1},
    {"rvi", "TA_RVI", "c", "ii", {14, 10}, 1},
    {"nvi", "TA_NVI", "cv", "", {0}, 1},
    {"pvi", "TA_PVI", "cv", "", {0}, 1},
    {"wad", "TA_WAD", "hlc", "", {0}, 1},
    {"marketfi", "TA_MARKETFI", "hlv", "", {0}, 1},
    {"pvo", "TA_PVO", "v", "iii", {12, 26, 1}, 1},
    {"angle", "TA_LINEARREG_ANGLE", "c", "i", {14}, 1},
    {"percentile.talib", "TA_PERCENTILE", "c", "iR", {30, 50}, 1},
    {"percentrank.talib", "TA_PERCENTRANK", "c", "i", {100}, 1},
    {"cdl.doji", "TA_CDLDOJI", "ohlc", "", {0}, 1},
    {"cdl.dragonflydoji", "TA_CDLDRAGONFLYDOJI", "ohlc", "", {0}, 1},
    {"cdl.gravestonedoji", "TA_CDLGRAVESTONEDOJI", "ohlc", "", {0}, 1},
    {"cdl.longleggeddoji", "TA_CDLLONGLEGGEDDOJI", "ohlc", "", {0}, 1},
    {"cdl.rickshawman", "TA_CDLRICKSHAWMAN", "ohlc", "", {0}, 1},
    {"cdl.takuri", "TA_CDLTAKURI", "ohlc", "", {0}, 1},
    {"cdl.marubozu", "TA_CDLMARUBOZU", "ohlc", "", {0}, 1},
    {"cdl.closingmarubozu", "TA_CDLCLOSINGMARUBOZU", "ohlc", "", {0}, 1},
    {"cdl.belthold", "TA_CDLBELTHOLD", "ohlc", "", {0}, 1},
    {"cdl.longline", "TA_CDLLONGLINE", "ohlc", "", {0}, 1},
    {"cdl.shortline", "TA_CDLSHORTLINE", "ohlc", "", {0}, 1},
    {"cdl.spinning", "TA_CDLSPINNINGTOP", "ohlc", "", {0}, 1},
    {"cdl.highwave", "TA_CDLHIGHWAVE", "ohlc", "", {0}, 1},
    {"cdl.hammer", "TA_CDLHAMMER", "ohlc", "", {0}, 1},
    {"cdl.hanging", "TA_CDLHANGINGMAN", "ohlc", "", {0}, 1},
    {"cdl.inv_hammer", "TA_CDLINVERTEDHAMMER", "ohlc", "", {0}, 1},
    {"cdl.shooting", "TA_CDLSHOOTINGSTAR", "ohlc", "", {0}, 1},
    {"cdl.engulfing", "TA_CDLENGULFING", "ohlc", "", {0}, 1},
    {"cdl.harami", "TA_CDLHARAMI", "ohlc", "", {0}, 1},
    {"cdl.haramicross", "TA_CDLHARAMICROSS", "ohlc", "", {0}, 1},
    {"cdl.piercing", "TA_CDLPIERCING", "ohlc", "", {0}, 1},
    {"cdl.darkcloud", "TA_CDLDARKCLOUDCOVER", "ohlc", "R", {0.5}, 1},
    {"cdl.dojistar", "TA_CDLDOJISTAR", "ohlc", "", {0}, 1},
    {"cdl.counterattack", "TA_CDLCOUNTERATTACK", "ohlc", "", {0}, 1},
    {"cdl.separatinglines", "TA_CDLSEPARATINGLINES", "ohlc", "", {0}, 1},
    {"cdl.homingpigeon", "TA_CDLHOMINGPIGEON", "ohlc", "", {0}, 1},
    {"cdl.matchinglow", "TA_CDLMATCHINGLOW", "ohlc", "", {0}, 1},
    {"cdl.onneck", "TA_CDLONNECK", "ohlc", "", {0}, 1},
    {"cdl.inneck", "TA_CDLINNECK", "ohlc", "", {0}, 1},
    {"cdl.thrusting", "TA_CDLTHRUSTING", "ohlc", "", {0}, 1},
    {"cdl.kicking", "TA_CDLKICKING", "ohlc", "", {0}, 1},
    {"cdl.kickingbylength", "TA_CDLKICKINGBYLENGTH", "ohlc", "", {0}, 1},
    {"cdl.morning", "TA_CDLMORNINGSTAR", "ohlc", "R", {0.3}, 1},
    {"cdl.evening", "TA_CDLEVENINGSTAR", "ohlc", "R", {0.3}, 1},
    {"cdl.morningdojistar", "TA_CDLMORNINGDOJISTAR", "ohlc", "R", {0.3}, 1},
    {"cdl.eveningdojistar", "TA_CDLEVENINGDOJISTAR", "ohlc", "R", {0.3}, 1},
    {"cdl.abandonedbaby", "TA_CDLABANDONEDBABY", "ohlc", "R", {0.3}, 1},
    {"cdl.tristar", "TA_CDLTRISTAR", "ohlc", "", {0}, 1},
    {"cdl.inside", "TA_CDL3INSIDE", "ohlc", "", {0}, 1},
    {"cdl.outside", "TA_CDL3OUTSIDE", "ohlc", "", {0}, 1},
    {"cdl.2crows", "TA_CDL2CROWS", "ohlc", "", {0}, 1},
    {"cdl.upsidegap2crows", "TA_CDLUPSIDEGAP2CROWS", "ohlc", "", {0}, 1},
    {"cdl.unique3river", "TA_CDLUNIQUE3RIVER", "ohlc", "", {0}, 1},
    {"cdl.sticksandwich", "TA_CDLSTICKSANDWICH", "ohlc", "", {0}, 1},
    {"cdl.tasukigap", "TA_CDLTASUKIGAP", "ohlc", "", {0}, 1},
    {"cdl.gapsidesidewhite", "TA_CDLGAPSIDESIDEWHITE", "ohlc", "", {0}, 1},
    {"cdl.xsidegap3methods", "TA_CDLXSIDEGAP3METHODS", "ohlc", "", {0}, 1},
    {"cdl.3soldiers", "TA_CDL3WHITESOLDIERS", "ohlc", "", {0}, 1},
    {"cdl.3crows", "TA_CDL3BLACKCROWS", "ohlc", "", {0}, 1},
    {"cdl.identical3crows", "TA_CDLIDENTICAL3CROWS", "ohlc", "", {0}, 1},
    {"cdl.advanceblock", "TA_CDLADVANCEBLOCK", "ohlc", "", {0}, 1},
    {"cdl.stalledpattern", "TA_CDLSTALLEDPATTERN", "ohlc", "", {0}, 1},
    {"cdl.3starsinsouth", "TA_CDL3STARSINSOUTH", "ohlc", "", {0}, 1},
    {"cdl.3linestrike", "TA_CDL3LINESTRIKE", "ohlc", "", {0}, 1},
    {"cdl.concealbabyswall", "TA_CDLCONCEALBABYSWALL", "ohlc", "", {0}, 1},
    {"cdl.breakaway", "TA_CDLBREAKAWAY", "ohlc", "", {0}, 1},
    {"cdl.ladderbottom", "TA_CDLLADDERBOTTOM", "ohlc", "", {0}, 1},
    {"cdl.mathold", "TA_CDLMATHOLD", "ohlc", "R", {0.5}, 1},
    {"cdl.risefall3methods", "TA_CDLRISEFALL3METHODS", "ohlc", "", {0}, 1},
    {"cdl.hikkake", "TA_CDLHIKKAKE", "ohlc", "", {0}, 1},
    {"cdl.hikkakemod", "TA_CDLHIKKAKEMOD", "ohlc", "", {0}, 1},
    {"mama", "TA_MAMA", "c", "RR", {0.5, 0.05}, 2},
    {"ht.dcperiod", "TA_HT_DCPERIOD", "c", "", {0}, 1},
    {"ht.sine", "TA_HT_SINE", "c", "", {0}, 2},
    {"ht.trendline", "TA_HT_TRENDLINE", "c", "", {0}, 1},
    {"ht.trendmode", "TA_HT_TRENDMODE", "c", "", {0}, 1},
    {"fractal", "TA_FRACTAL", "hl", "ii", {2, 2}, 2},
    {"zlema", "TA_ZLEMA", "c", "i", {30}, 1},
    {"keltner", "TA_KC", "hlc", "iiR", {20, 10, 2}, 3},
    {"accbands", "TA_ACCBANDS", "hlc", "i", {20}, 3},
    {"donchian", "TA_DONCHIAN", "hl", "i", {20}, 3},
    {"supertrend", "TA_SUPERTREND", "hlc", "iR", {10, 3}, 2},
    {"sar", "TA_SAR", "hl", "RR", {0.02, 0.2}, 1},
    {"ha", "TA_HA", "ohlc", "", {0}, 4},
    {"macdfix", "TA_MACDFIX", "c", "i", {9}, 3},
    {"macdext", "TA_MACDEXT", "c", "iiiiii", {12, 0, 26, 0, 9, 0}, 3},
    {"rocr100", "TA_ROCR100", "c", "i", {10}, 1},
    {"coppock", "TA_COPPOCK", "c", "iii", {10, 11, 14}, 1},
    {"dpo.causal", "TA_DPO", "c", "i", {20}, 1},
    {"fosc", "TA_FOSC", "c", "i", {5}, 1},
    {"tsi", "TA_TSI", "c", "ii", {25, 13}, 1},
    {"ao", "TA_AO", "hl", "ii", {5, 34}, 1},
    {"ac", "TA_AC", "hl", "iii", {5, 34, 5}, 1},
    {"qstick", "TA_QSTICK", "oc", "i", {10}, 1},
    {"imi", "TA_IMI", "oc", "i", {14}, 1},
    {"vhf", "TA_VHF", "c", "i", {28}, 1},
    {"vortex", "TA_VORTEX", "hlc", "i", {14}, 2},
    {"eri", "TA_ERI", "hlc", "i", {13}, 2},
    {"smi", "TA_SMI", "hlc", "iiii", {13, 2, 25, 9}, 2},
    {"kdj.talib", "TA_KDJ", "hlc", "iiiii", {9, 3, 13, 3, 13}, 3},
    {"avgprice", "TA_AVGPRICE", "ohlc", "", {0}, 1},
    {"medprice", "TA_MEDPRICE", "hl", "", {0}, 1},
    {"typprice", "TA_TYPPRICE", "hlc", "", {0}, 1},
    {"wclprice", "TA_WCLPRICE", "hlc", "", {0}, 1},
    {"cumsum", "TA_CUMSUM", "c", "", {0}, 1},
    {"mavp", "TA_MAVP", "cy", "iii", {2, 30, 0}, 1},
    {"sin", "TA_SIN", "c", "", {0}, 1},
    {"atan", "TA_ATAN", "c", "", {0}, 1},
    {"log10", "TA_LOG10", "c", "", {0}, 1},
    {"tanh", "TA_TANH", "c", "", {0}, 1},
    {"floor", "TA_FLOOR", "c", "", {0}, 1},
};

static double volatile sink;
static double *fields[N_FIELDS]; /* o h l c v y local: N_BLOCKS of HEAD + N_BARS rows of 8 lanes */
static double *series[N_FIELDS]; /* the same, N_BLOCKS * 8 series of N_BARS */

static double *made(size_t n) {
  double *p = aligned_alloc(64, n * sizeof(double));
  if (p != NULL) memset(p, 0, n * sizeof(double));
  return p;
}

/* Random walks of a few basis points a bar, with ranges, opening steps and volumes. */
static void walk(double *bars[N_FIELDS], hy__random *random) {
  double price = 20.0 + 200.0 * hy__random_uniform(random), other = price;
  for (size_t t = 0; t < N_BARS; t++) {
    const double open = price * (1.0 + 2e-4 * hy__random_normal(random));
    price *= 1.0 + 1e-3 * hy__random_normal(random);
    other *= 1.0 + 1e-3 * hy__random_normal(random);
    bars[0][t] = open;
    bars[1][t] = fmax(open, price) * (1.0 + 5e-4 * hy__random_uniform(random));
    bars[2][t] = fmin(open, price) * (1.0 - 5e-4 * hy__random_uniform(random));
    bars[3][t] = price;
    bars[4][t] = (double)(100 + hy__random_below(random, 10000));
    bars[5][t] = other;
    bars[6][t] = 1.7e9 + 60.0 * (double)t;
  }
}

static bool make_inputs(void) {
  const size_t block = (HEAD + N_BARS) * HY_LANES;
  hy__random random;
  hy__random_init(&random, 7, 0);
  for (int f = 0; f < N_FIELDS; f++) {
    fields[f] = made(N_BLOCKS * block);
    series[f] = made((size_t)N_BLOCKS * HY_LANES * N_BARS);
    if (fields[f] == NULL || series[f] == NULL) return false;
    for (size_t k = 0; k < N_BLOCKS * block; k++) fields[f][k] = (double)NAN;
  }
  for (size_t s = 0; s < (size_t)N_BLOCKS * HY_LANES; s++) {
    double *bars[N_FIELDS];
    for (int f = 0; f < N_FIELDS; f++) bars[f] = series[f] + s * N_BARS;
    walk(bars, &random);
    for (int f = 0; f < N_FIELDS; f++)
      for (size_t t = 0; t < N_BARS; t++)
        fields[f][s / HY_LANES * block + (HEAD + t) * HY_LANES + s % HY_LANES] = bars[f][t];
  }
  return true;
}

static int field_of(const char *name, size_t length, int *n_free) {
  static const char *const names[N_FIELDS] = {"open",   "high", "low",   "close",
                                              "volume", "",     "@local"};
  for (int f = 0; f < N_FIELDS; f++)
    if (strlen(names[f]) == length && strncmp(names[f], name, length) == 0) return f;
  const int nth = (*n_free)++;
  return nth == 0 ? 3 : nth == 1 ? 5 : 0;
}

static int inputs_of(const row *r, int out[HY__IND_INPUTS]) {
  int n = 0, n_free = 0;
  for (const char *at = r->inputs; *at != '\0'; at += strspn(at, " ")) {
    const size_t length = strcspn(at, " ");
    out[n++] = field_of(at, length, &n_free);
    at += length;
  }
  return n;
}

/* The defaults of the row; a parameter without one is 1. */
static void defaults_of(const row *r, double p[HY__IND_PARAMS]) {
  int n = 0;
  for (const char *at = r->params; *at != '\0'; at += strspn(at, " ")) {
    const size_t length = strcspn(at, " ");
    const char *equals = memchr(at, '=', length);
    p[n] = 1.0;
    if (equals != NULL) (void)hy__parse_f64(equals + 1, at + length, &p[n]);
    n++;
    at += length;
  }
}

/* Hidden columns of one chunk behind their history. */
static double *mids[HY__IND_MIDS];

static void keep_history(const hy__ind_code *code, size_t mid_rows, size_t n) {
  for (int i = 0; i < code->n_mid; i++)
    memmove(mids[i] + (HEAD - mid_rows) * HY_LANES, mids[i] + (HEAD + n - mid_rows) * HY_LANES,
            mid_rows * HY_LANES * sizeof(double));
}

static double ours_ns(const row *r, int isa, double *const out[HY__IND_OUTPUTS], void *state) {
  double p[HY__IND_PARAMS] = {0};
  int in[HY__IND_INPUTS] = {0};
  const int n_in = inputs_of(r, in);
  const hy__ind_code *code = r->code[isa];
  defaults_of(r, p);
  const size_t bytes = code->state_bytes != NULL ? code->state_bytes(p) : 0;
  const size_t mid_rows = code->mid_rows != NULL ? code->mid_rows(p) : 0;
  int64_t best = INT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    for (size_t b = 0; b < N_BLOCKS; b++) {
      memset(state, 0, bytes);
      for (size_t t = 0; t < N_BARS; t += CHUNK) {
        hy__ind_step s = {.n = HY_MIN(CHUNK, N_BARS - t), .state = state, .p = p};
        for (int i = 0; i < n_in; i++)
          s.in[i] = fields[in[i]] + (b * (HEAD + N_BARS) + HEAD + t) * HY_LANES;
        for (int i = 0; i < HY__IND_OUTPUTS; i++) s.out[i] = out[i];
        for (int i = 0; i < code->n_mid; i++) s.mid[i] = mids[i] + HEAD * HY_LANES;
        code->step(&s);
        keep_history(code, mid_rows, s.n);
      }
    }
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  sink += out[0][0];
  return (double)best / ((double)N_BLOCKS * HY_LANES * N_BARS);
}

typedef uintptr_t word;
typedef int (*any_fn)(word, word, word, word, word, word, word, word, word, word, word, word, word,
                      word, word, word, double, double, double);
typedef int (*start_fn)(void);

/* One call with its arguments in the order of TA-Lib's signatures: range, inputs, options, outputs.
 * In the x86-64 convention integers and pointers take one sequence of registers and doubles
 * another, so a signature is the list of its integers (inputs, counts, outputs) and of its reals.
 */
static void call_peer(any_fn f, const peer *q, const double *const in[6], double *const out[3]) {
  static const char order[] = "ohlcvy";
  int begin = 0, count = 0, n = 0, n_reals = 0;
  uintptr_t a[16] = {0};
  double reals[4] = {0};
  a[n++] = 0;
  a[n++] = N_BARS - 1;
  for (const char *k = q->fields; *k != '\0'; k++)
    a[n++] = (uintptr_t)in[strchr(order, *k) - order];
  for (int i = 0; q->params[i] != '\0'; i++) {
    if (q->params[i] == 'R')
      reals[n_reals++] = q->p[i];
    else
      a[n++] = (uintptr_t)(int)q->p[i];
  }
  a[n++] = (uintptr_t)&begin;
  a[n++] = (uintptr_t)&count;
  for (int i = 0; i < q->n_out; i++) a[n++] = (uintptr_t)out[i];
  (void)f(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13],
          a[14], a[15], reals[0], reals[1], reals[2]);
}

static double peer_ns(void *library, const peer *q, double *const out[3]) {
  any_fn f = NULL;
  void *const symbol = dlsym(library, q->function);
  if (symbol == NULL) return (double)NAN;
  memcpy(&f, &symbol, sizeof f);
  int64_t best = INT64_MAX;
  for (int pass = 0; pass < PASSES; pass++) {
    const int64_t began = hy__clock_monotonic_ns();
    for (size_t s = 0; s < (size_t)N_BLOCKS * HY_LANES; s++) {
      const double *in[6];
      for (int k = 0; k < 6; k++) in[k] = series[k] + s * N_BARS;
      call_peer(f, q, in, out);
    }
    best = HY_MIN(best, hy__clock_monotonic_ns() - began);
  }
  sink += out[0][0];
  return (double)best / ((double)N_BLOCKS * HY_LANES * N_BARS);
}

static void *talib(void) {
  const char *path = getenv("HAYATE_TALIB");
  void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
  void *const start = library != NULL ? dlsym(library, "TA_Initialize") : NULL;
  start_fn initialize = NULL;
  if (start == NULL) return NULL;
  memcpy(&initialize, &start, sizeof initialize);
  return initialize() == 0 ? library : NULL;
}

static bool wanted(const char *id, int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], id) == 0) return true;
  return argc == 1;
}

static void report(const row *r, int n_isas, void *library, double *const out[HY__IND_OUTPUTS],
                   void *state) {
  double ns[N_ISAS];
  (void)printf("%-20s", r->id);
  for (int isa = 0; isa < N_ISAS; isa++) {
    ns[isa] = isa < n_isas ? ours_ns(r, isa, out, state) : (double)NAN;
    (void)printf("%9.2f", ns[isa]);
  }
  for (size_t k = 0; k < HY_COUNT(peers) && library != NULL; k++) {
    if (strcmp(peers[k].id, r->id) != 0) continue;
    const double theirs = peer_ns(library, &peers[k], out);
    (void)printf("%9.2f %7.1fx %7.1fx", theirs, theirs / ns[HY_MIN(1, n_isas - 1)],
                 theirs / ns[n_isas - 1]);
  }
  (void)printf("\n");
}

int main(int argc, char **argv) {
  double *out[HY__IND_OUTPUTS];
  void *const state = made(1 << 16), *const library = talib();
  const hy_isa best = hy_isa_detect();
  const int n_isas = best >= HY_ISA_AVX512 ? 3 : best >= HY_ISA_AVX2 ? 2 : 1;
  for (int i = 0; i < HY__IND_OUTPUTS; i++)
    if ((out[i] = made(N_BARS * HY_LANES)) == NULL) return 1;
  for (int i = 0; i < HY__IND_MIDS; i++)
    if ((mids[i] = made((HEAD + CHUNK) * HY_LANES)) == NULL) return 1;
  if (state == NULL || !make_inputs()) return 1;
  (void)printf("ns per row of one symbol, one thread, %d bars in chunks of %d, defaults\n"
               "%-20s%9s%9s%9s%9s %8s %8s\n",
               N_BARS, CHUNK, "", "sse2", "avx2", "avx512", library ? "ta-lib" : "", "avx2",
               "best");
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (wanted(rows[i].id, argc, argv)) report(&rows[i], n_isas, library, out, state);
  if (library == NULL)
    (void)printf("TA-Lib is not beside it: set HAYATE_TALIB=$(python bench/peers/talib_so.py)\n");
  return 0;
}
