/* SPDX-License-Identifier: Apache-2.0
 * The answer for machines: `score --json`, evaluation.json and run.json, by one writer of each
 * part. */
#include <hayate/version.h>

#include <math.h>

#include "codec/codec.h"
#include "score/write.h"

static void write_totals(const hy_score_result *r, hy__json_writer *w) {
  const hy_score_totals *t = &r->totals;
  hy__json_member_i64(w, "symbols", (int64_t)t->symbols);
  hy__json_member_i64(w, "scored", (int64_t)t->scored);
  hy__json_member_i64(w, "failed", (int64_t)t->failed);
  hy__json_member_i64(w, "bars", (int64_t)t->bars);
  hy__json_member_i64(w, "features", (int64_t)t->features);
  hy__json_member_f64(w, "load_ms", (double)r->load_ns * 1e-6);
  hy__json_member_f64(w, "read_ms", t->read_ms);
  hy__json_member_f64(w, "features_ms", t->features_ms);
  hy__json_member_f64(w, "inference_ms", t->inference_ms);
  hy__json_member_f64(w, "write_ms", t->write_ms);
  hy__json_member_f64(w, "elapsed_ms", t->elapsed_ms);
  hy__json_member_f64(w, "symbols_per_s", t->symbols_per_s);
  hy__json_member_i64(w, "peak_anon_bytes", (int64_t)t->peak_anon_bytes);
  hy__json_member_i64(w, "peak_rss_bytes", (int64_t)t->peak_rss_bytes);
}

static void write_metrics(const hy__evaluation *e, hy__json_writer *w) {
#define HY_METRIC(field, label, format, doc) hy__json_member_f64(w, #field, e->field);
#include "score/metric.inc"
#undef HY_METRIC
}

static void write_baselines(const hy_score_result *r, hy__json_writer *w) {
  static const char *const names[HY__N_BASELINES] = {
      [HY__BASELINE_ZERO] = "zero", [HY__BASELINE_LAST_RETURN] = "last_return"};
  hy__json_key(w, "baselines");
  hy__json_object_begin(w);
  for (int k = 0; k < HY__N_BASELINES; k++) {
    hy__json_key(w, names[k]);
    hy__json_object_begin(w);
    write_metrics(&r->baselines[k], w);
    hy__json_object_end(w);
  }
  hy__json_object_end(w);
}

static void write_time(const hy_score_result *r, const char *key, size_t row, hy__json_writer *w) {
  char text[40];
  hy__time_format(hy__result_time_ns(r, row), text);
  hy__json_member_text(w, key, text);
}

static void write_range(const hy_score_result *r, hy__json_writer *w) {
  write_time(r, "from", r->n_lead, w);
  write_time(r, "to", r->n_rows - 1, w);
  hy__json_member_text(w, "history", r->history == HY_HISTORY_STABLE ? "stable" : "full");
  hy__json_member_i64(w, "history_bars", (int64_t)r->history_bars);
}

hy_status hy_score_write_json(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  HY_FAIL_IF(!r || !sink, HY_INVALID_ARGUMENT, err, "result and sink are required");
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "pipeline", r->pipeline->name);
  write_range(r, &w);
  write_totals(r, &w);
  if (r->evaluated) {
    write_metrics(&r->evaluation, &w);
    write_baselines(r, &w);
  }
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

static void write_buckets(const hy__evaluation *e, hy__json_writer *w) {
  hy__json_key(w, "buckets");
  hy__json_array_begin(w);
  for (size_t k = 0; k < e->n_buckets; k++) {
    hy__json_object_begin(w);
    hy__json_member_i64(w, "n", (int64_t)e->bucket_n[k]);
    hy__json_member_f64(w, "mean_score", e->bucket_score[k]);
    hy__json_member_f64(w, "mean_label", e->bucket_label[k]);
    hy__json_object_end(w);
  }
  hy__json_array_end(w);
}

hy_status hy__write_evaluation(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  const hy__evaluation *e = &r->evaluation;
  hy__json_writer w;
  hy__json_begin(&w, *sink, 2);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "pipeline", r->pipeline->name);
  write_range(r, &w);
  hy__json_member_text(&w, "label", "fwd");
  hy__json_member_i64(&w, "horizon", (int64_t)r->pipeline->horizon);
  hy__json_member_bool(&w, "over_time", e->over_time);
  hy__json_member_i64(&w, "times", (int64_t)e->n_times);
  hy__json_member_i64(&w, "labels", (int64_t)e->n_labels);
  write_metrics(e, &w);
  hy__json_member_f64(&w, "ic_t_newey_west", e->ic_t_newey_west);
  hy__json_member_f64(&w, "mean_return", e->mean_return);
  hy__json_member_f64(&w, "total_return", e->total_return);
  hy__json_member_f64(&w, "cost_bps", r->pipeline->decision.cost_bps);
  write_buckets(e, &w);
  write_baselines(r, &w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

static void write_models(const hy_score_result *r, hy__json_writer *w) {
  hy__json_key(w, "models");
  hy__json_array_begin(w);
  for (size_t k = 0; k < r->n_models; k++) {
    const hy__pipeline_model *m = &r->pipeline->models[k];
    const void *data;
    size_t bytes;
    char hex[65];
    hy__part_bytes(m->model, &data, &bytes);
    hy__sha256_hex(data, bytes, hex);
    hy__json_object_begin(w);
    hy__json_member_text(w, "name", m->name);
    hy__json_member_text(w, "file", m->path);
    hy__json_member_text(w, "sha256", hex);
    hy__json_member_i64(w, "window", (int64_t)m->window);
    hy__json_member_f64(w, "weight", m->weight);
    hy__json_object_end(w);
  }
  hy__json_array_end(w);
}

static void write_flags(const hy_score_result *r, hy__json_writer *w) {
  size_t count[256] = {0};
  for (size_t s = 0; s < r->n_symbols; s++) count[r->flag[hy__result_cell(r, r->n_rows - 1, s)]]++;
  hy__json_key(w, "flags");
  hy__json_object_begin(w);
  for (size_t k = 0; k < HY_COUNT(count); k++) {
    if (count[k]) hy__json_member_i64(w, hy__flag_word((uint8_t)k), (int64_t)count[k]);
  }
  hy__json_object_end(w);
}

static void write_universe(const hy_score_result *r, hy__json_writer *w) {
  hy__json_key(w, "universe");
  hy__json_object_begin(w);
  hy__json_member_text(w, "file", r->universe_path);
  if (r->actions_path) hy__json_member_text(w, "actions", r->actions_path);
  hy__json_member_text(w, "timeframe", r->info.timeframe);
  hy__json_member_text(w, "zone", r->info.zone);
  hy__json_member_text(w, "calendar", r->info.calendar);
  hy__json_member_text(w, "source", r->info.source);
  hy__json_object_end(w);
}

hy_status hy__write_run(const hy_score_result *r, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 2);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "hayate", hy_version());
  hy__json_member_text(&w, "isa", hy_isa_name(hy_runtime_isa(r->pipeline->runtime)));
  hy__json_member_i64(&w, "threads", r->n_workers);
  hy__json_member_text(&w, "pipeline", r->pipeline->name);
  hy__json_member_text(&w, "pipeline_file", r->pipeline->path);
  hy__json_member_text(&w, "spec_sha256", r->pipeline->spec.spec_sha256);
  if (r->pipeline->spec.fit_sha256)
    hy__json_member_text(&w, "fit_sha256", r->pipeline->spec.fit_sha256);
  write_universe(r, &w);
  write_range(r, &w);
  write_models(r, &w);
  write_flags(r, &w);
  write_totals(r, &w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}
