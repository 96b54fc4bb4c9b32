/* SPDX-License-Identifier: Apache-2.0 */
/* A few queries of an AttentionView: its views of Q, mask and result begin elsewhere and step
 * further, keys and values stay whole. */
#include "pass/needed.h"

bool hy__needed_attention(const hy__work *w, int32_t n, const hy__demand *out) {
  return hy__node_int(&w->nodes[n].node, "time", -1) == out->axis;
}

static void read_list(const hy__node *node, const char *name, int64_t *out, size_t n) {
  const hy__attr *a = hy__node_attr(node, name);
  for (size_t i = 0; i < n; i++) out[i] = a && i < a->n ? a->as.ints[i] : 0;
}

static hy__attr list(const char *name, const int64_t *values, size_t n) {
  return (hy__attr){.name = name, .kind = HY__ATTR_INTS, .n = n, .as.ints = values};
}

enum { OFFSET, BATCH, HEAD, ROW, QUERIES = 2 };

hy_status hy__needed_write_attention(hy__work *w, int32_t n, const hy__demand *out,
                                     hy__work_rewrite *to, hy_error *err) {
  const hy__node *node = &w->nodes[n].node;
  const hy__steps s = out->steps;
  const hy_tensor *y = hy__work_tensor(w, node->outputs[0]);
  int64_t sizes[6], q[4], mask[4], result[4], seen[2], shape[HY_MAX_RANK];
  read_list(node, "sizes", sizes, 6);
  read_list(node, "q", q, 4);
  read_list(node, "mask", mask, 4);
  read_list(node, "out", result, 4);
  read_list(node, "seen", seen, 2);
  memcpy(shape, y->dims, sizeof shape);
  const int64_t before = sizes[QUERIES];
  q[OFFSET] += s.first * q[ROW];
  q[ROW] *= s.step;
  mask[OFFSET] += s.first * mask[ROW];
  mask[ROW] *= s.step;
  seen[0] += s.first * seen[1];
  seen[1] *= s.step;
  sizes[QUERIES] = shape[out->axis] = s.n;
  for (int d = BATCH; d <= HEAD; d++) /* axes before that of the queries come closer */
    if (result[d] >= before * result[ROW]) result[d] = result[d] / before * s.n;
  const hy__attr attrs[] = {list("sizes", sizes, 6), list("q", q, 4),
                            list("mask", mask, 4),   list("out", result, 4),
                            list("seen", seen, 2),   list("shape", shape, (size_t)y->rank)};
  return hy__work_attrs(w, node, attrs, HY_COUNT(attrs), to, err);
}
