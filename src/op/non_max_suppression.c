/* SPDX-License-Identifier: Apache-2.0 */
/* NonMaxSuppression: the boxes that overlap none of a higher score too much, per batch and class,
 * as [selected, 3] indices (batch, class, box). How many there are depends on data, so all inputs
 * must be known; then so is the result. Arithmetic is float32, as that of the peers. */
#include "op/rule.h"

typedef struct boxes {
  const float *box, *score; /* of one batch and class */
  size_t n;
  bool centred;
  int64_t most;
  float overlap;
  bool has_floor;
  float floor;
  int64_t *order, *spare, *kept; /* scratch: n each */
} boxes;

typedef struct edges {
  float low_y, low_x, high_y, high_x;
} edges;

static edges edges_of(const boxes *b, size_t i) {
  const float *v = b->box + 4 * i;
  if (b->centred)
    return (edges){v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return (edges){HY_MIN(v[0], v[2]), HY_MIN(v[1], v[3]), HY_MAX(v[0], v[2]), HY_MAX(v[1], v[3])};
}

static bool overlap(const boxes *b, size_t i, size_t k) {
  const edges u = edges_of(b, i), v = edges_of(b, k);
  const float high = HY_MIN(u.high_y, v.high_y) - HY_MAX(u.low_y, v.low_y);
  const float wide = HY_MIN(u.high_x, v.high_x) - HY_MAX(u.low_x, v.low_x);
  const float size_u = (u.high_y - u.low_y) * (u.high_x - u.low_x);
  const float size_v = (v.high_y - v.low_y) * (v.high_x - v.low_x);
  if (high <= 0.0F || wide <= 0.0F || size_u <= 0.0F || size_v <= 0.0F) return false;
  const float both = high * wide;
  return both / (size_u + size_v - both) > b->overlap;
}

/* Boxes above the floor by falling score, equals in their order; how many. */
static size_t sort(boxes *b) {
  size_t n = 0;
  for (size_t i = 0; i < b->n; i++)
    if (!b->has_floor || b->score[i] > b->floor) b->order[n++] = (int64_t)i;
  for (size_t width = 1; width < n; width *= 2) {
    for (size_t low = 0; low < n; low += 2 * width) {
      const size_t mid = HY_MIN(low + width, n), high = HY_MIN(low + 2 * width, n);
      size_t i = low, k = mid;
      for (size_t to = low; to < high; to++) {
        const bool left = k >= high || (i < mid && b->score[b->order[i]] >= b->score[b->order[k]]);
        b->spare[to] = b->order[left ? i++ : k++];
      }
    }
    int64_t *swap = b->order;
    b->order = b->spare;
    b->spare = swap;
  }
  return n;
}

/* The boxes kept of one batch and class; how many. */
static size_t choose(boxes *b) {
  const size_t n = sort(b);
  size_t kept = 0;
  for (size_t i = 0; i < n && (int64_t)kept < b->most; i++) {
    bool free_box = true;
    for (size_t k = 0; k < kept && free_box; k++)
      free_box = !overlap(b, (size_t)b->order[i], (size_t)b->kept[k]);
    if (free_box) b->kept[kept++] = b->order[i];
  }
  return kept;
}

static hy_status check(const hy__op_plan *p, hy_error *err) {
  const hy_tensor *box = &p->in[0], *score = &p->in[1];
  HY_FAIL_IF(box->rank != 3 || score->rank != 3 || box->dims[2] != 4 ||
                 box->dims[0] != score->dims[0] || box->dims[1] != score->dims[2],
             HY_BAD_FORMAT, err, "boxes must be [batch, boxes, 4], scores [batch, classes, boxes]");
  for (size_t k = 0; k < p->n_in; k++) {
    if (!p->in_present[k]) continue;
    const hy_dtype dtype = k == 2 ? HY_I64 : HY_F32;
    HY_FAIL_IF(p->in[k].dtype != dtype || (k > 1 && hy__op_count_of(&p->in[k]) != 1), HY_BAD_FORMAT,
               err, "input %zu must be %s%s", k, k > 1 ? "one " : "", hy_dtype_name(dtype));
    HY_FAIL_IF(!p->in[k].data, HY_UNSUPPORTED, err,
               "input %zu is not known before the run, so the output's shape would depend on data",
               k);
  }
  return HY_OK;
}

static float scalar(const hy__op_plan *p, size_t k) {
  return hy__op_has(p, k) ? *(const float *)p->in[k].data : 0.0F;
}

hy_status hy__op_non_max_suppression_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(check(p, err));
  const size_t batches = (size_t)p->in[1].dims[0], classes = (size_t)p->in[1].dims[1];
  const size_t n = (size_t)p->in[1].dims[2];
  size_t total = 0;
  void *order, *spare, *kept, *data;
  boxes b = {.n = n,
             .centred = hy__node_int(p->node, "center_point_box", 0) != 0,
             .most = hy__op_has(p, 2) ? *(const int64_t *)p->in[2].data : 0,
             .overlap = scalar(p, 3),
             .has_floor = hy__op_has(p, 4),
             .floor = scalar(p, 4)};
  size_t most = n;
  if (b.most < (int64_t)n) most = b.most > 0 ? (size_t)b.most : 0;
  HY_FAIL_IF(!hy__mul(most, batches * classes, &total), HY_LIMIT, err, "too many boxes");
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(int64_t), &order, err));
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(int64_t), &spare, err));
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(int64_t), &kept, err));
  HY_TRY(hy__arena_array(p->arena, total + 1, 3 * sizeof(int64_t), &data, err));
  b.order = order;
  b.spare = spare;
  b.kept = kept;
  int64_t *to = data, rows = 0;
  for (size_t k = 0; k < batches * classes; k++) {
    b.box = (const float *)p->in[0].data + k / classes * n * 4;
    b.score = (const float *)p->in[1].data + k * n;
    const size_t found = choose(&b);
    for (size_t i = 0; i < found; i++, to += 3, rows++) {
      to[0] = (int64_t)(k / classes);
      to[1] = (int64_t)(k % classes);
      to[2] = b.kept[i];
    }
  }
  HY_TRY(hy__op_out(p, 0, HY_I64, 2, (const int64_t[2]){rows, 3}, err));
  p->out[0].data = data;
  return HY_OK;
}

hy_status hy__op_non_max_suppression_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
