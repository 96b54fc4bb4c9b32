/* SPDX-License-Identifier: Apache-2.0 */
/* ConvTranspose over one to three spatial dims with groups: a block of input places times the
 * weights gives what each adds to its window of the output, which was begun with the bias. */
#include <string.h>

#include "op/element.h"
#include "op/product.h"
#include "op/window.h"

enum { BLOCK = 64 }; /* input places that go together */

typedef struct params {
  hy__window window; /* of the convolution that this one transposes: in is our output */
  size_t batch, groups, in_each, out_each; /* channels of a group */
  hy__product *products;                   /* one per group: places x in_each x out_each * kernel */
  size_t weights_each;                     /* elements of a group's weights */
  size_t at_places, at_packed, at_parts;   /* scratch */
} params;

/* The padding of dim d, whose output has `asked` places, or -1 where none are asked for. */
static void settle(hy__window *w, int32_t d, int64_t places, int64_t asked, int64_t adjust) {
  const int64_t whole =
      w->stride[d] * (places - 1) + adjust + (w->kernel[d] - 1) * w->dilation[d] + 1;
  const bool same = w->pad > HY__WINDOW_VALID;
  if (asked < 0 && same) asked = places * w->stride[d];
  if (asked >= 0) {
    const int64_t less = HY_MAX(whole - asked, (int64_t)0);
    w->before[d] = w->pad == HY__WINDOW_SAME_UPPER ? less / 2 : less - less / 2;
    w->after[d] = less - w->before[d];
    w->in[d] = asked;
  } else {
    w->in[d] = whole - w->before[d] - w->after[d];
  }
  w->out[d] = places;
}

static hy_status asked_list(const hy__node *node, const char *name, int32_t n, const int64_t **out,
                            hy_error *err) {
  const hy__attr *a = hy__node_attr(node, name);
  *out = NULL;
  if (!a || a->kind != HY__ATTR_INTS || a->n == 0) return HY_OK;
  HY_FAIL_IF(a->n != (size_t)n, HY_BAD_FORMAT, err, "%s has %zu values in place of %d", name, a->n,
             (int)n);
  for (int32_t d = 0; d < n; d++)
    HY_FAIL_IF(a->as.ints[d] < 0 || a->as.ints[d] > INT32_MAX, HY_BAD_FORMAT, err, "%s has %lld",
               name, (long long)a->as.ints[d]);
  *out = a->as.ints;
  return HY_OK;
}

static hy_status read_window(const hy__op_plan *p, hy__window *w, hy_error *err) {
  const hy_tensor *x = &p->in[0], *weights = &p->in[1];
  const int64_t *asked, *adjust;
  HY_FAIL_IF(weights->rank != x->rank || x->rank < 3, HY_BAD_FORMAT, err,
             "X has %d dims and W %d; 3 or more of both are expected", x->rank, weights->rank);
  HY_TRY(hy__window_attributes(p, x->rank - 2, weights->dims + 2, w, err));
  HY_TRY(asked_list(p->node, "output_shape", w->n, &asked, err));
  HY_TRY(asked_list(p->node, "output_padding", w->n, &adjust, err));
  for (int32_t d = 0; d < w->n; d++) {
    HY_FAIL_IF(x->dims[d + 2] > INT32_MAX, HY_LIMIT, err, "a spatial dim is larger than %d",
               INT32_MAX);
    settle(w, d, x->dims[d + 2], asked ? asked[d] : -1, adjust ? adjust[d] : 0);
    HY_FAIL_IF(w->in[d] < 0, HY_BAD_FORMAT, err, "the pads take away more than there is");
  }
  HY_FAIL_IF(!hy__shape_bytes(w->in, w->n, 0, &w->n_in) ||
                 !hy__shape_bytes(w->out, w->n, 0, &w->n_out) ||
                 !hy__shape_bytes(w->kernel, w->n, 0, &w->n_kernel),
             HY_LIMIT, err, "the windows are too many");
  return HY_OK;
}

hy_status hy__op_conv_transpose_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *weights = &p->in[1];
  const int64_t groups = hy__node_int(p->node, "group", 1);
  hy__window w;
  int64_t channels;
  HY_TRY(hy__op_same_type(p, 0, 1, err));
  HY_TRY(read_window(p, &w, err));
  HY_FAIL_IF(groups < 1 || x->dims[1] % groups != 0 || weights->dims[0] != x->dims[1] ||
                 !hy__mul_i64(weights->dims[1], groups, &channels),
             HY_BAD_FORMAT, err, "%lld groups of W's %lld channels for X's %lld", (long long)groups,
             (long long)weights->dims[0], (long long)x->dims[1]);
  if (hy__op_has(p, 2)) {
    HY_TRY(hy__op_same_type(p, 0, 2, err));
    HY_FAIL_IF(hy__op_count_of(&p->in[2]) != (size_t)channels, HY_BAD_FORMAT, err,
               "B has not one value for each of %lld channels", (long long)channels);
  }
  int64_t dims[HY_MAX_RANK] = {x->dims[0], channels};
  memcpy(dims + 2, w.in, (size_t)w.n * sizeof *dims);
  return hy__op_out(p, 0, x->dtype, x->rank, dims, err);
}

/* Places [first, first + n) of a group's channels as rows of channels. */
static void transpose(const params *q, const char *x, size_t first, size_t n, char *to) {
  const size_t each = hy_dtype_bytes(q->products[0].dtype), places = q->window.n_out;
  for (size_t i = 0; i < n; i++)
    for (size_t c = 0; c < q->in_each; c++, to += each)
      memcpy(to, x + (c * places + first + i) * each, each);
}

/* What a block's rows [out_each][kernel] add to the planes of a group's output. */
#define ADD(type)                                                                                  \
  static void add_##type(const params *q, const type *parts, size_t first, size_t n, type *y) {    \
    const hy__window *w = &q->window;                                                              \
    int64_t at[HY__WINDOW_DIMS];                                                                   \
    size_t rest = first;                                                                           \
    for (int32_t d = w->n - 1; d >= 0; --d) {                                                      \
      at[d] = (int64_t)(rest % (size_t)w->out[d]);                                                 \
      rest /= (size_t)w->out[d];                                                                   \
    }                                                                                              \
    for (size_t i = 0; i < n; i++, parts += q->out_each * w->n_kernel) {                           \
      int64_t k[HY__WINDOW_DIMS] = {0};                                                            \
      size_t tap = 0;                                                                              \
      do {                                                                                         \
        const int64_t offset = hy__window_offset(w, at, k, NULL);                                  \
        for (size_t c = 0; c < q->out_each && offset >= 0; c++)                                    \
          y[c * w->n_in + (size_t)offset] += parts[c * w->n_kernel + tap];                         \
        tap++;                                                                                     \
      } while (hy__window_next(w->n, w->kernel, k));                                               \
      (void)hy__window_next(w->n, w->out, at);                                                     \
    }                                                                                              \
  }
ADD(float)
ADD(double)
#undef ADD

static void run_group(const hy__step *step, size_t index) {
  const params *q = step->params;
  const size_t each = hy_dtype_bytes(step->in[0].dtype), g = index % q->groups,
               places = q->window.n_out;
  const char *x = (const char *)step->in[0].data + index * q->in_each * places * each;
  const char *weights = (const char *)step->in[1].data + g * q->weights_each * each;
  char *scratch = step->scratch, *parts = scratch + q->at_parts;
  void *y = (char *)step->out[0].data + index * q->out_each * q->window.n_in * each;
  hy__product product = q->products[g];
  const hy__product_call call = {
      .a = scratch + q->at_places,
      .right = hy__product_right(&product, step->kernels, weights, scratch + q->at_packed),
      .c = parts};
  for (size_t first = 0; first < places; first += BLOCK) {
    product.m = HY_MIN((size_t)BLOCK, places - first);
    transpose(q, x, first, product.m, scratch + q->at_places);
    hy__product_run(&product, step->kernels, &call);
    if (product.dtype == HY_F64)
      add_double(q, (const double *)(void *)parts, first, product.m, y);
    else
      add_float(q, (const float *)(void *)parts, first, product.m, y);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const hy_tensor *y = &step->out[0];
  const size_t channels = q->groups * q->out_each, plane = q->window.n_in;
  (void)err;
  memset(y->data, 0, hy__op_bytes_of(y));
  for (size_t i = 0; i < q->batch * channels && step->n_in > 2 && step->in[2].data; i++) {
    const double bias = hy__element_real(&step->in[2], (int64_t)(i % channels));
    for (size_t j = 0; j < plane; j++) hy__element_put_real(y, (int64_t)(i * plane + j), bias);
  }
  if (hy__op_count_of(y) == 0) return HY_OK;
  for (size_t i = 0; i < q->batch * q->groups; i++) run_group(step, i);
  return HY_OK;
}

static bool place(const params *q, size_t each, params *out, size_t *end) {
  const hy__product *p = &q->products[0];
  size_t places, parts;
  return hy__mul(BLOCK * each, q->in_each, &places) && hy__round_up(places, HY_ALIGN, &places) &&
         hy__mul(BLOCK * each, p->n, &parts) && hy__add(places, p->packed_bytes, &out->at_parts) &&
         hy__round_up(out->at_parts, HY_ALIGN, &out->at_parts) &&
         hy__add(out->at_parts, parts, end) && (out->at_packed = places, true);
}

hy_status hy__op_conv_transpose_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *weights = &p->in[1];
  const size_t each = hy_dtype_bytes(x->dtype);
  void *products;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(read_window(p, &q->window, err));
  q->batch = (size_t)x->dims[0];
  q->groups = (size_t)hy__node_int(p->node, "group", 1);
  q->in_each = (size_t)x->dims[1] / q->groups;
  q->out_each = (size_t)weights->dims[1];
  q->weights_each = q->in_each * q->out_each * q->window.n_kernel;
  HY_TRY(hy__arena_array(p->arena, q->groups, sizeof *q->products, &products, err));
  q->products = products;
  for (size_t g = 0; g < q->groups; g++) {
    const char *known = weights->data;
    q->products[g] = (hy__product){
        .dtype = x->dtype, .n = q->out_each * q->window.n_kernel, .k = q->in_each, .alpha = 1.0};
    HY_TRY(hy__product_lower(p, &q->products[g], known ? known + g * q->weights_each * each : NULL,
                             err));
  }
  HY_FAIL_IF(!place(q, each, q, &p->scratch_bytes), HY_LIMIT, err, "the kernel is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
