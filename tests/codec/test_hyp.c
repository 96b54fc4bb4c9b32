/* SPDX-License-Identifier: Apache-2.0
 * Containers: what is written is read back in place, and every way to be damaged is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "codec/codec.h"

static const hy_allocator *const a = &hy__allocator_libc;
static char path[64];
static hy__arena *arena;

static int set_up(void **state) {
  (void)state;
  (void)snprintf(path, sizeof path, "/tmp/hayate-test-%d.hyp", (int)getpid());
  return hy__arena_create(a, 0, 0, &arena, NULL) != HY_OK;
}

static int tear_down(void **state) {
  (void)state;
  hy__arena_destroy(arena);
  unlink(path);
  return 0;
}

static const hy__hyp_section parts[] = {
    {.kind = HY__HYP_MODEL,
     .owner = "",
     .name = "model",
     .data = (const uint8_t *)"abc",
     .bytes = 3},
    {.kind = HY__HYP_PACKS,
     .isa = HY_ISA_AVX2,
     .owner = "lstm",
     .name = "packed/avx2",
     .data = (const uint8_t *)"0123456789",
     .bytes = 10},
    {.kind = HY__HYP_FILE, .owner = "", .name = "empty", .data = (const uint8_t *)"", .bytes = 0}};

/* The file, in memory that may be changed. */
static uint8_t *written(size_t *bytes) {
  hy__map map;
  assert_int_equal(hy__hyp_write(a, path, parts, 3, 77, NULL), HY_OK);
  assert_int_equal(hy__map_open(path, &map, NULL), HY_OK);
  uint8_t *copy = aligned_alloc(64, (map.bytes + 63) & ~(size_t)63);
  assert_non_null(copy);
  memcpy(copy, map.data, map.bytes);
  *bytes = map.bytes;
  hy__map_close(&map);
  return copy;
}

static void back_again(void **state) {
  (void)state;
  hy__hyp hyp;
  size_t bytes;
  uint8_t *file = written(&bytes);
  assert_true(hy__hyp_is(file, bytes));
  assert_int_equal(hy__hyp_read(file, bytes, arena, &hyp, NULL), HY_OK);
  assert_int_equal(hyp.n, 3);
  assert_int_equal(hyp.revision, 77);
  for (size_t i = 0; i < 3; i++) {
    const hy__hyp_section *s = &hyp.sections[i];
    assert_int_equal(s->kind, parts[i].kind);
    assert_int_equal(s->isa, parts[i].isa);
    assert_string_equal(s->owner, parts[i].owner);
    assert_string_equal(s->name, parts[i].name);
    assert_int_equal(s->bytes, parts[i].bytes);
    assert_memory_equal(s->data, parts[i].data, s->bytes);
    assert_int_equal((uintptr_t)s->data % 64, 0);
    assert_int_equal(hy__hyp_check(s, NULL), HY_OK);
  }
  assert_ptr_equal(hy__hyp_find(&hyp, HY__HYP_PACKS, HY_ISA_AVX2, "lstm"), &hyp.sections[1]);
  assert_null(hy__hyp_find(&hyp, HY__HYP_PACKS, HY_ISA_AVX2, ""));
  assert_null(hy__hyp_find(&hyp, HY__HYP_PACKS, HY_ISA_AVX512, "lstm"));
  free(file);
}

/* Each byte of header and table changed, one at a time; each length cut. */
static void damaged_tables(void **state) {
  (void)state;
  hy__hyp hyp;
  size_t bytes, table = 64 + 3 * 160;
  uint8_t *file = written(&bytes);
  for (size_t i = 0; i < table; i++) {
    file[i] ^= 0x40;
    hy_status status = hy__hyp_read(file, bytes, arena, &hyp, NULL);
    assert_true(status != HY_OK);
    file[i] ^= 0x40;
  }
  for (size_t n = 0; n < bytes; n++) assert_true(hy__hyp_read(file, n, arena, &hyp, NULL) != HY_OK);
  assert_int_equal(hy__hyp_read(file, bytes, arena, &hyp, NULL), HY_OK);
  free(file);
}

static void damaged_sections(void **state) {
  (void)state;
  hy__hyp hyp;
  size_t bytes;
  hy_error err;
  uint8_t *file = written(&bytes);
  assert_int_equal(hy__hyp_read(file, bytes, arena, &hyp, NULL), HY_OK);
  file[(size_t)(hyp.sections[1].data - file) + 9] ^= 1;
  assert_int_equal(hy__hyp_check(&hyp.sections[0], NULL), HY_OK);
  assert_int_equal(hy__hyp_check(&hyp.sections[1], &err), HY_BAD_FORMAT);
  assert_non_null(strstr(err.message, "packed/avx2"));
  free(file);
}

/* A section that points outside, the table's checksum put right. */
static void sections_outside(void **state) {
  (void)state;
  static const uint64_t offsets[] = {0, 1, 63, UINT64_MAX, UINT64_MAX - 63, 1 << 20};
  hy__hyp hyp;
  size_t bytes;
  uint8_t *file = written(&bytes);
  for (size_t i = 0; i < HY_COUNT(offsets); i++) {
    memcpy(file + 64 + 8, &offsets[i], 8);
    hy__hash128 both[2] = {hy__hash(file, 48), hy__hash(file + 64, 3 * 160)};
    hy__hash128 hash = hy__hash(both, sizeof both);
    memcpy(file + 48, &hash, sizeof hash);
    hy_status status = hy__hyp_read(file, bytes, arena, &hyp, NULL);
    assert_int_equal(status, offsets[i] ? HY_BAD_FORMAT : HY_OK);
  }
  free(file);
}

static void names_that_are_too_long(void **state) {
  (void)state;
  char name[HY__HYP_NAME + 1];
  memset(name, 'n', sizeof name);
  name[HY__HYP_NAME] = 0;
  hy__hyp_section s = parts[0];
  s.name = name;
  assert_int_equal(hy__hyp_write(a, path, &s, 1, 0, NULL), HY_LIMIT);
  name[HY__HYP_NAME - 1] = 0;
  assert_int_equal(hy__hyp_write(a, path, &s, 1, 0, NULL), HY_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(back_again), cmocka_unit_test(damaged_tables),
                                     cmocka_unit_test(damaged_sections),
                                     cmocka_unit_test(sections_outside),
                                     cmocka_unit_test(names_that_are_too_long)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
