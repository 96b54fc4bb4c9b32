/* SPDX-License-Identifier: Apache-2.0
 * A fit: the constants of a spec's steps of a fit (fit_z and its like), made once over a stated
 * range and kept in a file with the spec that they are of. fit_make.c makes them, fit_write.c
 * writes them, fit_read.c takes them back into a program. */
#ifndef HY_FEATURE_FIT_FILE_H
#define HY_FEATURE_FIT_FILE_H

#include "feature/program.h"

/* Of a file, which is read as YAML. */
enum { HY__FIT_BYTES_MAX = 8 << 20, HY__FIT_SYMBOLS_MAX = 4096, HY__FIT_CONSTANTS_MAX = 150000 };

/* (x - center) / scale, from n values. */
typedef struct hy__fit_constants {
  uint64_t n;
  double center, scale;
} hy__fit_constants;

typedef struct hy__fit_entry {
  const char *feature, *step;
  bool per_symbol;
  size_t n;                   /* 1 of all together, or as many symbols as there are */
  const char *const *symbols; /* ascending; per symbol */
  const hy__fit_constants *constants;
} hy__fit_entry;

typedef struct hy__fit {
  const char *spec_sha256, *spec; /* the canonical form, to say what differs */
  const char *from, *to;          /* times of the first and the last bar */
  uint64_t n_bars, n_symbols;
  const hy__fit_entry *entries;
  size_t n_entries;
} hy__fit;

/* The SHA-256 of the fit's contents, which is the same for every way of writing them down. */
HY_CHECKED hy_status hy__fit_hash(const hy_allocator *a, const hy__fit *fit, char hex[65],
                                  hy_error *err);
/* As JSON, which is YAML as well, with its hash. */
HY_CHECKED hy_status hy__fit_write(const hy_allocator *a, const hy__fit *fit, const char *path,
                                   char hex[65], hy_error *err);
/* Gives the program's steps their constants, or refuses a fit of another spec, or one whose
 * contents have changed. */
HY_CHECKED hy_status hy__fit_load(hy_features *f, const void *text, size_t bytes,
                                  const char *subject, hy_error *err);

#endif
