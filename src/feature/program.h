/* SPDX-License-Identifier: Apache-2.0
 * A compiled spec: the graph of nodes in topological order, each value computed once however many
 * features use it, and what is known of it before any data (look-back, stability, stages).
 * Immutable after creation. */
#ifndef HY_FEATURE_PROGRAM_H
#define HY_FEATURE_PROGRAM_H

#include "feature/feature.h"
#include "feature/spec/spec.h"
#include "feature/table.h"

typedef enum hy__node_kind {
  HY__NODE_FIELD,
  HY__NODE_CLOCK,
  HY__NODE_NUMBER,
  HY__NODE_IND,
  HY__NODE_CROSS,
  HY__NODE_ASOF, /* in[0], of a slower timeframe: the last of its bars that has ended by the row's
                    close */
  HY__NODE_AGE   /* rows since the end of the last bar of the slower timeframe `slower`, 0 at it */
} hy__node_kind;

typedef struct hy__ref {
  uint32_t node, output;
} hy__ref;

enum {
  HY__NODES_MAX = 20000,
  HY__GAPS_MAX = 8,     /* different gap policies in one spec */
  HY__DOMAINS_MAX = 32, /* of them with a timeframe */
  HY__STAGES_MAX = 16,  /* cross-sections of cross-sections */
};

/* What a series' rows are: the bars of a timeframe, under a gap policy. */
typedef struct hy__domain {
  uint32_t gap, tf; /* indices into the program's policies and timeframes */
} hy__domain;

/* timeframes[0] is the universe's own, whose ns may be 0: not required. */
typedef struct hy__timeframe {
  const char *name;
  int64_t ns;
  hy__anchor anchor;
} hy__timeframe;

typedef struct hy__node {
  hy__node_kind kind;
  uint32_t domain;  /* index into the program's domains; a NUMBER's has timeframe 0, and serves
                       every node of its gap policy */
  uint32_t slower;  /* AGE: index of a timeframe */
  uint32_t stage;   /* the first stage in which it can be computed; a cross-section: can be read */
  uint32_t next;    /* of the same hash, + 1; 0 ends the chain */
  const char *name; /* FIELD (hy__field_n_src too), CLOCK */
  double number;    /* NUMBER */
  const hy__symbols *by_symbol; /* NUMBER: a number for each symbol in its place; or NULL */
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

/* The constants of a feature's step of a fit; they have values once a fit is loaded. */
typedef struct hy__fit_slot {
  const char *feature; /* as it is given out */
  hy__norm_kind kind;
  hy__symbols center, scale;
} hy__fit_slot;

typedef struct hy__solo_kept hy__solo_kept;

struct hy_features {
  hy_runtime *runtime;
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_isa isa;
  hy__node *nodes;
  size_t n_nodes;
  hy__gap gaps[HY__GAPS_MAX];
  size_t n_gaps; /* gaps[0] is the spec's own */
  hy__timeframe timeframes[HY__TIMEFRAMES_MAX];
  size_t n_timeframes;
  hy__domain domains[HY__DOMAINS_MAX];
  size_t n_domains; /* domains[0] is the spec's policy at the universe's timeframe */
  size_t n_features;
  const char **names;
  hy__ref *refs; /* at the universe's timeframe */
  hy__ref *own;  /* at the feature's own, which an ASOF of refs reads; else the same */
  hy__place *places;
  uint32_t n_stages;
  hy__spec_inputs inputs;
  bool warmup_qlib;
  size_t lookback_bars, stable_bars;
  const char *canonical;
  char spec_sha256[65];
  /* of a fit */
  bool fit_inputs; /* gives out what the steps of a fit take, and nothing else */
  hy__fit_slot *fits;
  size_t n_fits;
  char fit_sha256[65]; /* "": none is loaded */
  const char *fit_path;
  hy__solo_kept *solo; /* what a run over one series stands on, made at the first one */
};

static inline bool hy__node_recurs(const hy__node *n) {
  return n->kind == HY__NODE_IND && n->def->klass != HY__IND_W;
}

/* The gap policy and the timeframe of a node's rows. */
static inline const hy__gap *hy__node_gap(const struct hy_features *f, const hy__node *n) {
  return &f->gaps[f->domains[n->domain].gap];
}
static inline uint32_t hy__node_timeframe(const struct hy_features *f, const hy__node *n) {
  return f->domains[n->domain].tf;
}
/* A node that reads what an earlier stage has stored for all symbols. */
static inline bool hy__node_stored(const hy__node *n) {
  return n->kind == HY__NODE_CROSS || n->kind == HY__NODE_ASOF;
}
/* The bars of the timeframe below in a bar: not a field of the universe, but made with the slower
 * bars. */
extern const char hy__field_n_src[];

/* Lowers the spec's features, in output order, into f's nodes. */
HY_CHECKED hy_status hy__graph_build(struct hy_features *f, const hy__spec *spec, hy_error *err);
/* Canonical JSON and its SHA-256. */
HY_CHECKED hy_status hy__canonical_make(struct hy_features *f, hy_error *err);
typedef struct hy__stable_query {
  const hy__ref *refs;
  size_t n_refs;
  double tol;
  size_t *rows;    /* scratch of n_nodes */
  int64_t base_ns; /* the universe's timeframe, if the spec names no base; 0: unknown */
} hy__stable_query;
/* Bars before a row that make the refs stable to tol; false when no bound exists, *culprit then
 * says where. */
bool hy__node_stable(const struct hy_features *f, const hy__stable_query *q, size_t *out,
                     const hy__node **culprit);
/* [node] the look-back in rows of base_ns each, where the spec does not name its base. */
void hy__node_lookbacks(const struct hy_features *f, int64_t base_ns, size_t *rows);
/* [node] nanoseconds per symbol and bar, measured now; 0 for what is not computed by a step. */
HY_CHECKED hy_status hy__cost_measure(const struct hy_features *f, double *ns, hy_error *err);
/* Text as a JSON string. */
HY_CHECKED hy_status hy__put_json_text(const hy_sink *sink, const char *text, hy_error *err);
static inline char hy__class_letter(hy__ind_class klass) { return "WEAP"[klass]; }
/* The standard field that a name or alias means, or NULL. */
const char *hy__field_standard(const char *name);

#endif
