#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes src/base/number_powers.inc: 10^q for q in [-342, 324] as 128 significant bits.

Each row is floor(10^q / 2^e), the ceiling for q in [-27, -1], with e such that
2^127 <= row < 2^128: what D. Lemire, "Number parsing at a gigabyte per second" (2021) asks for;
R. Giulietti's shortest formatting ("The Schubfach way to render doubles", 2020) wants the ceiling
throughout, one more for the others that are not exact."""
import sys

FIRST, LAST = -342, 324


def row(q):
    if q >= 0:
        n = 10**q
        shift = n.bit_length() - 128
        return n >> shift if shift >= 0 else n << -shift
    d = 10**-q
    shift = 127 + d.bit_length()
    if (1 << shift) // d >> 128:
        shift -= 1
    return (1 << shift) // d + (q >= -27)


out = ["/* SPDX-License-Identifier: Apache-2.0",
       " * 128 bits of 10^q, q from -342 to 324, high half first. Made by "
       "tools/number_powers.py. */"]
for q in range(FIRST, LAST + 1):
    value = row(q)
    out.append("{0x%016xu, 0x%016xu}," % (value >> 64, value & (2**64 - 1)))
sys.stdout.write("\n".join(out) + "\n")
