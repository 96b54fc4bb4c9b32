# SPDX-License-Identifier: Apache-2.0
"""Writes src/market/calendar_<name>.inc, the sessions of an exchange as regular hours by weekday and
period, closed days and days with hours of their own, and tests/golden/calendar/sessions.inc, sessions as
instants to hold them to. From the package exchange_calendars (Apache-2.0), whose sources are the
exchanges' own notices. Usage: python tools/golden/calendars.py [NAME ...]"""
import collections
import datetime
import pathlib
import random
import sys

import exchange_calendars
import pandas as pd
from exchange_calendars import calendar_utils

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST, LAST = 1990, 2035
NAMES = ("XNYS XLON XETR XPAR XAMS XSWX XTSE XTKS XHKG XSHG XASX XKRX XBOM BVMF CMES").split()
REACH = 9  # weeks to either side, whose most frequent hours are a date's regular ones


def bounds(name):
    made = calendar_utils._default_calendar_factories[name]
    first, last = datetime.date(FIRST, 1, 1), datetime.date(LAST, 12, 31)
    low, high = made.bound_min(), made.bound_max()
    return max(first, low.date()) if low is not None else first, \
        min(last, high.date()) if high is not None else last


def minutes(instant, date, zone):
    wall = instant.tz_convert(zone).tz_localize(None)
    return int((wall - pd.Timestamp(date)).total_seconds()) // 60


def read_sessions(name):
    """date -> (open, close, break begins, ends) in minutes of the wall clock, and as instants."""
    first, last = bounds(name)
    made = calendar_utils._default_calendar_factories[name](start=pd.Timestamp(first), end=pd.Timestamp(last))
    hours, instants = {}, {}
    rows = zip(made.sessions, made.opens, made.closes, made.break_starts, made.break_ends)
    for date, *times in rows:
        date = date.date()
        both = [t if t is not pd.NaT and t == t else None for t in times]
        hours[date] = tuple(0 if t is None else minutes(t, date, made.tz) for t in both)
        instants[date] = tuple(0 if t is None else int(t.timestamp()) for t in both)
    return first, last, str(made.tz), hours, instants


def regular_hours(first, last, hours):
    """For each date the hours that most dates of its weekday have around it; None: mostly closed."""
    regular = {}
    dates = pd.date_range(first, last).date
    for weekday in range(7):
        own = [d for d in dates if d.weekday() == weekday]
        values = [hours.get(d) for d in own]
        held = values[REACH] if len(values) > REACH else values[0]
        for i, date in enumerate(own):
            around = collections.Counter(values[max(i - REACH, 0):i + REACH + 1])
            best, n = around.most_common(1)[0]
            if best != held and n > REACH and values[i] == best:
                held = best
            regular[date] = held
    return regular


def packed(date):
    return date.year * 10000 + date.month * 100 + date.day


def hours_rows(first, regular):
    """(from, weekdays, hours): a row where a weekday's hours begin to be others."""
    rows, held = [], [None] * 7
    for date in sorted(regular):
        weekday = date.weekday()
        if regular[date] == held[weekday]:
            continue
        held[weekday] = regular[date]
        begin = packed(date) if (date - first).days >= 7 else packed(first)
        bit = 1 << (weekday + 1) % 7  # Sunday is 0
        same = [r for r in rows if r[2] == held[weekday] and r[0] == begin]
        near = [r for r in rows[-5:] if r[2] == held[weekday] and not r[1] & bit and
                (date - datetime.date(r[0] // 10000, r[0] // 100 % 100, r[0] % 100)).days < 7]
        row = (same or near or [None])[0]
        if row:
            row[1] |= bit
        else:
            rows.append([begin, bit, held[weekday]])
    return rows


def look_up(rows, closed, days, date):
    """What the C code does."""
    if packed(date) in days:
        return days[packed(date)]
    if packed(date) in closed:
        return None
    bit, found = 1 << (date.weekday() + 1) % 7, None
    for begin, weekdays, hours in rows:
        if begin <= packed(date) and weekdays & bit:
            found = hours
    return found


def wrapped(items):
    lines, line = [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 98:
            lines.append(line)
            line = "   "
        line += " " + item + ","
    return "\n".join(lines + [line])


def write_table(name, first, last, zone, hours):
    regular = regular_hours(first, last, hours)
    rows = hours_rows(first, regular)
    dates = list(pd.date_range(first, last).date)
    days = {packed(d): h for d, h in hours.items() if look_up(rows, set(), {}, d) != h}
    closed = [packed(d) for d in dates if d not in hours and look_up(rows, set(), {}, d)]
    shut = set(closed)
    for date in dates:
        assert look_up(rows, shut, days, date) == hours.get(date), (name, date)
    low = name.lower()
    text = "/* SPDX-License-Identifier: Apache-2.0\n"
    text += f" * Made by tools/golden/calendars.py from exchange_calendars {exchange_calendars.__version__} "
    text += f"(Apache-2.0): {name},\n * {first} to {last}, {zone}. Coming years by the rules announced so far.\n"
    text += " * Minutes from local midnight: open, close, break. */\n// clang-format off\n"
    text += f"static const hours_row {low}_hours[] = {{\n"
    text += wrapped(f"{{{b}, {w}, {{{', '.join(map(str, h or (0, 0, 0, 0)))}}}}}" for b, w, h in rows)
    text += f"\n}};\nstatic const int32_t {low}_closed[] = {{\n" + wrapped(map(str, closed or [0]))
    text += f"\n}};\nstatic const day_row {low}_days[] = {{\n"
    text += wrapped(f"{{{d}, {{{', '.join(map(str, days[d]))}}}}}" for d in sorted(days)) \
        if days else "    {0, {0}},"
    text += "\n};\n// clang-format on\n"
    (ROOT / "src" / "market" / f"calendar_{low}.inc").write_text(text)
    print(f"{name}: {first} to {last}, {len(rows)} hours, {len(closed)} closed, {len(days)} days of their own")
    return regular


def write_golden(name, first, last, hours, instants, regular):
    """A sample of sessions and closed days, and sums over all."""
    rng = random.Random(name)
    dates = sorted(hours)
    odd = [d for d in dates if hours[d] != regular[d]]
    sample = set(rng.sample(odd, min(len(odd), 25))) | set(rng.sample(dates, 20))
    for begin in ((2024, 3, 6), (2024, 3, 28), (2024, 10, 24), (2024, 11, 1), (2024, 12, 23)):
        begin = datetime.date(*begin)
        sample |= {d for d in dates if 0 <= (d - begin).days < 5}
    out = [f'HY_SESSION("{name}", {(d - datetime.date(1970, 1, 1)).days}, '
           f"{', '.join(map(str, instants[d]))})" for d in sorted(sample)]
    weekdays = [d for d in pd.bdate_range(first, last).date if d not in hours]
    out += [f'HY_NO_SESSION("{name}", {(d - datetime.date(1970, 1, 1)).days})'
            for d in sorted(rng.sample(weekdays, min(len(weekdays), 8)))]
    day = datetime.date(1970, 1, 1)
    out.append(f'HY_SESSIONS("{name}", {(first - day).days}, {(last - day).days}, {len(dates)}, '
               + ", ".join(f"INT64_C({sum(instants[d][k] for d in dates)})" for k in range(4)) + ")")
    return out


def main():
    golden = []
    for name in sys.argv[1:] or NAMES:
        first, last, zone, hours, instants = read_sessions(name)
        regular = write_table(name, first, last, zone, hours)
        golden += write_golden(name, first, last, hours, instants, regular)
    if sys.argv[1:]:
        return
    folder = ROOT / "tests" / "golden" / "calendar"
    folder.mkdir(exist_ok=True)
    head = "/* SPDX-License-Identifier: Apache-2.0\n * Made by tools/golden/calendars.py: name, local date in " \
        "days since 1970, then open, close and break as UTC\n * seconds. */\n"
    (folder / "sessions.inc").write_text(head + "\n".join(golden) + "\n")
    (folder / "sessions.inc.origin").write_text(
        f"what: exchange_calendars, sessions as instants\n"
        f"versions: python {sys.version.split()[0]}, exchange_calendars {exchange_calendars.__version__}, "
        f"pandas {pd.__version__}\ncommand: python tools/golden/calendars.py\nlicence: Apache-2.0\n"
        "tolerance: exact\n")


if __name__ == "__main__":
    main()
