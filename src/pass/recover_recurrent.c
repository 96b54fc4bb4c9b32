/* SPDX-License-Identifier: Apache-2.0 */
/* Loop and Scan whose bodies are steps of LSTM, GRU or simple RNN become these operators: what
 * tf2onnx writes for Keras' cells that it does not know, and PyTorch for loops over cells. The body
 * is built as a graph of its own, with what is known of the values around, and every wanted output
 * must be a state, or the stack of a state, of a cell that reads one place of a sequence a round.
 * The last bits differ, as sums are ordered otherwise. */
#include "pass/recover.h"

enum { NONE = -1, BODY_BYTES = 1 << 28, INDEX_DEPTH = 12, ROUNDS_MOST = 1 << 24, CHAINS_MOST = 16 };

/* --- the body --- */

static int32_t past_identity(const hy__graph *g, int32_t value) {
  for (int32_t n; (n = g->values[value].producer) >= 0;) {
    if (strcmp(g->nodes[n].op_type, "Identity") != 0 || *g->nodes[n].domain) break;
    value = g->nodes[n].inputs[0];
  }
  return value;
}

/* Is state s given back as it was? */
static bool unchanged(const hy__recovery *r, size_t s) {
  return past_identity(r->graph, r->graph->outputs[r->first_out + s]) ==
         r->graph->inputs[r->first_in + s];
}

static int32_t scan_axis(const hy__recovery *r, const char *name, size_t k, int32_t rank) {
  const hy__attr *a = hy__node_attr(&r->w->nodes[r->node].node, name);
  const int64_t axis = a && a->kind == HY__ATTR_INTS && k < a->n ? a->as.ints[k] : 0;
  return (int32_t)(axis < 0 ? axis + rank : axis);
}

/* Input k of the body. */
static hy_tensor type_of(const hy__recovery *r, size_t k, bool *stable) {
  const hy__work *w = r->w;
  const int32_t id = hy__work_input(w, r->node, k);
  const size_t s = k - r->first_in;
  *stable = false;
  if (!r->scan && k < r->first_in) {
    hy_tensor t = {.dtype = k ? HY_BOOL : HY_I64};
    t.rank = r->graph->values[r->graph->inputs[k]].rank == 1;
    t.dims[0] = t.rank;
    return t;
  }
  hy_tensor t = *hy__work_tensor(w, id);
  if (s < r->n_state && unchanged(r, s)) {
    *stable = w->values[id].stable;
    return t;
  }
  t.data = NULL;
  if (s < r->n_state) return t;
  const int32_t axis = scan_axis(r, "scan_input_axes", s - r->n_state, t.rank);
  for (int32_t d = axis; d + 1 < t.rank; d++) t.dims[d] = t.dims[d + 1];
  t.rank--;
  return t;
}

static hy_status body_build(hy__recovery *r, hy_error *err) {
  const hy__work *w = r->w;
  const hy__graph *g = r->graph;
  const size_t n_captured = w->nodes[r->node].n_captured, n = g->n_inputs + n_captured;
  const size_t first_captured = w->nodes[r->node].node.n_inputs - n_captured;
  void *types, *stable;
  HY_TRY(hy__arena_array(r->b.arena, n + 1, sizeof(hy_tensor), &types, err));
  HY_TRY(hy__arena_array(r->b.arena, n + 1, sizeof(bool), &stable, err));
  for (size_t k = 0; k < n; k++) {
    hy_tensor *t = (hy_tensor *)types + k;
    if (k < g->n_inputs) {
      *t = type_of(r, k, (bool *)stable + k);
      continue;
    }
    const int32_t id = hy__work_input(w, r->node, first_captured + k - g->n_inputs);
    *t = *hy__work_tensor(w, id);
    ((bool *)stable)[k] = w->values[id].stable;
  }
  const hy__work_source from = {.graph = g,
                                .inputs = types,
                                .stable = stable,
                                .outputs = g->outputs,
                                .n_outputs = g->n_outputs};
  size_t n_rewrites;
  HY_TRY(hy__work_build(&r->b, &from, err));
  hy__work_count(&r->b);
  HY_TRY(hy__pass_drop_noop(&r->b, &n_rewrites, err));
  hy__work_count(&r->b);
  HY_TRY(hy__pass_eliminate_duplicates(&r->b, &n_rewrites, err));
  hy__work_count(&r->b);
  return HY_OK;
}

static int32_t state_in(const hy__recovery *r, size_t s) { return r->b.inputs[r->first_in + s]; }

static int32_t state_out(const hy__recovery *r, size_t s) { return r->b.outputs[r->first_out + s]; }

static bool wanted(const hy__recovery *r, size_t k) {
  const hy__node *node = &r->w->nodes[r->node].node;
  return k < node->n_outputs && node->outputs[k] >= 0 && r->w->values[node->outputs[k]].uses > 0;
}

/* --- which place a round reads --- */

static bool one_int(const hy_tensor *t, int64_t *out) {
  if (!t || !t->data || (t->dtype != HY_I64 && t->dtype != HY_I32)) return false;
  if (hy__work_bytes(t) != hy_dtype_bytes(t->dtype)) return false;
  *out = t->dtype == HY_I64 ? *(const int64_t *)t->data : *(const int32_t *)t->data;
  return true;
}

/* first + step * round. */
typedef struct counter {
  int64_t first, step;
} counter;

static bool counter_of(const hy__recovery *r, int32_t id, int depth, counter *out);

/* A state that grows by a known number every round, from a known start. */
static bool counter_state(const hy__recovery *r, size_t s, counter *out) {
  const hy__work *b = &r->b;
  const int32_t n = b->values[state_out(r, s)].producer;
  const int32_t first = hy__work_input(r->w, r->node, r->first_in + s);
  if (n < 0 || !hy__work_is(b, n, "Add") || !one_int(hy__work_tensor(r->w, first), &out->first))
    return false;
  for (size_t k = 0; k < 2; k++)
    if (hy__work_input(b, n, k) == state_in(r, s) &&
        one_int(hy__work_known_input(b, n, 1 - k), &out->step))
      return true;
  return false;
}

static bool counter_sum(const hy__recovery *r, int32_t n, int depth, counter *out) {
  const int64_t sign = hy__work_is(&r->b, n, "Sub") ? -1 : 1;
  counter l, m;
  if (!counter_of(r, hy__work_input(&r->b, n, 0), depth + 1, &l) ||
      !counter_of(r, hy__work_input(&r->b, n, 1), depth + 1, &m))
    return false;
  *out = (counter){l.first + sign * m.first, l.step + sign * m.step};
  return true;
}

static bool small(const counter *c) {
  const int64_t most = 1 << 30;
  return c->first >= -most && c->first <= most && c->step >= -most && c->step <= most;
}

static bool counter_of(const hy__recovery *r, int32_t id, int depth, counter *out) {
  static const char *const moves[] = {"Identity", "Cast", "Squeeze", "Unsqueeze", "Reshape"};
  const hy__work *b = &r->b;
  *out = (counter){0, 0};
  if (id < 0 || depth > INDEX_DEPTH) return false;
  if (one_int(hy__work_tensor(b, id), &out->first)) return small(out);
  if (!r->scan && id == b->inputs[0]) {
    *out = (counter){0, 1};
    return true;
  }
  for (size_t s = 0; s < r->n_state; s++)
    if (id == state_in(r, s)) return counter_state(r, s, out) && small(out);
  const int32_t n = b->values[id].producer;
  if (n < 0) return false;
  if (hy__work_is(b, n, "Add") || hy__work_is(b, n, "Sub"))
    return counter_sum(r, n, depth, out) && small(out);
  const hy_tensor *from = hy__work_tensor(b, hy__work_input(b, n, 0));
  for (size_t k = 0; k < HY_COUNT(moves); k++)
    if (hy__work_is(b, n, moves[k]) && from && (from->dtype == HY_I64 || from->dtype == HY_I32))
      return counter_of(r, hy__work_input(b, n, 0), depth + 1, out);
  return false;
}

/* Past slices that take all, as PyTorch writes x[:, t]. */
static int32_t past_slices(const hy__work *b, int32_t id) {
  int64_t steps[HY_MAX_RANK];
  for (int depth = 0; id >= 0 && depth < INDEX_DEPTH; depth++) {
    const int32_t n = b->values[id].producer;
    if (n < 0 || !hy__work_is(b, n, "Slice")) return id;
    const hy_tensor *x = hy__work_tensor(b, hy__work_input(b, n, 0)), *y = hy__work_tensor(b, id);
    int32_t n_steps = 0;
    if (hy__work_input(b, n, 4) >= 0 && !hy__work_known_ints(b, n, 4, NULL, steps, &n_steps))
      return id;
    for (int32_t k = 0; k < n_steps; k++)
      if (steps[k] != 1) return id;
    if (x->rank != y->rank || memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims) != 0)
      return id;
    id = hy__work_input(b, n, 0);
  }
  return id;
}

/* The value of the graph around that body value id is in every round; else -1. */
static int32_t around(const hy__recovery *r, int32_t inner) {
  const int32_t id = past_slices(&r->b, inner);
  const hy__work_node *node = &r->w->nodes[r->node];
  const size_t n = r->graph->n_inputs, first = node->node.n_inputs - node->n_captured;
  for (size_t k = 0; k < node->n_captured; k++)
    if (r->b.inputs[n + k] == id) return hy__work_input(r->w, r->node, first + k);
  for (size_t s = 0; s < r->n_state; s++)
    if (state_in(r, s) == id && unchanged(r, s))
      return hy__work_input(r->w, r->node, r->first_in + s);
  return NONE;
}

/* Does body value id hold one place of a sequence? */
static bool rounds_of(const hy__recovery *r, int32_t id, hy__rounds *out) {
  const hy__work *b = &r->b;
  for (size_t k = 0; k < r->n_seq; k++) {
    if (b->inputs[r->first_in + r->n_state + k] != id) continue;
    const size_t input = r->first_in + r->n_state + k;
    const int32_t source = hy__work_input(r->w, r->node, input);
    const int32_t axis = scan_axis(r, "scan_input_axes", k, hy__work_tensor(r->w, source)->rank);
    const bool back = scan_axis(r, "scan_input_directions", k, 0) == 1;
    *out = (hy__rounds){source, axis, back ? r->n_rounds - 1 : 0, back ? -1 : 1};
    return true;
  }
  const int32_t n = b->values[id].producer;
  counter c;
  if (n < 0 || !hy__work_is(b, n, "Gather")) return false;
  const int32_t source = around(r, hy__work_input(b, n, 0));
  if (source < 0 || !counter_of(r, hy__work_input(b, n, 1), 0, &c)) return false;
  const hy_tensor *t = hy__work_tensor(r->w, source),
                  *index = hy__work_tensor(b, hy__work_input(b, n, 1));
  const int64_t a = hy__node_int(&b->nodes[n].node, "axis", 0), axis = a < 0 ? a + t->rank : a;
  const int64_t dim = t->dims[axis];
  int64_t last = c.first + (r->n_rounds - 1) * c.step;
  if (hy__work_bytes(index) != hy_dtype_bytes(index->dtype)) return false;
  if (c.first < 0 && last < 0) c.first += dim, last += dim;
  *out = (hy__rounds){source, (int32_t)axis, c.first, c.step};
  return (c.step == 1 || c.step == -1) && c.first >= 0 && c.first < dim && last >= 0 && last < dim;
}

/* --- cells --- */

static bool taken(const hy__recovery *r, size_t s) {
  for (size_t i = 0; i < r->n_cells; i++)
    if (r->cells[i].h_state == s || (r->cells[i].cell.c >= 0 && r->cells[i].c_state == s))
      return true;
  return false;
}

static bool state_of(const hy__recovery *r, int32_t value, size_t *s) {
  for (*s = 0; *s < r->n_state; ++*s)
    if (state_in(r, *s) == value && value >= 0) return !taken(r, *s);
  return false;
}

/* What the cell reads: a place of a sequence, or what a cell below has made in this round. */
static hy_status input_find(hy__recovery *r, hy__recovered *c, bool *found, hy_error *err) {
  int32_t form;
  c->below = NONE;
  *found = rounds_of(r, c->cell.x, &c->rounds);
  if (*found) return HY_OK;
  HY_TRY(hy__form_of(&r->forms, c->cell.x, 0, c->cell.features, &form, err));
  for (size_t i = 0; i < r->n_cells; i++)
    if (r->cells[i].cell.h_new == form) c->below = (int32_t)i;
  *found = c->below != NONE;
  return HY_OK;
}

/* A body that has a layer of one step: PyTorch's cells through its older exporter. */
static bool one_step(hy__recovery *r, size_t s, hy__recovered *c) {
  const hy__work *b = &r->b;
  const int32_t made = hy__form_base(b, state_out(r, s)), n = b->values[made].producer;
  if (n < 0 ||
      (!hy__work_is(b, n, "LSTM") && !hy__work_is(b, n, "GRU") && !hy__work_is(b, n, "RNN")))
    return false;
  const hy__node *node = &b->nodes[n].node;
  const hy_string way = hy__node_string(node, "direction", "forward");
  const hy_tensor *x = hy__work_tensor(b, node->inputs[0]);
  const bool lstm = node->op_type[0] == 'L';
  if (x->dims[0] != 1 || hy__node_int(node, "layout", 0) || hy__work_input(b, n, 4) >= 0 ||
      way.len_bytes != 7 || memcmp(way.data, "forward", 7) != 0 || x->dtype != HY_F32)
    return false;
  for (size_t k = 1; k < node->n_inputs; k++)
    if ((k < 4 || k > 6) && node->inputs[k] >= 0 && !hy__work_known_input(b, n, k)) return false;
  if (hy__form_base(b, hy__work_input(b, n, 5)) != state_in(r, s)) return false;
  if (node->outputs[0] != made && (node->n_outputs < 2 || node->outputs[1] != made)) return false;
  c->one = n;
  c->h_state = s;
  c->cell.x = hy__form_base(b, node->inputs[0]);
  c->cell.features = x->dims[2];
  if (!lstm) return true;
  c->cell.c = hy__form_base(b, hy__work_input(b, n, 6));
  return node->n_outputs == 3 && c->cell.c >= 0 && state_of(r, c->cell.c, &c->c_state) &&
         hy__form_base(b, state_out(r, c->c_state)) == node->outputs[2];
}

static hy_status cell_find(hy__recovery *r, size_t s, bool *found, hy_error *err) {
  hy__recovered *c = &r->cells[r->n_cells];
  const int32_t h = state_in(r, s);
  const hy_tensor *t = hy__work_tensor(&r->b, h);
  int32_t h_new, c_new;
  *c = (hy__recovered){.cell = {.c = HY__ABSENT}, .one = NONE, .h_state = s, .y = HY__ABSENT};
  *found = false;
  if (!t || t->dtype != HY_F32 || t->rank < 1 || unchanged(r, s)) return HY_OK;
  const int64_t width = hy__form_width(t);
  if (width < 1 || hy__form_rows(t) != r->forms.rows) return HY_OK;
  HY_TRY(hy__form_of(&r->forms, state_out(r, s), 0, width, &h_new, err));
  if (one_step(r, s, c)) {
    c->cell.h_new = h_new;
    c->cell.hidden = width;
    return input_find(r, c, found, err);
  }
  HY_TRY(hy__cell_match(&r->forms, h_new, h, &c->cell, found, err));
  if (!*found) return HY_OK;
  if (c->cell.c >= 0) {
    *found = state_of(r, c->cell.c, &c->c_state) && c->c_state != s &&
             hy__form_width(hy__work_tensor(&r->b, c->cell.c)) == width;
    if (!*found) return HY_OK;
    HY_TRY(hy__form_of(&r->forms, state_out(r, c->c_state), 0, width, &c_new, err));
    *found = c_new == c->cell.c_new;
  }
  return *found ? input_find(r, c, found, err) : HY_OK;
}

static hy_status cells_find(hy__recovery *r, hy_error *err) {
  for (bool more = true; more;) {
    more = false;
    for (size_t s = 0; s < r->n_state && r->n_cells < HY__RECOVER_CELLS; s++) {
      bool found;
      if (state_in(r, s) < 0 || taken(r, s)) continue;
      HY_TRY(cell_find(r, s, &found, err));
      hy__recovered *c = &r->cells[r->n_cells];
      c->h_first = hy__work_input(r->w, r->node, r->first_in + s);
      c->c_first = hy__work_input(r->w, r->node, r->first_in + c->c_state);
      r->n_cells += found;
      more = more || found;
    }
  }
  return HY_OK;
}

/* --- outputs --- */

static bool states_served(hy__recovery *r) {
  for (size_t s = 0; s < r->n_state; s++) {
    bool served = !wanted(r, s) || unchanged(r, s);
    for (size_t i = 0; i < r->n_cells && !served; i++) {
      hy__recovered *c = &r->cells[i];
      const bool h = c->h_state == s, is_c = c->cell.c >= 0 && c->c_state == s;
      c->h_wanted = c->h_wanted || h;
      c->c_wanted = c->c_wanted || is_c;
      served = h || is_c;
    }
    if (!served) return false;
  }
  return true;
}

static hy_status stacks_served(hy__recovery *r, bool *all, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(r->b.arena, r->n_out + 1, sizeof(int32_t), &memory, err));
  r->stacked = memory;
  *all = true;
  for (size_t k = 0; k < r->n_out && *all; k++) {
    const int32_t id = r->b.outputs[r->first_out + r->n_state + k];
    const hy_tensor *t = hy__work_tensor(&r->b, id);
    int32_t form;
    r->stacked[k] = NONE;
    if (!wanted(r, r->n_state + k)) continue;
    *all = t->dtype == HY_F32 && t->rank > 0 && hy__form_rows(t) == r->forms.rows;
    if (!*all) break;
    HY_TRY(hy__form_of(&r->forms, id, 0, hy__form_width(t), &form, err));
    for (size_t i = 0; i < r->n_cells; i++)
      if (r->cells[i].cell.h_new == form) r->stacked[k] = (int32_t)i;
    *all = r->stacked[k] != NONE;
    if (*all) r->cells[r->stacked[k]].y_wanted = true;
  }
  return HY_OK;
}

/* Cells whose sequence another one reads, the last first. */
static void below_wanted(hy__recovery *r) {
  for (size_t i = r->n_cells; i-- > 0;) {
    const hy__recovered *c = &r->cells[i];
    if (c->below != NONE && (c->y_wanted || c->h_wanted || c->c_wanted))
      r->cells[c->below].y_wanted = true;
  }
}

static hy_status recover(hy__recovery *r, bool *done, hy_error *err) {
  bool all;
  HY_TRY(body_build(r, err));
  for (size_t s = 0; s < r->n_state && !r->forms.rows; s++) {
    const hy_tensor *t = hy__work_tensor(&r->b, state_in(r, s));
    if (t && t->dtype == HY_F32 && t->rank > 1 && !unchanged(r, s))
      r->forms.rows = hy__form_rows(t);
  }
  if (!r->forms.rows) return HY_OK;
  HY_TRY(cells_find(r, err));
  if (!r->n_cells || !states_served(r)) return HY_OK;
  HY_TRY(stacks_served(r, &all, err));
  below_wanted(r);
  return all ? hy__recover_write(r, done, err) : HY_OK;
}

/* --- the pass --- */

static size_t n_graphs(const hy__node *node) {
  size_t n = 0;
  for (size_t i = 0; i < node->n_attrs; i++) n += node->attrs[i].kind == HY__ATTR_GRAPH;
  return n;
}

/* The node's counts; false where it is no loop that could be one. */
static hy_status start(hy__recovery *r, bool *fits, hy_error *err) {
  hy__work *w = r->w;
  const hy__work_node *node = &w->nodes[r->node];
  const hy__attr *body = hy__node_attr(&node->node, "body");
  const size_t n_in = node->node.n_inputs - node->n_captured;
  hy__op_plan view;
  *fits = false;
  if (!body || body->kind != HY__ATTR_GRAPH || n_graphs(&node->node) != 1) return HY_OK;
  r->graph = body->as.graph;
  r->scan = hy__work_is(w, r->node, "Scan");
  if (r->scan && node->node.version < 9) return HY_OK; /* with a batch of its own */
  r->n_seq = r->scan ? (size_t)hy__node_int(&node->node, "num_scan_inputs", 0) : 0;
  r->first_in = r->scan ? 0 : 2;
  r->first_out = r->scan ? 0 : 1;
  if (n_in < r->first_in + r->n_seq || r->graph->n_inputs != n_in) return HY_OK;
  r->n_state = n_in - r->first_in - r->n_seq;
  if (r->graph->n_outputs < r->first_out + r->n_state) return HY_OK;
  r->n_out = r->graph->n_outputs - r->first_out - r->n_state;
  if (r->scan) {
    const hy_tensor *t = hy__work_tensor(w, hy__work_input(w, r->node, r->n_state));
    r->n_rounds = t->dims[scan_axis(r, "scan_input_axes", 0, t->rank)];
  } else {
    HY_TRY(hy__work_view(w, node, &view, err));
    HY_TRY(hy__op_loop_count(&view, &r->n_rounds, err));
  }
  *fits = r->n_rounds > 1 && r->n_rounds <= ROUNDS_MOST && r->n_state > 0;
  return HY_OK;
}

static hy_status attempt(hy__work *w, int32_t n, bool *done, hy_error *err) {
  hy__recovery r = {.w = w, .node = n};
  hy__arena *arena;
  bool fits;
  HY_TRY(start(&r, &fits, err));
  if (!fits) return HY_OK;
  HY_TRY(hy__arena_create(w->allocator, 0, BODY_BYTES, &arena, err));
  r.b = (hy__work){.runtime = w->runtime,
                   .allocator = w->allocator,
                   .arena = arena,
                   .kernels = w->kernels,
                   .pool = w->pool,
                   .packs = w->packs,
                   .host = w->host,
                   .max_elements = w->max_elements,
                   .deadline_ns = w->deadline_ns};
  r.forms = (hy__forms){.w = &r.b, .arena = arena};
  const hy_status status = recover(&r, done, err);
  hy__forms_drop(&r.forms);
  hy__work_destroy(&r.b);
  hy__arena_destroy(arena);
  return status;
}

hy_status hy__pass_recover_recurrent(hy__work *w, size_t *n_rewrites, hy_error *err) {
  const size_t n_nodes = w->n_nodes;
  for (size_t i = 0; i < n_nodes; i++) {
    const int32_t n = (int32_t)i;
    bool done = false;
    hy_error why;
    if (!hy__work_is(w, n, "Loop") && !hy__work_is(w, n, "Scan")) continue;
    const hy_status status = attempt(w, n, &done, &why);
    /* a body that cannot be looked into stays what it is */
    HY_FAIL_IF(status == HY_OUT_OF_MEMORY, status, err, "%s", why.message);
    *n_rewrites += done;
  }
  if (w->unordered) HY_TRY(hy__work_sort(w, err));
  bool more = true;
  for (int i = 0; i < CHAINS_MOST && more; i++) {
    HY_TRY(hy__recover_chain(w, &more, err));
    *n_rewrites += more;
    if (w->unordered) HY_TRY(hy__work_sort(w, err));
  }
  return HY_OK;
}
