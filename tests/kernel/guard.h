/* SPDX-License-Identifier: Apache-2.0
 * Memory between two forbidden pages, so that a read or write past either end is a fault; and a
 * seeded source of numbers. */
#ifndef TESTS_KERNEL_GUARD_H
#define TESTS_KERNEL_GUARD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/base.h"

typedef struct guard {
  uint8_t *map, *data;
  size_t map_bytes, bytes;
} guard;

enum { GUARD_PAGE = 4096 };

/* bytes that end at a forbidden page (at_end) or begin behind one. */
static inline guard guard_make(size_t bytes, bool at_end) {
  guard g = {.bytes = bytes};
  size_t inner = (bytes + GUARD_PAGE - 1) / GUARD_PAGE * GUARD_PAGE + GUARD_PAGE;
  g.map_bytes = inner + 2 * GUARD_PAGE;
  g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(g.map != MAP_FAILED);
  assert_int_equal(mprotect(g.map, GUARD_PAGE, PROT_NONE), 0);
  assert_int_equal(mprotect(g.map + GUARD_PAGE + inner, GUARD_PAGE, PROT_NONE), 0);
  g.data = at_end ? g.map + GUARD_PAGE + inner - bytes : g.map + GUARD_PAGE;
  return g;
}

static inline void guard_free(guard *g) { munmap(g->map, g->map_bytes); }

static inline float uniform(hy__random *r, double low, double high) {
  return (float)(low + (high - low) * hy__random_uniform(r));
}

static inline void fill_uniform(hy__random *r, float *x, size_t n, double low, double high) {
  for (size_t i = 0; i < n; ++i) x[i] = uniform(r, low, high);
}

/* The distance of y from the exact value in units of y's last place (of the smallest normal
 * below). */
static inline double ulp_f32(float y, double exact) {
  float rounded = (float)exact;
  if (rounded != rounded || y != y) return (rounded != rounded) == (y != y) ? 0.0 : 1e30;
  if (rounded == y) return 0.0;
  double magnitude = exact < 0 ? -exact : exact;
  if (magnitude > 3.4028234e38) return y == rounded ? 0.0 : 1e30;
  double unit = 0x1p-149;
  while (unit * 0x1p24 <= magnitude) unit *= 2;
  if (unit < 0x1p-149) unit = 0x1p-149;
  double d = (double)y - exact;
  return (d < 0 ? -d : d) / unit;
}

#endif
