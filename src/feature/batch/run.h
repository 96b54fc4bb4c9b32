/* SPDX-License-Identifier: Apache-2.0
 * A program bound to a universe and a range: which nodes each stage needs, where their buffers lie
 * in a worker's memory, and the cross-section's storage. Shared by run.c (binding), axis.c (which
 * bars are a series' rows), source.c (rows of fields and clocks) and exec.c (the loop). */
#ifndef HY_FEATURE_RUN_H
#define HY_FEATURE_RUN_H

#include "feature/lane/edge.h"
#include "feature/program.h"

#define HY__NO_ROW UINT32_MAX

enum { HY__GROUP_MAX = 8 /* siblings at a time */ };

/* A timeframe as the run sees it: a universe, and the rows of it that the range has. */
typedef struct hy__view {
  const hy_universe *universe;
  hy_universe *derived; /* the same where it is made for the run */
  const int64_t *time_ns;
  size_t t_start, t_end;
  size_t store_begin;  /* the first row that is stored for later stages */
  int32_t close_field; /* for fill: flat */
} hy__view;

/* What one stage computes: the features in the last one, the inputs of stored nodes
 * (cross-sections, joins of a slower timeframe) before. */
typedef struct hy__stage {
  size_t t_begin[HY__TIMEFRAMES_MAX]; /* the first row of each view that is wanted */
  uint32_t *nodes;                    /* ascending, so topological */
  size_t n_nodes;
  hy__ref *targets;
  uint32_t *order;  /* the targets by their nodes */
  uint32_t *stored; /* the node that each target feeds; NULL in the last stage */
  uint32_t *input;  /* which of its inputs the target is */
  size_t n_targets;
} hy__stage;

/* Where a node's rows lie in the workspace. */
typedef struct hy__room {
  size_t capacity_rows; /* history that consumers read, and chunks */
  size_t history_rows;
  size_t buffer, state; /* byte offsets */
  bool shared;          /* its buffer is another node's after its last reader */
  size_t column;        /* of the shared ones */
} hy__room;

struct hy__feature_run {
  const hy_features *f;
  const hy_universe *universe;
  hy_universe_info info;
  hy__feature_range range;
  hy__arena *arena;
  size_t n_blocks, chunk_rows;
  size_t scratch_rows; /* of one read */
  size_t shared_columns;
  hy__stage stages[HY__STAGES_MAX];
  hy__view views[HY__TIMEFRAMES_MAX];
  /* [faster][slower][row of the faster - t_start]: bars of the slower view that have ended; NULL
   * where no node asks */
  uint32_t *ended[HY__TIMEFRAMES_MAX][HY__TIMEFRAMES_MAX];
  hy__room *rooms; /* [node] */
  /* [node]: the next one that is computed with it (hy__ind_code.group), HY__NO_ROW: none */
  uint32_t *sibling;
  bool *divided;   /* [node]: a quotient that nobody reads, so that its way out may make it */
  int32_t *fields; /* [node] index in its view's universe */
  double **clocks; /* [node][row - t_start] */
  /* [node]: [input][block][row][lane] of its inputs' view, from store_begin on; a cross-section's
   * own values lie in place of its first input once it has been done */
  double **store;
  double **numbers; /* [node] -> [block][lane] where symbols have numbers of their own, or NULL */
  uint32_t *order;  /* the symbols as a cross-section takes them */
  bool needs_born;  /* a node reads @bar, or counts ages */
  size_t mask, index, slots, bases, from, scratch, workspace_bytes; /* byte offsets */
};

/* A node at work on one block. */
typedef struct hy__slot {
  double *cur[HY__IND_OUTPUTS]; /* the chunk's first row */
  size_t pos;                   /* its row in the buffer */
  size_t begin;                 /* first row computed */
  size_t done;                  /* rows that are computed, where a sibling's turn did it */
} hy__slot;

/* The rows of the series of 8 lanes: row d of lane k is row index[k][d - chunk's first] of the
 * universe. */
typedef struct hy__axis {
  const hy__gap *gap;
  size_t block, n_lanes;
  const uint8_t *mask;               /* [t - view's t_start] */
  bool identity;                     /* row d is row lo + d for every lane */
  bool all;                          /* no bar is missing */
  size_t born[HY_LANES];             /* no later than the lane's first bar's row; needs_born */
  size_t lo[HY_LANES], hi[HY_LANES]; /* the universe rows of the lane's segment */
  size_t cursor[HY_LANES];
  size_t first[HY_LANES], len[HY_LANES]; /* first row that is wanted, rows in all */
  size_t begin, end;                     /* least first, most len */
  uint32_t *index; /* [lane][chunk_rows], the chunk's universe rows; HY__NO_ROW past the end */
  bool contiguous; /* the chunk is index[0][0] + 0, 1, 2 .. for all lanes */
} hy__axis;

typedef struct hy__exec {
  const hy__feature_run *run;
  const hy__stage *stage;
  const hy__edge *edge;
  const hy__view *view; /* of the domain at work */
  hy__axis axis;
  uint32_t domain, tf;
  hy__slot *slots; /* [node] */
  uint8_t *workspace;
  double *scratch;
  double **bases;                    /* [target] */
  const double **from;               /* [target] the chunk's rows */
  hy__ind_step steps[HY__GROUP_MAX]; /* of the node at work and its siblings */
  size_t lane_stride, row_stride;
  bool past_caches; /* what is written is more than they hold */
  bool divides;     /* in this piece, quotients are made on the way out */
  size_t d, n;      /* the chunk's rows */
  int64_t *time_ns; /* NULL: nobody asks */
  hy_error *err;
} hy__exec;

static inline bool hy__axis_present(const hy__exec *x, size_t t, size_t lane) {
  return x->axis.mask[t - x->view->t_start] >> lane & 1;
}

/* Reads the mask; *all as in hy__axis. */
HY_CHECKED hy_status hy__axis_open(hy__exec *x, size_t block, uint8_t *mask, hy_error *err);
/* The next piece of series between two resets that the range needs; false when there is none. */
bool hy__axis_next(hy__exec *x, bool first);
/* Places the cursors at row d, and fills index for rows d .. d + n - 1. */
void hy__axis_seek(hy__exec *x, size_t d);
void hy__axis_chunk(hy__exec *x);
/* True where the row counts as a bar: present, or filled. */
bool hy__axis_live(const hy__exec *x, size_t t, size_t lane);
/* Fills the chunk of a node that computes nothing: field, clock, number, cross-section. */
HY_CHECKED hy_status hy__source_chunk(hy__exec *x, uint32_t node);

/* view.c: the timeframes' universes, what has ended when, clocks, and the rows of fields. */
/* The row of a timeframe's bars from which on windows that end at range.t_begin or later need them:
 * so many bars back, of the axis, or of the symbol that has the fewest. */
HY_CHECKED hy_status hy__view_reach(const hy__feature_run *run, uint32_t tf, size_t n_bars,
                                    size_t *begin, hy_error *err);
HY_CHECKED hy_status hy__view_open(hy__feature_run *run, hy_error *err);
void hy__view_close(hy__feature_run *run);
/* room.c: whether two nodes of a row are windows of several lengths over the same series. */
bool hy__node_siblings(const hy__node *a, const hy__node *b);
/* Which nodes share memory and how many rows a chunk has; then the buffers' offsets, false where
 * they overflow. */
HY_CHECKED hy_status hy__rooms_share(hy__feature_run *run, hy_error *err);
bool hy__rooms_place(hy__feature_run *run, size_t *at);
bool hy__take(size_t *at, size_t bytes, size_t *out);
bool hy__take_array(size_t *at, size_t n, size_t each, size_t *out);

/* The first row of a timeframe that the last stage gives out. */
static inline size_t hy__feature_run_begin(const hy__feature_run *run, uint32_t tf) {
  return run->stages[run->f->n_stages - 1].t_begin[tf];
}

/* Where a stage's targets go: `out` of the façade's layout, or columns of [row, symbol] matrices.
 */
typedef struct hy__sink_plan {
  double *out;
  double *const *columns;
  double *const *tiles; /* [target] -> [row][lane] of this block, from the stage's t_begin on */
  size_t symbol_stride; /* of columns that are [symbol, row]: doubles between symbols; else 0 */
} hy__sink_plan;
/* One block of one stage. */
typedef struct hy__exec_job {
  uint32_t stage;
  size_t block;
  void *workspace;
  hy__sink_plan sink;
  uint32_t *n_bars; /* [HY_LANES], or NULL */
  int64_t *time_ns; /* [2] spent on reading and on computing, or NULL */
} hy__exec_job;
HY_CHECKED hy_status hy__exec_block(const hy__feature_run *run, const hy__exec_job *job,
                                    hy_error *err);

#endif
