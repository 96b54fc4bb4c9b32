# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/golden/onnx_op for the quantised operators and the bitwise ones."""
import ml_dtypes
import numpy as np
from onnx import TensorProto

from onnx_op_cases import INF, f, f32, ints, pos
from onnx_ops import Const, Outputs, family

I8, U8, I16, U16, I32 = np.int8, np.uint8, np.int16, np.uint16, np.int32
HALVES = f32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 126.5, 127.5, 254.5, 255.5, 1e9, -1e9, INF, -INF,
              0.4999999, -0.0])


def z(value, dtype=U8):
    return Const(np.array(value, dtype))


def s(value):
    return Const(f32(value))


def bytes_of(*shape, name="q", dtype=U8):
    low, high = (0, 256) if dtype == U8 else (-128, 128)
    return ints(*shape, low=low, high=high, name=name, dtype=dtype)


family("QuantizeLinear_13", 13, [
    ("u8", "QuantizeLinear", [f(3, 7, scale=100.0), s(1.7), z(128)], {}),
    ("i8", "QuantizeLinear", [f(3, 7, scale=100.0), s(1.7), z(-3, I8)], {}),
    ("no_zero", "QuantizeLinear", [f(3, 7, scale=100.0), s(0.5)], {}),
    ("ties", "QuantizeLinear", [HALVES[:-4], s(1.0), z(0)], {}),
    ("ties_odd", "QuantizeLinear", [HALVES[:-4], s(1.0), z(1)], {}),
    ("axis", "QuantizeLinear", [f(2, 3, 5, scale=9.0), s([0.1, 0.2, 0.3]), z([1, 2, 3])], {}),
    ("first", "QuantizeLinear", [f(2, 3, scale=9.0), s([0.1, 0.2]), z([1, -2], I8)], {"axis": 0}),
    ("fed", "QuantizeLinear", [f(2, 3, scale=9.0), f32([0.1, 0.2, 0.3]),
                               np.array([1, 2, 3], U8)], {"axis": -1}),
    ("long", "QuantizeLinear", [f(600, scale=40.0), s(0.3), z(100)], {}),
])
family("DequantizeLinear_13", 13, [
    ("u8", "DequantizeLinear", [bytes_of(3, 7), s(0.07), z(128)], {}),
    ("i8", "DequantizeLinear", [bytes_of(3, 7, dtype=I8), s(0.07), z(-5, I8)], {}),
    ("i32", "DequantizeLinear", [ints(5, low=-10**6, high=10**6, dtype=I32), s(1e-3)], {}),
    ("axis", "DequantizeLinear", [bytes_of(2, 3, 5), s([0.1, 0.2, 0.3]), z([1, 2, 3])], {}),
    ("weights", "DequantizeLinear", [Const(bytes_of(4, 3, dtype=I8)), s([0.1, 0.2, 0.3, 0.4])],
     {"axis": 0}),
    ("fed", "DequantizeLinear", [bytes_of(2, 3), f32([0.1, 0.2]), np.array([7, 9], U8)],
     {"axis": 0}),
])
W4 = ints(6, 5, low=-8, high=8, dtype=I8).astype(ml_dtypes.int4)
family("QuantizeBlocked_21", 21, [
    ("blocks", "QuantizeLinear", [f(4, 6, scale=9.0), Const(pos(4, 2, name="s")),
                                  Const(ints(4, 2, low=-3, high=4, dtype=I8))],
     {"axis": 1, "block_size": 3}),
    ("short_block", "QuantizeLinear", [f(5, 3, scale=9.0), Const(pos(2, 3, name="s"))],
     {"axis": 0, "block_size": 3, "output_dtype": TensorProto.INT8}),
    ("back", "DequantizeLinear", [bytes_of(4, 6, dtype=I8), Const(pos(4, 2, name="s")),
                                  Const(ints(4, 2, low=-3, high=4, dtype=I8))],
     {"axis": 1, "block_size": 3}),
    ("weights_i4", "DequantizeLinear", [Const(W4), Const(pos(2, 5, name="s"))],
     {"axis": 0, "block_size": 3}),
    ("i16", "QuantizeLinear", [f(3, 4, scale=9.0), s(1e-3), z(-7, I16)], {}),
    ("u16", "QuantizeLinear", [f(3, 4, scale=9.0), s(1e-3), z(999, U16)], {}),
    ("stated", "QuantizeLinear", [f(3, 4, scale=9.0), s(1e-3)],
     {"output_dtype": TensorProto.UINT16}),
    ("half", "QuantizeLinear", [f(3, 4).astype(np.float16), Const(np.float16(0.03)), z(9)], {}),
    ("half_back", "DequantizeLinear", [bytes_of(3, 4), Const(np.float16(0.03)), z(9)], {}),
])
WIDE = np.concatenate([f(40, scale=20.0), f32([0, -0.0, 1e3, -1e3, 1e-4, 448, 470, 57344])])
NARROW = {name: getattr(ml_dtypes, name) for name in
          ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float4_e2m1fn",
           "int4", "uint4", "int2", "uint2")}
family("QuantizeNarrow_25", 25, [
    (name, "QuantizeLinear", [WIDE, s(2.0), Const(np.zeros((), dtype))], {})
    for name, dtype in NARROW.items()
] + [
    ("axis_int4", "QuantizeLinear", [f(3, 4, scale=9.0), s([1, 2, 3]),
                                     Const(np.array([1, 0, -1], ml_dtypes.int4))], {"axis": 0}),
    ("loose", "QuantizeLinear", [WIDE, s(0.01), Const(np.zeros((), ml_dtypes.float8_e5m2))],
     {"saturate": 0}),
    ("double_rounding", "QuantizeLinear", [WIDE[:-1], s(0.9)], {"precision": TensorProto.FLOAT16}),
    ("back_e5m2", "DequantizeLinear", [f(9, scale=9.0).astype(ml_dtypes.float8_e5m2), s(0.3)], {}),
    ("back_int2", "DequantizeLinear", [np.array([-2, -1, 0, 1], ml_dtypes.int2), s(0.3),
                                       Const(np.array(-1, ml_dtypes.int2))], {}),
    ("back_f4", "DequantizeLinear", [np.arange(16, dtype=U8).view(ml_dtypes.float4_e2m1fn),
                                     Const(np.float16(0.3))],
     {"output_dtype": TensorProto.FLOAT}),
], reference=True)
family("DynamicQuantizeLinear_11", 13, [
    (name, "DynamicQuantizeLinear", [value], {}, Outputs(3)) for name, value in [
        ("mixed", f(5, 9)), ("positive", pos(7)), ("negative", -pos(7)),
        ("matrix", f(2, 3, 4, scale=1e3)), ("tiny", f(6, scale=1e-6))]
])
family("DynamicQuantizeLinear_zeros", 13, [
    ("zeros", "DynamicQuantizeLinear", [np.zeros((2, 3), np.float32)], {}, Outputs(3)),
], reference=True)
A, B = bytes_of(5, 9, name="a"), bytes_of(9, 7, name="b", dtype=I8)
family("MatMulInteger_10", 13, [
    ("plain", "MatMulInteger", [A, B], {}),
    ("zeros", "MatMulInteger", [A, B, z(12), z(-3, I8)], {}),
    ("weights", "MatMulInteger", [A, Const(B), z(12), Const(ints(7, low=-4, high=5, dtype=I8))],
     {}),
    ("u8", "MatMulInteger", [A, Const(bytes_of(9, 7, name="c")), z(3), z(200)], {}),
    ("batch", "MatMulInteger", [bytes_of(2, 3, 4), bytes_of(2, 4, 5, name="b", dtype=I8), z(9)],
     {}),
    ("wide", "MatMulInteger", [bytes_of(3, 257), Const(bytes_of(257, 33, name="b", dtype=I8)),
                               z(255), z(-128, I8)], {}),
])
family("QLinearMatMul_10", 13, [
    ("u8", "QLinearMatMul", [A, s(0.02), z(110), Const(B), s(0.03), z(2, I8), s(0.9), z(120)], {}),
    ("columns", "QLinearMatMul", [A, s(0.02), z(110), Const(B), s(np.linspace(0.01, 0.04, 7)),
                                  Const(np.zeros(7, I8)), s(0.9), z(120)], {}),
    ("i8", "QLinearMatMul", [bytes_of(5, 9, name="a", dtype=I8), s(0.02), z(10, I8), Const(B),
                             s(0.03), z(0, I8), s(0.9), z(-12, I8)], {}),
    ("saturates", "QLinearMatMul", [A, s(1.0), z(0), Const(B), s(1.0), z(0, I8), s(1.0), z(120)],
     {}),
])
X, W = bytes_of(2, 4, 6, 5, name="x"), bytes_of(6, 4, 3, 3, name="w")
family("ConvInteger_10", 13, [
    ("plain", "ConvInteger", [X, W], {}),
    ("zeros", "ConvInteger", [X, W, z(11), z(130)], {"pads": [1, 1, 1, 1]}),
    ("groups", "ConvInteger", [X, bytes_of(6, 2, 3, 3, name="w"), z(11)],
     {"group": 2, "strides": [2, 1], "dilations": [1, 2]}),
    ("line", "ConvInteger", [bytes_of(1, 3, 200), Const(bytes_of(2, 3, 5, name="w")), z(7)],
     {"pads": [4, 0]}),
])
WI = bytes_of(6, 4, 3, 3, name="w", dtype=I8)
family("QLinearConv_10", 13, [
    ("u8", "QLinearConv", [X, s(0.02), z(120), Const(WI), s(0.03), z(0, I8), s(0.8), z(130)],
     {"pads": [1, 1, 1, 1]}),
    ("channels", "QLinearConv", [X, s(0.02), z(120), Const(WI), s(np.linspace(0.01, 0.04, 6)),
                                 Const(np.zeros(6, I8)), s(0.8), z(130),
                                 Const(ints(6, low=-999, high=999, dtype=I32))],
     {"pads": [1, 1, 1, 1]}),
    ("groups", "QLinearConv", [X, s(0.02), z(120), Const(bytes_of(6, 2, 3, 3, dtype=I8)), s(0.03),
                               z(0, I8), s(0.8), z(130)], {"group": 2}),
])
LINE, LINE_W = bytes_of(2, 7, 61, name="l"), bytes_of(33, 7, 3, name="lw", dtype=I8)
PLANE, PLANE_W = bytes_of(2, 6, 13, 11, name="p"), bytes_of(5, 6, 3, 5, name="pw", dtype=I8)
SIGNED = bytes_of(2, 6, 13, 11, name="ps", dtype=I8)
family("QLinearConv_shapes_10", 13, [
    ("dilated", "QLinearConv", [LINE, s(0.02), z(120), Const(LINE_W), s(0.03), z(0, I8), s(0.8),
                                z(130)], {"pads": [8, 0], "dilations": [4]}),
    ("strided", "QLinearConv", [PLANE, s(0.02), z(120), Const(PLANE_W), s(0.03), z(0, I8), s(2.0),
                                z(130), Const(ints(5, low=-999, high=999, dtype=I32))],
     {"pads": [1, 2, 1, 2], "strides": [2, 3]}),
    ("holes", "QLinearConv", [PLANE, s(0.02), z(9), Const(PLANE_W), s(np.linspace(0.01, 0.04, 5)),
                              Const(np.zeros(5, I8)), s(2.0), z(130)],
     {"pads": [1, 2, 1, 2], "dilations": [2, 2]}),
    ("signed", "QLinearConv", [SIGNED, s(0.02), z(-7, I8), Const(PLANE_W), s(0.03), z(0, I8),
                               s(2.0), z(3, I8)], {"pads": [1, 1, 1, 1]}),
    ("unsigned_weights", "QLinearConv", [PLANE, s(0.02), z(120), Const(bytes_of(5, 6, 3, 5)),
                                         s(0.03), z(140), s(2.0), z(130)], {"pads": [1, 1, 1, 1]}),
    ("depth", "QLinearConv", [PLANE, s(0.02), z(120), Const(bytes_of(6, 1, 3, 3, dtype=I8)),
                              s(0.03), z(0, I8), s(0.5), z(130)],
     {"group": 6, "pads": [1, 1, 1, 1]}),
    ("fed", "QLinearConv", [PLANE, s(0.02), z(120), PLANE_W, s(0.03), z(0, I8), s(2.0), z(130)],
     {}),
    ("volume", "QLinearConv", [bytes_of(1, 3, 4, 5, 6), s(0.02), z(120),
                               Const(bytes_of(4, 3, 2, 3, 2, dtype=I8)), s(0.03), z(0, I8),
                               s(2.0), z(130)], {}),
])
family("ConvInteger_shapes_10", 13, [
    ("line", "ConvInteger", [LINE, Const(bytes_of(9, 7, 3, name="w")), z(120), z(131)],
     {"pads": [2, 0], "dilations": [2], "strides": [2]}),
    ("groups", "ConvInteger", [PLANE, Const(bytes_of(8, 3, 3, 3, name="w")), z(3), z(77)],
     {"group": 2, "pads": [1, 1, 1, 1]}),
])
WA, WB = bytes_of(70, 65, name="wa"), bytes_of(65, 66, name="wb", dtype=I8)
family("QLinearMatMul_shapes_10", 13, [
    ("large", "QLinearMatMul", [WA, s(0.02), z(110), Const(WB), s(0.03), z(0, I8), s(1.9), z(120)],
     {}),
    ("signed", "QLinearMatMul", [bytes_of(70, 65, name="wc", dtype=I8), s(0.02), z(-9, I8),
                                 Const(WB), s(0.03), z(5, I8), s(1.9), z(12, I8)], {}),
    ("unsigned", "QLinearMatMul", [WA, s(0.02), z(110), Const(bytes_of(65, 66, name="wd")),
                                   s(0.03), z(131), s(1.9), z(120)], {}),
    ("batch", "QLinearMatMul", [bytes_of(3, 5, 8), s(0.02), z(110),
                                bytes_of(3, 8, 6, name="b", dtype=I8), s(0.03), z(0, I8), s(0.4),
                                z(120)], {}),
    ("fold", "QLinearMatMul", [bytes_of(2, 3, 5, 65), s(0.02), z(110), Const(WB),
                               s(np.linspace(0.01, 0.04, 66)), Const(np.zeros(66, I8)), s(1.9),
                               z(120)], {}),
])
BIAS, COLUMNS = ints(66, low=-9999, high=9999, dtype=I32), np.linspace(0.01, 0.04, 66)
family("QGemm_1", 13, [
    ("plain", "QGemm", [WA, s(0.02), z(110), Const(WB), s(0.03), z(0, I8), None, s(1.9), z(120)],
     {}),
    ("bias", "QGemm", [WA, s(0.02), z(110), Const(WB), s(COLUMNS), Const(np.zeros(66, I8)),
                       Const(BIAS), s(1.9), z(120)], {}),
    ("turned", "QGemm", [WA, s(0.02), z(110), Const(bytes_of(66, 65, dtype=I8)), s(0.03), z(0, I8),
                         Const(BIAS), s(1.9), z(120)], {"transB": 1}),
    ("alpha", "QGemm", [WA, s(0.02), z(110), Const(WB), s(0.03), z(0, I8), Const(BIAS), s(1.9),
                        z(120)], {"alpha": 0.75}),
    ("float", "QGemm", [WA, s(0.02), z(110), Const(WB), s(0.03), z(0, I8), Const(BIAS)], {}),
    ("signed", "QGemm", [bytes_of(7, 65, dtype=I8), s(0.02), z(-3, I8), Const(WB), s(0.03),
                         z(0, I8), Const(BIAS), s(1.9), z(12, I8)], {}),
])
family("MatMulIntegerToFloat_1", 13, [
    ("plain", "MatMulIntegerToFloat", [WA, Const(WB), s(0.02), s(0.03)], {}),
    ("zeros", "MatMulIntegerToFloat", [WA, Const(bytes_of(65, 66)), s(0.02), s(0.03), z(110),
                                       z(131)], {}),
    ("columns", "MatMulIntegerToFloat", [bytes_of(2, 5, 65), Const(WB), s(0.02), s(COLUMNS),
                                         z(110), Const(ints(66, low=-9, high=9, dtype=I8)),
                                         Const(f(66))], {}),
])
family("DynamicQuantizeMatMul_1", 13, [
    ("plain", "DynamicQuantizeMatMul", [f(5, 65), Const(WB), s(0.03)], {}),
    ("bias", "DynamicQuantizeMatMul", [f(2, 5, 65), Const(WB), s(COLUMNS),
                                       Const(ints(66, low=-9, high=9, dtype=I8)), Const(f(66))],
     {}),
    ("unsigned", "DynamicQuantizeMatMul", [f(65), Const(bytes_of(65, 66)), s(0.03), z(131)], {}),
])
QX, QY = bytes_of(3, 5, 7, name="qx"), bytes_of(5, 7, name="qy")
QS = bytes_of(2, 5, 6, 7, name="qs", dtype=I8)
# scales that make no ties, which each engine rounds its own way
QN = (s(0.020313), z(110)), (s(0.031711), z(91)), (s(0.043377), z(120))
QM = (s(0.020313), z(-10, I8)), (s(0.043377), z(12, I8))
family("QLinear_1", 13, [
    ("add", "QLinearAdd", [QX, *QN[0], QY, *QN[1], *QN[2]], {}),
    ("add_signed", "QLinearAdd", [QS, *QM[0], QS[:1], *QM[1], s(0.061193), z(-3, I8)], {}),
    ("mul", "QLinearMul", [QX, *QN[0], QY, *QN[1], *QN[2]], {}),
    ("sigmoid", "QLinearSigmoid", [QX, *QN[0], s(1 / 256), z(0)], {}),
    ("sigmoid_signed", "QLinearSigmoid", [QS, *QM[0], s(1 / 256), z(-128, I8)], {}),
    ("leaky", "QLinearLeakyRelu", [QS, *QM[0], *QM[1]], {"alpha": 0.1}),
    ("concat", "QLinearConcat", [*QN[2], QX, *QN[0], QX[:, :2], *QN[1]], {"axis": 1}),
    ("mean", "QLinearGlobalAveragePool", [QS, *QM[0], *QM[1]], {}),
    ("pool", "QLinearAveragePool", [QS, *QM[0], *QM[1]],
     {"kernel_shape": [2, 3], "pads": [1, 1, 0, 1], "strides": [1, 2]}),
    ("softmax", "QLinearSoftmax", [QX, *QN[0], s(1 / 256), z(0)], {"axis": -1, "opset": 13}),
])
family("CDist_1", 13, [
    ("squares", "CDist", [f(7, 5), f(70, 5, name="b")], {}),
    ("roots", "CDist", [f(3, 9), Const(f(11, 9, name="b"))], {"metric": "euclidean"}),
    ("f64", "CDist", [f(4, 6).astype(np.float64), f(9, 6, name="b").astype(np.float64)],
     {"metric": "euclidean"}),
])
family("Bitwise_18", 18, [
    (f"{op.lower()}_{np.dtype(dtype).name}", f"Bitwise{op}",
     [bytes_of(3, 4).astype(dtype), Const(bytes_of(4, name="b").astype(dtype))], {})
    for op in ("And", "Or", "Xor") for dtype in (I8, U8, I16, U16, I32, np.uint32, np.int64)
] + [(f"not_{np.dtype(dtype).name}", "BitwiseNot", [bytes_of(3, 4).astype(dtype)], {})
     for dtype in (I8, U8, I16, np.uint64)
] + [(f"{way.lower()}_{np.dtype(dtype).name}", "BitShift",
      [bytes_of(3, 4).astype(dtype), Const(np.array([0, 1, 5, 7], dtype))], {"direction": way})
     for way in ("LEFT", "RIGHT") for dtype in (U8, np.uint32, np.uint64)
])
