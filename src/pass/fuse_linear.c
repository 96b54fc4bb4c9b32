/* SPDX-License-Identifier: Apache-2.0 */
/* Gemm and MatMul with a known right-hand side become Linear; a known bias that is added and an
 * activation that follows move into it. The product's sums begin with the bias then, as Gemm's do.
 */
#include "pass/rewrite.h"

typedef struct linear {
  int32_t inputs[3];
  size_t n_inputs;
  bool trans_b;
  const char *activation;
  float alpha;
} linear;

static hy_status write(hy__work *w, int32_t n, const linear *l, bool *done, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, 3, sizeof(hy__attr), &memory, err));
  hy__attr *attrs = memory;
  attrs[0] = (hy__attr){.name = "transB", .kind = HY__ATTR_INT, .as.i = l->trans_b};
  attrs[1] = (hy__attr){.name = "activation",
                        .kind = HY__ATTR_STRING,
                        .as.s = {l->activation, strlen(l->activation)}};
  attrs[2] = (hy__attr){.name = "alpha", .kind = HY__ATTR_FLOAT, .as.f = l->alpha};
  hy__work_rewrite to = {.domain = "hayate",
                         .op_type = "Linear",
                         .version = 1,
                         .inputs = l->inputs,
                         .n_inputs = l->n_inputs,
                         .attrs = attrs,
                         .n_attrs = 3};
  return hy__work_replace(w, n, &to, done, err);
}

static bool known_matrix(const hy__work *w, int32_t n, size_t k) {
  const hy_tensor *t = hy__work_known_input(w, n, k);
  return t && t->rank == 2;
}

/* A known value of n elements along the last axis alone, as a vector; HY__ABSENT if it is not one.
 */
static hy_status as_vector(hy__work *w, int32_t id, int64_t n, int32_t *out, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(w, id);
  *out = HY__ABSENT;
  if (!t || !t->data || t->rank < 1 || t->dims[t->rank - 1] != n ||
      hy__work_bytes(t) != (size_t)n * hy_dtype_bytes(t->dtype))
    return HY_OK;
  *out = id;
  if (t->rank == 1) return HY_OK;
  hy_tensor flat = {.data = t->data, .dtype = t->dtype, .rank = 1, .dims = {n}};
  bool stable = w->values[id].stable;
  HY_TRY(hy__work_value_new(w, &flat, w->values[id].name, out, err));
  w->values[*out].stable = stable;
  return HY_OK;
}

static hy_status from_gemm(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  if (!known_matrix(w, n, 1) || hy__node_int(node, "transA", 0) ||
      hy__node_float(node, "alpha", 1.0f) != 1.0f || hy__node_float(node, "beta", 1.0f) != 1.0f)
    return HY_OK;
  linear l = {.inputs = {node->inputs[0], node->inputs[1]},
              .n_inputs = 2,
              .trans_b = hy__node_int(node, "transB", 0) != 0,
              .activation = ""};
  if (hy__work_input(w, n, 2) >= 0) {
    const hy_tensor *out = hy__work_tensor(w, node->outputs[0]);
    HY_TRY(as_vector(w, node->inputs[2], out->dims[out->rank - 1], &l.inputs[l.n_inputs++], err));
    if (l.inputs[2] == HY__ABSENT) return HY_OK;
  }
  return write(w, n, &l, done, err);
}

static hy_status from_matmul(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  const hy_tensor *x = hy__work_tensor(w, node->inputs[0]);
  if (!known_matrix(w, n, 1) || x->rank < 1) return HY_OK;
  linear l = {.inputs = {node->inputs[0], node->inputs[1]}, .n_inputs = 2, .activation = ""};
  return write(w, n, &l, done, err);
}

static linear read_back(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  linear l = {.n_inputs = node->n_inputs,
              .trans_b = hy__node_int(node, "transB", 0) != 0,
              .activation = hy__node_string(node, "activation", "").data,
              .alpha = hy__node_float(node, "alpha", 0)};
  for (size_t k = 0; k < node->n_inputs && k < 3; k++) l.inputs[k] = node->inputs[k];
  return l;
}

/* Add(Linear(x), b) or Add(b, Linear(x)): the sum's node becomes the Linear. */
static hy_status from_add(hy__work *w, int32_t n, bool *done, hy_error *err) {
  for (size_t k = 0; k < 2; k++) {
    int32_t product = hy__work_maker(w, hy__work_input(w, n, k), "Linear");
    if (product < 0) continue;
    linear l = read_back(w, product);
    const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.inputs[k]);
    if (l.n_inputs != 2 || *l.activation) continue;
    HY_TRY(as_vector(w, hy__work_input(w, n, 1 - k), y->dims[y->rank - 1], &l.inputs[2], err));
    if (l.inputs[2] == HY__ABSENT) continue;
    l.n_inputs = 3;
    HY_TRY(write(w, n, &l, done, err));
    if (*done) return HY_OK;
  }
  return HY_OK;
}

static hy_status from_activation(hy__work *w, int32_t n, const char *name, bool *done,
                                 hy_error *err) {
  int32_t product = hy__work_maker(w, hy__work_input(w, n, 0), "Linear");
  if (product < 0) return HY_OK;
  linear l = read_back(w, product);
  if (*l.activation) return HY_OK;
  l.activation = name;
  l.alpha = hy__node_float(&w->nodes[n].node, "alpha", 0.01f);
  return write(w, n, &l, done, err);
}

hy_status hy__pass_fuse_linear(hy__work *w, size_t *n_rewrites, hy_error *err) {
  static const char *const activations[] = {"Relu", "LeakyRelu", "Sigmoid", "Tanh"};
  for (size_t i = 0; i < w->n_nodes; i++) {
    int32_t n = (int32_t)i;
    bool done = false;
    if (hy__work_is(w, n, "Gemm")) HY_TRY(from_gemm(w, n, &done, err));
    if (hy__work_is(w, n, "MatMul")) HY_TRY(from_matmul(w, n, &done, err));
    if (hy__work_is(w, n, "Add")) HY_TRY(from_add(w, n, &done, err));
    for (size_t a = 0; a < HY_COUNT(activations) && !done; a++)
      if (hy__work_is(w, n, activations[a]))
        HY_TRY(from_activation(w, n, activations[a], &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
