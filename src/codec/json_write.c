/* SPDX-License-Identifier: Apache-2.0
 * Writing JSON to a sink: commas, indentation, escapes, and one buffer so that the sink sees few
 * writes. */
#include "codec/json.h"

static void flush(hy__json_writer *w) {
  if (w->status == HY_OK && w->n_buffered)
    w->status = hy__sink_write(&w->sink, w->buffer, w->n_buffered, &w->error);
  w->n_buffered = 0;
}

static void put(hy__json_writer *w, const char *text, size_t n) {
  while (n > 0 && w->status == HY_OK) {
    size_t room = sizeof w->buffer - w->n_buffered;
    size_t now = n < room ? n : room;
    memcpy(w->buffer + w->n_buffered, text, now);
    w->n_buffered += now;
    text += now;
    n -= now;
    if (w->n_buffered == sizeof w->buffer) flush(w);
  }
}

static void misuse(hy__json_writer *w, const char *what) {
  if (w->status == HY_OK)
    w->status =
        hy__error_set(&w->error, HY_INTERNAL, "JSON is written in the wrong order: %s", what);
}

static bool in_object(const hy__json_writer *w) {
  return w->depth > 0 && (w->in_object >> (w->depth - 1) & 1);
}

static void put_line(hy__json_writer *w) {
  static const char blanks[] = "                                ";
  if (w->indent <= 0) return;
  put(w, "\n", 1);
  for (size_t left = (size_t)w->indent * w->depth; left > 0;) {
    size_t now = HY_MIN(left, sizeof blanks - 1);
    put(w, blanks, now);
    left -= now;
  }
}

static void put_separator(hy__json_writer *w) {
  if (w->has_value) put(w, ",", 1);
  if (w->depth > 0) put_line(w);
}

/* What goes before a value: nothing after a key, else the comma and the line. */
static void before_value(hy__json_writer *w) {
  if (w->after_key) {
    w->after_key = false;
    return;
  }
  if (in_object(w)) misuse(w, "a value without a key");
  if (w->depth == 0 && w->has_value) misuse(w, "a second document");
  put_separator(w);
}

static void put_value(hy__json_writer *w, const char *text, size_t n) {
  before_value(w);
  put(w, text, n);
  w->has_value = true;
}

void hy__json_begin(hy__json_writer *w, hy_sink sink, int32_t indent) {
  *w = (hy__json_writer){.sink = sink, .indent = indent};
  hy_error_clear(&w->error);
}

hy_status hy__json_end(hy__json_writer *w, hy_error *err) {
  if (w->depth > 0 || !w->has_value) misuse(w, "an unfinished document");
  put(w, "\n", 1);
  flush(w);
  if (w->status != HY_OK && err) *err = w->error;
  return w->status;
}

static void container_begin(hy__json_writer *w, bool object) {
  before_value(w);
  if (w->depth == HY_JSON_WRITE_DEPTH) {
    misuse(w, "too deep");
    return;
  }
  put(w, object ? "{" : "[", 1);
  uint64_t bit = (uint64_t)1 << w->depth++;
  w->in_object = object ? w->in_object | bit : w->in_object & ~bit;
  w->has_value = false;
}

static void container_end(hy__json_writer *w, bool object) {
  if (w->depth == 0 || in_object(w) != object || w->after_key) {
    misuse(w, "an unmatched end");
    return;
  }
  w->depth--;
  if (w->has_value) put_line(w);
  put(w, object ? "}" : "]", 1);
  w->has_value = true;
}

void hy__json_object_begin(hy__json_writer *w) { container_begin(w, true); }
void hy__json_object_end(hy__json_writer *w) { container_end(w, true); }
void hy__json_array_begin(hy__json_writer *w) { container_begin(w, false); }
void hy__json_array_end(hy__json_writer *w) { container_end(w, false); }

/* Unicode 15, table 3-7. */
size_t hy__json_utf8(const char *text, size_t left) {
  const unsigned char *p = (const unsigned char *)text;
  unsigned char a = p[0];
  if (a < 0x80) return 1;
  size_t n = a >= 0xC2 && a <= 0xDF   ? 2
             : a >= 0xE0 && a <= 0xEF ? 3
             : a >= 0xF0 && a <= 0xF4 ? 4
                                      : 0;
  if (n == 0 || n > left) return 0;
  unsigned char low = a == 0xE0 ? 0xA0 : a == 0xF0 ? 0x90 : 0x80;
  unsigned char high = a == 0xED ? 0x9F : a == 0xF4 ? 0x8F : 0xBF;
  if (p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < n; i++)
    if ((p[i] & 0xC0) != 0x80) return 0;
  return n;
}

static void put_escape(hy__json_writer *w, unsigned char c) {
  static const char hex[] = "0123456789abcdef";
  char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
  switch (c) {
  case '"': put(w, "\\\"", 2); break;
  case '\\': put(w, "\\\\", 2); break;
  case '\n': put(w, "\\n", 2); break;
  case '\r': put(w, "\\r", 2); break;
  case '\t': put(w, "\\t", 2); break;
  default: put(w, text, sizeof text);
  }
}

static void put_quoted(hy__json_writer *w, const char *text, size_t n) {
  put(w, "\"", 1);
  for (size_t i = 0; i < n;) {
    unsigned char c = (unsigned char)text[i];
    size_t length = hy__json_utf8(text + i, n - i);
    bool html = w->html_safe && (c == '<' || c == '&');
    if (length == 0)
      put(w, "\xEF\xBF\xBD", 3);
    else if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F || html)
      put_escape(w, c);
    else
      put(w, text + i, length);
    i += length ? length : 1;
  }
  put(w, "\"", 1);
}

void hy__json_key(hy__json_writer *w, const char *key) {
  if (!in_object(w) || w->after_key) misuse(w, "a key outside an object");
  put_separator(w);
  put_quoted(w, key, strlen(key));
  put(w, ": ", w->indent > 0 ? 2 : 1);
  w->has_value = true;
  w->after_key = true;
}

void hy__json_text_bytes(hy__json_writer *w, const char *text, size_t len_bytes) {
  before_value(w);
  put_quoted(w, text, len_bytes);
  w->has_value = true;
}

void hy__json_text(hy__json_writer *w, const char *text) {
  if (text)
    hy__json_text_bytes(w, text, strlen(text));
  else
    hy__json_null(w);
}

void hy__json_f64(hy__json_writer *w, double value) {
  char text[HY_NUMBER_TEXT];
  if (value - value != 0)
    hy__json_null(w);
  else
    put_value(w, text, hy__format_f64(value, text));
}

void hy__json_f32(hy__json_writer *w, float value) {
  char text[HY_NUMBER_TEXT];
  if (value - value != 0)
    hy__json_null(w);
  else
    put_value(w, text, hy__format_f32(value, text));
}

void hy__json_i64(hy__json_writer *w, int64_t value) {
  char text[HY_NUMBER_TEXT];
  put_value(w, text, hy__format_i64(value, text));
}

void hy__json_u64(hy__json_writer *w, uint64_t value) {
  char text[HY_NUMBER_TEXT];
  size_t n = 0;
  if (value > INT64_MAX) n = hy__format_i64((int64_t)(value / 10), text);
  put_value(w, text, n + hy__format_i64((int64_t)(n ? value % 10 : value), text + n));
}

void hy__json_bool(hy__json_writer *w, bool value) {
  put_value(w, value ? "true" : "false", value ? 4 : 5);
}

void hy__json_null(hy__json_writer *w) { put_value(w, "null", 4); }

void hy__json_member_text(hy__json_writer *w, const char *key, const char *text) {
  hy__json_key(w, key);
  hy__json_text(w, text);
}

void hy__json_member_f64(hy__json_writer *w, const char *key, double value) {
  hy__json_key(w, key);
  hy__json_f64(w, value);
}

void hy__json_member_i64(hy__json_writer *w, const char *key, int64_t value) {
  hy__json_key(w, key);
  hy__json_i64(w, value);
}

void hy__json_member_bool(hy__json_writer *w, const char *key, bool value) {
  hy__json_key(w, key);
  hy__json_bool(w, value);
}
