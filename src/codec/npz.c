/* SPDX-License-Identifier: Apache-2.0
 * hy_arrays: .npy and .npz files. A file is mapped and its arrays are used in place where their
 * layout allows; deflated members are inflated within the size that the directory states. */
#include <zlib.h>

#include "codec/json.h"
#include "codec/npy.h"
#include "codec/npz.h"
#include "codec/zip.h"

enum {
  MAX_RATIO = 1032,
  RATIO_SLACK = 64
}; /* deflate cannot expand further (zlib, "tech details") */

struct hy_arrays {
  hy_allocator allocator;
  hy__map map; /* empty when parsed from memory */
  hy__arena *arena;
  size_t n;
  const char **names;
  hy_tensor *tensors;
};

static uint32_t crc_of(uint32_t crc, const uint8_t *data, size_t bytes) {
  while (bytes > 0) {
    uInt now = bytes > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)bytes;
    crc = (uint32_t)crc32(crc, data, now);
    data += now;
    bytes -= now;
  }
  return crc;
}

/* zlib's memory out of the runtime's allocator; the size is kept in front, as zlib does not tell it
 * again. */
static void *z_alloc(void *ctx, uInt items, uInt each) {
  const hy_allocator *a = ctx;
  size_t bytes = (size_t)items * each + HY_ALIGN;
  size_t *block = a->alloc(a->ctx, bytes, HY_ALIGN);
  if (!block) return NULL;
  *block = bytes;
  return (char *)block + HY_ALIGN;
}

static void z_free(void *ctx, void *ptr) {
  const hy_allocator *a = ctx;
  size_t *block = (size_t *)(void *)((char *)ptr - HY_ALIGN);
  a->free(a->ctx, block, *block);
}

static hy_status inflate_all(z_stream *z, const hy__zip_member *m, uint8_t *to, hy_error *err) {
  size_t packed_left = m->packed_bytes, left = m->bytes;
  int code = Z_OK;
  z->next_in = (Bytef *)(uintptr_t)m->data;
  z->next_out = to;
  while (code == Z_OK) {
    uInt in = packed_left > INT32_MAX ? INT32_MAX : (uInt)packed_left;
    uInt out = left > INT32_MAX ? INT32_MAX : (uInt)left;
    z->avail_in = in;
    z->avail_out = out;
    code = inflate(z, Z_NO_FLUSH);
    packed_left -= in - z->avail_in;
    left -= out - z->avail_out;
    if (code == Z_OK && z->avail_in == in && z->avail_out == out) break; /* no progress */
  }
  HY_FAIL_IF(code == Z_MEM_ERROR, HY_OUT_OF_MEMORY, err, "no memory to inflate a member");
  HY_FAIL_IF(code != Z_STREAM_END || left > 0 || packed_left > 0, HY_BAD_FORMAT, err,
             "the deflated data is broken");
  return HY_OK;
}

static hy_status inflate_member(hy_arrays *arrays, const hy__zip_member *m, const uint8_t **out,
                                hy_error *err) {
  void *ptr;
  HY_FAIL_IF(m->bytes / MAX_RATIO > m->packed_bytes + RATIO_SLACK, HY_BAD_FORMAT, err,
             "a member states %zu bytes out of %zu, more than deflate can pack", m->bytes,
             m->packed_bytes);
  HY_TRY(hy__arena_alloc(arrays->arena, HY_MAX(m->bytes, (size_t)1), HY_ALIGN, &ptr, err));
  z_stream z = {.zalloc = z_alloc, .zfree = z_free, .opaque = &arrays->allocator};
  HY_FAIL_IF(inflateInit2(&z, -MAX_WBITS) != Z_OK, HY_OUT_OF_MEMORY, err,
             "no memory to inflate a member");
  hy_status status = inflate_all(&z, m, ptr, err);
  inflateEnd(&z);
  *out = ptr;
  return status;
}

static hy_status read_member(hy_arrays *arrays, const hy__zip_member *m, hy_tensor *out,
                             hy_error *err) {
  const uint8_t *data = m->data;
  if (m->method == HY__ZIP_DEFLATED) HY_TRY(inflate_member(arrays, m, &data, err));
  HY_FAIL_IF(crc_of(0, data, m->bytes) != m->crc, HY_BAD_FORMAT, err,
             "the check sum does not fit the data");
  return hy__npy_read(data, m->bytes, arrays->arena, out, err);
}

/* "x.npy" becomes "x". */
static hy_status name_of(hy__arena *arena, const char *member, const char **out, hy_error *err) {
  size_t n = strlen(member);
  HY_FAIL_IF(n < 4 || strcmp(member + n - 4, ".npy") != 0, HY_BAD_FORMAT, err,
             "a member that is no .npy array");
  for (size_t i = 0; i < n;) {
    size_t length = hy__json_utf8(member + i, n - i);
    HY_FAIL_IF(length == 0, HY_BAD_FORMAT, err, "a member's name that is not UTF-8");
    i += length;
  }
  return hy__arena_text(arena, member, n - 4, out, err);
}

/* A table of names by hash, so that 65536 members are not compared pairwise. *twice: a name that
 * occurs twice. */
static hy_status find_twice(const hy_allocator *a, const char *const *names, size_t n,
                            const char **twice, hy_error *err) {
  size_t n_slots = 64;
  void *ptr;
  while (n_slots < 2 * n) n_slots *= 2;
  size_t bytes = n_slots * sizeof(const char *);
  HY_TRY(hy__alloc_zero(a, bytes, &ptr, err));
  const char **slots = ptr;
  *twice = NULL;
  for (size_t i = 0; i < n && !*twice; i++) {
    size_t at = (size_t)hy__hash64(names[i], strlen(names[i]), 0) & (n_slots - 1);
    for (; slots[at]; at = (at + 1) & (n_slots - 1))
      if (strcmp(slots[at], names[i]) == 0) *twice = names[i];
    slots[at] = names[i];
  }
  hy__free(a, ptr, bytes);
  return HY_OK;
}

static hy_status tables_make(hy_arrays *arrays, size_t n, hy_error *err) {
  void *ptr;
  HY_TRY(hy__arena_array(arrays->arena, n, sizeof(const char *), &ptr, err));
  arrays->names = ptr;
  HY_TRY(hy__arena_array(arrays->arena, n, sizeof(hy_tensor), &ptr, err));
  arrays->tensors = ptr;
  arrays->n = n;
  return HY_OK;
}

static hy_status read_archive(hy_arrays *arrays, const uint8_t *data, size_t bytes, hy_error *err) {
  hy__zip_member *members;
  size_t n;
  HY_TRY(hy__zip_read(data, bytes, arrays->arena, &members, &n, err));
  HY_TRY(tables_make(arrays, n, err));
  for (size_t i = 0; i < n; i++) {
    hy_status status = name_of(arrays->arena, members[i].name, &arrays->names[i], err);
    if (status == HY_OK) status = read_member(arrays, &members[i], &arrays->tensors[i], err);
    if (status == HY_OK) continue;
    hy__error_prefix(err, "%.100s", members[i].name);
    return status;
  }
  const char *twice;
  HY_TRY(find_twice(&arrays->allocator, arrays->names, n, &twice, err));
  HY_FAIL_IF(twice, HY_BAD_FORMAT, err, "two arrays named '%.100s'", twice);
  return HY_OK;
}

static hy_status read_bytes(hy_arrays *arrays, const uint8_t *data, size_t bytes, hy_error *err) {
  HY_FAIL_IF(bytes == 0, HY_BAD_FORMAT, err, "the file is empty, .npy or .npz is expected");
  if (bytes >= 2 && memcmp(data, "PK", 2) == 0) return read_archive(arrays, data, bytes, err);
  if (data[0] != 0x93)
    HY_FAIL(HY_BAD_FORMAT, err, "neither .npy nor .npz: it begins with other bytes");
  HY_TRY(tables_make(arrays, 1, err));
  arrays->names[0] = "";
  return hy__npy_read(data, bytes, arrays->arena, &arrays->tensors[0], err);
}

static hy_status arrays_make(const hy_allocator *a, hy_arrays **out, hy_error *err) {
  void *ptr;
  *out = NULL;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_arrays), &ptr, err));
  hy_arrays *arrays = ptr;
  arrays->allocator = *a;
  hy_status status = hy__arena_create(a, 0, 0, &arrays->arena, err);
  if (status != HY_OK)
    hy_arrays_destroy(arrays);
  else
    *out = arrays;
  return status;
}

hy_status hy__arrays_parse(const hy_allocator *a, const void *data, size_t bytes, hy_arrays **out,
                           hy_error *err) {
  HY_TRY(arrays_make(a, out, err));
  hy_status status = read_bytes(*out, data, bytes, err);
  if (status != HY_OK) {
    hy_arrays_destroy(*out);
    *out = NULL;
  }
  return status;
}

hy_status hy_arrays_read(hy_runtime *runtime, const char *path, hy_arrays **out, hy_error *err) {
  hy_arrays *arrays;
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err, "an argument is NULL");
  *out = NULL;
  HY_TRY(arrays_make(hy__runtime_allocator(runtime), &arrays, err));
  hy_status status = hy__map_open(path, &arrays->map, err);
  if (status == HY_OK) status = read_bytes(arrays, arrays->map.data, arrays->map.bytes, err);
  if (status != HY_OK) {
    hy__error_subject(err, path);
    hy_arrays_destroy(arrays);
    return status;
  }
  *out = arrays;
  return HY_OK;
}

void hy_arrays_destroy(hy_arrays *arrays) {
  if (!arrays) return;
  hy__arena_destroy(arrays->arena);
  hy__map_close(&arrays->map);
  hy_allocator allocator = arrays->allocator;
  hy__free(&allocator, arrays, sizeof *arrays);
}

size_t hy_arrays_n(const hy_arrays *arrays) { return arrays->n; }

const char *hy_arrays_name(const hy_arrays *arrays, size_t index) {
  return index < arrays->n ? arrays->names[index] : NULL;
}

const hy_tensor *hy_arrays_at(const hy_arrays *arrays, size_t index) {
  return index < arrays->n ? &arrays->tensors[index] : NULL;
}

const hy_tensor *hy_arrays_find(const hy_arrays *arrays, const char *name) {
  for (size_t i = 0; i < arrays->n; i++)
    if (strcmp(arrays->names[i], name) == 0) return &arrays->tensors[i];
  return NULL;
}

static hy_status crc_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  (void)err;
  uint32_t *crc = ctx;
  *crc = crc_of(*crc, data, bytes);
  return HY_OK;
}

static hy_status zip_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  return hy__zip_write(ctx, data, bytes, err);
}

static hy_status file_write(void *ctx, const void *data, size_t bytes, hy_error *err) {
  return hy__outfile_write(ctx, data, bytes, err);
}

/* The check sum stands before the data, so the tensor is walked twice. */
static hy_status write_member(hy__zip_writer *w, const char *name, const hy_tensor *tensor,
                              hy_error *err) {
  char member[4096];
  size_t n = strlen(name), bytes;
  uint32_t crc = 0;
  HY_FAIL_IF(n == 0 || n + 5 > sizeof member, HY_INVALID_ARGUMENT, err,
             "a name of %zu bytes, 1 to %zu are allowed", n, sizeof member - 5);
  memcpy(member, name, n);
  memcpy(member + n, ".npy", 5);
  HY_TRY(hy__npy_bytes(tensor, &bytes, err));
  HY_TRY(hy__npy_write(tensor, (hy_sink){.write = crc_write, .ctx = &crc}, err));
  HY_TRY(hy__zip_member_begin(w, member, crc, bytes, err));
  return hy__npy_write(tensor, (hy_sink){.write = zip_write, .ctx = w}, err);
}

static hy_status write_archive(const hy_allocator *a, hy__outfile *file, const char *const *names,
                               const hy_tensor *tensors, size_t n, hy_error *err) {
  hy__zip_writer w;
  hy_status status = HY_OK;
  hy__zip_begin(&w, (hy_sink){.write = file_write, .ctx = file}, a);
  for (size_t i = 0; i < n && status == HY_OK; i++) {
    status = write_member(&w, names[i], &tensors[i], err);
    if (status != HY_OK) hy__error_prefix(err, "%.100s", names[i]);
  }
  if (status == HY_OK) status = hy__zip_end(&w, err);
  hy__zip_destroy(&w);
  return status;
}

static bool ends_with(const char *text, const char *tail) {
  size_t n = strlen(text), m = strlen(tail);
  return n >= m && strcmp(text + n - m, tail) == 0;
}

hy_status hy_arrays_write(hy_runtime *runtime, const char *path, const char *const *names,
                          const hy_tensor *tensors, size_t n, hy_error *err) {
  hy__outfile file;
  const char *twice = NULL;
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || (n && !tensors), HY_INVALID_ARGUMENT, err, "an argument is NULL");
  bool single = ends_with(path, ".npy");
  HY_FAIL_IF(single && n != 1, HY_INVALID_ARGUMENT, err, "an .npy file holds one array, not %zu",
             n);
  HY_FAIL_IF(!single && n && !names, HY_INVALID_ARGUMENT, err, "an .npz file needs names");
  const hy_allocator *a = hy__runtime_allocator(runtime);
  if (!single) HY_TRY(find_twice(a, names, n, &twice, err));
  HY_FAIL_IF(twice, HY_INVALID_ARGUMENT, err, "two arrays named '%.100s'", twice);
  HY_TRY(hy__outfile_open(path, &file, err));
  hy_status status = single
                         ? hy__npy_write(tensors, (hy_sink){.write = file_write, .ctx = &file}, err)
                         : write_archive(a, &file, names, tensors, n, err);
  if (status == HY_OK) status = hy__outfile_commit(&file, err);
  if (status != HY_OK) {
    hy__outfile_discard(&file);
    hy__error_subject(err, path);
  }
  return status;
}

/* --- .gz --- */

static hy_status gunzip_room(const hy_allocator *a, size_t max_bytes, hy__gunzipped *g,
                             hy_error *err) {
  if (g->bytes < g->capacity_bytes) return HY_OK;
  HY_FAIL_IF(g->bytes >= max_bytes, HY_LIMIT, err, "unpacks to more than %zu bytes", max_bytes);
  return hy__grow(a, &g->data, &g->capacity_bytes, HY_MAX(g->bytes * 2, (size_t)1 << 18), 1, err);
}

/* Members one after the other; the window sizes ask for a gzip head. */
static hy_status gunzip_all(z_stream *z, const hy_allocator *a, size_t left, size_t max_bytes,
                            hy__gunzipped *g, hy_error *err) {
  for (;;) {
    HY_TRY(gunzip_room(a, max_bytes, g, err));
    const uInt in = left > INT32_MAX ? INT32_MAX : (uInt)left;
    const size_t room = HY_MIN(g->capacity_bytes - g->bytes, (size_t)INT32_MAX);
    z->next_out = (Bytef *)g->data + g->bytes;
    z->avail_in = in;
    z->avail_out = (uInt)room;
    const int code = inflate(z, Z_NO_FLUSH);
    left -= in - z->avail_in;
    g->bytes += room - z->avail_out;
    HY_FAIL_IF(code == Z_MEM_ERROR, HY_OUT_OF_MEMORY, err, "no memory to unpack");
    HY_FAIL_IF(code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR, HY_BAD_FORMAT, err,
               "the packed data is broken");
    if (code == Z_STREAM_END && left == 0) return HY_OK;
    HY_FAIL_IF(left == 0 && z->avail_out > 0, HY_BAD_FORMAT, err, "the packed data is truncated");
    if (code == Z_STREAM_END) (void)inflateReset(z);
  }
}

hy_status hy__gunzip(const hy_allocator *a, const void *data, size_t bytes, size_t max_bytes,
                     hy__gunzipped *out, hy_error *err) {
  *out = (hy__gunzipped){0};
  z_stream z = {.zalloc = z_alloc, .zfree = z_free, .opaque = (void *)(uintptr_t)a};
  HY_FAIL_IF(inflateInit2(&z, MAX_WBITS + 16) != Z_OK, HY_OUT_OF_MEMORY, err,
             "no memory to unpack");
  z.next_in = (Bytef *)(uintptr_t)data;
  hy_status status = gunzip_all(&z, a, bytes, max_bytes, out, err);
  inflateEnd(&z);
  if (status == HY_OK) return HY_OK;
  hy__free(a, out->data, out->capacity_bytes);
  *out = (hy__gunzipped){0};
  return status;
}
