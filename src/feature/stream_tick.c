/* SPDX-License-Identifier: Apache-2.0
 * One bar of one timeframe through a stream: the steps of batch with one row, each for a group of
 * blocks in turn, cross-sections between the stages, and the answer. */
#include "feature/stream_tick.h"

/* ---- steps ---- */

/* Where a step's rows lie in a block that has counted so many. */
typedef struct places {
  size_t in[HY__IND_INPUTS], column, stride;
} places;

static places find_places(const hy__stream_step *step, uint32_t count) {
  const hy__ring *r = step->ring;
  places p = {.column = r->at + hy__ring_row(r->rows, count), .stride = hy__ring_stride(r)};
  for (size_t k = 0; k < step->n_in; k++)
    p.in[k] = step->in[k].at + hy__ring_row(step->in[k].rows, count);
  return p;
}

static void run_block(const hy__stream_step *step, const places *p, double *base) {
  const hy__ring *r = step->ring;
  double *column = base + p->column;
  hy__ind_step one;
  one.n = 1;
  one.p = step->p;
  one.state = base + step->state;
  for (size_t k = 0; k < step->n_in; k++) one.in[k] = base + p->in[k];
  for (size_t c = 0; c < step->n_out; c++) one.out[c] = column + c * p->stride;
  for (size_t c = step->n_out; c < r->n_columns; c++)
    one.mid[c - step->n_out] = column + c * p->stride;
  step->code->step(&one);
  if (r->rows == 1) return;
  for (size_t c = 0; c < r->n_columns; c++, column += p->stride)
    memcpy(column - r->rows * (size_t)HY_LANES, column, HY_LANES * sizeof *column);
}

/* Most blocks have counted the same. */
static void run_step(const hy_feature_stream *s, const hy__stream_step *step, const size_t *blocks,
                     size_t n) {
  const uint32_t *count = s->count + step->ring->domain;
  uint32_t last = 0;
  places p = {.column = 0};
  for (size_t i = 0; i < n; i++) {
    const uint32_t now = count[blocks[i] * s->n_domains];
    if (i == 0 || now != last) p = find_places(step, now);
    last = now;
    run_block(step, &p, hy__stream_block(s, blocks[i]));
  }
}

/* The states of lanes that stand still are put aside, and put back. */
static void hold_states(const hy_feature_stream *s, const hy__stream_leg *leg, size_t block,
                        double *aside, bool back) {
  double *states = hy__stream_block(s, block) + leg->state_begin;
  const size_t doubles = leg->state_end - leg->state_begin;
  const uint8_t held = s->lanes[block * s->n_domains + leg->domain].held;
  if (!held || !doubles) return;
  if (!back) {
    memcpy(aside, states, doubles * sizeof *states);
    return;
  }
  for (size_t k = 0; k < HY_LANES; k++)
    for (size_t i = k; held >> k & 1 && i < doubles; i += HY_LANES) states[i] = aside[i];
}

static void run_leg(const hy_feature_stream *s, const hy__stream_leg *leg, size_t begin,
                    size_t end) {
  size_t blocks[HY__STREAM_GROUP], n = 0;
  for (size_t b = begin; b < end; b++)
    if (s->lanes[b * s->n_domains + leg->domain].advance) blocks[n++] = b;
  for (size_t i = 0; i < n; i++)
    hold_states(s, leg, blocks[i], s->held_states + i * s->leg_doubles, false);
  for (size_t k = leg->step_begin; k < leg->step_end; k++) run_step(s, &s->steps[k], blocks, n);
  for (size_t i = 0; i < n; i++)
    hold_states(s, leg, blocks[i], s->held_states + i * s->leg_doubles, true);
}

/* ---- cross-sections ---- */

static double *cross_cell(const hy_feature_stream *s, const hy__stream_column *c, size_t symbol) {
  const size_t block = symbol / HY_LANES;
  return hy__stream_block(s, block) + c->at +
         hy__ring_row(c->rows, s->count[block * s->n_domains + c->domain]) + symbol % HY_LANES;
}

static void spread_cross(const hy_feature_stream *s, const hy__stream_cross *cross,
                         size_t n_valid) {
  const size_t n = s->info.n_symbols;
  double *of_symbol = s->values + n; /* the place of a second input, which is done with */
  for (size_t i = 0; i < n; i++) of_symbol[i] = (double)NAN;
  for (size_t i = 0; i < n_valid; i++) of_symbol[s->which[i]] = hy__stream_kept(s->values[i]);
  for (size_t b = 0; b < s->n_blocks; b++) {
    const size_t cell = b * s->n_domains + cross->ring->domain, first = b * HY_LANES;
    double row[HY_LANES];
    for (size_t k = 0; k < HY_LANES; k++)
      row[k] = first + k < n ? of_symbol[first + k] : (double)NAN;
    if (s->lanes[cell].advance)
      hy__stream_put_row(hy__stream_block(s, b), cross->ring, s->count[cell], row);
  }
}

/* The inputs of a symbol into their place; false where one is missing. */
static bool gather_cross(const hy_feature_stream *s, const hy__stream_cross *cross, size_t symbol,
                         size_t place) {
  const size_t cell = symbol / HY_LANES * s->n_domains + cross->ring->domain;
  bool whole = s->lanes[cell].live >> symbol % HY_LANES & 1;
  for (size_t k = 0; whole && k < cross->node->n_in; k++) {
    const double value = *cross_cell(s, &cross->in[k], symbol);
    s->values[k * s->info.n_symbols + place] = value;
    whole = value == value;
  }
  return whole;
}

static void run_cross(const hy_feature_stream *s, const hy__stream_cross *cross) {
  const hy__node *n = cross->node;
  size_t n_valid = 0;
  for (size_t i = 0; i < s->info.n_symbols; i++)
    if (gather_cross(s, cross, s->order[i], n_valid)) s->which[n_valid++] = s->order[i];
  if ((double)n_valid < n->p[n->def->n_params - 1]) n_valid = 0;
  hy__cross_step step = {
      .values = s->values, .n_in = n->n_in, .n = n_valid, .p = n->p, .ranked = s->ranked};
  for (size_t k = 0; k < n->n_in; k++) step.in[k] = s->values + k * s->info.n_symbols;
  if (n_valid) hy__def_cross(n->def->row)(&step);
  spread_cross(s, cross, n_valid);
}

/* ---- what a row gives ---- */

/* Lanes without a bar have no values. */
static void clear_absent(const hy__stream_event *e, size_t block, double *to) {
  const hy_feature_stream *s = e->s;
  const size_t n = s->f->n_features, n_lanes = s->info.n_symbols - block * HY_LANES;
  for (size_t i = 0; i < n; i++) {
    const uint8_t live = s->lanes[block * s->n_domains + s->targets[i].domain].live;
    for (size_t k = 0; live != 0xff && k < HY_LANES && k < n_lanes; k++)
      if (!(live >> k & 1)) to[k * n + i] = (double)NAN;
  }
}

static void emit_block(const hy__stream_event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  const size_t n = s->f->n_features, begin = block * HY_LANES * n;
  const size_t n_lanes = HY_MIN(s->info.n_symbols - block * HY_LANES, (size_t)HY_LANES);
  const double *base = hy__stream_block(s, block);
  const uint8_t all = hy__stream_block_lanes(s, block);
  uint8_t live = all;
  for (size_t i = 0; i < n; i++) {
    const hy__stream_column *c = &s->targets[i];
    const size_t cell = block * s->n_domains + c->domain;
    s->rows[i] = base + c->at + hy__ring_row(c->rows, s->count[cell]);
    live &= s->lanes[cell].live;
  }
  double *const to = e->values + begin;
  s->edge->out(&(hy__edge_out){.from = s->rows, .n = n, .n_lanes = n_lanes, .to = to});
  if (live != all) clear_absent(e, block, to);
  for (size_t i = 0; e->valid && i < n_lanes * n; i++) e->valid[begin + i] = to[i] == to[i];
}

/* ---- one bar of one timeframe ---- */

static void end_block(const hy__stream_tick *t, size_t block) {
  if (t->tf == 0) {
    emit_block(t->e, block);
    return;
  }
  hy__stream_close_block(t, block);
}

static void run_stage(const hy__stream_tick *t, size_t stage) {
  const hy_feature_stream *s = t->s;
  const hy__stream_stage *plan = &s->stages[stage];
  const bool first = stage == t->frame->stage_begin, last = stage + 1 == t->frame->stage_end;
  for (size_t i = plan->cross_begin; i < plan->cross_end; i++) run_cross(s, &s->cross[i]);
  for (size_t begin = 0; begin < s->n_blocks; begin += HY__STREAM_GROUP) {
    const size_t end = HY_MIN(begin + HY__STREAM_GROUP, s->n_blocks);
    for (size_t b = begin; first && b < end; b++) hy__stream_open_block(t, b);
    for (size_t i = plan->leg_begin; i < plan->leg_end; i++) run_leg(s, &s->legs[i], begin, end);
    for (size_t b = begin; last && b < end; b++) end_block(t, b);
  }
}

void hy__stream_run_tick(const hy__stream_event *e, uint32_t tf, int64_t time_ns) {
  hy_feature_stream *s = e->s;
  hy__stream_frame *frame = &s->frames[tf];
  const hy__stream_tick t = {.e = e, .s = s, .frame = frame, .tf = tf, .time_ns = time_ns};
  frame->last_ns = time_ns;
  for (size_t i = frame->stage_begin; i < frame->stage_end; i++) run_stage(&t, i);
  frame->open_ns = INT64_MIN;
}
