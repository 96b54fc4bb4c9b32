/* SPDX-License-Identifier: Apache-2.0 */
/* The discrete Fourier transform: see fourier.h. */
#include "op/fourier.h"

#include <string.h>

static const double pi = 3.14159265358979323846;

static void times(double *z, const double *w) {
  const double re = z[0] * w[0] - z[1] * w[1];
  z[1] = z[0] * w[1] + z[1] * w[0];
  z[0] = re;
}

static void conjugate(double *data, size_t n) {
  for (size_t i = 0; i < n; i++) data[2 * i + 1] = -data[2 * i + 1];
}

/* Element i goes where its bits in reverse order say. */
static void reverse_bits(double *data, size_t m) {
  for (size_t i = 1, j = 0; i < m; i++) {
    size_t bit = m >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i >= j) continue;
    for (size_t part = 0; part < 2; part++) {
      const double t = data[2 * i + part];
      data[2 * i + part] = data[2 * j + part];
      data[2 * j + part] = t;
    }
  }
}

/* m is a power of two; turns as in hy__fourier. */
static void transform(const double *turns, size_t m, double *data) {
  reverse_bits(data, m);
  for (size_t half = 1; half < m; half *= 2) {
    for (size_t first = 0; first < m; first += 2 * half) {
      for (size_t k = 0; k < half; k++) {
        double *a = data + 2 * (first + k), *b = a + 2 * half, t[2] = {b[0], b[1]};
        times(t, turns + 2 * (k * (m / (2 * half))));
        b[0] = a[0] - t[0];
        b[1] = a[1] - t[1];
        a[0] += t[0];
        a[1] += t[1];
      }
    }
  }
}

static hy_status make_chirp(hy__arena *arena, hy__fourier *f, hy_error *err) {
  const size_t n = f->n, m = f->m;
  void *memory;
  HY_TRY(hy__arena_array(arena, 2 * n, sizeof(double), &memory, err));
  double *chirp = memory;
  HY_TRY(hy__arena_array(arena, 2 * m, sizeof(double), &memory, err));
  double *spectrum = memory;
  for (size_t k = 0; k < n; k++) {
    const double angle = pi * (double)((uint64_t)k * k % (2 * n)) / (double)n;
    chirp[2 * k] = hy__cos(angle);
    chirp[2 * k + 1] = -hy__sin(angle);
    for (size_t side = 0; side < 2; side++) { /* k and m - k */
      const size_t at = side && k ? m - k : k;
      spectrum[2 * at] = chirp[2 * k] / (double)m;
      spectrum[2 * at + 1] = -chirp[2 * k + 1] / (double)m;
    }
  }
  transform(f->turns, m, spectrum);
  f->chirp = chirp;
  f->spectrum = spectrum;
  return HY_OK;
}

hy_status hy__fourier_make(hy__arena *arena, size_t n, hy__fourier *out, hy_error *err) {
  void *memory;
  HY_ASSERT(n > 0);
  HY_FAIL_IF(n > (size_t)1 << 28, HY_LIMIT, err, "a transform of %zu is too long", n);
  *out = (hy__fourier){.n = n, .m = 1};
  while (out->m < n) out->m *= 2;
  const bool whole = out->m == n;
  if (!whole)
    while (out->m < 2 * n - 1) out->m *= 2;
  HY_TRY(hy__arena_array(arena, out->m + 2, sizeof(double), &memory, err));
  double *turns = memory;
  for (size_t k = 0; k < HY_MAX(out->m / 2, (size_t)1); k++) {
    const double angle = 2.0 * pi * (double)k / (double)out->m;
    turns[2 * k] = hy__cos(angle);
    turns[2 * k + 1] = -hy__sin(angle);
  }
  out->turns = turns;
  return whole ? HY_OK : make_chirp(arena, out, err);
}

size_t hy__fourier_scratch_n(const hy__fourier *f) { return f->chirp ? 2 * f->m : 0; }

void hy__fourier_run(const hy__fourier *f, double *data, double *scratch, bool inverse) {
  if (inverse) conjugate(data, f->n);
  if (!f->chirp) {
    transform(f->turns, f->m, data);
  } else {
    memcpy(scratch, data, 2 * f->n * sizeof *data);
    memset(scratch + 2 * f->n, 0, 2 * (f->m - f->n) * sizeof *data);
    for (size_t k = 0; k < f->n; k++) times(scratch + 2 * k, f->chirp + 2 * k);
    transform(f->turns, f->m, scratch);
    for (size_t k = 0; k < f->m; k++) times(scratch + 2 * k, f->spectrum + 2 * k);
    conjugate(scratch, f->m);
    transform(f->turns, f->m, scratch);
    conjugate(scratch, f->m);
    for (size_t k = 0; k < f->n; k++) times(scratch + 2 * k, f->chirp + 2 * k);
    memcpy(data, scratch, 2 * f->n * sizeof *data);
  }
  if (inverse) conjugate(data, f->n);
}
