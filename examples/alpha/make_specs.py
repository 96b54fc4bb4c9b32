# SPDX-License-Identifier: Apache-2.0
"""Writes alpha158.yaml, alpha158_strict.yaml and alpha360.yaml beside itself.

    python make_specs.py
"""
import pathlib

WINDOWS = (5, 10, 20, 30, 60)
HERE = pathlib.Path(__file__).resolve().parent
FIELDS = "{fields: [open, high, low, close, volume, vwap]}"

BAR = {
    "KMID": "(close - open) / open",
    "KLEN": "(high - low) / open",
    "KMID2": "(close - open) / (high - low + 1e-12)",
    "KUP": "(high - max(open, close)) / open",
    "KUP2": "(high - max(open, close)) / (high - low + 1e-12)",
    "KLOW": "(min(open, close) - low) / open",
    "KLOW2": "(min(open, close) - low) / (high - low + 1e-12)",
    "KSFT": "(2 * close - high - low) / open",
    "KSFT2": "(2 * close - high - low) / (high - low + 1e-12)",
    "OPEN0": "open / close",
    "HIGH0": "high / close",
    "LOW0": "low / close",
    "VWAP0": "vwap / close",
}

# {n}: the window; a window's operator is written NAME[arguments] and takes its least count, if any,
# behind them.
ROLLING = {
    "ROC": "ref(close, {n}) / close",
    "MA": "sma[close, {n}] / close",
    "STD": "fit[close, {n}].std / close",
    "BETA": "fit[close, {n}].slope / close",
    "RSQR": "fit[close, {n}].rsq",
    "RESI": "fit[close, {n}].resi / close",
    "MAX": "extreme[{n}].max / close",
    "MIN": "extreme[{n}].min / close",
    "QTLU": "order[close, {n}, 0.2, 0.8].upper / close",
    "QTLD": "order[close, {n}, 0.2, 0.8].lower / close",
    "RANK": "order[close, {n}, 0.2, 0.8].rank",
    "RSV": "(close - extreme[{n}].min) / (extreme[{n}].max - extreme[{n}].min + 1e-12)",
    "IMAX": "extreme[{n}].argmax / {n}",
    "IMIN": "extreme[{n}].argmin / {n}",
    "IMXD": "(extreme[{n}].argmax - extreme[{n}].argmin) / {n}",
    "CORR": "corr[close, ln(volume + 1), {n}]",
    "CORD": "corr[close / ref(close, 1), ln(volume / ref(volume, 1) + 1), {n}]",
    "CNTP": "sma[close > ref(close, 1), {n}]",
    "CNTN": "sma[close < ref(close, 1), {n}]",
    "CNTD": "sma[close > ref(close, 1), {n}] - sma[close < ref(close, 1), {n}]",
    "SUMP": "updown[close, {n}].up",
    "SUMN": "updown[close, {n}].down",
    "SUMD": "updown[close, {n}].net",
    "VMA": "sma[volume, {n}] / (volume + 1e-12)",
    "VSTD": "std[volume, {n}] / (volume + 1e-12)",
    "WVMA": "std[abs(close / ref(close, 1) - 1) * volume, {n}]"
            " / (sma[abs(close / ref(close, 1) - 1) * volume, {n}] + 1e-12)",
    "VSUMP": "updown[volume, {n}].up",
    "VSUMN": "updown[volume, {n}].down",
    "VSUMD": "updown[volume, {n}].net",
}


def alpha158(strict):
    yield from BAR.items()
    for name, text in ROLLING.items():
        for n in WINDOWS:
            one = text.format(n=n)
            if strict:
                one = one.replace("[", ".qlib(").replace("]", f", {n})")
            else:
                one = one.replace("[", "(").replace("]", ")")
            yield f"{name}{n}", one


def alpha360():
    for field in ("close", "open", "high", "low", "vwap", "volume"):
        scale = "(volume + 1e-12)" if field == "volume" else "close"
        for k in range(59, -1, -1):
            yield f"{field.upper()}{k}", (f"ref({field}, {k})" if k else field) + f" / {scale}"


def write(name, params, features, what):
    without = ("Bars without the field vwap: take it out of inputs, and write "
               "(high + low + close) / 3 for it below.")
    lines = [f"# {line}" for line in (*what, without)] + ["hayate_spec: 1", f"inputs: {FIELDS}", params]
    lines += ["features:"] + [f'  - {{name: {key}, expr: "{text}"}}' for key, text in features]
    (HERE / name).write_text("\n".join(lines) + "\n")


write("alpha158.yaml", "params: {warmup: qlib, gap: mark}", alpha158(False),
      ("Alpha158 as qlib has it: a window holds what is there, from the first bar on.",
       "Written by make_specs.py."))
write("alpha158_strict.yaml", "params: {warmup: strict, gap: none}", alpha158(True),
      ("Alpha158 of full windows: missing until all values of a window are there.",
       "Written by make_specs.py."))
write("alpha360.yaml", "params: {gap: mark}", alpha360(),
      ("Alpha360: the last sixty bars over the newest. Written by make_specs.py.",))
