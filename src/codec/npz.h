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

#endif
