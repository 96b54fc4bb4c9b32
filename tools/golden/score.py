#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/score/*.onnx: models small enough to be worked out by hand in
tests/cli/test_score.py.

    python tools/golden/score.py        (needs onnx, see requirements.txt)
"""
import pathlib

import numpy as np
import onnx
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
    (OUT / ".origin").write_text(
        f"tool: onnx {onnx.__version__} (onnx.helper)\ncommand: python tools/golden/score.py\n"
        "licence: Apache-2.0, made here\n"
        "values: worked out in tests/cli/test_score.py with numpy\n")


if __name__ == "__main__":
    main()
