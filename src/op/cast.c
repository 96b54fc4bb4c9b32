/* SPDX-License-Identifier: Apache-2.0 */
/* Cast and CastLike among all number types and bool, and from strings to numbers. Float to integer
 * truncates, saturates at the type's ends, and makes NaN zero; integers wrap; halves go through
 * float32 and round once, to even. */
#include <math.h>

#include "op/rule.h"

enum { CHUNK = 256 };

static hy_status target(const hy__op_plan *p, hy_dtype *out, hy_error *err) {
  int64_t to = p->n_in > 1 ? (int64_t)p->in[1].dtype : hy__node_int(p->node, "to", 0);
  HY_FAIL_IF(to <= 0 || to > HY_BF16 || !hy_dtype_bytes((hy_dtype)to), HY_UNSUPPORTED, err,
             "a cast to type %lld", (long long)to);
  *out = (hy_dtype)to;
  HY_FAIL_IF(*out == HY_STRING && p->in[0].dtype != HY_STRING, HY_UNSUPPORTED, err,
             "a cast from %s to strings", hy_dtype_name(p->in[0].dtype));
  return HY_OK;
}

hy_status hy__op_cast_infer(hy__op_plan *p, hy_error *err) {
  hy_dtype to;
  HY_TRY(target(p, &to, err));
  if (to == p->in[0].dtype) p->out_alias[0] = 0;
  return hy__op_out(p, 0, to, p->in[0].rank, p->in[0].dims, err);
}

static float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023, bits;
  float out;
  if (exponent == 31) {
    bits = sign | 0x7f800000 | fraction << 13;
  } else if (exponent) {
    bits = sign | (exponent + 112) << 23 | fraction << 13;
  } else {
    out = (float)fraction * 0x1p-24f;
    memcpy(&bits, &out, sizeof bits);
    bits |= sign;
  }
  memcpy(&out, &bits, sizeof out);
  return out;
}

static uint16_t float_to_half(float value) {
  uint32_t bits, sign;
  memcpy(&bits, &value, sizeof bits);
  sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000) return (uint16_t)(sign | 0x7e00);
  if (bits >= 0x47800000) return (uint16_t)(sign | 0x7c00); /* 65536 and more */
  if (bits < 0x38800000) {                                  /* below the least normal half */
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    return (uint16_t)(sign | (uint32_t)rintf(magnitude * 0x1p24f));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return (uint16_t)(sign | ((bits - 0x38000000) >> 13));
}

static float bf16_to_float(uint16_t b) {
  uint32_t bits = (uint32_t)b << 16;
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static uint16_t float_to_bf16(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* A chunk between: doubles for floats, 64-bit integers for integers and bools. */
typedef struct chunk {
  bool is_float, is_unsigned;
  double f[CHUNK];
  int64_t i[CHUNK];
} chunk;

#define LOAD(kind, type)                                                                           \
  for (size_t k = 0; k < n; k++) c->kind[k] = ((const type *)from)[at + k];                        \
  break

static void load(const void *from, hy_dtype dtype, size_t at, size_t n, chunk *c) {
  c->is_float = dtype == HY_F32 || dtype == HY_F64 || dtype == HY_F16 || dtype == HY_BF16;
  c->is_unsigned = dtype == HY_U64;
  switch (dtype) {
  case HY_F32: LOAD(f, float);
  case HY_F64: LOAD(f, double);
  case HY_I8: LOAD(i, int8_t);
  case HY_I16: LOAD(i, int16_t);
  case HY_I32: LOAD(i, int32_t);
  case HY_I64: LOAD(i, int64_t);
  case HY_U8: LOAD(i, uint8_t);
  case HY_U16: LOAD(i, uint16_t);
  case HY_U32: LOAD(i, uint32_t);
  case HY_F16:
    for (size_t k = 0; k < n; k++)
      c->f[k] = (double)half_to_float(((const uint16_t *)from)[at + k]);
    break;
  case HY_BF16:
    for (size_t k = 0; k < n; k++)
      c->f[k] = (double)bf16_to_float(((const uint16_t *)from)[at + k]);
    break;
  case HY_BOOL:
    for (size_t k = 0; k < n; k++) c->i[k] = ((const uint8_t *)from)[at + k] != 0;
    break;
  default: /* u64: the same bits */
    for (size_t k = 0; k < n; k++) c->i[k] = (int64_t)((const uint64_t *)from)[at + k];
    break;
  }
}

/* Saturating, NaN to zero; high is exclusive, exact in double. */
static void truncate_to(chunk *c, size_t n, double low, double high, int64_t least, int64_t most) {
  for (size_t k = 0; k < n && c->is_float; k++) {
    double v = c->f[k];
    c->i[k] = v != v        ? 0
              : v < low     ? least
              : v >= high   ? most
              : v >= 0x1p63 ? (int64_t)(uint64_t)v
                            : (int64_t)v;
  }
}

static double as_double(const chunk *c, size_t k) {
  return c->is_float ? c->f[k] : c->is_unsigned ? (double)(uint64_t)c->i[k] : (double)c->i[k];
}

static float as_float(const chunk *c, size_t k) {
  return c->is_float ? (float)c->f[k] : c->is_unsigned ? (float)(uint64_t)c->i[k] : (float)c->i[k];
}

#define STORE_INT(type, least, most)                                                               \
  truncate_to(c, n, (double)(least), (double)(most) + 1.0, (int64_t)(least), (int64_t)(most));     \
  for (size_t k = 0; k < n; k++) ((type *)to)[at + k] = (type)c->i[k];                             \
  break

static void store(chunk *c, hy_dtype dtype, size_t at, size_t n, void *to) {
  switch (dtype) {
  case HY_F32:
    for (size_t k = 0; k < n; k++) ((float *)to)[at + k] = as_float(c, k);
    break;
  case HY_F64:
    for (size_t k = 0; k < n; k++) ((double *)to)[at + k] = as_double(c, k);
    break;
  case HY_F16:
    for (size_t k = 0; k < n; k++) ((uint16_t *)to)[at + k] = float_to_half(as_float(c, k));
    break;
  case HY_BF16:
    for (size_t k = 0; k < n; k++) ((uint16_t *)to)[at + k] = float_to_bf16(as_float(c, k));
    break;
  case HY_BOOL:
    for (size_t k = 0; k < n; k++)
      ((uint8_t *)to)[at + k] = c->is_float ? c->f[k] != 0 : c->i[k] != 0;
    break;
  case HY_I8: STORE_INT(int8_t, INT8_MIN, INT8_MAX);
  case HY_I16: STORE_INT(int16_t, INT16_MIN, INT16_MAX);
  case HY_I32: STORE_INT(int32_t, INT32_MIN, INT32_MAX);
  case HY_U8: STORE_INT(uint8_t, 0, UINT8_MAX);
  case HY_U16: STORE_INT(uint16_t, 0, UINT16_MAX);
  case HY_U32: STORE_INT(uint32_t, 0, UINT32_MAX);
  case HY_I64:
    truncate_to(c, n, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX);
    memcpy((int64_t *)to + at, c->i, n * sizeof(int64_t));
    break;
  default:
    truncate_to(c, n, 0, 0x1p64, 0, -1);
    memcpy((uint64_t *)to + at, c->i, n * sizeof(uint64_t));
    break;
  }
}

static hy_status parse(const hy_tensor *in, size_t at, size_t n, chunk *c, hy_error *err) {
  c->is_float = true;
  for (size_t k = 0; k < n; k++) {
    hy_string s = ((const hy_string *)in->data)[at + k];
    HY_FAIL_IF(!s.len_bytes ||
                   hy__parse_f64(s.data, s.data + s.len_bytes, &c->f[k]) != s.data + s.len_bytes,
               HY_INVALID_ARGUMENT, err, "'%.*s' is not a number",
               (int)HY_MIN(s.len_bytes, (size_t)40), s.len_bytes ? s.data : "");
  }
  return HY_OK;
}

static hy_status run(const hy__step *s, hy_error *err) {
  const hy_tensor *in = &s->in[0];
  size_t n = hy__op_count_of(in);
  chunk c = {.is_float = false};
  for (size_t at = 0; at < n; at += CHUNK) {
    size_t part = HY_MIN(n - at, (size_t)CHUNK);
    if (in->dtype == HY_STRING)
      HY_TRY(parse(in, at, part, &c, err));
    else
      load(in->data, in->dtype, at, part, &c);
    store(&c, s->out[0].dtype, at, part, s->out[0].data);
  }
  return HY_OK;
}

hy_status hy__op_cast_lower(hy__op_plan *p, hy_error *err) {
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  p->run = run;
  return HY_OK;
}
