# SPDX-License-Identifier: Apache-2.0
"""`make install` into a prefix of its own: the examples are built against it by pkg-config and by
CMake, shared and static, and run; `make uninstall` leaves nothing of ours."""
import os
import shutil
import subprocess

import numpy
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ["HAYATE_BUILD"]
EXAMPLES = os.path.join(ROOT, "examples", "c")
GOLDEN = os.path.join(ROOT, "tests", "golden")
pytestmark = pytest.mark.skipif(bool(os.environ.get("HAYATE_SANITIZE")),
                                reason="a sanitizer build is not installed")


def run(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120,
                          **more)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Installs; a manifest that an earlier `make install` left is put back after."""
    manifest = os.path.join(BUILD, "install_manifest.txt")
    kept = open(manifest).read() if os.path.exists(manifest) else None
    where = tmp_path_factory.mktemp("prefix")
    run(os.environ.get("HAYATE_CMAKE", "cmake"), "--install", BUILD, "--prefix", where)
    yield where
    if os.path.exists(manifest):
        os.remove(manifest)
    if kept is not None:
        with open(manifest, "w") as f:
            f.write(kept)


def library_folder(prefix):
    return next(p.parent for p in prefix.rglob("libhayate.so"))


def environment(prefix):
    folder = library_folder(prefix)
    return {**os.environ, "PKG_CONFIG_PATH": str(folder / "pkgconfig"),
            "LD_LIBRARY_PATH": str(folder)}


def model_and_input():
    """A small exported model of the goldens, with its input."""
    for folder, _, names in sorted(os.walk(GOLDEN)):
        if {"model.onnx", "input.npz"} <= set(names):
            return os.path.join(folder, "model.onnx"), os.path.join(folder, "input.npz")
    pytest.skip("no golden model")


def check_programs(folder, env):
    out = run(folder / "features", "ma=sma(close,20); ref(close,1)", env=env)
    close = 100 + numpy.sin(numpy.arange(250) * 0.1)
    name, _, calm = out.splitlines()[0].split()[:3]
    assert name == "ma" and abs(float(calm) - close[-20:].mean()) < 1e-5
    model, arrays = model_and_input()
    assert ": " in run(folder / "run_model", model, arrays, env=env)
    bad = subprocess.run([folder / "features", "no_such(close)"], capture_output=True, text=True,
                         env=env)
    assert bad.returncode == 2 and "no_such" in bad.stderr


def test_what_is_installed(prefix):
    names = {str(p.relative_to(prefix)) for p in prefix.rglob("*")}
    for wanted in ("bin/hayate", "include/hayate/hayate.h", "include/hayate/status.inc",
                   "share/man/man1/hayate.1", "share/bash-completion/completions/hayate"):
        assert wanted in names
    assert run(prefix / "bin" / "hayate", "--version").startswith("hayate ")


@pytest.mark.parametrize("flags", [["--libs"], ["--static", "--libs"]])
def test_pkg_config(prefix, tmp_path, flags):
    env = environment(prefix)
    words = run("pkg-config", "--cflags", *flags, "hayate", env=env).split()
    if "--static" in flags:
        words = ["-l:libhayate.a" if w == "-lhayate" else w for w in words]
    for name in ("run_model", "features"):
        run(os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror",
            os.path.join(EXAMPLES, name + ".c"), *words, "-lm", "-o", tmp_path / name, env=env)
    needs = run("ldd", tmp_path / "features", env=env)
    assert ("libhayate.so" in needs) == ("--static" not in flags)
    check_programs(tmp_path, env)


def test_inference_alone(prefix, tmp_path):
    """libhayate-infer needs nothing but libc, libm, pthread."""
    out = run("objdump", "-p", library_folder(prefix) / "libhayate-infer.so")
    needed = {line.split()[-1] for line in out.splitlines() if "NEEDED" in line}
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"}, needed
    stripped = tmp_path / "stripped.so"
    run("strip", "-o", stripped, library_folder(prefix) / "libhayate-infer.so")
    assert stripped.stat().st_size < 3 << 20


def test_cmake_package(prefix, tmp_path):
    cmake = os.environ.get("HAYATE_CMAKE", "cmake")
    shutil.copytree(EXAMPLES, tmp_path / "source")
    run(cmake, "-S", tmp_path / "source", "-B", tmp_path / "build",
        f"-DCMAKE_PREFIX_PATH={prefix}")
    run(cmake, "--build", tmp_path / "build")
    check_programs(tmp_path / "build", environment(prefix))


def test_python_module(prefix):
    """The installed module finds the installed library."""
    folder = next(prefix.rglob("dist-packages"))
    env = {**environment(prefix), "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    code = ("import hayate, numpy; x = numpy.arange(40.0).reshape(20, 2); "
            "print(hayate.Features('ma=sma(close,5)').batch({'time': numpy.arange(1, 21) * 10**9, "
            "'symbol': ['A', 'B'], 'close': x})['ma'][-1, 0], hayate.__file__)")
    value, path = run("/usr/bin/python3", "-c", code, env=env, cwd="/").split()
    assert float(value) == 34.0 and path.startswith(str(prefix))


def test_uninstall(prefix):
    run(os.path.join(ROOT, "tools", "uninstall"), BUILD)
    left = [p for p in prefix.rglob("*") if not p.is_dir()]
    assert left == []
