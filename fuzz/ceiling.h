/* SPDX-License-Identifier: Apache-2.0
 * A runtime whose memory has a ceiling, so that a small file that asks for much is refused; what is
 * not given back is a leak. */
#ifndef FUZZ_CEILING_H
#define FUZZ_CEILING_H

#include <stddef.h>
#include <stdlib.h>

#include <hayate/runtime.h>

static size_t fuzz_had, fuzz_most;
static inline void *fuzz_take(void *ctx, size_t bytes, size_t align) {
  void *p = NULL;
  (void)ctx;
  if (bytes > fuzz_most - fuzz_had || posix_memalign(&p, align < 16 ? 16 : align, bytes))
    return NULL;
  fuzz_had += bytes;
  return p;
}
static inline void fuzz_give(void *ctx, void *p, size_t bytes) {
  (void)ctx;
  fuzz_had -= bytes;
  free(p);
}

static inline hy_runtime *fuzz_runtime(size_t most, hy_isa isa) {
  hy_runtime *runtime;
  fuzz_had = 0;
  fuzz_most = most;
  const hy_allocator allocator = {fuzz_take, fuzz_give, NULL};
  const hy_runtime_options options = {.struct_size = sizeof options,
                                      .allocator = &allocator,
                                      .n_threads = 1,
                                      .isa = isa,
                                      .log_level = HY_LOG_OFF};
  return hy_runtime_create(&options, &runtime, NULL) == HY_OK ? runtime : NULL;
}

static inline void fuzz_runtime_end(hy_runtime *runtime) {
  hy_runtime_destroy(runtime);
  if (fuzz_had) abort(); /* a leak */
}

#endif
