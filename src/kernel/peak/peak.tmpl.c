/* SPDX-License-Identifier: Apache-2.0
 * The loops of peak.h over the vectors of a level. The chains begin at different numbers: of equal
 * ones the compiler would make one. */
#include "kernel/peak/peak.h"

enum { READS = 8 };

static double lanes_sum(vf v) {
  float lane[HY_VL];
  double sum = 0;
  v_store(lane, v);
  for (size_t i = 0; i < HY_VL; i++) sum += (double)lane[i];
  return sum;
}

static double multiply_add(size_t rounds, float a, float b, size_t *lanes) {
  vf c0 = v_set(0), c1 = v_set(1), c2 = v_set(2), c3 = v_set(3), c4 = v_set(4), c5 = v_set(5),
     c6 = v_set(6), c7 = v_set(7), c8 = v_set(8), c9 = v_set(9);
  const vf factor = v_set(a), term = v_set(b);
  for (size_t i = 0; i < rounds; i++) {
    c0 = v_fma(c0, factor, term), c1 = v_fma(c1, factor, term), c2 = v_fma(c2, factor, term);
    c3 = v_fma(c3, factor, term), c4 = v_fma(c4, factor, term), c5 = v_fma(c5, factor, term);
    c6 = v_fma(c6, factor, term), c7 = v_fma(c7, factor, term), c8 = v_fma(c8, factor, term);
    c9 = v_fma(c9, factor, term);
  }
  *lanes = HY_VL;
  return lanes_sum(c0) + lanes_sum(c1) + lanes_sum(c2) + lanes_sum(c3) + lanes_sum(c4) +
         lanes_sum(c5) + lanes_sum(c6) + lanes_sum(c7) + lanes_sum(c8) + lanes_sum(c9);
}

static double read_all(const float *x, size_t n, size_t rounds) {
  vf s[READS];
  for (size_t k = 0; k < READS; k++) s[k] = v_set(0);
  for (size_t r = 0; r < rounds; r++) {
    for (size_t i = 0; i + READS * HY_VL <= n; i += READS * HY_VL)
      for (size_t k = 0; k < READS; k++) s[k] = v_add(s[k], v_load(x + i + k * HY_VL));
    __asm__ volatile("" ::: "memory"); /* each round reads again */
  }
  double sum = 0;
  for (size_t k = 0; k < READS; k++) sum += lanes_sum(s[k]);
  return sum;
}

const hy__peak HY_KERNEL = {.multiply_add = multiply_add, .read = read_all};
