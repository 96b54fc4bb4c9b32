# SPDX-License-Identifier: Apache-2.0
"""`hayate bench` from outside: the keys, the shapes, what is refused, and beside ONNX Runtime where
its Python package is installed. Nothing here depends on how fast the machine is."""
import json
import os
import subprocess

import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
MLP = "tests/golden/onnx/torch_mlp_legacy/model.onnx"
LSTM = "tests/golden/onnx/torch_lstm_time_legacy/model.onnx"
KEYS = {"model", "backend", "isa", "precision", "mode", "batch", "threads", "runs", "p50_us",
        "p99_us", "p999_us", "rows_per_s", "load_ms", "floor_us", "arena_bytes", "weight_bytes"}


def hayate(*args, **environment):
    return subprocess.run([HAYATE, "bench", *map(str, args)], capture_output=True, text=True,
                          env={**os.environ, **environment})


def answer(*args, status=0):
    done = hayate(*args, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def refusal(*args, **environment):
    done = hayate(*args, **environment)
    assert done.returncode == 2 and not done.stdout
    return done.stderr


def test_the_keys_and_their_sense():
    said = answer(MLP, "--runs", 40, "--batch", 3)
    assert KEYS <= set(said) and "peer" not in said
    assert said["model"] == MLP and said["backend"] == "hayate" and said["batch"] == 3
    assert said["runs"] == 40 and said["threads"] == 1 and said["rows"] >= 64
    assert 0 < said["min_us"] <= said["p50_us"] <= said["p99_us"] <= said["p999_us"]
    assert said["rows_per_s"] == pytest.approx(3e6 / said["p50_us"])
    assert said["load_ms"] > 0 and said["weight_bytes"] > 0


def test_text_names_the_figures():
    done = hayate(MLP, "--runs", 40)
    assert done.returncode == 0
    assert "p50" in done.stdout and "rows in rotation" in done.stdout and "###" not in done.stdout


def test_open_dims_need_a_shape():
    said = refusal(LSTM, "--runs", 20)
    assert "is open: its shape is needed (--shape x=" in said
    features = np.load(os.path.dirname(LSTM) + "/input.npz")["x"].shape[2]
    assert answer(LSTM, "--runs", 20, "--shape", f"x=2x5x{features}")["batch"] == 2
    assert "not of the form" in refusal(LSTM, "--shape", "x=2x5x")
    assert "names no input" in refusal(LSTM, "--shape", "y=2x5")
    assert "the model expects" in refusal(LSTM, "--shape", f"x=2x5x{features + 1}")


def test_rows_from_a_file(tmp_path):
    x = np.load(os.path.dirname(MLP) + "/input.npz")
    rows = {k: np.repeat(v, 20, axis=0) for k, v in x.items()}
    np.savez(tmp_path / "rows.npz", **rows)
    assert answer(MLP, "--runs", 20, "--input", tmp_path / "rows.npz")["runs"] == 20
    np.savez(tmp_path / "other.npz", other=np.zeros((3, 3), "f4"))
    name = next(iter(x))
    assert f"have no array '{name}'" in refusal(MLP, "--input", tmp_path / "other.npz", "--batch", 2)
    np.savez(tmp_path / "wide.npz", **{name: np.zeros((3, 3), "f4")})
    assert "does not hold rows" in refusal(MLP, "--input", tmp_path / "wide.npz")


def test_a_peer_that_is_not_there(tmp_path):
    assert "did not load" in refusal(MLP, "--peer-library", tmp_path / "none.so")
    assert "did not load" in refusal(MLP, "--peer", "onnxruntime", HAYATE_ONNXRUNTIME=str(tmp_path / "n"))
    assert "is not the library of ONNX Runtime" in refusal(MLP, "--peer-library", "libm.so.6")
    assert "is not found" in refusal(MLP, "--peer", "onnxruntime", PATH=str(tmp_path),
                                     HAYATE_ONNXRUNTIME="")


def test_beside_onnxruntime():
    done = hayate(MLP, "--peer", "onnxruntime", "--runs", 40, "--json")
    if "is not found" in done.stderr:
        pytest.skip("the Python package onnxruntime is not installed")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert KEYS <= set(said["peer"]) and said["peer"]["backend"].startswith("onnxruntime ")
    assert said["speedup"] == pytest.approx(said["peer"]["p50_us"] / said["p50_us"])
    assert said["agrees"] is True and 0 <= said["max_abs"] < 1e-5
