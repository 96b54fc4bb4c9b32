/* SPDX-License-Identifier: Apache-2.0 */
/* Resize and Upsample of every opset: one axis after the other in double. Nearest only moves
 * elements, so it takes any type. Scales, sizes and roi must be known at planning. */
#include "op/resize.h"

#include <math.h>
#include <string.h>

#include "op/element.h"

typedef struct params {
  hy__resize_how how;
  double extrapolation;
  int32_t rank;
  bool changes[HY_MAX_RANK];
  hy__resize_axis axes[HY_MAX_RANK];
  size_t at_other; /* the second of two buffers of doubles */
} params;

/* Which input is what: until opset 10 (X, scales), since (X, roi, scales, sizes). */
static bool is_old(const hy__op_plan *p) { return p->node->version < 11; }

static hy_status read_how(const hy__op_plan *p, hy__resize_how *how, hy_error *err) {
  static const char *const modes[] = {"nearest", "linear", "cubic", "bilinear", NULL};
  static const char *const maps[] = {"half_pixel",
                                     "half_pixel_symmetric",
                                     "pytorch_half_pixel",
                                     "align_corners",
                                     "asymmetric",
                                     "tf_crop_and_resize",
                                     NULL};
  static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil",
                                       NULL};
  int32_t mode, map = HY__RESIZE_ASYMMETRIC, round = HY__RESIZE_FLOOR;
  HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
  if (!is_old(p)) {
    HY_TRY(hy__op_choice(p, "coordinate_transformation_mode", maps, &map, err));
    HY_TRY(hy__op_choice(p, "nearest_mode", rounds, &round, err));
  }
  how->mode = mode == 3 ? HY__RESIZE_LINEAR : (hy__resize_mode)mode;
  how->map = (hy__resize_map)map;
  how->round = (hy__resize_round)round;
  how->antialias = hy__node_int(p->node, "antialias", 0) != 0 && mode != 0;
  how->exclude_outside = hy__node_int(p->node, "exclude_outside", 0) != 0;
  how->cubic_a = (double)hy__node_float(p->node, "cubic_coeff_a", -0.75f);
  HY_FAIL_IF(mode != 0 && !(HY__OP_NUMBERS >> p->in[0].dtype & 1), HY_UNSUPPORTED, err,
             "elements of type %s between others", hy_dtype_name(p->in[0].dtype));
  return HY_OK;
}

/* A list of numbers that is known: input k, or the attribute of Upsample 7. n -1: there is none. */
static hy_status known_reals(const hy__op_plan *p, size_t k, double *out, int32_t *n,
                             hy_error *err) {
  const hy__attr *attr = is_old(p) && !hy__op_has(p, k) ? hy__node_attr(p->node, "scales") : NULL;
  *n = -1;
  if (attr && attr->kind == HY__ATTR_FLOATS && attr->n <= HY__OP_LIST) {
    *n = (int32_t)attr->n;
    for (size_t i = 0; i < attr->n; i++) out[i] = (double)attr->as.floats[i];
  }
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  const size_t count = hy__op_count_of(t);
  HY_FAIL_IF(!t->data && count > 0, HY_UNSUPPORTED, err,
             "input %zu is not known before the run, so the output's shape would depend on data",
             k);
  HY_FAIL_IF(!((HY__OP_FLOATS | 1 << HY_I64) >> t->dtype & 1) || count > HY__OP_LIST, HY_BAD_FORMAT,
             err, "input %zu is not a list of at most %d numbers", k, (int)HY__OP_LIST);
  for (size_t i = 0; i < count; i++) out[i] = hy__element_real(t, (int64_t)i);
  if (count) *n = (int32_t)count;
  return HY_OK;
}

/* axes[i] is the axis that the i-th scale or size speaks of. */
static hy_status read_axes(const hy__op_plan *p, int32_t *axes, int32_t *n, hy_error *err) {
  const int32_t rank = p->in[0].rank;
  int64_t listed[HY__OP_LIST];
  bool named[HY_MAX_RANK] = {false};
  HY_TRY(hy__op_ints(p, p->n_in, "axes", listed, n, err));
  const bool all = *n < 0;
  if (all) *n = rank;
  HY_FAIL_IF(*n > rank, HY_BAD_FORMAT, err, "%d axes of %d", (int)*n, (int)rank);
  for (int32_t i = 0; i < *n; i++) {
    HY_TRY(hy__op_axis(all ? i : listed[i], rank, &axes[i], err));
    HY_FAIL_IF(named[axes[i]], HY_BAD_FORMAT, err, "axis %d twice", (int)axes[i]);
    named[axes[i]] = true;
  }
  return HY_OK;
}

static hy_status by_scales(hy__resize_axis *axes, const int32_t *which, int32_t n,
                           const double *scales, hy_error *err) {
  for (int32_t i = 0; i < n; i++) {
    hy__resize_axis *a = &axes[which[i]];
    const double size = floor((double)((float)a->n_in * (float)scales[i]));
    HY_FAIL_IF(!(scales[i] > 0.0) || !(size < 0x1p40), HY_BAD_FORMAT, err, "a scale of %g",
               scales[i]);
    a->scale = scales[i];
    a->n_out = (int64_t)size;
  }
  return HY_OK;
}

static hy_status by_sizes(const hy__op_plan *p, hy__resize_axis *axes, const int32_t *which,
                          int32_t n, const double *sizes, hy_error *err) {
  static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
  int32_t policy;
  double chosen = 0.0;
  HY_TRY(hy__op_choice(p, "keep_aspect_ratio_policy", policies, &policy, err));
  for (int32_t i = 0; i < n; i++) {
    hy__resize_axis *a = &axes[which[i]];
    HY_FAIL_IF(!(sizes[i] >= 0.0 && sizes[i] < 0x1p40) || a->n_in == 0, HY_BAD_FORMAT, err,
               "a size of %g from %lld", sizes[i], (long long)a->n_in);
    a->n_out = (int64_t)sizes[i];
    a->scale = sizes[i] / (double)a->n_in;
    if (i == 0 || (policy == 1 ? a->scale < chosen : a->scale > chosen)) chosen = a->scale;
  }
  for (int32_t i = 0; i < n && policy; i++) {
    hy__resize_axis *a = &axes[which[i]];
    a->scale = chosen;
    a->n_out = (int64_t)(chosen * (double)a->n_in + 0.5);
  }
  return HY_OK;
}

static hy_status read_roi(const hy__op_plan *p, hy__resize_axis *axes, const int32_t *which,
                          int32_t n, hy_error *err) {
  double roi[HY__OP_LIST];
  int32_t n_roi;
  if (is_old(p)) return HY_OK;
  HY_TRY(known_reals(p, 1, roi, &n_roi, err));
  HY_FAIL_IF(n_roi != 2 * n, HY_BAD_FORMAT, err, "roi has %d values for %d axes", (int)n_roi,
             (int)n);
  for (int32_t i = 0; i < n; i++) {
    axes[which[i]].roi[0] = roi[i];
    axes[which[i]].roi[1] = roi[n + i];
  }
  return HY_OK;
}

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  double scales[HY__OP_LIST], sizes[HY__OP_LIST];
  int32_t which[HY_MAX_RANK], n, n_scales, n_sizes = -1;
  *q = (params){.rank = x->rank};
  HY_TRY(read_how(p, &q->how, err));
  HY_TRY(read_axes(p, which, &n, err));
  for (int32_t d = 0; d < x->rank; d++)
    q->axes[d] =
        (hy__resize_axis){.n_in = x->dims[d], .n_out = x->dims[d], .scale = 1.0, .roi = {0.0, 1.0}};
  HY_TRY(known_reals(p, is_old(p) ? 1 : 2, scales, &n_scales, err));
  if (!is_old(p)) HY_TRY(known_reals(p, 3, sizes, &n_sizes, err));
  HY_FAIL_IF((n_scales < 0) == (n_sizes < 0) || HY_MAX(n_scales, n_sizes) != n, HY_BAD_FORMAT, err,
             "%d scales and %d sizes for %d axes; one of both is expected", (int)n_scales,
             (int)n_sizes, (int)n);
  if (n_scales >= 0)
    HY_TRY(by_scales(q->axes, which, n, scales, err));
  else
    HY_TRY(by_sizes(p, q->axes, which, n, sizes, err));
  if (q->how.map == HY__RESIZE_TF_CROP) HY_TRY(read_roi(p, q->axes, which, n, err));
  q->extrapolation = (double)hy__node_float(p->node, "extrapolation_value", 0);
  for (int32_t d = 0; d < x->rank; d++) {
    const hy__resize_axis *a = &q->axes[d];
    HY_FAIL_IF(a->n_in == 0 && a->n_out > 0, HY_BAD_FORMAT, err, "axis %d is empty", (int)d);
    q->changes[d] = a->n_in != a->n_out || a->scale != 1.0 || a->roi[0] != 0.0 || a->roi[1] != 1.0;
  }
  return HY_OK;
}

hy_status hy__op_resize_infer(hy__op_plan *p, hy_error *err) {
  int64_t dims[HY_MAX_RANK];
  params q;
  HY_TRY(read(p, &q, err));
  for (int32_t d = 0; d < q.rank; d++) dims[d] = q.axes[d].n_out;
  return hy__op_out(p, 0, p->in[0].dtype, q.rank, dims, err);
}

/* The one tap that counts. */
static int64_t nearest_place(const hy__resize_axis *a, int64_t o) {
  const double *w = a->weights + o * (int64_t)a->n_taps;
  size_t tap = 0;
  while (tap + 1 < a->n_taps && w[tap] == 0.0) tap++;
  return a->places[o * (int64_t)a->n_taps + (int64_t)tap];
}

static void extrapolate(const params *q, const hy_tensor *y, int64_t at) {
  if (HY__OP_NUMBERS >> y->dtype & 1)
    hy__element_put_real(y, at, q->extrapolation);
  else
    memset((char *)y->data + (size_t)at * hy_dtype_bytes(y->dtype), 0, hy_dtype_bytes(y->dtype));
}

static hy_status run_nearest(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *y = &step->out[0];
  const size_t n = hy__op_count_of(y), each = hy_dtype_bytes(y->dtype);
  int64_t index[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK];
  (void)err;
  hy__op_strides(x, strides);
  for (size_t i = 0; i < n; i++) {
    int64_t from = 0;
    bool outside = false;
    for (int32_t d = 0; d < q->rank; d++) {
      const hy__resize_axis *a = &q->axes[d];
      from += (q->changes[d] ? nearest_place(a, index[d]) : index[d]) * strides[d];
      outside = outside || (q->changes[d] && a->outside && a->outside[index[d]]);
    }
    if (outside)
      extrapolate(q, y, (int64_t)i);
    else
      memcpy((char *)y->data + i * each, (const char *)x->data + (size_t)from * each, each);
    for (int32_t d = q->rank - 1; d >= 0; d--) {
      if (++index[d] < y->dims[d]) break;
      index[d] = 0;
    }
  }
  return HY_OK;
}

static void resize_axis(const params *q, const hy__resize_axis *a, const hy__around *around,
                        const double *from, double *to) {
  const size_t inner = around->inner;
  for (size_t o = 0; o < around->outer; o++, from += around->n * inner) {
    for (int64_t i = 0; i < a->n_out; i++, to += inner) {
      const int64_t *places = a->places + i * (int64_t)a->n_taps;
      const double *weights = a->weights + i * (int64_t)a->n_taps;
      const bool outside = a->outside && a->outside[i];
      for (size_t j = 0; j < inner; j++) to[j] = outside ? q->extrapolation : 0.0;
      for (size_t t = 0; t < a->n_taps && !outside; t++) {
        const double *row = from + (size_t)places[t] * inner, w = weights[t];
        for (size_t j = 0; j < inner; j++) to[j] += w * row[j];
      }
    }
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const int64_t n_in = (int64_t)hy__op_count_of(&step->in[0]);
  const int64_t n_out = (int64_t)hy__op_count_of(&step->out[0]);
  double *from = step->scratch, *to = (double *)step->scratch + q->at_other;
  hy_tensor shape = step->in[0];
  (void)err;
  for (int64_t i = 0; i < n_in; i++) from[i] = hy__element_real(&step->in[0], i);
  for (int32_t d = 0; d < q->rank; d++) {
    if (!q->changes[d]) continue;
    const hy__around around = hy__op_around(&shape, d);
    resize_axis(q, &q->axes[d], &around, from, to);
    shape.dims[d] = q->axes[d].n_out;
    double *swap = from;
    from = to;
    to = swap;
  }
  for (int64_t i = 0; i < n_out; i++) hy__element_put_real(&step->out[0], i, from[i]);
  return HY_OK;
}

/* The largest number of elements on the way. */
static bool largest(const params *q, const hy_tensor *x, size_t *out) {
  hy_tensor shape = *x;
  *out = hy__op_count_of(x);
  for (int32_t d = 0; d < q->rank; d++) {
    size_t n;
    shape.dims[d] = q->axes[d].n_out;
    if (!hy__shape_bytes(shape.dims, shape.rank, 1, &n)) return false;
    *out = HY_MAX(*out, n);
  }
  return hy__add(*out, 8, out);
}

hy_status hy__op_resize_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  for (int32_t d = 0; d < q->rank; d++)
    if (q->changes[d]) HY_TRY(hy__resize_taps(p->arena, &q->how, &q->axes[d], err));
  p->params = q;
  p->run = run_nearest;
  if (q->how.mode == HY__RESIZE_NEAREST) return HY_OK;
  HY_FAIL_IF(!largest(q, &p->in[0], &q->at_other) ||
                 !hy__mul(q->at_other, 2 * sizeof(double), &p->scratch_bytes),
             HY_LIMIT, err, "the output is too large");
  p->run = run;
  return HY_OK;
}
