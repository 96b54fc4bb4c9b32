# SPDX-License-Identifier: Apache-2.0
"""`hayate infer` from outside: arrays in, arrays out, comparison, and what is refused."""
import json
import os
import re
import subprocess

import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
MLP = "tests/golden/onnx/torch_mlp_legacy"


def hayate(*args):
    return subprocess.run([HAYATE, "infer", *map(str, args)], capture_output=True, text=True)


def answer(*args, status=0):
    done = hayate(*args, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def refusal(*args):
    done = hayate(*args)
    assert done.returncode == 2 and not done.stdout
    return done.stderr


def test_outputs_are_written_and_agree(tmp_path):
    out = tmp_path / "y.npz"
    said = answer(f"{MLP}/model.onnx", "--input", f"{MLP}/input.npz", "--output", out,
                  "--expect", f"{MLP}/expect.npz")
    want = np.load(f"{MLP}/expect.npz")
    got = np.load(out)
    assert said["ok"] is True and len(said["outputs"]) == 1
    y = said["outputs"][0]
    assert y["name"] == "y" and y["dtype"] == "f32" and y["shape"] == list(want["y"].shape)
    assert y["mismatched"] == 0 and 0 <= y["max_abs"] < 1e-6
    np.testing.assert_allclose(got["y"], want["y"], rtol=1e-5, atol=1e-6)
    assert y["max_abs"] == np.abs(got["y"].astype("f8") - want["y"].astype("f8")).max()


def test_a_difference_is_exit_1(tmp_path):
    want = np.load(f"{MLP}/expect.npz")["y"].copy()
    want[1, 2] += 0.5
    np.savez(tmp_path / "e.npz", y=want)
    args = (f"{MLP}/model.onnx", "--input", f"{MLP}/input.npz", "--expect", tmp_path / "e.npz")
    said = answer(*args, status=1)
    assert said["ok"] is False and said["outputs"][0]["mismatched"] == 1
    assert abs(said["outputs"][0]["max_abs"] - 0.5) < 1e-6
    assert answer(*args, "--atol", "0.6")["ok"] is True
    assert answer(*args, "--rtol", "0", "--atol", "0", status=1)["ok"] is False


def test_another_shape_or_type_is_exit_1(tmp_path):
    want = np.load(f"{MLP}/expect.npz")["y"]
    for other in (want[:, :2], want.astype("f8")):
        np.savez(tmp_path / "e.npz", y=other)
        said = answer(f"{MLP}/model.onnx", "--input", f"{MLP}/input.npz", "--expect",
                      tmp_path / "e.npz", status=1)
        assert said["ok"] is False


def test_a_lone_npy_serves_one_input(tmp_path):
    x = next(iter(np.load(f"{MLP}/input.npz").values()))
    np.save(tmp_path / "x.npy", np.asfortranarray(x))
    done = hayate(f"{MLP}/model.onnx", "--input", tmp_path / "x.npy", "--expect", f"{MLP}/expect.npz")
    assert done.returncode == 0 and "y f32 [5,3] agrees" in done.stdout


def test_values_are_printed_without_expect():
    done = hayate(f"{MLP}/model.onnx", "--input", f"{MLP}/input.npz")
    first = np.load(f"{MLP}/expect.npz")["y"].flat[0]
    assert done.returncode == 0
    assert float(done.stdout.split("]")[1].split()[0]) == pytest.approx(first, rel=1e-5)


def test_bad_inputs_are_named(tmp_path):
    model = f"{MLP}/model.onnx"
    x = next(iter(np.load(f"{MLP}/input.npz").values()))
    name = next(iter(np.load(f"{MLP}/input.npz")))
    assert f"input '{name}' is needed" in refusal(model)
    np.savez(tmp_path / "a.npz", other=x)
    assert f"the model's input '{name}' is not in the file" in refusal(model, "--input", tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **{name: x.astype("f8")})
    assert f"input '{name}' has type f64, the model expects f32" in refusal(model, "--input", tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", **{name: x[:, :3]})
    said = refusal(model, "--input", tmp_path / "c.npz")
    assert f"input '{name}' has shape [5,3], the model expects [?," in said
    np.savez(tmp_path / "d.npz", nosuch=x)
    said = refusal(model, "--input", f"{MLP}/input.npz", "--expect", tmp_path / "d.npz")
    assert "'nosuch' is not an output of the model" in said


def test_features_of_another_spec_are_refused(tmp_path):
    model = "examples/us20-daily/trees.onnx"
    with open(model, "rb") as f:
        made = re.search(rb"hayate\.spec_sha256\x12@([0-9a-f]{64})", f.read()).group(1).decode()
    x = {"x": np.zeros((2, 24), "f4")}
    np.savez(tmp_path / "x.npz", **x, **{"hayate.spec_sha256": made})
    assert answer(model, "--input", tmp_path / "x.npz")["ok"] is True
    np.savez(tmp_path / "x.npz", **x, **{"hayate.spec_sha256": "0" * 64})
    said = refusal(model, "--input", tmp_path / "x.npz")
    assert "x.npz" in said and f"made with spec {'0' * 12}..., the model with {made[:12]}" in said


@pytest.mark.parametrize("content, said", [
    (b"", "the file is empty"),
    (b"tree\nversion=v4\n", "LightGBM text model: the header lacks max_feature_idx"),
    (b'{"learner": {}}', "XGBoost JSON or UBJSON model: the object lacks 'objective'"),
    (b'{"hello": 1}', "a JSON file that is no XGBoost model"),
    (b"time,open,high\n1,2,3\n", "malformed protobuf"),
    (b"PK\x03\x04" + bytes(64), "a zip archive"),
])
def test_other_files_are_refused_by_name(tmp_path, content, said):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    text = refusal(path, "--input", f"{MLP}/input.npz")
    assert said in text and str(path) in text


def test_a_folder_and_a_missing_file(tmp_path):
    assert hayate(tmp_path, "--input", f"{MLP}/input.npz").returncode == 2
    said = refusal(tmp_path / "none.onnx", "--input", f"{MLP}/input.npz")
    assert "none.onnx" in said


def test_every_isa_agrees():
    for isa in ("scalar", "avx2", "avx512"):
        done = hayate(f"{MLP}/model.onnx", "--input", f"{MLP}/input.npz", "--expect",
                      f"{MLP}/expect.npz", "--isa", isa)
        if "this machine" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr
