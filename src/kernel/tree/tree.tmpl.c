/* SPDX-License-Identifier: Apache-2.0
 * A block of rows through a forest. Numbers become slots (one byte each, by two comparisons of 16
 * thresholds); then either few rows walk the trees, eight walks in lockstep so that their loads
 * overlap, or many rows cut through them: see hy__tree_cut. The file that includes this defines
 *   HY_KERNEL           the structure's name
 *   BYTES, vec          lanes of a vector of bytes and its type, with
 *   vec_load(p) vec_set(byte) vec_store(p, v)
 *   vec_cut(leaf, first, value, key, place)  place where leaf >= first and value > key, else leaf
 *   GROUPS              vectors of a block's rows: 1, 2 or 4
 *   passed_i32(keys, x) passed_i64(keys, x)  how many of 16 keys are less than x
 *   add_leaves(...)     see below
 *   FEW                 up to so many rows are walked
 *   BAND_SLOTS          up to so many slots, rows go through bands of trees; 0: never
 *   BAND_ROWS           up to so many rows do
 *   look, look_of(row, n_slots), look_up(&look, slots, parts)
 *                       a row's slots as a table, and the values at a vector of places in it, where
 *                       parts * 16 slots are known to be enough */
#include <math.h>
#include <string.h>

#include "kernel/tree/key.h"
#include "kernel/tree/tree.h"

enum { LANES = 8, BLOCK = BYTES * GROUPS, AXIS_STEP = HY__TREE_PIVOTS + HY__TREE_BLOCK };

/* --- scratch: rows of slots, slots of rows, leaves, sums --- */

typedef struct room {
  int8_t *rows, *slots; /* [BLOCK][row_bytes], [n_slots][BLOCK] */
  uint8_t *leaves;      /* [BLOCK], or [4][n_lanes] */
  double *sums;         /* [n_targets][BLOCK], of single forests */
  size_t row_bytes;
} room;

/* A leaf's number in a narrow tree is read as a slot too, so a row has at least 256 bytes. */
static inline size_t row_bytes(const hy__forest *f) {
  const size_t n = f->n_slots > HY__TREE_ROW_BYTES ? f->n_slots : HY__TREE_ROW_BYTES;
  return (n + 63) / 64 * 64;
}

/* A byte for each row of a block, or for each lane and four rows. */
static inline size_t leaf_bytes(const hy__forest *f) { return HY__TREE_ROWS + 4 * f->n_lanes; }

static inline room room_of(const hy__tree_call *call) {
  const hy__forest *f = call->forest;
  char *at = call->scratch;
  room m = {.row_bytes = row_bytes(f)};
  m.sums = (double *)(void *)at;
  at += (f->single ? f->n_targets : 0) * BLOCK * sizeof(double);
  m.leaves = (uint8_t *)at;
  at += leaf_bytes(f);
  m.rows = (int8_t *)at;
  at += BLOCK * m.row_bytes;
  m.slots = (int8_t *)at;
  return m;
}

/* --- numbers to slots --- */

static inline uint32_t rank_i32(const hy__tree_axis *axis, const int32_t *keys, int32_t x) {
  uint32_t block = 0;
  if (axis->n_keys <= HY__TREE_PIVOTS) return passed_i32(keys, x);
  if (axis->n_keys > HY__TREE_BLOCK) {
    uint32_t low = 0, high = (axis->n_keys - 1) / HY__TREE_BLOCK;
    while (low < high) { /* blocks before the last whose last key is less than x */
      const uint32_t middle = (low + high) / 2;
      if (keys[middle * AXIS_STEP + AXIS_STEP - 1] < x)
        low = middle + 1;
      else
        high = middle;
    }
    block = low;
    keys += block * AXIS_STEP;
  }
  const uint32_t group = passed_i32(keys, x);
  return block * HY__TREE_BLOCK + 16 * group + passed_i32(keys + HY__TREE_PIVOTS + 16 * group, x);
}

static inline uint32_t rank_i64(const hy__tree_axis *axis, const int64_t *keys, int64_t x) {
  uint32_t block = 0;
  if (axis->n_keys <= HY__TREE_PIVOTS) return passed_i64(keys, x);
  if (axis->n_keys > HY__TREE_BLOCK) {
    uint32_t low = 0, high = (axis->n_keys - 1) / HY__TREE_BLOCK;
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (keys[middle * AXIS_STEP + AXIS_STEP - 1] < x)
        low = middle + 1;
      else
        high = middle;
    }
    block = low;
    keys += block * AXIS_STEP;
  }
  const uint32_t group = passed_i64(keys, x);
  return block * HY__TREE_BLOCK + 16 * group + passed_i64(keys + HY__TREE_PIVOTS + 16 * group, x);
}

/* An axis's slots of one row; rank counts the passed thresholds. */
static inline void put_slots(const hy__forest *f, const hy__tree_axis *axis, uint32_t rank,
                             bool missing, int8_t *row) {
  for (uint32_t k = axis->first_slot; k < axis->first_slot + axis->n_slots; ++k) {
    const hy__tree_slot *slot = &f->slots[k];
    uint32_t v = rank > slot->base ? rank - slot->base : 0;
    v = v > HY__TREE_RANKS ? HY__TREE_RANKS : v;
    row[k] = (int8_t)((int)(missing ? slot->missing : v) - HY__TREE_BIAS);
  }
}

/* The slots of sets: 0 for members. */
static void put_sets(const hy__forest *f, const hy__tree_sets *set, double x, int8_t *row) {
  const double *values = f->set_values + set->values_at;
  const uint32_t *bounds = f->set_lists + set->lists_at, *lists = bounds + set->n_values + 1;
  int8_t *slots = row + set->first_slot;
  if (x != x) {
    for (uint32_t k = 0; k < set->n_slots; ++k)
      slots[k] = (int8_t)((int)f->set_missing[set->missing_at + k] - HY__TREE_BIAS);
    return;
  }
  memset(slots, 1 - HY__TREE_BIAS, set->n_slots);
  if (set->mode == HY__TREE_MEMBER_WHOLE && x < 0) return;
  if (set->mode != HY__TREE_MEMBER) x = trunc(x);
  uint32_t low = 0, high = set->n_values;
  while (low < high) {
    const uint32_t middle = (low + high) / 2;
    if (values[middle] < x)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == set->n_values || values[low] != x) return;
  for (uint32_t k = bounds[low]; k < bounds[low + 1]; ++k) slots[lists[k]] = -HY__TREE_BIAS;
}

static void row_of_f32(const hy__forest *f, const float *x, int8_t *row) {
  for (size_t a = 0; a < f->n_axes; ++a) {
    const hy__tree_axis *axis = &f->axes[a];
    const float v = x[axis->feature];
    const bool missing = v != v || (axis->zero_missing && v >= -1e-35f && v <= 1e-35f);
    const int32_t *keys = (const int32_t *)f->keys + axis->keys_at;
    put_slots(f, axis, rank_i32(axis, keys, hy__tree_key_f32(v)), missing, row);
  }
  for (size_t s = 0; s < f->n_sets; ++s)
    put_sets(f, &f->sets[s], (double)x[f->sets[s].feature], row);
}

static void row_of_f64(const hy__forest *f, const double *x, int8_t *row) {
  for (size_t a = 0; a < f->n_axes; ++a) {
    const hy__tree_axis *axis = &f->axes[a];
    const double v = x[axis->feature];
    const bool missing =
        v != v || (axis->zero_missing && v >= -(double)1e-35f && v <= (double)1e-35f);
    const int64_t *keys = (const int64_t *)f->keys + axis->keys_at;
    put_slots(f, axis, rank_i64(axis, keys, hy__tree_key_f64(v)), missing, row);
  }
  for (size_t s = 0; s < f->n_sets; ++s) put_sets(f, &f->sets[s], x[f->sets[s].feature], row);
}

/* Slots past a row's last are read where rows are turned eight slots at a time: zeros, for what an
 * earlier run left there would decide nothing but be an uninitialised read all the same. */
static void make_rows(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  const size_t last = f->n_slots ? (f->n_slots - 1) / 8 * 8 : 0;
  for (size_t r = 0; r < n; ++r) {
    int8_t *row = m->rows + r * m->row_bytes;
    memset(row + last, 0, 8);
    if (f->f64)
      row_of_f64(f, (const double *)call->x + (begin + r) * call->x_ld, row);
    else
      row_of_f32(f, (const float *)call->x + (begin + r) * call->x_ld, row);
  }
}

/* Eight rows by eight slots of bytes, turned in words. */
static inline void turn8(const int8_t *from, size_t from_step, int8_t *to) {
  uint64_t w[8];
  for (int k = 0; k < 8; ++k) memcpy(&w[k], from + (size_t)k * from_step, 8);
  for (int k = 0; k < 4; ++k) {
    const uint64_t t = (w[k] >> 32 ^ w[k + 4]) & UINT32_MAX;
    w[k] ^= t << 32;
    w[k + 4] ^= t;
  }
  for (int k = 0; k < 8; k += k % 4 == 1 ? 3 : 1) {
    const uint64_t t = (w[k] >> 16 ^ w[k + 2]) & 0x0000FFFF0000FFFFu;
    w[k] ^= t << 16;
    w[k + 2] ^= t;
  }
  for (int k = 0; k < 8; k += 2) {
    const uint64_t t = (w[k] >> 8 ^ w[k + 1]) & 0x00FF00FF00FF00FFu;
    w[k] ^= t << 8;
    w[k + 1] ^= t;
  }
  for (int k = 0; k < 8; ++k) memcpy(to + (size_t)k * BLOCK, &w[k], 8);
}

/* Slots of n rows, eight rows at a time; the rows past the last are zeros. */
static void turn(const room *m, size_t n_slots, size_t n) {
  const size_t whole = (n + 7) / 8 * 8;
  for (size_t r = n; r < whole; ++r) memset(m->rows + r * m->row_bytes, 0, (n_slots + 7) / 8 * 8);
  for (size_t s = 0; s < n_slots; s += 8)
    for (size_t r = 0; r < whole; r += 8)
      turn8(m->rows + r * m->row_bytes + s, m->row_bytes, m->slots + s * BLOCK + r);
}

/* --- leaves into scores --- */

static inline double combine(double a, double b, hy__tree_aggregate how) {
  switch (how) {
  case HY__TREE_SUM_F32: return (double)(float)(a + b);
  case HY__TREE_MIN: return b < a ? b : a;
  case HY__TREE_MAX: return b > a ? b : a;
  default: return a + b;
  }
}

static inline double value_of(const hy__forest *f, size_t leaf) {
  return f->value32 ? (double)f->value32[leaf] : f->value64[leaf];
}

/* A leaf (its number in the forest) of a tree into a row's scores. */
static inline void add_leaf(const hy__tree_call *call, size_t row, const hy__tree_shape *shape,
                            size_t leaf) {
  const hy__forest *f = call->forest;
  double *scores = call->scores + row * f->n_targets;
  uint8_t *hits = call->hits ? call->hits + row * f->n_targets : NULL;
  if (f->single) {
    scores[shape->target] = combine(scores[shape->target], value_of(f, leaf), call->aggregate);
    if (hits) hits[shape->target] = 1;
    return;
  }
  for (uint32_t i = f->leaf_begin[leaf]; i < f->leaf_begin[leaf + 1]; ++i) {
    const uint32_t target = f->leaf_target[i];
    scores[target] = combine(scores[target], f->leaf_weight[i], call->aggregate);
    if (hits) hits[target] = 1;
  }
}

/* --- walks --- */

#define WALK(name, node_type, SLOT, KEY, LEFT)                                                     \
  static inline __attribute__((always_inline)) void name(                                          \
      const node_type *const *nodes, const int8_t *const *rows, uint32_t depth, uint32_t *at) {    \
    for (uint32_t step = 0; step < depth; step += 4) {                                             \
      uint32_t moved = 0;                                                                          \
      for (int round = 0; round < 4; ++round) {                                                    \
        moved = 0;                                                                                 \
        for (int i = 0; i < LANES; ++i) {                                                          \
          const node_type node = nodes[i][at[i]];                                                  \
          const uint32_t next = (LEFT) + (uint32_t)(rows[i][SLOT] > (KEY));                        \
          moved |= next ^ at[i];                                                                   \
          at[i] = next;                                                                            \
        }                                                                                          \
      }                                                                                            \
      if (!moved) return;                                                                          \
    }                                                                                              \
  }
WALK(walk_narrow, hy__tree_node, node.slot, node.key, node.left)
WALK(walk_wide, hy__tree_node_wide, node.slot_key >> 8, (int8_t)(node.slot_key & 255), node.left)
#undef WALK

/* The leaf (its number in the tree) where a walk ended. */
static inline uint32_t leaf_at(const hy__forest *f, const hy__tree_shape *shape, uint32_t at) {
  return shape->is_wide ? f->leaf_of[shape->nodes + at] : f->narrow[shape->nodes + at].slot;
}

/* Eight walks: of lane i through tree shapes[i] by rows[i]. All trees have one form. */
static inline void walk(const hy__forest *f, const hy__tree_shape *const *shapes,
                        const int8_t *const *rows, uint32_t *at) {
  uint32_t depth = 0;
  for (int i = 0; i < LANES; ++i) depth = HY_MAX(depth, shapes[i]->depth), at[i] = 0;
  if (shapes[0]->is_wide) {
    const hy__tree_node_wide *nodes[LANES];
    for (int i = 0; i < LANES; ++i) nodes[i] = f->wide + shapes[i]->nodes;
    walk_wide(nodes, rows, depth, at);
  } else {
    const hy__tree_node *nodes[LANES];
    for (int i = 0; i < LANES; ++i) nodes[i] = f->narrow + shapes[i]->nodes;
    walk_narrow(nodes, rows, depth, at);
  }
}

/* One row through all trees, eight trees of one form at a time. */
static void one_row(const hy__tree_call *call, size_t row, const int8_t *slots) {
  const hy__forest *f = call->forest;
  const hy__tree_shape *shapes[LANES];
  const int8_t *rows[LANES];
  uint32_t at[LANES];
  for (int i = 0; i < LANES; ++i) rows[i] = slots;
  for (size_t tree = 0; tree < f->n_trees;) {
    size_t n = 1;
    while (n < LANES && tree + n < f->n_trees &&
           f->trees[tree + n].is_wide == f->trees[tree].is_wide)
      n++;
    for (size_t i = 0; i < LANES; ++i) shapes[i] = &f->trees[tree + HY_MIN(i, n - 1)];
    walk(f, shapes, rows, at);
    for (size_t i = 0; i < n; ++i)
      add_leaf(call, row, shapes[i], shapes[i]->leaves + leaf_at(f, shapes[i], at[i]));
    tree += n;
  }
}

/* The leaves of n rows of a block in one tree, eight rows at a time. */
static void walk_rows(const hy__tree_call *call, const room *m, const hy__tree_shape *shape,
                      size_t begin, size_t n) {
  const hy__tree_shape *shapes[LANES];
  const int8_t *rows[LANES];
  uint32_t at[LANES];
  for (size_t i = 0; i < LANES; ++i) shapes[i] = shape;
  for (size_t r = 0; r < n; r += LANES) {
    const size_t some = HY_MIN((size_t)LANES, n - r);
    for (size_t i = 0; i < LANES; ++i) rows[i] = m->rows + (r + HY_MIN(i, some - 1)) * m->row_bytes;
    walk(call->forest, shapes, rows, at);
    for (size_t i = 0; i < some; ++i)
      add_leaf(call, begin + r + i, shape, shape->leaves + leaf_at(call->forest, shape, at[i]));
  }
}

/* --- small forests: walks over numbers --- */

#define DIRECT(type, key_of)                                                                       \
  static void direct_##type(const hy__tree_call *call, const hy__tree_shape *shape, size_t row,    \
                            size_t n) {                                                            \
    const hy__forest *f = call->forest;                                                            \
    const hy__tree_node_direct *nodes = f->direct + shape->direct;                                 \
    const type *x[LANES];                                                                          \
    uint32_t at[LANES] = {0};                                                                      \
    for (size_t i = 0; i < LANES; ++i)                                                             \
      x[i] = (const type *)call->x + (row + HY_MIN(i, n - 1)) * call->x_ld;                        \
    for (uint32_t step = 0; step < shape->depth; ++step) {                                         \
      for (int i = 0; i < LANES; ++i) {                                                            \
        const hy__tree_node_direct node = nodes[at[i]];                                            \
        const type v = x[i][node.feature >> 1];                                                    \
        const uint32_t greater = (uint32_t)((int64_t)key_of(v) > node.key);                        \
        at[i] = node.left + (v != v ? ~node.feature & 1 : greater);                                \
      }                                                                                            \
    }                                                                                              \
    for (size_t i = 0; i < n; ++i)                                                                 \
      add_leaf(call, row + i, shape, shape->leaves + f->leaf_of_direct[shape->direct + at[i]]);    \
  }                                                                                                \
  static void direct_one_##type(const hy__tree_call *call, const hy__tree_shape *shape,            \
                                size_t row) {                                                      \
    const hy__forest *f = call->forest;                                                            \
    const hy__tree_node_direct *nodes = f->direct + shape->direct;                                 \
    const type *x = (const type *)call->x + row * call->x_ld;                                      \
    uint32_t at = 0;                                                                               \
    for (uint32_t step = 0; step < shape->depth; ++step) {                                         \
      const hy__tree_node_direct node = nodes[at];                                                 \
      const type v = x[node.feature >> 1];                                                         \
      const uint32_t greater = (uint32_t)((int64_t)key_of(v) > node.key);                          \
      at = node.left + (v != v ? ~node.feature & 1 : greater);                                     \
    }                                                                                              \
    add_leaf(call, row, shape, shape->leaves + f->leaf_of_direct[shape->direct + at]);             \
  }
DIRECT(float, hy__tree_key_f32)
DIRECT(double, hy__tree_key_f64)
#undef DIRECT

/* Rows tree by tree: a tree stays in cache, and a row meets its trees in order. */
static void direct(const hy__tree_call *call, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  for (size_t t = 0; t < f->n_trees; ++t) {
    for (size_t r = 0; r < n; r += LANES) {
      const size_t some = HY_MIN((size_t)LANES, n - r);
      if (some == 1)
        (f->f64 ? direct_one_double : direct_one_float)(call, &f->trees[t], begin + r);
      else
        (f->f64 ? direct_double : direct_float)(call, &f->trees[t], begin + r, some);
    }
  }
}

/* --- cuts --- */

static inline __attribute__((always_inline)) void cut(const hy__tree_cut *cuts, size_t n,
                                                      const int8_t *slots, uint8_t *leaves,
                                                      const int groups) {
  vec leaf[GROUPS], place = vec_set(1 - HY__TREE_BIAS);
  const vec one = vec_set(1);
  for (int g = 0; g < groups; ++g) leaf[g] = vec_set(-HY__TREE_BIAS);
  for (size_t k = 0; k < n; ++k) {
    const hy__tree_cut node = cuts[k];
    const int8_t *values = slots + (size_t)node.slot * BLOCK;
    const vec first = vec_set(node.first), key = vec_set(node.key);
    for (int g = 0; g < groups; ++g)
      leaf[g] = vec_cut(leaf[g], first, vec_load(values + g * BYTES), key, place);
    place = vec_add(place, one);
  }
  const vec bias = vec_set(-HY__TREE_BIAS);
  for (int g = 0; g < groups; ++g) vec_store(leaves + g * BYTES, vec_xor(leaf[g], bias));
}

static void cut_rows(const hy__forest *f, const room *m, const hy__tree_shape *shape, size_t n) {
  const hy__tree_cut *cuts = f->cuts + shape->cuts;
  const size_t many = shape->n_leaves - 1;
  if (n > 2 * BYTES)
    cut(cuts, many, m->slots, m->leaves, GROUPS);
  else if (n > BYTES)
    cut(cuts, many, m->slots, m->leaves, 2);
  else
    cut(cuts, many, m->slots, m->leaves, 1);
}

/* Sums of a single forest stand by target while a block runs. */
static void open_sums(const hy__tree_call *call, const room *m) {
  for (size_t t = 0; t < call->forest->n_targets; ++t)
    for (size_t r = 0; r < BLOCK; ++r) m->sums[t * BLOCK + r] = call->start ? call->start[t] : 0.0;
}

static void close_sums(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const size_t targets = call->forest->n_targets;
  for (size_t r = 0; r < n; ++r)
    for (size_t t = 0; t < targets; ++t)
      call->scores[(begin + r) * targets + t] = m->sums[t * BLOCK + r];
}

static void walked_sums(const hy__tree_call *call, const room *m, const hy__tree_shape *shape,
                        size_t n) {
  const hy__tree_shape *shapes[LANES];
  const int8_t *rows[LANES];
  uint32_t at[LANES];
  double *sums = m->sums + shape->target * BLOCK;
  for (size_t i = 0; i < LANES; ++i) shapes[i] = shape;
  for (size_t r = 0; r < n; r += LANES) {
    for (size_t i = 0; i < LANES; ++i) rows[i] = m->rows + HY_MIN(r + i, n - 1) * m->row_bytes;
    walk(call->forest, shapes, rows, at);
    for (size_t i = 0; i < LANES && r + i < n; ++i)
      sums[r + i] = combine(
          sums[r + i], value_of(call->forest, shape->leaves + leaf_at(call->forest, shape, at[i])),
          call->aggregate);
  }
}

/* A block of rows through a forest whose trees have one target each, by sums. */
static void block_sums(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  const bool f32 = call->aggregate == HY__TREE_SUM_F32;
  open_sums(call, m);
  for (size_t t = 0; t < f->n_trees; ++t) {
    const hy__tree_shape *shape = &f->trees[t];
    if (!shape->is_cut) {
      walked_sums(call, m, shape, n);
      continue;
    }
    cut_rows(f, m, shape, n);
    double *sums = m->sums + shape->target * BLOCK;
    if (f->value32)
      add_leaves_f32(f->value32 + shape->leaves, shape->n_leaves, m->leaves, sums, n, f32);
    else
      add_leaves_f64(f->value64 + shape->leaves, shape->n_leaves, m->leaves, sums, n, f32);
  }
  close_sums(call, m, begin, n);
  if (!call->hits) return;
  for (size_t t = 0; t < f->n_trees; ++t)
    for (size_t r = 0; r < n; ++r) call->hits[(begin + r) * f->n_targets + f->trees[t].target] = 1;
}

static void block_any(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  for (size_t t = 0; t < f->n_trees; ++t) {
    const hy__tree_shape *shape = &f->trees[t];
    if (!shape->is_cut) {
      walk_rows(call, m, shape, begin, n);
      continue;
    }
    cut_rows(f, m, shape, n);
    for (size_t r = 0; r < n; ++r) add_leaf(call, begin + r, shape, shape->leaves + m->leaves[r]);
  }
}

#if BAND_SLOTS
/* --- bands: many trees by few rows --- */

enum { TOGETHER = 4 }; /* rows that share the loads of a step */

/* `rows` rows through `stripes` stripes of a band from `first` on. */
static inline __attribute__((always_inline)) void band(const hy__forest *f, const hy__tree_band *b,
                                                       size_t first, const look *tables,
                                                       uint8_t *leaves, const int shape[3]) {
  const int rows = shape[0], stripes = shape[1], parts = shape[2];
  const size_t stride = (size_t)b->n_stripes * HY__TREE_STEP, all = f->n_lanes;
  const uint8_t *begin = f->steps + (b->at + first) * HY__TREE_STEP;
  for (int half = 0; half < HY__TREE_LANES; half += BYTES) {
    const int8_t *step = (const int8_t *)begin + half;
    vec leaf[TOGETHER * HY__TREE_BAND], place = vec_set(1 - HY__TREE_BIAS);
    const vec one = vec_set(1), bias = vec_set(-HY__TREE_BIAS);
    for (int k = 0; k < rows * stripes; ++k) leaf[k] = bias;
    for (uint32_t k = 0; k < b->n_steps; ++k, step += stride) {
      for (int s = 0; s < stripes; ++s) {
        const int8_t *at = step + s * HY__TREE_STEP;
        const vec slots = vec_load(at), keys = vec_load(at + HY__TREE_LANES);
        const vec firsts = vec_load(at + 2 * HY__TREE_LANES);
        for (int r = 0; r < rows; ++r)
          leaf[r * stripes + s] = vec_cut(leaf[r * stripes + s], firsts,
                                          look_up(&tables[r], slots, parts), keys, place);
      }
      place = vec_add(place, one);
    }
    for (int r = 0; r < rows; ++r)
      for (int s = 0; s < stripes; ++s)
        vec_store(leaves + (size_t)r * all + (size_t)(s * HY__TREE_LANES + half),
                  vec_xor(leaf[r * stripes + s], bias));
  }
}

#define BAND(rows, parts)                                                                          \
  static void band_##rows##_##parts(const hy__forest *f, const look *tables, uint8_t *leaves) {    \
    for (size_t k = 0; k < f->n_bands; ++k) {                                                      \
      const hy__tree_band *b = &f->bands[k];                                                       \
      const size_t many = rows == 1 ? 4 : 2;                                                       \
      uint8_t *to = leaves + k * HY__TREE_BAND * HY__TREE_LANES;                                   \
      for (size_t s = 0; s < b->n_stripes;) {                                                      \
        uint8_t *own = to + s * HY__TREE_LANES;                                                    \
        if (many == 4 && b->n_stripes - s >= 4) {                                                  \
          band(f, b, s, tables, own, (const int[3]){rows, rows == 1 ? 4 : 2, parts});              \
          s += 4;                                                                                  \
        } else if (b->n_stripes - s >= 2) {                                                        \
          band(f, b, s, tables, own, (const int[3]){rows, 2, parts});                              \
          s += 2;                                                                                  \
        } else {                                                                                   \
          band(f, b, s, tables, own, (const int[3]){rows, 1, parts});                              \
          s++;                                                                                     \
        }                                                                                          \
      }                                                                                            \
    }                                                                                              \
  }
BAND(1, 4)
BAND(4, 4)
BAND(1, 8)
BAND(4, 8)
#if BAND_SLOTS > 128
BAND(1, 16)
BAND(4, 16)
#endif
#undef BAND

static void bands(const hy__forest *f, const look *tables, uint8_t *leaves, size_t rows) {
  if (f->n_slots <= 64)
    (rows == 1 ? band_1_4 : band_4_4)(f, tables, leaves);
  else if (f->n_slots <= 128)
    (rows == 1 ? band_1_8 : band_4_8)(f, tables, leaves);
#if BAND_SLOTS > 128
  else
    (rows == 1 ? band_1_16 : band_4_16)(f, tables, leaves);
#endif
}

/* The leaves of `rows` rows from all trees, tree by tree. */
static inline __attribute__((always_inline)) void add_rows(const hy__tree_call *call, size_t row,
                                                           const uint8_t *leaves, const int rows) {
  const hy__forest *f = call->forest;
  const size_t all = f->n_lanes;
  double sum[TOGETHER];
  if (!f->single || f->n_targets != 1 || call->aggregate != HY__TREE_SUM || call->hits) {
    for (int r = 0; r < rows; ++r)
      for (size_t t = 0; t < f->n_trees; ++t)
        add_leaf(call, row + (size_t)r, &f->trees[t],
                 f->lanes[t].leaves + leaves[(size_t)r * all + f->lanes[t].place]);
    return;
  }
  for (int r = 0; r < rows; ++r) sum[r] = call->scores[row + (size_t)r];
  for (size_t t = 0; t < f->n_trees; ++t) {
    const hy__tree_lane lane = f->lanes[t];
    for (int r = 0; r < rows; ++r)
      sum[r] += value_of(f, lane.leaves + leaves[(size_t)r * all + lane.place]);
  }
  for (int r = 0; r < rows; ++r) call->scores[row + (size_t)r] = sum[r];
}

static void few_rows(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  look tables[TOGETHER];
  for (size_t r = 0; r < n;) {
    const size_t some = n - r >= TOGETHER ? TOGETHER : 1;
    for (size_t k = 0; k < some; ++k)
      tables[k] = look_of(m->rows + (r + k) * m->row_bytes, f->n_slots);
    bands(f, tables, m->leaves, some);
    if (some == 1)
      add_rows(call, begin + r, m->leaves, 1);
    else
      add_rows(call, begin + r, m->leaves, TOGETHER);
    r += some;
  }
}
#endif

static void block(const hy__tree_call *call, const room *m, size_t begin, size_t n) {
  const hy__forest *f = call->forest;
  if (f->direct) {
    direct(call, begin, n);
    return;
  }
  make_rows(call, m, begin, n);
#if BAND_SLOTS
  if (f->n_bands && f->n_slots <= BAND_SLOTS && n <= BAND_ROWS) {
    few_rows(call, m, begin, n);
    return;
  }
#endif
  if (n <= FEW) {
    for (size_t r = 0; r < n; ++r) one_row(call, begin + r, m->rows + r * m->row_bytes);
    return;
  }
  if (f->has_cut) turn(m, f->n_slots, n);
  if (f->single && call->aggregate <= HY__TREE_SUM_F32)
    block_sums(call, m, begin, n);
  else
    block_any(call, m, begin, n);
}

static void run(const hy__tree_call *call) {
  const hy__forest *f = call->forest;
  const room m = room_of(call);
  for (size_t row = 0; row < call->rows; ++row)
    for (size_t t = 0; t < f->n_targets; ++t)
      call->scores[row * f->n_targets + t] = call->aggregate == HY__TREE_MIN   ? (double)INFINITY
                                             : call->aggregate == HY__TREE_MAX ? -(double)INFINITY
                                             : call->start                     ? call->start[t]
                                                                               : 0.0;
  if (call->hits) memset(call->hits, 0, call->rows * f->n_targets);
  for (size_t begin = 0; begin < call->rows; begin += BLOCK)
    block(call, &m, begin, HY_MIN((size_t)BLOCK, call->rows - begin));
}

extern const hy__tree HY_KERNEL;
const hy__tree HY_KERNEL = {.run = run};
