/* SPDX-License-Identifier: Apache-2.0
 * Walking a packed forest with one width of keys. Parameters: HY_NODE, the node's type; HY_KEY,
 * its key's; HY_NAME, the suffix; HY_LEAF, the float type whose bits a single leaf's key holds.
 * Eight walks go in lockstep, so that their loads overlap: eight rows in one tree, or one row in
 * eight. */
#define HY_FN_(name, suffix) name##_##suffix
#define HY_FN2(name, suffix) HY_FN_(name, suffix)
#define HY_FN(name)          HY_FN2(name, HY_NAME)

/* Steps all lanes until none moves, in rounds of four; depth bounds the rounds. */
static inline __attribute__((always_inline)) void HY_FN(walk)(const HY_NODE *const *nodes,
                                                              const HY_KEY *const *keys,
                                                              uint32_t depth, uint32_t *at,
                                                              const int lanes) {
  for (uint32_t step = 0; step < depth; step += 4) {
    uint32_t moved = 0;
    for (int round = 0; round < 4; ++round) {
      moved = 0;
      for (int i = 0; i < lanes; ++i) {
        const HY_NODE node = nodes[i][at[i]];
        uint32_t next = node.left + (uint32_t)(keys[i][node.slot] > node.key);
        moved |= next ^ at[i];
        at[i] = next;
      }
    }
    if (!moved) return;
  }
}

static inline double HY_FN(value)(const HY_NODE *node) {
  HY_LEAF value;
  memcpy(&value, &node->key, sizeof value);
  return (double)value;
}

/* A leaf's weights into the row's scores. */
static inline void HY_FN(add)(const hy__tree_call *call, size_t row, const HY_NODE *leaf) {
  const hy__forest *f = call->forest;
  double *scores = call->scores + row * f->n_targets;
  uint8_t *hits = call->hits ? call->hits + row * f->n_targets : NULL;
  if (f->single) {
    scores[0] = combine(scores[0], HY_FN(value)(leaf), call->aggregate);
    if (hits) hits[0] = 1;
    return;
  }
  const size_t number = (size_t)leaf->key;
  for (uint32_t i = f->leaf_begin[number]; i < f->leaf_begin[number + 1]; ++i) {
    const uint32_t target = f->leaf_target[i];
    scores[target] = combine(scores[target], f->leaf_weight[i], call->aggregate);
    if (hits) hits[target] = 1;
  }
}

/* n <= lanes rows (the last is walked again in the lanes that are over) through one tree. */
static inline __attribute__((always_inline)) void HY_FN(rows)(const hy__tree_call *call,
                                                              size_t tree, const size_t rows[2],
                                                              const HY_KEY *row_keys,
                                                              const int lanes) {
  const hy__forest *f = call->forest;
  const size_t slots = hy__forest_slots(f), n = rows[1] - rows[0];
  const HY_NODE *base = (const HY_NODE *)f->nodes + f->base[tree];
  const HY_NODE *nodes[LANES];
  const HY_KEY *keys[LANES];
  uint32_t at[LANES] = {0};
  for (int i = 0; i < lanes; ++i) {
    nodes[i] = base;
    keys[i] = row_keys + HY_MIN((size_t)i, n - 1) * slots;
  }
  HY_FN(walk)(nodes, keys, f->depth[tree], at, lanes);
  for (size_t i = 0; i < n; ++i) HY_FN(add)(call, rows[0] + i, base + at[i]);
}

/* One row through all trees, eight at a time. */
static void HY_FN(one_row)(const hy__tree_call *call, size_t row, const HY_KEY *row_keys) {
  const hy__forest *f = call->forest;
  for (size_t tree = 0; tree < f->n_trees; tree += LANES) {
    const size_t n = HY_MIN((size_t)LANES, f->n_trees - tree);
    const HY_NODE *nodes[LANES];
    const HY_KEY *keys[LANES];
    uint32_t at[LANES] = {0}, depth = 0;
    for (size_t i = 0; i < LANES; ++i) {
      const size_t t = tree + HY_MIN(i, n - 1);
      nodes[i] = (const HY_NODE *)f->nodes + f->base[t];
      keys[i] = row_keys;
      depth = HY_MAX(depth, f->depth[t]);
    }
    HY_FN(walk)(nodes, keys, depth, at, LANES);
    for (size_t i = 0; i < n; ++i) HY_FN(add)(call, row, nodes[i] + at[i]);
  }
}

static void HY_FN(block)(const hy__tree_call *call, size_t begin, size_t end) {
  const HY_KEY *keys = call->keys;
  const size_t slots = hy__forest_slots(call->forest);
  if (end - begin < 4) {
    for (size_t row = begin; row < end; ++row)
      HY_FN(one_row)(call, row, keys + (row - begin) * slots);
    return;
  }
  for (size_t tree = 0; tree < call->forest->n_trees; ++tree) {
    for (size_t row = begin; row < end;) {
      const HY_KEY *own = keys + (row - begin) * slots;
      const size_t left = end - row;
      if (left > LANES / 2) {
        const size_t next = row + HY_MIN(left, (size_t)LANES);
        HY_FN(rows)(call, tree, (const size_t[2]){row, next}, own, LANES);
        row = next;
      } else {
        HY_FN(rows)(call, tree, (const size_t[2]){row, end}, own, LANES / 2);
        row = end;
      }
    }
  }
}

#undef HY_FN
#undef HY_FN2
#undef HY_FN_
#undef HY_NODE
#undef HY_KEY
#undef HY_NAME
#undef HY_LEAF
