# SPDX-License-Identifier: Apache-2.0
"""hayate score over files of LightGBM and XGBoost: features go in as the library compares them, as
float64 or rounded once to float32, missing ones as NaN; answers are the library's own."""
import os
import pathlib
import shutil
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
SCORE = pathlib.Path("tests/golden/score")
TREES = pathlib.Path("tests/golden/trees")


def universe(path, fields):
    """One bar; a symbol for each row."""
    n = len(next(iter(fields.values())))
    with h5py.File(path, "w") as f:
        for key, value in dict(hayate_universe=1, timeframe="1d", zone="UTC", calendar="",
                               source="test").items():
            f.attrs[key] = value
        f["time"] = np.array([19000 * 86400 * 10**9], "i8")
        f.create_dataset("symbol", data=[f"S{k:03d}" for k in range(n)],
                         dtype=h5py.string_dtype())
        for name, cells in fields.items():
            f[name] = np.asarray(cells, "f8").reshape(1, n)
        f["valid"] = np.ones((1, n), "u1")
    return path


def scores(folder, model, fields, output, *words):
    shutil.copy(model, folder)
    names = ", ".join(fields)
    (folder / "p.yaml").write_text(
        f"pipeline: trees\nfeatures: [{names}]\nmodels:\n"
        f"  - {{name: m, file: {model.name}, output: '{output}'}}\ncombine: one\n")
    data = universe(folder / "u.h5", fields)
    run = subprocess.run([HAYATE, "score", folder / "p.yaml", "--data", data, "--npz", "--out",
                          folder / "o", *words], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with np.load(folder / "o/scores.npz") as z:
        return z["score"].reshape(-1)


@pytest.mark.parametrize("name, file", [("lightgbm", "lightgbm.txt"), ("xgboost", "xgboost.json")])
def test_a_threshold_decides_as_the_library_does(name, file, tmp_path):
    """LightGBM: on a threshold and on the double above it, which are one float; XGBoost: on a
    threshold, the double and the float below it."""
    with np.load(SCORE / f"{name}.npz") as z:
        price, want = z["price"], z["score"]
    if name == "lightgbm":
        low, high = price.reshape(-1, 2).T
        assert (low.astype("f4") == high.astype("f4")).all() and (low < high).all()
        assert (want[::2] != want[1::2]).all()
    got = scores(tmp_path, SCORE / file, {"close": price}, "prediction[0]")
    assert np.array_equal(got, want.astype("f8"))


@pytest.mark.parametrize("name, file", [
    ("lgb_regression", "model.txt"), ("lgb_zero_missing", "model.txt"), ("lgb_no_missing", "model.txt"),
    ("lgb_rf", "model.txt"), ("xgb_squarederror", None), ("xgb_categories", None)])
def test_missing_features_go_the_librarys_way(name, file, tmp_path):
    model = TREES / name / (file or next(f.name for f in (TREES / name).iterdir()
                                         if f.name.startswith("model.")))
    x = np.load(TREES / name / "input.npz")["X"].astype("f8")
    raw = np.load(TREES / name / "expect.npz")["raw"].astype("f8")
    rows = np.isfinite(x).any(1) & ~np.isinf(x).any(1)  # a universe has no infinities
    assert np.isnan(x[rows]).any() and rows.sum() > 50
    got = scores(tmp_path, model, {f"x{k}": x[rows, k] for k in range(x.shape[1])}, "raw[0]")
    assert np.array_equal(got, raw[rows, 0])
