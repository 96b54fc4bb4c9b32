/* SPDX-License-Identifier: Apache-2.0
 * ZIP archives as .npz uses them (PKWARE APPNOTE 6.3.9): the directory read in place from mapped
 * bytes, with zip64, and a writer of stored members whose bytes depend on the contents alone.
 * Private to this room. */
#ifndef HY_CODEC_ZIP_H
#define HY_CODEC_ZIP_H

#include "base/base.h"

enum { HY__ZIP_STORED = 0, HY__ZIP_DEFLATED = 8, HY__ZIP_MAX_MEMBERS = 65536 };

typedef struct hy__zip_member {
  const char *name; /* terminated, in the arena */
  uint32_t crc;
  uint16_t method;     /* stored or deflated, nothing else is let through */
  const uint8_t *data; /* packed, in the archive */
  size_t packed_bytes, bytes;
  size_t offset_bytes; /* of the data, for errors */
} hy__zip_member;

/* Members in the directory's order. Packed bytes lie within the archive and sum to no more than it,
 * so no member overlaps another for profit. Errors: BAD_FORMAT, UNSUPPORTED (encryption, other
 * methods), LIMIT. */
HY_CHECKED hy_status hy__zip_read(const uint8_t *data, size_t bytes, hy__arena *arena,
                                  hy__zip_member **out, size_t *n_members, hy_error *err);

typedef struct hy__zip_writer {
  hy_sink sink;
  uint64_t offset;     /* bytes written so far */
  uint64_t zip64_from; /* sizes and offsets from here on take the zip64 form */
  uint32_t n_members;
  hy__buffer directory;
} hy__zip_writer;

void hy__zip_begin(hy__zip_writer *w, hy_sink sink, const hy_allocator *a);
/* The local header; the data, of exactly `bytes`, follow by hy__zip_write and start at a multiple
 * of 64. */
HY_CHECKED hy_status hy__zip_member_begin(hy__zip_writer *w, const char *name, uint32_t crc,
                                          uint64_t bytes, hy_error *err);
HY_CHECKED hy_status hy__zip_write(hy__zip_writer *w, const void *data, size_t bytes,
                                   hy_error *err);
HY_CHECKED hy_status hy__zip_end(hy__zip_writer *w, hy_error *err); /* the directory */
void hy__zip_destroy(hy__zip_writer *w);

#endif
