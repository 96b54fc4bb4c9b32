/* SPDX-License-Identifier: Apache-2.0 */
/* The Reduce family. Floats accumulate in double and round once; integers in 64 bits, wrapping. Max
 * and Min pass NaN on. Axes are an attribute in old opsets (ReduceSum until 12, others until 17),
 * an input known at planning since; noop_with_empty_axes. */
#include <math.h>

#include "op/rule.h"

typedef enum what { SUM, MEAN, MAX, MIN, PROD, L1, L2, SUM_SQUARE, LOG_SUM, LOG_SUM_EXP } what;

typedef struct params {
  what what;
  hy__lines lines; /* one for each output element */
} params;

static hy_status read_axes(const hy__op_plan *p, bool *reduced, hy_error *err) {
  int64_t axes[HY__OP_LIST];
  int32_t n, rank = p->in[0].rank;
  HY_TRY(hy__op_ints(p, 1, "axes", axes, &n, err));
  bool all = n < 0 || (n == 0 && !hy__node_int(p->node, "noop_with_empty_axes", 0));
  if (n < 0 && hy__node_int(p->node, "noop_with_empty_axes", 0)) all = false;
  for (int32_t d = 0; d < rank; d++) reduced[d] = all;
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    HY_TRY(hy__op_axis(axes[i], rank, &axis, err));
    reduced[axis] = true;
  }
  return HY_OK;
}

hy_status hy__op_reduce_infer(hy__op_plan *p, hy_error *err) {
  bool reduced[HY_MAX_RANK], keep = hy__node_int(p->node, "keepdims", 1) != 0;
  int64_t dims[HY_MAX_RANK];
  int32_t rank = 0;
  HY_TRY(read_axes(p, reduced, err));
  for (int32_t d = 0; d < p->in[0].rank; d++)
    if (!reduced[d])
      dims[rank++] = p->in[0].dims[d];
    else if (keep)
      dims[rank++] = 1;
  return hy__op_out(p, 0, p->in[0].dtype, rank, dims, err);
}

/* Visits each row of the elements that output element `base` takes in. */
#define EACH_ELEMENT(type, q, data, base, body)                                                    \
  {                                                                                                \
    int64_t index_[HY_MAX_RANK] = {0}, at_[HY__WALK_OPERANDS] = {0};                               \
    for (size_t r_ = 0; r_ < (q)->lines.inner.n_rows; r_++) {                                      \
      const type *row_ = (const type *)(data) + (base) + at_[0];                                   \
      for (size_t i_ = 0; i_ < (q)->lines.inner.row; i_++) {                                       \
        type x = row_[(int64_t)i_ * (q)->lines.inner.inner[0]];                                    \
        body                                                                                       \
      }                                                                                            \
      hy__walk_next(&(q)->lines.inner, index_, at_);                                               \
    }                                                                                              \
  }

static double finish(what w, double sum, size_t n) {
  switch (w) {
  case MEAN: return sum / (double)n;
  case L2: return sqrt(sum);
  case LOG_SUM: return hy__ln(sum);
  default: return sum;
  }
}

#define FLOAT_LINE(name, type)                                                                     \
  static double line_##name(const params *q, const type *data, int64_t base) {                     \
    double sum = q->what == PROD ? 1 : 0;                                                          \
    double top = q->what == MIN ? (double)INFINITY : -(double)INFINITY;                            \
    switch (q->what) {                                                                             \
    case MAX:                                                                                      \
      EACH_ELEMENT(type, q, data, base, if ((double)x > top || x != x) top = (double)x;            \
                   if (x != x) return (double)x;)                                                  \
      return top;                                                                                  \
    case MIN:                                                                                      \
      EACH_ELEMENT(type, q, data, base, if ((double)x < top || x != x) top = (double)x;            \
                   if (x != x) return (double)x;)                                                  \
      return top;                                                                                  \
    case PROD: EACH_ELEMENT(type, q, data, base, sum *= (double)x;) return sum;                    \
    case L1: EACH_ELEMENT(type, q, data, base, sum += fabs((double)x);) return sum;                \
    case L2:                                                                                       \
    case SUM_SQUARE:                                                                               \
      EACH_ELEMENT(type, q, data, base, sum += (double)x * (double)x;)                             \
      return finish(q->what, sum, q->lines.n);                                                     \
    case LOG_SUM_EXP:                                                                              \
      EACH_ELEMENT(type, q, data, base, if ((double)x > top || x != x) top = (double)x;)           \
      if (!isfinite(top)) return top;                                                              \
      EACH_ELEMENT(type, q, data, base, sum += hy__exp((double)x - top);)                          \
      return top + hy__ln(sum);                                                                    \
    default:                                                                                       \
      EACH_ELEMENT(type, q, data, base, sum += (double)x;)                                         \
      return finish(q->what, sum, q->lines.n);                                                     \
    }                                                                                              \
  }
FLOAT_LINE(f32, float)
FLOAT_LINE(f64, double)

/* Integers: exact operations in 64 bits; roots and logarithms by double. */
static int64_t through_double(const params *q, double v) {
  double out = q->what == L2 ? sqrt(v) : hy__ln(v);
  return out > -0x1p62 && out < 0x1p62 ? (int64_t)out : 0;
}

#define INT_LINE(name, type, least, most, negative)                                                \
  static int64_t line_##name(const params *q, const type *data, int64_t base) {                    \
    uint64_t sum = q->what == PROD ? 1 : 0;                                                        \
    type top = q->what == MIN ? (most) : (least);                                                  \
    double wide = 0;                                                                               \
    switch (q->what) {                                                                             \
    case MAX: EACH_ELEMENT(type, q, data, base, if (x > top) top = x;) return (int64_t)top;        \
    case MIN: EACH_ELEMENT(type, q, data, base, if (x < top) top = x;) return (int64_t)top;        \
    case PROD: EACH_ELEMENT(type, q, data, base, sum *= (uint64_t)x;) return (int64_t)sum;         \
    case L1:                                                                                       \
      EACH_ELEMENT(type, q, data, base, sum += (negative) ? 0 - (uint64_t)x : (uint64_t)x;)        \
      return (int64_t)sum;                                                                         \
    case SUM_SQUARE:                                                                               \
      EACH_ELEMENT(type, q, data, base, sum += (uint64_t)x * (uint64_t)x;)                         \
      return (int64_t)sum;                                                                         \
    case L2:                                                                                       \
      EACH_ELEMENT(type, q, data, base, wide += (double)x * (double)x;)                            \
      return through_double(q, wide);                                                              \
    case LOG_SUM:                                                                                  \
      EACH_ELEMENT(type, q, data, base, wide += (double)x;)                                        \
      return through_double(q, wide);                                                              \
    case LOG_SUM_EXP:                                                                              \
      EACH_ELEMENT(type, q, data, base, wide += hy__exp((double)x);)                               \
      return through_double(q, wide);                                                              \
    case MEAN:                                                                                     \
      EACH_ELEMENT(type, q, data, base, sum += (uint64_t)x;)                                       \
      return q->lines.n ? (int64_t)sum / (int64_t)q->lines.n : 0;                                  \
    default: EACH_ELEMENT(type, q, data, base, sum += (uint64_t)x;) return (int64_t)sum;           \
    }                                                                                              \
  }
INT_LINE(i8, int8_t, INT8_MIN, INT8_MAX, x < 0)
INT_LINE(i16, int16_t, INT16_MIN, INT16_MAX, x < 0)
INT_LINE(i32, int32_t, INT32_MIN, INT32_MAX, x < 0)
INT_LINE(i64, int64_t, INT64_MIN, INT64_MAX, x < 0)
INT_LINE(u8, uint8_t, 0, UINT8_MAX, false)
INT_LINE(bool, uint8_t, 0, 1, false)
INT_LINE(u16, uint16_t, 0, UINT16_MAX, false)
INT_LINE(u32, uint32_t, 0, UINT32_MAX, false)
INT_LINE(u64, uint64_t, 0, UINT64_MAX, false)

static void element(const hy__step *s, const params *q, int64_t base, size_t to) {
  const void *in = s->in[0].data;
  void *out = s->out[0].data;
  switch (s->in[0].dtype) {
  case HY_F32: ((float *)out)[to] = (float)line_f32(q, in, base); break;
  case HY_F64: ((double *)out)[to] = line_f64(q, in, base); break;
  case HY_I8: ((int8_t *)out)[to] = (int8_t)line_i8(q, in, base); break;
  case HY_I16: ((int16_t *)out)[to] = (int16_t)line_i16(q, in, base); break;
  case HY_I32: ((int32_t *)out)[to] = (int32_t)line_i32(q, in, base); break;
  case HY_I64: ((int64_t *)out)[to] = line_i64(q, in, base); break;
  case HY_BOOL: ((uint8_t *)out)[to] = (uint8_t)line_bool(q, in, base); break; /* Max and Min */
  case HY_U8: ((uint8_t *)out)[to] = (uint8_t)line_u8(q, in, base); break;
  case HY_U16: ((uint16_t *)out)[to] = (uint16_t)line_u16(q, in, base); break;
  case HY_U32: ((uint32_t *)out)[to] = (uint32_t)line_u32(q, in, base); break;
  default: ((uint64_t *)out)[to] = (uint64_t)line_u64(q, in, base); break;
  }
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  size_t to = 0;
  for (size_t r = 0; r < q->lines.kept.n_rows; r++) {
    for (size_t i = 0; i < q->lines.kept.row; i++)
      element(s, q, at[0] + (int64_t)i * q->lines.kept.inner[0], to++);
    hy__walk_next(&q->lines.kept, index, at);
  }
  return HY_OK;
}

hy_status hy__op_reduce_lower(hy__op_plan *p, hy_error *err) {
  static const char *const names[] = {"Sum", "Mean", "Max",       "Min",    "Prod",
                                      "L1",  "L2",   "SumSquare", "LogSum", "LogSumExp"};
  bool reduced[HY_MAX_RANK];
  void *memory;
  HY_TRY(read_axes(p, reduced, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (strcmp(names[i], p->node->op_type + strlen("Reduce")) == 0) q->what = (what)i;
  hy__lines_make(&q->lines, &p->in[0], reduced);
  p->params = q;
  p->run = run;
  return HY_OK;
}
