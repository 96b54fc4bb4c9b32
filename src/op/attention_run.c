/* SPDX-License-Identifier: Apache-2.0 */
/* Attention by blocks of query rows: for each head K and V are packed once, and each block of rows
 * goes through scores, cap, bias, softmax and mixing. The generic path: any option, float32 and
 * float64. A row whose keys are all masked is zero. */
#include <math.h>
#include <string.h>

#include "op/attention.h"
#include "op/element.h"
#include "op/softmax.h"

typedef struct block {
  size_t b, head, first, rows; /* query rows [first, first + rows) of a head */
} block;

static size_t each_of(const hy__step *step) { return hy_dtype_bytes(step->in[0].dtype); }

static const void *input(const hy__step *step, size_t k) {
  return k < step->n_in ? step->in[k].data : NULL;
}

static char *output(const hy__step *step, size_t k) {
  return k < step->n_out ? step->out[k].data : NULL;
}

/* The `total` rows of one head of K or V: where they lie, or put together in scratch; to the
 * present cache too where that is wanted. k: the input; row: elements. */
static const void *rows_of(const hy__step *step, size_t k, size_t b, size_t h) {
  const hy__attention *q = step->params;
  const bool key = k == HY__ATTENTION_K;
  const size_t row = key ? q->head : q->v_head, each = each_of(step), bytes = row * each;
  const size_t index = b * q->kv_heads + h;
  const char *past = input(step, key ? HY__ATTENTION_PAST_K : HY__ATTENTION_PAST_V);
  char *present = output(step, key ? HY__ATTENTION_PRESENT_K : HY__ATTENTION_PRESENT_V);
  const char *from = step->in[k].data;
  from += (q->rank_3 ? (b * q->kv_len * q->kv_heads + h) : index * q->kv_len) * bytes;
  const char *whole = from;
  if (q->rank_3 || past) {
    char *to = (char *)step->scratch + (key ? q->at_k : q->at_v);
    const size_t step_bytes = q->rank_3 ? q->kv_heads * bytes : bytes;
    whole = to;
    if (past) memcpy(to, past + index * q->past_len * bytes, q->past_len * bytes);
    for (size_t i = 0; i < q->kv_len; i++)
      memcpy(to + (q->past_len + i) * bytes, from + i * step_bytes, bytes);
  }
  if (present) memcpy(present + index * q->total * bytes, whole, q->total * bytes);
  return whole;
}

/* The queries of a block, scaled. */
static const void *queries(const hy__step *step, const block *at) {
  const hy__attention *q = step->params;
  char *to = (char *)step->scratch + q->at_q;
  for (size_t i = 0; i < at->rows; i++) {
    const size_t row = at->first + i;
    const size_t from = q->rank_3 ? (at->b * q->q_len + row) * q->q_heads + at->head
                                  : (at->b * q->q_heads + at->head) * q->q_len + row;
    if (q->scores.dtype == HY_F64) {
      const double *x = (const double *)step->in[0].data + from * q->head;
      double *y = (double *)(void *)to + i * q->head;
      for (size_t j = 0; j < q->head; j++) y[j] = x[j] * q->scale;
    } else {
      const float *x = (const float *)step->in[0].data + from * q->head;
      float *y = (float *)(void *)to + i * q->head;
      for (size_t j = 0; j < q->head; j++) y[j] = (float)((double)x[j] * q->scale);
    }
  }
  return to;
}

/* softcap * tanh(score / softcap) */
static void cap(const hy__step *step, void *scores, size_t n) {
  const hy__attention *q = step->params;
  const double by = 1.0 / q->softcap;
  if (q->scores.dtype == HY_F64) {
    const hy__unary_f64_fn *fn = step->kernels->unary_f64->fn;
    fn[HY__UNARY_AFFINE](scores, scores, n, by, 0);
    fn[HY__UNARY_TANH](scores, scores, n, 0, 0);
    fn[HY__UNARY_AFFINE](scores, scores, n, q->softcap, 0);
  } else {
    const hy__unary_f32_fn *fn = step->kernels->unary_f32->fn;
    fn[HY__UNARY_AFFINE](scores, scores, n, (float)by, 0);
    fn[HY__UNARY_TANH](scores, scores, n, 0, 0);
    fn[HY__UNARY_AFFINE](scores, scores, n, (float)q->softcap, 0);
  }
}

/* The keys [low, high) that position and length leave to a query row. */
typedef struct range {
  int64_t low, high;
} range;

static range keys_of(const hy__step *step, size_t b, size_t row) {
  const hy__attention *q = step->params;
  const int64_t *lengths = input(step, HY__ATTENTION_LENGTHS);
  range r = {0, (int64_t)q->total};
  int64_t before = (int64_t)q->past_len;
  if (lengths) {
    const int64_t length = HY_MIN(HY_MAX(lengths[b], (int64_t)0), (int64_t)q->total);
    r.high = length;
    before = length - (int64_t)q->q_len;
  }
  const int64_t place = before + (int64_t)row;
  if (q->causal) r.high = HY_MIN(r.high, place + 1);
  if (q->right >= 0 && q->right < (int64_t)q->total + (int64_t)q->q_len)
    r.high = HY_MIN(r.high, place + q->right + 1);
  if (q->left >= 0 && q->left < (int64_t)q->total + (int64_t)q->q_len)
    r.low = HY_MAX(r.low, place - q->left);
  return r;
}

/* What is added to the scores of one query row; false if every key is masked. */
static bool bias_row(const hy__step *step, const block *at, size_t row, void *bias) {
  const hy__attention *q = step->params;
  const void *mask = input(step, HY__ATTENTION_MASK);
  const range keys = keys_of(step, at->b, row);
  const hy_tensor out = {.data = bias, .dtype = q->scores.dtype};
  const int64_t first = (int64_t)at->b * q->mask_strides[0] +
                        (int64_t)at->head * q->mask_strides[1] + (int64_t)row * q->mask_strides[2];
  bool any = false;
  for (size_t j = 0; j < q->total; j++) {
    double v = (int64_t)j >= keys.low && (int64_t)j < keys.high ? 0.0 : -(double)INFINITY;
    if (mask && v == 0.0) {
      const hy_tensor *t = &step->in[HY__ATTENTION_MASK];
      const bool inside = j < q->mask_keys;
      const double m = inside ? hy__element_real(t, first + (int64_t)j * q->mask_strides[3]) : 0.0;
      v = !inside || (t->dtype == HY_BOOL && m == 0.0) ? -(double)INFINITY
          : t->dtype == HY_BOOL                        ? 0.0
                                                       : m;
    }
    any = any || v != -(double)INFINITY;
    hy__element_put_real(&out, (int64_t)j, v);
  }
  return any;
}

/* A masked key's score is -inf whatever it was. */
#define ADD_BIAS(type)                                                                             \
  static void add_##type(type *scores, const type *bias, size_t n) {                               \
    for (size_t j = 0; j < n; j++)                                                                 \
      scores[j] = bias[j] == -(type)INFINITY ? bias[j] : scores[j] + bias[j];                      \
  }
ADD_BIAS(float)
ADD_BIAS(double)
#undef ADD_BIAS

static void show(const hy__step *step, const block *at, hy__attention_show what,
                 const char *scores) {
  const hy__attention *q = step->params;
  char *to = output(step, HY__ATTENTION_SCORES);
  if (!to || q->show != what) return;
  const size_t row = q->total * each_of(step);
  memcpy(to + ((at->b * q->q_heads + at->head) * q->q_len + at->first) * row, scores,
         at->rows * row);
}

static void bias_and_soften(const hy__step *step, const block *at, char *scores) {
  const hy__attention *q = step->params;
  const size_t row = q->total * each_of(step);
  bool open[HY__ATTENTION_BLOCK];
  for (size_t i = 0; i < at->rows; i++) {
    void *bias = (char *)step->scratch + q->at_bias, *to = scores + i * row;
    open[i] = bias_row(step, at, at->first + i, bias);
    if (q->scores.dtype == HY_F64)
      add_double(to, bias, q->total);
    else
      add_float(to, bias, q->total);
  }
  show(step, at, HY__ATTENTION_BIASED, scores);
  for (size_t i = 0; i < at->rows; i++) {
    void *to = scores + i * row;
    const hy__softmax_rows call = {q->scores.dtype, false, to, to, 1, q->total};
    if (open[i])
      hy__softmax_run(step->kernels, &call);
    else
      memset(to, 0, row);
  }
  show(step, at, HY__ATTENTION_SOFT, scores);
}

static void run_block(const hy__step *step, const block *at, const void *keys, const void *values) {
  const hy__attention *q = step->params;
  const size_t each = each_of(step), row = q->v_head * each;
  char *scores = (char *)step->scratch + q->at_scores;
  char *y = (char *)step->out[HY__ATTENTION_Y].data;
  char *to = q->rank_3 ? (char *)step->scratch + q->at_y
                       : y + ((at->b * q->q_heads + at->head) * q->q_len + at->first) * row;
  hy__product product = q->scores;
  product.m = at->rows;
  hy__product_call call = {.a = queries(step, at), .right = keys, .c = scores};
  hy__product_run(&product, step->kernels, &call);
  show(step, at, HY__ATTENTION_RAW, scores);
  if (q->softcap > 0.0) cap(step, scores, at->rows * q->total);
  show(step, at, HY__ATTENTION_CAPPED, scores);
  bias_and_soften(step, at, scores);
  if (!y) return;
  product = q->mix;
  product.m = at->rows;
  call = (hy__product_call){.a = scores, .right = values, .c = to};
  hy__product_run(&product, step->kernels, &call);
  for (size_t i = 0; q->rank_3 && i < at->rows; i++)
    memcpy(y + ((at->b * q->q_len + at->first + i) * q->q_heads + at->head) * row, to + i * row,
           row);
}

hy_status hy__attention_run(const hy__step *step, hy_error *err) {
  const hy__attention *q = step->params;
  const size_t group = q->q_heads / q->kv_heads;
  char *scratch = step->scratch;
  (void)err;
  for (size_t i = 0; i < q->batch * q->kv_heads; i++) {
    const size_t b = i / q->kv_heads, h = i % q->kv_heads;
    const void *k = rows_of(step, HY__ATTENTION_K, b, h);
    const void *v = rows_of(step, HY__ATTENTION_V, b, h);
    const void *keys = hy__product_right(&q->scores, step->kernels, k, scratch + q->at_packed_k);
    const void *values = hy__product_right(&q->mix, step->kernels, v, scratch + q->at_packed_v);
    for (size_t head = h * group; head < (h + 1) * group; head++) {
      for (size_t first = 0; first < q->q_len; first += HY__ATTENTION_BLOCK) {
        const block at = {b, head, first, HY_MIN((size_t)HY__ATTENTION_BLOCK, q->q_len - first)};
        run_block(step, &at, keys, values);
      }
    }
  }
  return HY_OK;
}
