/* SPDX-License-Identifier: Apache-2.0
 * Tables with a head that names its columns: `long` (a symbol in each row) and `single` (a symbol
 * per file). The names of many tools are known; further columns of numbers become fields of their
 * own. */
#include <stdio.h>

#include "market/dialect.h"

typedef struct head {
  int32_t date, clock, symbol;
  size_t n_prices;
} head;

/* Which columns of row 0 are what. A `time` column alone holds dates too; an unnamed first one is
 * an index. */
static head read_head(const hy__sample *s) {
  head h = {-1, -1, -1, 0};
  int32_t stamp = -1;
  for (size_t k = 0; k < s->n_fields[0]; k++) {
    const char *field;
    const int32_t column = (int32_t)k;
    switch (hy__column_role(&s->row[0][k], &field)) {
    case HY_ROLE_DATE: h.date = h.date < 0 ? column : h.date; break;
    case HY_ROLE_CLOCK: h.clock = h.clock < 0 ? column : h.clock; break;
    case HY_ROLE_STAMP: stamp = stamp < 0 ? column : stamp; break;
    case HY_ROLE_SYMBOL: h.symbol = h.symbol < 0 ? column : h.symbol; break;
    case HY_ROLE_FIELD: h.n_prices += strcmp(field, "volume") != 0; break;
    case HY_ROLE_OTHER: break;
    }
  }
  if (stamp >= 0)
    h.date = stamp, h.clock = -1;
  else if (h.date < 0 && h.clock >= 0)
    h.date = h.clock, h.clock = -1;
  const hy__csv_field *first = &s->row[0][0];
  if (h.date < 0 && (first->len_bytes == 0 || hy__field_is(first, "index")) &&
      hy__sample_is_time(s, 1, 0))
    h.date = 0;
  return h;
}

bool hy__dialect_long_knows(const hy__sample *s) {
  const head h = read_head(s);
  return h.date >= 0 && h.symbol >= 0;
}

bool hy__dialect_single_knows(const hy__sample *s) {
  const head h = read_head(s);
  return h.date >= 0 && h.symbol < 0 && h.n_prices > 0;
}

static hy_status note_ignored(hy__plan *p, const hy__csv_field *name, hy__arena *arena,
                              hy_error *err) {
  return hy__arena_printf(arena, &p->ignored, err, "%.400s%s%.*s", p->ignored,
                          p->ignored[0] ? ", " : "", (int)HY_MIN(name->len_bytes, 60u), name->text);
}

static bool has_field(const hy__plan *p, const char *name) {
  for (size_t k = 0; k < p->n_fields; k++)
    if (strcmp(p->fields[k], name) == 0) return true;
  return false;
}

static hy_status plan_columns(const hy__sample *s, const head *h, hy__arena *arena, hy__plan *out,
                              hy_error *err) {
  for (uint32_t k = 0; k < s->n_fields[0]; k++) {
    const hy__csv_field *name = &s->row[0][k];
    char own[64];
    const char *field;
    if ((int32_t)k == h->date || (int32_t)k == h->clock || (int32_t)k == h->symbol) continue;
    const hy__role role = hy__column_role(name, &field);
    const bool known = role == HY_ROLE_FIELD && !has_field(out, field);
    if (!known &&
        (role == HY_ROLE_DATE || role == HY_ROLE_STAMP || !hy__column_name(name, own) ||
         has_field(out, own) || !hy__sample_is_number(s, 1, k) || strcmp(own, "valid") == 0)) {
      HY_TRY(note_ignored(out, name, arena, err));
      continue;
    }
    HY_TRY(hy__plan_add(out, arena, k, known ? field : own, -1, err));
  }
  return HY_OK;
}

static hy_status plan_table(const hy__sample *s, const char *dialect, hy__arena *arena,
                            hy__plan *out, hy_error *err) {
  const head h = read_head(s);
  HY_FAIL_IF(h.date < 0, HY_BAD_FORMAT, err,
             "no time column in the head; expected one named date, time, timestamp or datetime");
  HY_TRY(hy__plan_start(s, dialect, arena, out, err));
  out->n_columns = s->n_fields[0];
  out->skip_lines = s->line[0];
  out->date = h.date, out->clock = h.clock, out->symbol = h.symbol;
  HY_TRY(plan_columns(s, &h, arena, out, err));
  HY_FAIL_IF(
      out->n_cells == 0, HY_BAD_FORMAT, err,
      "no column of numbers in the head; expected open, high, low, close, volume or one of them");
  return HY_OK;
}

hy_status hy__dialect_long_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                hy_error *err) {
  HY_TRY(plan_table(s, "long", arena, out, err));
  HY_FAIL_IF(out->symbol < 0, HY_BAD_FORMAT, err,
             "no symbol column in the head; expected one named symbol, ticker or code");
  return HY_OK;
}

hy_status hy__dialect_single_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                  hy_error *err) {
  HY_TRY(plan_table(s, "single", arena, out, err));
  out->symbol = -1;
  return hy__plan_symbol_from_stem(s, '\0', 0, arena, out, err);
}
