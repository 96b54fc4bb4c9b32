/* SPDX-License-Identifier: Apache-2.0 */
/* Normalisations along any axes without scale: LpNormalization (a line divided by its norm; a line
 * of zeros stays) and MeanVarianceNormalization. Sums in double. */
#include <math.h>
#include <string.h>

#include "op/rule.h"

typedef enum what { L1, L2, MEAN_VARIANCE } what;

typedef struct params {
  what what;
  hy__lines lines;
} params;

static hy_status axes_of(const hy__op_plan *p, bool *over, hy_error *err) {
  static const int64_t spatial[] = {0, 2, 3};
  const int32_t rank = p->in[0].rank;
  int64_t axes[HY__OP_LIST];
  int32_t n = 1, axis;
  if (p->node->op_type[0] == 'L') {
    axes[0] = hy__node_int(p->node, "axis", -1);
  } else {
    HY_TRY(hy__op_ints(p, 1, "axes", axes, &n, err));
    if (n < 0) {
      memcpy(axes, spatial, sizeof spatial);
      n = (int32_t)HY_COUNT(spatial);
    }
  }
  for (int32_t d = 0; d < rank; d++) over[d] = false;
  for (int32_t i = 0; i < n; i++) {
    HY_TRY(hy__op_axis(axes[i], rank, &axis, err));
    over[axis] = true;
  }
  return HY_OK;
}

static hy_status what_of(const hy__node *node, what *out, hy_error *err) {
  *out = MEAN_VARIANCE;
  if (node->op_type[0] != 'L') return HY_OK;
  const int64_t p = hy__node_int(node, "p", 2);
  HY_FAIL_IF(p != 1 && p != 2, HY_UNSUPPORTED, err, "p is %lld; 1 and 2 are done", (long long)p);
  *out = p == 1 ? L1 : L2;
  return HY_OK;
}

hy_status hy__op_line_norm_infer(hy__op_plan *p, hy_error *err) {
  bool over[HY_MAX_RANK];
  what w;
  HY_TRY(axes_of(p, over, err));
  HY_TRY(what_of(p->node, &w, err));
  p->out_inplace[0] = 1;
  return hy__op_out_like(p, 0, &p->in[0], err);
}

/* body sees i, the place of each element of the line that begins at `base`. */
#define EACH_PLACE(q, base, body)                                                                  \
  {                                                                                                \
    int64_t index_[HY_MAX_RANK] = {0}, at_[HY__WALK_OPERANDS] = {0};                               \
    for (size_t r_ = 0; r_ < (q)->lines.inner.n_rows; r_++) {                                      \
      for (size_t k_ = 0; k_ < (q)->lines.inner.row; k_++) {                                       \
        const int64_t i = (base) + at_[0] + (int64_t)k_ * (q)->lines.inner.inner[0];               \
        body                                                                                       \
      }                                                                                            \
      hy__walk_next(&(q)->lines.inner, index_, at_);                                               \
    }                                                                                              \
  }

#define LINE(type)                                                                                 \
  static void line_##type(const params *q, const type *x, type *y, int64_t base) {                 \
    double mean = 0.0, sum = 0.0;                                                                  \
    switch (q->what) {                                                                             \
    case L1: EACH_PLACE(q, base, sum += fabs((double)x[i]);) break;                                \
    case L2:                                                                                       \
      EACH_PLACE(q, base, sum += (double)x[i] * (double)x[i];)                                     \
      sum = sqrt(sum);                                                                             \
      break;                                                                                       \
    case MEAN_VARIANCE:                                                                            \
      EACH_PLACE(q, base, mean += (double)x[i];)                                                   \
      mean /= (double)q->lines.n;                                                                  \
      EACH_PLACE(q, base, sum += ((double)x[i] - mean) * ((double)x[i] - mean);)                   \
      sum = sqrt(sum / (double)q->lines.n) + 1e-9; /* as the standard's function body has it */    \
      break;                                                                                       \
    }                                                                                              \
    if (sum == 0.0) sum = 1.0;                                                                     \
    EACH_PLACE(q, base, y[i] = (type)(((double)x[i] - mean) / sum);)                               \
  }
LINE(float)
LINE(double)
#undef LINE

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const hy__walk *kept = &q->lines.kept;
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  (void)err;
  for (size_t r = 0; r < kept->n_rows; r++) {
    for (size_t k = 0; k < kept->row; k++) {
      const int64_t base = at[0] + (int64_t)k * kept->inner[0];
      if (x->dtype == HY_F64)
        line_double(q, x->data, y->data, base);
      else
        line_float(q, x->data, y->data, base);
    }
    hy__walk_next(kept, index, at);
  }
  return HY_OK;
}

hy_status hy__op_line_norm_lower(hy__op_plan *p, hy_error *err) {
  bool over[HY_MAX_RANK];
  params *q;
  HY_TRY(axes_of(p, over, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(what_of(p->node, &q->what, err));
  hy__lines_make(&q->lines, &p->in[0], over);
  p->params = q;
  p->run = run;
  return HY_OK;
}
