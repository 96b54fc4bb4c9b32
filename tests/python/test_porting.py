# SPDX-License-Identifier: Apache-2.0
"""docs/porting.md as a user reads it: each pandas idiom beside what the page says it becomes, each
TA-Lib function as the spec that hayate.talib names for it, and the page's own scripts."""
import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate
import hayate._talib_table as table
import hayate.talib as talib

PAGE = (ROOT / "docs" / "porting.md").read_text()
IDIOMS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", PAGE, re.M)
BARS, SYMBOLS = 400, ["A", "B", "C", "D", "E"]
FIELDS = ("open", "high", "low", "close", "volume")


def market():
    rng = np.random.default_rng(12)
    close = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, (BARS, 5)), axis=0)), 2)
    open_ = np.round(close * (1 + rng.normal(0, 0.003, close.shape)), 2)
    out = {"open": open_, "high": np.maximum(open_, close) + 0.03,
           "low": np.minimum(open_, close) - 0.02, "close": close,
           "volume": np.floor(rng.lognormal(8, 1, close.shape))}
    return {"time": 3600 * 10**9 * (480000 + np.arange(1, BARS + 1)), "symbol": SYMBOLS,
            "timeframe": "1h", **out}


def test_the_table_is_read():
    assert len(IDIOMS) > 30


@pytest.mark.parametrize("idiom,text", IDIOMS)
def test_an_idiom_is_what_the_page_says(idiom, text):
    pd = pytest.importorskip("pandas")
    given = market()
    got = hayate.Features(f"f = {text}").batch(given)["f"]
    index = pd.DatetimeIndex(given["time"], tz="UTC")
    wide = {k: pd.DataFrame(given[k], index, SYMBOLS) for k in FIELDS}
    want = eval(idiom, {"np": np, "pd": pd}, wide)
    want = np.array(want, dtype=float)
    assert np.array_equal(np.isnan(got), np.isnan(want)), "what is missing"
    assert np.nanmax(np.abs(got - want)) <= 1e-9 * np.nanmax(np.abs(want))
    assert np.isfinite(got).sum() > 500


@pytest.mark.parametrize("idiom,text", IDIOMS)
def test_what_an_idiom_becomes_is_a_spec(idiom, text):
    assert np.isfinite(hayate.Features(f"f = {text}").batch(market())["f"]).sum() > 500


@pytest.mark.parametrize("name", table.ROWS)
def test_a_function_of_talib_is_the_spec_that_is_named(name):
    row, given = table.ROWS[name], market()
    named = ["close", "volume"] if "periods" in row.inputs else []
    features = hayate.Features(talib.spec(name, *named))
    got = features.batch(given)
    series = {"real": "close", "real0": "high", "real1": "low", "periods": "volume"}
    arrays = [np.ascontiguousarray(given[series.get(key, key)][:, 0]) for key in row.inputs]
    with np.errstate(all="ignore"):
        want = getattr(talib, name)(*arrays)
    want = want if isinstance(want, tuple) else (want,)
    assert len(features.names) == len(want)
    if row.note == "index":  # places in the window there
        return
    for key, right in zip(features.names, want):
        mine, right = got[key][:, 0], np.asarray(right, float)
        there = np.isfinite(mine) & np.isfinite(right)  # TA-Lib has 0 where a candle is missing
        np.testing.assert_allclose(mine[there], right[there], rtol=1e-12, atol=1e-12)
        assert row.note.startswith(("integer", "zero")) or there.sum() == np.isfinite(right).sum()


def test_specs_that_do_not_exist():
    assert talib.spec("SMA", "volume", timeperiod=5) == "sma = sma(volume,5)"
    assert talib.spec("MACD", fastperiod=8).startswith("macd = macd(close,8,26,9).macd; macdsignal")
    with pytest.raises(TypeError, match="SMA has no 'period'; it has timeperiod"):
        talib.spec("SMA", period=5)


def test_the_page_s_python(tmp_path):
    for code in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
        assert done.returncode == 0, done.stderr
        for line in re.findall(r"print\(.*\)  # (.*)", code):
            assert line in done.stdout, done.stdout


def test_every_function_beside_talib():
    pytest.importorskip("talib")
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "talib_parity.py")], text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"19\d functions agree to 1e-9 .*, 0 differ$", done.stdout.splitlines()[-1])
