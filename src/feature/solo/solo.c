/* SPDX-License-Identifier: Apache-2.0
 * The plan of a program over one series: which nodes are needed, where their rows lie, and whether
 * pieces of the series can stand side by side. */
#include "feature/solo/solo.h"

#include "feature/batch/run.h"

enum {
  L1_BYTES = 24 << 10, /* of a chunk's rows, beside the series' own */
  CHUNK_MIN = 64,
  CHUNK_MAX = 1024,
  CHUNK_STEP = 64
};

static const size_t lanes_of[HY__SOLO_WAYS] = {1, HY_LANES};

/* ---- what such a run can do ---- */

static bool node_fits(const hy__node *n) {
  switch (n->kind) {
  case HY__NODE_FIELD:
  case HY__NODE_IND: return true;
  case HY__NODE_NUMBER: return n->by_symbol == NULL;
  case HY__NODE_CLOCK: return strcmp(n->name, "@bar") == 0;
  default: return false;
  }
}

/* All bars of a series are present, so that a gap policy changes nothing. */
static bool program_fits(const hy_features *f) {
  const hy__spec_inputs *in = &f->inputs;
  bool fits = f->n_domains == 1 && f->n_stages == 1 && f->n_timeframes == 1 && f->n_gaps == 1 &&
              f->n_fits == 0 && !in->zone.text && !in->calendar.text && !in->base_ns &&
              !in->n_fields && f->gaps[0].fill != HY__GAP_FLAT && !f->gaps[0].reset_after_ns;
  for (size_t i = 0; i < f->n_nodes && fits; i++) fits = node_fits(&f->nodes[i]);
  return fits;
}

/* ---- nodes ---- */

static size_t state_bytes(const hy__node *n, const hy__ind_code *code) {
  return code->state_bytes ? code->state_bytes(n->p) : 0;
}

static void take_node(hy__solo_node *to, const hy__node *n, const uint32_t *place) {
  to->node = n;
  to->sibling = HY__SOLO_NOBODY;
  if (n->kind != HY__NODE_IND) return;
  to->code[HY__SOLO_ONE] = hy__def_code_one(n->def->row);
  to->code[HY__SOLO_PIECES] = n->code;
  for (size_t k = 0; k < n->n_in; k++) to->in[k] = (hy__ref){place[n->in[k].node], n->in[k].output};
  for (size_t w = 0; w < HY__SOLO_WAYS; w++) to->room[w].state_bytes = state_bytes(n, to->code[w]);
}

/* place[node]: in the plan, of those that a feature stands on. */
static hy_status take_nodes(const hy_features *f, hy__solo *s, uint32_t *place, hy_error *err) {
  void *memory;
  for (size_t i = 0; i < f->n_features; i++) place[f->refs[i].node] = 1;
  for (size_t i = f->n_nodes; i-- > 0;)
    for (size_t k = 0; place[i] && k < f->nodes[i].n_in; k++) place[f->nodes[i].in[k].node] = 1;
  for (size_t i = 0; i < f->n_nodes; i++) s->n_nodes += place[i];
  HY_TRY(hy__arena_array(s->arena, s->n_nodes, sizeof(hy__solo_node), &memory, err));
  s->nodes = memory;
  uint32_t n = 0;
  for (size_t i = 0; i < f->n_nodes; i++)
    if (place[i]) {
      place[i] = n;
      take_node(&s->nodes[n++], &f->nodes[i], place);
    }
  s->n_targets = f->n_features;
  HY_TRY(hy__arena_array(s->arena, s->n_targets, sizeof(hy__ref), &memory, err));
  s->targets = memory;
  for (size_t i = 0; i < s->n_targets; i++)
    s->targets[i] = (hy__ref){place[f->refs[i].node], f->refs[i].output};
  return HY_OK;
}

static void find_siblings(hy__solo *s) {
  for (size_t i = 0; i < s->n_nodes; i++) {
    hy__solo_node *n = &s->nodes[i];
    if (n->node->kind != HY__NODE_IND || !n->node->code->group) continue;
    for (uint32_t k = (uint32_t)i + 1; k < s->n_nodes && n->sibling == HY__SOLO_NOBODY; k++)
      if (s->nodes[k].node->kind == HY__NODE_IND && hy__node_siblings(n->node, s->nodes[k].node))
        n->sibling = k;
  }
}

/* Rows that consumers look back on, and rows before a piece's own. */
static void find_history(hy__solo *s) {
  s->apart = true;
  for (size_t i = s->n_nodes; i-- > 0;) {
    hy__solo_node *n = &s->nodes[i];
    const hy__node *node = n->node;
    s->rows_behind = HY_MAX(s->rows_behind, n->rows_behind);
    s->apart &= !hy__node_recurs(node) && node->kind != HY__NODE_CLOCK;
    if (node->kind != HY__NODE_IND) continue;
    if (node->mid_rows) n->history_rows = HY_MAX(n->history_rows, node->mid_rows - 1);
    const size_t behind = n->rows_behind + HY_MAX(node->history, node->own_lookback);
    for (size_t k = 0; k < node->n_in; k++) {
      hy__solo_node *in = &s->nodes[n->in[k].node];
      in->history_rows = HY_MAX(in->history_rows, node->history);
      in->rows_behind = HY_MAX(in->rows_behind, behind);
    }
  }
}

/* ---- memory ---- */

static size_t choose_chunk(const hy__solo *s, hy__solo_way way) {
  size_t columns = 0;
  for (size_t i = 0; i < s->n_nodes; i++) columns += s->nodes[i].node->n_columns;
  const size_t rows = L1_BYTES / (columns * lanes_of[way] * sizeof(double));
  return HY_MIN(HY_MAX(rows - rows % CHUNK_STEP, (size_t)CHUNK_MIN), (size_t)CHUNK_MAX);
}

/* A long history slides by more than a chunk at a time, so that each row is moved once at most. */
static bool place_rooms(hy__solo *s, hy__solo_way way) {
  const size_t row_bytes = lanes_of[way] * sizeof(double), chunk = choose_chunk(s, way);
  size_t *at = &s->bytes[way], unused;
  s->chunk_rows[way] = chunk;
  if (!hy__take_array(at, s->n_nodes, sizeof(hy__slot), &unused)) return false;
  for (size_t i = 0; i < s->n_nodes; i++) {
    hy__solo_node *n = &s->nodes[i];
    hy__solo_room *room = &n->room[way];
    const size_t slide = HY_MAX(chunk, n->history_rows);
    room->capacity_rows = n->history_rows + (slide + chunk - 1) / chunk * chunk;
    if (!hy__take_array(at, room->capacity_rows * n->node->n_columns, row_bytes, &room->buffer) ||
        !hy__take(at, room->state_bytes, &room->state))
      return false;
  }
  return true;
}

/* ---- the plan ---- */

static hy_status make(const hy_features *f, hy__solo *s, hy_error *err) {
  void *memory;
  s->fits = program_fits(f);
  if (!s->fits) return HY_OK;
  HY_TRY(hy__arena_array(s->arena, f->n_nodes, sizeof(uint32_t), &memory, err));
  HY_TRY(take_nodes(f, s, memory, err));
  find_siblings(s);
  find_history(s);
  for (hy__solo_way way = 0; way < HY__SOLO_WAYS; way++)
    HY_FAIL_IF(!place_rooms(s, way), HY_LIMIT, err,
               "the spec needs more memory than there are addresses");
  return HY_OK;
}

static hy_status create(const hy_features *f, hy__solo **out, hy_error *err) {
  hy__arena *arena;
  void *memory;
  HY_TRY(hy__arena_create(f->allocator, 4096, 0, &arena, err));
  hy_status status = hy__arena_array(arena, 1, sizeof(hy__solo), &memory, err);
  if (status == HY_OK) {
    *out = memory;
    (*out)->arena = arena;
    status = make(f, *out, err);
  }
  if (status != HY_OK) hy__arena_destroy(arena);
  return status;
}

/* Whoever comes first leaves a plan; acquire and release carry what it points at. */
hy_status hy__solo_plan(const hy_features *f, const hy__solo **out, hy_error *err) {
  hy__solo *mine, *theirs = atomic_load_explicit(&f->solo->plan, memory_order_acquire);
  *out = theirs;
  if (theirs) return HY_OK;
  HY_TRY(create(f, &mine, err));
  *out = mine;
  if (atomic_compare_exchange_strong_explicit(&f->solo->plan, &theirs, mine, memory_order_acq_rel,
                                              memory_order_acquire))
    return HY_OK;
  *out = theirs;
  hy__solo_destroy(mine);
  return HY_OK;
}

void hy__solo_destroy(hy__solo *plan) {
  if (plan) hy__arena_destroy(plan->arena);
}

/* A field that is not there by this name may be by another: a caller with a longer way goes that.
 */
hy_status hy__solo_bind(const hy__solo *plan, const char *const *fields, size_t n_fields,
                        uint32_t *field_of, hy_error *err) {
  for (size_t i = 0; i < plan->n_nodes; i++) {
    const hy__node *n = plan->nodes[i].node;
    size_t found = 0;
    if (n->kind != HY__NODE_FIELD) continue;
    for (size_t k = 0; k < n_fields; k++)
      if (fields[k] && strcmp(fields[k], n->name) == 0) field_of[i] = (uint32_t)k, found++;
    HY_FAIL_IF(found == 0, HY_NOT_FOUND, err, "there is no field \"%.60s\"", n->name);
    HY_FAIL_IF(found > 1, HY_INVALID_ARGUMENT, err, "there are %zu fields \"%.60s\"", found,
               n->name);
  }
  return HY_OK;
}
