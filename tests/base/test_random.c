/* SPDX-License-Identifier: Apache-2.0
 * Philox against its authors' known answers, and the shapes of what is drawn from it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/base.h"

/* Random123's kat_vectors for philox4x32-10: counter, key, result. */
static const struct {
  uint64_t counter, stream, seed;
  uint32_t want[4];
} known[] = {{0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
             {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
             {0x85a308d3243f6a88u,
              0x0370734413198a2eu,
              0x299f31d0a4093822u,
              {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

static void known_answers(void **state) {
  (void)state;
  for (size_t i = 0; i < HY_COUNT(known); i++) {
    hy__random r;
    hy__random_init(&r, known[i].seed, known[i].stream);
    r.counter = known[i].counter;
    for (int k = 0; k < 4; k++) assert_int_equal(hy__random_u32(&r), known[i].want[k]);
  }
}

static void streams_differ_and_repeat(void **state) {
  (void)state;
  hy__random a, b, c;
  hy__random_init(&a, 7, 1);
  hy__random_init(&b, 7, 1);
  hy__random_init(&c, 7, 2);
  int n_same = 0;
  for (int i = 0; i < 100; i++) {
    uint64_t x = hy__random_u64(&a);
    assert_true(x == hy__random_u64(&b));
    n_same += x == hy__random_u64(&c);
  }
  assert_int_equal(n_same, 0);
}

static void shapes(void **state) {
  (void)state;
  enum { N = 200000 };
  hy__random r;
  double sum = 0, square = 0, fourth = 0;
  int n_low = 0, bins[7] = {0};
  hy__random_init(&r, 11, 0);
  for (int i = 0; i < N; i++) {
    double u = hy__random_uniform(&r), z = hy__random_normal(&r);
    assert_true(u >= 0 && u < 1 && z - z == 0);
    n_low += u < 0.25;
    sum += z;
    square += z * z;
    fourth += z * z * z * z;
    bins[hy__random_below(&r, 7)]++;
  }
  assert_true(fabs(n_low / (double)N - 0.25) < 0.005);
  assert_true(fabs(sum / N) < 0.01 && fabs(square / N - 1) < 0.02 && fabs(fourth / N - 3) < 0.15);
  for (int i = 0; i < 7; i++) assert_true(abs(bins[i] - N / 7) < 1000);
  assert_int_equal(hy__random_below(&r, 1), 0);
  assert_int_equal(hy__random_below(&r, 0), 0);
  for (int i = 0; i < 100; i++) assert_true(hy__random_below(&r, (uint64_t)1 << 63) >> 63 == 0);
}

static void normals_are_the_same_everywhere(void **state) {
  (void)state;
  hy__random r;
  double z[1000];
  hy__random_init(&r, 1, 0);
  for (int i = 0; i < 1000; i++) z[i] = hy__random_normal(&r);
  /* Of this generator itself, so that a change of a bit on any machine or compiler is seen. */
  assert_true(hy__hash64(z, sizeof z, 0) == 0x24e688d7657aa728u);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_answers),
      cmocka_unit_test(streams_differ_and_repeat),
      cmocka_unit_test(shapes),
      cmocka_unit_test(normals_are_the_same_everywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
