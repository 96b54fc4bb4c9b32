/* SPDX-License-Identifier: Apache-2.0 */
/* Pad: constant, reflect, edge and wrap; pads negative too. Pads and value are attributes until
 * opset 10, inputs since. CenterCropPad is a constant Pad by what each axis lacks or has too much,
 * half at either end, the odd one behind. */
#include "op/rule.h"

typedef enum mode { CONSTANT, REFLECT, EDGE, WRAP } mode;

typedef struct params {
  int64_t *from[HY_MAX_RANK]; /* per output index of an axis its input index, -1: the value */
  float value;                /* of the attribute */
} params;

static bool is_center(const hy__op_plan *p) { return p->node->op_type[0] == 'C'; }

static hy_status center(const hy__op_plan *p, int64_t *begin, int64_t *end, hy_error *err) {
  int64_t sizes[HY__OP_LIST], axes[HY__OP_LIST];
  int32_t n, n_axes, rank = p->in[0].rank;
  HY_TRY(hy__op_ints(p, 1, NULL, sizes, &n, err));
  HY_TRY(hy__op_ints(p, p->n_in, "axes", axes, &n_axes, err));
  HY_FAIL_IF(n != (n_axes < 0 ? rank : n_axes), HY_BAD_FORMAT, err, "%d sizes for %d axes", (int)n,
             (int)(n_axes < 0 ? rank : n_axes));
  for (int32_t d = 0; d < rank; d++) begin[d] = end[d] = 0;
  for (int32_t i = 0; i < n; i++) {
    int32_t axis;
    HY_TRY(hy__op_axis(n_axes < 0 ? i : axes[i], rank, &axis, err));
    HY_FAIL_IF(sizes[i] < 0, HY_BAD_FORMAT, err, "a size of %lld", (long long)sizes[i]);
    const int64_t more = sizes[i] - p->in[0].dims[axis];
    begin[axis] = more / 2;
    end[axis] = more - begin[axis];
  }
  return HY_OK;
}

static hy_status read_pads(const hy__op_plan *p, int64_t *begin, int64_t *end, hy_error *err) {
  int64_t pads[HY__OP_LIST], axes[HY__OP_LIST];
  int32_t n, n_axes, rank = p->in[0].rank;
  if (is_center(p)) return center(p, begin, end, err);
  HY_TRY(hy__op_ints(p, 1, "pads", pads, &n, err));
  HY_TRY(hy__op_ints(p, 3, NULL, axes, &n_axes, err));
  int32_t listed = n_axes < 0 ? rank : n_axes;
  HY_FAIL_IF(n != 2 * listed, HY_BAD_FORMAT, err, "%d pads for %d axes", (int)n, (int)listed);
  for (int32_t d = 0; d < rank; d++) begin[d] = end[d] = 0;
  for (int32_t i = 0; i < listed; i++) {
    int32_t axis;
    HY_TRY(hy__op_axis(n_axes < 0 ? i : axes[i], rank, &axis, err));
    begin[axis] = pads[i];
    end[axis] = pads[listed + i];
  }
  return HY_OK;
}

static hy_status read_mode(const hy__op_plan *p, mode *out, hy_error *err) {
  static const char *const names[] = {"constant", "reflect", "edge", "wrap", NULL};
  int32_t choice;
  HY_TRY(hy__op_choice(p, "mode", names, &choice, err));
  *out = (mode)choice;
  return HY_OK;
}

hy_status hy__op_pad_infer(hy__op_plan *p, hy_error *err) {
  int64_t begin[HY_MAX_RANK], end[HY_MAX_RANK], dims[HY_MAX_RANK];
  const hy_tensor *in = &p->in[0];
  mode m;
  HY_TRY(read_pads(p, begin, end, err));
  HY_TRY(read_mode(p, &m, err));
  for (int32_t d = 0; d < in->rank; d++) {
    bool fits = hy__add_i64(in->dims[d], begin[d], &dims[d]) &&
                hy__add_i64(dims[d], end[d], &dims[d]) && dims[d] >= 0;
    HY_FAIL_IF(!fits || begin[d] < -in->dims[d] || end[d] < -in->dims[d], HY_BAD_FORMAT, err,
               "pads of axis %d take away more than it has", (int)d);
    HY_FAIL_IF(m != CONSTANT && in->dims[d] == 0 && dims[d] > 0, HY_BAD_FORMAT, err,
               "axis %d is empty and cannot be padded from itself", (int)d);
  }
  if (hy__op_has(p, 2)) {
    HY_TRY(hy__op_same_type(p, 0, 2, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[2]) != 1, HY_BAD_FORMAT, err,
               "constant_value must be one element");
  }
  return hy__op_out(p, 0, in->dtype, in->rank, dims, err);
}

static int64_t source_index(int64_t i, int64_t dim, mode m) {
  if (i >= 0 && i < dim) return i;
  if (m == CONSTANT) return -1;
  if (m == EDGE) return i < 0 ? 0 : dim - 1;
  int64_t period = m == WRAP ? dim : HY_MAX(2 * (dim - 1), (int64_t)1);
  i %= period;
  if (i < 0) i += period;
  return m == REFLECT && i >= dim ? period - i : i;
}

static hy_status run(const hy__step *s, hy_error *err) {
  (void)err;
  const params *q = s->params;
  const hy_tensor *in = &s->in[0], *out = &s->out[0];
  size_t each = hy_dtype_bytes(in->dtype), n = hy__op_count_of(out);
  int64_t index[HY_MAX_RANK] = {0}, strides[HY_MAX_RANK];
  const uint8_t *value = s->n_in > 2 ? s->in[2].data : NULL;
  uint8_t *to = out->data;
  double wide = (double)q->value;
  if (!value && q->value != 0)
    value = in->dtype == HY_F64 ? (const uint8_t *)&wide : (const uint8_t *)&q->value;
  hy__op_strides(in, strides);
  for (size_t i = 0; i < n; i++, to += each) {
    int64_t offset = 0;
    bool inside = true;
    for (int32_t d = 0; d < out->rank; d++) {
      int64_t from = q->from[d][index[d]];
      inside = inside && from >= 0;
      offset += from * strides[d];
    }
    if (inside)
      memcpy(to, (const uint8_t *)in->data + (size_t)offset * each, each);
    else if (value)
      memcpy(to, value, each);
    else
      memset(to, 0, each);
    for (int32_t d = out->rank - 1; d >= 0; d--) {
      if (++index[d] < out->dims[d]) break;
      index[d] = 0;
    }
  }
  return HY_OK;
}

hy_status hy__op_pad_lower(hy__op_plan *p, hy_error *err) {
  int64_t begin[HY_MAX_RANK], end[HY_MAX_RANK];
  void *memory;
  mode m;
  HY_TRY(read_pads(p, begin, end, err));
  HY_TRY(read_mode(p, &m, err));
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->value = hy__node_float(p->node, "value", 0);
  HY_FAIL_IF(q->value != 0 && p->in[0].dtype != HY_F32 && p->in[0].dtype != HY_F64, HY_UNSUPPORTED,
             err, "attribute value with elements of type %s", hy_dtype_name(p->in[0].dtype));
  for (int32_t d = 0; d < p->in[0].rank; d++) {
    HY_TRY(hy__arena_array(p->arena, (size_t)p->out[0].dims[d] + 1, sizeof(int64_t), &memory, err));
    q->from[d] = memory;
    for (int64_t i = 0; i < p->out[0].dims[d]; i++)
      q->from[d][i] = source_index(i - begin[d], p->in[0].dims[d], m);
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
