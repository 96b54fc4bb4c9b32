/* SPDX-License-Identifier: Apache-2.0
 * hy_features_write: a range of features as one .npz, the form that research and other tools read.
 */
#include "feature/batch/compute.h"
#include "feature/program.h"

/* Everything of one file while it is made. */
typedef struct bundle {
  const hy_features *f;
  hy__arena *arena;
  size_t rows, symbols;
  double **columns;
  const char **names;
  hy_tensor *tensors;
  size_t n;
} bundle;

static void add(bundle *b, const char *name, void *data, hy_dtype dtype, int32_t rank,
                const int64_t dims[2]) {
  b->names[b->n] = name;
  b->tensors[b->n++] = (hy_tensor){
      .data = data, .dtype = dtype, .rank = rank, .dims = {dims[0], rank > 1 ? dims[1] : 0}};
}

static hy_status make_columns(bundle *b, hy_error *err) {
  size_t cells;
  void *memory;
  HY_FAIL_IF(!hy__mul(b->rows, b->symbols, &cells), HY_LIMIT, err, "%zu rows of %zu symbols",
             b->rows, b->symbols);
  HY_TRY(hy__arena_array(b->arena, b->f->n_features, sizeof(double *), &memory, err));
  b->columns = memory;
  for (size_t i = 0; i < b->f->n_features; i++) {
    HY_TRY(hy__arena_array(b->arena, cells, sizeof(double), &memory, err));
    b->columns[i] = memory;
  }
  return HY_OK;
}

/* The mask beside each feature; values are narrowed in place. */
static hy_status add_feature(bundle *b, size_t index, hy_dtype dtype, hy_error *err) {
  const int64_t dims[2] = {(int64_t)b->rows, (int64_t)b->symbols};
  size_t cells = b->rows * b->symbols;
  double *values = b->columns[index];
  const char *valid_name;
  void *memory;
  HY_TRY(hy__arena_array(b->arena, cells, 1, &memory, err));
  uint8_t *valid = memory;
  for (size_t c = 0; c < cells; c++) valid[c] = values[c] == values[c];
  if (dtype == HY_F32) {
    uint8_t *bytes = (uint8_t *)values;
    for (size_t c = 0; c < cells; c++) {
      float narrow = (float)values[c];
      memcpy(bytes + c * sizeof narrow, &narrow, sizeof narrow);
    }
  }
  HY_TRY(hy__arena_printf(b->arena, &valid_name, err, "%s.valid", b->f->names[index]));
  add(b, b->f->names[index], values, dtype, 2, dims);
  add(b, valid_name, valid, HY_U8, 2, dims);
  return HY_OK;
}

static hy_status add_axes(bundle *b, const hy_universe_info *info, size_t t_begin, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(b->arena, b->symbols + 3, sizeof(hy_string), &memory, err));
  hy_string *texts = memory;
  for (size_t i = 0; i < b->symbols; i++)
    texts[i] = (hy_string){.data = info->symbols[i], .len_bytes = strlen(info->symbols[i])};
  texts[b->symbols] = (hy_string){.data = b->f->spec_sha256, .len_bytes = 64};
  texts[b->symbols + 1] = (hy_string){.data = b->f->fit_sha256, .len_bytes = 64};
  texts[b->symbols + 2] =
      (hy_string){.data = b->f->canonical, .len_bytes = strlen(b->f->canonical)};
  HY_TRY(hy__arena_array(b->arena, b->rows, sizeof(int64_t), &memory, err));
  memcpy(memory, info->time_ns + t_begin, b->rows * sizeof(int64_t));
  add(b, "time", memory, HY_I64, 1, (int64_t[2]){(int64_t)b->rows});
  add(b, "symbol", texts, HY_STRING, 1, (int64_t[2]){(int64_t)b->symbols});
  add(b, "hayate.spec_sha256", texts + b->symbols, HY_STRING, 0, (int64_t[2]){0});
  add(b, "hayate.spec", texts + b->symbols + 2, HY_STRING, 0, (int64_t[2]){0});
  if (b->f->n_fits)
    add(b, "hayate.fit_sha256", texts + b->symbols + 1, HY_STRING, 0, (int64_t[2]){0});
  return HY_OK;
}

static hy_status fill_bundle(bundle *b, const hy_universe *universe,
                             const hy_features_write_options *o, hy_error *err) {
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(universe, &info);
  size_t t_end = o->t_end ? o->t_end : info.n_bars, n = 2 * b->f->n_features + 5;
  HY_FAIL_IF(o->t_begin >= t_end || t_end > info.n_bars, HY_INVALID_ARGUMENT, err,
             "rows [%zu, %zu) asked of a universe of %zu bars", o->t_begin, t_end, info.n_bars);
  void *memory[2];
  HY_TRY(hy__arena_array(b->arena, n, sizeof(char *), &memory[0], err));
  HY_TRY(hy__arena_array(b->arena, n, sizeof(hy_tensor), &memory[1], err));
  b->names = memory[0];
  b->tensors = memory[1];
  b->rows = t_end - o->t_begin;
  b->symbols = info.n_symbols;
  HY_TRY(make_columns(b, err));
  hy__feature_range range = {.t_begin = o->t_begin, .t_end = t_end};
  hy__compute_out out = {
      .columns = b->columns, .progress = o->progress, .progress_ctx = o->progress_ctx};
  HY_TRY(hy__compute_range(b->f, universe, range, &out, err));
  for (size_t i = 0; i < b->f->n_features; i++)
    HY_TRY(add_feature(b, i, o->dtype == HY_F32 ? HY_F32 : HY_F64, err));
  return add_axes(b, &info, o->t_begin, err);
}

hy_status hy_features_write(const hy_features *f, const hy_universe *universe,
                            const hy_features_write_options *options, hy_error *err) {
  HY_FAIL_IF(!f || !universe || !options || !options->path, HY_INVALID_ARGUMENT, err,
             "hy_features_write: features, universe and a path must be given");
  hy_features_write_options o = {0};
  memcpy(&o, options, HY_MIN(options->struct_size, sizeof o));
  HY_FAIL_IF(o.dtype != HY_DTYPE_NONE && o.dtype != HY_F64 && o.dtype != HY_F32,
             HY_INVALID_ARGUMENT, err, "features are written as f8 or f4");
  bundle b = {.f = f};
  HY_TRY(hy__arena_create(f->allocator, 0, 0, &b.arena, err));
  hy_status status = fill_bundle(&b, universe, &o, err);
  if (status == HY_OK) status = hy_arrays_write(f->runtime, o.path, b.names, b.tensors, b.n, err);
  hy__arena_destroy(b.arena);
  return status;
}
