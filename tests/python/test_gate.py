# SPDX-License-Identifier: Apache-2.0
"""FeatureGate: rows of bars that come symbol by symbol, what is missing, corrections; and the programs
that docs/streams.md shows."""
import io
import os
import pathlib
import re
import subprocess
from contextlib import redirect_stdout

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ["HAYATE_BUILD"]
import hayate

SYMBOLS, BARS = ["A", "B", "C"], 40
TIME = (np.arange(BARS) * 60 + 1_700_000_000) * 10 ** 9
SPEC = "rsi(close,5); r=cs.rank(logret(close,1)); sma(close,4)"
CLOSE = 30 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, (BARS, 3)), axis=0))


def batch(features, close, valid=None):
    panel = {"time": TIME, "symbol": SYMBOLS, "close": close}
    if valid is not None:
        panel["valid"] = valid
    table = features.batch(panel)
    return np.stack([table[n] for n in features.names], axis=-1)


def test_corrections_and_missing():
    features = hayate.Features(SPEC)
    gate = features.stream(SYMBOLS, fields=["close"]).gate(late="replay", kept=20,
                                                           checkpoint_rows=7)
    got, revisions = np.empty((BARS, 3, 3)), np.zeros(BARS, int)

    def take():
        for row in gate.rows():
            t = int(np.searchsorted(TIME, row.time_ns))
            got[t], revisions[t] = row.values, row.revision
            assert (row.valid == ~np.isnan(row.values)).all()
            if row.revision == 0:
                assert row.missing == (["B"] if t == 12 else []) and row.n_bars == 3 - (t == 12)

    for t in range(BARS):
        for k, name in enumerate(SYMBOLS):
            if (t, name) != (12, "B"):
                wrong = 2.0 if (t, name) == (20, "C") else 1.0
                gate.push(name if t % 2 else k, TIME[t].astype("datetime64[ns]"),
                          {"close": CLOSE[t, k] * wrong} if k else [CLOSE[t, k] * wrong])
        if t == 12:
            assert not list(gate.rows())
            gate.close(TIME[t])
        take()
        if t == 25:
            gate.push("C", TIME[20], [CLOSE[20, 2]])
            gate.push("B", TIME[12], [CLOSE[12, 1]])
            take()
    assert got.tobytes() == batch(features, CLOSE).tobytes()
    assert revisions.tolist() == [0] * 12 + [1] * 14 + [0] * 14
    counts = gate.counts
    assert (counts["n_replayed"], counts["n_corrections"], counts["n_rows"]) == (2, 1, BARS)
    assert counts["n_revisions"] == 14 and counts["n_bars"] == 3 * BARS + 1


def test_a_split_goes_unnoticed():
    """Prices halved by a split, and the gate told of it: returns as without."""
    features = hayate.Features("sma(close,4)/close; rsi(close,5)")
    actions = [("B", TIME[20], "split", 2.0)]
    gate = features.stream(SYMBOLS, fields=["close"]).gate(actions=actions)
    split = np.where((TIME[:, None] > TIME[20]) & (np.arange(3) == 1), CLOSE / 2, CLOSE)
    got = []
    for t in range(BARS):
        for k in range(3):
            gate.push(k, TIME[t], [split[t, k]])
        got += [row.values for row in gate.rows()]
    assert np.stack(got).tobytes() == batch(features, CLOSE).tobytes()


def test_barriers_and_refusals():
    features = hayate.Features(SPEC)
    gate = features.stream(SYMBOLS, fields=["close"]).gate(barrier="quorum", quorum=0.6,
                                                           expected=["A", "C"])
    gate.push("A", int(TIME[0]), [1.0])
    gate.push("B", int(TIME[0]), [1.0])
    assert not list(gate.rows())
    gate.expect()
    rows = list(gate.rows())
    assert len(rows) == 1 and rows[0].missing == ["C"]
    with pytest.raises(hayate.Error, match="C.*after the row") as e:
        gate.push("C", int(TIME[0]), [1.0])
    assert e.value.status == "LATE"
    with pytest.raises(hayate.Error, match="B.*close is not a number"):
        gate.push("B", int(TIME[1]), [np.nan])
    with pytest.raises(ValueError, match="no symbol 'X'"):
        gate.push("X", 1, [1.0])
    with pytest.raises(ValueError, match="barrier is 'most'"):
        features.stream(SYMBOLS).gate(barrier="most")
    with pytest.raises(hayate.Error, match="quorum"):
        features.stream(SYMBOLS).gate(barrier="quorum")
    timed = features.stream(SYMBOLS, fields=["close"]).gate(barrier="deadline", deadline_ns=5)
    timed.push("A", 100, [1.0])
    timed.advance(104)
    assert not list(timed.rows())
    timed.advance(105)
    assert [r.missing for r in timed.rows()] == [["B", "C"]]


def shown(language):
    page = (ROOT / "docs" / "streams.md").read_text()
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def test_documented_python():
    for code in shown("python"):
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(code, "docs/streams.md", "exec"), {})
        wanted = re.findall(r"print\(.*\)  # (.*)", code)
        assert wanted and all(line in out.getvalue() for line in wanted), out.getvalue()


def test_documented_c(tmp_path):
    (code,) = shown("c")
    (tmp_path / "gate.c").write_text(code)
    words = [os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror",
             f"-I{ROOT / 'include'}", "gate.c", f"-L{BUILD}", "-lhayate", "-o", "gate"]
    subprocess.run(words, cwd=tmp_path, check=True)
    out = subprocess.run([tmp_path / "gate"], text=True, capture_output=True, check=True,
                         env={**os.environ, "LD_LIBRARY_PATH": BUILD}).stdout.splitlines()
    assert out[2] == "3: 0 missing, A 12, B 18" and out[3] == "4: 1 missing, A 13, B nan"
