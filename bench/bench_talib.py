# SPDX-License-Identifier: Apache-2.0
"""hayate.talib beside TA-Lib's own Python functions: microseconds of one call over one series, for
the functions that scripts call most, with their defaults. Each time is the least of several turns
that the two sides take one after the other; what a script pays, Python's part included.

    python bench/bench_talib.py [--all] [--bars N,N,..] [NAME ...]
"""
import argparse
import math
import pathlib
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

import hayate.talib as ours  # noqa: E402
from hayate._talib_table import ROWS  # noqa: E402

NAMES = """SMA EMA WMA DEMA TEMA TRIMA KAMA T3 MA BBANDS SAR RSI MACD MACDEXT STOCH STOCHF STOCHRSI
    ADX PLUS_DI DX ATR NATR TRANGE CCI WILLR MFI OBV AD ADOSC ROC MOM CMO TRIX AROON ULTOSC
    LINEARREG LINEARREG_SLOPE STDDEV VAR CORREL BETA MAX MIN SUM TYPPRICE MIDPOINT CDLENGULFING
    CDLDOJI HT_TRENDLINE MAMA""".split()
TURNS, TURN_NS = 9, 2_000_000


def columns(n):
    """A random walk with ranges and volumes, under TA-Lib's names for inputs."""
    rng = np.random.default_rng(6)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, n)))
    open_ = np.concatenate([close[:1], close[:-1]])
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 5e-4, n)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 5e-4, n)))
    volume = np.floor(rng.lognormal(8, 1, n))
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume,
            "real": close, "real0": close, "real1": open_,
            "periods": rng.integers(2, 30, n).astype(float)}


def turn_us(function, args, calls):
    began = time.perf_counter_ns()
    for _ in range(calls):
        function(*args)
    return (time.perf_counter_ns() - began) / calls / 1e3


def measure(name, given, theirs):
    """Least microseconds of a call, hayate's and TA-Lib's (None where it has no such function)."""
    args = [given[column] for column in ROWS[name].inputs]
    sides = [getattr(ours, name), getattr(theirs, name, None)]
    best = [math.inf if side else None for side in sides]
    for turn in range(TURNS):
        for k, side in enumerate(sides):
            if side is None:
                continue
            if turn == 0:
                side(*args)
            calls = 1 if turn == 0 else max(1, min(1000, int(TURN_NS / 1e3 / best[k])))
            best[k] = min(best[k], turn_us(side, args, calls))
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="all functions")
    parser.add_argument("--bars", default="100,500,5000,100000")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    try:
        import talib as theirs
    except ImportError:
        theirs = None
        print("TA-Lib is not installed: hayate.talib alone")
    lengths = [int(n) for n in options.bars.split(",")]
    given = {n: columns(n) for n in lengths}
    names = options.names or (list(ROWS) if options.all else NAMES)
    print("hayate.talib, TA-Lib, us a call; and how many times as fast")
    print(f"{'':20}" + "".join(f"{n:>14} bars      " for n in lengths))
    ratios = {n: [] for n in lengths}
    for name in names:
        cells = []
        for n in lengths:
            us, peer_us = measure(name, given[n], theirs)
            cells.append(f"{us:10.1f}" + (f"{peer_us:9.1f}{peer_us / us:6.2f}" if peer_us else
                                          f"{'-':>9}{'':6}"))
            if peer_us:
                ratios[n].append(peer_us / us)
        print(f"{name:20}" + "".join(cells), flush=True)
    if theirs:
        for label, fold in (("geometric mean", lambda r: math.exp(sum(map(math.log, r)) / len(r))),
                            ("least", min)):
            print(f"{label:20}" + "".join(f"{fold(ratios[n]):25.2f}" for n in lengths))


if __name__ == "__main__":
    main()
