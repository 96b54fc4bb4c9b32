# SPDX-License-Identifier: Apache-2.0
"""The shipped examples: models are the files that their hashes name and were trained on the spec
beside them; the real data is imported and scored; what the READMEs state is what comes out."""
import csv
import hashlib
import json
import os
import re
import subprocess

import pytest

HAYATE = os.environ["HAYATE"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
MODELS = [(folder, name) for folder in ("us20-daily", "eurusd-hourly", "universe500")
          for name in sorted(os.listdir(os.path.join(EXAMPLES, folder)))
          if name.endswith(".onnx")]
IMPORTS = {"us20-daily": ["prices.csv", "--zone", "America/New_York", "--calendar", "XNYS"],
           "eurusd-hourly": ["EURUSD.csv"]}
UNSEEN = {"us20-daily": "2019-01-01", "eurusd-hourly": "2017-10-01"}


def hayate(*words):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *words], capture_output=True, text=True, env=env, timeout=120)


def read(folder, name):
    with open(os.path.join(EXAMPLES, folder, name), "rb") as file:
        return file.read()


@pytest.fixture(scope="module", params=sorted(IMPORTS))
def universe(request, tmp_path_factory):
    folder = request.param
    path = str(tmp_path_factory.mktemp(folder) / "u.h5")
    first, *rest = IMPORTS[folder]
    done = hayate("import", os.path.join(EXAMPLES, folder, first), *rest, "-o", path)
    assert done.returncode == 0, done.stderr
    return folder, path


@pytest.mark.parametrize("folder,name", MODELS)
def test_a_model_is_the_file_that_its_hash_names(folder, name):
    named = read(folder, name + ".sha256").decode().split()
    assert named == [hashlib.sha256(read(folder, name)).hexdigest(), name]


@pytest.mark.parametrize("folder,name", MODELS)
def test_a_model_was_trained_on_the_spec_beside_it(folder, name):
    spec = os.path.join(EXAMPLES, folder, "features.yaml")
    explained = json.loads(hayate("features", "explain", spec, "--json").stdout)
    # the two members of a metadata entry as they stand in the file, key and value
    found = re.search(rb"hayate\.spec_sha256\x12@([0-9a-f]{64})", read(folder, name))
    assert found and found.group(1).decode() == explained["spec_sha256"]


def test_the_last_bar_is_scored(universe, tmp_path):
    folder, path = universe
    pipeline = os.path.join(EXAMPLES, folder, "pipeline.yaml")
    done = hayate("score", pipeline, "--data", path, "--last", "--strict", "--out",
                  str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    with open(tmp_path / "scores.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == answer["scored"] == answer["symbols"] and answer["failed"] == 0
    assert [float(r["score"]) for r in rows] == sorted((float(r["score"]) for r in rows),
                                                       reverse=True)
    assert "spec_sha256" not in done.stderr  # no word about a hash that lacks or differs


def test_scores_are_onnx_runtime_s(universe, tmp_path):
    folder, path = universe
    with open(os.path.join(ROOT, "tests", "golden", "examples", folder + ".csv")) as file:
        expect = {(r["time"], r["symbol"]): float(r["score"]) for r in csv.DictReader(file)}
    done = hayate("score", os.path.join(EXAMPLES, folder, "pipeline.yaml"), "--data", path,
                  "--from", min(expect)[0], "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    with open(tmp_path / "scores.csv", newline="") as file:
        got = {(r["time"], r["symbol"]): float(r["score"]) for r in csv.DictReader(file)}
    scale = max(abs(value) for value in expect.values())
    assert got == pytest.approx(expect, abs=2e-6 * scale)


def test_the_readme_states_what_the_model_achieves(universe):
    folder, path = universe
    pipeline = os.path.join(EXAMPLES, folder, "pipeline.yaml")
    done = hayate("score", pipeline, "--data", path, "--from", UNSEEN[folder], "--evaluate",
                  "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    stated = dict(re.findall(r"^\| `(\w+)` \| ([-+0-9.]+) \|", read(folder, "README.md").decode(),
                             re.M))
    assert {"ic", "ic_t", "hit_rate", "sharpe", "max_drawdown"} <= set(stated)
    for key, text in stated.items():
        digits = len(text.split(".")[1]) if "." in text else 0
        assert abs(answer[key] - float(text)) <= 0.51 * 10**-digits, key
