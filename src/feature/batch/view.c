/* SPDX-License-Identifier: Apache-2.0
 * The timeframes of a run: slower universes made of the one that it is bound to, which of their
 * bars have ended at each row, the fields' places in them, and the clocks. */
#include "feature/batch/run.h"
#include "feature/bind.h"
#include "feature/clock.h"

/* ---- universes ---- */

static bool uses(const hy_features *f, const hy__node *n, uint32_t tf) {
  return n->kind == HY__NODE_FIELD && hy__node_timeframe(f, n) == tf;
}

static size_t find_name(const char *const *names, size_t n, const char *name) {
  size_t at = 0;
  while (at < n && strcmp(names[at], name)) at++;
  return at;
}

/* What the nodes of a timeframe read, each once, and close where missing bars are filled. */
static hy_status list_fields(hy__feature_run *run, uint32_t tf, const char *const **out, size_t *n,
                             hy_error *err) {
  const hy_features *f = run->f;
  void *memory;
  HY_TRY(hy__arena_array(run->arena, run->info.n_fields + 2, sizeof(char *), &memory, err));
  const char **names = memory;
  *n = 0;
  for (size_t i = 0; i < f->n_nodes; i++) {
    if (!uses(f, &f->nodes[i], tf)) continue;
    names[*n] = f->nodes[i].name;
    *n += find_name(names, *n, names[*n]) == *n;
  }
  for (size_t i = 0; i < f->n_domains; i++) {
    if (f->domains[i].tf != tf || f->gaps[f->domains[i].gap].fill != HY__GAP_FLAT) continue;
    names[*n] = "close";
    *n += find_name(names, *n, names[*n]) == *n;
  }
  *out = names;
  return HY_OK;
}

static hy_status make_universe(hy__feature_run *run, uint32_t tf, hy_error *err) {
  const hy__timeframe *t = &run->f->timeframes[tf];
  hy__grid *grid;
  hy__grid_options g = {.timeframe_ns = t->ns,
                        .base_ns = run->info.timeframe_ns,
                        .anchor = t->anchor,
                        .zone = run->info.zone,
                        .calendar = run->info.calendar};
  hy__aggregate_options o = {
      .timeframe = t->name, .t_begin = run->range.t_start, .t_end = run->range.t_end};
  HY_TRY(list_fields(run, tf, &o.fields, &o.n_fields, err));
  HY_TRY(hy__grid_create(run->f->allocator, &g, &grid, err));
  o.grid = grid;
  hy_status status =
      hy__universe_aggregate(run->f->runtime, run->universe, &o, &run->views[tf].derived, err);
  hy__grid_destroy(grid);
  return status;
}

static hy_status open_slower(hy__feature_run *run, uint32_t tf, hy_error *err) {
  hy__view *v = &run->views[tf];
  const hy_features *f = run->f;
  hy_universe_info info = {.struct_size = sizeof info};
  HY_TRY(make_universe(run, tf, err));
  hy_universe_describe(v->derived, &info);
  v->universe = v->derived;
  v->time_ns = info.time_ns;
  v->t_end = info.n_bars;
  v->close_field = hy__universe_field(v->derived, "close");
  for (size_t i = 0; i < f->n_nodes; i++)
    if (uses(f, &f->nodes[i], tf))
      run->fields[i] = hy__universe_field(v->derived, f->nodes[i].name);
  return HY_OK;
}

/* ---- what has ended ---- */

/* Bars of the slower view that have ended by each row's close; their ends ascend. */
static hy_status count_ended(hy__feature_run *run, uint32_t fast_tf, uint32_t slow_tf,
                             hy_error *err) {
  const hy__view *fast = &run->views[fast_tf], *slow = &run->views[slow_tf];
  void *memory;
  if (run->ended[fast_tf][slow_tf]) return HY_OK;
  HY_TRY(
      hy__arena_array(run->arena, fast->t_end - fast->t_start + 1, sizeof(uint32_t), &memory, err));
  uint32_t *ended = memory, n = 0;
  for (size_t t = fast->t_start; t < fast->t_end; t++) {
    while (slow->t_start + n < slow->t_end && slow->time_ns[slow->t_start + n] <= fast->time_ns[t])
      n++;
    ended[t - fast->t_start] = n;
  }
  run->ended[fast_tf][slow_tf] = ended;
  return HY_OK;
}

static hy_status join_views(hy__feature_run *run, hy_error *err) {
  const hy_features *f = run->f;
  for (uint32_t tf = 1; run->range.own && tf < f->n_timeframes; tf++)
    HY_TRY(count_ended(run, 0, tf, err));
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    const uint32_t tf = hy__node_timeframe(f, n);
    if (n->kind == HY__NODE_ASOF)
      HY_TRY(count_ended(run, tf, hy__node_timeframe(f, &f->nodes[n->in[0].node]), err));
    if (n->kind == HY__NODE_AGE) HY_TRY(count_ended(run, tf, n->slower, err));
    run->needs_born |= n->kind == HY__NODE_AGE;
    run->needs_born |= n->kind == HY__NODE_CLOCK && !strcmp(n->name, "@bar");
  }
  return HY_OK;
}

/* Rows before `end` that hold n of a lane's bars; all of them where it has fewer. */
static size_t rows_of_lane(const uint8_t *mask, size_t end, size_t lane, size_t n) {
  size_t t = end;
  for (size_t bars = 0; t > 0 && bars < n; t--) bars += mask[t - 1] >> lane & 1;
  return end - t;
}

static hy_status find_reach(const hy__feature_run *run, const hy__view *v, size_t end,
                            size_t n_bars, uint8_t *mask, size_t *begin, hy_error *err) {
  bool all;
  for (size_t block = 0; block < run->n_blocks; block++) {
    const size_t lanes = HY_MIN(run->info.n_symbols - block * HY_LANES, (size_t)HY_LANES);
    HY_TRY(hy__universe_present(v->universe, block, v->t_start, end, mask, &all, err));
    for (size_t k = 0; !all && k < lanes; k++)
      *begin = HY_MIN(*begin, end - rows_of_lane(mask, end - v->t_start, k, n_bars));
  }
  return HY_OK;
}

hy_status hy__view_reach(const hy__feature_run *run, uint32_t tf, size_t n_bars, size_t *begin,
                         hy_error *err) {
  const hy__view *v = &run->views[tf];
  const size_t at = run->range.t_begin, rows = v->t_end - v->t_start;
  const size_t end = tf ? run->ended[0][tf][at - run->range.t_start] : at + 1;
  void *mask;
  *begin = end - HY_MIN(n_bars, end - v->t_start);
  if (!hy__features_skip_missing(run->f) || *begin == v->t_start) return HY_OK;
  HY_TRY(hy__alloc(run->f->allocator, rows, &mask, err));
  hy_status status = find_reach(run, v, end, n_bars, mask, begin, err);
  hy__free(run->f->allocator, mask, rows);
  return status;
}

/* ---- clocks ---- */

static hy_status read_clocks(hy__feature_run *run, hy__clocks *clocks, hy_error *err) {
  const hy_features *f = run->f;
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    const hy__view *v = &run->views[hy__node_timeframe(f, n)];
    void *memory;
    if (n->kind != HY__NODE_CLOCK) continue;
    HY_TRY(hy__arena_array(run->arena, v->t_end - v->t_start + 1, sizeof(double), &memory, err));
    run->clocks[i] = memory;
    hy__bar_clock_rows(clocks, hy__bar_clock_of(n->name), v->time_ns + v->t_start,
                       v->t_end - v->t_start, run->clocks[i]);
  }
  return HY_OK;
}

static hy_status open_clocks(hy__feature_run *run, hy_error *err) {
  hy__clocks *clocks;
  HY_TRY(hy__clocks_open(run->f, run->info.zone, run->info.calendar, &clocks, err));
  hy_status status = read_clocks(run, clocks, err);
  hy__clocks_close(clocks);
  return status;
}

/* ---- all of it ---- */

hy_status hy__view_open(hy__feature_run *run, hy_error *err) {
  hy__view *base = &run->views[0];
  *base = (hy__view){.universe = run->universe,
                     .time_ns = run->info.time_ns,
                     .t_start = run->range.t_start,
                     .t_end = run->range.t_end};
  HY_TRY(hy__bind_fields(run->f, run->universe, run->fields, &base->close_field, err));
  for (uint32_t tf = 1; tf < run->f->n_timeframes; tf++) HY_TRY(open_slower(run, tf, err));
  HY_TRY(join_views(run, err));
  return open_clocks(run, err);
}

void hy__view_close(hy__feature_run *run) {
  for (size_t tf = 1; tf < run->f->n_timeframes; tf++) hy_universe_destroy(run->views[tf].derived);
}
