# SPDX-License-Identifier: Apache-2.0
"""Erfc, which tf2onnx writes for Keras' exact Gelu though ONNX has no such operator: the answers are
the C library's, in doubles. Writes tests/golden/onnx_op/Erfc_18.

    python tools/golden/erfc_oracle.py
"""
import math

import numpy as np
from onnx import TensorProto, helper
from onnx_files import save

X = {"x": np.concatenate([np.linspace(-6, 13, 400), [0.0, -0.0, np.inf, -np.inf, np.nan]])}
X["x"] = X["x"].astype(np.float32)
X["d"] = X["x"].astype(np.float64)
PORTS = [("x", TensorProto.FLOAT), ("d", TensorProto.DOUBLE)]


def port(name, kind):
    return helper.make_tensor_value_info(name, kind, [None])


graph = helper.make_graph(
    [helper.make_node("Erfc", [name], ["erfc_" + name]) for name, _ in PORTS], "erfc",
    [port(name, kind) for name, kind in PORTS],
    [port("erfc_" + name, kind) for name, kind in PORTS])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
model.ir_version = 10
answers = {"erfc_" + name: np.vectorize(math.erfc)(X[name].astype(np.float64)).astype(X[name].dtype)
           for name, _ in PORTS}
save("onnx_op", "Erfc_18", model, X, what="Erfc by the C library's doubles", answers=answers,
     seed=0, rtol=1e-6, atol=1e-38, command="python tools/golden/erfc_oracle.py")
