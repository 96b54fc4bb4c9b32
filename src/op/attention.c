/* SPDX-License-Identifier: Apache-2.0 */
/* Attention of opset 23 to 25 (3-D and 4-D, grouped heads, masks, caches inside and outside,
 * windows): sizes, refusals, scratch. attention_run.c computes. */
#include "op/attention.h"

#include <math.h>
#include <string.h>

/* Heads, length and head size of Q, K or V. */
static hy_status split_heads(const hy_tensor *t, int64_t heads, int64_t out[3], hy_error *err) {
  if (t->rank == 4) {
    for (int32_t d = 0; d < 3; d++) out[d] = t->dims[d + 1];
    return HY_OK;
  }
  HY_FAIL_IF(heads < 1 || t->dims[2] % heads != 0, HY_BAD_FORMAT, err,
             "%lld heads do not part rows of %lld", (long long)heads, (long long)t->dims[2]);
  out[0] = heads;
  out[1] = t->dims[1];
  out[2] = t->dims[2] / heads;
  return HY_OK;
}

static hy_status read_sizes(const hy__op_plan *p, hy__attention *q, hy_error *err) {
  const hy_tensor *t = p->in;
  const int64_t q_heads = hy__node_int(p->node, "q_num_heads", 0);
  const int64_t kv_heads = hy__node_int(p->node, "kv_num_heads", 0);
  int64_t sizes[3][3];
  for (size_t k = 0; k < 3; k++) {
    HY_FAIL_IF(t[k].rank != t[0].rank || (t[k].rank != 4 && t[k].rank != 3), HY_BAD_FORMAT, err,
               "input %zu has %d dims; all three have 3 or all have 4", k, (int)t[k].rank);
    HY_TRY(hy__op_same_type(p, 0, k, err));
    HY_FAIL_IF(t[k].dims[0] != t[0].dims[0], HY_BAD_FORMAT, err, "input %zu has another batch", k);
    HY_TRY(split_heads(&t[k], k ? kv_heads : q_heads, sizes[k], err));
  }
  HY_FAIL_IF(sizes[1][0] != sizes[2][0] || sizes[1][1] != sizes[2][1], HY_BAD_FORMAT, err,
             "K and V differ in heads or length");
  HY_FAIL_IF(sizes[0][2] != sizes[1][2], HY_BAD_FORMAT, err, "Q has heads of %lld, K of %lld",
             (long long)sizes[0][2], (long long)sizes[1][2]);
  HY_FAIL_IF(sizes[1][0] < 1 || sizes[0][0] % sizes[1][0] != 0, HY_BAD_FORMAT, err,
             "%lld heads of Q for %lld of K", (long long)sizes[0][0], (long long)sizes[1][0]);
  *q = (hy__attention){.batch = (size_t)t[0].dims[0],
                       .q_heads = (size_t)sizes[0][0],
                       .kv_heads = (size_t)sizes[1][0],
                       .q_len = (size_t)sizes[0][1],
                       .kv_len = (size_t)sizes[1][1],
                       .head = (size_t)sizes[0][2],
                       .v_head = (size_t)sizes[2][2],
                       .rank_3 = t[0].rank == 3};
  return HY_OK;
}

static hy_status is_cache(const hy__op_plan *p, const hy__attention *q, size_t k, hy_error *err) {
  const hy_tensor *t = &p->in[k];
  const size_t head = k == HY__ATTENTION_PAST_K ? q->head : q->v_head;
  HY_TRY(hy__op_same_type(p, 0, k, err));
  HY_FAIL_IF(t->rank != 4 || (size_t)t->dims[0] != q->batch || (size_t)t->dims[1] != q->kv_heads ||
                 (size_t)t->dims[3] != head,
             HY_BAD_FORMAT, err, "input %zu is not [%zu, %zu, length, %zu]", k, q->batch,
             q->kv_heads, head);
  return HY_OK;
}

static hy_status read_caches(const hy__op_plan *p, hy__attention *q, hy_error *err) {
  const bool past = hy__op_has(p, HY__ATTENTION_PAST_K);
  HY_FAIL_IF(past != hy__op_has(p, HY__ATTENTION_PAST_V), HY_BAD_FORMAT, err,
             "past_key and past_value go together");
  for (size_t k = HY__ATTENTION_PAST_K; past && k <= HY__ATTENTION_PAST_V; k++)
    HY_TRY(is_cache(p, q, k, err));
  if (past) {
    q->past_len = (size_t)p->in[HY__ATTENTION_PAST_K].dims[2];
    HY_FAIL_IF((size_t)p->in[HY__ATTENTION_PAST_V].dims[2] != q->past_len, HY_BAD_FORMAT, err,
               "past_key and past_value differ in length");
  }
  q->total = q->past_len + q->kv_len;
  if (!hy__op_has(p, HY__ATTENTION_LENGTHS)) return HY_OK;
  const hy_tensor *lengths = &p->in[HY__ATTENTION_LENGTHS];
  HY_FAIL_IF(past, HY_BAD_FORMAT, err, "nonpad_kv_seqlen and past_key exclude each other");
  HY_FAIL_IF(lengths->dtype != HY_I64 || hy__op_count_of(lengths) != q->batch, HY_BAD_FORMAT, err,
             "nonpad_kv_seqlen is not one i64 for each of %zu", q->batch);
  return HY_OK;
}

/* The mask broadcasts against [batch, q_heads, q_len, total]; its last dim may end early. */
static hy_status read_mask(const hy__op_plan *p, hy__attention *q, hy_error *err) {
  const int64_t against[4] = {(int64_t)q->batch, (int64_t)q->q_heads, (int64_t)q->q_len,
                              (int64_t)q->total};
  if (!hy__op_has(p, HY__ATTENTION_MASK)) return HY_OK;
  const hy_tensor *mask = &p->in[HY__ATTENTION_MASK];
  int64_t stride = 1;
  HY_FAIL_IF(mask->rank < 1 || mask->rank > 4, HY_BAD_FORMAT, err, "the mask has %d dims",
             (int)mask->rank);
  HY_FAIL_IF(!((HY__OP_NUMBERS | HY__OP_BOOLS) >> mask->dtype & 1), HY_UNSUPPORTED, err,
             "a mask of type %s", hy_dtype_name(mask->dtype));
  for (int32_t d = mask->rank - 1, to = 3; d >= 0; d--, to--) {
    const int64_t dim = mask->dims[d];
    const bool early = to == 3 && dim < against[3] && p->node->version >= 24;
    HY_FAIL_IF(dim != 1 && dim != against[to] && !early, HY_BAD_FORMAT, err,
               "dim %d of the mask is %lld, not 1 or %lld", (int)d, (long long)dim,
               (long long)against[to]);
    q->mask_strides[to] = dim == 1 && !(early && against[3] > 1) ? 0 : stride;
    stride *= dim;
  }
  const int64_t keys = mask->dims[mask->rank - 1];
  q->mask_keys = q->mask_strides[3] ? (size_t)keys : q->total;
  return HY_OK;
}

static hy_status read_options(const hy__op_plan *p, hy__attention *q, hy_error *err) {
  const int64_t show = hy__node_int(p->node, "qk_matmul_output_mode", 0);
  const hy__attr *scale = hy__node_attr(p->node, "scale");
  HY_FAIL_IF(show < HY__ATTENTION_RAW || show > HY__ATTENTION_SOFT, HY_BAD_FORMAT, err,
             "qk_matmul_output_mode is %lld", (long long)show);
  q->show = (hy__attention_show)show;
  q->causal = hy__node_int(p->node, "is_causal", 0) != 0;
  q->softcap = (double)hy__node_float(p->node, "softcap", 0);
  q->scale = scale ? (double)hy__node_float(p->node, "scale", 0)
                   : 1.0 / sqrt((double)HY_MAX(q->head, (size_t)1));
  q->left = hy__node_int(p->node, "left_window_size", -1);
  q->right = hy__node_int(p->node, "right_window_size", -1);
  HY_FAIL_IF(q->left < -1 || q->right < -1, HY_BAD_FORMAT, err, "a window of less than -1");
  return HY_OK;
}

static hy_status read(const hy__op_plan *p, hy__attention *q, hy_error *err) {
  HY_TRY(read_sizes(p, q, err));
  HY_TRY(read_caches(p, q, err));
  HY_TRY(read_mask(p, q, err));
  return read_options(p, q, err);
}

hy_status hy__op_attention_infer(hy__op_plan *p, hy_error *err) {
  hy__attention q;
  HY_TRY(read(p, &q, err));
  const hy_dtype dtype = p->in[0].dtype;
  const int64_t b = p->in[0].dims[0], q_len = (int64_t)q.q_len, kv = (int64_t)q.kv_heads,
                q_heads = (int64_t)q.q_heads, total = (int64_t)q.total, v_head = (int64_t)q.v_head;
  const int64_t y_3[] = {b, q_len, q_heads * v_head}, y_4[] = {b, q_heads, q_len, v_head};
  const int64_t keys[] = {b, kv, total, (int64_t)q.head}, values[] = {b, kv, total, v_head};
  const int64_t scores[] = {b, q_heads, q_len, total};
  HY_TRY(hy__op_out(p, HY__ATTENTION_Y, dtype, q.rank_3 ? 3 : 4, q.rank_3 ? y_3 : y_4, err));
  HY_TRY(hy__op_out(p, HY__ATTENTION_PRESENT_K, dtype, 4, keys, err));
  HY_TRY(hy__op_out(p, HY__ATTENTION_PRESENT_V, dtype, 4, values, err));
  return hy__op_out(p, HY__ATTENTION_SCORES, dtype, 4, scores, err);
}

/* The scratch's parts one behind the other; false on overflow. */
static bool place(size_t *at, size_t rows, size_t columns, size_t each, size_t *end) {
  size_t n, bytes;
  *at = *end;
  return hy__mul(rows, columns, &n) && hy__mul(n, each, &bytes) && hy__add(*end, bytes, &bytes) &&
         hy__round_up(bytes, HY_ALIGN, end);
}

static bool place_all(hy__attention *q, size_t each, size_t *end) {
  const size_t rows = HY_MIN(q->q_len, (size_t)HY__ATTENTION_BLOCK);
  *end = 0;
  return place(&q->at_k, q->total, q->head, each, end) &&
         place(&q->at_v, q->total, q->v_head, each, end) &&
         place(&q->at_packed_k, q->scores.packed_bytes, 1, 1, end) &&
         place(&q->at_packed_v, q->mix.packed_bytes, 1, 1, end) &&
         place(&q->at_q, rows, q->head, each, end) &&
         place(&q->at_scores, rows, q->total, each, end) &&
         place(&q->at_y, rows, q->v_head, each, end) && place(&q->at_bias, 1, q->total, each, end);
}

hy_status hy__op_attention_lower(hy__op_plan *p, hy_error *err) {
  const hy_dtype dtype = p->in[0].dtype;
  hy__attention *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  q->scores =
      (hy__product){.dtype = dtype, .n = q->total, .k = q->head, .transposed = true, .alpha = 1.0};
  q->mix = (hy__product){.dtype = dtype, .n = q->v_head, .k = q->total, .alpha = 1.0};
  HY_TRY(hy__product_lower(p, &q->scores, NULL, err));
  HY_TRY(hy__product_lower(p, &q->mix, NULL, err));
  HY_FAIL_IF(!place_all(q, hy_dtype_bytes(dtype), &p->scratch_bytes), HY_LIMIT, err,
             "the sequences are too long");
  p->params = q;
  p->run = hy__attention_run;
  return HY_OK;
}
