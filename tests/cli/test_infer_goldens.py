# SPDX-License-Identifier: Apache-2.0
"""Every golden model (exporters' models and single operators) against ONNX Runtime's answers, within
the tolerance of its .origin, at the machine's best instruction set and without any."""
import glob
import os
import subprocess

import pytest

HAYATE = os.environ["HAYATE"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = sorted(os.path.dirname(p) for p in glob.glob(
    os.path.join(ROOT, "tests", "golden", "onnx*", "*", "input.npz")))


def tolerance(folder, name):
    with open(os.path.join(folder, ".origin")) as f:
        return next(line.split()[1] for line in f if line.startswith(name + ":"))


def test_there_are_goldens():
    assert len(FOLDERS) > 200


@pytest.mark.parametrize("isa", ["best", "scalar"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: os.path.relpath(p, ROOT)[13:])
def test_infer_equals_onnx_runtime(folder, isa):
    words = [HAYATE, "infer", f"{folder}/model.onnx", "--input", f"{folder}/input.npz",
             "--expect", f"{folder}/expect.npz", "--rtol", tolerance(folder, "rtol"),
             "--atol", tolerance(folder, "atol")]
    words += ["--isa", isa] if isa != "best" else []
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    if done.returncode == 2 and "is not supported" in done.stderr:
        pytest.skip(done.stderr.strip().splitlines()[-1][-200:])  # waits, and is refused by name
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
