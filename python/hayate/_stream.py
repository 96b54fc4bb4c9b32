# SPDX-License-Identifier: Apache-2.0
"""Features bar by bar. A row's arrays are handed over by their addresses, and everything that a call
needs besides is made beforehand, so that an update costs little more than the library's own."""
import ctypes as c

import numpy as np

from . import _layout
from ._library import LIB, P, SIZE, TEXT, CError, Handle, Options, call, error_of, text, texts

_F8, _U1 = np.dtype("f8"), np.dtype("u1")
_STANDARD = ("open", "high", "low", "close", "volume")
_address, _at = c.addressof, c.c_char.from_buffer


class _Options(Options):
    _fields_ = [("struct_size", SIZE), ("n_symbols", SIZE), ("n_fields", SIZE),
                ("symbols", c.POINTER(TEXT)), ("fields", c.POINTER(TEXT)), ("timeframe", TEXT),
                ("zone", TEXT), ("calendar", TEXT)]


class _Row(Options):
    _fields_ = [("struct_size", SIZE), ("time_ns", c.c_int64), ("fields", c.POINTER(P)),
                ("valid", P)]


class _Info(Options):
    _fields_ = [("struct_size", SIZE), ("n_symbols", SIZE), ("n_features", SIZE),
                ("symbols", c.POINTER(TEXT)), ("time_ns", c.c_int64), ("n_rows", c.c_uint64),
                ("state_bytes", SIZE), ("snapshot_bytes", SIZE)]


def _where(array):
    try:
        return _address(_at(array))
    except (TypeError, ValueError):  # read-only; empty
        return array.ctypes.data


def _time(value):
    if type(value) is int:
        return value
    value = np.asarray(value)
    return int(_layout.nanoseconds(value) if value.dtype.kind == "M" else value)


class FeatureStream:
    """The features of a spec for `symbols`, one row of bars after another: the values that `batch`
    gives, to the bit. Made by Features.stream. For one thread at a time.

    A row is `time_ns` (of the bars' close, later than every row before; also datetime64), `fields` (a
    dict of arrays [S] by name, an array [n_fields, S], or for one symbol the bar's numbers) and
    `valid` ([S], 0 where a symbol has no bar; None: all have one). NaN is missing. float64 arrays are
    read where they lie."""

    def __init__(self, features, symbols, fields=None, timeframe=None, zone=None, calendar=None):
        self.names = list(features.names)
        self.symbols = [symbols] if isinstance(symbols, str) else [str(s) for s in symbols]
        self.fields = list(_STANDARD if fields is None else fields)
        given = {"timeframe": timeframe, "zone": zone, "calendar": calendar}
        options = _Options(n_symbols=len(self.symbols), n_fields=len(self.fields),
                           symbols=texts(self.symbols), fields=texts(self.fields),
                           **{k: text(v) for k, v in given.items() if v is not None})
        self._handle = Handle(LIB.hy_feature_stream_destroy, features._handle)
        call(LIB.hy_feature_stream_create, features._handle.pointer, c.byref(options),
             c.byref(self._handle.pointer))
        n = len(self.symbols)
        self._shape, self._whole = (n, len(self.names)), (len(self.fields), n)
        self._own = np.full(self._whole, np.nan)  # what does not lie as it should is copied here
        self._pointers = (P * len(self.fields))()
        self._row = _Row(fields=self._pointers)
        self._error = CError()
        self._fixed = (self._handle.pointer, c.byref(self._row), c.byref(self._error))
        self._lies_at = None  # where the whole array of the last row was
        self._update = LIB.hy_feature_stream_update
        self._peek = LIB.hy_feature_stream_peek

    def _place(self, k, values):
        """Field k of the row is `values`; returns what must live until the call."""
        if not (type(values) is np.ndarray and values.dtype is _F8 and values.flags.c_contiguous
                and values.shape == self._whole[1:]):
            self._own[k] = _layout.unmasked(values)
            values = self._own[k]
        self._pointers[k] = _where(values)
        return values

    def _lay(self, fields):
        if (type(fields) is np.ndarray and fields.dtype is _F8 and fields.shape == self._whole
                and fields.flags.c_contiguous):
            at = _where(fields)
            if at != self._lies_at:
                step = 8 * self._whole[1]
                for k in range(self._whole[0]):
                    self._pointers[k] = at + k * step
                self._lies_at = at
            return fields
        self._lies_at = None
        if isinstance(fields, dict):
            for name in fields:
                if name not in self.fields:
                    raise ValueError(f"the stream has no field '{name}'; it has "
                                     f"{', '.join(self.fields)}")
            fields = [fields.get(name, np.nan) for name in self.fields]
        if len(fields) != self._whole[0]:
            raise ValueError(f"{len(fields)} fields, {', '.join(self.fields)} are expected")
        return [self._place(k, values) for k, values in enumerate(fields)]

    def _call(self, function, time_ns, fields, valid, out):
        keep, row = self._lay(fields), self._row
        row.time_ns = time_ns if type(time_ns) is int else _time(time_ns)
        if valid is None:
            row.valid = None
        else:
            valid = np.ascontiguousarray(valid, dtype=_U1)
            if valid.shape != self._whole[1:]:
                raise ValueError(f"valid has shape {valid.shape}, {self._whole[1:]} is expected")
            row.valid = _where(valid)
        values, present = out if out is not None else (np.empty(self._shape),
                                                       np.empty(self._shape, _U1))
        stream, at, error = self._fixed
        status = function(stream, at, P(_where(values)), P(_where(present)), error)
        del keep
        if status:
            self._error.status = status
            raise error_of(self._error)
        return values, present

    def update(self, time_ns, fields, valid=None, out=None):
        """Takes a row of closed bars -> (values f8 [S, F], NaN where missing; valid u1 [S, F]).
        `out` is such a pair to write into. A refused row changes nothing."""
        return self._call(self._update, time_ns, fields, valid, out)

    def peek(self, time_ns, fields, valid=None, out=None):
        """What update would give, for a bar that is still forming: the stream stays as it is."""
        return self._call(self._peek, time_ns, fields, valid, out)

    def advance(self, time_ns):
        """No bar that closes by then comes any more: bars of slower timeframes that end by then
        close now, not when the next row comes."""
        call(LIB.hy_feature_stream_advance, self._handle.pointer, c.c_int64(_time(time_ns)))

    def gate(self, **options):
        """A FeatureGate, which takes bars symbol by symbol and gives this stream's rows; the stream
        is then the gate's alone."""
        from ._gate import FeatureGate
        return FeatureGate(self, **options)

    def _describe(self):
        info = _Info()
        LIB.hy_feature_stream_describe(self._handle.pointer, c.byref(info))
        return info

    @property
    def time_ns(self):
        """Of the last row, None before the first."""
        at = self._describe().time_ns
        return None if at == -2 ** 63 else at

    @property
    def n_rows(self):
        return self._describe().n_rows

    @property
    def state_bytes(self):
        return self._describe().state_bytes

    def snapshot(self):
        """Everything that later values depend on, as bytes: the same on every machine."""
        data = bytearray(self._describe().snapshot_bytes)
        call(LIB.hy_feature_stream_snapshot, self._handle.pointer,
             (c.c_char * len(data)).from_buffer(data), SIZE(len(data)))
        return bytes(data)

    def restore(self, data):
        """Goes on where the snapshot was taken: symbols are found by name. One of another spec is
        refused, and the stream is then as it was."""
        data = bytes(data)
        call(LIB.hy_feature_stream_restore, self._handle.pointer, data, SIZE(len(data)))
