# SPDX-License-Identifier: Apache-2.0
"""`hayate features list`, `features explain` and `features compute` from outside."""
import hashlib
import json
import os
import subprocess

import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]

SPEC = """# a comment
hayate_spec: 1
inputs: {fields: [o, h, l, c, v], zone: America/New_York}
params: {gap: none}
features:
  - {name: r, op: rsi.mid@1, in: c, n: 14}
  - {name: k, expr: "c/sma(c, 20) - 1"}
  - {name: top, op: bbands, in: close, output: upper, n: 10}
cross:
  - {name: place, op: cs.rank, in: r, universe: main, min_names: 3}
norm:
  - {in: k, clip: [-0.01, 0.01]}
output: {order: [place, r, k, top]}
"""
SAME = """output:
  order: [place, r, k, top]
norm: [{clip: {hi: 0.01, lo: -0.01}, in: [k]}]
cross: [{op: cs.rank@1, name: place, min_names: 3, in: "rsi.mid(close)"}]
features: ["k=c / sma(c,20)-1", "top = bbands(c,n=10).upper", {expr: "rsi.mid(c,  14)", name: r}]
params: {gap: {fill: none}}
inputs: {zone: America/New_York, fields: [volume, close, low, high, open]}
hayate_spec: 1
"""


def hayate(*args):
    return subprocess.run([HAYATE, *args], capture_output=True, text=True)


@pytest.fixture(scope="module")
def universe(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("features") / "u.h5")
    assert hayate("gen", "-o", path, "--symbols", "21", "--bars", "700", "--seed", "3").returncode == 0
    return path


def compute(universe, path, spec, *args):
    done = hayate("features", "compute", spec, "--data", universe, "-o", str(path), "--json", *args)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), np.load(path)


def test_explain_describes_a_definition():
    """The id of a definition prints what it is; a family, all of its rows."""
    done = hayate("features", "explain", "rsi.mid")
    assert done.returncode == 0 and "flat series gives 50" in done.stdout
    assert "look-back    14 rows" in done.stdout and "stable after" in done.stdout
    assert "golden       the definition in long double: daily, hourly, synthetic" in done.stdout
    listing = json.loads(hayate("features", "explain", "rsi", "--json").stdout)
    assert [d["id"] for d in listing["definitions"]] == ["rsi.talib", "rsi.mid", "rsi.cutler"]
    assert listing["definitions"][0]["stable_after"]["1e-6"] > listing["definitions"][0]["lookback"]
    assert hayate("features", "explain", "obv", "--json").stdout.count("null") >= 2


def test_list_filters_and_describes():
    out = hayate("features", "list", "rsi.mid")
    assert out.returncode == 0 and out.stdout.startswith("rsi.mid(x, n=14)")
    keys = json.loads(hayate("features", "list", "--json").stdout)
    by_id = {d["id"]: d for d in keys["definitions"]}
    assert keys["n"] == len(keys["definitions"]) >= 40
    assert by_id["macd"]["outputs"] == ["macd", "signal", "hist"]
    assert by_id["cs.rank"]["kind"] == "cross"
    assert by_id["ema.talib"]["golden"].startswith("TA-Lib EMA: daily, hourly, synthetic")
    assert all(d["golden"] != "none" for d in keys["definitions"])
    closed = {"min_open": False, "max_open": False}
    assert by_id["rsi.talib"]["params"] == [
        {"name": "n", "integer": True, "default": 14, "min": 1, "max": 100000, **closed,
         "range": "a whole number of 1 to 100000"}]
    assert by_id["cs.winsor"]["params"][0] == {
        "name": "p", "integer": False, "default": 0.01, "min": 0, "max": 1, **closed,
        "range": "a number of 0 to 1"}
    assert by_id["ewma_vol"]["params"][1] == {
        "name": "lambda", "integer": False, "default": 0.94, "min": 0, "max": 1, "min_open": True,
        "max_open": True, "range": "a number above 0 and below 1"}
    assert by_id["clip"]["params"][0] == {
        "name": "lo", "integer": False, "default": None, "min": None, "max": None,
        "min_open": True, "max_open": True, "range": "a finite number"}


def test_explain():
    out = hayate("features", "explain", "r = rsi.mid(close,14); cum = obv(); sma(r,5)", "--json")
    keys = json.loads(out.stdout)
    r, o, s = keys["features"]
    assert (r["name"], r["class"], r["lookback"], r["fields"]) == ("r", "E", 14, ["close"])
    assert o["stable"] is None and o["class"] == "A" and keys["stable"] is None
    assert s["name"] == "sma(r,5)" and s["lookback"] == 18 and s["stable"] == r["stable"] + 4
    assert s["nodes"] == 3 and len(keys["nodes"]) == 5
    text = hayate("features", "explain", "r = rsi.mid(close,14)")
    assert text.returncode == 0 and keys["spec_sha256"] not in text.stdout
    assert "rsi.mid@1(#0, n=14)" in text.stdout and "sha256" in text.stdout


def test_the_hash_ignores_form(tmp_path):
    for name, text in (("a.yaml", SPEC), ("b.yaml", SAME)):
        (tmp_path / name).write_text(text)
    forms = [json.loads(hayate("features", "explain", "--json", str(tmp_path / n)).stdout)["spec_sha256"]
             for n in ("a.yaml", "b.yaml")]
    assert forms[0] == forms[1]
    (tmp_path / "c.yaml").write_text(SPEC.replace("n: 14", "n: 15"))
    other = json.loads(hayate("features", "explain", "--json", str(tmp_path / "c.yaml")).stdout)
    assert other["spec_sha256"] != forms[0]
    canonical = hayate("features", "explain", "--canonical", str(tmp_path / "a.yaml")).stdout
    keys = json.loads(canonical)
    assert canonical == json.dumps(keys, sort_keys=True, separators=(",", ":")) + "\n"
    assert [f["name"] for f in keys["features"]] == ["place", "r", "k", "top"]


def test_compute_against_numpy(universe, tmp_path):
    import h5py
    keys, z = compute(universe, tmp_path / "f.npz",
                      "m = sma(close,10); r = logret(close,2); cs.rank(r); d = cs.demean(r)")
    assert keys["features"] == 4 and keys["rows"] == 700 and keys["symbols"] == 21
    with h5py.File(universe) as f:
        close, valid, time = f["close"][:], f["valid"][:] == 1, f["time"][:]
    assert (z["time"] == time).all() and z["symbol"][0] == "S0001"
    assert str(z["hayate.spec_sha256"]) == keys["spec_sha256"]
    assert hashlib.sha256(str(z["hayate.spec"]).encode()).hexdigest() == keys["spec_sha256"]
    m = np.full_like(close, np.nan)
    r = np.full_like(close, np.nan)
    for s in range(21):
        rows = np.flatnonzero(valid[:, s])
        c = close[rows, s]  # a missing bar does not exist
        m[rows[9:], s] = np.lib.stride_tricks.sliding_window_view(c, 10).mean(axis=1)
        r[rows[2:], s] = np.log(c[2:] / c[:-2])
    np.testing.assert_allclose(z["m"], m, rtol=1e-12)
    np.testing.assert_allclose(z["r"], r, rtol=1e-9, atol=1e-15)
    assert ((z["m.valid"] == 1) == np.isfinite(m)).all() and z["m.valid"].dtype == np.uint8
    mean = np.nansum(r, axis=1) / np.maximum(np.isfinite(r).sum(axis=1), 1)
    np.testing.assert_allclose(z["d"], r - mean[:, None], atol=1e-15)
    row = z["r"][350]
    have = np.isfinite(row)
    less = (row[have][None, :] < row[have][:, None]).sum(axis=1)
    same = (row[have][None, :] == row[have][:, None]).sum(axis=1)
    np.testing.assert_allclose(z["cs.rank(r)"][350][have], (less + (same + 1) / 2) / have.sum())


def test_a_range_has_the_bits_of_the_whole(universe, tmp_path):
    spec = "rsi(close,14); std(close,20); cs.zscore(macd(close,12,26,9)); obv()"
    _, whole = compute(universe, tmp_path / "a.npz", spec, "--threads", "1")
    start = str(np.datetime64(int(whole["time"][650]), "ns"))[:19] + "Z"
    for k, more in enumerate((["--at", "last"], ["--from", start], ["--threads", "3"], ["--isa", "scalar"])):
        _, part = compute(universe, tmp_path / f"b{k}.npz", spec, *more)
        n = len(part["time"])
        assert n == {0: 1, 1: 50}.get(k, 700)
        for name in whole.files[:8]:
            assert part[name].tobytes() == whole[name][-n:].tobytes(), (name, more)


def test_float32_is_rounded_once(universe, tmp_path):
    _, wide = compute(universe, tmp_path / "a.npz", "rsi(close,14)")
    _, narrow = compute(universe, tmp_path / "b.npz", "rsi(close,14)", "--dtype", "f4")
    name = "rsi(close,14)"
    assert narrow[name].dtype == np.float32
    assert narrow[name].tobytes() == wide[name].astype(np.float32).tobytes()


@pytest.mark.parametrize("spec,place,message", [
    ("rsi.md(close)", "spec:1:1", "did you mean rsi.mid?"),
    ("rsii(close)", "spec:1:1", "did you mean rsi"),
    ("a = b; b = a", "spec:1:12", "defined by itself"),
    ("sma(close, 0)", "spec:1:12", "whole number of 1 to"),
    ("sma(clsoe, 3)", "spec:1:5", 'no field "clsoe"; did you mean close?'),
    ("close@H1(3)", "spec:1:9", "a version number"),
    ("close@hour", "spec:1:6", "no timeframe"),
    ("age_bars@H1 + age_bars@M5@H1", "spec:1:26", "an operator"),
    ("sma(close,3", "spec:1:12", "not the end"),
])
def test_mistakes_are_placed(universe, tmp_path, spec, place, message):
    out = hayate("features", "compute", spec, "--data", universe, "-o", str(tmp_path / "f.npz"))
    assert out.returncode == 2 and place in out.stderr and message in out.stderr, out.stderr
    assert not (tmp_path / "f.npz").exists()


@pytest.mark.parametrize("text,message", [
    ("hayate_spec: 1\ninputs: {zone: Asia/Tokyo}\nfeatures: [close]\n", "2:16: the spec requires zone Asia/Tokyo"),
    ("hayate_spec: 1\nbase: H1\nfeatures: [close]\n", "2:7: the spec requires base H1"),
    ("hayate_spec: 1\nfeatures:\n  - {name: a, op: sma, in: c, n: 3, tf: [H1, x]}\n", "3:46: \"x\" is no timeframe"),
    ("hayate_spec: 1\nfeatures: [close]\nnorm: [{in: '*', roll_zz: {n: 3}}]\n",
     'unknown key "roll_zz"; did you mean roll_z'),
    ("hayate_spec: 1\ninputs: {fields: [c]}\nfeatures: [volume]\n", '3:12: unknown name "volume"'),
    ("features: [close]\n", "begins with hayate_spec: 1"),
])
def test_spec_files_are_refused_by_name(universe, tmp_path, text, message):
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    out = hayate("features", "compute", str(path), "--data", universe, "-o", str(tmp_path / "f.npz"))
    assert out.returncode == 2 and f"{path}:" in out.stderr and message in out.stderr, out.stderr


def test_missing_spec_file():
    out = hayate("features", "explain", "nowhere.yaml")
    assert out.returncode == 2 and "nowhere.yaml" in out.stderr


def test_the_page_s_spec_is_one(tmp_path):
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "feature-spec.md")
    with open(page, encoding="utf-8") as f:
        text = f.read().split("```yaml\n")[1].split("```")[0]
    (tmp_path / "spec.yaml").write_text(text)
    keys = json.loads(hayate("features", "explain", "--json", str(tmp_path / "spec.yaml")).stdout)
    assert [f["name"] for f in keys["features"]] == ["rsi14", "ret1", "k20", "ret1_rank"]


def test_the_page_has_every_cross_section():
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "feature-spec.md")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    for d in json.loads(hayate("features", "list", "cs.", "--json").stdout)["definitions"]:
        needed = len(d["inputs"]) - d["n_optional"]
        args = [name + "?" * (k >= needed) for k, name in enumerate(d["inputs"])]
        args += [f"{p['name']}={p['default']}" for p in d["params"]]
        assert f"| `{d['id']}({', '.join(args)})` |" in text, d["id"]
