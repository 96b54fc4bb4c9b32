/* SPDX-License-Identifier: Apache-2.0 */
/* Products of 8-bit integers: see integer_product.h. */
#include "op/integer_product.h"

#include <math.h>

hy_status hy__integer_list(const hy__op_plan *p, size_t k, int64_t n, const char *name,
                           hy_error *err) {
  if (!hy__op_has(p, k)) return HY_OK;
  const hy_tensor *t = &p->in[k];
  const size_t count = hy__op_count_of(t);
  HY_FAIL_IF(count != 1 && (t->rank != 1 || count != (size_t)n), HY_UNSUPPORTED, err,
             "%s has %zu elements in %d dims; one, or %lld in one dim are done", name, count,
             (int)t->rank, (long long)n);
  return HY_OK;
}

#define WIDEN(type)                                                                                \
  for (size_t c = 0; c < s->cols; c++)                                                             \
    to[c] = (int16_t)(((const type *)s->t->data)[at + c] -                                         \
                      (s->by_col ? hy__integer_at(s->zero, c) : zero));                            \
  continue

void hy__integer_widen(const hy__integer_source *s, int16_t *to) {
  for (size_t r = 0; r < s->rows; r++, to += s->cols) {
    const size_t at = s->begin + r * s->cols;
    const int32_t zero = hy__integer_at(s->zero, s->by_row ? r : 0);
    if (s->t->dtype == HY_I8) {
      WIDEN(int8_t);
    }
    WIDEN(uint8_t);
  }
}

void hy__integer_multiply(const hy__integer_call *call) {
  for (size_t i = 0; i < call->m; i++) {
    uint32_t *c = (uint32_t *)call->c + i * call->ldc;
    memset(c, 0, call->n * sizeof *c);
    for (size_t k = 0; k < call->k; k++) {
      const int32_t a = call->a[i * call->k + k];
      const int16_t *b = call->b + k * call->n;
      if (!a) continue;
      for (size_t j = 0; j < call->n; j++) c[j] += (uint32_t)(a * b[j]);
    }
  }
}

static float rounded(hy_dtype type, float v) {
  if (type == HY_F32) return v;
  return hy__narrow_decode(type, hy__narrow_encode(type, (double)v, false));
}

float hy__requantise_factor(const hy__requantise *r, size_t a, size_t b) {
  const hy_dtype type = r->a->dtype;
  const float product =
      rounded(type, (float)hy__narrow_value(r->a, a) * (float)hy__narrow_value(r->b, b));
  return rounded(type, product / (float)hy__narrow_value(r->y, 0));
}

void hy__requantise_store(const hy__requantise *r, float factor, int32_t sum, hy_tensor *y,
                          size_t at) {
  const double zero = hy__integer_at(r->zero, 0), low = y->dtype == HY_I8 ? -128 : 0;
  double v = rint((double)sum * (double)factor) + zero;
  v = v > low ? v : low;
  v = v < low + 255 ? v : low + 255;
  if (y->dtype == HY_I8)
    ((int8_t *)y->data)[at] = (int8_t)v;
  else
    ((uint8_t *)y->data)[at] = (uint8_t)v;
}
