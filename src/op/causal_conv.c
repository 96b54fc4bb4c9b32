/* SPDX-License-Identifier: Apache-2.0 */
/* CausalConvWithState: each channel of [batch, channels, length] by its own short kernel over the
 * present and earlier places; those before the first are the state, whose successor is output 1. */
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

typedef struct params {
  size_t batch, channels, length, kernel;
  bool silu;
} params;

static hy_status read_activation(const hy__op_plan *p, bool *silu, hy_error *err) {
  static const char *const names[] = {"none", "silu", "swish", NULL};
  int32_t choice;
  HY_TRY(hy__op_choice(p, "activation", names, &choice, err));
  *silu = choice > 0;
  return HY_OK;
}

hy_status hy__op_causal_conv_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1];
  bool silu;
  HY_TRY(read_activation(p, &silu, err));
  HY_FAIL_IF(x->rank != 3 || w->rank != 3 || w->dims[0] != x->dims[1] || w->dims[1] != 1 ||
                 w->dims[2] < 1,
             HY_BAD_FORMAT, err, "[batch, channels, length] and [channels, 1, k] are expected");
  const int64_t state[3] = {x->dims[0], x->dims[1], w->dims[2] - 1};
  for (size_t k = 1; k < p->n_in; k++)
    if (hy__op_has(p, k)) HY_TRY(hy__op_same_type(p, 0, k, err));
  HY_FAIL_IF(hy__op_has(p, 2) && hy__op_count_of(&p->in[2]) != (size_t)x->dims[1], HY_BAD_FORMAT,
             err, "the bias has not one value for each of %lld channels", (long long)x->dims[1]);
  if (hy__op_has(p, 3)) {
    const hy_tensor expected = {.rank = 3, .dims = {state[0], state[1], state[2]}};
    HY_FAIL_IF(!hy__op_same_dims(&p->in[3], &expected), HY_BAD_FORMAT, err,
               "past_state is not [%lld, %lld, %lld]", (long long)state[0], (long long)state[1],
               (long long)state[2]);
  }
  HY_TRY(hy__op_out_like(p, 0, x, err));
  return hy__op_out(p, 1, x->dtype, 3, state, err);
}

static const void *input(const hy__step *step, size_t k) {
  return k < step->n_in ? step->in[k].data : NULL;
}

/* A line's state and its elements, one behind the other. */
static const void *with_state(const hy__step *step, size_t line) {
  const params *q = step->params;
  const size_t each = hy_dtype_bytes(step->in[0].dtype), before = (q->kernel - 1) * each,
               bytes = q->length * each;
  const char *past = input(step, 3);
  char *to = step->scratch;
  if (past)
    memcpy(to, past + line * before, before);
  else
    memset(to, 0, before);
  memcpy(to + before, (const char *)step->in[0].data + line * bytes, bytes);
  if (step->n_out > 1 && step->out[1].data)
    memcpy((char *)step->out[1].data + line * before, to + bytes, before);
  return to;
}

#define LINE(type)                                                                                 \
  static void line_##type(const hy__step *step, size_t line) {                                     \
    const params *q = step->params;                                                                \
    const size_t channel = line % q->channels;                                                     \
    const type *x = with_state(step, line), *bias = input(step, 2);                                \
    const type *w = (const type *)step->in[1].data + channel * q->kernel;                          \
    type *y = (type *)step->out[0].data + line * q->length;                                        \
    for (size_t t = 0; t < q->length && step->out[0].data; t++) {                                  \
      double sum = bias ? (double)bias[channel] : 0.0;                                             \
      for (size_t k = 0; k < q->kernel; k++) sum += (double)w[k] * (double)x[t + k];               \
      y[t] = (type)sum;                                                                            \
    }                                                                                              \
  }
LINE(float)
LINE(double)
#undef LINE

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  (void)err;
  for (size_t line = 0; line < q->batch * q->channels; line++) {
    if (step->in[0].dtype == HY_F64)
      line_double(step, line);
    else
      line_float(step, line);
  }
  const size_t n = q->batch * q->channels * q->length;
  if (!q->silu || !y->data) return HY_OK;
  if (y->dtype == HY_F64)
    step->kernels->unary_f64->fn[HY__UNARY_SWISH](y->data, y->data, n, 1.0, 0);
  else
    step->kernels->unary_f32->fn[HY__UNARY_SWISH](y->data, y->data, n, 1.0f, 0);
  return HY_OK;
}

hy_status hy__op_causal_conv_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  params *q;
  size_t n;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  *q = (params){.batch = (size_t)x->dims[0],
                .channels = (size_t)x->dims[1],
                .length = (size_t)x->dims[2],
                .kernel = (size_t)p->in[1].dims[2]};
  HY_TRY(read_activation(p, &q->silu, err));
  HY_FAIL_IF(!hy__add(q->length, q->kernel, &n) ||
                 !hy__mul(n, hy_dtype_bytes(x->dtype), &p->scratch_bytes),
             HY_LIMIT, err, "the kernel is too long");
  p->params = q;
  p->run = run;
  return HY_OK;
}
