/* SPDX-License-Identifier: Apache-2.0
 * One bar of one timeframe through a stream: the steps of batch with one row, each for a group of
 * blocks in turn, cross-sections between the stages, and the answer. */
#include "feature/stream/stream_tick.h"

/* ---- steps ---- */

/* Neighbours among the blocks that have counted the same: their rows lie alike. */
typedef struct stretch {
  size_t begin, n;
  uint32_t count;
} stretch;

static void copy_twins(const hy_feature_stream *s, const stretch *x, const hy__ring *r,
                       double *row) {
  const size_t stride = hy__ring_stride(r), back = stride / 2;
  for (size_t b = 0; b < x->n; b++, row += s->block_doubles)
    for (size_t c = 0; c < r->n_columns; c++)
      memcpy(row + c * stride - back, row + c * stride, HY_LANES * sizeof *row);
}

/* Written word by word where it is used, as the compiler's wider moves would make the step wait. */
static void run_step(const hy_feature_stream *s, const hy__stream_step *step, const stretch *x) {
  const hy__ring *r = step->ring;
  const size_t stride = hy__ring_stride(r);
  double *const base = hy__stream_block(s, x->begin);
  double *const newest = base + r->at + hy__ring_row(r->rows, x->count), *column = newest;
  hy__ind_step one;
  one.n = 1;
  one.p = step->p;
  one.state = base + step->state;
  one.more = x->n - 1;
  one.apart = s->block_doubles;
  one.idle = s->idle;
  for (size_t k = 0; k < step->n_in; k++)
    one.in[k] = base + step->in[k].at + hy__ring_row(step->in[k].rows, x->count);
  for (size_t c = 0; c < step->n_out; c++, column += stride) one.out[c] = column;
  for (size_t c = step->n_out; c < r->n_columns; c++, column += stride)
    one.mid[c - step->n_out] = column;
  step->code->step(&one);
  if (r->rows > 1) copy_twins(s, x, r, newest);
}

/* The blocks of [begin, end) that go on. */
static size_t find_stretches(const hy_feature_stream *s, uint32_t domain, size_t begin, size_t end,
                             stretch *out) {
  size_t n = 0;
  for (size_t b = begin; b < end; b++) {
    const size_t cell = b * s->n_domains + domain;
    const uint32_t count = s->count[cell];
    if (!s->lanes[cell].advance) continue;
    if (n && out[n - 1].begin + out[n - 1].n == b && out[n - 1].count == count)
      out[n - 1].n++;
    else
      out[n++] = (stretch){.begin = b, .n = 1, .count = count};
  }
  return n;
}

/* The states of lanes that stand still are put aside, and put back. */
static void hold_states(const hy_feature_stream *s, const hy__stream_leg *leg, size_t block,
                        double *aside, bool back) {
  double *states = hy__stream_block(s, block) + leg->state_begin;
  const size_t doubles = leg->state_end - leg->state_begin;
  const hy__stream_lanes *l = &s->lanes[block * s->n_domains + leg->domain];
  const uint8_t held = l->advance ? l->held : 0;
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
  stretch stretches[HY__STREAM_GROUP];
  const size_t n = find_stretches(s, leg->domain, begin, end, stretches);
  for (size_t b = begin; b < end; b++)
    hold_states(s, leg, b, s->held_states + (b - begin) * s->leg_doubles, false);
  for (size_t k = leg->step_begin; k < leg->step_end; k++)
    for (size_t i = 0; i < n; i++) run_step(s, &s->steps[k], &stretches[i]);
  for (size_t b = begin; b < end; b++)
    hold_states(s, leg, b, s->held_states + (b - begin) * s->leg_doubles, true);
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

/* Where the features' newest rows lie in a block; most blocks have counted the same. */
static void place_targets(const hy_feature_stream *s, size_t block) {
  const uint32_t *count = s->count + block * s->n_domains;
  if (!memcmp(count, s->target_count, s->n_domains * sizeof *count)) return;
  memcpy(s->target_count, count, s->n_domains * sizeof *count);
  for (size_t i = 0; i < s->f->n_features; i++) {
    const hy__stream_column *c = &s->targets[i];
    s->target_row[i] = c->at + hy__ring_row(c->rows, count[c->domain]);
  }
}

/* Lanes without a bar have no values. */
static void clear_absent(const hy_feature_stream *s, size_t block, size_t begin, size_t end,
                         double *to) {
  const size_t n = s->f->n_features, n_lanes = s->info.n_symbols - block * HY_LANES;
  for (size_t i = begin; i < end; i++) {
    const uint8_t live = s->lanes[block * s->n_domains + s->targets[i].domain].live;
    for (size_t k = 0; live != 0xff && k < HY_LANES && k < n_lanes; k++)
      if (!(live >> k & 1)) to[k * n + i] = (double)NAN;
  }
}

/* Features [begin, end). */
static void emit_some(const hy__stream_event *e, size_t block, size_t begin, size_t end) {
  const hy_feature_stream *s = e->s;
  const size_t n = s->f->n_features, at = block * HY_LANES * n;
  const size_t n_lanes = HY_MIN(s->info.n_symbols - block * HY_LANES, (size_t)HY_LANES);
  const uint8_t all = hy__stream_block_lanes(s, block);
  double *const to = e->values + at;
  uint8_t live = all;
  for (uint32_t d = 0; d < s->n_domains; d++)
    if (s->gives[d]) live &= s->lanes[block * s->n_domains + d].live;
  s->edge->out(&(hy__edge_out){.from = hy__stream_block(s, block),
                               .row = s->target_row + begin,
                               .n = end - begin,
                               .n_lanes = n_lanes,
                               .to = to + begin,
                               .stride = n});
  if (live != all) clear_absent(s, block, begin, end, to);
  for (size_t k = 0; e->valid && k < n_lanes; k++)
    for (size_t i = k * n + begin; i < k * n + end; i++) e->valid[at + i] = to[i] == to[i];
}

/* The features that are whole after a stage, while their block is at hand. */
static void emit_block(const hy__stream_event *e, size_t block, size_t stage) {
  const hy_feature_stream *s = e->s;
  const size_t n = s->f->n_features, n_tiles = (n + HY_LANES - 1) / HY_LANES;
  place_targets(s, block);
  for (size_t begin = 0, end; begin < n_tiles; begin = end) {
    for (end = begin + 1; end < n_tiles && s->tile_stage[end] == s->tile_stage[begin];) end++;
    if (s->tile_stage[begin] == stage)
      emit_some(e, block, begin * HY_LANES, HY_MIN(end * HY_LANES, n));
  }
}

/* ---- one bar of one timeframe ---- */

static void end_block(const hy__stream_tick *t, size_t block, size_t stage) {
  if (t->tf == 0)
    emit_block(t->e, block, stage - t->frame->stage_begin);
  else if (stage + 1 == t->frame->stage_end)
    hy__stream_close_block(t, block);
}

static void run_stage(const hy__stream_tick *t, size_t stage) {
  const hy_feature_stream *s = t->s;
  const hy__stream_stage *plan = &s->stages[stage];
  const bool first = stage == t->frame->stage_begin;
  for (size_t i = plan->cross_begin; i < plan->cross_end; i++) run_cross(s, &s->cross[i]);
  for (size_t begin = 0; begin < s->n_blocks; begin += HY__STREAM_GROUP) {
    const size_t end = HY_MIN(begin + HY__STREAM_GROUP, s->n_blocks);
    for (size_t b = begin; first && b < end; b++) hy__stream_open_block(t, b);
    for (size_t i = plan->leg_begin; i < plan->leg_end; i++) run_leg(s, &s->legs[i], begin, end);
    for (size_t b = begin; b < end; b++) end_block(t, b, stage);
  }
}

void hy__stream_run_tick(const hy__stream_event *e, uint32_t tf, int64_t time_ns) {
  hy_feature_stream *s = e->s;
  hy__stream_frame *frame = &s->frames[tf];
  const hy__stream_tick t = {.e = e, .s = s, .frame = frame, .tf = tf, .time_ns = time_ns};
  frame->last_ns = time_ns;
  hy__stream_read_clocks(&t);
  for (size_t i = frame->stage_begin; i < frame->stage_end; i++) run_stage(&t, i);
  frame->open_ns = INT64_MIN;
}
