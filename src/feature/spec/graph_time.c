/* SPDX-License-Identifier: Apache-2.0
 * Timeframes in the graph: names find their timeframe, nodes their domain, and a slower series is
 * joined to a faster one as of each bar's close. */
#include "feature/spec/graph.h"

#define AGE "age_bars"

const char hy__field_n_src[] = "n_src";

/* ---- names ---- */

static hy_status fail_timeframe(hy__graph *b, const char *name, hy__place place) {
  hy__nearest near;
  char suggestion[160];
  hy__nearest_init(&near, name);
  for (size_t i = 0; i < b->spec->n_timeframes; i++)
    hy__nearest_offer(&near, b->spec->timeframes[i].name.text);
  if (b->spec->inputs.base.text) hy__nearest_offer(&near, b->spec->inputs.base.text);
  hy__nearest_text(&near, suggestion, sizeof suggestion);
  return hy__place_fail(place, HY_NOT_FOUND, b->err, "the spec has no timeframe \"%.40s\"%s", name,
                        suggestion);
}

static hy_status add_timeframe(hy__graph *b, hy__timeframe timeframe, hy__place place,
                               uint32_t *out) {
  hy_features *f = b->f;
  const int64_t base_ns = f->timeframes[0].ns;
  *out = 0;
  if (timeframe.ns == base_ns) return HY_OK;
  for (*out = 1; *out < f->n_timeframes; ++*out) {
    const hy__timeframe *t = &f->timeframes[*out];
    if (t->ns == timeframe.ns && t->anchor == timeframe.anchor) return HY_OK;
  }
  const hy_status status = hy__grid_check(timeframe.ns, timeframe.anchor, b->err);
  if (status != HY_OK) {
    hy__place_add(place, b->err);
    return status;
  }
  if (base_ns && !hy__timeframe_divides(base_ns, timeframe.ns))
    return hy__place_fail(place, HY_MISMATCH, b->err,
                          "timeframe %.20s is no multiple of base %.20s", timeframe.name,
                          f->timeframes[0].name);
  if (f->n_timeframes == HY__TIMEFRAMES_MAX)
    return hy__place_fail(place, HY_LIMIT, b->err, "more than %d timeframes", HY__TIMEFRAMES_MAX);
  f->timeframes[f->n_timeframes++] = timeframe;
  return HY_OK;
}

hy_status hy__graph_timeframe(hy__graph *b, const char *name, hy__place place, uint32_t *out) {
  const hy__spec *spec = b->spec;
  hy__timeframe timeframe = {.name = name};
  for (size_t i = 0; i < spec->n_timeframes; i++) {
    const hy__spec_timeframe *t = &spec->timeframes[i];
    if (strcmp(t->name.text, name)) continue;
    timeframe.ns = t->ns;
    timeframe.anchor = t->anchor;
    return add_timeframe(b, timeframe, place, out);
  }
  hy_status status = hy__timeframe_parse(name, &timeframe.ns, b->err);
  if (status != HY_OK) {
    hy__place_add(place, b->err);
    return status;
  }
  if (spec->timeframes && timeframe.ns != b->f->timeframes[0].ns)
    return fail_timeframe(b, name, place);
  return add_timeframe(b, timeframe, place, out);
}

/* ---- domains ---- */

hy_status hy__graph_domain(hy__graph *b, hy__domain at, hy__place place, uint32_t *out) {
  hy_features *f = b->f;
  for (*out = 0; *out < f->n_domains; ++*out)
    if (f->domains[*out].gap == at.gap && f->domains[*out].tf == at.tf) return HY_OK;
  if (f->n_domains == HY__DOMAINS_MAX)
    return hy__place_fail(place, HY_LIMIT, b->err,
                          "more than %d combinations of timeframes and gap policies",
                          HY__DOMAINS_MAX);
  f->domains[f->n_domains++] = at;
  return HY_OK;
}

bool hy__graph_domain_of(const hy__graph *b, hy__ref ref, hy__domain *out) {
  const hy__node *n = &b->f->nodes[ref.node];
  *out = b->f->domains[n->domain];
  return n->kind != HY__NODE_NUMBER;
}

/* The universe's own timeframe is the fastest, known or not. */
bool hy__graph_is_faster(const hy__graph *b, uint32_t a_tf, uint32_t b_tf) {
  const hy__timeframe *t = b->f->timeframes;
  if (a_tf == b_tf || b_tf == 0) return false;
  return a_tf == 0 || t[a_tf].ns < t[b_tf].ns || (t[a_tf].ns == t[b_tf].ns && a_tf < b_tf);
}

hy_status hy__graph_join(hy__graph *b, uint32_t tf, hy__place place, hy__ref *ref) {
  hy__domain from;
  if (!hy__graph_domain_of(b, *ref, &from) || from.tf == tf) return HY_OK;
  hy__node n = {.kind = HY__NODE_ASOF, .n_in = 1, .n_out = 1, .in = {*ref}, .place = place};
  HY_TRY(hy__graph_domain(b, (hy__domain){.gap = from.gap, .tf = tf}, place, &n.domain));
  ref->output = 0;
  return hy__graph_add(b, &n, &ref->node);
}

hy_status hy__graph_age(hy__graph *b, const hy__expr *e, hy__domain at, hy__ref *out) {
  hy__node n = {.kind = HY__NODE_AGE, .name = AGE, .n_out = 1, .place = e->place};
  HY_TRY(hy__graph_timeframe(b, e->timeframe, e->timeframe_place, &n.slower));
  if (!hy__graph_is_faster(b, at.tf, n.slower))
    return hy__place_fail(
        e->timeframe_place, HY_BAD_FORMAT, b->err,
        AGE "@%.20s: a timeframe slower than the bars that are counted was expected", e->timeframe);
  HY_TRY(hy__graph_domain(b, at, e->place, &n.domain));
  out->output = 0;
  return hy__graph_add(b, &n, &out->node);
}

size_t hy__timeframe_ratio(const hy__timeframe *fast, const hy__timeframe *slow) {
  if (!fast->ns) return 0;
  const bool months = hy__timeframe_months(fast->ns) != 0;
  const int64_t slow_ns = months ? slow->ns : hy__timeframe_longest_ns(slow->ns);
  return (size_t)((slow_ns + fast->ns - 1) / fast->ns);
}
