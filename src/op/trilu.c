/* SPDX-License-Identifier: Apache-2.0 */
/* Trilu: the upper or lower triangle of matrices, zero elsewhere. */
#include "op/rule.h"

hy_status hy__op_trilu_infer(hy__op_plan *p, hy_error *err) {
  HY_FAIL_IF(p->in[0].rank < 2, HY_BAD_FORMAT, err, "needs matrices, not rank %d",
             (int)p->in[0].rank);
  HY_FAIL_IF(hy__op_has(p, 1) && (p->in[1].dtype != HY_I64 || hy__op_count_of(&p->in[1]) != 1),
             HY_BAD_FORMAT, err, "k must be one i64");
  return hy__op_out_like(p, 0, &p->in[0], err);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  bool upper = *(const bool *)s->params;
  const hy_tensor *in = &s->in[0];
  int64_t k = s->n_in > 1 && s->in[1].data ? *(const int64_t *)s->in[1].data : 0;
  int64_t rows = in->dims[in->rank - 2], cols = in->dims[in->rank - 1];
  size_t each = hy_dtype_bytes(in->dtype), n = hy__op_count_of(in);
  k = HY_MIN(HY_MAX(k, -rows - 1), cols + 1);
  for (size_t i = 0; i < n; i++) {
    int64_t col = (int64_t)i % cols, row = (int64_t)i / cols % rows;
    uint8_t *to = (uint8_t *)s->out[0].data + i * each;
    bool keep = upper ? col - row >= k : col - row <= k;
    if (keep)
      memcpy(to, (const uint8_t *)in->data + i * each, each);
    else
      memset(to, 0, each);
  }
  return HY_OK;
}

hy_status hy__op_trilu_lower(hy__op_plan *p, hy_error *err) {
  void *upper;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(bool), 1, &upper, err));
  *(bool *)upper = hy__node_int(p->node, "upper", 1) != 0;
  p->params = upper;
  p->run = run;
  return HY_OK;
}
