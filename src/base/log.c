/* SPDX-License-Identifier: Apache-2.0
 * Structured logs: one line per event, formatted on the stack and handed over in one piece, so that
 * lines of several threads never mix. Text for people on a terminal and for a caller's own sink,
 * JSON lines otherwise. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/runtime_types.h"

enum { LINE_BYTES = 2048 };

typedef struct line {
  char text[LINE_BYTES];
  size_t n;
} line;

static void put(line *l, const char *text, size_t n) {
  size_t room = sizeof l->text - 2 - l->n; /* the newline and the terminator always fit */
  n = n < room ? n : room;
  memcpy(l->text + l->n, text, n);
  l->n += n;
}

static void put_text(line *l, const char *text) { put(l, text, strlen(text)); }

/* Quoted with JSON's escapes, which keeps control characters off a terminal too. */
static void put_quoted(line *l, const char *text) {
  put(l, "\"", 1);
  for (const char *p = text; *p; p++) {
    unsigned char c = (unsigned char)*p;
    char escape[8];
    if (c == '"' || c == '\\')
      put(l, (char[]){'\\', *p}, 2);
    else if (c < 0x20 || c == 0x7f)
      put(l, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
    else
      put(l, p, 1);
  }
  put(l, "\"", 1);
}

static bool is_plain(const char *text) {
  for (const char *p = text; *p; p++)
    if ((unsigned char)*p <= ' ' || *p == '"' || *p == '\\' || *p == '=' || *p == 0x7f)
      return false;
  return *text != 0;
}

static void put_value(line *l, const hy__log_field *field, bool json) {
  char number[HY_NUMBER_TEXT];
  bool finite = field->kind != HY__LOG_F64 || field->as.f64 - field->as.f64 == 0;
  if (field->kind == HY__LOG_I64) {
    put(l, number, hy__format_i64(field->as.i64, number));
  } else if (field->kind == HY__LOG_F64 && json && !finite) {
    put_text(l, "null");
  } else if (field->kind == HY__LOG_F64) {
    put(l, number, hy__format_f64(field->as.f64, number));
  } else {
    const char *text = field->as.text ? field->as.text : "";
    if (json || !is_plain(text))
      put_quoted(l, text);
    else
      put_text(l, text);
  }
}

static const char *level_name(hy_log_level level) {
  switch (level) {
  case HY_LOG_ERROR: return "error";
  case HY_LOG_WARN: return "warn";
  case HY_LOG_INFO: return "info";
  case HY_LOG_DEBUG: return "debug";
  case HY_LOG_DEFAULT:
  case HY_LOG_OFF: break;
  }
  return "log";
}

static void compose_json(line *l, hy_log_level level, const char *event,
                         const hy__log_field *fields, size_t n) {
  char number[HY_NUMBER_TEXT];
  put_text(l, "{\"level\":\"");
  put_text(l, level_name(level));
  put_text(l, "\",\"ts_ns\":");
  put(l, number, hy__format_i64(hy__clock_utc_ns(), number));
  put_text(l, ",\"event\":");
  put_quoted(l, event);
  for (size_t i = 0; i < n; i++) {
    put_text(l, ",");
    put_quoted(l, fields[i].key);
    put_text(l, ":");
    put_value(l, &fields[i], true);
  }
  put_text(l, "}");
}

static void compose_text(line *l, hy_log_level level, const char *event,
                         const hy__log_field *fields, size_t n) {
  put_text(l, level_name(level));
  put_text(l, ": ");
  put_text(l, event);
  for (size_t i = 0; i < n; i++) {
    put_text(l, " ");
    put_text(l, fields[i].key);
    put_text(l, "=");
    put_value(l, &fields[i], false);
  }
}

void hy__log(const hy_runtime *runtime, hy_log_level level, const char *event,
             const hy__log_field *fields, size_t n_fields) {
  if (runtime->log_level == HY_LOG_OFF || level > runtime->log_level) return;
  line l = {.n = 0};
  if (runtime->log || isatty(STDERR_FILENO))
    compose_text(&l, level, event, fields, n_fields);
  else
    compose_json(&l, level, event, fields, n_fields);
  l.text[l.n] = 0;
  if (runtime->log) {
    runtime->log(runtime->log_ctx, level, l.text);
    return;
  }
  l.text[l.n++] = '\n';
  ssize_t written = write(STDERR_FILENO, l.text, l.n); /* a log that cannot be written is lost */
  (void)written;
}
