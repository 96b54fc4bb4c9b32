/* SPDX-License-Identifier: Apache-2.0
 * One array in NumPy's .npy form (versions 1 to 3), read from memory and written to a sink. Private
 * to this room: files go through <hayate/array.h>. */
#ifndef HY_CODEC_NPY_H
#define HY_CODEC_NPY_H

#include <hayate/array.h>

#include "base/base.h"

typedef struct hy__npy {
  hy_dtype dtype;
  size_t item_bytes; /* of an element in the file; U and S: their whole width */
  bool utf32;        /* a U dtype */
  bool fortran_order;
  int32_t rank;
  int64_t dims[HY_MAX_RANK];
  size_t data_offset_bytes;
} hy__npy;

/* Errors: BAD_FORMAT with the byte offset, UNSUPPORTED (objects, structures, big endian), LIMIT
 * (rank). */
HY_CHECKED hy_status hy__npy_header(const uint8_t *data, size_t bytes, hy__npy *out, hy_error *err);
/* A view of data where its alignment, order and type allow, else a copy in the arena. */
HY_CHECKED hy_status hy__npy_read(const uint8_t *data, size_t bytes, hy__arena *arena,
                                  hy_tensor *out, hy_error *err);

/* Bytes that hy__npy_write will write. Errors: INVALID_ARGUMENT (type, rank, dims, text not UTF-8).
 */
HY_CHECKED hy_status hy__npy_bytes(const hy_tensor *tensor, size_t *out, hy_error *err);
HY_CHECKED hy_status hy__npy_write(const hy_tensor *tensor, hy_sink sink, hy_error *err);

#endif
