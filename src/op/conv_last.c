/* SPDX-License-Identifier: Apache-2.0 */
/* ConvLast, which passes write for Conv: X [batch, ..., channels], W as Conv has it and known, B
 * and a residual R optional; Y [batch, ..., M] = after(activation(conv + B) + R). No patches are
 * gathered: the kernels read shifted rows. */
#include <string.h>

#include "op/divide.h"
#include "op/last.h"

enum { COPY_MAX = 64 };  /* times X that a padded copy may be */
enum { PIECE_MIN = 16 }; /* places of a line for one worker */

/* Output places along the last dim whose windows have the same elements inside. */
typedef struct stretch {
  size_t first, n;     /* places */
  size_t from;         /* where the first place's first element inside lies in the line */
  size_t tap;          /* number of that element in the window */
  size_t n_taps, each; /* taps that the kernel sees, and what each spans */
} stretch;

typedef struct params {
  hy__last last;
  size_t batch, groups, in_each, out_each;
  bool depth;           /* one channel to one channel */
  const float **packed; /* per group; where depth one of [taps][channels] */
  const ptrdiff_t *taps;
  const stretch *stretches;
  size_t n_stretches;
  size_t n_pieces, piece; /* of a line, and its places */
  size_t n_lines, copy_floats;
  hy__act act, after;
} params;

hy_status hy__op_conv_last_infer(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1];
  const int64_t groups = hy__node_int(p->node, "group", 1);
  hy__window window;
  HY_FAIL_IF(w->rank != x->rank || !w->data || w->dtype != HY_F32, HY_UNSUPPORTED, err,
             "W must be known and of X's rank and type");
  HY_TRY(hy__last_window(p, w->dims + 2, &window, err));
  HY_FAIL_IF(groups < 1 || w->dims[0] % groups != 0 || w->dims[1] * groups != x->dims[x->rank - 1],
             HY_BAD_FORMAT, err, "%lld groups of W's %lld channels for X's %lld", (long long)groups,
             (long long)w->dims[1], (long long)x->dims[x->rank - 1]);
  HY_FAIL_IF(hy__op_has(p, 2) && hy__op_count_of(&p->in[2]) != (size_t)w->dims[0], HY_BAD_FORMAT,
             err, "B has not one value for each of %lld channels", (long long)w->dims[0]);
  hy__last last;
  hy__last_init(&last, &window, 1, true);
  HY_FAIL_IF(last.n_read > COPY_MAX * window.n_in + COPY_MAX, HY_UNSUPPORTED, err,
             "the padding is far larger than X");
  int64_t dims[HY_MAX_RANK] = {x->dims[0]};
  memcpy(dims + 1, window.out, (size_t)window.n * sizeof *dims);
  dims[x->rank - 1] = w->dims[0];
  HY_TRY(hy__op_out(p, 0, HY_F32, x->rank, dims, err));
  for (size_t k = 2; k < p->n_in; ++k)
    if (hy__op_has(p, k)) HY_TRY(hy__op_same_type(p, 0, k, err));
  if (!hy__op_has(p, 3)) return HY_OK;
  HY_FAIL_IF(!hy__op_same_dims(&p->in[3], &p->out[0]), HY_BAD_FORMAT, err,
             "the residual has not the result's shape");
  p->out_inplace[0] = 1u << 3;
  return HY_OK;
}

/* x: the line of the input; place: the first place of the output's line. */
static void run_stretch(const hy__step *step, const stretch *s, const float *x, size_t place) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  const size_t n = q->groups * q->out_each, lda = (size_t)w->stride[w->n - 1] * q->last.channels;
  const float *bias = step->n_in > 2 ? step->in[2].data : NULL;
  const float *add = step->n_in > 3 ? step->in[3].data : NULL;
  float *y = (float *)step->out[0].data + (place + s->first) * n;
  if (q->depth) {
    const hy__conv_depth_call call = {.a = x + s->from,
                                      .lda = lda,
                                      .taps = q->taps,
                                      .n_taps = s->n_taps,
                                      .weights = q->packed[0] + s->tap * n,
                                      .bias = bias,
                                      .c = y,
                                      .ldc = n,
                                      .m = s->n,
                                      .n = n,
                                      .act = q->act};
    step->kernels->conv_f32->depth(&call);
    return;
  }
  hy__conv_f32_call call = {.lda = lda,
                            .taps = q->taps,
                            .n_taps = s->n_taps,
                            .each = s->each,
                            .k = q->in_each * w->n_kernel,
                            .first = s->tap * q->in_each,
                            .add_ld = n,
                            .ldc = n,
                            .m = s->n,
                            .n = q->out_each,
                            .act = q->act,
                            .after = q->after};
  for (size_t g = 0; g < q->groups; ++g) {
    const size_t column = g * q->out_each;
    call.a = x + s->from + g * q->in_each;
    call.packed = q->packed[g];
    call.bias = bias ? bias + column : NULL;
    call.add = add ? add + (place + s->first) * n + column : NULL;
    call.c = y + column;
    step->kernels->conv_f32->run(&call);
  }
}

/* The places of line `line` from `first` to `end`: the stretches' parts between. */
static void run_line(const hy__step *step, const float *x, size_t line, const size_t range[2]) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  const size_t lda = (size_t)w->stride[w->n - 1] * q->last.channels;
  for (size_t s = 0; s < q->n_stretches; ++s) {
    stretch part = q->stretches[s];
    const size_t from = HY_MAX(part.first, range[0]), to = HY_MIN(part.first + part.n, range[1]);
    if (from >= to) continue;
    part.from += (from - part.first) * lda;
    part.first = from;
    part.n = to - from;
    run_stretch(step, &part, x, line * (size_t)w->out[w->n - 1]);
  }
}

/* All lines of image i. */
static void run_image(const hy__step *step, size_t i, const float *x, const size_t range[2]) {
  const params *q = step->params;
  const hy__window *w = &q->last.window;
  int64_t at[HY__WINDOW_DIMS] = {0};
  size_t line = i * q->n_lines;
  do {
    int64_t from = 0;
    for (int32_t d = 0; d < w->n - 1; ++d)
      from += at[d] * w->stride[d] * hy__last_stride(&q->last, d);
    run_line(step, x + from, line++, range);
  } while (hy__window_next(w->n - 1, w->out, at));
}

/* An item is a piece of every line of an image; only images of one line have several. */
static void run_items(const hy__step *step, uint32_t worker, size_t begin, size_t end) {
  const params *q = step->params;
  const hy__last *l = &q->last;
  for (size_t item = begin; item < end; ++item) {
    const size_t i = item / q->n_pieces, first = item % q->n_pieces * q->piece;
    const float *x = (const float *)step->in[0].data + i * l->window.n_in * l->channels;
    if (l->padded) {
      float *copy = (float *)step->scratch + worker * q->copy_floats;
      hy__last_copy(l, x, 0.0f, copy);
      x = copy;
    }
    run_image(step, i, x, (const size_t[2]){first, first + q->piece});
  }
}

static hy_status run(const hy__step *step, hy_error *err) {
  const params *q = step->params;
  const size_t work = q->batch * q->last.window.n_out * q->groups * q->out_each * q->in_each *
                      q->last.window.n_kernel;
  return hy__op_divide(step, q->batch * q->n_pieces, work, run_items, err);
}

/* --- lowering --- */

/* The window's elements [*tap, *tap + *n) of the one spatial dim lie inside at place `at`. */
static void inside_of(const hy__window *w, int64_t at, int64_t *tap, int64_t *n) {
  const int64_t origin = at * w->stride[0] - w->before[0], d = w->dilation[0];
  const int64_t first = origin < 0 ? (-origin + d - 1) / d : 0;
  const int64_t end = w->in[0] > origin ? (w->in[0] - origin + d - 1) / d : 0;
  *tap = HY_MIN(first, w->kernel[0]);
  *n = HY_MAX(HY_MIN(end, w->kernel[0]) - *tap, (int64_t)0);
}

/* Fills `to` if it is not NULL; returns how many there are. */
static size_t stretches_of(const params *q, stretch *to) {
  const hy__window *w = &q->last.window;
  const bool joins = q->groups == 1 && w->dilation[0] == 1;
  size_t n = 0;
  int64_t tap = -1, n_taps = -1;
  for (int64_t at = 0; at < w->out[0]; ++at) {
    int64_t t, k;
    inside_of(w, at, &t, &k);
    if (n && t == tap && k == n_taps) {
      if (to) to[n - 1].n++;
      continue;
    }
    tap = t, n_taps = k;
    if (to) {
      const int64_t from = k ? at * w->stride[0] - w->before[0] + t * w->dilation[0] : 0;
      const bool join = joins && k > 0;
      to[n] = (stretch){.first = (size_t)at,
                        .n = 1,
                        .from = (size_t)from * q->last.channels,
                        .tap = (size_t)t,
                        .n_taps = join ? 1 : (size_t)k,
                        .each = join ? (size_t)k * q->in_each : q->in_each};
    }
    n++;
  }
  return n;
}

static hy_status lower_stretches(hy__op_plan *p, params *q, hy_error *err) {
  const hy__window *w = &q->last.window;
  const bool line = w->n == 1 && !q->last.padded;
  stretch *list;
  ptrdiff_t *taps;
  q->n_stretches = line ? stretches_of(q, NULL) : 1;
  HY_TRY(hy__arena_array(p->arena, q->n_stretches + 1, sizeof *list, (void **)&list, err));
  HY_TRY(hy__arena_array(p->arena, w->n_kernel + 1, sizeof *taps, (void **)&taps, err));
  hy__last_taps(&q->last, taps);
  if (line) {
    (void)stretches_of(q, list);
  } else { /* rows of the window that are dense join */
    const size_t row = (size_t)w->kernel[w->n - 1];
    const bool join = q->groups == 1 && w->dilation[w->n - 1] == 1;
    *list = (stretch){.n = (size_t)w->out[w->n - 1],
                      .n_taps = join ? w->n_kernel / row : w->n_kernel,
                      .each = join ? row * q->in_each : q->in_each};
    for (size_t t = 0; join && t < list->n_taps; ++t) taps[t] = taps[t * row];
  }
  q->stretches = list;
  q->taps = taps;
  return HY_OK;
}

typedef struct packing {
  const hy__kernels *kernels;
  const float *w;
  size_t n, each, n_taps;
  bool depth;
} packing;

static hy_status fill(void *ctx, void *packed, hy_error *err) {
  const packing *k = ctx;
  (void)err;
  if (k->depth) {
    for (size_t t = 0; t < k->n_taps; ++t)
      for (size_t j = 0; j < k->n; ++j) ((float *)packed)[t * k->n + j] = k->w[j * k->n_taps + t];
  } else {
    const hy__conv_source source = {k->w, k->n, k->each, k->n_taps};
    hy__conv_f32_pack(k->kernels->conv_f32, &source, packed);
  }
  return HY_OK;
}

static hy_status lower_weights(hy__op_plan *p, params *q, hy_error *err) {
  const float *w = p->in[1].data;
  const size_t n_taps = q->last.window.n_kernel, k = q->in_each * n_taps;
  const size_t n_packs = q->depth ? 1 : q->groups;
  packing ctx = {p->kernels, w, q->depth ? q->groups : q->out_each, q->in_each, n_taps, q->depth};
  size_t floats = n_taps * q->groups, bytes;
  HY_TRY(hy__arena_array(p->arena, n_packs, sizeof *q->packed, (void **)&q->packed, err));
  HY_FAIL_IF((!q->depth && !hy__conv_f32_packed_n(p->kernels->conv_f32, k, q->out_each, &floats)) ||
                 !hy__mul(floats, sizeof(float), &bytes),
             HY_LIMIT, err, "the kernel is too large");
  const uint32_t width = q->depth ? 0 : p->kernels->conv_f32->panel;
  for (size_t g = 0; g < n_packs; ++g) {
    ctx.w = w + g * q->out_each * k;
    const void *packed;
    HY_TRY(hy__pack_get(p->packs, ctx.w, HY__PACK('c', q->depth ? 'd' : 'v', width ^ n_taps << 8),
                        bytes, fill, &ctx, &packed, err));
    q->packed[g] = packed;
  }
  return HY_OK;
}

static hy_status read_act(const hy__op_plan *p, const char *attr, hy__act *out, hy_error *err) {
  static const char *const names[] = {"", "Relu", "Sigmoid", "Tanh"};
  const hy_string name = hy__node_string(p->node, attr, "");
  for (size_t i = 0; i < HY_COUNT(names); ++i) {
    if (name.len_bytes != strlen(names[i]) || memcmp(name.data, names[i], name.len_bytes) != 0)
      continue;
    *out = (hy__act)i;
    return HY_OK;
  }
  HY_FAIL(HY_UNSUPPORTED, err, "activation '%.*s'", (int)name.len_bytes, name.data);
}

hy_status hy__op_conv_last_lower(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0], *w = &p->in[1];
  hy__window window;
  params *q;
  HY_TRY(hy__arena_alloc(p->arena, sizeof *q, HY_ALIGN, (void **)&q, err));
  HY_TRY(hy__last_window(p, w->dims + 2, &window, err));
  hy__last_init(&q->last, &window, (size_t)x->dims[x->rank - 1], window.n > 1);
  q->batch = hy__op_count_of(&p->out[0]) ? (size_t)x->dims[0] : 0;
  q->groups = (size_t)hy__node_int(p->node, "group", 1);
  q->in_each = (size_t)w->dims[1];
  q->out_each = (size_t)w->dims[0] / q->groups;
  q->depth = q->in_each == 1 && q->out_each == 1 && q->groups > 1 && !hy__op_has(p, 3);
  HY_TRY(read_act(p, "activation", &q->act, err));
  HY_TRY(read_act(p, "after", &q->after, err));
  HY_TRY(lower_weights(p, q, err));
  HY_TRY(lower_stretches(p, q, err));
  const size_t line = (size_t)window.out[window.n - 1], n_workers = hy__op_workers(p);
  const bool pieces = window.n == 1 && n_workers > 1 && q->batch < 4 * n_workers;
  q->n_lines = line ? window.n_out / line : 0;
  q->n_pieces = pieces ? HY_MIN(4 * n_workers, HY_MAX(line / PIECE_MIN, (size_t)1)) : 1;
  q->piece = (line + q->n_pieces - 1) / q->n_pieces;
  size_t bytes;
  HY_FAIL_IF(!hy__mul(q->last.n_read, q->last.channels, &q->copy_floats) ||
                 !hy__mul(q->copy_floats, sizeof(float), &bytes) ||
                 !hy__mul(bytes, n_workers, &p->scratch_bytes),
             HY_LIMIT, err, "the plane is too large");
  if (!q->last.padded) p->scratch_bytes = 0;
  p->params = q;
  p->run = run;
  return HY_OK;
}
