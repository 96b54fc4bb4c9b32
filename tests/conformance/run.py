#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ONNX's own backend suite over hayate, through `make onnx-conformance`.

    tests/conformance/run.py [--only REGEX] [--jobs N] [--shrink] [-v]

Cases are made in memory by onnx.backend.test (kinds node, simple, pytorch-converted,
pytorch-operator; `real` would download). Each runs in a worker process, so that a crash or a hang
is one failed case. A case refused by name counts as unsupported, a wrong answer as failed. What
does not pass must stand in expected_failures.txt, which may only shrink: `--shrink` takes out of it
what passes now (and with --adopt writes it anew, for a new version of the suite). The result is
build/conformance/result.json; exit status 1 where it differs from the list."""
import argparse
import collections
import json
import multiprocessing as mp
import os
import pathlib
import re
import sys
import time
import unittest
import warnings

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "build" / "conformance"
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
CASE_SECONDS = 60


def read_operators():
    """operators.txt: (domain, operator) -> tier, base cases, expanded cases, note."""
    table = {}
    for line in (HERE / "operators.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            tier, domain, name, base, expanded, *note = line.split(None, 5)
            table[domain, name] = (int(tier), int(base), int(expanded), note[0] if note else "")
    return table


def read_expected():
    """expected_failures.txt: case -> (operator, unsupported or failed)."""
    path = HERE / "expected_failures.txt"
    lines = (line.split() for line in path.read_text().splitlines() if not line.startswith("#"))
    return {words[0]: tuple(words[1:3]) for words in lines if words}


def nodes_of(graph):
    """Every node of a graph and of its subgraphs."""
    for node in graph.node:
        yield node
        for attr in node.attribute:
            for sub in [attr.g] if attr.HasField("g") else attr.graphs:
                yield from nodes_of(sub)


def domain_of(node):
    return node.domain or "ai.onnx"


class Case:
    """One test of the suite: its name, kind, operator, and all operators in its graph."""

    def __init__(self, test):
        self.name, self.kind, self.test = test.name, test.kind, test
        self.expanded = "_expanded" in test.name
        self.operator, self.inside = None, set()
        if test.model is not None:
            nodes = list(nodes_of(test.model.graph))
            nodes += [n for f in test.model.functions for n in f.node]
            local = {f.name for f in test.model.functions}
            self.inside = {(domain_of(n), n.op_type) for n in nodes if n.op_type not in local}
            self.operator = (domain_of(test.model.graph.node[0]), test.model.graph.node[0].op_type)


def load_cases():
    from onnx.backend.test.loader import load_model_tests
    cases = {}
    for kind in KINDS:
        for test in load_model_tests(kind=kind):
            cases[test.name] = Case(test)
    for case in cases.values():
        if case.expanded:
            base = cases.get(case.name.split("_expanded")[0])
            case.operator = base.operator if base else None
    return cases


def load_functions():
    """Case -> the function that onnx.backend.test makes of it for HayateBackend."""
    import onnx.backend.test
    from backend import HayateBackend

    class Asked(HayateBackend):
        """prepare says what is not compatible, and why."""
        is_compatible = None

    class Suite(onnx.backend.test.BackendTest):
        """Compares sequences element by element; the suite's own walk into their arrays fails for
        an array without dims (test_loop16_seq_none), whatever the backend answers."""

        @classmethod
        def assert_similar_outputs(cls, ref_outputs, outputs, rtol, atol, model_dir=None):
            if any(isinstance(ref, (list, tuple)) for ref in ref_outputs):
                assert len(outputs) == len(ref_outputs)
                for ref, out in zip(ref_outputs, outputs):
                    assert isinstance(ref, (list, tuple)) == isinstance(out, (list, tuple))
                    pair = (ref, out) if isinstance(ref, (list, tuple)) else ([ref], [out])
                    cls.assert_similar_outputs(*pair, rtol, atol, model_dir)
                return
            super().assert_similar_outputs(ref_outputs, outputs, rtol, atol, model_dir)

    made = Suite(Asked, __name__).test_cases
    return {name.removesuffix("_cpu"): function
            for category, group in made.items() if "Real" not in category
            for name, function in vars(group).items() if name.endswith("_cpu")}


def outcome(function):
    """(result, message) of one case, here and now."""
    from backend import Unsupported
    try:
        function(None)
        return "passed", ""
    except (Unsupported, unittest.SkipTest) as error:
        return "unsupported", str(error)
    except AssertionError as error:
        return "failed", " ".join(str(error).split())[:400]
    except Exception as error:  # any other end is the backend's failure
        return "failed", f"{type(error).__name__}: {error}"[:400]


def work(functions, pipe):
    """A worker: names in, results out."""
    while True:
        name = pipe.recv()
        start = time.monotonic()
        result, message = outcome(functions[name])
        pipe.send((result, message, time.monotonic() - start))


class Worker:
    def __init__(self, functions):
        self.pipe, theirs = mp.Pipe()
        self.process = mp.Process(target=work, args=(functions, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.name, self.since = None, 0.0

    def give(self, name):
        self.name, self.since = name, time.monotonic()
        self.pipe.send(name)

    def end(self):
        self.process.kill()
        self.process.join()


def run_cases(functions, names, jobs):
    """name -> (result, message, seconds); a worker that dies or hangs is replaced."""
    todo, results = collections.deque(names), {}
    workers = [Worker(functions) for _ in range(min(jobs, max(len(names), 1)))]
    for worker in workers:
        if todo:
            worker.give(todo.popleft())
    while len(results) < len(names):
        busy = [w for w in workers if w.name is not None]
        ready = mp.connection.wait([w.pipe for w in busy], timeout=1)
        for k, worker in enumerate(workers):
            if worker.name is None:
                continue
            if worker.pipe in ready:
                try:
                    results[worker.name] = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    worker.process.join()
                    results[worker.name] = ("failed", f"crashed ({worker.process.exitcode})", 0.0)
                    workers[k] = worker = Worker(functions)
            elif time.monotonic() - worker.since > CASE_SECONDS + 30:
                worker.end()
                results[worker.name] = ("failed", f"no answer in {CASE_SECONDS} s", 0.0)
                workers[k] = worker = Worker(functions)
            else:
                continue
            worker.name = None
            if todo:
                worker.give(todo.popleft())
    for worker in workers:
        worker.end()
    return results


def count(cases, results):
    """passed, failed, unsupported, of."""
    kinds = collections.Counter(results[c.name][0] for c in cases)
    return [kinds["passed"], kinds["failed"], kinds["unsupported"], len(cases)]


def report(cases, results, tiers, verbose):
    """Prints the totals and the operators that do not pass whole; the same as a dict."""
    ran = [cases[name] for name in results]
    node = [c for c in ran if c.kind == "node"]
    direct = [c for c in node if not c.expanded]
    one = {op for op, row in tiers.items() if row[0] == 1}
    groups = {
        "node, direct": direct,
        "node, expanded": [c for c in node if c.expanded],
        "node, all": node,
        "tier 1, direct": [c for c in direct if c.operator in one],
        "expanded, tier 1 alone": [c for c in node if c.expanded and c.inside <= one],
    }
    groups.update({kind: [c for c in ran if c.kind == kind] for kind in KINDS[1:]})
    per = collections.defaultdict(list)
    for c in node:
        per[c.operator].append(c)
    operators = {}
    print(f"\n{'operator':34} tier  direct       expanded")
    for op in sorted(per, key=str):
        halves = [count([c for c in per[op] if c.expanded == e], results) for e in (False, True)]
        operators[".".join(op)] = {"direct": halves[0], "expanded": halves[1],
                                   "tier": tiers.get(op, (0,))[0]}
        if halves[0][0] + halves[1][0] < len(per[op]) or verbose:
            shown = [f"{h[0]}/{h[3]}" + (f" ({h[1]} wrong)" if h[1] else "") for h in halves]
            print(f"{'.'.join(op):34} {tiers.get(op, ('-',))[0]!s:5} {shown[0]:12} {shown[1]}")
    print(f"\n{'':26}{'passed':>8}{'failed':>8}{'unsupp.':>8}{'of':>8}")
    for name, members in groups.items():
        if members:
            print(f"{name:26}" + "".join(f"{n:8}" for n in count(members, results)))
    return {"groups": {k: count(v, results) for k, v in groups.items()}, "operators": operators}


def write_expected(cases, results):
    head = (HERE / "expected_failures.txt").read_text().split("\n\n")[0]
    lines = []
    for name in sorted(results):
        if results[name][0] != "passed":
            op = cases[name].operator
            lines.append(f"{name} {'.'.join(op) if op else '-'} {results[name][0]}")
    (HERE / "expected_failures.txt").write_text(head + "\n\n" + "\n".join(lines) + "\n")


def write_operators(cases, tiers):
    """operators.txt with the suite's counts; tiers and notes as they were."""
    counts = collections.defaultdict(lambda: [0, 0])
    for c in cases.values():
        if c.kind == "node":
            counts[c.operator][c.expanded] += 1
    path = HERE / "operators.txt"
    head = path.read_text().split("\n\n")[0]
    lines = []
    for op in sorted(set(counts) | set(tiers)):
        tier, _, _, note = tiers.get(op, (2, 0, 0, ""))
        lines.append(f"{tier} {op[0]} {op[1]} {counts[op][0]} {counts[op][1]} {note}".rstrip())
    path.write_text(head + "\n\n" + "\n".join(lines) + "\n")


def against_list(results, expected):
    """Names that differ from the list: (passing though listed, not passing and not listed)."""
    listed = [n for n in results if n in expected]
    return ([n for n in listed if results[n][0] == "passed"],
            [n for n in results if results[n][0] != "passed" and n not in expected],
            [n for n in listed if results[n][0] == "failed" and expected[n][1] == "unsupported"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="cases whose name matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--shrink", action="store_true", help="take what passes off the list")
    parser.add_argument("--adopt", action="store_true", help="write list and counts anew")
    parser.add_argument("-v", "--verbose", action="store_true", help="every message")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    sys.path[:0] = [str(HERE), str(ROOT / "python")]
    os.environ.setdefault("ONNX_HOME", str(WORK / "onnx"))
    cases = load_cases()
    names = [n for n in cases if re.search(args.only, n)]
    tiers, expected = read_operators(), read_expected()
    mp.set_start_method("fork")
    results = run_cases(load_functions(), names, args.jobs)
    if args.verbose or args.only:
        for name in names:
            result, message, _ = results[name]
            if result != "passed" or args.verbose:
                print(f"{result:12}{name}  {message}")
    summary = report(cases, results, tiers, args.verbose)
    summary["cases"] = {n: {"result": r, "message": m, "seconds": round(s, 4)}
                        for n, (r, m, s) in sorted(results.items())}
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "result.json").write_text(json.dumps(summary, indent=1) + "\n")
    if args.adopt and not args.only:
        write_expected(cases, results)
        write_operators(cases, tiers)
        return 0
    passing, failing, wrong = against_list(results, expected)
    if args.shrink:
        keep = [f"{n} {expected[n][0]} {expected[n][1]}" for n in expected if n not in passing]
        head = (HERE / "expected_failures.txt").read_text().split("\n\n")[0]
        (HERE / "expected_failures.txt").write_text(head + "\n\n" + "\n".join(keep) + "\n")
        print(f"taken off expected_failures.txt: {len(passing)}")
        passing = []
    for text, group in (("passes and is listed (--shrink takes it off)", passing),
                        ("does not pass and is not listed", failing),
                        ("is wrong and is listed as unsupported", wrong)):
        for name in group:
            print(f"{name}: {text}; {results[name][1]}")
    return 1 if passing or failing or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
