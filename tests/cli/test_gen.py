# SPDX-License-Identifier: Apache-2.0
"""`hayate gen` from outside: the universe file as h5py and numpy see it."""

import hashlib
import json
import os
import pathlib
import subprocess

import h5py
import numpy as np

HAYATE = os.environ["HAYATE"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
FIELDS = ("open", "high", "low", "close", "volume", "vwap")


def hayate(*args):
    return subprocess.run([HAYATE, *args], capture_output=True, text=True)


def gen(path, *args):
    done = hayate("gen", "-o", str(path), "--json", *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_file_is_a_universe(tmp_path):
    answer = gen(tmp_path / "u.h5", "--symbols", "13", "--bars", "1000", "--seed", "7")
    assert answer["symbols"] == 13 and answer["bars"] == 1000 and answer["timeframe"] == "1m"
    with h5py.File(tmp_path / "u.h5") as f:
        assert f.attrs["hayate_universe"] == 1
        assert f.attrs["timeframe"] == "1m" and f.attrs["calendar"] == "XNYS"
        assert f.attrs["zone"] == "America/New_York"
        time, symbol = f["time"][:], f["symbol"][:]
        assert [k for k in f if f[k].dtype == np.float64] == sorted(FIELDS)
        o, h, l, c, v, w = (f[name][:] for name in FIELDS)
        valid = f["valid"][:]
        assert f["close"].compression is None and f["close"].chunks[1] == 8
    assert time.dtype == np.int64 and (np.diff(time) > 0).all() and len(symbol) == 13
    assert valid.dtype == np.uint8 and o.shape == h.shape == v.shape == (1000, 13)
    bars = valid == 1
    assert 0.9 < bars.mean() < 1
    assert (np.isfinite(c) == bars).all() and (np.isfinite(v) == bars).all()
    assert (np.isfinite(w) == bars).all()
    o, h, l, c, v, w = (x[bars] for x in (o, h, l, c, v, w))
    assert (h >= np.maximum(o, c)).all() and (l <= np.minimum(o, c)).all() and (l > 0).all()
    assert (l <= w).all() and (w <= h).all() and (w == np.round(w, 4)).all()
    assert 0.05 < ((w - l) / (h - l + 1e-12))[h > l].std() < 0.3  # not the same place in each bar
    assert (np.abs(c * 100 - np.round(c * 100)) < 1e-6).all() and (v == np.round(v)).all()


def test_sessions_and_factors(tmp_path):
    gen(tmp_path / "u.h5", "--symbols", "40", "--bars", "1950")
    with h5py.File(tmp_path / "u.h5") as f:
        seconds = f["time"][:] // 10**9
        close, volume = f["close"][:], f["volume"][:]
    wall = (seconds - 5 * 3600) % 86400  # January: New York is UTC-5
    assert wall.min() == 9 * 3600 + 31 * 60 and wall.max() == 16 * 3600
    assert len(set((seconds - 5 * 3600) // 86400)) == 5
    move = np.nan_to_num(np.diff(np.log(close), axis=0))
    together = np.corrcoef(move.T)
    assert 0.15 < together[~np.eye(40, dtype=bool)].mean() < 0.6
    by_minute = np.nanmean(volume.reshape(5, 390, 40), axis=(0, 2))
    assert by_minute[:15].mean() > 1.3 * by_minute[180:210].mean() < by_minute[-15:].mean()
    overnight = np.abs(move[389::390]).mean()
    assert overnight > 3 * np.abs(move).mean()


def test_bytes_depend_on_the_seed_alone(tmp_path):
    small = ("--symbols", "21", "--bars", "300", "--timeframe", "1d")
    gen(tmp_path / "a.h5", *small, "--threads", "1")
    gen(tmp_path / "b.h5", *small, "--threads", "2")
    gen(tmp_path / "c.h5", *small, "--seed", "8")
    a, b, c = ((tmp_path / f"{name}.h5").read_bytes() for name in "abc")
    assert a == b and a != c
    # the same on every machine: change this only with a new definition of the synthetic universe
    with h5py.File(tmp_path / "a.h5") as f:
        names = ("open", "high", "low", "close", "volume", "valid", "time")
        cells = b"".join(f[name][:].astype("<f8").tobytes() for name in names)
        average = f["vwap"][:].astype("<f8").tobytes()
    assert hashlib.sha256(cells).hexdigest() == GOLDEN
    assert hashlib.sha256(average).hexdigest() == GOLDEN_VWAP


GOLDEN = "c810a58ba49880c20124d56a56b4654a07c8692ba39b221e634b1ab8cad9740d"
GOLDEN_VWAP = "2eef8cebd6d13b1e51e83794d97222bb07e69ba87911da336666859b9914cc10"


def test_qlibs_features_run_on_it(tmp_path):
    gen(tmp_path / "u.h5", "--symbols", "3", "--bars", "90", "--timeframe", "1d")
    for spec, n in ("alpha158", 158), ("alpha360", 360):
        done = hayate("features", "compute", str(ROOT / "examples" / "alpha" / f"{spec}.yaml"),
                      "--data", str(tmp_path / "u.h5"), "--output", str(tmp_path / "f.npz"))
        assert done.returncode == 0, done.stderr
        f = np.load(tmp_path / "f.npz")
        names = [k for k in f.files if k + ".valid" in f.files]
        assert len(names) == n and all(f[k + ".valid"][-1].any() for k in names)


def test_bad_usage_is_refused(tmp_path):
    for args, word in (
        (["gen"], "--output"),
        (["gen", "-o", str(tmp_path / "u.h5"), "--timeframe", "1x"], "timeframe"),
        (["gen", "-o", str(tmp_path / "u.h5"), "--symbols", "200k"], "100000"),
        (["gen", "-o", str(tmp_path / "u.h5"), "--seed", "0"], "--seed"),
        (["gen", "-o", str(tmp_path / "u.h5"), "--timeframe", "36h"], "days or weeks"),
    ):
        done = hayate(*args)
        assert done.returncode == 2 and word in done.stderr, (args, done.stderr)
    assert hayate("gen", "-o", str(tmp_path / "no" / "u.h5")).returncode in (2, 3)
    assert list(tmp_path.iterdir()) == []
