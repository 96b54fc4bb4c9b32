# SPDX-License-Identifier: Apache-2.0
"""Universes: files of bars, and panels of NumPy arrays."""
import ctypes as c

import numpy as np

from . import _arrow, _layout, _pandas
from ._library import (LIB, P, SIZE, GenerateOptions, Panel, UniverseInfo, call, runtime_or_shared,
                       text, texts)
from ._tensor import _Memory

_OTHERS = ("time", "symbol", "valid", "timeframe", "zone", "calendar")


def _dense(array, dtype, shape, name):
    if dtype == "f8":
        array = _layout.unmasked(array)
    array = np.ascontiguousarray(array, dtype=dtype)
    if array.shape != shape:
        raise ValueError(f"'{name}' has shape {array.shape}, {shape} is expected")
    return array


def _times(values):
    values = np.asarray(values)
    if values.dtype.kind == "M":
        values = _layout.nanoseconds(values)
    return np.ascontiguousarray(values, dtype="i8")


class Universe:
    """Bars of many symbols on one time axis: a universe file, or a dict of `time` ([T] i8,
    nanoseconds UTC of the bar's close, or datetime64), `symbol` ([S] texts), fields f8 [T, S] under
    their names, and optionally `valid` u1 [T, S], `timeframe`, `zone`, `calendar`. Arrays are used
    where they lie. Tables of Arrow and pandas frames are taken as from_arrow and from_pandas take
    them."""

    def __init__(self, panel, runtime=None):
        self._runtime = runtime_or_shared(runtime)
        if _pandas.is_frame(panel):
            panel = _pandas.Source(panel, "time", "symbol", None, {}).panel
        elif not isinstance(panel, dict) and _arrow.is_table(panel):
            panel = _arrow.read_long(panel, "time", "symbol", None, {})[0]
        if isinstance(panel, dict):
            self._handle = self._from_dict(panel)
        else:
            self._handle = self._runtime.make(LIB.hy_universe_open, LIB.hy_universe_destroy,
                                              text(panel))
        self._describe()

    def _describe(self):
        info = UniverseInfo()
        LIB.hy_universe_describe(self._handle.pointer, c.byref(info))
        time = np.asarray(_Memory(self._handle, info.time_ns or 1, (info.n_bars,), np.dtype("i8")))
        self.time = time if info.n_bars else np.zeros(0, "i8")
        self.symbols = [info.symbols[i].decode() for i in range(info.n_symbols)]
        self.fields = [info.fields[i].decode() for i in range(info.n_fields)]
        self.timeframe = (info.timeframe or b"").decode()
        self.zone = (info.zone or b"").decode()
        self.calendar = (info.calendar or b"").decode()

    def _from_dict(self, panel):
        time = _times(panel["time"])
        symbols = [str(s) for s in np.asarray(panel["symbol"]).tolist()]
        shape = (len(time), len(symbols))
        fields = {k: _dense(v, "f8", shape, k) for k, v in panel.items() if k not in _OTHERS}
        data = (P * max(len(fields), 1))(*[a.ctypes.data for a in fields.values()])
        symbol_texts, field_texts = texts(symbols), texts(list(fields))
        options = Panel(n_bars=len(time), n_symbols=len(symbols), n_fields=len(fields),
                        time_ns=time.ctypes.data, symbols=symbol_texts, fields=field_texts,
                        data=data)
        keep = [time, symbol_texts, field_texts, data, fields]
        if panel.get("valid") is not None:
            valid = _dense(panel["valid"], "u1", shape, "valid")
            options.valid = valid.ctypes.data
            keep.append(valid)
        for name in ("timeframe", "zone", "calendar"):
            if panel.get(name):
                setattr(options, name, text(panel[name]))
        return self._runtime.make(LIB.hy_universe_from_panel, LIB.hy_universe_destroy,
                                  c.byref(options), keep=(keep, options))

    def read(self, field, begin=0, end=None):
        """Rows [begin, end) of a field as a new array [rows, S]; missing cells are NaN."""
        begin, end = rows_of(self, (begin, end))
        out = np.empty((end - begin, len(self.symbols)))
        call(LIB.hy_universe_read, self._handle.pointer, text(field), SIZE(begin), SIZE(end),
             P(out.ctypes.data))
        return out

    def adjust(self, actions, as_of=None):
        """The universe with corporate actions (Actions, or its rows) applied to the bars before them:
        all, or those with ex at most `as_of`, which gives the history as it was known then. The file
        or the arrays stay as they are."""
        from ._adjust import adjust
        made = object.__new__(Universe)
        made._runtime, made._handle = self._runtime, adjust(self, actions, as_of)
        made._describe()
        return made

    def find_rows(self, at=None, from_=None, to=None):
        """(begin, end) of the rows that texts name: `at` one row ("last", a date, ISO 8601), or
        `from_` and `to`, both included."""
        begin, end = SIZE(), SIZE()
        call(LIB.hy_universe_find_rows, self._handle.pointer,
             *[text(t) if t is not None else None for t in (at, from_, to)], c.byref(begin),
             c.byref(end))
        return begin.value, end.value


def _attributes(timeframe, zone, calendar):
    given = {"timeframe": timeframe, "zone": zone, "calendar": calendar}
    return {name: value for name, value in given.items() if value is not None}


def from_arrow(table, time="time", symbol="symbol", fields=None, timeframe=None, zone=None,
               calendar=None, runtime=None):
    """A Universe of a table that knows the Arrow PyCapsule interface (pyarrow, polars, duckdb):
    columns `time` (timestamps, dates, or int64 nanoseconds, of the bar's close), `symbol`, and
    numbers; without a symbol column it is one series of that name. `fields` limits the columns
    that are read. Of a dict {field: table}, each table has a column of each symbol.

    float64 columns of one chunk without nulls whose rows stand time by time, with the same symbols
    in the same order, are used where they lie; anything else is copied into place once."""
    given = _attributes(timeframe, zone, calendar)
    if isinstance(table, dict):
        return Universe(_arrow.read_wide(table, time, given), runtime)
    return Universe(_arrow.read_long(table, time, symbol, fields, given)[0], runtime)


def from_pandas(frame, time="time", symbol="symbol", field=None, timeframe=None, zone=None,
                calendar=None, runtime=None):
    """A Universe of a pandas frame: an index (or columns) of time and symbol with columns of fields;
    an index of times with columns (field, symbol) in either order; with columns of symbols, all of
    one `field`; or with columns of fields, one series. Times are of the bar's close, those without
    a zone UTC. A bar all of whose fields are missing does not exist."""
    given = _attributes(timeframe, zone, calendar)
    return Universe(_pandas.Source(frame, time, symbol, field, given).panel, runtime)


def rows_of(universe, rows):
    n = len(universe.time)
    begin, end = (0, None) if rows is None else rows
    end = n if end is None else end
    if not 0 <= begin <= end <= n:
        raise ValueError(f"rows [{begin}, {end}) of {n}")
    return begin, end


def generate(path, symbols=500, bars=2000, timeframe="1m", seed=7, runtime=None):
    """Writes the synthetic universe: the same file for the same arguments everywhere."""
    runtime = runtime_or_shared(runtime)
    options = GenerateOptions(n_symbols=symbols, n_bars=bars, timeframe=text(timeframe),
                              seed=seed, output=text(path))
    with runtime._lock:
        call(LIB.hy_universe_generate, runtime._handle.pointer, c.byref(options))
