/* SPDX-License-Identifier: Apache-2.0 */
/* Split: parts along an axis, by a list (attribute until opset 12, input since), by num_outputs (a
 * shorter last part allowed, opset 18), or equal ones. */
#include "op/rule.h"

static hy_status part(const hy__op_plan *p, size_t k, const int64_t *sizes, int32_t n_sizes,
                      int64_t dim, int64_t *out, hy_error *err) {
  int64_t n = (int64_t)p->n_out;
  if (n_sizes >= 0) {
    HY_FAIL_IF((size_t)n_sizes != p->n_out, HY_BAD_FORMAT, err, "%d sizes for %zu outputs",
               (int)n_sizes, p->n_out);
    *out = sizes[k];
    return HY_OK;
  }
  bool ragged = p->node->version >= 18 && hy__node_attr(p->node, "num_outputs");
  HY_FAIL_IF(!ragged && dim % n, HY_BAD_FORMAT, err,
             "%lld elements do not part into %zu equal parts", (long long)dim, p->n_out);
  int64_t full = (dim + n - 1) / n;
  *out = HY_MAX(HY_MIN(full, dim - (int64_t)k * full), (int64_t)0);
  return HY_OK;
}

hy_status hy__op_split_infer(hy__op_plan *p, hy_error *err) {
  int64_t sizes[HY__OP_LIST], dims[HY_MAX_RANK], sum = 0;
  int32_t axis, n;
  const hy_tensor *in = &p->in[0];
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), in->rank, &axis, err));
  HY_TRY(hy__op_ints(p, 1, "split", sizes, &n, err));
  memcpy(dims, in->dims, sizeof dims);
  for (size_t k = 0; k < p->n_out; k++) {
    HY_TRY(part(p, k, sizes, n, in->dims[axis], &dims[axis], err));
    HY_FAIL_IF(dims[axis] < 0 || !hy__add_i64(sum, dims[axis], &sum), HY_BAD_FORMAT, err,
               "part %zu has %lld elements", k, (long long)dims[axis]);
    HY_TRY(hy__op_out(p, k, in->dtype, in->rank, dims, err));
  }
  HY_FAIL_IF(sum != in->dims[axis], HY_BAD_FORMAT, err,
             "the parts have %lld elements, axis %d has %lld", (long long)sum, (int)axis,
             (long long)in->dims[axis]);
  if (p->n_out == 1) p->out_alias[0] = 0;
  return HY_OK;
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  int32_t axis = *(const int32_t *)s->params;
  size_t each = hy_dtype_bytes(s->in[0].dtype), outer = 1, inner = each;
  for (int32_t d = 0; d < axis; d++) outer *= (size_t)s->in[0].dims[d];
  for (int32_t d = axis + 1; d < s->in[0].rank; d++) inner *= (size_t)s->in[0].dims[d];
  const uint8_t *from = s->in[0].data;
  for (size_t i = 0; i < outer; i++)
    for (size_t k = 0; k < s->n_out; k++) {
      size_t bytes = (size_t)s->out[k].dims[axis] * inner;
      if (s->out[k].data) memcpy((uint8_t *)s->out[k].data + i * bytes, from, bytes);
      from += bytes;
    }
  return HY_OK;
}

hy_status hy__op_split_lower(hy__op_plan *p, hy_error *err) {
  void *axis;
  if (p->out_alias[0] == 0) return hy__op_identity_lower(p, err);
  HY_TRY(hy__arena_alloc(p->arena, sizeof(int32_t), _Alignof(int32_t), &axis, err));
  HY_TRY(hy__op_axis(hy__node_int(p->node, "axis", 0), p->in[0].rank, axis, err));
  p->params = axis;
  p->run = run;
  return HY_OK;
}
