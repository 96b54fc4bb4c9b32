# SPDX-License-Identifier: Apache-2.0
"""Bars of many symbols, each when it comes, made into the rows that a feature stream takes."""
import ctypes as c
from collections import namedtuple

import numpy as np

from ._adjust import Actions
from ._library import LIB, P, SIZE, CError, Handle, Options, call, error_of
from ._stream import _time, _where

_BARRIERS = ("all", "deadline", "quorum")
_LATE = ("reject", "replay")

GateRow = namedtuple("GateRow", "time_ns revision n_bars missing values valid")
GateRow.__doc__ = """A row that has gone through: the time of its bars' close; 0, or how often a
correction has changed it; how many symbols have a bar; the expected symbols that have none; values f8
[S, F] and valid u1 [S, F] as FeatureStream.update gives them."""


class _Options(Options):
    _fields_ = [("struct_size", SIZE), ("barrier", c.c_int), ("late", c.c_int),
                ("deadline_ns", c.c_int64), ("deadline_from_first", c.c_bool),
                ("quorum", c.c_double), ("expected", P), ("n_waiting", SIZE), ("n_kept", SIZE),
                ("checkpoint_rows", SIZE), ("actions", P)]


class _Row(Options):
    _fields_ = [("struct_size", SIZE), ("time_ns", c.c_int64), ("revision", c.c_uint32),
                ("n_bars", SIZE), ("n_missing", SIZE), ("missing", c.POINTER(SIZE)),
                ("values", c.POINTER(c.c_double)), ("valid", c.POINTER(c.c_uint8))]


_COUNTS = ("n_bars", "n_corrections", "n_replayed", "n_duplicates", "n_late", "n_bad", "n_rows",
           "n_revisions")


class _Info(Options):
    _fields_ = [("struct_size", SIZE), ("time_ns", c.c_int64), ("n_waiting", SIZE),
                ("n_kept", SIZE), ("memory_bytes", SIZE), *((n, c.c_uint64) for n in _COUNTS)]


def _choice(what, value, names):
    if value not in names:
        raise ValueError(f"{what} is {value!r}, one of {', '.join(names)} is expected")
    return names.index(value)


class FeatureGate:
    """A gate in front of a FeatureStream, which is then the gate's alone. Made by
    FeatureStream.gate.

    Bars are pushed symbol by symbol, and `rows()` gives what has become whole: when all expected
    symbols have reported (barrier "all"), or at the latest `deadline_ns` after the bars' close
    ("deadline"; after the row's first bar with `from_first`), or once the share `quorum` of them has
    ("quorum"). `late` says what becomes of a bar whose row has gone: "reject" raises Error LATE,
    "replay" computes the rows from there on again, as far back as `kept` rows. With `actions` (Actions,
    or its rows) a symbol begins anew after a split, dividend or roll, from the `kept` rows adjusted."""

    def __init__(self, stream, barrier="all", late="reject", deadline_ns=0, from_first=False,
                 quorum=0.0, expected=None, waiting=0, kept=0, checkpoint_rows=0, actions=None):
        self.stream = stream
        self.symbols, self.fields, self.names = stream.symbols, stream.fields, stream.names
        self._index = {name: k for k, name in enumerate(self.symbols)}
        mask = self._mask(expected)
        options = _Options(barrier=_choice("barrier", barrier, _BARRIERS),
                           late=_choice("late", late, _LATE), deadline_ns=deadline_ns,
                           deadline_from_first=from_first, quorum=quorum,
                           expected=None if mask is None else mask.ctypes.data, n_waiting=waiting,
                           n_kept=kept, checkpoint_rows=checkpoint_rows)
        keep = [stream._handle]
        if actions is not None:
            actions = actions if isinstance(actions, Actions) else Actions(actions)
            options.actions = actions._handle.pointer.value
            keep.append(actions._handle)
        self._handle = Handle(LIB.hy_feature_gate_destroy, *keep)
        call(LIB.hy_feature_gate_create, stream._handle.pointer, c.byref(options),
             c.byref(self._handle.pointer))
        self._bar, self._error = np.empty(len(self.fields)), CError()

    def _mask(self, symbols):
        if symbols is None:
            return None
        mask = np.zeros(len(self.symbols), np.uint8)
        for name in symbols:
            mask[self._at(name)] = 1
        return mask

    def _at(self, symbol):
        if not isinstance(symbol, str):
            return int(symbol)
        if symbol not in self._index:
            raise ValueError(f"the stream has no symbol '{symbol}'")
        return self._index[symbol]

    def push(self, symbol, time_ns, bar):
        """A closed bar: the symbol's name or index, its close time, its fields in the stream's order
        or a dict of them. The same bar again is dropped and counted."""
        if isinstance(bar, dict):
            bar = [bar.get(name, np.nan) for name in self.fields]
        self._bar[:] = bar
        status = LIB.hy_feature_gate_push(self._handle.pointer, SIZE(self._at(symbol)),
                                          c.c_int64(_time(time_ns)), P(_where(self._bar)),
                                          c.byref(self._error))
        if status:
            self._error.status = status
            raise error_of(self._error)

    def advance(self, now_ns):
        """The caller's clock, which deadlines are held against."""
        call(LIB.hy_feature_gate_advance, self._handle.pointer, c.c_int64(_time(now_ns)))

    def close(self, time_ns):
        """No bar that closes by then comes any more: rows until then go whatever they lack."""
        call(LIB.hy_feature_gate_close, self._handle.pointer, c.c_int64(_time(time_ns)))

    def expect(self, symbols=None):
        """The symbols that are waited for from now on; None: all."""
        mask = self._mask(symbols)
        call(LIB.hy_feature_gate_expect, self._handle.pointer,
             None if mask is None else P(mask.ctypes.data))

    def rows(self):
        """The GateRows that may go now, oldest first; after a correction those that it changes come
        again, with the next revision."""
        row, has = _Row(), c.c_bool()
        shape = (len(self.symbols), len(self.names))
        while True:
            call(LIB.hy_feature_gate_next, self._handle.pointer, c.byref(row), c.byref(has))
            if not has.value:
                return
            missing = [self.symbols[row.missing[k]] for k in range(row.n_missing)]
            yield GateRow(row.time_ns, row.revision, row.n_bars, missing,
                          np.ctypeslib.as_array(row.values, shape).copy(),
                          np.ctypeslib.as_array(row.valid, shape).copy())

    @property
    def counts(self):
        """How many bars were taken, dropped, refused, how many rows given: a dict."""
        info = _Info()
        LIB.hy_feature_gate_describe(self._handle.pointer, c.byref(info))
        return {name: getattr(info, name) for name in (*_COUNTS, "n_waiting", "n_kept",
                                                       "memory_bytes")}
