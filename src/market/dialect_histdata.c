/* SPDX-License-Identifier: Apache-2.0
 * `histdata`: HistData's generic ASCII minute bars. Bids only, on Eastern Standard Time all year
 * (UTC-5, no daylight saving), stamped at the open; the volume column is always 0 and is left out.
 */
#include "market/dialect.h"

bool hy__dialect_histdata_knows(const hy__sample *s) {
  const hy__csv_field *f = &s->row[0][0];
  return s->delimiter == ';' && s->n_fields[0] == 6 && f->len_bytes == 15 && f->text[8] == ' ' &&
         hy__stamp_forms(f->text, f->len_bytes) == HY_FORM_COMPACT;
}

hy_status hy__dialect_histdata_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                    hy_error *err) {
  static const char *const fields[] = {"open", "high", "low", "close"};
  static const uint32_t columns[] = {1, 2, 3, 4};
  HY_FAIL_IF(s->n_fields[0] != 6, HY_BAD_FORMAT, err, "expected 6 columns, found %zu",
             s->n_fields[0]);
  HY_TRY(hy__plan_start(s, "histdata", arena, out, err));
  out->date = 0;
  out->zone = "UTC-5";
  out->ignored = "volume (always 0)";
  HY_TRY(hy__plan_fixed(out, arena, fields, columns, HY_COUNT(fields), err));
  /* DAT_ASCII_EURUSD_M1_2012 */
  const bool usual = strncmp(s->source->stem, "DAT_", 4) == 0;
  return hy__plan_symbol_from_stem(s, '_', usual ? 2 : 0, arena, out, err);
}
