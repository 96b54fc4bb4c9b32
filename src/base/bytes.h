/* SPDX-License-Identifier: Apache-2.0
 * Bytes in and out: hy__span reads untrusted bytes with a latch that remembers the first failure;
 * hy__buffer grows up to a stated maximum; sinks to write text to. */
#ifndef HY_BASE_BYTES_H
#define HY_BASE_BYTES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hayate/runtime.h>

/* A float where it lies in a file, aligned to nothing. */
typedef float hy__loose_f32 __attribute__((aligned(1)));

/* A reading position. A read past the end sets failed, returns zero and moves nothing. */
typedef struct hy__span {
  const uint8_t *pos;
  const uint8_t *end;
  const uint8_t *begin;
  bool failed;
} hy__span;

hy__span hy__span_make(const void *data, size_t bytes);
static inline size_t hy__span_left(const hy__span *s) { return (size_t)(s->end - s->pos); }
static inline size_t hy__span_offset(const hy__span *s) { return (size_t)(s->pos - s->begin); }
uint8_t hy__span_u8(hy__span *s);
uint16_t hy__span_u16le(hy__span *s);
uint32_t hy__span_u32le(hy__span *s);
uint64_t hy__span_u64le(hy__span *s);
/* The next `bytes` bytes as a view; NULL with failed set if there are fewer. */
const uint8_t *hy__span_take(hy__span *s, size_t bytes);
hy__span hy__span_sub(hy__span *s, size_t bytes); /* a span over the next bytes, which it passes */

typedef struct hy__buffer {
  const hy_allocator *allocator;
  char *data; /* always terminated after len_bytes once something was appended */
  size_t len_bytes, capacity_bytes, max_bytes;
} hy__buffer;

void hy__buffer_init(hy__buffer *b, const hy_allocator *a, size_t max_bytes);
void hy__buffer_destroy(hy__buffer *b);
HY_CHECKED hy_status hy__buffer_append(hy__buffer *b, const void *data, size_t bytes,
                                       hy_error *err);
HY_CHECKED hy_status hy__buffer_printf(hy__buffer *b, hy_error *err, const char *format, ...)
    HY_PRINTF(3, 4);
hy_sink hy__buffer_sink(hy__buffer *b);

HY_CHECKED hy_status hy__sink_write(const hy_sink *sink, const void *data, size_t bytes,
                                    hy_error *err);
HY_CHECKED hy_status hy__sink_text(const hy_sink *sink, const char *text, hy_error *err);
HY_CHECKED hy_status hy__sink_printf(const hy_sink *sink, hy_error *err, const char *format, ...)
    HY_PRINTF(3, 4);

#endif
