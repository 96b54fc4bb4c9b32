/* SPDX-License-Identifier: Apache-2.0
 * Measuring a forest: modes and missing directions become one comparison per node, trees are walked
 * and checked, leaves numbered from left to right. */
#include "kernel/tree/forest.h"

#include <math.h>

#include "kernel/tree/key.h"

enum { NODES_MAX = 1 << 28, SLOTS_MAX = 1 << 24, SLOTS_NARROW = UINT16_MAX };

static bool is_set(uint8_t mode) { return mode >= HY__TREE_MEMBER; }
static bool is_equal(uint8_t mode) { return mode == HY__TREE_EQ || mode == HY__TREE_NEQ; }

/* Takes n elements of `each` bytes at *at; without a block only counts. */
static void *take(char *block, size_t *at, size_t n, size_t each, bool *good) {
  const size_t begin = *at;
  size_t bytes;
  *good = *good && hy__mul(n, each, &bytes) && hy__add(*at, bytes, at) &&
          hy__round_up(*at, HY_ALIGN, at);
  return block ? block + begin : NULL;
}

bool hy__forest_work_lay_out(const hy__tree_source *s, void *block, hy__forest_work *out,
                             size_t *bytes) {
  const size_t n = s->n_nodes;
  size_t n_pairs = s->set_begin ? 2 * (size_t)s->set_begin[s->n_sets] : 0;
  for (size_t i = 0; i < n; ++i) n_pairs += is_equal(s->mode[i]);
  bool good = n <= NODES_MAX && s->n_trees <= n;
  *bytes = 0;
  *out = (hy__forest_work){.sorted = take(block, bytes, n / 2 + 1, sizeof *out->sorted, &good),
                           .other = take(block, bytes, n / 2 + 1, sizeof *out->other, &good)};
  uint32_t **const lists[] = {&out->left,  &out->right, &out->slot, &out->first,
                              &out->level, &out->order, &out->spare};
  for (size_t k = 0; k < HY_COUNT(lists); ++k)
    *lists[k] = take(block, bytes, n, sizeof **lists[k], &good);
  out->begin = take(block, bytes, s->n_trees + 1, sizeof *out->begin, &good);
  out->depth = take(block, bytes, s->n_trees, sizeof *out->depth, &good);
  out->rank = take(block, bytes, n, 1, &good);
  out->missing_left = take(block, bytes, n, 1, &good);
  out->seen = take(block, bytes, n, 1, &good);
  out->pairs = take(block, bytes, n_pairs, sizeof *out->pairs, &good);
  return good;
}

bool hy__forest_work_bytes(const hy__tree_source *s, size_t *out) {
  hy__forest_work w;
  return hy__forest_work_lay_out(s, NULL, &w, out);
}

/* The greatest key that x <= t lets pass; `below` asks for x < t. Where x is a float, the greatest
 * float that is. */
static int64_t key_of(const hy__tree_source *s, double t, bool below) {
  if (s->f64) return hy__tree_key_f64(t) - below;
  float f = (float)t;
  if ((double)f > t) f = nextafterf(f, -INFINITY);
  return (int64_t)hy__tree_key_f32(f) - (below && (double)f == t);
}

static uint32_t axis_of(const hy__tree_source *s, size_t i) {
  hy__axis_kind kind = HY__AXIS_NUMBER;
  if (is_equal(s->mode[i]))
    kind = HY__AXIS_EQUAL;
  else if (is_set(s->mode[i]))
    kind = (hy__axis_kind)(HY__AXIS_MEMBER + (s->mode[i] - HY__TREE_MEMBER));
  else if (s->zero_missing && s->zero_missing[i])
    kind = HY__AXIS_NUMBER_ZERO;
  return s->feature[i] << HY__AXIS_BITS | (uint32_t)kind;
}

/* The key that goes left where the value is at most it, or is a member of the set. */
static int64_t node_key(const hy__tree_source *s, size_t i, bool flip) {
  const double t = s->threshold[i];
  const bool below = s->mode[i] == HY__TREE_LT || s->mode[i] == HY__TREE_GTE;
  if (is_set(s->mode[i])) return s->set[i];
  if (is_equal(s->mode[i])) return hy__tree_key_f64(t);
  if (t != t) /* no number passes: it goes to if_false */
    return flip ? (s->f64 ? INT64_MAX : INT32_MAX) : (s->f64 ? INT64_MIN : INT32_MIN);
  return key_of(s, t, below);
}

static bool is_flipped(uint8_t mode) {
  return mode == HY__TREE_GTE || mode == HY__TREE_GT || mode == HY__TREE_NEQ;
}

static void normalise(const hy__tree_source *s, hy__forest_work *w, uint32_t i) {
  const bool flip = is_flipped(s->mode[i]);
  /* NaN differs from every number, so NEQ holds for it whatever the flag says */
  const bool missing_true = s->missing_true[i] != 0 || s->mode[i] == HY__TREE_NEQ;
  w->left[i] = flip ? s->if_false[i] : s->if_true[i];
  w->right[i] = flip ? s->if_true[i] : s->if_false[i];
  w->missing_left[i] = missing_true != flip;
  w->sorted[w->n_inner++] = (hy__axis_key){node_key(s, i, flip), axis_of(s, i), i};
}

static hy_status check_node(const hy__tree_source *s, size_t i, hy_error *err) {
  HY_FAIL_IF(s->if_true[i] >= s->n_nodes || s->if_false[i] >= s->n_nodes, HY_BAD_FORMAT, err,
             "node %zu of the trees has a child that does not exist", i);
  HY_FAIL_IF(s->feature[i] >= s->n_features, HY_BAD_FORMAT, err,
             "a tree looks at feature %u of %zu", (unsigned)s->feature[i], s->n_features);
  HY_FAIL_IF(is_set(s->mode[i]) && (!s->set || s->set[i] >= s->n_sets), HY_BAD_FORMAT, err,
             "node %zu of the trees names a set that does not exist", i);
  return HY_OK;
}

static hy_status push(hy__forest_work *w, uint32_t node, uint32_t depth, size_t *n, hy_error *err) {
  HY_FAIL_IF(w->seen[node], HY_BAD_FORMAT, err,
             "node %u of the trees has two parents or is in a cycle", (unsigned)node);
  w->seen[node] = 1;
  w->level[node] = depth;
  w->spare[(*n)++] = node;
  return HY_OK;
}

/* Nodes of tree t in preorder from order[begin[t]] on, and so its leaves from left to right. */
static hy_status walk(const hy__tree_source *s, hy__forest_work *w, size_t t, hy_error *err) {
  size_t n = 0, at = w->begin[t];
  uint32_t n_leaves = 0, deepest = 0;
  HY_FAIL_IF(s->roots[t] >= s->n_nodes, HY_BAD_FORMAT, err, "a tree's root does not exist");
  HY_TRY(push(w, s->roots[t], 0, &n, err));
  while (n) {
    const uint32_t i = w->spare[--n], depth = w->level[i];
    w->order[at++] = i;
    w->first[i] = n_leaves;
    if (s->mode[i] == HY__TREE_LEAF) {
      deepest = HY_MAX(deepest, depth);
      n_leaves++;
      continue;
    }
    HY_TRY(check_node(s, i, err));
    normalise(s, w, i);
    HY_TRY(push(w, w->right[i], depth + 1, &n, err));
    HY_TRY(push(w, w->left[i], depth + 1, &n, err));
  }
  w->depth[t] = deepest;
  w->begin[t + 1] = (uint32_t)at;
  return HY_OK;
}

static uint32_t leaves_of(const hy__forest_work *w, size_t t) {
  return (w->begin[t + 1] - w->begin[t] + 1) / 2;
}

/* Whether the leaves of all trees have one weight each, of one target in a tree. */
static void look_at_weights(const hy__tree_source *s, const hy__forest_work *w,
                            hy__forest_size *size) {
  bool negative = false, wide = false;
  size->single = true;
  for (size_t i = 0; i < s->n_weights; ++i) {
    negative |= s->weight[i] < 0.0;
    wide |= (double)(float)s->weight[i] != s->weight[i];
  }
  size->all_positive = !negative;
  size->exact32 = !wide;
  for (size_t t = 0; t < s->n_trees; ++t) {
    uint32_t target = UINT32_MAX;
    size->n_leaves += leaves_of(w, t);
    for (size_t k = w->begin[t]; size->single && k < w->begin[t + 1]; ++k) {
      const uint32_t i = w->order[k], at = s->weight_begin[i];
      if (s->mode[i] != HY__TREE_LEAF) continue;
      const bool one = s->weight_begin[i + 1] - at == 1;
      if (!one || (target != UINT32_MAX && s->target[at] != target)) size->single = false;
      if (one) target = s->target[at];
    }
  }
}

/* Which forms the trees get, and how many nodes that makes. */
static void count_nodes(const hy__tree_source *s, const hy__forest_work *w, hy__forest_size *size) {
  for (size_t t = 0; t < s->n_trees; ++t) {
    const size_t leaves = leaves_of(w, t), nodes = 2 * leaves - 1;
    const bool few = size->n_slots < SLOTS_NARROW;
    if (few && leaves <= HY__TREE_LEAVES) size->n_cuts += leaves - 1;
    if (few && nodes <= UINT8_MAX)
      size->n_narrow += nodes;
    else
      size->n_wide += nodes;
  }
}

/* How many trees have each number of leaves, if all can be cut and slots are few. */
typedef struct sizes {
  uint32_t trees[HY__TREE_LEAVES + 1];
} sizes;

static bool count_sizes(const hy__tree_source *s, const hy__forest_work *w, size_t n_slots,
                        sizes *out) {
  *out = (sizes){{0}};
  if (n_slots > HY__TREE_BAND_SLOTS) return false;
  for (size_t t = 0; t < s->n_trees; ++t) {
    const uint32_t leaves = leaves_of(w, t);
    if (leaves > HY__TREE_LEAVES) return false;
    out->trees[leaves]++;
  }
  return true;
}

enum { BAND_TREES = HY__TREE_BAND * HY__TREE_LANES, BANDS_FROM = 4 };

/* Bands over trees of falling size, made where `out` is given. */
static void make_bands(const hy__tree_source *s, const sizes *many, hy__tree_band *out,
                       hy__forest_size *size) {
  size_t n = 0;
  size->n_bands = size->n_steps = 0;
  for (size_t leaves = HY__TREE_LEAVES; leaves > 0; --leaves) {
    for (uint32_t k = 0; k < many->trees[leaves]; ++k, ++n) {
      if (n % BAND_TREES) continue;
      const size_t some = HY_MIN(s->n_trees - n, (size_t)BAND_TREES);
      const uint32_t stripes = (uint32_t)((some + HY__TREE_LANES - 1) / HY__TREE_LANES);
      if (out)
        out[size->n_bands] =
            (hy__tree_band){(uint32_t)leaves - 1, stripes, (uint32_t)size->n_steps};
      size->n_bands++;
      size->n_steps += (leaves - 1) * stripes;
    }
  }
}

static void count_bands(const hy__tree_source *s, const hy__forest_work *w, hy__forest_size *size) {
  sizes many;
  if (s->n_trees >= BANDS_FROM && count_sizes(s, w, size->n_slots, &many))
    make_bands(s, &many, NULL, size);
}

/* A row's walks, all trees together, are shorter than so many axes' ranking. Sets need slots. */
enum { DIRECT_STEPS = 16, DIRECT_PER_AXIS = 3 };

static void count_direct(const hy__tree_source *s, const hy__forest_work *w,
                         hy__forest_size *size) {
  size_t steps = 0;
  for (size_t t = 0; t < s->n_trees; ++t) steps += w->depth[t];
  const size_t most = HY_MAX((size_t)DIRECT_STEPS, DIRECT_PER_AXIS * size->n_axes);
  for (size_t k = 0; k < w->n_inner; ++k)
    if ((w->sorted[k].axis & 7) != HY__AXIS_NUMBER) return;
  if (steps <= most) size->n_direct = s->n_nodes;
}

static bool add_up(const hy__tree_source *s, hy__forest_size *z) {
  const struct {
    size_t n, each;
  } parts[] = {{1, sizeof(hy__forest)},
               {z->n_axes, sizeof(hy__tree_axis)},
               {z->n_axis_slots, sizeof(hy__tree_slot)},
               {z->n_keys, s->f64 ? 8 : 4},
               {z->n_sets, sizeof(hy__tree_sets)},
               {z->n_set_values, 8},
               {z->n_set_lists, 4},
               {z->n_set_slots, 1},
               {s->n_trees, sizeof(hy__tree_shape)},
               {z->n_narrow, sizeof(hy__tree_node)},
               {z->n_wide, sizeof(hy__tree_node_wide)},
               {z->n_wide, 4},
               {z->n_cuts, sizeof(hy__tree_cut)},
               {z->n_direct, sizeof(hy__tree_node_direct)},
               {z->n_direct, 4},
               {z->n_bands, sizeof(hy__tree_band)},
               {z->n_steps, HY__TREE_STEP},
               {z->n_bands ? s->n_trees : 0, sizeof(hy__tree_lane)},
               {z->single ? z->n_leaves : 0, z->exact32 ? 4 : 8},
               {z->single ? 0 : z->n_leaves + 1, 4},
               {z->single ? 0 : s->n_weights, 4},
               {z->single ? 0 : s->n_weights, 8}};
  bool good = true;
  z->bytes = 0;
  for (size_t k = 0; k < HY_COUNT(parts); ++k)
    (void)take(NULL, &z->bytes, parts[k].n, parts[k].each, &good);
  z->bytes += HY_ALIGN; /* vectors of leaf values end past the last */
  return good;
}

hy_status hy__forest_measure(const hy__tree_source *s, void *work, hy__forest_size *size,
                             hy_error *err) {
  hy__forest_work w;
  size_t bytes, n = 0;
  *size = (hy__forest_size){0};
  HY_FAIL_IF(!hy__forest_work_lay_out(s, work, &w, &bytes), HY_LIMIT, err,
             "the trees have %zu nodes", s->n_nodes);
  memset(w.seen, 0, s->n_nodes);
  w.begin[0] = 0;
  for (size_t t = 0; t < s->n_trees; ++t) HY_TRY(walk(s, &w, t, err));
  n = w.begin[s->n_trees];
  HY_FAIL_IF(n != s->n_nodes, HY_BAD_FORMAT, err, "%zu nodes of the trees are in a cycle apart",
             s->n_nodes - n);
  hy__forest_sort(&w);
  hy__forest_scan(s, &w, NULL, size);
  HY_FAIL_IF(size->n_slots >= SLOTS_MAX, HY_LIMIT, err, "the trees compare in %zu ways",
             size->n_slots);
  HY_FAIL_IF(size->n_set_lists >= NODES_MAX, HY_LIMIT, err,
             "the sets of the trees hold too many values");
  look_at_weights(s, &w, size);
  count_nodes(s, &w, size);
  count_bands(s, &w, size);
  count_direct(s, &w, size);
  HY_FAIL_IF(!add_up(s, size), HY_LIMIT, err, "the forest is too large");
  return HY_OK;
}

/* --- packing --- */

typedef struct packer {
  const hy__tree_source *s;
  const hy__forest_work *w;
  hy__tree_shape *shapes;
  hy__tree_node *narrow;
  hy__tree_node_wide *wide;
  uint32_t *leaf_of, *leaf_of_direct, *leaf_begin, *leaf_target;
  hy__tree_node_direct *direct;
  hy__tree_cut *cuts;
  hy__tree_band *bands;
  uint8_t *steps;
  hy__tree_lane *lanes;
  float *value32;
  double *value64, *leaf_weight;
  size_t n_narrow, n_wide, n_cuts, n_leaves, n_weights;
} packer;

static int8_t biased(uint32_t byte) { return (int8_t)((int32_t)byte - HY__TREE_BIAS); }

static void put(packer *p, const hy__tree_shape *shape, size_t at, uint32_t node, uint32_t left) {
  const bool leaf = p->s->mode[node] == HY__TREE_LEAF;
  const uint32_t slot = leaf ? p->w->first[node] : p->w->slot[node];
  const int8_t key = leaf ? INT8_MAX : biased(p->w->rank[node]);
  if (leaf) left = (uint32_t)at; /* it stays */
  if (!shape->is_wide) {
    p->narrow[shape->nodes + at] = (hy__tree_node){(uint16_t)slot, key, (uint8_t)left};
    return;
  }
  p->leaf_of[shape->nodes + at] = slot;
  p->wide[shape->nodes + at] = (hy__tree_node_wide){left, (leaf ? 0 : slot) << 8 | (uint8_t)key};
}

static void put_direct(packer *p, const hy__tree_shape *shape, size_t at, uint32_t node,
                       uint32_t left) {
  const size_t to = shape->direct + at;
  const bool leaf = p->s->mode[node] == HY__TREE_LEAF;
  if (leaf) p->leaf_of_direct[to] = p->w->first[node];
  p->direct[to] =
      leaf ? (hy__tree_node_direct){INT64_MAX, 1, (uint32_t)at}
           : (hy__tree_node_direct){node_key(p->s, node, is_flipped(p->s->mode[node])),
                                    p->s->feature[node] << 1 | p->w->missing_left[node], left};
}

/* What leaf `node` is worth, where it has one weight. */
static void put_value(packer *p, const hy__tree_shape *shape, uint32_t node) {
  const size_t leaf = shape->leaves + p->w->first[node];
  const double weight = p->s->weight[p->s->weight_begin[node]];
  if (p->value32)
    p->value32[leaf] = (float)weight;
  else
    p->value64[leaf] = weight;
}

static void put_cut(packer *p, const hy__tree_shape *shape, uint32_t node) {
  const hy__forest_work *w = p->w;
  const size_t place = w->first[w->right[node]];
  p->cuts[shape->cuts + place - 1] =
      (hy__tree_cut){(uint16_t)w->slot[node], biased(w->rank[node]), biased(w->first[node])};
}

/* Level by level, siblings side by side. */
static void put_nodes(packer *p, const hy__tree_shape *shape, uint32_t root) {
  uint32_t *queue = p->w->spare;
  size_t n = 1;
  queue[0] = root;
  for (size_t k = 0; k < n; ++k) {
    const uint32_t i = queue[k];
    put(p, shape, k, i, (uint32_t)n);
    if (p->direct) put_direct(p, shape, k, i, (uint32_t)n);
    if (p->s->mode[i] == HY__TREE_LEAF) {
      if (!p->leaf_begin) put_value(p, shape, i);
      continue;
    }
    if (shape->is_cut) put_cut(p, shape, i);
    queue[n++] = p->w->left[i];
    queue[n++] = p->w->right[i];
  }
}

/* The weights of the tree's leaves, from left to right as preorder meets them. */
static void put_weights(packer *p, const hy__tree_shape *shape, size_t t) {
  const hy__forest_work *w = p->w;
  for (size_t at = w->begin[t]; at < w->begin[t + 1]; ++at) {
    const uint32_t i = w->order[at];
    if (p->s->mode[i] != HY__TREE_LEAF) continue;
    for (uint32_t k = p->s->weight_begin[i]; k < p->s->weight_begin[i + 1]; ++k, ++p->n_weights) {
      p->leaf_target[p->n_weights] = p->s->target[k];
      p->leaf_weight[p->n_weights] = p->s->weight[k];
    }
    p->leaf_begin[shape->leaves + w->first[i] + 1] = (uint32_t)p->n_weights;
  }
}

/* That of any leaf, where they have one. */
static uint32_t target_of(const packer *p, size_t t) {
  const uint32_t last = p->w->order[p->w->begin[t + 1] - 1];
  return p->s->target[p->s->weight_begin[last]];
}

static void put_tree(packer *p, size_t t, bool few_slots) {
  const hy__forest_work *w = p->w;
  const uint32_t leaves = leaves_of(w, t), nodes = 2 * leaves - 1;
  hy__tree_shape *shape = &p->shapes[t];
  *shape = (hy__tree_shape){.depth = w->depth[t],
                            .cuts = (uint32_t)p->n_cuts,
                            .leaves = (uint32_t)p->n_leaves,
                            .direct = w->begin[t],
                            .n_leaves = leaves,
                            .is_wide = !few_slots || nodes > UINT8_MAX,
                            .is_cut = few_slots && leaves <= HY__TREE_LEAVES};
  shape->nodes = (uint32_t)(shape->is_wide ? p->n_wide : p->n_narrow);
  *(shape->is_wide ? &p->n_wide : &p->n_narrow) += nodes;
  put_nodes(p, shape, p->s->roots[t]);
  if (p->leaf_begin)
    put_weights(p, shape, t);
  else
    shape->target = target_of(p, t);
  if (shape->is_cut) p->n_cuts += leaves - 1;
  p->n_leaves += leaves;
}

/* A tree's cuts into its lane; what follows them can never be greater. */
static void put_lane(packer *p, const hy__tree_shape *shape, uint32_t place) {
  const hy__tree_band *band = &p->bands[place / BAND_TREES];
  const size_t stripe = place % BAND_TREES / HY__TREE_LANES;
  const size_t stride = (size_t)band->n_stripes * HY__TREE_STEP;
  uint8_t *to = p->steps + (band->at + stripe) * HY__TREE_STEP + place % HY__TREE_LANES;
  for (uint32_t k = 0; k < band->n_steps; ++k, to += stride) {
    const hy__tree_cut *cut = k + 1 < shape->n_leaves ? &p->cuts[shape->cuts + k] : NULL;
    to[0] = cut ? (uint8_t)cut->slot : 0;
    to[HY__TREE_LANES] = cut ? (uint8_t)cut->key : INT8_MAX;
    to[2 * HY__TREE_LANES] = cut ? (uint8_t)cut->first : 0;
  }
}

static void put_bands(packer *p, const hy__forest_size *z) {
  sizes many, next;
  hy__forest_size again;
  uint32_t place = 0;
  if (!count_sizes(p->s, p->w, z->n_slots, &many)) return;
  make_bands(p->s, &many, p->bands, &again);
  for (size_t leaves = HY__TREE_LEAVES; leaves > 0; --leaves) {
    next.trees[leaves] = place;
    place += many.trees[leaves];
  }
  for (size_t k = 0; k < z->n_steps; ++k) /* lanes without a tree stay at their first leaf */
    memset(p->steps + k * HY__TREE_STEP + HY__TREE_LANES, INT8_MAX, HY__TREE_LANES);
  for (size_t t = 0; t < p->s->n_trees; ++t) {
    p->lanes[t] = (hy__tree_lane){next.trees[p->shapes[t].n_leaves]++, p->shapes[t].leaves};
    put_lane(p, &p->shapes[t], p->lanes[t].place);
  }
}

static void fill(packer *p, const hy__axis_out *out, const hy__forest_size *z) {
  hy__forest_size again = {0};
  hy__forest_scan(p->s, (hy__forest_work *)(uintptr_t)p->w, out, &again);
  for (size_t t = 0; t < p->s->n_trees; ++t) put_tree(p, t, z->n_slots < SLOTS_NARROW);
  if (z->n_bands) put_bands(p, z);
}

/* The arrays of trees and leaves, after those of the axes. */
static bool lay_out(packer *p, const hy__forest_size *z, void *block, size_t *at) {
  const hy__tree_source *s = p->s;
  bool good = true;
  p->shapes = take(block, at, s->n_trees, sizeof *p->shapes, &good);
  p->narrow = take(block, at, z->n_narrow, sizeof *p->narrow, &good);
  p->wide = take(block, at, z->n_wide, sizeof *p->wide, &good);
  p->leaf_of = take(block, at, z->n_wide, 4, &good);
  p->cuts = take(block, at, z->n_cuts, sizeof *p->cuts, &good);
  p->direct = take(block, at, z->n_direct, sizeof *p->direct, &good);
  p->leaf_of_direct = take(block, at, z->n_direct, 4, &good);
  if (!z->n_direct) p->direct = NULL;
  p->bands = take(block, at, z->n_bands, sizeof *p->bands, &good);
  p->steps = take(block, at, z->n_steps, HY__TREE_STEP, &good);
  p->lanes = take(block, at, z->n_bands ? s->n_trees : 0, sizeof *p->lanes, &good);
  void *values = take(block, at, z->single ? z->n_leaves : 0, z->exact32 ? 4 : 8, &good);
  p->value32 = z->single && z->exact32 ? values : NULL;
  p->value64 = z->single && !z->exact32 ? values : NULL;
  uint32_t *begin = take(block, at, z->single ? 0 : z->n_leaves + 1, 4, &good);
  p->leaf_begin = z->single ? NULL : begin;
  p->leaf_target = take(block, at, z->single ? 0 : s->n_weights, 4, &good);
  p->leaf_weight = take(block, at, z->single ? 0 : s->n_weights, 8, &good);
  return good;
}

void hy__forest_pack(const hy__tree_source *s, const void *work, const hy__forest_size *z,
                     void *block) {
  hy__forest_work w;
  size_t bytes, at = 0;
  bool good = hy__forest_work_lay_out(s, (void *)(uintptr_t)work, &w, &bytes);
  w.n_inner = (s->n_nodes - s->n_trees) / 2;
  hy__forest *f = take(block, &at, 1, sizeof *f, &good);
  hy__axis_out out;
  packer p = {.s = s, .w = &w};
  out.axes = take(block, &at, z->n_axes, sizeof *out.axes, &good);
  out.slots = take(block, &at, z->n_axis_slots, sizeof *out.slots, &good);
  out.keys = take(block, &at, z->n_keys, s->f64 ? 8 : 4, &good);
  out.sets = take(block, &at, z->n_sets, sizeof *out.sets, &good);
  out.values = take(block, &at, z->n_set_values, 8, &good);
  out.lists = take(block, &at, z->n_set_lists, 4, &good);
  out.missing = take(block, &at, z->n_set_slots, 1, &good);
  good = lay_out(&p, z, block, &at) && good;
  HY_ASSERT(good && at <= z->bytes);
  fill(&p, &out, z);
  *f = (hy__forest){.n_trees = s->n_trees,
                    .n_features = s->n_features,
                    .n_targets = s->n_targets,
                    .n_leaves = z->n_leaves,
                    .n_axes = z->n_axes,
                    .n_sets = z->n_sets,
                    .n_slots = z->n_slots,
                    .f64 = s->f64,
                    .single = z->single,
                    .has_wide = z->n_wide > 0,
                    .has_cut = z->n_cuts > 0,
                    .all_positive = z->all_positive,
                    .axes = out.axes,
                    .slots = out.slots,
                    .keys = out.keys,
                    .sets = out.sets,
                    .set_values = out.values,
                    .set_lists = out.lists,
                    .set_missing = out.missing,
                    .trees = p.shapes,
                    .narrow = p.narrow,
                    .wide = p.wide,
                    .leaf_of = p.leaf_of,
                    .direct = p.direct,
                    .leaf_of_direct = p.leaf_of_direct,
                    .cuts = p.cuts,
                    .n_bands = z->n_bands,
                    .n_lanes = z->n_bands ? (s->n_trees + HY__TREE_LANES - 1) / HY__TREE_LANES *
                                                HY__TREE_LANES
                                          : 0,
                    .bands = p.bands,
                    .steps = p.steps,
                    .lanes = p.lanes,
                    .value32 = p.value32,
                    .value64 = p.value64,
                    .leaf_begin = p.leaf_begin,
                    .leaf_target = p.leaf_target,
                    .leaf_weight = p.leaf_weight};
}
