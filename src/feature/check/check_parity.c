/* SPDX-License-Identifier: Apache-2.0
 * Does the stream give batch's bits? The universe is fed to a stream row by row and each row
 * compared with what batch computes, a window of rows at a time. At random rows a peek comes first,
 * with other prices and then the row's own; and a snapshot, from which a new stream goes on in the
 * old one's place. */
#include "feature/batch/compute.h"
#include "feature/check/check.h"

enum { POINTS_DEFAULT = 4, SEED_DEFAULT = 7, WINDOW_BYTES = 512 << 20 };

static const hy__check_column columns[] = {
    {"differ", "values that differ", HY__CHECK_COUNT},
};

typedef struct parity {
  hy__check_task *t;
  hy__check_market market;
  hy_feature_stream *stream;
  size_t window_rows;
  double **batch; /* [feature] -> [window_rows, S] */
  double *values, *peeked;
  const double **row; /* [field] */
  double *other;      /* [S] prices that are peeked at */
  uint8_t *chosen;    /* [row] */
  void *snapshot;
  size_t snapshot_bytes;
  uint8_t *found; /* [feature] */
} parity;

static hy_status differ(parity *p, hy__check_place place, const double values[2], const char *how,
                        hy_error *err) {
  *hy__check_cell(p->t->report, place.feature, 0) += 1;
  if (p->found[place.feature]++) return HY_OK;
  return hy__check_find(p->t->report, &p->t->info, place, err, "batch %.17g, %s %.17g", values[0],
                        how, values[1]);
}

/* One row of the stream against the window's. */
static hy_status compare(parity *p, size_t t, size_t begin, const double *values, const char *how,
                         hy_error *err) {
  const size_t n = p->t->f->n_features, symbols = p->t->info.n_symbols;
  for (size_t s = 0; s < symbols; s++)
    for (size_t f = 0; f < n; f++) {
      const double both[2] = {p->batch[f][(t - begin) * symbols + s], values[s * n + f]};
      const hy__check_place place = {.feature = f, .symbol = s, .bar = t};
      if (memcmp(&both[0], &both[1], sizeof(double))) HY_TRY(differ(p, place, both, how, err));
    }
  return HY_OK;
}

/* A forming bar with other prices leaves no trace; the row's own gives the row's values. */
static hy_status peek(parity *p, const hy_bar_row *row, size_t t, size_t begin, hy_error *err) {
  hy_bar_row forming = *row;
  const size_t symbols = p->t->info.n_symbols;
  for (size_t s = 0; s < symbols; s++) p->other[s] = 1.5 * row->fields[0][s];
  p->row[0] = p->other;
  HY_TRY(hy_feature_stream_peek(p->stream, &forming, p->peeked, NULL, err));
  p->row[0] = p->market.data[0] + t * symbols;
  HY_TRY(hy_feature_stream_peek(p->stream, row, p->peeked, NULL, err));
  return compare(p, t, begin, p->peeked, "peek", err);
}

/* A new stream goes on in the old one's place. */
static hy_status change_streams(parity *p, hy_error *err) {
  hy_feature_stream *next;
  HY_TRY(hy_feature_stream_snapshot(p->stream, p->snapshot, p->snapshot_bytes, err));
  HY_TRY(hy__check_market_stream(&p->market, p->t->f, &next, err));
  hy_feature_stream_destroy(p->stream);
  p->stream = next;
  return hy_feature_stream_restore(p->stream, p->snapshot, p->snapshot_bytes, err);
}

static hy_status run_row(parity *p, size_t t, size_t begin, hy_error *err) {
  const size_t symbols = p->t->info.n_symbols;
  const hy_bar_row row = {.struct_size = sizeof row,
                          .time_ns = p->t->info.time_ns[t],
                          .fields = p->row,
                          .valid = p->market.valid + t * symbols};
  for (size_t k = 0; k < p->market.n_fields; k++) p->row[k] = p->market.data[k] + t * symbols;
  if (p->chosen[t]) {
    HY_TRY(hy_feature_stream_advance(p->stream, row.time_ns - 1, err));
    HY_TRY(peek(p, &row, t, begin, err));
  }
  HY_TRY(hy_feature_stream_update(p->stream, &row, p->values, NULL, err));
  HY_TRY(compare(p, t, begin, p->values, "stream", err));
  return p->chosen[t] ? change_streams(p, err) : HY_OK;
}

static hy_status run_window(parity *p, size_t begin, hy_error *err) {
  const hy_features_check_options *o = &p->t->options;
  const size_t bars = p->t->info.n_bars, end = HY_MIN(bars, begin + p->window_rows);
  const hy__feature_range range = {.t_begin = begin, .t_end = end};
  const hy__compute_out out = {.columns = p->batch};
  HY_TRY(hy__compute_range(p->t->f, p->t->universe, range, &out, err));
  for (size_t t = begin; t < end; t++) {
    HY_TRY(run_row(p, t, begin, err));
    HY_FAIL_IF(o->progress && !o->progress(o->progress_ctx, t + 1, bars, "bars"), HY_CANCELLED, err,
               "stopped after %zu of %zu bars", t + 1, bars);
  }
  return HY_OK;
}

static hy_status take_memory(parity *p, hy__arena *arena, hy_error *err) {
  const size_t n = p->t->f->n_features, symbols = p->t->info.n_symbols;
  hy_feature_stream_info info = {.struct_size = sizeof info};
  void *memory;
  size_t row_bytes;
  hy_feature_stream_describe(p->stream, &info);
  p->snapshot_bytes = info.snapshot_bytes;
  HY_FAIL_IF(!hy__mul(n * sizeof(double), symbols, &row_bytes), HY_LIMIT, err,
             "%zu features of %zu symbols are too many", n, symbols);
  p->window_rows = HY_MIN(p->t->info.n_bars, HY_MAX(WINDOW_BYTES / row_bytes, (size_t)1));
  HY_TRY(hy__arena_array(arena, n, sizeof(double *), &memory, err));
  p->batch = memory;
  for (size_t f = 0; f < n; f++) {
    HY_TRY(hy__arena_array(arena, p->window_rows * symbols, sizeof(double), &memory, err));
    p->batch[f] = memory;
  }
  void *more[6];
  const size_t items[6] = {n * symbols, n * symbols,       p->market.n_fields,
                           symbols,     p->t->info.n_bars, n};
  const size_t each[6] = {sizeof(double), sizeof(double), sizeof(double *), sizeof(double), 1, 1};
  for (size_t i = 0; i < HY_COUNT(more); i++)
    HY_TRY(hy__arena_array(arena, items[i], each[i], &more[i], err));
  p->values = more[0], p->peeked = more[1], p->row = more[2], p->other = more[3];
  p->chosen = more[4], p->found = more[5];
  return hy__arena_array(arena, p->snapshot_bytes, 1, &p->snapshot, err);
}

static hy_status run(parity *p, hy__arena *arena, hy_error *err) {
  const hy_features_check_options *o = &p->t->options;
  hy_feature_stream_info info = {.struct_size = sizeof info};
  hy__random random;
  HY_TRY(hy__check_market_read(p->t->f, p->t->universe, arena, &p->market, err));
  HY_TRY(hy__check_market_stream(&p->market, p->t->f, &p->stream, err));
  HY_TRY(take_memory(p, arena, err));
  hy__random_init(&random, o->seed, 0);
  for (size_t k = 0; k < o->n_points; k++)
    p->chosen[hy__random_below(&random, p->t->info.n_bars)] = 1;
  for (size_t begin = 0; begin < p->t->info.n_bars; begin += p->window_rows)
    HY_TRY(run_window(p, begin, err));
  hy_feature_stream_describe(p->stream, &info);
  hy__check_column state = {"state_bytes", "bytes of state", HY__CHECK_COUNT};
  hy__check_column snapshot = {"snapshot_bytes", "bytes of a snapshot", HY__CHECK_COUNT};
  hy__check_fact(p->t->report, state, (double)info.state_bytes);
  hy__check_fact(p->t->report, snapshot, (double)info.snapshot_bytes);
  return HY_OK;
}

hy_status hy__check_parity(hy__check_task *t, hy_error *err) {
  hy__arena *arena;
  parity p = {.t = t};
  if (!t->options.n_points) t->options.n_points = POINTS_DEFAULT;
  if (!t->options.seed) t->options.seed = SEED_DEFAULT;
  HY_TRY(hy__check_begin(t, "parity", columns, HY_COUNT(columns), err));
  hy__check_column bars = {"bars", "bars", HY__CHECK_COUNT};
  hy__check_column symbols = {"symbols", "symbols", HY__CHECK_COUNT};
  hy__check_column points = {"points", "peeks and snapshots", HY__CHECK_COUNT};
  hy__check_fact(t->report, bars, (double)t->info.n_bars);
  hy__check_fact(t->report, symbols, (double)t->info.n_symbols);
  hy__check_fact(t->report, points, (double)t->options.n_points);
  HY_TRY(hy__arena_create(t->f->allocator, 0, 0, &arena, err));
  hy_status status = run(&p, arena, err);
  hy_feature_stream_destroy(p.stream);
  hy__arena_destroy(arena);
  return status;
}
