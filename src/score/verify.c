/* SPDX-License-Identifier: Apache-2.0
 * hy_pipeline_verify: every checksum of a packed pipeline, then its golden bars scored again with
 * each instruction set, beside the golden answers. */
#include <math.h>

#include "score/golden.h"

/* Where another build wrote the file, or packed for another instruction set. */
static const double tolerance_of_scale = 1e-5, tolerance = 1e-6;

static size_t cells_of(const hy_tensor *t) { return (size_t)t->dims[0] * (size_t)t->dims[1]; }

static bool same_type(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank && a->dims[0] == b->dims[0] &&
         a->dims[1] == b->dims[1];
}

/* NaN is no score, on both sides or on neither. */
static bool near(const double *a, const double *b, size_t n, hy__replay *r) {
  double scale = 0, most = 0;
  bool paired = true;
  for (size_t k = 0; k < n; k++) {
    paired = paired && isnan(a[k]) == isnan(b[k]);
    if (isnan(a[k]) || isnan(b[k])) continue;
    scale = HY_MAX(scale, fabs(b[k]));
    most = HY_MAX(most, fabs(a[k] - b[k]));
  }
  r->max_abs = HY_MAX(r->max_abs, most);
  return paired && most <= tolerance_of_scale * scale + tolerance;
}

static void compare(const hy__golden *now, const hy__golden *then, hy__replay *r) {
  bool close_by = now->n == then->n;
  r->bit_equal = close_by;
  for (size_t k = 0; k < now->n && close_by; k++) {
    const hy_tensor *a = &now->tensors[k], *b = &then->tensors[k];
    close_by = strcmp(now->names[k], then->names[k]) == 0 && same_type(a, b);
    if (!close_by) break;
    size_t n = cells_of(a);
    bool same = memcmp(a->data, b->data, n * hy_dtype_bytes(a->dtype)) == 0;
    r->bit_equal = r->bit_equal && same;
    close_by = same || (a->dtype == HY_F64 && near(a->data, b->data, n, r));
  }
  r->bit_equal = r->bit_equal && close_by;
  r->ok = r->must_be_bits ? r->bit_equal : close_by;
}

static hy_status count_taken(const hy_pipeline *p, hy__replay *r, hy_error *err) {
  for (size_t m = 0; m < p->n_models; m++) {
    hy_session *session;
    HY_TRY(hy__pipeline_take(p, m, &session, err));
    r->n_taken += hy__part_n_taken(session);
    hy__pipeline_give(p, m, session);
  }
  return HY_OK;
}

static hy_status replay_scores(const hy__verifying *v, const hy_pipeline *p,
                               const hy__hyp_section *wanted, hy__replay *r, hy_error *err) {
  hy__golden then, now;
  hy_score_result *result;
  HY_TRY(hy__golden_read(wanted, v->arena, &then, err));
  bool shaped = then.n && then.tensors[0].rank == 2 && then.tensors[0].dims[0] > 0;
  HY_FAIL_IF(!shaped, HY_BAD_FORMAT, err, "the golden answers are malformed");
  HY_TRY(hy__score_panel(p, v->ctx, (size_t)then.tensors[0].dims[0], &result, err));
  hy_status status = hy__golden_answers(result, v->arena, &now, err);
  if (status == HY_OK) compare(&now, &then, r);
  if (status == HY_OK) status = count_taken(p, r, err);
  hy_score_result_destroy(result);
  return status;
}

static hy_status replay_pipeline(hy__verifying *v, hy_runtime *runtime,
                                 const hy__hyp_section *wanted, hy__replay *r, hy_error *err) {
  hy_pipeline *pipeline;
  HY_TRY(hy_pipeline_open(runtime, v->path, &pipeline, err));
  hy_status status = replay_scores(v, pipeline, wanted, r, err);
  hy_pipeline_destroy(pipeline);
  return status;
}

static hy_status take_bars(hy__verifying *v, hy_error *err) {
  hy_panel *bars = v->ctx;
  HY_FAIL_IF(!hy__hyp_find(&v->file, HY__HYP_PIPELINE, 0, ""), HY_BAD_FORMAT, err,
             "the container holds no pipeline");
  HY_TRY(hy__golden_to_panel(&v->input, v->arena, bars, err));
  v->n_bars = bars->n_bars, v->n_symbols = bars->n_symbols;
  return HY_OK;
}

hy_status hy_pipeline_verify(hy_runtime *runtime, const char *path, bool json, const hy_sink *sink,
                             bool *ok, hy_error *err) {
  hy_panel bars;
  hy__verifying v = {.runtime = runtime,
                     .path = path,
                     .begin = take_bars,
                     .replay = replay_pipeline,
                     .ctx = &bars};
  return hy__verify(&v, json, sink, ok, err);
}
