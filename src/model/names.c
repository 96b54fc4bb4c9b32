/* SPDX-License-Identifier: Apache-2.0 */
/* Names of values to their ids: see names.h. */
#include "model/names.h"

enum { FIRST_CAPACITY = 64 };

void hy__names_init(hy__names *names, const hy_allocator *a) {
  *names = (hy__names){.allocator = a};
}

void hy__names_destroy(hy__names *names) {
  hy__free(names->allocator, names->slots, names->capacity * sizeof *names->slots);
  names->slots = NULL;
  names->n = names->capacity = 0;
}

/* Linear probing: the slot that holds the name, else the free one where it belongs. */
static hy__names_slot *probe(const hy__names *names, uint64_t hash, const char *name,
                             size_t len_bytes) {
  size_t mask = names->capacity - 1;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    hy__names_slot *slot = &names->slots[i];
    if (!slot->name) return slot;
    if (slot->hash == hash && slot->len_bytes == len_bytes &&
        memcmp(slot->name, name, len_bytes) == 0)
      return slot;
  }
}

hy__names_slot *hy__names_find(const hy__names *names, const char *name, size_t len_bytes) {
  if (!names->capacity) return NULL;
  hy__names_slot *slot = probe(names, hy__hash64(name, len_bytes, 0), name, len_bytes);
  return slot->name ? slot : NULL;
}

static hy_status grow(hy__names *names, hy_error *err) {
  hy__names old = *names;
  size_t capacity = old.capacity ? 2 * old.capacity : FIRST_CAPACITY;
  void *slots;
  HY_TRY(hy__alloc_zero(old.allocator, capacity * sizeof(hy__names_slot), &slots, err));
  names->slots = slots;
  names->capacity = capacity;
  for (size_t i = 0; i < old.capacity; i++)
    if (old.slots[i].name)
      *probe(names, old.slots[i].hash, old.slots[i].name, old.slots[i].len_bytes) = old.slots[i];
  hy__names_destroy(&old);
  return HY_OK;
}

hy_status hy__names_add(hy__names *names, const char *name, size_t len_bytes, int32_t id,
                        hy_error *err) {
  if (2 * (names->n + 1) > names->capacity) HY_TRY(grow(names, err));
  uint64_t hash = hy__hash64(name, len_bytes, 0);
  hy__names_slot *slot = probe(names, hash, name, len_bytes);
  HY_ASSERT(!slot->name);
  *slot = (hy__names_slot){hash, name, len_bytes, id};
  names->n++;
  return HY_OK;
}
