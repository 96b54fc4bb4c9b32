# SPDX-License-Identifier: Apache-2.0
"""Tables through the Arrow C data interface, whoever made them: any object with __arrow_c_stream__
or __arrow_c_array__ (pyarrow, polars, duckdb, nanoarrow). No package of Arrow's is imported.

Numbers of one chunk without nulls are read where they lie; float64 columns then go on to the library
without a copy when the rows lie as a panel does (_layout.py)."""
import ctypes as c
import re

import numpy as np

from . import _layout
from ._tensor import _Memory

I64 = c.c_int64
P = c.c_void_p


class ArrowSchema(c.Structure):
    pass


class ArrowArray(c.Structure):
    pass


class ArrowStream(c.Structure):
    pass


ArrowSchema._fields_ = [("format", c.c_char_p), ("name", c.c_char_p), ("metadata", P),
                        ("flags", I64), ("n_children", I64),
                        ("children", c.POINTER(c.POINTER(ArrowSchema))),
                        ("dictionary", c.POINTER(ArrowSchema)), ("release", P),
                        ("private_data", P)]
ArrowArray._fields_ = [("length", I64), ("null_count", I64), ("offset", I64), ("n_buffers", I64),
                       ("n_children", I64), ("buffers", c.POINTER(P)),
                       ("children", c.POINTER(c.POINTER(ArrowArray))),
                       ("dictionary", c.POINTER(ArrowArray)), ("release", P), ("private_data", P)]
ArrowStream._fields_ = [("get_schema", P), ("get_next", P), ("get_last_error", P), ("release", P),
                        ("private_data", P)]
RELEASE = c.CFUNCTYPE(None, P)
_GET = c.CFUNCTYPE(c.c_int, P, P)
_TEXT = c.CFUNCTYPE(c.c_char_p, P)
_capsule_pointer = c.PYFUNCTYPE(P, c.py_object, c.c_char_p)(("PyCapsule_GetPointer", c.pythonapi))


class _Owned:
    """A structure of the interface that is ours to release."""

    def __init__(self, kind):
        self.it = kind()

    def __del__(self):
        if self.it.release:
            RELEASE(self.it.release)(c.addressof(self.it))


def _moved(capsule, name, kind):
    """What a capsule holds, taken over: the capsule releases it no more."""
    owned = _Owned(kind)
    at = _capsule_pointer(capsule, name)
    c.memmove(c.byref(owned.it), at, c.sizeof(kind))
    kind.from_address(at).release = None
    return owned


def _read_stream(stream):
    def fetch(function, kind):
        owned = _Owned(kind)
        code = _GET(function)(c.addressof(stream.it), c.addressof(owned.it))
        if code:
            text = _TEXT(stream.it.get_last_error)(c.addressof(stream.it))
            raise ValueError(f"the Arrow stream failed ({code}): {(text or b'').decode()}")
        return owned

    schema, chunks = fetch(stream.it.get_schema, ArrowSchema), []
    while True:
        chunk = fetch(stream.it.get_next, ArrowArray)
        if not chunk.it.release:
            return schema, chunks
        chunks.append(chunk)


def is_table(value):
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _chunks(table):
    """(schema, [array]) of a table, both owned."""
    if hasattr(table, "__arrow_c_stream__"):
        capsule = table.__arrow_c_stream__()
        return _read_stream(_moved(capsule, b"arrow_array_stream", ArrowStream))
    schema, array = table.__arrow_c_array__()
    return (_moved(schema, b"arrow_schema", ArrowSchema),
            [_moved(array, b"arrow_array", ArrowArray)])


# ---- columns ----

_NUMBERS = {"g": "f8", "f": "f4", "e": "f2", "c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4",
            "I": "u4", "l": "i8", "L": "u8"}
_TICKS = {"s": 10 ** 9, "m": 10 ** 6, "u": 10 ** 3, "n": 1}
_DAY_NS = 86400 * 10 ** 9


def _buffer(owner, array, k, dtype, begin, n):
    dtype = np.dtype(dtype)
    if not n:
        return np.zeros(0, dtype)
    at = array.buffers[k] + begin * dtype.itemsize
    return np.asarray(_Memory(owner, at, (n,), dtype))


def _present(owner, array, begin, n):
    """Which values there are, or None for all."""
    if array.null_count == 0 or array.n_buffers == 0 or not array.buffers[0] or not n:
        return None
    first = begin // 8
    bits = _buffer(owner, array, 0, "u1", first, (begin + n + 7) // 8 - first)
    present = np.unpackbits(bits, bitorder="little")[begin - 8 * first:][:n].astype(bool)
    return None if present.all() else present


class Column:
    """One column of a table, chunk by chunk."""

    def __init__(self, schema, chunks, k):
        self._owner = schema  # released with the last column
        self.schema = schema.it.children[k].contents
        self.name = (self.schema.name or b"").decode()
        self.format = self.schema.format.decode()
        self.chunks = []
        for chunk in chunks:
            array = chunk.it.children[k].contents
            self.chunks.append((chunk, array, array.offset + chunk.it.offset, chunk.it.length))

    def _joined(self, read):
        parts = [read(*chunk) for chunk in self.chunks]
        return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)

    def is_number(self):
        return self.format in _NUMBERS and not self.schema.dictionary

    def numbers(self):
        """f8, NaN where null."""
        if not self.is_number():
            raise ValueError(f"column '{self.name}' is of Arrow format '{self.format}', numbers "
                             "are expected; name the fields to be read in fields=[...]")

        def read(owner, array, begin, n):
            values = _buffer(owner, array, 1, _NUMBERS[self.format], begin, n)
            present = _present(owner, array, begin, n)
            values = values.astype("f8", copy=False)
            return values if present is None else np.where(present, values, np.nan)

        return self._joined(read)

    def zone(self):
        """The zone of a timestamp column, "" where it has none."""
        return self.format[4:] if self.format.startswith("ts") else ""

    def times(self):
        """int64 nanoseconds UTC."""
        form = self.format
        if form.startswith("ts"):
            dtype, scale = "i8", _TICKS[form[2]]
        elif form in ("tdD", "tdm"):
            dtype, scale = ("i4", _DAY_NS) if form == "tdD" else ("i8", 10 ** 6)
        elif form == "l":
            dtype, scale = "i8", 1
        else:
            raise ValueError(f"column '{self.name}' is of Arrow format '{form}', timestamps, dates "
                             "or int64 nanoseconds are expected")

        def read(owner, array, begin, n):
            if _present(owner, array, begin, n) is not None:
                raise ValueError(f"column '{self.name}' has rows without a time")
            values = _buffer(owner, array, 1, dtype, begin, n)
            if scale == 1 and dtype == "i8":
                return values
            most = (2 ** 63 - 1) // scale
            if ((values > most) | (values < -most)).any():
                raise ValueError(f"column '{self.name}' has times that nanoseconds of 64 bits do "
                                 "not hold")
            return values.astype("i8") * scale

        return self._joined(read)

    def names(self):
        """(codes [rows], texts) of a column of texts, plain or in a dictionary, or whole numbers."""
        codes, known = [], {}
        for owner, array, begin, n in self.chunks:
            if _present(owner, array, begin, n) is not None:
                raise ValueError(f"column '{self.name}' has rows without a name")
            if self.schema.dictionary:
                index = _buffer(owner, array, 1, _NUMBERS[self.format], begin, n).astype("i8")
                values = array.dictionary.contents
                inner, texts = _texts(owner, values, values.offset, values.length,
                                      self.schema.dictionary.contents.format.decode(), self.name)
                index = inner[index]
            else:
                index, texts = _texts(owner, array, begin, n, self.format, self.name)
            to = np.array([known.setdefault(text, len(known)) for text in texts], "i8")
            codes.append(to[index] if len(to) else index)
        found = np.concatenate(codes) if codes else np.zeros(0, "i8")
        return found, list(known)


def _coded(values, decode):
    """(codes, texts) of an array that can be compared; long runs are looked at once."""
    if not len(values):
        return np.zeros(0, "i8"), []
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    distinct, first, codes = np.unique(values[starts], return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")  # in order of appearance
    rank = np.empty(len(order), "i8")
    rank[order] = np.arange(len(order))
    lengths = np.diff(np.append(starts, len(values)))
    return np.repeat(rank[codes], lengths), [decode(distinct[k]) for k in order]


def _texts(owner, array, begin, n, form, name):
    """(codes, texts) of a chunk of texts or whole numbers."""
    if form in ("u", "U"):
        offsets = _buffer(owner, array, 1, "i4" if form == "u" else "i8", begin, n + 1)
        return _coded(*_padded(owner, array, offsets.astype("i8")))
    if form == "vu":
        return _coded(*_viewed(owner, array, begin, n))
    if form in _NUMBERS and form not in "gfe":
        return _coded(_buffer(owner, array, 1, _NUMBERS[form], begin, n), lambda v: str(int(v)))
    raise ValueError(f"column '{name}' is of Arrow format '{form}', texts are expected")


def _padded(owner, array, offsets):
    lengths = np.diff(offsets)
    width = max(int(lengths.max(initial=0)), 1)
    if width > 255:
        raise ValueError(f"a symbol's name has {width} bytes")
    begin, end = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    data = np.append(_buffer(owner, array, 2, "u1", begin, end - begin), np.zeros(width, "u1"))
    at = np.arange(width)
    cells = data[(offsets[:-1, None] - begin) + at]
    cells[at >= lengths[:, None]] = 0
    return np.ascontiguousarray(cells).view(f"S{width}")[:, 0], lambda v: v.decode()


def _viewed(owner, array, begin, n):
    views = _buffer(owner, array, 1, "u1", begin * 16, n * 16).reshape(n, 16)
    lengths = views[:, :4].copy().view("i4")[:, 0]
    if lengths.max(initial=0) <= 12:
        return np.ascontiguousarray(views[:, 4:]).view("S12")[:, 0], lambda v: v.decode()
    texts = []
    for view, length in zip(views, lengths):
        if length <= 12:
            texts.append(view[4:4 + length].tobytes())
            continue
        where, offset = view[8:].copy().view("i4")
        texts.append(c.string_at(array.buffers[2 + int(where)] + int(offset), int(length)))
    return np.array(texts), lambda v: v.decode()


# ---- tables ----

def _columns(table):
    schema, chunks = _chunks(table)
    if schema.it.format != b"+s":
        raise ValueError(f"a table is expected, not an array of format {schema.it.format.decode()}")
    for chunk in chunks:
        if _present(chunk, chunk.it, chunk.it.offset, chunk.it.length) is not None:
            raise ValueError("rows of the table are null as a whole")
    columns = [Column(schema, chunks, k) for k in range(schema.it.n_children)]
    return {column.name: column for column in columns}


def _take(columns, name):
    for key in columns:
        if key == name or key.lower() == name.lower():
            return columns.pop(key)
    raise ValueError(f"the table has no column '{name}'; it has {', '.join(columns)}")


def _attributes(time, attributes):
    zone = time.zone()
    if zone and "zone" not in attributes and not re.fullmatch(r"[+-]\d\d:?\d\d", zone):
        attributes = {**attributes, "zone": zone}
    return attributes


def read_wide(tables, time, attributes):
    """{field: table with a column of each symbol} -> a panel. All tables have the same times."""
    matrices, first, symbols, made = {}, None, None, {}
    for field, table in tables.items():
        columns = _columns(table)
        at = _take(columns, time)
        stamps, names = at.times(), list(columns)
        if first is None:
            first, symbols, made = stamps, names, _attributes(at, attributes)
            _layout.increasing(stamps, f"sort it by '{time}' first")
        if names != symbols or not np.array_equal(stamps, first):
            raise ValueError(f"the table of {field} has other times or symbols than the first")
        matrices[_layout.field_name(field)] = np.column_stack([v.numbers()
                                                               for v in columns.values()])
    return _layout.finish(first, symbols, matrices, made)


def read_long(table, time, symbol, fields, attributes):
    """A table of (time, symbol, fields) rows -> (panel, how its rows lie). Without a column of
    symbols it is one series, named `symbol`."""
    columns = _columns(table)
    at = _take(columns, time)
    stamps, attributes = at.times(), _attributes(at, attributes)
    if any(key.lower() == symbol.lower() for key in columns):
        codes, names = _take(columns, symbol).names()
    else:
        codes, names = np.zeros(len(stamps), "i8"), [symbol]
    wanted = [_take(columns, field) for field in fields] if fields else list(columns.values())
    rows = _layout.Rows(stamps, codes, names)
    return _layout.panel(rows, {v.name: v.numbers() for v in wanted}, attributes), rows
