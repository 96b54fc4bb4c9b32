/* SPDX-License-Identifier: Apache-2.0 */
/* Models as handles: opening from a file or memory, what they take and give, and the look-ups of
 * attributes that operators use. */
#include "model/reader.h"

/* DEPTH_MOST: what reading, which goes down by calls, has stack for. */
enum { ARENA_BLOCK = 1 << 16, DEPTH_MOST = 256 };

static const size_t elements_default = (size_t)1 << 38, plan_bytes_default = (size_t)1 << 34;
static const int64_t ns_per_ms = 1000000, plan_ns_default = 120000 * (int64_t)1000000;

static hy_status create(hy_runtime *runtime, hy_model **out, hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__arena *arena;
  void *memory;
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &arena, err));
  hy_status status = hy__arena_alloc(arena, sizeof(hy_model), _Alignof(hy_model), &memory, err);
  if (status != HY_OK) {
    hy__arena_destroy(arena);
    return status;
  }
  *out = memory;
  **out = (hy_model){.runtime = runtime, .arena = arena};
  (*out)->copied_end = &(*out)->copied;
  return HY_OK;
}

static hy__onnx_limits limits_of(const hy_model_options *options) {
  hy__onnx_limits limits = hy__onnx_limits_default;
  limits.max_elements = elements_default;
  if (!options) return limits;
  limits.max_bytes = options->max_bytes;
  limits.max_initializer_bytes = options->max_initializer_bytes;
  if (options->max_nodes) limits.max_nodes = options->max_nodes;
  if (options->max_depth) limits.max_depth = HY_MIN(options->max_depth, (size_t)DEPTH_MOST);
  if (options->max_elements) limits.max_elements = options->max_elements;
  return limits;
}

/* Of planning, which the engine asks for. */
static hy__model_limits plan_limits_of(const hy_model_options *options) {
  hy__model_limits limits = {elements_default, plan_bytes_default, plan_ns_default};
  if (options && options->max_elements) limits.max_elements = options->max_elements;
  if (options && options->max_plan_bytes) limits.max_plan_bytes = options->max_plan_bytes;
  if (options && options->max_plan_ms) limits.max_plan_ns = options->max_plan_ms * ns_per_ms;
  return limits;
}

hy__model_limits hy__model_limits_of(const hy_model *model) { return model->limits; }

static hy_status check(const hy_runtime *runtime, const hy_model_options *options, hy_model **out,
                       hy_error *err) {
  HY_FAIL_IF(!runtime || !out, HY_INVALID_ARGUMENT, err, "runtime and out must not be NULL");
  *out = NULL;
  HY_FAIL_IF(options && options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_model_options has an unknown struct_size of %zu", options->struct_size);
  return HY_OK;
}

/* The file that model->map holds, by what its first bytes say it is. */
static hy_status read(hy_model *model, const hy__onnx_limits *limits, hy_error *err) {
  const hy__reader *reader = hy__reader_for(hy__span_make(model->map.data, model->map.bytes));
  HY_FAIL_IF(limits->max_bytes && model->map.bytes > limits->max_bytes, HY_LIMIT, err,
             "the file has %zu bytes; the limit is %zu", model->map.bytes, limits->max_bytes);
  if (!reader) return hy__onnx_read(model, limits, err);
  hy_status status = reader->read(model, err);
  if (status != HY_OK) hy__error_prefix(err, "%s", reader->name);
  return status;
}

hy_status hy_model_open(hy_runtime *runtime, const char *path, const hy_model_options *options,
                        hy_model **out, hy_error *err) {
  hy_error_clear(err);
  HY_TRY(check(runtime, options, out, err));
  HY_FAIL_IF(!path, HY_INVALID_ARGUMENT, err, "path must not be NULL");
  hy_model *model;
  hy__onnx_limits limits = limits_of(options);
  HY_TRY(create(runtime, &model, err));
  model->limits = plan_limits_of(options);
  hy_status status = hy__arena_text(model->arena, path, strlen(path), &model->path, err);
  if (status == HY_OK) status = hy__map_open(path, &model->map, err);
  if (status == HY_OK) status = hy__model_enter(model, "", err);
  if (status == HY_OK) status = read(model, &limits, err);
  if (status != HY_OK) {
    hy__error_subject(err, path);
    hy_model_destroy(model);
    return status;
  }
  *out = model;
  return HY_OK;
}

static hy_status open_mapped(hy_runtime *runtime, hy__map map, const char *owner,
                             const hy_model_options *options, hy_model **out, hy_error *err) {
  hy_model *model;
  hy__onnx_limits limits = limits_of(options);
  HY_TRY(create(runtime, &model, err));
  model->limits = plan_limits_of(options);
  model->map = map;
  hy_status status = hy__model_enter(model, owner, err);
  if (status == HY_OK) status = read(model, &limits, err);
  if (status != HY_OK) {
    hy_model_destroy(model);
    return status;
  }
  *out = model;
  return HY_OK;
}

hy_status hy_model_open_memory(hy_runtime *runtime, const void *data, size_t bytes,
                               const hy_model_options *options, hy_model **out, hy_error *err) {
  hy_error_clear(err);
  HY_TRY(check(runtime, options, out, err));
  HY_FAIL_IF(!data && bytes, HY_INVALID_ARGUMENT, err, "data must not be NULL");
  return open_mapped(runtime, (hy__map){data, bytes}, "", options, out, err);
}

hy_status hy__model_open_owner(hy_runtime *runtime, hy__map container, const char *owner,
                               hy_model **out, hy_error *err) {
  *out = NULL;
  return open_mapped(runtime, container, owner, NULL, out, err);
}

void hy_model_destroy(hy_model *model) {
  if (!model) return;
  if (model->shared.destroy) model->shared.destroy(model->shared.ptr);
  for (hy__external *e = model->externals; e && !model->container; e = e->next)
    hy__map_close(&e->map);
  if (model->path) hy__map_close(model->container ? &model->whole : &model->map);
  hy__arena_destroy(model->arena);
}

const hy__graph *hy__model_graph(const hy_model *model) { return &model->graph; }

const hy_runtime *hy__model_runtime(const hy_model *model) { return model->runtime; }

hy__model_shared *hy__model_shared_slot(hy_model *model) { return &model->shared; }

size_t hy__graph_captures(const hy__graph *graph, int32_t *ids) {
  size_t n = 0;
  for (size_t v = 0; v < graph->n_values; v++) {
    if (graph->values[v].outer < 0 || graph->values[v].constant) continue;
    if (ids) ids[n] = graph->values[v].outer;
    n++;
  }
  return n;
}

size_t hy__node_captures(const hy__node *node, int32_t *ids) {
  size_t n = 0;
  for (size_t a = 0; a < node->n_attrs; a++)
    if (node->attrs[a].kind == HY__ATTR_GRAPH)
      n += hy__graph_captures(node->attrs[a].as.graph, ids ? ids + n : NULL);
  return n;
}

const hy__attr *hy__node_attr(const hy__node *node, const char *name) {
  for (size_t i = 0; i < node->n_attrs; i++)
    if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
  return NULL;
}

int64_t hy__node_int(const hy__node *node, const char *name, int64_t otherwise) {
  const hy__attr *attr = hy__node_attr(node, name);
  return attr && attr->kind == HY__ATTR_INT ? attr->as.i : otherwise;
}

float hy__node_float(const hy__node *node, const char *name, float otherwise) {
  const hy__attr *attr = hy__node_attr(node, name);
  return attr && attr->kind == HY__ATTR_FLOAT ? attr->as.f : otherwise;
}

hy_string hy__node_string(const hy__node *node, const char *name, const char *otherwise) {
  const hy__attr *attr = hy__node_attr(node, name);
  if (attr && attr->kind == HY__ATTR_STRING) return attr->as.s;
  return (hy_string){otherwise, otherwise ? strlen(otherwise) : 0};
}
