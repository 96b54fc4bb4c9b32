/* SPDX-License-Identifier: Apache-2.0
 * Programs as text for people and as JSON for machines. */
#include <stdio.h>

#include "feature/program.h"

enum { TEXT_BYTES = 512 };

hy_status hy__put_json_text(const hy_sink *sink, const char *text, hy_error *err) {
  HY_TRY(hy__sink_text(sink, "\"", err));
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\' || *c < 0x20)
      HY_TRY(hy__sink_printf(sink, err, "\\u%04x", *c));
    else
      HY_TRY(hy__sink_write(sink, c, 1, err));
  }
  return hy__sink_text(sink, "\"", err);
}

/* ---- explain ---- */

typedef struct walk {
  const hy_features *f;
  const hy_sink *sink;
  hy_error *err;
  uint8_t *under; /* [node] */
  size_t *rows;   /* [node] */
} walk;

static void mark_under(const walk *w, hy__ref ref) {
  memset(w->under, 0, w->f->n_nodes);
  w->under[ref.node] = 1;
  for (size_t i = ref.node + 1; i-- > 0;)
    for (size_t k = 0; w->under[i] && k < w->f->nodes[i].n_in; k++)
      w->under[w->f->nodes[i].in[k].node] = 1;
}

static hy__ind_class worst_class(const walk *w) {
  static const int order[] = {[HY__IND_W] = 0, [HY__IND_E] = 1, [HY__IND_P] = 2, [HY__IND_A] = 3};
  hy__ind_class worst = HY__IND_W;
  for (size_t i = 0; i < w->f->n_nodes; i++)
    if (w->under[i] && w->f->nodes[i].def && order[w->f->nodes[i].def->klass] > order[worst])
      worst = w->f->nodes[i].def->klass;
  return worst;
}

static void node_text(const hy_features *f, hy__ref ref, char *text, size_t bytes) {
  const hy__node *n = &f->nodes[ref.node];
  const hy__timeframe *own = &f->timeframes[hy__node_timeframe(f, n)];
  if (n->kind == HY__NODE_AGE) {
    snprintf(text, bytes, "%s@%s", n->name, f->timeframes[n->slower].name);
  } else if (n->kind == HY__NODE_ASOF) {
    snprintf(text, bytes, "as of the close(#%u%s%s of %s)", n->in[0].node,
             n->in[0].output ? "." : "",
             n->in[0].output ? f->nodes[n->in[0].node].def->outputs[n->in[0].output] : "",
             f->timeframes[hy__node_timeframe(f, &f->nodes[n->in[0].node])].name);
  } else if (n->name) {
    snprintf(text, bytes, "%s%s%s", n->name, own->name[0] && own != f->timeframes ? "@" : "",
             own != f->timeframes ? own->name : "");
  } else if (n->kind == HY__NODE_NUMBER && n->by_symbol) {
    const hy__symbols *of = n->by_symbol;
    if (of->of_step)
      snprintf(text, bytes, "%s of %s's %s", of->part, of->name, of->of_step);
    else
      snprintf(text, bytes, "%s of %zu symbols", of->name, of->n);
  } else if (n->kind == HY__NODE_NUMBER) {
    char value[HY_NUMBER_TEXT];
    hy__format_f64(n->number, value);
    snprintf(text, bytes, "%s", value);
  } else {
    size_t used = (size_t)snprintf(text, bytes, "%s@%u(", n->def->id, n->def->version);
    const char *comma = "";
    for (size_t i = 0; i < n->n_in && used < bytes; i++, comma = ", ")
      used += (size_t)snprintf(
          text + used, bytes - used, "%s#%u%s%s", comma, n->in[i].node, n->in[i].output ? "." : "",
          n->in[i].output ? f->nodes[n->in[i].node].def->outputs[n->in[i].output] : "");
    for (size_t i = 0; i < n->def->n_params && used < bytes; i++, comma = ", ") {
      char value[HY_NUMBER_TEXT];
      hy__format_f64(n->p[i], value);
      used += (size_t)snprintf(text + used, bytes - used, "%s%s=%s", comma, n->def->params[i].name,
                               value);
    }
    if (used < bytes) snprintf(text + used, bytes - used, ")");
  }
}

static hy_status put_fields(const walk *w, bool json) {
  const char *comma = "";
  for (size_t i = 0; i < w->f->n_nodes; i++) {
    const hy__node *n = &w->f->nodes[i];
    if (!w->under[i] || !n->name) continue;
    HY_TRY(hy__sink_printf(w->sink, w->err, json ? "%s\"%s\"" : "%s%s", comma, n->name));
    comma = json ? "," : " ";
  }
  return HY_OK;
}

static hy_status explain_feature(walk *w, size_t index, bool json) {
  const hy_features *f = w->f;
  hy__ref ref = f->refs[index];
  size_t stable = 0, n_nodes = 0;
  mark_under(w, ref);
  hy__stable_query q = {.refs = &ref, .n_refs = 1, .tol = 1e-9, .rows = w->rows};
  const hy__node *culprit = NULL;
  bool bounded = hy__node_stable(f, &q, &stable, &culprit);
  const char *unbounded = culprit && !culprit->def ? "unknown" : "never"; /* a slower timeframe */
  for (size_t i = 0; i < f->n_nodes; i++) n_nodes += w->under[i];
  char class_letter = hy__class_letter(worst_class(w)), stable_text[HY_NUMBER_TEXT] = "null";
  if (bounded) hy__format_i64((int64_t)stable, stable_text);
  if (!json) {
    HY_TRY(hy__sink_printf(w->sink, w->err,
                           "%-32s #%-4u %c  look-back %-5zu stable %-8s nodes %-4zu ",
                           f->names[index], ref.node, class_letter, f->nodes[ref.node].lookback,
                           bounded ? stable_text : unbounded, n_nodes));
    HY_TRY(put_fields(w, false));
    return hy__sink_text(w->sink, "\n", w->err);
  }
  HY_TRY(hy__sink_text(w->sink, index ? ",{\"name\":" : "{\"name\":", w->err));
  HY_TRY(hy__put_json_text(w->sink, f->names[index], w->err));
  HY_TRY(hy__sink_printf(w->sink, w->err,
                         ",\"node\":%u,\"output\":%u,\"class\":\"%c\",\"lookback\":%zu,"
                         "\"stable\":%s,\"nodes\":%zu,\"fields\":[",
                         ref.node, ref.output, class_letter, f->nodes[ref.node].lookback,
                         stable_text, n_nodes));
  HY_TRY(put_fields(w, true));
  return hy__sink_text(w->sink, "]}", w->err);
}

/* ns_per_bar: measured now, on this machine, for one symbol and bar. */
static hy_status explain_node(const walk *w, uint32_t index, double ns_per_bar, bool json) {
  const hy__node *n = &w->f->nodes[index];
  char text[TEXT_BYTES], cost[HY_NUMBER_TEXT];
  node_text(w->f, (hy__ref){.node = index}, text, sizeof text);
  snprintf(cost, sizeof cost, "%.2f", ns_per_bar);
  if (!json)
    return hy__sink_printf(w->sink, w->err,
                           "  #%-4u %-56s stage %u  rows back %-5zu state %-6zu %s ns\n", index,
                           text, n->stage, n->history, n->state_bytes, cost);
  HY_TRY(hy__sink_text(w->sink, index ? ",{\"text\":" : "{\"text\":", w->err));
  HY_TRY(hy__put_json_text(w->sink, text, w->err));
  HY_TRY(hy__sink_text(w->sink, ",\"in\":[", w->err));
  for (size_t i = 0; i < n->n_in; i++)
    HY_TRY(hy__sink_printf(w->sink, w->err, "%s[%u,%u]", i ? "," : "", n->in[i].node,
                           n->in[i].output));
  return hy__sink_printf(w->sink, w->err,
                         "],\"stage\":%u,\"history\":%zu,\"state_bytes\":%zu,\"lookback\":%zu,"
                         "\"cost_ns\":%s}",
                         n->stage, n->history, n->state_bytes, n->lookback, cost);
}

static hy_status explain_all(walk *w, const double *cost_ns, bool json) {
  const hy_features *f = w->f;
  if (json) {
    HY_TRY(hy__sink_printf(w->sink, w->err,
                           "{\"spec_sha256\":\"%s\",\"stages\":%u,\"lookback\":%zu,",
                           f->spec_sha256, f->n_stages, f->lookback_bars));
    if (f->n_fits)
      HY_TRY(hy__sink_printf(w->sink, w->err, "\"fit_sha256\":\"%s\",", f->fit_sha256));
    HY_TRY(hy__sink_text(w->sink, "\"stable\":", w->err));
    HY_TRY(f->stable_bars ? hy__sink_printf(w->sink, w->err, "%zu", f->stable_bars)
                          : hy__sink_text(w->sink, "null", w->err));
    HY_TRY(hy__sink_text(w->sink, ",\"features\":[", w->err));
  }
  for (size_t i = 0; i < f->n_features; i++) HY_TRY(explain_feature(w, i, json));
  HY_TRY(hy__sink_text(w->sink, json ? "],\"nodes\":[" : "nodes\n", w->err));
  for (uint32_t i = 0; i < f->n_nodes; i++) HY_TRY(explain_node(w, i, cost_ns[i], json));
  if (json) return hy__sink_text(w->sink, "]}\n", w->err);
  char stable[HY_NUMBER_TEXT + 8] = "never";
  if (f->stable_bars) snprintf(stable, sizeof stable, "%zu", f->stable_bars);
  HY_TRY(hy__sink_printf(w->sink, w->err,
                         "%zu features, %zu nodes, %u stage%s, look-back %zu, stable after %s "
                         "(to 1e-9)\nspec sha256 %s\n",
                         f->n_features, f->n_nodes, f->n_stages, f->n_stages == 1 ? "" : "s",
                         f->lookback_bars, stable, f->spec_sha256));
  if (f->n_timeframes > 1 && !f->timeframes[0].ns)
    HY_TRY(hy__sink_text(w->sink,
                         "the spec names no base (such as base: M1): what stands on slower "
                         "timeframes is counted in their bars\n",
                         w->err));
  if (f->n_fits == 0) return HY_OK;
  return hy__sink_printf(w->sink, w->err, "fit sha256 %s\n",
                         f->fit_sha256[0] ? f->fit_sha256 : "wanting: hayate features fit");
}

hy_status hy_features_explain(const hy_features *f, bool json, const hy_sink *sink, hy_error *err) {
  HY_FAIL_IF(!f || !sink, HY_INVALID_ARGUMENT, err,
             "hy_features_explain: features and sink must be given");
  hy__arena *arena;
  void *memory[3];
  const size_t each[3] = {1, sizeof(size_t), sizeof(double)};
  HY_TRY(hy__arena_create(f->allocator, 0, 0, &arena, err));
  hy_status status = HY_OK;
  for (size_t i = 0; i < HY_COUNT(each) && status == HY_OK; i++)
    status = hy__arena_array(arena, f->n_nodes, each[i], &memory[i], err);
  if (status == HY_OK) status = hy__cost_measure(f, memory[2], err);
  if (status == HY_OK) {
    walk w = {.f = f, .sink = sink, .err = err, .under = memory[0], .rows = memory[1]};
    status = explain_all(&w, memory[2], json);
  }
  hy__arena_destroy(arena);
  return status;
}
