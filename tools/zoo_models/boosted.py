# SPDX-License-Identifier: Apache-2.0
"""LightGBM and XGBoost in each objective, through onnxmltools."""
import warnings

import lightgbm
import numpy as np
import onnxmltools
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from . import SEED, Feed, Model, add

warnings.filterwarnings("ignore")
FEATURES = 12
LEAF = ("onnxmltools writes thresholds rounded to the nearest float32 and single leaves; labels may "
        "differ where classes tie")


def data(target, holes, category, rows=600):
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((rows, FEATURES)).astype(np.float32)
    if category:
        x[:, 3] = rng.integers(0, 7, rows)
    signal = x[:, 0] - x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * x[:, 3] + 0.2 * rng.standard_normal(rows)
    y = {
        "reg": signal,
        "positive": np.exp(signal / 3),
        "share": 1 / (1 + np.exp(-signal)),
        "count": np.round(np.exp(signal / 2)),
        "bin": signal > 0,
        "multi": np.digitize(signal, [-1, 1]),
        "rank": np.digitize(signal, [-1, 0, 1])
    }[target]
    if holes:
        x[rng.random(x.shape) < 0.15] = np.nan
    return x, (y.astype(int) if target in ("bin", "multi", "rank") else y)


def put(name, build, holes, category):
    feed = Feed("x", ["n", FEATURES], holes=0.2 if holes else 0.0)
    if category:
        feed = Feed("x", ["n", FEATURES], kind="mixed", high=9, holes=feed.holes)
    add(Model(name, "trees", build, [feed], reason=LEAF, batches=(1, 2, 7, 64, 600)))


def lgbm(name, target, cls=lightgbm.LGBMRegressor, holes=False, category=False, convert=None, **kw):

    def build():
        x, y = data(target, holes, category)
        fit = {"categorical_feature": [3]} if category else {}
        if cls is lightgbm.LGBMRanker:
            fit["group"] = [20] * (len(y) // 20)
        model = cls(n_estimators=20, num_leaves=15, random_state=SEED, n_jobs=1, verbose=-1, **kw)
        model.fit(x, y, **fit)
        return onnxmltools.convert_lightgbm(model,
                                            initial_types=[("x", FloatTensorType([None, FEATURES]))],
                                            **(convert or {}))

    put(f"lgbm_{name}", build, holes, category)


def xgb(name, target, cls=xgboost.XGBRegressor, holes=False, **kw):

    def build():
        x, y = data(target, holes, False)
        fit = {"group": [20] * (len(y) // 20)} if cls is xgboost.XGBRanker else {}
        model = cls(**{"n_estimators": 20, "max_depth": 5, "random_state": SEED, "n_jobs": 1, **kw})
        model.fit(x, y, **fit)
        return onnxmltools.convert_xgboost(model, initial_types=[("x", FloatTensorType([None, FEATURES]))])

    put(f"xgb_{name}", build, holes, False)


for objective, target in (("regression", "reg"), ("regression_l1", "reg"), ("huber", "reg"), ("fair", "reg"),
                          ("quantile", "reg"), ("mape", "positive"), ("poisson", "count"),
                          ("gamma", "positive"), ("tweedie", "count"), ("cross_entropy", "share")):
    lgbm(objective, target, objective=objective)
raw = {"zipmap": False}
lgbm("reg_nan", "reg", holes=True)
lgbm("reg_zero", "reg", holes=True, zero_as_missing=True)
lgbm("reg_category", "reg", category=True)
lgbm("reg_category_nan", "reg", holes=True, category=True)
lgbm("dart", "reg", boosting_type="dart")
lgbm("rf", "reg", boosting_type="rf", subsample=0.7, subsample_freq=1)
lgbm("goss", "reg", data_sample_strategy="goss")
lgbm("split", "reg", convert={"split": 7})
lgbm("binary", "bin", lightgbm.LGBMClassifier, holes=True, convert=raw)
lgbm("binary_zipmap", "bin", lightgbm.LGBMClassifier)
lgbm("binary_dart", "bin", lightgbm.LGBMClassifier, boosting_type="dart", convert=raw)
lgbm("binary_unbalanced", "bin", lightgbm.LGBMClassifier, is_unbalance=True, convert=raw)
lgbm("multiclass", "multi", lightgbm.LGBMClassifier, holes=True, convert=raw)
lgbm("multiclass_zipmap", "multi", lightgbm.LGBMClassifier)
lgbm("multiclassova", "multi", lightgbm.LGBMClassifier, objective="multiclassova", convert=raw)
lgbm("lambdarank", "rank", lightgbm.LGBMRanker, holes=True)
lgbm("rank_xendcg", "rank", lightgbm.LGBMRanker, objective="rank_xendcg")

for objective, target in (("reg:squarederror", "reg"), ("reg:squaredlogerror",
                                                        "positive"), ("reg:pseudohubererror", "reg"),
                          ("reg:absoluteerror", "reg"), ("reg:gamma", "positive"), ("reg:tweedie", "count"),
                          ("count:poisson", "count"), ("reg:logistic", "share")):
    xgb(objective.replace(":", "_"), target, objective=objective)
xgb("quantile", "reg", objective="reg:quantileerror", quantile_alpha=0.7)
xgb("reg_nan", "reg", holes=True)
xgb("reg_base", "reg", base_score=0.25)
xgb("dart", "reg", booster="dart", rate_drop=0.2)
xgb("rf", "reg", xgboost.XGBRFRegressor, holes=True)
xgb("deep", "reg", max_depth=9, n_estimators=60)
xgb("binary", "bin", xgboost.XGBClassifier, holes=True)
xgb("binary_base", "bin", xgboost.XGBClassifier, base_score=0.3, n_estimators=3)
xgb("logitraw", "bin", xgboost.XGBClassifier, objective="binary:logitraw")
xgb("multi_softprob", "multi", xgboost.XGBClassifier, holes=True)
xgb("multi_softmax", "multi", xgboost.XGBClassifier, objective="multi:softmax")
xgb("rank_ndcg", "rank", xgboost.XGBRanker, objective="rank:ndcg")
xgb("rank_pairwise", "rank", xgboost.XGBRanker, objective="rank:pairwise")
