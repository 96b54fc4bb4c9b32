#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Streams beside talipp: what one bar of one symbol costs there through those of the thirty
# definitions that it has, over what all thirty cost in bench_stream, which ran before (tools/bench).
set -eu
python=${HAYATE_PEERS:-build/bench/venv/bin/python}
ours=build/bench/bench_stream.txt
if [ -x "$python" ] && "$python" -c 'import talipp' 2>/dev/null; then
  theirs=$("$python" bench/peers/stream_talipp.py)
  echo "$theirs"
  [ ! -e "$ours" ] || sed -n 's/^a bar of one symbol of them: \([0-9.]*\) us$/\1/p' "$ours" |
    while read -r us; do
      echo "$theirs" | awk -F'"bar_us": ' -v us="$us" '{
        split($2, part, ","); ratio = part[1] / us
        printf "bar: %-64s %9.1f   >= 100       %s\n", "a bar of one symbol, times talipp", ratio,
          (ratio >= 100 ? "met" : "not met")
      }'
    done
else
  echo "bench: talipp is not beside it (HAYATE_PEERS names a Python that has it)" >&2
fi
