# SPDX-License-Identifier: Apache-2.0
"""`hayate pack` and `hayate verify` from outside: a packed model is the model, wherever it lies, and
what was damaged or made elsewhere is noticed."""
import json
import os
import struct
import subprocess

import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
GOLDEN = "tests/golden/onnx"
MODELS = ("torch_mlp_legacy", "torch_lstm_stacked_legacy", "torch_gru_bi_legacy",
          "torch_external_dynamo", "lgbm_bin", "sk_logreg_strings_zipmap")


def hayate(*args):
    return subprocess.run([HAYATE, *map(str, args)], capture_output=True, text=True)


def answer(*args, status=0):
    done = hayate(*args, "--json")
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def packed(model, path, *args):
    folder = f"{GOLDEN}/{model}"
    answer("pack", f"{folder}/model.onnx", "-o", path, "--input", f"{folder}/input.npz", *args)
    return path


@pytest.mark.parametrize("model", MODELS)
def test_a_packed_model_is_the_model(model, tmp_path):
    path = packed(model, tmp_path / "m.hyp", "--every-isa")
    said = answer("verify", path)
    assert said["ok"] is True and said["replays"][0]["isa"] == "scalar"
    assert all(r["bit_equal"] and r["packed"] for r in said["replays"])
    if model.startswith("torch"):
        assert all(r["packs_used"] > 0 for r in said["replays"])
    source = f"{GOLDEN}/{model}/model.onnx"
    x, ours, again = f"{GOLDEN}/{model}/input.npz", tmp_path / "a.npz", tmp_path / "b.npz"
    answer("infer", source, "-i", x, "-o", ours)
    answer("infer", path, "-i", x, "-o", again)
    assert ours.read_bytes() == again.read_bytes()


def test_another_instruction_set_is_planned_anew(tmp_path):
    path = packed("torch_mlp_legacy", tmp_path / "m.hyp", "--isa", "scalar")
    best = answer("verify", path)
    assert [r["isa"] for r in best["replays"]] == ["scalar"]
    x = f"{GOLDEN}/torch_mlp_legacy/input.npz"
    expect = f"{GOLDEN}/torch_mlp_legacy/expect.npz"
    assert answer("infer", path, "-i", x, "--expect", expect)["ok"] is True
    # As if another version had written it: nothing of the packed weights is used.
    data = bytearray(path.read_bytes())
    data[24:32] = struct.pack("<Q", 1)
    other = tmp_path / "other.hyp"
    other.write_bytes(data)
    done = hayate("verify", other)
    assert done.returncode == 2 and "checksum" in done.stderr


def test_damage_is_noticed(tmp_path):
    path = packed("torch_mlp_legacy", tmp_path / "m.hyp", "--isa", "scalar")
    data = path.read_bytes()
    n, = struct.unpack_from("<I", data, 12)
    for i in range(n):
        kind, _, offset, size = struct.unpack_from("<IIQQ", data, 64 + 160 * i)
        bad = bytearray(data)
        bad[offset + size - 1] ^= 1
        damaged = tmp_path / f"damaged{kind}.hyp"
        damaged.write_bytes(bad)
        done = hayate("verify", damaged)
        assert done.returncode == 2 and "was changed or damaged" in done.stderr, kind
    for cut in (0, 7, 63, 64, 500, len(data) - 1):
        (tmp_path / "cut.hyp").write_bytes(data[:cut])
        assert hayate("verify", tmp_path / "cut.hyp").returncode == 2
    assert hayate("verify", f"{GOLDEN}/torch_mlp_legacy/model.onnx").returncode == 2


def test_what_cannot_be_packed(tmp_path):
    time = f"{GOLDEN}/torch_lstm_time_legacy/model.onnx"
    done = hayate("pack", time, "-o", tmp_path / "m.hyp")
    assert done.returncode == 2 and "its shape is needed" in done.stderr
    assert not (tmp_path / "m.hyp").exists()
    assert answer("pack", time, "-o", tmp_path / "m.hyp", "--shape", "x=1x9x5")["bytes"] > 0
    done = hayate("pack", tmp_path / "m.hyp", "-o", tmp_path / "again.hyp")
    assert done.returncode == 2
    own = tmp_path / "own.onnx"
    own.write_bytes(open(f"{GOLDEN}/torch_mlp_legacy/model.onnx", "rb").read())
    done = hayate("pack", own, "-o", own)
    assert done.returncode == 2 and "is the model itself" in done.stderr
    assert np.array_equal(np.fromfile(own, "u1"),
                          np.fromfile(f"{GOLDEN}/torch_mlp_legacy/model.onnx", "u1"))
