/* SPDX-License-Identifier: Apache-2.0
 * The kernel table and the choice from it: the first row of a family that the processor allows. */
#include "kernel/kernel.h"

#include <string.h>

/* A row's level, where this build has it. */
#define ROW_scalar(...) __VA_ARGS__
#if defined(__aarch64__)
#define ROW_neon(...) __VA_ARGS__
#define ROW_avx2(...)
#define ROW_avx512(...)
#define ROW_vbmi(...)
#define ROW_avxvnni(...)
#define ROW_vnni(...)
#else
#define ROW_neon(...)
#define ROW_avx2(...)    __VA_ARGS__
#define ROW_avx512(...)  __VA_ARGS__
#define ROW_vbmi(...)    __VA_ARGS__
#define ROW_avxvnni(...) __VA_ARGS__
#define ROW_vnni(...)    __VA_ARGS__
#endif

/* The exported structure of each row. */
#define HY_KERNEL(family, isa, mask, checked, tolerance, reason)                                   \
  ROW_##isa(extern const TYPE_##family hy__##family##_##isa;)
#define TYPE_gemm_f32      hy__gemm_f32
#define TYPE_gemm_f64      hy__gemm_f64
#define TYPE_attention_f32 hy__attention_f32
#define TYPE_conv_f32      hy__conv_f32
#define TYPE_unary_f32     hy__unary_f32
#define TYPE_unary_f64     hy__unary_f64
#define TYPE_binary        hy__binary_ops
#define TYPE_recurrent     hy__recurrent
#define TYPE_rows_f32      hy__rows_f32
#define TYPE_tree          hy__tree
#define TYPE_integer       hy__integer
#define TYPE_vectors_f32   hy__vectors_f32
#define TYPE_peak          hy__peak
#include "kernel/kernel.inc"
#undef HY_KERNEL

typedef struct row {
  hy__kernel_row row;
  size_t slot; /* offset in hy__kernels */
} row;

static const row rows[] = {
#define HY_KERNEL(fam, isa_name, mask, pass, ulp, why)                                             \
  ROW_##isa_name({{.family = #fam,                                                                 \
                   .isa = #isa_name,                                                               \
                   .cpu_mask = mask,                                                               \
                   .checked = pass,                                                                \
                   .tolerance = ulp,                                                               \
                   .reason = why,                                                                  \
                   .ops = &hy__##fam##_##isa_name},                                                \
                  offsetof(hy__kernels, fam)}, )
#include "kernel/kernel.inc"
#undef HY_KERNEL
};

static const char *const unary_names[] = {
#define HY_UNARY(id, flush) #id,
#include "kernel/unary/unary.inc"
#undef HY_UNARY
};

const char *hy__unary_name(hy__unary op) { return unary_names[op]; }

size_t hy__kernel_row_count(void) { return HY_COUNT(rows); }

const hy__kernel_row *hy__kernel_row_at(size_t index) { return &rows[index].row; }

void hy__kernels_for(uint32_t cpu_mask, hy__kernels *out) {
  memset(out, 0, sizeof *out);
  for (size_t i = 0; i < HY_COUNT(rows); ++i) {
    const hy__kernel_row *r = &rows[i].row;
    const void **slot = (const void **)(void *)((char *)out + rows[i].slot);
    if (*slot || (r->cpu_mask & cpu_mask) != r->cpu_mask) continue;
    if (!r->checked && !(cpu_mask & HY_CPU_UNPROVEN)) continue;
    *slot = r->ops;
  }
}
