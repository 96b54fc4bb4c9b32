/* SPDX-License-Identifier: Apache-2.0
 * Counts every allocation of the process, the C library's own included, so that a test can show
 * that a hot path makes none. Include it in the test's one .c file. Under a sanitizer, which owns
 * malloc, the count is not to be had: allocation_counter_works is false there and such a test is
 * skipped.
 *
 *   size_t before = allocation_count();
 *   for (int i = 0; i < 1000000; i++) step(...);
 *   assert_int_equal(allocation_count(), before);
 */
#ifndef TESTS_SUPPORT_ALLOCATION_COUNTER_H
#define TESTS_SUPPORT_ALLOCATION_COUNTER_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static _Atomic size_t allocation_n;

static inline size_t allocation_count(void) { return atomic_load(&allocation_n); }

#ifdef HY_SANITIZE
static const bool allocation_counter_works = false;
#else
static const bool allocation_counter_works = true;

/* glibc's own functions behind the replaceable names. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t n, size_t each);
extern void *__libc_realloc(void *ptr, size_t bytes);
extern void *__libc_memalign(size_t align, size_t bytes);
extern void __libc_free(void *ptr);

void *malloc(size_t bytes) {
  atomic_fetch_add(&allocation_n, 1);
  return __libc_malloc(bytes);
}

void *calloc(size_t n, size_t each) {
  atomic_fetch_add(&allocation_n, 1);
  return __libc_calloc(n, each);
}

void *realloc(void *ptr, size_t bytes) {
  atomic_fetch_add(&allocation_n, 1);
  return __libc_realloc(ptr, bytes);
}

void *aligned_alloc(size_t align, size_t bytes) {
  atomic_fetch_add(&allocation_n, 1);
  return __libc_memalign(align, bytes);
}

int posix_memalign(void **out, size_t align, size_t bytes) {
  atomic_fetch_add(&allocation_n, 1);
  *out = __libc_memalign(align, bytes);
  return *out ? 0 : ENOMEM;
}

void free(void *ptr) { __libc_free(ptr); }
#endif

#endif
