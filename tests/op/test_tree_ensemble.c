/* SPDX-License-Identifier: Apache-2.0
 * TreeEnsembleRegressor and TreeEnsembleClassifier as files give them: ids in any order, several
 * weights per leaf, aggregates, doubles, one column of weights for two classes; and refusals of
 * lists that do not fit together. Expected values are worked out by hand from the specification. */
#include "op/one_op.h"

#include <math.h>
#include <stdio.h>

/* Two trees. Tree 3: x0 <= 1 ? (x1 < 2 ? leaf 9 : leaf 7) : leaf 2. Tree 0: x1 > 0 ? leaf 5 :
 * leaf 6. Listed out of order, with gaps. */
enum { N = 8, W = 6 };
static const int64_t trees[N] = {3, 3, 3, 3, 3, 0, 0, 0};
static const int64_t nodes[N] = {7, 2, 0, 9, 4, 5, 1, 6};
static const int64_t features[N] = {0, 0, 0, 0, 1, 0, 1, 0};
static const float values[N] = {0, 0, 1, 0, 2, 0, 0, 0};
static const int64_t if_true[N] = {0, 0, 4, 0, 9, 0, 5, 0};
static const int64_t if_false[N] = {0, 0, 2, 0, 7, 0, 6, 0};
static const int64_t missing[N] = {0, 0, 0, 0, 1, 0, 0, 0};
/* leaf 9 has two targets, and weights come in another order than nodes */
static const int64_t weight_trees[W] = {0, 3, 3, 0, 3, 3};
static const int64_t weight_nodes[W] = {6, 9, 2, 5, 9, 7};
static const int64_t weight_ids[W] = {0, 1, 0, 0, 0, 1};
static const float weights[W] = {10, 2, 3, 20, 1, 5};
/* sums of (target 0, target 1) for rows (x0, x1) */
static const float rows[5][2] = {{1, 1}, {1, 2}, {2, -1}, {NAN, 1}, {0, NAN}};
static const double sums[5][2] = {{21, 2}, {20, 5}, {13, 0}, {23, 0}, {11, 2}};

typedef struct lists {
  const char *modes[N];
  hy_string mode_texts[N];
} lists;

static void common(one_op *o, lists *l, const char *prefix) {
  static const char *const modes[N] = {"LEAF",      "LEAF", "BRANCH_LEQ", "LEAF",
                                       "BRANCH_LT", "LEAF", "BRANCH_GT",  "LEAF"};
  static char names[4][32];
  static const char *const ends[4] = {"treeids", "nodeids", "ids", "weights"};
  for (int i = 0; i < N; ++i) l->mode_texts[i] = one_op_text(modes[i]);
  for (int i = 0; i < 4; ++i) snprintf(names[i], sizeof names[i], "%s_%s", prefix, ends[i]);
  one_op_ints(o, "nodes_treeids", trees, N);
  one_op_ints(o, "nodes_nodeids", nodes, N);
  one_op_ints(o, "nodes_featureids", features, N);
  one_op_ints(o, "nodes_truenodeids", if_true, N);
  one_op_ints(o, "nodes_falsenodeids", if_false, N);
  one_op_ints(o, "nodes_missing_value_tracks_true", missing, N);
  one_op_floats(o, "nodes_values", values, N);
  one_op_strings(o, "nodes_modes", l->mode_texts, N);
  one_op_ints(o, names[0], weight_trees, W);
  one_op_ints(o, names[1], weight_nodes, W);
  one_op_ints(o, names[2], weight_ids, W);
  one_op_floats(o, names[3], weights, W);
}

static void regressor(one_op *o, lists *l) {
  one_op_begin(o, "ai.onnx.ml", "TreeEnsembleRegressor", 3);
  common(o, l, "target");
  one_op_int(o, "n_targets", 2);
  memcpy(one_op_in(o, HY_F32, 2, (int64_t[]){5, 2}, false), rows, sizeof rows);
}

static void check_ok(one_op *o, size_t n_out) {
  if (one_op_run(o, n_out, (1u << n_out) - 1) != HY_OK) fail_msg("%s", o->err.message);
}

static void test_sum(void **state) {
  (void)state;
  one_op o;
  lists l;
  regressor(&o, &l);
  check_ok(&o, 1);
  const float *y = o.out[0].data;
  for (int i = 0; i < 5; ++i)
    for (int k = 0; k < 2; ++k) assert_true((double)y[i * 2 + k] == sums[i][k]);
  one_op_end(&o);
}

/* base_values come once, after the aggregate, to targets that a leaf names. */
static void test_aggregates(void **state) {
  (void)state;
  static const float bases[2] = {100, 1000};
  static const struct {
    const char *name;
    double first[2];
  } cases[] = {
      {"SUM", {121, 1002}}, {"AVERAGE", {110.5, 1001}}, {"MIN", {101, 1002}}, {"MAX", {120, 1002}}};
  for (size_t c = 0; c < HY_COUNT(cases); ++c) {
    one_op o;
    lists l;
    regressor(&o, &l);
    one_op_string(&o, "aggregate_function", cases[c].name);
    one_op_floats(&o, "base_values", bases, 2);
    check_ok(&o, 1);
    const float *y = o.out[0].data;
    for (int k = 0; k < 2; ++k) assert_true((double)y[k] == cases[c].first[k]);
    assert_true(y[2 * 2 + 1] == 0.0f); /* no leaf names it in row 2 */
    one_op_end(&o);
  }
}

/* The same trees over doubles, by tensors; a threshold that float32 cannot hold. */
static void test_doubles(void **state) {
  (void)state;
  static double wide_values[N] = {0, 0, 0.1, 0, 2, 0, 0, 0}, wide_weights[W] = {10, 2, 3, 20, 1, 5};
  hy_tensor v = {.data = wide_values, .dtype = HY_F64, .rank = 1, .dims = {N}};
  hy_tensor w = {.data = wide_weights, .dtype = HY_F64, .rank = 1, .dims = {W}};
  one_op o;
  lists l;
  one_op_begin(&o, "ai.onnx.ml", "TreeEnsembleRegressor", 3);
  common(&o, &l, "target");
  for (size_t i = 0; i < o.node.n_attrs; ++i) {
    hy__attr *a = &o.attrs[i];
    bool is_values = !strcmp(a->name, "nodes_values");
    if (!is_values && strcmp(a->name, "target_weights") != 0) continue;
    *a = (hy__attr){.name = is_values ? "nodes_values_as_tensor" : "target_weights_as_tensor",
                    .kind = HY__ATTR_TENSOR,
                    .as.tensor = is_values ? &v : &w};
  }
  one_op_int(&o, "n_targets", 2);
  double *x = one_op_in(&o, HY_F64, 2, (int64_t[]){2, 2}, false);
  x[0] = 0.1, x[1] = 3, x[2] = nextafter(0.1, 1), x[3] = 3;
  check_ok(&o, 1);
  const float *y = o.out[0].data;
  assert_true(y[0] == 20 && y[1] == 5 && y[2] == 23 && y[3] == 0);
  one_op_end(&o);
}

/* One column of weights for two classes: all positive, so the label is that of scores over 1/2. */
static void test_binary(void **state) {
  (void)state;
  static const int64_t ones[W] = {0, 0, 0, 0, 0, 0};
  static const float small[W] = {0.1f, 0.1f, 0.2f, 0.3f, 0.1f, 0.3f};
  one_op o;
  lists l;
  one_op_begin(&o, "ai.onnx.ml", "TreeEnsembleClassifier", 1);
  common(&o, &l, "class");
  for (size_t i = 0; i < o.node.n_attrs; ++i) {
    if (!strcmp(o.attrs[i].name, "class_ids")) o.attrs[i].as.ints = ones;
    if (!strcmp(o.attrs[i].name, "class_weights")) o.attrs[i].as.floats = small;
  }
  const hy_string labels[2] = {one_op_text("down"), one_op_text("up")};
  one_op_strings(&o, "classlabels_strings", labels, 2);
  memcpy(one_op_in(&o, HY_F32, 2, (int64_t[]){5, 2}, false), rows, sizeof rows);
  check_ok(&o, 2);
  const hy_string *label = o.out[0].data;
  const float *z = o.out[1].data;
  static const double scores[5] = {0.5, 0.6, 0.3, 0.5, 0.3};
  for (int i = 0; i < 5; ++i) {
    assert_true(fabs((double)z[2 * i + 1] - scores[i]) < 1e-6);
    assert_true(fabs((double)z[2 * i] - (1 - scores[i])) < 1e-6);
  }
  assert_int_equal(label[1].len_bytes, 2);
  assert_int_equal(label[2].len_bytes, 4);
  one_op_end(&o);
}

/* What a broken list does: `name` is cut to n elements, or one of its integers is changed. */
static hy_status broken(const char *name, size_t n, int at, int64_t value) {
  one_op o;
  lists l;
  int64_t changed[N];
  regressor(&o, &l);
  for (size_t i = 0; i < o.node.n_attrs; ++i) {
    hy__attr *a = &o.attrs[i];
    if (strcmp(a->name, name) != 0) continue;
    if (at >= 0) {
      memcpy(changed, a->as.ints, a->n * sizeof *changed);
      changed[at] = value;
      a->as.ints = changed;
    } else {
      a->n = n;
    }
  }
  hy_status status = one_op_run(&o, 1, 1);
  one_op_end(&o);
  return status;
}

static void test_refusals(void **state) {
  (void)state;
  static const char *const names[] = {"nodes_nodeids",      "nodes_featureids", "nodes_truenodeids",
                                      "nodes_falsenodeids", "nodes_values",     "nodes_modes",
                                      "nodes_treeids",      "target_treeids",   "target_nodeids",
                                      "target_ids",         "target_weights"};
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    assert_int_equal(broken(names[i], 0, -1, 0), HY_BAD_FORMAT);
    assert_int_equal(broken(names[i], 3, -1, 0), HY_BAD_FORMAT);
  }
  assert_int_equal(broken("nodes_truenodeids", 0, 2, 77), HY_BAD_FORMAT); /* no such node */
  assert_int_equal(broken("nodes_truenodeids", 0, 4, 0), HY_BAD_FORMAT);  /* its own parent */
  assert_int_equal(broken("nodes_truenodeids", 0, 4, 7), HY_BAD_FORMAT);  /* one child twice */
  assert_int_equal(broken("nodes_truenodeids", 0, 2, -1), HY_BAD_FORMAT);
  assert_int_equal(broken("nodes_nodeids", 0, 0, 2), HY_BAD_FORMAT); /* an id twice */
  assert_int_equal(broken("nodes_nodeids", 0, 0, INT64_MIN), HY_BAD_FORMAT);
  assert_int_equal(broken("nodes_treeids", 0, 0, INT64_MAX), HY_BAD_FORMAT);
  assert_int_equal(broken("nodes_featureids", 0, 2, 2), HY_BAD_FORMAT);
  assert_int_equal(broken("nodes_featureids", 0, 2, -1), HY_BAD_FORMAT);
  assert_int_equal(broken("target_ids", 0, 0, 2), HY_BAD_FORMAT);
  assert_int_equal(broken("target_nodeids", 0, 0, 77), HY_BAD_FORMAT);
  assert_int_equal(broken("target_ids", 0, 0, 0), HY_OK); /* unchanged: the fixture is sound */
}

/* --- TreeEnsemble, the fifth version: x0 is 2 or 5 ? leaf 0 : (x1 > 1 ? leaf 1 : leaf 2) --- */

typedef struct whole {
  uint8_t modes[2];
  float splits[2], members[3], weights[3];
  hy_tensor tensors[4];
} whole;

static void tensor_attr(one_op *o, const char *name, hy_tensor *t) {
  one_op_attr(o, name, HY__ATTR_TENSOR)->as.tensor = t;
}

static void ensemble(one_op *o, whole *w, int64_t post) {
  static const int64_t ids[2] = {0, 1}, if_yes[2] = {0, 1}, if_no[2] = {1, 2}, yes_leaf[2] = {1, 1};
  static const int64_t no_leaf[2] = {0, 1}, targets[3] = {0, 1, 1}, root[1] = {0},
                       track[2] = {1, 0};
  *w = (whole){{6, 3}, {0, 1}, {2, 5, NAN}, {0.5f, -1, 3}, {{0}}};
  w->tensors[0] = (hy_tensor){.data = w->modes, .dtype = HY_U8, .rank = 1, .dims = {2}};
  w->tensors[1] = (hy_tensor){.data = w->splits, .dtype = HY_F32, .rank = 1, .dims = {2}};
  w->tensors[2] = (hy_tensor){.data = w->weights, .dtype = HY_F32, .rank = 1, .dims = {3}};
  w->tensors[3] = (hy_tensor){.data = w->members, .dtype = HY_F32, .rank = 1, .dims = {3}};
  one_op_begin(o, "ai.onnx.ml", "TreeEnsemble", 5);
  one_op_ints(o, "nodes_featureids", ids, 2);
  one_op_ints(o, "nodes_truenodeids", if_yes, 2);
  one_op_ints(o, "nodes_falsenodeids", if_no, 2);
  one_op_ints(o, "nodes_trueleafs", yes_leaf, 2);
  one_op_ints(o, "nodes_falseleafs", no_leaf, 2);
  one_op_ints(o, "nodes_missing_value_tracks_true", track, 2);
  one_op_ints(o, "leaf_targetids", targets, 3);
  one_op_ints(o, "tree_roots", root, 1);
  one_op_int(o, "n_targets", 2);
  one_op_int(o, "post_transform", post);
  tensor_attr(o, "nodes_modes", &w->tensors[0]);
  tensor_attr(o, "nodes_splits", &w->tensors[1]);
  tensor_attr(o, "leaf_weights", &w->tensors[2]);
  tensor_attr(o, "membership_values", &w->tensors[3]);
  static const float x[4][2] = {{5, 0}, {4, 2}, {2.5f, 1}, {NAN, 7}};
  memcpy(one_op_in(o, HY_F32, 2, (int64_t[]){4, 2}, false), x, sizeof x);
}

/* 0 none, 1 softmax, 2 logistic, 3 softmax that leaves zeros: the specification's numbers. */
static void test_ensemble(void **state) {
  (void)state;
  static const double raw[4][2] = {{0.5, 0}, {0, -1}, {0, 3}, {0.5, 0}};
  for (int64_t post = 0; post < 4; ++post) {
    one_op o;
    whole w;
    ensemble(&o, &w, post);
    assert_int_equal(one_op_run(&o, 1, 1), HY_OK);
    const float *y = o.out[0].data;
    for (int i = 0; i < 4; ++i) {
      double e[2], sum = 0, top = fmax(raw[i][0], raw[i][1]);
      for (int k = 0; k < 2; ++k) {
        e[k] = post == 3 && raw[i][k] == 0 ? 0 : exp(raw[i][k] - top);
        sum += e[k];
      }
      for (int k = 0; k < 2; ++k) {
        const double want = post == 0   ? raw[i][k]
                            : post == 2 ? 1 / (1 + exp(-raw[i][k]))
                                        : e[k] / sum;
        assert_true(fabs((double)y[2 * i + k] - want) < 1e-6);
      }
    }
    one_op_end(&o);
  }
}

static void test_ensemble_refusals(void **state) {
  (void)state;
  for (int what = 0; what < 6; ++what) {
    one_op o;
    whole w;
    int64_t changed[2] = {0, what == 0 ? 3 : 0};
    ensemble(&o, &w, 0);
    if (what < 2)
      o.attrs[1].as.ints = changed;    /* a leaf that does not exist; a leaf twice is fine */
    if (what == 2) w.members[0] = NAN; /* two sets for one node */
    if (what == 3) w.modes[1] = 7;
    if (what == 4) w.tensors[1].dims[0] = 1;
    if (what == 5) o.attrs[5].n = 1;
    assert_int_equal(one_op_run(&o, 1, 1), what == 1 ? HY_OK : HY_BAD_FORMAT);
    one_op_end(&o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sum),
      cmocka_unit_test(test_aggregates),
      cmocka_unit_test(test_doubles),
      cmocka_unit_test(test_binary),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_ensemble),
      cmocka_unit_test(test_ensemble_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
