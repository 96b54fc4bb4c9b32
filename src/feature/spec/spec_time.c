/* SPDX-License-Identifier: Apache-2.0
 * The timeframes of a spec: which there are, how they are anchored, and at which of them an item is
 * computed. */
#include "feature/spec/spec.h"

static hy_status read_anchor(const hy__yaml *node, hy__anchor *out, hy_error *err) {
  static const char *const keys[] = {"anchor", NULL};
  static const char *const anchors[] = {"session", "clock", "utc"};
  static const hy__anchor values[] = {HY__ANCHOR_SESSION, HY__ANCHOR_CLOCK, HY__ANCHOR_UTC};
  const hy__yaml *anchor = node;
  size_t index;
  *out = HY__ANCHOR_DEFAULT;
  if (node->kind == HY__YAML_MAP) {
    HY_TRY(hy__yaml_only_keys(node, keys, err));
    anchor = hy__yaml_get(node, "anchor");
    if (!anchor) return HY_OK;
  }
  HY_TRY(hy__spec_choice(anchor, anchors, HY_COUNT(anchors), &index, err));
  *out = values[index];
  return HY_OK;
}

static hy_status read_timeframe(const hy__yaml *node, hy__spec_timeframe *out, hy_error *err) {
  *out = (hy__spec_timeframe){.name = {.text = node->key, .place = hy__spec_place(node)}};
  if (!hy__expr_is_name(node->key))
    return hy__yaml_fail(node, err, "timeframe %.20s: a name such as M5, H1 or D1 was expected",
                         node->key);
  hy_status status = hy__timeframe_parse(node->key, &out->ns, err);
  if (status != HY_OK) {
    hy__place_add(out->name.place, err);
    return status;
  }
  return read_anchor(node, &out->anchor, err);
}

hy_status hy__spec_timeframes(const hy__yaml *map, hy__arena *arena, hy__spec *out, hy_error *err) {
  if (map->kind != HY__YAML_MAP)
    return hy__yaml_fail(map, err, "timeframes: a map of names was expected, such as {M5: {}}");
  if (map->n_children >= HY__TIMEFRAMES_MAX)
    return hy__yaml_fail(map, err, "timeframes: at most %d", HY__TIMEFRAMES_MAX - 1);
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, map->n_children + 1, sizeof(hy__spec_timeframe), &memory, err));
  hy__spec_timeframe *timeframes = memory;
  for (size_t i = 0; i < map->n_children; i++)
    HY_TRY(read_timeframe(&map->children[i], &timeframes[i], err));
  out->timeframes = timeframes;
  out->n_timeframes = map->n_children;
  return HY_OK;
}

hy_status hy__spec_item_timeframes(const hy__yaml *node, hy__arena *arena, hy__spec_item *item,
                                   hy_error *err) {
  bool list = node->kind == HY__YAML_LIST;
  size_t n = list ? node->n_children : 1;
  void *memory = NULL;
  if (n == 0 || n > HY__TIMEFRAMES_MAX)
    return hy__yaml_fail(node, err, "tf: 1 to %d timeframes were expected", HY__TIMEFRAMES_MAX);
  HY_TRY(hy__arena_array(arena, n, sizeof(hy__spec_name), &memory, err));
  hy__spec_name *names = memory;
  for (size_t i = 0; i < n; i++) {
    const hy__yaml *one = list ? &node->children[i] : node;
    names[i].place = hy__spec_place(one);
    HY_TRY(hy__yaml_text(one, &names[i].text, err));
  }
  item->timeframes = names;
  item->n_timeframes = n;
  item->each_timeframe = list;
  return HY_OK;
}
