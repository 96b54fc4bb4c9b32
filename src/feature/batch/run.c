/* SPDX-License-Identifier: Apache-2.0
 * Binds a program to a universe and a range: splits the graph into stages between cross-sections,
 * and lays out a worker's memory. */
#include "feature/batch/run.h"

#include "feature/bind.h"

/* ---- stages ---- */

/* Earlier rows of its inputs that the node's rows [from, ..) need. A series whose missing bars do
 * not exist reaches back by bars, not rows. */
static size_t rows_before(const hy__feature_run *run, const hy__node *n, size_t from) {
  const hy_features *f = run->f;
  const size_t t_start = run->views[hy__node_timeframe(f, n)].t_start, back = n->history;
  if (hy__node_recurs(n) || (back && hy__node_gap(f, n)->fill == HY__GAP_NONE)) return t_start;
  return from - t_start > back ? from - back : t_start;
}

/* Which nodes are needed, and from which row of their view on; consumers first. */
static void plan_begins(hy__feature_run *run, size_t *begin) {
  const hy_features *f = run->f;
  const hy__stage *last = &run->stages[f->n_stages - 1];
  for (size_t i = 0; i < f->n_nodes; i++) begin[i] = SIZE_MAX;
  for (size_t i = 0; i < last->n_targets; i++) {
    const uint32_t node = last->targets[i].node;
    begin[node] = last->t_begin[hy__node_timeframe(f, &f->nodes[node])];
  }
  for (size_t i = f->n_nodes; i-- > 0;) {
    const hy__node *n = &f->nodes[i];
    if (begin[i] == SIZE_MAX) continue;
    /* the last bar of a symbol may be any number of rows ago */
    size_t from = n->kind == HY__NODE_ASOF ? 0 : rows_before(run, n, begin[i]);
    for (size_t k = 0; k < n->n_in; k++) begin[n->in[k].node] = HY_MIN(begin[n->in[k].node], from);
  }
}

/* From which row of its input's view a stored node is kept: one for all of a view. */
static hy_status plan_store(hy__feature_run *run, size_t *begin, hy_error *err) {
  const hy_features *f = run->f;
  for (size_t v = 0; v < f->n_timeframes; v++)
    run->views[v].store_begin = v ? run->views[v].t_start : run->views[v].t_end;
  plan_begins(run, begin);
  for (size_t i = 0; i < f->n_nodes; i++) {
    hy__view *v = &run->views[hy__node_timeframe(f, &f->nodes[i])];
    if (f->nodes[i].kind == HY__NODE_CROSS) v->store_begin = HY_MIN(v->store_begin, begin[i]);
  }
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    size_t cells;
    void *memory;
    if (begin[i] == SIZE_MAX || !hy__node_stored(n)) continue;
    const hy__view *v = &run->views[hy__node_timeframe(f, &f->nodes[n->in[0].node])];
    bool fits = hy__mul(v->t_end - v->store_begin, run->n_blocks * HY_LANES, &cells) &&
                hy__mul(cells, n->n_in, &cells);
    HY_FAIL_IF(!fits, HY_LIMIT, err, "what lies between two stages is too large");
    HY_TRY(hy__arena_array(run->arena, cells, sizeof(double), &memory, err));
    run->store[i] = memory;
  }
  return HY_OK;
}

/* What is given out: features at the universe's timeframe, or a caller's choice at their own. */
static hy_status plan_last(hy__feature_run *run, hy_error *err) {
  const hy_features *f = run->f;
  const hy__feature_range *r = &run->range;
  hy__stage *s = &run->stages[f->n_stages - 1];
  void *memory;
  s->n_targets = r->own ? r->n_own : f->n_features;
  HY_TRY(hy__arena_array(run->arena, s->n_targets, sizeof(hy__ref), &memory, err));
  s->targets = memory;
  for (size_t i = 0; i < s->n_targets; i++) s->targets[i] = r->own ? f->own[r->own[i]] : f->refs[i];
  for (uint32_t tf = 0; tf < f->n_timeframes; tf++) {
    s->t_begin[tf] = tf ? run->views[tf].t_end : r->t_begin;
    if (r->own && r->own_bars[tf])
      HY_TRY(hy__view_reach(run, tf, r->own_bars[tf], &s->t_begin[tf], err));
  }
  return HY_OK;
}

/* The inputs of a node that the stage computes for it; numbers need no storing. */
static size_t list_inputs(const hy__feature_run *run, uint32_t node, uint32_t stage,
                          hy__stage *to) {
  const hy__node *n = &run->f->nodes[node];
  size_t count = 0;
  if (!run->store[node] || n->stage != stage + 1) return 0;
  for (uint32_t k = 0; k < n->n_in; k++) {
    if (run->f->nodes[n->in[k].node].kind == HY__NODE_NUMBER) continue;
    count++;
    if (!to) continue;
    to->targets[to->n_targets] = n->in[k];
    to->stored[to->n_targets] = node;
    to->input[to->n_targets++] = k;
  }
  return count;
}

/* Targets in the order of their nodes. */
static hy_status order_targets(hy__feature_run *run, hy__stage *s, hy_error *err) {
  void *memory[2];
  const size_t n_nodes = run->f->n_nodes;
  HY_TRY(hy__arena_array(run->arena, s->n_targets, sizeof(uint32_t), &memory[0], err));
  HY_TRY(hy__arena_array(run->arena, n_nodes + 1, sizeof(uint32_t), &memory[1], err));
  uint32_t *place = memory[1];
  s->order = memory[0];
  for (size_t i = 0; i < s->n_targets; i++) place[s->targets[i].node + 1]++;
  for (size_t i = 0; i < n_nodes; i++) place[i + 1] += place[i];
  for (uint32_t i = 0; i < s->n_targets; i++) s->order[place[s->targets[i].node]++] = i;
  return HY_OK;
}

static hy_status plan_targets(hy__feature_run *run, uint32_t stage, hy_error *err) {
  const hy_features *f = run->f;
  hy__stage *s = &run->stages[stage];
  void *memory[3];
  size_t n = 0;
  for (size_t v = 0; v < f->n_timeframes; v++) s->t_begin[v] = run->views[v].store_begin;
  for (uint32_t i = 0; i < f->n_nodes; i++) n += list_inputs(run, i, stage, NULL);
  HY_TRY(hy__arena_array(run->arena, n + 1, sizeof(hy__ref), &memory[0], err));
  HY_TRY(hy__arena_array(run->arena, n + 1, sizeof(uint32_t), &memory[1], err));
  HY_TRY(hy__arena_array(run->arena, n + 1, sizeof(uint32_t), &memory[2], err));
  s->targets = memory[0];
  s->stored = memory[1];
  s->input = memory[2];
  for (uint32_t i = 0; i < f->n_nodes; i++) (void)list_inputs(run, i, stage, s);
  return HY_OK;
}

/* The nodes under the targets, down to fields and to what earlier stages have stored. */
static hy_status plan_nodes(hy__feature_run *run, hy__stage *s, uint8_t *needed, hy_error *err) {
  const hy_features *f = run->f;
  void *memory;
  memset(needed, 0, f->n_nodes);
  for (size_t i = 0; i < s->n_targets; i++) needed[s->targets[i].node] = 1;
  for (size_t i = f->n_nodes; i-- > 0;) {
    const hy__node *n = &f->nodes[i];
    if (!needed[i] || hy__node_stored(n)) continue;
    for (size_t k = 0; k < n->n_in; k++) needed[n->in[k].node] = 1;
  }
  for (size_t i = 0; i < f->n_nodes; i++) s->n_nodes += needed[i];
  HY_TRY(hy__arena_array(run->arena, s->n_nodes, sizeof(uint32_t), &memory, err));
  s->nodes = memory;
  size_t n = 0;
  for (uint32_t i = 0; i < f->n_nodes; i++)
    if (needed[i]) s->nodes[n++] = i;
  return HY_OK;
}

/* ---- a worker's memory ---- */

static hy_status place_workspace(hy__feature_run *run, hy_error *err) {
  const hy_features *f = run->f;
  const size_t n_targets = f->n_features + HY__IND_INPUTS * f->n_nodes; /* of a stage, at most */
  size_t at = 0, cross = 0, unused;
  HY_TRY(hy__rooms_share(run, err));
  bool fits = hy__take(&at, run->range.t_end - run->range.t_start, &run->mask) &&
              hy__take_array(&at, run->chunk_rows * HY_LANES, sizeof(uint32_t), &run->index) &&
              hy__take_array(&at, f->n_nodes, sizeof(hy__slot), &run->slots) &&
              hy__take_array(&at, n_targets, sizeof(double *), &run->bases) &&
              hy__take_array(&at, n_targets, sizeof(double *), &run->from) &&
              hy__rooms_place(run, &at) &&
              hy__take_array(&cross, run->info.n_symbols, 2 * sizeof(hy__ranked) + HY__CROSS_BYTES,
                             &unused);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "the spec needs more memory than there are addresses");
  run->workspace_bytes = HY_MAX(at, cross);
  return HY_OK;
}

/* ---- the façade ---- */

/* The numbers of nodes that have another one for each symbol. */
static hy_status take_numbers(hy__feature_run *run, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(run->arena, run->f->n_nodes, sizeof(double *), &memory, err));
  run->numbers = memory;
  for (size_t i = 0; i < run->f->n_nodes; i++) {
    const hy__symbols *map = run->f->nodes[i].by_symbol;
    if (!map) continue;
    HY_TRY(hy__arena_array(run->arena, run->n_blocks * HY_LANES, sizeof(double), &memory, err));
    run->numbers[i] = memory;
    hy__bind_symbols(map, &run->info, memory);
  }
  return HY_OK;
}

static hy_status bind(hy__feature_run *run, hy_error *err) {
  const size_t n = run->f->n_nodes;
  void *memory[6];
  const size_t each[6] = {sizeof(hy__room), sizeof(int32_t), sizeof(double *),
                          sizeof(double *), sizeof(size_t),  1};
  for (size_t i = 0; i < HY_COUNT(each); i++)
    HY_TRY(hy__arena_array(run->arena, n, each[i], &memory[i], err));
  run->rooms = memory[0];
  run->fields = memory[1];
  run->store = memory[2];
  run->clocks = memory[3];
  HY_TRY(take_numbers(run, err));
  HY_TRY(hy__bind_order(run->arena, run->info.symbols, run->info.n_symbols, &run->order, err));
  HY_TRY(hy__view_open(run, err));
  HY_TRY(plan_last(run, err));
  HY_TRY(plan_store(run, memory[4], err));
  for (uint32_t s = 0; s < run->f->n_stages; s++) {
    if (s + 1 < run->f->n_stages) HY_TRY(plan_targets(run, s, err));
    HY_TRY(order_targets(run, &run->stages[s], err));
    HY_TRY(plan_nodes(run, &run->stages[s], memory[5], err));
  }
  return place_workspace(run, err);
}

hy_status hy__feature_run_create(const hy_features *f, const hy_universe *universe,
                                 hy__feature_range range, hy__feature_run **out, hy_error *err) {
  void *memory;
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(universe, &info);
  HY_FAIL_IF(
      range.t_start > range.t_begin || range.t_begin >= range.t_end || range.t_end > info.n_bars,
      HY_INVALID_ARGUMENT, err, "rows [%zu, %zu) from %zu on asked of a universe of %zu bars",
      range.t_begin, range.t_end, range.t_start, info.n_bars);
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy__feature_run), &memory, err));
  hy__feature_run *run = memory;
  run->f = f;
  run->universe = universe;
  run->info = info;
  run->range = range;
  run->n_blocks = hy__universe_n_blocks(info.n_symbols);
  hy_status status = hy__arena_create(f->allocator, 16384, 0, &run->arena, err);
  if (status == HY_OK) status = bind(run, err);
  if (status == HY_OK)
    *out = run;
  else
    hy__feature_run_destroy(run);
  return status;
}

void hy__feature_run_destroy(hy__feature_run *run) {
  if (!run) return;
  hy__view_close(run);
  hy__arena_destroy(run->arena);
  hy__free(run->f->allocator, run, sizeof *run);
}

uint32_t hy__feature_run_n_stages(const hy__feature_run *run) { return run->f->n_stages; }
size_t hy__feature_run_n_blocks(const hy__feature_run *run) { return run->n_blocks; }
size_t hy__feature_run_workspace_bytes(const hy__feature_run *run) { return run->workspace_bytes; }

hy_status hy__feature_run_block(hy__feature_run *run, uint32_t stage, size_t block, void *workspace,
                                double *out, uint32_t n_bars[HY_LANES], int64_t time_ns[2],
                                hy_error *err) {
  HY_FAIL_IF(stage >= run->f->n_stages || block >= run->n_blocks, HY_INVALID_ARGUMENT, err,
             "stage %u of %u, block %zu of %zu", stage, run->f->n_stages, block, run->n_blocks);
  hy__exec_job job = {.stage = stage,
                      .block = block,
                      .workspace = workspace,
                      .sink = {.out = out},
                      .n_bars = n_bars,
                      .time_ns = time_ns};
  return hy__exec_block(run, &job, err);
}
