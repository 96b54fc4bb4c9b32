/* SPDX-License-Identifier: Apache-2.0
 * Forests: random trees of every mode, with missing values and numbers on the thresholds, against a
 * plain walk over the description; every row of kernel.inc, narrow and wide; refusals of what is no
 * forest. */
#include "kernel/guard.h"

#include <math.h>
#include <stdlib.h>

#include "kernel/kernel.h"

enum { NODES = 4096, TREES = 40, WEIGHTS = 8192 };

typedef struct forest {
  hy__tree_source source;
  uint8_t mode[NODES], missing[NODES];
  uint32_t feature[NODES], yes[NODES], no[NODES], roots[TREES], begin[NODES + 1], target[WEIGHTS];
  double threshold[NODES], weight[WEIGHTS];
} forest;

static double threshold_of(hy__random *r) {
  static const double special[] = {0.0, -0.0, 1.0, -1.0, 0.5};
  double t = hy__random_below(r, 2) ? special[hy__random_below(r, 5)] : hy__random_normal(r);
  return (double)(float)t;
}

static void leaf(forest *f, uint32_t i, hy__random *r, bool single) {
  f->mode[i] = HY__TREE_LEAF;
  size_t n = single ? 1 : (size_t)hy__random_below(r, 4);
  f->begin[i] = (uint32_t)f->source.n_weights;
  for (size_t k = 0; k < n; ++k) {
    f->target[f->source.n_weights] = (uint32_t)hy__random_below(r, f->source.n_targets);
    f->weight[f->source.n_weights++] = (double)(float)hy__random_normal(r);
  }
}

/* A tree of at most `budget` nodes: leaves are split in the order of a queue, with chains. */
static void grow(forest *f, hy__random *r, size_t n_splits, int modes, bool single) {
  uint32_t open[256], n_open = 1;
  open[0] = (uint32_t)f->source.n_nodes++;
  f->roots[f->source.n_trees++] = open[0];
  for (size_t s = 0; s < n_splits; ++s) {
    uint32_t pick = hy__random_below(r, 3) ? n_open - 1 : (uint32_t)hy__random_below(r, n_open);
    uint32_t i = open[pick];
    open[pick] = open[--n_open];
    f->mode[i] = (uint8_t)(modes == 1 ? HY__TREE_LEQ : 1 + (int)hy__random_below(r, 6));
    f->feature[i] = (uint32_t)hy__random_below(r, f->source.n_features);
    f->threshold[i] = threshold_of(r);
    f->missing[i] = (uint8_t)hy__random_below(r, 2);
    f->yes[i] = (uint32_t)f->source.n_nodes++;
    f->no[i] = (uint32_t)f->source.n_nodes++;
    open[n_open++] = f->yes[i];
    open[n_open++] = f->no[i];
  }
  uint32_t first = f->roots[f->source.n_trees - 1];
  for (uint32_t i = first; i < f->source.n_nodes; ++i) {
    bool is_open = false;
    for (uint32_t k = 0; k < n_open; ++k) is_open |= open[k] == i;
    f->begin[i] = (uint32_t)f->source.n_weights;
    if (is_open) leaf(f, i, r, single);
  }
  f->begin[f->source.n_nodes] = (uint32_t)f->source.n_weights;
}

static void make(forest *f, uint64_t seed, bool f64) {
  hy__random r;
  hy__random_init(&r, seed, 3);
  bool single = seed % 3 == 0;
  memset(f, 0, sizeof *f);
  f->source = (hy__tree_source){.n_features = 1 + (size_t)hy__random_below(&r, 9),
                                .n_targets = single ? 1 : 1 + (size_t)hy__random_below(&r, 4),
                                .mode = f->mode,
                                .feature = f->feature,
                                .threshold = f->threshold,
                                .if_true = f->yes,
                                .if_false = f->no,
                                .missing_true = f->missing,
                                .roots = f->roots,
                                .weight_begin = f->begin,
                                .target = f->target,
                                .weight = f->weight,
                                .f64 = f64};
  size_t n_trees = 1 + (size_t)hy__random_below(&r, 30);
  for (size_t t = 0; t < n_trees; ++t)
    grow(f, &r, (size_t)hy__random_below(&r, 40), seed % 2 ? 2 : 1, single);
}

static bool holds(uint8_t mode, double x, double t) {
  switch (mode) {
  case HY__TREE_LEQ: return x <= t;
  case HY__TREE_LT: return x < t;
  case HY__TREE_GTE: return x >= t;
  case HY__TREE_GT: return x > t;
  case HY__TREE_EQ: return x == t;
  default: return x != t;
  }
}

static void naive(const forest *f, const double *x, hy__tree_aggregate how, double *scores) {
  const hy__tree_source *s = &f->source;
  for (size_t k = 0; k < s->n_targets; ++k)
    scores[k] = how == HY__TREE_SUM ? 0 : how == HY__TREE_MIN ? INFINITY : -INFINITY;
  for (size_t t = 0; t < s->n_trees; ++t) {
    uint32_t i = s->roots[t];
    while (s->mode[i] != HY__TREE_LEAF) {
      double v = x[s->feature[i]];
      bool yes = holds(s->mode[i], v, s->threshold[i]) || (v != v && s->missing_true[i]);
      i = yes ? s->if_true[i] : s->if_false[i];
    }
    for (uint32_t w = s->weight_begin[i]; w < s->weight_begin[i + 1]; ++w) {
      double *to = &scores[s->target[w]], add = s->weight[w];
      *to = how == HY__TREE_SUM ? *to + add : how == HY__TREE_MIN ? fmin(*to, add) : fmax(*to, add);
    }
  }
}

static void *pack(const hy__tree_source *s, guard *block, hy_status *status) {
  size_t bytes, work = hy__forest_work_bytes(s);
  assert_true(hy__forest_bytes(s, &bytes));
  *block = guard_make(bytes, true);
  assert_int_equal((uintptr_t)block->data % HY_ALIGN, 0);
  guard w = guard_make((work + 15) / 16 * 16, true);
  hy_error err;
  *status = hy__forest_pack(s, w.data, block->data, &err);
  guard_free(&w);
  return block->data;
}

enum { ROWS = 70 };

static void check(const forest *f, const hy__tree *kernel, uint64_t seed,
                  const hy__forest *packed) {
  const size_t features = f->source.n_features, targets = f->source.n_targets;
  const bool f64 = f->source.f64;
  hy__random r;
  hy__random_init(&r, seed, 4);
  guard gx = guard_make(ROWS * features * (f64 ? 8 : 4), true),
        gk = guard_make(hy__tree_scratch_bytes(packed), true),
        gs = guard_make(ROWS * targets * 8, true);
  double x[ROWS][10], expect[8];
  for (size_t i = 0; i < ROWS; ++i) {
    for (size_t j = 0; j < features; ++j) {
      x[i][j] = hy__random_below(&r, 8) ? threshold_of(&r) : (double)NAN;
      if (hy__random_below(&r, 20) == 0) x[i][j] = hy__random_below(&r, 2) ? INFINITY : -INFINITY;
      if (f64)
        ((double *)gx.data)[i * features + j] = x[i][j];
      else
        ((float *)gx.data)[i * features + j] = (float)x[i][j];
    }
  }
  static const size_t batches[] = {1, 2, 3, 4, 8, 13, 64, ROWS};
  for (size_t b = 0; b < HY_COUNT(batches); ++b) {
    hy__tree_call call = {.forest = packed,
                          .x = gx.data,
                          .x_f64 = f64,
                          .x_ld = features,
                          .rows = batches[b],
                          .keys = gk.data,
                          .scores = (double *)gs.data,
                          .aggregate = (hy__tree_aggregate)(seed % 3)};
    kernel->run(&call);
    for (size_t i = 0; i < batches[b]; ++i) {
      naive(f, x[i], call.aggregate, expect);
      assert_memory_equal(expect, call.scores + i * targets, targets * 8);
    }
  }
  guard_free(&gx), guard_free(&gk), guard_free(&gs);
}

static void test_rows(void **state) {
  (void)state;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  forest *f = malloc(sizeof *f);
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (int wide = 0; wide < 2; ++wide) {
      guard block;
      hy_status status;
      make(f, seed, wide);
      const hy__forest *packed = pack(&f->source, &block, &status);
      assert_int_equal(status, HY_OK);
      for (size_t i = 0; i < hy__kernel_row_count(); ++i) {
        const hy__kernel_row *row = hy__kernel_row_at(i);
        if (!strcmp(row->family, "tree") && (row->cpu_mask & cpu.mask) == row->cpu_mask)
          check(f, row->ops, seed, packed);
      }
      guard_free(&block);
    }
  }
  free(f);
}

/* A chain of equalities, as LightGBM's categories become: it must not grow by copies. */
static void test_equality_chain(void **state) {
  (void)state;
  forest *f = malloc(sizeof *f);
  hy__random r;
  hy__random_init(&r, 9, 9);
  make(f, 3, false);
  f->source.n_nodes = f->source.n_trees = f->source.n_weights = 0;
  f->source.n_features = f->source.n_targets = 1;
  enum { CHAIN = 300 };
  uint32_t n = 2 * CHAIN + 1;
  f->roots[0] = 0;
  for (uint32_t i = 0; i < n; ++i) {
    f->begin[i] = (uint32_t)f->source.n_weights;
    f->mode[i] = i % 2 || i == n - 1 ? HY__TREE_LEAF : HY__TREE_EQ;
    f->feature[i] = 0;
    f->threshold[i] = i / 2;
    f->yes[i] = i + 1;
    f->no[i] = i + 2;
    if (f->mode[i] == HY__TREE_LEAF) f->weight[f->source.n_weights++] = i;
  }
  memset(f->target, 0, sizeof f->target);
  f->begin[n] = (uint32_t)f->source.n_weights;
  f->source.n_nodes = n;
  f->source.n_trees = 1;
  guard block;
  hy_status status;
  const hy__forest *packed = pack(&f->source, &block, &status);
  assert_int_equal(status, HY_OK);
  assert_true(packed->n_nodes <= 2 * n);
  hy__kernels kernels;
  hy__kernels_for(0, &kernels);
  guard keys = guard_make(hy__tree_scratch_bytes(packed), true);
  for (int v = -1; v < CHAIN + 2; ++v) {
    float x = (float)v;
    double y;
    hy__tree_call call = {
        .forest = packed, .x = &x, .x_ld = 1, .rows = 1, .keys = keys.data, .scores = &y};
    kernels.tree->run(&call);
    assert_true(y == (v < 0 || v >= CHAIN ? 2.0 * CHAIN : 2.0 * v + 1));
  }
  guard_free(&keys), guard_free(&block);
  free(f);
}

static void test_refusals(void **state) {
  (void)state;
  forest *f = malloc(sizeof *f);
  for (int what = 0; what < 5; ++what) {
    make(f, 2, false);
    uint32_t root = f->roots[0], other = f->roots[1];
    while (f->mode[root] == HY__TREE_LEAF) root++;
    switch (what) {
    case 0: f->yes[root] = (uint32_t)f->source.n_nodes; break;
    case 1: f->yes[root] = f->roots[0]; break; /* a cycle */
    case 2: f->yes[root] = f->no[root]; break; /* one child twice */
    case 3: f->yes[root] = other; break;       /* a node of another tree */
    default: f->feature[root] = (uint32_t)f->source.n_features; break;
    }
    guard block;
    hy_status status;
    pack(&f->source, &block, &status);
    assert_int_equal(status, HY_BAD_FORMAT);
    guard_free(&block);
  }
  free(f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rows),
      cmocka_unit_test(test_equality_chain),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
