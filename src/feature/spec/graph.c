/* SPDX-License-Identifier: Apache-2.0
 * From a spec's trees to the graph: names get their meaning, arguments their place, and equal
 * subtrees become one node. Nothing is rewritten algebraically, since that would change bits. */
#include "feature/spec/graph.h"

#include <stdio.h>

enum { BUCKETS = 4096, DEPTH_MAX = 1500 };
#define NO_ITEM UINT32_MAX

/* ---- nodes ---- */

static uint64_t node_hash(const hy__node *n) {
  uint64_t seed = (uint64_t)n->kind * 31 + n->domain + n->slower * 1024;
  if (n->name) return hy__hash64(n->name, strlen(n->name), seed);
  if (n->kind == HY__NODE_NUMBER) return hy__hash64(&n->number, sizeof n->number, seed);
  if (n->def) seed = hy__hash64(n->p, sizeof n->p, seed + n->def->row * 64);
  return hy__hash64(n->in, n->n_in * sizeof n->in[0], seed);
}

static bool same_node(const hy__node *a, const hy__node *b) {
  if (a->kind != b->kind || a->domain != b->domain || a->def != b->def || a->n_in != b->n_in)
    return false;
  if (a->slower != b->slower || a->by_symbol != b->by_symbol) return false;
  if (a->name) return !strcmp(a->name, b->name);
  return !memcmp(&a->number, &b->number, sizeof a->number) && !memcmp(a->p, b->p, sizeof a->p) &&
         !memcmp(a->in, b->in, a->n_in * sizeof a->in[0]);
}

static hy_status grow_nodes(hy__graph *b) {
  hy_features *f = b->f;
  if (f->n_nodes < b->nodes_capacity) return HY_OK;
  void *memory;
  size_t capacity = b->nodes_capacity ? 2 * b->nodes_capacity : 64;
  HY_TRY(hy__arena_array(b->arena, capacity, sizeof(hy__node), &memory, b->err));
  if (f->n_nodes) memcpy(memory, f->nodes, f->n_nodes * sizeof(hy__node));
  f->nodes = memory;
  b->nodes_capacity = capacity;
  return HY_OK;
}

/* The look-back of a slower series in bars of the faster one: the slower bar that is its first row
 * has to end. Where the spec does not say what its base is, it stays in slower bars. */
static void count_in_faster(const hy__graph *b, hy__node *n) {
  const hy__timeframe *t = b->f->timeframes;
  const hy__node *in = &b->f->nodes[n->in[0].node];
  size_t ratio =
      hy__timeframe_ratio(&t[hy__node_timeframe(b->f, n)], &t[hy__node_timeframe(b->f, in)]);
  size_t rows;
  if (ratio && hy__mul(n->lookback + 1, ratio, &rows)) n->lookback = rows - 1;
}

/* What the node adds to what it stands on. */
static hy_status measure(hy__graph *b, hy__node *n) {
  const hy__ind_code *code = n->code;
  size_t own = 0;
  for (size_t i = 0; i < n->n_in; i++) {
    const hy__node *in = &b->f->nodes[n->in[i].node];
    n->lookback = HY_MAX(n->lookback, in->lookback);
    n->stage = HY_MAX(n->stage, in->stage);
  }
  n->n_columns = n->n_out;
  if (hy__node_stored(n)) n->stage++;
  if (n->stage >= HY__STAGES_MAX)
    return hy__place_fail(n->place, HY_LIMIT, b->err,
                          "more than %d cross-sections and timeframes nested", HY__STAGES_MAX - 1);
  if (n->kind == HY__NODE_ASOF) count_in_faster(b, n);
  if (!code) return HY_OK;
  own = code->lookback ? code->lookback(n->p) : 0;
  n->history = code->history ? code->history(n->p) : 0;
  n->mid_rows = code->mid_rows ? code->mid_rows(n->p) : 0;
  n->n_columns += (size_t)code->n_mid;
  n->state_bytes = code->state_bytes ? code->state_bytes(n->p) : 0;
  n->own_lookback = own;
  n->lookback += own;
  if (n->history > 4 * (size_t)HY__WINDOW_MAX || n->mid_rows > 4 * (size_t)HY__WINDOW_MAX ||
      own > 64 * (size_t)HY__WINDOW_MAX || n->lookback > SIZE_MAX / 2)
    return hy__place_fail(n->place, HY_LIMIT, b->err, "%s reaches back %zu bars, too far",
                          n->def->id, n->history);
  return HY_OK;
}

hy_status hy__graph_add(hy__graph *b, hy__node *n, uint32_t *out) {
  uint32_t *bucket = &b->buckets[node_hash(n) % BUCKETS];
  for (uint32_t i = *bucket; i; i = b->f->nodes[i - 1].next) {
    hy__node *old = &b->f->nodes[i - 1];
    if (!same_node(old, n)) continue;
    old->warmup_bars = HY_MAX(old->warmup_bars, n->warmup_bars);
    *out = i - 1;
    return HY_OK;
  }
  if (b->f->n_nodes == HY__NODES_MAX)
    return hy__place_fail(n->place, HY_LIMIT, b->err, "more than %d nodes in all", HY__NODES_MAX);
  HY_TRY(measure(b, n));
  HY_TRY(grow_nodes(b));
  n->next = *bucket;
  *out = (uint32_t)b->f->n_nodes++;
  b->f->nodes[*out] = *n;
  *bucket = *out + 1;
  return HY_OK;
}

hy_status hy__graph_named(hy__graph *b, hy__node_kind kind, const char *name, hy__domain at,
                          hy__place place, hy__ref *out) {
  hy__node n = {.kind = kind, .name = name, .n_out = 1, .place = place};
  HY_TRY(hy__graph_domain(b, at, place, &n.domain));
  out->output = 0;
  return hy__graph_add(b, &n, &out->node);
}

/* ---- names ---- */

const char *hy__field_standard(const char *name) {
  static const char *const names[][2] = {{"open", "o"},  {"high", "h"},   {"low", "l"},
                                         {"close", "c"}, {"volume", "v"}, {"vwap", "vwap"}};
  for (size_t i = 0; i < HY_COUNT(names); i++)
    if (!strcmp(name, names[i][0]) || !strcmp(name, names[i][1])) return names[i][0];
  return NULL;
}

/* Expressions refer to items that were given a name; the text of others is a name for the output
 * alone. */
static uint32_t find_item(const hy__graph *b, const char *name, size_t length, bool named) {
  for (size_t i = 0; i < b->spec->n_items; i++) {
    const char *other = b->spec->items[i].name;
    if (named && !b->spec->items[i].named) continue;
    if (strlen(other) == length && !memcmp(other, name, length)) return (uint32_t)i;
  }
  return NO_ITEM;
}

static hy_status find_memo(hy__graph *b, uint32_t item, hy__domain at, hy__place place,
                           hy__item_memo **out) {
  uint32_t domain;
  void *memory;
  HY_TRY(hy__graph_domain(b, at, place, &domain));
  if (!b->memo[domain]) {
    HY_TRY(hy__arena_array(b->arena, b->spec->n_items, sizeof(hy__item_memo), &memory, b->err));
    b->memo[domain] = memory;
  }
  *out = &b->memo[domain][item];
  return HY_OK;
}

/* An item with a timeframe of its own is computed at it, others at that of who refers to them. */
static hy_status lower_item(hy__graph *b, uint32_t index, hy__domain at, hy__place place,
                            hy__ref *out) {
  const hy__spec_item *item = &b->spec->items[index];
  hy__item_memo *memo;
  HY_TRY(find_memo(b, index, at, place, &memo));
  if (memo->state == HY__ITEM_OPEN)
    return hy__place_fail(place, HY_BAD_FORMAT, b->err, "%.80s is defined by itself", item->name);
  if (memo->state == HY__ITEM_NEW) {
    uint32_t outer = b->warmup_bars;
    memo->state = HY__ITEM_OPEN;
    b->warmup_bars = item->warmup_bars;
    HY_TRY(hy__graph_lower(b, item->value, at, &memo->ref));
    b->warmup_bars = outer;
    memo->state = HY__ITEM_DONE;
  }
  *out = memo->ref;
  return HY_OK;
}

static hy_status refer_to_item(hy__graph *b, uint32_t index, const hy__expr *e, hy__domain at,
                               hy__ref *out) {
  const hy__spec_item *item = &b->spec->items[index];
  if (!e->timeframe && item->n_timeframes && !item->each_timeframe)
    HY_TRY(hy__graph_timeframe(b, item->timeframes[0].text, item->timeframes[0].place, &at.tf));
  return lower_item(b, index, at, e->place, out);
}

static hy_status fail_name(hy__graph *b, const char *name, hy__place place) {
  hy__nearest near;
  char suggestion[120];
  size_t row;
  if (hy__def_find(name, strlen(name), 0, &row, NULL) == HY_OK)
    return hy__place_fail(place, HY_BAD_FORMAT, b->err,
                          "\"%.60s\" is a definition: write %.60s(...)", name, name);
  hy__nearest_init(&near, name);
  for (size_t i = 0; i < b->spec->n_items; i++)
    if (b->spec->items[i].named) hy__nearest_offer(&near, b->spec->items[i].name);
  for (size_t i = 0; i < b->spec->inputs.n_fields; i++)
    hy__nearest_offer(&near, b->spec->inputs.fields[i].text);
  for (size_t i = 0; i < b->spec->n_groups; i++) hy__nearest_offer(&near, b->spec->groups[i].name);
  hy__nearest_text(&near, suggestion, sizeof suggestion);
  return hy__place_fail(place, HY_NOT_FOUND, b->err, "unknown name \"%.80s\"%s", name, suggestion);
}

/* item.output, where the item is one call. */
static hy_status lower_dotted(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  const char *dot = strrchr(e->name, '.');
  uint32_t item = dot ? find_item(b, e->name, (size_t)(dot - e->name), true) : NO_ITEM;
  if (item == NO_ITEM || b->spec->items[item].value->kind != HY__EXPR_CALL)
    return fail_name(b, e->name, e->place);
  HY_TRY(refer_to_item(b, item, e, at, out));
  const hy__node *n = &b->f->nodes[out->node];
  if (n->kind != HY__NODE_IND) return fail_name(b, e->name, e->place);
  return hy__graph_output(b, n->def, dot + 1, e->place, &out->output);
}

static bool is_declared(const hy__spec_inputs *inputs, const char *name) {
  for (size_t i = 0; i < inputs->n_fields; i++) {
    const char *standard = hy__field_standard(inputs->fields[i].text);
    if (!strcmp(standard ? standard : inputs->fields[i].text, name)) return true;
  }
  return false;
}

/* A field of the universe: what the spec declares, or, when it declares none, any name (checked
 * when it is bound). */
hy_status hy__graph_field(hy__graph *b, const char *field, hy__domain at, hy__place place,
                          hy__ref *out) {
  const hy__spec_inputs *inputs = &b->spec->inputs;
  size_t row;
  if (at.tf && !strcmp(field, hy__field_n_src))
    return hy__graph_named(b, HY__NODE_FIELD, hy__field_n_src, at, place, out);
  bool is_definition =
      !hy__field_standard(field) && hy__def_find(field, strlen(field), 0, &row, NULL) == HY_OK;
  if (inputs->n_fields ? !is_declared(inputs, field) : is_definition)
    return fail_name(b, field, place);
  return hy__graph_named(b, HY__NODE_FIELD, field, at, place, out);
}

hy_status hy__graph_symbols(hy__graph *b, const hy__symbols *symbols, hy__domain at,
                            hy__place place, hy__ref *out) {
  hy__node n = {.kind = HY__NODE_NUMBER, .by_symbol = symbols, .n_out = 1, .place = place};
  HY_TRY(hy__graph_domain(b, (hy__domain){.gap = at.gap}, place, &n.domain));
  out->output = 0;
  return hy__graph_add(b, &n, &out->node);
}

static const hy__symbols *find_group(const hy__graph *b, const char *name) {
  for (size_t i = 0; i < b->spec->n_groups; i++)
    if (!strcmp(b->spec->groups[i].name, name)) return &b->spec->groups[i];
  return NULL;
}

static hy_status lower_name(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  const char *standard = hy__field_standard(e->name);
  if (e->timeframe && !strcmp(e->name, "age_bars")) return hy__graph_age(b, e, at, out);
  if (e->timeframe) HY_TRY(hy__graph_timeframe(b, e->timeframe, e->timeframe_place, &at.tf));
  if (standard) return hy__graph_field(b, standard, at, e->place, out);
  uint32_t item = find_item(b, e->name, strlen(e->name), true);
  if (item != NO_ITEM) return refer_to_item(b, item, e, at, out);
  const hy__symbols *group = find_group(b, e->name);
  if (group) return hy__graph_symbols(b, group, at, e->place, out);
  if (strchr(e->name, '.')) return lower_dotted(b, e, at, out);
  return hy__graph_field(b, e->name, at, e->place, out);
}

static hy_status lower_number(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  hy__node n = {.kind = HY__NODE_NUMBER, .number = e->number, .n_out = 1, .place = e->place};
  HY_TRY(hy__graph_domain(b, (hy__domain){.gap = at.gap}, e->place, &n.domain));
  out->output = 0;
  return hy__graph_add(b, &n, &out->node);
}

hy_status hy__graph_lower(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  hy_status status;
  if (++b->depth > DEPTH_MAX)
    return hy__place_fail(e->place, HY_LIMIT, b->err,
                          "features stand on each other deeper than %d levels", DEPTH_MAX);
  if (e->kind == HY__EXPR_CALL)
    status = hy__graph_call(b, e, at, out);
  else if (e->kind == HY__EXPR_NAME)
    status = lower_name(b, e, at, out);
  else
    status = lower_number(b, e, at, out);
  b->depth--;
  return status;
}

/* ---- features ---- */

static hy_status find_gap(hy__graph *b, const hy__spec_item *item, uint32_t *out) {
  hy_features *f = b->f;
  const hy__gap *gap = item->has_gap ? &item->gap : &b->spec->gap;
  for (*out = 0; *out < f->n_gaps; ++*out) {
    const hy__gap *g = &f->gaps[*out];
    if (g->fill == gap->fill && g->max == gap->max && g->reset_after_ns == gap->reset_after_ns)
      return HY_OK;
  }
  if (f->n_gaps == HY__GAPS_MAX)
    return hy__place_fail(item->place, HY_LIMIT, b->err, "more than %d different gap policies",
                          HY__GAPS_MAX);
  f->gaps[f->n_gaps++] = *gap;
  return HY_OK;
}

static bool is_normed(const hy__spec_norm *norm, const char *item, const char *output) {
  for (size_t k = 0; k < norm->n_names; k++)
    if (!strcmp(norm->names[k], item) || !strcmp(norm->names[k], output)) return true;
  return norm->n_names == 0;
}

/* What is given out: an item, at each of its timeframes where `tf` is a list. */
typedef struct chosen {
  const hy__spec_item *item;
  const hy__spec_name *timeframe; /* NULL: the item has no list */
  const char *name;
} chosen;

static hy_status lower_feature(hy__graph *b, const chosen *c, size_t index) {
  hy_features *f = b->f;
  hy__domain at = {0};
  hy__expr self = {.name = c->item->name, .place = c->item->place};
  hy__ref ref;
  if (c->timeframe) {
    self.timeframe = c->timeframe->text;
    HY_TRY(hy__graph_timeframe(b, c->timeframe->text, c->timeframe->place, &at.tf));
  }
  HY_TRY(find_gap(b, c->item, &at.gap));
  HY_TRY(refer_to_item(b, (uint32_t)(c->item - b->spec->items), &self, at, &ref));
  b->warmup_bars = c->item->warmup_bars;
  for (size_t i = 0; i < b->spec->n_norms; i++) {
    const hy__spec_norm *norm = &b->spec->norms[i];
    if (!is_normed(norm, c->item->name, c->name)) continue;
    if (f->fit_inputs && hy__norm_is_fit(norm)) break;
    HY_TRY(hy__graph_norm(b, norm, c->name, at, &ref));
  }
  f->own[index] = ref;
  HY_TRY(hy__graph_join(b, 0, c->item->place, &ref));
  f->refs[index] = ref;
  f->places[index] = c->item->place;
  f->names[index] = c->name;
  return HY_OK;
}

/* Has one of its steps constants of a fit? */
static bool is_fitted(const hy__graph *b, const chosen *c) {
  for (size_t i = 0; i < b->spec->n_norms; i++)
    if (hy__norm_is_fit(&b->spec->norms[i]) &&
        is_normed(&b->spec->norms[i], c->item->name, c->name))
      return true;
  return false;
}

static hy_status check_items(hy__graph *b) {
  for (uint32_t i = 0; i < b->spec->n_items; i++) {
    const hy__spec_item *item = &b->spec->items[i];
    if (strlen(item->name) > HY__NAME_BYTES_MAX)
      return hy__place_fail(item->place, HY_LIMIT, b->err,
                            "the feature's name has %zu bytes, at most %d: write NAME = expression",
                            strlen(item->name), HY__NAME_BYTES_MAX);
    if (item->named && hy__field_standard(item->name))
      return hy__place_fail(item->place, HY_BAD_FORMAT, b->err,
                            "%s is a field's name, choose another", item->name);
    if (item->named && find_group(b, item->name))
      return hy__place_fail(item->place, HY_BAD_FORMAT, b->err,
                            "%s is a group's name, choose another", item->name);
    if (find_item(b, item->name, strlen(item->name), false) != i)
      return hy__place_fail(item->place, HY_BAD_FORMAT, b->err, "%.80s is defined twice",
                            item->name);
  }
  for (size_t i = 0; i < b->spec->n_groups; i++) {
    const hy__symbols *group = &b->spec->groups[i];
    if (hy__field_standard(group->name))
      return hy__place_fail(group->place, HY_BAD_FORMAT, b->err,
                            "%s is a field's name, choose another", group->name);
  }
  return HY_OK;
}

static bool is_output(const chosen *list, size_t n, const char *name) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(list[i].name, name)) return true;
  return false;
}

static hy_status check_norms(hy__graph *b, const chosen *list, size_t n) {
  for (size_t i = 0; i < b->spec->n_norms; i++)
    for (size_t k = 0; k < b->spec->norms[i].n_names; k++) {
      const char *name = b->spec->norms[i].names[k];
      if (find_item(b, name, strlen(name), false) == NO_ITEM && !is_output(list, n, name))
        return hy__place_fail(b->spec->norms[i].place, HY_NOT_FOUND, b->err,
                              "no feature \"%.80s\" to normalise", name);
    }
  return HY_OK;
}

/* All that the items give out, in their order. */
static hy_status list_outputs(hy__graph *b, chosen **out, size_t *n) {
  const hy__spec *spec = b->spec;
  size_t most = 0;
  bool has_lists = false;
  void *memory;
  for (size_t i = 0; i < spec->n_items; i++) has_lists |= spec->items[i].each_timeframe;
  for (size_t i = 0; i < spec->n_items; i++)
    most += spec->items[i].each_timeframe ? spec->items[i].n_timeframes : 1;
  HY_TRY(hy__arena_array(b->arena, most, sizeof(chosen), &memory, b->err));
  chosen *list = memory;
  *n = 0;
  for (size_t i = 0; i < spec->n_items; i++) {
    const hy__spec_item *item = &spec->items[i];
    for (size_t k = 0; k < (item->each_timeframe ? item->n_timeframes : 1); k++) {
      chosen *c = &list[(*n)++];
      *c = (chosen){.item = item, .name = item->name};
      if (item->each_timeframe) {
        c->timeframe = &item->timeframes[k];
        HY_TRY(
            hy__arena_printf(b->arena, &c->name, b->err, "%s@%s", item->name, c->timeframe->text));
      }
      if (has_lists && is_output(list, *n - 1, c->name))
        return hy__place_fail(item->place, HY_BAD_FORMAT, b->err, "%.80s is given twice", c->name);
    }
  }
  *out = list;
  return HY_OK;
}

/* The outputs in output.order's sequence. */
static hy_status order_outputs(hy__graph *b, const chosen *list, size_t n_list, chosen *ordered) {
  const hy__spec *spec = b->spec;
  for (size_t i = 0; i < spec->n_order; i++) {
    const hy__spec_name *name = &spec->order[i];
    size_t at = 0;
    while (at < n_list && strcmp(list[at].name, name->text)) at++;
    if (at == n_list) {
      uint32_t item = find_item(b, name->text, strlen(name->text), false);
      if (item == NO_ITEM) return fail_name(b, name->text, name->place);
      return hy__place_fail(name->place, HY_BAD_FORMAT, b->err,
                            "%.60s is given out at several timeframes: write %.60s@%.20s",
                            name->text, name->text, spec->items[item].timeframes[0].text);
    }
    if (is_output(ordered, i, name->text))
      return hy__place_fail(name->place, HY_BAD_FORMAT, b->err, "%.80s stands twice in the order",
                            name->text);
    ordered[i] = list[at];
  }
  return HY_OK;
}

static hy_status choose_features(hy__graph *b, chosen **out) {
  size_t n;
  void *memory;
  HY_TRY(list_outputs(b, out, &n));
  HY_TRY(check_norms(b, *out, n));
  b->f->n_features = b->spec->order ? b->spec->n_order : n;
  HY_FAIL_IF(b->f->n_features == 0, HY_BAD_FORMAT, b->err, "the spec gives out no feature");
  if (!b->spec->order) return HY_OK;
  HY_TRY(hy__arena_array(b->arena, b->f->n_features, sizeof(chosen), &memory, b->err));
  HY_TRY(order_outputs(b, *out, n, memory));
  *out = memory;
  return HY_OK;
}

static hy_status start_tables(hy__graph *b) {
  hy_features *f = b->f;
  void *memory[5] = {NULL};
  const size_t each[5] = {sizeof(char *), sizeof(hy__ref), sizeof(hy__ref), sizeof(hy__place),
                          sizeof(hy__fit_slot)};
  for (size_t i = 0; i < HY_COUNT(each); i++)
    HY_TRY(hy__arena_array(b->arena, f->n_features, each[i], &memory[i], b->err));
  f->names = memory[0];
  f->refs = memory[1];
  f->own = memory[2];
  f->places = memory[3];
  f->fits = memory[4];
  f->gaps[0] = b->spec->gap;
  f->n_gaps = f->n_domains = f->n_timeframes = f->n_stages = 1;
  f->timeframes[0] =
      (hy__timeframe){.name = b->spec->inputs.base.text ? b->spec->inputs.base.text : "",
                      .ns = b->spec->inputs.base_ns};
  return HY_OK;
}

static hy_status lower_features(hy__graph *b) {
  hy_features *f = b->f;
  chosen *features = NULL;
  HY_TRY(check_items(b));
  HY_TRY(choose_features(b, &features));
  HY_TRY(start_tables(b));
  const size_t n_chosen = f->n_features;
  f->n_features = 0;
  for (size_t k = 0; k < n_chosen; k++) {
    if (f->fit_inputs && !is_fitted(b, &features[k])) continue;
    const size_t i = f->n_features++;
    HY_TRY(lower_feature(b, &features[k], i));
    HY_TRY(hy__arena_text(b->arena, f->names[i], strlen(f->names[i]), &f->names[i], b->err));
    const hy__node *n = &f->nodes[f->refs[i].node];
    f->n_stages = HY_MAX(f->n_stages, n->stage + 1);
    f->lookback_bars = HY_MAX(f->lookback_bars, n->lookback);
  }
  return HY_OK;
}

hy_status hy__graph_build(hy_features *f, const hy__spec *spec, hy_error *err) {
  hy__graph b = {.f = f, .spec = spec, .arena = f->arena, .err = err};
  void *memory[2] = {NULL};
  HY_TRY(hy__arena_array(f->arena, BUCKETS, sizeof(uint32_t), &memory[0], err));
  HY_TRY(hy__arena_array(f->arena, hy__def_n(), sizeof(hy__def *), &memory[1], err));
  b.buckets = memory[0];
  b.defs = memory[1];
  f->inputs = spec->inputs;
  f->warmup_qlib = spec->warmup_qlib;
  return lower_features(&b);
}
