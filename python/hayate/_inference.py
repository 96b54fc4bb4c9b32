# SPDX-License-Identifier: Apache-2.0
"""InferenceSession: the class of onnxruntime's name and manners over hayate.

    import hayate as ort
    session = ort.InferenceSession("model.onnx")
    y, = session.run(None, {"x": x})

One session may be run by many threads at once: each run takes a session of the library from a pool,
all of one model, which share its weights."""
import threading
import warnings

import numpy as np

from ._call import Caller
from ._library import (LIB, SIZE, THREADS_SHARED, InvalidArgument, ModelInfo, Runtime, c,
                       runtime_or_shared)
from ._options import RunOptions, SessionOptions
from ._session import open_model
from ._tensor import TYPES, array_of, dtype_name
from ._value import IOBinding, OrtValue, type_text

_PROVIDER = "CPUExecutionProvider"


def get_available_providers():
    return [_PROVIDER]


get_all_providers = get_available_providers


def get_device():
    return "CPU"


def _refuse(text):
    return InvalidArgument(text, "INVALID_ARGUMENT")


class NodeArg:
    """An input or output: `name`, `type` ("tensor(float)"), `shape` (a number, a dim's name, or
    None where it is open without a name)."""
    __slots__ = ("name", "type", "shape", "labels", "dtype")

    def __init__(self, port):
        self.name = port.name.decode()
        self.labels = array_of(port.labels, None).tolist() if port.labels.data else None
        self.dtype = TYPES.get(port.dtype)
        if self.labels is not None:
            key = "string" if isinstance(self.labels[0], str) else "int64"
            self.type, self.shape = f"seq(map({key},tensor(float)))", []
            return
        self.type = port.type.decode() if port.type else type_text(dtype_name(port.dtype))
        names = [name.decode() if name else None for name in port.dim_names]
        self.shape = [port.dims[d] if port.dims[d] >= 0 else names[d]
                      for d in range(max(port.rank, 0))]

    def __repr__(self):
        return f"NodeArg(name={self.name!r}, type={self.type!r}, shape={self.shape})"


class ModelMetadata:
    """What the file says about itself."""

    def __init__(self, model):
        info = ModelInfo()
        LIB.hy_model_describe(model.pointer, c.byref(info))
        for name in ("producer_name", "domain", "description", "graph_name", "graph_description"):
            setattr(self, name, getattr(info, name).decode(errors="replace"))
        self.version = info.model_version
        keys = [LIB.hy_model_metadata_key(model.pointer, SIZE(i)) for i in range(info.n_metadata)]
        self.custom_metadata_map = {
            key.decode(errors="replace"):
            LIB.hy_model_metadata(model.pointer, key).decode(errors="replace") for key in keys}


def _workers(n_threads, runtime):
    """The runtime and hy_session_options.n_threads for an intra_op_num_threads: 0 is all usable CPUs,
    shared by all sessions; another number has workers that the session's own runs share."""
    if n_threads == 1:
        return runtime_or_shared(runtime), 1
    if n_threads == 0:
        return runtime_or_shared(runtime), THREADS_SHARED
    return (runtime, n_threads) if runtime else (Runtime(n_threads, pinned=False), THREADS_SHARED)


def _check_providers(providers):
    for entry in providers or ():
        name = entry[0] if isinstance(entry, (tuple, list)) else entry
        if not isinstance(name, str):
            raise ValueError(f"a provider is a name or a (name, options) pair, not {entry!r}")
        if name != _PROVIDER:
            warnings.warn(f"Specified provider '{name}' is not in available provider names."
                          f"Available providers: '{_PROVIDER}'", stacklevel=3)


class InferenceSession:
    """As onnxruntime.InferenceSession; `path_or_bytes` is a file's path or its bytes (an ONNX
    model, or whatever hayate.Session opens)."""

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None,
                 **kwargs):
        options = sess_options if isinstance(sess_options, SessionOptions) else SessionOptions()
        options.check()
        _check_providers(providers)
        if not isinstance(path_or_bytes, (str, bytes, bytearray, memoryview)) \
                and not hasattr(path_or_bytes, "__fspath__"):
            raise TypeError(f"Unable to load from type '{type(path_or_bytes)}'")
        self._options = options
        runtime, self._n_threads = _workers(options.intra_op_num_threads, kwargs.get("runtime"))
        self._model = open_model(runtime, path_or_bytes)
        self._precision = options._entries.get("hayate.precision", "float32")
        p = self._model.pointer
        self._inputs = [NodeArg(LIB.hy_model_input(p, SIZE(i)).contents)
                        for i in range(LIB.hy_model_n_inputs(p))]
        self._outputs = [NodeArg(LIB.hy_model_output(p, SIZE(i)).contents)
                         for i in range(LIB.hy_model_n_outputs(p))]
        self._names = [arg.name for arg in self._inputs]
        self._by_name = {arg.name: arg for arg in self._outputs}
        self._lock = threading.Lock()
        self._pools = {None: self._pool([arg.name for arg in self._outputs])}

    def _pool(self, names):
        """(unused callers, what a caller is made for, labels of ZipMaps or None)."""
        labels = [self._by_name[name].labels for name in names]
        return ([Caller(self._model, self._n_threads, names, self._precision)], names,
                labels if any(labels) else None)

    def _pool_of(self, output_names):
        key = None if not output_names else tuple(output_names)
        if key in self._pools:
            return self._pools[key]
        if isinstance(output_names, str):
            raise TypeError("run(): output_names is a list of names, not one text")
        for name in key:
            if name not in self._by_name:
                raise _refuse(f"Invalid output name:{name}")
        with self._lock:
            return self._pools.setdefault(key, self._pool(list(key)))

    def _values(self, feeds):
        """The feeds in the model's order."""
        try:
            values = [feeds[name] for name in self._names]
        except KeyError:
            absent = {a.name: None for a in self._inputs if a.type.startswith("optional")}
            if not set(self._names) <= set(absent) | set(feeds):
                missing = [name for name in self._names if name not in feeds]
                raise ValueError(f"Required inputs ({missing}) are missing from input feed "
                                 f"({list(feeds)}).") from None
            return self._values({**absent, **feeds})
        if len(feeds) != len(values):
            extra = [name for name in feeds if name not in self._names]
            raise _refuse(f"Invalid input name: {extra[0]}")
        return values

    def _arrays(self, values):
        """What is no array becomes one of the input's type."""
        for k, (value, arg) in enumerate(zip(values, self._inputs)):
            if not arg.type.startswith("tensor"):  # a list, or an optional's None
                continue
            if value is None:
                raise _refuse(f"input '{arg.name}' is None, the model expects {arg.type}")
            if not isinstance(value, np.ndarray):
                known = arg.dtype is not None and not hasattr(value, "dtype")
                values[k] = np.asarray(value, dtype=arg.dtype if known else None)
        return values

    def run(self, output_names, input_feed, run_options=None):
        """Outputs by name (None: all) of a dict of arrays; arrays go in where they lie if they are
        dense, and come out as new ones."""
        if run_options is not None and not isinstance(run_options, RunOptions):
            raise TypeError(f"run(): run_options is {type(run_options).__name__}, RunOptions is "
                            "expected")
        unused, names, labels = self._pools[None] if not output_names \
            else self._pool_of(output_names)
        values = self._values(input_feed)
        for value in values:
            if value.__class__ is not np.ndarray:
                values = self._arrays(values)
                break
        try:
            caller = unused.pop()
        except IndexError:  # all at work in other threads
            caller = Caller(self._model, self._n_threads, names, self._precision)
        try:
            answers = caller.run(values)
        finally:
            unused.append(caller)
        if labels is not None:
            answers = [answer if keys is None or isinstance(answer, list) else
                       [dict(zip(keys, row)) for row in answer.tolist()]
                       for answer, keys in zip(answers, labels)]
        return answers

    def run_with_ort_values(self, output_names, input_dict_ort_values, run_options=None):
        feeds = {name: value.numpy() for name, value in input_dict_ort_values.items()}
        return [OrtValue(answer) for answer in self.run(output_names, feeds, run_options)]

    def run_async(self, output_names, input_feed, callback, user_data, run_options=None):
        """`callback(results, user_data, error text)` from a thread of its own."""
        def work():
            try:
                results, error = self.run(output_names, input_feed, run_options), ""
            except Exception as fault:  # every fault goes to the callback
                results, error = [], str(fault)
            callback(results, user_data, error)
        threading.Thread(target=work).start()

    def io_binding(self):
        return IOBinding(self)

    def run_with_iobinding(self, iobinding, run_options=None):
        iobinding.run()

    def get_inputs(self):
        return list(self._inputs)

    def get_outputs(self):
        return list(self._outputs)

    def get_overridable_initializers(self):
        return []

    def get_modelmeta(self):
        return ModelMetadata(self._model)

    def end_profiling(self):
        """The profile's file: none, as profiling is refused when a session is made."""
        return ""

    def get_profiling_start_time_ns(self):
        return 0

    def get_session_options(self):
        return self._options

    def get_providers(self):
        return [_PROVIDER]

    def get_provider_options(self):
        return {_PROVIDER: {}}

    def set_providers(self, providers=None, provider_options=None):
        _check_providers(providers)

    def enable_fallback(self):
        """There is one provider and nothing to fall back to."""

    disable_fallback = enable_fallback
