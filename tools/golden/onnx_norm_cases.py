# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op that normalise."""
import numpy as np

from onnx_op_cases import f, pos
from onnx_ops import Const, Outputs, family

X = f(2, 3, 4, 5)


def scale(*shape):
    return f(*shape, name="scale")


def bias(*shape):
    return f(*shape, name="bias")


family("LayerNormalization_broadcast_17", 17, [
    ("axis_1", "LayerNormalization", [X, scale(3, 4, 5), bias(3, 4, 5)], {"axis": 1}),
    ("axis_0", "LayerNormalization", [X, scale(2, 3, 4, 5)], {"axis": 0}),
    ("row", "LayerNormalization", [X, scale(1, 1, 4, 5), bias(4, 5)], {"axis": 2}),
    ("moments", "LayerNormalization", [X, scale(4, 5), bias(4, 5)],
     {"axis": -2, "epsilon": 1e-2}, Outputs(3)),
    ("f64", "LayerNormalization", [X.astype(np.float64), scale(5).astype(np.float64)], {}),
])
family("LayerNormalization_reference_17", 17, [
    ("scalar", "LayerNormalization", [X, scale(1), bias(5)], {"axis": 2}),
    ("column", "LayerNormalization", [X, scale(4, 1), bias(1, 5)], {"axis": 2}),
    ("outer", "LayerNormalization", [X, scale(3, 1, 1)], {}),
], reference=True)
family("RMSNormalization_23", 23, [
    ("last", "RMSNormalization", [X, scale(5)], {}),
    ("axis_1", "RMSNormalization", [X, scale(3, 4, 5)], {"axis": 1, "epsilon": 1e-2}),
    ("broadcast", "RMSNormalization", [X, scale(1)], {"axis": 2}),
    ("column", "RMSNormalization", [X, scale(4, 1)], {"axis": -2}),
    ("f64", "RMSNormalization", [X.astype(np.float64), scale(5).astype(np.float64)], {}),
], reference=True)
family("InstanceNormalization_6", 17, [
    ("plane", "InstanceNormalization", [X, scale(3), bias(3)], {}),
    ("line", "InstanceNormalization", [f(2, 4, 9), scale(4), bias(4)], {"epsilon": 1e-2}),
])
family("InstanceNormalization_22", 22, [
    ("f64", "InstanceNormalization", [X.astype(np.float64), scale(3).astype(np.float64),
                                      bias(3).astype(np.float64)], {}),
], reference=True)
family("GroupNormalization_21", 21, [
    ("two", "GroupNormalization", [f(2, 6, 4, 3), scale(6), bias(6)], {"num_groups": 2}),
    ("one", "GroupNormalization", [f(2, 6, 5), scale(6), bias(6)],
     {"num_groups": 1, "epsilon": 1e-2}),
    ("each", "GroupNormalization", [f(2, 6, 5), scale(6), bias(6)], {"num_groups": 6}),
])
family("GroupNormalization_18", 18, [
    ("two", "GroupNormalization", [f(2, 6, 4, 3), scale(2), bias(2)], {"num_groups": 2}),
    ("three", "GroupNormalization", [f(2, 6, 5), scale(3), bias(3)], {"num_groups": 3}),
])
family("LpNormalization_22", 22, [
    ("l2", "LpNormalization", [X], {}),
    ("l1_middle", "LpNormalization", [X], {"p": 1, "axis": 1}),
    ("l2_first", "LpNormalization", [X], {"axis": 0}),
    ("zeros", "LpNormalization", [np.zeros((2, 3), np.float32)], {}),
    ("f64", "LpNormalization", [X.astype(np.float64)], {"axis": -2}),
])
family("MeanVarianceNormalization_13", 13, [
    ("spatial", "MeanVarianceNormalization", [X], {}),
    ("axes", "MeanVarianceNormalization", [X], {"axes": [1, -1]}),
    ("all", "MeanVarianceNormalization", [X], {"axes": [0, 1, 2, 3]}),
])
family("LRN_13", 13, [
    ("odd", "LRN", [f(2, 7, 3, 4)], {"size": 3, "alpha": 0.2, "beta": 0.5, "bias": 2.0}),
    ("default", "LRN", [f(2, 7, 3, 4, scale=30.0)], {"size": 5}),
    ("wide", "LRN", [f(1, 4, 2, 2)], {"size": 15, "alpha": 1.0}),
])
STATS = [scale(3), bias(3), f(3, name="mean"), pos(3, name="var")]
family("BatchNormalization_training_15", 15, [
    ("three", "BatchNormalization", [X, *STATS], {"training_mode": 1}, Outputs(3)),
    ("momentum", "BatchNormalization", [f(6, 3), *STATS],
     {"training_mode": 1, "momentum": 0.2, "epsilon": 1e-2}, Outputs(3)),
    ("one", "BatchNormalization", [X, *STATS], {"training_mode": 1}, Outputs(3, skip=(2,))),
], reference=True)
family("BatchNormalization_7", 7, [
    ("spatial", "BatchNormalization", [X, *STATS], {}),
    ("places", "BatchNormalization", [f(2, 3, 4), Const(scale(3, 4)), Const(bias(3, 4)),
                                      Const(f(3, 4, name="mean")), Const(pos(3, 4, name="var"))],
     {"spatial": 0}),
])
