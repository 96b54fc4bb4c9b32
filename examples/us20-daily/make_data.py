# SPDX-License-Identifier: Apache-2.0
"""Makes prices.csv from the skfolio wheel: `pip install --no-deps skfolio==1.12.2`.

The wheel's table is wide (a column a stock, 1990 to 2022); hayate reads the long form. The years
before 2000 are left out: prices are adjusted backwards and rounded to 0.001, which by then is a
large step for several stocks (AAPL stood at 0.264 in 1990).
"""
import csv
import gzip
import importlib.metadata
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
FIRST = "2000-01-03"

assert importlib.metadata.version("skfolio") == "1.12.2"
wheel = importlib.metadata.distribution("skfolio")
source = pathlib.Path(wheel.locate_file("skfolio/datasets/data/sp500_dataset.csv.gz"))
with gzip.open(source, "rt") as stream, open(HERE / "prices.csv", "w", newline="") as out:
    rows = csv.reader(stream)
    symbols = next(rows)[1:]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["date", "symbol", "close"])
    for date, *closes in rows:
        if date >= FIRST:
            writer.writerows((date, symbol, close) for symbol, close in zip(symbols, closes))
