/* SPDX-License-Identifier: Apache-2.0
 * Passes around convolutions: padding, channels-last layout, sinking transposes, fused activations
 * and residuals, and the steps that a last-step head needs. */
#include "pass/both.h"

enum { T = 40, F = 6, C = 10 };
static float data[3 * T * F * 8];
static const hy_tensor series = {
    .data = data, .dtype = HY_F32, .rank = 3, .dims = {2, T, F}}; /* [batch, time, features] */
static const hy_tensor image = {
    .data = data, .dtype = HY_F32, .rank = 4, .dims = {2, 3, 9, 7}}; /* [batch, channels, h, w] */
static const int64_t swap[3] = {0, 2, 1};

typedef struct layer {
  int64_t in, out, kernel, dilation, stride, before, after, group;
} layer;

static void conv_add(pb *g, const char *in, const char *out, const char *w, layer l) {
  const int64_t dims[3] = {l.out, l.in / l.group, l.kernel}, pads[2] = {l.before, l.after};
  char names[64];
  both_weights(g, w, dims, 3);
  snprintf(names, sizeof names, "%s %s", in, w);
  pb node = node_make("Conv", names, out);
  attr_ints(&node, "dilations", &l.dilation, 1);
  attr_ints(&node, "strides", &l.stride, 1);
  attr_ints(&node, "pads", pads, 2);
  attr_int(&node, "group", l.group);
  pb_message(g, 1, &node);
}

static pb series_graph(void) {
  pb g = {0};
  both_fill(data, HY_COUNT(data), 3);
  both_ports(&g, &series);
  both_node_ints(&g, "Transpose", "x", "t", "perm", swap, 3);
  return g;
}

static void back(pb *g, const char *in) {
  both_node_ints(g, "Transpose", in, "y", "perm", swap, 3);
}

static void windows_of_every_kind(void **state) {
  (void)state;
  const layer layers[] = {{F, C, 3, 1, 1, 0, 0, 1},   {F, C, 3, 1, 1, 2, 0, 1},
                          {F, C, 3, 4, 1, 8, 0, 1},   {F, C, 5, 2, 3, 4, 5, 1},
                          {F, C, 1, 1, 1, 0, 0, 1},   {F, 12, 3, 1, 1, 1, 1, 2},
                          {F, F, 5, 2, 1, 4, 4, F},   {F, 12, 3, 2, 2, 1, 1, F},
                          {F, C, 3, 30, 1, 60, 0, 1}, {F, C, 2, 1, 50, 0, 70, 1}};
  for (size_t i = 0; i < HY_COUNT(layers); i++) {
    pb g = series_graph();
    conv_add(&g, "t", "c", "w", layers[i]);
    back(&g, "c");
    both_agree(&g, &series, "ConvLast*", 1e-6);
  }
}

static void planes(void **state) {
  (void)state;
  const int64_t w[4] = {8, 3, 3, 2}, pads[4] = {1, 0, 2, 1}, by[2] = {2, 2}, v[4] = {4, 8, 2, 2};
  pb g = {0};
  both_fill(data, HY_COUNT(data), 5);
  both_ports(&g, &image);
  both_weights(&g, "w", w, 4);
  both_weights(&g, "v", v, 4);
  pb node = node_make("Conv", "x w", "c");
  attr_ints(&node, "pads", pads, 4);
  pb_message(&g, 1, &node);
  node_add(&g, "Relu", "c", "r");
  node = node_make("MaxPool", "r", "p");
  attr_ints(&node, "kernel_shape", by, 2);
  attr_ints(&node, "strides", by, 2);
  pb_message(&g, 1, &node);
  both_node_ints(&g, "Conv", "p v", "d", "dilations", by, 2);
  node = node_make("AveragePool", "d", "a");
  attr_ints(&node, "kernel_shape", by, 2);
  attr_ints(&node, "pads", pads, 4);
  pb_message(&g, 1, &node);
  node_add(&g, "GlobalAveragePool", "a", "y");
  both_agree(&g, &image, "Transpose ConvLast* PoolLast* ConvLast* PoolLast* PoolLast* Transpose",
             1e-6);
}

static void pools_that_stay(void **state) {
  (void)state;
  const int64_t by[2] = {2, 2};
  pb g = {0};
  both_fill(data, HY_COUNT(data), 5);
  both_ports(&g, &image);
  pb node = node_make("MaxPool", "x", "y");
  attr_ints(&node, "kernel_shape", by, 2);
  attr_int(&node, "ceil_mode", 1);
  pb_message(&g, 1, &node);
  both_agree(&g, &image, "MaxPool", 0);
}

static void padding_before(void **state) {
  (void)state;
  const int64_t pads[6] = {0, 0, 4, 0, 0, 0}, channels[6] = {0, 2, 0, 0, 0, 0};
  const layer l = {F, C, 3, 2, 1, 0, 0, 1}, wide = {F + 2, C, 3, 2, 1, 0, 0, 1};
  pb g = series_graph();
  both_ints(&g, "pads", pads, 6);
  node_add(&g, "Pad", "t pads", "p");
  conv_add(&g, "p", "c", "w", l);
  back(&g, "c");
  both_agree(&g, &series, "ConvLast*", 1e-6);
  g = series_graph(); /* channels are no spatial dim */
  both_ints(&g, "pads", channels, 6);
  node_add(&g, "Pad", "t pads", "p");
  conv_add(&g, "p", "c", "w", wide);
  back(&g, "c");
  both_agree(&g, &series, "Pad ConvLast*", 1e-6);
  g = series_graph(); /* padding with one is no zero */
  const float one = 1;
  both_ints(&g, "pads", pads, 6);
  initializer_add(&g, "one", HY_F32, NULL, 0, &one, 4);
  node_add(&g, "Pad", "t pads one", "p");
  conv_add(&g, "p", "c", "w", l);
  back(&g, "c");
  both_agree(&g, &series, "Pad ConvLast*", 1e-6);
}

static void activation_and_residual(void **state) {
  (void)state;
  const layer in = {F, C, 3, 1, 1, 2, 0, 1}, same = {C, C, 3, 2, 1, 4, 0, 1};
  pb g = series_graph();
  conv_add(&g, "t", "a", "w", in);
  node_add(&g, "Relu", "a", "ra");
  conv_add(&g, "ra", "b", "v", same);
  node_add(&g, "Tanh", "b", "rb");
  node_add(&g, "Add", "ra rb", "sum"); /* the residual is the layer's own input */
  node_add(&g, "Relu", "sum", "s");
  back(&g, "s");
  both_agree(&g, &series, "ConvLast* ConvLast*", 1e-6);
  g = series_graph(); /* a second user of the sum before the activation */
  conv_add(&g, "t", "a", "w", in);
  node_add(&g, "Relu", "a", "ra");
  node_add(&g, "Add", "ra a", "sum");
  back(&g, "sum");
  both_agree(&g, &series, "ConvLast* Relu Add", 1e-6);
}

/* Two layers and a residual; the head takes `how`. */
static pb stack(void) {
  const layer one = {F, C, 3, 1, 1, 2, 0, 1}, two = {C, C, 3, 4, 1, 8, 0, 1};
  pb g = series_graph();
  conv_add(&g, "t", "a", "w", one);
  node_add(&g, "Relu", "a", "ra");
  conv_add(&g, "ra", "b", "v", two);
  node_add(&g, "Relu", "b", "rb");
  node_add(&g, "Add", "ra rb", "s");
  return g;
}

static void the_last_step_alone(void **state) {
  (void)state;
  pb g = stack();
  both_index(&g, "last", -1);
  both_node_int(&g, "Gather", "s last", "y", "axis", 2);
  /* the transpose moves one axis of one place: no step */
  both_agree(&g, &series, "Slice ConvLast* Slice ConvLast* Transpose Reshape", 1e-6);
}

static void steps_near_the_padding(void **state) {
  (void)state;
  for (int64_t at = 0; at < 12; at++) {
    pb g = stack();
    both_index(&g, "at", at);
    both_node_int(&g, "Gather", "s at", "y", "axis", 2);
    both_agree(&g, &series, NULL, 1e-6);
  }
}

static void some_steps(void **state) {
  (void)state;
  const int64_t from = 5, to = 38, axis = 2, by = 3;
  pb g = stack();
  both_ints(&g, "from", &from, 1);
  both_ints(&g, "to", &to, 1);
  both_ints(&g, "axis", &axis, 1);
  both_ints(&g, "by", &by, 1);
  node_add(&g, "Slice", "s from to axis by", "c");
  back(&g, "c");
  both_agree(&g, &series, NULL, 1e-6);
}

/* Padding on both sides and the end cut off, as the first TCN did. */
static void chomped(void **state) {
  (void)state;
  const layer l = {F, C, 3, 2, 1, 4, 4, 1};
  const int64_t from = 0, to = -4, axis = 2;
  pb g = series_graph();
  both_ints(&g, "from", &from, 1);
  both_ints(&g, "to", &to, 1);
  both_ints(&g, "axis", &axis, 1);
  conv_add(&g, "t", "c", "w", l);
  node_add(&g, "Slice", "c from to axis", "s");
  back(&g, "s");
  both_agree(&g, &series, "ConvLast*", 1e-6);
}

static void all_steps_are_read(void **state) {
  (void)state;
  const int64_t axes[1] = {2};
  pb g = stack();
  both_index(&g, "last", -1);
  both_node_int(&g, "Gather", "s last", "z", "axis", 2);
  both_node_ints(&g, "ReduceMean", "s", "mean", "axes", axes, 1);
  both_node_int(&g, "Flatten", "mean", "f", "axis", 1);
  node_add(&g, "Add", "f z", "y");
  both_agree(&g, &series, "ConvLast* ConvLast* PoolLast* Transpose Flatten Gather Add", 1e-6);
}

static void steps_through_other_operators(void **state) {
  (void)state;
  const int64_t w[2] = {F, C}, perm[3] = {1, 0, 2}, flat[2] = {-1, C}, axis = 1;
  const float scale[F] = {1, 2, 3, 4, 5, 6};
  const int64_t dims[1] = {F};
  pb g = series_graph();
  both_weights(&g, "w", w, 2);
  both_ints(&g, "flat", flat, 2);
  initializer_add(&g, "scale", HY_F32, dims, 1, scale, sizeof scale);
  node_add(&g, "LayerNormalization", "x scale", "n");
  node_add(&g, "MatMul", "n w", "m");
  both_node_int(&g, "Softmax", "m", "s", "axis", 2);
  both_node_ints(&g, "Transpose", "s", "p", "perm", perm, 3);
  both_index(&g, "last", T - 1);
  both_node_int(&g, "Gather", "p last", "l", "axis", 0);
  node_add(&g, "Reshape", "l flat", "y");
  both_agree(&g, &series, "Slice LayerNormalization Linear* Softmax Transpose Reshape", 0);
  g = series_graph(); /* a softmax along time reads all of it */
  both_weights(&g, "w", w, 2);
  both_node_int(&g, "Softmax", "x", "s", "axis", 1);
  both_index(&g, "last", T - 1);
  both_node_int(&g, "Gather", "s last", "y", "axis", axis);
  both_agree(&g, &series, "Softmax Gather", 0);
}

/* The last step or some, and of them some features: the value is cut along two axes. */
static void steps_and_features(void **state) {
  (void)state;
  const int64_t from = T - 3, to[2] = {T - 1, F - 1}, axes[2] = {1, 2};
  for (int64_t first = 0; first < F - 1; first++) {
    for (int gather = 0; gather < 2; gather++) {
      pb g = series_graph();
      both_index(&g, "last", -1);
      both_ints(&g, "from", &from, 1);
      both_ints(&g, "to", &to[0], 1);
      both_ints(&g, "time", &axes[0], 1);
      both_ints(&g, "first", &first, 1);
      both_ints(&g, "end", &to[1], 1);
      both_ints(&g, "features", &axes[!gather], 1);
      node_add(&g, "Tanh", "x", "h");
      if (gather)
        both_node_int(&g, "Gather", "h last", "c", "axis", 1);
      else
        node_add(&g, "Slice", "h from to time", "c");
      node_add(&g, "Slice", "c first end features", "y");
      both_agree(&g, &series,
                 gather ? "Slice Slice Reshape Tanh Reshape" : "Slice Slice Reshape Tanh", 0);
    }
  }
}

static void transposes_meet(void **state) {
  (void)state;
  const int64_t dims[2] = {F, 1};
  pb g = series_graph();
  both_weights(&g, "b", dims, 2);
  node_add(&g, "Add", "t b", "a"); /* a known operand is turned with it */
  node_add(&g, "Sigmoid", "a", "s");
  node_add(&g, "Mul", "a s", "m");
  back(&g, "m");
  both_agree(&g, &series, "Add Swish", 1e-6);
  g = series_graph(); /* nothing to meet: it stays one transpose */
  node_add(&g, "Relu", "t", "y");
  both_agree(&g, &series, "Relu Transpose", 0);
  g = series_graph(); /* the other operand is not transposed */
  const int64_t shape[3] = {2, F, T};
  both_ints(&g, "shape", shape, 3);
  node_add(&g, "Reshape", "x shape", "r");
  node_add(&g, "Add", "t r", "y");
  both_agree(&g, &series, "Transpose Reshape Add", 0);
}

/* As Keras writes Conv1D: the series as a plane of one line, padding outside. */
static void line_of_plane(pb *g, const char *in, const char *out, const char *w, int64_t channels) {
  const int64_t dims[4] = {C, channels, 1, 3}, to_planes[4] = {0, 3, 1, 2}, axis = 1, line = 2;
  const int64_t dilations[2] = {1, 2}, kernel[2] = {1, 3};
  char a[16], b[16], c[16], names[64];
  snprintf(a, sizeof a, "%s1", out);
  snprintf(b, sizeof b, "%s2", out);
  snprintf(c, sizeof c, "%s3", out);
  both_weights(g, w, dims, 4);
  both_node_ints(g, "Unsqueeze", in, a, "axes", &axis, 1);
  both_node_ints(g, "Transpose", a, b, "perm", to_planes, 4);
  snprintf(names, sizeof names, "%s %s", b, w);
  pb node = node_make("Conv", names, c);
  attr_ints(&node, "dilations", dilations, 2);
  attr_ints(&node, "kernel_shape", kernel, 2);
  pb_message(g, 1, &node);
  both_node_ints(g, "Squeeze", c, out, "axes", &line, 1);
}

static void one_line_of_a_plane(void **state) {
  (void)state;
  const int64_t pads[6] = {0, 4, 0, 0, 0, 0};
  pb g = {0};
  both_fill(data, HY_COUNT(data), 3);
  both_ports(&g, &series);
  both_node_ints(&g, "Pad", "x", "p", "pads", pads, 6);
  line_of_plane(&g, "p", "c", "w", F);
  node_add(&g, "Relu", "c", "r");
  both_node_ints(&g, "Transpose", "r", "s", "perm", swap, 3);
  both_node_ints(&g, "Pad", "s", "q", "pads", pads, 6);
  line_of_plane(&g, "q", "d", "v", C);
  back(&g, "d");
  both_agree(&g, &series, "ConvLast* ConvLast*", 1e-6);
}

/* A window of two over the line's own axis, or a stride: it stays a plane. */
static void a_plane_that_stays(void **state) {
  (void)state;
  const int64_t to_planes[4] = {0, 3, 1, 2}, axis = 1, dims[4] = {C, F, 1, 3}, strides[2] = {2, 1};
  pb g = {0};
  both_fill(data, HY_COUNT(data), 3);
  both_ports(&g, &series);
  both_weights(&g, "w", dims, 4);
  both_node_ints(&g, "Unsqueeze", "x", "a", "axes", &axis, 1);
  both_node_ints(&g, "Transpose", "a", "b", "perm", to_planes, 4);
  pb node = node_make("Conv", "b w", "y");
  attr_ints(&node, "strides", strides, 2);
  pb_message(&g, 1, &node);
  both_agree(&g, &series, "Unsqueeze ConvLast* Transpose", 1e-6);
}

/* --- BatchNormalization --- */

static void batch_norm(pb *g, const char *in, const char *out, int64_t n) {
  float values[4][16];
  const char *const names[4] = {"scale", "bias", "mean", "var"};
  char inputs[64];
  for (int k = 0; k < 4; k++) {
    both_fill(values[k], (size_t)n, (uint32_t)k + 3);
    for (int64_t i = 0; k == 3 && i < n; i++) values[k][i] += 1.5f;
    initializer_add(g, names[k], HY_F32, &n, 1, values[k], (size_t)n * 4);
  }
  snprintf(inputs, sizeof inputs, "%s scale bias mean var", in);
  node_add(g, "BatchNormalization", inputs, out);
}

static void batch_norm_behind_conv(void **state) {
  (void)state;
  const layer l = {F, C, 3, 1, 1, 1, 1, 1};
  pb g = series_graph();
  conv_add(&g, "t", "c", "w", l);
  batch_norm(&g, "c", "n", C);
  node_add(&g, "Relu", "n", "r");
  back(&g, "r");
  both_agree(&g, &series, "ConvLast*", 2e-6);
  g = series_graph(); /* the activation comes between: a product and a sum per channel */
  conv_add(&g, "t", "c", "w", l);
  node_add(&g, "Relu", "c", "r");
  batch_norm(&g, "r", "n", C);
  back(&g, "n");
  both_agree(&g, &series, "ConvLast* Mul Add", 2e-6);
  g = series_graph(); /* in front of a padded one it stays apart too */
  batch_norm(&g, "t", "n", F);
  conv_add(&g, "n", "c", "w", l);
  back(&g, "c");
  both_agree(&g, &series, "Mul Add ConvLast*", 2e-6);
}

static void batch_norm_around_linear(void **state) {
  (void)state;
  const int64_t flat[2] = {-1, F}, w[2] = {F, C}, wt[2] = {C, F}, b[1] = {C};
  for (int form = 0; form < 3; form++) {
    pb g = series_graph();
    both_ints(&g, "flat", flat, 2);
    both_weights(&g, "w", w, 2);
    both_weights(&g, "v", wt, 2);
    both_weights(&g, "b", b, 1);
    node_add(&g, "Reshape", "x flat", "f");
    if (form) batch_norm(&g, "f", "n", F);
    const char *in = form ? "n" : "f";
    if (form == 2) {
      pb node = node_make("Gemm", "n v b", "m");
      attr_int(&node, "transB", 1);
      pb_message(&g, 1, &node);
    } else {
      char inputs[8];
      snprintf(inputs, sizeof inputs, "%s w", in);
      node_add(&g, "MatMul", inputs, "m");
    }
    if (!form) batch_norm(&g, "m", "n", C);
    node_add(&g, "Tanh", form ? "m" : "n", "y");
    both_agree(&g, &series, "Linear* Reshape", 2e-6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(windows_of_every_kind),
                                     cmocka_unit_test(planes),
                                     cmocka_unit_test(pools_that_stay),
                                     cmocka_unit_test(padding_before),
                                     cmocka_unit_test(activation_and_residual),
                                     cmocka_unit_test(the_last_step_alone),
                                     cmocka_unit_test(steps_near_the_padding),
                                     cmocka_unit_test(some_steps),
                                     cmocka_unit_test(chomped),
                                     cmocka_unit_test(all_steps_are_read),
                                     cmocka_unit_test(steps_through_other_operators),
                                     cmocka_unit_test(steps_and_features),
                                     cmocka_unit_test(transposes_meet),
                                     cmocka_unit_test(one_line_of_a_plane),
                                     cmocka_unit_test(a_plane_that_stays),
                                     cmocka_unit_test(batch_norm_behind_conv),
                                     cmocka_unit_test(batch_norm_around_linear)};
  return cmocka_run_group_tests(tests, both_set_up, both_tear_down);
}
