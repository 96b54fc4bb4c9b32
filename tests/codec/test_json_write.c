/* SPDX-License-Identifier: Apache-2.0
 * The JSON writer: layout, escapes, numbers, the latch, and refusal of a wrong order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "codec/json.h"

typedef struct fixture {
  hy__buffer buffer;
  hy__json_writer writer;
} fixture;

static void begin(fixture *f, int32_t indent) {
  hy__buffer_init(&f->buffer, &hy__allocator_libc, 1 << 20);
  hy__json_begin(&f->writer, hy__buffer_sink(&f->buffer), indent);
}

static void expect(fixture *f, const char *text) {
  assert_int_equal(hy__json_end(&f->writer, NULL), HY_OK);
  assert_string_equal(f->buffer.data, text);
  hy__buffer_destroy(&f->buffer);
}

static void compact(void **state) {
  (void)state;
  fixture f;
  begin(&f, 0);
  hy__json_writer *w = &f.writer;
  hy__json_object_begin(w);
  hy__json_member_i64(w, "n", -5);
  hy__json_key(w, "a");
  hy__json_array_begin(w);
  hy__json_f64(w, 0.1);
  hy__json_f64(w, 1e300 * 1e300);
  hy__json_f64(w, (double)NAN);
  hy__json_f32(w, 0.1f);
  hy__json_null(w);
  hy__json_array_begin(w);
  hy__json_array_end(w);
  hy__json_object_begin(w);
  hy__json_object_end(w);
  hy__json_array_end(w);
  hy__json_member_bool(w, "b", true);
  hy__json_member_text(w, "none", NULL);
  hy__json_key(w, "big");
  hy__json_u64(w, UINT64_MAX);
  hy__json_object_end(w);
  expect(&f, "{\"n\":-5,\"a\":[0.1,null,null,0.1,null,[],{}],\"b\":true,\"none\":null,"
             "\"big\":18446744073709551615}\n");
}

static void indented(void **state) {
  (void)state;
  fixture f;
  begin(&f, 2);
  hy__json_writer *w = &f.writer;
  hy__json_object_begin(w);
  hy__json_member_f64(w, "x", 2);
  hy__json_key(w, "y");
  hy__json_array_begin(w);
  hy__json_i64(w, 1);
  hy__json_i64(w, 2);
  hy__json_array_end(w);
  hy__json_key(w, "z");
  hy__json_array_begin(w);
  hy__json_array_end(w);
  hy__json_object_end(w);
  expect(&f, "{\n  \"x\": 2,\n  \"y\": [\n    1,\n    2\n  ],\n  \"z\": []\n}\n");
}

static void escapes(void **state) {
  (void)state;
  fixture f;
  begin(&f, 0);
  hy__json_writer *w = &f.writer;
  hy__json_array_begin(w);
  hy__json_text(w, "a\"b\\c\n\r\t\x01\x7f");
  hy__json_text(w, "疾風 \xF0\x9F\x8C\xAA");
  hy__json_text(w, "\xC0\x80 \xED\xA0\x80 \xE7\x96 \xFF");
  hy__json_text_bytes(w, "a\0b", 3);
  hy__json_text(w, "</script>");
  w->html_safe = true;
  hy__json_text(w, "</script>&");
  hy__json_array_end(w);
  const char *bad = "\xEF\xBF\xBD";
  char want[256];
  snprintf(
      want, sizeof want,
      "[\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\",\"疾風 \xF0\x9F\x8C\xAA\",\"%s%s %s%s%s %s%s %s\","
      "\"a\\u0000b\",\"</script>\",\"\\u003c/script>\\u0026\"]\n",
      bad, bad, bad, bad, bad, bad, bad, bad);
  expect(&f, want);
}

static void long_text_passes_the_buffer(void **state) {
  (void)state;
  fixture f;
  begin(&f, 0);
  static char text[5000];
  memset(text, 'x', sizeof text - 1);
  hy__json_text(&f.writer, text);
  assert_int_equal(hy__json_end(&f.writer, NULL), HY_OK);
  assert_int_equal(f.buffer.len_bytes, sizeof text - 1 + 3);
  hy__buffer_destroy(&f.buffer);
}

static hy_status full(void *ctx, const void *data, size_t bytes, hy_error *err) {
  (void)data, (void)bytes;
  ++*(int *)ctx;
  HY_FAIL(HY_IO, err, "the disk is full");
}

static void first_failure_stays(void **state) {
  (void)state;
  hy__json_writer w;
  hy_error err;
  int n_calls = 0;
  hy__json_begin(&w, (hy_sink){.write = full, .ctx = &n_calls}, 0);
  hy__json_array_begin(&w);
  for (int i = 0; i < 10000; i++) hy__json_i64(&w, i);
  hy__json_array_end(&w);
  assert_int_equal(hy__json_end(&w, &err), HY_IO);
  assert_string_equal(err.message, "the disk is full");
  assert_int_equal(n_calls, 1);
}

static void refused(void (*misuse)(hy__json_writer *)) {
  fixture f;
  begin(&f, 0);
  misuse(&f.writer);
  assert_int_equal(hy__json_end(&f.writer, NULL), HY_INTERNAL);
  hy__buffer_destroy(&f.buffer);
}

static void nothing(hy__json_writer *w) { (void)w; }

static void value_without_key(hy__json_writer *w) {
  hy__json_object_begin(w);
  hy__json_i64(w, 1);
  hy__json_object_end(w);
}

static void key_in_array(hy__json_writer *w) {
  hy__json_array_begin(w);
  hy__json_key(w, "k");
  hy__json_array_end(w);
}

static void key_without_value(hy__json_writer *w) {
  hy__json_object_begin(w);
  hy__json_key(w, "k");
  hy__json_object_end(w);
}

static void crossed_ends(hy__json_writer *w) {
  hy__json_array_begin(w);
  hy__json_object_end(w);
}

static void two_documents(hy__json_writer *w) {
  hy__json_i64(w, 1);
  hy__json_i64(w, 2);
}

static void open_document(hy__json_writer *w) { hy__json_array_begin(w); }

static void too_deep(hy__json_writer *w) {
  for (int i = 0; i <= HY_JSON_WRITE_DEPTH; i++) hy__json_array_begin(w);
  for (int i = 0; i <= HY_JSON_WRITE_DEPTH; i++) hy__json_array_end(w);
}

static void wrong_order_is_refused(void **state) {
  (void)state;
  refused(nothing);
  refused(value_without_key);
  refused(key_in_array);
  refused(key_without_value);
  refused(crossed_ends);
  refused(two_documents);
  refused(open_document);
  refused(too_deep);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compact),
      cmocka_unit_test(indented),
      cmocka_unit_test(escapes),
      cmocka_unit_test(long_text_passes_the_buffer),
      cmocka_unit_test(first_failure_stays),
      cmocka_unit_test(wrong_order_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
