/* SPDX-License-Identifier: Apache-2.0 */
/* GridSample over one to three spatial dims: each output place reads X around a coordinate of the
 * grid, nearest, linear or cubic; outside X there are zeros, the border, or X mirrored. The taps of
 * a place are worked out once for all channels. */
#include <math.h>
#include <string.h>

#include "op/element.h"
#include "op/rule.h"

enum { DIMS = 3, TAPS = 4 };
typedef enum mode { LINEAR, NEAREST, CUBIC } mode;
typedef enum padding { ZEROS, BORDER, REFLECTION } padding;

typedef struct params {
  mode mode;
  padding padding;
  bool align_corners;
  int32_t n; /* spatial dims */
  size_t batch, channels, n_in, n_out;
  int64_t in[DIMS];
} params;

/* A place's taps along each dim; place -1: zero. */
typedef struct taps {
  int32_t n;
  int64_t places[DIMS][TAPS];
  double weights[DIMS][TAPS];
} taps;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const modes[] = {"linear", "bilinear", "nearest", "cubic", "bicubic", NULL};
  static const char *const paddings[] = {"zeros", "border", "reflection", NULL};
  static const mode named[] = {LINEAR, LINEAR, NEAREST, CUBIC, CUBIC};
  const hy_tensor *x = &p->in[0], *grid = &p->in[1];
  int32_t m, padding_mode;
  HY_TRY(hy__op_choice(p, "mode", modes, &m, err));
  HY_TRY(hy__op_choice(p, "padding_mode", paddings, &padding_mode, err));
  *q = (params){.mode = named[m],
                .padding = (padding)padding_mode,
                .align_corners = hy__node_int(p->node, "align_corners", 0) != 0,
                .n = x->rank - 2,
                .n_in = 1,
                .n_out = 1};
  HY_FAIL_IF(q->n < 1 || q->n > DIMS, HY_UNSUPPORTED, err, "X has %d dims; 3 to %d are done",
             (int)x->rank, DIMS + 2);
  HY_FAIL_IF(!hy__element_is_float(grid->dtype), HY_UNSUPPORTED, err, "a grid of type %s",
             hy_dtype_name(grid->dtype));
  HY_FAIL_IF(
      grid->rank != x->rank || grid->dims[0] != x->dims[0] || grid->dims[grid->rank - 1] != q->n,
      HY_BAD_FORMAT, err, "the grid does not hold coordinates of %d for X's batch", (int)q->n);
  q->batch = (size_t)x->dims[0];
  q->channels = (size_t)x->dims[1];
  for (int32_t d = 0; d < q->n; d++) {
    q->in[d] = x->dims[d + 2];
    q->n_in *= (size_t)q->in[d];
    q->n_out *= (size_t)grid->dims[d + 1];
    HY_FAIL_IF(q->in[d] < 1 || q->in[d] > INT32_MAX, HY_BAD_FORMAT, err, "X has a dim of %lld",
               (long long)q->in[d]);
  }
  return HY_OK;
}

hy_status hy__op_grid_sample_infer(hy__op_plan *p, hy_error *err) {
  params q;
  HY_TRY(read(p, &q, err));
  int64_t dims[HY_MAX_RANK] = {p->in[0].dims[0], p->in[0].dims[1]};
  for (int32_t d = 0; d < q.n; d++) dims[d + 2] = p->in[1].dims[d + 1];
  return hy__op_out(p, 0, p->in[0].dtype, q.n + 2, dims, err);
}

/* Mirrored at both ends until it lies between them. */
static double reflect(double x, double low, double high) {
  const double range = high - low;
  if (x >= low && x <= high) return x;
  if (!(range > 0.0)) return low;
  const double beyond = x < low ? low - x : x - high, rest = fmod(beyond, range);
  const bool even = fmod(floor(beyond / range), 2.0) == 0.0;
  return (x < low) == even ? low + rest : high - rest;
}

static int64_t place_of(const params *q, double at, int32_t d) {
  const double n = (double)q->in[d];
  if (at >= 0.0 && at < n) return (int64_t)at;
  if (q->padding == ZEROS) return -1;
  if (q->padding == BORDER) return at < 0.0 ? 0 : q->in[d] - 1;
  const double edge = q->align_corners ? 0.0 : 0.5;
  const double inside = reflect(at, -edge, n - 1.0 + edge);
  return HY_MIN(HY_MAX((int64_t)inside, (int64_t)0), q->in[d] - 1);
}

/* Keys' cubic weights with -3/4, of the taps from the one below `low` on. */
static void cubic(double t, double *w) {
  const double a = -0.75, u = 1.0 - t;
  w[0] = ((a * (t + 1.0) - 5.0 * a) * (t + 1.0) + 8.0 * a) * (t + 1.0) - 4.0 * a;
  w[1] = ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0;
  w[2] = ((a + 2.0) * u - (a + 3.0)) * u * u + 1.0;
  w[3] = ((a * (u + 1.0) - 5.0 * a) * (u + 1.0) + 8.0 * a) * (u + 1.0) - 4.0 * a;
}

/* From [-1, 1] to places of dim d. */
static double coordinate(const params *q, double at, int32_t d) {
  const double n = (double)q->in[d], edge = q->align_corners ? 0.0 : 0.5;
  double x = q->align_corners ? (at + 1.0) / 2.0 * (n - 1.0) : ((at + 1.0) * n - 1.0) / 2.0;
  x = (double)(float)x; /* as the reference rounds it before it looks for ties */
  if (!(fabs(x) < 0x1p30)) x = x > 0.0 ? 0x1p30 : -0x1p30; /* NaN too */
  if (q->mode == NEAREST) x = rint(x);
  if (x >= -edge && x <= n - 1.0 + edge) return x;
  if (q->padding == BORDER) return x < 0.0 ? 0.0 : n - 1.0;
  return q->padding == REFLECTION ? reflect(x, -edge, n - 1.0 + edge) : x;
}

static void find_taps(const params *q, const hy_tensor *grid, size_t place, taps *t) {
  t->n = q->mode == NEAREST ? 1 : q->mode == LINEAR ? 2 : TAPS;
  for (int32_t d = 0; d < q->n; d++) {
    const int64_t at = (int64_t)place * q->n + (q->n - 1 - d); /* x comes first */
    const double x = coordinate(q, hy__element_real(grid, at), d), low = floor(x);
    const double first = q->mode == NEAREST ? x : q->mode == LINEAR ? low : low - 1.0;
    for (int32_t i = 0; i < t->n; i++) t->places[d][i] = place_of(q, trunc(first) + i, d);
    t->weights[d][0] = 1.0;
    if (q->mode == LINEAR) {
      t->weights[d][0] = 1.0 - (x - low);
      t->weights[d][1] = x - low;
    } else if (q->mode == CUBIC) {
      cubic(x - low, t->weights[d]);
    }
  }
}

static double sample(const params *q, const hy_tensor *x, size_t plane, const taps *t) {
  const int64_t counts[DIMS] = {t->n, t->n, t->n};
  int64_t at[DIMS] = {0};
  double sum = 0.0;
  for (;;) {
    int64_t offset = 0;
    double weight = 1.0;
    bool inside = true;
    for (int32_t d = 0; d < q->n; d++) {
      inside = inside && t->places[d][at[d]] >= 0;
      offset = offset * q->in[d] + t->places[d][at[d]];
      weight *= t->weights[d][at[d]];
    }
    if (inside) sum += weight * hy__element_real(x, (int64_t)(plane * q->n_in) + offset);
    int32_t d = q->n - 1;
    for (; d >= 0 && ++at[d] == counts[d]; d--) at[d] = 0;
    if (d < 0) return sum;
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  (void)err;
  for (size_t b = 0; b < q->batch; b++) {
    for (size_t place = 0; place < q->n_out; place++) {
      taps t;
      find_taps(q, &step->in[1], b * q->n_out + place, &t);
      for (size_t c = 0; c < q->channels; c++) {
        const size_t plane = b * q->channels + c;
        hy__element_put_real(&step->out[0], (int64_t)(plane * q->n_out + place),
                             sample(q, &step->in[0], plane, &t));
      }
    }
  }
  return HY_OK;
}

hy_status hy__op_grid_sample_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
