# SPDX-License-Identifier: Apache-2.0
"""Array files against NumPy: what it writes is read with the same elements, and it reads what is
written."""
import ctypes
import os
import zipfile

import numpy as np
import pytest

# A mark and no module-level skip: with nothing collected pytest would report a failure.
SANITIZED = bool(os.environ.get("HAYATE_SANITIZE"))
pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's run-time library cannot be loaded into a running Python")
LIB = ctypes.CDLL(None if SANITIZED else os.path.join(os.environ["HAYATE_BUILD"], "libhayate.so"))
P = ctypes.c_void_p
NUMBERS = {1: "f4", 2: "u1", 3: "i1", 4: "u2", 5: "i2", 6: "i4", 7: "i8", 9: "?", 10: "f2",
           11: "f8", 12: "u4", 13: "u8", 16: "V2"}
CODES = {np.dtype(v): k for k, v in NUMBERS.items()}


class String(ctypes.Structure):
    _fields_ = [("data", P), ("len_bytes", ctypes.c_size_t)]


class Tensor(ctypes.Structure):
    _fields_ = [("data", P), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32),
                ("dims", ctypes.c_int64 * 8), ("strides_bytes", ctypes.c_int64 * 8)]


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("line", ctypes.c_int32), ("column", ctypes.c_int32),
                ("reserved", ctypes.c_int32), ("offset_bytes", ctypes.c_int64),
                ("subject", ctypes.c_char * 128), ("message", ctypes.c_char * 360)]


if not SANITIZED:
    LIB.hy_arrays_at.restype = ctypes.POINTER(Tensor)
    LIB.hy_arrays_name.restype = ctypes.c_char_p
    LIB.hy_arrays_n.restype = ctypes.c_size_t


class Failed(Exception):
    pass


def call(function, *args):
    error = Error()
    status = function(*args, ctypes.byref(error))
    if status:
        raise Failed(f"{status} {error.subject.decode()}: {error.message.decode()}")


@pytest.fixture(scope="module")
def runtime():
    handle = P()
    call(LIB.hy_runtime_create, None, ctypes.byref(handle))
    yield handle
    LIB.hy_runtime_destroy(handle)


def array_of(tensor):
    shape = tuple(tensor.dims[:tensor.rank])
    n = int(np.prod(shape, dtype=np.int64))
    if tensor.dtype == 8:
        texts = ctypes.cast(tensor.data, ctypes.POINTER(String))
        return np.array([ctypes.string_at(texts[i].data, texts[i].len_bytes) for i in range(n)],
                        dtype=object).reshape(shape)
    dtype = np.dtype(NUMBERS[tensor.dtype])
    return np.frombuffer(ctypes.string_at(tensor.data, n * dtype.itemsize), dtype).reshape(shape)


def read(runtime, path):
    handle = P()
    call(LIB.hy_arrays_read, runtime, os.fsencode(path), ctypes.byref(handle))
    out = {LIB.hy_arrays_name(handle, ctypes.c_size_t(i)).decode():
           array_of(LIB.hy_arrays_at(handle, ctypes.c_size_t(i)).contents)
           for i in range(LIB.hy_arrays_n(handle))}
    LIB.hy_arrays_destroy(handle)
    return out


def write(runtime, path, arrays):
    tensors = (Tensor * len(arrays))()
    names = (ctypes.c_char_p * len(arrays))(*[n.encode() for n in arrays])
    keep = []
    for t, a in zip(tensors, arrays.values()):
        if a.dtype.kind == "U":
            raw = [s.encode() for s in a.ravel().tolist()]
            texts = (String * len(raw))(*[String(ctypes.cast(ctypes.c_char_p(r), P), len(r))
                                          for r in raw])
            keep.append((raw, texts))
            t.data, t.dtype = ctypes.cast(texts, P), 8
        else:
            t.data, t.dtype = a.ctypes.data, CODES[a.dtype]
            t.strides_bytes[:a.ndim] = a.strides
        t.rank = a.ndim
        t.dims[:a.ndim] = a.shape
    call(LIB.hy_arrays_write, runtime, os.fsencode(path), names, tensors,
         ctypes.c_size_t(len(arrays)))


def samples():
    r = np.random.default_rng(1)
    out = {}
    for code in sorted(NUMBERS.values()):
        raw = r.integers(0, 256, 24 * np.dtype(code).itemsize, dtype="u1")
        a = (raw[:24] & 1).view("?") if code == "?" else raw.view(code)
        out["c_" + code.replace("?", "b1")] = a.reshape(2, 3, 4)
    out["fortran"] = np.asfortranarray(r.normal(size=(3, 5, 2)))
    out["turned"] = r.normal(size=(3, 5, 2)).T
    out["every_other"] = r.normal(size=(6, 8))[::-2, ::3]
    out["scalar"] = np.array(2.5)
    out["empty"] = np.zeros((4, 0, 2), "f4")
    out["symbols"] = np.array([["AAPL", "疾風"], ["", "é"]])
    out["name/with:odd signs"] = np.arange(3)
    return out


def same(got, want):
    if want.dtype.kind in "US":
        want = np.array([w if isinstance(w, bytes) else w.encode() for w in want.ravel().tolist()],
                        dtype=object).reshape(want.shape)
        return got.shape == want.shape and (got == want).all()
    return got.dtype == want.dtype and got.shape == want.shape and got.tobytes() == want.tobytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_numpy_writes_we_read(runtime, tmp_path, save):
    arrays = samples()
    arrays["bytes"] = np.array([b"ab", b"c"])
    save(tmp_path / "a.npz", **arrays)
    got = read(runtime, tmp_path / "a.npz")
    assert list(got) == list(arrays)
    for name, want in arrays.items():
        assert same(got[name], want), name


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(runtime, tmp_path, version):
    want = np.arange(10, dtype="f4")
    with open(tmp_path / "a.npy", "wb") as f:
        np.lib.format.write_array(f, want, version=version)
    assert same(read(runtime, tmp_path / "a.npy")[""], want)


def test_we_write_numpy_reads(runtime, tmp_path):
    arrays = samples()
    write(runtime, tmp_path / "a.npz", arrays)
    assert zipfile.ZipFile(tmp_path / "a.npz").testzip() is None
    with np.load(tmp_path / "a.npz") as got:
        assert got.files == list(arrays)
        for name, want in arrays.items():
            assert got[name].dtype == want.dtype and got[name].shape == want.shape, name
            assert got[name].tobytes() == want.tobytes(), name


def test_same_arrays_same_bytes(runtime, tmp_path):
    arrays = samples()
    write(runtime, tmp_path / "a.npz", arrays)
    write(runtime, tmp_path / "b.npz", {n: a.copy(order="C") for n, a in arrays.items()})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_npy_bytes_are_numpys(runtime, tmp_path):
    want = np.arange(12, dtype="i8").reshape(3, 4)
    write(runtime, tmp_path / "a.npy", {"": want})
    np.save(tmp_path / "b.npy", want)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_refusals_name_the_place(runtime, tmp_path):
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(Failed, match=r"o\.npy.*dtype '\|O'"):
        read(runtime, tmp_path / "o.npy")
    np.save(tmp_path / "big.npy", np.arange(3, dtype=">f8"))
    with pytest.raises(Failed, match="big-endian"):
        read(runtime, tmp_path / "big.npy")
    with zipfile.ZipFile(tmp_path / "z.npz", "w") as z:
        z.writestr("notes.txt", "hello")
    with pytest.raises(Failed, match="notes.txt"):
        read(runtime, tmp_path / "z.npz")
    with zipfile.ZipFile(tmp_path / "l.npz", "w", zipfile.ZIP_LZMA) as z:
        z.writestr("x.npy", b"x" * 100)
    with pytest.raises(Failed, match="neither stored nor deflated"):
        read(runtime, tmp_path / "l.npz")


def test_zip64_members_of_others(runtime, tmp_path):
    want = np.arange(5.0)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as z, z.open("x.npy", "w", force_zip64=True) as f:
        np.lib.format.write_array(f, want)
    assert same(read(runtime, tmp_path / "a.npz")["x"], want)
