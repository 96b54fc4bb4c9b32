# SPDX-License-Identifier: Apache-2.0
"""One call of a TA-Lib function: arrays in, a compiled spec over them, arrays out.

Scripts call these in loops on a few hundred bars, so what a call costs beside the arithmetic counts
in tenths of a microsecond. Each function is made with its real signature and a short way in front:
where its program is compiled and its arrays are plain, one call of the library with their addresses
is all there is. Anything else goes the long way, which ends in the same call."""
import ctypes as c
import os
import sys
import threading

import numpy as np

from .. import _layout, _library
from .._feature import Features
from .._library import (LIB, P, SIZE, TEXT, Error, Handle, InvalidArgument, Options, Unsupported,
                        call, texts)

_COMPILED_MAX = 4096
_BARS_MAX = 2 ** 31
_INTEGER_UNSET, _REAL_UNSET = -2 ** 31, -4e37  # TA-Lib's marks for "the default"
_F8, _I4 = np.dtype("f8"), np.dtype("i4")
_ANSWERS = {"": 0, "zero": 1, "integer": 2, "index": 3}
try:
    _call_run = LIB.hy_feature_call_run
except Unsupported:  # refused where a program is compiled
    _call_run = None
_lock = threading.Lock()
_runtime = None
_compiled = {}  # (name, *parameters) -> _Compiled, oldest first
# An empty array of bytes over an array's memory: what ctypes hands over as its address. A TypeError
# where the array is read-only.
_memory = (c.c_char * 0).from_buffer


def _in_child():
    """A fork copies a lock as it is; whoever held it is not in the child."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_in_child)


class InsufficientHistory(Exception):
    """TA-Lib's name, for scripts that catch it; nothing here raises it."""


class CallOptions(Options):
    _fields_ = [("struct_size", SIZE), ("fields", c.POINTER(TEXT)), ("n_fields", SIZE),
                ("answers", c.POINTER(c.c_int)), ("window_bars", SIZE)]


def _answers(row):
    """How each output is given out: hy_answer."""
    return [_ANSWERS["integer" if row.note == f"integer({name})" else
                     "" if row.note.startswith("integer(") else row.note] for name in row.outputs]


class _Compiled:
    """The program of a function with its parameters, bound to the function's inputs."""

    __slots__ = ("features", "handle", "pointer", "lookback")

    def __init__(self, row, values):
        global _runtime
        if _runtime is None:
            _runtime = _library.Runtime(threads=1)
        self.features = Features(row.spec(values), _runtime)
        self.lookback = self.features.lookback_bars
        answers = _answers(row)
        options = CallOptions(fields=texts(row.inputs), n_fields=len(row.inputs),
                              answers=(c.c_int * len(answers))(*answers),
                              window_bars=values[0] if row.note == "index" else 0)
        self.handle = Handle(LIB.hy_feature_call_destroy, self.features._handle)
        self.pointer = self.handle.pointer
        call(LIB.hy_feature_call_create, self.features._handle.pointer, c.byref(options),
             c.byref(self.pointer))


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


def _by_numpy(row, arrays):
    """A function of NumPy's, from the first row on in which all have a value."""
    out = np.empty(len(arrays[0]))
    begin = _begin(arrays) if len(out) and any(a[0] != a[0] for a in arrays) else 0
    out[:begin] = np.nan
    with np.errstate(all="ignore"):
        getattr(np, row.function)(*[a[begin:] for a in arrays], out=out[begin:])
    return [out]


def compute(row, arrays, values):
    """Arrays (f8, one dimension, dense) -> a list of arrays."""
    n = len(arrays[0])
    for array in arrays:
        if len(array) != n:
            raise Exception("input array lengths are different")
    if n >= _BARS_MAX:
        raise Exception(f"input arrays of {n} values are longer than {_BARS_MAX - 1}")
    if row.note == "numpy":
        return _by_numpy(row, arrays)
    program = compiled(row, values)
    outs = [np.empty(n, _I4 if kind > 1 else _F8) for kind in _answers(row)]
    error = _library.CError()
    pointers = [P(array.ctypes.data) for array in (*arrays, *outs)]
    status = _call_run(program.pointer, n, c.byref(error), *pointers)
    if status:
        error.status = status
        raise _library.error_of(error)
    return outs


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
    """What a function answers, the long way: an array, or a tuple of them."""
    plain = True
    for array in given:
        plain &= (type(array) is np.ndarray and array.dtype is _F8 and array.ndim == 1
                  and array.flags.c_contiguous)
    values = [parameter(row, key, value) for key, value in zip(row.defaults, values)]
    outs = compute(row, given, values) if plain else _foreign(row, given, values)
    return outs[0] if len(outs) == 1 else tuple(outs)


_SHORT = """\
def {name}({signature}):
 try:
  program = find(({key}))
  if program is not None and {plain}:
   n = len({first})
   if {lengths}n < bars_max:
    {outs} = {empty}
    if not compute(program.pointer, n, None, {arrays}, {results}):
     return {outs}
 except TypeError:
  pass
 return run(row, ({inputs},), {given})
"""


def _short(row, signature):
    """The source of a function: the short way, for programs that are there and plain arrays."""
    first, names = row.inputs[0], [f"out{k}" for k in range(len(row.outputs))]
    plain = [f"type({a}) is ndarray and {a}.dtype is F8 and {a}.ndim == 1 and "
             f"{a}.flags.c_contiguous" for a in row.inputs]
    empty = ["empty(n, I4)" if kind > 1 else "empty(n)" for kind in _answers(row)]
    return _SHORT.format(
        name=row.name, signature=signature, key=", ".join([repr(row.name), *row.defaults, ""]),
        plain=" and ".join(plain), first=first,
        lengths="".join(f"len({a}) == n and " for a in row.inputs[1:]),
        outs=", ".join(names), empty=", ".join(empty),
        arrays=", ".join(f"memory({a})" for a in row.inputs),
        results=", ".join(f"memory({a})" for a in names),
        inputs=", ".join(row.inputs), given=", ".join(row.defaults))


def function(row):
    """The Python function of a row, with TA-Lib's signature."""
    parameters = [f"{key}={value!r}" for key, value in row.defaults.items()]
    signature = ", ".join(row.inputs + parameters)
    if row.note == "numpy":
        source = f"def {row.name}({signature}):\n return run(row, ({', '.join(row.inputs)},))"
    else:
        source = _short(row, signature)
    scope = {"run": run, "row": row, "find": _compiled.get, "compute": _call_run,
             "memory": _memory, "empty": np.empty, "ndarray": np.ndarray, "F8": _F8, "I4": _I4,
             "bars_max": _BARS_MAX}
    exec(source, scope)
    made = scope[row.name]
    made.__module__ = "hayate.talib"
    made.__doc__ = f"{row.name}({signature}) -> {', '.join(row.outputs)}\n\n{row.group}."
    return made
