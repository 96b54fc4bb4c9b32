/* SPDX-License-Identifier: Apache-2.0
 * Decimal text over any bytes: what is read must be the C library's answer (the "C" locale) for the
 * same characters, and must print and read back as the same bits. */
#include <stdlib.h>

#include "base/base.h"

enum { MAX_TEXT = 4000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char text[MAX_TEXT + 1], printed[HY_NUMBER_TEXT];
  double value = 0, again = 0;
  int64_t integer;
  if (size > MAX_TEXT) return 0;
  const char *begin = (const char *)data;
  const char *end = hy__parse_f64(begin, begin + size, &value);
  (void)hy__parse_i64(begin, begin + size, &integer);
  if (end == begin) return 0;
  size_t n = (size_t)(end - begin);
  memcpy(text, begin, n);
  text[n] = 0;
  if (!same((strtod)(text, NULL), value)) __builtin_trap();
  n = hy__format_f64(value, printed);
  if (n >= sizeof printed || printed[n] != 0) __builtin_trap();
  if (!hy__text_f64(printed, &again) || !same(again, value)) __builtin_trap();
  float narrow = (float)value;
  n = hy__format_f32(narrow, printed);
  if (!same((double)(strtof)(printed, NULL), (double)narrow)) __builtin_trap();
  return 0;
}
