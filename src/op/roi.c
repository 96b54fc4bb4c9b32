/* SPDX-License-Identifier: Apache-2.0 */
/* RoiAlign: boxes of a plane sampled between elements, averaged or maximised per bin; MaxRoiPool:
 * the largest element of each bin of boxes rounded to whole places. */
#include <math.h>

#include "op/element.h"
#include "op/rule.h"

enum { SAMPLES_MAX = 1 << 20 }; /* of one bin */

typedef struct params {
  int64_t channels, height, width, rows, columns; /* rows and columns of bins */
  double scale, offset;
  int64_t sampling; /* 0: as the box asks */
  bool max, pool;   /* pool: MaxRoiPool */
} params;

static hy_status read(const hy__op_plan *p, params *q, hy_error *err) {
  static const char *const modes[] = {"avg", "max", NULL};
  static const char *const maps[] = {"half_pixel", "output_half_pixel", NULL};
  const hy_tensor *x = &p->in[0];
  int32_t mode = 0, map = 1;
  HY_FAIL_IF(x->rank != 4, HY_BAD_FORMAT, err, "X has %d dims, not 4", (int)x->rank);
  *q = (params){.channels = x->dims[1],
                .height = x->dims[2],
                .width = x->dims[3],
                .rows = hy__node_int(p->node, "output_height", 1),
                .columns = hy__node_int(p->node, "output_width", 1),
                .scale = (double)hy__node_float(p->node, "spatial_scale", 1.0f),
                .sampling = hy__node_int(p->node, "sampling_ratio", 0),
                .pool = p->node->op_type[0] == 'M'};
  if (q->pool) {
    const hy__attr *shape = hy__node_attr(p->node, "pooled_shape");
    HY_FAIL_IF(!shape || shape->kind != HY__ATTR_INTS || shape->n != 2, HY_BAD_FORMAT, err,
               "pooled_shape is not two integers");
    q->rows = shape->as.ints[0];
    q->columns = shape->as.ints[1];
  } else {
    HY_TRY(hy__op_choice(p, "mode", modes, &mode, err));
    if (p->node->version >= 16)
      HY_TRY(hy__op_choice(p, "coordinate_transformation_mode", maps, &map, err));
  }
  q->max = mode == 1;
  q->offset = map == 0 ? 0.5 : 0.0;
  HY_FAIL_IF(q->rows < 1 || q->columns < 1 || q->sampling < 0 || q->sampling > 1024 ||
                 q->height < 1 || q->width < 1,
             HY_BAD_FORMAT, err, "%lld x %lld bins, %lld samples", (long long)q->rows,
             (long long)q->columns, (long long)q->sampling);
  return HY_OK;
}

hy_status hy__op_roi_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *rois = &p->in[1];
  params q;
  HY_TRY(read(p, &q, err));
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_FAIL_IF(rois->rank != 2 || rois->dims[1] != (q.pool ? 5 : 4), HY_BAD_FORMAT, err,
             "rois are not rows of %d", q.pool ? 5 : 4);
  HY_FAIL_IF(!q.pool &&
                 (p->in[2].dtype != HY_I64 || hy__op_count_of(&p->in[2]) != (size_t)rois->dims[0]),
             HY_BAD_FORMAT, err, "batch_indices is not one i64 for each of %lld rois",
             (long long)rois->dims[0]);
  const int64_t dims[4] = {rois->dims[0], x->dims[1], q.rows, q.columns};
  return hy__op_out(p, 0, x->dtype, 4, dims, err);
}

/* A box in the plane's own unit: its top left corner, the size of a bin, samples of a bin. */
typedef struct box {
  double top, left, bin_height, bin_width;
  int64_t down, across;
} box;

/* A sample's four neighbours, whose weighted values are added or compared. */
static double sample(const params *q, const hy_tensor *x, int64_t plane, double y, double c) {
  if (y < -1.0 || y > (double)q->height || c < -1.0 || c > (double)q->width) return 0.0;
  const double row = HY_MIN(HY_MAX(y, 0.0), (double)(q->height - 1));
  const double column = HY_MIN(HY_MAX(c, 0.0), (double)(q->width - 1));
  const int64_t r = (int64_t)row, k = (int64_t)column;
  const int64_t below = HY_MIN(r + 1, q->height - 1), after = HY_MIN(k + 1, q->width - 1);
  const double down = row - (double)r, along = column - (double)k;
  const int64_t at[4] = {r * q->width + k, r * q->width + after, below * q->width + k,
                         below * q->width + after};
  const double weights[4] = {(1.0 - down) * (1.0 - along), (1.0 - down) * along,
                             down * (1.0 - along), down * along};
  double sum = 0.0, max = -(double)INFINITY;
  for (int i = 0; i < 4; i++) {
    const double v = weights[i] * hy__element_real(x, plane + at[i]);
    sum += v;
    max = v > max ? v : max;
  }
  return q->max ? max : sum;
}

static double align_bin(const params *q, const hy_tensor *x, int64_t plane, const box *b,
                        const int64_t at[2]) {
  double sum = 0.0, max = -(double)INFINITY;
  for (int64_t i = 0; i < b->down; i++) {
    for (int64_t j = 0; j < b->across; j++) {
      const double y =
          b->top + ((double)at[0] + ((double)i + 0.5) / (double)b->down) * b->bin_height;
      const double c =
          b->left + ((double)at[1] + ((double)j + 0.5) / (double)b->across) * b->bin_width;
      const double v = sample(q, x, plane, y, c);
      sum += v;
      max = v > max ? v : max;
    }
  }
  const int64_t n = b->down * b->across;
  if (n == 0) return 0.0;
  return q->max ? max : sum / (double)n;
}

static hy_status align_box(const params *q, const hy_tensor *rois, int64_t row, box *b,
                           hy_error *err) {
  double edge[4];
  for (int64_t i = 0; i < 4; i++)
    edge[i] = hy__element_real(rois, row * 4 + i) * q->scale - q->offset;
  double width = edge[2] - edge[0], height = edge[3] - edge[1];
  if (q->offset == 0.0) {
    width = HY_MAX(width, 1.0);
    height = HY_MAX(height, 1.0);
  }
  *b = (box){.top = edge[1],
             .left = edge[0],
             .bin_height = height / (double)q->rows,
             .bin_width = width / (double)q->columns,
             .down = q->sampling,
             .across = q->sampling};
  const double down = ceil(b->bin_height), across = ceil(b->bin_width);
  HY_FAIL_IF(!(fabs(edge[0]) < 0x1p40 && fabs(edge[1]) < 0x1p40) ||
                 (!q->sampling && !(down * across <= (double)SAMPLES_MAX)),
             HY_LIMIT, err, "roi %lld has bins of %g x %g", (long long)row, down, across);
  if (!q->sampling) {
    b->down = (int64_t)HY_MAX(down, 0.0);
    b->across = (int64_t)HY_MAX(across, 0.0);
  }
  return HY_OK;
}

/* The largest element of a bin of a box of whole places [first, first + size); 0 for an empty bin.
 */
static double pool_bin(const params *q, const hy_tensor *x, int64_t plane, const box *b,
                       const int64_t at[2]) {
  const double low[2] = {b->top + floor((double)at[0] * b->bin_height),
                         b->left + floor((double)at[1] * b->bin_width)};
  const double high[2] = {b->top + ceil((double)(at[0] + 1) * b->bin_height),
                          b->left + ceil((double)(at[1] + 1) * b->bin_width)};
  const int64_t first[2] = {(int64_t)HY_MIN(HY_MAX(low[0], 0.0), (double)q->height),
                            (int64_t)HY_MIN(HY_MAX(low[1], 0.0), (double)q->width)};
  const int64_t last[2] = {(int64_t)HY_MIN(HY_MAX(high[0], 0.0), (double)q->height),
                           (int64_t)HY_MIN(HY_MAX(high[1], 0.0), (double)q->width)};
  double max = -(double)INFINITY;
  for (int64_t r = first[0]; r < last[0]; r++)
    for (int64_t c = first[1]; c < last[1]; c++)
      max = HY_MAX(max, hy__element_real(x, plane + r * q->width + c));
  return first[0] < last[0] && first[1] < last[1] ? max : 0.0;
}

static hy_status pool_box(const params *q, const hy_tensor *rois, int64_t row, box *b,
                          hy_error *err) {
  double edge[4];
  for (int64_t i = 0; i < 4; i++) {
    edge[i] = round(hy__element_real(rois, row * 5 + 1 + i) * q->scale);
    HY_FAIL_IF(!(fabs(edge[i]) < 0x1p40), HY_LIMIT, err, "roi %lld lies at %g", (long long)row,
               edge[i]);
  }
  *b = (box){.top = edge[1],
             .left = edge[0],
             .bin_height = HY_MAX(edge[3] - edge[1] + 1.0, 1.0) / (double)q->rows,
             .bin_width = HY_MAX(edge[2] - edge[0] + 1.0, 1.0) / (double)q->columns};
  return HY_OK;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *x = &step->in[0], *rois = &step->in[1];
  int64_t to = 0;
  for (int64_t r = 0; r < rois->dims[0]; r++) {
    const int64_t image =
        q->pool ? hy__element_whole(rois, r * 5) : ((const int64_t *)step->in[2].data)[r];
    box b = {0};
    HY_FAIL_IF(image < 0 || image >= x->dims[0], HY_INVALID_ARGUMENT, err,
               "roi %lld is of image %lld of %lld", (long long)r, (long long)image,
               (long long)x->dims[0]);
    HY_TRY(q->pool ? pool_box(q, rois, r, &b, err) : align_box(q, rois, r, &b, err));
    for (int64_t c = 0; c < q->channels; c++) {
      const int64_t plane = (image * q->channels + c) * q->height * q->width;
      for (int64_t bin = 0; bin < q->rows * q->columns; bin++) {
        const int64_t at[2] = {bin / q->columns, bin % q->columns};
        const double v = q->pool ? pool_bin(q, x, plane, &b, at) : align_bin(q, x, plane, &b, at);
        hy__element_put_real(&step->out[0], to++, v);
      }
    }
  }
  return HY_OK;
}

hy_status hy__op_roi_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, q, err));
  p->params = q;
  p->run = run;
  return HY_OK;
}
