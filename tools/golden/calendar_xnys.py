# SPDX-License-Identifier: Apache-2.0
"""Prints src/market/calendar_xnys.inc: the weekdays on which the New York Stock Exchange stayed closed,
and those on which it closed early, from the package exchange_calendars (Apache-2.0), whose source is
the exchange's own notices. Usage: python calendar_xnys.py > src/market/calendar_xnys.inc"""
import datetime
import sys

import exchange_calendars
import pandas

FIRST, LAST = 1990, int(sys.argv[1]) if len(sys.argv) > 1 else 2035

calendar = exchange_calendars.get_calendar("XNYS", start=f"{FIRST}-01-01", end=f"{LAST}-12-31")
sessions = set(calendar.sessions.date)
closes = calendar.closes.dt.tz_convert("America/New_York")
opens = calendar.opens.dt.tz_convert("America/New_York")
print("/* SPDX-License-Identifier: Apache-2.0")
print(" * Made by tools/golden/calendar_xnys.py from exchange_calendars", exchange_calendars.__version__,
      "(Apache-2.0);")
print(f" * {FIRST} to {LAST}, future years by the rules announced so far. Not in the table: weekdays")
print(" * 09:30 to 16:00 New York. HY_CLOSED(y, m, d), HY_EARLY(y, m, d, close hour, minute). */")
print(f"HY_CALENDAR_YEARS({FIRST}, {LAST})")
for day in pandas.bdate_range(f"{FIRST}-01-01", f"{LAST}-12-31"):
    date = day.date()
    if date not in sessions:
        print(f"HY_CLOSED({date.year}, {date.month}, {date.day})")
        continue
    close = closes[day].time()
    if close != datetime.time(16, 0):
        print(f"HY_EARLY({date.year}, {date.month}, {date.day}, {close.hour}, {close.minute})")
