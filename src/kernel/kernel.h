/* SPDX-License-Identifier: Apache-2.0
 * The façade of the kernel room: numeric micro-kernels, chosen once per session or program from
 * kernel.inc by row order and CPU mask. Kernels allocate nothing, call no system and hold no
 * state; a call structure names what they work on. Matrix, recurrent and activation kernels flush
 * denormals while they run and restore the caller's control word. Results never depend on how rows
 * are batched: a row of a batch has the bits that it has alone. */
#ifndef HY_KERNEL_KERNEL_H
#define HY_KERNEL_KERNEL_H

#include "base/base.h"

#include "kernel/attention/attention.h"
#include "kernel/binary/binary.h"
#include "kernel/conv/conv.h"
#include "kernel/gemm/gemm.h"
#include "kernel/integer/integer.h"
#include "kernel/peak/peak.h"
#include "kernel/recurrent/recurrent.h"
#include "kernel/rows/rows.h"
#include "kernel/tree/tree.h"
#include "kernel/unary/unary.h"
#include "kernel/vectors/vectors.h"

/* The chosen kernels: one pointer per family. */
typedef struct hy__kernels {
  const hy__gemm_f32 *gemm_f32;
  const hy__gemm_f64 *gemm_f64;
  const hy__attention_f32 *attention_f32;
  const hy__conv_f32 *conv_f32;
  const hy__recurrent *recurrent;
  const hy__unary_f32 *unary_f32;
  const hy__unary_f64 *unary_f64;
  const hy__binary_ops *binary;
  const hy__rows_f32 *rows_f32;
  const hy__tree *tree;
  const hy__integer *integer;
  const hy__vectors_f32 *vectors_f32;
  const hy__peak *peak;
} hy__kernels;

/* Fills the table: for each family the first row that the mask allows and whose check has passed
 * on hardware. */
void hy__kernels_for(uint32_t cpu_mask, hy__kernels *out);

/* A row of kernel.inc, for tests, benches and `hayate kernels`. */
typedef struct hy__kernel_row {
  const char *family, *isa, *tile;
  uint32_t cpu_mask; /* what it needs; 0: the baseline */
  bool checked;      /* its check has passed on hardware that has it */
  double tolerance;  /* against the scalar double reference, in ULP; 0: exact */
  const char *reason;
  const void *ops; /* the family's structure */
} hy__kernel_row;

size_t hy__kernel_row_count(void);
const hy__kernel_row *hy__kernel_row_at(size_t index);

#endif
