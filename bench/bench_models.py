# SPDX-License-Identifier: Apache-2.0
"""The speed claims of the inference engine: the families of models beside ONNX Runtime (in the
same process, by `hayate bench`) and OpenVINO (a process of its own), per instruction set.

    python3 bench/bench_models.py --hayate build/release/hayate --work build/bench
            [--peers PYTHON] [--models NAME ...] [--isas avx2 avx512] [--seconds 0.5] [--doc PAGE]

The peers' Python makes the models (bench/peers/speed_models.py) and holds both peers. Prints the
tables and writes them to WORK/models.md, and with --doc between the marks of that page too.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
FAMILIES = {
    "MLP": ("mlp_64_128_64_3", "mlp_256_512_512_1"),
    "LSTM, GRU": ("lstm_t32_f16_h64", "lstm_t100_f64_h128x2", "lstm_t360_f167_h128x2",
                  "gru_t64_f32_h128"),
    "bidirectional": ("bilstm_t64_f32_h64",),
    "TCN": ("tcn_t128_f32_c64",),
    "transformer": ("transformer_t64_d64x2",),
    "five LSTMs": ("five_lstm",),
    "trees": ("lightgbm_500x63", "xgboost_300_depth6"),
    "other sklearn": ("scaler_logreg", "random_forest_100", "svc_rbf", "sklearn_mlp"),
}
TREES = ("lightgbm_500x63", "xgboost_300_depth6", "random_forest_100")
PACKED = ("mlp_256_512_512_1", "lstm_t100_f64_h128x2")  # of about 1 MB
STACKED = ("lstm_t100_f64_h128x2", "lstm_t360_f167_h128x2")
RECURRENT = FAMILIES["LSTM, GRU"] + FAMILIES["bidirectional"] + FAMILIES["five LSTMs"]
FEWER_STEPS = FAMILIES["TCN"] + FAMILIES["bidirectional"] + FAMILIES["transformer"]
MARK, END = "<!-- models: written by bench/bench_models.py -->", "<!-- end of models -->"


def run(command, **environment):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode not in (0, 1) or not done.stdout:
        print(f"bench: {' '.join(map(str, command))}\n{done.stderr}", flush=True)
        return None
    return json.loads(done.stdout)


class Bench:
    def __init__(self, args):
        self.args = args
        self.work = pathlib.Path(args.work)
        self.folder = self.work / "models"
        self.library = args.peers and self.find_library()
        self.names = [n for family in FAMILIES.values() for n in family
                      if not args.models or n in args.models]

    def find_library(self):
        code = ("import glob, importlib.util as u, os; s = u.find_spec('onnxruntime'); "
                "print(glob.glob(os.path.dirname(s.origin) + '/capi/libonnxruntime.so*')[0])")
        done = subprocess.run([self.args.peers, "-c", code], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    def make(self):
        if self.args.peers:
            subprocess.run([self.args.peers, str(ROOT / "bench/peers/speed_models.py"),
                            str(self.folder), *self.names], check=True, stdout=subprocess.DEVNULL)
        self.names = [n for n in self.names if (self.folder / n / "done").exists()]

    def rows_of(self, name):
        path = self.folder / name / "rows.npz"
        return ["--input", path] if path.exists() else []

    def one(self, name, isa, batch, threads):
        command = [self.args.hayate, "bench", self.folder / name / "model.onnx", "--json",
                   "--isa", isa, "--batch", batch, "--threads", threads,
                   "--seconds", self.args.seconds, *self.rows_of(name)]
        if self.library:
            command += ["--peer-library", self.library]
        said = run(command)
        if said:
            ratio = f"{1 / said['speedup']:.3f}" if "peer" in said else ""
            print(f"{name} {isa} batch {batch} threads {threads}: {said['p50_us']:.2f} us {ratio}",
                  flush=True)
        return said

    def packed(self, name, isa):
        """From the opened .hyp file to the first answer, and the same of the ONNX file."""
        file = self.work / f"{name}.hyp"
        done = subprocess.run([self.args.hayate, "pack", self.folder / name / "model.onnx", "-o", file,
                               "--isa", isa], capture_output=True)
        if done.returncode:
            return None
        return [run([self.args.hayate, "bench", path, "--json", "--isa", isa, "--batch", 1,
                     "--seconds", "0.05"]) for path in (file, self.folder / name / "model.onnx")]

    def openvino(self, name, isa, batch, threads):
        """Its kernels can be held to an instruction set; ONNX Runtime's cannot."""
        if not self.args.peers or name in TREES or name in FAMILIES["other sklearn"]:
            return None
        return run([self.args.peers, ROOT / "bench/peers/openvino_model.py",
                    self.folder / name / "model.onnx", "--batch", batch, "--threads", threads,
                    "--seconds", self.args.seconds, *self.rows_of(name)],
                   **({"ONEDNN_MAX_CPU_ISA": "AVX2"} if isa == "avx2" else {}))

    def measure(self):
        self.single, self.pairs, self.batches, self.vino = {}, {}, {}, {}
        self.first = {}
        for name in self.names:
            for isa in self.args.isas:
                self.single[isa, name] = self.one(name, isa, 1, 1)
                if name in PACKED:
                    self.first[isa, name] = self.packed(name, isa)
                if name in STACKED:
                    self.pairs[isa, name] = self.one(name, isa, 1, 2)
                self.batches[isa, name] = self.one(name, isa, 512, 2)
                self.vino[isa, name] = self.openvino(name, isa, 512, 2)

    # the page -----------------------------------------------------------------------------

    def single_lines(self, isa):
        lines = ["", f"### Batch 1, one thread, {isa}", "",
                 "| model | ours us | ONNX Runtime us | ratio | floor us | over floor | p99 / p50 "
                 "(spin) | load ms (peer) | memory MB (peer) | agree | |",
                 "|---|---|---|---|---|---|---|---|---|---|---|"]
        for name in self.names:
            f = self.single.get((isa, name))
            if not f:
                lines.append(f"| {name} | not run | | | | | | | | | |")
                continue
            p = f.get("peer")
            over = f"{f['p50_us'] / f['floor_us']:.2f}" if f["floor_us"] and name not in TREES else ""
            lines.append(
                f"| {name} | {f['p50_us']:.2f} | {p['p50_us']:.2f} | {1 / f['speedup']:.2f} | "
                f"{f['floor_us']:.2f} | {over} | {f['p99_us'] / f['p50_us']:.2f} "
                f"({f['spin_p99_us'] / f['spin_p50_us']:.2f}) | {f['load_ms']:.2f} "
                f"({p['load_ms']:.2f}) | {f['anon_bytes'] / 1e6:.1f} ({p['anon_bytes'] / 1e6:.1f}) | "
                f"{'yes' if f['agrees'] else 'NO'} | {verdict(name, f)} |" if p else
                f"| {name} | {f['p50_us']:.2f} | | | {f['floor_us']:.2f} | {over} | | "
                f"{f['load_ms']:.2f} | {f['anon_bytes'] / 1e6:.1f} | | |")
        return lines + self.means(isa)

    def means(self, isa):
        means = {}
        for family, names in FAMILIES.items():
            ratios = [1 / self.single[isa, n]["speedup"] for n in names
                      if self.single.get((isa, n)) and "peer" in self.single[isa, n]]
            if ratios:
                means[family] = statistics.fmean(ratios)
        if not means:
            return []
        overall = math.exp(statistics.fmean(math.log(m) for m in means.values()))
        told = ", ".join(f"{k} {v:.2f}" for k, v in means.items())
        return ["", f"Means of the families' ratios: {told}. Their geometric mean: **{overall:.3f}** "
                f"(bar 0.4: {'met' if overall <= 0.4 else 'not met'})."]

    def pair_lines(self, isa):
        lines = []
        for name in STACKED:
            one, two = self.single.get((isa, name)), self.pairs.get((isa, name))
            if one and two:
                ratio = two["p50_us"] / one["p50_us"]
                lines.append(f"| {name} | {isa} | {one['p50_us']:.1f} | {two['p50_us']:.1f} | "
                             f"{ratio:.2f} | {'met' if ratio <= 0.65 else 'not met'} |")
        return lines

    def packed_lines(self):
        lines = []
        for (isa, name), both in self.first.items():
            if both and all(both):
                ms = [f["answer_ms"] for f in both]
                lines.append(f"| {name} | {isa} | {ms[0]:.2f} | {ms[1]:.2f} | "
                             f"{'met' if ms[0] < 1 else 'not met'} |")
        return lines and ["", "### Packed by `hayate pack`: from opening the file to the first answer",
                          "", "| model | isa | packed ms | ONNX file ms | bar 1 ms |",
                          "|---|---|---|---|---|", *lines]

    def batch_lines(self, isa):
        lines = ["", f"### Batch 512, two threads, {isa}", "",
                 "| model | ours rows/s | ONNX Runtime | OpenVINO | over the better | "
                 "of the FMA peak | bar | |", "|---|---|---|---|---|---|---|---|"]
        for name in self.names:
            f, v = self.batches.get((isa, name)), self.vino.get((isa, name))
            if not f or "peer" not in f:
                continue
            ort = f["peer"]["rows_per_s"]
            best = max(ort, v["rows_per_s"] if v else 0)
            bar = batch_bar(name, isa)
            share = f"{f['peak_share'] * 100:.0f} %" if name not in TREES else ""
            lines.append(f"| {name} | {f['rows_per_s']:,.0f} | {ort:,.0f} | "
                         f"{format(v['rows_per_s'], ',.0f') if v else ''} | "
                         f"{f['rows_per_s'] / best:.2f}x | {share} | {bar}x | "
                         f"{'met' if f['rows_per_s'] / best >= bar else 'not met'} |")
        return lines

    def page(self):
        lines = [MARK, "## Models", "",
                 f"Machine: {cpu_name()}, {os.cpu_count()} CPUs.{scheduled()} Ratio: our median "
                 "time over ONNX Runtime's, which takes the machine's best instruction set; OpenVINO is "
                 "held to ours.",
                 "Memory: by how much loading and the first answer raised the anonymous memory."]
        for isa in self.args.isas:
            lines += self.single_lines(isa)
        pairs = [line for isa in self.args.isas for line in self.pair_lines(isa)]
        if pairs:
            lines += ["", "### Stacked recurrent models, batch 1, two threads over one", "",
                      "| model | isa | one thread us | two us | ratio | bar 0.65 |",
                      "|---|---|---|---|---|---|", *pairs]
        lines += self.packed_lines()
        for isa in self.args.isas:
            lines += self.batch_lines(isa)
        trees = self.work / "trees.md"  # by bench_trees.py, which runs before
        if trees.exists():
            lines += ["", trees.read_text().rstrip()]
        return "\n".join(lines + [END])


def verdict(name, f):
    """Which of the batch-1 bars the model misses."""
    ours, peer, floor = f["p50_us"], f["peer"]["p50_us"], f["floor_us"]
    ratio, missed = ours / peer, []
    tree = name in TREES
    limit = 1.0 if floor > 0.75 * peer and not tree else 0.5 if name == "lightgbm_500x63" else 0.9
    if ratio > limit:
        missed.append(f"ratio over {limit}")
    if not tree and peer < 10 and ours > max(0.25 * peer, 1.3 * floor + 0.2):
        missed.append("0.25 or 1.3 floors + 0.2")
    if not tree and floor > 20 and ours > 1.3 * floor:
        missed.append("over 1.3 floors")
    if f["load_ms"] > 0.2 * f["peer"]["load_ms"]:
        missed.append("load over 0.2")
    if f["anon_bytes"] > 0.5 * f["peer"]["anon_bytes"]:
        missed.append("memory over 0.5")
    return ", ".join(missed) or "met"


def batch_bar(name, isa):
    if name in FEWER_STEPS:
        return 2.0
    if name in RECURRENT:
        return 1.5 if isa == "avx512" else 1.1
    return 0.95


def cpu_name():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return "unknown"


def scheduled():
    if os.sched_getscheduler(0) == os.SCHED_FIFO:
        return " Ours and the peers ran under `chrt -f 1`."
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hayate", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--peers")
    parser.add_argument("--models", nargs="*")
    parser.add_argument("--isas", nargs="*", default=["avx2", "avx512"])
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--doc")
    args = parser.parse_args()
    with open("/proc/cpuinfo") as info:
        if "avx512f" not in info.read():
            args.isas = [i for i in args.isas if i != "avx512"]
    bench = Bench(args)
    bench.make()
    bench.measure()
    page = bench.page()
    (bench.work / "models.md").write_text(page + "\n")
    print(page)
    if args.doc:
        text = pathlib.Path(args.doc).read_text()
        if MARK in text:
            before, rest = text.split(MARK, 1)
            text = before + page + rest.split(END, 1)[1]
        else:
            text = text.replace("\n## How it is measured", "\n" + page + "\n\n## How it is measured")
        pathlib.Path(args.doc).write_text(text)


if __name__ == "__main__":
    main()
