/* SPDX-License-Identifier: Apache-2.0
 * Bars on their way into a stream: cleaned, folded into the open bars of slower timeframes, and
 * laid out as the rows that steps read; which lanes go on with a bar, which begin anew, and what a
 * bar of a slower timeframe leaves for faster ones. */
#include "feature/clock.h"
#include "feature/stream/stream_tick.h"

/* ---- the bars ---- */

static uint8_t present_lanes(const hy__stream_event *e, size_t block) {
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
void hy__stream_read_bars(const hy__stream_event *e, size_t block) {
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
static void read_tick(const hy__stream_tick *k, const hy__stream_source *source, size_t block,
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

static uint8_t tick_present(const hy__stream_tick *k, size_t block) {
  if (k->tf == 0) return k->s->present[block];
  const double *n = hy__stream_block(k->s, block) + k->frame->n_src;
  uint8_t present = 0;
  for (size_t i = 0; i < HY_LANES; i++) present |= (uint8_t)((n[i] > 0) << i);
  return present;
}

static void read_close(const hy__stream_tick *k, size_t block, double row[HY_LANES]) {
  const hy_feature_stream *s = k->s;
  hy__stream_source close = {.field = s->close_field, .fold = (uint32_t)k->frame->fold_begin};
  while (k->tf && s->folds[close.fold].field != s->close_field) close.fold++;
  read_tick(k, &close, block, row);
}

/* ---- who advances ---- */

/* Notes the bars; the lanes that begin anew, whose last bar is longer ago than the policy bears,
 * are returned. */
static uint8_t reset_lanes(const hy__stream_tick *t, const hy__gap *gap, hy__stream_bar *bars,
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
static uint8_t filled_lanes(const hy__stream_tick *t, const hy__gap *gap, size_t block,
                            hy__stream_bar *bars, uint8_t present) {
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

static void open_domain(const hy__stream_tick *t, size_t block, uint32_t domain, uint8_t present) {
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

static void open_lanes(const hy__stream_tick *t, size_t block) {
  const uint8_t present = tick_present(t, block);
  for (uint32_t d = 0; d < t->s->n_domains; d++)
    if (t->s->f->domains[d].tf == t->tf) open_domain(t, block, d, present);
}

/* ---- sources ---- */

void hy__stream_put_row(double *base, const hy__ring *r, uint32_t count,
                        const double row[HY_LANES]) {
  double *to = base + r->at + hy__ring_row(r->rows, count);
  memcpy(to, row, HY_LANES * sizeof *to);
  if (r->rows > 1) memcpy(to - r->rows * (size_t)HY_LANES, row, HY_LANES * sizeof *to);
}

static double fill_value(const hy__node *n, const hy__stream_bar *bar) {
  if (!strcmp(n->name, "volume")) return 0.0;
  return hy__field_standard(n->name) ? bar->last_close : (double)NAN;
}

static void read_field(const hy__stream_tick *t, const hy__stream_source *source, size_t block,
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

void hy__stream_read_clocks(const hy__stream_tick *t) {
  for (size_t i = t->frame->source_begin; i < t->frame->source_end; i++) {
    hy__stream_source *source = &t->s->sources[i];
    if (source->node->kind == HY__NODE_CLOCK)
      hy__bar_clock_rows(t->s->clocks, source->clock, &t->time_ns, 1, &source->clock_value);
  }
}

/* @bar is 1 from a symbol's first bar on. */
static void read_clock(const hy__stream_tick *t, const hy__stream_source *source, size_t block,
                       double row[HY_LANES]) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const hy__stream_bar *bars = s->bars + cell * HY_LANES;
  for (size_t k = 0; k < HY_LANES; k++) {
    const bool has = source->clock == HY__CLOCK_BAR ? bars[k].last_ns != INT64_MIN
                                                    : s->lanes[cell].live >> k & 1;
    row[k] = has ? source->clock_value : (double)NAN;
  }
}

/* Rows of the lane's series since the end of the slower timeframe's last bar. */
static void read_age(const hy__stream_tick *t, const hy__stream_source *source, size_t block,
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

static void run_source(const hy__stream_tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  double *base = hy__stream_block(s, block), row[HY_LANES];
  if (!s->lanes[cell].advance || source->ring->is_latch) return;
  switch (source->node->kind) {
  case HY__NODE_FIELD: read_field(t, source, block, row); break;
  case HY__NODE_CLOCK: read_clock(t, source, block, row); break;
  case HY__NODE_AGE: read_age(t, source, block, row); break;
  default: memcpy(row, base + source->latch, sizeof row); break;
  }
  hy__stream_put_row(base, source->ring, s->count[cell], row);
}

void hy__stream_open_block(const hy__stream_tick *t, size_t block) {
  open_lanes(t, block);
  for (size_t i = t->frame->source_begin; i < t->frame->source_end; i++)
    run_source(t, &t->s->sources[i], block);
}

/* ---- slower bars ---- */

void hy__stream_fold_block(const hy__stream_event *e, size_t block) {
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

/* What faster rows will see of this bar. */
static void latch_value(const hy__stream_tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->from.domain;
  const hy__stream_lanes *l = &s->lanes[cell];
  double *base = hy__stream_block(s, block), *latch = base + source->latch;
  const double *row = base + source->from.at + hy__ring_row(source->from.rows, s->count[cell]);
  for (size_t k = 0; k < HY_LANES; k++)
    if (l->advance >> k & 1) latch[k] = l->live >> k & 1 ? hy__stream_kept(row[k]) : (double)NAN;
}

/* Ages begin at 0 again, in the lanes that have had a bar. */
static void latch_age(const hy__stream_tick *t, const hy__stream_source *source, size_t block) {
  const hy_feature_stream *s = t->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const bool own = hy__node_gap(s->f, source->node)->fill == HY__GAP_NONE;
  double *age = hy__stream_block(s, block) + source->latch;
  for (size_t k = 0; k < HY_LANES; k++)
    age[k] = own && s->bars[cell * HY_LANES + k].last_ns == INT64_MIN ? (double)NAN : 0;
}

static void latch_block(const hy__stream_tick *t, size_t block) {
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
static void clear_bar(const hy__stream_tick *t, size_t block) {
  const hy_feature_stream *s = t->s;
  memset(hy__stream_block(s, block) + t->frame->n_src, 0, HY_LANES * sizeof(double));
  for (size_t i = t->frame->fold_begin; i < t->frame->fold_end; i++)
    hy__fold_begin(fold_state(s, &s->folds[i], block));
}

void hy__stream_close_block(const hy__stream_tick *t, size_t block) {
  latch_block(t, block);
  clear_bar(t, block);
}
