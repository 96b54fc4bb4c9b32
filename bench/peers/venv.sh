#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the Python that has the peers: the one that HAYATE_PEERS names, else build/bench/venv, made
# here from PyPI's packages. Exit status 1, and nothing printed, where they cannot be installed.
set -eu
python=${HAYATE_PEERS:-build/bench/venv/bin/python}
if [ ! -x "$python" ]; then
  python=build/bench/venv/bin/python
  python3 -m venv build/bench/venv >&2 || true
  if ! "$python" -m pip install -q -r bench/peers/requirements.txt >&2; then
    rm -rf build/bench/venv
    exit 1
  fi
  # it has packages for few versions of Python
  "$python" -m pip install -q KunQuant==0.1.12 >&2 || true
fi
echo "$python"
