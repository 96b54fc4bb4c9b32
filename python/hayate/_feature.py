# SPDX-License-Identifier: Apache-2.0
"""Features: the spec of the command line, over NumPy panels."""
import ctypes as c
import json

import numpy as np

from . import _arrow_out, _pandas
from ._stream import FeatureStream
from ._library import (LIB, P, SIZE, CheckOptions, FeatureColumns, FeaturesInfo, Handle, Window,
                       WindowsOptions, call, runtime_or_shared, text, written)
from ._market import Universe, rows_of
from ._tensor import TYPE_CODES

LINE = 8  # doubles of a cache line


def _stride(n_rows):
    return -(-n_rows // LINE) * LINE


def _new_array(shape, dtype, order):
    """Of order F: a symbol's values in a row, each row at the beginning of a cache line."""
    if order == "C":
        return np.empty(shape, dtype)
    stride = _stride(shape[0])
    memory = np.empty(shape[1] * stride + LINE)
    skip = -memory.ctypes.data % (8 * LINE) // 8
    return memory[skip:skip + shape[1] * stride].reshape(shape[1], stride)[:, :shape[0]].T


def _array(out, name, shape, dtype, order):
    """A new array, or that of an earlier answer."""
    if out is None:
        return _new_array(shape, dtype, order)
    a = out[name]
    series = order == "F" and a.strides == (8, 8 * _stride(shape[0]))
    if a.shape != shape or a.dtype != dtype or not a.flags.writeable or not (
            series or order == "C" and a.flags.c_contiguous):
        raise ValueError(f"out[{name!r}] must be a writeable array of {dtype} {shape} in order "
                         f"{order}, not {a.dtype} {a.shape}")
    return a


def definitions(pattern=None):
    """The feature definitions, or those whose id has `pattern` in it, each a dict as `hayate features
    list --json` has it: `id`, `version`, `inputs`, `params` (each with `name`, `default`, `range` in
    words, `min`, `max`), `outputs`, `lookback`, `stable_after`, `doc`."""
    listed = written(LIB.hy_features_list, None if pattern is None else text(pattern), True)
    return json.loads(listed)["definitions"]


class Features:
    """A spec, as a YAML file's path or an inline list ("rsi=rsi.mid(close,14); logret(close,1)"),
    compiled. `fit`: the fit's file, where the spec asks for one and names none. `names`,
    `lookback_bars`, `stable_bars` (0: no bound), `sha256`, `fit_sha256` (None: no step asks for
    a fit; "": one is wanting), `canonical`."""

    def __init__(self, spec, runtime=None, fit=None):
        self._runtime = runtime_or_shared(runtime)
        self._handle = self._runtime.make(LIB.hy_features_create_fitted, LIB.hy_features_destroy,
                                          text(spec),
                                          None if fit is None else text(fit))
        info = FeaturesInfo()
        LIB.hy_features_describe(self._handle.pointer, c.byref(info))
        self.names = [info.names[i].decode() for i in range(info.n_features)]
        self.lookback_bars = info.lookback_bars
        self.stable_bars = info.stable_bars
        self.sha256 = info.spec_sha256.decode()
        self.canonical = info.canonical.decode()
        self.fit_sha256 = None if info.fit_sha256 is None else info.fit_sha256.decode()

    def batch(self, panel, rows=None, out=None, valid=True, order="C"):
        """Every feature over a panel (a Universe, or what Universe takes: a file's path, a dict of
        arrays, an Arrow table, a pandas frame): NAME -> f8 [rows, S] with NaN where missing,
        NAME.valid -> u1, `time`, `symbol`. `rows` limits what is answered to [begin, end); the
        history before it is used all the same. `out` takes an earlier answer of the same shape and
        writes into its arrays: new memory costs as much as the features. `valid=False` leaves the
        masks out. `order="F"`: in memory each symbol's series lies together, as in a frame of
        columns, which is twice as fast."""
        universe = panel if isinstance(panel, Universe) else Universe(panel, self._runtime)
        begin, end = rows_of(universe, rows)
        shape = (end - begin, len(universe.symbols))
        if order not in ("C", "F"):
            raise ValueError(f"order must be C or F, not {order!r}")
        values = [_array(out, name, shape, "f8", order) for name in self.names]
        pointers = (P * max(len(values), 1))(*[a.ctypes.data for a in values])
        with self._runtime._lock:
            if order == "F":
                masks = self._columns(universe, begin, end, values, pointers, valid)
            else:
                masks = [_array(out, name + ".valid", shape, "u1", "C")
                         for name in self.names if valid]
                mask_pointers = (P * len(masks))(*[a.ctypes.data for a in masks])
                call(LIB.hy_features_compute, self._handle.pointer, universe._handle.pointer,
                     SIZE(begin), SIZE(end), pointers, mask_pointers if masks else None)
        answer = {}
        for k, name in enumerate(self.names):
            answer[name] = values[k]
            if valid:
                answer[name + ".valid"] = masks[k]
        answer["time"] = universe.time[begin:end]
        answer["symbol"] = np.array(universe.symbols)
        return answer

    def _columns(self, universe, begin, end, values, pointers, valid):
        columns = FeatureColumns(t_begin=begin, t_end=end, stride=_stride(end - begin),
                                 out=c.cast(pointers, P))
        call(LIB.hy_features_compute_columns, self._handle.pointer, universe._handle.pointer,
             c.byref(columns))
        return [(a == a).view("u1") for a in values] if valid else []

    def stream(self, symbols, fields=None, timeframe=None, zone=None, calendar=None):
        """A FeatureStream: the same values bar by bar. `fields` are those of a row, in its order
        (open, high, low, close, volume); the rest is as in a panel."""
        return FeatureStream(self, symbols, fields, timeframe, zone, calendar)

    def arrow(self, panel, rows=None):
        """The same as an Arrow table of (time, symbol, features) for whatever takes one: the values
        are handed over where they are."""
        return _arrow_out.Table(self.names, self.batch(panel, rows))

    def frame(self, panel, rows=None, time="time", symbol="symbol", field=None):
        """The same as a pandas frame. Of a frame (as from_pandas takes it) the answer has the
        frame's own index: a column for each feature, or (feature, symbol) for a wide one. Of any
        other panel the index is (time, symbol)."""
        if not _pandas.is_frame(panel):
            return _pandas.frame_of(self.names, self.batch(panel, rows))
        if rows is not None:
            raise ValueError("rows is for universes; slice the frame that comes back")
        source = _pandas.Source(panel, time, symbol, field, {})
        return source.frame(self.names, self.batch(source.panel))

    def at(self, timeframe=""):
        """The names of the features that the spec computes at a timeframe ("" is the panel's)."""
        indices = (c.c_uint32 * max(len(self.names), 1))()
        n = LIB.hy_features_at(self._handle.pointer, text(timeframe), indices)
        return [self.names[i] for i in indices[:n]]

    def windows(self, panel, bars, at=None, rows=None, dtype="f4"):
        """For each timeframe of `bars` ({"M1": 480, "H1": 96}) the last bars of each symbol with the
        features of that timeframe, oldest first: [S, bars, features] at the row that `at` names (as
        find_rows; the last one), or [rows, S, bars, features] for `rows` (begin, end). NaN where
        there is no bar or no value."""
        universe = panel if isinstance(panel, Universe) else Universe(panel, self._runtime)
        dtype = np.dtype(dtype)
        begin, end = rows_of(universe, rows) if rows else universe.find_rows(at=at or "last")
        windows = (Window * max(len(bars), 1))(*[(text(k), n) for k, n in bars.items()])
        out = {k: np.empty((end - begin, len(universe.symbols), n, len(self.at(k))), dtype)
               for k, n in bars.items()}
        pointers = (P * max(len(bars), 1))(*[a.ctypes.data for a in out.values()])
        options = WindowsOptions(windows=windows, n_windows=len(bars), t_begin=begin, t_end=end,
                                 dtype=TYPE_CODES.get(dtype, 0xff))
        with self._runtime._lock:
            call(LIB.hy_features_windows, self._handle.pointer, universe._handle.pointer,
                 c.byref(options), pointers)
        return out if rows else {k: a[0] for k, a in out.items()}

    def explain(self):
        """The definition graph, look-back, stability and cost of each feature."""
        return json.loads(written(LIB.hy_features_explain, self._handle.pointer, c.c_bool(True)))

    def check_lookahead(self, panel, points=0, seed=0):
        """Does a value change with bars that come after it? This and the other checks answer what
        `hayate features lookahead --json` prints: `passed`, `features`, `findings`."""
        return self._check(1, panel, n_points=points, seed=seed)

    def check_recursive(self, panel, warmup=0, tol=0.0):
        """How much history each feature needs, beside what explain claims."""
        return self._check(2, panel, warmup_bars=warmup, tol=tol)

    def check_coverage(self, panel, max_missing=0.0):
        """How much of each feature is missing, and why."""
        return self._check(3, panel, max_missing=max_missing)

    def check_bench(self, panel):
        """What each feature costs."""
        return self._check(4, panel)

    def check_parity(self, panel, points=0, seed=0):
        """Does a stream give batch's bits?"""
        return self._check(5, panel, n_points=points, seed=seed)

    def _check(self, kind, panel, **options):
        universe = panel if isinstance(panel, Universe) else Universe(panel, self._runtime)
        report = Handle(LIB.hy_features_check_destroy)
        with self._runtime._lock:
            call(LIB.hy_features_check_run, self._handle.pointer, universe._handle.pointer,
                 c.c_int(kind), c.byref(CheckOptions(**options)), c.byref(report.pointer))
        return json.loads(written(LIB.hy_features_check_write, report.pointer, c.c_bool(True)))
