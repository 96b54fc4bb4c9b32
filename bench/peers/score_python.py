# SPDX-License-Identifier: Apache-2.0
"""The job of examples/universe500 written the usual way: pandas, TA-Lib and ONNX Runtime.

    python score_python.py --data u.h5 --pipeline examples/universe500 [--repeat 5] [--out s.csv]

The same history, the same forty features, the same two models, ranked at the last bar. Made to
be a fair peer: TA-Lib's C for whatever it has, pandas and NumPy over whole panels elsewhere, one
batch a model, ONNX Runtime with two threads and its sessions kept between repeats. Like most
feature code in Python it makes the table of features for the whole history; --tail N gives the
peer that a careful reader would tune for the last bar: it cuts the history to N bars first.
Prints one JSON object; the process's wall time is for whoever starts it to measure.
"""
import argparse
import json
import pathlib
import time

import h5py
import numpy as np
import onnxruntime as ort
import pandas as pd
import talib

WINDOW = 60
FIELDS = ("open", "high", "low", "close", "volume")


def read(path, tail):
    """Panels [S, T], each symbol's own bars at the right end and NaN before them."""
    with h5py.File(path) as file:
        start = -tail if tail else 0
        stamps = file["time"][start:]
        symbols = [s.decode() if isinstance(s, bytes) else s for s in file["symbol"][:]]
        zone = file.attrs.get("zone", "UTC")
        panel = {name: np.ascontiguousarray(file[name][start:].T) for name in FIELDS}
        valid = file["valid"][start:].T != 0
    order = np.broadcast_to(np.arange(len(stamps)), valid.shape)
    if not valid.all():
        order = np.argsort(valid, axis=1, kind="stable")  # missing bars first, the rest in order
        present = np.take_along_axis(valid, order, axis=1)
        for name in FIELDS:
            moved = np.take_along_axis(panel[name], order, axis=1)
            moved[~present] = np.nan
            panel[name] = moved
    return stamps, symbols, zone.decode() if isinstance(zone, bytes) else zone, panel, order


def lag(x, k):
    out = np.full_like(x, np.nan)
    out[:, k:] = x[:, :-k]
    return out


def across(x, order, function):
    """A cross-section at each time: from symbols' own bars to the time axis and back."""
    by_time = np.full(x.shape, np.nan)
    np.put_along_axis(by_time, order, x, axis=1)
    return np.take_along_axis(function(by_time), order, axis=1)


def cs_rank(x):
    return pd.DataFrame(x.T).rank(axis=1, pct=True).to_numpy().T


def cs_zscore(x):
    with np.errstate(invalid="ignore"):
        count = np.isfinite(x).sum(axis=0)
        mean = np.nansum(x, axis=0) / np.maximum(count, 1)
        spread = np.sqrt(np.nansum((x - mean) ** 2, axis=0) / np.maximum(count - 1, 1))
        return (x - mean) / spread


def rolling_rank(x, n):
    """Average rank of the newest value within its window over n, by counting."""
    newest = x[:, n - 1:]
    less, same = np.zeros(newest.shape, np.uint8), np.zeros(newest.shape, np.uint8)
    for k in range(n):
        older = x[:, k: k + newest.shape[1]]
        less += older < newest
        same += older == newest
    out = np.full_like(x, np.nan)
    out[:, n - 1:] = (less + (same + 1) / 2) / n
    out[np.isnan(lag(x, n - 1))] = np.nan
    return out


def by_symbol(panel, ret1):
    """What TA-Lib has, a symbol at a time: a dict of [S, T]."""
    o, h, l, c, v = (panel[name] for name in FIELDS)
    made = {}
    signed = np.sign(c - lag(c, 1)) * v
    priced = c * v

    def put(name, s, value):
        if name not in made:
            made[name] = np.empty(c.shape)
        made[name][s] = value

    for s in range(len(c)):
        close, high, low, volume = c[s], h[s], l[s], v[s]
        put("roc10", s, talib.ROC(close, 10))
        put("sma10", s, talib.SMA(close, 10))
        put("sma50", s, talib.SMA(close, 50))
        put("ema20", s, talib.EMA(close, 20))
        put("wma30", s, talib.WMA(close, 30))
        for name, value in zip(("macd", "macd_signal", "macd_hist"),
                               talib.MACD(close, 12, 26, 9)):
            put(name, s, value)
        put("rsi14", s, talib.RSI(close, 14))
        put("rsi6", s, talib.RSI(close, 6))
        for name, value in zip(("upper", "middle", "lower"), talib.BBANDS(close, 20, 2, 2, 0)):
            put(name, s, value)
        put("atr14", s, talib.ATR(high, low, close, 14))
        put("adx14", s, talib.ADX(high, low, close, 14))
        for name, value in zip(("stoch_k", "stoch_d"),
                               talib.STOCH(high, low, close, 5, 3, 0, 3, 0)):
            put(name, s, value)
        put("cci20", s, talib.CCI(high, low, close, 20))
        put("mfi14", s, talib.MFI(high, low, close, volume, 14))
        put("signed20", s, talib.SUM(signed[s], 20))
        put("volume20", s, talib.SUM(volume, 20))
        put("std20", s, talib.STDDEV(ret1[s], 20))
        put("std60", s, talib.STDDEV(ret1[s], 60))
        put("max60", s, talib.MAX(high, 60))
        put("min60", s, talib.MIN(low, 60))
        put("priced30", s, talib.SUM(priced[s], 30))
        put("volume30", s, talib.SUM(volume, 30))
        put("rv30", s, np.sqrt(talib.SUM(ret1[s] * ret1[s], 30)))
        put("corr30", s, talib.CORREL(ret1[s], volume / (made["volume20"][s] / 20), 30))
    return made


def time_of_day(stamps, zone, order):
    local = pd.DatetimeIndex(stamps, tz="UTC").tz_convert(zone)
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    angle = 2 * np.pi * seconds.to_numpy() / 86400
    return np.sin(angle)[order], np.cos(angle)[order]


def table(stamps, zone, panel, order):
    """The forty features in the spec's order, each [S, T]."""
    o, h, l, c, v = (panel[name] for name in FIELDS)
    before = lag(c, 1)
    ret1, ret5, ret20 = (np.log(c / (before if k == 1 else lag(c, k))) for k in (1, 5, 20))
    t = by_symbol(panel, ret1)
    vol_ratio = v / (t["volume20"] / 20)
    returns = pd.DataFrame(ret1.T)
    tod_sin, tod_cos = time_of_day(stamps, zone, order)
    return [
        ret1, ret5, ret20, t["roc10"], c / t["sma10"] - 1, c / t["sma50"] - 1,
        c / t["ema20"] - 1, c / t["wma30"] - 1, t["macd"] / c, t["macd_signal"] / c,
        t["macd_hist"] / c, t["rsi14"], t["rsi6"],
        (c - t["lower"]) / (t["upper"] - t["lower"]), (t["upper"] - t["lower"]) / t["middle"],
        t["atr14"] / c, t["adx14"], t["stoch_k"], t["stoch_d"], t["cci20"], t["mfi14"],
        t["signed20"] / t["volume20"], vol_ratio, t["std20"] * np.sqrt(20 / 19),
        t["std60"] * np.sqrt(60 / 59), c / t["max60"] - 1, c / t["min60"] - 1,
        returns.rolling(60).skew().to_numpy().T, t["corr30"], rolling_rank(c, 60),
        c / (t["priced30"] / t["volume30"]) - 1, t["rv30"], (h - l) / c, (c - o) / o,
        o / before - 1, tod_sin, tod_cos, across(ret20, order, cs_rank),
        across(vol_ratio, order, cs_rank), across(ret5, order, cs_zscore),
    ]


def session(path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def zscore(x):
    return (x - x.mean()) / x.std(ddof=1)


def job(args, trees, lstm):
    marks = [time.perf_counter()]
    stamps, symbols, zone, panel, order = read(args.data, args.tail)
    marks.append(time.perf_counter())
    with np.errstate(divide="ignore", invalid="ignore"):
        features = table(stamps, zone, panel, order)
    windows = np.stack([f[:, -WINDOW:] for f in features], axis=-1).astype(np.float32)
    marks.append(time.perf_counter())
    good = np.isfinite(windows).all(axis=(1, 2)) & (order[:, -1] == len(stamps) - 1)
    windows = windows[good]
    tree_score = trees.run(None, {"x": np.ascontiguousarray(windows[:, -1])})[0][:, 0]
    lstm_score = lstm.run(None, {"x": windows})[0][:, 0]
    marks.append(time.perf_counter())
    answer = pd.DataFrame({
        "symbol": np.array(symbols)[good], "trees": tree_score, "lstm": lstm_score,
        "score": (zscore(tree_score.astype(float)) + zscore(lstm_score.astype(float))) / 2})
    answer = answer.sort_values("score", ascending=False)
    if args.out:
        answer.to_csv(args.out, index=False)
    marks.append(time.perf_counter())
    return answer, features, np.diff(marks) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--pipeline", required=True, type=pathlib.Path)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tail", type=int, default=0)
    parser.add_argument("--out")
    parser.add_argument("--features", help="an .npz of the last bar's features, to compare")
    args = parser.parse_args()
    began = time.perf_counter()
    trees = session(args.pipeline / "trees.onnx", args.threads)
    lstm = session(args.pipeline / "lstm.onnx", args.threads)
    loaded = (time.perf_counter() - began) * 1e3
    runs = []
    for _ in range(args.repeat):
        answer, features, spent = job(args, trees, lstm)
        runs.append(spent)
    if args.features:
        np.savez(args.features, **{f"f{k:02d}": f[:, -WINDOW:] for k, f in enumerate(features)})
    read_ms, features_ms, inference_ms, write_ms = np.median(runs, axis=0)
    elapsed_ms = float(np.median(np.sum(runs, axis=1)))
    print(json.dumps({
        "scored": len(answer), "model_load_ms": loaded, "read_ms": read_ms,
        "features_ms": features_ms, "inference_ms": inference_ms, "write_ms": write_ms,
        "elapsed_ms": elapsed_ms, "symbols_per_s": len(answer) / elapsed_ms * 1e3}))


if __name__ == "__main__":
    main()
