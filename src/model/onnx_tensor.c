/* SPDX-License-Identifier: Apache-2.0 */
/* TensorProto: raw bytes or typed lists, inside the file or outside, as a dense view. Bytes that
 * lie aligned in the mapped file are used in place, others are copied once into the model's arena,
 * or stay for who packs them (onnx_align.c). */
#include "model/onnx.h"

enum { EXTERNAL = 1 }; /* TensorProto.DataLocation */

/* Where the fields of one TensorProto are. */
typedef struct raw_tensor {
  const char *name;
  int64_t dims[HY_MAX_RANK];
  size_t rank;
  uint64_t dtype, location;
  hy__span raw; /* raw_data, or what external_data names */
  bool has_raw;
  hy__onnx_location external;
  int64_t offset_bytes;
} raw_tensor;

static const uint8_t nothing[64] __attribute__((aligned(64)));

static bool text_is(const hy__pb_field *f, const char *text) {
  size_t n = hy__span_left(&f->bytes);
  return n == strlen(text) && memcmp(f->bytes.pos, text, n) == 0;
}

static hy_status entry_number(const hy__pb_field *f, const char *key, int64_t *out, hy_error *err) {
  const char *text = (const char *)f->bytes.pos, *end = (const char *)f->bytes.end;
  HY_FAIL_IF(text == end || hy__parse_i64(text, end, out) != end || *out < 0, HY_BAD_FORMAT, err,
             "external data's %s is not a whole number of bytes", key);
  return HY_OK;
}

/* StringStringEntryProto of external_data: location, offset, length; checksum is not used. */
static hy_status entry_read(hy__span in, raw_tensor *t, hy_error *err) {
  hy__pb_field f, key = {.wire = HY__PB_BYTES, .bytes = in}, value;
  key.bytes.pos = key.bytes.end;
  value = key;
  while (hy__pb_next(&in, &f)) {
    if (f.wire != HY__PB_BYTES) continue;
    if (f.number == 1) key = f;
    if (f.number == 2) value = f;
  }
  if (in.failed) return hy__pb_malformed(&in, "external_data", err);
  if (text_is(&key, "location")) t->external.path = value.bytes;
  if (text_is(&key, "offset")) return entry_number(&value, "offset", &t->external.offset, err);
  if (text_is(&key, "length")) return entry_number(&value, "length", &t->external.length, err);
  return HY_OK;
}

static hy_status dims_read(hy__onnx *r, hy__span *in, const hy__pb_field *f, raw_tensor *t,
                           hy_error *err) {
  r->ints.n = 0;
  HY_TRY(hy__pb_varints(in, f, r->allocator, &r->ints, err));
  HY_FAIL_IF(t->rank + r->ints.n > HY_MAX_RANK, HY_LIMIT, err, "a tensor has more than %d dims",
             (int)HY_MAX_RANK);
  for (size_t i = 0; i < r->ints.n; i++) t->dims[t->rank++] = ((const int64_t *)r->ints.items)[i];
  r->ints.n = 0;
  return HY_OK;
}

/* Everything but the typed lists. */
static hy_status head_read(hy__onnx *r, hy__span in, raw_tensor *t, hy_error *err) {
  hy__pb_field f;
  *t = (raw_tensor){
      .name = "", .external.length = -1, .offset_bytes = (int64_t)hy__span_offset(&in)};
  while (hy__pb_next(&in, &f)) {
    bool message = f.wire == HY__PB_BYTES;
    switch (f.number) {
    case 1: HY_TRY(dims_read(r, &in, &f, t, err)); break;
    case 2: t->dtype = f.value; break;
    case 8: HY_TRY(hy__onnx_text(r, &f, "a tensor's name", &t->name, err)); break;
    case 9:
      if (!message) return hy__pb_malformed(&in, "raw_data", err);
      t->raw = f.bytes;
      t->has_raw = true;
      break;
    case 13:
      if (message) HY_TRY(entry_read(f.bytes, t, err));
      break;
    case 14: t->location = f.value; break;
    default: break;
    }
  }
  return in.failed ? hy__pb_malformed(&in, "a tensor", err) : HY_OK;
}

static const char *dtype_foreign(uint64_t dtype) {
  static const char *const names[] = {
      [14] = "complex64", [15] = "complex128", [27] = "float6e2m3", [28] = "float6e3m2"};
  return dtype < HY_COUNT(names) && names[dtype] ? names[dtype] : "unknown";
}

/* Elements that share a byte in the file, from its low bits up. */
static size_t packed_together(hy_dtype dtype) {
  switch (dtype) {
  case HY_U4:
  case HY_I4:
  case HY_F4E2M1: return 2;
  case HY_U2:
  case HY_I2: return 4;
  default: return 1;
  }
}

static size_t packed_count(size_t n, size_t together) { return (n + together - 1) / together; }

/* n elements from the last on, so that the packed bytes may lie at the beginning of `to`. */
static void unpack(const uint8_t *from, size_t n, size_t together, uint8_t *to) {
  const size_t bits = 8 / together;
  for (size_t i = n; i-- > 0;)
    to[i] = (uint8_t)(from[i / together] >> (i % together * bits)) & (uint8_t)((1u << bits) - 1);
}

/* int32_data carries i32 and everything narrower, one element each. */
static void narrow(const int64_t *from, size_t n, size_t each, void *to) {
  for (size_t i = 0; i < n; i++) {
    if (each == 1) ((uint8_t *)to)[i] = (uint8_t)from[i];
    if (each == 2) ((uint16_t *)to)[i] = (uint16_t)from[i];
    if (each == 4) ((uint32_t *)to)[i] = (uint32_t)from[i];
    if (each == 8) ((uint64_t *)to)[i] = (uint64_t)from[i];
  }
}

/* The typed list that goes with the type: its field, and how it is coded. */
static uint32_t list_field(hy_dtype dtype) {
  switch (dtype) {
  case HY_F32: return 4;
  case HY_F64: return 10;
  case HY_STRING: return 6;
  case HY_I64: return 7;
  case HY_U32:
  case HY_U64: return 11;
  default: return 5;
  }
}

static hy_status list_read(hy__onnx *r, hy__span in, hy_dtype dtype, size_t n, void *to,
                           hy_error *err) {
  uint32_t number = list_field(dtype);
  size_t each = hy_dtype_bytes(dtype), got = 0;
  hy__pb_field f;
  r->ints.n = r->floats.n = r->doubles.n = r->strings.n = 0;
  const void *items = NULL;
  while (hy__pb_next(&in, &f)) {
    if (f.number != number) continue;
    if (dtype == HY_F32) {
      HY_TRY(hy__pb_fixed(&in, &f, 4, r->allocator, &r->floats, err));
      items = r->floats.items;
      got = r->floats.n;
    } else if (dtype == HY_F64) {
      HY_TRY(hy__pb_fixed(&in, &f, 8, r->allocator, &r->doubles, err));
      items = r->doubles.items;
      got = r->doubles.n;
    } else if (dtype == HY_STRING) {
      HY_TRY(hy__pb_strings(&in, &f, r->allocator, &r->strings, err));
      items = r->strings.items;
      got = r->strings.n;
    } else {
      HY_TRY(hy__pb_varints(&in, &f, r->allocator, &r->ints, err));
      got = r->ints.n;
    }
  }
  HY_FAIL_IF(got != n, HY_BAD_FORMAT, err, "its list has %zu elements, its dims ask for %zu", got,
             n);
  if (!n) return HY_OK;
  if (items)
    memcpy(to, items, n * each);
  else
    narrow(r->ints.items, n, each, to);
  return HY_OK;
}

/* Raw bytes of several elements each into memory of the arena. */
static hy_status bytes_unpack(hy__onnx *r, const raw_tensor *t, size_t n, size_t together,
                              void **out, hy_error *err) {
  const size_t bytes = packed_count(n, together);
  HY_FAIL_IF(hy__span_left(&t->raw) != bytes, HY_BAD_FORMAT, err,
             "its data has %zu bytes, its dims and type ask for %zu", hy__span_left(&t->raw),
             bytes);
  HY_TRY(hy__arena_alloc(r->arena, n, HY_ALIGN, out, err));
  unpack(t->raw.pos, n, together, *out);
  return HY_OK;
}

static hy_status bytes_place(hy__onnx *r, const raw_tensor *t, hy_dtype dtype, size_t bytes,
                             void **out, hy_error *err) {
  HY_FAIL_IF(dtype == HY_STRING, HY_BAD_FORMAT, err, "strings cannot be raw data");
  HY_FAIL_IF(hy__span_left(&t->raw) != bytes, HY_BAD_FORMAT, err,
             "its data has %zu bytes, its dims and type ask for %zu", hy__span_left(&t->raw),
             bytes);
  return hy__onnx_place(r, &t->raw, dtype, out, err);
}

static hy_status tensor_make(hy__onnx *r, hy__span in, raw_tensor *t, hy_tensor *out,
                             hy_error *err) {
  HY_FAIL_IF(t->dtype > HY_I2 || !hy_dtype_bytes((hy_dtype)t->dtype), HY_UNSUPPORTED, err,
             "its type %llu (%s) is not supported", (unsigned long long)t->dtype,
             dtype_foreign(t->dtype));
  *out = (hy_tensor){.dtype = (hy_dtype)t->dtype, .rank = (int32_t)t->rank};
  memcpy(out->dims, t->dims, sizeof out->dims);
  size_t n, bytes, each = hy_dtype_bytes(out->dtype);
  HY_FAIL_IF(!hy__shape_bytes(out->dims, out->rank, each, &bytes), HY_BAD_FORMAT, err,
             "its dims are negative or their product overflows");
  n = bytes / each;
  HY_FAIL_IF(r->limits.max_elements && n > r->limits.max_elements, HY_LIMIT, err,
             "it has %zu elements; at most %zu are allowed", n, r->limits.max_elements);
  const size_t together = packed_together(out->dtype);
  if (t->location == EXTERNAL) {
    if (t->external.length < 0)
      t->external.length = (int64_t)(together > 1 ? packed_count(n, together) : bytes);
    HY_TRY(hy__onnx_external(r, &t->external, &t->raw, err));
    t->has_raw = true;
  }
  out->data = (void *)(uintptr_t)nothing;
  if (!bytes && (t->has_raw ? hy__span_left(&t->raw) == 0 : true)) return HY_OK;
  if (t->has_raw && together > 1) return bytes_unpack(r, t, n, together, &out->data, err);
  if (t->has_raw) return bytes_place(r, t, out->dtype, bytes, &out->data, err);
  const size_t listed = packed_count(n, together);
  HY_FAIL_IF(listed > hy__span_left(&in), HY_BAD_FORMAT, err,
             "its dims ask for %zu elements, more than it has bytes", n);
  HY_TRY(hy__arena_alloc(r->arena, bytes, HY_ALIGN, &out->data, err));
  HY_TRY(list_read(r, in, out->dtype, listed, out->data, err));
  if (together > 1) unpack(out->data, n, together, out->data);
  return HY_OK;
}

hy_status hy__onnx_tensor(hy__onnx *r, hy__span in, hy_tensor *out, const char **name,
                          hy_error *err) {
  raw_tensor t;
  HY_TRY(head_read(r, in, &t, err));
  if (name) *name = t.name;
  hy_status status = tensor_make(r, in, &t, out, err);
  if (status == HY_OK) return HY_OK;
  hy__error_prefix(err, "tensor '%s'", t.name);
  hy__error_place(err, 0, 0, t.offset_bytes);
  return status;
}
