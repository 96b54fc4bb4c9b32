/* SPDX-License-Identifier: Apache-2.0
 * Which bars of the universe are the rows of a symbol's series: all of the axis (flat, mark), or
 * only those that exist (none), cut where a gap is longer than reset_after. Lanes then have
 * different rows. */
#include "feature/batch/run.h"

#define MASK(x, t) ((x)->axis.mask[(t) - (x)->view->t_start])

/* The row of each lane's first bar, or of the view's first where the lane had bars before it. */
static hy_status find_born(hy__exec *x, hy_error *err) {
  enum { PIECE = 512 };
  const hy__view *r = x->view;
  hy__axis *a = &x->axis;
  uint8_t piece[PIECE], seen = 0;
  bool unused;
  for (size_t end = r->t_start; end > 0 && seen != (1u << a->n_lanes) - 1;) {
    const size_t begin = end > PIECE ? end - PIECE : 0;
    HY_TRY(hy__universe_present(r->universe, a->block, begin, end, piece, &unused, err));
    for (size_t t = begin; t < end; t++) seen |= piece[t - begin];
    end = begin;
  }
  for (size_t k = 0; k < HY_LANES; k++) {
    a->born[k] = r->t_start;
    while (!(seen >> k & 1) && a->born[k] < r->t_end && !(MASK(x, a->born[k]) >> k & 1))
      a->born[k]++;
  }
  return HY_OK;
}

hy_status hy__axis_open(hy__exec *x, size_t block, uint8_t *mask, hy_error *err) {
  const hy__view *v = x->view;
  hy__axis *a = &x->axis;
  size_t left = x->run->info.n_symbols - block * HY_LANES;
  a->block = block;
  a->n_lanes = HY_MIN(left, (size_t)HY_LANES);
  a->mask = mask;
  HY_TRY(hy__universe_present(v->universe, block, v->t_start, v->t_end, mask, &a->all, err));
  return x->run->needs_born ? find_born(x, err) : HY_OK;
}

/* The lane's next run of bars from t on in which no gap is longer than reset_after. */
static void next_segment(const hy__exec *x, size_t lane, size_t t, size_t *lo, size_t *hi) {
  const size_t t_end = x->view->t_end;
  const int64_t *time_ns = x->view->time_ns, most = x->axis.gap->reset_after_ns;
  while (t < t_end && !(MASK(x, t) >> lane & 1)) t++;
  *lo = t;
  size_t last = t;
  for (; t < t_end; t++) {
    if (!(MASK(x, t) >> lane & 1)) continue;
    if (time_ns[t] - time_ns[last] > most) break;
    last = t;
  }
  *hi = t;
}

static size_t count_bars(const hy__exec *x, size_t lane, size_t lo, size_t hi) {
  size_t n = 0;
  for (size_t t = lo; t < hi; t++) n += MASK(x, t) >> lane & 1;
  return n;
}

/* Rows before and in all, for the lane's segment. */
static void measure(hy__exec *x, size_t lane) {
  hy__axis *a = &x->axis;
  size_t wanted = HY_MAX(x->stage->t_begin[x->tf], a->lo[lane]);
  if (a->identity) {
    a->first[lane] = wanted - a->lo[lane];
    a->len[lane] = a->hi[lane] - a->lo[lane];
  } else {
    wanted = HY_MIN(wanted, a->hi[lane]);
    a->first[lane] = count_bars(x, lane, a->lo[lane], wanted);
    a->len[lane] = a->first[lane] + count_bars(x, lane, wanted, a->hi[lane]);
  }
}

static bool close_axis(hy__exec *x) {
  hy__axis *a = &x->axis;
  a->begin = SIZE_MAX;
  a->end = 0;
  for (size_t k = 0; k < HY_LANES; k++) {
    a->first[k] = a->len[k] = 0;
    if (k >= a->n_lanes) continue;
    measure(x, k);
    if (a->first[k] >= a->len[k]) continue;
    a->begin = HY_MIN(a->begin, a->first[k]);
    a->end = HY_MAX(a->end, a->len[k]);
  }
  return a->begin < a->end;
}

/* Each lane's next segment that ends after the wanted rows begin; the k-th of all lanes run
 * together. */
static bool next_pieces(hy__exec *x, bool first) {
  hy__axis *a = &x->axis;
  const hy__view *r = x->view;
  bool any = false;
  for (size_t k = 0; k < a->n_lanes; k++) {
    size_t t = first ? r->t_start : a->hi[k];
    do {
      next_segment(x, k, t, &a->lo[k], &a->hi[k]);
      t = a->hi[k];
    } while (t < r->t_end && t <= x->stage->t_begin[x->tf]);
    any |= a->lo[k] < a->hi[k];
  }
  return any;
}

bool hy__axis_next(hy__exec *x, bool first) {
  hy__axis *a = &x->axis;
  const hy__view *r = x->view;
  a->identity = a->gap->fill != HY__GAP_NONE || (a->all && !a->gap->reset_after_ns);
  if (!a->identity && a->gap->reset_after_ns) {
    do {
      if (!next_pieces(x, first)) return false;
      first = false;
    } while (!close_axis(x));
    return true;
  }
  if (!first) return false;
  for (size_t k = 0; k < a->n_lanes; k++) a->lo[k] = r->t_start, a->hi[k] = r->t_end;
  return close_axis(x);
}

void hy__axis_seek(hy__exec *x, size_t d) {
  hy__axis *a = &x->axis;
  for (size_t k = 0; k < a->n_lanes; k++) {
    size_t t = a->lo[k], n = 0;
    if (a->identity)
      t += d;
    else
      for (; n < d && t < a->hi[k]; t++) n += MASK(x, t) >> k & 1;
    a->cursor[k] = t;
  }
}

/* Branch-free but for the end: a missing bar writes an entry that the next one overwrites. */
static size_t index_lane(hy__exec *x, size_t lane, uint32_t *index) {
  const uint8_t *mask = x->axis.mask;
  const size_t t_start = x->view->t_start;
  size_t t = x->axis.cursor[lane], hi = x->axis.hi[lane], n = 0;
  for (; n < x->n && t < hi; t++) {
    index[n] = (uint32_t)t;
    n += mask[t - t_start] >> lane & 1;
  }
  x->axis.cursor[lane] = t;
  return n;
}

void hy__axis_chunk(hy__exec *x) {
  hy__axis *a = &x->axis;
  size_t stride = x->run->chunk_rows;
  a->contiguous = a->identity;
  if (a->identity) return;
  bool same = true;
  for (size_t k = 0; k < HY_LANES; k++) {
    uint32_t *index = a->index + k * stride;
    size_t n = k < a->n_lanes ? index_lane(x, k, index) : 0;
    for (size_t i = n; i < x->n; i++) index[i] = HY__NO_ROW;
    if (k < a->n_lanes)
      same &= n == x->n && index[0] == a->index[0] && index[n - 1] - index[0] == n - 1;
  }
  a->contiguous = same;
}

bool hy__axis_live(const hy__exec *x, size_t t, size_t lane) {
  const hy__axis *a = &x->axis;
  if (MASK(x, t) >> lane & 1) return true;
  if (a->gap->fill != HY__GAP_FLAT) return false;
  size_t most = HY_MIN((size_t)a->gap->max, t - x->view->t_start);
  for (size_t back = 1; back <= most; back++)
    if (MASK(x, t - back) >> lane & 1) return true;
  return false;
}
