# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/golden/onnx_op: the losses and updates that training graphs hold."""
import numpy as np

from onnx_op_cases import f, ints
from onnx_ops import Outputs, family

SHAPES = {"nc": (7, 5), "ncd": (3, 5, 4), "ncdd": (2, 5, 3, 2)}


def rows(op, outputs=(1,)):
    for name, (n, c, *d) in SHAPES.items():
        x, target = f(n, c, *d, name=name), ints(n, *d, low=0, high=c, name=name)
        weights = np.linspace(0.5, 2.0, c).astype(np.float32)
        for reduction in ("none", "mean", "sum"):
            for count in outputs:
                yield (f"{name}_{reduction}_{count}", op, [x, target], {"reduction": reduction},
                       Outputs(count))
        yield (f"{name}_weights", op, [x, target, weights], {})
        yield (f"{name}_ignored", op, [x, target, weights], {"ignore_index": 2})
    yield ("i32", op, [x, target.astype(np.int32)], {"ignore_index": 1, "reduction": "sum"})
    yield ("f64", op, [x.astype(np.float64), target], {})


family("NegativeLogLikelihoodLoss_13", 13, list(rows("NegativeLogLikelihoodLoss")))
family("SoftmaxCrossEntropyLoss_13", 13, list(rows("SoftmaxCrossEntropyLoss", (1, 2))))


def update(op, kept, n=1, t=3, **attrs):
    tensors = [f(4 + k, 3, name=f"{op}{part}{k}") for part in range(2 + kept) for k in range(n)]
    if op != "Momentum":  # accumulated squares
        tensors[-n:] = [np.abs(x) for x in tensors[-n:]]
    return (f"{op.lower()}_{n}_{t}_{len(attrs)}", op,
            [np.float32(0.1), np.int64(t), *tensors], attrs, Outputs(n * (1 + kept)))


SOME = dict(norm_coefficient=0.01, alpha=0.9, beta=0.99)
family("Optimisers_1", 21, [
    update("Adagrad", 1, t=0, decay_factor=0.1, epsilon=1e-5, norm_coefficient=0.01),
    update("Adagrad", 1, n=2, decay_factor=0.1),
    update("Adam", 2, t=0), update("Adam", 2, **SOME), update("Adam", 2, n=2, norm_coefficient_post=0.02),
    update("Momentum", 1, t=0, mode="standard", **SOME),
    update("Momentum", 1, n=2, mode="standard", **SOME),
    update("Momentum", 1, mode="nesterov", **dict(SOME, beta=0.5, alpha=0.7)),
], reference=True)
