/* SPDX-License-Identifier: Apache-2.0 */
/* AttentionView in blocks of rows. Its views are strides over whole values, so a row's part of a
 * value has to be found again in them: with `stride` elements of a row together and n rows behind
 * each other, an element lies at outer * n * stride + row * stride + inner, and each stride of a
 * view must move one of the three alone. */
#include "engine/block.h"

enum { N_SIZES = 6, OUTPUT = 4 };
enum { BATCH = 1, HEAD, ROW };

static const char *const names[] = {"q", "k", "v", "mask", "out"};

typedef struct views {
  const hy__node *node;
  const int64_t *sizes; /* batch, heads, queries, keys, depth, depth of v */
  int by;               /* BATCH, or HEAD where all heads of all rows are one list */
  int64_t each;         /* how many of these make a row */
} views;

static const int64_t *list(const hy__node *node, const char *name, size_t n) {
  const hy__attr *a = hy__node_attr(node, name);
  return a && a->kind == HY__ATTR_INTS && a->n == n ? a->as.ints : NULL;
}

/* A stride within a row counts into *inner, its reach; one over all rows is outer. */
static void count(int64_t stride, int64_t n, int64_t whole, int64_t *inner) {
  if (stride % whole) *inner += (n - 1) * stride;
}

/* Operand k, of the value with this stride of its rows. */
static bool keeps(const views *v, size_t k, int64_t stride, int64_t n_rows) {
  const int64_t *at = list(v->node, names[k], 4), *step = list(v->node, "key_step", 1);
  const int64_t *z = v->sizes, whole = stride * n_rows;
  if (stride < 1 || !at || !step || at[v->by] * v->each != stride) return false;
  int64_t inner = at[0] % whole + (v->each - 1) * at[v->by];
  if (v->by == BATCH) count(at[HEAD], z[1], whole, &inner);
  count(at[ROW], k == 1 || k == 2 ? z[3] : z[2], whole, &inner);
  if (k == 3)
    inner += z[3] - 1;
  else if (k == 1)
    count(*step, z[4], whole, &inner);
  else
    inner += z[k == 0 ? 4 : 5] - 1;
  return inner < stride;
}

static bool views_of(const hy__node *node, int64_t n_rows, views *v) {
  *v = (views){.node = node, .sizes = list(node, "sizes", N_SIZES)};
  if (!v->sizes) return false;
  v->by = v->sizes[0] > 1 ? BATCH : HEAD;
  v->each = v->sizes[v->by - 1] / n_rows;
  return v->each > 0 && v->sizes[v->by - 1] == v->each * n_rows;
}

static bool output_track(hy__tracks *t, const views *v) {
  const int32_t id = v->node->outputs[0];
  const int64_t *at = list(v->node, names[OUTPUT], 4);
  const hy_tensor *y = &t->w->values[id].t;
  int64_t behind = 1;
  for (int32_t d = y->rank - 1; at && d >= 0; d--) {
    behind *= y->dims[d];
    if (y->dims[d] == 1 || y->dims[d] % t->n_rows) continue;
    if (behind / t->n_rows != at[v->by] * v->each) continue;
    t->of[id] = (hy__rows){d, y->dims[d] / t->n_rows};
    return keeps(v, OUTPUT, behind / t->n_rows, t->n_rows);
  }
  return false;
}

bool hy__block_attention(hy__tracks *t, const hy__node *node) {
  views v;
  bool any = false;
  if (!views_of(node, t->n_rows, &v)) return false;
  for (size_t k = 0; k < node->n_inputs && k < OUTPUT; k++) {
    const int32_t id = node->inputs[k];
    if (id < 0) continue;
    if (t->of[id].axis < 0) { /* the same for all rows */
      const int64_t *at = list(node, names[k], 4);
      if (!at || at[v.by]) return false;
      continue;
    }
    any = true;
    if (!keeps(&v, k, hy__block_stride(t, id), t->n_rows)) return false;
  }
  return any && output_track(t, &v);
}

/* What moves over all rows moves over fewer. */
static int64_t scaled(int64_t value, int64_t stride, int64_t n_rows, int64_t rows) {
  const int64_t whole = stride * n_rows;
  return value / whole * stride * rows + value % whole;
}

static void scale_list(const hy__tracks *t, const views *v, hy__attr *a, int64_t rows) {
  const hy__node *node = v->node;
  int64_t *to = (int64_t *)(uintptr_t)a->as.ints;
  for (size_t k = 0; k <= OUTPUT; k++) {
    if (strcmp(a->name, names[k]) != 0) continue;
    const int32_t id = k == OUTPUT ? node->outputs[0] : k < node->n_inputs ? node->inputs[k] : -1;
    if (id < 0 || t->of[id].axis < 0) return;
    const int64_t stride = hy__block_stride(t, id);
    for (size_t i = 0; i < a->n; i++)
      if ((int)i != v->by) to[i] = scaled(to[i], stride, t->n_rows, rows);
  }
  if (strcmp(a->name, "sizes") == 0) to[v->by - 1] = v->each * rows;
  if (strcmp(a->name, "key_step") == 0 && t->of[node->inputs[1]].axis >= 0)
    to[0] = scaled(to[0], hy__block_stride(t, node->inputs[1]), t->n_rows, rows);
  if (strcmp(a->name, "shape") == 0)
    to[t->of[node->outputs[0]].axis] = t->of[node->outputs[0]].each * rows;
}

hy_status hy__block_scale_attention(hy__work *w, const hy__tracks *t, hy__node *node, int64_t rows,
                                    hy_error *err) {
  void *memory, *ints;
  views v;
  HY_FAIL_IF(!views_of(node, t->n_rows, &v), HY_INTERNAL, err, "a view without rows");
  const hy__node old = *node; /* whose sizes v has */
  v.node = &old;
  HY_TRY(hy__arena_array(w->arena, node->n_attrs + 1, sizeof(hy__attr), &memory, err));
  hy__attr *attrs = memory;
  for (size_t i = 0; i < node->n_attrs; i++) {
    attrs[i] = node->attrs[i];
    if (attrs[i].kind != HY__ATTR_INTS) continue;
    HY_TRY(hy__arena_array(w->arena, attrs[i].n + 1, sizeof(int64_t), &ints, err));
    memcpy(ints, attrs[i].as.ints, attrs[i].n * sizeof(int64_t));
    attrs[i].as.ints = ints;
    scale_list(t, &v, &attrs[i], rows);
  }
  node->attrs = attrs;
  return HY_OK;
}
