/* SPDX-License-Identifier: Apache-2.0
 * Gemm of integers, in a plain loop whose sums wrap in 64 bits. alpha and beta are floats: where
 * one is not 1, what it scales goes through double and is cut to an integer. */
#include "op/element.h"
#include "op/product.h"

typedef struct params {
  size_t m, n, k;
  bool trans_a, trans_b;
  double alpha, beta;
  hy__walk c; /* C over the output's elements */
} params;

static uint64_t scaled(uint64_t v, double by, bool is_u64) {
  if (by == 1.0) return v;
  return (uint64_t)hy__element_cut((is_u64 ? (double)v : (double)(int64_t)v) * by);
}

static uint64_t product(const hy__step *s, const params *q, size_t i, size_t j) {
  uint64_t sum = 0;
  for (size_t k = 0; k < q->k; k++) {
    const size_t a = q->trans_a ? k * q->m + i : i * q->k + k;
    const size_t b = q->trans_b ? j * q->k + k : k * q->n + j;
    sum += (uint64_t)hy__element_whole(&s->in[0], (int64_t)a) *
           (uint64_t)hy__element_whole(&s->in[1], (int64_t)b);
  }
  return sum;
}

static hy_status run(const hy__step *s, hy_error *err) {
  const params *q = s->params;
  const bool is_u64 = s->out[0].dtype == HY_U64, has_c = s->n_in > 2 && s->in[2].data;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  size_t to = 0;
  (void)err;
  for (size_t row = 0; row < q->c.n_rows; row++) {
    for (size_t i = 0; i < q->c.row; i++, to++) {
      uint64_t v = scaled(product(s, q, to / q->n, to % q->n), q->alpha, is_u64);
      if (has_c)
        v += scaled((uint64_t)hy__element_whole(&s->in[2], at[0] + (int64_t)i * q->c.inner[0]),
                    q->beta, is_u64);
      hy__element_put_whole(&s->out[0], (int64_t)to, (int64_t)v);
    }
    hy__walk_next(&q->c, index, at);
  }
  return HY_OK;
}

hy_status hy__gemm_integer_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor none = {.rank = 0};
  const hy_tensor *c[1] = {hy__op_has(p, 2) ? &p->in[2] : &none};
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->trans_a = hy__node_int(p->node, "transA", 0) != 0;
  q->trans_b = hy__node_int(p->node, "transB", 0) != 0;
  q->alpha = (double)hy__node_float(p->node, "alpha", 1.0f);
  q->beta = (double)hy__node_float(p->node, "beta", 1.0f);
  q->m = (size_t)p->out[0].dims[0];
  q->n = (size_t)p->out[0].dims[1];
  q->k = (size_t)p->in[0].dims[q->trans_a ? 0 : 1];
  hy__walk_broadcast(&q->c, &p->out[0], c, 1);
  p->params = q;
  p->run = run;
  return HY_OK;
}
