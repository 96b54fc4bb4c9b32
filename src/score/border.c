/* SPDX-License-Identifier: Apache-2.0
 * The model's border: float64 features become the tensors a model takes, with one rounding, the
 * `missing` policy applied, and the answers put into the model's panel. */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "score/job.h"

enum { ELEMENTS_MAX = 1 << 28 }; /* of one input's batch: 1 GiB of float32 */

static size_t input_elements(const hy__pipeline_input *in) { return in->window * in->n_features; }

static void input_dims(const hy__pipeline_input *in, size_t batch, hy_tensor *t) {
  int64_t b = (int64_t)batch, w = (int64_t)in->window, f = (int64_t)in->n_features;
  t->dtype = in->dtype;
  t->rank = in->rank;
  if (in->rank == 2) {
    t->dims[0] = b, t->dims[1] = w * f;
  } else if (in->layout == HY__LAYOUT_TBF) {
    t->dims[0] = w, t->dims[1] = b, t->dims[2] = f;
  } else {
    bool time_first = in->layout == HY__LAYOUT_BTF;
    t->dims[0] = b, t->dims[1] = time_first ? w : f, t->dims[2] = time_first ? f : w;
  }
}

static hy_status batch_buffers(hy__batch *b, const hy_allocator *a, hy_error *err) {
  void *memory = NULL;
  for (size_t k = 0; k < b->model->n_inputs; k++) {
    const hy__pipeline_input *in = &b->model->inputs[k];
    size_t elements = 0;
    HY_FAIL_IF(!hy__mul(input_elements(in), b->capacity, &elements) || elements > ELEMENTS_MAX,
               HY_LIMIT, err,
               "model '%s': %zu samples of %zu rows of %zu features are too large for one batch",
               b->model->name, b->capacity, in->window, in->n_features);
    HY_TRY(hy__alloc_array(a, elements, hy_dtype_bytes(in->dtype), &memory, err));
    memset(memory, 0, elements * hy_dtype_bytes(in->dtype));
    b->data[k] = memory;
    hy_tensor *t = &b->in[in->port];
    input_dims(in, b->capacity, t);
    t->data = memory;
  }
  for (size_t k = 0; k < b->model->n_inputs; k++)
    if (b->model->inputs[k].timeframe)
      b->n_slower = HY_MAX(b->n_slower, b->model->inputs[k].window);
  HY_TRY(hy__alloc_array(a, b->n_slower, sizeof(double *), &memory, err));
  b->slower = memory;
  HY_TRY(hy__alloc_array(a, b->capacity, sizeof(size_t), &memory, err));
  b->cell = memory;
  return HY_OK;
}

hy_status hy__batch_init(hy__batch *b, const hy_pipeline *p, size_t model, hy_score_result *r,
                         size_t n_samples, hy_error *err) {
  b->model = &p->models[model];
  b->capacity = b->model->window > 1 ? HY__JOB_BATCH_WINDOWED : HY__JOB_BATCH_ROWS;
  b->capacity = HY_MAX(HY_MIN(b->capacity, n_samples), (size_t)1);
  if (b->model->batch) b->capacity = b->model->batch;
  size_t plane = r->n_rows * r->n_symbols;
  b->score = r->model_score + model * plane;
  b->flag = r->model_flag + model * plane;
  HY_TRY(batch_buffers(b, r->allocator, err));
  hy_status status = hy__pipeline_take(p, model, &b->session, err);
  if (status != HY_OK) hy__error_subject(err, b->model->path);
  return status;
}

void hy__batch_destroy(hy__batch *b, const hy_pipeline *p, const hy_allocator *a) {
  if (!b->model) return;
  for (size_t k = 0; k < b->model->n_inputs; k++) {
    const hy__pipeline_input *in = &b->model->inputs[k];
    hy__free(a, b->data[k], input_elements(in) * b->capacity * hy_dtype_bytes(in->dtype));
  }
  hy__free(a, b->slower, b->n_slower * sizeof(double *));
  hy__free(a, b->cell, b->capacity * sizeof(size_t));
  hy__pipeline_give(p, (size_t)(b->model - p->models), b->session);
}

/* One row to float32; false when a cell is missing or too large for it (then NaN). */
static bool row_f32(const double *src, const hy__pipeline_input *in, float *dst) {
  bool whole = true;
  if (in->in_order) {
    for (size_t j = 0; j < in->n_features; j++) {
      float v = (float)src[j];
      bool ok = fabsf(v) <= FLT_MAX;
      dst[j] = ok ? v : NAN;
      whole &= ok;
    }
    return whole;
  }
  for (size_t j = 0; j < in->n_features; j++) {
    float v = (float)src[in->features[j]];
    bool ok = fabsf(v) <= FLT_MAX;
    dst[j] = ok ? v : NAN;
    whole &= ok;
  }
  return whole;
}

static bool row_f64(const double *src, const hy__pipeline_input *in, double *dst) {
  bool whole = true;
  for (size_t j = 0; j < in->n_features; j++) {
    dst[j] = src[in->features[j]];
    whole &= !isnan(dst[j]);
  }
  return whole;
}

static void fill_missing_f32(float *x, size_t n, float value) {
  for (size_t k = 0; k < n; k++) x[k] = isnan(x[k]) ? value : x[k];
}

static void fill_missing_f64(double *x, size_t n, double value) {
  for (size_t k = 0; k < n; k++) x[k] = isnan(x[k]) ? value : x[k];
}

/* Where row w of the sample begins in the tensor, and how far apart its features lie, in elements.
 */
static size_t row_place(const hy__pipeline_input *in, size_t batch, size_t sample, size_t w,
                        size_t *stride) {
  *stride = 1;
  if (in->rank == 3 && in->layout == HY__LAYOUT_BFT) {
    *stride = in->window;
    return sample * input_elements(in) + w;
  }
  if (in->rank == 3 && in->layout == HY__LAYOUT_TBF) return (w * batch + sample) * in->n_features;
  return sample * input_elements(in) + w * in->n_features;
}

/* Converts one row and stores it; false when a cell is missing. Strided rows go through a small
 * buffer. */
static bool put_row(hy__batch *b, size_t input, const double *src, size_t w) {
  const hy__pipeline_input *in = &b->model->inputs[input];
  size_t stride, at = row_place(in, b->capacity, b->n, w, &stride);
  bool is_f32 = in->dtype == HY_F32, fill = b->model->missing == HY__MISSING_VALUE;
  float *f32 = (float *)b->data[input] + at;
  double *f64 = (double *)b->data[input] + at;
  bool whole;
  if (stride == 1) {
    whole = is_f32 ? row_f32(src, in, f32) : row_f64(src, in, f64);
    if (!whole && fill && is_f32)
      fill_missing_f32(f32, in->n_features, (float)b->model->missing_value);
    if (!whole && fill && !is_f32) fill_missing_f64(f64, in->n_features, b->model->missing_value);
    return whole;
  }
  whole = true;
  for (size_t j = 0; j < in->n_features; j++) {
    double v = src[in->features[j]];
    bool ok = is_f32 ? fabsf((float)v) <= FLT_MAX : !isnan(v);
    if (!ok) v = fill ? b->model->missing_value : NAN;
    if (is_f32) {
      f32[j * stride] = (float)v;
    } else {
      f64[j * stride] = v;
    }
    whole &= ok;
  }
  return whole;
}

/* True when some cell of the sample's last row is there: a sample of nothing but missing cells is
 * no sample. */
static bool any_present(const hy__pipeline_model *m, const double *row) {
  for (size_t k = 0; k < m->n_inputs; k++) {
    if (m->inputs[k].timeframe) return true; /* its own windows are looked at below */
    for (size_t j = 0; j < m->inputs[k].n_features; j++) {
      if (!isnan(row[m->inputs[k].features[j]])) return true;
    }
  }
  return false;
}

static const double *lane_row(const hy__lane_rows *lane, size_t used) {
  size_t row = lane->rows ? lane->rows[used] : used;
  return lane->features + row * lane->n_features;
}

/* The rows of one input's window; false when the symbol has fewer. */
static bool find_rows(hy__batch *b, const hy__lane_rows *lane, size_t last,
                      const hy__pipeline_input *in) {
  if (!in->timeframe) return last + 1 >= in->window;
  const size_t row = lane->rows ? lane->rows[last] : last;
  return hy__feature_bars_last(b->bars[in->timeframe], lane->symbol, lane->t_begin + row,
                               in->window, b->slower) == in->window;
}

hy_status hy__batch_add(hy__batch *b, const hy__lane_rows *lane, size_t last, size_t cell,
                        hy_error *err) {
  const hy__pipeline_model *m = b->model;
  if (last + 1 < m->window) {
    b->flag[cell] = HY__FLAG_SHORT_HISTORY;
    return HY_OK;
  }
  if (!any_present(m, lane_row(lane, last))) {
    b->flag[cell] = HY__FLAG_MISSING;
    return HY_OK;
  }
  for (size_t k = 0; k < m->n_inputs; k++) {
    const hy__pipeline_input *in = &m->inputs[k];
    if (!find_rows(b, lane, last, in)) {
      b->flag[cell] = HY__FLAG_SHORT_HISTORY;
      return HY_OK;
    }
    for (size_t w = 0; w < in->window; w++) {
      const double *row = in->timeframe ? b->slower[w] : lane_row(lane, last + 1 - in->window + w);
      bool whole = put_row(b, k, row, w);
      if (!whole && m->missing == HY__MISSING_REFUSE) {
        b->flag[cell] = HY__FLAG_MISSING;
        return HY_OK;
      }
    }
  }
  b->cell[b->n++] = cell;
  return b->n == b->capacity ? hy__batch_flush(b, err) : HY_OK;
}

static double element(const hy_tensor *t, size_t k) {
  switch (t->dtype) {
  case HY_F32: return (double)((const float *)t->data)[k];
  case HY_F64: return ((const double *)t->data)[k];
  case HY_I64: return (double)((const int64_t *)t->data)[k];
  case HY_I32: return (double)((const int32_t *)t->data)[k];
  default: return NAN;
  }
}

static hy_status refuse_output(const hy__batch *b, const hy_tensor *out, hy_error *err) {
  char dims[128] = "";
  size_t used = 0;
  for (int32_t k = 0; k < out->rank && used < sizeof dims - 24; k++) {
    char text[HY_NUMBER_TEXT];
    hy__format_i64(out->dims[k], text);
    used += (size_t)HY_MAX(snprintf(dims + used, sizeof dims - used, k ? ", %s" : "%s", text), 0);
  }
  hy__error_set(
      err, HY_MISMATCH,
      "output '%s' of model '%s' gives %s [%s] for a batch of %zu: expected a number per row, or "
      "NAME[k] to take column k",
      b->model->output, b->model->name, hy_dtype_name(out->dtype), dims, b->capacity);
  return HY_MISMATCH;
}

/* Elements of the output per sample, and which of them is the score: column k of the last axis, of
 * the last step. */
static hy_status locate_score(const hy__batch *b, const hy_tensor *out, size_t *per_sample,
                              size_t *at, hy_error *err) {
  size_t elements = 0;
  bool numeric =
      out->dtype == HY_F32 || out->dtype == HY_F64 || out->dtype == HY_I64 || out->dtype == HY_I32;
  if (!numeric || !hy__shape_bytes(out->dims, out->rank, 0, &elements))
    return refuse_output(b, out, err);
  bool batched = out->rank >= 1 && out->dims[0] == (int64_t)b->capacity;
  if (!batched && !(b->capacity == 1 && elements >= 1)) return refuse_output(b, out, err);
  *per_sample = elements / b->capacity;
  size_t columns = out->rank >= 2 || !batched ? (size_t)out->dims[HY_MAX(out->rank - 1, 0)] : 1;
  if (out->rank == 0) columns = 1;
  if (b->model->column < 0) {
    *at = *per_sample - 1;
    return *per_sample == 1 ? HY_OK : refuse_output(b, out, err);
  }
  if ((size_t)b->model->column >= columns || *per_sample < columns)
    return refuse_output(b, out, err);
  *at = *per_sample - columns + (size_t)b->model->column;
  return HY_OK;
}

/* Zeroes the rows of a part batch that no sample took: what a worker ran before must not show in a
 * model that lets rows see each other. */
static void clear_rest(hy__batch *b) {
  size_t rest = b->capacity - b->n;
  for (size_t k = 0; k < b->model->n_inputs && rest; k++) {
    const hy__pipeline_input *in = &b->model->inputs[k];
    size_t each = hy_dtype_bytes(in->dtype) * in->n_features, rows = in->window;
    uint8_t *data = b->data[k];
    if (in->rank == 3 && in->layout == HY__LAYOUT_TBF) {
      for (size_t w = 0; w < rows; w++)
        memset(data + (w * b->capacity + b->n) * each, 0, rest * each);
    } else {
      memset(data + b->n * rows * each, 0, rest * rows * each);
    }
  }
}

hy_status hy__batch_flush(hy__batch *b, hy_error *err) {
  if (b->n == 0) return HY_OK;
  clear_rest(b);
  hy_tensor out = {0};
  hy_status status = hy_session_run(b->session, b->in, b->model->n_inputs, &out, 1, err);
  if (status != HY_OK) {
    hy__error_subject(err, b->model->path);
    return status;
  }
  size_t per_sample = 0, at = 0;
  HY_TRY(locate_score(b, &out, &per_sample, &at, err));
  for (size_t k = 0; k < b->n; k++) {
    double v = element(&out, k * per_sample + at);
    bool ok = isfinite(v);
    b->score[b->cell[k]] = ok ? v : NAN;
    b->flag[b->cell[k]] = ok ? HY__FLAG_OK : HY__FLAG_NOT_FINITE;
  }
  b->n = 0;
  return HY_OK;
}
