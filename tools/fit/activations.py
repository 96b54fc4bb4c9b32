#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the coefficients of src/kernel/simd/math_f32.h and their error in units of 2^-24.

Minimax fits in relative error by Lawson's reweighted least squares on Chebyshev nodes: odd quotients
x p(x^2) / q(x^2) for tanh and erf, and p of e^r = 1 + r + r^2 p(r) for exp. Needs NumPy.
"""
import math

import numpy as np

NODES, ROUNDS = 4000, 60


def nodes(low, high):
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)


def lawson(solve):
    """The best of ROUNDS weighted solutions; solve(weights) gives (errors, solution)."""
    weights, best = np.ones(NODES), (math.inf, None)
    for _ in range(ROUNDS):
        errors, solution = solve(weights)
        worst = errors.max()
        if worst < best[0]:
            best = (worst, solution)
        weights = weights * (errors / worst + 1e-3)
        weights /= weights.mean()
    return best


def quotient(function, high, p_degree, q_degree):
    x = nodes(1e-6, high)
    y = np.array([function(float(v)) / float(v) for v in x])
    u, scale = x * x / high ** 2, high ** 2
    state = {"q": np.ones(NODES)}

    def solve(weights):
        left = np.vander(u, p_degree + 1, increasing=True) / y[:, None]
        right = -np.vander(u, q_degree + 1, increasing=True)[:, 1:]
        w = np.sqrt(weights) / state["q"]
        found = np.linalg.lstsq(np.hstack([left, right]) * w[:, None], w, rcond=None)[0]
        p, q = found[:p_degree + 1], np.concatenate([[1], found[p_degree + 1:]])
        state["q"] = np.polyval(q[::-1], u)
        return np.abs(np.polyval(p[::-1], u) / state["q"] / y - 1), (p, q)

    worst, (p, q) = lawson(solve)
    return worst, p / scale ** np.arange(p_degree + 1), q / scale ** np.arange(q_degree + 1)


def exponential(degree):
    r = nodes(-math.log(2) / 2 * 1.01, math.log(2) / 2 * 1.01)
    y = np.where(np.abs(r) < 1e-3, 0.5 + r / 6 + r * r / 24,
                 (np.exp(r) - 1 - r) / np.where(r == 0, 1, r * r))
    weight = r * r / np.exp(r)
    powers = np.vander(r, degree + 1, increasing=True)

    def solve(weights):
        w = np.sqrt(weights) * weight
        p = np.linalg.lstsq(powers * w[:, None], y * w, rcond=None)[0]
        return np.abs((powers @ p - y) * weight), p

    return lawson(solve)


def show(name, error, *lists):
    print(f"{name}: error {error * 2 ** 24:.3f} x 2^-24")
    for values in lists:
        print("  " + ", ".join(f"{float(np.float32(v)):.9g}" for v in values))


if __name__ == "__main__":
    show("tanh to 9.02, p and q", *quotient(np.tanh, 9.02, 4, 4))
    show("erf to 3.92, p and q", *quotient(math.erf, 3.92, 5, 5))
    show("exp, p", *exponential(4))
