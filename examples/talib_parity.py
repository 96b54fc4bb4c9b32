#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every function of TA-Lib over your bars, by TA-Lib and by hayate.talib: how far the two are apart.
The CSV has columns open, high, low, close and volume, whatever their case. Needs TA-Lib and pandas.

    PYTHONPATH=python python examples/talib_parity.py [BARS.csv]
"""
import pathlib
import sys

import numpy as np
import pandas as pd
import talib
from talib import abstract

from hayate.talib import abstract as ported

COLUMNS = ["open", "high", "low", "close", "volume"]
TIES = "of equal values TA-Lib names the earliest in its first scan, the latest afterwards"
KNOWN = {"MAXINDEX": (1, TIES), "MININDEX": (1, TIES), "MINMAXINDEX": (1, TIES),
         "HT_SINE": (1e-6, "the sine of a phase that is itself a quotient of small differences"),
         "HT_DCPHASE": (1e-6, "a quotient of small differences")}
SAMPLE = pathlib.Path(__file__).resolve().parent / "eurusd-hourly" / "EURUSD.csv"


def read(path):
    frame = pd.read_csv(path).rename(columns=str.lower)
    if missing := [name for name in COLUMNS if name not in frame]:
        sys.exit(f"{path}: no column {', '.join(missing)}; it has {', '.join(frame.columns)}")
    frame = frame[COLUMNS].astype(float)
    frame["periods"] = 2.0 + np.arange(len(frame)) % 28  # of MAVP
    return frame


def outputs(function, frame):
    answer = function(frame)
    return answer.to_frame() if isinstance(answer, pd.Series) else answer


def apart(name, frame):
    """The largest difference as a share of the output's scale, and values that one alone has."""
    theirs = outputs(abstract.Function(name), frame).to_numpy(float)
    ours = outputs(ported.Function(name), frame).to_numpy(float)
    both = np.isfinite(theirs) & np.isfinite(ours)
    alone = int((np.isfinite(theirs) != np.isfinite(ours)).sum())
    scale = np.abs(theirs[both]).max(initial=0) or 1.0
    return np.abs(theirs - ours)[both].max(initial=0) / scale, alone


def main():
    frame = read(sys.argv[1] if len(sys.argv) > 1 else SAMPLE)
    agree, known, far = [], [], []
    for name in talib.get_functions():
        worst, alone = apart(name, frame)
        bound, why = KNOWN.get(name, (0, "not expected"))
        kind = agree if worst <= 1e-9 and not alone else known if worst <= bound else far
        kind.append(name)
        if kind is not agree:
            print(f"{name:12} apart by {worst:.1e} of its scale, {alone} values in one alone: {why}")
    print(f"{len(frame)} bars: {len(agree)} functions agree to 1e-9 of their scale and on what is "
          f"missing, {len(known)} differ for a known reason, {len(far)} differ")
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
