/* SPDX-License-Identifier: Apache-2.0
 * Cross-sections of a run: a row at a time, what the stage before stored of all symbols becomes
 * compact arrays in the order of the symbols' names, and the results go where the first input lay.
 */
#include <math.h>

#include "feature/batch/run.h"

/* The view whose rows a target of a stage is stored by, where it is the first input of a
 * cross-section. */
static const hy__view *cross_view(const hy__feature_run *run, const hy__stage *s, size_t target) {
  const hy__node *n = &run->f->nodes[s->stored[target]];
  const bool first = n->kind == HY__NODE_CROSS && s->input[target] == 0;
  return first ? &run->views[hy__node_timeframe(run->f, n)] : NULL;
}

size_t hy__feature_run_cross_rows(const hy__feature_run *run, uint32_t stage) {
  const hy__stage *s = &run->stages[stage];
  size_t rows = 0;
  for (size_t i = 0; s->stored && i < s->n_targets; i++) {
    const hy__view *v = cross_view(run, s, i);
    if (v) rows = HY_MAX(rows, v->t_end - v->store_begin);
  }
  return rows;
}

/* One row of one cross-section. */
typedef struct row {
  const hy__feature_run *run;
  const hy__node *node;
  double *cells[HY__IND_INPUTS]; /* of the first block's row; NULL: numbers */
  const double *numbers[HY__IND_INPUTS];
  size_t block_stride;
  double *values; /* [input][symbol] */
  uint32_t *which;
} row;

static row open_row(const hy__feature_run *run, uint32_t index, size_t r, hy__ranked *scratch) {
  const hy__node *n = &run->f->nodes[index];
  const hy__view *v = &run->views[hy__node_timeframe(run->f, n)];
  const size_t stride = (v->t_end - v->store_begin) * HY_LANES, symbols = run->info.n_symbols;
  row x = {.run = run, .node = n, .block_stride = stride};
  for (size_t k = 0; k < n->n_in; k++) {
    const uint32_t in = n->in[k].node;
    if (run->f->nodes[in].kind != HY__NODE_NUMBER)
      x.cells[k] = run->store[index] + k * run->n_blocks * stride + r * HY_LANES;
    else
      x.numbers[k] = run->numbers[in] ? run->numbers[in] : &run->f->nodes[in].number;
  }
  x.values = (double *)(scratch + 2 * symbols);
  x.which = (uint32_t *)(x.values + HY__IND_INPUTS * symbols);
  return x;
}

static inline size_t cell_of(const row *x, size_t symbol) {
  return symbol / HY_LANES * x->block_stride + symbol % HY_LANES;
}

/* The inputs of a symbol into their place; false where one is missing. */
static bool gather(const row *x, size_t symbol, size_t place) {
  bool whole = true;
  for (size_t k = 0; whole && k < x->node->n_in; k++) {
    const uint32_t in = x->node->in[k].node;
    const double value = x->cells[k] ? x->cells[k][cell_of(x, symbol)]
                                     : x->numbers[k][x->run->numbers[in] ? symbol : 0];
    x->values[k * x->run->info.n_symbols + place] = value;
    whole = value == value;
  }
  return whole;
}

static void cross_row(const row *x, hy__ranked *scratch) {
  const size_t symbols = x->run->info.n_symbols;
  const hy__node *n = x->node;
  size_t n_valid = 0;
  for (size_t i = 0; i < symbols; i++) {
    const uint32_t s = x->run->order[i];
    if (gather(x, s, n_valid)) x->which[n_valid++] = s;
    x->cells[0][cell_of(x, s)] = (double)NAN;
  }
  if (!n_valid || (double)n_valid < n->p[n->def->n_params - 1]) return;
  hy__cross_step step = {
      .values = x->values, .n_in = n->n_in, .n = n_valid, .p = n->p, .ranked = scratch};
  for (size_t k = 0; k < n->n_in; k++) step.in[k] = x->values + k * symbols;
  hy__def_cross(n->def->row)(&step);
  for (size_t i = 0; i < n_valid; i++) {
    const double v = x->values[i] - x->values[i] == 0 ? x->values[i] : (double)NAN;
    x->cells[0][cell_of(x, x->which[i])] = v;
  }
}

hy_status hy__feature_run_cross(hy__feature_run *run, uint32_t stage, size_t row_begin,
                                size_t row_end, void *workspace, hy_error *err) {
  HY_FAIL_IF(row_begin > row_end || row_end > hy__feature_run_cross_rows(run, stage),
             HY_INVALID_ARGUMENT, err, "cross-section rows [%zu, %zu) of %zu", row_begin, row_end,
             hy__feature_run_cross_rows(run, stage));
  const hy__stage *s = &run->stages[stage];
  for (size_t i = 0; s->stored && i < s->n_targets; i++) {
    const hy__view *v = cross_view(run, s, i);
    if (!v) continue;
    const size_t rows = v->t_end - v->store_begin;
    for (size_t r = row_begin; r < HY_MIN(row_end, rows); r++) {
      const row x = open_row(run, s->stored[i], r, workspace);
      cross_row(&x, workspace);
    }
  }
  return HY_OK;
}
