/* SPDX-License-Identifier: Apache-2.0
 * Universe files: opening, blocks and masks of whatever opens. Under libFuzzer the bytes say what a
 * well-formed HDF5 file holds (types, shapes, tiles, filters, values, links, a cut), so that our
 * reading of it is what is tested; the library's own parser does not withstand arbitrary bytes
 * (docs/data-formats.md). The replay driver also opens corpus files that are HDF5 themselves. */
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <unistd.h>

#include "market/market.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* there under libFuzzer alone */
extern int LLVMFuzzerRunDriver(void) __attribute__((weak));

enum { ROWS = 64 };

static void look(const hy_universe *u) {
  hy_universe_info info = {.struct_size = sizeof info};
  double scratch[ROWS * HY_LANES], sum = 0;
  uint8_t mask[ROWS];
  hy_error err;
  hy_universe_describe(u, &info);
  const size_t n = HY_MIN(info.n_bars, (size_t)ROWS), first = info.n_bars - n;
  const size_t n_blocks = HY_MIN(hy__universe_n_blocks(info.n_symbols), (size_t)4);
  for (size_t block = 0; block < n_blocks; block++) {
    const double *cells;
    bool all;
    for (int32_t f = 0; f < (int32_t)HY_MIN(info.n_fields, (size_t)8); f++)
      if (hy__universe_block(u, f, block, first, first + n, scratch, &cells, &err) == HY_OK)
        for (size_t k = 0; k < n * HY_LANES; k++) sum += cells[k] > 0;
    if (hy__universe_present(u, block, first, first + n, mask, &all, &err) == HY_OK) sum += mask[0];
  }
  HY_ASSERT(sum >= 0);
  (void)sum;
}

static void open_file(const char *path) {
  hy_runtime *runtime;
  hy_universe *u;
  hy_error err;
  const hy_runtime_options options = {
      .struct_size = sizeof options, .n_threads = 1, .no_pinning = true};
  if (hy_runtime_create(&options, &runtime, &err) != HY_OK) return;
  if (hy_universe_open(runtime, path, &u, &err) == HY_OK) {
    look(u);
    hy_universe_destroy(u);
  }
  hy_runtime_destroy(runtime);
}

/* --- a file out of bytes --- */

static uint8_t next(hy__span *s) { return hy__span_left(s) ? hy__span_u8(s) : 0; }

static hid_t number_type(uint8_t choice) {
  switch (choice % 10) {
  case 1: return H5T_IEEE_F32LE;
  case 2: return H5T_IEEE_F64BE;
  case 3: return H5T_STD_I16LE;
  case 4: return H5T_STD_U8LE;
  case 5: return H5T_STD_I64LE;
  case 6: return H5T_STD_I8LE;
  case 7: return H5T_C_S1;
  case 8: return H5T_STD_I64BE;
  default: return H5T_IEEE_F64LE;
  }
}

static hid_t storage(hy__span *s, int rank, const hsize_t *dims) {
  const hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
  const uint8_t choice = next(s);
  hsize_t tile[3];
  for (int k = 0; k < rank; k++) {
    tile[k] = 1 + next(s) % 20;
    if (tile[k] > dims[k]) tile[k] = dims[k] ? dims[k] : 1;
  }
  if (choice & 1)
    H5Pset_layout(plist, H5D_COMPACT);
  else if (choice & 6)
    H5Pset_chunk(plist, rank, tile);
  if (choice & 8 && !(choice & 1) && choice & 6) H5Pset_shuffle(plist), H5Pset_deflate(plist, 1);
  if (choice & 16) H5Pset_alloc_time(plist, H5D_ALLOC_TIME_LATE);
  return plist;
}

/* Values are the bytes again and again, as float64 that are small, NaN or infinite. */
static void fill(hid_t dataset, int rank, const hsize_t *dims, hy__span *s) {
  double cells[4096];
  size_t n = 1;
  for (int k = 0; k < rank; k++) n *= (size_t)dims[k];
  if (n > HY_COUNT(cells)) return;
  for (size_t k = 0; k < n; k++) {
    const uint8_t b = next(s);
    cells[k] = b == 255 ? 1.0 / 0.0 : b == 254 ? 0.0 / 0.0 : (double)b + (double)k;
  }
  (void)H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, cells);
}

static void add_numbers(hid_t file, const char *name, hy__span *s, int rank, const hsize_t *dims) {
  const hid_t type = number_type(next(s)), space = H5Screate_simple(rank, dims, NULL);
  const hid_t plist = storage(s, rank, dims);
  const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  if (dataset >= 0) {
    if (next(s) % 8) fill(dataset, rank, dims, s);
    H5Dclose(dataset);
  }
  H5Pclose(plist), H5Sclose(space);
}

static void add_symbols(hid_t file, hy__span *s, hsize_t n) {
  char names[32][8], *pointers[32];
  const bool fixed = next(s) % 2;
  const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
  H5Tset_size(type, fixed ? 8 : H5T_VARIABLE);
  for (size_t k = 0; k < 32; k++) {
    (void)snprintf(names[k], sizeof names[k], "%c%d", 'A' + next(s) % 40, (int)k);
    if (next(s) == 7) names[k][0] = '\0';
    pointers[k] = names[k];
  }
  const hid_t dataset =
      H5Dcreate2(file, "symbol", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (dataset >= 0 && n <= 32)
    (void)H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                   fixed ? (void *)names : (void *)pointers);
  if (dataset >= 0) H5Dclose(dataset);
  H5Sclose(space), H5Tclose(type);
}

static void add_time(hid_t file, hy__span *s, hsize_t n) {
  int64_t time_ns[64], now = 0;
  const hid_t type = next(s) % 8 ? H5T_STD_I64LE : number_type(next(s));
  const hid_t space = H5Screate_simple(1, &n, NULL), plist = storage(s, 1, &n);
  const bool tidy = next(s) % 4;
  for (size_t k = 0; k < 64; k++) time_ns[k] = now += tidy ? 1 : next(s) % 4;
  const hid_t dataset = H5Dcreate2(file, "time", type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
  if (dataset >= 0 && n <= 64)
    (void)H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, time_ns);
  if (dataset >= 0) H5Dclose(dataset);
  H5Pclose(plist), H5Sclose(space);
}

static void add_attribute(hid_t file, hy__span *s) {
  static const char *const names[] = {"timeframe", "zone", "calendar", "hayate_universe"};
  static const char *const texts[] = {"1m", "", "Nowhere", "XNYS"};
  const uint8_t choice = next(s);
  const hid_t type = H5Tcopy(choice & 4 ? H5T_STD_I64LE : H5T_C_S1), space = H5Screate(H5S_SCALAR);
  const char *text = texts[choice >> 4 & 3];
  const int64_t version = 1 + (choice >> 6);
  if (!(choice & 4)) H5Tset_size(type, choice & 8 ? H5T_VARIABLE : strlen(text) + 1);
  const hid_t attribute =
      H5Acreate2(file, names[choice & 3], type, space, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0) {
    (void)H5Awrite(attribute, type,
                   choice & 4   ? (const void *)&version
                   : choice & 8 ? (const void *)&text
                                : text);
    H5Aclose(attribute);
  }
  H5Sclose(space), H5Tclose(type);
}

static void make_file(const char *path, hy__span *s) {
  static const char *const fields[] = {"close", "valid", "open", "zz", "volume"};
  const uint8_t choice = next(s);
  const hsize_t dims[3] = {next(s) % 50, next(s) % 20, 1}, back[3] = {dims[1], dims[0], 2};
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (choice & 1) H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  H5Pclose(access);
  if (file < 0) return;
  if (choice & 2) add_attribute(file, s);
  if ((choice & 12) != 12) add_time(file, s, dims[0]);
  if ((choice & 48) != 48) add_symbols(file, s, dims[1]);
  for (int k = 0; k < 1 + (choice >> 6); k++) {
    const uint8_t shape = next(s) % 16;
    add_numbers(file, fields[next(s) % 5], s,
                shape == 1   ? 1
                : shape == 2 ? 3
                             : 2,
                shape == 3 ? back : dims);
  }
  if (next(s) == 9) (void)H5Lcreate_soft("/close", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  const bool is_file = size >= 4 && memcmp(data, "\x89HDF", 4) == 0;
  (void)snprintf(path, sizeof path, "%s/hayate_fuzz_%d.h5",
                 hy__path_is_folder("/dev/shm") ? "/dev/shm" : "/tmp", (int)getpid());
  if (is_file && LLVMFuzzerRunDriver) return 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  if (is_file) {
    if (hy__file_write_all(path, data, size, NULL) != HY_OK) return 0;
  } else {
    hy__span s = hy__span_make(data, size);
    const uint8_t cut = next(&s);
    make_file(path, &s);
    struct hy__map map = {0};
    if (cut & 1 && hy__map_open(path, &map, NULL) == HY_OK) {
      const size_t whole = map.bytes;
      hy__map_close(&map);
      if (truncate(path, (off_t)(whole * cut / 256)) != 0) return 0;
    }
  }
  open_file(path);
  unlink(path);
  return 0;
}
