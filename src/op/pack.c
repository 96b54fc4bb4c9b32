/* SPDX-License-Identifier: Apache-2.0 */
/* Packed weights: one store per model, keyed by where the source lies and by layout, so that
 * sessions share what is packed. Planning alone comes here; a lock keeps two planners apart. */
#include <pthread.h>

#include "op/op.h"

enum { ARENA_BLOCK = 1 << 12, BUCKETS = 64 };

typedef struct pack {
  const void *source;
  uint32_t layout; /* a hash of the shape at times, which a crafted model can make meet another's */
  size_t bytes;    /* so that what is found is never shorter than what is asked for */
  void *data;
  struct pack *next;
} pack;

struct hy__pack_store {
  const hy_allocator *allocator;
  pthread_mutex_t lock;
  hy__arena *arena;
  pack *buckets[BUCKETS];
};

hy_status hy__pack_store_create(const hy_allocator *a, hy__pack_store **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy__pack_store), &memory, err));
  hy__pack_store *store = memory;
  store->allocator = a;
  hy_status status = hy__arena_create(a, ARENA_BLOCK, 0, &store->arena, err);
  if (status == HY_OK && pthread_mutex_init(&store->lock, NULL) != 0) {
    hy__arena_destroy(store->arena);
    status = hy__error_set(err, HY_SYSTEM, "a mutex could not be made");
  }
  if (status != HY_OK) {
    hy__free(a, store, sizeof *store);
    return status;
  }
  *out = store;
  return HY_OK;
}

void hy__pack_store_destroy(hy__pack_store *store) {
  if (!store) return;
  pthread_mutex_destroy(&store->lock);
  hy__arena_destroy(store->arena);
  hy__free(store->allocator, store, sizeof *store);
}

static pack **find(hy__pack_store *store, const pack *what) {
  size_t bucket = (((uintptr_t)what->source >> 4) ^ what->layout) % BUCKETS;
  pack **at = &store->buckets[bucket];
  while (*at && ((*at)->source != what->source || (*at)->layout != what->layout ||
                 (*at)->bytes != what->bytes))
    at = &(*at)->next;
  return at;
}

static hy_status fill_new(hy__arena *arena, size_t bytes, hy__pack_fn fill, void *ctx, void **out,
                          hy_error *err) {
  HY_TRY(hy__arena_alloc(arena, HY_MAX(bytes, (size_t)1), HY_ALIGN, out, err));
  return fill(ctx, *out, err);
}

static hy_status add(hy__pack_store *store, pack **at, const pack *what, size_t bytes,
                     hy__pack_fn fill, void *ctx, hy_error *err) {
  void *memory, *data;
  HY_TRY(hy__arena_alloc(store->arena, sizeof(pack), _Alignof(pack), &memory, err));
  HY_TRY(fill_new(store->arena, bytes, fill, ctx, &data, err));
  *at = memory;
  **at = *what;
  (*at)->data = data;
  return HY_OK;
}

hy_status hy__pack_get(hy__packs *packs, const void *source, uint32_t layout, size_t bytes,
                       hy__pack_fn fill, void *ctx, const void **out, hy_error *err) {
  packs->n_bytes += bytes;
  if (packs->own || !packs->store) {
    void *data;
    HY_TRY(fill_new(packs->arena, bytes, fill, ctx, &data, err));
    *out = data;
    return HY_OK;
  }
  const pack what = {.source = source, .layout = layout, .bytes = bytes};
  pthread_mutex_lock(&packs->store->lock);
  pack **at = find(packs->store, &what);
  hy_status status = *at ? HY_OK : add(packs->store, at, &what, bytes, fill, ctx, err);
  if (status == HY_OK) *out = (*at)->data;
  pthread_mutex_unlock(&packs->store->lock);
  return status;
}
