# SPDX-License-Identifier: Apache-2.0
"""What the examples' training scripts share: features by hayate, labels, splits, honest scores.

Nothing here computes a feature. `hayate features compute` does, so that a model is trained on
the very numbers that `hayate score` will feed it.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

import h5py
import numpy as np
import onnx

HAYATE = os.environ.get(
    "HAYATE", str(pathlib.Path(__file__).resolve().parents[1] / "build" / "release" / "hayate"))


@dataclasses.dataclass
class Panel:
    time: np.ndarray    # [T] int64 ns UTC, bar close
    symbol: list        # [S]
    close: np.ndarray   # [T,S]
    names: list         # [F], the spec's output order
    values: np.ndarray  # [T,S,F] float32, NaN where a feature is missing
    spec_sha256: str

    def days(self):
        return self.time.astype("datetime64[ns]").astype("datetime64[D]")


def hayate(*args):
    done = subprocess.run([HAYATE, *map(str, args)], check=True, capture_output=True, text=True)
    return done.stdout


def load_panel(spec, universe):
    """The spec's features over the universe, rounded to float32 as at the model's border."""
    explained = json.loads(hayate("features", "explain", spec, "--json"))
    names = [feature["name"] for feature in explained["features"]]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "features.npz"
        hayate("features", "compute", spec, "--data", universe, "--output", path)
        with np.load(path) as arrays:
            time, symbol = arrays["time"], [str(s) for s in arrays["symbol"]]
            values = np.stack([arrays[name] for name in names], axis=-1).astype(np.float32)
    with h5py.File(universe) as file:
        close = file["close"][:]
        if "valid" in file:
            close[file["valid"][:] == 0] = np.nan
    return Panel(time, symbol, close, names, values, explained["spec_sha256"])


def forward_returns(close, horizon):
    """y[t] = C[t+1+h] / C[t+1] - 1: decided at t's close, entered one bar later."""
    y = np.full(close.shape, np.nan)
    y[: -1 - horizon] = close[1 + horizon:] / close[1: -horizon] - 1.0
    return y


def walk_forward(n_rows, starts, horizon, embargo):
    """(train rows, test rows) for each test start: all rows whose label was known before it.

    A training row t reads closes up to t+1+horizon; embargo further rows are left out.
    """
    for k, start in enumerate(starts):
        end = starts[k + 1] if k + 1 < len(starts) else n_rows
        yield np.arange(max(0, start - 1 - horizon - embargo)), np.arange(start, end)


def zscore_rows(y):
    """Each row minus its mean over its standard deviation (for training labels alone)."""
    mean = np.nanmean(y, axis=1, keepdims=True)
    spread = np.nanstd(y, axis=1, ddof=1, keepdims=True)
    return (y - mean) / np.where(spread > 0, spread, np.nan)


def ranks(x):
    """Average ranks of a vector."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    first = np.cumsum(counts) - counts
    return first[inverse] + (counts[inverse] - 1) / 2.0


def correlation(a, b):
    if len(a) < 3 or np.std(a) == 0 or np.std(b) == 0:
        return np.nan
    return float(np.corrcoef(a, b)[0, 1])


def daily_ic(score, y, rank=False):
    """The correlation over names, one per row; NaN where fewer than three names count."""
    out = np.full(len(y), np.nan)
    for t in range(len(y)):
        use = np.isfinite(score[t]) & np.isfinite(y[t])
        a, b = score[t, use], y[t, use]
        out[t] = correlation(ranks(a), ranks(b)) if rank and len(a) else correlation(a, b)
    return out


def summary(ic):
    ic = ic[np.isfinite(ic)]
    if len(ic) < 2:
        return "no correlation (constant)"
    t = ic.mean() / ic.std(ddof=1) * np.sqrt(len(ic))
    return f"{ic.mean():+.4f} (t {t:+.2f}, {len(ic)} rows)"


def save_onnx(model, path, panel):
    """Writes the model with the spec's hash in it, and its SHA-256 in a file beside it."""
    onnx.helper.set_model_props(model, {"hayate.spec_sha256": panel.spec_sha256})
    data = model.SerializeToString()
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    path.with_suffix(".onnx.sha256").write_text(f"{digest}  {path.name}\n")
    print(f"{path.name}: {len(data)} bytes, sha256 {digest}")


def floor_thresholds(booster):
    """The LightGBM model with each threshold rounded down to float32.

    hayate and ONNX compare in float32, and x <= t for a float32 x is the same question as
    x <= (t rounded down). Rounding to the nearest, as the converter does, moves rows that sit
    exactly on a threshold.
    """
    import lightgbm

    def floor(text):
        exact = float(text)
        near = np.float32(exact)
        if float(near) > exact:  # in float64: NumPy would compare with a float32 in float32
            near = np.nextafter(near, np.float32(-np.inf))
        return repr(float(near))

    lines = booster.model_to_string(num_iteration=-1).split("\n")
    lines = ["threshold=" + " ".join(map(floor, line[10:].split()))
             if line.startswith("threshold=") else line for line in lines]
    lines = [line for line in lines if not line.startswith("tree_sizes=")]
    return lightgbm.Booster(model_str="\n".join(lines))
