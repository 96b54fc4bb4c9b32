/* SPDX-License-Identifier: Apache-2.0 */
/* The long lists of tree ensembles and support vectors: an attribute of tens of thousands of
 * numbers stays in the file until the trees are packed, which reads each into memory of its final
 * width. In the general form a list would be copied twice and take 8 or 16 bytes an element. */
#include "model/onnx.h"

enum { WAITS_BYTES = 256, FLOATS = 7, INTS = 8, STRINGS = 9 };

static bool begins(hy__span text, const char *with) {
  const size_t n = strlen(with);
  return hy__span_left(&text) >= n && memcmp(text.pos, with, n) == 0;
}

static bool ends(hy__span text, const char *with) {
  const size_t n = strlen(with);
  return hy__span_left(&text) >= n && memcmp(text.end - n, with, n) == 0;
}

bool hy__onnx_list_waits(hy__span in) {
  hy__pb_field f;
  if (hy__span_left(&in) < WAITS_BYTES || !hy__pb_next(&in, &f) || f.number != 1 ||
      f.wire != HY__PB_BYTES || ends(f.bytes, "_as_tensor"))
    return false;
  if (begins(f.bytes, "support_vectors")) return true;
  return begins(f.bytes, "nodes_") || begins(f.bytes, "target_") || begins(f.bytes, "class_");
}

static hy__span span_of(const hy__attr *a) { return hy__span_make(a->as.bytes, a->n); }

/* --- reading --- */

static hy_status ints_walk(const hy__attr *a, hy__pb_ints32 *list, hy_error *err) {
  hy__span in = span_of(a);
  hy__pb_field f;
  while (hy__pb_next(&in, &f))
    if (f.number == INTS) HY_TRY(hy__pb_narrow(&in, &f, list, err));
  return in.failed ? hy__pb_malformed(&in, "a list of integers", err) : HY_OK;
}

hy_status hy__attr_ints_count(const hy__attr *a, size_t *out, hy_error *err) {
  hy__pb_ints32 list = {.capacity = SIZE_MAX};
  *out = a && a->kind == HY__ATTR_INTS ? a->n : 0;
  if (!a || a->kind != HY__ATTR_LIST) return HY_OK;
  HY_TRY(ints_walk(a, &list, err));
  *out = list.n;
  return HY_OK;
}

static hy_status whole(const hy__attr *a, size_t got, size_t n, hy_error *err) {
  HY_FAIL_IF(got != n, HY_BAD_FORMAT, err, "attribute %s has %zu elements in place of %zu", a->name,
             got, n);
  return HY_OK;
}

hy_status hy__attr_ints_read(const hy__attr *a, size_t n, int32_t *out, hy_error *err) {
  hy__pb_ints32 list = {out, 0, n};
  if (a->kind == HY__ATTR_LIST) {
    HY_TRY(ints_walk(a, &list, err));
    return whole(a, list.n, n, err);
  }
  HY_TRY(whole(a, a->kind == HY__ATTR_INTS ? a->n : 0, n, err));
  for (size_t i = 0; i < n; i++) {
    const int64_t v = a->as.ints[i];
    out[i] = v < INT32_MIN || v > INT32_MAX ? INT32_MIN : (int32_t)v;
  }
  return HY_OK;
}

hy_status hy__attr_floats_read(const hy__attr *a, size_t n, float *out, hy_error *err) {
  hy__pb_floats list = {out, 0, n};
  if (a->kind == HY__ATTR_LIST) {
    hy__span in = span_of(a);
    hy__pb_field f;
    while (hy__pb_next(&in, &f))
      if (f.number == FLOATS) HY_TRY(hy__pb_float_run(&in, &f, &list, err));
    if (in.failed) return hy__pb_malformed(&in, "a list of numbers", err);
    return whole(a, list.n, n, err);
  }
  HY_TRY(whole(a, a->kind == HY__ATTR_FLOATS ? a->n : 0, n, err));
  if (n) memcpy(out, a->as.floats, n * sizeof *out);
  return HY_OK;
}

static hy_status choice_of(hy_string s, const hy__choices *from, uint8_t *out, hy_error *err) {
  for (size_t i = 0; i < from->n; i++) {
    if (s.len_bytes != strlen(from->texts[i]) || memcmp(s.data, from->texts[i], s.len_bytes) != 0)
      continue;
    *out = from->values[i];
    return HY_OK;
  }
  return hy__error_set(err, HY_BAD_FORMAT, "'%.*s' is not known",
                       (int)HY_MIN(s.len_bytes, (size_t)40), s.data);
}

static hy_status choices_read(const hy__attr *a, const hy__choices *from, size_t n, uint8_t *out,
                              hy_error *err) {
  hy__pb_choices list;
  hy__pb_field f;
  if (a->kind != HY__ATTR_LIST) {
    HY_TRY(whole(a, a->kind == HY__ATTR_STRINGS ? a->n : 0, n, err));
    for (size_t i = 0; i < n; i++) HY_TRY(choice_of(a->as.strings[i], from, &out[i], err));
    return HY_OK;
  }
  HY_FAIL_IF(!hy__pb_choices_make(from->texts, from->values, from->n, &list), HY_INTERNAL, err,
             "the choices do not fit");
  list.items = out;
  list.capacity = n;
  hy__span in = span_of(a);
  while (hy__pb_next(&in, &f))
    if (f.number == STRINGS) HY_TRY(hy__pb_choice_run(&in, &f, &list, err));
  if (in.failed) return hy__pb_malformed(&in, "a list of strings", err);
  return whole(a, list.n, n, err);
}

hy_status hy__attr_choices_read(const hy__attr *a, const hy__choices *from, size_t n, uint8_t *out,
                                hy_error *err) {
  const hy_status status = choices_read(a, from, n, out, err);
  if (status != HY_OK) hy__error_prefix(err, "attribute %s", a->name);
  return status;
}
