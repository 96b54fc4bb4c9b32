# SPDX-License-Identifier: Apache-2.0
"""`hayate features fit` from outside: constants by NumPy, and that nobody is served with another fit
than it was trained with."""
import json
import os
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

HAYATE = str(pathlib.Path(os.environ["HAYATE"]).resolve())
GOLDEN = pathlib.Path("tests/golden/score").resolve()
ITEMS = "features: ['a = logret(close,1)', 'b = rsi(close,14)', 'd = close / open', 'e = volume']\n"
SPEC = ("hayate_spec: 1\n" + ITEMS + "norm:\n"
        "  - {in: a, roll_z: {n: 60, min: 20}}\n"
        "  - {in: a, fit_z: {FILE}}\n"
        "  - {in: b, fit_robust: {per: symbol}}\n"
        "  - {in: [d], fit_minmax: true}\n"
        "  - {in: '*', clip: [-50000, 50000]}\n")
RAW = "hayate_spec: 1\n" + ITEMS + "norm: [{in: a, roll_z: {n: 60, min: 20}}]\n"


def hayate(*words, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *map(str, words)], capture_output=True, text=True, env=env,
                          timeout=120, **more)


def answer(*words, **more):
    done = hayate(*words, "--json", **more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(said, *words):
    done = hayate(*words)
    assert done.returncode == 2 and said in done.stderr, done.stderr


@pytest.fixture(scope="module")
def universe(tmp_path_factory):
    path = tmp_path_factory.mktemp("fit") / "u.h5"
    assert hayate("gen", "-o", path, "--symbols", 21, "--bars", 3000, "--seed", 5).returncode == 0
    return path


@pytest.fixture(scope="module")
def span(universe, tmp_path_factory):
    """The universe's rows, as the training range's first and last time, and the rest."""
    path = tmp_path_factory.mktemp("raw") / "raw.npz"
    spec = path.parent / "raw.yaml"
    spec.write_text(RAW)
    answer("features", "compute", spec, "--data", universe, "-o", path)
    raw = np.load(path)
    stamp = lambda t: str(np.datetime64(int(t), "ns").astype("datetime64[s]")) + "Z"
    return raw, 200, 1800, stamp(raw["time"][200]), stamp(raw["time"][1799])


@pytest.fixture
def folder(tmp_path, universe, span):
    (tmp_path / "spec.yaml").write_text(SPEC.replace("{FILE}", "{file: fit.yaml}"))
    (tmp_path / "bare.yaml").write_text(SPEC.replace("{FILE}", "{}"))
    answer("features", "fit", tmp_path / "spec.yaml", "--data", universe, "--from", span[3], "--to",
           span[4], "-o", tmp_path / "fit.yaml")
    return tmp_path


def test_constants_are_numpys(folder, universe, span):
    raw, begin, end, first, last = span
    fit = json.loads((folder / "fit.yaml").read_text())
    assert (fit["from"], fit["to"]) == (first, last)
    assert (fit["bars"], fit["symbols"]) == (end - begin, 21)
    kept = lambda x: x[~np.isnan(x)]
    a = kept(raw["a"][begin:end])
    n, center, scale = map(float, fit["features"]["a"]["constants"].split())
    assert n == a.size
    np.testing.assert_allclose([center, scale], [a.mean(), a.std()], rtol=1e-12, atol=1e-15)
    d = kept(raw["d"][begin:end])
    assert list(map(float, fit["features"]["d"]["constants"].split())) == [d.size, d.min(),
                                                                          d.max() - d.min()]
    each = fit["features"]["b"]["symbols"]
    assert sorted(each) == sorted(raw["symbol"])
    for k, name in enumerate(raw["symbol"]):
        b = kept(raw["b"][begin:end, k])
        n, center, scale = map(float, each[name].split())
        median = np.median(b)
        want = [b.size, median, (np.median(abs(b - median)) + 1e-12) * 1.4826]
        np.testing.assert_allclose([n, center, scale], want, rtol=1e-14)


def test_values_are_those_of_the_constants(folder, universe, span):
    raw = span[0]
    fit = json.loads((folder / "fit.yaml").read_text())
    answer("features", "compute", folder / "spec.yaml", "--data", universe, "-o",
           folder / "f.npz", "--threads", "2")
    got = np.load(folder / "f.npz")
    assert str(got["hayate.fit_sha256"]) == fit["sha256"]
    assert str(got["hayate.spec_sha256"]) == fit["spec_sha256"]
    for name in "ad":
        _, center, scale = map(float, fit["features"][name]["constants"].split())
        np.testing.assert_array_equal(got[name], (raw[name] - center) / scale)
    for k, symbol in enumerate(raw["symbol"]):
        _, center, scale = map(float, fit["features"]["b"]["symbols"][symbol].split())
        np.testing.assert_array_equal(got["b"][:, k], (raw["b"][:, k] - center) / scale)
    np.testing.assert_array_equal(got["e"], np.clip(raw["e"], -50000, 50000))
    # given beside a spec that names none: the same spec, the same values
    again = answer("features", "compute", folder / "bare.yaml", "--fit", folder / "fit.yaml",
                   "--data", universe, "-o", folder / "g.npz")
    assert again["fit_sha256"] == fit["sha256"] and again["spec_sha256"] == fit["spec_sha256"]
    assert all(np.load(folder / "g.npz")[n].tobytes() == got[n].tobytes() for n in "abde")
    explain = ["features", "explain", folder / "bare.yaml"]
    assert answer(*explain)["fit_sha256"] == ""
    assert answer(*explain, "--fit", folder / "fit.yaml")["fit_sha256"] == fit["sha256"]
    assert "fit sha256 " + fit["sha256"] in hayate(*explain, "--fit", folder / "fit.yaml").stdout
    check = ["features", "parity", folder / "bare.yaml", "--data", universe]
    assert answer(*check, "--fit", folder / "fit.yaml")["passed"]
    refused("fit_z of a has no fit", *check)


def test_threads_and_instruction_sets_make_the_same_fit(folder, universe, span):
    want = (folder / "fit.yaml").read_bytes()
    for words in (["--threads", 3], ["--isa", "scalar"]):
        answer("features", "fit", folder / "bare.yaml", "--data", universe, "--from", span[3],
               "--to", span[4], "-o", folder / "again.json", *words)
        assert (folder / "again.json").read_bytes() == want


def test_refusals(folder, universe, span):
    compute = ["features", "compute", folder / "spec.yaml", "--data", universe, "-o", folder / "x"]
    bare = ["features", "compute", folder / "bare.yaml", "--data", universe, "-o", folder / "x"]
    text = (folder / "fit.yaml").read_text()
    refused("fit_z of a has no fit: make one with hayate features fit", *bare)
    refused("bare.yaml:5:20: ", *bare)
    refused("the spec names its fit fit.yaml, and another is given", *compute, "--fit",
            folder / "fit.yaml")
    # a number that was changed
    constants = json.loads(text)["features"]["d"]["constants"]
    (folder / "fit.yaml").write_text(text.replace(constants, "1" + constants))
    refused("fit.yaml: the fit's contents have changed: their SHA-256 is", *compute)
    # of another spec: the first difference is named
    other = (folder / "spec.yaml").read_text().replace("n: 60", "n: 61")
    (folder / "other.yaml").write_text(other)
    (folder / "fit.yaml").write_text(text)
    done = hayate("features", "compute", folder / "other.yaml", "--data", universe, "-o",
                  folder / "x")
    assert done.returncode == 2
    assert 'nodes[2].params.n is "0x1.e8p+5" here, "0x1.ep+5" there' in done.stderr, done.stderr
    (folder / "fit.yaml").unlink()
    refused("spec.yaml:5:27: no fit fit.yaml beside the spec", *compute)
    (folder / "fit.yaml").mkdir()
    refused("spec.yaml:5:27: the fit fit.yaml is a folder", *compute)
    (folder / "fit.yaml").rmdir()
    # nothing to fit, and nothing to fit on
    fit = ["--data", universe, "--from", span[3], "--to", span[4], "-o", folder / "y.yaml"]
    (folder / "none.yaml").write_text(RAW)
    refused("the spec has no step of a fit", "features", "fit", folder / "none.yaml", *fit)
    (folder / "flat.yaml").write_text("hayate_spec: 1\nfeatures: ['a = close * 0']\n"
                                      "norm: [{in: a, fit_z: true}]\n")
    refused("a is the same everywhere", "features", "fit", folder / "flat.yaml", *fit)
    (folder / "twice.yaml").write_text("hayate_spec: 1\nfeatures: ['a = close']\n"
                                       "norm: [{in: a, fit_z: true}, {in: a, fit_minmax: {}}]\n")
    refused("twice.yaml:3:50: a is fitted twice", "features", "fit", folder / "twice.yaml", *fit)
    assert not (folder / "y.yaml").exists()


# ---- pipelines ----

TWO = ("hayate_spec: 1\nfeatures: ['r1 = logret(close,1)', 'r5 = logret(close,5)', "
       "'range = (high-low)/close']\nnorm: [{in: '*', fit_z: STEP}]\n")


def pipeline(folder, model="linear.onnx", **more):
    if not (folder / model).exists():
        shutil.copy(GOLDEN / model, folder)
    models = [{"name": "lin", "file": model, "output": "y[0]"}]
    lines = ["pipeline: fitted", "features: two.yaml", f"models: {json.dumps(models)}"]
    lines += [f"{k}: {json.dumps(v)}" for k, v in more.items()]
    (folder / "pipeline.yaml").write_text("\n".join(lines) + "\n")
    return folder / "pipeline.yaml"


def make_two(folder, universe, span, step="{file: two.fit}"):
    (folder / "two.yaml").write_text(TWO.replace("STEP", step))
    return answer("features", "fit", folder / "two.yaml", "--data", universe, "--from", span[3],
                  "--to", span[4], "-o", folder / "two.fit")["fit_sha256"]


def scores(folder, source, universe, name):
    answer("score", source, "--data", universe, "--last", "--out", folder / name)
    return (folder / name / "scores.csv").read_bytes()


def test_pipelines_carry_their_fit(tmp_path, universe, span):
    sha = make_two(tmp_path, universe, span)
    p = pipeline(tmp_path)
    want = scores(tmp_path, p, universe, "a")
    assert json.loads((tmp_path / "a" / "run.json").read_text())["fit_sha256"] == sha
    # named by the pipeline instead of the spec
    assert make_two(tmp_path, universe, span, "{}") == sha
    refused("no fit is named", "score", p, "--data", universe)
    assert scores(tmp_path, pipeline(tmp_path, fit="two.fit"), universe, "b") == want
    # packed: from anywhere, without the files
    answer("pack", p, "-o", tmp_path / "p.hyp", "--data", universe)
    (tmp_path / "two.fit").rename(tmp_path / "gone.fit")
    assert scores(tmp_path, tmp_path / "p.hyp", universe, "c") == want
    assert answer("inspect", tmp_path / "p.hyp")["fit_sha256"] == sha
    assert hayate("verify", tmp_path / "p.hyp").returncode == 0
    refused("fit: no file 'two.fit' beside the pipeline", "score", p, "--data", universe)


def test_a_packed_fit_of_another_spec_is_refused(tmp_path, universe, span):
    """A container that was put together from two: its parts are whole, but not of each other."""
    make_two(tmp_path, universe, span)
    p = pipeline(tmp_path)
    text = (tmp_path / "two.fit").read_text()
    (tmp_path / "two.yaml").write_text(TWO.replace("STEP", "{file: two.fit}").replace("5)", "6)"))
    refused('nodes[6].params.n is "0x1.8p+2" here, "0x1.4p+2" there', "pack", p, "-o",
            tmp_path / "p.hyp", "--data", universe)
    assert (tmp_path / "two.fit").read_text() == text and not (tmp_path / "p.hyp").exists()


def test_a_model_of_another_fit_is_refused(tmp_path, universe, span):
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    sha = make_two(tmp_path, universe, span)
    for said, good in ((sha, True), ("0" * 64, False)):
        entry = field(1, b"hayate.fit_sha256") + field(2, said.encode())
        name = f"m{int(good)}.onnx"
        (tmp_path / name).write_bytes((GOLDEN / "linear.onnx").read_bytes() + field(14, entry))
        p = pipeline(tmp_path, name)
        if good:
            answer("score", p, "--data", universe, "--last")
        else:
            refused("was made with fit 000000000000..., this fit is " + sha[:12], "score", p,
                    "--data", universe)
    (tmp_path / "two.yaml").write_text(TWO.split("norm")[0])
    refused("was made with fit 000000000000..., this spec has none", "score", p, "--data", universe)


def test_the_fit_is_named_where_it_lacks(tmp_path, universe, span):
    make_two(tmp_path, universe, span)
    done = hayate("score", pipeline(tmp_path), "--data", universe, "--last")
    assert done.returncode == 0 and "hayate.fit_sha256 is absent" in done.stderr
