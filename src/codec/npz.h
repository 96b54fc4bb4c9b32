/* SPDX-License-Identifier: Apache-2.0
 * Named arrays from memory; files go through <hayate/array.h>. The one place of the tree where zlib
 * is called is npz.c. */
#ifndef HY_CODEC_NPZ_H
#define HY_CODEC_NPZ_H

#include <hayate/array.h>

#include "base/base.h"

/* The bytes of an .npy or .npz, which must outlive the arrays: views point into them where they
 * can. */
HY_CHECKED hy_status hy__arrays_parse(const hy_allocator *a, const void *data, size_t bytes,
                                      hy_arrays **out, hy_error *err);

/* The text of a .gz (one member or several): data is had from the allocator and
 * given back by hy__free(a, data, capacity_bytes). Errors: BAD_FORMAT (broken, truncated), LIMIT
 * (more than max_bytes), OUT_OF_MEMORY. */
typedef struct hy__gunzipped {
  void *data;
  size_t capacity_bytes, bytes;
} hy__gunzipped;
HY_CHECKED hy_status hy__gunzip(const hy_allocator *a, const void *data, size_t bytes,
                                size_t max_bytes, hy__gunzipped *out, hy_error *err);

#endif
