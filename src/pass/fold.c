/* SPDX-License-Identifier: Apache-2.0 */
/* Folding: a node whose inputs are all known is run at planning. What depends on constants alone is
 * kept with the model, so that further shapes and sessions find it there. */
#include <pthread.h>

#include "pass/rewrite.h"

enum {
  ARENA_BLOCK = 1 << 12,
  GROWTH_FREE_BYTES = 1 << 20 /* a result beyond this must not be larger than what it is made of */
};

struct hy__fold_cache {
  const hy_allocator *allocator;
  pthread_mutex_t lock;
  hy__arena *arena;
  void **data; /* per value of the model's graph, then per value in its f32 form */
  size_t n_values;
};

hy_status hy__fold_cache_create(const hy_allocator *a, size_t n_values, size_t max_bytes,
                                hy__fold_cache **out, hy_error *err) {
  void *memory, *data;
  hy__arena *arena;
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, max_bytes, &arena, err));
  hy_status status = hy__arena_alloc(arena, sizeof(hy__fold_cache), HY_ALIGN, &memory, err);
  if (status == HY_OK)
    status = hy__arena_array(arena, 2 * n_values + 1, sizeof(void *), &data, err);
  if (status == HY_OK) {
    *out = memory;
    **out = (hy__fold_cache){.allocator = a, .arena = arena, .data = data, .n_values = n_values};
    if (pthread_mutex_init(&(*out)->lock, NULL) != 0)
      status = hy__error_set(err, HY_SYSTEM, "a mutex could not be made");
  }
  if (status != HY_OK) hy__arena_destroy(arena);
  return status;
}

void hy__fold_cache_destroy(hy__fold_cache *cache) {
  if (!cache) return;
  pthread_mutex_destroy(&cache->lock);
  hy__arena_destroy(cache->arena);
}

size_t hy__fold_cache_find(hy__fold_cache *cache, const void *data) {
  size_t found = SIZE_MAX;
  pthread_mutex_lock(&cache->lock);
  for (size_t v = 0; v < 2 * cache->n_values && found == SIZE_MAX; v++)
    if (cache->data[v] == data) found = v;
  pthread_mutex_unlock(&cache->lock);
  return found;
}

int32_t hy__fold_slot_wide(const hy__fold_cache *cache, int32_t value) {
  if (!cache || value < 0 || (size_t)value >= cache->n_values) return HY__ABSENT;
  return (int32_t)cache->n_values + value;
}

/* Runs the node of the view over memory from `arena`. */
static hy_status run_now(hy__work *w, hy__op_plan *view, const hy__op *op, hy__arena *arena,
                         hy_error *err) {
  size_t bytes = 0;
  for (size_t k = 0; k < view->n_out; k++) {
    if (!view->out_wanted[k]) continue;
    bytes += hy__work_bytes(&view->out[k]);
    if (view->out[k].dtype == HY_STRING) view->arena = arena; /* where the texts may lie */
    HY_TRY(hy__arena_alloc(arena, HY_MAX(hy__work_bytes(&view->out[k]), (size_t)1), HY_ALIGN,
                           &view->out[k].data, err));
  }
  if (!bytes) return HY_OK; /* no element to compute, however many rows of none there are */
  if (w->packs) w->packs->own = true; /* what is packed for this one run goes with the plan */
  view->pool = NULL;                  /* it runs here, in this thread */
  HY_TRY(op->lower(view, err));
  hy__step step = {.run = view->run,
                   .params = view->params,
                   .in = view->in,
                   .out = view->out,
                   .n_in = view->n_in,
                   .n_out = view->n_out,
                   .kernels = w->kernels};
  HY_TRY(hy__alloc(w->allocator, view->scratch_bytes, &step.scratch, err));
  hy_status status = step.run(&step, err);
  hy__free(w->allocator, step.scratch, view->scratch_bytes);
  return status;
}

static hy_status run_cached(hy__work *w, hy__op_plan *view, const hy__op *op, const int32_t *source,
                            hy_error *err) {
  hy__fold_cache *cache = w->folds;
  pthread_mutex_lock(&cache->lock);
  bool there = true;
  for (size_t k = 0; k < view->n_out; k++)
    if (view->out_wanted[k] && !cache->data[source[k]]) there = false;
  hy_status status = there ? HY_OK : run_now(w, view, op, cache->arena, err);
  for (size_t k = 0; k < view->n_out && status == HY_OK; k++) {
    if (!view->out_wanted[k]) continue;
    if (there)
      view->out[k].data = cache->data[source[k]];
    else
      cache->data[source[k]] = view->out[k].data;
  }
  pthread_mutex_unlock(&cache->lock);
  return status;
}

static bool worth_it(const hy__op_plan *view) {
  size_t in = 0, out = 0;
  for (size_t k = 0; k < view->n_in; k++)
    if (view->in_present[k]) in += hy__work_bytes(&view->in[k]);
  for (size_t k = 0; k < view->n_out; k++)
    if (view->out_wanted[k]) out += hy__work_bytes(&view->out[k]);
  return out <= GROWTH_FREE_BYTES || out <= in;
}

hy_status hy__work_fold(hy__work *w, hy__op_plan *view, const hy__op *op, const int32_t *source,
                        hy__work_known *known, hy_error *err) {
  bool all_known = true;
  *known = HY__WORK_PLAN;
  bool stable = w->folds && source;
  for (size_t k = 0; k < view->n_in; k++) {
    if (!view->in_present[k]) continue;
    all_known = all_known && view->in[k].data;
    stable = stable && w->values[view->node->inputs[k]].stable;
  }
  bool given = true;
  for (size_t k = 0; k < view->n_out; k++)
    if (view->out_wanted[k]) {
      int32_t alias = view->out_alias[k];
      if (!view->out[k].data && alias >= 0) view->out[k].data = view->in[alias].data;
      given = given && view->out[k].data;
    }
  /* Values that infer gave: views of stable inputs or attributes, else the plan's own memory. */
  bool view_only = view->n_in == 0 || view->out_alias[0] >= 0;
  if (given) {
    *known = view_only && stable ? HY__WORK_MODEL : HY__WORK_PLAN;
    return HY_OK;
  }
  *known = HY__WORK_UNKNOWN;
  if (!all_known || !op->pure || !worth_it(view)) return HY_OK;
  *known = stable ? HY__WORK_MODEL : HY__WORK_PLAN;
  return stable ? run_cached(w, view, op, source, err) : run_now(w, view, op, w->arena, err);
}
