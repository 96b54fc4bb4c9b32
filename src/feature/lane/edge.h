/* SPDX-License-Identifier: Apache-2.0
 * The way into the lanes and out of them, for each instruction set: a stream's bars and features, a
 * batch's matrices and series. What enters is a finite number or NaN, and every NaN that leaves is
 * the one of C: the sign and payload of others differ between instruction sets. */
#ifndef HY_FEATURE_EDGE_H
#define HY_FEATURE_EDGE_H

#include "feature/indicator.h"

/* A field of 8 symbols' bars: NaN where a lane of `present` has none, or no finite number. */
typedef struct hy__edge_in {
  const double *from; /* [8] */
  uint8_t present;
  double *to; /* [8] */
} hy__edge_in;

/* Rows of lanes become rows of features, one for each symbol, `stride` apart. */
typedef struct hy__edge_out {
  const double *from;
  const size_t *row; /* [n] where each row of 8 lanes lies from there */
  size_t n, n_lanes;
  double *to; /* NaN is the one of C */
  size_t stride;
} hy__edge_out;

/* Rows of 8 symbols out of a matrix, or out of 8 series. */
typedef struct hy__edge_read {
  const double *from;
  size_t n, stride; /* doubles from one row, or one series, to the next */
  double *to;       /* [n][8] */
} hy__edge_read;

/* Rows of lanes into rows of a matrix, or into a series for each lane. */
typedef struct hy__edge_write {
  const double *from; /* [n][8] */
  const double *over; /* series: [n][8] that they are divided by, what is not finite being missing;
                         NULL: they are not */
  size_t n;
  double *to;
  size_t stride;    /* doubles from one row of the matrix, or one lane's series, to the next */
  bool past_caches; /* series: what is written is too much for them */
} hy__edge_write;

typedef struct hy__edge {
  void (*in)(const hy__edge_in *e);
  void (*out)(const hy__edge_out *e);
  void (*read)(const hy__edge_read *e);
  void (*take)(const hy__edge_read *e); /* from series */
  void (*rows)(const hy__edge_write *e);
  void (*series)(const hy__edge_write *e);
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
