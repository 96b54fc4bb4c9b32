# SPDX-License-Identifier: Apache-2.0
"""The shared library by ctypes: where it is found, its structures, errors, and the runtime.

Everything here mirrors <hayate/*.h>; the rest of the module is written on it."""
import ctypes
import ctypes.util
import os
import pathlib
import threading

VERSION = "0.1.0"
MAX_RANK = 8
c = ctypes
P = ctypes.c_void_p
TEXT = ctypes.c_char_p
SIZE = ctypes.c_size_t


def _find():
    """HAYATE_LIBRARY, then the build folder of this source tree or the lib folder that this module
    is installed under, then what the system knows, then the inference library that a wheel holds."""
    named = os.environ.get("HAYATE_LIBRARY")
    if named:
        return named
    parents = pathlib.Path(__file__).resolve().parents
    places = [parents[2] / "build" / "release" / "libhayate.so"]
    places += [parents[3] / f"libhayate.so.{VERSION.split('.')[0]}"] if len(parents) > 3 else []
    for place in places:
        if place.exists():
            return str(place)
    found = ctypes.util.find_library("hayate")
    if found:
        return found
    inside = parents[0] / "libhayate-infer.so"
    if inside.exists():
        return str(inside)
    raise ImportError(f"libhayate.so is neither at {places[0]} nor installed; build it with "
                      "`make`, or name it in HAYATE_LIBRARY")


class CError(c.Structure):
    _fields_ = [("status", c.c_int32), ("line", c.c_int32), ("column", c.c_int32),
                ("reserved", c.c_int32), ("offset_bytes", c.c_int64),
                ("subject", c.c_char * 128), ("message", c.c_char * 360)]


class String(c.Structure):
    _fields_ = [("data", P), ("len_bytes", SIZE)]


class Tensor(c.Structure):
    _fields_ = [("data", P), ("dtype", c.c_int), ("rank", c.c_int32),
                ("dims", c.c_int64 * MAX_RANK), ("strides_bytes", c.c_int64 * MAX_RANK)]


class Port(c.Structure):
    _fields_ = [("name", TEXT), ("dtype", c.c_int), ("rank", c.c_int32),
                ("dims", c.c_int64 * MAX_RANK), ("dim_names", TEXT * MAX_RANK),
                ("type", TEXT), ("labels", Tensor)]


class Options(c.Structure):
    """A structure that begins with its own size; the rest is zero, which means default."""

    def __init__(self, **values):
        super().__init__(struct_size=c.sizeof(type(self)), **values)


THREADS_SHARED = 0xFFFFFFFF  # hy_session_options.n_threads: the runtime's workers


class RuntimeOptions(Options):
    _fields_ = [("struct_size", SIZE), ("allocator", P), ("n_threads", c.c_uint32),
                ("no_pinning", c.c_bool), ("isa", c.c_int), ("log_level", c.c_int), ("log", P),
                ("log_ctx", P)]


class ModelInfo(Options):
    _fields_ = [("struct_size", SIZE), ("producer_name", TEXT), ("producer_version", TEXT),
                ("domain", TEXT), ("description", TEXT), ("graph_name", TEXT),
                ("graph_description", TEXT), ("model_version", c.c_int64),
                ("ir_version", c.c_int64), ("n_metadata", SIZE)]


class SessionOptions(Options):
    _fields_ = [("struct_size", SIZE), ("n_threads", c.c_uint32), ("outputs", c.POINTER(TEXT)),
                ("n_outputs", SIZE), ("max_rounds", c.c_uint64), ("max_bytes", c.c_uint64),
                ("precision", c.c_int), ("max_run_ms", c.c_uint32)]


class FeaturesInfo(Options):
    _fields_ = [("struct_size", SIZE), ("n_features", SIZE), ("names", c.POINTER(TEXT)),
                ("lookback_bars", SIZE), ("stable_bars", SIZE), ("spec_sha256", TEXT),
                ("canonical", TEXT), ("fit_sha256", TEXT)]


class Window(c.Structure):
    _fields_ = [("timeframe", TEXT), ("n_bars", SIZE)]


class WindowsOptions(Options):
    _fields_ = [("struct_size", SIZE), ("windows", c.POINTER(Window)), ("n_windows", SIZE),
                ("t_begin", SIZE), ("t_end", SIZE), ("dtype", c.c_int)]


class CheckOptions(Options):
    _fields_ = [("struct_size", SIZE), ("seed", c.c_uint64), ("n_points", SIZE),
                ("tol", c.c_double), ("warmup_bars", SIZE), ("max_missing", c.c_double),
                ("progress", P), ("progress_ctx", P)]


class FeatureColumns(Options):
    _fields_ = [("struct_size", SIZE), ("t_begin", SIZE), ("t_end", SIZE), ("stride", SIZE),
                ("out", P)]


class UniverseInfo(Options):
    _fields_ = [("struct_size", SIZE), ("n_bars", SIZE), ("n_symbols", SIZE), ("n_fields", SIZE),
                ("time_ns", P), ("symbols", c.POINTER(TEXT)), ("fields", c.POINTER(TEXT)),
                ("timeframe", TEXT), ("timeframe_ns", c.c_int64), ("zone", TEXT),
                ("calendar", TEXT), ("source", TEXT)]


class Panel(Options):
    _fields_ = [("struct_size", SIZE), ("n_bars", SIZE), ("n_symbols", SIZE), ("n_fields", SIZE),
                ("time_ns", P), ("symbols", c.POINTER(TEXT)), ("fields", c.POINTER(TEXT)),
                ("data", c.POINTER(P)), ("valid", P), ("timeframe", TEXT), ("zone", TEXT),
                ("calendar", TEXT)]


class GenerateOptions(Options):
    _fields_ = [("struct_size", SIZE), ("n_symbols", SIZE), ("n_bars", SIZE), ("timeframe", TEXT),
                ("seed", c.c_uint64), ("output", TEXT), ("progress", P), ("progress_ctx", P)]


class ScoreOptions(Options):
    _fields_ = [("struct_size", SIZE), ("at", TEXT), ("from_", TEXT), ("to", TEXT),
                ("history", c.c_int), ("evaluate", c.c_bool), ("strict", c.c_bool),
                ("symbol_limit_ns", c.c_uint64), ("run_limit_ns", c.c_uint64),
                ("repeat", c.c_uint32), ("cancel", P), ("progress", P), ("progress_ctx", P),
                ("actions", TEXT)]


WRITE = c.CFUNCTYPE(c.c_int, P, P, SIZE, P)


class Sink(c.Structure):
    _fields_ = [("write", WRITE), ("ctx", P)]


def text(value):
    """A text or path for C, where a NUL would end it: ValueError where it holds one."""
    raw = os.fsencode(value if isinstance(value, (bytes, os.PathLike)) else str(value))
    if b"\0" in raw:
        raise ValueError("a text with a NUL: %r" % (value,))
    return raw


def texts(values):
    """An array of C strings, terminated texts of the caller's."""
    return (TEXT * max(len(values), 1))(*[text(v) for v in values])


class Error(Exception):
    """A call that failed: `status` ("BAD_FORMAT"), `subject` (file, tensor, symbol or feature),
    `line` and `column` (from 1, None where unknown), `offset_bytes`, `message`. str() gives them
    in one line. Raised as the subclass for its status where there is one."""

    def __init__(self, text, status="INTERNAL"):
        super().__init__(text)
        self.status, self.message = status, text
        self.subject = self.line = self.column = self.offset_bytes = None


class NotFound(Error):
    """A name is not there: a file, a definition, a field of the universe."""


class NoSuchFile(NotFound):
    """A model's file, as onnxruntime calls it."""


class InvalidArgument(Error):
    """What was handed over does not fit: the message says which and what was expected."""


class BadFormat(Error):
    """A spec, a file or a snapshot is not what it should be; the message says where."""


class InvalidProtobuf(BadFormat):
    """A model's bytes are not what they should be, as onnxruntime calls it."""


class Unsupported(Error):
    """Refused by name: this version does not do it."""


_CLASSES = {"NOT_FOUND": NotFound, "INVALID_ARGUMENT": InvalidArgument, "BAD_FORMAT": BadFormat,
            "UNSUPPORTED": Unsupported}
_MODEL_CLASSES = {**_CLASSES, "NOT_FOUND": NoSuchFile, "BAD_FORMAT": InvalidProtobuf}
for _class in (Error, NotFound, BadFormat, *_MODEL_CLASSES.values()):
    _class.__module__ = "hayate"


class Library(ctypes.CDLL):
    """The library; what it lacks is refused by name when it is asked for."""

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            if not name.startswith("hy_"):
                raise
            raise Unsupported(f"{name} is not in {self._name}, which holds inference alone; install "
                              "libhayate, or name it in HAYATE_LIBRARY", "UNSUPPORTED") from None


LIB = Library(_find())
for _name, _type in {"hy_version": TEXT, "hy_status_name": TEXT, "hy_isa_name": TEXT,
                     "hy_dtype_name": TEXT, "hy_error_format": SIZE, "hy_arrays_n": SIZE,
                     "hy_arrays_name": TEXT, "hy_arrays_at": c.POINTER(Tensor),
                     "hy_model_n_inputs": SIZE, "hy_model_n_outputs": SIZE,
                     "hy_model_input": c.POINTER(Port), "hy_model_output": c.POINTER(Port),
                     "hy_model_metadata": TEXT, "hy_model_metadata_key": TEXT,
                     "hy_session_n_outputs": SIZE,
                     "hy_session_output": c.POINTER(Port), "hy_runtime_n_threads": c.c_uint32,
                     "hy_pipeline_name": TEXT, "hy_features_at": SIZE}.items():
    try:
        getattr(LIB, _name).restype = _type
    except Unsupported:  # refused where it is used
        pass

_loaded = LIB.hy_version().decode()
if _loaded != VERSION:
    raise ImportError(f"this module is for hayate {VERSION}, the library is {_loaded}")


def error_of(error, function=""):
    """The exception for a CError that a function of the library has set."""
    text = c.create_string_buffer(1024)
    LIB.hy_error_format(c.byref(error), text, SIZE(len(text)))
    status = LIB.hy_status_name(error.status).decode()
    classes = _MODEL_CLASSES if function.startswith(("hy_model", "hy_session")) else _CLASSES
    made = classes.get(status, Error)(text.value.decode(errors="replace"), status)
    made.subject = error.subject.decode(errors="replace") or None
    made.line = error.line or None
    made.column = error.column or None
    made.offset_bytes = error.offset_bytes if error.offset_bytes >= 0 else None
    made.message = error.message.decode(errors="replace")
    return made


def call(function, *args):
    """Calls a function whose last parameter is the error; raises Error unless it answers OK."""
    error = CError()
    status = function(*args, c.byref(error))
    if status:
        error.status = status
        raise error_of(error, function.__name__)


class Handle:
    """Owns one object of the library and what must outlive it. Counted by hand: a collected cycle
    is finalised in any order."""

    def __init__(self, destroy, *keep):
        self.pointer = P()
        self.keep = keep
        self._destroy = destroy
        self._users = 1
        for other in keep:
            if isinstance(other, Handle):
                other._users += 1

    def _release(self):
        self._users -= 1
        if self._users:
            return
        if self.pointer:
            self._destroy(self.pointer)
            self.pointer = P()
        for other in self.keep:
            if isinstance(other, Handle):
                other._release()

    def __del__(self):
        self._release()


class Runtime:
    """Threads, instruction set and log for the objects made with it. `isa` is "scalar", "avx2",
    "avx512" or "amx"; the defaults are the environment's (HAYATE_THREADS, HAYATE_ISA) or the
    machine's best. `pinned`: worker k stays on the k-th usable CPU."""

    def __init__(self, threads=0, isa=None, pinned=True):
        code = c.c_int(0)
        if isa is not None:
            call(LIB.hy_isa_parse, text(isa), c.byref(code))
        options = RuntimeOptions(n_threads=threads, isa=code.value, no_pinning=not pinned)
        self._handle = Handle(LIB.hy_runtime_destroy)
        self._lock = threading.Lock()  # its thread pool runs one job at a time
        call(LIB.hy_runtime_create, c.byref(options), c.byref(self._handle.pointer))

    @property
    def threads(self):
        return LIB.hy_runtime_n_threads(self._handle.pointer)

    @property
    def isa(self):
        return LIB.hy_isa_name(LIB.hy_runtime_isa(self._handle.pointer)).decode()

    def make(self, create, destroy, *args, keep=()):
        """A handle by `create(runtime, *args, out, error)`."""
        handle = Handle(destroy, self._handle, *keep)
        call(create, self._handle.pointer, *args, c.byref(handle.pointer))
        return handle


_shared = None
_shared_lock = threading.Lock()


def runtime_or_shared(runtime):
    """The runtime given, or one for the whole module, made at its first use."""
    global _shared
    if runtime is not None:
        return runtime
    with _shared_lock:
        if _shared is None:
            _shared = Runtime()
        return _shared


def written(function, *args):
    """The bytes that `function(*args, sink, error)` writes."""
    parts = []

    @WRITE
    def write(_ctx, data, n_bytes, _error):
        parts.append(c.string_at(data, n_bytes))
        return 0

    sink = Sink(write, None)
    call(function, *args, c.byref(sink))
    return b"".join(parts)
