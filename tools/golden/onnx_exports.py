# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/onnx: small models written by the exporters that people use.

    python tools/golden/onnx_exports.py            all of them
    python tools/golden/onnx_exports.py torch_lstm those whose name begins so

Packages: see tools/golden/requirements.txt. Every row of the table below is one folder.
"""
import sys
import warnings

import lightgbm
import numpy as np
import onnx
import onnxmltools
import skl2onnx
import sklearn
import torch
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as MlFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn import ensemble, impute, linear_model, neural_network, pipeline, preprocessing

from onnx_files import ROOT, save

warnings.filterwarnings("ignore")
SEED = 20240607
TABLE = {}


def row(maker, name, *args, **kwargs):
    TABLE[name] = lambda: maker(name, *args, **kwargs)


# PyTorch ---------------------------------------------------------------------------------------


class Recurrent(torch.nn.Module):
    """An RNN, a choice of what of its output is read, and a linear head."""

    def __init__(self, kind, read="last", **kwargs):
        super().__init__()
        self.rnn = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](**kwargs)
        width = kwargs["hidden_size"] * (2 if kwargs.get("bidirectional") else 1)
        self.head = torch.nn.Linear(width, 2)
        self.read = read

    def forward(self, x):
        y, state = self.rnn(x)
        if self.read == "last":
            y = y[:, -1, :] if self.rnn.batch_first else y[-1]
        elif self.read == "state":
            y = (state[0] if isinstance(state, tuple) else state)[-1]
        return self.head(y)


class Stateful(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        make = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
        self.rnn = make(6, 12, num_layers=2, batch_first=True)
        self.head = torch.nn.Linear(12, 1)
        self.kind = kind

    def forward(self, x, h0, c0=None):
        if self.kind == "lstm":
            y, (h, c) = self.rnn(x, (h0, c0))
            return self.head(y[:, -1]), h, c
        y, h = self.rnn(x, h0)
        return self.head(y[:, -1]), h


def mlp():
    nn = torch.nn
    return nn.Sequential(nn.Linear(40, 64), nn.ReLU(), nn.Linear(64, 40), nn.ReLU(),
                         nn.Linear(40, 3))


def mlp_norms():
    nn = torch.nn
    net = nn.Sequential(nn.BatchNorm1d(20), nn.Linear(20, 33), nn.LayerNorm(33), nn.GELU(),
                        nn.Dropout(0.3), nn.Linear(33, 17), nn.BatchNorm1d(17), nn.SiLU(),
                        nn.Linear(17, 5), nn.Softmax(dim=-1))
    for module in net:
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    return net


def mlp_activations():
    nn = torch.nn
    layers, width = [], 12
    for act in (nn.Tanh(), nn.Sigmoid(), nn.LeakyReLU(0.1), nn.ELU(), nn.GELU("tanh"),
                nn.Hardtanh(), nn.Softplus(), nn.Mish(), nn.Hardswish(), nn.SELU(), nn.PReLU()):
        layers += [nn.Linear(width, 12), act]
    return nn.Sequential(*layers, nn.Linear(12, 1), nn.Flatten(0))


class LstmNorm(torch.nn.Module):
    """The shape of many published price models: norm, LSTM, residual, pooling, head."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(10)
        self.proj = torch.nn.Linear(10, 16)
        self.rnn = torch.nn.LSTM(16, 16, batch_first=True)
        self.post = torch.nn.LayerNorm(16)
        self.head = torch.nn.Linear(32, 1)

    def forward(self, x):
        p = torch.tanh(self.proj(self.norm(x)))
        y, _ = self.rnn(p)
        y = self.post(y + p)
        return self.head(torch.cat([y[:, -1], y.mean(dim=1)], dim=-1)).squeeze(-1)


def from_torch(name, make, shapes, dynamo, dynamic, outputs=("y",), external=False, opset=None):
    torch.manual_seed(SEED)
    net = make().eval()
    rng = np.random.default_rng(SEED)
    inputs = {k: rng.standard_normal(s).astype(np.float32) for k, s in shapes.items()}
    folder = ROOT / "onnx" / name
    folder.mkdir(parents=True, exist_ok=True)
    args = tuple(torch.from_numpy(v) for v in inputs.values())
    kwargs = dict(input_names=list(inputs), output_names=list(outputs), verbose=False)
    path = folder / "model.onnx"
    if dynamo:
        shapes_named = tuple({i: torch.export.Dim(n, min=1, max=65536)
                              for i, n in dynamic.get(k, {}).items()} for k in inputs)
        kwargs.update(dynamic_shapes=shapes_named, external_data=external)
    else:
        kwargs.update(dynamic_axes={k: v for k, v in dynamic.items()})
    torch.onnx.export(net, args, path, dynamo=dynamo, opset_version=opset, **kwargs)
    model = onnx.load(path, load_external_data=False)
    # the exporter writes its own paths and stack traces into every node
    for node in model.graph.node:
        node.ClearField("doc_string")
        del node.metadata_props[:]
    for value in list(model.graph.value_info) + list(model.graph.input):
        del value.metadata_props[:]
    path.write_bytes(model.SerializeToString())
    which = "dynamo" if dynamo else "legacy"
    save("onnx", name, path, inputs, what=f"torch.onnx.export, {which} exporter", seed=SEED,
         modules=(torch,), rtol=1e-5, atol=2e-6)


BATCH = {"x": {0: "batch"}}
BATCH_TIME = {"x": {0: "batch", 1: "time"}}
for suffix, dynamo in (("legacy", False), ("dynamo", True)):
    row(from_torch, f"torch_mlp_{suffix}", mlp, {"x": (5, 40)}, dynamo, BATCH)
    row(from_torch, f"torch_mlp_norms_{suffix}", mlp_norms, {"x": (7, 20)}, dynamo, BATCH)
    row(from_torch, f"torch_mlp_acts_{suffix}", mlp_activations, {"x": (9, 12)}, dynamo, BATCH)
    row(from_torch, f"torch_lstm_norm_{suffix}", LstmNorm, {"x": (3, 13, 10)}, dynamo, BATCH)
    for kind in ("lstm", "gru"):
        for tag, read, options in (
                ("last", "last", dict(batch_first=True)),
                ("all", "all", dict(batch_first=True)),
                ("tbf", "last", dict(batch_first=False)),
                ("state", "state", dict(batch_first=True)),
                ("bi", "last", dict(batch_first=True, bidirectional=True)),
                ("bi_all", "all", dict(batch_first=True, bidirectional=True)),
                ("stacked", "last", dict(batch_first=True, num_layers=2)),
                ("bi_stacked", "last", dict(batch_first=True, num_layers=2, bidirectional=True)),
                ("nobias", "last", dict(batch_first=True, bias=False))):
            size = dict(input_size=9, hidden_size=13, **options)
            shape = (4, 11, 9) if options["batch_first"] else (11, 4, 9)
            axes = BATCH if options["batch_first"] else {"x": {1: "batch"}}
            row(from_torch, f"torch_{kind}_{tag}_{suffix}",
                lambda kind=kind, read=read, size=size: Recurrent(kind, read, **size),
                {"x": shape}, dynamo, axes)
    state_axes = {"x": {0: "batch"}, "h0": {1: "batch"}, "c0": {1: "batch"}}
    row(from_torch, f"torch_lstm_stateful_{suffix}", lambda: Stateful("lstm"),
        {"x": (2, 1, 6), "h0": (2, 2, 12), "c0": (2, 2, 12)}, dynamo, state_axes,
        outputs=("y", "h", "c"))
    row(from_torch, f"torch_gru_stateful_{suffix}", lambda: Stateful("gru"),
        {"x": (2, 1, 6), "h0": (2, 2, 12)}, dynamo,
        {k: v for k, v in state_axes.items() if k != "c0"}, outputs=("y", "h"))
    row(from_torch, f"torch_lstm_fixed_{suffix}",
        lambda: Recurrent("lstm", "last", input_size=16, hidden_size=32, batch_first=True),
        {"x": (1, 30, 16)}, dynamo, {})
row(from_torch, "torch_lstm_time_legacy",
    lambda: Recurrent("lstm", "last", input_size=5, hidden_size=8, batch_first=True),
    {"x": (3, 21, 5)}, False, BATCH_TIME)
row(from_torch, "torch_lstm_opset11_legacy",
    lambda: Recurrent("lstm", "last", input_size=5, hidden_size=8, batch_first=True),
    {"x": (3, 21, 5)}, False, BATCH, opset=11)
row(from_torch, "torch_external_dynamo",
    lambda: Recurrent("lstm", "last", input_size=24, hidden_size=48, batch_first=True),
    {"x": (2, 10, 24)}, True, BATCH, external=True)


# scikit-learn ----------------------------------------------------------------------------------


def table_data(kind, features=10, rows=400, holes=False):
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((rows, features)).astype(np.float32)
    x[:, 1] *= 100.0
    signal = x[:, 0] - 0.02 * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * rng.standard_normal(rows)
    if kind == "reg":
        y = signal
    elif kind == "bin":
        y = (signal > 0).astype(np.int64)
    elif kind.startswith("coin"):  # nothing to learn: trees disagree, and tie
        y = rng.integers(int(kind[4:]), size=rows)
    elif kind == "str":
        y = np.array(["down", "flat", "up"])[np.digitize(signal, [-0.7, 0.7])]
    else:
        y = np.digitize(signal, [-0.7, 0.7]).astype(np.int64)
    test = rng.standard_normal((37, features)).astype(np.float32)
    test[:, 1] *= 100.0
    test[0] = 0.0
    if holes:
        x[rng.random(x.shape) < 0.1] = np.nan
        test[rng.random(test.shape) < 0.3] = np.nan
        test[1] = np.nan
    return x, y, test


def from_sklearn(name, make, kind, holes=False, zipmap=None, **kwargs):
    x, y, test = table_data(kind, holes=holes)
    model = make()
    model.fit(x, y)
    if zipmap is not None:
        kwargs["options"] = {id(model): {"zipmap": zipmap}}
    proto = to_onnx(model, initial_types=[("x", FloatTensorType([None, x.shape[1]]))], **kwargs)
    label = type(model).__name__
    if hasattr(model, "steps"):
        label = "+".join(type(step).__name__ for _, step in model.steps)
    save("onnx", name, proto, {"x": test}, what=f"skl2onnx of {label}", seed=SEED,
         modules=(sklearn, skl2onnx), rtol=1e-5, atol=1e-5)


def scaled(estimator, scaler=preprocessing.StandardScaler):
    return lambda: pipeline.make_pipeline(scaler(), estimator())


def seeded(cls, **kwargs):
    return lambda: cls(random_state=0, **kwargs)


forest = dict(n_estimators=12, max_depth=5)
row(from_sklearn, "sk_linear", scaled(linear_model.LinearRegression), "reg")
row(from_sklearn, "sk_ridge_minmax", scaled(linear_model.Ridge, preprocessing.MinMaxScaler), "reg")
row(from_sklearn, "sk_lasso_robust",
    scaled(lambda: linear_model.Lasso(0.1), preprocessing.RobustScaler), "reg")
row(from_sklearn, "sk_elasticnet_normalizer",
    scaled(lambda: linear_model.ElasticNet(0.01), preprocessing.Normalizer), "reg")
row(from_sklearn, "sk_ridge_maxabs",
    scaled(linear_model.Ridge, preprocessing.MaxAbsScaler), "reg")
row(from_sklearn, "sk_logreg", scaled(linear_model.LogisticRegression), "bin", zipmap=False)
row(from_sklearn, "sk_logreg_zipmap", scaled(linear_model.LogisticRegression), "bin", zipmap=True)
row(from_sklearn, "sk_logreg_multi", scaled(linear_model.LogisticRegression), "multi",
    zipmap=False)
row(from_sklearn, "sk_logreg_multi_zipmap", scaled(linear_model.LogisticRegression), "multi",
    zipmap=True)
row(from_sklearn, "sk_logreg_strings", scaled(linear_model.LogisticRegression), "str",
    zipmap=False)
row(from_sklearn, "sk_logreg_strings_zipmap", scaled(linear_model.LogisticRegression), "str",
    zipmap=True)
row(from_sklearn, "sk_imputer_logreg", lambda: pipeline.make_pipeline(
    impute.SimpleImputer(strategy="median"), preprocessing.StandardScaler(),
    linear_model.LogisticRegression()), "bin", holes=True, zipmap=False)
row(from_sklearn, "sk_forest_reg", seeded(ensemble.RandomForestRegressor, **forest), "reg")
row(from_sklearn, "sk_forest_cls", seeded(ensemble.RandomForestClassifier, **forest), "bin",
    zipmap=False)
row(from_sklearn, "sk_forest_multi_zipmap", seeded(ensemble.RandomForestClassifier, **forest),
    "multi", zipmap=True)
row(from_sklearn, "sk_forest_strings", seeded(ensemble.RandomForestClassifier, **forest), "str",
    zipmap=False)
row(from_sklearn, "sk_ties", seeded(ensemble.ExtraTreesClassifier, n_estimators=10), "coin2",
    zipmap=False)
row(from_sklearn, "sk_extratrees_reg", seeded(ensemble.ExtraTreesRegressor, **forest), "reg")
row(from_sklearn, "sk_forest_nan", seeded(ensemble.RandomForestRegressor, **forest), "reg",
    holes=True)
row(from_sklearn, "sk_gb_reg", seeded(ensemble.GradientBoostingRegressor, n_estimators=15), "reg")
row(from_sklearn, "sk_gb_cls", seeded(ensemble.GradientBoostingClassifier, n_estimators=15),
    "bin", zipmap=False)
row(from_sklearn, "sk_gb_multi", seeded(ensemble.GradientBoostingClassifier, n_estimators=8),
    "multi", zipmap=False)
nets = dict(hidden_layer_sizes=(16, 9), max_iter=60)
row(from_sklearn, "sk_mlp_reg",
    scaled(seeded(neural_network.MLPRegressor, **nets)), "reg")
row(from_sklearn, "sk_mlp_reg_tanh",
    scaled(seeded(neural_network.MLPRegressor, activation="tanh", **nets)), "reg")
row(from_sklearn, "sk_mlp_cls",
    scaled(seeded(neural_network.MLPClassifier, **nets)), "bin", zipmap=False)
row(from_sklearn, "sk_mlp_multi",
    scaled(seeded(neural_network.MLPClassifier, activation="logistic", **nets)), "multi",
    zipmap=False)
row(from_sklearn, "sk_mlp_multi_zipmap",
    scaled(seeded(neural_network.MLPClassifier, **nets)), "multi", zipmap=True)


# LightGBM and XGBoost --------------------------------------------------------------------------


def save_boosted(name, proto, test, what, module):
    save("onnx", name, proto, {"x": test}, what=what, seed=SEED,
         modules=(module, onnxmltools), rtol=1e-5, atol=1e-5)


def from_lightgbm(name, cls, kind, holes=False, convert=None, category=False, pull=0.0,
                  **kwargs):
    x, y, test = table_data(kind, holes=holes)
    fit = {}
    if category:
        x[:, 3] = np.round(np.abs(x[:, 3]) * 4)
        test[:, 3] = np.round(np.abs(test[:, 3]) * 4)
        fit["categorical_feature"] = [3]
        kwargs.update(min_data_per_group=5, cat_smooth=1.0)
    if pull:  # the categories matter: sets of them, which the converter writes as chains
        y = y + pull * (np.nan_to_num(x[:, 3]) % 3)
    if cls is lightgbm.LGBMRanker:
        y = np.digitize(y, [-1, 0, 1])
        fit["group"] = [20] * (len(y) // 20)
    trees = 6 if kind == "multi" else 12
    model = cls(n_estimators=trees, num_leaves=11, min_child_samples=5, random_state=SEED,
                n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1, **kwargs)
    model.fit(x, y, **fit)
    proto = onnxmltools.convert_lightgbm(
        model, initial_types=[("x", MlFloat([None, x.shape[1]]))], **(convert or {}))
    save_boosted(name, proto, test, f"onnxmltools of {cls.__name__} {kwargs}", lightgbm)


row(from_lightgbm, "lgbm_reg", lightgbm.LGBMRegressor, "reg")
row(from_lightgbm, "lgbm_reg_nan", lightgbm.LGBMRegressor, "reg", holes=True)
row(from_lightgbm, "lgbm_reg_zero_missing", lightgbm.LGBMRegressor, "reg", holes=True,
    zero_as_missing=True)
row(from_lightgbm, "lgbm_reg_no_missing", lightgbm.LGBMRegressor, "reg", use_missing=False)
row(from_lightgbm, "lgbm_reg_category", lightgbm.LGBMRegressor, "reg", category=True)
row(from_lightgbm, "lgbm_reg_category_sets", lightgbm.LGBMRegressor, "reg", holes=True,
    category=True, pull=2.0, max_cat_to_onehot=1)
row(from_lightgbm, "lgbm_reg_split", lightgbm.LGBMRegressor, "reg", convert={"split": 6})
row(from_lightgbm, "lgbm_poisson", lightgbm.LGBMRegressor, "bin", objective="poisson")
row(from_lightgbm, "lgbm_forest", lightgbm.LGBMRegressor, "reg", boosting_type="rf",
    subsample=0.7, subsample_freq=1)
row(from_lightgbm, "lgbm_dart", lightgbm.LGBMRegressor, "reg", boosting_type="dart")
row(from_lightgbm, "lgbm_ranker", lightgbm.LGBMRanker, "reg", holes=True)
row(from_lightgbm, "lgbm_bin", lightgbm.LGBMClassifier, "bin", holes=True,
    convert={"zipmap": False})
row(from_lightgbm, "lgbm_bin_zipmap", lightgbm.LGBMClassifier, "bin", holes=True)
row(from_lightgbm, "lgbm_multi", lightgbm.LGBMClassifier, "multi", holes=True,
    convert={"zipmap": False})
row(from_lightgbm, "lgbm_multi_zipmap", lightgbm.LGBMClassifier, "multi", holes=True)


def from_xgboost(name, cls, kind, holes=False, **kwargs):
    x, y, test = table_data(kind, holes=holes)
    trees = 6 if kind == "multi" else 12
    model = cls(n_estimators=trees, max_depth=4, random_state=SEED, n_jobs=1, **kwargs)
    model.fit(x, y)
    proto = onnxmltools.convert_xgboost(
        model, initial_types=[("x", MlFloat([None, x.shape[1]]))])
    save_boosted(name, proto, test, f"onnxmltools of {cls.__name__} {kwargs}", xgboost)


row(from_xgboost, "xgb_reg", xgboost.XGBRegressor, "reg")
row(from_xgboost, "xgb_reg_nan", xgboost.XGBRegressor, "reg", holes=True)
row(from_xgboost, "xgb_reg_base", xgboost.XGBRegressor, "reg", base_score=0.25)
row(from_xgboost, "xgb_bin", xgboost.XGBClassifier, "bin", holes=True)
row(from_xgboost, "xgb_multi", xgboost.XGBClassifier, "multi", holes=True)
row(from_xgboost, "xgb_forest", xgboost.XGBRFRegressor, "reg", holes=True)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    failed = []
    for key, make_one in TABLE.items():
        if wanted and not any(key.startswith(w) for w in wanted):
            continue
        try:
            make_one()
        except Exception as trouble:  # an exporter's refusal must not hide the other rows
            failed.append(key)
            print(f"{key}: FAILED: {type(trouble).__name__}: {str(trouble)[:300]}", flush=True)
    sys.exit(1 if failed else 0)
