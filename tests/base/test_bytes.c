/* SPDX-License-Identifier: Apache-2.0
 * Spans with their latch, buffers with their maximum, sinks; clocks and hashes against published
 * values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"

static void span_reads_little_endian(void **state) {
  (void)state;
  uint8_t data[15];
  for (uint8_t i = 0; i < 15; i++) data[i] = (uint8_t)(i + 1);
  hy__span s = hy__span_make(data, sizeof data);
  assert_int_equal(hy__span_u8(&s), 0x01);
  assert_int_equal(hy__span_u16le(&s), 0x0302);
  assert_int_equal(hy__span_u32le(&s), 0x07060504);
  assert_true(hy__span_u64le(&s) == 0x0f0e0d0c0b0a0908u);
  assert_int_equal(hy__span_left(&s), 0);
  assert_int_equal(hy__span_offset(&s), 15);
  assert_false(s.failed);
}

static void span_remembers_a_failure(void **state) {
  (void)state;
  hy__span s = hy__span_make("abc", 3);
  hy__span sub = hy__span_sub(&s, 2);
  assert_int_equal(hy__span_left(&sub), 2);
  assert_int_equal(hy__span_left(&s), 1);
  assert_int_equal(hy__span_u32le(&sub), 0);
  assert_true(sub.failed);
  assert_int_equal(hy__span_left(&sub), 2); /* moves nothing */
  assert_null(hy__span_take(&s, SIZE_MAX));
  assert_true(s.failed);
  assert_true(hy__span_sub(&s, 5).failed);
  s = hy__span_make(NULL, 0);
  assert_non_null(hy__span_take(&s, 0));
  assert_int_equal(hy__span_u8(&s), 0);
  assert_true(s.failed);
}

static void buffer_grows_to_its_maximum(void **state) {
  (void)state;
  hy__buffer b;
  hy_error err;
  hy__buffer_init(&b, &hy__allocator_libc, 100);
  for (int i = 0; i < 10; i++)
    assert_int_equal(hy__buffer_append(&b, "0123456789", 10, &err), HY_OK);
  assert_int_equal(hy__buffer_append(&b, "x", 1, &err), HY_LIMIT);
  assert_int_equal(hy__buffer_append(&b, "", 0, &err), HY_OK);
  assert_int_equal(b.len_bytes, 100);
  assert_int_equal(b.data[100], 0);
  hy__buffer_destroy(&b);
  hy__buffer_init(&b, &hy__allocator_libc, 6);
  assert_int_equal(hy__buffer_printf(&b, &err, "%d", 12345), HY_OK);
  assert_string_equal(b.data, "12345");
  assert_int_equal(hy__buffer_printf(&b, &err, "%d", 12), HY_LIMIT);
  assert_string_equal(b.data, "12345");
  assert_int_equal(hy__buffer_printf(&b, &err, "%d", 6), HY_OK);
  assert_string_equal(b.data, "123456");
  hy__buffer_destroy(&b);
}

static void sinks_write(void **state) {
  (void)state;
  hy__buffer b;
  hy_error err;
  hy__buffer_init(&b, &hy__allocator_libc, 10000);
  hy_sink sink = hy__buffer_sink(&b);
  assert_int_equal(hy__sink_text(&sink, "a", &err), HY_OK);
  assert_int_equal(hy__sink_printf(&sink, &err, "%s%d", "b", 1), HY_OK);
  assert_int_equal(hy__sink_write(&sink, "cd", 2, &err), HY_OK);
  assert_string_equal(b.data, "ab1cd");
  assert_int_equal(hy__sink_printf(&sink, &err, "%4095d", 1), HY_OK);
  assert_int_equal(hy__sink_printf(&sink, &err, "%4096d", 1), HY_LIMIT);
  hy__buffer_destroy(&b);
}

static void sha256_is_the_published_one(void **state) {
  (void)state;
  /* FIPS 180-4 examples (NIST, SHA256.pdf), and the long message of the same set. */
  char hex[65];
  hy__sha256_hex("", 0, hex);
  assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  hy__sha256_hex("abc", 3, hex);
  assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const char *two = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  hy__sha256_hex(two, strlen(two), hex);
  assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  static char million[1000000];
  memset(million, 'a', sizeof million);
  hy__sha256_hex(million, sizeof million, hex);
  assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void sha256_in_any_pieces(void **state) {
  (void)state;
  uint8_t data[300], whole[32], pieces[32];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * 7);
  for (size_t n = 0; n <= sizeof data; n += 13) {
    hy__sha256 h;
    hy__sha256_init(&h);
    hy__sha256_update(&h, data, n);
    hy__sha256_final(&h, whole);
    hy__sha256_init(&h);
    for (size_t at = 0; at < n;) {
      size_t now = HY_MIN(n - at, 1 + at % 70);
      hy__sha256_update(&h, data + at, now);
      at += now;
    }
    hy__sha256_final(&h, pieces);
    assert_memory_equal(whole, pieces, 32);
  }
}

static void xxh3_is_the_published_one(void **state) {
  (void)state;
  /* xxhash's own sanity values for empty input, seed 0. */
  hy__hash128 h = hy__hash("", 0);
  assert_true(h.high == 0x99AA06D3014798D8u && h.low == 0x6001C324468D497Fu);
  assert_true(hy__hash64("", 0, 0) == 0x2D06800538D394C2u);
  assert_true(hy__hash64("a", 1, 0) != hy__hash64("a", 1, 1));
}

static int64_t fixed_now(void *ctx) { return *(const int64_t *)ctx; }

static void clocks_run(void **state) {
  (void)state;
  int64_t a = hy__clock_monotonic_ns(), b = hy__clock_system.now_ns(hy__clock_system.ctx);
  assert_true(b >= a);
  assert_true(hy__clock_utc_ns() > (int64_t)1577836800 * 1000000000); /* after 2020 */
  int64_t now = 42;
  hy__clock driven = {fixed_now, &now};
  assert_int_equal(driven.now_ns(driven.ctx), 42);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(span_reads_little_endian),    cmocka_unit_test(span_remembers_a_failure),
      cmocka_unit_test(buffer_grows_to_its_maximum), cmocka_unit_test(sinks_write),
      cmocka_unit_test(sha256_is_the_published_one), cmocka_unit_test(sha256_in_any_pieces),
      cmocka_unit_test(xxh3_is_the_published_one),   cmocka_unit_test(clocks_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
