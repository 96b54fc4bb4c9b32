# SPDX-License-Identifier: Apache-2.0
"""Where scripts for onnxruntime find its exceptions."""
from . import onnxruntime_pybind11_state  # noqa: F401
