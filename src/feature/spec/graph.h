/* SPDX-License-Identifier: Apache-2.0
 * The state of a graph under construction, shared by graph.c (nodes, names, features) and
 * graph_call.c (calls). */
#ifndef HY_FEATURE_GRAPH_H
#define HY_FEATURE_GRAPH_H

#include "feature/program.h"

typedef struct hy__item_memo {
  enum { HY__ITEM_NEW, HY__ITEM_OPEN, HY__ITEM_DONE } state;
  hy__ref ref;
} hy__item_memo;

typedef struct hy__graph {
  hy_features *f;
  const hy__spec *spec;
  hy__arena *arena;
  hy_error *err;
  uint32_t *buckets; /* node index + 1 */
  size_t nodes_capacity;
  const hy__def **defs;                 /* [row], read once */
  hy__item_memo *memo[HY__DOMAINS_MAX]; /* [domain][item], made when the domain is first met */
  unsigned depth;
  uint32_t warmup_bars; /* of the item being lowered */
} hy__graph;

/* `at`: the gap policy and timeframe of what names none. */
HY_CHECKED hy_status hy__graph_lower(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out);
HY_CHECKED hy_status hy__graph_call(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out);
/* A call whose first inputs stand already. */
typedef struct hy__application {
  const char *id;
  hy__place place;
  const hy__ref *in;
  size_t n_in;
  const hy__arg *args;
  size_t n_args;
} hy__application;
HY_CHECKED hy_status hy__graph_apply(hy__graph *b, const hy__application *a, hy__domain at,
                                     hy__ref *out);
/* A number for each symbol. */
HY_CHECKED hy_status hy__graph_symbols(hy__graph *b, const hy__symbols *symbols, hy__domain at,
                                       hy__place place, hy__ref *out);
/* graph_norm.c: wraps *ref, which `feature` gives out, in a normalisation step. */
HY_CHECKED hy_status hy__graph_norm(hy__graph *b, const hy__spec_norm *norm, const char *feature,
                                    hy__domain at, hy__ref *ref);
HY_CHECKED hy_status hy__graph_output(hy__graph *b, const hy__def *def, const char *name,
                                      hy__place place, uint32_t *out);
HY_CHECKED hy_status hy__graph_field(hy__graph *b, const char *field, hy__domain at,
                                     hy__place place, hy__ref *out);
/* Adds the node, or finds its equal. */
HY_CHECKED hy_status hy__graph_add(hy__graph *b, hy__node *n, uint32_t *out);
HY_CHECKED hy_status hy__graph_named(hy__graph *b, hy__node_kind kind, const char *name,
                                     hy__domain at, hy__place place, hy__ref *out);

/* graph_time.c: timeframes and domains. */
/* The timeframe that a name behind "@" or in `tf` means. */
HY_CHECKED hy_status hy__graph_timeframe(hy__graph *b, const char *name, hy__place place,
                                         uint32_t *out);
/* The domain's index; added when it is new. */
HY_CHECKED hy_status hy__graph_domain(hy__graph *b, hy__domain at, hy__place place, uint32_t *out);
/* The domain of the ref's node; false for a number, which has no timeframe. */
bool hy__graph_domain_of(const hy__graph *b, hy__ref ref, hy__domain *out);
bool hy__graph_is_faster(const hy__graph *b, uint32_t a_tf, uint32_t b_tf);
/* The series as rows of the faster timeframe `tf` see it: itself, or an ASOF of it. */
HY_CHECKED hy_status hy__graph_join(hy__graph *b, uint32_t tf, hy__place place, hy__ref *ref);
/* age_bars@H1 */
HY_CHECKED hy_status hy__graph_age(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out);
/* Bars of a's timeframe in one of b's at most, when both are known; 0 otherwise. */
size_t hy__timeframe_ratio(const hy__timeframe *fast, const hy__timeframe *slow);

#endif
