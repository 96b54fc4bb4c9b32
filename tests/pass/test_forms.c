/* SPDX-License-Identifier: Apache-2.0
 * Operators that exporters write out: normalisations, Gelu and its like; what is computed twice;
 * reshapes around Linear. What each becomes, and what only looks like it. */
#include "pass/both.h"

enum { B = 3, T = 5, E = 12 };
static float data[B * T * E];
static const hy_tensor x = {.data = data, .dtype = HY_F32, .rank = 3, .dims = {B, T, E}};

static pb graph(void) {
  pb g = {0};
  both_fill(data, HY_COUNT(data), 9);
  both_ports(&g, &x);
  return g;
}

static void number(pb *g, const char *name, float value) {
  initializer_add(g, name, HY_F32, NULL, 0, &value, 4);
}

static void mean(pb *g, const char *in, const char *out, int64_t axis) {
  both_node_ints(g, "ReduceMean", in, out, "axes", &axis, 1);
}

/* --- normalisations --- */

static void layer_norm_written_out(void **state) {
  (void)state;
  const int64_t row[1] = {E};
  for (int form = 0; form < 3; form++) {
    pb g = graph();
    number(&g, "two", 2.0f);
    number(&g, "eps", 1e-3f);
    both_weights(&g, "w", row, 1);
    both_weights(&g, "b", row, 1);
    mean(&g, "x", "m", -1);
    node_add(&g, "Sub", "x m", "d");
    if (form == 0)
      node_add(&g, "Pow", "d two", "q");
    else
      node_add(&g, "Mul", "d d", "q");
    mean(&g, "q", "v", 2);
    node_add(&g, "Add", form == 1 ? "eps v" : "v eps", "ve");
    node_add(&g, "Sqrt", "ve", "s");
    if (form == 2) {
      node_add(&g, "Reciprocal", "s", "r");
      node_add(&g, "Mul", "r d", "n");
    } else {
      node_add(&g, "Div", "d s", "n");
    }
    node_add(&g, "Mul", "n w", "nw");
    node_add(&g, "Add", "b nw", "y");
    both_agree(&g, &x, "LayerNormalization", 2e-6);
  }
}

static void rms_norm_written_out(void **state) {
  (void)state;
  const int64_t row[1] = {E};
  pb g = graph();
  number(&g, "two", 2.0f);
  number(&g, "eps", 1e-3f);
  number(&g, "one", 1.0f);
  both_weights(&g, "w", row, 1);
  node_add(&g, "Pow", "x two", "q");
  mean(&g, "q", "v", -1);
  node_add(&g, "Add", "v eps", "ve");
  node_add(&g, "Sqrt", "ve", "s");
  node_add(&g, "Div", "one s", "r");
  node_add(&g, "Mul", "x r", "n");
  node_add(&g, "Mul", "w n", "y");
  both_agree(&g, &x, "RMSNormalization", 2e-6);
}

/* As Keras' exporters write it; the pool is the mean of the last axis where there are three. */
static void layer_norm_of_keras(void **state) {
  (void)state;
  const int64_t row[3] = {1, 1, E};
  for (int form = 0; form < 4; form++) {
    pb g = graph();
    number(&g, "eps", 1e-3f);
    both_weights(&g, "w", row, 3);
    both_weights(&g, "b", row, 3);
    if (form == 0)
      node_add(&g, "GlobalAveragePool", "x", "m");
    else
      mean(&g, "x", "m", 2);
    node_add(&g, "Neg", "m", "z");
    node_add(&g, "Sub", "x m", "d");
    node_add(&g, "Mul", "d d", "q");
    if (form == 0)
      node_add(&g, "GlobalAveragePool", "q", "v");
    else
      mean(&g, "q", "v", 2);
    node_add(&g, "Add", "v eps", "ve");
    node_add(&g, "Sqrt", "ve", "r");
    node_add(&g, "Reciprocal", "r", form == 2 ? "s" : "i");
    if (form != 2) node_add(&g, "Mul", "i w", "s");
    node_add(&g, "Mul", "x s", "xs");
    node_add(&g, "Mul", form == 1 || form == 3 ? "m s" : "s z", "ms");
    if (form == 0) node_add(&g, "Add", "ms b", "t");
    if (form == 1) node_add(&g, "Sub", "b ms", "t");
    node_add(&g, form == 3 ? "Sub" : "Add",
             form == 3   ? "xs ms"
             : form == 2 ? "ms xs"
                         : "xs t",
             "y");
    both_agree(&g, &x, "LayerNormalization", 2e-6);
  }
}

static void norms_that_are_not_keras(void **state) {
  (void)state;
  for (int form = 0; form < 3; form++) {
    pb g = graph();
    number(&g, "eps", 1e-3f);
    mean(&g, "x", "m", form == 1 ? 1 : 2); /* of another axis */
    node_add(&g, "Neg", "m", "z");
    node_add(&g, "Sub", "x m", "d");
    node_add(&g, "Mul", "d d", "q");
    mean(&g, "q", "v", 2);
    node_add(&g, "Add", "v eps", "ve");
    node_add(&g, "Sqrt", "ve", "r");
    node_add(&g, "Reciprocal", "r", "s");
    node_add(&g, "Mul", form == 0 ? "d s" : "x s", "xs"); /* twice without its mean */
    node_add(&g, "Mul", form == 2 ? "s m" : "s z", "ms"); /* the mean added */
    node_add(&g, "Add", "xs ms", "y");
    both_agree(&g, &x,
               form == 0
                   ? "ReduceMean Neg Sub Mul ReduceMean Add Sqrt Reciprocal LayerNormalization "
                     "Mul Add"
               : form == 1 ? "ReduceMean Neg Sub Mul ReduceMean Add Sqrt Reciprocal Mul Mul Add"
                           : "ReduceMean Sub Mul ReduceMean Add Sqrt Reciprocal Mul Mul Add",
               2e-6);
  }
}

static void norms_that_are_none(void **state) {
  (void)state;
  pb g = graph(); /* along another axis */
  number(&g, "eps", 1e-3f);
  node_add(&g, "Mul", "x x", "q");
  mean(&g, "q", "v", 1);
  node_add(&g, "Add", "v eps", "ve");
  node_add(&g, "Sqrt", "ve", "s");
  node_add(&g, "Div", "x s", "y");
  both_agree(&g, &x, "Mul ReduceMean Add Sqrt Div", 0);
  g = graph(); /* the deviation of something else */
  number(&g, "eps", 1e-3f);
  node_add(&g, "Neg", "x", "z");
  node_add(&g, "Mul", "z z", "q");
  mean(&g, "q", "v", -1);
  node_add(&g, "Add", "v eps", "ve");
  node_add(&g, "Sqrt", "ve", "s");
  node_add(&g, "Div", "x s", "y");
  both_agree(&g, &x, "Neg Mul ReduceMean Add Sqrt Div", 0);
}

/* --- activations --- */

static void gelu_written_out(void **state) {
  (void)state;
  for (int form = 0; form < 3; form++) {
    pb g = graph();
    number(&g, "root", form == 1 ? 0.70710678f : 1.41421356f);
    number(&g, "one", 1.0f);
    number(&g, "half", 0.5f);
    node_add(&g, form == 1 ? "Mul" : "Div", "x root", "r");
    node_add(&g, "Erf", "r", "e");
    node_add(&g, "Add", form == 1 ? "one e" : "e one", "s");
    node_add(&g, "Mul", form == 2 ? "half s" : "x s", "p");
    node_add(&g, "Mul", form == 2 ? "x p" : "p half", "y");
    both_agree(&g, &x, "Gelu", 1e-6);
  }
}

/* As tf2onnx writes Keras' exact Gelu, with an operator that ONNX does not have. */
static void gelu_by_erfc(void **state) {
  (void)state;
  for (int other = 0; other < 2; other++) {
    pb g = graph();
    number(&g, "root", 0.70710678f);
    number(&g, "half", 0.5f);
    node_add(&g, "Mul", "half x", "h");
    node_add(&g, other ? "Abs" : "Neg", "x", "z");
    node_add(&g, "Mul", "z root", "r");
    node_add(&g, "Erfc", "r", "e");
    node_add(&g, "Mul", "h e", "y");
    both_agree(&g, &x, other ? "Mul Abs Mul Erfc Mul" : "Gelu", other ? 0 : 1e-6);
  }
}

static void tanh_gelu_written_out(void **state) {
  (void)state;
  for (int form = 0; form < 2; form++) {
    pb g = graph();
    number(&g, "c", 0.7978845608f);
    number(&g, "k", 0.044715f);
    number(&g, "one", 1.0f);
    number(&g, "half", 0.5f);
    number(&g, "three", 3.0f);
    if (form == 0) {
      node_add(&g, "Pow", "x three", "x3");
      node_add(&g, "Mul", "x3 k", "kx");
      node_add(&g, "Add", "x kx", "in");
      node_add(&g, "Mul", "in c", "a");
    } else {
      node_add(&g, "Mul", "x x", "x2");
      node_add(&g, "Mul", "x2 k", "kx");
      node_add(&g, "Add", "one kx", "in");
      node_add(&g, "Mul", "x c", "xc");
      node_add(&g, "Mul", "xc in", "a");
    }
    node_add(&g, "Tanh", "a", "t");
    node_add(&g, "Add", "t one", "s");
    node_add(&g, "Mul", "x half", "h");
    node_add(&g, "Mul", "h s", "y");
    both_agree(&g, &x, "Gelu", 1e-6);
  }
}

static void swish_and_mish(void **state) {
  (void)state;
  pb g = graph();
  node_add(&g, "Sigmoid", "x", "s");
  node_add(&g, "Mul", "s x", "y");
  both_agree(&g, &x, "Swish", 1e-6);
  g = graph();
  node_add(&g, "Softplus", "x", "s");
  node_add(&g, "Tanh", "s", "t");
  node_add(&g, "Mul", "x t", "y");
  both_agree(&g, &x, "Mish", 1e-6);
}

static void activations_that_are_none(void **state) {
  (void)state;
  pb g = graph(); /* another number under the root */
  number(&g, "root", 1.5f);
  number(&g, "one", 1.0f);
  number(&g, "half", 0.5f);
  node_add(&g, "Div", "x root", "r");
  node_add(&g, "Erf", "r", "e");
  node_add(&g, "Add", "e one", "s");
  node_add(&g, "Mul", "x s", "p");
  node_add(&g, "Mul", "p half", "y");
  both_agree(&g, &x, "Div Erf Add Mul Mul", 0);
  g = graph(); /* the sigmoid of something else */
  node_add(&g, "Neg", "x", "z");
  node_add(&g, "Sigmoid", "z", "s");
  node_add(&g, "Mul", "x s", "y");
  both_agree(&g, &x, "Neg Sigmoid Mul", 0);
}

/* --- what is computed twice --- */

static void common_nodes(void **state) {
  (void)state;
  const int64_t perm[3] = {0, 2, 1}, other[3] = {2, 1, 0};
  pb g = graph();
  number(&g, "a", 0.25f);
  number(&g, "b", 0.25f);
  node_add(&g, "Mul", "x a", "p");
  node_add(&g, "Mul", "x b", "q");
  node_add(&g, "Exp", "p", "ep");
  node_add(&g, "Exp", "q", "eq");
  node_add(&g, "Sub", "ep x", "r");
  node_add(&g, "Div", "r eq", "y");
  both_agree(&g, &x, "Mul Exp Sub Div", 0);
  g = graph(); /* attributes differ */
  both_node_ints(&g, "Transpose", "x", "p", "perm", perm, 3);
  both_node_ints(&g, "Transpose", "x", "q", "perm", other, 3);
  node_add(&g, "Flatten", "p", "f");
  node_add(&g, "Size", "q", "n");
  both_node_int(&g, "Softmax", "f", "y", "axis", 1);
  both_agree(&g, &x, "Transpose Flatten Softmax", 0);
  g = graph(); /* the order of operands counts */
  number(&g, "a", 0.25f);
  node_add(&g, "Sub", "x a", "p");
  node_add(&g, "Sub", "a x", "q");
  node_add(&g, "Max", "p q", "y");
  both_agree(&g, &x, "Sub Sub Max", 0);
}

/* --- reshapes --- */

static void reshapes_around_linear(void **state) {
  (void)state;
  const int64_t w[2] = {E, 4}, rows[2] = {-1, E}, parted[3] = {B, T, 4};
  pb g = graph();
  both_weights(&g, "w", w, 2);
  both_ints(&g, "rows", rows, 2);
  both_ints(&g, "parted", parted, 3);
  node_add(&g, "Reshape", "x rows", "r");
  node_add(&g, "MatMul", "r w", "m");
  node_add(&g, "Reshape", "m parted", "p");
  node_add(&g, "Exp", "p", "y");
  both_agree(&g, &x, "Linear* Exp", 0);
  const int64_t wide[2] = {2 * T * E, 4}, all[2] = {-1, 2 * T * E}; /* one row alone */
  const hy_tensor even = {.data = data, .dtype = HY_F32, .rank = 3, .dims = {2, T, E}};
  g = (pb){0};
  both_ports(&g, &even);
  both_weights(&g, "w", wide, 2);
  both_ints(&g, "all", all, 2);
  node_add(&g, "Reshape", "x all", "r");
  node_add(&g, "MatMul", "r w", "y");
  both_agree(&g, &even, "Reshape Linear*", 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layer_norm_written_out), cmocka_unit_test(rms_norm_written_out),
      cmocka_unit_test(layer_norm_of_keras),    cmocka_unit_test(norms_that_are_not_keras),
      cmocka_unit_test(norms_that_are_none),    cmocka_unit_test(gelu_written_out),
      cmocka_unit_test(gelu_by_erfc),           cmocka_unit_test(tanh_gelu_written_out),
      cmocka_unit_test(swish_and_mish),         cmocka_unit_test(activations_that_are_none),
      cmocka_unit_test(common_nodes),           cmocka_unit_test(reshapes_around_linear)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
