/* SPDX-License-Identifier: Apache-2.0
 * hy_pipeline_inspect: what a pipeline is, packed or not, for people and machines. */
#include "score/pipeline.h"

static const char *const layout_names[] = {"btf", "bft", "tbf", "flat"};
static const char *const missing_names[] = {"refuse", "nan", "value"};
static const char *const combine_names[] = {"mean", "weighted", "zscore_mean", "median", "one"};

static size_t model_bytes(const hy__pipeline_model *m) {
  const void *data;
  size_t bytes;
  hy__part_bytes(m->model, &data, &bytes);
  return bytes;
}

/* --- text --- */

static hy_status text_model(const hy__pipeline_model *m, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "  %s: %s, %zu bytes; weight %g, missing: %s\n", m->name,
                         m->path, model_bytes(m), m->weight, missing_names[m->missing]));
  for (size_t k = 0; k < m->n_inputs; k++) {
    const hy__pipeline_input *in = &m->inputs[k];
    HY_TRY(hy__sink_printf(sink, err, "    in  %s: %zu rows of %zu features, %s, %s\n",
                           hy_model_input(m->model, in->port)->name, in->window, in->n_features,
                           layout_names[in->layout], hy_dtype_name(in->dtype)));
  }
  if (m->column < 0) return hy__sink_printf(sink, err, "    out %s\n", m->output);
  return hy__sink_printf(sink, err, "    out %s[%lld]\n", m->output, (long long)m->column);
}

static hy_status text_sections(const hy_pipeline *p, const hy_sink *sink, hy_error *err) {
  if (!hy__pipeline_packed(p)) return HY_OK;
  HY_TRY(hy__sink_printf(sink, err, "packed by hayate %s, %zu bytes in %zu sections:\n",
                         p->container.version, p->map.bytes, p->container.n));
  for (size_t k = 0; k < p->container.n; k++) {
    const hy__hyp_section *s = &p->container.sections[k];
    HY_TRY(hy__sink_printf(sink, err, "  %12zu  %s%s%s\n", s->bytes, s->owner,
                           *s->owner ? ": " : "", s->name));
  }
  return HY_OK;
}

static hy_status render_text(const hy_pipeline *p, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "pipeline %s\nspec %s\n%zu features, lookback %zu bars:",
                         p->name, p->spec.spec_sha256, p->spec.n_features, p->spec.lookback_bars));
  for (size_t k = 0; k < p->spec.n_features; k++)
    HY_TRY(hy__sink_printf(sink, err, " %s", p->spec.names[k]));
  if (p->spec.fit_sha256) HY_TRY(hy__sink_printf(sink, err, "\nfit %s", p->spec.fit_sha256));
  HY_TRY(hy__sink_printf(sink, err, "\n%zu models, combined by %s over %zu rows:\n", p->n_models,
                         combine_names[p->combine], p->window));
  for (size_t k = 0; k < p->n_models; k++) HY_TRY(text_model(&p->models[k], sink, err));
  return text_sections(p, sink, err);
}

/* --- JSON --- */

static void json_model(const hy__pipeline_model *m, hy__json_writer *w) {
  hy__json_object_begin(w);
  hy__json_member_text(w, "name", m->name);
  hy__json_member_text(w, "file", m->path);
  hy__json_member_i64(w, "bytes", (int64_t)model_bytes(m));
  hy__json_member_f64(w, "weight", m->weight);
  hy__json_member_text(w, "missing", missing_names[m->missing]);
  hy__json_member_text(w, "output", m->output);
  if (m->column >= 0) hy__json_member_i64(w, "column", m->column);
  hy__json_key(w, "inputs");
  hy__json_array_begin(w);
  for (size_t k = 0; k < m->n_inputs; k++) {
    const hy__pipeline_input *in = &m->inputs[k];
    hy__json_object_begin(w);
    hy__json_member_text(w, "name", hy_model_input(m->model, in->port)->name);
    hy__json_member_text(w, "dtype", hy_dtype_name(in->dtype));
    hy__json_member_text(w, "layout", layout_names[in->layout]);
    hy__json_member_i64(w, "window", (int64_t)in->window);
    hy__json_member_i64(w, "features", (int64_t)in->n_features);
    hy__json_object_end(w);
  }
  hy__json_array_end(w);
  hy__json_object_end(w);
}

static void json_sections(const hy_pipeline *p, hy__json_writer *w) {
  hy__json_member_bool(w, "packed", hy__pipeline_packed(p));
  if (!hy__pipeline_packed(p)) return;
  hy__json_member_text(w, "version", p->container.version);
  hy__json_key(w, "sections");
  hy__json_array_begin(w);
  for (size_t k = 0; k < p->container.n; k++) {
    const hy__hyp_section *s = &p->container.sections[k];
    hy__json_object_begin(w);
    hy__json_member_i64(w, "kind", s->kind);
    hy__json_member_text(w, "owner", s->owner);
    hy__json_member_text(w, "name", s->name);
    hy__json_member_i64(w, "bytes", (int64_t)s->bytes);
    hy__json_object_end(w);
  }
  hy__json_array_end(w);
}

static hy_status render_json(const hy_pipeline *p, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_text(&w, "pipeline", p->name);
  hy__json_member_text(&w, "spec_sha256", p->spec.spec_sha256);
  if (p->spec.fit_sha256) hy__json_member_text(&w, "fit_sha256", p->spec.fit_sha256);
  hy__json_key(&w, "features");
  hy__json_array_begin(&w);
  for (size_t k = 0; k < p->spec.n_features; k++) hy__json_text(&w, p->spec.names[k]);
  hy__json_array_end(&w);
  hy__json_member_i64(&w, "lookback_bars", (int64_t)p->spec.lookback_bars);
  hy__json_member_i64(&w, "window", (int64_t)p->window);
  hy__json_member_text(&w, "combine", combine_names[p->combine]);
  hy__json_key(&w, "models");
  hy__json_array_begin(&w);
  for (size_t k = 0; k < p->n_models; k++) json_model(&p->models[k], &w);
  hy__json_array_end(&w);
  json_sections(p, &w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

hy_status hy_pipeline_inspect(const hy_pipeline *pipeline, bool json, const hy_sink *sink,
                              hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!pipeline || !sink, HY_INVALID_ARGUMENT, err, "pipeline and sink must not be NULL");
  return json ? render_json(pipeline, sink, err) : render_text(pipeline, sink, err);
}
