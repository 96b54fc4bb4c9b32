/* SPDX-License-Identifier: Apache-2.0
 * TA-Lib's C core beside ours: its functions for our rows, called directly out of the wheel's
 * shared object, over whole series and bar by bar. HAYATE_TALIB names the file
 * (bench/peers/talib_so.py prints it). */
#ifndef BENCH_TALIB_H
#define BENCH_TALIB_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* TA-Lib's function for a row: which of o h l c v and y it reads, its parameters (counts; a capital
 * letter is a real), how many outputs. MA types stand as a count. */
typedef struct talib_row {
  const char *id, *function, *fields, *params;
  double p[8];
  int n_out;
} talib_row;

static const talib_row talib_rows[] = {
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

static inline const talib_row *talib_find(const char *id) {
  for (size_t i = 0; i < sizeof talib_rows / sizeof talib_rows[0]; i++)
    if (strcmp(talib_rows[i].id, id) == 0) return &talib_rows[i];
  return NULL;
}

/* NULL where it is not to be had. */
static inline void *talib_load(void) {
  const char *path = getenv("HAYATE_TALIB");
  void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
  void *const start = library != NULL ? dlsym(library, "TA_Initialize") : NULL;
  int (*initialize)(void) = NULL;
  if (start == NULL) return NULL;
  memcpy(&initialize, &start, sizeof initialize);
  return initialize() == 0 ? library : NULL;
}

/* Arguments in the order of TA-Lib's signatures. In the x86-64 convention integers and pointers
 * take one sequence of registers and doubles another, so a signature is the list of its integers
 * (inputs, counts, outputs) and of its reals. */
typedef struct talib_call {
  uintptr_t a[16];
  double r[8];
  int n, n_reals;
} talib_call;

typedef int (*talib_fn)(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                        uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                        uintptr_t, uintptr_t, double, double, double, double, double);

static inline talib_fn talib_symbol(void *library, const talib_row *q, const char *suffix) {
  char name[96];
  talib_fn f = NULL;
  (void)snprintf(name, sizeof name, "%s%s", q->function, suffix);
  void *const symbol = dlsym(library, name);
  memcpy(&f, &symbol, sizeof f);
  return f;
}

static inline int talib_run(talib_fn f, const talib_call *c) {
  return f(c->a[0], c->a[1], c->a[2], c->a[3], c->a[4], c->a[5], c->a[6], c->a[7], c->a[8], c->a[9],
           c->a[10], c->a[11], c->a[12], c->a[13], c->a[14], c->a[15], c->r[0], c->r[1], c->r[2],
           c->r[3], c->r[4]);
}

static inline size_t talib_field(char field) {
  static const char order[] = "ohlcvy";
  return (size_t)(strchr(order, field) - order);
}

static inline void talib_inputs(talib_call *c, const talib_row *q, const double *const in[6]) {
  for (const char *k = q->fields; *k != '\0'; k++) c->a[c->n++] = (uintptr_t)in[talib_field(*k)];
}

static inline void talib_options(talib_call *c, const talib_row *q) {
  for (int i = 0; q->params[i] != '\0'; i++) {
    if (q->params[i] == 'R')
      c->r[c->n_reals++] = q->p[i];
    else
      c->a[c->n++] = (uintptr_t)(int)q->p[i];
  }
}

/* A whole series; out[i] gets the values from the first that exists on. */
static inline void talib_batch(talib_fn f, const talib_row *q, const double *const in[6],
                               size_t n_bars, double *const *out) {
  int begin = 0, count = 0;
  talib_call c = {.n = 0};
  c.a[c.n++] = 0;
  c.a[c.n++] = n_bars - 1;
  talib_inputs(&c, q, in);
  talib_options(&c, q);
  c.a[c.n++] = (uintptr_t)&begin;
  c.a[c.n++] = (uintptr_t)&count;
  for (int i = 0; i < q->n_out; i++) c.a[c.n++] = (uintptr_t)out[i];
  (void)talib_run(f, &c);
}

/* A stream opened on n_bars of history; NULL where TA-Lib refuses. */
static inline void *talib_stream(talib_fn open, const talib_row *q, const double *const in[6],
                                 size_t n_bars) {
  double out[8];
  void *stream = NULL;
  talib_call c = {.n = 0};
  c.a[c.n++] = (uintptr_t)&stream;
  talib_inputs(&c, q, in);
  c.a[c.n++] = n_bars;
  talib_options(&c, q);
  for (int i = 0; i < q->n_out; i++) c.a[c.n++] = (uintptr_t)&out[i];
  return talib_run(open, &c) == 0 ? stream : NULL;
}

/* bar: o h l c v y of one symbol. */
static inline void talib_update(talib_fn update, const talib_row *q, void *stream,
                                const double bar[6], double out[8]) {
  talib_call c = {.n = 0};
  c.a[c.n++] = (uintptr_t)stream;
  for (const char *k = q->fields; *k != '\0'; k++) c.r[c.n_reals++] = bar[talib_field(*k)];
  for (int i = 0; i < q->n_out; i++) c.a[c.n++] = (uintptr_t)&out[i];
  (void)talib_run(update, &c);
}

#endif
