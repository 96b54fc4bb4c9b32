# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/feature/cross_input.npz and one cs.*.npz per row of src/feature/cross.inc: days of
real returns with ties and holes, and what pandas (numpy's least squares for residuals) makes of them.
An array's name is the call. Usage: python tools/golden/cross.py"""
import pathlib
import platform

import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "golden" / "feature"
N_ROWS = 40
MIN_NAMES = 18


def inputs():
    """Returns in steps of 1/1000, so that some are equal; a volatility and a price as factors."""
    prices = pd.read_csv(ROOT / "examples" / "us20-daily" / "prices.csv", parse_dates=["date"])
    close = prices.pivot(index="date", columns="symbol", values="close").loc["2008-07-01":]
    returns = np.log(close).diff()
    x = returns.round(3).iloc[70:70 + N_ROWS]
    rng = np.random.default_rng(20240610)
    x = x.mask(rng.random(x.shape) < 0.06)
    x.iloc[5] = 0.0  # a row without any spread
    x.iloc[6, 3:] = np.nan  # and one of a few names
    x.iloc[7] = np.nan
    x.iloc[8, 1:] = np.nan
    vol = returns.rolling(60).std().reindex(x.index)
    price = np.log(close).reindex(x.index).mask(rng.random(x.shape) < 0.02)
    sector = pd.DataFrame(np.tile(np.arange(x.shape[1]) % 4, (N_ROWS, 1)).astype(float), x.index,
                          x.columns)
    sector.iloc[20:, 4] = 9.0  # alone from then on
    sector.iloc[:, 11] = np.nan  # in none
    return {"x": x, "vol": vol, "price": price, "sector": sector}


def where_enough(frame, taken, least=2):
    return frame.where(taken.sum(axis=1) >= least, np.nan, axis=0).where(taken)


def by_row(x):
    """The rows of one input: {call: frame}."""
    taken, rank = x.notna(), x.rank(axis=1, pct=True)
    middle = x.median(axis=1)
    away = x.sub(middle, axis=0)
    mad = away.abs().median(axis=1) * 1.4826
    mean, std = x.mean(axis=1), x.std(axis=1)
    size = x.abs().sum(axis=1)
    low, high = x.quantile(0.1, axis=1), x.quantile(0.9, axis=1)
    places = x.rank(axis=1)
    count = taken.sum(axis=1)
    forms = {
        "cs.rank(x)": rank,
        "cs.ranknorm(x)": (rank - 0.5) * 3.46,
        "cs.zscore(x)": x.sub(mean, axis=0).div(std, axis=0).mask(std == 0, 0.0, axis=0),
        "cs.robust(x)": away.div(mad, axis=0).clip(-3, 3).mask(mad == 0, 0.0, axis=0),
        "cs.demean(x)": x.sub(mean, axis=0),
        "cs.scale(x)": x.div(size, axis=0).mask(size == 0, 0.0, axis=0),
        "cs.winsor(x, 0.1)": x.clip(low, high, axis=0),
        "cs.bucket(x, 5)": np.floor((places - 0.5).mul(5).div(count, axis=0)),
        "cs.breadth(x)": x.gt(0).sum(axis=1).div(count).to_frame().dot(
            pd.DataFrame(1.0, [0], x.columns)),
    }
    few = {call[:-1] + f", min_names={MIN_NAMES})": where_enough(frame, taken, MIN_NAMES)
           for call, frame in forms.items() if call.startswith(("cs.rank(", "cs.winsor("))}
    return {call: where_enough(frame, taken) for call, frame in forms.items()} | few


def by_group(x, sector):
    taken = x.notna() & sector.notna()
    long = pd.DataFrame({"x": x.where(taken).stack(future_stack=True),
                         "sector": sector.stack(future_stack=True)})
    groups = long.groupby([long.index.get_level_values(0), "sector"])["x"]
    std = groups.transform("std")
    z = ((long["x"] - groups.transform("mean")) / std).mask((std == 0) | std.isna(), 0.0)
    forms = {"cs.neutral(x, sector)": long["x"] - groups.transform("mean"),
             "cs.group_rank(x, sector)": groups.rank(pct=True), "cs.group_zscore(x, sector)": z}
    return {call: where_enough(part.unstack(), taken) for call, part in forms.items()}


def residuals(x, factors):
    taken = x.notna()
    for f in factors.values():
        taken &= f.notna()
    out = pd.DataFrame(np.nan, x.index, x.columns)
    for t in range(len(x)):
        at = taken.iloc[t].to_numpy()
        if at.sum() < 2:
            continue
        design = np.column_stack([np.ones(at.sum())] + [f.iloc[t].to_numpy()[at]
                                                        for f in factors.values()])
        y = x.iloc[t].to_numpy()[at]
        weights = np.linalg.lstsq(design, y, rcond=None)[0]
        free = len(y) > design.shape[1]
        out.iloc[t, np.flatnonzero(at)] = y - design @ weights if free else 0.0
    return {f"cs.resid(x, {', '.join(factors)})": out}


RANK = "pandas rank(axis=1, pct=True)"
WHAT = {"cs.rank": RANK, "cs.ranknorm": RANK, "cs.bucket": "pandas rank(axis=1)",
        "cs.demean": "pandas sub(mean)", "cs.scale": "pandas div(abs().sum())",
        "cs.breadth": "pandas gt(0)", "cs.resid": "numpy linalg.lstsq",
        "cs.winsor": "pandas quantile, clip", "cs.neutral": "pandas groupby.transform",
        "cs.group_rank": "pandas groupby.rank(pct=True)", "cs.group_zscore": "pandas groupby.transform",
        "cs.zscore": "pandas mean, std", "cs.robust": "pandas median, clip"}


def write(name, what, arrays):
    np.savez_compressed(OUT / f"{name}.npz", **arrays)
    (OUT / f"{name}.npz.origin").write_text(
        f"what: {what}\nversions: python {platform.python_version()}, numpy {np.__version__}, pandas "
        f"{pd.__version__}\ncommand: python tools/golden/cross.py\nlicence: prices of "
        "examples/us20-daily (skfolio BSD-3, NOTICE)\ntolerance: 1e-12 of the row's largest magnitude; "
        "what is missing exact\n")


def main():
    given = inputs()
    x = given["x"]
    calls = by_row(x) | by_group(x, given["sector"])
    calls |= residuals(x, {"vol": given["vol"]})
    calls |= residuals(x, {"vol": given["vol"], "price": given["price"]})
    write("cross_input", f"{N_ROWS} days of twenty stocks from examples/us20-daily: returns in steps of "
          "1/1000 with holes, volatility, price, made-up groups",
          {k: v.to_numpy() for k, v in given.items()} | {"symbol": np.array(list(x.columns), "U")})
    for ident in sorted({call.split("(")[0] for call in calls}):
        write(ident, WHAT[ident],
              {call: frame.to_numpy() for call, frame in calls.items() if call.startswith(ident + "(")})


main()
