/* SPDX-License-Identifier: Apache-2.0
 * exp, ln, sin and cos in + - * / only, branch-free, inline: the same bits on every machine, and a
 * loop over lanes vectorises. Errors in ULP against a correctly rounded reference are stated at
 * each function. */
#ifndef HY_BASE_REAL_H
#define HY_BASE_REAL_H

#include "base/real_inline.h" /* hy__exp, hy__ln, hy__sin, hy__cos: static inline double (double) */

#endif
