/* SPDX-License-Identifier: Apache-2.0 */
/* Equal, Less, LessOrEqual, Greater, GreaterOrEqual: broadcast; NaN compares false. Equal takes
 * bools and strings too. */
#include "op/rule.h"

typedef enum what { EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL } what;

typedef struct params {
  hy__walk walk;
  what what;
} params;

hy_status hy__op_compare_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_elementwise(p, HY_BOOL, err));
  if (hy_dtype_bytes(p->in[0].dtype) > 1) p->out_inplace[0] = 0;
  return HY_OK;
}

typedef struct row {
  const void *a, *b;
  int64_t step_a, step_b;
  size_t n;
  uint8_t *to;
} row;

#define COMPARE_LOOP(type, operation)                                                              \
  for (size_t i = 0; i < r->n; i++)                                                                \
    r->to[i] = ((const type *)r->a)[(int64_t)i * r->step_a] operation(                             \
        (const type *)r->b)[(int64_t)i * r->step_b];                                               \
  break
#define COMPARE_ROWS(name, type)                                                                   \
  static void compare_##name(const row *r, what w) {                                               \
    switch (w) {                                                                                   \
    case EQUAL: COMPARE_LOOP(type, ==);                                                            \
    case LESS: COMPARE_LOOP(type, <);                                                              \
    case LESS_EQUAL: COMPARE_LOOP(type, <=);                                                       \
    case GREATER: COMPARE_LOOP(type, >);                                                           \
    default: COMPARE_LOOP(type, >=);                                                               \
    }                                                                                              \
  }
COMPARE_ROWS(f32, float)
COMPARE_ROWS(f64, double)
COMPARE_ROWS(i8, int8_t)
COMPARE_ROWS(i16, int16_t)
COMPARE_ROWS(i32, int32_t)
COMPARE_ROWS(i64, int64_t)
COMPARE_ROWS(u8, uint8_t)
COMPARE_ROWS(u16, uint16_t)
COMPARE_ROWS(u32, uint32_t)
COMPARE_ROWS(u64, uint64_t)

static void compare_str(const row *r, what w) {
  (void)w; /* Equal alone takes strings */
  for (size_t i = 0; i < r->n; i++) {
    const hy_string *a = (const hy_string *)r->a + (int64_t)i * r->step_a;
    const hy_string *b = (const hy_string *)r->b + (int64_t)i * r->step_b;
    r->to[i] = a->len_bytes == b->len_bytes &&
               (!a->len_bytes || memcmp(a->data, b->data, a->len_bytes) == 0);
  }
}

static void compare_bool(const row *r, what w) {
  (void)w;
  for (size_t i = 0; i < r->n; i++)
    r->to[i] = (((const uint8_t *)r->a)[(int64_t)i * r->step_a] != 0) ==
               (((const uint8_t *)r->b)[(int64_t)i * r->step_b] != 0);
}

typedef void (*row_fn)(const row *r, what w);
static const row_fn rows[HY_BF16 + 1] = {
    [HY_F32] = compare_f32, [HY_F64] = compare_f64,    [HY_I8] = compare_i8,
    [HY_I16] = compare_i16, [HY_I32] = compare_i32,    [HY_I64] = compare_i64,
    [HY_U8] = compare_u8,   [HY_U16] = compare_u16,    [HY_U32] = compare_u32,
    [HY_U64] = compare_u64, [HY_STRING] = compare_str, [HY_BOOL] = compare_bool};

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy__walk *w = &q->walk;
  size_t each = hy_dtype_bytes(s->in[0].dtype);
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  row r = {.step_a = w->inner[0], .step_b = w->inner[1], .n = w->row, .to = s->out[0].data};
  for (size_t i = 0; i < w->n_rows; i++, r.to += w->row) {
    r.a = (const uint8_t *)s->in[0].data + at[0] * (int64_t)each;
    r.b = (const uint8_t *)s->in[1].data + at[1] * (int64_t)each;
    rows[s->in[0].dtype](&r, q->what);
    hy__walk_next(w, index, at);
  }
  return HY_OK;
}

hy_status hy__op_compare_lower(hy__op_plan *p, hy_error *err) {
  static const char *const names[] = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"};
  const hy_tensor *both[2] = {&p->in[0], &p->in[1]};
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(names[i], p->node->op_type) == 0) q->what = (what)i;
  hy__walk_broadcast(&q->walk, &p->out[0], both, 2);
  p->params = q;
  p->run = run;
  return HY_OK;
}
