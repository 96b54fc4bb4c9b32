/* SPDX-License-Identifier: Apache-2.0
 * The part of the detection that each processor family has of its own: cpu_x86.c or cpu_arm.c, the
 * one that the build is for. Fills mask, caches and names of a zeroed structure. */
#ifndef HY_BASE_CPU_FAMILY_H
#define HY_BASE_CPU_FAMILY_H

#include "base/cpu.h"

void hy__cpu_family_detect(hy__cpu *out);

#endif
