# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op that move, scatter and choose elements, and some functions."""
import numpy as np

from onnx_op_cases import FINITE, f, f32, i64, ints
from onnx_ops import Const, Outputs, family

X = f(2, 3, 4, 5)
family("DepthSpace_13", 13, [
    ("dcr", "DepthToSpace", [f(2, 12, 2, 3)], {"blocksize": 2}),
    ("crd", "DepthToSpace", [f(2, 18, 2, 1)], {"blocksize": 3, "mode": "CRD"}),
    ("f64", "DepthToSpace", [f(1, 4, 2, 2).astype(np.float64)], {"blocksize": 2}),
    ("back", "SpaceToDepth", [f(2, 3, 4, 6)], {"blocksize": 2}),
])
family("SpaceToDepth_28", 28, [
    ("dcr", "SpaceToDepth", [f(1, 2, 6, 3)], {"blocksize": 3}),
    ("crd", "SpaceToDepth", [f(2, 3, 4, 6)], {"blocksize": 2, "mode": "CRD"}),
], reference=True)
family("ReverseSequence_10", 13, [
    ("time_first", "ReverseSequence", [f(5, 3, 2), i64(1, 5, 0)], {}),
    ("batch_first", "ReverseSequence", [f(3, 5), i64(2, 5, 4)], {"batch_axis": 0, "time_axis": 1}),
    ("strings", "ReverseSequence", [np.array([["a", "b"], ["c", "d"]]), i64(2, 1)], {}),
])
AT = np.array([[0, 1, 2], [2, 0, -1]])
UP = f(2, 3, name="u")
family("ScatterElements_18", 18, [
    (how, "ScatterElements", [f(3, 4), np.array([[0, 1, 2], [0, 1, -1]]), UP], {"reduction": how})
    for how in ("none", "add", "mul", "min", "max")
] + [
    ("axis", "ScatterElements", [f(2, 4), AT, UP], {"axis": 1}),
    ("deep", "ScatterElements", [X, ints(2, 2, 4, 3, low=0, high=5), f(2, 2, 4, 3, name="u")],
     {"axis": -1}),
    ("i32", "ScatterElements", [ints(4), np.array([0, 0, 3], np.int32), ints(3, name="u")],
     {"reduction": "add"}),
])
family("Scatter_9", 10, [
    ("rows", "Scatter", [f(3, 3), AT, UP], {}),
    ("columns", "Scatter", [f(2, 4), AT, UP], {"axis": 1}),
])
family("ScatterND_18", 18, [
    ("points", "ScatterND", [f(4, 5), np.array([[0, 1], [3, -1]]), f(2, name="u")], {}),
    ("rows", "ScatterND", [f(4, 5), np.array([[2], [0]]), f(2, 5, name="u")], {}),
    ("deep", "ScatterND", [X, np.array([[[0, 1]], [[1, 2]]]), f(2, 1, 4, 5, name="u")], {}),
    ("add", "ScatterND", [f(4, 5), np.array([[2], [2]]), f(2, 5, name="u")],
     {"reduction": "add"}),
    ("mul", "ScatterND", [ints(4), np.array([[1], [1]]), ints(2, name="u")],
     {"reduction": "mul"}),
    ("max", "ScatterND", [f(4, 5), np.array([[2], [2]]), f(2, 5, name="u")],
     {"reduction": "max"}),
])
family("Slice_backward_13", 13, [
    (f"{start}_{end}_{step}", "Slice", [f(4), *(Const(i64(v)) for v in (start, end, 0, step))], {})
    for start, end, step in ((-9, -5, -1), (-9, -9, -1), (9, -9, -2), (9, 1, -1), (0, -9, -3),
                             (2, 3, -1), (-1, -4, -1))
] + [("empty", "Slice", [f(0, 2), *(Const(i64(v)) for v in (-3, -3, 0, -1))], {})])
CACHE = f(2, 3, 6, 4)
family("TensorScatter_24", 24, [
    ("plain", "TensorScatter", [CACHE, f(2, 3, 2, 4, name="u"), i64(1, 4)], {}),
    ("start", "TensorScatter", [CACHE, f(2, 3, 6, 4, name="u")], {}),
    ("circular", "TensorScatter", [CACHE, f(2, 3, 3, 4, name="u"), i64(5, 9)],
     {"mode": "circular"}),
    ("axis", "TensorScatter", [f(3, 5, 2), f(3, 2, 2, name="u"), i64(0, 3, 1)], {"axis": 1}),
], reference=True)
family("Hardmax_13", 13, [
    ("last", "Hardmax", [X], {}), ("middle", "Hardmax", [X], {"axis": 1}),
    ("ties", "Hardmax", [f32([[1, 3, 3], [2, 2, 1]])], {}),
])
family("Hardmax_11", 11, [
    ("default", "Hardmax", [X], {}), ("last", "Hardmax", [X], {"axis": 3}),
])
CHOSEN = np.array([True, False, True])
family("Compress_11", 11, [
    ("axis", "Compress", [X, Const(CHOSEN)], {"axis": 1}),
    ("short", "Compress", [X, Const(CHOSEN)], {"axis": -1}),
    ("flat", "Compress", [X, Const(CHOSEN)], {}),
    ("none", "Compress", [X, Const(np.array([False]))], {"axis": 0}),
    ("strings", "Compress", [np.array(["a", "b", "c"]), Const(CHOSEN)], {}),
])
family("Unique_11", 13, [
    ("sorted", "Unique", [Const(f32([2, 1, 1, 3, 4, 3]))], {}, Outputs(4)),
    ("order", "Unique", [Const(f32([2, 1, 1, 3, 4, 3]))], {"sorted": 0}, Outputs(4)),
    ("rows", "Unique", [Const(f32([[1, 0, 0], [1, 0, 0], [2, 3, 4]]))], {"axis": 0}, Outputs(4)),
    ("columns", "Unique", [Const(i64(1, 1, 0, 2, 2, 3).reshape(2, 3))], {"axis": -1}, Outputs(4)),
    ("strings", "Unique", [Const(np.array(["b", "a", "b", "ab"]))], {}, Outputs(4)),
    ("empty", "Unique", [Const(f32([]))], {}, Outputs(4)),
    ("i64", "Unique", [Const(i64(5, -3, 5, 2))], {}),
])
family("EyeLike_9", 13, [
    ("plain", "EyeLike", [f(3, 4)], {}), ("above", "EyeLike", [f(3, 4)], {"k": 1, "dtype": 7}),
    ("below", "EyeLike", [f(4, 3)], {"k": -2, "dtype": 11}),
    ("outside", "EyeLike", [ints(2, 2)], {"k": 9}),
])
family("BitCast_26", 26, [
    ("f32_i32", "BitCast", [FINITE], {"to": 6}),
    ("i64_f64", "BitCast", [np.arange(3.0).view(np.int64)], {"to": 11}),
    ("u8_i8", "BitCast", [np.array([[0, 200]], np.uint8)], {"to": 3}),
], reference=True)
family("CumProd_26", 26, [
    ("plain", "CumProd", [f(2, 5), Const(np.int64(1))], {}),
    ("exclusive", "CumProd", [f(2, 5), Const(np.int64(0))], {"exclusive": 1}),
    ("reverse", "CumProd", [f(2, 5), Const(np.int64(-1))], {"reverse": 1}),
    ("i32", "CumProd", [ints(6, low=1, dtype=np.int32), Const(np.int64(0))],
     {"reverse": 1, "exclusive": 1}),
], reference=True)
family("CenterCropPad_18", 18, [
    ("crop", "CenterCropPad", [f(5, 8, 3), Const(i64(2, 5, 3))], {}),
    ("pad", "CenterCropPad", [f(5, 8, 3), Const(i64(8, 9, 5))], {}),
    ("axes", "CenterCropPad", [f(5, 8, 3), Const(i64(4, 7))], {"axes": [-1, 1]}),
])
family("Det_11", 11, [
    ("one", "Det", [f(3, 3)], {}), ("batch", "Det", [f(2, 2, 5, 5)], {}),
    ("singular", "Det", [f32([[1, 2], [2, 4]])], {}),
])
family("Shrink_9", 9, [
    ("hard", "Shrink", [np.linspace(-2, 2, 21).astype(np.float32)], {"lambd": 1.5}),
    ("soft", "Shrink", [np.linspace(-2, 2, 21).astype(np.float32)], {"lambd": 1.5, "bias": 1.5}),
    ("i64", "Shrink", [ints(9)], {"lambd": 1.5, "bias": 1.0}),
])
UNIT, LINE = np.linspace(-1, 1, 41).astype(np.float32), np.linspace(-6, 6, 61).astype(np.float32)
family("Trigonometry_9", 13, [
    (op.lower(), op, [{"Acosh": LINE + 7, "Atanh": UNIT * f32(0.99)}.get(
        op, UNIT if op in ("Acos", "Asin") else LINE)], {})
    for op in ("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cosh", "Sinh", "Tan")])
ON = Const(np.array(True))
family("Dropout_training_13", 13, [
    ("half", "Dropout", [X, Const(f32(0.5)), ON], {"seed": 0}, Outputs(2)),
    ("most", "Dropout", [f(1000), Const(f32(0.75)), ON], {"seed": 7}, Outputs(2)),
    ("fed", "Dropout", [X, f32(0.3), np.array(True)], {"seed": 4294967295}, Outputs(2)),
    ("off", "Dropout", [X, f32(0.3), np.array(False)], {"seed": 1}, Outputs(2)),
    ("zero", "Dropout", [X, f32(0.0), np.array(True)], {"seed": 1}, Outputs(2)),
], reference=True)
family("Mod_floats_28", 28, [
    ("signs", "Mod", [f32([5.3, -5.3, 5.3, -5.3, 0, -4]), f32([2, 2, -2, -2, -1, 2])], {}),
    ("f64", "Mod", [np.array([7.5, -7.5]), np.array([2.0])], {}),
], reference=True)
family("ReduceBool_20", 20, [
    ("max", "ReduceMax", [np.array([[True, False], [False, False]]), Const(i64(1))], {}),
    ("min", "ReduceMin", [np.array([[True, True], [True, False]]), Const(i64(1))], {}),
])
