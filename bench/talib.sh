#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hayate.talib beside TA-Lib's own Python functions, whose package comes from PyPI (HAYATE_PEERS
# names a Python that has it); without it hayate is measured alone.
set -eu
: "${HAYATE:?}"
python=${HAYATE_PEERS:-build/bench/venv/bin/python}
[ -x "$python" ] || python=python3
HAYATE_LIBRARY=${HAYATE%/*}/libhayate.so "$python" bench/bench_talib.py
