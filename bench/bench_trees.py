#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forests beside ONNX Runtime, LightGBM, lleaves and TL2cgen: one row, and 8,192 rows, one thread.

    bench/bench_trees.py [--trees 500] [--leaves 63] [--features 40] [--work build/bench] [--out FILE]

LightGBM trains the model; its text file goes to hayate, LightGBM and the compilers, the ONNX file
(onnxmltools) to hayate and ONNX Runtime. All answer the same rotating rows in one run, turn by turn;
times are medians. Single rows are calls of the C interfaces through ctypes, whose own cost, measured
beside, is taken off each. HAYATE_ISA chooses the level."""
import argparse
import ctypes
import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "python"))

import numpy as np  # noqa: E402

import hayate  # noqa: E402
from hayate import _library as lib  # noqa: E402

BATCH, SINGLE, ROUNDS = 8192, 4096, 5


def make_model(args):
    import lightgbm
    path = pathlib.Path(args.work) / f"trees_{args.trees}_{args.leaves}_{args.features}.txt"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        r = np.random.default_rng(1)
        x = r.standard_normal((20000, args.features))
        y = x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.5 * r.standard_normal(len(x))
        params = dict(objective="regression", num_leaves=args.leaves, learning_rate=0.05,
                      verbose=-1, min_data_in_leaf=20)
        lightgbm.train(params, lightgbm.Dataset(x, y), args.trees).save_model(path)
    onnx = path.with_suffix(".onnx")
    if not onnx.exists():
        from onnxmltools.convert import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType
        booster = lightgbm.Booster(model_file=path)
        made = convert_lightgbm(booster, zipmap=False, initial_types=[
            ("x", FloatTensorType([None, args.features]))])
        onnx.write_bytes(made.SerializeToString())
    return str(path), str(onnx)


class Hayate:
    """hy_session_run on rows where they lie; the outputs are the session's."""

    def __init__(self, path, rows, output):
        began = time.perf_counter()
        options = hayate.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = hayate.InferenceSession(path, options)
        self.session.run([output], {self.session.get_inputs()[0].name: rows[:1]})
        self.load_ms = (time.perf_counter() - began) * 1e3
        self.name, self.rows, self.output = self.session.get_inputs()[0].name, rows, output

    def batch(self):
        self.session.run([self.output], {self.name: self.rows})


class Native:
    """A session through the C interface, for single rows."""

    def __init__(self, path, rows):
        self.c = ctypes.CDLL(lib._find())
        runtime, model, self.handle = (ctypes.c_void_p() for _ in range(3))
        self.good(self.c.hy_runtime_create(None, ctypes.byref(runtime), None))
        self.good(self.c.hy_model_open(runtime, path.encode(), None, ctypes.byref(model), None))
        self.good(self.c.hy_session_create(model, None, ctypes.byref(self.handle), None))
        self.c.hy_session_n_outputs.restype = ctypes.c_size_t
        self.n_out = self.c.hy_session_n_outputs(self.handle)
        self.inputs = [self.view(rows[k:k + 1]) for k in range(SINGLE)]
        self.run = self.c.hy_session_run
        self.run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p,
                             ctypes.c_size_t, ctypes.c_void_p]
        self.outputs = (lib.Tensor * self.n_out)()
        self.blank = bytes(self.outputs)

    @staticmethod
    def good(status):
        if status:
            raise RuntimeError(f"hayate: status {status}")

    @staticmethod
    def view(row):
        t = lib.Tensor(data=row.ctypes.data, dtype=1 if row.dtype == np.float32 else 11, rank=2)
        t.dims[0], t.dims[1] = row.shape
        return t

    def calls(self):
        run, handle, outputs, n = self.run, self.handle, ctypes.addressof(self.outputs), self.n_out
        addresses = [ctypes.addressof(t) for t in self.inputs]
        began = time.perf_counter()
        for at in addresses:
            ctypes.memmove(outputs, self.blank, len(self.blank))
            run(handle, at, 1, outputs, n, None)
        return (time.perf_counter() - began) / SINGLE * 1e6

    def empty(self):
        """The same loop around a call that returns at once."""
        run, handle, outputs = self.c.hy_session_n_outputs, self.handle, ctypes.addressof(self.outputs)
        run.argtypes = self.run.argtypes
        addresses = [ctypes.addressof(t) for t in self.inputs]
        began = time.perf_counter()
        for at in addresses:
            ctypes.memmove(outputs, self.blank, len(self.blank))
            run(handle, at, 1, outputs, 1, None)
        spent = (time.perf_counter() - began) / SINGLE * 1e6
        run.argtypes = None
        return spent


class LightGbm:
    def __init__(self, path, rows):
        import lightgbm
        self.booster, self.rows = lightgbm.Booster(model_file=path), rows
        self.c = ctypes.CDLL(str(pathlib.Path(lightgbm.__file__).parent / "lib" / "lib_lightgbm.so"))
        self.fast = ctypes.c_void_p()
        self.c.LGBM_BoosterPredictForMatSingleRowFastInit(
            self.booster._handle, 0, 0, -1, 1, ctypes.c_int32(rows.shape[1]), b"num_threads=1",
            ctypes.byref(self.fast))

    def batch(self):
        self.booster.predict(self.rows, num_threads=1)

    def calls(self):
        out, n = (ctypes.c_double * 1)(), ctypes.c_int64()
        pointers = [ctypes.c_void_p(self.rows[k].ctypes.data) for k in range(SINGLE)]
        run = self.c.LGBM_BoosterPredictForMatSingleRowFast
        began = time.perf_counter()
        for at in pointers:
            run(self.fast, at, ctypes.byref(n), out)
        return (time.perf_counter() - began) / SINGLE * 1e6

    def empty(self):
        out, n = (ctypes.c_double * 1)(), ctypes.c_int64()
        run = self.c.LGBM_GetMaxThreads
        began = time.perf_counter()
        for _ in range(SINGLE):
            run(ctypes.byref(n), ctypes.byref(n), ctypes.byref(n), out)
        return (time.perf_counter() - began) / SINGLE * 1e6


class OnnxRuntime:
    def __init__(self, path, rows):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        began = time.perf_counter()
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.load_ms = (time.perf_counter() - began) * 1e3
        self.rows = rows

    def batch(self):
        self.session.run(None, {"x": self.rows})


class Lleaves:
    def __init__(self, path, rows, work):
        import lleaves
        self.model, self.rows = lleaves.Model(model_file=path), rows
        self.model.compile(cache=str(pathlib.Path(work) / (pathlib.Path(path).stem + ".lleaves")))

    def batch(self):
        self.model.predict(self.rows, n_jobs=1)


class Tl2cgen:
    def __init__(self, path, rows, work):
        import tl2cgen
        import treelite
        so = pathlib.Path(work) / (pathlib.Path(path).stem + ".so")
        if not so.exists():
            tl2cgen.export_lib(treelite.frontend.load_lightgbm_model(path), toolchain="gcc",
                               libpath=str(so), params={"parallel_comp": 8}, nthread=1)
        self.predictor = tl2cgen.Predictor(str(so), nthread=1)
        self.data = tl2cgen.DMatrix(rows)

    def batch(self):
        self.predictor.predict(self.data)


def peer(name, make, *args):
    try:
        return {name: make(*args)}
    except Exception as trouble:
        print(f"{name}: left out: {type(trouble).__name__}: {str(trouble)[:120]}", file=sys.stderr)
        return {}


def batches(runners):
    """Microseconds a row, turn by turn, medians."""
    times = {name: [] for name in runners}
    for k in range(ROUNDS + 1):
        for name, runner in runners.items():
            began = time.perf_counter()
            runner.batch()
            if k:
                times[name].append((time.perf_counter() - began) / BATCH * 1e6)
    return {name: statistics.median(t) for name, t in times.items()}


def singles(runners):
    """Microseconds a call, without what ctypes itself takes."""
    times = {name: [] for name in runners}
    for _ in range(ROUNDS):
        for name, runner in runners.items():
            times[name].append(max(runner.calls() - runner.empty(), 0.01))
    return {name: statistics.median(t) for name, t in times.items()}


def show(title, times, ours, lines):
    print(f"\n{title}")
    lines += ["", title + ":", "", "| | us | over ours |", "|---|---|---|"]
    for name, us in sorted(times.items(), key=lambda kv: kv[1]):
        print(f"  {name:24s} {us:9.3f} us   {us / times[ours]:7.2f}x of {ours}")
        lines.append(f"| {name} | {us:.3f} | {us / times[ours]:.2f}x |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trees", type=int, default=500)
    parser.add_argument("--leaves", type=int, default=63)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--work", default="build/bench")
    parser.add_argument("--out", help="a file to which the same goes as Markdown")
    parser.add_argument("--no-compilers", action="store_true", help="without lleaves and TL2cgen")
    args = parser.parse_args()
    text, onnx = make_model(args)
    f64 = np.random.default_rng(2).standard_normal((BATCH, args.features))
    f32 = f64.astype(np.float32)
    ours = Hayate(onnx, f32, "variable")
    runners = {"hayate (ONNX)": ours, "hayate (LightGBM file)": Hayate(text, f64, "raw"),
               **peer("ONNX Runtime", OnnxRuntime, onnx, f32), "LightGBM": LightGbm(text, f64)}
    if not args.no_compilers:
        runners.update(peer("lleaves", Lleaves, text, f64, args.work))
        runners.update(peer("TL2cgen", Tl2cgen, text, f32, args.work))
    title = (f"{args.trees} trees x {args.leaves} leaves, {args.features} features, "
             f"isa {os.environ.get('HAYATE_ISA', 'best')}")
    print(title)
    lines = [f"### {title}"]
    show(f"batch {BATCH}, one thread, a row", batches(runners), "hayate (ONNX)", lines)
    show("one row of 4,096 in turn, C calls", singles({
        "hayate (ONNX)": Native(onnx, f32), "hayate (LightGBM file)": Native(text, f64),
        "LightGBM": runners["LightGBM"]}), "hayate (ONNX)", lines)
    if args.out:
        with open(args.out, "a") as out:
            out.write("\n".join(lines) + "\n\n")
    if "ONNX Runtime" in runners:
        print(f"\nfirst answer from the ONNX file: {ours.load_ms:.1f} ms; ONNX Runtime's session "
              f"alone: {runners['ONNX Runtime'].load_ms:.1f} ms")


if __name__ == "__main__":
    main()
