/* SPDX-License-Identifier: Apache-2.0 */
/* Conv over one to three spatial dims with groups: the patches of a block of output places become
 * the right-hand side of a product with the weights, so the result is written where it belongs. */
#include <string.h>

#include "op/product.h"
#include "op/window.h"

enum { BLOCK = 128 }; /* output places that go together */

typedef struct params {
  hy__window window;
  hy_dtype dtype;
  size_t batch, groups, in_each, out_each, k; /* channels per group; k = in_each * kernel */
  size_t patches_bytes;
} params;

hy_status hy__op_conv_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1];
  hy__window window;
  const int64_t groups = hy__node_int(p->node, "group", 1);
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_FAIL_IF(w->rank != x->rank || x->rank < 3, HY_BAD_FORMAT, err,
             "X has %d dims and W %d; 3 or more of both are expected", x->rank, w->rank);
  HY_TRY(hy__window_read(p, w->dims + 2, &window, err));
  HY_FAIL_IF(groups < 1 || w->dims[0] % groups != 0 || w->dims[1] * groups != x->dims[1],
             HY_BAD_FORMAT, err, "%lld groups of W's %lld channels for X's %lld", (long long)groups,
             (long long)w->dims[1], (long long)x->dims[1]);
  if (hy__op_has(p, 2)) {
    HY_TRY(hy__op_same_type(p, 0, 2, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[2]) != (size_t)w->dims[0], HY_BAD_FORMAT, err,
               "B has not one value for each of %lld channels", (long long)w->dims[0]);
  }
  int64_t dims[HY_MAX_RANK] = {x->dims[0], w->dims[0]};
  memcpy(dims + 2, window.out, (size_t)window.n * sizeof *dims);
  return hy__op_out(p, 0, x->dtype, x->rank, dims, err);
}

/* Patches of places [first, first + n) as [k][n]. x: the group's first channel. */
static void gather(const params *q, const char *x, size_t first, size_t n, char *to) {
  const hy__window *w = &q->window;
  const size_t each = hy_dtype_bytes(q->dtype);
  for (size_t c = 0; c < q->in_each; ++c) {
    int64_t k[HY__WINDOW_DIMS] = {0};
    do {
      int64_t at[HY__WINDOW_DIMS];
      size_t rest = first;
      for (int32_t d = w->n - 1; d >= 0; --d) {
        at[d] = (int64_t)(rest % (size_t)w->out[d]);
        rest /= (size_t)w->out[d];
      }
      for (size_t i = 0; i < n; ++i, to += each) {
        const int64_t from = hy__window_offset(w, at, k, NULL);
        if (from < 0)
          memset(to, 0, each);
        else
          memcpy(to, x + (c * w->n_in + (size_t)from) * each, each);
        hy__window_next(w->n, w->out, at);
      }
    } while (hy__window_next(w->n, w->kernel, k));
  }
}

/* Every place of a channel starts with its bias. */
static void start(const params *q, const void *bias, size_t channel, size_t n, void *to,
                  size_t ld) {
  for (size_t c = 0; c < q->out_each; ++c) {
    for (size_t i = 0; i < n; ++i) {
      if (q->dtype == HY_F64)
        ((double *)to)[c * ld + i] = bias ? ((const double *)bias)[channel + c] : 0.0;
      else
        ((float *)to)[c * ld + i] = bias ? ((const float *)bias)[channel + c] : 0.0f;
    }
  }
}

static void multiply(const hy__step *step, const params *q, const void *weights, size_t n,
                     void *to) {
  char *patches = step->scratch, *packed = patches + q->patches_bytes;
  const size_t ld = q->window.n_out;
  if (q->dtype == HY_F64) {
    const hy__gemm_f64_call call = {
        weights, q->k, (double *)(void *)patches, n, to, ld, to, ld, q->out_each, n, q->k};
    step->kernels->gemm_f64->run(&call);
    return;
  }
  const hy__gemm_source source = {.b = (const float *)(const void *)patches,
                                  .k_stride = (ptrdiff_t)n,
                                  .n_stride = 1,
                                  .k = q->k,
                                  .n = n,
                                  .alpha = 1.0f};
  hy__gemm_f32_pack(step->kernels->gemm_f32, &source, (float *)(void *)packed);
  const hy__gemm_f32_call call = {.a = weights,
                                  .lda = q->k,
                                  .packed = (const float *)(const void *)packed,
                                  .init = to,
                                  .init_ld = ld,
                                  .c = to,
                                  .ldc = ld,
                                  .m = q->out_each,
                                  .n = n,
                                  .k = q->k};
  step->kernels->gemm_f32->run(&call);
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t each = hy_dtype_bytes(q->dtype), places = q->window.n_out;
  const void *bias = step->n_in > 2 ? step->in[2].data : NULL;
  (void)err;
  for (size_t i = 0; i < q->batch * q->groups; ++i) {
    const size_t g = i % q->groups;
    const char *x = (const char *)step->in[0].data + i * q->in_each * q->window.n_in * each;
    const char *w = (const char *)step->in[1].data + g * q->out_each * q->k * each;
    for (size_t first = 0; first < places; first += BLOCK) {
      const size_t n = HY_MIN((size_t)BLOCK, places - first);
      char *y = (char *)step->out[0].data + (i * q->out_each * places + first) * each;
      gather(q, x, first, n, step->scratch);
      start(q, bias, g * q->out_each, n, y, places);
      multiply(step, q, w, n, y);
    }
  }
  return HY_OK;
}

hy_status hy__op_conv_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1];
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(hy__window_read(p, w->dims + 2, &q->window, err));
  q->dtype = x->dtype;
  q->batch = (size_t)x->dims[0];
  q->groups = (size_t)hy__node_int(p->node, "group", 1);
  q->in_each = (size_t)w->dims[1];
  q->out_each = (size_t)w->dims[0] / q->groups;
  size_t packed_n = 0, bytes;
  HY_FAIL_IF(!hy__mul(q->in_each, q->window.n_kernel, &q->k) ||
                 !hy__gemm_f32_packed_n(p->kernels->gemm_f32, q->k, BLOCK, &packed_n) ||
                 !hy__mul(q->k, BLOCK * hy_dtype_bytes(q->dtype), &bytes) ||
                 !hy__round_up(bytes, HY_ALIGN, &q->patches_bytes) ||
                 !hy__add(q->patches_bytes, packed_n * sizeof(float), &p->scratch_bytes),
             HY_LIMIT, err, "the kernel is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
