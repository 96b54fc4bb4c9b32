/* SPDX-License-Identifier: Apache-2.0
 * The golden input and answer of a packed pipeline: bars of a few symbols, and the scores that its
 * last rows got. For pack.c, which makes them, and verify.c, which replays them. */
#ifndef HY_SCORE_GOLDEN_H
#define HY_SCORE_GOLDEN_H

#include "engine/engine.h"
#include "score/result.h"

enum { HY__GOLDEN_ROWS = 5, HY__GOLDEN_SYMBOLS = 16, HY__GOLDEN_BARS_MAX = 1 << 15 };

/* The last n_bars (at most what there is) of up to 16 symbols that have a last bar. */
HY_CHECKED hy_status hy__golden_slice(const hy_features *features, const hy_universe *u,
                                      size_t n_bars, hy__arena *arena, hy_panel *out,
                                      hy_error *err);
/* Bars made up for the spec. */
HY_CHECKED hy_status hy__golden_make(const hy_features *features, size_t n_bars, uint64_t seed,
                                     hy__arena *arena, hy_panel *out, hy_error *err);
/* As arrays, and back; reading trusts nothing but leaves the panel's own laws to
 * hy_universe_from_panel. */
HY_CHECKED hy_status hy__golden_from_panel(const hy_panel *panel, hy__arena *arena, hy__golden *out,
                                           hy_error *err);
HY_CHECKED hy_status hy__golden_to_panel(const hy__golden *golden, hy__arena *arena, hy_panel *out,
                                         hy_error *err);
/* The result's answers as arrays: views into it. */
HY_CHECKED hy_status hy__golden_answers(const hy_score_result *r, hy__arena *arena, hy__golden *out,
                                        hy_error *err);

#endif
