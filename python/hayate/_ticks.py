# SPDX-License-Identifier: Apache-2.0
"""Bars of trades: by time, number of trades, volume or turnover."""
import ctypes as c

import numpy as np

from ._library import LIB, P, SIZE, TEXT, Options, call, runtime_or_shared, text
from ._market import _times

TRADE = np.dtype([("time", "i8"), ("price", "f8"), ("size", "f8"), ("symbol", "u4"),
                  ("flags", "u4")])
BAR = np.dtype([("time", "i8"), ("open", "f8"), ("high", "f8"), ("low", "f8"), ("close", "f8"),
                ("volume", "f8"), ("vwap", "f8"), ("n_trades", "u8"), ("symbol", "u8")])


class _Options(Options):
    _fields_ = [("struct_size", SIZE), ("n_symbols", SIZE), ("bars", TEXT), ("remainder", c.c_int),
                ("zone", TEXT), ("calendar", TEXT)]


class _Info(Options):
    _fields_ = [("struct_size", SIZE), ("n_trades", c.c_uint64), ("n_dropped", c.c_uint64),
                ("n_bars", c.c_uint64), ("n_moved", c.c_uint64), ("n_open", c.c_uint64),
                ("snapshot_bytes", SIZE)]


class Ticks:
    """Bars of the trades of `symbols`, from a feed or all at once: the same bars however the trades
    are divided into calls. `bars` is "tick:1000", "volume:1e6", "dollar:5e7" or "time:1m"; with
    `carry` what a bar has above its threshold counts for the next one. For one thread at a time.

    Bars come as a structured array: time (i8, ns UTC), open, high, low, close, volume, vwap,
    n_trades, and symbol, an index into `symbols`."""

    def __init__(self, symbols, bars, carry=False, zone=None, calendar=None, runtime=None):
        self.symbols = [symbols] if isinstance(symbols, str) else [str(s) for s in symbols]
        self._index = {name: k for k, name in enumerate(self.symbols)}
        given = {"zone": zone, "calendar": calendar}
        options = _Options(n_symbols=len(self.symbols), bars=text(bars),
                           remainder=int(bool(carry)),
                           **{k: text(v) for k, v in given.items() if v is not None})
        self._handle = runtime_or_shared(runtime).make(LIB.hy_ticks_create, LIB.hy_ticks_destroy,
                                                       c.byref(options))

    def _indices(self, symbol):
        if isinstance(symbol, str):
            symbol = [symbol]
        symbol = np.atleast_1d(symbol)
        if symbol.dtype.kind in "iu":
            return symbol
        names, at = np.unique(symbol.astype(str), return_inverse=True)
        for name in names:
            if str(name) not in self._index:
                raise ValueError(f"there is no symbol '{name}'")
        return np.array([self._index[str(name)] for name in names])[at]

    def push(self, time, symbol, price, size, flags=0):
        """Trades in the order in which they happened, arrays or one trade's values; symbols by name or
        index. Flagged ones are dropped. Returns the bars that have closed with them."""
        time = np.atleast_1d(_times(time))
        trades = np.empty(len(time), TRADE)
        trades["time"], trades["price"], trades["size"] = time, price, size
        trades["symbol"], trades["flags"] = self._indices(symbol), flags
        bars, n = np.empty(len(trades), BAR), SIZE()
        if len(trades):
            call(LIB.hy_ticks_push, self._handle.pointer, P(trades.ctypes.data),
                 SIZE(len(trades)), P(bars.ctypes.data), c.byref(n))
        return bars[:n.value]

    def close(self, time):
        """No trade until then comes any more: returns the time bars that end by then."""
        bars, n = np.empty(len(self.symbols), BAR), SIZE()
        call(LIB.hy_ticks_close, self._handle.pointer, c.c_int64(int(_times(time))),
             P(bars.ctypes.data), c.byref(n))
        return bars[:n.value]

    def _describe(self):
        info = _Info()
        LIB.hy_ticks_describe(self._handle.pointer, c.byref(info))
        return info

    @property
    def counts(self):
        info = self._describe()
        return {name: getattr(info, name) for name, _ in _Info._fields_[1:-1]}

    def snapshot(self):
        """Everything that later bars depend on, the open ones too, as bytes: the same on every
        machine."""
        data = bytearray(self._describe().snapshot_bytes)
        call(LIB.hy_ticks_snapshot, self._handle.pointer, (c.c_char * len(data)).from_buffer(data),
             SIZE(len(data)))
        return bytes(data)

    def restore(self, data):
        """Goes on where the snapshot was taken, in the middle of bars. One of other bars or another
        number of symbols is refused, and these are then as they were."""
        data = bytes(data)
        call(LIB.hy_ticks_restore, self._handle.pointer, data, SIZE(len(data)))
