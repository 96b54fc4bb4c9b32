# SPDX-License-Identifier: Apache-2.0
"""`hayate pack` of pipelines from outside: the packed file scores as the files did, wherever it lies
and whether they are still there, and what is damaged or of another kind is refused by name."""
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys

import pytest

HAYATE = str(pathlib.Path(os.environ["HAYATE"]).resolve())
GOLDEN = pathlib.Path("tests/golden/score").resolve()
EXAMPLES = pathlib.Path("examples").resolve()
ITEMS = ["r1=logret(close,1)", "r5=logret(close,5)", "range=(high-low)/close"]
SPEC = ("hayate_spec: 1\ninputs: {fields: [high, low, close]}\nfeatures:\n"
        "  - {name: r1, expr: 'logret(close,1)'}\n  - {name: r5, expr: 'logret(close,5)'}\n"
        "  - {name: range, expr: '(high-low)/close'}\n")
MODELS = [{"name": "lin", "file": "linear.onnx", "output": "y[0]", "weight": 2},
          {"name": "win", "file": "window.onnx", "output": "y[1]", "window": 4}]
PIPELINE, PACKS, SPEC_KIND = 6, 2, 10


def hayate(*words, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *map(str, words)], capture_output=True, text=True, env=env,
                          timeout=120, **more)


def answer(*words, status=0, **more):
    done = hayate(*words, "--json", **more)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def write_pipeline(folder, features, models=MODELS, **more):
    folder.mkdir(exist_ok=True)
    for m in models:
        shutil.copy(GOLDEN / m["file"], folder)
    lines = ["pipeline: test", f"features: {json.dumps(features)}", f"models: {json.dumps(models)}"]
    lines += [f"{k}: {json.dumps(v)}" for k, v in {"combine": "zscore_mean", **more}.items()]
    (folder / "pipeline.yaml").write_text("\n".join(lines) + "\n")
    return folder / "pipeline.yaml"


@pytest.fixture(scope="module")
def universe(tmp_path_factory):
    path = tmp_path_factory.mktemp("u") / "u.h5"
    assert hayate("gen", "-o", path, "--symbols", 21, "--bars", 120, "--timeframe",
                  "1d").returncode == 0
    return path


@pytest.fixture
def packed(tmp_path, universe):
    p = write_pipeline(tmp_path / "from", ITEMS)
    answer("pack", p, "-o", tmp_path / "p.hyp", "--data", universe)
    return tmp_path / "p.hyp"


def sections(data):
    n, = struct.unpack_from("<I", data, 12)
    for i in range(n):
        kind, isa, offset, size = struct.unpack_from("<IIQQ", data, 64 + 160 * i)
        owner = data[64 + 160 * i + 40:].split(b"\0")[0].decode()
        yield kind, isa, offset, size, owner


def test_bars_of_a_file_of_another_tool(tmp_path, universe):
    h5py = pytest.importorskip("h5py")
    path = shutil.copy(universe, tmp_path / "other.h5")
    with h5py.File(path, "a") as f:
        f.attrs.update(timeframe="every day", zone="Mars/Base", calendar="NONE")
    p = write_pipeline(tmp_path / "from", ITEMS)
    answer("pack", p, "-o", tmp_path / "p.hyp", "--data", path)
    assert hayate("verify", tmp_path / "p.hyp").returncode == 0


@pytest.mark.parametrize("form", ["file", "items", "text", "map"])
def test_it_scores_as_the_files_did(form, tmp_path, universe):
    features = {"file": "spec.yaml", "items": ITEMS, "text": "; ".join(ITEMS),
                "map": {"features": [{"name": t.split("=")[0], "expr": t.split("=")[1]}
                                     for t in ITEMS]}}[form]
    p = write_pipeline(tmp_path / "from", features)
    (tmp_path / "from/spec.yaml").write_text(SPEC)
    done = answer("pack", p, "-o", tmp_path / "p.hyp", "--data", universe)
    assert done["bytes"] == (tmp_path / "p.hyp").stat().st_size
    for name, words in (("range", ["--from", "2000-01-01", "--evaluate", "--npz"]),
                        ("last", ["--last"])):
        said = []
        for place, what in (("a", p), ("b", tmp_path / "p.hyp")):
            if place == "b":  # nothing of the files is looked at again
                shutil.move(tmp_path / "from", tmp_path / "gone")
            run = hayate("score", what, "--data", universe, *words, "--out", tmp_path / place / name,
                         cwd=tmp_path / "u" if (tmp_path / "u").exists() else tmp_path)
            assert run.returncode == 0, run.stderr
            files = sorted((tmp_path / place / name).iterdir())
            said.append([run.stdout] + [(f.name, f.read_bytes()) for f in files
                                        if f.name not in ("run.json", "report.html")])
        shutil.move(tmp_path / "gone", tmp_path / "from")
        assert said[0] == said[1] and len(said[0]) > 1
    sums = [[m["sha256"] for m in json.loads((tmp_path / k / "last/run.json").read_text())["models"]]
            for k in "ab"]
    assert sums[0] == sums[1]
    said = answer("verify", tmp_path / "p.hyp")
    assert said["ok"] is True and said["replays"][0]["bit_equal"] is True


def test_files_of_the_same_names_are_not_looked_at(tmp_path, universe, packed):
    """A spec given inline stays one, though a file of that name lies where the command runs."""
    p = write_pipeline(tmp_path / "one", "close", [dict(MODELS[0], inputs={
        "x": {"features": ["close", "close", "close"]}})], combine="one")
    answer("pack", p, "-o", tmp_path / "one.hyp", "--data", universe)
    for name in ("close", "linear.onnx", "pipeline.yaml"):
        (tmp_path / name).write_text("nothing that can be read")
    run = hayate("score", "one.hyp", "--data", universe, cwd=tmp_path)
    assert run.returncode == 0, run.stderr


def test_bars_are_made_up_where_none_are_given(tmp_path):
    p = write_pipeline(tmp_path / "from", ITEMS)
    answer("pack", p, "-o", tmp_path / "p.hyp", "--every-isa")
    said = answer("verify", tmp_path / "p.hyp")
    assert said["ok"] is True and said["symbols"] == 16
    assert [r["isa"] for r in said["replays"]][:1] == ["scalar"]
    assert all(r["bit_equal"] and r["packed"] for r in said["replays"])
    inside = list(sections((tmp_path / "p.hyp").read_bytes()))
    assert {o for *_, o in inside} == {"", "lin", "win"}
    assert sum(k == PACKS for k, *_ in inside) == 2 * len(said["replays"])


def test_the_examples_pack(tmp_path):
    for name in ("us20-daily", "eurusd-hourly", "universe500"):
        answer("pack", EXAMPLES / name / "pipeline.yaml", "-o", tmp_path / f"{name}.hyp")
        assert answer("verify", tmp_path / f"{name}.hyp")["ok"] is True
    shown = answer("inspect", tmp_path / "universe500.hyp")
    assert shown["packed"] is True and [m["name"] for m in shown["models"]] == ["trees", "lstm"]
    assert shown["models"][1]["inputs"] == [{"name": "x", "dtype": "f32", "layout": "btf",
                                             "window": 60, "features": 40}]
    plain = answer("inspect", EXAMPLES / "universe500/pipeline.yaml")
    assert plain["packed"] is False and plain["spec_sha256"] == shown["spec_sha256"]
    assert "spec " + plain["spec_sha256"] in hayate("inspect", tmp_path / "universe500.hyp").stdout


@pytest.mark.skipif(bool(os.environ.get("HAYATE_SANITIZE")),
                    reason="a sanitizer's run-time library cannot be loaded into a running Python")
def test_python_scores_it(tmp_path, universe, packed):
    code = ("import hayate, json; a, b = (hayate.score(p, %r, out=%r + '/' + k) for k, p in "
            "(('a', %r), ('b', %r))); assert a['scored'] == b['scored'] == 21"
            % (str(universe), str(tmp_path), str(tmp_path / "from/pipeline.yaml"), str(packed)))
    env = dict(os.environ, PYTHONPATH=str(EXAMPLES.parent / "python"),
               HAYATE_LIBRARY=os.path.join(os.environ["HAYATE_BUILD"], "libhayate.so"))
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    assert (tmp_path / "a/scores.csv").read_bytes() == (tmp_path / "b/scores.csv").read_bytes()


def test_another_instruction_set_is_planned_anew(tmp_path, universe):
    p = write_pipeline(tmp_path / "from", ITEMS)
    answer("pack", p, "-o", tmp_path / "p.hyp", "--isa", "scalar")
    run = hayate("score", tmp_path / "p.hyp", "--data", universe)
    plain = hayate("score", p, "--data", universe)
    assert run.returncode == 0 and run.stdout == plain.stdout


def test_damage_is_noticed(tmp_path, universe, packed):
    data = packed.read_bytes()
    bad = tmp_path / "bad.hyp"
    for kind, _, offset, size, owner in sections(data):
        changed = bytearray(data)
        changed[offset + size - 1] ^= 1
        bad.write_bytes(changed)
        done = hayate("verify", bad)
        assert done.returncode == 2 and "was changed or damaged" in done.stderr, (kind, owner)
        if kind in (PIPELINE, SPEC_KIND, 1):  # what a score cannot do without
            done = hayate("score", bad, "--data", universe)
            assert done.returncode == 2 and "was changed or damaged" in done.stderr, (kind, owner)
    for cut in (0, 7, 63, 64, 500, 5000, len(data) - 1):
        bad.write_bytes(data[:cut])
        for words in (["verify", bad], ["inspect", bad], ["score", bad, "--data", universe]):
            assert hayate(*words).returncode == 2, (cut, words)


def test_a_later_format_is_refused_by_name(tmp_path, universe, packed):
    data = bytearray(packed.read_bytes())
    data[8:12] = struct.pack("<I", 2)
    packed.write_bytes(data)
    for words in (["verify", packed], ["inspect", packed], ["score", packed, "--data", universe]):
        done = hayate(*words)
        assert done.returncode == 2
        assert "container format 2; this version reads 1" in done.stderr


def test_each_command_says_what_it_takes(tmp_path, universe, packed):
    model = tmp_path / "m.hyp"
    answer("pack", GOLDEN / "linear.onnx", "-o", model)
    done = hayate("score", model, "--data", universe)
    assert done.returncode == 2 and "a packed model, not a pipeline" in done.stderr
    done = hayate("bench", packed)
    assert done.returncode == 2 and "a packed pipeline, not a model" in done.stderr
    p = tmp_path / "from/pipeline.yaml"
    for words, said in ((["pack", p, "--batch", 3], "--batch goes with a model"),
                        (["pack", GOLDEN / "linear.onnx", "--data", universe],
                         "--data goes with a pipeline")):
        done = hayate(*words, "-o", tmp_path / "x.hyp")
        assert done.returncode == 2 and said in done.stderr
    done = hayate("pack", p, "-o", p)
    assert done.returncode == 2 and "is the pipeline itself" in done.stderr
    assert not (tmp_path / "x.hyp").exists()


def test_what_cannot_be_packed(tmp_path):
    p = write_pipeline(tmp_path / "from", ["r1=logret(close,1)", "a=spread", "b=close"])
    done = hayate("pack", p, "-o", tmp_path / "p.hyp")
    assert done.returncode == 2 and "spread" in done.stderr and "made up" in done.stderr
    p = write_pipeline(tmp_path / "from", ITEMS, [dict(MODELS[0], name="n" * 60)], combine="one")
    done = hayate("pack", p, "-o", tmp_path / "p.hyp")
    assert done.returncode == 2 and "too long for a container" in done.stderr
    assert hayate("gen", "-o", tmp_path / "short.h5", "--symbols", 9, "--bars", 4).returncode == 0
    p = write_pipeline(tmp_path / "from", ITEMS)
    done = hayate("pack", p, "-o", tmp_path / "p.hyp", "--data", tmp_path / "short.h5")
    assert done.returncode != 0 and "bars" in done.stderr
    assert not (tmp_path / "p.hyp").exists()
