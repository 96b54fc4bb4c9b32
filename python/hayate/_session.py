# SPDX-License-Identifier: Apache-2.0
"""Inference: a model file planned for this machine, fed with dicts of arrays."""
import ctypes as c
import threading

import numpy as np

from . import _item
from ._library import (LIB, SIZE, Handle, SessionOptions, Tensor, call, runtime_or_shared, text,
                       texts)
from ._tensor import array_of, dtype_name, view


class Port:
    """A model's input or output: name, dtype ("f32"), shape (None: unknown rank; -1: open)."""

    def __init__(self, port):
        self.name = port.name.decode()
        self.code = port.dtype
        self.dtype = dtype_name(port.dtype)
        self.shape = tuple(port.dims[:port.rank]) if port.rank >= 0 else None

    def __repr__(self):
        return f"Port({self.name!r}, {self.dtype!r}, {self.shape})"


def open_model(runtime, model):
    """A model's handle, from a path or from bytes."""
    if isinstance(model, (bytes, bytearray, memoryview)):
        raw = np.frombuffer(model, np.uint8)
        return runtime.make(LIB.hy_model_open_memory, LIB.hy_model_destroy, c.c_void_p(raw.ctypes.data),
                            SIZE(raw.size), None, keep=(raw,))
    return runtime.make(LIB.hy_model_open, LIB.hy_model_destroy, text(model), None)


class Session:
    """session = Session("model.onnx"); session.run({"x": array}) -> {"y": array}.

    `model` is a path, or the file's bytes (which are read where they lie; no external data).
    `outputs` names what to compute, all of the model's by default. A session works for one thread
    at a time, and others wait for their turn; make one per thread."""

    def __init__(self, model, threads=1, outputs=None, runtime=None):
        self._runtime = runtime_or_shared(runtime)
        self._model = open_model(self._runtime, model)
        options = SessionOptions(n_threads=threads)
        if outputs is not None:
            options.outputs, options.n_outputs = texts(outputs), len(outputs)
        self._handle = Handle(LIB.hy_session_destroy, self._model)
        call(LIB.hy_session_create, self._model.pointer, c.byref(options),
             c.byref(self._handle.pointer))
        self._lock = self._runtime._lock if threads > 1 else threading.Lock()
        n_inputs = LIB.hy_model_n_inputs(self._model.pointer)
        n_outputs = LIB.hy_session_n_outputs(self._handle.pointer)
        ports = [LIB.hy_model_input(self._model.pointer, SIZE(i)).contents
                 for i in range(n_inputs)]
        made = [LIB.hy_session_output(self._handle.pointer, SIZE(i)).contents
                for i in range(n_outputs)]
        self._ports = ports if _item.needed(ports, made) else None
        self.inputs = [Port(LIB.hy_model_input(self._model.pointer, SIZE(i)).contents)
                       for i in range(n_inputs)]
        self.outputs = [Port(LIB.hy_session_output(self._handle.pointer, SIZE(i)).contents)
                        for i in range(n_outputs)]

    def metadata(self, key):
        """An entry of the model's metadata_props, None if there is none."""
        value = LIB.hy_model_metadata(self._model.pointer, text(key))
        return value.decode() if value is not None else None

    def _checked(self, feeds):
        names = [port.name for port in self.inputs]
        unknown = [name for name in feeds if name not in names]
        missing = [name for name in names if name not in feeds]
        if unknown or missing:
            raise ValueError(f"the model takes {names}; missing {missing}, unknown {unknown}")
        return names

    def _views(self, feeds):
        names = self._checked(feeds)
        codes = [port.code for port in self.inputs]
        tensors = (Tensor * max(len(names), 1))()
        return tensors, [view(tensor, feeds[name], code)
                         for tensor, name, code in zip(tensors, names, codes)]

    def _run_values(self, feeds):
        values = [feeds[name] for name in self._checked(feeds)]
        with self._lock:
            answers = _item.run(self._handle, self._ports, values, len(self.outputs))
        return {port.name: answer for port, answer in zip(self.outputs, answers)}

    def run(self, feeds, copy=True):
        """Feeds by input name, read where they lie. With copy=False the answers are read-only views
        into the session, overwritten by its next run. A sequence is a list of arrays, an optional
        without a value None."""
        if self._ports is not None:
            return self._run_values(feeds)
        tensors, keep = self._views(feeds)
        out = (Tensor * max(len(self.outputs), 1))()
        with self._lock:
            call(LIB.hy_session_run, self._handle.pointer, tensors, SIZE(len(self.inputs)), out,
                 SIZE(len(self.outputs)))
            answers = {port.name: array_of(tensor, self._handle)
                       for port, tensor in zip(self.outputs, out)}
            if copy:
                answers = {name: np.array(value) for name, value in answers.items()}
        del keep
        return answers
