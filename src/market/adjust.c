/* SPDX-License-Identifier: Apache-2.0
 * A universe with corporate actions applied to the bars before them: blocks of eight symbols in
 * parallel, a stretch of rows between two actions at a time. */
#include <math.h>

#include "market/action.h"
#include "market/universe.h"

/* A symbol's actions: rows of the table. */
typedef struct stretch {
  size_t begin, end;
} stretch;

typedef struct job {
  const hy_universe *base;
  hy_universe *out;
  const hy_action *rows;
  const stretch *of;   /* [symbol] */
  hy__factor *factors; /* [action] of it and those after it */
  size_t *ends;        /* [action] the first bar after it */
  int32_t close;
} job;

static double *plane_rows(const hy__plane *p, size_t block) {
  return (double *)(uintptr_t)(p->base + p->offset[block]);
}

/* ---- what happens to each symbol ---- */

static size_t first_after(const hy_universe *u, int64_t ex_ns) {
  size_t low = 0, high = u->info.n_bars;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (u->info.time_ns[middle] <= ex_ns)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* closes: the symbol's column of raw closes, NaN where there is none. */
static double last_close(const double *closes, size_t end) {
  while (end-- > 0)
    if (closes[end * HY_LANES] == closes[end * HY_LANES]) return closes[end * HY_LANES];
  return (double)NAN;
}

static hy_status find_factors(const job *j, size_t symbol, hy_error *err) {
  const stretch s = j->of[symbol];
  const double *closes = NULL;
  if (j->close >= 0)
    closes = plane_rows(&j->out->fields[j->close], symbol / HY_LANES) + symbol % HY_LANES;
  for (size_t k = s.end; k-- > s.begin;) {
    j->ends[k] = first_after(j->base, j->rows[k].ex_ns);
    const double close = closes ? last_close(closes, j->ends[k]) : (double)NAN;
    HY_FAIL_IF(!closes && j->rows[k].kind == HY_ACTION_DIVIDEND, HY_NOT_FOUND, err,
               "%s: a dividend is held against the field close, which the universe lacks",
               j->rows[k].symbol);
    HY_TRY(hy__action_factor(&j->rows[k], close, &j->factors[k], err));
    if (k + 1 < s.end) j->factors[k] = hy__factor_then(j->factors[k], j->factors[k + 1]);
  }
  return HY_OK;
}

/* ---- blocks ---- */

static void adjust_lane(const job *j, size_t symbol, hy__adjusted how, double *cells) {
  const stretch s = j->of[symbol];
  size_t t = 0;
  for (size_t k = s.begin; k < s.end; k++)
    for (; t < j->ends[k]; t++)
      cells[t * HY_LANES] = hy__factor_apply(j->factors[k], how, cells[t * HY_LANES]);
}

static hy_status copy_field(const job *j, size_t field, size_t block, hy_error *err) {
  const size_t n = j->base->info.n_bars;
  double *to = plane_rows(&j->out->fields[field], block);
  const double *cells;
  HY_TRY(hy__universe_block(j->base, (int32_t)field, block, 0, n, to, &cells, err));
  if (cells != to) memcpy(to, cells, n * HY_LANES * sizeof *to);
  return HY_OK;
}

static hy_status copy_mask(const job *j, size_t block, hy_error *err) {
  enum { ROWS = 512 };
  uint8_t *to = (uint8_t *)(uintptr_t)(j->out->valid.base + j->out->valid.offset[block]);
  uint8_t bits[ROWS];
  bool all;
  for (size_t t = 0; t < j->base->info.n_bars; t += ROWS) {
    const size_t end = HY_MIN(t + ROWS, j->base->info.n_bars);
    HY_TRY(hy__universe_present(j->base, block, t, end, bits, &all, err));
    for (size_t k = 0; k < (end - t) * HY_LANES; k++)
      to[t * HY_LANES + k] = (uint8_t)(bits[k / HY_LANES] >> k % HY_LANES & 1);
  }
  return HY_OK;
}

static hy_status make_block(const job *j, size_t block, hy_error *err) {
  const size_t begin = block * HY_LANES, n = j->base->info.n_symbols;
  const size_t end = HY_MIN(begin + HY_LANES, n);
  for (size_t f = 0; f < j->base->info.n_fields; f++) HY_TRY(copy_field(j, f, block, err));
  HY_TRY(copy_mask(j, block, err));
  for (size_t s = begin; s < end; s++) HY_TRY(find_factors(j, s, err));
  for (size_t f = 0; f < j->base->info.n_fields; f++) {
    const hy__adjusted how = hy__adjusted_of(j->base->info.fields[f]);
    for (size_t s = begin; s < end; s++)
      adjust_lane(j, s, how, plane_rows(&j->out->fields[f], block) + s % HY_LANES);
  }
  return HY_OK;
}

static hy_status make_blocks(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  (void)worker;
  for (size_t block = begin; block < end; block++) HY_TRY(make_block(ctx, block, err));
  return HY_OK;
}

/* ---- the façade ---- */

static size_t first_of(const hy_actions *t, const char *symbol) {
  size_t low = 0, high = t->n_rows;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (strcmp(t->rows[middle].symbol, symbol) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void find_actions(const hy_actions *t, const hy_universe *base, int64_t as_of_ns,
                         stretch *of) {
  for (size_t s = 0; s < base->info.n_symbols; s++) {
    size_t k = first_of(t, base->info.symbols[s]);
    of[s] = (stretch){k, k};
    for (; k < t->n_rows && !strcmp(t->rows[k].symbol, base->info.symbols[s]); k++)
      if (t->rows[k].ex_ns <= as_of_ns) of[s].end = k + 1;
  }
}

static hy_status lay_out(hy_universe *u, const hy_universe *base, hy_error *err) {
  void *memory;
  u->info = base->info;
  HY_TRY(hy__arena_array(u->arena, u->info.n_fields, sizeof(hy__plane), &memory, err));
  u->fields = memory;
  for (size_t f = 0; f < u->info.n_fields; f++)
    HY_TRY(hy__universe_plane(u, HY_CELL_F64, &u->fields[f], err));
  HY_TRY(hy__universe_plane(u, HY_CELL_U8, &u->valid, err));
  u->has_valid = true;
  u->presence_field = base->presence_field;
  return HY_OK;
}

static hy_status fill(hy_runtime *runtime, job *j, const hy_actions *t, int64_t as_of_ns,
                      hy_error *err) {
  void *memory[3];
  hy__arena *arena = j->out->arena;
  HY_TRY(lay_out(j->out, j->base, err));
  HY_TRY(hy__arena_array(arena, j->base->info.n_symbols, sizeof(stretch), &memory[0], err));
  HY_TRY(hy__arena_array(arena, t->n_rows + 1, sizeof(hy__factor), &memory[1], err));
  HY_TRY(hy__arena_array(arena, t->n_rows + 1, sizeof(size_t), &memory[2], err));
  find_actions(t, j->base, as_of_ns, memory[0]);
  j->of = memory[0];
  j->factors = memory[1];
  j->ends = memory[2];
  j->rows = t->rows;
  j->close = hy__universe_field(j->base, "close");
  return hy__pool_for(hy__runtime_pool(runtime), hy__universe_n_blocks(j->base->info.n_symbols), 1,
                      make_blocks, j, err);
}

hy_status hy_universe_adjust(hy_runtime *runtime, const hy_universe *base, const hy_actions *t,
                             int64_t as_of_ns, hy_universe **out, hy_error *err) {
  HY_FAIL_IF(!runtime || !base || !t || !out, HY_INVALID_ARGUMENT, err,
             "hy_universe_adjust: runtime, base, actions and out must be given");
  hy_universe *u;
  HY_TRY(hy__universe_alloc(runtime, &u, err));
  job j = {.base = base, .out = u};
  const hy_status status = fill(runtime, &j, t, as_of_ns, err);
  if (status == HY_OK) {
    hy__arena_freeze(u->arena);
    *out = u;
  } else {
    hy_universe_destroy(u);
  }
  return status;
}
