# SPDX-License-Identifier: Apache-2.0
"""Makes EURUSD.csv from the gym-anytrading wheel: `pip install --no-deps gym-anytrading==2.0.0`.

The wheel's times are dd.mm.yyyy and say no zone. They are UTC and stand at the bar's open: the
first bar of a week is stamped 22:00 in winter and 21:00 in summer, when the FX week opens at
17:00 in New York, and the last one an hour before it closes. Here they are ISO 8601.
"""
import csv
import datetime
import importlib.metadata
import pathlib

HERE = pathlib.Path(__file__).resolve().parent

assert importlib.metadata.version("gym-anytrading") == "2.0.0"
wheel = importlib.metadata.distribution("gym-anytrading")
source = wheel.locate_file("gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv")
with open(source) as stream, open(HERE / "EURUSD.csv", "w", newline="") as out:
    rows = csv.reader(stream)
    next(rows)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", "open", "high", "low", "close", "volume"])
    for stamp, *values in rows:
        time = datetime.datetime.strptime(stamp, "%d.%m.%Y %H:%M:%S.%f")
        writer.writerow([time.strftime("%Y-%m-%dT%H:%M:%SZ")] + values)
