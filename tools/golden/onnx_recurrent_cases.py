# SPDX-License-Identifier: Apache-2.0
"""Rows of tests/golden/onnx_op for recurrent layers with every attribute, by our own oracle. Where
ONNX Runtime can run a case, it must agree with the oracle when the folder is made."""
import tempfile

import numpy as np
import onnx

from onnx_files import save
from onnx_op_cases import f
from onnx_ops import TABLE, Const, Outputs, build, family
from recurrent_oracle import DEFAULTS, GATES, answers


def case(op, name, dtype=np.float32, fed=False, t=6, b=3, i=4, h=5, dirs=1, **attrs):
    """Keywords lens, h0, c0, peep, bias are inputs; the rest are attributes."""
    lens, h0, c0, peep, bias = (attrs.pop(k, None) for k in ("lens", "h0", "c0", "peep", "bias"))
    layout, keep = attrs.get("layout", 0), attrs.pop("keep", None)
    key, gates = op + name, GATES[op]

    def state(tag):
        made = f(dirs, b, h, name=key + tag).astype(dtype)
        return made.swapaxes(0, 1).copy() if layout else made

    def weights(tag, *shape):
        made = f(*shape, name=key + tag, scale=0.6).astype(dtype)
        return made if fed else Const(made)

    x = f(t, b, i, name=key + "x").astype(dtype)
    args = [x.transpose(1, 0, 2).copy() if layout else x, weights("w", dirs, gates * h, i),
            weights("r", dirs, gates * h, h),
            None if bias is False else weights("b", dirs, 2 * gates * h),
            None if lens is None else np.array(lens, np.int32), state("h0") if h0 else None]
    if op == "LSTM":
        args += [state("c0") if c0 else None, weights("p", dirs, 3 * h) if peep else None]
    while args[-1] is None:
        args.pop()
    attrs = {k: v for k, v in attrs.items() if v != []}
    if dirs == 2:
        attrs["direction"] = "bidirectional"
    if not attrs.pop("sizeless", False):
        attrs["hidden_size"] = h
    n_out = 3 if op == "LSTM" else 2
    skip = tuple(k for k in range(n_out) if keep is not None and k not in keep)
    return (name, op, args, attrs, Outputs(n_out, skip))


CUSTOM = {
    "affine": (["Affine"], [0.7], [0.1]), "leaky": (["LeakyRelu"], [0.2], []),
    "threshold": (["ThresholdedRelu"], [0.3], []), "scaled": (["ScaledTanh"], [1.2], [0.8]),
    "hard": (["HardSigmoid"], [0.3], [0.4]), "elu": (["Elu"], [0.5], []),
    "softsign": (["Softsign"], [], []), "softplus": (["Softplus"], [], []),
    "relu": (["Relu"], [], []), "hard_default": (["HardSigmoid"], [], []),
}


def attributes(op):
    """What ONNX Runtime can answer as well."""
    rows = [case(op, "clip", clip=0.4, h0=True),
            case(op, "reverse_lens", direction="reverse", lens=[6, 2, 4], h0=True),
            case(op, "both_lens", dirs=2, lens=[1, 6, 3], h0=True, clip=0.9),
            case(op, "no_bias_clip", bias=False, clip=0.3)]
    for name, (acts, alpha, beta) in CUSTOM.items():
        own = {"LSTM": acts + ["Tanh", "Tanh"], "RNN": acts,
               "GRU": ["Sigmoid"] + acts}[op]  # an unbounded z makes states of 1e12
        rows.append(case(op, name, activations=own, activation_alpha=alpha,
                         activation_beta=beta, h0=True))
    two = {"LSTM": ["HardSigmoid", "Elu", "ScaledTanh", "Sigmoid", "LeakyRelu", "Affine"],
           "GRU": ["HardSigmoid", "Elu", "Sigmoid", "ScaledTanh"], "RNN": ["Elu", "Affine"]}[op]
    alphas = {"LSTM": [0.3, 0.5, 0.9, 0.2, 0.8], "GRU": [0.3, 0.5, 0.9], "RNN": [0.5, 0.8]}[op]
    betas = {"LSTM": [0.4, 0.7, 0.1], "GRU": [0.4, 0.7], "RNN": [0.1]}[op]
    rows.append(case(op, "both_custom", dirs=2, activations=two, activation_alpha=alphas,
                     activation_beta=betas))
    if op == "LSTM":
        rows += [case(op, "peep", peep=True, h0=True, c0=True),
                 case(op, "peep_clip", peep=True, c0=True, clip=0.3),
                 case(op, "input_forget", input_forget=1, c0=True),
                 case(op, "input_forget_peep", input_forget=1, peep=True, dirs=2),
                 case(op, "peep_lens", peep=True, dirs=2, lens=[2, 6, 5], c0=True)]
    if op == "GRU":
        rows += [case(op, "after", linear_before_reset=1, h0=True),
                 case(op, "after_clip", linear_before_reset=1, clip=0.3, dirs=2),
                 case(op, "after_hard", linear_before_reset=1, lens=[3, 1, 6],
                      activations=["HardSigmoid", "Softsign"])]
    return rows


def layouts(op):
    """What is the oracle's alone: layout 1, rows of no steps, float64, weights that are inputs."""
    more = {"LSTM": dict(c0=True), "GRU": dict(linear_before_reset=1), "RNN": {}}[op]
    rows = [case(op, "layout", layout=1, h0=True), case(op, "sizeless", sizeless=True),
            case(op, "layout_both", layout=1, dirs=2, **more),
            case(op, "layout_lens", layout=1, lens=[3, 6, 0], h0=True, dirs=2),
            case(op, "layout_clip", layout=1, clip=0.4, direction="reverse"),
            case(op, "empty_row", lens=[0, 6, 2], h0=True, **more),
            case(op, "empty_custom", lens=[0, 0, 2], h0=True, clip=0.5),
            case(op, "fed", fed=True, h0=True, **more), case(op, "fed_both", fed=True, dirs=2),
            case(op, "fed_layout", fed=True, layout=1, lens=[4, 0, 6], h0=True),
            case(op, "fed_clip", fed=True, clip=0.4, bias=False, keep=(1,)),
            case(op, "fed_reverse", fed=True, direction="reverse", lens=[1, 5, 6])]
    if op == "LSTM":
        rows.append(case(op, "fed_peep", fed=True, peep=True, input_forget=1, clip=0.7))
    if op == "GRU":
        rows.append(case(op, "fed_before", fed=True))
    return rows


def doubles(op):
    kinds = dict(dtype=np.float64)
    rows = [case(op, "plain", **kinds), case(op, "both", dirs=2, lens=[6, 1, 3], h0=True, **kinds),
            case(op, "reverse", direction="reverse", h0=True, **kinds),
            case(op, "layout", layout=1, h0=True, clip=0.5, **kinds),
            case(op, "fed", fed=True, **kinds),
            case(op, "custom", activations=["Softplus"] + DEFAULTS[op][1:], **kinds)]
    if op == "LSTM":
        rows.append(case(op, "peep", peep=True, c0=True, input_forget=1, **kinds))
    if op == "GRU":
        rows.append(case(op, "after", linear_before_reset=1, **kinds))
    return rows


def old(op):
    """As before opset 7, with an attribute that only says whether Y is read."""
    more = {"LSTM": dict(c0=True, peep=True), "GRU": dict(linear_before_reset=1), "RNN": {}}[op]
    return [case(op, "sequence", output_sequence=1), case(op, "last", keep=(1,), h0=True, **more),
            case(op, "both", dirs=2, lens=[4, 6, 1], output_sequence=1)]


for _op in ("LSTM", "GRU", "RNN"):
    family(f"{_op}_3", 3, old(_op), oracle=answers)
    family(f"{_op}_attributes_14", 14, attributes(_op), oracle=answers, agrees=True,
           atol=1e-5)  # gates without bounds multiply what is rounded
    family(f"{_op}_layouts_14", 14, layouts(_op), oracle=answers)
    family(f"{_op}_f64_14", 14, doubles(_op), oracle=answers)


def dynamic():
    """ONNX Runtime's quantiser over layers of float weights, and its answers."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    rows = [case("LSTM", "q_plain", t=7, b=1, i=12, h=16),
            case("LSTM", "q_both", t=5, b=3, i=6, h=9, dirs=2, h0=True, c0=True),
            case("LSTM", "q_reverse", t=5, b=2, i=6, h=9, direction="reverse", bias=False)]
    model, feeds = build(17, rows, None, False, False)
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/a.onnx", f"{folder}/b.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8)
        made = onnx.load(target)
    for kind in sorted({n.op_type for n in made.graph.node}):
        assert kind == "DynamicQuantizeLSTM", kind
    save("onnx_op", "DynamicQuantizeLSTM_1", made, feeds, optimise=False,
         what="LSTM by onnxruntime.quantization.quantize_dynamic, 3 cases")


TABLE["DynamicQuantizeLSTM_1"] = dynamic
