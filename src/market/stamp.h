/* SPDX-License-Identifier: Apache-2.0
 * Times as other tools write them: which form a column has, and each value of it to UTC. */
#ifndef HY_MARKET_STAMP_H
#define HY_MARKET_STAMP_H

#include "market/time.h"

typedef enum hy__stamp_form {
  HY_FORM_NONE = 0,
  HY_FORM_YMD = 1,     /* 2024-01-31, also / and ., with or without a clock */
  HY_FORM_COMPACT = 2, /* 20240131, 20240131 093000, 202401310930 */
  HY_FORM_DMY = 4,     /* 31.1.2024 */
  HY_FORM_MDY = 8,     /* 1/31/2024 */
  HY_FORM_EPOCH = 16   /* seconds, milli-, micro- or nanoseconds since 1970, by magnitude */
} hy__stamp_form;

typedef struct hy__stamp_value {
  int64_t wall_s; /* since 1970-01-01 00:00 on the wall clock, or UTC */
  int32_t ns;
  bool has_clock, is_utc;
} hy__stamp_value;

/* The forms that a text could have, as a set; 0: it is no time. */
unsigned hy__stamp_forms(const char *text, size_t len_bytes);
bool hy__stamp_parse(hy__stamp_form form, const char *text, size_t len_bytes, hy__stamp_value *out);
/* A clock of its own column: 09:30, 09:30:00.5, 093000, 930. */
bool hy__stamp_clock(const char *text, size_t len_bytes, hy__stamp_value *out);
const char *hy__stamp_form_name(hy__stamp_form form);

/* Wall clocks of one zone to UTC; remembers the last day, most of which have one offset. */
typedef struct hy__walls {
  const hy__zone *zone;
  int64_t day; /* that plain_offset_s holds for */
  bool plain;
  int32_t plain_offset_s;
  uint64_t n_ambiguous, n_nonexistent;
} hy__walls;
void hy__walls_init(hy__walls *w, const hy__zone *zone);
/* later_s: differs from the result where the clock shows that time twice. */
int64_t hy__walls_utc_s(hy__walls *w, int64_t wall_s, int64_t *later_s);

#endif
