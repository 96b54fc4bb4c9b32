/* SPDX-License-Identifier: Apache-2.0 */
/* What quantize_static writes in its QDQ form: Conv, Gemm and MatMul of values that
 * DequantizeLinear made, behind them QuantizeLinear, become QLinearConv, QGemm and QLinearMatMul,
 * whose sums are exact where those of floats are rounded. What only moves bytes or takes their
 * largest moves them as they are. */
#include "pass/rewrite.h"

/* The DequantizeLinear that made value id from bytes, with the zero point written; else NULL. */
static const hy__node *made_from(const hy__work *w, int32_t id, hy_dtype a, hy_dtype b) {
  if (id < 0) return NULL;
  const int32_t n = w->values[id].producer;
  const hy__node *node = w->values[id].dequantised;
  if (!node && n >= 0 && hy__work_is(w, n, "DequantizeLinear")) node = &w->nodes[n].node;
  if (!node || node->n_inputs != 3 || node->inputs[2] < 0) return NULL;
  const hy_tensor *x = hy__work_tensor(w, node->inputs[0]),
                  *s = hy__work_tensor(w, node->inputs[1]);
  if ((x->dtype != a && x->dtype != b) || s->dtype != HY_F32) return NULL;
  return hy__node_int(node, "block_size", 0) ? NULL : node;
}

static size_t n_scales(const hy__work *w, const hy__node *node) {
  return hy__work_bytes(hy__work_tensor(w, node->inputs[1])) / sizeof(float);
}

/* The bytes of X: one scale for all. */
static const hy__node *whole(const hy__work *w, int32_t id) {
  const hy__node *node = made_from(w, id, HY_U8, HY_I8);
  return node && n_scales(w, node) == 1 ? node : NULL;
}

/* Those of known weights: one scale for all, or one per index of `axis`. */
static const hy__node *weights(const hy__work *w, int32_t id, int64_t axis) {
  const hy__node *node = made_from(w, id, HY_U8, HY_I8);
  if (!node || !hy__work_tensor(w, node->inputs[0])->data) return NULL;
  if (n_scales(w, node) == 1) return node;
  const int32_t rank = hy__work_tensor(w, node->inputs[0])->rank;
  const int64_t at = hy__node_int(node, "axis", 1);
  return (at < 0 ? at + rank : at) == axis ? node : NULL;
}

static bool is_number(const hy_tensor *t) { return t && t->data && hy__work_bytes(t) == 4; }

/* The i32 of a bias, quantised by the product of X's and W's scales without a zero point. */
static int32_t bias_of(const hy__work *w, int32_t id, const hy__node *x, const hy__node *k) {
  const hy__node *node = made_from(w, id, HY_I32, HY_I32);
  if (!node) return HY__ABSENT;
  const hy_tensor *scales = hy__work_tensor(w, node->inputs[1]);
  const hy_tensor *zeros = hy__work_tensor(w, node->inputs[2]);
  const hy_tensor *xs = hy__work_tensor(w, x->inputs[1]), *ks = hy__work_tensor(w, k->inputs[1]);
  if (!scales->data || !zeros->data || !is_number(xs) || !ks->data) return HY__ABSENT;
  const size_t n = n_scales(w, node), n_k = n_scales(w, k);
  if (n != n_k && n != 1) return HY__ABSENT;
  for (size_t i = 0; i < n_k; i++) {
    const float product = *(const float *)xs->data * ((const float *)ks->data)[i];
    const float off = ((const float *)scales->data)[n == 1 ? 0 : i] - product;
    if (!(off <= product * 1e-6f && off >= product * -1e-6f)) return HY__ABSENT;
  }
  for (size_t i = 0; i < hy__work_bytes(zeros) / 4; i++)
    if (zeros->dtype != HY_I32 || ((const int32_t *)zeros->data)[i]) return HY__ABSENT;
  return node->inputs[0];
}

typedef struct product {
  const hy__node *x, *w;
  const int32_t *y; /* QuantizeLinear's inputs */
  int32_t bias;
} product;

static hy_status as_conv(hy__work *w, int32_t n, const hy__node *conv, const product *p, bool *done,
                         hy_error *err) {
  const int32_t inputs[9] = {p->x->inputs[0], p->x->inputs[1], p->x->inputs[2],
                             p->w->inputs[0], p->w->inputs[1], p->w->inputs[2],
                             p->y[1],         p->y[2],         p->bias};
  const hy__work_rewrite to = {.domain = "",
                               .op_type = "QLinearConv",
                               .version = 10,
                               .inputs = inputs,
                               .n_inputs = p->bias < 0 ? 8 : 9,
                               .attrs = conv->attrs,
                               .n_attrs = conv->n_attrs};
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status as_gemm(hy__work *w, int32_t n, const hy__node *gemm, const product *p, bool *done,
                         hy_error *err) {
  const int32_t inputs[9] = {p->x->inputs[0], p->x->inputs[1], p->x->inputs[2],
                             p->w->inputs[0], p->w->inputs[1], p->w->inputs[2],
                             p->bias,         p->y[1],         p->y[2]};
  const hy__work_rewrite to = {.domain = "com.microsoft",
                               .op_type = "QGemm",
                               .version = 1,
                               .inputs = inputs,
                               .n_inputs = 9,
                               .attrs = gemm->attrs,
                               .n_attrs = gemm->n_attrs};
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status as_matmul(hy__work *w, int32_t n, const product *p, bool *done, hy_error *err) {
  const int32_t inputs[8] = {p->x->inputs[0], p->x->inputs[1], p->x->inputs[2], p->w->inputs[0],
                             p->w->inputs[1], p->w->inputs[2], p->y[1],         p->y[2]};
  const hy__work_rewrite to = {
      .domain = "", .op_type = "QLinearMatMul", .version = 10, .inputs = inputs, .n_inputs = 8};
  return hy__work_replace(w, n, &to, done, err);
}

/* Node n is a QuantizeLinear over the product that node `of` makes. */
static hy_status from_product(hy__work *w, int32_t n, int32_t of, bool *done, hy_error *err) {
  const hy__node node = w->nodes[of].node;
  const bool conv = hy__work_is(w, of, "Conv"), gemm = hy__work_is(w, of, "Gemm");
  const hy_tensor *right = hy__work_tensor(w, hy__work_input(w, of, 1));
  if (!right || right->rank < 2) return HY_OK;
  const bool turned = gemm && hy__node_int(&node, "transB", 0);
  product p = {.x = whole(w, node.inputs[0]),
               .w = weights(w, node.inputs[1], conv || turned ? 0 : right->rank - 1),
               .y = w->nodes[n].node.inputs,
               .bias = hy__work_input(w, of, 2)};
  if (!p.x || !p.w) return HY_OK;
  if (p.bias >= 0) {
    p.bias = bias_of(w, p.bias, p.x, p.w);
    if (p.bias < 0) return HY_OK;
  }
  if (conv) return as_conv(w, n, &node, &p, done, err);
  if (!gemm) return as_matmul(w, n, &p, done, err);
  if (hy__node_int(&node, "transA", 0) || hy__node_float(&node, "alpha", 1.0f) != 1.0f ||
      hy__node_float(&node, "beta", 1.0f) != 1.0f)
    return HY_OK;
  return as_gemm(w, n, &node, &p, done, err);
}

static bool same_value(const hy__work *w, int32_t a, int32_t b) {
  const hy_tensor *s = hy__work_tensor(w, a), *t = hy__work_tensor(w, b);
  if (a == b) return true;
  return s && t && s->data && t->data && s->dtype == t->dtype &&
         hy__work_bytes(s) == hy__work_bytes(t) && memcmp(s->data, t->data, hy__work_bytes(s)) == 0;
}

/* The mover between bytes of one scale and zero point takes them itself. */
static hy_status from_mover(hy__work *w, int32_t n, int32_t of, bool *done, hy_error *err) {
  const hy__node node = w->nodes[of].node;
  const hy__node *x = whole(w, node.inputs[0]), *q = &w->nodes[n].node;
  void *memory;
  if (!x || !same_value(w, x->inputs[1], q->inputs[1]) ||
      !same_value(w, x->inputs[2], q->inputs[2]))
    return HY_OK;
  HY_TRY(hy__arena_array(w->arena, node.n_inputs, sizeof(int32_t), &memory, err));
  int32_t *inputs = memory;
  memcpy(inputs, node.inputs, node.n_inputs * sizeof *inputs);
  inputs[0] = x->inputs[0];
  const hy__work_rewrite to = {.domain = node.domain,
                               .op_type = node.op_type,
                               .version = node.version,
                               .inputs = inputs,
                               .n_inputs = node.n_inputs,
                               .attrs = node.attrs,
                               .n_attrs = node.n_attrs};
  return hy__work_replace(w, n, &to, done, err);
}

hy_status hy__pass_fuse_quantised(hy__work *w, size_t *n_rewrites, hy_error *err) {
  static const char *const products[] = {"Conv", "Gemm", "MatMul"};
  static const char *const movers[] = {"Reshape",   "Transpose", "Flatten", "Squeeze",
                                       "Unsqueeze", "MaxPool",   "Slice",   "Gather"};
  for (size_t i = 0; i < w->n_nodes; i++) {
    const int32_t n = (int32_t)i, x = hy__work_input(w, n, 0);
    bool done = false;
    if (!hy__work_is(w, n, "QuantizeLinear") || hy__work_input(w, n, 2) < 0 ||
        hy__work_bytes(hy__work_tensor(w, hy__work_input(w, n, 2))) != 1)
      continue;
    for (size_t k = 0; k < HY_COUNT(products) && !done; k++) {
      const int32_t of = hy__work_maker(w, x, products[k]);
      if (of >= 0) HY_TRY(from_product(w, n, of, &done, err));
    }
    for (size_t k = 0; k < HY_COUNT(movers) && !done; k++) {
      const int32_t of = hy__work_maker(w, x, movers[k]);
      if (of >= 0) HY_TRY(from_mover(w, n, of, &done, err));
    }
    *n_rewrites += done;
  }
  return HY_OK;
}
