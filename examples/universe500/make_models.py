# SPDX-License-Identifier: Apache-2.0
"""Makes trees.onnx (500 trees of 63 leaves) and lstm.onnx (window 60, 64 units) of this example.

    hayate gen --symbols 500 --bars 2000 --timeframe 1m --seed 7 -o u.h5
    pip install -r requirements.txt
    python make_models.py u.h5

The shapes are what matters: both are trained on the synthetic universe's own features, so that
thresholds, weights and activations are as alive as in a real model, with fixed seeds.
"""
import pathlib
import sys
import tempfile

import lightgbm
import numpy as np
import onnx
import onnxmltools
import torch
from onnxmltools.convert.common.data_types import FloatTensorType

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import research  # noqa: E402

HORIZON = 5
WINDOW, UNITS = 60, 64
TREES, LEAVES = 500, 63
SEED = 7


class Net(torch.nn.Module):
    """Standardised and clipped features, one LSTM, its last step to one number."""

    def __init__(self, mean, scale):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.lstm = torch.nn.LSTM(len(mean), UNITS, batch_first=True)
        self.head = torch.nn.Linear(UNITS, 1)

    def forward(self, x):
        x = torch.clamp((x - self.mean) * self.scale, -5.0, 5.0)
        y, _ = self.lstm(x)
        return self.head(y[:, -1, :])


def sample(panel, y, count, rng):
    """(t, s) cells with a label and a whole window of features."""
    complete = np.isfinite(panel.values).all(axis=-1)
    run = np.cumsum(complete, axis=0)
    whole = np.zeros_like(complete)
    whole[WINDOW:] = run[WINDOW:] - run[:-WINDOW] == WINDOW
    cells = np.argwhere(whole & np.isfinite(y))
    return cells[rng.permutation(len(cells))[:count]]


def make_trees(panel, y, rng):
    t, s = sample(panel, y, 150_000, rng).T
    data = lightgbm.Dataset(panel.values[t, s], y[t, s], feature_name=panel.names)
    params = dict(objective="regression", num_leaves=LEAVES, learning_rate=0.05,
                  min_data_in_leaf=40, feature_fraction=0.6, bagging_fraction=0.6,
                  bagging_freq=1, num_threads=1, deterministic=True, force_row_wise=True,
                  seed=SEED, verbose=-1)
    booster = research.floor_thresholds(lightgbm.train(params, data, TREES))
    proto = onnxmltools.convert_lightgbm(
        booster, initial_types=[("x", FloatTensorType([None, len(panel.names)]))],
        target_opset=15)
    for node in proto.graph.node:  # hit rates serve no reader and are a tenth of the file
        for attribute in [a for a in node.attribute if a.name == "nodes_hitrates"]:
            node.attribute.remove(attribute)
    return proto


def make_lstm(panel, y, rng):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    cells = sample(panel, y, 24_000, rng)
    seen = torch.from_numpy(panel.values[cells[:, 0], cells[:, 1]])
    net = Net(seen.mean(0), 1.0 / seen.std(0).clamp_min(1e-12))
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)
    for batch in np.array_split(cells, len(cells) // 256):
        x = np.stack([panel.values[t - WINDOW + 1: t + 1, s] for t, s in batch])
        label = torch.from_numpy(y[batch[:, 0], batch[:, 1]].astype(np.float32))[:, None]
        optimiser.zero_grad()
        (net(torch.from_numpy(x)) - label).clamp(-4.0, 4.0).square().mean().backward()
        optimiser.step()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "lstm.onnx"
        torch.onnx.export(net.eval(), (torch.zeros(1, WINDOW, len(panel.names)),), path,
                          dynamo=False, input_names=["x"], output_names=["y"],
                          opset_version=17,
                          dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
        proto = onnx.load(path)
    for node in proto.graph.node:
        node.ClearField("doc_string")
    return proto


def main(universe):
    panel = research.load_panel(HERE / "features.yaml", universe)
    y = research.zscore_rows(research.forward_returns(panel.close, HORIZON))
    rng = np.random.default_rng(SEED)
    research.save_onnx(make_trees(panel, y, rng), HERE / "trees.onnx", panel)
    research.save_onnx(make_lstm(panel, y, rng), HERE / "lstm.onnx", panel)


if __name__ == "__main__":
    main(sys.argv[1])
