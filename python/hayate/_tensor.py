# SPDX-License-Identifier: Apache-2.0
"""NumPy arrays as hy_tensor views and back, without copies where the types allow."""
import ctypes as c

import numpy as np

from ._library import LIB, MAX_RANK, P, SIZE, String, Tensor, call, runtime_or_shared, text, texts

STRING = 8
BF16 = 16
_CODES = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "?": 9, "f2": 10, "f8": 11,
          "u4": 12, "u8": 13, "V2": BF16}
TYPE_CODES = {np.dtype(name): code for name, code in _CODES.items()}
TYPES = {code: dtype for dtype, code in TYPE_CODES.items()}
# What NumPy has no type for: by ml_dtypes' where that package is there, else as opaque bytes.
_OTHERS = {"bfloat16": BF16, "float8_e4m3fn": 17, "float8_e4m3fnuz": 18, "float8_e5m2": 19,
           "float8_e5m2fnuz": 20, "uint4": 21, "int4": 22, "float4_e2m1fn": 23,
           "float8_e8m0fnu": 24, "uint2": 25, "int2": 26}
TYPES.update({code: np.dtype("u1") for code in range(17, 27)})
try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None
for _name, _code in _OTHERS.items():
    if hasattr(ml_dtypes, _name):
        TYPES[_code] = np.dtype(getattr(ml_dtypes, _name))
        TYPE_CODES[TYPES[_code]] = _code


def dtype_name(code):
    return LIB.hy_dtype_name(code).decode()


def _text_view(array, tensor):
    raw = [value if isinstance(value, bytes) else str(value).encode()
           for value in array.ravel().tolist()]
    elements = (String * max(len(raw), 1))()
    for element, value in zip(elements, raw):
        element.data = c.cast(c.c_char_p(value), P)
        element.len_bytes = len(value)
    tensor.data = c.cast(elements, P)
    tensor.dtype = STRING
    return raw, elements


def view(tensor, array, code=None):
    """Fills `tensor` as a view of `array`; returns what must live as long as the view. `code` is
    the element type that is expected: plain bytes are taken for one that NumPy lacks."""
    array = np.asarray(array)
    if array.ndim > MAX_RANK:
        raise ValueError(f"an array of {array.ndim} dimensions, at most {MAX_RANK} are taken")
    tensor.rank = array.ndim
    tensor.dims[:array.ndim] = array.shape
    tensor.strides_bytes[:] = [0] * MAX_RANK
    if array.dtype.kind in "USO":
        return _text_view(array, tensor)
    if array.dtype not in TYPE_CODES:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in TYPE_CODES:
        raise TypeError(f"arrays of {array.dtype} are not taken; "
                        f"{', '.join(sorted(str(d) for d in TYPE_CODES))} and texts are")
    broadcast = any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape))
    if broadcast:  # all strides zero would mean dense
        array = np.ascontiguousarray(array)
    if not array.flags.c_contiguous:
        tensor.strides_bytes[:array.ndim] = array.strides
    tensor.data = array.ctypes.data
    raw = code in _OTHERS.values() and array.dtype.kind in "uV"
    raw = raw and array.dtype.itemsize == TYPES[code].itemsize
    tensor.dtype = code if raw else TYPE_CODES[array.dtype]
    return array


class _Memory:
    """The library's memory for np.asarray, keeping its owner alive."""

    def __init__(self, owner, address, shape, dtype):
        self.owner = owner
        self.__array_interface__ = {"version": 3, "data": (address, True), "shape": shape,
                                    "typestr": dtype.str, "strides": None}


def array_of(tensor, owner):
    """A read-only array over the tensor's memory, which lives while `owner` does. Texts are
    copied."""
    shape = tuple(tensor.dims[:tensor.rank])
    n = int(np.prod(shape, dtype=np.int64))
    if tensor.dtype == STRING:
        elements = c.cast(tensor.data, c.POINTER(String))
        raw = (c.string_at(elements[i].data, elements[i].len_bytes) for i in range(n))
        values = [value.decode(errors="surrogateescape") for value in raw]
        return np.array(values, dtype=None if n else "U1").reshape(shape)
    dtype = TYPES[tensor.dtype]
    if n == 0:
        return np.zeros(shape, dtype)
    raw = np.asarray(_Memory(owner, tensor.data, (n * dtype.itemsize,), np.dtype("u1")))
    return raw.view(dtype).reshape(shape)


def load(path, runtime=None):
    """The arrays of an .npy (named "") or .npz file, read in place: name -> read-only array."""
    runtime = runtime_or_shared(runtime)
    handle = runtime.make(LIB.hy_arrays_read, LIB.hy_arrays_destroy, text(path))
    return {LIB.hy_arrays_name(handle.pointer, SIZE(i)).decode():
            array_of(LIB.hy_arrays_at(handle.pointer, SIZE(i)).contents, handle)
            for i in range(LIB.hy_arrays_n(handle.pointer))}


def save(path, arrays, runtime=None):
    """Writes name -> array as .npz (or one array as .npy), stored; the same arrays give the same
    bytes."""
    runtime = runtime_or_shared(runtime)
    tensors = (Tensor * max(len(arrays), 1))()
    keep = [view(tensor, array) for tensor, array in zip(tensors, arrays.values())]
    call(LIB.hy_arrays_write, runtime._handle.pointer, text(path), texts(list(arrays)),
         tensors, SIZE(len(arrays)))
    del keep
