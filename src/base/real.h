/* SPDX-License-Identifier: Apache-2.0
 * exp, ln, sin, cos and atan in + - * / only, branch-free, inline: the same bits on every machine,
 * and a loop over lanes vectorises. Errors in ULP against a correctly rounded reference are stated
 * at each function. */
#ifndef HY_BASE_REAL_H
#define HY_BASE_REAL_H

/* hy__exp, hy__ln, hy__sin, hy__cos, hy__atan: static inline double (double) */
#include "base/real_inline.h"

#endif
