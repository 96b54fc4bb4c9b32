# SPDX-License-Identifier: Apache-2.0
"""Alpha158 and Alpha360 in pandas, from their published definitions: a frame of one symbol's bars
(open high low close volume vwap; a suspended bar is a row of NaN) to its features. The peer of
bench/bench_alpha158.py too, so written as one writes it when it shall be fast."""
import numpy as np
import pandas as pd

WINDOWS = (5, 10, 20, 30, 60)
EPS = 1e-12
FLAT = 2e-5  # deviation at and under which CORR and RSQR are missing


def roll(x, n):
    return x.rolling(n, min_periods=1)


def first_largest(window):
    return window.argmax() + 1


def first_smallest(window):
    return window.argmin() + 1


def fit(x, n):
    """Slope, R squared and the newest residual of the line through the window's values at positions
    1 to n, n being the newest; missing values have no part."""
    known = x.notna().to_numpy()
    y = np.where(known, x.to_numpy(float), 0.0)
    at = np.arange(1.0, n + 1)[::-1]
    rows = len(y)

    def over(values, weights):
        return np.convolve(values, weights)[:rows]

    ones, known = np.ones(n), known.astype(float)
    count, sum_p, sum_pp = over(known, ones), over(known, at), over(known, at * at)
    sum_y, sum_yy, sum_py = over(y, ones), over(y * y, ones), over(y, at)
    with np.errstate(all="ignore"):
        spread = count * sum_pp - sum_p * sum_p
        joint = count * sum_py - sum_p * sum_y
        slope = joint / spread
        square = joint * joint / (spread * (count * sum_yy - sum_y * sum_y))
        residual = x.to_numpy(float) - (slope * n + sum_y / count - slope * sum_p / count)
    return [pd.Series(v, index=x.index) for v in (slope, square, residual)]


def corr(x, y, n):
    return roll(x, n).corr(y).mask(flat(x, n) | flat(y, n))


def flat(x, n):
    return roll(x, n).std() <= FLAT


def bar_forms(f):
    o, h, l, c = f["open"], f["high"], f["low"], f["close"]
    span, top, bottom = h - l + EPS, np.maximum(o, c), np.minimum(o, c)
    return {"KMID": (c - o) / o, "KLEN": (h - l) / o, "KMID2": (c - o) / span,
            "KUP": (h - top) / o, "KUP2": (h - top) / span,
            "KLOW": (bottom - l) / o, "KLOW2": (bottom - l) / span,
            "KSFT": (2 * c - h - l) / o, "KSFT2": (2 * c - h - l) / span,
            "OPEN0": o / c, "HIGH0": h / c, "LOW0": l / c, "VWAP0": f["vwap"] / c}


def window_forms(f, n, d):
    """The 29 of one window; d: what all windows share."""
    h, l, c, v = f["high"], f["low"], f["close"], f["volume"]
    slope, square, residual = fit(c, n)
    high, low, close = roll(h, n).max(), roll(l, n).min(), roll(c, n)
    at_high = roll(h, n).apply(first_largest, raw=True)
    at_low = roll(l, n).apply(first_smallest, raw=True)
    up, down = roll(d["up"], n).mean(), roll(d["down"], n).mean()
    gain, loss = roll(d["gain"], n).sum(), roll(d["loss"], n).sum()
    move = roll(d["move"], n).sum() + EPS
    v_gain, v_loss = roll(d["v_gain"], n).sum(), roll(d["v_loss"], n).sum()
    v_move = roll(d["v_move"], n).sum() + EPS
    u = roll(d["weighted"], n)
    return {
        "ROC": c.shift(n) / c, "MA": close.mean() / c, "STD": close.std() / c,
        "BETA": slope / c, "RSQR": square.mask(flat(c, n)), "RESI": residual / c,
        "MAX": high / c, "MIN": low / c,
        "QTLU": close.quantile(0.8) / c, "QTLD": close.quantile(0.2) / c,
        "RANK": close.rank(pct=True), "RSV": (c - low) / (high - low + EPS),
        "IMAX": at_high / n, "IMIN": at_low / n, "IMXD": (at_high - at_low) / n,
        "CORR": corr(c, d["log_v"], n),
        "CORD": corr(d["ratio"], d["log_vr"], n),
        "CNTP": up, "CNTN": down, "CNTD": up - down,
        "SUMP": gain / move, "SUMN": loss / move, "SUMD": (gain - loss) / move,
        "VMA": roll(v, n).mean() / (v + EPS), "VSTD": roll(v, n).std() / (v + EPS),
        "WVMA": u.std() / (u.mean() + EPS),
        "VSUMP": v_gain / v_move, "VSUMN": v_loss / v_move, "VSUMD": (v_gain - v_loss) / v_move}


def shared(f):
    c, v = f["close"], f["volume"]
    ratio, d, dv = c / c.shift(1), c - c.shift(1), v - v.shift(1)
    with np.errstate(all="ignore"):
        log_vr = np.log(v / v.shift(1) + 1)
    return {"up": c > c.shift(1), "down": c < c.shift(1), "ratio": ratio,
            "gain": np.maximum(d, 0), "loss": np.maximum(-d, 0), "move": d.abs(),
            "v_gain": np.maximum(dv, 0), "v_loss": np.maximum(-dv, 0), "v_move": dv.abs(),
            "weighted": (ratio - 1).abs() * v, "log_v": np.log(v + 1), "log_vr": log_vr}


def alpha158(f):
    out = bar_forms(f)
    d = shared(f)
    windows = {n: window_forms(f, n, d) for n in WINDOWS}
    for name in windows[WINDOWS[0]]:
        for n in WINDOWS:
            out[f"{name}{n}"] = windows[n][name]
    return out


def alpha360(f):
    out = {}
    for field in ("close", "open", "high", "low", "vwap", "volume"):
        scale = f["volume"] + EPS if field == "volume" else f["close"]
        for k in range(59, -1, -1):
            out[f"{field.upper()}{k}"] = f[field].shift(k) / scale
    return out
