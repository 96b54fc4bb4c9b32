/* SPDX-License-Identifier: Apache-2.0
 * What each node costs on this machine: its step timed over one chunk of a made-up series. */
#include "feature/program.h"

enum { COST_ROWS = 128, COST_RUNS = 5 };

/* Prices that wander, positive, different in each lane. */
static void make_series(double *rows, size_t n) {
  hy__random random;
  hy__random_init(&random, 1, 0);
  for (size_t i = 0; i < n * HY_LANES; i++) rows[i] = 100 + hy__random_uniform(&random);
}

static double time_step(const hy__node *n, hy__ind_step *step) {
  int64_t best_ns = INT64_MAX;
  for (int run = 0; run < COST_RUNS; run++) {
    if (n->state_bytes) memset(step->state, 0, n->state_bytes);
    int64_t begin_ns = hy__clock_monotonic_ns();
    n->code->step(step);
    best_ns = HY_MIN(best_ns, hy__clock_monotonic_ns() - begin_ns);
  }
  return (double)best_ns / (COST_ROWS * HY_LANES);
}

static hy_status cost_of(const hy_features *f, const hy__node *n, double *out, hy_error *err) {
  hy__ind_step step = {.n = COST_ROWS, .p = n->p};
  size_t in_rows = n->history + COST_ROWS, column_rows = n->mid_rows + COST_ROWS;
  size_t rows = in_rows + n->n_columns * column_rows;
  void *memory, *state;
  HY_TRY(hy__alloc_array(f->allocator, rows * HY_LANES, sizeof(double), &memory, err));
  hy_status status = hy__alloc(f->allocator, n->state_bytes, &state, err);
  if (status == HY_OK) {
    make_series(memory, rows);
    for (size_t i = 0; i < n->n_in; i++) step.in[i] = (double *)memory + n->history * HY_LANES;
    for (size_t c = 0; c < n->n_columns; c++) {
      double *column = (double *)memory + (in_rows + c * column_rows + n->mid_rows) * HY_LANES;
      *(c < n->n_out ? &step.out[c] : &step.mid[c - n->n_out]) = column;
    }
    step.state = state;
    *out = time_step(n, &step);
    hy__free(f->allocator, state, n->state_bytes);
  }
  hy__free(f->allocator, memory, rows * HY_LANES * sizeof(double));
  return status;
}

hy_status hy__cost_measure(const hy_features *f, double *ns, hy_error *err) {
  for (size_t i = 0; i < f->n_nodes; i++)
    if (f->nodes[i].kind == HY__NODE_IND) HY_TRY(cost_of(f, &f->nodes[i], &ns[i], err));
  return HY_OK;
}
