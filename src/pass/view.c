/* SPDX-License-Identifier: Apache-2.0 */
/* A value as strides over another one's memory: back through what only moves elements, and through
 * products with one number. */
#include "pass/rewrite.h"

enum { CHAIN_MAX = 24 };

/* The one known number that node n multiplies with (or divides by), and its other operand. */
static bool scaled_by(const hy__work *w, int32_t n, double *factor, int32_t *other) {
  const bool div = hy__work_is(w, n, "Div");
  if (!div && !hy__work_is(w, n, "Mul")) return false;
  for (size_t k = div ? 1 : 0; k < 2; k++) {
    const hy_tensor *t = hy__work_known_input(w, n, k);
    const hy_tensor *x = hy__work_tensor(w, hy__work_input(w, n, 1 - k));
    const hy_tensor *y = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
    if (!t || !x || t->dtype != HY_F32 || hy__work_bytes(t) != 4 || x->rank != y->rank) continue;
    const double c = (double)*(const float *)t->data;
    *factor = div ? 1.0 / c : c;
    *other = hy__work_input(w, n, 1 - k);
    return true;
  }
  return false;
}

static bool moves(const hy__work *w, int32_t n) {
  static const char *const names[] = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten",
                                      "Identity",  "Slice",   "Gather",  "Split"};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (hy__work_is(w, n, names[i])) return true;
  return false;
}

/* Nodes from `id` upwards; returns how many. */
static int climb(const hy__work *w, int32_t id, int32_t *chain) {
  int n = 0;
  while (n < CHAIN_MAX) {
    const int32_t maker = w->values[id].producer;
    double factor;
    int32_t other;
    if (maker < 0 || w->nodes[maker].dead) break;
    if (scaled_by(w, maker, &factor, &other))
      id = other;
    else if (moves(w, maker))
      id = hy__work_resolve(w, hy__work_input(w, maker, 0));
    else
      break;
    if (id < 0) break;
    chain[n++] = maker;
  }
  return n;
}

static void start(const hy__work *w, int32_t id, hy__strided *v) {
  const hy_tensor *t = hy__work_tensor(w, id);
  int64_t stride = 1;
  v->base = id;
  v->offset = 0;
  v->rank = t->rank;
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    v->dims[d] = t->dims[d];
    v->strides[d] = stride;
    stride *= t->dims[d];
  }
}

/* New dims over the same elements; false where they do not keep even distances. */
static bool reshaped(const hy_tensor *to, hy__strided *v) {
  int64_t dims[HY_MAX_RANK], strides[HY_MAX_RANK], out[HY_MAX_RANK] = {0};
  int32_t n = 0, i = 0, j = 0;
  for (int32_t d = 0; d < v->rank; d++)
    if (v->dims[d] != 1) dims[n] = v->dims[d], strides[n++] = v->strides[d];
  while (j < to->rank) {
    if (to->dims[j] == 1) { /* no distance */
      j++;
      continue;
    }
    if (i >= n) return false;
    int32_t i_end = i + 1, j_end = j + 1;
    int64_t old = dims[i], new = to->dims[j];
    while (old != new) {
      if (old < new ? i_end >= n : j_end >= to->rank) return false;
      if (old < new)
        old *= dims[i_end++];
      else
        new *= to->dims[j_end++];
    }
    for (int32_t k = i; k + 1 < i_end; k++)
      if (strides[k] != dims[k + 1] * strides[k + 1]) return false;
    int64_t stride = strides[i_end - 1];
    for (int32_t k = j_end - 1; k >= j; k--) {
      out[k] = stride;
      stride *= to->dims[k];
    }
    i = i_end;
    j = j_end;
  }
  v->rank = to->rank;
  memcpy(v->dims, to->dims, sizeof v->dims);
  memcpy(v->strides, out, sizeof out);
  return true;
}

static void drop_axis(hy__strided *v, int32_t axis) {
  v->rank--;
  for (int32_t d = axis; d < v->rank; d++) {
    v->dims[d] = v->dims[d + 1];
    v->strides[d] = v->strides[d + 1];
  }
}

static bool part_of_split(const hy__work *w, int32_t n, int32_t id, hy__strided *v) {
  const hy__node *node = &w->nodes[n].node;
  int64_t axis = hy__node_int(node, "axis", 0), first = 0;
  if (axis < 0) axis += v->rank;
  for (size_t k = 0; k < node->n_outputs; k++) {
    if (node->outputs[k] < 0) return false;
    const hy_tensor *t = hy__work_tensor(w, node->outputs[k]);
    if (node->outputs[k] == id) {
      v->offset += first * v->strides[axis];
      v->dims[axis] = t->dims[axis];
      return true;
    }
    first += t->dims[axis];
  }
  return false;
}

/* What node n makes of the view of its input. id: its output. */
static bool apply(const hy__work *w, int32_t n, int32_t id, hy__strided *v) {
  int64_t perm[HY_MAX_RANK], index;
  double factor;
  int32_t axis;
  hy__steps steps;
  const hy__strided from = *v;
  if (scaled_by(w, n, &factor, &axis)) {
    v->scale *= factor;
    return true;
  }
  if (hy__work_is(w, n, "Identity")) return true;
  if (hy__work_read_perm(w, n, perm)) {
    for (int32_t d = 0; d < v->rank; d++) {
      v->dims[d] = from.dims[perm[d]];
      v->strides[d] = from.strides[perm[d]];
    }
    return true;
  }
  if (hy__work_read_slice(w, n, &axis, &steps)) {
    v->offset += steps.first * v->strides[axis];
    v->strides[axis] *= steps.step;
    v->dims[axis] = steps.n;
    return true;
  }
  if (hy__work_is(w, n, "Slice")) return false;
  if (hy__work_read_gather(w, n, &axis, &index)) {
    v->offset += index * v->strides[axis];
    drop_axis(v, axis);
    return true;
  }
  if (hy__work_is(w, n, "Gather")) return false;
  if (hy__work_is(w, n, "Split")) return part_of_split(w, n, id, v);
  return reshaped(hy__work_tensor(w, id), v);
}

/* The value that node n gives to the chain below: that which `below` reads, or `id` itself. */
static int32_t given(const hy__work *w, int32_t n, int32_t below, int32_t id) {
  if (below < 0) return id;
  const hy__node *node = &w->nodes[below].node;
  for (size_t k = 0; k < node->n_inputs; k++) {
    const int32_t in = hy__work_resolve(w, node->inputs[k]);
    if (in >= 0 && w->values[in].producer == n) return in;
  }
  return -1;
}

void hy__work_strided(const hy__work *w, int32_t id, hy__strided *v) {
  int32_t chain[CHAIN_MAX];
  const int n = climb(w, id, chain);
  double factor;
  int32_t other, top = id;
  *v = (hy__strided){.scale = 1.0};
  if (n) {
    top = hy__work_resolve(w, hy__work_input(w, chain[n - 1], 0));
    if (scaled_by(w, chain[n - 1], &factor, &other)) top = other;
  }
  start(w, top, v);
  for (int i = n - 1; i >= 0; i--) {
    const int32_t out = given(w, chain[i], i ? chain[i - 1] : -1, id);
    hy__strided next = *v;
    if (out >= 0 && apply(w, chain[i], out, &next)) {
      *v = next;
      continue;
    }
    v->scale = 1.0; /* from here on it is a value of its own */
    start(w, out < 0 ? id : out, v);
    if (out < 0) return;
  }
}
