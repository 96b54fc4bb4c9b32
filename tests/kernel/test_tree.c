/* SPDX-License-Identifier: Apache-2.0
 * Forests: random trees of every mode, with missing values and numbers on the thresholds, against a
 * plain walk over the description; every row of kernel.inc, small, large and deep trees, few and
 * many thresholds, floats and doubles; refusals of what is no forest. */
#include "kernel/rows.h"

#include <math.h>
#include <stdlib.h>

enum { NODES = 16384, TREES = 300, WEIGHTS = 32768, SETS = 8, MEMBERS = 12 };

typedef struct forest {
  hy__tree_source source;
  uint8_t mode[NODES], missing[NODES], zero[NODES];
  uint32_t feature[NODES], yes[NODES], no[NODES], roots[TREES], begin[NODES + 1], target[WEIGHTS];
  uint32_t set[NODES], set_begin[SETS + 1], open[NODES];
  double threshold[NODES], weight[WEIGHTS], members[SETS * MEMBERS];
  bool is_open[NODES];
} forest;

/* Doubles that are no floats too: they must decide as doubles do, for rows of floats as well. */
static double threshold_of(hy__random *r) {
  static const double special[] = {0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 7.0, 0.1, 1e-36, -1e-36};
  if (hy__random_below(r, 2)) return special[hy__random_below(r, 10)];
  double t = hy__random_normal(r);
  return hy__random_below(r, 2) ? t : (double)(float)t;
}

/* What a forest is grown from: which modes, how large its trees are. */
typedef struct soil {
  int modes; /* 0: comparisons of order, 1: and equality, 2: and sets */
  bool single;
  bool f32; /* leaves are floats */
  size_t n_splits;
} soil;

static void leaf(forest *f, uint32_t i, hy__random *r, const soil *how) {
  f->mode[i] = HY__TREE_LEAF;
  size_t n = how->single ? 1 : (size_t)hy__random_below(r, 4);
  f->begin[i] = (uint32_t)f->source.n_weights;
  for (size_t k = 0; k < n; ++k) {
    f->target[f->source.n_weights] = (uint32_t)hy__random_below(r, f->source.n_targets);
    const double w = hy__random_normal(r);
    f->weight[f->source.n_weights++] = how->f32 ? (double)(float)w : w;
  }
}

static void split(forest *f, hy__random *r, uint32_t i, const soil *how) {
  const uint64_t n_modes[] = {4, 6, 9};
  f->mode[i] = (uint8_t)(1 + hy__random_below(r, n_modes[how->modes]));
  f->feature[i] = (uint32_t)hy__random_below(r, f->source.n_features);
  f->threshold[i] = threshold_of(r);
  if (hy__random_below(r, 200) == 0) f->threshold[i] = (double)NAN;
  f->missing[i] = (uint8_t)hy__random_below(r, 2);
  f->zero[i] = how->modes == 2 && f->mode[i] == HY__TREE_LEQ && hy__random_below(r, 2);
  f->set[i] = (uint32_t)hy__random_below(r, SETS);
  f->yes[i] = (uint32_t)f->source.n_nodes++;
  f->no[i] = (uint32_t)f->source.n_nodes++;
}

/* A tree: leaves are split at random, or the newest, so that there are chains. */
static void grow(forest *f, hy__random *r, const soil *how) {
  uint32_t n_open = 1;
  f->open[0] = (uint32_t)f->source.n_nodes++;
  f->roots[f->source.n_trees++] = f->open[0];
  for (size_t s = 0; s < how->n_splits; ++s) {
    uint32_t pick = hy__random_below(r, 3) ? n_open - 1 : (uint32_t)hy__random_below(r, n_open);
    uint32_t i = f->open[pick];
    f->open[pick] = f->open[--n_open];
    split(f, r, i, how);
    f->open[n_open++] = f->yes[i];
    f->open[n_open++] = f->no[i];
  }
  uint32_t first = f->roots[f->source.n_trees - 1];
  memset(f->is_open, 0, sizeof f->is_open);
  for (uint32_t k = 0; k < n_open; ++k) f->is_open[f->open[k]] = true;
  for (uint32_t i = first; i < f->source.n_nodes; ++i) {
    f->begin[i] = (uint32_t)f->source.n_weights;
    if (f->is_open[i]) leaf(f, i, r, how);
  }
  f->begin[f->source.n_nodes] = (uint32_t)f->source.n_weights;
}

static void make_sets(forest *f, hy__random *r) {
  for (uint32_t s = 0; s < SETS; ++s) {
    uint32_t at = f->set_begin[s], n = (uint32_t)hy__random_below(r, MEMBERS + 1);
    for (uint32_t k = 0; k < n; ++k) f->members[at + k] = threshold_of(r);
    f->set_begin[s + 1] = at + n;
  }
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
                                .zero_missing = f->zero,
                                .set = f->set,
                                .n_sets = SETS,
                                .set_begin = f->set_begin,
                                .set_value = f->members,
                                .f64 = f64};
  make_sets(f, &r);
  size_t n_trees = 1 + (size_t)hy__random_below(&r, seed % 7 ? 30 : 300), budget = NODES / 2;
  const bool small = seed % 11 == 3; /* walked over numbers */
  if (small) n_trees = 1 + seed % 2;
  for (size_t t = 0; t < n_trees; ++t) {
    const size_t most = small           ? 7
                        : seed % 7 == 0 ? 20
                        : seed % 5 == 4 ? 900
                        : seed % 5 == 3 ? 250
                                        : 40;
    soil how = {small ? 0 : (int)(seed % 3), single, seed % 2, (size_t)hy__random_below(&r, most)};
    if (how.n_splits >= budget) break;
    budget -= how.n_splits + 1;
    grow(f, &r, &how);
  }
}

static bool member(const forest *f, uint32_t set, double x) {
  for (uint32_t k = f->set_begin[set]; k < f->set_begin[set + 1]; ++k)
    if (f->members[k] == x) return true;
  return false;
}

static bool holds(const forest *f, uint32_t i, double x) {
  const double t = f->threshold[i];
  switch (f->mode[i]) {
  case HY__TREE_LEQ: return x <= t;
  case HY__TREE_LT: return x < t;
  case HY__TREE_GTE: return x >= t;
  case HY__TREE_GT: return x > t;
  case HY__TREE_EQ: return x == t;
  case HY__TREE_NEQ: return x != t;
  case HY__TREE_MEMBER: return member(f, f->set[i], x);
  case HY__TREE_MEMBER_CUT: return member(f, f->set[i], trunc(x));
  default: return x >= 0 && member(f, f->set[i], trunc(x));
  }
}

static double added(double sum, double w, hy__tree_aggregate how) {
  switch (how) {
  case HY__TREE_SUM: return sum + w;
  case HY__TREE_SUM_F32: return (double)(float)(sum + w);
  case HY__TREE_MIN: return fmin(sum, w);
  default: return fmax(sum, w);
  }
}

static void naive(const forest *f, const double *x, const double *start, hy__tree_aggregate how,
                  double *scores, uint8_t *hits) {
  const hy__tree_source *s = &f->source;
  memset(hits, 0, s->n_targets);
  for (size_t k = 0; k < s->n_targets; ++k)
    scores[k] = how <= HY__TREE_SUM_F32 ? start[k] : how == HY__TREE_MIN ? INFINITY : -INFINITY;
  for (size_t t = 0; t < s->n_trees; ++t) {
    uint32_t i = s->roots[t];
    while (s->mode[i] != HY__TREE_LEAF) {
      double v = x[s->feature[i]];
      if (f->zero[i] && fabs(v) <= (double)1e-35f) v = (double)NAN;
      bool missing = v != v;
      bool yes = missing ? s->missing_true[i] || s->mode[i] == HY__TREE_NEQ : holds(f, i, v);
      i = yes ? s->if_true[i] : s->if_false[i];
    }
    for (uint32_t w = s->weight_begin[i]; w < s->weight_begin[i + 1]; ++w) {
      scores[s->target[w]] = added(scores[s->target[w]], s->weight[w], how);
      hits[s->target[w]] = 1;
    }
  }
}

static void *pack(const hy__tree_source *s, guard *block, hy_status *status) {
  size_t bytes;
  hy__forest_size size;
  hy_error err;
  assert_true(hy__forest_work_bytes(s, &bytes));
  guard w = guard_make((bytes + 63) / 64 * 64, true);
  *status = hy__forest_measure(s, w.data, &size, &err);
  *block = guard_make(*status == HY_OK ? size.bytes : HY_ALIGN, true);
  assert_int_equal((uintptr_t)block->data % HY_ALIGN, 0);
  memset(block->data, 0, block->bytes);
  if (*status == HY_OK) hy__forest_pack(s, w.data, &size, block->data);
  guard_free(&w);
  return block->data;
}

enum { ROWS = 600 };

static void check(const forest *f, const hy__tree *kernel, uint64_t seed,
                  const hy__forest *packed) {
  const size_t features = f->source.n_features, targets = f->source.n_targets;
  const bool f64 = f->source.f64;
  hy__random r;
  hy__random_init(&r, seed, 4);
  guard gx = guard_make(ROWS * features * (f64 ? 8 : 4), true),
        gk = guard_make((hy__tree_scratch_bytes(packed) + 63) / 64 * 64, true),
        gs = guard_make(ROWS * targets * 8, true), gh = guard_make(ROWS * targets, true);
  static double x[ROWS][10];
  uint8_t hits[8];
  double expect[8], start[8] = {0.5, -1.25, 3.0, 0, 1.5, 0, 0, 0};
  for (size_t i = 0; i < ROWS; ++i) {
    for (size_t j = 0; j < features; ++j) {
      x[i][j] = hy__random_below(&r, 8) ? threshold_of(&r) : (double)NAN;
      if (hy__random_below(&r, 20) == 0) x[i][j] = hy__random_below(&r, 2) ? INFINITY : -INFINITY;
      if (!f64) x[i][j] = (double)(float)x[i][j];
      if (f64)
        ((double *)gx.data)[i * features + j] = x[i][j];
      else
        ((float *)gx.data)[i * features + j] = (float)x[i][j];
    }
  }
  static const size_t batches[] = {1, 2, 5, 8, 9, 13, 33, 64, 65, 130, 200, 256, 257, ROWS};
  for (size_t b = 0; b < HY_COUNT(batches); ++b) {
    hy__tree_call call = {.forest = packed,
                          .x = gx.data,
                          .x_ld = features,
                          .rows = batches[b],
                          .scratch = gk.data,
                          .scores = (double *)gs.data,
                          .start = start,
                          .hits = b % 2 ? gh.data : NULL,
                          .aggregate = (hy__tree_aggregate)(seed % 4)};
    /* what lies in the scratch decides nothing */
    memset(gk.data, (int)hy__random_below(&r, 256), gk.bytes);
    kernel->run(&call);
    for (size_t i = 0; i < batches[b]; ++i) {
      naive(f, x[i], start, call.aggregate, expect, hits);
      assert_memory_equal(expect, call.scores + i * targets, targets * 8);
      if (call.hits) assert_memory_equal(hits, call.hits + i * targets, targets);
    }
  }
  guard_free(&gx), guard_free(&gk), guard_free(&gs), guard_free(&gh);
}

static void test_rows(void **state) {
  (void)state;
  const rows here = rows_here("tree");
  forest *f = malloc(sizeof *f);
  int n_direct = 0, n_bands = 0, n_wide = 0, n_f64 = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    for (int wide = 0; wide < 2; ++wide) {
      guard block;
      hy_status status;
      make(f, seed, wide);
      const hy__forest *packed = pack(&f->source, &block, &status);
      assert_int_equal(status, HY_OK);
      n_direct += packed->direct != NULL;
      n_bands += packed->n_bands > 0;
      n_wide += packed->has_wide;
      n_f64 += packed->single && packed->has_cut && !packed->value32;
      for (size_t i = 0; i < here.n; ++i) check(f, here.row[i]->ops, seed, packed);
      guard_free(&block);
    }
  }
  free(f);
  assert_true(n_direct > 2 && n_bands > 20 && n_wide > 10 && n_f64 > 5); /* every form was there */
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
  assert_true(packed->n_slots <= CHAIN); /* one for each value at most */
  hy__kernels kernels;
  hy__kernels_for(0, &kernels);
  guard keys = guard_make((hy__tree_scratch_bytes(packed) + 63) / 64 * 64, true);
  for (int v = -1; v < CHAIN + 2; ++v) {
    float x = (float)v;
    double y;
    hy__tree_call call = {
        .forest = packed, .x = &x, .x_ld = 1, .rows = 1, .scratch = keys.data, .scores = &y};
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
