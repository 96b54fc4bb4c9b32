# SPDX-License-Identifier: Apache-2.0
"""What each indicator's golden is made of: TA-Lib's function, pandas' method, or a closed form."""
import numpy as np
import pandas as pd
import talib as ta

TABLE = {}
LD = np.longdouble


class Definition:
    def __init__(self, form, source, cases, skip, why):
        self.form, self.source, self.cases = form, source, cases
        self.skip, self.why = skip, why


def row(name, source, cases=((),), skip=(), why=""):
    def register(form):
        TABLE[name] = Definition(form, source, cases, skip, why)
        return form
    return register


def talib(name, function, cases=((),), outputs=None, args="c", skip=(), why=""):
    """A row whose values are TA-Lib's; args name the series' fields."""
    def form(s, *params):
        got = getattr(ta, function)(*[getattr(s, a) for a in args], *params)
        return dict(zip(outputs, got)) if outputs else got
    row(name, f"TA-Lib {function}", cases, skip, why)(form)


def closed(name, cases=((),), what="long double"):
    return row(name, "the definition written out in " + what, cases)


def rolling(function, n, *series):
    """function of each window of n (long double) of the series; NaN before the first."""
    series = [np.asarray(x, LD) for x in series]
    out = np.full(len(series[0]), np.nan, LD)
    for t in range(n - 1, len(out)):
        out[t] = function(*[x[t + 1 - n:t + 1] for x in series])
    return out


def ago(x, k=1):
    x = np.asarray(x, LD)
    return np.concatenate([np.full(k, np.nan, LD), x[:-k]])


def seeded(x, n, k):
    """Exponential average of the values that are not NaN, the first the mean of n of them."""
    out = np.full(len(x), np.nan, LD)
    e, seen = LD(0), 0
    for t, value in enumerate(np.asarray(x, LD)):
        if np.isnan(value):
            continue
        seen += 1
        e = e + value if seen < n else (e + value) / n if seen == n else e + k * (value - e)
        if seen >= n:
            out[t] = e
    return out


def wilder(x, n):
    return seeded(x, n, LD(1) / n)


WINDOWS = ((30,), (5,), (1,), (100,))

talib("sum", "SUM", ((30,), (5,), (2,), (100,)))
talib("sma", "SMA", ((30,), (5,), (2,), (100,)))
talib("ema.talib", "EMA", ((30,), (5,), (2,)))
talib("rma", "RMA", ((14,), (5,)))
talib("dema", "DEMA", ((30,), (5,)))
talib("tema", "TEMA", ((30,), (5,)))
talib("t3", "T3", ((5, 0.7), (8, 0.5)))


@row("ema.pandas_adjust", "pandas ewm(span=n).mean()", ((30,), (5,)))
def _(s, n):
    return s.pc.ewm(span=n).mean()


@row("ema.pandas_noadjust", "pandas ewm(span=n, adjust=False).mean()", ((30,), (5,)))
def _(s, n):
    return s.pc.ewm(span=n, adjust=False).mean()


def bands(s, n, k):
    upper, middle, lower = ta.BBANDS(s.c, n, k, k)
    return {"upper": upper, "middle": middle, "lower": lower}


row("bbands", "TA-Lib BBANDS", ((20, 2), (5, 1.5)))(bands)


def exact_bands(s, n, k):
    mean = rolling(np.mean, n, s.c)
    std = rolling(lambda w: np.sqrt(np.mean((w - w[0] - np.mean(w - w[0])) ** 2)), n, s.c)
    return mean + k * std, mean, mean - k * std


@closed("bbands.pctb", ((20, 2), (5, 1.5)))
def _(s, n, k):
    upper, _, lower = exact_bands(s, n, k)
    width = upper - lower
    flat = width == 0
    return np.where(flat, LD(0.5), (s.c - lower) / np.where(flat, 1, width))


@closed("bbands.width", ((20, 2), (5, 1.5)))
def _(s, n, k):
    upper, middle, lower = exact_bands(s, n, k)
    return (upper - lower) / middle


for name, function in (("mom", "MOM"), ("roc", "ROC"), ("rocp", "ROCP"), ("rocr", "ROCR")):
    talib(name, function, ((10,), (1,)))


@closed("logret", ((1,), (5,)))
def _(s, n):
    return np.log(np.asarray(s.c, LD)) - np.log(ago(s.c, n))


talib("rsi.talib", "RSI", ((14,), (2,)))
talib("cmo", "CMO", ((14,), (2,)))


def changes(x):
    d = np.asarray(x, LD) - ago(x)
    return np.where(np.isnan(d), d, np.maximum(d, 0)), np.where(np.isnan(d), d, np.maximum(-d, 0))


def share(gain, loss, flat):
    total = gain + loss
    return np.where(total == 0, LD(flat), 100 * gain / np.where(total == 0, 1, total))


@closed("rsi.mid", ((14,), (2,)))
def _(s, n):
    gain, loss = changes(s.c)
    return share(wilder(gain, n), wilder(loss, n), 50)


@closed("rsi.cutler", ((14,), (5,)))
def _(s, n):
    gain, loss = changes(s.c)
    return share(rolling(np.sum, n, gain), rolling(np.sum, n, loss), 50)


talib("macd", "MACD", ((12, 26, 9), (5, 13, 4)), ("macd", "signal", "hist"))
talib("trix", "TRIX", ((30,), (5,)))


@row("apo", "TA-Lib APO", ((12, 26), (3, 10)))
def _(s, fast, slow):
    return ta.APO(s.c, fast, slow)


@row("ppo", "TA-Lib PPO", ((12, 26), (3, 10)))
def _(s, fast, slow):
    return ta.PPO(s.c, fast, slow)


def spread(ddof):
    def one(w):
        d = w - w[0]
        return np.sum((d - np.mean(d)) ** 2) / (len(w) - ddof)
    return one


talib("std.pop", "STDDEV", ((5,), (20,), (100,)))
talib("var.pop", "VAR", ((5,), (20,), (100,)))


@closed("std.sample", ((5,), (20,), (100,)))
def _(s, n):
    return np.sqrt(rolling(spread(1), n, s.c))


@closed("var.sample", ((5,), (20,), (100,)))
def _(s, n):
    return rolling(spread(1), n, s.c)


@closed("zscore", ((20,), (5,)))
def _(s, n):
    std = np.sqrt(rolling(spread(1), n, s.c))
    return np.where(std == 0, np.nan, (s.c - rolling(np.mean, n, s.c)) / np.where(std == 0, 1, std))


talib("tr", "TRANGE", args="hlc")
talib("atr.talib", "ATR", ((14,), (5,)), args="hlc")
talib("natr", "NATR", ((14,), (5,)), args="hlc")


def ranges(s):
    before = ago(s.c)
    return np.maximum(s.h - LD(0) - s.l, np.maximum(abs(s.h - before), abs(s.l - before)))


@closed("atr.sma", ((14,), (5,)))
def _(s, n):
    return rolling(np.mean, n, ranges(s))


talib("obv", "OBV", args="cv")


@closed("pvt")
def _(s):
    step = np.asarray(s.v, LD) * (np.asarray(s.c, LD) / ago(s.c) - 1)
    step[0] = 0
    return np.cumsum(step)
