/* SPDX-License-Identifier: Apache-2.0
 * The `models:` of a pipeline file: opening each model, checking its spec hash, and binding the
 * spec's features to its inputs. What does not fit is said here, before any data is read. */
#include <stdio.h>

#include <hayate/feature_window.h>

#include "score/pipeline.h"

static const char *const model_keys[] = {"name",   "file",    "window", "layout", "output",
                                         "weight", "missing", "inputs", NULL};
static const char *const input_keys[] = {"features", "timeframe", "window", "layout", NULL};
static const char *const layout_names[] = {"btf", "bft", "tbf", "flat", NULL};

/* What an input entry, or the model's own keys, ask for. */
typedef struct input_wish {
  const hy__yaml *at; /* for messages */
  size_t window;
  int layout; /* -1: by the tensor's rank */
  const uint32_t *features;
  size_t n_features;
  bool in_order;
  uint32_t timeframe;
} input_wish;

static hy_status read_window(const hy__yaml *map, size_t *window, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, "window");
  if (!node) return HY_OK;
  int64_t rows = 0;
  HY_TRY(hy__yaml_i64(node, &rows, err));
  if (rows < 1 || rows > HY__PIPELINE_WINDOW_MAX) {
    return hy__yaml_fail(node, err, "window must be 1 to %d rows", HY__PIPELINE_WINDOW_MAX);
  }
  *window = (size_t)rows;
  return HY_OK;
}

static hy_status read_layout(const hy__yaml *map, int *layout, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, "layout");
  return node ? hy__pipeline_choice(node, layout_names, layout, err) : HY_OK;
}

static bool port_dim_fits(const hy_port *port, int32_t axis, size_t want) {
  return port->dims[axis] < 0 || (size_t)port->dims[axis] == want;
}

/* The dims that a layout gives, batch as -1. Returns the rank. */
static int32_t wanted_dims(hy__layout layout, int32_t port_rank, size_t window, size_t n_features,
                           int64_t dims[3]) {
  int64_t rows = (int64_t)window, columns = (int64_t)n_features;
  if (layout == HY__LAYOUT_FLAT || (window == 1 && port_rank == 2)) {
    dims[0] = -1, dims[1] = rows * columns;
    return 2;
  }
  const int64_t by_layout[3][3] = {{-1, rows, columns}, {-1, columns, rows}, {rows, -1, columns}};
  memcpy(dims, by_layout[layout], sizeof by_layout[layout]);
  return 3;
}

static hy_status shape_refusal(const input_wish *wish, const hy_port *port, int32_t rank,
                               const int64_t dims[3], hy_error *err) {
  char want[96] = "", have[160] = "";
  size_t used = 0;
  for (int32_t k = 0; k < rank; k++) {
    int n = dims[k] < 0 ? snprintf(want + used, sizeof want - used, k ? ", batch" : "batch")
                        : snprintf(want + used, sizeof want - used, k ? ", %lld" : "%lld",
                                   (long long)dims[k]);
    used += (size_t)HY_MAX(n, 0);
  }
  used = 0;
  for (int32_t k = 0; k < port->rank; k++) {
    int n = port->dims[k] < 0 ? snprintf(have + used, sizeof have - used, k ? ", ?" : "?")
                              : snprintf(have + used, sizeof have - used, k ? ", %lld" : "%lld",
                                         (long long)port->dims[k]);
    used += (size_t)HY_MAX(n, 0);
  }
  return hy__yaml_fail(
      wish->at, err,
      "input '%s' takes [%s], but %zu rows of %zu features give [%s]; see window, layout "
      "and inputs",
      port->name, have, wish->window, wish->n_features, want);
}

static hy_status bind_shape(const input_wish *wish, const hy_port *port, hy__pipeline_model *m,
                            hy__pipeline_input *in, hy_error *err) {
  int layout = wish->layout;
  if (layout < 0) {
    bool flat = port->rank == 2 && wish->window > 1 && port->dims[1] > 0 &&
                (size_t)port->dims[1] == wish->window * wish->n_features;
    layout = flat ? HY__LAYOUT_FLAT : HY__LAYOUT_BTF;
  }
  int64_t dims[3];
  int32_t rank = wanted_dims((hy__layout)layout, port->rank, wish->window, wish->n_features, dims);
  if (port->rank >= 0 && port->rank != rank) return shape_refusal(wish, port, rank, dims, err);
  for (int32_t k = 0; k < rank && port->rank >= 0; k++) {
    if (dims[k] >= 0 && !port_dim_fits(port, k, (size_t)dims[k])) {
      return shape_refusal(wish, port, rank, dims, err);
    }
    if (dims[k] < 0 && port->dims[k] > 0) m->batch = (size_t)port->dims[k];
  }
  if (m->batch > HY__PIPELINE_BATCH_MAX) {
    return hy__yaml_fail(wish->at, err, "input '%s' takes exactly %zu rows; the limit is %d",
                         port->name, m->batch, HY__PIPELINE_BATCH_MAX);
  }
  in->layout = (hy__layout)layout;
  in->rank = rank;
  return HY_OK;
}

static hy_status bind_input(const input_wish *wish, size_t port_index, hy__pipeline_model *m,
                            hy__pipeline_input *in, hy_error *err) {
  const hy_port *port = hy_model_input(m->model, port_index);
  if (port->dtype != HY_F32 && port->dtype != HY_F64) {
    return hy__yaml_fail(wish->at, err, "input '%s' has type %s; features are given as f32 or f64",
                         port->name, hy_dtype_name(port->dtype));
  }
  in->port = port_index;
  in->dtype = port->dtype;
  in->window = wish->window;
  in->features = wish->features;
  in->n_features = wish->n_features;
  in->in_order = wish->in_order;
  in->timeframe = wish->timeframe;
  if (!wish->timeframe) m->window = HY_MAX(m->window, wish->window);
  return bind_shape(wish, port, m, in, err);
}

static hy_status find_feature(const hy_pipeline *p, const char *name, uint32_t *out) {
  for (size_t k = 0; k < p->spec.n_features; k++) {
    if (strcmp(p->spec.names[k], name) == 0) {
      *out = (uint32_t)k;
      return HY_OK;
    }
  }
  return HY_NOT_FOUND;
}

static hy_status read_features(hy_pipeline *p, const hy__yaml *list, input_wish *wish,
                               hy_error *err) {
  if (list->kind != HY__YAML_LIST || list->n_children == 0) {
    return hy__yaml_fail(list, err, "features must be a list of names out of the spec");
  }
  void *memory = NULL;
  HY_TRY(hy__arena_array(p->arena, list->n_children, sizeof(uint32_t), &memory, err));
  uint32_t *columns = memory;
  wish->in_order = true;
  for (size_t k = 0; k < list->n_children; k++) {
    const char *name = NULL;
    HY_TRY(hy__yaml_text(&list->children[k], &name, err));
    if (find_feature(p, name, &columns[k]) != HY_OK) {
      return hy__yaml_fail(&list->children[k], err, "the spec gives no feature '%s'", name);
    }
    wish->in_order = wish->in_order && columns[k] == k;
  }
  wish->features = columns;
  wish->n_features = list->n_children;
  return HY_OK;
}

static hy_status all_features(hy_pipeline *p, input_wish *wish, hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__arena_array(p->arena, p->spec.n_features, sizeof(uint32_t), &memory, err));
  uint32_t *columns = memory;
  for (size_t k = 0; k < p->spec.n_features; k++) columns[k] = (uint32_t)k;
  wish->features = columns;
  wish->n_features = p->spec.n_features;
  wish->in_order = true;
  return HY_OK;
}

/* Of the features that stand at a timeframe, the one of that name, with or without its "@H1". */
static bool find_at(const hy_pipeline *p, const uint32_t *at, size_t n, const char *name,
                    uint32_t *out) {
  size_t bytes = strlen(name);
  for (*out = 0; *out < n; ++*out) {
    const char *full = p->spec.names[at[*out]];
    if (!strncmp(full, name, bytes) && (!full[bytes] || full[bytes] == '@')) return true;
  }
  return false;
}

/* `timeframe: H1`: the features that the spec computes there, or those of them that are listed. Of
 * the universe's own they are columns, of a slower one places among them. */
static hy_status read_timeframe(hy_pipeline *p, const hy__yaml *entry, input_wish *wish,
                                hy_error *err) {
  const hy__yaml *node = hy__yaml_get(entry, "timeframe"), *list = hy__yaml_get(entry, "features");
  const char *text = NULL;
  void *memory[2] = {NULL};
  HY_TRY(hy__yaml_text(node, &text, err));
  size_t tf = hy__features_timeframe(p->features, text),
         n = hy_features_at(p->features, text, NULL);
  if (tf == SIZE_MAX || !n)
    return hy__yaml_fail(node, err, "the spec computes no feature at timeframe %.40s", text);
  if (list && list->kind != HY__YAML_LIST)
    return hy__yaml_fail(list, err, "features must be a list of names out of the spec");
  wish->n_features = list ? list->n_children : n;
  HY_TRY(hy__arena_array(p->arena, n, sizeof(uint32_t), &memory[0], err));
  HY_TRY(hy__arena_array(p->arena, wish->n_features + 1, sizeof(uint32_t), &memory[1], err));
  uint32_t *at = memory[0], *columns = memory[1];
  (void)hy_features_at(p->features, text, at);
  for (size_t k = 0; k < wish->n_features; k++) {
    const char *name = NULL;
    columns[k] = (uint32_t)k;
    if (list) HY_TRY(hy__yaml_text(&list->children[k], &name, err));
    if (list && !find_at(p, at, n, name, &columns[k]))
      return hy__yaml_fail(&list->children[k], err, "the spec has no feature '%s' at %.40s", name,
                           text);
    if (tf == 0) columns[k] = at[columns[k]];
  }
  wish->timeframe = (uint32_t)tf;
  wish->features = columns;
  wish->in_order = false;
  p->n_bars[tf] = HY_MAX(p->n_bars[tf], wish->window);
  return wish->n_features ? HY_OK : hy__yaml_fail(list, err, "the list of features is empty");
}

static hy_status find_port(const hy__pipeline_model *m, const hy__yaml *entry, size_t *out,
                           hy_error *err) {
  for (size_t k = 0; k < hy_model_n_inputs(m->model); k++) {
    if (strcmp(hy_model_input(m->model, k)->name, entry->key) == 0) {
      *out = k;
      return HY_OK;
    }
  }
  return hy__yaml_fail(entry, err, "the model has no input '%s'; its first is '%s'", entry->key,
                       hy_model_n_inputs(m->model) ? hy_model_input(m->model, 0)->name : "");
}

static hy_status bind_listed(hy_pipeline *p, hy__pipeline_model *m, const hy__yaml *map,
                             input_wish base, hy_error *err) {
  if (map->kind != HY__YAML_MAP || map->n_children != m->n_inputs) {
    return hy__yaml_fail(map, err, "inputs must name each of the model's %zu inputs once",
                         m->n_inputs);
  }
  for (size_t k = 0; k < map->n_children; k++) {
    const hy__yaml *entry = &map->children[k];
    HY_TRY(hy__yaml_only_keys(entry, input_keys, err));
    input_wish wish = base;
    wish.at = entry;
    HY_TRY(read_window(entry, &wish.window, err));
    HY_TRY(read_layout(entry, &wish.layout, err));
    const hy__yaml *list = hy__yaml_get(entry, "features");
    if (hy__yaml_get(entry, "timeframe"))
      HY_TRY(read_timeframe(p, entry, &wish, err));
    else
      HY_TRY(list ? read_features(p, list, &wish, err) : all_features(p, &wish, err));
    size_t port = 0;
    HY_TRY(find_port(m, entry, &port, err));
    HY_TRY(bind_input(&wish, port, m, &m->inputs[k], err));
  }
  return HY_OK;
}

/* A model with one input per feature, named as the features are (scikit-learn's column form). */
static hy_status bind_by_name(hy_pipeline *p, hy__pipeline_model *m, input_wish base,
                              hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__arena_array(p->arena, m->n_inputs, sizeof(uint32_t), &memory, err));
  uint32_t *columns = memory;
  for (size_t k = 0; k < m->n_inputs; k++) {
    const hy_port *port = hy_model_input(m->model, k);
    if (find_feature(p, port->name, &columns[k]) != HY_OK) {
      return hy__yaml_fail(
          base.at, err,
          "the model has %zu inputs, and '%s' is no feature's name: say in 'inputs' what "
          "each takes",
          m->n_inputs, port->name);
    }
    input_wish wish = base;
    wish.features = &columns[k];
    wish.n_features = 1;
    wish.in_order = columns[k] == 0;
    HY_TRY(bind_input(&wish, k, m, &m->inputs[k], err));
  }
  return HY_OK;
}

static hy_status bind_inputs(hy_pipeline *p, hy__pipeline_model *m, const hy__yaml *node,
                             hy_error *err) {
  input_wish wish = {.at = node, .window = 1, .layout = -1};
  HY_TRY(read_window(node, &wish.window, err));
  HY_TRY(read_layout(node, &wish.layout, err));
  m->n_inputs = hy_model_n_inputs(m->model);
  m->window = 1;
  if (m->n_inputs == 0 || m->n_inputs > HY__PIPELINE_INPUTS_MAX) {
    return hy__yaml_fail(node, err, "the model has %zu inputs; 1 to %d can be fed", m->n_inputs,
                         HY__PIPELINE_INPUTS_MAX);
  }
  void *memory = NULL;
  HY_TRY(hy__arena_array(p->arena, m->n_inputs, sizeof *m->inputs, &memory, err));
  m->inputs = memory;
  const hy__yaml *map = hy__yaml_get(node, "inputs");
  if (map) return bind_listed(p, m, map, wish, err);
  if (m->n_inputs > 1) return bind_by_name(p, m, wish, err);
  HY_TRY(all_features(p, &wish, err));
  return bind_input(&wish, 0, m, &m->inputs[0], err);
}

/* "name[k]" or "name"; without the key the model's only output, or its first. */
static hy_status read_output(hy_pipeline *p, hy__pipeline_model *m, const hy__yaml *node,
                             hy_error *err) {
  m->column = -1;
  const hy__yaml *key = hy__yaml_get(node, "output");
  if (!key) {
    m->output = hy_model_output(m->model, 0)->name;
    return HY_OK;
  }
  const char *text = NULL;
  HY_TRY(hy__yaml_text(key, &text, err));
  size_t len = strlen(text);
  const char *bracket = strrchr(text, '[');
  if (bracket && len && text[len - 1] == ']') {
    const char *end = hy__parse_i64(bracket + 1, text + len - 1, &m->column);
    if (end != text + len - 1 || m->column < 0) {
      return hy__yaml_fail(key, err, "'%s': expected NAME or NAME[column]", text);
    }
    len = (size_t)(bracket - text);
  }
  HY_TRY(hy__arena_text(p->arena, text, len, &m->output, err));
  for (size_t k = 0; k < hy_model_n_outputs(m->model); k++) {
    if (strcmp(hy_model_output(m->model, k)->name, m->output) == 0) return HY_OK;
  }
  return hy__yaml_fail(key, err, "the model has no output '%s'; its first is '%s'", m->output,
                       hy_model_output(m->model, 0)->name);
}

static hy_status read_missing(hy__pipeline_model *m, const hy__yaml *node, hy_error *err) {
  static const char *const names[] = {"refuse", "nan", NULL};
  static const char *const keys[] = {"value", NULL};
  m->missing = hy__model_has_trees(m->model) ? HY__MISSING_NAN : HY__MISSING_REFUSE;
  const hy__yaml *rule = hy__yaml_get(node, "missing");
  if (!rule) return HY_OK;
  if (rule->kind == HY__YAML_MAP) {
    HY_TRY(hy__yaml_only_keys(rule, keys, err));
    const hy__yaml *value = hy__yaml_get(rule, "value");
    if (!value) return hy__yaml_fail(rule, err, "expected refuse, nan, or {value: x}");
    m->missing = HY__MISSING_VALUE;
    return hy__yaml_f64(value, &m->missing_value, err);
  }
  int choice = 0;
  HY_TRY(hy__pipeline_choice(rule, names, &choice, err));
  m->missing = choice == 1 ? HY__MISSING_NAN : HY__MISSING_REFUSE;
  return HY_OK;
}

/* The spec that the model was made with, and its fit, stand in its metadata: absent is a warning,
 * another is refused. */
static hy_status check_fit(const hy_pipeline *p, const hy__pipeline_model *m, const hy__yaml *node,
                           hy_error *err) {
  const char *hash = hy_model_metadata(m->model, "hayate.fit_sha256"), *ours = p->spec.fit_sha256;
  if (!hash && ours)
    hy__log(p->runtime, HY_LOG_WARN, "the model names no fit (hayate.fit_sha256 is absent)",
            (hy__log_field[]){HY_LOG_TEXT("model", m->path)}, 1);
  if (!hash || (ours && strcmp(hash, ours) == 0)) return HY_OK;
  if (ours)
    hy__yaml_fail(node, err, "model '%s' was made with fit %.12s..., this fit is %.12s...", m->name,
                  hash, ours);
  else
    hy__yaml_fail(node, err, "model '%s' was made with fit %.12s..., this spec has none", m->name,
                  hash);
  if (err) err->status = HY_MISMATCH;
  return HY_MISMATCH;
}

static hy_status check_spec(const hy_pipeline *p, const hy__pipeline_model *m, const hy__yaml *node,
                            hy_error *err) {
  const char *hash = hy_model_metadata(m->model, "hayate.spec_sha256");
  if (!hash) {
    hy__log(p->runtime, HY_LOG_WARN,
            "the model names no feature spec (hayate.spec_sha256 is absent)",
            (hy__log_field[]){HY_LOG_TEXT("model", m->path)}, 1);
    return check_fit(p, m, node, err);
  }
  if (strcmp(hash, p->spec.spec_sha256) == 0) return check_fit(p, m, node, err);
  const char *theirs = hy_model_metadata(m->model, "hayate.spec");
  char difference[HY__DIFFERENCE_BYTES] = "";
  if (theirs) hy__canonical_difference(p->spec.canonical, theirs, difference);
  hy__yaml_fail(node, err, "model '%s' was made with spec %.12s..., this spec is %.12s...%s%s",
                m->name, hash, p->spec.spec_sha256, theirs ? ": " : "", difference);
  if (err) err->status = HY_MISMATCH;
  return HY_MISMATCH;
}

/* From its file, or by its name from the pipeline's container. */
static hy_status open_model(hy_pipeline *p, hy__pipeline_model *m, const char *file,
                            hy_error *err) {
  if (hy__pipeline_packed(p)) {
    HY_TRY(hy__arena_printf(p->arena, &m->path, err, "%s:%s", p->path, file));
    hy_status status = hy__part_open(p->runtime, p->map, m->name, &m->model, err);
    if (status != HY_OK) hy__error_prefix(err, "model '%s'", m->name);
    return status;
  }
  char path[4096];
  HY_TRY(hy__path_beside(p->path, file, path, sizeof path, err));
  HY_TRY(hy__arena_text(p->arena, path, strlen(path), &m->path, err));
  return hy_model_open(p->runtime, m->path, NULL, &m->model, err);
}

static hy_status read_model(hy_pipeline *p, hy__pipeline_model *m, const hy__yaml *node,
                            hy_error *err) {
  if (node->kind != HY__YAML_MAP)
    return hy__yaml_fail(node, err, "a model is a map with name and file");
  HY_TRY(hy__yaml_only_keys(node, model_keys, err));
  const hy__yaml *file = hy__yaml_get(node, "file"), *name = hy__yaml_get(node, "name");
  if (!file)
    return hy__yaml_fail(node, err, "'file' is missing: the model's file, beside the pipeline");
  const char *text = NULL;
  HY_TRY(hy__yaml_text(file, &text, err));
  m->name = text;
  if (name) HY_TRY(hy__yaml_text(name, &m->name, err));
  for (hy__pipeline_model *k = p->models; k < m; k++) {
    if (strcmp(k->name, m->name) == 0)
      return hy__yaml_fail(node, err, "two models named '%s'", m->name);
  }
  m->weight = 1;
  const hy__yaml *weight = hy__yaml_get(node, "weight");
  if (weight) HY_TRY(hy__yaml_f64(weight, &m->weight, err));
  if (!(m->weight >= 0 && m->weight < 1e12))
    return hy__yaml_fail(weight, err, "weight must be 0 or more");
  HY_TRY(open_model(p, m, text, err));
  if (hy_model_n_outputs(m->model) == 0) return hy__yaml_fail(node, err, "the model has no output");
  HY_TRY(check_spec(p, m, node, err));
  HY_TRY(read_missing(m, node, err));
  HY_TRY(read_output(p, m, node, err));
  return bind_inputs(p, m, node, err);
}

hy_status hy__pipeline_models(hy_pipeline *p, const hy__yaml *list, hy_error *err) {
  if (list->kind != HY__YAML_LIST || list->n_children == 0) {
    return hy__yaml_fail(list, err, "models must be a list of at least one model");
  }
  if (list->n_children > HY__PIPELINE_MODELS_MAX) {
    return hy__yaml_fail(list, err, "%zu models; the limit is %d", list->n_children,
                         HY__PIPELINE_MODELS_MAX);
  }
  void *memory = NULL;
  HY_TRY(hy__arena_array(p->arena, list->n_children, sizeof *p->models, &memory, err));
  p->models = memory;
  for (size_t k = 0; k < list->n_children; k++) {
    p->n_models = k + 1;
    HY_TRY(read_model(p, &p->models[k], &list->children[k], err));
    p->window = HY_MAX(p->window, p->models[k].window);
  }
  return HY_OK;
}
