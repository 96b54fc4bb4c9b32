/* SPDX-License-Identifier: Apache-2.0
 * Floats as integers of the same order: zeros are one, NaN has no place here. */
#ifndef HY_KERNEL_TREE_KEY_H
#define HY_KERNEL_TREE_KEY_H

#include <stdint.h>
#include <string.h>

static inline int32_t hy__tree_key_f32(float x) {
  int32_t bits;
  x += 0.0f; /* -0 becomes 0 */
  memcpy(&bits, &x, sizeof bits);
  return bits ^ ((bits >> 31) & INT32_MAX);
}

static inline int64_t hy__tree_key_f64(double x) {
  int64_t bits;
  x += 0.0;
  memcpy(&bits, &x, sizeof bits);
  return bits ^ ((bits >> 63) & INT64_MAX);
}

#endif
