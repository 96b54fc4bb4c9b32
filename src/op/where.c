/* SPDX-License-Identifier: Apache-2.0 */
/* Where: elements of one or the other input by a broadcast condition. */
#include "op/rule.h"

hy_status hy__op_where_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *all[3] = {&p->in[0], &p->in[1], &p->in[2]};
  int64_t dims[HY_MAX_RANK];
  int32_t rank;
  HY_TRY(hy__op_same_type(p, 1, 2, err));
  HY_TRY(hy__op_broadcast(all, 3, &rank, dims, err));
  return hy__op_out(p, 0, p->in[1].dtype, rank, dims, err);
}

#define WHERE_ROW(type)                                                                            \
  for (size_t i = 0; i < w->row; i++) {                                                            \
    const type *x = (const type *)a + at[1] + (int64_t)i * w->inner[1];                            \
    const type *y = (const type *)b + at[2] + (int64_t)i * w->inner[2];                            \
    ((type *)to)[i] = c[at[0] + (int64_t)i * w->inner[0]] ? *x : *y;                               \
  }

static void row_of(const hy__walk *w, const int64_t *at, const hy__step *s, size_t each, void *to) {
  const uint8_t *c = s->in[0].data;
  const void *a = s->in[1].data, *b = s->in[2].data;
  switch (each) {
  case 1: WHERE_ROW(uint8_t) break;
  case 2: WHERE_ROW(uint16_t) break;
  case 4: WHERE_ROW(uint32_t) break;
  case 8: WHERE_ROW(uint64_t) break;
  default: WHERE_ROW(hy_string) break;
  }
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const hy__walk *w = s->params;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  size_t each = hy_dtype_bytes(s->out[0].dtype);
  uint8_t *to = s->out[0].data;
  for (size_t r = 0; r < w->n_rows; r++, to += w->row * each) {
    row_of(w, at, s, each, to);
    hy__walk_next(w, index, at);
  }
  return HY_OK;
}

hy_status hy__op_where_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *all[3] = {&p->in[0], &p->in[1], &p->in[2]};
  void *walk;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(hy__walk), _Alignof(hy__walk), &walk, err));
  hy__walk_broadcast(walk, &p->out[0], all, 3);
  p->params = walk;
  p->run = run;
  return HY_OK;
}
