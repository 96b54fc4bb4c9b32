# SPDX-License-Identifier: Apache-2.0
"""Alpha158 and Alpha360 as shipped: against the formulas in pandas (tests/golden/alpha), in both
warm-ups; what .rel rows and refusals promise."""
import pathlib
import re

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate

SPECS = ROOT / "examples" / "alpha"
DAY_NS = 86400 * 10**9
LOOKS_AT_CHANGES = ("CORD", "CNTP", "CNTN", "CNTD", "SUMP", "SUMN", "SUMD", "WVMA", "VSUMP",
                    "VSUMN", "VSUMD", "ROC")


@pytest.fixture(scope="module")
def panel():
    arrays = dict(np.load(ROOT / "tests" / "golden" / "alpha" / "input.npz"))
    rows = len(arrays["close"])
    return {**arrays, "time": np.arange(1, rows + 1) * DAY_NS, "symbol": ["a", "b", "c"]}


@pytest.fixture(scope="module")
def golden():
    file = np.load(ROOT / "tests" / "golden" / "alpha" / "alpha158.npz")
    return {str(name): file["values"][:, :, k] for k, name in enumerate(file["names"])}


def close(name, got, expected):
    # pandas' running variance leaves up to 1e-8 of the close in a flat stretch
    least = 1e-8 if name.startswith("STD") else 1e-12
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=least, err_msg=name)


def test_alpha158_is_the_formulas(panel, golden):
    features = hayate.Features(SPECS / "alpha158.yaml")
    found = features.batch(panel)
    assert features.names == list(golden) and len(features.names) == 158
    for name, expected in golden.items():
        expected = np.where(panel["valid"] == 1, expected, np.nan)
        close(name, found[name], expected)
        assert np.array_equal(found[name + ".valid"], ~np.isnan(expected))


def test_a_part_of_the_rows_is_the_same(panel):
    features = hayate.Features(SPECS / "alpha158.yaml")
    whole, part = features.batch(panel), features.batch(panel, rows=(31, 80))
    for name in features.names:
        assert whole[name][31:80].tobytes() == part[name].tobytes(), name


def test_strict_is_full_windows_alone(panel, golden):
    features = hayate.Features(SPECS / "alpha158_strict.yaml")
    found = features.batch(panel)
    assert features.names == list(golden)
    born = 15  # of the first symbol, which has every bar from there on
    for k, (name, expected) in enumerate(golden.items()):
        n = int(re.search(r"\d+$", name)[0]) if k >= 13 else 0  # behind those of one bar
        first = born + max(n - 1, 0) + (name.rstrip("0123456789") in LOOKS_AT_CHANGES)
        expected = expected[:, 0].copy()
        expected[:first] = np.nan
        close(name, found[name][:, 0], expected)
        assert not np.isnan(expected[first]), name


def test_alpha360_is_the_shifted_bars(panel):
    found = hayate.Features(SPECS / "alpha360.yaml").batch(panel)
    n = 0
    for field in ("close", "open", "high", "low", "vwap", "volume"):
        scale = panel["volume"] + 1e-12 if field == "volume" else panel["close"]
        for k in range(59, -1, -1):
            moved = np.full_like(scale, np.nan)
            moved[k:] = panel[field][:len(scale) - k]
            expected = np.where(panel["valid"] == 1, moved / scale, np.nan)
            np.testing.assert_array_equal(found[f"{field.upper()}{k}"], expected)
            n += 1
    assert n == 360 and len(found) == 2 * n + 2


def test_relative_thresholds_know_no_scale(panel):
    small = {**panel, "close": panel["close"] * 2.0**-14, "volume": panel["volume"]}
    spec = "r=rsquare.rel(c,20); k=corr.rel(c,h,20); a=rsquare.qlib(c,20)"
    one, two = (hayate.Features(spec).batch(p) for p in (panel, small))
    assert one["r"].tobytes() == two["r"].tobytes()
    assert one["k"].tobytes() == two["k"].tobytes()
    assert np.isnan(two["a"][:, 1]).all() and not np.isnan(one["a"][:, 1]).all()


def test_a_bare_family_is_its_qlib_row_under_warmup_qlib(tmp_path):
    def canonical(params, text):
        path = tmp_path / "s.yaml"
        path.write_text(f"hayate_spec: 1\nparams: {params}\nfeatures: ['{text}']\n")
        return hayate.Features(path).canonical

    text = "x = sma(close, 5) + (close > open) + rsi(close, 14) + std.pop(close, 5)"
    meant = canonical("{warmup: qlib}", text)
    for id in ("sma.qlib", "gt.qlib", "rsi.talib", "std.pop"):
        assert f'"id":"{id}"' in meant
    assert '"warmup":"qlib"' in meant and "sma.qlib" not in canonical("{warmup: strict}", text)


def test_refusals(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("hayate_spec: 1\nparams: {warmup: lenient}\nfeatures: ['x = close']\n")
    with pytest.raises(hayate.Error, match="lenient"):
        hayate.Features(path)
    with pytest.raises(hayate.Error, match="min of sma.qlib is 6, more than its n = 5"):
        hayate.Features("sma.qlib(close, 5, 6)")
    with pytest.raises(hayate.Error, match="more than its n = 5"):
        hayate.Features("order.qlib(close, 5, min=9)")


MIXED = "close; fit(close,20).rsq; ema(high,9); cs.rank(roc(close,3))"
QUOTIENTS = ("q=high/close; back=ref(close,7)/low; none=close/(close-close); e=ema(high,9)/close;"
             "huge=(close*1e200)/(low*1e-200); asked=open/low; asks=asked*2; deep=high/close/low")


@pytest.mark.parametrize("rows", [None, (0, 1), (5, 77), (64, 130)])
@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512"])
@pytest.mark.parametrize("spec", [MIXED, QUOTIENTS], ids=["mixed", "quotients"])
def test_the_order_in_memory_changes_no_bit(tmp_path, rows, isa, spec):
    path = tmp_path / "u.h5"
    hayate.generate(path, symbols=19, bars=130, seed=5)
    runtime = hayate.Runtime(threads=2, isa=isa)
    universe = hayate.Universe(path, runtime)
    features = hayate.Features(spec, runtime)
    by_row = features.batch(universe, rows)
    by_series = features.batch(universe, rows, order="F")
    again = features.batch(universe, rows, out=by_series, order="F", valid=False)
    for name in features.names:
        assert by_row[name].tobytes() == by_series[name].tobytes(), name
        assert np.array_equal(by_row[name + ".valid"], by_series[name + ".valid"])
        assert np.shares_memory(again[name], by_series[name]) and name + ".valid" not in again
        assert by_series[name].strides[0] == 8 and by_series[name].ctypes.data % 64 == 0


def test_what_does_not_fit_is_no_place_for_an_answer(panel):
    features = hayate.Features("ref(close,1)")
    other = {"ref(close,1)": np.empty((3, 3)), "ref(close,1).valid": np.empty((3, 3), "u1")}
    with pytest.raises(ValueError, match="ref"):
        features.batch(panel, out=other)
    with pytest.raises(ValueError, match="order"):
        features.batch(panel, out=features.batch(panel), order="F")
    with pytest.raises(ValueError, match="C or F"):
        features.batch(panel, order="K")
