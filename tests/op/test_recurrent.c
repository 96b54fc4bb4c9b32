/* SPDX-License-Identifier: Apache-2.0
 * LSTM, GRU and RNN against an oracle in doubles that is written from the specification alone: all
 * attributes, optional inputs, layouts, directions and lengths, at every level of this machine. */
#include "op/one_op.h"

#include <math.h>
#include <stdio.h>

typedef struct config {
  const char *name;
  int gates, layout, directions, reverse, lens, init, bias, peep, forget, after, custom;
  double clip;
  int64_t t, b, f, h;
} config;

typedef struct data {
  const float *x, *w, *r, *bias, *h0, *c0, *p;
  const int32_t *lens;
} data;

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double clip(double x, double c) { return c == 0 ? x : fmin(fmax(x, -c), c); }

/* Custom activations of direction d: HardSigmoid(0.3, 0.4 + d/10), Softsign, ScaledTanh(1.5, 0.5).
 */
static double act_f(const config *q, int d, double x) {
  if (!q->custom) return q->gates == 1 ? tanh(x) : sigmoid(x);
  return fmin(fmax((double)0.3f * x + (double)(d ? 0.5f : 0.4f), 0), 1);
}
static double act_g(const config *q, double x) { return q->custom ? x / (1 + fabs(x)) : tanh(x); }
static double act_h(const config *q, double x) { return q->custom ? 1.5 * tanh(0.5 * x) : tanh(x); }

enum { H_MAX = 40, T_MAX = 64 };

/* x W' + Wb of gate g, unit u. */
static double from_x(const config *q, const data *in, int d, int g, int64_t u, const float *x) {
  int64_t row = (d * q->gates + g) * q->h + u;
  double sum = in->bias ? (double)in->bias[d * 2 * q->gates * q->h + g * q->h + u] : 0;
  for (int64_t i = 0; i < q->f; ++i) sum += (double)x[i] * (double)in->w[row * q->f + i];
  return sum;
}

static double from_h(const config *q, const data *in, int d, int g, int64_t u, const double *h) {
  int64_t row = (d * q->gates + g) * q->h + u;
  double sum = in->bias ? (double)in->bias[d * 2 * q->gates * q->h + (q->gates + g) * q->h + u] : 0;
  for (int64_t i = 0; i < q->h; ++i) sum += h[i] * (double)in->r[row * q->h + i];
  return sum;
}

static void lstm(const config *q, const data *in, int d, const float *x, double *h, double *c) {
  double next_h[H_MAX], next_c[H_MAX];
  const float *p = in->p ? in->p + d * 3 * q->h : NULL;
  for (int64_t u = 0; u < q->h; ++u) {
    double pre[4];
    for (int g = 0; g < 4; ++g) pre[g] = from_x(q, in, d, g, u, x) + from_h(q, in, d, g, u, h);
    if (p) pre[0] += (double)p[u] * c[u], pre[2] += (double)p[2 * q->h + u] * c[u];
    double i = act_f(q, d, clip(pre[0], q->clip));
    double f = q->forget ? 1 - i : act_f(q, d, clip(pre[2], q->clip));
    next_c[u] = f * c[u] + i * act_g(q, clip(pre[3], q->clip));
    if (p) pre[1] += (double)p[q->h + u] * next_c[u];
    next_h[u] = act_f(q, d, clip(pre[1], q->clip)) * act_h(q, next_c[u]);
  }
  memcpy(h, next_h, sizeof next_h);
  memcpy(c, next_c, sizeof next_c);
}

static void gru(const config *q, const data *in, int d, const float *x, double *h) {
  double next[H_MAX], reset[H_MAX], r[H_MAX];
  for (int64_t u = 0; u < q->h; ++u) {
    r[u] = act_f(q, d, clip(from_x(q, in, d, 1, u, x) + from_h(q, in, d, 1, u, h), q->clip));
    reset[u] = r[u] * h[u];
  }
  for (int64_t u = 0; u < q->h; ++u) {
    double z = act_f(q, d, clip(from_x(q, in, d, 0, u, x) + from_h(q, in, d, 0, u, h), q->clip));
    double n = q->after ? r[u] * from_h(q, in, d, 2, u, h) : from_h(q, in, d, 2, u, reset);
    n = act_g(q, clip(from_x(q, in, d, 2, u, x) + n, q->clip));
    next[u] = (1 - z) * n + z * h[u];
  }
  memcpy(h, next, sizeof next);
}

static void rnn(const config *q, const data *in, int d, const float *x, double *h) {
  double next[H_MAX];
  for (int64_t u = 0; u < q->h; ++u)
    next[u] = act_f(q, d, clip(from_x(q, in, d, 0, u, x) + from_h(q, in, d, 0, u, h), q->clip));
  memcpy(h, next, sizeof next);
}

static int64_t xy_at(const config *q, int64_t t, int64_t d, int64_t b, int64_t n_dir) {
  return q->layout ? (b * q->t + t) * n_dir + d : (t * n_dir + d) * q->b + b;
}

static void compare(double expect, float got, const config *q, const char *what) {
  if (fabs(expect - (double)got) <= 2e-6 * (1 + fabs(expect)) * sqrt((double)q->t)) return;
  fail_msg("%s %s: %.9g in place of %.9g; t %d b %d f %d h %d layout %d directions %d reverse %d "
           "lens %d init %d bias %d peep %d forget %d after %d custom %d clip %g",
           q->name, what, (double)got, expect, (int)q->t, (int)q->b, (int)q->f, (int)q->h,
           q->layout, q->directions, q->reverse, q->lens, q->init, q->bias, q->peep, q->forget,
           q->after, q->custom, q->clip);
}

static void check_row(const config *q, const data *in, const one_op *o, int d, int64_t b) {
  double h[H_MAX] = {0}, c[H_MAX] = {0};
  int64_t len = in->lens ? in->lens[b] : q->t, D = q->directions;
  int64_t state = (q->layout ? b * D + d : d * q->b + b) * q->h;
  bool reverse = q->directions == 2 ? d == 1 : q->reverse;
  const float *y = o->out[0].data, *yh = o->out[1].data, *yc = o->out[2].data;
  for (int64_t u = 0; u < q->h && in->h0; ++u) h[u] = (double)in->h0[state + u];
  for (int64_t u = 0; u < q->h && in->c0; ++u) c[u] = (double)in->c0[state + u];
  for (int64_t s = 0; s < q->t; ++s) {
    int64_t t = reverse && s < len ? len - 1 - s : s;
    const float *out = y ? y + xy_at(q, t, d, b, D) * q->h : NULL;
    if (s < len) {
      const float *x = in->x + xy_at(q, t, 0, b, 1) * q->f;
      if (q->gates == 4)
        lstm(q, in, d, x, h, c);
      else if (q->gates == 3)
        gru(q, in, d, x, h);
      else
        rnn(q, in, d, x, h);
    }
    for (int64_t u = 0; u < q->h && out; ++u) compare(s < len ? h[u] : 0, out[u], q, "Y");
  }
  for (int64_t u = 0; u < q->h; ++u) {
    if (yh) compare(len ? h[u] : 0, yh[state + u], q, "Y_h");
    if (yc) compare(len ? c[u] : 0, yc[state + u], q, "Y_c");
  }
}

static float *filled(one_op *o, hy__random *r, int32_t rank, const int64_t *dims, double size) {
  float *x = one_op_in(o, HY_F32, rank, dims, true);
  size_t n;
  assert_true(hy__shape_bytes(dims, rank, 0, &n));
  fill_uniform(r, x, n, -size, size);
  return x;
}

static void build(one_op *o, const config *q, data *in, hy__random *r) {
  const int64_t d = q->directions, gh = q->gates * q->h;
  const int64_t state[] = {q->layout ? q->b : d, q->layout ? d : q->b, q->h};
  double scale = 1.5 / sqrt((double)q->h);
  memset(in, 0, sizeof *in);
  in->x = filled(o, r, 3, (int64_t[]){q->layout ? q->b : q->t, q->layout ? q->t : q->b, q->f}, 2);
  in->w = filled(o, r, 3, (int64_t[]){d, gh, q->f}, 1.5 / sqrt((double)q->f));
  in->r = filled(o, r, 3, (int64_t[]){d, gh, q->h}, scale);
  if (q->bias)
    in->bias = filled(o, r, 2, (int64_t[]){d, 2 * gh}, 0.5);
  else
    one_op_absent(o);
  if (q->lens) {
    int32_t *lens = one_op_in(o, HY_I32, 1, &q->b, false);
    for (int64_t i = 0; i < q->b; ++i) lens[i] = (int32_t)hy__random_below(r, (uint64_t)q->t + 1);
    in->lens = lens;
  } else {
    one_op_absent(o);
  }
  if (q->init)
    in->h0 = filled(o, r, 3, state, 1);
  else
    one_op_absent(o);
  if (q->gates == 4 && q->init)
    in->c0 = filled(o, r, 3, state, 1);
  else if (q->gates == 4)
    one_op_absent(o);
  if (q->gates == 4 && q->peep) in->p = filled(o, r, 2, (int64_t[]){d, 3 * q->h}, 1);
}

static void attributes(one_op *o, const config *q, const hy_string *names, const float *alpha,
                       const float *beta) {
  const int n = q->gates == 4 ? 3 : q->gates == 3 ? 2 : 1;
  if (q->layout) one_op_int(o, "layout", 1);
  one_op_string(o, "direction",
                q->directions == 2 ? "bidirectional"
                : q->reverse       ? "reverse"
                                   : "forward");
  if (q->clip != 0) one_op_float(o, "clip", (float)q->clip);
  if (q->forget) one_op_int(o, "input_forget", 1);
  if (q->after) one_op_int(o, "linear_before_reset", 1);
  if (!q->custom) return;
  one_op_strings(o, "activations", names, (size_t)(n * q->directions));
  one_op_floats(o, "activation_alpha", alpha, 4);
  one_op_floats(o, "activation_beta", beta, 4);
}

static void run_config(const config *q, uint64_t seed, unsigned wanted) {
  const int n = q->gates == 4 ? 3 : q->gates == 3 ? 2 : 1;
  const char *const three[] = {"HardSigmoid", "Softsign", "ScaledTanh"};
  hy_string names[6];
  for (int i = 0; i < 6; ++i) names[i] = one_op_text(three[i % n]);
  /* only functions that take alpha and beta consume them */
  const float lstm_alpha[] = {0.3f, 1.5f, 0.3f, 1.5f}, lstm_beta[] = {0.4f, 0.5f, 0.5f, 0.5f};
  const float other_alpha[] = {0.3f, 0.3f, 0, 0}, other_beta[] = {0.4f, 0.5f, 0, 0};
  one_op o;
  data in;
  hy__random r;
  hy__random_init(&r, seed, 6);
  one_op_begin(&o, "", q->name, 14);
  build(&o, q, &in, &r);
  attributes(&o, q, names, n == 3 ? lstm_alpha : other_alpha, n == 3 ? lstm_beta : other_beta);
  for (int level = 0; level < 3; ++level) {
    if (!one_op_level(&o, level)) continue;
    hy_status status = one_op_run(&o, q->gates == 4 ? 3 : 2, wanted);
    if (status != HY_OK) fail_msg("%s", o.err.message);
    for (int d = 0; d < q->directions; ++d)
      for (int64_t b = 0; b < q->b; ++b) check_row(q, &in, &o, d, b);
    one_op_again(&o);
  }
  one_op_end(&o);
}

static void random_configs(const char *name, int gates) {
  static const int64_t hs[] = {1, 3, 4, 8, 16, 17, 31, 32, 40}, bs[] = {1, 2, 3, 5, 18, 19, 37};
  static const int64_t ts[] = {1, 2, 7, 33}, fs[] = {1, 4, 13};
  hy__random r;
  hy__random_init(&r, (uint64_t)gates, 7);
  for (uint64_t k = 0; k < 120; ++k) {
    bool plain = k % 2;
    config q = {.name = name,
                .gates = gates,
                .layout = (int)hy__random_below(&r, 2),
                .directions = 1 + (int)hy__random_below(&r, 2),
                .reverse = (int)hy__random_below(&r, 2),
                .lens = hy__random_below(&r, 3) == 0,
                .init = (int)hy__random_below(&r, 2),
                .bias = hy__random_below(&r, 4) != 0,
                .after = gates == 3 && hy__random_below(&r, 2),
                .t = ts[hy__random_below(&r, HY_COUNT(ts))],
                .b = bs[hy__random_below(&r, HY_COUNT(bs))],
                .f = fs[hy__random_below(&r, HY_COUNT(fs))],
                .h = hs[hy__random_below(&r, HY_COUNT(hs))]};
    if (!plain) {
      q.peep = gates == 4 && hy__random_below(&r, 2);
      q.forget = gates == 4 && hy__random_below(&r, 2);
      q.custom = (int)hy__random_below(&r, 2);
      q.clip = hy__random_below(&r, 2) ? 0.75 : 0;
    }
    run_config(&q, k, k % 5 == 0 ? 6u : k % 7 == 0 ? 1u : 7u);
  }
}

static void test_lstm(void **state) {
  (void)state;
  random_configs("LSTM", 4);
}

static void test_gru(void **state) {
  (void)state;
  random_configs("GRU", 3);
}

static void test_rnn(void **state) {
  (void)state;
  random_configs("RNN", 1);
}

/* The bits of a row do not depend on the batch that it comes in. */
static void test_batches(void **state) {
  (void)state;
  enum { T = 9, B = 21, F = 5, H = 20 };
  float first[B][H];
  for (int64_t batch = B; batch >= 1; batch -= 4) {
    one_op o;
    hy__random r;
    hy__random_init(&r, 1, 1);
    one_op_begin(&o, "", "LSTM", 14);
    one_op_int(&o, "layout", 1);
    float *x = one_op_in(&o, HY_F32, 3, (int64_t[]){batch, T, F}, false);
    filled(&o, &r, 3, (int64_t[]){1, 4 * H, F}, 0.6);
    filled(&o, &r, 3, (int64_t[]){1, 4 * H, H}, 0.4);
    fill_uniform(&r, x, (size_t)(batch * T * F), -1, 1);
    assert_int_equal(one_op_run(&o, 2, 2), HY_OK);
    for (int64_t b = 0; b < batch; ++b) {
      const float *h = (const float *)o.out[1].data + b * H;
      if (batch == B)
        memcpy(first[b], h, sizeof first[b]);
      else
        assert_memory_equal(first[b], h, sizeof first[b]);
    }
    one_op_end(&o);
  }
}

static void test_refusals(void **state) {
  (void)state;
  for (int what = 0; what < 4; ++what) {
    one_op o;
    hy__random r;
    hy__random_init(&r, 1, 1);
    one_op_begin(&o, "", "LSTM", 14);
    filled(&o, &r, 3, (int64_t[]){3, 2, 4}, 1);
    filled(&o, &r, 3, (int64_t[]){1, 20, what == 0 ? 3 : 4}, 1);
    filled(&o, &r, 3, (int64_t[]){1, 20, 5}, 1);
    if (what == 1) o.in[2].dtype = o.known[2].dtype = HY_F64;
    if (what == 2) one_op_string(&o, "direction", "sideways");
    if (what == 3) {
      one_op_absent(&o);
      int32_t *lens = one_op_in(&o, HY_I32, 1, (int64_t[]){2}, false);
      lens[0] = 4, lens[1] = 1;
    }
    static const hy_status expect[] = {HY_BAD_FORMAT, HY_BAD_FORMAT, HY_BAD_FORMAT,
                                       HY_INVALID_ARGUMENT};
    assert_int_equal(one_op_run(&o, 3, 7), expect[what]);
    one_op_end(&o);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lstm),    cmocka_unit_test(test_gru),      cmocka_unit_test(test_rnn),
      cmocka_unit_test(test_batches), cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
