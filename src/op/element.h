/* SPDX-License-Identifier: Apache-2.0
 * Single elements of any numeric type, for the plain loops of operators that are not worth a kernel
 * per type: as a double, as a whole number, and back. Types that are none of these are refused by
 * the operators' rows. */
#ifndef HY_OP_ELEMENT_H
#define HY_OP_ELEMENT_H

#include "op/op.h"

static inline bool hy__element_is_float(hy_dtype d) { return d == HY_F32 || d == HY_F64; }

/* Integers past 2^53 lose their low bits only where a float is asked. */
static inline double hy__element_real(const hy_tensor *t, int64_t i) {
  switch (t->dtype) {
  case HY_F32: return (double)((const float *)t->data)[i];
  case HY_F64: return ((const double *)t->data)[i];
  case HY_I8: return ((const int8_t *)t->data)[i];
  case HY_I16: return ((const int16_t *)t->data)[i];
  case HY_I32: return ((const int32_t *)t->data)[i];
  case HY_I64: return (double)((const int64_t *)t->data)[i];
  case HY_BOOL:
  case HY_U8: return ((const uint8_t *)t->data)[i];
  case HY_U16: return ((const uint16_t *)t->data)[i];
  case HY_U32: return ((const uint32_t *)t->data)[i];
  default: return (double)((const uint64_t *)t->data)[i];
  }
}

/* Floats are cut to whole numbers; one that no int64 holds gives the end of its side, NaN 0. */
static inline int64_t hy__element_cut(double v) {
  if (v != v) return 0;
  if (v >= 0x1p63) return INT64_MAX;
  return v < -0x1p63 ? INT64_MIN : (int64_t)v;
}

static inline int64_t hy__element_whole(const hy_tensor *t, int64_t i) {
  switch (t->dtype) {
  case HY_F32: return hy__element_cut((double)((const float *)t->data)[i]);
  case HY_F64: return hy__element_cut(((const double *)t->data)[i]);
  case HY_I8: return ((const int8_t *)t->data)[i];
  case HY_I16: return ((const int16_t *)t->data)[i];
  case HY_I32: return ((const int32_t *)t->data)[i];
  case HY_BOOL:
  case HY_U8: return ((const uint8_t *)t->data)[i];
  case HY_U16: return ((const uint16_t *)t->data)[i];
  case HY_U32: return ((const uint32_t *)t->data)[i];
  default: return ((const int64_t *)t->data)[i]; /* u64 by its bits */
  }
}

/* Wraps into narrower types. */
static inline void hy__element_put_whole(const hy_tensor *t, int64_t i, int64_t v) {
  switch (t->dtype) {
  case HY_F32: ((float *)t->data)[i] = (float)v; break;
  case HY_F64: ((double *)t->data)[i] = (double)v; break;
  case HY_I8: ((int8_t *)t->data)[i] = (int8_t)v; break;
  case HY_I16: ((int16_t *)t->data)[i] = (int16_t)v; break;
  case HY_I32: ((int32_t *)t->data)[i] = (int32_t)v; break;
  case HY_BOOL: ((uint8_t *)t->data)[i] = v != 0; break;
  case HY_U8: ((uint8_t *)t->data)[i] = (uint8_t)v; break;
  case HY_U16: ((uint16_t *)t->data)[i] = (uint16_t)v; break;
  case HY_U32: ((uint32_t *)t->data)[i] = (uint32_t)v; break;
  default: ((int64_t *)t->data)[i] = v; break;
  }
}

/* Rounds once to float; integers are cut. */
static inline void hy__element_put_real(const hy_tensor *t, int64_t i, double v) {
  switch (t->dtype) {
  case HY_F32: ((float *)t->data)[i] = (float)v; break;
  case HY_F64: ((double *)t->data)[i] = v; break;
  default: hy__element_put_whole(t, i, hy__element_cut(v)); break;
  }
}

#endif
