# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op for random operators where chance has no say: shapes, types, and
what is certain (ONNX Runtime aborts on a scale of 0). How the numbers are spread is tested in
tests/op/test_random.c."""
import numpy as np
from onnx import TensorProto

from onnx_op_cases import f
from onnx_ops import family

sure = np.array([[0, 1, 1], [1, 0, 1]], np.float32)
classes = np.array([[-200, 0, -200, -200], [3, -300, -300, -300]], np.float32)
family("Random_14", 14, [
    ("normal", "RandomNormal", [], {"shape": [2, 3], "mean": 1.5, "scale": 0.0}),
    ("normal_f64", "RandomNormal", [], {"shape": [4], "mean": -2.25, "scale": 0.0, "seed": 3.0,
                                        "dtype": TensorProto.DOUBLE}),
    ("uniform", "RandomUniform", [], {"shape": [3, 1, 2], "low": 2.5, "high": 2.5}),
    ("uniform_f64", "RandomUniform", [], {"shape": [5], "low": 0.125, "high": 0.125,
                                          "dtype": TensorProto.DOUBLE}),
    ("normal_like", "RandomNormalLike", [f(2, 4)], {"mean": 0.75, "scale": 0.0}),
    ("normal_like_f64", "RandomNormalLike", [f(3)], {"mean": 7.0, "scale": 0.0,
                                                    "dtype": TensorProto.DOUBLE}),
    ("uniform_like", "RandomUniformLike", [f(2, 1, 3)], {"low": -1.5, "high": -1.5}),
], reference=True)
family("Multinomial_14", 14, [
    ("plain", "Multinomial", [classes], {"sample_size": 5}),
    ("i64", "Multinomial", [classes], {"sample_size": 2, "dtype": TensorProto.INT64,
                                       "seed": 5.0}),
])
family("Bernoulli_15", 15, [
    ("plain", "Bernoulli", [sure], {}),
    ("f64", "Bernoulli", [sure.astype(np.float64)], {"seed": 1.0}),
    ("bool", "Bernoulli", [sure], {"dtype": TensorProto.BOOL}),
    ("i32", "Bernoulli", [sure], {"dtype": TensorProto.INT32}),
], reference=True)
