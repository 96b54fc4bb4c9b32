/* SPDX-License-Identifier: Apache-2.0 */
/* ConvInteger, QLinearConv and "hayate"'s ConvIntegerToFloat: an image at a time as bytes with the
 * channels last and its padding, which counts as the zero point, so that the rows of a kernel lie
 * in it as they are. W without its own zero points, one for all or one per channel. */
#include <string.h>

#include "op/integer_product.h"
#include "op/window.h"

enum { BLOCK = 96 }; /* output places that go together */

typedef struct ports {
  size_t x, w, x_zero, w_zero, x_scale, w_scale, y_scale, y_zero, bias;
} ports;

typedef struct params {
  ports at;
  hy__integer_right right;
  size_t batch, groups, channels;                         /* channels of a group's input */
  int64_t in[3], padded[3], out[3], stride[3], before[3]; /* 1 where the image has less dims */
  size_t n_in, n_padded, n_out;                           /* places */
  const size_t *taps; /* where the kernel's parts begin in the padded image */
  bool x_signed;
  hy_dtype y;
  const float *factors; /* NULL: at run */
  size_t factor_step;
  size_t factors_at, init_at, parts_at, left_at, sums_at, tile_at, part_bytes;
} params;

static ports ports_of(const hy__node *node) {
  if (node->op_type[0] == 'Q') return (ports){0, 3, 2, 5, 1, 4, 6, 7, 8};
  if (strcmp(node->op_type, "ConvInteger") == 0) return (ports){.w = 1, .x_zero = 2, .w_zero = 3};
  return (ports){0, 1, 4, 5, 2, 3, 0, 0, 6};
}

/* The output's type: sums, bytes or floats. */
static hy_dtype type_of(const hy__op_plan *p, const ports *at) {
  return at->y_scale ? p->in[at->y_zero].dtype : at->x_scale ? HY_F32 : HY_I32;
}

static hy_status check_types(const hy__op_plan *p, const ports *at, hy_error *err) {
  const hy_tensor *x = &p->in[at->x], *w = &p->in[at->w];
  const hy_dtype y = type_of(p, at), bias = y == HY_F32 ? HY_F32 : HY_I32;
  HY_FAIL_IF(!hy__integer_is_byte(x->dtype) || !hy__integer_is_byte(w->dtype) ||
                 (at->y_scale && !hy__integer_is_byte(y)),
             HY_UNSUPPORTED, err, "a convolution of %s and %s to %s", hy_dtype_name(x->dtype),
             hy_dtype_name(w->dtype), hy_dtype_name(y));
  HY_TRY(hy__integer_list(p, at->x_zero, 1, "x_zero_point", err));
  HY_TRY(hy__integer_list(p, at->w_zero, w->dims[0], "w_zero_point", err));
  if (!at->x_scale) return HY_OK;
  const size_t scales[] = {at->x_scale, at->w_scale, at->y_scale};
  for (size_t i = 0; i < (at->y_scale ? 3u : 2u); i++)
    HY_FAIL_IF(p->in[scales[i]].dtype != HY_F32, HY_UNSUPPORTED, err, "a scale of type %s",
               hy_dtype_name(p->in[scales[i]].dtype));
  HY_TRY(hy__integer_list(p, at->x_scale, 1, "x_scale", err));
  HY_TRY(hy__integer_list(p, at->w_scale, w->dims[0], "w_scale", err));
  if (at->y_scale) HY_TRY(hy__integer_list(p, at->y_scale, 1, "y_scale", err));
  if (at->y_scale) HY_TRY(hy__integer_list(p, at->y_zero, 1, "y_zero_point", err));
  HY_FAIL_IF(hy__op_has(p, at->bias) && (p->in[at->bias].dtype != bias ||
                                         hy__op_count_of(&p->in[at->bias]) != (size_t)w->dims[0]),
             HY_BAD_FORMAT, err, "B must be one %s for each of %lld channels", hy_dtype_name(bias),
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
  return hy__op_out(p, 0, type_of(p, &at), x->rank, dims, err);
}

/* --- a run --- */

typedef struct job {
  const hy__step *step;
  const params *q;
  const int32_t *init;
  hy__integer_end end;
  int32_t x_zero; /* of unsigned bytes */
} job;

/* The image `x` with its padding, the bytes as the kernel takes them. */
static const char *image(const job *j, const uint8_t *x, char *part) {
  const params *q = j->q;
  const hy__integer *kernel = j->step->kernels->integer;
  const uint8_t flip = (uint8_t)(q->x_signed ? 128 : 0);
  const size_t channels = q->channels, row = (size_t)q->padded[2] * channels;
  uint8_t *bytes = (uint8_t *)part;
  const hy__integer_turn turn = {channels, (size_t)q->in[2], q->n_in, channels};
  memset(bytes, j->x_zero ^ flip, q->n_padded * channels);
  for (int64_t z = 0; z < q->in[0]; z++)
    for (int64_t y = 0; y < q->in[1]; y++) {
      const int64_t line_at = (z + q->before[0]) * q->padded[1] + y + q->before[1];
      kernel->turn_bytes(&turn, x + (size_t)((z * q->in[1] + y) * q->in[2]),
                         bytes + (size_t)line_at * row + (size_t)q->before[2] * channels);
    }
  if (kernel->element == 1 && !flip) return part;
  kernel->left(bytes, q->n_padded * channels, flip, part + q->left_at);
  return part + q->left_at;
}

/* sums [m][n + ones] to the places from `at` on of each channel's plane. */
static void put(const job *j, const hy__integer_product *from, size_t channel, size_t at,
                char *tile) {
  const params *q = j->q;
  const hy__integer *kernel = j->step->kernels->integer;
  const size_t n = q->right.n, m = from->m, ld = from->ldc;
  const int32_t *sums = from->c;
  hy__integer_turn turn = {m, n, ld, q->n_out};
  if (q->y == HY_I32) {
    kernel->turn_words(&turn, (const uint32_t *)sums, (uint32_t *)j->step->out[0].data + at);
    return;
  }
  turn.ld = n;
  hy__integer_end end = j->end;
  end.factor += channel * end.factor_step;
  if (q->y == HY_F32) {
    float *floats = (float *)(void *)tile;
    if (end.bias) end.bias += channel;
    for (size_t i = 0; i < m; i++) kernel->to_floats(sums + i * ld, n, &end, floats + i * n);
    kernel->turn_words(&turn, (const uint32_t *)(void *)tile,
                       (uint32_t *)j->step->out[0].data + at);
    return;
  }
  uint8_t *bytes = (uint8_t *)tile;
  if (ld == n && !end.factor_step)
    kernel->to_bytes(sums, m * n, &end, bytes);
  else
    for (size_t i = 0; i < m; i++) kernel->to_bytes(sums + i * ld, n, &end, bytes + i * n);
  kernel->turn_bytes(&turn, bytes, (uint8_t *)j->step->out[0].data + at);
}

/* Group `index` of all images' groups. */
static void group_run(const job *j, size_t index, char *part) {
  const params *q = j->q;
  const hy__integer_right *r = &q->right;
  const hy__integer *kernel = j->step->kernels->integer;
  const size_t group = index % q->groups, channels = q->channels, n = r->n + r->ones;
  const size_t width = (size_t)q->out[2];
  const char *left =
      image(j, (const uint8_t *)j->step->in[q->at.x].data + index * channels * q->n_in, part);
  int32_t *sums = (int32_t *)(void *)(part + q->sums_at);
  const int32_t *zero;
  hy__integer_product product = {.step = (size_t)q->stride[2] * channels,
                                 .taps = q->taps,
                                 .n_taps = r->n_taps,
                                 .each = r->each,
                                 .packed = hy__integer_right_at(r, j->step, group, &zero),
                                 .init = j->init + group * n,
                                 .ldc = n,
                                 .n = n};
  for (size_t first = 0; first < q->n_out; first += BLOCK) {
    const size_t end = HY_MIN(first + BLOCK, q->n_out);
    product.c = sums;
    for (size_t at = first; at < end; at += product.m, product.c += product.m * n) {
      const int64_t row = (int64_t)(at / width), x = (int64_t)(at % width) * q->stride[2];
      const int64_t z = row / q->out[1] * q->stride[0], y = row % q->out[1] * q->stride[1];
      const size_t place = (size_t)((z * q->padded[1] + y) * q->padded[2] + x);
      product.m = HY_MIN(end - at, width - at % width);
      product.left = left + place * channels * kernel->element;
      kernel->run(&product);
    }
    product.c = sums;
    product.m = end - first;
    for (size_t i = 0; i < product.m; i++)
      hy__integer_correct(r, kernel, zero, j->x_zero, sums + i * n);
    put(j, &product, group * r->n, index * r->n * q->n_out + first, part + q->tile_at);
  }
}

static hy_status groups_run(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const job *j = ctx;
  (void)err;
  for (size_t i = begin; i < end; i++)
    group_run(j, i, (char *)j->step->scratch + j->q->parts_at + worker * j->q->part_bytes);
  return HY_OK;
}

/* What the sums of every group begin with: bias, less X's zero point times W's sums. */
static void init_fill(const job *j, int32_t *init) {
  const params *q = j->q;
  const hy__integer_right *r = &q->right;
  const hy_tensor *bias =
      q->at.bias && q->y != HY_F32 ? hy__integer_input(j->step, q->at.bias) : NULL;
  for (size_t g = 0; g < q->groups; g++, init += r->n + r->ones) {
    const int32_t *zero;
    const void *packed = hy__integer_right_at(r, j->step, g, &zero);
    for (size_t i = 0; i < r->n; i++)
      init[i] = bias ? ((const int32_t *)bias->data)[g * r->n + i] : 0;
    if (r->ones) init[r->n] = 0;
    j->step->kernels->integer->subtract(init, r->n, hy__integer_sums(packed), j->x_zero);
  }
}

static hy__requantise scales_of(const params *q, const hy_tensor *in) {
  const hy_tensor *y = q->at.y_scale ? &in[q->at.y_scale] : NULL;
  return (hy__requantise){&in[q->at.x_scale], &in[q->at.w_scale], y, 1.0f};
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  char *scratch = step->scratch;
  int32_t *init = (int32_t *)(void *)(scratch + q->init_at);
  const size_t n = q->batch * q->groups;
  job j = {.step = step, .q = q, .init = init};
  j.x_zero = hy__integer_at(hy__integer_input(step, q->at.x_zero), 0) + (q->x_signed ? 128 : 0);
  init_fill(&j, init);
  if (q->at.x_scale) {
    const hy_tensor *bias = hy__integer_input(step, q->at.bias);
    j.end = hy__integer_end_of(q->at.y_zero ? &step->in[q->at.y_zero] : NULL, q->y);
    if (bias && q->y == HY_F32) j.end.bias = bias->data;
    j.end.factor_step = q->factor_step;
    j.end.factor = q->factors;
    if (!q->factors) {
      float *factors = (float *)(void *)(scratch + q->factors_at);
      const hy__requantise scales = scales_of(q, step->in);
      hy__requantise_factors(&scales, 0, factors);
      j.end.factor = factors;
    }
  }
  const size_t macs = n * q->n_out * q->right.n * q->right.each;
  if (n <= 1 || !q->right.packed || !q->right.zero || !hy__pool_worth(step->pool, macs / 2))
    return groups_run(&j, 0, 0, n, err);
  return hy__pool_for(step->pool, n, 1, groups_run, &j, err);
}

/* --- planning --- */

/* The kernel's parts: its lines, which lie in one piece, or each of its places if they do not. */
static hy_status taps_lower(hy__op_plan *p, params *q, const int64_t *kernel,
                            const int64_t *dilation, hy_error *err) {
  const int64_t across = dilation[2] == 1 ? 1 : kernel[2];
  const size_t n_kernel = (size_t)(kernel[0] * kernel[1] * kernel[2]);
  void *memory;
  q->right.n_taps = (size_t)(kernel[0] * kernel[1] * across);
  HY_TRY(hy__arena_array(p->arena, q->right.n_taps, sizeof(size_t), &memory, err));
  size_t *to = memory;
  q->taps = to;
  for (int64_t z = 0; z < kernel[0]; z++)
    for (int64_t y = 0; y < kernel[1]; y++)
      for (int64_t x = 0; x < across; x++)
        *to++ = (size_t)((z * dilation[0] * q->padded[1] + y * dilation[1]) * q->padded[2] +
                         x * dilation[2]) *
                q->channels;
  q->right.each = q->channels * n_kernel / q->right.n_taps;
  q->right.inner = q->channels;
  q->right.tap_stride = across == 1 ? (ptrdiff_t)kernel[2] : 1;
  q->right.outer_stride = 1;
  q->right.k_stride = (ptrdiff_t)n_kernel;
  q->right.n_stride = (ptrdiff_t)(q->channels * n_kernel);
  return HY_OK;
}

static hy_status window_lower(hy__op_plan *p, params *q, const hy__window *w, hy_error *err) {
  enum { TIMES = 1 << 10, SMALL = 1 << 20 }; /* of a padding that is made at every run */
  int64_t kernel[3], dilation[3];
  size_t most;
  q->n_in = w->n_in, q->n_out = w->n_out, q->n_padded = 1;
  HY_FAIL_IF(!hy__mul(w->n_out, w->n_kernel, &most) || !hy__add(most, w->n_in, &most) ||
                 !hy__mul(most, TIMES, &most),
             HY_LIMIT, err, "the windows are too many");
  for (int32_t d = 0; d < 3; d++) {
    const int32_t from = d - (3 - w->n);
    const bool has = from >= 0;
    kernel[d] = has ? w->kernel[from] : 1, dilation[d] = has ? w->dilation[from] : 1;
    q->in[d] = has ? w->in[from] : 1, q->out[d] = has ? w->out[from] : 1;
    q->stride[d] = has ? w->stride[from] : 1, q->before[d] = has ? w->before[from] : 0;
    const int64_t reach = (q->out[d] - 1) * q->stride[d] + (kernel[d] - 1) * dilation[d] + 1;
    q->padded[d] = HY_MAX(reach, q->in[d] + q->before[d]);
    HY_FAIL_IF(!hy__mul(q->n_padded, (size_t)q->padded[d], &q->n_padded) ||
                   q->n_padded > HY_MAX(most, (size_t)SMALL),
               HY_LIMIT, err, "the padding is out of all proportion");
  }
  return taps_lower(p, q, kernel, dilation, err);
}

static bool room_lower(hy__op_plan *p, params *q) {
  const hy__integer *kernel = p->kernels->integer;
  const size_t n = q->right.n + q->right.ones;
  const size_t n_workers = p->pool ? hy__pool_n_workers(p->pool) : 1;
  size_t bytes;
  /* the kernel may read a group past the last element */
  return hy__mul(q->n_padded, q->channels, &bytes) &&
         hy__round_up(bytes + HY_ALIGN, HY_ALIGN, &q->left_at) &&
         hy__mul(kernel->element == 1 && !q->x_signed ? 0 : q->left_at, kernel->element, &bytes) &&
         hy__add(q->left_at, bytes, &q->sums_at) && hy__mul(n, BLOCK * sizeof(int32_t), &bytes) &&
         hy__add(q->sums_at, bytes, &q->tile_at) &&
         hy__mul(q->right.n, BLOCK * sizeof(float), &bytes) && hy__add(q->tile_at, bytes, &bytes) &&
         hy__round_up(bytes, HY_ALIGN, &q->part_bytes) &&
         hy__integer_room(p, &q->parts_at, n_workers, q->part_bytes) &&
         hy__mul(q->groups, n, &bytes) &&
         hy__integer_room(p, &q->init_at, bytes, sizeof(int32_t)) &&
         hy__integer_room(p, &q->factors_at, q->groups * q->right.n, sizeof(float));
}

static hy_status factors_lower(hy__op_plan *p, params *q, hy_error *err) {
  if (!q->at.x_scale) return HY_OK;
  const hy__requantise r = scales_of(q, p->in);
  void *memory;
  q->factor_step = hy__op_count_of(r.b) > 1;
  if (!r.a->data || !r.b->data || (r.y && !r.y->data)) return HY_OK;
  HY_TRY(hy__arena_array(p->arena, hy__op_count_of(r.b), sizeof(float), &memory, err));
  hy__requantise_factors(&r, 0, memory);
  q->factors = memory;
  return HY_OK;
}

hy_status hy__op_conv_integer_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  hy__window window;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(params), _Alignof(params), &memory, err));
  params *q = memory;
  *q = (params){.at = ports_of(p->node), .y = p->out[0].dtype};
  const hy_tensor *x = &p->in[q->at.x], *w = &p->in[q->at.w];
  HY_FAIL_IF(!hy__op_count_of(w), HY_UNSUPPORTED, err, "W has no elements");
  q->x_signed = x->dtype == HY_I8;
  HY_TRY(hy__window_read(p, w->dims + 2, &window, err));
  q->batch = (size_t)x->dims[0];
  q->groups = (size_t)hy__node_int(p->node, "group", 1);
  q->channels = (size_t)w->dims[1];
  q->right.b = q->at.w;
  q->right.b_zero = q->at.w_zero;
  q->right.n_right = q->groups;
  q->right.n = (size_t)w->dims[0] / q->groups;
  q->right.by_matrix = hy__op_has(p, q->at.w_zero) && hy__op_count_of(&p->in[q->at.w_zero]) > 1;
  HY_TRY(window_lower(p, q, &window, err));
  HY_TRY(hy__integer_right_lower(p, &q->right, err));
  HY_TRY(factors_lower(p, q, err));
  HY_FAIL_IF(!room_lower(p, q), HY_LIMIT, err, "the image is too large");
  p->params = q;
  p->run = run;
  return HY_OK;
}
