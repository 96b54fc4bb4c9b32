/* SPDX-License-Identifier: Apache-2.0
 * scores.csv and daily.csv, and the same panels as scores.npz. Numbers in the shortest form that
 * reads back the same; a missing value is an empty field. */
#include <hayate/array.h>

#include <math.h>
#include <stdio.h>

#include "score/write.h"

/* Rows are gathered in a buffer of this size before they go to the sink. */
enum { LINE_BUFFER = 1 << 16 };

typedef struct csv {
  const hy_sink *sink;
  hy__buffer buffer;
} csv;

static hy_status csv_flush(csv *c, size_t at_least, hy_error *err) {
  if (c->buffer.len_bytes < at_least) return HY_OK;
  HY_TRY(hy__sink_write(c->sink, c->buffer.data, c->buffer.len_bytes, err));
  c->buffer.len_bytes = 0;
  return HY_OK;
}

static hy_status put(csv *c, const char *text, size_t bytes, hy_error *err) {
  return hy__buffer_append(&c->buffer, text, bytes, err);
}

static hy_status put_f64(csv *c, double v, hy_error *err) {
  char text[HY_NUMBER_TEXT];
  HY_TRY(put(c, ",", 1, err));
  return isnan(v) ? HY_OK : put(c, text, hy__format_f64(v, text), err);
}

static hy_status put_i64(csv *c, int64_t v, hy_error *err) {
  char text[HY_NUMBER_TEXT];
  HY_TRY(put(c, ",", 1, err));
  return put(c, text, hy__format_i64(v, text), err);
}

/* RFC 4180: quoted where it holds a comma, a quote or a line end. */
static hy_status put_text(csv *c, const char *text, hy_error *err) {
  if (!strpbrk(text, ",\"\r\n")) return put(c, text, strlen(text), err);
  HY_TRY(put(c, "\"", 1, err));
  for (; *text; text++) HY_TRY(put(c, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1, err));
  return put(c, "\"", 1, err);
}

static hy_status score_line(csv *c, const hy_score_result *r, const char *time, size_t row,
                            size_t s, hy_error *err) {
  size_t cell = hy__result_cell(r, row, s), plane = r->n_rows * r->n_symbols;
  HY_TRY(put(c, time, strlen(time), err));
  HY_TRY(put(c, ",", 1, err));
  HY_TRY(put_text(c, r->info.symbols[s], err));
  HY_TRY(put_f64(c, r->score[cell], err));
  HY_TRY(r->rank[cell] ? put_i64(c, r->rank[cell], err) : put(c, ",", 1, err));
  int32_t change = hy__result_rank_change(r, row, s);
  HY_TRY(change != INT32_MIN ? put_i64(c, change, err) : put(c, ",", 1, err));
  HY_TRY(put_f64(c, r->close[cell], err));
  bool known = r->age_bars[cell] != UINT32_MAX;
  HY_TRY(known ? put_i64(c, r->age_bars[cell], err) : put(c, ",", 1, err));
  HY_TRY(put(c, ",", 1, err));
  const char *word = r->flag[cell] ? hy__flag_word(r->flag[cell]) : "";
  HY_TRY(put(c, word, strlen(word), err));
  for (size_t m = 0; m < r->n_models; m++)
    HY_TRY(put_f64(c, r->model_score[m * plane + cell], err));
  return put(c, "\n", 1, err);
}

static hy_status score_lines(csv *c, const hy_score_result *r, uint32_t *order, hy_error *err) {
  static const char head[] = "time,symbol,score,rank,rank_change,close,age_bars,flags";
  HY_TRY(put(c, head, sizeof head - 1, err));
  for (size_t m = 0; m < r->n_models; m++) {
    HY_TRY(put(c, ",", 1, err));
    HY_TRY(put_text(c, r->pipeline->models[m].name, err));
  }
  HY_TRY(put(c, "\n", 1, err));
  for (size_t row = r->n_lead; row < r->n_rows; row++) {
    char time[40];
    hy__time_format(hy__result_time_ns(r, row), time);
    hy__result_order(r, row, order);
    for (size_t k = 0; k < r->n_symbols; k++) {
      HY_TRY(score_line(c, r, time, row, order[k], err));
      HY_TRY(csv_flush(c, LINE_BUFFER / 2, err));
    }
  }
  return csv_flush(c, 1, err);
}

static void csv_open(csv *c, const hy_score_result *r, const hy_sink *sink) {
  c->sink = sink;
  hy__buffer_init(&c->buffer, r->allocator, 16 << 20);
}

hy_status hy__write_scores(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  csv c;
  csv_open(&c, r, sink);
  void *order = NULL;
  hy_status status = hy__alloc_array(r->allocator, r->n_symbols, sizeof(uint32_t), &order, err);
  if (status == HY_OK) status = score_lines(&c, r, order, err);
  hy__free(r->allocator, order, r->n_symbols * sizeof(uint32_t));
  hy__buffer_destroy(&c.buffer);
  return status;
}

static hy_status daily_lines(csv *c, const hy_score_result *r, hy_error *err) {
  static const char head[] = "time,ic,rank_ic,return,turnover\n";
  const hy__evaluation *e = &r->evaluation;
  HY_TRY(put(c, head, sizeof head - 1, err));
  for (size_t k = 0; k < r->n_rows - r->n_lead; k++) {
    char time[40];
    hy__time_format(hy__result_time_ns(r, r->n_lead + k), time);
    HY_TRY(put(c, time, strlen(time), err));
    const double cells[] = {e->row_ic[k], e->row_rank_ic[k], e->row_return[k], e->row_turnover[k]};
    for (size_t j = 0; j < HY_COUNT(cells); j++) HY_TRY(put_f64(c, cells[j], err));
    HY_TRY(put(c, "\n", 1, err));
    HY_TRY(csv_flush(c, LINE_BUFFER / 2, err));
  }
  return csv_flush(c, 1, err);
}

hy_status hy__write_daily(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  csv c;
  csv_open(&c, r, sink);
  hy_status status = daily_lines(&c, r, err);
  hy__buffer_destroy(&c.buffer);
  return status;
}

static hy_tensor panel(const void *data, hy_dtype dtype, size_t rows, size_t columns) {
  hy_tensor t = {.dtype = dtype, .rank = 2};
  t.data = (void *)(uintptr_t)data;
  t.dims[0] = (int64_t)rows;
  t.dims[1] = (int64_t)columns;
  return t;
}

static hy_tensor vector(const void *data, hy_dtype dtype, size_t n) {
  hy_tensor t = {.dtype = dtype, .rank = 1};
  t.data = (void *)(uintptr_t)data;
  t.dims[0] = (int64_t)n;
  return t;
}

hy_status hy__write_npz(const hy_score_result *r, const char *path, hy_error *err) {
  enum { N_OWN = 5 };
  const char *names[N_OWN + HY__PIPELINE_MODELS_MAX] = {"time", "symbol", "score", "rank", "flag"};
  hy_tensor tensors[N_OWN + HY__PIPELINE_MODELS_MAX];
  char keys[HY__PIPELINE_MODELS_MAX][128];
  size_t rows = r->n_rows - r->n_lead, n = r->n_symbols, skip = r->n_lead * n,
         plane = r->n_rows * n;
  void *memory = NULL;
  HY_TRY(hy__alloc_array(r->allocator, n, sizeof(hy_string), &memory, err));
  hy_string *symbols = memory;
  for (size_t s = 0; s < n; s++)
    symbols[s] = (hy_string){r->info.symbols[s], strlen(r->info.symbols[s])};
  tensors[0] = vector(r->info.time_ns + r->row_begin + r->n_lead, HY_I64, rows);
  tensors[1] = vector(symbols, HY_STRING, n);
  tensors[2] = panel(r->score + skip, HY_F64, rows, n);
  tensors[3] = panel(r->rank + skip, HY_U32, rows, n);
  tensors[4] = panel(r->flag + skip, HY_U8, rows, n);
  for (size_t m = 0; m < r->n_models; m++) {
    snprintf(keys[m], sizeof keys[m], "model.%s", r->pipeline->models[m].name);
    names[N_OWN + m] = keys[m];
    tensors[N_OWN + m] = panel(r->model_score + m * plane + skip, HY_F64, rows, n);
  }
  hy_status status =
      hy_arrays_write(r->pipeline->runtime, path, names, tensors, N_OWN + r->n_models, err);
  hy__free(r->allocator, symbols, n * sizeof(hy_string));
  return status;
}
