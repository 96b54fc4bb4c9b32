/* SPDX-License-Identifier: Apache-2.0
 * How much history does a value need? The universe is begun 1, 37, 101, 333 .. bars later, and the
 * values compared with those of the whole, by how many bars a symbol had behind it. What is
 * measured stands beside what the spec claims (hayate features explain): a claim that does not hold
 * is a finding. */
#include <math.h>

#include "feature/check/check.h"

static const size_t starts[] = {1, 37, 101, 333, 1009, 3001};
static const double tol_default = 1e-6, claimed_tol = 1e-9;

static const hy__check_column columns[] = {
    {"lookback", "look-back", HY__CHECK_COUNT},
    {"claimed", "claimed", HY__CHECK_BARS},
    {"needed", "needed", HY__CHECK_BARS},
    {"worst_after_claimed", "worst after", HY__CHECK_REAL},
};
enum { LOOKBACK, CLAIMED, NEEDED, WORST };

typedef struct recursion {
  hy__check_task *t;
  size_t start;      /* rows left out in front */
  uint8_t *mask;     /* [row] of the block */
  bool every_row;    /* a row without a bar counts as history */
  size_t *claimed;   /* [feature], SIZE_MAX: no bound */
  size_t *lookbacks; /* [node] */
  size_t *needed;    /* [feature] bars behind a value until all are within tol */
  size_t most;       /* bars behind any value */
  bool *crosses;     /* [feature] stands on a cross-section: every symbol's history counts */
  size_t *least;     /* [row] bars behind any symbol of the row, or of a row before */
  uint8_t *found;
} recursion;

/* One symbol's column of one feature, in both runs. */
typedef struct pair {
  const double *whole, *late;
  size_t lane, symbol, feature, n;
} pair;

static double scale_of(const pair *p, size_t rows) {
  double most = 0;
  for (size_t t = 0; t < rows; t++) {
    double v = fabs(p->whole[t * p->n]);
    if (v > most) most = v;
  }
  return most;
}

static double apart(double a, double b, double scale) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : (double)INFINITY;
  return a == b ? 0 : fabs(a - b) / scale;
}

static hy_status claim_failed(recursion *r, const pair *p, size_t row, double by, hy_error *err) {
  hy__check_place place = {p->feature, p->symbol, row};
  if (r->found[p->feature]++) return HY_OK;
  if (isinf(by))
    return hy__check_find(r->t->report, &r->t->info, place, err,
                          "there with one history and missing with another that begins %zu bars "
                          "later, after %zu bars, where it is called stable",
                          r->start, r->claimed[p->feature]);
  return hy__check_find(r->t->report, &r->t->info, place, err,
                        "%.3g of its scale apart when the history begins %zu bars later, after %zu "
                        "bars, where it is called stable",
                        by, r->start, r->claimed[p->feature]);
}

static hy_status compare_column(recursion *r, const pair *p, size_t rows, hy_error *err) {
  const double scale = scale_of(p, rows);
  double *worst = hy__check_cell(r->t->report, p->feature, WORST);
  size_t own = 0;
  for (size_t t = r->start; t < rows; t++) {
    const size_t behind = r->crosses[p->feature] ? HY_MIN(own, r->least[t]) : own;
    double by = apart(p->whole[t * p->n], p->late[(t - r->start) * p->n], scale);
    if (by > r->t->options.tol) r->needed[p->feature] = HY_MAX(r->needed[p->feature], behind + 1);
    if (behind >= r->claimed[p->feature]) {
      if (by > *worst) *worst = by;
      if (by > r->t->options.tol) HY_TRY(claim_failed(r, p, t, by, err));
    }
    own += r->every_row || (r->mask[t] >> p->lane & 1);
    r->most = HY_MAX(r->most, own);
  }
  return HY_OK;
}

static hy_status compare(void *ctx, const hy__check_block *b, hy_error *err) {
  recursion *r = ctx;
  const size_t n = r->t->f->n_features;
  bool all;
  HY_TRY(hy__universe_present(r->t->universe, b->block, 0, b->rows[0], r->mask, &all, err));
  for (size_t lane = 0; lane < b->n_lanes; lane++)
    for (size_t f = 0; f < n; f++) {
      pair p = {.whole = b->out[0] + lane * b->rows[0] * n + f,
                .late = b->out[1] + lane * b->rows[1] * n + f,
                .lane = lane,
                .symbol = b->block * HY_LANES + lane,
                .feature = f,
                .n = n};
      HY_TRY(compare_column(r, &p, b->rows[0], err));
    }
  return HY_OK;
}

/* Of the symbols that have a bar in a row and had one before the start; a row also inherits from
 * the row before, since windows may lie over a cross-section. */
static void count_least(recursion *r, const hy__check_market *m, size_t *behind) {
  const size_t symbols = m->info.n_symbols;
  for (size_t s = 0; s < symbols; s++) {
    behind[s] = SIZE_MAX;
    for (size_t t = 0; t < r->start && behind[s]; t++)
      if (m->valid[t * symbols + s]) behind[s] = 0;
  }
  size_t before = SIZE_MAX - 1;
  for (size_t t = r->start; t < m->info.n_bars; t++) {
    r->least[t] = before + (before < SIZE_MAX - 1);
    for (size_t s = 0; s < symbols; s++) {
      if (behind[s] == SIZE_MAX || !m->valid[t * symbols + s]) continue;
      r->least[t] = HY_MIN(r->least[t], behind[s]);
      behind[s]++;
    }
    before = r->least[t];
  }
}

static size_t n_starts(size_t n_bars) {
  size_t n = 0;
  while (n < HY_COUNT(starts) && starts[n] <= n_bars / 2) n++;
  return n;
}

static hy_status try_starts(recursion *r, const hy__check_market *m, size_t *behind,
                            hy_error *err) {
  const size_t n = n_starts(m->info.n_bars);
  for (size_t step = 0; step < n; step++) {
    hy_universe *late;
    r->start = starts[step];
    count_least(r, m, behind);
    HY_TRY(hy__check_market_part(m, r->start, m->info.n_bars, &late, err));
    hy__check_runs runs = {.f = r->t->f,
                           .universes = {r->t->universe, late},
                           .n = 2,
                           .block = compare,
                           .ctx = r,
                           .progress = r->t->options.progress,
                           .progress_ctx = r->t->options.progress_ctx,
                           .step = step,
                           .n_steps = n};
    hy_status status = hy__check_runs_all(&runs, err);
    hy_universe_destroy(late);
    if (status != HY_OK) return status;
  }
  return HY_OK;
}

static void mark_crosses(recursion *r, uint8_t *on_cross) {
  const hy_features *f = r->t->f;
  for (size_t k = 0; k < f->n_nodes; k++) {
    on_cross[k] = f->nodes[k].kind == HY__NODE_CROSS;
    for (size_t i = 0; i < f->nodes[k].n_in; i++) on_cross[k] |= on_cross[f->nodes[k].in[i].node];
  }
  for (size_t i = 0; i < f->n_features; i++) r->crosses[i] = on_cross[f->refs[i].node];
}

static hy_status claims(recursion *r, hy__arena *arena, hy_error *err) {
  const hy_features *f = r->t->f;
  void *rows, *memory;
  HY_TRY(hy__arena_array(arena, f->n_nodes, sizeof(size_t), &rows, err));
  HY_TRY(hy__arena_array(arena, f->n_features, sizeof(size_t), &memory, err));
  r->claimed = memory;
  for (size_t i = 0; i < f->n_features; i++) {
    hy__stable_query q = {.refs = &f->refs[i],
                          .n_refs = 1,
                          .tol = claimed_tol,
                          .rows = rows,
                          .base_ns = r->t->info.timeframe_ns};
    if (!hy__node_stable(f, &q, &r->claimed[i], NULL)) r->claimed[i] = SIZE_MAX;
  }
  r->lookbacks = rows;
  hy__node_lookbacks(f, r->t->info.timeframe_ns, r->lookbacks);
  void *more[5];
  const size_t items[5] = {f->n_features, f->n_features, f->n_features, f->n_nodes,
                           r->t->info.n_bars};
  const size_t each[5] = {sizeof(size_t), 1, sizeof(bool), 1, 1 + sizeof(size_t)};
  for (size_t i = 0; i < HY_COUNT(more); i++)
    HY_TRY(hy__arena_array(arena, items[i], each[i], &more[i], err));
  r->needed = more[0], r->found = more[1], r->crosses = more[2], r->least = more[4];
  r->mask = (uint8_t *)(r->least + r->t->info.n_bars);
  mark_crosses(r, more[3]);
  return HY_OK;
}

/* The table, and the history that there will be against what is needed. */
static hy_status conclude(recursion *r, hy_error *err) {
  const hy_features *f = r->t->f;
  const size_t warmup = r->t->options.warmup_bars;
  const hy__check_place whole = {.symbol = SIZE_MAX};
  for (size_t i = 0; i < f->n_features; i++) {
    hy__check_place place = whole;
    bool settled = r->needed[i] < r->most;
    place.feature = i;
    *hy__check_cell(r->t->report, i, LOOKBACK) = (double)r->lookbacks[f->refs[i].node];
    *hy__check_cell(r->t->report, i, CLAIMED) =
        r->claimed[i] == SIZE_MAX ? (double)NAN : (double)r->claimed[i];
    *hy__check_cell(r->t->report, i, NEEDED) = settled ? (double)r->needed[i] : (double)NAN;
    if (r->claimed[i] == SIZE_MAX) *hy__check_cell(r->t->report, i, WORST) = (double)NAN;
    if (!warmup || (settled && r->needed[i] <= warmup)) continue;
    if (settled)
      HY_TRY(hy__check_find(r->t->report, &r->t->info, place, err,
                            "needs %zu bars of history, there are %zu", r->needed[i], warmup));
    else
      HY_TRY(hy__check_find(r->t->report, &r->t->info, place, err,
                            "never forgets where its history began, %zu bars of it are too few",
                            warmup));
  }
  return HY_OK;
}

static hy_status run(recursion *r, hy__arena *arena, hy_error *err) {
  hy__check_market market;
  void *behind;
  HY_TRY(claims(r, arena, err));
  HY_TRY(hy__arena_array(arena, r->t->info.n_symbols, sizeof(size_t), &behind, err));
  HY_TRY(hy__check_market_read(r->t->f, r->t->universe, arena, &market, err));
  HY_TRY(try_starts(r, &market, behind, err));
  return conclude(r, err);
}

hy_status hy__check_recursive(hy__check_task *t, hy_error *err) {
  hy__arena *arena;
  recursion r = {.t = t, .every_row = !hy__features_skip_missing(t->f)};
  if (t->options.tol <= 0) t->options.tol = tol_default;
  HY_FAIL_IF(t->info.n_bars < 2, HY_INVALID_ARGUMENT, err,
             "a universe of one bar cannot begin later");
  HY_TRY(hy__check_begin(t, "recursive", columns, HY_COUNT(columns), err));
  HY_TRY(hy__arena_create(t->f->allocator, 0, 0, &arena, err));
  hy_status status = run(&r, arena, err);
  hy__arena_destroy(arena);
  hy__check_column count = {"starts", "later starts", HY__CHECK_COUNT};
  hy__check_column tol = {"tol", "of scale as tolerance", HY__CHECK_REAL};
  hy__check_fact(t->report, count, (double)n_starts(t->info.n_bars));
  hy__check_fact(t->report, tol, t->options.tol);
  return status;
}
