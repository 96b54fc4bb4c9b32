# SPDX-License-Identifier: Apache-2.0
"""More rows of tests/golden/onnx_op: element types that not every operator takes."""
import ml_dtypes
import numpy as np
from onnx import TensorProto

from onnx_op_cases import INF, NAN, f, f32, i64
from onnx_ops import Const, family

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
