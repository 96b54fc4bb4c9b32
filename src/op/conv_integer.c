/* SPDX-License-Identifier: Apache-2.0 */
/* ConvInteger and QLinearConv: patches of X without its zero point, as a matrix, times W without
 * its own (one for all or one per channel). What is padded counts as the zero point. */
#include <string.h>

#include "op/integer_product.h"
#include "op/window.h"

enum { BLOCK = 128 }; /* output places that go together */

typedef struct ports {
  size_t x, w, x_zero, w_zero, x_scale, w_scale, y_scale, y_zero, bias;
} ports;

typedef struct params {
  ports at;
  bool requantise;
  hy__window window;
  size_t batch, groups, in_each, out_each, k;
  const int16_t *w; /* NULL: at run */
  size_t w_offset, sums_offset;
} params;

static ports ports_of(const hy__node *node) {
  if (node->op_type[0] == 'C') return (ports){.w = 1, .x_zero = 2, .w_zero = 3};
  return (ports){0, 3, 2, 5, 1, 4, 6, 7, 8};
}

static hy_status check_types(const hy__op_plan *p, const ports *at, hy_error *err) {
  const hy_tensor *x = &p->in[at->x], *w = &p->in[at->w];
  const hy_dtype y = at->y_scale ? p->in[at->y_zero].dtype : HY_I8;
  HY_FAIL_IF(!hy__integer_is_byte(x->dtype) || !hy__integer_is_byte(w->dtype) ||
                 !hy__integer_is_byte(y),
             HY_UNSUPPORTED, err, "a convolution of %s and %s to %s", hy_dtype_name(x->dtype),
             hy_dtype_name(w->dtype), hy_dtype_name(y));
  HY_TRY(hy__integer_list(p, at->x_zero, 1, "x_zero_point", err));
  HY_TRY(hy__integer_list(p, at->w_zero, w->dims[0], "w_zero_point", err));
  if (!at->y_scale) return HY_OK;
  const size_t scales[] = {at->x_scale, at->w_scale, at->y_scale};
  for (size_t i = 0; i < HY_COUNT(scales); i++)
    HY_FAIL_IF(p->in[scales[i]].dtype != HY_F32, HY_UNSUPPORTED, err, "a scale of type %s",
               hy_dtype_name(p->in[scales[i]].dtype));
  HY_TRY(hy__integer_list(p, at->x_scale, 1, "x_scale", err));
  HY_TRY(hy__integer_list(p, at->w_scale, w->dims[0], "w_scale", err));
  HY_TRY(hy__integer_list(p, at->y_scale, 1, "y_scale", err));
  HY_TRY(hy__integer_list(p, at->y_zero, 1, "y_zero_point", err));
  HY_FAIL_IF(hy__op_has(p, at->bias) && (p->in[at->bias].dtype != HY_I32 ||
                                         hy__op_count_of(&p->in[at->bias]) != (size_t)w->dims[0]),
             HY_BAD_FORMAT, err, "B must be one i32 for each of %lld channels",
             (long long)w->dims[0]);
  return HY_OK;
}

hy_status hy__op_conv_integer_infer(hy__op_plan *p, hy_error *err) {
  const ports at = ports_of(p->node);
  const hy_tensor *x = &p->in[at.x], *w = &p->in[at.w];
  const int64_t groups = hy__node_int(p->node, "group", 1);
  hy__window window;
  HY_FAIL_IF(w->rank != x->rank || x->rank < 3, HY_BAD_FORMAT, err,
             "X has %d dims and W %d; 3 or more of both are expected", x->rank, w->rank);
  HY_TRY(check_types(p, &at, err));
  HY_TRY(hy__window_read(p, w->dims + 2, &window, err));
  HY_FAIL_IF(groups < 1 || w->dims[0] % groups != 0 || w->dims[1] * groups != x->dims[1],
             HY_BAD_FORMAT, err, "%lld groups of W's %lld channels for X's %lld", (long long)groups,
             (long long)w->dims[1], (long long)x->dims[1]);
  int64_t dims[HY_MAX_RANK] = {x->dims[0], w->dims[0]};
  memcpy(dims + 2, window.out, (size_t)window.n * sizeof *dims);
  const hy_dtype type = at.y_scale ? p->in[at.y_zero].dtype : HY_I32;
  return hy__op_out(p, 0, type, x->rank, dims, err);
}

static const hy_tensor *maybe(const hy_tensor *in, size_t n_in, size_t k) {
  return k < n_in && in[k].data ? &in[k] : NULL;
}

static void widen_weights(const params *q, const hy_tensor *in, size_t n_in, int16_t *to) {
  const hy_tensor *zero = maybe(in, n_in, q->at.w_zero);
  const hy__integer_source from = {.t = &in[q->at.w],
                                   .zero = zero,
                                   .rows = q->groups * q->out_each,
                                   .cols = q->k,
                                   .by_row = zero && hy__op_count_of(zero) > 1};
  hy__integer_widen(&from, to);
}

/* Patches of places [first, first + n) as [k][n]; `begin`: of the group's first channel in X. */
static void gather(const params *q, const hy__step *step, size_t begin, size_t first, size_t n,
                   int16_t *to) {
  const hy__window *w = &q->window;
  const hy_tensor *x = &step->in[q->at.x];
  const int32_t zero = hy__integer_at(maybe(step->in, step->n_in, q->at.x_zero), 0);
  for (size_t c = 0; c < q->in_each; ++c) {
    int64_t k[HY__WINDOW_DIMS] = {0};
    do {
      int64_t at[HY__WINDOW_DIMS];
      size_t rest = first;
      for (int32_t d = w->n - 1; d >= 0; --d) {
        at[d] = (int64_t)(rest % (size_t)w->out[d]);
        rest /= (size_t)w->out[d];
      }
      for (size_t i = 0; i < n; ++i) {
        const int64_t from = hy__window_offset(w, at, k, NULL);
        const size_t element = begin + c * w->n_in + (size_t)(from < 0 ? 0 : from);
        *to++ = from < 0 ? 0 : (int16_t)(hy__integer_at(x, element) - zero);
        (void)hy__window_next(w->n, w->out, at);
      }
    } while (hy__window_next(w->n, w->kernel, k));
  }
}

/* sums [out_each][n] of the channels from `channel` on go to places from `at` on. */
static void put(const hy__step *step, const params *q, const int32_t *sums, size_t channel,
                size_t at, size_t n) {
  hy_tensor *y = &step->out[0];
  const hy_tensor *bias = maybe(step->in, step->n_in, q->at.bias);
  for (size_t c = 0; c < q->out_each; ++c, at += q->window.n_out, sums += n) {
    if (!q->requantise) {
      memcpy((int32_t *)y->data + at, sums, n * sizeof *sums);
      continue;
    }
    const hy__requantise r = {&step->in[q->at.x_scale], &step->in[q->at.w_scale],
                              &step->in[q->at.y_scale], &step->in[q->at.y_zero]};
    const float factor = hy__requantise_factor(&r, 0, hy__op_count_of(r.b) > 1 ? channel + c : 0);
    const uint32_t add = bias ? ((const uint32_t *)bias->data)[channel + c] : 0;
    for (size_t i = 0; i < n; ++i)
      hy__requantise_store(&r, factor, (int32_t)((uint32_t)sums[i] + add), y, at + i);
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  char *scratch = step->scratch;
  int16_t *patches = step->scratch, *weights = (int16_t *)(void *)(scratch + q->w_offset);
  int32_t *sums = (int32_t *)(void *)(scratch + q->sums_offset);
  const size_t places = q->window.n_out;
  (void)err;
  if (!q->w) widen_weights(q, step->in, step->n_in, weights);
  for (size_t i = 0; i < q->batch * q->groups; ++i) {
    const size_t channel = i % q->groups * q->out_each;
    for (size_t first = 0; first < places; first += BLOCK) {
      const size_t n = HY_MIN((size_t)BLOCK, places - first);
      gather(q, step, i * q->in_each * q->window.n_in, first, n, patches);
      const hy__integer_call call = {
          (q->w ? q->w : weights) + channel * q->k, patches, sums, n, q->out_each, n, q->k};
      hy__integer_multiply(&call);
      put(step, q, sums, channel, i * q->out_each * places + first, n);
    }
  }
  return HY_OK;
}

static size_t lines(size_t bytes) { return (bytes + HY_ALIGN - 1) / HY_ALIGN * HY_ALIGN; }

hy_status hy__op_conv_integer_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  q->at = ports_of(p->node);
  const hy_tensor *x = &p->in[q->at.x], *w = &p->in[q->at.w];
  q->requantise = q->at.y_scale != 0;
  HY_TRY(hy__window_read(p, w->dims + 2, &q->window, err));
  q->batch = (size_t)x->dims[0];
  q->groups = (size_t)hy__node_int(p->node, "group", 1);
  q->in_each = (size_t)w->dims[1];
  q->out_each = (size_t)w->dims[0] / q->groups;
  size_t bytes;
  HY_FAIL_IF(!hy__mul(q->in_each, q->window.n_kernel, &q->k) ||
                 !hy__mul(q->k, BLOCK * sizeof(int16_t), &bytes),
             HY_LIMIT, err, "the kernel is too large");
  if (w->data && (!hy__op_has(p, q->at.w_zero) || p->in[q->at.w_zero].data)) {
    HY_TRY(hy__arena_array(p->arena, hy__op_count_of(w) + 1, sizeof(int16_t), &memory, err));
    widen_weights(q, p->in, p->n_in, memory);
    q->w = memory;
  }
  q->w_offset = lines(bytes);
  q->sums_offset = q->w_offset + (q->w ? 0 : lines(hy__op_count_of(w) * sizeof(int16_t)));
  p->scratch_bytes = q->sums_offset + lines(q->out_each * BLOCK * sizeof(int32_t));
  p->params = q;
  p->run = run;
  return HY_OK;
}
