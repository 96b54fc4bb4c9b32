# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/trees: small LightGBM and XGBoost files, and what their libraries predict.

    python tools/golden/tree_files.py          all of them
    python tools/golden/tree_files.py lgb_rf   those whose name begins so

A folder holds model.txt, model.json or model.ubj, input.npz (X) and expect.npz (prediction, raw).
Rows hold missing values, zeros of both signs and numbers beside zero, infinities, categories that
were not seen, and numbers on thresholds. Packages: see tools/golden/requirements.txt.
"""
import pathlib
import platform
import sys

import lightgbm
import numpy as np
import xgboost

ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "trees"
SEED, ROWS, FEATURES, CATEGORY, SPARSE = 20240607, 400, 6, 2, 4


def table(rows, seed):
    r = np.random.default_rng(seed)
    x = np.round(r.standard_normal((rows, FEATURES)), 2)
    x[r.random(x.shape) < 0.1] = np.nan
    x[:, CATEGORY] = r.integers(0, 40, rows)
    x[:, SPARSE] = np.where(r.random(rows) < 0.4, 0, x[:, SPARSE])
    return x


TRAIN, TEST = table(ROWS, SEED), table(90, SEED + 1)
TEST[:7, 0] = TEST[:7, SPARSE] = [0.0, -0.0, 1e-36, -1e-36, np.nan, 1e10, -1e10]
Y = (np.nan_to_num(TRAIN[:, 0]) + np.sin(2 * np.nan_to_num(TRAIN[:, 1])) + TRAIN[:, CATEGORY] % 3
     + 0.3 * np.random.default_rng(SEED).standard_normal(ROWS))
UP, CLASS, POSITIVE = (Y > 1).astype(int), np.clip(Y.astype(int), 0, 3), np.abs(Y) + 0.1
SHARE = 1 / (1 + np.exp(-Y))


def save(name, file, rows, raw, prediction, what, module):
    folder = ROOT / name
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "input.npz", X=rows)
    np.savez_compressed(folder / "expect.npz", raw=raw.reshape(len(rows), -1),
                        prediction=prediction.reshape(len(rows), -1))
    (folder / ".origin").write_text("\n".join([
        f"what: {what}",
        f"model: {file} made by tree_files.py {name}, seed {SEED}",
        f"expect: {module.__name__}'s own predict and raw scores of the saved file",
        f"versions: python {platform.python_version()}, numpy {np.__version__}, "
        f"{module.__name__} {module.__version__}",
        f"command: python tools/golden/tree_files.py {name}",
        "licence: generated, no third-party data",
        "tolerance: raw to the bit, prediction within 1 ULP"]) + "\n")
    print(f"{name}: {sum(f.stat().st_size for f in folder.iterdir())} bytes", flush=True)


def lgb(name, label=Y, trees=6, **params):
    params = {"objective": "regression", "num_leaves": 12, "min_data_in_leaf": 5, "cat_smooth": 1,
              "verbose": -1, "num_threads": 1, "seed": 1, "cat_l2": 1, **params}
    data = lightgbm.Dataset(TRAIN, label, categorical_feature=[CATEGORY])
    (ROOT / name).mkdir(parents=True, exist_ok=True)
    path = ROOT / name / "model.txt"
    lightgbm.train(params, data, trees).save_model(path)
    loaded = lightgbm.Booster(model_file=path)
    rows = TEST.copy()
    rows[::3, CATEGORY] += 0.5
    rows[7:12, CATEGORY] = [-1, -0.5, 1e12, np.inf, 39]
    save(name, path.name, rows, loaded.predict(rows, raw_score=True), loaded.predict(rows),
         f"LightGBM, {params['objective']}, {trees} iterations", lightgbm)


def xgb(name, label=Y, trees=6, ext="json", categories=False, **params):
    params = {"objective": "reg:squarederror", "max_depth": 3, "nthread": 1, "seed": 1, **params}
    rows, train = TEST.astype(np.float32), TRAIN.astype(np.float32)
    kinds = dict(enable_categorical=True, feature_types=["q", "q", "c", "q", "q", "q"])
    kinds = kinds if categories else {}
    data = xgboost.DMatrix(train, label, **kinds)
    if params["objective"] == "survival:aft":
        data.set_float_info("label_lower_bound", label)
        data.set_float_info("label_upper_bound", label + 1)
    (ROOT / name).mkdir(parents=True, exist_ok=True)
    path = ROOT / name / f"model.{ext}"
    xgboost.train(params, data, trees).save_model(path)
    loaded = xgboost.Booster(model_file=path)
    data = xgboost.DMatrix(rows, **kinds)
    save(name, path.name, rows, loaded.predict(data, output_margin=True), loaded.predict(data),
         f"XGBoost, {params['objective']}, {trees} rounds", xgboost)


TABLE = {
    "lgb_regression": lambda n: lgb(n),
    "lgb_zero_missing": lambda n: lgb(n, zero_as_missing=True),
    "lgb_no_missing": lambda n: lgb(n, use_missing=False),
    "lgb_binary": lambda n: lgb(n, UP, objective="binary", sigmoid=1.7),
    "lgb_multiclass": lambda n: lgb(n, CLASS, 3, objective="multiclass", num_class=4),
    "lgb_multiclassova": lambda n: lgb(n, CLASS, 2, objective="multiclassova", num_class=4,
                                       sigmoid=0.8),
    "lgb_poisson": lambda n: lgb(n, POSITIVE, objective="poisson"),
    "lgb_cross_entropy": lambda n: lgb(n, SHARE, objective="cross_entropy"),
    "lgb_cross_entropy_lambda": lambda n: lgb(n, SHARE, objective="cross_entropy_lambda"),
    "lgb_rf": lambda n: lgb(n, UP, objective="binary", boosting="rf", bagging_freq=1,
                            bagging_fraction=0.6),
    "lgb_dart": lambda n: lgb(n, boosting="dart", trees=8),
    "lgb_sqrt": lambda n: lgb(n, POSITIVE, reg_sqrt=True),
    "lgb_stump": lambda n: lgb(n, np.ones(ROWS), 2),
    "lgb_wide": lambda n: lgb(n, trees=2, num_leaves=300, min_data_in_leaf=1),
    "xgb_squarederror": lambda n: xgb(n),
    "xgb_categories": lambda n: xgb(n, categories=True, ext="ubj"),
    "xgb_logistic": lambda n: xgb(n, UP, objective="binary:logistic", ext="ubj"),
    "xgb_logitraw": lambda n: xgb(n, UP, objective="binary:logitraw"),
    "xgb_hinge": lambda n: xgb(n, UP, objective="binary:hinge", ext="ubj"),
    "xgb_softprob": lambda n: xgb(n, CLASS, 3, objective="multi:softprob", num_class=4),
    "xgb_softmax": lambda n: xgb(n, CLASS, 3, objective="multi:softmax", num_class=4, ext="ubj"),
    "xgb_poisson": lambda n: xgb(n, POSITIVE, objective="count:poisson", ext="ubj"),
    "xgb_aft": lambda n: xgb(n, POSITIVE, objective="survival:aft"),
    "xgb_dart": lambda n: xgb(n, booster="dart", rate_drop=0.4, trees=8),
    "xgb_pruned": lambda n: xgb(n, tree_method="exact", gamma=2.0, max_depth=5),
    "xgb_targets": lambda n: xgb(n, np.stack([Y, -Y], 1), 4, ext="ubj"),
}

if __name__ == "__main__":
    for key, make in TABLE.items():
        if not sys.argv[1:] or any(key.startswith(w) for w in sys.argv[1:]):
            make(key)
