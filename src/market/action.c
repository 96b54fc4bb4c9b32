/* SPDX-License-Identifier: Apache-2.0
 * The table of corporate actions: rows checked, copied and sorted, and what each does to the bars
 * before it. */
#include "market/action.h"

#include <math.h>
#include <stdlib.h>

hy_status hy__actions_begin(const hy_allocator *a, hy_actions **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_actions), &memory, err));
  hy_actions *t = memory;
  t->allocator = a;
  const hy_status status = hy__arena_create(a, 4096, 0, &t->arena, err);
  if (status == HY_OK)
    *out = t;
  else
    hy_actions_destroy(t);
  return status;
}

void hy_actions_destroy(hy_actions *t) {
  if (!t) return;
  hy__free(t->allocator, t->rows, t->capacity * sizeof *t->rows);
  hy__arena_destroy(t->arena);
  hy__free(t->allocator, t, sizeof *t);
}

static hy_status check_row(const hy_action *row, hy_error *err) {
  const bool difference = row->kind == HY_ACTION_ROLL_DIFFERENCE;
  HY_FAIL_IF(row->kind < HY_ACTION_SPLIT || row->kind > HY_ACTION_ROLL_DIFFERENCE, HY_BAD_FORMAT,
             err, "there is no action of kind %d", (int)row->kind);
  HY_FAIL_IF(!isfinite(row->amount) || (!difference && row->amount <= 0), HY_BAD_FORMAT, err,
             "an amount of %g: expected a %s", row->amount,
             difference ? "number" : "number above zero");
  return HY_OK;
}

hy_status hy__actions_add(hy_actions *t, const hy_action *row, size_t symbol_bytes, hy_error *err) {
  void *memory = t->rows;
  HY_FAIL_IF(symbol_bytes == 0 || symbol_bytes > 127, HY_BAD_FORMAT, err,
             "expected a symbol of 1 to 127 bytes");
  HY_TRY(check_row(row, err));
  HY_FAIL_IF(t->n_rows == HY_ACTIONS_MAX, HY_LIMIT, err, "more than %d actions",
             (int)HY_ACTIONS_MAX);
  HY_TRY(hy__grow(t->allocator, &memory, &t->capacity, t->n_rows + 1, sizeof *t->rows, err));
  t->rows = memory;
  hy_action *own = &t->rows[t->n_rows];
  *own = *row;
  HY_TRY(hy__arena_text(t->arena, row->symbol, symbol_bytes, &own->symbol, err));
  t->n_rows++;
  return HY_OK;
}

static int by_symbol_and_time(const void *a, const void *b) {
  const hy_action *x = a, *y = b;
  const int names = strcmp(x->symbol, y->symbol);
  if (names) return names;
  if (x->ex_ns != y->ex_ns) return x->ex_ns < y->ex_ns ? -1 : 1;
  return (int)x->kind - (int)y->kind;
}

hy_status hy__actions_settle(hy_actions *t, hy_error *err) {
  if (t->n_rows) qsort(t->rows, t->n_rows, sizeof *t->rows, by_symbol_and_time);
  for (size_t k = 1; k < t->n_rows; k++) {
    char text[40];
    if (by_symbol_and_time(&t->rows[k - 1], &t->rows[k]) != 0) continue;
    hy__time_format(t->rows[k].ex_ns, text);
    HY_FAIL(HY_BAD_FORMAT, err, "%s has two actions of one kind at %s", t->rows[k].symbol, text);
  }
  hy__arena_freeze(t->arena);
  return HY_OK;
}

hy_status hy_actions_create(hy_runtime *runtime, const hy_action *rows, size_t n_rows,
                            hy_actions **out, hy_error *err) {
  hy_actions *t;
  HY_FAIL_IF(!runtime || !out || (n_rows && !rows), HY_INVALID_ARGUMENT, err,
             "hy_actions_create: runtime, rows and out must be given");
  HY_TRY(hy__actions_begin(hy__runtime_allocator(runtime), &t, err));
  hy_status status = HY_OK;
  for (size_t k = 0; k < n_rows && status == HY_OK; k++)
    status = hy__actions_add(t, &rows[k], rows[k].symbol ? strlen(rows[k].symbol) : 0, err);
  if (status == HY_OK) status = hy__actions_settle(t, err);
  if (status == HY_OK)
    *out = t;
  else
    hy_actions_destroy(t);
  return status;
}

size_t hy_actions_list(const hy_actions *t, const hy_action **rows) {
  *rows = t->rows;
  return t->n_rows;
}

/* ---- what an action does ---- */

hy_status hy__action_factor(const hy_action *a, double close, hy__factor *out, hy_error *err) {
  *out = (hy__factor){1, 0, 1};
  switch (a->kind) {
  case HY_ACTION_SPLIT: *out = (hy__factor){1 / a->amount, 0, a->amount}; break;
  case HY_ACTION_DIVIDEND:
    HY_FAIL_IF(close <= a->amount, HY_BAD_FORMAT, err,
               "%s: a dividend of %g, but the close before it is %g", a->symbol, a->amount, close);
    if (close == close) out->scale = 1 - a->amount / close;
    break;
  case HY_ACTION_ROLL_RATIO: out->scale = a->amount; break;
  case HY_ACTION_ROLL_DIFFERENCE: out->shift = a->amount; break;
  }
  return HY_OK;
}

hy__factor hy__factor_then(hy__factor first, hy__factor then) {
  return (hy__factor){first.scale * then.scale, first.shift * then.scale + then.shift,
                      first.volume * then.volume};
}

hy__adjusted hy__adjusted_of(const char *field) {
  static const char *const prices[] = {"open", "high", "low", "close", "vwap", "bid", "ask"};
  for (size_t k = 0; k < HY_COUNT(prices); k++)
    if (!strcmp(prices[k], field)) return HY__ADJUSTED_PRICE;
  return strcmp(field, "volume") ? HY__ADJUSTED_NOT : HY__ADJUSTED_VOLUME;
}
