# SPDX-License-Identifier: Apache-2.0
"""Writes one golden folder of an ONNX model: model.onnx, input.npz, expect.npz, .origin.

The expected values are ONNX Runtime's on one thread, or, where that lacks the operator or its
types, those of onnx's own reference evaluator. onnx_exports.py and onnx_ops.py call
save() for each model; tests read the folders and never need this file.
"""
import io
import pathlib
import platform
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime as ort

ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
MAX_IR = 10  # what ONNX Runtime and the exporters of the last years agree on


def versions(*modules):
    named = {"onnx": onnx, "onnxruntime": ort, "numpy": np}
    for module in modules:
        named[module.__name__] = module
    listed = [f"{name} {module.__version__}" for name, module in named.items()]
    return ", ".join(["python " + platform.python_version()] + listed)


def zipmap_labels(path):
    """The class labels of each ZipMap output, in the model's order."""
    graph = onnx.load(path, load_external_data=False).graph
    found = {}
    for node in graph.node:
        if node.op_type == "ZipMap":
            lists = [onnx.helper.get_attribute_value(a) for a in node.attribute]
            found[node.output[0]] = [v.decode() if isinstance(v, bytes) else v for v in lists[0]]
    return found


def as_array(value, labels):
    """A ZipMap answer (a list of {class: p}) becomes [rows, classes] in the order of labels."""
    if isinstance(value, list):
        return np.array([[row[key] for key in labels] for row in value], dtype=np.float32)
    return np.asarray(value)


def run_peer(path, inputs, optimise=True):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    labels = zipmap_labels(path)
    answers = zip(names, session.run(names, inputs))
    return {name: as_array(value, labels.get(name)) for name, value in answers}


def run_reference(path, inputs):
    """The evaluator may answer in a wider type than the model declares; that one is kept."""
    from onnx.reference import ReferenceEvaluator
    model = onnx.load(path)
    ports = {port.name: port.type.tensor_type.elem_type for port in model.graph.output}
    answers = zip(ports, ReferenceEvaluator(model).run(list(ports), inputs))
    found = {name: np.asarray(value) for name, value in answers}
    for name, value in found.items():
        if ports[name] and value.dtype.kind == "f":
            found[name] = value.astype(onnx.helper.tensor_dtype_to_np_dtype(ports[name]))
    return found


def fixed_strings(arrays):
    return {k: v.astype(str) if v.dtype == object else v for k, v in arrays.items()}


def write_npz(path, arrays):
    """Types that NumPy lacks stand under their ml_dtypes names, which hayate reads."""
    if all(v.dtype.isbuiltin == 1 for v in arrays.values()):
        np.savez_compressed(path, **arrays)
        return
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for key, value in arrays.items():
            out = io.BytesIO()
            if value.dtype.isbuiltin == 2 and value.dtype.name != "bfloat16":
                head = {"descr": value.dtype.name, "fortran_order": False, "shape": value.shape}
                np.lib.format.write_array_header_1_0(out, head)
                out.write(value.tobytes())
            else:
                np.save(out, value)
            file.writestr(zipfile.ZipInfo(key + ".npy"), out.getvalue())


def save(family, name, model, inputs, **origin):
    """model is a ModelProto, or a path to a model file that already lies in the folder.

    origin: what, rtol, atol, modules (whose versions are written down), reference (True: the
    answers are the reference evaluator's), answers (by output name, an oracle's; agrees: ONNX
    Runtime must say the same).
    """
    folder = ROOT / family / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    if isinstance(model, onnx.ModelProto):
        if not origin.get("reference", False):
            model.ir_version = min(model.ir_version, MAX_IR)
        path.write_bytes(model.SerializeToString())
    reference = origin.get("reference", False)
    answers = origin.get("answers")
    if answers is not None:
        expect = answers
        if origin.get("agrees"):
            for key, value in run_peer(path, inputs).items():
                np.testing.assert_allclose(value, answers[key], rtol=1e-4, atol=1e-5, err_msg=key)
    elif reference:
        expect = run_reference(path, inputs)
    else:
        expect = run_peer(path, inputs, optimise=origin.get("optimise", True))
    write_npz(folder / "input.npz", fixed_strings(inputs))
    write_npz(folder / "expect.npz", fixed_strings(expect))
    modules = origin.get("modules", ())
    lines = [
        f"what: {origin['what']}",
        f"model: made by {pathlib.Path(sys.argv[0]).name} {name}, seed {origin.get('seed', 0)}",
        "expect: an oracle in doubles, tools/golden/*_oracle.py" if answers is not None
        else "expect: onnx.reference.ReferenceEvaluator" if reference
        else "expect: ONNX Runtime on the CPU, one thread",
        f"versions: {versions(*modules)}",
        f"command: python tools/golden/{pathlib.Path(sys.argv[0]).name} {name}",
        "licence: generated, no third-party data",
        f"rtol: {origin.get('rtol', 1e-5):g}",
        f"atol: {origin.get('atol', 1e-6):g}",
    ]
    (folder / ".origin").write_text("\n".join(lines) + "\n")
    loaded = onnx.load(path, load_external_data=False)
    ops = sorted({(n.domain + "." if n.domain else "") + n.op_type for n in loaded.graph.node})
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{family}/{name}: {size} bytes, {', '.join(ops)}", flush=True)
