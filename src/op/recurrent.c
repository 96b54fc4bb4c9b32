/* SPDX-License-Identifier: Apache-2.0
 * LSTM, GRU and RNN (ONNX 7 and later). Known float32 weights are packed with the gates of a block
 * of units side by side; default activations run in the step kernels, other attributes in the
 * general path. Float64, and weights that are computed at the run, take the plain path. */
#include "op/recurrent.h"

#include <string.h>

enum { IN_W = 1, IN_R = 2, IN_B = 3, IN_LENS = 4, IN_P = 7 };

static hy__cell_kind kind_of(const hy__node *node) {
  if (node->op_type[0] == 'L') return HY__CELL_LSTM;
  return node->op_type[0] == 'G' ? HY__CELL_GRU : HY__CELL_RNN;
}

static size_t gates_of(hy__cell_kind kind) {
  return kind == HY__CELL_LSTM ? 4 : kind == HY__CELL_GRU ? 3 : 1;
}

static bool text_is(hy_string s, const char *text) {
  return s.len_bytes == strlen(text) && !memcmp(s.data, text, s.len_bytes);
}

static hy_status directions_of(const hy__node *node, size_t *out, bool *reverse, hy_error *err) {
  hy_string s = hy__node_string(node, "direction", "forward");
  *reverse = text_is(s, "reverse");
  *out = text_is(s, "bidirectional") ? 2 : 1;
  HY_FAIL_IF(*out == 1 && !*reverse && !text_is(s, "forward"), HY_BAD_FORMAT, err,
             "direction is '%.*s'", (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
  return HY_OK;
}

/* An input has exactly these dims. */
static hy_status expect(const hy__op_plan *p, size_t k, const char *name, const int64_t *dims,
                        int32_t rank, hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  bool same = t->rank == rank;
  for (int32_t i = 0; same && i < rank; ++i) same = t->dims[i] == dims[i];
  HY_FAIL_IF(!same, HY_BAD_FORMAT, err, "%s has another shape than X, W and R ask for", name);
  HY_FAIL_IF(t->dtype != (k == IN_LENS ? HY_I32 : p->in[0].dtype), HY_BAD_FORMAT, err,
             "%s is of type %s", name, hy_dtype_name(t->dtype));
  return HY_OK;
}

static hy_status measure(const hy__op_plan *p, hy__recurrent_plan *q, hy_error *err) {
  const hy_tensor *x = &p->in[0], *r = &p->in[IN_R];
  bool reverse;
  q->kind = kind_of(p->node);
  q->gates = gates_of(q->kind);
  q->layout1 = hy__node_int(p->node, "layout", 0) != 0;
  HY_TRY(directions_of(p->node, &q->directions, &reverse, err));
  q->side[0].reverse = reverse;
  q->side[1].reverse = true;
  HY_FAIL_IF(x->rank != 3 || r->rank != 3 || r->dims[2] < 1 || x->dims[2] < 1, HY_BAD_FORMAT, err,
             "X and R must have 3 dims");
  q->steps = (size_t)x->dims[q->layout1 ? 1 : 0];
  q->batch = (size_t)x->dims[q->layout1 ? 0 : 1];
  q->features = (size_t)x->dims[2];
  q->hidden = (size_t)r->dims[2];
  int64_t stated = hy__node_int(p->node, "hidden_size", r->dims[2]);
  HY_FAIL_IF(stated != r->dims[2], HY_BAD_FORMAT, err, "hidden_size is %lld, and R has %lld units",
             (long long)stated, (long long)r->dims[2]);
  HY_FAIL_IF(q->hidden > 1 << 16 || q->features > 1 << 20, HY_LIMIT, err,
             "%zu units over %zu features are too many", q->hidden, q->features);
  return HY_OK;
}

hy_status hy__op_recurrent_infer(hy__op_plan *p, hy_error *err) {
  hy__recurrent_plan q = {0};
  HY_TRY(measure(p, &q, err));
  const int64_t d = (int64_t)q.directions, h = (int64_t)q.hidden, b = (int64_t)q.batch,
                t = (int64_t)q.steps, gh = (int64_t)(q.gates * q.hidden);
  const int64_t w[] = {d, gh, (int64_t)q.features}, r[] = {d, gh, h}, bias[] = {d, 2 * gh};
  const int64_t state[] = {q.layout1 ? b : d, q.layout1 ? d : b, h}, peep[] = {d, 3 * h};
  HY_TRY(expect(p, IN_W, "W", w, 3, err));
  HY_TRY(expect(p, IN_R, "R", r, 3, err));
  HY_TRY(expect(p, IN_B, "B", bias, 2, err));
  HY_TRY(expect(p, IN_LENS, "sequence_lens", &b, 1, err));
  HY_TRY(expect(p, 5, "initial_h", state, 3, err));
  HY_TRY(expect(p, 6, "initial_c", state, 3, err));
  HY_TRY(expect(p, IN_P, "P", peep, 2, err));
  const int64_t y0[] = {t, d, b, h}, y1[] = {b, t, d, h};
  if (p->n_out > 0) HY_TRY(hy__op_out(p, 0, p->in[0].dtype, 4, q.layout1 ? y1 : y0, err));
  for (size_t k = 1; k < p->n_out; ++k) HY_TRY(hy__op_out(p, k, p->in[0].dtype, 3, state, err));
  return HY_OK;
}

/* ONNX's number of our gate g: LSTM's i, f, g, o stand as i, o, f, c there. */
static size_t onnx_gate(hy__cell_kind kind, size_t g) {
  static const size_t lstm[] = {0, 2, 3, 1};
  return kind == HY__CELL_LSTM ? lstm[g] : g;
}

/* Gate and unit of a column; false for padding. */
static bool column_at(const hy__recurrent_plan *q, size_t column, size_t *gate, size_t *unit) {
  *gate = column / q->lanes % q->gates;
  *unit = column / (q->lanes * q->gates) * q->lanes + column % q->lanes;
  return *unit < q->hidden;
}

typedef struct gemm_packing {
  const hy__gemm_f32 *gemm;
  const hy__gemm_source *source;
  size_t n_rounded; /* floats of the packed form that become bfloat16's: all or none */
} gemm_packing;

static hy_status fill_gemm(void *ctx, void *packed, hy_error *err) {
  const gemm_packing *g = ctx;
  (void)err;
  hy__gemm_f32_pack(g->gemm, g->source, packed);
  hy__bf16_round(packed, g->n_rounded);
  return HY_OK;
}

/* weights[gates * hidden][k] packed for gemm with our columns. */
static hy_status pack_columns(hy__op_plan *p, const hy__recurrent_plan *q,
                              const hy__loose_f32 *weights, size_t k, const void **out,
                              hy_error *err) {
  ptrdiff_t *columns;
  HY_TRY(hy__arena_array(p->arena, q->columns, sizeof *columns, (void **)&columns, err));
  for (size_t j = 0; j < q->columns; ++j) {
    size_t gate, unit;
    bool real = column_at(q, j, &gate, &unit);
    columns[j] = real ? (ptrdiff_t)((onnx_gate(q->kind, gate) * q->hidden + unit) * k) : -1;
  }
  const hy__gemm_source source = {
      .b = weights, .k_stride = 1, .columns = columns, .k = k, .n = q->columns, .alpha = 1.0f};
  const hy__gemm_f32 *gemm = p->kernels->gemm_f32;
  size_t n, bytes;
  HY_FAIL_IF(!hy__gemm_f32_packed_n(gemm, k, q->columns, &n) || !hy__mul(n, 4, &bytes), HY_LIMIT,
             err, "the weights are too large");
  gemm_packing ctx = {gemm, &source, q->halves ? n : 0};
  const uint32_t layout = hy__gemm_f32_layout(gemm, &source) & 0xffffu;
  return hy__pack_get(p->packs, weights, HY__PACK('r', q->halves ? 'v' : 'w', layout), bytes,
                      fill_gemm, &ctx, out, err);
}

typedef struct step_packing {
  const hy__recurrent_plan *plan;
  const hy__loose_f32 *r;
  size_t gates, first; /* `gates` of them from `first` on */
  size_t n;            /* of the packed form */
} step_packing;

static hy_status fill_step(void *ctx, void *packed, hy_error *err) {
  const step_packing *s = ctx;
  const hy__loose_f32 *source[HY__RECURRENT_GATES_MAX];
  (void)err;
  for (size_t g = 0; g < s->gates; ++g)
    source[g] = s->r + onnx_gate(s->plan->kind, s->first + g) * s->plan->hidden * s->plan->hidden;
  const uint32_t lanes = (uint32_t)s->plan->lanes;
  if (s->plan->pairs) {
    hy__recurrent_pack_pairs(lanes, s->plan->hidden, source, s->gates, packed);
    return HY_OK;
  }
  hy__recurrent_pack(lanes, s->plan->hidden, source, s->gates, packed);
  if (s->plan->halves) hy__bf16_round(packed, s->n);
  return HY_OK;
}

static hy_status pack_step(hy__op_plan *p, const hy__recurrent_plan *q, const hy__loose_f32 *r,
                           const size_t gates[2], const void **out, hy_error *err) {
  const size_t rows = q->pairs ? (q->hidden + 1) / 2 : q->hidden, n = q->padded * rows * gates[1];
  step_packing ctx = {q, r, gates[1], gates[0], n};
  const uint32_t how = (uint32_t)(gates[0] << 8 | gates[1] << 12 | q->lanes);
  const char form = q->pairs ? 'u' : q->halves ? 't' : 's';
  return hy__pack_get(p->packs, r, HY__PACK('r', form, how), n * sizeof(float), fill_step, &ctx,
                      out, err);
}

/* The candidate's matrix alone for the general path's second product. */
static hy_status pack_candidate(hy__op_plan *p, const hy__recurrent_plan *q, const hy__loose_f32 *r,
                                const void **out, hy_error *err) {
  hy__recurrent_plan one = *q;
  one.gates = 1;
  one.columns = q->padded;
  one.kind = HY__CELL_RNN;
  return pack_columns(p, &one, r + 2 * q->hidden * q->hidden, q->hidden, out, err);
}

static hy_status lower_bias(hy__op_plan *p, const hy__recurrent_plan *q, const float *b,
                            hy__recurrent_side *side, hy_error *err) {
  float *bias, *r_bias;
  HY_TRY(hy__arena_array(p->arena, q->columns, sizeof *bias, (void **)&bias, err));
  HY_TRY(hy__arena_array(p->arena, q->padded, sizeof *r_bias, (void **)&r_bias, err));
  side->bias = bias;
  side->r_bias = r_bias;
  if (!b) return HY_OK;
  const size_t gh = q->gates * q->hidden;
  for (size_t j = 0; j < q->columns; ++j) {
    size_t gate, unit;
    if (!column_at(q, j, &gate, &unit)) continue;
    const size_t at = onnx_gate(q->kind, gate) * q->hidden + unit;
    const bool apart = q->kind == HY__CELL_GRU && q->after && gate == 2;
    bias[j] = apart ? b[at] : b[at] + b[gh + at];
    if (apart) r_bias[unit] = b[gh + at];
  }
  return HY_OK;
}

hy_status hy__recurrent_pack_side(hy__op_plan *p, const hy__recurrent_plan *q,
                                  const hy__recurrent_weights *weights, hy__recurrent_side *side,
                                  hy_error *err) {
  const hy__loose_f32 *r = weights->r;
  HY_TRY(pack_columns(p, q, weights->w, q->features, &side->w, err));
  HY_TRY(lower_bias(p, q, weights->b, side, err));
  const bool two = q->kind == HY__CELL_GRU && !q->after;
  if (q->general) {
    HY_TRY(pack_columns(p, q, r, q->hidden, &side->r, err));
    return two ? pack_candidate(p, q, r, &side->r2, err) : HY_OK;
  }
  HY_TRY(pack_step(p, q, r, (const size_t[2]){0, two ? 2 : q->gates}, &side->r, err));
  return two ? pack_step(p, q, r, (const size_t[2]){2, 1}, &side->r2, err) : HY_OK;
}

static hy_status lower_side(hy__op_plan *p, hy__recurrent_plan *q, size_t d, hy_error *err) {
  const size_t gh = q->gates * q->hidden;
  hy__recurrent_weights weights = {(const hy__loose_f32 *)p->in[IN_W].data + d * gh * q->features,
                                   (const hy__loose_f32 *)p->in[IN_R].data + d * gh * q->hidden,
                                   NULL};
  if (hy__op_has(p, IN_B)) weights.b = (const float *)p->in[IN_B].data + d * 2 * gh;
  if (hy__op_has(p, IN_P)) q->side[d].peep = (const float *)p->in[IN_P].data + d * 3 * q->hidden;
  return hy__recurrent_pack_side(p, q, &weights, &q->side[d], err);
}

static bool is_default(const hy__recurrent_plan *q, const hy__cell_fn *fn) {
  if (q->kind == HY__CELL_RNN) return fn[0].act == HY__CELL_TANH;
  return fn[0].act == HY__CELL_SIGMOID && fn[1].act == HY__CELL_TANH && fn[2].act == HY__CELL_TANH;
}

static size_t lines(size_t floats) { return (floats + 15) / 16 * 16; }

size_t hy__row_groups_make(hy__row_groups *g, size_t batch, size_t unit, size_t n_workers,
                           size_t units_each) {
  enum { ROWS = 18 }; /* keep what a group works on in the caches beside the weights */
  const size_t most = (ROWS + unit - 1) / unit;
  g->batch = batch;
  g->unit = unit;
  g->n_units = HY_MAX((batch + unit - 1) / unit, (size_t)1);
  g->n = (g->n_units + most - 1) / most;
  if (g->n_units >= units_each * n_workers)
    g->n = HY_MIN((g->n + n_workers - 1) / n_workers * n_workers, g->n_units);
  return HY_MAX(HY_MIN((g->n_units + g->n - 1) / g->n * unit, batch), (size_t)1);
}

void hy__row_groups_at(const hy__row_groups *g, size_t index, size_t *first, size_t *rows) {
  *first = g->n_units * index / g->n * g->unit;
  *rows = HY_MIN(g->n_units * (index + 1) / g->n * g->unit, g->batch) - *first;
}

static void divide(const hy__op_plan *p, hy__recurrent_plan *q) {
  enum { PART_MACS_MIN = 1 << 18 };
  const size_t n_workers = p->pool ? hy__pool_n_workers(p->pool) : 1;
  const size_t step_macs = q->columns * (q->hidden + q->features); /* of one row */
  const size_t gates = q->kind == HY__CELL_GRU && !q->after ? 2 : q->gates;
  q->group =
      hy__row_groups_make(&q->groups, q->batch, p->kernels->recurrent->rows[gates], n_workers, 1);
  q->divides = n_workers > 1 && q->groups.n * q->directions > 1 &&
               q->group * q->steps >= PART_MACS_MIN / step_macs;
}

/* As many steps at once as keep their projections in the second-level cache. */
static hy_status lower_scratch(hy__op_plan *p, hy__recurrent_plan *q, hy_error *err) {
  enum { BLOCK_FLOATS = 32 * 1024 };
  const size_t n_places = q->divides ? hy__pool_n_workers(p->pool) : 1;
  q->block = BLOCK_FLOATS / (q->group * q->columns);
  q->block = HY_MAX((size_t)1, HY_MIN(q->block, q->steps));
  const size_t state = lines(2 * q->group * q->padded);
  const bool gathers = hy__op_has(p, IN_LENS);
  q->h_at = 0;
  q->c_at = state;
  q->work_at = 2 * state;
  q->pre_at = q->work_at + state + (q->general ? lines(q->group * q->columns) : 0);
  q->x_at = q->pre_at + lines(q->block * q->group * q->columns);
  q->group_floats = q->x_at + (gathers ? lines(q->block * q->group * q->features) : 0);
  HY_FAIL_IF(!hy__mul(q->group_floats * sizeof(float), n_places, &p->scratch_bytes), HY_LIMIT, err,
             "the layer is too large");
  return HY_OK;
}

hy_status hy__op_recurrent_lower(hy__op_plan *p, hy_error *err) {
  hy__recurrent_plan *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(measure(p, q, err));
  static const size_t weights[] = {IN_W, IN_R, IN_B, IN_P};
  bool plain = p->in[0].dtype != HY_F32;
  for (size_t i = 0; i < HY_COUNT(weights); ++i)
    if (hy__op_has(p, weights[i]) && !p->in[weights[i]].data) plain = true;
  q->lanes = p->kernels->recurrent->lanes;
  q->padded = (q->hidden + q->lanes - 1) / q->lanes * q->lanes;
  q->columns = q->padded * q->gates;
  q->clip = (double)hy__node_float(p->node, "clip", 0.0f);
  q->input_forget = hy__node_int(p->node, "input_forget", 0) != 0;
  q->after = hy__node_int(p->node, "linear_before_reset", 0) != 0;
  q->halves = p->packs->halves;
  q->general = q->clip != 0.0 || q->input_forget || hy__op_has(p, IN_P);
  for (size_t d = 0; d < q->directions; ++d) {
    HY_TRY(hy__cell_functions(p->node, q->kind, d, q->side[d].fn, err));
    if (!is_default(q, q->side[d].fn)) q->general = true;
  }
  p->alone = true;
  if (plain) {
    hy__recurrent_plain_lower(p, q);
    return HY_OK;
  }
  q->pairs = q->halves && q->batch == 1 && !q->general;
  for (size_t d = 0; d < q->directions; ++d) HY_TRY(lower_side(p, q, d, err));
  divide(p, q);
  p->alone = !q->divides;
  HY_TRY(lower_scratch(p, q, err));
  p->params = q;
  p->run = hy__recurrent_run;
  return HY_OK;
}
