# SPDX-License-Identifier: Apache-2.0
"""TA-Lib's abstract interface: `Function("rsi")(inputs, timeperiod=14)`, where inputs are a dict of
arrays or a pandas or polars DataFrame with columns open, high, low, close, volume."""
import sys
import threading

from .._talib_table import ROWS
from . import _call


def _package(value, name):
    """The pandas or polars that `value` is a `name` of, or None."""
    for package in ("pandas", "polars"):
        module = sys.modules.get(package)
        if module is not None and isinstance(value, getattr(module, name)):
            return module
    return None


def _is_inputs(value):
    return isinstance(value, dict) or _package(value, "DataFrame") is not None


def _default_inputs(row):
    """TA-Lib's names for a function's inputs -> the column, or list of columns, that each reads."""
    if row.inputs == ["real0", "real1"]:
        return {"price0": "high", "price1": "low"}
    names = {"price": "close"} if "real" in row.inputs else {}
    if "periods" in row.inputs:
        return {**names, "periods": "periods"}
    rest = [name for name in row.inputs if name != "real"]
    return {**names, "prices": rest} if rest else names


def _columns(inputs):
    return [c for v in inputs.values() for c in (v if isinstance(v, list) else [v])]


class _Function:
    """One function with its inputs, the columns that they come from, and parameters. What is set
    stays, what a call is given holds for that call; each thread has its own settings."""

    def __init__(self, row, *args, **kwargs):
        self._row = row
        self._local = threading.local()
        if args or kwargs:
            self.set_function_args(*args, **kwargs)

    def _state(self):
        state = self._local.__dict__
        if not state:
            state.update(inputs=_default_inputs(self._row), arrays={},
                         values=dict(self._row.defaults))
        return state

    name = property(lambda self: self._row.name)
    output_names = property(lambda self: list(self._row.outputs))

    @property
    def info(self):
        return {"name": self._row.name, "group": self._row.group, "display_name": self._row.name,
                "function_flags": None, "input_names": self.input_names,
                "parameters": self.parameters, "output_flags": None,
                "output_names": self.output_names}

    def get_input_names(self):
        return dict(self._state()["inputs"])

    def set_input_names(self, names):
        self._state()["inputs"].update(names)

    def get_input_arrays(self):
        return self._state()["arrays"]

    def set_input_arrays(self, arrays):
        """Keeps a dict or DataFrame with the columns that are read; False for anything else."""
        if not _is_inputs(arrays):
            return False
        self._require(arrays, self._state()["inputs"])
        self._state()["arrays"] = arrays
        return True

    def get_parameters(self):
        return dict(self._state()["values"])

    def set_parameters(self, parameters=None, **kwargs):
        self._state()["values"] = self._with(self._state()["values"],
                                             {**(parameters or {}), **kwargs})

    input_names = property(get_input_names, set_input_names)
    input_arrays = property(get_input_arrays, set_input_arrays)
    parameters = property(get_parameters, set_parameters)

    def set_function_args(self, *args, **kwargs):
        arrays, inputs, values = self._given(args, kwargs)
        self._state().update(arrays=arrays, inputs=inputs, values=values)

    @property
    def lookback(self):
        """Rows missing at the front."""
        if self._row.note == "numpy":
            return 0
        return _call.compiled(self._row, list(self._state()["values"].values())).lookback

    @property
    def outputs(self):
        state = self._state()
        return self._answer(state["arrays"], state["inputs"], state["values"])

    def run(self, input_arrays=None):
        if input_arrays is not None:
            self.set_input_arrays(input_arrays)
        return self.outputs

    def __call__(self, *args, **kwargs):
        """([inputs,] [parameters,] [price="column",] [parameter=value]); the arrays themselves may
        stand in place of `inputs`."""
        arrays, inputs, values = self._given(args, kwargs)
        self._state()["arrays"] = arrays
        return self._answer(arrays, inputs, values)

    def __repr__(self):
        given = ", ".join(f"{k}={v}" for k, v in self.parameters.items())
        return f"{self.name}([input_arrays], [{given}])"

    @staticmethod
    def _require(arrays, inputs):
        for column in _columns(inputs):
            if column not in (arrays if isinstance(arrays, dict) else list(arrays.columns)):
                raise Exception(f"input_arrays parameter missing required data key: {column}")

    def _with(self, values, given):
        for key, value in given.items():
            if key not in values:
                raise TypeError(f"{self.name} has no parameter '{key}'")
            if isinstance(value, str) or not hasattr(value, "__int__"):
                kind = type(self._row.defaults[key]).__name__
                raise TypeError(f"Invalid parameter value for {key} (expected {kind}, got "
                                f"{type(value).__name__})")
        return {key: _call.parameter(self._row, key, given.get(key, value))
                for key, value in values.items()}

    def _given(self, args, kwargs):
        state = self._state()
        args, arrays = list(args), state["arrays"]
        inputs = {key: kwargs.pop(key, value) for key, value in state["inputs"].items()}
        if args and _is_inputs(args[0]):
            arrays = args.pop(0)
        elif args and hasattr(args[0], "__len__"):
            columns = _columns(inputs)
            if len(args) < len(columns) or not all(hasattr(a, "__len__") for a in
                                                   args[:len(columns)]):
                raise TypeError(f"Not enough price arguments: expected {len(columns)} "
                                f"({', '.join(columns)})")
            arrays, args = dict(zip(columns, args)), args[len(columns):]
        given = {**dict(zip(self._row.defaults, args)), **kwargs}
        return arrays, inputs, self._with(state["values"], given)

    def _answer(self, arrays, inputs, values):
        if not isinstance(arrays, dict) or arrays:
            self._require(arrays, inputs)
        else:
            columns = _columns(inputs)
            raise TypeError(f"Not enough price arguments: expected {len(columns)} "
                            f"({', '.join(columns)})")
        outs = _call.run(self._row, [arrays[c] for c in _columns(inputs)], *values.values())
        package = _package(arrays, "DataFrame")
        if package is None or not isinstance(outs, tuple):
            return list(outs) if isinstance(outs, tuple) else outs
        return package.DataFrame(dict(zip(self._row.outputs, outs)))


def Function(function_name, *args, **kwargs):
    """The function of a name, in any case."""
    name = function_name.upper()
    if name not in ROWS:
        raise Exception(f"{name} not supported by TA-LIB.")
    return _Function(ROWS[name], *args, **kwargs)


globals().update({name: _Function(row) for name, row in ROWS.items()})
__all__ = ["Function", *ROWS]
