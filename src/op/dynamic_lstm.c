/* SPDX-License-Identifier: Apache-2.0 */
/* com.microsoft's DynamicQuantizeLSTM, what ONNX Runtime's quantiser makes of LSTM: W [directions,
 * features, 4 hidden] and R [directions, hidden, 4 hidden] of 8 bits with a scale each (or one per
 * column) and a zero point; X as a whole, and the states of a batch at each step, are quantised to
 * u8 over their extremes. Cells of the default functions in float32, others in doubles. */
#include <math.h>

#include "op/integer_product.h"
#include "op/recurrent.h"

enum { IN_X, IN_W, IN_R, IN_B, IN_LENS, IN_H, IN_C, IN_P, W_SCALE, W_ZERO, R_SCALE, R_ZERO };

typedef struct params {
  hy__recurrent_plan plan; /* sizes, functions and attributes alone */
  hy__integer_gemm w, r;
  size_t block;   /* steps whose inputs are projected together */
  bool plain;     /* the default functions, and nothing else */
  size_t columns; /* 4 hidden */
  size_t x_at, bytes_at, factors_at, bias_at, pre_at, from_h_at, h_at, c_at; /* bytes in scratch */
} params;

/* Floats as u8 over their extremes. */
typedef struct quantised {
  const uint8_t *bytes;
  float scale;
  int32_t zero;
} quantised;

typedef struct walk {
  const hy__step *step;
  const params *q;
  size_t direction;
  float *h, *c, *pre, *from_h, *bias, *factors;
  uint8_t *bytes; /* of h */
  size_t first;   /* the step that pre begins with */
} walk;

static hy_status expect(const hy__op_plan *p, size_t k, hy_dtype dtype, int32_t rank,
                        const int64_t *dims, hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  bool same = t->rank == rank && t->dtype == dtype;
  for (int32_t d = 0; same && d < rank; d++) same = t->dims[d] == dims[d];
  HY_FAIL_IF(!same, HY_BAD_FORMAT, err,
             "input %zu has another type or shape than X, W and R ask "
             "for",
             k);
  return HY_OK;
}

static hy_status weights_check(const hy__op_plan *p, const hy__recurrent_plan *q, hy_error *err) {
  const int64_t d = (int64_t)q->directions, h = (int64_t)q->hidden;
  const int64_t w[] = {d, (int64_t)q->features, 4 * h}, r[] = {d, h, 4 * h};
  HY_TRY(expect(p, IN_W, p->in[IN_W].dtype, 3, w, err));
  HY_TRY(expect(p, IN_R, p->in[IN_W].dtype, 3, r, err));
  HY_FAIL_IF(!hy__integer_is_byte(p->in[IN_W].dtype), HY_BAD_FORMAT, err, "W is of type %s",
             hy_dtype_name(p->in[IN_W].dtype));
  for (size_t k = W_SCALE; k <= R_ZERO; k++) {
    HY_FAIL_IF(!hy__op_has(p, k), HY_BAD_FORMAT, err, "input %zu must not be left out", k);
    const hy_dtype type = k == W_SCALE || k == R_SCALE ? HY_F32 : p->in[IN_W].dtype;
    const size_t n = hy__op_count_of(&p->in[k]);
    HY_FAIL_IF(p->in[k].dtype != type || (n != q->directions && n != q->directions * 4 * q->hidden),
               HY_BAD_FORMAT, err, "input %zu must be one %s per direction or column", k,
               hy_dtype_name(type));
    HY_FAIL_IF(!p->in[k].data, HY_UNSUPPORTED, err, "input %zu is computed at the run", k);
  }
  HY_FAIL_IF(!p->in[IN_W].data || !p->in[IN_R].data, HY_UNSUPPORTED, err,
             "weights are computed at the run");
  return HY_OK;
}

static hy_status measure(const hy__op_plan *p, hy__recurrent_plan *q, hy_error *err) {
  const hy_tensor *x = &p->in[IN_X], *r = &p->in[IN_R];
  const hy_string s = hy__node_string(p->node, "direction", "forward");
  HY_FAIL_IF(x->rank != 3 || r->rank != 3 || r->dims[1] < 1 || x->dims[2] < 1, HY_BAD_FORMAT, err,
             "X and R must have 3 dims");
  HY_FAIL_IF(r->dims[1] > 1 << 16 || x->dims[2] > 1 << 20, HY_LIMIT, err, "the layer is too large");
  *q = (hy__recurrent_plan){.kind = HY__CELL_LSTM,
                            .steps = (size_t)x->dims[0],
                            .batch = (size_t)x->dims[1],
                            .features = (size_t)x->dims[2],
                            .hidden = (size_t)r->dims[1],
                            .directions = s.len_bytes == 13 ? 2 : 1,
                            .gates = 4};
  q->side[0].reverse = s.len_bytes == 7 && s.data[0] == 'r';
  q->side[1].reverse = true;
  q->clip = (double)hy__node_float(p->node, "clip", 0.0f);
  q->input_forget = hy__node_int(p->node, "input_forget", 0) != 0;
  for (size_t d = 0; d < q->directions; d++)
    HY_TRY(hy__cell_functions(p->node, q->kind, d, q->side[d].fn, err));
  return HY_OK;
}

hy_status hy__op_dynamic_lstm_infer(hy__op_plan *p, hy_error *err) {
  hy__recurrent_plan q;
  HY_TRY(measure(p, &q, err));
  HY_TRY(weights_check(p, &q, err));
  const int64_t d = (int64_t)q.directions, h = (int64_t)q.hidden, b = (int64_t)q.batch;
  const int64_t bias[] = {d, 8 * h}, state[] = {d, b, h}, peep[] = {d, 3 * h};
  const int64_t y[] = {(int64_t)q.steps, d, b, h};
  HY_TRY(expect(p, IN_B, HY_F32, 2, bias, err));
  HY_TRY(expect(p, IN_LENS, HY_I32, 1, &b, err));
  HY_TRY(expect(p, IN_H, HY_F32, 3, state, err));
  HY_TRY(expect(p, IN_C, HY_F32, 3, state, err));
  HY_TRY(expect(p, IN_P, HY_F32, 2, peep, err));
  if (p->n_out > 0) HY_TRY(hy__op_out(p, 0, HY_F32, 4, y, err));
  for (size_t k = 1; k < p->n_out; k++) HY_TRY(hy__op_out(p, k, HY_F32, 3, state, err));
  return HY_OK;
}

static quantised quantise(const walk *w, const float *x, size_t n, uint8_t *bytes) {
  const hy__integer *kernel = w->step->kernels->integer;
  quantised out = {.bytes = bytes};
  const hy__integer_end end = hy__integer_span(kernel, x, n, 255.0f, &out.scale);
  kernel->quantise(x, n, &end, bytes);
  out.zero = end.zero;
  return out;
}

/* y [m][columns] = rows from `first` on times weights, plus bias. */
static hy_status product(const walk *w, const quantised *x, const size_t rows[2],
                         const hy__integer_gemm *weights, float *y, hy_error *err) {
  const bool is_w = weights == &w->q->w;
  const hy_tensor *scales = &w->step->in[is_w ? W_SCALE : R_SCALE];
  const bool by_column = hy__op_count_of(scales) > w->q->plan.directions;
  const size_t n_factors = by_column ? w->q->columns : 1;
  const float *s = (const float *)scales->data + w->direction * n_factors;
  hy__integer_gemm gemm = *weights;
  for (size_t j = 0; j < n_factors; j++) w->factors[j] = x->scale * s[j];
  gemm.m = rows[1] - rows[0];
  const hy__integer_call call = {
      .a = x->bytes + rows[0] * gemm.right.each,
      .index = w->direction,
      .a_zero = x->zero,
      .end = {.factor = w->factors, .factor_step = by_column, .bias = is_w ? w->bias : NULL},
      .floats = y};
  return hy__integer_gemm_run(w->step, &gemm, &call, err);
}

static double peep(const walk *w, size_t gate, size_t unit) {
  const hy__step *s = w->step;
  if (IN_P >= s->n_in || !s->in[IN_P].data) return 0.0;
  const size_t h = w->q->plan.hidden;
  return (double)((const float *)s->in[IN_P].data)[(w->direction * 3 + gate) * h + unit];
}

static void cell(const walk *w, float *pre, float *h, float *c) {
  const hy__recurrent_plan *p = &w->q->plan;
  const hy__cell_fn *fn = p->side[w->direction].fn;
  const size_t n = p->hidden;
  for (size_t u = 0; u < n; u++) {
    const double old = (double)c[u];
    const double i = hy__cell_apply(&fn[0], (double)pre[u] + peep(w, 0, u) * old, p->clip);
    double f = 1.0 - i;
    if (!p->input_forget)
      f = hy__cell_apply(&fn[0], (double)pre[2 * n + u] + peep(w, 2, u) * old, p->clip);
    const double next = f * old + i * hy__cell_apply(&fn[1], (double)pre[3 * n + u], p->clip);
    const double o = hy__cell_apply(&fn[0], (double)pre[n + u] + peep(w, 1, u) * next, p->clip);
    c[u] = (float)next;
    h[u] = (float)(o * hy__cell_apply(&fn[2], next, 0.0));
  }
}

/* The same with the default functions over all units at once; pre is used up. */
static void cell_plain(const walk *w, float *pre, float *h, float *c) {
  const hy__unary_f32 *unary = w->step->kernels->unary_f32;
  const size_t n = w->q->plan.hidden;
  unary->fn[HY__UNARY_SIGMOID](pre, pre, 3 * n, 0, 0);
  unary->fn[HY__UNARY_TANH](pre + 3 * n, pre + 3 * n, n, 0, 0);
  for (size_t u = 0; u < n; u++) c[u] = pre[2 * n + u] * c[u] + pre[u] * pre[3 * n + u];
  unary->fn[HY__UNARY_TANH](c, h, n, 0, 0);
  for (size_t u = 0; u < n; u++) h[u] *= pre[n + u];
}

static void copy_out(const walk *w, size_t output, size_t row, const float *from) {
  const size_t n = w->q->plan.hidden;
  if (output >= w->step->n_out || !w->step->out[output].data) return;
  float *to = (float *)w->step->out[output].data + row * n;
  for (size_t u = 0; u < n; u++) to[u] = from ? from[u] : 0.0f;
}

/* One step of all rows that have it; `pre` of a row lies where its time does. */
static hy_status step_run(const walk *w, const int32_t *lens, size_t s, hy_error *err) {
  const hy__recurrent_plan *p = &w->q->plan;
  const size_t n = p->hidden, columns = w->q->columns;
  const quantised h = quantise(w, w->h, p->batch * n, w->bytes);
  HY_TRY(product(w, &h, (const size_t[2]){0, p->batch}, &w->q->r, w->from_h, err));
  for (size_t b = 0; b < p->batch; b++) {
    const size_t len = lens ? (size_t)lens[b] : p->steps;
    size_t time = s;
    if (s < len && p->side[w->direction].reverse) time = len - 1 - s;
    const size_t row = (time * p->directions + w->direction) * p->batch + b;
    if (s >= len) {
      copy_out(w, 0, row, NULL);
      continue;
    }
    float *pre = w->pre + ((time - w->first) * p->batch + b) * columns;
    for (size_t j = 0; j < columns; j++) pre[j] += w->from_h[b * columns + j];
    (w->q->plain ? cell_plain : cell)(w, pre, w->h + b * n, w->c + b * n);
    copy_out(w, 0, row, w->h + b * n);
  }
  return HY_OK;
}

static void start(const walk *w) {
  const hy__recurrent_plan *p = &w->q->plan;
  const hy__step *s = w->step;
  const size_t columns = w->q->columns, n = p->batch * p->hidden;
  const float *bias = s->in[IN_B].data;
  for (size_t i = 0; i < columns; i++) {
    const size_t j = w->direction * 2 * columns + i;
    w->bias[i] = bias ? bias[j] + bias[j + columns] : 0.0f;
  }
  const float *h = IN_H < s->n_in ? s->in[IN_H].data : NULL;
  const float *c = IN_C < s->n_in ? s->in[IN_C].data : NULL;
  for (size_t i = 0; i < n; i++) {
    w->h[i] = h ? h[w->direction * n + i] : 0.0f;
    w->c[i] = c ? c[w->direction * n + i] : 0.0f;
  }
}

/* All steps of a direction, block by block. */
static hy_status steps_run(walk *w, const quantised *x, const int32_t *lens, hy_error *err) {
  const hy__recurrent_plan *p = &w->q->plan;
  for (size_t s = 0; s < p->steps;) {
    const size_t n = HY_MIN(w->q->block, p->steps - s), end = s + n;
    w->first = p->side[w->direction].reverse ? p->steps - end : s;
    const size_t rows[2] = {w->first * p->batch, (w->first + n) * p->batch};
    HY_TRY(product(w, x, rows, &w->q->w, w->pre, err));
    for (; s < end; s++) HY_TRY(step_run(w, lens, s, err));
  }
  return HY_OK;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__recurrent_plan *p = &q->plan;
  const int32_t *lens = IN_LENS < step->n_in ? step->in[IN_LENS].data : NULL;
  char *scratch = step->scratch;
  HY_TRY(hy__recurrent_check_lens(p, lens, err));
  walk w = {.step = step,
            .q = q,
            .h = (float *)(void *)(scratch + q->h_at),
            .c = (float *)(void *)(scratch + q->c_at),
            .pre = (float *)(void *)(scratch + q->pre_at),
            .from_h = (float *)(void *)(scratch + q->from_h_at),
            .bias = (float *)(void *)(scratch + q->bias_at),
            .factors = (float *)(void *)(scratch + q->factors_at),
            .bytes = (uint8_t *)scratch + q->bytes_at};
  const quantised x = quantise(&w, step->in[IN_X].data, p->steps * p->batch * p->features,
                               (uint8_t *)scratch + q->x_at);
  for (w.direction = 0; w.direction < p->directions; w.direction++) {
    start(&w);
    HY_TRY(steps_run(&w, &x, lens, err));
    for (size_t b = 0; b < p->batch; b++) {
      const bool none = lens && lens[b] == 0;
      copy_out(&w, 1, w.direction * p->batch + b, none ? NULL : w.h + b * p->hidden);
      copy_out(&w, 2, w.direction * p->batch + b, none ? NULL : w.c + b * p->hidden);
    }
  }
  return HY_OK;
}

static hy__integer_gemm gemm_of(const params *q, size_t k) {
  const hy__recurrent_plan *r = &q->plan;
  return (hy__integer_gemm){.m = k == IN_W ? q->block * r->batch : r->batch,
                            .right = {.b = k,
                                      .b_zero = k == IN_W ? W_ZERO : R_ZERO,
                                      .n_right = r->directions,
                                      .n_taps = 1,
                                      .each = k == IN_W ? r->features : r->hidden,
                                      .n = q->columns,
                                      .k_stride = (ptrdiff_t)q->columns,
                                      .n_stride = 1,
                                      .by_matrix = true}};
}

static bool is_plain(const hy__op_plan *p, const hy__recurrent_plan *r) {
  bool plain = r->clip == 0.0 && !r->input_forget && !hy__op_has(p, IN_P);
  for (size_t d = 0; d < r->directions; d++)
    plain = plain && r->side[d].fn[0].act == HY__CELL_SIGMOID &&
            r->side[d].fn[1].act == HY__CELL_TANH && r->side[d].fn[2].act == HY__CELL_TANH;
  return plain;
}

hy_status hy__op_dynamic_lstm_lower(hy__op_plan *p, hy_error *err) {
  enum { TOGETHER = 256 }; /* rows */
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  *q = (params){.columns = 0};
  HY_TRY(measure(p, &q->plan, err));
  const hy__recurrent_plan *r = &q->plan;
  q->columns = 4 * r->hidden;
  q->plain = is_plain(p, r);
  /* rows of their own lengths are not at one time together */
  q->block = hy__op_has(p, IN_LENS) ? r->steps : TOGETHER / HY_MAX(r->batch, (size_t)1);
  q->block = HY_MAX(HY_MIN(q->block, r->steps), (size_t)1);
  size_t rows = 0, all = 0, states = 0, inputs = 0, elements = 0;
  const bool fits = hy__mul(r->steps, r->batch, &all) && hy__mul(q->block, r->batch, &rows) &&
                    hy__mul(rows, q->columns, &elements) && hy__mul(all, r->features, &inputs) &&
                    hy__mul(r->batch, q->columns, &states) &&
                    hy__integer_room(p, &q->x_at, inputs, 1) &&
                    hy__integer_room(p, &q->bytes_at, states, 1) &&
                    hy__integer_room(p, &q->factors_at, q->columns, sizeof(float)) &&
                    hy__integer_room(p, &q->bias_at, q->columns, sizeof(float)) &&
                    hy__integer_room(p, &q->pre_at, elements, sizeof(float)) &&
                    hy__integer_room(p, &q->from_h_at, states, sizeof(float)) &&
                    hy__integer_room(p, &q->h_at, states / 4, sizeof(float)) &&
                    hy__integer_room(p, &q->c_at, states / 4, sizeof(float));
  HY_FAIL_IF(!fits, HY_LIMIT, err, "the layer is too large");
  q->w = gemm_of(q, IN_W);
  q->r = gemm_of(q, IN_R);
  HY_TRY(hy__integer_gemm_lower(p, &q->w, false, err));
  HY_TRY(hy__integer_gemm_lower(p, &q->r, false, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
