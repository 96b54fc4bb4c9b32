/* SPDX-License-Identifier: Apache-2.0
 * The rows of kernel.inc that this machine can run, for the check of their family. test_table.c
 * holds the list of the checks; rows of other machines run under an emulator (tools/aarch64). */
#ifndef TESTS_KERNEL_ROWS_H
#define TESTS_KERNEL_ROWS_H

#include "kernel/guard.h"

#include "kernel/kernel.h"

typedef struct rows {
  const hy__kernel_row *row[8]; /* best first, the baseline last */
  size_t n;
} rows;

/* Fails where there is none. */
static inline rows rows_here(const char *family) {
  rows here = {0};
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  for (size_t i = 0; i < hy__kernel_row_count(); ++i) {
    const hy__kernel_row *row = hy__kernel_row_at(i);
    if (strcmp(row->family, family) != 0 || (row->cpu_mask & cpu.mask) != row->cpu_mask) continue;
    assert_true(here.n < HY_COUNT(here.row));
    here.row[here.n++] = row;
  }
  assert_true(here.n > 0);
  return here;
}

#endif
