/* SPDX-License-Identifier: Apache-2.0
 * Passes on quantised graphs: dynamically quantised products and convolutions as one operator, with
 * the same bits; and what must stay as it is. */
#include "pass/both.h"

enum { ROWS = 5, K = 13, N = 18, CHANNELS = 4, SIDE = 6 };
static float data[ROWS * K + 2 * CHANNELS * SIDE * SIDE];
static const hy_tensor matrix = {.data = data, .dtype = HY_F32, .rank = 2, .dims = {ROWS, K}};
static const hy_tensor image = {
    .data = data, .dtype = HY_F32, .rank = 4, .dims = {2, CHANNELS, SIDE, SIDE}};

static void bytes_add(pb *g, const char *name, int dtype, const int64_t *dims, int rank) {
  uint8_t values[1024];
  size_t n = 1;
  for (int d = 0; d < rank; d++) n *= (size_t)dims[d];
  assert_true(n <= sizeof values);
  for (size_t i = 0; i < n; i++) values[i] = (uint8_t)(i * 37 + (size_t)name[0] * 11);
  initializer_add(g, name, dtype, dims, rank, values, n);
}

static void scales_add(pb *g, int64_t n) {
  float values[N];
  for (int64_t i = 0; i < n; i++) values[i] = 0.01f + 0.003f * (float)i;
  initializer_add(g, "ws", HY_F32, &n, n > 1, values, (size_t)n * sizeof(float));
}

/* Input, DynamicQuantizeLinear, and the product of the scales. */
static pb start(const hy_tensor *x, int64_t n_scales) {
  pb g = {0};
  both_fill(data, HY_COUNT(data), 9);
  both_ports(&g, x);
  node_add(&g, "DynamicQuantizeLinear", "x", "xq xs xz");
  scales_add(&g, n_scales);
  node_add(&g, "Mul", "xs ws", "s");
  return g;
}

static void cast_add(pb *g, const char *in, const char *out) {
  both_node_int(g, "Cast", in, out, "to", HY_F32);
}

static void product(void **state) {
  (void)state;
  const int64_t w[2] = {K, N}, n = N;
  for (int form = 0; form < 8; form++) {
    const bool columns = form & 1, bias = form & 2, zeros = form & 4;
    pb g = start(&matrix, columns ? N : 1);
    bytes_add(&g, "w", zeros ? HY_U8 : HY_I8, w, 2);
    bytes_add(&g, "wz", zeros ? HY_U8 : HY_I8, &n, columns);
    both_weights(&g, "b", &n, 1);
    node_add(&g, "MatMulInteger", zeros ? "xq w xz wz" : "xq w xz", "i");
    cast_add(&g, "i", "f");
    node_add(&g, "Mul", form & 4 ? "s f" : "f s", bias ? "m" : "y");
    if (bias) node_add(&g, "Add", form & 4 ? "b m" : "m b", "y");
    both_agree(&g, &matrix, "DynamicQuantizeLinear MatMulIntegerToFloat*", 0);
  }
}

static void convolution(void **state) {
  (void)state;
  const int64_t w[4] = {7, CHANNELS, 3, 2}, b[3] = {7, 1, 1}, one = 1;
  const int64_t pads[4] = {1, 0, 1, 1};
  for (int bias = 0; bias < 2; bias++) {
    pb g = start(&image, 1);
    bytes_add(&g, "w", HY_U8, w, 4);
    bytes_add(&g, "wz", HY_U8, &one, 0);
    both_weights(&g, "b", b, 3);
    both_node_ints(&g, "ConvInteger", "xq w xz wz", "i", "pads", pads, 4);
    cast_add(&g, "i", "f");
    node_add(&g, "Mul", "f s", bias ? "m" : "y");
    if (bias) node_add(&g, "Add", "m b", "y");
    both_agree(&g, &image, "DynamicQuantizeLinear ConvIntegerToFloat*", 0);
  }
}

/* The sums are read elsewhere; the scale is no product; the factor has another shape. */
static void stays(void **state) {
  (void)state;
  const int64_t w[2] = {K, N}, tall[2] = {ROWS, 1};
  for (int form = 0; form < 3; form++) {
    pb g = start(&matrix, 1);
    bytes_add(&g, "w", HY_I8, w, 2);
    both_weights(&g, "t", tall, 2);
    node_add(&g, "MatMulInteger", "xq w xz", "i");
    cast_add(&g, "i", "f");
    if (form == 2) node_add(&g, "Mul", "xs t", "st");
    node_add(&g, "Mul", form == 0 ? "f s" : form == 1 ? "f xs" : "f st", form == 0 ? "m" : "y");
    if (form == 0) node_add(&g, "Add", "m f", "y");
    static const char *const left[] = {"DynamicQuantizeLinear Mul MatMulInteger Cast Mul Add",
                                       "DynamicQuantizeLinear MatMulInteger Cast Mul",
                                       "DynamicQuantizeLinear MatMulInteger Cast Mul Mul"};
    both_agree(&g, &matrix, left[form], 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(product), cmocka_unit_test(convolution),
                                     cmocka_unit_test(stays)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
