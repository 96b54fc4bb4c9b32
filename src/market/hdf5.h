/* SPDX-License-Identifier: Apache-2.0
 * Universe files: the only way to the HDF5 library. Every call takes one process-wide lock, since
 * the library keeps process-wide state; after opening, uncompressed planes are read without it. */
#ifndef HY_MARKET_HDF5_H
#define HY_MARKET_HDF5_H

#include "market/universe.h"

/* Fills u->info, fields, valid, map, file from a universe file. On failure the caller destroys u.
 */
HY_CHECKED hy_status hy__hdf5_open(hy_universe *u, const char *path, hy_error *err);
void hy__hdf5_close(hy__hdf5_file *file);
/* Rows [t_begin, t_end), columns [begin, begin + n) of a plane without base, to out[t][8] as
 * float64. */
typedef struct hy__hdf5_window {
  size_t t_begin, t_end, symbol_begin, n_symbols;
} hy__hdf5_window;
HY_CHECKED hy_status hy__hdf5_read(const hy__plane *plane, const hy__hdf5_window *w, double *out,
                                   hy_error *err);

typedef struct hy__hdf5_head {
  size_t n_bars, n_symbols, n_fields;
  const int64_t *time_ns;
  const char *const *symbols;
  const char *const *fields;
  const char *timeframe, *zone, *calendar, *source;
  bool compress;
} hy__hdf5_head;

typedef struct hy__hdf5_writer hy__hdf5_writer;
/* A new file under a temporary name beside path. The head's pointers must live until commit or
 * discard. */
HY_CHECKED hy_status hy__hdf5_create(const hy_allocator *a, const char *path,
                                     const hy__hdf5_head *head, hy__hdf5_writer **out,
                                     hy_error *err);
/* One block of one field, or of the mask (field -1), lane-major [n_bars][8]; absent lanes NaN or 0.
 */
HY_CHECKED hy_status hy__hdf5_put(hy__hdf5_writer *w, int32_t field, size_t block,
                                  const double *cells, hy_error *err);
HY_CHECKED hy_status hy__hdf5_put_valid(hy__hdf5_writer *w, size_t block, const uint8_t *cells,
                                        hy_error *err);
/* Gives the file its name; frees w in every case. */
HY_CHECKED hy_status hy__hdf5_commit(hy__hdf5_writer *w, hy_error *err);
void hy__hdf5_discard(hy__hdf5_writer *w); /* NULL is fine */
/* Bars of a tile: all of them, or compressed few enough for HDF5's chunk cache; the last one nearly
 * full. */
size_t hy__hdf5_tile_bars(size_t n_bars, bool compress);

#endif
