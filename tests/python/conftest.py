# SPDX-License-Identifier: Apache-2.0
"""The module under test: this tree's, over the library of the build at hand."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
os.environ["HAYATE_LIBRARY"] = os.path.join(os.environ["HAYATE_BUILD"], "libhayate.so")

if os.environ.get("HAYATE_SANITIZE"):
    class Nothing(pytest.Module):
        """A sanitizer's run-time library cannot be loaded into a running Python."""

        def collect(self):
            return []

    def pytest_pycollect_makemodule(module_path, parent):
        return Nothing.from_parent(parent, path=module_path)
