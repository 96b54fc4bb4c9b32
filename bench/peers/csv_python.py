# SPDX-License-Identifier: Apache-2.0
"""How fast pandas' C reader and pyarrow parse a long CSV of bars.

    python csv_python.py FILE [--repeat 3]

FILE has a time column, a symbol column and numbers. Prints one JSON object: MB/s of the file's
bytes on one core, for pandas (times left as text, and parsed), and for pyarrow with one thread
and with two.
"""
import argparse
import json
import os
import time

import pandas as pd
import pyarrow as pa
import pyarrow.csv


def rate(path, repeat, parse):
    best = min(timed(parse, path) for _ in range(repeat))
    return os.path.getsize(path) / 1e6 / best


def timed(parse, path):
    began = time.perf_counter()
    parse(path)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--repeat", type=int, default=3)
    args = parser.parse_args()
    first = pd.read_csv(args.file, nrows=1).columns[0]

    def arrow(threads):
        pa.set_cpu_count(max(threads, 1))
        options = pyarrow.csv.ReadOptions(use_threads=threads > 1)
        return lambda path: pyarrow.csv.read_csv(path, read_options=options)

    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    one = {
        "pandas_text_mb_per_s": rate(args.file, args.repeat, pd.read_csv),
        "pandas_mb_per_s": rate(args.file, args.repeat,
                                lambda path: pd.read_csv(path, parse_dates=[first])),
        "pyarrow_mb_per_s": rate(args.file, args.repeat, arrow(1))}
    os.sched_setaffinity(0, everywhere)
    print(json.dumps({
        **one, "file_bytes": os.path.getsize(args.file),
        "pyarrow_two_threads_mb_per_s": rate(args.file, args.repeat, arrow(2)),
        "pandas": pd.__version__, "pyarrow": pa.__version__}))


if __name__ == "__main__":
    main()
