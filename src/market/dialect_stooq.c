/* SPDX-License-Identifier: Apache-2.0
 * `stooq`: Stooq's database files, with a ticker in each row; prices are adjusted. Daily files of
 * its web page (Date,Open,High,Low,Close,Volume) are `single`. */
#include "market/dialect.h"

bool hy__dialect_stooq_knows(const hy__sample *s) {
  return s->n_fields[0] >= 9 && hy__field_is(&s->row[0][0], "<TICKER>") &&
         hy__field_is(&s->row[0][1], "<PER>");
}

hy_status hy__dialect_stooq_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                 hy_error *err) {
  HY_FAIL_IF(!hy__dialect_stooq_knows(s), HY_BAD_FORMAT, err,
             "expected a head that begins with <TICKER>,<PER>");
  HY_TRY(hy__plan_start(s, "stooq", arena, out, err));
  out->skip_lines = s->line[0];
  out->n_columns = s->n_fields[0];
  out->symbol = 0;
  out->zone = NULL;
  out->zone_hint = "Stooq's intraday clocks are not named in the file";
  /* daily files write 000000 for every time: not a clock */
  const bool daily = s->n_rows > 1 && s->n_fields[1] > 1 && hy__field_is(&s->row[1][1], "D");
  for (uint32_t k = 2; k < s->n_fields[0]; k++) {
    char own[64];
    const char *field;
    switch (hy__column_role(&s->row[0][k], &field)) {
    case HY_ROLE_DATE: out->date = (int32_t)k; continue;
    case HY_ROLE_CLOCK: out->clock = daily ? -1 : (int32_t)k; continue;
    case HY_ROLE_FIELD: break;
    default:
      if (!hy__column_name(&s->row[0][k], own)) continue;
      field = own;
    }
    HY_TRY(hy__plan_add(out, arena, k, field, -1, err));
  }
  return HY_OK;
}
