/* SPDX-License-Identifier: Apache-2.0
 * An allocator that counts, refuses one chosen allocation, and knows whether all was given back. A
 * sweep runs a call with fail_at = 1, 2, 3 ... until it succeeds:
 *
 *   failing_allocator fa;
 *   failing_allocator_init(&fa);
 *   hy_runtime *rt = failing_runtime(&fa, 1);
 *   for (size_t k = 1;; k++) {
 *     failing_allocator_arm(&fa, k);
 *     hy_status status = hy_x_create(rt, ..., &x, &err);
 *     failing_allocator_arm(&fa, 0);
 *     if (status == HY_OK) break;
 *     assert_int_equal(status, HY_OUT_OF_MEMORY);
 *     assert_int_equal(fa.n_live, before);
 *   }
 */
#ifndef TESTS_SUPPORT_FAILING_ALLOCATOR_H
#define TESTS_SUPPORT_FAILING_ALLOCATOR_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <hayate/runtime.h>

typedef struct failing_allocator {
  hy_allocator allocator;
  _Atomic size_t n_calls; /* since the last arm */
  _Atomic size_t n_live, live_bytes, peak_bytes;
  size_t fail_at; /* the call that is refused, from 1; 0: none */
} failing_allocator;

static inline void *failing_alloc(void *ctx, size_t bytes, size_t align) {
  failing_allocator *fa = ctx;
  void *ptr = NULL;
  size_t call = atomic_fetch_add(&fa->n_calls, 1) + 1;
  if (call == fa->fail_at) return NULL;
  if (posix_memalign(&ptr, align < sizeof(void *) ? sizeof(void *) : align, bytes) != 0)
    return NULL;
  atomic_fetch_add(&fa->n_live, 1);
  size_t live = atomic_fetch_add(&fa->live_bytes, bytes) + bytes;
  size_t peak = atomic_load(&fa->peak_bytes);
  while (live > peak && !atomic_compare_exchange_weak(&fa->peak_bytes, &peak, live)) {
  }
  return ptr;
}

static inline void failing_free(void *ctx, void *ptr, size_t bytes) {
  failing_allocator *fa = ctx;
  atomic_fetch_sub(&fa->n_live, 1);
  atomic_fetch_sub(&fa->live_bytes,
                   bytes); /* wraps, and so shows, when the size is not the one asked */
  free(ptr);
}

static inline void failing_allocator_init(failing_allocator *fa) {
  *fa = (failing_allocator){.fail_at = 0};
  fa->allocator = (hy_allocator){failing_alloc, failing_free, fa};
}

static inline void failing_allocator_arm(failing_allocator *fa, size_t fail_at) {
  atomic_store(&fa->n_calls, 0);
  fa->fail_at = fail_at;
}

/* A runtime on it; NULL when that cannot be made. */
static inline hy_runtime *failing_runtime(failing_allocator *fa, uint32_t n_threads) {
  hy_runtime *runtime = NULL;
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = &fa->allocator,
                                .n_threads = n_threads,
                                .no_pinning = true,
                                .log_level = HY_LOG_OFF};
  return hy_runtime_create(&options, &runtime, NULL) == HY_OK ? runtime : NULL;
}

#endif
