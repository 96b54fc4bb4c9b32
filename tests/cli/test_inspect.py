# SPDX-License-Identifier: Apache-2.0
"""`hayate inspect`, `hayate kernels` and `hayate doctor` from outside."""
import json
import os
import subprocess

HAYATE = os.environ["HAYATE"]
MLP = "tests/golden/onnx/torch_mlp_legacy/model.onnx"
LSTM = "tests/golden/onnx/torch_lstm_last_legacy/model.onnx"
TIME = "tests/golden/onnx/torch_lstm_time_legacy/model.onnx"


def hayate(*args, **environment):
    return subprocess.run([HAYATE, *map(str, args)], capture_output=True, text=True,
                          env={**os.environ, **environment})


def answer(*args, status=0, **environment):
    done = hayate(*args, "--json", **environment)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def test_inspect_a_perceptron():
    said = answer("inspect", MLP, "--batch", 3)
    assert said["planned"] is True
    assert said["inputs"] == [{"name": "x", "dtype": "f32", "shape": ["batch", 40]}]
    assert said["operators"]["Gemm"] == 3 and said["operators"]["Relu"] == 2
    assert said["nodes"] == sum(said["operators"].values())
    assert said["constant_bytes"] == 4 * (40 * 64 + 64 + 64 * 40 + 40 + 40 * 3 + 3)
    assert said["multiply_adds"] == 3 * (40 * 64 + 64 * 40 + 40 * 3)
    assert said["passes"]["fuse_linear"] >= 3
    assert [s["op"] for s in said["steps"]] == ["Linear"] * 3
    first = said["steps"][0]
    assert first["in"][0] == "f32[3,40]" and first["out"] == ["f32[3,64]"]
    assert first["kernel"] == "gemm_f32" and first["floor_us"] > 0 and "time_us" not in first
    assert said["arena_bytes"] >= said["live_bytes"] > 0
    assert abs(said["floor_us"] - sum(s["floor_us"] for s in said["steps"])) < 1e-9


def test_inspect_a_batch_in_blocks():
    def steps(said):
        return sum(s["multiply_adds"] for s in said["steps"])

    one = answer("inspect", MLP)
    all_rows = answer("inspect", MLP, "--batch", 4096, "--threads", 2)
    assert "blocks" not in one and all_rows["block_threads"] == 2
    assert all_rows["blocks"] * all_rows["block_rows"] >= 4096
    assert abs(all_rows["multiply_adds"] - 4096 * one["multiply_adds"]) < 1
    assert abs(steps(all_rows) - all_rows["multiply_adds"]) < 1
    assert all_rows["arena_bytes"] < 4096 * one["arena_bytes"]


def test_inspect_times_steps_and_limits_the_isa():
    said = answer("inspect", LSTM, "--time", "--isa", "scalar")
    assert said["instruction_set"] == "scalar"
    recurrent = [s for s in said["steps"] if s["op"] == "LSTM"]
    assert recurrent and all(s["isa"] == "scalar" and s["time_us"] > 0 for s in recurrent)
    assert said["limits"]["multiply_adds_per_s"] > 0


def test_inspect_without_a_shape_shows_the_graph():
    said = answer("inspect", TIME)
    assert said["planned"] is False and "is open" in said["why_not_planned"]
    assert said["operators"]["LSTM"] == 1 and "steps" not in said
    assert answer("inspect", TIME, "--shape", "x=1x7x5")["planned"] is True
    done = hayate("inspect", TIME, "--shape", "nosuch=1")
    assert done.returncode == 2 and "names no input" in done.stderr


def test_inspect_text():
    done = hayate("inspect", MLP, "--time")
    assert done.returncode == 0
    for word in ("f32[batch,40]", "Gemm 3", "fuse_linear", "gemm_f32", "arena", "floor", "time us"):
        assert word in done.stdout
    assert hayate("inspect", "tests/golden/none.onnx").returncode == 2


def test_kernels():
    said = answer("kernels", "--isa", "scalar")
    assert said["isa"] == "scalar"
    families = {k["family"] for k in said["kernels"]}
    chosen = [k for k in said["kernels"] if k["chosen"]]
    assert len(chosen) == len(families) >= 8 and all(k["isa"] == "scalar" for k in chosen)
    for k in said["kernels"]:
        assert k["why"] and k["tolerance_ulp"] >= 0 and k["reason"]
        assert k["isa"] == "scalar" or k["why"] in ("the instruction set was limited",
                                                    "the machine lacks it",
                                                    "never checked on such hardware")
    done = hayate("kernels")
    assert done.returncode == 0 and "* chosen" in done.stdout


def test_doctor():
    done = hayate("doctor", "--json")
    assert done.returncode in (0, 1) and not done.stderr
    said = json.loads(done.stdout)
    assert said["ok"] is (done.returncode == 0)
    names = {f["name"]: f for f in said["findings"]}
    assert {"processor", "instruction sets", "caches", "time zone data"} <= set(names)
    faults = [f for f in said["findings"] if f["grade"] == "fault"]
    assert bool(faults) is not said["ok"] and all("advice" in f for f in faults)
    limited = json.loads(hayate("doctor", "--json", "--isa", "scalar").stdout)
    used = next(f for f in limited["findings"] if f["name"] == "instruction set used")
    assert used["value"] == "scalar"
    text = hayate("doctor", HAYATE_ONNXRUNTIME="/somewhere/libonnxruntime.so")
    assert "processor" in text.stdout and "/somewhere/libonnxruntime.so" in text.stdout
