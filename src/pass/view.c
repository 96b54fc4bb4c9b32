/* SPDX-License-Identifier: Apache-2.0 */
/* A value as strides over another one's memory: back through what only moves elements, and through
 * products with one number. */
#include "pass/rewrite.h"

enum { CHAIN_MAX = 24, PARTS_MAX = 4 };

/* An axis as parts that keep even distances of their own, the outer first: what a reshape joined
 * that does not lie evenly may come apart again further on. */
typedef struct axis {
  int32_t n; /* 0: one place */
  int64_t dims[PARTS_MAX], strides[PARTS_MAX];
} axis;

typedef struct view {
  int32_t base, rank;
  int64_t offset;
  double scale;
  axis axes[HY_MAX_RANK];
} view;

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

static bool part_add(axis *a, int64_t dim, int64_t stride) {
  if (dim == 1) return true;
  if (a->n && a->strides[a->n - 1] == dim * stride) { /* goes on evenly */
    a->dims[a->n - 1] *= dim;
    a->strides[a->n - 1] = stride;
    return true;
  }
  if (a->n == PARTS_MAX) return false;
  a->dims[a->n] = dim;
  a->strides[a->n++] = stride;
  return true;
}

static void start(const hy__work *w, int32_t id, view *v) {
  const hy_tensor *t = hy__work_tensor(w, id);
  int64_t stride = 1;
  v->base = id;
  v->offset = 0;
  v->rank = t->rank;
  memset(v->axes, 0, sizeof v->axes);
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    (void)part_add(&v->axes[d], t->dims[d], stride);
    stride *= t->dims[d];
  }
}

/* New dims over the same elements in the same order. */
static bool reshaped(const hy_tensor *to, view *v) {
  const view from = *v;
  int32_t d = 0, part = 0;
  int64_t left = 0, stride = 0; /* of the part at hand */
  memset(v->axes, 0, sizeof v->axes);
  v->rank = to->rank;
  for (int32_t j = 0; j < to->rank; j++) {
    for (int64_t need = to->dims[j]; need > 1;) {
      while (left <= 1) { /* the next part */
        while (d < from.rank && part == from.axes[d].n) d++, part = 0;
        if (d == from.rank) return false;
        left = from.axes[d].dims[part];
        stride = from.axes[d].strides[part++];
      }
      const int64_t take = need % left == 0 ? left : left % need == 0 ? need : 0;
      if (!take || !part_add(&v->axes[j], take, stride * (left / take))) return false;
      need /= take;
      left /= take;
    }
    if (to->dims[j] == 0) return false;
  }
  return true;
}

static void drop_axis(view *v, int32_t at) {
  v->rank--;
  for (int32_t d = at; d < v->rank; d++) v->axes[d] = v->axes[d + 1];
}

/* Places first, first + step, .. (n of them) of an axis of one part. */
static bool cut(view *v, int32_t at, hy__steps s) {
  axis *a = &v->axes[at];
  if (a->n > 1) return false;
  if (a->n == 0) return s.first == 0 && s.n == 1;
  const int64_t stride = a->strides[0];
  v->offset += s.first * stride;
  a->n = 0;
  return part_add(a, s.n, stride * s.step);
}

static bool part_of_split(const hy__work *w, int32_t n, int32_t id, view *v) {
  const hy__node *node = &w->nodes[n].node;
  int64_t at = hy__node_int(node, "axis", 0), first = 0;
  if (at < 0) at += v->rank;
  for (size_t k = 0; k < node->n_outputs; k++) {
    if (node->outputs[k] < 0) return false;
    const int64_t dim = hy__work_tensor(w, node->outputs[k])->dims[at];
    if (node->outputs[k] == id) return cut(v, (int32_t)at, (hy__steps){first, 1, dim});
    first += dim;
  }
  return false;
}

/* What node n makes of the view of its input. id: its output. */
static bool apply(const hy__work *w, int32_t n, int32_t id, view *v) {
  int64_t perm[HY_MAX_RANK], index;
  double factor;
  int32_t at;
  hy__steps steps;
  const view from = *v;
  if (scaled_by(w, n, &factor, &at)) {
    v->scale *= factor;
    return true;
  }
  if (hy__work_is(w, n, "Identity")) return true;
  if (hy__work_read_perm(w, n, perm)) {
    for (int32_t d = 0; d < v->rank; d++) v->axes[d] = from.axes[perm[d]];
    return true;
  }
  if (hy__work_read_slice(w, n, &at, &steps)) return cut(v, at, steps);
  if (hy__work_is(w, n, "Slice")) return false;
  if (hy__work_read_gather(w, n, &at, &index)) {
    if (!cut(v, at, (hy__steps){index, 1, 1})) return false;
    drop_axis(v, at);
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

/* The view's axes each as one distance; false where one has more. */
static bool give(const hy__work *w, int32_t id, const view *v, hy__strided *out) {
  *out = (hy__strided){.base = v->base, .rank = v->rank, .offset = v->offset, .scale = v->scale};
  for (int32_t d = 0; d < v->rank; d++) {
    if (v->axes[d].n > 1) return false;
    out->dims[d] = hy__work_tensor(w, id)->dims[d];
    out->strides[d] = v->axes[d].n ? v->axes[d].strides[0] : 0;
  }
  return true;
}

void hy__work_strided(const hy__work *w, int32_t id, hy__strided *out) {
  int32_t chain[CHAIN_MAX], other, top = id;
  const int n = climb(w, id, chain);
  double factor;
  view v = {.scale = 1.0};
  if (n) {
    top = hy__work_resolve(w, hy__work_input(w, chain[n - 1], 0));
    if (scaled_by(w, chain[n - 1], &factor, &other)) top = other;
  }
  start(w, top, &v);
  for (int i = n - 1; i >= 0; i--) {
    const int32_t made = given(w, chain[i], i ? chain[i - 1] : -1, id);
    view next = v;
    if (made >= 0 && apply(w, chain[i], made, &next)) {
      v = next;
      continue;
    }
    v.scale = 1.0; /* from here on it is a value of its own */
    start(w, made < 0 ? id : made, &v);
    if (made < 0) break;
  }
  if (give(w, id, &v, out)) return;
  v.scale = 1.0;
  start(w, id, &v);
  (void)give(w, id, &v, out);
}
