/* SPDX-License-Identifier: Apache-2.0
 * `mt5` and `mt4`: MetaTrader's exports. Stamps are bar opens on the server's clock, which the file
 * does not name; ticks are counted, so <TICKVOL> is kept apart from <VOL>, which brokers often
 * leave 0. */
#include "market/dialect.h"

static const char server_hint[] =
    "MetaTrader writes its server's clock, often Europe/Athens or UTC+2";

bool hy__dialect_mt5_knows(const hy__sample *s) { return hy__field_is(&s->row[0][0], "<DATE>"); }

hy_status hy__dialect_mt5_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                               hy_error *err) {
  HY_FAIL_IF(!hy__dialect_mt5_knows(s), HY_BAD_FORMAT, err,
             "expected a head that begins with <DATE>");
  HY_TRY(hy__plan_start(s, "mt5", arena, out, err));
  out->skip_lines = s->line[0];
  out->n_columns = s->n_fields[0];
  out->zone = NULL;
  out->zone_hint = server_hint;
  for (uint32_t k = 0; k < s->n_fields[0]; k++) {
    char own[64];
    const char *field;
    switch (hy__column_role(&s->row[0][k], &field)) {
    case HY_ROLE_DATE: out->date = (int32_t)k; continue;
    case HY_ROLE_CLOCK: out->clock = (int32_t)k; continue;
    case HY_ROLE_FIELD: break;
    default:
      if (!hy__column_name(&s->row[0][k], own)) continue;
      field = own;
    }
    HY_TRY(hy__plan_add(out, arena, k, field, -1, err));
  }
  return hy__plan_symbol_from_stem(s, '_', 0, arena, out, err);
}

bool hy__dialect_mt4_knows(const hy__sample *s) {
  hy__stamp_value clock = {0};
  if (s->n_fields[0] != 7 || s->row[0][0].len_bytes != 10) return false;
  const hy__csv_field *date = &s->row[0][0], *time = &s->row[0][1];
  return date->text[4] == '.' && hy__stamp_forms(date->text, 10) == HY_FORM_YMD &&
         hy__stamp_clock(time->text, time->len_bytes, &clock) && hy__sample_is_number(s, 0, 5);
}

hy_status hy__dialect_mt4_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                               hy_error *err) {
  static const char *const fields[] = {"open", "high", "low", "close", "tick_volume"};
  static const uint32_t columns[] = {2, 3, 4, 5, 6};
  HY_FAIL_IF(s->n_fields[0] != 7, HY_BAD_FORMAT, err, "expected 7 columns, found %zu",
             s->n_fields[0]);
  HY_TRY(hy__plan_start(s, "mt4", arena, out, err));
  out->date = 0, out->clock = 1;
  out->zone = NULL;
  out->zone_hint = server_hint;
  HY_TRY(hy__plan_fixed(out, arena, fields, columns, HY_COUNT(fields), err));
  return hy__plan_symbol_from_stem(s, '_', 0, arena, out, err);
}
