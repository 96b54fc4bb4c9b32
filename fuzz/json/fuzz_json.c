/* SPDX-License-Identifier: Apache-2.0
 * The JSON reader over any bytes; what it accepts is written out and must be accepted again. */
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(hy__json_writer *w, const hy__json *node) {
  switch (node->kind) {
  case HY__JSON_NULL: hy__json_null(w); break;
  case HY__JSON_BOOL: hy__json_bool(w, node->boolean); break;
  case HY__JSON_NUMBER: hy__json_f64(w, node->number); break;
  case HY__JSON_TEXT: hy__json_text(w, node->text); break;
  case HY__JSON_ARRAY:
    hy__json_array_begin(w);
    for (size_t i = 0; node->numbers && i < node->n_children; i++)
      hy__json_f64(w, node->numbers[i]);
    for (const hy__json *item = node->first; item; item = item->next) write_value(w, item);
    hy__json_array_end(w);
    break;
  case HY__JSON_OBJECT:
    hy__json_object_begin(w);
    for (const hy__json *member = node->first; member; member = member->next) {
      hy__json_key(w, member->key);
      write_value(w, member);
    }
    hy__json_object_end(w);
    break;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy__arena *arena;
  hy_error err;
  if (hy__arena_create(&hy__allocator_libc, 256, 1 << 24, &arena, &err) != HY_OK) return 0;
  hy__json_limits limits = {.allow_nonfinite = size % 2 == 0, .max_depth = 60};
  hy__json_document d = {.text = (const char *)data, .bytes = size, .subject = "fuzz"};
  if (hy__json_parse(&d, &limits, arena, &err) == HY_OK) {
    hy__buffer text;
    hy__json_writer w;
    hy__buffer_init(&text, &hy__allocator_libc, 1 << 26);
    hy__json_begin(&w, hy__buffer_sink(&text), (int32_t)(size % 3));
    write_value(&w, d.root);
    hy__json_document again = {.subject = "again"};
    if (hy__json_end(&w, &err) != HY_OK) __builtin_trap();
    again.text = text.data;
    again.bytes = text.len_bytes;
    if (hy__json_parse(&again, &limits, arena, &err) != HY_OK && err.status != HY_LIMIT)
      __builtin_trap();
    hy__buffer_destroy(&text);
  }
  hy__arena_destroy(arena);
  return 0;
}
