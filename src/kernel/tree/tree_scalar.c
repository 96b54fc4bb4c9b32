/* SPDX-License-Identifier: Apache-2.0
 * Walking a packed forest: integer comparisons and sums of doubles in tree order, so the bits are
 * the same for every batch and for one row alone. The walks are chains of loads, which the core
 * overlaps by itself: gathers of AVX2 and AVX-512 were measured at half the speed, so this is the
 * only row. */
#include <math.h>
#include <string.h>

#include "kernel/tree/key.h"
#include "kernel/tree/tree.h"

enum { LANES = 8 };

static inline double combine(double a, double b, hy__tree_aggregate how) {
  switch (how) {
  case HY__TREE_MIN: return b < a ? b : a;
  case HY__TREE_MAX: return b > a ? b : a;
  default: return a + b;
  }
}

#define HY_NODE hy__tree_node
#define HY_KEY  int32_t
#define HY_NAME narrow
#define HY_LEAF float
#include "kernel/tree/tree.tmpl.c"
#define HY_NODE hy__tree_node_wide
#define HY_KEY  int64_t
#define HY_NAME wide
#define HY_LEAF double
#include "kernel/tree/tree.tmpl.c"

static void keys_narrow(const float *x, size_t n, int32_t *keys) {
  for (size_t i = 0; i < n; ++i) {
    int32_t key = hy__tree_key_f32(x[i]);
    keys[2 * i] = x[i] == x[i] ? key : INT32_MAX;
    keys[2 * i + 1] = x[i] == x[i] ? key : INT32_MIN;
  }
  keys[2 * n] = INT32_MIN;
}

/* Float inputs keep the order of 32 bits in the wide form too, as their thresholds do. */
static void keys_wide(const hy__tree_call *call, size_t row, size_t n, int64_t *keys) {
  const float *x32 = (const float *)call->x + row * call->x_ld;
  const double *x64 = (const double *)call->x + row * call->x_ld;
  for (size_t i = 0; i < n; ++i) {
    bool number = call->x_f64 ? x64[i] == x64[i] : x32[i] == x32[i];
    int64_t key = call->x_f64 ? hy__tree_key_f64(x64[i]) : hy__tree_key_f32(x32[i]);
    keys[2 * i] = number ? key : INT64_MAX;
    keys[2 * i + 1] = number ? key : INT64_MIN;
  }
  keys[2 * n] = INT64_MIN;
}

static void make_keys(const hy__tree_call *call, size_t begin, size_t end) {
  const size_t n = call->forest->n_features, slots = hy__forest_slots(call->forest);
  for (size_t row = begin; row < end; ++row) {
    if (call->forest->wide)
      keys_wide(call, row, n, (int64_t *)call->keys + (row - begin) * slots);
    else
      keys_narrow((const float *)call->x + row * call->x_ld, n,
                  (int32_t *)call->keys + (row - begin) * slots);
  }
}

static void run(const hy__tree_call *call) {
  const size_t n_scores = call->rows * call->forest->n_targets;
  const double start = call->aggregate == HY__TREE_SUM   ? 0.0
                       : call->aggregate == HY__TREE_MIN ? (double)INFINITY
                                                         : -(double)INFINITY;
  for (size_t i = 0; i < n_scores; ++i) call->scores[i] = start;
  if (call->hits) memset(call->hits, 0, n_scores);
  for (size_t begin = 0; begin < call->rows; begin += HY__TREE_ROWS) {
    const size_t end = HY_MIN(begin + HY__TREE_ROWS, call->rows);
    make_keys(call, begin, end);
    if (call->forest->wide)
      block_wide(call, begin, end);
    else
      block_narrow(call, begin, end);
  }
}

extern const hy__tree hy__tree_scalar;
const hy__tree hy__tree_scalar = {.run = run};
