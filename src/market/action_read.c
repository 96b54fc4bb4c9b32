/* SPDX-License-Identifier: Apache-2.0
 * The table of corporate actions from delimited text with a head. */
#include "market/action.h"
#include "market/dialect.h"
#include "market/stamp.h"

enum { COLUMNS_MAX = 64, SYMBOL = 0, EX = 1, KIND = 2, AMOUNT = 3, N_COLUMNS = 4 };

typedef struct reading {
  hy__csv csv;
  hy__csv_field fields[COLUMNS_MAX];
  size_t column[N_COLUMNS];
  const hy__zone *zone;
} reading;

static const char *const expected[N_COLUMNS] = {
    "a symbol", "a time such as 2024-01-31 or 2024-01-31T14:30:00Z",
    "split, dividend, roll_ratio or roll_difference", "a number"};

static hy_status fail_at(const reading *r, const hy__csv_field *f, hy_status status,
                         hy_error *err) {
  hy__error_place(err, r->csv.line, f->column, f->text - r->csv.begin);
  return status;
}

static hy_status fail_field(const reading *r, size_t what, hy_error *err) {
  const hy__csv_field *f = &r->fields[r->column[what]];
  return fail_at(r, f,
                 hy__error_set(err, HY_BAD_FORMAT, "expected %s, found \"%.*s\"", expected[what],
                               (int)HY_MIN(f->len_bytes, 60u), f->text),
                 err);
}

static bool names_column(const hy__csv_field *f, size_t what) {
  static const char *const names[N_COLUMNS][4] = {{"symbol", "ticker", "code", NULL},
                                                  {"ex", "ex_date", "date", "time"},
                                                  {"kind", "type", "action", NULL},
                                                  {"amount", "ratio", "cash", "value"}};
  for (size_t k = 0; k < 4 && names[what][k]; k++)
    if (hy__field_is(f, names[what][k])) return true;
  return false;
}

static hy_status read_head(reading *r, hy_error *err) {
  static const char *const called[N_COLUMNS] = {"symbol", "ex", "kind", "amount"};
  HY_TRY(hy__csv_next(&r->csv, err));
  for (size_t what = 0; what < N_COLUMNS; what++) {
    size_t k = 0;
    while (k < r->csv.n_fields && !names_column(&r->fields[k], what)) k++;
    r->column[what] = k;
    if (k < r->csv.n_fields) continue;
    hy_status status =
        hy__error_set(err, HY_BAD_FORMAT,
                      "no column %s in the head; expected symbol, ex, kind, amount", called[what]);
    hy__error_place(err, 1, 1, 0);
    return status;
  }
  return HY_OK;
}

/* The first instant of a date; or the clock's reading, at the zone's offset or its own. */
static bool read_ex(const reading *r, int64_t *out_ns) {
  const hy__csv_field *f = &r->fields[r->column[EX]];
  hy__stamp_value v;
  if (!hy__stamp_parse(HY_FORM_YMD, f->text, f->len_bytes, &v)) return false;
  int64_t utc_s = v.wall_s, later_s, ns;
  if (!v.is_utc) (void)hy__zone_to_utc(r->zone, v.wall_s, &utc_s, &later_s);
  return hy__mul_i64(utc_s, HY_NS_PER_S, &ns) && hy__add_i64(ns, v.ns, out_ns);
}

static bool read_kind(const reading *r, hy_action_kind *out) {
  static const char *const kinds[] = {"split", "dividend", "roll_ratio", "roll_difference"};
  for (size_t k = 0; k < HY_COUNT(kinds); k++) {
    *out = (hy_action_kind)(HY_ACTION_SPLIT + k);
    if (hy__field_is(&r->fields[r->column[KIND]], kinds[k])) return true;
  }
  return false;
}

static hy_status read_row(hy_actions *t, const reading *r, hy_error *err) {
  const hy__csv_field *symbol = &r->fields[r->column[SYMBOL]];
  const hy__csv_field *amount = &r->fields[r->column[AMOUNT]];
  hy_action row = {.symbol = symbol->text};
  size_t most = 0;
  for (size_t k = 0; k < N_COLUMNS; k++) most = HY_MAX(most, r->column[k]);
  if (most >= r->csv.n_fields)
    return fail_at(r, &r->fields[0],
                   hy__error_set(err, HY_BAD_FORMAT, "a row of %zu columns; expected %zu",
                                 r->csv.n_fields, most + 1),
                   err);
  if (!read_ex(r, &row.ex_ns)) return fail_field(r, EX, err);
  if (!read_kind(r, &row.kind)) return fail_field(r, KIND, err);
  if (!hy__csv_f64(amount->text, amount->len_bytes, r->csv.end, &row.amount))
    return fail_field(r, AMOUNT, err);
  const hy_status status = hy__actions_add(t, &row, symbol->len_bytes, err);
  return status == HY_OK ? HY_OK : fail_at(r, amount, status, err);
}

hy_status hy__actions_parse(hy_actions *t, const hy__source *source, const char *zone,
                            hy_error *err) {
  reading r = {.csv = {.max_fields = COLUMNS_MAX}};
  hy__zone *opened;
  r.csv.fields = r.fields;
  HY_TRY(hy__zone_open(t->allocator, zone ? zone : "UTC", &opened, err));
  r.zone = opened;
  hy__csv_init(&r.csv, source->text, source->bytes, ',');
  hy_status status = read_head(&r, err);
  while (status == HY_OK) {
    status = hy__csv_next(&r.csv, err);
    if (status != HY_OK || r.csv.n_fields == 0) break;
    status = read_row(t, &r, err);
  }
  hy__zone_close(opened);
  return status;
}

hy_status hy_actions_read(hy_runtime *runtime, const char *path, const char *zone, hy_actions **out,
                          hy_error *err) {
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err,
             "hy_actions_read: runtime, path and out must be given");
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__source source;
  hy_actions *t;
  HY_TRY(hy__source_open(a, path, &source, err));
  hy_status status = hy__actions_begin(a, &t, err);
  if (status == HY_OK) {
    status = source.is_hdf5 ? hy__error_set(err, HY_BAD_FORMAT, "expected a table of actions")
                            : hy__actions_parse(t, &source, zone, err);
    if (status == HY_OK) status = hy__actions_settle(t, err);
    if (status == HY_OK)
      *out = t;
    else
      hy_actions_destroy(t);
  }
  if (status != HY_OK) hy__error_subject(err, path);
  hy__source_close(&source);
  return status;
}
