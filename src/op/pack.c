/* SPDX-License-Identifier: Apache-2.0 */
/* Packed weights: one store per model, keyed by where the source lies and by layout, so that
 * sessions share what is packed. Planning alone comes here; a lock keeps two planners apart. */
#include <pthread.h>

#include "op/op.h"

enum { BLOCK_LEAST = 1 << 12, BLOCK_MOST = 1 << 23, BUCKETS = 64 };

/* Raised whenever the bytes of a packed form change while its name stays. */
enum { REVISION = 1 };
/* The first letters of layouts that are panels of numbers. */
static const char plain[] = "gcri";

typedef struct pack {
  const void *source;
  uint32_t layout; /* a hash of the shape at times, which a crafted model can make meet another's */
  size_t bytes;    /* so that what is found is never shorter than what is asked for */
  const void *data;
  struct pack *next;
} pack;

struct hy__pack_store {
  const hy_allocator *allocator;
  pthread_mutex_t lock;
  hy__arena *arena;
  pack *buckets[BUCKETS];
  const hy__pack_given *given;
  size_t n_given, n_taken;
  hy__pack_key_fn key_of;
  void *key_ctx;
};

hy_status hy__pack_store_create(const hy_allocator *a, size_t expected_bytes, hy__pack_store **out,
                                hy_error *err) {
  const size_t block = HY_MIN(expected_bytes + expected_bytes / 8, (size_t)BLOCK_MOST);
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy__pack_store), &memory, err));
  hy__pack_store *store = memory;
  store->allocator = a;
  hy_status status = hy__arena_create(a, HY_MAX(block, (size_t)BLOCK_LEAST), 0, &store->arena, err);
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

static bool is_plain(uint32_t layout) { return strchr(plain, (int)(layout >> 24)) && layout >> 24; }

/* Who packs numbers writes them all, up to where the last line of the form ends. */
static hy_status fill_new(hy__arena *arena, const pack *what, hy__pack_fn fill, void *ctx,
                          void **out, hy_error *err) {
  const size_t bytes = HY_MAX(what->bytes, (size_t)1);
  HY_TRY(hy__arena_alloc_raw(arena, bytes, HY_ALIGN, out, err));
  const size_t written = is_plain(what->layout) ? (bytes - 1) / HY_ALIGN * HY_ALIGN : 0;
  memset((char *)*out + written, 0, bytes - written);
  return fill(ctx, *out, err);
}

/* --- packs from a container --- */

void hy__pack_store_give(hy__pack_store *store, const hy__pack_given *given, size_t n,
                         hy__pack_key_fn key_of, void *ctx) {
  store->given = given;
  store->n_given = n;
  store->key_of = key_of;
  store->key_ctx = ctx;
}

static int order(const hy__pack_given *a, const hy__pack_given *b) {
  if (a->key != b->key) return a->key < b->key ? -1 : 1;
  if (a->layout != b->layout) return a->layout < b->layout ? -1 : 1;
  return (a->bytes > b->bytes) - (a->bytes < b->bytes);
}

static const void *given_find(const hy__pack_store *store, const pack *what) {
  if (!store->n_given || !is_plain(what->layout)) return NULL;
  const hy__pack_given wanted = {.key = store->key_of(store->key_ctx, what->source),
                                 .layout = what->layout,
                                 .bytes = what->bytes};
  if (wanted.key == HY__PACK_NO_KEY) return NULL;
  size_t low = 0, high = store->n_given;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int by = order(&store->given[middle], &wanted);
    if (by == 0) return store->given[middle].data;
    if (by < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

size_t hy__pack_store_list(hy__pack_store *store, hy__pack_key_fn key_of, void *ctx,
                           hy__pack_given *out) {
  size_t n = 0;
  pthread_mutex_lock(&store->lock);
  for (size_t b = 0; b < BUCKETS; b++)
    for (const pack *p = store->buckets[b]; p; p = p->next) {
      uint64_t key = is_plain(p->layout) ? key_of(ctx, p->source) : HY__PACK_NO_KEY;
      if (key == HY__PACK_NO_KEY) continue;
      if (out)
        out[n] =
            (hy__pack_given){.key = key, .layout = p->layout, .bytes = p->bytes, .data = p->data};
      n++;
    }
  pthread_mutex_unlock(&store->lock);
  return n;
}

size_t hy__pack_store_n_taken(hy__pack_store *store) {
  pthread_mutex_lock(&store->lock);
  size_t n = store->n_taken;
  pthread_mutex_unlock(&store->lock);
  return n;
}

uint64_t hy__pack_revision(void) {
  uint64_t hash = REVISION;
  for (size_t i = 0; i < hy__kernel_row_count(); i++) {
    const hy__kernel_row *row = hy__kernel_row_at(i);
    hash = hy__hash64(row->family, strlen(row->family), hash);
    hash = hy__hash64(row->isa, strlen(row->isa), hash);
  }
  return hash;
}

static hy_status add(hy__pack_store *store, pack **at, const pack *what, hy__pack_fn fill,
                     void *ctx, hy_error *err) {
  void *memory, *data = NULL;
  HY_TRY(hy__arena_alloc(store->arena, sizeof(pack), _Alignof(pack), &memory, err));
  const void *given = given_find(store, what);
  if (!given) HY_TRY(fill_new(store->arena, what, fill, ctx, &data, err));
  *at = memory;
  **at = *what;
  (*at)->data = given ? given : data;
  store->n_taken += given != NULL;
  return HY_OK;
}

hy_status hy__pack_get(hy__packs *packs, const void *source, uint32_t layout, size_t bytes,
                       hy__pack_fn fill, void *ctx, const void **out, hy_error *err) {
  const pack what = {.source = source, .layout = layout, .bytes = bytes};
  packs->n_bytes += bytes;
  if (packs->own || !packs->store) {
    void *data;
    HY_TRY(fill_new(packs->arena, &what, fill, ctx, &data, err));
    *out = data;
    return HY_OK;
  }
  pthread_mutex_lock(&packs->store->lock);
  pack **at = find(packs->store, &what);
  hy_status status = *at ? HY_OK : add(packs->store, at, &what, fill, ctx, err);
  if (status == HY_OK) *out = (*at)->data;
  pthread_mutex_unlock(&packs->store->lock);
  return status;
}
