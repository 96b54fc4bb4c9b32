/* SPDX-License-Identifier: Apache-2.0
 * The inside of hy_universe: every panel is a plane of tiles, in a mapped file, in the caller's
 * arrays, or behind the HDF5 library (compressed data, foreign number types). */
#ifndef HY_MARKET_UNIVERSE_H
#define HY_MARKET_UNIVERSE_H

#include "market/market.h"

enum {
  HY_UNIVERSE_BARS_MAX = 1 << 30,
  HY_UNIVERSE_SYMBOLS_MAX = 1 << 20,
  HY_UNIVERSE_FIELDS_MAX = 256,
  HY_UNIVERSE_NAME_MAX = 127 /* bytes of a symbol or field */
};

typedef enum hy__cell { HY_CELL_F64, HY_CELL_F32, HY_CELL_U8 } hy__cell;

/* A [n_bars, n_symbols] matrix cut into tiles, row-major within each; edge tiles are stored whole.
 */
typedef struct hy__plane {
  const uint8_t *base;  /* NULL: read through the library */
  const size_t *offset; /* [tile row][tile column], bytes from base */
  size_t tile_bars, tile_symbols, n_tile_columns;
  hy__cell cell;
  int64_t dataset; /* the library's handle when base is NULL */
} hy__plane;

typedef struct hy__hdf5_file hy__hdf5_file;

struct hy_universe {
  const hy_allocator *allocator;
  hy__arena *arena;
  hy_universe_info info;
  hy__plane *fields; /* [info.n_fields] */
  hy__plane valid;
  bool has_valid;
  int32_t presence_field; /* stands for the bar where there is no mask */
  bool always_present;    /* a caller's panel without mask */
  hy__map map;
  hy__hdf5_file *file; /* NULL unless a plane is read through the library */
};

/* Finds open, high, low, close, volume and aliases. */
int32_t hy__universe_find(const char *const *fields, size_t n_fields, const char *name);
/* Sorts field names into the canonical order (the five, then by name). */
int hy__universe_field_rank(const char *name);
/* An empty one with its arena. */
HY_CHECKED hy_status hy__universe_alloc(hy_runtime *runtime, hy_universe **out, hy_error *err);
/* A plane in memory for its bars and symbols, not yet filled: blocks one after the other, each
 * [row][8]. */
HY_CHECKED hy_status hy__universe_plane(hy_universe *u, hy__cell cell, hy__plane *out,
                                        hy_error *err);
/* Strictly increasing; the message names the first bar out of order. */
HY_CHECKED hy_status hy__universe_check_time(const int64_t *time_ns, size_t n_bars, hy_error *err);
/* Not empty, not too long, no control characters, all different. */
HY_CHECKED hy_status hy__universe_check_names(const hy_allocator *a, const char *what,
                                              const char *const *names, size_t n, hy_error *err);

#endif
