/* SPDX-License-Identifier: Apache-2.0 */
/* Text of the command line into numbers, whole text or refused; and the nearest of some names. */
#include <math.h>
#include <string.h>

#include "cli/frame.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static uint64_t suffix_factor(char c) {
  switch (c) {
  case 'k': return 1000u;
  case 'M': return 1000u * 1000u;
  case 'G': return 1000u * 1000u * 1000u;
  default: return 0;
  }
}

bool cli_read_count(const char *text, uint64_t *out) {
  uint64_t value = 0;
  if (!is_digit(*text)) return false;
  for (; is_digit(*text) || (*text == '_' && is_digit(text[1])); text++) {
    if (*text == '_') continue;
    if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
      return false;
  }
  if (*text) {
    uint64_t factor = suffix_factor(*text++);
    if (!factor || *text || __builtin_mul_overflow(value, factor, &value)) return false;
  }
  *out = value;
  return true;
}

/* Up to 18 digits are exact in a long double's 64 bits and powers of ten up to 27 too, so what a
 * person types is rounded once there and once to double. */
static bool read_real_prefix(const char **at, double *out) {
  const char *s = *at;
  bool negative = *s == '-';
  if (*s == '-' || *s == '+') s++;
  uint64_t digits = 0;
  int n_digits = 0, exponent = 0;
  bool any = false, point = false;
  for (; is_digit(*s) || (*s == '.' && !point); s++) {
    if (*s == '.') {
      point = true;
      continue;
    }
    any = true;
    if (n_digits < 18) {
      digits = digits * 10 + (uint64_t)(*s - '0');
      n_digits += digits != 0;
      exponent -= point;
    } else {
      exponent += !point;
    }
  }
  if (!any) return false;
  if ((*s == 'e' || *s == 'E') &&
      (is_digit(s[1]) || ((s[1] == '-' || s[1] == '+') && is_digit(s[2])))) {
    bool minus = s[1] == '-';
    int e = 0;
    for (s += is_digit(s[1]) ? 1 : 2; is_digit(*s); s++) e = e < 10000 ? e * 10 + (*s - '0') : e;
    exponent += minus ? -e : e;
  }
  long double value = (long double)digits;
  if (digits) value = exponent < 0 ? value / powl(10.0L, -exponent) : value * powl(10.0L, exponent);
  *out = (double)(negative ? -value : value);
  *at = s;
  return isfinite(*out);
}

bool cli_read_real(const char *text, double *out) { return read_real_prefix(&text, out) && !*text; }

bool cli_read_seconds(const char *text, double *out) {
  static const struct {
    const char *name;
    double seconds;
  } units[] = {{"", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  if (!read_real_prefix(&text, out) || *out < 0) return false;
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (strcmp(text, units[i].name)) continue;
    *out *= units[i].seconds;
    return true;
  }
  return false;
}

enum { NAME_MAX_LEN = 64 };

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
static size_t distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n > NAME_MAX_LEN || m > NAME_MAX_LEN) return NAME_MAX_LEN;
  size_t rows[3][NAME_MAX_LEN + 1];
  for (size_t j = 0; j <= m; j++) rows[0][j] = j;
  for (size_t i = 1; i <= n; i++) {
    size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= m; j++) {
      size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < best) best = last[j] + 1;
      if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
          before[j - 2] + 1 < best)
        best = before[j - 2] + 1;
      now[j] = best;
    }
  }
  return rows[n % 3][m];
}

const char *cli_nearest(const char *name, const char *const *names, size_t n) {
  if (strlen(name) > NAME_MAX_LEN) return NULL;
  const char *best = NULL;
  size_t limit = strlen(name) / 3 + 1, least = limit + 1;
  for (size_t i = 0; i < n; i++) {
    size_t edits = distance(name, names[i]);
    /* A beginning is meant too: --eval for --evaluate. */
    if (strlen(name) >= 3 && !strncmp(name, names[i], strlen(name))) edits = 0;
    if (edits < least) least = edits, best = names[i];
  }
  return best;
}
