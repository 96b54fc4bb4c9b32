/* SPDX-License-Identifier: Apache-2.0 */
/* RotaryEmbedding: pairs of a head's first elements turned by the angles of their position, whose
 * cosines and sines stand in caches: per batch and place, or per position id. */
#include "op/rule.h"

typedef struct params {
  size_t batch, heads, length, head, half; /* half: pairs that turn */
  size_t cache_rows;                       /* with position ids: how many there are */
  bool rank_3, interleaved;
} params;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const int64_t heads = hy__node_int(p->node, "num_heads", 0);
  int64_t turned = hy__node_int(p->node, "rotary_embedding_dim", 0);
  HY_FAIL_IF(x->rank != 3 && x->rank != 4, HY_BAD_FORMAT, err, "X has %d dims, not 3 or 4",
             (int)x->rank);
  HY_FAIL_IF(x->rank == 3 && (heads < 1 || x->dims[2] % heads != 0), HY_BAD_FORMAT, err,
             "num_heads %lld does not part rows of %lld", (long long)heads, (long long)x->dims[2]);
  *q = (params){.batch = (size_t)x->dims[0],
                .heads = (size_t)(x->rank == 3 ? heads : x->dims[1]),
                .length = (size_t)x->dims[x->rank == 3 ? 1 : 2],
                .head = (size_t)(x->rank == 3 ? x->dims[2] / heads : x->dims[3]),
                .rank_3 = x->rank == 3,
                .interleaved = hy__node_int(p->node, "interleaved", 0) != 0};
  if (turned == 0) turned = (int64_t)q->head;
  HY_FAIL_IF(turned < 0 || turned > (int64_t)q->head || turned % 2 != 0, HY_BAD_FORMAT, err,
             "rotary_embedding_dim is %lld for heads of %zu", (long long)turned, q->head);
  q->half = (size_t)turned / 2;
  return HY_OK;
}

static hy_status check_caches(const hy__op_plan *p, params *q, hy_error *err) {
  const bool by_id = hy__op_has(p, 3);
  if (by_id) {
    HY_FAIL_IF(p->in[3].dtype != HY_I64 || hy__op_count_of(&p->in[3]) != q->batch * q->length,
               HY_BAD_FORMAT, err, "position_ids is not one i64 for each place");
    q->cache_rows = (size_t)p->in[1].dims[0];
  }
  for (size_t k = 1; k < 3; k++) {
    const hy_tensor *t = &p->in[k];
    HY_TRY(hy__op_same_type(p, 0, k, err));
    const size_t rows = by_id ? q->cache_rows : q->batch * q->length;
    HY_FAIL_IF(t->rank != (by_id ? 2 : 3) || (size_t)t->dims[t->rank - 1] != q->half ||
                   hy__op_count_of(t) != rows * q->half,
               HY_BAD_FORMAT, err, "input %zu is not %zu rows of %zu angles", k, rows, q->half);
  }
  return HY_OK;
}

hy_status hy__op_rotary_embedding_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  HY_TRY(check_caches(p, &q, err));
  return hy__op_out_like(p, 0, &p->in[0], err);
}

/* One head at one place. */
#define TURN(type)                                                                                 \
  static void turn_##type(const hy__step *step, size_t at, size_t angles) {                        \
    const params *q = step->params;                                                                \
    const type *x = (const type *)step->in[0].data + at;                                           \
    const type *cosines = (const type *)step->in[1].data + angles;                                 \
    const type *sines = (const type *)step->in[2].data + angles;                                   \
    type *y = (type *)step->out[0].data + at;                                                      \
    const size_t apart = q->interleaved ? 1 : q->half, pace = q->interleaved ? 2 : 1;              \
    for (size_t i = 0; i < q->half; i++) {                                                         \
      const type a = x[i * pace], b = x[i * pace + apart];                                         \
      y[i * pace] = cosines[i] * a - sines[i] * b;                                                 \
      y[i * pace + apart] = sines[i] * a + cosines[i] * b;                                         \
    }                                                                                              \
    for (size_t i = 2 * q->half; i < q->head; i++) y[i] = x[i];                                    \
  }
TURN(float)
TURN(double)
#undef TURN

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const int64_t *ids = step->n_in > 3 ? step->in[3].data : NULL;
  for (size_t place = 0; place < q->batch * q->length; place++) {
    size_t row = place;
    if (ids) {
      const int64_t id = ids[place], n = (int64_t)q->cache_rows;
      HY_FAIL_IF(id < -n || id >= n, HY_INVALID_ARGUMENT, err,
                 "position id %lld is outside [-%lld, %lld)", (long long)id, (long long)n,
                 (long long)n);
      row = (size_t)(id < 0 ? id + n : id);
    }
    for (size_t h = 0; h < q->heads; h++) {
      const size_t b = place / q->length, t = place % q->length;
      const size_t at = q->rank_3 ? place * q->heads + h : (b * q->heads + h) * q->length + t;
      if (step->in[0].dtype == HY_F64)
        turn_double(step, at * q->head, row * q->half);
      else
        turn_float(step, at * q->head, row * q->half);
    }
  }
  return HY_OK;
}

hy_status hy__op_rotary_embedding_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  HY_TRY(check_caches(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
