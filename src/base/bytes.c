/* SPDX-License-Identifier: Apache-2.0
 * Reading untrusted bytes through a span, growing text up to a stated maximum, and writing to
 * sinks. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/error.h"

enum { SINK_PRINTF_BYTES = 4096 };

hy__span hy__span_make(const void *data, size_t bytes) {
  static const uint8_t nothing[1];
  const uint8_t *begin = data ? data : nothing;
  return (hy__span){.pos = begin, .end = begin + (data ? bytes : 0), .begin = begin};
}

const uint8_t *hy__span_take(hy__span *s, size_t bytes) {
  if (bytes > hy__span_left(s)) {
    s->failed = true;
    return NULL;
  }
  const uint8_t *at = s->pos;
  s->pos += bytes;
  return at;
}

static uint64_t take_le(hy__span *s, size_t bytes) {
  const uint8_t *p = hy__span_take(s, bytes);
  uint64_t value = 0;
  if (p)
    for (size_t i = 0; i < bytes; i++) value |= (uint64_t)p[i] << (8 * i);
  return value;
}

uint8_t hy__span_u8(hy__span *s) { return (uint8_t)take_le(s, 1); }
uint16_t hy__span_u16le(hy__span *s) { return (uint16_t)take_le(s, 2); }
uint32_t hy__span_u32le(hy__span *s) { return (uint32_t)take_le(s, 4); }
uint64_t hy__span_u64le(hy__span *s) { return take_le(s, 8); }

hy__span hy__span_sub(hy__span *s, size_t bytes) {
  const uint8_t *p = hy__span_take(s, bytes);
  hy__span sub = hy__span_make(p, p ? bytes : 0);
  sub.failed = !p;
  return sub;
}

void hy__buffer_init(hy__buffer *b, const hy_allocator *a, size_t max_bytes) {
  *b = (hy__buffer){.allocator = a, .max_bytes = max_bytes};
}

void hy__buffer_destroy(hy__buffer *b) {
  hy__free(b->allocator, b->data, b->capacity_bytes);
  b->data = NULL;
  b->len_bytes = b->capacity_bytes = 0;
}

/* Room for `bytes` more and the terminator. */
static hy_status buffer_reserve(hy__buffer *b, size_t bytes, hy_error *err) {
  HY_FAIL_IF(bytes > b->max_bytes - b->len_bytes, HY_LIMIT, err, "more than the limit of %zu bytes",
             b->max_bytes);
  size_t need;
  HY_FAIL_IF(!hy__add(b->len_bytes + bytes, 1, &need), HY_OUT_OF_MEMORY, err, "text too long");
  void *data = b->data;
  HY_TRY(hy__grow(b->allocator, &data, &b->capacity_bytes, HY_MAX(need, (size_t)64), 1, err));
  b->data = data;
  return HY_OK;
}

hy_status hy__buffer_append(hy__buffer *b, const void *data, size_t bytes, hy_error *err) {
  HY_TRY(buffer_reserve(b, bytes, err));
  if (bytes) memcpy(b->data + b->len_bytes, data, bytes);
  b->len_bytes += bytes;
  b->data[b->len_bytes] = 0;
  return HY_OK;
}

static hy_status buffer_vprintf(hy__buffer *b, hy_error *err, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, again);
  va_end(again);
  HY_FAIL_IF(n < 0, HY_INTERNAL, err, "cannot format a text");
  HY_TRY(buffer_reserve(b, (size_t)n, err));
  vsnprintf(b->data + b->len_bytes, (size_t)n + 1, format, args);
  b->len_bytes += (size_t)n;
  return HY_OK;
}

hy_status hy__buffer_printf(hy__buffer *b, hy_error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  hy_status status = buffer_vprintf(b, err, format, args);
  va_end(args);
  return status;
}

static hy_status buffer_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  return hy__buffer_append(ctx, data, bytes, err);
}

hy_sink hy__buffer_sink(hy__buffer *b) { return (hy_sink){.write = buffer_write, .ctx = b}; }

hy_status hy__sink_write(const hy_sink *sink, const void *data, size_t bytes, hy_error *err) {
  return bytes ? sink->write(sink->ctx, data, bytes, err) : HY_OK;
}

hy_status hy__sink_text(const hy_sink *sink, const char *text, hy_error *err) {
  return hy__sink_write(sink, text, strlen(text), err);
}

hy_status hy__sink_printf(const hy_sink *sink, hy_error *err, const char *format, ...) {
  char text[SINK_PRINTF_BYTES];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  HY_FAIL_IF(n < 0, HY_INTERNAL, err, "cannot format a text");
  HY_FAIL_IF((size_t)n >= sizeof text, HY_LIMIT, err,
             "a formatted piece of %d bytes is over the limit of %d", n, SINK_PRINTF_BYTES - 1);
  return hy__sink_write(sink, text, (size_t)n, err);
}
