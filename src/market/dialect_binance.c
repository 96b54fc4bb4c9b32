/* SPDX-License-Identifier: Apache-2.0
 * `binance`: klines of data.binance.vision. Open times are milliseconds, for spot since 2025
 * microseconds; twelve columns, the last one unused. */
#include "market/dialect.h"

bool hy__dialect_binance_knows(const hy__sample *s) {
  const size_t row = s->n_rows > 1 && hy__field_is(&s->row[0][0], "open_time") ? 1 : 0;
  const hy__csv_field *f = &s->row[row][0];
  return s->n_fields[row] == 12 && hy__stamp_forms(f->text, f->len_bytes) == HY_FORM_EPOCH &&
         hy__sample_is_number(s, row, 6);
}

hy_status hy__dialect_binance_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                   hy_error *err) {
  static const char *const fields[] = {"open",
                                       "high",
                                       "low",
                                       "close",
                                       "volume",
                                       "quote_volume",
                                       "trades",
                                       "taker_buy_volume",
                                       "taker_buy_quote_volume"};
  static const uint32_t columns[] = {1, 2, 3, 4, 5, 7, 8, 9, 10};
  HY_FAIL_IF(s->n_fields[s->n_rows - 1] != 12, HY_BAD_FORMAT, err, "expected 12 columns, found %zu",
             s->n_fields[s->n_rows - 1]);
  HY_TRY(hy__plan_start(s, "binance", arena, out, err));
  out->skip_lines = hy__field_is(&s->row[0][0], "open_time") ? s->line[0] : 0;
  out->date = 0;
  HY_TRY(hy__plan_fixed(out, arena, fields, columns, HY_COUNT(fields), err));
  return hy__plan_symbol_from_stem(s, '-', 0, arena, out, err); /* BTCUSDT-1m-2024-01 */
}
