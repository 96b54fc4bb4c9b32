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

/* --- DequantizeLinear and QuantizeLinear around a product; scales of powers of two, so that the
 * sums of floats are exact too --- */

static void scale_add(pb *g, const char *name, float value) {
  initializer_add(g, name, HY_F32, NULL, 0, &value, sizeof value);
}

static void zero_add(pb *g, const char *name, uint8_t value) {
  initializer_add(g, name, HY_U8, NULL, 0, &value, 1);
}

/* x through bytes: "xf". The output's scale and zero point are "ys yz". */
static pb pairs(const hy_tensor *x) {
  const int8_t none = 0;
  pb g = {0};
  both_fill(data, HY_COUNT(data), 9);
  both_ports(&g, x);
  scale_add(&g, "xs", 0x1p-7f);
  zero_add(&g, "xz", 131);
  scale_add(&g, "wz_scale", 0x1p-6f);
  initializer_add(&g, "wz", HY_I8, NULL, 0, &none, 1);
  scale_add(&g, "ys", 0x1p-1f);
  zero_add(&g, "yz", 120);
  node_add(&g, "QuantizeLinear", "x xs xz", "xq");
  node_add(&g, "DequantizeLinear", "xq xs xz", "xf");
  return g;
}

static void weights_pair(pb *g, const int64_t *dims, int rank) {
  bytes_add(g, "w", HY_I8, dims, rank);
  node_add(g, "DequantizeLinear", "w wz_scale wz", "wf");
}

static void bias_pair(pb *g, int64_t n, float scale) {
  int32_t values[N], zero = 0;
  for (int32_t i = 0; i < n; i++) values[i] = i * 321 - 2000;
  initializer_add(g, "b", HY_I32, &n, 1, values, (size_t)n * sizeof *values);
  scale_add(g, "bs", scale);
  initializer_add(g, "bz", HY_I32, NULL, 0, &zero, sizeof zero);
  node_add(g, "DequantizeLinear", "b bs bz", "bf");
}

static void ends(pb *g, const char *in) {
  char words[64];
  snprintf(words, sizeof words, "%s ys yz", in);
  node_add(g, "QuantizeLinear", words, "yq");
  node_add(g, "DequantizeLinear", "yq ys yz", "y");
}

static void between_pairs(void **state) {
  (void)state;
  const int64_t w[2] = {K, N}, turned[2] = {N, K}, kernel[4] = {7, CHANNELS, 3, 2};
  pb g = pairs(&matrix);
  weights_pair(&g, w, 2);
  node_add(&g, "MatMul", "xf wf", "p");
  ends(&g, "p");
  both_agree(&g, &matrix, "QuantizeLinear QLinearMatMul DequantizeLinear", 0);
  g = pairs(&matrix);
  weights_pair(&g, turned, 2);
  bias_pair(&g, N, 0x1p-13f);
  both_node_int(&g, "Gemm", "xf wf bf", "p", "transB", 1);
  ends(&g, "p");
  both_agree(&g, &matrix, "QuantizeLinear QGemm* DequantizeLinear", 0);
  g = pairs(&image);
  weights_pair(&g, kernel, 4);
  bias_pair(&g, 7, 0x1p-13f);
  both_node_ints(&g, "Conv", "xf wf bf", "p", "pads", (const int64_t[]){1, 0, 1, 1}, 4);
  ends(&g, "p");
  both_agree(&g, &image, "QuantizeLinear QLinearConv DequantizeLinear", 0);
}

/* Bytes of one scale are moved, and their largest taken, as they are. */
static void moved(void **state) {
  (void)state;
  pb g = pairs(&image);
  both_node_ints(&g, "MaxPool", "xf", "m", "kernel_shape", (const int64_t[]){2, 2}, 2);
  node_add(&g, "QuantizeLinear", "m xs xz", "mq");
  node_add(&g, "DequantizeLinear", "mq xs xz", "mf");
  node_add(&g, "Flatten", "mf", "f");
  node_add(&g, "QuantizeLinear", "f xs xz", "fq");
  node_add(&g, "DequantizeLinear", "fq xs xz", "y");
  both_agree(&g, &image, "QuantizeLinear MaxPool Flatten DequantizeLinear", 0);
}

/* A bias of another scale; the transposed left side; another scale behind the mover. */
static void pairs_stay(void **state) {
  (void)state;
  const int64_t w[2] = {K, N}, tall[2] = {ROWS, N};
  pb g = pairs(&matrix);
  weights_pair(&g, w, 2);
  bias_pair(&g, N, 0x1p-12f);
  node_add(&g, "Gemm", "xf wf bf", "p");
  ends(&g, "p");
  both_agree(&g, &matrix, "QuantizeLinear DequantizeLinear Linear* QuantizeLinear DequantizeLinear",
             0);
  g = pairs(&matrix);
  weights_pair(&g, tall, 2);
  both_node_int(&g, "Gemm", "xf wf", "p", "transA", 1);
  ends(&g, "p");
  both_agree(&g, &matrix, "QuantizeLinear DequantizeLinear Gemm QuantizeLinear DequantizeLinear",
             0);
  g = pairs(&image);
  node_add(&g, "Flatten", "xf", "p");
  ends(&g, "p");
  both_agree(&g, &image, "QuantizeLinear DequantizeLinear Flatten QuantizeLinear DequantizeLinear",
             0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(product), cmocka_unit_test(convolution),
                                     cmocka_unit_test(stays),   cmocka_unit_test(between_pairs),
                                     cmocka_unit_test(moved),   cmocka_unit_test(pairs_stay)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
