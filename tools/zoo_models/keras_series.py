# SPDX-License-Identifier: Apache-2.0
"""Networks over windows of bars as Keras' own exporter and tf2onnx write them: layers that become
operators, and cells that stay loops. Where TensorFlow is not beside the other exporters,
HAYATE_KERAS names an interpreter that has it."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

STEPS, FEATURES, UNITS = 24, 8, 16


def sequential(*layers, shape=(STEPS, FEATURES)):
    import keras
    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(1)])


def layers():
    import keras
    return keras.layers


def unrolled(kind):
    return sequential(getattr(layers(), kind)(UNITS, unroll=True), shape=(9, FEATURES))


def cells(name, **kwargs):
    return sequential(layers().RNN(getattr(layers(), name)(UNITS, **kwargs)))


def both_ways(kind):
    return sequential(layers().Bidirectional(getattr(layers(), kind)(UNITS)))


NETS = {
    "lstm": lambda: sequential(layers().LSTM(UNITS)),
    "lstm_sequence": lambda: sequential(layers().LSTM(UNITS, return_sequences=True)),
    "lstm_two": lambda: sequential(layers().LSTM(UNITS, return_sequences=True), layers().LSTM(12)),
    "lstm_relu": lambda: sequential(layers().LSTM(UNITS, activation="relu")),
    "lstm_hard": lambda: sequential(layers().LSTM(UNITS, recurrent_activation="hard_sigmoid")),
    "lstm_linear": lambda: sequential(layers().LSTM(UNITS, activation="linear")),
    "lstm_backwards": lambda: sequential(layers().LSTM(UNITS, go_backwards=True)),
    "lstm_masked": lambda: sequential(layers().Masking(), layers().LSTM(UNITS)),
    "lstm_unrolled": lambda: unrolled("LSTM"),
    "lstm_cell": lambda: cells("LSTMCell"),
    "lstm_cells": lambda: sequential(layers().RNN([layers().LSTMCell(UNITS),
                                                   layers().LSTMCell(12)])),
    "gru": lambda: sequential(layers().GRU(UNITS)),
    "gru_sequence": lambda: sequential(layers().GRU(UNITS, return_sequences=True)),
    "gru_before": lambda: sequential(layers().GRU(UNITS, reset_after=False)),
    "gru_relu": lambda: sequential(layers().GRU(UNITS, activation="relu")),
    "gru_elu": lambda: sequential(layers().GRU(UNITS, activation="elu")),
    "gru_unrolled": lambda: unrolled("GRU"),
    "gru_cell": lambda: cells("GRUCell"),
    "gru_cell_before": lambda: cells("GRUCell", reset_after=False),
    "rnn": lambda: sequential(layers().SimpleRNN(UNITS)),
    "rnn_cell": lambda: cells("SimpleRNNCell"),
    "rnn_relu": lambda: sequential(layers().SimpleRNN(UNITS, activation="relu")),
    "bilstm": lambda: both_ways("LSTM"),
    "bigru": lambda: both_ways("GRU"),
    "norm": lambda: sequential(layers().Dense(12), layers().LayerNormalization(),
                               layers().Dense(12, "silu"), shape=(FEATURES,)),
    "norm_steps": lambda: sequential(layers().LayerNormalization(), layers().Flatten()),
    "conv": lambda: sequential(layers().Conv1D(12, 3, padding="causal", activation="relu"),
                               layers().BatchNormalization(), layers().GlobalAveragePooling1D()),
    "attention": lambda: attention(),
}
TF2ONNX = ("lstm_cell", "gru", "rnn_cell", "norm_steps")
SHAPES = {"lstm_unrolled": (9, FEATURES), "gru_unrolled": (9, FEATURES), "norm": (FEATURES,)}


def attention():
    import keras
    x = keras.Input((STEPS, FEATURES))
    y = layers().LayerNormalization()(x)
    y = x + layers().MultiHeadAttention(2, 4)(y, y)
    return keras.Model(x, layers().Dense(1)(layers().GlobalAveragePooling1D()(y)))


def write(name, how, path):
    """Runs in the interpreter that has TensorFlow."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras
    import numpy as np
    keras.utils.set_random_seed(20251107)
    net = NETS[name]()
    rng = np.random.default_rng(20251107)
    net.set_weights([w + 0.1 * rng.standard_normal(w.shape).astype(w.dtype) if w.ndim else w
                     for w in net.get_weights()])
    if how == "keras":
        net(np.zeros((1, *net.input_shape[1:]), np.float32))  # the exporter wants it called once
        net.export(path, format="onnx", verbose=False)
        return
    import onnx
    import tensorflow as tf
    import tf2onnx
    kind = [tf.TensorSpec((None, *net.input_shape[1:]), tf.float32, name="x")]
    model, _ = tf2onnx.convert.from_function(tf.function(lambda x: net(x), input_signature=kind),
                                             kind, opset=17)
    onnx.save(model, path)


def make(name, how):
    import onnx
    here = importlib.util.find_spec("tensorflow") is not None
    interpreter = sys.executable if here else os.environ.get("HAYATE_KERAS")
    if not interpreter:
        raise RuntimeError("TensorFlow is not here, and HAYATE_KERAS names no interpreter with it")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        done = subprocess.run([interpreter, __file__, name, how, str(path)], capture_output=True,
                              text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        model = onnx.load(path)
    # the input's name counts up in a process; numbers that nobody draws are not asked for
    feed = next(i for i in model.graph.input if i.type.tensor_type.shape.dim)
    for node in model.graph.node:
        for k, value in enumerate(node.input):
            if value == feed.name:
                node.input[k] = "x"
    feed.name = "x"
    return model


def rows():
    from . import Feed, Model, add
    for name in NETS:
        for how in ("keras", "tf2onnx") if name in TF2ONNX else ("keras",):
            feed = Feed("x", ["n", *SHAPES.get(name, (STEPS, FEATURES))])
            add(Model(f"{how}_{name}", "Keras", lambda n=name, h=how: make(n, h), [feed]))


if __name__ == "__main__":
    write(*sys.argv[1:4])
