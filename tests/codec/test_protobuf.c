/* SPDX-License-Identifier: Apache-2.0
 * The protobuf wire: fields, packed and unpacked runs, and what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/codec.h"

static const hy_allocator *const a = &hy__allocator_libc;

static void one_field_of_each_kind(void **state) {
  (void)state;
  const uint8_t bytes[] = {0x08, 0xac, 0x02, 0x11, 1,   0,    0, 0, 0, 0, 0,
                           0,    0x1a, 2,    'h',  'i', 0x25, 2, 0, 0, 0};
  hy__span s = hy__span_make(bytes, sizeof bytes);
  hy__pb_field f;
  assert_true(hy__pb_next(&s, &f) && f.number == 1 && f.wire == HY__PB_VARINT && f.value == 300);
  assert_true(hy__pb_next(&s, &f) && f.number == 2 && f.wire == HY__PB_FIXED64 && f.value == 1);
  assert_true(hy__pb_next(&s, &f) && f.number == 3 && f.wire == HY__PB_BYTES);
  assert_int_equal(hy__span_left(&f.bytes), 2);
  assert_int_equal(hy__span_offset(&f.bytes), 14); /* counted from the outermost begin */
  assert_true(hy__pb_next(&s, &f) && f.number == 4 && f.wire == HY__PB_FIXED32 && f.value == 2);
  assert_false(hy__pb_next(&s, &f));
  assert_false(s.failed);
}

static void malformed(void **state) {
  (void)state;
  static const struct {
    uint8_t bytes[14];
    size_t n;
  } cases[] = {
      {{0x08}, 1},                                                    /* no value */
      {{0x08, 0x80}, 2},                                              /* a cut varint */
      {{0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2}, 11},   /* over 64 bits */
      {{0x08, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128}, 12}, /* overlong */
      {{0x0a, 5, 1, 2}, 4},                                           /* longer than what is left */
      {{0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 127}, 10},      /* huge */
      {{0x0d, 1, 2, 3}, 4},                                           /* a cut fixed32 */
      {{0x0b}, 1},                                                    /* a group */
      {{0x0f}, 1},                                                    /* wire type 7 */
      {{0x00, 0x00}, 2},                                              /* field 0 */
  };
  for (size_t i = 0; i < HY_COUNT(cases); i++) {
    hy__span s = hy__span_make(cases[i].bytes, cases[i].n);
    hy__pb_field f;
    assert_false(hy__pb_next(&s, &f));
    assert_true(s.failed);
  }
}

static void runs_of_integers(void **state) {
  (void)state;
  /* field 8: 5, 300, then packed 1 2 -1, then 7; and field 300 with a two-byte tag twice */
  const uint8_t bytes[] = {0x40, 5,    0x40, 0xac, 2,    0x42, 12,   1,    2,
                           255,  255,  255,  255,  255,  255,  255,  255,  255,
                           1,    0x40, 7,    0xe0, 0x12, 9,    0xe0, 0x12, 10};
  const int64_t want[] = {5, 300, 1, 2, -1, 7, 9, 10};
  hy__span s = hy__span_make(bytes, sizeof bytes);
  hy__pb_list list = {0};
  hy__pb_field f;
  size_t n_fields = 0;
  while (hy__pb_next(&s, &f)) {
    assert_int_equal(hy__pb_varints(&s, &f, a, &list, NULL), HY_OK);
    n_fields++;
  }
  assert_false(s.failed);
  assert_int_equal(n_fields, 4); /* what follows directly is taken at once */
  assert_int_equal(list.n, 8);
  assert_memory_equal(list.items, want, sizeof want);
  hy__pb_list_free(&list, a, 8);
}

static void runs_of_floats_and_text(void **state) {
  (void)state;
  const uint8_t floats[] = {0x3d, 0, 0, 0x80, 0x3f, 0x3d, 0, 0, 0, 0x40, 0x3a, 4, 0, 0, 0x40, 0x40};
  const float want[] = {1, 2, 3};
  hy__span s = hy__span_make(floats, sizeof floats);
  hy__pb_list list = {0};
  hy__pb_field f;
  while (hy__pb_next(&s, &f)) assert_int_equal(hy__pb_fixed(&s, &f, 4, a, &list, NULL), HY_OK);
  assert_int_equal(list.n, 3);
  assert_memory_equal(list.items, want, sizeof want);
  hy__pb_list_free(&list, a, 4);
  const uint8_t text[] = {0x4a, 1, 'x', 0x4a, 0, 0x4a, 2, 'y', 'z'};
  s = hy__span_make(text, sizeof text);
  while (hy__pb_next(&s, &f)) assert_int_equal(hy__pb_strings(&s, &f, a, &list, NULL), HY_OK);
  assert_int_equal(list.n, 3);
  const hy_string *strings = list.items;
  assert_true(strings[1].len_bytes == 0 && strings[2].len_bytes == 2 && strings[2].data[1] == 'z');
  hy__pb_list_free(&list, a, sizeof(hy_string));
}

/* Longer than what is reserved at once, with a value cut at the end. */
static void a_long_run(void **state) {
  (void)state;
  enum { N = 3 << 20 };
  void *memory;
  assert_int_equal(hy__alloc(a, 2 * (size_t)N, &memory, NULL), HY_OK);
  uint8_t *bytes = memory;
  for (size_t i = 0; i < N; i++) {
    bytes[2 * i] = 0x40;
    bytes[2 * i + 1] = (uint8_t)(i % 128);
  }
  for (size_t cut = 0; cut < 2; cut++) {
    hy__span s = hy__span_make(bytes, 2 * (size_t)N - cut);
    hy__pb_list list = {0};
    hy__pb_field f;
    hy_error err;
    assert_true(hy__pb_next(&s, &f));
    assert_int_equal(hy__pb_varints(&s, &f, a, &list, &err), cut ? HY_BAD_FORMAT : HY_OK);
    if (cut) assert_non_null(strstr(err.message, "malformed protobuf"));
    if (!cut) assert_int_equal(list.n, N);
    if (!cut) assert_int_equal(((const int64_t *)list.items)[N - 1], (N - 1) % 128);
    hy__pb_list_free(&list, a, 8);
  }
  hy__free(a, memory, 2 * (size_t)N);
}

/* A varint under a tag of one byte or two. */
static size_t put(uint8_t *to, uint32_t number, int64_t value) {
  size_t n = 0;
  const uint64_t words[2] = {(uint64_t)number << 3, (uint64_t)value};
  for (int i = 0; i < 2; i++) {
    uint64_t v = words[i];
    for (; v >= 0x80; v >>= 7) to[n++] = (uint8_t)(v | 0x80);
    to[n++] = (uint8_t)v;
  }
  return n;
}

/* Runs of every mixture of lengths are what the general form reads, and stop where another field
 * begins, at the capacity and at the end of the bytes. */
static void narrow_runs(void **state) {
  (void)state;
  enum { N = 200 };
  static const int64_t values[] = {0, 127, 128, 300, 16383, 16384, INT32_MAX, -1, INT64_MIN};
  uint8_t bytes[N * 12 + 8];
  int32_t got[N];
  uint32_t random = 1;
  for (size_t round = 0; round < 200; round++) {
    const uint32_t number = round & 1 ? 8 : 300;
    const size_t n = 1 + round % N, kinds = 1 + round % HY_COUNT(values);
    size_t end = 0;
    int64_t wanted[N];
    for (size_t i = 0; i < n; i++) {
      random = random * 1664525 + 1013904223;
      wanted[i] = values[round & 2 ? (random >> 16) % kinds : i / 7 % kinds];
      end += put(bytes + end, number, wanted[i]);
    }
    const size_t list_end = end;
    end += put(bytes + end, number + 1, 5);
    for (size_t room = n - 1; room <= n; room++) {
      hy__span s = hy__span_make(bytes, end);
      hy__pb_field f;
      hy__pb_ints32 list = {got, 0, room};
      assert_true(hy__pb_next(&s, &f));
      assert_int_equal(hy__pb_narrow(&s, &f, &list, NULL), room < n ? HY_BAD_FORMAT : HY_OK);
      if (room < n) continue;
      assert_int_equal(hy__span_offset(&s), list_end);
      assert_int_equal(list.n, n);
      for (size_t i = 0; i < n; i++)
        assert_int_equal(got[i], wanted[i] == INT64_MIN ? INT32_MIN : (int32_t)wanted[i]);
    }
    hy__span s = hy__span_make(bytes, list_end - 1); /* cut in the last element */
    hy__pb_field f;
    hy__pb_ints32 counted = {NULL, 0, SIZE_MAX};
    if (n > 1 && hy__pb_next(&s, &f))
      assert_int_equal(hy__pb_narrow(&s, &f, &counted, NULL), HY_BAD_FORMAT);
  }
}

static size_t put_text(uint8_t *to, const char *text) {
  const size_t n = strlen(text);
  to[0] = 9 << 3 | 2;
  to[1] = (uint8_t)n;
  memcpy(to + 2, text, n);
  return n + 2;
}

static void choices(void **state) {
  (void)state;
  static const char *const texts[] = {"LEAF", "BRANCH_LEQ", "BRANCH_LT", "BRANCH_EQ",
                                      "abcdefghijklmnop"};
  static const uint8_t values[] = {0, 10, 20, 30, 40};
  static const char *const others[] = {"",        "LEAFS", "LEA", "BRANCH_GT", "abcdefghijklmnopq",
                                       "abcdefgh"};
  uint8_t bytes[2000], got[100];
  hy__pb_choices c;
  for (size_t bad = 0; bad <= HY_COUNT(others); bad++)
    for (size_t where = 0; where < 100; where += 9) {
      size_t end = 0;
      for (size_t i = 0; i < 100; i++)
        end += put_text(bytes + end,
                        bad < HY_COUNT(others) && i == where ? others[bad] : texts[i * i % 5]);
      assert_true(hy__pb_choices_make(texts, values, 5, &c));
      c.items = got;
      c.capacity = 100;
      hy__span s = hy__span_make(bytes, end);
      hy__pb_field f;
      assert_true(hy__pb_next(&s, &f));
      const hy_status status = hy__pb_choice_run(&s, &f, &c, NULL);
      assert_int_equal(status, bad < HY_COUNT(others) ? HY_BAD_FORMAT : HY_OK);
      assert_int_equal(c.n, bad < HY_COUNT(others) ? where : 100);
      for (size_t i = 0; i < c.n; i++) assert_int_equal(got[i], values[i * i % 5]);
    }
  c.n = c.capacity = 0;
  hy__span s = hy__span_make(bytes, 6);
  hy__pb_field f;
  assert_true(hy__pb_next(&s, &f));
  assert_int_equal(hy__pb_choice_run(&s, &f, &c, NULL), HY_BAD_FORMAT);
}

static void float_runs(void **state) {
  (void)state;
  /* field 7: 1, 2, then packed 3 4 */
  const uint8_t bytes[] = {0x3d, 0, 0, 0x80, 0x3f, 0x3d, 0, 0, 0,    0x40,
                           0x3a, 8, 0, 0,    0x40, 0x40, 0, 0, 0x80, 0x40};
  for (size_t room = 0; room <= 4; room++) {
    float got[4] = {0};
    hy__pb_floats list = {got, 0, room};
    hy__span s = hy__span_make(bytes, sizeof bytes);
    hy__pb_field f;
    hy_status status = HY_OK;
    while (status == HY_OK && hy__pb_next(&s, &f)) status = hy__pb_float_run(&s, &f, &list, NULL);
    assert_int_equal(status, room < 4 ? HY_BAD_FORMAT : HY_OK);
    for (size_t i = 0; i < list.n; i++) assert_true(got[i] == (float)(i + 1));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_field_of_each_kind),
                                     cmocka_unit_test(malformed),
                                     cmocka_unit_test(runs_of_integers),
                                     cmocka_unit_test(runs_of_floats_and_text),
                                     cmocka_unit_test(a_long_run),
                                     cmocka_unit_test(narrow_runs),
                                     cmocka_unit_test(choices),
                                     cmocka_unit_test(float_runs)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
