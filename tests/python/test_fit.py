# SPDX-License-Identifier: Apache-2.0
"""Fits in Python: a spec with its constants in batch and stream, and another one refused."""
import os
import subprocess

import numpy as np
import pytest

BUILD = os.environ["HAYATE_BUILD"]
import hayate

SPEC = "hayate_spec: 1\nfeatures: ['r = logret(close,1)']\nnorm: [{in: r, fit_z: {per: symbol}}]\n"


@pytest.fixture
def fitted(tmp_path):
    """A universe, a spec, and its fit on all rows."""
    command = [os.path.join(BUILD, "hayate")]
    u, spec, fit = tmp_path / "u.h5", tmp_path / "spec.yaml", tmp_path / "fit.json"
    spec.write_text(SPEC)
    subprocess.run(command + ["gen", "-o", u, "--symbols", "9", "--bars", "200"], check=True,
                   capture_output=True)
    subprocess.run(command + ["features", "fit", spec, "--data", u, "--from", "2000-01-01", "--to",
                              "2100-01-01", "-o", fit], check=True, capture_output=True)
    return str(u), str(spec), str(fit)


def test_values_have_mean_0_and_deviation_1(fitted):
    u, spec, fit = fitted
    features = hayate.Features(spec, fit=fit)
    assert len(features.fit_sha256) == 64
    r = features.batch(u)["r"]
    np.testing.assert_allclose(np.nanmean(r, axis=0), 0, atol=1e-13)
    np.testing.assert_allclose(np.nanstd(r, axis=0), 1, rtol=1e-12)


def test_a_fit_is_wanted_and_must_be_the_specs(fitted, tmp_path):
    u, spec, fit = fitted
    bare = hayate.Features(spec)
    assert bare.fit_sha256 == "" and hayate.Features("close").fit_sha256 is None
    with pytest.raises(hayate.Error, match="fit_z of r has no fit"):
        bare.batch(u)
    other = tmp_path / "other.yaml"
    other.write_text(SPEC.replace("close,1", "close,2"))
    with pytest.raises(hayate.Error, match="the fit is of spec"):
        hayate.Features(str(other), fit=fit)
    with pytest.raises(hayate.Error, match="has no step of one"):
        hayate.Features("close", fit=fit)
