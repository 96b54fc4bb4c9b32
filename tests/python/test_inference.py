# SPDX-License-Identifier: Apache-2.0
"""InferenceSession: what onnxruntime's gives, under its names, with its kinds of errors. The
answers are the goldens that onnxruntime made; tests/swap holds the two side by side."""
import os
import pathlib
import sys
import threading
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
import hayate as ort

GOLDEN = ROOT / "tests" / "golden" / "onnx"


def golden(name):
    """(path, inputs, answers)."""
    folder = GOLDEN / name
    with np.load(folder / "input.npz") as x, np.load(folder / "expect.npz") as y:
        return str(folder / "model.onnx"), dict(x), dict(y)


def opened(name="torch_lstm_all_legacy", **kwargs):
    path, feeds, answers = golden(name)
    return ort.InferenceSession(path, **kwargs), feeds, answers


def equal(got, want):
    want = np.asarray(want)
    if want.dtype.kind in "fc":
        return got.dtype == want.dtype and np.allclose(got, want, rtol=1e-5, atol=1e-6)
    return (np.asarray(got) == want).all()


@pytest.mark.parametrize("name", sorted(os.listdir(GOLDEN)))
def test_outputs_are_the_goldens(name):
    session, feeds, answers = opened(name)
    feeds = {arg.name: feeds[arg.name] for arg in session.get_inputs()}
    names = [arg.name for arg in session.get_outputs()]
    first, again = session.run(None, feeds), session.run(names, feeds)
    assert len(first) == len(names)
    for arg, got, more in zip(session.get_outputs(), first, again):
        if arg.labels is not None:  # ZipMap: a dict per row
            assert [list(row) for row in got] == [arg.labels] * len(got) and got == more
            got = np.array([list(row.values()) for row in got], "f4")
        else:
            assert (got == more).all() or np.isnan(got).any()
            assert got.flags.owndata and got.flags.writeable
        assert equal(got, answers[arg.name]), arg.name


def test_from_bytes():
    path, feeds, answers = golden("torch_mlp_legacy")
    raw = pathlib.Path(path).read_bytes()
    for model in (raw, bytearray(raw), memoryview(raw), pathlib.Path(path)):
        (name, want), = answers.items()
        assert equal(ort.InferenceSession(model).run([name], feeds)[0], want)


def test_ports():
    session, _, _ = opened("torch_lstm_time_legacy")
    arg = session.get_inputs()[0]
    assert (arg.type, arg.shape[-1]) == ("tensor(float)", 5)
    assert all(isinstance(d, str) for d in arg.shape[:-1])
    session, _, _ = opened("sk_logreg_strings_zipmap")
    label, probability = session.get_outputs()
    assert (label.type, probability.type) == ("tensor(string)",
                                              "seq(map(string,tensor(float)))")
    assert (probability.shape, label.shape) == ([], [None])
    assert "NodeArg(name=" in repr(label)


def test_zip_map_is_a_list_of_dicts():
    session, feeds, answers = opened("sk_logreg_strings_zipmap")
    label, rows = session.run(None, feeds)
    assert label.dtype == object and isinstance(rows, list)
    assert all(isinstance(k, str) and isinstance(v, float) for k, v in rows[0].items())
    best = [max(row, key=row.get) for row in rows]
    assert best == label.tolist()


def test_model_meta():
    session, _, _ = opened("torch_mlp_legacy")
    meta = session.get_modelmeta()
    assert (meta.producer_name, meta.graph_name) == ("pytorch", "main_graph")
    assert meta.version == 2**63 - 1 and meta.custom_metadata_map == {} and meta.domain == ""


def test_options():
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = np.int64(2)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    session, feeds, answers = opened(sess_options=options, providers=["CPUExecutionProvider"])
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert session.get_session_options() is options
    (name, want), *_ = answers.items()
    assert equal(session.run([name], feeds, ort.RunOptions())[0], want)
    with pytest.raises(AttributeError):
        options.no_such_field = 1
    with pytest.raises(TypeError):
        options.intra_op_num_threads = "2"
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        opened(providers=[("CUDAExecutionProvider", {}), "CPUExecutionProvider"])


def test_what_is_not_done_is_refused_by_name():
    options = ort.SessionOptions()
    options.enable_profiling = True
    with pytest.raises(ort.Unsupported, match="enable_profiling"):
        opened(sess_options=options)
    with pytest.raises(ort.Unsupported, match="register_custom_ops_library"):
        options.register_custom_ops_library("ops.so")


def test_errors_are_of_the_same_kinds(tmp_path):
    from hayate.capi.onnxruntime_pybind11_state import (Fail, InvalidArgument, InvalidProtobuf,
                                                        NoSuchFile)
    session, feeds, _ = opened("torch_mlp_legacy")
    (name, x), = feeds.items()
    for feed, kind, text in (({}, ValueError, "Required inputs"),
                             ({"z": x}, ValueError, name),
                             ({name: x, "z": x}, InvalidArgument, "Invalid input name: z"),
                             ({name: x.astype("f8")}, InvalidArgument, "f64"),
                             ({name: x[0]}, InvalidArgument, "shape"),
                             ({name: x[:, 1:]}, InvalidArgument, "shape"),
                             ({name: None}, InvalidArgument, "None")):
        with pytest.raises(kind, match=text):
            session.run(None, feed)
    with pytest.raises(InvalidArgument, match="Invalid output name:nope"):
        session.run(["nope"], feeds)
    with pytest.raises(TypeError):
        session.run("y", feeds)
    with pytest.raises(NoSuchFile):
        ort.InferenceSession(str(tmp_path / "none.onnx"))
    with pytest.raises(InvalidProtobuf):
        ort.InferenceSession(b"hello world")
    with pytest.raises(TypeError):
        ort.InferenceSession(3)
    assert issubclass(NoSuchFile, Fail)


def test_arrays_of_every_kind_go_in():
    session, feeds, answers = opened("torch_mlp_legacy")
    (name, x), = feeds.items()
    (out, want), = answers.items()
    frozen = x.copy()
    frozen.flags.writeable = False
    wide = np.zeros((x.shape[0], x.shape[1] * 2), "f4")
    wide[:, ::2] = x
    for value in (x, frozen, np.asfortranarray(x), wide[:, ::2], x.astype(">f4"), x.tolist(),
                  x[::-1][::-1]):
        for _ in range(3):
            assert equal(session.run([out], {name: value})[0], want)


def test_answers_stay_when_shapes_change():
    """Views over the session's memory are not what run hands out."""
    session, feeds, answers = opened("torch_mlp_legacy")
    (name, x), = feeds.items()
    (out, want), = answers.items()
    rows = [1, 3, 1, len(x), 2, len(x), len(x)]
    got = [session.run(None, {name: x[:n]})[0] for n in rows]
    for n, y in zip(rows, got):
        assert equal(y, want[:n])
    many = np.tile(x, (4096, 1))
    answers = [session.run(None, {name: many})[0] for _ in range(4)]
    assert len({a.ctypes.data for a in answers}) == 4
    for y in answers:
        assert equal(y, np.tile(want, (4096, 1)))


def test_ort_values_and_binding():
    session, feeds, answers = opened("torch_mlp_legacy")
    (name, x), = feeds.items()
    (out, want), = answers.items()
    value = ort.OrtValue.ortvalue_from_numpy(x)
    assert (value.data_type(), value.shape(), value.is_tensor()) == \
        ("tensor(float)", list(x.shape), True)
    assert equal(session.run_with_ort_values([out], {name: value})[0].numpy(), want)
    binding, y = session.io_binding(), np.zeros_like(want)
    binding.bind_cpu_input(name, x)
    binding.bind_output(out, "cpu", 0, np.float32, y.shape, y.ctypes.data)
    session.run_with_iobinding(binding)
    assert equal(y, want) and equal(binding.copy_outputs_to_cpu()[0], want)


def test_what_scripts_call_on_their_way():
    session, feeds, _ = opened()
    session.run(None, feeds)
    assert session.end_profiling() == "" and session.get_profiling_start_time_ns() == 0
    options = ort.SessionOptions()
    assert options.has_providers() is False
    options.add_provider("CPUExecutionProvider", {})
    assert options.has_providers() is True
    opened(sess_options=options)
    with pytest.raises(ort.Unsupported, match="the only provider"):
        options.add_provider("CUDAExecutionProvider", {})
    ort.preload_dlls()
    assert ort.has_collective_ops() is False and ort.__version__ in ort.get_build_info()


def wide_model():
    """A network whose steps are long enough to be divided at 512 rows, and rows for it."""
    path = str(GOLDEN / "torch_lstm_stacked_legacy/model.onnx")
    session = ort.InferenceSession(path)
    arg, = session.get_inputs()
    shape = [n if isinstance(n, int) else 512 for n in arg.shape]
    x = np.random.default_rng(1).standard_normal(shape).astype("f4")
    return path, {arg.name: x}


@pytest.mark.parametrize("n_threads", [0, 1, 2, 3])
def test_bits_do_not_depend_on_threads(n_threads):
    path, feeds = wide_model()
    options = ort.SessionOptions()
    assert options.intra_op_num_threads == 0  # all usable CPUs, as in onnxruntime
    options.intra_op_num_threads = n_threads
    session = ort.InferenceSession(path, options)
    alone = ort.InferenceSession(path, sess_options=None)
    for _ in range(3):
        assert np.array_equal(session.run(None, feeds)[0], alone.run(None, feeds)[0])


def test_a_fork_runs_its_sessions():
    """Of the workers nothing is left in a fork: it runs alone, and comes to its end."""
    path, feeds = wide_model()
    session = ort.InferenceSession(path)
    want = session.run(None, feeds)[0]
    child = os.fork()
    if child == 0:
        same = np.array_equal(session.run(None, feeds)[0], want)
        del session
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_one_session_from_many_threads():
    session, feeds, answers = opened("torch_lstm_all_legacy")
    name, want = next(iter(answers.items()))
    wrong = []

    def work():
        for _ in range(50):
            if not equal(session.run([name], feeds)[0], want):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_the_interpreter_runs_on_meanwhile():
    """While one thread is inside a run, another one's Python goes on: the lock is released. With
    the lock held, the counting thread could not move until the run is over."""
    session, feeds, _ = opened("torch_lstm_all_legacy")
    (name, x), = feeds.items()
    big = np.tile(x, (4000, 1, 1))
    session.run(None, {name: big})  # planned
    inside, counted, over = threading.Event(), [], threading.Event()

    def count():
        inside.wait()
        while not over.is_set():
            counted.append(1)
            time.sleep(0)  # gives the lock back

    thread = threading.Thread(target=count)
    old = sys.getswitchinterval()
    sys.setswitchinterval(1e3)  # the interpreter alone would not switch threads
    try:
        thread.start()
        inside.set()
        session.run(None, {name: big})
        over.set()
        thread.join()
    finally:
        sys.setswitchinterval(old)
    assert counted


def test_weights_as_bfloat16():
    options = ort.SessionOptions()
    options.add_session_config_entry("hayate.precision", "bfloat16")
    rounded, feeds, answers = opened(sess_options=options)
    want = next(iter(answers.values()))
    got = rounded.run(None, feeds)[0]
    assert not equal(got, want)
    assert np.abs(got - want).max() < 2**-6 * np.abs(want).max()
    options.add_session_config_entry("hayate.precision", "float8")
    with pytest.raises(Exception, match="precision 'float8' is unknown"):
        opened(sess_options=options)
