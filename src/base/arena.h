/* SPDX-License-Identifier: Apache-2.0
 * Memory: the runtime's allocator by hand, and arenas, which own everything of a long-lived object
 * and give it back at once. An arena is building (allocates), then frozen (an allocation is an
 * assertion). */
#ifndef HY_BASE_ARENA_H
#define HY_BASE_ARENA_H

#include <stddef.h>

#include <hayate/runtime.h>

enum { HY_ALIGN = 64 }; /* a cache line, and the widest vector */

/* The C library's allocator in the form of hy_allocator. */
extern const hy_allocator hy__allocator_libc;

/* bytes aligned to HY_ALIGN, uninitialised or zeroed; OUT_OF_MEMORY says how many bytes. bytes 0
 * gives NULL. */
HY_CHECKED hy_status hy__alloc(const hy_allocator *a, size_t bytes, void **out, hy_error *err);
HY_CHECKED hy_status hy__alloc_zero(const hy_allocator *a, size_t bytes, void **out, hy_error *err);
/* n * each checked. */
HY_CHECKED hy_status hy__alloc_array(const hy_allocator *a, size_t n, size_t each, void **out,
                                     hy_error *err);
/* Grows to hold at least n elements of `each` bytes (doubling), keeping the first *capacity. */
HY_CHECKED hy_status hy__grow(const hy_allocator *a, void **ptr, size_t *capacity, size_t n,
                              size_t each, hy_error *err);
void hy__free(const hy_allocator *a, void *ptr, size_t bytes);

/* Memory that is filled at once and soon given back. Where it is large, and the C library's, it
 * comes in the machine's large pages if there are any: the kernel takes as long for 40 small ones.
 * *bytes: as wanted, then what hy__free is given. */
HY_CHECKED hy_status hy__alloc_brief(const hy_allocator *a, size_t *bytes, void **out,
                                     hy_error *err);

typedef struct hy__arena hy__arena;

/* block_bytes: the usual size of a block (0: 64 KiB); limit_bytes: the most in all (0: none). */
HY_CHECKED hy_status hy__arena_create(const hy_allocator *a, size_t block_bytes, size_t limit_bytes,
                                      hy__arena **out, hy_error *err);
void hy__arena_destroy(hy__arena *arena);
/* Zeroed memory, valid until the arena is destroyed or reset. align: power of two, at most 4096. */
HY_CHECKED hy_status hy__arena_alloc(hy__arena *arena, size_t bytes, size_t align, void **out,
                                     hy_error *err);
/* The same without zeroing, for what is written at once. */
HY_CHECKED hy_status hy__arena_alloc_raw(hy__arena *arena, size_t bytes, size_t align, void **out,
                                         hy_error *err);
HY_CHECKED hy_status hy__arena_array(hy__arena *arena, size_t n, size_t each, void **out,
                                     hy_error *err);
/* Copies of text, terminated. */
HY_CHECKED hy_status hy__arena_text(hy__arena *arena, const char *text, size_t len_bytes,
                                    const char **out, hy_error *err);
HY_CHECKED hy_status hy__arena_printf(hy__arena *arena, const char **out, hy_error *err,
                                      const char *format, ...) HY_PRINTF(4, 5);
void hy__arena_freeze(hy__arena *arena);
void hy__arena_reset(hy__arena *arena);         /* keeps the first block */
size_t hy__arena_bytes(const hy__arena *arena); /* had from the allocator */

#endif
