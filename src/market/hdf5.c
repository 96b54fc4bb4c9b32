/* SPDX-License-Identifier: Apache-2.0
 * Universe files, read. Opening asks the library where every tile lies and then maps the file, so
 * that plain data is read in place and by any thread; compressed data and foreign number types stay
 * behind the library and its lock. */
#include "market/hdf5.h"
#include "market/hdf5_visit.h"

enum {
  TILES_MAX = 1 << 18, /* a finer cut is read through the library */
  ATTRIBUTE_BYTES_MAX = 4096,
  CHUNK_CACHE_BYTES_MAX = 32 << 20,
  PACKED_BYTES_MAX = 256 << 20, /* of a foreign packed tile: each read may unpack all of it */
  PACKED_RATIO_MAX = 1032       /* deflate cannot pack better (zlib, "tech details") */
};

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
    if (H5Aread(attribute, type, &text) < 0)
      return hy__hdf5_refuse(err, HY_BAD_FORMAT, "attribute");
    hy_status status = HY_OK;
    if (text) status = copy_text(arena, text, ATTRIBUTE_BYTES_MAX, out, err);
    H5free_memory(text);
    return status;
  }
  char fixed[ATTRIBUTE_BYTES_MAX];
  HY_FAIL_IF(bytes > sizeof fixed, HY_LIMIT, err, "a text of %zu bytes; the limit is %zu", bytes,
             sizeof fixed);
  if (H5Aread(attribute, type, fixed) < 0) return hy__hdf5_refuse(err, HY_BAD_FORMAT, "attribute");
  return copy_text(arena, fixed, bytes, out, err);
}

/* A missing attribute leaves *out alone. */
static hy_status attribute_text(opening *o, const char *name, const char **out, hy_error *err) {
  if (H5Aexists(o->file, name) <= 0) return HY_OK;
  const hid_t attribute = H5Aopen(o->file, name, H5P_DEFAULT);
  if (attribute < 0) return hy__hdf5_refuse(err, HY_BAD_FORMAT, name);
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
    return hy__hdf5_refuse(err, HY_BAD_FORMAT, "the list of datasets");
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
    hy_status status = hy__hdf5_refuse(err, HY_BAD_FORMAT, "cannot be opened");
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
      return hy__hdf5_refuse(err, HY_BAD_FORMAT, "/time");
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
    status = hy__hdf5_refuse(err, HY_BAD_FORMAT, "/symbol");
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
    status = hy__hdf5_refuse(err, HY_BAD_FORMAT, "/symbol");
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
    return hy__hdf5_refuse(err, HY_BAD_FORMAT, "where its tiles lie");
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
  hy_status status = dataset < 0 ? hy__hdf5_refuse(err, HY_BAD_FORMAT, name) : HY_OK;
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
    status =
        hy__hdf5_refuse(err, HY_BAD_FORMAT,
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
  const hy__hdf5_visit v = hy__hdf5_enter();
  hy_status status = open_all(&o, path, err);
  close_dataset(&o);
  if (status == HY_OK && u->file)
    u->file->file = o.file;
  else if (o.file >= 0)
    H5Fclose(o.file);
  hy__hdf5_leave(v);
  return status;
}

void hy__hdf5_close(hy__hdf5_file *file) {
  if (!file) return;
  const hy__hdf5_visit v = hy__hdf5_enter();
  for (size_t k = 0; k < file->n_datasets; k++) H5Dclose(file->datasets[k]);
  if (file->file >= 0) H5Fclose(file->file);
  hy__hdf5_leave(v);
  hy__free(file->allocator, file, sizeof *file);
}

hy_status hy__hdf5_read(const hy__plane *plane, const hy__hdf5_window *w, double *out,
                        hy_error *err) {
  const hsize_t from[2] = {w->t_begin, w->symbol_begin};
  const hsize_t count[2] = {w->t_end - w->t_begin, w->n_symbols};
  const hsize_t memory_dims[2] = {count[0], HY_LANES}, zero[2] = {0, 0};
  memset(out, 0, count[0] * HY_LANES * sizeof(double));
  const hy__hdf5_visit v = hy__hdf5_enter();
  const hid_t space = H5Dget_space(plane->dataset), memory = H5Screate_simple(2, memory_dims, NULL);
  /* a numpy bool is an enum, which the library does not convert to a number: read it as bytes */
  hy_status status = HY_OK;
  const hid_t type = H5Dget_type(plane->dataset);
  const bool is_enum = H5Tget_class(type) == H5T_ENUM;
  if (H5Sselect_hyperslab(space, H5S_SELECT_SET, from, NULL, count, NULL) < 0 ||
      H5Sselect_hyperslab(memory, H5S_SELECT_SET, zero, NULL, count, NULL) < 0 ||
      H5Dread(plane->dataset, is_enum ? type : H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) <
          0)
    status = hy__hdf5_refuse(err, HY_BAD_FORMAT, "data could not be read");
  H5Tclose(type), H5Sclose(memory), H5Sclose(space);
  hy__hdf5_leave(v);
  if (status == HY_OK && is_enum)
    for (size_t k = (size_t)memory_dims[0] * HY_LANES; k-- > 0;) out[k] = ((const uint8_t *)out)[k];
  return status;
}
