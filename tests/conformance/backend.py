# SPDX-License-Identifier: Apache-2.0
"""hayate as onnx.backend.test sees a backend: a Backend over the Python module's Session.

What hayate refuses by name (status UNSUPPORTED), and what NumPy cannot hand over, is raised as
Unsupported: the runner counts it apart from a wrong answer."""
import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

import hayate


class Unsupported(Exception):
    """Refused by name."""


def _as_answers(value):
    """Texts as onnx.backend.test has them: arrays of objects."""
    if isinstance(value, list):
        return [_as_answers(item) for item in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return value.astype(object)
    return value


class HayateRep(BackendRep):
    """A prepared model; inputs come in the graph's order, absent ones as None."""

    def __init__(self, session):
        self._session = session

    def run(self, inputs, **kwargs):
        names = [port.name for port in self._session.inputs]
        if len(inputs) > len(names):
            raise ValueError(f"{len(inputs)} inputs for a model of {len(names)}")
        feeds = dict(zip(names, inputs))  # None: an optional without a value
        for port in self._session.inputs:
            if port.dtype != "none" and feeds.get(port.name, 0) is None:
                del feeds[port.name]
            elif port.dtype == "none":
                feeds.setdefault(port.name, None)
        try:
            answers = self._session.run(feeds)
        except TypeError as error:
            raise Unsupported(str(error)) from error
        except hayate.Error as error:
            if error.status == "UNSUPPORTED":
                raise Unsupported(str(error)) from error
            raise
        return [_as_answers(answers[port.name]) for port in self._session.outputs]


class HayateBackend(Backend):
    """onnx.backend.base.Backend over hayate.Session."""

    @classmethod
    def is_compatible(cls, model, device="CPU", **kwargs):
        try:
            cls.prepare(model, device, **kwargs)
        except Unsupported:
            return False
        return True

    @classmethod
    def prepare(cls, model, device="CPU", **kwargs):
        if not cls.supports_device(device):
            raise Unsupported(f"device {device}")
        try:
            return HayateRep(hayate.Session(model.SerializeToString()))
        except hayate.Error as error:
            if error.status == "UNSUPPORTED":
                raise Unsupported(str(error)) from error
            raise

    @classmethod
    def run_node(cls, node, inputs, device="CPU", outputs_info=None, **kwargs):
        names = [n for n in node.input if n]
        infos = [onnx.helper.make_tensor_value_info(
            n, onnx.helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype), np.shape(x))
            for n, x in zip(names, inputs)]
        outs = [onnx.helper.make_empty_tensor_value_info(n) for n in node.output if n]
        graph = onnx.helper.make_graph([node], "node", infos, outs)
        return cls.prepare(onnx.helper.make_model(graph), device).run(inputs)

    @classmethod
    def supports_device(cls, device):
        return device == "CPU"
