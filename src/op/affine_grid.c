/* SPDX-License-Identifier: Apache-2.0 */
/* AffineGrid: the coordinates of a regular grid over [-1, 1] under an affine map per batch entry,
 * in two or three dims, for GridSample. The size must be known at planning. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  int32_t n; /* 2 or 3 */
  int64_t dims[3];
  bool align_corners;
} params;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const hy_tensor *theta = &p->in[0];
  int64_t size[HY__OP_LIST];
  int32_t n;
  HY_TRY(hy__op_ints(p, 1, NULL, size, &n, err));
  *q = (params){.n = n - 2, .align_corners = hy__node_int(p->node, "align_corners", 0) != 0};
  HY_FAIL_IF(q->n < 2 || q->n > 3 || theta->rank != 3 || theta->dims[0] != size[0] ||
                 theta->dims[1] != q->n || theta->dims[2] != q->n + 1,
             HY_BAD_FORMAT, err, "theta of %d dims does not fit a size of %d dims",
             (int)theta->rank, (int)n);
  for (int32_t d = 0; d < q->n; d++) {
    HY_FAIL_IF(size[d + 2] < 0, HY_BAD_FORMAT, err, "a size of %lld", (long long)size[d + 2]);
    q->dims[d] = size[d + 2];
  }
  return HY_OK;
}

hy_status hy__op_affine_grid_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  int64_t dims[HY_MAX_RANK] = {p->in[0].dims[0]};
  for (int32_t d = 0; d < q.n; d++) dims[d + 1] = q.dims[d];
  dims[q.n + 1] = q.n;
  return hy__op_out(p, 0, p->in[0].dtype, q.n + 2, dims, err);
}

static double coordinate(const params *q, int64_t i, int32_t d) {
  const double n = (double)q->dims[d];
  if (!q->align_corners) return (2.0 * (double)i + 1.0) / n - 1.0;
  return n > 1.0 ? 2.0 * (double)i / (n - 1.0) - 1.0 : -1.0;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  const int64_t n = (int64_t)hy__op_count_of(y) / q->n, row = q->n + 1;
  int64_t at[4] = {0}; /* batch, then the dims */
  (void)err;
  for (int64_t i = 0; i < n; i++) {
    for (int32_t r = 0; r < q->n; r++) {
      const int64_t theta = (at[0] * q->n + r) * row;
      double sum = hy__element_real(&step->in[0], theta + q->n);
      for (int32_t c = 0; c < q->n; c++) { /* x is the last dim */
        const int32_t d = q->n - 1 - c;
        sum += hy__element_real(&step->in[0], theta + c) * coordinate(q, at[d + 1], d);
      }
      hy__element_put_real(y, i * q->n + r, sum);
    }
    for (int32_t d = q->n; d >= 0; d--) {
      if (++at[d] < (d ? q->dims[d - 1] : INT64_MAX)) break;
      at[d] = 0;
    }
  }
  return HY_OK;
}

hy_status hy__op_affine_grid_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
