/* SPDX-License-Identifier: Apache-2.0
 * Makes a stream: which nodes the features need, where their rings and states lie in a block's
 * memory, and the order of the steps: by timeframe, by stage between cross-sections, by domain, so
 * that the states of what runs together lie together. */
#include <math.h>

#include "feature/bind.h"
#include "feature/stream/stream.h"

enum { STREAM_BYTES_MAX_LOG2 = 40 };

static uint32_t timeframe_of(const hy_feature_stream *s, uint32_t node) {
  return hy__node_timeframe(s->f, &s->f->nodes[node]);
}

/* ---- rings ---- */

static uint32_t ring_rows(uint32_t keep) {
  uint32_t rows = 1;
  if (keep == 0) return 1;
  while (rows < keep + 2) rows *= 2;
  return rows;
}

static bool is_source(const hy__node *n) {
  return n->kind != HY__NODE_IND && n->kind != HY__NODE_CROSS && n->kind != HY__NODE_NUMBER;
}

/* Which nodes are needed, and how far back each is read. */
static void mark_needed(hy_feature_stream *s) {
  const hy_features *f = s->f;
  for (size_t i = 0; i < f->n_features; i++) s->rings[f->refs[i].node].rows = 1;
  for (size_t i = f->n_nodes; i-- > 0;) {
    const hy__node *n = &f->nodes[i];
    hy__ring *own = &s->rings[i];
    if (own->rows == 0) continue;
    for (size_t k = 0; k < n->n_in; k++) {
      hy__ring *in = &s->rings[n->in[k].node];
      in->rows = 1;
      in->keep = HY_MAX(in->keep, (uint32_t)n->history);
    }
    if (n->mid_rows) own->keep = HY_MAX(own->keep, (uint32_t)n->mid_rows - 1);
    own->n_columns = (uint32_t)n->n_columns;
    own->domain = n->domain;
    s->n_steps += n->kind == HY__NODE_IND;
    s->n_cross += n->kind == HY__NODE_CROSS;
    s->n_sources += is_source(n);
  }
}

/* The stage of its timeframe in which a node runs: cross-sections are barriers, what comes from a
 * slower timeframe is there from the start. */
static void find_waves(hy_feature_stream *s) {
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__node *n = &s->f->nodes[i];
    if (n->kind != HY__NODE_IND && n->kind != HY__NODE_CROSS) continue;
    for (size_t k = 0; k < n->n_in; k++) s->wave[i] = HY_MAX(s->wave[i], s->wave[n->in[k].node]);
    s->wave[i] += n->kind == HY__NODE_CROSS;
  }
}

static bool place_rings(hy_feature_stream *s, size_t *at) {
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    hy__ring *r = &s->rings[i];
    size_t doubles;
    if (r->rows == 0 || r->is_latch) continue;
    r->rows = ring_rows(r->keep);
    r->at = *at;
    s->kept_rows += (size_t)r->keep * r->n_columns;
    if (!hy__mul(hy__ring_stride(r), r->n_columns, &doubles) || !hy__add(*at, doubles, at))
      return false;
  }
  return true;
}

static hy__stream_column column_of(const hy_feature_stream *s, hy__ref ref) {
  const hy__ring *r = &s->rings[ref.node];
  return (hy__stream_column){
      .at = r->at + ref.output * hy__ring_stride(r), .rows = r->rows, .domain = r->domain};
}

/* ---- the order of work ---- */

static bool runs_in(const hy_feature_stream *s, size_t node, hy__node_kind kind, uint32_t tf) {
  return s->rings[node].rows && s->f->nodes[node].kind == kind &&
         timeframe_of(s, (uint32_t)node) == tf;
}

static void plan_step(hy_feature_stream *s, size_t node, size_t *at) {
  const hy__node *n = &s->f->nodes[node];
  hy__stream_step *step = &s->steps[s->n_steps++];
  *step = (hy__stream_step){.code = n->code,
                            .p = n->p,
                            .ring = &s->rings[node],
                            .state = *at,
                            .n_in = n->n_in,
                            .n_out = n->n_out};
  *at += (n->state_bytes + HY_ALIGN - 1) / HY_ALIGN * (HY_ALIGN / sizeof(double));
}

static void plan_leg(hy_feature_stream *s, uint32_t tf, uint32_t wave, uint32_t domain,
                     size_t *at) {
  hy__stream_leg leg = {.domain = domain, .step_begin = s->n_steps, .state_begin = *at};
  for (size_t i = 0; i < s->f->n_nodes; i++)
    if (runs_in(s, i, HY__NODE_IND, tf) && s->wave[i] == wave && s->f->nodes[i].domain == domain)
      plan_step(s, i, at);
  leg.step_end = s->n_steps;
  leg.state_end = *at;
  if (leg.step_end == leg.step_begin) return;
  s->leg_doubles = HY_MAX(s->leg_doubles, leg.state_end - leg.state_begin);
  s->legs[s->n_legs++] = leg;
}

static void plan_stage(hy_feature_stream *s, uint32_t tf, uint32_t wave, size_t *at) {
  hy__stream_stage *stage = &s->stages[s->n_stages++];
  stage->cross_begin = s->n_cross;
  for (size_t i = 0; i < s->f->n_nodes; i++)
    if (runs_in(s, i, HY__NODE_CROSS, tf) && s->wave[i] == wave)
      s->cross[s->n_cross++] = (hy__stream_cross){.node = &s->f->nodes[i], .ring = &s->rings[i]};
  stage->cross_end = s->n_cross;
  stage->leg_begin = s->n_legs;
  for (uint32_t d = 0; d < s->n_domains; d++)
    if (s->f->domains[d].tf == tf) plan_leg(s, tf, wave, d, at);
  stage->leg_end = s->n_legs;
}

static void plan_stages(hy_feature_stream *s, uint32_t tf, size_t *at) {
  uint32_t last = 0;
  for (size_t i = 0; i < s->f->n_nodes; i++)
    if (s->rings[i].rows && timeframe_of(s, (uint32_t)i) == tf) last = HY_MAX(last, s->wave[i]);
  s->frames[tf].stage_begin = s->n_stages;
  for (uint32_t wave = 0; wave <= last; wave++) plan_stage(s, tf, wave, at);
  s->frames[tf].stage_end = s->n_stages;
}

/* ---- sources ---- */

/* The fold of a field in a timeframe, a new one if there is none yet. */
static hy_status find_fold(hy_feature_stream *s, uint32_t tf, int32_t field, uint32_t *out,
                           hy_error *err) {
  hy__stream_frame *frame = &s->frames[tf];
  const char *name = s->info.fields[field];
  for (*out = (uint32_t)frame->fold_begin; *out < s->n_folds; ++*out)
    if (s->folds[*out].field == field) return HY_OK;
  hy__stream_fold fold = {.how = hy__fold_of(name), .field = field};
  fold.volume = hy__universe_field(s->universe, "volume");
  HY_FAIL_IF(fold.how == HY__FOLD_VWAP && fold.volume < 0, HY_NOT_FOUND, err,
             "vwap at %s is weighted by the field volume, which the stream lacks",
             s->f->timeframes[tf].name);
  if (fold.how == HY__FOLD_VWAP) s->reads[fold.volume] = 1;
  s->reads[field] = 1;
  s->folds[s->n_folds++] = fold;
  return HY_OK;
}

static hy_status plan_source(hy_feature_stream *s, uint32_t tf, size_t node, int32_t field,
                             hy_error *err) {
  const hy__node *n = &s->f->nodes[node];
  hy__stream_source *source = &s->sources[s->n_sources++];
  *source = (hy__stream_source){.node = n, .ring = &s->rings[node], .field = field};
  if (n->kind == HY__NODE_FIELD && field != HY__FIELD_N_SRC) s->reads[field] = 1;
  if (n->kind == HY__NODE_CLOCK) source->clock = hy__bar_clock_of(n->name);
  if (n->kind != HY__NODE_FIELD || tf == 0) return HY_OK;
  if (field == HY__FIELD_N_SRC) return HY_OK;
  return find_fold(s, tf, field, &source->fold, err);
}

/* Missing bars are filled with the last close. */
static hy_status plan_close(hy_feature_stream *s, uint32_t tf, hy_error *err) {
  uint32_t ignored;
  for (size_t d = 0; d < s->n_domains; d++) {
    const hy__domain *domain = &s->f->domains[d];
    if (domain->tf != tf || s->f->gaps[domain->gap].fill != HY__GAP_FLAT) continue;
    if (tf) HY_TRY(find_fold(s, tf, s->close_field, &ignored, err));
    s->reads[s->close_field] = 1;
  }
  return HY_OK;
}

static hy_status plan_sources(hy_feature_stream *s, uint32_t tf, const int32_t *fields,
                              hy_error *err) {
  hy__stream_frame *frame = &s->frames[tf];
  frame->source_begin = s->n_sources;
  frame->fold_begin = s->n_folds;
  for (size_t i = 0; i < s->f->n_nodes; i++)
    if (is_source(&s->f->nodes[i]) && s->rings[i].rows && timeframe_of(s, (uint32_t)i) == tf)
      HY_TRY(plan_source(s, tf, i, fields[i], err));
  HY_TRY(plan_close(s, tf, err));
  frame->source_end = s->n_sources;
  frame->fold_end = s->n_folds;
  frame->open_ns = frame->last_ns = INT64_MIN;
  return HY_OK;
}

static hy_status open_grid(hy_feature_stream *s, uint32_t tf, hy_error *err) {
  const hy__timeframe *t = &s->f->timeframes[tf];
  const hy__grid_options o = {.timeframe_ns = t->ns,
                              .base_ns = s->info.timeframe_ns,
                              .anchor = t->anchor,
                              .zone = s->info.zone,
                              .calendar = s->info.calendar};
  return tf ? hy__grid_create(s->allocator, &o, &s->frames[tf].grid, err) : HY_OK;
}

/* Rows behind the states of the legs: what slower timeframes last gave, and their open bars. */
static void place_latches(hy_feature_stream *s, size_t *at) {
  for (size_t i = 0; i < s->n_sources; i++) {
    s->sources[i].latch = *at;
    const hy__node_kind kind = s->sources[i].node->kind;
    hy__ring *ring = &s->rings[s->sources[i].ring - s->rings];
    if (kind != HY__NODE_ASOF && kind != HY__NODE_AGE) continue;
    *at += HY_LANES;
    ring->is_latch = kind == HY__NODE_ASOF && ring->keep == 0;
    if (ring->is_latch) ring->at = s->sources[i].latch;
  }
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++, *at += HY_LANES) s->frames[tf].n_src = *at;
  for (size_t i = 0; i < s->n_folds; i++, *at += 2 * HY_LANES) s->folds[i].state = *at;
}

/* What a slower timeframe gives is there before the first stage. */
static void connect_target(hy_feature_stream *s, size_t feature) {
  const hy__ref ref = s->f->refs[feature];
  const uint32_t wave = timeframe_of(s, ref.node) == 0 ? s->wave[ref.node] : 0;
  uint32_t *stage = &s->tile_stage[feature / HY_LANES];
  s->targets[feature] = column_of(s, ref);
  s->gives[s->targets[feature].domain] = 1;
  *stage = HY_MAX(*stage, wave);
}

static void connect(hy_feature_stream *s) {
  for (size_t i = 0; i < s->n_steps; i++) {
    const hy__node *n = &s->f->nodes[s->steps[i].ring - s->rings];
    for (size_t k = 0; k < n->n_in; k++) s->steps[i].in[k] = column_of(s, n->in[k]);
  }
  for (size_t i = 0; i < s->n_cross; i++)
    for (size_t k = 0; k < s->cross[i].node->n_in; k++)
      s->cross[i].in[k] = column_of(s, s->cross[i].node->in[k]);
  for (size_t i = 0; i < s->n_sources; i++)
    if (s->sources[i].node->kind == HY__NODE_ASOF)
      s->sources[i].from = column_of(s, s->sources[i].node->in[0]);
  for (size_t i = 0; i < s->f->n_features; i++) connect_target(s, i);
}

/* ---- memory ---- */

static hy_status take(hy_feature_stream *s, size_t n, size_t each, void **out, hy_error *err) {
  size_t bytes, all;
  HY_FAIL_IF(!hy__mul(n, each, &bytes) || !hy__add(s->memory_bytes, bytes, &all) ||
                 all >> STREAM_BYTES_MAX_LOG2,
             HY_LIMIT, err, "the stream needs more memory than a machine has");
  s->memory_bytes = all;
  return hy__arena_array(s->arena, n, each, out, err);
}

/* Memory for the pointer that stands at `to`. */
typedef struct wanted {
  void *to;
  size_t n, bytes;
} wanted;

static hy_status take_all(hy_feature_stream *s, const wanted *list, size_t n, hy_error *err) {
  for (size_t i = 0; i < n; i++) {
    void *memory = NULL;
    HY_TRY(take(s, list[i].n, list[i].bytes, &memory, err));
    memcpy(list[i].to, &memory, sizeof memory);
  }
  return HY_OK;
}

static hy_status take_plan(hy_feature_stream *s, hy_error *err) {
  const size_t n_frames = s->f->n_timeframes, n_stages = n_frames * (HY__STAGES_MAX + 1);
  const wanted list[] = {{&s->steps, s->n_steps, sizeof *s->steps},
                         {&s->legs, n_stages * s->n_domains, sizeof *s->legs},
                         {&s->sources, s->n_sources, sizeof *s->sources},
                         {&s->folds, s->n_sources + s->n_domains, sizeof *s->folds},
                         {&s->cross, s->n_cross, sizeof *s->cross},
                         {&s->stages, n_stages, sizeof *s->stages},
                         {&s->targets, s->f->n_features, sizeof *s->targets},
                         {&s->tile_stage, s->f->n_features / HY_LANES + 1, sizeof *s->tile_stage},
                         {&s->gives, s->n_domains, sizeof *s->gives}};
  HY_TRY(take_all(s, list, HY_COUNT(list), err));
  s->n_steps = s->n_sources = s->n_cross = 0;
  return HY_OK;
}

/* A peek gives the states back, and where a series may begin anew or a slower bar close late, all
 * of a block. */
static size_t shadow_doubles(const hy_feature_stream *s) {
  bool all = s->f->n_timeframes > 1;
  for (size_t i = 0; i < s->f->n_gaps; i++) all |= s->f->gaps[i].reset_after_ns > 0;
  return all ? s->block_doubles : s->state_doubles;
}

static hy_status take_state(hy_feature_stream *s, hy_error *err) {
  const size_t cells = s->n_blocks * s->n_domains, symbols = s->info.n_symbols;
  const size_t ranked = s->n_cross ? symbols : 0;
  size_t doubles;
  HY_FAIL_IF(!hy__mul(s->n_blocks, s->block_doubles, &doubles), HY_LIMIT, err,
             "the stream needs more memory than a machine has");
  const wanted list[] = {
      {&s->memory, doubles, sizeof *s->memory},
      {&s->count, cells, sizeof *s->count},
      {&s->lanes, cells, sizeof *s->lanes},
      {&s->bars, cells * HY_LANES, sizeof *s->bars},
      {&s->shadow, s->n_blocks * shadow_doubles(s), sizeof *s->shadow},
      {&s->held_states, HY__STREAM_GROUP * s->leg_doubles, sizeof *s->held_states},
      {&s->shadow_count, cells, sizeof *s->shadow_count},
      {&s->shadow_bars, cells * HY_LANES, sizeof *s->shadow_bars},
      {&s->values, ranked, HY__CROSS_BYTES},
      {&s->ranked, 2 * ranked, sizeof *s->ranked},
      {&s->present, s->n_blocks, sizeof *s->present},
      {&s->target_row, s->f->n_features, sizeof *s->target_row},
      {&s->clean, s->n_blocks * s->info.n_fields, HY_LANES * sizeof *s->clean},
      {&s->target_count, s->n_domains, sizeof *s->target_count}};
  HY_TRY(take_all(s, list, HY_COUNT(list), err));
  s->which = (uint32_t *)(s->values + HY__IND_INPUTS * symbols);
  s->edge = hy__edge_of(s->f->isa);
  return HY_OK;
}

/* ---- before the first row ---- */

static void begin_block(hy_feature_stream *s, size_t block) {
  double *base = hy__stream_block(s, block);
  for (uint32_t d = 0; d < s->n_domains; d++) hy__stream_clear(s, block, d, 0xff);
  for (size_t i = s->leg_states; i < s->state_doubles; i++) base[i] = (double)NAN;
  for (uint32_t tf = 1; tf < s->f->n_timeframes; tf++)
    memset(base + s->frames[tf].n_src, 0, HY_LANES * sizeof *base);
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__node *n = &s->f->nodes[i];
    double *rows = base + s->rings[i].at;
    const double *numbers = s->numbers[i] ? s->numbers[i] + block * HY_LANES : NULL;
    if (s->rings[i].rows && n->kind == HY__NODE_NUMBER)
      for (size_t k = 0; k < hy__ring_stride(&s->rings[i]); k++)
        rows[k] = numbers ? numbers[k % HY_LANES] : n->number;
  }
}

void hy__stream_begin(hy_feature_stream *s) {
  const size_t cells = s->n_blocks * s->n_domains;
  memset(s->count, 0, cells * sizeof *s->count);
  memset(s->lanes, 0, cells * sizeof *s->lanes);
  memset(s->target_count, 0xff, s->n_domains * sizeof *s->target_count); /* of no block */
  for (size_t i = 0; i < cells * HY_LANES; i++)
    s->bars[i] = (hy__stream_bar){.last_ns = INT64_MIN, .last_close = (double)NAN};
  for (uint32_t tf = 0; tf < s->f->n_timeframes; tf++)
    s->frames[tf].open_ns = s->frames[tf].last_ns = INT64_MIN;
  for (size_t b = 0; b < s->n_blocks; b++) begin_block(s, b);
  s->time_ns = s->closed_ns = INT64_MIN;
  s->n_rows = 0;
}

/* The numbers of nodes that have another one for each symbol. */
static hy_status take_numbers(hy_feature_stream *s, hy_error *err) {
  void *memory = NULL;
  HY_TRY(take(s, s->f->n_nodes, sizeof(double *), &memory, err));
  s->numbers = memory;
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    if (!s->f->nodes[i].by_symbol) continue;
    HY_TRY(take(s, s->n_blocks * HY_LANES, sizeof(double), &memory, err));
    s->numbers[i] = memory;
    hy__bind_symbols(s->f->nodes[i].by_symbol, &s->info, memory);
  }
  return HY_OK;
}

hy_status hy__stream_plan(hy_feature_stream *s, hy_error *err) {
  const hy_features *f = s->f;
  void *memory[4] = {NULL};
  size_t at = 0;
  HY_TRY(take(s, f->n_nodes, sizeof(hy__ring), &memory[0], err));
  HY_TRY(take(s, f->n_nodes, sizeof(int32_t), &memory[1], err));
  HY_TRY(take(s, f->n_nodes, sizeof(uint32_t), &memory[2], err));
  HY_TRY(take(s, s->info.n_fields, 1, &memory[3], err));
  s->rings = memory[0];
  s->reads = memory[3];
  s->wave = memory[2];
  HY_TRY(hy__bind_fields(f, s->universe, memory[1], &s->close_field, err));
  s->n_domains = f->n_domains;
  s->n_blocks = hy__universe_n_blocks(s->info.n_symbols);
  s->idle = s->n_blocks == 1 ? HY_LANES - s->info.n_symbols : 0;
  mark_needed(s);
  find_waves(s);
  HY_TRY(take_plan(s, err));
  for (uint32_t tf = 0; tf < f->n_timeframes; tf++) {
    plan_stages(s, tf, &at);
    HY_TRY(plan_sources(s, tf, memory[1], err));
    HY_TRY(open_grid(s, tf, err));
  }
  s->leg_states = at;
  place_latches(s, &at);
  s->state_doubles = at;
  HY_FAIL_IF(!place_rings(s, &at), HY_LIMIT, err, "the stream's windows are too long");
  s->block_doubles = at;
  connect(s);
  HY_TRY(take_numbers(s, err));
  HY_TRY(take_state(s, err));
  HY_TRY(hy__bind_order(s->arena, s->info.symbols, s->info.n_symbols, &s->order, err));
  hy__stream_begin(s);
  return HY_OK;
}
