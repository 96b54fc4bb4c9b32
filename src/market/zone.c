/* SPDX-License-Identifier: Apache-2.0
 * Time zones: a bounded reader of the system's TZif files (RFC 8536) with the POSIX rule that
 * continues them, and wall clock to UTC with its two troubles, hours that happen twice and hours
 * that never do. */
#include <stdio.h>

#include "market/time.h"

enum { TRANSITIONS_MAX = 20000, TYPES_MAX = 256, RULE_BYTES_MAX = 128, FILE_BYTES_MAX = 1 << 20 };
#define ZONEINFO "/usr/share/zoneinfo/"

typedef struct change {
  char kind; /* 'M' month.week.day, 'J' day 1-365 without 29 February, 'N' day 0-365 */
  int32_t month, week, day;
  int32_t wall_s; /* of the clock before the change */
} change;

typedef struct rule {
  bool given, has_summer;
  int32_t standard_s, summer_s; /* offsets east of Greenwich */
  change to_summer, to_standard;
} rule;

struct hy__zone {
  const hy_allocator *allocator;
  size_t bytes;
  size_t n_transitions;
  const int64_t *at_s;     /* [n_transitions] */
  const int32_t *offset_s; /* [n_transitions] from then on */
  int32_t first_offset_s;
  rule rule;
};

/* --- POSIX rules --- */

static bool rule_number(const char **text, int32_t most, int32_t *out) {
  int n = 0;
  *out = 0;
  for (; n < 4 && **text >= '0' && **text <= '9'; n++, (*text)++) *out = *out * 10 + (**text - '0');
  return n > 0 && *out <= most;
}

static bool rule_name(const char **text) {
  const char *from = *text;
  if (**text == '<') {
    while (**text && **text != '>') (*text)++;
    return *(*text)++ == '>' && *text - from > 3;
  }
  while ((**text >= 'A' && **text <= 'Z') || (**text >= 'a' && **text <= 'z')) (*text)++;
  return *text - from >= 3;
}

/* [+-]hh[:mm[:ss]]; RFC 8536 lets the hours of a change run from -167 to 167. */
static bool rule_clock(const char **text, int32_t *out_s) {
  int32_t h, m = 0, s = 0;
  const bool minus = **text == '-';
  if (**text == '-' || **text == '+') (*text)++;
  if (!rule_number(text, 167, &h)) return false;
  if (**text == ':' && ((*text)++, !rule_number(text, 59, &m))) return false;
  if (**text == ':' && ((*text)++, !rule_number(text, 59, &s))) return false;
  *out_s = (h * 3600 + m * 60 + s) * (minus ? -1 : 1);
  return true;
}

static bool rule_change(const char **text, change *c) {
  if (*(*text)++ != ',') return false;
  c->wall_s = 7200;
  c->kind = 'N';
  if (**text == 'M') {
    c->kind = *(*text)++;
    if (!rule_number(text, 12, &c->month) || c->month < 1 || *(*text)++ != '.') return false;
    if (!rule_number(text, 5, &c->week) || c->week < 1 || *(*text)++ != '.') return false;
    if (!rule_number(text, 6, &c->day)) return false;
  } else {
    if (**text == 'J') c->kind = *(*text)++;
    if (!rule_number(text, 365, &c->day) || (c->kind == 'J' && c->day < 1)) return false;
  }
  if (**text != '/') return true;
  (*text)++;
  return rule_clock(text, &c->wall_s);
}

static bool rule_parse(const char *text, rule *r) {
  int32_t west_s;
  memset(r, 0, sizeof *r);
  if (!rule_name(&text) || !rule_clock(&text, &west_s)) return false;
  r->given = true;
  r->standard_s = r->summer_s = -west_s;
  if (!*text) return true;
  r->has_summer = true;
  if (!rule_name(&text)) return false;
  r->summer_s = r->standard_s + 3600;
  if (*text != ',') {
    if (!rule_clock(&text, &west_s)) return false;
    r->summer_s = -west_s;
  }
  return rule_change(&text, &r->to_summer) && rule_change(&text, &r->to_standard) && !*text;
}

static int64_t change_days(const change *c, int32_t year) {
  const int64_t new_year = hy__date_days((hy__date){year, 1, 1});
  if (c->kind == 'N') return new_year + c->day;
  const int64_t march = hy__date_days((hy__date){year, 3, 1});
  if (c->kind == 'J') return new_year + c->day - 1 + (c->day >= 60 && march - new_year == 60);
  const int64_t first = hy__date_days((hy__date){year, c->month, 1});
  const int64_t next = c->month == 12 ? hy__date_days((hy__date){year + 1, 1, 1})
                                      : hy__date_days((hy__date){year, c->month + 1, 1});
  int64_t day = first + (c->day - hy__days_weekday(first) + 7) % 7 + 7 * (c->week - 1);
  while (day >= next) day -= 7;
  return day;
}

static int32_t rule_offset_s(const rule *r, int64_t utc_s) {
  if (!r->has_summer) return r->standard_s;
  int64_t days = (utc_s + r->standard_s) / HY_S_PER_DAY;
  if ((utc_s + r->standard_s) % HY_S_PER_DAY < 0) days--;
  const int32_t year = hy__date_from_days(days).year;
  const int64_t on =
      change_days(&r->to_summer, year) * HY_S_PER_DAY + r->to_summer.wall_s - r->standard_s;
  const int64_t off =
      change_days(&r->to_standard, year) * HY_S_PER_DAY + r->to_standard.wall_s - r->summer_s;
  const bool summer = on < off ? utc_s >= on && utc_s < off : utc_s >= on || utc_s < off;
  return summer ? r->summer_s : r->standard_s;
}

/* --- TZif --- */

typedef struct counts {
  uint32_t ut, standard, leap, time, type, chars;
  uint8_t version;
} counts;

static uint32_t u32be(hy__span *s) { return __builtin_bswap32(hy__span_u32le(s)); }
static int64_t i64be(hy__span *s) { return (int64_t)__builtin_bswap64(hy__span_u64le(s)); }

static hy_status read_counts(hy__span *s, counts *c, hy_error *err) {
  const uint8_t *magic = hy__span_take(s, 4);
  HY_FAIL_IF(!magic || memcmp(magic, "TZif", 4) != 0, HY_BAD_FORMAT, err,
             "not a time zone file: expected it to begin with TZif");
  c->version = hy__span_u8(s);
  (void)hy__span_take(s, 15);
  c->ut = u32be(s), c->standard = u32be(s), c->leap = u32be(s);
  c->time = u32be(s), c->type = u32be(s), c->chars = u32be(s);
  HY_FAIL_IF(s->failed, HY_BAD_FORMAT, err, "the time zone file ends within its head");
  HY_FAIL_IF(c->time > TRANSITIONS_MAX || c->type > TYPES_MAX || c->type == 0 || c->chars > 4096 ||
                 c->leap > 1000 || c->ut > TYPES_MAX || c->standard > TYPES_MAX,
             HY_LIMIT, err,
             "the time zone file's counts are past the limits (%d changes, %d types)",
             (int)TRANSITIONS_MAX, (int)TYPES_MAX);
  return HY_OK;
}

static void skip_body(hy__span *s, const counts *c, size_t time_bytes) {
  (void)hy__span_take(s, c->time * (time_bytes + 1) + c->type * 6 + c->chars +
                             c->leap * (time_bytes + 4) + c->standard + c->ut);
}

static hy_status zone_alloc(const hy_allocator *a, size_t n_transitions, hy__zone **out,
                            hy_error *err) {
  const size_t bytes = sizeof(hy__zone) + n_transitions * (sizeof(int64_t) + sizeof(int32_t));
  void *memory;
  HY_TRY(hy__alloc_zero(a, bytes, &memory, err));
  hy__zone *z = memory;
  z->allocator = a;
  z->bytes = bytes;
  z->n_transitions = n_transitions;
  z->at_s = (const int64_t *)(const void *)(z + 1);
  z->offset_s = (const int32_t *)(const void *)(z->at_s + n_transitions);
  *out = z;
  return HY_OK;
}

static bool offset_plausible(int32_t s) { return s > -26 * 3600 && s < 26 * 3600; }

/* Times, their types, the types; all within bounds or the span has failed. */
static hy_status fill_body(hy__zone *z, hy__span *s, const counts *c, hy_error *err) {
  int64_t *at = (int64_t *)(uintptr_t)z->at_s;
  int32_t *offset = (int32_t *)(uintptr_t)z->offset_s, offsets[TYPES_MAX] = {0};
  for (uint32_t k = 0; k < c->time; k++) {
    at[k] = i64be(s);
    HY_FAIL_IF(k > 0 && at[k] <= at[k - 1], HY_BAD_FORMAT, err,
               "the time zone file's change %u is not after the one before", k);
  }
  const uint8_t *types = hy__span_take(s, c->time);
  for (uint32_t k = 0; k < c->type; k++) {
    offsets[k] = (int32_t)u32be(s);
    (void)hy__span_take(s, 2);
    HY_FAIL_IF(!offset_plausible(offsets[k]), HY_BAD_FORMAT, err,
               "the time zone file's offset %d s is no offset", offsets[k]);
  }
  for (uint32_t k = 0; types && k < c->time; k++) {
    HY_FAIL_IF(types[k] >= c->type, HY_BAD_FORMAT, err,
               "the time zone file's change %u names a type that is not there", k);
    offset[k] = offsets[types[k]];
  }
  z->first_offset_s = offsets[0];
  (void)hy__span_take(s, c->chars + c->leap * 12 + c->standard + c->ut);
  HY_FAIL_IF(s->failed, HY_BAD_FORMAT, err, "the time zone file is truncated");
  return HY_OK;
}

static hy_status read_footer(hy__zone *z, hy__span *s, hy_error *err) {
  char text[RULE_BYTES_MAX];
  size_t n = 0;
  HY_FAIL_IF(hy__span_u8(s) != '\n', HY_BAD_FORMAT, err, "the time zone file lacks its rule line");
  uint8_t c = hy__span_u8(s);
  for (; c != '\n' && !s->failed && n + 1 < sizeof text; c = hy__span_u8(s)) text[n++] = (char)c;
  text[n] = '\0';
  HY_FAIL_IF(c != '\n' || strlen(text) != n || (n && !rule_parse(text, &z->rule)), HY_BAD_FORMAT,
             err, "the time zone file's rule \"%.60s\" is not understood", text);
  return HY_OK;
}

hy_status hy__zone_read(const hy_allocator *a, const void *data, size_t bytes, hy__zone **out,
                        hy_error *err) {
  hy__span s = hy__span_make(data, bytes);
  counts c;
  HY_TRY(read_counts(&s, &c, err));
  HY_FAIL_IF(c.version < '2', HY_UNSUPPORTED, err,
             "a time zone file of version 1: expected version 2 or later (64-bit times)");
  skip_body(&s, &c, 4);
  HY_TRY(read_counts(&s, &c, err));
  HY_FAIL_IF(hy__span_left(&s) < c.time * (size_t)9 + c.type * (size_t)6, HY_BAD_FORMAT, err,
             "the time zone file is truncated");
  hy__zone *z;
  HY_TRY(zone_alloc(a, c.time, &z, err));
  hy_status status = fill_body(z, &s, &c, err);
  if (status == HY_OK) status = read_footer(z, &s, err);
  if (status == HY_OK)
    *out = z;
  else
    hy__zone_close(z);
  return status;
}

hy_status hy__zone_from_rule(const hy_allocator *a, const char *text, hy__zone **out,
                             hy_error *err) {
  rule r;
  HY_FAIL_IF(!rule_parse(text, &r), HY_INVALID_ARGUMENT, err, "\"%.60s\" is no zone rule", text);
  HY_TRY(zone_alloc(a, 0, out, err));
  (*out)->rule = r;
  (*out)->first_offset_s = r.standard_s;
  return HY_OK;
}

/* "UTC", "GMT", "Z", and fixed offsets: UTC+3, UTC-05:30. */
static bool fixed_offset(const char *name, rule *r) {
  memset(r, 0, sizeof *r);
  r->given = true;
  if (strcmp(name, "Z") == 0 || strcmp(name, "Etc/UTC") == 0) return true;
  if (strncmp(name, "UTC", 3) != 0 && strncmp(name, "GMT", 3) != 0) return false;
  const char *text = name + 3;
  if (!*text) return true;
  if (*text != '+' && *text != '-') return false;
  const bool good = rule_clock(&text, &r->standard_s) && !*text && offset_plausible(r->standard_s);
  r->summer_s = r->standard_s;
  return good;
}

static bool name_is_safe(const char *name) {
  if (!name[0] || name[0] == '/' || strlen(name) > 100 || strstr(name, "..")) return false;
  for (const char *c = name; *c; c++)
    if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
          strchr("_+-/", *c)))
      return false;
  return true;
}

hy_status hy__zone_check(const char *name, hy_error *err) {
  rule fixed;
  char path[sizeof ZONEINFO + 128];
  if (fixed_offset(name, &fixed)) return HY_OK;
  HY_FAIL_IF(!name_is_safe(name), HY_INVALID_ARGUMENT, err,
             "\"%.60s\" is no zone: expected a name such as America/New_York, UTC, or UTC+3", name);
  (void)snprintf(path, sizeof path, ZONEINFO "%s", name);
  if (hy__path_exists(path) && !hy__path_is_folder(path)) return HY_OK;
  HY_FAIL_IF(hy__path_exists(ZONEINFO "."), HY_NOT_FOUND, err,
             "\"%s\" is no zone of " ZONEINFO ": expected a name such as America/New_York", name);
  return HY_OK;
}

hy_status hy__zone_open(const hy_allocator *a, const char *name, hy__zone **out, hy_error *err) {
  rule fixed;
  char path[sizeof ZONEINFO + 128];
  if (fixed_offset(name, &fixed)) {
    HY_TRY(zone_alloc(a, 0, out, err));
    (*out)->rule = fixed;
    (*out)->first_offset_s = fixed.standard_s;
    return HY_OK;
  }
  HY_TRY(hy__zone_check(name, err));
  HY_FAIL_IF(!hy__path_exists(ZONEINFO "."), HY_NOT_FOUND, err,
             "zone %s: this machine has no time zone files in " ZONEINFO " (Debian package tzdata)",
             name);
  (void)snprintf(path, sizeof path, ZONEINFO "%s", name);
  hy__map map;
  HY_TRY(hy__map_open(path, &map, err));
  hy_status status = HY_OK;
  if (map.bytes > FILE_BYTES_MAX)
    status =
        hy__error_set(err, HY_LIMIT, "the time zone file is larger than %d bytes", FILE_BYTES_MAX);
  else
    status = hy__zone_read(a, map.data, map.bytes, out, err);
  hy__map_close(&map);
  if (status != HY_OK) hy__error_subject(err, path);
  return status;
}

void hy__zone_close(hy__zone *zone) {
  if (zone) hy__free(zone->allocator, zone, zone->bytes);
}

int32_t hy__zone_offset_s(const hy__zone *z, int64_t utc_s) {
  if (z->n_transitions == 0 || utc_s < z->at_s[0])
    return z->n_transitions == 0 && z->rule.given ? rule_offset_s(&z->rule, utc_s)
                                                  : z->first_offset_s;
  size_t low = 0, high = z->n_transitions;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (z->at_s[middle] <= utc_s)
      low = middle;
    else
      high = middle;
  }
  if (low + 1 == z->n_transitions && z->rule.given) return rule_offset_s(&z->rule, utc_s);
  return z->offset_s[low];
}

hy__wall hy__zone_to_utc(const hy__zone *z, int64_t wall_s, int64_t *utc_s, int64_t *later_s) {
  const int32_t before = hy__zone_offset_s(z, wall_s - HY_S_PER_DAY);
  const int32_t after = hy__zone_offset_s(z, wall_s + HY_S_PER_DAY);
  const int64_t first = wall_s - before, second = wall_s - after;
  *utc_s = *later_s = first;
  if (before == after) return HY_WALL_UNIQUE;
  const bool first_holds = hy__zone_offset_s(z, first) == before;
  const bool second_holds = hy__zone_offset_s(z, second) == after;
  if (first_holds && second_holds) {
    *utc_s = HY_MIN(first, second);
    *later_s = HY_MAX(first, second);
    return HY_WALL_AMBIGUOUS;
  }
  if (!first_holds && !second_holds) return HY_WALL_NONEXISTENT;
  *utc_s = *later_s = first_holds ? first : second;
  return HY_WALL_UNIQUE;
}
