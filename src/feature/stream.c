/* SPDX-License-Identifier: Apache-2.0
 * One row of bars through a stream: who advances, the sources' rows, the steps (each for a group of
 * blocks in turn), cross-sections between the stages, and the answer. The steps are those of batch
 * with one row, so the values are too. */
#include "feature/stream.h"

#include <math.h>

/* One call of update or peek. */
typedef struct event {
  hy_feature_stream *s;
  const hy_bar_row *row;
  double *values;
  uint8_t *valid;
  bool is_peek;
} event;

/* What is not finite is missing, and missing is this one NaN. */
static inline double kept(double v) { return v - v == 0.0 ? v : (double)NAN; }

/* ---- who advances ---- */

static uint8_t present_lanes(const event *e, size_t block) {
  uint8_t lanes = hy__stream_block_lanes(e->s, block), present = 0;
  if (!e->row->valid) return lanes;
  const uint8_t *valid = e->row->valid + block * HY_LANES;
  for (size_t k = 0; k < HY_LANES && lanes >> k; k++) present |= (uint8_t)((valid[k] != 0) << k);
  return present;
}

/* Notes the bars; the lanes that begin anew, whose last bar is longer ago than the policy bears,
 * are returned. */
static uint8_t reset_lanes(const event *e, const hy__gap *gap, hy__stream_bar *bars,
                           uint8_t present) {
  uint8_t lanes = 0;
  for (size_t k = 0; k < HY_LANES; k++) {
    if (!(present >> k & 1)) continue;
    const bool seen = bars[k].last_ns != INT64_MIN && gap->reset_after_ns > 0;
    if (seen && e->row->time_ns - bars[k].last_ns > gap->reset_after_ns)
      lanes |= (uint8_t)(1u << k);
    bars[k].last_ns = e->row->time_ns;
  }
  return lanes;
}

/* Remembers the closes; the lanes whose missing bar is filled are returned. */
static uint8_t filled_lanes(const event *e, const hy__gap *gap, size_t block, hy__stream_bar *bars,
                            uint8_t present) {
  const double *close = e->row->fields[e->s->close_field] + block * HY_LANES;
  uint8_t filled = 0;
  for (size_t k = 0; k < HY_LANES; k++) {
    if (present >> k & 1) {
      bars[k] = (hy__stream_bar){.last_ns = e->row->time_ns, .last_close = kept(close[k])};
    } else if (bars[k].last_ns != INT64_MIN) {
      bars[k].missing++;
      filled |= (uint8_t)((bars[k].missing <= gap->max) << k);
    }
  }
  return filled;
}

/* A peek is undone by giving back the states alone; what else it changes is kept here first. */
static void keep_block(const event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  if (e->is_peek)
    memcpy(s->shadow + block * s->block_doubles, hy__stream_block(s, block),
           s->block_doubles * sizeof(double));
}

static void open_domain(const event *e, size_t block, uint32_t domain, uint8_t present) {
  hy_feature_stream *s = e->s;
  const hy__gap *gap = &s->f->gaps[s->f->domains[domain].gap];
  const size_t cell = block * s->n_domains + domain;
  hy__stream_lanes *l = &s->lanes[cell];
  hy__stream_bar *bars = s->bars + cell * HY_LANES;
  const uint8_t all = hy__stream_block_lanes(s, block);
  l->live = present;
  l->advance = gap->fill == HY__GAP_NONE ? present : all;
  for (size_t k = 0; k < HY_LANES && gap->fill == HY__GAP_MARK; k++)
    if (present >> k & 1) bars[k].last_ns = e->row->time_ns;
  if (gap->fill == HY__GAP_FLAT) l->live |= filled_lanes(e, gap, block, bars, present);
  if (!l->advance) return;
  if (l->held) hy__stream_shift(s, block, domain, l->held);
  if (gap->fill == HY__GAP_NONE) {
    const uint8_t lanes = reset_lanes(e, gap, bars, present);
    if (lanes) hy__stream_clear(s, block, domain, lanes);
  }
  l->held = (uint8_t)(all & ~l->advance);
  s->count[cell]++;
}

static void open_block(const event *e, size_t block) {
  const uint8_t present = present_lanes(e, block);
  if (e->s->resets) keep_block(e, block);
  for (uint32_t d = 0; d < e->s->n_domains; d++) open_domain(e, block, d, present);
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

static void read_field(const event *e, const hy__stream_source *source, size_t block,
                       double row[HY_LANES]) {
  const hy_feature_stream *s = e->s;
  const size_t cell = block * s->n_domains + source->ring->domain;
  const double *from = e->row->fields[source->field] + block * HY_LANES;
  const uint8_t live = s->lanes[cell].live, present = present_lanes(e, block);
  if (present == 0xff) {
    for (size_t k = 0; k < HY_LANES; k++) row[k] = kept(from[k]);
    return;
  }
  for (size_t k = 0; k < HY_LANES; k++) {
    row[k] = (double)NAN;
    if (present >> k & 1)
      row[k] = kept(from[k]);
    else if (live >> k & 1)
      row[k] = fill_value(source->node, &s->bars[cell * HY_LANES + k]);
  }
}

static void read_clock(const event *e, const hy__stream_source *source, size_t block,
                       double row[HY_LANES]) {
  const hy_feature_stream *s = e->s;
  const int64_t ns_per_s = 1000000000, ns = e->row->time_ns;
  const uint8_t live = s->lanes[block * s->n_domains + source->ring->domain].live;
  int64_t whole_s = ns / ns_per_s;
  if (source->node->name[1] == 'l') whole_s += hy__zone_offset_s(s->zone, whole_s);
  const double value = (double)whole_s + (double)(ns % ns_per_s) / 1e9;
  const bool is_bar = source->node->name[1] == 'b';
  const hy__stream_bar *bars = s->bars + (block * s->n_domains + source->ring->domain) * HY_LANES;
  for (size_t k = 0; k < HY_LANES; k++) {
    if (is_bar)
      row[k] = bars[k].last_ns != INT64_MIN ? 1.0 : (double)NAN;
    else
      row[k] = live >> k & 1 ? value : (double)NAN;
  }
}

static void run_sources(const event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  double row[HY_LANES];
  for (size_t i = 0; i < s->n_sources; i++) {
    const hy__stream_source *source = &s->sources[i];
    const size_t cell = block * s->n_domains + source->ring->domain;
    if (!s->lanes[cell].advance) continue;
    if (source->node->kind == HY__NODE_FIELD)
      read_field(e, source, block, row);
    else
      read_clock(e, source, block, row);
    put_row(hy__stream_block(s, block), source->ring, s->count[cell], row);
  }
}

/* ---- steps ---- */

static void run_step(const hy_feature_stream *s, const hy__stream_step *step, size_t block) {
  double *base = hy__stream_block(s, block);
  const hy__ring *r = step->ring;
  const uint32_t count = s->count[block * s->n_domains + r->domain];
  const size_t row = hy__ring_row(r->rows, count), stride = hy__ring_stride(r);
  hy__ind_step one;
  one.n = 1;
  one.p = step->p;
  one.state = base + step->state;
  for (size_t k = 0; k < step->n_in; k++)
    one.in[k] = base + step->in[k].at + hy__ring_row(step->in[k].rows, count);
  for (size_t c = 0; c < r->n_columns; c++) {
    double *column = base + r->at + c * stride + row;
    *(c < step->n_out ? &one.out[c] : &one.mid[c - step->n_out]) = column;
  }
  step->code->step(&one);
  if (r->rows == 1) return;
  for (size_t c = 0; c < r->n_columns; c++) {
    double *column = base + r->at + c * stride + row;
    memcpy(column - r->rows * (size_t)HY_LANES, column, HY_LANES * sizeof *column);
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
  for (size_t k = leg->step_begin; k < leg->step_end; k++)
    for (size_t i = 0; i < n; i++) run_step(s, &s->steps[k], blocks[i]);
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

/* ---- the answer ---- */

static void emit_block(const event *e, size_t block) {
  const hy_feature_stream *s = e->s;
  const size_t n_features = s->f->n_features;
  const double *base = hy__stream_block(s, block);
  for (size_t k = 0; k < HY_LANES && block * HY_LANES + k < s->info.n_symbols; k++) {
    double *to = e->values + (block * HY_LANES + k) * n_features;
    for (size_t i = 0; i < n_features; i++) {
      const hy__stream_column *c = &s->targets[i];
      const size_t cell = block * s->n_domains + c->domain;
      const double v = base[c->at + hy__ring_row(c->rows, s->count[cell]) + k];
      to[i] = s->lanes[cell].live >> k & 1 && v == v ? v : (double)NAN;
    }
  }
  if (!e->valid) return;
  const size_t begin = block * HY_LANES * n_features;
  const size_t end = HY_MIN((block + 1) * HY_LANES, s->info.n_symbols) * n_features;
  for (size_t i = begin; i < end; i++) e->valid[i] = e->values[i] == e->values[i];
}

/* ---- one row ---- */

static void run_stage(const event *e, uint32_t stage) {
  const hy_feature_stream *s = e->s;
  const hy__stream_stage *plan = &s->stages[stage];
  const bool first = stage == 0, last = stage + 1 == s->f->n_stages;
  for (size_t i = plan->cross_begin; i < plan->cross_end; i++) run_cross(s, &s->cross[i]);
  for (size_t begin = 0; begin < s->n_blocks; begin += HY__STREAM_GROUP) {
    const size_t end = HY_MIN(begin + HY__STREAM_GROUP, s->n_blocks);
    for (size_t b = begin; first && b < end; b++) {
      open_block(e, b);
      run_sources(e, b);
    }
    for (size_t i = plan->leg_begin; i < plan->leg_end; i++) run_leg(s, &s->legs[i], begin, end);
    for (size_t b = begin; last && b < end; b++) emit_block(e, b);
  }
}

static void run_row(const event *e) {
  for (uint32_t stage = 0; stage < e->s->f->n_stages; stage++) run_stage(e, stage);
}

static hy_status check_row(const hy_feature_stream *s, const hy_bar_row *row, const double *values,
                           hy_error *err) {
  HY_FAIL_IF(!s || !row || row->struct_size < sizeof(hy_bar_row) || !row->fields || !values,
             HY_INVALID_ARGUMENT, err,
             "a stream, a row with its struct_size and fields, and values must be given");
  for (size_t k = 0; k < s->info.n_fields; k++)
    HY_FAIL_IF(!row->fields[k], HY_INVALID_ARGUMENT, err, "the row has no field %s",
               s->info.fields[k]);
  if (s->n_rows && row->time_ns <= s->time_ns) {
    char now[40], last[40];
    hy__time_format(row->time_ns, now);
    hy__time_format(s->time_ns, last);
    HY_FAIL(HY_LATE, err, "a row of %s after that of %s", now, last);
  }
  return HY_OK;
}

hy_status hy_feature_stream_update(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                   uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const event e = {.s = s, .row = row, .values = values, .valid = valid};
  run_row(&e);
  s->time_ns = row->time_ns;
  s->n_rows++;
  return HY_OK;
}

/* ---- peek ---- */

static void save(hy_feature_stream *s) {
  const size_t cells = s->n_blocks * s->n_domains;
  memcpy(s->shadow_count, s->count, cells * sizeof *s->count);
  memcpy(s->shadow_bars, s->bars, cells * HY_LANES * sizeof *s->bars);
  for (size_t b = 0; !s->resets && b < s->n_blocks; b++)
    memcpy(s->shadow + b * s->state_doubles, hy__stream_block(s, b),
           s->state_doubles * sizeof(double));
}

/* Rows in the rings behind the newest need no undoing: nothing reads them. */
static void give_back(hy_feature_stream *s) {
  const size_t cells = s->n_blocks * s->n_domains;
  const size_t doubles = s->resets ? s->block_doubles : s->state_doubles;
  memcpy(s->count, s->shadow_count, cells * sizeof *s->count);
  memcpy(s->bars, s->shadow_bars, cells * HY_LANES * sizeof *s->bars);
  for (size_t b = 0; b < s->n_blocks; b++)
    memcpy(hy__stream_block(s, b), s->shadow + b * doubles, doubles * sizeof(double));
  for (size_t i = 0; i < cells; i++) s->lanes[i].held = 0;
}

hy_status hy_feature_stream_peek(hy_feature_stream *s, const hy_bar_row *row, double *values,
                                 uint8_t *valid, hy_error *err) {
  HY_TRY(check_row(s, row, values, err));
  const event e = {.s = s, .row = row, .values = values, .valid = valid, .is_peek = true};
  hy__stream_settle(s);
  save(s);
  run_row(&e);
  give_back(s);
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

static hy_status open_zone(hy_feature_stream *s, hy_error *err) {
  for (size_t i = 0; i < s->n_sources; i++)
    if (s->sources[i].node->kind == HY__NODE_CLOCK && s->sources[i].node->name[1] == 'l')
      return hy__zone_open(s->allocator, s->info.zone, &s->zone, err);
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
  s->time_ns = INT64_MIN;
  hy_status status = hy__arena_create(f->allocator, 16384, 0, &s->arena, err);
  if (status == HY_OK) status = name_bars(s, o, err);
  if (status == HY_OK) status = hy__stream_plan(s, err);
  if (status == HY_OK) status = open_zone(s, err);
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
  hy__zone_close(s->zone);
  hy_universe_destroy(s->universe);
  hy__arena_destroy(s->arena);
  hy__free(s->allocator, s, sizeof *s);
}
