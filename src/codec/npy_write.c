/* SPDX-License-Identifier: Apache-2.0
 * Writing .npy version 1: a header padded to 64 bytes as NumPy's is, then the elements in C order,
 * texts as UTF-32 of the widest. The same tensor gives the same bytes, whatever its strides. */
#include <stdio.h>

#include "codec/json.h"
#include "codec/npy.h"

enum { CHUNK_BYTES = 16384, HEADER_BYTES = 512, HEADER_ALIGN = 64 };

static const char *descr_of(hy_dtype dtype) {
  switch (dtype) {
  case HY_F32: return "<f4";
  case HY_U8: return "|u1";
  case HY_I8: return "|i1";
  case HY_U16: return "<u2";
  case HY_I16: return "<i2";
  case HY_I32: return "<i4";
  case HY_I64: return "<i8";
  case HY_BOOL: return "|b1";
  case HY_F16: return "<f2";
  case HY_F64: return "<f8";
  case HY_U32: return "<u4";
  case HY_U64: return "<u8";
  case HY_BF16: return "|V2";
  case HY_F8E4M3FN: return "float8_e4m3fn"; /* NumPy knows these while ml_dtypes is imported */
  case HY_F8E4M3FNUZ: return "float8_e4m3fnuz";
  case HY_F8E5M2: return "float8_e5m2";
  case HY_F8E5M2FNUZ: return "float8_e5m2fnuz";
  case HY_U4: return "uint4";
  case HY_I4: return "int4";
  case HY_F4E2M1: return "float4_e2m1fn";
  case HY_F8E8M0: return "float8_e8m0fnu";
  case HY_U2: return "uint2";
  case HY_I2: return "int2";
  case HY_STRING:
  case HY_DTYPE_NONE: break;
  }
  return NULL;
}

static bool is_dense(const hy_tensor *t) {
  for (int32_t d = 0; d < t->rank; d++)
    if (t->strides_bytes[d] != 0) return false;
  return true;
}

/* Elements in C order, one at a time. */
typedef struct walk {
  const hy_tensor *tensor;
  int64_t stride[HY_MAX_RANK], index[HY_MAX_RANK], at;
  size_t n_left;
} walk;

static walk walk_begin(const hy_tensor *t, size_t n) {
  walk w = {.tensor = t, .n_left = n};
  int64_t dense = (int64_t)hy_dtype_bytes(t->dtype);
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    w.stride[d] = is_dense(t) ? dense : t->strides_bytes[d];
    dense *= t->dims[d];
  }
  return w;
}

static const void *walk_next(walk *w) {
  const hy_tensor *t = w->tensor;
  const char *element = (const char *)t->data + w->at;
  w->n_left--;
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    w->at += w->stride[d];
    if (++w->index[d] < t->dims[d]) break;
    w->at -= w->stride[d] * t->dims[d];
    w->index[d] = 0;
  }
  return element;
}

/* The text at p as code points; false when it is not UTF-8. Returns their number. */
static bool utf8_count(const hy_string *s, size_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < s->len_bytes; n++) {
    size_t length = hy__json_utf8(s->data + i, s->len_bytes - i);
    if (length == 0) return false;
    i += length;
  }
  *out = n;
  return true;
}

static uint32_t utf8_next(const char *p, size_t length) {
  unsigned char lead = (unsigned char)p[0];
  uint32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
  for (size_t i = 1; i < length; i++) c = c << 6 | ((unsigned char)p[i] & 0x3Fu);
  return c;
}

/* What the writer must know before its first byte. */
typedef struct layout {
  size_t n, width; /* elements; code points of the widest text */
  size_t header_bytes, data_bytes;
  char header[HEADER_BYTES];
} layout;

static hy_status measure_texts(const hy_tensor *t, layout *l, hy_error *err) {
  l->width = 1; /* NumPy has no U0 */
  for (walk w = walk_begin(t, l->n); w.n_left > 0;) {
    size_t width;
    const hy_string *s = walk_next(&w);
    HY_FAIL_IF(!utf8_count(s, &width), HY_INVALID_ARGUMENT, err, "a text is not UTF-8");
    l->width = HY_MAX(l->width, width);
  }
  HY_FAIL_IF(!hy__mul(l->n, l->width, &l->data_bytes) || !hy__mul(l->data_bytes, 4, &l->data_bytes),
             HY_INVALID_ARGUMENT, err, "the texts' size overflows");
  return HY_OK;
}

static void compose_header(const hy_tensor *t, layout *l) {
  char text[HEADER_BYTES];
  int n = t->dtype == HY_STRING
              ? snprintf(text, sizeof text, "{'descr': '<U%zu', ", l->width)
              : snprintf(text, sizeof text, "{'descr': '%s', ", descr_of(t->dtype));
  n += snprintf(text + n, sizeof text - (size_t)n, "'fortran_order': False, 'shape': (");
  for (int32_t d = 0; d < t->rank; d++)
    n +=
        snprintf(text + n, sizeof text - (size_t)n, "%s%lld", d ? ", " : "", (long long)t->dims[d]);
  n += snprintf(text + n, sizeof text - (size_t)n, "%s), }", t->rank == 1 ? "," : "");
  size_t total = (10 + (size_t)n + 1 + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
  memset(l->header, ' ', total);
  memcpy(l->header, "\x93NUMPY\1\0", 8);
  l->header[8] = (char)((total - 10) & 0xFF);
  l->header[9] = (char)((total - 10) >> 8);
  memcpy(l->header + 10, text, (size_t)n);
  l->header[total - 1] = '\n';
  l->header_bytes = total;
}

static hy_status lay_out(const hy_tensor *t, layout *l, hy_error *err) {
  size_t each = hy_dtype_bytes(t->dtype);
  HY_FAIL_IF(each == 0 || t->rank < 0 || t->rank > HY_MAX_RANK, HY_INVALID_ARGUMENT, err,
             "a tensor without a type or with more than %d dimensions", HY_MAX_RANK);
  HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, each, &l->data_bytes) ||
                 !hy__shape_bytes(t->dims, t->rank, 0, &l->n),
             HY_INVALID_ARGUMENT, err, "dimensions that are negative or overflow");
  HY_FAIL_IF(l->n > 0 && !t->data, HY_INVALID_ARGUMENT, err, "a tensor without data");
  if (t->dtype == HY_STRING) HY_TRY(measure_texts(t, l, err));
  compose_header(t, l);
  return HY_OK;
}

hy_status hy__npy_bytes(const hy_tensor *tensor, size_t *out, hy_error *err) {
  layout l;
  HY_TRY(lay_out(tensor, &l, err));
  HY_FAIL_IF(!hy__add(l.header_bytes, l.data_bytes, out), HY_INVALID_ARGUMENT, err,
             "an array beyond all memory");
  return HY_OK;
}

static hy_status write_strided(const hy_tensor *t, size_t n, const hy_sink *sink, hy_error *err) {
  char chunk[CHUNK_BYTES];
  size_t each = hy_dtype_bytes(t->dtype), used = 0;
  for (walk w = walk_begin(t, n); w.n_left > 0;) {
    memcpy(chunk + used, walk_next(&w), each);
    used += each;
    if (used + each <= sizeof chunk && w.n_left > 0) continue;
    HY_TRY(hy__sink_write(sink, chunk, used, err));
    used = 0;
  }
  return HY_OK;
}

static hy_status write_texts(const hy_tensor *t, const layout *l, const hy_sink *sink,
                             hy_error *err) {
  char chunk[CHUNK_BYTES];
  size_t used = 0;
  for (walk w = walk_begin(t, l->n); w.n_left > 0;) {
    const hy_string *s = walk_next(&w);
    size_t at = 0;
    for (size_t i = 0; i < l->width; i++) {
      size_t length = at < s->len_bytes ? hy__json_utf8(s->data + at, s->len_bytes - at) : 0;
      uint32_t c = length ? utf8_next(s->data + at, length) : 0;
      at += length;
      for (int k = 0; k < 4; k++) chunk[used++] = (char)(c >> (8 * k) & 0xFF);
      if (used < sizeof chunk) continue;
      HY_TRY(hy__sink_write(sink, chunk, used, err));
      used = 0;
    }
  }
  return hy__sink_write(sink, chunk, used, err);
}

hy_status hy__npy_write(const hy_tensor *tensor, hy_sink sink, hy_error *err) {
  layout l;
  HY_TRY(lay_out(tensor, &l, err));
  HY_TRY(hy__sink_write(&sink, l.header, l.header_bytes, err));
  if (tensor->dtype == HY_STRING) return write_texts(tensor, &l, &sink, err);
  if (is_dense(tensor)) return hy__sink_write(&sink, tensor->data, l.data_bytes, err);
  return write_strided(tensor, l.n, &sink, err);
}
