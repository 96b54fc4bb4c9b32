/* SPDX-License-Identifier: Apache-2.0
 * How much history makes a feature's value independent of where the history began: windows add
 * their length, recurrences what they need to forget, and what never forgets has no bound. */
#include "feature/spec/graph.h"

/* Rows that the node itself adds to what its inputs need; false when no bound exists. */
static bool own_stable(const hy__node *n, double tol, size_t *out) {
  *out = 0;
  if (!n->code) return true; /* a timeframe: in_faster */
  size_t lookback = n->code->lookback ? n->code->lookback(n->p) : 0;
  if (n->def->klass == HY__IND_A) return false;
  if (n->def->klass == HY__IND_P) {
    *out = lookback + n->warmup_bars;
    return n->warmup_bars > 0;
  }
  *out = lookback + (n->code->stable ? n->code->stable(n->p, tol) : 0);
  return true;
}

/* A timeframe of the spec; the universe's own where the spec leaves it open. */
static hy__timeframe timeframe_of(const hy_features *f, const hy__node *n, int64_t base_ns) {
  hy__timeframe t = f->timeframes[hy__node_timeframe(f, n)];
  if (!t.ns) t.ns = base_ns;
  return t;
}

/* Bars of the faster timeframe that hold so many of the slower one: the slower series begins within
 * a bar, which does not count, and the bar over a change of the clock is an hour longer (no zone
 * has more than one of them in four weeks). A session counts as a day, which bars between sessions
 * can exceed where a calendar does not fit them. */
static bool in_faster(const hy_features *f, const hy__node *n, int64_t base_ns, size_t rows,
                      size_t *out) {
  const size_t hour_ns = (size_t)3600 * 1000000000, four_weeks_ns = hour_ns * 24 * 28;
  const hy__timeframe fast = timeframe_of(f, n, base_ns);
  uint32_t tf =
      n->kind == HY__NODE_AGE ? n->slower : hy__node_timeframe(f, &f->nodes[n->in[0].node]);
  const hy__timeframe slow = f->timeframes[tf];
  size_t whole_ns;
  if (!fast.ns || !hy__mul(rows + 2, (size_t)hy__timeframe_longest_ns(slow.ns), &whole_ns))
    return false;
  if (!hy__add(whole_ns, (whole_ns / four_weeks_ns + 1) * hour_ns, &whole_ns)) return false;
  *out = whole_ns / (size_t)fast.ns + 1;
  return true;
}

static bool node_stable(const hy_features *f, const hy__stable_query *q, const hy__node **culprit) {
  size_t *rows = q->rows;
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    size_t own, most = 0;
    if (rows[i] == SIZE_MAX) continue; /* no feature stands on it */
    for (size_t k = 0; k < n->n_in; k++) most = HY_MAX(most, rows[n->in[k].node]);
    bool slower = n->kind == HY__NODE_ASOF || n->kind == HY__NODE_AGE;
    if (slower && !in_faster(f, n, q->base_ns, most, &most)) {
      if (culprit) *culprit = n;
      return false;
    }
    if (!own_stable(n, q->tol, &own)) {
      if (culprit) *culprit = n;
      return false;
    }
    rows[i] = most + own;
  }
  return true;
}

bool hy__node_stable(const hy_features *f, const hy__stable_query *q, size_t *out,
                     const hy__node **culprit) {
  size_t *rows = q->rows;
  for (size_t i = 0; i < f->n_nodes; i++) rows[i] = SIZE_MAX;
  for (size_t i = 0; i < q->n_refs; i++) rows[q->refs[i].node] = 0;
  for (size_t i = f->n_nodes; i-- > 0;)
    for (size_t k = 0; rows[i] == 0 && k < f->nodes[i].n_in; k++) rows[f->nodes[i].in[k].node] = 0;
  if (!node_stable(f, q, culprit)) return false;
  *out = 0;
  for (size_t i = 0; i < q->n_refs; i++) *out = HY_MAX(*out, rows[q->refs[i].node]);
  return true;
}

void hy__node_lookbacks(const hy_features *f, int64_t base_ns, size_t *rows) {
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    size_t most = 0, faster;
    for (size_t k = 0; k < n->n_in; k++) most = HY_MAX(most, rows[n->in[k].node]);
    if (n->kind == HY__NODE_ASOF) {
      const hy__timeframe fast = timeframe_of(f, n, base_ns),
                          slow = timeframe_of(f, &f->nodes[n->in[0].node], base_ns);
      const size_t ratio = hy__timeframe_ratio(&fast, &slow);
      if (ratio && hy__mul(most + 1, ratio, &faster)) most = faster - 1;
    }
    rows[i] = most + n->own_lookback;
  }
}

hy_status hy__feature_stable_bars(const hy_features *f, double tol, size_t *out, hy_error *err) {
  void *rows;
  const hy__node *culprit = NULL;
  HY_TRY(hy__alloc_array(f->allocator, f->n_nodes, sizeof(size_t), &rows, err));
  hy__stable_query q = {.refs = f->refs, .n_refs = f->n_features, .tol = tol, .rows = rows};
  bool bounded = hy__node_stable(f, &q, out, &culprit);
  hy__free(f->allocator, rows, f->n_nodes * sizeof(size_t));
  if (bounded) return HY_OK;
  if (!culprit->def)
    return hy__place_fail(culprit->place, HY_UNSUPPORTED, err,
                          "how much history a slower timeframe needs is known where the spec names "
                          "its base, as in base: M1");
  return hy__place_fail(
      culprit->place, HY_UNSUPPORTED, err,
      culprit->def->klass == HY__IND_A
          ? "%s accumulates from the first bar: no shorter history gives its value"
          : "%s depends on its whole path: give warmup_bars, or the full history",
      culprit->def->id);
}
