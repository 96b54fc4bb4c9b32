# SPDX-License-Identifier: Apache-2.0
"""The thirty definitions of bench/definitions.h over 500 symbols x 10,000 bars beside KunQuant's
compiled operators: one thread, float64, all outputs kept. Nanoseconds per symbol and bar, the least
of the passes; each definition alone, then all of them in one program. Ours reads [bar, symbol]
matrices and writes series; KunQuant reads and writes its blocks of symbols, laid out before; last
both read and write matrices. Values are compared wherever ours has one.

    python bench/bench_kunquant.py [--symbols S] [--bars T] [--isa ISA] [ID ...]
"""
import argparse
import pathlib
import re
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "python"), str(ROOT / "bench" / "peers")]

import numpy as np  # noqa: E402

import hayate  # noqa: E402

PASSES = 3


def definitions():
    """(id, calls) of each row of the C table."""
    text = (ROOT / "bench" / "definitions.h").read_text()
    rows = re.findall(r'^    \{"([^"]+)", \{(.+)\}\},$', text, re.MULTILINE)
    return [(id_, re.findall(r'"([^"]+)"', calls)) for id_, calls in rows]


def bars(n_bars, n_symbols):
    """Random walks of minutes with ranges and volumes."""
    rng = np.random.default_rng(7)
    shape = (n_bars, n_symbols)
    close = rng.uniform(20, 220, n_symbols) * np.exp(np.cumsum(rng.normal(0, 1e-3, shape), 0))
    open_ = np.concatenate([close[:1], close[:-1]]) * (1 + rng.normal(0, 2e-4, shape))
    high = np.maximum(open_, close) * (1 + 5e-4 * rng.random(shape))
    low = np.minimum(open_, close) * (1 - 5e-4 * rng.random(shape))
    volume = rng.integers(100, 10100, shape).astype(float)
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume}


def least_ns(run, cells):
    """The first turn touches the memory."""
    run()
    times = []
    for _ in range(PASSES):
        began = time.perf_counter_ns()
        run()
        times.append(time.perf_counter_ns() - began)
    return min(times) / cells


class Sides:
    def __init__(self, args, isa, rows, panel):
        import batch_kunquant
        self.shape, self.rows, self.matrices = (args.bars, args.symbols), rows, panel
        self.runtime = hayate.Runtime(threads=1, isa=isa)
        self.universe = hayate.Universe({
            **panel, "time": np.arange(1, args.bars + 1) * 60 * 10**9,
            "symbol": [f"S{k:05d}" for k in range(args.symbols)]}, self.runtime)
        ids = [id_ for id_, _ in rows]
        self.theirs = batch_kunquant.Batch(isa, {
            **{f"p{k}": [id_] for k, id_ in enumerate(ids)}, "all": ids, "matrices": ids},
            ["matrices"])
        self.blocks = {name: self.theirs.layout(a) for name, a in panel.items()}
        n = sum(len(calls) for _, calls in rows)
        self.theirs_room = [np.zeros_like(self.blocks["close"]) for _ in range(n)]

    def measure(self, program, rows):
        """Nanoseconds of ours and theirs."""
        features = hayate.Features("; ".join(c for _, calls in rows for c in calls), self.runtime)
        names = [f"{id_.replace('.', '_')}_{k}" for id_, c in rows for k in range(len(c))]
        order, inputs, theirs = "F", self.blocks, self.theirs_room
        cells = self.shape[0] * self.shape[1]
        if program == "matrices":
            order, inputs = "C", self.matrices
            theirs = [a.reshape(-1)[:cells].reshape(self.shape) for a in theirs]
        theirs = dict(zip(names, theirs))
        ours = features.batch(self.universe, valid=False, order=order)
        a = least_ns(lambda: features.batch(self.universe, out=ours, valid=False, order=order),
                     cells)
        b = least_ns(lambda: self.theirs.run(program, inputs, theirs, self.shape[0]), cells)
        for name, other in zip(features.names, names, strict=True):
            for symbol in range(0, self.shape[1], 7):
                got = (theirs[other][:, symbol] if program == "matrices" else
                       self.theirs.series(theirs[other], symbol))
                same(name, got, ours[name][:, symbol])
        return a, b


def same(name, got, expected):
    known = ~np.isnan(expected)
    scale = np.abs(expected[known]).max()
    wrong = ~(np.abs(got[known] - expected[known]) <= 1e-6 * scale)
    if not known.any() or wrong.any():
        first = np.flatnonzero(known)[np.flatnonzero(wrong)[:1]]
        raise SystemExit(f"KunQuant's {name} is another value at {wrong.mean():.2%} of the bars, "
                         f"first {first}: {got[first]}, not {expected[first]}")


def line(name, ours, theirs, rest=""):
    print(f"{name:<12s} {ours:9.2f} {theirs:9.2f} {theirs / ours:7.2f}x{rest}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--bars", type=int, default=10000)
    parser.add_argument("--isa", choices=("avx2", "avx512"))
    parser.add_argument("ids", nargs="*")
    args = parser.parse_args()
    rows = [row for row in definitions() if not args.ids or row[0] in args.ids]
    panel = bars(args.bars, args.symbols)
    best = hayate.Runtime().isa
    print(f"{len(rows)} definitions, {args.symbols} symbols x {args.bars} bars, one thread, float64")
    for isa in [args.isa] if args.isa else ["avx2", "avx512"][:1 + (best not in ("scalar", "avx2"))]:
        try:
            sides = Sides(args, isa, rows, panel)
        except ImportError:
            raise SystemExit("KunQuant is not here: pip install KunQuant") from None
        print(f"\n{isa}\n{'ns per cell':<12s} {'hayate':>9s} {'KunQuant':>9s} {'ratio':>8s}")
        each = []
        for k, row in enumerate(rows):
            each.append((*sides.measure(f"p{k}", [row]), row[0]))
            line(row[0], *each[-1][:2])
        ratio, worst = min((b / a, id_) for a, b, id_ in each)
        line("one by one", sum(a for a, _, _ in each), sum(b for _, b, _ in each),
             f"   least {worst} {ratio:.2f}x")
        line("one spec", *sides.measure("all", rows))
        line("as matrices", *sides.measure("matrices", rows))


if __name__ == "__main__":
    main()
