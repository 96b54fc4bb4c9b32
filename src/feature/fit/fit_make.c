/* SPDX-License-Identifier: Apache-2.0
 * hy_features_fit: what the steps of a fit take is computed over the training range, and becomes a
 * center and a scale per feature, or per feature and symbol. Sums run over the symbols by name,
 * each by time, with what rounding drops kept beside. */
#include <math.h>
#include <stdlib.h>

#include "feature/batch/compute.h"
#include "feature/fit/fit_file.h"

/* Normal consistency, and what keeps a scale from being 0, as Qlib's RobustZScoreNorm has them. */
static const double mad_scale = 1.4826, mad_least = 1e-12;

typedef struct named {
  const char *name;
  size_t symbol;
} named;

typedef struct making {
  const hy_features *inputs; /* gives out what the steps take */
  hy_universe_info info;
  hy__arena *arena;
  size_t n_rows, stride;
  double **columns; /* [feature] -> [symbol, stride] */
  double *values;   /* of one pair of constants, no gaps */
  named *by_name;   /* the symbols, ascending */
  hy__fit fit;
} making;

/* ---- constants ---- */

typedef struct total {
  double sum, dropped;
} total;

static void add(total *t, double x) {
  const double sum = t->sum + x;
  t->dropped += fabs(t->sum) >= fabs(x) ? (t->sum - sum) + x : (x - sum) + t->sum;
  t->sum = sum;
}

static hy__fit_constants standard(const double *x, size_t n) {
  total sum = {0}, squares = {0};
  for (size_t i = 0; i < n; i++) add(&sum, x[i]);
  const double mean = (sum.sum + sum.dropped) / (double)n;
  for (size_t i = 0; i < n; i++) add(&squares, (x[i] - mean) * (x[i] - mean));
  return (hy__fit_constants){n, mean, sqrt((squares.sum + squares.dropped) / (double)n)};
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median_of(double *x, size_t n) {
  qsort(x, n, sizeof *x, by_value);
  return n % 2 ? x[n / 2] : x[n / 2 - 1] + (x[n / 2] - x[n / 2 - 1]) * 0.5;
}

static hy__fit_constants robust(double *x, size_t n) {
  const double median = median_of(x, n);
  for (size_t i = 0; i < n; i++) x[i] = fabs(x[i] - median);
  return (hy__fit_constants){n, median, (median_of(x, n) + mad_least) * mad_scale};
}

static hy__fit_constants minmax(const double *x, size_t n) {
  double least = x[0], most = x[0];
  for (size_t i = 1; i < n; i++) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
  }
  return (hy__fit_constants){n, least, most - least};
}

static hy__fit_constants constants_of(hy__norm_kind kind, double *x, size_t n) {
  if (kind == HY__NORM_FIT_Z) return standard(x, n);
  return kind == HY__NORM_FIT_ROBUST ? robust(x, n) : minmax(x, n);
}

/* ---- entries ---- */

/* Adds the values of a symbol that are there; returns how many there are then. */
static size_t gather(const making *m, size_t feature, size_t symbol, size_t n) {
  const double *from = m->columns[feature] + symbol * m->stride;
  for (size_t t = 0; t < m->n_rows; t++)
    if (from[t] == from[t]) m->values[n++] = from[t];
  return n;
}

static hy_status make_pooled(making *m, size_t feature, hy__norm_kind kind, hy__fit_entry *e,
                             hy_error *err) {
  void *memory;
  size_t n = 0;
  HY_TRY(hy__arena_array(m->arena, 1, sizeof(hy__fit_constants), &memory, err));
  for (size_t s = 0; s < m->info.n_symbols; s++) n = gather(m, feature, m->by_name[s].symbol, n);
  HY_FAIL_IF(n == 0, HY_NEED_MORE_DATA, err, "%.60s has no value from %s to %s", e->feature,
             m->fit.from, m->fit.to);
  hy__fit_constants *c = memory;
  *c = constants_of(kind, m->values, n);
  HY_FAIL_IF(!isfinite(c->center) || !isfinite(c->scale), HY_LIMIT, err,
             "the values of %.60s are too large", e->feature);
  HY_FAIL_IF(!(c->scale > 0), HY_MISMATCH, err,
             "%.60s is the same everywhere from %s to %s: it has no scale", e->feature, m->fit.from,
             m->fit.to);
  e->n = 1;
  e->constants = c;
  return HY_OK;
}

/* Symbols without values in the range have no constants, nor values later. */
static hy_status make_each(making *m, size_t feature, hy__norm_kind kind, hy__fit_entry *e,
                           hy_error *err) {
  void *memory[2] = {NULL};
  const size_t most = m->info.n_symbols;
  HY_TRY(hy__arena_array(m->arena, most, sizeof(char *), &memory[0], err));
  HY_TRY(hy__arena_array(m->arena, most, sizeof(hy__fit_constants), &memory[1], err));
  const char **symbols = memory[0];
  hy__fit_constants *constants = memory[1];
  for (size_t i = 0; i < most; i++) {
    const size_t s = m->by_name[i].symbol, n = gather(m, feature, s, 0);
    if (n == 0) continue;
    const hy__fit_constants c = constants_of(kind, m->values, n);
    if (!isfinite(c.center) || !isfinite(c.scale)) continue;
    symbols[e->n] = m->info.symbols[s];
    constants[e->n++] = c;
  }
  HY_FAIL_IF(e->n == 0, HY_NEED_MORE_DATA, err, "%.60s has no value from %s to %s", e->feature,
             m->fit.from, m->fit.to);
  e->symbols = symbols;
  e->constants = constants;
  return HY_OK;
}

static hy_status make_entries(making *m, const hy_features *f, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(m->arena, f->n_fits, sizeof(hy__fit_entry), &memory, err));
  hy__fit_entry *entries = memory;
  for (size_t i = 0; i < f->n_fits; i++) {
    const hy__fit_slot *slot = &f->fits[i];
    HY_ASSERT(!strcmp(slot->feature, m->inputs->names[i]));
    entries[i] = (hy__fit_entry){.feature = slot->feature,
                                 .step = slot->center.of_step,
                                 .per_symbol = slot->center.per_symbol};
    HY_TRY(slot->center.per_symbol ? make_each(m, i, slot->kind, &entries[i], err)
                                   : make_pooled(m, i, slot->kind, &entries[i], err));
  }
  m->fit.entries = entries;
  m->fit.n_entries = f->n_fits;
  return HY_OK;
}

/* What is written can be read. */
static hy_status check_size(const making *m, const hy_features *f, hy_error *err) {
  size_t n = 0;
  for (size_t i = 0; i < f->n_fits; i++) {
    const bool each = f->fits[i].center.per_symbol;
    n += each ? m->info.n_symbols : 1;
    HY_FAIL_IF(each && m->info.n_symbols > HY__FIT_SYMBOLS_MAX, HY_LIMIT, err,
               "%.60s per symbol: %zu symbols, at most %d", f->fits[i].feature, m->info.n_symbols,
               HY__FIT_SYMBOLS_MAX);
  }
  HY_FAIL_IF(n > HY__FIT_CONSTANTS_MAX, HY_LIMIT, err, "%zu pairs of constants, at most %d", n,
             HY__FIT_CONSTANTS_MAX);
  return HY_OK;
}

/* ---- the range ---- */

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

static hy_status order_symbols(making *m, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(m->arena, m->info.n_symbols, sizeof(named), &memory, err));
  m->by_name = memory;
  for (size_t i = 0; i < m->info.n_symbols; i++)
    m->by_name[i] = (named){.name = m->info.symbols[i], .symbol = i};
  qsort(m->by_name, m->info.n_symbols, sizeof *m->by_name, by_name);
  return HY_OK;
}

static hy_status compute_inputs(making *m, const hy_universe *universe, hy__feature_range range,
                                hy_error *err) {
  void *memory;
  size_t cells;
  const size_t n = m->inputs->n_features;
  m->n_rows = range.t_end - range.t_begin;
  HY_FAIL_IF(!hy__round_up(m->n_rows, HY_LANES, &m->stride) ||
                 !hy__mul(m->stride, m->info.n_symbols, &cells),
             HY_LIMIT, err, "%zu rows of %zu symbols", m->n_rows, m->info.n_symbols);
  HY_TRY(hy__arena_array(m->arena, n, sizeof(double *), &memory, err));
  m->columns = memory;
  for (size_t i = 0; i < n; i++) {
    HY_TRY(hy__arena_array(m->arena, cells, sizeof(double), &memory, err));
    m->columns[i] = memory;
  }
  HY_TRY(hy__arena_array(m->arena, cells, sizeof(double), &memory, err));
  m->values = memory;
  const hy__compute_out out = {.columns = m->columns, .symbol_stride = m->stride};
  return hy__compute_range(m->inputs, universe, range, &out, err);
}

static hy_status name_range(making *m, const hy_features *f, hy__feature_range range,
                            hy_error *err) {
  char from[40], to[40];
  hy__time_format(m->info.time_ns[range.t_begin], from);
  hy__time_format(m->info.time_ns[range.t_end - 1], to);
  m->fit.spec_sha256 = f->spec_sha256;
  m->fit.spec = f->canonical;
  m->fit.n_bars = range.t_end - range.t_begin;
  m->fit.n_symbols = m->info.n_symbols;
  HY_TRY(hy__arena_text(m->arena, from, strlen(from), &m->fit.from, err));
  return hy__arena_text(m->arena, to, strlen(to), &m->fit.to, err);
}

static hy_status make_fit(making *m, const hy_features *f, const hy_universe *universe,
                          const hy_features_fit_options *o, hy_error *err) {
  const hy__feature_range range = {.t_begin = o->t_begin, .t_end = o->t_end};
  m->info.struct_size = sizeof m->info;
  hy_universe_describe(universe, &m->info);
  HY_FAIL_IF(o->t_begin >= o->t_end || o->t_end > m->info.n_bars, HY_INVALID_ARGUMENT, err,
             "rows [%zu, %zu) asked of a universe of %zu bars", o->t_begin, o->t_end,
             m->info.n_bars);
  HY_TRY(check_size(m, f, err));
  HY_TRY(name_range(m, f, range, err));
  HY_TRY(order_symbols(m, err));
  HY_TRY(compute_inputs(m, universe, range, err));
  return make_entries(m, f, err);
}

static hy_status fit_and_write(const hy_features *f, const hy_features *inputs,
                               const hy_universe *universe, const hy_features_fit_options *o,
                               hy_features_fit_report *report, hy_error *err) {
  making m = {.inputs = inputs};
  hy_features_fit_report full = {.struct_size = report ? report->struct_size : 0};
  HY_TRY(hy__arena_create(f->allocator, 0, 0, &m.arena, err));
  hy_status status = make_fit(&m, f, universe, o, err);
  if (status == HY_OK) status = hy__fit_write(f->allocator, &m.fit, o->path, full.sha256, err);
  full.n_features = m.fit.n_entries;
  for (size_t i = 0; i < m.fit.n_entries; i++) full.n_constants += m.fit.entries[i].n;
  if (status == HY_OK && report) memcpy(report, &full, HY_MIN(full.struct_size, sizeof full));
  hy__arena_destroy(m.arena);
  return status;
}

hy_status hy_features_fit(hy_runtime *runtime, const char *spec, const hy_universe *universe,
                          const hy_features_fit_options *options, hy_features_fit_report *report,
                          hy_error *err) {
  HY_FAIL_IF(!runtime || !spec || !universe || !options || !options->path ||
                 options->struct_size != sizeof *options,
             HY_INVALID_ARGUMENT, err,
             "hy_features_fit: runtime, spec, universe, and options with a path must be given");
  const hy__fit_source none = {.none = true}, asked = {.inputs = true};
  hy_features *f = NULL, *inputs = NULL;
  hy_status status = hy__features_create_text(runtime, spec, &none, &f, err);
  if (status == HY_OK && f->n_fits == 0) {
    status = hy__error_set(err, HY_MISMATCH,
                           "the spec has no step of a fit: fit_z, fit_robust or fit_minmax");
    hy__error_subject(err, spec);
  }
  if (status == HY_OK) status = hy__features_create_text(runtime, spec, &asked, &inputs, err);
  if (status == HY_OK) status = fit_and_write(f, inputs, universe, options, report, err);
  hy_features_destroy(inputs);
  hy_features_destroy(f);
  return status;
}
