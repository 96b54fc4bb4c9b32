/* SPDX-License-Identifier: Apache-2.0
 * The rules that docs/onnx.md states where ONNX leaves a choice, and operators' refusals at
 * planning and at the run. What ONNX Runtime answers is tested in tests/engine/test_golden.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <math.h>

#include <cmocka.h>

#include <hayate/session.h>

#include "op/op.h"
#include "support/onnx_writer.h"
#include "support/runtime.h"

/* One node over vectors a, b, ... of open length. The outputs' bytes go to `out`, up to two. */
typedef struct one {
  hy_model *model;
  hy_session *session;
  pb bytes;
  hy_tensor out[2];
  hy_error err;
  hy_status status;
} one;

static one run_one(pb *node, const hy_tensor *in, size_t n_in, size_t n_out) {
  static const char *const in_names[] = {"a", "b", "c"}, *const out_names[] = {"y", "z"};
  const int64_t open[1] = {-1};
  one o = {.status = HY_OK};
  pb g = {0};
  for (size_t k = 0; k < n_in; k++) port_add(&g, 11, in_names[k], (int)in[k].dtype, open, -1);
  for (size_t k = 0; k < n_out; k++) port_add(&g, 12, out_names[k], 1, open, -1);
  pb_message(&g, 1, node);
  o.bytes = model_make(&g, 20);
  o.status = hy_model_open_memory(runtime, o.bytes.data, o.bytes.n, NULL, &o.model, &o.err);
  if (o.status == HY_OK) o.status = hy_session_create(o.model, NULL, &o.session, &o.err);
  if (o.status == HY_OK) o.status = hy_session_run(o.session, in, n_in, o.out, n_out, &o.err);
  return o;
}

static void done(one *o) {
  hy_session_destroy(o->session);
  hy_model_destroy(o->model);
  pb_free(&o->bytes);
}

static hy_tensor vector(void *data, hy_dtype dtype, int64_t n) {
  return (hy_tensor){.data = data, .dtype = dtype, .rank = 1, .dims = {n}};
}

static one cast(void *data, hy_dtype from, int64_t n, hy_dtype to) {
  pb node = node_make("Cast", "a", "y");
  attr_int(&node, "to", to);
  hy_tensor in = vector(data, from, n);
  one o = run_one(&node, &in, 1, 1);
  if (o.status != HY_OK) fail_msg("%s", o.err.message);
  return o;
}

static void casts_saturate(void **state) {
  (void)state;
  float f[] = {1.9f, -1.9f, 300, -300, NAN, INFINITY, -INFINITY, 1e30f};
  const int8_t i8[] = {1, -1, 127, -128, 0, 127, -128, 127};
  const uint8_t u8[] = {1, 0, 255, 0, 0, 255, 0, 255};
  one o = cast(f, HY_F32, 8, HY_I8);
  assert_memory_equal(o.out[0].data, i8, sizeof i8);
  done(&o);
  o = cast(f, HY_F32, 8, HY_U8);
  assert_memory_equal(o.out[0].data, u8, sizeof u8);
  done(&o);
  o = cast(f, HY_F32, 8, HY_I64);
  const int64_t *i64 = o.out[0].data;
  assert_true(i64[2] == 300 && i64[4] == 0 && i64[5] == INT64_MAX && i64[6] == INT64_MIN);
  done(&o);
  o = cast(f, HY_F32, 8, HY_U64);
  const uint64_t *u64 = o.out[0].data;
  assert_true(u64[0] == 1 && u64[1] == 0 && u64[5] == UINT64_MAX && u64[7] == UINT64_MAX);
  done(&o);
  int64_t wide[] = {257, -1, INT64_MAX};
  o = cast(wide, HY_I64, 3, HY_U8);
  const uint8_t wrapped[] = {1, 255, 255};
  assert_memory_equal(o.out[0].data, wrapped, sizeof wrapped);
  done(&o);
}

static void halves_there_and_back(void **state) {
  (void)state;
  static uint16_t all[65536];
  static float wide[65536];
  for (uint32_t i = 0; i < 65536; i++) all[i] = (uint16_t)i;
  for (int k = 0; k < 2; k++) {
    hy_dtype half = k ? HY_BF16 : HY_F16;
    one o = cast(all, half, 65536, HY_F32);
    memcpy(wide, o.out[0].data, sizeof wide);
    done(&o);
    o = cast(wide, HY_F32, 65536, half);
    for (uint32_t i = 0; i < 65536; i++)
      if (!isnan(wide[i])) assert_int_equal(((const uint16_t *)o.out[0].data)[i], i);
    done(&o);
  }
  /* ties to even, the largest, just past it, the least subnormal and half of it */
  float ties[] = {1.00048828125f, 1.00146484375f, 65504, 65519.996f, 65520, 0x1p-24f, 0x1p-25f};
  const uint16_t want[] = {0x3c00, 0x3c02, 0x7bff, 0x7bff, 0x7c00, 1, 0};
  one o = cast(ties, HY_F32, 7, HY_F16);
  assert_memory_equal(o.out[0].data, want, sizeof want);
  done(&o);
}

static void text_to_numbers(void **state) {
  (void)state;
  hy_string text[] = {{"1.5", 3}, {"-2e3", 4}, {"nan", 3}};
  one o = cast(text, HY_STRING, 3, HY_F32);
  const float *f = o.out[0].data;
  assert_true(f[0] == 1.5f && f[1] == -2000.0f && isnan(f[2]));
  done(&o);
  text[1] = (hy_string){"2x", 2};
  pb node = node_make("Cast", "a", "y");
  attr_int(&node, "to", HY_F32);
  hy_tensor in = vector(text, HY_STRING, 3);
  o = run_one(&node, &in, 1, 1);
  assert_int_equal(o.status, HY_INVALID_ARGUMENT);
  assert_non_null(strstr(o.err.message, "'2x' is not a number"));
  done(&o);
}

static void an_index_outside(void **state) {
  (void)state;
  float data[3] = {1, 2, 3};
  static const char *const names[] = {"Gather", "GatherElements"};
  for (int64_t bad = 3; bad >= -4; bad -= 7)
    for (size_t k = 0; k < 2; k++) {
      int64_t index[2] = {-3, bad};
      hy_tensor in[2] = {vector(data, HY_F32, 3), vector(index, HY_I64, 2)};
      pb node = node_make(names[k], "a b", "y");
      one o = run_one(&node, in, 2, 1);
      assert_int_equal(o.status, HY_INVALID_ARGUMENT);
      assert_non_null(strstr(o.err.message, "is outside [-3, 3)"));
      done(&o);
    }
}

static void ties_and_nan(void **state) {
  (void)state;
  float data[6] = {2, 5, NAN, 5, 1, 2};
  hy_tensor in = vector(data, HY_F32, 6), plain = vector(data, HY_F32, 2);
  pb node = node_make("ArgMax", "a", "y");
  one o = run_one(&node, &in, 1, 1);
  assert_int_equal(*(const int64_t *)o.out[0].data, 2);
  done(&o);
  node = node_make("TopK", "a b", "y z");
  int64_t k = 4;
  hy_tensor both[2] = {in, vector(&k, HY_I64, 1)};
  o = run_one(&node, both, 2, 2);
  const int64_t want[4] = {2, 1, 3, 0};
  assert_int_equal(o.status, HY_OK);
  assert_memory_equal(o.out[1].data, want, sizeof want);
  done(&o);
  node = node_make("ReduceMax", "a", "y");
  o = run_one(&node, &in, 1, 1);
  assert_true(isnan(*(const float *)o.out[0].data));
  done(&o);
  node = node_make("ReduceMin", "a", "y");
  o = run_one(&node, &plain, 1, 1);
  assert_true(*(const float *)o.out[0].data == 2);
  done(&o);
}

static void sums_in_double(void **state) {
  (void)state;
  static float data[100001];
  data[0] = 16777216;
  for (int i = 1; i <= 100000; i++) data[i] = 1;
  hy_tensor in = vector(data, HY_F32, 100001);
  pb node = node_make("ReduceSum", "a", "y");
  one o = run_one(&node, &in, 1, 1);
  assert_true(*(const float *)o.out[0].data == 16877216.0f); /* 16777216 in float32 */
  done(&o);
}

static void types_are_refused_by_name(void **state) {
  (void)state;
  uint8_t flags[2] = {0, 1};
  hy_tensor in = vector(flags, HY_BOOL, 2);
  pb node = node_make("ReduceSum", "a", "y");
  pb_text(&node, 3, "sum");
  one o = run_one(&node, &in, 1, 1);
  assert_int_equal(o.status, HY_UNSUPPORTED);
  assert_string_equal(o.err.message,
                      "node 'sum' (ReduceSum): elements of type bool are not supported here");
  done(&o);
  node = node_make("Not", "a a", "y");
  o = run_one(&node, &in, 1, 1);
  assert_int_equal(o.status, HY_BAD_FORMAT);
  assert_non_null(strstr(o.err.message, "it has 2 inputs, the operator takes 1 to 1"));
  done(&o);
}

static void rows_of_the_table(void **state) {
  (void)state;
  for (size_t i = 0; i < hy__op_count(); i++) {
    const hy__op *op = hy__op_at(i);
    assert_true(op->infer && op->lower && op->since >= 1 && op->types);
    assert_true(op->in_max == -1 || op->in_max >= op->in_min);
    assert_ptr_equal(hy__op_find(op->domain, op->name, op->since, NULL),
                     op); /* no earlier row hides it */
  }
  bool other;
  assert_null(hy__op_find("", "HardSwish", 5, &other));
  assert_true(other);
  assert_null(hy__op_find("", "NoSuch", 5, &other));
  assert_false(other);
}

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  (void)err;
  ++*(int *)ctx;
  *(int *)packed = 7;
  return HY_OK;
}

static void packs_are_shared(void **state) {
  (void)state;
  hy__pack_store *store;
  hy__arena *arena;
  const void *a, *b, *c, *d;
  int n = 0, source[2];
  assert_int_equal(hy__pack_store_create(&hy__allocator_libc, 0, &store, NULL), HY_OK);
  assert_int_equal(hy__arena_create(&hy__allocator_libc, 0, 0, &arena, NULL), HY_OK);
  hy__packs packs = {.store = store, .arena = arena};
  assert_int_equal(hy__pack_get(&packs, source, 1, 64, fill, &n, &a, NULL), HY_OK);
  assert_int_equal(hy__pack_get(&packs, source, 1, 64, fill, &n, &b, NULL), HY_OK);
  assert_int_equal(hy__pack_get(&packs, source, 2, 64, fill, &n, &c, NULL), HY_OK);
  const void *larger; /* of a layout that is named alike */
  assert_int_equal(hy__pack_get(&packs, source, 2, 128, fill, &n, &larger, NULL), HY_OK);
  assert_true(larger != c && n == 3);
  packs.own = true;
  assert_int_equal(hy__pack_get(&packs, source, 1, 64, fill, &n, &d, NULL), HY_OK);
  assert_true(a == b && a != c && a != d && n == 4 && *(const int *)d == 7);
  assert_int_equal(packs.n_bytes, 384);
  hy__arena_destroy(arena);
  hy__pack_store_destroy(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(casts_saturate),    cmocka_unit_test(halves_there_and_back),
      cmocka_unit_test(text_to_numbers),   cmocka_unit_test(an_index_outside),
      cmocka_unit_test(ties_and_nan),      cmocka_unit_test(sums_in_double),
      cmocka_unit_test(rows_of_the_table), cmocka_unit_test(types_are_refused_by_name),
      cmocka_unit_test(packs_are_shared)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
