# SPDX-License-Identifier: Apache-2.0
"""hayate score from outside: its answers against the same work done here in numpy."""
import csv
import json
import os
import pathlib
import shutil
import subprocess

import h5py
import numpy as np
import pytest

HAYATE = os.environ["HAYATE"]
GOLDEN = pathlib.Path("tests/golden/score").resolve()
DAY_NS = 86400 * 10**9
FEATURES = ["r1=logret(close,1)", "r5=logret(close,5)", "range=(high-low)/close"]


def hayate(*words, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HAYATE_")}
    return subprocess.run([HAYATE, *map(str, words)], capture_output=True, text=True, env=env,
                          timeout=120, **more)


class Universe:
    """A universe file, and what it holds."""

    def __init__(self, path, n_bars, n_symbols, seed=1, holes=0.0):
        rng = np.random.default_rng(seed)
        self.path, self.symbols = path, [f"S{k:03d}" for k in range(n_symbols)]
        self.time = (19000 + np.arange(n_bars)) * DAY_NS
        step = rng.normal(0, 0.02, (n_bars, n_symbols)) + 0.01 * rng.normal(size=(n_bars, 1))
        self.close = 50 * np.exp(np.cumsum(step, axis=0))
        self.open = self.close * np.exp(rng.normal(0, 0.005, self.close.shape))
        top, bottom = np.maximum(self.open, self.close), np.minimum(self.open, self.close)
        self.high, self.low = top * 1.003, bottom * 0.996
        self.volume = np.floor(np.exp(rng.normal(10, 1, self.close.shape)))
        self.valid = rng.random(self.close.shape) >= holes

    def write(self):
        with h5py.File(self.path, "w", track_order=False) as f:
            for key, value in dict(hayate_universe=1, timeframe="1d", zone="UTC", calendar="",
                                   source="test").items():
                f.attrs[key] = value
            f["time"] = self.time.astype("i8")
            f.create_dataset("symbol", data=self.symbols, dtype=h5py.string_dtype())
            for name in "open high low close volume".split():
                f[name] = np.where(self.valid, getattr(self, name), np.nan)
            f["valid"] = self.valid.astype("u1")
        return self.path

    def features(self, s):
        """rows of the symbol's own bars: (indices of bars, [n, 3] features)."""
        at = np.flatnonzero(self.valid[:, s])
        c, h, l = self.close[at, s], self.high[at, s], self.low[at, s]
        out = np.full((len(at), 3), np.nan)
        out[1:, 0] = np.log(c[1:] / c[:-1])
        out[5:, 1] = np.log(c[5:] / c[:-5])
        out[:, 2] = (h - l) / c
        return at, out


def pipeline(folder, models, **more):
    lines = [f"pipeline: {more.pop('name', 'test')}", "features:"]
    lines += [f"  - '{f}'" for f in more.pop("features", FEATURES)]
    lines += ["models:"] + [f"  - {json.dumps(m)}" for m in models]
    lines += [f"{k}: {json.dumps(v)}" for k, v in more.items()]
    for m in models:
        if (GOLDEN / m["file"]).exists():
            shutil.copy(GOLDEN / m["file"], folder)
    path = folder / "pipeline.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


LINEAR = {"name": "lin", "file": "linear.onnx", "output": "y[0]"}
WINDOW = {"name": "win", "file": "window.onnx", "output": "y[1]", "window": 4}


def read_scores(folder):
    with open(folder / "scores.csv", newline="") as f:
        return list(csv.DictReader(f))


def panel(folder, universe, column="score"):
    out = np.full(universe.close.shape, np.nan)
    rows = {t: k for k, t in enumerate(universe.time)}
    names = {s: k for k, s in enumerate(universe.symbols)}
    for line in read_scores(folder):
        t = np.datetime64(line["time"].rstrip("Z"), "ns").astype("i8")
        if line[column]:
            out[rows[int(t)], names[line["symbol"]]] = float(line[column])
    return out


def expect_linear(universe):
    out = np.full(universe.close.shape, np.nan)
    for s in range(len(universe.symbols)):
        at, x = universe.features(s)
        x = x.astype(np.float32).astype(float)
        y = 0.5 * x[:, 0] + 2 * x[:, 1] - 0.25 * x[:, 2] + 0.125
        out[at, s] = y
    return out


def expect_window(universe):
    w = np.arange(1, 13) / 8
    out = np.full(universe.close.shape, np.nan)
    for s in range(len(universe.symbols)):
        at, x = universe.features(s)
        for k in range(3, len(at)):
            out[at[k], s] = x[k - 3:k + 1].astype(np.float32).astype(float).reshape(-1) @ w
    return out


def same(a, b, tol=1e-6):
    assert (np.isnan(a) == np.isnan(b)).all(), np.argwhere(np.isnan(a) != np.isnan(b))[:5]
    assert np.nanmax(np.abs(a - b)) < tol


@pytest.fixture
def holed(tmp_path):
    u = Universe(tmp_path / "u.h5", 90, 21, seed=2, holes=0.1)
    u.write()
    return u


def test_every_cell_of_a_range(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR, WINDOW], combine="mean")
    run = hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    linear, window = expect_linear(holed), expect_window(holed)
    same(panel(tmp_path / "o", holed, "lin"), linear)
    same(panel(tmp_path / "o", holed, "win"), window)
    same(panel(tmp_path / "o", holed), (linear + window) / 2)


def test_last_equals_the_full_run(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR, WINDOW], combine="zscore_mean")
    hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--out", tmp_path / "all")
    hayate("score", p, "--data", holed.path, "--last", "--out", tmp_path / "last")
    last = {r["symbol"]: r for r in read_scores(tmp_path / "last")}
    time = read_scores(tmp_path / "last")[0]["time"]
    every = {r["symbol"]: r for r in read_scores(tmp_path / "all") if r["time"] == time}
    assert last == every and len(last) == 21


def test_threads_do_not_change_a_byte(tmp_path, holed):
    features = FEATURES[:2] + ["range=cs.rank((high-low)/close)"]
    p = pipeline(tmp_path, [LINEAR, WINDOW], features=features)
    texts = []
    for n in (1, 2, 3):
        run = hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--evaluate",
                     "--out", tmp_path / f"o{n}", "--threads", n)
        assert run.returncode == 0, run.stderr
        texts.append([(tmp_path / f"o{n}" / f).read_bytes()
                      for f in ("scores.csv", "evaluation.json", "daily.csv")])
    assert texts[0] == texts[1] == texts[2]


def test_threads_do_not_show_in_models_that_mix_rows(tmp_path):
    u = Universe(tmp_path / "u.h5", 30, 101, seed=4)
    u.write()
    p = pipeline(tmp_path, [{"name": "mix", "file": "mixing.onnx", "output": "y[0]"}])
    texts = []
    for n in (1, 2, 3, 1):
        run = hayate("score", p, "--data", u.path, "--out", tmp_path / "o", "--threads", n)
        assert run.returncode == 0, run.stderr
        texts.append((tmp_path / "o/scores.csv").read_bytes())
    assert len(set(texts)) == 1


def test_a_folder_speaks_of_one_run(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    hayate("score", p, "--data", holed.path, "--evaluate", "--npz", "--out", tmp_path / "o")
    hayate("score", p, "--data", holed.path, "--last", "--out", tmp_path / "o")
    names = sorted(f.name for f in (tmp_path / "o").iterdir())
    assert names == ["report.html", "run.json", "scores.csv"]


def test_combinations(tmp_path, holed):
    a, b = expect_linear(holed), expect_window(holed)
    z = [(x - np.nanmean(x, 1, keepdims=True)) / np.nanstd(x, 1, ddof=1, keepdims=True)
         for x in (a, b)]
    models = [dict(LINEAR, weight=1), dict(WINDOW, weight=3)]
    wants = {"weighted": (a + 3 * b) / 4, "median": (a + b) / 2,
             "zscore_mean": (z[0] + 3 * z[1]) / 4}
    for kind, want in wants.items():
        p = pipeline(tmp_path, models, combine=kind)
        run = hayate("score", p, "--data", holed.path, "--from", "2022-02-01", "--out",
                     tmp_path / kind)
        assert run.returncode == 0, run.stderr
        got = panel(tmp_path / kind, holed)
        want[~np.isfinite(got).any(1)] = np.nan
        same(got, want, 1e-5)


def test_renormalise_uses_what_is_there(tmp_path, holed):
    holed.valid[:] = True
    holed.valid[:-3, 4] = False  # three bars: enough for the row model's NaN, not for the window
    holed.write()
    models = [dict(LINEAR, missing={"value": 0.5}), WINDOW]
    p = pipeline(tmp_path, models, combine="mean", combine_missing="renormalise")
    hayate("score", p, "--data", holed.path, "--out", tmp_path / "o")
    cell = next(r for r in read_scores(tmp_path / "o") if r["symbol"] == "S004")
    at, x = holed.features(4)
    want = 0.5 * x[-1, 0] + 2 * 0.5 - 0.25 * x[-1, 2] + 0.125
    assert cell["win"] == "" and abs(float(cell["score"]) - want) < 1e-6


def test_inputs_by_name_and_layout(tmp_path, holed):
    model = {"name": "two", "file": "two_inputs.onnx",
             "inputs": {"now": {"features": ["range"]},
                        "recent": {"features": ["r5", "r1"], "window": 3, "layout": "bft"}}}
    p = pipeline(tmp_path, [model])
    run = hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    want = np.full(holed.close.shape, np.nan)
    for s in range(21):
        at, x = holed.features(s)
        for k in range(2, len(at)):
            w = x[k - 2:k + 1].astype(np.float32).astype(float)
            want[at[k], s] = w[:, 1] @ [1, 2, 3] + w[:, 0] @ [4, 5, 6] + w[2, 2]
    same(panel(tmp_path / "o", holed), want)


def weekly_features(u, s):
    """The symbol's own weeks, which end on Monday 00:00 UTC: (ends, [n, 2] return and range)."""
    at = np.flatnonzero(u.valid[:, s])
    days = u.time[at] // DAY_NS
    ends = (days - 4 + 6) // 7 * 7 + 4  # 1970-01-05 was a Monday
    whole = np.unique(ends[ends <= u.time[-1] // DAY_NS])
    last = np.array([u.close[at[ends == e], s][-1] for e in whole])
    high = np.array([u.high[at[ends == e], s].max() for e in whole])
    low = np.array([u.low[at[ends == e], s].min() for e in whole])
    out = np.full((len(whole), 2), np.nan)
    out[1:, 0] = np.log(last[1:] / last[:-1])
    out[:, 1] = (high - low) / last
    return whole * DAY_NS, out


def test_inputs_of_a_slower_timeframe(tmp_path, holed):
    holed.valid[20:50, 5] = False  # weeks that the symbol does not have
    holed.write()
    features = ["range=(high-low)/close", "wr=logret(close,1)@W1", "wh=(high@W1-low@W1)/close@W1"]
    model = {"name": "two", "file": "two_inputs.onnx",
             "inputs": {"now": {"features": ["range"]},
                        "recent": {"features": ["wh", "wr"], "timeframe": "W1", "window": 3,
                                   "layout": "bft"}}}
    p = pipeline(tmp_path, [model], features=features)
    run = hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    want = np.full(holed.close.shape, np.nan)
    for s in range(21):
        at, x = holed.features(s)
        ends, weeks = weekly_features(holed, s)
        for k, t in enumerate(at):
            w = weeks[:np.searchsorted(ends, holed.time[t], side="right")][-3:]
            if len(w) == 3:
                w = w.astype(np.float32).astype(float)
                want[t, s] = w[:, 1] @ [1, 2, 3] + w[:, 0] @ [4, 5, 6] + x[k, 2]
    assert np.isfinite(want).sum() > 500
    same(panel(tmp_path / "o", holed), want)
    last = hayate("score", p, "--data", holed.path, "--out", tmp_path / "l")
    assert last.returncode == 0, last.stderr
    same(panel(tmp_path / "l", holed)[-1:], want[-1:])
    model["inputs"]["recent"]["timeframe"] = "D2"
    run = hayate("score", pipeline(tmp_path, [model], features=features), "--data", holed.path)
    assert run.returncode == 2 and "no feature at timeframe D2" in run.stderr
    model["inputs"]["recent"].update(timeframe="W1", features=["range", "wr"])
    run = hayate("score", pipeline(tmp_path, [model], features=features), "--data", holed.path)
    assert run.returncode == 2 and "no feature 'range' at W1" in run.stderr


def test_a_fixed_batch_and_the_last_step(tmp_path, holed):
    model = {"name": "seq", "file": "sequence.onnx", "window": 4, "output": "y[2]"}
    p = pipeline(tmp_path, [model])
    run = hayate("score", p, "--data", holed.path, "--from", "2022-01-01", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    want = np.full(holed.close.shape, np.nan)
    for s in range(21):
        at, x = holed.features(s)
        ok = np.array([k >= 3 and not np.isnan(x[k - 3:k + 1]).any() for k in range(len(at))])
        want[at[ok], s] = 2 * x[ok, 2]
    same(panel(tmp_path / "o", holed), want)


def test_ranks_and_their_change(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    hayate("score", p, "--data", holed.path, "--out", tmp_path / "o")
    want = expect_linear(holed)
    now, before = ({s: r + 1 for r, s in enumerate(np.argsort(-row, kind="stable"))
                    if not np.isnan(row[s])} for row in (want[-1], want[-2]))
    for line in read_scores(tmp_path / "o"):
        s = holed.symbols.index(line["symbol"])
        assert line["rank"] == str(now.get(s, "")), line
        moved = str(before[s] - now[s]) if s in now and s in before else ""
        assert line["rank_change"] == moved, line


def test_a_symbols_trouble_is_its_own_line(tmp_path, holed):
    holed.valid[:] = True
    holed.valid[:, 0] = False       # nothing at all
    holed.valid[-3:, 1] = False     # its last bar is three old
    holed.valid[:-2, 2] = False     # two bars
    holed.write()
    p = pipeline(tmp_path, [LINEAR])
    run = hayate("score", p, "--data", holed.path, "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    lines = {r["symbol"]: r for r in read_scores(tmp_path / "o")}
    flags = [lines[f"S00{k}"]["flags"] for k in range(4)]
    assert flags == ["no_data", "no_bar", "short_history", ""]
    assert lines["S001"]["age_bars"] == "3" and lines["S000"]["close"] == ""
    assert float(lines["S001"]["close"]) == holed.close[-4, 1]
    strict = hayate("score", p, "--data", holed.path, "--strict", "--json")
    keys = json.loads(strict.stdout)
    assert strict.returncode == 1 and (keys["scored"], keys["failed"]) == (18, 3)


def test_missing_policies(tmp_path, holed):
    at, x = holed.features(3)
    k = 2  # logret(close,5) is missing there
    day = str(np.datetime64(int(holed.time[at[k]]), "ns"))[:19] + "Z"
    got = {}
    for policy in ("refuse", "nan", {"value": 7}):
        p = pipeline(tmp_path, [dict(LINEAR, missing=policy)])
        hayate("score", p, "--data", holed.path, "--at", day, "--out", tmp_path / "o")
        got[str(policy)] = next(r for r in read_scores(tmp_path / "o") if r["symbol"] == "S003")
    assert got["refuse"]["flags"] == "short_history" and got["refuse"]["score"] == ""
    assert got["nan"]["flags"] == "not_finite"
    want = 0.5 * x[k, 0] + 14 - 0.25 * x[k, 2] + 0.125
    assert abs(float(got["{'value': 7}"]["score"]) - want) < 1e-5


# ---- evaluation: every metric once more, by its definition ----


def ranks(x):
    order, out = np.argsort(x, kind="stable"), np.empty(len(x))
    sorted_x = x[order]
    for k in range(len(x)):
        out[order[k]] = (np.searchsorted(sorted_x, sorted_x[k], "left")
                         + np.searchsorted(sorted_x, sorted_x[k], "right") + 1) / 2
    return out


def mean_t(x):
    x = x[~np.isnan(x)]
    return x.mean(), x.mean() / (x.std(ddof=1) / np.sqrt(len(x)))


def evaluate(score, close, n_long, n_short, cost_bps, per_year, n_buckets, horizon=1):
    n_rows, n = score.shape
    label = np.full(score.shape, np.nan)
    label[:n_rows - 1 - horizon] = close[1 + horizon:] / close[1:-horizon] - 1
    one_bar = np.full(score.shape, np.nan)
    one_bar[:n_rows - 2] = close[2:] / close[1:-1] - 1
    ic, rank_ic, spread, xs, ys = [], [], [], [], []
    for t in range(n_rows):
        ok = ~np.isnan(score[t]) & ~np.isnan(label[t])
        x, y = score[t, ok], label[t, ok]
        if len(x) < 3:
            continue
        xs.append(x), ys.append(y)
        ic.append(np.corrcoef(x, y)[0, 1])
        rank_ic.append(np.corrcoef(ranks(x), ranks(y))[0, 1])
        order = np.argsort(x, kind="stable")
        bucket = np.arange(len(x)) * n_buckets // len(x)
        spread.append(y[order][bucket == n_buckets - 1].mean() - y[order][bucket == 0].mean())
    x, y = np.concatenate(xs), np.concatenate(ys)
    both = (x != 0) & (y != 0)
    held, equity, peak, worst, net, turns = np.zeros(n), 1.0, 1.0, 0.0, [], []
    for t in range(n_rows - 2):
        names = np.flatnonzero(~np.isnan(score[t]) & ~np.isnan(one_bar[t]))
        order = names[np.argsort(-score[t, names], kind="stable")]
        w = np.zeros(n)
        a, b = min(n_long, len(order) // 2), min(n_short, len(order) // 2)
        if a and b:
            w[order[:a]] = 1 / a
            w[order[len(order) - b:]] = -1 / b
        r = np.where(w != 0, one_bar[t], 0)
        turns.append(0.5 * np.abs(w - held).sum())
        gross = (w * r).sum()
        net.append(gross - cost_bps * 1e-4 * 2 * turns[-1])
        held = w * (1 + r) / (1 + gross)
        equity *= 1 + net[-1]
        peak = max(peak, equity)
        worst = min(worst, equity / peak - 1)
    net = np.array(net)
    out = dict(zip(("ic", "ic_t"), mean_t(np.array(ic))))
    out.update(zip(("rank_ic", "rank_ic_t"), mean_t(np.array(rank_ic))))
    out.update(hit_rate=((x > 0) == (y > 0))[both].mean(), spread=np.mean(spread),
               sharpe=net.mean() / net.std(ddof=1) * np.sqrt(per_year), turnover=np.mean(turns),
               max_drawdown=worst, calibration=np.polyfit(x, y, 1)[0])
    return out


@pytest.mark.parametrize("n_symbols,n_buckets,horizon", [(21, 5, 1), (60, 10, 3)])
def test_evaluation(tmp_path, n_symbols, n_buckets, horizon):
    u = Universe(tmp_path / "u.h5", 120, n_symbols, seed=5, holes=0.03)
    u.write()
    p = pipeline(tmp_path, [LINEAR], label={"kind": "fwd", "horizon": horizon},
                 decision={"rank": {"long": 4, "short": 3}, "cost_bps": 7, "periods_per_year": 252})
    run = hayate("score", p, "--data", u.path, "--evaluate", "--json", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    keys = json.loads(run.stdout)
    score = panel(tmp_path / "o", u)
    close = np.where(u.valid, u.close, np.nan)
    want = evaluate(score, close, 4, 3, 7, 252, n_buckets, horizon)
    for key, value in want.items():
        assert keys[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key
    last = np.full(close.shape, np.nan)
    last[1:] = close[1:] / close[:-1] - 1
    last[np.isnan(score)] = np.nan
    want = evaluate(last, close, 4, 3, 7, 252, n_buckets, horizon)
    for key, value in want.items():
        got = keys["baselines"]["last_return"][key]
        assert got == pytest.approx(value, rel=1e-9, abs=1e-12), key
    zero = keys["baselines"]["zero"]
    assert zero["ic"] is None and zero["turnover"] == 0 and zero["max_drawdown"] == 0


def test_evaluation_of_one_series(tmp_path):
    u = Universe(tmp_path / "u.h5", 400, 1, seed=9)
    u.write()
    p = pipeline(tmp_path, [LINEAR], decision={"sign": {"threshold": 0}, "cost_bps": 1,
                                               "periods_per_year": 100})
    run = hayate("score", p, "--data", u.path, "--evaluate", "--json", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    keys = json.loads(run.stdout)
    score, close = panel(tmp_path / "o", u)[:, 0], u.close[:, 0]
    label = np.full(400, np.nan)
    label[:-2] = close[2:] / close[1:-1] - 1
    ok = ~np.isnan(score) & ~np.isnan(label)
    r = np.corrcoef(score[ok], label[ok])[0, 1]
    n = ok.sum()
    assert keys["ic"] == pytest.approx(r)
    assert keys["ic_t"] == pytest.approx(r * np.sqrt((n - 2) / (1 - r * r)))
    side = np.where(ok, np.sign(score), 0)[:-2]
    held, net = 0.0, []
    for t in range(398):
        gross = side[t] * (label[t] if side[t] else 0)
        net.append(gross - 2e-4 * 0.5 * abs(side[t] - held))
        held = side[t] * (1 + (label[t] if side[t] else 0)) / (1 + gross)
    net = np.array(net)
    assert keys["sharpe"] == pytest.approx(net.mean() / net.std(ddof=1) * 10)


def test_files_of_a_run(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    run = hayate("score", p, "--data", holed.path, "--evaluate", "--npz", "--out", tmp_path / "o")
    assert run.returncode == 0, run.stderr
    names = sorted(f.name for f in (tmp_path / "o").iterdir())
    assert names == ["daily.csv", "evaluation.json", "report.html", "run.json", "scores.csv",
                     "scores.npz"]
    arrays = np.load(tmp_path / "o/scores.npz")
    same(arrays["score"], panel(tmp_path / "o", holed), 1e-15)
    assert list(arrays["symbol"]) == holed.symbols and (arrays["time"] == holed.time).all()
    page = (tmp_path / "o/report.html").read_text()
    assert page.count("<svg") >= 5 and "http" not in page.replace("http-equiv", "")
    meta = json.loads((tmp_path / "o/run.json").read_text())
    assert len(meta["spec_sha256"]) == 64 and len(meta["models"][0]["sha256"]) == 64


def test_repeat_and_json_keys(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    run = hayate("score", p, "--data", holed.path, "--last", "--repeat", 3, "--json")
    keys = json.loads(run.stdout)
    for key in ("symbols scored failed bars features read_ms features_ms inference_ms write_ms "
                "elapsed_ms symbols_per_s peak_anon_bytes peak_rss_bytes").split():
        assert isinstance(keys[key], (int, float)), key


def test_a_time_limit_is_an_answer(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    run = hayate("score", p, "--data", holed.path, "--time-limit", "0.000000001", "--out",
                 tmp_path / "o")
    assert run.returncode == 1
    assert {r["flags"] for r in read_scores(tmp_path / "o")} == {"timed_out"}


BAD = [
    (dict(combine="average"), "'average' is none of: mean, weighted"),
    (dict(colour=1), "colour"),
    (dict(label={"kind": "triple"}), "'triple' is none of: fwd"),
    (dict(decision={"rank": {"long": -1}}), "long must be 0 to"),
    (dict(models=[]), "at least one model"),
    (dict(models=[dict(LINEAR, output="z")]), "no output 'z'"),
    (dict(models=[dict(LINEAR, output="y[3]")]), "output 'y'"),
    (dict(models=[dict(LINEAR, window=2)]), "input 'x' takes [?, 3]"),
    (dict(models=[dict(LINEAR, file="none.onnx")]), "none.onnx"),
    (dict(models=[LINEAR, LINEAR]), "two models named 'lin'"),
    (dict(features=FEATURES[:2]), "input 'x' takes [?, 3]"),
    (dict(features=["rsj(close,14)"]), "rsj"),
]


@pytest.mark.parametrize("change,message", BAD)
def test_refusals_say_what_and_where(tmp_path, holed, change, message):
    change = dict(change)
    models = change.pop("models", [LINEAR])
    p = pipeline(tmp_path, models, **change)
    run = hayate("score", p, "--data", holed.path)
    assert run.returncode == 2 and message in run.stderr, run.stderr


def test_a_time_after_the_end_is_said(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    far = hayate("score", p, "--data", holed.path, "--at", "2030-01-01")
    near = hayate("score", p, "--data", holed.path, "--at", "last")
    assert far.returncode == 0 and "ends before the time" in far.stderr, far.stderr
    assert "ends before the time" not in near.stderr and far.stdout == near.stdout


def test_usage(tmp_path, holed):
    p = pipeline(tmp_path, [LINEAR])
    for words in (["--last", "--at", "2022-01-08"], ["--npz"], ["--at", "2022-01-08", "--evaluate"],
                  ["--at", "1970-01-01"], ["--from", "2030-01-01"], ["--at", "yesterday"]):
        run = hayate("score", p, "--data", holed.path, *words)
        assert run.returncode == 2 and "hayate: " in run.stderr, (words, run.stderr)
    run = hayate("score", p, "--data", tmp_path / "none.h5")
    assert run.returncode == 2 and "none.h5" in run.stderr


def test_a_spec_of_another_model_is_refused(tmp_path, holed):
    # metadata_props is field 14 of ModelProto, its key and value fields 1 and 2
    def field(number, data):
        size, rest = bytes([len(data) & 127]), len(data) >> 7
        while rest:
            size, rest = size[:-1] + bytes([size[-1] | 128, rest & 127]), rest >> 7
        return bytes([number << 3 | 2]) + size + data

    def entry(key, value):
        return field(14, field(1, key) + field(2, value))

    data = (GOLDEN / "linear.onnx").read_bytes() + entry(b"hayate.spec_sha256", b"0" * 64)
    (tmp_path / "other.onnx").write_bytes(data)
    p = pipeline(tmp_path, [dict(LINEAR, file="other.onnx")])
    run = hayate("score", p, "--data", holed.path)
    assert run.returncode == 2 and "was made with spec 000000000000" in run.stderr
    canonical = subprocess.run([HAYATE, "features", "explain", "--canonical", "sma(close,9)"],
                               capture_output=True, check=True).stdout.strip()
    (tmp_path / "other.onnx").write_bytes(data + entry(b"hayate.spec", canonical))
    run = hayate("score", p, "--data", holed.path)
    assert run.returncode == 2 and '"sma(close,9)" there' in run.stderr, run.stderr
