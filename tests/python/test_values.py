# SPDX-License-Identifier: Apache-2.0
"""Sequences and optionals in Python: lists of arrays, None."""
import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate

FOLDER = ROOT / "tests" / "golden" / "onnx_op" / "Sequences_17"
MODEL = str(FOLDER / "model.onnx")


@pytest.fixture
def feeds():
    return dict(np.load(FOLDER / "input.npz"))


def test_sequence_comes_as_a_list(feeds):
    session = hayate.Session(MODEL, outputs=["list", "length", "parts"])
    for n in (4, 0, 2):
        feeds["n"] = np.array(n)
        answers = session.run(feeds)
        assert [a.shape for a in answers["list"]] == [(3,)] * n
        for k, array in enumerate(answers["list"]):
            np.testing.assert_array_equal(array, feeds["v"] * np.float32(k))
        assert answers["length"] == n
        assert [a.shape for a in answers["parts"]] == [(2, 2), (2, 2), (2, 1)]


def test_same_through_inference_session(feeds):
    session = hayate.InferenceSession(MODEL)
    expect = np.load(FOLDER / "expect.npz")
    for arg, answer in zip(session.get_outputs(), session.run(None, feeds)):
        np.testing.assert_allclose(answer, expect[arg.name], rtol=1e-6)
