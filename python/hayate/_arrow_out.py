# SPDX-License-Identifier: Apache-2.0
"""Features as an Arrow table, through the C data interface: the values are the NumPy arrays that the
library wrote, without a copy; what is missing is null."""
import ctypes as c
import itertools

import numpy as np

from ._arrow import RELEASE, ArrowArray, ArrowSchema, ArrowStream, P

_NULLABLE = 2
_held = {}  # key in private_data -> what must live until it is released
_keys = itertools.count(1)


def _hold(structure, things):
    key = next(_keys)
    structure.private_data = key
    _held[key] = things


def _let_go(structure):
    structure.release = None
    _held.pop(structure.private_data or 0, None)


def _release(kind):
    """A release callback: the children that are still there, then what was held."""
    def release(at):
        structure = kind.from_address(at)
        children = [structure.children[k].contents for k in range(structure.n_children)]
        if structure.dictionary:
            children.append(structure.dictionary.contents)
        for child in children:
            if child.release:
                RELEASE(child.release)(c.addressof(child))
        _let_go(structure)
    return RELEASE(release)


_release_schema, _release_array = _release(ArrowSchema), _release(ArrowArray)


def _address(function):
    return c.cast(function, P).value


def _schema(name, form, children=(), dictionary=None, flags=0):
    made = ArrowSchema(format=form, name=name, flags=flags, n_children=len(children),
                       release=_address(_release_schema))
    pointers = (c.POINTER(ArrowSchema) * max(len(children), 1))(*[c.pointer(s) for s in children])
    made.children = pointers
    if dictionary is not None:
        made.dictionary = c.pointer(dictionary)
    _hold(made, (pointers, children, dictionary, form, name))
    return made


def _array(length, buffers, children=(), dictionary=None, nulls=0):
    addresses = (P * max(len(buffers), 1))(*[None if b is None or not b.size else b.ctypes.data
                                             for b in buffers])
    made = ArrowArray(length=length, null_count=nulls, n_buffers=len(buffers),
                      n_children=len(children), buffers=addresses,
                      release=_address(_release_array))
    pointers = (c.POINTER(ArrowArray) * max(len(children), 1))(*[c.pointer(a) for a in children])
    made.children = pointers
    if dictionary is not None:
        made.dictionary = c.pointer(dictionary)
    _hold(made, (addresses, pointers, children, dictionary, buffers))
    return made


# ---- capsules ----

_pointer_of = c.PYFUNCTYPE(P, P, c.c_char_p)(("PyCapsule_GetPointer", c.pythonapi))
_DESTROY = c.PYFUNCTYPE(None, P)  # the object is dying: it may not be counted again
_new = c.PYFUNCTYPE(c.py_object, P, c.c_char_p, P)(("PyCapsule_New", c.pythonapi))
_structures = {}  # address -> the structure that a capsule stands for


def _destroyer(name):
    def destroy(capsule):
        structure = _structures.pop(_pointer_of(capsule, name), None)
        if structure is not None and structure.release:
            RELEASE(structure.release)(c.addressof(structure))
    return _DESTROY(destroy)


_DESTROYERS = {name: _destroyer(name) for name in (b"arrow_schema", b"arrow_array",
                                                   b"arrow_array_stream")}


def _capsule(structure, name):
    at = c.addressof(structure)
    _structures[at] = structure
    return _new(at, name, _address(_DESTROYERS[name]))


# ---- the table ----

class Table:
    """Features in rows of (time, symbol): `time` a timestamp of nanoseconds UTC, `symbol` in a
    dictionary, each feature float64 with nulls where it is missing. Rows stand time by time.
    pyarrow.table(x), polars.DataFrame(x) and others that know the Arrow PyCapsule interface take
    it as it is."""

    def __init__(self, names, answer):
        self._names = names
        self._answer = answer  # what Features.batch gives
        self.num_rows = len(answer["time"]) * len(answer["symbol"])

    @property
    def column_names(self):
        return ["time", "symbol", *self._names]

    def _schema(self):
        symbols = _schema(b"", b"u")
        children = [_schema(b"time", b"tsn:UTC"), _schema(b"symbol", b"i", dictionary=symbols)]
        children += [_schema(name.encode(), b"g", flags=_NULLABLE) for name in self._names]
        return _schema(b"", b"+s", children)

    def _column(self, name):
        values = self._answer[name].reshape(-1)
        valid = self._answer[name + ".valid"].reshape(-1)
        nulls = len(valid) - int(np.count_nonzero(valid))
        bits = np.packbits(valid, bitorder="little") if nulls else None
        return _array(len(values), [bits, values], nulls=nulls)

    def _array(self):
        time, symbols = self._answer["time"], self._answer["symbol"].tolist()
        raw = [symbol.encode() for symbol in symbols]
        offsets = np.cumsum([0] + [len(text) for text in raw], dtype="i4")
        text = np.frombuffer(b"".join(raw), "u1")
        codes = np.tile(np.arange(len(raw), dtype="i4"), len(time))
        dictionary = _array(len(raw), [None, offsets, text])
        children = [_array(self.num_rows, [None, np.repeat(time, len(raw))]),
                    _array(self.num_rows, [None, codes], dictionary=dictionary)]
        children += [self._column(name) for name in self._names]
        return _array(self.num_rows, [None], children)

    def __arrow_c_schema__(self):
        return _capsule(self._schema(), b"arrow_schema")

    def __arrow_c_array__(self, requested_schema=None):
        return self.__arrow_c_schema__(), _capsule(self._array(), b"arrow_array")

    def __arrow_c_stream__(self, requested_schema=None):
        return _capsule(_stream(self), b"arrow_array_stream")


def _stream(table):
    """A stream of one chunk."""
    left = [table]
    made = ArrowStream()

    def put(structure, at):
        c.memmove(at, c.byref(structure), c.sizeof(structure))
        return 0

    def get_schema(_stream_at, at):
        return put(table._schema(), at)

    def get_next(_stream_at, at):
        return put(left.pop()._array() if left else ArrowArray(), at)

    functions = (c.CFUNCTYPE(c.c_int, P, P)(get_schema), c.CFUNCTYPE(c.c_int, P, P)(get_next),
                 c.CFUNCTYPE(P, P)(lambda _at: None))
    made.get_schema, made.get_next, made.get_last_error = map(_address, functions)
    made.release = _address(_release_stream)
    _hold(made, functions)
    return made


@RELEASE
def _release_stream(at):
    _let_go(ArrowStream.from_address(at))
