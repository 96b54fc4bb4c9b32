/* SPDX-License-Identifier: Apache-2.0
 * hy_feature_call: what a call over one series needs is found once, so that a call is its arrays,
 * one piece of memory and the steps. */
#include <hayate/feature_call.h>

#include <math.h>
#include <stdarg.h>

#include "feature/solo/solo.h"

enum { ARRAYS_MAX = 32 };

struct hy_feature_call {
  const hy_features *f;
  hy__arena *arena;
  hy__solo_job job; /* with what changes from call to call left open */
};

static hy_status bind(hy_feature_call *c, const hy_feature_call_options *o, hy_error *err) {
  const hy_features *f = c->f;
  hy__solo_job *job = &c->job;
  void *memory;
  HY_TRY(hy__solo_plan(f, &job->plan, err));
  HY_FAIL_IF(!job->plan->fits, HY_UNSUPPORTED, err,
             "the spec asks for more than one series' rows: hy_features_compute_series takes it");
  HY_FAIL_IF(o->n_fields > ARRAYS_MAX || f->n_features > ARRAYS_MAX - o->n_fields, HY_LIMIT, err,
             "%zu fields and %zu features are more than the %d arrays of a call", o->n_fields,
             f->n_features, (int)ARRAYS_MAX);
  HY_TRY(hy__arena_array(c->arena, job->plan->n_nodes, sizeof(uint32_t), &memory, err));
  job->field_of = memory;
  HY_TRY(hy__solo_bind(job->plan, o->fields, o->n_fields, memory, err));
  HY_TRY(hy__arena_array(c->arena, f->n_features, sizeof(hy_answer), &memory, err));
  hy_answer *answers = memory;
  for (size_t i = 0; o->answers && i < f->n_features; i++) {
    HY_FAIL_IF((unsigned)o->answers[i] > HY_ANSWER_ROW, HY_INVALID_ARGUMENT, err,
               "answer %zu is of no kind", i);
    answers[i] = o->answers[i];
  }
  job->answers = answers;
  job->isa = f->isa;
  job->n_fields = o->n_fields;
  job->window_bars = o->window_bars;
  return HY_OK;
}

hy_status hy_feature_call_create(const hy_features *features,
                                 const hy_feature_call_options *options, hy_feature_call **out,
                                 hy_error *err) {
  void *memory;
  HY_FAIL_IF(!features || !options || !out || options->struct_size < sizeof *options ||
                 !options->fields || !options->n_fields,
             HY_INVALID_ARGUMENT, err,
             "hy_feature_call_create: features, options with their struct_size and fields, and "
             "out must be given");
  HY_TRY(hy__alloc_zero(features->allocator, sizeof(hy_feature_call), &memory, err));
  hy_feature_call *c = memory;
  c->f = features;
  hy_status status = hy__arena_create(features->allocator, 1024, 0, &c->arena, err);
  if (status == HY_OK) status = bind(c, options, err);
  if (status == HY_OK)
    *out = c;
  else
    hy_feature_call_destroy(c);
  return status;
}

void hy_feature_call_destroy(hy_feature_call *call) {
  if (!call) return;
  hy__arena_destroy(call->arena);
  hy__free(call->f->allocator, call, sizeof *call);
}

/* The first row in which all fields have a value; n where there is none. */
static size_t first_row(const double *const *data, size_t n_fields, size_t n) {
  size_t t = 0;
  for (; t < n; t++) {
    double sum = 0.0; /* or NaN */
    for (size_t k = 0; k < n_fields; k++) sum += data[k][t] == data[k][t] ? 0.0 : (double)NAN;
    if (sum == sum) break;
  }
  return t;
}

static bool is_integer(hy_answer answer) {
  return answer == HY_ANSWER_I32 || answer == HY_ANSWER_ROW;
}

/* Leaves the rows before the series' begin, which are missing. */
static void *pass_over(void *out, hy_answer answer, size_t rows) {
  if (is_integer(answer)) {
    for (size_t t = 0; t < rows; t++) ((int32_t *)out)[t] = 0;
    return (int32_t *)out + rows;
  }
  for (size_t t = 0; t < rows; t++) ((double *)out)[t] = (double)NAN;
  return (double *)out + rows;
}

/* The arrays behind the last named parameter; false where one is NULL. */
static bool take_arrays(const hy__solo_job *job, size_t n_out, va_list args, const double **data,
                        void **out) {
  bool there = true;
  for (size_t k = 0; k < job->n_fields; k++) there &= (data[k] = va_arg(args, void *)) != NULL;
  for (size_t i = 0; i < n_out; i++) there &= (out[i] = va_arg(args, void *)) != NULL;
  return there;
}

hy_status hy_feature_call_run(const hy_feature_call *call, uint32_t n_bars, hy_error *err, ...) {
  const double *data[ARRAYS_MAX];
  void *out[ARRAYS_MAX];
  va_list args;
  HY_FAIL_IF(!call, HY_INVALID_ARGUMENT, err, "hy_feature_call_run: a call must be given");
  if (!n_bars) return HY_OK;
  hy__solo_job job = call->job;
  va_start(args, err);
  const bool there = take_arrays(&job, call->f->n_features, args, data, out);
  va_end(args);
  HY_FAIL_IF(!there, HY_INVALID_ARGUMENT, err,
             "hy_feature_call_run: an array for each of %zu fields and %zu features must be given",
             job.n_fields, call->f->n_features);
  const size_t begin = first_row(data, job.n_fields, n_bars);
  for (size_t k = 0; begin && k < job.n_fields; k++) data[k] += begin;
  for (size_t i = 0; begin && i < call->f->n_features; i++)
    out[i] = pass_over(out[i], job.answers[i], begin);
  job.data = data;
  job.out = out;
  job.n_bars = n_bars - begin;
  job.row = begin;
  return hy__solo_run(call->f, &job, err);
}
