# SPDX-License-Identifier: Apache-2.0
"""The wheel: its record holds, its library needs the C library alone, and what is unpacked from it
runs models and refuses the rest by name."""
import base64
import hashlib
import os
import pathlib
import subprocess
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ["HAYATE_BUILD"]
pytestmark = pytest.mark.skipif(
    bool(os.environ.get("HAYATE_SANITIZE")),
    reason="a sanitizer's run-time library cannot be loaded into a running Python")


def run(*args, **kwargs):
    return subprocess.run(args, text=True, capture_output=True, check=True, **kwargs).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    run(str(ROOT / "tools" / "wheel"), BUILD, "--out", str(out), cwd=ROOT)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel):
    with zipfile.ZipFile(wheel) as z:
        z.extractall(wheel.parent / "site")
    return wheel.parent / "site"


def test_record(wheel):
    with zipfile.ZipFile(wheel) as z:
        names = z.namelist()
        record = next(n for n in names if n.endswith("/RECORD"))
        lines = [line.split(",") for line in z.read(record).decode().splitlines()]
        assert [line[0] for line in lines] == names
        for name, digest, size in lines[:-1]:
            data = z.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(data))), name
        tag = z.read(record.replace("RECORD", "WHEEL")).decode().split("Tag: ")[1].strip()
    assert wheel.name.endswith(f"-{tag}.whl") and tag.startswith("py3-none-manylinux_2_")


def test_same_bytes(wheel, tmp_path):
    run(str(ROOT / "tools" / "wheel"), BUILD, "--out", str(tmp_path), cwd=ROOT)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_library_needs_libc_alone(unpacked):
    out = run("objdump", "-p", str(unpacked / "hayate" / "libhayate-infer.so"))
    needed = {line.split()[-1] for line in out.splitlines() if "NEEDED" in line}
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def test_runs_and_refuses(unpacked, tmp_path):
    folder = ROOT / "tests" / "golden" / "onnx" / "lgbm_reg_category_sets"
    code = f"""
import numpy as np, hayate as ort
feeds, want = (dict(np.load({str(folder)!r} + f"/{{n}}.npz")) for n in ("input", "expect"))
session = ort.InferenceSession({str(folder / "model.onnx")!r})
for arg, got in zip(session.get_outputs(), session.run(None, feeds)):
    assert np.allclose(got, want[arg.name], rtol=1e-5, atol=1e-6), arg
try:
    ort.Features("sma(close,5)")
except ort.Unsupported as error:
    print(error, ort.__file__)
"""
    env = {k: v for k, v in os.environ.items() if k not in ("HAYATE_LIBRARY", "PYTHONPATH")}
    env.update(PYTHONPATH=str(unpacked), PYTHONDONTWRITEBYTECODE="1")
    text = run("/usr/bin/python3", "-c", code, env=env, cwd=tmp_path)
    assert "hy_features_create" in text and str(unpacked) in text
