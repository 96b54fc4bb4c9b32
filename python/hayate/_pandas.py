# SPDX-License-Identifier: Apache-2.0
"""pandas frames as panels, and features as frames. pandas is imported when a frame is asked for.

A frame is long (an index of time and symbol, or columns of those names), wide (an index of times, and
columns of (field, symbol) in either order, or of symbols with `field`), or one symbol's bars (an
index of times, columns of fields)."""
import sys

import numpy as np

from . import _layout


def is_frame(value):
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def _times(index):
    """int64 nanoseconds UTC, and the zone's name; times without a zone are UTC."""
    import pandas
    if not isinstance(index, pandas.DatetimeIndex):
        if index.dtype.kind in "iu":
            return index.to_numpy().astype("i8"), ""
        index = pandas.DatetimeIndex(index)
    zone = str(index.tz) if index.tz is not None else ""
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    return _layout.nanoseconds(index.to_numpy()), zone


def _is_time(level):
    return level.dtype.kind in "mM" or hasattr(level, "tz")


class Source:
    """A frame as the dict that Universe takes (`panel`), and the way back (`frame`)."""

    def __init__(self, frame, time, symbol, field, attributes):
        self._input, self._attributes = frame, attributes
        columns = [str(name) for name in frame.columns] if frame.columns.nlevels == 1 else []
        if symbol in columns:
            self._long_columns(frame, time, symbol)
        elif frame.index.nlevels == 2:
            self._long_index(frame, time, symbol)
        elif frame.columns.nlevels == 2 or field:
            self._wide(frame, field)
        else:
            if time in columns:
                frame = frame.set_index(time)
            self._one(frame, symbol)

    def _stamps(self, index):
        stamps, zone = _times(index)
        if "/" in zone or zone == "UTC":
            self._attributes = {"zone": zone, **self._attributes}
        return stamps

    def _long(self, stamps, codes, names, fields):
        if (codes < 0).any():
            raise ValueError("rows without a symbol")
        self.rows = _layout.Rows(stamps, codes.astype("i8"), [str(name) for name in names])
        columns = {str(name): fields[name].to_numpy(dtype="f8") for name in fields.columns}
        self.panel = _layout.panel(self.rows, columns, self._attributes)
        self.kind = "long"

    def _long_columns(self, frame, time, symbol):
        import pandas
        codes, names = pandas.factorize(frame[symbol])
        stamps = (self._stamps(pandas.Index(frame[time])) if time in frame.columns
                  else self._stamps(frame.index))
        fields = frame.drop(columns=[name for name in (time, symbol) if name in frame.columns])
        self._long(stamps, codes, names, fields)

    def _long_index(self, frame, time, symbol):
        index = frame.index
        names = list(index.names)
        if time in names:
            level = names.index(time)
        elif symbol in names:
            level = 1 - names.index(symbol)
        else:
            level = 0 if _is_time(index.levels[0]) else 1
        if not _is_time(index.levels[level]):
            raise ValueError(f"neither level of the index holds times ({names}); name it in time=")
        places = np.asarray(index.codes[level])
        if (places < 0).any():
            raise ValueError("the index has rows without a time")
        stamps = self._stamps(index.levels[level])[places]
        self._long(stamps, np.asarray(index.codes[1 - level]), index.levels[1 - level], frame)

    def _one(self, frame, symbol):
        self.kind = "one"
        stamps = self._stamps(frame.index)
        self.rows = _layout.Rows(stamps, np.zeros(len(stamps), "i8"), [symbol])
        columns = {str(name): frame[name].to_numpy(dtype="f8") for name in frame.columns}
        self.panel = _layout.panel(self.rows, columns, self._attributes)

    def _wide(self, frame, field):
        self.kind = "wide"
        stamps = self._stamps(frame.index)
        _layout.increasing(stamps, "sort it first (df.sort_index())")
        if frame.columns.nlevels == 1:
            fields = {field: frame}
        else:
            level = self._field_level(frame.columns)
            fields = {name: frame.xs(name, axis=1, level=level)
                      for name in dict.fromkeys(frame.columns.get_level_values(level))}
        symbols = list(dict.fromkeys(name for part in fields.values() for name in part.columns))
        matrices = {}
        for name, part in fields.items():
            whole = list(part.columns) == symbols
            part = part if whole else part.reindex(columns=symbols)
            matrices[_layout.field_name(name)] = part.to_numpy(dtype="f8")
        self.panel = _layout.finish(stamps, [str(s) for s in symbols], matrices,
                                    self._attributes)

    @staticmethod
    def _field_level(columns):
        for level in (0, 1):
            if any(str(v).lower() in _layout.STANDARD for v in columns.levels[level]):
                return level
        raise ValueError("neither level of the columns holds open, high, low, close or volume")

    def frame(self, names, answer):
        """Features (what batch answers) over the frame's own rows."""
        import pandas
        index = self._input.index
        if self.kind == "wide":
            parts = [pandas.DataFrame(answer[n], index=index, columns=self.panel["symbol"])
                     for n in names]
            return pandas.concat(parts, axis=1, keys=names, names=["feature", "symbol"])
        columns = {name: self.rows.column(answer[name]) for name in names}
        return pandas.DataFrame(columns, index=index, columns=names)


def frame_of(names, answer):
    """What batch answers as a frame with an index of time and symbol."""
    import pandas
    times = pandas.DatetimeIndex(np.asarray(answer["time"]), tz="UTC")
    index = pandas.MultiIndex.from_product([times, answer["symbol"]], names=["time", "symbol"])
    return pandas.DataFrame({name: answer[name].reshape(-1) for name in names}, index=index)
