/* SPDX-License-Identifier: Apache-2.0
 * Running a recurrent layer: rows in groups, time in blocks. The inputs of a block of steps are
 * projected by one product (or one per row or step, as the layout has it) into a buffer that stays
 * in cache; then each step multiplies the state and updates the cells. */
#include <string.h>

#include "op/recurrent.h"

/* A group of rows on its way through one direction. */
typedef struct walk {
  const hy__step *step;
  const hy__recurrent_plan *p;
  const hy__recurrent_side *side;
  const int32_t *lens; /* of the group's rows; NULL: all steps */
  size_t direction, first, rows;
  float *h[2], *c[2]; /* which is current changes at each step */
  float *pre, *work, *x;
} walk;

static bool has(const hy__step *step, size_t k) { return k < step->n_in && step->in[k].data; }

static size_t len_of(const walk *w, size_t row) {
  return w->lens ? (size_t)w->lens[row] : w->p->steps;
}

/* The time that step s of a row reads: from its last valid one down, if reversed. */
static size_t time_of(const walk *w, size_t row, size_t s) {
  const size_t len = len_of(w, row);
  return w->side->reverse && s < len ? len - 1 - s : s;
}

static const float *input_at(const walk *w, size_t row, size_t time) {
  const hy__recurrent_plan *p = w->p;
  const size_t b = w->first + row;
  const size_t at = p->layout1 ? b * p->steps + time : time * p->batch + b;
  return (const float *)w->step->in[0].data + at * p->features;
}

static float *output_at(const walk *w, size_t row, size_t time) {
  const hy__recurrent_plan *p = w->p;
  const size_t b = w->first + row, d = w->direction;
  const size_t at = p->layout1 ? (b * p->steps + time) * p->directions + d
                               : (time * p->directions + d) * p->batch + b;
  return (float *)w->step->out[0].data + at * p->hidden;
}

/* The row of a state tensor ([directions, batch, hidden], or [batch, directions, hidden]). */
static size_t state_at(const walk *w, size_t row) {
  const hy__recurrent_plan *p = w->p;
  const size_t b = w->first + row;
  return (p->layout1 ? b * p->directions + w->direction : w->direction * p->batch + b) * p->hidden;
}

void hy__recurrent_project(const hy__kernels *kernels, const hy__recurrent_plan *p,
                           const hy__recurrent_side *side, const hy__recurrent_series *in, size_t n,
                           float *pre) {
  hy__gemm_f32_call call = {.a = in->x,
                            .packed = side->w,
                            .init = side->bias,
                            .c = pre,
                            .n = p->columns,
                            .k = p->features};
  const size_t step_columns = in->rows * p->columns;
  const bool by_rows = n >= in->rows;
  size_t n_calls = by_rows ? in->rows : n;
  call.m = by_rows ? n : in->rows;
  call.lda = by_rows ? in->step_ld : in->row_ld;
  call.ldc = by_rows ? step_columns : p->columns;
  if (in->step_ld == in->rows * in->row_ld) { /* one after another */
    call.m = n * in->rows;
    call.lda = in->row_ld;
    call.ldc = p->columns;
    n_calls = 1;
  }
  for (size_t i = 0; i < n_calls; ++i) {
    kernels->gemm_f32->run(&call);
    call.a += by_rows ? in->row_ld : in->step_ld;
    call.c += by_rows ? p->columns : step_columns;
  }
}

/* Inputs of steps [s0, s0 + n) into pre [n][rows][columns], in the order of time or of steps:
 * returns whether position i is step s0 + n - 1 - i. */
static bool project_block(const walk *w, size_t s0, size_t n) {
  const hy__recurrent_plan *p = w->p;
  const bool gathered = w->lens && w->side->reverse;
  hy__recurrent_series in = {.x = w->x, .rows = w->rows};
  if (gathered) { /* every row has its own time */
    for (size_t i = 0; i < n; ++i)
      for (size_t row = 0; row < w->rows; ++row)
        memcpy(w->x + (i * w->rows + row) * p->features, input_at(w, row, time_of(w, row, s0 + i)),
               p->features * sizeof(float));
    in.row_ld = p->features;
    in.step_ld = w->rows * p->features;
  } else {
    in.x = input_at(w, 0, w->side->reverse ? p->steps - s0 - n : s0);
    in.row_ld = p->features * (p->layout1 ? p->steps : 1);
    in.step_ld = p->features * (p->layout1 ? 1 : p->batch);
  }
  hy__recurrent_project(w->step->kernels, p, w->side, &in, n, w->pre);
  return w->side->reverse && !gathered;
}

static void advance_general(const walk *w, const float *pre, size_t now) {
  const hy__cell_step cell = {.plan = w->p,
                              .side = w->side,
                              .kernels = w->step->kernels,
                              .pre = pre,
                              .h = w->h[now],
                              .c = w->c[now],
                              .h_out = w->h[!now],
                              .c_out = w->c[!now],
                              .work = w->work,
                              .rows = w->rows};
  hy__cell_run(&cell);
}

static hy__recurrent_fn kernel_of(const walk *w) {
  const hy__recurrent *k = w->step->kernels->recurrent;
  switch (w->p->kind) {
  case HY__CELL_LSTM: return k->lstm;
  case HY__CELL_GRU: return w->p->after ? k->gru_after : k->gru_before;
  default: return k->rnn;
  }
}

/* Steps [s0, s0 + n) of rows that all take them; positions in pre as project_block left them. */
static size_t advance_block(const walk *w, size_t s0, size_t n, bool backwards, size_t now) {
  const hy__recurrent_plan *p = w->p;
  const ptrdiff_t step_ld = (ptrdiff_t)(w->rows * p->columns);
  hy__recurrent_call call = {.steps = n,
                             .pre = w->pre + (backwards ? (ptrdiff_t)(n - 1) * step_ld : 0),
                             .pre_step = backwards ? -step_ld : step_ld,
                             .pre_ld = p->columns,
                             .r = w->side->r,
                             .r2 = w->side->r2,
                             .bias = w->side->r_bias,
                             .h = {w->h[now], w->h[!now]},
                             .c = w->c[0],
                             .c_out = w->c[0],
                             .scratch = w->work,
                             .pairs = p->pairs,
                             .rows = w->rows,
                             .hidden = p->hidden,
                             .padded = p->padded};
  if (w->step->out[0].data) {
    call.y = output_at(w, 0, time_of(w, 0, s0));
    call.y_step = (ptrdiff_t)(p->hidden * p->directions * (p->layout1 ? 1 : p->batch));
    if (w->side->reverse) call.y_step = -call.y_step;
    call.y_ld = p->hidden * (p->layout1 ? p->steps * p->directions : 1);
  }
  kernel_of(w)(&call);
  return (now + n) & 1;
}

/* One step where rows end at different lengths. */
static void advance(const walk *w, const float *pre, size_t now) {
  const hy__recurrent_plan *p = w->p;
  if (p->general) {
    advance_general(w, pre, now);
    return;
  }
  const hy__recurrent_call call = {.steps = 1,
                                   .pre = pre,
                                   .pre_ld = p->columns,
                                   .r = w->side->r,
                                   .r2 = w->side->r2,
                                   .bias = w->side->r_bias,
                                   .h = {w->h[now], w->h[!now]},
                                   .c = w->c[now],
                                   .c_out = w->c[!now],
                                   .scratch = w->work,
                                   .pairs = p->pairs,
                                   .rows = w->rows,
                                   .hidden = p->hidden,
                                   .padded = p->padded};
  kernel_of(w)(&call);
}

/* After step s: rows past their end keep their state; Y gets the new state, or zeros past the end.
 */
static void settle(const walk *w, size_t s, size_t next) {
  const hy__recurrent_plan *p = w->p;
  const bool wanted = w->step->out[0].data != NULL;
  if (!wanted && !w->lens) return;
  for (size_t row = 0; row < w->rows; ++row) {
    float *h = w->h[next] + row * p->padded;
    const bool past = s >= len_of(w, row);
    if (past) {
      memcpy(h, w->h[!next] + row * p->padded, p->padded * sizeof(float));
      if (p->kind == HY__CELL_LSTM)
        memcpy(w->c[next] + row * p->padded, w->c[!next] + row * p->padded,
               p->padded * sizeof(float));
    }
    if (!wanted) continue;
    float *y = output_at(w, row, time_of(w, row, s));
    if (past)
      memset(y, 0, p->hidden * sizeof(float));
    else
      memcpy(y, h, p->hidden * sizeof(float));
  }
}

static void load_state(const walk *w, size_t input, float *to) {
  const hy__recurrent_plan *p = w->p;
  memset(to, 0, w->rows * p->padded * sizeof(float));
  if (!has(w->step, input)) return;
  for (size_t row = 0; row < w->rows; ++row)
    memcpy(to + row * p->padded, (const float *)w->step->in[input].data + state_at(w, row),
           p->hidden * sizeof(float));
}

/* The last valid state; zeros for a row of no steps. */
static void store_state(const walk *w, size_t output, const float *from) {
  const hy__recurrent_plan *p = w->p;
  if (output >= w->step->n_out || !w->step->out[output].data) return;
  for (size_t row = 0; row < w->rows; ++row) {
    float *to = (float *)w->step->out[output].data + state_at(w, row);
    if (len_of(w, row) == 0)
      memset(to, 0, p->hidden * sizeof(float));
    else
      memcpy(to, from + row * p->padded, p->hidden * sizeof(float));
  }
}

static void run_group(walk *w) {
  const hy__recurrent_plan *p = w->p;
  size_t now = 0;
  load_state(w, 5, w->h[0]);
  memset(w->h[1], 0, w->rows * p->padded * sizeof(float));
  if (p->kind == HY__CELL_LSTM) {
    load_state(w, 6, w->c[0]);
    memset(w->c[1], 0, w->rows * p->padded * sizeof(float));
  }
  for (size_t s0 = 0; s0 < p->steps; s0 += p->block) {
    const size_t n = HY_MIN(p->block, p->steps - s0);
    const bool backwards = project_block(w, s0, n);
    if (!p->general && !w->lens) {
      now = advance_block(w, s0, n, backwards, now);
      continue;
    }
    for (size_t i = 0; i < n; ++i) {
      const size_t at = backwards ? n - 1 - i : i;
      advance(w, w->pre + at * w->rows * p->columns, now);
      now = !now;
      settle(w, s0 + i, now);
    }
  }
  store_state(w, 1, w->h[now]);
  if (p->kind == HY__CELL_LSTM) store_state(w, 2, w->c[p->general || w->lens ? now : 0]);
}

hy_status hy__recurrent_check_lens(const hy__recurrent_plan *p, const int32_t *lens,
                                   hy_error *err) {
  for (size_t i = 0; lens && i < p->batch; ++i)
    HY_FAIL_IF(lens[i] < 0 || (size_t)lens[i] > p->steps, HY_INVALID_ARGUMENT, err,
               "sequence_lens[%zu] is %d for %zu steps", i, (int)lens[i], p->steps);
  return HY_OK;
}

/* Groups of rows of both directions, one after another: any worker takes any. */
static hy_status run_groups(void *ctx, uint32_t worker, size_t begin, size_t end, hy_error *err) {
  const hy__step *step = ctx;
  const hy__recurrent_plan *p = step->params;
  const int32_t *lens = has(step, 4) ? step->in[4].data : NULL;
  float *scratch = (float *)step->scratch + worker * p->group_floats;
  walk w = {.step = step, .p = p, .pre = scratch + p->pre_at, .work = scratch + p->work_at};
  (void)err;
  w.x = scratch + p->x_at;
  for (size_t i = 0; i < 2; ++i) {
    w.h[i] = scratch + p->h_at + i * p->group * p->padded;
    w.c[i] = scratch + p->c_at + i * p->group * p->padded;
  }
  for (size_t i = begin; i < end; ++i) {
    w.direction = i / p->groups.n;
    w.side = &p->side[w.direction];
    hy__row_groups_at(&p->groups, i % p->groups.n, &w.first, &w.rows);
    w.lens = lens ? lens + w.first : NULL;
    run_group(&w);
  }
  return HY_OK;
}

hy_status hy__recurrent_run(const hy__step *step, hy_error *err) {
  const hy__recurrent_plan *p = step->params;
  const size_t n = p->groups.n * p->directions;
  hy__step own = *step;
  HY_TRY(hy__recurrent_check_lens(p, has(step, 4) ? step->in[4].data : NULL, err));
  const size_t rows = p->batch * p->directions * p->steps;
  const size_t macs = rows * p->columns * (p->hidden + p->features);
  if (p->divides && hy__pool_worth(step->pool, macs))
    return hy__pool_for(step->pool, n, 1, run_groups, &own, err);
  return run_groups(&own, 0, 0, n, err);
}
