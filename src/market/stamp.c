/* SPDX-License-Identifier: Apache-2.0
 * Time stamps of files: the five forms, their clocks and offsets, without a locale. */
#include "market/stamp.h"

typedef struct cursor {
  const char *at, *end;
} cursor;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int digits(cursor *c, int most, int32_t *out) {
  int n = 0;
  int32_t value = 0;
  for (; n < most && c->at < c->end && is_digit(*c->at); n++) value = value * 10 + (*c->at++ - '0');
  *out = value;
  return n;
}

static bool take(cursor *c, char what) {
  if (c->at == c->end || *c->at != what) return false;
  c->at++;
  return true;
}

static bool take_word(cursor *c, const char *lower) {
  const size_t n = strlen(lower);
  if ((size_t)(c->end - c->at) < n) return false;
  for (size_t k = 0; k < n; k++)
    if ((c->at[k] | 0x20) != lower[k]) return false;
  c->at += n;
  return true;
}

static bool separator(cursor *c, char *used) {
  if (c->at == c->end || (*c->at != '-' && *c->at != '/' && *c->at != '.')) return false;
  if (*used && *used != *c->at) return false;
  *used = *c->at++;
  return true;
}

static bool read_date(cursor *c, hy__stamp_form form, hy__date *d) {
  char used = 0;
  if (form == HY_FORM_COMPACT) {
    int32_t n;
    if (c->end - c->at < 8 || digits(c, 8, &n) != 8) return false;
    *d = (hy__date){n / 10000, n / 100 % 100, n % 100};
    return hy__date_exists(*d);
  }
  if (form == HY_FORM_YMD)
    return digits(c, 4, &d->year) == 4 && separator(c, &used) && digits(c, 2, &d->month) > 0 &&
           separator(c, &used) && digits(c, 2, &d->day) > 0 && hy__date_exists(*d);
  int32_t first, second;
  if (digits(c, 2, &first) == 0 || !separator(c, &used) || digits(c, 2, &second) == 0) return false;
  if (!separator(c, &used) || digits(c, 4, &d->year) != 4) return false;
  d->day = form == HY_FORM_DMY ? first : second;
  d->month = form == HY_FORM_DMY ? second : first;
  return hy__date_exists(*d);
}

static bool read_fraction(cursor *c, int32_t *ns) {
  int32_t unit = 100000000;
  const char *from = c->at;
  for (*ns = 0; c->at < c->end && is_digit(*c->at); c->at++, unit /= 10)
    *ns += unit * (*c->at - '0');
  return c->at > from;
}

/* hh:mm[:ss[.fff]] or, without colons, h[h]mm[ss]. */
static bool read_clock(cursor *c, hy__stamp_value *out) {
  int32_t h, m, s = 0, n;
  const char *from = c->at;
  if (digits(c, 6, &n) <= 2 && take(c, ':')) {
    h = n;
    if (digits(c, 2, &m) != 2) return false;
    if (take(c, ':')) {
      if (digits(c, 2, &s) != 2) return false;
      if ((take(c, '.') || take(c, ',')) && !read_fraction(c, &out->ns)) return false;
    }
  } else {
    const int64_t width = c->at - from;
    if (width < 3) return false;
    if (width <= 4) n *= 100;
    h = n / 10000, m = n / 100 % 100, s = n % 100;
  }
  cursor after = *c;
  (void)take(&after, ' ');
  if (h <= 12 && h > 0 && take_word(&after, "pm"))
    h = h % 12 + 12, *c = after;
  else if (h <= 12 && h > 0 && take_word(&after, "am"))
    h = h % 12, *c = after;
  if (m > 59 || s > 59 || h > 24 || (h == 24 && m + s > 0)) return false;
  out->wall_s += (int64_t)h * 3600 + m * 60 + s;
  out->has_clock = true;
  return true;
}

/* Z, UTC, +02:00, -0500, GMT+0100; nothing leaves the wall clock. */
static bool read_offset(cursor *c, hy__stamp_value *out) {
  int32_t h, m = 0;
  while (take(c, ' ')) continue;
  if (c->at == c->end) return true;
  out->is_utc = true;
  if (take_word(c, "z") || ((take_word(c, "utc") || take_word(c, "gmt")) && c->at == c->end))
    return c->at == c->end;
  if (*c->at != '+' && *c->at != '-') return false;
  const int32_t sign = *c->at++ == '-' ? -1 : 1;
  if (digits(c, 2, &h) != 2) return false;
  (void)take(c, ':');
  if (c->at < c->end && digits(c, 2, &m) != 2) return false;
  if (h > 23 || m > 59) return false;
  out->wall_s -= sign * (h * 3600 + m * 60);
  return c->at == c->end;
}

/* 1e11 s is the year 5138; 1e11 ms is 1973: every unit has three decades of its own. */
static bool read_epoch(cursor *c, hy__stamp_value *out) {
  int64_t n;
  const char *after = hy__parse_i64(c->at, c->end, &n);
  if (after == c->at || n < 0) return false;
  c->at = after;
  const int64_t per_s = n < INT64_C(100000000000)         ? 1
                        : n < INT64_C(100000000000000)    ? 1000
                        : n < INT64_C(100000000000000000) ? 1000000
                                                          : 1000000000;
  out->wall_s = n / per_s;
  out->ns = (int32_t)(n % per_s * (1000000000 / per_s));
  if (take(c, '.') && per_s == 1) (void)read_fraction(c, &out->ns);
  while (c->at < c->end && *c->at == '0') c->at++; /* 1704067200000.0 */
  out->has_clock = out->is_utc = true;
  return c->at == c->end;
}

static cursor trimmed(const char *text, size_t len_bytes) {
  cursor c = {text, text + len_bytes};
  while (c.at < c.end && *c.at == ' ') c.at++;
  while (c.at < c.end && c.end[-1] == ' ') c.end--;
  return c;
}

bool hy__stamp_parse(hy__stamp_form form, const char *text, size_t len_bytes,
                     hy__stamp_value *out) {
  cursor c = trimmed(text, len_bytes);
  hy__date date;
  *out = (hy__stamp_value){0};
  if (form == HY_FORM_EPOCH) return read_epoch(&c, out);
  if (form == HY_FORM_NONE || !read_date(&c, form, &date)) return false;
  out->wall_s = hy__date_days(date) * HY_S_PER_DAY;
  if (c.at == c.end) return true;
  if (!take(&c, 'T') && !take(&c, ' ') && form != HY_FORM_COMPACT) return false;
  while (take(&c, ' ')) continue;
  return read_clock(&c, out) && read_offset(&c, out);
}

bool hy__stamp_clock(const char *text, size_t len_bytes, hy__stamp_value *out) {
  cursor c = trimmed(text, len_bytes);
  return read_clock(&c, out) && read_offset(&c, out);
}

unsigned hy__stamp_forms(const char *text, size_t len_bytes) {
  static const hy__stamp_form forms[] = {HY_FORM_YMD, HY_FORM_COMPACT, HY_FORM_DMY, HY_FORM_MDY};
  hy__stamp_value value;
  unsigned set = 0;
  for (size_t k = 0; k < HY_COUNT(forms); k++)
    if (hy__stamp_parse(forms[k], text, len_bytes, &value)) set |= forms[k];
  if (set == (HY_FORM_DMY | HY_FORM_MDY) && memchr(text, '.', len_bytes) && text[0] != '/' &&
      !memchr(text, '/', len_bytes) && !memchr(text, '-', len_bytes))
    set = HY_FORM_DMY; /* dates with points are written day first wherever they are written */
  const cursor c = trimmed(text, len_bytes);
  if (set == 0 && c.end - c.at >= 9 && hy__stamp_parse(HY_FORM_EPOCH, text, len_bytes, &value))
    set = HY_FORM_EPOCH;
  return set;
}

const char *hy__stamp_form_name(hy__stamp_form form) {
  switch (form) {
  case HY_FORM_YMD: return "2024-01-31 (year first)";
  case HY_FORM_COMPACT: return "20240131";
  case HY_FORM_DMY: return "31.1.2024 (day first)";
  case HY_FORM_MDY: return "1/31/2024 (month first)";
  case HY_FORM_EPOCH: return "a count since 1970 (s, ms, us or ns)";
  case HY_FORM_NONE: break;
  }
  return "a time";
}

void hy__walls_init(hy__walls *w, const hy__zone *zone) {
  *w = (hy__walls){.zone = zone, .day = INT64_MIN};
}

int64_t hy__walls_utc_s(hy__walls *w, int64_t wall_s, int64_t *later_s) {
  int64_t utc_s;
  int64_t day = wall_s / HY_S_PER_DAY;
  if (wall_s % HY_S_PER_DAY < 0) day--;
  if (day != w->day) {
    const int32_t before = hy__zone_offset_s(w->zone, (day - 2) * HY_S_PER_DAY);
    w->day = day;
    w->plain_offset_s = before;
    w->plain = before == hy__zone_offset_s(w->zone, (day + 3) * HY_S_PER_DAY);
  }
  if (w->plain) return *later_s = wall_s - w->plain_offset_s;
  const hy__wall kind = hy__zone_to_utc(w->zone, wall_s, &utc_s, later_s);
  w->n_ambiguous += kind == HY_WALL_AMBIGUOUS;
  w->n_nonexistent += kind == HY_WALL_NONEXISTENT;
  return utc_s;
}
