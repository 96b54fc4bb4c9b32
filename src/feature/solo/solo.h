/* SPDX-License-Identifier: Apache-2.0
 * A program over one symbol's plain arrays, without the blocks of a universe: what hy_features_
 * compute_series runs for specs that ask for no times, slower bars or cross-sections. Two ways: as
 * one series, a row of which is one double, by the code that is compiled for that; or, where every
 * value depends on its window alone, as eight pieces of the series side by side, one in each lane.
 * Either gives the bits of batch. solo.c plans once per program, solo_run.c runs. */
#ifndef HY_FEATURE_SOLO_H
#define HY_FEATURE_SOLO_H

#include <hayate/feature_call.h>

#include <stdatomic.h>

#include "feature/program.h"

typedef enum hy__solo_way { HY__SOLO_ONE, HY__SOLO_PIECES, HY__SOLO_WAYS } hy__solo_way;

/* Where a node's rows lie in a call's memory. */
typedef struct hy__solo_room {
  size_t capacity_rows, state_bytes;
  size_t buffer, state; /* byte offsets */
} hy__solo_room;

typedef struct hy__solo_node {
  const hy__node *node;
  const hy__ind_code *code[HY__SOLO_WAYS];
  hy__ref in[HY__IND_INPUTS]; /* nodes by their place in the plan */
  uint32_t sibling;           /* as in hy__feature_run */
  size_t history_rows;        /* of its rows that are looked back on */
  size_t rows_behind;         /* rows before a piece's first that something needs */
  hy__solo_room room[HY__SOLO_WAYS];
} hy__solo_node;

typedef struct hy__solo {
  hy__arena *arena;
  bool fits;          /* the program can be run so at all */
  bool apart;         /* and in pieces */
  size_t rows_behind; /* in front of a piece, that its values stand on */
  hy__solo_node *nodes;
  size_t n_nodes;
  hy__ref *targets;
  size_t n_targets;
  size_t chunk_rows[HY__SOLO_WAYS], bytes[HY__SOLO_WAYS];
} hy__solo;

enum { HY__SOLO_NOBODY = UINT32_MAX };

/* The program's plan, made at the first call and kept with it. */
struct hy__solo_kept {
  _Atomic(hy__solo *) plan;
};
HY_CHECKED hy_status hy__solo_plan(const hy_features *f, const hy__solo **out, hy_error *err);
void hy__solo_destroy(hy__solo *plan);

/* The series' arrays, and how the features leave. */
typedef struct hy__solo_job {
  const hy__solo *plan;
  hy_isa isa;
  size_t n_bars, n_fields;
  const double *const *data; /* [field] */
  const uint32_t *field_of;  /* [node of the plan]: which of them it reads */
  void *const *out;          /* [feature] */
  const hy_answer *answers;  /* [feature]; NULL: all F64 */
  size_t row, window_bars;   /* for HY_ANSWER_ROW: the number of the first row */
} hy__solo_job;

/* NOT_FOUND: a field that the program reads is not among them; INVALID_ARGUMENT: more than once. */
HY_CHECKED hy_status hy__solo_bind(const hy__solo *plan, const char *const *fields, size_t n_fields,
                                   uint32_t *field_of, hy_error *err);
HY_CHECKED hy_status hy__solo_run(const hy_features *f, const hy__solo_job *job, hy_error *err);

#endif
