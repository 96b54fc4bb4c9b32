/* SPDX-License-Identifier: Apache-2.0 */
/* What the shape rules of operators share: see rule.h. */
#include "op/rule.h"

size_t hy__op_count_of(const hy_tensor *t) {
  size_t n = 1;
  for (int32_t d = 0; d < t->rank; d++) n *= (size_t)t->dims[d];
  return n;
}

size_t hy__op_bytes_of(const hy_tensor *t) { return hy__op_count_of(t) * hy_dtype_bytes(t->dtype); }

bool hy__op_same_dims(const hy_tensor *a, const hy_tensor *b) {
  if (a->rank != b->rank) return false;
  for (int32_t d = 0; d < a->rank; d++)
    if (a->dims[d] != b->dims[d]) return false;
  return true;
}

hy_status hy__op_out(hy__op_plan *p, size_t k, hy_dtype dtype, int32_t rank, const int64_t *dims,
                     hy_error *err) {
  HY_FAIL_IF(rank > HY_MAX_RANK, HY_LIMIT, err, "output %zu has rank %d; at most %d are supported",
             k, (int)rank, (int)HY_MAX_RANK);
  size_t bytes;
  HY_FAIL_IF(!hy__shape_bytes(dims, rank, HY_MAX(hy_dtype_bytes(dtype), (size_t)1), &bytes) ||
                 bytes > (size_t)1 << 40,
             HY_LIMIT, err, "output %zu would be larger than 1 TiB or has a negative dim", k);
  if (k >= p->n_out) return HY_OK;
  hy_tensor *t = &p->out[k];
  t->dtype = dtype;
  t->rank = rank;
  memset(t->dims, 0, sizeof t->dims);
  memset(t->strides_bytes, 0, sizeof t->strides_bytes);
  for (int32_t d = 0; d < rank; d++) t->dims[d] = dims[d];
  return HY_OK;
}

hy_status hy__op_out_like(hy__op_plan *p, size_t k, const hy_tensor *t, hy_error *err) {
  return hy__op_out(p, k, t->dtype, t->rank, t->dims, err);
}

hy_status hy__op_axis(int64_t axis, int32_t rank, int32_t *out, hy_error *err) {
  HY_FAIL_IF(axis < -(int64_t)rank || axis >= rank, HY_BAD_FORMAT, err,
             "axis %lld is outside [-%d, %d)", (long long)axis, (int)rank, (int)rank);
  *out = (int32_t)(axis < 0 ? axis + rank : axis);
  return HY_OK;
}

hy_status hy__op_broadcast(const hy_tensor *const *t, size_t n, int32_t *rank, int64_t *dims,
                           hy_error *err) {
  *rank = 0;
  for (size_t k = 0; k < n; k++) *rank = HY_MAX(*rank, t[k]->rank);
  for (int32_t d = 0; d < *rank; d++) {
    dims[d] = 1;
    for (size_t k = 0; k < n; k++) {
      int32_t own = d - (*rank - t[k]->rank);
      int64_t dim = own < 0 ? 1 : t[k]->dims[own];
      if (dim == 1) continue;
      HY_FAIL_IF(dims[d] != 1 && dims[d] != dim, HY_BAD_FORMAT, err,
                 "dims %lld and %lld of axis %d do not broadcast", (long long)dims[d],
                 (long long)dim, (int)d);
      dims[d] = dim;
    }
  }
  return HY_OK;
}

hy_status hy__op_same_type(const hy__op_plan *p, size_t a, size_t b, hy_error *err) {
  HY_FAIL_IF(p->in[a].dtype != p->in[b].dtype, HY_BAD_FORMAT, err,
             "inputs %zu and %zu must have one type, not %s and %s", a, b,
             hy_dtype_name(p->in[a].dtype), hy_dtype_name(p->in[b].dtype));
  return HY_OK;
}

hy_status hy__op_elementwise(hy__op_plan *p, hy_dtype out_dtype, hy_error *err) {
  const hy_tensor *t[HY__OP_LIST];
  int64_t dims[HY_MAX_RANK];
  int32_t rank;
  HY_FAIL_IF(p->n_in > HY__OP_LIST, HY_LIMIT, err, "%zu inputs; at most %d are supported", p->n_in,
             (int)HY__OP_LIST);
  size_t n = 0;
  for (size_t k = 0; k < p->n_in; k++)
    if (p->in_present[k]) {
      HY_TRY(hy__op_same_type(p, 0, k, err));
      t[n++] = &p->in[k];
    }
  HY_TRY(hy__op_broadcast(t, n, &rank, dims, err));
  HY_TRY(hy__op_out(p, 0, out_dtype, rank, dims, err));
  for (size_t k = 0; k < p->n_in; k++)
    if (p->in_present[k] && hy__op_same_dims(&p->in[k], &p->out[0])) p->out_inplace[0] |= 1u << k;
  return HY_OK;
}

static hy_status known_ints(const hy_tensor *t, size_t k, int64_t *values, int32_t *n,
                            hy_error *err) {
  HY_FAIL_IF(!t->data, HY_UNSUPPORTED, err,
             "input %zu is not known before the run, so the output's shape would depend on data",
             k);
  HY_FAIL_IF(t->dtype != HY_I64 && t->dtype != HY_I32, HY_BAD_FORMAT, err,
             "input %zu must be i64 or i32, not %s", k, hy_dtype_name(t->dtype));
  size_t count = hy__op_count_of(t);
  HY_FAIL_IF(count > HY__OP_LIST, HY_LIMIT, err, "input %zu lists %zu integers; at most %d", k,
             count, (int)HY__OP_LIST);
  for (size_t i = 0; i < count; i++)
    values[i] = t->dtype == HY_I64 ? ((const int64_t *)t->data)[i] : ((const int32_t *)t->data)[i];
  *n = (int32_t)count;
  return HY_OK;
}

hy_status hy__op_ints(const hy__op_plan *p, size_t k, const char *name, int64_t *values, int32_t *n,
                      hy_error *err) {
  if (hy__op_has(p, k)) return known_ints(&p->in[k], k, values, n, err);
  const hy__attr *attr = name ? hy__node_attr(p->node, name) : NULL;
  *n = -1;
  if (!attr) return HY_OK;
  HY_FAIL_IF(attr->kind != HY__ATTR_INTS, HY_BAD_FORMAT, err,
             "attribute %s must be a list of integers", name);
  HY_FAIL_IF(attr->n > HY__OP_LIST, HY_LIMIT, err, "attribute %s lists %zu integers; at most %d",
             name, attr->n, (int)HY__OP_LIST);
  for (size_t i = 0; i < attr->n; i++) values[i] = attr->as.ints[i];
  *n = (int32_t)attr->n;
  return HY_OK;
}

hy_status hy__op_int(const hy__op_plan *p, size_t k, const char *name, int64_t otherwise,
                     int64_t *out, hy_error *err) {
  *out = otherwise;
  if (hy__op_has(p, k)) {
    int64_t values[HY__OP_LIST];
    int32_t n;
    HY_TRY(known_ints(&p->in[k], k, values, &n, err));
    HY_FAIL_IF(n != 1, HY_BAD_FORMAT, err, "input %zu must be one integer, not %d", k, (int)n);
    *out = values[0];
  } else if (name) {
    *out = hy__node_int(p->node, name, otherwise);
  }
  return HY_OK;
}

hy_status hy__op_choice(const hy__op_plan *p, const char *name, const char *const *choices,
                        int32_t *out, hy_error *err) {
  const hy_string text = hy__node_string(p->node, name, choices[0]);
  for (*out = 0; choices[*out]; ++*out)
    if (text.len_bytes == strlen(choices[*out]) &&
        !memcmp(text.data, choices[*out], text.len_bytes))
      return HY_OK;
  HY_FAIL(HY_UNSUPPORTED, err, "%s '%.*s'", name, (int)HY_MIN(text.len_bytes, (size_t)40),
          text.data);
}

hy_tensor hy__op_as_matrix(const hy_tensor *t, bool left) {
  hy_tensor m = *t;
  if (t->rank != 1) return m;
  m.rank = 2;
  m.dims[0] = left ? 1 : t->dims[0];
  m.dims[1] = left ? t->dims[0] : 1;
  return m;
}

hy_tensor hy__op_leading(const hy_tensor *matrix) {
  hy_tensor t = *matrix;
  t.rank -= 2;
  return t;
}

hy__around hy__op_around(const hy_tensor *t, int32_t axis) {
  hy__around a = {1, 1, 1};
  for (int32_t d = 0; d < t->rank; d++)
    *(d < axis ? &a.outer : d == axis ? &a.n : &a.inner) *= (size_t)t->dims[d];
  return a;
}
