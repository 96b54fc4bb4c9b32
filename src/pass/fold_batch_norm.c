/* SPDX-License-Identifier: Apache-2.0 */
/* BatchNormalization with known statistics: behind Conv or Linear it goes into their weights, in
 * front of Linear too (not of Conv, whose padding it would miss), else it becomes a product and a
 * sum per channel. Folded weights are kept with the model where all they come from is. The last
 * bits differ. */
#include <math.h>

#include "pass/rewrite.h"

enum { X, SCALE, BIAS, MEAN, VARIANCE, N_INPUTS, KEY = HY_ALIGN };

/* y = a x + b per channel. */
typedef struct affine {
  const hy_tensor *in[N_INPUTS];
  double epsilon;
  size_t n;
  bool stable;
} affine;

static bool read_affine(const hy__work *w, int32_t bn, affine *a) {
  const hy__node *node = &w->nodes[bn].node;
  const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, bn, X));
  if (!x || x->dtype != HY_F32 || x->rank < 2 || node->n_inputs != N_INPUTS ||
      hy__node_int(node, "training_mode", 0) || !hy__node_int(node, "spatial", 1))
    return false;
  *a = (affine){.epsilon = (double)hy__node_float(node, "epsilon", 1e-5f),
                .n = (size_t)x->dims[1],
                .stable = true};
  for (size_t k = SCALE; k < N_INPUTS; k++) {
    a->in[k] = hy__work_known_input(w, bn, k);
    if (!a->in[k] || a->in[k]->dtype != HY_F32) return false;
    a->stable = a->stable && w->values[node->inputs[k]].stable;
  }
  return true;
}

static double value(const affine *a, size_t k, size_t c) {
  return (double)((const float *)a->in[k]->data)[c];
}

static double factor(const affine *a, size_t c) {
  return value(a, SCALE, c) / sqrt(value(a, VARIANCE, c) + a->epsilon);
}

static double offset(const affine *a, size_t c) {
  return value(a, BIAS, c) - value(a, MEAN, c) * factor(a, c);
}

/* New weights or a new bias: what is filled, from what. */
typedef enum what { FACTORS, OFFSETS, WEIGHTS, BIASES, WEIGHTS_BEHIND, BIASES_BEHIND } what;
typedef struct fold {
  what what;
  affine a;
  const hy_tensor *weights, *bias; /* bias may be NULL */
  size_t rows, columns;            /* of the weights: channel x the rest, or Linear's K x N */
  bool turned;                     /* Linear's weights are [N, K] */
} fold;

static const hy__loose_f32 *floats(const hy_tensor *t) { return t ? t->data : NULL; }

static size_t place(const fold *f, size_t k, size_t n) {
  return f->turned ? n * f->rows + k : k * f->columns + n;
}

/* Behind Conv: rows are channels. Behind Linear: columns are. In front of Linear: rows are. */
static void fill_floats(const fold *f, float *to) {
  const affine *a = &f->a;
  const hy__loose_f32 *w = floats(f->weights), *b = floats(f->bias);
  switch (f->what) {
  case FACTORS:
    for (size_t c = 0; c < a->n; c++) to[c] = (float)factor(a, c);
    break;
  case OFFSETS:
    for (size_t c = 0; c < a->n; c++) to[c] = (float)offset(a, c);
    break;
  case BIASES:
    for (size_t c = 0; c < a->n; c++)
      to[c] = (float)((b ? (double)b[c] : 0.0) * factor(a, c) + offset(a, c));
    break;
  case WEIGHTS:
    for (size_t k = 0; k < f->rows; k++)
      for (size_t n = 0; n < f->columns; n++)
        to[place(f, k, n)] = (float)((double)w[place(f, k, n)] * factor(a, k));
    break;
  case WEIGHTS_BEHIND:
    for (size_t k = 0; k < f->rows; k++)
      for (size_t n = 0; n < f->columns; n++)
        to[place(f, k, n)] = (float)((double)w[place(f, k, n)] * factor(a, n));
    break;
  case BIASES_BEHIND: /* in front of Linear: its bias takes in the offsets */
    for (size_t n = 0; n < f->columns; n++) {
      double sum = b ? (double)b[n] : 0.0;
      for (size_t k = 0; k < f->rows; k++) sum += offset(a, k) * (double)w[place(f, k, n)];
      to[n] = (float)sum;
    }
    break;
  }
}

/* The sources, so that what a store finds by a short hash is what was asked for. */
static void key_of(const fold *f, const void *key[KEY / sizeof(void *)]) {
  memset(key, 0, KEY);
  key[0] = f->weights ? f->weights->data : NULL;
  key[1] = f->bias ? f->bias->data : NULL;
  for (size_t k = SCALE; k < N_INPUTS; k++) key[k + 1] = f->a.in[k]->data;
  key[6] = (const void *)(uintptr_t)(f->what * 2 + f->turned);
}

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  (void)err;
  key_of(ctx, packed);
  fill_floats(ctx, (float *)(void *)((char *)packed + KEY));
  return HY_OK;
}

static hy_status make(hy__work *w, fold *f, const hy_tensor *type, bool stable, int32_t *out,
                      hy_error *err) {
  const void *key[KEY / sizeof(void *)], *found = NULL;
  hy_tensor t = *type;
  void *own;
  const size_t bytes = hy__work_bytes(type);
  key_of(f, key);
  stable = stable && f->a.stable && w->packs && w->packs->store;
  if (stable) {
    w->packs->own = false;
    const uint64_t hash = hy__hash64(key, sizeof key, 0);
    HY_TRY(hy__pack_get(w->packs, f->a.in[SCALE]->data, HY__PACK('b', 'n', hash & 0xffff),
                        bytes + KEY, fill, f, &found, err));
    stable = memcmp(found, key, KEY) == 0;
  }
  t.data = (char *)(uintptr_t)found + KEY;
  if (!stable) {
    HY_TRY(hy__arena_alloc(w->arena, bytes + 1, HY_ALIGN, &own, err));
    fill_floats(f, own);
    t.data = own;
  }
  HY_TRY(hy__work_value_new(w, &t, "", out, err));
  w->values[*out].stable = stable;
  return HY_OK;
}

static bool is_stable(const hy__work *w, int32_t id) { return id < 0 || w->values[id].stable; }

/* `from` with other weights and bias, in place of node n. */
static hy_status rewrite(hy__work *w, int32_t n, const hy__node *from, int32_t inputs[3],
                         bool *done, hy_error *err) {
  const hy__work_rewrite to = {.domain = from->domain,
                               .op_type = from->op_type,
                               .version = from->version,
                               .inputs = inputs,
                               .n_inputs = 3,
                               .attrs = from->attrs,
                               .n_attrs = from->n_attrs};
  return hy__work_replace(w, n, &to, done, err);
}

/* Known weights and bias of Conv or Linear node m. */
static bool read_weights(const hy__work *w, int32_t m, fold *f) {
  f->weights = hy__work_known_input(w, m, 1);
  f->bias = hy__work_known_input(w, m, 2);
  if (!f->weights || f->weights->dtype != HY_F32 || w->nodes[m].node.n_inputs > 3) return false;
  if (!f->bias && hy__work_input(w, m, 2) >= 0) return false;
  f->turned = hy__node_int(&w->nodes[m].node, "transB", 0) != 0;
  f->rows = (size_t)f->weights->dims[f->turned ? 1 : 0];
  f->columns = f->rows ? hy__work_bytes(f->weights) / sizeof(float) / f->rows : 0;
  return true;
}

/* Both of the node's new values: weights and bias by these rules. */
static hy_status fold_into(hy__work *w, int32_t m, fold *f, const what rules[2], int32_t inputs[3],
                           hy_error *err) {
  const hy__node node = w->nodes[m].node;
  const bool stable = is_stable(w, node.inputs[1]) && is_stable(w, hy__work_input(w, m, 2));
  const size_t n = rules[1] == BIASES ? f->a.n : f->columns;
  const hy_tensor bias = {.dtype = HY_F32, .rank = 1, .dims = {(int64_t)n}};
  const hy_tensor weights = *f->weights, old = f->bias ? *f->bias : bias;
  fold own = *f; /* the views of values move when values are added */
  own.weights = &weights;
  own.bias = f->bias ? &old : NULL;
  affine copy = f->a;
  hy_tensor in[N_INPUTS];
  for (size_t k = SCALE; k < N_INPUTS; k++) {
    in[k] = *f->a.in[k];
    copy.in[k] = &in[k];
  }
  own.a = copy;
  own.what = rules[0];
  HY_TRY(make(w, &own, &weights, stable, &inputs[1], err));
  own.what = rules[1];
  return make(w, &own, &bias, stable, &inputs[2], err);
}

static hy_status behind(hy__work *w, int32_t bn, const affine *a, bool *done, hy_error *err) {
  const int32_t x = hy__work_input(w, bn, X);
  const int32_t conv = hy__work_maker(w, x, "Conv"), linear = hy__work_maker(w, x, "Linear");
  const int32_t m = conv >= 0 ? conv : linear;
  fold f = {.a = *a};
  if (m < 0 || !read_weights(w, m, &f)) return HY_OK;
  const hy__node node = w->nodes[m].node;
  if (linear >= 0 &&
      (hy__work_tensor(w, x)->rank != 2 || hy__node_string(&node, "activation", "").len_bytes))
    return HY_OK;
  int32_t inputs[3] = {node.inputs[0]};
  const what rules[2] = {conv >= 0 ? WEIGHTS : WEIGHTS_BEHIND, BIASES};
  HY_TRY(fold_into(w, m, &f, rules, inputs, err));
  return rewrite(w, bn, &node, inputs, done, err);
}

static hy_status before(hy__work *w, int32_t bn, const affine *a, bool *done, hy_error *err) {
  const int32_t m = hy__work_sole_user(w, w->nodes[bn].node.outputs[0]);
  fold f = {.a = *a};
  if (m < 0 || !hy__work_is(w, m, "Linear") ||
      hy__work_tensor(w, hy__work_input(w, m, 0))->rank != 2 ||
      hy__work_input(w, m, 0) != w->nodes[bn].node.outputs[0] || !read_weights(w, m, &f))
    return HY_OK;
  const hy__node node = w->nodes[m].node;
  int32_t inputs[3] = {hy__work_input(w, bn, X)};
  const what rules[2] = {WEIGHTS, BIASES_BEHIND};
  HY_TRY(fold_into(w, m, &f, rules, inputs, err));
  return rewrite(w, m, &node, inputs, done, err);
}

/* a x + b as a product and a sum, which move through transposes. */
static hy_status alone(hy__work *w, int32_t bn, const affine *a, bool *done, hy_error *err) {
  const hy_tensor x = *hy__work_tensor(w, hy__work_input(w, bn, X));
  hy_tensor type = {.dtype = HY_F32, .rank = x.rank - 1, .dims = {(int64_t)a->n}};
  for (int32_t d = 1; d < type.rank; d++) type.dims[d] = 1;
  int32_t inputs[3] = {hy__work_input(w, bn, X)}, scaled;
  fold f = {.a = *a, .weights = NULL};
  hy_tensor in[N_INPUTS];
  for (size_t k = SCALE; k < N_INPUTS; k++) {
    in[k] = *a->in[k];
    f.a.in[k] = &in[k];
  }
  f.what = FACTORS;
  HY_TRY(make(w, &f, &type, true, &inputs[1], err));
  f.what = OFFSETS;
  HY_TRY(make(w, &f, &type, true, &inputs[2], err));
  hy__work_rewrite to = {
      .domain = "", .op_type = "Mul", .version = 14, .inputs = inputs, .n_inputs = 2};
  HY_TRY(hy__work_add(w, bn, &to, &scaled, err));
  if (scaled < 0) return HY_OK;
  const int32_t sum[2] = {scaled, inputs[2]};
  to.op_type = "Add";
  to.inputs = sum;
  to.outputs = w->nodes[bn].node.outputs;
  to.n_outputs = 1;
  return hy__work_replace(w, bn, &to, done, err);
}

hy_status hy__pass_fold_batch_norm(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes;
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    affine a;
    bool done = false;
    if (!hy__work_is(w, n, "BatchNormalization") || !read_affine(w, n, &a)) continue;
    HY_TRY(behind(w, n, &a, &done, err));
    /* read again: values move when others are added */
    if (!done && read_affine(w, n, &a)) HY_TRY(before(w, n, &a, &done, err));
    if (!done && read_affine(w, n, &a)) HY_TRY(alone(w, n, &a, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
