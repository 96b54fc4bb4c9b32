# SPDX-License-Identifier: Apache-2.0
"""hayate's exceptions under the names that scripts for onnxruntime catch them by."""
from .._library import Error as Fail
from .._library import InvalidArgument, InvalidProtobuf, NoSuchFile
from .._library import Unsupported as NotImplemented  # noqa: A004

InvalidGraph = ModelLoaded = NoModel = EPFail = EngineError = RuntimeException = Fail

__all__ = ["EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf",
           "ModelLoaded", "NoModel", "NoSuchFile", "NotImplemented", "RuntimeException"]
