# SPDX-License-Identifier: Apache-2.0
"""More rows of tests/golden/onnx_op: the operators of ai.onnx.ml beyond what exporters write."""
import numpy as np
from onnx import numpy_helper

from onnx_ops import Const, Outputs, family, rng

NAN, INF = np.nan, np.inf
POSTS = ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")


def f(*shape, name="x", scale=1.0):
    return (rng(name).standard_normal(shape) * scale).astype(np.float32)


def f32(values):
    return np.array(values, dtype=np.float32)


def i64(*values):
    return np.array(values, dtype=np.int64)


def text(*values):
    return np.array(values, dtype=object)


def floats(name, n, scale=1.0):
    return [float(np.float32(v)) for v in rng(name).standard_normal(n) * scale]


# support vector machines ------------------------------------------------------------------------

SVM_X = f(9, 19, name="svm_rows")


def svc(case, per_class, kernel="RBF", prob=False, labels=None, positive=False, rows=SVM_X,
        **attrs):
    """Random support vectors: libsvm's form, by votes or with probabilities of pairs."""
    n, total, width = len(per_class), sum(per_class), rows.shape[1]
    pairs = n * (n - 1) // 2
    coefficients = floats(case + "c", (n - 1) * total)
    if positive:
        coefficients = [abs(c) for c in coefficients]
    built = dict(kernel_type=kernel, kernel_params=[0.05, 0.2, 3.0], coefficients=coefficients,
                 support_vectors=floats(case + "v", total * width), vectors_per_class=per_class,
                 rho=floats(case + "r", pairs, 0.3))
    if prob:
        built.update(prob_a=[-abs(v) - 0.5 for v in floats(case + "a", pairs)],
                     prob_b=floats(case + "b", pairs, 0.2))
    if labels and isinstance(labels[0], str):
        built.update(classlabels_strings=labels)
    else:
        built.update(classlabels_ints=labels or list(range(n)))
    built.update(attrs)
    return (case, "SVMClassifier", [rows], built, Outputs(2))


def svm_linear(case, n, positive=False, **attrs):
    coefficients = floats(case + "c", n * SVM_X.shape[1], 0.3)
    if positive:
        coefficients = [abs(c) for c in coefficients]
    labels = dict(classlabels_ints=list(range(10, 10 + n)))
    return (case, "SVMClassifier", [SVM_X],
            dict(coefficients=coefficients, rho=[0.1], kernel_type="LINEAR",
                 kernel_params=[0.0, 0.0, 3.0], **labels, **attrs),
            Outputs(2))


family("SVMClassifier_1", 13, [
    svc(f"votes_{kernel.lower()}", [2, 3, 2], kernel)
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID")
] + [
    svc(f"four_{post.lower()}", [1, 2, 3, 2], post_transform=post) for post in POSTS
] + [
    svc(f"prob_{post.lower()}", [2, 3, 2, 4], prob=True, post_transform=post) for post in POSTS
] + [
    svc(f"two_{post.lower()}", [3, 4], post_transform=post) for post in POSTS
] + [
    svc(f"two_prob_{post.lower()}", [3, 4], prob=True, post_transform=post) for post in POSTS
], ml=1, rtol=1e-5, atol=2e-6)
family("SVMClassifier_1_forms", 13, [
    svc("two_positive", [3, 4], positive=True),
    svc("two_positive_prob", [3, 4], positive=True, prob=True),
    svc("strings", [2, 2, 2], labels=["down", "flat", "up"]),
    svc("strings_two", [2, 2], labels=["down", "up"], prob=True),
    svc("i64", [2, 2, 2], rows=rng("whole").integers(-3, 4, (5, 4))),
    svc("f64", [2, 2, 2], rows=rng("wide").standard_normal((5, 4))),
    svc("empty_class", [2, 0, 2]),
    svc("many", [1] * 7, prob=True),
    svm_linear("linear_three", 3), svm_linear("linear_two", 2),
    svm_linear("linear_two_positive", 2, positive=True),
    svm_linear("linear_softmax", 4, post_transform="SOFTMAX"),
    svm_linear("linear_logistic", 4, post_transform="LOGISTIC"),
], ml=1, rtol=1e-5, atol=2e-6)

# numbers, keys and columns ----------------------------------------------------------------------

WHOLE = rng("whole numbers").integers(-9, 10, (4, 3))
DOUBLES = rng("doubles").standard_normal((4, 3))
family("MlNumbers_1_types", 13, [
    ("scaler_f64", "Scaler", [DOUBLES], dict(offset=[1.0, 0.5, -2.0], scale=[0.5, 2.0, 0.0])),
    ("scaler_i32", "Scaler", [WHOLE.astype(np.int32)], dict(offset=[0.5], scale=[2.0])),
    ("scaler_row", "Scaler", [f(3)], dict(offset=[1.0, 0.5, -2.0], scale=[0.5, 2.0, 0.0])),
    ("normalizer_l1_f64", "Normalizer", [DOUBLES], dict(norm="L1")),
    ("normalizer_l2_i64", "Normalizer", [WHOLE], dict(norm="L2")),
    ("normalizer_max_i32", "Normalizer", [WHOLE.astype(np.int32)], dict(norm="MAX")),
    ("normalizer_max_negative", "Normalizer", [f32([[-1, -4, -2], [0, 0, 0], [-1, 3, 2]])],
     dict(norm="MAX")),
    ("normalizer_row", "Normalizer", [f(5)], dict(norm="L2")),
    ("imputer_i64", "Imputer", [WHOLE], dict(imputed_value_int64s=[7, 8, 9],
                                             replaced_value_int64=int(WHOLE[1, 1]))),
    ("imputer_one_i64", "Imputer", [WHOLE], dict(imputed_value_int64s=[7],
                                                 replaced_value_int64=int(WHOLE[0, 2]))),
    ("imputer_row", "Imputer", [f32([1, NAN, 3])], dict(imputed_value_floats=[4.0, 5.0, 6.0],
                                                       replaced_value_float=NAN)),
    ("binarizer_default", "Binarizer", [f32([[0, -0.0, 1, -1, INF]])], {}),
    ("pick_strings", "ArrayFeatureExtractor", [Const(text("a", "b", "c")), i64(2, 2, 0)], {}),
    ("pick_f64", "ArrayFeatureExtractor", [DOUBLES, Const(i64(1))], {}),
    ("pick_cube", "ArrayFeatureExtractor", [f(2, 3, 4), Const(i64(3, 1))], {}),
    ("features_types", "FeatureVectorizer", [f(2, 3), f(2, 1, name="b")],
     dict(inputdimensions=[3, 1])),
    ("features_i64", "FeatureVectorizer", [WHOLE, WHOLE + 1], dict(inputdimensions=[3, 3])),
    ("features_cut", "FeatureVectorizer", [f(4, 3), f(4, 2, name="b")],
     dict(inputdimensions=[2, 4])),
    ("features_row", "FeatureVectorizer", [f(4), f(4, name="b")], dict(inputdimensions=[1, 1])),
], ml=1)
family("MlKeys_1", 13, [
    ("hot_strings", "OneHotEncoder", [text("b", "z", "a")],
     dict(cats_strings=["a", "b", "c"], zeros=1)),
    ("hot_floats", "OneHotEncoder", [f32([[1.9, 4], [9, -1]])],
     dict(cats_int64s=[1, 2, 4], zeros=1)),
    ("hot_no_zeros", "OneHotEncoder", [i64(4, 1)], dict(cats_int64s=[1, 2, 4], zeros=0)),
    ("hot_matrix", "OneHotEncoder", [WHOLE], dict(cats_int64s=[-2, 0, 3], zeros=1)),
    ("map_strings", "CategoryMapper", [text("b", "z", "a")],
     dict(cats_strings=["a", "b"], cats_int64s=[5, 9], default_int64=-7)),
    ("map_ints", "CategoryMapper", [np.array([[5], [9], [1]])],
     dict(cats_strings=["a", "b"], cats_int64s=[5, 9], default_string="none")),
    ("map_default", "CategoryMapper", [text("b", "z")],
     dict(cats_strings=["a", "b"], cats_int64s=[5, 9])),
    ("classes", "LabelEncoder", [text("b", "z", "a")], dict(classes_strings=["a", "b"])),
    ("classes_back", "LabelEncoder", [i64(1, 0, 5)], dict(classes_strings=["a", "b"])),
    ("classes_default", "LabelEncoder", [text("z")],
     dict(classes_strings=["a", "b"], default_int64=42)),
], ml=1)
family("LabelEncoder_2_types", 13, [
    ("floats_strings", "LabelEncoder", [f32([1.5, 7, -0.0])],
     dict(keys_floats=[1.5, 0.0], values_strings=["a", "b"])),
    ("strings_floats", "LabelEncoder", [text("a", "c")],
     dict(keys_strings=["a", "b"], values_floats=[1.5, 2.5])),
    ("strings", "LabelEncoder", [text("a", "c")],
     dict(keys_strings=["a", "b"], values_strings=["x", "y"], default_string="?")),
    ("ints_floats", "LabelEncoder", [WHOLE],
     dict(keys_int64s=[1, -2, 3], values_floats=[0.5, 1.5, 2.5], default_float=NAN)),
    ("floats_ints", "LabelEncoder", [f32([NAN, 1.0])],
     dict(keys_floats=[1.0, 2.0], values_int64s=[3, 4], default_int64=9)),
    ("ints", "LabelEncoder", [WHOLE], dict(keys_int64s=[1, -2, 3], values_int64s=[10, 20, 30])),
    ("twice", "LabelEncoder", [i64(1, 2)],
     dict(keys_int64s=[1, 2, 1], values_int64s=[10, 20, 30])),
], ml=2)


def tensor(values, dtype):
    return numpy_helper.from_array(np.array(values, dtype=dtype))


family("LabelEncoder_4_tensors", 13, [
    ("i64_strings", "LabelEncoder", [i64(3, 1, 8)],
     dict(keys_tensor=tensor([1, 3], np.int64), values_tensor=tensor(["a", "b"], object),
          default_tensor=tensor(["?"], object))),
    ("strings_i16", "LabelEncoder", [text("b", "q")],
     dict(keys_tensor=tensor(["a", "b"], object), values_tensor=tensor([5, 6], np.int16),
          default_tensor=tensor([7], np.int16))),
    ("f64", "LabelEncoder", [np.array([0.1, NAN, 2.0])],
     dict(keys_tensor=tensor([0.1, NAN], np.float64),
          values_tensor=tensor([1.25, 2.5], np.float64),
          default_tensor=tensor([-1.5], np.float64))),
    ("lists", "LabelEncoder", [text("a", "x")],
     dict(keys_strings=["a", "b"], values_int64s=[3, 4], default_int64=11)),
    ("strings_f32", "LabelEncoder", [text("a", "x")],
     dict(keys_strings=["a", "b"], values_floats=[3.5, 4.5], default_float=-2.0)),
], ml=4)

# linear models ----------------------------------------------------------------------------------

ONE_FORM = dict(coefficients=[1.0, -0.5, -0.2], intercepts=[0.1])
TWO_FORMS = dict(coefficients=[-1.0, 0.5, 0.2, 1.0, -0.5, -0.2], intercepts=[-0.1, 0.1])
family("LinearRegressor_1_posts", 13, [
    (f"{name}_{post.lower()}", "LinearRegressor", [f(5, 3)],
     dict(targets=targets, post_transform=post, **forms))
    for post in POSTS for name, targets, forms in (("one", 1, ONE_FORM), ("two", 2, TWO_FORMS))
], ml=1)
family("LinearClassifier_1_posts", 13, [
    (f"{name}_{post.lower()}", "LinearClassifier", [f(7, 3)],
     dict(classlabels_ints=labels, post_transform=post, **forms), Outputs(2))
    for post in POSTS for name, labels, forms in (("one", [4, 9], ONE_FORM),
                                                  ("two", [4, 9], TWO_FORMS))
] + [
    ("strings", "LinearClassifier", [f(7, 3)],
     dict(classlabels_strings=["no", "yes"], post_transform="LOGISTIC", **ONE_FORM), Outputs(2)),
    ("f64", "LinearClassifier", [DOUBLES],
     dict(classlabels_ints=[0, 1], post_transform="SOFTMAX", **TWO_FORMS), Outputs(2)),
    ("i64", "LinearClassifier", [WHOLE], dict(classlabels_ints=[0, 1], **TWO_FORMS), Outputs(2)),
    ("row", "LinearClassifier", [f(3)], dict(classlabels_ints=[0, 1], **TWO_FORMS), Outputs(2)),
], ml=1)

# trees ------------------------------------------------------------------------------------------

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def tree_rows(n, features=5, dtype=np.float32):
    """Rows on a grid of 0.5, so that many values sit exactly on a threshold, and some NaN."""
    x = np.round(2 * rng("tree rows").standard_normal((n, features))) / 2
    x[rng("holes").random(x.shape) < 0.1] = NAN
    x[1] = [INF, -INF, 0.0, -0.0, 0.5]
    return x.astype(dtype)


def tree_shape(r, inner):
    """A random tree: for each inner node its children, ('node' or 'leaf', number)."""
    slots, children, leaves = [], [], 0
    for node in range(inner):
        if node:
            parent, side = slots.pop(int(r.integers(len(slots))))
            children[parent][side] = ("node", node)
        children.append([None, None])
        slots += [(node, 0), (node, 1)]
    for parent, side in slots:
        children[parent][side] = ("leaf", leaves)
        leaves += 1
    # in preorder, by which onnx's reference hands out the sets
    order, stack = [], [0]
    while stack:
        node = stack.pop()
        order.append(node)
        stack += [n for kind, n in children[node][::-1] if kind == "node"]
    place = {node: k for k, node in enumerate(order)}
    return [[(kind, place[n] if kind == "node" else n) for kind, n in children[node]]
            for node in order], leaves


def ensemble(case, dtype=np.float32, trees=6, targets=1, modes=6, member=False, rows=40, **attrs):
    """TreeEnsemble (version 5) with every mode and sets between NaNs."""
    r = rng(case)
    lists = {k: [] for k in ("featureids", "modes", "splits", "truenodeids", "falsenodeids",
                             "trueleafs", "falseleafs", "missing")}
    roots, weights, targetids, members = [], [], [], []
    for _ in range(trees):
        children, leaves = tree_shape(r, int(r.integers(1, 14)))
        base, first_leaf = len(lists["modes"]), len(weights)
        roots.append(base)
        for yes, no in children:
            mode = 6 if member and r.random() < 0.4 else int(r.integers(modes))
            lists["featureids"].append(int(r.integers(5)))
            lists["modes"].append(mode)
            lists["splits"].append(float(np.round(2 * r.standard_normal()) / 2))
            lists["missing"].append(int(r.integers(2)))
            if mode == 6:
                members += sorted(1.0 + r.choice(9, size=4, replace=False)) + [NAN]
            for key, (kind, number) in (("true", yes), ("false", no)):
                lists[key + "leafs"].append(int(kind == "leaf"))
                lists[key + "nodeids"].append(number + (first_leaf if kind == "leaf" else base))
        weights += [float(np.float32(v)) for v in r.standard_normal(leaves)]
        targetids += [int(v) for v in r.integers(targets, size=leaves)]
    built = {"nodes_" + k: lists[k] for k in ("featureids", "truenodeids", "falsenodeids",
                                              "trueleafs", "falseleafs")}
    built.update(tree_roots=roots, n_targets=targets, leaf_targetids=targetids,
                 nodes_missing_value_tracks_true=lists["missing"],
                 nodes_modes=numpy_helper.from_array(np.array(lists["modes"], dtype=np.uint8)),
                 nodes_splits=numpy_helper.from_array(np.array(lists["splits"], dtype=dtype)),
                 leaf_weights=numpy_helper.from_array(np.array(weights, dtype=dtype)), **attrs)
    if member:
        built["membership_values"] = numpy_helper.from_array(np.array(members, dtype=dtype))
    x = tree_rows(rows, dtype=dtype)
    if member:
        x[::2] = r.integers(0, 11, x[::2].shape)
    return (case, "TreeEnsemble", [x], built)


family("TreeEnsemble_5", 13, [
    ensemble("leq", modes=1), ensemble("mixed"), ensemble("members", member=True),
    ensemble("f64", dtype=np.float64), ensemble("members_sum", member=True, targets=2),
    ensemble("targets", targets=3), ensemble("one_tree", trees=1),
    ensemble("many", trees=60, rows=300), ensemble("many_targets", trees=60, targets=4, rows=70),
] + [
    ensemble(f"aggregate_{how}", aggregate_function=how) for how in range(4)
] + [
    ensemble(f"aggregate_{how}_targets", targets=2, aggregate_function=how) for how in range(4)
], ml=5)


# ONNX Runtime takes sets of floats alone.
family("TreeEnsemble_5_reference", 13, [
    ensemble("f64_members", dtype=np.float64, member=True),
    ensemble("members", member=True, trees=20),
], ml=5, reference=True)


def listed(case, op="TreeEnsembleRegressor", trees=6, targets=1, weights_each=1, doubles=False,
           rows=40, **attrs):
    """The older form with mixed modes, ids out of order, several weights a leaf."""
    r = rng(case)
    nodes, leaves = [], []
    for tree in range(trees):
        children, n_leaves = tree_shape(r, int(r.integers(1, 14)))
        ids = r.permutation(len(children) + n_leaves)
        of = {"node": ids[:len(children)], "leaf": ids[len(children):]}
        for k, (yes, no) in enumerate(children):
            nodes.append((tree, of["node"][k], MODES[r.integers(6)], r.integers(5),
                          np.round(2 * r.standard_normal()) / 2, of[yes[0]][yes[1]],
                          of[no[0]][no[1]], r.integers(2)))
        for k in range(n_leaves):
            nodes.append((tree, of["leaf"][k], "LEAF", 0, 0.0, 0, 0, 0))
            for target in r.choice(targets, size=min(weights_each, targets), replace=False):
                leaves.append((tree, of["leaf"][k], target, np.float32(r.standard_normal())))
    prefix = "target" if op.endswith("Regressor") else "class"
    columns = [[v.item() if hasattr(v, "item") else v for v in c] for c in zip(*nodes)]
    names = ("treeids", "nodeids", "modes", "featureids", "values", "truenodeids",
             "falsenodeids", "missing_value_tracks_true")
    built = {"nodes_" + k: list(c) for k, c in zip(names, columns)}
    columns = [[v.item() if hasattr(v, "item") else v for v in c] for c in zip(*leaves)]
    keys = [prefix + k for k in ("_treeids", "_nodeids", "_ids", "_weights")]
    built.update(dict(zip(keys, columns)), **attrs)
    if prefix == "target":
        built["n_targets"] = targets
    if doubles:
        for key in ("nodes_values", prefix + "_weights"):
            built[key + "_as_tensor"] = numpy_helper.from_array(np.array(built.pop(key)))
    x = tree_rows(rows, dtype=np.float64 if doubles else np.float32)
    made = [Outputs(2)] if prefix == "class" else []
    return (case, op, [x], built, *made)


def base_tensor(*values):
    return numpy_helper.from_array(np.array(values))


CLASSES = dict(op="TreeEnsembleClassifier", targets=3, classlabels_int64s=[0, 1, 2])
family("TreeEnsemble_3_forms", 13, [
    listed("mixed"), listed("weights", targets=4, weights_each=3),
    listed("weights_base", targets=3, weights_each=2, base_values=[0.5, -0.25, 2.0]),
    listed("weights_average", targets=3, weights_each=3, aggregate_function="AVERAGE"),
    listed("weights_min", targets=3, weights_each=2, aggregate_function="MIN"),
    listed("weights_max", targets=3, weights_each=2, aggregate_function="MAX",
           base_values=[0.5, -0.25, 2.0]),
    listed("doubles", doubles=True),
    listed("doubles_base", doubles=True, targets=2, weights_each=2,
           base_values_as_tensor=base_tensor(0.1, -0.3)),
    listed("softmax", targets=3, weights_each=3, post_transform="SOFTMAX"),
    listed("softmax_zero", targets=3, weights_each=2, post_transform="SOFTMAX_ZERO"),
    listed("many", trees=80, rows=300),
    listed("classes", weights_each=3, **CLASSES),
    listed("classes_sparse", weights_each=1, **CLASSES),
    listed("classes_softmax", weights_each=3, post_transform="SOFTMAX", **CLASSES),
    listed("classes_doubles", weights_each=3, doubles=True, **CLASSES),
], ml=3, atol=1e-5)  # "many": ONNX Runtime sums floats, 6e-6 off the doubles; we are 5e-7 off
