# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/onnx_op: one small model per operator family and opset.

    python tools/golden/onnx_ops.py          all of them
    python tools/golden/onnx_ops.py Gather   those whose name begins so

A model holds independent nodes, one per edge case; the graph's inputs are CASE.0, CASE.1, ...
and its outputs CASE (or CASE.y0, CASE.y1 where a node has several). The cases are in the files
*_cases.py, one call per folder. Packages: see tools/golden/requirements.txt.
"""
import importlib
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_files import save

SEED = 7
TABLE = {}


class Const:
    """An input that stands in the model as an initializer: raw bytes, or the typed list."""

    def __init__(self, value, listed=False):
        self.value, self.listed = np.asarray(value), listed

    def proto(self, name):
        if not self.listed:
            return numpy_helper.from_array(self.value, name)
        kind = tensor_type(self.value)
        return helper.make_tensor(name, kind, self.value.shape, self.value.ravel().tolist())


class Outputs:
    """Names how many outputs a case has, and which of them are left out (empty name)."""

    def __init__(self, count, skip=()):
        self.count, self.skip = count, skip


def rng(name):
    return np.random.default_rng([SEED] + list(name.encode()))


def tensor_type(array):
    if array.dtype.kind in "UO":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def build(opset, cases, ml, dynamic, reference):
    nodes, inputs, outputs, inits, feeds = [], [], [], [], {}
    for name, op_type, args, attrs, *rest in cases:
        made = rest[0] if rest else Outputs(1)
        names = []
        for i, arg in enumerate(args):
            label = f"{name}.{i}"
            if arg is None:
                names.append("")
                continue
            names.append(label)
            if isinstance(arg, Const):
                inits.append(arg.proto(label))
                continue
            arg = np.asarray(arg)
            dims = [f"{label}.d{k}" for k in range(arg.ndim)] if dynamic else arg.shape
            inputs.append(helper.make_tensor_value_info(label, tensor_type(arg), dims))
            feeds[label] = arg
        wanted = [name] if made.count == 1 else [f"{name}.y{k}" for k in range(made.count)]
        wanted = ["" if k in made.skip else w for k, w in enumerate(wanted)]
        domain = DOMAINS.get(op_type, "ai.onnx.ml" if op_type in ML_OPS else "")
        nodes.append(helper.make_node(op_type, names, wanted, name=name, domain=domain, **attrs))
        outputs += [helper.make_empty_tensor_value_info(w) for w in wanted if w]
    graph = helper.make_graph(nodes, "cases", inputs, outputs, inits)
    imports = [helper.make_opsetid("", opset)]
    if ml:
        imports.append(helper.make_opsetid("ai.onnx.ml", ml))
    imports += [helper.make_opsetid(DOMAINS[c[1]], 1) for c in cases[:1] if c[1] in DOMAINS]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    model.producer_name = "onnx.helper"
    return typed(model, ml, reference), feeds


def typed(model, ml, reference):
    """Gives the graph's outputs their types, which the peer insists on."""
    import onnxruntime as ort
    inferred = {}
    if not ml:
        whole = onnx.shape_inference.infer_shapes(model)
        inferred = {v.name: v.type for v in whole.graph.output if v.type.WhichOneof("value")}
    for value in model.graph.output:
        if value.name in inferred:
            value.type.CopyFrom(inferred[value.name])
    if any(not v.type.WhichOneof("value") for v in model.graph.output) and not reference:
        options = ort.SessionOptions()
        options.log_severity_level = 4
        bare = ort.InferenceSession(model.SerializeToString(), options,
                                    providers=["CPUExecutionProvider"])
        kinds = {o.name: o for o in bare.get_outputs()}
        for value in model.graph.output:
            if not value.type.WhichOneof("value"):
                value.type.CopyFrom(peer_type(kinds[value.name]))
    return model


def peer_type(output):
    names = {"tensor(float)": TensorProto.FLOAT, "tensor(double)": TensorProto.DOUBLE,
             "tensor(int64)": TensorProto.INT64, "tensor(int32)": TensorProto.INT32,
             "tensor(int16)": TensorProto.INT16, "tensor(int8)": TensorProto.INT8,
             "tensor(uint8)": TensorProto.UINT8,
             "tensor(bool)": TensorProto.BOOL, "tensor(string)": TensorProto.STRING}
    if output.type in names:
        return helper.make_tensor_type_proto(names[output.type], output.shape or None)
    key = TensorProto.STRING if "string" in output.type else TensorProto.INT64
    inner = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    return helper.make_sequence_type_proto(helper.make_map_type_proto(key, inner))


DOMAINS = {"FlexAttention": "ai.onnx.preview",
           **dict.fromkeys(("Adagrad", "Adam", "Momentum"), "ai.onnx.preview.training"),
           **dict.fromkeys(("MatMulIntegerToFloat", "DynamicQuantizeMatMul", "QGemm", "QLinearAdd",
                            "QLinearMul", "QLinearSigmoid", "QLinearLeakyRelu", "QLinearConcat",
                            "QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearSoftmax",
                            "CDist"), "com.microsoft")}
ML_OPS = {"LinearRegressor", "LinearClassifier", "Scaler", "Normalizer", "Imputer", "ZipMap",
          "TreeEnsembleRegressor", "TreeEnsembleClassifier", "TreeEnsemble", "LabelEncoder",
          "ArrayFeatureExtractor", "FeatureVectorizer", "Binarizer", "OneHotEncoder",
          "SVMRegressor", "SVMClassifier", "CategoryMapper"}


def answer(cases, oracle):
    """The outputs of every case by the oracle: oracle(op_type, inputs, attrs) -> its outputs."""
    found = {}
    for name, op_type, args, attrs, *rest in cases:
        made = rest[0] if rest else Outputs(1)
        inputs = [a.value if isinstance(a, Const) else a for a in args]
        for k, value in enumerate(oracle(op_type, inputs, attrs)):
            if k not in made.skip:
                found[name if made.count == 1 else f"{name}.y{k}"] = value
    return found


def family(name, opset, cases, ml=None, dynamic=False, reference=False, rtol=1e-5, atol=1e-6,
           oracle=None, agrees=False):
    """One folder. cases: rows of (name, operator, inputs, attributes[, Outputs]). reference: ONNX
    Runtime lacks the operator, or is wrong about it, so onnx's reference evaluator answers. oracle: a
    function of our own that does; agrees: ONNX Runtime must say the same to 1e-4."""

    def make():
        model, feeds = build(opset, cases, ml, dynamic, reference or bool(oracle))
        kinds = sorted({c[1] for c in cases})
        versions = f"opset {opset}" + (f", ai.onnx.ml {ml}" if ml else "")
        save("onnx_op", name, model, feeds, seed=SEED, rtol=rtol, atol=atol, optimise=False,
             reference=reference or bool(oracle), agrees=agrees,
             answers=answer(cases, oracle) if oracle else None,
             what=f"{', '.join(kinds)} at {versions}, {len(cases)} cases by onnx.helper")

    assert name not in TABLE, name
    TABLE[name] = make


def main(wanted):
    for cases in sorted(pathlib.Path(__file__).parent.glob("onnx_*_cases.py")):
        importlib.import_module(cases.stem)  # fills the table
    failed = []
    for key, make_one in TABLE.items():
        if wanted and not any(key.startswith(w) for w in wanted):
            continue
        try:
            make_one()
        except Exception as trouble:  # one refusal must not hide the other rows
            failed.append(key)
            print(f"{key}: FAILED: {type(trouble).__name__}: {str(trouble)[:400]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.modules["onnx_ops"] = sys.modules["__main__"]
    sys.exit(main(sys.argv[1:]))
