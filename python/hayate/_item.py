# SPDX-License-Identifier: Apache-2.0
"""Values that are no tensors: a list of arrays is a sequence, None an optional without a value."""
import ctypes as c
import re

import numpy as np

from ._library import LIB, SIZE, Tensor, call
from ._tensor import TYPES, array_of, dtype_name, view
from ._value import ONNX_NAMES

_NONE, _TENSOR, _SEQUENCE = 0, 1, 2
_TYPES = {ONNX_NAMES.get(dtype_name(code)): dtype for code, dtype in TYPES.items()}


class Value(c.Structure):
    pass


Value._fields_ = [("kind", c.c_int), ("tensor", Tensor), ("items", c.POINTER(Value)),
                  ("n_items", SIZE)]


def needed(inputs, outputs):
    """Do these ports (of hy_port) take or give what is no tensor?"""
    return any(not port.dtype for port in inputs) or any(
        not port.dtype and not port.labels.data for port in outputs)


def element_dtype(port):
    """The NumPy type of what a sequence or optional holds, None where it is not known."""
    found = re.search(rb"tensor\((\w+)\)", port.type or b"")
    return _TYPES.get(found.group(1).decode()) if found else None


def _fill(value, given, sequence, dtype=None):
    if given is None:
        value.kind = _NONE
        return None
    if not sequence or not isinstance(given, (list, tuple)):
        value.kind = _TENSOR
        if dtype is not None and not hasattr(given, "dtype"):
            given = np.asarray(given, dtype)
        return view(value.tensor, given)
    value.kind = _SEQUENCE
    items = (Value * max(len(given), 1))()
    keep = [_fill(item, element, False, dtype) for item, element in zip(items, given)]
    value.items, value.n_items = items, len(given)
    return items, keep


def _object(value, owner):
    if value.kind == _NONE:
        return None
    if value.kind == _SEQUENCE:
        return [_object(value.items[k], owner) for k in range(value.n_items)]
    return np.array(array_of(value.tensor, owner))


def run(handle, ports, values, n_out):
    """`values` in the order of `ports` through the session -> arrays, lists of arrays, None."""
    given, made = (Value * max(len(values), 1))(), (Value * max(n_out, 1))()
    keep = [_fill(item, value, not port.dtype, element_dtype(port))
            for item, value, port in zip(given, values, ports)]
    call(LIB.hy_session_run_values, handle.pointer, given, SIZE(len(values)), made, SIZE(n_out))
    del keep
    return [_object(item, handle) for item in made[:n_out]]
