/* SPDX-License-Identifier: Apache-2.0
 * Recurrent cells with any attributes: other activations, clip, peepholes, input_forget. The
 * products run in the matrix kernel; other activations alone run in the element kernels, a block of
 * units at a time, the rest in doubles, one unit at a time; rare, so plain. */
#include "op/recurrent.h"

#include <math.h>
#include <string.h>
#include <strings.h>

static double apply(const hy__cell_fn *f, double x) {
  switch (f->act) {
  case HY__CELL_SIGMOID: return 1.0 / (1.0 + hy__exp(-x));
  case HY__CELL_TANH: return tanh(x);
  case HY__CELL_RELU: return x < 0.0 ? 0.0 : x;
  case HY__CELL_AFFINE: return f->alpha * x + f->beta;
  case HY__CELL_LEAKY_RELU: return x < 0.0 ? f->alpha * x : x;
  case HY__CELL_THRESHOLDED_RELU: return x >= f->alpha ? x : 0.0;
  case HY__CELL_SCALED_TANH: return f->alpha * tanh(f->beta * x);
  case HY__CELL_HARD_SIGMOID: return fmin(fmax(f->alpha * x + f->beta, 0.0), 1.0);
  case HY__CELL_ELU: return x < 0.0 ? f->alpha * (hy__exp(x) - 1.0) : x;
  case HY__CELL_SOFTSIGN: return x / (1.0 + fabs(x));
  default: return log1p(hy__exp(-fabs(x))) + (x > 0.0 ? x : 0.0);
  }
}

static double clipped(double x, double clip) {
  if (clip == 0.0) return x;
  return x < -clip ? -clip : x > clip ? clip : x;
}

double hy__cell_apply(const hy__cell_fn *f, double x, double clip) {
  return apply(f, clipped(x, clip));
}

/* Where gate g of a unit stands among the columns. */
static size_t column(const hy__recurrent_plan *p, size_t gate, size_t unit) {
  return (unit / p->lanes * p->gates + gate) * p->lanes + unit % p->lanes;
}

static void product(const hy__cell_step *s, const float *a, const float *packed, size_t n,
                    float *out) {
  const hy__gemm_f32_call call = {.a = a,
                                  .lda = s->plan->padded,
                                  .packed = packed,
                                  .c = out,
                                  .ldc = n,
                                  .m = s->rows,
                                  .n = n,
                                  .k = s->plan->hidden};
  s->kernels->gemm_f32->run(&call);
}

static void lstm_unit(const hy__cell_step *s, const double pre[4], size_t at, size_t unit) {
  const hy__recurrent_plan *p = s->plan;
  const hy__cell_fn *f = s->side->fn;
  const float *peep = s->side->peep;
  const double c = (double)s->c[at];
  double i = pre[0], forget = pre[1], o = pre[3];
  if (peep) i += (double)peep[unit] * c;
  if (peep) forget += (double)peep[2 * p->hidden + unit] * c;
  i = apply(&f[0], clipped(i, p->clip));
  forget = p->input_forget ? 1.0 - i : apply(&f[0], clipped(forget, p->clip));
  const double next = forget * c + i * apply(&f[1], clipped(pre[2], p->clip));
  if (peep) o += (double)peep[p->hidden + unit] * next;
  o = apply(&f[0], clipped(o, p->clip));
  s->c_out[at] = (float)next;
  s->h_out[at] = (float)(o * apply(&f[2], next));
}

/* --- other activations alone: the gates of a block of units stand side by side --- */

static void act(const hy__cell_step *s, const hy__cell_fn *f, float *x, size_t n) {
  static const hy__unary ids[] = {
      [HY__CELL_SIGMOID] = HY__UNARY_SIGMOID,
      [HY__CELL_TANH] = HY__UNARY_TANH,
      [HY__CELL_RELU] = HY__UNARY_RELU,
      [HY__CELL_AFFINE] = HY__UNARY_AFFINE,
      [HY__CELL_LEAKY_RELU] = HY__UNARY_LEAKY_RELU,
      [HY__CELL_THRESHOLDED_RELU] = HY__UNARY_THRESHOLDED_RELU,
      [HY__CELL_SCALED_TANH] = HY__UNARY_TANH,
      [HY__CELL_HARD_SIGMOID] = HY__UNARY_HARD_SIGMOID,
      [HY__CELL_ELU] = HY__UNARY_ELU,
      [HY__CELL_SOFTSIGN] = HY__UNARY_SOFTSIGN,
      [HY__CELL_SOFTPLUS] = HY__UNARY_SOFTPLUS,
  };
  const hy__unary_f32_fn *fn = s->kernels->unary_f32->fn;
  const bool scaled = f->act == HY__CELL_SCALED_TANH;
  if (scaled) fn[HY__UNARY_AFFINE](x, x, n, (float)f->beta, 0.0f);
  fn[ids[f->act]](x, x, n, (float)f->alpha, (float)f->beta);
  if (scaled) fn[HY__UNARY_AFFINE](x, x, n, (float)f->alpha, 0.0f);
}

static void lstm_blocks(const hy__cell_step *s, size_t row) {
  const hy__recurrent_plan *p = s->plan;
  const hy__cell_fn *f = s->side->fn;
  const size_t n = p->lanes;
  for (size_t b = 0; b < p->padded; b += n) {
    float *i = s->work + row * p->columns + b * 4, *forget = i + n, *g = i + 2 * n, *o = i + 3 * n;
    const float *pre = s->pre + row * p->columns + b * 4, *c = s->c + row * p->padded + b;
    float *c_out = s->c_out + row * p->padded + b, *h_out = s->h_out + row * p->padded + b;
    for (size_t u = 0; u < 4 * n; ++u) i[u] += pre[u];
    act(s, &f[0], i, 2 * n);
    act(s, &f[1], g, n);
    act(s, &f[0], o, n);
    for (size_t u = 0; u < n; ++u) i[u] = c_out[u] = forget[u] * c[u] + i[u] * g[u];
    act(s, &f[2], i, n);
    for (size_t u = 0; u < n; ++u) h_out[u] = o[u] * i[u];
  }
}

static void rnn_blocks(const hy__cell_step *s, size_t row) {
  const hy__recurrent_plan *p = s->plan;
  const float *pre = s->pre + row * p->columns, *work = s->work + row * p->columns;
  float *h_out = s->h_out + row * p->padded;
  for (size_t u = 0; u < p->padded; ++u) h_out[u] = pre[u] + work[u];
  act(s, &s->side->fn[0], h_out, p->padded);
}

/* z and r of all units; reset: r * h, where the product comes after it. */
static void gru_gates(const hy__cell_step *s, size_t row, float *reset) {
  const hy__recurrent_plan *p = s->plan;
  const size_t n = p->lanes;
  for (size_t b = 0; b < p->padded; b += n) {
    float *z = s->work + row * p->columns + b * 3;
    const float *pre = s->pre + row * p->columns + b * 3, *h = s->h + row * p->padded + b;
    for (size_t u = 0; u < 2 * n; ++u) z[u] += pre[u];
    act(s, &s->side->fn[0], z, 2 * n);
    for (size_t u = 0; reset && u < n; ++u) reset[b + u] = z[n + u] * h[u];
  }
}

static void gru_blocks(const hy__cell_step *s, size_t row, const float *second) {
  const hy__recurrent_plan *p = s->plan;
  const size_t n = p->lanes;
  for (size_t b = 0; b < p->padded; b += n) {
    float *z = s->work + row * p->columns + b * 3, *r = z + n, *c = z + 2 * n;
    const float *pre = s->pre + row * p->columns + b * 3 + 2 * n, *h = s->h + row * p->padded + b;
    float *h_out = s->h_out + row * p->padded + b;
    for (size_t u = 0; u < n; ++u)
      c[u] = pre[u] + (second ? second[b + u] : r[u] * (c[u] + s->side->r_bias[b + u]));
    act(s, &s->side->fn[1], c, n);
    for (size_t u = 0; u < n; ++u) h_out[u] = (1.0f - z[u]) * c[u] + z[u] * h[u];
  }
}

static bool by_blocks(const hy__cell_step *s) {
  return !s->side->peep && s->plan->clip == 0.0 && !s->plan->input_forget;
}

/* --- any attributes --- */

static void lstm(const hy__cell_step *s) {
  const hy__recurrent_plan *p = s->plan;
  product(s, s->h, s->side->r, p->columns, s->work);
  for (size_t row = 0; row < s->rows && by_blocks(s); ++row) lstm_blocks(s, row);
  for (size_t row = 0; row < s->rows && !by_blocks(s); ++row) {
    for (size_t unit = 0; unit < p->hidden; ++unit) {
      double pre[4];
      for (size_t g = 0; g < 4; ++g) {
        const size_t at = row * p->columns + column(p, g, unit);
        pre[g] = (double)s->pre[at] + (double)s->work[at];
      }
      lstm_unit(s, pre, row * p->padded + unit, unit);
    }
  }
}

static void rnn(const hy__cell_step *s) {
  const hy__recurrent_plan *p = s->plan;
  product(s, s->h, s->side->r, p->columns, s->work);
  for (size_t row = 0; row < s->rows && by_blocks(s); ++row) rnn_blocks(s, row);
  for (size_t row = 0; row < s->rows && !by_blocks(s); ++row) {
    for (size_t unit = 0; unit < p->hidden; ++unit) {
      const size_t at = row * p->columns + column(p, 0, unit);
      const double x = (double)s->pre[at] + (double)s->work[at];
      s->h_out[row * p->padded + unit] = (float)apply(&s->side->fn[0], clipped(x, p->clip));
    }
  }
}

static double gate(const hy__cell_step *s, size_t row, size_t g, size_t unit) {
  const hy__recurrent_plan *p = s->plan;
  const size_t at = row * p->columns + column(p, g, unit);
  const double x = (double)s->pre[at] + (double)s->work[at];
  return apply(&s->side->fn[0], clipped(x, p->clip));
}

static void gru_fast(const hy__cell_step *s, float *reset, float *second) {
  const hy__recurrent_plan *p = s->plan;
  for (size_t row = 0; row < s->rows; ++row)
    gru_gates(s, row, p->after ? NULL : reset + row * p->padded);
  if (!p->after) product(s, reset, s->side->r2, p->padded, second);
  for (size_t row = 0; row < s->rows; ++row)
    gru_blocks(s, row, p->after ? NULL : second + row * p->padded);
}

/* work: the products of all gates, then r * h and its product. */
static void gru(const hy__cell_step *s) {
  const hy__recurrent_plan *p = s->plan;
  float *reset = s->work + p->group * p->columns, *second = reset + p->group * p->padded;
  product(s, s->h, s->side->r, p->columns, s->work);
  if (by_blocks(s)) {
    gru_fast(s, reset, second);
    return;
  }
  for (size_t row = 0; row < s->rows && !p->after; ++row) {
    memset(reset + row * p->padded, 0, p->padded * sizeof(float));
    for (size_t unit = 0; unit < p->hidden; ++unit)
      reset[row * p->padded + unit] =
          (float)(gate(s, row, 1, unit) * (double)s->h[row * p->padded + unit]);
  }
  if (!p->after) product(s, reset, s->side->r2, p->padded, second);
  for (size_t row = 0; row < s->rows; ++row) {
    for (size_t unit = 0; unit < p->hidden; ++unit) {
      const size_t at = row * p->padded + unit, n_at = row * p->columns + column(p, 2, unit);
      const double z = gate(s, row, 0, unit), h = (double)s->h[at];
      double n = (double)second[at];
      if (p->after)
        n = gate(s, row, 1, unit) * ((double)s->work[n_at] + (double)s->side->r_bias[unit]);
      n = apply(&s->side->fn[1], clipped(n + (double)s->pre[n_at], p->clip));
      s->h_out[at] = (float)((1.0 - z) * n + z * h);
    }
  }
}

void hy__cell_run(const hy__cell_step *step) {
  switch (step->plan->kind) {
  case HY__CELL_LSTM: lstm(step); break;
  case HY__CELL_GRU: gru(step); break;
  default: rnn(step); break;
  }
}

static const struct {
  const char *name;
  hy__cell_act act;
  bool has_alpha, has_beta;
  float alpha, beta;
} functions[] = {
    {"Sigmoid", HY__CELL_SIGMOID, false, false, 0, 0},
    {"Tanh", HY__CELL_TANH, false, false, 0, 0},
    {"Relu", HY__CELL_RELU, false, false, 0, 0},
    {"Affine", HY__CELL_AFFINE, true, true, 1, 0},
    {"LeakyRelu", HY__CELL_LEAKY_RELU, true, false, 0.01f, 0},
    {"ThresholdedRelu", HY__CELL_THRESHOLDED_RELU, true, false, 1, 0},
    {"ScaledTanh", HY__CELL_SCALED_TANH, true, true, 1, 1},
    {"HardSigmoid", HY__CELL_HARD_SIGMOID, true, true, 0.2f, 0.5f},
    {"Elu", HY__CELL_ELU, true, false, 1, 0},
    {"Softsign", HY__CELL_SOFTSIGN, false, false, 0, 0},
    {"Softplus", HY__CELL_SOFTPLUS, false, false, 0, 0},
};

/* Names are compared without regard to case, as the specification's examples differ in it. */
static bool same_name(hy_string s, const char *name) {
  return s.len_bytes == strlen(name) && !strncasecmp(s.data, name, s.len_bytes);
}

/* The value `at` of a list, which only functions that take one consume. */
static float consume(const hy__attr *list, bool takes, size_t *at, float otherwise) {
  if (!takes || !list || list->kind != HY__ATTR_FLOATS) return otherwise;
  const size_t i = (*at)++;
  return i < list->n ? list->as.floats[i] : otherwise;
}

hy_status hy__cell_functions(const hy__node *node, hy__cell_kind kind, size_t direction,
                             hy__cell_fn *out, hy_error *err) {
  const size_t n = kind == HY__CELL_LSTM ? 3 : kind == HY__CELL_GRU ? 2 : 1;
  const hy__attr *names = hy__node_attr(node, "activations");
  const hy__attr *alphas = hy__node_attr(node, "activation_alpha");
  const hy__attr *betas = hy__node_attr(node, "activation_beta");
  out[0] = (hy__cell_fn){.act = kind == HY__CELL_RNN ? HY__CELL_TANH : HY__CELL_SIGMOID};
  out[1] = out[2] = (hy__cell_fn){.act = HY__CELL_TANH};
  if (!names || names->kind != HY__ATTR_STRINGS || names->n == 0) return HY_OK;
  HY_FAIL_IF(names->n < n * (direction + 1), HY_BAD_FORMAT, err,
             "activations has %zu names for %zu directions of %zu", names->n, direction + 1, n);
  size_t alpha_at = 0, beta_at = 0;
  for (size_t i = 0; i < n * (direction + 1); ++i) {
    const hy_string s = names->as.strings[i];
    size_t f = 0;
    while (f < HY_COUNT(functions) && !same_name(s, functions[f].name)) ++f;
    HY_FAIL_IF(f == HY_COUNT(functions), HY_UNSUPPORTED, err, "activation '%.*s'",
               (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
    const float alpha = consume(alphas, functions[f].has_alpha, &alpha_at, functions[f].alpha);
    const float beta = consume(betas, functions[f].has_beta, &beta_at, functions[f].beta);
    if (i >= n * direction)
      out[i - n * direction] = (hy__cell_fn){functions[f].act, (double)alpha, (double)beta};
  }
  return HY_OK;
}
