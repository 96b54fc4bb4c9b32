/* SPDX-License-Identifier: Apache-2.0 */
/* Tile: the input again and again along each axis. */
#include "op/rule.h"

hy_status hy__op_tile_infer(hy__op_plan *p, hy_error *err) {
  int64_t repeats[HY__OP_LIST], dims[HY_MAX_RANK];
  int32_t n;
  const hy_tensor *in = &p->in[0];
  HY_TRY(hy__op_ints(p, 1, NULL, repeats, &n, err));
  HY_FAIL_IF(n != in->rank, HY_BAD_FORMAT, err, "%d repeats for %d axes", (int)n, (int)in->rank);
  for (int32_t d = 0; d < n; d++)
    HY_FAIL_IF(repeats[d] < 0 || !hy__mul_i64(in->dims[d], repeats[d], &dims[d]), HY_BAD_FORMAT,
               err, "axis %d is repeated %lld times", (int)d, (long long)repeats[d]);
  HY_TRY(hy__op_out(p, 0, in->dtype, in->rank, dims, err));
  if (hy__op_same_dims(in, &p->out[0])) p->out_alias[0] = 0;
  return HY_OK;
}

/* Row by row of the output: the source row by the remainders of its index, repeated along the last
 * axis. */
static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const hy_tensor *in = &s->in[0], *out = &s->out[0];
  int32_t last = in->rank - 1;
  size_t each = hy_dtype_bytes(in->dtype), row = (size_t)in->dims[last] * each;
  size_t out_row = (size_t)out->dims[last] * each, n_rows = 1;
  int64_t index[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK];
  hy__op_strides(in, strides);
  for (int32_t d = 0; d < last; d++) n_rows *= (size_t)out->dims[d];
  uint8_t *to = out->data;
  for (size_t r = 0; r < n_rows && row; r++, to += out_row) {
    int64_t offset = 0;
    for (int32_t d = 0; d < last; d++) offset += index[d] % in->dims[d] * strides[d];
    for (size_t at = 0; at < out_row; at += row)
      memcpy(to + at, (const uint8_t *)in->data + (size_t)offset * each, row);
    for (int32_t d = last - 1; d >= 0; d--) {
      if (++index[d] < out->dims[d]) break;
      index[d] = 0;
    }
  }
  return HY_OK;
}

hy_status hy__op_tile_lower(hy__op_plan *p, hy_error *err) {
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  p->run = run;
  return HY_OK;
}
