# SPDX-License-Identifier: Apache-2.0
"""The goldens of the .qlib and .rel rows: pandas' rolling methods with min_periods where they are
exact selections and counts, else the definition over the values of each window in long double."""
import numpy as np
import pandas as pd

from feature_forms import LD, closed, row

FLAT = LD("2e-5")
CASES = ((30, 1), (5, 1), (12, 12))


def windows(function, n, least, *series):
    """function of what the window holds: rows, oldest first, in which all series have a value, and
    their places 1 to n. Missing while there are fewer than `least`."""
    series = [np.asarray(x, LD) for x in series]
    out = np.full(len(series[0]), np.nan, LD)
    for t in range(len(out)):
        begin = max(0, t + 1 - n)
        rows = [x[begin:t + 1] for x in series]
        known = ~np.isnan(sum(rows))
        if known.sum() >= least:
            places = np.arange(n - len(known) + 1, n + 1)[known]
            out[t] = function(*[x[known] for x in rows], places.astype(LD))
    return out


def deviation(x, *_):
    if len(x) < 2:
        return LD(np.nan)
    d = x - x[-1]
    return np.sqrt(np.sum((d - np.mean(d)) ** 2) / (len(x) - 1))


def moments(x, y):
    dx, dy = x - x[-1], y - y[-1]
    dx, dy = dx - np.mean(dx), dy - np.mean(dy)
    return np.sum(dx * dx), np.sum(dy * dy), np.sum(dx * dy)


def slope(x, places):
    pp, _, px = moments(places, x)
    return px / pp if len(x) > 1 else LD(np.nan)


def square(x, places):
    pp, xx, px = moments(places, x)
    return px * px / (pp * xx) if len(x) > 1 and xx > 0 else LD(np.nan)


def residual(n):
    def form(x, places):
        if len(x) < 2:
            return LD(np.nan)
        d = x - x[-1]
        return x[-1] - (x[-1] + np.mean(d) + slope(x, places) * (n - np.mean(places)))
    return form


def own(values, x):
    """Missing where the newest is."""
    return np.where(np.isnan(np.asarray(x, float)), np.nan, values)


def lines(x, n, least, flat):
    std = windows(deviation, n, least, x)
    rsq = windows(square, n, least, x)
    return {"std": std, "slope": windows(slope, n, least, x),
            "rsq": np.where(std <= flat(x), np.nan, rsq),
            "resi": own(windows(residual(n), n, least, x), x)}


def share_of_mean(n, share):
    return lambda x: LD(share) * np.abs(windows(lambda w, _: np.mean(w), n, 1, x))


closed("sum.qlib", CASES)(lambda s, n, least: windows(lambda w, _: np.sum(w), n, least, s.c))
closed("sma.qlib", CASES)(lambda s, n, least: windows(lambda w, _: np.mean(w), n, least, s.c))
closed("std.qlib", CASES)(lambda s, n, least: windows(deviation, n, max(least, 2), s.c))
closed("fit.qlib", CASES)(lambda s, n, least: lines(s.c, n, least, lambda x: FLAT))
for name, output in (("slope", "slope"), ("rsquare", "rsq"), ("resi", "resi")):
    def one(s, n, least, output=output):
        return lines(s.c, n, least, lambda x: FLAT)[output]
    closed(name + ".qlib", CASES)(one)

REL = ((20, 1, 1e-9), (5, 1, 1e-5))


@closed("fit.rel", REL)
def _(s, n, least, share):
    return lines(s.c, n, least, share_of_mean(n, share))


@closed("rsquare.rel", REL)
def _(s, n, least, share):
    return lines(s.c, n, least, share_of_mean(n, share))["rsq"]


def correlation(x, y, _):
    xx, yy, xy = moments(x, y)
    return xy / np.sqrt(xx * yy) if xx > 0 and yy > 0 else LD(np.nan)


def correlations(s, n, least, flat):
    r = windows(correlation, n, max(least, 2), s.c, s.y)
    for x in (s.c, s.y):
        r = np.where(windows(deviation, n, 1, x) <= flat(x), np.nan, r)
    return r


closed("corr.qlib", CASES)(lambda s, n, least: correlations(s, n, least, lambda x: FLAT))
closed("corr.rel", REL)(
    lambda s, n, least, share: correlations(s, n, least, share_of_mean(n, share)))


def pandas_row(name, what, cases=CASES):
    return row(name, f"pandas rolling(n, min_periods=min).{what}", cases)


def rolling(x, n, least):
    return pd.Series(x).rolling(n, min_periods=least)


def place(function):
    return lambda x, n, least: rolling(x, n, least).apply(lambda w: function(w) + 1, raw=True)


argmax, argmin = place(np.argmax), place(np.argmin)
pandas_row("highest.qlib", "max")(lambda s, n, least: rolling(s.c, n, least).max())
pandas_row("lowest.qlib", "min")(lambda s, n, least: rolling(s.c, n, least).min())
pandas_row("argmax.qlib", "apply(argmax + 1)")(lambda s, n, least: argmax(s.c, n, least))
pandas_row("argmin.qlib", "apply(argmin + 1)")(lambda s, n, least: argmin(s.c, n, least))


@pandas_row("extreme.qlib", "max, min, apply(argmax + 1), apply(argmin + 1)")
def _(s, n, least):
    return {"max": rolling(s.h, n, least).max(), "argmax": argmax(s.h, n, least),
            "min": rolling(s.l, n, least).min(), "argmin": argmin(s.l, n, least)}


@pandas_row("quantile.qlib", "quantile(q)", ((30, 0.5, 1), (5, 0.2, 1), (10, 0.8, 9)))
def _(s, n, q, least):
    return rolling(s.c, n, least).quantile(q)


pandas_row("median.qlib", "median")(lambda s, n, least: rolling(s.c, n, least).median())
pandas_row("rank.qlib", "rank(pct=True)")(lambda s, n, least: rolling(s.c, n, least).rank(pct=True))


@pandas_row("order.qlib", "rank(pct=True), quantile(low), quantile(high)",
            ((30, 0.2, 0.8, 1), (5, 0, 0.9, 5)))
def _(s, n, low, high, least):
    x = rolling(s.c, n, least)
    return {"rank": x.rank(pct=True), "lower": x.quantile(low), "upper": x.quantile(high)}


for name, method in (("gt", "gt"), ("lt", "lt"), ("ge", "ge"), ("le", "le"), ("eq", "eq")):
    def compared(s, method=method):
        return getattr(s.pc, method)(pd.Series(s.y)).astype(float)
    row(name + ".qlib", f"pandas Series.{method}")(compared)


@closed("updown.qlib", CASES)
def _(s, n, least):
    d = np.concatenate([[np.nan], np.diff(np.asarray(s.c, LD))])
    rises = windows(lambda w, _: np.sum(np.maximum(w, 0)), n, least, d)
    falls = windows(lambda w, _: np.sum(np.maximum(-w, 0)), n, least, d)
    both = rises + falls + LD("1e-12")
    return {"up": rises / both, "down": falls / both, "net": (rises - falls) / both}
