/* SPDX-License-Identifier: Apache-2.0
 * The edges of a stream, in lanes: bars in, features out. */
#ifndef HY_FEATURE_EDGE_H
#define HY_FEATURE_EDGE_H

#include "feature/indicator.h"

/* A field of 8 symbols' bars: NaN where a lane of `present` has none, or no finite number. */
typedef struct hy__edge_in {
  const double *from; /* [8] */
  uint8_t present;
  double *to; /* [8] */
} hy__edge_in;

/* Rows of lanes become rows of features, one for each symbol. */
typedef struct hy__edge_out {
  const double *const *from; /* [n] a row of 8 lanes each */
  size_t n, n_lanes;
  double *to; /* [n_lanes][n]; NaN is the one of C */
} hy__edge_out;

typedef struct hy__edge {
  void (*in)(const hy__edge_in *e);
  void (*out)(const hy__edge_out *e);
} hy__edge;

#define HY__EDGE(level) hy__edge##level
extern const hy__edge HY__IND_EACH_ISA(HY__EDGE, );

/* Those of an instruction set. */
static inline const hy__edge *hy__edge_of(hy_isa isa) {
  static const hy__edge *const levels[] = {
#define HY__EDGE_AT(level) &hy__edge##level
      HY__IND_EACH_ISA(HY__EDGE_AT, )
#undef HY__EDGE_AT
  };
  const int level = isa == HY_ISA_AVX512 || isa == HY_ISA_AMX ? 2 : isa == HY_ISA_AVX2 ? 1 : 0;
  return levels[level < HY__IND_N_ISAS ? level : HY__IND_N_ISAS - 1];
}

#endif
