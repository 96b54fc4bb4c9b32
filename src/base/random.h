/* SPDX-License-Identifier: Apache-2.0
 * The one random generator: Philox4x32-10 (Salmon et al. 2011), counter-based, so that draw k of
 * stream s is the same whoever asks and in whatever order. */
#ifndef HY_BASE_RANDOM_H
#define HY_BASE_RANDOM_H

#include <stdint.h>

typedef struct hy__random {
  uint64_t seed, stream, counter;
  uint32_t block[4];
  uint32_t n_left;
} hy__random;

void hy__random_init(hy__random *r, uint64_t seed, uint64_t stream);
uint32_t hy__random_u32(hy__random *r);
uint64_t hy__random_u64(hy__random *r);
double hy__random_uniform(hy__random *r); /* [0, 1), 53 bits */
double hy__random_normal(
    hy__random *r); /* standard normal, by hy__ln, hy__cos: same bits everywhere */
uint64_t hy__random_below(hy__random *r, uint64_t n); /* unbiased */

#endif
