/* SPDX-License-Identifier: Apache-2.0
 * A pipeline file in memory: what hy_pipeline_open read and checked, for the job and the reports.
 */
#ifndef HY_SCORE_PIPELINE_H
#define HY_SCORE_PIPELINE_H

#include <hayate/score.h>
#include <hayate/session.h>

#include <pthread.h>

#include "base/base.h"
#include "codec/codec.h"
#include "engine/engine.h"
#include "feature/feature.h"

enum {
  HY__PIPELINE_MODELS_MAX = 64,
  HY__PIPELINE_INPUTS_MAX = 64,
  HY__PIPELINE_WINDOW_MAX = 100000,
  HY__PIPELINE_BATCH_MAX = 4096, /* rows that a model may insist on */
  HY__PIPELINE_BYTES_MAX = 4 << 20,
  HY__PIPELINE_TIMEFRAMES_MAX = 16, /* as many as a spec has */
  HY__PIPELINE_IDLE_MAX = 64
};

/* How a window [time, feature] of a sample lies in the model's input: batch, time, feature in this
 * order. */
typedef enum hy__layout {
  HY__LAYOUT_BTF,
  HY__LAYOUT_BFT,
  HY__LAYOUT_TBF,
  HY__LAYOUT_FLAT
} hy__layout;
typedef enum hy__missing { HY__MISSING_REFUSE, HY__MISSING_NAN, HY__MISSING_VALUE } hy__missing;
typedef enum hy__combine {
  HY__COMBINE_MEAN,
  HY__COMBINE_WEIGHTED,
  HY__COMBINE_ZSCORE_MEAN,
  HY__COMBINE_MEDIAN,
  HY__COMBINE_ONE
} hy__combine;

typedef struct hy__pipeline_input {
  size_t port;    /* index of the model's input */
  hy_dtype dtype; /* f32 or f64 */
  hy__layout layout;
  size_t window;            /* rows, oldest first */
  uint32_t timeframe;       /* of the spec; 0: rows of the universe */
  const uint32_t *features; /* columns of the feature matrix, or among the timeframe's features */
  size_t n_features;
  bool in_order; /* features are 0..n-1: rows are copied as they stand */
  int32_t rank;  /* of the tensor to give: 2, or 3 with a time axis */
} hy__pipeline_input;

typedef struct hy__pipeline_model {
  const char *name, *path;
  hy_model *model;
  hy__pipeline_input *inputs;
  size_t n_inputs;
  size_t window; /* the largest of the inputs' that take the universe's rows */
  size_t batch;  /* rows per run: 0 open, else what the model's file fixes */
  const char *output;
  int64_t column; /* of the last axis, -1 when the output is one value per row */
  double weight;
  hy__missing missing;
  double missing_value;
  /* Sessions of earlier runs, planned already; under the pipeline's lock. */
  hy_session *idle[HY__PIPELINE_IDLE_MAX];
  size_t n_idle;
} hy__pipeline_model;

typedef struct hy__decision {
  bool by_sign; /* else by rank */
  double threshold;
  size_t n_long, n_short;
  double cost_bps;
  double periods_per_year; /* 0: from the universe's bars */
} hy__decision;

struct hy_pipeline {
  hy_runtime *runtime;
  hy__arena *arena;
  const char *name, *path;
  hy__map map;               /* of a packed pipeline, else empty */
  hy__hyp container;         /* its sections */
  const char *features_path; /* the spec's file; NULL: inline, or in the container */
  const char *fit_path;      /* that the pipeline names; NULL: none */
  hy__fit_source fit;        /* from there, or from the container */
  hy_features *features;
  hy_features_info spec;
  hy__pipeline_model *models;
  size_t n_models;
  size_t window;                              /* the largest of the models' */
  size_t n_bars[HY__PIPELINE_TIMEFRAMES_MAX]; /* the largest window of each slower timeframe */
  hy__combine combine;
  bool renormalise; /* combine_missing */
  size_t horizon;   /* label fwd(h) */
  hy__decision decision;
  int64_t load_ns;
  pthread_mutex_t lock;
};

/* --- packed.c: pipelines in containers --- */

static inline bool hy__pipeline_packed(const hy_pipeline *p) { return p->container.n != 0; }
/* The container's table, and the pipeline's text: a view into it. */
HY_CHECKED hy_status hy__packed_open(hy_pipeline *p, hy__span *text, hy_error *err);
/* The spec, from its own section or the pipeline's node. */
HY_CHECKED hy_status hy__packed_features(hy_pipeline *p, const hy__yaml *node, hy_error *err);

/* A session of model `m` for its `output`, kept from an earlier run or new. Give it back when the
 * run ends. */
HY_CHECKED hy_status hy__pipeline_take(const hy_pipeline *p, size_t m, hy_session **out,
                                       hy_error *err);
void hy__pipeline_give(const hy_pipeline *p, size_t m, hy_session *session); /* NULL is fine */

/* Reads `models:` into p; the spec is read already. */
HY_CHECKED hy_status hy__pipeline_models(hy_pipeline *p, const hy__yaml *list, hy_error *err);
/* The spec that stands in the pipeline file itself, a text, a list or a map. */
HY_CHECKED hy_status hy__pipeline_inline(hy_pipeline *p, const hy__yaml *node, hy_error *err);
/* An enum's value by name from `names` (NULL-terminated); BAD_FORMAT lists the choices. */
HY_CHECKED hy_status hy__pipeline_choice(const hy__yaml *node, const char *const *names, int *out,
                                         hy_error *err);

#endif
