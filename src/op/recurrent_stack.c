/* SPDX-License-Identifier: Apache-2.0
 * RecurrentStack, which passes write: layers of one kind upon each other, forward in time, with the
 * default functions and states from zeros. What a lone layer would leave to the next in memory of
 * the whole batch stays with a group of rows here, and few rows go through the layers on several
 * threads, each a little behind the layer below. */
#include "op/recurrent_stack.h"

#include <string.h>

static size_t layers_of(const hy__op_plan *p) { return (p->n_in - 1) / 3; }

static hy_status kind_of(const hy__op_plan *p, hy__recurrent_plan *q, hy_error *err) {
  const hy_string kind = hy__node_string(p->node, "kind", "");
  static const struct {
    const char *name;
    hy__cell_kind kind;
    size_t gates;
  } kinds[] = {{"LSTM", HY__CELL_LSTM, 4}, {"GRU", HY__CELL_GRU, 3}, {"RNN", HY__CELL_RNN, 1}};
  for (size_t i = 0; i < HY_COUNT(kinds); ++i) {
    if (kind.len_bytes != strlen(kinds[i].name) || memcmp(kind.data, kinds[i].name, kind.len_bytes))
      continue;
    q->kind = kinds[i].kind;
    q->gates = kinds[i].gates;
    return HY_OK;
  }
  HY_FAIL(HY_UNSUPPORTED, err, "kind '%.*s'", (int)HY_MIN(kind.len_bytes, (size_t)20), kind.data);
}

/* Layer l over `features` numbers a step. */
static hy_status measure(const hy__op_plan *p, size_t l, size_t features, hy__recurrent_plan *q,
                         hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1 + 3 * l], *r = w + 1;
  const bool first = hy__node_int(p->node, "layout_x", 0) != 0;
  HY_TRY(kind_of(p, q, err));
  HY_FAIL_IF(x->rank != 3 || w->rank != 3 || r->rank != 3 || r->dims[2] < 1, HY_BAD_FORMAT, err,
             "X, W and R must have 3 dims");
  q->steps = (size_t)x->dims[first ? 1 : 0];
  q->batch = (size_t)x->dims[first ? 0 : 1];
  q->features = features;
  q->hidden = (size_t)r->dims[2];
  q->directions = 1;
  q->after = hy__node_int(p->node, "linear_before_reset", 0) != 0;
  const int64_t gh = (int64_t)(q->gates * q->hidden);
  HY_FAIL_IF(w->dims[0] != 1 || r->dims[0] != 1 || w->dims[1] != gh || r->dims[1] != gh ||
                 w->dims[2] != (int64_t)features,
             HY_BAD_FORMAT, err, "layer %zu's weights do not fit each other", l);
  HY_FAIL_IF(q->hidden > 1 << 16 || features > 1 << 20, HY_LIMIT, err,
             "%zu units over %zu features are too many", q->hidden, features);
  return HY_OK;
}

hy_status hy__op_recurrent_stack_infer(hy__op_plan *p, hy_error *err) {
  const size_t n = layers_of(p);
  HY_FAIL_IF((p->n_in - 1) % 3 || n < 1 || n > HY__STACK_LAYERS_MAX, HY_UNSUPPORTED, err,
             "%zu layers", n);
  hy__recurrent_plan q = {0};
  size_t features = (size_t)p->in[0].dims[2];
  for (size_t l = 0; l < n; ++l) {
    HY_TRY(measure(p, l, features, &q, err));
    features = q.hidden;
  }
  const int64_t t = (int64_t)q.steps, b = (int64_t)q.batch, h = (int64_t)q.hidden;
  const bool first = hy__node_int(p->node, "layout", 0) != 0;
  const int64_t y0[] = {t, 1, b, h}, y1[] = {b, t, 1, h}, h0[] = {1, b, h}, h1[] = {b, 1, h};
  HY_TRY(hy__op_out(p, 0, HY_F32, 4, first ? y1 : y0, err));
  return p->n_out > 1 ? hy__op_out(p, 1, HY_F32, 3, first ? h1 : h0, err) : HY_OK;
}

/* What a step of a layer costs, in multiply-adds of a row. */
static size_t weight_of(const hy__stack_layer *l) {
  return l->plan.columns * (l->plan.features + l->plan.hidden);
}

/* Layers into n stages, such that the heaviest is light: each takes layers while its share of the
 * whole lasts, and leaves one for each stage behind it. */
static void divide_layers(hy__stack_plan *q, size_t n) {
  size_t left = 0, l = 0;
  for (size_t i = 0; i < q->n_layers; ++i) left += weight_of(&q->layers[i]);
  for (size_t s = 0; s < n; ++s) {
    const size_t share = left / (n - s), last = q->n_layers - (n - s - 1);
    size_t taken = 0;
    q->stages[s].first = l;
    do {
      taken += weight_of(&q->layers[l++]);
    } while (l < last && taken + weight_of(&q->layers[l]) / 2 <= share);
    left -= taken;
    q->stages[s].end = l;
  }
  q->stages[n - 1].end = q->n_layers;
  q->n_stages = n;
}

/* Groups of rows, or stages of layers where rows are too few for the workers. */
static void divide(const hy__op_plan *p, hy__stack_plan *q) {
  enum { STEP_MACS_MIN = 1 << 14, CHUNKS_MIN = 4, UNITS_EACH = 2 };
  const size_t n_workers = p->pool ? hy__pool_n_workers(p->pool) : 1;
  const hy__recurrent_plan *layer = &q->layers[0].plan;
  const size_t gates = layer->kind == HY__CELL_GRU && !layer->after ? 2 : layer->gates;
  size_t heaviest = 0;
  q->group = hy__row_groups_make(&q->groups, q->batch, p->kernels->recurrent->rows[gates],
                                 n_workers, q->n_layers > 1 ? UNITS_EACH : 1);
  for (size_t i = 0; i < q->n_layers; ++i) heaviest = HY_MAX(heaviest, weight_of(&q->layers[i]));
  const bool staged =
      q->groups.n < n_workers && heaviest >= STEP_MACS_MIN && q->steps >= CHUNKS_MIN;
  divide_layers(q, staged ? HY_MIN(q->n_layers, n_workers) : 1);
}

static size_t lines(size_t floats) { return (floats + 15) / 16 * 16; }

static hy_status lower_scratch(hy__op_plan *p, hy__stack_plan *q, hy_error *err) {
  enum { BLOCK_FLOATS = 32 * 1024, CHUNK = 8 };
  const size_t rows = q->group;
  const size_t n_workers = p->pool ? hy__pool_n_workers(p->pool) : 1;
  size_t columns = 0, padded = 0, floats = HY__STACK_LAYERS_MAX * 16; /* the stages' marks */
  for (size_t l = 0; l < q->n_layers; ++l) {
    const hy__recurrent_plan *layer = &q->layers[l].plan;
    columns = HY_MAX(columns, layer->columns);
    padded = HY_MAX(padded, layer->padded);
    if (l + 1 < q->n_layers) q->y_ld = HY_MAX(q->y_ld, layer->hidden);
    q->layers[l].state_at = floats;
    floats += lines(3 * rows * layer->padded);
  }
  q->block = HY_MAX((size_t)1, BLOCK_FLOATS / (HY_MAX(rows, (size_t)1) * columns));
  if (q->n_stages > 1) q->block = HY_MIN(q->block, (size_t)CHUNK);
  q->block = HY_MAX((size_t)1, HY_MIN(q->block, q->steps));
  size_t y, pre, bytes;
  HY_FAIL_IF(!hy__mul(q->steps * rows, q->y_ld, &y) || !hy__mul(q->block * rows, columns, &pre) ||
                 y > SIZE_MAX / 256 || pre > SIZE_MAX / 256,
             HY_LIMIT, err, "the layers are too large");
  for (size_t s = 0; s < q->n_stages; ++s) {
    q->stages[s].y_at = floats;
    q->stages[s].pre_at = q->stages[s].y_at + lines(y);
    q->stages[s].work_at = q->stages[s].pre_at + lines(pre);
    floats = q->stages[s].work_at + lines(2 * rows * padded);
  }
  q->group_floats = floats;
  HY_FAIL_IF(
      !hy__mul(floats * sizeof(float), q->n_stages == 1 && q->groups.n > 1 ? n_workers : 1, &bytes),
      HY_LIMIT, err, "the layers are too large");
  p->scratch_bytes = bytes;
  return HY_OK;
}

static hy_status lower_layer(hy__op_plan *p, hy__stack_plan *q, size_t l, hy_error *err) {
  hy__recurrent_plan *layer = &q->layers[l].plan;
  const size_t at = 1 + 3 * l;
  const size_t below = l ? q->layers[l - 1].plan.hidden : (size_t)p->in[0].dims[2];
  HY_TRY(measure(p, l, below, layer, err));
  const bool biased = p->in_present[at + 2];
  HY_FAIL_IF(!p->in[at].data || !p->in[at + 1].data || (biased && !p->in[at + 2].data),
             HY_UNSUPPORTED, err, "layer %zu's weights are computed at run time", l);
  layer->lanes = p->kernels->recurrent->lanes;
  layer->padded = (layer->hidden + layer->lanes - 1) / layer->lanes * layer->lanes;
  layer->columns = layer->padded * layer->gates;
  layer->halves = p->packs->halves;
  layer->pairs = layer->halves && layer->batch == 1;
  return hy__recurrent_pack_side(p, layer,
                                 &(hy__recurrent_weights){p->in[at].data, p->in[at + 1].data,
                                                          biased ? p->in[at + 2].data : NULL},
                                 &layer->side[0], err);
}

hy_status hy__op_recurrent_stack_lower(hy__op_plan *p, hy_error *err) {
  hy__stack_plan *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  q->n_layers = layers_of(p);
  HY_TRY(hy__arena_array(p->arena, q->n_layers, sizeof *q->layers, (void **)&q->layers, err));
  for (size_t l = 0; l < q->n_layers; ++l) HY_TRY(lower_layer(p, q, l, err));
  q->steps = q->layers[0].plan.steps;
  q->batch = q->layers[0].plan.batch;
  q->features = q->layers[0].plan.features;
  q->layout_x = hy__node_int(p->node, "layout_x", 0) != 0;
  q->layout = hy__node_int(p->node, "layout", 0) != 0;
  divide(p, q);
  p->alone = q->n_stages == 1 && q->groups.n <= 1;
  HY_TRY(lower_scratch(p, q, err));
  p->params = q;
  p->run = hy__stack_run;
  return HY_OK;
}
