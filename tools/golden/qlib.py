# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/alpha/: a panel of three short series (input.npz) and Alpha158 over it by the
formulas in pandas (alpha158.npz; qlib_forms.py). A symbol's frame begins with its first bar; a bar
that it lacks later is a row of NaN.

    python tools/golden/qlib.py
"""
import pathlib
import platform

import numpy as np
import pandas as pd

from qlib_forms import alpha158

ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
OUT = ROOT / "alpha"
FIELDS = ("open", "high", "low", "close", "volume", "vwap")
ROWS = 96


def panel():
    source = np.load(ROOT / "feature" / "input.npz")
    parts = [source["sp500"][:, :ROWS], source["eurusd"][:, 100:100 + ROWS],
             source["synth"][:, 105:105 + ROWS]]
    bars = np.stack([p[:5] for p in parts], -1)  # [field, row, symbol]
    bars = np.concatenate([bars, bars[1:4].mean(0, keepdims=True)])
    valid = np.ones(bars.shape[1:], "u1")
    valid[:15, 0] = 0  # listed later
    valid[[8, 9, 37], 1] = 0
    valid[0, 2] = valid[26:33, 2] = valid[70, 2] = 0  # halts, one of them at the start
    bars[:, valid == 0] = np.nan
    bars[4, 20, 1] = bars[3, 90, 2] = np.nan  # a bar that lacks a value
    return bars, valid


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    bars, valid = panel()
    np.savez_compressed(OUT / "input.npz", **dict(zip(FIELDS, bars)), valid=valid)
    values = np.full((ROWS, bars.shape[2], 158), np.nan)
    for k in range(bars.shape[2]):
        begin = int(np.argmax(valid[:, k]))
        features = alpha158(pd.DataFrame(dict(zip(FIELDS, bars[:, begin:, k]))))
        values[begin:, k] = np.stack([v.to_numpy(float) for v in features.values()], -1)
    values[~np.isfinite(values)] = np.nan
    np.savez_compressed(OUT / "alpha158.npz", values=values, names=np.array(list(features)))
    for name in ("input.npz", "alpha158.npz"):
        (OUT / (name + ".origin")).write_text(
            "what: Alpha158's formulas in pandas (tools/golden/qlib_forms.py) over 96 bars of "
            "sp500, eurusd and synth of tests/golden/feature/input.npz, with bars taken out\n"
            f"versions: python {platform.python_version()}, numpy {np.__version__}, "
            f"pandas {pd.__version__}\n"
            "command: python tools/golden/qlib.py\n"
            "licence: arch NCSA, gym_anytrading MIT, synth generated here (NOTICE)\n"
            "tolerance: 1e-6 relative, missing values exact\n")


if __name__ == "__main__":
    main()
