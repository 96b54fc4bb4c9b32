/* SPDX-License-Identifier: Apache-2.0
 * For the files that are compiled once per level (NAME_isa.c): HY_ISA_NAME(x) is x_scalar, x_avx2
 * or x_avx512. */
#ifndef HY_KERNEL_KERNEL_ISA_H
#define HY_KERNEL_KERNEL_ISA_H

#define HY_ISA_JOIN_(name, isa) name##_##isa
#define HY_ISA_JOIN(name, isa)  HY_ISA_JOIN_(name, isa)
#define HY_ISA_NAME(name)       HY_ISA_JOIN(name, HY_ISA)

#endif
