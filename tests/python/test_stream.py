# SPDX-License-Identifier: Apache-2.0
"""FeatureStream: batch's bits from every form of input, peeks that change nothing, snapshots, and
what is refused."""

import numpy as np
import pytest

import hayate

BARS, SYMBOLS = 60, ["A", "B", "C"]
FIELDS = ["open", "high", "low", "close", "volume"]
TIME = (np.arange(BARS) * 60 + 1_700_000_000) * 10 ** 9
SPEC = "rsi(close,5); r=cs.rank(logret(close,1)); atr(4); macd(close).hist; sma(volume,7)"


def market():
    rng = np.random.default_rng(4)
    close = 30 * np.exp(np.cumsum(rng.normal(0, 0.01, (BARS, 3)), axis=0))
    high, low = close * 1.01, close * 0.99
    bars = np.stack([close * 1.001, high, low, close, rng.integers(1, 9, (BARS, 3)) * 100.0])
    valid = (rng.random((BARS, 3)) > 0.1).astype("u1")
    return bars, valid


BARS_OF, VALID = market()


@pytest.fixture(scope="module")
def features():
    return hayate.Features(SPEC)


@pytest.fixture(scope="module")
def want(features):
    """[T, S, F] of batch."""
    panel = {"time": TIME, "symbol": SYMBOLS, "valid": VALID, **dict(zip(FIELDS, BARS_OF))}
    table = features.batch(panel)
    return np.stack([table[n] for n in features.names], axis=-1)


def row(t):
    return np.ascontiguousarray(BARS_OF[:, t])


FORMS = {"array": row, "list": lambda t: [list(f) for f in row(t)],
         "dict": lambda t: dict(zip(FIELDS, row(t))), "strided": lambda t: BARS_OF[:, t],
         "integers": lambda t: {k: v.astype("i8") if k == "volume" else v
                                for k, v in zip(FIELDS, row(t))},
         "read_only": lambda t: read_only(row(t)), "shuffled": lambda t: dict(
             reversed(list(zip(FIELDS, row(t)))))}


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("form", FORMS)
def test_updates_are_batch(form, features, want):
    stream = features.stream(SYMBOLS)
    for t in range(BARS):
        values, valid = stream.update(int(TIME[t]), FORMS[form](t), VALID[t])
        assert values.tobytes() == want[t].tobytes(), t
        assert (valid == ~np.isnan(values)).all() and values.shape == (3, len(stream.names))
    assert stream.n_rows == BARS and stream.time_ns == TIME[-1] and stream.state_bytes > 0


def test_peek_changes_nothing(features, want):
    stream = features.stream(SYMBOLS)
    out = np.empty((3, len(stream.names))), np.empty((3, len(stream.names)), "u1")
    for t in range(BARS):
        before = stream.snapshot()
        stream.peek(int(TIME[t]), row(t) * 1.5)
        assert stream.peek(int(TIME[t]), row(t), VALID[t])[0].tobytes() == want[t].tobytes()
        assert stream.snapshot() == before
        got = stream.update(TIME[t].astype("datetime64[ns]"), row(t), VALID[t], out=out)
        assert got[0] is out[0] and out[0].tobytes() == want[t].tobytes()


def test_snapshot_and_restore(features, want):
    stream = features.stream(SYMBOLS)
    for t in range(30):
        stream.update(int(TIME[t]), row(t), VALID[t])
    kept = stream.snapshot()
    assert stream.time_ns == TIME[29]
    other = features.stream(SYMBOLS[::-1])
    assert other.time_ns is None
    other.restore(kept)
    for t in range(30, BARS):
        values, _ = other.update(int(TIME[t]), row(t)[:, ::-1], VALID[t][::-1])
        assert values[::-1].tobytes() == want[t].tobytes()
    with pytest.raises(hayate.Error):
        stream.restore(kept[:-1])
    with pytest.raises(hayate.Error) as e:
        hayate.Features("sma(close,3)").stream(SYMBOLS).restore(kept)
    assert e.value.status == "MISMATCH"


def test_rows_without_bars_and_one_symbol():
    stream = hayate.Features("sma(close,2)").stream("X", fields=["close"])
    stream.update(1, [3.0])
    assert np.isnan(stream.update(2, [9.0], [0])[0]).all()
    values, valid = stream.update(3, [5.0])
    assert values.tolist() == [[4.0]] and valid.tolist() == [[1]]
    assert stream.symbols == ["X"] and stream.fields == ["close"]


def test_advance_closes_slower_bars(tmp_path):
    spec = tmp_path / "spec.yaml"
    spec.write_text("hayate_spec: 1\nbase: M1\ntimeframes: {M5: {}}\n"
                    "features: [{name: m5, expr: close@M5}]\n")
    stream = hayate.Features(spec).stream("X", fields=["close"], timeframe="1m")
    minute = 60 * 10 ** 9
    for k in range(1, 5):
        assert np.isnan(stream.update(k * minute, [float(k)])[0][0, 0])
    stream.advance(5 * minute)
    assert stream.update(6 * minute, [7.0])[0][0, 0] == 4.0
    with pytest.raises(hayate.Error) as e:
        stream.update(5 * minute, [5.0])
    assert e.value.status == "LATE"


def test_refusals(features):
    stream = features.stream(SYMBOLS)
    stream.update(int(TIME[0]), row(0))
    before = stream.snapshot()
    with pytest.raises(hayate.Error) as e:
        stream.update(int(TIME[0]), row(1))
    assert e.value.status == "LATE"
    for wrong, match in (({"close": np.ones(3), "vwopen": np.ones(3)}, "no field 'vwopen'"),
                         (np.ones((4, 3)), "4 fields"), ([np.ones(2)] * 5, "broadcast")):
        with pytest.raises(ValueError, match=match):
            stream.update(int(TIME[1]), wrong)
    with pytest.raises(ValueError, match="valid has shape"):
        stream.update(int(TIME[1]), row(1), np.ones(2))
    assert stream.snapshot() == before
    with pytest.raises(hayate.Error, match="close"):
        hayate.Features("sma(close,2)").stream(SYMBOLS, fields=["open"])
