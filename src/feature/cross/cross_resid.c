/* SPDX-License-Identifier: Apache-2.0
 * cs.resid: what a constant and the factors leave of x by least squares, by Householder reflections
 * in the order constant, f1, f2 and so on. A column that those before it explain to the last digits
 * adds nothing and is left out, which changes no residual; where as many columns are left as there
 * are symbols, nothing is left of x, exactly. */
#include "feature/cross/cross.h"

#include <math.h>

/* Less than this part of a column is rounding. */
static const double dependent = 1e-10;

enum { COLUMNS_MAX = HY__IND_INPUTS };

static double dot(const double *a, const double *b, size_t from, size_t n) {
  double sum = 0;
  for (size_t i = from; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* By a power of two, so that squares neither overflow nor vanish; false for a column of zeros. */
static bool scale(double *v, size_t n) {
  double most = 0;
  int exponent;
  for (size_t i = 0; i < n; i++) most = fabs(v[i]) > most ? fabs(v[i]) : most;
  if (!(most > 0)) return false;
  (void)frexp(most, &exponent);
  for (size_t i = 0; i < n; i++) v[i] = ldexp(v[i], -exponent);
  return true;
}

/* Rows `from` on of y, reflected at v, whose squares over these rows sum to `squares`. */
static void reflect(const double *v, double squares, double *y, size_t from, size_t n) {
  const double along = 2 * dot(v, y, from, n) / squares;
  for (size_t i = from; i < n; i++) y[i] -= along * v[i];
}

/* The reflections so far: columns are overwritten with their vectors. */
typedef struct reflections {
  double *v[COLUMNS_MAX];
  double squares[COLUMNS_MAX];
  size_t n;
} reflections;

static void add_column(reflections *r, double *column, size_t n) {
  if (r->n == n || !scale(column, n)) return;
  const double whole = sqrt(dot(column, column, 0, n));
  for (size_t k = 0; k < r->n; k++) reflect(r->v[k], r->squares[k], column, k, n);
  const size_t k = r->n;
  const double length = sqrt(dot(column, column, k, n));
  if (!(length > dependent * whole)) return;
  column[k] += column[k] < 0 ? -length : length;
  r->squares[k] = dot(column, column, k, n);
  r->v[r->n++] = column;
}

void hy__cross_resid(const hy__cross_step *s) {
  reflections r = {.n = 0};
  double *ones = (double *)s->ranked;
  for (size_t i = 0; i < s->n; i++) ones[i] = 1;
  add_column(&r, ones, s->n);
  for (size_t k = 1; k < s->n_in; k++) add_column(&r, s->in[k], s->n);
  for (size_t k = 0; k < r.n; k++) reflect(r.v[k], r.squares[k], s->values, k, s->n);
  for (size_t i = 0; i < r.n; i++) s->values[i] = 0;
  if (r.n == s->n) return;
  for (size_t k = r.n; k-- > 0;) reflect(r.v[k], r.squares[k], s->values, k, s->n);
}
