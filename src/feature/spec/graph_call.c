/* SPDX-License-Identifier: Apache-2.0
 * Calls in a spec: the id finds its row, the arguments their slots, and what is not given its
 * default. */
#include "feature/spec/graph.h"

#include <stdio.h>

hy_status hy__graph_output(hy__graph *b, const hy__def *def, const char *name, hy__place place,
                           uint32_t *out) {
  char known[160] = "";
  size_t used = 0;
  for (size_t i = 0; i < def->n_outputs; i++) {
    if (def->outputs[i][0] && !strcmp(def->outputs[i], name)) {
      *out = (uint32_t)i;
      return HY_OK;
    }
    if (used < sizeof known)
      used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "",
                               def->outputs[i]);
  }
  return hy__place_fail(place, HY_NOT_FOUND, b->err, "%s has no output \"%.40s\", but %s", def->id,
                        name, known[0] ? known : "a single one");
}

static hy_status get_def(hy__graph *b, size_t row, const hy__def **out) {
  if (!b->defs[row]) {
    void *memory;
    HY_TRY(hy__arena_alloc(b->arena, sizeof(hy__def), _Alignof(hy__def), &memory, b->err));
    HY_TRY(hy__def_read(row, memory, b->err));
    b->defs[row] = memory;
  }
  *out = b->defs[row];
  return HY_OK;
}

/* Which slot of the row an argument is for: inputs first, then params. */
static hy_status find_slot(hy__graph *b, const hy__def *def, const hy__arg *arg, size_t position,
                           size_t *slot) {
  char text[200];
  if (!arg->name) {
    *slot = position < def->n_free ? position : def->n_inputs + (position - def->n_free);
    if (position < def->n_free + def->n_params) return HY_OK;
    hy__def_signature(def, text, sizeof text);
    return hy__place_fail(arg->place, HY_BAD_FORMAT, b->err, "one argument too many for %s", text);
  }
  const char *field = hy__field_standard(arg->name);
  for (size_t i = 0; i < def->n_inputs; i++) {
    const char *wanted = def->inputs[i].kind == HY__INPUT_FIELD && field ? field : arg->name;
    *slot = i;
    if (!strcmp(def->inputs[i].name, wanted)) return HY_OK;
  }
  for (size_t i = 0; i < def->n_params; i++) {
    *slot = def->n_inputs + i;
    if (!strcmp(def->params[i].name, arg->name)) return HY_OK;
  }
  hy__def_signature(def, text, sizeof text);
  return hy__place_fail(arg->place, HY_NOT_FOUND, b->err, "no argument \"%.40s\" in %s", arg->name,
                        text);
}

static hy_status read_param(hy__graph *b, const hy__def *def, size_t index, const hy__arg *arg,
                            double *out) {
  const hy__def_param *param = &def->params[index];
  const hy__expr *e = arg->value;
  if (e->kind != HY__EXPR_NUMBER)
    return hy__place_fail(e->place, HY_BAD_FORMAT, b->err, "%s of %s must be a number", param->name,
                          def->id);
  double v = e->number;
  *out = v;
  if (hy__def_allows(param, v)) return HY_OK;
  char range[HY__RANGE_TEXT], given[HY_NUMBER_TEXT];
  hy__def_range(param, range);
  hy__format_f64(v, given);
  return hy__place_fail(e->place, HY_BAD_FORMAT, b->err, "%s of %s must be %s, not %s", param->name,
                        def->id, range, given);
}

static hy_status lower_input(hy__graph *b, hy__node *n, size_t index, const hy__arg *arg,
                             hy__domain at) {
  const hy__expr *e = arg->value;
  bool by_element = n->code && !n->code->history && !n->code->state_bytes;
  if (e->kind == HY__EXPR_NUMBER && !by_element)
    return hy__place_fail(e->place, HY_BAD_FORMAT, b->err,
                          "%s of %s must be a series, not a number", n->def->inputs[index].name,
                          n->def->id);
  HY_TRY(hy__graph_lower(b, e, at, &n->in[index]));
  /* a number by name, or one for each symbol: no rows to look back on, and no bar */
  bool number = b->f->nodes[n->in[index].node].kind == HY__NODE_NUMBER;
  if (number && !by_element && !(n->def->is_cross && index > 0))
    return hy__place_fail(e->place, HY_BAD_FORMAT, b->err,
                          "%s of %s must be a series, not a number", n->def->inputs[index].name,
                          n->def->id);
  return HY_OK;
}

/* The fastest timeframe of the given inputs; `tf` where none is a series. */
static uint32_t fastest(const hy__graph *b, const hy__node *n, const bool *given, uint32_t tf) {
  bool any = false;
  for (size_t i = 0; i < n->n_in; i++) {
    hy__domain domain;
    if ((given && !given[i]) || !hy__graph_domain_of(b, n->in[i], &domain)) continue;
    if (!any || hy__graph_is_faster(b, domain.tf, tf)) tf = domain.tf;
    any = true;
  }
  return tf;
}

/* The call runs at the fastest timeframe of its inputs; slower ones are joined to it. */
static hy_status settle_domain(hy__graph *b, hy__node *n, hy__domain at) {
  at.tf = fastest(b, n, NULL, at.tf);
  for (size_t i = 0; i < n->n_in; i++) HY_TRY(hy__graph_join(b, at.tf, n->place, &n->in[i]));
  return hy__graph_domain(b, at, n->place, &n->domain);
}

/* The optional inputs from `index` on: none of them may be given. */
static hy_status leave_out(hy__graph *b, hy__node *n, const bool *given, size_t index) {
  const hy__def *def = n->def;
  for (size_t i = index; i < def->n_inputs; i++)
    if (given[i])
      return hy__place_fail(n->place, HY_BAD_FORMAT, b->err, "%s: %s is given without %s", def->id,
                            def->inputs[i].name, def->inputs[index].name);
  n->n_in = index;
  return HY_OK;
}

/* Inputs and params that no argument gave: series at the timeframe of those that were given. */
static hy_status fill_defaults(hy__graph *b, hy__node *n, const bool *given, hy__domain at) {
  const hy__def *def = n->def;
  char text[200];
  hy__def_signature(def, text, sizeof text);
  at.tf = fastest(b, n, given, at.tf);
  for (size_t i = 0; i < def->n_inputs; i++) {
    const hy__def_input *input = &def->inputs[i];
    if (given[i]) continue;
    if (input->optional) {
      HY_TRY(leave_out(b, n, given, i));
      break;
    }
    if (input->kind == HY__INPUT_FREE)
      return hy__place_fail(n->place, HY_BAD_FORMAT, b->err, "%s needs %s", text, input->name);
    if (input->kind == HY__INPUT_CLOCK)
      HY_TRY(hy__graph_named(b, HY__NODE_CLOCK, input->name, at, n->place, &n->in[i]));
    else
      HY_TRY(hy__graph_field(b, input->name, at, n->place, &n->in[i]));
  }
  for (size_t i = 0; i < def->n_params; i++) {
    if (given[def->n_inputs + i]) continue;
    if (!def->params[i].has_default)
      return hy__place_fail(n->place, HY_BAD_FORMAT, b->err, "%s needs %s", text,
                            def->params[i].name);
    n->p[i] = def->params[i].value;
  }
  return HY_OK;
}

/* Parameters that may not be more than another of the same row. */
static hy_status check_order(hy__graph *b, const hy__node *n) {
  static const char *const pairs[][2] = {
      {"min", "n"}, /* a window of n never holds more than n values */
      {"lo", "hi"},
  };
  const hy__def *def = n->def;
  for (size_t k = 0; k < HY_COUNT(pairs); k++) {
    const double *least = NULL, *most = NULL;
    for (size_t i = 0; i < def->n_params; i++) {
      if (!strcmp(def->params[i].name, pairs[k][0])) least = &n->p[i];
      if (!strcmp(def->params[i].name, pairs[k][1])) most = &n->p[i];
    }
    if (least && most && *least > *most)
      return hy__place_fail(n->place, HY_BAD_FORMAT, b->err,
                            "%s of %s is %g, more than its %s = %g", pairs[k][0], def->id, *least,
                            pairs[k][1], *most);
  }
  return HY_OK;
}

/* The first n_preset inputs stand already. */
static hy_status lower_args(hy__graph *b, const hy__expr *call, hy__domain at, hy__node *n,
                            size_t n_preset) {
  const hy__def *def = n->def;
  bool given[HY__IND_INPUTS + HY__IND_PARAMS] = {false};
  size_t position = n_preset, slot = 0;
  for (size_t i = 0; i < n_preset; i++) given[i] = true;
  for (size_t i = 0; i < call->n_args; i++) {
    const hy__arg *arg = &call->args[i];
    HY_TRY(find_slot(b, def, arg, arg->name ? 0 : position++, &slot));
    if (given[slot])
      return hy__place_fail(arg->place, HY_BAD_FORMAT, b->err, "an argument of %s is given twice",
                            def->id);
    given[slot] = true;
    if (slot < def->n_inputs)
      HY_TRY(lower_input(b, n, slot, arg, at));
    else
      HY_TRY(read_param(b, def, slot - def->n_inputs, arg, &n->p[slot - def->n_inputs]));
  }
  HY_TRY(fill_defaults(b, n, given, at));
  HY_TRY(check_order(b, n));
  return settle_domain(b, n, at);
}

/* Under warmup: qlib a bare family is its .qlib row. */
static hy_status find_row(const hy__graph *b, const hy__expr *e, size_t *row) {
  char id[HY__DEF_ID];
  const bool bare = !strchr(e->name, '.') && strlen(e->name) + sizeof ".qlib" <= sizeof id;
  if (b->spec->warmup_qlib && bare) {
    (void)snprintf(id, sizeof id, "%s.qlib", e->name);
    if (hy__def_find(id, strlen(id), e->version, row, NULL) == HY_OK) return HY_OK;
  }
  return hy__def_find(e->name, strlen(e->name), e->version, row, b->err);
}

static hy_status start_node(hy__graph *b, size_t row, hy__node *n) {
  HY_TRY(get_def(b, row, &n->def));
  n->kind = n->def->is_cross ? HY__NODE_CROSS : HY__NODE_IND;
  n->code = n->def->is_cross ? NULL : hy__def_code(row, b->f->isa);
  n->n_in = n->def->n_inputs;
  n->n_out = n->def->n_outputs;
  n->warmup_bars = n->def->klass == HY__IND_P ? b->warmup_bars : 0;
  return HY_OK;
}

hy_status hy__graph_call(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  size_t row;
  hy_status status = find_row(b, e, &row);
  if (status != HY_OK) {
    hy__place_add(e->place, b->err);
    return status;
  }
  hy__node n = {.place = e->place};
  if (e->timeframe) HY_TRY(hy__graph_timeframe(b, e->timeframe, e->timeframe_place, &at.tf));
  HY_TRY(start_node(b, row, &n));
  out->output = 0;
  if (e->output) HY_TRY(hy__graph_output(b, n.def, e->output, e->place, &out->output));
  HY_TRY(lower_args(b, e, at, &n, 0));
  return hy__graph_add(b, &n, &out->node);
}

hy_status hy__graph_apply(hy__graph *b, const hy__application *a, hy__domain at, hy__ref *out) {
  size_t row;
  hy__expr call = {.args = a->args, .n_args = a->n_args};
  hy__node n = {.place = a->place};
  HY_TRY(hy__def_find(a->id, strlen(a->id), 0, &row, b->err));
  HY_TRY(start_node(b, row, &n));
  memcpy(n.in, a->in, a->n_in * sizeof n.in[0]);
  HY_TRY(lower_args(b, &call, at, &n, a->n_in));
  out->output = 0;
  return hy__graph_add(b, &n, &out->node);
}
