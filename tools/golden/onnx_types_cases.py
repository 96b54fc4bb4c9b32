# SPDX-License-Identifier: Apache-2.0
"""More rows of tests/golden/onnx_op: element types that not every operator takes."""
import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

from onnx_files import ROOT, save
from onnx_op_cases import INF, NAN, f, f32, i64, ints, pos
from onnx_ops import TABLE, Const, Outputs, family

NARROW = {"FLOAT16": np.float16, "BFLOAT16": ml_dtypes.bfloat16,
          "FLOAT8E4M3FN": ml_dtypes.float8_e4m3fn, "FLOAT8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
          "FLOAT8E5M2": ml_dtypes.float8_e5m2, "FLOAT8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
          "UINT4": ml_dtypes.uint4, "INT4": ml_dtypes.int4, "FLOAT4E2M1": ml_dtypes.float4_e2m1fn,
          "FLOAT8E8M0": ml_dtypes.float8_e8m0fnu, "UINT2": ml_dtypes.uint2,
          "INT2": ml_dtypes.int2}
FLOAT8 = [name for name in NARROW if name.startswith("FLOAT8E") and "M0" not in name]


def codes(dtype):
    """Every bit pattern that the type has."""
    bits = {"uint4": 4, "int4": 4, "float4_e2m1fn": 4, "uint2": 2, "int2": 2}
    n = bits.get(np.dtype(dtype).name, 8 * np.dtype(dtype).itemsize)
    whole = np.arange(2**n, dtype=np.uint16 if n == 16 else np.uint8)
    return (whole[::61] if n == 16 else whole).view(dtype)


def around(dtype):
    """Float32 numbers on, between and beside those of a type, and past its ends."""
    points = codes(dtype).astype(np.float32)
    points = np.unique(points[np.isfinite(points)])
    points = points[:: max(1, len(points) // 100)]
    middle = (points[1:].astype(np.float64) + points[:-1]) / 2
    middle = middle.astype(np.float32)
    beside = np.concatenate([np.nextafter(middle, np.float32(-INF)),
                             np.nextafter(middle, np.float32(INF))])
    ends = f32([NAN, INF, -INF, -0.0, 1e-30, -1e-30, 464, 465, -500, 61440, 61441, 1e6, 1e30])
    return np.concatenate([points, middle, beside, ends])


# casts ------------------------------------------------------------------------------------------

for name, dtype in NARROW.items():
    to = getattr(TensorProto, name)
    small = name in ("UINT4", "INT4", "UINT2", "INT2")
    values = np.arange(-40, 41).astype(np.float32) * np.float32(0.5) if small else around(dtype)
    rows = [("f32_to", "Cast", [np.abs(values) if name == "FLOAT8E8M0" else values], {"to": to}),
            ("to_f32", "Cast", [codes(dtype)], {"to": TensorProto.FLOAT}),
            ("to_f64", "Cast", [codes(dtype)], {"to": TensorProto.DOUBLE})]
    if small:
        rows += [("i32_to", "Cast", [np.arange(-20, 20, dtype=np.int32)], {"to": to}),
                 ("to_i64", "Cast", [codes(dtype)], {"to": TensorProto.INT64}),
                 ("to_u8", "Cast", [codes(dtype)], {"to": TensorProto.UINT8})]
    elif name != "FLOAT8E8M0":
        doubles = around(dtype).astype(np.float64)
        if name not in ("BFLOAT16", "FLOAT4E2M1"):  # which ml_dtypes rounds twice
            doubles = np.concatenate([doubles, doubles * (1 + 2.0**-40)])
        rows += [("f64_to", "Cast", [doubles], {"to": to}),
                 ("like", "CastLike", [around(dtype), codes(dtype)[:1]], {})]
    if name in FLOAT8:
        with np.errstate(over="ignore"):
            halves = around(dtype).astype(np.float16)
        rows += [("wrap", "Cast", [around(dtype)], {"to": to, "saturate": 0}),
                 ("f16_to", "Cast", [halves], {"to": to})]
    if name == "FLOAT8E8M0":
        rows += [(f"{mode}_{saturate}", "Cast", [np.abs(values)],
                  {"to": to, "round_mode": mode, "saturate": saturate})
                 for mode in ("up", "down", "nearest") for saturate in (0, 1)]
    rows.append(("move", "Gather", [Const(np.resize(codes(dtype), (3, 5))), i64(2, 0)], {}))
    listed = np.resize(codes(dtype)[:7], 7)
    rows.append(("listed", "Identity", [Const(listed, listed=True)], {}))
    rows.append(("turn", "Transpose", [codes(dtype)[:4].reshape(2, 2)], {}))
    family(f"Cast{name}_24", 24, rows, reference=True)
family("CastText_19", 19, [
    ("f32_text", "Cast", [f32([0, -0.0, 1, 0.1, 12.75, 1e16, 1e-5, -2.5e30, NAN, INF, -INF])],
     {"to": TensorProto.STRING}),
    ("f64_text", "Cast", [np.array([0.1, 1 / 3, 1e15, 1e16, 1e22, -1e100, 1e-4, 1e-5])],
     {"to": TensorProto.STRING}),
    ("f16_text", "Cast", [np.array([0.1, 100, 12.5, 6e-8, -3.14], np.float16)],
     {"to": TensorProto.STRING}),
    ("i64_text", "Cast", [i64(0, -7, 2**62)], {"to": TensorProto.STRING}),
    ("u8_text", "Cast", [np.array([0, 255], np.uint8)], {"to": TensorProto.STRING}),
    ("bool_text", "Cast", [np.array([True, False])], {"to": TensorProto.STRING}),
    ("known_text", "Cast", [Const(f(3))], {"to": TensorProto.STRING}),
    ("text_f32", "Cast", [np.array(["1e5", " 1 ", "-0.125", "NaN", "INF", "-inf"])],
     {"to": TensorProto.FLOAT}),
    ("text_i64", "Cast", [np.array(["9007199254740993", "-4"])], {"to": TensorProto.INT64}),
], reference=True)

# halves -----------------------------------------------------------------------------------------


def h(*shape, name="x", scale=1.0):
    return f(*shape, name=name, scale=scale).astype(np.float16)


def hp(*shape, name="p"):
    return pos(*shape, name=name).astype(np.float16)


# Each is one product or one function, so one rounding; or it picks elements. ONNX Runtime computes
# most of them in float32 too, the tests allow one unit.
family("Half_16", 16, [
    (op.lower(), op, [h(3, 5, name="a"), Const(hp(5, name="b"))], {})
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Less", "GreaterOrEqual", "Max", "Min", "Mean")
] + [
    (op.lower(), op, [h(4, 7, scale=2.0)], {})
    for op in ("Abs", "Neg", "Relu", "Tanh", "Sigmoid", "Exp", "Erf", "Softsign", "Elu",
               "LeakyRelu", "HardSwish", "ReduceMean", "ReduceMax", "ArgMax", "Round",
               "Floor", "Sign")
] + [
    ("equal", "Equal", [h(6), h(6)], {}),
    ("where", "Where", [np.array([True, False, True]), h(2, 3), h(3, name="b")], {}),
    ("clip", "Clip", [h(9), Const(np.float16(-0.5)), Const(np.float16(0.5))], {}),
    ("pow_mixed", "Pow", [hp(5), f32([0.5, 2, 3, 1, 0])], {}),
    ("pow_exponent", "Pow", [pos(5), np.array([0.5, 2, 3, 1, 0], np.float16)], {}),
    ("matmul", "MatMul", [h(3, 8, name="a"), Const(h(8, 5, name="b"))], {}),
    ("gemm", "Gemm", [h(3, 8, name="a"), Const(h(5, 8, name="b")), Const(h(5, name="c"))],
     {"transB": 1}),
    ("conv", "Conv", [h(1, 3, 9), Const(h(4, 3, 3, name="w")), Const(h(4, name="b"))], {}),
    ("max_pool", "MaxPool", [h(1, 2, 9)], {"kernel_shape": [3]}),
    ("average_pool", "AveragePool", [h(1, 2, 9)], {"kernel_shape": [3]}),
    ("top_k", "TopK", [h(3, 7), i64(3)], {}, Outputs(2)),
    ("cumulated", "ReduceSum", [h(3, 4), Const(i64(1))], {}),
    ("batch_norm", "BatchNormalization", [h(2, 3, 4), Const(h(3, name="g")), Const(h(3)),
                                          Const(h(3, name="m")), Const(hp(3))], {}),
    ("twice", "Mul", [h(5), h(5)], {}),
], atol=0)
family("HalfNorm_17", 17, [
    ("layer_norm", "LayerNormalization", [h(3, 9), Const(h(9, name="g")), Const(h(9, name="b"))],
     {}, Outputs(3)),
], atol=0)
family("HalfSoftmax_13", 13, [  # rounds at each operation of the function body
    ("softmax", "Softmax", [h(4, 7, scale=2.0)], {}),
], reference=True)
B = ml_dtypes.bfloat16
family("HalfBf16_16", 16, [
    (op.lower(), op, [f(3, 5, name="a").astype(B), Const(pos(5, name="b").astype(B))], {})
    for op in ("Add", "Sub", "Mul", "Div", "Equal", "Less", "Max", "Min")
] + [(op.lower(), op, [f(4, 7, scale=2.0).astype(B)], {})
     for op in ("Abs", "Neg", "Relu", "Sqrt", "Sign")], reference=True)


def halved(source):
    """A model whose float32 is float16 everywhere, and its inputs likewise."""

    def make():
        folder = ROOT / "onnx" / source
        model, feeds = onnx.load(folder / "model.onnx"), np.load(folder / "input.npz")

        def turn(tensor):
            if tensor.data_type == TensorProto.FLOAT:
                array = numpy_helper.to_array(tensor).astype(np.float16)
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))

        for tensor in model.graph.initializer:
            turn(tensor)
        for node in model.graph.node:
            for attr in node.attribute:
                turn(attr.t)
                if node.op_type == "Cast" and attr.name == "to" and attr.i == TensorProto.FLOAT:
                    attr.i = TensorProto.FLOAT16
        for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
            if value.type.tensor_type.elem_type == TensorProto.FLOAT:
                value.type.tensor_type.elem_type = TensorProto.FLOAT16
        halves = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in feeds.items()}
        save("onnx_op", f"Half_{source}", model, halves, atol=4e-3,
             what=f"tests/golden/onnx/{source} with float16 in place of float32")

    TABLE[f"Half_{source}"] = make


for model in ("torch_mlp_legacy", "torch_mlp_acts_dynamo", "torch_lstm_stacked_legacy",
              "torch_gru_bi_legacy", "torch_mlp_norms_legacy"):
    halved(model)


# integers of every width, float64 ---------------------------------------------------------------

WIDTHS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]


def whole(dtype, *shape, name="w", low=None):
    least = 0 if np.dtype(dtype).kind == "u" else -9
    return ints(*shape, low=least if low is None else low, high=10, name=name, dtype=dtype)


def widths(op, n=2, kinds=WIDTHS, low=None, **attrs):
    """A row per type; low: of the last input, so that none divides by zero."""
    rows = []
    for kind in kinds:
        args = [whole(kind, 3, 5, name="a")]
        if n > 1:
            args.append(whole(kind, 5, name="b", low=low))
        rows.append((f"{op.lower()}_{np.dtype(kind).name}", op, args, attrs))
    return rows


family("Widths_26", 26, [row for op in ("Add", "Sub", "Mul", "Min", "Max", "Equal", "Less",
                                        "GreaterOrEqual") for row in widths(op)], reference=True)
family("WidthsDivide_26", 26, widths("Div", low=1) + widths("Mod", low=1), reference=True)
family("WidthsOne_26", 26, [row for op in ("Abs", "Sign") for row in widths(op, 1)]
       + widths("Neg", 1, WIDTHS[:4]) + widths("Relu", 1, WIDTHS[:4])
       + [(f"clip_{np.dtype(k).name}", "Clip",
           [whole(k, 9), Const(np.array(1, k)), Const(np.array(5, k))], {}) for k in WIDTHS]
       + widths("ArgMax", 1, axis=1) + widths("ArgMin", 1, select_last_index=1)
       + [(f"where_{np.dtype(k).name}", "Where",
           [np.array([True, False, True]), whole(k, 2, 3), whole(k, 1, name="c")], {})
          for k in WIDTHS], reference=True)
family("WidthsMatrix_13", 13, [
    (f"{op.lower()}_{np.dtype(k).name}", op, [whole(k, 3, 4), Const(whole(k, 4, 2, name="b"))], {})
    for op in ("MatMul", "Gemm") for k in (np.int32, np.int64, np.uint32, np.uint64)
] + [
    ("gemm_all", "Gemm", [whole(np.int64, 4, 3), whole(np.int64, 2, 4, name="b"),
                          whole(np.int64, 3, 1, name="c")], {"transA": 1, "transB": 1}),
    ("gemm_row", "Gemm", [whole(np.int32, 3, 4), whole(np.int32, 4, 2, name="b"),
                          whole(np.int32, 2, name="c")], {"alpha": 2.0, "beta": 3.0}),
], reference=True)

# before opset 7 ---------------------------------------------------------------------------------


def legacy(op, inputs, attrs):
    """The second operand stands at `axis` of the first; PRelu's slope at the channels."""
    a, b = inputs
    axis = attrs.get("axis", 1 if op == "PRelu" else a.ndim - b.ndim)
    b = b.reshape(b.shape + (1,) * (a.ndim - axis - b.ndim))
    if op == "PRelu":
        return [np.where(a < 0, a * b, a)]
    return [{"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide,
             "Pow": np.power, "Equal": np.equal, "Greater": np.greater, "Less": np.less,
             "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}[op](a, b)]


AT = {"broadcast": 1, "axis": 1}
BOOL = [np.array([[True, False, True], [False, True, True], [True, True, False]]),
        np.array([True, False, True])]
family("Legacy_6", 6, [
    (op.lower(), op, [pos(2, 3, 4, name="a"), pos(3, name="b")], AT)
    for op in ("Add", "Sub", "Mul", "Div", "Pow", "Greater", "Less")
] + [(op.lower(), op, BOOL, {"broadcast": 1, "axis": 0}) for op in ("And", "Or", "Xor")
] + [("equal", "Equal", [whole(np.int32, 3, 3), whole(np.int32, 3, name="b")],
      {"broadcast": 1, "axis": 0}),
     ("square", "Add", [f(3, 3), Const(f(3, name="b"))], {"broadcast": 1, "axis": 0}),
     ("two", "Mul", [f(2, 3, 4, 5), Const(f(3, 4, name="b"))], AT),
     ("end", "Add", [f(2, 3, 4), f(3, 4, name="b")], {"broadcast": 1}),
     ("same", "Add", [f(2, 3), f(2, 3, name="b")], {}),
     ("slopes", "PRelu", [f(2, 3, 3), f(3, name="b")], {}),
     ("slope", "PRelu", [f(2, 3, 3), f(1, name="b")], {})], oracle=legacy)
