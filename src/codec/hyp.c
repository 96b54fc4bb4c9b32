/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing .hyp containers; the bytes are laid out in hyp.h. */
#include "codec/hyp.h"

#include <hayate/version.h>

enum { FORMAT = 1, HEADER = 64, HASHED = 48, ENTRY = 160, VERSION = 16 };

static const uint8_t magic[8] = {0x89, 'H', 'Y', 'P', '\r', '\n', 0x1a, '\n'};

bool hy__hyp_is(const void *data, size_t bytes) {
  return bytes >= sizeof magic && memcmp(data, magic, sizeof magic) == 0;
}

/* --- reading --- */

static hy_status text_take(hy__span *in, size_t bytes, const char **out, hy_error *err) {
  const uint8_t *text = hy__span_take(in, bytes);
  if (!text || !memchr(text, 0, bytes)) {
    hy__error_set(err, HY_BAD_FORMAT, "a name of the table has no end");
    hy__error_place(err, 0, 0, (int64_t)hy__span_offset(in));
    return HY_BAD_FORMAT;
  }
  *out = (const char *)text;
  return HY_OK;
}

static hy_status entry_read(hy__span *in, hy__span file, hy__hyp_section *out, hy_error *err) {
  out->kind = hy__span_u32le(in);
  out->isa = hy__span_u32le(in);
  uint64_t offset = hy__span_u64le(in), bytes = hy__span_u64le(in), size = hy__span_left(&file);
  out->hash.low = hy__span_u64le(in);
  out->hash.high = hy__span_u64le(in);
  HY_TRY(text_take(in, HY__HYP_OWNER, &out->owner, err));
  HY_TRY(text_take(in, HY__HYP_NAME, &out->name, err));
  bool fits = offset <= size && bytes <= size - offset && offset % HY_ALIGN == 0;
  if (!fits) {
    hy__error_set(err, HY_BAD_FORMAT, "section '%s' lies outside the file or is not aligned",
                  out->name);
    hy__error_place(err, 0, 0, (int64_t)hy__span_offset(in) - ENTRY);
    return HY_BAD_FORMAT;
  }
  (void)hy__span_take(&file, (size_t)offset);
  out->data = file.pos;
  out->bytes = (size_t)bytes;
  return HY_OK;
}

static bool same_hash(hy__hash128 a, hy__hash128 b) { return a.low == b.low && a.high == b.high; }

/* Of the header before the hash, and the table. */
static hy__hash128 table_hash(const uint8_t *header, const uint8_t *table, size_t n) {
  hy__hash128 parts[2] = {hy__hash(header, HASHED), hy__hash(table, n * ENTRY)};
  return hy__hash(parts, sizeof parts);
}

hy_status hy__hyp_read(const void *data, size_t bytes, hy__arena *arena, hy__hyp *out,
                       hy_error *err) {
  hy__span file = hy__span_make(data, bytes), in = file;
  void *memory;
  hy__hash128 hash;
  const uint8_t *header = in.pos;
  HY_FAIL_IF(!hy__hyp_is(data, bytes), HY_BAD_FORMAT, err, "not a .hyp container");
  HY_FAIL_IF(bytes < HEADER, HY_BAD_FORMAT, err, "the container is cut short");
  HY_FAIL_IF((uintptr_t)data % HY_ALIGN != 0, HY_INVALID_ARGUMENT, err,
             "a .hyp container in memory must be aligned to %d bytes", (int)HY_ALIGN);
  (void)hy__span_take(&in, sizeof magic);
  uint32_t format = hy__span_u32le(&in), n = hy__span_u32le(&in);
  uint64_t size = hy__span_u64le(&in);
  out->revision = hy__span_u64le(&in);
  HY_FAIL_IF(format != FORMAT, HY_UNSUPPORTED, err, "container format %u; this version reads %d",
             format, (int)FORMAT);
  HY_FAIL_IF(size != bytes, HY_BAD_FORMAT, err, "the container has %zu bytes and says %llu", bytes,
             (unsigned long long)size);
  HY_TRY(text_take(&in, VERSION, &out->version, err));
  hash.low = hy__span_u64le(&in);
  hash.high = hy__span_u64le(&in);
  HY_FAIL_IF(n > HY__HYP_SECTIONS_MAX, HY_LIMIT, err, "%u sections; the limit is %d", n,
             (int)HY__HYP_SECTIONS_MAX);
  HY_FAIL_IF((size_t)n * ENTRY > hy__span_left(&in), HY_BAD_FORMAT, err,
             "the table of sections is cut short");
  HY_FAIL_IF(!same_hash(hash, table_hash(header, in.pos, n)), HY_BAD_FORMAT, err,
             "the table of sections was changed or damaged: its checksum differs");
  HY_TRY(hy__arena_array(arena, (size_t)n + 1, sizeof(hy__hyp_section), &memory, err));
  out->sections = memory;
  out->n = n;
  for (uint32_t i = 0; i < n; i++) HY_TRY(entry_read(&in, file, &out->sections[i], err));
  return HY_OK;
}

hy_status hy__hyp_check(const hy__hyp_section *s, hy_error *err) {
  HY_FAIL_IF(!same_hash(s->hash, hy__hash(s->data, s->bytes)), HY_BAD_FORMAT, err,
             "section '%s' was changed or damaged: its checksum differs", s->name);
  return HY_OK;
}

const hy__hyp_section *hy__hyp_find(const hy__hyp *hyp, uint32_t kind, uint32_t isa,
                                    const char *owner) {
  for (size_t i = 0; i < hyp->n; i++) {
    const hy__hyp_section *s = &hyp->sections[i];
    if (s->kind == kind && s->isa == isa && strcmp(s->owner, owner) == 0) return s;
  }
  return NULL;
}

/* --- writing --- */

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
  return at + bytes;
}

static uint8_t *put_text(uint8_t *at, const char *text, size_t bytes) {
  memset(at, 0, bytes);
  memcpy(at, text, strlen(text));
  return at + bytes;
}

static void entry_put(uint8_t *at, const hy__hyp_section *s, size_t offset) {
  hy__hash128 hash = hy__hash(s->data, s->bytes);
  at = put(put(at, s->kind, 4), s->isa, 4);
  at = put(put(at, offset, 8), s->bytes, 8);
  at = put(put(at, hash.low, 8), hash.high, 8);
  (void)put_text(put_text(at, s->owner, HY__HYP_OWNER), s->name, HY__HYP_NAME);
}

static hy_status sections_write(hy__outfile *f, const hy__hyp_section *s, size_t n, hy_error *err) {
  static const uint8_t zeros[HY_ALIGN];
  for (size_t i = 0; i < n; i++) {
    size_t rest = s[i].bytes % HY_ALIGN;
    HY_TRY(hy__outfile_write(f, s[i].data, s[i].bytes, err));
    if (rest) HY_TRY(hy__outfile_write(f, zeros, HY_ALIGN - rest, err));
  }
  return HY_OK;
}

/* The header and the table, padded, in `head`; what the whole file will have. */
static size_t head_fill(uint8_t *head, size_t head_bytes, const hy__hyp_section *s, size_t n,
                        uint64_t revision) {
  size_t offset = head_bytes, total = head_bytes;
  for (size_t i = 0; i < n; i++) {
    entry_put(head + HEADER + i * ENTRY, &s[i], offset);
    offset += (s[i].bytes + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1);
    total = offset;
  }
  memcpy(head, magic, sizeof magic);
  uint8_t *at = put(put(head + sizeof magic, FORMAT, 4), n, 4);
  at = put_text(put(put(at, total, 8), revision, 8), HY_VERSION, VERSION);
  hy__hash128 hash = table_hash(head, head + HEADER, n);
  (void)put(put(at, hash.low, 8), hash.high, 8);
  return total;
}

hy_status hy__hyp_write(const hy_allocator *a, const char *path, const hy__hyp_section *s, size_t n,
                        uint64_t revision, hy_error *err) {
  void *head;
  hy__outfile file;
  HY_FAIL_IF(n > HY__HYP_SECTIONS_MAX, HY_LIMIT, err, "%zu sections; the limit is %d", n,
             (int)HY__HYP_SECTIONS_MAX);
  for (size_t i = 0; i < n; i++)
    HY_FAIL_IF(strlen(s[i].owner) >= HY__HYP_OWNER || strlen(s[i].name) >= HY__HYP_NAME, HY_LIMIT,
               err, "the name '%s' is too long for a container", s[i].name);
  size_t head_bytes = (HEADER + n * ENTRY + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1);
  HY_TRY(hy__alloc_zero(a, head_bytes, &head, err));
  (void)head_fill(head, head_bytes, s, n, revision);
  hy_status status = hy__outfile_open(path, &file, err);
  if (status == HY_OK) {
    status = hy__outfile_write(&file, head, head_bytes, err);
    if (status == HY_OK) status = sections_write(&file, s, n, err);
    if (status == HY_OK) status = hy__outfile_commit(&file, err);
    if (status != HY_OK) hy__outfile_discard(&file);
  }
  hy__free(a, head, head_bytes);
  return status;
}
