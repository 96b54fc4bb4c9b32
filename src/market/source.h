/* SPDX-License-Identifier: Apache-2.0
 * The files of an import: found in folders, mapped, gunzipped. */
#ifndef HY_MARKET_SOURCE_H
#define HY_MARKET_SOURCE_H

#include "codec/codec.h"
#include "market/market.h"

enum { HY_SOURCES_MAX = 1 << 16 };

typedef struct hy__source_list {
  const char **paths; /* in the arena, sorted within each folder */
  size_t n, capacity;
} hy__source_list;
/* Files as given, and of folders those with the name of a table (.csv .txt .tsv .prn, also .gz; .h5
 * .hdf5). Errors: NOT_FOUND (no such file, a folder without any), LIMIT. */
HY_CHECKED hy_status hy__source_collect(const hy_allocator *a, hy__arena *arena,
                                        const char *const *paths, size_t n_paths,
                                        hy__source_list *out, hy_error *err);
void hy__source_list_destroy(hy__source_list *list, const hy_allocator *a);

typedef struct hy__source {
  const hy_allocator *allocator;
  const char *path;
  char stem[128]; /* the file's name without folder and suffixes */
  const char *text;
  size_t bytes;
  bool is_hdf5;
  hy__map map;
  hy__gunzipped unpacked; /* of a .gz */
} hy__source;
/* Refuses what is empty or not text by name. */
HY_CHECKED hy_status hy__source_open(const hy_allocator *a, const char *path, hy__source *out,
                                     hy_error *err);
void hy__source_close(hy__source *s);

#endif
