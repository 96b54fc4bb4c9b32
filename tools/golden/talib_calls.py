# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/talib/calls.npz: what TA-Lib's Python functions answer.

For each function of python/hayate/_talib_table.py: NAME.OUTPUT with the defaults, and NAME(k=v,..).OUTPUT
with other parameters and averages, the last rows alone; `lead` before a name: the same over inputs
that begin with missing values. The inputs are input.COLUMN. All lie one after the other in
`values`: `name`, `n` values, `integer` for int32.

    python tools/golden/talib_calls.py
"""
import pathlib
import platform
import sys
import warnings

import numpy as np
import talib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "hayate"))
import _talib_table as table  # noqa: E402

OUT = ROOT / "tests" / "golden" / "talib"
BARS, TAIL, LEAD = 160, 16, 5
OVER_ONE_BAR = ("ATR", "KAMA", "MINUS_DI", "NATR", "PLUS_DI")  # which TA-Lib has its own rules for
AVERAGES = {name: code for code, name in enumerate(table.MA_NAMES)}


def inputs():
    """A random walk with gaps, flat bars and bars without volume; real1 follows real0 loosely."""
    rng = np.random.default_rng(20261121)
    close = 80 + np.cumsum(rng.normal(0, 0.7, BARS))
    close[60:64] = close[60]
    open_ = np.concatenate([[80.0], close[:-1]]) + rng.normal(0, 0.25, BARS)
    open_[62:64] = close[60]
    spread = np.abs(rng.normal(0, 0.3, (2, BARS)))
    spread[:, 62:64] = 0
    volume = np.floor(rng.lognormal(7, 1, BARS))
    volume[rng.random(BARS) < 0.03] = 0
    columns = {"open": open_, "high": np.maximum(open_, close) + spread[0],
               "low": np.minimum(open_, close) - spread[1], "close": close, "volume": volume,
               "periods": np.round(15 + 14 * np.sin(np.arange(BARS) / 7)),
               "real": close, "real0": close, "real1": close * 0.3 + rng.normal(0, 1, BARS)}
    return {name: np.round(column, 3) for name, column in columns.items()}


def other_parameters(row):
    """Further calls: other numbers, one bar, and every average that the table has."""
    if not row.defaults:
        return
    yield {key: value * 0.75 if isinstance(value, float) else 1 if key.endswith("matype")
           and row.name != "MAVP" else 0 if row.name == "MAVP" and key == "matype"
           else max(2, value // 2 + 1) for key, value in row.defaults.items()}
    if row.name in OVER_ONE_BAR:
        yield {"timeperiod": 1}
    kinds = [key for key in row.defaults if key.endswith("matype")]
    for name in table.SUPPORTED_MA if kinds and row.name != "MAVP" else ():
        yield {key: AVERAGES[name] for key in kinds}


def answers(row, columns, given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = getattr(talib, row.name)(*[columns[c] for c in row.inputs], **given)
    return dict(zip(row.outputs, found if isinstance(found, tuple) else (found,)))


def main():
    columns = inputs()
    arrays = {f"input.{name}": column for name, column in columns.items()
              if name not in ("real", "real0")}
    late = {name: column.copy() for name, column in columns.items()}
    for k, column in enumerate(late.values()):
        column[:k % (LEAD + 1)] = np.nan
    for name, row in table.ROWS.items():
        scale = 1 / 128 if name in ("ACOS", "ASIN") else 1
        scaled = {key: column * scale for key, column in columns.items()}
        for output, values in answers(row, scaled, {}).items():
            arrays[f"{name}.{output}"] = values
        for output, values in answers(row, late, {}).items():
            arrays[f"lead {name}.{output}"] = values[:2 * TAIL]
        for given in other_parameters(row):
            text = ",".join(f"{k}={v}" for k, v in given.items())
            for output, values in answers(row, columns, given).items():
                arrays[f"{name}({text}).{output}"] = values[-TAIL:]
    OUT.mkdir(parents=True, exist_ok=True)
    packed = {"name": np.array(list(arrays)), "n": np.array([len(a) for a in arrays.values()], "i4"),
              "integer": np.array([a.dtype.kind == "i" for a in arrays.values()]),
              "values": np.concatenate([a.astype("f8") for a in arrays.values()])}
    np.savez_compressed(OUT / "calls.npz", **packed)
    (OUT / "calls.npz.origin").write_text(
        "what: TA-Lib's Python functions over a series made here (numpy's default_rng(20261121))\n"
        f"versions: python {platform.python_version()}, numpy {np.__version__}, "
        f"TA-Lib {talib.__version__} (core {talib.__ta_version__.decode().split()[0]})\n"
        "command: python tools/golden/talib_calls.py\n"
        "licence: generated\n"
        "tolerance: 1e-9 of the expected values' largest magnitude; missing rows exact\n")


if __name__ == "__main__":
    main()
