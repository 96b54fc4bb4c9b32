# SPDX-License-Identifier: Apache-2.0
"""Every estimator of scikit-learn that is used on tables and that skl2onnx exports."""
import warnings

import numpy as np
import pandas
from skl2onnx import to_onnx
from skl2onnx.common.data_types import (DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType)
from sklearn import (calibration, cluster, compose, cross_decomposition, decomposition, discriminant_analysis,
                     ensemble, feature_selection, gaussian_process, impute, kernel_approximation,
                     linear_model, mixture, multiclass, multioutput, naive_bayes, neighbors, neural_network,
                     pipeline, preprocessing, random_projection, svm, tree)

from . import SEED, Feed, Model, add

warnings.filterwarnings("ignore")
FEATURES = 10
TIE = "labels may differ where two classes tie within the bound"


def data(kind, holes=False, positive=False, rows=300, width=FEATURES):
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((rows, width)).astype(np.float32)
    signal = x[:, 0] - 2 * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * rng.standard_normal(rows)
    y = {
        "reg": signal,
        "count": np.round(np.exp(signal / 2)),
        "strictly": np.exp(signal / 2),
        "bin": (signal > 0).astype(int),
        "multi": np.digitize(signal, [-1, 1]),
        "none": None,
        "text": np.array(["down", "flat", "up"])[np.digitize(signal, [-1, 1])],
        "many": np.stack([signal, signal * x[:, 3]], 1),
        "labels": np.stack([signal > 0, x[:, 3] > 0], 1).astype(int)
    }[kind]
    if holes:
        x[rng.random(x.shape) < 0.1] = np.nan
    return (np.abs(x) if positive else x), y


def put(name,
        make,
        kind="reg",
        family="other sklearn",
        holes=False,
        positive=False,
        dtype="float32",
        options=None,
        bound=1e-5,
        reason="",
        opset=None):
    """zipmap is off unless options say so."""

    def build():
        x, y = data(kind, holes, positive)
        model = make()
        model.fit(x) if y is None else model.fit(x, y)
        wide = DoubleTensorType if dtype == "float64" else FloatTensorType
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        chosen = dict(options or {})
        if hasattr(last, "classes_") and hasattr(last, "predict_proba"):
            chosen.setdefault("zipmap", False)
        elif "zipmap" in chosen:
            raise ValueError("no zipmap there")
        return to_onnx(model,
                       initial_types=[("x", wide([None, FEATURES]))],
                       target_opset=opset,
                       options={id(model): chosen} if chosen else None)

    feed = Feed("x", ["n", FEATURES],
                dtype,
                "positive" if positive else "normal",
                holes=0.2 if holes else 0.0)
    add(Model(f"sk_{name}", family, build, [feed], reason=reason, bound=bound))


def scaled(model, *before):
    steps = before or (preprocessing.StandardScaler(), )
    return lambda: pipeline.make_pipeline(*steps, model)


def of(cls, *args, **kwargs):
    return lambda: cls(*args, **kwargs)


linear = linear_model
for name, make in {
        "linear": of(linear.LinearRegression),
        "ridge": of(linear.Ridge),
        "lasso": of(linear.Lasso, 0.1),
        "elasticnet": of(linear.ElasticNet, 0.1),
        "lars": of(linear.Lars),
        "lassolars": of(linear.LassoLars, 0.01),
        "bayesian_ridge": of(linear.BayesianRidge),
        "ard": of(linear.ARDRegression),
        "huber": of(linear.HuberRegressor),
        "sgd": of(linear.SGDRegressor, random_state=0),
        "omp": of(linear.OrthogonalMatchingPursuit),
        "ransac": of(linear.RANSACRegressor, random_state=0),
        "theil": of(linear.TheilSenRegressor, random_state=0),
        "quantile": of(linear.QuantileRegressor, quantile=0.7, alpha=0.01),
        "svr_rbf": of(svm.SVR),
        "svr_poly": of(svm.SVR, kernel="poly"),
        "svr_linear": of(svm.SVR, kernel="linear"),
        "nusvr": of(svm.NuSVR),
        "linearsvr": of(svm.LinearSVR, random_state=0),
        "knn_reg": of(neighbors.KNeighborsRegressor, 5),
        "knn_reg_distance": of(neighbors.KNeighborsRegressor, 4, weights="distance"),
        "radius_reg": of(neighbors.RadiusNeighborsRegressor, 6.0),
        "mlp_reg": scaled(
            neural_network.MLPRegressor(hidden_layer_sizes=(24, 12), max_iter=80, random_state=0)),
        "pls": of(cross_decomposition.PLSRegression, 3),
        "target_scaled": lambda: compose.TransformedTargetRegressor(
            linear.Ridge(), transformer=preprocessing.StandardScaler()),
        "poly_ridge": scaled(linear.Ridge(), preprocessing.PolynomialFeatures(2)),
        "bins_dense": scaled(
            linear.Ridge(),
            preprocessing.KBinsDiscretizer(5, encode="onehot-dense",
                                           quantile_method="averaged_inverted_cdf")),
        "power": scaled(linear.Ridge(), preprocessing.PowerTransformer()),
        "normalizer": scaled(linear.Ridge(), preprocessing.Normalizer("l1")),
        "minmax": scaled(linear.Ridge(), preprocessing.MinMaxScaler(clip=True)),
        "maxabs": scaled(linear.Ridge(), preprocessing.MaxAbsScaler()),
        "robust": scaled(linear.Ridge(), preprocessing.RobustScaler()),
        "kbest": scaled(linear.Ridge(), feature_selection.SelectKBest(feature_selection.f_regression, k=4)),
        "from_model": scaled(linear.Ridge(), feature_selection.SelectFromModel(linear.Lasso(0.1))),
        "pca_ridge": scaled(linear.Ridge(), preprocessing.StandardScaler(), decomposition.PCA(4,
                                                                                              whiten=True)),
        "svd_ridge": scaled(linear.Ridge(), decomposition.TruncatedSVD(4, random_state=0)),
        "nystroem": scaled(linear.Ridge(), kernel_approximation.Nystroem(n_components=20, random_state=0)),
        "projection": scaled(linear.Ridge(), random_projection.GaussianRandomProjection(6, random_state=0)),
        "binarizer": scaled(linear.Ridge(), preprocessing.Binarizer(threshold=0.2)),
}.items():
    put(name, make)
put("poisson", of(linear.PoissonRegressor), "count")
put("gamma", of(linear.GammaRegressor), "strictly")
put("tweedie", of(linear.TweedieRegressor, power=1.5), "count")
put("ridge_f64", scaled(linear.Ridge()), dtype="float64")
put("multi_output", of(multioutput.MultiOutputRegressor, linear.Ridge()), "many")
put("ridge_two", of(linear.Ridge), "many")
put("gp",
    of(gaussian_process.GaussianProcessRegressor,
       gaussian_process.kernels.RBF(2.0) + gaussian_process.kernels.WhiteKernel(0.1)),
    bound=1e-4,
    reason="differences of large sums of kernels; both are in float32")
put("gp_f64",
    of(gaussian_process.GaussianProcessRegressor, gaussian_process.kernels.RBF(2.0), alpha=0.1),
    dtype="float64")

for name, make in {
        "logreg": scaled(linear.LogisticRegression()),
        "sgd_log": of(linear.SGDClassifier, loss="log_loss", random_state=0),
        "perceptron": of(linear.Perceptron, random_state=0),
        "passive": of(linear.SGDClassifier, loss="hinge", random_state=0),
        "ridge_cls": of(linear.RidgeClassifier),
        "linearsvc": of(svm.LinearSVC, random_state=0),
        "svc_rbf": of(svm.SVC),
        "svc_poly": of(svm.SVC, kernel="poly"),
        "svc_sigmoid": of(svm.SVC, kernel="sigmoid"),
        "svc_proba": of(calibration.CalibratedClassifierCV, svm.SVC(), cv=2),
        "nusvc": of(svm.NuSVC, nu=0.3),
        "knn": of(neighbors.KNeighborsClassifier, 5),
        "centroid": of(neighbors.NearestCentroid),
        "gaussian_nb": of(naive_bayes.GaussianNB),
        "bernoulli_nb": of(naive_bayes.BernoulliNB),
        "lda": of(discriminant_analysis.LinearDiscriminantAnalysis),
        "qda": of(discriminant_analysis.QuadraticDiscriminantAnalysis),
        "mlp": scaled(neural_network.MLPClassifier(hidden_layer_sizes=(24, 12), max_iter=80, random_state=0)),
        "ovr": of(multiclass.OneVsRestClassifier, linear.LogisticRegression()),
        "ovo": of(multiclass.OneVsOneClassifier, linear.LogisticRegression()),
        "calibrated_sigmoid": of(calibration.CalibratedClassifierCV, linear.LogisticRegression(), cv=2),
        "calibrated_isotonic": of(calibration.CalibratedClassifierCV,
                                  linear.LogisticRegression(),
                                  method="isotonic",
                                  cv=2),
}.items():
    for kind in ("bin", "multi"):
        put(f"{name}_{kind}", make, kind, reason=TIE)
put("logreg_zipmap", scaled(linear.LogisticRegression()), "multi", options={"zipmap": True}, reason=TIE)
put("logreg_text", scaled(linear.LogisticRegression()), "text", options={"zipmap": True}, reason=TIE)
put("logreg_columns", scaled(linear.LogisticRegression()), "text", options={"zipmap": "columns"}, reason=TIE)
put("logreg_raw", of(linear.LogisticRegression), "multi", options={"raw_scores": True}, reason=TIE)
put("knn_text", of(neighbors.KNeighborsClassifier, 3), "text", reason=TIE)
put("multi_label", of(multioutput.MultiOutputClassifier, linear.LogisticRegression()), "labels", reason=TIE)
put("multinomial_nb", of(naive_bayes.MultinomialNB), "multi", positive=True, reason=TIE)
put("complement_nb", of(naive_bayes.ComplementNB), "multi", positive=True, reason=TIE)
put("gp_cls",
    of(gaussian_process.GaussianProcessClassifier),
    "bin",
    bound=1e-4,
    reason="differences of large sums of kernels; " + TIE)

small = dict(n_estimators=15, random_state=0)
for name, make, kind in [("tree_reg", of(tree.DecisionTreeRegressor, max_depth=6), "reg"),
                         ("tree_cls", of(tree.DecisionTreeClassifier, max_depth=5), "multi"),
                         ("tree_many", of(tree.DecisionTreeRegressor, max_depth=6), "many"),
                         ("extra_tree", of(tree.ExtraTreeRegressor, random_state=0), "reg"),
                         ("forest_reg", of(ensemble.RandomForestRegressor, **small), "reg"),
                         ("forest_many", of(ensemble.RandomForestRegressor, **small), "many"),
                         ("forest_cls", of(ensemble.RandomForestClassifier, **small), "bin"),
                         ("forest_multi", of(ensemble.RandomForestClassifier, **small), "multi"),
                         ("forest_text", of(ensemble.RandomForestClassifier, **small), "text"),
                         ("extra_reg", of(ensemble.ExtraTreesRegressor, **small), "reg"),
                         ("extra_cls", of(ensemble.ExtraTreesClassifier, **small), "multi"),
                         ("gb_reg", of(ensemble.GradientBoostingRegressor, **small), "reg"),
                         ("gb_cls", of(ensemble.GradientBoostingClassifier, **small), "bin"),
                         ("gb_multi", of(ensemble.GradientBoostingClassifier, **small), "multi"),
                         ("gb_quantile",
                          of(ensemble.GradientBoostingRegressor, loss="quantile", alpha=0.9, **small), "reg"),
                         ("hist_reg", of(ensemble.HistGradientBoostingRegressor, max_iter=15), "reg"),
                         ("hist_cls", of(ensemble.HistGradientBoostingClassifier, max_iter=15), "bin"),
                         ("hist_multi", of(ensemble.HistGradientBoostingClassifier, max_iter=10), "multi"),
                         ("adaboost_reg", of(ensemble.AdaBoostRegressor, **small), "reg"),
                         ("adaboost_cls", of(ensemble.AdaBoostClassifier, **small), "multi"),
                         ("bagging_reg", of(ensemble.BaggingRegressor, **small), "reg"),
                         ("bagging_cls", of(ensemble.BaggingClassifier, **small), "bin"),
                         ("extra_many", of(ensemble.ExtraTreesRegressor, **small), "many")]:
    put(name, make, kind, "trees", reason=TIE)
put("isolation",
    of(ensemble.IsolationForest, **small),
    "none",
    "trees",
    opset={
        "": 20,
        "ai.onnx.ml": 3
    },
    reason=TIE)
put("hist_nan", of(ensemble.HistGradientBoostingRegressor, max_iter=15), "reg", "trees", holes=True)
put("hist_poisson", of(ensemble.HistGradientBoostingRegressor, loss="poisson", max_iter=15), "count", "trees")
put("forest_nan", of(ensemble.RandomForestRegressor, **small), "reg", "trees", holes=True)
put(
    "bins_ordinal",
    scaled(linear.Ridge(),
           preprocessing.KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf")),
    "reg")
put("voting_reg", lambda: ensemble.VotingRegressor([("a", linear.Ridge()),
                                                    ("b", tree.DecisionTreeRegressor(max_depth=4))]))
put("voting_soft",
    lambda: ensemble.VotingClassifier([("a", linear.LogisticRegression()), ("b", naive_bayes.GaussianNB())],
                                      voting="soft",
                                      flatten_transform=False),
    "multi",
    reason=TIE)
put("voting_hard",
    lambda: ensemble.VotingClassifier([("a", linear.LogisticRegression()), ("b", naive_bayes.GaussianNB()),
                                       ("c", tree.DecisionTreeClassifier(max_depth=3))],
                                      flatten_transform=False),
    "multi",
    reason=TIE)
put(
    "stacking_reg", lambda: ensemble.StackingRegressor([("a", linear.Ridge()),
                                                        ("b", tree.DecisionTreeRegressor(max_depth=4))]))
put("stacking_cls",
    lambda: ensemble.StackingClassifier([("a", linear.LogisticRegression()),
                                         ("b", naive_bayes.GaussianNB())]),
    "bin",
    reason=TIE)
put("lof",
    of(neighbors.LocalOutlierFactor, novelty=True),
    "none",
    bound=1e-4,
    reason="ratios of distances; " + TIE)
put("one_class", of(svm.OneClassSVM), "none", reason=TIE)
put("gmm",
    of(mixture.GaussianMixture, 3, random_state=0),
    "none",
    bound=1e-4,
    reason="squares of differences in float32; " + TIE)
put("bayes_gmm",
    of(mixture.BayesianGaussianMixture, n_components=3, random_state=0),
    "none",
    bound=1e-4,
    reason="squares of differences in float32; " + TIE)
put("kmeans", of(cluster.KMeans, 4, n_init=2, random_state=0), "none", reason=TIE)
put("minibatch_kmeans", of(cluster.MiniBatchKMeans, 4, n_init=2, random_state=0), "none", reason=TIE)
put("pca", of(decomposition.PCA, 4), "none")
put("incremental_pca", of(decomposition.IncrementalPCA, 4), "none")
put("kernel_pca",
    of(decomposition.KernelPCA, 3, kernel="rbf"),
    "none",
    bound=1e-4,
    reason="sums of kernels that cancel")
put("fast_ica", of(decomposition.FastICA, 3, random_state=0), "none")
put("scaler", of(preprocessing.StandardScaler), "none")
put("function", lambda: pipeline.make_pipeline(preprocessing.FunctionTransformer(), linear.Ridge()))
put("imputer_mean", scaled(linear.Ridge(), impute.SimpleImputer()), holes=True)
put("imputer_constant",
    scaled(linear.Ridge(), impute.SimpleImputer(strategy="constant", fill_value=-1)),
    holes=True)
put("imputer_knn", scaled(linear.Ridge(), impute.KNNImputer(n_neighbors=3)), holes=True)
put("variance", scaled(linear.Ridge(), feature_selection.VarianceThreshold(0.1)))
put("logreg_opset11", scaled(linear.LogisticRegression()), "bin", opset={"": 11, "ai.onnx.ml": 1}, reason=TIE)
put("forest_ml1",
    of(ensemble.RandomForestRegressor, **small),
    "reg",
    "trees",
    opset={
        "": 15,
        "ai.onnx.ml": 1
    })

# Tables with columns of their own kinds: numbers, whole numbers, texts.
TEXTS = ["tech", "energy", "bank", "health"]


def columns_data(rows=300):
    rng = np.random.default_rng(SEED)
    frame = pandas.DataFrame({
        "close": rng.standard_normal(rows).astype(np.float32),
        "volume": rng.lognormal(3, 1, rows).astype(np.float32),
        "age": rng.integers(0, 9, rows),
        "sector": rng.choice(TEXTS, rows),
        "venue": rng.choice(["X", "Y"], rows)
    })
    signal = frame["close"] + (frame["sector"] == "tech") - 0.1 * frame["age"]
    return frame, signal.to_numpy(), (signal > 0.2).astype(int).to_numpy()


def put_columns(name, make, classify=False, family="other sklearn"):

    def build():
        frame, reg, bins = columns_data()
        model = make().fit(frame, bins if classify else reg)
        kinds = {
            "f": FloatTensorType,
            "i": Int64TensorType,
            "O": StringTensorType,
            "s": StringTensorType,
            "U": StringTensorType
        }
        types = [(c, kinds.get(frame[c].dtype.kind, StringTensorType)([None, 1])) for c in frame.columns]
        return to_onnx(model,
                       initial_types=types,
                       options={id(model): {
                                    "zipmap": False
                                }} if classify else None)

    feeds = [
        Feed("close", ["n", 1]),
        Feed("volume", ["n", 1], kind="positive", scale=20.0),
        Feed("age", ["n", 1], "int64", "int", high=9),
        Feed("sector", ["n", 1], "str", "text", choices=TEXTS),
        Feed("venue", ["n", 1], "str", "text", choices=["X", "Y"])
    ]
    add(Model(f"sk_columns_{name}", family, build, feeds, reason=TIE))


def columns(model, encoder=None):
    encoder = encoder or (lambda: preprocessing.OneHotEncoder(handle_unknown="ignore"))
    return lambda: pipeline.make_pipeline(
        compose.ColumnTransformer([("numbers",
                                    pipeline.make_pipeline(impute.SimpleImputer(
                                    ), preprocessing.StandardScaler()), ["close", "volume"]),
                                   ("age", preprocessing.OneHotEncoder(handle_unknown="ignore"), ["age"]),
                                   ("texts", encoder(), ["sector", "venue"])]), model)


put_columns("logreg", columns(linear.LogisticRegression()), True)
put_columns("ridge", columns(linear.Ridge()))
put_columns("forest", columns(ensemble.RandomForestClassifier(**small)), True, "trees")
put_columns("ordinal", columns(tree.DecisionTreeRegressor(max_depth=5), preprocessing.OrdinalEncoder), False,
            "trees")
put_columns("drop_first", columns(linear.Ridge(), lambda: preprocessing.OneHotEncoder(drop="first")))
