# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/examples: the shipped pipelines' scores by ONNX Runtime.

    python tools/golden/examples.py FOLDER_OF_UNIVERSES

The folder holds us20-daily.h5 and eurusd-hourly.h5, imported as the examples' READMEs say. The
features are hayate's own (they have goldens of their own); the windows and the models' answers
are NumPy's and ONNX Runtime's. Run it again when a model is trained again.
"""
import pathlib
import sys

import numpy as np
import onnxruntime as ort

from onnx_files import ROOT, versions

EXAMPLES = ROOT.parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))
import research  # noqa: E402

CASES = {"us20-daily": ("trees.onnx", 1, 5), "eurusd-hourly": ("lstm.onnx", 48, 60)}


def scores(folder, model, window, rows, universe):
    panel = research.load_panel(EXAMPLES / folder / "features.yaml", universe)
    session = ort.InferenceSession(str(EXAMPLES / folder / model),
                                   providers=["CPUExecutionProvider"])
    for t in range(len(panel.time) - rows, len(panel.time)):
        x = panel.values[t - window + 1: t + 1].transpose(1, 0, 2)
        x = np.ascontiguousarray(x[:, 0] if window == 1 else x)
        stamp = np.datetime_as_string(panel.time[t].astype("datetime64[ns]"), unit="s") + "Z"
        for symbol, score in zip(panel.symbol, session.run(None, {"x": x})[0][:, 0]):
            yield f"{stamp},{symbol},{score:.9g}"


def main(universes):
    out = ROOT / "examples"
    out.mkdir(parents=True, exist_ok=True)
    for folder, (model, window, rows) in CASES.items():
        lines = ["time,symbol,score"]
        lines += scores(folder, model, window, rows, pathlib.Path(universes) / f"{folder}.h5")
        (out / f"{folder}.csv").write_text("\n".join(lines) + "\n")
        (out / f"{folder}.origin").write_text(
            f"what: scores of examples/{folder} over its last {rows} bars, by ONNX Runtime\n"
            f"versions: {versions()}\n"
            "command: python tools/golden/examples.py FOLDER_OF_UNIVERSES\n"
            "licence: model and data of the example (NOTICE)\n"
            "tolerance: 2e-6 of the largest score\n")


if __name__ == "__main__":
    main(sys.argv[1])
