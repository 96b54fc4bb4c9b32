/* SPDX-License-Identifier: Apache-2.0
 * Universe files through the HDF5 library, which enters the product here alone. Opening asks the
 * library where every tile lies and then maps the file, so that plain data is read in place and by
 * any thread; compressed data and foreign number types stay behind the library and its lock. */
#define H5_USE_110_API
#include <hdf5.h>

#include <math.h>
#include <pthread.h>

#include "market/hdf5.h"

enum {
  TILES_MAX = 1 << 18, /* a finer cut is read through the library */
  ATTRIBUTE_BYTES_MAX = 4096,
  CHUNK_CACHE_BYTES_MAX = 32 << 20,
  TILE_BARS_MAX = 1 << 22,      /* 256 MiB: one tile holds a block of most universes whole */
  PACKED_BARS_MAX = 8192,       /* 512 KiB a tile: within HDF5's chunk cache of 1 MiB */
  PACKED_BYTES_MAX = 256 << 20, /* of a foreign packed tile: each read may unpack all of it */
  PACKED_RATIO_MAX = 1032,      /* deflate cannot pack better (zlib, "tech details") */
  ALIGN_BYTES = 64 /* tiles start on a cache line, and follow each other without gaps */
};

/* The library's state is one per process (it has no contexts), so its lock is too. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct visit {
  H5E_auto2_t report;
  void *report_ctx;
} visit;

/* Takes the lock and silences the library's own printing, for this visit alone. */
static visit enter(void) {
  visit v = {NULL, NULL};
  pthread_mutex_lock(&library_lock);
  /* At exit the library would close again what it failed to close on a full disk, and crash. Files
   * are closed here; once the library is in use, by us or another, this does nothing. */
  (void)H5dont_atexit();
  H5Eget_auto2(H5E_DEFAULT, &v.report, &v.report_ctx);
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  return v;
}

static void leave(visit v) {
  H5Eset_auto2(H5E_DEFAULT, v.report, v.report_ctx);
  pthread_mutex_unlock(&library_lock);
}

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *ctx) {
  const char **text = ctx;
  if (n == 0 && e->desc) *text = e->desc;
  return 0;
}

/* The library's innermost reason; call it before anything else clears the library's stack. Where
 * the system failed, its own words stand there among times and addresses. */
static hy_status refuse(hy_error *err, hy_status status, const char *what) {
  static const char quote[] = "error message = '";
  const char *reason = "no reason given";
  (void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &reason);
  const char *system = strstr(reason, quote);
  if (system) reason = system + sizeof quote - 1;
  HY_FAIL(status, err, "%s: %.*s", what, (int)strcspn(reason, system ? "'" : "\r\n"), reason);
}

struct hy__hdf5_file {
  const hy_allocator *allocator;
  hid_t file;
  hid_t datasets[HY_UNIVERSE_FIELDS_MAX + 1]; /* of planes read through the library */
  size_t n_datasets;
};

/* What opening carries along. */
typedef struct opening {
  hy_universe *u;
  hid_t file, dataset; /* dataset: the one being looked at, closed by the caller if left open */
  size_t user_block_bytes;
  const char *names[HY_UNIVERSE_FIELDS_MAX];
  size_t n_names;
  bool has_time, has_symbol, has_valid;
  const char *linked; /* the first name that is a link to elsewhere */
  hy_status status;
} opening;

/* --- texts --- */

static hy_status copy_text(hy__arena *arena, const char *text, size_t bytes, const char **out,
                           hy_error *err) {
  size_t n = 0;
  while (n < bytes && text[n]) n++;
  return hy__arena_text(arena, text, n, out, err);
}

static hy_status read_text(hid_t attribute, hid_t type, hy__arena *arena, const char **out,
                           hy_error *err) {
  const size_t bytes = H5Tget_size(type);
  if (H5Tis_variable_str(type) > 0) {
    char *text = NULL;
    if (H5Aread(attribute, type, &text) < 0) return refuse(err, HY_BAD_FORMAT, "attribute");
    hy_status status = HY_OK;
    if (text) status = copy_text(arena, text, ATTRIBUTE_BYTES_MAX, out, err);
    H5free_memory(text);
    return status;
  }
  char fixed[ATTRIBUTE_BYTES_MAX];
  HY_FAIL_IF(bytes > sizeof fixed, HY_LIMIT, err, "a text of %zu bytes; the limit is %zu", bytes,
             sizeof fixed);
  if (H5Aread(attribute, type, fixed) < 0) return refuse(err, HY_BAD_FORMAT, "attribute");
  return copy_text(arena, fixed, bytes, out, err);
}

/* A missing attribute leaves *out alone. */
static hy_status attribute_text(opening *o, const char *name, const char **out, hy_error *err) {
  if (H5Aexists(o->file, name) <= 0) return HY_OK;
  const hid_t attribute = H5Aopen(o->file, name, H5P_DEFAULT);
  if (attribute < 0) return refuse(err, HY_BAD_FORMAT, name);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  hy_status status;
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
    status = hy__error_set(err, HY_BAD_FORMAT, "expected one text");
  else
    status = read_text(attribute, type, o->u->arena, out, err);
  H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
  if (status != HY_OK) hy__error_prefix(err, "attribute %s", name);
  return status;
}

static hy_status check_version(opening *o, hy_error *err) {
  if (H5Aexists(o->file, "hayate_universe") <= 0) return HY_OK;
  const hid_t attribute = H5Aopen(o->file, "hayate_universe", H5P_DEFAULT);
  const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
  int64_t version = -1;
  if (H5Tget_class(type) == H5T_INTEGER && H5Sget_simple_extent_npoints(space) == 1)
    (void)H5Aread(attribute, H5T_NATIVE_INT64, &version);
  H5Sclose(space), H5Tclose(type), H5Aclose(attribute);
  HY_FAIL_IF(version != 1, HY_UNSUPPORTED, err,
             "attribute hayate_universe: expected version 1, found %lld", (long long)version);
  return HY_OK;
}

/* --- the root's names --- */

static herr_t note_name(hid_t group, const char *name, const H5L_info_t *info, void *ctx) {
  opening *o = ctx;
  H5O_info_t object;
  if (info->type != H5L_TYPE_HARD) {
    if (!o->linked) o->status = hy__arena_text(o->u->arena, name, strlen(name), &o->linked, NULL);
    return o->status == HY_OK ? 0 : 1;
  }
  if (H5Oget_info_by_name(group, name, &object, H5P_DEFAULT) < 0) return -1;
  if (object.type != H5O_TYPE_DATASET) return 0;
  if (strcmp(name, "time") == 0)
    o->has_time = true;
  else if (strcmp(name, "symbol") == 0)
    o->has_symbol = true;
  else if (strcmp(name, "valid") == 0)
    o->has_valid = true;
  else if (o->n_names == HY_UNIVERSE_FIELDS_MAX)
    o->status = HY_LIMIT;
  else
    o->status = hy__arena_text(o->u->arena, name, strlen(name), &o->names[o->n_names++], NULL);
  return o->status == HY_OK ? 0 : 1;
}

/* The five first, then by name: the library lists by name already. */
static void sort_fields(const char **names, size_t n) {
  for (size_t k = 1; k < n; k++) {
    const char *name = names[k];
    size_t at = k;
    for (; at > 0 && hy__universe_field_rank(names[at - 1]) > hy__universe_field_rank(name); at--)
      names[at] = names[at - 1];
    names[at] = name;
  }
}

static hy_status list_names(opening *o, hy_error *err) {
  if (H5Literate(o->file, H5_INDEX_NAME, H5_ITER_INC, NULL, note_name, o) < 0)
    return refuse(err, HY_BAD_FORMAT, "the list of datasets");
  HY_FAIL_IF(o->status == HY_LIMIT, HY_LIMIT, err, "more than %d fields",
             (int)HY_UNIVERSE_FIELDS_MAX);
  HY_FAIL_IF(o->status != HY_OK, o->status, err, "the names of the datasets could not be kept");
  HY_FAIL_IF(o->linked, HY_UNSUPPORTED, err,
             "/%s is a soft or external link; a universe holds its data itself", o->linked);
  HY_FAIL_IF(!o->has_time, HY_BAD_FORMAT, err,
             "no dataset /time: expected int64 nanoseconds UTC, one per bar");
  HY_FAIL_IF(!o->has_symbol, HY_BAD_FORMAT, err,
             "no dataset /symbol: expected one text per column");
  HY_FAIL_IF(o->n_names == 0, HY_BAD_FORMAT, err,
             "no field: expected a dataset [time, symbol] such as /close");
  sort_fields(o->names, o->n_names);
  return HY_OK;
}

/* --- datasets --- */

/* Dims of the open dataset; -1 for what is not a simple array of at most two. */
static int dataset_dims(hid_t dataset, hsize_t dims[2]) {
  const hid_t space = H5Dget_space(dataset);
  int rank = -1;
  if (H5Sget_simple_extent_type(space) == H5S_SIMPLE) rank = H5Sget_simple_extent_ndims(space);
  if (rank > 2) rank = -1;
  dims[0] = dims[1] = 1;
  if (rank > 0 && H5Sget_simple_extent_dims(space, dims, NULL) < 0) rank = -1;
  H5Sclose(space);
  return rank;
}

/* Data that lies in other files would be read with this process's rights: never. */
static hy_status check_storage(hid_t dataset, const char *name, hy_error *err) {
  const hid_t plist = H5Dget_create_plist(dataset);
  const bool elsewhere = H5Pget_layout(plist) == H5D_VIRTUAL || H5Pget_external_count(plist) != 0;
  H5Pclose(plist);
  HY_FAIL_IF(elsewhere, HY_UNSUPPORTED, err, "/%s keeps its data in another file", name);
  return HY_OK;
}

static hy_status open_dataset(opening *o, const char *name, hy_error *err) {
  o->dataset = H5Dopen2(o->file, name, H5P_DEFAULT);
  if (o->dataset < 0) {
    hy_status status = refuse(err, HY_BAD_FORMAT, "cannot be opened");
    hy__error_prefix(err, "/%s", name);
    return status;
  }
  return check_storage(o->dataset, name, err);
}

static void close_dataset(opening *o) {
  if (o->dataset >= 0) H5Dclose(o->dataset);
  o->dataset = -1;
}

/* A few bytes of file can state dims of gigabytes that nobody wrote. */
static hy_status check_written(const opening *o, const char *name, size_t n, size_t each,
                               hy_error *err) {
  const hsize_t stored = H5Dget_storage_size(o->dataset);
  HY_FAIL_IF(stored == 0, HY_BAD_FORMAT, err, "/%s: was never written", name);
  HY_FAIL_IF((hsize_t)n * each / PACKED_RATIO_MAX > stored, HY_BAD_FORMAT, err,
             "/%s: states %zu elements in %llu bytes: was never written whole", name, n,
             (unsigned long long)stored);
  return HY_OK;
}

static hy_status read_time(opening *o, hy_error *err) {
  hsize_t dims[2];
  HY_TRY(open_dataset(o, "time", err));
  const int rank = dataset_dims(o->dataset, dims);
  HY_FAIL_IF(rank != 1, HY_BAD_FORMAT, err, "/time: expected one dimension");
  HY_FAIL_IF(dims[0] == 0, HY_BAD_FORMAT, err, "/time: no bars");
  HY_FAIL_IF(dims[0] > HY_UNIVERSE_BARS_MAX, HY_LIMIT, err, "/time: %llu bars; the limit is %d",
             (unsigned long long)dims[0], (int)HY_UNIVERSE_BARS_MAX);
  const hid_t type = H5Dget_type(o->dataset);
  const bool good = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 8;
  const bool native = good && H5Tequal(type, H5T_STD_I64LE) > 0;
  H5Tclose(type);
  HY_FAIL_IF(!good, HY_BAD_FORMAT, err,
             "/time: expected int64 (nanoseconds UTC of the bar's close)");
  const size_t n = (size_t)dims[0];
  HY_TRY(check_written(o, "time", n, 8, err));
  const haddr_t at = native && !o->user_block_bytes ? H5Dget_offset(o->dataset) : HADDR_UNDEF;
  if (at != HADDR_UNDEF && at % 8 == 0 && at <= o->u->map.bytes && n * 8 <= o->u->map.bytes - at) {
    o->u->info.time_ns = (const int64_t *)(const void *)(o->u->map.data + at);
  } else {
    void *memory;
    HY_TRY(hy__arena_array(o->u->arena, n, 8, &memory, err));
    if (H5Dread(o->dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory) < 0)
      return refuse(err, HY_BAD_FORMAT, "/time");
    o->u->info.time_ns = memory;
  }
  o->u->info.n_bars = n;
  close_dataset(o);
  hy_status status = hy__universe_check_time(o->u->info.time_ns, n, err);
  if (status != HY_OK) hy__error_prefix(err, "/time");
  return status;
}

static hy_status read_variable_symbols(opening *o, hid_t type, const char **names, hy_error *err) {
  const size_t n = o->u->info.n_symbols;
  void *memory;
  HY_TRY(hy__alloc_zero(o->u->allocator, n * sizeof(char *), &memory, err));
  char **texts = memory;
  hy_status status = HY_OK;
  const hid_t space = H5Dget_space(o->dataset);
  if (H5Dread(o->dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0)
    status = refuse(err, HY_BAD_FORMAT, "/symbol");
  for (size_t k = 0; status == HY_OK && k < n; k++)
    status =
        copy_text(o->u->arena, texts[k] ? texts[k] : "", HY_UNIVERSE_NAME_MAX + 1, &names[k], err);
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts);
  H5Sclose(space);
  hy__free(o->u->allocator, memory, n * sizeof(char *));
  return status;
}

static hy_status read_fixed_symbols(opening *o, hid_t type, const char **names, hy_error *err) {
  const size_t n = o->u->info.n_symbols, each = H5Tget_size(type);
  HY_FAIL_IF(each == 0 || each > ATTRIBUTE_BYTES_MAX, HY_LIMIT, err,
             "/symbol: texts of %zu bytes; the limit is %d", each, (int)ATTRIBUTE_BYTES_MAX);
  HY_TRY(check_written(o, "symbol", n, each, err));
  void *memory;
  HY_TRY(hy__alloc_array(o->u->allocator, n, each, &memory, err));
  hy_status status = HY_OK;
  if (H5Dread(o->dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, memory) < 0)
    status = refuse(err, HY_BAD_FORMAT, "/symbol");
  for (size_t k = 0; status == HY_OK && k < n; k++)
    status = copy_text(o->u->arena, (const char *)memory + k * each, each, &names[k], err);
  hy__free(o->u->allocator, memory, n * each);
  return status;
}

static hy_status read_symbols(opening *o, hy_error *err) {
  hsize_t dims[2];
  HY_TRY(open_dataset(o, "symbol", err));
  HY_FAIL_IF(dataset_dims(o->dataset, dims) != 1 || dims[0] == 0, HY_BAD_FORMAT, err,
             "/symbol: expected one dimension, and at least one symbol");
  HY_FAIL_IF(dims[0] > HY_UNIVERSE_SYMBOLS_MAX, HY_LIMIT, err,
             "/symbol: %llu symbols; the limit is %d", (unsigned long long)dims[0],
             (int)HY_UNIVERSE_SYMBOLS_MAX);
  HY_TRY(check_written(o, "symbol", (size_t)dims[0], 1, err));
  o->u->info.n_symbols = (size_t)dims[0];
  void *memory;
  HY_TRY(hy__arena_array(o->u->arena, (size_t)dims[0], sizeof(char *), &memory, err));
  const char **names = memory;
  const hid_t type = H5Dget_type(o->dataset);
  hy_status status;
  if (H5Tget_class(type) != H5T_STRING)
    status = hy__error_set(err, HY_BAD_FORMAT, "/symbol: expected texts");
  else if (H5Tis_variable_str(type) > 0)
    status = read_variable_symbols(o, type, names, err);
  else
    status = read_fixed_symbols(o, type, names, err);
  H5Tclose(type);
  HY_TRY(status);
  close_dataset(o);
  o->u->info.symbols = names;
  return hy__universe_check_names(o->u->allocator, "/symbol", names, o->u->info.n_symbols, err);
}

/* --- where the tiles lie --- */

static bool cell_of(hid_t type, bool is_mask, hy__cell *cell) {
  if (is_mask && H5Tget_size(type) == 1) {
    *cell = HY_CELL_U8;
    return true;
  }
  if (is_mask) return false;
  *cell = H5Tequal(type, H5T_IEEE_F64LE) > 0 ? HY_CELL_F64 : HY_CELL_F32;
  return *cell == HY_CELL_F64 || H5Tequal(type, H5T_IEEE_F32LE) > 0;
}

/* HADDR_UNDEF: never written, or not of that size; the library knows what stands there. */
static hy_status tile_offset(const opening *o, const hsize_t corner[2], size_t tile_bytes,
                             haddr_t *out, hy_error *err) {
  unsigned filters = 0;
  hsize_t bytes = 0;
  *out = HADDR_UNDEF;
  if (H5Dget_chunk_info_by_coord(o->dataset, corner, &filters, out, &bytes) < 0)
    return refuse(err, HY_BAD_FORMAT, "where its tiles lie");
  if (bytes != tile_bytes) *out = HADDR_UNDEF;
  if (*out == HADDR_UNDEF) return HY_OK;
  HY_FAIL_IF(*out > o->u->map.bytes || tile_bytes > o->u->map.bytes - *out, HY_BAD_FORMAT, err,
             "truncated, a tile ends past the file's %zu bytes", o->u->map.bytes);
  return HY_OK;
}

/* Without an index the tiles lie one after the other; asking for each costs a walk over those
 * before. */
static hy_status find_tiles(opening *o, const hy__plane *p, size_t tile_bytes, size_t n_tiles,
                            size_t *offset, bool *found, hy_error *err) {
  H5D_chunk_index_t kind = H5D_CHUNK_IDX_BTREE;
  const bool in_a_row =
      H5Dget_chunk_index_type(o->dataset, &kind) >= 0 && kind == H5D_CHUNK_IDX_NONE;
  for (size_t k = 0; k < n_tiles; k++) {
    const hsize_t corner[2] = {k / p->n_tile_columns * p->tile_bars,
                               k % p->n_tile_columns * p->tile_symbols};
    haddr_t at;
    if (in_a_row && k > 0 && k + 1 < n_tiles) {
      offset[k] = offset[0] + k * tile_bytes;
      continue;
    }
    HY_TRY(tile_offset(o, corner, tile_bytes, &at, err));
    *found = at != HADDR_UNDEF && (!in_a_row || k == 0 || at == offset[0] + k * tile_bytes);
    if (!*found) return HY_OK;
    offset[k] = (size_t)at;
  }
  return HY_OK;
}

static hy_status tile_offsets(opening *o, const char *name, hy__plane *p, hy_error *err) {
  const hy_universe *u = o->u;
  const size_t rows = (u->info.n_bars + p->tile_bars - 1) / p->tile_bars;
  const size_t cell_bytes = p->cell == HY_CELL_F64 ? 8 : p->cell == HY_CELL_F32 ? 4 : 1;
  const int64_t dims[2] = {(int64_t)p->tile_bars, (int64_t)p->tile_symbols};
  size_t tile_bytes;
  bool found = false;
  if (rows * p->n_tile_columns > TILES_MAX || !hy__shape_bytes(dims, 2, cell_bytes, &tile_bytes))
    return HY_OK;
  void *memory;
  HY_TRY(hy__arena_array(u->arena, rows * p->n_tile_columns, sizeof(size_t), &memory, err));
  hy_status status = find_tiles(o, p, tile_bytes, rows * p->n_tile_columns, memory, &found, err);
  if (status != HY_OK) hy__error_prefix(err, "/%s", name);
  if (!found) return status;
  p->offset = memory;
  p->base = u->map.data;
  return status;
}

static hy_status whole_offset(opening *o, const char *name, hy__plane *p, hy_error *err) {
  const int64_t dims[2] = {(int64_t)o->u->info.n_bars, (int64_t)o->u->info.n_symbols};
  const haddr_t at = H5Dget_offset(o->dataset);
  size_t bytes;
  void *memory;
  if (at == HADDR_UNDEF) return HY_OK;
  HY_FAIL_IF(!hy__shape_bytes(dims, 2,
                              p->cell == HY_CELL_F64   ? 8
                              : p->cell == HY_CELL_F32 ? 4
                                                       : 1,
                              &bytes) ||
                 at > o->u->map.bytes || bytes > o->u->map.bytes - at,
             HY_BAD_FORMAT, err, "/%s: truncated, it ends past the file's %zu bytes", name,
             o->u->map.bytes);
  HY_TRY(hy__arena_array(o->u->arena, 1, sizeof(size_t), &memory, err));
  *(size_t *)memory = (size_t)at;
  p->offset = memory;
  p->base = o->u->map.data;
  return HY_OK;
}

/* Leaves base NULL where the data cannot be read in place. */
static hy_status locate(opening *o, const char *name, bool is_mask, hy__plane *p, hy_error *err) {
  const hid_t plist = H5Dget_create_plist(o->dataset), type = H5Dget_type(o->dataset);
  const H5D_layout_t layout = H5Pget_layout(plist);
  const bool plain =
      H5Pget_nfilters(plist) == 0 && cell_of(type, is_mask, &p->cell) && o->user_block_bytes == 0;
  hsize_t tile[2] = {o->u->info.n_bars, o->u->info.n_symbols};
  if (layout == H5D_CHUNKED && H5Pget_chunk(plist, 2, tile) != 2) tile[0] = tile[1] = 1;
  const size_t cell_bytes = H5Tget_size(type);
  const bool too_large = H5Pget_nfilters(plist) > 0 && layout == H5D_CHUNKED &&
                         tile[0] > PACKED_BYTES_MAX / cell_bytes / tile[1];
  H5Tclose(type), H5Pclose(plist);
  HY_FAIL_IF(too_large, HY_LIMIT, err,
             "/%s: packed tiles of %llu x %llu cells; the limit is %d MiB unpacked", name,
             (unsigned long long)tile[0], (unsigned long long)tile[1], PACKED_BYTES_MAX >> 20);
  p->tile_bars = (size_t)tile[0], p->tile_symbols = (size_t)tile[1];
  p->n_tile_columns = (o->u->info.n_symbols + p->tile_symbols - 1) / p->tile_symbols;
  if (!plain) return HY_OK;
  if (layout == H5D_CHUNKED) return tile_offsets(o, name, p, err);
  return layout == H5D_CONTIGUOUS ? whole_offset(o, name, p, err) : HY_OK;
}

/* Keeps the dataset open, with room in its cache for one column of tiles. */
static hy_status keep_open(opening *o, const char *name, hy__plane *p, hy_error *err) {
  hy_universe *u = o->u;
  void *memory;
  if (!u->file) {
    HY_TRY(hy__alloc_zero(u->allocator, sizeof(hy__hdf5_file), &memory, err));
    u->file = memory;
    u->file->allocator = u->allocator;
    u->file->file = -1;
  }
  close_dataset(o);
  const double want = (double)(u->info.n_bars + p->tile_bars) * (double)p->tile_symbols * 8.0;
  const size_t bytes =
      want < 1 << 20 ? 1 << 20 : HY_MIN((size_t)want, (size_t)CHUNK_CACHE_BYTES_MAX);
  const hid_t plist = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(plist, 1009, bytes, 1.0);
  const hid_t dataset = H5Dopen2(o->file, name, plist);
  hy_status status = dataset < 0 ? refuse(err, HY_BAD_FORMAT, name) : HY_OK;
  H5Pclose(plist);
  HY_TRY(status);
  u->file->datasets[u->file->n_datasets++] = dataset;
  p->dataset = dataset;
  return HY_OK;
}

static hy_status check_number(opening *o, const char *name, bool is_mask, hy_error *err) {
  hsize_t dims[2];
  const hy_universe_info *i = &o->u->info;
  const int rank = dataset_dims(o->dataset, dims);
  HY_FAIL_IF(rank != 2 || dims[0] != i->n_bars || dims[1] != i->n_symbols, HY_BAD_FORMAT, err,
             "/%s: expected the shape [%zu, %zu] of /time and /symbol", name, i->n_bars,
             i->n_symbols);
  const hid_t type = H5Dget_type(o->dataset);
  const H5T_class_t kind = H5Tget_class(type);
  const bool good = is_mask ? (kind == H5T_INTEGER || kind == H5T_ENUM) && H5Tget_size(type) == 1
                            : kind == H5T_FLOAT || kind == H5T_INTEGER;
  H5Tclose(type);
  HY_FAIL_IF(!good, HY_BAD_FORMAT, err, "/%s: expected %s", name,
             is_mask ? "one byte per cell, 0 or 1" : "float64 (or another number)");
  return HY_OK;
}

static hy_status open_plane(opening *o, const char *name, bool is_mask, hy__plane *p,
                            hy_error *err) {
  HY_TRY(open_dataset(o, name, err));
  HY_TRY(check_number(o, name, is_mask, err));
  HY_TRY(locate(o, name, is_mask, p, err));
  if (!p->base) HY_TRY(keep_open(o, name, p, err));
  close_dataset(o);
  return HY_OK;
}

static hy_status open_planes(opening *o, hy_error *err) {
  hy_universe *u = o->u;
  void *planes, *names;
  HY_TRY(hy__arena_array(u->arena, o->n_names, sizeof(hy__plane), &planes, err));
  HY_TRY(hy__arena_array(u->arena, o->n_names, sizeof(char *), &names, err));
  u->fields = planes;
  memcpy(names, o->names, o->n_names * sizeof(char *));
  u->info.fields = names;
  u->info.n_fields = o->n_names;
  HY_TRY(hy__universe_check_names(u->allocator, "field", u->info.fields, o->n_names, err));
  for (size_t k = 0; k < o->n_names; k++)
    HY_TRY(open_plane(o, o->names[k], false, &u->fields[k], err));
  u->has_valid = o->has_valid;
  return o->has_valid ? open_plane(o, "valid", true, &u->valid, err) : HY_OK;
}

static hy_status open_file(opening *o, const char *path, hy_error *err) {
  const hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(plist, false, true); /* files appear whole, by a rename */
  o->file = H5Fopen(path, H5F_ACC_RDONLY, plist);
  hy_status status = HY_OK; /* the reason is gone once the library is called again */
  if (o->file < 0)
    status = refuse(err, HY_BAD_FORMAT,
                    "not a readable HDF5 file; hayate import makes a universe of other files");
  H5Pclose(plist);
  HY_TRY(status);
  hsize_t user_block = 0;
  const hid_t create = H5Fget_create_plist(o->file);
  H5Pget_userblock(create, &user_block);
  H5Pclose(create);
  o->user_block_bytes = (size_t)user_block;
  return HY_OK;
}

static hy_status open_all(opening *o, const char *path, hy_error *err) {
  hy_universe_info *i = &o->u->info;
  HY_TRY(open_file(o, path, err));
  i->timeframe = i->calendar = i->source = "";
  i->zone = "UTC";
  HY_TRY(check_version(o, err));
  HY_TRY(attribute_text(o, "timeframe", &i->timeframe, err));
  HY_TRY(attribute_text(o, "zone", &i->zone, err));
  HY_TRY(attribute_text(o, "calendar", &i->calendar, err));
  HY_TRY(attribute_text(o, "source", &i->source, err));
  HY_TRY(list_names(o, err));
  HY_TRY(read_time(o, err));
  HY_TRY(read_symbols(o, err));
  return open_planes(o, err);
}

hy_status hy__hdf5_open(hy_universe *u, const char *path, hy_error *err) {
  HY_TRY(hy__map_open(path, &u->map, err));
  HY_FAIL_IF(u->map.bytes == 0, HY_BAD_FORMAT, err, "empty file; expected a universe (HDF5)");
  opening o = {.u = u, .file = -1, .dataset = -1, .status = HY_OK};
  const visit v = enter();
  hy_status status = open_all(&o, path, err);
  close_dataset(&o);
  if (status == HY_OK && u->file)
    u->file->file = o.file;
  else if (o.file >= 0)
    H5Fclose(o.file);
  leave(v);
  return status;
}

void hy__hdf5_close(hy__hdf5_file *file) {
  if (!file) return;
  const visit v = enter();
  for (size_t k = 0; k < file->n_datasets; k++) H5Dclose(file->datasets[k]);
  if (file->file >= 0) H5Fclose(file->file);
  leave(v);
  hy__free(file->allocator, file, sizeof *file);
}

hy_status hy__hdf5_read(const hy__plane *plane, const hy__hdf5_window *w, double *out,
                        hy_error *err) {
  const hsize_t from[2] = {w->t_begin, w->symbol_begin};
  const hsize_t count[2] = {w->t_end - w->t_begin, w->n_symbols};
  const hsize_t memory_dims[2] = {count[0], HY_LANES}, zero[2] = {0, 0};
  memset(out, 0, count[0] * HY_LANES * sizeof(double));
  const visit v = enter();
  const hid_t space = H5Dget_space(plane->dataset), memory = H5Screate_simple(2, memory_dims, NULL);
  /* a numpy bool is an enum, which the library does not convert to a number: read it as bytes */
  hy_status status = HY_OK;
  const hid_t type = H5Dget_type(plane->dataset);
  const bool is_enum = H5Tget_class(type) == H5T_ENUM;
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, count, NULL) < 0 ||
      H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL) < 0 ||
      H5Dread(plane->dataset, is_enum ? type : H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) <
          0)
    status = refuse(err, HY_BAD_FORMAT, "data could not be read");
  H5Tclose(type), H5Sclose(memory), H5Sclose(space);
  leave(v);
  if (status == HY_OK && is_enum)
    for (size_t k = (size_t)memory_dims[0] * HY_LANES; k-- > 0;) out[k] = ((const uint8_t *)out)[k];
  return status;
}

/* --- writing --- */

struct hy__hdf5_writer {
  const hy_allocator *allocator;
  hy__hdf5_head head;
  hy__outfile out;
  hid_t file;
  hid_t datasets[HY_UNIVERSE_FIELDS_MAX];
  hid_t valid;
  size_t tile_bars;
  uint8_t *tile; /* the last tile with its rows past the end filled up */
};

size_t hy__hdf5_tile_bars(size_t n_bars, bool compress) {
  const size_t most = compress ? PACKED_BARS_MAX : TILE_BARS_MAX;
  const size_t n_tiles = (n_bars + most - 1) / most;
  const size_t even = n_tiles ? (n_bars + n_tiles - 1) / n_tiles : 1;
  return n_tiles <= 1 ? even : (even + 7) / 8 * 8;
}

static hid_t text_type(void) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

static herr_t write_attribute(hid_t file, const char *name, hid_t type, const void *value) {
  const hid_t space = H5Screate(H5S_SCALAR);
  const hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  const herr_t done = attribute < 0 ? -1 : H5Awrite(attribute, type, value);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return done;
}

static herr_t write_attributes(const hy__hdf5_writer *w) {
  const char *const names[4] = {"timeframe", "zone", "calendar", "source"};
  const char *const texts[4] = {w->head.timeframe, w->head.zone, w->head.calendar, w->head.source};
  const int64_t version = 1;
  herr_t done = write_attribute(w->file, "hayate_universe", H5T_STD_I64LE, &version);
  const hid_t type = text_type();
  for (int k = 0; done >= 0 && k < 4; k++) {
    const char *text = texts[k] ? texts[k] : "";
    done = write_attribute(w->file, names[k], type, &text);
  }
  H5Tclose(type);
  return done;
}

static herr_t write_list(hid_t file, const char *name, hid_t type, hsize_t n, const void *data) {
  const hid_t space = H5Screate_simple(1, &n, NULL), plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(plist, false);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  const herr_t done =
      dataset < 0 ? -1 : H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(plist), H5Sclose(space);
  return done;
}

static hid_t create_plane(const hy__hdf5_writer *w, const char *name, hid_t type) {
  const hsize_t dims[2] = {w->head.n_bars, w->head.n_symbols};
  /* a tile may be wider than the data only where the data may grow; the library refuses it else */
  const hsize_t max[2] = {dims[0], dims[1] < HY_LANES ? HY_LANES : dims[1]};
  const hsize_t tile[2] = {w->tile_bars, HY_LANES};
  const double missing = (double)NAN;
  const hid_t space = H5Screate_simple(2, dims, max), plist = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_obj_track_times(plist, false);
  H5Pset_chunk(plist, 2, tile);
  H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
  if (type == H5T_IEEE_F64LE) H5Pset_fill_value(plist, H5T_NATIVE_DOUBLE, &missing);
  if (w->head.compress)
    H5Pset_shuffle(plist), H5Pset_deflate(plist, 4);
  else
    H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY); /* tile after tile, without an index */
  const hid_t dataset = H5Dcreate2(w->file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  H5Pclose(plist), H5Sclose(space);
  return dataset;
}

static hy_status create_file(hy__hdf5_writer *w, hy_error *err) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS), create = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_obj_track_times(create, false);
  H5Pset_file_locking(access, false, true);
  H5Pset_alignment(access, 4096, ALIGN_BYTES);
  /* the format of HDF5 1.10 has the index that is none; finding tiles by the older one is quadratic
   */
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  w->file = H5Fcreate(w->out.temporary, H5F_ACC_TRUNC, create, access);
  hy_status status = w->file < 0 ? refuse(err, HY_IO, "cannot be created") : HY_OK;
  H5Pclose(create), H5Pclose(access);
  return status;
}

static hy_status create_all(hy__hdf5_writer *w, hy_error *err) {
  HY_TRY(create_file(w, err));
  const hid_t text = text_type();
  const herr_t listed = write_list(w->file, "symbol", text, w->head.n_symbols, w->head.symbols);
  H5Tclose(text);
  if (listed < 0 || write_attributes(w) < 0 ||
      write_list(w->file, "time", H5T_STD_I64LE, w->head.n_bars, w->head.time_ns) < 0)
    return refuse(err, HY_IO, "the heads could not be written");
  for (size_t k = 0; k < w->head.n_fields; k++) {
    w->datasets[k] = create_plane(w, w->head.fields[k], H5T_IEEE_F64LE);
    if (w->datasets[k] < 0) return refuse(err, HY_IO, w->head.fields[k]);
  }
  w->valid = create_plane(w, "valid", H5T_STD_U8LE);
  return w->valid < 0 ? refuse(err, HY_IO, "valid") : HY_OK;
}

static hy_status check_head(const hy_allocator *a, const hy__hdf5_head *h, hy_error *err) {
  HY_FAIL_IF(h->n_bars == 0 || h->n_symbols == 0 || h->n_fields == 0, HY_INVALID_ARGUMENT, err,
             "a universe needs at least one bar, one symbol and one field");
  HY_FAIL_IF(h->n_bars > HY_UNIVERSE_BARS_MAX || h->n_symbols > HY_UNIVERSE_SYMBOLS_MAX ||
                 h->n_fields > HY_UNIVERSE_FIELDS_MAX,
             HY_LIMIT, err, "%zu bars, %zu symbols, %zu fields: past the limits (%d, %d, %d)",
             h->n_bars, h->n_symbols, h->n_fields, (int)HY_UNIVERSE_BARS_MAX,
             (int)HY_UNIVERSE_SYMBOLS_MAX, (int)HY_UNIVERSE_FIELDS_MAX);
  HY_TRY(hy__universe_check_names(a, "symbol", h->symbols, h->n_symbols, err));
  HY_TRY(hy__universe_check_names(a, "field", h->fields, h->n_fields, err));
  for (size_t k = 0; k < h->n_fields; k++)
    HY_FAIL_IF(strcmp(h->fields[k], "time") == 0 || strcmp(h->fields[k], "symbol") == 0 ||
                   strcmp(h->fields[k], "valid") == 0 || strchr(h->fields[k], '/') ||
                   h->fields[k][0] == '.',
               HY_BAD_FORMAT, err, "\"%s\" cannot be the name of a field", h->fields[k]);
  return hy__universe_check_time(h->time_ns, h->n_bars, err);
}

hy_status hy__hdf5_create(const hy_allocator *a, const char *path, const hy__hdf5_head *head,
                          hy__hdf5_writer **out, hy_error *err) {
  HY_TRY(check_head(a, head, err));
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy__hdf5_writer), &memory, err));
  hy__hdf5_writer *w = memory;
  w->allocator = a;
  w->head = *head;
  w->tile_bars = hy__hdf5_tile_bars(head->n_bars, head->compress);
  w->file = w->valid = -1;
  for (size_t k = 0; k < HY_UNIVERSE_FIELDS_MAX; k++) w->datasets[k] = -1;
  hy_status status = hy__outfile_open(path, &w->out, err);
  if (status != HY_OK) {
    hy__free(a, w, sizeof *w);
    return status;
  }
  status = hy__alloc_array(a, w->tile_bars, HY_LANES * sizeof(double), &memory, err);
  w->tile = status == HY_OK ? memory : NULL;
  const visit v = enter();
  if (status == HY_OK) status = create_all(w, err);
  leave(v);
  if (status != HY_OK) {
    hy__error_subject(err, path);
    hy__hdf5_discard(w);
    return status;
  }
  *out = w;
  return HY_OK;
}

/* The tile that starts at bar t: the caller's cells, or a copy filled up with `filler` past the
 * end. */
static const void *whole_tile(hy__hdf5_writer *w, const uint8_t *cells, size_t t,
                              size_t cell_bytes) {
  const size_t row_bytes = HY_LANES * cell_bytes;
  const size_t rows = HY_MIN(w->tile_bars, w->head.n_bars - t);
  if (rows == w->tile_bars) return cells + t * row_bytes;
  memcpy(w->tile, cells + t * row_bytes, rows * row_bytes);
  memset(w->tile + rows * row_bytes, 0, (w->tile_bars - rows) * row_bytes);
  return w->tile;
}

static herr_t put_tiles(hy__hdf5_writer *w, hid_t dataset, size_t block, const void *cells) {
  const size_t cell_bytes = dataset == w->valid ? 1 : sizeof(double);
  herr_t done = 0;
  for (size_t t = 0; done >= 0 && t < w->head.n_bars; t += w->tile_bars) {
    const hsize_t corner[2] = {t, block * HY_LANES};
    done = H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, corner, w->tile_bars * HY_LANES * cell_bytes,
                          whole_tile(w, cells, t, cell_bytes));
  }
  return done;
}

static herr_t put_compressed(hy__hdf5_writer *w, hid_t dataset, size_t block, const void *cells) {
  const hsize_t from[2] = {0, block * HY_LANES}, zero[2] = {0, 0};
  const hsize_t count[2] = {w->head.n_bars,
                            HY_MIN((size_t)HY_LANES, w->head.n_symbols - block * HY_LANES)};
  const hsize_t memory_dims[2] = {w->head.n_bars, HY_LANES};
  const hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(2, memory_dims, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, count, NULL);
  H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL);
  const herr_t done = H5Dwrite(dataset, dataset == w->valid ? H5T_NATIVE_UINT8 : H5T_NATIVE_DOUBLE,
                               memory, space, H5P_DEFAULT, cells);
  H5Sclose(memory), H5Sclose(space);
  return done;
}

static hy_status put(hy__hdf5_writer *w, hid_t dataset, size_t block, const void *cells,
                     hy_error *err) {
  const visit v = enter();
  const herr_t done = w->head.compress ? put_compressed(w, dataset, block, cells)
                                       : put_tiles(w, dataset, block, cells);
  hy_status status = done < 0 ? refuse(err, HY_IO, "a block could not be written") : HY_OK;
  leave(v);
  if (status != HY_OK) hy__error_subject(err, w->out.path);
  return status;
}

hy_status hy__hdf5_put(hy__hdf5_writer *w, int32_t field, size_t block, const double *cells,
                       hy_error *err) {
  return put(w, w->datasets[field], block, cells, err);
}

hy_status hy__hdf5_put_valid(hy__hdf5_writer *w, size_t block, const uint8_t *cells,
                             hy_error *err) {
  return put(w, w->valid, block, cells, err);
}

/* Every handle of the file, then the file: only then is all of it on its way to the disk. */
static herr_t close_all(hy__hdf5_writer *w) {
  herr_t done = 0;
  for (size_t k = 0; k < w->head.n_fields; k++)
    if (w->datasets[k] >= 0 && H5Dclose(w->datasets[k]) < 0) done = -1;
  if (w->valid >= 0 && H5Dclose(w->valid) < 0) done = -1;
  if (w->file >= 0 && H5Fclose(w->file) < 0) done = -1;
  return done;
}

static void writer_free(hy__hdf5_writer *w) {
  hy__free(w->allocator, w->tile, w->tile_bars * HY_LANES * sizeof(double));
  hy__free(w->allocator, w, sizeof *w);
}

hy_status hy__hdf5_commit(hy__hdf5_writer *w, hy_error *err) {
  const visit v = enter();
  hy_status status =
      close_all(w) < 0 ? refuse(err, HY_IO, "the file could not be finished") : HY_OK;
  leave(v);
  if (status == HY_OK)
    status = hy__outfile_commit(&w->out, err);
  else
    hy__outfile_discard(&w->out);
  if (status != HY_OK) hy__error_subject(err, w->out.path);
  writer_free(w);
  return status;
}

void hy__hdf5_discard(hy__hdf5_writer *w) {
  if (!w) return;
  const visit v = enter();
  (void)close_all(w);
  leave(v);
  hy__outfile_discard(&w->out);
  writer_free(w);
}
