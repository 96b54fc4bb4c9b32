# SPDX-License-Identifier: Apache-2.0
"""hayate.talib against TA-Lib's own answers (tests/golden/talib), and its manners: leading missing
values, types, lengths, Series, the abstract interface, threads."""
import ctypes as c
import inspect
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate
import hayate._talib_table as table
import hayate.talib as talib
from hayate._library import LIB, written
from hayate.talib import abstract

PACKED = dict(np.load(ROOT / "tests" / "golden" / "talib" / "calls.npz"))
GOLDEN = {str(name): values.astype("i4") if integer else values for name, integer, values in zip(
    PACKED["name"], PACKED["integer"], np.split(PACKED["values"], PACKED["n"].cumsum()[:-1]))}
CALLS = sorted({key.rpartition(".")[0] for key in GOLDEN if not key.startswith("input.")})
CLOSE = GOLDEN["input.close"]
# examples/talib_port.py --peer, with TA-Lib 0.8.2
TALIB_PRINTS = """\
6225 bars, 71 buys, 17 sells, 3021 wide bars
last: rsi 65.2101, macd 0.0018613, signal 0.0018226, adx 50.8835, atr 0.0012242, \
stochastic 73.4651 79.0831
"""


def columns(lead=False):
    """The golden's inputs; with `lead`, each column begins some rows late."""
    names = ["open", "high", "low", "close", "volume", "periods", "real", "real0", "real1"]
    given = {n: np.array(GOLDEN.get(f"input.{n}", CLOSE)) for n in names}
    if lead:
        for k, column in enumerate(given.values()):
            column[:k % 6] = np.nan
    return given


def number(text):
    return float(text) if "." in text else int(text)


def assert_equal(got, want, what):
    assert got.dtype == want.dtype, what
    missing = np.isnan(want.astype(float))
    assert (np.isnan(got.astype(float)) == missing).all(), what
    scale = np.abs(want[~missing]).max(initial=0)
    assert (np.abs(got[~missing] - want[~missing]) <= 1e-9 * scale).all(), what


def test_what_only_rises_has_a_strength_of_exactly_100():
    """A rounding more would make two of them differ, and STOCHRSI 100 in place of 0."""
    x = np.cumsum(np.random.default_rng(3).uniform(0.1, 3, 400))
    volume = np.random.default_rng(4).uniform(1, 9, 400)
    for n in (2, 5, 14):
        assert (talib.RSI(x, n)[n:] == 100).all() and (talib.RSI(-x, n)[n:] == 0).all()
        assert (talib.CMO(x, n)[n:] == 100).all() and (talib.CMO(-x, n)[n:] == -100).all()
        assert (talib.MFI(x, x, x, volume, n)[n:] == 100).all()
        assert (talib.STOCHRSI(x, n, n, 1)[0][2 * n:] == 0).all()


# KAMA of a line that stands still at 0 or 100 goes by the rounding of TA-Lib's running sum.
NO_GOLDEN = {"STOCHRSI(fastd_matype=6)"}


@pytest.mark.parametrize("call", CALLS)
def test_answers_are_talibs(call):
    lead, text = call.startswith("lead "), call.removeprefix("lead ")
    name, _, given = text.rstrip(")").partition("(")
    row = table.ROWS[name]
    given = {k: number(v) for k, v in (pair.split("=") for pair in given.split(",") if pair)}
    scale = 1 / 128 if name in ("ACOS", "ASIN") and not lead else 1
    got = getattr(talib, name)(*[columns(lead)[c] * scale for c in row.inputs], **given)
    got = got if isinstance(got, tuple) else (got,)
    if text in NO_GOLDEN:
        return
    for output, values in zip(row.outputs, got, strict=True):
        want = GOLDEN[f"{call}.{output}"]
        values = values[:len(want)] if lead else values[-len(want):]
        assert_equal(values, want, f"{call}.{output}")


def test_the_table_is_whole():
    assert {call.removeprefix("lead ").partition("(")[0] for call in CALLS} == set(table.ROWS)
    assert len(table.ROWS) == 201  # TA-Lib 0.8
    assert set(talib.get_functions()) == set(table.ROWS) == set(sum(
        talib.get_function_groups().values(), []))
    assert str(inspect.signature(talib.BBANDS)) == (
        "(real, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0)")


def test_defaults_of_definitions_are_talibs():
    """A bare call means what TA-Lib's bare call means, wherever the definition names TA-Lib."""
    listed = json.loads(written(LIB.hy_features_list, b"", c.c_bool(True)))["definitions"]
    n_held = 0
    for one in listed:
        named = re.search(r"TA-Lib (\w+)", one["doc"])
        row = named and table.ROWS.get(named[1])
        if not row or not row.defaults or row.note == "numpy" or not one["params"]:
            continue
        defaults = [p["default"] for p in one["params"]]
        theirs = [v for k, v in row.defaults.items()
                  if "matype" not in k and k != "nbdevdn"][:len(defaults)]
        assert defaults == theirs, (one["id"], row.name)
        n_held += 1
    assert n_held > 90


def test_candles_are_the_patterns_of_their_name():
    """A random walk shows few of them, so the table is held to what the definitions call
    themselves; their values are held in tests/feature."""
    listed = json.loads(written(LIB.hy_features_list, b"cdl.", c.c_bool(True)))["definitions"]
    doc = {one["id"]: one["doc"] for one in listed}
    rows = [row for row in table.ROWS.values() if row.group == "Pattern Recognition"]
    assert len(rows) == 61
    for row in rows:
        name = row.spec(list(row.defaults.values())).partition("(")[0]
        assert doc[name].endswith(f"({row.name})")
        assert getattr(talib, row.name)(*[columns()[k] for k in row.inputs]).dtype == np.int32


def test_what_is_not_there_is_refused_by_name():
    with pytest.raises(AttributeError, match="has no attribute 'NOPE'"):
        talib.NOPE
    with pytest.raises(AttributeError, match="stream"):
        talib.stream
    with pytest.raises(hayate.Error, match="none of TA-Lib's averages"):
        talib.MA(CLOSE, 10, matype=99)
    with pytest.raises(hayate.Error, match="matype=1 is not supported"):
        talib.MAVP(CLOSE, CLOSE * 0 + 3, matype=1)
    with pytest.raises(hayate.Error, match=r"SMA\(timeperiod=0\).*whole number"):
        talib.SMA(CLOSE, 0)
    with pytest.raises(NotImplementedError, match="RSI"):
        talib.set_unstable_period("RSI", 70)
    assert talib.MA_Type[3] == "Double Exponential Moving Average" and talib.MA_Type.T3 == 8


def test_lengths_and_types():
    with pytest.raises(Exception, match="input array lengths are different"):
        talib.ADX(CLOSE, CLOSE, CLOSE[:5])
    with pytest.raises(Exception, match="input array has wrong dimensions"):
        talib.SMA(CLOSE.reshape(2, -1))
    with pytest.raises(TypeError, match="timeperod"):
        talib.SMA(CLOSE, timeperod=3)
    want = talib.SMA(np.ascontiguousarray(CLOSE[::2]), 7)
    read_only = CLOSE.copy()
    read_only.flags.writeable = False
    assert_equal(talib.SMA(CLOSE[::2], 7), want, "strided")
    assert_equal(talib.SMA(list(CLOSE[::2]), 7), want, "list")
    assert_equal(talib.SMA(read_only, 7), talib.SMA(CLOSE, 7), "read-only")
    assert_equal(talib.SUM(np.arange(9), 3), talib.SUM(np.arange(9.0), 3), "integers")
    assert len(talib.RSI(np.zeros(0))) == 0 and talib.MAXINDEX(np.zeros(0)).dtype == np.int32
    assert np.isnan(talib.RSI(np.full(4, np.nan))).all()
    assert_equal(talib.RSI(CLOSE, timeperiod=-2 ** 31), talib.RSI(CLOSE), "TA-Lib's default mark")


def test_a_missing_value_inside_heals():
    holed = CLOSE.copy()
    holed[50] = np.nan
    sma, rsi = talib.SMA(holed, 5), talib.RSI(holed)
    assert np.isnan(sma[50:55]).all() and (sma[55:] == talib.SMA(CLOSE, 5)[55:]).all()
    assert np.isnan(rsi[50]) and np.isfinite(rsi[52:]).all()


def test_threads():
    want = {n: talib.ATR(CLOSE + 1, CLOSE - 1, CLOSE, n).tobytes() for n in range(2, 40)}
    talib._call._compiled.clear()
    wrong = []

    def work():
        for n, bits in want.items():
            if talib.ATR(CLOSE + 1, CLOSE - 1, CLOSE, n).tobytes() != bits:
                wrong.append(n)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def bits(values):
    values = values if isinstance(values, tuple) else (values,)
    return [(v.dtype, v.tobytes()) for v in values]


@pytest.mark.parametrize("lead", [False, True])
def test_the_short_way_has_the_bits_of_the_long_one(lead):
    """The first call compiles and goes the long way, as do strides; the next are short."""
    given = columns(lead)
    for name, row in table.ROWS.items():
        arrays = [given[column] for column in row.inputs]
        function = getattr(talib, name)
        first, second = function(*arrays), function(*arrays)
        strided = function(*[np.repeat(a, 2)[::2] for a in arrays])
        assert bits(first) == bits(second) == bits(strided), name
        kept = bits(second)
        function(*[a + 1 for a in arrays])
        assert bits(second) == kept, f"{name}: an answer is its own array"


def test_a_forked_child_computes():
    """With the programs that are there, and with new ones though a thread was just compiling."""
    want, new = bits(talib.RSI(CLOSE, 5)), bits(talib.RSI(CLOSE, 6))
    del talib._call._compiled["RSI", 6]
    with talib._call._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit([bits(talib.RSI(CLOSE, n)) for n in (5, 6)] != [want, new])
    assert os.waitpid(child, 0)[1] == 0


def test_programs_are_kept_and_limited(monkeypatch):
    monkeypatch.setattr(talib._call, "_COMPILED_MAX", 3)
    talib._call._compiled.clear()
    for n in (2, 3, 4, 5, 5):
        talib.SMA(CLOSE, n)
    assert list(talib._call._compiled) == [("SMA", 3), ("SMA", 4), ("SMA", 5)]


def test_abstract():
    bars = {k: v for k, v in columns().items() if not k.startswith("real")}
    f = abstract.Function("sma")
    assert_equal(f(bars, timeperiod=5), talib.SMA(CLOSE, 5), "dict")
    assert_equal(f(bars, 5, price="open"), talib.SMA(bars["open"], 5), "price=")
    assert f.parameters == {"timeperiod": 30} and f.input_names == {"price": "close"}
    assert_equal(abstract.ATR(bars["high"], bars["low"], CLOSE, 7),
                 talib.ATR(bars["high"], bars["low"], CLOSE, 7), "arrays")
    bands = abstract.BBANDS(bars, timeperiod=9)
    assert isinstance(bands, list) and len(bands) == 3
    assert abstract.BBANDS.output_names == ["upperband", "middleband", "lowerband"]
    assert abstract.STOCH.lookback == 8 and abstract.COS.lookback == 0
    assert abstract.OBV.input_names == {"price": "close", "prices": ["volume"]}
    assert abstract.CORREL.info["input_names"] == {"price0": "high", "price1": "low"}
    f.set_input_arrays(bars)
    f.parameters = {"timeperiod": 4}
    assert_equal(f.outputs, talib.SMA(CLOSE, 4), "what was set")
    assert_equal(f.run({"close": bars["open"]}), talib.SMA(bars["open"], 4), "run")
    for wrong, match in ((lambda: abstract.Function("NOPE"), "NOPE not supported"),
                         (lambda: abstract.RSI({"open": CLOSE}), "required data key: close"),
                         (lambda: abstract.ATR(CLOSE, CLOSE), "expected 3"),
                         (lambda: abstract.RSI(bars, timeperiod="a"), "expected int, got str"),
                         (lambda: abstract.RSI(bars, tmeperiod=3), "no parameter 'tmeperiod'"),
                         (lambda: abstract.Function("MOM")(), "Not enough price arguments")):
        with pytest.raises(Exception, match=match):
            wrong()


def test_pandas():
    pd = pytest.importorskip("pandas")
    bars = pd.DataFrame({k: v for k, v in columns().items() if not k.startswith("real")},
                        index=pd.date_range("2024-01-01", periods=len(CLOSE), tz="UTC"))
    rsi = talib.RSI(bars["close"])
    assert isinstance(rsi, pd.Series) and rsi.index.equals(bars.index)
    assert_equal(rsi.to_numpy(), talib.RSI(CLOSE), "series")
    upper, _, lower = talib.BBANDS(real=bars["close"], timeperiod=5)
    assert (upper.dropna() >= lower.dropna()).all()
    both = abstract.STOCH(bars)
    assert list(both.columns) == ["slowk", "slowd"] and both.index.equals(bars.index)
    assert isinstance(abstract.RSI(bars), pd.Series)


def test_polars():
    pl = pytest.importorskip("polars")
    bars = pl.DataFrame({k: v for k, v in columns().items() if not k.startswith("real")})
    assert_equal(talib.RSI(bars["close"]).to_numpy(), talib.RSI(CLOSE), "series")
    assert abstract.MACD(bars).columns == ["macd", "macdsignal", "macdhist"]
    pd = pytest.importorskip("pandas")
    with pytest.raises(Exception, match="mix"):
        talib.ADD(bars["close"], pd.Series(CLOSE))


def test_the_example_prints_what_talib_prints():
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "talib_port.py")], text=True,
                          capture_output=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    assert done.stdout == TALIB_PRINTS
