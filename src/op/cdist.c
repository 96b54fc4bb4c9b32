/* SPDX-License-Identifier: Apache-2.0 */
/* com.microsoft's CDist, which sklearn-onnx can write for neighbours and Gaussian processes: the
 * distance of every row of A from every row of B, squared or not. Sums of squared differences in
 * the input's type, in rising order. */
#include <math.h>

#include "op/rule.h"

typedef struct params {
  size_t m, n, k, n_blocks, row_at; /* row_at: a row of distances in scratch */
  bool root;
} params;

static hy_status shape_read(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const metrics[] = {"sqeuclidean", "euclidean", NULL};
  const hy_tensor *a = &p->in[0], *b = &p->in[1];
  int32_t metric;
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_FAIL_IF(a->rank != 2 || b->rank != 2 || a->dims[1] != b->dims[1], HY_BAD_FORMAT, err,
             "A and B must be matrices of rows of one length");
  HY_TRY(hy__op_choice(p, "metric", metrics, &metric, err));
  q->m = (size_t)a->dims[0], q->n = (size_t)b->dims[0], q->k = (size_t)a->dims[1];
  q->n_blocks = (q->n + HY__VECTORS_BLOCK - 1) / HY__VECTORS_BLOCK;
  q->root = metric == 1;
  return HY_OK;
}

hy_status hy__op_cdist_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(shape_read(p, &q, err));
  return hy__op_out(p, 0, p->in[0].dtype, 2, (const int64_t[]){(int64_t)q.m, (int64_t)q.n}, err);
}

static hy_status run_f32(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const float *a = step->in[0].data;
  float *packed = step->scratch, *y = step->out[0].data;
  float *row = (float *)(void *)((char *)step->scratch + q->row_at);
  (void)err;
  hy__vectors_pack(step->in[1].data, q->n, q->k, packed);
  for (size_t i = 0; i < q->m; i++, y += q->n) {
    step->kernels->vectors_f32->distance(a + i * q->k, q->k, packed, q->n_blocks, row);
    for (size_t j = 0; j < q->n; j++) y[j] = q->root ? sqrtf(row[j]) : row[j];
  }
  return HY_OK;
}

static hy_status run_f64(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const double *a = step->in[0].data, *b = step->in[1].data;
  double *y = step->out[0].data;
  (void)err;
  for (size_t i = 0; i < q->m; i++)
    for (size_t j = 0; j < q->n; j++) {
      double sum = 0;
      for (size_t k = 0; k < q->k; k++) {
        const double off = a[i * q->k + k] - b[j * q->k + k];
        sum += off * off;
      }
      *y++ = q->root ? sqrt(sum) : sum;
    }
  return HY_OK;
}

hy_status hy__op_cdist_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  size_t row_bytes;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  HY_TRY(shape_read(p, q, err));
  p->params = q;
  p->run = p->in[0].dtype == HY_F64 ? run_f64 : run_f32;
  if (p->in[0].dtype == HY_F64) return HY_OK;
  HY_FAIL_IF(!hy__mul(q->n_blocks, HY__VECTORS_BLOCK * sizeof(float), &row_bytes) ||
                 !hy__mul(row_bytes, q->k, &q->row_at) ||
                 !hy__add(q->row_at, row_bytes, &p->scratch_bytes),
             HY_LIMIT, err, "%zu rows of %zu are too many", q->n, q->k);
  return HY_OK;
}
