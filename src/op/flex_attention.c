/* SPDX-License-Identifier: Apache-2.0 */
/* FlexAttention: scores of all heads, a subgraph over them, softmax, a subgraph over the
 * probabilities, and the mix of values. The subgraphs see whole tensors [batch, heads, queries,
 * keys], so both are kept whole. */
#include <math.h>
#include <string.h>

#include "op/body.h"
#include "op/product.h"
#include "op/softmax.h"

enum { Q, K, V, SCORE_MOD = 0, PROB_MOD = 1 };

static const char *const mods[2] = {"score_mod", "prob_mod"};

typedef struct params {
  size_t batch, heads, kv_heads, rows, keys, head, v_head;
  double scale;
  hy__product scores, mix;
  hy__op_host *host;
  hy__body *body[2]; /* NULL where there is none */
  hy__op_slots slots[2];
  size_t at_q, at_packed_k, at_packed_v, at_scores, at_other; /* scratch */
} params;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const hy_tensor *t = p->in;
  const int64_t precision = hy__node_int(p->node, "softmax_precision", t[Q].dtype);
  for (size_t k = 0; k < 3; k++) {
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(t[k].rank != 4 || t[k].dims[0] != t[Q].dims[0], HY_BAD_FORMAT, err,
               "input %zu is not [batch, heads, length, head] of Q's batch", k);
  }
  HY_FAIL_IF(t[K].dims[1] != t[V].dims[1] || t[K].dims[2] != t[V].dims[2] ||
                 t[Q].dims[3] != t[K].dims[3] || t[K].dims[1] < 1 ||
                 t[Q].dims[1] % t[K].dims[1] != 0,
             HY_BAD_FORMAT, err, "Q, K and V do not fit each other");
  HY_FAIL_IF(precision != t[Q].dtype, HY_UNSUPPORTED, err, "softmax_precision %lld for %s",
             (long long)precision, hy_dtype_name(t[Q].dtype));
  *q = (params){.batch = (size_t)t[Q].dims[0],
                .heads = (size_t)t[Q].dims[1],
                .kv_heads = (size_t)t[K].dims[1],
                .rows = (size_t)t[Q].dims[2],
                .keys = (size_t)t[K].dims[2],
                .head = (size_t)t[Q].dims[3],
                .v_head = (size_t)t[V].dims[3]};
  const hy__attr *scale = hy__node_attr(p->node, "scale");
  q->scale = scale ? (double)hy__node_float(p->node, "scale", 0)
                   : 1.0 / sqrt((double)HY_MAX(q->head, (size_t)1));
  return HY_OK;
}

/* The subgraph's plan; it must give what it takes. */
static hy_status read_mod(hy__op_plan *p, params *q, int which, hy_error *err) {
  const hy__graph *graph;
  const bool wanted = true;
  const hy_tensor in = {
      .dtype = p->in[Q].dtype,
      .rank = 4,
      .dims = {(int64_t)q->batch, (int64_t)q->heads, (int64_t)q->rows, (int64_t)q->keys}};
  if (!hy__node_attr(p->node, mods[which])) return HY_OK;
  HY_TRY(hy__op_graph(p, mods[which], 1, 1, &graph, err));
  HY_TRY(hy__op_body(p, mods[which], &in, &wanted, &q->body[which], err));
  const hy_tensor *out = &q->body[which]->out[0];
  HY_FAIL_IF(out->dtype != in.dtype || !hy__op_same_dims(out, &in), HY_BAD_FORMAT, err,
             "%s gives another type or shape than it takes", mods[which]);
  q->host = p->host;
  return HY_OK;
}

hy_status hy__op_flex_attention_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  for (int which = 0; which < 2; which++) HY_TRY(read_mod(p, &q, which, err));
  const int64_t dims[4] = {(int64_t)q.batch, (int64_t)q.heads, (int64_t)q.rows, (int64_t)q.v_head};
  return hy__op_out(p, 0, p->in[Q].dtype, 4, dims, err);
}

/* One head's queries, scaled. */
static void scale_rows(const hy_tensor *t, size_t first, size_t n, double scale, void *to) {
  if (t->dtype == HY_F64)
    for (size_t i = 0; i < n; i++) ((double *)to)[i] = ((const double *)t->data)[first + i] * scale;
  else
    for (size_t i = 0; i < n; i++)
      ((float *)to)[i] = (float)((double)((const float *)t->data)[first + i] * scale);
}

/* For each head: a product of its part of `left` by K or V of its group. right: K or V. */
static void multiply(const hy__step *step, const char *left, size_t right, char *to) {
  const params *q = step->params;
  const hy__product *product = right == K ? &q->scores : &q->mix;
  const size_t each = hy_dtype_bytes(product->dtype);
  char *packed = (char *)step->scratch + (right == K ? q->at_packed_k : q->at_packed_v);
  char *queries = (char *)step->scratch + q->at_q;
  for (size_t i = 0; i < q->batch * q->heads; i++) {
    const size_t kv = i / q->heads * q->kv_heads + i % q->heads / (q->heads / q->kv_heads);
    const char *b = (const char *)step->in[right].data + kv * product->k * product->n * each;
    if (right == K)
      scale_rows(&step->in[Q], i * q->rows * q->head, q->rows * q->head, q->scale, queries);
    const hy__product_call call = {.a = right == K ? queries : left + i * q->rows * q->keys * each,
                                   .right = hy__product_right(product, step->kernels, b, packed),
                                   .c = to + i * q->rows * product->n * each};
    hy__product_run(product, step->kernels, &call);
  }
}

/* Runs a subgraph from one buffer to the other; *from is where the result is. */
static hy_status modify(const hy__step *step, int which, char **from, char **other, hy_error *err) {
  const params *q = step->params;
  hy__body *body = q->body[which];
  if (!body) return HY_OK;
  hy__op_slots_capture(&q->slots[which], body, step);
  hy__op_slots_in(&q->slots[which], step)[0] = *from;
  hy__op_slots_out(&q->slots[which], step)[0] = *other;
  HY_TRY(hy__op_slots_run(&q->slots[which], q->host, body, step, err));
  char *swap = *from;
  *from = *other;
  *other = swap;
  return HY_OK;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  char *scores = (char *)step->scratch + q->at_scores, *other = (char *)step->scratch + q->at_other;
  multiply(step, NULL, K, scores);
  HY_TRY(modify(step, SCORE_MOD, &scores, &other, err));
  const hy__softmax_rows call = {
      q->scores.dtype, false, scores, scores, q->batch * q->heads * q->rows, q->keys};
  if (q->keys > 0) hy__softmax_run(step->kernels, &call);
  HY_TRY(modify(step, PROB_MOD, &scores, &other, err));
  multiply(step, scores, V, step->out[0].data);
  return HY_OK;
}

static hy_status place(hy__op_plan *p, params *q, hy_error *err) {
  const size_t each = hy_dtype_bytes(p->in[Q].dtype);
  size_t queries, rows, scores;
  HY_FAIL_IF(!hy__mul(q->rows * each, q->head, &queries) ||
                 !hy__mul(q->batch * q->heads, q->rows * each, &rows) ||
                 !hy__mul(rows, q->keys, &scores),
             HY_LIMIT, err, "the scores are too many");
  size_t *total = &p->scratch_bytes;
  HY_TRY(hy__op_room(total, queries, &q->at_q, err));
  HY_TRY(hy__op_room(total, q->scores.packed_bytes, &q->at_packed_k, err));
  HY_TRY(hy__op_room(total, q->mix.packed_bytes, &q->at_packed_v, err));
  HY_TRY(hy__op_room(total, scores, &q->at_scores, err));
  HY_TRY(hy__op_room(total, q->body[0] || q->body[1] ? scores : 0, &q->at_other, err));
  for (int which = 0; which < 2; which++)
    if (q->body[which]) HY_TRY(hy__op_slots_make(total, q->body[which], &q->slots[which], err));
  return HY_OK;
}

hy_status hy__op_flex_attention_lower(hy__op_plan *p, hy_error *err) {
  const hy_dtype dtype = p->in[Q].dtype;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  for (int which = 0; which < 2; which++) HY_TRY(read_mod(p, q, which, err));
  q->scores = (hy__product){
      .dtype = dtype, .m = q->rows, .n = q->keys, .k = q->head, .transposed = true, .alpha = 1.0};
  q->mix = (hy__product){.dtype = dtype, .m = q->rows, .n = q->v_head, .k = q->keys, .alpha = 1.0};
  HY_TRY(hy__product_lower(p, &q->scores, NULL, err));
  HY_TRY(hy__product_lower(p, &q->mix, NULL, err));
  HY_TRY(place(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
