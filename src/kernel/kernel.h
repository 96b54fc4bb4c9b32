/* SPDX-License-Identifier: Apache-2.0
 * The façade of the kernel room: numeric micro-kernels, chosen once per runtime from kernel.inc by
 * row order. */
#ifndef HY_KERNEL_KERNEL_H
#define HY_KERNEL_KERNEL_H

#include "base/base.h"

/* The table of chosen kernels: one function pointer per kernel family, filled from the CPU mask. */
typedef struct hy__kernels hy__kernels;

#endif
