/* SPDX-License-Identifier: Apache-2.0
 * Reads a spec's YAML form and its inline form into hy__spec. What this version does not build is
 * refused by name, with its place: a spec is never half understood. */
#include "feature/spec/spec.h"

#include "market/market.h"

static const int64_t day_ns = INT64_C(86400000000000);
enum { GAP_MAX_LIMIT = 100000, WARMUP_MAX = 10000000 };

hy__place hy__spec_place(const hy__yaml *node) {
  return (hy__place){.subject = node->subject,
                     .line = node->line,
                     .column = node->column + (node->quoted && !node->block),
                     .margin = node->margin};
}

static hy_status new_items(hy__spec *spec, size_t n, hy__arena *arena, hy_error *err) {
  HY_FAIL_IF(n > HY__SPEC_ITEMS_MAX, HY_LIMIT, err, "%zu features, at most %d", n,
             HY__SPEC_ITEMS_MAX);
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, n, sizeof(hy__spec_item), &memory, err));
  spec->items = memory;
  spec->n_items = 0;
  return HY_OK;
}

static void add_inline(hy__spec *spec, const hy__expr_item *item) {
  spec->items[spec->n_items++] = (hy__spec_item){.name = item->name,
                                                 .named = item->named,
                                                 .value = item->value,
                                                 .place = item->place,
                                                 .gap = spec->gap};
}

hy_status hy__spec_inline(const char *text, hy__place place, hy__arena *arena, hy__spec *out,
                          hy_error *err) {
  const hy__expr_item *items;
  size_t n;
  *out = (hy__spec){.subject = place.subject};
  HY_TRY(hy__expr_parse_list(text, place, arena, &items, &n, err));
  HY_TRY(new_items(out, n, arena, err));
  for (size_t i = 0; i < n; i++) add_inline(out, &items[i]);
  return HY_OK;
}

/* The text of a scalar that must be one of `choices`; *out is its index. */
hy_status hy__spec_choice(const hy__yaml *node, const char *const *choices, size_t n, size_t *out,
                          hy_error *err) {
  const char *text;
  HY_TRY(hy__yaml_text(node, &text, err));
  hy__nearest near;
  hy__nearest_init(&near, text);
  for (size_t i = 0; i < n; i++) {
    if (!strcmp(choices[i], text)) {
      *out = i;
      return HY_OK;
    }
    hy__nearest_offer(&near, choices[i]);
  }
  char suggestion[120];
  hy__nearest_text(&near, suggestion, sizeof suggestion);
  return hy__yaml_fail(node, err, "%s: \"%.60s\" is not known here%s",
                       node->key ? node->key : "value", text, suggestion);
}

/* A key whose only value so far is `value`: others are not built. */
static hy_status only_value(const hy__yaml *map, const char *key, const char *value,
                            hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  const char *text;
  if (!node) return HY_OK;
  HY_TRY(hy__yaml_text(node, &text, err));
  if (!strcmp(text, value)) return HY_OK;
  (void)hy__yaml_fail(node, err, "%s: %.60s is not supported, only %s", key, text, value);
  if (err) err->status = HY_UNSUPPORTED;
  return HY_UNSUPPORTED;
}

static hy_status refuse_key(const hy__yaml *map, const char *key, const char *why, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  if (!node) return HY_OK;
  (void)hy__yaml_fail(node, err, "%s is not supported%s", key, why);
  if (err) err->status = HY_UNSUPPORTED;
  return HY_UNSUPPORTED;
}

static hy_status read_name(const hy__yaml *map, const char *key, hy__spec_name *out,
                           hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  if (!node) return HY_OK;
  out->place = hy__spec_place(node);
  return hy__yaml_text(node, &out->text, err);
}

static hy_status read_duration(const hy__yaml *node, int64_t *out_ns, hy_error *err) {
  const char *text;
  HY_TRY(hy__yaml_text(node, &text, err));
  hy_status status = hy__timeframe_parse(text, out_ns, err);
  if (status != HY_OK) hy__place_add(hy__spec_place(node), err);
  return status;
}

static hy_status read_count(const hy__yaml *node, int64_t most, uint32_t *out, hy_error *err) {
  int64_t value;
  HY_TRY(hy__yaml_i64(node, &value, err));
  if (value < 1 || value > most)
    return hy__yaml_fail(node, err, "%s is %lld, 1 to %lld is possible", node->key,
                         (long long)value, (long long)most);
  *out = (uint32_t)value;
  return HY_OK;
}

/* A fill alone, or {fill, max, reset_after}. */
static hy_status read_gap(const hy__yaml *node, hy__gap *out, hy_error *err) {
  static const char *const fills[] = {"none", "flat", "mark", "reset"};
  static const char *const keys[] = {"fill", "max", "reset_after", NULL};
  size_t fill = 0;
  *out = (hy__gap){.max = 1};
  if (node->kind == HY__YAML_SCALAR) {
    HY_TRY(hy__spec_choice(node, fills, HY_COUNT(fills), &fill, err));
  } else {
    HY_TRY(hy__yaml_only_keys(node, keys, err));
    const hy__yaml *max = hy__yaml_get(node, "max"), *after = hy__yaml_get(node, "reset_after");
    if (hy__yaml_get(node, "fill"))
      HY_TRY(hy__spec_choice(hy__yaml_get(node, "fill"), fills, HY_COUNT(fills), &fill, err));
    if (max) HY_TRY(read_count(max, GAP_MAX_LIMIT, &out->max, err));
    if (after) HY_TRY(read_duration(after, &out->reset_after_ns, err));
    if (after && hy__timeframe_months(out->reset_after_ns))
      return hy__yaml_fail(after, err, "reset_after: months are no length, give days");
    if (after && (fill == HY__GAP_FLAT || fill == HY__GAP_MARK))
      return hy__yaml_fail(after, err, "reset_after goes with fill none or reset alone");
  }
  if (fill == 3 && !out->reset_after_ns) out->reset_after_ns = day_ns;
  out->fill = fill == 3 ? HY__GAP_NONE : (hy__gap_fill)fill;
  if (out->fill != HY__GAP_FLAT) out->max = 0;
  return HY_OK;
}

hy_status hy__spec_value(const hy__yaml *node, hy__arena *arena, const hy__expr **out,
                         hy_error *err) {
  const char *text;
  HY_TRY(hy__yaml_text(node, &text, err));
  return hy__expr_parse(text, hy__spec_place(node), arena, out, err);
}

static bool is_item_key(const char *key) {
  static const char *const keys[] = {"name", "op",          "in", "output",
                                     "gap",  "warmup_bars", "tf", "universe"};
  for (size_t i = 0; i < HY_COUNT(keys); i++)
    if (!strcmp(keys[i], key)) return true;
  return false;
}

/* The arguments of {op, in, KEY: value, ...}: `in` by position, other keys by name. */
static hy_status read_op_args(const hy__yaml *map, hy__arena *arena, hy__expr *call,
                              hy_error *err) {
  const hy__yaml *in = hy__yaml_get(map, "in");
  size_t n_in = !in ? 0 : in->kind == HY__YAML_LIST ? in->n_children : 1;
  void *memory;
  HY_TRY(hy__arena_array(arena, n_in + map->n_children, sizeof(hy__arg), &memory, err));
  hy__arg *args = memory;
  for (size_t i = 0; i < n_in; i++) {
    const hy__yaml *node = in->kind == HY__YAML_LIST ? &in->children[i] : in;
    args[i].place = hy__spec_place(node);
    HY_TRY(hy__spec_value(node, arena, &args[i].value, err));
  }
  call->n_args = n_in;
  for (size_t i = 0; i < map->n_children; i++) {
    const hy__yaml *member = &map->children[i];
    if (is_item_key(member->key)) continue;
    hy__arg *arg = &args[call->n_args++];
    arg->name = member->key;
    arg->place = hy__spec_place(member);
    HY_TRY(hy__spec_value(member, arena, &arg->value, err));
  }
  call->args = args;
  return HY_OK;
}

/* "rsi.mid@1" is what the grammar reads before its "(". */
static hy_status read_op(const hy__yaml *map, hy__arena *arena, const hy__expr **out,
                         hy_error *err) {
  const hy__yaml *op = hy__yaml_get(map, "op"), *output = hy__yaml_get(map, "output");
  const char *text, *with_call;
  const hy__expr *parsed;
  HY_TRY(hy__yaml_text(op, &text, err));
  HY_TRY(hy__arena_printf(arena, &with_call, err, "%s()", text));
  HY_TRY(hy__expr_parse(with_call, hy__spec_place(op), arena, &parsed, err));
  if (parsed->kind != HY__EXPR_CALL || parsed->n_args || parsed->output)
    return hy__yaml_fail(op, err, "op: an id such as rsi.mid@1 was expected, not %.80s", text);
  hy__expr *call = (hy__expr *)parsed;
  if (output) HY_TRY(hy__yaml_text(output, &call->output, err));
  *out = call;
  return read_op_args(map, arena, call, err);
}

static hy_status read_item_name(const hy__yaml *map, hy__spec_item *item, hy_error *err) {
  const hy__yaml *name = hy__yaml_get(map, "name");
  if (!name) return hy__yaml_fail(map, err, "a feature needs a name");
  HY_TRY(hy__yaml_text(name, &item->name, err));
  item->named = true;
  item->place = hy__spec_place(name);
  if (hy__expr_is_name(item->name)) return HY_OK;
  return hy__yaml_fail(name, err, "name: letters, digits and _ are possible, not \"%.60s\"",
                       item->name);
}

static hy_status read_item_rest(const hy__yaml *map, hy__arena *arena, hy__spec_item *item,
                                hy_error *err) {
  const hy__yaml *gap = hy__yaml_get(map, "gap"), *warmup = hy__yaml_get(map, "warmup_bars");
  const hy__yaml *timeframes = hy__yaml_get(map, "tf");
  HY_TRY(only_value(map, "universe", "main", err));
  if (timeframes) HY_TRY(hy__spec_item_timeframes(timeframes, arena, item, err));
  if (gap) HY_TRY(read_gap(gap, &item->gap, err));
  item->has_gap = gap != NULL;
  return warmup ? read_count(warmup, WARMUP_MAX, &item->warmup_bars, err) : HY_OK;
}

static hy_status read_item(const hy__yaml *map, hy__arena *arena, hy__spec_item *item,
                           hy_error *err) {
  static const char *const expr_keys[] = {"name", "expr", "gap", "warmup_bars", "tf", NULL};
  if (map->kind != HY__YAML_MAP)
    return hy__yaml_fail(map, err, "a map with name and op or expr was expected");
  const hy__yaml *expr = hy__yaml_get(map, "expr");
  HY_TRY(read_item_name(map, item, err));
  HY_TRY(read_item_rest(map, arena, item, err));
  if (expr) {
    HY_TRY(hy__yaml_only_keys(map, expr_keys, err));
    return hy__spec_value(expr, arena, &item->value, err);
  }
  if (!hy__yaml_get(map, "op"))
    return hy__yaml_fail(map, err, "feature %.60s needs op or expr", item->name);
  return read_op(map, arena, &item->value, err);
}

static hy_status read_items(const hy__yaml *list, hy__arena *arena, hy__spec *spec, hy_error *err) {
  if (list->kind != HY__YAML_LIST)
    return hy__yaml_fail(list, err, "a list of features was expected");
  for (size_t i = 0; i < list->n_children; i++) {
    const hy__yaml *node = &list->children[i];
    if (node->kind == HY__YAML_SCALAR) {
      const hy__expr_item *items;
      size_t n;
      HY_TRY(hy__expr_parse_list(node->text, hy__spec_place(node), arena, &items, &n, err));
      if (n != 1)
        return hy__yaml_fail(node, err, "one feature per list entry was expected, not %zu", n);
      add_inline(spec, items);
      continue;
    }
    hy__spec_item *item = &spec->items[spec->n_items++];
    *item = (hy__spec_item){.gap = spec->gap};
    HY_TRY(read_item(node, arena, item, err));
  }
  return HY_OK;
}

static hy_status read_names(const hy__yaml *list, hy__arena *arena, const hy__spec_name **out,
                            size_t *n, hy_error *err) {
  if (list->kind != HY__YAML_LIST)
    return hy__yaml_fail(list, err, "%s: a list of names was expected", list->key);
  void *memory = NULL;
  HY_TRY(hy__arena_array(arena, list->n_children, sizeof(hy__spec_name), &memory, err));
  hy__spec_name *names = memory;
  for (size_t i = 0; i < list->n_children; i++) {
    names[i].place = hy__spec_place(&list->children[i]);
    HY_TRY(hy__yaml_text(&list->children[i], &names[i].text, err));
  }
  *out = names;
  *n = list->n_children;
  return HY_OK;
}

static hy_status read_inputs(const hy__yaml *map, hy__arena *arena, hy__spec_inputs *out,
                             hy_error *err) {
  static const char *const keys[] = {"fields", "price", "stamp", "zone", "calendar", NULL};
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  HY_TRY(only_value(map, "price", "raw", err));
  HY_TRY(only_value(map, "stamp", "close", err));
  HY_TRY(read_name(map, "zone", &out->zone, err));
  HY_TRY(read_name(map, "calendar", &out->calendar, err));
  const hy__yaml *fields = hy__yaml_get(map, "fields");
  return fields ? read_names(fields, arena, &out->fields, &out->n_fields, err) : HY_OK;
}

static hy_status read_params(const hy__yaml *map, hy__spec *spec, hy_error *err) {
  static const char *const keys[] = {"warmup", "gap", NULL};
  HY_TRY(refuse_key(map, "tol", ": stability is stated at 1e-9", err));
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  static const char *const warmups[] = {"strict", "qlib"};
  const hy__yaml *warmup = hy__yaml_get(map, "warmup");
  size_t choice = 0;
  if (warmup) HY_TRY(hy__spec_choice(warmup, warmups, HY_COUNT(warmups), &choice, err));
  spec->warmup_qlib = choice == 1;
  const hy__yaml *gap = hy__yaml_get(map, "gap");
  return gap ? read_gap(gap, &spec->gap, err) : HY_OK;
}

static hy_status read_masks(const hy__yaml *map, hy_error *err) {
  static const char *const keys[] = {"emit", NULL};
  static const char *const masks[] = {"valid"};
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  const hy__yaml *emit = hy__yaml_get(map, "emit");
  size_t ignored;
  for (size_t i = 0; emit && i < emit->n_children; i++)
    HY_TRY(hy__spec_choice(&emit->children[i], masks, HY_COUNT(masks), &ignored, err));
  return HY_OK;
}

static hy_status read_base(const hy__yaml *map, hy__spec_inputs *inputs, hy_error *err) {
  const hy__yaml *base = hy__yaml_get(map, "base");
  HY_TRY(read_name(map, "base", &inputs->base, err));
  return base ? read_duration(base, &inputs->base_ns, err) : HY_OK;
}

static hy_status read_order(const hy__yaml *map, hy__arena *arena, hy__spec *spec, hy_error *err) {
  static const char *const keys[] = {"order", NULL};
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  const hy__yaml *order = hy__yaml_get(map, "order");
  if (!order) return HY_OK;
  HY_TRY(read_names(order, arena, &spec->order, &spec->n_order, err));
  return spec->n_order ? HY_OK : hy__yaml_fail(order, err, "order: a feature's name was expected");
}

static hy_status read_version(const hy__yaml *map, bool required, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, "hayate_spec");
  int64_t version = 1;
  if (!node && required) return hy__yaml_fail(map, err, "a spec begins with hayate_spec: 1");
  if (node) HY_TRY(hy__yaml_i64(node, &version, err));
  return version == 1 ? HY_OK
                      : hy__yaml_fail(node, err, "hayate_spec: version 1 was expected, not %lld",
                                      (long long)version);
}

static hy_status read_map(const hy__yaml *map, bool is_file, hy__arena *arena, hy__spec *spec,
                          hy_error *err) {
  static const char *const keys[] = {"hayate_spec", "inputs",   "base",   "timeframes",
                                     "params",      "features", "cross",  "norm",
                                     "masks",       "output",   "groups", NULL};
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  HY_TRY(read_version(map, is_file, err));
  const hy__yaml *inputs = hy__yaml_get(map, "inputs"), *params = hy__yaml_get(map, "params");
  const hy__yaml *features = hy__yaml_get(map, "features"), *cross = hy__yaml_get(map, "cross");
  const hy__yaml *norm = hy__yaml_get(map, "norm"), *masks = hy__yaml_get(map, "masks");
  const hy__yaml *output = hy__yaml_get(map, "output");
  const hy__yaml *timeframes = hy__yaml_get(map, "timeframes");
  const hy__yaml *groups = hy__yaml_get(map, "groups");
  if (inputs) HY_TRY(read_inputs(inputs, arena, &spec->inputs, err));
  HY_TRY(read_base(map, &spec->inputs, err));
  if (groups) HY_TRY(hy__spec_groups(groups, arena, spec, err));
  if (timeframes) HY_TRY(hy__spec_timeframes(timeframes, arena, spec, err));
  if (params) HY_TRY(read_params(params, spec, err));
  if (!features && !cross) return hy__yaml_fail(map, err, "a spec needs features");
  HY_TRY(new_items(spec, (features ? features->n_children : 0) + (cross ? cross->n_children : 0),
                   arena, err));
  if (features) HY_TRY(read_items(features, arena, spec, err));
  if (cross) HY_TRY(read_items(cross, arena, spec, err));
  if (spec->n_items == 0) return hy__yaml_fail(map, err, "the list of features is empty");
  if (norm) HY_TRY(hy__spec_norms(norm, arena, spec, err));
  if (masks) HY_TRY(read_masks(masks, err));
  return output ? read_order(output, arena, spec, err) : HY_OK;
}

hy_status hy__spec_yaml(const hy__yaml *node, bool is_file, hy__arena *arena, hy__spec *out,
                        hy_error *err) {
  if (node->kind == HY__YAML_SCALAR) {
    const char *text;
    HY_TRY(hy__yaml_text(node, &text, err));
    return hy__spec_inline(text, hy__spec_place(node), arena, out, err);
  }
  *out = (hy__spec){.subject = node->subject};
  if (node->kind == HY__YAML_MAP) return read_map(node, is_file, arena, out, err);
  HY_TRY(new_items(out, node->n_children, arena, err));
  HY_TRY(read_items(node, arena, out, err));
  return out->n_items ? HY_OK : hy__yaml_fail(node, err, "the list of features is empty");
}
