/* SPDX-License-Identifier: Apache-2.0
 * hy_universe_generate: the deterministic synthetic universe. Workers fill blocks of eight symbols,
 * the caller's thread writes them in order, so that the file's bytes do not depend on the thread
 * count. */
#include "market/generate.h"

#include <math.h>
#include <stdio.h>

#include "market/hdf5.h"

enum { SYMBOLS_MAX = 100000, BARS_MAX = 1 << 24, BATCH_BYTES = 48 << 20, NAME_BYTES = 16 };

typedef struct job {
  const hy_allocator *allocator;
  hy__arena *arena;
  uint64_t seed;
  size_t n_symbols, batch; /* batch: blocks made at once */
  size_t first_block;
  hy__tape tape;
  double *cells;  /* [batch][field][n_bars][8] */
  uint8_t *valid; /* [batch][n_bars][8] */
  hy__hdf5_head head;
} job;

static hy_status array(hy__arena *arena, size_t n, double **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(arena, n, sizeof(double), &memory, err));
  *out = memory;
  return HY_OK;
}

static hy_status tape_alloc(job *j, hy_error *err) {
  hy__tape *t = &j->tape;
  void *memory;
  double **const arrays[] = {&t->phase, &t->share, &t->regime, &t->market, &t->overnight};
  HY_TRY(hy__arena_array(j->arena, t->n_bars, sizeof(int64_t), &memory, err));
  t->time_ns = memory;
  HY_TRY(hy__arena_array(j->arena, t->n_bars, 1, &memory, err));
  t->first = memory;
  for (size_t k = 0; k < HY_COUNT(arrays); k++) HY_TRY(array(j->arena, t->n_bars, arrays[k], err));
  for (size_t k = 0; k < HY_SECTORS; k++) HY_TRY(array(j->arena, t->n_bars, &t->sector[k], err));
  return HY_OK;
}

static hy_status name_symbols(job *j, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(j->arena, j->n_symbols, sizeof(char *), &memory, err));
  const char **names = memory;
  for (size_t k = 0; k < j->n_symbols; k++)
    HY_TRY(hy__arena_printf(j->arena, &names[k], err, "S%04zu", k + 1));
  j->head.symbols = names;
  return HY_OK;
}

static hy__symbol_cells cells_of(const job *j, size_t slot, size_t lane) {
  const size_t plane = j->tape.n_bars * HY_LANES;
  hy__symbol_cells c = {.valid = j->valid + slot * plane + lane};
  for (size_t f = 0; f < HY__GENERATE_FIELDS; f++)
    c.field[f] = j->cells + (slot * HY__GENERATE_FIELDS + f) * plane + lane;
  return c;
}

static void fill_absent(const hy__symbol_cells *c, size_t n_bars) {
  for (size_t t = 0; t < n_bars; t++) {
    for (int f = 0; f < HY__GENERATE_FIELDS; f++) c->field[f][t * HY_LANES] = (double)NAN;
    c->valid[t * HY_LANES] = 0;
  }
}

static hy_status make_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  (void)worker, (void)err;
  for (size_t slot = begin; slot < end; slot++) {
    for (size_t lane = 0; lane < HY_LANES; lane++) {
      const size_t symbol = (j->first_block + slot) * HY_LANES + lane;
      const hy__symbol_cells c = cells_of(j, slot, lane);
      if (symbol < j->n_symbols)
        hy__generate_symbol(&j->tape, j->seed, symbol, &c);
      else
        fill_absent(&c, j->tape.n_bars);
    }
  }
  return HY_OK;
}

static hy_status put_blocks(const job *j, hy__hdf5_writer *w, size_t n, hy_error *err) {
  for (size_t slot = 0; slot < n; slot++) {
    const hy__symbol_cells c = cells_of(j, slot, 0);
    for (int32_t f = 0; f < HY__GENERATE_FIELDS; f++)
      HY_TRY(hy__hdf5_put(w, f, j->first_block + slot, c.field[f], err));
    HY_TRY(hy__hdf5_put_valid(w, j->first_block + slot, c.valid, err));
  }
  return HY_OK;
}

static hy_status make_all(job *j, hy_runtime *runtime, const hy_generate_options *o,
                          hy__hdf5_writer *w, hy_error *err) {
  const size_t n_blocks = hy__universe_n_blocks(j->n_symbols);
  for (j->first_block = 0; j->first_block < n_blocks; j->first_block += j->batch) {
    const size_t n = HY_MIN(j->batch, n_blocks - j->first_block);
    HY_FAIL_IF(o->progress && !o->progress(o->progress_ctx, j->first_block * HY_LANES, j->n_symbols,
                                           "symbols"),
               HY_CANCELLED, err, "stopped on request; nothing was written");
    HY_TRY(hy__pool_for(hy__runtime_pool(runtime), n, 1, make_blocks, j, err));
    HY_TRY(put_blocks(j, w, n, err));
  }
  return HY_OK;
}

static hy_status prepare(job *j, hy_runtime *runtime, const hy_generate_options *o, hy_error *err) {
  int64_t timeframe_ns;
  const char *timeframe = o->timeframe ? o->timeframe : "1m";
  HY_TRY(hy__timeframe_parse(timeframe, &timeframe_ns, err));
  HY_TRY(tape_alloc(j, err));
  HY_TRY(hy__tape_fill(&j->tape, timeframe_ns, j->seed, err));
  HY_TRY(name_symbols(j, err));
  const size_t block_bytes = j->tape.n_bars * HY_LANES * (HY__GENERATE_FIELDS * sizeof(double) + 1);
  const size_t most = (size_t)hy__pool_n_workers(hy__runtime_pool(runtime)) * 4;
  j->batch = HY_MAX((size_t)1, HY_MIN(most, BATCH_BYTES / block_bytes));
  j->batch = HY_MIN(j->batch, hy__universe_n_blocks(j->n_symbols));
  void *memory;
  HY_TRY(hy__arena_array(j->arena, j->batch * HY__GENERATE_FIELDS,
                         j->tape.n_bars * HY_LANES * sizeof(double), &memory, err));
  j->cells = memory;
  HY_TRY(hy__arena_array(j->arena, j->batch, j->tape.n_bars * HY_LANES, &memory, err));
  j->valid = memory;
  j->head.n_bars = j->tape.n_bars, j->head.n_symbols = j->n_symbols,
  j->head.n_fields = HY__GENERATE_FIELDS;
  j->head.time_ns = j->tape.time_ns, j->head.fields = hy__generate_fields;
  HY_TRY(hy__arena_printf(j->arena, &j->head.source, err, "synthetic: seed %llu",
                          (unsigned long long)j->seed));
  HY_TRY(hy__arena_text(j->arena, timeframe, strlen(timeframe), &j->head.timeframe, err));
  j->head.zone = "America/New_York", j->head.calendar = "XNYS";
  return HY_OK;
}

static hy_status generate(job *j, hy_runtime *runtime, const hy_generate_options *o,
                          hy_error *err) {
  hy__hdf5_writer *w;
  HY_TRY(prepare(j, runtime, o, err));
  HY_TRY(hy__hdf5_create(j->allocator, o->output, &j->head, &w, err));
  hy_status status = make_all(j, runtime, o, w, err);
  if (status == HY_OK) return hy__hdf5_commit(w, err);
  hy__hdf5_discard(w);
  return status;
}

hy_status hy_universe_generate(hy_runtime *runtime, const hy_generate_options *o, hy_error *err) {
  HY_FAIL_IF(
      !runtime || !o || o->struct_size < sizeof *o || !o->output, HY_INVALID_ARGUMENT, err,
      "hy_universe_generate: runtime, options with struct_size, and an output file must be given");
  job j = {.allocator = hy__runtime_allocator(runtime),
           .seed = o->seed ? o->seed : 7,
           .n_symbols = o->n_symbols ? o->n_symbols : 500,
           .tape.n_bars = o->n_bars ? o->n_bars : 2000};
  HY_FAIL_IF(j.n_symbols > SYMBOLS_MAX || j.tape.n_bars > BARS_MAX, HY_LIMIT, err,
             "at most %d symbols and %d bars can be made", SYMBOLS_MAX, BARS_MAX);
  HY_TRY(hy__arena_create(j.allocator, 0, 0, &j.arena, err));
  hy_status status = generate(&j, runtime, o, err);
  hy__arena_destroy(j.arena);
  return status;
}

/* --- in memory --- */

static hy_status panel_alloc(const job *j, hy_panel *panel, double *field[HY__GENERATE_FIELDS],
                             uint8_t **valid, hy_error *err) {
  void *memory;
  size_t n_cells = j->tape.n_bars * j->n_symbols;
  HY_TRY(hy__arena_array(j->arena, HY__GENERATE_FIELDS, sizeof(double *), &memory, err));
  const double **data = memory;
  for (size_t f = 0; f < HY__GENERATE_FIELDS; f++) {
    HY_TRY(array(j->arena, n_cells, &field[f], err));
    data[f] = field[f];
  }
  HY_TRY(hy__arena_array(j->arena, n_cells, 1, &memory, err));
  *valid = memory;
  panel->struct_size = sizeof *panel;
  panel->n_fields = HY__GENERATE_FIELDS, panel->fields = hy__generate_fields, panel->data = data,
  panel->valid = *valid;
  panel->symbols = j->head.symbols, panel->time_ns = j->tape.time_ns;
  panel->zone = "America/New_York", panel->calendar = "XNYS";
  return HY_OK;
}

hy_status hy__generate_panel(hy_panel *panel, uint64_t seed, hy__arena *arena, hy_error *err) {
  int64_t timeframe_ns;
  double *field[HY__GENERATE_FIELDS], *cells[HY__GENERATE_FIELDS];
  uint8_t *valid, *seen;
  void *memory;
  job j = {
      .arena = arena, .seed = seed, .n_symbols = panel->n_symbols, .tape.n_bars = panel->n_bars};
  HY_FAIL_IF(!j.n_symbols || !j.tape.n_bars || j.n_symbols > SYMBOLS_MAX ||
                 j.tape.n_bars > BARS_MAX,
             HY_LIMIT, err, "1 to %d symbols and 1 to %d bars can be made", SYMBOLS_MAX, BARS_MAX);
  HY_TRY(hy__timeframe_parse(panel->timeframe, &timeframe_ns, err));
  HY_TRY(tape_alloc(&j, err));
  HY_TRY(hy__tape_fill(&j.tape, timeframe_ns, seed, err));
  HY_TRY(name_symbols(&j, err));
  HY_TRY(panel_alloc(&j, panel, field, &valid, err));
  for (size_t f = 0; f < HY__GENERATE_FIELDS; f++)
    HY_TRY(array(arena, panel->n_bars * HY_LANES, &cells[f], err));
  HY_TRY(hy__arena_array(arena, panel->n_bars * HY_LANES, 1, &memory, err));
  seen = memory;
  for (size_t s = 0; s < panel->n_symbols; s++) {
    hy__symbol_cells c = {.valid = seen};
    for (size_t f = 0; f < HY__GENERATE_FIELDS; f++) c.field[f] = cells[f];
    hy__generate_symbol(&j.tape, seed, s, &c);
    for (size_t t = 0; t < panel->n_bars; t++) {
      size_t at = t * panel->n_symbols + s;
      for (size_t f = 0; f < HY__GENERATE_FIELDS; f++) field[f][at] = cells[f][t * HY_LANES];
      valid[at] = seen[t * HY_LANES];
    }
  }
  return HY_OK;
}
