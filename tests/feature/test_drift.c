/* SPDX-License-Identifier: Apache-2.0
 * What is left of the rounding of many updates: recurrences and windows fed with a long wandering
 * series, against the same definitions in float128. 400,000 bars, or as many as
 * HAYATE_DRIFT_BARS says (`make check`: ten million). */
#include "feature/rows.h"

#include "base/base.h"

#include <math.h>

enum { HEAD = 1152, CHUNK = 4096, BARS = 400000, WINDOW = 60, LONG = 1000 };

#if defined(__aarch64__)
typedef long double wide; /* of 128 bits there */
#else
typedef __float128 wide;
#endif

/* The definition in float128, a value at a time. */
typedef struct truth {
  wide e[3], count[3], last, window[WINDOW], ring[LONG];
  size_t seen;
} truth;

typedef struct drift_case {
  const char *id;
  double p[HY__IND_PARAMS];
  wide (*push)(truth *t, const double *p, wide x);
  double scale; /* of the values */
} drift_case;

/* An average seeded by the mean of its first n values. */
static bool average(truth *t, int slot, wide n, wide k, wide x, wide *out) {
  if (t->count[slot] < n) {
    t->count[slot] += 1;
    t->e[slot] += x;
    if (t->count[slot] == n) t->e[slot] /= n;
  } else {
    t->e[slot] += k * (x - t->e[slot]);
  }
  *out = t->e[slot];
  return t->count[slot] >= n;
}

static wide push_ema(truth *t, const double *p, wide x) {
  wide out;
  (void)average(t, 0, (wide)p[0], 2 / ((wide)p[0] + 1), x, &out);
  return out;
}

static wide push_rma(truth *t, const double *p, wide x) {
  wide out;
  (void)average(t, 0, (wide)p[0], 1 / (wide)p[0], x, &out);
  return out;
}

static wide push_tema(truth *t, const double *p, wide x) {
  const wide n = (wide)p[0], k = 2 / (n + 1);
  wide e1, e2 = 0, e3 = 0;
  if (average(t, 0, n, k, x, &e1) && average(t, 1, n, k, e1, &e2))
    (void)average(t, 2, n, k, e2, &e3);
  return 3 * e1 - 3 * e2 + e3;
}

static wide push_rsi(truth *t, const double *p, wide x) {
  wide gain = 0, loss = 0;
  if (t->seen++ > 0) {
    const wide d = x - t->last, n = (wide)p[0];
    (void)average(t, 0, n, 1 / n, d > 0 ? d : 0, &gain);
    (void)average(t, 1, n, 1 / n, d < 0 ? -d : 0, &loss);
  }
  t->last = x;
  return gain + loss > 0 ? 100 * gain / (gain + loss) : 50;
}

static void remember(truth *t, wide x) {
  memmove(t->window + 1, t->window, (WINDOW - 1) * sizeof(wide));
  t->window[0] = x;
}

static wide mean_of(const truth *t, size_t n) {
  wide sum = 0;
  for (size_t i = 0; i < n; i++) sum += t->window[i];
  return sum / (wide)n;
}

static wide push_sma(truth *t, const double *p, wide x) {
  remember(t, x);
  return mean_of(t, (size_t)p[0]);
}

/* The sample variance: what running sums lose first. */
static wide push_var(truth *t, const double *p, wide x) {
  remember(t, x);
  const wide mean = mean_of(t, (size_t)p[0]);
  wide squares = 0;
  for (size_t i = 0; i < (size_t)p[0]; i++)
    squares += (t->window[i] - mean) * (t->window[i] - mean);
  return squares / (wide)(p[0] - 1);
}

/* A long window, whose sum is carried along: float128 keeps it. */
static wide push_long(truth *t, const double *p, wide x) {
  const size_t n = (size_t)p[0];
  wide *oldest = &t->ring[t->seen++ % n];
  t->e[0] += x - *oldest;
  *oldest = x;
  return t->e[0] / (wide)n;
}

static wide push_cumsum(truth *t, const double *p, wide x) {
  (void)p;
  return t->e[0] += x;
}

static const drift_case cases[] = {
    {"ema.talib", {20}, push_ema, 100}, {"ema.talib", {2000}, push_ema, 100},
    {"rma", {14}, push_rma, 100},       {"tema", {30}, push_tema, 100},
    {"rsi.mid", {14}, push_rsi, 100},   {"sma", {60}, push_sma, 100},
    {"var.sample", {60}, push_var, 1},  {"sma", {LONG}, push_long, 100},
    {"cumsum", {0}, push_cumsum, 100},
};

static const row *find_row(const char *id) {
  for (size_t i = 0; i < HY_COUNT(rows); i++)
    if (!strcmp(rows[i].id, id)) return &rows[i];
  fail_msg("%s", id);
  return NULL;
}

static size_t n_bars(void) {
  const char *text = getenv("HAYATE_DRIFT_BARS");
  double n = BARS;
  if (text) (void)hy__parse_f64(text, text + strlen(text), &n);
  return (size_t)n / CHUNK * CHUNK;
}

/* One chunk after the other, the rows before it in front of it. */
static void run_case(const drift_case *c) {
  const hy__ind_code *code = find_row(c->id)->code[isas_here() - 1];
  double *in = zeroed((HEAD + CHUNK) * HY_LANES * sizeof(double));
  double *out = zeroed(CHUNK * HY_LANES * sizeof(double));
  void *state = zeroed(of_params(code->state_bytes, c->p));
  truth t = {.seen = 0};
  wide expected = 0;
  hy__random random;
  double price = 100, worst = 0;
  hy__random_init(&random, 9, 0);
  for (size_t k = 0; k < HEAD * HY_LANES; k++) in[k] = NAN;
  assert_true(code->n_mid == 0 && of_params(code->history, c->p) <= HEAD);
  for (size_t done = 0; done < n_bars(); done += CHUNK) {
    for (size_t i = 0; i < CHUNK; i++) {
      /* it wanders about 100; now and then a tick that is a thousand times too large */
      price += 0.01 * hy__random_normal(&random) - 1e-4 * (price - 100);
      const double x = hy__random_below(&random, 100003) == 0 ? price * 1000 : price;
      for (size_t k = 0; k < HY_LANES; k++) in[(HEAD + i) * HY_LANES + k] = x;
      expected = c->push(&t, c->p, (wide)x);
    }
    const hy__ind_step s = {
        .n = CHUNK, .in = {in + HEAD * HY_LANES}, .out = {out}, .state = state, .p = c->p};
    code->step(&s);
    const double got = out[(CHUNK - 1) * HY_LANES + 3];
    const double scale = fmax(c->scale, fabs((double)expected));
    worst = fmax(worst, fabs((double)((wide)got - expected)) / scale);
    memmove(in, in + CHUNK * HY_LANES, HEAD * HY_LANES * sizeof(double));
  }
  print_message("%s(%g): %.2g of scale\n", c->id, c->p[0], worst);
  if (!(worst < 1e-12)) fail_msg("%s(%g) is %g of scale away", c->id, c->p[0], worst);
  free(in);
  free(out);
  free(state);
}

static void test_nothing_drifts(void **state) {
  (void)state;
  for (size_t i = 0; i < HY_COUNT(cases); i++) run_case(&cases[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_drifts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
