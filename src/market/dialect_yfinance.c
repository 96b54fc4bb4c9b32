/* SPDX-License-Identifier: Apache-2.0
 * `yfinance`: three head rows, Price (the fields), Ticker (the symbols), Date or Datetime; one
 * symbol or many. */
#include <stdlib.h>

#include "market/dialect.h"

bool hy__dialect_yfinance_knows(const hy__sample *s) {
  return s->n_rows >= 3 && hy__field_is(&s->row[0][0], "Price") &&
         hy__field_is(&s->row[1][0], "Ticker") &&
         (hy__field_is(&s->row[2][0], "Date") || hy__field_is(&s->row[2][0], "Datetime"));
}

static int by_symbol(const void *a, const void *b) {
  const hy__cell_column *x = a, *y = b;
  return x->symbol != y->symbol ? (x->symbol < y->symbol ? -1 : 1)
                                : (x->column < y->column ? -1 : 1);
}

static hy_status symbol_of(hy__plan *p, hy__arena *arena, const hy__csv_field *name, int32_t *out,
                           hy_error *err) {
  for (size_t k = 0; k < p->n_symbols; k++) {
    if (strlen(p->symbols[k]) != name->len_bytes ||
        memcmp(p->symbols[k], name->text, name->len_bytes) != 0)
      continue;
    *out = (int32_t)k;
    return HY_OK;
  }
  *out = (int32_t)p->n_symbols;
  return hy__arena_text(arena, name->text, name->len_bytes, &p->symbols[p->n_symbols++], err);
}

hy_status hy__dialect_yfinance_plan(const hy__sample *s, hy__arena *arena, hy__plan *out,
                                    hy_error *err) {
  HY_FAIL_IF(!hy__dialect_yfinance_knows(s) || s->n_fields[0] != s->n_fields[1], HY_BAD_FORMAT, err,
             "expected three head rows of equal width that begin with Price, Ticker and Date");
  HY_TRY(hy__plan_start(s, "yfinance", arena, out, err));
  out->skip_lines = s->line[2];
  out->n_columns = s->n_fields[0];
  out->date = 0;
  void *memory;
  HY_TRY(hy__arena_array(arena, s->n_fields[0], sizeof(char *), &memory, err));
  out->symbols = memory;
  for (uint32_t k = 1; k < s->n_fields[0]; k++) {
    char own[64];
    const char *field;
    int32_t symbol;
    if (hy__column_role(&s->row[0][k], &field) != HY_ROLE_FIELD) {
      HY_FAIL_IF(!hy__column_name(&s->row[0][k], own), HY_BAD_FORMAT, err,
                 "line 1, column %u: expected a name such as Close", (unsigned)k + 1);
      field = own;
    }
    HY_TRY(symbol_of(out, arena, &s->row[1][k], &symbol, err));
    HY_TRY(hy__plan_add(out, arena, k, field, symbol, err));
  }
  qsort(out->cells, out->n_cells, sizeof out->cells[0], by_symbol);
  return HY_OK;
}
