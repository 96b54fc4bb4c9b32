/* SPDX-License-Identifier: Apache-2.0 */
/* The weights of Resize along one axis, in double. The window of an even number of taps lies around
 * the coordinate; on a whole coordinate it lies one lower, its upper middle tap being the place
 * itself. Taps outside take the border's element, or none (exclude_outside). */
#include <math.h>

#include "op/resize.h"

static double coordinate(const hy__resize_how *how, const hy__resize_axis *a, int64_t place) {
  const double x = (double)place, n = (double)a->n_in, whole = a->scale * n;
  switch (how->map) {
  case HY__RESIZE_ALIGN_CORNERS: return whole == 1.0 ? 0.0 : x * (n - 1.0) / (whole - 1.0);
  case HY__RESIZE_ASYMMETRIC: return x / a->scale;
  case HY__RESIZE_TF_CROP: {
    const double size = (a->roi[1] - a->roi[0]) * (n - 1.0);
    return (whole == 1.0 ? size / 2.0 : x * size / (whole - 1.0)) + a->roi[0] * (n - 1.0);
  }
  case HY__RESIZE_PYTORCH_HALF_PIXEL: return whole == 1.0 ? -0.5 : (x + 0.5) / a->scale - 0.5;
  case HY__RESIZE_HALF_PIXEL_SYMMETRIC:
    return n / 2.0 * (1.0 - (double)a->n_out / whole) + (x + 0.5) / a->scale - 0.5;
  default: return (x + 0.5) / a->scale - 0.5;
  }
}

/* The nearest element is chosen by the coordinate in float32, as ONNX Runtime has it, so that what
 * is a tie there is one here. */
static double chosen(const hy__resize_how *how, const hy__resize_axis *a, int64_t place) {
  const float x = (float)place, scale = (float)a->scale;
  if (how->mode != HY__RESIZE_NEAREST || how->map == HY__RESIZE_ALIGN_CORNERS ||
      how->map == HY__RESIZE_TF_CROP || how->map == HY__RESIZE_HALF_PIXEL_SYMMETRIC)
    return coordinate(how, a, place);
  if (how->map == HY__RESIZE_ASYMMETRIC) return (double)(x / scale);
  if (how->map == HY__RESIZE_PYTORCH_HALF_PIXEL && a->n_out == 1) return 0.0;
  return (double)((x + 0.5f) / scale - 0.5f);
}

/* The weight of a tap at this distance, in units of the input (antialias: of the output). */
static double kernel(const hy__resize_how *how, double distance) {
  const double x = fabs(distance), a = how->cubic_a;
  if (how->mode == HY__RESIZE_LINEAR) return x < 1.0 ? 1.0 - x : 0.0;
  if (x <= 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

/* 1 for the upper of two taps, 0 for the lower. */
static int nearest(const hy__resize_how *how, double ratio) {
  if (ratio == 1.0) return 1;
  switch (how->round) {
  case HY__RESIZE_PREFER_FLOOR: return ratio > 0.5;
  case HY__RESIZE_PREFER_CEIL: return ratio >= 0.5;
  case HY__RESIZE_FLOOR: return 0;
  default: return 1;
  }
}

/* The weights of one output place; ratio in (0, 1] is the coordinate's distance from the tap in the
 * lower middle. */
static void weigh(const hy__resize_how *how, const hy__resize_axis *a, double ratio,
                  double *weights) {
  const int64_t n = (int64_t)a->n_taps, middle = n / 2 - 1;
  const double by = how->antialias ? HY_MIN(a->scale, 1.0) : 1.0;
  double sum = 0.0;
  for (int64_t i = 0; i < n; i++) {
    if (how->mode == HY__RESIZE_NEAREST)
      weights[i] = nearest(how, ratio) == i - middle;
    else
      weights[i] = kernel(how, by * ((double)(i - middle) - ratio));
    sum += weights[i];
  }
  for (int64_t i = 0; i < n && how->antialias; i++) weights[i] /= sum;
}

/* Taps outside lose their weight, and the others make up for it. */
static void exclude(const hy__resize_axis *a, const int64_t *places, double *weights) {
  double sum = 0.0;
  for (size_t i = 0; i < a->n_taps; i++) {
    if (places[i] < 0 || places[i] >= a->n_in) weights[i] = 0.0;
    sum += weights[i];
  }
  for (size_t i = 0; i < a->n_taps && sum != 0.0; i++) weights[i] /= sum;
}

static size_t count_taps(const hy__resize_how *how, const hy__resize_axis *a) {
  const double reach = how->mode == HY__RESIZE_CUBIC ? 2.0 : 1.0;
  if (!how->antialias || a->n_out == 0) return (size_t)(2.0 * reach);
  return (size_t)(2.0 - 2.0 * (floor(-reach / HY_MIN(a->scale, 1.0)) + 1.0));
}

hy_status hy__resize_taps(hy__arena *arena, const hy__resize_how *how, hy__resize_axis *axis,
                          hy_error *err) {
  hy__resize_axis *a = axis;
  void *memory[3];
  size_t n;
  const double largest = 0x1p40;
  a->n_taps = count_taps(how, a);
  HY_FAIL_IF(!hy__mul(a->n_taps, (size_t)a->n_out, &n), HY_LIMIT, err, "an axis is too long");
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(int64_t), &memory[0], err));
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(double), &memory[1], err));
  HY_TRY(hy__arena_array(arena, (size_t)a->n_out + 1, sizeof(bool), &memory[2], err));
  int64_t *places = memory[0];
  double *weights = memory[1];
  bool *outside = memory[2];
  for (int64_t o = 0; o < a->n_out; o++, places += a->n_taps, weights += a->n_taps) {
    const double x = HY_MIN(HY_MAX(chosen(how, a, o), -largest), largest), low = floor(x);
    const double ratio = x == low ? 1.0 : x - low;
    const int64_t first = (int64_t)low - (x == low) - (int64_t)a->n_taps / 2 + 1;
    outside[o] = how->map == HY__RESIZE_TF_CROP && (x < 0.0 || x > (double)(a->n_in - 1));
    for (size_t i = 0; i < a->n_taps; i++) places[i] = first + (int64_t)i;
    weigh(how, a, ratio, weights);
    if (how->exclude_outside) exclude(a, places, weights);
    for (size_t i = 0; i < a->n_taps; i++)
      places[i] = HY_MIN(HY_MAX(places[i], (int64_t)0), a->n_in - 1);
  }
  a->places = memory[0];
  a->weights = memory[1];
  a->outside = how->map == HY__RESIZE_TF_CROP ? outside : NULL;
  return HY_OK;
}
