/* SPDX-License-Identifier: Apache-2.0
 * Normalisation steps in the graph: one call, or a few that stand for the step. A step of a fit
 * subtracts and divides by numbers that are not the spec's own: they come from the fit. */
#include <math.h>

#include "feature/spec/graph.h"

/* Normal consistency of the median absolute deviation, as cs.robust has it. */
static const double mad_scale = 1.4826;
static const double winsor_p = 0.01;

typedef struct step {
  hy__graph *b;
  const hy__spec_norm *norm;
  hy__domain at;
} step;

static hy_status apply_args(const step *s, const char *id, hy__ref in, const hy__arg *args,
                            size_t n_args, hy__ref *out) {
  const hy__application a = {
      .id = id, .place = s->norm->place, .in = &in, .n_in = 1, .args = args, .n_args = n_args};
  return hy__graph_apply(s->b, &a, s->at, out);
}

static hy_status apply_two(const step *s, const char *id, hy__ref x, hy__ref y, hy__ref *out) {
  const hy__ref in[2] = {x, y};
  const hy__application a = {.id = id, .place = s->norm->place, .in = in, .n_in = 2};
  return hy__graph_apply(s->b, &a, s->at, out);
}

/* (x - center) / scale */
static hy_status standardise(const step *s, hy__ref center, hy__ref scale, hy__ref *ref) {
  hy__ref away;
  HY_TRY(apply_two(s, "sub", *ref, center, &away));
  return apply_two(s, "div", away, scale, ref);
}

static hy_status roll_robust(const step *s, hy__ref *ref) {
  const hy__expr number = {.kind = HY__EXPR_NUMBER, .number = mad_scale, .place = s->norm->place};
  hy__ref center, away, factor, scale;
  HY_TRY(apply_args(s, "median", *ref, s->norm->args, s->norm->n_args, &center));
  HY_TRY(apply_args(s, "mad.median", *ref, s->norm->args, s->norm->n_args, &away));
  HY_TRY(hy__graph_lower(s->b, &number, s->at, &factor));
  HY_TRY(apply_two(s, "mul", away, factor, &scale));
  return standardise(s, center, scale, ref);
}

/* x within its quantiles p and 1 - p over n. */
static hy_status roll_winsor(const step *s, hy__ref *ref) {
  const hy__spec_norm *norm = s->norm;
  hy__expr low = {.kind = HY__EXPR_NUMBER, .number = winsor_p, .place = norm->place};
  hy__arg args[2] = {{.name = "n"}, {.name = "q", .place = norm->place, .value = &low}};
  hy__ref least, most, held;
  for (size_t i = 0; i < norm->n_args; i++) {
    const hy__arg *arg = &norm->args[i];
    const bool is_n = !strcmp(arg->name, "n");
    if (is_n) args[0] = *arg;
    if (is_n) continue;
    if (strcmp(arg->name, "p") != 0)
      return hy__place_fail(arg->place, HY_NOT_FOUND, s->b->err,
                            "winsor over a window has n and p, not %.40s", arg->name);
    if (arg->value->kind != HY__EXPR_NUMBER ||
        !(arg->value->number >= 0 && arg->value->number <= 1))
      return hy__place_fail(arg->place, HY_BAD_FORMAT, s->b->err,
                            "p of winsor: a number of 0 to 1 was expected");
    low = *arg->value;
  }
  if (low.number > 0.5) low.number = 1 - low.number;
  hy__expr high = low;
  high.number = 1 - low.number;
  HY_TRY(apply_args(s, "quantile.linear", *ref, args, 2, &least));
  args[1].value = &high;
  HY_TRY(apply_args(s, "quantile.linear", *ref, args, 2, &most));
  HY_TRY(apply_two(s, "max", *ref, least, &held));
  return apply_two(s, "min", held, most, ref);
}

/* The constants have no value before a fit gives them one. */
static hy_status fitted(const step *s, const char *feature, hy__ref *ref) {
  hy_features *f = s->b->f;
  const hy__spec_norm *norm = s->norm;
  if (f->n_fits && !strcmp(f->fits[f->n_fits - 1].feature, feature))
    return hy__place_fail(norm->place, HY_BAD_FORMAT, s->b->err,
                          "%.60s is fitted twice: a feature has one step of a fit", feature);
  hy__fit_slot *slot = &f->fits[f->n_fits++];
  const hy__symbols none = {.name = feature,
                            .others = (double)NAN,
                            .of_step = norm->key,
                            .per_symbol = norm->per_symbol,
                            .place = norm->place};
  hy__ref center, scale;
  *slot = (hy__fit_slot){.feature = feature, .kind = norm->kind, .center = none, .scale = none};
  slot->center.part = "center";
  slot->scale.part = "scale";
  HY_TRY(hy__graph_symbols(s->b, &slot->center, s->at, norm->place, &center));
  HY_TRY(hy__graph_symbols(s->b, &slot->scale, s->at, norm->place, &scale));
  return standardise(s, center, scale, ref);
}

hy_status hy__graph_norm(hy__graph *b, const hy__spec_norm *norm, const char *feature,
                         hy__domain at, hy__ref *ref) {
  const step s = {b, norm, at};
  switch (norm->kind) {
  case HY__NORM_CALL: return apply_args(&s, norm->id, *ref, norm->args, norm->n_args, ref);
  case HY__NORM_ROLL_ROBUST: return roll_robust(&s, ref);
  case HY__NORM_ROLL_WINSOR: return roll_winsor(&s, ref);
  default: return fitted(&s, feature, ref);
  }
}
