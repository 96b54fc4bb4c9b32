#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pandas feature script and what it becomes: the same columns from one spec, over the same frame.
Prints how far the two are apart. The spec then goes to production as it is (`hayate score`).

    PYTHONPATH=python python examples/pandas_port.py
"""
import pathlib

import numpy as np
import pandas as pd

import hayate

PATH = pathlib.Path(__file__).resolve().parent / "us20-daily" / "prices.csv"
prices = pd.read_csv(PATH, parse_dates=["date"]).set_index(["date", "symbol"]).sort_index()


def before(frame):
    """As it was written in pandas."""
    wide = frame["close"].unstack("symbol")
    ret = np.log(wide / wide.shift(1))
    columns = {
        "ret5": np.log(wide / wide.shift(5)),
        "vol20": ret.rolling(20).std(),
        "gap": wide / wide.rolling(50).mean() - 1,
        "trend": wide.ewm(span=12, adjust=False).mean() - wide.ewm(span=26, adjust=False).mean(),
        "rank": np.log(wide / wide.shift(5)).rank(axis=1, pct=True),
    }
    stacked = {name: part.stack(future_stack=True) for name, part in columns.items()}
    return pd.DataFrame(stacked).reindex(frame.index)


SPEC = """
ret5  = logret(close, 5);
vol20 = std.sample(logret(close, 1), 20);
gap   = close / sma(close, 50) - 1;
trend = ema.pandas_noadjust(close, 12) - ema.pandas_noadjust(close, 26);
rank  = cs.rank(ret5)
"""


def after(frame):
    return hayate.Features(SPEC).frame(frame, time="date")


old, new = before(prices), after(prices)
assert new.index.equals(prices.index)
for name in old:
    both = old[name].notna() & new[name].notna()
    worst = (old[name] - new[name])[both].abs().max() / old[name].abs().max()
    apart = "the same to 1e-11" if worst < 1e-11 else f"apart by {worst:.1e}"
    only = int((old[name].notna() != new[name].notna()).sum())
    print(f"{name:6} {int(both.sum())} values, {apart}; {only} are missing in one alone")
