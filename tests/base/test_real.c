/* SPDX-License-Identifier: Apache-2.0
 * exp, ln, sin, cos, atan within 0.9 ULP of long double, what is made of them within what it
 * states; right at the edges, and the same bits when the compiler vectorises a loop for AVX2 or
 * AVX-512 as in the loop it does not vectorise. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/base.h"

enum { N_VALUES = 40000 };

typedef void (*lane_fn)(const double *x, double *y, size_t n);

/* name, its reference in long double, the largest error in ULP. */
#define EACH(F)                                                                                    \
  F(exp, expl, 0.9)                                                                                \
  F(ln, logl, 0.9)                                                                                 \
  F(sin, sinl, 0.9)                                                                                \
  F(cos, cosl, 0.9)                                                                                \
  F(atan, atanl, 0.9)                                                                              \
  F(tan, tanl, 2.2)                                                                                \
  F(asin, asinl, 2.6)                                                                              \
  F(acos, acosl, 2.5)                                                                              \
  F(sinh, sinhl, 2)                                                                                \
  F(cosh, coshl, 2)                                                                                \
  F(tanh, tanhl, 2.5)                                                                              \
  F(log10, log10l, 2.5)
enum { EXP, LN, SIN, COS, ATAN, TAN, ASIN, ACOS, SINH, COSH, TANH, LOG10, N_FUNCTIONS };

/* always_inline bodies take the target of the function they are put into. */
#define ONE_LOOP(name, suffix, attributes)                                                         \
  attributes static void name##_##suffix(const double *x, double *y, size_t n) {                   \
    for (size_t i = 0; i < n; i++) y[i] = hy__##name(x[i]);                                        \
  }
#define PLAIN_LOOP(name, reference, limit) ONE_LOOP(name, plain, __attribute__((noinline)))
#define AVX2_LOOP(name, reference, limit)  ONE_LOOP(name, avx2, LEVEL("avx2,no-fma"))
#define AVX512_LOOP(name, reference, limit)                                                        \
  ONE_LOOP(name, avx512, LEVEL("avx512f,avx512dq,avx512vl,avx512bw"))
#define PLAIN_NAME(name, reference, limit)  name##_plain,
#define AVX2_NAME(name, reference, limit)   name##_avx2,
#define AVX512_NAME(name, reference, limit) name##_avx512,

#if defined(__aarch64__)
#define LEVEL(features) __attribute__((noinline)) /* one level; these are not run */
#else
#define LEVEL(features) __attribute__((noinline, target(features)))
#endif
EACH(PLAIN_LOOP)
EACH(AVX2_LOOP)
EACH(AVX512_LOOP)
static const lane_fn lanes_plain[] = {EACH(PLAIN_NAME)}, lanes_avx2[] = {EACH(AVX2_NAME)},
                     lanes_avx512[] = {EACH(AVX512_NAME)};

#define ONE(name, reference, limit)                                                                \
  static double name##_one(double x) { return hy__##name(x); }
EACH(ONE)

typedef struct function {
  const char *name;
  double (*ours)(double);
  long double (*reference)(long double);
  double limit;
} function;

#define ROW(name, reference, limit) {#name, name##_one, reference, limit},
static const function functions[] = {EACH(ROW)};

static double ulp_error(double got, long double want) {
  double rounded = fabs((double)want);
  long double unit = (long double)(nextafter(rounded, INFINITY) - rounded);
  return (double)(fabsl((long double)got - want) / unit);
}

/* Arguments where each function is finite, spread over its range. */
static double argument(int which, hy__random *r, int i) {
  double u = hy__random_uniform(r) - 0.5;
  if (which == EXP || which == SINH || which == COSH) return u * (i % 2 ? 1400 : 4);
  if (which == LN || which == LOG10) return i % 3 ? exp(u * (i % 2 ? 1400 : 2)) : 1 + u * 0x1p-20;
  if (which == ASIN || which == ACOS) return i % 2 ? 2 * u : u < 0 ? 1 + u * 1e-6 : u * 1e-6 - 1;
  if (which == ATAN) return i % 3 ? u * 8 : u * exp(u * 1400);
  if (which == TANH) return u * (i % 2 ? 60 : 3);
  return u * (i % 3 == 0 ? 8 : i % 3 == 1 ? 1e6 : 0x1p51);
}

static void within_an_ulp(void **state) {
  (void)state;
  for (int which = 0; which < N_FUNCTIONS; which++) {
    hy__random r;
    double worst = 0;
    hy__random_init(&r, 3, (uint64_t)which);
    for (int i = 0; i < 300000; i++) {
      double x = argument(which, &r, i), got = functions[which].ours(x);
      long double want = functions[which].reference((long double)x);
      if (want == 0 || fabsl(want) < 0x1p-1022L) continue;
      double error = ulp_error(got, want);
      if (error > functions[which].limit)
        fail_msg("%s(%a) = %a: %g ULP", functions[which].name, x, got, error);
      worst = HY_MAX(worst, error);
    }
    print_message("%s: at most %.3f ULP\n", functions[which].name, worst);
  }
}

static void denormal_results(void **state) {
  (void)state;
  for (double x = -745.13; x < -708.3; x += 0.01)
    assert_true(fabs(hy__exp(x) - (double)expl((long double)x)) <= 0x1p-1074);
}

static const double inf = INFINITY;

static void edges(void **state) {
  (void)state;
  assert_true(hy__exp(0) == 1 && hy__exp(-0.0) == 1);
  assert_true(hy__exp(inf) == inf && hy__exp(-inf) == 0 && isnan(hy__exp((double)NAN)));
  assert_true(hy__exp(709.79) == inf && hy__exp(1e308) == inf && hy__exp(-1e308) == 0);
  assert_true(hy__exp(709.78) == exp(709.78) && hy__exp(-745.2) == 0 &&
              hy__exp(-745.1) == 0x1p-1074);
  assert_true(hy__ln(1) == 0 && !signbit(hy__ln(1)));
  assert_true(hy__ln(0) == -inf && hy__ln(-0.0) == -inf && hy__ln(inf) == inf);
  assert_true(isnan(hy__ln(-1)) && isnan(hy__ln(-inf)) && isnan(hy__ln((double)NAN)));
  assert_true(hy__ln(0x1p-1074) == log(0x1p-1074) && hy__ln(0x1.8p-1060) == log(0x1.8p-1060));
  assert_true(hy__sin(0) == 0 && !signbit(hy__sin(0)) && signbit(hy__sin(-0.0)));
  assert_true(hy__sin(0x1p-1074) == 0x1p-1074 && hy__cos(0) == 1);
  assert_true(isnan(hy__sin(inf)) && isnan(hy__cos(-inf)) && isnan(hy__sin((double)NAN)));
  assert_true(isnan(hy__sin(0x1p50)) && isnan(hy__cos(-0x1p50)) && isnan(hy__cos(1e300)));
  assert_true(hy__atan(inf) == 0x1.921fb54442d18p+0 && hy__atan(-inf) == -0x1.921fb54442d18p+0);
  assert_true(signbit(hy__atan(-0.0)) && hy__atan(0x1p-1074) == 0x1p-1074);
  assert_true(hy__asin(1) == 0x1.921fb54442d18p+0 && hy__asin(-1) == -0x1.921fb54442d18p+0);
  assert_true(hy__acos(1) == 0 && hy__acos(-1) == 0x1.921fb54442d18p+1);
  assert_true(isnan(hy__asin(1.1)) && isnan(hy__acos(-1.1)) && isnan(hy__asin(inf)));
  assert_true(hy__sinh(-inf) == -inf && hy__cosh(-inf) == inf && hy__tanh(-inf) == -1);
  assert_true(hy__sinh(711) == inf && hy__sinh(-711) == -inf && hy__cosh(0) == 1);
  assert_true(hy__tan(0) == 0 && isnan(hy__tan(inf)) && isnan(hy__tan(0x1p50)));
  assert_true(hy__log10(0) == -inf && isnan(hy__log10(-1)) && hy__log10(1) == 0);
  /* The double nearest to a multiple of pi/2 in our range of those with large cancellation. */
  const double close[] = {
      0x1.921fb54442d18p0, 0x1.921fb54442d18p1, 0x1.2d97c7f3321d2p2, 355.0, 103993.0,
      5419351.0,           0x1.6c6cbc45dc8dep5};
  for (size_t i = 0; i < HY_COUNT(close); i++) {
    assert_true(ulp_error(hy__sin(close[i]), sinl((long double)close[i])) < 0.9);
    assert_true(ulp_error(hy__cos(close[i]), cosl((long double)close[i])) < 0.9);
  }
}

static void the_arc_tangent_s_edges(void **state) {
  (void)state;
  static const double seams[] = {0.4375, 0.6875, 1.1875, 2.4375, 0.5, 1.0, 1.5, 1e300};
  assert_true(hy__atan(0.0) == 0 && !signbit(hy__atan(0.0)) && signbit(hy__atan(-0.0)));
  assert_true(hy__atan(inf) == 0x1.921fb54442d18p+0 && hy__atan(-inf) == -0x1.921fb54442d18p+0);
  assert_true(hy__atan(1.0) == 0x1.921fb54442d18p-1 && isnan(hy__atan((double)NAN)));
  assert_true(hy__atan(0x1p-1074) == 0x1p-1074 && hy__atan(-0x1p-600) == -0x1p-600);
  for (size_t i = 0; i < HY_COUNT(seams); i++)
    for (int side = -1; side <= 1; side++) {
      const double x = side ? nextafter(seams[i], side * inf) : seams[i];
      assert_true(ulp_error(hy__atan(x), atanl((long double)x)) <= 0.9);
      assert_true(hy__atan(-x) == -hy__atan(x));
    }
}

static const double specials[] = {0,      -0.0,   1,      -1,     0x1p-1074, -0x1p-1074, 0x1p-1022,
                                  1e308,  -1e308, 709.78, 709.79, -745.1,    -745.2,     0x1p50,
                                  0x1p49, 1e22,   0.5,    2,      1e-310};

static void fill(int which, double *x) {
  hy__random r;
  hy__random_init(&r, 4, (uint64_t)which);
  for (int i = 0; i < N_VALUES; i++) {
    uint64_t bits = hy__random_u64(&r);
    if (i % 2)
      memcpy(&x[i], &bits, sizeof bits); /* any pattern, NaN with payloads and infinities too */
    else
      x[i] = argument(which, &r, i);
  }
  memcpy(x, specials, sizeof specials);
  x[19] = inf, x[20] = -inf, x[21] = (double)NAN;
}

static void lanes_have_the_scalar_bits(void **state) {
  (void)state;
  static double x[N_VALUES], want[N_VALUES], got[N_VALUES];
  uint32_t mask;
  hy__cpu cpu;
  hy__cpu_detect(&cpu);
  mask = cpu.mask;
  for (int which = 0; which < N_FUNCTIONS; which++) {
    fill(which, x);
    for (int i = 0; i < N_VALUES; i++) {
      volatile double one = x[i]; /* keeps this loop scalar */
      want[i] = functions[which].ours(one);
    }
    lanes_plain[which](x, got, N_VALUES);
    assert_memory_equal(got, want, sizeof want);
    if (mask & HY_CPU_AVX2) {
      lanes_avx2[which](x, got, N_VALUES);
      assert_memory_equal(got, want, sizeof want);
    }
    if (mask & HY_CPU_AVX512) {
      lanes_avx512[which](x, got, N_VALUES);
      assert_memory_equal(got, want, sizeof want);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(within_an_ulp),
      cmocka_unit_test(denormal_results),
      cmocka_unit_test(edges),
      cmocka_unit_test(the_arc_tangent_s_edges),
      cmocka_unit_test(lanes_have_the_scalar_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
