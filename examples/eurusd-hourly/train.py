# SPDX-License-Identifier: Apache-2.0
"""Trains lstm.onnx of this example, and says what such a model is worth out of sample.

    hayate import EURUSD.csv -o eurusd.h5
    pip install -r requirements.txt
    python train.py eurusd.h5

Walk-forward over the last four months of the year, a model a month, each trained on all earlier
hours whose label was known, less an embargo of one window. The parameters were set once and not
tuned on these results. The model that is written knows nothing after September.
"""
import pathlib
import sys
import tempfile

import numpy as np
import onnx
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import research  # noqa: E402

HORIZON = 1
WINDOW = 48
UNITS = 16
EPOCHS = 12
SEED = 5


class Net(torch.nn.Module):
    """Standardised and clipped features, one LSTM, its last step to one number: a return."""

    def __init__(self, mean, scale, label_scale):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.register_buffer("label_scale", label_scale)
        self.lstm = torch.nn.LSTM(len(mean), UNITS, batch_first=True)
        self.head = torch.nn.Linear(UNITS, 1)

    def forward(self, x):
        x = torch.clamp((x - self.mean) * self.scale, -5.0, 5.0)
        y, _ = self.lstm(x)
        return self.head(y[:, -1, :]) * self.label_scale


def windows(x, rows):
    return torch.from_numpy(np.stack([x[t - WINDOW + 1: t + 1] for t in rows]))


def usable(x, y, rows):
    complete = np.isfinite(x).all(axis=1)
    run = np.convolve(complete, np.ones(WINDOW), "full")[: len(x)]
    return np.array([t for t in rows if t >= WINDOW - 1 and run[t] == WINDOW and
                     (y is None or np.isfinite(y[t]))], dtype=int)


def fit(x, y, rows):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rows = usable(x, y, rows)
    seen = torch.from_numpy(x[rows])
    label = torch.from_numpy(y[rows].astype(np.float32))[:, None]
    net = Net(seen.mean(0), 1.0 / seen.std(0).clamp_min(1e-12), label.std())
    inputs = windows(x, rows)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    order = torch.Generator().manual_seed(SEED)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(rows), generator=order).split(128):
            optimiser.zero_grad()
            error = (net(inputs[batch]) - label[batch]) / net.label_scale
            error.clamp(-4.0, 4.0).square().mean().backward()
            optimiser.step()
    return net.eval()


def predict(net, x, rows):
    score = np.full(len(rows), np.nan)
    good = usable(x, None, rows)
    with torch.no_grad():
        score[good - rows[0]] = net(windows(x, good)).numpy()[:, 0]
    return score


def report(title, score, y, last):
    print(title)
    for name, s in (("model", score), ("last return", last)):
        use = np.isfinite(s) & np.isfinite(y) & np.isfinite(score)
        ic = research.correlation(s[use], y[use])
        right = np.sign(s[use]) == np.sign(y[use])
        moved = (s[use] != 0) & (y[use] != 0)
        print(f"  {name:12s} IC {ic:+.4f} (t {ic * np.sqrt(use.sum()):+.2f}, {use.sum()} hours)"
              f"  hits {right[moved].mean():.3f}")


def export(net, panel):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "lstm.onnx"
        torch.onnx.export(net, (torch.zeros(1, WINDOW, len(panel.names)),), path, dynamo=False,
                          input_names=["x"], output_names=["y"], opset_version=17,
                          dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
        proto = onnx.load(path)
    for node in proto.graph.node:
        node.ClearField("doc_string")
    proto.doc_string = "eurusd-hourly: hours before October 2017"
    research.save_onnx(proto, HERE / "lstm.onnx", panel)


def main(universe):
    panel = research.load_panel(HERE / "features.yaml", universe)
    x = np.ascontiguousarray(panel.values[:, 0, :])
    y = research.forward_returns(panel.close, HORIZON)[:, 0]
    last = x[:, panel.names.index("ret1")]
    months = panel.days().astype("datetime64[M]").astype(int) % 12 + 1
    starts = [int(np.argmax(months == month)) for month in (9, 10, 11, 12)]
    score = np.full(len(y), np.nan)
    written = None
    for train, test in research.walk_forward(len(y), starts, HORIZON, WINDOW):
        net = fit(x, y, train)
        score[test] = predict(net, x, test)
        if test[0] == starts[1]:
            written = net
    report("walk-forward, September to December", score[starts[0]:], y[starts[0]:],
           last[starts[0]:])
    test = np.arange(starts[1], len(y))
    report("the model that is written, October to December", predict(written, x, test), y[test],
           last[test])
    export(written, panel)


if __name__ == "__main__":
    main(sys.argv[1])
