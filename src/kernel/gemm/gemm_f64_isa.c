/* SPDX-License-Identifier: Apache-2.0
 * The float64 matrix product, compiled once per level: a strip of columns of one row at a time in a
 * local accumulator that the compiler keeps in vectors. No operation is fused. */
#include "kernel/gemm/gemm.h"
#include "kernel/kernel_isa.h"
#include "kernel/simd/control.h"

enum { STRIP = 32 };

static void strip(const hy__gemm_f64_call *call, size_t row, size_t col, size_t n) {
  const double *a = call->a + row * call->lda, *b = call->b + col;
  double acc[STRIP] = {0};
  if (call->init)
    for (size_t j = 0; j < n; ++j) acc[j] = call->init[row * call->init_ld + col + j];
  for (size_t k = 0; k < call->k; ++k) {
    const double x = a[k], *from = b + k * call->ldb;
    if (n == STRIP)
      for (size_t j = 0; j < STRIP; ++j) acc[j] += x * from[j];
    else
      for (size_t j = 0; j < n; ++j) acc[j] += x * from[j];
  }
  for (size_t j = 0; j < n; ++j) call->c[row * call->ldc + col + j] = acc[j];
}

static void run(const hy__gemm_f64_call *call) {
  unsigned saved = control_flush();
  for (size_t row = 0; row < call->m; ++row)
    for (size_t col = 0; col < call->n; col += STRIP)
      strip(call, row, col, HY_MIN((size_t)STRIP, call->n - col));
  control_restore(saved);
}

extern const hy__gemm_f64 HY_ISA_NAME(hy__gemm_f64);
const hy__gemm_f64 HY_ISA_NAME(hy__gemm_f64) = {.run = run};
