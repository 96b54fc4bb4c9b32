# SPDX-License-Identifier: Apache-2.0
"""Prints the path of the C core's shared object inside TA-Lib's wheel, for bench_features."""
import importlib.util
import pathlib
import sys

found = importlib.util.find_spec("talib")
if found is None:
    sys.exit("TA-Lib is not installed")
site = pathlib.Path(found.origin).resolve().parents[1]
paths = sorted(site.glob("ta_lib.libs/libta-lib*.so*"))
if not paths:
    sys.exit(f"no shared object of TA-Lib under {site}")
print(paths[0])
