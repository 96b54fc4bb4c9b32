/* SPDX-License-Identifier: Apache-2.0
 * A spec as it was written, YAML or inline list: items with expressions, requirements on the
 * universe, policies. Nothing is resolved here but forms; graph.c gives names their meaning. */
#ifndef HY_FEATURE_SPEC_H
#define HY_FEATURE_SPEC_H

#include "codec/codec.h"
#include "feature/spec/expr.h"
#include "market/market.h"

typedef enum hy__gap_fill {
  HY__GAP_NONE, /* missing bars do not exist */
  HY__GAP_FLAT, /* filled with the last close and no volume, at most max in a row */
  HY__GAP_MARK  /* rows stay, values are missing */
} hy__gap_fill;

typedef struct hy__gap {
  hy__gap_fill fill;
  uint32_t max;           /* FLAT */
  int64_t reset_after_ns; /* NONE: a longer gap starts the series anew; 0: never */
} hy__gap;

typedef struct hy__spec_name {
  const char *text;
  hy__place place;
} hy__spec_name;

/* Of the member `timeframes`. */
typedef struct hy__spec_timeframe {
  hy__spec_name name;
  int64_t ns;
  hy__anchor anchor;
} hy__spec_timeframe;

typedef struct hy__spec_item {
  const char *name;
  bool named;
  const hy__expr *value;
  hy__place place;
  bool has_gap;
  hy__gap gap;
  uint32_t warmup_bars;            /* 0: not given */
  const hy__spec_name *timeframes; /* of `tf` */
  size_t n_timeframes;
  bool each_timeframe; /* `tf` is a list: an output NAME@TF for each */
} hy__spec_item;

typedef enum hy__norm_kind {
  HY__NORM_CALL, /* of id */
  HY__NORM_ROLL_ROBUST,
  HY__NORM_ROLL_WINSOR,
  HY__NORM_FIT_Z,
  HY__NORM_FIT_ROBUST,
  HY__NORM_FIT_MINMAX
} hy__norm_kind;

/* A normalisation step, for each feature that `names` lists (all when n_names is 0). */
typedef struct hy__spec_norm {
  hy__norm_kind kind;
  const char *key, *id; /* id: of CALL */
  const char *const *names;
  size_t n_names;
  const hy__arg *args; /* by name */
  size_t n_args;
  bool per_symbol; /* of a fit: constants for each symbol, not for all together */
  hy__place place;
} hy__spec_norm;

static inline bool hy__norm_is_fit(const hy__spec_norm *norm) {
  return norm->kind >= HY__NORM_FIT_Z;
}

/* What the universe must be; "" and 0 require nothing. */
typedef struct hy__spec_inputs {
  const hy__spec_name *fields;
  size_t n_fields;
  hy__spec_name zone, calendar, base;
  int64_t base_ns;
} hy__spec_inputs;

/* A number for each of some symbols, which are ascending by name, and one for all others. */
typedef struct hy__symbols {
  const char *name;
  size_t n;
  const char *const *symbols;
  const double *values;
  double others;       /* NaN: none */
  const char *of_step; /* a constant of a fit: the step, else NULL; `name` is then the feature */
  const char *part;    /* center, scale */
  bool per_symbol;
  hy__place place;
} hy__symbols;

typedef struct hy__spec {
  const char *subject;
  hy__spec_item *items;
  size_t n_items;
  hy__spec_norm *norms;
  size_t n_norms;
  const hy__spec_name *order; /* NULL: items in their order */
  size_t n_order;
  hy__spec_inputs inputs;
  hy__gap gap;
  const hy__spec_timeframe *timeframes; /* NULL: not given, then every timeframe may be named */
  size_t n_timeframes;
  const hy__symbols *groups;
  size_t n_groups;
  hy__spec_name fit_file; /* that a step names */
  bool warmup_qlib;       /* a bare family means its .qlib row where it has one */
} hy__spec;

enum { HY__SPEC_ITEMS_MAX = 4096, HY__SPEC_NORMS_MAX = 64, HY__TIMEFRAMES_MAX = 16 };

HY_CHECKED hy_status hy__spec_inline(const char *text, hy__place place, hy__arena *arena,
                                     hy__spec *out, hy_error *err);
/* A map as in docs/feature-spec.md, a list of items, or text of an inline list. */
HY_CHECKED hy_status hy__spec_yaml(const hy__yaml *node, bool is_file, hy__arena *arena,
                                   hy__spec *out, hy_error *err);
/* The member `norm`, a list of steps. */
HY_CHECKED hy_status hy__spec_norms(const hy__yaml *list, hy__arena *arena, hy__spec *out,
                                    hy_error *err);
/* The member `groups`, a map of names to maps of symbols. */
HY_CHECKED hy_status hy__spec_groups(const hy__yaml *map, hy__arena *arena, hy__spec *out,
                                     hy_error *err);
/* The member `timeframes`, a map of names to {} or {anchor: ...}. */
HY_CHECKED hy_status hy__spec_timeframes(const hy__yaml *map, hy__arena *arena, hy__spec *out,
                                         hy_error *err);
/* An item's `tf`, one or a list. */
HY_CHECKED hy_status hy__spec_item_timeframes(const hy__yaml *node, hy__arena *arena,
                                              hy__spec_item *item, hy_error *err);
/* The index of a scalar's text among `choices`; others are refused with the nearest. */
HY_CHECKED hy_status hy__spec_choice(const hy__yaml *node, const char *const *choices, size_t n,
                                     size_t *out, hy_error *err);
hy__place hy__spec_place(const hy__yaml *node);
/* A scalar as an argument's value: a number, or an expression. */
HY_CHECKED hy_status hy__spec_value(const hy__yaml *node, hy__arena *arena, const hy__expr **out,
                                    hy_error *err);

#endif
