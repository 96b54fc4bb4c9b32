#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job and the CSV reader beside their peers. The peers (pandas, pyarrow, TA-Lib, ONNX
# Runtime) come from PyPI into build/bench/venv; without them the bench says so and runs without.
set -eu
: "${HAYATE:?}" "${HAYATE_BUILD:?}"
work=build/bench
mkdir -p "$work"
python=${HAYATE_PEERS:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv" || true
  if ! "$work/venv/bin/python" -m pip install -q -r bench/peers/requirements.txt; then
    echo "bench: the peers could not be installed, running without them" >&2
    rm -rf "$work/venv"
  fi
fi
if [ -x "$python" ]; then
  exec python3 bench/run.py --hayate "$HAYATE" --build "$HAYATE_BUILD" --work "$work" \
    --peers "$python"
fi
exec python3 bench/run.py --hayate "$HAYATE" --build "$HAYATE_BUILD" --work "$work"
