/* SPDX-License-Identifier: Apache-2.0
 * Status texts from the table, and the filling of hy_error: what every fallible call ends in. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

typedef struct status_row {
  int number;
  const char *name, *klass, *text;
  int http, grpc, exit_status;
} status_row;

static const status_row status_rows[] = {
#define HY_STATUS(number, name, klass, http, grpc, exit_status, text)                              \
  {number, #name, #klass, text, http, grpc, exit_status},
#include <hayate/status.inc>
#undef HY_STATUS
};

static const status_row *row_of(hy_status status) {
  static const status_row unknown = {-1, "UNKNOWN", "internal", "an unknown status", 500, 2, 3};
  for (size_t i = 0; i < HY_COUNT(status_rows); i++)
    if (status_rows[i].number == (int)status) return &status_rows[i];
  return &unknown;
}

const char *hy_status_name(hy_status status) { return row_of(status)->name; }
const char *hy_status_text(hy_status status) { return row_of(status)->text; }
const char *hy_status_class(hy_status status) { return row_of(status)->klass; }
int hy_status_exit(hy_status status) { return row_of(status)->exit_status; }
int hy_status_http(hy_status status) { return row_of(status)->http; }
int hy_status_grpc(hy_status status) { return row_of(status)->grpc; }

void hy_error_clear(hy_error *err) {
  if (!err) return;
  memset(err, 0, sizeof *err);
  err->offset_bytes = -1;
}

size_t hy_error_format(const hy_error *err, char *text, size_t text_bytes) {
  char place[sizeof err->subject + 64], tail[40] = "";
  int n = 0;
  place[0] = 0;
  if (err->subject[0] && err->line > 0 && err->column > 0)
    n = snprintf(place, sizeof place, "%s:%d:%d: ", err->subject, err->line, err->column);
  else if (err->subject[0] && err->line > 0)
    n = snprintf(place, sizeof place, "%s:%d: ", err->subject, err->line);
  else if (err->subject[0])
    n = snprintf(place, sizeof place, "%s: ", err->subject);
  else if (err->line > 0 && err->column > 0)
    n = snprintf(place, sizeof place, "line %d, column %d: ", err->line, err->column);
  else if (err->line > 0)
    n = snprintf(place, sizeof place, "line %d: ", err->line);
  if (err->line <= 0 && err->offset_bytes >= 0)
    n += snprintf(tail, sizeof tail, " (at byte %lld)", (long long)err->offset_bytes);
  (void)n;
  const char *message = err->message[0] ? err->message : hy_status_text((hy_status)err->status);
  int length = snprintf(text, text_bytes, "%s%s%s", place, message, tail);
  return length < 0 ? 0 : (size_t)length;
}

/* Steps back from a cut inside a UTF-8 sequence, so that a message is never half a character. */
static void trim_utf8(char *text, size_t size) {
  size_t n = strlen(text);
  if (n + 1 < size) return;
  size_t start = n;
  while (start > 0 && n - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
  if (start == 0 || (unsigned char)text[start - 1] < 0xC0) return;
  unsigned char lead = (unsigned char)text[start - 1];
  size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (n - (start - 1) < need) text[start - 1] = 0;
}

hy_status hy__error_set(hy_error *err, hy_status status, const char *format, ...) {
  if (!err) return status;
  char message[sizeof err->message]; /* the arguments may point into err */
  va_list args;
  va_start(args, format);
  int n = vsnprintf(message, sizeof message, format, args);
  va_end(args);
  if (n < 0) message[0] = 0;
  trim_utf8(message, sizeof message);
  hy_error_clear(err);
  err->status = (int32_t)status;
  memcpy(err->message, message, strlen(message) + 1);
  return status;
}

void hy__error_subject(hy_error *err, const char *subject) {
  if (!err || !subject || err->subject[0]) return;
  size_t n = strlen(subject), room = sizeof err->subject - 1;
  if (n <= room) {
    memcpy(err->subject, subject, n + 1);
    return;
  }
  /* The end of a long path says more than its beginning. */
  const char *tail = subject + (n - (room - 3));
  while (((unsigned char)*tail & 0xC0) == 0x80) tail++;
  memcpy(err->subject, "...", 3);
  memcpy(err->subject + 3, tail, strlen(tail) + 1);
}

static int32_t to_i32(int64_t value) { return value > INT32_MAX ? INT32_MAX : (int32_t)value; }

void hy__error_place(hy_error *err, int64_t line, int64_t column, int64_t offset_bytes) {
  if (!err) return;
  if (err->line == 0 && line > 0) {
    err->line = to_i32(line);
    if (err->column == 0 && column > 0) err->column = to_i32(column);
  }
  if (err->offset_bytes < 0 && offset_bytes >= 0) err->offset_bytes = offset_bytes;
}

void hy__error_prefix(hy_error *err, const char *format, ...) {
  if (!err) return;
  char text[sizeof err->message], message[2 * sizeof err->message + 2];
  va_list args;
  va_start(args, format);
  int n = vsnprintf(text, sizeof text, format, args);
  va_end(args);
  if (n < 0) return;
  snprintf(message, sizeof message, "%s: %s", text, err->message);
  message[sizeof err->message - 1] = 0;
  trim_utf8(message, sizeof err->message);
  memcpy(err->message, message, strlen(message) + 1);
}
