# SPDX-License-Identifier: Apache-2.0
"""`hayate import` from outside: dialects, policies, refusals; the universes as h5py sees them."""

import gzip
import json
import os
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
NS = 10**9


def run(*args):
    return subprocess.run([HAYATE, "import", *map(str, args)], capture_output=True, text=True)


class Universe:
    def __init__(self, path, report):
        self.report, self.counts = report, report["counts"]
        with h5py.File(path) as f:
            self.attrs = dict(f.attrs)
            self.time = f["time"][:]
            self.symbols = [s.decode() for s in f["symbol"][:]]
            self.valid = f["valid"][:]
            self.fields = {k: f[k][:] for k in f if k not in ("time", "symbol", "valid")}

    def times(self):
        return [str(np.datetime64(int(t), "s")) for t in self.time // NS]

    def column(self, symbol, field="close"):
        return list(self.fields[field][:, self.symbols.index(symbol)])


@pytest.fixture
def imported(tmp_path):
    def go(text, *options, name="AAA.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run(path, "-o", tmp_path / "u.h5", "--json", *options)
        assert done.returncode == 0, done.stderr
        return Universe(tmp_path / "u.h5", json.loads(done.stdout))

    return go


@pytest.fixture
def refused(tmp_path):
    def go(text, *options, name="AAA.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = run(path, "-o", tmp_path / "u.h5", *options)
        assert done.returncode == 2, (done.returncode, done.stderr)
        assert not (tmp_path / "u.h5").exists()
        assert sorted(p.name for p in tmp_path.iterdir()) == [name]
        return done.stderr

    return go


def near(a, b):
    return np.allclose(a, b, rtol=0, atol=0, equal_nan=True)


# --- dialects


def test_long(imported):
    u = imported(
        "Date,Ticker,Open,High,Low,Close,Volume,Sector,Beta\n"
        "2024-01-02,AA,1,2,0.5,1.5,100,Tech,0.9\n"
        "2024-01-02,BB,10,20,5,15,200,Oil,1.1\n"
        "2024-01-03,AA,1.5,2.5,1,2,300,Tech,0.8\n"
        "2024-01-04,BB,15,25,10,20,,Oil,1.2\n"
    )
    assert u.report["dialect"] == "long" and u.report["timeframe"] == "1d"
    assert u.report["fields"] == ["open", "high", "low", "close", "volume", "beta"]
    assert "Sector" in u.report["not_read"]
    assert u.times() == ["2024-01-03T00:00:00", "2024-01-04T00:00:00", "2024-01-05T00:00:00"]
    assert near(u.column("AA"), [1.5, 2, np.nan]) and near(u.column("BB"), [15, np.nan, 20])
    assert near(u.column("BB", "volume"), [200, np.nan, np.nan])
    assert near(u.column("AA", "beta"), [0.9, 0.8, np.nan])
    assert u.valid.tolist() == [[1, 1], [1, 0], [0, 1]]
    assert u.counts["missing_values"] == 1 and u.counts["missing_bars"] == 1
    assert u.attrs["timeframe"] == "1d" and u.attrs["hayate_universe"] == 1


def test_single_with_a_symbol_from_the_name_or_the_option(imported):
    text = (
        ",Open,High,Low,Close,Volume\n2017-04-19 09:00:00,1,2,0.5,1.5,7\n"
        "2017-04-19 10:00:00,1,2,0.5,1.6,8\n"
    )
    u = imported(text, name="EURUSD.csv")
    assert u.report["dialect"] == "single" and u.symbols == ["EURUSD"]
    assert u.times() == ["2017-04-19T10:00:00", "2017-04-19T11:00:00"]
    assert u.report["timeframe"] == "1h" and u.report["stamp_assumed"]
    assert imported(text, "--symbol", "EUR/USD").symbols == ["EUR/USD"]
    assert imported(text, "--stamp", "close").times()[0] == "2017-04-19T09:00:00"


def test_wide(imported):
    u = imported(
        "Date,AAPL,BRK.B,NEW\n1990-01-02,0.264,5.5,\n1990-01-03,0.266,5.6,\n1990-01-04,,5.7,9\n"
    )
    assert u.report["dialect"] == "wide" and u.symbols == ["AAPL", "BRK.B", "NEW"]
    assert u.report["fields"] == ["close"]
    assert near(u.column("AAPL"), [0.264, 0.266, np.nan]) and near(
        u.column("NEW"), [np.nan] * 2 + [9]
    )
    assert u.counts["missing_values"] == 0 and u.counts["missing_bars"] == 0


def test_a_folder_of_files(imported, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "BB.csv").write_text("date,close,volume\n2024-01-02,1,10\n2024-01-03,2,20\n")
    with gzip.open(folder / "AA.csv.gz", "wt") as f:
        f.write("date,close\n2024-01-03,3\n2024-01-04,4\n")
    (folder / "README.md").write_text("not a table")
    done = run(folder, "-o", tmp_path / "u.h5", "--json")
    assert done.returncode == 0, done.stderr
    u = Universe(tmp_path / "u.h5", json.loads(done.stdout))
    assert u.symbols == ["AA", "BB"] and u.report["files"] == 2
    assert near(u.column("AA"), [np.nan, 3, 4]) and near(u.column("BB"), [1, 2, np.nan])
    assert near(u.column("AA", "volume"), [np.nan] * 3)


def test_yfinance(imported):
    u = imported(
        "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
        "2024-01-02,185.6,188.4,183.8,187.1,82488700\n2024-01-03,184.2,185.8,183.4,184.2,58414500\n"
    )
    assert u.report["dialect"] == "yfinance" and u.symbols == ["AAPL"]
    assert near(u.column("AAPL", "open"), [187.1, 184.2])
    u = imported(
        "Price,Close,Close,Volume,Volume\nTicker,AAPL,MSFT,AAPL,MSFT\nDatetime,,,,\n"
        "2024-01-02 09:30:00-05:00,185.6,370.1,10,20\n2024-01-02 09:31:00-05:00,185.7,,11,\n"
    )
    assert u.symbols == ["AAPL", "MSFT"] and u.report["timeframe"] == "1m"
    assert u.times() == ["2024-01-02T14:31:00", "2024-01-02T14:32:00"]
    assert near(u.column("MSFT", "volume"), [20, np.nan]) and u.valid.tolist() == [[1, 1], [1, 0]]


def test_metatrader(imported, refused):
    mt5 = (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        "2020.01.02\t00:00:00\t1.12\t1.13\t1.11\t1.125\t120\t0\t3\n"
        "2020.01.02\t01:00:00\t1.12\t1.13\t1.11\t1.126\t130\t0\t4\n"
    )
    u = imported(mt5, "--zone", "UTC+2", name="EURUSD_H1_202001020000_202001022300.csv")
    assert u.report["dialect"] == "mt5" and u.symbols == ["EURUSD"]
    assert u.times() == ["2020-01-01T23:00:00", "2020-01-02T00:00:00"]
    assert u.report["fields"] == ["open", "high", "low", "close", "volume", "tick_volume", "spread"]
    mt4 = "2020.01.02,00:00,1.12,1.13,1.11,1.125,120\n2020.01.02,01:00,1.12,1.13,1.11,1.126,130\n"
    u = imported(mt4, "--zone", "UTC", name="GBPUSD60.csv")
    assert u.report["dialect"] == "mt4" and u.times()[0] == "2020-01-02T01:00:00"


def test_metatrader_needs_its_zone(refused):
    assert "--zone" in refused("2020.01.02,00:00,1,2,1,1.5,120\n2020.01.02,01:00,1,2,1,1.5,130\n")


def test_histdata(imported):
    u = imported(
        "20120201 000000;1.306600;1.306600;1.306560;1.306560;0\n"
        "20120201 000100;1.306570;1.306570;1.306470;1.306560;0\n",
        name="DAT_ASCII_EURUSD_M1_2012.csv",
    )
    assert u.report["dialect"] == "histdata" and u.symbols == ["EURUSD"]
    assert u.times() == ["2012-02-01T05:01:00", "2012-02-01T05:02:00"]
    assert u.report["fields"] == ["open", "high", "low", "close"]


def test_stooq(imported):
    head = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    u = imported(
        head + "AAPL.US,D,20240102,000000,187,188,183,185,1000,0\n"
        "AAPL.US,D,20240103,000000,184,185,183,184,2000,0\n",
        name="aapl.us.txt",
    )
    assert u.report["dialect"] == "stooq" and u.symbols == ["AAPL.US"]
    assert u.times() == ["2024-01-03T00:00:00", "2024-01-04T00:00:00"]
    u = imported(
        head + "AAPL.US,5,20240102,153000,187,188,183,185,1000,0\n"
        "AAPL.US,5,20240102,153500,184,185,183,184,2000,0\n",
        "--zone",
        "Europe/Warsaw",
    )
    assert u.times() == ["2024-01-02T14:35:00", "2024-01-02T14:40:00"]
    u = imported("Date,Open,High,Low,Close,Volume\n2024-01-02,1,2,1,2,5\n2024-01-03,1,2,1,2,5\n")
    assert u.report["dialect"] == "single"


@pytest.mark.parametrize(
    "unit, head",
    [
        (1000, ""),
        (
            1000000,
            "open_time,open,high,low,close,volume,close_time,"
            "quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n",
        ),
    ],
)
def test_binance(imported, unit, head):
    start = 1735689600
    rows = "".join(
        f"{(start + 60 * k) * unit},1.{k},2,1,1.5,10,{(start + 60 * k + 60) * unit - 1},"
        f"15,3,5,7.5,0\n"
        for k in range(3)
    )
    u = imported(head + rows, name="BTCUSDT-1m-2025-01.csv")
    assert u.report["dialect"] == "binance" and u.symbols == ["BTCUSDT"]
    assert u.times()[0] == "2025-01-01T00:01:00" and u.report["timeframe"] == "1m"
    assert near(u.column("BTCUSDT", "trades"), [3, 3, 3])


def test_another_universe(imported, tmp_path):
    with h5py.File(tmp_path / "theirs.h5", "w") as f:
        f["time"] = np.array([1, 2, 3], dtype="i8") * NS
        f["symbol"] = ["A", "B"]
        f["close"] = np.array([[1, 2], [3, np.nan], [5, np.inf]], dtype="f4")
        f.create_dataset(
            "open", data=np.arange(6.0).reshape(3, 2), chunks=(2, 1), compression="gzip"
        )
        f["valid"] = np.array([[1, 1], [1, 0], [0, 1]], dtype=bool)
    done = run(tmp_path / "theirs.h5", "-o", tmp_path / "u.h5", "--json")
    assert done.returncode == 0, done.stderr
    u = Universe(tmp_path / "u.h5", json.loads(done.stdout))
    assert near(u.fields["close"], [[1, 2], [3, np.nan], [np.nan, np.nan]])
    assert near(u.fields["open"], [[0, 1], [2, np.nan], [np.nan, 5]])
    assert u.valid.tolist() == [[1, 1], [1, 0], [0, 1]]
    done = run(tmp_path / "u.h5", "-o", tmp_path / "packed.h5", "--compress")
    assert done.returncode == 0, done.stderr
    with h5py.File(tmp_path / "packed.h5") as f:
        assert f["close"].compression == "gzip"
        assert near(f["close"][:], u.fields["close"])


def test_tiles_of_ours_with_the_cells_of_others(tmp_path):
    """Tiles that could be used in place, but hold values where the mask says no, and infinities."""
    value, valid = np.arange(48.0).reshape(3, 16), np.ones((3, 16), dtype="u1")
    valid[1, 2] = valid[2, 15] = 0
    value[0, 9] = np.inf
    with h5py.File(tmp_path / "theirs.h5", "w") as f:
        f["time"] = np.arange(1, 4, dtype="i8") * NS
        f["symbol"] = [f"S{k}" for k in range(16)]
        f.create_dataset("close", data=value, chunks=(3, 8))
        f.create_dataset("open", data=np.ones((3, 16)), chunks=(3, 8))
        f.create_dataset("valid", data=valid, chunks=(3, 8))
    done = run(tmp_path / "theirs.h5", "-o", tmp_path / "u.h5", "--json")
    assert done.returncode == 0, done.stderr
    u = Universe(tmp_path / "u.h5", json.loads(done.stdout))
    value[valid == 0] = value[0, 9] = np.nan
    assert near(u.fields["close"], value)
    assert near(u.fields["open"], np.where(valid, 1, np.nan))


def test_gzip_of_several_members(imported):
    members = ("date,close\n2024-01-02,1\n", "2024-01-03,2\n", "2024-01-04,3\n")
    u = imported(b"".join(gzip.compress(m.encode()) for m in members), name="A.csv.gz")
    assert near(u.column("A"), [1, 2, 3])


# --- how numbers and times are written


def test_decimal_comma_and_points_in_dates(imported):
    u = imported("Datum;Date;Close;Volume\nx;31.01.2024;1.234,5;1.000\nx;1.2.2024;1235,25;2.000\n")
    assert near(u.column("AAA"), [1234.5, 1235.25]) and near(
        u.column("AAA", "volume"), [1000, 2000]
    )
    assert u.times() == ["2024-02-01T00:00:00", "2024-02-02T00:00:00"]


def test_marks_around_the_table(imported):
    u = imported(
        b"\xef\xbb\xbf\"Date\",\"Close\",\"Volume\"\r\n\"2024-01-02\",\"1,234.5\",\"1,000\"\r\n"
        b"2024-01-03,null,5\r\nDate,Close,Volume\r\n2024-01-04,7,N/A\r\n\r\n"
    )
    assert near(u.column("AAA"), [1234.5, np.nan, 7])
    assert near(u.column("AAA", "volume"), [1000, 5, np.nan])
    assert u.counts["repeated_heads"] == 1 and u.counts["missing_values"] == 2


def test_dates_by_proof_or_declaration(imported, refused):
    assert imported("Date,Close\n1/31/2024,1\n2/1/2024,2\n").times()[0] == "2024-02-01T00:00:00"
    assert imported("Date,Close\n31/1/2024,1\n1/2/2024,2\n").times()[1] == "2024-02-02T00:00:00"
    u = imported("Date,Close\n1/2/2024,1\n1/3/2024,2\n", "--date-order", "mdy")
    assert u.times() == ["2024-01-03T00:00:00", "2024-01-04T00:00:00"]


def test_dates_without_proof(refused):
    assert "--date-order" in refused("Date,Close\n1/2/2024,1\n2/2/2024,2\n")


def test_clocks(imported):
    u = imported(
        "Time,Open,High,Low,Close,Volume\n02.01.2017 00:00:00.000,1,1,1,1,5\n"
        "02.01.2017 01:00:00.000,1,1,1,1,5\n"
    )
    assert u.times()[0] == "2017-01-02T01:00:00"
    assert (
        imported("timestamp,close\n1704187800,1\n1704187860,2\n").times()[0]
        == "2024-01-02T09:31:00"
    )
    u = imported(
        "date,time,close\n20240102,0930,1\n20240102,0931,2\n", "--zone", "America/New_York"
    )
    assert u.times()[0] == "2024-01-02T14:31:00"
    u = imported("datetime,close\n1/13/2024 1:05 PM,1\n1/13/2024 1:10 PM,2\n")
    assert u.times() == ["2024-01-13T13:10:00", "2024-01-13T13:15:00"]
    u = imported(
        "date,close\n2024-01-02 00:00:00,1\n2024-01-03 00:00:00,2\n", "--zone", "America/New_York"
    )
    assert u.report["timeframe"] == "1d" and u.times()[0] == "2024-01-03T05:00:00"


def test_weeks_close_with_their_last_day(imported):
    rows = "date,close\n2024-01-01,1\n2024-01-08,2\n2024-01-15,3\n"
    assert imported(rows).times()[0] == "2024-01-08T00:00:00"
    assert imported(rows, "--calendar", "XNYS").times()[0] == "2024-01-05T21:00:00"
    assert imported(rows, "--stamp", "close").times()[0] == "2024-01-02T00:00:00"


# --- policies


def test_daylight_saving(imported):
    hours = ["2024-11-03 00:00", "2024-11-03 01:00", "2024-11-03 01:00", "2024-11-03 02:00"]
    u = imported(
        "time,close\n" + "".join(f"{h},{k + 1}\n" for k, h in enumerate(hours)),
        "--zone",
        "America/New_York",
    )
    assert u.times() == [f"2024-11-03T0{h}:00:00" for h in (5, 6, 7, 8)]
    assert near(u.column("AAA"), [1, 2, 3, 4]) and u.counts["ambiguous_times"] == 2
    u = imported(
        "time,close\n2024-03-10 01:00,1\n2024-03-10 02:30,2\n2024-03-10 04:00,3\n",
        "--zone",
        "America/New_York",
        "--timeframe",
        "30m",
    )
    assert u.times() == ["2024-03-10T06:30:00", "2024-03-10T08:00:00", "2024-03-10T08:30:00"]
    assert u.counts["nonexistent_times"] == 1


def test_order_and_duplicates(imported):
    u = imported(
        "date,symbol,close\n2024-01-03,A,3\n2024-01-02,A,2\n2024-01-04,A,4\n2024-01-04,A,4\n"
        "2024-01-03,A,3.5\n2024-01-02,B,1\n"
    )
    assert near(u.column("A"), [2, 3.5, 4])
    assert u.counts["out_of_order"] == 2 and u.counts["duplicates_same"] == 1
    assert u.counts["duplicates_changed"] == 1


def test_bars_that_cannot_be(imported):
    u = imported(
        "date,open,high,low,close,volume\n2024-01-01,1,2,1,1.5,5\n2024-01-02,0,2,1,-1,5\n"
        "2024-01-03,1,1,2,1,5\n2024-01-04,3,2,1,1.5,-5\n2024-01-05,inf,2,1,1.5,5\n"
        "2024-01-06,0,0,0,0,\n2024-01-07,1,2,1,1.5,5\n"
    )
    assert u.times()[2] == "2024-01-05T00:00:00" and len(u.time) == 5
    assert near(u.column("AAA", "open"), [1, np.nan, 3, np.nan, 1])
    assert near(u.column("AAA"), [1.5, np.nan, 1.5, 1.5, 1.5])
    assert near(u.column("AAA", "volume"), [5, 5, np.nan, 5, 5])
    expect = dict(
        bad_prices=6,
        high_below_low=1,
        outside_range=1,
        negative_volumes=1,
        infinite_values=1,
        empty_bars=1,
        missing_values=1,
    )
    assert {k: v for k, v in u.counts.items() if v} == expect


def test_calendars(imported):
    days = ["2023-12-29", "2024-01-02", "2024-01-04", "2024-01-06"]
    u = imported(
        "date,close\n" + "".join(f"{d},1\n" for d in days),
        "--calendar",
        "XNYS",
        "--timeframe",
        "1d",
    )
    assert u.times() == [
        "2023-12-29T21:00:00",
        "2024-01-02T21:00:00",
        "2024-01-04T21:00:00",
        "2024-01-07T05:00:00",
    ]
    assert u.counts["missing_sessions"] == 2 and u.counts["outside_sessions"] == 1
    assert u.attrs["calendar"] == "XNYS" and u.attrs["zone"] == "America/New_York"
    u = imported(
        "time,close\n2024-07-03 12:30,1\n2024-07-03 13:30,2\n",
        "--zone",
        "America/New_York",
        "--calendar",
        "XNYS",
        "--timeframe",
        "1h",
    )
    assert (
        u.times()[0] == "2024-07-03T17:00:00"
    )  # a half day: the bar ends with the session at 13:00
    assert u.counts["outside_sessions"] == 1


def test_the_same_data_is_the_same_bytes(imported, tmp_path):
    text = "date,symbol,close\n2024-01-02,A,1\n2024-01-03,A,2\n"
    imported(text)
    first = (tmp_path / "u.h5").read_bytes()
    imported(text)
    assert (tmp_path / "u.h5").read_bytes() == first


def test_the_report_for_people(tmp_path):
    (tmp_path / "A.csv").write_text(
        "date,close\n2024-01-02,1\n2024-01-02,1\n2024-01-03,0\n2024-01-04,3\n"
    )
    done = run(tmp_path / "A.csv", "-o", tmp_path / "u.h5")
    assert done.returncode == 0
    assert "1 symbols x 2 bars of 1d" in done.stdout and "(single)" in done.stdout
    assert "1 bars given twice, one dropped" in done.stdout
    assert "prices of zero or below" in done.stdout


# --- refusals


@pytest.mark.parametrize(
    "text, place, words",
    [
        ("", "AAA.csv", "empty file"),
        (b"\x00\x01\x02binary" * 50, "AAA.csv", "not a text file"),
        (b"\x7fELF,a\n1,2\n", "AAA.csv", "not a text file"),
        ("\ufeffd".encode("utf-16"), "AAA.csv", "UTF-16"),
        ("just words\nand more\n", "AAA.csv", "no delimiter"),
        ("a,b,c\nx,y,z\n", "AAA.csv", "expected a head with a time column"),
        ("date,close\n", "AAA.csv", "at least one row"),
        (
            "date,close\n2024-01-02,1\n2024-01-03,abc\n",
            "AAA.csv:3:12",
            'expected a number, found "abc"',
        ),
        ("date,close\n2024-01-02,1\n2024-02-30,1\n", "AAA.csv:3:1", "expected a time such as"),
        ("date,close\n2024-01-02,1\nyesterday,1\n", "AAA.csv:3:1", 'found "yesterday"'),
        (
            "date,close\n2024-01-02,1\n2024-01-03,1,5\n",
            "AAA.csv:3",
            "a row of 3 columns; expected 2",
        ),
        ("date,symbol,close\n2024-01-02,,1\n", "AAA.csv:2:12", "expected a symbol"),
        ("date,symbol,close\n2024-01-02," + "x" * 200 + ",1\n", "AAA.csv:2", "the limit is 127"),
        ("date,close\n2024-01-02,1\n2024-01-03,\"2\n", "AAA.csv:3", "never closes"),
        ("date,close\n2024-01-02,0\n2024-01-03,-1\n", "", "no bar is left"),
        (
            "time,close\n2024-01-02 10:00,1\n2024-01-02 10:07,2\n2024-01-02 10:20,2\n",
            "",
            "--timeframe",
        ),
        ("date,close\n2400-01-02,1\n", "AAA.csv:2", "1678"),
    ],
)
def test_bad_input(refused, text, place, words):
    message = refused(text)
    assert place in message and words in message, message


def test_bad_usage(refused):
    text = "date,close\n2024-01-02,1\n"
    assert "histdata" in refused(text, "--dialect", "histdat")
    assert "expected" in refused(text, "--dialect", "binance")
    assert "calendar" in refused(text, "--calendar", "XMAS")
    assert "zone" in refused(text, "--zone", "Nowhere/City")
    assert "timeframe" in refused(text, "--timeframe", "1M")
    assert "--stamp" in refused(text, "--stamp", "middle")


def test_bad_paths(tmp_path):
    for path, words in (
        (tmp_path, "no table"),
        (tmp_path / "nope.csv", "No such file"),
        ("/dev/null", "regular"),
    ):
        done = run(path, "-o", tmp_path / "u.h5")
        assert done.returncode == 2 and words in done.stderr, done.stderr
    (tmp_path / "a.csv").write_text("date,close\n2024-01-02,1\n")
    assert run(tmp_path / "a.csv", "-o", tmp_path / "no" / "u.h5").returncode in (2, 3)
    assert run(tmp_path / "a.csv").returncode == 2
    assert run("-o", tmp_path / "u.h5").returncode == 2


@pytest.mark.skipif(bool(os.environ.get("HAYATE_SANITIZE")),
                    reason="a sanitizer maps more than the limit on memory")
def test_a_line_without_end_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "huge.csv"
    with open(path, "wb") as f:
        f.write(b"date,close\n2024-01-02,1\n2024-01-03," + b"1" * 10000)
        f.truncate(10 << 30)  # ten gigabytes in one line, sparse
    done = subprocess.run(
        ["bash", "-c", f"ulimit -v 16000000; {HAYATE} import {path} -o {tmp_path}/u.h5"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2 and "4194304 bytes" in done.stderr, done.stderr


def test_broken_gzip(refused):
    whole = gzip.compress(b"date,close\n" + b"2024-01-02,1\n" * 100)
    assert "truncated" in refused(whole[:-20], name="a.csv.gz")


def test_broken_gzip_inside(refused):
    whole = bytearray(gzip.compress(bytes(range(256)) * 40))
    whole[40:60] = b"\xff" * 20
    assert "broken" in refused(bytes(whole), name="a.csv.gz")


# --- universes by others, and broken ones


def write_universe(path, **changes):
    with h5py.File(path, "w") as f:
        data = dict(time=np.arange(1, 4, dtype="i8") * NS, symbol=["A", "B"], close=np.ones((3, 2)))
        data.update(changes)
        for name, value in data.items():
            if value is not None:
                f[name] = value


@pytest.mark.parametrize(
    "changes, words",
    [
        (dict(time=None), "no dataset /time"),
        (dict(symbol=None), "no dataset /symbol"),
        (dict(close=None), "no field"),
        (dict(time=np.arange(3.0)), "/time: expected int64"),
        (dict(time=np.array([1, 3, 2])), "/time: time[2] = 2 is not after time[1] = 3"),
        (dict(time=np.arange(4, dtype="i8")), "/close: expected the shape [4, 2]"),
        (dict(close=np.ones(3)), "/close: expected the shape [3, 2]"),
        (dict(close=np.ones((3, 2)).astype("c16")), "/close: expected float64"),
        (dict(close=[[b"a", b"b"]] * 3), "/close: expected float64"),
        (dict(symbol=np.arange(2)), "/symbol: expected texts"),
        (dict(symbol=["A", "A"]), "stands there twice"),
        (dict(symbol=["A", ""]), "expected a name"),
        (dict(symbol=["A", "x" * 200]), "expected a name of 1 to 127 bytes"),
        (dict(valid=np.ones((3, 2))), "/valid: expected one byte"),
        (dict(valid=np.ones((2, 2), dtype="u1")), "/valid: expected the shape"),
        (dict(other=h5py.SoftLink("/close")), "/other is a soft or external link"),
        (dict(other=h5py.ExternalLink("/etc/passwd", "/x")), "/other is a soft or external link"),
    ],
)
def test_bad_universes(tmp_path, changes, words):
    write_universe(tmp_path / "theirs.h5", **changes)
    done = run(tmp_path / "theirs.h5", "-o", tmp_path / "u.h5")
    assert done.returncode == 2 and words in done.stderr, done.stderr
    assert "theirs.h5" in done.stderr and not (tmp_path / "u.h5").exists()


def test_data_in_other_files_is_refused(tmp_path):
    write_universe(tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "theirs.h5", "a") as f:
        f.create_dataset("open", (3, 2), "f8", external=[("/etc/passwd", 0, 48)])
    done = run(tmp_path / "theirs.h5", "-o", tmp_path / "u.h5")
    assert done.returncode == 2 and "in another file" in done.stderr, done.stderr


def test_versions_and_sizes(tmp_path):
    write_universe(tmp_path / "theirs.h5")
    with h5py.File(tmp_path / "theirs.h5", "a") as f:
        f.attrs["hayate_universe"] = 2
    done = run(tmp_path / "theirs.h5", "-o", tmp_path / "u.h5")
    assert done.returncode == 2 and "expected version 1, found 2" in done.stderr
    with h5py.File(tmp_path / "wide.h5", "w") as f:
        f.create_dataset("time", (1 << 40,), "i8", chunks=(1024,))
        f["symbol"] = ["A"]
        f.create_dataset("close", (1 << 40, 1), "f8", chunks=(1024, 1))
    done = run(tmp_path / "wide.h5", "-o", tmp_path / "u.h5")
    assert done.returncode == 2 and "the limit is" in done.stderr


def test_truncated_universes(tmp_path):
    subprocess.run(
        [HAYATE, "gen", "-o", tmp_path / "g.h5", "--symbols", "9", "--bars", "50"],
        check=True,
        capture_output=True,
    )
    whole = (tmp_path / "g.h5").read_bytes()
    for part in (8, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.h5").write_bytes(whole[:part])
        done = run(tmp_path / "cut.h5", "-o", tmp_path / "u.h5")
        assert done.returncode == 2 and "cut.h5" in done.stderr, done.stderr
