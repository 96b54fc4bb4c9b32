# SPDX-License-Identifier: Apache-2.0
"""Trains trees.onnx of this example, and says what such a model is worth out of sample.

    hayate import prices.csv --zone America/New_York --calendar XNYS -o us20.h5
    pip install -r requirements.txt
    python train.py us20.h5

Walk-forward first: a model a year from 2005 on, each trained on all earlier days whose label was
known, less an embargo. The parameters were set once and not tuned on these results. The model
that is written knows nothing after 2018, so that 2019 to 2022 can be scored with it honestly.
"""
import pathlib
import sys

import lightgbm
import numpy as np
import onnxmltools
from onnxmltools.convert.common.data_types import FloatTensorType

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import research  # noqa: E402

HORIZON = 1
EMBARGO = 20
SEED = 11
FIRST_TEST, LAST_TRAIN = 2005, 2018
PARAMS = dict(objective="regression", num_leaves=15, learning_rate=0.03, min_data_in_leaf=500,
              feature_fraction=0.7, bagging_fraction=0.7, bagging_freq=1, lambda_l2=10.0,
              num_threads=1, deterministic=True, force_row_wise=True, seed=SEED, verbose=-1)
ROUNDS = 200


def fit(panel, y, rows):
    x, target = panel.values[rows], research.zscore_rows(y[rows])
    use = np.isfinite(target) & (np.isfinite(x).mean(axis=-1) > 0.5)
    data = lightgbm.Dataset(x[use], target[use], feature_name=panel.names)
    return research.floor_thresholds(lightgbm.train(PARAMS, data, ROUNDS))


def predict(booster, panel, rows):
    x = panel.values[rows]
    flat = booster.predict(x.reshape(-1, x.shape[-1]), num_threads=1)
    return flat.reshape(x.shape[:2])


def report(title, score, y, last_return):
    print(title)
    for name, s in (("model", score), ("last return", last_return)):
        print(f"  {name:12s} IC {research.summary(research.daily_ic(s, y))}"
              f"  rank IC {research.summary(research.daily_ic(s, y, rank=True))}")


def main(universe):
    panel = research.load_panel(HERE / "features.yaml", universe)
    y = research.forward_returns(panel.close, HORIZON)
    years = panel.days().astype("datetime64[Y]").astype(int) + 1970
    starts = [int(np.argmax(years == year)) for year in range(FIRST_TEST, years.max() + 1)]
    score = np.full(y.shape, np.nan)
    for train, test in research.walk_forward(len(y), starts, HORIZON, EMBARGO):
        score[test] = predict(fit(panel, y, train), panel, test)
    last = panel.values[..., panel.names.index("ret1")]
    for first, until in ((FIRST_TEST, LAST_TRAIN), (LAST_TRAIN + 1, years.max())):
        span = (years >= first) & (years <= until)
        report(f"walk-forward {first} to {until}", score[span], y[span], last[span])

    cut = int(np.argmax(years == LAST_TRAIN + 1))
    train, test = next(iter(research.walk_forward(len(y), [cut], HORIZON, EMBARGO)))
    booster = fit(panel, y, train)
    report(f"the model that is written, {LAST_TRAIN + 1} to {years.max()}",
           predict(booster, panel, test), y[test], last[test])
    proto = onnxmltools.convert_lightgbm(
        booster, initial_types=[("x", FloatTensorType([None, len(panel.names)]))],
        target_opset=15)
    proto.doc_string = f"us20-daily: {ROUNDS} trees, days before {LAST_TRAIN + 1}"
    research.save_onnx(proto, HERE / "trees.onnx", panel)


if __name__ == "__main__":
    main(sys.argv[1])
