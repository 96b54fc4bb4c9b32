#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/score: models small enough to be worked out by hand in
tests/cli/test_score.py, and trees for tests/cli/test_score_trees.py with their libraries' answers.

    python tools/golden/score.py        (needs onnx, lightgbm, xgboost, see requirements.txt)
"""
import pathlib

import lightgbm
import numpy as np
import onnx
import xgboost
from onnx import TensorProto, helper, numpy_helper

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/score"
OPSET = [helper.make_opsetid("", 17)]


def save(name, nodes, inputs, output, constants):
    graph = helper.make_graph(nodes, name, inputs, [output],
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=OPSET, ir_version=8, producer_name="golden")
    onnx.checker.check_model(model)
    (OUT / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def f32(*shape_and_values, shape=None):
    return np.array(shape_and_values, np.float32).reshape(shape)


def port(name, *dims):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)


def edges():
    """Trees of one feature, and prices on and beside their thresholds: of LightGBM, which compares
    doubles, a threshold and the double above it are one float; of XGBoost, which compares floats, the
    double below a threshold is the threshold."""
    rng = np.random.default_rng(11)
    x = rng.uniform(10, 20, (400, 1))
    y = np.sin(3 * x[:, 0]) + 0.01 * rng.standard_normal(400)
    booster = lightgbm.train({"objective": "regression", "num_leaves": 16, "min_data_in_leaf": 5,
                              "verbose": -1, "num_threads": 1, "seed": 1},
                             lightgbm.Dataset(x, y, free_raw_data=False), 3)
    booster.save_model(OUT / "lightgbm.txt")
    cuts = sorted({float(v) for line in (OUT / "lightgbm.txt").read_text().splitlines()
                   if line.startswith("threshold=") for v in line[10:].split()})
    at = np.array([(t, np.nextafter(t, 99)) for t in cuts if np.float32(t) ==
                   np.float32(np.nextafter(t, 99))]).ravel()
    np.savez(OUT / "lightgbm.npz", price=at, score=booster.predict(at[:, None]))
    model = xgboost.train({"max_depth": 4, "nthread": 1, "seed": 1}, xgboost.DMatrix(x, y), 3)
    model.save_model(OUT / "xgboost.json")
    cuts = model.trees_to_dataframe().Split.dropna().unique().astype("f4")
    at = np.array([(t, np.nextafter(np.float64(t), 0), np.nextafter(t, np.float32(0)))
                   for t in cuts], "f8").ravel()
    np.savez(OUT / "xgboost.npz", price=at, score=model.predict(xgboost.DMatrix(at[:, None])))


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    # y[n] = 0.5 a + 2 b - 0.25 c + 0.125
    save("linear", [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], [port("x", "n", 3)],
         port("y", "n", 1), {"w": f32(0.5, 2, -0.25, shape=(3, 1)), "b": f32(0.125, shape=(1,))})
    # y[n, 0] is the oldest row's first feature, y[n, 1] a weighted sum of the whole window
    w = np.zeros((12, 2), np.float32)
    w[0, 0] = 1
    w[:, 1] = np.arange(1, 13, dtype=np.float32) / 8
    save("window", [helper.make_node("Flatten", ["x"], ["f"], axis=1),
                    helper.make_node("Gemm", ["f", "w"], ["y"])], [port("x", "n", 4, 3)],
         port("y", "n", 2), {"w": w})
    # two inputs: one row of one feature, and a window of two features laid feature first
    save("two_inputs", [helper.make_node("Flatten", ["recent"], ["f"], axis=1),
                        helper.make_node("Gemm", ["f", "w"], ["g"]),
                        helper.make_node("Add", ["g", "now"], ["y"])],
         [port("now", "n", 1), port("recent", "n", 2, 3)], port("y", "n", 1),
         {"w": f32(1, 2, 3, 4, 5, 6, shape=(6, 1))})
    # a fixed batch of one, and a sequence out: the last step counts
    save("sequence", [helper.make_node("Mul", ["x", "k"], ["y"])], [port("x", 1, 4, 3)],
         port("y", 1, 4, 3), {"k": f32(2, shape=(1,))})
    # rows of a batch see each other: the first feature less its mean over the batch
    save("mixing", [helper.make_node("Gemm", ["x", "w"], ["g"]),
                    helper.make_node("ReduceMean", ["g"], ["m"], axes=[0], keepdims=1),
                    helper.make_node("Sub", ["g", "m"], ["y"])], [port("x", "n", 3)],
         port("y", "n", 1), {"w": f32(1, 0, 0, shape=(3, 1))})
    edges()
    (OUT / ".origin").write_text(
        f"tool: onnx {onnx.__version__} (onnx.helper); lightgbm {lightgbm.__version__}, "
        f"xgboost {xgboost.__version__}\ncommand: python tools/golden/score.py\n"
        "licence: Apache-2.0, made here\n"
        "values: worked out in tests/cli/test_score.py with numpy; lightgbm.npz and xgboost.npz are "
        "their libraries' predictions\n")


if __name__ == "__main__":
    main()
