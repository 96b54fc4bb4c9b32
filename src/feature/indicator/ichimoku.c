/* SPDX-License-Identifier: Apache-2.0
 * Ichimoku's lines: middles of the range of some bars, and the cloud, whose edges were known
 * `shift` bars ago. (The lagging line would be the close of a later bar.) Inputs: high, low. */
#include "feature/lane/window.h"

static size_t last(const double *p) { return last_of(p, 0); }
static size_t a_last(const double *p) { return (size_t)HY_MAX(p[0], p[1]) - 1 + p_count(p, 2); }
static size_t b_last(const double *p) { return last(p) + p_count(p, 1); }

HY_INLINE lanes middle(view v, size_t n) {
  return (v_highest(v, 0, 0, n) + v_lowest(v, 1, 1, n)) * v_set(0.5);
}

/* Windows that end `shift` bars ago; a bar that is missing itself has no cloud. */
HY_INLINE void shifted(const hy__ind_step *s, size_t shift, size_t n, view_fn leaf) {
  hy__ind_step before = *s;
  for (int i = 0; i < 2; i++) before.in[i] -= shift * HY_LANES;
  tiles_map(&before, (tiling){2, 2, 1, n, RUN, channel_block, leaf});
  if (shift == 0) return;
  EACH_BLOCK(s, first) {
    for (size_t at = first; at < first + s->n * HY_LANES; at += LANE_WIDTH) {
      const mask ok = v_ok(v_load(s->in[0] + at) + v_load(s->in[1] + at));
      v_store(s->out[0] + at, v_keep(ok, v_load(s->out[0] + at)));
    }
  }
}

HY_INLINE void line_leaf(view v, const double *p, lanes *out) { out[0] = middle(v, p_count(p, 0)); }

static void line_step(const hy__ind_step *s) { shifted(s, 0, p_count(s->p, 0), line_leaf); }
HY_IND_CODE(ichimoku_tenkan) = {.step = line_step, .lookback = last, .history = last};
HY_IND_CODE(ichimoku_kijun) = {.step = line_step, .lookback = last, .history = last};

/* p: tenkan, kijun, shift. */
HY_INLINE void a_leaf(view v, const double *p, lanes *out) {
  out[0] = (middle(v, p_count(p, 0)) + middle(v, p_count(p, 1))) * v_set(0.5);
}
static void a_step(const hy__ind_step *s) {
  shifted(s, p_count(s->p, 2), (size_t)HY_MAX(s->p[0], s->p[1]), a_leaf);
}
HY_IND_CODE(ichimoku_a) = {.step = a_step, .lookback = a_last, .history = a_last};

/* p: n, shift. */
static void b_step(const hy__ind_step *s) {
  shifted(s, p_count(s->p, 1), p_count(s->p, 0), line_leaf);
}
HY_IND_CODE(ichimoku_b) = {.step = b_step, .lookback = b_last, .history = b_last};
