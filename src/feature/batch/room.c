/* SPDX-License-Identifier: Apache-2.0
 * Where a worker's memory holds each node's rows. A node that someone looks back on keeps its rows;
 * where values leave as soon as they are computed the others share what they need for a chunk. */
#include "feature/batch/run.h"

enum {
  COLUMNS_MAX = HY__IND_OUTPUTS + HY__IND_MIDS,
  NOBODY = UINT32_MAX,
  CHUNK_MIN = 32,
  CHUNK_MAX = 256,
  CHUNK_STEP = 16,
  /* of a worker's node buffers, about a second-level cache: what a node does anew in each chunk,
   * such as the windows before its first row, costs more than rows from further away */
  CHUNK_BUDGET_BYTES = 1 << 20
};

bool hy__take(size_t *at, size_t bytes, size_t *out) {
  size_t rounded;
  *out = *at;
  return hy__round_up(bytes, HY_ALIGN, &rounded) && hy__add(*at, rounded, at);
}

bool hy__take_array(size_t *at, size_t n, size_t each, size_t *out) {
  size_t bytes;
  return hy__mul(n, each, &bytes) && hy__take(at, bytes, out);
}

static void find_history(hy__feature_run *run) {
  const hy_features *f = run->f;
  for (size_t i = 0; i < f->n_nodes; i++) {
    hy__room *own = &run->rooms[i];
    if (f->nodes[i].mid_rows)
      own->history_rows = HY_MAX(own->history_rows, f->nodes[i].mid_rows - 1);
    for (size_t k = 0; k < f->nodes[i].n_in; k++) {
      hy__room *in = &run->rooms[f->nodes[i].in[k].node];
      in->history_rows = HY_MAX(in->history_rows, f->nodes[i].history);
    }
  }
}

/* Sources are read before anything is computed, so theirs are not to be shared. */
static bool is_passing(const hy__feature_run *run, size_t i) {
  return run->range.by_node && run->f->nodes[i].kind == HY__NODE_IND &&
         run->rooms[i].history_rows == 0;
}

/* Rooms that are free again, in chains by their number of columns. */
typedef struct sharing {
  hy__feature_run *run;
  uint32_t *last; /* [node] its last reader */
  uint32_t *next;
  uint32_t free[COLUMNS_MAX + 1];
} sharing;

static void release(sharing *h, uint32_t node, uint32_t reader) {
  if (!h->run->rooms[node].shared || h->last[node] != reader) return;
  const size_t n_columns = h->run->f->nodes[node].n_columns;
  h->last[node] = NOBODY;
  h->next[node] = h->free[n_columns];
  h->free[n_columns] = node;
}

static void take_columns(sharing *h, uint32_t node) {
  hy__feature_run *run = h->run;
  hy__room *room = &run->rooms[node];
  const size_t n_columns = run->f->nodes[node].n_columns;
  const uint32_t free = h->free[n_columns];
  room->shared = true;
  room->column = run->shared_columns;
  if (free == NOBODY) {
    run->shared_columns += n_columns;
    return;
  }
  room->column = run->rooms[free].column;
  h->free[n_columns] = h->next[free];
}

static size_t choose_chunk(const hy__feature_run *run) {
  const hy_features *f = run->f;
  size_t columns = run->shared_columns;
  for (size_t i = 0; i < f->n_nodes; i++)
    if (!run->rooms[i].shared) columns += f->nodes[i].n_columns;
  size_t rows = CHUNK_BUDGET_BYTES / (columns * HY_LANES * sizeof(double));
  rows -= rows % CHUNK_STEP;
  return rows < CHUNK_MIN ? CHUNK_MIN : rows > CHUNK_MAX ? CHUNK_MAX : rows;
}

bool hy__node_siblings(const hy__node *a, const hy__node *b) {
  return a->def == b->def && a->domain == b->domain &&
         !memcmp(a->in, b->in, a->n_in * sizeof a->in[0]);
}

/* Windows of several lengths over the same series. Between stages a node may be wanted without its
 * siblings, so this is for programs of one. */
static void find_siblings(hy__feature_run *run) {
  const hy__stage *s = &run->stages[0];
  for (size_t i = 0; i < run->f->n_nodes; i++) run->sibling[i] = NOBODY;
  for (size_t i = 0; run->f->n_stages == 1 && i < s->n_nodes; i++) {
    const hy__node *n = &run->f->nodes[s->nodes[i]];
    if (n->kind != HY__NODE_IND || !n->code->group) continue;
    for (size_t k = i + 1; k < s->n_nodes && run->sibling[s->nodes[i]] == NOBODY; k++)
      if (run->f->nodes[s->nodes[k]].kind == HY__NODE_IND &&
          hy__node_siblings(n, &run->f->nodes[s->nodes[k]]))
        run->sibling[s->nodes[i]] = s->nodes[k];
  }
}

/* Only where no other stage asks for the value. */
static void find_divided(hy__feature_run *run, const uint32_t *last) {
  const hy_features *f = run->f;
  for (size_t i = 0; f->n_stages == 1 && i < f->n_nodes; i++)
    run->divided[i] = is_passing(run, i) && f->nodes[i].code->quotient && last[i] == i;
}

hy_status hy__rooms_share(hy__feature_run *run, hy_error *err) {
  const hy_features *f = run->f;
  void *memory[4];
  sharing h = {.run = run};
  find_history(run);
  for (size_t i = 0; i < 3; i++)
    HY_TRY(hy__arena_array(run->arena, f->n_nodes, sizeof(uint32_t), &memory[i], err));
  HY_TRY(hy__arena_array(run->arena, f->n_nodes, sizeof(bool), &memory[3], err));
  h.last = memory[0];
  h.next = memory[1];
  run->sibling = memory[2];
  run->divided = memory[3];
  find_siblings(run);
  for (size_t i = 0; i <= COLUMNS_MAX; i++) h.free[i] = NOBODY;
  for (uint32_t i = 0; i < f->n_nodes; i++) {
    h.last[i] = i;
    for (size_t k = 0; k < f->nodes[i].n_in; k++) h.last[f->nodes[i].in[k].node] = i;
  }
  find_divided(run, h.last);
  for (uint32_t i = 0; i < f->n_nodes; i++) {
    for (uint32_t k = i; k != NOBODY; k = run->sibling[k])
      if (is_passing(run, k) && !run->rooms[k].shared) take_columns(&h, k);
    for (size_t k = 0; k < f->nodes[i].n_in; k++) release(&h, f->nodes[i].in[k].node, i);
    release(&h, i, i);
  }
  run->chunk_rows = run->range.chunk_rows ? run->range.chunk_rows : choose_chunk(run);
  return HY_OK;
}

/* A buffer keeps the history that consumers read; a long one slides by more than a chunk at a time,
 * so that each row is moved once at most. */
bool hy__rooms_place(hy__feature_run *run, size_t *at) {
  const hy_features *f = run->f;
  const size_t row_bytes = HY_LANES * sizeof(double);
  size_t chunk = run->chunk_rows, back = 0, shared;
  if (!hy__take_array(at, chunk * run->shared_columns, row_bytes, &shared)) return false;
  for (size_t i = 0; i < f->n_nodes; i++) {
    hy__room *room = &run->rooms[i];
    const hy__node *n = &f->nodes[i];
    size_t slide = HY_MAX(chunk, room->history_rows);
    room->capacity_rows = room->history_rows + (slide + chunk - 1) / chunk * chunk;
    if (n->kind != HY__NODE_IND) back = HY_MAX(back, room->history_rows);
    if (room->shared)
      room->buffer = shared + room->column * chunk * row_bytes;
    else if (!hy__take_array(at, room->capacity_rows * n->n_columns, row_bytes, &room->buffer))
      return false;
    if (!hy__take(at, n->state_bytes, &room->state)) return false;
  }
  size_t fill = 0;
  for (size_t i = 0; i < f->n_gaps; i++) fill = HY_MAX(fill, (size_t)f->gaps[i].max);
  run->scratch_rows = 2 * (chunk + back + fill);
  return hy__take_array(at, run->scratch_rows, row_bytes, &run->scratch);
}
