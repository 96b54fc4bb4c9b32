/* SPDX-License-Identifier: Apache-2.0
 * The normalisation steps of a spec: each becomes a call of a row of the tables around the features
 * it names. */
#include "feature/spec.h"

/* A key of a step and the id that it calls. */
static const struct norm_row {
  const char *key, *id;
} norm_rows[] = {
    {"roll_z", "zscore"},    {"fixed_z", "fixed_z"}, {"clip", "clip"},
    {"winsor", "cs.winsor"}, {"rank", "cs.rank"},    {"demean", "cs.demean"},
};

static hy_status read_targets(const hy__yaml *in, hy__arena *arena, hy__spec_norm *norm,
                              hy_error *err) {
  size_t n = in->kind == HY__YAML_LIST ? in->n_children : 1;
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, n, sizeof(char *), &memory, err));
  const char **names = memory;
  for (size_t i = 0; i < n; i++)
    HY_TRY(hy__yaml_text(in->kind == HY__YAML_LIST ? &in->children[i] : in, &names[i], err));
  norm->names = names;
  norm->n_names = n == 1 && !strcmp(names[0], "*") ? 0 : n;
  return HY_OK;
}

static hy_status read_norm_arg(const hy__yaml *node, hy__arena *arena, hy__arg *arg,
                               hy_error *err) {
  bool yes;
  arg->name = node->key;
  arg->place = hy__spec_place(node);
  if (node->kind != HY__YAML_SCALAR || hy__yaml_bool(node, &yes, NULL) != HY_OK)
    return hy__spec_value(node, arena, &arg->value, err);
  return hy__expr_parse(yes ? "1" : "0", arg->place, arena, &arg->value, err);
}

/* {n: 2000, min: 200} by name, [-5, 5] by position, `{}` or true for none. */
static hy_status read_norm_args(const hy__yaml *node, hy__arena *arena, hy__spec_norm *norm,
                                hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, node->n_children, sizeof(hy__arg), &memory, err));
  hy__arg *args = memory;
  for (size_t i = 0; i < node->n_children; i++)
    HY_TRY(read_norm_arg(&node->children[i], arena, &args[i], err));
  norm->args = args;
  norm->n_args = node->n_children;
  bool yes = true;
  if (node->kind == HY__YAML_SCALAR) HY_TRY(hy__yaml_bool(node, &yes, err));
  return yes ? HY_OK
             : hy__yaml_fail(node, err, "%s: true, a map or a list was expected", node->key);
}

static hy_status read_norm(const hy__yaml *map, hy__arena *arena, hy__spec_norm *norm,
                           hy_error *err) {
  const char *keys[HY_COUNT(norm_rows) + 2] = {"in"};
  for (size_t i = 0; i < HY_COUNT(norm_rows); i++) keys[i + 1] = norm_rows[i].key;
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  const hy__yaml *in = hy__yaml_get(map, "in"), *step = NULL;
  if (!in || map->n_children != 2) return hy__yaml_fail(map, err, "in and one step were expected");
  for (size_t i = 0; i < HY_COUNT(norm_rows); i++) {
    const hy__yaml *found = hy__yaml_get(map, norm_rows[i].key);
    if (!found) continue;
    step = found;
    norm->id = norm_rows[i].id;
  }
  if (!step) return hy__yaml_fail(map, err, "a step was expected beside in");
  norm->place = hy__spec_place(step);
  HY_TRY(read_targets(in, arena, norm, err));
  return read_norm_args(step, arena, norm, err);
}

hy_status hy__spec_norms(const hy__yaml *list, hy__arena *arena, hy__spec *out, hy_error *err) {
  if (list->kind != HY__YAML_LIST)
    return hy__yaml_fail(list, err, "norm: a list of steps was expected");
  if (list->n_children > HY__SPEC_NORMS_MAX)
    return hy__yaml_fail(list, err, "norm: at most %d steps", HY__SPEC_NORMS_MAX);
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, list->n_children, sizeof(hy__spec_norm), &memory, err));
  out->norms = memory;
  out->n_norms = list->n_children;
  for (size_t i = 0; i < list->n_children; i++)
    HY_TRY(read_norm(&list->children[i], arena, &out->norms[i], err));
  return HY_OK;
}
