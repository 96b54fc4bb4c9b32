/* SPDX-License-Identifier: Apache-2.0 */
/* What a model says about itself: ports with the names of their open dims and the labels of a
 * ZipMap's columns, producer, versions, metadata. */
#include "model/onnx.h"

/* The labels of the ZipMap that makes this value, as a view of its attribute. */
static hy_tensor labels_of(const hy__graph *graph, const hy__value *v) {
  hy_tensor none = {0};
  const hy__node *node = v->producer >= 0 ? &graph->nodes[v->producer] : NULL;
  if (!node || strcmp(node->op_type, "ZipMap") != 0 || strcmp(node->domain, "ai.onnx.ml") != 0)
    return none;
  const hy__attr *ints = hy__node_attr(node, "classlabels_int64s");
  const hy__attr *texts = hy__node_attr(node, "classlabels_strings");
  if (ints && ints->kind == HY__ATTR_INTS && ints->n)
    return (hy_tensor){.data = (void *)(uintptr_t)ints->as.ints,
                       .dtype = HY_I64,
                       .rank = 1,
                       .dims = {(int64_t)ints->n}};
  if (texts && texts->kind == HY__ATTR_STRINGS && texts->n)
    return (hy_tensor){.data = (void *)(uintptr_t)texts->as.strings,
                       .dtype = HY_STRING,
                       .rank = 1,
                       .dims = {(int64_t)texts->n}};
  return none;
}

hy_port hy__port_of(const hy__graph *graph, int32_t value) {
  const hy__value *v = &graph->values[value];
  hy_port port = {.name = v->name, .dtype = v->dtype, .rank = v->rank, .type = v->type};
  for (int32_t d = 0; d < v->rank; d++) {
    port.dims[d] = v->dims[d];
    port.dim_names[d] = v->dims[d] < 0 ? v->dim_names[d] : NULL;
  }
  port.labels = labels_of(graph, v);
  return port;
}

hy_status hy__onnx_ports(hy__onnx *r, const int32_t *ids, size_t n, hy_port **out, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(r->arena, HY_MAX(n, (size_t)1), sizeof(hy_port), &memory, err));
  *out = memory;
  for (size_t i = 0; i < n; i++) (*out)[i] = hy__port_of(&r->model->graph, ids[i]);
  return HY_OK;
}

size_t hy_model_n_inputs(const hy_model *model) { return model->graph.n_inputs; }

size_t hy_model_n_outputs(const hy_model *model) { return model->graph.n_outputs; }

const hy_port *hy_model_input(const hy_model *model, size_t index) {
  return index < model->graph.n_inputs ? &model->inputs[index] : NULL;
}

const hy_port *hy_model_output(const hy_model *model, size_t index) {
  return index < model->graph.n_outputs ? &model->outputs[index] : NULL;
}

const char *hy_model_metadata(const hy_model *model, const char *key) {
  for (size_t i = 0; i < model->info.n_metadata; i++)
    if (strcmp(model->metadata[i].key, key) == 0) return model->metadata[i].value;
  return NULL;
}

const char *hy_model_metadata_key(const hy_model *model, size_t index) {
  return index < model->info.n_metadata ? model->metadata[index].key : NULL;
}

void hy_model_describe(const hy_model *model, hy_model_info *info) {
  if (info->struct_size != sizeof *info) return;
  *info = model->info;
  info->struct_size = sizeof *info;
  info->graph_name = model->graph.name;
}
