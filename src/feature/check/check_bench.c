/* SPDX-License-Identifier: Apache-2.0
 * What each feature costs on this machine: the steps of its nodes, one by one, as if it were alone
 * and as its part of the whole (a shared node's cost is shared by the features on it), beside the
 * whole program over the universe, in batch and bar by bar. */
#include "feature/check/check.h"

#include <stdlib.h>

enum { RUNS = 3, STREAM_ROWS_MAX = 2000 };

static const hy__check_column columns[] = {
    {"alone_ns", "alone, ns", HY__CHECK_NS},
    {"share_ns", "its part, ns", HY__CHECK_NS},
    {"share", "of all", HY__CHECK_SHARE},
    {"nodes", "nodes", HY__CHECK_COUNT},
};
enum { ALONE, PART, SHARE, NODES };

typedef struct bench {
  hy__check_task *t;
  double *cost_ns; /* [node] */
  size_t *users;   /* [node] features above it */
  uint8_t *under;  /* [node] */
  double checksum; /* keeps the values in use */
} bench;

static void mark_under(const bench *b, hy__ref ref) {
  const hy_features *f = b->t->f;
  memset(b->under, 0, f->n_nodes);
  b->under[ref.node] = 1;
  for (size_t i = ref.node + 1; i-- > 0;)
    for (size_t k = 0; b->under[i] && k < f->nodes[i].n_in; k++)
      b->under[f->nodes[i].in[k].node] = 1;
}

static void divide(const bench *b) {
  const hy_features *f = b->t->f;
  double sum = 0;
  for (size_t i = 0; i < f->n_features; i++) {
    mark_under(b, f->refs[i]);
    for (size_t k = 0; k < f->n_nodes; k++) b->users[k] += b->under[k];
  }
  for (size_t k = 0; k < f->n_nodes; k++) sum += b->users[k] ? b->cost_ns[k] : 0;
  for (size_t i = 0; i < f->n_features; i++) {
    double alone = 0, part = 0, nodes = 0;
    mark_under(b, f->refs[i]);
    for (size_t k = 0; k < f->n_nodes; k++) {
      if (!b->under[k]) continue;
      alone += b->cost_ns[k], part += b->cost_ns[k] / (double)b->users[k], nodes++;
    }
    *hy__check_cell(b->t->report, i, ALONE) = alone;
    *hy__check_cell(b->t->report, i, PART) = part;
    *hy__check_cell(b->t->report, i, SHARE) = sum > 0 ? part / sum : 0;
    *hy__check_cell(b->t->report, i, NODES) = nodes;
  }
}

static hy_status use_block(void *ctx, const hy__check_block *block, hy_error *err) {
  bench *b = ctx;
  (void)err;
  b->checksum += block->out[0][0] > 0;
  return HY_OK;
}

static hy_status time_whole(bench *b, hy_error *err) {
  const hy_universe_info *info = &b->t->info;
  int64_t best_ns = INT64_MAX;
  for (size_t step = 0; step < RUNS; step++) {
    hy__check_runs runs = {.f = b->t->f,
                           .universes = {b->t->universe},
                           .n = 1,
                           .block = use_block,
                           .ctx = b,
                           .progress = b->t->options.progress,
                           .progress_ctx = b->t->options.progress_ctx,
                           .step = step,
                           .n_steps = RUNS};
    int64_t begin_ns = hy__clock_monotonic_ns();
    HY_TRY(hy__check_runs_all(&runs, err));
    best_ns = HY_MIN(best_ns, hy__clock_monotonic_ns() - begin_ns);
  }
  const double cells = (double)info->n_bars * (double)info->n_symbols;
  hy__check_column batch = {"batch_ns", "ns for a symbol's bar, all features", HY__CHECK_NS};
  hy__check_column threads = {"threads", "threads", HY__CHECK_COUNT};
  hy__check_fact(b->t->report, batch, (double)best_ns / cells);
  hy__check_fact(b->t->report, threads, (double)hy_runtime_n_threads(b->t->f->runtime));
  return HY_OK;
}

static int by_time(const void *a, const void *b) {
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double middle(int64_t *ns, size_t n) {
  qsort(ns, n, sizeof *ns, by_time);
  return (double)ns[n / 2];
}

static hy_status feed(const hy__check_market *m, hy_feature_stream *stream, double *values,
                      int64_t *took_ns, hy_error *err) {
  const size_t n = HY_MIN(m->info.n_bars, (size_t)STREAM_ROWS_MAX);
  for (size_t t = 0; t < n; t++) {
    const hy_bar_row row = {.struct_size = sizeof row,
                            .time_ns = m->info.time_ns[t],
                            .fields = m->part,
                            .valid = m->valid + t * m->info.n_symbols};
    for (size_t k = 0; k < m->n_fields; k++) m->part[k] = m->data[k] + t * m->info.n_symbols;
    const int64_t begin_ns = hy__clock_monotonic_ns();
    HY_TRY(hy_feature_stream_update(stream, &row, values, NULL, err));
    took_ns[t] = hy__clock_monotonic_ns() - begin_ns;
  }
  return HY_OK;
}

static hy_status time_stream(bench *b, hy__arena *arena, hy_error *err) {
  const size_t n = HY_MIN(b->t->info.n_bars, (size_t)STREAM_ROWS_MAX);
  hy__check_market market;
  hy_feature_stream *stream;
  void *values, *took_ns;
  size_t cells;
  HY_FAIL_IF(!hy__mul(b->t->info.n_symbols, b->t->f->n_features, &cells), HY_LIMIT, err,
             "too many features of too many symbols");
  HY_TRY(hy__check_market_read(b->t->f, b->t->universe, arena, &market, err));
  HY_TRY(hy__arena_array(arena, cells, sizeof(double), &values, err));
  HY_TRY(hy__arena_array(arena, n, sizeof(int64_t), &took_ns, err));
  HY_TRY(hy__check_market_stream(&market, b->t->f, &stream, err));
  hy_status status = feed(&market, stream, values, took_ns, err);
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy_feature_stream_describe(stream, &info);
  hy_feature_stream_destroy(stream);
  hy__check_column row = {"stream_us", "us for a row of bars in a stream (median)", HY__CHECK_NS};
  hy__check_column state = {"state_bytes", "bytes of its state", HY__CHECK_COUNT};
  if (status != HY_OK) return status;
  hy__check_fact(b->t->report, row, middle(took_ns, n) / 1e3);
  hy__check_fact(b->t->report, state, (double)info.state_bytes);
  return HY_OK;
}

static hy_status run(bench *b, hy__arena *arena, hy_error *err) {
  const size_t n = b->t->f->n_nodes;
  void *memory[3];
  const size_t each[3] = {sizeof(double), sizeof(size_t), 1};
  for (size_t i = 0; i < HY_COUNT(memory); i++)
    HY_TRY(hy__arena_array(arena, n, each[i], &memory[i], err));
  b->cost_ns = memory[0], b->users = memory[1], b->under = memory[2];
  HY_TRY(hy__cost_measure(b->t->f, b->cost_ns, err));
  divide(b);
  HY_TRY(time_whole(b, err));
  return time_stream(b, arena, err);
}

hy_status hy__check_bench(hy__check_task *t, hy_error *err) {
  hy__arena *arena;
  bench b = {.t = t};
  HY_TRY(hy__check_begin(t, "bench", columns, HY_COUNT(columns), err));
  HY_TRY(hy__arena_create(t->f->allocator, 0, 0, &arena, err));
  hy_status status = run(&b, arena, err);
  hy__arena_destroy(arena);
  return status;
}
