# SPDX-License-Identifier: Apache-2.0
"""The rows of tests/golden/onnx_op that read windows: pools, convolutions, and resampling."""
import numpy as np

from onnx_op_cases import f, f32, i64, ints
from onnx_ops import Const, Outputs, family

PLANE = f(2, 3, 7, 8)
family("MaxPool_12", 12, [
    ("u8", "MaxPool", [ints(1, 2, 5, 5, low=0, high=255, dtype=np.uint8)],
     {"kernel_shape": [2, 2]}),
    ("i8", "MaxPool", [ints(1, 2, 5, 5, low=-128, high=127, dtype=np.int8)],
     {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}),
    ("f64", "MaxPool", [PLANE.astype(np.float64)], {"kernel_shape": [3, 3]}, Outputs(2)),
    ("column_major", "MaxPool", [PLANE], {"kernel_shape": [2, 3], "storage_order": 1}, Outputs(2)),
    ("volume", "MaxPool", [f(1, 2, 4, 5, 6)],
     {"kernel_shape": [2, 2, 3], "dilations": [1, 2, 1], "ceil_mode": 1, "strides": [2, 2, 2]}),
])
family("LpPool_18", 18, [
    ("l2", "LpPool", [PLANE], {"kernel_shape": [2, 3]}),
    ("l1", "LpPool", [PLANE], {"kernel_shape": [3, 3], "p": 1, "strides": [2, 2]}),
    ("l3", "LpPool", [PLANE], {"kernel_shape": [3, 3], "p": 3, "pads": [1, 1, 1, 1]}),
    ("global", "GlobalLpPool", [PLANE], {}),
    ("global_3", "GlobalLpPool", [f(2, 3, 9)], {"p": 3}),
])
family("AveragePool_19", 19, [
    ("dilated", "AveragePool", [PLANE], {"kernel_shape": [2, 3], "dilations": [2, 2]}),
    ("counted", "AveragePool", [PLANE], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1],
                                         "strides": [2, 2], "count_include_pad": 1}),
    ("same", "AveragePool", [PLANE], {"kernel_shape": [3, 4], "auto_pad": "SAME_LOWER"}),
])
POOLED, AT = f32([[[[5, 6], [7, 8]]]]), i64(5, 7, 13, 15).reshape(1, 1, 2, 2)
family("MaxUnpool_11", 11, [
    ("plain", "MaxUnpool", [POOLED, AT], {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("line", "MaxUnpool", [f(2, 1, 3), i64(0, 3, 5, 7, 8, 11).reshape(2, 1, 3)],
     {"kernel_shape": [2], "strides": [2]}),
])
family("MaxUnpool_reference_11", 11, [
    ("larger", "MaxUnpool", [POOLED, AT, Const(i64(1, 1, 5, 6))],
     {"kernel_shape": [2, 2], "strides": [2, 2]}),
], reference=True)
W = Const(f(3, 4, 3, 2, name="w"))
family("ConvTranspose_11", 11, [
    ("plain", "ConvTranspose", [PLANE, W], {}),
    ("bias", "ConvTranspose", [PLANE, W, f(4, name="b")], {"strides": [2, 3]}),
    ("pads", "ConvTranspose", [PLANE, W], {"strides": [2, 2], "pads": [1, 0, 2, 1],
                                           "output_padding": [1, 0]}),
    ("dilated", "ConvTranspose", [PLANE, f(3, 2, 2, 2, name="w")], {"dilations": [2, 3]}),
    ("shape", "ConvTranspose", [PLANE, W], {"strides": [2, 2], "output_shape": [14, 15]}),
    ("same", "ConvTranspose", [PLANE, W], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("lower", "ConvTranspose", [PLANE, W], {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    ("groups", "ConvTranspose", [f(2, 6, 5, 4), Const(f(6, 2, 3, 3, name="w")), f(6, name="b")],
     {"group": 3, "strides": [2, 1]}),
    ("line", "ConvTranspose", [f(2, 3, 70), f(3, 5, 4, name="w")], {"strides": [2]}),
    ("volume", "ConvTranspose", [f(1, 2, 3, 4, 3), Const(f(2, 3, 2, 2, 2, name="w"))],
     {"strides": [1, 2, 2]}),
])
family("ConvTranspose_reference_22", 22, [
    ("f64", "ConvTranspose", [PLANE.astype(np.float64), f(3, 4, 3, 2, name="w").astype(np.float64)],
     {"strides": [2, 1]}),
], reference=True)
COLUMNS = f(2, 12, 20)
family("Col2Im_18", 18, [
    ("plain", "Col2Im", [COLUMNS, Const(i64(5, 6)), Const(i64(2, 2))], {}),
    ("strides", "Col2Im", [f(1, 4, 6), Const(i64(5, 7)), Const(i64(2, 2))], {"strides": [3, 2]}),
    ("pads", "Col2Im", [f(1, 9, 12), Const(i64(4, 4)), Const(i64(3, 3))],
     {"pads": [1, 0, 0, 2]}),
    ("dilations", "Col2Im", [f(1, 4, 12), Const(i64(5, 5)), Const(i64(2, 2))],
     {"dilations": [2, 1]}),
])

# resampling ---------------------------------------------------------------------------------------

IMAGE = f(1, 2, 5, 6)


def scaled(*scales):
    return [IMAGE, None, Const(f32(scales))]


def sized(*sizes):
    return [IMAGE, None, None, Const(i64(*sizes))]


UP, DOWN = scaled(1, 1, 2.5, 1.5), scaled(1, 1, 0.6, 0.8)
family("Resize_19", 19, [
    (f"{mode}_{name}_{c}", "Resize", x, {"mode": mode, "coordinate_transformation_mode": c})
    for mode in ("linear", "cubic", "nearest") for name, x in (("up", UP), ("down", DOWN))
    for c in ("half_pixel", "pytorch_half_pixel", "asymmetric", "half_pixel_symmetric")
] + [
    (f"nearest_{n}", "Resize", sized(1, 2, 8, 7), {"mode": "nearest", "nearest_mode": n})
    for n in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
] + [
    ("corners", "Resize", sized(1, 2, 9, 4),
     {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    ("corners_cubic", "Resize", sized(1, 2, 9, 4),
     {"mode": "cubic", "coordinate_transformation_mode": "align_corners"}),
    ("exclude", "Resize", sized(1, 2, 9, 4), {"mode": "cubic", "exclude_outside": 1,
                                              "cubic_coeff_a": -0.5}),
    ("antialias", "Resize", sized(1, 2, 3, 2), {"mode": "linear", "antialias": 1}),
    ("antialias_cubic", "Resize", sized(1, 2, 2, 3), {"mode": "cubic", "antialias": 1}),
    ("axes", "Resize", sized(4, 9), {"mode": "linear", "axes": [3, 2]}),
    ("not_larger", "Resize", sized(8, 20), {"mode": "linear", "axes": [2, 3],
                                            "keep_aspect_ratio_policy": "not_larger"}),
    ("not_smaller", "Resize", sized(8, 20), {"mode": "nearest", "axes": [2, 3],
                                             "keep_aspect_ratio_policy": "not_smaller"}),
    ("crop", "Resize", [IMAGE, Const(f32([0, 0, 0.4, 0.6, 1, 1, 0.6, 0.8])), None,
                        Const(i64(1, 2, 3, 3))],
     {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize"}),
    ("crop_beyond", "Resize", [IMAGE, Const(f32([0, 0, 0.4, 0.6, 1, 1, 1.2, 1.7])), None,
                               Const(i64(1, 2, 3, 3))],
     {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize",
      "extrapolation_value": 10.0}),
], reference=True)
family("Resize_13", 13, [
    ("linear", "Resize", sized(1, 2, 8, 9), {"mode": "linear"}),
    ("nearest", "Resize", scaled(1, 1, 2, 3), {"mode": "nearest"}),
    ("cubic", "Resize", sized(1, 2, 8, 9), {"mode": "cubic"}),
    ("u8", "Resize", [ints(1, 1, 2, 2, low=0, high=255, dtype=np.uint8), None,
                      Const(f32([1, 1, 2, 2]))], {"mode": "nearest"}),
    ("i32", "Resize", [ints(1, 1, 2, 2, dtype=np.int32), None, Const(f32([1, 1, 2, 2]))],
     {"mode": "nearest"}),
])
family("Resize_nearest_19", 19, [  # scales whose ties depend on the rounding of coordinates
    (f"{c}_{k}", "Resize", scaled(1, 1, *s), {"mode": "nearest", "nearest_mode": n,
                                              "coordinate_transformation_mode": c})
    for k, (s, n) in enumerate((((1.5, 1.3), "round_prefer_floor"), ((1.7, 1.4), "floor"),
                                ((0.7, 2.2), "ceil"), ((0.21, 0.9), "round_prefer_ceil")))
    for c in ("half_pixel", "asymmetric", "pytorch_half_pixel")])
family("Resize_10", 10, [
    ("nearest", "Resize", [IMAGE, Const(f32([1, 1, 2, 3]))], {"mode": "nearest"}),
    ("linear", "Resize", [IMAGE, Const(f32([1, 1, 2, 3]))], {"mode": "linear"}),
])
family("Upsample_9", 9, [
    ("nearest", "Upsample", [IMAGE, Const(f32([1, 1, 2, 3]))], {"mode": "nearest"}),
    ("linear", "Upsample", [IMAGE, Const(f32([1, 1, 2, 2]))], {"mode": "linear"}),
])
family("Upsample_7", 7, [
    ("nearest", "Upsample", [IMAGE], {"mode": "nearest", "scales": [1.0, 1.0, 2.0, 2.0]}),
])
GRID = np.clip(f(1, 4, 3, 2, name="grid", scale=0.8), -1.7, 1.7)
VOLUME, GRID3 = f(1, 2, 3, 4, 5), f(1, 2, 3, 2, 3, name="grid", scale=0.7)
family("GridSample_16", 16, [
    (f"{mode}_{padding}_{corners}", "GridSample", [IMAGE, GRID],
     {"mode": mode, "padding_mode": padding, "align_corners": corners})
    for mode in ("bilinear", "nearest", "bicubic") for padding in ("zeros", "border", "reflection")
    for corners in (0, 1) if (mode, padding) != ("bicubic", "border")])
family("GridSample_reference_20", 20, [  # ONNX Runtime moves x where only y is outside
    (f"cubic_border_{corners}", "GridSample", [IMAGE, GRID],
     {"mode": "cubic", "padding_mode": "border", "align_corners": corners})
    for corners in (0, 1)
], reference=True)
family("GridSample_20", 20, [
    ("linear", "GridSample", [VOLUME, GRID3], {}),
    ("nearest", "GridSample", [VOLUME, GRID3], {"mode": "nearest", "padding_mode": "border"}),
    ("reflection", "GridSample", [VOLUME, GRID3], {"padding_mode": "reflection"}),
])
THETA = f(2, 2, 3)
family("AffineGrid_20", 20, [
    ("plain", "AffineGrid", [THETA, Const(i64(2, 3, 4, 5))], {}),
    ("corners", "AffineGrid", [THETA, Const(i64(2, 3, 4, 5))], {"align_corners": 1}),
    ("volume", "AffineGrid", [f(1, 3, 4), Const(i64(1, 1, 2, 3, 4))], {}),
], reference=True)
