/* SPDX-License-Identifier: Apache-2.0
 * What the machine can do at most with an instruction set: loops that do nothing but fused
 * multiply-adds, and nothing but loads. Timed, they are the peaks that paper floors stand on. */
#ifndef HY_KERNEL_PEAK_PEAK_H
#define HY_KERNEL_PEAK_PEAK_H

#include "base/base.h"

enum { HY__PEAK_CHAINS = 10 };

typedef struct hy__peak {
  /* `rounds` times over HY__PEAK_CHAINS independent chains x = x * a + b of *lanes each; the sum of
   * all, so that nothing is left out. */
  double (*multiply_add)(size_t rounds, float a, float b, size_t *lanes);
  /* Reads n floats (a multiple of 128) in order, `rounds` times; the sum of all. */
  double (*read)(const float *x, size_t n, size_t rounds);
} hy__peak;

#endif
