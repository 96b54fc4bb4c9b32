/* SPDX-License-Identifier: Apache-2.0
 * Memory: the allocator's helpers, arenas and their limits, and sizes that overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hayate/array.h>

#include "base/base.h"
#include "support/failing_allocator.h"

static void alloc_aligns_and_refuses(void **state) {
  (void)state;
  const hy_allocator *a = &hy__allocator_libc;
  void *ptr;
  hy_error err;
  assert_int_equal(hy__alloc(a, 0, &ptr, &err), HY_OK);
  assert_null(ptr);
  assert_int_equal(hy__alloc_zero(a, 100, &ptr, &err), HY_OK);
  assert_int_equal((uintptr_t)ptr % HY_ALIGN, 0);
  for (int i = 0; i < 100; i++) assert_int_equal(((char *)ptr)[i], 0);
  hy__free(a, ptr, 100);
  hy__free(a, NULL, 0);
  assert_int_equal(hy__alloc(a, SIZE_MAX, &ptr, &err), HY_OUT_OF_MEMORY);
  assert_int_equal(hy__alloc_array(a, SIZE_MAX / 2, 3, &ptr, &err), HY_OUT_OF_MEMORY);
  assert_int_equal(hy__alloc_array(a, 10, 3, &ptr, &err), HY_OK);
  hy__free(a, ptr, 30);
}

static void grow_keeps_what_was(void **state) {
  (void)state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  size_t capacity = 0;
  void *ptr = NULL;
  for (size_t n = 1; n <= 1000; n++) {
    assert_int_equal(hy__grow(&fa.allocator, &ptr, &capacity, n, sizeof(size_t), NULL), HY_OK);
    ((size_t *)ptr)[n - 1] = n;
  }
  for (size_t n = 1; n <= 1000; n++) assert_int_equal(((size_t *)ptr)[n - 1], n);
  assert_true(fa.n_calls <= 10); /* doubling */
  assert_int_equal(fa.n_live, 1);
  size_t before = capacity;
  assert_int_equal(hy__grow(&fa.allocator, &ptr, &capacity, SIZE_MAX, 8, NULL), HY_OUT_OF_MEMORY);
  assert_int_equal(capacity, before);
  hy__free(&fa.allocator, ptr, capacity * sizeof(size_t));
  assert_int_equal(fa.live_bytes, 0);
}

static void arena_gives_zeroed_aligned_memory(void **state) {
  (void)state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  hy__arena *arena;
  assert_int_equal(hy__arena_create(&fa.allocator, 1024, 0, &arena, NULL), HY_OK);
  for (size_t round = 0; round < 3; round++) {
    for (size_t i = 1; i < 300; i++) {
      size_t align = (size_t)1 << (i % 13);
      char *ptr;
      assert_int_equal(hy__arena_alloc(arena, i, align, (void **)&ptr, NULL), HY_OK);
      assert_int_equal((uintptr_t)ptr % align, 0);
      for (size_t k = 0; k < i; k++) assert_int_equal(ptr[k], 0);
      memset(ptr, 0xEE, i);
    }
    size_t bytes = hy__arena_bytes(arena);
    assert_int_equal(bytes, fa.live_bytes);
    hy__arena_reset(arena);
    assert_true(hy__arena_bytes(arena) < bytes);
  }
  hy__arena_freeze(arena);
  hy__arena_destroy(arena);
  hy__arena_destroy(NULL);
  assert_int_equal(fa.live_bytes, 0);
}

static void arena_keeps_its_limit(void **state) {
  (void)state;
  hy__arena *arena;
  void *ptr;
  hy_error err;
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 4096, 10000, &arena, NULL), HY_OK);
  assert_int_equal(hy__arena_alloc(arena, 3000, 8, &ptr, &err), HY_OK);
  assert_int_equal(hy__arena_alloc(arena, 5000, 8, &ptr, &err), HY_OK);
  assert_true(hy__arena_bytes(arena) <= 10000);
  assert_int_equal(hy__arena_alloc(arena, 5000, 8, &ptr, &err), HY_LIMIT);
  assert_null(ptr);
  assert_int_equal(hy__arena_alloc(arena, 500, 8, &ptr, &err), HY_OK); /* in what is left */
  assert_int_equal(hy__arena_alloc(arena, SIZE_MAX - 8, 8, &ptr, &err), HY_OUT_OF_MEMORY);
  assert_int_equal(hy__arena_array(arena, SIZE_MAX / 4, 8, &ptr, &err), HY_OUT_OF_MEMORY);
  hy__arena_destroy(arena);
}

static void arena_copies_text(void **state) {
  (void)state;
  hy__arena *arena;
  const char *text;
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  assert_int_equal(hy__arena_text(arena, "close,14", 5, &text, NULL), HY_OK);
  assert_string_equal(text, "close");
  assert_int_equal(hy__arena_text(arena, NULL, 0, &text, NULL), HY_OK);
  assert_string_equal(text, "");
  assert_int_equal(hy__arena_printf(arena, &text, NULL, "%s(%d)", "rsi", 14), HY_OK);
  assert_string_equal(text, "rsi(14)");
  hy__arena_destroy(arena);
}

static void refused_allocations_leave_no_trace(void **state) {
  (void)state;
  failing_allocator fa;
  failing_allocator_init(&fa);
  for (size_t k = 1;; k++) {
    hy__arena *arena = NULL;
    void *ptr;
    failing_allocator_arm(&fa, k);
    hy_status status = hy__arena_create(&fa.allocator, 64, 0, &arena, NULL);
    for (int i = 0; i < 5 && status == HY_OK; i++)
      status = hy__arena_alloc(arena, 100, 8, &ptr, NULL);
    hy__arena_destroy(arena);
    assert_int_equal(fa.live_bytes, 0);
    if (status == HY_OK) break;
    assert_int_equal(status, HY_OUT_OF_MEMORY);
    assert_true(k < 10);
  }
}

static void shapes_are_checked(void **state) {
  (void)state;
  size_t bytes = 7;
  assert_true(hy__shape_bytes((int64_t[]){2, 3, 4}, 3, 8, &bytes));
  assert_int_equal(bytes, 192);
  assert_true(hy__shape_bytes((int64_t[]){2, 3, 4}, 3, 0, &bytes));
  assert_int_equal(bytes, 24);
  assert_true(hy__shape_bytes(NULL, 0, 4, &bytes)); /* a scalar */
  assert_int_equal(bytes, 4);
  assert_true(hy__shape_bytes((int64_t[]){5, 0}, 2, 4, &bytes));
  assert_int_equal(bytes, 0);
  assert_false(hy__shape_bytes((int64_t[]){5, -1}, 2, 4, &bytes));
  assert_false(hy__shape_bytes((int64_t[]){INT64_MAX, 2}, 2, 4, &bytes));
  assert_false(hy__shape_bytes((int64_t[]){0, INT64_MAX, INT64_MAX}, 3, 4, &bytes));
  assert_false(hy__shape_bytes((int64_t[]){INT64_MAX / 4}, 1, 8, &bytes));
  assert_false(hy__shape_bytes(NULL, -1, 4, &bytes));
  size_t sum = 9;
  assert_false(hy__add(SIZE_MAX, 1, &sum));
  assert_false(hy__mul(SIZE_MAX, 2, &sum));
  assert_false(hy__round_up(SIZE_MAX, 64, &sum));
  assert_int_equal(sum, 9);
  assert_true(hy__round_up(65, 64, &sum));
  assert_int_equal(sum, 128);
  int64_t big;
  assert_false(hy__add_i64(INT64_MAX, 1, &big));
  assert_false(hy__mul_i64(INT64_MIN, -1, &big));
}

static void types_have_sizes_and_names(void **state) {
  (void)state;
  assert_int_equal(hy_dtype_bytes(HY_BF16), 2);
  assert_int_equal(hy_dtype_bytes(HY_STRING), sizeof(hy_string));
  assert_int_equal(hy_dtype_bytes((hy_dtype)77), 0);
  assert_string_equal(hy_dtype_name(HY_F32), "f32");
  assert_string_equal(hy_dtype_name((hy_dtype)77), "none");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alloc_aligns_and_refuses),
      cmocka_unit_test(grow_keeps_what_was),
      cmocka_unit_test(arena_gives_zeroed_aligned_memory),
      cmocka_unit_test(arena_keeps_its_limit),
      cmocka_unit_test(arena_copies_text),
      cmocka_unit_test(refused_allocations_leave_no_trace),
      cmocka_unit_test(shapes_are_checked),
      cmocka_unit_test(types_have_sizes_and_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
