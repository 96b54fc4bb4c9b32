/* SPDX-License-Identifier: Apache-2.0
 * Names of values to their ids: an open-addressing table of one scope while a model is read. */
#ifndef HY_MODEL_NAMES_H
#define HY_MODEL_NAMES_H

#include "base/base.h"

typedef struct hy__names_slot {
  uint64_t hash;
  const char *name; /* not owned, not terminated; NULL: free */
  size_t len_bytes;
  int32_t id;
} hy__names_slot;

typedef struct hy__names {
  const hy_allocator *allocator;
  hy__names_slot *slots;
  size_t n, capacity; /* capacity a power of two, or 0 */
} hy__names;

void hy__names_init(hy__names *names, const hy_allocator *a);
void hy__names_destroy(hy__names *names);
/* The slot of the name, NULL if it is not there. */
hy__names_slot *hy__names_find(const hy__names *names, const char *name, size_t len_bytes);
/* The name must not be there yet and must outlive the table. */
HY_CHECKED hy_status hy__names_add(hy__names *names, const char *name, size_t len_bytes, int32_t id,
                                   hy_error *err);

#endif
