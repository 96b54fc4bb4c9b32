/* SPDX-License-Identifier: Apache-2.0
 * Lanes that do not advance with their block. The others' rings go on by a row; those that stand
 * still have theirs moved along by that row, which is done when the block goes on, or is written
 * down. */
#include <math.h>

#include "feature/stream/stream.h"

/* Rows `keep` .. 1 ago become rows keep - 1 .. 0 ago. */
static void shift_column(double *column, const hy__ring *r, uint32_t count, size_t lane) {
  const uint32_t mask = r->rows - 1;
  double *const twin = column + r->rows * (size_t)HY_LANES;
  for (uint32_t ago = 0; ago < r->keep; ago++) {
    const size_t to = ((count - ago) & mask) * HY_LANES + lane;
    const size_t from = ((count - ago - 1) & mask) * HY_LANES + lane;
    column[to] = twin[to] = column[from];
  }
}

void hy__stream_shift(const hy_feature_stream *s, size_t block, uint32_t domain, uint8_t lanes) {
  double *const base = hy__stream_block(s, block);
  const uint32_t count = s->count[block * s->n_domains + domain];
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__ring *r = &s->rings[i];
    if (r->rows <= 1 || r->domain != domain || r->keep == 0) continue;
    for (size_t c = 0; c < r->n_columns; c++)
      for (size_t lane = 0; lane < HY_LANES; lane++)
        if (lanes >> lane & 1) shift_column(base + r->at + c * hy__ring_stride(r), r, count, lane);
  }
}

void hy__stream_settle(hy_feature_stream *s) {
  for (size_t b = 0; b < s->n_blocks; b++)
    for (uint32_t d = 0; d < s->n_domains; d++) {
      hy__stream_lanes *l = &s->lanes[b * s->n_domains + d];
      if (l->held) hy__stream_shift(s, b, d, l->held);
      l->held = 0;
    }
}

static void fill_lanes(double *rows, size_t n_rows, uint8_t lanes, double value) {
  for (size_t i = 0; i < n_rows; i++)
    for (size_t lane = 0; lane < HY_LANES; lane++)
      if (lanes >> lane & 1) rows[i * HY_LANES + lane] = value;
}

void hy__stream_clear(const hy_feature_stream *s, size_t block, uint32_t domain, uint8_t lanes) {
  double *const base = hy__stream_block(s, block);
  for (size_t i = 0; i < s->n_legs; i++) {
    const hy__stream_leg *leg = &s->legs[i];
    if (leg->domain == domain)
      fill_lanes(base + leg->state_begin, (leg->state_end - leg->state_begin) / HY_LANES, lanes, 0);
  }
  for (size_t i = 0; i < s->f->n_nodes; i++) {
    const hy__ring *r = &s->rings[i];
    if (r->rows == 0 || r->domain != domain || r->is_latch) continue;
    if (s->f->nodes[i].kind == HY__NODE_NUMBER) continue;
    fill_lanes(base + r->at, r->n_columns * hy__ring_stride(r) / HY_LANES, lanes, (double)NAN);
  }
}

uint8_t hy__stream_begun(const hy_feature_stream *s, size_t block, uint32_t domain) {
  const hy__stream_bar *bars = s->bars + (block * s->n_domains + domain) * HY_LANES;
  uint8_t begun = 0;
  if (s->f->gaps[s->f->domains[domain].gap].fill != HY__GAP_NONE)
    return s->frames[s->f->domains[domain].tf].last_ns != INT64_MIN
               ? hy__stream_block_lanes(s, block)
               : 0;
  for (size_t k = 0; k < HY_LANES; k++) begun |= (uint8_t)((bars[k].last_ns != INT64_MIN) << k);
  return begun;
}
