/* SPDX-License-Identifier: Apache-2.0
 * Add, Sub, Mul, Div, PRelu of two operands, and Min, Max, Sum, Mean of any number: NumPy's
 * broadcast over the binary kernels. Several operands are folded from the left into the output. */
#include <string.h>

#include "op/divide.h"
#include "op/rule.h"

typedef struct params {
  hy__binary_fn fn;
  hy__walk first;         /* operands 0 and 1 */
  const hy__walk *others; /* the output and operand k + 2 */
  bool mean;
} params;

static const struct {
  const char *name;
  hy__binary op;
} kinds[] = {
    {"Add", HY__BINARY_ADD},     {"Sub", HY__BINARY_SUB}, {"Mul", HY__BINARY_MUL},
    {"Div", HY__BINARY_DIV},     {"Min", HY__BINARY_MIN}, {"Max", HY__BINARY_MAX},
    {"PRelu", HY__BINARY_PRELU}, {"Sum", HY__BINARY_ADD}, {"Mean", HY__BINARY_ADD},
};

hy_status hy__op_arith_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(hy__op_elementwise(p, p->in[0].dtype, err));
  if (p->n_in > 2) p->out_inplace[0] &= 3u; /* the later operands are read after the first pass */
  if (strcmp(p->node->op_type, "PRelu") != 0) return HY_OK;
  HY_FAIL_IF(!hy__op_same_dims(&p->out[0], &p->in[0]), HY_BAD_FORMAT, err,
             "the slope does not broadcast to X's shape");
  return HY_OK;
}

static void walk(const hy__walk *w, hy__binary_fn fn, const void *a, const void *b,
                 const hy_tensor *y) {
  const size_t each = hy_dtype_bytes(y->dtype);
  int64_t index[HY_MAX_RANK] = {0}, offsets[HY__WALK_OPERANDS] = {0};
  char *out = y->data;
  for (size_t row = 0; row < w->n_rows; ++row) {
    fn((const char *)a + (size_t)offsets[0] * each, (const char *)b + (size_t)offsets[1] * each,
       out, w->row, (size_t)w->inner[0], (size_t)w->inner[1]);
    out += w->row * each;
    hy__walk_next(w, index, offsets);
  }
}

enum { BLOCK = 2048, WORK_EACH = 2 }; /* elements of an item; their work in multiply-adds */

/* Items are blocks of elements of two operands that lie alike. */
static void run_blocks(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  const hy__walk *w = &q->first;
  const hy_tensor *y = &step->out[0];
  const size_t each = hy_dtype_bytes(y->dtype), from = begin * BLOCK * each;
  const size_t n = HY_MIN(end * BLOCK, w->row) - begin * BLOCK;
  (void)worker;
  q->fn((const char *)step->in[0].data + from * (size_t)w->inner[0],
        (const char *)step->in[1].data + from * (size_t)w->inner[1], (char *)y->data + from, n,
        (size_t)w->inner[0], (size_t)w->inner[1]);
}

static void divide_by_count(const hy__step *step) {
  hy_tensor *y = &step->out[0];
  const size_t n = hy__op_count_of(y);
  const hy__binary_fn *div = step->kernels->binary->fn[HY__BINARY_DIV];
  const double count = (double)step->n_in;
  const float count_f32 = (float)step->n_in;
  div[y->dtype](y->data, y->dtype == HY_F64 ? (const void *)&count : (const void *)&count_f32,
                y->data, n, 1, 0);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  if (hy__op_count_of(y) == 0) return HY_OK;
  if (step->n_in == 2 && q->first.n_rows == 1 && !q->mean) {
    const size_t n = q->first.row;
    return hy__op_divide(step, (n + BLOCK - 1) / BLOCK, n * WORK_EACH, run_blocks, err);
  }
  if (step->n_in == 1)
    memmove(y->data, step->in[0].data, hy__op_bytes_of(y));
  else
    walk(&q->first, q->fn, step->in[0].data, step->in[1].data, y);
  for (size_t k = 2; k < step->n_in; ++k)
    walk(&q->others[k - 2], q->fn, y->data, step->in[k].data, y);
  if (q->mean && step->n_in > 1) divide_by_count(step);
  return HY_OK;
}

hy_status hy__op_arith_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  for (size_t i = 0; i < HY_COUNT(kinds); ++i)
    if (!strcmp(kinds[i].name, p->node->op_type))
      q->fn = p->kernels->binary->fn[kinds[i].op][p->out[0].dtype];
  HY_FAIL_IF(!q->fn, HY_UNSUPPORTED, err, "no kernel for %s", hy_dtype_name(p->out[0].dtype));
  q->mean = !strcmp(p->node->op_type, "Mean");
  if (p->n_in > 1) {
    const hy_tensor *const both[2] = {&p->in[0], &p->in[1]};
    hy__walk_broadcast(&q->first, &p->out[0], both, 2);
  }
  if (p->n_in > 2) {
    hy__walk *others;
    HY_TRY(hy__arena_array(p->arena, p->n_in - 2, sizeof *others, (void **)&others, err));
    for (size_t k = 2; k < p->n_in; ++k) {
      const hy_tensor *const both[2] = {&p->out[0], &p->in[k]};
      hy__walk_broadcast(&others[k - 2], &p->out[0], both, 2);
    }
    q->others = others;
  }
  p->params = q;
  p->run = run;
  return HY_OK;
}
