/* SPDX-License-Identifier: Apache-2.0 */
/* Forward layers of one kind whose Y goes to the next alone become one RecurrentStack, which keeps
 * what lies between them in the caches and runs them on several threads. Exact. */
#include "pass/recurrent_track.h"

enum { LAYERS_MAX = 16, CHAIN_MAX = 6 };

static bool is_stack(const hy__work *w, int32_t n) { return hy__work_is(w, n, "RecurrentStack"); }

static bool unused(const hy__work *w, int32_t n, size_t k) {
  const hy__node *node = &w->nodes[n].node;
  return k >= node->n_outputs || node->outputs[k] < 0 || !w->values[node->outputs[k]].uses;
}

static bool plain_forward(const hy__work *w, int32_t n) {
  return hy__recurrent_plain(w, n) &&
         hy__text_is(hy__node_string(&w->nodes[n].node, "direction", "forward"), "forward");
}

static hy_string kind_of(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  return hy__node_string(node, "kind", is_stack(w, n) ? "" : node->op_type);
}

static bool alike(const hy__work *w, int32_t a, int32_t b) {
  const hy_string ka = kind_of(w, a), kb = kind_of(w, b);
  if (ka.len_bytes != kb.len_bytes || memcmp(ka.data, kb.data, ka.len_bytes) != 0) return false;
  return !hy__node_int(&w->nodes[a].node, "linear_before_reset", 0) ==
         !hy__node_int(&w->nodes[b].node, "linear_before_reset", 0);
}

/* The layer that Y of node n, seen as X is wanted, goes to alone; -1 for none. */
static int32_t layer_above(const hy__work *w, int32_t n) {
  hy__track t = hy__track_of(w, n);
  for (int i = 0; i < CHAIN_MAX; i++) {
    const int32_t user = hy__work_sole_user(w, t.value);
    if (user < 0) return -1;
    if (!hy__recurrent_is(w, user)) {
      if (!hy__track_through(w, user, &t)) return -1;
      continue;
    }
    const hy_tensor *x = hy__work_tensor(w, t.value);
    const bool batch_first = hy__node_int(&w->nodes[user].node, "layout", 0) != 0;
    const hy__axis_role first = batch_first ? HY__AXIS_BATCH : HY__AXIS_TIME;
    const hy__axis_role wanted[3] = {first, batch_first ? HY__AXIS_TIME : HY__AXIS_BATCH,
                                     HY__AXIS_HIDDEN};
    if (hy__work_input(w, user, 0) != t.value || x->rank != 3) return -1;
    for (int d = 0; d < 3; d++)
      if (x->dims[d] != 1 && t.roles[d] != wanted[d]) return -1;
    return user;
  }
  return -1;
}

/* Attributes of the stack of n and the layer above it. */
static hy_status attributes(hy__work *w, int32_t n, int32_t above, hy__work_rewrite *to,
                            hy_error *err) {
  const hy__node *below = &w->nodes[n].node, *top = &w->nodes[above].node;
  const hy_string kind = kind_of(w, n);
  const int64_t layout_x = hy__node_int(below, is_stack(w, n) ? "layout_x" : "layout", 0);
  const hy__attr attrs[4] = {
      {.name = "kind", .kind = HY__ATTR_STRING, .as.s = kind},
      {.name = "layout_x", .kind = HY__ATTR_INT, .as.i = layout_x},
      {.name = "layout", .kind = HY__ATTR_INT, .as.i = hy__node_int(top, "layout", 0)},
      {.name = "linear_before_reset",
       .kind = HY__ATTR_INT,
       .as.i = hy__node_int(top, "linear_before_reset", 0)}};
  return hy__work_attrs(w, NULL, attrs, 4, to, err);
}

/* Node `above` becomes the stack of n and itself. */
static hy_status join(hy__work *w, int32_t n, int32_t above, bool *done, hy_error *err) {
  const hy__node *below = &w->nodes[n].node, *top = &w->nodes[above].node;
  int32_t inputs[1 + 3 * LAYERS_MAX];
  const size_t n_below = is_stack(w, n) ? below->n_inputs : 4;
  if (n_below + 3 > HY_COUNT(inputs)) return HY_OK;
  for (size_t k = 0; k < n_below; k++) inputs[k] = hy__work_input(w, n, k);
  for (size_t k = 0; k < 3; k++) inputs[n_below + k] = hy__work_input(w, above, 1 + k);
  hy__work_rewrite to = {.domain = "hayate",
                         .op_type = "RecurrentStack",
                         .version = 1,
                         .inputs = inputs,
                         .n_inputs = n_below + 3};
  const int32_t outputs[2] = {top->outputs[0], top->n_outputs > 1 ? top->outputs[1] : HY__ABSENT};
  to.outputs = outputs;
  to.n_outputs = 2;
  HY_TRY(attributes(w, n, above, &to, err));
  return hy__work_replace(w, above, &to, done, err);
}

/* X comes through a transpose: read it as it was. */
static hy_status batch_first(hy__work *w, int32_t n, bool *done, hy_error *err) {
  static const int64_t swap[3] = {1, 0, 2};
  const hy__node *node = &w->nodes[n].node;
  const int32_t x = hy__work_input(w, n, 0), from = x < 0 ? -1 : w->values[x].producer;
  int64_t perm[HY_MAX_RANK];
  if (from < 0 || !hy__work_read_perm(w, from, perm) || memcmp(perm, swap, sizeof swap) != 0)
    return HY_OK;
  void *inputs;
  HY_TRY(hy__arena_array(w->arena, node->n_inputs, sizeof(int32_t), &inputs, err));
  memcpy(inputs, node->inputs, node->n_inputs * sizeof(int32_t));
  ((int32_t *)inputs)[0] = hy__work_input(w, from, 0);
  const hy__attr layout = {
      .name = "layout_x", .kind = HY__ATTR_INT, .as.i = !hy__node_int(node, "layout_x", 0)};
  hy__work_rewrite to = {.domain = node->domain,
                         .op_type = node->op_type,
                         .version = node->version,
                         .inputs = inputs,
                         .n_inputs = node->n_inputs};
  HY_TRY(hy__work_attrs(w, node, &layout, 1, &to, err));
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status visit(hy__work *w, int32_t n, bool *done, hy_error *err) {
  if (is_stack(w, n)) HY_TRY(batch_first(w, n, done, err));
  if (*done || (!is_stack(w, n) && !plain_forward(w, n))) return HY_OK;
  if (unused(w, n, 0) || !unused(w, n, 1) || !unused(w, n, 2)) return HY_OK;
  const int32_t above = layer_above(w, n);
  if (above < 0 || !plain_forward(w, above) || !alike(w, n, above) || !unused(w, above, 2))
    return HY_OK;
  return join(w, n, above, done, err);
}

hy_status hy__pass_stack_recurrent(hy__work *w, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < w->n_nodes; i++) {
    bool done = false;
    if (!w->nodes[i].dead) HY_TRY(visit(w, (int32_t)i, &done, err));
    *n_rewrites += done;
    if (done) hy__work_count(w);
  }
  return HY_OK;
}
