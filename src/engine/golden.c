/* SPDX-License-Identifier: Apache-2.0 */
/* Golden arrays in a container: a count, then per array the length of its name, the name, dtype,
 * rank, dims, and its elements at the next multiple of 64; strings as lengths and bytes. */
#include "engine/packed.h"

enum { ARRAYS_MAX = 1024, NAME_MAX_BYTES = 4096 };

/* --- writing: once to count, once to put --- */

typedef struct sink {
  uint8_t *data; /* NULL: only count */
  size_t at;
} sink;

static void put(sink *s, const void *bytes, size_t n) {
  if (s->data && n) memcpy(s->data + s->at, bytes, n);
  s->at += n;
}

static void put_number(sink *s, uint64_t value, size_t n) {
  uint8_t bytes[8];
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  put(s, bytes, n);
}

static void put_tensor(sink *s, const char *name, const hy_tensor *t, size_t n_elements) {
  put_number(s, strlen(name), 4);
  put(s, name, strlen(name));
  put_number(s, (uint64_t)t->dtype, 4);
  put_number(s, (uint64_t)t->rank, 4);
  for (int32_t d = 0; d < t->rank; d++) put_number(s, (uint64_t)t->dims[d], 8);
  s->at = (s->at + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1);
  if (t->dtype != HY_STRING) {
    put(s, t->data, n_elements * hy_dtype_bytes(t->dtype));
    return;
  }
  const hy_string *text = t->data;
  for (size_t i = 0; i < n_elements; i++) {
    put_number(s, text[i].len_bytes, 4);
    put(s, text[i].data, text[i].len_bytes);
  }
}

hy_status hy__golden_write(const char *const *names, const hy_tensor *tensors, size_t n,
                           hy__arena *arena, hy__hyp_section *out, hy_error *err) {
  sink s = {0};
  for (int turn = 0; turn < 2; turn++) {
    void *memory;
    if (turn) {
      HY_TRY(hy__arena_alloc(arena, s.at, HY_ALIGN, &memory, err));
      s = (sink){.data = memory};
    }
    put_number(&s, n, 4);
    for (size_t k = 0; k < n; k++) {
      size_t elements;
      HY_FAIL_IF(!hy__shape_bytes(tensors[k].dims, tensors[k].rank, 0, &elements), HY_LIMIT, err,
                 "array '%s' is too large", names[k]);
      put_tensor(&s, names[k], &tensors[k], elements);
    }
  }
  *out = (hy__hyp_section){.owner = "", .data = s.data, .bytes = s.at};
  return HY_OK;
}

/* --- reading --- */

static hy_status strings_read(hy__span *in, hy_tensor *t, size_t n, hy__arena *arena,
                              hy_error *err) {
  HY_FAIL_IF(n > hy__span_left(in) / 4, HY_BAD_FORMAT, err, "a golden array is cut short");
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(hy_string), &t->data, err));
  hy_string *text = t->data;
  for (size_t i = 0; i < n; i++) {
    text[i].len_bytes = hy__span_u32le(in);
    text[i].data = (const char *)hy__span_take(in, text[i].len_bytes);
  }
  HY_FAIL_IF(in->failed, HY_BAD_FORMAT, err, "a golden array is cut short");
  return HY_OK;
}

static hy_status tensor_read(hy__span *in, hy__arena *arena, const char **name, hy_tensor *t,
                             hy_error *err) {
  size_t bytes, len = hy__span_u32le(in);
  HY_FAIL_IF(len > NAME_MAX_BYTES, HY_LIMIT, err, "a golden array's name has %zu bytes", len);
  const uint8_t *text = hy__span_take(in, len);
  uint32_t dtype = hy__span_u32le(in), rank = hy__span_u32le(in);
  HY_FAIL_IF(in->failed || !hy_dtype_bytes((hy_dtype)dtype) || rank > HY_MAX_RANK, HY_BAD_FORMAT,
             err, "a golden array is malformed");
  HY_TRY(hy__arena_text(arena, (const char *)text, len, name, err));
  *t = (hy_tensor){.dtype = (hy_dtype)dtype, .rank = (int32_t)rank};
  for (uint32_t d = 0; d < rank; d++) t->dims[d] = (int64_t)hy__span_u64le(in);
  (void)hy__span_take(in, -hy__span_offset(in) & (HY_ALIGN - 1));
  bool fits = hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes);
  HY_FAIL_IF(in->failed || !fits, HY_BAD_FORMAT, err, "golden array '%s' is malformed", *name);
  if (t->dtype == HY_STRING) return strings_read(in, t, bytes / sizeof(hy_string), arena, err);
  t->data = (void *)(uintptr_t)hy__span_take(in, bytes);
  HY_FAIL_IF(in->failed, HY_BAD_FORMAT, err, "golden array '%s' is cut short", *name);
  return HY_OK;
}

hy_status hy__golden_read(const hy__hyp_section *section, hy__arena *arena, hy__golden *out,
                          hy_error *err) {
  void *names, *tensors;
  hy__span in = hy__span_make(section->data, section->bytes);
  uint32_t n = hy__span_u32le(&in);
  HY_FAIL_IF(in.failed || n > ARRAYS_MAX, HY_BAD_FORMAT, err, "the golden arrays are malformed");
  HY_TRY(hy__arena_array(arena, (size_t)n + 1, sizeof(char *), &names, err));
  HY_TRY(hy__arena_array(arena, (size_t)n + 1, sizeof(hy_tensor), &tensors, err));
  *out = (hy__golden){names, tensors, n};
  for (uint32_t k = 0; k < n; k++)
    HY_TRY(tensor_read(&in, arena, &out->names[k], &out->tensors[k], err));
  return HY_OK;
}
