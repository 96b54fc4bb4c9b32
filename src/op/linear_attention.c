/* SPDX-License-Identifier: Apache-2.0 */
/* LinearAttention: a recurrence over [batch, length, heads * head] whose state is a matrix of keys
 * by values per head. Each step decays it (gated rules), corrects the value by what the state would
 * answer (delta rules), adds key times value, and reads it by the queries of the head's group. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

enum { Q, K, V, PAST, DECAY, BETA };

typedef struct params {
  size_t batch, length, q_heads, kv_heads, d_k, d_v;
  bool gated, delta, decay_per_key, beta_per_head;
  double scale;
} params;

static hy_status read_rule(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const rules[] = {"gated_delta", "gated", "delta", "linear", NULL};
  int32_t rule;
  HY_TRY(hy__op_choice(p, "update_rule", rules, &rule, err));
  q->gated = rule == 0 || rule == 1;
  q->delta = rule == 0 || rule == 2;
  HY_FAIL_IF(q->gated != hy__op_has(p, DECAY) || q->delta != hy__op_has(p, BETA), HY_BAD_FORMAT,
             err, "decay goes with the gated rules and beta with the delta rules");
  return HY_OK;
}

static hy_status read_sizes(const hy__op_plan *p, params *q, hy_error *err) {
  const int64_t heads[3] = {hy__node_int(p->node, "q_num_heads", 0),
                            hy__node_int(p->node, "kv_num_heads", 0),
                            hy__node_int(p->node, "kv_num_heads", 0)};
  HY_FAIL_IF(heads[0] < 1 || heads[1] < 1 || heads[0] % heads[1] != 0, HY_BAD_FORMAT, err,
             "%lld heads of queries for %lld of keys", (long long)heads[0], (long long)heads[1]);
  for (size_t k = 0; k < 3; k++) {
    const hy_tensor *t = &p->in[k];
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(t->rank != 3 || t->dims[0] != p->in[0].dims[0] || t->dims[1] != p->in[0].dims[1] ||
                   t->dims[2] % heads[k] != 0,
               HY_BAD_FORMAT, err, "input %zu is not [batch, length, heads * head]", k);
  }
  q->batch = (size_t)p->in[0].dims[0];
  q->length = (size_t)p->in[0].dims[1];
  q->q_heads = (size_t)heads[0];
  q->kv_heads = (size_t)heads[1];
  q->d_k = (size_t)(p->in[Q].dims[2] / heads[0]);
  q->d_v = (size_t)(p->in[V].dims[2] / heads[1]);
  HY_FAIL_IF((size_t)p->in[K].dims[2] != q->d_k * q->kv_heads, HY_BAD_FORMAT, err,
             "the heads of queries and keys differ in size");
  return HY_OK;
}

/* A row of decay or beta has one value for each head, or another number that stands for `wide`. */
static hy_status read_gate(const hy__op_plan *p, const params *q, size_t k, size_t other,
                           bool *is_other, hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  HY_TRY(hy__op_same_type(p, 0, k, err));
  const size_t row = t->rank == 3 ? (size_t)t->dims[2] : 0;
  HY_FAIL_IF(t->rank != 3 || (size_t)t->dims[0] != q->batch || (size_t)t->dims[1] != q->length ||
                 (row != q->kv_heads && row != other),
             HY_BAD_FORMAT, err, "input %zu is not [%zu, %zu, %zu or %zu]", k, q->batch, q->length,
             q->kv_heads, other);
  *is_other = row != q->kv_heads;
  return HY_OK;
}

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const double scale = (double)hy__node_float(p->node, "scale", 0);
  bool one_beta = false;
  *q = (params){0};
  HY_TRY(read_rule(p, q, err));
  HY_TRY(read_sizes(p, q, err));
  HY_TRY(read_gate(p, q, DECAY, q->kv_heads * q->d_k, &q->decay_per_key, err));
  HY_TRY(read_gate(p, q, BETA, 1, &one_beta, err));
  q->beta_per_head = !one_beta;
  q->scale = scale != 0.0 ? scale : 1.0 / sqrt((double)q->d_k);
  if (!hy__op_has(p, PAST)) return HY_OK;
  const hy_tensor state = {
      .rank = 4,
      .dims = {(int64_t)q->batch, (int64_t)q->kv_heads, (int64_t)q->d_k, (int64_t)q->d_v}};
  HY_FAIL_IF(!hy__op_same_dims(&p->in[PAST], &state) || !hy__element_is_float(p->in[PAST].dtype),
             HY_BAD_FORMAT, err, "past_state is not [%zu, %zu, %zu, %zu] of floats", q->batch,
             q->kv_heads, q->d_k, q->d_v);
  return HY_OK;
}

hy_status hy__op_linear_attention_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  const hy_dtype state = hy__op_has(p, PAST) ? p->in[PAST].dtype : p->in[0].dtype;
  const int64_t y[3] = {(int64_t)q.batch, (int64_t)q.length, (int64_t)(q.q_heads * q.d_v)};
  const int64_t s[4] = {(int64_t)q.batch, (int64_t)q.kv_heads, (int64_t)q.d_k, (int64_t)q.d_v};
  HY_TRY(hy__op_out(p, 0, p->in[0].dtype, 3, y, err));
  return hy__op_out(p, 1, state, 4, s, err);
}

/* state[d] *= e^decay, one factor for all rows or one for each. row: of batch and step. */
static void decay(const hy__step *step, size_t row, size_t h, double *state) {
  const params *q = step->params;
  for (size_t d = 0; d < q->d_k; d++) {
    const size_t head = row * q->kv_heads + h, at = q->decay_per_key ? head * q->d_k + d : head;
    const double by = hy__exp(hy__element_real(&step->in[DECAY], (int64_t)at));
    for (size_t m = 0; m < q->d_v; m++) state[d * q->d_v + m] *= by;
  }
}

/* The value to add: V's own, or beta times its difference from what the state answers to the key.
 */
static void value_of(const hy__step *step, size_t row, size_t h, const double *state, double *v) {
  const params *q = step->params;
  const int64_t at_v = (int64_t)((row * q->kv_heads + h) * q->d_v);
  const int64_t at_k = (int64_t)((row * q->kv_heads + h) * q->d_k);
  for (size_t m = 0; m < q->d_v; m++) v[m] = hy__element_real(&step->in[V], at_v + (int64_t)m);
  if (!q->delta) return;
  const size_t at_beta = q->beta_per_head ? row * q->kv_heads + h : row;
  const double beta = hy__element_real(&step->in[BETA], (int64_t)at_beta);
  for (size_t d = 0; d < q->d_k; d++) {
    const double key = hy__element_real(&step->in[K], at_k + (int64_t)d);
    for (size_t m = 0; m < q->d_v; m++) v[m] -= state[d * q->d_v + m] * key;
  }
  for (size_t m = 0; m < q->d_v; m++) v[m] *= beta;
}

static void add(const hy__step *step, size_t row, size_t h, const double *v, double *state) {
  const params *q = step->params;
  const size_t at = (row * q->kv_heads + h) * q->d_k;
  for (size_t d = 0; d < q->d_k; d++) {
    const double key = hy__element_real(&step->in[K], (int64_t)(at + d));
    for (size_t m = 0; m < q->d_v; m++) state[d * q->d_v + m] += key * v[m];
  }
}

/* What query head `h` reads; sum: d_v doubles. */
static void answer(const hy__step *step, size_t row, size_t h, const double *state, double *sum) {
  const params *q = step->params;
  const size_t at_q = (row * q->q_heads + h) * q->d_k, at_y = (row * q->q_heads + h) * q->d_v;
  memset(sum, 0, q->d_v * sizeof *sum);
  for (size_t d = 0; d < q->d_k; d++) {
    const double query = hy__element_real(&step->in[Q], (int64_t)(at_q + d));
    for (size_t m = 0; m < q->d_v; m++) sum[m] += query * state[d * q->d_v + m];
  }
  for (size_t m = 0; m < q->d_v; m++)
    hy__element_put_real(&step->out[0], (int64_t)(at_y + m), q->scale * sum[m]);
}

static void run_head(const hy__step *step, size_t b, size_t h, double *state) {
  const params *q = step->params;
  const size_t n = q->d_k * q->d_v, first = (b * q->kv_heads + h) * n;
  const size_t group = q->q_heads / q->kv_heads;
  double *row_of_v = state + n;
  const bool past = step->n_in > PAST && step->in[PAST].data;
  for (size_t i = 0; i < n; i++)
    state[i] = past ? hy__element_real(&step->in[PAST], (int64_t)(first + i)) : 0.0;
  for (size_t t = 0; t < q->length; t++) {
    const size_t row = b * q->length + t;
    if (q->gated) decay(step, row, h, state);
    value_of(step, row, h, state, row_of_v);
    add(step, row, h, row_of_v, state);
    for (size_t head = h * group; head < (h + 1) * group && step->out[0].data; head++)
      answer(step, row, head, state, row_of_v);
  }
  for (size_t i = 0; i < n && step->n_out > 1 && step->out[1].data; i++)
    hy__element_put_real(&step->out[1], (int64_t)(first + i), state[i]);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  (void)err;
  for (size_t i = 0; i < q->batch * q->kv_heads; i++)
    run_head(step, i / q->kv_heads, i % q->kv_heads, step->scratch);
  return HY_OK;
}

hy_status hy__op_linear_attention_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  size_t n;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  HY_FAIL_IF(!hy__mul(q->d_k + 1, q->d_v, &n) || !hy__mul(n, sizeof(double), &p->scratch_bytes),
             HY_LIMIT, err, "the heads are too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
