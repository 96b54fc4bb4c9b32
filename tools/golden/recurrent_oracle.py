# SPDX-License-Identifier: Apache-2.0
"""LSTM, GRU and RNN with every attribute, in doubles, one step after the other: the answers for
what neither ONNX Runtime nor onnx's reference evaluator does. A row of no steps has zero states, as
in ONNX Runtime."""
import numpy as np

ACTS = {
    "sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), None, None),
    "tanh": (lambda x, a, b: np.tanh(x), None, None),
    "relu": (lambda x, a, b: np.maximum(x, 0), None, None),
    "affine": (lambda x, a, b: a * x + b, 1.0, 0.0),
    "leakyrelu": (lambda x, a, b: np.where(x < 0, a * x, x), 0.01, None),
    "thresholdedrelu": (lambda x, a, b: np.where(x >= a, x, 0), 1.0, None),
    "scaledtanh": (lambda x, a, b: a * np.tanh(b * x), 1.0, 1.0),
    "hardsigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), 0.2, 0.5),
    "elu": (lambda x, a, b: np.where(x < 0, a * np.expm1(x), x), 1.0, None),
    "softsign": (lambda x, a, b: x / (1 + np.abs(x)), None, None),
    "softplus": (lambda x, a, b: np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0), None, None),
}
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def functions(op, attrs, directions):
    """Per direction its functions; alpha and beta go to those that take one, in order."""
    names = attrs.get("activations") or DEFAULTS[op] * directions
    alphas, betas = iter(attrs.get("activation_alpha", [])), iter(attrs.get("activation_beta", []))
    made = []
    for name in names:
        fn, a, b = ACTS[name.lower()]
        a = a if a is None else float(np.float32(next(alphas, a)))
        b = b if b is None else float(np.float32(next(betas, b)))
        made.append(lambda x, fn=fn, a=a, b=b: fn(x, a, b))
    n = len(DEFAULTS[op])
    return [made[d * n:(d + 1) * n] for d in range(directions)]


def lstm_step(x, h, c, w, r, b, p, f, attrs, clip):
    n = h.size
    i, o, g, k = np.split(w @ x + r @ h + b[:4 * n] + b[4 * n:], 4)
    p_i, p_o, p_f = np.split(p, 3)
    i = f[0](clip(i + p_i * c))
    forget = 1 - i if attrs.get("input_forget") else f[0](clip(g + p_f * c))
    c = forget * c + i * f[1](clip(k))
    return f[0](clip(o + p_o * c)) * f[2](c), c


def gru_step(x, h, w, r, b, f, attrs, clip):
    wz, wr, wh = np.split(w @ x + b[:b.size // 2], 3)
    rz, rr, rh = np.split(r, 3)
    bz, br, bh = np.split(b[b.size // 2:], 3)
    z, reset = f[0](clip(wz + rz @ h + bz)), f[0](clip(wr + rr @ h + br))
    part = reset * (rh @ h + bh) if attrs.get("linear_before_reset") else rh @ (reset * h) + bh
    return (1 - z) * f[1](clip(wh + part)) + z * h


def answers(op, inputs, attrs):
    """[Y, Y_h(, Y_c)] of one node; inputs: X W R B sequence_lens initial_h (initial_c P)."""
    x, w, r, b, lens, h0, c0, p = (list(inputs) + [None] * 8)[:8]
    dtype, (dirs, _, n) = x.dtype, r.shape
    layout, bound = attrs.get("layout", 0), attrs.get("clip", 0)
    bound = float(np.float32(bound))
    if layout:
        x, h0, c0 = (a if a is None else a.swapaxes(0, 1) for a in (x, h0, c0))
    steps, batch, _ = x.shape
    x, w, r = (a.astype(np.float64) for a in (x, w, r))
    b = np.zeros((dirs, 2 * GATES[op] * n)) if b is None else b.astype(np.float64)
    p = np.zeros((dirs, 3 * n)) if p is None else p.astype(np.float64)
    y = np.zeros((steps, dirs, batch, n))
    state = [np.zeros((dirs, batch, n)), np.zeros((dirs, batch, n))]
    fns = functions(op, attrs, dirs)

    def clip(v):
        return np.clip(v, -bound, bound) if bound else v

    for d, row in np.ndindex(dirs, batch):
        length = steps if lens is None else int(lens[row])
        h = np.zeros(n) if h0 is None else h0[d, row].astype(np.float64)
        c = np.zeros(n) if c0 is None else c0[d, row].astype(np.float64)
        times = range(length)
        if d == 1 or attrs.get("direction") == "reverse":
            times = reversed(times)
        for t in times:
            if op == "LSTM":
                h, c = lstm_step(x[t, row], h, c, w[d], r[d], b[d], p[d], fns[d], attrs, clip)
            elif op == "GRU":
                h = gru_step(x[t, row], h, w[d], r[d], b[d], fns[d], attrs, clip)
            else:
                h = fns[d][0](clip(w[d] @ x[t, row] + r[d] @ h + b[d, :n] + b[d, n:]))
            y[t, d, row] = h
        if length:
            state[0][d, row], state[1][d, row] = h, c
    if layout:
        y, state = y.transpose(2, 0, 1, 3), [s.swapaxes(0, 1) for s in state]
    return [v.astype(dtype) for v in [y, *state[:2 if op == "LSTM" else 1]]]
