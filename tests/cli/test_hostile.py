# SPDX-License-Identifier: Apache-2.0
"""Files that somebody made to hurt, and disks that are full: refused with a message, nothing left
behind, nothing overwritten."""

import os
import resource
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]


def hayate(*args, **more):
    return subprocess.run([HAYATE, *map(str, args)], capture_output=True, text=True, timeout=60,
                          **more)


def rows(n=50):
    return "date,symbol,close\n" + "".join(
        f"2024-{1 + k // 28:02d}-{1 + k % 28:02d},{s},{10 + k}\n" for k in range(n) for s in "ABC")


def test_an_import_never_overwrites_what_it_reads(tmp_path):
    table = tmp_path / "prices.csv"
    table.write_text(rows())
    (tmp_path / "link.csv").symlink_to(table)
    for args in ([table, "-o", table], [table, "-o", tmp_path / "link.csv"],
                 [tmp_path, "-o", table]):
        done = hayate("import", *args)
        assert done.returncode == 2 and "written over the input" in done.stderr, done.stderr
        assert table.read_text() == rows()


def test_other_commands_overwrite_no_input_either(tmp_path):
    data, arrays = tmp_path / "u.h5", tmp_path / "x.npz"
    hayate("gen", "--symbols", 3, "--bars", 20, "-o", data)
    np.savez(arrays, x=np.zeros((2, 3), np.float32))
    model = "tests/golden/score/linear.onnx"
    for read, args in ((data, ["features", "compute", "logret(close,1)", "--data", data,
                               "--output", data]),
                       (arrays, ["infer", model, "--input", arrays, "--output", arrays])):
        before = read.read_bytes()
        done = hayate(*args)
        assert done.returncode == 2 and "is a file that is read" in done.stderr, done.stderr
        assert read.read_bytes() == before


@pytest.mark.parametrize("more", [[], ["--compress"]])
def test_a_full_disk_is_the_systems_failure(tmp_path, more):
    table = tmp_path / "prices.csv"
    table.write_text(rows(300))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    done = hayate("import", table, "-o", tmp_path / "u.h5", *more, preexec_fn=limit,
                  restore_signals=False)  # SIGXFSZ stays ignored: the write fails
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "File too large" in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["prices.csv"]


def universe(path, **replace):
    with h5py.File(path, "w") as f:
        f["time"] = np.arange(1, 51, dtype="i8")
        f["symbol"] = np.array([b"A", b"B", b"C"])
        f["close"] = np.ones((50, 3))
        for name, options in replace.items():
            del f[name]
            options = dict(options)
            part = options.pop("part")
            f.create_dataset(name, **options)[:part] = options.pop("fill", 1)
    return path


@pytest.mark.parametrize("replace, said", [
    ({"close": dict(shape=(50, 3), maxshape=(None, None), chunks=(2**16, 2**11), dtype="f8",
                    compression="gzip", part=0)}, "/close: packed tiles of 65536 x 2048 cells"),
    ({"time": dict(shape=(2**30 - 1,), chunks=(1024,), dtype="i8", part=3)},
     "/time: states 1073741823 elements"),
    ({"symbol": dict(shape=(2**20,), chunks=(64,), dtype="S4000", part=2)},
     "/symbol: states 1048576 elements"),
])
def test_dims_that_nobody_wrote(tmp_path, replace, said):
    path = universe(tmp_path / "u.h5", **replace)
    done = hayate("features", "compute", "roc(close,1)", "--data", path, "-o", tmp_path / "f.npz")
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_an_option_of_the_environment_is_named(tmp_path):
    environment = dict(os.environ, HAYATE_THREADS="x")
    done = hayate("gen", "-o", tmp_path / "u.h5", env=environment)
    assert done.returncode == 2 and "environment" in done.stderr, done.stderr


def test_a_listing_to_a_full_disk_fails(tmp_path):
    for args in (["features", "list"], ["features", "explain", "roc(close,1)", "--json"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([HAYATE, *args], stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 3, done.stderr


def message(*fields):
    """Protobuf: (number, whole number or bytes) pairs."""
    def varint(n):
        return bytes([n & 127 | 128]) + varint(n >> 7) if n > 127 else bytes([n])
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def relu(rows_at_once):
    """An ONNX model y = Relu(x) over [rows_at_once, 1]."""
    def port(name):
        shape = message(*[(1, message((1, dim))) for dim in (rows_at_once, 1)])
        return message((1, name), (2, message((1, message((1, 1), (2, shape))))))
    node = message((1, b"x"), (2, b"y"), (4, b"Relu"))
    graph = message((1, node), (2, b"g"), (11, port(b"x")), (12, port(b"y")))
    return message((1, 8), (8, message((2, 17))), (7, graph))


@pytest.mark.parametrize("rows_at_once, status", [(4096, 0), (4097, 2), (2 * 10**9, 2)])
def test_a_model_that_insists_on_a_batch(tmp_path, rows_at_once, status):
    (tmp_path / "m.onnx").write_bytes(relu(rows_at_once))
    (tmp_path / "p.yaml").write_text('pipeline: p\nfeatures: "roc(close,1)"\n'
                                     'models: [{file: m.onnx, output: "y[0]"}]\n')
    path = universe(tmp_path / "u.h5")
    done = hayate("score", tmp_path / "p.yaml", "--data", path)
    assert done.returncode == status, done.stderr
    assert status == 0 or f"takes exactly {rows_at_once} rows" in done.stderr
    if status == 0:
        with open("/dev/full", "w") as full:
            done = subprocess.run([HAYATE, "score", tmp_path / "p.yaml", "--data", path],
                                  stdout=full, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 3, done.stderr
