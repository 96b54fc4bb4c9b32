# SPDX-License-Identifier: Apache-2.0
"""Networks quantised to 8 bits by onnxruntime.quantization: weights alone (dynamic), and activations
too, in the QOperator and the QDQ form."""
import logging
import pathlib
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType,
                                      quantize_dynamic, quantize_static)
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from . import SEED, Feed, Model, add
from .torch_series import Encoder, cnn2d, export, mlp, recurrent, settled, window

PLAIN = {"encoder_pairs"}  # the runs with and without the optimiser lie up to 0.1 apart
QUANTA = "what lies between two quanta goes to either, by the last place of a float"


class Rows(CalibrationDataReader):
    def __init__(self, feed):
        rng = np.random.default_rng(SEED)
        shape = [8 if d == "n" else d for d in feed.shape]
        self.sets = iter([{feed.name: rng.standard_normal(shape).astype("f4")} for _ in range(6)])

    def get_next(self):
        return next(self.sets, None)


def quantised(net, feed, static, pre, kwargs):
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        source, target = (str(pathlib.Path(folder) / n) for n in ("f.onnx", "q.onnx"))
        onnx.save(export(net, [feed], False, None), source)
        if pre:
            quant_pre_process(source, source)
        if static:
            quantize_static(source, target, Rows(feed), **kwargs)
        else:
            quantize_dynamic(source, target, **kwargs)
        return onnx.load(target)


def cnn1d():
    return settled(nn.Sequential(
        nn.Conv1d(8, 24, 5, padding=2), nn.BatchNorm1d(24), nn.ReLU(), nn.Conv1d(24, 33, 3, dilation=2),
        nn.LeakyReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(33, 3)))


SIGNED = {"weight_type": QuantType.QInt8}
UNSIGNED = {"weight_type": QuantType.QUInt8}
COLUMNS = {"per_channel": True}
OPERATORS = {"quant_format": QuantFormat.QOperator}
SIGNED_X = {"activation_type": QuantType.QInt8}
UNSIGNED_X = {"activation_type": QuantType.QUInt8}


def put(name, net, feed, forms, pre=True):
    """forms: rows of (tag, static, options, bound)."""
    for tag, static, options, bound in forms:
        add(Model(f"quantised_{name}_{tag}", "quantised",
                  lambda s=static, o=options: quantised(net, feed, s, pre, o), [feed],
                  bound=bound, reason=QUANTA if bound > 1e-5 else "", alone=static,
                  plain=f"{name}_{tag}" in PLAIN))


put("mlp", lambda: mlp(64, 256, 256, 3, act=nn.Sigmoid), Feed("x", ["n", 64]), [
    ("dynamic", False, SIGNED, 0.02), ("dynamic_u8", False, UNSIGNED, 0.02),
    ("dynamic_columns", False, SIGNED | COLUMNS, 0.02), ("operators", True, OPERATORS, 0.02),
    ("operators_u8", True, OPERATORS | UNSIGNED_X, 0.02), ("pairs", True, {}, 0.02),
    ("pairs_columns", True, COLUMNS | UNSIGNED_X, 0.02)])
put("lstm", lambda: recurrent("lstm", 16, 64), window(32, 16), [
    ("dynamic", False, SIGNED, 0.05), ("dynamic_u8", False, UNSIGNED, 0.05),
    ("operators", True, OPERATORS, 0.02), ("pairs", True, {}, 0.02)])
put("cnn1d", cnn1d, Feed("x", ["n", 8, 48]), [
    ("dynamic_u8", False, UNSIGNED, 0.02), ("operators", True, OPERATORS, 0.02),
    ("operators_columns", True, OPERATORS | COLUMNS | SIGNED_X, 0.02), ("pairs", True, {}, 0.02),
    ("pairs_columns", True, COLUMNS | UNSIGNED_X, 0.02)])
put("cnn2d", cnn2d, Feed("x", ["n", 3, 24, 24]), [
    ("dynamic_u8", False, UNSIGNED, 0.02), ("operators", True, OPERATORS, 0.02),
    ("pairs", True, {}, 0.02)])
put("encoder", lambda: Encoder(), window(24, 8), [
    ("dynamic", False, SIGNED, 0.05), ("operators", True, OPERATORS, 0.1),
    ("pairs", True, {}, 0.1)], pre=False)
