/* SPDX-License-Identifier: Apache-2.0
 * `wide`: a time in the first column, then one column of closes per symbol, named in the head. */
#include "market/dialect.h"

bool hy__dialect_wide_knows(const hy__sample *s) {
  if (s->n_rows < 2 || s->n_fields[0] < 2 || !hy__sample_is_time(s, 1, 0)) return false;
  if (hy__sample_is_time(s, 0, 0)) return false; /* no head */
  for (size_t k = 1; k < s->n_fields[0]; k++)
    if (hy__sample_is_number(s, 1, k)) return true;
  return false;
}

hy_status hy__dialect_wide_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                hy_error *err) {
  void *memory;
  HY_TRY(hy__plan_start(s, "wide", arena, out, err));
  HY_FAIL_IF(s->n_fields[0] < 2, HY_BAD_FORMAT, err,
             "one column; expected a time and a column per symbol");
  out->skip_lines = s->line[0];
  out->n_columns = s->n_fields[0];
  out->date = 0;
  HY_TRY(hy__arena_array(arena, s->n_fields[0], sizeof(char *), &memory, err));
  out->symbols = memory;
  for (uint32_t k = 1; k < s->n_fields[0]; k++) {
    const hy__csv_field *name = &s->row[0][k];
    if (name->len_bytes == 0 && !hy__sample_is_number(s, 1, k)) continue; /* a delimiter too many */
    HY_TRY(hy__arena_text(arena, name->text, name->len_bytes, &out->symbols[out->n_symbols], err));
    HY_TRY(hy__plan_add(out, arena, k, "close", (int32_t)out->n_symbols, err));
    out->n_symbols++;
  }
  return hy__universe_check_names(s->source->allocator, "symbol of the head,", out->symbols,
                                  out->n_symbols, err);
}
