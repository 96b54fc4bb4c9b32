# SPDX-License-Identifier: Apache-2.0
"""What each indicator's golden is made of: TA-Lib's function, pandas' method, or a closed form."""
import numpy as np
import pandas as pd
import talib as ta
import talib.abstract

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
talib("sma", "SMA", ((30,), (5,), (2,), (100,), (150,)))
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


talib("std.pop", "STDDEV", ((5,), (20,), (100,), (150,)))
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


def standard(x, values, ddof):
    """x by the mean and deviation of the values that are there."""
    w = np.asarray(values, LD)
    w = w[~np.isnan(w)]
    if len(w) <= ddof or np.isnan(x):
        return np.nan
    std = np.sqrt(np.sum((w - np.mean(w)) ** 2) / (len(w) - LD(ddof)))
    return np.nan if std == 0 else (x - np.mean(w)) / std


@closed("roll.z", ((20, 0, 1, 0), (60, 5, 1, 0), (250, 30, 0, 0), (30, 0, 1, 1), (12, 3, 0, 1)))
def _(s, n, least, ddof, outside):
    x = np.asarray(s.c, LD)
    out = np.full(len(x), np.nan, LD)
    for t in range(len(x)):
        window = x[max(0, t + 1 - outside - n):t + 1 - outside]
        if np.sum(~np.isnan(window)) >= (least or n):
            out[t] = standard(x[t], window, ddof)
    return out


@closed("expand.z", ((2, 1, 0), (20, 0, 0), (5, 1, 1)))
def _(s, least, ddof, outside):
    x = np.asarray(s.c, LD)
    out = np.full(len(x), np.nan, LD)
    for t in range(len(x)):
        window = x[:t + 1 - outside]
        if np.sum(~np.isnan(window)) >= least:
            out[t] = standard(x[t], window, ddof)
    return out


talib("tr", "TRANGE", args="hlc")
talib("atr.talib", "ATR", ((14,), (5,)), args="hlc")
talib("natr", "NATR", ((14,), (5,)), args="hlc")


def ranges(s):
    before = ago(s.c)
    return np.maximum(s.h - LD(0) - s.l, np.maximum(abs(s.h - before), abs(s.l - before)))


@closed("atr.sma", ((14,), (5,)))
def _(s, n):
    return rolling(np.mean, n, ranges(s))


@closed("atr.tv", ((14,), (5,)))
def _(s, n):
    each = ranges(s)
    each[0] = LD(s.h[0]) - s.l[0]
    return wilder(each, n)


talib("adr", "ADR", ((14,), (5,)), args="hl")
talib("cvi", "CVI", ((10, 10), (5, 3)), args="hl")
talib("massi", "MASSI", ((9, 25), (5, 3)), args="hl")
talib("rvi", "RVI", ((14, 10), (5, 3)))
talib("obv", "OBV", args="cv")
talib("nvi", "NVI", args="cv")
talib("pvi", "PVI", args="cv")
talib("wad", "WAD", args="hlc")
talib("marketfi", "MARKETFI", args="hlv")
talib("pvo", "PVO", ((12, 26), (3, 10)), args="v")


@closed("pvt")
def _(s):
    step = np.asarray(s.v, LD) * (np.asarray(s.c, LD) / ago(s.c) - 1)
    step[0] = 0
    return np.cumsum(step)


talib("wma", "WMA", ((30,), (5,), (2,)))
talib("trima", "TRIMA", ((30,), (5,), (2,)))
talib("hma", "HMA", ((16,), (9,), (30,)))
talib("vwma", "VWMA", ((20,), (5,)), args="cv", skip=("synth",),
      why="compared with a window without volume, where the row is missing")
talib("kama", "KAMA", ((30,), (10,)))
talib("highest", "MAX", ((30,), (5,), (100,), (150,)))
talib("lowest", "MIN", ((30,), (5,), (100,)))
talib("midpoint", "MIDPOINT", ((14,), (3,)))
talib("midprice", "MIDPRICE", ((14,), (3,)), args="hl")
talib("willr", "WILLR", ((14,), (5,)), args="hlc")
talib("cci", "CCI", ((14,), (20,)), args="hlc")
talib("mad.mean", "AVGDEV", ((14,), (5,)))
for name in ("plus_dm", "minus_dm"):
    talib(name, name.upper(), ((14,), (5,)), args="hl")
for name in ("plus_di", "minus_di", "dx", "adx", "adxr"):
    talib(name, name.upper(), ((14,), (5,)), args="hlc")
talib("aroon.osc", "AROONOSC", ((14,), (5,)), args="hl")
talib("bop", "BOP", args="ohlc")
talib("ultosc", "ULTOSC", ((7, 14, 28), (3, 5, 8)), args="hlc")
talib("cmou", "CMOU", ((14,), (5,)))
talib("mfi", "MFI", ((14,), (5,)), args="hlcv")
talib("ad", "AD", args="hlcv")
talib("adosc", "ADOSC", ((3, 10), (5, 20)), args="hlcv")
talib("cmf", "CMF", ((20,), (5,)), args="hlcv")
talib("efi", "EFI", ((13,), (2,)), args="cv")
talib("vwap.cum", "VWAP", args="hlcv")
for name, function in (("linreg", "LINEARREG"), ("tsf", "TSF"), ("slope", "LINEARREG_SLOPE"),
                       ("intercept", "LINEARREG_INTERCEPT"), ("angle", "LINEARREG_ANGLE")):
    talib(name, function, ((14,), (5,), (60,)))


@row("donchian", "TA-Lib DONCHIAN", ((20,), (5,)))
def _(s, n):
    return dict(zip(("upper", "middle", "lower"), ta.DONCHIAN(s.h, s.l, n)))


@row("aroon", "TA-Lib AROON (which gives down first)", ((14,), (5,)))
def _(s, n):
    return dict(zip(("down", "up"), ta.AROON(s.h, s.l, n)))


@row("stoch", "TA-Lib STOCH", ((5, 3, 3), (14, 1, 4)))
def _(s, n, k, d):
    return dict(zip("kd", ta.STOCH(s.h, s.l, s.c, n, k, 0, d, 0)))


@row("stochf", "TA-Lib STOCHF", ((5, 3), (14, 1)))
def _(s, n, d):
    return dict(zip("kd", ta.STOCHF(s.h, s.l, s.c, n, d, 0)))


@row("stochrsi", "TA-Lib STOCHRSI", ((14, 5, 3), (5, 8, 2)), ("synth",),
     "in its flat stretch the range is the RSI's rounding noise")
def _(s, n, fast, d):
    return dict(zip("kd", ta.STOCHRSI(s.c, n, fast, d, 0)))


@closed("rvol", ((20,), (5,)))
def _(s, n):
    return np.asarray(s.c, LD) / ago(rolling(np.mean, n, s.c))


talib("er", "ER", ((10,), (5,)))


@row("argmax", "numpy argmax + 1 over pandas rolling windows", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).apply(lambda w: np.argmax(w) + 1, raw=True)


@row("argmin", "numpy argmin + 1 over pandas rolling windows", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).apply(lambda w: np.argmin(w) + 1, raw=True)


@closed("drawdown", ((60,), (5,)))
def _(s, n):
    return np.asarray(s.c, LD) / rolling(np.max, n, s.c) - 1


def by_day(s):
    """Local dates, midnight belonging to the day that ends."""
    return np.floor((s.local - 1) / 86400)


@closed("vwap.day")
@closed("vwap.session")
def _(s):
    out, paid, traded, today = [], LD(0), LD(0), None
    for t, day in enumerate(by_day(s)):
        if day != today:
            paid, traded, today = LD(0), LD(0), day
        paid += (LD(s.h[t]) + s.l[t] + s.c[t]) / 3 * s.v[t]
        traded += s.v[t]
        out.append(paid / traded if traded > 0 else np.nan)
    return out


def shaped(w, power):
    d = w - w[0]
    return np.sum((d - np.mean(d)) ** power)


@closed("skew", ((20,), (5,)))
def _(s, n):
    def one(w):
        two = shaped(w, 2)
        scale = n * np.sqrt(LD(n - 1)) / (n - 2)
        return np.nan if two == 0 else scale * shaped(w, 3) / two ** LD(1.5)
    return rolling(one, n, s.c)


@closed("kurt", ((20,), (5,)))
def _(s, n):
    below = LD((n - 2) * (n - 3))

    def one(w):
        two = shaped(w, 2)
        if two == 0:
            return np.nan
        return n * (n + 1) * (n - 1) / below * shaped(w, 4) / two ** 2 - 3 * (n - 1) ** 2 / below
    return rolling(one, n, s.c)


def product(a, b):
    da, db = a - a[0], b - b[0]
    return np.sum((da - np.mean(da)) * (db - np.mean(db)))


def pearson(a, b):
    below = product(a, a) * product(b, b)
    return np.nan if below == 0 else product(a, b) / np.sqrt(below)


@row("corr", "TA-Lib CORREL; synth, which has flat windows, in long double", ((30,), (5,)))
def _(s, n):
    return rolling(pearson, n, s.c, s.y) if s.name == "synth" else ta.CORREL(s.c, s.y, n)


@row("cov", "pandas rolling.cov", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).cov(pd.Series(s.y))


def steepness(x, y):
    return np.nan if product(x, x) == 0 else product(x, y) / product(x, x)


@row("beta.ret", "TA-Lib BETA; synth, which has flat windows, in long double", ((5,), (30,)))
def _(s, n):
    if s.name != "synth":
        return ta.BETA(s.c, s.y, n)
    x, y = (np.asarray(a, LD) / ago(a) - 1 for a in (s.c, s.y))
    return rolling(steepness, n, x, y)


@closed("beta.level", ((30,), (5,)))
def _(s, n):
    return rolling(steepness, n, s.c, s.y)


@closed("autocorr", ((30, 1), (20, 5)))
def _(s, n, k):
    out = rolling(pearson, n, s.c, ago(s.c, k))
    return out


def fitted(w):
    """Intercept, slope and explained share of the line through a window."""
    x, d = np.arange(len(w), dtype=LD), w - w[0]
    slope = product(x, d) / product(x, x)
    total = product(d, d)
    share = np.nan if total == 0 else slope ** 2 * product(x, x) / total
    return w[0] + np.mean(d) - slope * np.mean(x), slope, share


@closed("resi", ((14,), (5,), (60,)))
def _(s, n):
    def one(w):
        intercept, slope, _ = fitted(w)
        return w[-1] - (intercept + slope * (n - 1))
    return rolling(one, n, s.c)


@closed("rsquare", ((14,), (5,), (60,)))
def _(s, n):
    return rolling(lambda w: fitted(w)[2], n, s.c)


@row("rank.pct_avg", "pandas rolling.rank(pct=True)", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).rank(pct=True)


@row("quantile.linear", "pandas rolling.quantile", ((30, 0.2), (30, 0.8), (5, 0.5), (60, 1)))
def _(s, n, q):
    return s.pc.rolling(n).quantile(q)


@row("median", "pandas rolling.median", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).median()


@closed("mad.median", ((14,), (5,), (60,)))
def _(s, n):
    return rolling(lambda w: np.median(abs(w - np.median(w))), n, s.c)


talib("percentile.talib", "PERCENTILE", ((30, 50), (5, 33.3), (60, 90), (10, 0)))
talib("percentrank.talib", "PERCENTRANK", ((100,), (5,)))


@closed("prod", ((30,), (5,)))
def _(s, n):
    return rolling(np.prod, n, s.c)


@row("count", "numpy count_nonzero over pandas rolling windows", ((30,), (5,)))
def _(s, n):
    return s.pc.rolling(n).apply(np.count_nonzero, raw=True)


@closed("crossed", what="numpy")
def _(s):
    above, below = s.c > s.y, s.c < s.y
    out = 1.0 * (above[1:] & ~above[:-1]) - 1.0 * (below[1:] & ~below[:-1])
    return np.concatenate([[np.nan], out])


def logs(a, b):
    return np.log(np.asarray(a, LD)) - np.log(np.asarray(b, LD))


def log_returns(s):
    return logs(s.c, ago(s.c))


@closed("rv.variance", ((20,), (5,)))
def _(s, n):
    return rolling(np.sum, n, log_returns(s) ** 2)


@closed("rv.volatility", ((20,), (5,)))
def _(s, n):
    return np.sqrt(rolling(np.sum, n, log_returns(s) ** 2))


@closed("bipower", ((20,), (5,)))
def _(s, n):
    r = abs(log_returns(s))
    return LD(np.pi) / 2 * rolling(np.sum, n, r * ago(r))


@closed("amihud", ((20,), (5,)))
def _(s, n):
    with np.errstate(divide="ignore", invalid="ignore"):
        each = abs(log_returns(s)) / (LD(1) * s.c * s.v)
    counted = np.where(s.v > 0, LD(1), LD(0))
    counted[0] = np.nan
    each = np.where(s.v > 0, each, 0 * counted)
    total, count = rolling(np.sum, n, each), rolling(np.sum, n, counted)
    return np.where(count == 0, np.nan, total / np.where(count == 0, 1, count))


@closed("roll.spread", ((20,), (5,)))
def _(s, n):
    def one(w):
        return 2 * np.sqrt(max(-product(w[1:], w[:-1]) / (n - 2), LD(0)))
    return rolling(one, n, log_returns(s))


@closed("corwin_schultz", ((20,), (5,)))
def _(s, n):
    one = logs(s.h, s.l) ** 2
    beta = one + ago(one)
    gamma = logs(np.fmax(s.h, ago(s.h)), np.fmin(s.l, ago(s.l))) ** 2
    unit = 3 - 2 * np.sqrt(LD(2))
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / unit - np.sqrt(gamma / unit)
    return rolling(np.mean, n, np.maximum(2 * np.tanh(alpha / 2), 0))


def rescaled(w):
    """R/S of a block of returns; NaN where it is flat."""
    d = w - w[0]
    d = d - np.mean(d)
    path = np.concatenate([[LD(0)], np.cumsum(d)])
    deviation = np.sqrt(np.mean(d ** 2))
    return np.nan if deviation == 0 else (np.max(path) - np.min(path)) / deviation


@closed("hurst.rs", ((128, 8), (40, 5)))
def _(s, n, least):
    def one(w):
        x, y, m = [], [], n
        while m >= least:
            each = np.array([rescaled(w[n - k - m:n - k]) for k in range(0, n - m + 1, m)], LD)
            each = each[~np.isnan(each)]
            if not len(each) or np.isnan(w[0]):
                return np.nan
            x.append(np.log(LD(m)))
            y.append(np.log(np.mean(each)))
            m //= 2
        return product(np.array(x), np.array(y)) / product(np.array(x), np.array(x))
    return rolling(one, n, log_returns(s))


@closed("parkinson", ((20,), (5,)))
def _(s, n):
    return np.sqrt(rolling(np.mean, n, logs(s.h, s.l) ** 2) / (4 * np.log(LD(2))))


@closed("garman_klass", ((20,), (5,)))
def _(s, n):
    each = logs(s.h, s.l) ** 2 / 2 - (2 * np.log(LD(2)) - 1) * logs(s.c, s.o) ** 2
    return np.sqrt(np.maximum(rolling(np.mean, n, each), 0))


def rogers(s):
    return logs(s.h, s.c) * logs(s.h, s.o) + logs(s.l, s.c) * logs(s.l, s.o)


@closed("rogers_satchell", ((20,), (5,)))
def _(s, n):
    return np.sqrt(rolling(np.mean, n, rogers(s)))


@closed("yang_zhang", ((20,), (5,)))
def _(s, n):
    k = LD(0.34) / (LD(1.34) + LD(n + 1) / (n - 1))
    night = rolling(spread(1), n, logs(s.o, ago(s.c)))
    day = rolling(spread(1), n, logs(s.c, s.o))
    return np.sqrt(night + k * day + (1 - k) * rolling(np.mean, n, rogers(s)))


@closed("ewma_vol", ((20, 0.94), (5, 0.9)))
def _(s, n, keep):
    return np.sqrt(seeded(log_returns(s) ** 2, n, 1 - LD(keep)))


def candle(name, form):
    def row_form(s):
        return form(s.o, s.h, s.l, s.c, s.h - s.l + 1e-12)
    closed(name, what="numpy, as Alpha158 does")(row_form)


candle("kmid", lambda o, h, l, c, e: (c - o) / o)
candle("klen", lambda o, h, l, c, e: (h - l) / o)
candle("kmid2", lambda o, h, l, c, e: (c - o) / e)
candle("kup", lambda o, h, l, c, e: (h - np.maximum(o, c)) / o)
candle("kup2", lambda o, h, l, c, e: (h - np.maximum(o, c)) / e)
candle("klow", lambda o, h, l, c, e: (np.minimum(o, c) - l) / o)
candle("klow2", lambda o, h, l, c, e: (np.minimum(o, c) - l) / e)
candle("ksft", lambda o, h, l, c, e: (2 * c - h - l) / o)
candle("ksft2", lambda o, h, l, c, e: (2 * c - h - l) / e)


def over_range(name, form):
    def row_form(s):
        width = s.h - s.l
        flat = width == 0
        return np.where(flat, 0, form(s.o, s.h, s.l, s.c) / np.where(flat, 1, width))
    closed(name, what="numpy")(row_form)


over_range("body_ratio", lambda o, h, l, c: abs(c - o))
over_range("upper_wick", lambda o, h, l, c: h - np.maximum(o, c))
over_range("lower_wick", lambda o, h, l, c: np.minimum(o, c) - l)


@closed("gap")
def _(s):
    return s.o / ago(s.c) - 1


@closed("nr", ((7,), (3,)), what="numpy")
def _(s, n):
    def one(w):
        return float(w[-1] < np.min(w[:-1]))
    return rolling(one, n, s.h - s.l)


@closed("inside_bar", what="numpy")
def _(s):
    inside = (s.h[1:] < s.h[:-1]) & (s.l[1:] > s.l[:-1])
    return np.concatenate([[np.nan], 1.0 * inside])


@closed("streak", what="numpy")
def _(s):
    out, run = [np.nan], 0
    for sign in np.sign(np.diff(s.c)):
        run = 0 if sign == 0 else run + sign if run * sign > 0 else sign
        out.append(run)
    return out


def pattern(name, function, *params):
    """TA-Lib's integers; its zeros before the look-back are no verdicts."""
    def form(s, *params):
        found = getattr(ta, "CDL" + function)(s.o, s.h, s.l, s.c, *params)
        last = ta.abstract.Function("CDL" + function).lookback
        return np.where(np.arange(len(found)) < last, np.nan, found)
    row("cdl." + name, f"TA-Lib CDL{function}", params or ((),))(form)


for name in ("doji dragonflydoji gravestonedoji longleggeddoji rickshawman takuri marubozu "
             "closingmarubozu belthold longline shortline highwave hammer engulfing harami "
             "haramicross piercing dojistar counterattack separatinglines homingpigeon matchinglow "
             "onneck inneck thrusting kicking kickingbylength tristar 2crows upsidegap2crows "
             "unique3river sticksandwich tasukigap gapsidesidewhite xsidegap3methods "
             "identical3crows advanceblock stalledpattern 3starsinsouth 3linestrike "
             "concealbabyswall breakaway ladderbottom risefall3methods hikkake hikkakemod").split():
    pattern(name, name.upper())
for name, function in (("hanging", "HANGINGMAN"), ("shooting", "SHOOTINGSTAR"),
                       ("inv_hammer", "INVERTEDHAMMER"), ("spinning", "SPINNINGTOP"),
                       ("inside", "3INSIDE"), ("outside", "3OUTSIDE"),
                       ("3soldiers", "3WHITESOLDIERS"), ("3crows", "3BLACKCROWS")):
    pattern(name, function)
for name, function in (("morning", "MORNINGSTAR"), ("evening", "EVENINGSTAR"),
                       ("morningdojistar", "MORNINGDOJISTAR"),
                       ("eveningdojistar", "EVENINGDOJISTAR"), ("abandonedbaby", "ABANDONEDBABY")):
    pattern(name, function, (0.3,), (0.7,))
pattern("darkcloud", "DARKCLOUDCOVER", (0.5,), (0.2,))
pattern("mathold", "MATHOLD", (0.5,), (0.2,))

TURN = 2 * LD(np.pi)
closed("tod_sin")(lambda s: np.sin(TURN * LD(1) * (s.local % 86400) / 86400))
closed("tod_cos")(lambda s: np.cos(TURN * LD(1) * (s.local % 86400) / 86400))
closed("dow_sin")(lambda s: np.sin(TURN * LD(1) * ((by_day(s) + 3) % 7) / 7))
closed("dow_cos")(lambda s: np.cos(TURN * LD(1) * ((by_day(s) + 3) % 7) / 7))


def day_dates(s):
    return pd.to_datetime(by_day(s), unit="D")


def session_times(s):
    """Open and close of the tests' sessions: every local day from 09:30 to 16:00."""
    midnight = s.time - (s.local - by_day(s) * 86400)
    return midnight + 34200, midnight + 57600


def run_lengths(flags):
    lengths, n = [], 0
    for flag in flags:
        n = n + 1 if flag else 0
        lengths.append(n)
    return lengths


closed("dom")(lambda s: day_dates(s).day)
closed("month_sin")(lambda s: np.sin(TURN * (np.asarray(day_dates(s).month, LD) - 1) / 12))
closed("month_cos")(lambda s: np.cos(TURN * (np.asarray(day_dates(s).month, LD) - 1) / 12))
closed("session_id")(by_day)
closed("sec_to_close")(lambda s: session_times(s)[1] - s.time)
closed("gap_sec")(lambda s: np.concatenate([[np.nan], np.diff(s.time)]))
closed("is_last")(lambda s: (s.time >= session_times(s)[1]).astype(float))
closed("stale_bars")(lambda s: run_lengths(s.v == 0))


@closed("frac_session")
def _(s):
    begin, end = session_times(s)
    return np.clip((s.time.astype(LD) - begin) / (end - begin), 0, 1)


@closed("is_first")
def _(s):
    return np.concatenate([[np.nan], (np.diff(by_day(s)) > 0).astype(float)])


@closed("bars_since_open")
def _(s):
    day = pd.Series(by_day(s))
    return day.groupby((day != day.shift()).cumsum()).cumcount()


@closed("holiday_eve")
def _(s):
    """The tests' holidays follow every tenth day; the day after is numpy's next business day."""
    day = by_day(s).astype("i8")
    after = np.busday_offset((day + 1).astype("datetime64[D]"), 0, roll="forward").astype("i8")
    coming = after + (day % 10 == 3)
    return (coming > after).astype(float)


def plain(name, form, cases=((),), skip=(), why=""):
    """Element by element; x is the close, y the other series, the third the open."""
    row(name, "numpy", cases, skip, why)(lambda s, *p: form(s.c, s.y, *p))


plain("add", lambda x, y: x + y)
plain("sub", lambda x, y: x - y)
plain("mul", lambda x, y: x * y)
plain("div", lambda x, y: x / y)
plain("gt", lambda x, y: x > y)
plain("lt", lambda x, y: x < y)
plain("ge", lambda x, y: x >= y)
plain("le", lambda x, y: x <= y)
plain("eq", lambda x, y: x == y)
plain("min", np.minimum)
plain("max", np.maximum)
plain("neg", lambda x, y: -x)
plain("abs", lambda x, y: abs(x))
plain("ln", lambda x, y: np.log(np.asarray(x, LD)))
plain("exp", lambda x, y: np.exp(np.asarray(x, LD)), skip=("sp500",), why="it overflows there")
plain("sqrt", lambda x, y: np.sqrt(x))
plain("sign", lambda x, y: np.sign(x))
plain("clip", lambda x, y, low, high: np.clip(x, low, high), ((1.05, 1.06), (40, 1250)))
plain("fixed_z", lambda x, y, mean, std: (LD(1) * x - mean) / std, ((1.1, 0.02), (40, 300)))
plain("ref", lambda x, y, k: ago(x, k), ((1,), (7,)))


@row("where", "numpy")
def _(s):
    return np.where(s.c != 0, s.y, s.o)


BANDS = ("upper", "middle", "lower")
talib("zlema", "ZLEMA", ((30,), (5,)))
talib("keltner", "KC", ((20, 10, 2), (5, 12, 1.5), (10, 3, 1)), BANDS, "hlc")
talib("accbands", "ACCBANDS", ((20,), (5,)), BANDS, "hlc")
talib("sar", "SAR", ((0.02, 0.2), (0.05, 0.1), (0.3, 0.2)), args="hl")
talib("sarext", "SAREXT", ((0, 0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2),
                           (0, 0.01, 0.03, 0.02, 0.1, 0.05, 0.01, 0.4),
                           (60, 0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2),
                           (-1, 0.1, 0.5, 0.02, 0.2, 0.01, 0.3, 0.1)), args="hl")
talib("ha", "HA", outputs=("open", "high", "low", "close"), args="ohlc")


@row("supertrend", "TA-Lib SUPERTREND; its trend of 0 before the first band is missing",
     ((10, 3), (5, 1)))
def _(s, n, k):
    band, trend = ta.SUPERTREND(s.h, s.l, s.c, n, k)
    return {"band": band, "trend": np.where(trend == 0, np.nan, trend)}


def middle(s, n, shift=0):
    top, bottom = rolling(np.max, n, s.h), rolling(np.min, n, s.l)
    return ago((top + bottom) / 2, shift) if shift else (top + bottom) / 2


closed("ichimoku.tenkan", ((9,), (3,)))(middle)
closed("ichimoku.kijun", ((26,), (3,)))(middle)
closed("ichimoku.b", ((52, 26), (5, 3)))(middle)


@closed("ichimoku.a", ((9, 26, 26), (3, 10, 5)))
def _(s, tenkan, kijun, shift):
    return ago((middle(s, tenkan) + middle(s, kijun)) / 2, shift)


MACD = ("macd", "signal", "hist")
talib("macdfix", "MACDFIX", ((9,), (4,)), MACD)
talib("rocr100", "ROCR100", ((10,), (1,)))
talib("coppock", "COPPOCK", ((10, 11, 14), (2, 5, 3)))
talib("dpo.causal", "DPO", ((20,), (5,), (2,)))
talib("fosc", "FOSC", ((5,), (20,)))
talib("tsi", "TSI", ((25, 13), (5, 2)))
talib("ao", "AO", ((5, 34), (3, 10)), args="hl")
talib("ac", "AC", ((5, 34, 5), (3, 10, 8)), args="hl")
talib("qstick", "QSTICK", ((10,), (3,)), args="oc")
talib("imi", "IMI", ((14,), (3,)), args="oc")
talib("vhf", "VHF", ((28,), (5,)))
talib("vortex", "VORTEX", ((14,), (3,)), ("plus", "minus"), "hlc")
talib("eri", "ERI", ((13,), (5,)), ("bull", "bear"), "hlc")
talib("smi", "SMI", ((13, 2, 25, 9), (5, 3, 4, 2)), ("smi", "signal"), "hlc")


@row("macdext", "TA-Lib MACDEXT with plain means", ((12, 26, 9), (3, 5, 4)))
def _(s, fast, slow, signal):
    return dict(zip(MACD, ta.MACDEXT(s.c, fast, 0, slow, 0, signal, 0)))


@row("kdj.talib", "TA-Lib KDJ", ((9, 3, 3), (5, 2, 4)))
def _(s, n, k, d):
    return dict(zip("kdj", ta.KDJ(s.h, s.l, s.c, n, k, 13, d, 13)))


@closed("kdj.cn", ((9, 3, 3), (5, 2, 4)))
def _(s, n, k, d):
    top, bottom = rolling(np.max, n, s.h), rolling(np.min, n, s.l)
    wide = top - bottom
    place = np.where(wide == 0, LD(0), 100 * (s.c - bottom) / np.where(wide == 0, 1, wide))

    def average(x, span):
        out, e = np.full(len(x), np.nan, LD), LD(50)
        for t in range(n - 1, len(x)):
            e = (e * (span - 1) + x[t]) / span
            out[t] = e
        return out
    ks = average(np.where(np.isnan(wide), np.nan, place), k)
    ds = average(ks, d)
    return {"k": ks, "d": ds, "j": 3 * ks - 2 * ds}


talib("avgprice", "AVGPRICE", args="ohlc")
talib("medprice", "MEDPRICE", args="hl")
talib("typprice", "TYPPRICE", args="hlc")
talib("wclprice", "WCLPRICE", args="hlc")
talib("mavp", "MAVP", ((2, 30), (30, 50)), args="cy")
talib("cumsum", "CUMSUM")
for name in ("sin", "cos", "tan", "atan", "tanh", "floor", "ceil"):
    talib(name, name.upper())
PRICES = ("sp500", "eurusd", "synth")
for name in ("asin", "acos"):
    talib(name, name.upper(), skip=PRICES, why="which hold no sines")
for name in ("sinh", "cosh"):
    talib(name, name.upper(), skip=("sp500",), why="it overflows there")
talib("log10", "LOG10")


talib("mama", "MAMA", ((0.5, 0.05), (0.3, 0.1)), ("mama", "fama"))
talib("ht.dcperiod", "HT_DCPERIOD")
talib("ht.phasor", "HT_PHASOR", outputs=("inphase", "quadrature"))
talib("ht.trendline", "HT_TRENDLINE")
NOISE = "in its flat stretch the phase is rounding noise"
talib("ht.dcphase", "HT_DCPHASE", skip=("synth",), why=NOISE)
talib("ht.sine", "HT_SINE", outputs=("sine", "lead"), skip=("synth",), why=NOISE)


@row("ht.trendmode", "TA-Lib HT_TRENDMODE; its zeros before bar 63 are missing",
     skip=("synth",), why=NOISE)
def _(s):
    return np.where(np.arange(len(s.c)) < 63, np.nan, ta.HT_TRENDMODE(s.c))


@row("fractal", "TA-Lib FRACTAL; its zeros before the first window are missing", ((2, 2), (1, 3)))
def _(s, left, right):
    early = np.arange(len(s.c)) < left + right
    return {side: np.where(early, np.nan, found)
            for side, found in zip(("high", "low"), ta.FRACTAL(s.h, s.l, left, right))}
