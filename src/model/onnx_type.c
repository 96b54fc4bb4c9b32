/* SPDX-License-Identifier: Apache-2.0 */
/* Types that are no plain tensors, as text: "seq(tensor(float))", "optional(tensor(int64))". */
#include <stdio.h>

#include "model/onnx.h"

enum { DEPTH = 4, TEXT_BYTES = 160 };

/* TypeProto's fields. */
enum { TENSOR = 1, SEQUENCE = 4, MAP = 5, SPARSE = 8, OPTIONAL = 9 };

static const char *element_name(uint64_t code) {
  static const char *const names[] = {
      "undefined",      "float",    "uint8",        "int8",           "uint16",
      "int16",          "int32",    "int64",        "string",         "bool",
      "float16",        "double",   "uint32",       "uint64",         "complex64",
      "complex128",     "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
      "float8e5m2fnuz", "uint4",    "int4",         "float4e2m1",     "float8e8m0",
      "uint2",          "int2"};
  return code < HY_COUNT(names) ? names[code] : names[0];
}

typedef struct writer {
  char text[TEXT_BYTES];
  size_t used;
} writer;

static void put(writer *w, const char *text) {
  int n = snprintf(w->text + w->used, TEXT_BYTES - w->used, "%s", text);
  w->used = HY_MIN(w->used + (size_t)HY_MAX(n, 0), (size_t)TEXT_BYTES - 1);
}

/* The integer field `number` of a message: an element type, a map's key. */
static uint64_t code_in(hy__span in, uint32_t number) {
  hy__pb_field f;
  uint64_t code = 0;
  while (hy__pb_next(&in, &f))
    if (f.number == number && f.wire == HY__PB_VARINT) code = f.value;
  return code;
}

static hy_status write(hy__span in, int depth, writer *w, hy_error *err);

/* The type in field `number` of a sequence, an optional or a map. */
static hy_status write_inner(hy__span in, uint32_t number, int depth, writer *w, hy_error *err) {
  hy__pb_field f;
  while (hy__pb_next(&in, &f))
    if (f.number == number && f.wire == HY__PB_BYTES) HY_TRY(write(f.bytes, depth + 1, w, err));
  return in.failed ? hy__pb_malformed(&in, "a type", err) : HY_OK;
}

static hy_status write(hy__span in, int depth, writer *w, hy_error *err) {
  hy__pb_field f;
  HY_FAIL_IF(depth > DEPTH, HY_LIMIT, err, "a type nests deeper than %d", (int)DEPTH);
  while (hy__pb_next(&in, &f)) {
    if (f.wire != HY__PB_BYTES) continue;
    const char *open = f.number == TENSOR     ? "tensor("
                       : f.number == SEQUENCE ? "seq("
                       : f.number == OPTIONAL ? "optional("
                       : f.number == MAP      ? "map("
                       : f.number == SPARSE   ? "sparse_tensor("
                                              : NULL;
    if (!open) continue;
    put(w, open);
    if (f.number == TENSOR || f.number == SPARSE || f.number == MAP)
      put(w, element_name(code_in(f.bytes, 1)));
    if (f.number == MAP) put(w, ",");
    if (f.number == SEQUENCE || f.number == OPTIONAL || f.number == MAP)
      HY_TRY(write_inner(f.bytes, f.number == MAP ? 2 : 1, depth, w, err));
    put(w, ")");
  }
  return in.failed ? hy__pb_malformed(&in, "a type", err) : HY_OK;
}

hy_status hy__onnx_type_text(hy__onnx *r, hy__span in, const char **out, hy_error *err) {
  writer w = {.used = 0};
  *out = NULL;
  HY_TRY(write(in, 0, &w, err));
  if (!w.used || strncmp(w.text, "tensor(", 7) == 0) return HY_OK;
  return hy__arena_text(r->arena, w.text, w.used, out, err);
}
