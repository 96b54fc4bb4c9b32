/* SPDX-License-Identifier: Apache-2.0
 * Decimal text to numbers, correctly rounded and without locale: what CSV, JSON and the command
 * line read by. Three ways, fastest first: one exact division or product (Clinger); a 128-bit
 * product with a table of powers (Lemire, "Number parsing at a gigabyte per second", 2021); big
 * integers where digits were cut. */
#include <string.h>

#include "base/number.h"
#include "base/number_powers.h"

const hy__power hy__number_powers[HY__POWER_MAX - HY__POWER_MIN + 1] = {
#include "base/number_powers.inc"
};

enum {
  MAX_DIGITS = 19,      /* as many always fit 64 bits */
  MAX_BIG_DIGITS = 800, /* 767 decide every double; a non-zero rest counts as one more digit */
  BIG_WORDS = 192,
  MAX_EXPONENT = 99999
};

typedef struct decimal {
  uint64_t mantissa;        /* the first 19 significant digits */
  int64_t exponent;         /* value = mantissa * 10^exponent, when nothing was cut */
  const char *digits, *end; /* the digits with their point, for the exact way */
  bool negative, cut;
} decimal;

static double from_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Eight ASCII digits at once, or false. */
static bool eight_digits(const char *text, uint32_t *value) {
  uint64_t v;
  memcpy(&v, text, sizeof v);
  if (((v + 0x4646464646464646u) | (v - 0x3030303030303030u)) & 0x8080808080808080u) return false;
  v -= 0x3030303030303030u;
  v = v * 10 + (v >> 8); /* pairs, then pairs of pairs by two products */
  *value = (uint32_t)(((v & 0x000000FF000000FFu) * 0x000F424000000064u +
                       ((v >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
                      32);
  return true;
}

static const char *scan_digits(const char *p, const char *end, uint64_t *mantissa) {
  uint64_t m = *mantissa;
  uint32_t eight;
  while (end - p >= 8 && eight_digits(p, &eight)) {
    m = m * 100000000 + eight; /* wraps only past 19 digits, which are scanned again */
    p += 8;
  }
  for (; p < end && is_digit(*p); p++) m = m * 10 + (uint64_t)(*p - '0');
  *mantissa = m;
  return p;
}

static const char *scan_exponent(const char *p, const char *end, int64_t *exponent) {
  const char *at = p + 1;
  bool negative = false;
  if (at < end && (*at == '+' || *at == '-')) negative = *at++ == '-';
  if (at >= end || !is_digit(*at)) return p; /* "1e" is the number 1 and an e */
  int64_t value = 0;
  for (; at < end && is_digit(*at); at++)
    if (value < MAX_EXPONENT) value = value * 10 + (*at - '0');
  *exponent = negative ? -value : value;
  return at;
}

/* More digits than fit: the first 19 significant ones, and the exponent they stand at. */
static void rescan(decimal *d, const char *point) {
  uint64_t m = 0;
  int n = 0;
  int64_t before = 0, shift = 0;
  for (const char *p = d->digits; p < d->end; p++) {
    if (p == point) continue;
    bool fraction = point && p > point;
    if (n < MAX_DIGITS && (n > 0 || *p != '0')) {
      m = m * 10 + (uint64_t)(*p - '0');
      n++;
      if (fraction) shift--;
    } else if (n < MAX_DIGITS) {
      if (fraction) shift--;
    } else {
      if (*p != '0') d->cut = true;
      if (!fraction) before++;
    }
  }
  d->mantissa = m;
  d->exponent = before + shift;
}

/* Sign, digits, point and exponent; NULL when there is no digit. */
static const char *scan(const char *p, const char *end, decimal *d) {
  const char *point = NULL;
  *d = (decimal){.negative = *p == '-'};
  if (*p == '-' || *p == '+') p++;
  d->digits = p;
  p = scan_digits(p, end, &d->mantissa);
  int64_t n_digits = p - d->digits;
  if (p < end && *p == '.') {
    point = p;
    p = scan_digits(p + 1, end, &d->mantissa);
    d->exponent = -(p - point - 1);
    n_digits -= d->exponent;
  }
  if (n_digits == 0) return NULL;
  d->end = p;
  if (n_digits > MAX_DIGITS) rescan(d, point);
  int64_t written = 0;
  if (p < end && (*p == 'e' || *p == 'E')) p = scan_exponent(p, end, &written);
  d->exponent += written;
  return p;
}

/* The double's bits nearest to w * 10^q, w not zero (Lemire 2021, section 5; exact for every w). */
static uint64_t lemire(uint64_t w, int64_t q) {
  if (q < HY__POWER_MIN) return 0;
  if (q > 308) return (uint64_t)2047 << 52;
  int zeros = __builtin_clzll(w);
  w <<= zeros;
  const hy__power *power = &hy__number_powers[q - HY__POWER_MIN];
  unsigned __int128 product = (unsigned __int128)w * power->high;
  uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
  if ((high & 0x1FF) == 0x1FF) {
    uint64_t more = (uint64_t)(((unsigned __int128)w * power->low) >> 64);
    low += more;
    high += low < more;
  }
  int upper = (int)(high >> 63);
  int shift = upper + 64 - 52 - 3;
  uint64_t m = high >> shift;
  int64_t exponent = ((217706 * q) >> 16) + 63 + upper - zeros + 1023;
  if (exponent <= 0) {
    if (1 - exponent >= 64) return 0;
    m >>= 1 - exponent;
    m = (m + (m & 1)) >> 1; /* 2^52, if reached, is the smallest normal number's bits */
    return m;
  }
  /* Half way between two doubles: to even. */
  if (low <= 1 && q >= -4 && q <= 23 && (m & 3) == 1 && m << shift == high) m &= ~(uint64_t)1;
  m = (m + (m & 1)) >> 1;
  if (m >> 53) {
    m >>= 1;
    exponent++;
  }
  if (exponent >= 2047) return (uint64_t)2047 << 52;
  return (m & (((uint64_t)1 << 52) - 1)) | (uint64_t)exponent << 52;
}

typedef struct big {
  uint32_t words[BIG_WORDS]; /* lowest first */
  int n;
} big;

static void big_multiply_add(big *b, uint32_t factor, uint32_t addend) {
  uint64_t carry = addend;
  for (int i = 0; i < b->n; i++) {
    carry += (uint64_t)b->words[i] * factor;
    b->words[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry && b->n < BIG_WORDS) b->words[b->n++] = (uint32_t)carry;
}

static void big_power(big *b, uint32_t factor, int64_t n) {
  for (; n > 0; n--) big_multiply_add(b, factor, 0);
}

static void big_shift(big *b, int64_t n) {
  big_power(b, 1u << 16, n / 16);
  big_multiply_add(b, 1u << (n % 16), 0);
}

static int big_compare(const big *a, const big *b) {
  if (a->n != b->n) return a->n < b->n ? -1 : 1;
  for (int i = a->n - 1; i >= 0; i--)
    if (a->words[i] != b->words[i]) return a->words[i] < b->words[i] ? -1 : 1;
  return 0;
}

/* The digits as a big integer; returns the power of ten that the cut ones stand for. */
static int64_t big_digits(const decimal *d, big *out) {
  int n = 0;
  int64_t power = 0;
  bool fraction = false, rest = false;
  out->n = 0;
  for (const char *p = d->digits; p < d->end; p++) {
    if (*p == '.') {
      fraction = true;
    } else if (n < MAX_BIG_DIGITS) {
      if (n > 0 || *p != '0') {
        big_multiply_add(out, 10, (uint32_t)(*p - '0'));
        n++;
      }
      if (fraction) power--;
    } else {
      if (*p != '0') rest = true;
      if (!fraction) power++;
    }
  }
  if (rest) {
    big_multiply_add(out, 10, 1);
    power--;
  }
  return power;
}

/* The truth lies between the doubles `lower` and its neighbour: compares the digits with the
 * middle. */
static uint64_t exact(const decimal *d, int64_t written_exponent, uint64_t lower) {
  big left, right = {.words = {0}, .n = 0};
  int64_t power = big_digits(d, &left) + written_exponent;
  int64_t exponent = (int64_t)(lower >> 52);
  uint64_t m = lower & (((uint64_t)1 << 52) - 1);
  if (exponent > 0) m |= (uint64_t)1 << 52;
  m = 2 * m + 1;
  int64_t two = (exponent > 0 ? exponent - 1075 : -1074) - 1;
  right.words[0] = (uint32_t)m;
  right.words[1] = (uint32_t)(m >> 32);
  right.n = right.words[1] ? 2 : 1;
  big_power(power >= 0 ? &left : &right, 10, power >= 0 ? power : -power);
  big_shift(two >= 0 ? &right : &left, two >= 0 ? two : -two);
  int order = big_compare(&left, &right);
  bool up = order > 0 || (order == 0 && (lower & 1));
  return lower + up; /* the next bits are the next double, infinity included */
}

/* The exponent as written, back from what rescan left of it. */
static int64_t written_exponent(const decimal *d) {
  decimal again = *d;
  const char *point = memchr(d->digits, '.', (size_t)(d->end - d->digits));
  rescan(&again, point);
  return d->exponent - again.exponent;
}

static double convert(const decimal *d) {
  static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const uint64_t exact_mantissa = (uint64_t)1 << 53;
  if (!d->cut && d->mantissa <= exact_mantissa && d->exponent >= -22 && d->exponent <= 22) {
    double m = (double)d->mantissa;
    m = d->exponent < 0 ? m / tens[-d->exponent] : m * tens[d->exponent];
    return d->negative ? -m : m;
  }
  uint64_t sign = (uint64_t)d->negative << 63;
  if (d->mantissa == 0) return from_bits(sign);
  uint64_t bits = lemire(d->mantissa, d->exponent);
  if (d->cut && lemire(d->mantissa + 1, d->exponent) != bits)
    bits = exact(d, written_exponent(d), bits);
  return from_bits(bits | sign);
}

static bool matches(const char *text, const char *end, const char *word) {
  for (; *word; word++, text++)
    if (text >= end || (*text | 0x20) != *word) return false;
  return true;
}

static const char *parse_word(const char *text, const char *end, double *out) {
  const char *p = text;
  bool negative = *p == '-';
  if (*p == '-' || *p == '+') p++;
  uint64_t sign = (uint64_t)negative << 63;
  if (matches(p, end, "nan")) {
    *out = from_bits(sign | 0x7ff8000000000000u);
    return p + 3;
  }
  if (!matches(p, end, "inf")) return text;
  *out = from_bits(sign | 0x7ff0000000000000u);
  return p + (matches(p, end, "infinity") ? 8 : 3);
}

const char *hy__parse_f64(const char *text, const char *end, double *out) {
  if (text >= end) return text;
  decimal d;
  const char *p = scan(text, end, &d);
  if (!p) return parse_word(text, end, out);
  *out = convert(&d);
  return p;
}

const char *hy__parse_i64(const char *text, const char *end, int64_t *out) {
  if (text >= end) return text;
  const char *p = text;
  bool negative = *p == '-';
  if (*p == '-' || *p == '+') p++;
  const char *digits = p;
  uint64_t value = 0, limit = (uint64_t)INT64_MAX + negative;
  for (; p < end && is_digit(*p); p++) {
    uint64_t digit = (uint64_t)(*p - '0');
    if (value > (limit - digit) / 10) return text;
    value = value * 10 + digit;
  }
  if (p == digits) return text;
  *out = negative ? (int64_t)(0 - value) : (int64_t)value;
  return p;
}

bool hy__text_f64(const char *text, double *out) {
  const char *end = text + strlen(text);
  return end > text && hy__parse_f64(text, end, out) == end;
}

bool hy__text_i64(const char *text, int64_t *out) {
  const char *end = text + strlen(text);
  return end > text && hy__parse_i64(text, end, out) == end;
}
