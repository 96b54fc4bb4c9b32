/* SPDX-License-Identifier: Apache-2.0
 * A scoring run at work: what job.c schedules and border.c feeds to the models. */
#ifndef HY_SCORE_JOB_H
#define HY_SCORE_JOB_H

#include <hayate/session.h>

#include "score/result.h"

enum {
  HY__JOB_BLOCKS_PER_UNIT = 2, /* 16 symbols: a full tile of the recurrent kernels */
  HY__JOB_BATCH_WINDOWED = 16, /* samples per run of a model that looks at windows */
  HY__JOB_BATCH_ROWS = 64      /* of one that looks at single rows */
};

/* Samples of one model on their way through its session. */
typedef struct hy__batch {
  const hy__pipeline_model *model;
  hy_session *session;
  size_t capacity, n;
  void *data[HY__PIPELINE_INPUTS_MAX];   /* the input tensors' elements */
  hy_tensor in[HY__PIPELINE_INPUTS_MAX]; /* in the model's order of inputs */
  size_t *cell;                          /* [capacity] where the answers go */
  double *score;                         /* the model's panel */
  hy__feature_bars *const *bars;         /* [timeframe] of the job */
  const double **slower;                 /* [the largest window of a slower timeframe] */
  size_t n_slower;
  uint8_t *flag;
} hy__batch;

/* A symbol's features in one block: rows oldest first, and which of them count. */
typedef struct hy__lane_rows {
  const double *features; /* [n_rows, n_features] */
  const uint32_t *rows;   /* [n_used] rows that count, ascending; NULL: all are used */
  size_t n_rows, n_used, n_features;
  size_t symbol, t_begin; /* the universe's row of the first */
} hy__lane_rows;

HY_CHECKED hy_status hy__batch_init(hy__batch *b, const hy_pipeline *p, size_t model,
                                    hy_score_result *r, size_t n_samples, hy_error *err);
void hy__batch_destroy(hy__batch *b, const hy_pipeline *p, const hy_allocator *a);
/* Adds the sample whose last row is lane->rows[last], or sets the cell's flag when its window has a
 * missing cell that the model refuses. Runs the batch when it is full. */
HY_CHECKED hy_status hy__batch_add(hy__batch *b, const hy__lane_rows *lane, size_t last,
                                   size_t cell, hy_error *err);
/* Runs what is waiting. */
HY_CHECKED hy_status hy__batch_flush(hy__batch *b, hy_error *err);

#endif
