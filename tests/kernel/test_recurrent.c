/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps: every row of kernel.inc that this machine can run against doubles, at sizes
 * around the tiles, between guard pages; and the bits of a row depend neither on its batch nor on
 * how many steps go together. */
#include "kernel/rows.h"

#include <math.h>

#include "kernel/control_word.h"

typedef enum kind { LSTM, GRU_AFTER, GRU_BEFORE, RNN, KINDS } kind;
static const size_t gates_of[KINDS] = {4, 3, 3, 1};
static const char *const names[KINDS] = {"lstm", "gru_after", "gru_before", "rnn"};

typedef struct shape {
  kind kind;
  size_t rows, hidden, steps;
} shape;

enum { HIDDEN_MAX = 140, BUFFERS = 10 };

/* What a call works on, each between guard pages. */
typedef struct bed {
  guard guards[BUFFERS];
  size_t n_guards, lanes, padded, columns;
  float *pre, *r, *r2, *bias, *h[2], *c, *y, *scratch;
  float *source[4]; /* ONNX's rows of R per gate */
} bed;

static float *room(bed *b, size_t n, bool at_end) {
  guard g = guard_make(n * 4, at_end);
  b->guards[b->n_guards++] = g;
  return (float *)g.data;
}

static hy__recurrent_fn function_of(const hy__recurrent *ops, kind k) {
  const hy__recurrent_fn fns[KINDS] = {ops->lstm, ops->gru_after, ops->gru_before, ops->rnn};
  return fns[k];
}

static void bed_pack(bed *b, shape s) {
  const float *in_r[4], *candidate[1] = {b->source[2]};
  for (size_t g = 0; g < 4; ++g) in_r[g] = b->source[g];
  const size_t gates = s.kind == GRU_BEFORE ? 2 : gates_of[s.kind];
  hy__recurrent_pack((uint32_t)b->lanes, s.hidden, in_r, gates, b->r);
  if (s.kind == GRU_BEFORE) hy__recurrent_pack((uint32_t)b->lanes, s.hidden, candidate, 1, b->r2);
}

static void bed_make(bed *b, const hy__recurrent *ops, shape s, hy__random *r) {
  static float weights[4][HIDDEN_MAX * HIDDEN_MAX];
  const size_t gates = gates_of[s.kind];
  const bool at_end = hy__random_below(r, 2) != 0;
  const double size = 1.5 / sqrt((double)s.hidden);
  memset(b, 0, sizeof *b);
  b->lanes = ops->lanes;
  b->padded = (s.hidden + b->lanes - 1) / b->lanes * b->lanes;
  b->columns = b->padded * gates;
  b->pre = room(b, s.steps * s.rows * b->columns, at_end);
  b->r = room(b, b->columns * s.hidden, at_end);
  b->r2 = room(b, b->padded * s.hidden, at_end);
  b->bias = room(b, b->padded, at_end);
  b->h[0] = room(b, s.rows * b->padded, at_end);
  b->h[1] = room(b, s.rows * b->padded, at_end);
  b->c = room(b, s.rows * b->padded, at_end);
  b->y = room(b, s.steps * s.rows * s.hidden, at_end);
  b->scratch = room(b, 2 * s.rows * b->padded, at_end);
  fill_uniform(r, b->pre, s.steps * s.rows * b->columns, -2, 2);
  for (size_t g = 0; g < 4; ++g) {
    b->source[g] = weights[g];
    fill_uniform(r, weights[g], s.hidden * s.hidden, -size, size);
  }
  for (size_t u = 0; u < s.hidden; ++u) b->bias[u] = uniform(r, -1, 1);
  for (size_t row = 0; row < s.rows; ++row) {
    fill_uniform(r, b->h[0] + row * b->padded, s.hidden, -1, 1);
    fill_uniform(r, b->c + row * b->padded, s.hidden, -2, 2);
  }
  bed_pack(b, s);
}

static void bed_free(bed *b) {
  for (size_t i = 0; i < b->n_guards; ++i) guard_free(&b->guards[i]);
}

static hy__recurrent_call call_of(const bed *b, shape s) {
  return (hy__recurrent_call){.steps = s.steps,
                              .pre = b->pre,
                              .pre_step = (ptrdiff_t)(s.rows * b->columns),
                              .pre_ld = b->columns,
                              .r = b->r,
                              .r2 = b->r2,
                              .bias = b->bias,
                              .h = {b->h[0], b->h[1]},
                              .c = b->c,
                              .c_out = b->c,
                              .y = b->y,
                              .y_step = (ptrdiff_t)(s.rows * s.hidden),
                              .y_ld = s.hidden,
                              .scratch = b->scratch,
                              .rows = s.rows,
                              .hidden = s.hidden,
                              .padded = b->padded};
}

/* --- the reference --- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static double pre_at(const bed *b, shape s, size_t step, size_t row, size_t gate, size_t u) {
  const size_t block = u / b->lanes, lane = u % b->lanes, gates = gates_of[s.kind];
  const float *of_row = b->pre + (step * s.rows + row) * b->columns;
  return (double)of_row[(block * gates + gate) * b->lanes + lane];
}

static double product(const bed *b, shape s, size_t gate, size_t u, const double *h) {
  double sum = 0;
  for (size_t k = 0; k < s.hidden; ++k) sum += h[k] * (double)b->source[gate][u * s.hidden + k];
  return sum;
}

static void step_lstm(const bed *b, shape s, size_t step, size_t row, double *h, double *c) {
  double next[HIDDEN_MAX];
  for (size_t u = 0; u < s.hidden; ++u) {
    double g[4];
    for (size_t i = 0; i < 4; ++i) g[i] = pre_at(b, s, step, row, i, u) + product(b, s, i, u, h);
    c[u] = sigmoid(g[1]) * c[u] + sigmoid(g[0]) * tanh(g[2]);
    next[u] = sigmoid(g[3]) * tanh(c[u]);
  }
  memcpy(h, next, sizeof next);
}

static void step_gru(const bed *b, shape s, size_t step, size_t row, double *h) {
  double next[HIDDEN_MAX], reset[HIDDEN_MAX], r[HIDDEN_MAX];
  for (size_t u = 0; u < s.hidden; ++u) {
    r[u] = sigmoid(pre_at(b, s, step, row, 1, u) + product(b, s, 1, u, h));
    reset[u] = r[u] * h[u];
  }
  for (size_t u = 0; u < s.hidden; ++u) {
    const double z = sigmoid(pre_at(b, s, step, row, 0, u) + product(b, s, 0, u, h));
    const double from_h = s.kind == GRU_AFTER ? r[u] * ((double)b->bias[u] + product(b, s, 2, u, h))
                                              : product(b, s, 2, u, reset);
    const double n = tanh(pre_at(b, s, step, row, 2, u) + from_h);
    next[u] = n + z * (h[u] - n);
  }
  memcpy(h, next, sizeof next);
}

static void step_rnn(const bed *b, shape s, size_t step, size_t row, double *h) {
  double next[HIDDEN_MAX];
  for (size_t u = 0; u < s.hidden; ++u)
    next[u] = tanh(pre_at(b, s, step, row, 0, u) + product(b, s, 0, u, h));
  memcpy(h, next, sizeof next);
}

static void check_against_doubles(const bed *b, shape s, double tolerance, const float *h0,
                                  const float *c0) {
  double worst = 0;
  for (size_t row = 0; row < s.rows; ++row) {
    double h[HIDDEN_MAX] = {0}, c[HIDDEN_MAX] = {0};
    for (size_t u = 0; u < s.hidden; ++u) {
      h[u] = (double)h0[row * b->padded + u];
      c[u] = (double)c0[row * b->padded + u];
    }
    for (size_t step = 0; step < s.steps; ++step) {
      if (s.kind == LSTM)
        step_lstm(b, s, step, row, h, c);
      else if (s.kind == RNN)
        step_rnn(b, s, step, row, h);
      else
        step_gru(b, s, step, row, h);
      const double unit = 0x1p-24 * (sqrt((double)s.hidden) + 3) * (double)(step + 1);
      for (size_t u = 0; u < s.hidden; ++u) {
        const double y = (double)b->y[(step * s.rows + row) * s.hidden + u];
        const double off = fabs(y - h[u]) / unit;
        if (!(off <= worst)) worst = off;
      }
    }
  }
  if (!(worst <= tolerance))
    fail_msg("%s rows %zu hidden %zu steps %zu: %g", names[s.kind], s.rows, s.hidden, s.steps,
             worst);
}

/* The last row alone, a step at a time. */
static void check_alone(const bed *b, const hy__recurrent *ops, shape s, const float *h0,
                        const float *c0) {
  const size_t row = s.rows - 1;
  bed one = {0};
  float *h[2] = {room(&one, b->padded, true), room(&one, b->padded, true)};
  float *c = room(&one, b->padded, true), *y = room(&one, s.hidden, true);
  float *scratch = room(&one, 2 * b->padded, true);
  memcpy(h[0], h0 + row * b->padded, b->padded * 4);
  memcpy(c, c0 + row * b->padded, b->padded * 4);
  hy__recurrent_call call = call_of(b, s);
  call.rows = call.steps = 1;
  call.c = call.c_out = c;
  call.y = y;
  call.scratch = scratch;
  for (size_t step = 0; step < s.steps; ++step) {
    call.pre = b->pre + (step * s.rows + row) * b->columns;
    call.h[0] = h[step & 1];
    call.h[1] = h[~step & 1];
    function_of(ops, s.kind)(&call);
    assert_memory_equal(y, b->y + (step * s.rows + row) * s.hidden, s.hidden * 4);
  }
  bed_free(&one);
}

/* One row over weights rounded to bfloat16: in pairs the bits of the floats. */
static void check_pairs(bed *b, const hy__recurrent *ops, shape s, const float *h0,
                        const float *c0) {
  static float want[4 * HIDDEN_MAX];
  const size_t bytes = s.steps * s.hidden * sizeof(float), n_pairs = (s.hidden + 1) / 2;
  const float *in_r[4], *candidate[1] = {b->source[2]};
  const size_t gates = s.kind == GRU_BEFORE ? 2 : gates_of[s.kind];
  bed packed = {0};
  uint32_t *r = (uint32_t *)(void *)room(&packed, b->padded * gates * n_pairs, true);
  uint32_t *r2 = (uint32_t *)(void *)room(&packed, b->padded * n_pairs, true);
  hy__recurrent_call call = call_of(b, s);
  for (size_t g = 0; g < 4; ++g) {
    hy__bf16_round(b->source[g], s.hidden * s.hidden);
    in_r[g] = b->source[g];
  }
  bed_pack(b, s);
  hy__recurrent_pack_pairs((uint32_t)b->lanes, s.hidden, in_r, gates, r);
  if (s.kind == GRU_BEFORE)
    hy__recurrent_pack_pairs((uint32_t)b->lanes, s.hidden, candidate, 1, r2);
  assert_true(bytes <= sizeof want);
  for (int pairs = 0; pairs < 2; ++pairs) {
    memcpy(b->h[0], h0, b->padded * 4);
    memcpy(b->c, c0, b->padded * 4);
    if (pairs) call.r = r, call.r2 = r2, call.pairs = true;
    function_of(ops, s.kind)(&call);
    if (pairs)
      assert_memory_equal(b->y, want, bytes);
    else
      memcpy(want, b->y, bytes);
  }
  bed_free(&packed);
}

static void check(const hy__kernel_row *row, shape s, uint64_t seed) {
  static float h0[32 * HIDDEN_MAX], c0[32 * HIDDEN_MAX];
  const hy__recurrent *ops = row->ops;
  hy__random r;
  bed b;
  hy__random_init(&r, seed, 3);
  bed_make(&b, ops, s, &r);
  assert_true(s.rows * b.padded <= HY_COUNT(h0));
  memcpy(h0, b.h[0], s.rows * b.padded * 4);
  memcpy(c0, b.c, s.rows * b.padded * 4);
  const hy__recurrent_call call = call_of(&b, s);
  const uint64_t before = control_word();
  function_of(ops, s.kind)(&call);
  assert_true(control_word() == before);
  check_against_doubles(&b, s, row->tolerance, h0, c0);
  for (size_t i = 0; i < s.rows; ++i) { /* the state is the last y */
    const float *h = b.h[s.steps & 1] + i * b.padded;
    assert_memory_equal(h, b.y + ((s.steps - 1) * s.rows + i) * s.hidden, s.hidden * 4);
  }
  check_alone(&b, ops, s, h0, c0);
  if (s.rows == 1) check_pairs(&b, ops, s, h0, c0);
  bed_free(&b);
}

static void test_rows(void **state) {
  static const size_t heights[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 19};
  static const size_t hidden[] = {1, 3, 4, 8, 9, 16, 17, 33, 48, 65, 100, 128};
  const rows here = rows_here("recurrent");
  (void)state;
  for (size_t i = 0; i < here.n; ++i) {
    uint64_t seed = 1;
    for (size_t k = 0; k < KINDS; ++k)
      for (size_t m = 0; m < HY_COUNT(heights); ++m)
        for (size_t h = 0; h < HY_COUNT(hidden); ++h, ++seed)
          check(here.row[i], (shape){(kind)k, heights[m], hidden[h], 1 + seed % 4}, seed);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
