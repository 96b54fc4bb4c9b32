/* SPDX-License-Identifier: Apache-2.0
 * Makes a stream: which nodes the features need, where their rings and states lie in a block's
 * memory, and the order of the steps: by stage, then by domain, so that the states of what runs
 * together lie together. */
#include <math.h>

#include "feature/bind.h"
#include "feature/stream.h"

enum { STREAM_BYTES_MAX_LOG2 = 40 };

/* ---- rings ---- */

static uint32_t ring_rows(uint32_t keep) {
  uint32_t rows = 1;
  if (keep == 0) return 1;
  while (rows < keep + 2) rows *= 2;
  return rows;
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
    s->n_sources += n->kind == HY__NODE_FIELD || n->kind == HY__NODE_CLOCK;
  }
}

static bool place_rings(hy_feature_stream *s, size_t *at) {
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    hy__ring *r = &s->rings[i];
    size_t doubles;
    if (r->rows == 0) continue;
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

static void plan_legs(hy_feature_stream *s, uint32_t stage, size_t *at) {
  const hy_features *f = s->f;
  s->stages[stage].leg_begin = s->n_legs;
  for (uint32_t d = 0; d < s->n_domains; d++) {
    hy__stream_leg leg = {.domain = d, .step_begin = s->n_steps, .state_begin = *at};
    for (size_t i = 0; i < f->n_nodes; i++) {
      const hy__node *n = &f->nodes[i];
      if (s->rings[i].rows && n->kind == HY__NODE_IND && n->stage == stage && n->domain == d)
        plan_step(s, i, at);
    }
    leg.step_end = s->n_steps;
    leg.state_end = *at;
    if (leg.step_end == leg.step_begin) continue;
    s->leg_doubles = HY_MAX(s->leg_doubles, leg.state_end - leg.state_begin);
    s->legs[s->n_legs++] = leg;
  }
  s->stages[stage].leg_end = s->n_legs;
}

static void plan_cross(hy_feature_stream *s, uint32_t stage) {
  const hy_features *f = s->f;
  s->stages[stage].cross_begin = s->n_cross;
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    if (s->rings[i].rows && n->kind == HY__NODE_CROSS && n->stage == stage)
      s->cross[s->n_cross++] = (hy__stream_cross){.node = n, .ring = &s->rings[i]};
  }
  s->stages[stage].cross_end = s->n_cross;
}

static void plan_sources(hy_feature_stream *s, const int32_t *fields) {
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__node *n = &s->f->nodes[i];
    if (s->rings[i].rows && (n->kind == HY__NODE_FIELD || n->kind == HY__NODE_CLOCK))
      s->sources[s->n_sources++] =
          (hy__stream_source){.node = n, .ring = &s->rings[i], .field = fields[i]};
  }
}

static void connect(hy_feature_stream *s) {
  for (size_t i = 0; i < s->n_steps; i++) {
    const hy__node *n = &s->f->nodes[s->steps[i].ring - s->rings];
    for (size_t k = 0; k < n->n_in; k++) s->steps[i].in[k] = column_of(s, n->in[k]);
  }
  for (size_t i = 0; i < s->n_cross; i++)
    for (size_t k = 0; k < s->cross[i].node->n_in; k++)
      s->cross[i].in[k] = column_of(s, s->cross[i].node->in[k]);
  for (size_t i = 0; i < s->f->n_features; i++) s->targets[i] = column_of(s, s->f->refs[i]);
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

static hy_status take_plan(hy_feature_stream *s, hy_error *err) {
  void *memory[5] = {NULL};
  const size_t sizes[5][2] = {{s->n_steps, sizeof(hy__stream_step)},
                              {s->f->n_stages * s->n_domains, sizeof(hy__stream_leg)},
                              {s->n_sources, sizeof(hy__stream_source)},
                              {s->n_cross, sizeof(hy__stream_cross)},
                              {s->f->n_features, sizeof(hy__stream_column)}};
  for (size_t i = 0; i < HY_COUNT(sizes); i++)
    HY_TRY(take(s, sizes[i][0], sizes[i][1], &memory[i], err));
  s->steps = memory[0];
  s->legs = memory[1];
  s->sources = memory[2];
  s->cross = memory[3];
  s->targets = memory[4];
  s->n_steps = s->n_sources = s->n_cross = 0;
  return HY_OK;
}

static hy_status take_state(hy_feature_stream *s, hy_error *err) {
  const size_t cells = s->n_blocks * s->n_domains, symbols = s->info.n_symbols;
  void *memory[10] = {NULL};
  size_t doubles;
  const size_t shadow = s->resets ? s->block_doubles : s->state_doubles;
  HY_FAIL_IF(!hy__mul(s->n_blocks, s->block_doubles, &doubles), HY_LIMIT, err,
             "the stream needs more memory than a machine has");
  const size_t sizes[10][2] = {{doubles, sizeof(double)},
                               {cells, sizeof(uint32_t)},
                               {cells, sizeof(hy__stream_lanes)},
                               {cells * HY_LANES, sizeof(hy__stream_bar)},
                               {s->n_blocks * shadow, sizeof(double)},
                               {HY__STREAM_GROUP * s->leg_doubles, sizeof(double)},
                               {cells, sizeof(uint32_t)},
                               {cells * HY_LANES, sizeof(hy__stream_bar)},
                               {s->n_cross ? symbols : 0, HY__CROSS_BYTES},
                               {s->n_cross ? 2 * symbols : 0, sizeof(hy__ranked)}};
  for (size_t i = 0; i < HY_COUNT(sizes); i++)
    HY_TRY(take(s, sizes[i][0], sizes[i][1], &memory[i], err));
  s->memory = memory[0];
  s->count = memory[1];
  s->lanes = memory[2];
  s->bars = memory[3];
  s->shadow = memory[4];
  s->held_states = memory[5];
  s->shadow_count = memory[6];
  s->shadow_bars = memory[7];
  s->values = memory[8];
  s->which = (uint32_t *)(s->values + HY__IND_INPUTS * symbols);
  s->ranked = memory[9];
  return HY_OK;
}

void hy__stream_begin(hy_feature_stream *s) {
  const size_t cells = s->n_blocks * s->n_domains;
  memset(s->count, 0, cells * sizeof *s->count);
  memset(s->lanes, 0, cells * sizeof *s->lanes);
  for (size_t i = 0; i < cells * HY_LANES; i++)
    s->bars[i] = (hy__stream_bar){.last_ns = INT64_MIN, .last_close = (double)NAN};
  for (size_t b = 0; b < s->n_blocks; b++) {
    for (uint32_t d = 0; d < s->n_domains; d++) hy__stream_clear(s, b, d, 0xff);
    for (size_t i = 0; i < s->f->n_nodes; i++) {
      const hy__node *n = &s->f->nodes[i];
      double *rows = hy__stream_block(s, b) + s->rings[i].at;
      const double *numbers = s->numbers[i] ? s->numbers[i] + b * HY_LANES : NULL;
      if (s->rings[i].rows && n->kind == HY__NODE_NUMBER)
        for (size_t k = 0; k < hy__ring_stride(&s->rings[i]); k++)
          rows[k] = numbers ? numbers[k % HY_LANES] : n->number;
    }
  }
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
  void *memory[2] = {NULL};
  size_t at = 0;
  HY_TRY(take(s, f->n_nodes, sizeof(hy__ring), &memory[0], err));
  HY_TRY(take(s, f->n_nodes, sizeof(int32_t), &memory[1], err));
  s->rings = memory[0];
  HY_TRY(hy__bind_fields(f, s->universe, memory[1], &s->close_field, err));
  s->n_domains = f->n_domains;
  HY_FAIL_IF(f->n_timeframes > 1, HY_UNSUPPORTED, err,
             "streams of several timeframes are not built");
  s->n_blocks = hy__universe_n_blocks(s->info.n_symbols);
  for (size_t i = 0; i < f->n_gaps; i++) s->resets |= f->gaps[i].reset_after_ns > 0;
  mark_needed(s);
  HY_TRY(take_plan(s, err));
  for (uint32_t stage = 0; stage < f->n_stages; stage++) {
    plan_cross(s, stage);
    plan_legs(s, stage, &at);
  }
  plan_sources(s, memory[1]);
  s->state_doubles = at;
  HY_FAIL_IF(!place_rings(s, &at), HY_LIMIT, err, "the stream's windows are too long");
  s->block_doubles = at;
  connect(s);
  HY_TRY(take_numbers(s, err));
  HY_TRY(take_state(s, err));
  hy__stream_begin(s);
  return HY_OK;
}
