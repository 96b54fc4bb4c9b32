/* SPDX-License-Identifier: Apache-2.0
 * The loops of one element type: HY_T the type, HY_NAME its suffix, HY_REAL set for floats, HY_U
 * the unsigned type in which integers wrap, HY_SIGNED set for signed integers. All are undefined
 * at the end. */
#define HY_FN_(op, name) op##_##name
#define HY_FN2(op, name) HY_FN_(op, name)
#define HY_FN(op)        HY_FN2(op, HY_NAME)

#ifdef HY_REAL
#define WRAP(p, sign, q) ((p)sign(q))
static inline HY_T HY_FN(quotient)(HY_T p, HY_T q) { return p / q; }
#else
#define WRAP(p, sign, q) ((HY_T)((HY_U)(p)sign(HY_U)(q)))
static inline HY_T HY_FN(quotient)(HY_T p, HY_T q) {
  if (q == 0) return 0;
#ifdef HY_SIGNED
  if (q == -1) return (HY_T)((HY_U)0 - (HY_U)p);
#endif
  return (HY_T)(p / q);
}
#endif

#if defined(HY_REAL) || defined(HY_SIGNED)
static inline bool HY_FN(negative)(HY_T p) { return p < 0; }
#else
static inline bool HY_FN(negative)(HY_T p) {
  (void)p;
  return false;
}
#endif

/* The three cases apart, so that each is a loop over unit steps. */
#define LOOP(op, out_type, expression)                                                             \
  static void HY_FN(op)(const void *a, const void *b, void *y, size_t n, size_t a_step,            \
                        size_t b_step) {                                                           \
    const HY_T *left = a, *right = b;                                                              \
    out_type *out = y;                                                                             \
    if (a_step && b_step) {                                                                        \
      for (size_t i = 0; i < n; ++i) {                                                             \
        const HY_T p = left[i], q = right[i];                                                      \
        out[i] = (out_type)(expression);                                                           \
      }                                                                                            \
    } else if (a_step) {                                                                           \
      const HY_T q = *right;                                                                       \
      for (size_t i = 0; i < n; ++i) {                                                             \
        const HY_T p = left[i];                                                                    \
        out[i] = (out_type)(expression);                                                           \
      }                                                                                            \
    } else {                                                                                       \
      const HY_T p = *left;                                                                        \
      for (size_t i = 0; i < n; ++i) {                                                             \
        const HY_T q = right[b_step ? i : 0];                                                      \
        out[i] = (out_type)(expression);                                                           \
      }                                                                                            \
    }                                                                                              \
  }

/* One comparison is another with its operands the other way round. */
#define TURNED(op, other)                                                                          \
  static void HY_FN(op)(const void *a, const void *b, void *y, size_t n, size_t a_step,            \
                        size_t b_step) {                                                           \
    HY_FN(other)(b, a, y, n, b_step, a_step);                                                      \
  }

/* Of integers that wrap, these are the same bits signed and unsigned: made once. */
#if defined(HY_REAL) || defined(HY_SIGNED)
LOOP(add, HY_T, WRAP(p, +, q))
LOOP(sub, HY_T, WRAP(p, -, q))
LOOP(mul, HY_T, WRAP(p, *, q))
LOOP(equal, uint8_t, p == q)
#endif
LOOP(div, HY_T, HY_FN(quotient)(p, q))
LOOP(min, HY_T, ((p < q) | (p != p)) ? p : q)
LOOP(max, HY_T, ((p > q) | (p != p)) ? p : q)
LOOP(prelu, HY_T, HY_FN(negative)(p) ? WRAP(p, *, q) : p)
LOOP(less, uint8_t, p < q)
LOOP(less_equal, uint8_t, p <= q)
TURNED(greater, less)
TURNED(greater_equal, less_equal)

#undef LOOP
#undef TURNED
#undef WRAP
#undef HY_FN
#undef HY_FN2
#undef HY_FN_
#undef HY_T
#undef HY_NAME
#ifdef HY_REAL
#undef HY_REAL
#else
#undef HY_U
#endif
#undef HY_SIGNED
