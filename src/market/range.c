/* SPDX-License-Identifier: Apache-2.0
 * Rows of a universe by time: what --at, --from and --to mean, the same for every command. */
#include <stdio.h>

#include "market/market.h"

static const int64_t day_ns = INT64_C(86400000000000);

/* Bars at or before time_ns. */
static size_t count_until(const hy_universe_info *info, int64_t time_ns) {
  size_t low = 0, high = info->n_bars;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (info->time_ns[middle] <= time_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static bool is_date(const char *text) { return strlen(text) == sizeof "2024-01-31" - 1; }

static hy_status find_end(const hy_universe_info *info, const char *text, size_t *t_end,
                          hy_error *err) {
  int64_t time_ns;
  *t_end = info->n_bars;
  if (!text || !strcmp(text, "last")) return HY_OK;
  HY_TRY(hy__time_parse(text, info->zone, &time_ns, err));
  *t_end = count_until(info, time_ns);
  HY_FAIL_IF(*t_end == 0, HY_NOT_FOUND, err, "%.60s is before the universe's first bar", text);
  return HY_OK;
}

/* A date's beginning is the end of the day before, whose length daylight saving may change. */
static hy_status parse_beginning(const char *date, const char *zone, int64_t *out_ns,
                                 hy_error *err) {
  char text[40];
  int64_t noon_ns;
  (void)snprintf(text, sizeof text, "%.10sT12:00:00Z", date);
  HY_TRY(hy__time_parse(text, zone, &noon_ns, err));
  hy__time_format(noon_ns - day_ns, text);
  text[sizeof "2024-01-31" - 1] = '\0';
  return hy__time_parse(text, zone, out_ns, err);
}

static hy_status find_begin(const hy_universe_info *info, const char *text, size_t *t_begin,
                            hy_error *err) {
  int64_t time_ns;
  *t_begin = 0;
  if (!text) return HY_OK;
  if (!strcmp(text, "last")) {
    *t_begin = info->n_bars - 1;
    return HY_OK;
  }
  if (is_date(text))
    HY_TRY(parse_beginning(text, info->zone, &time_ns, err));
  else
    HY_TRY(hy__time_parse(text, info->zone, &time_ns, err));
  *t_begin = count_until(info, is_date(text) ? time_ns : time_ns - 1);
  HY_FAIL_IF(*t_begin == info->n_bars, HY_NOT_FOUND, err, "%.60s is after the universe's last bar",
             text);
  return HY_OK;
}

hy_status hy_universe_find_rows(const hy_universe *u, const char *at, const char *from,
                                const char *to, size_t *t_begin, size_t *t_end, hy_error *err) {
  HY_FAIL_IF(!u || !t_begin || !t_end, HY_INVALID_ARGUMENT, err,
             "hy_universe_find_rows: universe, t_begin and t_end must be given");
  HY_FAIL_IF(at && (from || to), HY_INVALID_ARGUMENT, err, "give one time, or a range, not both");
  hy_universe_info info = {.struct_size = sizeof info};
  size_t begin = 0, end = 0;
  hy_universe_describe(u, &info);
  HY_FAIL_IF(info.n_bars == 0, HY_NOT_FOUND, err, "the universe has no bars");
  if (at) {
    HY_TRY(find_end(&info, at, &end, err));
    begin = end - 1;
  } else {
    HY_TRY(find_begin(&info, from, &begin, err));
    HY_TRY(find_end(&info, to, &end, err));
    HY_FAIL_IF(begin >= end, HY_NOT_FOUND, err, "no bar lies between %.60s and %.60s",
               from ? from : "the first", to ? to : "the last");
  }
  *t_begin = begin;
  *t_end = end;
  return HY_OK;
}
