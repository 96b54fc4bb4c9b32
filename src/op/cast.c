/* SPDX-License-Identifier: Apache-2.0 */
/* Cast and CastLike among all types. Float to integer truncates, saturates at the type's ends (the
 * 4- and 2-bit ones wrap), and makes NaN zero; integers wrap; narrow floats round once, to even.
 * Numbers become texts as NumPy writes them. */
#include <math.h>
#include <stdio.h>

#include "op/narrow.h"

enum { CHUNK = 256 };

typedef struct params {
  bool saturate;
  hy__narrow_round round;        /* of f8e8m0 */
  char (*texts)[HY_NUMBER_TEXT]; /* where the output's strings lie */
} params;

static hy_status target(const hy__op_plan *p, hy_dtype *out, hy_error *err) {
  int64_t to = p->n_in > 1 ? (int64_t)p->in[1].dtype : hy__node_int(p->node, "to", 0);
  HY_FAIL_IF(to <= 0 || to > HY_I2 || !hy_dtype_bytes((hy_dtype)to), HY_UNSUPPORTED, err,
             "a cast to type %lld", (long long)to);
  *out = (hy_dtype)to;
  return HY_OK;
}

hy_status hy__op_cast_infer(hy__op_plan *p, hy_error *err) {
  hy_dtype to;
  HY_TRY(target(p, &to, err));
  if (to == p->in[0].dtype) p->out_alias[0] = 0;
  return hy__op_out(p, 0, to, p->in[0].rank, p->in[0].dims, err);
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
  c->is_float = dtype == HY_F32 || dtype == HY_F64 || hy__narrow_is(dtype);
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
  case HY_BF16:
    for (size_t k = 0; k < n; k++)
      c->f[k] = (double)hy__narrow_decode(dtype, ((const uint16_t *)from)[at + k]);
    break;
  case HY_BOOL:
    for (size_t k = 0; k < n; k++) c->i[k] = ((const uint8_t *)from)[at + k] != 0;
    break;
  case HY_U64: /* the same bits */
    for (size_t k = 0; k < n; k++) c->i[k] = (int64_t)((const uint64_t *)from)[at + k];
    break;
  case HY_U4:
  case HY_I4:
  case HY_U2:
  case HY_I2:
    for (size_t k = 0; k < n; k++) c->i[k] = hy__narrow_int(dtype, ((const uint8_t *)from)[at + k]);
    break;
  default:
    for (size_t k = 0; k < n; k++)
      c->f[k] = (double)hy__narrow_decode(dtype, ((const uint8_t *)from)[at + k]);
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

static void store_narrow(const chunk *c, hy_dtype dtype, size_t at, size_t n, const params *q,
                         void *to) {
  const bool wide = hy_dtype_bytes(dtype) == 2, saturate = q->saturate && !wide;
  for (size_t k = 0; k < n; k++) {
    const double v = as_double(c, k);
    if (wide)
      ((uint16_t *)to)[at + k] = hy__narrow_encode(dtype, v, false);
    else if (dtype == HY_F8E8M0)
      ((uint8_t *)to)[at + k] = hy__narrow_power((float)v, q->saturate, q->round);
    else
      ((uint8_t *)to)[at + k] = (uint8_t)hy__narrow_encode(dtype, v, saturate);
  }
}

static float as_float(const chunk *c, size_t k) {
  return c->is_float ? (float)c->f[k] : c->is_unsigned ? (float)(uint64_t)c->i[k] : (float)c->i[k];
}

#define STORE_INT(type, least, most)                                                               \
  truncate_to(c, n, (double)(least), (double)(most) + 1.0, (int64_t)(least), (int64_t)(most));     \
  for (size_t k = 0; k < n; k++) ((type *)to)[at + k] = (type)c->i[k];                             \
  break

/* The low bits of what truncation gives. */
static void store_bits(chunk *c, size_t at, size_t n, uint8_t mask, void *to) {
  truncate_to(c, n, -0x1p63, 0x1p63, INT64_MIN, INT64_MAX);
  for (size_t k = 0; k < n; k++) ((uint8_t *)to)[at + k] = (uint8_t)c->i[k] & mask;
}

static void store(chunk *c, hy_dtype dtype, size_t at, size_t n, const params *q, void *to) {
  switch (dtype) {
  case HY_F32:
    for (size_t k = 0; k < n; k++) ((float *)to)[at + k] = as_float(c, k);
    break;
  case HY_F64:
    for (size_t k = 0; k < n; k++) ((double *)to)[at + k] = as_double(c, k);
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
  case HY_U64:
    truncate_to(c, n, 0, 0x1p64, 0, -1);
    memcpy((uint64_t *)to + at, c->i, n * sizeof(uint64_t));
    break;
  case HY_U4:
  case HY_I4: store_bits(c, at, n, 15, to); break;
  case HY_U2:
  case HY_I2: store_bits(c, at, n, 3, to); break;
  default: store_narrow(c, dtype, at, n, q, to); break;
  }
}

/* A number's text without blanks around it; whole numbers exactly where integers are wanted. */
static hy_status parse(const hy_tensor *in, size_t at, size_t n, bool whole, chunk *c,
                       hy_error *err) {
  c->is_float = !whole;
  c->is_unsigned = false;
  for (size_t k = 0; k < n; k++) {
    hy_string s = ((const hy_string *)in->data)[at + k];
    const char *p = s.len_bytes ? s.data : "", *end = p + s.len_bytes;
    while (p < end && *p == ' ') p++;
    while (end > p && end[-1] == ' ') end--;
    bool good = p < end;
    if (whole) good = good && hy__parse_i64(p, end, &c->i[k]) == end;
    if (!whole) good = good && hy__parse_f64(p, end, &c->f[k]) == end;
    if (!good && whole) return parse(in, at, n, false, c, err); /* 1e3, or past 64 bits */
    HY_FAIL_IF(!good, HY_INVALID_ARGUMENT, err, "'%.*s' is not a number",
               (int)HY_MIN(s.len_bytes, (size_t)40), s.len_bytes ? s.data : "");
  }
  return HY_OK;
}

/* The shortest decimal that gives the half again. */
static size_t format_half(double value, char *text) {
  const double magnitude = fabs(value);
  const uint16_t code = hy__narrow_encode(HY_F16, magnitude, false);
  if (value == 0 || value != value || magnitude > 65504) return hy__format_f64(value, text);
  for (int digits = 1; digits <= 5; digits++) {
    const int places = digits - 1 - (int)floor(log10(magnitude));
    const double scale = pow(10, fabs((double)places));
    double near = places < 0 ? rint(magnitude / scale) * scale : rint(magnitude * scale) / scale;
    if (hy__narrow_encode(HY_F16, near, false) != code) continue;
    return hy__format_f64(value < 0 ? -near : near, text);
  }
  return hy__format_f64(value, text);
}

/* Python's layout: a whole number has ".0" unless it has an exponent. */
static size_t with_point(char *text, size_t len) {
  for (size_t i = text[0] == '-'; i < len; i++)
    if (text[i] < '0' || text[i] > '9') return len;
  memcpy(text + len, ".0", 3);
  return len + 2;
}

static void write_texts(const chunk *c, hy_dtype from, size_t at, size_t n, const params *q,
                        hy_string *to) {
  for (size_t k = 0; k < n; k++) {
    char *text = q->texts[at + k];
    size_t len = 0;
    if (from == HY_BOOL)
      len = (size_t)snprintf(text, HY_NUMBER_TEXT, "%s", c->i[k] ? "True" : "False");
    else if (from == HY_F64)
      len = with_point(text, hy__format_f64(c->f[k], text));
    else if (from == HY_F16)
      len = with_point(text, format_half(c->f[k], text));
    else if (c->is_float)
      len = with_point(text, hy__format_f32((float)c->f[k], text));
    else if (c->is_unsigned)
      len = (size_t)snprintf(text, HY_NUMBER_TEXT, "%llu", (unsigned long long)c->i[k]);
    else
      len = hy__format_i64(c->i[k], text);
    to[at + k] = (hy_string){text, len};
  }
}

static hy_status run(const hy__step *s, hy_error *err) {
  const hy_tensor *in = &s->in[0];
  const hy_dtype to = s->out[0].dtype;
  size_t n = hy__op_count_of(in);
  chunk c = {.is_float = false};
  const bool whole = (HY__OP_INTS | HY__OP_SMALL_INTS) >> to & 1;
  for (size_t at = 0; at < n; at += CHUNK) {
    size_t part = HY_MIN(n - at, (size_t)CHUNK);
    if (in->dtype == HY_STRING)
      HY_TRY(parse(in, at, part, whole, &c, err));
    else
      load(in->data, in->dtype, at, part, &c);
    if (to == HY_STRING)
      write_texts(&c, in->dtype, at, part, s->params, s->out[0].data);
    else
      store(&c, to, at, part, s->params, s->out[0].data);
  }
  return HY_OK;
}

#define DIRECT(name, from, to, convert)                                                            \
  static hy_status name(const hy__step *s, hy_error *err) {                                        \
    const from *x = s->in[0].data;                                                                 \
    to *y = s->out[0].data;                                                                        \
    const size_t n = hy__op_count_of(&s->in[0]);                                                   \
    (void)err;                                                                                     \
    for (size_t i = 0; i < n; i++) y[i] = convert(x[i]);                                           \
    return HY_OK;                                                                                  \
  }
DIRECT(run_f16_f32, uint16_t, float, hy__half_to_float)
DIRECT(run_f32_f16, float, uint16_t, hy__float_to_half)
DIRECT(run_bf16_f32, uint16_t, float, hy__bf16_to_float)
DIRECT(run_f32_bf16, float, uint16_t, hy__float_to_bf16)

static hy__step_fn run_for(hy_dtype from, hy_dtype to) {
  if (from == HY_F16 && to == HY_F32) return run_f16_f32;
  if (from == HY_F32 && to == HY_F16) return run_f32_f16;
  if (from == HY_BF16 && to == HY_F32) return run_bf16_f32;
  if (from == HY_F32 && to == HY_BF16) return run_f32_bf16;
  return run;
}

static hy_status round_of(const hy__node *node, hy__narrow_round *out, hy_error *err) {
  static const char *const names[] = {"up", "down", "nearest"};
  const hy_string mode = hy__node_string(node, "round_mode", "up");
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (mode.len_bytes == strlen(names[i]) && !memcmp(mode.data, names[i], mode.len_bytes)) {
      *out = (hy__narrow_round)i;
      return HY_OK;
    }
  HY_FAIL(HY_BAD_FORMAT, err, "round_mode is '%.*s'", (int)HY_MIN(mode.len_bytes, (size_t)40),
          mode.data);
}

hy_status hy__op_cast_lower(hy__op_plan *p, hy_error *err) {
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->saturate = hy__node_int(p->node, "saturate", 1) != 0;
  HY_TRY(round_of(p->node, &q->round, err));
  if (p->out[0].dtype == HY_STRING) {
    HY_TRY(
        hy__arena_array(p->arena, hy__op_count_of(&p->out[0]) + 1, HY_NUMBER_TEXT, &memory, err));
    q->texts = memory;
  }
  p->params = q;
  p->run = run_for(p->in[0].dtype, p->out[0].dtype);
  return HY_OK;
}
