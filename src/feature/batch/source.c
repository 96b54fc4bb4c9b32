/* SPDX-License-Identifier: Apache-2.0
 * Rows that are read, not computed: fields of the universe, clocks, numbers, and cross-sections of
 * the stage before. They are laid out along the axis of the series, with history before the chunk.
 */
#include <math.h>

#include "feature/batch/run.h"

/* Rows [t, t + n) of what a source reads, in the universe's own axis. */
typedef struct reader {
  hy__exec *x;
  const hy__node *node;
  uint32_t index;
} reader;

static bool is_bar_clock(const hy__node *n) { return n->name[1] == 'b'; }

static void read_clock(const reader *r, size_t t, size_t n, double *out) {
  const hy__axis *a = &r->x->axis;
  const bool begun = is_bar_clock(r->node);
  const double *clock = r->x->run->clocks[r->index] - r->x->view->t_start;
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < HY_LANES; k++) {
      bool is = k < a->n_lanes &&
                (a->all || (begun ? t + i >= a->born[k] : hy__axis_live(r->x, t + i, k)));
      out[i * HY_LANES + k] = is ? clock[t + i] : (double)NAN;
    }
}

/* The rows of a view that an earlier stage stored for this node's block. */
static const double *stored_rows(const reader *r, const hy__view *v) {
  size_t rows = v->t_end - v->store_begin;
  return r->x->run->store[r->index] + r->x->axis.block * rows * HY_LANES;
}

static void read_cross(const reader *r, size_t t, size_t n, double *out) {
  const hy__view *v = r->x->view;
  const double *store = stored_rows(r, v);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < HY_LANES; k++)
      out[i * HY_LANES + k] =
          t + i < v->store_begin ? (double)NAN : store[(t + i - v->store_begin) * HY_LANES + k];
}

/* The slower bar that ended last, at each row. */
static void read_asof(const reader *r, size_t t, size_t n, double *out) {
  const hy__feature_run *run = r->x->run;
  const hy__node *in = &run->f->nodes[r->node->in[0].node];
  const uint32_t tf = hy__node_timeframe(run->f, in);
  const double *store = stored_rows(r, &run->views[tf]);
  const uint32_t *ended = run->ended[r->x->tf][tf] + (t - r->x->view->t_start);
  for (size_t i = 0; i < n; i++, out += HY_LANES) {
    const double *row = ended[i] ? store + (ended[i] - (size_t)1) * HY_LANES : NULL;
    for (size_t k = 0; k < HY_LANES; k++) out[k] = row ? row[k] : (double)NAN;
  }
}

/* Rows of the lane's series after the end of its last slower bar, up to row t; under `none` the
 * rows are the lane's bars, and so are the bars that make it have the slower one. */
static double age_of(const reader *r, const uint32_t *ended, size_t t, size_t lane, double before) {
  const hy__exec *x = r->x;
  const hy__view *v = x->view, *slow = &x->run->views[r->node->slower];
  const bool own = x->axis.gap->fill == HY__GAP_NONE;
  if (!ended[t - v->t_start]) return (double)NAN;
  const int64_t end_ns = slow->time_ns[ended[t - v->t_start] - 1];
  if (own && (x->axis.born[lane] > t || v->time_ns[x->axis.born[lane]] > end_ns))
    return (double)NAN;
  const bool counts = v->time_ns[t] > end_ns && (!own || hy__axis_present(x, t, lane));
  return before + (counts ? 1 : 0);
}

static void read_age(const reader *r, size_t t, size_t n, double *out) {
  const hy__exec *x = r->x;
  const size_t t_start = x->view->t_start;
  const uint32_t *ended = x->run->ended[x->tf][r->node->slower];
  size_t from = t;
  while (from > t_start && ended[from - 1 - t_start] == ended[t - t_start]) from--;
  for (size_t k = 0; k < HY_LANES; k++) {
    double age = 0;
    for (size_t i = from; i < t + n; i++) {
      bool begins = i > from && ended[i - t_start] != ended[i - 1 - t_start];
      age = k < x->axis.n_lanes ? age_of(r, ended, i, k, begins || age != age ? 0 : age)
                                : (double)NAN;
      if (i >= t) out[(i - t) * HY_LANES + k] = age;
    }
  }
}

typedef enum fill_as { FILL_PRICE, FILL_ZERO, FILL_NOTHING } fill_as;

static fill_as fill_kind(const char *field) {
  if (!strcmp(field, "volume")) return FILL_ZERO;
  return hy__field_standard(field) ? FILL_PRICE : FILL_NOTHING;
}

/* Rows [begin, t + n) of a field and of close; those before t are only there to find the last
 * close. */
typedef struct filling {
  const double *field, *close;
  size_t begin, t, n;
} filling;

static void fill_lane(const reader *r, const filling *f, size_t lane, double *out) {
  const size_t a = f->begin, t = f->t, n = f->n;
  const hy__axis *axis = &r->x->axis;
  fill_as kind = fill_kind(r->node->name);
  double last = (double)NAN;
  size_t missing = SIZE_MAX;
  for (size_t i = a; i < t + n; i++) {
    double value = f->field[(i - a) * HY_LANES + lane];
    if (hy__axis_present(r->x, i, lane)) {
      last = f->close[(i - a) * HY_LANES + lane];
      missing = 0;
    } else {
      missing += missing != SIZE_MAX;
      bool filled = missing <= axis->gap->max;
      value = !filled || kind == FILL_NOTHING ? (double)NAN : kind == FILL_ZERO ? 0.0 : last;
    }
    if (i >= t) out[(i - t) * HY_LANES + lane] = value;
  }
}

static hy_status read_filled(const reader *r, size_t t, size_t n, double *out) {
  hy__exec *x = r->x;
  size_t back = HY_MIN((size_t)x->axis.gap->max, t - x->view->t_start), a = t - back;
  double *close = x->scratch + x->run->scratch_rows / 2 * HY_LANES;
  filling f = {.begin = a, .t = t, .n = n};
  HY_TRY(hy__universe_block(x->view->universe, x->run->fields[r->index], x->axis.block, a, t + n,
                            x->scratch, &f.field, x->err));
  HY_TRY(hy__universe_block(x->view->universe, x->view->close_field, x->axis.block, a, t + n, close,
                            &f.close, x->err));
  for (size_t k = 0; k < HY_LANES; k++) {
    if (k < x->axis.n_lanes) {
      fill_lane(r, &f, k, out);
      continue;
    }
    for (size_t i = 0; i < n; i++) out[i * HY_LANES + k] = (double)NAN;
  }
  return HY_OK;
}

/* *out becomes `room`, or the mapped file's own rows. room holds n rows. */
static hy_status read_rows(const reader *r, size_t t, size_t n, double *room, const double **out) {
  hy__exec *x = r->x;
  *out = room;
  switch (r->node->kind) {
  case HY__NODE_CLOCK: read_clock(r, t, n, room); return HY_OK;
  case HY__NODE_CROSS: read_cross(r, t, n, room); return HY_OK;
  case HY__NODE_ASOF: read_asof(r, t, n, room); return HY_OK;
  case HY__NODE_AGE: read_age(r, t, n, room); return HY_OK;
  default: break;
  }
  if (x->axis.gap->fill == HY__GAP_FLAT && !x->axis.all) return read_filled(r, t, n, room);
  return hy__universe_block(x->view->universe, x->run->fields[r->index], x->axis.block, t, t + n,
                            room, out, x->err);
}

/* Rows of a field as they lie in the file, when no cell needs more than a look; NULL otherwise. */
static const double *raw_rows(const reader *r, size_t t, size_t t_end) {
  const hy__exec *x = r->x;
  if (r->node->kind != HY__NODE_FIELD || x->axis.gap->fill == HY__GAP_FLAT) return NULL;
  return hy__universe_raw(x->view->universe, x->run->fields[r->index], x->axis.block, t, t_end);
}

/* Infinities are missing values in files. */
static inline double kept(double v) { return v - v == 0.0 ? v : (double)NAN; }

/* Copies what the rows [t, t_end) hold of each lane's series; pos goes on. */
static void gather(const hy__exec *x, const double *rows, size_t t, size_t t_end, size_t *pos,
                   double *out) {
  for (size_t k = 0; k < x->axis.n_lanes; k++) {
    const uint32_t *index = x->axis.index + k * x->run->chunk_rows;
    size_t i = pos[k];
    for (; i < x->n && index[i] < t_end; i++)
      out[i * HY_LANES + k] = kept(rows[(index[i] - t) * HY_LANES + k]);
    pos[k] = i;
  }
}

/* The universe's rows from the first that is still needed to the last; false when none is. */
static bool rows_left(const hy__exec *x, const size_t *pos, size_t *begin, size_t *end) {
  *begin = SIZE_MAX;
  *end = 0;
  for (size_t k = 0; k < x->axis.n_lanes; k++) {
    const uint32_t *index = x->axis.index + k * x->run->chunk_rows;
    size_t last = x->n;
    while (last > pos[k] && index[last - 1] == HY__NO_ROW) last--;
    if (last == pos[k]) continue;
    *begin = HY_MIN(*begin, (size_t)index[pos[k]]);
    *end = HY_MAX(*end, (size_t)index[last - 1] + 1);
  }
  return *begin < *end;
}

/* Lanes have their own rows: in one go over the file's, or by pieces of the universe that are read.
 */
static hy_status gather_chunk(const reader *r, double *out) {
  hy__exec *x = r->x;
  size_t pos[HY_LANES] = {0}, t, t_end;
  while (rows_left(x, pos, &t, &t_end)) {
    const double *rows = raw_rows(r, t, t_end);
    if (!rows) {
      t_end = HY_MIN(t_end, t + x->run->scratch_rows);
      HY_TRY(read_rows(r, t, t_end - t, x->scratch, &rows));
    }
    gather(x, rows, t, t_end, pos, out);
  }
  return HY_OK;
}

/* Rows of a caller's matrix that have no whole block left. */
static void spread(const double *rows, size_t stride, size_t n_rows, size_t n_lanes, double *out) {
  for (size_t i = 0; i < n_rows; i++, rows += stride, out += HY_LANES) {
    for (size_t k = 0; k < HY_LANES; k++) out[k] = (double)NAN;
    for (size_t k = 0; k < n_lanes; k++) out[k] = kept(rows[k]);
  }
}

/* All lanes have the same rows, one after the other. */
static hy_status straight_chunk(const reader *r, double *out) {
  hy__exec *x = r->x;
  const hy__axis *a = &x->axis;
  size_t stride, t = a->identity ? a->lo[0] + x->d : a->index[0];
  const bool there = a->all || !a->identity; /* a mask would change nothing */
  const bool field = r->node->kind == HY__NODE_FIELD && a->gap->fill != HY__GAP_FLAT;
  const double *matrix =
      there && field
          ? hy__universe_strided(x->view->universe, x->run->fields[r->index], a->block, t, &stride)
          : NULL;
  if (matrix) {
    if (a->n_lanes < HY_LANES)
      spread(matrix, stride, x->n, a->n_lanes, out);
    else
      x->edge->read(&(hy__edge_read){.from = matrix, .stride = stride, .n = x->n, .to = out});
    return HY_OK;
  }
  bool whole = a->n_lanes == HY_LANES && there;
  const double *rows = whole ? raw_rows(r, t, t + x->n) : NULL;
  if (!rows) HY_TRY(read_rows(r, t, x->n, out, &rows));
  if (rows != out)
    x->edge->read(&(hy__edge_read){.from = rows, .stride = HY_LANES, .n = x->n, .to = out});
  return HY_OK;
}

hy_status hy__source_chunk(hy__exec *x, uint32_t node) {
  const hy__node *n = &x->run->f->nodes[node];
  hy__slot *slot = &x->slots[node];
  double *out = (double *)(x->workspace + x->run->rooms[node].buffer) + slot->pos * HY_LANES;
  reader r = {.x = x, .node = n, .index = node};
  slot->cur[0] = out;
  if (n->kind == HY__NODE_NUMBER) {
    const double *numbers = x->run->numbers[node];
    if (numbers) numbers += x->axis.block * HY_LANES;
    for (size_t i = 0; i < x->n * HY_LANES; i++)
      out[i] = numbers ? numbers[i % HY_LANES] : n->number;
    return HY_OK;
  }
  if (x->axis.contiguous) return straight_chunk(&r, out);
  for (size_t i = 0; i < x->n * HY_LANES; i++) out[i] = (double)NAN;
  return gather_chunk(&r, out);
}
