/* SPDX-License-Identifier: Apache-2.0 */
/* Adagrad, Adam and Momentum of ai.onnx.preview.training: one update of n tensors. Inputs are the
 * rate R, the count T, then n values, n gradients and n (Adam: 2 n) accumulators; outputs the new
 * values and accumulators. Elements are updated in double and rounded once. */
#include <math.h>

#include "op/element.h"
#include "op/rule.h"

typedef enum kind { ADAGRAD, ADAM, MOMENTUM } kind;

typedef struct params {
  kind kind;
  bool nesterov;
  size_t n; /* tensors that are optimised */
  double norm, norm_post, epsilon, decay, alpha, beta;
} params;

static kind kind_of(const hy__node *node) {
  return node->op_type[0] == 'M'                              ? MOMENTUM
         : node->op_type[2] == 'a' && node->op_type[3] == 'g' ? ADAGRAD
                                                              : ADAM;
}

static size_t kept_by(kind k) { return k == ADAM ? 2 : 1; } /* accumulators of a tensor */

hy_status hy__op_optimiser_infer(hy__op_plan *p, hy_error *err) {
  const size_t kept = kept_by(kind_of(p->node)), n = (p->n_in - 2) / (2 + kept);
  HY_FAIL_IF(p->n_in < 4 + kept || (p->n_in - 2) % (2 + kept) || p->n_out != n * (1 + kept),
             HY_BAD_FORMAT, err, "%zu inputs and %zu outputs; each tensor takes %zu and gives %zu",
             p->n_in, p->n_out, 2 + kept, 1 + kept);
  for (size_t k = 0; k < p->n_in; k++)
    HY_FAIL_IF(!p->in_present[k], HY_BAD_FORMAT, err, "input %zu is absent", k);
  HY_FAIL_IF(hy__op_count_of(&p->in[0]) != 1 || hy__op_count_of(&p->in[1]) != 1 ||
                 p->in[1].dtype != HY_I64,
             HY_BAD_FORMAT, err, "R must be one number and T one i64");
  for (size_t k = 0; k < n; k++) {
    const hy_tensor *x = &p->in[2 + k];
    HY_FAIL_IF(!hy__element_is_float(x->dtype), HY_UNSUPPORTED, err, "tensor %zu is of type %s", k,
               hy_dtype_name(x->dtype));
    for (size_t part = 1; part < 2 + kept; part++)
      HY_FAIL_IF(!hy__op_same_dims(x, &p->in[2 + k + part * n]) ||
                     x->dtype != p->in[2 + k + part * n].dtype,
                 HY_BAD_FORMAT, err, "inputs %zu and %zu differ in type or shape", 2 + k,
                 2 + k + part * n);
    for (size_t part = 0; part < 1 + kept; part++) HY_TRY(hy__op_out_like(p, k + part * n, x, err));
  }
  return HY_OK;
}

/* One element: x and its accumulators, updated in place. */
typedef struct element {
  double x, g, v, h;
} element;

static void adagrad(const params *q, double rate, element *e) {
  const double g = q->norm * e->x + e->g;
  e->v += g * g;
  e->x -= rate * g / (sqrt(e->v) + q->epsilon);
}

static void adam(const params *q, double rate, element *e) {
  const double g = q->norm * e->x + e->g;
  e->v = q->alpha * e->v + (1.0 - q->alpha) * g;
  e->h = q->beta * e->h + (1.0 - q->beta) * g * g;
  e->x = (1.0 - q->norm_post) * (e->x - rate * e->v / (sqrt(e->h) + q->epsilon));
}

static void momentum(const params *q, double rate, double beta, element *e) {
  const double g = q->norm * e->x + e->g;
  e->v = q->alpha * e->v + beta * g;
  e->x -= rate * (q->nesterov ? g + q->alpha * e->v : e->v);
}

static double rate_of(const hy__step *s) {
  const params *q = s->params;
  const double rate = hy__element_real(&s->in[0], 0), t = hy__element_real(&s->in[1], 0);
  if (q->kind == ADAGRAD) return rate / (1.0 + t * q->decay);
  if (q->kind == ADAM && t > 0)
    return rate * sqrt(1.0 - pow(q->beta, t)) / (1.0 - pow(q->alpha, t));
  return rate;
}

static void put(const hy_tensor *t, int64_t i, double v) {
  if (t->data) hy__element_put_real(t, i, v);
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const double rate = rate_of(s), beta = hy__element_whole(&s->in[1], 0) > 0 ? q->beta : 1.0;
  for (size_t k = 0; k < q->n; k++) {
    const hy_tensor *in = &s->in[2 + k], *out = &s->out[k];
    const int64_t count = (int64_t)hy__op_count_of(in);
    for (int64_t i = 0; i < count; i++) {
      element e = {.x = hy__element_real(in, i),
                   .g = hy__element_real(&in[q->n], i),
                   .v = hy__element_real(&in[2 * q->n], i)};
      if (q->kind == ADAM) e.h = hy__element_real(&in[3 * q->n], i);
      if (q->kind == ADAGRAD) adagrad(q, rate, &e);
      if (q->kind == ADAM) adam(q, rate, &e);
      if (q->kind == MOMENTUM) momentum(q, rate, beta, &e);
      put(out, i, e.x);
      put(&out[q->n], i, e.v);
      if (q->kind == ADAM) put(&out[2 * q->n], i, e.h);
    }
  }
  return HY_OK;
}

hy_status hy__op_optimiser_lower(hy__op_plan *p, hy_error *err) {
  static const char *const modes[] = {"standard", "nesterov", NULL};
  const hy__node *node = p->node;
  const kind k = kind_of(node);
  int32_t mode = 0;
  void *memory;
  if (k == MOMENTUM) HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  *(params *)memory =
      (params){.kind = k,
               .nesterov = mode == 1,
               .n = (p->n_in - 2) / (2 + kept_by(k)),
               .norm = (double)hy__node_float(node, "norm_coefficient", 0.0F),
               .norm_post = (double)hy__node_float(node, "norm_coefficient_post", 0.0F),
               .epsilon = (double)hy__node_float(node, "epsilon", 1e-6F),
               .decay = (double)hy__node_float(node, "decay_factor", 0.0F),
               .alpha = (double)hy__node_float(node, "alpha", 0.9F),
               .beta = (double)hy__node_float(node, "beta", 0.999F)};
  p->params = memory;
  p->run = run;
  return HY_OK;
}
