#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Alpha158 beside pandas, polars and KunQuant, whose packages come from PyPI into build/bench/venv;
# without the first two nothing is measured and the bench says so.
set -eu
: "${HAYATE:?}"
work=build/bench
mkdir -p "$work"
python=${HAYATE_PEERS:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv" || true
  if ! "$work/venv/bin/python" -m pip install -q -r bench/peers/requirements.txt; then
    echo "bench: the peers could not be installed: Alpha158 is not measured" >&2
    rm -rf "$work/venv"
    exit 0
  fi
  # it has packages for few versions of Python
  "$work/venv/bin/python" -m pip install -q KunQuant==0.1.12 || true
fi
for threads in 1 2; do
  HAYATE_LIBRARY=${HAYATE%/*}/libhayate.so "$python" bench/bench_alpha158.py --threads $threads ||
    echo "bench: Alpha158 on $threads threads was not measured" >&2
done
