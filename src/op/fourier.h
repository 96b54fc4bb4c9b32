/* SPDX-License-Identifier: Apache-2.0
 * The discrete Fourier transform of any length in double: powers of two by halving, other lengths
 * as a convolution with a chirp (Bluestein). For DFT and STFT. */
#ifndef HY_OP_FOURIER_H
#define HY_OP_FOURIER_H

#include "op/op.h"

typedef struct hy__fourier {
  size_t n, m;            /* length, and the power of two that is worked with */
  const double *turns;    /* e^(-2 pi i k / m), k < m / 2 */
  const double *chirp;    /* e^(-pi i k^2 / n), k < n; NULL where n is m */
  const double *spectrum; /* of the chirp's conjugate, wrapped, over m */
} hy__fourier;

/* Tables in the arena. n of at least 1. */
HY_CHECKED hy_status hy__fourier_make(hy__arena *arena, size_t n, hy__fourier *out, hy_error *err);
/* Doubles of scratch that a run wants. */
size_t hy__fourier_scratch_n(const hy__fourier *f);
/* data: n pairs of real and imaginary part, in place. The inverse is not divided by n. */
void hy__fourier_run(const hy__fourier *f, double *data, double *scratch, bool inverse);

#endif
