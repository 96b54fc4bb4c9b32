/* SPDX-License-Identifier: Apache-2.0 */
/* Transposes move behind what works element by element or along one axis, until they meet their
 * inverse and both go, or the end. Exact. */
#include "pass/rewrite.h"

/* The value behind node n's transposed input k, and its perm; -1 where it is none. */
static int32_t behind(const hy__work *w, int32_t n, size_t k, int64_t *perm) {
  const int32_t id = hy__work_resolve(w, hy__work_input(w, n, k));
  const int32_t maker = id < 0 ? -1 : w->values[id].producer;
  if (maker < 0 || w->nodes[maker].dead || !hy__work_read_perm(w, maker, perm)) return -1;
  return hy__work_resolve(w, hy__work_input(w, maker, 0));
}

static bool same_perm(const int64_t *a, const int64_t *b, int32_t rank) {
  return memcmp(a, b, (size_t)rank * sizeof *a) == 0;
}

/* Node n becomes the transpose of value `id`. */
static hy_status give(hy__work *w, int32_t n, int32_t id, const int64_t *perm, bool *done,
                      hy_error *err) {
  hy__work_rewrite to;
  const int32_t rank = hy__work_tensor(w, id)->rank, out = w->nodes[n].node.outputs[0];
  bool identity = true;
  for (int32_t d = 0; d < rank; d++) identity = identity && perm[d] == d;
  if (identity) {
    hy__work_forward(w, out, id);
    w->nodes[n].dead = true;
    *done = true;
    return HY_OK;
  }
  HY_TRY(hy__work_transpose(w, id, perm, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status two_in_a_row(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t outer[HY_MAX_RANK], inner[HY_MAX_RANK], both[HY_MAX_RANK];
  const int32_t x = behind(w, n, 0, inner);
  if (x < 0 || !hy__work_read_perm(w, n, outer)) return HY_OK;
  for (int32_t d = 0; d < hy__work_tensor(w, x)->rank; d++) both[d] = inner[outer[d]];
  return give(w, n, x, both, done, err);
}

/* A known operand as it would be before the transpose; HY__ABSENT if it cannot be. */
static hy_status turn_known(hy__work *w, int32_t n, int32_t id, const int64_t *perm, int32_t rank,
                            int32_t *out, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(w, id);
  int64_t dims[HY_MAX_RANK], back[HY_MAX_RANK];
  hy__work_rewrite to;
  *out = HY__ABSENT;
  if (!t->data || t->rank > rank) return HY_OK;
  for (int32_t d = 0; d < rank; d++) {
    dims[d] = d < rank - t->rank ? 1 : t->dims[d - (rank - t->rank)];
    back[perm[d]] = d;
  }
  HY_TRY(hy__work_reshape(w, id, rank, dims, &to, err));
  HY_TRY(hy__work_add(w, n, &to, out, err));
  if (*out < 0) return HY_OK;
  HY_TRY(hy__work_transpose(w, *out, back, &to, err));
  return hy__work_add(w, n, &to, out, err);
}

/* The inputs of a pointwise node before the transposes; false in *ok if one has none. */
static hy_status operands(hy__work *w, int32_t n, int64_t *perm, int32_t *inputs, bool *ok,
                          hy_error *err) {
  const hy__node node = w->nodes[n].node;
  const int32_t rank = hy__work_tensor(w, node.outputs[0])->rank;
  bool any = false;
  *ok = false;
  for (size_t k = 0; k < node.n_inputs; k++) {
    int64_t own[HY_MAX_RANK];
    const int32_t id = node.inputs[k], x = behind(w, n, k, own);
    inputs[k] = id;
    if (id < 0 || x < 0 || hy__work_tensor(w, x)->rank != rank) continue;
    if (any && !same_perm(perm, own, rank)) return HY_OK;
    if (!any) memcpy(perm, own, sizeof own);
    any = true;
    inputs[k] = x;
  }
  if (!any) return HY_OK;
  for (size_t k = 0; k < node.n_inputs; k++) {
    if (node.inputs[k] < 0 || inputs[k] != node.inputs[k]) continue;
    const hy_tensor *t = hy__work_tensor(w, inputs[k]);
    if (hy__work_bytes(t) == hy_dtype_bytes(t->dtype) && t->rank <= rank) continue; /* one number */
    HY_TRY(turn_known(w, n, inputs[k], perm, rank, &inputs[k], err));
    if (inputs[k] < 0) return HY_OK;
  }
  *ok = true;
  return HY_OK;
}

enum { INPUTS_MAX = 16 };

/* The node over `inputs`, made anew. */
static hy_status again(hy__work *w, int32_t n, const int32_t *inputs, const hy__attr *attr,
                       int32_t *out, hy_error *err) {
  const hy__node node = w->nodes[n].node;
  hy__work_rewrite to = {.domain = node.domain,
                         .op_type = node.op_type,
                         .version = node.version,
                         .inputs = inputs,
                         .n_inputs = node.n_inputs};
  HY_TRY(hy__work_attrs(w, &node, attr, attr != NULL, &to, err));
  return hy__work_add(w, n, &to, out, err);
}

static hy_status through_pointwise(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t perm[HY_MAX_RANK];
  int32_t inputs[INPUTS_MAX], made;
  bool ok;
  if (w->nodes[n].node.n_inputs > INPUTS_MAX) return HY_OK;
  HY_TRY(operands(w, n, perm, inputs, &ok, err));
  if (!ok) return HY_OK;
  HY_TRY(again(w, n, inputs, NULL, &made, err));
  return made < 0 ? HY_OK : give(w, n, made, perm, done, err);
}

/* What is left of perm where the axes marked (of the transposed value) are dropped. */
static void perm_without(const int64_t *perm, int32_t rank, const bool *dropped, int64_t *out) {
  int32_t n = 0;
  for (int32_t d = 0; d < rank; d++) {
    if (dropped[d]) continue;
    out[n] = 0;
    for (int32_t e = 0; e < rank; e++) out[n] += !dropped[e] && perm[e] < perm[d];
    n++;
  }
}

/* Slice, Gather of one index. */
static hy_status through_take(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t perm[HY_MAX_RANK], left[HY_MAX_RANK], index;
  int32_t axis, made;
  hy__steps steps;
  hy__work_rewrite to;
  const int32_t x = behind(w, n, 0, perm);
  if (x < 0) return HY_OK;
  const int32_t rank = hy__work_tensor(w, x)->rank;
  bool dropped[HY_MAX_RANK] = {false};
  if (hy__work_read_slice(w, n, &axis, &steps)) {
    HY_TRY(hy__work_slice(w, x, (int32_t)perm[axis], steps, &to, err));
    HY_TRY(hy__work_add(w, n, &to, &made, err));
    return made < 0 ? HY_OK : give(w, n, made, perm, done, err);
  }
  if (!hy__work_read_gather(w, n, &axis, &index)) return HY_OK;
  const int32_t inputs[2] = {x, hy__work_input(w, n, 1)};
  const hy__attr attr = {.name = "axis", .kind = HY__ATTR_INT, .as.i = perm[axis]};
  HY_TRY(again(w, n, inputs, &attr, &made, err));
  dropped[axis] = true;
  perm_without(perm, rank, dropped, left);
  return made < 0 ? HY_OK : give(w, n, made, left, done, err);
}

/* The mean over every axis but the first and the last: a pool of the whole plane. */
static hy_status whole_plane(hy__work *w, int32_t n, int32_t x, bool keep, int32_t *made,
                             hy_error *err) {
  const hy_tensor t = *hy__work_tensor(w, x);
  const hy__attr attrs[2] = {{.name = "kernel_shape",
                              .kind = HY__ATTR_INTS,
                              .n = (size_t)(t.rank - 2),
                              .as.ints = t.dims + 1},
                             {.name = "average", .kind = HY__ATTR_INT, .as.i = 1}};
  hy__work_rewrite to = {
      .domain = "hayate", .op_type = "PoolLast", .version = 1, .inputs = &x, .n_inputs = 1};
  HY_TRY(hy__work_attrs(w, NULL, attrs, 2, &to, err));
  HY_TRY(hy__work_add(w, n, &to, made, err));
  if (*made < 0 || keep) return HY_OK;
  const int64_t dims[2] = {t.dims[0], t.dims[t.rank - 1]};
  HY_TRY(hy__work_reshape(w, *made, 2, dims, &to, err));
  return hy__work_add(w, n, &to, made, err);
}

typedef struct reduction {
  int64_t axes[HY_MAX_RANK]; /* before the transpose */
  int32_t n_axes;
  bool keep, mean;
} reduction;

static hy_status reduce(hy__work *w, int32_t n, int32_t x, const reduction *r, int32_t *made,
                        hy_error *err) {
  const int32_t rank = hy__work_tensor(w, x)->rank;
  bool plane = r->mean && rank >= 3 && rank <= 5 && r->n_axes == rank - 2;
  for (int32_t i = 0; i < r->n_axes; i++)
    plane = plane && r->axes[i] != 0 && r->axes[i] != rank - 1;
  *made = HY__ABSENT;
  if (plane) HY_TRY(whole_plane(w, n, x, r->keep, made, err));
  if (*made >= 0) return HY_OK;
  const hy__attr attrs[2] = {
      {.name = "axes", .kind = HY__ATTR_INTS, .n = (size_t)r->n_axes, .as.ints = r->axes},
      {.name = "keepdims", .kind = HY__ATTR_INT, .as.i = r->keep}};
  hy__work_rewrite to = {.domain = "",
                         .op_type = r->mean ? "ReduceMean" : w->nodes[n].node.op_type,
                         .version = 11,
                         .inputs = &x,
                         .n_inputs = 1};
  HY_TRY(hy__work_attrs(w, NULL, attrs, 2, &to, err));
  return hy__work_add(w, n, &to, made, err);
}

/* ReduceMean and its like, and GlobalAveragePool as a mean. */
static hy_status through_reduce(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t perm[HY_MAX_RANK], left[HY_MAX_RANK];
  int32_t made;
  bool dropped[HY_MAX_RANK] = {false};
  const int32_t x = behind(w, n, 0, perm);
  if (x < 0) return HY_OK;
  const hy__node *node = &w->nodes[n].node;
  const int32_t rank = hy__work_tensor(w, x)->rank;
  const bool global = hy__work_is(w, n, "GlobalAveragePool");
  reduction r = {.keep = global || hy__node_int(node, "keepdims", 1) != 0,
                 .mean = global || hy__work_is(w, n, "ReduceMean")};
  if (global)
    for (; r.n_axes < rank - 2; r.n_axes++) r.axes[r.n_axes] = r.n_axes + 2;
  else if (!hy__work_known_ints(w, n, 1, "axes", r.axes, &r.n_axes) || !r.n_axes)
    return HY_OK;
  for (int32_t i = 0; i < r.n_axes; i++) {
    const int64_t a = r.axes[i] < 0 ? r.axes[i] + rank : r.axes[i];
    dropped[a] = !r.keep;
    r.axes[i] = perm[a];
  }
  HY_TRY(reduce(w, n, x, &r, &made, err));
  perm_without(perm, rank, dropped, left);
  return made < 0 ? HY_OK : give(w, n, made, left, done, err);
}

/* Linear works on the last axis, which must stay the last. */
static hy_status through_linear(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t perm[HY_MAX_RANK];
  int32_t inputs[INPUTS_MAX], made;
  const hy__node *node = &w->nodes[n].node;
  inputs[0] = behind(w, n, 0, perm);
  if (inputs[0] < 0 || node->n_inputs > 3) return HY_OK;
  const int32_t rank = hy__work_tensor(w, inputs[0])->rank;
  if (rank < 3 || perm[rank - 1] != rank - 1) return HY_OK;
  for (size_t k = 1; k < node->n_inputs; k++) inputs[k] = node->inputs[k];
  HY_TRY(again(w, n, inputs, NULL, &made, err));
  return made < 0 ? HY_OK : give(w, n, made, perm, done, err);
}

/* Pad whose amounts are known for every axis. */
static hy_status through_pad(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int64_t perm[HY_MAX_RANK], pads[HY_MAX_RANK], turned[HY_MAX_RANK];
  int32_t inputs[3] = {HY__ABSENT, HY__ABSENT, HY__ABSENT}, n_pads, made;
  const hy__node *node = &w->nodes[n].node;
  inputs[0] = behind(w, n, 0, perm);
  if (inputs[0] < 0 || hy__work_input(w, n, 3) >= 0) return HY_OK;
  const int32_t rank = hy__work_tensor(w, inputs[0])->rank;
  if (2 * rank > HY_MAX_RANK || !hy__work_known_ints(w, n, 1, "pads", pads, &n_pads) ||
      n_pads != 2 * rank)
    return HY_OK;
  for (int32_t d = 0; d < rank; d++) {
    turned[perm[d]] = pads[d];
    turned[perm[d] + rank] = pads[d + rank];
  }
  hy__attr attr = {.name = "pads", .kind = HY__ATTR_INTS, .n = 2 * (size_t)rank, .as.ints = turned};
  const bool listed = node->n_inputs < 2;
  inputs[2] = hy__work_input(w, n, 2);
  if (!listed) HY_TRY(hy__work_ints(w, turned, 2 * rank, &inputs[1], err));
  hy__work_rewrite to = {.domain = node->domain,
                         .op_type = node->op_type,
                         .version = node->version,
                         .inputs = inputs,
                         .n_inputs = HY_MIN(node->n_inputs, (size_t)3)};
  HY_TRY(hy__work_attrs(w, node, &attr, listed, &to, err));
  HY_TRY(hy__work_add(w, n, &to, &made, err));
  return made < 0 ? HY_OK : give(w, n, made, perm, done, err);
}

typedef struct rule {
  const char *op_type;
  hy_status (*fn)(hy__work *, int32_t, bool *, hy_error *);
} rule;

static const rule rules[] = {{"Transpose", two_in_a_row},    {"Slice", through_take},
                             {"Gather", through_take},       {"GlobalAveragePool", through_reduce},
                             {"ReduceMean", through_reduce}, {"ReduceSum", through_reduce},
                             {"ReduceMax", through_reduce},  {"ReduceMin", through_reduce},
                             {"Pad", through_pad},           {"Linear", through_linear}};

hy_status hy__pass_sink_transpose(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes;
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    bool done = false;
    if (w->nodes[n].dead) continue;
    for (size_t r = 0; r < HY_COUNT(rules) && !done; r++)
      if (hy__work_is(w, n, rules[r].op_type)) HY_TRY(rules[r].fn(w, n, &done, err));
    if (!done && hy__work_pointwise(w, n)) HY_TRY(through_pointwise(w, n, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
