/* SPDX-License-Identifier: Apache-2.0
 * The groups of a spec: for each symbol of a map the number of its group, by which cross-sections
 * tell who belongs together. */
#include <math.h>
#include <stdlib.h>

#include "feature/spec/spec.h"

/* One symbol while its map is read. */
typedef struct member {
  const char *symbol, *group;
  const hy__yaml *node;
} member;

static int by_symbol(const void *a, const void *b) {
  return strcmp(((const member *)a)->symbol, ((const member *)b)->symbol);
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hy_status check_group(const hy__yaml *node, const char *symbol, const char *group,
                             hy_error *err) {
  if (!symbol[0] || !group[0])
    return hy__yaml_fail(node, err, "a symbol and a group were expected, not nothing");
  return HY_OK;
}

/* `SYMBOL: group`, or `group: [SYMBOL, ...]`. */
static hy_status read_members(const hy__yaml *node, member *to, size_t *n, hy_error *err) {
  if (node->kind == HY__YAML_SCALAR) {
    member *m = &to[(*n)++];
    *m = (member){.symbol = node->key, .node = node};
    HY_TRY(hy__yaml_text(node, &m->group, err));
    return check_group(node, m->symbol, m->group, err);
  }
  if (node->kind == HY__YAML_MAP)
    return hy__yaml_fail(node, err, "%.60s: SYMBOL: group, or group: [SYMBOL, ...] was expected",
                         node->key);
  for (size_t i = 0; i < node->n_children; i++) {
    member *m = &to[(*n)++];
    *m = (member){.group = node->key, .node = &node->children[i]};
    HY_TRY(hy__yaml_text(&node->children[i], &m->symbol, err));
    HY_TRY(check_group(&node->children[i], m->symbol, m->group, err));
  }
  return HY_OK;
}

/* A group's number is its place among the groups' names in order. */
static hy_status number_groups(const member *members, size_t n, hy__arena *arena, double *values,
                               hy_error *err) {
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, n, sizeof(char *), &memory, err));
  const char **groups = memory;
  for (size_t i = 0; i < n; i++) groups[i] = members[i].group;
  qsort(groups, n, sizeof *groups, by_text);
  size_t n_groups = 0;
  for (size_t i = 0; i < n; i++)
    if (i == 0 || strcmp(groups[i], groups[n_groups - 1]) != 0) groups[n_groups++] = groups[i];
  for (size_t i = 0; i < n; i++) {
    const char *const *at = bsearch(&members[i].group, groups, n_groups, sizeof *groups, by_text);
    values[i] = (double)(at - groups);
  }
  return HY_OK;
}

static hy_status read_group(const hy__yaml *map, hy__arena *arena, hy__symbols *out,
                            hy_error *err) {
  void *memory[3] = {NULL};
  size_t most = 0, n = 0;
  if (!hy__expr_is_name(map->key))
    return hy__yaml_fail(map, err, "groups: letters, digits and _ are possible, not \"%.60s\"",
                         map->key);
  if (map->kind != HY__YAML_MAP || map->n_children == 0)
    return hy__yaml_fail(map, err, "groups: a map such as {AAPL: tech, XOM: energy} was expected");
  for (size_t i = 0; i < map->n_children; i++)
    most += map->children[i].kind == HY__YAML_SCALAR ? 1 : map->children[i].n_children;
  if (most == 0) return hy__yaml_fail(map, err, "groups: %.60s names no symbol", map->key);
  HY_TRY(hy__arena_array(arena, most, sizeof(member), &memory[0], err));
  HY_TRY(hy__arena_array(arena, most, sizeof(char *), &memory[1], err));
  HY_TRY(hy__arena_array(arena, most, sizeof(double), &memory[2], err));
  member *members = memory[0];
  for (size_t i = 0; i < map->n_children; i++)
    HY_TRY(read_members(&map->children[i], members, &n, err));
  qsort(members, n, sizeof *members, by_symbol);
  for (size_t i = 1; i < n; i++)
    if (!strcmp(members[i].symbol, members[i - 1].symbol))
      return hy__yaml_fail(members[i].node, err, "%.60s is in the groups %.60s and %.60s",
                           members[i].symbol, members[i - 1].group, members[i].group);
  const char **symbols = memory[1];
  for (size_t i = 0; i < n; i++) symbols[i] = members[i].symbol;
  HY_TRY(number_groups(members, n, arena, memory[2], err));
  *out = (hy__symbols){.name = map->key,
                       .n = n,
                       .symbols = symbols,
                       .values = memory[2],
                       .others = (double)NAN,
                       .place = hy__spec_place(map)};
  return HY_OK;
}

hy_status hy__spec_groups(const hy__yaml *map, hy__arena *arena, hy__spec *out, hy_error *err) {
  void *memory = NULL;
  if (map->kind != HY__YAML_MAP)
    return hy__yaml_fail(map, err, "groups: a map was expected, such as {sector: {AAPL: tech}}");
  HY_TRY(hy__arena_array(arena, map->n_children, sizeof(hy__symbols), &memory, err));
  hy__symbols *groups = memory;
  for (size_t i = 0; i < map->n_children; i++)
    HY_TRY(read_group(&map->children[i], arena, &groups[i], err));
  out->groups = groups;
  out->n_groups = map->n_children;
  return HY_OK;
}
