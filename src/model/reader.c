/* SPDX-License-Identifier: Apache-2.0 */
/* The table of readers, and the graph that readers of trees make: one TreeScore. */
#include "model/reader.h"

static const hy__reader readers[] = {
#define HY_READER(name, title, magic, extensions) {title, hy__read_##name##_probe, hy__read_##name},
#include "model/reader.inc"
#undef HY_READER
};

const hy__reader *hy__reader_for(hy__span in) {
  for (size_t i = 0; i < HY_COUNT(readers); i++)
    if (readers[i].probe(in)) return &readers[i];
  return NULL;
}

hy_status hy__tree_lists_make(hy_model *model, size_t n_nodes, size_t n_trees, size_t n_weights,
                              hy__tree_lists *out, hy_error *err) {
  const struct {
    void **array;
    size_t n, each;
  } arrays[] = {
      {(void **)&out->mode, n_nodes, 1},         {(void **)&out->missing_true, n_nodes, 1},
      {(void **)&out->zero_missing, n_nodes, 1}, {(void **)&out->feature, n_nodes, 4},
      {(void **)&out->if_true, n_nodes, 4},      {(void **)&out->if_false, n_nodes, 4},
      {(void **)&out->set, n_nodes, 4},          {(void **)&out->weight_begin, n_nodes + 1, 4},
      {(void **)&out->roots, n_trees, 4},        {(void **)&out->target, n_weights, 4},
      {(void **)&out->threshold, n_nodes, 8},    {(void **)&out->weight, n_weights, 8}};
  *out = (hy__tree_lists){0};
  for (size_t i = 0; i < HY_COUNT(arrays); i++)
    HY_TRY(hy__arena_array(model->arena, HY_MAX(arrays[i].n, (size_t)1), arrays[i].each,
                           arrays[i].array, err));
  return HY_OK;
}

void hy__tree_lists_free(const hy_model *model, hy__tree_lists *l) {
  const hy_allocator *a = hy__runtime_allocator(model->runtime);
  hy__free(a, l->set_begin, l->sets_capacity * sizeof *l->set_begin);
  hy__free(a, l->set_value, l->set_values_capacity * sizeof *l->set_value);
  l->set_begin = NULL;
  l->set_value = NULL;
}

hy_status hy__tree_lists_member(const hy_model *model, hy__tree_lists *l, double value,
                                hy_error *err) {
  HY_FAIL_IF(l->n_set_values >= UINT32_MAX / 4, HY_LIMIT, err,
             "the sets of the trees are too large");
  HY_TRY(hy__grow(hy__runtime_allocator(model->runtime), (void **)&l->set_value,
                  &l->set_values_capacity, l->n_set_values + 1, sizeof *l->set_value, err));
  l->set_value[l->n_set_values++] = value;
  return HY_OK;
}

hy_status hy__tree_lists_set_end(const hy_model *model, hy__tree_lists *l, hy_error *err) {
  HY_TRY(hy__grow(hy__runtime_allocator(model->runtime), (void **)&l->set_begin, &l->sets_capacity,
                  l->n_sets + 2, sizeof *l->set_begin, err));
  if (l->n_sets == 0) l->set_begin[0] = 0;
  l->set_begin[++l->n_sets] = (uint32_t)l->n_set_values;
  return HY_OK;
}

/* --- the graph --- */

enum { ATTRS_MAX = 24 };

typedef struct maker {
  hy_model *model;
  hy__attr *attrs;
  size_t n_attrs;
} maker;

/* Attribute `name`: n elements in place. */
static hy_status add(maker *m, const char *name, hy_dtype dtype, const void *data, size_t n,
                     hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(m->model->arena, sizeof(hy_tensor), _Alignof(hy_tensor), &memory, err));
  hy_tensor *t = memory;
  *t =
      (hy_tensor){.data = (void *)(uintptr_t)data, .dtype = dtype, .rank = 1, .dims = {(int64_t)n}};
  m->attrs[m->n_attrs++] = (hy__attr){.name = name, .kind = HY__ATTR_TENSOR, .as.tensor = t};
  return HY_OK;
}

static hy_status add_copy(maker *m, const char *name, hy_dtype dtype, const void *data, size_t n,
                          hy_error *err) {
  void *memory;
  HY_TRY(
      hy__arena_array(m->model->arena, HY_MAX(n, (size_t)1), hy_dtype_bytes(dtype), &memory, err));
  if (n && data) memcpy(memory, data, n * hy_dtype_bytes(dtype));
  return add(m, name, dtype, memory, n, err);
}

static hy_status add_lists(maker *m, const hy__tree_lists *l, hy_error *err) {
  const struct {
    const char *name;
    hy_dtype dtype;
    const void *data;
    size_t n;
  } lists[] = {{"mode", HY_U8, l->mode, l->n_nodes},
               {"missing_true", HY_U8, l->missing_true, l->n_nodes},
               {"zero_missing", HY_U8, l->zero_missing, l->n_nodes},
               {"feature", HY_U32, l->feature, l->n_nodes},
               {"if_true", HY_U32, l->if_true, l->n_nodes},
               {"if_false", HY_U32, l->if_false, l->n_nodes},
               {"set", HY_U32, l->set, l->n_nodes},
               {"weight_begin", HY_U32, l->weight_begin, l->n_nodes + 1},
               {"roots", HY_U32, l->roots, l->n_trees},
               {"target", HY_U32, l->target, l->n_weights},
               {"threshold", HY_F64, l->threshold, l->n_nodes},
               {"weight", HY_F64, l->weight, l->n_weights}};
  for (size_t i = 0; i < HY_COUNT(lists); i++)
    HY_TRY(add(m, lists[i].name, lists[i].dtype, lists[i].data, lists[i].n, err));
  HY_TRY(add_copy(m, "set_begin", HY_U32, l->set_begin, l->n_sets ? l->n_sets + 1 : 1, err));
  return add_copy(m, "set_value", HY_F64, l->set_value, l->n_set_values, err);
}

static hy_status add_attrs(maker *m, const hy__tree_lists *l, const hy__tree_model *what,
                           hy_error *err) {
  const double numbers[2] = {what->scale, what->divisor};
  HY_TRY(hy__arena_array(m->model->arena, ATTRS_MAX, sizeof *m->attrs, (void **)&m->attrs, err));
  HY_TRY(add_lists(m, l, err));
  HY_TRY(add_copy(m, "numbers", HY_F64, numbers, 2, err));
  HY_TRY(add_copy(m, "start", HY_F64, what->start, what->n_targets, err));
  m->attrs[m->n_attrs++] =
      (hy__attr){.name = "n_features", .kind = HY__ATTR_INT, .as.i = (int64_t)what->n_features};
  m->attrs[m->n_attrs++] =
      (hy__attr){.name = "n_targets", .kind = HY__ATTR_INT, .as.i = (int64_t)what->n_targets};
  m->attrs[m->n_attrs++] = (hy__attr){.name = "transform",
                                      .kind = HY__ATTR_STRING,
                                      .as.s = {what->transform, strlen(what->transform)}};
  return HY_OK;
}

static hy_status make_ports(hy_model *model, hy_error *err) {
  const hy__graph *g = &model->graph;
  HY_TRY(hy__arena_array(model->arena, 1, sizeof(hy_port), (void **)&model->inputs, err));
  HY_TRY(hy__arena_array(model->arena, 2, sizeof(hy_port), (void **)&model->outputs, err));
  model->inputs[0] = hy__port_of(g, g->inputs[0]);
  for (int k = 0; k < 2; k++) model->outputs[k] = hy__port_of(g, g->outputs[k]);
  return HY_OK;
}

hy_status hy__tree_model_make(hy_model *model, const hy__tree_lists *lists,
                              const hy__tree_model *what, hy_error *err) {
  static const char *const names[] = {"X", "prediction", "raw"};
  maker m = {.model = model};
  hy__graph *g = &model->graph;
  int32_t *ids;
  const bool one = strcmp(what->transform, "argmax") == 0; /* its prediction is one column */
  HY_TRY(add_attrs(&m, lists, what, err));
  HY_TRY(hy__arena_array(model->arena, 3, sizeof *g->values, (void **)&g->values, err));
  HY_TRY(hy__arena_array(model->arena, 3, sizeof *ids, (void **)&ids, err));
  HY_TRY(hy__arena_array(model->arena, 1, sizeof *g->nodes, (void **)&g->nodes, err));
  for (int32_t v = 0; v < 3; v++) {
    const size_t columns = v == 0 ? what->n_features : v == 1 && one ? 1 : what->n_targets;
    ids[v] = v;
    g->values[v] = (hy__value){.name = names[v],
                               .dtype = what->dtype,
                               .rank = 2,
                               .dims = {-1, (int64_t)columns},
                               .dim_names = {"N", NULL},
                               .producer = v ? 0 : -1,
                               .outer = -1};
  }
  g->nodes[0] = (hy__node){.name = "trees",
                           .domain = "hayate",
                           .op_type = "TreeScore",
                           .version = 1,
                           .inputs = ids,
                           .outputs = ids + 1,
                           .n_inputs = 1,
                           .n_outputs = 2,
                           .attrs = m.attrs,
                           .n_attrs = m.n_attrs};
  g->name = "trees";
  g->n_values = 3;
  g->n_nodes = 1;
  g->inputs = ids;
  g->n_inputs = 1;
  g->outputs = ids + 1;
  g->n_outputs = 2;
  model->info = (hy_model_info){.producer_name = what->producer,
                                .producer_version = "",
                                .domain = "",
                                .description = "",
                                .graph_name = g->name,
                                .graph_description = "",
                                .model_version = INT64_MAX};
  return make_ports(model, err);
}
