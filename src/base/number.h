/* SPDX-License-Identifier: Apache-2.0
 * Numbers as text, without locale: exact parsing and the shortest form that reads back the same. */
#ifndef HY_BASE_NUMBER_H
#define HY_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HY_NUMBER_TEXT = 32 };

/* The decimal number at [text, end): correctly rounded, optional sign, digits, '.', exponent; nan,
 * inf and infinity in any case. Returns the first byte after it, or text itself when there is no
 * number. */
const char *hy__parse_f64(const char *text, const char *end, double *out);
const char *hy__parse_i64(const char *text, const char *end,
                          int64_t *out); /* refuses overflow likewise */
/* Whole-text forms: true when all of it is the number. */
bool hy__text_f64(const char *text, double *out);
bool hy__text_i64(const char *text, int64_t *out);
/* Shortest round-trip decimal ("0.1", "1e+300", "nan", "inf"); returns its length. text:
 * HY_NUMBER_TEXT bytes. */
size_t hy__format_f64(double value, char *text);
size_t hy__format_f32(float value, char *text);
size_t hy__format_i64(int64_t value, char *text);
/* For people: 12.3 k, 4.5 MB, 1.2 ms. */
size_t hy__format_count(double value, char *text);
size_t hy__format_bytes(double bytes, char *text);
size_t hy__format_duration(double ns, char *text);

#endif
