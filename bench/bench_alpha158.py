# SPDX-License-Identifier: Apache-2.0
"""Alpha158 on 500 symbols x 2,500 daily bars: hayate beside the formulas in pandas, as polars
expressions and as KunQuant ships them, at equal numbers of threads, each from its own layout in
memory and with all values kept. Prints nanoseconds per symbol and bar, the ratios, and the floor:
writing the values once.

    python bench/bench_alpha158.py [--threads N] [--symbols S] [--bars T]
"""
import argparse
import multiprocessing
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIELDS = ("open", "high", "low", "close", "volume", "vwap")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--bars", type=int, default=2500)
    return parser.parse_args()


ARGS = arguments()
os.environ["POLARS_MAX_THREADS"] = str(ARGS.threads)
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "tools" / "golden"), str(ROOT / "bench" / "peers")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import hayate  # noqa: E402
import qlib_forms  # noqa: E402


def bars(n_bars, n_symbols):
    """Daily random walks with opening steps, ranges and volumes."""
    rng = np.random.default_rng(158)
    shape = (n_bars, n_symbols)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.015, shape), 0))
    open_ = np.concatenate([close[:1], close[:-1]]) * (1 + rng.normal(0, 0.003, shape))
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, 0.004, shape)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, 0.004, shape)))
    volume = np.floor(rng.lognormal(12, 0.6, shape))
    return dict(zip(FIELDS, (open_, high, low, close, volume, (high + low + close) / 3)))


def hayate_side(panel, isa):
    """Median of five after one that touches the memory, and that first one; the answer."""
    runtime = hayate.Runtime(threads=ARGS.threads, isa=isa)
    features = hayate.Features(ROOT / "examples" / "alpha" / "alpha158.yaml", runtime)
    universe = hayate.Universe({**panel, "time": np.arange(1, ARGS.bars + 1) * 86400 * 10**9,
                                "symbol": [f"S{k:04d}" for k in range(ARGS.symbols)]}, runtime)
    times, out = [], None
    for _ in range(6):
        began = time.perf_counter()
        out = features.batch(universe, out=out, valid=False, order="F")
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:]), times[0], out


def pandas_one(frame):
    return pd.DataFrame(qlib_forms.alpha158(frame))


def pandas_side(frames):
    began = time.perf_counter()
    if ARGS.threads > 1:
        with multiprocessing.Pool(ARGS.threads) as pool:
            answers = pool.map(pandas_one, frames, chunksize=8)
    else:
        answers = [pandas_one(frame) for frame in frames]
    return time.perf_counter() - began, answers


def polars_side(frames):
    import alpha158_polars
    import polars as pl
    features = alpha158_polars.alpha158()
    own = [pl.from_pandas(frame) for frame in frames]
    features(own[0])
    began = time.perf_counter()
    answers = [features(frame) for frame in own]
    return time.perf_counter() - began, answers


def kunquant_side(panel, isa, leave_out=()):
    """Median of three after one that touches the memory; a symbol's series by name."""
    import alpha158_kunquant
    kunquant = alpha158_kunquant.Alpha158(isa, ARGS.threads, leave_out)
    inputs = kunquant.layout(panel)
    out = kunquant.room(inputs)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        kunquant.run(inputs, out)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:]), {n: kunquant.series(out, n, 0) for n in kunquant.names}


def kunquant_lines(panel, isa, answer):
    """Where its windows are full; before, it has no values. Most of its time goes to quantiles."""
    seconds, found = kunquant_side(panel, isa)
    for name in answer:
        check(f"KunQuant {name}", found[name][61:], answer[name].to_numpy()[61:], 1e-9)
    line(f"KunQuant {isa}", seconds)
    line("  without quantiles (148)", kunquant_side(panel, isa, ("QTLU", "QTLD"))[0])
    return seconds


def check(name, got, expected, least):
    wrong = ~np.isclose(got, expected, rtol=1e-6, atol=least, equal_nan=True)
    if wrong.mean() > 1e-4:
        raise SystemExit(f"{name} is another value: {wrong.mean():.2%} of the cells")


def fill_side(out):
    """The floor: every value written once."""
    arrays = [a for name, a in out.items() if name not in ("time", "symbol")]
    times = []
    for _ in range(3):
        began = time.perf_counter()
        for a in arrays:
            a.T.fill(1.0)
        times.append(time.perf_counter() - began)
    return min(times)


def line(name, seconds, rest=""):
    print(f"{name:28s}{seconds:9.3f} s{1e9 * seconds / ARGS.symbols / ARGS.bars:10.0f} ns{rest}",
          flush=True)


def main():
    panel = bars(ARGS.bars, ARGS.symbols)
    frames = [pd.DataFrame({f: panel[f][:, k] for f in FIELDS}) for k in range(ARGS.symbols)]
    print(f"Alpha158, {ARGS.symbols} symbols x {ARGS.bars} bars, threads: {ARGS.threads}; whole "
          "job, per symbol and bar")
    peers = {}
    seconds, answers = pandas_side(frames)
    peers["pandas"] = seconds
    line(f"pandas {pd.__version__}", seconds)
    try:
        seconds, others = polars_side(frames)
        peers["polars"] = seconds
        line("polars", seconds)
        for name in answers[0]:
            check(f"polars {name}", others[0][name].to_numpy(), answers[0][name].to_numpy(), 1e-9)
    except ImportError:
        print("polars is not here: pip install polars")
    best = hayate.Runtime().isa
    for isa in [i for i in ("avx2", "avx512") if i <= best or best not in ("scalar", "avx2")]:
        try:
            peers["KunQuant"] = kunquant_lines(panel, isa, answers[0])
        except ImportError:
            print("KunQuant is not here: pip install KunQuant")
        seconds, first, out = hayate_side(panel, isa)
        rest = "".join(f"{t / seconds:8.1f}x {name}" for name, t in peers.items())
        line(f"ours, {isa}", seconds, rest)
        for name, least in (("pandas", 100), ("polars", 10)):
            if name in peers:
                ratio = peers[name] / seconds
                print(f"bar: times {name} {ratio:26.1f}   >= {least:<4}"
                      f"{'met' if ratio >= least else 'not met'}")
        line("  the first time, new memory", first)
        for k in (0, ARGS.symbols - 1):
            for name in answers[k]:
                check(name, out[name][:, k], answers[k][name].to_numpy(), 1e-9)
        line("  floor: the values written", fill_side(out))


if __name__ == "__main__":
    main()
