# SPDX-License-Identifier: Apache-2.0
"""Writes the models of the speed claims into a folder, by the exporters that people use, each with
`rows.npz` where its inputs should be rows of its own data. Printed: one line a model.

    python bench/peers/speed_models.py build/bench/models [NAME ...]

A model that is there already stays. Weights are random (the time does not depend on them), trees
are trained on noise with some structure.
"""
import os
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")
SEED = 20261121
TABLE = {}


def row(maker):
    TABLE[maker.__name__] = maker
    return maker


# PyTorch ---------------------------------------------------------------------------------------


def torch_save(folder, module, *shapes):
    """The legacy exporter, dynamic batch; inputs x, or x0 x1 ... where there are several."""
    import torch
    module.eval()
    inputs = tuple(torch.randn(1, *s) for s in shapes)
    names = ["x"] if len(shapes) == 1 else [f"x{i}" for i in range(len(shapes))]
    axes = {n: {0: "batch"} for n in names + ["y"]}
    torch.onnx.export(module, inputs, folder + "/model.onnx", input_names=names,
                      output_names=["y"], dynamic_axes=axes, opset_version=17, dynamo=False)


def mlp_of(*sizes):
    from torch import nn
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def last_step(kind, features, hidden, outputs=1, **kwargs):
    from torch import nn

    class Last(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = getattr(nn, kind)(features, hidden, batch_first=True, **kwargs)
            self.head = nn.Linear(hidden * (2 if kwargs.get("bidirectional") else 1), outputs)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])
    return Last()


@row
def mlp_64_128_64_3(folder):
    torch_save(folder, mlp_of(64, 128, 64, 3), (64,))


@row
def mlp_256_512_512_1(folder):
    torch_save(folder, mlp_of(256, 512, 512, 1), (256,))


@row
def lstm_t32_f16_h64(folder):
    torch_save(folder, last_step("LSTM", 16, 64), (32, 16))


@row
def lstm_t100_f64_h128x2(folder):
    torch_save(folder, last_step("LSTM", 64, 128, num_layers=2), (100, 64))


@row
def lstm_t360_f167_h128x2(folder):
    torch_save(folder, last_step("LSTM", 167, 128, num_layers=2), (360, 167))


@row
def bilstm_t64_f32_h64(folder):
    torch_save(folder, last_step("LSTM", 32, 64, bidirectional=True), (64, 32))


@row
def gru_t64_f32_h128(folder):
    torch_save(folder, last_step("GRU", 32, 128), (64, 32))


@row
def tcn_t128_f32_c64(folder):
    """Four causal convolutions, dilations 1 2 4 8, the last step read."""
    from torch import nn

    class Tcn(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv1d(32 if k == 0 else 64, 64, 3, dilation=2 ** k)
                                       for k in range(4))
            self.head = nn.Linear(64, 1)

        def forward(self, x):
            x = x.transpose(1, 2)
            for k, conv in enumerate(self.convs):
                x = nn.functional.relu(conv(nn.functional.pad(x, (2 * 2 ** k, 0))))
            return self.head(x[:, :, -1])
    torch_save(folder, Tcn(), (128, 32))


@row
def transformer_t64_d64x2(folder):
    """Two encoder layers of four heads, the last step read."""
    from torch import nn

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(32, 64)
            layer = nn.TransformerEncoderLayer(64, 4, 256, batch_first=True, activation="gelu")
            self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(64, 1)

        def forward(self, x):
            return self.head(self.layers(self.embed(x))[:, -1])
    torch_save(folder, Encoder(), (64, 32))


@row
def five_lstm(folder):
    """One LSTM a timeframe, their last states joined."""
    import torch
    from torch import nn
    steps = (240, 120, 96, 60, 36)

    class Five(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnns = nn.ModuleList(nn.LSTM(64, 128, batch_first=True) for _ in steps)
            self.head = nn.Sequential(nn.Linear(5 * 128, 64), nn.ReLU(), nn.Linear(64, 1))

        def forward(self, *xs):
            last = [rnn(x)[0][:, -1] for rnn, x in zip(self.rnns, xs)]
            return self.head(torch.cat(last, 1))
    torch_save(folder, Five(), *((t, 64) for t in steps))


# Tables ----------------------------------------------------------------------------------------


def table(n_rows, n_columns, classes=0):
    r = np.random.default_rng(SEED)
    x = r.normal(size=(n_rows, n_columns)).astype("f4")
    y = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.5 * r.normal(size=n_rows)
    return x, np.digitize(y, [-0.5, 0.5][:classes - 1]) if classes else y


def rows_save(folder, name, n_columns):
    x, _ = table(8192, n_columns)
    np.savez(folder + "/rows.npz", **{name: x})


def sklearn_save(folder, model, n_columns, **options):
    from skl2onnx import to_onnx
    proto = to_onnx(model, np.zeros((1, n_columns), "f4"), target_opset={"": 17, "ai.onnx.ml": 3},
                    **options)
    with open(folder + "/model.onnx", "wb") as out:
        out.write(proto.SerializeToString())
    rows_save(folder, proto.graph.input[0].name, n_columns)


@row
def lightgbm_500x63(folder):
    import lightgbm
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType
    x, y = table(20000, 40)
    booster = lightgbm.train(dict(num_leaves=63, learning_rate=0.05, verbose=-1, seed=7,
                                  num_threads=2), lightgbm.Dataset(x, y), 500)
    booster.save_model(folder + "/model.txt")
    proto = onnxmltools.convert_lightgbm(booster, initial_types=[("x", FloatTensorType([None, 40]))],
                                         target_opset=15)
    with open(folder + "/model.onnx", "wb") as out:
        out.write(proto.SerializeToString())
    rows_save(folder, "x", 40)


@row
def xgboost_300_depth6(folder):
    import onnxmltools
    import xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    x, y = table(20000, 40)
    model = xgboost.XGBRegressor(n_estimators=300, max_depth=6, learning_rate=0.05, n_jobs=2).fit(x, y)
    model.save_model(folder + "/model.json")
    proto = onnxmltools.convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 40]))],
                                        target_opset=15)
    with open(folder + "/model.onnx", "wb") as out:
        out.write(proto.SerializeToString())
    rows_save(folder, "x", 40)


@row
def scaler_logreg(folder):
    from sklearn import linear_model, pipeline, preprocessing
    x, y = table(5000, 40, 2)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    sklearn_save(folder, model.fit(x, y), 40, options={"zipmap": False})


@row
def random_forest_100(folder):
    from sklearn import ensemble
    x, y = table(8000, 40, 3)
    model = ensemble.RandomForestClassifier(100, max_depth=10, random_state=7, n_jobs=2)
    sklearn_save(folder, model.fit(x, y), 40, options={"zipmap": False})


@row
def svc_rbf(folder):
    from sklearn import svm
    x, y = table(2000, 20, 2)
    sklearn_save(folder, svm.SVC(probability=False).fit(x, y), 20, options={"zipmap": False})


@row
def sklearn_mlp(folder):
    from sklearn import neural_network
    x, y = table(5000, 40, 2)
    model = neural_network.MLPClassifier((100, 50), max_iter=20, random_state=7)
    sklearn_save(folder, model.fit(x, y), 40, options={"zipmap": False})


def main():
    folder, names = sys.argv[1], sys.argv[2:] or list(TABLE)
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.exists(path + "/done"):
            os.makedirs(path, exist_ok=True)
            if "torch" in sys.modules:
                sys.modules["torch"].manual_seed(SEED)
            try:
                TABLE[name](path)
            except ImportError as missing:
                print(f"{name}: {missing}", file=sys.stderr)
                continue
            open(path + "/done", "w").close()
        print(name, flush=True)


if __name__ == "__main__":
    main()
