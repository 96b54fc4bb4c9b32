/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps over the lanes of the vector header that was included before. Parameters:
 * HY_KERNEL, the exported structure's name; HY_ROWS_4, HY_ROWS_3, HY_ROWS_2, rows of a tile with
 * so many gates. A tile's products stay in registers until the cells are updated; one row takes
 * two blocks of units at once, so that the multiply-adds' latency stays hidden. */
#include "kernel/recurrent/recurrent.h"
#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"

enum { GATES_MAX = HY__RECURRENT_GATES_MAX, ACC_MAX = 32, HY_ROWS_1 = 8 };

/* One step of a call. */
typedef struct moment {
  const hy__recurrent_call *call;
  const float *pre, *h, *c;
  float *h_out;
  bool turned; /* blocks from the last to the first */
} moment;

/* The sizes of a tile; all are constants where it is used. */
typedef struct tile {
  int rows, blocks, gates;
} tile;

/* A product's operands: the state, and the first block of the matrix; the next block follows it. */
typedef struct factors {
  const float *h;
  const void *r; /* of the call's form */
  size_t padded, hidden;
} factors;

HY_INLINE factors factors_at(const moment *now, const float *h, const void *r, size_t row,
                             size_t block, int gates) {
  const size_t hidden = now->call->hidden, width = (size_t)gates * HY_VL;
  const size_t block_floats = (now->call->pairs ? (hidden + 1) / 2 : hidden) * width;
  return (factors){h + row * now->call->padded, (const float *)r + block * block_floats,
                   now->call->padded, hidden};
}

/* acc += h * r over all hidden units in order. */
HY_INLINE void multiply(vf *acc, tile t, const factors *f) {
  const size_t width = (size_t)t.gates * HY_VL;
  for (size_t k = 0; k < f->hidden; ++k) {
    vf x[HY_ROWS_1];
    HY_UNROLL for (int i = 0; i < t.rows; ++i) x[i] = v_set(f->h[(size_t)i * f->padded + k]);
    HY_UNROLL for (int b = 0; b < t.blocks; ++b) {
      HY_UNROLL for (int g = 0; g < t.gates; ++g) {
        const float *from = (const float *)f->r + ((size_t)b * f->hidden + k) * width;
        const vf w = v_load(from + (size_t)g * HY_VL);
        HY_UNROLL for (int i = 0; i < t.rows; ++i) {
          const int at = (i * t.blocks + b) * t.gates + g;
          acc[at] = v_fma(x[i], w, acc[at]);
        }
      }
    }
  }
}

/* The same of one row by pairs: the same chain of multiply-adds. */
HY_INLINE void multiply_pairs(vf *acc, tile t, const factors *f) {
  const size_t width = (size_t)t.gates * HY_VL, n_pairs = (f->hidden + 1) / 2;
  for (size_t k = 0; k < n_pairs; ++k) {
    const bool whole = 2 * k + 1 < f->hidden;
    const vf x = v_set(f->h[2 * k]), next = v_set(whole ? f->h[2 * k + 1] : 0.0f);
    HY_UNROLL for (int b = 0; b < t.blocks; ++b) {
      HY_UNROLL for (int g = 0; g < t.gates; ++g) {
        vf low, high;
        const int at = b * t.gates + g;
        v_load_pairs((const float *)f->r + ((size_t)b * n_pairs + k) * width + (size_t)g * HY_VL,
                     &low, &high);
        acc[at] = v_fma(next, high, v_fma(x, low, acc[at]));
      }
    }
  }
}

HY_INLINE void product(const moment *now, vf *acc, tile t, factors f) {
  if (t.rows == 1 && now->call->pairs)
    multiply_pairs(acc, t, &f);
  else
    multiply(acc, t, &f);
}

HY_INLINE ratio tanh_ratio(vf x) { return m_tanh_ratio(m_clamp(x, 9.02f), 0); }

/* c' = f c + i g, h' = o tanh c', with one division for each; a gate is num / (2 den). */
HY_INLINE void lstm_cell(const vf *gates, const float *c, float *c_out, float *h_out) {
  const ratio i = m_gate_ratio(gates[0]), f = m_gate_ratio(gates[1]);
  const ratio g = tanh_ratio(gates[2]), o = m_gate_ratio(gates[3]);
  const vf ig_num = v_mul(i.num, g.num), ig_den = v_mul(i.den, g.den);
  const vf kept = v_mul(v_mul(f.num, v_load(c)), ig_den), den = v_mul(f.den, ig_den);
  const vf next = v_div(v_fma(ig_num, f.den, kept), v_add(den, den));
  const ratio t = tanh_ratio(next);
  const vf h_den = v_mul(o.den, t.den);
  v_store(c_out, next);
  v_store(h_out, v_div(v_mul(o.num, t.num), v_add(h_den, h_den)));
}

HY_INLINE void load_pre(const moment *now, size_t row, size_t block, tile t, int pre_gates,
                        vf *acc) {
  HY_UNROLL for (int i = 0; i < t.rows; ++i) {
    HY_UNROLL for (int b = 0; b < t.blocks; ++b) {
      const float *from = now->pre + (row + (size_t)i) * now->call->pre_ld +
                          (block + (size_t)b) * (size_t)pre_gates * HY_VL;
      HY_UNROLL for (int g = 0; g < t.gates; ++g) acc[(i * t.blocks + b) * t.gates + g] =
          v_load(from + (size_t)g * HY_VL);
    }
  }
}

/* The offset of a tile's row and block in [rows][padded]. */
HY_INLINE size_t unit_at(const moment *now, size_t row, size_t block) {
  return row * now->call->padded + block * HY_VL;
}

HY_INLINE void lstm_tile(const moment *now, size_t row, size_t block, int rows, int blocks) {
  const tile t = {rows, blocks, 4};
  vf acc[ACC_MAX];
  load_pre(now, row, block, t, 4, acc);
  product(now, acc, t, factors_at(now, now->h, now->call->r, row, block, 4));
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(now, row + (size_t)i, block + (size_t)b);
      lstm_cell(acc + (i * blocks + b) * 4, now->c + at, now->call->c_out + at, now->h_out + at);
    }
  }
}

/* n = tanh(x part + r * h part), h' = n + z (h - n). */
HY_INLINE void gru_after_tile(const moment *now, size_t row, size_t block, int rows, int blocks) {
  const tile t = {rows, blocks, 3};
  vf acc[ACC_MAX], from_x[ACC_MAX];
  load_pre(now, row, block, t, 3, acc);
  HY_UNROLL for (int i = 0; i < rows * blocks; ++i) {
    from_x[i] = acc[i * 3 + 2];
    acc[i * 3 + 2] = v_load(now->call->bias + (block + (size_t)(i % blocks)) * HY_VL);
  }
  product(now, acc, t, factors_at(now, now->h, now->call->r, row, block, 3));
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(now, row + (size_t)i, block + (size_t)b);
      const vf *gates = acc + (i * blocks + b) * 3;
      const vf n = m_tanh(v_fma(m_gate(gates[1]), gates[2], from_x[i * blocks + b]));
      v_store(now->h_out + at, v_fma(m_gate(gates[0]), v_sub(v_load(now->h + at), n), n));
    }
  }
}

/* The first product: z into scratch, r * h behind it. */
HY_INLINE void gru_gates_tile(const moment *now, size_t row, size_t block, int rows, int blocks) {
  const tile t = {rows, blocks, 2};
  vf acc[ACC_MAX];
  load_pre(now, row, block, t, 3, acc);
  product(now, acc, t, factors_at(now, now->h, now->call->r, row, block, 2));
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(now, row + (size_t)i, block + (size_t)b);
      const vf *gates = acc + (i * blocks + b) * 2;
      v_store(now->call->scratch + at, m_gate(gates[0]));
      v_store(now->call->scratch + now->call->rows * now->call->padded + at,
              v_mul(m_gate(gates[1]), v_load(now->h + at)));
    }
  }
}

/* The second product, over r * h: the candidate and the new state. */
HY_INLINE void gru_candidate_tile(const moment *now, size_t row, size_t block, int rows,
                                  int blocks) {
  const tile t = {rows, blocks, 1};
  const float *reset = now->call->scratch + now->call->rows * now->call->padded;
  vf acc[ACC_MAX];
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) acc[i * blocks + b] = v_load(
        now->pre + (row + (size_t)i) * now->call->pre_ld + ((block + (size_t)b) * 3 + 2) * HY_VL);
  }
  product(now, acc, t, factors_at(now, reset, now->call->r2, row, block, 1));
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(now, row + (size_t)i, block + (size_t)b);
      const vf n = m_tanh(acc[i * blocks + b]), z = v_load(now->call->scratch + at);
      v_store(now->h_out + at, v_fma(z, v_sub(v_load(now->h + at), n), n));
    }
  }
}

HY_INLINE void rnn_tile(const moment *now, size_t row, size_t block, int rows, int blocks) {
  const tile t = {rows, blocks, 1};
  vf acc[ACC_MAX];
  load_pre(now, row, block, t, 1, acc);
  product(now, acc, t, factors_at(now, now->h, now->call->r, row, block, 1));
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) v_store(
        now->h_out + unit_at(now, row + (size_t)i, block + (size_t)b), m_tanh(acc[i * blocks + b]));
  }
}

typedef void (*tile_fn)(const moment *now, size_t row, size_t block, size_t n);

/* A kind of tile by n: up to `most` rows of one block, or WIDE + `blocks` for one row of several.
 */
enum { WIDE = 16 };
#define TILES(kind, most, wide)                                                                    \
  static void kind##_any(const moment *now, size_t row, size_t block, size_t n) {                  \
    switch (n) {                                                                                   \
    case 1: kind##_tile(now, row, block, 1, 1); break;                                             \
    case 2: kind##_tile(now, row, block, 2, 1); break;                                             \
    case 3: kind##_tile(now, row, block, most >= 3 ? 3 : 1, 1); break;                             \
    case 4: kind##_tile(now, row, block, most >= 4 ? 4 : 1, 1); break;                             \
    case 5: kind##_tile(now, row, block, most >= 5 ? 5 : 1, 1); break;                             \
    case 6: kind##_tile(now, row, block, most >= 6 ? 6 : 1, 1); break;                             \
    case 7: kind##_tile(now, row, block, most >= 7 ? 7 : 1, 1); break;                             \
    case 8: kind##_tile(now, row, block, most >= 8 ? 8 : 1, 1); break;                             \
    case WIDE + 2: kind##_tile(now, row, block, 1, 2); break;                                      \
    default: kind##_tile(now, row, block, 1, wide >= 4 ? 4 : 2); break;                            \
    }                                                                                              \
  }
TILES(lstm, HY_ROWS_4, 2)
TILES(gru_after, HY_ROWS_3, 2)
TILES(gru_gates, HY_ROWS_2, 4)
TILES(gru_candidate, HY_ROWS_1, 4)
TILES(rnn, HY_ROWS_1, 4)
#undef TILES

/* A single row, `wide` blocks at once, then what is left of them. */
static void one_row(const moment *now, tile_fn fn, size_t wide) {
  const size_t n_blocks = now->call->padded / HY_VL, whole = n_blocks / wide;
  const size_t rest = n_blocks % wide, n = whole + 2;
  for (size_t i = 0; i < n; ++i) {
    const size_t at = now->turned ? n - 1 - i : i;
    if (at < whole)
      fn(now, 0, at * wide, wide == 1 ? 1 : WIDE + wide);
    else if (at == whole && rest >= 2)
      fn(now, 0, whole * wide, WIDE + 2);
    else if (at > whole && rest % 2)
      fn(now, 0, n_blocks - 1, 1);
  }
}

/* All rows of all blocks, the rows in equal tiles of at most `most`. */
static void rows(const moment *now, tile_fn fn, size_t most) {
  const size_t n_rows = now->call->rows, n_blocks = now->call->padded / HY_VL;
  const size_t n_tiles = (n_rows + most - 1) / most;
  for (size_t i = 0; i < n_blocks; ++i) {
    const size_t block = now->turned ? n_blocks - 1 - i : i;
    size_t row = 0;
    for (size_t t = 0; t < n_tiles; ++t) {
      const size_t n = (n_rows - row + n_tiles - t - 1) / (n_tiles - t);
      fn(now, row, block, n);
      row += n;
    }
  }
}

HY_INLINE void walk(const moment *now, tile_fn fn, size_t most, size_t wide) {
  if (now->call->rows == 1)
    one_row(now, fn, wide);
  else
    rows(now, fn, most);
}

/* A matrix that outgrows the first-level cache by far streams faster as one sequence. */
static void lstm(const moment *now) {
  const size_t floats = now->call->padded * now->call->hidden * 4;
  walk(now, lstm_any, HY_ROWS_4, HY_VL >= 16 && floats > 40 * 1024 && !now->call->pairs ? 1 : 2);
}
static void gru_after(const moment *now) { walk(now, gru_after_any, HY_ROWS_3, 2); }
static void gru_before(const moment *now) {
  walk(now, gru_gates_any, HY_ROWS_2, 4);
  walk(now, gru_candidate_any, HY_ROWS_1, 4);
}
static void rnn(const moment *now) { walk(now, rnn_any, HY_ROWS_1, 4); }

static void store_y(const hy__recurrent_call *call, const float *h, float *y) {
  for (size_t row = 0; row < call->rows; ++row, h += call->padded, y += call->y_ld) {
    size_t u = 0;
    for (; u + HY_VL <= call->hidden; u += HY_VL) v_store(y + u, v_load(h + u));
    if (u < call->hidden) v_store_n(y + u, v_load(h + u), call->hidden - u);
  }
}

HY_INLINE void run(const hy__recurrent_call *call, void (*cell)(const moment *now)) {
  unsigned saved = control_flush();
  moment now = {.call = call, .pre = call->pre, .c = call->c};
  for (size_t s = 0; s < call->steps; ++s) {
    now.h = call->h[s & 1];
    now.h_out = call->h[~s & 1];
    now.turned = s & 1;
    cell(&now);
    if (call->y) store_y(call, now.h_out, call->y + (ptrdiff_t)s * call->y_step);
    now.pre += call->pre_step;
    now.c = call->c_out;
  }
  control_restore(saved);
}

static void run_lstm(const hy__recurrent_call *call) { run(call, lstm); }
static void run_gru_after(const hy__recurrent_call *call) { run(call, gru_after); }
static void run_gru_before(const hy__recurrent_call *call) { run(call, gru_before); }
static void run_rnn(const hy__recurrent_call *call) { run(call, rnn); }

extern const hy__recurrent HY_KERNEL;
const hy__recurrent HY_KERNEL = {.lanes = HY_VL,
                                 .rows = {1, HY_ROWS_1, HY_ROWS_2, HY_ROWS_3, HY_ROWS_4},
                                 .tile = HY_TILE,
                                 .lstm = run_lstm,
                                 .gru_after = run_gru_after,
                                 .gru_before = run_gru_before,
                                 .rnn = run_rnn};
