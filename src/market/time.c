/* SPDX-License-Identifier: Apache-2.0
 * Dates, instants and timeframes as text: what specs, command lines and readers share. */
#include "market/time.h"

#include <stdio.h>

/* Days from civil and back: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public domain).
 */
int64_t hy__date_days(hy__date date) {
  const int64_t y = (int64_t)date.year - (date.month <= 2);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t month = (date.month + 9) % 12;
  const int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

hy__date hy__date_from_days(int64_t days) {
  const int64_t z = days + 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const int64_t day_of_era = z - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month = (5 * day_of_year + 2) / 153;
  const int32_t m = (int32_t)(month < 10 ? month + 3 : month - 9);
  return (hy__date){.year = (int32_t)(year_of_era + era * 400 + (m <= 2)),
                    .month = m,
                    .day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1)};
}

bool hy__date_exists(hy__date date) {
  if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1)
    return false;
  const hy__date back = hy__date_from_days(hy__date_days(date));
  return back.month == date.month && back.day == date.day;
}

/* Up to `most` digits; the count is the answer. */
static int digits(const char **text, int most, int32_t *out) {
  int n = 0;
  *out = 0;
  for (; n < most && **text >= '0' && **text <= '9'; n++, (*text)++)
    *out = *out * 10 + (**text - '0');
  return n;
}

static bool take(const char **text, char c) {
  if (**text != c) return false;
  (*text)++;
  return true;
}

static bool read_date(const char **text, hy__date *date) {
  return digits(text, 4, &date->year) == 4 && take(text, '-') &&
         digits(text, 2, &date->month) == 2 && take(text, '-') &&
         digits(text, 2, &date->day) == 2 && hy__date_exists(*date);
}

static bool read_clock(const char **text, int64_t *ns) {
  int32_t h, m, s = 0;
  if (digits(text, 2, &h) != 2 || !take(text, ':') || digits(text, 2, &m) != 2) return false;
  if (take(text, ':') && digits(text, 2, &s) != 2) return false;
  if (h > 23 || m > 59 || s > 59) return false;
  *ns = ((int64_t)h * 3600 + m * 60 + s) * HY_NS_PER_S;
  if (!take(text, '.')) return true;
  int64_t unit = HY_NS_PER_S;
  for (; **text >= '0' && **text <= '9'; (*text)++) {
    unit /= 10;
    *ns += unit * (**text - '0');
  }
  return true;
}

static bool read_offset(const char **text, int64_t *offset_s) {
  int32_t h, m = 0;
  *offset_s = 0;
  if (take(text, 'Z')) return true;
  const bool minus = **text == '-';
  if (!take(text, '-') && !take(text, '+')) return false;
  if (digits(text, 2, &h) != 2) return false;
  if (take(text, ':') || (**text >= '0' && **text <= '9'))
    if (digits(text, 2, &m) != 2) return false;
  if (h > 23 || m > 59) return false;
  *offset_s = ((int64_t)h * 3600 + m * 60) * (minus ? -1 : 1);
  return true;
}

static hy_status end_of_day(int64_t days, const char *zone, int64_t *out_ns, hy_error *err) {
  hy__zone *z;
  int64_t utc, later;
  HY_TRY(hy__zone_open(&hy__allocator_libc, zone && zone[0] ? zone : "UTC", &z, err));
  (void)hy__zone_to_utc(z, (days + 1) * HY_S_PER_DAY, &utc, &later);
  hy__zone_close(z);
  HY_FAIL_IF(!hy__mul_i64(utc, HY_NS_PER_S, out_ns), HY_INVALID_ARGUMENT, err,
             "the date is outside the years 1678 to 2261");
  return HY_OK;
}

hy_status hy__time_parse(const char *text, const char *zone, int64_t *out_ns, hy_error *err) {
  const char *at = text;
  hy__date date;
  int64_t clock_ns = 0, offset_s = 0;
  HY_FAIL_IF(!read_date(&at, &date), HY_INVALID_ARGUMENT, err,
             "\"%.40s\" is no time: expected 2024-01-31 or 2024-01-31T21:00:00Z", text);
  const int64_t days = hy__date_days(date);
  if (!*at) return end_of_day(days, zone, out_ns, err);
  HY_FAIL_IF((*at != 'T' && *at != ' ') || (at++, !read_clock(&at, &clock_ns)), HY_INVALID_ARGUMENT,
             err, "\"%.40s\" is no time: expected a clock such as T21:00:00Z after the date", text);
  HY_FAIL_IF(
      !read_offset(&at, &offset_s) || *at, HY_INVALID_ARGUMENT, err,
      "\"%.40s\" does not say where it is: expected Z or an offset such as +02:00 at its end",
      text);
  int64_t ns;
  const int64_t s = days * HY_S_PER_DAY - offset_s;
  HY_FAIL_IF(!hy__mul_i64(s, HY_NS_PER_S, &ns) || !hy__add_i64(ns, clock_ns, out_ns),
             HY_INVALID_ARGUMENT, err, "\"%.40s\" is outside the years 1678 to 2261", text);
  return HY_OK;
}

void hy__time_format(int64_t time_ns, char text[40]) {
  int64_t s = time_ns / HY_NS_PER_S, ns = time_ns % HY_NS_PER_S;
  if (ns < 0) ns += HY_NS_PER_S, s--;
  int64_t days = s / HY_S_PER_DAY, in_day = s % HY_S_PER_DAY;
  if (in_day < 0) in_day += HY_S_PER_DAY, days--;
  const hy__date d = hy__date_from_days(days);
  int n = snprintf(text, 40, "%04d-%02d-%02dT%02d:%02d:%02d", d.year, d.month, d.day,
                   (int)(in_day / 3600), (int)(in_day / 60 % 60), (int)(in_day % 60));
  if (ns) {
    n += snprintf(text + n, 40 - (size_t)n, ".%09d", (int)ns);
    while (text[n - 1] == '0') n--;
  }
  text[n] = 'Z';
  text[n + 1] = '\0';
}

static const struct {
  char unit;
  int64_t s;
} units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

/* A twelfth of the Gregorian calendar's mean year: a whole number of days, hours or minutes only by
 * 1600, 200 or 5 of them, and those are no timeframe. */
#define MONTH_S INT64_C(2629746)

int64_t hy__timeframe_months(int64_t ns) {
  const int64_t month_ns = MONTH_S * HY_NS_PER_S;
  return ns > 0 && ns % month_ns == 0 && 12 % (ns / month_ns) == 0 ? ns / month_ns : 0;
}

int64_t hy__timeframe_longest_ns(int64_t ns) {
  const int64_t n = hy__timeframe_months(ns);
  return n ? n * 31 * HY_S_PER_DAY * HY_NS_PER_S : ns;
}

bool hy__timeframe_divides(int64_t base_ns, int64_t ns) {
  if (!hy__timeframe_months(ns) || hy__timeframe_months(base_ns)) return ns % base_ns == 0;
  return HY_S_PER_DAY * HY_NS_PER_S % base_ns == 0;
}

/* MN1, 1mo. */
static bool read_months(const char *text, int64_t *out_ns) {
  const bool names_first = text[0] == 'M' && text[1] == 'N';
  const char *at = text + (names_first ? 2 : 0);
  int32_t n = 0;
  if (digits(&at, 2, &n) == 0 || strcmp(at, names_first ? "" : "mo") != 0) return false;
  *out_ns = n * MONTH_S * HY_NS_PER_S;
  return hy__timeframe_months(*out_ns) != 0;
}

hy_status hy__timeframe_parse(const char *text, int64_t *out_ns, hy_error *err) {
  const char *at = text;
  if (read_months(text, out_ns)) return HY_OK;
  int32_t n = 0;
  char unit = 0;
  if (*at >= '0' && *at <= '9') {
    (void)digits(&at, 6, &n);
    unit = *at ? *at++ : 0;
    if (unit == 'M') unit = 0; /* minutes or months */
    if (unit == 'm' && at[0] == 'i' && at[1] == 'n') at += 2;
  } else if (*at) { /* M1, H4, D1 */
    unit = *at++;
    if (digits(&at, 6, &n) == 0 || text[0] >= 'a') unit = 0;
  }
  if (unit >= 'A' && unit <= 'Z') unit = (char)(unit - 'A' + 'a');
  for (size_t k = 0; k < HY_COUNT(units); k++) {
    if (!unit || units[k].unit != unit || *at || n < 1) continue;
    if (hy__mul_i64((int64_t)n * units[k].s, HY_NS_PER_S, out_ns)) return HY_OK;
  }
  HY_FAIL(HY_INVALID_ARGUMENT, err,
          "\"%.20s\" is no timeframe: expected a number and s, m, h, d or w (1m, 4h, 1d), 1, 2, 3, "
          "4, 6 or 12 and mo, or M1, H4, D1, MN1",
          text);
}

void hy__timeframe_format(int64_t ns, char text[24]) {
  text[0] = '\0';
  const int64_t months = hy__timeframe_months(ns);
  if (months) (void)snprintf(text, 24, "%lldmo", (long long)months);
  for (size_t k = 0; !months && ns > 0 && k < HY_COUNT(units); k++) {
    const int64_t unit_ns = units[k].s * HY_NS_PER_S;
    if (ns % unit_ns) continue;
    (void)snprintf(text, 24, "%lld%c", (long long)(ns / unit_ns), units[k].unit);
    return;
  }
}
