#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The thirty definitions in batch beside KunQuant, which compiles its side with g++; its package comes
# from PyPI (alpha158.sh, which runs before, or HAYATE_PEERS names a Python that has it).
set -eu
: "${HAYATE:?}"
python=${HAYATE_PEERS:-build/bench/venv/bin/python}
if [ -x "$python" ] && "$python" -c 'import KunQuant' 2>/dev/null && command -v g++ >/dev/null; then
  HAYATE_LIBRARY=${HAYATE%/*}/libhayate.so "$python" bench/bench_kunquant.py ||
    echo "bench: KunQuant was not measured in batch" >&2
else
  echo "bench: KunQuant is not beside it (HAYATE_PEERS names a Python that has it; g++)" >&2
fi
