/* SPDX-License-Identifier: Apache-2.0
 * Attention as exporters write it becomes one AttentionView, its last row alone where no other is
 * read; and what only looks like it does not. */
#include "pass/both.h"

enum { B = 2, T = 12, E = 24, H = 3, D = E / H };
static float data[B * T * E];
static const hy_tensor x = {.data = data, .dtype = HY_F32, .rank = 3, .dims = {B, T, E}};

static void scalar_add(pb *g, const char *name, float value) {
  initializer_add(g, name, HY_F32, NULL, 0, &value, 4);
}

/* q [B,H,T,D], kt [B,H,D,T], v [B,H,T,D] from one packed projection of x. */
static pb packed_graph(void) {
  const int64_t w[2] = {E, 3 * E}, heads[4] = {B, T, H, D}, to_rows[4] = {0, 2, 1, 3};
  const int64_t to_keys[4] = {0, 2, 3, 1};
  pb g = {0};
  both_fill(data, HY_COUNT(data), 3);
  both_ports(&g, &x);
  both_weights(&g, "w", w, 2);
  both_ints(&g, "heads", heads, 4);
  node_add(&g, "MatMul", "x w", "qkv");
  pb split = node_make("Split", "qkv", "q0 k0 v0");
  attr_int(&split, "axis", 2);
  pb_message(&g, 1, &split);
  node_add(&g, "Reshape", "q0 heads", "q1");
  node_add(&g, "Reshape", "k0 heads", "k1");
  node_add(&g, "Reshape", "v0 heads", "v1");
  both_node_ints(&g, "Transpose", "q1", "q", "perm", to_rows, 4);
  both_node_ints(&g, "Transpose", "k1", "kt", "perm", to_keys, 4);
  both_node_ints(&g, "Transpose", "v1", "v", "perm", to_rows, 4);
  return g;
}

/* The heads of `in` side by side again: y0 [B,T,E]. */
static void join(pb *g, const char *in) {
  const int64_t back[4] = {0, 2, 1, 3}, flat[3] = {B, T, E};
  both_ints(g, "flat", flat, 3);
  both_node_ints(g, "Transpose", in, "o", "perm", back, 4);
  node_add(g, "Reshape", "o flat", "y0");
}

static void scaled_scores(void **state) {
  (void)state;
  pb g = packed_graph();
  scalar_add(&g, "root", 2.5f);
  node_add(&g, "MatMul", "q kt", "s");
  node_add(&g, "Div", "s root", "d");
  both_node_int(&g, "Softmax", "d", "p", "axis", -1);
  node_add(&g, "MatMul", "p v", "a");
  join(&g, "a");
  node_add(&g, "Identity", "y0", "y");
  both_agree(&g, &x, "Linear* AttentionView* Reshape", 1e-6);
}

static void scale_on_both_sides(void **state) {
  (void)state;
  pb g = packed_graph();
  scalar_add(&g, "c", 0.6f);
  node_add(&g, "Mul", "q c", "qs");
  node_add(&g, "Mul", "c kt", "ks");
  node_add(&g, "MatMul", "qs ks", "s");
  both_node_int(&g, "Softmax", "s", "p", "axis", 3);
  node_add(&g, "MatMul", "p v", "y"); /* heads stay apart */
  both_agree(&g, &x, "Linear* AttentionView*", 1e-6);
}

static void mask_add(pb *g, const char *name, bool causal) {
  const int64_t dims[2] = {T, T};
  float mask[T * T];
  for (int i = 0; i < T; i++)
    for (int j = 0; j < T; j++)
      mask[i * T + j] = causal ? (j <= i ? 0 : -INFINITY) : (float)((i * 5 + j) % 7) / 3;
  initializer_add(g, name, HY_F32, dims, 2, mask, sizeof mask);
}

static void masked(void **state) {
  (void)state;
  for (int causal = 0; causal < 2; causal++) {
    pb g = packed_graph();
    mask_add(&g, "mask", causal);
    node_add(&g, "MatMul", "q kt", "s");
    node_add(&g, causal ? "Add" : "Add", causal ? "s mask" : "mask s", "m");
    both_node_int(&g, "Softmax", "m", "p", "axis", -1);
    node_add(&g, "MatMul", "p v", "a");
    join(&g, "a");
    node_add(&g, "Identity", "y0", "y");
    both_agree(&g, &x, "Linear* AttentionView* Reshape", 1e-6);
  }
}

/* ONNX's own operator, since opset 23. */
static void the_operator(void **state) {
  (void)state;
  both_opset = 23;
  for (int form = 0; form < 3; form++) {
    pb g = packed_graph();
    const int64_t rows[4] = {0, 2, 1, 3};
    both_node_ints(&g, "Transpose", "k1", "k", "perm", rows, 4);
    mask_add(&g, "mask", false);
    pb node = node_make("Attention", form == 2 ? "q k v mask" : "q k v", "a");
    attr_int(&node, "is_causal", form == 1);
    pb_message(&g, 1, &node);
    join(&g, "a");
    node_add(&g, "Identity", "y0", "y");
    both_agree(&g, &x, "Linear* AttentionView* Reshape", 1e-6);
  }
  pb g = packed_graph(); /* the values of the past beside */
  const int64_t rows[4] = {0, 2, 1, 3};
  both_node_ints(&g, "Transpose", "k1", "k", "perm", rows, 4);
  pb node = node_make("Attention", "q k v - k v", "y");
  pb_message(&g, 1, &node);
  both_agree(&g, &x,
             "Linear* Split Reshape Reshape Reshape Transpose Transpose Transpose Attention", 0);
  both_opset = 17;
}

static void some_rows_alone(void **state) {
  (void)state;
  for (int causal = 0; causal < 2; causal++)
    for (int64_t at = 0; at < T; at += 5) {
      pb g = packed_graph();
      mask_add(&g, "mask", causal);
      both_index(&g, "at", at);
      node_add(&g, "MatMul", "q kt", "s");
      node_add(&g, "Add", "s mask", "m");
      both_node_int(&g, "Softmax", "m", "p", "axis", -1);
      node_add(&g, "MatMul", "p v", "a");
      join(&g, "a");
      both_node_int(&g, "Gather", "y0 at", "y", "axis", 1);
      both_agree(&g, &x, "Linear* AttentionView* Reshape", 1e-6);
    }
}

static void what_only_looks_like_it(void **state) {
  (void)state;
  pb g = packed_graph(); /* the scores are read besides */
  node_add(&g, "MatMul", "q kt", "s");
  both_node_int(&g, "Softmax", "s", "p", "axis", -1);
  node_add(&g, "MatMul", "p v", "a");
  node_add(&g, "MatMul", "p a", "y");
  both_agree(&g, &x,
             "Linear* Split Reshape Reshape Reshape Transpose Transpose Transpose MatMul "
             "Softmax MatMul MatMul",
             0);
  g = packed_graph(); /* along the queries */
  node_add(&g, "MatMul", "q kt", "s");
  both_node_int(&g, "Softmax", "s", "p", "axis", 2);
  node_add(&g, "MatMul", "p v", "y");
  both_agree(&g, &x,
             "Linear* Split Reshape Reshape Reshape Transpose Transpose Transpose MatMul "
             "Softmax MatMul",
             0);
  g = packed_graph(); /* the mask is scaled with the scores */
  mask_add(&g, "mask", false);
  scalar_add(&g, "c", 0.6f);
  node_add(&g, "MatMul", "q kt", "s");
  node_add(&g, "Add", "s mask", "m");
  node_add(&g, "Mul", "m c", "ms");
  both_node_int(&g, "Softmax", "ms", "p", "axis", -1);
  node_add(&g, "MatMul", "p v", "y");
  both_agree(&g, &x,
             "Linear* Split Reshape Reshape Reshape Transpose Transpose Transpose MatMul "
             "Add Mul Softmax MatMul",
             0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scaled_scores),   cmocka_unit_test(scale_on_both_sides),
      cmocka_unit_test(masked),          cmocka_unit_test(the_operator),
      cmocka_unit_test(some_rows_alone), cmocka_unit_test(what_only_looks_like_it)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
