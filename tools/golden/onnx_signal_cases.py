# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op for signals, and for boxes and moved taps in planes."""
import numpy as np

from onnx_op_cases import f, f32, i64, pos
from onnx_ops import Const, family


def real(*shape):
    return f(*shape, 1)


def pairs(*shape):
    return f(*shape, 2)


LENGTHS = (1, 2, 3, 5, 8, 12, 17, 64, 100)
family("DFT_20", 20, [
    (f"real_{n}", "DFT", [real(2, n)], {}) for n in LENGTHS
] + [
    (f"complex_{n}", "DFT", [pairs(2, n)], {}) for n in LENGTHS
] + [
    (f"inverse_{n}", "DFT", [pairs(2, n)], {"inverse": 1}) for n in LENGTHS
] + [
    (f"onesided_{n}", "DFT", [real(2, n)], {"onesided": 1}) for n in LENGTHS
] + [
    ("axis", "DFT", [pairs(2, 6, 4), None, Const(np.int64(1))], {}),
    ("cut", "DFT", [real(2, 9), Const(np.int64(6))], {}),
    ("filled", "DFT", [real(2, 9), Const(np.int64(20))], {"onesided": 1}),
    ("f64", "DFT", [pairs(3, 15).astype(np.float64)], {}),
], reference=True, atol=2e-5)
family("DFT_irfft_20", 20, [
    (f"back_{n}", "DFT", [pairs(2, n // 2 + 1), Const(np.int64(n))],
     {"inverse": 1, "onesided": 1}) for n in (2, 3, 5, 8, 12, 17)
] + [("even", "DFT", [pairs(2, 5)], {"inverse": 1, "onesided": 1})], reference=True)
family("DFT_17", 17, [
    ("plain", "DFT", [real(2, 10, 3)], {}), ("axis", "DFT", [pairs(2, 3, 16)], {"axis": 2}),
    ("inverse", "DFT", [pairs(2, 7)], {"inverse": 1}),
    ("onesided", "DFT", [real(2, 7)], {"onesided": 1}),
], atol=2e-5)  # ONNX Runtime sums in float32: it is 6e-6 off the double transform, we 2e-7
HANN = (np.hanning(17)[:16]).astype(np.float32)
family("STFT_17", 17, [
    ("window", "STFT", [real(2, 64), Const(np.int64(8)), Const(HANN)], {}),
    ("both", "STFT", [real(1, 50), Const(np.int64(5)), Const(HANN), Const(np.int64(16))],
     {"onesided": 0}),
    ("bare", "STFT", [real(1, 50), Const(np.int64(7)), None, Const(np.int64(12))], {}),
], atol=2e-5)  # as DFT_17
SIZES = [(n, p) for n in (1, 2, 9, 10) for p in (0, 1) if n > 1 or p]
family("Windows_17", 17, [
    (f"{op.lower()}_{n}_{p}", f"{op}Window", [Const(np.int64(n))], {"periodic": p})
    for op in ("Hann", "Hamming", "Blackman") for n, p in SIZES
] + [("f64", "HannWindow", [Const(np.int64(6))], {"output_datatype": 11})])
family("MelWeightMatrix_17", 17, [
    ("plain", "MelWeightMatrix", [Const(np.int64(8)), Const(np.int64(16)), Const(np.int64(8192)),
                                  Const(f32(0.0)), Const(f32(4096.0))], {}),
    ("wide", "MelWeightMatrix", [Const(np.int64(20)), Const(np.int64(512)), Const(np.int64(16000)),
                                 f32(125.0), f32(7500.0)], {}),
])
PLANE = f(2, 3, 9, 11)
ROIS = f32([[0, 0, 9, 9], [1.5, 2.2, 6.1, 8.4], [4, 4, 4, 4], [-3, -2, 20, 15]])
OF = i64(0, 1, 1, 0)
family("RoiAlign_16", 16, [
    ("plain", "RoiAlign", [PLANE, ROIS, OF], {"output_height": 3, "output_width": 4}),
    ("sampled", "RoiAlign", [PLANE, ROIS, OF],
     {"output_height": 2, "output_width": 2, "sampling_ratio": 2, "spatial_scale": 0.5}),
    ("old_corner", "RoiAlign", [PLANE, ROIS, OF],
     {"output_height": 2, "output_width": 3,
      "coordinate_transformation_mode": "output_half_pixel"}),
    ("max", "RoiAlign", [PLANE, ROIS[:2], OF[:2]], {"output_height": 2, "output_width": 3,
                                                    "mode": "max", "sampling_ratio": 2}),
], reference=True)
family("RoiAlign_10", 10, [
    ("plain", "RoiAlign", [PLANE, ROIS, OF], {"output_height": 3, "output_width": 4}),
])
BOXES = np.concatenate([f32([[0], [1], [1], [0]]), ROIS], 1)
family("MaxRoiPool_1", 13, [
    ("plain", "MaxRoiPool", [PLANE, BOXES[:3]], {"pooled_shape": [2, 3]}),
    ("scaled", "MaxRoiPool", [PLANE, BOXES[:3]], {"pooled_shape": [3, 2], "spatial_scale": 0.6}),
])
family("DeformConv_19", 19, [
    ("plain", "DeformConv", [f(1, 2, 5, 6), Const(f(3, 2, 2, 2, name="w")),
                             f(1, 8, 4, 5, name="offset")], {}),
    ("mask", "DeformConv", [f(2, 4, 6, 6), Const(f(4, 2, 3, 3, name="w")),
                            f(2, 36, 3, 3, name="offset"), f(4, name="b"),
                            pos(2, 18, 3, 3, name="mask")],
     {"group": 2, "offset_group": 2, "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ("dilated", "DeformConv", [f(1, 1, 7, 7), f(1, 1, 2, 3, name="w"),
                               f(1, 12, 5, 3, name="offset")], {"dilations": [2, 2]}),
], reference=True)
