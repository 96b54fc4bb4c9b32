# SPDX-License-Identifier: Apache-2.0
"""One session of the library with everything that a call of it needs made beforehand.

A call from Python costs what its objects cost, so nothing is made twice: the views of the inputs
are kept and only their addresses change while shapes stay, small answers are copied out of arrays
over the session's memory that are kept too, and large ones are written into new arrays directly."""
import ctypes as c

import numpy as np

from . import _item
from ._library import (LIB, SIZE, CError, Handle, SessionOptions, Tensor, call, error_of, text,
                       texts)
from ._tensor import STRING, array_of, view

_DIRECT_BYTES = 1 << 14  # answers from this size are written where they stay
_address, _at = c.addressof, c.c_char.from_buffer


def _objects(value):
    """Texts as arrays of objects, in lists too."""
    if isinstance(value, list):
        return [_objects(item) for item in value]
    return value.astype(object) if value is not None and value.dtype.kind == "U" else value


class Caller:
    """A session of `model` (a Handle) for `outputs` (names, None for all). For one thread at a
    time."""

    def __init__(self, model, n_threads=1, outputs=None, precision="float32"):
        code = c.c_int(0)
        call(LIB.hy_precision_parse, text(precision), c.byref(code))
        options = SessionOptions(n_threads=n_threads, precision=code.value)
        if outputs is not None:
            options.outputs, options.n_outputs = texts(outputs), len(outputs)
        self.handle = Handle(LIB.hy_session_destroy, model)
        self._error = CError()
        self._error_at = c.byref(self._error)
        self._check(LIB.hy_session_create(model.pointer, c.byref(options),
                                          c.byref(self.handle.pointer), self._error_at))
        n_in = LIB.hy_model_n_inputs(model.pointer)
        n_out = LIB.hy_session_n_outputs(self.handle.pointer)
        self._in, self._out = (Tensor * max(n_in, 1))(), (Tensor * max(n_out, 1))()
        ports = [LIB.hy_model_input(model.pointer, SIZE(k)).contents for k in range(n_in)]
        made = [LIB.hy_session_output(self.handle.pointer, SIZE(k)).contents for k in range(n_out)]
        self._ports = ports if _item.needed(ports, made) else None  # some value is no tensor
        self._codes = [port.dtype for port in ports]
        self._in_items = [self._in[k] for k in range(n_in)]
        self._out_items = [self._out[k] for k in range(n_out)]
        self._seen = [(None, None, None)] * n_in  # dtype, shape, strides that _in describes
        self._made = None     # the outputs' description of the call before
        self._answers = None  # arrays over the session's memory, as _made describes it
        self._texts = False   # an answer is of texts
        self._direct = None   # (shape, dtype) per output where answers are written in place
        self._raw = (c.c_char * c.sizeof(self._out)).from_buffer(self._out)
        self._call = (self.handle.pointer, self._in, SIZE(n_in), self._out, SIZE(n_out),
                      self._error_at)

    def _check(self, status):
        if status:
            self._error.status = status
            raise error_of(self._error, "hy_session_run")

    def _describe(self, k, value):
        """The slow way in: any array, at a new shape, strided or read-only."""
        array = view(self._in_items[k], value, self._codes[k])
        if isinstance(array, np.ndarray) and array is value and array.flags.c_contiguous:
            self._seen[k] = (array.dtype, array.shape, array.strides)
        else:
            self._seen[k] = (None, None, None)
        return array

    def _fill(self, values):
        keep, same, k = [], True, 0
        for value, item, seen in zip(values, self._in_items, self._seen):
            try:
                fits = (value.dtype is seen[0] and value.shape == seen[1]
                        and value.strides == seen[2])
                if fits:
                    item.data = _address(_at(value))
            except (AttributeError, TypeError, ValueError):  # no array; read-only; empty
                fits = False
            if not fits:
                keep.append(self._describe(k, value))
                same = False
            k += 1
        return keep, same

    def run(self, values):
        """Arrays in the order of the model's inputs -> new arrays in the order of the outputs."""
        if self._ports is not None:
            answers = _item.run(self.handle, self._ports, values, len(self._out_items))
            return [_objects(answer) for answer in answers]
        keep, same = self._fill(values)
        if same and self._direct is not None:
            answers = [np.empty(shape, dtype) for shape, dtype in self._direct]
            self._raw.raw = self._made
            for item, answer in zip(self._out_items, answers):
                item.data = _address(_at(answer))
            if LIB.hy_session_run(*self._call) == 0:
                return answers
            # A shape that depends on data may have changed; another fault comes again below.
        self._direct = None
        answers = [a if a.dtype == object else a.copy() for a in self._run_views(keep)]
        if (any(a.nbytes >= _DIRECT_BYTES for a in answers)
                and all(a.nbytes and a.dtype != object for a in answers)):
            self._direct = [(a.shape, a.dtype) for a in answers]
        return answers

    def run_views(self, values):
        """The same, the answers being read-only views until the next call. Texts are copied."""
        return self._run_views(self._fill(values)[0])

    def _run_views(self, keep):
        for item in self._out_items:
            item.data = None
        self._check(LIB.hy_session_run(*self._call))
        del keep
        raw = self._raw.raw
        if raw != self._made:
            self._made = raw
            self._answers = self._arrays()
            self._texts = any(item.dtype == STRING for item in self._out_items)
        elif self._texts:
            return self._arrays()
        return self._answers

    def _arrays(self):
        """The outputs as arrays over the session's memory; texts as arrays of objects."""
        return [_objects(array_of(item, self.handle)) for item in self._out_items]
