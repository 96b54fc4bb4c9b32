/* SPDX-License-Identifier: Apache-2.0
 * One price for a bar. Inputs: what each takes of open, high, low, close. */
#include "feature/lane/lane.h"

HY_INLINE void avgprice_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1]) + v_load(in[2]) + v_load(in[3])) * v_set(0.25);
}
static void avgprice_step(const hy__ind_step *s) { cells_map(s, 4, avgprice_row); }
HY_IND_CODE(avgprice) = {.step = avgprice_step};

HY_INLINE void medprice_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1])) * v_set(0.5);
}
static void medprice_step(const hy__ind_step *s) { cells_map(s, 2, medprice_row); }
HY_IND_CODE(medprice) = {.step = medprice_step};

HY_INLINE void typprice_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1]) + v_load(in[2])) / v_set(3.0);
}
static void typprice_step(const hy__ind_step *s) { cells_map(s, 3, typprice_row); }
HY_IND_CODE(typprice) = {.step = typprice_step};

HY_INLINE void wclprice_row(const double *const *in, const double *p, lanes *out) {
  (void)p;
  out[0] = (v_load(in[0]) + v_load(in[1]) + v_set(2.0) * v_load(in[2])) * v_set(0.25);
}
static void wclprice_step(const hy__ind_step *s) { cells_map(s, 3, wclprice_row); }
HY_IND_CODE(wclprice) = {.step = wclprice_step};
