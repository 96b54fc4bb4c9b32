/* SPDX-License-Identifier: Apache-2.0
 * Numbers to text without locale: the shortest decimal that reads back as the same bits (R.
 * Giulietti, "The Schubfach way to render doubles", 2020), laid out as Python's repr does, and
 * sizes for people. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/number_powers.h"

typedef struct shortest {
  uint64_t digits;
  int32_t exponent; /* value = digits * 10^exponent */
} shortest;

/* c * 2^q as a binary floating-point number: c its integer significand; `uneven` at a power of two,
 * whose lower neighbour is at half the distance of the upper one. */
typedef struct binary {
  uint64_t c;
  int32_t q;
  bool uneven;
} binary;

static int32_t floor_log2_ten(int32_t e) { return (e * 1741647) >> 19; }

/* 10^k to 126 bits times cp: the quotient's integer part with a sticky lowest bit. */
static uint64_t round_to_odd(hy__power g, uint64_t cp) {
  uint64_t x_high = (uint64_t)(((unsigned __int128)g.low * cp) >> 64);
  unsigned __int128 y = (unsigned __int128)g.high * cp + x_high;
  return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

static hy__power power_ceiling(int32_t k) {
  hy__power g = hy__number_powers[k - HY__POWER_MIN];
  if (k > 55 || k < -27) { /* the table's floors; what lies between is exact or a ceiling */
    g.low++;
    g.high += g.low == 0;
  }
  return g;
}

static shortest find_shortest(binary b) {
  bool even = b.c % 2 == 0;
  int32_t k = (b.q * 1262611 - (b.uneven ? 524031 : 0)) >> 22;
  int32_t h = b.q + floor_log2_ten(-k) + 1;
  hy__power g = power_ceiling(-k);
  uint64_t lower = round_to_odd(g, (4 * b.c - 2 + b.uneven) << h) + !even;
  uint64_t value = round_to_odd(g, (4 * b.c) << h);
  uint64_t upper = round_to_odd(g, (4 * b.c + 2) << h) - !even;
  uint64_t s = value / 4;
  if (s >= 10) {
    uint64_t tens = s / 10;
    bool down = lower <= 40 * tens, up = 40 * tens + 40 <= upper;
    if (down != up) return (shortest){tens + up, k + 1};
  }
  bool down = lower <= 4 * s, up = 4 * s + 4 <= upper;
  if (down != up) return (shortest){s + up, k};
  uint64_t middle = 4 * s + 2;
  bool round_up = value > middle || (value == middle && (s & 1));
  return (shortest){s + round_up, k};
}

static size_t put_digits(uint64_t value, char *text) {
  char reversed[24];
  size_t n = sizeof reversed;
  while (value >= 100) { /* two at a time: half the divisions, which wait for each other */
    unsigned two = (unsigned)(value % 100);
    value /= 100;
    reversed[--n] = (char)('0' + two % 10);
    reversed[--n] = (char)('0' + two / 10);
  }
  if (value >= 10) reversed[--n] = (char)('0' + value % 10);
  reversed[--n] = (char)('0' + (value >= 10 ? value / 10 : value));
  memcpy(text, reversed + n, sizeof reversed - n);
  return sizeof reversed - n;
}

static size_t put_exponent(int32_t exponent, char *text) {
  size_t n = 0;
  text[n++] = 'e';
  text[n++] = exponent < 0 ? '-' : '+';
  uint32_t e = (uint32_t)(exponent < 0 ? -exponent : exponent);
  if (e < 10) text[n++] = '0';
  return n + put_digits(e, text + n);
}

static size_t put_zeros(int32_t count, char *text) {
  memset(text, '0', (size_t)count);
  return (size_t)count;
}

/* Digits with their point where Python puts it: plain from 1e-4 up to 1e16. */
static size_t lay_out(shortest s, char *text) {
  char digits[24];
  while (s.digits % 10 == 0) {
    s.digits /= 10;
    s.exponent++;
  }
  int32_t n = (int32_t)put_digits(s.digits, digits), point = n + s.exponent;
  bool scientific = point > 16 || point <= -4;
  int32_t before = scientific ? 1 : HY_MAX(point, 0); /* places in front of the point */
  size_t at = 0, own = (size_t)HY_MIN(before, n);
  if (before == 0) text[at++] = '0';
  memcpy(text + at, digits, own);
  at += own;
  if (before > n) at += put_zeros(before - n, text + at);
  if (before < n) {
    text[at++] = '.';
    if (!scientific && point < 0) at += put_zeros(-point, text + at);
    memcpy(text + at, digits + own, (size_t)n - own);
    at += (size_t)n - own;
  }
  return scientific ? at + put_exponent(point - 1, text + at) : at;
}

static size_t put_word(const char *word, char *text) {
  memcpy(text, word, strlen(word) + 1);
  return strlen(word);
}

static size_t format(binary b, bool negative, char *text) {
  size_t n = 0;
  if (negative) text[n++] = '-';
  if (b.c == 0)
    text[n++] = '0';
  else
    n += lay_out(find_shortest(b), text + n);
  text[n] = 0;
  return n;
}

size_t hy__format_f64(double value, char *text) {
  uint64_t bits, fraction_mask = ((uint64_t)1 << 52) - 1;
  memcpy(&bits, &value, sizeof bits);
  if (value != value) return put_word("nan", text);
  if (value - value != 0) return put_word(value < 0 ? "-inf" : "inf", text);
  int32_t exponent = (int32_t)(bits >> 52 & 0x7FF);
  uint64_t fraction = bits & fraction_mask;
  binary b = {.c = fraction, .q = -1074};
  if (exponent > 0) {
    b.c |= (uint64_t)1 << 52;
    b.q = exponent - 1075;
    b.uneven = fraction == 0 && exponent > 1;
  }
  return format(b, bits >> 63, text);
}

size_t hy__format_f32(float value, char *text) {
  uint32_t bits, fraction_mask = (1u << 23) - 1;
  memcpy(&bits, &value, sizeof bits);
  if (value != value) return put_word("nan", text);
  if (value - value != 0) return put_word(value < 0 ? "-inf" : "inf", text);
  int32_t exponent = (int32_t)(bits >> 23 & 0xFF);
  uint32_t fraction = bits & fraction_mask;
  binary b = {.c = fraction, .q = -149};
  if (exponent > 0) {
    b.c |= 1u << 23;
    b.q = exponent - 150;
    b.uneven = fraction == 0 && exponent > 1;
  }
  return format(b, bits >> 31, text);
}

size_t hy__format_i64(int64_t value, char *text) {
  size_t n = 0;
  if (value < 0) text[n++] = '-';
  n += put_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, text + n);
  text[n] = 0;
  return n;
}

/* At most three digits and a decimal where it tells something: 1.2, 12.3, 123. */
static size_t put_scaled(double value, const char *unit, char *text) {
  size_t n = 0;
  if (value < 0) {
    text[n++] = '-';
    value = -value;
  }
  uint64_t tenths = (uint64_t)(value * 10 + 0.5);
  bool whole = tenths >= 1000 || tenths % 10 == 0;
  n += put_digits(tenths >= 1000 ? (uint64_t)(value + 0.5) : tenths / 10, text + n);
  if (!whole) {
    text[n++] = '.';
    text[n++] = (char)('0' + tenths % 10);
  }
  return n + put_word(unit, text + n);
}

typedef struct scale {
  double size;
  const char *unit;
} scale;

/* The largest unit of which there is at least one after rounding; rows fall, the last is the
 * smallest. */
static size_t format_scaled(double value, const scale *rows, size_t n_rows, char *text) {
  if (value != value) return put_word("nan", text);
  double magnitude = fabs(value);
  if (!(magnitude < 1e18 * rows[0].size)) return hy__format_f64(value, text);
  for (size_t i = 0; i + 1 < n_rows; i++)
    if (magnitude >= 0.9995 * rows[i].size)
      return put_scaled(value / rows[i].size, rows[i].unit, text);
  return put_scaled(value / rows[n_rows - 1].size, rows[n_rows - 1].unit, text);
}

size_t hy__format_count(double value, char *text) {
  static const scale rows[] = {{1e9, " G"}, {1e6, " M"}, {1e3, " k"}, {1, ""}};
  return format_scaled(value, rows, 4, text);
}

size_t hy__format_bytes(double bytes, char *text) {
  static const scale rows[] = {{1e12, " TB"}, {1e9, " GB"}, {1e6, " MB"}, {1e3, " kB"}, {1, " B"}};
  return format_scaled(bytes, rows, 5, text);
}

size_t hy__format_duration(double ns, char *text) {
  static const scale rows[] = {{3600e9, " h"}, {60e9, " min"}, {1e9, " s"},
                               {1e6, " ms"},   {1e3, " us"},   {1, " ns"}};
  return format_scaled(ns, rows, 6, text);
}
