/* SPDX-License-Identifier: Apache-2.0
 * Values while a graph is evaluated node by node: tensors, sequences and empty optionals, counted
 * by reference, so that a sequence shares its elements with whoever else holds them. */
#ifndef HY_OP_ITEM_H
#define HY_OP_ITEM_H

#include <hayate/value.h>

#include "base/base.h"

/* Where items come from; what is alive is bounded. */
typedef struct hy__items {
  const hy_allocator *allocator;
  size_t max_bytes, bytes, peak_bytes;
} hy__items;

typedef struct hy__item {
  size_t n_refs;
  size_t n_bytes; /* had from the allocator for this */
  hy_value_kind kind;
  bool borrowed; /* the elements are someone else's, there for the run at hand */
  bool stable;   /* or for as long as the model */
  hy_tensor t;   /* dense, data never NULL; of a sequence the elements' dtype */
  struct hy__item **list;
  size_t n_list, list_capacity;
} hy__item;

/* A tensor of this type, its elements undefined. */
HY_CHECKED hy_status hy__item_tensor(hy__items *items, const hy_tensor *type, hy__item **out,
                                     hy_error *err);
/* Over elements that outlive the item. */
HY_CHECKED hy_status hy__item_view(hy__items *items, const hy_tensor *t, hy__item **out,
                                   hy_error *err);
HY_CHECKED hy_status hy__item_none(hy__items *items, hy__item **out, hy_error *err);
/* An empty sequence. */
HY_CHECKED hy_status hy__item_sequence(hy__items *items, hy_dtype dtype, hy__item **out,
                                       hy_error *err);
/* Puts `element`, whose reference it takes even on failure, before position `at`. */
HY_CHECKED hy_status hy__item_insert(hy__items *items, hy__item *sequence, size_t at,
                                     hy__item *element, hy_error *err);
/* A copy of the tensor with elements of its own, texts included. */
HY_CHECKED hy_status hy__item_clone(hy__items *items, const hy_tensor *t, hy__item **out,
                                    hy_error *err);

static inline hy__item *hy__item_keep(hy__item *item) {
  item->n_refs++;
  return item;
}
void hy__item_drop(hy__items *items, hy__item *item);                /* NULL is fine */
void hy__item_drop_all(hy__items *items, hy__item **list, size_t n); /* and sets them to NULL */

#endif
