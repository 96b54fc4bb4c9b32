/* SPDX-License-Identifier: Apache-2.0
 * The inside of hy_feature_gate. One list of rows in the order of time: those that have gone (kept
 * for repeated bars and replays), then those that wait. Each row has a slot of cells.
 *
 *   gate.c         making one, bars coming in, whose row it is, refusals
 *   gate_replay.c  rows going out: the barrier, checkpoints, rows computed again
 *   gate_adjust.c  symbols that begin anew from adjusted rows, after a split, dividend or roll */
#ifndef HY_FEATURE_GATE_H
#define HY_FEATURE_GATE_H

#include <hayate/feature_gate.h>

#include "feature/stream/stream.h"

typedef struct hy__gate_row {
  int64_t time_ns, first_ns; /* first_ns: when its first bar came, INT64_MIN: no clock yet */
  size_t n_bars, n_reported; /* reported: of the expected symbols */
  uint32_t slot, revision;
} hy__gate_row;

/* A corporate action of a symbol of the stream; sorted by symbol, time and kind. */
typedef struct hy__gate_action {
  const hy_action *action;
  size_t symbol;
  hy__factor factor; /* of it and those after it, while rows are adjusted */
} hy__gate_action;

typedef struct hy__gate_checkpoint {
  int64_t time_ns; /* of the last row in it */
  uint8_t *data;
} hy__gate_checkpoint;

struct hy_feature_gate {
  hy_feature_stream *stream;
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_feature_gate_options o; /* whole: no zeros that mean a default */
  size_t n_symbols, n_fields, n_features, n_expected;
  int32_t prices[4]; /* the fields open, high, low, close; -1: the stream has none */
  uint8_t *expected;
  int64_t *last_ns; /* [symbol] its newest bar */
  int64_t now_ns;   /* INT64_MIN: not told */
  int64_t close_ns; /* rows until then go */
  int64_t begin_ns; /* what the stream had closed before the gate */
  /* rows */
  hy__gate_row *rows; /* [capacity], by time */
  uint32_t *free_slots;
  size_t capacity, n_rows, n_free;
  size_t n_gone; /* rows given at least once */
  size_t cursor; /* rows that the stream has taken; < n_gone while they are computed again */
  size_t dirty;  /* the oldest row that was changed behind the cursor; CLEAN */
  size_t again;  /* of the rows before n_gone, the first that is given again */
  double *cells; /* [slot][field][symbol] */
  uint8_t *has;  /* [slot][symbol] */
  /* checkpoints, oldest first */
  hy__gate_checkpoint *checkpoints;
  size_t checkpoints_max, n_checkpoints, snapshot_bytes, since; /* since: rows after the newest */
  /* corporate actions */
  hy__gate_action *actions;
  size_t n_actions;
  uint8_t *split;    /* [symbol] one that begins anew */
  double *adjusted;  /* [field][symbol] */
  uint8_t *shots[2]; /* the stream before, and after the adjusted rows */
  /* the answer */
  const double **fields;
  double *values;
  uint8_t *valid;
  size_t *missing;
  size_t memory_bytes;
  hy_feature_gate_info counts;
};

#define HY__GATE_CLEAN SIZE_MAX /* dirty: no row has been changed */

static inline uint8_t *hy__gate_has(const hy_feature_gate *g, const hy__gate_row *row) {
  return g->has + row->slot * g->n_symbols;
}
static inline double *hy__gate_cells(const hy_feature_gate *g, const hy__gate_row *row) {
  return g->cells + row->slot * g->n_fields * g->n_symbols;
}

/* The stream as it is now is a checkpoint. */
HY_CHECKED hy_status hy__gate_checkpoint_take(hy_feature_gate *g, int64_t time_ns, hy_error *err);
/* Whether a row of that time, now at `index`, can be computed again. */
bool hy__gate_reaches(const hy_feature_gate *g, size_t index, int64_t time_ns);

/* The gate's copy of the table, and the memory for it. */
HY_CHECKED hy_status hy__gate_actions_bind(hy_feature_gate *g, hy_error *err);
/* Before the row at the cursor goes to the stream: symbols with an action since the row before
 * begin anew. */
HY_CHECKED hy_status hy__gate_adjust(hy_feature_gate *g, hy_error *err);
/* Memory of the gate's arena, counted. `out`: the address of a pointer. */
HY_CHECKED hy_status hy__gate_take(hy_feature_gate *g, size_t n, size_t each, void *out,
                                   hy_error *err);

#endif
