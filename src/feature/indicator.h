/* SPDX-License-Identifier: Apache-2.0
 * What an indicator is: a row of indicator.inc and, compiled once per instruction set, the
 * functions below.
 *
 * Values are float64 in lanes: row t of a series is 8 doubles, one per symbol. A missing value is
 * NaN, and a NaN is always a missing value: outputs are never infinite, a step turns what is not
 * finite into NaN. A windowed step gives NaN while its window holds a NaN; a recurrence holds its
 * state over a NaN input and gives NaN there.
 *
 * One step serves batch and stream: it produces rows 0..n-1 of a chunk, n >= 1, for one or several
 * blocks of 8 lanes, and its result must not depend on how rows are cut into chunks, on the blocks
 * of a step, on the lane a symbol sits in, or on the ISA (same operations in the same order, no
 * contraction). Windows are computed from the inputs' earlier rows, which the caller keeps
 * readable; recurrences keep per-lane state.
 *
 * Implicit inputs may also be clocks, the same for all lanes that have the bar, exact doubles at
 * whole seconds:
 *   @time   seconds since 1970-01-01T00:00:00Z of the bar's close
 *   @local  the same on the wall clock of the universe's zone (days are floor(@local / 86400),
 * 1970-01-01 a Thursday)
 *   @bar    1
 *   @open   as @time, the open of the session that the bar belongs to by the universe's calendar:
 *           the first one that does not close before the bar does
 *   @close  its close
 *   @session  its local date in days since 1970-01-01; @next: that of the session after it
 * A clock is NaN where the symbol has no bar; @bar is 1 from the symbol's first bar on, also in
 * rows that are missing since (gap: mark): they can be told from rows before the series' start.
 *
 * A row that has neither history nor state works element by element: any argument may then be a
 * number. A free input that is one of several names a role: "cond x y". Names of inputs, params and
 * outputs are lower-case identifiers, unique within the row. min and max are element by element
 * (arith.c); over a window they are lowest and highest. */
#ifndef HY_FEATURE_INDICATOR_H
#define HY_FEATURE_INDICATOR_H

#include "base/base.h"
#include "market/market.h"

enum { HY__IND_INPUTS = 6, HY__IND_OUTPUTS = 6, HY__IND_MIDS = 6, HY__IND_PARAMS = 8 };

/* Stability classes of notes: windowed, exponential / Wilder recurrences (forget geometrically),
 * anchored (cumulative: never stable), path dependent (no bound; the spec gives warmup_bars). */
typedef enum hy__ind_class { HY__IND_W, HY__IND_E, HY__IND_A, HY__IND_P } hy__ind_class;

#if defined(HY_ISA_LEVEL) && HY_ISA_LEVEL == 0
#define HY_LANES 1 /* of this file's rows and states, in place of the engine's 8 */
#endif

typedef struct hy__ind_step {
  size_t n; /* rows to produce */
  const double *
      in[HY__IND_INPUTS]; /* &row0[0]; rows -history(p) .. n-1 are readable, NaN before the start */
  double *out[HY__IND_OUTPUTS]; /* n rows each; never overlaps an input */
  /* hidden columns of the row's own, kept from step to step: rows -(mid_rows(p) - 1) .. -1 are as
   * it left them (NaN at the start), 0 .. n-1 are its to write */
  double *mid[HY__IND_MIDS];
  void *state; /* state_bytes(p), 64-byte aligned, zeroed before the first step: for E, A and P at
                  the series' start; for W at any row, since a windowed row starts where it is
                  needed */
  const double *p; /* the parameters in the row's order, room for HY__IND_PARAMS */
  /* further blocks of 8 lanes, whose rows, hidden columns and states lie `apart` doubles from those
   * of the block before; p and n are the same for all */
  size_t more, apart;
  size_t idle; /* lanes at the end of each block that hold no symbol: they need not be computed */
} hy__ind_step;

/* The blocks of a step, `at` doubles from what it points at; in lane.h their groups of lanes. */
#define EACH_BLOCK(s, at)                                                                          \
  for (size_t block_##at = 0, at = 0; block_##at <= (s)->more; block_##at++, at += (s)->apart)

/* The functions of one row; NULL lookback etc. mean 0. p as in hy__ind_step.
 *
 * State is rows of HY_LANES doubles, and a lane's column, like its column of `mid`, depends on that
 * lane alone: no position and no flag is shared by lanes, and a zeroed column (with NaN in history
 * and mid) is a series that begins. So a lane without a bar can be held, a lane begun anew, a
 * symbol's state copied out and put into another lane, while the step knows nothing of it. */
typedef struct hy__ind_code {
  void (*step)(const hy__ind_step *s);
  /* several steps of this row, over the same rows of the same inputs, in one pass; the bits are
   * those of step. NULL: there is nothing to share */
  void (*group)(const hy__ind_step *const *steps, size_t n);
  size_t (*lookback)(const double *p); /* outputs missing at the front of a gapless series */
  size_t (*history)(const double *p);  /* earlier input rows that step reads */
  size_t (*state_bytes)(const double *p);
  /* rows after the first output until a start elsewhere differs by less than tol of scale (class
   * E); W: 0, or what a window that begins short lacks of its rows */
  size_t (*stable)(const double *p, double tol);
  bool quotient; /* the first input over the second, element by element: the way out divides where
                    nobody else asks for the value (edge.h) */
  int n_mid;     /* hidden columns, at most HY__IND_MIDS */
  size_t (*mid_rows)(const double *p); /* of each that are read, the newest included */
} hy__ind_code;

/* HY_ISA is one, scalar, avx2 or avx512, given on the compiler's command line for
 * src/feature/indicator. `one` is for a single series: a row of values or of state is one double
 * there, 8 elsewhere. */
#define HY__IND_CAT2(a, b)  a##_##b
#define HY__IND_CAT(a, b)   HY__IND_CAT2(a, b)
#define HY_IND_NAME(symbol) HY__IND_CAT(hy__ind_##symbol, HY_ISA)
/* In each file, once per row: HY_IND_CODE(rsi_talib) = {.step = ..., .lookback = ...}; */
#define HY_IND_CODE(symbol)                                                                        \
  extern const hy__ind_code HY_IND_NAME(symbol);                                                   \
  const hy__ind_code HY_IND_NAME(symbol)

/* The levels a row is compiled for; AArch64 has the baseline alone. */
#if defined(__aarch64__)
enum { HY__IND_N_ISAS = 1 };
#define HY__IND_EACH_ISA(EACH, symbol) EACH(symbol##_scalar)
#else
enum { HY__IND_N_ISAS = 3 };
#define HY__IND_EACH_ISA(EACH, symbol)                                                             \
  EACH(symbol##_scalar), EACH(symbol##_avx2), EACH(symbol##_avx512)
#endif
#define HY__IND_ONE(symbol)   hy__ind_##symbol##_one
#define HY__IND_CODE(name)    hy__ind_##name
#define HY__IND_CODE_AT(name) &hy__ind_##name

#endif
