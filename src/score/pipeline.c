/* SPDX-License-Identifier: Apache-2.0
 * Reading a pipeline file: names, spec, combination, label and decision; the models are
 * pipeline_models.c's. Form: docs/pipeline.md. */
#include <stdio.h>

#include "score/pipeline.h"

static const char *const top_keys[] = {"pipeline",        "features", "models", "combine", "label",
                                       "combine_missing", "decision", "fit",    NULL};

hy_status hy__pipeline_choice(const hy__yaml *node, const char *const *names, int *out,
                              hy_error *err) {
  const char *text = NULL;
  HY_TRY(hy__yaml_text(node, &text, err));
  char choices[160] = "";
  size_t used = 0;
  for (int k = 0; names[k]; k++) {
    if (strcmp(names[k], text) == 0) {
      *out = k;
      return HY_OK;
    }
    int n = snprintf(choices + used, sizeof choices - used, "%s%s", k ? ", " : "", names[k]);
    if (n > 0 && (size_t)n < sizeof choices - used) used += (size_t)n;
  }
  return hy__yaml_fail(node, err, "'%s' is none of: %s", text, choices);
}

/* A spec that stands in the pipeline file; a list of items is the inline form's items, joined. */
hy_status hy__pipeline_inline(hy_pipeline *p, const hy__yaml *node, hy_error *err) {
  if (node->kind != HY__YAML_LIST)
    return hy__features_create_node(p->runtime, node, p->path, &p->fit, &p->features, err);
  hy__buffer text;
  hy__buffer_init(&text, hy__runtime_allocator(p->runtime), 1 << 20);
  hy_status status = HY_OK;
  for (size_t k = 0; k < node->n_children && status == HY_OK; k++) {
    const char *item = NULL;
    status = hy__yaml_text(&node->children[k], &item, err);
    if (status == HY_OK) status = hy__buffer_printf(&text, err, "%s%s", k ? "; " : "", item);
  }
  if (status == HY_OK && text.len_bytes == 0) {
    status = hy__yaml_fail(node, err, "an empty list of features");
  }
  hy__yaml joined = {.kind = HY__YAML_SCALAR, .line = 1, .column = 1, .text = text.data};
  if (status == HY_OK)
    status = hy__features_create_node(p->runtime, &joined, "spec", &p->fit, &p->features, err);
  hy__buffer_destroy(&text);
  return status;
}

static hy_status features_from_text(hy_pipeline *p, const hy__yaml *node, hy_error *err) {
  char path[4096];
  hy_status status = hy__path_beside(p->path, node->text, path, sizeof path, NULL);
  bool is_file = status == HY_OK && hy__path_exists(path);
  bool looks_like_file = strstr(node->text, ".yaml") || strstr(node->text, ".yml");
  if (!is_file && looks_like_file) {
    return hy__yaml_fail(node, err, "features: no file '%s' beside the pipeline", node->text);
  }
  if (!is_file) return hy__pipeline_inline(p, node, err);
  HY_TRY(hy__arena_text(p->arena, path, strlen(path), &p->features_path, err));
  return hy__features_create_text(p->runtime, path, &p->fit, &p->features, err);
}

/* The file beside the pipeline that holds the constants of the spec's steps of a fit. */
static hy_status find_fit(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(root, "fit");
  const char *name = NULL;
  char path[4096];
  if (!node || hy__pipeline_packed(p)) return HY_OK;
  HY_TRY(hy__yaml_text(node, &name, err));
  HY_TRY(hy__path_beside(p->path, name, path, sizeof path, err));
  if (!hy__path_exists(path))
    return hy__yaml_fail(node, err, "fit: no file '%s' beside the pipeline", name);
  HY_TRY(hy__arena_text(p->arena, path, strlen(path), &p->fit_path, err));
  p->fit.path = p->fit_path;
  return HY_OK;
}

static hy_status check_fit(const hy_pipeline *p, const hy__yaml *node, hy_error *err) {
  if (!p->spec.fit_sha256 || p->spec.fit_sha256[0]) return HY_OK;
  (void)hy__yaml_fail(node, err,
                      "the spec has a step of a fit, and no fit is named: make one with hayate "
                      "features fit, and name it with fit, or with file in the step");
  if (err) err->status = HY_MISMATCH;
  return HY_MISMATCH;
}

static hy_status read_features(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(root, "features");
  if (!node)
    return hy__yaml_fail(root, err, "'features' is missing: a spec file, or a spec inline");
  bool may_be_file = node->kind == HY__YAML_SCALAR;
  HY_TRY(find_fit(p, root, err));
  HY_TRY(hy__pipeline_packed(p) ? hy__packed_features(p, node, err)
         : may_be_file          ? features_from_text(p, node, err)
                                : hy__pipeline_inline(p, node, err));
  p->spec.struct_size = sizeof p->spec;
  hy_features_describe(p->features, &p->spec);
  return check_fit(p, node, err);
}

static hy_status read_combine(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  static const char *const kinds[] = {"mean", "weighted", "zscore_mean", "median", "one", NULL};
  static const char *const missing[] = {"refuse", "renormalise", NULL};
  const hy__yaml *node = hy__yaml_get(root, "combine");
  int choice = HY__COMBINE_MEAN;
  if (node) HY_TRY(hy__pipeline_choice(node, kinds, &choice, err));
  if (node && choice == HY__COMBINE_ONE && p->n_models != 1) {
    return hy__yaml_fail(node, err, "combine: one takes exactly one model, there are %zu",
                         p->n_models);
  }
  p->combine = (hy__combine)choice;
  choice = 0;
  const hy__yaml *rule = hy__yaml_get(root, "combine_missing");
  if (rule) HY_TRY(hy__pipeline_choice(rule, missing, &choice, err));
  p->renormalise = choice == 1;
  double sum = 0;
  for (size_t k = 0; k < p->n_models; k++) sum += p->models[k].weight;
  bool weighs = p->combine == HY__COMBINE_WEIGHTED || p->combine == HY__COMBINE_ZSCORE_MEAN;
  if (weighs && !(sum > 0))
    return hy__yaml_fail(root, err, "the models' weights must sum to more than 0");
  return HY_OK;
}

static hy_status read_label(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  static const char *const keys[] = {"kind", "horizon", NULL};
  static const char *const kinds[] = {"fwd", NULL};
  p->horizon = 1;
  const hy__yaml *node = hy__yaml_get(root, "label");
  if (!node) return HY_OK;
  HY_TRY(hy__yaml_only_keys(node, keys, err));
  const hy__yaml *kind = hy__yaml_get(node, "kind");
  int choice = 0;
  if (kind) HY_TRY(hy__pipeline_choice(kind, kinds, &choice, err));
  const hy__yaml *horizon = hy__yaml_get(node, "horizon");
  int64_t bars = 1;
  if (horizon) HY_TRY(hy__yaml_i64(horizon, &bars, err));
  if (bars < 1 || bars > 1000000)
    return hy__yaml_fail(horizon, err, "horizon must be 1 to 1000000 bars");
  p->horizon = (size_t)bars;
  return HY_OK;
}

static hy_status read_count(const hy__yaml *map, const char *key, size_t *out, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  if (!node) return HY_OK;
  int64_t value = 0;
  HY_TRY(hy__yaml_i64(node, &value, err));
  if (value < 0 || value > 1000000) return hy__yaml_fail(node, err, "%s must be 0 to 1000000", key);
  *out = (size_t)value;
  return HY_OK;
}

static hy_status read_real(const hy__yaml *map, const char *key, double *out, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  if (!node) return HY_OK;
  HY_TRY(hy__yaml_f64(node, out, err));
  if (!(*out >= 0 && *out < 1e12)) return hy__yaml_fail(node, err, "%s must be 0 or more", key);
  return HY_OK;
}

static hy_status read_rank_rule(hy__decision *d, const hy__yaml *rank, hy_error *err) {
  static const char *const keys[] = {"long", "short", NULL};
  HY_TRY(hy__yaml_only_keys(rank, keys, err));
  HY_TRY(read_count(rank, "long", &d->n_long, err));
  HY_TRY(read_count(rank, "short", &d->n_short, err));
  if (d->n_long + d->n_short == 0) return hy__yaml_fail(rank, err, "long and short are both 0");
  return HY_OK;
}

static hy_status read_decision(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  static const char *const keys[] = {"rank", "sign", "cost_bps", "periods_per_year", NULL};
  static const char *const sign_keys[] = {"threshold", NULL};
  hy__decision *d = &p->decision;
  const hy__yaml *node = hy__yaml_get(root, "decision");
  if (!node) return HY_OK;
  HY_TRY(hy__yaml_only_keys(node, keys, err));
  HY_TRY(read_real(node, "cost_bps", &d->cost_bps, err));
  HY_TRY(read_real(node, "periods_per_year", &d->periods_per_year, err));
  const hy__yaml *rank = hy__yaml_get(node, "rank"), *sign = hy__yaml_get(node, "sign");
  if (rank && sign) return hy__yaml_fail(sign, err, "decision takes rank or sign, not both");
  if (rank) return read_rank_rule(d, rank, err);
  if (!sign) return HY_OK;
  HY_TRY(hy__yaml_only_keys(sign, sign_keys, err));
  d->by_sign = true;
  return read_real(sign, "threshold", &d->threshold, err);
}

static hy_status read_root(hy_pipeline *p, const hy__yaml *root, hy_error *err) {
  if (root->kind != HY__YAML_MAP) {
    return hy__yaml_fail(root, err,
                         "a pipeline file is a map with 'pipeline', 'features', 'models'");
  }
  HY_TRY(hy__yaml_only_keys(root, top_keys, err));
  const hy__yaml *name = hy__yaml_get(root, "pipeline");
  if (!name) return hy__yaml_fail(root, err, "'pipeline' is missing: the pipeline's name");
  HY_TRY(hy__yaml_text(name, &p->name, err));
  HY_TRY(read_features(p, root, err));
  const hy__yaml *models = hy__yaml_get(root, "models");
  if (!models) return hy__yaml_fail(root, err, "'models' is missing: a list of models");
  HY_TRY(hy__pipeline_models(p, models, err));
  HY_TRY(read_combine(p, root, err));
  HY_TRY(read_label(p, root, err));
  return read_decision(p, root, err);
}

/* The mapped file's own text, or that in a container. */
static hy_status read_text(hy_pipeline *p, hy__span text, hy_error *err) {
  const hy__yaml *root = NULL;
  HY_FAIL_IF(hy__span_left(&text) > HY__PIPELINE_BYTES_MAX, HY_LIMIT, err,
             "a pipeline file of %zu bytes; the limit is %d", hy__span_left(&text),
             HY__PIPELINE_BYTES_MAX);
  HY_TRY(
      hy__yaml_parse((const char *)text.pos, hy__span_left(&text), p->path, p->arena, &root, err));
  return read_root(p, root, err);
}

static hy_status read_file(hy_pipeline *p, const char *path, hy_error *err) {
  HY_TRY(hy__arena_text(p->arena, path, strlen(path), &p->path, err));
  HY_TRY(hy__map_open(path, &p->map, err));
  hy__span text = hy__span_make(p->map.data, p->map.bytes);
  hy_status status = HY_OK;
  if (hy__hyp_is(p->map.data, p->map.bytes)) status = hy__packed_open(p, &text, err);
  if (status == HY_OK) status = read_text(p, text, err);
  if (!hy__pipeline_packed(p)) hy__map_close(&p->map);
  if (status != HY_OK) hy__error_subject(err, path);
  return status;
}

hy_status hy_pipeline_open(hy_runtime *runtime, const char *path, hy_pipeline **out,
                           hy_error *err) {
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err,
             "runtime, path and out are required");
  int64_t start_ns = hy__clock_monotonic_ns();
  const hy_allocator *a = hy__runtime_allocator(runtime);
  void *memory = NULL;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_pipeline), &memory, err));
  hy_pipeline *p = memory;
  p->runtime = runtime;
  if (pthread_mutex_init(&p->lock, NULL) != 0) {
    hy__free(a, p, sizeof *p);
    return hy__error_set(err, HY_SYSTEM, "no mutex can be had");
  }
  hy_status status = hy__arena_create(a, 0, 64u << 20, &p->arena, err);
  if (status == HY_OK) status = read_file(p, path, err);
  if (status != HY_OK) {
    hy_pipeline_destroy(p);
    return status;
  }
  p->load_ns = hy__clock_monotonic_ns() - start_ns;
  *out = p;
  return HY_OK;
}

static void model_destroy(hy__pipeline_model *m) {
  for (size_t k = 0; k < m->n_idle; k++) hy_session_destroy(m->idle[k]);
  hy_model_destroy(m->model);
}

void hy_pipeline_destroy(hy_pipeline *p) {
  if (!p) return;
  for (size_t k = 0; k < p->n_models; k++) model_destroy(&p->models[k]);
  hy_features_destroy(p->features);
  hy__map_close(&p->map);
  hy__arena_destroy(p->arena);
  pthread_mutex_destroy(&p->lock);
  hy__free(hy__runtime_allocator(p->runtime), p, sizeof *p);
}

hy_status hy__pipeline_take(const hy_pipeline *p, size_t m, hy_session **out, hy_error *err) {
  hy_pipeline *pool = (hy_pipeline *)(uintptr_t)p; /* the pool alone is behind the lock */
  hy__pipeline_model *model = &pool->models[m];
  *out = NULL;
  pthread_mutex_lock(&pool->lock);
  if (model->n_idle) *out = model->idle[--model->n_idle];
  pthread_mutex_unlock(&pool->lock);
  if (*out) return HY_OK;
  hy_session_options options = {
      .struct_size = sizeof options, .n_threads = 1, .outputs = &model->output, .n_outputs = 1};
  return hy_session_create(model->model, &options, out, err);
}

void hy__pipeline_give(const hy_pipeline *p, size_t m, hy_session *session) {
  hy_pipeline *pool = (hy_pipeline *)(uintptr_t)p;
  hy__pipeline_model *model = &pool->models[m];
  pthread_mutex_lock(&pool->lock);
  bool kept = session && model->n_idle < HY__PIPELINE_IDLE_MAX;
  if (kept) model->idle[model->n_idle++] = session;
  pthread_mutex_unlock(&pool->lock);
  if (!kept) hy_session_destroy(session);
}

const char *hy_pipeline_name(const hy_pipeline *pipeline) { return pipeline ? pipeline->name : ""; }
