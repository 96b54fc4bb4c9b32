# SPDX-License-Identifier: Apache-2.0
"""Bars of trades against the rules written out in rational numbers, from a feed, from arrays and from
`hayate import --bars`: the same bits."""
import os
import pathlib
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
os.environ["HAYATE_LIBRARY"] = os.path.join(os.environ["HAYATE_BUILD"], "libhayate.so")
SANITIZED = bool(os.environ.get("HAYATE_SANITIZE"))
pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's run-time library cannot be loaded into a running Python")
if not SANITIZED:
    import hayate

SYMBOLS = ["A", "B", "C"]
MINUTE = 60 * 10 ** 9


def trades(n=3000, seed=5):
    """Decimal prices and sizes as a file has them; equal times, flags, one size in 50 very large."""
    rng = np.random.default_rng(seed)
    step = rng.integers(0, 40, n) * rng.integers(0, 2, n) * 10 ** 8
    price = np.round(20 + np.cumsum(rng.normal(0, 0.05, n)), 2)
    size = np.round(rng.exponential(0.4, n), 1) * np.where(rng.random(n) < 0.02, 50, 1)
    return {"time": 1_704_205_800 * 10 ** 9 + np.cumsum(step), "symbol": rng.integers(0, 3, n),
            "price": price, "size": np.round(size, 1), "flags": (rng.random(n) < 0.03) * 4}


TRADES = trades()
RULES = [("tick:7", False), ("volume:3", False), ("volume:3", True), ("volume:0.3", True),
         ("dollar:75.5", False), ("dollar:75.5", True), ("time:1m", False), ("time:10m", False)]


def written_out(rule, carry, t=TRADES):
    """{symbol: [(time, o, h, l, c, volume, turnover, n)]}; sums in rationals, rounded once where
    they are compared."""
    kind, text = rule.split(":")
    out, moved = {}, 0
    for k in range(3):
        rows, bar, reached, ended = [], [], Fraction(0), None
        which = np.flatnonzero((t["symbol"] == k) & (t["flags"] == 0))

        def close(time):
            nonlocal ended, moved
            if ended is not None and time <= ended:
                time, moved = ended + 1, moved + 1
            ended = time
            prices = [p for p, _ in bar]
            rows.append((time, prices[0], max(prices), min(prices), prices[-1],
                         float(sum(Fraction(s) for _, s in bar)),
                         float(sum(Fraction(p) * Fraction(s) for p, s in bar)), len(bar)))
            bar.clear()

        end = None
        for i in which:
            time, price, size = (t[n][i].item() for n in ("time", "price", "size"))
            if kind == "time":
                length = {"1m": 1, "10m": 10}[text] * MINUTE
                own = -(-time // length) * length
                if bar and own != end:
                    close(end)
                end = own
            bar.append((price, size))
            if kind == "time":
                continue
            reached += {"tick": 1, "volume": Fraction(size),
                        "dollar": Fraction(price) * Fraction(size)}[kind]
            if float(reached) >= float(text):
                close(time)
                while carry and float(reached) >= float(text):
                    reached -= Fraction(float(text))
                reached = reached if carry else Fraction(0)
        if kind == "time" and bar and end <= t["time"].max():
            close(end)
        out[k] = rows
    return out, moved


def check(bars, want):
    for k, rows in want.items():
        got = bars[bars["symbol"] == k]
        assert len(got) == len(rows) > 0
        for column, name in enumerate(["time", "open", "high", "low", "close"]):
            assert got[name].tolist() == [r[column] for r in rows], name
        assert got["n_trades"].tolist() == [r[7] for r in rows]
        np.testing.assert_allclose(got["volume"], [r[5] for r in rows], rtol=1e-13)
        with np.errstate(all="ignore"):
            vwap = np.array([r[6] for r in rows]) / np.array([r[5] for r in rows])
        np.testing.assert_allclose(got["vwap"], vwap, rtol=1e-13)


def all_at_once(rule, carry):
    ticks = hayate.Ticks(SYMBOLS, rule, carry)
    bars = [ticks.push(TRADES["time"], TRADES["symbol"], TRADES["price"], TRADES["size"],
                       TRADES["flags"]), ticks.close(TRADES["time"].max())]
    return np.concatenate(bars), ticks.counts


@pytest.mark.parametrize("rule, carry", RULES)
def test_rules_written_out(rule, carry):
    bars, counts = all_at_once(rule, carry)
    want, moved = written_out(rule, carry)
    check(bars, want)
    assert counts["n_moved"] == moved and counts["n_bars"] == len(bars)
    assert counts["n_dropped"] == (TRADES["flags"] > 0).sum()
    kept = counts["n_trades"] - counts["n_dropped"]
    assert bars["n_trades"].sum() + counts["n_open"] == kept
    for k in range(3):
        assert (np.diff(bars["time"][bars["symbol"] == k]) > 0).all()


@pytest.mark.parametrize("rule, carry", RULES)
def test_any_division_into_calls(rule, carry):
    want, _ = all_at_once(rule, carry)
    rng = np.random.default_rng(2)
    ticks, got, at = hayate.Ticks(SYMBOLS, rule, carry), [], 0
    while at < len(TRADES["time"]):
        end = at + int(rng.integers(1, 9))
        part = {k: v[at:end] for k, v in TRADES.items()}
        got.append(ticks.push(part["time"], np.array(SYMBOLS)[part["symbol"]], part["price"],
                              part["size"], part["flags"]))
        at = end
    got.append(ticks.close(TRADES["time"].max()))
    assert np.concatenate(got).tobytes() == want.tobytes()


def push(ticks, begin, end):
    part = {k: v[begin:end] for k, v in TRADES.items()}
    return ticks.push(part["time"], part["symbol"], part["price"], part["size"], part["flags"])


@pytest.mark.parametrize("rule, carry", RULES)
def test_restored_in_the_middle_of_bars(rule, carry):
    want, counts = all_at_once(rule, carry)
    n = len(TRADES["time"])
    ticks, got = hayate.Ticks(SYMBOLS, rule, carry), []
    for begin in range(0, n, 37):
        got.append(push(ticks, begin, begin + 37))
        shot = ticks.snapshot()
        ticks = hayate.Ticks(SYMBOLS, rule, carry)
        if begin % 2:
            push(ticks, 0, 99)  # what was there before is gone
        ticks.restore(shot)
        assert ticks.snapshot() == shot
        if begin:
            with pytest.raises(hayate.Error, match="after"):  # time does not step back
                push(ticks, 0, 1)
    got.append(ticks.close(TRADES["time"].max()))
    assert np.concatenate(got).tobytes() == want.tobytes()
    assert ticks.counts == counts


def test_snapshots_of_others_are_refused():
    """With the reason, and nothing is changed."""
    make = hayate.Ticks
    ticks = make(SYMBOLS, "volume:3", True)
    push(ticks, 0, 1000)
    shot = ticks.snapshot()
    for other, word in ((make(SYMBOLS, "volume:4", True), "of bars volume:3, these are of volume:4"),
                        (make(SYMBOLS, "tick:3", True), "these are of tick:3"),
                        (make(SYMBOLS, "time:1m"), "these are of time:1m"),
                        (make(SYMBOLS, "volume:3"), "remainders carry over"),
                        (make(SYMBOLS[:2], "volume:3", True), "of 3 symbols, these are 2")):
        push(other, 0, 10) if len(other.symbols) == 3 else None
        before = other.snapshot()
        with pytest.raises(hayate.Error, match=word):
            other.restore(shot)
        assert other.snapshot() == before
    for zone, calendar, word in (("Asia/Tokyo", None, "zone"), (None, "XNYS", "calendar is XNYS")):
        timed = make(SYMBOLS, "time:5m", zone=zone, calendar=calendar)
        with pytest.raises(hayate.Error, match=word):
            make(SYMBOLS, "time:5m").restore(timed.snapshot())
    rng = np.random.default_rng(1)
    for bit in rng.integers(0, len(shot) * 8, 300):
        bad = bytearray(shot)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(hayate.Error):
            ticks.restore(bad)
    for end in [*range(0, len(shot), 7), len(shot) - 1]:
        with pytest.raises(hayate.Error, match="short|no snapshot"):
            ticks.restore(shot[:end])
    with pytest.raises(hayate.Error, match="short or has more"):
        ticks.restore(shot + b"x")
    old = bytearray(shot)
    old[8] = 9
    with pytest.raises(hayate.Error, match="version 9; this hayate reads 1"):
        ticks.restore(old)
    assert ticks.snapshot() == shot


def test_times_have_an_end():
    ticks = hayate.Ticks(["A"], "tick:1")
    for time in (2 ** 63 - 1, 9 * 10 ** 18 + 1, -9 * 10 ** 18 - 1):
        with pytest.raises(hayate.Error, match="trade 0: a time of .* 1685 to 2254"):
            ticks.push(time, 0, 1.0, 1.0)
    assert len(ticks.push([9 * 10 ** 18] * 3, 0, 1.0, 1.0)) == 3  # the later two are moved on
    ticks.restore(ticks.snapshot())


@pytest.mark.parametrize("rule, carry", RULES)
def test_imported(rule, carry, tmp_path):
    """The file's order counts among equal times; a step back is sorted."""
    lines = ["time,symbol,price,size,flags"]
    for i in range(len(TRADES["time"])):
        when = np.datetime64(int(TRADES["time"][i]), "ns")
        lines.append(f"{when}Z,{SYMBOLS[TRADES['symbol'][i]]},{TRADES['price'][i]!r},"
                     f"{TRADES['size'][i]!r},{TRADES['flags'][i] or ''}".replace("np.float64", "")
                     .replace("(", "").replace(")", ""))
    first = next(i for i in range(1, 50) if TRADES["symbol"][i] != TRADES["symbol"][i - 1]
                 and TRADES["time"][i] > TRADES["time"][i - 1])
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    (tmp_path / "trades.csv").write_text("\n".join(lines) + "\n")
    words = [os.environ["HAYATE"], "import", tmp_path / "trades.csv", "-o", tmp_path / "u.h5",
             "--bars", rule, *(["--remainder", "carry"] if carry else []), "--json"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    bars, counts = all_at_once(rule, carry)
    universe = hayate.Universe(tmp_path / "u.h5")
    assert universe.fields == ["open", "high", "low", "close", "volume", "n_trades", "vwap"]
    assert universe.timeframe == (rule[5:] if rule.startswith("time") else "")
    for field in universe.fields:
        column = universe.read(field)
        for k, name in enumerate(SYMBOLS):
            own = bars[bars["symbol"] == k]
            at = np.searchsorted(universe.time, own["time"])
            assert (universe.time[at] == own["time"]).all()
            got = column[at, universe.symbols.index(name)]
            assert got.tobytes() == own[field].astype("f8").tobytes()
    assert f'"open_trades":{counts["n_open"]}' in done.stdout.replace(" ", "")


def test_ten_tenths_are_one():
    ticks = hayate.Ticks("X", "volume:1")
    bars = ticks.push(np.arange(20), ["X"] * 20, np.full(20, 5.0), np.full(20, 0.1))
    assert bars["time"].tolist() == [9, 19] and bars["n_trades"].tolist() == [10, 10]
    bars = hayate.Ticks("X", "volume:1").push(np.arange(4), [0] * 4, 5.0, [0.1, 0.1, 0.1, 0.7])
    assert bars["time"].tolist() == [3]


def test_a_trade_over_several_thresholds():
    for carry, want in ((False, [0, 3]), (True, [0, 2])):
        ticks = hayate.Ticks("X", "volume:10", carry)
        bars = ticks.push(np.arange(4), [0] * 4, 5.0, [47.0, 2.0, 2.0, 6.0])
        assert bars["time"].tolist() == want


def test_refusals():
    ticks = hayate.Ticks(SYMBOLS, "tick:2")
    ticks.push(5, "A", 1.0, 1.0)
    for values, word in (((4, "A", 1.0, 1.0), "trade 0: of 1970"), ((6, "A", 0.0, 1.0), "a price of 0"),
                         ((6, "A", np.nan, 1.0), "a price of nan"), ((6, "B", 1.0, -1.0), "a size of"),
                         (([6, 7], [0, 3], 1.0, 1.0), "trade 1: symbol 3 of 3")):
        with pytest.raises(hayate.Error, match=word):
            ticks.push(*values)
    with pytest.raises(ValueError, match="no symbol 'X'"):
        ticks.push(6, "X", 1.0, 1.0)
    assert ticks.counts["n_trades"] == 1
    assert ticks.push(5, "A", 2.0, 1.0)["open"].tolist() == [1.0]  # nothing had been taken
    for rule in ("tick:1.5", "volume:0", "volume:-1", "volume:1x", "range:5", "time:3q", "dollar:"):
        with pytest.raises(hayate.Error):
            hayate.Ticks("A", rule)


def test_refused_imports(tmp_path):
    cases = {"time,symbol,price\n2024-01-02T10:00:00Z,A,1\n": "no column size",
             "time,symbol,size\n2024-01-02T10:00:00Z,A,1\n": "no column price",
             "time,symbol,price,size,flags\n2024-01-02T10:00:00Z,A,1,1,x\n": "not of numbers",
             "time,symbol,price,size\n2024-01-02,A,1,1\n2024-01-03,A,1,1\n": "time of day",
             "time,symbol,price,size\n2024-01-02T10:00:00Z,A,1,1\n": "do not fill a bar"}
    for text, word in cases.items():
        (tmp_path / "t.csv").write_text(text)
        done = subprocess.run([os.environ["HAYATE"], "import", tmp_path / "t.csv", "-o",
                               tmp_path / "u.h5", "--bars", "tick:2"], capture_output=True, text=True)
        assert done.returncode and word in done.stderr, done.stderr
