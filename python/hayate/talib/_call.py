# SPDX-License-Identifier: Apache-2.0
"""One call of a TA-Lib function: arrays in, a compiled spec over them, arrays out.

Scripts call these in loops on a few hundred bars, so a call costs few microseconds: the signature is
a real one, specs are compiled once per function and parameters, and arrays are handed over by their
addresses."""
import ctypes as c
import sys
import threading

import numpy as np

from .. import _layout, _library
from .._feature import Features
from .._library import LIB, P, SIZE, TEXT, Error, InvalidArgument, Options, call, texts

_COMPILED_MAX = 4096
_INTEGER_UNSET, _REAL_UNSET = -2 ** 31, -4e37  # TA-Lib's marks for "the default"
_F8 = np.dtype("f8")
_address, _at = c.addressof, c.c_char.from_buffer
_lock = threading.Lock()
_runtime = None
_times = np.arange(4096) * 10 ** 9  # no function asks for them, so any that increase will do
_compiled = {}  # (name, *parameters) -> _Compiled, oldest first


class InsufficientHistory(Exception):
    """TA-Lib's name, for scripts that catch it; nothing here raises it."""


class Series(Options):
    _fields_ = [("struct_size", SIZE), ("n_bars", SIZE), ("n_fields", SIZE),
                ("fields", c.POINTER(TEXT)), ("data", c.POINTER(P)), ("time_ns", P)]


class _Compiled:
    """The program of a function with its parameters."""

    def __init__(self, row, values):
        global _runtime
        if _runtime is None:
            _runtime = _library.Runtime(threads=1)
        self.features = Features(row.spec(values), _runtime)
        self.pointer = self.features._handle.pointer
        self.lookback = self.features.lookback_bars
        self.fields = texts(row.inputs)
        self.inputs, self.outputs = P * len(row.inputs), P * len(row.outputs)


def _compile(row, values, key):
    with _lock:
        found = _compiled.get(key)
        if found is None:
            try:
                found = _Compiled(row, values)
            except (Error, ValueError) as e:
                given = ", ".join(f"{k}={v}" for k, v in zip(row.defaults, values))
                raise InvalidArgument(f"{row.name}({given}): {getattr(e, 'message', e)}",
                                      "INVALID_ARGUMENT") from e
            if len(_compiled) >= _COMPILED_MAX:
                del _compiled[next(iter(_compiled))]
            _compiled[key] = found
    return found


def compiled(row, values):
    """The program for these parameters; made at the first use."""
    key = (row.name, *values)
    found = _compiled.get(key)
    return found if found is not None else _compile(row, values, key)


def parameter(row, key, value):
    default = row.defaults[key]
    if isinstance(default, int):
        if value == _INTEGER_UNSET:
            return default
        return value if type(value) is int else int(value)
    return default if value == _REAL_UNSET else float(value)


def address(array):
    try:
        return _address(_at(array))
    except (TypeError, ValueError):  # read-only; empty
        return array.ctypes.data


def _dense(array):
    array = np.ascontiguousarray(_layout.unmasked(array), dtype=_F8)
    if array.ndim != 1:
        raise Exception("input array has wrong dimensions")
    return array


def _begin(arrays):
    """The first row in which all have a value; their length if there is none."""
    known = ~np.isnan(arrays[0])
    for array in arrays[1:]:
        known &= ~np.isnan(array)
    return int(known.argmax()) if known.any() else len(known)


def _integers(values):
    values[np.isnan(values)] = 0
    return values.astype(np.int32)


def _finish(row, program, outs, begin, values):
    """What TA-Lib gives in place of a missing value."""
    if row.note == "zero":
        for out in outs:
            behind = out[begin + program.lookback:]
            behind[np.isnan(behind)] = 0.0
        return outs
    if row.note == "index":
        first = np.arange(len(outs[0])) - values[0]
        return [_integers(out + first) for out in outs]
    return [_integers(out) if row.note in ("integer", f"integer({name})") else out
            for name, out in zip(row.outputs, outs)]


def _times_of(n):
    global _times
    if len(_times) < n:
        _times = np.arange(2 * n) * 10 ** 9
    return _times


def compute(row, arrays, values):
    """Arrays (f8, one dimension, dense) -> a list of arrays."""
    n = len(arrays[0])
    begin = 0
    for array in arrays:
        if len(array) != n:
            raise Exception("input array lengths are different")
        if n and array[0] != array[0]:
            begin = -1
    if begin < 0:
        begin = _begin(arrays)
    outs = [np.empty(n) for _ in row.outputs]
    ins, to = arrays, outs
    if begin:
        for out in outs:
            out[:begin] = np.nan
        ins, to = [a[begin:] for a in arrays], [out[begin:] for out in outs]
    if row.note == "numpy":
        with np.errstate(all="ignore"):
            getattr(np, row.function)(*ins, out=to[0])
        return outs
    program = compiled(row, values)
    if begin < n:
        times = _times_of(n)  # ours until the call is done, whoever makes a longer one meanwhile
        data = program.inputs(*[address(a) for a in ins])
        answers = program.outputs(*[address(out) for out in to])
        series = Series(n_bars=n - begin, n_fields=len(ins), fields=program.fields, data=data,
                        time_ns=address(times))
        call(LIB.hy_features_compute_series, program.pointer, c.byref(series), answers)
    return _finish(row, program, outs, begin, values) if row.note else outs


def _kind(value):
    """The package of a Series, or None."""
    for package in ("pandas", "polars"):
        module = sys.modules.get(package)
        if module is not None and isinstance(value, module.Series):
            return package
    return None


def _foreign(row, given, values):
    """Series, lists, other number types, strides."""
    kinds = [_kind(value) for value in given]
    if "pandas" in kinds and "polars" in kinds:
        raise Exception("Cannot mix polars and pandas")
    arrays = [_dense(value.to_numpy() if kind else value) for value, kind in zip(given, kinds)]
    outs = compute(row, arrays, values)
    if "pandas" in kinds:
        index = given[kinds.index("pandas")].index
        return [sys.modules["pandas"].Series(out, index=index) for out in outs]
    if "polars" in kinds:
        return [sys.modules["polars"].Series(out) for out in outs]
    return outs


def run(row, given, *values):
    """What a function answers: an array, or a tuple of them."""
    plain = True
    for array in given:
        plain &= (type(array) is np.ndarray and array.dtype is _F8 and array.ndim == 1
                  and array.flags.c_contiguous)
    values = [parameter(row, key, value) for key, value in zip(row.defaults, values)]
    outs = compute(row, given, values) if plain else _foreign(row, given, values)
    return outs[0] if len(outs) == 1 else tuple(outs)


def function(row):
    """The Python function of a row, with TA-Lib's signature."""
    parameters = [f"{key}={value!r}" for key, value in row.defaults.items()]
    signature = ", ".join(row.inputs + parameters)
    names = "".join(f", {key}" for key in row.defaults)
    scope = {"run": run, "row": row}
    exec(f"def {row.name}({signature}):\n return run(row, ({', '.join(row.inputs)},){names})", scope)
    made = scope[row.name]
    made.__module__ = "hayate.talib"
    made.__doc__ = f"{row.name}({signature}) -> {', '.join(row.outputs)}\n\n{row.group}."
    return made
