/* SPDX-License-Identifier: Apache-2.0 */
/* Long steps side by side: recurrent layers of a row or two cannot divide among workers, but those
 * of several branches (a window for each timeframe) need not wait for each other. Steps are put in
 * order of how many long ones lie before them; the long ones of one such level are a group, shared
 * out among the workers when the plan is made. All memory of a group is its own while it runs. */
#include <stdlib.h>

#include "engine/limits.h"

enum { MACS_MIN = 1 << 20 }; /* some ten microseconds: far more than a wake */

typedef struct order {
  hy__draft *drafts;
  size_t n;
  int32_t *level; /* per draft: the long steps on the longest way to it */
  double *macs;   /* per draft, 0: not long, or it divides itself */
} order;

static double macs_of(const hy__draft *d) {
  hy__cost c;
  if (!d->alone || d->skip) return 0;
  hy__cost_of(&d->step, &d->info, &c);
  const double all = c.macs + c.repeats * c.repeat_macs;
  return all < MACS_MIN ? 0 : all;
}

static hy_status order_make(order *o, const hy__work *w, hy_error *err) {
  void *levels, *macs, *values;
  HY_TRY(hy__arena_array(w->arena, o->n + 1, sizeof(int32_t), &levels, err));
  HY_TRY(hy__arena_array(w->arena, o->n + 1, sizeof(double), &macs, err));
  HY_TRY(hy__arena_array(w->arena, w->n_values + 1, sizeof(int32_t), &values, err));
  int32_t *of_value = values;
  o->level = levels;
  o->macs = macs;
  for (size_t i = 0; i < o->n; i++) {
    const hy__draft *d = &o->drafts[i];
    o->macs[i] = macs_of(d);
    for (size_t k = 0; k < d->step.n_in; k++)
      if (d->in[k] >= 0) o->level[i] = HY_MAX(o->level[i], of_value[d->in[k]]);
    for (size_t k = 0; k < d->step.n_out; k++)
      if (d->out[k] >= 0) of_value[d->out[k]] = o->level[i] + (o->macs[i] > 0);
  }
  return HY_OK;
}

typedef struct place {
  int32_t level;
  double macs;
  size_t draft;
} place;

/* By level, the long ones last and the heaviest of them first; else as they were. */
static int by_level(const void *a, const void *b) {
  const place *x = a, *y = b;
  if (x->level != y->level) return x->level < y->level ? -1 : 1;
  if ((x->macs > 0) != (y->macs > 0)) return x->macs > 0 ? 1 : -1;
  if (x->macs != y->macs) return x->macs > y->macs ? -1 : 1;
  return x->draft < y->draft ? -1 : x->draft > y->draft;
}

static hy_status sort(order *o, hy__arena *arena, hy_error *err) {
  void *memory, *drafts;
  HY_TRY(hy__arena_array(arena, o->n + 1, sizeof(place), &memory, err));
  HY_TRY(hy__arena_array(arena, o->n + 1, sizeof(hy__draft), &drafts, err));
  place *places = memory;
  hy__draft *sorted = drafts;
  for (size_t i = 0; i < o->n; i++) places[i] = (place){o->level[i], o->macs[i], i};
  qsort(places, o->n, sizeof *places, by_level);
  for (size_t i = 0; i < o->n; i++) {
    sorted[i] = o->drafts[places[i].draft];
    o->level[i] = places[i].level;
    o->macs[i] = places[i].macs;
  }
  memcpy(o->drafts, sorted, o->n * sizeof *sorted);
  return HY_OK;
}

/* Each to the worker that has least so far, the heaviest first. */
static void share(const order *o, hy__draft *drafts, size_t first, size_t end, uint32_t n_workers) {
  double load[HY__BESIDE_MAX] = {0};
  for (size_t i = first; i < end; i++) {
    uint32_t lightest = 0;
    for (uint32_t worker = 1; worker < n_workers; worker++)
      if (load[worker] < load[lightest]) lightest = worker;
    load[lightest] += o->macs[i];
    drafts[i].beside = lightest + 1;
    drafts[i].group_first = (int32_t)first;
    drafts[i].group_last = (int32_t)end - 1;
  }
}

/* Levels are at most as many as drafts. */
static hy_status two_at_a_level(const order *o, hy__arena *arena, bool *out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(arena, o->n + 1, sizeof(uint8_t), &memory, err));
  uint8_t *met = memory;
  *out = false;
  for (size_t i = 0; i < o->n; i++) {
    if (!(o->macs[i] > 0)) continue;
    *out = *out || met[o->level[i]];
    met[o->level[i]] = 1;
  }
  return HY_OK;
}

hy_status hy__plan_beside(const hy__work *w, hy__draft *drafts, size_t n, hy_error *err) {
  const uint32_t n_workers =
      w->pool ? HY_MIN(hy__pool_n_workers(w->pool), (uint32_t)HY__BESIDE_MAX) : 1;
  order o = {.drafts = drafts, .n = n};
  if (n_workers < 2) return HY_OK;
  HY_TRY(order_make(&o, w, err));
  bool branches;
  HY_TRY(two_at_a_level(&o, w->arena, &branches, err));
  if (!branches) return HY_OK;
  HY_TRY(sort(&o, w->arena, err));
  for (size_t i = 0, end; i < n; i = end) {
    end = i + 1;
    if (!(o.macs[i] > 0)) continue;
    while (end < n && o.macs[end] > 0 && o.level[end] == o.level[i]) end++;
    if (end - i > 1) share(&o, drafts, i, end, n_workers);
  }
  return HY_OK;
}

typedef struct group {
  const hy__plan *plan;
  size_t first, end;
} group;

/* Items are the shares. */
static hy_status run_shares(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const group *g = ctx;
  (void)worker;
  for (size_t i = g->first; i < g->end; i++) {
    hy__step *step = &g->plan->steps[i];
    const size_t share = g->plan->infos[i].beside - 1;
    if (share < begin || share >= end) continue;
    HY_TRY(step->run(step, err));
    step->turned = !step->turned;
  }
  return HY_OK;
}

hy_status hy__beside_run(const hy__plan *plan, size_t first, size_t end, hy_error *err) {
  group g = {plan, first, end};
  uint32_t n_shares = 0;
  for (size_t i = first; i < end; i++) n_shares = HY_MAX(n_shares, plan->infos[i].beside);
  return hy__pool_for(plan->steps[first].pool, n_shares, 1, run_shares, &g, err);
}
