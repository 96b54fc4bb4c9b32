/* SPDX-License-Identifier: Apache-2.0
 * The ZIP directory, read and written; .npz stands on it. Field order and signatures:
 * APPNOTE 6.3.9, 4.3. */
#include "codec/zip.h"

enum {
  END_BYTES = 22,
  END64_BYTES = 56,
  LOCATOR_BYTES = 20,
  CENTRAL_BYTES = 46,
  LOCAL_BYTES = 30,
  MAX_COMMENT = 65535,
  EXTRA_ZIP64 = 1,
  EXTRA_PADDING = 0xD935, /* the padding that zipalign writes; readers skip what they do not know */
  DATA_ALIGN = 64,
  VERSION_STORED = 20,
  VERSION_ZIP64 = 45,
  FLAG_ENCRYPTED = 1,
  FLAG_UTF8 = 1 << 11,
  DATE_1980 = 0x21 /* 1 January 1980, the earliest */
};

static const uint32_t LOCAL_SIGNATURE = 0x04034b50, CENTRAL_SIGNATURE = 0x02014b50,
                      END_SIGNATURE = 0x06054b50, END64_SIGNATURE = 0x06064b50,
                      LOCATOR_SIGNATURE = 0x07064b50, SATURATED32 = 0xFFFFFFFF;

typedef struct archive {
  const uint8_t *data;
  size_t bytes;
  uint64_t directory_offset, directory_bytes, n_members;
} archive;

static hy_status fail_at(hy_error *err, size_t offset, hy_status status, const char *message) {
  hy__error_set(err, status, "%s", message);
  hy__error_place(err, 0, 0, (int64_t)offset);
  return status;
}

static hy__span span_at(const archive *a, uint64_t offset) {
  hy__span s = hy__span_make(a->data, a->bytes);
  if (offset > a->bytes || !hy__span_take(&s, (size_t)offset)) s.failed = true;
  return s;
}

/* The end record is the last thing but a comment; its signature may occur in data, so the place
 * must fit. */
static bool find_end(const archive *a, size_t *out) {
  if (a->bytes < END_BYTES) return false;
  size_t first = a->bytes > END_BYTES + MAX_COMMENT ? a->bytes - END_BYTES - MAX_COMMENT : 0;
  for (size_t at = a->bytes - END_BYTES + 1; at-- > first;) {
    hy__span s = span_at(a, at);
    if (hy__span_u32le(&s) != END_SIGNATURE) continue;
    (void)hy__span_take(&s, 16);
    if (at + END_BYTES + hy__span_u16le(&s) == a->bytes) {
      *out = at;
      return true;
    }
  }
  return false;
}

static hy_status read_end64(archive *a, size_t end, hy_error *err) {
  if (end < LOCATOR_BYTES) return HY_OK;
  hy__span s = span_at(a, end - LOCATOR_BYTES);
  if (hy__span_u32le(&s) != LOCATOR_SIGNATURE) return HY_OK;
  (void)hy__span_u32le(&s);
  uint64_t offset = hy__span_u64le(&s);
  s = span_at(a, offset);
  if (hy__span_u32le(&s) != END64_SIGNATURE || hy__span_left(&s) < END64_BYTES - 4)
    return fail_at(err, end, HY_BAD_FORMAT, "the zip64 end record is not where it should be");
  (void)hy__span_take(&s, 28);
  a->n_members = hy__span_u64le(&s);
  a->directory_bytes = hy__span_u64le(&s);
  a->directory_offset = hy__span_u64le(&s);
  return HY_OK;
}

static hy_status read_end(archive *a, hy_error *err) {
  size_t end;
  if (!find_end(a, &end))
    return fail_at(err, 0, HY_BAD_FORMAT, "no zip directory at the end (is the file cut off?)");
  hy__span s = span_at(a, end + 10);
  a->n_members = hy__span_u16le(&s);
  a->directory_bytes = hy__span_u32le(&s);
  a->directory_offset = hy__span_u32le(&s);
  HY_TRY(read_end64(a, end, err));
  if (a->directory_offset > end || a->directory_bytes > end - a->directory_offset)
    return fail_at(err, end, HY_BAD_FORMAT, "the zip directory lies outside the file");
  if (a->n_members > a->directory_bytes / CENTRAL_BYTES)
    return fail_at(err, end, HY_BAD_FORMAT, "the zip directory is shorter than its members need");
  if (a->n_members > HY__ZIP_MAX_MEMBERS)
    return fail_at(err, end, HY_LIMIT, "more than 65536 members in one archive");
  return HY_OK;
}

typedef struct entry {
  uint16_t flags, method;
  uint32_t crc;
  uint64_t packed_bytes, bytes, local_offset;
  const uint8_t *name;
  size_t name_bytes;
} entry;

/* The zip64 field holds, in this order, those of the three that are saturated. */
static void read_zip64(hy__span extra, entry *e) {
  while (hy__span_left(&extra) >= 4) {
    uint16_t id = hy__span_u16le(&extra);
    hy__span field = hy__span_sub(&extra, hy__span_u16le(&extra));
    if (id != EXTRA_ZIP64) continue;
    if (e->bytes == SATURATED32) e->bytes = hy__span_u64le(&field);
    if (e->packed_bytes == SATURATED32) e->packed_bytes = hy__span_u64le(&field);
    if (e->local_offset == SATURATED32) e->local_offset = hy__span_u64le(&field);
    return;
  }
}

static bool read_entry(hy__span *s, entry *e) {
  if (hy__span_u32le(s) != CENTRAL_SIGNATURE) return false;
  (void)hy__span_take(s, 4);
  e->flags = hy__span_u16le(s);
  e->method = hy__span_u16le(s);
  (void)hy__span_take(s, 4);
  e->crc = hy__span_u32le(s);
  e->packed_bytes = hy__span_u32le(s);
  e->bytes = hy__span_u32le(s);
  e->name_bytes = hy__span_u16le(s);
  size_t extra_bytes = hy__span_u16le(s), comment_bytes = hy__span_u16le(s);
  (void)hy__span_take(s, 8);
  e->local_offset = hy__span_u32le(s);
  e->name = hy__span_take(s, e->name_bytes);
  read_zip64(hy__span_sub(s, extra_bytes), e);
  (void)hy__span_take(s, comment_bytes);
  return !s->failed;
}

static hy_status check_entry(const entry *e, size_t offset, hy_error *err) {
  if (e->flags & FLAG_ENCRYPTED) return fail_at(err, offset, HY_UNSUPPORTED, "an encrypted member");
  if (e->method != HY__ZIP_STORED && e->method != HY__ZIP_DEFLATED)
    return fail_at(err, offset, HY_UNSUPPORTED, "a member neither stored nor deflated");
  if (e->method == HY__ZIP_STORED && e->packed_bytes != e->bytes)
    return fail_at(err, offset, HY_BAD_FORMAT, "a stored member with two sizes");
  if (memchr(e->name, 0, e->name_bytes))
    return fail_at(err, offset, HY_BAD_FORMAT, "a zero byte in a member's name");
  return HY_OK;
}

/* The packed bytes behind the local header, whose name must be the directory's. */
static hy_status locate(const archive *a, const entry *e, hy__zip_member *m, hy_error *err) {
  size_t at = e->local_offset > a->bytes ? a->bytes : (size_t)e->local_offset;
  hy__span s = span_at(a, e->local_offset);
  if (hy__span_u32le(&s) != LOCAL_SIGNATURE)
    return fail_at(err, at, HY_BAD_FORMAT, "a member's local header is not where it should be");
  (void)hy__span_take(&s, 22);
  size_t name_bytes = hy__span_u16le(&s), extra_bytes = hy__span_u16le(&s);
  const uint8_t *name = hy__span_take(&s, name_bytes);
  (void)hy__span_take(&s, extra_bytes);
  if (s.failed || name_bytes != e->name_bytes || memcmp(name, e->name, name_bytes) != 0)
    return fail_at(err, at, HY_BAD_FORMAT, "a member's local header disagrees with the directory");
  if (e->packed_bytes > hy__span_left(&s))
    return fail_at(err, at, HY_BAD_FORMAT, "a member reaches past the end of the file");
  m->offset_bytes = hy__span_offset(&s);
  m->packed_bytes = (size_t)e->packed_bytes;
  m->data = hy__span_take(&s, m->packed_bytes);
  return HY_OK;
}

hy_status hy__zip_read(const uint8_t *data, size_t bytes, hy__arena *arena, hy__zip_member **out,
                       size_t *n_members, hy_error *err) {
  archive a = {.data = data, .bytes = bytes};
  uint64_t total = 0;
  void *ptr;
  HY_TRY(read_end(&a, err));
  HY_TRY(hy__arena_array(arena, (size_t)a.n_members, sizeof(hy__zip_member), &ptr, err));
  hy__zip_member *members = ptr;
  hy__span s = span_at(&a, a.directory_offset);
  hy__span directory = hy__span_sub(&s, (size_t)a.directory_bytes);
  for (size_t i = 0; i < a.n_members; i++) {
    entry e;
    size_t at = (size_t)a.directory_offset + hy__span_offset(&directory);
    if (!read_entry(&directory, &e))
      return fail_at(err, at, HY_BAD_FORMAT, "a broken entry in the zip directory");
    HY_TRY(check_entry(&e, at, err));
    HY_TRY(locate(&a, &e, &members[i], err));
    total +=
        e.packed_bytes; /* each is at most the archive's size, of which there are 2^16 at most */
    if (total > bytes) return fail_at(err, at, HY_BAD_FORMAT, "members that overlap");
    if (e.bytes > PTRDIFF_MAX) return fail_at(err, at, HY_BAD_FORMAT, "a member beyond all memory");
    members[i].bytes = (size_t)e.bytes;
    members[i].crc = e.crc;
    members[i].method = e.method;
    HY_TRY(hy__arena_text(arena, (const char *)e.name, e.name_bytes, &members[i].name, err));
  }
  *out = members;
  *n_members = (size_t)a.n_members;
  return HY_OK;
}

/* Little-endian fields into a small record. */
typedef struct record {
  uint8_t bytes[128];
  size_t n;
} record;

static void put(record *r, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) r->bytes[r->n++] = (uint8_t)(value >> (8 * i));
}

static uint64_t saturate(uint64_t value, bool zip64) { return zip64 ? SATURATED32 : value; }

void hy__zip_begin(hy__zip_writer *w, hy_sink sink, const hy_allocator *a) {
  *w = (hy__zip_writer){.sink = sink, .zip64_from = SATURATED32};
  hy__buffer_init(&w->directory, a, (size_t)1 << 31);
}

void hy__zip_destroy(hy__zip_writer *w) { hy__buffer_destroy(&w->directory); }

hy_status hy__zip_write(hy__zip_writer *w, const void *data, size_t bytes, hy_error *err) {
  HY_TRY(hy__sink_write(&w->sink, data, bytes, err));
  w->offset += bytes;
  return HY_OK;
}

/* From "version needed" to the length of the name: the same in both headers. */
static void put_shared(record *r, uint32_t crc, uint64_t bytes, bool zip64, size_t name_bytes) {
  put(r, zip64 ? VERSION_ZIP64 : VERSION_STORED, 2);
  put(r, FLAG_UTF8, 2);
  put(r, HY__ZIP_STORED, 2);
  put(r, 0, 2);
  put(r, DATE_1980, 2);
  put(r, crc, 4);
  put(r, saturate(bytes, zip64), 4);
  put(r, saturate(bytes, zip64), 4);
  put(r, name_bytes, 2);
}

static hy_status write_central(hy__zip_writer *w, const char *name, uint32_t crc, uint64_t bytes,
                               hy_error *err) {
  record r = {.n = 0};
  bool big = bytes >= w->zip64_from, far = w->offset >= w->zip64_from;
  size_t n = strlen(name), extra = (big ? 16u : 0u) + (far ? 8u : 0u);
  put(&r, CENTRAL_SIGNATURE, 4);
  put(&r, big || far ? VERSION_ZIP64 : VERSION_STORED, 2);
  put_shared(&r, crc, bytes, big, n);
  put(&r, extra ? extra + 4 : 0, 2);
  put(&r, 0, 6); /* comment, disk, inner attributes */
  put(&r, 0, 4); /* outer attributes */
  put(&r, saturate(w->offset, far), 4);
  HY_TRY(hy__buffer_append(&w->directory, r.bytes, r.n, err));
  HY_TRY(hy__buffer_append(&w->directory, name, n, err));
  if (!extra) return HY_OK;
  r.n = 0;
  put(&r, EXTRA_ZIP64, 2);
  put(&r, extra, 2);
  if (big) put(&r, bytes, 8);
  if (big) put(&r, bytes, 8);
  if (far) put(&r, w->offset, 8);
  return hy__buffer_append(&w->directory, r.bytes, r.n, err);
}

hy_status hy__zip_member_begin(hy__zip_writer *w, const char *name, uint32_t crc, uint64_t bytes,
                               hy_error *err) {
  record r = {.n = 0}, extra = {.n = 0};
  size_t n = strlen(name);
  bool big = bytes >= w->zip64_from;
  HY_FAIL_IF(n > UINT16_MAX, HY_INVALID_ARGUMENT, err, "a name of %zu bytes", n);
  HY_FAIL_IF(w->n_members == HY__ZIP_MAX_MEMBERS, HY_LIMIT, err,
             "more than %d members in one archive", HY__ZIP_MAX_MEMBERS);
  HY_TRY(write_central(w, name, crc, bytes, err));
  w->n_members++;
  if (big) {
    put(&extra, EXTRA_ZIP64, 2);
    put(&extra, 16, 2);
    put(&extra, bytes, 8);
    put(&extra, bytes, 8);
  }
  uint64_t data_at = w->offset + LOCAL_BYTES + n + extra.n + 4;
  size_t padding = (size_t)(-data_at & (DATA_ALIGN - 1));
  put(&extra, EXTRA_PADDING, 2);
  put(&extra, padding, 2);
  for (size_t i = 0; i < padding; i++) put(&extra, 0, 1);
  put(&r, LOCAL_SIGNATURE, 4);
  put_shared(&r, crc, bytes, big, n);
  put(&r, extra.n, 2);
  HY_TRY(hy__zip_write(w, r.bytes, r.n, err));
  HY_TRY(hy__zip_write(w, name, n, err));
  return hy__zip_write(w, extra.bytes, extra.n, err);
}

static hy_status write_end64(hy__zip_writer *w, uint64_t offset, hy_error *err) {
  record r = {.n = 0};
  uint64_t end = w->offset;
  put(&r, END64_SIGNATURE, 4);
  put(&r, END64_BYTES - 12, 8);
  put(&r, VERSION_ZIP64, 2);
  put(&r, VERSION_ZIP64, 2);
  put(&r, 0, 8); /* disks */
  put(&r, w->n_members, 8);
  put(&r, w->n_members, 8);
  put(&r, w->directory.len_bytes, 8);
  put(&r, offset, 8);
  put(&r, LOCATOR_SIGNATURE, 4);
  put(&r, 0, 4);
  put(&r, end, 8);
  put(&r, 1, 4);
  return hy__zip_write(w, r.bytes, r.n, err);
}

hy_status hy__zip_end(hy__zip_writer *w, hy_error *err) {
  record r = {.n = 0};
  uint64_t offset = w->offset, bytes = w->directory.len_bytes;
  bool zip64 = offset >= w->zip64_from || bytes >= w->zip64_from || w->n_members >= UINT16_MAX;
  HY_TRY(hy__zip_write(w, w->directory.data, w->directory.len_bytes, err));
  if (zip64) HY_TRY(write_end64(w, offset, err));
  uint64_t n = zip64 ? UINT16_MAX : w->n_members;
  put(&r, END_SIGNATURE, 4);
  put(&r, 0, 4);
  put(&r, n, 2);
  put(&r, n, 2);
  put(&r, saturate(bytes, zip64), 4);
  put(&r, saturate(offset, zip64), 4);
  put(&r, 0, 2);
  return hy__zip_write(w, r.bytes, r.n, err);
}
