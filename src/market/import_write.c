/* SPDX-License-Identifier: Apache-2.0
 * What import ends with: series onto the axis, block by block, into the universe file; and the
 * repacking of a universe that another tool wrote. */
#include <math.h>
#include <stdio.h>

#include "market/hdf5.h"
#include "market/import.h"

/* One block on the axis: mask, then cell by cell of a field. */
static void place_mask(const hy__import *im, size_t block, uint8_t *mask) {
  memset(mask, 0, im->n_axis * HY_LANES);
  for (size_t lane = 0; lane < HY_LANES && block * HY_LANES + lane < im->symbols.n; lane++) {
    const hy__series *s = &im->series[block * HY_LANES + lane];
    for (size_t k = 0, t = 0; k < s->n; k++) {
      const int64_t at = hy__rows_at(&im->rows, s->row[k])->time_ns;
      while (im->axis[t] < at) t++;
      mask[t * HY_LANES + lane] = 1;
    }
  }
}

/* The k-th set byte of a lane is its series' k-th bar. */
static void place_field(const hy__import *im, size_t block, size_t field, const uint8_t *mask,
                        double *cells) {
  const double missing = (double)NAN;
  size_t next[HY_LANES] = {0};
  for (size_t t = 0; t < im->n_axis; t++)
    for (size_t lane = 0; lane < HY_LANES; lane++) {
      double *cell = &cells[t * HY_LANES + lane];
      *cell = missing;
      if (!mask[t * HY_LANES + lane]) continue;
      const hy__series *s = &im->series[block * HY_LANES + lane];
      *cell = hy__rows_at(&im->rows, s->row[next[lane]++])->value[field];
    }
}

static hy_status put_blocks(const hy__import *im, hy__hdf5_writer *w, double *cells, uint8_t *mask,
                            hy_error *err) {
  const hy_import_options *o = im->options;
  const size_t n_blocks = hy__universe_n_blocks(im->symbols.n);
  for (size_t block = 0; block < n_blocks; block++) {
    HY_FAIL_IF(o->progress && !o->progress(o->progress_ctx, block * HY_LANES, im->symbols.n,
                                           "symbols written"),
               HY_CANCELLED, err, "stopped on request; nothing was written");
    place_mask(im, block, mask);
    for (size_t f = 0; f < im->n_fields; f++) {
      place_field(im, block, f, mask, cells);
      HY_TRY(hy__hdf5_put(w, (int32_t)f, block, cells, err));
    }
    HY_TRY(hy__hdf5_put_valid(w, block, mask, err));
  }
  return HY_OK;
}

static hy_status write_with(hy__import *im, const hy__hdf5_head *head, double *cells, uint8_t *mask,
                            hy_error *err) {
  hy__hdf5_writer *w;
  HY_TRY(hy__hdf5_create(im->allocator, im->options->output, head, &w, err));
  hy_status status = put_blocks(im, w, cells, mask, err);
  if (status == HY_OK) return hy__hdf5_commit(w, err);
  hy__hdf5_discard(w);
  return status;
}

hy_status hy__import_write(hy__import *im, hy_error *err) {
  hy_import_report *r = im->report;
  const hy__hdf5_head head = {.n_bars = im->n_axis,
                              .n_symbols = im->symbols.n,
                              .n_fields = im->n_fields,
                              .time_ns = im->axis,
                              .symbols = im->symbols.names,
                              .fields = im->fields,
                              .timeframe = r->timeframe,
                              .zone = r->zone,
                              .calendar = r->calendar,
                              .source = r->source,
                              .compress = im->options->compress};
  const size_t n = im->n_axis * HY_LANES;
  void *cells = NULL, *mask = NULL;
  hy_status status = hy__alloc_array(im->allocator, n, sizeof(double), &cells, err);
  if (status == HY_OK) status = hy__alloc_array(im->allocator, n, 1, &mask, err);
  if (status == HY_OK) status = write_with(im, &head, cells, mask, err);
  hy__free(im->allocator, mask, n);
  hy__free(im->allocator, cells, n * sizeof(double));
  return status;
}

/* --- from a universe --- */

static hy_status copy_block(const hy_universe *u, size_t block, hy__hdf5_writer *w, double *scratch,
                            uint8_t *mask, hy_error *err) {
  const size_t n = u->info.n_bars;
  uint8_t *bits = mask + n * HY_LANES;
  const double *cells;
  bool all;
  for (int32_t f = 0; f < (int32_t)u->info.n_fields; f++) {
    HY_TRY(hy__universe_block(u, f, block, 0, n, scratch, &cells, err));
    HY_TRY(hy__hdf5_put(w, f, block, cells, err));
  }
  HY_TRY(hy__universe_present(u, block, 0, n, bits, &all, err));
  for (size_t k = 0; k < n * HY_LANES; k++)
    mask[k] = (uint8_t)(bits[k / HY_LANES] >> (k % HY_LANES) & 1);
  return hy__hdf5_put_valid(w, block, mask, err);
}

static hy_status copy_blocks(hy__import *im, const hy_universe *u, hy__hdf5_writer *w,
                             hy_error *err) {
  const size_t n = u->info.n_bars;
  void *scratch = NULL, *mask = NULL;
  hy_status status = hy__alloc_array(im->allocator, n, HY_LANES * sizeof(double), &scratch, err);
  if (status == HY_OK) status = hy__alloc_array(im->allocator, n, HY_LANES + 1, &mask, err);
  for (size_t b = 0; status == HY_OK && b < hy__universe_n_blocks(u->info.n_symbols); b++)
    status = copy_block(u, b, w, scratch, mask, err);
  hy__free(im->allocator, mask, n * (HY_LANES + 1));
  hy__free(im->allocator, scratch, n * HY_LANES * sizeof(double));
  return status;
}

static hy_status copy_universe(hy__import *im, const hy_universe *u, hy_error *err) {
  const hy_universe_info *i = &u->info;
  hy__hdf5_writer *w;
  const hy__hdf5_head head = {
      .n_bars = i->n_bars,
      .n_symbols = i->n_symbols,
      .n_fields = i->n_fields,
      .time_ns = i->time_ns,
      .symbols = i->symbols,
      .fields = i->fields,
      .timeframe = im->options->timeframe ? im->options->timeframe : i->timeframe,
      .zone = im->options->zone ? im->options->zone : i->zone,
      .calendar = im->options->calendar ? im->options->calendar : i->calendar,
      .source = i->source,
      .compress = im->options->compress};
  HY_TRY(hy__hdf5_create(im->allocator, im->options->output, &head, &w, err));
  hy_status status = copy_blocks(im, u, w, err);
  if (status == HY_OK) return hy__hdf5_commit(w, err);
  hy__hdf5_discard(w);
  return status;
}

static hy_status describe_universe(hy__import *im, const hy_universe *u, hy_error *err) {
  hy_import_report *r = im->report;
  const char *const texts[4] = {u->info.timeframe, u->info.zone, u->info.calendar, u->info.source};
  const char **const to[4] = {&r->timeframe, &r->zone, &r->calendar, &r->source};
  for (int k = 0; k < 4; k++)
    HY_TRY(hy__arena_text(r->arena, texts[k], strlen(texts[k]), to[k], err));
  void *memory;
  HY_TRY(hy__arena_array(r->arena, u->info.n_fields, sizeof(char *), &memory, err));
  const char **fields = memory;
  for (size_t k = 0; k < u->info.n_fields; k++)
    HY_TRY(hy__arena_text(r->arena, u->info.fields[k], strlen(u->info.fields[k]), &fields[k], err));
  r->fields = fields;
  r->n_fields = u->info.n_fields, r->n_bars = u->info.n_bars, r->n_symbols = u->info.n_symbols;
  r->first_ns = u->info.time_ns[0], r->last_ns = u->info.time_ns[u->info.n_bars - 1];
  r->stamp = "close";
  r->dialects = "hdf5";
  return HY_OK;
}

hy_status hy__import_universe(hy__import *im, hy_runtime *runtime, const char *path,
                              hy_error *err) {
  hy_universe *u;
  HY_TRY(hy_universe_open(runtime, path, &u, err));
  hy_status status = describe_universe(im, u, err);
  if (status == HY_OK) status = copy_universe(im, u, err);
  hy_universe_destroy(u);
  return status;
}
