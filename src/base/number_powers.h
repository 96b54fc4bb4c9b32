/* SPDX-License-Identifier: Apache-2.0
 * Powers of ten to 128 bits, for the reader and the writer of decimal numbers; private to this
 * room. */
#ifndef HY_BASE_NUMBER_POWERS_H
#define HY_BASE_NUMBER_POWERS_H

#include <stdint.h>

enum { HY__POWER_MIN = -342, HY__POWER_MAX = 324 };

typedef struct hy__power {
  uint64_t high, low;
} hy__power;

extern const hy__power hy__number_powers[HY__POWER_MAX - HY__POWER_MIN + 1];

#endif
