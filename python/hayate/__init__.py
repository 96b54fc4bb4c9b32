# SPDX-License-Identifier: Apache-2.0
"""hayate: market data to a model's prediction, in C; this module is its C interface for NumPy.

    import hayate
    features = hayate.Features("rsi=rsi.mid(close,14); logret(close,1)")
    table = features.batch({"time": t, "symbol": names, "close": close})      # or a universe file
    session = hayate.Session("model.onnx")
    scores = session.run({"input": x})["variable"]

A script written for onnxruntime runs with `import hayate as ort` in place of its import.

Arrays go in without a copy and come out as their own memory. Failures raise hayate.Error, which
says where. It is imported from a source tree (PYTHONPATH=python, after `make`) or an
installation."""
from ._adjust import Actions
from ._feature import Features, definitions
from ._gate import FeatureGate, GateRow
from ._inference import (InferenceSession, ModelMetadata, NodeArg, get_all_providers,
                         get_available_providers, get_device)
from ._library import VERSION as __version__
from ._library import (BadFormat, Error, InvalidArgument, InvalidProtobuf, NoSuchFile, NotFound,
                       Runtime, Unsupported)
from ._market import Universe, from_arrow, from_pandas, generate
from ._options import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, RunOptions,
                       SessionOptions)
from ._score import score
from ._session import Port, Session
from ._stream import FeatureStream
from ._ticks import Ticks
from ._tensor import load, save
from ._value import IOBinding, OrtValue
from . import capi


def set_default_logger_severity(severity):
    """Taken, without effect: hayate writes nothing unless it is asked to."""


def set_default_logger_verbosity(verbosity):
    """Taken, without effect."""


def set_seed(seed):
    """Taken, without effect: random operators take their seeds from the model."""


def disable_telemetry_events():
    """Nothing to disable: hayate calls nobody."""


enable_telemetry_events = disable_telemetry_events


def preload_dlls(cuda=True, cudnn=True, msvc=True, directory=None):
    """Taken, without effect: there is nothing beside the library to load."""


def has_collective_ops():
    return False


def get_build_info():
    return f"hayate {__version__}"


def get_version_string():
    return __version__


__all__ = ["Actions", "BadFormat", "Error", "ExecutionMode", "ExecutionOrder", "FeatureGate",
           "FeatureStream", "Features", "GateRow", "GraphOptimizationLevel",
           "IOBinding", "InferenceSession", "InvalidArgument", "InvalidProtobuf", "ModelMetadata",
           "NoSuchFile", "NodeArg", "NotFound", "OrtValue", "Port", "RunOptions", "Runtime",
           "Session", "SessionOptions", "Ticks", "Universe", "Unsupported", "__version__", "capi",
           "disable_telemetry_events", "enable_telemetry_events", "from_arrow", "from_pandas",
           "generate", "get_all_providers",
           "get_available_providers", "get_build_info", "get_device", "get_version_string",
           "has_collective_ops", "load", "preload_dlls", "save", "score",
           "set_default_logger_severity", "set_default_logger_verbosity", "set_seed"]
