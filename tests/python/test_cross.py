# SPDX-License-Identifier: Apache-2.0
"""Every cross-section against pandas on days of real returns, in batch and from a stream."""
import pathlib

import numpy as np
import pytest

import hayate

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "feature"
CALLS = {call: file for file in sorted(GOLDEN.glob("cs.*.npz")) for call in np.load(file).files}
FIELDS = ("x", "vol", "price", "sector")


@pytest.fixture(scope="module")
def panel():
    given = np.load(GOLDEN / "cross_input.npz")
    out = {k: np.ascontiguousarray(given[k]) for k in FIELDS}
    days = (np.arange(len(out["x"])) + 1) * 86400 * 10**9
    return {"time": days, "symbol": given["symbol"].tolist(), **out}


def check(call, got):
    want = np.load(CALLS[call])[call]
    assert np.array_equal(np.isnan(got), np.isnan(want)), call
    scale = np.nanmax(np.abs(want), axis=1, keepdims=True, initial=1e-3)
    assert np.nanmax(np.abs(got - want) / scale) < 1e-12, call


@pytest.mark.parametrize("call", CALLS)
def test_batch_is_pandas(panel, call):
    check(call, hayate.Features(f"f = {call}").batch(panel)["f"])


def test_a_stream_is_pandas(panel):
    features = hayate.Features("; ".join(f"f{i} = {call}" for i, call in enumerate(CALLS)))
    stream = features.stream(panel["symbol"], fields=FIELDS)
    rows = [stream.update(int(t), {k: panel[k][i] for k in FIELDS})[0].copy()
            for i, t in enumerate(panel["time"])]
    for i, call in enumerate(CALLS):
        check(call, np.array(rows)[:, :, i])
