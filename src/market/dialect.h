/* SPDX-License-Identifier: Apache-2.0
 * Dialects: how the tables of other tools are laid out. A dialect looks at the first rows of a
 * file, says whether it knows them, and lays a plan: which column is what. The plan is then run by
 * one loop for all. */
#ifndef HY_MARKET_DIALECT_H
#define HY_MARKET_DIALECT_H

#include "codec/codec.h"
#include "market/source.h"
#include "market/stamp.h"
#include "market/universe.h"

enum { HY_SAMPLE_ROWS = 12, HY_SAMPLE_BYTES = 1 << 20 };

/* The first rows, cut at the delimiter that the first line speaks for. */
typedef struct hy__sample {
  const hy__source *source;
  char delimiter, decimal; /* decimal: ',' where ';' or a tab separates and points do not occur */
  size_t n_rows;
  hy__csv_field *row[HY_SAMPLE_ROWS];
  size_t n_fields[HY_SAMPLE_ROWS];
  size_t line[HY_SAMPLE_ROWS]; /* from 1 */
} hy__sample;
HY_CHECKED hy_status hy__sample_take(const hy__source *s, hy__arena *arena, hy__sample *out,
                                     hy_error *err);

/* One column that holds a value; a panel's columns name their symbol too. */
typedef struct hy__cell_column {
  uint32_t column;
  int32_t field;  /* of the plan's list */
  int32_t symbol; /* of the plan's list, -1: the row's */
} hy__cell_column;

typedef struct hy__plan {
  const char *dialect;
  size_t skip_lines;           /* the head's */
  int32_t date, clock, symbol; /* columns, -1: none */
  size_t n_columns;
  hy__cell_column *cells; /* sorted by symbol */
  size_t n_cells;
  const char **fields;
  size_t n_fields;
  const char **symbols; /* of a panel; or the one symbol of the file */
  size_t n_symbols;
  const char *ignored; /* columns without numbers, for the report; "" none */
  const char *zone;    /* NULL: the source does not say, and clocks need it said */
  const char *zone_hint;
  const char *timeframe; /* NULL: from the data */
} hy__plan;

typedef struct hy__dialect {
  const char *name, *about;
  bool (*knows)(const hy__sample *s);
  hy_status (*plan)(const hy__sample *s, hy__arena *arena, hy__plan *out, hy_error *err);
} hy__dialect;

extern const hy__dialect hy__dialects[];
extern const size_t hy__n_dialects;
const hy__dialect *hy__dialect_find(const char *name);

#define HY_DIALECT(name, function, about)                                                          \
  bool hy__dialect_##function##_knows(const hy__sample *s);                                        \
  HY_CHECKED hy_status hy__dialect_##function##_plan(const hy__sample *s, hy__arena *arena,        \
                                                     hy__plan *out, hy_error *err);
#include "market/dialect.inc"
#undef HY_DIALECT

/* --- what the dialects' files share --- */

typedef enum hy__role {
  HY_ROLE_OTHER,
  HY_ROLE_DATE,
  HY_ROLE_CLOCK,
  HY_ROLE_STAMP, /* date and clock in one: timestamp, datetime */
  HY_ROLE_SYMBOL,
  HY_ROLE_FIELD
} hy__role;
/* What a column's name says; *field: the canonical name of a field. */
hy__role hy__column_role(const hy__csv_field *name, const char **field);
/* Letters and digits in lower case, others as one '_'; false: nothing is left, or it is too long.
 */
bool hy__column_name(const hy__csv_field *name, char out[64]);
bool hy__field_is(const hy__csv_field *f, const char *text); /* ignoring case and blanks around */
bool hy__sample_is_time(const hy__sample *s, size_t row, size_t column);
/* Whether rows [from, n_rows) hold only numbers and missing values there, and at least one number.
 */
bool hy__sample_is_number(const hy__sample *s, size_t from, size_t column);
/* From the file's name: part `index` between separators ("EURUSD_M1" by '_', part 0), or all of it.
 */
HY_CHECKED hy_status hy__plan_symbol_from_stem(const hy__sample *s, char separator, size_t index,
                                               hy__arena *arena, hy__plan *out, hy_error *err);
HY_CHECKED hy_status hy__plan_start(const hy__sample *s, const char *dialect, hy__arena *arena,
                                    hy__plan *out, hy_error *err);
/* Adds a value column under a name of the plan's fields (a new one if new). */
HY_CHECKED hy_status hy__plan_add(hy__plan *p, hy__arena *arena, uint32_t column, const char *field,
                                  int32_t symbol, hy_error *err);
/* A file without head: field k stands in column columns[k]. */
HY_CHECKED hy_status hy__plan_fixed(hy__plan *p, hy__arena *arena, const char *const *fields,
                                    const uint32_t *columns, size_t n, hy_error *err);

#endif
