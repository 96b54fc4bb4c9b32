#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The families of models beside ONNX Runtime and OpenVINO, whose packages come from PyPI into
# build/bench/venv; without them there are no models to measure and the bench says so.
set -eu
: "${HAYATE:?}"
work=build/bench
mkdir -p "$work"
python=${HAYATE_PEERS:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv" || true
  if ! "$work/venv/bin/python" -m pip install -q -r bench/peers/requirements.txt; then
    echo "bench: the peers could not be installed: no models are measured" >&2
    rm -rf "$work/venv"
    exit 0
  fi
fi
exec python3 bench/bench_models.py --hayate "$HAYATE" --work "$work" --peers "$python"
