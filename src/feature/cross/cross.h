/* SPDX-License-Identifier: Apache-2.0
 * What the cross-sections' files share: their prototypes, sums in symbol order, and the sort. */
#ifndef HY_FEATURE_CROSS_H
#define HY_FEATURE_CROSS_H

#include "feature/table.h"

/* clang-format off */
#define HY_CROSS(id, version, symbol, is_default, inputs, params, doc) \
  void hy__cross_##symbol(const hy__cross_step *s);
#include "feature/cross.inc"
#undef HY_CROSS
/* clang-format on */

/* A number that orders as the value does; of zeros there is one. */
static inline uint64_t hy__cross_key(double value) {
  uint64_t bits;
  value += 0.0;
  memcpy(&bits, &value, sizeof bits);
  return bits ^ (-(bits >> 63) | UINT64_C(1) << 63);
}
/* Ascending by key, equal keys in the order in which they stand. `room` holds n. */
void hy__cross_sort(hy__ranked *items, hy__ranked *room, size_t n);

#endif
