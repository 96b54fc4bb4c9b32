/* SPDX-License-Identifier: Apache-2.0
 * Rows of delimited text (RFC 4180 and its usual relatives) from memory, and the numbers in them.
 * The text is scanned 64 bytes at a time for separators; nothing is copied, a field is a view into
 * the text. */
#ifndef HY_CODEC_CSV_H
#define HY_CODEC_CSV_H

#include "base/base.h"

enum { HY_CSV_FIELDS_MAX = 1 << 16, HY_CSV_ROW_BYTES_MAX = 1 << 22 };

typedef struct hy__csv_field {
  const char *text; /* without the quotes; doubled quotes inside stay doubled */
  uint32_t len_bytes;
  uint32_t column; /* in bytes from 1, for messages */
} hy__csv_field;

typedef struct hy__csv {
  const char *begin, *end, *pos; /* pos: where the next row starts */
  char delimiter;
  bool row_quoted; /* some field of the last row had quotes */
  int64_t line;    /* of the last row, from 1 */
  int64_t n_lines; /* lines passed */
  hy__csv_field *fields;
  size_t n_fields, max_fields;
  const char *block; /* the 64 bytes looked at, and their separators not yet used */
  uint64_t separators;
  bool block_quoted, block_quoted_before;
} hy__csv;

/* fields: the caller's, max_fields of them (at most HY_CSV_FIELDS_MAX). A UTF-8 byte order mark is
 * passed. */
void hy__csv_init(hy__csv *c, const void *text, size_t bytes, char delimiter);
/* The next row that is not blank, or n_fields 0 at the end. Errors: LIMIT (row bytes, fields),
 * BAD_FORMAT (a quote that never closes), with line and column. */
HY_CHECKED hy_status hy__csv_next(hy__csv *c, hy_error *err);
/* Moves on by n lines whatever they hold. */
void hy__csv_skip_lines(hy__csv *c, size_t n);

/* Whether a field means "no value": empty, null, none, na, n/a, nan, -, in any case. */
bool hy__csv_is_missing(const char *text, size_t len_bytes);
/* The whole field as a number, correctly rounded. `end` bounds readable memory. */
bool hy__csv_f64(const char *text, size_t len_bytes, const char *end, double *out);
/* The same with other marks: decimal ',' and grouping ("1,234.5" or "1.234,5", also blanks and
 * quotes). */
bool hy__csv_f64_grouped(const char *text, size_t len_bytes, char decimal, double *out);

#endif
