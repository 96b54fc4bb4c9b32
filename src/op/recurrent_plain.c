/* SPDX-License-Identifier: Apache-2.0
 * Recurrent layers in doubles straight from their inputs: for float64, and for weights that are
 * known only at the run. Row by row and step by step, any attributes; rare, so plain. */
#include <string.h>

#include "op/recurrent.h"

/* One row of a batch on its way through one direction. */
typedef struct walk {
  const hy__step *step;
  const hy__recurrent_plan *p;
  size_t direction, row, len;
  double *x, *h, *next, *c, *gates, *reset;
} walk;

enum { IN_X, IN_W, IN_R, IN_B, IN_LENS, IN_H, IN_C, IN_P };

static bool has(const hy__step *s, size_t k) { return k < s->n_in && s->in[k].data; }

static double at(const hy_tensor *t, size_t i) {
  return t->dtype == HY_F64 ? ((const double *)t->data)[i] : (double)((const float *)t->data)[i];
}

static void put(const hy_tensor *t, size_t i, double v) {
  if (t->dtype == HY_F64)
    ((double *)t->data)[i] = v;
  else
    ((float *)t->data)[i] = (float)v;
}

/* Row `row` of a matrix of n columns, from the element `base` on, times v. */
static double dot(const hy_tensor *t, size_t base, size_t row, size_t n, const double *v) {
  double sum = 0.0;
  base += row * n;
  if (t->dtype == HY_F64) {
    const double *w = (const double *)t->data + base;
    for (size_t i = 0; i < n; ++i) sum += w[i] * v[i];
  } else {
    const float *w = (const float *)t->data + base;
    for (size_t i = 0; i < n; ++i) sum += (double)w[i] * v[i];
  }
  return sum;
}

/* Bias g of the input's (0) or the state's (1) half, for gate and unit `j`. */
static double bias(const walk *w, size_t half, size_t j) {
  const size_t n = w->p->gates * w->p->hidden;
  if (!has(w->step, IN_B)) return 0.0;
  return at(&w->step->in[IN_B], (w->direction * 2 + half) * n + j);
}

static double from_x(const walk *w, size_t j) {
  const size_t base = w->direction * w->p->gates * w->p->hidden * w->p->features;
  return dot(&w->step->in[IN_W], base, j, w->p->features, w->x) + bias(w, 0, j);
}

static double from_h(const walk *w, size_t j, const double *h) {
  const size_t base = w->direction * w->p->gates * w->p->hidden * w->p->hidden;
  return dot(&w->step->in[IN_R], base, j, w->p->hidden, h) + bias(w, 1, j);
}

static double peep(const walk *w, size_t k, size_t unit) {
  if (!has(w->step, IN_P)) return 0.0;
  return at(&w->step->in[IN_P], (w->direction * 3 + k) * w->p->hidden + unit);
}

static double act(const walk *w, size_t f, double v) {
  return hy__cell_apply(&w->p->side[w->direction].fn[f], v, w->p->clip);
}

/* ONNX's order: i, o, f, c; peepholes i, o, f. */
static void lstm(const walk *w) {
  const size_t n = w->p->hidden;
  for (size_t j = 0; j < 4 * n; ++j) w->gates[j] = from_x(w, j) + from_h(w, j, w->h);
  for (size_t u = 0; u < n; ++u) {
    const double c = w->c[u], *g = w->gates + u;
    const double i = act(w, 0, g[0] + peep(w, 0, u) * c);
    double f = 1.0 - i;
    if (!w->p->input_forget) f = act(w, 0, g[2 * n] + peep(w, 2, u) * c);
    w->c[u] = f * c + i * act(w, 1, g[3 * n]);
    const double o = act(w, 0, g[n] + peep(w, 1, u) * w->c[u]);
    w->next[u] = o * hy__cell_apply(&w->p->side[w->direction].fn[2], w->c[u], 0.0);
  }
}

static void gru(const walk *w) {
  const size_t n = w->p->hidden;
  for (size_t j = 0; j < 2 * n; ++j) w->gates[j] = act(w, 0, from_x(w, j) + from_h(w, j, w->h));
  for (size_t u = 0; u < n; ++u) w->reset[u] = w->gates[n + u] * w->h[u];
  for (size_t u = 0; u < n; ++u) {
    const size_t j = 2 * n + u;
    const double part = w->p->after ? w->gates[n + u] * from_h(w, j, w->h) : from_h(w, j, w->reset);
    const double candidate = act(w, 1, from_x(w, j) + part);
    w->next[u] = (1.0 - w->gates[u]) * candidate + w->gates[u] * w->h[u];
  }
}

static void rnn(const walk *w) {
  for (size_t j = 0; j < w->p->hidden; ++j)
    w->next[j] = act(w, 0, from_x(w, j) + from_h(w, j, w->h));
}

static size_t state_at(const walk *w) {
  const hy__recurrent_plan *p = w->p;
  return (p->layout1 ? w->row * p->directions + w->direction : w->direction * p->batch + w->row) *
         p->hidden;
}

static size_t output_at(const walk *w, size_t time) {
  const hy__recurrent_plan *p = w->p;
  const size_t d = w->direction, b = w->row;
  return (p->layout1 ? (b * p->steps + time) * p->directions + d
                     : (time * p->directions + d) * p->batch + b) *
         p->hidden;
}

static void write_out(const walk *w, size_t output, size_t to, const double *from) {
  if (output >= w->step->n_out || !w->step->out[output].data) return;
  for (size_t u = 0; u < w->p->hidden; ++u)
    put(&w->step->out[output], to + u, from ? from[u] : 0.0);
}

static void run_row(walk *w) {
  const hy__recurrent_plan *p = w->p;
  const hy_tensor *in = w->step->in;
  for (size_t u = 0; u < p->hidden; ++u) {
    w->h[u] = has(w->step, IN_H) ? at(&in[IN_H], state_at(w) + u) : 0.0;
    w->c[u] = p->kind == HY__CELL_LSTM && has(w->step, IN_C) ? at(&in[IN_C], state_at(w) + u) : 0.0;
  }
  for (size_t s = 0; s < w->len; ++s) {
    const size_t time = p->side[w->direction].reverse ? w->len - 1 - s : s;
    const size_t from = (p->layout1 ? w->row * p->steps + time : time * p->batch + w->row);
    for (size_t i = 0; i < p->features; ++i) w->x[i] = at(&in[IN_X], from * p->features + i);
    if (p->kind == HY__CELL_LSTM)
      lstm(w);
    else if (p->kind == HY__CELL_GRU)
      gru(w);
    else
      rnn(w);
    double *last = w->h;
    w->h = w->next;
    w->next = last;
    write_out(w, 0, output_at(w, time), w->h);
  }
  for (size_t time = w->len; time < p->steps; ++time) write_out(w, 0, output_at(w, time), NULL);
  write_out(w, 1, state_at(w), w->len ? w->h : NULL);
  if (p->kind == HY__CELL_LSTM) write_out(w, 2, state_at(w), w->len ? w->c : NULL);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const hy__recurrent_plan *p = step->params;
  const int32_t *lens = has(step, IN_LENS) ? step->in[IN_LENS].data : NULL;
  HY_TRY(hy__recurrent_check_lens(p, lens, err));
  double *scratch = step->scratch;
  walk w = {.step = step, .p = p, .x = scratch};
  w.h = w.x + p->features;
  w.next = w.h + p->hidden;
  w.c = w.next + p->hidden;
  w.reset = w.c + p->hidden;
  w.gates = w.reset + p->hidden;
  for (w.direction = 0; w.direction < p->directions; ++w.direction) {
    for (w.row = 0; w.row < p->batch; ++w.row) {
      w.len = lens ? (size_t)lens[w.row] : p->steps;
      run_row(&w);
    }
  }
  return HY_OK;
}

void hy__recurrent_plain_lower(hy__op_plan *p, hy__recurrent_plan *q) {
  p->scratch_bytes = (q->features + (4 + q->gates) * q->hidden) * sizeof(double);
  p->params = q;
  p->run = run;
}
