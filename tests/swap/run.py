#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same script under `import onnxruntime as ort` and `import hayate as ort`: make swap-check.

Over every model of tests/golden/onnx: ports, metadata, outputs (types, shapes, values), and the
kinds of the errors; then the time of a call from Python. Exit status 1 where they differ."""
import os
import pathlib
import sys
import timeit

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
import hayate  # noqa: E402
import onnxruntime  # noqa: E402

GOLDEN = ROOT / "tests" / "golden" / "onnx"


def opened(ort, path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def close(a, b):
    """Why two answers differ, or None."""
    if isinstance(a, list):
        if not isinstance(b, list) or len(a) != len(b):
            return "lists differ"
        return next((why for x, y in zip(a, b) if (why := close(x, y))), None)
    if isinstance(a, dict):
        if list(a) != list(b):
            return f"keys {list(a)[:4]} and {list(b)[:4]}"
        return close(np.array(list(a.values())), np.array(list(b.values())))
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype} {a.shape} and {b.dtype} {b.shape}"
    if a.dtype.kind == "f":
        scale = np.abs(a[np.isfinite(a)]).max(initial=0)
        good = np.allclose(a, b, rtol=0, atol=1e-5 * scale + 1e-6, equal_nan=True)
        return None if good else f"values differ by {np.nanmax(np.abs(a - b)):.3g} of {scale:.3g}"
    return None if (a == b).all() else "values differ"


def ports(session):
    return [[(a.name, a.type, a.shape) for a in args]
            for args in (session.get_inputs(), session.get_outputs())]


def meta(session):
    m = session.get_modelmeta()
    return (m.producer_name, m.graph_name, m.domain, m.description, m.graph_description, m.version,
            m.custom_metadata_map)


def model_differences(folder):
    theirs, ours = (opened(ort, str(folder / "model.onnx")) for ort in (onnxruntime, hayate))
    for what in (ports, meta):
        a, b = what(theirs), what(ours)
        if a != b:
            yield f"{what.__name__}: {a} and {b}"
    with np.load(folder / "input.npz") as x:
        feeds = {arg.name: x[arg.name] for arg in theirs.get_inputs()}
    for name, a, b in zip((o.name for o in theirs.get_outputs()), theirs.run(None, feeds),
                          ours.run(None, feeds)):
        if why := close(a, b):
            yield f"{name}: {why}"


def kind_of(call):
    try:
        call()
    except Exception as error:  # its kind is what is asked for
        return type(error).__name__
    return "no error"


def faults(ort):
    """Kinds of errors by what was done wrong."""
    path = str(GOLDEN / "torch_mlp_legacy" / "model.onnx")
    session = opened(ort, path)
    name = session.get_inputs()[0].name
    x = np.zeros((2, session.get_inputs()[0].shape[1]), "f4")
    wrong = {"no input": (None, {}), "another name": (None, {"z": x}),
             "one too many": (None, {name: x, "z": x}), "type": (None, {name: x.astype("f8")}),
             "rank": (None, {name: x[0]}), "dim": (None, {name: x[:, 1:]}),
             "output": (["nope"], {name: x}), "output text": ("y", {name: x}),
             "run options": (None, {name: x}, 3)}
    kinds = {what: kind_of(lambda args=args: session.run(*args)) for what, args in wrong.items()}
    for what, model in (("no file", path + ".none"), ("bad bytes", b"hello world"),
                        ("a number", 3)):
        kinds[what] = kind_of(lambda model=model: ort.InferenceSession(model))
    kinds["field"] = kind_of(lambda: setattr(ort.SessionOptions(), "no_such_field", 1))
    kinds["field's type"] = kind_of(
        lambda: setattr(ort.SessionOptions(), "intra_op_num_threads", "a"))
    return kinds


def time_us(session, feeds, n=3000):
    return min(timeit.repeat(lambda: session.run(None, feeds), number=n, repeat=7)) / n * 1e6


def main():
    n_wrong = 0
    folders = sorted(GOLDEN.iterdir())
    for folder in folders:
        for line in model_differences(folder):
            print(f"{folder.name}: {line}")
            n_wrong += 1
    theirs, ours = faults(onnxruntime), faults(hayate)
    for what in theirs:
        if theirs[what] != ours[what]:
            print(f"error for {what}: {theirs[what]} and {ours[what]}")
            n_wrong += 1
    print(f"{len(folders)} models and {len(theirs)} errors, {n_wrong} differences")
    for name in ("torch_mlp_legacy", "sk_linear"):
        path = str(GOLDEN / name / "model.onnx")
        with np.load(GOLDEN / name / "input.npz") as x:
            feeds = {k: v[:1] for k, v in x.items()}
        a, b = (time_us(opened(ort, path), feeds) for ort in (onnxruntime, hayate))
        print(f"{name}, one row, us a call: onnxruntime {a:.2f}, hayate {b:.2f}, {a / b:.2f}x")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
