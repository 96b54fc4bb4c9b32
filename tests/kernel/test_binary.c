/* SPDX-License-Identifier: Apache-2.0
 * Functions of two operands: every row of kernel.inc that this machine can run, every function of
 * every type, against the operation itself: whole numbers in 128 bits, wrapped; lengths 0 to 130,
 * between guard pages, one operand or none repeated, NaN, infinities, denormals. */
#include "kernel/rows.h"

#include <math.h>

/* What a function of whole numbers is before it wraps. */
static __int128 whole_op(hy__binary op, __int128 p, __int128 q) {
  switch (op) {
  case HY__BINARY_ADD: return p + q;
  case HY__BINARY_SUB: return p - q;
  case HY__BINARY_MUL: return (__int128)((unsigned __int128)p * (unsigned __int128)q);
  case HY__BINARY_DIV: return q == 0 ? 0 : p / q;
  case HY__BINARY_MIN: return p < q ? p : q;
  case HY__BINARY_MAX: return p > q ? p : q;
  case HY__BINARY_PRELU: return p < 0 ? (__int128)((unsigned __int128)p * (unsigned __int128)q) : p;
  case HY__BINARY_EQUAL: return p == q;
  case HY__BINARY_LESS: return p < q;
  case HY__BINARY_LESS_EQUAL: return p <= q;
  case HY__BINARY_GREATER: return p > q;
  default: return p >= q;
  }
}

/* The functions of floats in double: exact where the result is rounded once. */
static double real_op(hy__binary op, double p, double q) {
  switch (op) {
  case HY__BINARY_ADD: return p + q;
  case HY__BINARY_SUB: return p - q;
  case HY__BINARY_MUL: return p * q;
  case HY__BINARY_DIV: return p / q;
  case HY__BINARY_MIN: return p != p || q != q ? (double)NAN : p < q ? p : q;
  case HY__BINARY_MAX: return p != p || q != q ? (double)NAN : p > q ? p : q;
  case HY__BINARY_PRELU: return p < 0 ? p * q : p;
  case HY__BINARY_EQUAL: return p == q;
  case HY__BINARY_LESS: return p < q;
  case HY__BINARY_LESS_EQUAL: return p <= q;
  case HY__BINARY_GREATER: return p > q;
  default: return p >= q;
  }
}

static double real_input(hy__random *r) {
  static const double special[] = {
      0.0, -0.0, (double)INFINITY, -(double)INFINITY, (double)NAN, 1e-310,
      1.0, -1.0, 0x1p-140,         -0x1p-140};
  if (hy__random_below(r, 5) == 0) return special[hy__random_below(r, HY_COUNT(special))];
  return hy__random_normal(r) * (hy__random_below(r, 2) ? 1.0 : 20.0);
}

static inline bool equal_or_nan(double a, double b) { return a == b || (a != a && b != b); }
static inline bool equal_whole(__int128 a, __int128 b) { return a == b; }

/* All functions of one type: `make` gives an operand, `exact` the result, which is cast. */
#define CHECK(name, type, make, exact, same)                                                       \
  static void check_##name(const hy__kernel_row *row, hy_dtype dtype, size_t n, hy__random *r) {   \
    const hy__binary_ops *ops = row->ops;                                                          \
    guard ga = guard_make(n * sizeof(type), n & 1), gb = guard_make(n * sizeof(type), n & 1),      \
          gy = guard_make(n * sizeof(type), n & 1);                                                \
    type *a = (type *)(void *)ga.data, *b = (type *)(void *)gb.data, *y = (type *)(void *)gy.data; \
    for (size_t i = 0; i < n; ++i) a[i] = (type)(make), b[i] = (type)(make);                       \
    for (size_t i = 0; i < n; i += 3) b[i] = i % 2 ? (type)0 : (type)-1;                           \
    for (size_t i = 1; i < n; i += 5) b[i] = a[i];                                                 \
    for (int step = 0; step < 3 && n; ++step)                                                      \
      for (hy__binary op = HY__BINARY_ADD; op <= HY__BINARY_GREATER_EQUAL; ++op) {                 \
        const size_t sa = step != 1, sb = step != 2;                                               \
        ops->fn[op][dtype](a, b, y, n, sa, sb);                                                    \
        for (size_t i = 0; i < n; ++i) {                                                           \
          const type want = (type)exact(op, a[i * sa], b[i * sb]);                                 \
          const type got = op >= HY__BINARY_EQUAL ? (type)((uint8_t *)y)[i] : y[i];                \
          if (!same(got, want)) fail_msg("%s %s, function %d", row->isa, #name, (int)op);          \
        }                                                                                          \
      }                                                                                            \
    guard_free(&ga), guard_free(&gb), guard_free(&gy);                                             \
  }
#define WHOLE(name, type) CHECK(name, type, hy__random_u64(r), whole_op, equal_whole)
WHOLE(i8, int8_t)
WHOLE(i16, int16_t)
WHOLE(i32, int32_t)
WHOLE(i64, int64_t)
WHOLE(u8, uint8_t)
WHOLE(u16, uint16_t)
WHOLE(u32, uint32_t)
WHOLE(u64, uint64_t)
CHECK(f32, float, real_input(r), real_op, equal_or_nan)
CHECK(f64, double, real_input(r), real_op, equal_or_nan)

static void test_binary(void **state) {
  (void)state;
  const rows here = rows_here("binary");
  for (size_t i = 0; i < here.n; ++i) {
    const hy__kernel_row *row = here.row[i];
    hy__random r;
    hy__random_init(&r, 3, 1);
    for (size_t n = 0; n <= 130; n += 1 + n / 9) {
      check_i8(row, HY_I8, n, &r), check_i16(row, HY_I16, n, &r);
      check_i32(row, HY_I32, n, &r), check_i64(row, HY_I64, n, &r);
      check_u8(row, HY_U8, n, &r), check_u16(row, HY_U16, n, &r);
      check_u32(row, HY_U32, n, &r), check_u64(row, HY_U64, n, &r);
      check_f32(row, HY_F32, n, &r), check_f64(row, HY_F64, n, &r);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_binary)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
