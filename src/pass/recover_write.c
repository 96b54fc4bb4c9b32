/* SPDX-License-Identifier: Apache-2.0 */
/* The layers in place of a Loop or Scan: the sequence with its time in front, weights laid out as
 * ONNX has them, and what the node gave from Y, Y_h and Y_c. */
#include "pass/recover.h"

enum { NONE = -1, N_IN = 8, WEIGHTS_MOST = 1 << 25 };

hy_status hy__recover_shape(hy__recovery *r, int32_t id, int32_t rank, const int64_t *dims,
                            int32_t *out, hy_error *err) {
  const hy_tensor *t = hy__work_tensor(r->w, id);
  hy__work_rewrite to;
  *out = id;
  if (id < 0 || (t->rank == rank && !memcmp(t->dims, dims, (size_t)rank * sizeof *dims)))
    return HY_OK;
  HY_TRY(hy__work_reshape(r->w, id, rank, dims, &to, err));
  return hy__work_add(r->w, r->node, &to, out, err);
}

/* Places first, first + step, .. of an axis, in the order of the rounds. */
static hy_status taken_in_order(hy__recovery *r, int32_t id, const hy__rounds *at, int32_t *out,
                                hy_error *err) {
  const int64_t last = at->first + (r->n_rounds - 1) * at->step, axis = at->axis;
  const int64_t end = at->step > 0 ? last + 1 : last > 0 ? last - 1 : INT64_MIN / 2;
  int32_t inputs[5] = {id};
  *out = id;
  if (at->step == 1 && at->first == 0 && hy__work_tensor(r->w, id)->dims[axis] == r->n_rounds)
    return HY_OK;
  HY_TRY(hy__work_ints(r->w, &at->first, 1, &inputs[1], err));
  HY_TRY(hy__work_ints(r->w, &end, 1, &inputs[2], err));
  HY_TRY(hy__work_ints(r->w, &axis, 1, &inputs[3], err));
  HY_TRY(hy__work_ints(r->w, &at->step, 1, &inputs[4], err));
  const hy__work_rewrite to = {
      .domain = "", .op_type = "Slice", .version = 13, .inputs = inputs, .n_inputs = 5};
  return hy__work_add(r->w, r->node, &to, out, err);
}

/* Axis `from` becomes axis `to`, the others in their order. */
static hy_status axis_moved(hy__recovery *r, int32_t id, int32_t from, int32_t to, int32_t *out,
                            hy_error *err) {
  int64_t perm[HY_MAX_RANK];
  hy__work_rewrite node;
  *out = id;
  if (id < 0 || from == to) return HY_OK;
  const int32_t rank = hy__work_tensor(r->w, id)->rank;
  for (int32_t d = 0, k = 0; d < rank; d++) {
    if (k == from) k++;
    perm[d] = d == to ? from : k++;
  }
  HY_TRY(hy__work_transpose(r->w, id, perm, &node, err));
  return hy__work_add(r->w, r->node, &node, out, err);
}

/* X as [rounds, rows, features]. */
static hy_status sequence_write(hy__recovery *r, const hy__recovered *c, int32_t *out,
                                hy_error *err) {
  const int64_t dims[3] = {r->n_rounds, r->forms.rows, c->cell.features};
  if (c->below != NONE) {
    *out = r->cells[c->below].y;
    return HY_OK;
  }
  HY_TRY(taken_in_order(r, c->rounds.source, &c->rounds, out, err));
  HY_TRY(axis_moved(r, *out, c->rounds.axis, 0, out, err));
  return hy__recover_shape(r, *out, 3, dims, out, err);
}

/* --- weights --- */

static hy_status floats(hy__recovery *r, int32_t rank, const int64_t *dims, float **data,
                        int32_t *out, hy_error *err) {
  hy_tensor t = {.dtype = HY_F32, .rank = rank};
  for (int32_t d = 0; d < rank; d++) t.dims[d] = dims[d];
  HY_TRY(hy__arena_alloc(r->w->arena, hy__work_bytes(&t) + 1, HY_ALIGN, &t.data, err));
  *data = t.data;
  return hy__work_value_new(r->w, &t, "", out, err);
}

static hy_status cell_inputs(hy__recovery *r, const hy__cell *cell, int32_t *inputs,
                             hy_error *err) {
  const int64_t gates = (int64_t)cell->n_gates * cell->hidden;
  hy__cell_weights to;
  HY_TRY(floats(r, 3, (const int64_t[]){1, gates, cell->features}, &to.w, &inputs[1], err));
  HY_TRY(floats(r, 3, (const int64_t[]){1, gates, cell->hidden}, &to.r, &inputs[2], err));
  HY_TRY(floats(r, 2, (const int64_t[]){1, 2 * gates}, &to.b, &inputs[3], err));
  hy__cell_write(&r->forms, cell, &to);
  return HY_OK;
}

/* A known value of the body, copied where it lies in the body's memory. */
static hy_status known_copy(hy__recovery *r, int32_t id, int32_t *out, hy_error *err) {
  const hy__work_value *v = &r->b.values[id];
  hy_tensor t = v->t;
  const bool stable = v->stable;
  if (!stable) {
    HY_TRY(hy__arena_alloc(r->w->arena, hy__work_bytes(&t) + 1, HY_ALIGN, &t.data, err));
    memcpy(t.data, v->t.data, hy__work_bytes(&t));
  }
  HY_TRY(hy__work_value_new(r->w, &t, v->name, out, err));
  r->w->values[*out].stable = stable;
  return HY_OK;
}

static hy_status one_inputs(hy__recovery *r, const hy__recovered *c, int32_t *inputs,
                            hy_error *err) {
  const hy__node *node = &r->b.nodes[c->one].node;
  for (size_t k = 1; k < node->n_inputs && k < N_IN; k++)
    if (k < 4 || k > 6)
      if (node->inputs[k] >= 0) HY_TRY(known_copy(r, node->inputs[k], &inputs[k], err));
  return HY_OK;
}

/* --- attributes --- */

static bool has_alpha(const char *function) {
  return !strcmp(function, "Affine") || !strcmp(function, "HardSigmoid") ||
         !strcmp(function, "LeakyRelu") || !strcmp(function, "Elu");
}

static bool has_beta(const char *function) {
  return !strcmp(function, "Affine") || !strcmp(function, "HardSigmoid");
}

/* The lists live in the graph's arena, as the node does. */
typedef struct lists {
  hy_string names[3];
  float alphas[3], betas[3];
} lists;

static hy_status cell_attrs(hy__recovery *r, const hy__cell *cell, hy__work_rewrite *to,
                            hy_error *err) {
  void *memory;
  size_t n_alpha = 0, n_beta = 0, n = 0;
  hy__attr attrs[5];
  HY_TRY(hy__arena_alloc(r->w->arena, sizeof(lists), _Alignof(lists), &memory, err));
  lists *l = memory;
  for (size_t i = 0; i < cell->n_functions; i++) {
    const char *name = cell->functions[i];
    l->names[i] = (hy_string){name, strlen(name)};
    if (has_alpha(name)) l->alphas[n_alpha++] = cell->alphas[i];
    if (has_beta(name)) l->betas[n_beta++] = cell->betas[i];
  }
  attrs[n++] = (hy__attr){.name = "hidden_size", .kind = HY__ATTR_INT, .as.i = cell->hidden};
  attrs[n++] = (hy__attr){.name = "activations",
                          .kind = HY__ATTR_STRINGS,
                          .n = cell->n_functions,
                          .as.strings = l->names};
  if (cell->kind == 'G')
    attrs[n++] =
        (hy__attr){.name = "linear_before_reset", .kind = HY__ATTR_INT, .as.i = cell->reset_after};
  if (n_alpha)
    attrs[n++] = (hy__attr){
        .name = "activation_alpha", .kind = HY__ATTR_FLOATS, .n = n_alpha, .as.floats = l->alphas};
  if (n_beta)
    attrs[n++] = (hy__attr){
        .name = "activation_beta", .kind = HY__ATTR_FLOATS, .n = n_beta, .as.floats = l->betas};
  to->op_type = cell->kind == 'L' ? "LSTM" : cell->kind == 'G' ? "GRU" : "RNN";
  return hy__work_attrs(r->w, NULL, attrs, n, to, err);
}

/* --- the layer --- */

static hy_status state_input(hy__recovery *r, int32_t id, int64_t hidden, int32_t *out,
                             hy_error *err) {
  const int64_t dims[3] = {1, r->forms.rows, hidden};
  return hy__recover_shape(r, id, 3, dims, out, err);
}

static bool too_large(const hy__cell *cell) {
  const int64_t columns = cell->features + cell->hidden;
  return cell->hidden > WEIGHTS_MOST / 8 || columns > WEIGHTS_MOST / (4 * cell->hidden);
}

hy_status hy__recover_layer(hy__recovery *r, hy__recovered *c, int32_t *outputs, bool *done,
                            hy_error *err) {
  int32_t inputs[N_IN], made;
  const bool lstm = c->cell.c >= 0;
  const int64_t dims[3] = {r->n_rounds, r->forms.rows, c->cell.hidden};
  hy__work_rewrite to = {.domain = "", .version = 14, .inputs = inputs, .n_inputs = lstm ? 7 : 6};
  *done = false;
  for (size_t k = 0; k < N_IN; k++) inputs[k] = HY__ABSENT;
  for (size_t k = 0; k < HY__RECOVER_OUTPUTS; k++) outputs[k] = HY__ABSENT;
  if (c->one != NONE) {
    const hy__node *node = &r->b.nodes[c->one].node;
    to.op_type = node->op_type;
    to.version = node->version;
    to.n_inputs = HY_MAX(to.n_inputs, HY_MIN(node->n_inputs, (size_t)N_IN));
    HY_TRY(one_inputs(r, c, inputs, err));
    HY_TRY(hy__work_attrs(r->w, node, NULL, 0, &to, err));
  } else {
    if (too_large(&c->cell)) return HY_OK;
    HY_TRY(cell_inputs(r, &c->cell, inputs, err));
    HY_TRY(cell_attrs(r, &c->cell, &to, err));
  }
  HY_TRY(sequence_write(r, c, &inputs[0], err));
  HY_TRY(state_input(r, c->h_first, c->cell.hidden, &inputs[5], err));
  if (lstm) HY_TRY(state_input(r, c->c_first, c->cell.hidden, &inputs[6], err));
  const bool want[HY__RECOVER_OUTPUTS] = {
      [HY__RECOVER_Y] = c->y_wanted, [HY__RECOVER_H] = c->h_wanted, [HY__RECOVER_C] = c->c_wanted};
  for (size_t k = 0; k < HY__RECOVER_OUTPUTS; k++)
    if (want[k]) HY_TRY(hy__work_value_new(r->w, NULL, "", &outputs[k], err));
  to.outputs = outputs;
  to.n_outputs = lstm ? 3 : 2;
  if (inputs[0] < 0) return HY_OK;
  HY_TRY(hy__work_add(r->w, r->node, &to, &made, err));
  if (made < 0) return HY_OK;
  HY_TRY(hy__recover_shape(r, outputs[HY__RECOVER_Y], 3, dims, &c->y, err));
  *done = !c->y_wanted || c->y >= 0;
  return HY_OK;
}

/* --- what the node gave --- */

static hy_status stack_write(hy__recovery *r, size_t k, int32_t *out, hy_error *err) {
  const hy__node *node = &r->w->nodes[r->node].node;
  const hy_tensor t = *hy__work_tensor(r->w, node->outputs[r->n_state + k]);
  const hy__attr *axes = hy__node_attr(node, "scan_output_axes");
  const hy__attr *ways = hy__node_attr(node, "scan_output_directions");
  const bool back = r->scan && ways && k < ways->n && ways->as.ints[k] == 1;
  int64_t dims[HY_MAX_RANK], axis = r->scan && axes && k < axes->n ? axes->as.ints[k] : 0;
  if (axis < 0) axis += t.rank;
  dims[0] = r->n_rounds;
  for (int32_t d = 0, j = 1; d < t.rank; d++)
    if (d != axis) dims[j++] = t.dims[d];
  const hy__rounds turn = {0, 0, back ? r->n_rounds - 1 : 0, back ? -1 : 1};
  HY_TRY(taken_in_order(r, r->cells[r->stacked[k]].y, &turn, out, err));
  if (*out >= 0) HY_TRY(hy__recover_shape(r, *out, t.rank, dims, out, err));
  return axis_moved(r, *out, 0, (int32_t)axis, out, err);
}

/* What stands for output k of the node; HY__ABSENT where nobody wants it. */
static hy_status output_write(hy__recovery *r, size_t k, int32_t (*made)[HY__RECOVER_OUTPUTS],
                              int32_t *out, hy_error *err) {
  const int32_t old = r->w->nodes[r->node].node.outputs[k];
  *out = HY__ABSENT;
  if (k >= r->n_state) return stack_write(r, k - r->n_state, out, err);
  const hy_tensor t = *hy__work_tensor(r->w, old);
  for (size_t i = 0; i < r->n_cells; i++) {
    const hy__recovered *c = &r->cells[i];
    const bool h = c->h_state == k, is_c = c->cell.c >= 0 && c->c_state == k;
    if (h || is_c)
      return hy__recover_shape(r, made[i][h ? HY__RECOVER_H : HY__RECOVER_C], t.rank, t.dims, out,
                               err);
  }
  *out = hy__work_input(r->w, r->node, r->first_in + k); /* a state that never changes */
  return HY_OK;
}

hy_status hy__recover_write(hy__recovery *r, bool *done, hy_error *err) {
  const size_t n_outputs = r->w->nodes[r->node].node.n_outputs;
  int32_t made[HY__RECOVER_CELLS][HY__RECOVER_OUTPUTS];
  void *memory;
  *done = false;
  HY_TRY(hy__arena_array(r->b.arena, n_outputs + 1, sizeof(int32_t), &memory, err));
  int32_t *stands = memory;
  for (size_t i = 0; i < r->n_cells; i++) {
    hy__recovered *c = &r->cells[i];
    bool written = false;
    for (size_t k = 0; k < HY__RECOVER_OUTPUTS; k++) made[i][k] = HY__ABSENT;
    if (!c->y_wanted && !c->h_wanted && !c->c_wanted) continue;
    HY_TRY(hy__recover_layer(r, c, made[i], &written, err));
    if (!written) return HY_OK;
  }
  for (size_t k = 0; k < n_outputs; k++) {
    const int32_t old = r->w->nodes[r->node].node.outputs[k];
    stands[k] = HY__ABSENT;
    if (old < 0 || !r->w->values[old].uses) continue;
    HY_TRY(output_write(r, k, made, &stands[k], err));
    if (stands[k] < 0) return HY_OK;
  }
  for (size_t k = 0; k < n_outputs; k++)
    if (stands[k] >= 0) hy__work_forward(r->w, r->w->nodes[r->node].node.outputs[k], stands[k]);
  *done = true;
  return HY_OK;
}
