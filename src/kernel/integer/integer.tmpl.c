/* SPDX-License-Identifier: Apache-2.0
 * The product of bytes over the vectors of the file that includes this, and plain loops that the
 * compiler puts into them. Parameters: HY_KERNEL, the exported structure's name; HY_VL, lanes of 32
 * bits; vi, a vector, with i_load, i_load_n, i_store, i_store_n, i_set (four bytes to each lane),
 * i_add and i_dot; left_element and HY_GROUP, what goes into a lane; HY_ROWS and HY_TILE. Sums are
 * exact, so a few rows take several chains each to hide the latency. */
#include <string.h>

#include "kernel/integer/integer.h"
#include "kernel/simd/control.h"

enum { PANEL = 2 * HY_VL };

typedef struct place {
  const left_element *left;
  const int8_t *packed;
  const int32_t *init;
  int32_t *c;
  size_t n_last; /* columns of the last vector */
} place;

/* A group of every row from `left` on into `acc`. Rows go by threes, so that few registers hold
 * where they lie. */
HY_INLINE void step(vi *acc, const left_element *const *left, size_t by, const int8_t *b,
                    const int shape[3]) {
  const int rows = shape[0], vectors = shape[1];
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    const vi x = i_set(left[i / 3] + (size_t)(i % 3) * by);
    HY_UNROLL for (int j = 0; j < vectors; ++j) acc[i * vectors + j] =
        i_dot(acc[i * vectors + j], x, i_load(b + (size_t)j * 4 * HY_VL));
  }
}

/* A tile: rows x vectors, by `chains` sums for each; all constants at every call. */
HY_INLINE void tile(const hy__integer_product *call, const place *at, const int shape[3]) {
  const int rows = shape[0], vectors = shape[1], chains = shape[2], width = rows * vectors;
  const size_t groups = (call->each + HY_GROUP - 1) / HY_GROUP, by = call->step;
  const size_t bytes = (size_t)vectors * 4 * HY_VL;
  const int8_t *b = at->packed;
  vi acc[2 * HY_ROWS > 8 ? 2 * HY_ROWS : 8];
  HY_UNROLL for (int i = 0; i < width * chains; ++i) acc[i] = i_zero();
  for (size_t t = 0; t < call->n_taps; ++t) {
    const left_element *left[(HY_ROWS + 2) / 3];
    HY_UNROLL for (int i = 0; i < rows; i += 3) left[i / 3] =
        at->left + call->taps[t] + (size_t)i * by;
    size_t g = groups;
    for (; g >= (size_t)chains; g -= (size_t)chains) {
      HY_UNROLL for (int s = 0; s < chains; ++s) {
        step(acc + s * width, left, by, b, shape);
        HY_UNROLL for (int i = 0; i < rows; i += 3) left[i / 3] += HY_GROUP;
        b += bytes;
      }
    }
    for (; chains > 1 && g > 0; --g, b += bytes) {
      step(acc, left, by, b, shape);
      HY_UNROLL for (int i = 0; i < rows; i += 3) left[i / 3] += HY_GROUP;
    }
  }
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int j = 0; j < vectors; ++j) {
      vi sum = acc[i * vectors + j];
      HY_UNROLL for (int s = 1; s < chains; ++s) sum = i_add(sum, acc[s * width + i * vectors + j]);
      int32_t *to = at->c + (size_t)i * call->ldc + (size_t)j * HY_VL;
      const int32_t *init = at->init + (size_t)j * HY_VL;
      if (j == vectors - 1)
        i_store_n(to, at->init ? i_add(sum, i_load_n(init, at->n_last)) : sum, at->n_last);
      else
        i_store(to, at->init ? i_add(sum, i_load(init)) : sum);
    }
  }
}

#define TILE(name, rows, vectors, chains)                                                          \
  static void name(const hy__integer_product *call, const place *at) {                             \
    tile(call, at, (const int[3]){rows, vectors, chains});                                         \
  }
TILE(all_2, HY_ROWS, 2, 1)
TILE(all_1, HY_ROWS, 1, 1)
TILE(four_2, 4, 2, 1)
TILE(four_1, 4, 1, 1)
TILE(two_2, 2, 2, 2)
TILE(two_1, 2, 1, 4)
TILE(one_2, 1, 2, 4)
TILE(one_1, 1, 1, 4)

typedef struct size {
  size_t rows;
  void (*fn[2])(const hy__integer_product *call, const place *at);
} size;
static const size sizes[] = {
    {HY_ROWS, {all_2, all_1}}, {4, {four_2, four_1}}, {2, {two_2, two_1}}, {1, {one_2, one_1}}};

/* All columns of rows [begin, end). */
static void block(const hy__integer_product *call, size_t begin, size_t end) {
  const size_t groups = (call->each + HY_GROUP - 1) / HY_GROUP * call->n_taps;
  const size_t columns = (call->n + HY_VL - 1) / HY_VL * HY_VL * sizeof(int32_t);
  const int8_t *panels =
      (const int8_t *)call->packed + (columns + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN;
  for (size_t col = 0; col < call->n; col += PANEL) {
    const size_t left = call->n - col;
    const bool narrow = left <= HY_VL;
    place at = {.packed = panels + col * groups * 4,
                .init = call->init ? call->init + col : NULL,
                .n_last = left >= PANEL ? HY_VL
                          : narrow      ? left
                                        : left - HY_VL};
    size_t row = begin;
    for (size_t k = 0; k < HY_COUNT(sizes); ++k)
      for (; row + sizes[k].rows <= end; row += sizes[k].rows) {
        at.left = (const left_element *)call->left + row * call->step;
        at.c = call->c + row * call->ldc + col;
        sizes[k].fn[narrow](call, &at);
      }
  }
}

/* Blocks of rows whose left-hand side stays in the second-level cache. */
static void run(const hy__integer_product *call) {
  enum { BLOCK_BYTES = 192 * 1024 };
  const size_t row_bytes = HY_MAX(call->step, (size_t)1) * sizeof(left_element);
  size_t rows = BLOCK_BYTES / row_bytes / HY_ROWS * HY_ROWS;
  if (rows < 4 * HY_ROWS) rows = 4 * HY_ROWS;
  for (size_t row = 0; row < call->m; row += rows) block(call, row, HY_MIN(row + rows, call->m));
}

static void left(const uint8_t *from, size_t n, uint8_t flip, void *to) {
  left_element *y = to;
  for (size_t i = 0; i < n; i++) y[i] = (left_element)(from[i] ^ flip);
}

/* Blocks of SIDE x SIDE by `turn`, the rest one by one. */
#define TURN(name, type, side, block)                                                              \
  static void name(const hy__integer_turn *t, const type *from, type *to) {                        \
    const size_t rows = t->rows / (side) * (side), columns = t->columns / (side) * (side);         \
    for (size_t j = 0; j < columns; j += (side))                                                   \
      for (size_t i = 0; i < rows; i += (side))                                                    \
        block(from + i * t->ld + j, t->ld, to + j * t->to_ld + i, t->to_ld);                       \
    for (size_t j = 0; j < t->columns; j++)                                                        \
      for (size_t i = j < columns ? rows : 0; i < t->rows; i++)                                    \
        to[j * t->to_ld + i] = from[i * t->ld + j];                                                \
  }

/* Swaps quarters of 1, 2 and 4 bytes between rows of 8. */
HY_INLINE void block_of_bytes(const uint8_t *from, size_t ld, uint8_t *to, size_t to_ld) {
  uint64_t row[8];
  static const uint64_t masks[3] = {0x00ff00ff00ff00ffu, 0x0000ffff0000ffffu, 0x00000000ffffffffu};
  HY_UNROLL for (int i = 0; i < 8; ++i) memcpy(&row[i], from + (size_t)i * ld, 8);
  HY_UNROLL for (int s = 0; s < 3; ++s) {
    HY_UNROLL for (int i = 0; i < 8; ++i) {
      if (i >> s & 1) continue;
      uint64_t *a = &row[i], *b = &row[i + (1 << s)];
      const uint64_t swapped = (*a >> (8 << s) ^ *b) & masks[s];
      *b ^= swapped;
      *a ^= swapped << (8 << s);
    }
  }
  HY_UNROLL for (int i = 0; i < 8; ++i) memcpy(to + (size_t)i * to_ld, &row[i], 8);
}
TURN(turn_eights, uint8_t, 8, block_of_bytes)

/* Rows i and i + 8 element by element, four times over. */
typedef uint8_t sixteen __attribute__((vector_size(16)));
HY_INLINE void block_of_sixteen(const uint8_t *from, size_t ld, uint8_t *to, size_t to_ld) {
  sixteen a[16], b[16];
  HY_UNROLL for (int i = 0; i < 16; ++i) memcpy(&a[i], from + (size_t)i * ld, sizeof(sixteen));
  HY_UNROLL for (int s = 0; s < 4; ++s) {
    HY_UNROLL for (int i = 0; i < 8; ++i) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                         6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                             13, 29, 14, 30, 15, 31);
    }
    HY_UNROLL for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
  HY_UNROLL for (int i = 0; i < 16; ++i) memcpy(to + (size_t)i * to_ld, &a[i], sizeof(sixteen));
}

static void turn_bytes(const hy__integer_turn *turn, const uint8_t *from, uint8_t *to) {
  const size_t rows = turn->rows / 16 * 16, columns = turn->columns / 16 * 16;
  for (size_t j = 0; j < columns; j += 16)
    for (size_t i = 0; i < rows; i += 16)
      block_of_sixteen(from + i * turn->ld + j, turn->ld, to + j * turn->to_ld + i, turn->to_ld);
  hy__integer_turn rest = *turn;
  rest.rows -= rows;
  turn_eights(&rest, from + rows * turn->ld, to + rows);
  rest.rows = rows;
  rest.columns -= columns;
  turn_eights(&rest, from + columns, to + columns * turn->to_ld);
}

typedef uint32_t quad __attribute__((vector_size(16)));
HY_INLINE void block_of_words(const uint32_t *from, size_t ld, uint32_t *to, size_t to_ld) {
  quad a[4], b[4];
  HY_UNROLL for (int i = 0; i < 4; ++i) memcpy(&a[i], from + (size_t)i * ld, sizeof(quad));
  b[0] = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
  b[1] = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
  b[2] = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
  b[3] = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
  a[0] = __builtin_shufflevector(b[0], b[1], 0, 1, 4, 5);
  a[1] = __builtin_shufflevector(b[0], b[1], 2, 3, 6, 7);
  a[2] = __builtin_shufflevector(b[2], b[3], 0, 1, 4, 5);
  a[3] = __builtin_shufflevector(b[2], b[3], 2, 3, 6, 7);
  HY_UNROLL for (int i = 0; i < 4; ++i) memcpy(to + (size_t)i * to_ld, &a[i], sizeof(quad));
}
TURN(turn_words, uint32_t, 4, block_of_words)

static void subtract(int32_t *sums, size_t n, const int32_t *columns, int32_t by) {
  uint32_t *to = (uint32_t *)sums;
  const uint32_t *of = (const uint32_t *)columns;
  if (of)
    for (size_t j = 0; j < n; j++) to[j] -= of[j] * (uint32_t)by;
  else
    for (size_t j = 0; j < n; j++) to[j] -= (uint32_t)by;
}

static void extremes(const float *x, size_t n, float range[2]) {
  enum { LANES = 32 };
  float low[LANES] = {0}, high[LANES] = {0};
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t j = 0; j < LANES; j++) {
      low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
      high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
    }
  for (; i < n; i++) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  for (size_t j = 1; j < LANES; j++) {
    low[0] = low[j] < low[0] ? low[j] : low[0];
    high[0] = high[j] > high[0] ? high[j] : high[0];
  }
  range[0] = low[0], range[1] = high[0];
}

/* v to the nearest whole number, ties to even, within [low, high] of less than 2^22; NaN: low. */
HY_INLINE int32_t nearest(float v, float low, float high) {
  const float magic = 12582912.0f; /* 1.5 * 2^23 */
  v = v > low ? v : low;
  v = v < high ? v : high;
  return (int32_t)((v + magic) - magic);
}

static void quantise(const float *x, size_t n, const hy__integer_end *end, uint8_t *y) {
  const float low = (float)(end->least - end->zero), high = low + 255.0f, scale = *end->factor;
  const int32_t zero = end->zero;
  for (size_t i = 0; i < n; i++) y[i] = (uint8_t)(nearest(x[i] / scale, low, high) + zero);
}

static void dequantise(const uint8_t *x, size_t n, const hy__integer_end *end, float *y) {
  const uint8_t flip =
      (uint8_t)(end->least < 0 ? 128 : 0); /* a byte of a kind is its flip plus least */
  const int32_t zero = end->zero - end->least;
  const float scale = *end->factor;
  for (size_t i = 0; i < n; i++) y[i] = (float)((int32_t)(uint8_t)(x[i] ^ flip) - zero) * scale;
}

static void to_bytes(const int32_t *sums, size_t n, const hy__integer_end *end, uint8_t *y) {
  const float low = (float)(end->least - end->zero), high = low + 255.0f, one = *end->factor;
  const int32_t zero = end->zero;
  if (end->factor_step)
    for (size_t j = 0; j < n; j++)
      y[j] = (uint8_t)(nearest((float)sums[j] * end->factor[j], low, high) + zero);
  else
    for (size_t j = 0; j < n; j++)
      y[j] = (uint8_t)(nearest((float)sums[j] * one, low, high) + zero);
}

static void to_floats(const int32_t *sums, size_t n, const hy__integer_end *end, float *y) {
  const float one = *end->factor;
  if (end->factor_step)
    for (size_t j = 0; j < n; j++) y[j] = (float)sums[j] * end->factor[j];
  else
    for (size_t j = 0; j < n; j++) y[j] = (float)sums[j] * one;
  if (end->bias)
    for (size_t j = 0; j < n; j++) y[j] += end->bias[j];
}

extern const hy__integer HY_KERNEL;
const hy__integer HY_KERNEL = {.lanes = HY_VL,
                               .panel = PANEL,
                               .element = sizeof(left_element),
                               .group = HY_GROUP,
                               .tile = HY_TILE,
                               .run = run,
                               .left = left,
                               .turn_bytes = turn_bytes,
                               .turn_words = turn_words,
                               .subtract = subtract,
                               .extremes = extremes,
                               .quantise = quantise,
                               .dequantise = dequantise,
                               .to_bytes = to_bytes,
                               .to_floats = to_floats};
