/* SPDX-License-Identifier: Apache-2.0
 * Delimited text: separators by SSE2 or NEON (which every x86-64 or AArch64 has) into bit masks,
 * then one field per bit. Rows with quotes take a second, character-wise look. */
#include "codec/csv.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

void hy__csv_init(hy__csv *c, const void *text, size_t bytes, char delimiter) {
  hy__csv_field *fields = c->fields;
  const size_t max_fields = c->max_fields;
  *c = (hy__csv){.begin = text,
                 .end = (const char *)text + bytes,
                 .pos = text,
                 .delimiter = delimiter,
                 .fields = fields,
                 .max_fields = max_fields};
  if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) c->pos += 3;
}

/* Bit i: byte i of the block is `what`. */
#if defined(__aarch64__)
typedef uint8x16_t bytes16;

static inline bytes16 bytes_load(const char *from) {
  return vld1q_u8((const uint8_t *)(const void *)from);
}

static inline uint64_t matches(const bytes16 v[4], char what) {
  static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const bytes16 w = vdupq_n_u8((uint8_t)what), bit = vld1q_u8(weights);
  bytes16 hit[4];
  for (int k = 0; k < 4; k++) hit[k] = vandq_u8(vceqq_u8(v[k], w), bit);
  /* Three rounds of adding neighbours leave a byte of mask for each eight bytes of text. */
  const bytes16 sum = vpaddq_u8(vpaddq_u8(hit[0], hit[1]), vpaddq_u8(hit[2], hit[3]));
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(sum, sum)), 0);
}
#else
typedef __m128i bytes16;

static inline bytes16 bytes_load(const char *from) {
  return _mm_loadu_si128((const __m128i *)(const void *)from);
}

static inline uint64_t matches(const bytes16 v[4], char what) {
  const bytes16 w = _mm_set1_epi8(what);
  uint64_t mask = 0;
  for (int k = 0; k < 4; k++)
    mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v[k], w)) << (16 * k);
  return mask;
}
#endif

/* Looks at the 64 bytes from `at` on; bytes past the end of the text count as blanks. */
static void look(hy__csv *c, const char *at) {
  char tail[BLOCK];
  const char *from = at;
  if (c->end - at < BLOCK) {
    memset(tail, ' ', sizeof tail);
    memcpy(tail, at, (size_t)(c->end - at));
    from = tail;
  }
  bytes16 v[4];
  for (int k = 0; k < 4; k++) v[k] = bytes_load(from + 16 * k);
  c->block = at;
  c->separators = matches(v, c->delimiter) | matches(v, '\n');
  c->block_quoted = matches(v, '"') != 0;
  if (c->end - at < BLOCK) c->separators &= (UINT64_C(1) << (c->end - at)) - 1;
}

static hy_status too_long(const hy__csv *c, hy_error *err) {
  hy_status status =
      hy__error_set(err, HY_LIMIT, "a row of more than %d bytes; is this delimited text?",
                    (int)HY_CSV_ROW_BYTES_MAX);
  hy__error_place(err, c->line, 1, c->pos - c->begin);
  return status;
}

static hy_status too_many(const hy__csv *c, hy_error *err) {
  hy_status status = hy__error_set(err, HY_LIMIT, "a row of more than %zu fields", c->max_fields);
  hy__error_place(err, c->line, 1, c->pos - c->begin);
  return status;
}

static inline void put(hy__csv *c, const char *row, const char *from, const char *to) {
  c->fields[c->n_fields++] =
      (hy__csv_field){from, (uint32_t)(to - from), (uint32_t)(from - row) + 1};
}

/* A row without quotes. Returns where the next one starts, NULL when a limit stopped it. */
static const char *plain_row(hy__csv *c, hy_status *status, hy_error *err) {
  const char *row = c->pos, *from = row;
  for (;;) {
    while (c->separators == 0) {
      const char *next = c->block + BLOCK;
      if (next >= c->end) { /* the last row has no line end */
        if (c->n_fields == c->max_fields) return *status = too_many(c, err), NULL;
        put(c, row, from, c->end);
        return c->end;
      }
      if (next - row > HY_CSV_ROW_BYTES_MAX) return *status = too_long(c, err), NULL;
      look(c, next);
      c->row_quoted |= c->block_quoted;
    }
    const char *at = c->block + __builtin_ctzll(c->separators);
    c->separators &= c->separators - 1;
    if (c->n_fields == c->max_fields) return *status = too_many(c, err), NULL;
    put(c, row, from, at);
    from = at + 1;
    if (*at == '\n') return from;
  }
}

/* One field, quoted or not; returns the byte after it, NULL when its quote never closes. */
static const char *quoted_field(hy__csv *c, const char *row, const char *from, const char *limit) {
  const char *at = from;
  if (at == limit || *at != '"') {
    while (at < limit && *at != c->delimiter && *at != '\n') at++;
    put(c, row, from, at);
    return at;
  }
  for (at++; at < limit; at++) {
    if (*at != '"') continue;
    if (at + 1 < limit && at[1] == '"')
      at++;
    else
      break;
  }
  if (at == limit) return NULL;
  put(c, row, from + 1, at);
  for (at++; at < limit && *at != c->delimiter && *at != '\n'; at++) continue;
  return at;
}

/* The row again, with care for quotes: separators inside them are text, a line end too. */
static const char *quoted_row(hy__csv *c, hy_status *status, hy_error *err) {
  const char *row = c->pos, *from = row;
  const size_t left = HY_MIN((size_t)(c->end - row), (size_t)HY_CSV_ROW_BYTES_MAX);
  c->n_fields = 0;
  for (;;) {
    if (c->n_fields == c->max_fields) return *status = too_many(c, err), NULL;
    const char *at = quoted_field(c, row, from, row + left);
    if (!at) {
      *status = hy__error_set(err, HY_BAD_FORMAT, "a quote opens here and never closes");
      hy__error_place(err, c->line, from - row + 1, from - c->begin);
      return NULL;
    }
    if (at == c->end) return at;
    if (at == row + left) return *status = too_long(c, err), NULL;
    from = at + 1;
    if (*at == '\n') return from;
  }
}

static void count_lines(hy__csv *c, const char *row, const char *next) {
  for (const char *p = row; p < next; p++) c->n_lines += *p == '\n';
}

/* After a jump the masks hold for another place. */
static void look_from(hy__csv *c, const char *at) {
  if (at < c->end)
    look(c, at);
  else
    c->block = c->end, c->separators = 0, c->block_quoted = false;
}

hy_status hy__csv_next(hy__csv *c, hy_error *err) {
  hy_status status = HY_OK;
  if (!c->block) look_from(c, c->pos);
  for (;;) {
    c->n_fields = 0;
    c->line = c->n_lines + 1;
    if (c->pos >= c->end) return HY_OK;
    c->row_quoted = c->block_quoted;
    const char *next = plain_row(c, &status, err);
    if (next && c->row_quoted) {
      next = quoted_row(c, &status, err);
      if (next) count_lines(c, c->pos, next), look_from(c, next);
    } else {
      c->n_lines++;
    }
    if (!next) return status;
    hy__csv_field *last = &c->fields[c->n_fields - 1];
    if (last->len_bytes && last->text[last->len_bytes - 1] == '\r') last->len_bytes--;
    c->pos = next;
    if (c->n_fields > 1 || last->len_bytes) return HY_OK;
  }
}

void hy__csv_skip_lines(hy__csv *c, size_t n) {
  for (; n > 0 && c->pos < c->end; n--) {
    const char *at = memchr(c->pos, '\n', (size_t)(c->end - c->pos));
    c->pos = at ? at + 1 : c->end;
    c->n_lines++;
  }
  c->block = NULL;
}

/* --- numbers --- */

bool hy__csv_is_missing(const char *text, size_t len_bytes) {
  static const char *const words[] = {"",  "-",    "na",   "n/a", "nan",
                                      ".", "null", "none", "nil", "#n/a"};
  char lower[8];
  if (len_bytes >= sizeof lower) return false;
  for (size_t k = 0; k < len_bytes; k++)
    lower[k] = text[k] >= 'A' && text[k] <= 'Z' ? (char)(text[k] - 'A' + 'a') : text[k];
  lower[len_bytes] = '\0';
  for (size_t k = 0; k < HY_COUNT(words); k++)
    if (strcmp(lower, words[k]) == 0) return true;
  return false;
}

static const double tens[8] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};

/* Up to eight characters, digits with at most one point, in one register: the point is squeezed
 * out, the digits are checked and weighed by three products; one exact division then rounds once.
 */
static inline bool short_number(uint64_t x, size_t len_bytes, double *out) {
  const uint64_t ones = 0x0101010101010101u, zeros = 0x3030303030303030u;
  const unsigned pad_bits = (unsigned)(8 - len_bytes) * 8;
  x <<= pad_bits; /* the last character stands in the top byte, '0' before the first */
  if (pad_bits) x |= zeros >> (64 - pad_bits);
  const uint64_t point = x ^ 0x2e * ones;
  const uint64_t hit = (point - ones) & ~point & 0x80 * ones;
  unsigned n_fraction = 0;
  if (hit) {
    const unsigned at_bits = (unsigned)__builtin_ctzll(hit) & ~7u;
    const uint64_t below = (UINT64_C(1) << at_bits) - 1;
    n_fraction = 7 - at_bits / 8;
    x = (x & ~below & ~(UINT64_C(0xff) << at_bits)) | (x & below) << 8 | '0';
    if (len_bytes == 1) return false;
  }
  if (((x + 0x46 * ones) | (x - zeros)) & 0x80 * ones) return false;
  x -= zeros;
  x = x * 10 + (x >> 8);
  const uint64_t n = (((x & 0x000000ff000000ffu) * 0x000f424000000064u) +
                      (((x >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
                     32;
  *out = (double)(uint32_t)n / tens[n_fraction];
  return true;
}

bool hy__csv_f64(const char *text, size_t len_bytes, const char *end, double *out) {
  if (len_bytes - 1 < 8) { /* 1 to 8 */
    uint64_t x = 0;
    if (end - text >= 8)
      memcpy(&x, text, 8);
    else
      memcpy(&x, text, len_bytes);
    if (short_number(x, len_bytes, out)) return true;
  }
  if (len_bytes == 0) return false;
  const char *after = hy__parse_f64(text, text + len_bytes, out);
  return after == text + len_bytes;
}

/* A mark between digits groups them only by threes: 1,234 but not 12,5. */
static bool groups(const char *text, size_t len_bytes, size_t at) {
  size_t n = 0;
  while (at + 1 + n < len_bytes && text[at + 1 + n] >= '0' && text[at + 1 + n] <= '9') n++;
  return n == 3;
}

bool hy__csv_f64_grouped(const char *text, size_t len_bytes, char decimal, double *out) {
  char plain[64];
  size_t n = 0;
  while (len_bytes > 0 && *text == ' ') text++, len_bytes--;
  while (len_bytes > 0 && text[len_bytes - 1] == ' ') len_bytes--;
  if (len_bytes >= sizeof plain) return false;
  for (size_t k = 0; k < len_bytes; k++) {
    const char ch = text[k];
    if (ch == decimal)
      plain[n++] = '.';
    else if (ch != ' ' && ch != '\'' && ch != '_' && ch != ',' && ch != '.')
      plain[n++] = ch;
    else if (n == 0 || !groups(text, len_bytes, k))
      return false;
  }
  return n > 0 && hy__parse_f64(plain, plain + n, out) == plain + n;
}
