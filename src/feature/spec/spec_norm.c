/* SPDX-License-Identifier: Apache-2.0
 * The normalisation steps of a spec: each becomes a call of a row of the tables around the features
 * it names. */
#include "feature/spec/spec.h"

/* A key of a step, what it means, and the id that it calls. */
static const struct norm_row {
  const char *key;
  hy__norm_kind kind;
  const char *id, *rolling_id; /* of the window that `n` makes */
} norm_rows[] = {
    {"roll_z", HY__NORM_CALL, "roll.z", NULL},
    {"roll_robust", HY__NORM_ROLL_ROBUST, NULL, NULL},
    {"expand_z", HY__NORM_CALL, "expand.z", NULL},
    {"fixed_z", HY__NORM_CALL, "fixed_z", NULL},
    {"fit_z", HY__NORM_FIT_Z, NULL, NULL},
    {"fit_robust", HY__NORM_FIT_ROBUST, NULL, NULL},
    {"fit_minmax", HY__NORM_FIT_MINMAX, NULL, NULL},
    {"clip", HY__NORM_CALL, "clip", NULL},
    {"winsor", HY__NORM_CALL, "cs.winsor", NULL},
    {"rank", HY__NORM_CALL, "cs.rank", "rank.pct_avg"},
    {"demean", HY__NORM_CALL, "cs.demean", NULL},
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

/* {}, true, or {per: symbol, file: fit.yaml}; a spec has one fit. */
static hy_status read_fit(const hy__yaml *node, hy__spec *spec, hy__spec_norm *norm,
                          hy_error *err) {
  static const char *const keys[] = {"per", "file", NULL};
  static const char *const pers[] = {"pooled", "symbol"};
  size_t per = 0;
  bool yes = true;
  if (node->kind == HY__YAML_SCALAR) {
    HY_TRY(hy__yaml_bool(node, &yes, err));
    return yes ? HY_OK : hy__yaml_fail(node, err, "%s: true or a map was expected", node->key);
  }
  HY_TRY(hy__yaml_only_keys(node, keys, err));
  const hy__yaml *file = hy__yaml_get(node, "file"), *each = hy__yaml_get(node, "per");
  if (each) HY_TRY(hy__spec_choice(each, pers, HY_COUNT(pers), &per, err));
  norm->per_symbol = per == 1;
  if (!file) return HY_OK;
  const char *before = spec->fit_file.text;
  HY_TRY(hy__yaml_text(file, &spec->fit_file.text, err));
  spec->fit_file.place = hy__spec_place(file);
  if (before && strcmp(before, spec->fit_file.text) != 0)
    return hy__yaml_fail(file, err, "file: a spec has one fit, and %.80s is named already", before);
  return HY_OK;
}

/* What the step is: with `n` a window of the series itself instead of the row of all symbols. */
static void choose_kind(const struct norm_row *row, const hy__yaml *step, hy__spec_norm *norm) {
  const bool rolling = step->kind == HY__YAML_MAP && hy__yaml_get(step, "n");
  norm->key = row->key;
  norm->kind = row->kind;
  norm->id = rolling && row->rolling_id ? row->rolling_id : row->id;
  if (rolling && !strcmp(row->key, "winsor")) norm->kind = HY__NORM_ROLL_WINSOR;
}

static hy_status read_norm(const hy__yaml *map, hy__arena *arena, hy__spec *spec,
                           hy__spec_norm *norm, hy_error *err) {
  const char *keys[HY_COUNT(norm_rows) + 2] = {"in"};
  for (size_t i = 0; i < HY_COUNT(norm_rows); i++) keys[i + 1] = norm_rows[i].key;
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  const hy__yaml *in = hy__yaml_get(map, "in"), *step = NULL;
  if (!in || map->n_children != 2) return hy__yaml_fail(map, err, "in and one step were expected");
  for (size_t i = 0; i < HY_COUNT(norm_rows); i++) {
    const hy__yaml *found = hy__yaml_get(map, norm_rows[i].key);
    if (!found) continue;
    step = found;
    choose_kind(&norm_rows[i], found, norm);
  }
  if (!step) return hy__yaml_fail(map, err, "a step was expected beside in");
  norm->place = hy__spec_place(step);
  HY_TRY(read_targets(in, arena, norm, err));
  return hy__norm_is_fit(norm) ? read_fit(step, spec, norm, err)
                               : read_norm_args(step, arena, norm, err);
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
    HY_TRY(read_norm(&list->children[i], arena, out, &out->norms[i], err));
  return HY_OK;
}
