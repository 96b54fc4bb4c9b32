/* SPDX-License-Identifier: Apache-2.0
 * One series through a plan, chunk by chunk: what the program reads of it, the steps, the answers.
 * The caller's thread works alone, on memory of the call's own. */
#include <math.h>

#include "feature/batch/run.h"
#include "feature/lane/edge.h"
#include "feature/solo/solo.h"

enum { PIECES_FROM = 256, PIECES_PAY = 3, GROUP_MAX = 8, LINE = 8, PAGE_ROWS = 512 };

typedef struct solo {
  const hy__solo_job *job;
  const hy__solo *plan;
  hy__solo_way way;
  size_t lanes, total;  /* rows of the run */
  size_t piece, behind; /* row r of lane k is the series' k * piece + r - behind */
  hy__slot *slots;
  uint8_t *memory;
  double **whole; /* [feature] where pieces put its values: the answer, or what it is made of */
  size_t d, n;    /* the chunk's rows */
} solo;

static inline double kept(double v) { return v - v == 0.0 ? v : (double)NAN; }

/* ---- reading ---- */

/* The rows that all pieces have: from `behind` rows on, until the last piece ends. */
static size_t whole_end(const solo *x) {
  const size_t before = (HY_LANES - 1) * x->piece;
  return x->job->n_bars > before ? x->behind + x->job->n_bars - before : 0;
}

static void take_ragged(const solo *x, const double *from, size_t row, size_t end, double *to) {
  for (; row < end; row++, to += HY_LANES)
    for (size_t k = 0; k < HY_LANES; k++) {
      const size_t at = k * x->piece + row; /* `behind` rows further on */
      const bool there = at >= x->behind && at - x->behind < x->job->n_bars;
      to[k] = there ? kept(from[at - x->behind]) : (double)NAN;
    }
}

static void take_pieces(const solo *x, const double *from, double *to) {
  const size_t end = x->d + x->n, begin = HY_MIN(HY_MAX(x->d, x->behind), end);
  const size_t whole = HY_MIN(HY_MAX(whole_end(x), begin), end);
  take_ragged(x, from, x->d, begin, to);
  to += (begin - x->d) * HY_LANES;
  if (whole > begin)
    hy__edge_of(x->job->isa)
        ->take(&(hy__edge_read){
            .from = from + (begin - x->behind), .n = whole - begin, .stride = x->piece, .to = to});
  take_ragged(x, from, whole, end, to + (whole - begin) * HY_LANES);
}

static void read_node(const solo *x, const hy__solo_node *n, hy__slot *slot, double *to) {
  slot->cur[0] = to;
  if (n->node->kind != HY__NODE_FIELD) {
    const double number = n->node->kind == HY__NODE_NUMBER ? n->node->number : 1.0; /* or @bar */
    for (size_t i = 0; i < x->n * x->lanes; i++) to[i] = number;
    return;
  }
  const double *from = x->job->data[x->job->field_of[n - x->plan->nodes]];
  if (x->way == HY__SOLO_PIECES) {
    take_pieces(x, from, to);
    return;
  }
  from += x->d;
  for (size_t i = 0; i < x->n; i++) to[i] = kept(from[i]);
}

/* ---- steps ---- */

static double *buffer_of(const solo *x, const hy__solo_node *n) {
  return (double *)(x->memory + n->room[x->way].buffer);
}

/* The first row that a step is asked for, as in exec.c. */
static size_t first_step(const hy__node *n) {
  return n->def->klass == HY__IND_W ? n->own_lookback : 0;
}

static hy__ind_step prepare_step(const solo *x, uint32_t index) {
  const hy__solo_node *n = &x->plan->nodes[index];
  const hy__solo_room *room = &n->room[x->way];
  hy__slot *slot = &x->slots[index];
  const size_t begin = HY_MAX(slot->begin, x->d), end = x->d + x->n;
  const size_t from = HY_MIN(HY_MAX(begin, first_step(n->node)), end), skip = from - x->d;
  hy__ind_step step = {.n = end - from, .state = x->memory + room->state, .p = n->node->p};
  double *buffer = buffer_of(x, n) + slot->pos * x->lanes;
  for (size_t k = 0; k < n->node->n_in; k++)
    step.in[k] = x->slots[n->in[k].node].cur[n->in[k].output] + skip * x->lanes;
  for (size_t o = 0; o < n->node->n_columns; o++, buffer += room->capacity_rows * x->lanes) {
    if (o >= n->node->n_out) {
      step.mid[o - n->node->n_out] = buffer + skip * x->lanes;
      continue;
    }
    slot->cur[o] = buffer;
    step.out[o] = buffer + skip * x->lanes;
    for (size_t k = (begin - x->d) * x->lanes; k < skip * x->lanes; k++) buffer[k] = (double)NAN;
  }
  return step;
}

/* The node, and with it those siblings that have the same rows to compute. */
static void step_node(const solo *x, uint32_t index) {
  const hy__ind_code *code = x->plan->nodes[index].code[x->way];
  const size_t end = x->d + x->n;
  hy__ind_step steps[GROUP_MAX];
  const hy__ind_step *group[GROUP_MAX];
  size_t n = 0;
  if (x->slots[index].done == end) return;
  for (uint32_t k = index; k != HY__SOLO_NOBODY && n < GROUP_MAX; k = x->plan->nodes[k].sibling) {
    if (x->slots[k].begin >= end) continue;
    steps[n] = prepare_step(x, k);
    if (n && steps[n].n != steps[0].n) continue;
    group[n] = &steps[n];
    x->slots[k].done = end;
    n++;
  }
  if (n == 0 || steps[0].n == 0) return;
  if (n > 1)
    code->group(group, n);
  else
    code->step(&steps[0]);
}

/* After a chunk: the next one follows in the buffer, or the history moves to its front. */
static void advance_node(const solo *x, const hy__solo_node *n, hy__slot *slot) {
  const hy__solo_room *room = &n->room[x->way];
  slot->pos += x->n;
  if (slot->pos + x->plan->chunk_rows[x->way] <= room->capacity_rows) return;
  double *buffer = buffer_of(x, n);
  const size_t from = (slot->pos - n->history_rows) * x->lanes;
  for (size_t o = 0; o < n->node->n_columns; o++, buffer += room->capacity_rows * x->lanes)
    memmove(buffer, buffer + from, n->history_rows * x->lanes * sizeof(double));
  slot->pos = n->history_rows;
}

/* ---- answers ---- */

static hy_answer answer_of(const solo *x, size_t i) {
  return x->job->answers ? x->job->answers[i] : HY_ANSWER_F64;
}

static void put_pieces(const solo *x, const double *from, double *to) {
  const size_t end = x->d + x->n, begin = HY_MIN(HY_MAX(x->d, x->behind), end);
  const size_t whole = HY_MIN(HY_MAX(whole_end(x), begin), end);
  from += (begin - x->d) * HY_LANES;
  to += begin - x->behind;
  if (whole > begin)
    hy__edge_of(x->job->isa)
        ->series(&(hy__edge_write){.from = from, .n = whole - begin, .to = to, .stride = x->piece});
  from += (whole - begin) * HY_LANES;
  for (size_t row = whole; row < end; row++, from += HY_LANES)
    for (size_t k = 0; k < HY_LANES; k++) {
      const size_t at = k * x->piece + row - begin;
      if (at + begin - x->behind < x->job->n_bars) to[at] = kept(from[k]);
    }
}

static void put_f64(const double *from, size_t n, double *to) {
  for (size_t t = 0; t < n; t++) to[t] = kept(from[t]);
}

/* Rows from `row` of the series on, of a feature that begins behind `lookback` of them. */
static void put_zero(const double *from, size_t row, size_t n, size_t lookback, double *to) {
  for (size_t t = 0; t < n; t++) {
    const double v = kept(from[t]);
    to[t] = row + t >= lookback && v != v ? 0.0 : v;
  }
}

/* A number and `more`, which grows by `step` each row; 0 where it is missing or has no int32_t. */
static void put_i32(const double *from, size_t n, int64_t more, int64_t step, int32_t *to) {
  const double least = (double)INT32_MIN - 1.0, most = (double)INT32_MAX + 1.0; /* neither is one */
  for (size_t t = 0; t < n; t++, more += step) {
    const double v = from[t] + (double)more;
    to[t] = v > least && v < most ? (int32_t)v : 0;
  }
}

/* Rows [d, d + n) of a feature, from its values. */
static void put_rows(const solo *x, size_t i, const double *from, size_t d, size_t n) {
  const hy__solo_job *job = x->job;
  void *out = job->out[i];
  switch (answer_of(x, i)) {
  case HY_ANSWER_ZERO: {
    const size_t lookback = x->plan->nodes[x->plan->targets[i].node].node->lookback;
    put_zero(from, d, n, lookback, (double *)out + d);
    return;
  }
  case HY_ANSWER_I32: put_i32(from, n, 0, 0, (int32_t *)out + d); return;
  case HY_ANSWER_ROW: {
    const int64_t row = (int64_t)(job->row + d) - (int64_t)job->window_bars;
    put_i32(from, n, row, 1, (int32_t *)out + d);
    return;
  }
  default: put_f64(from, n, (double *)out + d);
  }
}

static void put_target(const solo *x, size_t i) {
  const hy__ref ref = x->plan->targets[i];
  const double *from = x->slots[ref.node].cur[ref.output];
  if (x->way == HY__SOLO_ONE) {
    put_rows(x, i, from, x->d, x->n);
    return;
  }
  if (x->d + x->n > x->behind) put_pieces(x, from, x->whole[i]);
}

/* ---- the run ---- */

static void start_nodes(const solo *x) {
  for (size_t i = 0; i < x->plan->n_nodes; i++) {
    const hy__solo_node *n = &x->plan->nodes[i];
    hy__slot *slot = &x->slots[i];
    slot->pos = n->history_rows;
    slot->begin = x->behind - HY_MIN(n->rows_behind, x->behind);
    slot->done = 0;
    memset(x->memory + n->room[x->way].state, 0, n->room[x->way].state_bytes);
    double *buffer = buffer_of(x, n);
    const size_t step = n->room[x->way].capacity_rows * x->lanes;
    for (size_t o = 0; o < n->node->n_columns; o++, buffer += step)
      for (size_t k = 0; k < n->history_rows * x->lanes; k++) buffer[k] = (double)NAN;
  }
}

static void run_chunk(const solo *x) {
  for (uint32_t i = 0; i < x->plan->n_nodes; i++) {
    const hy__solo_node *n = &x->plan->nodes[i];
    hy__slot *slot = &x->slots[i];
    if (n->node->kind != HY__NODE_IND)
      read_node(x, n, slot, buffer_of(x, n) + slot->pos * x->lanes);
    else if (slot->begin < x->d + x->n)
      step_node(x, i);
  }
  for (size_t i = 0; i < x->plan->n_targets; i++) put_target(x, i);
  for (size_t i = 0; i < x->plan->n_nodes; i++) advance_node(x, &x->plan->nodes[i], &x->slots[i]);
}

static void run_all(solo *x) {
  start_nodes(x);
  for (; x->d < x->total; x->d += x->n) {
    x->n = HY_MIN(x->plan->chunk_rows[x->way], x->total - x->d);
    run_chunk(x);
  }
  for (size_t i = 0; x->way == HY__SOLO_PIECES && i < x->plan->n_targets; i++)
    if (answer_of(x, i) != HY_ANSWER_F64) put_rows(x, i, x->whole[i], 0, x->job->n_bars);
}

/* Whether the series is cut into pieces, and how long they are: whole lines, but not a page apart,
 * where all of them would fall on the same places of the caches. */
static void cut(solo *x) {
  const size_t n = x->job->n_bars, behind = x->plan->rows_behind;
  size_t each = (n + HY_LANES - 1) / HY_LANES;
  each = (each + LINE - 1) / LINE * LINE;
  if (each % PAGE_ROWS == 0) each += LINE;
  if (!x->plan->apart || n < PIECES_FROM || behind >= n || (behind + each) * PIECES_PAY >= n)
    return;
  x->way = HY__SOLO_PIECES;
  x->lanes = HY_LANES;
  x->piece = each;
  x->behind = behind;
  x->total = behind + each;
}

/* The memory of a call; pieces put a feature that is not given out as it is into a column there. */
static bool place_call(const solo *x, size_t *bytes, size_t *columns) {
  *bytes = x->plan->bytes[x->way];
  if (x->way == HY__SOLO_ONE) return true;
  size_t n = 0;
  for (size_t i = 0; i < x->plan->n_targets; i++) n += answer_of(x, i) != HY_ANSWER_F64;
  return hy__take_array(bytes, x->plan->n_targets, sizeof(double *), columns) &&
         hy__take_array(bytes, n * sizeof(double), x->job->n_bars, columns + 1);
}

static void name_columns(solo *x, const size_t *columns) {
  double *next = (double *)(x->memory + columns[1]);
  x->whole = (double **)(x->memory + columns[0]);
  for (size_t i = 0; i < x->plan->n_targets; i++) {
    const bool as_it_is = answer_of(x, i) == HY_ANSWER_F64;
    x->whole[i] = as_it_is ? x->job->out[i] : next;
    if (!as_it_is) next += x->job->n_bars;
  }
}

hy_status hy__solo_run(const hy_features *f, const hy__solo_job *job, hy_error *err) {
  solo x = {.job = job, .plan = job->plan, .way = HY__SOLO_ONE, .lanes = 1, .total = job->n_bars};
  size_t bytes, columns[2];
  void *memory;
  if (!job->n_bars) return HY_OK;
  cut(&x);
  HY_FAIL_IF(!place_call(&x, &bytes, columns), HY_LIMIT, err, "a series of %zu bars is too long",
             job->n_bars);
  HY_TRY(hy__alloc(f->allocator, bytes, &memory, err));
  x.memory = memory;
  x.slots = memory;
  if (x.way == HY__SOLO_PIECES) name_columns(&x, columns);
  run_all(&x);
  hy__free(f->allocator, memory, bytes);
  return HY_OK;
}
