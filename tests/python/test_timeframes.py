# SPDX-License-Identifier: Apache-2.0
"""Features at slower timeframes against pandas: bars around both changes of the clock, joined as of
each bar's close; what is not yet known changes nothing; windows of several timeframes."""
import datetime
import pathlib
import re
import zoneinfo

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate

GOLDEN = np.load(ROOT / "tests" / "golden" / "timeframe" / "bars.npz")
FIELDS = ("open", "high", "low", "close", "volume", "vwap", "spread")
EXACT = ("open", "high", "low", "close", "spread", "n_src")


def panel(end=None, calendar="XNYS"):
    out = {k: np.ascontiguousarray(GOLDEN[k][:end]) for k in FIELDS + ("time", "valid")}
    out.update(symbol=["A", "B", "C"], timeframe="30m", zone="America/New_York", calendar=calendar)
    return out


def spec(tmp_path, lines, timeframes="H1: {}, H2: {}, H4: {}, D1: {anchor: clock}", gap="none"):
    path = tmp_path / "spec.yaml"
    path.write_text(f"hayate_spec: 1\nbase: M30\ntimeframes: {{{timeframes}}}\n"
                    f"params: {{gap: {gap}}}\nfeatures:\n" + "".join(f"  - {x}\n" for x in lines))
    return hayate.Features(str(path))


def expression(column, tf):
    return f"sma(close,3)@{tf}" if column == "sma3" else f"{column}@{tf}"


def check(got, key):
    expected = GOLDEN[key]
    column = key.split(".")[1]
    assert np.array_equal(np.isnan(got), np.isnan(expected)), key
    scale = 0 if column in EXACT else 1e-12
    np.testing.assert_allclose(got, expected, rtol=scale, atol=0, equal_nan=True, err_msg=key)
    assert np.isfinite(got).sum() > 20


@pytest.mark.parametrize("sessions", [False, True])
def test_slower_bars_are_pandas_bars(tmp_path, sessions):
    keys = [k for k in GOLDEN.files
            if k.count(".") == 1 and (k.split(".")[0].endswith("s") == sessions)]
    lines = []
    for i, key in enumerate(keys):
        tf, column = key.split(".")
        lines.append(f'"f{i} = {expression(column, tf.rstrip("s"))}"')
    timeframes = "D1: {}, W1: {anchor: session}" if sessions else \
        "H1: {}, H2: {}, H4: {}, D1: {anchor: clock}"
    out = spec(tmp_path, lines, timeframes).batch(panel())
    assert len(keys) >= 10
    for i, key in enumerate(keys):
        check(out[f"f{i}"], key)


@pytest.mark.parametrize("anchor", ["session", "clock"])
def test_months_are_pandas_months(tmp_path, anchor):
    """Batch, and a stream bar by bar, which has its bytes."""
    with np.load(ROOT / "tests" / "golden" / "timeframe" / "months.npz") as file:
        golden = dict(file)
    p = {k: np.ascontiguousarray(golden[k]) for k in ("time", "valid", "open", "close", "volume")}
    p.update(symbol=["A", "B"], timeframe="1d", zone="America/New_York", calendar="XNYS")
    keys = [k for k in golden if f".{anchor}." in k]
    path = tmp_path / "spec.yaml"
    path.write_text(f"hayate_spec: 1\nbase: D1\ntimeframes: {{MN1: {{anchor: {anchor}}}, "
                    f"MN3: {{anchor: {anchor}}}, MN12: {{anchor: {anchor}}}}}\nfeatures:\n" +
                    "".join(f"  - 'f{i} = {k.split('.')[2]}@{k.split('.')[0]}'\n"
                            for i, k in enumerate(keys)))
    features = hayate.Features(str(path))
    out = features.batch(p)
    assert len(keys) == 12
    for i, key in enumerate(keys):
        np.testing.assert_allclose(out[f"f{i}"], golden[key], rtol=1e-12, err_msg=key)
        assert len(np.unique(out[f"f{i}"][np.isfinite(out[f"f{i}"])])) >= 3, key
    if anchor == "session":  # the default, and the other spelling
        texts = ";".join(f"f{i}={k.split('.')[2]}@{k.split('.')[0]}" for i, k in enumerate(keys))
        again = hayate.Features(texts).batch(p)
        assert all(again[f"f{i}"].tobytes() == out[f"f{i}"].tobytes() for i in range(12))
    fields = ["open", "close", "volume"]
    stream = features.stream(["A", "B"], fields=fields, timeframe="1d", zone="America/New_York",
                             calendar="XNYS")
    bars = np.stack([p[k] for k in fields], axis=1)
    for t, time in enumerate(p["time"]):
        row, _ = stream.update(time, bars[t], p["valid"][t])
        have = p["valid"][t].astype(bool)
        for i in range(12):
            assert row[have, i].tobytes() == out[f"f{i}"][t][have].tobytes(), (t, keys[i])


@pytest.mark.parametrize("lines, word", [
    ("base: W1\ntimeframes: {MN1: {}}", ":5:.*MN1 is no multiple of base W1"),
    ("base: D1\ntimeframes: {MN5: {}}", ":3:19: \"MN5\" is no timeframe.*MN1"),
    ("base: D1\ntimeframes: {D2: {anchor: session}}", "one by one, by weeks or by months"),
    ("base: H1\ntimeframes: {H36: {}}", "whole days up to 100, or months"),
    ("base: D1\nparams: {gap: {fill: none, reset_after: 1mo}}", ":3:.*months are no length")])
def test_what_is_no_timeframe_is_refused_with_its_line(tmp_path, lines, word):
    path = tmp_path / "spec.yaml"
    tf = lines.split("{")[1].split(":")[0] if "timeframes" in lines else "D1"
    path.write_text(f"hayate_spec: 1\n{lines}\nfeatures:\n  - 'f = close@{tf}'\n")
    with pytest.raises(hayate.Error, match=rf"spec.yaml:\d+:\d+: ") as caught:
        hayate.Features(str(path))
    assert re.search(word, str(caught.value)), caught.value


def test_a_marked_bar_is_missing(tmp_path):
    out = spec(tmp_path, ['"f = close@H4"'], gap="mark").batch(panel())
    check(out["f"], "H4.close.mark")


def test_age_is_the_bars_since_the_end(tmp_path):
    p = panel()
    out = spec(tmp_path, ['"age = age_bars@H4"', '"clock = close@H4"'], gap="mark").batch(p)
    ends = np.unique(GOLDEN["ends"][GOLDEN["ends"] <= p["time"][-1]])
    at = np.searchsorted(ends, p["time"], side="right") - 1
    expected = np.array([np.nan if k < 0 else
                         ((p["time"] > ends[k]) & (p["time"] <= t)).sum()
                         for t, k in zip(p["time"], at)], dtype=float)
    for s in range(3):
        valid = p["valid"][:, s].astype(bool)
        np.testing.assert_array_equal(out["age"][valid, s], expected[valid])
    # under `none` a symbol counts its own bars
    out = spec(tmp_path, ['"age = age_bars@H4"']).batch(p)
    for s in range(3):
        rows = np.flatnonzero(p["valid"][:, s])
        for r in rows:
            k = at[r]
            own = [] if k < 0 else p["time"][rows][p["time"][rows] <= ends[k]]
            want = ((p["time"][rows] > ends[k]) & (rows <= r)).sum() if len(own) else np.nan
            assert out["age"][r, s] == want or (want != want and np.isnan(out["age"][r, s]))


def test_what_comes_later_changes_nothing(tmp_path):
    lines = ["{name: a, op: rsi.mid, in: c, n: 4, tf: [M30, H1, H4, D1]}",
             '"b = close@H2 / sma(close@H4,3) - close"', '"g = cs.rank(mom(close,2)@H4)"',
             '"d = ema(age_bars@H4, 3) + n_src@H1"', "{name: e, expr: 'sma(close@D1,2)', gap: mark}",
             "{name: f, expr: 'sma(close,3)', tf: H2, gap: {fill: flat, max: 3}}"]
    features = spec(tmp_path, lines)
    whole = features.batch(panel())
    for end in (1, 2, 7, 50, 149, 170, 331, 400, len(GOLDEN["time"]) - 1):
        part = features.batch(panel(end))
        for name in features.names:
            assert part[name].tobytes() == whole[name][:end].tobytes(), (name, end)


LINES = ["{name: a, expr: close, tf: [M30, H4]}", "{name: b, expr: 'sma(close,3)', tf: [M30, H4]}",
         '"d = close - close@H4"']


def expected_window(bars, ends, at, n):
    """The last n of the symbol's own bars that have ended by then."""
    last = bars[:np.searchsorted(ends, at, side="right")][-n:]
    return np.concatenate([np.full((n - len(last), bars.shape[1]), np.nan), last])


def test_windows_are_the_last_bars_of_each_timeframe(tmp_path):
    features, p = spec(tmp_path, LINES), panel()
    assert features.at("H4") == ["a@H4", "b@H4"] and features.at("D1") == []
    assert features.at() == features.at("M30") == ["a@M30", "b@M30", "d"]
    base = features.batch(p)
    rows = (3, len(p["time"]))
    got = features.windows(p, {"H4": 9, "M30": 31}, rows=rows, dtype="f8")
    assert got["H4"].shape == (rows[1] - 3, 3, 9, 2) and got["M30"].shape[1:] == (3, 31, 3)
    columns = np.stack([base["a@M30"], base["b@M30"], base["d"]], axis=2)
    for r in range(rows[1] - 3):
        now = p["time"][r + 3]
        for s in range(3):
            want = expected_window(GOLDEN[f"H4.bars.{s}"], GOLDEN[f"H4.ends.{s}"], now, 9)
            np.testing.assert_allclose(got["H4"][r, s], want, rtol=1e-12)
            own = np.flatnonzero(p["valid"][:, s])
            want = expected_window(columns[own, s], p["time"][own], now, 31)
            assert got["M30"][r, s].tobytes() == want.tobytes() or \
                np.array_equal(got["M30"][r, s], want, equal_nan=True)
    one = features.windows(p, {"M30": 31}, dtype="f4")["M30"]
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, got["M30"][-1].astype("f4"))


def test_windows_of_the_axis_where_bars_are_marked(tmp_path):
    features, p = spec(tmp_path, LINES, gap="mark"), panel()
    base = features.batch(p)
    got = features.windows(p, {"M30": 40}, rows=(0, 100), dtype="f8")["M30"]
    for r in range(100):
        want = base["a@M30"][max(r - 39, 0):r + 1].T
        np.testing.assert_array_equal(got[r, :, -want.shape[1]:, 0], want)
        assert np.isnan(got[r, :, :40 - want.shape[1]]).all()


def test_wrong_windows_are_refused(tmp_path):
    features, p = spec(tmp_path, LINES), panel()
    for bars, why in (({"D1": 3}, "no feature at"), ({"H4": 0}, "0 bars"), ({}, "0 windows"),
                      ({"H4": 3, "4h": 3}, "two windows"), ({"xx": 3}, "no feature at")):
        with pytest.raises(hayate.Error, match=why):
            features.windows(p, bars)
    with pytest.raises(hayate.Error, match="universe has timeframe 30m"):
        hayate.Features("close").windows(p, {"M5": 3})
    with pytest.raises(hayate.Error, match="f8 or f4"):
        features.windows(p, {"H4": 3}, dtype="i4")


def test_sessions_are_those_of_exchange_calendars(tmp_path):
    p = panel()
    lines = ["id = session_id()", "left = sec_to_close()", "share = frac_session()", "last = is_last()",
             "eve = holiday_eve()", "first = is_first()", "n = bars_since_open()", "gap = gap_sec()"]
    out = spec(tmp_path, [f'"{x}"' for x in lines]).batch(p)
    begin, end, date, after = GOLDEN["sessions"]
    time = p["time"] / 1e9
    monday = (date + 3) % 7
    weekday_after = date + np.where(monday < 4, 1, 7 - monday)
    whole = {"id": date, "left": end - time, "last": time >= end, "eve": after > weekday_after,
             "share": np.clip((time - begin) / (end - begin), 0, 1)}
    assert whole["last"].sum() > 5 and len(np.unique(date)) > 8
    for s in range(3):
        rows = np.flatnonzero(p["valid"][:, s])
        for name, values in whole.items():
            np.testing.assert_allclose(out[name][rows, s], values[rows], rtol=1e-15, err_msg=name)
        own = date[rows]
        np.testing.assert_array_equal(out["first"][rows[1:], s], np.diff(own) > 0)
        np.testing.assert_array_equal(out["gap"][rows[1:], s], np.diff(time[rows]))
        np.testing.assert_array_equal(out["n"][rows, s], np.arange(len(own)) - np.searchsorted(own, own))
    with pytest.raises(hayate.Error, match="the universe's calendar, and it has none"):
        hayate.Features("is_last()").batch(panel(calendar=None))


def test_panels_of_unknown_names_are_refused():
    """Also where the spec asks for none of them, and of a stream."""
    features = hayate.Features("close + 1")
    for given, message in (({"timeframe": "banana"}, '"banana" is no timeframe: expected a number and'),
                           ({"zone": "Mars/Base"}, '"Mars/Base" is no zone of'),
                           ({"calendar": "NOSUCH"}, '"NOSUCH" is no calendar: expected one of')):
        with pytest.raises(hayate.Error, match=message):
            features.batch({**panel(), **given})
        with pytest.raises(hayate.Error, match=message):
            features.stream(["A"], fields=["close"], **given)


def test_an_average_of_an_overnight_session(tmp_path):
    """Currencies: a session goes from 17:00 to 17:00 in New York, over midnight and over both changes of
    the clock; a weekend's bars belong to Monday's."""
    p = panel(calendar="FX")
    got = spec(tmp_path, ['"session = vwap.session()"', '"day = vwap.day()"']).batch(p)
    zone = zoneinfo.ZoneInfo("America/New_York")
    ends = [datetime.datetime.fromtimestamp(t // 10**9, zone) for t in p["time"]]
    minutes = np.array([e.replace(tzinfo=None).toordinal() * 1440 + e.hour * 60 + e.minute for e in ends])
    day = (minutes - 1) // 1440
    session = (minutes - 1020 - 1) // 1440 + 1
    session += np.where(session % 7 == 6, 2, np.where(session % 7 == 0, 1, 0))  # a Monday is 1
    assert (session != day).sum() > 100 and len(np.unique(session)) > 8
    for key, own in ("session", session), ("day", day):
        for s in range(3):
            volume = p["volume"][:, s]
            paid = (p["high"] + p["low"] + p["close"])[:, s] / 3 * volume
            rows = np.flatnonzero(p["valid"][:, s] * np.isfinite(paid))
            for k, r in enumerate(rows):
                same = rows[:k + 1][own[rows[:k + 1]] == own[r]]
                traded = volume[same].sum()
                want = paid[same].sum() / traded if traded else np.nan
                assert got[key][r, s] == pytest.approx(want, rel=1e-12, nan_ok=True)


def test_what_does_not_fit_is_refused(tmp_path):
    f = spec(tmp_path, ['"a = close@D1"'], "D1: {anchor: session}")
    with pytest.raises(hayate.Error, match="needs a calendar"):
        f.batch(panel(calendar=None))
    with pytest.raises(hayate.Error, match="no multiple"):
        hayate.Features("close@M45").batch(panel())
    p = panel()
    del p["volume"]
    with pytest.raises(hayate.Error, match="weighted by the field volume"):
        hayate.Features("vwap@H1").batch(p)
