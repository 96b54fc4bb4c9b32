/* SPDX-License-Identifier: Apache-2.0 */
/* Col2Im: columns of blocks, added where the blocks lie in the image. Image and block shapes must
 * be known at planning. Floats add in double per element read, integers wrap. */
#include <string.h>

#include "op/element.h"
#include "op/window.h"

typedef struct params {
  hy__window window; /* in: the image, out: the blocks */
  size_t planes;     /* batch * channels */
} params;

static hy_status read(const hy__op_plan *p, hy__window *w, hy_error *err) {
  int64_t image[HY__OP_LIST], block[HY__OP_LIST];
  int32_t n, n_block;
  HY_TRY(hy__op_ints(p, 1, NULL, image, &n, err));
  HY_TRY(hy__op_ints(p, 2, NULL, block, &n_block, err));
  HY_FAIL_IF(n != n_block || p->in[0].rank != 3, HY_BAD_FORMAT, err,
             "an image of %d dims, blocks of %d, and columns of %d; 3 are expected", (int)n,
             (int)n_block, (int)p->in[0].rank);
  for (int32_t d = 0; d < n; d++)
    HY_FAIL_IF(image[d] < 1 || block[d] < 1, HY_BAD_FORMAT, err, "a dim of %lld",
               (long long)HY_MIN(image[d], block[d]));
  HY_TRY(hy__window_attributes(p, n, block, w, err));
  HY_TRY(hy__window_fit(w, image, false, err));
  HY_FAIL_IF((size_t)p->in[0].dims[1] % w->n_kernel != 0 || (size_t)p->in[0].dims[2] != w->n_out,
             HY_BAD_FORMAT, err, "columns of %lld x %lld are not blocks of %zu at %zu places",
             (long long)p->in[0].dims[1], (long long)p->in[0].dims[2], w->n_kernel, w->n_out);
  return HY_OK;
}

hy_status hy__op_col2im_infer(hy__op_plan *p, hy_error *err) {
  hy__window w;
  HY_TRY(read(p, &w, err));
  int64_t dims[HY_MAX_RANK] = {p->in[0].dims[0], p->in[0].dims[1] / (int64_t)w.n_kernel};
  memcpy(dims + 2, w.in, (size_t)w.n * sizeof *dims);
  return hy__op_out(p, 0, p->in[0].dtype, w.n + 2, dims, err);
}

static void add(const hy_tensor *y, int64_t to, const hy_tensor *x, int64_t from) {
  if (hy__element_is_float(y->dtype))
    hy__element_put_real(y, to, hy__element_real(y, to) + hy__element_real(x, from));
  else
    hy__element_put_whole(
        y, to,
        (int64_t)((uint64_t)hy__element_whole(y, to) + (uint64_t)hy__element_whole(x, from)));
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy__window *w = &q->window;
  int64_t from = 0;
  (void)err;
  memset(step->out[0].data, 0, hy__op_bytes_of(&step->out[0]));
  for (size_t plane = 0; plane < q->planes; plane++) {
    int64_t k[HY__WINDOW_DIMS] = {0};
    do {
      int64_t at[HY__WINDOW_DIMS] = {0};
      do {
        const int64_t offset = hy__window_offset(w, at, k, NULL);
        if (offset >= 0)
          add(&step->out[0], (int64_t)(plane * w->n_in) + offset, &step->in[0], from);
        from++;
      } while (hy__window_next(w->n, w->out, at));
    } while (hy__window_next(w->n, w->kernel, k));
  }
  return HY_OK;
}

hy_status hy__op_col2im_lower(hy__op_plan *p, hy_error *err) {
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read(p, &q->window, err));
  q->planes = hy__op_count_of(&p->in[0]) / (q->window.n_kernel * q->window.n_out);
  p->params = q;
  p->run = run;
  return HY_OK;
}
