/* SPDX-License-Identifier: Apache-2.0
 * One runtime of one thread for all tests of a program. */
#ifndef TESTS_SUPPORT_RUNTIME_H
#define TESTS_SUPPORT_RUNTIME_H

#include <hayate/runtime.h>

static hy_runtime *runtime;

static inline int set_up(void **state) {
  (void)state;
  const hy_runtime_options options = {.struct_size = sizeof options, .n_threads = 1};
  return hy_runtime_create(&options, &runtime, NULL) != HY_OK;
}

static inline int tear_down(void **state) {
  (void)state;
  hy_runtime_destroy(runtime);
  return 0;
}

#endif
