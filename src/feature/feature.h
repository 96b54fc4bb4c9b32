/* SPDX-License-Identifier: Apache-2.0
 * The façade of the feature room for score and stream: a program bound to a universe and a range of
 * rows, run block by block (8 symbols) in stages with a barrier between them (cross-section). */
#ifndef HY_FEATURE_FEATURE_H
#define HY_FEATURE_FEATURE_H

#include <hayate/feature.h>

#include "base/base.h"
#include "codec/codec.h"
#include "market/market.h"

typedef struct hy__feature_run hy__feature_run;

typedef struct hy__feature_range {
  size_t t_begin, t_end; /* rows of the universe's axis to emit, [begin, end) */
  size_t t_start;        /* first bar fed: 0 gives the full run's bits */
  size_t chunk_rows;     /* rows computed at a time, without effect on the values; 0: chosen */
  bool by_node;          /* values go into matrices, so each as soon as it is computed */
  /* Within the room, for windows.c: these features at their own timeframes, from so many bars of
   * each timeframe before t_begin on; NULL: all at the universe's. */
  const uint32_t *own;
  size_t n_own;
  const size_t *own_bars;
} hy__feature_range;

/* Binds and analyses which rows each node needs: windowed nodes start only as far back as they
 * look. Owns the cross-section's storage. Refuses missing fields by name (NOT_FOUND). */
HY_CHECKED hy_status hy__feature_run_create(const hy_features *features,
                                            const hy_universe *universe, hy__feature_range range,
                                            hy__feature_run **out, hy_error *err);
void hy__feature_run_destroy(hy__feature_run *run);
uint32_t hy__feature_run_n_stages(const hy__feature_run *run); /* 1 without cross-section */
size_t hy__feature_run_n_blocks(const hy__feature_run *run);
/* Per worker, reused for every block and stage. */
size_t hy__feature_run_workspace_bytes(const hy__feature_run *run);

/* Runs stage `stage` for block `block`; stages in order, all blocks of one before the next, blocks
 * of a stage in any order by any worker. In the last stage writes out[(lane * rows + r) *
 * n_features + f] for rows = t_end - t_begin (float64, NaN missing); out is NULL in earlier stages.
 * n_bars[lane] gets the symbol's bars seen up to the range's end. time_ns[0] and [1] add the
 * monotonic ns spent reading and computing. */
HY_CHECKED hy_status hy__feature_run_block(hy__feature_run *run, uint32_t stage, size_t block,
                                           void *workspace, double *out, uint32_t n_bars[HY_LANES],
                                           int64_t time_ns[2], hy_error *err);
/* Between two stages, after all blocks of `stage`: the cross-section, row by row, in symbol order.
 * Rows [row_begin, row_end) of hy__feature_run_cross_rows(run, stage); callers may split rows over
 * workers. */
size_t hy__feature_run_cross_rows(const hy__feature_run *run, uint32_t stage);
HY_CHECKED hy_status hy__feature_run_cross(hy__feature_run *run, uint32_t stage, size_t row_begin,
                                           size_t row_end, void *workspace, hy_error *err);

/* The spec's timeframe of that name or length: 0 the universe's own (by name where the spec says
 * its base), SIZE_MAX when it has none. */
size_t hy__features_timeframe(const hy_features *features, const char *name);
/* The rows of all features at a slower timeframe (hy_features_at's order), of all symbols, far
 * enough back for n_bars before each row of the range. */
typedef struct hy__feature_bars hy__feature_bars;
typedef struct hy__bars_want {
  uint32_t timeframe;
  size_t n_bars;
} hy__bars_want;
HY_CHECKED hy_status hy__feature_bars_create(const hy_features *features,
                                             const hy_universe *universe, hy__feature_range range,
                                             const hy__bars_want *want, hy__feature_bars **out,
                                             hy_error *err);
void hy__feature_bars_destroy(hy__feature_bars *bars, const hy_features *features); /* NULL: fine */
/* The symbol's last n bars that have ended by the close of row t: rows[n - found .. n - 1], oldest
 * first; fewer where it has fewer. */
size_t hy__feature_bars_last(const hy__feature_bars *bars, size_t symbol, size_t t, size_t n,
                             const double **rows);

/* Where a program's fit comes from, when not from the file that its spec names. */
typedef struct hy__fit_source {
  const char *path; /* of the file, or the name of `data` */
  const void *data; /* its text */
  size_t bytes;
  bool none, inputs; /* without; and giving out what the steps of the fit take */
} hy__fit_source;
/* A spec given inline in a pipeline file, as the YAML node that stands there (a map, or a list of
 * items); fit may be NULL. */
HY_CHECKED hy_status hy__features_create_node(hy_runtime *runtime, const hy__yaml *node,
                                              const char *subject, const hy__fit_source *fit,
                                              hy_features **out, hy_error *err);
/* As hy_features_create. */
HY_CHECKED hy_status hy__features_create_text(hy_runtime *runtime, const char *spec,
                                              const hy__fit_source *fit, hy_features **out,
                                              hy_error *err);
/* The file that the fit was read from, or NULL. */
const char *hy__features_fit_path(const hy_features *features);
/* True where the spec's gap policy says that a missing bar does not exist (none, reset): a model's
 * window then counts the symbol's own bars. False: rows of the panel's axis (flat, mark). */
bool hy__features_skip_missing(const hy_features *features);

/* Whether the spec reads or requires the universe's field `field`. */
bool hy__features_read(const hy_features *features, const hy_universe *universe, int32_t field);
/* What it requires of a universe beyond fields; NULL where nothing. */
typedef struct hy__features_wants {
  const char *timeframe, *zone, *calendar;
} hy__features_wants;
hy__features_wants hy__features_wanted(const hy_features *features);
/* A panel of a file's bars without the names that no caller's panel may have, where the spec does
 * not ask for them: files of other tools hold any text. */
void hy__features_forget_names(const hy_features *features, hy_panel *panel);

/* For --history stable: bars before t_begin that make the answer stable to tol; UNSUPPORTED names
 * the feature that has no bound (cumulative without anchor, path dependent without warmup_bars). */
HY_CHECKED hy_status hy__feature_stable_bars(const hy_features *features, double tol, size_t *out,
                                             hy_error *err);

enum { HY__DIFFERENCE_BYTES = 320 };
/* "nodes[3].params.n is ... here, ... there": the first place where two canonical forms differ. */
void hy__canonical_difference(const char *ours, const char *theirs,
                              char text[HY__DIFFERENCE_BYTES]);

#endif
