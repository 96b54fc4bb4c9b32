# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/feature/: input.npz, and one .npz per row of src/feature/indicator.inc.

Expected values come from TA-Lib, pandas, or a closed form in long double (numpy) written here
from the definition. Each file holds arrays named SERIES(PARAMS) or SERIES(PARAMS).OUTPUT.
Rows of a series: open high low close volume time local other; `other` is what a
second free input gets.

    python tools/golden/feature.py [ID...]
"""
import datetime
import gzip
import importlib.util
import pathlib
import platform
import sys

import numpy as np
import pandas as pd
import talib

import feature_forms as forms
import feature_qlib  # its rows join the table

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "feature"
N_BARS = 400
FIELDS = ["open", "high", "low", "close", "volume", "time", "local", "other"]
DATA_LICENCE = "arch NCSA, gym_anytrading MIT, synth generated here (NOTICE)"


def package(name, *parts):
    return pathlib.Path(importlib.util.find_spec(name).submodule_search_locations[0], *parts)


def seconds(stamps, zone):
    local = pd.DatetimeIndex(stamps)
    utc = local.tz_localize(zone).tz_convert("UTC").tz_localize(None)
    epoch = pd.Timestamp(0)
    return [(index - epoch).total_seconds().to_numpy() for index in (utc, local)]


def sp500():
    """Daily bars of an index from 1999, close stamped 16:00 in New York; other: Nasdaq's close."""
    columns = ["Open", "High", "Low", "Close", "Volume"]
    frames = [pd.read_csv(gzip.open(package("arch", "data", name, name + ".csv.gz")),
                          nrows=N_BARS) for name in ("sp500", "nasdaq")]
    stamps = pd.to_datetime(frames[0]["Date"]) + pd.Timedelta(hours=16)
    rows = [frames[0][c].to_numpy(float) for c in columns]
    return np.array(rows + seconds(stamps, "America/New_York") + [frames[1]["Close"].to_numpy()])


def eurusd():
    """Hourly bars, open-stamped in UTC; the clock is the close's. other: the bar's open."""
    path = package("gym_anytrading", "datasets", "data", "FOREX_EURUSD_1H_ASK.csv")
    frame = pd.read_csv(path, skiprows=range(1, 1001), nrows=N_BARS)
    stamps = pd.to_datetime(frame["Time"], format="%d.%m.%Y %H:%M:%S.%f") + pd.Timedelta(hours=1)
    rows = [frame[c].to_numpy(float) for c in ["Open", "High", "Low", "Close", "Volume"]]
    return np.array(rows + seconds(stamps, "UTC") + [rows[0]])


def synth():
    """Minute bars of a random walk with opening gaps, flat stretches, zero volumes and a spike."""
    rng = np.random.default_rng(20240607)
    steps = rng.normal(0, 0.002, N_BARS) * np.where(np.arange(N_BARS) // 80 % 2, 3.0, 1.0)
    close = 50 * np.exp(np.cumsum(steps))
    close[150:190] = close[149]
    close[260] *= 1.6
    open_ = np.concatenate([[50.0], close[:-1]]) * (1 + rng.normal(0, 0.0005, N_BARS))
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.001, N_BARS)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.001, N_BARS)))
    for field in (open_, high, low):
        field[150:190] = close[149]
    volume = np.floor(rng.lognormal(8, 1, N_BARS))
    volume[rng.random(N_BARS) < 0.05] = 0
    volume[160:185] = 0
    start = datetime.datetime(2024, 3, 8, 14, 31)  # into New York's change to summer time
    minutes = np.concatenate([np.arange(0, 200), np.arange(200, 400) + 3 * 1440])
    stamps = pd.DatetimeIndex([start + datetime.timedelta(minutes=int(m)) for m in minutes])
    utc = stamps.tz_localize("UTC")
    local = utc.tz_convert("America/New_York").tz_localize(None)
    epoch = pd.Timestamp(0)
    clock = [(i - epoch).total_seconds().to_numpy() for i in (stamps, local)]
    other = 20 + 0.5 * close + rng.normal(0, 1, N_BARS)
    fields = [np.round(f, 4) for f in (open_, high, low, close)]
    return np.array(fields + [volume] + clock + [np.round(other, 4)])


def ticks():
    """Minute bars on a grid of cents, where equal typical prices differ by rounding alone."""
    rng = np.random.default_rng(20240608)
    close = 40 + 0.01 * np.cumsum(rng.integers(-1, 2, N_BARS))
    open_ = np.concatenate([[40.0], close[:-1]])
    high = np.maximum(open_, close) + 0.01 * rng.integers(0, 3, N_BARS)
    low = np.minimum(open_, close) - 0.01 * rng.integers(0, 3, N_BARS)
    volume = np.floor(rng.lognormal(8, 1, N_BARS))
    clock = 60.0 * np.arange(N_BARS) + 1.7e9
    prices = [np.round(field, 2) for field in (open_, high, low, close)]
    return np.array(prices + [volume, clock, clock, prices[0]])


def holes():
    """synth with bars that are there and have no values, or lack one of them."""
    rows = synth()
    for t in (3, 33, 34, 120, 301, *range(90, 98), *range(220, 290)):
        rows[:5, t] = rows[7, t] = np.nan
    rows[3, 60], rows[7, 65], rows[4, 70] = np.nan, np.nan, np.nan
    return rows


def grid_bars(n, rng):
    """Bars on a coarse grid: dojis, gaps, runs and bare bodies are common."""
    body = rng.choice([0, 1, 2, 4, 8, 16, 30], n, p=[.15] * 6 + [.1]) * rng.choice([-1, 1], n)
    run = np.repeat(rng.choice([-1, 0, 0, 1], n // 6 + 1), 6)[:n]
    body = np.where((run != 0) & (rng.random(n) < 0.8), abs(body) * run, body)
    gap = rng.choice([0, 0, 0, 1, -1, 3, -3, 6, -6, 12, -12, 20, -20], n)
    upper, lower = rng.choice([0, 0, 1, 3, 10, 30], (2, n))
    close = np.empty(n)
    price = 500
    for t in range(n):
        price = price if 300 <= price <= 800 else 500
        close[t] = price = price + gap[t] + body[t]
    open_ = close - body
    return open_, np.maximum(open_, close) + upper, np.minimum(open_, close) - lower, close


def shapes():
    """Grid bars around two occurrences of every candle pattern and sign, end to end."""
    rng = np.random.default_rng(20240609)
    bars = np.array(grid_bars(2_000_000, rng))
    keep = []
    for name in talib.get_function_groups()["Pattern Recognition"]:
        found = getattr(talib, name)(*bars)
        for value in np.unique(found[found != 0]):
            for at in np.flatnonzero(found == value)[:2]:
                keep.extend(range(at - 15, at + 3))
    prices = np.round(bars[:, keep] / 10, 1)
    n = len(keep)
    clock = 60.0 * np.arange(n) + 1.7e9
    return np.array([*prices, np.full(n, 100.0), clock, clock, prices[0]])


def unit():
    """Values of -1 to 1 with the ends, halves and zeros; open to close are turns of the same."""
    values = np.round(np.sin(0.7 * np.arange(N_BARS)) * (np.arange(N_BARS) % 5 + 1) / 5, 6)
    values[::40], values[1::40], values[2::40], values[3::40] = 1, -1, 0, 0.5
    clock = 60.0 * np.arange(N_BARS) + 1.7e9
    return np.array([np.roll(values, k) for k in (1, 2, 3, 0, 4)] + [clock, clock, -values])


ARCS = ("asin", "acos", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "floor", "ceil")
SIGNS = ("abs", "sign", "where", "count")  # of prices they are the price, 1, or all
# Series that some definitions alone are compared on: prices which were computed, candle patterns,
# values of a domain that prices leave.
ALONE = {"ticks": lambda name: name == "mfi", "shapes": lambda name: name.startswith("cdl."),
         "unit": lambda name: name in (*ARCS, *SIGNS),
         "holes": lambda name: name.endswith((".qlib", ".rel"))}


class Series:
    """A series by its fields' first letters, and its pandas form."""

    def __init__(self, name, rows):
        self.name = name
        self.o, self.h, self.l, self.c, self.v, self.time, self.local, self.y = rows

    @property
    def pc(self):
        return pd.Series(self.c)


def text(params):
    return ",".join(format(p, "g") for p in params)


def main(wanted):
    OUT.mkdir(parents=True, exist_ok=True)
    rows = {"sp500": sp500(), "eurusd": eurusd(), "synth": synth(), "ticks": ticks(),
            "shapes": shapes(), "unit": unit(), "holes": holes()}
    series = [Series(name, values) for name, values in rows.items()]
    np.savez_compressed(OUT / "input.npz", **rows)
    origin(OUT / "input.npz.origin", "arch 8.0.0 sp500.csv.gz and nasdaq.csv.gz (first 400 rows); "
           "gym_anytrading 2.0.0 FOREX_EURUSD_1H_ASK.csv (400 rows after the first 1,000); "
           "synth, ticks, shapes: numpy's default_rng(20240607 to 20240609); shapes chosen by TA-Lib", "")
    for name, definition in forms.TABLE.items():
        if wanted and name not in wanted:
            continue
        arrays = {}
        for one in series:
            if one.name in definition.skip or not ALONE.get(one.name, bool)(name):
                continue
            for params in definition.cases:
                found = definition.form(one, *params)
                found = found if isinstance(found, dict) else {"": found}
                for suffix, values in found.items():
                    key = f"{one.name}({text(params)})" + ("." + suffix if suffix else "")
                    arrays[key] = np.asarray(values, dtype=np.float64)
        np.savez_compressed(OUT / (name + ".npz"), **arrays)
        source = definition.source
        if definition.skip:
            source += f"; not for {', '.join(definition.skip)}: {definition.why}"
        origin(OUT / (name + ".npz.origin"), source, name)


def origin(path, source, name):
    path.write_text(
        f"what: {source}\n"
        f"versions: python {platform.python_version()}, numpy {np.__version__}, "
        f"pandas {pd.__version__}, TA-Lib {talib.__version__} "
        f"(core {talib.__ta_version__.decode().split()[0]})\n"
        f"command: python tools/golden/feature.py {name}".rstrip() + "\n"
        f"licence: {DATA_LICENCE}\n"
        "tolerance: 1e-9 of the expected values' largest magnitude; first row exact\n")


if __name__ == "__main__":
    main(set(sys.argv[1:]))
