/* SPDX-License-Identifier: Apache-2.0 */
/* Einsum of two operands as a matrix product. A label of the output that both have counts entries
 * of a batch, one that only the first has rows, one that only the second has columns; summed labels
 * are the product's depth. What does not lie in that order is copied first, and the result last. */
#include <string.h>

#include "op/body.h"
#include "op/einsum.h"

/* Sums shorter than this are plain ones. Not the product's size decides: it has the batch in it,
 * and a row of a batch has the bits that it has alone. */
enum { DEPTH_WORTH = 8 };

/* Labels in the order in which something lies: dims and strides of one operand. */
typedef struct order {
  hy_tensor shape; /* rank and dims alone */
  int64_t strides[HY_MAX_RANK];
} order;

typedef struct params {
  hy__product product;
  size_t batch;
  hy__walk left, right, out; /* copies */
  bool copy_left, copy_right, copy_out;
  size_t at_left, at_right, at_packed, at_out; /* scratch */
} params;

typedef enum role { BATCH, ROWS, COLUMNS, DEPTH, NONE } role;

static role role_of(const hy__einsum *e, int32_t label) {
  if (e->dims[label] == 1) return NONE;
  if (label >= e->n_out) return DEPTH;
  if (e->strides[0][label] && e->strides[1][label]) return BATCH;
  return e->strides[0][label] ? ROWS : COLUMNS;
}

/* Appends the labels of a role; false past the largest rank. */
static bool append(const hy__einsum *e, const int64_t *strides, role r, order *to) {
  for (int32_t label = 0; label < e->n_all; label++) {
    if (role_of(e, label) != r) continue;
    if (to->shape.rank == HY_MAX_RANK) return false;
    to->strides[to->shape.rank] = strides[label];
    to->shape.dims[to->shape.rank++] = e->dims[label];
  }
  return true;
}

static bool is_dense(const order *o) {
  int64_t dense[HY_MAX_RANK];
  hy__op_strides(&o->shape, dense);
  return memcmp(dense, o->strides, (size_t)o->shape.rank * sizeof *dense) == 0;
}

static size_t size_of(const hy__einsum *e, role r) {
  size_t n = 1;
  for (int32_t label = 0; label < e->n_all; label++)
    if (role_of(e, label) == r) n *= (size_t)e->dims[label];
  return n;
}

static bool order_of(const hy__einsum *e, int operand, const role roles[3], order *out) {
  *out = (order){.shape = {.rank = 0}};
  for (int k = 0; k < 3; k++)
    if (!append(e, e->strides[operand], roles[k], out)) return false;
  return true;
}

/* The result's labels as the output has them, with their strides in the product's order. */
static bool order_of_result(const hy__einsum *e, order *out) {
  static const role roles[3] = {BATCH, ROWS, COLUMNS};
  int64_t strides[HY__EINSUM_LABELS] = {0}, stride = 1;
  for (int k = 2; k >= 0; k--) {
    for (int32_t label = e->n_out - 1; label >= 0; label--) {
      if (role_of(e, label) != roles[k]) continue;
      strides[label] = stride;
      stride *= e->dims[label];
    }
  }
  *out = (order){.shape = {.rank = 0}};
  for (int32_t label = 0; label < e->n_out; label++) {
    if (e->dims[label] == 1) continue;
    if (out->shape.rank == HY_MAX_RANK) return false;
    out->strides[out->shape.rank] = strides[label];
    out->shape.dims[out->shape.rank++] = e->dims[label];
  }
  return true;
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__product *p = &q->product;
  const size_t each = hy_dtype_bytes(p->dtype);
  char *scratch = step->scratch;
  const char *left = step->in[0].data, *right = step->in[1].data;
  char *out = q->copy_out ? scratch + q->at_out : step->out[0].data;
  if (q->copy_left) {
    hy__walk_copy(&q->left, left, each, scratch + q->at_left);
    left = scratch + q->at_left;
  }
  if (q->copy_right) {
    hy__walk_copy(&q->right, right, each, scratch + q->at_right);
    right = scratch + q->at_right;
  }
  for (size_t b = 0; b < q->batch; b++) {
    const hy__product_call call = {.a = left + b * p->m * p->k * each,
                                   .right = hy__product_right(p, step->kernels,
                                                              right + b * p->k * p->n * each,
                                                              scratch + q->at_packed),
                                   .c = out + b * p->m * p->n * each};
    HY_TRY(hy__product_divide(p, step, &call, err));
  }
  if (q->copy_out) hy__walk_copy(&q->out, out, each, step->out[0].data);
  return HY_OK;
}

static hy_status place(hy__op_plan *p, params *q, hy_error *err) {
  const hy__product *product = &q->product;
  const size_t each = hy_dtype_bytes(product->dtype) * q->batch;
  size_t left, right, out, *total = &p->scratch_bytes;
  HY_FAIL_IF(!hy__mul(product->m, product->k, &left) || !hy__mul(left, each, &left) ||
                 !hy__mul(product->k, product->n, &right) || !hy__mul(right, each, &right) ||
                 !hy__mul(product->m, product->n, &out) || !hy__mul(out, each, &out),
             HY_LIMIT, err, "the operands are too large");
  HY_TRY(hy__op_room(total, q->copy_left ? left : 0, &q->at_left, err));
  HY_TRY(hy__op_room(total, q->copy_right ? right : 0, &q->at_right, err));
  HY_TRY(hy__op_room(total, product->packed_bytes, &q->at_packed, err));
  return hy__op_room(total, q->copy_out ? out : 0, &q->at_out, err);
}

hy_status hy__einsum_product_lower(hy__op_plan *p, const hy__einsum *e, bool *done, hy_error *err) {
  static const role left_roles[3] = {BATCH, ROWS, DEPTH}, right_roles[3] = {BATCH, DEPTH, COLUMNS},
                    turned_roles[3] = {BATCH, COLUMNS, DEPTH};
  const size_t m = size_of(e, ROWS), n = size_of(e, COLUMNS), k = size_of(e, DEPTH);
  order left, right, turned, result;
  void *memory;
  *done = false;
  if (e->n_operands != 2 || e->whole || k < DEPTH_WORTH) return HY_OK;
  if (!order_of(e, 0, left_roles, &left) || !order_of(e, 1, right_roles, &right) ||
      !order_of(e, 1, turned_roles, &turned) || !order_of_result(e, &result))
    return HY_OK;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), HY_ALIGN, &memory, err));
  params *q = memory;
  const bool transposed = !is_dense(&right) && is_dense(&turned);
  q->product = (hy__product){
      .dtype = p->in[0].dtype, .m = m, .n = n, .k = k, .transposed = transposed, .alpha = 1.0};
  q->batch = size_of(e, BATCH);
  q->copy_left = !is_dense(&left);
  q->copy_right = !is_dense(&right) && !transposed;
  q->copy_out = !is_dense(&result);
  hy__walk_strided(&q->left, &left.shape, left.strides);
  hy__walk_strided(&q->right, &right.shape, right.strides);
  hy__walk_strided(&q->out, &result.shape, result.strides);
  const bool packable = q->batch == 1 && !q->copy_right;
  HY_TRY(hy__product_lower(p, &q->product, packable ? p->in[1].data : NULL, err));
  HY_TRY(place(p, q, err));
  p->params = q;
  p->run = run;
  *done = true;
  return HY_OK;
}
