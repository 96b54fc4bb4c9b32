#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Forests, and the families of models beside ONNX Runtime and OpenVINO, whose packages come from
# PyPI into build/bench/venv; without them there are no models to measure and the bench says so.
set -eu
: "${HAYATE:?}"
work=build/bench
mkdir -p "$work"
if ! python=$(sh bench/peers/venv.sh); then
  echo "bench: the peers could not be installed: no models are measured" >&2
  exit 0
fi
rm -f "$work/trees.md"
for isa in avx2 avx512; do
  HAYATE_ISA=$isa HAYATE_LIBRARY=${HAYATE%/*}/libhayate.so \
    "$python" bench/bench_trees.py --work "$work" --out "$work/trees.md" ||
    echo "bench: the forests at $isa were not measured" >&2
done
exec python3 bench/bench_models.py --hayate "$HAYATE" --work "$work" --peers "$python"
