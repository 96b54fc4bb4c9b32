/* SPDX-License-Identifier: Apache-2.0 */
/* NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: what training graphs end in. Scores are
 * [N, C, D...], targets [N, D...]; sums are in double, rounded once. */
#include <math.h>

#include "op/element.h"
#include "op/rule.h"

typedef enum reduction { MEAN, SUM, NONE } reduction;

typedef struct params {
  reduction reduction;
  bool softmax, ignores;
  int64_t ignored;
  size_t rows, classes, inner; /* scores as [rows, classes, inner] */
} params;

hy_status hy__op_loss_infer(hy__op_plan *p, hy_error *err) {
  static const char *const reductions[] = {"mean", "sum", "none", NULL};
  const hy_tensor *x = &p->in[0], *target = &p->in[1];
  int32_t how;
  HY_FAIL_IF(x->rank < 2 || target->rank != x->rank - 1, HY_BAD_FORMAT, err,
             "scores of rank %d and targets of rank %d; [N, C, ...] and [N, ...] are expected",
             (int)x->rank, (int)target->rank);
  HY_FAIL_IF(target->dtype != HY_I32 && target->dtype != HY_I64, HY_BAD_FORMAT, err,
             "targets are %s, i32 or i64 is expected", hy_dtype_name(target->dtype));
  bool fits = x->dims[0] == target->dims[0];
  for (int32_t d = 2; d < x->rank; d++) fits = fits && x->dims[d] == target->dims[d - 1];
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "the targets' dims are not those of the scores");
  if (hy__op_has(p, 2)) {
    HY_TRY(hy__op_same_type(p, 0, 2, err));
    HY_FAIL_IF(p->in[2].rank != 1 || p->in[2].dims[0] != x->dims[1], HY_BAD_FORMAT, err,
               "weights must be one for each of %lld classes", (long long)x->dims[1]);
  }
  HY_TRY(hy__op_choice(p, "reduction", reductions, &how, err));
  if (p->n_out > 1) HY_TRY(hy__op_out_like(p, 1, x, err));
  return hy__op_out(p, 0, x->dtype, how == NONE ? target->rank : 0, target->dims, err);
}

/* log(sum(exp)) of the classes of one sample. */
static double log_sum(const hy__step *s, size_t first) {
  const params *q = s->params;
  double top = -(double)INFINITY, sum = 0.0;
  for (size_t c = 0; c < q->classes; c++)
    top = fmax(top, hy__element_real(&s->in[0], (int64_t)(first + c * q->inner)));
  if (!isfinite(top)) top = 0.0;
  for (size_t c = 0; c < q->classes; c++)
    sum += exp(hy__element_real(&s->in[0], (int64_t)(first + c * q->inner)) - top);
  return top + log(sum);
}

typedef struct sums {
  double loss, weight;
} sums;

/* One sample: its loss into output 0 where that is wanted as it is, its share into the sums. */
static hy_status sample(const hy__step *s, size_t row, size_t at, sums *total, hy_error *err) {
  const params *q = s->params;
  const size_t first = row * q->classes * q->inner + at, k = row * q->inner + at;
  const int64_t target = hy__element_whole(&s->in[1], (int64_t)k);
  const double norm = q->softmax ? log_sum(s, first) : 0.0;
  double loss = 0.0, weight = 0.0;
  if (s->n_out > 1 && s->out[1].data)
    for (size_t c = 0; c < q->classes; c++) {
      const int64_t i = (int64_t)(first + c * q->inner);
      hy__element_put_real(&s->out[1], i, hy__element_real(&s->in[0], i) - norm);
    }
  if (!q->ignores || target != q->ignored) {
    HY_FAIL_IF(target < 0 || (uint64_t)target >= q->classes, HY_INVALID_ARGUMENT, err,
               "target %lld of %zu classes", (long long)target, q->classes);
    const int64_t i = (int64_t)(first + (size_t)target * q->inner);
    weight = s->n_in > 2 && s->in[2].data ? hy__element_real(&s->in[2], target) : 1.0;
    loss = -(hy__element_real(&s->in[0], i) - norm) * weight;
  }
  if (q->reduction == NONE) hy__element_put_real(&s->out[0], (int64_t)k, loss);
  total->loss += loss;
  total->weight += weight;
  return HY_OK;
}

static hy_status run(const hy__step *s, hy_error *err) {
  const params *q = s->params;
  sums total = {0.0, 0.0};
  for (size_t row = 0; row < q->rows; row++)
    for (size_t at = 0; at < q->inner; at++) HY_TRY(sample(s, row, at, &total, err));
  if (q->reduction == MEAN) hy__element_put_real(&s->out[0], 0, total.loss / total.weight);
  if (q->reduction == SUM) hy__element_put_real(&s->out[0], 0, total.loss);
  return HY_OK;
}

hy_status hy__op_loss_lower(hy__op_plan *p, hy_error *err) {
  static const char *const reductions[] = {"mean", "sum", "none", NULL};
  const hy__around around = hy__op_around(&p->in[0], 1);
  int32_t how;
  void *memory;
  HY_TRY(hy__op_choice(p, "reduction", reductions, &how, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  *(params *)memory = (params){.reduction = (reduction)how,
                               .softmax = p->node->op_type[0] == 'S',
                               .ignores = hy__node_attr(p->node, "ignore_index") != NULL,
                               .ignored = hy__node_int(p->node, "ignore_index", 0),
                               .rows = around.outer,
                               .classes = around.n,
                               .inner = around.inner};
  p->params = memory;
  p->run = run;
  return HY_OK;
}
