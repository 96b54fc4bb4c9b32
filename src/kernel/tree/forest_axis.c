/* SPDX-License-Identifier: Apache-2.0
 * The axes of a forest: nodes sorted by feature and threshold, thresholds ranked, slots given out.
 */
#include <math.h>
#include <stdlib.h>

#include "kernel/tree/forest.h"
#include "kernel/tree/key.h"

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, NO_SLOT = -1 };

/* What a pass sorts by: bits of the keys above the least, or of the axes. */
typedef struct digit {
  bool of_axis;
  int64_t least;
  int shift;
} digit;

static inline size_t digit_of(const digit *d, const hy__axis_key *k) {
  const uint64_t all = d->of_axis ? k->axis : (uint64_t)k->key - (uint64_t)d->least;
  return all >> d->shift & (DIGITS - 1);
}

/* One pass of a radix sort, stable, by 11 bits. */
static void sort_pass(const digit *d, const hy__axis_key *from, hy__axis_key *to, size_t n) {
  uint32_t at[DIGITS] = {0}, sum = 0;
  for (size_t k = 0; k < n; ++k) at[digit_of(d, &from[k])]++;
  for (size_t v = 0; v < DIGITS; ++v) {
    const uint32_t count = at[v];
    at[v] = sum;
    sum += count;
  }
  for (size_t k = 0; k < n; ++k) to[at[digit_of(d, &from[k])]++] = from[k];
}

/* Sorts into *from; passes whose bits are alike in all nodes are left out. */
static void sort_by(digit *d, hy__axis_key **from, hy__axis_key **to, size_t n) {
  uint64_t bits = 0;
  for (size_t k = 0; k < n; ++k)
    bits |= d->of_axis ? (*from)[k].axis ^ (*from)[0].axis
                       : ((uint64_t)(*from)[k].key - (uint64_t)d->least);
  for (d->shift = 0; d->shift < 64; d->shift += DIGIT_BITS) {
    if (!(bits >> d->shift & (DIGITS - 1))) continue;
    sort_pass(d, *from, *to, n);
    hy__axis_key *other = *from;
    *from = *to;
    *to = other;
  }
}

void hy__forest_sort(hy__forest_work *w) {
  hy__axis_key *from = w->sorted, *to = w->other;
  if (w->n_inner == 0) return;
  digit d = {.least = from[0].key};
  for (size_t k = 0; k < w->n_inner; ++k) d.least = HY_MIN(d.least, from[k].key);
  sort_by(&d, &from, &to, w->n_inner);
  d.of_axis = true;
  sort_by(&d, &from, &to, w->n_inner);
  if (from != w->sorted) memcpy(w->sorted, from, w->n_inner * sizeof *from);
}

size_t hy__axis_room(size_t n) {
  if (n <= HY__TREE_PIVOTS) return HY__TREE_PIVOTS;
  const size_t rest = n % HY__TREE_BLOCK;
  return n / HY__TREE_BLOCK * (HY__TREE_PIVOTS + HY__TREE_BLOCK) +
         (rest ? HY__TREE_PIVOTS + (rest + 15) / 16 * 16 : 0);
}

/* Where key `i` of an axis stands. */
static size_t place_of(size_t i, size_t n) {
  if (n <= HY__TREE_PIVOTS) return i;
  return i + (i / HY__TREE_BLOCK + 1) * HY__TREE_PIVOTS;
}

static void key_put(const hy__tree_source *s, void *keys, size_t at, int64_t key) {
  if (s->f64)
    ((int64_t *)keys)[at] = key;
  else
    ((int32_t *)keys)[at] = (int32_t)key;
}

static int64_t key_at(const hy__tree_source *s, const void *keys, size_t at) {
  return s->f64 ? ((const int64_t *)keys)[at] : ((const int32_t *)keys)[at];
}

/* The distinct keys of nodes [begin, end), padded, and their pivots: the last of each 16 keys but
 * of a block's last 16, so that a search always ends inside. */
static void put_keys(const hy__tree_source *s, const hy__forest_work *w, const size_t range[2],
                     void *keys, const hy__tree_axis *axis) {
  const size_t n = axis->n_keys, room = hy__axis_room(n), first = axis->keys_at;
  const int64_t most = s->f64 ? INT64_MAX : INT32_MAX;
  size_t i = 0;
  for (size_t k = 0; k < room; ++k) key_put(s, keys, first + k, most);
  for (size_t k = range[0]; k < range[1]; ++k) {
    const int64_t key = w->sorted[k].key;
    if (k > range[0] && key == w->sorted[k - 1].key) continue;
    key_put(s, keys, first + place_of(i++, n), key);
  }
  if (n <= HY__TREE_PIVOTS) return;
  for (size_t g = 0; 16 * g + 16 < n; ++g) {
    const size_t block = g / 16;
    if (g % 16 == 15) continue;
    const int64_t last = key_at(s, keys, first + place_of(16 * g + 15, n));
    key_put(s, keys, first + block * (HY__TREE_PIVOTS + HY__TREE_BLOCK) + g % 16, last);
  }
}

/* Slots for one key or chunk of keys: one for each direction of missing values. */
typedef struct slots {
  int64_t of[2];
} slots;

static uint32_t slot_for(slots *c, bool missing_left, hy__forest_size *size, bool *made) {
  *made = c->of[missing_left] == NO_SLOT;
  if (*made) c->of[missing_left] = (int64_t)size->n_slots++;
  return (uint32_t)c->of[missing_left];
}

static void scan_numbers(const hy__tree_source *s, hy__forest_work *w, const size_t range[2],
                         const hy__axis_out *out, hy__forest_size *size) {
  const uint32_t id = w->sorted[range[0]].axis;
  hy__tree_axis axis = {.feature = id >> HY__AXIS_BITS,
                        .first_slot = (uint32_t)size->n_slots,
                        .keys_at = size->n_keys,
                        .zero_missing = (id & 7) == HY__AXIS_NUMBER_ZERO};
  slots chunk = {{NO_SLOT, NO_SLOT}};
  for (size_t k = range[0]; k < range[1]; ++k) {
    const uint32_t i = w->sorted[k].node;
    bool made;
    if (k == range[0] || w->sorted[k].key != w->sorted[k - 1].key) {
      if (axis.n_keys % HY__TREE_RANKS == 0) chunk = (slots){{NO_SLOT, NO_SLOT}};
      axis.n_keys++;
    }
    const uint32_t place = axis.n_keys - 1;
    w->slot[i] = slot_for(&chunk, w->missing_left[i], size, &made);
    w->rank[i] = (uint8_t)(place % HY__TREE_RANKS);
    if (made && out)
      out->slots[w->slot[i]] =
          (hy__tree_slot){place - place % HY__TREE_RANKS, w->missing_left[i] ? 0 : HY__TREE_RANKS};
  }
  axis.n_slots = (uint32_t)size->n_slots - axis.first_slot;
  size->n_keys += hy__axis_room(axis.n_keys);
  if (out) {
    put_keys(s, w, range, out->keys, &axis);
    out->axes[size->n_axes] = axis;
  }
  size->n_axes++;
}

static int by_value(const void *a, const void *b) {
  const hy__set_pair *x = a, *y = b;
  if (x->value != y->value) return (x->value > y->value) - (x->value < y->value);
  return (x->slot > y->slot) - (x->slot < y->slot);
}

/* The values of the axis's sets, and for each the slots that hold it. */
static void put_sets(hy__forest_work *w, size_t n, const hy__axis_out *out, hy__tree_sets *set) {
  uint32_t *bounds = out->lists + set->lists_at, *lists;
  size_t n_values = 0;
  if (n) qsort(w->pairs, n, sizeof *w->pairs, by_value);
  for (size_t k = 0; k < n; ++k) n_values += k == 0 || w->pairs[k].value != w->pairs[k - 1].value;
  lists = bounds + n_values + 1;
  set->n_values = (uint32_t)n_values;
  n_values = 0;
  for (size_t k = 0; k < n; ++k) {
    if (k == 0 || w->pairs[k].value != w->pairs[k - 1].value) {
      out->values[set->values_at + n_values] = w->pairs[k].value;
      bounds[n_values++] = (uint32_t)k;
    }
    lists[k] = w->pairs[k].slot - set->first_slot;
  }
  bounds[n_values] = (uint32_t)n;
}

/* A new slot's members; without `out` they are only counted. */
static size_t add_pairs(const hy__tree_source *s, hy__forest_work *w, uint32_t node, size_t n,
                        bool write) {
  const uint8_t mode = s->mode[node];
  const bool equal = mode == HY__TREE_EQ || mode == HY__TREE_NEQ;
  const double *values = equal ? &s->threshold[node] : s->set_value + s->set_begin[s->set[node]];
  const size_t many = equal ? 1 : s->set_begin[s->set[node] + 1] - s->set_begin[s->set[node]];
  if (!write) return n + many;
  for (size_t k = 0; k < many; ++k)
    if (values[k] == values[k]) w->pairs[n++] = (hy__set_pair){values[k] + 0.0, w->slot[node]};
  return n;
}

static void scan_sets(const hy__tree_source *s, hy__forest_work *w, const size_t range[2],
                      const hy__axis_out *out, hy__forest_size *size) {
  const uint32_t id = w->sorted[range[0]].axis;
  const hy__axis_kind kind = (hy__axis_kind)(id & 7);
  hy__tree_sets set = {.feature = id >> HY__AXIS_BITS,
                       .first_slot = (uint32_t)size->n_slots,
                       .values_at = size->n_set_values,
                       .lists_at = size->n_set_lists,
                       .missing_at = size->n_set_slots,
                       .mode = kind == HY__AXIS_MEMBER_CUT     ? HY__TREE_MEMBER_CUT
                               : kind == HY__AXIS_MEMBER_WHOLE ? HY__TREE_MEMBER_WHOLE
                                                               : HY__TREE_MEMBER};
  slots both = {{NO_SLOT, NO_SLOT}};
  size_t n_pairs = 0;
  for (size_t k = range[0]; k < range[1]; ++k) {
    const uint32_t i = w->sorted[k].node;
    bool made;
    if (k > range[0] && w->sorted[k].key != w->sorted[k - 1].key)
      both = (slots){{NO_SLOT, NO_SLOT}};
    w->slot[i] = slot_for(&both, w->missing_left[i], size, &made);
    w->rank[i] = 0;
    if (!made) continue;
    n_pairs = add_pairs(s, w, i, n_pairs, out != NULL);
    if (out)
      out->missing[set.missing_at + w->slot[i] - set.first_slot] = w->missing_left[i] ? 0 : 1;
  }
  set.n_slots = (uint32_t)size->n_slots - set.first_slot;
  if (out) {
    put_sets(w, n_pairs, out, &set);
    out->sets[size->n_sets] = set;
  }
  size->n_set_values += n_pairs;
  size->n_set_lists += 2 * n_pairs + 1;
  size->n_set_slots += set.n_slots;
  size->n_sets++;
}

static bool is_number(const hy__forest_work *w, size_t k) {
  return (w->sorted[k].axis & 7) <= HY__AXIS_NUMBER_ZERO;
}

/* Axes of numbers get the first slots, those of sets the others. */
void hy__forest_scan(const hy__tree_source *s, hy__forest_work *w, const hy__axis_out *out,
                     hy__forest_size *size) {
  for (int sets = 0; sets < 2; ++sets) {
    for (size_t begin = 0, end; begin < w->n_inner; begin = end) {
      end = begin + 1;
      while (end < w->n_inner && w->sorted[end].axis == w->sorted[begin].axis) end++;
      if (is_number(w, begin) == (sets == 1)) continue;
      if (sets)
        scan_sets(s, w, (const size_t[2]){begin, end}, out, size);
      else
        scan_numbers(s, w, (const size_t[2]){begin, end}, out, size);
    }
    if (!sets) size->n_axis_slots = size->n_slots;
  }
}
