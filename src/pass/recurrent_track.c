/* SPDX-License-Identifier: Apache-2.0 */
/* Following Y of a recurrent layer through what exporters put behind it. */
#include "pass/recurrent_track.h"

enum { IN_W = 1, IN_R = 2, IN_B = 3, IN_LENS = 4, CHAIN_MAX = 8 };

bool hy__text_is(hy_string s, const char *text) {
  return s.len_bytes == strlen(text) && memcmp(s.data, text, s.len_bytes) == 0;
}

bool hy__recurrent_is(const hy__work *w, int32_t n) {
  return hy__work_is(w, n, "LSTM") || hy__work_is(w, n, "GRU") || hy__work_is(w, n, "RNN");
}

static bool default_functions(const hy__node *node) {
  static const char *const names[] = {"Sigmoid", "Tanh", "Tanh"};
  const hy__attr *a = hy__node_attr(node, "activations");
  const size_t n = node->op_type[0] == 'L' ? 3 : node->op_type[0] == 'G' ? 2 : 1;
  if (!a) return true;
  if (a->kind != HY__ATTR_STRINGS || a->n % n) return false;
  for (size_t i = 0; i < a->n; i++)
    if (!hy__text_is(a->as.strings[i], n == 1 ? "Tanh" : names[i % n])) return false;
  return true;
}

bool hy__recurrent_plain(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  if (!hy__recurrent_is(w, n) || !default_functions(node)) return false;
  if (hy__node_float(node, "clip", 0) != 0 || hy__node_int(node, "input_forget", 0)) return false;
  for (size_t k = IN_LENS; k < node->n_inputs; k++)
    if (node->inputs[k] >= 0) return false;
  for (size_t k = IN_W; k <= IN_B; k++)
    if (hy__work_input(w, n, k) >= 0 && !hy__work_known_input(w, n, k)) return false;
  return hy__work_tensor(w, node->inputs[0])->dtype == HY_F32;
}

hy__track hy__track_of(const hy__work *w, int32_t n) {
  const hy__node *node = &w->nodes[n].node;
  hy__track t = {node->outputs[0],
                 {HY__AXIS_TIME, HY__AXIS_DIRECTION, HY__AXIS_BATCH, HY__AXIS_HIDDEN}};
  if (hy__node_int(node, "layout", 0))
    t = (hy__track){node->outputs[0],
                    {HY__AXIS_BATCH, HY__AXIS_TIME, HY__AXIS_DIRECTION, HY__AXIS_HIDDEN}};
  return t;
}

static int32_t past_ones(const hy_tensor *t, int32_t d) {
  while (d < t->rank && t->dims[d] == 1) d++;
  return d;
}

/* Roles after a node that keeps the order of elements, adds or drops axes of one, or joins
 * directions and units. */
static bool through_reshape(const hy__work *w, int32_t out, hy__track *t) {
  const hy_tensor *from = hy__work_tensor(w, t->value), *to = hy__work_tensor(w, out);
  hy__axis_role roles[HY_MAX_RANK];
  int32_t at = 0;
  for (int32_t d = 0; d < to->rank; d++) {
    roles[d] = HY__AXIS_ONE;
    if (to->dims[d] == 1) continue;
    at = past_ones(from, at);
    if (at == from->rank) return false;
    const int32_t next = past_ones(from, at + 1);
    if (from->dims[at] == to->dims[d]) {
      roles[d] = t->roles[at++];
    } else if (next < from->rank && t->roles[at] == HY__AXIS_DIRECTION &&
               t->roles[next] == HY__AXIS_HIDDEN &&
               from->dims[at] * from->dims[next] == to->dims[d]) {
      roles[d] = HY__AXIS_BOTH;
      at = next + 1;
    } else {
      return false;
    }
  }
  memcpy(t->roles, roles, sizeof roles);
  return true;
}

static bool through_transpose(const hy__work *w, int32_t n, hy__track *t) {
  int64_t perm[HY_MAX_RANK];
  int32_t rank = hy__work_tensor(w, t->value)->rank;
  hy__axis_role roles[HY_MAX_RANK] = {HY__AXIS_ONE};
  if (!hy__work_read_perm(w, n, perm)) return false;
  for (int32_t d = 0; d < rank; d++) roles[d] = t->roles[perm[d]];
  memcpy(t->roles, roles, sizeof roles);
  return true;
}

bool hy__track_through(const hy__work *w, int32_t n, hy__track *t) {
  const int32_t out = w->nodes[n].node.outputs[0];
  const bool reshapes = hy__work_is(w, n, "Squeeze") || hy__work_is(w, n, "Unsqueeze") ||
                        hy__work_is(w, n, "Reshape");
  if (hy__work_input(w, n, 0) != t->value) return false;
  if (!(reshapes ? through_reshape(w, out, t) : through_transpose(w, n, t))) return false;
  t->value = out;
  return true;
}

static bool known_index(const hy_tensor *t, int64_t *out) {
  if (!t || (t->dtype != HY_I64 && t->dtype != HY_I32)) return false;
  if (hy__work_bytes(t) != hy_dtype_bytes(t->dtype)) return false;
  *out = t->dtype == HY_I64 ? *(const int64_t *)t->data : *(const int32_t *)t->data;
  return true;
}

/* Does node n take step `step` of the time axis and nothing else away? */
static bool takes_step(const hy__work *w, int32_t n, const hy__track *t, int64_t step) {
  const hy_tensor *from = hy__work_tensor(w, t->value);
  const hy_tensor *to = hy__work_tensor(w, w->nodes[n].node.outputs[0]);
  int32_t time = -1;
  for (int32_t d = 0; d < from->rank; d++)
    if (t->roles[d] == HY__AXIS_TIME) time = d;
  if (time < 0) return false;
  int64_t axis, first;
  if (hy__work_is(w, n, "Gather")) {
    axis = hy__node_int(&w->nodes[n].node, "axis", 0);
    if (!known_index(hy__work_known_input(w, n, 1), &first)) return false;
  } else if (hy__work_is(w, n, "Slice") && w->nodes[n].node.n_inputs > 3) {
    if (!known_index(hy__work_known_input(w, n, 1), &first) ||
        !known_index(hy__work_known_input(w, n, 3), &axis))
      return false;
    if (to->dims[time] != 1) return false;
  } else {
    return false;
  }
  if (axis < 0) axis += from->rank;
  if (first < 0) first += from->dims[time];
  return axis == time && first == step;
}

/* The rest of the axes must run in Y_h's order. */
static bool in_order(const hy__work *w, const hy__track *t) {
  const hy_tensor *from = hy__work_tensor(w, t->value);
  hy__axis_role last = HY__AXIS_ONE;
  for (int32_t d = 0; d < from->rank; d++) {
    if (from->dims[d] == 1 || t->roles[d] == HY__AXIS_TIME) continue;
    if (t->roles[d] < last) return false;
    last = t->roles[d];
  }
  return true;
}

int32_t hy__track_step(const hy__work *w, hy__track t, int64_t step) {
  for (int i = 0; i < CHAIN_MAX; i++) {
    int32_t n = hy__work_sole_user(w, t.value);
    if (n < 0 || hy__work_input(w, n, 0) != t.value) return -1;
    if (takes_step(w, n, &t, step)) return in_order(w, &t) ? n : -1;
    if (!hy__track_through(w, n, &t)) return -1;
  }
  return -1;
}
