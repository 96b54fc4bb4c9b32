/* SPDX-License-Identifier: Apache-2.0
 * The thirty definitions that are used most, with their defaults: what batch and streams are
 * measured on beside TA-Lib. */
#ifndef BENCH_DEFINITIONS_H
#define BENCH_DEFINITIONS_H

#include <stdio.h>

/* What is written in a spec, one for each output. */
typedef struct definition {
  const char *id, *calls[3];
} definition;

static const definition definitions[] = {
    {"sma", {"sma(close)"}},
    {"ema.talib", {"ema(close)"}},
    {"wma", {"wma(close)"}},
    {"dema", {"dema(close)"}},
    {"tema", {"tema(close)"}},
    {"kama", {"kama(close)"}},
    {"bbands", {"bbands(close).upper", "bbands(close).middle", "bbands(close).lower"}},
    {"rsi.talib", {"rsi.talib(close)"}},
    {"macd", {"macd(close).macd", "macd(close).signal", "macd(close).hist"}},
    {"stoch", {"stoch().k", "stoch().d"}},
    {"stochrsi", {"stochrsi(close).k", "stochrsi(close).d"}},
    {"cci", {"cci()"}},
    {"adx", {"adx()"}},
    {"plus_di", {"plus_di()"}},
    {"dx", {"dx()"}},
    {"atr.talib", {"atr.talib()"}},
    {"natr", {"natr()"}},
    {"tr", {"tr()"}},
    {"willr", {"willr()"}},
    {"mfi", {"mfi()"}},
    {"obv", {"obv()"}},
    {"ad", {"ad()"}},
    {"adosc", {"adosc()"}},
    {"roc", {"roc(close)"}},
    {"cmo", {"cmo(close)"}},
    {"trix", {"trix(close)"}},
    {"std.pop", {"std.pop(close)"}},
    {"aroon", {"aroon().up", "aroon().down"}},
    {"linreg", {"linreg(close)"}},
    {"ultosc", {"ultosc()"}},
};

/* A spec of definitions [begin, end) in text; its number of outputs. */
static inline size_t definitions_spec(char *text, size_t bytes, size_t begin, size_t end) {
  size_t n = 0, used = 0;
  for (size_t i = begin; i < end; i++)
    for (size_t k = 0; k < 3 && definitions[i].calls[k]; k++, n++)
      used += (size_t)snprintf(text + used, bytes - used, "%s; ", definitions[i].calls[k]);
  return n;
}

#endif
