/* SPDX-License-Identifier: Apache-2.0
 * The inside of hy_feature_stream. A block of 8 symbols has one piece of memory: the states of all
 * steps, then a ring for each node. A ring's column lies twice, one copy after the other, so that
 * the newest rows are one piece wherever the ring stands, as the steps read them in batch.
 *
 *   stream_plan.c      which node lies where, and what runs in which order
 *   stream.c           one row of bars: lanes, sources, steps, cross-sections, answers
 *   stream_lane.c      lanes that do not advance, lanes that begin anew
 *   stream_snapshot.c  all of it as bytes, and back */
#ifndef HY_FEATURE_STREAM_H
#define HY_FEATURE_STREAM_H

#include <hayate/feature_stream.h>

#include "feature/clock.h"
#include "feature/lane/edge.h"
#include "feature/program.h"

enum { HY__STREAM_GROUP = 32 }; /* blocks that a step runs at once */

/* The columns of a node: outputs, then hidden ones. */
typedef struct hy__ring {
  size_t at;     /* doubles from the block's start */
  uint32_t rows; /* of a copy, a power of two; 1: a row alone, which is not copied */
  uint32_t keep; /* earlier rows that steps read */
  uint32_t n_columns;
  uint32_t domain;
  bool is_latch; /* what a slower timeframe last gave, read where it stands */
} hy__ring;

static inline size_t hy__ring_stride(const hy__ring *r) {
  return (r->rows == 1 ? 1 : 2 * (size_t)r->rows) * HY_LANES;
}
/* The newest row of a column that begins at `column`, after `count` rows. */
static inline size_t hy__ring_row(uint32_t rows, uint32_t count) {
  return rows == 1 ? 0 : (rows + (count & (rows - 1))) * (size_t)HY_LANES;
}

typedef struct hy__stream_column {
  size_t at;
  uint32_t rows, domain;
} hy__stream_column;

typedef struct hy__stream_step {
  const hy__ind_code *code;
  const double *p;
  const hy__ring *ring;
  size_t state; /* doubles from the block's start */
  size_t n_in, n_out;
  hy__stream_column in[HY__IND_INPUTS];
} hy__stream_step;

/* The steps of one stage and domain, in order; their states are one piece. */
typedef struct hy__stream_leg {
  uint32_t domain;
  size_t step_begin, step_end, state_begin, state_end;
} hy__stream_leg;

/* A row that is not computed: field, clock, what a slower timeframe last gave. */
typedef struct hy__stream_source {
  const hy__node *node;
  const hy__ring *ring;
  int32_t field;       /* FIELD: of the base rows; NONE: n_src */
  uint32_t fold;       /* FIELD of a slower timeframe */
  size_t latch;        /* ASOF, AGE: doubles from the block's start */
  hy__bar_clock clock; /* CLOCK: which, and what it gives for the bar at work */
  double clock_value;
  hy__stream_column from; /* ASOF: the slower node */
} hy__stream_source;

/* A field of a slower timeframe's bar, as far as it has come. */
typedef struct hy__stream_fold {
  hy__fold how;
  int32_t field, volume;
  size_t state; /* doubles from the block's start: a hy__fold_state */
} hy__stream_fold;

typedef struct hy__stream_cross {
  const hy__node *node;
  const hy__ring *ring;
  hy__stream_column in[HY__IND_INPUTS];
} hy__stream_cross;

/* What runs between two barriers of a timeframe: cross-sections, then legs. */
typedef struct hy__stream_stage {
  size_t cross_begin, cross_end, leg_begin, leg_end;
} hy__stream_stage;

/* A timeframe: what a row of it runs, and the bar of it that is open. */
typedef struct hy__stream_frame {
  size_t stage_begin, stage_end, source_begin, source_end, fold_begin, fold_end;
  size_t n_src; /* a row of doubles: the base bars in the open bar */
  hy__grid *grid;
  int64_t open_ns; /* the end of the open bar; INT64_MIN: none */
  int64_t last_ns; /* the end of the last one */
} hy__stream_frame;

/* What is known of a symbol in a domain. */
typedef struct hy__stream_bar {
  int64_t last_ns;   /* its last bar; INT64_MIN: none yet */
  double last_close; /* for fill: flat */
  uint64_t missing;  /* bars since then */
} hy__stream_bar;

/* The lanes of a block in a domain: whose series goes on with this row, who has values at it, and
 * who has stood still since the newest row. */
typedef struct hy__stream_lanes {
  uint8_t advance, live, held;
} hy__stream_lanes;

struct hy_feature_stream {
  const hy_features *f;
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_universe *universe; /* a row of nothing: names, zone and calendar */
  hy_universe_info info;
  hy__clocks *clocks;
  size_t n_blocks, n_domains;
  size_t idle; /* lanes without a symbol, where all are in one block */
  /* the plan */
  hy__ring *rings; /* [node]; rows 0: not needed */
  hy__stream_step *steps;
  hy__stream_leg *legs;
  hy__stream_source *sources;
  hy__stream_fold *folds;
  hy__stream_cross *cross;
  hy__stream_stage *stages;
  hy__stream_frame frames[HY__TIMEFRAMES_MAX];
  hy__stream_column *targets; /* [feature] */
  uint32_t *tile_stage; /* [eight features] the stage of the base bars that makes them whole */
  uint8_t *gives;       /* [domain] whether a feature is of it */
  double **numbers;     /* [node] -> [block][lane]; NULL: one for all symbols */
  uint32_t *wave;       /* [node] the stage of its timeframe */
  size_t n_steps, n_legs, n_sources, n_folds, n_cross, n_stages;
  size_t leg_states, state_doubles, block_doubles, leg_doubles, kept_rows;
  int32_t close_field;
  uint8_t *reads; /* [field] whether a source or a fold does */
  /* the state */
  double *memory;          /* [block][block_doubles] */
  uint32_t *count;         /* [block][domain] rows so far */
  hy__stream_lanes *lanes; /* [block][domain] */
  hy__stream_bar *bars;    /* [block][domain][lane] */
  uint8_t *present;        /* [block] of the row at work */
  double *clean;           /* [block][field][lane] of it, missing values NaN */
  size_t *target_row;      /* [feature] where a block that has counted target_count has it */
  uint32_t *target_count;  /* [domain] */
  const hy__edge *edge;
  int64_t time_ns;   /* of the last row */
  int64_t closed_ns; /* no bar that closes by then comes any more */
  uint64_t n_rows;
  /* for a peek, and while a leg runs */
  double *shadow, *held_states;
  uint32_t *shadow_count;
  hy__stream_frame shadow_frames[HY__TIMEFRAMES_MAX];
  hy__stream_bar *shadow_bars;
  /* for a cross-section */
  double *values;          /* [input][symbol] */
  uint32_t *which, *order; /* whose those are; the symbols as they are taken */
  hy__ranked *ranked;
  size_t memory_bytes;
};

static inline double *hy__stream_block(const hy_feature_stream *s, size_t block) {
  return s->memory + block * s->block_doubles;
}
static inline uint8_t hy__stream_block_lanes(const hy_feature_stream *s, size_t block) {
  size_t left = s->info.n_symbols - block * HY_LANES;
  return (uint8_t)(left >= HY_LANES ? 0xffu : (1u << left) - 1);
}

HY_CHECKED hy_status hy__stream_plan(hy_feature_stream *s, hy_error *err);

/* As before the first row. */
void hy__stream_begin(hy_feature_stream *s);

/* The lanes' rows move on by one, so that they stand as if the newest row were not theirs. */
void hy__stream_shift(const hy_feature_stream *s, size_t block, uint32_t domain, uint8_t lanes);
/* Shifts what still has to be; afterwards no lane is held. */
void hy__stream_settle(hy_feature_stream *s);
/* The lanes of a domain as before their first bar. */
void hy__stream_clear(const hy_feature_stream *s, size_t block, uint32_t domain, uint8_t lanes);
/* The lanes whose series has begun: with their first bar, or with the first row of all. */
uint8_t hy__stream_begun(const hy_feature_stream *s, size_t block, uint32_t domain);

/* The stream as in one snapshot of it, but for these symbols, which are as in another. */
HY_CHECKED hy_status hy__stream_merge(hy_feature_stream *s, const void *all, const void *some,
                                      const uint8_t *which, hy_error *err);

#endif
