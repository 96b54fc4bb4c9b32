/* SPDX-License-Identifier: Apache-2.0
 * The sort of cross-sections: by digits of the keys, since a universe is too many for comparisons
 * that are as good as random; few items are merged. Equal keys keep their order. */
#include "feature/cross/cross.h"

enum {
  RUN = 4,
  MERGED_MAX =
      96, /* at most so many are merged: below, the digits' counts cost more than they save */
  DIGITS = 4,
  DIGIT_BITS = 8,
  DIGIT_VALUES = 1 << DIGIT_BITS
};

/* ---- a few ---- */

/* Each item's place is the number of those before it: nothing to be guessed. */
static void sort_run(hy__ranked a[RUN]) {
  const hy__ranked x0 = a[0], x1 = a[1], x2 = a[2], x3 = a[3];
  const unsigned c01 = x1.key < x0.key, c02 = x2.key < x0.key, c03 = x3.key < x0.key;
  const unsigned c12 = x2.key < x1.key, c13 = x3.key < x1.key, c23 = x3.key < x2.key;
  a[c01 + c02 + c03] = x0;
  a[1 - c01 + c12 + c13] = x1;
  a[2 - c02 - c12 + c23] = x2;
  a[3 - c03 - c13 - c23] = x3;
}

static void sort_short(hy__ranked *a, size_t n) {
  for (size_t i = 1; i < n; i++) {
    const hy__ranked item = a[i];
    size_t at = i;
    for (; at > 0 && item.key < a[at - 1].key; at--) a[at] = a[at - 1];
    a[at] = item;
  }
}

static void merge(const hy__ranked *left, size_t n_left, const hy__ranked *right, size_t n_right,
                  hy__ranked *to) {
  const hy__ranked *left_end = left + n_left, *right_end = right + n_right;
  while (left < left_end && right < right_end) {
    const bool take_right = right->key < left->key;
    *to++ = *(take_right ? right : left);
    right += take_right;
    left += !take_right;
  }
  memcpy(to, left, (size_t)(left_end - left) * sizeof *to);
  to += left_end - left;
  memcpy(to, right, (size_t)(right_end - right) * sizeof *to);
}

static void sort_merging(hy__ranked *items, hy__ranked *room, size_t n) {
  hy__ranked *from = items, *to = room;
  size_t i = 0;
  for (; i + RUN <= n; i += RUN) sort_run(from + i);
  sort_short(from + i, n - i);
  for (size_t width = RUN; width < n; width *= 2) {
    for (size_t begin = 0; begin < n; begin += 2 * width) {
      const size_t middle = HY_MIN(begin + width, n), end = HY_MIN(begin + 2 * width, n);
      merge(from + begin, middle - begin, from + middle, end - middle, to + begin);
    }
    hy__ranked *swap = from;
    from = to;
    to = swap;
  }
  if (from != items) memcpy(items, from, n * sizeof *from);
}

/* ---- many ---- */

/* The highest 32 bits among those in which the keys differ. */
typedef struct digits {
  int shift;
  uint32_t counts[DIGITS][DIGIT_VALUES];
} digits;

static inline uint32_t top_of(const digits *d, uint64_t key) { return (uint32_t)(key >> d->shift); }
static inline uint32_t digit_of(uint32_t top, int digit) {
  return top >> digit * DIGIT_BITS & (DIGIT_VALUES - 1);
}

static void count_digits(digits *d, const hy__ranked *items, size_t n) {
  memset(d->counts, 0, sizeof d->counts);
  for (size_t i = 0; i < n; i++) {
    const uint32_t top = top_of(d, items[i].key);
    for (int k = 0; k < DIGITS; k++) d->counts[k][digit_of(top, k)]++;
  }
}

/* Moves the items to their places by one digit; `at` becomes where the next of each value goes. */
static void spread(const digits *d, int digit, uint32_t *at, const hy__ranked *from, size_t n,
                   hy__ranked *to) {
  uint32_t sum = 0;
  for (size_t v = 0; v < DIGIT_VALUES; v++) {
    const uint32_t count = at[v];
    at[v] = sum;
    sum += count;
  }
  for (size_t i = 0; i < n; i++) to[at[digit_of(top_of(d, from[i].key), digit)]++] = from[i];
}

/* Items whose top bits are equal stand together; what is below decides between them. */
static void sort_below(const digits *d, hy__ranked *items, hy__ranked *room, size_t n) {
  for (size_t begin = 0, end; begin < n; begin = end) {
    const uint32_t top = top_of(d, items[begin].key);
    bool sorted = true;
    for (end = begin + 1; end < n && top_of(d, items[end].key) == top; end++)
      sorted &= items[end - 1].key <= items[end].key;
    if (!sorted) sort_merging(items + begin, room, end - begin);
  }
}

void hy__cross_sort(hy__ranked *items, hy__ranked *room, size_t n) {
  if (n <= MERGED_MAX) {
    sort_merging(items, room, n);
    return;
  }
  digits d = {.shift = 0};
  uint64_t differing = 0;
  for (size_t i = 1; i < n; i++) differing |= items[i].key ^ items[0].key;
  while (differing >> d.shift > UINT32_MAX) d.shift++;
  count_digits(&d, items, n);
  hy__ranked *from = items, *to = room;
  for (int k = 0; k < DIGITS; k++) {
    if (d.counts[k][digit_of(top_of(&d, from[0].key), k)] == n) continue;
    spread(&d, k, d.counts[k], from, n, to);
    hy__ranked *swap = from;
    from = to;
    to = swap;
  }
  if (from != items) memcpy(items, from, n * sizeof *from);
  if (d.shift) sort_below(&d, items, room, n);
}
