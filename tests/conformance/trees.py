#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""LightGBM and XGBoost files read by hayate, beside the libraries themselves, on random models.

    tests/conformance/trees.py [--seeds N] [--only WORD]

Each seed trains a model of every kind below on another table and compares, on rows with missing
values, zeros, infinities, numbers on thresholds and categories that were not seen: raw scores to
the bit, predictions within 1 ULP, one row alone against the batch. Exit status 1 on a difference.
Packages: tools/golden/requirements.txt."""
import argparse
import os
import pathlib
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

import lightgbm  # noqa: E402
import numpy as np  # noqa: E402
import xgboost  # noqa: E402

import hayate  # noqa: E402

warnings.filterwarnings("ignore")
TRAIN_ROWS, TEST_ROWS, FEATURES, CATEGORY, SPARSE = 1200, 500, 8, 2, 4


class Table:
    """Rows to train on, rows to ask, and targets of each kind."""

    def __init__(self, seed):
        self.seed = seed
        r = np.random.default_rng(seed)
        self.train, self.test = self.rows(r, TRAIN_ROWS), self.rows(r, TEST_ROWS)
        self.test[:100] = self.train[:100]
        self.test[100:107] = np.array([[np.inf], [-np.inf], [0.0], [-0.0], [1e-36], [-1e-36], [1e10]])
        x = np.nan_to_num(self.train)
        self.y = x[:, 0] + np.sin(2 * x[:, 1]) + x[:, CATEGORY] % 3 + 0.3 * r.standard_normal(len(x))
        self.up, self.classes = (self.y > 1).astype(int), np.clip(self.y.astype(int), 0, 3)
        self.positive, self.share = np.abs(self.y) + 0.1, 1 / (1 + np.exp(-self.y))
        self.vector = np.stack([self.y, -self.y, self.y ** 2], 1)

    @staticmethod
    def rows(r, n):
        x = r.standard_normal((n, FEATURES))
        x[r.random(x.shape) < 0.1] = np.nan
        x[:, CATEGORY] = r.integers(0, 40, n)
        x[:, SPARSE] = np.where(r.random(n) < 0.4, 0, x[:, SPARSE])
        return x


LIGHTGBM = {
    "l2": ("y", {}), "l1": ("y", {"objective": "regression_l1"}),
    "huber": ("y", {"objective": "huber"}), "quantile": ("y", {"objective": "quantile"}),
    "zero": ("y", {"zero_as_missing": True}), "no_missing": ("y", {"use_missing": False}),
    "sqrt": ("positive", {"reg_sqrt": True}), "large": ("y", {"num_leaves": 400}),
    "binary": ("up", {"objective": "binary", "sigmoid": 1.7}),
    "multiclass": ("classes", {"objective": "multiclass", "num_class": 4}),
    "ova": ("classes", {"objective": "multiclassova", "num_class": 4, "sigmoid": 0.8}),
    "poisson": ("positive", {"objective": "poisson"}),
    "gamma": ("positive", {"objective": "gamma"}),
    "tweedie": ("positive", {"objective": "tweedie"}),
    "xentropy": ("share", {"objective": "cross_entropy"}),
    "xentropy_lambda": ("share", {"objective": "cross_entropy_lambda"}),
    "rf": ("up", {"objective": "binary", "boosting": "rf", "bagging_freq": 1,
                  "bagging_fraction": 0.6}),
    "dart": ("y", {"boosting": "dart"}),
}
XGBOOST = {
    "squared": ("y", {}), "logistic": ("up", {"objective": "binary:logistic"}),
    "logitraw": ("up", {"objective": "binary:logitraw"}),
    "hinge": ("up", {"objective": "binary:hinge"}),
    "share": ("share", {"objective": "reg:logistic"}),
    "softprob": ("classes", {"objective": "multi:softprob", "num_class": 4}),
    "softmax": ("classes", {"objective": "multi:softmax", "num_class": 4}),
    "poisson": ("positive", {"objective": "count:poisson"}),
    "gamma": ("positive", {"objective": "reg:gamma"}),
    "tweedie": ("positive", {"objective": "reg:tweedie"}),
    "cox": ("positive", {"objective": "survival:cox"}),
    "aft": ("positive", {"objective": "survival:aft"}),
    "quantile": ("y", {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9]}),
    "dart": ("y", {"booster": "dart", "rate_drop": 0.3}),
    "forest": ("y", {"num_parallel_tree": 4, "subsample": 0.7}), "deep": ("y", {"max_depth": 12}),
    "pruned": ("y", {"tree_method": "exact", "gamma": 2.0}),
    "lossguide": ("y", {"grow_policy": "lossguide", "max_leaves": 64, "max_depth": 0}),
    "targets": ("vector", {}), "base": ("y", {"base_score": 3.5}),
}


def from_lightgbm(table, label, params, folder):
    params = {"objective": "regression", "num_leaves": 31, "min_data_in_leaf": 2, "verbose": -1,
              "num_threads": 1, "cat_smooth": 1, "cat_l2": 1, "seed": table.seed, **params}
    data = lightgbm.Dataset(table.train, getattr(table, label), categorical_feature=[CATEGORY])
    path = os.path.join(folder, "model.txt")
    lightgbm.train(params, data, 30).save_model(path)
    rows = table.test.copy()
    rows[::3, CATEGORY] += 0.5
    loaded = lightgbm.Booster(model_file=path)
    yield path, rows, loaded.predict(rows, raw_score=True), loaded.predict(rows)


def from_xgboost(table, label, params, folder):
    target = getattr(table, label)
    params = {"objective": "reg:squarederror", "max_depth": 5, "nthread": 1, "seed": table.seed,
              **params}
    for categories in (False, True):
        if categories and params.get("tree_method") == "exact":
            continue
        kinds = ["c" if categories and k == CATEGORY else "q" for k in range(FEATURES)]
        kinds = dict(enable_categorical=True, feature_types=kinds) if categories else {}
        rows = np.where(np.isinf(table.test), 3, table.test).astype(np.float32)
        if categories:
            whole = np.floor(np.nan_to_num(rows[:, CATEGORY]))
            rows[:, CATEGORY] = np.where((whole >= 0) & (whole < 1000), whole, 1)
        data = xgboost.DMatrix(table.train.astype(np.float32), target, **kinds)
        if params["objective"] == "survival:aft":
            data.set_float_info("label_lower_bound", target)
            data.set_float_info("label_upper_bound", target + 1)
        booster = xgboost.train(params, data, 25)
        for ext in ("json", "ubj"):
            path = os.path.join(folder, "model." + ext)
            booster.save_model(path)
            loaded = xgboost.Booster(model_file=path)
            asked = xgboost.DMatrix(rows, **kinds)
            yield path, rows, loaded.predict(asked, output_margin=True), loaded.predict(asked)


def ulp(a, b):
    whole = np.int64 if a.dtype == np.float64 else np.int32
    apart = np.abs(a.view(whole).astype(object) - b.view(whole).astype(object))
    apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0
    return int(apart.max())


def compare(path, rows, raw, prediction):
    session = hayate.InferenceSession(path)
    got_prediction, got_raw = session.run(["prediction", "raw"], {"X": rows})
    alone = session.run(["raw"], {"X": rows[7:8]})[0]
    raw, prediction = raw.reshape(len(rows), -1), prediction.reshape(len(rows), -1)
    differ = int((raw != got_raw).sum())
    apart = ulp(prediction.astype(got_prediction.dtype), got_prediction)
    same = np.array_equal(alone, got_raw[7:8])
    return differ == 0 and apart <= 1 and same, f"raw differ {differ}, prediction {apart} ULP"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    n = bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(args.seeds):
            table = Table(seed)
            for make, kinds in ((from_lightgbm, LIGHTGBM), (from_xgboost, XGBOOST)):
                for name, (label, params) in kinds.items():
                    what = f"{make.__name__[5:]} {name}"
                    if args.only not in what:
                        continue
                    for path, *data in make(table, label, params, folder):
                        good, said = compare(path, *data)
                        n += 1
                        bad += not good
                        if not good:
                            print(f"seed {seed}, {what}, {pathlib.Path(path).suffix}: {said}")
    print(f"{n - bad} of {n} models agree with their own library")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
