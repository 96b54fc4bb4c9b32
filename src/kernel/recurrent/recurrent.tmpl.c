/* SPDX-License-Identifier: Apache-2.0
 * Recurrent steps over the lanes of the vector header that was included before. Parameters:
 * HY_KERNEL, the exported structure's name; HY_ROWS_4, HY_ROWS_3, HY_ROWS_2, rows of a tile with
 * so many gates. A tile's products stay in registers until the cells are updated; one row takes
 * two blocks of units at once, so that the multiply-adds' latency stays hidden. */
#include "kernel/recurrent/recurrent.h"
#include "kernel/simd/control.h"
#include "kernel/simd/math_f32.h"

enum { GATES_MAX = HY__RECURRENT_GATES_MAX, ACC_MAX = 32, HY_ROWS_1 = 8 };

/* The sizes of a tile; all are constants where it is used. */
typedef struct tile {
  int rows, blocks, gates;
} tile;

/* acc += h[rows] * r, over all hidden units in order; r is the first block's [hidden][gates *
 * lanes] and the next block follows it. */
HY_INLINE void multiply(vf *acc, tile t, const float *h, size_t padded, const float *r,
                        size_t hidden) {
  const size_t width = (size_t)t.gates * HY_VL;
  for (size_t k = 0; k < hidden; ++k) {
    vf x[HY_ROWS_1];
    HY_UNROLL for (int i = 0; i < t.rows; ++i) x[i] = v_set(h[(size_t)i * padded + k]);
    HY_UNROLL for (int b = 0; b < t.blocks; ++b) {
      HY_UNROLL for (int g = 0; g < t.gates; ++g) {
        vf w = v_load(r + ((size_t)b * hidden + k) * width + (size_t)g * HY_VL);
        HY_UNROLL for (int i = 0; i < t.rows; ++i) {
          const int at = (i * t.blocks + b) * t.gates + g;
          acc[at] = v_fma(x[i], w, acc[at]);
        }
      }
    }
  }
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

HY_INLINE void load_pre(const hy__recurrent_call *call, size_t row, size_t block, tile t,
                        int pre_gates, vf *acc) {
  HY_UNROLL for (int i = 0; i < t.rows; ++i) {
    HY_UNROLL for (int b = 0; b < t.blocks; ++b) {
      const float *from = call->pre + (row + (size_t)i) * call->pre_ld +
                          (block + (size_t)b) * (size_t)pre_gates * HY_VL;
      HY_UNROLL for (int g = 0; g < t.gates; ++g) acc[(i * t.blocks + b) * t.gates + g] =
          v_load(from + (size_t)g * HY_VL);
    }
  }
}

/* The offset of a tile's row and block in [rows][padded]. */
HY_INLINE size_t unit_at(const hy__recurrent_call *call, size_t row, size_t block) {
  return row * call->padded + block * HY_VL;
}

HY_INLINE void lstm_tile(const hy__recurrent_call *call, size_t row, size_t block, int rows,
                         int blocks) {
  const tile t = {rows, blocks, 4};
  vf acc[ACC_MAX];
  load_pre(call, row, block, t, 4, acc);
  multiply(acc, t, call->h + row * call->padded, call->padded,
           call->r + block * call->hidden * 4 * HY_VL, call->hidden);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(call, row + (size_t)i, block + (size_t)b);
      lstm_cell(acc + (i * blocks + b) * 4, call->c + at, call->c_out + at, call->h_out + at);
    }
  }
}

/* n = tanh(x part + r * h part), h' = n + z (h - n). */
HY_INLINE void gru_after_tile(const hy__recurrent_call *call, size_t row, size_t block, int rows,
                              int blocks) {
  const tile t = {rows, blocks, 3};
  vf acc[ACC_MAX], from_x[ACC_MAX];
  load_pre(call, row, block, t, 3, acc);
  HY_UNROLL for (int i = 0; i < rows * blocks; ++i) {
    from_x[i] = acc[i * 3 + 2];
    acc[i * 3 + 2] = v_load(call->bias + (block + (size_t)(i % blocks)) * HY_VL);
  }
  multiply(acc, t, call->h + row * call->padded, call->padded,
           call->r + block * call->hidden * 3 * HY_VL, call->hidden);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(call, row + (size_t)i, block + (size_t)b);
      const vf *gates = acc + (i * blocks + b) * 3;
      const vf n = m_tanh(v_fma(m_gate(gates[1]), gates[2], from_x[i * blocks + b]));
      v_store(call->h_out + at, v_fma(m_gate(gates[0]), v_sub(v_load(call->h + at), n), n));
    }
  }
}

/* The first product: z into scratch, r * h behind it. */
HY_INLINE void gru_gates_tile(const hy__recurrent_call *call, size_t row, size_t block, int rows,
                              int blocks) {
  const tile t = {rows, blocks, 2};
  vf acc[ACC_MAX];
  load_pre(call, row, block, t, 3, acc);
  multiply(acc, t, call->h + row * call->padded, call->padded,
           call->r + block * call->hidden * 2 * HY_VL, call->hidden);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(call, row + (size_t)i, block + (size_t)b);
      const vf *gates = acc + (i * blocks + b) * 2;
      v_store(call->scratch + at, m_gate(gates[0]));
      v_store(call->scratch + call->rows * call->padded + at,
              v_mul(m_gate(gates[1]), v_load(call->h + at)));
    }
  }
}

/* The second product, over r * h: the candidate and the new state. */
HY_INLINE void gru_candidate_tile(const hy__recurrent_call *call, size_t row, size_t block,
                                  int rows, int blocks) {
  const tile t = {rows, blocks, 1};
  const float *reset = call->scratch + call->rows * call->padded;
  vf acc[ACC_MAX];
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) acc[i * blocks + b] = v_load(
        call->pre + (row + (size_t)i) * call->pre_ld + ((block + (size_t)b) * 3 + 2) * HY_VL);
  }
  multiply(acc, t, reset + row * call->padded, call->padded,
           call->r2 + block * call->hidden * HY_VL, call->hidden);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b) {
      const size_t at = unit_at(call, row + (size_t)i, block + (size_t)b);
      const vf n = m_tanh(acc[i * blocks + b]), z = v_load(call->scratch + at);
      v_store(call->h_out + at, v_fma(z, v_sub(v_load(call->h + at), n), n));
    }
  }
}

HY_INLINE void rnn_tile(const hy__recurrent_call *call, size_t row, size_t block, int rows,
                        int blocks) {
  const tile t = {rows, blocks, 1};
  vf acc[ACC_MAX];
  load_pre(call, row, block, t, 1, acc);
  multiply(acc, t, call->h + row * call->padded, call->padded,
           call->r + block * call->hidden * HY_VL, call->hidden);
  HY_UNROLL for (int i = 0; i < rows; ++i) {
    HY_UNROLL for (int b = 0; b < blocks; ++b)
        v_store(call->h_out + unit_at(call, row + (size_t)i, block + (size_t)b),
                m_tanh(acc[i * blocks + b]));
  }
}

/* All rows of all blocks by one kind of tile: at most `most` rows each, in equal parts; a single
 * row by pairs of blocks. */
#define TILES(kind, most)                                                                          \
  static void kind##_rows(const hy__recurrent_call *call, size_t row, size_t block, size_t n) {    \
    switch (n) {                                                                                   \
    case 1: kind##_tile(call, row, block, 1, 1); break;                                            \
    case 2: kind##_tile(call, row, block, 2, 1); break;                                            \
    case 3: kind##_tile(call, row, block, most >= 3 ? 3 : 1, 1); break;                            \
    case 4: kind##_tile(call, row, block, most >= 4 ? 4 : 1, 1); break;                            \
    case 5: kind##_tile(call, row, block, most >= 5 ? 5 : 1, 1); break;                            \
    case 6: kind##_tile(call, row, block, most >= 6 ? 6 : 1, 1); break;                            \
    case 7: kind##_tile(call, row, block, most >= 7 ? 7 : 1, 1); break;                            \
    default: kind##_tile(call, row, block, most >= 8 ? 8 : 1, 1); break;                           \
    }                                                                                              \
  }                                                                                                \
  static void kind##_pair(const hy__recurrent_call *call, size_t block) {                          \
    kind##_tile(call, 0, block, 1, 2);                                                             \
  }                                                                                                \
  static void kind(const hy__recurrent_call *call) {                                               \
    const size_t n_blocks = call->padded / HY_VL, n_tiles = (call->rows + most - 1) / most;        \
    size_t block = 0;                                                                              \
    if (call->rows == 1)                                                                           \
      for (; block + 2 <= n_blocks; block += 2) kind##_pair(call, block);                          \
    for (; block < n_blocks; ++block) {                                                            \
      size_t row = 0;                                                                              \
      for (size_t t = 0; t < n_tiles; ++t) {                                                       \
        const size_t n = (call->rows - row + n_tiles - t - 1) / (n_tiles - t);                     \
        kind##_rows(call, row, block, n);                                                          \
        row += n;                                                                                  \
      }                                                                                            \
    }                                                                                              \
  }
TILES(lstm, HY_ROWS_4)
TILES(gru_after, HY_ROWS_3)
TILES(gru_gates, HY_ROWS_2)
TILES(gru_candidate, HY_ROWS_1)
TILES(rnn, HY_ROWS_1)
#undef TILES

static void run_lstm(const hy__recurrent_call *call) {
  unsigned saved = control_flush();
  lstm(call);
  control_restore(saved);
}

static void run_gru_after(const hy__recurrent_call *call) {
  unsigned saved = control_flush();
  gru_after(call);
  control_restore(saved);
}

static void run_gru_before(const hy__recurrent_call *call) {
  unsigned saved = control_flush();
  gru_gates(call);
  gru_candidate(call);
  control_restore(saved);
}

static void run_rnn(const hy__recurrent_call *call) {
  unsigned saved = control_flush();
  rnn(call);
  control_restore(saved);
}

extern const hy__recurrent HY_KERNEL;
const hy__recurrent HY_KERNEL = {.lanes = HY_VL,
                                 .tile = HY_TILE,
                                 .lstm = run_lstm,
                                 .gru_after = run_gru_after,
                                 .gru_before = run_gru_before,
                                 .rnn = run_rnn};
