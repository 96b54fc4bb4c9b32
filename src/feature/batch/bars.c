/* SPDX-License-Identifier: Apache-2.0
 * Features at a slower timeframe as rows of symbols: what a model that takes windows of it reads,
 * computed once for a whole range. */
#include "feature/batch/bars.h"

#include "feature/batch/compute.h"
#include "feature/batch/run.h"

struct hy__feature_bars {
  hy__feature_run *run;
  uint32_t tf;
  bool skip_missing;
  uint32_t *features; /* [n_features] of the program */
  size_t n_features, n_rows;
  double *values; /* [symbol][row][feature] */
  uint8_t *mask;  /* [block][row] */
  size_t values_bytes, mask_bytes;
};

static hy_status take_block(void *ctx, size_t block, double *const *tiles, uint8_t *room,
                            hy_error *err) {
  hy__feature_bars *b = ctx;
  const hy__view *v = &b->run->views[b->tf];
  const size_t begin = block * HY_LANES, n_symbols = b->run->info.n_symbols;
  bool unused;
  (void)room;
  HY_TRY(hy__universe_present(v->universe, block, hy__feature_run_begin(b->run, b->tf), v->t_end,
                              b->mask + block * b->n_rows, &unused, err));
  for (size_t s = begin; s < HY_MIN(begin + HY_LANES, n_symbols); s++) {
    double *to = b->values + s * b->n_rows * b->n_features;
    for (size_t r = 0; r < b->n_rows; r++)
      for (size_t k = 0; k < b->n_features; k++) *to++ = tiles[k][r * HY_LANES + (s - begin)];
  }
  return HY_OK;
}

static hy_status compute(hy__feature_bars *b, hy_error *err) {
  const hy_allocator *a = b->run->f->allocator;
  const size_t n_symbols = b->run->info.n_symbols, begin = hy__feature_run_begin(b->run, b->tf);
  void *memory;
  b->n_rows = b->run->views[b->tf].t_end - begin;
  bool fits = hy__mul(b->n_rows, b->n_features * sizeof(double), &b->values_bytes) &&
              hy__mul(b->values_bytes, n_symbols, &b->values_bytes) &&
              hy__mul(b->n_rows, b->run->n_blocks, &b->mask_bytes);
  HY_FAIL_IF(!fits, HY_LIMIT, err, "%zu bars of %zu symbols are too many", b->n_rows, n_symbols);
  HY_TRY(hy__alloc(a, b->values_bytes, &memory, err));
  b->values = memory;
  HY_TRY(hy__alloc(a, b->mask_bytes, &memory, err));
  b->mask = memory;
  hy__compute_out out = {.take = take_block, .take_ctx = b};
  return hy__compute_run(b->run, &out, err);
}

hy_status hy__feature_bars_create(const hy_features *f, const hy_universe *universe,
                                  hy__feature_range range, const hy__bars_want *want,
                                  hy__feature_bars **out, hy_error *err) {
  void *memory;
  size_t n_bars[HY__TIMEFRAMES_MAX] = {0};
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy__feature_bars), &memory, err));
  hy__feature_bars *b = memory;
  b->tf = want->timeframe;
  b->skip_missing = hy__features_skip_missing(f);
  n_bars[want->timeframe] = want->n_bars;
  hy_status status = hy__alloc_array(f->allocator, f->n_features, sizeof(uint32_t), &memory, err);
  if (status == HY_OK) {
    b->features = memory;
    b->n_features = hy__features_list(f, b->tf, b->features);
    range.own = b->features;
    range.n_own = b->n_features;
    range.own_bars = n_bars;
    status = hy__feature_run_create(f, universe, range, &b->run, err);
  }
  if (status == HY_OK) status = compute(b, err);
  if (status == HY_OK)
    *out = b;
  else
    hy__feature_bars_destroy(b, f);
  return status;
}

void hy__feature_bars_destroy(hy__feature_bars *b, const hy_features *f) {
  if (!b) return;
  hy__free(f->allocator, b->values, b->values_bytes);
  hy__free(f->allocator, b->mask, b->mask_bytes);
  hy__free(f->allocator, b->features, f->n_features * sizeof(uint32_t));
  hy__feature_run_destroy(b->run);
  hy__free(f->allocator, b, sizeof *b);
}

size_t hy__feature_bars_last(const hy__feature_bars *b, size_t symbol, size_t t, size_t n,
                             const double **rows) {
  const hy__feature_run *run = b->run;
  const size_t begin = hy__feature_run_begin(run, b->tf), width = b->n_features;
  const size_t end = run->ended[0][b->tf][t - run->range.t_start];
  const uint8_t *mask = b->mask + symbol / HY_LANES * b->n_rows;
  const double *values = b->values + symbol * b->n_rows * width;
  size_t found = 0;
  for (size_t r = end > begin ? end - begin : 0; r > 0 && found < n; r--) {
    if (b->skip_missing && !(mask[r - 1] >> symbol % HY_LANES & 1)) continue;
    rows[n - ++found] = values + (r - 1) * width;
  }
  return found;
}
