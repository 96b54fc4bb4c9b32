/* SPDX-License-Identifier: Apache-2.0 */
/* AttentionView, which passes write for softmax(scale q k' + mask) v over views of other values:
 * see op.h. One call of the kernel per head. */
#include "op/divide.h"
#include "op/rule.h"

/* Where an operand's heads lie, in elements. */
typedef struct place {
  size_t offset, batch, head, row;
} place;

typedef struct params {
  size_t batch, heads;
  place q, k, v, mask, out;
  hy__attention_call call; /* what all heads share */
  size_t scratch_floats;   /* of one worker */
} params;

enum { N_SIZES = 6, N_PLACE = 4 };

static hy_status read_sizes(const hy__op_plan *p, const char *name, size_t n, size_t *out,
                            hy_error *err) {
  const hy__attr *a = hy__node_attr(p->node, name);
  HY_FAIL_IF(!a || a->kind != HY__ATTR_INTS || a->n != n, HY_BAD_FORMAT, err,
             "attribute %s must list %zu integers", name, n);
  for (size_t i = 0; i < n; ++i) {
    HY_FAIL_IF(a->as.ints[i] < 0 || a->as.ints[i] > INT32_MAX, HY_BAD_FORMAT, err, "%s has %lld",
               name, (long long)a->as.ints[i]);
    out[i] = (size_t)a->as.ints[i];
  }
  return HY_OK;
}

static hy_status read_place(const hy__op_plan *p, const char *name, place *out, hy_error *err) {
  size_t at[N_PLACE];
  HY_TRY(read_sizes(p, name, N_PLACE, at, err));
  *out = (place){at[0], at[1], at[2], at[3]};
  return HY_OK;
}

/* The last element, plus one. */
static size_t reach(const params *q, const place *at, size_t rows, size_t last) {
  return at->offset + (q->batch - 1) * at->batch + (q->heads - 1) * at->head +
         (rows - 1) * at->row + last;
}

static hy_status check_place(const hy__op_plan *p, const params *q, const place *at, size_t k,
                             const size_t shape[2], hy_error *err) {
  const hy_tensor *t = k < p->n_in ? &p->in[k] : &p->out[0];
  HY_FAIL_IF(reach(q, at, shape[0], shape[1]) > hy__op_count_of(t), HY_BAD_FORMAT, err,
             "operand %zu is shorter than its view", k);
  return HY_OK;
}

static hy_status read_params(const hy__op_plan *p, params *q, hy_error *err) {
  size_t sizes[N_SIZES], key_step, seen[2];
  HY_TRY(read_sizes(p, "sizes", N_SIZES, sizes, err));
  HY_TRY(read_sizes(p, "key_step", 1, &key_step, err));
  HY_TRY(read_sizes(p, "seen", 2, seen, err));
  for (size_t i = 0; i < N_SIZES; ++i)
    HY_FAIL_IF(sizes[i] < 1, HY_UNSUPPORTED, err, "an empty attention");
  *q = (params){.batch = sizes[0],
                .heads = sizes[1],
                .call = {.rows = sizes[2],
                         .keys = sizes[3],
                         .depth = sizes[4],
                         .v_depth = sizes[5],
                         .k_step = key_step,
                         .seen = seen[0],
                         .seen_step = seen[1],
                         .scale = hy__node_float(p->node, "scale", 1.0f)}};
  HY_FAIL_IF(seen[0] < 1, HY_UNSUPPORTED, err, "a row that sees no key");
  HY_TRY(read_place(p, "q", &q->q, err));
  HY_TRY(read_place(p, "k", &q->k, err));
  HY_TRY(read_place(p, "v", &q->v, err));
  HY_TRY(read_place(p, "out", &q->out, err));
  if (hy__op_has(p, 3)) HY_TRY(read_place(p, "mask", &q->mask, err));
  q->call.q_ld = q->q.row;
  q->call.k_ld = q->k.row;
  q->call.v_ld = q->v.row;
  q->call.out_ld = q->out.row;
  q->call.mask_ld = q->mask.row;
  return HY_OK;
}

hy_status hy__op_attention_view_infer(hy__op_plan *p, hy_error *err) {
  params q;
  const hy__attr *shape = hy__node_attr(p->node, "shape");
  HY_TRY(read_params(p, &q, err));
  HY_FAIL_IF(!shape || shape->kind != HY__ATTR_INTS || shape->n > HY_MAX_RANK, HY_BAD_FORMAT, err,
             "attribute shape is missing");
  for (size_t k = 1; k < p->n_in; ++k)
    if (hy__op_has(p, k)) HY_TRY(hy__op_same_type(p, 0, k, err));
  HY_TRY(hy__op_out(p, 0, p->in[0].dtype, (int32_t)shape->n, shape->as.ints, err));
  const hy__attention_call *c = &q.call;
  const size_t key = (c->depth - 1) * c->k_step + 1;
  HY_TRY(check_place(p, &q, &q.q, 0, (size_t[2]){c->rows, c->depth}, err));
  HY_TRY(check_place(p, &q, &q.k, 1, (size_t[2]){c->keys, key}, err));
  HY_TRY(check_place(p, &q, &q.v, 2, (size_t[2]){c->keys, c->v_depth}, err));
  HY_TRY(check_place(p, &q, &q.out, p->n_in, (size_t[2]){c->rows, c->v_depth}, err));
  if (hy__op_has(p, 3)) HY_TRY(check_place(p, &q, &q.mask, 3, (size_t[2]){c->rows, c->keys}, err));
  HY_FAIL_IF(hy__op_count_of(&p->out[0]) != q.batch * q.heads * c->rows * c->v_depth, HY_BAD_FORMAT,
             err, "the shape does not hold the result");
  return HY_OK;
}

static const float *at(const hy_tensor *t, const place *p, size_t batch, size_t head) {
  return (const float *)t->data + p->offset + batch * p->batch + head * p->head;
}

static void run_heads(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  hy__attention_call call = q->call;
  call.scratch = (float *)step->scratch + worker * q->scratch_floats;
  for (size_t item = begin; item < end; ++item) {
    const size_t b = item / q->heads, h = item % q->heads;
    call.q = at(&step->in[0], &q->q, b, h);
    call.k = at(&step->in[1], &q->k, b, h);
    call.v = at(&step->in[2], &q->v, b, h);
    call.out = (float *)step->out[0].data + q->out.offset + b * q->out.batch + h * q->out.head;
    call.mask = step->n_in > 3 ? at(&step->in[3], &q->mask, b, h) : NULL;
    step->kernels->attention_f32->run(&call);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t n = q->batch * q->heads, each = q->call.depth + q->call.v_depth;
  return hy__op_divide(step, n, n * q->call.rows * q->call.keys * each, run_heads, err);
}

hy_status hy__op_attention_view_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  size_t bytes;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read_params(p, q, err));
  HY_FAIL_IF(!hy__attention_scratch_n(q->call.keys, q->call.depth, &q->scratch_floats) ||
                 !hy__mul(q->scratch_floats, sizeof(float), &bytes) ||
                 !hy__mul(bytes, hy__op_workers(p), &p->scratch_bytes),
             HY_LIMIT, err, "%zu keys are too many", q->call.keys);
  p->params = q;
  p->run = run;
  return HY_OK;
}
