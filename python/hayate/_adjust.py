# SPDX-License-Identifier: Apache-2.0
"""Corporate actions: splits, dividends and futures rolls, as a table beside raw prices."""
import ctypes as c
import os

from ._library import LIB, SIZE, TEXT, runtime_or_shared, text

_KINDS = {"split": 1, "dividend": 2, "roll_ratio": 3, "roll_difference": 4}
_NAMES = {number: name for name, number in _KINDS.items()}


class _Action(c.Structure):
    _fields_ = [("symbol", TEXT), ("ex_ns", c.c_int64), ("kind", c.c_int),
                ("amount", c.c_double)]


class Actions:
    """A table of actions: a file (docs/data-formats.md), or rows of (symbol, ex, kind, amount). ex is
    an instant in nanoseconds UTC or a datetime64; bars that close after it are of the new kind. kind
    is split (new shares for an old one), dividend (cash per share), roll_ratio or roll_difference."""

    def __init__(self, rows, zone=None, runtime=None):
        runtime = runtime_or_shared(runtime)
        if isinstance(rows, (str, bytes, os.PathLike)):
            self._handle = runtime.make(LIB.hy_actions_read, LIB.hy_actions_destroy,
                                        text(rows),
                                        None if zone is None else text(zone))
        else:
            rows = [self._row(*row) for row in rows]
            array = (_Action * max(len(rows), 1))(*rows)
            self._handle = runtime.make(LIB.hy_actions_create, LIB.hy_actions_destroy, array,
                                        SIZE(len(rows)))

    @staticmethod
    def _row(symbol, ex, kind, amount):
        from ._stream import _time
        if kind not in _KINDS:
            raise ValueError(f"no action of kind '{kind}'; {', '.join(_KINDS)} are known")
        return _Action(text(symbol), _time(ex), _KINDS[kind], float(amount))

    @property
    def rows(self):
        """[(symbol, ex_ns, kind, amount)], sorted by symbol, time and kind."""
        first = c.POINTER(_Action)()
        LIB.hy_actions_list.restype = SIZE
        n = LIB.hy_actions_list(self._handle.pointer, c.byref(first))
        return [(first[k].symbol.decode(), first[k].ex_ns, _NAMES[first[k].kind], first[k].amount)
                for k in range(n)]


def adjust(universe, actions, as_of):
    """The handle of an adjusted universe."""
    from ._stream import _time
    if not isinstance(actions, Actions):
        actions = Actions(actions, runtime=universe._runtime)
    as_of = 2 ** 63 - 1 if as_of is None else _time(as_of)
    return universe._runtime.make(LIB.hy_universe_adjust, LIB.hy_universe_destroy,
                                  universe._handle.pointer, actions._handle.pointer,
                                  c.c_int64(as_of), keep=(universe._handle, actions))
