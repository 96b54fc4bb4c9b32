/* SPDX-License-Identifier: Apache-2.0
 * The runtime: options, environment, instruction sets, logs, and every allocation refused in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"
#include "support/failing_allocator.h"

static void clear_environment(void) {
  unsetenv("HAYATE_ISA");
  unsetenv("HAYATE_THREADS");
  unsetenv("HAYATE_LOG");
}

static hy_status create(hy_runtime_options options, hy_runtime **out, hy_error *err) {
  options.struct_size = sizeof options;
  return hy_runtime_create(&options, out, err);
}

static void defaults(void **state) {
  (void)state;
  clear_environment();
  hy_runtime *runtime;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  assert_int_equal(hy_runtime_create(NULL, &runtime, NULL), HY_OK);
  assert_int_equal(hy_runtime_isa(runtime), hy_isa_detect());
  assert_int_equal(hy_runtime_n_threads(runtime), cpu.n_usable);
  assert_int_equal(hy__runtime_cpu(runtime)->mask, cpu.mask);
  assert_ptr_equal(hy__runtime_allocator(runtime)->alloc, hy__allocator_libc.alloc);
  hy_runtime_destroy(runtime);
  hy_runtime_destroy(NULL);
}

static uint32_t detected(hy_isa isa) {
  hy_runtime *runtime;
  assert_int_equal(create((hy_runtime_options){.isa = isa}, &runtime, NULL), HY_OK);
  const uint32_t mask = hy__runtime_cpu(runtime)->mask;
  hy_runtime_destroy(runtime);
  return mask;
}

static void an_isa_hides_what_is_above(void **state) {
  (void)state;
  clear_environment();
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  for (hy_isa isa = HY_ISA_SCALAR; isa <= HY_ISA_NEON; isa++) {
    hy_runtime *runtime;
    if (!hy__cpu_has(cpu.mask, isa)) continue;
    assert_int_equal(create((hy_runtime_options){.isa = isa}, &runtime, NULL), HY_OK);
    assert_int_equal(hy_runtime_isa(runtime), isa);
    assert_int_equal(hy__cpu_best(hy__runtime_cpu(runtime)->mask), isa);
    hy_runtime_destroy(runtime);
  }
  const uint32_t all = ~0u;
  /* What is unproven is taken where a level is asked for by name alone. */
  const uint32_t plain = detected(HY_ISA_DEFAULT), named = detected(hy_isa_detect());
  assert_false(plain & HY_CPU_UNPROVEN);
  assert_int_equal(named, plain | HY_CPU_UNPROVEN);
  assert_int_equal(hy__cpu_limit(all, HY_ISA_SCALAR), 0);
  assert_int_equal(hy__cpu_limit(all, HY_ISA_AVX2), HY_CPU_AVX2 | HY_CPU_AVX_VNNI);
  assert_false(hy__cpu_limit(all, HY_ISA_AVX512) & HY_CPU_AMX);
  assert_int_equal(hy__cpu_limit(all, HY_ISA_AMX), all);
}

static void the_environment_fills_silence(void **state) {
  (void)state;
  hy_runtime *runtime;
  hy_error err;
  clear_environment();
  setenv("HAYATE_ISA", "scalar", 1);
  setenv("HAYATE_THREADS", "3", 1);
  assert_int_equal(hy_runtime_create(NULL, &runtime, &err), HY_OK);
  assert_int_equal(hy_runtime_isa(runtime), HY_ISA_SCALAR);
  assert_int_equal(hy_runtime_n_threads(runtime), 3);
  hy_runtime_destroy(runtime);
  assert_int_equal(create((hy_runtime_options){.n_threads = 2}, &runtime, &err), HY_OK);
  assert_int_equal(hy_runtime_n_threads(runtime), 2); /* what the caller says holds */
  hy_runtime_destroy(runtime);
  setenv("HAYATE_ISA", "sse9", 1);
  assert_int_equal(hy_runtime_create(NULL, &runtime, &err), HY_INVALID_ARGUMENT);
  assert_non_null(strstr(err.message, "HAYATE_ISA"));
  assert_null(runtime);
  setenv("HAYATE_ISA", "", 1);
  setenv("HAYATE_THREADS", "many", 1);
  assert_int_equal(hy_runtime_create(NULL, &runtime, &err), HY_INVALID_ARGUMENT);
  setenv("HAYATE_THREADS", "1", 1);
  setenv("HAYATE_LOG", "loud", 1);
  assert_int_equal(hy_runtime_create(NULL, &runtime, &err), HY_INVALID_ARGUMENT);
  clear_environment();
}

static void bad_options_are_refused(void **state) {
  (void)state;
  clear_environment();
  hy_runtime *runtime;
  hy_error err;
  hy_allocator half = {.alloc = hy__allocator_libc.alloc};
  hy_runtime_options wrong = {.struct_size = 3};
  assert_int_equal(hy_runtime_create(&wrong, &runtime, &err), HY_INVALID_ARGUMENT);
  wrong.struct_size = sizeof wrong + 8;
  assert_int_equal(hy_runtime_create(&wrong, &runtime, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(hy_runtime_create(NULL, NULL, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(create((hy_runtime_options){.n_threads = 1025}, &runtime, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(create((hy_runtime_options){.isa = (hy_isa)9}, &runtime, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(create((hy_runtime_options){.log_level = (hy_log_level)9}, &runtime, &err),
                   HY_INVALID_ARGUMENT);
  assert_int_equal(create((hy_runtime_options){.allocator = &half}, &runtime, &err),
                   HY_INVALID_ARGUMENT);
  if (hy__cpu_has(detected(HY_ISA_DEFAULT), HY_ISA_AMX)) return;
  assert_int_equal(create((hy_runtime_options){.isa = HY_ISA_AMX}, &runtime, &err), HY_UNSUPPORTED);
  assert_non_null(strstr(err.message, "amx"));
  assert_non_null(strstr(err.message, hy_isa_name(hy_isa_detect())));
}

static void an_older_caller_is_served(void **state) {
  (void)state;
  clear_environment();
  hy_runtime *runtime;
  hy_runtime_options options = {.struct_size = offsetof(hy_runtime_options, isa),
                                .n_threads = 1,
                                .isa = (hy_isa)77}; /* behind the caller's struct */
  assert_int_equal(hy_runtime_create(&options, &runtime, NULL), HY_OK);
  assert_int_equal(hy_runtime_isa(runtime), hy_isa_detect());
  hy_runtime_destroy(runtime);
}

static void isa_names(void **state) {
  (void)state;
  hy_isa isa;
  hy_error err;
  for (hy_isa k = HY_ISA_SCALAR; k <= HY_ISA_NEON; k++) {
    assert_int_equal(hy_isa_parse(hy_isa_name(k), &isa, NULL), HY_OK);
    assert_int_equal(isa, k);
  }
  assert_int_equal(hy_isa_parse("default", &isa, &err), HY_INVALID_ARGUMENT);
  assert_string_equal(hy_isa_name(HY_ISA_DEFAULT), "default");
}

typedef struct heard {
  int n;
  hy_log_level level;
  char line[4096];
} heard;

static void hear(void *ctx, hy_log_level level, const char *line) {
  heard *h = ctx;
  h->n++;
  h->level = level;
  snprintf(h->line, sizeof h->line, "%s", line);
}

static void logs_are_lines(void **state) {
  (void)state;
  clear_environment();
  heard h = {.n = 0};
  hy_runtime *runtime;
  assert_int_equal(create((hy_runtime_options){.log = hear, .log_ctx = &h}, &runtime, NULL), HY_OK);
  hy__log_field fields[] = {HY_LOG_TEXT("file", "a b.csv"), HY_LOG_TEXT("symbol", "AAPL"),
                            HY_LOG_I64("rows", 5), HY_LOG_F64("share", 0.25)};
  hy__log(runtime, HY_LOG_WARN, "rows dropped", fields, 4);
  assert_string_equal(h.line, "warn: rows dropped file=\"a b.csv\" symbol=AAPL rows=5 share=0.25");
  assert_int_equal(h.level, HY_LOG_WARN);
  hy__log(runtime, HY_LOG_INFO, "not at this level", NULL, 0);
  assert_int_equal(h.n, 1);
  fields[0].as.text = "line\nbreak \x1b[31m";
  hy__log(runtime, HY_LOG_ERROR, "controls", fields, 1);
  assert_string_equal(h.line, "error: controls file=\"line\\u000abreak \\u001b[31m\"");
  static char text[5000];
  memset(text, 'x', sizeof text - 1);
  fields[0].as.text = text;
  hy__log(runtime, HY_LOG_ERROR, "long", fields, 1);
  assert_true(strlen(h.line) < 2048);
  hy_runtime_destroy(runtime);
  setenv("HAYATE_LOG", "off", 1);
  assert_int_equal(create((hy_runtime_options){.log = hear, .log_ctx = &h}, &runtime, NULL), HY_OK);
  hy__log(runtime, HY_LOG_ERROR, "silence", NULL, 0);
  assert_int_equal(h.n, 3);
  hy_runtime_destroy(runtime);
  clear_environment();
}

static void every_refused_allocation_is_told(void **state) {
  (void)state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  for (size_t k = 1;; k++) {
    hy_runtime *runtime;
    hy_error err;
    failing_allocator_arm(&fa, k);
    hy_status status = create((hy_runtime_options){.allocator = &fa.allocator}, &runtime, &err);
    hy_runtime_destroy(runtime);
    assert_int_equal(fa.n_live, 0);
    assert_int_equal(fa.live_bytes, 0);
    if (status == HY_OK) break;
    assert_int_equal(status, HY_OUT_OF_MEMORY);
  }
  failing_allocator_arm(&fa, 0);
  hy_runtime *runtime = failing_runtime(&fa, 2);
  assert_non_null(runtime);
  hy_runtime_destroy(runtime);
  assert_int_equal(fa.live_bytes, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults),
      cmocka_unit_test(an_isa_hides_what_is_above),
      cmocka_unit_test(the_environment_fills_silence),
      cmocka_unit_test(bad_options_are_refused),
      cmocka_unit_test(an_older_caller_is_served),
      cmocka_unit_test(isa_names),
      cmocka_unit_test(logs_are_lines),
      cmocka_unit_test(every_refused_allocation_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
