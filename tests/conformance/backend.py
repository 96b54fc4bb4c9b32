# SPDX-License-Identifier: Apache-2.0
"""hayate as onnx.backend.test sees a backend: a Backend over the Python module's
InferenceSession.

What hayate refuses by name (status UNSUPPORTED), and what NumPy cannot hand over, is raised as
Unsupported: the runner counts it apart from a wrong answer."""
import numpy as np
import onnx
from onnx.backend.base import Backend, BackendRep

import hayate


class Unsupported(Exception):
    """Refused by name."""


class HayateRep(BackendRep):
    """A prepared model; inputs come in the graph's order."""

    def __init__(self, session):
        self._session = session

    def run(self, inputs, **kwargs):
        args = self._session.get_inputs()
        if len(inputs) > len(args):
            raise ValueError(f"{len(inputs)} inputs for a model of {len(args)}")
        try:
            return self._session.run(None, {a.name: x for a, x in zip(args, inputs)})
        except TypeError as error:
            raise Unsupported(str(error)) from error
        except hayate.Unsupported as error:
            raise Unsupported(str(error)) from error


class HayateBackend(Backend):
    """onnx.backend.base.Backend over hayate.InferenceSession."""

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
            return HayateRep(hayate.InferenceSession(model.SerializeToString()))
        except hayate.Unsupported as error:
            raise Unsupported(str(error)) from error

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
