/* SPDX-License-Identifier: Apache-2.0
 * exp, ln, sin, cos and what is made of them, in + - * / (and square roots) only, branch-free,
 * inline: the same bits on every machine, and a loop over lanes vectorises. Errors in ULP against a
 * correctly rounded reference are stated at each function. */
#ifndef HY_BASE_REAL_H
#define HY_BASE_REAL_H

/* hy__exp, hy__ln, hy__sin, hy__cos; hy__tan, hy__atan, hy__asin, hy__acos, hy__sinh, hy__cosh,
 * hy__tanh, hy__log10: static inline double (double) */
#include "base/real_inline.h"
#include "base/real_trig_inline.h"

#endif
