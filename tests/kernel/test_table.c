/* SPDX-License-Identifier: Apache-2.0
 * The kernel table: every row, of every machine, is named here beside the program that checks it,
 * so that a row or a family without a check fails; and what is chosen has been proven. */
#include "kernel/rows.h"

#include <stdio.h>

#include "base/base.h"

static const struct {
  const char *family, *isas, *program;
} checks[] = {
    {"gemm_f32", "avx512 avx2 neon scalar", "test_gemm"},
    {"gemm_f64", "avx512 avx2 scalar", "test_gemm"},
    {"attention_f32", "avx512 avx2 neon scalar", "test_attention"},
    {"conv_f32", "avx512 avx2 neon scalar", "test_conv"},
    {"recurrent", "avx512 avx2 neon scalar", "test_recurrent"},
    {"unary_f32", "avx512 avx2 neon scalar", "test_elementwise"},
    {"unary_f64", "avx512 avx2 scalar", "test_elementwise"},
    {"binary", "avx512 avx2 scalar", "test_binary"},
    {"tree", "vbmi avx512 avx2 neon scalar", "test_tree"},
    {"integer", "vnni avxvnni avx2 scalar", "test_integer"},
    {"rows_f32", "avx512 avx2 neon scalar", "test_elementwise"},
    {"vectors_f32", "avx512 avx2 scalar", "test_vectors"},
    {"peak", "avx512 avx2 neon scalar", "test_peak"},
};

/* The table as it is written, with the rows that this build leaves out. */
static const struct {
  const char *family, *isa;
  bool proven;
} table[] = {
#define HY_KERNEL(family, isa, mask, checked, tolerance, reason) {#family, #isa, checked},
#include "kernel/kernel.inc"
#undef HY_KERNEL
};

static bool has_word(const char *list, const char *word) {
  const size_t n = strlen(word);
  for (const char *at = strstr(list, word); at; at = strstr(at + 1, word))
    if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) return true;
  return false;
}

static size_t n_words(const char *list) {
  size_t n = 1;
  for (; *list; ++list) n += *list == ' ';
  return n;
}

static void every_row_has_a_check(void **state) {
  (void)state;
  size_t listed = 0;
  for (size_t c = 0; c < HY_COUNT(checks); ++c) listed += n_words(checks[c].isas);
  assert_int_equal(listed, HY_COUNT(table)); /* no check of a row that is gone */
  for (size_t i = 0; i < HY_COUNT(table); ++i) {
    size_t found = 0;
    for (size_t c = 0; c < HY_COUNT(checks); ++c)
      found += !strcmp(checks[c].family, table[i].family) && has_word(checks[c].isas, table[i].isa);
    if (found != 1) fail_msg("%s %s has no check in this list", table[i].family, table[i].isa);
  }
}

/* The program named goes through the rows of the family. */
static void every_check_is_there(void **state) {
  (void)state;
  static char text[64 * 1024];
  for (size_t c = 0; c < HY_COUNT(checks); ++c) {
    char path[128], call[64];
    snprintf(path, sizeof path, "tests/kernel/%s.c", checks[c].program);
    snprintf(call, sizeof call, "rows_here(\"%s\")", checks[c].family);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s is missing", path);
    const size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    if (!strstr(text, call)) fail_msg("%s does not call %s", path, call);
  }
}

/* NEON has run under an emulator alone, the others on hardware. */
static void rows_are_proven_where_they_run(void **state) {
  (void)state;
  for (size_t i = 0; i < HY_COUNT(table); ++i)
    assert_int_equal(table[i].proven, strcmp(table[i].isa, "neon") != 0);
  for (size_t i = 0; i < hy__kernel_row_count(); ++i)
    assert_true(hy__kernel_row_at(i)->reason[0] != '\0');
}

/* Each family has a baseline; unasked, only proven rows are chosen; named, the best that the
 * machine can run. */
static void choices(void **state) {
  (void)state;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  const uint32_t masks[] = {0, cpu.mask, cpu.mask | (uint32_t)HY_CPU_UNPROVEN};
  for (size_t m = 0; m < HY_COUNT(masks); ++m) {
    hy__kernels kernels;
    hy__kernels_for(masks[m], &kernels);
    const void *const *slots = (const void *const *)(const void *)&kernels;
    assert_int_equal(sizeof kernels / sizeof *slots, HY_COUNT(checks));
    for (size_t c = 0; c < HY_COUNT(checks); ++c) {
      const rows here = rows_here(checks[c].family);
      const hy__kernel_row *want = NULL;
      for (size_t i = here.n; i-- > 0;) {
        const hy__kernel_row *row = here.row[i];
        const bool allowed = (row->cpu_mask & masks[m]) == row->cpu_mask;
        if (allowed && (row->checked || masks[m] & HY_CPU_UNPROVEN)) want = row;
      }
      size_t found = 0;
      for (size_t k = 0; k < HY_COUNT(checks); ++k) found += want && slots[k] == want->ops;
      if (found != 1) fail_msg("%s is not chosen for mask %x", checks[c].family, masks[m]);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_has_a_check),
      cmocka_unit_test(every_check_is_there),
      cmocka_unit_test(rows_are_proven_where_they_run),
      cmocka_unit_test(choices),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
