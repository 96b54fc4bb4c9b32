#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A script written for TA-Lib, with its import changed: a trend filter with three confirmations on
hourly EUR/USD. With `--peer` it runs on TA-Lib itself and prints the same lines.

    PYTHONPATH=python python examples/talib_port.py
"""
import pathlib
import sys

import numpy as np

if "--peer" in sys.argv:
    import talib
else:
    import hayate.talib as talib  # was: import talib

PATH = pathlib.Path(__file__).resolve().parent / "eurusd-hourly" / "EURUSD.csv"
bars = np.genfromtxt(PATH, delimiter=",", names=True, usecols=(1, 2, 3, 4, 5))
high, low, close = (np.ascontiguousarray(bars[name]) for name in ("high", "low", "close"))

trend = talib.EMA(close, timeperiod=200)
rsi = talib.RSI(close)
macd, signal, hist = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
upper, middle, lower = talib.BBANDS(close, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
atr = talib.ATR(high, low, close, timeperiod=14)
adx = talib.ADX(high, low, close, timeperiod=14)
slowk, slowd = talib.STOCH(high, low, close, fastk_period=14)

buy = (close > trend) & (rsi < 45) & (hist > 0) & (adx > 20)
sell = (close < trend) & (rsi > 55) & (hist < 0) & (adx > 20)
wide = (upper - lower) / middle > 4 * atr / close

print(f"{len(close)} bars, {buy.sum()} buys, {sell.sum()} sells, {wide.sum()} wide bars")
print(f"last: rsi {rsi[-1]:.4f}, macd {macd[-1]:.7f}, signal {signal[-1]:.7f}, adx {adx[-1]:.4f}, "
      f"atr {atr[-1]:.7f}, stochastic {slowk[-1]:.4f} {slowd[-1]:.4f}")
