/* SPDX-License-Identifier: Apache-2.0
 * TreeScore's trees (domain hayate, written by the readers of LightGBM and XGBoost files): arrays
 * that are the forest's description already. What points into an array is checked here; the shape
 * of the trees when they are packed. */
#include "op/tree_forest.h"

/* The tensor `name` of this type. */
static hy_status array_of(const hy__node *node, const char *name, hy_dtype dtype, const void **out,
                          size_t *n, hy_error *err) {
  const hy__attr *a = hy__node_attr(node, name);
  HY_FAIL_IF(!a || a->kind != HY__ATTR_TENSOR || a->as.tensor->dtype != dtype, HY_INTERNAL, err,
             "attribute %s is missing", name);
  *out = a->as.tensor->data;
  *n = hy__op_count_of(a->as.tensor);
  return HY_OK;
}

hy_status hy__tree_read_native(hy__tree_read *read, hy_error *err) {
  hy__tree_source *s = &read->source;
  size_t n[14];
  const struct {
    const char *name;
    hy_dtype dtype;
    const void **to;
  } arrays[] = {{"mode", HY_U8, (const void **)&s->mode},
                {"missing_true", HY_U8, (const void **)&s->missing_true},
                {"zero_missing", HY_U8, (const void **)&s->zero_missing},
                {"feature", HY_U32, (const void **)&s->feature},
                {"if_true", HY_U32, (const void **)&s->if_true},
                {"if_false", HY_U32, (const void **)&s->if_false},
                {"set", HY_U32, (const void **)&s->set},
                {"weight_begin", HY_U32, (const void **)&s->weight_begin},
                {"roots", HY_U32, (const void **)&s->roots},
                {"target", HY_U32, (const void **)&s->target},
                {"threshold", HY_F64, (const void **)&s->threshold},
                {"weight", HY_F64, (const void **)&s->weight},
                {"set_begin", HY_U32, (const void **)&s->set_begin},
                {"set_value", HY_F64, (const void **)&s->set_value}};
  for (size_t k = 0; k < HY_COUNT(arrays); ++k)
    HY_TRY(array_of(read->node, arrays[k].name, arrays[k].dtype, arrays[k].to, &n[k], err));
  s->n_nodes = n[0];
  s->n_trees = n[8];
  s->n_weights = n[9];
  s->n_sets = n[12] - 1;
  HY_FAIL_IF(s->n_nodes == 0 || s->n_trees == 0, HY_BAD_FORMAT, err, "there are no trees");
  for (size_t k = 0; k < s->n_weights; ++k)
    HY_FAIL_IF(s->target[k] >= s->n_targets, HY_BAD_FORMAT, err, "a leaf names target %u of %zu",
               (unsigned)s->target[k], s->n_targets);
  return HY_OK;
}
