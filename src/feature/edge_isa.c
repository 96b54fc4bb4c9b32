/* SPDX-License-Identifier: Apache-2.0
 * The edges of a stream for one instruction set: bars cleaned on their way in, features turned from
 * lanes to rows, in tiles of eight by eight, on their way out. */
#include "feature/edge.h"
#include "feature/turn.h"

enum { TILE = 8 };

static void take_in(const hy__edge_in *e) {
  for (size_t g = 0; g < HY_LANES; g += LANE_WIDTH) {
    const lanes v = v_load(e->from + g);
    v_store(e->to + g, v_sel(v_ok(v - v), v, v_missing()));
  }
  if (e->present == 0xff) return;
  for (size_t k = 0; k < HY_LANES; k++)
    if (!(e->present >> k & 1)) e->to[k] = __builtin_nan("");
}

static void give_out(const hy__edge_out *e) {
  size_t i = 0;
  for (; e->n_lanes == HY_LANES && i + TILE <= e->n; i += TILE)
    turn_rows(e->from + i, e->to + i, e->n, false);
  for (; i < e->n; i++)
    for (size_t k = 0; k < e->n_lanes; k++) {
      const double v = e->from[i][k];
      e->to[k * e->n + i] = v == v ? v : __builtin_nan("");
    }
}

extern const hy__edge HY__IND_CAT(hy__edge, HY_ISA);
const hy__edge HY__IND_CAT(hy__edge, HY_ISA) = {.in = take_in, .out = give_out};
