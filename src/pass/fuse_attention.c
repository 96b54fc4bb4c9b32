/* SPDX-License-Identifier: Apache-2.0 */
/* softmax(scale q k' + mask) v as exporters write it, heads moved about by reshapes and transposes,
 * becomes one AttentionView that reads and writes where the projections lie. The scale is applied
 * once, to the scores; so the last bits differ. */
#include <math.h>

#include "pass/rewrite.h"

typedef struct attention {
  int32_t q, k, v, mask; /* values; mask may be HY__ABSENT */
  double scale;
  int32_t n;        /* the node that becomes it */
  bool causal;      /* row i sees the keys up to i */
  hy_tensor scores; /* their type, [batch, head, query, key], the first where there are */
} attention;

/* MatMul(q, k) with one number times it, and a mask added on top. */
static bool match_scores(const hy__work *w, int32_t id, attention *a) {
  a->mask = HY__ABSENT;
  int32_t product = -1;
  for (size_t k = 0; k < 2 && product < 0; k++) {
    const int32_t add = hy__work_maker(w, id, "Add");
    if (add < 0) break;
    hy__strided v;
    hy__work_strided(w, hy__work_input(w, add, k), &v);
    product = hy__work_maker(w, v.base, "MatMul");
    a->mask = hy__work_input(w, add, 1 - k);
    if (product >= 0) id = hy__work_input(w, add, k);
  }
  hy__strided v;
  hy__work_strided(w, id, &v);
  product = v.base < 0 ? -1 : w->values[v.base].producer;
  if (product < 0 || !hy__work_is(w, product, "MatMul") || v.offset) return false;
  /* nothing but the scale lies between */
  const hy_tensor *t = hy__work_tensor(w, v.base), *s = hy__work_tensor(w, id);
  if (t->rank != s->rank || memcmp(t->dims, s->dims, (size_t)t->rank * sizeof t->dims[0]) != 0)
    return false;
  int64_t dense = 1;
  for (int32_t d = v.rank - 1; d >= 0; d--) {
    if (v.dims[d] != 1 && v.strides[d] != dense) return false;
    dense *= v.dims[d];
  }
  a->q = hy__work_input(w, product, 0);
  a->k = hy__work_input(w, product, 1);
  a->scale = v.scale;
  return true;
}

static bool match(const hy__work *w, int32_t n, attention *a) {
  const int32_t softmax = hy__work_maker(w, hy__work_input(w, n, 0), "Softmax");
  if (softmax < 0) return false;
  const hy__node *node = &w->nodes[softmax].node;
  const hy_tensor *p = hy__work_tensor(w, node->outputs[0]);
  const int64_t axis = hy__node_int(node, "axis", node->version >= 13 ? -1 : 1);
  if (p->dtype != HY_F32 || p->rank < 2 || (axis != -1 && axis != p->rank - 1)) return false;
  a->v = hy__work_input(w, n, 1);
  a->n = n;
  a->scores = *p;
  return match_scores(w, node->inputs[0], a);
}

/* ONNX's Attention over heads of their own axis, without caches, caps and windows. */
static bool match_operator(const hy__work *w, int32_t n, attention *a) {
  const hy__node *node = &w->nodes[n].node;
  const hy_tensor *q = hy__work_tensor(w, hy__work_input(w, n, 0));
  const hy_tensor *k = hy__work_tensor(w, hy__work_input(w, n, 1));
  const hy__attr *scale = hy__node_attr(node, "scale");
  for (size_t i = 4; i < node->n_inputs; i++)
    if (node->inputs[i] >= 0) return false;
  for (size_t i = 1; i < node->n_outputs; i++)
    if (node->outputs[i] >= 0 && w->values[node->outputs[i]].uses) return false;
  if (q->dtype != HY_F32 || q->rank != 4 || k->dims[1] != q->dims[1] ||
      hy__node_float(node, "softcap", 0.0f) != 0.0f ||
      hy__node_int(node, "left_window_size", -1) != -1 ||
      hy__node_int(node, "right_window_size", -1) != -1)
    return false;
  *a = (attention){.q = node->inputs[0],
                   .k = node->inputs[1],
                   .v = hy__work_input(w, n, 2),
                   .mask = hy__work_input(w, n, 3),
                   .scale = scale ? (double)scale->as.f : 1.0 / sqrt((double)q->dims[3]),
                   .n = n,
                   .causal = hy__node_int(node, "is_causal", 0) != 0,
                   .scores = *q};
  a->scores.dims[3] = k->dims[2];
  return true;
}

/* Batch and head axes of a view [.., rows, columns] with as many dims as the scores. */
static bool heads_of(const hy__strided *v, const hy_tensor *scores, int64_t place[4], int32_t row) {
  const int32_t rank = scores->rank;
  if (v->rank != rank || rank > 4) return false;
  for (int32_t d = 0; d < rank - 2; d++)
    if (v->dims[d] != scores->dims[d]) return false;
  place[0] = v->offset;
  place[1] = rank == 4 ? v->strides[0] : 0;
  place[2] = rank >= 3 ? v->strides[rank - 3] : 0;
  place[3] = v->strides[row];
  return true;
}

/* The mask's dims against the scores', one number a place; false where it does not fit. */
static bool mask_place(const hy_tensor *mask, const hy_tensor *scores, int64_t place[4]) {
  int64_t stride = 1, strides[4] = {0};
  if (mask->dtype != HY_F32 || mask->rank < 1 || mask->rank > scores->rank ||
      mask->dims[mask->rank - 1] != scores->dims[scores->rank - 1])
    return false;
  for (int32_t i = 1; i <= mask->rank; i++) { /* from the last axis */
    const int64_t dim = mask->dims[mask->rank - i];
    if (dim != 1 && dim != scores->dims[scores->rank - i]) return false;
    strides[4 - i] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
  place[0] = 0;
  for (int32_t d = 0; d < 3; d++) place[d + 1] = strides[d];
  return true;
}

/* A known mask that hides the keys behind the first `seen` + i of row i and nothing else. */
static bool is_causal(const hy_tensor *mask, int64_t rows, int64_t keys, int64_t *seen) {
  const float hidden = -1e9f;
  const float *x = mask->data;
  if (!x || hy__work_bytes(mask) != (size_t)(rows * keys) * sizeof *x) return false;
  *seen = 0;
  while (*seen < keys && x[*seen] == 0.0f) ++*seen;
  if (*seen < 1) return false;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < keys; j++) {
      const float v = x[i * keys + j];
      if (j < *seen + i ? v != 0.0f : !(v <= hidden)) return false;
    }
  return true;
}

/* The axes of the scores that Y's axes are, where Y is the product or its transpose. */
static bool out_place(const hy__work *w, attention *a, int64_t place[4], int64_t shape[],
                      int64_t *time) {
  const hy_tensor *y = hy__work_tensor(w, w->nodes[a->n].node.outputs[0]);
  const int32_t user = hy__work_sole_user(w, w->nodes[a->n].node.outputs[0]), rank = y->rank;
  int64_t perm[HY_MAX_RANK], strides[HY_MAX_RANK], stride = 1;
  for (int32_t d = 0; d < rank; d++) perm[d] = d;
  if (user >= 0 && hy__work_read_perm(w, user, perm)) {
    if (perm[rank - 1] == rank - 1)
      a->n = user;
    else
      for (int32_t d = 0; d < rank; d++) perm[d] = d;
  }
  *time = -1;
  for (int32_t d = rank - 1; d >= 0; d--) {
    shape[d] = y->dims[perm[d]];
    strides[perm[d]] = stride;
    stride *= shape[d];
    if (perm[d] == rank - 2) *time = d;
  }
  place[0] = 0;
  place[1] = rank == 4 ? strides[0] : 0;
  place[2] = rank >= 3 ? strides[rank - 3] : 0;
  place[3] = strides[rank - 2];
  return true;
}

static hy__attr ints(const char *name, const int64_t *values, size_t n) {
  return (hy__attr){.name = name, .kind = HY__ATTR_INTS, .n = n, .as.ints = values};
}

/* [.., key, depth] as MatMul has it. */
static void turn_keys(hy__strided *k) {
  const hy__strided from = *k;
  for (int32_t d = 0; d < 2; d++) {
    k->dims[k->rank - 1 - d] = from.dims[k->rank - 2 + d];
    k->strides[k->rank - 1 - d] = from.strides[k->rank - 2 + d];
  }
}

static hy_status write(hy__work *w, attention *a, bool *done, hy_error *err) {
  const hy__node node = w->nodes[a->n].node;
  const hy_tensor scores = a->scores;
  const int32_t rank = scores.rank;
  hy__strided q, k, v;
  int64_t places[5][4] = {{0}}, shape[HY_MAX_RANK], time, key_step;
  if (rank < 2) return HY_OK;
  hy__work_strided(w, a->q, &q);
  hy__work_strided(w, a->k, &k);
  if (hy__work_is(w, a->n, "Attention")) turn_keys(&k);
  hy__work_strided(w, a->v, &v);
  if (!heads_of(&q, &scores, places[0], rank - 2) || !heads_of(&k, &scores, places[1], rank - 1) ||
      !heads_of(&v, &scores, places[2], rank - 2) || q.strides[rank - 1] != 1 ||
      v.strides[rank - 1] != 1 || v.scale != 1.0)
    return HY_OK;
  key_step = k.strides[rank - 2];
  const int64_t rows = scores.dims[rank - 2], keys = scores.dims[rank - 1];
  int64_t seen[2] = {a->causal ? 1 : keys, a->causal}, first;
  int32_t inputs[4] = {q.base, k.base, v.base, a->mask};
  const hy_tensor *mask = hy__work_tensor(w, a->mask);
  if (mask && !mask_place(mask, &scores, places[3])) return HY_OK;
  if (mask && !a->causal && is_causal(mask, rows, keys, &first)) {
    seen[0] = first, seen[1] = 1;
    inputs[3] = HY__ABSENT;
  }
  const int32_t y_rank = hy__work_tensor(w, node.outputs[0])->rank;
  if (y_rank != rank || !out_place(w, a, places[4], shape, &time)) return HY_OK;
  const int64_t sizes[6] = {rank == 4 ? scores.dims[0] : 1,
                            rank >= 3 ? scores.dims[rank - 3] : 1,
                            rows,
                            keys,
                            q.dims[rank - 1],
                            v.dims[rank - 1]};
  const hy__attr attrs[] = {
      ints("sizes", sizes, 6),
      ints("q", places[0], 4),
      ints("k", places[1], 4),
      ints("v", places[2], 4),
      ints("mask", places[3], 4),
      ints("out", places[4], 4),
      ints("seen", seen, 2),
      ints("key_step", &key_step, 1),
      ints("shape", shape, (size_t)rank),
      {.name = "time", .kind = HY__ATTR_INT, .as.i = time},
      {.name = "scale", .kind = HY__ATTR_FLOAT, .as.f = (float)(a->scale * q.scale * k.scale)}};
  hy__work_rewrite to = {.domain = "hayate",
                         .op_type = "AttentionView",
                         .version = 1,
                         .inputs = inputs,
                         .n_inputs = inputs[3] < 0 ? 3 : 4};
  HY_TRY(hy__work_attrs(w, NULL, attrs, HY_COUNT(attrs), &to, err));
  return hy__work_replace(w, a->n, &to, done, err);
}

hy_status hy__pass_fuse_attention(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    attention a = {.scale = 1.0};
    bool done = false;
    const int32_t n = (int32_t)i;
    if (hy__work_is(w, n, "MatMul") ? match(w, n, &a)
                                    : hy__work_is(w, n, "Attention") && match_operator(w, n, &a))
      HY_TRY(write(w, &a, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
