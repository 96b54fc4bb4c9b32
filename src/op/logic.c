/* SPDX-License-Identifier: Apache-2.0 */
/* And, Or, Xor, Not over bools; IsNaN and IsInf over floats. */
#include <math.h>

#include "op/narrow.h"

typedef struct params {
  hy__walk walk;
  char what; /* A, O, X */
  bool negative, positive;
} params;

hy_status hy__op_logic_infer(hy__op_plan *p, hy_error *err) {
  if (p->n_in == 1) return hy__op_out(p, 0, HY_BOOL, p->in[0].rank, p->in[0].dims, err);
  return hy__op_elementwise(p, HY_BOOL, err);
}

static hy_status run_two(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy__walk *w = &q->walk;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  uint8_t *to = s->out[0].data;
  for (size_t r = 0; r < w->n_rows; r++) {
    const uint8_t *a = (const uint8_t *)s->in[0].data + at[0];
    const uint8_t *b = (const uint8_t *)s->in[1].data + at[1];
    for (size_t i = 0; i < w->row; i++, to++) {
      bool x = a[(int64_t)i * w->inner[0]] != 0, y = b[(int64_t)i * w->inner[1]] != 0;
      *to = q->what == 'A' ? (x && y) : q->what == 'O' ? (x || y) : (x != y);
    }
    hy__walk_next(w, index, at);
  }
  return HY_OK;
}

static hy_status run_not(const hy__step *s, hy_error *err) {
  (void)err;
  size_t n = hy__op_count_of(&s->in[0]);
  for (size_t i = 0; i < n; i++)
    ((uint8_t *)s->out[0].data)[i] = !((const uint8_t *)s->in[0].data)[i];
  return HY_OK;
}

static hy_status run_is_nan(const hy__step *s, hy_error *err) {
  (void)err;
  size_t n = hy__op_count_of(&s->in[0]);
  for (size_t i = 0; i < n; i++) {
    double v = hy__narrow_value(&s->in[0], i);
    ((uint8_t *)s->out[0].data)[i] = v != v;
  }
  return HY_OK;
}

static hy_status run_is_inf(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  size_t n = hy__op_count_of(&s->in[0]);
  for (size_t i = 0; i < n; i++) {
    double v = hy__narrow_value(&s->in[0], i);
    ((uint8_t *)s->out[0].data)[i] =
        (v == (double)INFINITY && q->positive) || (v == -(double)INFINITY && q->negative);
  }
  return HY_OK;
}

hy_status hy__op_logic_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  const char *name = p->node->op_type;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->what = name[0];
  q->negative = hy__node_int(p->node, "detect_negative", 1) != 0;
  q->positive = hy__node_int(p->node, "detect_positive", 1) != 0;
  p->params = q;
  if (p->n_in == 1) {
    p->run = name[0] == 'N' ? run_not : name[2] == 'N' ? run_is_nan : run_is_inf;
    return HY_OK;
  }
  const hy_tensor *both[2] = {&p->in[0], &p->in[1]};
  hy__walk_broadcast(&q->walk, &p->out[0], both, 2);
  p->run = run_two;
  return HY_OK;
}
