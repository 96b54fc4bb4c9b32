/* SPDX-License-Identifier: Apache-2.0
 * One row of bars through a stream: who advances, the sources' rows, the steps (each for a group of
 * blocks in turn), cross-sections between the stages, and the answer. The steps are those of batch
 * with one row, so the values are too. */
#include "feature/stream.h"

#include <math.h>

/* One call of update, peek or advance. */
typedef struct event {
  hy_feature_stream *s;
  const hy_bar_row *row; /* NULL: only time has passed */
  double *values;
  uint8_t *valid;
} event;

/* A bar of a timeframe that has closed, for all symbols that have it. */
typedef struct tick {
  const event *e;
  hy_feature_stream *s;
  const hy__stream_frame *frame;
  uint32_t tf;
  int64_t time_ns;
} tick;

/* What is not finite is missing, and missing is this one NaN. */
static inline double kept(double v) { return v - v == 0.0 ? v : (double)NAN; }

/* ---- the bars ---- */

static uint8_t present_lanes(const event *e, size_t block) {
  uint8_t lanes = hy__stream_block_lanes(e->s, block), present = 0;
  if (!e->row->valid) return lanes;
  const uint8_t *valid = e->row->valid + block * HY_LANES;
  for (size_t k = 0; k < HY_LANES && lanes >> k; k++) present |= (uint8_t)((valid[k] != 0) << k);
  return present;
}

static double *clean_row(const hy_feature_stream *s, int32_t field, size_t block) {
  return s->clean + (block * s->info.n_fields + (size_t)field) * HY_LANES;
}

/* The row of bars, what is missing as NaN. */
static void read_bars(const event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  const size_t left = s->info.n_symbols - block * HY_LANES;
  s->present[block] = present_lanes(e, block);
  for (size_t f = 0; f < s->info.n_fields; f++) {
    const double *from = e->row->fields[f] + block * HY_LANES;
    double tail[HY_LANES] = {0};
    if (!s->reads[f]) continue;
    if (left < HY_LANES) from = memcpy(tail, from, left * sizeof *from);
    s->edge->in(&(hy__edge_in){from, s->present[block], clean_row(s, (int32_t)f, block)});
  }
}

static hy__fold_state *fold_state(const hy_feature_stream *s, const hy__stream_fold *f,
                                  size_t block) {
  return (hy__fold_state *)(void *)(hy__stream_block(s, block) + f->state);
}

/* A field of the bar that has closed; n_src are the lanes' base bars in it. */
static void read_tick(const tick *k, const hy__stream_source *source, size_t block,
                      double row[HY_LANES]) {
  const hy_feature_stream *s = k->s;
  if (k->tf == 0) {
    memcpy(row, clean_row(s, source->field, block), HY_LANES * sizeof *row);
  } else if (source->field < 0) {
    const double *n = hy__stream_block(s, block) + k->frame->n_src;
    for (size_t i = 0; i < HY_LANES; i++) row[i] = n[i] > 0 ? n[i] : (double)NAN;
  } else {
    const hy__stream_fold *fold = &s->folds[source->fold];
    hy__fold_end(fold->how, fold_state(s, fold, block), row);
  }
}

static uint8_t tick_present(const tick *k, size_t block) {
  if (k->tf == 0) return k->s->present[block];
  const double *n = hy__stream_block(k->s, block) + k->frame->n_src;
  uint8_t present = 0;
  for (size_t i = 0; i < HY_LANES; i++) present |= (uint8_t)((n[i] > 0) << i);
  return present;
}

static void read_close(const tick *k, size_t block, double row[HY_LANES]) {
  const hy_feature_stream *s = k->s;
  hy__stream_source close = {.field = s->close_field, .fold = (uint32_t)k->frame->fold_begin};
  while (k->tf && s->folds[close.fold].field != s->close_field) close.fold++;
  read_tick(k, &close, block, row);
}

/* ---- who advances ---- */

/* Notes the bars; the lanes that begin anew, whose last bar is longer ago than the policy bears,
 * are returned. */
static uint8_t reset_lanes(const tick *t, const hy__gap *gap, hy__stream_bar *bars,
                           uint8_t present) {
  uint8_t lanes = 0;
  for (size_t k = 0; k < HY_LANES; k++) {
    if (!(present >> k & 1)) continue;
    const bool seen = bars[k].last_ns != INT64_MIN && gap->reset_after_ns > 0;
    if (seen && t->time_ns - bars[k].last_ns > gap->reset_after_ns) lanes |= (uint8_t)(1u << k);
    bars[k].last_ns = t->time_ns;
  }
  return lanes;
}

/* Remembers the closes; the lanes whose missing bar is filled are returned. */
static uint8_t filled_lanes(const tick *t, const hy__gap *gap, size_t block, hy__stream_bar *bars,
                            uint8_t present) {
  double close[HY_LANES];
  uint8_t filled = 0;
  read_close(t, block, close);
  for (size_t k = 0; k < HY_LANES; k++) {
    if (present >> k & 1) {
      bars[k] = (hy__stream_bar){.last_ns = t->time_ns, .last_close = close[k]};
    } else if (bars[k].last_ns != INT64_MIN) {
      bars[k].missing++;
      filled |= (uint8_t)((bars[k].missing <= gap->max) << k);
    }
  }
  return filled;
}

static void open_domain(const tick *t, size_t block, uint32_t domain, uint8_t present) {
  hy_feature_stream *s = t->s;
  const hy__gap *gap = &s->f->gaps[s->f->domains[domain].gap];
  const size_t cell = block * s->n_domains + domain;
  hy__stream_lanes *l = &s->lanes[cell];
  hy__stream_bar *bars = s->bars + cell * HY_LANES;
  const uint8_t all = hy__stream_block_lanes(s, block);
  l->live = present;
  l->advance = gap->fill == HY__GAP_NONE ? present : all;
  for (size_t k = 0; k < HY_LANES && gap->fill == HY__GAP_MARK; k++)
    if (present >> k & 1) bars[k].last_ns = t->time_ns;
  if (gap->fill == HY__GAP_FLAT) l->live |= filled_lanes(t, gap, block, bars, present);
  if (!l->advance) return;
  if (l->held) hy__stream_shift(s, block, domain, l->held);
  if (gap->fill == HY__GAP_NONE) {
    const uint8_t lanes = reset_lanes(t, gap, bars, present);
    if (lanes) hy__stream_clear(s, block, domain, lanes);
  }
  l->held = (uint8_t)(all & ~l->advance);
  s->count[cell]++;
}

static void open_block(const tick *t, size_t block) {
  const uint8_t present = tick_present(t, block);
  for (uint32_t d = 0; d < t->s->n_domains; d++)
    if (t->s->f->domains[d].tf == t->tf) open_domain(t, block, d, present);
}

/* ---- sources ---- */

static void put_row(double *base, const hy__ring *r, uint32_t count, const double row[HY_LANES]) {
  double *to = base + r->at + hy__ring_row(r->rows, count);
  memcpy(to, row, HY_LANES * sizeof *to);
  if (r->rows > 1) memcpy(to - r->rows * (size_t)HY_LANES, row, HY_LANES * sizeof *to);
}

static double fill_value(const hy__node *n, const hy__stream_bar *bar) {
  if (!strcmp(n->name, "volume")) return 0.0;
  return hy__field_standard(n->name) ? bar->last_close : (double)NAN;
}

static void read_field(const tick *t, const hy__stream_source *source, size_t block,
                       double row[HY_LANES]) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const hy__gap *gap = hy__node_gap(s->f, source->node);
  read_tick(t, source, block, row);
  if (gap->fill != HY__GAP_FLAT) return;
  const uint8_t filled = s->lanes[cell].live & (uint8_t)~tick_present(t, block);
  for (size_t k = 0; k < HY_LANES; k++)
    if (filled >> k & 1) row[k] = fill_value(source->node, &s->bars[cell * HY_LANES + k]);
}

/* @bar is 1 from a symbol's first bar on. */
static void read_clock(const tick *t, const hy__stream_source *source, size_t block,
                       double row[HY_LANES]) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const hy__stream_bar *bars = s->bars + cell * HY_LANES;
  const hy__bar_clock which = hy__bar_clock_of(source->node->name);
  const bool is_bar = which == HY__CLOCK_BAR;
  double value;
  hy__bar_clock_rows(s->clocks, which, &t->time_ns, 1, &value);
  for (size_t k = 0; k < HY_LANES; k++) {
    const bool has = is_bar ? bars[k].last_ns != INT64_MIN : s->lanes[cell].live >> k & 1;
    row[k] = has ? value : (double)NAN;
  }
}

/* Rows of the lane's series since the end of the slower timeframe's last bar. */
static void read_age(const tick *t, const hy__stream_source *source, size_t block,
                     double row[HY_LANES]) {
  const hy_feature_stream *s = t->s;
  double *age = hy__stream_block(s, block) + source->latch;
  const uint8_t advance = s->lanes[block * s->n_domains + source->ring->domain].advance;
  const bool at_end = s->frames[source->node->slower].last_ns == t->time_ns;
  for (size_t k = 0; k < HY_LANES; k++) {
    if (advance >> k & 1) age[k] = at_end ? 0 : age[k] + 1;
    row[k] = age[k];
  }
}

static void run_source(const tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  double *base = hy__stream_block(s, block), row[HY_LANES];
  if (!s->lanes[cell].advance) return;
  switch (source->node->kind) {
  case HY__NODE_FIELD: read_field(t, source, block, row); break;
  case HY__NODE_CLOCK: read_clock(t, source, block, row); break;
  case HY__NODE_AGE: read_age(t, source, block, row); break;
  default: memcpy(row, base + source->latch, sizeof row); break;
  }
  put_row(base, source->ring, s->count[cell], row);
}

static void run_sources(const tick *t, size_t block) {
  for (size_t i = t->frame->source_begin; i < t->frame->source_end; i++)
    run_source(t, &t->s->sources[i], block);
}

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
  size_t next = 0;
  for (size_t b = 0; b < s->n_blocks; b++) {
    const size_t cell = b * s->n_domains + cross->ring->domain;
    double row[HY_LANES];
    for (size_t k = 0; k < HY_LANES; k++) {
      const bool here = next < n_valid && s->which[next] == b * HY_LANES + k;
      row[k] = here ? kept(s->values[next]) : (double)NAN;
      next += here;
    }
    if (s->lanes[cell].advance) put_row(hy__stream_block(s, b), cross->ring, s->count[cell], row);
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
    if (gather_cross(s, cross, i, n_valid)) s->which[n_valid++] = (uint32_t)i;
  if ((double)n_valid < n->p[n->def->n_params - 1]) n_valid = 0;
  hy__cross_step step = {
      .values = s->values, .n_in = n->n_in, .n = n_valid, .p = n->p, .ranked = s->ranked};
  for (size_t k = 0; k < n->n_in; k++) step.in[k] = s->values + k * s->info.n_symbols;
  if (n_valid) hy__def_cross(n->def->row)(&step);
  spread_cross(s, cross, n_valid);
}

/* ---- what a row gives ---- */

/* Lanes without a bar have no values. */
static void clear_absent(const event *e, size_t block, double *to) {
  const hy_feature_stream *s = e->s;
  const size_t n = s->f->n_features, n_lanes = s->info.n_symbols - block * HY_LANES;
  for (size_t i = 0; i < n; i++) {
    const uint8_t live = s->lanes[block * s->n_domains + s->targets[i].domain].live;
    for (size_t k = 0; live != 0xff && k < HY_LANES && k < n_lanes; k++)
      if (!(live >> k & 1)) to[k * n + i] = (double)NAN;
  }
}

static void emit_block(const event *e, size_t block) {
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

/* What faster rows will see of this bar. */
static void latch_value(const tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->from.domain;
  const hy__stream_lanes *l = &s->lanes[cell];
  double *base = hy__stream_block(s, block), *latch = base + source->latch;
  const double *row = base + source->from.at + hy__ring_row(source->from.rows, s->count[cell]);
  for (size_t k = 0; k < HY_LANES; k++)
    if (l->advance >> k & 1) latch[k] = l->live >> k & 1 ? kept(row[k]) : (double)NAN;
}

/* Ages begin at 0 again, in the lanes that have had a bar. */
static void latch_age(const tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const bool own = hy__node_gap(s->f, source->node)->fill == HY__GAP_NONE;
  double *age = hy__stream_block(s, block) + source->latch;
  for (size_t k = 0; k < HY_LANES; k++)
    age[k] = own && s->bars[cell * HY_LANES + k].last_ns == INT64_MIN ? (double)NAN : 0;
}

static void latch_block(const tick *t, size_t block) {
  const hy_feature_stream *s = t->s;
  for (size_t i = 0; i < s->n_sources; i++) {
    const hy__stream_source *source = &s->sources[i];
    const hy__node *n = source->node;
    if (n->kind == HY__NODE_ASOF && s->f->domains[source->from.domain].tf == t->tf)
      latch_value(t, source, block);
    if (n->kind == HY__NODE_AGE && n->slower == t->tf) latch_age(t, source, block);
  }
}

/* The next bar of the timeframe begins. */
static void clear_bar(const tick *t, size_t block) {
  const hy_feature_stream *s = t->s;
  memset(hy__stream_block(s, block) + t->frame->n_src, 0, HY_LANES * sizeof(double));
  for (size_t i = t->frame->fold_begin; i < t->frame->fold_end; i++)
    hy__fold_begin(fold_state(s, &s->folds[i], block));
}

/* ---- one bar of one timeframe ---- */

static void end_block(const tick *t, size_t block) {
  if (t->tf == 0) {
    emit_block(t->e, block);
    return;
  }
  latch_block(t, block);
  clear_bar(t, block);
}

static void run_stage(const tick *t, size_t stage) {
  const hy_feature_stream *s = t->s;
  const hy__stream_stage *plan = &s->stages[stage];
  const bool first = stage == t->frame->stage_begin, last = stage + 1 == t->frame->stage_end;
  for (size_t i = plan->cross_begin; i < plan->cross_end; i++) run_cross(s, &s->cross[i]);
  for (size_t begin = 0; begin < s->n_blocks; begin += HY__STREAM_GROUP) {
    const size_t end = HY_MIN(begin + HY__STREAM_GROUP, s->n_blocks);
    for (size_t b = begin; first && b < end; b++) {
      open_block(t, b);
      run_sources(t, b);
    }
    for (size_t i = plan->leg_begin; i < plan->leg_end; i++) run_leg(s, &s->legs[i], begin, end);
    for (size_t b = begin; last && b < end; b++) end_block(t, b);
  }
}

static void run_tick(const event *e, uint32_t tf, int64_t time_ns) {
  hy_feature_stream *s = e->s;
  hy__stream_frame *frame = &s->frames[tf];
  const tick t = {.e = e, .s = s, .frame = frame, .tf = tf, .time_ns = time_ns};
  frame->last_ns = time_ns;
  for (size_t i = frame->stage_begin; i < frame->stage_end; i++) run_stage(&t, i);
  frame->open_ns = INT64_MIN;
}

/* ---- one row of bars ---- */

/* The open bar that ends first, by `by_ns`; of equals that of the slowest timeframe, which the
 * others see. 0: there is none. */
static uint32_t next_closing(const hy_feature_stream *s, int64_t by_ns) {
  uint32_t found = 0;
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++) {
    const int64_t end_ns = s->frames[tf].open_ns,
                  best_ns = found ? s->frames[found].open_ns : by_ns;
    const bool slower = found && s->f->timeframes[tf].ns >= s->f->timeframes[found].ns;
    if (end_ns == INT64_MIN || end_ns > by_ns) continue;
    if (!found || end_ns < best_ns || (end_ns == best_ns && slower)) found = tf;
  }
  return found;
}

static void close_bars(const event *e, int64_t by_ns) {
  for (uint32_t tf; (tf = next_closing(e->s, by_ns)) != 0;)
    run_tick(e, tf, e->s->frames[tf].open_ns);
}

static void fold_block(const event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  for (size_t i = 0; i < s->n_folds; i++) {
    const hy__stream_fold *f = &s->folds[i];
    const double *volume = f->how == HY__FOLD_VWAP ? clean_row(s, f->volume, block) : NULL;
    hy__fold_rows(f->how, clean_row(s, f->field, block), volume, 1, fold_state(s, f, block));
  }
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++) {
    double *n = hy__stream_block(s, block) + s->frames[tf].n_src;
    for (size_t k = 0; k < HY_LANES; k++) n[k] += s->present[block] >> k & 1;
  }
}

static void open_bars(const event *e) {
  hy_feature_stream *s = e->s;
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++)
    s->frames[tf].open_ns = hy__grid_end(s->frames[tf].grid, e->row->time_ns);
  for (size_t b = 0; s->f->n_timeframes > 1 && b < s->n_blocks; b++) fold_block(e, b);
}

/* What ended before this row's bars, the bars themselves, what ends with them, the answer. */
static void run_row(const event *e) {
  hy_feature_stream *s = e->s;
  for (size_t b = 0; b < s->n_blocks; b++) read_bars(e, b);
  close_bars(e, e->row->time_ns - 1);
  open_bars(e);
  close_bars(e, e->row->time_ns);
  run_tick(e, 0, e->row->time_ns);
}

static hy_status fail_late(const char *what, int64_t ns, int64_t closed_ns, hy_error *err) {
  char now[40], last[40];
  hy__time_format(ns, now);
  hy__time_format(closed_ns, last);
  HY_FAIL(HY_LATE, err, "%s %s after that of %s", what, now, last);
}

static hy_status check_row(const hy_feature_stream *s, const hy_bar_row *row, const double *values,
                           hy_error *err) {
  HY_FAIL_IF(!s || !row || row->struct_size < sizeof(hy_bar_row) || !row->fields || !values,
             HY_INVALID_ARGUMENT, err,
             "a stream, a row with its struct_size and fields, and values must be given");
  for (size_t k = 0; k < s->info.n_fields; k++)
    HY_FAIL_IF(!row->fields[k], HY_INVALID_ARGUMENT, err, "the row has no field %s",
               s->info.fields[k]);
  HY_FAIL_IF(row->time_ns == INT64_MIN, HY_INVALID_ARGUMENT, err, "the row has no time");
  if (row->time_ns <= s->closed_ns) return fail_late("a row of", row->time_ns, s->closed_ns, err);
  return HY_OK;
}

hy_status hy_feature_stream_update(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                   uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const event e = {.s = s, .row = row, .values = values, .valid = valid};
  run_row(&e);
  s->time_ns = s->closed_ns = row->time_ns;
  s->n_rows++;
  return HY_OK;
}

hy_status hy_feature_stream_advance(hy_feature_stream *s, int64_t time_ns, hy_error *err) {
  HY_FAIL_IF(!s, HY_INVALID_ARGUMENT, err, "hy_feature_stream_advance: a stream must be given");
  if (time_ns < s->closed_ns) return fail_late("a time of", time_ns, s->closed_ns, err);
  const event e = {.s = s};
  close_bars(&e, time_ns);
  s->closed_ns = time_ns;
  return HY_OK;
}

/* ---- peek ---- */

/* Whether the row does more than can be undone by giving the states back: a slower bar closes late,
 * so that another may close after it, or a series begins anew. */
static bool undoes_rows(const hy_feature_stream *s, int64_t time_ns) {
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++)
    if (s->frames[tf].open_ns != INT64_MIN && s->frames[tf].open_ns < time_ns) return true;
  for (size_t i = 0; i < s->n_blocks * s->n_domains; i++) {
    const int64_t most_ns = s->f->gaps[s->f->domains[i % s->n_domains].gap].reset_after_ns;
    for (size_t k = 0; most_ns && k < HY_LANES; k++) {
      const int64_t last_ns = s->bars[i * HY_LANES + k].last_ns;
      if (last_ns != INT64_MIN && time_ns - last_ns > most_ns) return true;
    }
  }
  return false;
}

/* The first `doubles` of each block, one after the other. */
static void keep_blocks(const hy_feature_stream *s, size_t doubles, bool back) {
  for (size_t b = 0; b < s->n_blocks; b++) {
    double *block = hy__stream_block(s, b), *kept_block = s->shadow + b * doubles;
    memcpy(back ? block : kept_block, back ? kept_block : block, doubles * sizeof *block);
  }
}

static void save(hy_feature_stream *s, size_t doubles) {
  const size_t cells = s->n_blocks * s->n_domains;
  memcpy(s->shadow_count, s->count, cells * sizeof *s->count);
  memcpy(s->shadow_bars, s->bars, cells * HY_LANES * sizeof *s->bars);
  memcpy(s->shadow_frames, s->frames, sizeof s->frames);
  keep_blocks(s, doubles, false);
}

/* Rows in the rings behind the newest need no undoing: nothing reads them. */
static void give_back(hy_feature_stream *s, size_t doubles) {
  const size_t cells = s->n_blocks * s->n_domains;
  memcpy(s->count, s->shadow_count, cells * sizeof *s->count);
  memcpy(s->bars, s->shadow_bars, cells * HY_LANES * sizeof *s->bars);
  memcpy(s->frames, s->shadow_frames, sizeof s->frames);
  keep_blocks(s, doubles, true);
  for (size_t i = 0; i < cells; i++) s->lanes[i].held = 0;
}

hy_status hy_feature_stream_peek(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                 uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const event e = {.s = s, .row = row, .values = values, .valid = valid};
  const size_t doubles = undoes_rows(s, row->time_ns) ? s->block_doubles : s->state_doubles;
  hy__stream_settle(s);
  save(s, doubles);
  run_row(&e);
  give_back(s, doubles);
  return HY_OK;
}

/* ---- making one ---- */

/* The names, zone and timeframe, checked as those of a panel: one row without values. */
static hy_status name_bars(hy_feature_stream *s, const hy_feature_stream_options *o,
                           hy_error *err) {
  static const char *const usual[] = {"open", "high", "low", "close", "volume"};
  static const int64_t no_time[] = {0};
  void *cells = NULL, *columns = NULL;
  const size_t n_fields = o->fields ? o->n_fields : HY_COUNT(usual);
  HY_TRY(hy__arena_array(s->arena, o->n_symbols, sizeof(double), &cells, err));
  HY_TRY(hy__arena_array(s->arena, n_fields, sizeof(double *), &columns, err));
  const double **data = columns;
  for (size_t k = 0; k < n_fields; k++) data[k] = cells;
  const hy_panel panel = {.struct_size = sizeof panel,
                          .n_bars = 1,
                          .n_symbols = o->n_symbols,
                          .n_fields = n_fields,
                          .time_ns = no_time,
                          .symbols = o->symbols,
                          .fields = o->fields ? o->fields : usual,
                          .data = data,
                          .timeframe = o->timeframe,
                          .zone = o->zone,
                          .calendar = o->calendar};
  HY_TRY(hy_universe_from_panel(s->f->runtime, &panel, &s->universe, err));
  s->info.struct_size = sizeof s->info;
  hy_universe_describe(s->universe, &s->info);
  return HY_OK;
}

hy_status hy_feature_stream_create(const hy_features *f, const hy_feature_stream_options *o,
                                   hy_feature_stream **out, hy_error *err) {
  HY_FAIL_IF(!f || !o || !out || o->struct_size < sizeof(hy_feature_stream_options) || !o->symbols,
             HY_INVALID_ARGUMENT, err,
             "hy_feature_stream_create: features, options with struct_size and symbols, and out");
  void *memory;
  HY_TRY(hy__alloc_zero(f->allocator, sizeof(hy_feature_stream), &memory, err));
  hy_feature_stream *s = memory;
  s->f = f;
  s->allocator = f->allocator;
  hy_status status = hy__arena_create(f->allocator, 16384, 0, &s->arena, err);
  if (status == HY_OK) status = name_bars(s, o, err);
  if (status == HY_OK) status = hy__stream_plan(s, err);
  if (status == HY_OK) status = hy__clocks_open(f, s->info.zone, s->info.calendar, &s->clocks, err);
  if (status != HY_OK) {
    hy_feature_stream_destroy(s);
    return status;
  }
  hy__arena_freeze(s->arena);
  *out = s;
  return HY_OK;
}

void hy_feature_stream_destroy(hy_feature_stream *s) {
  if (!s) return;
  for (size_t tf = 1; tf < HY__TIMEFRAMES_MAX; tf++) hy__grid_destroy(s->frames[tf].grid);
  hy__clocks_close(s->clocks);
  hy_universe_destroy(s->universe);
  hy__arena_destroy(s->arena);
  hy__free(s->allocator, s, sizeof *s);
}
