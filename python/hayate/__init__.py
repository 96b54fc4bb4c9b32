# SPDX-License-Identifier: Apache-2.0
"""hayate: market data to a model's prediction, in C; this module is its C interface for NumPy.

    import hayate
    features = hayate.Features("rsi=rsi.mid(close,14); logret(close,1)")
    table = features.batch({"time": t, "symbol": names, "close": close})      # or a universe file
    session = hayate.Session("model.onnx")
    scores = session.run({"input": x})["variable"]

Arrays go in without a copy and come out as their own memory. Failures raise hayate.Error, which
says where. It is imported from a source tree (PYTHONPATH=python, after `make`) or an
installation."""
from ._feature import Features
from ._library import VERSION as __version__
from ._library import Error, Runtime
from ._market import Universe, generate
from ._score import score
from ._session import Port, Session
from ._tensor import load, save

__all__ = ["Error", "Features", "Port", "Runtime", "Session", "Universe", "__version__", "generate",
           "load", "save", "score"]
