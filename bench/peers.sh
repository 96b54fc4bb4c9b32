#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job and the CSV reader beside their peers. The peers (pandas, pyarrow, TA-Lib, ONNX
# Runtime) come from PyPI into build/bench/venv; without them the bench says so and runs without.
set -eu
: "${HAYATE:?}" "${HAYATE_BUILD:?}"
work=build/bench
mkdir -p "$work"
if python=$(sh bench/peers/venv.sh); then
  exec python3 bench/run.py --hayate "$HAYATE" --build "$HAYATE_BUILD" --work "$work" \
    --peers "$python"
fi
echo "bench: the peers could not be installed, running without them" >&2
exec python3 bench/run.py --hayate "$HAYATE" --build "$HAYATE_BUILD" --work "$work"
