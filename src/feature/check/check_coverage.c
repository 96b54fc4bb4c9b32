/* SPDX-License-Identifier: Apache-2.0
 * How much of each feature is missing, and why: the symbol has no bar there, not yet enough bars
 * for the look-back, or something else (a field without a value, a division by zero, a flat
 * window). */
#include <math.h>

#include "feature/check/check.h"

static const hy__check_column columns[] = {
    {"missing", "missing", HY__CHECK_SHARE},
    {"absent", "no bar", HY__CHECK_SHARE},
    {"warm_up", "warm-up", HY__CHECK_SHARE},
    {"other", "other", HY__CHECK_SHARE},
    {"empty_symbols", "symbols without any", HY__CHECK_COUNT},
    {"first_time_ns", "first value", HY__CHECK_TIME},
};
enum { MISSING, ABSENT, WARM_UP, OTHER, EMPTY, FIRST };

typedef struct coverage {
  hy__check_task *t;
  uint8_t *mask;
  size_t (*counts)[4];               /* [feature] cells missing, by cause */
  size_t *empty, *first, *lookbacks; /* [feature], [feature], [node] */
  hy__check_place *odd;              /* [feature] first cell of no known cause */
} coverage;

static void count_column(coverage *c, const double *values, hy__check_place place) {
  const hy_features *f = c->t->f;
  const size_t lookback = c->lookbacks[f->refs[place.feature].node];
  const size_t lane = place.symbol % HY_LANES;
  size_t *counts = c->counts[place.feature], behind = 0;
  bool any = false;
  for (size_t t = 0; t < c->t->info.n_bars; t++) {
    const bool bar = c->mask[t] >> lane & 1;
    if (!isnan(values[t * f->n_features])) {
      any = true;
      c->first[place.feature] = HY_MIN(c->first[place.feature], t);
    } else {
      int cause = !bar ? ABSENT : behind < lookback && !any ? WARM_UP : OTHER;
      counts[MISSING]++;
      counts[cause]++;
      place.bar = t;
      if (cause == OTHER && counts[OTHER] == 1) c->odd[place.feature] = place;
    }
    behind += bar;
  }
  c->empty[place.feature] += !any;
}

static hy_status count_block(void *ctx, const hy__check_block *b, hy_error *err) {
  coverage *c = ctx;
  const size_t n = c->t->f->n_features;
  bool all;
  HY_TRY(hy__universe_present(c->t->universe, b->block, 0, b->rows[0], c->mask, &all, err));
  for (size_t lane = 0; lane < b->n_lanes; lane++)
    for (size_t f = 0; f < n; f++) {
      hy__check_place place = {.feature = f, .symbol = b->block * HY_LANES + lane};
      count_column(c, b->out[0] + lane * b->rows[0] * n + f, place);
    }
  return HY_OK;
}

static hy_status conclude(coverage *c, hy_error *err) {
  const hy_universe_info *info = &c->t->info;
  const double cells = (double)info->n_bars * (double)info->n_symbols;
  const double most = c->t->options.max_missing;
  for (size_t i = 0; i < c->t->f->n_features; i++) {
    const size_t first = c->first[i];
    hy__check_place place = {.feature = i, .symbol = SIZE_MAX};
    for (int k = MISSING; k <= OTHER; k++)
      *hy__check_cell(c->t->report, i, (size_t)k) = (double)c->counts[i][k] / cells;
    *hy__check_cell(c->t->report, i, EMPTY) = (double)c->empty[i];
    *hy__check_cell(c->t->report, i, FIRST) =
        first == SIZE_MAX ? (double)NAN : (double)info->time_ns[first];
    const double other = (double)c->counts[i][OTHER] / cells;
    if (first == SIZE_MAX)
      HY_TRY(hy__check_find(c->t->report, info, place, err, "has no value at all"));
    else if (most > 0 && other > most)
      HY_TRY(hy__check_find(c->t->report, info, c->odd[i], err,
                            "missing with a bar and enough history; such cells are %.2f %%, %.2f "
                            "%% are allowed",
                            100 * other, 100 * most));
  }
  return HY_OK;
}

static hy_status run(coverage *c, hy__arena *arena, hy_error *err) {
  const size_t n = c->t->f->n_features;
  void *memory[6];
  const size_t items[6] = {c->t->info.n_bars, n, n, n, n, c->t->f->n_nodes};
  const size_t each[6] = {1,
                          sizeof *c->counts,
                          sizeof *c->empty,
                          sizeof *c->first,
                          sizeof *c->odd,
                          sizeof *c->lookbacks};
  for (size_t i = 0; i < HY_COUNT(memory); i++)
    HY_TRY(hy__arena_array(arena, items[i], each[i], &memory[i], err));
  c->mask = memory[0], c->counts = memory[1], c->empty = memory[2], c->first = memory[3];
  c->odd = memory[4], c->lookbacks = memory[5];
  hy__node_lookbacks(c->t->f, c->t->info.timeframe_ns, c->lookbacks);
  for (size_t i = 0; i < n; i++) c->first[i] = SIZE_MAX;
  hy__check_runs runs = {.f = c->t->f,
                         .universes = {c->t->universe},
                         .n = 1,
                         .block = count_block,
                         .ctx = c,
                         .progress = c->t->options.progress,
                         .progress_ctx = c->t->options.progress_ctx,
                         .n_steps = 1};
  HY_TRY(hy__check_runs_all(&runs, err));
  return conclude(c, err);
}

hy_status hy__check_coverage(hy__check_task *t, hy_error *err) {
  hy__arena *arena;
  coverage c = {.t = t};
  HY_TRY(hy__check_begin(t, "coverage", columns, HY_COUNT(columns), err));
  HY_TRY(hy__arena_create(t->f->allocator, 0, 0, &arena, err));
  hy_status status = run(&c, arena, err);
  hy__arena_destroy(arena);
  hy__check_column bars = {"bars", "bars", HY__CHECK_COUNT};
  hy__check_column symbols = {"symbols", "symbols", HY__CHECK_COUNT};
  hy__check_fact(t->report, bars, (double)t->info.n_bars);
  hy__check_fact(t->report, symbols, (double)t->info.n_symbols);
  return status;
}
