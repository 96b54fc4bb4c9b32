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
  const hy__def **defs; /* [row], read once */
  hy__item_memo *memo;  /* [gap][item] */
  unsigned depth;
  uint32_t warmup_bars; /* of the item being lowered */
} hy__graph;

HY_CHECKED hy_status hy__graph_lower(hy__graph *b, const hy__expr *e, uint32_t gap, hy__ref *out);
HY_CHECKED hy_status hy__graph_call(hy__graph *b, const hy__expr *e, uint32_t gap, hy__ref *out);
/* Wraps *ref in the call of one normalisation step. */
HY_CHECKED hy_status hy__graph_norm(hy__graph *b, const hy__spec_norm *norm, uint32_t gap,
                                    hy__ref *ref);
HY_CHECKED hy_status hy__graph_output(hy__graph *b, const hy__def *def, const char *name,
                                      hy__place place, uint32_t *out);
HY_CHECKED hy_status hy__graph_field(hy__graph *b, const char *field, uint32_t gap, hy__place place,
                                     hy__ref *out);
/* Adds the node, or finds its equal. */
HY_CHECKED hy_status hy__graph_add(hy__graph *b, hy__node *n, uint32_t *out);
HY_CHECKED hy_status hy__graph_named(hy__graph *b, hy__node_kind kind, const char *name,
                                     uint32_t gap, hy__place place, hy__ref *out);

#endif
