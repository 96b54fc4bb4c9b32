# SPDX-License-Identifier: Apache-2.0
"""Corporate actions on a universe, against each action done to the whole history before it, one after
the other, in long double; and tables of actions from files."""

import numpy as np
import pytest

import hayate

BARS = 700
TIME = (np.arange(1, BARS + 1) * 60 + 1_700_000_000) * 10 ** 9
SYMBOLS = [f"S{k}" for k in range(11)]
PRICES = ["open", "high", "low", "close", "vwap"]


def market():
    rng = np.random.default_rng(8)
    close = 40 * np.exp(np.cumsum(rng.normal(0, 0.01, (BARS, 11)), axis=0))
    fields = {name: close * f for name, f in zip(PRICES, [1.001, 1.01, 0.99, 1, 0.999])}
    fields["volume"] = rng.integers(1, 999, (BARS, 11)) * 100.0
    fields["beta"] = rng.normal(size=(BARS, 11))
    fields["close"][300, 3] = np.nan
    valid = (rng.random((BARS, 11)) > 0.1).astype("u1")
    return {"time": TIME, "symbol": SYMBOLS, "valid": valid, "timeframe": "1m", **fields}


PANEL = market()
ROWS = [("S3", TIME[300], "dividend", 0.5), ("S3", TIME[100] + 5, "split", 3.0),
        ("S3", TIME[300], "split", 2.0), ("S9", TIME[50], "roll_ratio", 1.013),
        ("S9", TIME[400] - 1, "roll_difference", -2.25), ("S9", TIME[600], "roll_ratio", 0.98),
        ("S0", TIME[0] - 1, "dividend", 1e9), ("S0", TIME[650], "dividend", 1.0),
        ("S5", TIME[-1], "split", 2.0), ("ELSE", TIME[5], "split", 2.0)]


def by_hand(as_of=2 ** 63 - 1):
    """Raw prices, then each action in the order of time."""
    out = {name: PANEL[name].astype(np.longdouble) for name in [*PRICES, "volume"]}
    raw = np.where(PANEL["valid"] > 0, PANEL["close"], np.nan)
    for symbol, ex, kind, amount in sorted(ROWS, key=lambda r: (r[1], r[2] == "dividend")):
        if symbol not in SYMBOLS or ex > as_of:
            continue
        k, before = SYMBOLS.index(symbol), TIME <= ex
        closes = raw[before, k]
        closes = closes[~np.isnan(closes)]
        for name in out:
            part = out[name][before, k]
            if kind == "split":
                part = part * amount if name == "volume" else part / np.longdouble(amount)
            elif name != "volume" and kind == "dividend" and len(closes):
                part = part * (1 - np.longdouble(amount) / closes[-1])
            elif name != "volume" and kind == "roll_ratio":
                part = part * np.longdouble(amount)
            elif name != "volume" and kind == "roll_difference":
                part = part + np.longdouble(amount)
            out[name][before, k] = part
    return out


@pytest.mark.parametrize("as_of", [None, TIME[299], TIME[300], TIME[0] - 2])
def test_against_each_action_in_turn(as_of):
    base = hayate.Universe(PANEL)
    adjusted = base.adjust(ROWS, as_of)
    want = by_hand(*([] if as_of is None else [as_of]))
    hole = PANEL["valid"] == 0
    for name in want:
        got = adjusted.read(name)
        assert (np.isnan(got) == (hole | np.isnan(PANEL[name]))).all()
        np.testing.assert_allclose(got[~hole], want[name][~hole].astype("f8"), rtol=4e-15)
    assert np.array_equal(adjusted.read("beta"), base.read("beta"), equal_nan=True)
    assert adjusted.symbols == SYMBOLS and adjusted.timeframe == "1m"
    assert np.array_equal(base.read("close")[~hole], PANEL["close"][~hole], equal_nan=True)


def test_a_split_is_exact_and_others_stay():
    adjusted = hayate.Universe(PANEL).adjust([("S1", TIME[199], "split", 4.0)])
    got, raw = adjusted.read("close"), hayate.Universe(PANEL).read("close")
    assert np.array_equal(got[:200, 1], raw[:200, 1] / 4, equal_nan=True)
    assert np.array_equal(got[200:], raw[200:], equal_nan=True)
    assert np.array_equal(np.delete(got, 1, 1), np.delete(raw, 1, 1), equal_nan=True)


def test_features_do_not_see_the_split():
    """Halving all prices after a bar and telling it so gives the returns of the series without."""
    plain = {k: PANEL[k] for k in ("time", "symbol", "valid", "timeframe", "close")}
    split = {**plain, "close": np.where(TIME[:, None] > TIME[200], plain["close"] / 2,
                                        plain["close"])}
    features = hayate.Features("rsi(close,5); logret(close,1); slope(close,9)/close")
    actions = [(s, TIME[200], "split", 2.0) for s in SYMBOLS]
    want = features.batch({**plain, "close": plain["close"] / 2})
    got = features.batch(hayate.Universe(split).adjust(actions))
    assert all(got[n].tobytes() == want[n].tobytes() for n in features.names)


def test_files(tmp_path):
    path = tmp_path / "actions.csv"
    path.write_text("Ticker,Ex_Date,Type,Ratio\nB,2024-03-11,split,2\n"
                    "A,2024-03-10T01:30:00-05:00,dividend,0.24\nA,2024-01-02,roll_ratio,1.5\n")
    rows = hayate.Actions(path, zone="America/New_York").rows
    utc = [np.datetime64(t, "ns").astype("i8") for t in
           ("2024-01-02T05:00", "2024-03-10T06:30", "2024-03-11T04:00")]
    assert rows == [("A", utc[0], "roll_ratio", 1.5), ("A", utc[1], "dividend", 0.24),
                    ("B", utc[2], "split", 2.0)]


@pytest.mark.parametrize("text, place, word", [
    ("symbol,ex,kind\nA,2024-01-02,split\n", ":1:1", "no column amount"),
    ("symbol,ex,kind,amount\nA,soon,split,2\n", ":2:3", 'found "soon"'),
    ("symbol,ex,kind,amount\nA,2024-01-02,merger,2\n", ":2:14", "roll_ratio"),
    ("symbol,ex,kind,amount\nA,2024-01-02,split,two\n", ":2:20", "expected a number"),
    ("symbol,ex,kind,amount\nA,2024-01-02,split,0\n", ":2:20", "above zero"),
    ("symbol,ex,kind,amount\nA,2024-01-02\n", ":2:1", "a row of 2 columns"),
    ("symbol,ex,kind,amount\nA,2024-01-02,split,2\nA,2024-01-02,split,3\n", "", "two actions")])
def test_files_that_are_refused(tmp_path, text, place, word):
    path = tmp_path / "actions.csv"
    path.write_text(text)
    with pytest.raises(hayate.Error) as e:
        hayate.Actions(path)
    assert word in str(e.value) and f"actions.csv{place}" in str(e.value)


def test_what_cannot_be():
    base = hayate.Universe(PANEL)
    with pytest.raises(hayate.Error, match="S2: a dividend of 1000, but the close"):
        base.adjust([("S2", TIME[9], "dividend", 1000.0)])
    with pytest.raises(hayate.Error, match="lacks"):
        hayate.Universe({"time": TIME, "symbol": SYMBOLS, "bid": PANEL["open"]}).adjust(
            [("S2", TIME[9], "dividend", 1.0)])
    with pytest.raises(ValueError, match="no action of kind 'merger'"):
        base.adjust([("S2", TIME[9], "merger", 1.0)])
