/* SPDX-License-Identifier: Apache-2.0
 * A universe at a slower timeframe out of a faster one, in memory: blocks of eight symbols in
 * parallel, each field folded from the oldest bar on. */
#include <math.h>

#include "market/universe.h"

enum { CHUNK_ROWS = 256 };

typedef struct job {
  const hy_universe *base;
  const hy__aggregate_options *o;
  hy_universe *out;
  size_t *ends; /* [row] the base's first row behind the bar */
  size_t n_rows;
  int32_t *fields; /* [field] of the base; -1: n_src */
  int32_t volume;
} job;

/* ---- one block ---- */

typedef struct piece {
  size_t begin, end; /* rows of the base */
  size_t row;        /* of the slower universe, to which `begin` belongs */
} piece;

static double *field_rows(const job *j, size_t field, size_t block) {
  const hy__plane *p = &j->out->fields[field];
  return (double *)(uintptr_t)(p->base + p->offset[block]);
}

/* The chunk's rows, bar by bar; a bar goes on in the next chunk. */
static void fold_chunk(const job *j, const piece *c, hy__fold how, const double *const cells[2],
                       hy__fold_state *s, double *out) {
  for (size_t t = c->begin, row = c->row; t < c->end; row++) {
    const size_t end = HY_MIN(j->ends[row], c->end), at = (t - c->begin) * HY_LANES;
    hy__fold_rows(how, cells[0] + at, cells[1] ? cells[1] + at : NULL, end - t, s);
    t = end;
    if (end != j->ends[row]) return;
    hy__fold_end(how, s, out + row * HY_LANES);
    hy__fold_begin(s);
  }
}

static piece first_piece(const job *j) { return (piece){.begin = j->o->t_begin}; }

/* The next chunk's end, and the row of the one after. */
static size_t end_piece(const job *j, piece *c) {
  const size_t last = j->ends[j->n_rows - 1];
  size_t row = c->row;
  c->end = HY_MIN(c->begin + CHUNK_ROWS, last);
  while (row + 1 < j->n_rows && j->ends[row] <= c->end) row++;
  return row;
}

static hy_status fold_field(const job *j, size_t field, size_t block, hy_error *err) {
  double room[2][CHUNK_ROWS * HY_LANES];
  const hy__fold how = hy__fold_of(j->o->fields[field]);
  hy__fold_state state;
  hy__fold_begin(&state);
  for (piece c = first_piece(j); c.begin < j->ends[j->n_rows - 1]; c.begin = c.end) {
    const double *cells[2] = {NULL, NULL};
    const size_t next = end_piece(j, &c);
    HY_TRY(hy__universe_block(j->base, j->fields[field], block, c.begin, c.end, room[0], &cells[0],
                              err));
    if (how == HY__FOLD_VWAP)
      HY_TRY(
          hy__universe_block(j->base, j->volume, block, c.begin, c.end, room[1], &cells[1], err));
    fold_chunk(j, &c, how, cells, &state, field_rows(j, field, block));
    c.row = next;
  }
  return HY_OK;
}

/* How many bars each lane has in each slower bar. */
static hy_status count_bars(const job *j, size_t block, double *counts, uint8_t *valid,
                            hy_error *err) {
  uint8_t mask[CHUNK_ROWS];
  uint32_t n[HY_LANES] = {0};
  bool all;
  for (piece c = first_piece(j); c.begin < j->ends[j->n_rows - 1]; c.begin = c.end) {
    size_t row = c.row;
    c.row = end_piece(j, &c);
    HY_TRY(hy__universe_present(j->base, block, c.begin, c.end, mask, &all, err));
    for (size_t t = c.begin; t < c.end; t++) {
      for (size_t k = 0; k < HY_LANES; k++) n[k] += (uint32_t)(mask[t - c.begin] >> k & 1);
      if (t + 1 != j->ends[row]) continue;
      for (size_t k = 0; k < HY_LANES; k++) {
        valid[row * HY_LANES + k] = n[k] > 0;
        if (counts) counts[row * HY_LANES + k] = n[k] ? (double)n[k] : (double)NAN;
        n[k] = 0;
      }
      row++;
    }
  }
  return HY_OK;
}

static hy_status make_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  (void)worker;
  for (size_t block = begin; block < end; block++) {
    uint8_t *valid = (uint8_t *)(uintptr_t)(j->out->valid.base + j->out->valid.offset[block]);
    double *counts = NULL;
    for (size_t f = 0; f < j->o->n_fields; f++) {
      if (j->fields[f] < 0)
        counts = field_rows(j, f, block);
      else
        HY_TRY(fold_field(j, f, block, err));
    }
    HY_TRY(count_bars(j, block, counts, valid, err));
  }
  return HY_OK;
}

/* ---- the axis and the planes ---- */

/* Rows of the slower universe; ends and time_ns may be NULL. */
static size_t walk_axis(const job *j, size_t *ends, int64_t *time_ns) {
  const int64_t *base_ns = j->base->info.time_ns;
  const size_t t_end = j->o->t_end;
  size_t n = 0;
  for (size_t t = j->o->t_begin; t < t_end;) {
    const int64_t end_ns = hy__grid_end(j->o->grid, base_ns[t]);
    if (end_ns > base_ns[t_end - 1]) break;
    while (t < t_end && base_ns[t] <= end_ns) t++;
    if (ends) ends[n] = t;
    if (time_ns) time_ns[n] = end_ns;
    n++;
  }
  return n;
}

static hy_status make_axis(job *j, hy_error *err) {
  void *memory;
  hy_universe_info *i = &j->out->info;
  j->n_rows = walk_axis(j, NULL, NULL);
  HY_TRY(hy__arena_array(j->out->arena, j->n_rows + 1, sizeof(int64_t), &memory, err));
  i->time_ns = memory;
  int64_t *time_ns = memory;
  HY_TRY(hy__arena_array(j->out->arena, j->n_rows + 1, sizeof(size_t), &memory, err));
  j->ends = memory;
  (void)walk_axis(j, j->ends, time_ns);
  i->n_bars = j->n_rows;
  i->n_symbols = j->base->info.n_symbols;
  i->symbols = j->base->info.symbols;
  i->fields = j->o->fields;
  i->n_fields = j->o->n_fields;
  i->timeframe = j->o->timeframe;
  i->zone = j->base->info.zone;
  i->calendar = j->base->info.calendar;
  i->source = j->base->info.source;
  return HY_OK;
}

static hy_status find_fields(job *j, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(j->out->arena, j->o->n_fields + 1, sizeof(int32_t), &memory, err));
  j->fields = memory;
  j->volume = hy__universe_field(j->base, "volume");
  for (size_t f = 0; f < j->o->n_fields; f++) {
    const char *name = j->o->fields[f];
    j->fields[f] = strcmp(name, "n_src") ? hy__universe_field(j->base, name) : -1;
    HY_FAIL_IF(j->fields[f] < 0 && strcmp(name, "n_src"), HY_NOT_FOUND, err,
               "the universe has no field \"%.60s\"", name);
    HY_FAIL_IF(hy__fold_of(name) == HY__FOLD_VWAP && j->volume < 0, HY_NOT_FOUND, err,
               "vwap at %s is weighted by the field volume, which the universe lacks",
               j->o->timeframe);
  }
  return HY_OK;
}

static hy_status fill(job *j, hy_runtime *runtime, hy_error *err) {
  void *memory;
  hy_universe *u = j->out;
  HY_TRY(find_fields(j, err));
  HY_TRY(make_axis(j, err));
  HY_TRY(hy__arena_array(u->arena, j->o->n_fields + 1, sizeof(hy__plane), &memory, err));
  u->fields = memory;
  for (size_t f = 0; f < j->o->n_fields; f++)
    HY_TRY(hy__universe_plane(u, HY_CELL_F64, &u->fields[f], err));
  HY_TRY(hy__universe_plane(u, HY_CELL_U8, &u->valid, err));
  u->has_valid = true;
  if (j->n_rows == 0) return HY_OK;
  return hy__pool_for(hy__runtime_pool(runtime), hy__universe_n_blocks(u->info.n_symbols), 1,
                      make_blocks, j, err);
}

hy_status hy__universe_aggregate(hy_runtime *runtime, const hy_universe *base,
                                 const hy__aggregate_options *o, hy_universe **out, hy_error *err) {
  hy_universe *u;
  HY_ASSERT(o->t_begin < o->t_end && o->t_end <= base->info.n_bars);
  HY_TRY(hy__universe_alloc(runtime, &u, err));
  job j = {.base = base, .o = o, .out = u};
  hy_status status = fill(&j, runtime, err);
  if (status == HY_OK) {
    hy__arena_freeze(u->arena);
    *out = u;
  } else {
    hy_universe_destroy(u);
  }
  return status;
}
