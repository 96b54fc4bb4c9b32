# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op: which operators, at which opsets, with which edge cases."""
import numpy as np
import onnx

from onnx_ops import Const, Outputs, family, rng

NAN, INF = np.nan, np.inf


def f(*shape, name="x", scale=1.0):
    return (rng(name).standard_normal(shape) * scale).astype(np.float32)


def pos(*shape, name="p"):
    return (rng(name).random(shape) + 0.1).astype(np.float32)


def ints(*shape, low=-5, high=6, name="i", dtype=np.int64):
    return rng(name).integers(low, high, shape).astype(dtype)


def i64(*values):
    return np.array(values, dtype=np.int64)


def f32(values):
    return np.array(values, dtype=np.float32)


SPECIAL = f32([0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 88.0, -88.0, 1e-30, -1e-30, 1e30, -1e30, NAN,
               INF, -INF, 3.5, 2.5, 1.5, 7.9, -7.9])
FINITE = SPECIAL[np.isfinite(SPECIAL)]

# element-wise -----------------------------------------------------------------------------------


def broadcasts(op, make=f, **kwargs):
    return [
        ("same", op, [make(3, 5, name="a"), make(3, 5, name="b")], {}),
        ("scalar", op, [make(3, 5, name="a"), make(name="s")], {}),
        ("scalar_left", op, [make(name="s"), make(4, name="b")], {}),
        ("row", op, [make(2, 3, 9, name="a"), make(9, name="b")], {}),
        ("column", op, [make(2, 3, 9, name="a"), make(3, 1, name="b")], {}),
        ("both", op, [make(3, 1, 7, name="a"), make(1, 5, 1, name="b")], {}),
        ("left", op, [make(5, name="a"), make(2, 3, 5, name="b")], {}),
        ("const", op, [make(2, 17, name="a"), Const(make(17, name="b"))], {}),
        ("empty", op, [make(0, 3, name="a"), make(3, name="b")], {}),
        ("big", op, [make(3, 71, name="a"), make(3, 71, name="b")], {}),
    ]


for op in ("Add", "Sub", "Mul", "Div"):
    rows = broadcasts(op, pos if op == "Div" else f)
    rows.append(("special", op, [SPECIAL, np.roll(SPECIAL, 3)], {}))
    rows.append(("f64", op, [pos(4, 3).astype(np.float64), pos(3, name="b").astype(np.float64)],
                 {}))
    rows.append(("i64", op, [ints(6, low=-50, high=50), ints(6, low=1, high=9, name="b")], {}))
    rows.append(("i32", op, [ints(6, low=-50, high=50, dtype=np.int32),
                             ints(6, low=1, high=9, name="b", dtype=np.int32)], {}))
    family(f"{op}_14", 14, rows)
    family(f"{op}_7", 7, broadcasts(op, pos if op == "Div" else f)[:6])
family("Add_dynamic", 17, broadcasts("Add"), dynamic=True)

family("Pow_15", 15, [
    ("square", "Pow", [f(3, 7), Const(f32(2.0))], {}),
    ("half", "Pow", [pos(3, 7), Const(f32(0.5))], {}),
    ("cube", "Pow", [f(3, 7), Const(f32(3.0))], {}),
    ("vector", "Pow", [pos(5, 6), f(6, name="e")], {}),
    ("int_exponent", "Pow", [f(5), i64(0, 1, 2, 3, -1)], {}),
    ("int_base", "Pow", [i64(1, 2, 3, -4), i64(0, 3, 2, 3)], {}),
    ("negative_base", "Pow", [f32([-1.5, -2.0, -0.5]), f32([2.0, 3.0, 0.5])], {}),
])
for opset in (8, 13):
    family(f"MinMaxSumMean_{opset}", opset, [
        (f"{op}_{k}", op, [f(3, 4, name=f"{op}{i}") if i != 1 else f(4, name="b")
                           for i in range(k)], {})
        for op in ("Min", "Max", "Sum", "Mean") for k in (1, 2, 3)])
family("MinMax_nan", 13, [
    ("min", "Min", [SPECIAL, np.roll(SPECIAL, 7)], {}),
    ("max", "Max", [SPECIAL, np.roll(SPECIAL, 7)], {}),
    ("i64", "Max", [ints(4), ints(4, name="b")], {}),
])

for op in ("Abs", "Neg", "Floor", "Ceil", "Round", "Sign", "Sqrt", "Reciprocal", "Exp", "Log",
           "Tanh", "Sigmoid", "Relu", "Erf", "Softplus", "Softsign", "Elu", "Selu", "LeakyRelu",
           "HardSigmoid", "Sin", "Cos"):
    base = [("special", op, [SPECIAL if op not in ("Sin", "Cos") else FINITE[:8]], {}),
            ("matrix", op, [f(5, 13, scale=3.0)], {}),
            ("scalar", op, [f(name="s")], {}),
            ("empty", op, [f(2, 0)], {}),
            ("line", op, [np.linspace(-12, 12, 257).astype(np.float32)], {})]
    if op in ("Elu", "LeakyRelu", "HardSigmoid", "Selu"):
        base.append(("alpha", op, [f(4, 9)], {"alpha": 0.3}))
    if op == "HardSigmoid":
        base.append(("beta", op, [f(4, 9)], {"alpha": 0.1, "beta": 0.3}))
    if op == "Selu":
        base.append(("gamma", op, [f(4, 9)], {"alpha": 1.2, "gamma": 1.1}))
    if op in ("Abs", "Neg", "Sign"):
        base.append(("i64", op, [ints(7)], {}))
    family(f"{op}_13" if op not in ("HardSigmoid", "Round", "Elu", "Selu", "Softplus", "Softsign",
                                    "Sin", "Cos") else f"{op}_11", 13, base)
family("Activations_20", 20, [
    ("gelu", "Gelu", [f(4, 33, scale=3.0)], {}),
    ("gelu_tanh", "Gelu", [f(4, 33, scale=3.0)], {"approximate": "tanh"}),
    ("hardswish", "HardSwish", [f(4, 33, scale=4.0)], {}),
    ("mish", "Mish", [f(4, 33, scale=4.0)], {}),
    ("celu", "Celu", [f(4, 33)], {"alpha": 0.7}),
    ("thresholded", "ThresholdedRelu", [f(4, 33)], {"alpha": 0.5}),
    ("prelu_channel", "PRelu", [f(2, 3, 5), Const(f(3, 1, name="slope"))], {}),
    ("prelu_scalar", "PRelu", [f(2, 3, 5), Const(f(1, name="slope"))], {}),
])
family("Clip_13", 13, [
    ("both", "Clip", [f(4, 9), Const(f32(-0.5)), Const(f32(0.7))], {}),
    ("low", "Clip", [f(4, 9), Const(f32(-0.5))], {}),
    ("high", "Clip", [f(4, 9), None, Const(f32(0.2))], {}),
    ("none", "Clip", [f(4, 9)], {}),
    ("special", "Clip", [SPECIAL, Const(f32(-1.0)), Const(f32(1.0))], {}),
    ("inverted", "Clip", [f(4, 9), Const(f32(1.0)), Const(f32(-1.0))], {}),
    ("fed", "Clip", [f(4, 9), f32(-0.1), f32(0.1)], {}),
    ("i64", "Clip", [ints(9), Const(np.int64(-2)), Const(np.int64(3))], {}),
])
family("Clip_6", 10, [
    ("both", "Clip", [f(4, 9)], {"min": -0.5, "max": 0.7}),
    ("low", "Clip", [f(4, 9)], {"min": 0.0}),
    ("none", "Clip", [f(4, 9)], {}),
])

# compare and logic ------------------------------------------------------------------------------

for op in ("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"):
    family(f"{op}_16", 16, [
        ("f32", op, [SPECIAL, np.roll(SPECIAL, 1)], {}),
        ("ties", op, [np.round(f(4, 6)), np.round(f(6, name="b"))], {}),
        ("i64", op, [ints(3, 5), ints(5, name="b")], {}),
        ("scalar", op, [f(7), Const(f32(0.0))], {}),
    ])
BOOLS = np.array([[True, False, True], [False, False, True]])
family("Logic_16", 16, [
    (op.lower(), op, [BOOLS, np.array([True, False, False])], {}) for op in ("And", "Or", "Xor")
] + [("not", "Not", [BOOLS], {}),
     ("isnan", "IsNaN", [SPECIAL], {}),
     ("isinf", "IsInf", [SPECIAL], {}),
     ("isinf_positive", "IsInf", [SPECIAL], {"detect_negative": 0}),
     ("where", "Where", [BOOLS, f(2, 3), f(3, name="b")], {}),
     ("where_scalar", "Where", [np.array(True), f(2, 3), Const(f32(0.0))], {}),
     ("where_column", "Where", [np.array([[True], [False]]), f(2, 3), f(1, 3, name="b")], {}),
     ("where_i64", "Where", [BOOLS, ints(2, 3), ints(1, name="b")], {})])

# reductions -------------------------------------------------------------------------------------

for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1",
           "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"):
    x = pos(3, 4, 5)
    family(f"{op}_18", 18, [
        ("all", op, [x], {}),
        ("all_flat", op, [x], {"keepdims": 0}),
        ("last", op, [x, Const(i64(-1))], {}),
        ("middle", op, [x, Const(i64(1))], {"keepdims": 0}),
        ("two", op, [x, Const(i64(0, -1))], {"keepdims": 0}),
        ("first", op, [x, Const(i64(0))], {}),
        ("noop", op, [x, Const(i64())], {"noop_with_empty_axes": 1}),
        ("wide", op, [pos(2, 133), Const(i64(1))], {"keepdims": 0}),
    ])
    attr = {"axes": [-1]}
    if op == "ReduceSum":
        family("ReduceSum_13", 13, [("last", op, [x, Const(i64(-1))], {}), ("all", op, [x], {})])
        family("ReduceSum_11", 11, [("last", op, [x], attr), ("all", op, [x], {})])
    else:
        family(f"{op}_13", 13, [("last", op, [x], attr), ("all", op, [x], {}),
                                ("two", op, [x], {"axes": [0, 2], "keepdims": 0})])
TIES = f32([[1, 3, 3, 2], [5, 5, 1, 0], [2, 2, 2, 2]])
for op in ("ArgMax", "ArgMin"):
    family(f"{op}_13", 13, [
        ("default", op, [f(3, 4, 5)], {}),
        ("last", op, [f(3, 4, 5)], {"axis": -1, "keepdims": 0}),
        ("ties", op, [TIES], {"axis": 1}),
        ("ties_last", op, [TIES], {"axis": 1, "select_last_index": 1}),
        ("i32", op, [ints(4, 6, dtype=np.int32)], {"axis": 1}),
    ])
    family(f"{op}_11", 11, [("last", op, [f(3, 4)], {"axis": 1, "keepdims": 0})])
family("CumSum_14", 14, [
    ("first", "CumSum", [f(4, 5), Const(np.int64(0))], {}),
    ("last", "CumSum", [f(4, 5), Const(np.int64(-1))], {}),
    ("exclusive", "CumSum", [f(4, 5), Const(np.int64(1))], {"exclusive": 1}),
    ("reverse", "CumSum", [f(4, 5), Const(np.int64(1))], {"reverse": 1}),
    ("both", "CumSum", [f(4, 5), Const(np.int64(1))], {"reverse": 1, "exclusive": 1}),
])
family("TopK_11", 11, [
    ("last", "TopK", [f(3, 9), Const(i64(4))], {}, Outputs(2)),
    ("smallest", "TopK", [f(3, 9), Const(i64(4))], {"largest": 0}, Outputs(2)),
    ("axis", "TopK", [f(5, 3), Const(i64(2))], {"axis": 0}, Outputs(2)),
    ("ties", "TopK", [TIES, Const(i64(3))], {}, Outputs(2)),
    ("all", "TopK", [f(2, 4), Const(i64(4))], {}, Outputs(2)),
])

# shapes and movement ----------------------------------------------------------------------------

family("Reshape_14", 14, [
    ("plain", "Reshape", [f(2, 3, 4), Const(i64(4, 6))], {}),
    ("infer", "Reshape", [f(2, 3, 4), Const(i64(2, -1))], {}),
    ("copy", "Reshape", [f(2, 3, 4), Const(i64(0, -1))], {}),
    ("copy_two", "Reshape", [f(2, 3, 4), Const(i64(0, 0, 2, 2))], {}),
    ("scalar", "Reshape", [f(1, 1), Const(i64())], {}),
    ("up", "Reshape", [f(name="s"), Const(i64(1, 1))], {}),
    ("fed", "Reshape", [f(6, 2), i64(3, -1)], {}),
    ("zero", "Reshape", [f(0, 3), Const(i64(3, 0))], {"allowzero": 1}),
    ("i64", "Reshape", [ints(2, 3), Const(i64(-1))], {}),
])
family("Reshape_5", 9, [("plain", "Reshape", [f(2, 3), Const(i64(3, -1))], {})])
family("Flatten_13", 13, [(f"axis_{a + 9}", "Flatten", [f(2, 3, 4)], {"axis": a})
                          for a in (0, 1, 2, 3, -1, -2)])
family("Transpose_13", 13, [
    ("reverse", "Transpose", [f(2, 3, 4)], {}),
    ("swap", "Transpose", [f(2, 3, 4)], {"perm": [1, 0, 2]}),
    ("last", "Transpose", [f(2, 3, 4)], {"perm": [0, 2, 1]}),
    ("four", "Transpose", [f(2, 3, 4, 5)], {"perm": [0, 2, 1, 3]}),
    ("ones", "Transpose", [f(1, 5, 1, 3)], {"perm": [2, 1, 0, 3]}),
    ("i64", "Transpose", [ints(3, 4)], {}),
    ("wide", "Transpose", [f(37, 65)], {}),
])
for opset, fed in ((13, True), (11, False)):
    def axes(op, x, values, fed=fed):
        return ([x, Const(i64(*values))], {}) if fed else ([x], {"axes": list(values)})
    family(f"SqueezeUnsqueeze_{opset}", opset, [
        ("squeeze", "Squeeze", *axes("Squeeze", f(1, 3, 1, 4), [0, 2])),
        ("squeeze_all", "Squeeze", [f(1, 3, 1)], {}),
        ("squeeze_negative", "Squeeze", *axes("Squeeze", f(3, 4, 1), [-1])),
        ("unsqueeze", "Unsqueeze", *axes("Unsqueeze", f(3, 4), [1])),
        ("unsqueeze_two", "Unsqueeze", *axes("Unsqueeze", f(3, 4), [0, 3])),
        ("unsqueeze_negative", "Unsqueeze", *axes("Unsqueeze", f(3, 4), [-1])),
        ("unsqueeze_scalar", "Unsqueeze", *axes("Unsqueeze", f(name="s"), [0])),
    ])
BIG, SMALL = 2**63 - 1, -(2**63)


def cut(x, *ranges):
    return [x] + [Const(i64(*r)) for r in ranges]


family("Slice_13", 13, [
    ("plain", "Slice", cut(f(5, 6), (1, 2), (4, 5)), {}),
    ("axes", "Slice", cut(f(5, 6), (1,), (4,), (1,)), {}),
    ("negative_axis", "Slice", cut(f(5, 6), (1,), (4,), (-1,)), {}),
    ("last", "Slice", cut(f(2, 7, 3), (-1,), (BIG,), (1,)), {}),
    ("drop_last", "Slice", cut(f(5, 6), (0,), (-1,), (0,)), {}),
    ("past_end", "Slice", cut(f(5, 6), (2,), (99,), (0,)), {}),
    ("before", "Slice", cut(f(5, 6), (-99,), (3,), (0,)), {}),
    ("empty", "Slice", cut(f(5, 6), (4,), (2,), (0,)), {}),
    ("steps", "Slice", cut(f(9, 4), (0,), (9,), (0,), (2,)), {}),
    ("reverse", "Slice", cut(f(9, 4), (-1,), (SMALL,), (0,), (-1,)), {}),
    ("reverse_steps", "Slice", cut(f(9, 4), (8, 0), (1, 4), (0, 1), (-3, 2)), {}),
    ("fed", "Slice", [f(5, 6), i64(1), i64(3), i64(0)], {}),
    ("i64", "Slice", cut(ints(7), (2,), (5,)), {}),
    ("i32_bounds", "Slice", [f(7), Const(np.array([1], np.int32)),
                             Const(np.array([5], np.int32))], {}),
])
family("Slice_9", 9, [
    ("axes", "Slice", [f(5, 6)], {"starts": [1], "ends": [4], "axes": [1]}),
    ("plain", "Slice", [f(5, 6)], {"starts": [0, -3], "ends": [3, 1000]}),
])
family("Gather_13", 13, [
    ("rows", "Gather", [f(5, 4), Const(i64(0, 3, 3))], {}),
    ("last", "Gather", [f(2, 5, 4), Const(np.int64(-1))], {"axis": 1}),
    ("last_axis", "Gather", [f(2, 5, 4), Const(i64(-1, 0))], {"axis": -1}),
    ("matrix", "Gather", [f(5, 4), Const(np.array([[0, 1], [4, -5]]))], {"axis": 0}),
    ("i32", "Gather", [f(5, 4), np.array([2, 1], np.int32)], {"axis": 1}),
    ("shape", "Gather", [i64(7, 8, 9), Const(np.int64(1))], {}),
    ("empty", "Gather", [f(5, 4), Const(i64())], {}),
])
family("Gather_9", 9, [("rows", "Gather", [f(5, 4), Const(i64(1, 2))], {"axis": 1})])
family("GatherElements_13", 13, [
    ("rows", "GatherElements", [f(3, 4), Const(np.array([[0, 2, -1, 1], [1, 1, 0, 0]]))], {}),
    ("last", "GatherElements", [f(3, 4), Const(np.array([[3], [-4], [0]]))], {"axis": 1}),
])
family("Concat_13", 13, [
    ("first", "Concat", [f(2, 3), f(4, 3, name="b")], {"axis": 0}),
    ("last", "Concat", [f(2, 3), f(2, 5, name="b"), f(2, 1, name="c")], {"axis": -1}),
    ("middle", "Concat", [f(2, 3, 4), f(2, 2, 4, name="b")], {"axis": 1}),
    ("one", "Concat", [f(2, 3)], {"axis": 0}),
    ("twice", "Concat", [f(2, 3), Const(f(2, 3))], {"axis": 1}),
    ("empty", "Concat", [f(2, 0), f(2, 3, name="b")], {"axis": 1}),
    ("i64", "Concat", [i64(1, 2), i64(3)], {"axis": 0}),
])
family("Split_13", 13, [
    ("equal", "Split", [f(2, 6)], {"axis": 1}, Outputs(3)),
    ("sizes", "Split", [f(2, 6), Const(i64(1, 5))], {"axis": -1}, Outputs(2)),
    ("zero", "Split", [f(4, 2), Const(i64(0, 4))], {}, Outputs(2)),
])
family("Split_18", 18, [("short_last", "Split", [f(7, 2)], {"num_outputs": 3}, Outputs(3)),
                        ("sizes", "Split", [f(7, 2), Const(i64(3, 4))], {}, Outputs(2))])
family("Split_11", 11, [("sizes", "Split", [f(2, 6)], {"axis": 1, "split": [2, 4]}, Outputs(2))])
family("ShapeSize_15", 15, [
    ("shape", "Shape", [f(2, 3, 4)], {}),
    ("part", "Shape", [f(2, 3, 4)], {"start": 1}),
    ("negative", "Shape", [f(2, 3, 4)], {"start": -2, "end": -1}),
    ("scalar", "Shape", [f(name="s")], {}),
    ("size", "Size", [f(2, 3, 4)], {}),
])
family("Expand_13", 13, [
    ("row", "Expand", [f(3), Const(i64(2, 3))], {}),
    ("column", "Expand", [f(3, 1), Const(i64(2, 1, 4))], {}),
    ("keep", "Expand", [f(2, 3), Const(i64(1))], {}),
    ("scalar", "Expand", [f(name="s"), i64(2, 2)], {}),
    ("i64", "Expand", [ints(1, 3), Const(i64(2, 3))], {}),
])
family("Tile_13", 13, [("two", "Tile", [f(2, 3), Const(i64(2, 3))], {}),
                       ("none", "Tile", [f(2, 3), Const(i64(1, 1))], {}),
                       ("zero", "Tile", [f(2, 3), Const(i64(1, 0))], {})])
for opset in (11, 13, 18):
    rows = [
        ("default", "Pad", [f(2, 3), Const(i64(0, 1, 1, 2))], {}),
        ("value", "Pad", [f(2, 3), Const(i64(1, 0, 0, 1)), Const(f32(-2.0))], {}),
        ("edge", "Pad", [f(2, 3), Const(i64(1, 2, 0, 1))], {"mode": "edge"}),
        ("reflect", "Pad", [f(3, 4), Const(i64(1, 2, 0, 1))], {"mode": "reflect"}),
        ("crop", "Pad", [f(4, 5), Const(i64(-1, 0, 0, -2))], {}),
        ("time", "Pad", [f(1, 2, 5), Const(i64(0, 0, 3, 0, 0, 0))], {}),
    ]
    if opset == 18:
        rows.append(("axes", "Pad", [f(2, 3), Const(i64(1, 2)), None, Const(i64(-1))], {}))
    family(f"Pad_{opset}", opset, rows)
family("Range_11", 11, [
    ("up", "Range", [Const(np.int64(2)), Const(np.int64(9)), Const(np.int64(3))], {}),
    ("down", "Range", [np.int64(5), np.int64(-2), np.int64(-2)], {}),
    ("empty", "Range", [np.int64(5), np.int64(5), np.int64(1)], {}),
    ("f32", "Range", [f32(0.0), f32(1.0), f32(0.3)], {}),
])

def filled(array):
    return {"value": onnx.numpy_helper.from_array(array)}


family("Fill_13", 13, [
    ("zeros", "ConstantOfShape", [Const(i64(2, 3))], {}),
    ("ones", "ConstantOfShape", [i64(2, 2)], filled(f32([1.5]))),
    ("i64", "ConstantOfShape", [Const(i64(4))], filled(i64(-3))),
    ("bool", "ConstantOfShape", [Const(i64(2))], filled(np.array([True]))),
    ("scalar", "ConstantOfShape", [Const(i64())], {}),
    ("none", "ConstantOfShape", [Const(i64(0, 2))], {}),
    ("constant", "Constant", [], filled(f(2, 3))),
    ("constant_ints", "Constant", [], {"value_ints": [1, 2, 3]}),
    ("constant_float", "Constant", [], {"value_float": 2.5}),
    ("constant_floats", "Constant", [], {"value_floats": [2.5, -1.0]}),
    ("constant_int", "Constant", [], {"value_int": 7}),
    ("identity", "Identity", [f(2, 3)], {}),
    ("dropout", "Dropout", [f(2, 3)], {}),
    ("dropout_mask", "Dropout", [f(2, 3), Const(f32(0.4))], {}, Outputs(2)),
])
F, D, I32, I64, B, F16 = 1, 11, 6, 7, 9, 10
family("Cast_13", 13, [
    ("f32_i64", "Cast", [f32([0.0, -0.9, 1.9, -1.9, 1e6, 2.5])], {"to": I64}),
    ("f32_i32", "Cast", [f32([0.0, -0.9, 1.9, -1.9, 1e6])], {"to": I32}),
    ("f32_bool", "Cast", [SPECIAL], {"to": B}),
    ("f32_f64", "Cast", [SPECIAL], {"to": D}),
    ("f64_f32", "Cast", [np.array([1 / 3, 1e300, -1e300, 1e-50, NAN])], {"to": F}),
    ("i64_f32", "Cast", [i64(0, -7, 2**40 + 1, 16777217)], {"to": F}),
    ("i64_i32", "Cast", [i64(0, -7, 5)], {"to": I32}),
    ("i64_bool", "Cast", [i64(0, -7, 5)], {"to": B}),
    ("bool_f32", "Cast", [BOOLS], {"to": F}),
    ("bool_i64", "Cast", [BOOLS], {"to": I64}),
    ("f32_f16", "Cast", [f32([1.0, 1 / 3, 65519.0, 65520.0, 1e-8, NAN])], {"to": F16}),
    ("f16_f32", "Cast", [np.array([1.0, 1 / 3, 6e-8, NAN], np.float16)], {"to": F}),
    ("same", "Cast", [f(3)], {"to": F}),
])
family("CastLike_15", 15, [("i64", "CastLike", [f(4), i64(1)], {}),
                           ("f32", "CastLike", [i64(3, -4), f(1)], {})])

# linear algebra and norms -----------------------------------------------------------------------

for opset in (9, 13):
    family(f"MatMul_{opset}", opset, [
        ("plain", "MatMul", [f(3, 5), f(5, 7, name="b")], {}),
        ("weights", "MatMul", [f(33, 19), Const(f(19, 65, name="b"))], {}),
        ("batch", "MatMul", [f(2, 3, 5), f(2, 5, 4, name="b")], {}),
        ("batch_weights", "MatMul", [f(2, 3, 5), Const(f(5, 4, name="b"))], {}),
        ("broadcast", "MatMul", [f(2, 1, 3, 5), f(4, 5, 2, name="b")], {}),
        ("vector", "MatMul", [f(5), f(5, 4, name="b")], {}),
        ("vector_right", "MatMul", [f(3, 5), f(5, name="b")], {}),
        ("dot", "MatMul", [f(5), f(5, name="b")], {}),
        ("one_row", "MatMul", [f(1, 129), Const(f(129, 1, name="b"))], {}),
        ("inner_zero", "MatMul", [f(2, 0), f(0, 3, name="b")], {}),
        ("f64", "MatMul", [f(3, 5).astype(np.float64), f(5, 2, name="b").astype(np.float64)], {}),
    ])
for opset in (9, 13):
    rows = [
        ("plain", "Gemm", [f(3, 5), Const(f(5, 7, name="b")), Const(f(7, name="c"))], {}),
        ("trans_b", "Gemm", [f(3, 5), Const(f(7, 5, name="b")), Const(f(7, name="c"))],
         {"transB": 1}),
        ("trans_a", "Gemm", [f(5, 3), Const(f(5, 7, name="b")), Const(f(7, name="c"))],
         {"transA": 1}),
        ("scaled", "Gemm", [f(3, 5), Const(f(5, 7, name="b")), Const(f(3, 7, name="c"))],
         {"alpha": 0.5, "beta": -2.0}),
        ("column_bias", "Gemm", [f(3, 5), f(5, 7, name="b"), f(3, 1, name="c")], {}),
        ("scalar_bias", "Gemm", [f(3, 5), f(5, 7, name="b"), f(1, name="c")], {"transB": 0}),
        ("beta_zero", "Gemm", [f(3, 5), f(5, 7, name="b"), f(7, name="c")], {"beta": 0.0}),
        ("one_row", "Gemm", [f(1, 64), Const(f(3, 64, name="b")), Const(f(3, name="c"))],
         {"transB": 1}),
        ("one_column", "Gemm", [f(17, 31), Const(f(1, 31, name="b")), Const(f(1, name="c"))],
         {"transB": 1}),
        ("both", "Gemm", [f(5, 3), f(7, 5, name="b"), f(7, name="c")],
         {"transA": 1, "transB": 1}),
    ]
    if opset == 13:
        rows.append(("rows", "Gemm", [f(37, 24), Const(f(128, 24, name="b")),
                                      Const(f(128, name="c"))], {"transB": 1}))
        rows.append(("no_bias", "Gemm", [f(3, 5), Const(f(5, 7, name="b"))], {}))
    family(f"Gemm_{opset}", opset, rows, atol=5e-6)  # sums of tens of products near 1
HUGE = f32([[1e4, -1e4, 0.0], [-INF, 0.0, 1.0], [5.0, 5.0, 5.0]])
for op in ("Softmax", "LogSoftmax"):
    family(f"{op}_13", 13, [
        ("last", op, [f(3, 4, 5)], {}),
        ("middle", op, [f(3, 4, 5)], {"axis": 1}),
        ("first", op, [f(3, 4)], {"axis": 0}),
        ("huge", op, [HUGE], {"axis": -1}),
        ("one", op, [f(3, 1)], {}),
        ("wide", op, [f(2, 300, scale=4.0)], {}),
    ])
    family(f"{op}_11", 11, [
        ("default", op, [f(3, 4, 5)], {}),
        ("last", op, [f(3, 4, 5)], {"axis": 2}),
        ("first", op, [f(3, 4)], {"axis": 0}),
    ])
family("LayerNormalization_17", 17, [
    ("last", "LayerNormalization", [f(3, 9), Const(f(9, name="g")), Const(f(9, name="b"))], {}),
    ("no_bias", "LayerNormalization", [f(3, 9), Const(f(9, name="g"))], {"epsilon": 0.01}),
    ("axis", "LayerNormalization", [f(2, 3, 4), Const(f(3, 4, name="g")),
                                    Const(f(3, 4, name="b"))], {"axis": 1}),
    ("flat", "LayerNormalization", [np.full((2, 8), 3.0, np.float32), Const(f(8, name="g"))],
     {}),
    ("shifted", "LayerNormalization", [f(2, 33) + np.float32(1000), Const(f(33, name="g"))], {}),
], atol=2e-4)
for opset in (9, 15):
    def norm_weights(n):
        return [Const(f(n, name="g")), Const(f(n, name="b")), Const(f(n, name="m")),
                Const(pos(n, name="v"))]
    family(f"BatchNormalization_{opset}", opset, [
        ("rows", "BatchNormalization", [f(5, 7)] + norm_weights(7), {}),
        ("time", "BatchNormalization", [f(2, 4, 6)] + norm_weights(4), {"epsilon": 0.01}),
        ("image", "BatchNormalization", [f(2, 3, 4, 2)] + norm_weights(3), {}),
    ])

# recurrent --------------------------------------------------------------------------------------


def recurrent(op, gates, case, t=7, b=3, i=5, h=6, dirs=1, bias=True, **attrs):
    """X W R B sequence_lens initial_h (initial_c P); what is not asked for is an empty input."""
    lens, h0, c0, peep = (attrs.pop(k, None) for k in ("lens", "h0", "c0", "peep"))
    keep, skip = attrs.pop("keep", (0, 1, 2)), ()
    layout = attrs.get("layout", 0)
    x = f(t, b, i, name=case + "x")
    args = [x.transpose(1, 0, 2).copy() if layout else x,
            Const(f(dirs, gates * h, i, name=case + "w", scale=0.4)),
            Const(f(dirs, gates * h, h, name=case + "r", scale=0.4)),
            Const(f(dirs, 2 * gates * h, name=case + "b", scale=0.4)) if bias else None,
            np.array(lens, np.int32) if lens else None,
            f(dirs, b, h, name=case + "h0") if h0 else None]
    n_out = 2
    if op == "LSTM":
        args += [f(dirs, b, h, name=case + "c0") if c0 else None,
                 Const(f(dirs, 3 * h, name=case + "p")) if peep else None]
        n_out = 3
    while args[-1] is None:
        args.pop()
    skip = tuple(k for k in range(n_out) if k not in keep)
    attrs["hidden_size"] = h
    if dirs == 2:
        attrs["direction"] = "bidirectional"
    return (case, op, args, attrs, Outputs(n_out, skip))


def recurrent_family(op, gates, **extra):
    def one(case, **kw):
        return recurrent(op, gates, case, **{**extra, **kw})
    return [
        one("plain"), one("no_bias", bias=False), one("h0", h0=True),
        one("one_step", t=1), one("one_row", b=1), one("reverse", direction="reverse"),
        one("both", dirs=2), one("both_h0", dirs=2, h0=True), one("lens", lens=[7, 4, 1]),
        one("only_y", keep=(0,)), one("only_state", keep=(1,)),
        one("wide", h=32, i=24, t=12), one("odd", h=13, i=3, b=9),
        one("lens_both", dirs=2, lens=[7, 2, 5]),
    ]


family("LSTM_14", 14, recurrent_family("LSTM", 4) + [
    recurrent("LSTM", 4, "c0", c0=True, h0=True), recurrent("LSTM", 4, "only_c0", c0=True),
    recurrent("LSTM", 4, "peephole", peep=True, h0=True, c0=True),
    recurrent("LSTM", 4, "clip", clip=0.3),
    recurrent("LSTM", 4, "input_forget", input_forget=1),
    recurrent("LSTM", 4, "activations", activations=["HardSigmoid", "Relu", "Tanh"],
              activation_alpha=[0.25], activation_beta=[0.45]),
])
family("GRU_14", 14, recurrent_family("GRU", 3) + [
    (c[0] + "_lbr",) + c[1:] for c in recurrent_family("GRU", 3, linear_before_reset=1)
    if c[0] not in ("only_y", "only_state")
] + [recurrent("GRU", 3, "clip", clip=0.3)])
family("RNN_14", 14, recurrent_family("RNN", 1) + [
    recurrent("RNN", 1, "relu", activations=["Relu"])],
    rtol=1e-4, atol=1e-5)  # "wide" feeds a rounding back twelve times
family("LSTM_7", 9, recurrent_family("LSTM", 4)[:4])
family("GRU_7", 9, recurrent_family("GRU", 3, linear_before_reset=1)[:4])

# convolution and pooling over time --------------------------------------------------------------

family("Conv_11", 11, [
    ("plain", "Conv", [f(2, 3, 11), Const(f(4, 3, 3, name="w")), Const(f(4, name="b"))], {}),
    ("no_bias", "Conv", [f(2, 3, 11), Const(f(4, 3, 3, name="w"))], {}),
    ("causal", "Conv", [f(2, 3, 11), Const(f(4, 3, 3, name="w"))],
     {"pads": [4, 0], "dilations": [2]}),
    ("same", "Conv", [f(2, 3, 11), Const(f(4, 3, 4, name="w"))], {"auto_pad": "SAME_UPPER"}),
    ("stride", "Conv", [f(2, 3, 11), Const(f(4, 3, 3, name="w"))], {"strides": [2]}),
    ("groups", "Conv", [f(2, 4, 11), Const(f(6, 2, 3, name="w"))], {"group": 2}),
    ("pointwise", "Conv", [f(2, 5, 9), Const(f(8, 5, 1, name="w"))], {}),
    ("image", "Conv", [f(1, 2, 6, 7), Const(f(3, 2, 3, 3, name="w"))], {"pads": [1, 1, 1, 1]}),
])
family("Pool_11", 11, [
    ("max", "MaxPool", [f(2, 3, 10)], {"kernel_shape": [3], "strides": [2]}),
    ("average", "AveragePool", [f(2, 3, 10)], {"kernel_shape": [3], "pads": [1, 1]}),
    ("global_average", "GlobalAveragePool", [f(2, 3, 10)], {}),
    ("global_max", "GlobalMaxPool", [f(2, 3, 10)], {}),
])

# ai.onnx.ml -------------------------------------------------------------------------------------

LINEAR = dict(coefficients=[0.5, -1.0, 2.0, 0.25, 1.5, -0.75], intercepts=[0.1, -0.2])
family("LinearRegressor_1", 13, [
    ("one", "LinearRegressor", [f(5, 6)],
     dict(coefficients=LINEAR["coefficients"], intercepts=[0.3])),
    ("two", "LinearRegressor", [f(5, 3)], dict(targets=2, **LINEAR)),
    ("no_intercept", "LinearRegressor", [f(5, 6)],
     dict(coefficients=LINEAR["coefficients"])),
    ("logistic", "LinearRegressor", [f(5, 3)],
     dict(targets=2, post_transform="LOGISTIC", **LINEAR)),
    ("softmax", "LinearRegressor", [f(5, 3)],
     dict(targets=2, post_transform="SOFTMAX", **LINEAR)),
], ml=1)
THREE = dict(coefficients=[0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 0.1, 0.2, 0.3],
             intercepts=[0.1, -0.2, 0.0], classlabels_ints=[0, 1, 5])
family("LinearClassifier_1", 13, [
    (f"three_{post.lower()}", "LinearClassifier", [f(7, 3)],
     dict(post_transform=post, multi_class=0, **THREE), Outputs(2))
    for post in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")
] + [
    ("binary", "LinearClassifier", [f(7, 3)],
     dict(coefficients=[-1.0, 0.5, 0.2, 1.0, -0.5, -0.2], intercepts=[-0.1, 0.1],
          classlabels_ints=[0, 1], post_transform="LOGISTIC"), Outputs(2)),
    ("binary_one_row", "LinearClassifier", [f(7, 3)],
     dict(coefficients=[1.0, -0.5, -0.2], intercepts=[0.1], classlabels_ints=[0, 1],
          post_transform="LOGISTIC"), Outputs(2)),
    ("strings", "LinearClassifier", [f(7, 3)],
     dict(coefficients=THREE["coefficients"], intercepts=THREE["intercepts"],
          classlabels_strings=["down", "flat", "up"], post_transform="SOFTMAX"), Outputs(2)),
], ml=1)
family("MlNumbers_1", 13, [
    ("scaler", "Scaler", [f(4, 3)], dict(offset=[1.0, 0.5, -2.0], scale=[0.5, 2.0, 0.0])),
    ("scaler_one", "Scaler", [f(4, 3)], dict(offset=[0.5], scale=[2.0])),
    ("scaler_i64", "Scaler", [ints(4, 3)], dict(offset=[1.0, 0.5, -2.0], scale=[0.5, 2.0, 1.0])),
    ("normalizer_l1", "Normalizer", [f(4, 3)], dict(norm="L1")),
    ("normalizer_l2", "Normalizer", [f32([[3, 4, 0], [0, 0, 0], [1, -1, 1]])], dict(norm="L2")),
    ("normalizer_max", "Normalizer", [pos(4, 3)], dict(norm="MAX")),
    ("imputer_nan", "Imputer", [f32([[1, NAN, 3], [NAN, NAN, -1]])],
     dict(imputed_value_floats=[10.0, 20.0, 30.0], replaced_value_float=NAN)),
    ("imputer_value", "Imputer", [f32([[1, -1, 3], [-1, NAN, -1]])],
     dict(imputed_value_floats=[10.0], replaced_value_float=-1.0)),
    ("binarizer", "Binarizer", [f(4, 3)], dict(threshold=0.25)),
    ("pick", "ArrayFeatureExtractor", [f(4, 3), Const(i64(2, 0))], {}),
    ("pick_labels", "ArrayFeatureExtractor", [Const(i64(10, 20, 30)), i64(2, 0, 1)], {}),
    ("features", "FeatureVectorizer", [f(4, 2), f(4, 3, name="b")],
     dict(inputdimensions=[2, 3])),
    ("encode", "OneHotEncoder", [i64(1, 4, 9)], dict(cats_int64s=[1, 2, 4], zeros=1)),
], ml=1)
family("LabelEncoder_2", 13, [
    ("ints_strings", "LabelEncoder", [i64(2, 0, 7)],
     dict(keys_int64s=[0, 2], values_strings=["no", "yes"], default_string="other")),
    ("floats", "LabelEncoder", [f32([1.5, 2.5, 0.0])],
     dict(keys_floats=[1.5, 2.5], values_floats=[-1.0, 9.0], default_float=0.5)),
    ("strings_ints", "LabelEncoder", [np.array(["b", "a", "z"], dtype=object)],
     dict(keys_strings=["a", "b"], values_int64s=[10, 20], default_int64=-1)),
], ml=2)
family("LabelEncoder_4", 13, [  # where NaN is a key like others
    ("nan", "LabelEncoder", [f32([1.5, NAN, 0.0])],
     dict(keys_floats=[1.5, NAN], values_floats=[-1.0, 9.0], default_float=0.5)),
], ml=4)


def forest(trees, features, case, mode, missing=True):
    """Random complete trees of depth 3, as the lists that TreeEnsemble* operators take."""
    r = rng(case)
    nodes = {k: [] for k in ("treeids", "nodeids", "featureids", "values", "modes", "trueids",
                             "falseids", "missing", "hitrates")}
    leaves = []
    for tree in range(trees):
        for node in range(15):
            inner = node < 7
            nodes["treeids"].append(tree)
            nodes["nodeids"].append(node)
            nodes["featureids"].append(int(r.integers(features)) if inner else 0)
            nodes["values"].append(float(np.float32(np.round(r.standard_normal(), 1)))
                                   if inner else 0.0)
            nodes["modes"].append(mode if inner else "LEAF")
            nodes["trueids"].append(2 * node + 1 if inner else 0)
            nodes["falseids"].append(2 * node + 2 if inner else 0)
            nodes["missing"].append(int(r.integers(2)) if inner and missing else 0)
            nodes["hitrates"].append(1.0)
            if not inner:
                leaves.append((tree, node, float(np.float32(r.standard_normal()))))
    attrs = dict(nodes_treeids=nodes["treeids"], nodes_nodeids=nodes["nodeids"],
                 nodes_featureids=nodes["featureids"], nodes_values=nodes["values"],
                 nodes_modes=nodes["modes"], nodes_truenodeids=nodes["trueids"],
                 nodes_falsenodeids=nodes["falseids"])
    if missing:
        attrs["nodes_missing_value_tracks_true"] = nodes["missing"]
    return attrs, leaves


def regressor(case, mode="BRANCH_LEQ", targets=1, missing=True, trees=5, rows=24, **attrs):
    built, leaves = forest(trees, 4, case, mode, missing)
    built.update(target_treeids=[leaf[0] for leaf in leaves],
                 target_nodeids=[leaf[1] for leaf in leaves],
                 target_ids=[k % targets for k in range(len(leaves))],
                 target_weights=[leaf[2] for leaf in leaves], n_targets=targets, **attrs)
    return (case, "TreeEnsembleRegressor", [tree_rows(rows)], built)


def tree_rows(rows):
    """Rows on a grid of 0.1, so that many values sit exactly on a threshold, and some NaN."""
    x = np.round(f(rows, 4, name="tree"), 1).astype(np.float32)
    x[3] = NAN
    x[rng("holes").random(x.shape) < 0.15] = NAN
    x[5] = [INF, -INF, 0.0, -0.0]
    return x


def classifier(case, labels, ids, binary_weights=False, positive=False, **attrs):
    built, leaves = forest(4, 4, case, "BRANCH_LEQ")
    rows = []
    for k, (tree, node, weight) in enumerate(leaves):
        weight = abs(weight) if positive else weight
        for c in ([ids[0]] if binary_weights else ids):
            rows.append((tree, node, c, weight * (1 + 0.3 * c) if c % 2 else -weight * (c + 1)
                         if not binary_weights else weight))
    built.update(class_treeids=[r[0] for r in rows], class_nodeids=[r[1] for r in rows],
                 class_ids=[r[2] for r in rows], class_weights=[r[3] for r in rows],
                 **labels, **attrs)
    return (case, "TreeEnsembleClassifier", [tree_rows(20)], built, Outputs(2))


family("TreeEnsembleRegressor_1", 13, [
    regressor("leq"), regressor("lt", mode="BRANCH_LT"), regressor("gt", mode="BRANCH_GT"),
    regressor("gte", mode="BRANCH_GTE"), regressor("eq", mode="BRANCH_EQ"),
    regressor("neq", mode="BRANCH_NEQ"), regressor("no_missing", missing=False),
    regressor("base", base_values=[1.25]),
    regressor("targets", targets=2, base_values=[0.5, -0.5]),
    regressor("average", aggregate_function="AVERAGE"),
    regressor("min", aggregate_function="MIN"), regressor("max", aggregate_function="MAX"),
    regressor("logistic", post_transform="LOGISTIC"),
    regressor("one_row", rows=1 + 5)[:2] + ([f(1, 4)],) + regressor("one_row")[3:],
    regressor("many", trees=40, rows=70),
], ml=1)


def in_doubles(row):
    """The same trees with float64 thresholds, weights and rows, as ai.onnx.ml 3 allows."""
    name, op, (x,), attrs = row
    attrs = dict(attrs)
    for key in ("nodes_values", "target_weights"):
        attrs[key + "_as_tensor"] = onnx.numpy_helper.from_array(np.array(attrs.pop(key)))
    return name, op, [x.astype(np.float64)], attrs


family("TreeEnsembleRegressor_3", 13, [regressor("leq"), in_doubles(regressor("doubles"))], ml=3)
INTS2, INTS3 = dict(classlabels_int64s=[0, 1]), dict(classlabels_int64s=[0, 1, 2])
family("TreeEnsembleClassifier_1", 13, [
    classifier("three", INTS3, [0, 1, 2]),
    classifier("three_softmax", INTS3, [0, 1, 2], post_transform="SOFTMAX"),
    classifier("three_logistic", INTS3, [0, 1, 2], post_transform="LOGISTIC"),
    classifier("three_base", INTS3, [0, 1, 2], base_values=[0.1, 0.2, -0.3]),
    classifier("strings", dict(classlabels_strings=["a", "b", "c"]), [0, 1, 2]),
    classifier("binary", INTS2, [0], binary_weights=True),
    classifier("binary_logistic", INTS2, [0], binary_weights=True, post_transform="LOGISTIC"),
    classifier("binary_positive", INTS2, [0], binary_weights=True, positive=True),
    classifier("binary_class_1", INTS2, [1], binary_weights=True),
    classifier("binary_two", INTS2, [0, 1]),
], ml=1)
PROBS = f32([[0.2, 0.3, 0.5], [0.6, 0.1, 0.3]])
family("ZipMap_1", 13, [
    ("ints", "ZipMap", [PROBS], dict(classlabels_int64s=[3, 1, 2])),
    ("strings", "ZipMap", [PROBS], dict(classlabels_strings=["b", "c", "a"])),
], ml=1)

# what exporters seldom write, but write ---------------------------------------------------------

family("GatherND_13", 13, [
    ("points", "GatherND", [f(3, 4), Const(np.array([[0, 1], [-1, 2]]))], {}),
    ("rows", "GatherND", [f(3, 4), Const(np.array([[2], [0], [-3]]))], {}),
    ("batch", "GatherND", [f(2, 3, 4), Const(np.array([[1], [2]]))], {"batch_dims": 1}),
    ("deep", "GatherND", [f(2, 3, 4), Const(np.array([[[0, 1]], [[1, -1]]]))], {}),
])
family("NonZero_13", 13, [
    ("matrix", "NonZero", [Const(f32([[0, 1, 0], [2, 0, NAN], [-0.0, 0, 3]]))], {}),
    ("vector", "NonZero", [Const(i64(0, 5, 0, -2))], {}),
    ("none", "NonZero", [Const(f32([0, 0]))], {}),
])
family("OneHot_11", 11, [
    ("last", "OneHot", [ints(4, low=-3, high=3), Const(i64(3)), Const(f32([0, 1]))], {}),
    ("first", "OneHot", [ints(2, 3, low=0, high=4), Const(i64(4)), Const(f32([-1, 2]))],
     {"axis": 0}),
    ("outside", "OneHot", [i64(0, 7, -9), Const(i64(3)), Const(f32([0.5, 1]))], {}),
])
family("Trilu_14", 14, [
    ("upper", "Trilu", [f(4, 5)], {}),
    ("lower", "Trilu", [f(2, 5, 4)], {"upper": 0}),
    ("above", "Trilu", [f(4, 4), Const(np.array(1, dtype=np.int64))], {}),
    ("below", "Trilu", [f(4, 4), Const(np.array(-2, dtype=np.int64))], {"upper": 0}),
    ("i64", "Trilu", [ints(3, 3)], {}),
])
family("Mod_13", 13, [
    ("floor", "Mod", [i64(7, -7, 7, -7), i64(3, 3, -3, -3)], {}),
    ("fmod_i64", "Mod", [i64(7, -7, 7, -7), i64(3, 3, -3, -3)], {"fmod": 1}),
    ("fmod", "Mod", [f32([5.3, -5.3, 5.3, 0]), f32([2, 2, -2, 1])], {"fmod": 1}),
    ("row", "Mod", [ints(3, 4, low=-20, high=20), i64(2, 3, 5, 7)], {}),
])
family("Swish_24", 24, [
    ("plain", "Swish", [f(3, 7)], {}),
    ("alpha", "Swish", [FINITE], {"alpha": 0.5}),
])
SVM_X = f32([[-1, 2, 0.5], [0, 0, 0], [-3, -2, -1], [0.25, 1.5, -0.75]])
SVM = dict(coefficients=[0.3, -0.2], kernel_params=[0.1, 0.2, 3.0], n_supports=2, rho=[0.05],
           support_vectors=[1.0, 2.0, 3.0, 0.5, -0.5, 1.0])
family("SVMRegressor_1", 13, [
    (kernel.lower(), "SVMRegressor", [SVM_X], dict(kernel_type=kernel, **SVM))
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID")
] + [
    ("one_class", "SVMRegressor", [SVM_X], dict(kernel_type="RBF", one_class=1, **SVM)),
    ("linear_form", "SVMRegressor", [SVM_X],
     dict(kernel_type="LINEAR", kernel_params=[0.1, 0.2, 3.0], coefficients=[0.3, -0.2, 0.1],
          rho=[0.05])),
], ml=1)
