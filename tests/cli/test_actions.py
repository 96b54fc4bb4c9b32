# SPDX-License-Identifier: Apache-2.0
"""--actions FILE of the commands that compute features: the answers of raw prices with a table of
splits are those of prices that were adjusted by hand. Splits by powers of two, so to the bit."""
import json
import os
import pathlib
import shutil
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
GOLDEN = pathlib.Path("tests/golden/score").resolve()
DAY_NS = 86400 * 10**9
BARS, SYMBOLS = 120, ["AAA", "BBB", "CCC", "DDD"]
PRICES = ("open", "high", "low", "close")
FIRST = 19000  # 2022-01-08, days of UTC
SPEC = "r=logret(close,1); price=close; size=volume; z=cs.zscore(mom(close,3))"
# of AAA after row 49 and, far from the middle of the range, after row 109; of CCC after row 79
TABLE = """symbol,ex,kind,amount
AAA,2022-02-27T00:00:00Z,split,4
AAA,2022-04-28T00:00:00Z,split,2
CCC,2022-03-28,split,0.5
ELSE,2022-03-28,split,3
"""
SPLITS = [("AAA", 50, 4.0), ("AAA", 110, 2.0), ("CCC", 79, 0.5)]


def hayate(*words):
    return subprocess.run([HAYATE, *map(str, words)], capture_output=True, text=True, timeout=120)


def bars():
    """Raw ones, which jump at each split."""
    rng = np.random.default_rng(5)
    close = 64 * np.exp(np.cumsum(rng.normal(0, 0.01, (BARS, len(SYMBOLS))), axis=0))
    out = {name: close * f for name, f in zip(PRICES, (1.001, 1.01, 0.99, 1))}
    out["volume"] = rng.integers(1, 999, close.shape) * 8.0
    for symbol, row, amount in SPLITS:
        for name in out:
            out[name][:row, SYMBOLS.index(symbol)] *= 1 / amount if name == "volume" else amount
    return out


def adjusted(fields, n_rows):
    """By the splits whose first row is one of the first n_rows."""
    out = {name: values.copy() for name, values in fields.items()}
    for symbol, row, amount in SPLITS:
        k = SYMBOLS.index(symbol)
        for name in out if row < n_rows else ():
            out[name][:row, k] *= amount if name == "volume" else 1 / amount
    return out


def write(path, fields, zone="UTC"):
    with h5py.File(path, "w", track_order=False) as f:
        for key, value in dict(hayate_universe=1, timeframe="1d", zone=zone, calendar="",
                               source="test").items():
            f.attrs[key] = value
        f["time"] = ((FIRST + np.arange(BARS)) * DAY_NS).astype("i8") + DAY_NS // 2
        f.create_dataset("symbol", data=SYMBOLS, dtype=h5py.string_dtype())
        for name, values in fields.items():
            f[name] = values
        f["valid"] = np.ones((BARS, len(SYMBOLS)), "u1")
    return path


@pytest.fixture
def here(tmp_path):
    (tmp_path / "actions.csv").write_text(TABLE)
    write(tmp_path / "raw.h5", bars())
    write(tmp_path / "all.h5", adjusted(bars(), BARS))
    write(tmp_path / "early.h5", adjusted(bars(), 100))
    return tmp_path


def compute(here, data, *more):
    done = hayate("features", "compute", SPEC, "--data", here / data, "-o", here / "f.npz", *more)
    assert done.returncode == 0, done.stderr
    return {k: v for k, v in np.load(here / "f.npz").items()}


def assert_same(got, want):
    assert got.keys() == want.keys()
    for name in got:
        assert got[name].tobytes() == want[name].tobytes(), name


def test_compute(here):
    actions = ("--actions", here / "actions.csv")
    whole = compute(here, "raw.h5", *actions)
    assert_same(whole, compute(here, "all.h5"))
    assert np.abs(whole["r"][1:]).max() < 0.1  # no fall to a quarter
    assert np.abs(compute(here, "raw.h5")["r"][1:]).max() > 1


def test_what_comes_after_the_last_row_is_not_known(here):
    until = ("--to", "2022-04-17")  # row 99; the split of row 110 is still to come
    got = compute(here, "raw.h5", "--actions", here / "actions.csv", *until)
    assert_same(got, compute(here, "early.h5", *until))
    assert len(got["time"]) == 100 and (got["price"][-1] == bars()["close"][99]).all()


def test_ex_is_on_the_universes_clock(here):
    """Midnight in Tokyo is nine hours before UTC's, and so one bar earlier."""
    write(here / "tokyo.h5", bars(), zone="Asia/Tokyo")
    (here / "one.csv").write_text("symbol,ex,kind,amount\nCCC,2022-03-28T20:00,split,0.5\n")
    moved = compute(here, "tokyo.h5", "--actions", here / "one.csv")["price"][:, 2] / bars()["close"][:, 2]
    assert (moved[:79] == 2).all() and (moved[79:] == 1).all()
    moved = compute(here, "raw.h5", "--actions", here / "one.csv")["price"][:, 2] / bars()["close"][:, 2]
    assert (moved[:80] == 2).all() and (moved[80:] == 1).all()


def test_fit_and_checks(here):
    spec = here / "spec.yaml"
    spec.write_text("hayate_spec: 1\nfeatures: ['r=logret(close,1)', 'm=rsi(close,5)']\n"
                    "norm: [{in: r, fit_z: {}}]\n")
    actions = ("--actions", here / "actions.csv")
    span = ("--from", "2022-01-08", "--to", "2022-05-07")
    for data, more, name in ("raw.h5", actions, "a.yaml"), ("all.h5", (), "b.yaml"):
        done = hayate("features", "fit", spec, "--data", here / data, *span, "-o", here / name, *more)
        assert done.returncode == 0, done.stderr
    assert (here / "a.yaml").read_bytes() == (here / "b.yaml").read_bytes()
    fit = ("--fit", here / "a.yaml")
    for check in ("parity", "lookahead", "recursive", "coverage", "bench"):
        done = hayate("features", check, spec, "--data", here / "raw.h5", *fit, *actions, "--json")
        assert done.returncode == 0, (check, done.stdout, done.stderr)
    plain = json.loads(hayate("features", "coverage", spec, "--data", here / "all.h5", *fit,
                              "--json").stdout)
    with_actions = json.loads(hayate("features", "coverage", spec, "--data", here / "raw.h5", *fit,
                                     *actions, "--json").stdout)
    assert plain == with_actions


def score(here, data, *more):
    """run.json, scores.csv and, evaluated, the evaluation."""
    shutil.copy(GOLDEN / "linear.onnx", here)
    (here / "p.yaml").write_text(
        "pipeline: test\nfeatures: ['r1=logret(close,1)', 'r5=logret(close,5)', "
        "'range=(high-low)/close']\nmodels:\n  - {name: lin, file: linear.onnx, output: 'y[0]'}\n")
    out = here / "out"
    done = hayate("score", here / "p.yaml", "--data", here / data, "--from", "2022-02-01", "--out", out,
                  *more)
    assert done.returncode == 0, done.stderr
    texts = {path.name: path.read_text() for path in out.iterdir() if path.suffix != ".html"}
    shutil.rmtree(out)
    return json.loads(texts.pop("run.json")), texts


@pytest.mark.parametrize("evaluate", [(), ("--evaluate",)])
def test_score(here, evaluate):
    table = here / "actions.csv"
    run, texts = score(here, "raw.h5", "--actions", table, *evaluate)
    by_hand, want = score(here, "all.h5", *evaluate)
    assert run["universe"]["actions"] == str(table) and "actions" not in by_hand["universe"]
    assert texts == want and len(texts) == (3 if evaluate else 1)


def test_evaluation_knows_the_actions_that_its_returns_cross(here):
    """The last row is the one before a split: the return from it is not the split's."""
    span = ("--to", "2022-04-27", "--evaluate")
    _, texts = score(here, "raw.h5", "--actions", here / "actions.csv", *span)
    assert texts == score(here, "all.h5", *span)[1]


def test_refusals_say_where(here):
    (here / "bad.csv").write_text("symbol,ex,kind,amount\nAAA,2022-03-01,merger,2\n")
    for path, word in (here / "bad.csv", "bad.csv:2"), (here / "none.csv", "none.csv"):
        done = hayate("features", "compute", SPEC, "--data", here / "raw.h5", "-o", here / "f.npz",
                      "--actions", path)
        assert done.returncode == 2 and word in done.stderr, done.stderr
    assert not (here / "f.npz").exists()
