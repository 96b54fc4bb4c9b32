# SPDX-License-Identifier: Apache-2.0
"""`hayate features parity|lookahead|recursive|coverage|bench`: exit statuses, tables, JSON, and what is
refused. What the checks find is held in tests/feature/test_check.c."""
import json
import os
import pathlib
import re
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
SPEC = "rsi=rsi.mid(close,5); sma(close,9); r=cs.rank(rsi); obv()"


def hayate(*words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *map(str, words)], capture_output=True, text=True, env=env,
                          timeout=120)


@pytest.fixture(scope="module")
def universe(tmp_path_factory):
    path = tmp_path_factory.mktemp("check") / "u.h5"
    done = hayate("gen", "--symbols", 12, "--bars", 400, "-o", path)
    assert done.returncode == 0, done.stderr
    return path


def checked(universe, kind, *words, spec=SPEC, status=0):
    done = hayate("features", kind, spec, "--data", universe, "--json", *words)
    assert done.returncode == status, done.stderr
    assert not done.stderr
    report = json.loads(done.stdout)
    assert report["check"] == kind and report["passed"] == (status == 0)
    assert report["n_findings"] == len(report["findings"]) or report["n_findings"] > 20
    return report


def test_lookahead(universe):
    report = checked(universe, "lookahead", "--points", 3, "--seed", 5)
    assert [f["name"] for f in report["features"]] == ["rsi", "sma(close,9)", "r", "obv()"]
    assert all(f["changed"] == f["changed_spoilt"] == 0 for f in report["features"])
    assert report["points"] == 3 and report["seed"] == 5 and report["compared"] > 1000
    again = [hayate("features", "lookahead", SPEC, "--data", universe, "--threads", n).stdout
             for n in (1, 2)]
    assert again[0] == again[1] and "lookahead: passed, 4 cuts" in again[0]


def test_parity(universe):
    report = checked(universe, "parity", "--points", 12)
    assert all(f["differ"] == 0 for f in report["features"]) and report["points"] == 12
    assert report["bars"] == 400 and report["symbols"] == 12 and report["snapshot_bytes"] > 0


def test_a_price_that_stands_still_hides_no_start(tmp_path):
    """Where nine of ten bars change nothing, the strength's last places are no range: the stochastic
    is 0 there, from whichever start. TA-Lib's STOCHRSI has the same zeros."""
    rng = np.random.default_rng(4)
    close = np.round(50 + np.cumsum(rng.choice([-0.01, 0, 0.01], 3000, p=[0.1, 0.8, 0.1])), 2)
    with h5py.File(tmp_path / "u.h5", "w") as f:
        for key, value in dict(hayate_universe=1, timeframe="1m", zone="UTC", calendar="",
                               source="test").items():
            f.attrs[key] = value
        f["time"] = (np.arange(3000) + 1) * 60 * 10**9
        f.create_dataset("symbol", data=["A"], dtype=h5py.string_dtype())
        f["close"], f["valid"] = close[:, None], np.ones((3000, 1), "u1")
    spec = "k=stochrsi(close,14,5,3); d=stochrsi(close,14,5,3).d"
    report = checked(tmp_path / "u.h5", "recursive", spec=spec)
    assert all(f["needed"] <= f["claimed"] for f in report["features"])
    done = hayate("features", "compute", spec, "--data", tmp_path / "u.h5", "-o", tmp_path / "f.npz")
    assert done.returncode == 0, done.stderr
    k = np.load(tmp_path / "f.npz")["k"][:, 0]
    same = np.lib.stride_tricks.sliding_window_view(np.diff(close) == 0, 4).all(axis=1)
    still = np.flatnonzero(same) + 4  # the last five closes are equal
    still = still[still > 20]
    assert len(still) > 500 and (k[still] == 0).all() and (k[21:] > 0).any()


def test_recursive(universe):
    report = checked(universe, "recursive")
    rsi, sma, _, obv = report["features"]
    assert report["starts"] == 3 and report["tol"] == 1e-6
    assert sma == {"name": "sma(close,9)", "lookback": 8, "claimed": 8, "needed": 8,
                   "worst_after_claimed": 0}
    assert 5 < rsi["needed"] < rsi["claimed"] and rsi["worst_after_claimed"] < 1e-9
    assert obv["claimed"] is None and obv["needed"] is None
    loose = checked(universe, "recursive", "--tol", 0.01)
    assert loose["features"][0]["needed"] < rsi["needed"]
    short = checked(universe, "recursive", "--warmup", 8, status=1)
    assert [f["feature"] for f in short["findings"]] == ["rsi", "r", "obv()"]
    assert "there are 8" in short["findings"][0]["what"]
    text = hayate("features", "recursive", SPEC, "--data", universe, "--warmup", 8)
    assert text.returncode == 1 and "found: obv(): never forgets" in text.stdout


def test_coverage(universe):
    report = checked(universe, "coverage", spec="sma(close,9); ln(close - 100)")
    with h5py.File(universe) as file:
        absent = 1 - file["valid"][:].mean()
        first = int(file["time"][8])
    sma, ln = report["features"]
    assert sma["absent"] == pytest.approx(absent) and sma["other"] == 0
    assert sma["missing"] == pytest.approx(sma["absent"] + sma["warm_up"])
    assert sma["first_time_ns"] == first and sma["empty_symbols"] == 0
    assert report["bars"] == 400 and report["symbols"] == 12
    failed = checked(universe, "coverage", "--max-missing", ln["other"] / 2,
                     spec="sma(close,9); ln(close - 100)", status=1) if ln["other"] else None
    if failed:
        found, = failed["findings"]
        assert found["feature"] == "ln(close-100)" and found["symbol"] and found["bar"] >= 0
    nothing = checked(universe, "coverage", spec="sma(close,1000)", status=1)
    assert nothing["findings"][0]["what"] == "has no value at all"
    assert nothing["features"][0]["first_time_ns"] is None


def test_bench(universe):
    report = checked(universe, "bench", "--threads", 1)
    assert report["threads"] == 1 and report["batch_ns"] > 0 and report["stream_us"] > 0
    assert sum(f["share"] for f in report["features"]) == pytest.approx(1)


def test_on_the_examples(tmp_path):
    """The shipped specs hold what they claim on the shipped data."""
    for folder, source, words in (
            ("us20-daily", "prices.csv", ["--zone", "America/New_York", "--calendar", "XNYS"]),
            ("eurusd-hourly", "EURUSD.csv", [])):
        path = tmp_path / f"{folder}.h5"
        hayate("import", EXAMPLES / folder / source, *words, "-o", path)
        for kind in ("parity", "lookahead", "recursive", "coverage"):
            checked(path, kind, spec=EXAMPLES / folder / "features.yaml")


def test_refusals(universe, tmp_path):
    for words, text in ((("features", "lookahead", SPEC), "--data"),
                        (("features", "recursive", "sma(close", "--data", universe), "spec"),
                        (("features", "coverage", SPEC, "--data", tmp_path / "no.h5"), "no.h5"),
                        (("features", "bench", "sma(nosuch,3)", "--data", universe), "nosuch")):
        done = hayate(*words)
        assert done.returncode == 2 and text in done.stderr, (words, done.stderr)


def test_a_file_may_hold_names_of_another_tool(universe, tmp_path):
    """Which only what asks for them refuses."""
    path = tmp_path / "other.h5"
    path.write_bytes(universe.read_bytes())
    with h5py.File(path, "a") as f:
        f.attrs.update(timeframe="every minute", zone="Mars/Base", calendar="NONE")
    for kind in ("parity", "lookahead", "recursive", "coverage", "bench"):
        done = hayate("features", kind, SPEC, "--data", path)
        assert done.returncode == 0, done.stderr
        done = hayate("features", kind, "is_last() + dow_sin()", "--data", path)
        assert done.returncode == 2 and ("Mars/Base" in done.stderr or "NONE" in done.stderr)


def test_the_pages_examples_run_as_printed(tmp_path):
    """In one folder, fit first: it makes what the others read."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hayate").symlink_to(os.path.abspath(HAYATE))
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    env["PATH"] = f"{tmp_path / 'bin'}:{env['PATH']}"
    listed = re.findall(r"^  (features \w+)", hayate("features", "--help").stdout, re.M)
    commands = sorted(listed, key=lambda words: words != "features fit")
    assert len(commands) >= 9
    for words in commands:
        page = hayate(*words.split(), "--help").stdout
        for line in re.findall(r"^    (.+)$", page.split("\nExample:\n")[1], re.M):
            done = subprocess.run(["sh", "-c", line], cwd=tmp_path, env=env, capture_output=True,
                                  text=True, timeout=120)
            assert done.returncode == 0, (line, done.stdout, done.stderr)
