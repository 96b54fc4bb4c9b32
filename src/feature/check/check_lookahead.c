/* SPDX-License-Identifier: Apache-2.0
 * Does a value depend on bars that come after it? At random bars the universe is cut off, and then
 * spoiled from there on; every value up to that bar must keep its bits. The whole run has the
 * future before it: a program that looks there differs from one that cannot. */
#include <math.h>

#include "feature/check/check.h"

enum { POINTS_DEFAULT = 4, SEED_DEFAULT = 7, CUT_OFF = 0, SPOILT = 1 };

static const hy__check_column columns[] = {
    {"changed", "changed by what follows", HY__CHECK_COUNT},
    {"changed_spoilt", "by spoilt bars", HY__CHECK_COUNT},
};

typedef struct look {
  hy__check_task *t;
  hy__check_market market, spoilt;
  size_t cut;      /* the last row that all three have */
  double compared; /* values */
  uint8_t *found;  /* [feature] of this cut: a finding stands for the rest */
} look;

/* Anything that a file can hold, and bars that come and go. */
static double spoilt_value(hy__random *r, double value) {
  switch (hy__random_below(r, 6)) {
  case 0: return (double)NAN;
  case 1: return 1e300;
  case 2: return 0;
  case 3: return -value;
  case 4: return 1e-300;
  default: return value * (1 + hy__random_uniform(r));
  }
}

static void spoil(look *l, hy__random *r) {
  const size_t symbols = l->market.info.n_symbols, begin = (l->cut + 1) * symbols;
  const size_t cells = l->market.info.n_bars * symbols;
  for (size_t k = 0; k < l->market.n_fields; k++) {
    memcpy(l->spoilt.data[k], l->market.data[k], cells * sizeof(double));
    for (size_t i = begin; i < cells; i++)
      l->spoilt.data[k][i] = spoilt_value(r, l->spoilt.data[k][i]);
  }
  memcpy(l->spoilt.valid, l->market.valid, cells);
  for (size_t i = begin; i < cells; i++) l->spoilt.valid[i] = hy__random_below(r, 4) > 0;
}

static hy_status report(look *l, hy__check_place place, int how, const double *values,
                        hy_error *err) {
  char cut[40];
  *hy__check_cell(l->t->report, place.feature, (size_t)how) += 1;
  if (l->found[place.feature]++) return HY_OK;
  hy__time_format(l->t->info.time_ns[l->cut], cut);
  return hy__check_find(l->t->report, &l->t->info, place, err,
                        "%.17g with the bars after %s, %.17g %s", values[0], cut, values[1],
                        how == CUT_OFF ? "without them" : "with others in their place");
}

static hy_status compare(void *ctx, const hy__check_block *b, hy_error *err) {
  look *l = ctx;
  const size_t n = l->t->f->n_features;
  for (size_t lane = 0; lane < b->n_lanes; lane++)
    for (size_t row = 0; row <= l->cut; row++)
      for (int how = CUT_OFF; how <= SPOILT; how++) {
        const double *whole = b->out[0] + (lane * b->rows[0] + row) * n;
        const double *other = b->out[1 + how] + (lane * b->rows[1 + how] + row) * n;
        if (!memcmp(whole, other, n * sizeof(double))) continue;
        for (size_t f = 0; f < n; f++) {
          const double values[2] = {whole[f], other[f]};
          hy__check_place place = {f, b->block * HY_LANES + lane, row};
          if (memcmp(&values[0], &values[1], sizeof(double)))
            HY_TRY(report(l, place, how, values, err));
        }
      }
  l->compared += (double)(b->n_lanes * (l->cut + 1) * n * 2);
  return HY_OK;
}

static hy_status try_cut(look *l, size_t step, hy_error *err) {
  const size_t bars = l->t->info.n_bars;
  hy_universe *cut = NULL, *spoilt = NULL;
  memset(l->found, 0, l->t->f->n_features);
  hy_status status = hy__check_market_part(&l->market, 0, l->cut + 1, &cut, err);
  if (status == HY_OK) status = hy__check_market_part(&l->spoilt, 0, bars, &spoilt, err);
  if (status == HY_OK) {
    hy__check_runs runs = {.f = l->t->f,
                           .universes = {l->t->universe, cut, spoilt},
                           .n = 3,
                           .block = compare,
                           .ctx = l,
                           .progress = l->t->options.progress,
                           .progress_ctx = l->t->options.progress_ctx,
                           .step = step,
                           .n_steps = l->t->options.n_points};
    status = hy__check_runs_all(&runs, err);
  }
  hy_universe_destroy(cut);
  hy_universe_destroy(spoilt);
  return status;
}

static hy_status prepare(look *l, hy__arena *arena, hy_error *err) {
  const hy__check_market *m = &l->market;
  void *memory;
  HY_TRY(hy__check_market_read(l->t->f, l->t->universe, arena, &l->market, err));
  const size_t cells = m->info.n_bars * m->info.n_symbols;
  l->spoilt = *m;
  HY_TRY(hy__arena_array(arena, m->n_fields, sizeof(double *), &memory, err));
  l->spoilt.data = memory;
  for (size_t k = 0; k < m->n_fields; k++) {
    HY_TRY(hy__arena_array(arena, cells, sizeof(double), &memory, err));
    l->spoilt.data[k] = memory;
  }
  HY_TRY(hy__arena_array(arena, cells, 1, &memory, err));
  l->spoilt.valid = memory;
  HY_TRY(hy__arena_array(arena, l->t->f->n_features, 1, &memory, err));
  l->found = memory;
  return HY_OK;
}

static hy_status try_all(look *l, hy__arena *arena, hy_error *err) {
  const hy_features_check_options *o = &l->t->options;
  hy__random random;
  hy__random_init(&random, o->seed, 0);
  HY_TRY(prepare(l, arena, err));
  for (size_t step = 0; step < o->n_points; step++) {
    l->cut = (size_t)hy__random_below(&random, l->t->info.n_bars - 1);
    spoil(l, &random);
    HY_TRY(try_cut(l, step, err));
  }
  return HY_OK;
}

hy_status hy__check_lookahead(hy__check_task *t, hy_error *err) {
  hy__arena *arena;
  look l = {.t = t};
  if (!t->options.n_points) t->options.n_points = POINTS_DEFAULT;
  if (!t->options.seed) t->options.seed = SEED_DEFAULT;
  HY_FAIL_IF(t->info.n_bars < 2, HY_INVALID_ARGUMENT, err,
             "a universe of one bar has no future to cut off");
  HY_TRY(hy__check_begin(t, "lookahead", columns, HY_COUNT(columns), err));
  HY_TRY(hy__arena_create(t->f->allocator, 0, 0, &arena, err));
  hy_status status = try_all(&l, arena, err);
  hy__arena_destroy(arena);
  hy__check_column points = {"points", "cuts", HY__CHECK_COUNT};
  hy__check_column compared = {"compared", "values compared", HY__CHECK_COUNT};
  hy__check_column seed = {"seed", "seed", HY__CHECK_COUNT};
  hy__check_fact(t->report, points, (double)t->options.n_points);
  hy__check_fact(t->report, compared, l.compared);
  hy__check_fact(t->report, seed, (double)t->options.seed);
  return status;
}
