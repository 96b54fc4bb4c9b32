#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Streams beside talipp: what one bar of one symbol costs there. TA-Lib's streams are in bench_stream.
set -eu
python=${HAYATE_PEERS:-build/bench/venv/bin/python}
if [ -x "$python" ] && "$python" -c 'import talipp' 2>/dev/null; then
  "$python" bench/peers/stream_talipp.py
else
  echo "bench: talipp is not beside it (HAYATE_PEERS names a Python that has it)" >&2
fi
