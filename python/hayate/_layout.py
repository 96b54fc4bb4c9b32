# SPDX-License-Identifier: Apache-2.0
"""Tables of bars as panels: rows of (time, symbol, fields), or a column for each symbol, become
[time, symbol] matrices. Shared by the readers of Arrow and pandas tables.

A table whose rows stand time by time with the same symbols in the same order is a panel already: its
columns are used where they lie. Any other is laid out anew. A bar all of whose fields are missing
does not exist."""
import numpy as np

STANDARD = ("open", "high", "low", "close", "volume", "vwap")


def nanoseconds(values, what="time"):
    """int64 nanoseconds of datetime64 values; none may be missing or past what that holds."""
    if np.isnat(values).any():
        raise ValueError(f"'{what}' has rows without a time")
    exact = values.astype("datetime64[ns]")
    if (exact.astype(values.dtype) != values).any() or np.isnat(exact).any():
        raise ValueError(f"'{what}' has times that whole nanoseconds of 64 bits do not hold")
    return exact.astype("i8")


def increasing(stamps, cure):
    """Refuses times out of order; `cure` says how the table is sorted."""
    later = np.diff(stamps) > 0
    if later.all():
        return
    row = int(later.argmin()) + 1
    before, at = (f"{np.datetime64(int(t), 'ns')}Z" for t in stamps[row - 1:row + 1])
    if before == at:
        raise ValueError(f"rows {row - 1} and {row} have one time, {at}; a bar stands once")
    raise ValueError(f"row {row} ({at}) comes behind a later one ({before}): the times of a wide "
                     f"table must increase; {cure}")


def unmasked(values):
    """What a masked array masks is missing."""
    if isinstance(values, np.ma.MaskedArray):
        return values.astype("f8").filled(np.nan)
    return values


def field_name(name):
    """Open, HIGH, "Close": the standard fields in any case; other names as they are."""
    low = str(name).lower()
    return low if low in STANDARD else str(name)


class Rows:
    """How the rows of a table lie in a panel: `time` [T], `symbols` [S], and `cells`, the panel's
    cell of each row, or None where row i is cell i."""

    def __init__(self, time, codes, names):
        self.n = len(time)
        self.cells, self.time, self.symbols = None, time, list(names)
        if not self._lies_as_panel(time, codes):
            self._scatter(time, codes)

    def _lies_as_panel(self, time, codes):
        n = len(self.symbols)
        if n == 0 or self.n == 0 or self.n % n:
            return False
        grid = codes.reshape(-1, n)
        order = grid[0]
        if not np.array_equal(np.sort(order), np.arange(n)) or not (grid == order).all():
            return False
        steps = time.reshape(-1, n)
        if not (steps == steps[:, :1]).all() or not (np.diff(steps[:, 0]) > 0).all():
            return False
        self.time = np.ascontiguousarray(steps[:, 0])
        self.symbols = [self.symbols[k] for k in order]
        return True

    def _scatter(self, time, codes):
        used, codes = np.unique(codes, return_inverse=True)
        self.symbols = [self.symbols[k] for k in used]
        self.time, row = np.unique(time, return_inverse=True)
        self.cells = row.astype(np.int64) * len(used) + codes
        counts = np.bincount(self.cells, minlength=1)
        if counts.max(initial=0) > 1:
            twin = int(counts.argmax())
            stamp = np.datetime64(int(self.time[twin // len(used)]), "ns")
            raise ValueError(f"two rows for {self.symbols[twin % len(used)]} at {stamp}Z; "
                             "a bar stands once")

    @property
    def shape(self):
        return len(self.time), len(self.symbols)

    def matrix(self, column):
        """A column of the table as a [T, S] matrix of f8."""
        if self.cells is None:
            return column.reshape(self.shape)
        out = np.full(self.shape, np.nan)
        out.reshape(-1)[self.cells] = column
        return out

    def column(self, matrix):
        """The matrix's cells in the order of the table's rows."""
        flat = np.ascontiguousarray(matrix).reshape(-1)
        return flat if self.cells is None else flat[self.cells]


def panel(rows, fields, attributes):
    """The dict that Universe takes, of a table's columns (name -> f8 [rows])."""
    matrices = {field_name(name): rows.matrix(column) for name, column in fields.items()}
    if len(matrices) < len(fields):
        raise ValueError(f"the columns {', '.join(map(str, fields))} name a field twice")
    return finish(rows.time, rows.symbols, matrices, attributes)


def finish(time, symbols, matrices, attributes):
    if not matrices:
        raise ValueError("the table has no column of numbers")
    reserved = {"time", "symbol", "valid", "timeframe", "zone", "calendar"} & set(matrices)
    if reserved:
        raise ValueError(f"a field cannot be named {', '.join(sorted(reserved))}")
    absent = None
    for matrix in matrices.values():
        missing = np.isnan(matrix)
        absent = missing if absent is None else absent & missing
        if not absent.any():
            absent = None
            break
    made = {"time": time, "symbol": symbols, **matrices, **attributes}
    if absent is not None:
        made["valid"] = (~absent).view("u1")
    return made
