/* SPDX-License-Identifier: Apache-2.0 */
/* Det: the determinant of each square matrix, by elimination with the largest pivot, in double. */
#include <math.h>

#include "op/element.h"
#include "op/rule.h"

hy_status hy__op_det_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  HY_FAIL_IF(x->rank < 2 || x->dims[x->rank - 1] != x->dims[x->rank - 2], HY_BAD_FORMAT, err,
             "X does not hold square matrices");
  return hy__op_out(p, 0, x->dtype, x->rank - 2, x->dims, err);
}

static void swap_rows(double *m, size_t n, size_t a, size_t b) {
  for (size_t j = 0; j < n; j++) {
    const double t = m[a * n + j];
    m[a * n + j] = m[b * n + j];
    m[b * n + j] = t;
  }
}

static double determinant(double *m, size_t n) {
  double det = 1.0;
  for (size_t c = 0; c < n; c++) {
    size_t pivot = c;
    for (size_t r = c + 1; r < n; r++)
      if (fabs(m[r * n + c]) > fabs(m[pivot * n + c])) pivot = r;
    if (m[pivot * n + c] == 0.0) return 0.0;
    if (pivot != c) {
      swap_rows(m, n, pivot, c);
      det = -det;
    }
    det *= m[c * n + c];
    for (size_t r = c + 1; r < n; r++) {
      const double by = m[r * n + c] / m[c * n + c];
      for (size_t j = c; j < n; j++) m[r * n + j] -= by * m[c * n + j];
    }
  }
  return det;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t n = (size_t)x->dims[x->rank - 1], matrices = hy__op_count_of(y);
  double *m = step->scratch;
  (void)err;
  for (size_t i = 0; i < matrices; i++) {
    for (size_t k = 0; k < n * n; k++) m[k] = hy__element_real(x, (int64_t)(i * n * n + k));
    hy__element_put_real(y, (int64_t)i, determinant(m, n));
  }
  return HY_OK;
}

hy_status hy__op_det_lower(hy__op_plan *p, hy_error *err) {
  const size_t n = (size_t)p->in[0].dims[p->in[0].rank - 1];
  size_t elements;
  HY_FAIL_IF(!hy__mul(n, n, &elements) || !hy__mul(elements, sizeof(double), &p->scratch_bytes),
             HY_LIMIT, err, "the matrices are too large");
  p->run = run;
  return HY_OK;
}
