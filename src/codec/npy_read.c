/* SPDX-License-Identifier: Apache-2.0
 * Reading .npy: the header is a Python literal of fixed keys, read by a small strict reader; the
 * data is used where it lies when it can be. NumPy's own limits (NEP 1) hold; objects, which would
 * be pickles, are refused. */
#include "codec/npy.h"

enum { MAX_HEADER_BYTES = 65536, MAX_DESCR = 32 };

typedef struct cursor {
  const char *begin, *pos, *end;
  hy_error *err;
} cursor;

static hy_status fail_at(hy_error *err, size_t offset, hy_status status, const char *message) {
  hy__error_set(err, status, "%s", message);
  hy__error_place(err, 0, 0, (int64_t)offset);
  return status;
}

static hy_status fail(const cursor *c, const char *message) {
  return fail_at(c->err, (size_t)(c->pos - c->begin), HY_BAD_FORMAT, message);
}

static void skip_blanks(cursor *c) {
  while (c->pos < c->end && (*c->pos == ' ' || *c->pos == '\n' || *c->pos == '\t')) c->pos++;
}

static bool take(cursor *c, const char *word) {
  size_t n = strlen(word);
  skip_blanks(c);
  if ((size_t)(c->end - c->pos) < n || memcmp(c->pos, word, n) != 0) return false;
  c->pos += n;
  return true;
}

/* 'text' or "text" without escapes, as NumPy writes. */
static hy_status read_quoted(cursor *c, char out[MAX_DESCR]) {
  skip_blanks(c);
  char quote = c->pos < c->end ? *c->pos : 0;
  if (quote == '[')
    return fail_at(c->err, (size_t)(c->pos - c->begin), HY_UNSUPPORTED,
                   "an array of structures; one plain type per array is read");
  if (quote != '\'' && quote != '"') return fail(c, "a quoted text is expected in the header");
  const char *begin = ++c->pos;
  while (c->pos < c->end && *c->pos != quote) c->pos++;
  size_t n = (size_t)(c->pos - begin);
  if (c->pos == c->end || n >= MAX_DESCR) return fail(c, "a quoted text in the header is too long");
  c->pos++;
  memcpy(out, begin, n);
  out[n] = 0;
  return HY_OK;
}

static hy_status read_shape(cursor *c, hy__npy *out) {
  if (!take(c, "(")) return fail(c, "a shape in parentheses is expected");
  while (!take(c, ")")) {
    const char *next = hy__parse_i64(c->pos, c->end, &out->dims[out->rank]);
    if (next == c->pos || out->dims[out->rank] < 0) return fail(c, "a dimension is expected");
    c->pos = next;
    (void)take(c, "L"); /* Python 2 */
    out->rank++;
    bool comma = take(c, ",");
    if (take(c, ")")) break;
    if (!comma) return fail(c, "a comma is expected in the shape");
    if (out->rank == HY_MAX_RANK)
      return fail_at(c->err, (size_t)(c->pos - c->begin), HY_LIMIT, "more than 8 dimensions");
  }
  return HY_OK;
}

typedef struct type_row {
  const char *descr; /* without the byte order */
  hy_dtype dtype;
} type_row;

static const type_row types[] = {
    {"f4", HY_F32},
    {"f8", HY_F64},
    {"f2", HY_F16},
    {"i1", HY_I8},
    {"i2", HY_I16},
    {"i4", HY_I32},
    {"i8", HY_I64},
    {"u1", HY_U8},
    {"u2", HY_U16},
    {"u4", HY_U32},
    {"u8", HY_U64},
    {"b1", HY_BOOL},
    {"?", HY_BOOL},
    {"V2", HY_BF16},
    {"bfloat16", HY_BF16},
    /* by the names of ml_dtypes; its own files say V1 of all but one, which tells nothing */
    {"f1", HY_F8E5M2},
    {"float8_e5m2", HY_F8E5M2},
    {"float8_e5m2fnuz", HY_F8E5M2FNUZ},
    {"float8_e4m3fn", HY_F8E4M3FN},
    {"float8_e4m3fnuz", HY_F8E4M3FNUZ},
    {"float8_e8m0fnu", HY_F8E8M0},
    {"float4_e2m1fn", HY_F4E2M1},
    {"uint4", HY_U4},
    {"int4", HY_I4},
    {"uint2", HY_U2},
    {"int2", HY_I2}};

static hy_status read_type(const char *descr, hy__npy *out, hy_error *err) {
  const char *name = descr + strspn(descr, "<|=");
  if (descr[0] == '>' && strcmp(descr + 2, "1") != 0)
    HY_FAIL(HY_UNSUPPORTED, err, "dtype '%s' is big-endian; little-endian is read", descr);
  if (descr[0] == '>') name = descr + 1;
  for (size_t i = 0; i < HY_COUNT(types); i++)
    if (strcmp(name, types[i].descr) == 0) {
      out->dtype = types[i].dtype;
      out->item_bytes = hy_dtype_bytes(out->dtype);
      return HY_OK;
    }
  int64_t width;
  bool text = (name[0] == 'U' || name[0] == 'S') && hy__text_i64(name + 1, &width) && width >= 0 &&
              width <= INT32_MAX / 4;
  HY_FAIL_IF(!text, HY_UNSUPPORTED, err,
             "dtype '%s' is not read; f2 f4 f8, i1 to i8, u1 to u8, b1, U, S, V2 and the names of "
             "ml_dtypes (as float8_e4m3fn or int4) are",
             descr);
  out->dtype = HY_STRING;
  out->utf32 = name[0] == 'U';
  out->item_bytes = (size_t)width * (out->utf32 ? 4 : 1);
  return HY_OK;
}

static hy_status read_dict(cursor *c, hy__npy *out) {
  char key[MAX_DESCR], descr[MAX_DESCR] = "";
  bool has_order = false, has_shape = false;
  if (!take(c, "{")) return fail(c, "the header is no dictionary");
  while (!take(c, "}")) {
    HY_TRY(read_quoted(c, key));
    if (!take(c, ":")) return fail(c, "a colon is expected in the header");
    if (strcmp(key, "descr") == 0 && !descr[0]) {
      HY_TRY(read_quoted(c, descr));
      HY_TRY(read_type(descr, out, c->err));
    } else if (strcmp(key, "fortran_order") == 0 && !has_order) {
      has_order = true;
      out->fortran_order = take(c, "True");
      if (!out->fortran_order && !take(c, "False")) return fail(c, "True or False is expected");
    } else if (strcmp(key, "shape") == 0 && !has_shape) {
      has_shape = true;
      HY_TRY(read_shape(c, out));
    } else {
      return fail(c, "an unknown or repeated key in the header");
    }
    if (!take(c, ",") && !(c->pos < c->end && *c->pos == '}'))
      return fail(c, "a comma is expected in the header");
  }
  skip_blanks(c);
  if (!descr[0] || !has_order || !has_shape)
    return fail(c, "the header lacks descr, fortran_order or shape");
  return c->pos == c->end ? HY_OK : fail(c, "text after the header's dictionary");
}

hy_status hy__npy_header(const uint8_t *data, size_t bytes, hy__npy *out, hy_error *err) {
  *out = (hy__npy){.rank = 0};
  hy__span s = hy__span_make(data, bytes);
  const uint8_t *magic = hy__span_take(&s, 6);
  if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0)
    return fail_at(err, 0, HY_BAD_FORMAT, "not an .npy array: the magic bytes are missing");
  uint8_t version = hy__span_u8(&s);
  (void)hy__span_u8(&s);
  if (version < 1 || version > 3)
    return fail_at(err, 6, HY_UNSUPPORTED, ".npy versions 1, 2 and 3 are read");
  size_t header_bytes = version == 1 ? hy__span_u16le(&s) : hy__span_u32le(&s);
  if (s.failed) return fail_at(err, bytes, HY_BAD_FORMAT, "the .npy header is cut off");
  if (header_bytes > MAX_HEADER_BYTES)
    return fail_at(err, 8, HY_LIMIT, "an .npy header of more than 64 KiB");
  const uint8_t *text = hy__span_take(&s, header_bytes);
  if (!text) return fail_at(err, bytes, HY_BAD_FORMAT, "the .npy header is cut off");
  out->data_offset_bytes = hy__span_offset(&s);
  cursor c = {.begin = (const char *)data,
              .pos = (const char *)text,
              .end = (const char *)text + header_bytes,
              .err = err};
  return read_dict(&c, out);
}

static size_t put_utf8(uint32_t c, char *to) {
  if (c < 0x80) {
    to[0] = (char)c;
    return 1;
  }
  size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; c >>= 6) to[i] = (char)(0x80 | (c & 0x3F));
  to[0] = (char)((0xF00 >> n & 0xFF) | c);
  return n;
}

/* One U element: code points up to the trailing zeros. Returns false on what Unicode has not. */
static bool utf32_decode(const uint8_t *item, size_t width, char *to, size_t *len_bytes) {
  hy__span s = hy__span_make(item, width * 4);
  size_t n = 0;
  for (size_t i = 0; i < width; i++) {
    uint32_t c = hy__span_u32le(&s);
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return false;
    n += put_utf8(c, to + n);
  }
  *len_bytes = n;
  return true;
}

static size_t without_zeros(const uint8_t *p, size_t n) {
  while (n > 0 && p[n - 1] == 0) n--;
  return n;
}

static hy_status read_texts(const hy__npy *h, const uint8_t *data, size_t n, hy__arena *arena,
                            void **out, hy_error *err) {
  HY_TRY(hy__arena_array(arena, n, sizeof(hy_string), out, err));
  hy_string *strings = *out;
  for (size_t i = 0; i < n; i++) {
    const uint8_t *item = data + i * h->item_bytes;
    size_t used = without_zeros(item, h->item_bytes);
    if (!h->utf32) {
      strings[i] = (hy_string){.data = (const char *)item, .len_bytes = used};
      continue;
    }
    void *text;
    size_t width = (used + 3) / 4;
    HY_TRY(hy__arena_alloc(arena, width * 4, 1, &text, err));
    strings[i].data = text;
    if (!utf32_decode(item, width, text, &strings[i].len_bytes))
      return fail_at(err, h->data_offset_bytes + i * h->item_bytes, HY_BAD_FORMAT,
                     "a text holds no Unicode code point");
  }
  return HY_OK;
}

/* From the first index fastest to the last index fastest, element by element. */
static void to_c_order(const uint8_t *from, const hy__npy *h, size_t n, size_t each, uint8_t *to) {
  int64_t index[HY_MAX_RANK] = {0};
  size_t stride[HY_MAX_RANK], at = 0;
  for (int32_t d = 0; d < h->rank; d++)
    stride[d] = d ? stride[d - 1] * (size_t)h->dims[d - 1] : each;
  for (size_t i = 0; i < n; i++) {
    memcpy(to + i * each, from + at, each);
    for (int32_t d = h->rank - 1; d >= 0; d--) {
      at += stride[d];
      if (++index[d] < h->dims[d]) break;
      at -= stride[d] * (size_t)h->dims[d];
      index[d] = 0;
    }
  }
}

static hy_status check_bools(const hy__npy *h, const uint8_t *data, size_t n, hy_error *err) {
  uint8_t all = 0;
  for (size_t i = 0; i < n; i++) all |= data[i];
  if (all <= 1) return HY_OK;
  return fail_at(err, h->data_offset_bytes, HY_BAD_FORMAT, "a truth value that is neither 0 nor 1");
}

hy_status hy__npy_read(const uint8_t *data, size_t bytes, hy__arena *arena, hy_tensor *out,
                       hy_error *err) {
  hy__npy h;
  size_t n, need;
  HY_TRY(hy__npy_header(data, bytes, &h, err));
  bool fits =
      hy__shape_bytes(h.dims, h.rank, 0, &n) && hy__mul(n, h.item_bytes, &need) &&
      hy__shape_bytes(h.dims, h.rank, HY_MAX(h.item_bytes, sizeof(hy_string)), &(size_t){0});
  if (!fits) return fail_at(err, 10, HY_BAD_FORMAT, "the shape's size overflows");
  size_t have = bytes - h.data_offset_bytes;
  HY_FAIL_IF(have != need, HY_BAD_FORMAT, err,
             "the shape asks for %zu bytes of data, there are %zu", need, have);
  /* Elements of no width need no bytes; there must still be a bound on them. */
  HY_FAIL_IF(h.item_bytes == 0 && n > MAX_HEADER_BYTES, HY_LIMIT, err, "%zu empty texts", n);
  *out = (hy_tensor){.dtype = h.dtype, .rank = h.rank};
  memcpy(out->dims, h.dims, sizeof out->dims);
  const uint8_t *values = data + h.data_offset_bytes;
  if (h.dtype == HY_BOOL) HY_TRY(check_bools(&h, values, n, err));
  void *copy = NULL;
  size_t each = h.item_bytes;
  if (h.dtype == HY_STRING) {
    HY_TRY(read_texts(&h, values, n, arena, &copy, err));
    values = copy;
    each = sizeof(hy_string);
  }
  bool turn = h.fortran_order && h.rank > 1 && n > 1;
  if (turn || (uintptr_t)values % each != 0) {
    HY_TRY(hy__arena_array(arena, n, each, &copy, err));
    if (turn)
      to_c_order(values, &h, n, each, copy);
    else if (n)
      memcpy(copy, values, n * each);
    values = copy;
  }
  out->data = (void *)(uintptr_t)values;
  return HY_OK;
}
