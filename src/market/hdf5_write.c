/* SPDX-License-Identifier: Apache-2.0
 * Universe files, written: a block of one field at a time, tile after tile, under a temporary name
 * until all of it is there. */
#include <math.h>

#include "market/hdf5.h"
#include "market/hdf5_visit.h"

enum {
  TILE_BARS_MAX = 1 << 22, /* 256 MiB: one tile holds a block of most universes whole */
  PACKED_BARS_MAX = 8192,  /* 512 KiB a tile: within HDF5's chunk cache of 1 MiB */
  ALIGN_BYTES = 64         /* tiles start on a cache line, and follow each other without gaps */
};

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
  hy_status status = w->file < 0 ? hy__hdf5_refuse(err, HY_IO, "cannot be created") : HY_OK;
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
    return hy__hdf5_refuse(err, HY_IO, "the heads could not be written");
  for (size_t k = 0; k < w->head.n_fields; k++) {
    w->datasets[k] = create_plane(w, w->head.fields[k], H5T_IEEE_F64LE);
    if (w->datasets[k] < 0) return hy__hdf5_refuse(err, HY_IO, w->head.fields[k]);
  }
  w->valid = create_plane(w, "valid", H5T_STD_U8LE);
  return w->valid < 0 ? hy__hdf5_refuse(err, HY_IO, "valid") : HY_OK;
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
  const hy__hdf5_visit v = hy__hdf5_enter();
  if (status == HY_OK) status = create_all(w, err);
  hy__hdf5_leave(v);
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
  const hy__hdf5_visit v = hy__hdf5_enter();
  const herr_t done = w->head.compress ? put_compressed(w, dataset, block, cells)
                                       : put_tiles(w, dataset, block, cells);
  hy_status status = done < 0 ? hy__hdf5_refuse(err, HY_IO, "a block could not be written") : HY_OK;
  hy__hdf5_leave(v);
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
  const hy__hdf5_visit v = hy__hdf5_enter();
  hy_status status =
      close_all(w) < 0 ? hy__hdf5_refuse(err, HY_IO, "the file could not be finished") : HY_OK;
  hy__hdf5_leave(v);
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
  const hy__hdf5_visit v = hy__hdf5_enter();
  (void)close_all(w);
  hy__hdf5_leave(v);
  hy__outfile_discard(&w->out);
  writer_free(w);
}
