/* SPDX-License-Identifier: Apache-2.0
 * Weights as bfloat16: a session that rounds them gives the bits of a float32 session over weights
 * that were rounded before, for a row alone and in a batch; and it does round. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "support/onnx_writer.h"

enum { STEPS = 5, FEATURES = 7, HIDDEN = 37, MIDDLE = 70, OUT = 3, ROWS = 3 };

typedef struct config {
  const char *kind;
  int gates, before_reset, layers;
  float clip; /* not 0: the general path */
} config;

/* To eight bits of significand, halves to even. */
static float nearest(float x) {
  int exponent;
  const double m = frexp((double)x, &exponent);
  return (float)ldexp(rint(m * 256), exponent - 8);
}

static void weights_add(pb *g, const char *name, const int64_t *dims, int32_t rank, bool rounded) {
  static float values[4 * HIDDEN * MIDDLE];
  unsigned seed = 7u + (unsigned)name[0] * 31u + (unsigned)name[1];
  size_t n = 1;
  for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
  assert_true(n <= sizeof values / sizeof *values);
  for (size_t i = 0; i < n; i++) {
    seed = seed * 1664525u + 1013904223u;
    const float x = ((float)(seed >> 8) / (float)(1 << 24) - 0.5f) * 0.7f;
    values[i] = rounded ? nearest(x) : x;
  }
  initializer_add(g, name, HY_F32, dims, rank, values, n * sizeof(float));
}

static void layer_add(pb *g, const config *q, int l, const char *in, bool rounded) {
  char w[] = "w0", r[] = "r0", b[] = "b0", y[] = "y0", s[] = "s0", inputs[32];
  const int64_t gh = q->gates * HIDDEN, width = l ? HIDDEN : FEATURES;
  w[1] = r[1] = b[1] = y[1] = s[1] = (char)('0' + l);
  weights_add(g, w, (const int64_t[3]){1, gh, width}, 3, rounded);
  weights_add(g, r, (const int64_t[3]){1, gh, HIDDEN}, 3, rounded);
  weights_add(g, b, (const int64_t[2]){1, 2 * gh}, 2, false);
  snprintf(inputs, sizeof inputs, "%s %s %s %s", in, w, r, b);
  pb node = node_make(q->kind, inputs, y);
  attr_int(&node, "hidden_size", HIDDEN);
  if (q->before_reset) attr_int(&node, "linear_before_reset", 1);
  if (q->clip > 0) attr_float(&node, "clip", q->clip);
  pb_message(g, 1, &node);
  snprintf(inputs, sizeof inputs, "%s one", y);
  node_add(g, "Squeeze", inputs, s);
}

/* Recurrent layers, the last step, a Gemm with a transposed matrix, a MatMul, a narrow one. */
static pb model_of(const config *q, bool rounded) {
  const int64_t in[3] = {-1, STEPS, FEATURES}, swap[3] = {1, 0, 2}, one[1] = {1};
  const int64_t axis = 1, last = -1;
  pb g = {0}, node = node_make("Transpose", "x", "tx");
  port_add(&g, 11, "x", HY_F32, in, 3);
  port_add(&g, 12, "y", HY_F32, in, -1);
  initializer_add(&g, "one", HY_I64, one, 1, &axis, 8);
  initializer_add(&g, "last", HY_I64, one, 0, &last, 8);
  attr_ints(&node, "perm", swap, 3);
  pb_message(&g, 1, &node);
  for (int l = 0; l < q->layers; l++) layer_add(&g, q, l, l ? "s0" : "tx", rounded);
  node_add(&g, "Gather", q->layers > 1 ? "s1 last" : "s0 last", "h");
  weights_add(&g, "G", (const int64_t[2]){MIDDLE, HIDDEN}, 2, rounded);
  weights_add(&g, "M", (const int64_t[2]){MIDDLE, HIDDEN}, 2, rounded);
  weights_add(&g, "N", (const int64_t[2]){HIDDEN, OUT}, 2, rounded);
  node = node_make("Gemm", "h G", "a");
  attr_int(&node, "transB", 1);
  pb_message(&g, 1, &node);
  node_add(&g, "Relu", "a", "ar");
  node_add(&g, "MatMul", "ar M", "m");
  node_add(&g, "MatMul", "m N", "y");
  return model_make(&g, 17);
}

static void run(hy_runtime *runtime, const pb *bytes, hy_precision precision, const float *x,
                int64_t rows, float *out) {
  hy_model *m;
  hy_session *s = NULL;
  hy_error err;
  const hy_session_options options = {.struct_size = sizeof options, .precision = precision};
  const hy_tensor in = {
      .data = (void *)(uintptr_t)x, .dtype = HY_F32, .rank = 3, .dims = {rows, STEPS, FEATURES}};
  hy_tensor y = {0};
  if (hy_model_open_memory(runtime, bytes->data, bytes->n, NULL, &m, &err) != HY_OK ||
      hy_session_create(m, &options, &s, &err) != HY_OK ||
      hy_session_run(s, &in, 1, &y, 1, &err) != HY_OK)
    fail_msg("%s", err.message);
  memcpy(out, y.data, (size_t)rows * OUT * sizeof(float));
  hy_session_destroy(s);
  hy_model_destroy(m);
}

static void check(hy_runtime *runtime, const config *q, const float *x) {
  float want[ROWS * OUT], got[ROWS * OUT], plain[ROWS * OUT];
  pb before = model_of(q, true), given = model_of(q, false);
  run(runtime, &before, HY_PRECISION_FLOAT32, x, ROWS, want);
  run(runtime, &given, HY_PRECISION_BFLOAT16_WEIGHTS, x, ROWS, got);
  assert_memory_equal(got, want, sizeof want);
  for (size_t row = 0; row < ROWS; row++)
    run(runtime, &given, HY_PRECISION_BFLOAT16_WEIGHTS, x + row * STEPS * FEATURES, 1,
        got + row * OUT);
  if (memcmp(got, want, sizeof want) != 0)
    fail_msg("%s, %d layers: a row alone has other bits", q->kind, q->layers);
  run(runtime, &given, HY_PRECISION_FLOAT32, x, ROWS, plain);
  assert_true(memcmp(plain, want, sizeof want) != 0);
  float scale = 0;
  for (size_t i = 0; i < ROWS * OUT; i++) scale = fmaxf(scale, fabsf(plain[i]));
  for (size_t i = 0; i < ROWS * OUT; i++) assert_true(fabsf(plain[i] - want[i]) < scale * 0x1p-5f);
  pb_free(&before);
  pb_free(&given);
}

static void rounds_weights(void **state) {
  static const config cases[] = {{"LSTM", 4, 0, 1, 0}, {"LSTM", 4, 0, 2, 0}, {"LSTM", 4, 0, 1, 9},
                                 {"GRU", 3, 0, 1, 0},  {"GRU", 3, 1, 1, 0},  {"GRU", 3, 1, 2, 0},
                                 {"GRU", 3, 0, 1, 9},  {"RNN", 1, 0, 1, 0},  {"RNN", 1, 0, 2, 0}};
  static const hy_isa levels[] = {HY_ISA_SCALAR, HY_ISA_AVX2, HY_ISA_AVX512, HY_ISA_NEON};
  float x[ROWS * STEPS * FEATURES];
  size_t tested = 0;
  (void)state;
  for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (float)((i * 37) % 101) / 50 - 1;
  for (size_t l = 0; l < sizeof levels / sizeof *levels; l++) {
    const hy_runtime_options options = {
        .struct_size = sizeof options, .n_threads = 1, .isa = levels[l]};
    hy_runtime *runtime;
    if (hy_runtime_create(&options, &runtime, NULL) != HY_OK) continue; /* not this machine's */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(runtime, &cases[i], x);
    hy_runtime_destroy(runtime);
    tested++;
  }
  assert_true(tested > 0);
}

static void names(void **state) {
  hy_precision p = HY_PRECISION_FLOAT32;
  hy_error err;
  (void)state;
  assert_int_equal(hy_precision_parse("bfloat16", &p, &err), HY_OK);
  assert_int_equal(p, HY_PRECISION_BFLOAT16_WEIGHTS);
  assert_string_equal(hy_precision_name(HY_PRECISION_FLOAT32), "float32");
  assert_int_equal(hy_precision_parse("float16", &p, &err), HY_INVALID_ARGUMENT);
  assert_int_equal(p, HY_PRECISION_BFLOAT16_WEIGHTS);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(rounds_weights), cmocka_unit_test(names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
