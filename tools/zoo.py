#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models as the exporters write them, held against ONNX Runtime on fresh random inputs.

    tools/zoo.py [--only REGEX] [--seed N] [--rounds N] [--remake] [--list]       (make zoo-check)

The models are made once into build/zoo (the rows stand in tools/zoo_models) and compared at several
batch sizes: |ours - theirs| <= bound * largest magnitude of the output + 1e-6, bound 1e-5 unless
the row gives a reason for another; labels are equal, texts too; and every row of a batch has the bits
that it has alone. A model that the exporter or ONNX Runtime itself refuses is named and left out.
Exit status 1 where one differs."""
import argparse
import contextlib
import io
import json
import multiprocessing as mp
import os
import pathlib
import re
import sys
import time
import traceback
import warnings

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "zoo"
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "python")]
MODEL_SECONDS = 120


# Making -----------------------------------------------------------------------------------------


def make(model):
    """Writes build/zoo/NAME.onnx and .json; why it cannot be, or None."""
    path = WORK / f"{model.name}.onnx"
    facts = {"name": model.name, "family": model.family, "batches": model.batches,
             "bound": model.bound, "reason": model.reason, "alone": model.alone,
             "plain": model.plain,
             "feeds": [vars(f) for f in model.feeds]}
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            path.write_bytes(model.make().SerializeToString())
    except Exception as error:  # an exporter's refusal is reported, not ours to judge
        facts["refused"] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        path.unlink(missing_ok=True)
    (WORK / f"{model.name}.json").write_text(json.dumps(facts, indent=1) + "\n")


def make_all(only, remake):
    """Makes what is missing; the exporters are imported only if something is."""
    sources = sorted((ROOT / "tools" / "zoo_models").glob("*.py"))
    stamp, mark = "".join(f.read_text() for f in sources), WORK / "sources.txt"
    WORK.mkdir(parents=True, exist_ok=True)
    if mark.exists() and mark.read_text() == stamp and not remake:
        return
    from zoo_models import load
    names = set()
    for model in load().values():
        names.add(model.name)
        facts = WORK / f"{model.name}.json"
        if facts.exists() and not (remake and re.search(only, model.name)):
            continue
        print(f"making {model.name}", file=sys.stderr, flush=True)
        make(model)
    for old in WORK.glob("*.json"):
        if old.stem not in names | {"result"}:
            old.unlink()
            old.with_suffix(".onnx").unlink(missing_ok=True)
    mark.write_text(stamp)


# Drawing inputs ---------------------------------------------------------------------------------


def draw(feed, rng, n, t):
    shape = [{"n": n, "t": t}.get(d, d) for d in feed["shape"]]
    kind = feed["kind"]
    if kind == "text":
        return rng.choice(np.array(feed["choices"], dtype=object), shape)
    if kind == "int":
        return rng.integers(0, feed["high"], shape).astype(feed["dtype"])
    x = rng.standard_normal(shape) * feed["scale"]
    if kind == "positive":
        x = np.abs(x)
    if kind == "mixed":  # a column of categories, some of them unknown
        x[:, 3] = rng.integers(-1, feed["high"], shape[0])
    x = x.astype(feed["dtype"])
    if feed["holes"]:
        x[rng.random(shape) < feed["holes"]] = np.nan
    return x


# Comparing --------------------------------------------------------------------------------------


def plain(value):
    """A sequence of maps or tensors as an array, the maps' keys beside it."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return np.array([list(row.values()) for row in value]), list(value[0])
    return (np.array(value) if isinstance(value, list) else value), None


def magnitude(value):
    a, _ = plain(value)
    return np.abs(a[np.isfinite(a)]).max(initial=0.0) if a.dtype.kind == "f" else 0.0


def distance(theirs, ours, facts, scale):
    """(largest difference over the output's scale, why it is too much or "")."""
    (a, keys), (b, ours_keys) = plain(theirs), plain(ours)
    if keys != ours_keys or a.dtype != b.dtype or a.shape != b.shape:
        return np.inf, f"{a.dtype}{list(a.shape)} and {b.dtype}{list(b.shape)}"
    if a.dtype.kind != "f":
        share = float(np.mean(a != b)) if a.size else 0.0
        allowed = 0.01 if "tie" in facts["reason"] else 0.0
        return 0.0, f"{share:.1%} of the labels differ" if share > allowed else ""
    a, b = a.astype(np.float64), b.astype(np.float64)
    odd = ~(np.isfinite(a) & np.isfinite(b))
    if not np.array_equal(a[odd], b[odd], equal_nan=True):
        return np.inf, "infinities or NaN differ"
    worst = np.abs(a - b)[~odd].max(initial=0.0)
    text = f"{worst:.3g} of {scale:.3g}" if worst > facts["bound"] * scale + 1e-6 else ""
    return worst / (scale + 1e-300) if worst else 0.0, text


def split_rows(session, names, feeds, whole, batch_axes):
    """Whether each row alone has the bits of the batch's row."""
    n = len(next(iter(feeds.values())))
    for k in range(min(n, 4)):
        alone = session.run(names, {m: np.take(x, [k], axis=batch_axes[m])
                                    for m, x in feeds.items()})
        for one, many in zip(alone, whole):
            if isinstance(many, list) and not isinstance(many[0], dict):
                continue  # a sequence of tensors has no rows
            (one, _), (many, _) = plain(one), plain(many)
            if len(many) != n:
                continue
            a, b = one[:1], many[k:k + 1]
            if a.tobytes() != b.tobytes() if a.dtype.kind == "f" else not np.array_equal(a, b):
                return False
    return True


def open_both(path, plain):
    import hayate
    import onnxruntime
    onnxruntime.set_default_logger_severity(3)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if plain:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        theirs = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # then there is nothing to hold against
        return None, None, f"ONNX Runtime: {' '.join(str(error).split())[:200]}"
    return theirs, hayate.InferenceSession(path), ""


def check(facts, seed, rounds):
    """One model: its row of the table."""
    path = str(WORK / f"{facts['name']}.onnx")
    theirs, ours, refused = open_both(path, facts.get("plain", False))
    if refused:
        return {"result": "left out", "note": refused}
    feeds = facts["feeds"]
    names = [o.name for o in theirs.get_outputs()]
    free = all("n" in f["shape"] for f in feeds)
    axes = {f["name"]: f["shape"].index("n") for f in feeds if "n" in f["shape"]}
    rng, worst, faults, rows = np.random.default_rng(seed), 0.0, [], True
    scales = [0.0] * len(names)  # the largest magnitude seen: the largest batch comes first
    for _ in range(rounds):
        for n in sorted(facts["batches"], reverse=True) if free else (1,):
            x = {f["name"]: draw(f, rng, n, int(rng.integers(2, 40))) for f in feeds}
            try:
                a = theirs.run(names, x)
            except Exception as error:  # then there is nothing to hold against
                return {"result": "left out",
                        "note": f"ONNX Runtime: {' '.join(str(error).split())[:200]}"}
            b = ours.run(names, x)
            scales = [max(s, magnitude(v)) for s, v in zip(scales, a)]
            for name, one, other, scale in zip(names, a, b, scales):
                far, why = distance(one, other, facts, scale)
                worst = max(worst, far)
                if why:
                    faults.append(f"batch {n}, {name}: {why}")
            if n > 1 and free and facts.get("alone", True) and all(i == 0 for i in axes.values()):
                rows = rows and split_rows(ours, names, x, b, axes)
    if not rows:
        faults.append("a row of a batch has other bits than alone")
    return {"result": "failed" if faults else "equal", "worst": worst,
            "note": "; ".join(faults[:3])}


def checked(facts, seed, rounds, pipe):
    warnings.simplefilter("ignore")
    try:
        row = check(facts, seed, rounds)
    except Exception as error:  # whatever goes wrong is this model's result
        text = " ".join(str(error).split())[:240]
        row = {"result": "failed", "note": f"{type(error).__name__}: {text}"}
        if os.environ.get("ZOO_TRACE"):
            traceback.print_exc()
    pipe.send(row)


def check_apart(facts, seed, rounds):
    """In a process of its own: a crash is a row of the table too."""
    fork = mp.get_context("fork")
    mine, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=checked, args=(facts, seed, rounds, theirs))
    process.start()
    theirs.close()
    try:
        row = mine.recv() if mine.poll(MODEL_SECONDS) else {"result": "failed", "note": "too slow"}
    except EOFError:
        process.join()
        row = {"result": "failed", "note": f"crashed ({process.exitcode})"}
    process.kill()
    process.join()
    return row


def table(rows):
    print(f"{'model':36}{'family':16}{'result':10}{'worst':>9}  note")
    for facts, row in rows:
        worst = f"{row['worst']:.1e}" if "worst" in row else ""
        note = row["note"] or (facts["reason"] if facts["bound"] > 1e-5 else "")
        print(f"{facts['name']:36}{facts['family']:16}{row['result']:10}{worst:>9}  {note}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="models whose name matches")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--remake", action="store_true", help="make them again")
    parser.add_argument("--list", action="store_true", help="names alone")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    make_all(args.only, args.remake)
    every = [json.loads(p.read_text()) for p in sorted(WORK.glob("*.json")) if p.stem != "result"]
    chosen = [f for f in every if re.search(args.only, f["name"])]
    if args.list:
        print("\n".join(f"{f['name']:36}{f['family']}" for f in chosen))
        return 0
    rows = [(f, {"result": "left out", "note": f["refused"]} if "refused" in f
             else check_apart(f, args.seed, args.rounds)) for f in chosen]
    table(rows)
    count = {r: sum(row["result"] == r for _, row in rows) for r in ("equal", "failed", "left out")}
    print(f"\nseed {args.seed}: {len(rows)} models, " + ", ".join(f"{v} {k}" for k, v in count.items()))
    (WORK / "result.json").write_text(json.dumps(
        {"seed": args.seed, "models": {f["name"]: row for f, row in rows}}, indent=1) + "\n")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
