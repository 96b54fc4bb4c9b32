/* SPDX-License-Identifier: Apache-2.0 */
/* NonZero: its shape depends on data, so the input must be known at planning; then so is the
 * result. */
#include "op/rule.h"

static bool is_zero(const hy_tensor *t, size_t i) {
  static const uint8_t zero[8] = {0};
  size_t each = hy_dtype_bytes(t->dtype);
  if (t->dtype == HY_F32) return ((const float *)t->data)[i] == 0;
  if (t->dtype == HY_F64) return ((const double *)t->data)[i] == 0;
  if (t->dtype == HY_F16 || t->dtype == HY_BF16) return !(((const uint16_t *)t->data)[i] & 0x7fff);
  return memcmp((const uint8_t *)t->data + i * each, zero, each) == 0;
}

hy_status hy__op_non_zero_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *in = &p->in[0];
  HY_FAIL_IF(!in->data, HY_UNSUPPORTED, err,
             "input 0 is not known before the run, so the output's shape would depend on data");
  size_t n = hy__op_count_of(in), found = 0, at = 0;
  for (size_t i = 0; i < n; i++) found += !is_zero(in, i);
  int64_t dims[2] = {in->rank, (int64_t)found};
  void *data;
  HY_TRY(hy__op_out(p, 0, HY_I64, 2, dims, err));
  HY_TRY(hy__arena_array(p->arena, found * (size_t)in->rank + 1, sizeof(int64_t), &data, err));
  int64_t *to = data;
  for (size_t i = 0; i < n; i++) {
    if (is_zero(in, i)) continue;
    size_t rest = i;
    for (int32_t d = in->rank - 1; d >= 0; d--) {
      to[(size_t)d * found + at] = (int64_t)(rest % (size_t)in->dims[d]);
      rest /= (size_t)in->dims[d];
    }
    at++;
  }
  p->out[0].data = data;
  return HY_OK;
}

hy_status hy__op_non_zero_lower(hy__op_plan *p, hy_error *err) {
  return hy__op_identity_lower(p, err);
}
