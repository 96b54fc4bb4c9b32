/* SPDX-License-Identifier: Apache-2.0
 * A compiled spec: the graph of nodes in topological order, each value computed once however many
 * features use it, and what is known of it before any data (look-back, stability, stages).
 * Immutable after creation. */
#ifndef HY_FEATURE_PROGRAM_H
#define HY_FEATURE_PROGRAM_H

#include "feature/feature.h"
#include "feature/spec.h"
#include "feature/table.h"

typedef enum hy__node_kind {
  HY__NODE_FIELD,
  HY__NODE_CLOCK,
  HY__NODE_NUMBER,
  HY__NODE_IND,
  HY__NODE_CROSS
} hy__node_kind;

typedef struct hy__ref {
  uint32_t node, output;
} hy__ref;

enum {
  HY__NODES_MAX = 20000,
  HY__GAPS_MAX = 8,       /* different gap policies in one spec */
  HY__STAGES_MAX = 16,    /* cross-sections of cross-sections */
  HY__WINDOW_MAX = 100000 /* bars of any integer parameter */
};

typedef struct hy__node {
  hy__node_kind kind;
  uint32_t gap;     /* index into the program's policies */
  uint32_t stage;   /* the first stage in which it can be computed; a cross-section: can be read */
  uint32_t next;    /* of the same hash, + 1; 0 ends the chain */
  const char *name; /* FIELD, CLOCK */
  double number;    /* NUMBER */
  const hy__def *def;
  const hy__ind_code *code;
  double p[HY__IND_PARAMS];
  size_t n_in, n_out;
  hy__ref in[HY__IND_INPUTS];
  /* of the node alone */
  size_t history, mid_rows, state_bytes, own_lookback;
  size_t n_columns; /* outputs, then hidden ones */
  uint32_t warmup_bars;
  /* of the node with all that it stands on */
  size_t lookback;
  hy__place place;
} hy__node;

struct hy_features {
  hy_runtime *runtime;
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_isa isa;
  hy__node *nodes;
  size_t n_nodes;
  hy__gap gaps[HY__GAPS_MAX];
  size_t n_gaps; /* gaps[0] is the spec's own */
  size_t n_features;
  const char **names;
  hy__ref *refs;
  hy__place *places;
  uint32_t n_stages;
  hy__spec_inputs inputs;
  size_t lookback_bars, stable_bars;
  const char *canonical;
  char spec_sha256[65];
};

static inline bool hy__node_recurs(const hy__node *n) {
  return n->kind == HY__NODE_IND && n->def->klass != HY__IND_W;
}

/* Lowers the spec's features, in output order, into f's nodes. */
HY_CHECKED hy_status hy__graph_build(struct hy_features *f, const hy__spec *spec, hy_error *err);
/* Canonical JSON and its SHA-256. */
HY_CHECKED hy_status hy__canonical_make(struct hy_features *f, hy_error *err);
typedef struct hy__stable_query {
  const hy__ref *refs;
  size_t n_refs;
  double tol;
  size_t *rows; /* scratch of n_nodes */
} hy__stable_query;
/* Bars before a row that make the refs stable to tol; false when no bound exists, *culprit then
 * says where. */
bool hy__node_stable(const struct hy_features *f, const hy__stable_query *q, size_t *out,
                     const hy__node **culprit);
/* [node] nanoseconds per symbol and bar, measured now; 0 for what is not computed by a step. */
HY_CHECKED hy_status hy__cost_measure(const struct hy_features *f, double *ns, hy_error *err);
/* The standard field that a name or alias means, or NULL. */
const char *hy__field_standard(const char *name);

#endif
