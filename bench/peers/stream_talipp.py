# SPDX-License-Identifier: Apache-2.0
"""Microseconds that talipp takes for one bar of one symbol through indicators of the thirty
definitions that it has, as JSON: {"n": indicators, "bar_us": median, "each_us": {...}}."""
import json
import random
import statistics
import time

from talipp import indicators as ti
from talipp.ohlcv import OHLCV

WARM, BARS = 300, 400
MAKERS = {
    "sma": lambda: ti.SMA(30), "ema": lambda: ti.EMA(30), "wma": lambda: ti.WMA(30),
    "dema": lambda: ti.DEMA(30), "tema": lambda: ti.TEMA(30), "kama": lambda: ti.KAMA(30, 2, 30),
    "bbands": lambda: ti.BB(20, 2), "rsi": lambda: ti.RSI(14), "macd": lambda: ti.MACD(12, 26, 9),
    "stochrsi": lambda: ti.StochRSI(14, 5, 3, 3), "roc": lambda: ti.ROC(10),
    "trix": lambda: ti.TRIX(30), "std": lambda: ti.StdDev(5),
    "stoch": lambda: ti.Stoch(5, 3), "cci": lambda: ti.CCI(14), "adx": lambda: ti.ADX(14, 14),
    "atr": lambda: ti.ATR(14), "obv": lambda: ti.OBV(), "ad": lambda: ti.AccuDist(),
    "adosc": lambda: ti.ChaikinOsc(3, 10), "aroon": lambda: ti.Aroon(14),
    "ultosc": lambda: ti.UO(7, 14, 28),
}
OF_BARS = {"stoch", "cci", "adx", "atr", "obv", "ad", "adosc", "aroon", "ultosc"}


def bars():
    rng, price = random.Random(7), 100.0
    for _ in range(WARM + BARS):
        open_, price = price, price * (1 + 1e-3 * rng.gauss(0, 1))
        high, low = max(open_, price) * 1.0005, min(open_, price) * 0.9995
        yield OHLCV(open_, high, low, price, rng.randint(100, 10000), None)


def main():
    series, each = list(bars()), {}
    for name, make in MAKERS.items():
        indicator = make()
        values = series if name in OF_BARS else [b.close for b in series]
        for value in values[:WARM]:
            indicator.add(value)
        times = []
        for value in values[WARM:]:
            began = time.perf_counter_ns()
            indicator.add(value)
            times.append(time.perf_counter_ns() - began)
        each[name] = statistics.median(times) / 1e3
    print(json.dumps({"n": len(each), "bar_us": sum(each.values()), "each_us": each}))


if __name__ == "__main__":
    main()
