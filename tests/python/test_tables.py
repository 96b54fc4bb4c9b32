# SPDX-License-Identifier: Apache-2.0
"""Tables in and out: the Arrow C data interface (both ways by the module's own structures, and with
pyarrow and polars where they are installed), and pandas frames."""
import ctypes
import gc
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate
from hayate import _arrow, _arrow_out, _layout, _pandas

BARS, SYMBOLS = 90, ["AAPL", "MSFT", "疾風", "BRK.B", "X"]
TIME = (np.arange(BARS) * 60 + 1_700_000_000) * 10 ** 9
SPEC = "rsi(close,5); r=cs.rank(logret(close,1)); vwma(4)"


def market():
    rng = np.random.default_rng(8)
    shape = (BARS, len(SYMBOLS))
    close = 50 + np.cumsum(rng.normal(0, 0.3, shape), axis=0)
    return {"close": close, "volume": np.floor(rng.lognormal(6, 1, shape)) + 1}


@pytest.fixture(scope="module")
def features():
    return hayate.Features(SPEC)


@pytest.fixture(scope="module")
def want(features):
    return features.batch({"time": TIME, "symbol": SYMBOLS, **market()})


def assert_same(features, got, want):
    assert got["symbol"].tolist() == SYMBOLS and (got["time"] == TIME).all()
    for name in features.names:
        assert got[name].tobytes() == want[name].tobytes(), name


# ---- without any package of Arrow's ----

def test_a_table_out_is_a_table_in(features, want):
    """What is exported is read back: values without a copy, nulls where values are missing."""
    table = features.arrow({"time": TIME, "symbol": SYMBOLS, **market()})
    assert table.column_names == ["time", "symbol", *features.names]
    for lent in (table, OneArray(table)):
        panel, rows = _arrow.read_long(lent, "time", "symbol", None, {})
        assert rows.cells is None and panel["symbol"] == SYMBOLS and (panel["time"] == TIME).all()
        for name in features.names:
            assert panel[name].tobytes() == want[name].tobytes()
    again = hayate.Features("twice=r*2").batch(table)
    assert np.array_equal(again["twice"], want["r"] * 2, equal_nan=True)
    del table, panel, rows, again, lent
    gc.collect()
    assert not _arrow_out._held and not _arrow_out._structures


class OneArray:
    def __init__(self, table):
        self.__arrow_c_array__ = table.__arrow_c_array__


def test_the_exported_structures(features, want):
    """The layout that the interface's specification asks for, looked at byte by byte."""
    table = features.arrow({"time": TIME, "symbol": SYMBOLS, **market()})
    capsules = table.__arrow_c_array__()
    schema, array = (kind.from_address(_arrow._capsule_pointer(capsule, name)) for capsule, name,
                     kind in zip(capsules, (b"arrow_schema", b"arrow_array"),
                                 (_arrow.ArrowSchema, _arrow.ArrowArray)))
    assert schema.format == b"+s" and schema.n_children == array.n_children == 5
    assert [schema.children[k].contents.format for k in range(5)] == [b"tsn:UTC", b"i", b"g", b"g",
                                                                      b"g"]
    names = [schema.children[k].contents.name.decode() for k in range(5)]
    assert names == ["time", "symbol", *features.names]
    assert schema.children[1].contents.dictionary.contents.format == b"u"
    assert array.length == BARS * len(SYMBOLS) and array.offset == 0
    rsi, missing = array.children[2].contents, np.isnan(want["rsi(close,5)"]).reshape(-1)
    assert rsi.null_count == missing.sum() and rsi.n_buffers == 2
    assert rsi.buffers[1] == table._answer["rsi(close,5)"].ctypes.data  # no copy
    bits = np.frombuffer(ctypes.string_at(rsi.buffers[0], (len(missing) + 7) // 8), "u1")
    unpacked = np.unpackbits(bits, bitorder="little")[:len(missing)]
    assert (unpacked == ~missing).all()


def test_columns_lie_as_a_panel_or_are_laid_out():
    codes = np.tile([1, 0, 2], 4)
    time = np.repeat([10, 20, 30, 40], 3)
    column = np.arange(12.0)
    rows = _layout.Rows(time, codes, ["b", "a", "c"])
    assert rows.cells is None and rows.symbols == ["a", "b", "c"]
    assert np.shares_memory(rows.matrix(column), column)
    shuffle = np.random.default_rng(1).permutation(12)[:11]
    rows = _layout.Rows(time[shuffle], codes[shuffle], ["b", "a", "c"])
    assert rows.symbols == ["b", "a", "c"] and rows.shape == (4, 3)
    matrix = rows.matrix(column[shuffle])
    assert np.isnan(matrix).sum() == 1 and (rows.column(matrix) == column[shuffle]).all()
    with pytest.raises(ValueError, match="two rows for a at 1970-01-01T00:00:00.000000020Z"):
        _layout.Rows(np.append(time, 20), np.append(codes, 1), ["b", "a", "c"])


def test_times_that_do_not_exist_or_do_not_fit_are_refused(features):
    day = np.datetime64("2024-01-02")
    for times, message in (([np.datetime64("NaT"), day], "without a time"),
                           ([day, np.datetime64("9999-12-31")], "64 bits"),
                           ([day, np.datetime64(2 ** 40, "s")], "64 bits")):
        panel = {"time": np.array(times), "symbol": ["a"], "close": np.ones((2, 1)),
                 "volume": np.ones((2, 1))}
        with pytest.raises(ValueError, match=message):
            features.batch(panel)
        with pytest.raises(ValueError, match=message):
            stream = features.stream(["a"])
            for time in times:
                stream.update(time, [1] * 5)


def test_what_is_masked_is_missing(features):
    close = np.ma.masked_array(market()["close"], np.arange(BARS * 5).reshape(BARS, 5) % 7 == 3)
    panel = {"time": TIME, "symbol": SYMBOLS, **market()}
    got = features.batch({**panel, "close": close})
    want = features.batch({**panel, "close": close.filled(np.nan)})
    stream = features.stream(SYMBOLS, ["close", "volume"])
    for t in range(BARS):
        row, _ = stream.update(int(TIME[t]), [close[t], panel["volume"][t]])
    for k, name in enumerate(features.names):
        assert got[name].tobytes() == want[name].tobytes(), name
        assert row[:, k].tobytes() == want[name][-1].tobytes(), name


def test_a_bar_without_fields_does_not_exist():
    fields = {"close": np.array([1, np.nan, 3, np.nan]), "open": np.array([1, np.nan, np.nan, 4.0])}
    rows = _layout.Rows(np.arange(4), np.zeros(4, "i8"), ["a"])
    assert _layout.panel(rows, fields, {})["valid"].ravel().tolist() == [1, 0, 1, 1]
    assert "valid" not in _layout.panel(rows, {"Close": fields["open"] * 0 + 1, "x": np.ones(4)}, {})
    with pytest.raises(ValueError, match="a field twice"):
        _layout.panel(rows, {"Close": fields["open"], "close": fields["open"]}, {})
    with pytest.raises(ValueError, match="named time"):
        _layout.panel(rows, {"time": fields["open"]}, {})


# ---- Arrow's own packages ----

@pytest.fixture(scope="module")
def long():
    pa = pytest.importorskip("pyarrow")
    n = len(SYMBOLS)
    return pa.table({"time": pa.array(np.repeat(TIME, n)).cast(pa.timestamp("ns", "UTC")),
                     "symbol": SYMBOLS * BARS, **{k: v.ravel() for k, v in market().items()}})


def test_pyarrow(long, features, want):
    import pyarrow as pa
    panel = _arrow.read_long(long, "time", "symbol", None, {})[0]
    there = panel["close"].__array_interface__["data"][0]
    assert there == long["close"].chunk(0).buffers()[1].address  # no copy
    codes = long["symbol"].dictionary_encode()
    forms = [long, long.combine_chunks().to_batches()[0],
             pa.concat_tables([long.slice(0, 7), long.slice(7, 50), long.slice(57)]),
             long.set_column(1, "symbol", codes), long.slice(0, BARS * len(SYMBOLS)),
             long.set_column(1, "symbol", long["symbol"].cast(pa.large_string())),
             long.set_column(0, "time", long["time"].cast(pa.timestamp("s", "Asia/Tokyo"))),
             long.set_column(0, "time", long["time"].cast(pa.int64())),
             long.append_column("venue", pa.array(["x"] * len(long)))]
    for form in forms[:-1]:
        assert_same(features, features.batch(form), want)
    with pytest.raises(ValueError, match="'venue' is of Arrow format 'u'"):
        features.batch(forms[-1])
    some = hayate.from_arrow(forms[-1], fields=["close", "volume"], calendar="24x7")
    assert_same(features, features.batch(some), want)
    assert hayate.from_arrow(forms[6]).zone == "Asia/Tokyo" and some.calendar == "24x7"
    sliced = features.batch(long.slice(3 * len(SYMBOLS)))  # an offset that is no multiple of 8
    assert (sliced["time"] == TIME[3:]).all()


def test_pyarrow_nulls_and_orders(long, features, want):
    import pyarrow as pa
    close = market()["close"]
    close[7, 2] = np.nan
    holed = long.set_column(2, "close", pa.array(close.ravel(), from_pandas=True))
    assert holed["close"].null_count == 1
    expect = features.batch({"time": TIME, "symbol": SYMBOLS, **{**market(), "close": close}})
    assert_same(features, features.batch(holed), expect)
    order = np.random.default_rng(2).permutation(len(long))
    got = features.batch(long.take(order))
    back = [got["symbol"].tolist().index(s) for s in SYMBOLS]
    assert got["rsi(close,5)"][:, back].tobytes() == want["rsi(close,5)"].tobytes()
    fewer = features.batch(long.take(np.delete(np.arange(len(long)), 3)))
    assert fewer["vwma(4).valid"][0, 3] == 0 and fewer["time"].shape == (BARS,)
    with pytest.raises(ValueError, match="no column 'time'"):
        features.batch(long.drop(["time"]))
    nameless = long.set_column(1, "symbol", pa.array([None] + (SYMBOLS * BARS)[1:]))
    with pytest.raises(ValueError, match="without a name"):
        features.batch(nameless)


def test_pyarrow_times_past_the_range(features):
    pa = pytest.importorskip("pyarrow")
    for unit in ("s", "ms", "us"):
        table = pa.table({"time": pa.array([2 ** 62], pa.timestamp(unit)), "symbol": ["a"],
                          "close": [1.0], "volume": [1.0]})
        with pytest.raises(ValueError, match="64 bits"):
            features.batch(table)


def test_pyarrow_wide_and_single(long, features, want):
    import pyarrow as pa
    time = long["time"].take(np.arange(0, len(long), len(SYMBOLS)))
    wide = {field: pa.table({"time": time, **{s: m[:, k] for k, s in enumerate(SYMBOLS)}})
            for field, m in market().items()}
    assert_same(features, features.batch(hayate.from_arrow(wide)), want)
    with pytest.raises(ValueError, match="row 1 .*comes behind a later one .*sort it by 'time'"):
        hayate.from_arrow({k: v.take(np.arange(BARS)[::-1]) for k, v in wide.items()})
    one = pa.table({"time": time, **{f: m[:, 1].copy() for f, m in market().items()}})
    panel = _arrow.read_long(one, "time", "MSFT", None, {})[0]
    there = panel["close"].__array_interface__["data"][0]
    assert there == one["close"].chunk(0).buffers()[1].address
    got = features.batch(hayate.from_arrow(one, symbol="MSFT"))
    assert got["symbol"].tolist() == ["MSFT"]
    assert np.array_equal(got["vwma(4)"][:, 0], want["vwma(4)"][:, 1], equal_nan=True)


def test_pyarrow_takes_the_answer(long, features, want):
    import pyarrow as pa
    table = features.arrow(long)
    there = table._answer["r"].ctypes.data
    for read in (pa.table, pa.record_batch):
        got = read(table)
        got.validate(full=True)
        assert got.schema.names == ["time", "symbol", *features.names]
        assert got["symbol"].to_pylist() == SYMBOLS * BARS
        column = got["r"].chunk(0) if read is pa.table else got["r"]
        assert column.buffers()[1].address == there and column.null_count == len(SYMBOLS)
        assert np.array_equal(column.to_numpy(zero_copy_only=False), want["r"].ravel(),
                              equal_nan=True)
    del table, column
    gc.collect()
    assert got["r"].null_count == len(SYMBOLS)  # it lives as long as the taker


def test_polars(long, features, want):
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(long)
    symbol = pl.col("symbol")
    for form in (frame, frame.with_columns(symbol.cast(pl.Categorical)),
                 frame.with_columns(symbol.cast(pl.Enum(SYMBOLS))),
                 frame.with_columns(pl.col("time").dt.cast_time_unit("ms")),
                 frame.sort("time", maintain_order=True)):
        assert_same(features, features.batch(form), want)
    lengthy = features.batch(frame.with_columns(symbol + " of a name past twelve bytes"))
    assert lengthy["symbol"][0] == "AAPL of a name past twelve bytes"
    assert lengthy["r"].tobytes() == want["r"].tobytes()
    answer = pl.DataFrame(features.arrow(frame))
    assert answer.columns == ["time", "symbol", *features.names]
    assert answer["r"].null_count() == len(SYMBOLS)


# ---- pandas ----

@pytest.fixture(scope="module")
def frame():
    pd = pytest.importorskip("pandas")
    index = pd.MultiIndex.from_product([pd.DatetimeIndex(TIME), SYMBOLS], names=["time", "symbol"])
    return pd.DataFrame({k: v.ravel() for k, v in market().items()}, index=index)


def test_pandas_long(frame, features, want):
    import pandas as pd
    assert_same(features, features.batch(frame), want)
    close = _pandas.Source(frame, "time", "symbol", None, {}).panel["close"]
    assert np.shares_memory(close, frame["close"].to_numpy())
    got = features.frame(frame)
    assert got.index.equals(frame.index) and list(got.columns) == features.names
    for name in features.names:
        assert got[name].to_numpy().tobytes() == want[name].tobytes()
    for other in (frame.sort_index(level="symbol"), frame.sample(frac=1, random_state=1),
                  frame.swaplevel()):
        back = features.frame(other)
        assert back.index.equals(other.index)
        back = back.swaplevel() if other.index.names[0] == "symbol" else back
        pd.testing.assert_frame_equal(back.loc[frame.index][["rsi(close,5)"]],
                                      got[["rsi(close,5)"]])
    columns = features.frame(frame.reset_index())
    assert np.array_equal(columns["r"], got["r"], equal_nan=True)
    with pytest.raises(ValueError, match="two rows for AAPL at 2023-11-14T22:13:20"):
        features.batch(pd.concat([frame, frame.iloc[:1]]))
    for lost in (frame.reset_index(), frame.reset_index().set_index(["time", "symbol"])):
        hole = lost.copy() if "time" in lost else lost.reset_index()
        hole.loc[7, "time"] = pd.NaT
        with pytest.raises(ValueError, match="without a time"):
            features.batch(hole if "time" in lost else hole.set_index(["time", "symbol"]))
    with pytest.raises(ValueError, match="neither level"):
        features.batch(frame.reset_index().assign(time=1.5).set_index(["time", "symbol"]))


def test_pandas_wide_and_single(frame, features, want):
    import pandas as pd
    wide = frame.unstack("symbol")[[(f, s) for f in ("close", "volume") for s in SYMBOLS]]
    for form in (wide, wide.swaplevel(axis=1), wide.rename(columns=str.title, level=0)):
        assert_same(features, features.batch(form), want)
    got = features.frame(wide)
    assert list(got.columns.names) == ["feature", "symbol"] and got.index.equals(wide.index)
    assert got["r"].to_numpy().tobytes() == want["r"].tobytes()
    rsi = hayate.Features("rsi(close,5)")
    alone = rsi.frame(wide["close"], field="close")
    assert alone["rsi(close,5)"].to_numpy().tobytes() == want["rsi(close,5)"].tobytes()
    one = frame.xs("MSFT", level="symbol")
    assert np.array_equal(rsi.frame(one)["rsi(close,5)"], want["rsi(close,5)"][:, 1],
                          equal_nan=True)
    local = one.tz_localize("UTC").tz_convert("America/New_York")
    universe = hayate.from_pandas(local, symbol="MSFT", calendar="XNYS")
    assert universe.zone == "America/New_York" and universe.symbols == ["MSFT"]
    assert universe.calendar == "XNYS" and (universe.time == TIME).all()
    backwards = "row 4 .2023-11-14T22:16:20.*Z. comes behind a later one .*22:17:20.*df.sort_index"
    swapped = wide.iloc[[0, 1, 2, 4, 3, *range(5, BARS)]]
    with pytest.raises(ValueError, match=backwards):
        features.batch(swapped)
    with pytest.raises(ValueError, match=backwards):
        rsi.frame(swapped["close"], field="close")
    assert_same(features, features.batch(swapped.sort_index()), want)
    with pytest.raises(ValueError, match="rows 4 and 5 have one time, 2023-11-14T22:17:20"):
        features.batch(wide.iloc[[0, 1, 2, 3, 4, 4, 5]])
    with pytest.raises(ValueError, match="open, high, low, close"):
        features.batch(wide.rename(columns={"close": "p", "volume": "q"}, level=0))
    product = rsi.frame({"time": TIME, "symbol": SYMBOLS, **market()})
    assert product.index.names == ["time", "symbol"] and len(product) == BARS * len(SYMBOLS)
    assert isinstance(product, pd.DataFrame) and str(product.index.levels[0].tz) == "UTC"


def test_the_pandas_example(frame):
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "pandas_port.py")], text=True,
                          capture_output=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "python")})
    lines = done.stdout.splitlines()
    assert len(lines) == 5 and all("the same to 1e-11; 0 are missing in one" in x for x in lines)
