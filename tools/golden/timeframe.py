# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/timeframe/bars.npz and months.npz: half-hour bars around both changes of New York's clock, and
what pandas makes of them at slower timeframes, joined as of each bar's close by merge_asof; sessions
from exchange_calendars; days of three years and their months. Usage: python tools/golden/timeframe.py"""
import pathlib
import sys

import exchange_calendars
import numpy as np
import pandas as pd

ROOT = pathlib.Path(__file__).resolve().parents[2]
ZONE = "America/New_York"
FIELDS = ("open", "high", "low", "close", "volume", "vwap", "spread")
HOW = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum", "spread": "last"}


def make_bars():
    """Two stretches of days with holes: single bars, a symbol without nights, one with a long gap."""
    rng = np.random.default_rng(6)
    spans = [("2024-03-07 00:30", "2024-03-13 12:00"), ("2024-10-31 00:30", "2024-11-06 12:00")]
    time = pd.DatetimeIndex([]).tz_localize("UTC")
    for begin, end in spans:
        time = time.append(pd.date_range(begin, end, freq="30min", tz="UTC"))
    shape = (len(time), 3)
    close = np.round(50 + np.cumsum(rng.normal(0, 0.3, shape), axis=0), 2)
    open_ = np.round(close + rng.normal(0, 0.2, shape), 2)
    high = np.round(np.maximum(open_, close) + rng.uniform(0, 0.2, shape), 2)
    low = np.round(np.minimum(open_, close) - rng.uniform(0, 0.2, shape), 2)
    bars = {"open": open_, "high": high, "low": low, "close": close,
            "volume": rng.integers(0, 50, shape).astype(float),
            "vwap": np.round((high + low) / 2, 2), "spread": np.round(rng.uniform(0, 1, shape), 2)}
    valid = rng.uniform(size=shape) > 0.1
    hour = time.tz_convert(ZONE).hour
    valid[:, 1] &= (hour >= 8) & (hour < 17)
    valid[150:260, 2] = False
    for name in ("open", "vwap", "volume"):
        bars[name][rng.uniform(size=shape) < 0.02] = np.nan
    return time, bars, valid


def wall_ends(time, hours):
    """The end of the bar of so many hours from local midnight that holds a bar that closes then."""
    inside = (time - pd.Timedelta(1, "ns")).tz_convert(ZONE)
    begin = pd.to_timedelta(inside.hour // hours * hours, unit="h")
    naive = inside.tz_localize(None).normalize() + begin + pd.Timedelta(hours, "h")
    return naive.tz_localize(ZONE, nonexistent="shift_forward").tz_convert("UTC")


def hour_ends(time):
    return time.ceil("h")


def session_ends(time, weekly):
    calendar = exchange_calendars.get_calendar("XNYS", start="2024-01-01", end="2024-12-31")
    closes = calendar.closes
    at = closes.searchsorted(time)
    if not weekly:
        return pd.DatetimeIndex(closes.iloc[at])
    week = closes.index.to_period("W")
    last = closes.groupby(week).max()
    return pd.DatetimeIndex(last.loc[week[at]])


def session_clocks(time):
    """Open and close (seconds), date and next date (days) of each bar's session."""
    calendar = exchange_calendars.get_calendar("XNYS", start="2024-01-01", end="2024-12-31")
    at = calendar.closes.searchsorted(time)
    second, day = np.timedelta64(1, "s"), np.timedelta64(1, "D")
    stamps = [calendar.opens.iloc[at], calendar.closes.iloc[at]]
    dates = [calendar.sessions[at], calendar.sessions[at + 1]]
    epoch = np.datetime64("1970-01-01")
    return np.array([(pd.DatetimeIndex(x).tz_localize(None).to_numpy() - epoch) // unit
                     for x, unit in zip(stamps + dates, [second, second, day, day])], dtype=float)


def slower_bars(time, bars, valid, ends, symbol):
    """The symbol's bars, by their ends; those that have ended by the last close."""
    frame = pd.DataFrame({k: v[:, symbol] for k, v in bars.items()}, index=time)
    frame["end"] = ends
    frame = frame[valid[:, symbol]]
    groups = frame.groupby("end")
    out = pd.DataFrame({k: groups[k].agg(HOW[k]) for k in HOW})
    out["volume"] = groups["volume"].sum(min_count=1)
    both = frame[frame["volume"].notna() & frame["vwap"].notna()]
    product = (both["vwap"] * both["volume"]).groupby(both["end"]).sum(min_count=1)
    weight = both["volume"].groupby(both["end"]).sum(min_count=1)
    out["vwap"] = (product / weight.where(weight > 0)).reindex(out.index)
    out["n_src"] = groups.size().astype(float)
    out["sma3"] = out["close"].rolling(3).mean()
    return out[out.index <= time[-1]]


def as_of(time, slower, column, valid=None):
    left = pd.DataFrame({"time": time.as_unit("ns")})
    right = pd.DataFrame({"time": pd.DatetimeIndex(slower.index).as_unit("ns"), "value": slower[column].to_numpy()})
    value = pd.merge_asof(left, right, on="time")["value"].to_numpy()
    return np.where(valid, value, np.nan) if valid is not None else value


def month_ends(calendar, n, clock):
    """Of each session, the end of the n months that hold it, from January on: midnight of New York, or
    the close of their last session."""
    dates = calendar.sessions
    groups = dates.year * 12 + (dates.month - 1) // n * n
    if clock:
        first = pd.to_datetime({"year": groups // 12, "month": groups % 12 + 1, "day": 1})
        after = pd.DatetimeIndex(first) + pd.DateOffset(months=n)
        return after.tz_localize(ZONE).tz_convert("UTC")
    last = calendar.closes.groupby(groups).max()
    return pd.DatetimeIndex(last.loc[groups])


def make_months():
    """Days of New York's exchange with holes: months' ends that a symbol lacks, and whole months."""
    calendar = exchange_calendars.get_calendar("XNYS", start="2021-01-01", end="2026-12-31")
    shown = calendar.sessions.slice_indexer("2021-11-15", "2025-02-12")
    time = pd.DatetimeIndex(calendar.closes)[shown]
    rng = np.random.default_rng(7)
    close = np.round(50 + np.cumsum(rng.normal(0, 0.3, (len(time), 2)), axis=0), 2)
    volume = rng.integers(0, 50, close.shape).astype(float)
    bars = {"open": close - 0.25, "high": close + 0.5, "low": close - 0.5, "close": close,
            "volume": volume, "vwap": close, "spread": close * 0}
    valid = rng.uniform(size=close.shape) > 0.2
    valid[200:260, 1] = False
    out = {"time": time.as_unit("ns").asi8, "valid": valid.astype("u1"),
           **{k: bars[k] for k in ("open", "close", "volume")}}
    for n in (1, 3, 12):
        for clock in (False, True):
            ends = month_ends(calendar, n, clock)[shown]
            for column in ("open", "close", "volume", "n_src"):
                out[f"MN{n}.{'clock' if clock else 'session'}.{column}"] = np.column_stack(
                    [as_of(time, slower_bars(time, bars, valid, ends, s), column, valid[:, s])
                     for s in range(2)])
    return out


def write(name, what, arrays):
    folder = ROOT / "tests" / "golden" / "timeframe"
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / f"{name}.npz", **arrays)
    (folder / f"{name}.npz.origin").write_text(
        f"what: {what}\n"
        f"versions: python {sys.version.split()[0]}, numpy {np.__version__}, pandas {pd.__version__}, "
        f"exchange_calendars {exchange_calendars.__version__}\n"
        f"command: python tools/golden/timeframe.py\nlicence: generated here\n"
        f"tolerance: exact, but 1e-12 relative for sums (volume, vwap, sma3)\n")


def main():
    time, bars, valid = make_bars()
    grids = {"H1": hour_ends(time), "H2": wall_ends(time, 2), "H4": wall_ends(time, 4),
             "D1": wall_ends(time, 24), "D1s": session_ends(time, False),
             "W1s": session_ends(time, True)}
    out = {"time": time.as_unit("ns").asi8, "valid": valid.astype("u1"), **bars}
    for name, ends in grids.items():
        columns = FIELDS + ("n_src", "sma3") if name in ("H4", "D1s") else ("close", "sma3")
        for column in columns:
            out[f"{name}.{column}"] = np.column_stack(
                [as_of(time, slower_bars(time, bars, valid, ends, s), column, valid[:, s])
                 for s in range(valid.shape[1])])
    for s in range(valid.shape[1]):
        own = slower_bars(time, bars, valid, grids["H4"], s)
        out[f"H4.bars.{s}"] = np.column_stack([own["close"], own["sma3"]])
        out[f"H4.ends.{s}"] = pd.DatetimeIndex(own.index).as_unit("ns").asi8
    out["sessions"] = session_clocks(time)
    out["ends"] = grids["H4"].as_unit("ns").asi8
    # under `mark` a bar of the axis that the symbol lacks is missing, not the one before it
    axis = pd.DatetimeIndex(sorted(set(grids["H4"]))).tz_convert("UTC")
    axis = axis[axis <= time[-1]]
    out["H4.close.mark"] = np.column_stack(
        [as_of(time, slower_bars(time, bars, valid, grids["H4"], s).reindex(axis), "close",
               valid[:, s]) for s in range(valid.shape[1])])
    write("bars", "bars from a seeded generator; slower bars by pandas groupby and merge_asof, sessions by\n"
          "  exchange_calendars", out)
    write("months", "days from a seeded generator at the closes of exchange_calendars; months by pandas\n"
          "  groupby and merge_asof", make_months())


if __name__ == "__main__":
    main()
