#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Alpha158 beside pandas, polars and KunQuant, whose packages come from PyPI into build/bench/venv;
# without the first two nothing is measured and the bench says so.
set -eu
: "${HAYATE:?}"
if ! python=$(sh bench/peers/venv.sh); then
  echo "bench: the peers could not be installed: Alpha158 is not measured" >&2
  exit 0
fi
for threads in 1 2; do
  HAYATE_LIBRARY=${HAYATE%/*}/libhayate.so "$python" bench/bench_alpha158.py --threads $threads ||
    echo "bench: Alpha158 on $threads threads was not measured" >&2
done
