/* SPDX-License-Identifier: Apache-2.0
 * The leaves' values into the rows' sums in plain C, for the tree kernels that have no lookup in
 * registers. With f32 each sum is rounded to float. */
#ifndef HY_KERNEL_TREE_LEAVES_H
#define HY_KERNEL_TREE_LEAVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline void add_leaves_f32(const float *values, size_t n_leaves, const uint8_t *leaves,
                                  double *sums, size_t n, bool f32) {
  (void)n_leaves;
  for (size_t r = 0; r < n; ++r) sums[r] += (double)values[leaves[r]];
  for (size_t r = 0; f32 && r < n; ++r) sums[r] = (double)(float)sums[r];
}

static inline void add_leaves_f64(const double *values, size_t n_leaves, const uint8_t *leaves,
                                  double *sums, size_t n, bool f32) {
  (void)n_leaves;
  for (size_t r = 0; r < n; ++r) sums[r] += values[leaves[r]];
  for (size_t r = 0; f32 && r < n; ++r) sums[r] = (double)(float)sums[r];
}

#endif
