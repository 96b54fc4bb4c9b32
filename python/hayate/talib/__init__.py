# SPDX-License-Identifier: Apache-2.0
"""TA-Lib's Python functions by hayate's definitions: `import hayate.talib as talib`.

Names, arguments, defaults and answers are TA-Lib's: float64 arrays of one dimension go in, arrays
of the same length come out, missing at the front, tuples where a function has several outputs;
pandas and polars Series give Series. What differs: a missing value inside a series makes the
windows that hold it missing, and recurrences go on behind it, where TA-Lib's answers break or stay
missing; arrays of other number types are converted, not refused; windows do not depend, to the
bit, on where the series starts. Functions may be called by many threads at once."""
import re as _re
from importlib import import_module as _import_module

from .._talib_table import MA_NAMES as _MA_NAMES
from .._talib_table import ROWS as _ROWS
from ._call import InsufficientHistory, function as _function


class _MATypes:
    """MA_Type.SMA is 0, MA_Type[0] its name."""

    def __init__(self):
        self._names = list(_MA_NAMES.values())
        for code, name in enumerate(_MA_NAMES):
            setattr(self, name, code)

    def __getitem__(self, code):
        return self._names[code]


__version__ = "0.8.2"  # the TA-Lib whose names, defaults and answers these are
MA_Type = _MATypes()
globals().update({name: _function(row) for name, row in _ROWS.items()})


def get_functions():
    """The names of all functions."""
    return list(_ROWS)


def get_function_groups():
    """{group: [names]}"""
    groups = {}
    for name, row in _ROWS.items():
        groups.setdefault(row.group, []).append(name)
    return groups


def spec(name, *inputs, **parameters):
    """What a call becomes in a feature spec, an item for each output: spec("SMA", timeperiod=5) is
    "sma = sma(close,5)", and spec("SMA", "volume") takes another series than the close."""
    row = _ROWS[name]
    unknown = set(parameters) - set(row.defaults)
    if unknown:
        raise TypeError(f"{name} has no {min(unknown)!r}; it has {', '.join(row.defaults) or 'none'}")
    series = {"real": "close", "real0": "high", "real1": "low"}
    free = [key for key in row.inputs if key in (*series, "periods")]
    series.update(zip(free, inputs))
    if row.note == "numpy":
        texts = [f"{'mul' if name == 'MULT' else name.lower()}({','.join(row.inputs)})"]
    else:
        texts = row.spec([parameters.get(k, v) for k, v in row.defaults.items()]).split("; ")
    names = row.outputs if len(texts) > 1 else [{"VWAP": "cum_vwap"}.get(name, name.lower())]
    texts = [_re.sub(r"\b(real[01]?|periods)\b(?!\s*=)", lambda m: series.get(m[1], m[1]), text)
             for text in texts]
    return "; ".join(f"{key} = {text}" for key, text in zip(names, texts))


def set_unstable_period(name, period):
    """Taken for 0, TA-Lib's default: how much history is enough, `hayate features explain` says."""
    if period:
        raise NotImplementedError(f"set_unstable_period({name!r}, {period}): hayate.talib has no "
                                  "unstable periods; leave out the first rows of the answer")


def get_unstable_period(name):
    return 0


def set_compatibility(kind):
    """Taken for 0, TA-Lib's default."""
    if kind:
        raise NotImplementedError(f"set_compatibility({kind}): 0 alone is supported")


def get_compatibility():
    return 0


def __getattr__(name):
    if name == "abstract":  # as after `from talib import abstract`
        return _import_module(".abstract", __name__)
    if name == "stream":
        raise AttributeError("hayate.talib has no stream: hayate.Features(spec).stream(symbols) "
                             "updates features bar by bar")
    raise AttributeError(f"module 'hayate.talib' has no attribute {name!r}")


__all__ = ["InsufficientHistory", "MA_Type", "get_compatibility", "get_function_groups",
           "get_functions", "get_unstable_period", "set_compatibility", "set_unstable_period", "spec",
           *_ROWS]
