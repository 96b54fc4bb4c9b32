# SPDX-License-Identifier: Apache-2.0
"""The Python module: arrays in and out, features as the command computes them, models against the
goldens of the inference tests, errors with their place."""
import json
import os
import pathlib
import subprocess
import sys
import threading

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate

GOLDEN = ROOT / "tests" / "golden" / "onnx"
SPEC = "sma(close,5); rsi=rsi.mid(close,14); logret(close,1)"


@pytest.fixture(scope="module")
def universe(tmp_path_factory):
    path = tmp_path_factory.mktemp("universe") / "u.h5"
    hayate.generate(path, symbols=11, bars=120, seed=3)
    return path


def test_runtime_options():
    r = hayate.Runtime(threads=2, isa="scalar")
    assert (r.threads, r.isa) == (2, "scalar")
    with pytest.raises(hayate.Error) as e:
        hayate.Runtime(isa="sse9")
    assert e.value.status == "INVALID_ARGUMENT" and "sse9" in str(e.value)


def test_load_and_save(tmp_path):
    arrays = {"x": np.arange(6, dtype="f4").reshape(2, 3), "turned": np.arange(6.0).reshape(2, 3).T,
              "symbol": np.array(["AAPL", "疾風"]), "flag": np.array([True, False]),
              "wide": np.broadcast_to(np.float32(7), (3, 2)), "none": np.zeros((0, 4)),
              "big_endian": np.arange(3, dtype=">i4")}
    hayate.save(tmp_path / "a.npz", arrays)
    got = hayate.load(tmp_path / "a.npz")
    assert list(got) == list(arrays)
    for name, want in arrays.items():
        assert got[name].shape == want.shape and (got[name] == want).all(), name
    assert not got["x"].flags.writeable
    with pytest.raises(TypeError, match="complex"):
        hayate.save(tmp_path / "b.npz", {"x": np.zeros(2, complex)})


def test_loaded_arrays_keep_the_file(tmp_path):
    hayate.save(tmp_path / "a.npy", {"": np.arange(1000.0)})
    a = hayate.load(tmp_path / "a.npy")[""][10:]
    os.unlink(tmp_path / "a.npy")
    assert a.sum() == np.arange(10, 1000).sum()


def test_errors_say_where(tmp_path):
    (tmp_path / "bad.npz").write_bytes(b"time,close\n")
    with pytest.raises(hayate.Error) as e:
        hayate.load(tmp_path / "bad.npz")
    assert e.value.status == "BAD_FORMAT"
    assert e.value.subject.endswith("bad.npz") and "bad.npz" in str(e.value)
    with pytest.raises(hayate.Error) as e:
        hayate.Features("sma(close,5); smma_typo(close,3)")
    assert e.value.column and "smma_typo" in str(e.value)


def test_texts_with_a_nul_are_refused(tmp_path):
    """C would take what stands before it."""
    bars = {"time": np.arange(3), "symbol": ["A\0B"], "close": np.ones((3, 1))}
    for take in (lambda: hayate.Features("m = close\0x"), lambda: hayate.load(tmp_path / "a\0b"),
                 lambda: hayate.Universe(bars), lambda: hayate.Runtime(isa="avx2\0")):
        with pytest.raises(ValueError, match="NUL"):
            take()


def test_definitions_and_their_ranges():
    every = {d["id"]: d for d in hayate.definitions()}
    assert len(every) >= 200 and set(d["id"] for d in hayate.definitions("rsi.")) < set(every)
    lam = every["ewma_vol"]["params"][1]
    assert (lam["name"], lam["default"]) == ("lambda", 0.94)
    assert (lam["min"], lam["min_open"], lam["max"], lam["max_open"]) == (0, True, 1, True)
    for d in every.values():
        for p in d["params"]:
            values = [p["min"], p["default"], p["max"]]
            values = [v for v in values if v is not None]
            assert values == sorted(values) and p["range"], (d["id"], p)
    with pytest.raises(hayate.Error, match="lambda of ewma_vol must be a number above 0 and below"):
        hayate.Features("ewma_vol(close, 20, 0)")


def test_universe_and_rows(universe):
    u = hayate.Universe(universe)
    assert len(u.symbols) == 11 and len(u.time) == 120 and u.time.dtype == np.int64
    assert "close" in u.fields and (np.diff(u.time) > 0).all()
    close = u.read("close")
    assert close.shape == (120, 11)
    assert np.array_equal(u.read("close", 10, 20), close[10:20], equal_nan=True)
    assert u.find_rows(at="last") == (119, 120)
    with pytest.raises(hayate.Error, match="vwopen"):
        u.read("vwopen")
    with pytest.raises(ValueError, match="rows"):
        u.read("close", 5, 500)


def test_batch_is_the_command(universe, tmp_path):
    out = tmp_path / "f.npz"
    subprocess.run([os.environ["HAYATE"], "features", "compute", SPEC, "--data", str(universe),
                    "--output", str(out)], check=True, capture_output=True)
    want = dict(np.load(out))
    got = hayate.Features(SPEC).batch(str(universe))
    for name in got:
        assert got[name].dtype == want[name].dtype or name == "symbol", name
        assert got[name].shape == want[name].shape, name
        assert name == "symbol" or got[name].tobytes() == want[name].tobytes(), name
    assert got["symbol"].tolist() == want["symbol"].tolist()
    assert set(want) - set(got) <= {"hayate.spec_sha256", "hayate.spec"}


def test_batch_of_a_dict_is_batch_of_the_file(universe):
    u = hayate.Universe(universe)
    panel = {"time": u.time, "symbol": u.symbols, "timeframe": u.timeframe,
             **{field: u.read(field) for field in u.fields}}
    f = hayate.Features(SPEC)
    a, b = f.batch(u), f.batch(panel)
    panel["time"] = panel["time"].astype("datetime64[ns]")
    c = f.batch(panel, rows=(30, 90))
    for name in f.names:
        assert a[name].tobytes() == b[name].tobytes()
        assert a[name][30:90].tobytes() == c[name].tobytes()
        assert a[name + ".valid"].tobytes() == (~np.isnan(a[name])).astype("u1").tobytes()
    assert f.names == ["sma(close,5)", "rsi", "logret(close,1)"] and len(f.sha256) == 64
    panel["close"] = panel["close"][:, :3]
    with pytest.raises(ValueError, match="close"):
        f.batch(panel)


def test_checks_are_the_commands(universe):
    f = hayate.Features(SPEC)
    for kind, words, given in (("lookahead", ["--points", "2"], {"points": 2}),
                               ("recursive", ["--tol", "1e-3"], {"tol": 1e-3}),
                               ("parity", ["--seed", "3"], {"seed": 3}), ("coverage", [], {})):
        done = subprocess.run([os.environ["HAYATE"], "features", kind, SPEC, "--data",
                               str(universe), "--json", *words], check=True, capture_output=True)
        assert json.loads(done.stdout) == getattr(f, "check_" + kind)(str(universe), **given)
    short = f.check_recursive(str(universe), warmup=3)
    assert not short["passed"] and short["findings"][0]["feature"] == "sma(close,5)"
    assert f.check_bench(str(universe))["passed"]


def test_batch_from_many_threads(universe):
    f, u = hayate.Features(SPEC), hayate.Universe(universe)
    want = f.batch(u)["rsi"].tobytes()
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(f.batch(u)["rsi"].tobytes()))
               for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert answers == [want] * 6


def test_missing_cells_are_nan(universe):
    t = np.arange(10) * 60_000_000_000
    close = np.linspace(1, 2, 20).reshape(10, 2)
    valid = np.ones((10, 2), "u1")
    valid[4, 1] = 0
    out = hayate.Features("twice=close*2").batch(
        {"time": t, "symbol": ["a", "b"], "close": close, "valid": valid})
    assert np.isnan(out["twice"][4, 1]) and out["twice.valid"][4, 1] == 0
    assert out["twice"][4, 0] == close[4, 0] * 2


@pytest.mark.parametrize("name", ["lgbm_reg", "sk_gb_multi", "torch_mlp_legacy",
                                  "torch_gru_last_dynamo", "torch_lstm_stacked_legacy"])
def test_session_has_the_goldens(name):
    feeds, expect = (dict(np.load(GOLDEN / name / f)) for f in ("input.npz", "expect.npz"))
    session = hayate.Session(GOLDEN / name / "model.onnx")
    assert [p.name for p in session.inputs] == list(feeds)
    out = session.run(feeds)
    for key, want in expect.items():
        np.testing.assert_allclose(out[key], want, rtol=2e-5, atol=1e-6)
    kept = {k: v.copy() for k, v in out.items()}
    views = session.run(feeds, copy=False)
    for key in expect:
        assert views[key].tobytes() == kept[key].tobytes() and not views[key].flags.writeable
    turned = {k: np.asfortranarray(v) for k, v in feeds.items()}
    assert all((session.run(turned)[k] == kept[k]).all() for k in expect)


def test_session_refuses_by_name():
    session = hayate.Session(GOLDEN / "lgbm_reg" / "model.onnx")
    name = session.inputs[0].name
    with pytest.raises(ValueError, match="unknown.*'z'"):
        session.run({"z": np.zeros(3)})
    with pytest.raises(hayate.Error) as e:
        session.run({name: np.zeros((2, 3), "i4")})
    assert name in str(e.value)
    with pytest.raises(hayate.Error) as e:
        hayate.Session(ROOT / "README.md")
    assert e.value.status == "BAD_FORMAT"


def test_score_is_the_command(tmp_path):
    example, data = ROOT / "examples" / "us20-daily", tmp_path / "u.h5"
    subprocess.run([os.environ["HAYATE"], "import", str(example / "prices.csv"), "-o", str(data)],
                   check=True, capture_output=True)
    subprocess.run([os.environ["HAYATE"], "score", str(example / "pipeline.yaml"), "--data",
                    str(data), "--last", "--out", str(tmp_path / "a")], check=True,
                   capture_output=True)
    result = hayate.score(example / "pipeline.yaml", data, out=tmp_path / "b")
    assert (result["symbols"], result["scored"]) == (20, 20)
    scores = [(tmp_path / folder / "scores.csv").read_bytes() for folder in "ab"]
    assert scores[0] == scores[1]
    (tmp_path / "actions.csv").write_text("symbol,ex,kind,amount\nAAPL,2020-08-31,merger,4\n")
    with pytest.raises(hayate.Error, match="actions.csv:2"):
        hayate.score(example / "pipeline.yaml", data, actions=tmp_path / "actions.csv")
    with pytest.raises(hayate.Error) as e:
        hayate.score(example / "pipeline.yaml", data, at="yesterday")
    assert "yesterday" in str(e.value)
    with pytest.raises(ValueError, match="history"):
        hayate.score(example / "pipeline.yaml", data, history="some")


@pytest.mark.parametrize("name", ["FLOAT8E4M3FN", "INT4", "BFLOAT16"])
def test_types_that_numpy_lacks(name, tmp_path):
    """By ml_dtypes where it is installed, else as the bytes that they are; saved under their name."""
    folder = ROOT / "tests" / "golden" / "onnx_op" / f"Cast{name}_24"
    feeds, expect = (hayate.load(folder / f"{part}.npz") for part in ("input", "expect"))
    session = hayate.Session(folder / "model.onnx")
    bare = {port.name: feeds[port.name].view(f"u{feeds[port.name].itemsize}")
            if feeds[port.name].dtype.kind == "V" else feeds[port.name] for port in session.inputs}
    for given in (feeds, bare):
        for key, got in session.run(given).items():
            assert got.dtype == expect[key].dtype and got.tobytes() == expect[key].tobytes(), key
    if name != "BFLOAT16":
        hayate.save(tmp_path / "a.npz", feeds)
        narrow = {"INT4": b"'int4'", "FLOAT8E4M3FN": b"'float8_e4m3fn'"}[name]
        assert (narrow in (tmp_path / "a.npz").read_bytes()) == (hayate._tensor.ml_dtypes is not None)


def test_collected_cycles_in_any_order():
    """A session, its model and its runtime in one cycle: the collector may finalise any of them
    first, the one that the others need among them."""
    code = f"""
import gc, sys
sys.path.insert(0, {str(ROOT / "python")!r})
import hayate
for order in range(3):
    runtime = hayate.Runtime()
    session = hayate.Session({str(GOLDEN / "sk_linear" / "model.onnx")!r}, runtime=runtime)
    parts = [runtime._handle, session._model, session._handle]
    parts = parts[order:] + parts[:order]
    for one, other in zip(parts, parts[1:] + parts[:1]):
        one.other = other
    del runtime, session, parts, one, other
    gc.collect()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
