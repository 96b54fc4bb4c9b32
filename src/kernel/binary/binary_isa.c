/* SPDX-License-Identifier: Apache-2.0
 * Element-wise functions of two operands for every arithmetic type, compiled once per level: plain
 * loops that the compiler vectorises. Without fused operations the bits are the same at every
 * level. */
#include "kernel/binary/binary.h"
#include "kernel/kernel_isa.h"

#define HY_T    float
#define HY_NAME f32
#define HY_REAL 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T    double
#define HY_NAME f64
#define HY_REAL 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T      int8_t
#define HY_U      uint32_t
#define HY_NAME   i8
#define HY_SIGNED 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T      int16_t
#define HY_U      uint32_t
#define HY_NAME   i16
#define HY_SIGNED 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T      int32_t
#define HY_U      uint32_t
#define HY_NAME   i32
#define HY_SIGNED 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T      int64_t
#define HY_U      uint64_t
#define HY_NAME   i64
#define HY_SIGNED 1
#include "kernel/binary/binary.tmpl.c"
#define HY_T    uint8_t
#define HY_U    uint32_t
#define HY_NAME u8
#include "kernel/binary/binary.tmpl.c"
#define HY_T    uint16_t
#define HY_U    uint32_t
#define HY_NAME u16
#include "kernel/binary/binary.tmpl.c"
#define HY_T    uint32_t
#define HY_U    uint32_t
#define HY_NAME u32
#include "kernel/binary/binary.tmpl.c"
#define HY_T    uint64_t
#define HY_U    uint64_t
#define HY_NAME u64
#include "kernel/binary/binary.tmpl.c"

#define TYPES(op)                                                                                  \
  {                                                                                                \
    [HY_F32] = op##_f32, [HY_F64] = op##_f64, [HY_I8] = op##_i8, [HY_I16] = op##_i16,              \
    [HY_I32] = op##_i32, [HY_I64] = op##_i64, [HY_U8] = op##_u8, [HY_U16] = op##_u16,              \
    [HY_U32] = op##_u32, [HY_U64] = op##_u64, [HY_BOOL] = NULL                                     \
  }

/* The same bits signed and unsigned. */
#define WRAPPING(op)                                                                               \
  {                                                                                                \
    [HY_F32] = op##_f32, [HY_F64] = op##_f64, [HY_I8] = op##_i8, [HY_I16] = op##_i16,              \
    [HY_I32] = op##_i32, [HY_I64] = op##_i64, [HY_U8] = op##_i8, [HY_U16] = op##_i16,              \
    [HY_U32] = op##_i32, [HY_U64] = op##_i64, [HY_BOOL] = NULL                                     \
  }

extern const hy__binary_ops HY_ISA_NAME(hy__binary);
const hy__binary_ops HY_ISA_NAME(hy__binary) = {
    .fn = {
        [HY__BINARY_ADD] = WRAPPING(add),
        [HY__BINARY_SUB] = WRAPPING(sub),
        [HY__BINARY_MUL] = WRAPPING(mul),
        [HY__BINARY_DIV] = TYPES(div),
        [HY__BINARY_MIN] = TYPES(min),
        [HY__BINARY_MAX] = TYPES(max),
        [HY__BINARY_PRELU] = TYPES(prelu),
        [HY__BINARY_EQUAL] = WRAPPING(equal),
        [HY__BINARY_LESS] = TYPES(less),
        [HY__BINARY_LESS_EQUAL] = TYPES(less_equal),
        [HY__BINARY_GREATER] = TYPES(greater),
        [HY__BINARY_GREATER_EQUAL] = TYPES(greater_equal),
    }};
