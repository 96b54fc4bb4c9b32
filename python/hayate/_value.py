# SPDX-License-Identifier: Apache-2.0
"""OrtValue and IOBinding as scripts for onnxruntime use them: values in this process's memory."""
import ctypes as c

import numpy as np

from ._library import InvalidArgument
from ._tensor import TYPE_CODES, dtype_name

ONNX_NAMES = {"f32": "float", "f64": "double", "str": "string", "bool": "bool", "f16": "float16",
              "bf16": "bfloat16", "f8e4m3fn": "float8e4m3fn", "f8e4m3fnuz": "float8e4m3fnuz",
              "f8e5m2": "float8e5m2", "f8e5m2fnuz": "float8e5m2fnuz", "i64": "int64",
              "i32": "int32", "i16": "int16", "i8": "int8", "u64": "uint64", "u32": "uint32",
              "u16": "uint16", "u8": "uint8", "i4": "int4", "u4": "uint4", "i2": "int2",
              "u2": "uint2", "f4e2m1": "float4e2m1", "f8e8m0": "float8e8m0"}
_NAMES = {name: code for code, name in ONNX_NAMES.items()}


def type_text(dtype):
    """ "f32" -> "tensor(float)"."""
    return f"tensor({ONNX_NAMES.get(dtype, dtype)})"


class OrtValue:
    """A NumPy array, or a list of them, under onnxruntime's name for it."""
    __slots__ = ("_data",)

    def __init__(self, data):
        self._data = data

    @staticmethod
    def ortvalue_from_numpy(numpy_obj, device_type="cpu", device_id=0, vendor_id=-1):
        """Keeps the array itself: no copy."""
        if device_type != "cpu":
            raise InvalidArgument(f"device '{device_type}': hayate runs on the cpu",
                                  "INVALID_ARGUMENT")
        return OrtValue(np.asarray(numpy_obj))

    @staticmethod
    def ortvalue_from_shape_and_type(shape, element_type, device_type="cpu", device_id=0,
                                     vendor_id=-1):
        return OrtValue(np.zeros(shape, element_type))

    def numpy(self):
        return self._data

    def data_ptr(self):
        return self._data.ctypes.data

    def device_name(self):
        return "cpu"

    def shape(self):
        return list(self._data.shape)

    def data_type(self):
        if isinstance(self._data, list):
            return f"seq({OrtValue(self._data[0]).data_type()})" if self._data else "seq()"
        if self._data.dtype.kind in "OUS":
            return "tensor(string)"
        return type_text(dtype_name(TYPE_CODES[self._data.dtype]))

    def element_type(self):
        return 8 if self._data.dtype.kind in "OUS" else TYPE_CODES[self._data.dtype]

    def has_value(self):
        return self._data is not None

    def is_tensor(self):
        return isinstance(self._data, np.ndarray)

    def is_sparse_tensor(self):
        return False

    def is_tensor_sequence(self):
        return isinstance(self._data, list)

    def tensor_size_in_bytes(self):
        return self._data.nbytes

    def update_inplace(self, np_arr):
        if np_arr.shape != self._data.shape or np_arr.dtype != self._data.dtype:
            raise ValueError(f"{np_arr.dtype} {np_arr.shape} does not fit into "
                             f"{self._data.dtype} {self._data.shape}")
        self._data[...] = np_arr


def _over(buffer_ptr, shape, element_type):
    """An array over memory of the caller's."""
    dtype = np.dtype(element_type)
    n_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return np.frombuffer((c.c_char * n_bytes).from_address(buffer_ptr), dtype).reshape(shape)


class IOBinding:
    """Inputs and outputs bound by name, for run_with_iobinding."""

    def __init__(self, session):
        self._session, self._inputs, self._outputs = session, {}, {}

    def bind_cpu_input(self, name, arr_on_cpu):
        self._inputs[name] = arr_on_cpu

    def bind_input(self, name, device_type, device_id, element_type, shape, buffer_ptr):
        self._inputs[name] = _over(buffer_ptr, shape, element_type)

    def bind_ortvalue_input(self, name, ortvalue):
        self._inputs[name] = ortvalue.numpy()

    def bind_output(self, name, device_type="cpu", device_id=0, element_type=None, shape=None,
                    buffer_ptr=None):
        self._outputs[name] = (_over(buffer_ptr, shape, element_type)
                               if buffer_ptr is not None else None)

    def bind_ortvalue_output(self, name, ortvalue):
        self._outputs[name] = ortvalue.numpy()

    def synchronize_inputs(self):
        """Nothing to wait for."""

    synchronize_outputs = synchronize_inputs

    def get_outputs(self):
        return [OrtValue(value) for value in self._outputs.values()]

    def copy_outputs_to_cpu(self):
        return list(self._outputs.values())

    def clear_binding_inputs(self):
        self._inputs.clear()

    def clear_binding_outputs(self):
        self._outputs.clear()

    def run(self):
        answers = self._session.run(list(self._outputs), self._inputs)
        for name, answer in zip(self._outputs, answers):
            if self._outputs[name] is None:
                self._outputs[name] = answer
            else:
                self._outputs[name][...] = answer
