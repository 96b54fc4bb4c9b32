/* SPDX-License-Identifier: Apache-2.0 */
/* Of a bidirectional layer whose last step alone is read, the backward direction has done one step
 * there: it becomes a layer over the last input alone, and the forward one gives its final state.
 * Likewise with the first step and the forward direction. Exact. */
#include "pass/recurrent_track.h"

/* One direction's part of known weights; HY__ABSENT stays. */
static hy_status weights_of(hy__work *w, int32_t id, size_t direction, int32_t *out,
                            hy_error *err) {
  *out = HY__ABSENT;
  if (id < 0) return HY_OK;
  hy_tensor t = w->values[id].t;
  const bool stable = w->values[id].stable;
  t.data = (uint8_t *)t.data + direction * hy__work_bytes(&t) / 2;
  t.dims[0] = 1;
  HY_TRY(hy__work_value_new(w, &t, w->values[id].name, out, err));
  w->values[*out].stable = stable;
  return HY_OK;
}

/* The layer of one direction over x. */
static hy_status side_of(hy__work *w, int32_t n, int32_t x, size_t direction, hy__work_rewrite *to,
                         hy_error *err) {
  const char *name = direction ? "reverse" : "forward";
  const hy__attr more[2] = {
      {.name = "direction", .kind = HY__ATTR_STRING, .as.s = {name, strlen(name)}},
      {.name = "hidden_size",
       .kind = HY__ATTR_INT,
       .as.i = hy__work_tensor(w, hy__work_input(w, n, 2))->dims[2]}};
  void *inputs;
  HY_TRY(hy__arena_array(w->arena, 4, sizeof(int32_t), &inputs, err));
  ((int32_t *)inputs)[0] = x;
  for (size_t k = 1; k < 4; k++)
    HY_TRY(weights_of(w, hy__work_input(w, n, k), direction, &((int32_t *)inputs)[k], err));
  const hy__node *node = &w->nodes[n].node;
  *to = (hy__work_rewrite){.domain = node->domain,
                           .op_type = node->op_type,
                           .version = node->version,
                           .inputs = inputs,
                           .n_inputs = 4};
  hy__node without = *node;
  hy__attr *kept;
  void *memory;
  HY_TRY(hy__arena_array(w->arena, node->n_attrs + 1, sizeof(hy__attr), &memory, err));
  kept = memory;
  without.attrs = kept;
  without.n_attrs = 0;
  for (size_t i = 0; i < node->n_attrs; i++) /* the functions are the default ones */
    if (strncmp(node->attrs[i].name, "activation", 10) != 0)
      kept[without.n_attrs++] = node->attrs[i];
  return hy__work_attrs(w, &without, more, 2, to, err);
}

static hy_status add(hy__work *w, int32_t like, const hy__work_rewrite *to, int32_t *out,
                     bool *done, hy_error *err) {
  HY_TRY(hy__work_add(w, like, to, out, err));
  *done = *out >= 0;
  return HY_OK;
}

/* id as [batch, hidden]. */
static hy_status flat(hy__work *w, int32_t like, int32_t id, const int64_t dims[2], int32_t *out,
                      bool *done, hy_error *err) {
  hy__work_rewrite to;
  HY_TRY(hy__work_reshape(w, id, 2, dims, &to, err));
  return add(w, like, &to, out, done, err);
}

/* What the direction that has only begun makes of input `step`. */
static hy_status begun(hy__work *w, int32_t n, size_t direction, int64_t step, int32_t *out,
                       bool *done, hy_error *err) {
  const bool batch_first = hy__node_int(&w->nodes[n].node, "layout", 0) != 0;
  hy__work_rewrite to;
  int32_t x;
  HY_TRY(hy__work_slice(w, hy__work_input(w, n, 0), batch_first ? 1 : 0, (hy__steps){step, 1, 1},
                        &to, err));
  HY_TRY(add(w, n, &to, &x, done, err));
  if (!*done) return HY_OK;
  HY_TRY(side_of(w, n, x, direction, &to, err));
  return add(w, n, &to, out, done, err);
}

/* Node n gives the final state of the other direction. */
static hy_status through(hy__work *w, int32_t n, size_t direction, int32_t *out, bool *done,
                         hy_error *err) {
  const bool batch_first = hy__node_int(&w->nodes[n].node, "layout", 0) != 0;
  const hy_tensor y = *hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  hy_tensor h = {.dtype = y.dtype, .rank = 3, .dims = {1, y.dims[2], y.dims[3]}};
  if (batch_first) h = (hy_tensor){.dtype = y.dtype, .rank = 3, .dims = {y.dims[0], 1, y.dims[3]}};
  hy__work_rewrite to;
  HY_TRY(side_of(w, n, hy__work_input(w, n, 0), direction, &to, err));
  HY_TRY(hy__work_value_new(w, &h, "Y_h", out, err));
  w->values[*out].uses = 1;
  const int32_t outputs[2] = {HY__ABSENT, *out};
  to.outputs = outputs;
  to.n_outputs = 2;
  return hy__work_replace(w, n, &to, done, err);
}

/* `user` takes the last step (or the first) of node n. */
static hy_status halve(hy__work *w, int32_t n, int32_t user, bool last, bool *done, hy_error *err) {
  const bool batch_first = hy__node_int(&w->nodes[n].node, "layout", 0) != 0;
  const hy_tensor y = *hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  const hy_tensor out = *hy__work_tensor(w, w->nodes[user].node.outputs[0]);
  const int64_t dims[2] = {y.dims[batch_first ? 0 : 2], y.dims[3]};
  const size_t whole = last ? 0 : 1; /* the direction that has come to its end */
  int32_t parts[2], one, state;
  HY_TRY(begun(w, n, !whole, last ? y.dims[batch_first ? 1 : 0] - 1 : 0, &one, done, err));
  if (*done) HY_TRY(flat(w, n, one, dims, &parts[!whole], done, err));
  if (*done) HY_TRY(through(w, n, whole, &state, done, err));
  if (*done) HY_TRY(flat(w, n, state, dims, &parts[whole], done, err));
  if (!*done) return HY_OK;
  const hy__attr axis = {.name = "axis", .kind = HY__ATTR_INT, .as.i = 1};
  hy__work_rewrite to = {
      .domain = "", .op_type = "Concat", .version = 13, .inputs = parts, .n_inputs = 2};
  HY_TRY(hy__work_attrs(w, NULL, &axis, 1, &to, err));
  HY_TRY(add(w, user, &to, &one, done, err));
  HY_FAIL_IF(!*done, HY_INTERNAL, err, "two halves of a layer do not join");
  HY_TRY(hy__work_reshape(w, one, out.rank, out.dims, &to, err));
  return hy__work_replace(w, user, &to, done, err);
}

static bool unused(const hy__work *w, const hy__node *node, size_t k) {
  return k >= node->n_outputs || node->outputs[k] < 0 || !w->values[node->outputs[k]].uses;
}

static hy_status visit(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  if (!hy__recurrent_is(w, n) || !hy__recurrent_plain(w, n)) return HY_OK;
  if (!hy__text_is(hy__node_string(node, "direction", "forward"), "bidirectional")) return HY_OK;
  if (!unused(w, node, 1) || !unused(w, node, 2) || unused(w, node, 0)) return HY_OK;
  const hy_tensor *y = hy__work_tensor(w, node->outputs[0]);
  const int64_t steps = y->dims[hy__node_int(node, "layout", 0) ? 1 : 0];
  if (steps < 2 || y->dims[3] < 2) return HY_OK;
  for (int last = 0; last < 2; last++) {
    const int32_t user = hy__track_step(w, hy__track_of(w, n), last ? steps - 1 : 0);
    if (user >= 0) return halve(w, n, user, last, done, err);
  }
  return HY_OK;
}

hy_status hy__pass_halve_recurrent(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes; /* not those that it adds */
  for (size_t i = 0; i < n_nodes; i++) {
    bool done = false;
    if (!w->nodes[i].dead) HY_TRY(visit(w, (int32_t)i, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}
