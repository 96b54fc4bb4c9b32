/* SPDX-License-Identifier: Apache-2.0 */
/* LSTM, GRU and RNN as exporters write them: initial states of zeros become absent; where only the
 * last step of Y is used, Y_h takes its place, so that Y is never made; transposes around a
 * batch-first layer become its `layout`. Exact. */
#include "pass/recurrent_track.h"

enum { IN_LENS = 4, IN_STATE_H = 5, IN_STATE_C = 6, OUT_MAX = 3 };

static bool all_zero(const hy_tensor *t) {
  const uint8_t *bytes = t->data;
  size_t n = hy__work_bytes(t);
  for (size_t i = 0; i < n; i++)
    if (bytes[i]) return false;
  return true;
}

/* The node with other inputs, outputs or one attribute more; what is NULL stays. */
typedef struct change {
  const int32_t *inputs, *outputs;
  size_t n_outputs;
  const hy__attr *attr;
} change;

static hy_status rewrite(hy__work *w, int32_t n, const change *c, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  hy__work_rewrite to = {.domain = node->domain,
                         .op_type = node->op_type,
                         .version = node->version,
                         .inputs = c->inputs ? c->inputs : node->inputs,
                         .n_inputs = node->n_inputs,
                         .attrs = node->attrs,
                         .n_attrs = node->n_attrs,
                         .outputs = c->outputs,
                         .n_outputs = c->n_outputs};
  if (c->attr) {
    void *memory;
    HY_TRY(hy__arena_array(w->arena, node->n_attrs + 1, sizeof(hy__attr), &memory, err));
    hy__attr *attrs = memory;
    to.n_attrs = 0;
    for (size_t i = 0; i < node->n_attrs; i++)
      if (strcmp(node->attrs[i].name, c->attr->name) != 0) attrs[to.n_attrs++] = node->attrs[i];
    attrs[to.n_attrs++] = *c->attr;
    to.attrs = attrs;
  }
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status drop_zero_state(hy__work *w, int32_t n, bool *done, hy_error *err) {
  int32_t inputs[16];
  const hy__node *node = &w->nodes[n].node;
  bool found = false;
  if (node->n_inputs > HY_COUNT(inputs)) return HY_OK;
  for (size_t k = 0; k < node->n_inputs; k++) {
    inputs[k] = node->inputs[k];
    const hy_tensor *t = hy__work_known_input(w, n, k);
    if ((k != IN_STATE_H && k != IN_STATE_C) || !t || !all_zero(t)) continue;
    inputs[k] = HY__ABSENT;
    found = true;
  }
  if (!found) return HY_OK;
  return rewrite(w, n, &(change){.inputs = inputs}, done, err);
}

/* --- the last step of Y --- */

/* Reshape of `from` in place of node n. */
static hy_status reshape_instead(hy__work *w, int32_t n, int32_t from, bool *done, hy_error *err) {
  const hy_tensor out = *hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  void *dims;
  int32_t inputs[2] = {from, -1};
  HY_TRY(hy__arena_array(w->arena, HY_MAX_RANK, sizeof(int64_t), &dims, err));
  memcpy(dims, out.dims, sizeof out.dims);
  hy_tensor shape = {.data = dims, .dtype = HY_I64, .rank = 1, .dims = {out.rank}};
  void *attr;
  HY_TRY(hy__arena_alloc(w->arena, sizeof(hy__attr), _Alignof(hy__attr), &attr, err));
  *(hy__attr *)attr = (hy__attr){.name = "allowzero", .kind = HY__ATTR_INT, .as.i = 1};
  HY_TRY(hy__work_value_new(w, &shape, "shape", &inputs[1], err));
  hy__work_rewrite to = {.domain = "",
                         .op_type = "Reshape",
                         .version = 14,
                         .inputs = inputs,
                         .n_inputs = 2,
                         .attrs = attr,
                         .n_attrs = 1};
  return hy__work_replace(w, n, &to, done, err);
}

static hy_status last_step(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  hy_string direction = hy__node_string(node, "direction", "forward");
  bool reverse = hy__text_is(direction, "reverse"),
       batch_first = hy__node_int(node, "layout", 0) != 0;
  if ((!reverse && !hy__text_is(direction, "forward")) || hy__work_input(w, n, IN_LENS) >= 0)
    return HY_OK;
  if (node->n_outputs < 1 || node->outputs[0] < 0) return HY_OK;
  const hy_tensor y = *hy__work_tensor(w, node->outputs[0]);
  int64_t steps = y.dims[batch_first ? 1 : 0];
  if (steps < 2) return HY_OK;
  int32_t user = hy__track_step(w, hy__track_of(w, n), reverse ? 0 : steps - 1);
  if (user < 0) return HY_OK;
  int32_t outputs[OUT_MAX] = {node->outputs[0], HY__ABSENT, HY__ABSENT};
  for (size_t k = 1; k < node->n_outputs && k < OUT_MAX; k++) outputs[k] = node->outputs[k];
  if (outputs[1] < 0) {
    hy_tensor h = {.dtype = y.dtype, .rank = 3, .dims = {1, y.dims[2], y.dims[3]}};
    if (batch_first)
      h = (hy_tensor){.dtype = y.dtype, .rank = 3, .dims = {y.dims[0], 1, y.dims[3]}};
    HY_TRY(hy__work_value_new(w, &h, "Y_h", &outputs[1], err));
    w->values[outputs[1]].uses = 1;
    size_t n_outputs = node->n_outputs > 2 ? OUT_MAX : 2;
    HY_TRY(rewrite(w, n, &(change){.outputs = outputs, .n_outputs = n_outputs}, done, err));
    if (!*done) return HY_OK;
  }
  return reshape_instead(w, user, outputs[1], done, err);
}

/* --- batch first --- */

static bool swaps_first_two(const hy__work *w, int32_t n) {
  const hy__attr *perm = hy__node_attr(&w->nodes[n].node, "perm");
  return perm && perm->n == 3 && perm->as.ints[0] == 1 && perm->as.ints[1] == 0;
}

/* X comes through a transpose and Y is not used: read X as it was. */
static hy_status batch_first(hy__work *w, int32_t n, bool *done, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  int32_t inputs[16], x = hy__work_input(w, n, 0);
  int32_t transpose = x < 0 ? -1 : w->values[x].producer;
  if (transpose < 0 || !hy__work_is(w, transpose, "Transpose") || !swaps_first_two(w, transpose))
    return HY_OK;
  if (hy__node_int(node, "layout", 0) || node->n_inputs > HY_COUNT(inputs)) return HY_OK;
  if (hy__work_input(w, n, IN_STATE_H) >= 0 || hy__work_input(w, n, IN_STATE_C) >= 0) return HY_OK;
  int32_t outputs[OUT_MAX] = {HY__ABSENT, HY__ABSENT, HY__ABSENT};
  for (size_t k = 0; k < node->n_outputs && k < OUT_MAX; k++) {
    int32_t id = node->outputs[k];
    if (id < 0 || !w->values[id].uses) continue;
    int32_t user = hy__work_sole_user(w, id);
    /* Y_h of one direction: the same bytes in both layouts, if a reshape takes them. */
    if (k != 1 || user < 0 || !hy__work_is(w, user, "Reshape") || w->values[id].t.dims[0] != 1)
      return HY_OK;
    hy_tensor h = w->values[id].t;
    h.dims[0] = h.dims[1];
    h.dims[1] = 1;
    HY_TRY(hy__work_value_new(w, &h, w->values[id].name, &outputs[k], err));
    w->values[outputs[k]].uses = 1;
  }
  node = &w->nodes[n].node;
  if (outputs[1] < 0) return HY_OK;
  int32_t old = node->outputs[1];
  for (size_t k = 0; k < node->n_inputs; k++) inputs[k] = node->inputs[k];
  inputs[0] = w->nodes[transpose].node.inputs[0];
  const hy__attr layout = {.name = "layout", .kind = HY__ATTR_INT, .as.i = 1};
  change c = {.inputs = inputs, .outputs = outputs, .n_outputs = node->n_outputs, .attr = &layout};
  HY_TRY(rewrite(w, n, &c, done, err));
  if (*done) hy__work_forward(w, old, outputs[1]);
  return HY_OK;
}

hy_status hy__pass_fuse_recurrent(hy__work *w, size_t *n_rewrites, hy_error *err) {
  static hy_status (*const parts[])(hy__work *, int32_t, bool *,
                                    hy_error *) = {drop_zero_state, last_step, batch_first};
  for (size_t p = 0; p < HY_COUNT(parts); p++) {
    bool any = false;
    for (size_t i = 0; i < w->n_nodes; i++) {
      bool done = false;
      if (hy__recurrent_is(w, (int32_t)i)) HY_TRY(parts[p](w, (int32_t)i, &done, err));
      *n_rewrites += done;
      any = any || done;
    }
    if (any) hy__work_count(w);
  }
  return HY_OK;
}
