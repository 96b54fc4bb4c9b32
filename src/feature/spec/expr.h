/* SPDX-License-Identifier: Apache-2.0
 * Expressions of a spec as trees with places. Operators become calls of the ids they stand for (a +
 * b is add(a, b)), so that later steps know calls alone. The grammar is docs/feature-spec.md's. */
#ifndef HY_FEATURE_EXPR_H
#define HY_FEATURE_EXPR_H

#include "base/base.h"

/* Of a feature, an item or a field: reports write it in one piece. */
enum { HY__NAME_BYTES_MAX = 2048 };

typedef struct hy__place {
  const char *subject;
  int32_t line, column; /* from 1 */
  int32_t margin;       /* columns before the text in its further lines */
} hy__place;

typedef enum hy__expr_kind {
  HY__EXPR_NUMBER,
  HY__EXPR_NAME, /* a field, an item, or item.output */
  HY__EXPR_CALL
} hy__expr_kind;

typedef struct hy__expr {
  hy__expr_kind kind;
  hy__place place;
  double number;
  const char *name;          /* NAME: the name; CALL: the id without version */
  uint32_t version;          /* CALL: 0 when not given */
  const char *output;        /* CALL: the suffix, or NULL */
  const char *timeframe;     /* NAME, CALL: what stands behind "@", or NULL */
  hy__place timeframe_place; /* of that "@" */
  const struct hy__arg *args;
  size_t n_args;
} hy__expr;

typedef struct hy__arg {
  const char *name; /* NULL: by position */
  hy__place place;
  const hy__expr *value;
} hy__arg;

/* One item of an inline list: [name =] expression. */
typedef struct hy__expr_item {
  const char *name; /* its text without blanks when it has none */
  bool named;
  const hy__expr *value;
  hy__place place;
} hy__expr_item;

/* `place` is that of the text's first byte. All memory from the arena. Errors: BAD_FORMAT with the
 * place. */
HY_CHECKED hy_status hy__expr_parse(const char *text, hy__place place, hy__arena *arena,
                                    const hy__expr **out, hy_error *err);
/* item { ";" item }, with empty items skipped. */
HY_CHECKED hy_status hy__expr_parse_list(const char *text, hy__place place, hy__arena *arena,
                                         const hy__expr_item **out, size_t *n, hy_error *err);
/* A name that an item may have, so that expressions can refer to it. */
bool hy__expr_is_name(const char *text);
/* Sets status and message with the place; returns status. */
hy_status hy__place_fail(hy__place place, hy_status status, hy_error *err, const char *format, ...)
    HY_PRINTF(4, 5);
/* Adds the place to an error that has none. */
void hy__place_add(hy__place place, hy_error *err);

#endif
