/* SPDX-License-Identifier: Apache-2.0
 * One stage of a program over one block of 8 symbols: chunk by chunk in time, each node's rows in a
 * buffer that keeps what its consumers look back on, so that the block's working set stays in the
 * cache. A windowed node starts only as far back as it is needed, a recurrence at the series'
 * start; neither changes a bit of the values. */
#include <math.h>
#include <stdatomic.h>

#include "feature/batch/run.h"

/* Every NaN that leaves is this one: the sign and payload of a NaN differ between instruction sets.
 */
static inline double kept(double v) { return v == v ? v : (double)NAN; }

enum { PAST_CACHES_VALUES = 4 << 20 /* 32 MiB */ };

/* Asking the time takes as long as a short chunk's step: only where somebody wants to know. */
static int64_t clock_ns(const hy__exec *x) { return x->time_ns ? hy__clock_monotonic_ns() : 0; }

static void spend_ns(const hy__exec *x, size_t on, int64_t begin_ns, int64_t end_ns) {
  if (x->time_ns) x->time_ns[on] += end_ns - begin_ns;
}

static bool is_source(const hy__node *n) { return n->kind != HY__NODE_IND; }

/* From which row each node is computed: consumers first. */
static size_t plan_begins(hy__exec *x) {
  const hy_features *f = x->run->f;
  const hy__stage *s = x->stage;
  size_t earliest = x->axis.begin;
  for (size_t i = 0; i < s->n_nodes; i++) x->slots[s->nodes[i]].begin = SIZE_MAX;
  for (size_t i = 0; i < s->n_targets; i++)
    if (f->nodes[s->targets[i].node].domain == x->domain)
      x->slots[s->targets[i].node].begin = x->axis.begin;
  for (size_t i = s->n_nodes; i-- > 0;) {
    const hy__node *n = &f->nodes[s->nodes[i]];
    hy__slot *slot = &x->slots[s->nodes[i]];
    if (slot->begin == SIZE_MAX) continue;
    if (n->kind == HY__NODE_IND) {
      if (hy__node_recurs(n)) slot->begin = 0;
      size_t from = slot->begin > n->history ? slot->begin - n->history : 0;
      for (size_t k = 0; k < n->n_in; k++) {
        hy__slot *in = &x->slots[n->in[k].node];
        in->begin = HY_MIN(in->begin, from);
      }
    }
    earliest = HY_MIN(earliest, slot->begin);
  }
  return earliest;
}

/* Empty buffers: missing rows before a series' start, states zeroed. */
static void start_slots(hy__exec *x) {
  const hy__stage *s = x->stage;
  for (size_t i = 0; i < s->n_nodes; i++) {
    const hy__node *n = &x->run->f->nodes[s->nodes[i]];
    const hy__room *room = &x->run->rooms[s->nodes[i]];
    hy__slot *slot = &x->slots[s->nodes[i]];
    if (slot->begin == SIZE_MAX) continue;
    slot->pos = room->history_rows;
    slot->done = 0;
    if (n->state_bytes) memset(x->workspace + room->state, 0, n->state_bytes);
    double *buffer = (double *)(x->workspace + room->buffer);
    for (size_t o = 0; o < n->n_columns; o++, buffer += room->capacity_rows * HY_LANES)
      for (size_t k = 0; k < room->history_rows * HY_LANES; k++) buffer[k] = (double)NAN;
  }
}

/* The first row that a step is asked for: a window that reaches before the series' start is missing
 * without looking, which spares windows longer than the series. */
static size_t first_step(const hy__node *n) {
  return n->def->klass == HY__IND_W ? n->own_lookback : 0;
}

/* The node's step over the chunk; the rows before its first are missing. It is written word by word
 * where it is used: a copy or a clearing by wide moves would wait until the stores before it have
 * left, values on their way to memory among them. */
static void prepare_step(hy__exec *x, uint32_t index, hy__ind_step *step) {
  const hy__node *n = &x->run->f->nodes[index];
  const hy__room *room = &x->run->rooms[index];
  hy__slot *slot = &x->slots[index];
  size_t begin = HY_MAX(slot->begin, x->d), end = x->d + x->n;
  size_t from = HY_MIN(HY_MAX(begin, first_step(n)), end), skip = from - x->d;
  step->n = end - from;
  step->state = x->workspace + room->state;
  step->p = n->p;
  step->more = step->apart = step->idle = 0;
  double *buffer = (double *)(x->workspace + room->buffer);
  for (size_t k = 0; k < n->n_in; k++)
    step->in[k] = x->slots[n->in[k].node].cur[n->in[k].output] + skip * HY_LANES;
  for (size_t o = 0; o < n->n_out; o++) {
    slot->cur[o] = buffer + (o * room->capacity_rows + slot->pos) * HY_LANES;
    step->out[o] = slot->cur[o] + skip * HY_LANES;
    for (size_t k = (begin - x->d) * HY_LANES; k < skip * HY_LANES; k++)
      slot->cur[o][k] = (double)NAN;
  }
  for (size_t m = n->n_out; m < n->n_columns; m++)
    step->mid[m - n->n_out] = buffer + (m * room->capacity_rows + slot->pos + skip) * HY_LANES;
}

/* The node, and with it those siblings that have the same rows to compute. */
static void step_node(hy__exec *x, uint32_t index) {
  const hy__ind_code *code = x->run->f->nodes[index].code;
  const size_t end = x->d + x->n;
  hy__ind_step *const steps = x->steps;
  const hy__ind_step *group[HY__GROUP_MAX];
  if (x->slots[index].done == end) return;
  size_t n = 0;
  for (uint32_t k = index; k != HY__NO_ROW && n < HY__GROUP_MAX; k = x->run->sibling[k]) {
    if (x->slots[k].begin >= end) continue;
    prepare_step(x, k, &steps[n]);
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
static void advance_slot(hy__exec *x, uint32_t index) {
  const hy__node *n = &x->run->f->nodes[index];
  const hy__room *room = &x->run->rooms[index];
  hy__slot *slot = &x->slots[index];
  slot->pos += x->n;
  if (slot->pos + x->run->chunk_rows <= room->capacity_rows) return;
  double *buffer = (double *)(x->workspace + room->buffer);
  size_t from = (slot->pos - room->history_rows) * HY_LANES;
  for (size_t o = 0; o < n->n_columns; o++, buffer += room->capacity_rows * HY_LANES)
    memmove(buffer, buffer + from, room->history_rows * HY_LANES * sizeof(double));
  slot->pos = room->history_rows;
}

static void emit_lane(const hy__exec *x, const double *from, double *to, size_t lane) {
  const hy__axis *a = &x->axis;
  size_t begin = HY_MAX(a->first[lane], x->d), end = HY_MIN(a->len[lane], x->d + x->n);
  const size_t base = x->stage->t_begin[x->tf];
  const uint32_t *index = a->index + lane * x->run->chunk_rows;
  for (size_t d = begin; d < end; d++) {
    size_t t = a->identity ? a->lo[lane] + d : index[d - x->d];
    double v = kept(from[(d - x->d) * HY_LANES + lane]);
    if (a->identity && !a->all && !hy__axis_live(x, t, lane)) v = (double)NAN;
    to[(t - base) * x->row_stride] = v;
  }
}

/* All lanes have all rows: side by side in a matrix's row, or each lane in its own series. */
static void emit_all(const hy__exec *x, const double *from, const double *over, double *to) {
  const hy__axis *a = &x->axis;
  size_t begin = HY_MAX(a->begin, x->d), end = HY_MIN(a->end, x->d + x->n);
  if (begin >= end) return;
  from += (begin - x->d) * HY_LANES;
  if (over) over += (begin - x->d) * HY_LANES;
  to += (a->lo[0] + begin - x->stage->t_begin[x->tf]) * x->row_stride;
  if (a->n_lanes == HY_LANES) {
    const bool by_series = x->row_stride == 1;
    const hy__edge_write write = {.from = from,
                                  .over = over,
                                  .n = end - begin,
                                  .to = to,
                                  .stride = by_series ? x->lane_stride : x->row_stride,
                                  .past_caches = x->past_caches};
    (by_series ? x->edge->series : x->edge->rows)(&write);
    return;
  }
  for (; begin < end; begin++, from += HY_LANES, to += x->row_stride)
    for (size_t k = 0; k < a->n_lanes; k++) to[k * x->lane_stride] = kept(from[k]);
}

/* Rows of features side by side: a row at a time, so that what is written is written in one go. */
static void emit_by_row(const hy__exec *x, const double *const *from, size_t lane) {
  const hy__axis *a = &x->axis;
  const hy__stage *s = x->stage;
  size_t begin = HY_MAX(a->first[lane], x->d), end = HY_MIN(a->len[lane], x->d + x->n);
  const uint32_t *index = a->index + lane * x->run->chunk_rows;
  for (size_t d = begin; d < end; d++) {
    size_t t = a->identity ? a->lo[lane] + d : index[d - x->d], cell = (d - x->d) * HY_LANES + lane;
    double *to = x->bases[0] + lane * x->lane_stride + (t - s->t_begin[x->tf]) * x->row_stride;
    bool live = !a->identity || a->all || hy__axis_live(x, t, lane);
    for (size_t i = 0; i < s->n_targets; i++)
      if (from[i]) to[i] = live ? kept(from[i][cell]) : (double)NAN;
  }
}

static void emit_features(hy__exec *x) {
  const hy__stage *s = x->stage;
  for (size_t i = 0; i < s->n_targets; i++) {
    bool here = x->run->f->nodes[s->targets[i].node].domain == x->domain;
    x->from[i] = here ? x->slots[s->targets[i].node].cur[s->targets[i].output] : NULL;
  }
  for (size_t k = 0; k < x->axis.n_lanes; k++) emit_by_row(x, x->from, k);
}

static const double *column(const hy__exec *x, hy__ref ref) {
  return x->slots[ref.node].cur[ref.output];
}

/* The value is made where it leaves, past the caches, whose pace leaves time for it. */
static bool made_leaving(const hy__exec *x, uint32_t index) {
  return x->divides && x->run->divided[index];
}

static void emit_target(const hy__exec *x, uint32_t i) {
  const hy__ref ref = x->stage->targets[i];
  const hy__ref *in = x->run->f->nodes[ref.node].in;
  if (made_leaving(x, ref.node)) {
    emit_all(x, column(x, in[0]), column(x, in[1]), x->bases[i]);
  } else if (x->axis.identity && x->axis.all) {
    emit_all(x, column(x, ref), NULL, x->bases[i]);
  } else {
    for (size_t k = 0; k < x->axis.n_lanes; k++)
      emit_lane(x, column(x, ref), x->bases[i] + k * x->lane_stride, k);
  }
}

/* The targets of a node, *next being the first in their order that has not left yet. */
static void emit_node(const hy__exec *x, uint32_t index, size_t *next) {
  const hy__stage *s = x->stage;
  const bool wanted = x->d + x->n > x->axis.begin && x->run->f->nodes[index].domain == x->domain;
  for (; *next < s->n_targets && s->targets[s->order[*next]].node == index; ++*next)
    if (wanted) emit_target(x, s->order[*next]);
}

/* The nodes of the chunk: sources first, so that reading can be told from computing. */
static hy_status run_chunk(hy__exec *x) {
  const hy__stage *s = x->stage;
  const bool by_row = x->lane_stride != 1 && x->row_stride != 1;
  size_t next = 0;
  const int64_t begin_ns = clock_ns(x);
  hy__axis_chunk(x);
  for (size_t i = 0; i < s->n_nodes; i++) {
    uint32_t index = s->nodes[i];
    if (is_source(&x->run->f->nodes[index]) && x->slots[index].begin < x->d + x->n)
      HY_TRY(hy__source_chunk(x, index));
  }
  const int64_t read_ns = clock_ns(x);
  for (size_t i = 0; i < s->n_nodes; i++) {
    uint32_t index = s->nodes[i];
    if (!is_source(&x->run->f->nodes[index]) && x->slots[index].begin < x->d + x->n &&
        !made_leaving(x, index))
      step_node(x, index);
    if (!by_row) emit_node(x, index, &next);
  }
  if (by_row && x->d + x->n > x->axis.begin) emit_features(x);
  for (size_t i = 0; i < s->n_nodes; i++)
    if (x->slots[s->nodes[i]].begin < x->d + x->n) advance_slot(x, s->nodes[i]);
  spend_ns(x, 0, begin_ns, read_ns);
  spend_ns(x, 1, read_ns, clock_ns(x));
  return HY_OK;
}

static hy_status run_piece(hy__exec *x) {
  size_t d = plan_begins(x);
  start_slots(x);
  x->divides = x->row_stride == 1 && x->axis.identity && x->axis.all && x->axis.n_lanes == HY_LANES;
  hy__axis_seek(x, d);
  for (; d < x->axis.end; d += x->n) {
    x->d = d;
    x->n = HY_MIN(x->run->chunk_rows, x->axis.end - d);
    HY_TRY(run_chunk(x));
  }
  return HY_OK;
}

/* Where nothing will be written stands a missing value: lanes [from, to). */
static void fill_missing(const hy__exec *x, size_t from, size_t to) {
  const hy__stage *s = x->stage;
  size_t rows = x->view->t_end - s->t_begin[x->tf];
  for (size_t i = 0; i < s->n_targets; i++) {
    if (x->run->f->nodes[s->targets[i].node].domain != x->domain) continue;
    for (size_t r = 0; r < rows; r++)
      for (size_t k = from; k < to; k++)
        x->bases[i][k * x->lane_stride + r * x->row_stride] = (double)NAN;
  }
}

static void place_targets(hy__exec *x, const hy__sink_plan *sink, size_t block) {
  const hy__feature_run *run = x->run;
  const hy__stage *s = x->stage;
  size_t rows = run->range.t_end - run->range.t_begin;
  bool tiles = s->stored || sink->tiles;
  x->lane_stride = 1;
  x->row_stride = HY_LANES;
  if (!tiles && sink->out) x->lane_stride = rows * s->n_targets, x->row_stride = s->n_targets;
  if (!tiles && !sink->out) x->row_stride = run->info.n_symbols;
  if (!tiles && sink->symbol_stride) x->lane_stride = sink->symbol_stride, x->row_stride = 1;
  x->past_caches = rows * run->info.n_symbols * s->n_targets > PAST_CACHES_VALUES;
  for (size_t i = 0; i < s->n_targets; i++) {
    const hy__view *v = &run->views[hy__node_timeframe(run->f, &run->f->nodes[s->targets[i].node])];
    size_t stride = (v->t_end - v->store_begin) * HY_LANES;
    if (s->stored)
      x->bases[i] = run->store[s->stored[i]] + (s->input[i] * run->n_blocks + block) * stride;
    else if (tiles)
      x->bases[i] = sink->tiles[i];
    else
      x->bases[i] =
          sink->out ? sink->out + i : sink->columns[i] + block * HY_LANES * x->lane_stride;
  }
}

/* A series that a faster one will read as of its close: where the symbol has no bar, its last one
 * still is. */
static void carry_on(const hy__exec *x) {
  const hy__stage *s = x->stage;
  const hy__view *v = x->view;
  if (!s->stored || x->axis.gap->fill != HY__GAP_NONE || x->axis.all) return;
  for (size_t i = 0; i < s->n_targets; i++) {
    if (x->run->f->nodes[s->targets[i].node].domain != x->domain) continue;
    if (x->run->f->nodes[s->stored[i]].kind != HY__NODE_ASOF) continue;
    double *row = x->bases[i] + HY_LANES;
    for (size_t t = v->store_begin + 1; t < v->t_end; t++, row += HY_LANES)
      for (size_t k = 0; k < x->axis.n_lanes; k++)
        if (!hy__axis_present(x, t, k)) row[k] = row[k - HY_LANES];
  }
}

static bool has_target(const hy__exec *x) {
  for (size_t i = 0; i < x->stage->n_targets; i++)
    if (x->run->f->nodes[x->stage->targets[i].node].domain == x->domain) return true;
  return false;
}

/* The view of the domain, whose mask is read when the one before had another. */
static hy_status enter_domain(hy__exec *x, size_t block) {
  const hy_features *f = x->run->f;
  const hy__view *view = &x->run->views[f->domains[x->domain].tf];
  const hy__view *before = x->view;
  x->tf = f->domains[x->domain].tf;
  x->view = view;
  x->axis.gap = &f->gaps[f->domains[x->domain].gap];
  if (view == before) return HY_OK;
  return hy__axis_open(x, block, x->workspace + x->run->mask, x->err);
}

static hy_status run_domain(hy__exec *x, const hy__exec_job *job) {
  if (!has_target(x)) return HY_OK;
  HY_TRY(enter_domain(x, job->block));
  /* A caller's matrices have no columns for absent lanes. */
  bool whole = x->stage->stored || job->sink.out || job->sink.tiles;
  bool any = x->view->t_start < x->view->t_end && hy__axis_next(x, true);
  fill_missing(x, any && x->axis.identity ? x->axis.n_lanes : 0,
               whole ? HY_LANES : x->axis.n_lanes);
  for (; any; any = hy__axis_next(x, false)) HY_TRY(run_piece(x));
  carry_on(x);
  return HY_OK;
}

static void count_bars(const hy__exec *x, uint32_t n_bars[HY_LANES]) {
  size_t rows = x->view->t_end - x->view->t_start;
  for (size_t k = 0; k < HY_LANES; k++) n_bars[k] = 0;
  if (x->axis.all) {
    for (size_t k = 0; k < x->axis.n_lanes; k++) n_bars[k] = (uint32_t)rows;
    return;
  }
  for (size_t r = 0; r < rows; r++)
    for (size_t k = 0; k < x->axis.n_lanes; k++) n_bars[k] += x->axis.mask[r] >> k & 1;
}

hy_status hy__exec_block(const hy__feature_run *run, const hy__exec_job *job, hy_error *err) {
  uint8_t *memory = job->workspace;
  hy__exec x = {.run = run,
                .stage = &run->stages[job->stage],
                .edge = hy__edge_of(run->f->isa),
                .view = &run->views[0],
                .slots = (hy__slot *)(memory + run->slots),
                .workspace = memory,
                .scratch = (double *)(memory + run->scratch),
                .bases = (double **)(memory + run->bases),
                .from = (const double **)(memory + run->from),
                .time_ns = job->time_ns,
                .err = err};
  const int64_t begin_ns = clock_ns(&x);
  x.axis.index = (uint32_t *)(memory + run->index);
  HY_TRY(hy__axis_open(&x, job->block, memory + run->mask, err));
  if (job->n_bars) count_bars(&x, job->n_bars);
  place_targets(&x, &job->sink, job->block);
  spend_ns(&x, 0, begin_ns, clock_ns(&x));
  for (x.domain = 0; x.domain < run->f->n_domains; x.domain++) HY_TRY(run_domain(&x, job));
  /* what went past the caches is not ordered by what releases the worker's answer */
  if (x.past_caches) atomic_thread_fence(memory_order_seq_cst);
  return HY_OK;
}
