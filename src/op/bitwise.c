/* SPDX-License-Identifier: Apache-2.0 */
/* BitwiseAnd, BitwiseOr, BitwiseXor, BitwiseNot and BitShift of integers of any width: broadcast. A
 * shift by less than nothing, or by the width and more, leaves the fill: a negative number's sign
 * on the way to the right, else zeros. */
#include "op/rule.h"

typedef enum what { AND, OR, XOR, NOT, LEFT, RIGHT, RIGHT_SIGNED } what;

typedef struct params {
  hy__walk walk;
  what what;
} params;

hy_status hy__op_bitwise_infer(hy__op_plan *p, hy_error *err) {
  return hy__op_elementwise(p, p->in[0].dtype, err);
}

typedef struct row {
  const void *a, *b;
  int64_t step_a, step_b;
  size_t n;
  void *to;
} row;

#define EACH(type, expression)                                                                     \
  for (size_t i = 0; i < r->n; i++) {                                                              \
    const type x = ((const type *)r->a)[(int64_t)i * r->step_a];                                   \
    const type y = ((const type *)r->b)[(int64_t)i * r->step_b];                                   \
    (void)y;                                                                                       \
    ((type *)r->to)[i] = (type)(expression);                                                       \
  }                                                                                                \
  break
#define ROWS(name, type, stype)                                                                    \
  static void row_##name(const row *r, what w) {                                                   \
    const type bits = 8 * sizeof(type);                                                            \
    switch (w) {                                                                                   \
    case AND: EACH(type, x &y);                                                                    \
    case OR: EACH(type, x | y);                                                                    \
    case XOR: EACH(type, x ^ y);                                                                   \
    case NOT: EACH(type, ~x);                                                                      \
    case LEFT: EACH(type, y < bits ? (uint64_t)x << y : 0);                                        \
    case RIGHT: EACH(type, y < bits ? x >> y : 0);                                                 \
    default: EACH(type, (stype)x >> (y < bits ? y : bits - 1));                                    \
    }                                                                                              \
  }
ROWS(u8, uint8_t, int8_t)
ROWS(u16, uint16_t, int16_t)
ROWS(u32, uint32_t, int32_t)
ROWS(u64, uint64_t, int64_t)

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy__walk *w = &q->walk;
  const size_t each = hy_dtype_bytes(s->out[0].dtype);
  const char *a = s->in[0].data, *b = s->in[s->n_in - 1].data;
  char *to = s->out[0].data;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  for (size_t i = 0; i < w->n_rows; i++, to += w->row * each) {
    const row r = {
        a + at[0] * (int64_t)each, b + at[1] * (int64_t)each, w->inner[0], w->inner[1], w->row, to};
    switch (each) {
    case 1: row_u8(&r, q->what); break;
    case 2: row_u16(&r, q->what); break;
    case 4: row_u32(&r, q->what); break;
    default: row_u64(&r, q->what); break;
    }
    hy__walk_next(w, index, at);
  }
  return HY_OK;
}

static hy_status what_of(const hy__node *node, what *out, hy_error *err) {
  static const char *const names[] = {"BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot"};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(names[i], node->op_type) == 0) {
      *out = (what)i;
      return HY_OK;
    }
  const hy_string s = hy__node_string(node, "direction", "");
  *out = s.len_bytes == 4 && memcmp(s.data, "LEFT", 4) == 0 ? LEFT : RIGHT;
  HY_FAIL_IF(*out == RIGHT && (s.len_bytes != 5 || memcmp(s.data, "RIGHT", 5) != 0), HY_BAD_FORMAT,
             err, "direction is '%.*s'", (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
  return HY_OK;
}

hy_status hy__op_bitwise_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *both[2] = {&p->in[0], &p->in[p->n_in - 1]};
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(what_of(p->node, &q->what, err));
  hy__walk_broadcast(&q->walk, &p->out[0], both, 2);
  if (q->what == RIGHT && (HY__OP_SIGNED >> p->in[0].dtype & 1)) q->what = RIGHT_SIGNED;
  p->params = q;
  p->run = run;
  return HY_OK;
}
