/* SPDX-License-Identifier: Apache-2.0
 * Random programs for property tests: expressions over every row of the tables, nested, under
 * random gap policies. The same seed gives the same program. */
#ifndef TESTS_FEATURE_RANDOM_SPEC_H
#define TESTS_FEATURE_RANDOM_SPEC_H

#include "feature/panel.h"
#include "feature/table.h"

enum { RANDOM_SPEC_BYTES = 8192 };

typedef struct random_spec {
  hy__random *random;
  char *text;
  size_t used;
} random_spec;

static inline void random_text(random_spec *r, const char *format, ...) HY_PRINTF(2, 3);
static inline void random_text(random_spec *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int n = vsnprintf(r->text + r->used, RANDOM_SPEC_BYTES - r->used, format, args);
  va_end(args);
  r->used += (size_t)n;
  assert_true(r->used < RANDOM_SPEC_BYTES);
}

static inline size_t random_of(random_spec *r, size_t n) {
  return (size_t)hy__random_below(r->random, n);
}

/* Of a parameter's range, at most 2: three digits stay within. */
static inline double random_within(random_spec *r, const hy__def_param *p) {
  const double least = isinf(p->least) ? 0.1 : p->least, most = p->most > 2 ? 2 : p->most;
  return least + (most - least) * (0.05 + 0.9 * hy__random_uniform(r->random));
}

static inline void random_param(random_spec *r, const hy__def_param *p) {
  if (strcmp(p->name, "min") == 0) /* no more than any window's n */
    random_text(r, "1");
  else if (p->integer && p->least == 1)
    random_text(r, "%zu", 1 + random_of(r, random_of(r, 12) ? 9 : 70));
  else if (p->integer)
    random_text(r, "%zu", random_of(r, 2));
  else if (p->has_default && random_of(r, 2))
    random_text(r, "%.17g", p->value);
  else
    random_text(r, "%.3g", random_within(r, p));
}

static inline void random_series(random_spec *r, int depth);

static inline void random_call(random_spec *r, int depth) {
  hy__def def;
  hy_error err;
  const char *comma = "";
  if (hy__def_read(random_of(r, hy__def_n()), &def, &err) != HY_OK) fail_msg("%s", err.message);
  random_text(r, "%s@%u(", def.id, def.version);
  for (size_t i = 0; i < def.n_free; i++, comma = ",") {
    if (def.inputs[i].optional && random_of(r, 2)) break;
    random_text(r, "%s", comma);
    if (def.is_cross && i > 0 && random_of(r, 2))
      random_text(r, "sector");
    else
      random_series(r, depth - 1);
  }
  for (size_t i = 0; i < def.n_params; i++, comma = ",") {
    random_text(r, "%s%s=", comma, def.params[i].name);
    random_param(r, &def.params[i]);
  }
  const size_t output = random_of(r, def.n_outputs);
  random_text(r, ")%s%s", def.outputs[output][0] ? "." : "", def.outputs[output]);
}

static inline void random_series(random_spec *r, int depth) {
  static const char *const slower[] = {"@M5", "@M15", "@H1", "@D1"};
  if (depth > 0 && random_of(r, 3)) {
    random_call(r, depth);
    return;
  }
  if (random_of(r, 12) == 0) {
    random_text(r, "%s%s", random_of(r, 2) ? "n_src" : "age_bars",
                slower[random_of(r, HY_COUNT(slower))]);
    return;
  }
  random_text(r, "%s", panel_fields[random_of(r, PANEL_FIELDS)]);
  if (random_of(r, 6) == 0) random_text(r, "%s", slower[random_of(r, HY_COUNT(slower))]);
}

static inline const char *random_gap(random_spec *r) {
  static const char *const gaps[] = {"none", "none", "{fill: reset, reset_after: 3m}",
                                     "{fill: flat, max: 2}", "mark"};
  return gaps[random_of(r, HY_COUNT(gaps))];
}

/* A YAML map of n features into text. */
static inline void random_spec_make(hy__random *random, size_t n, char text[RANDOM_SPEC_BYTES]) {
  random_spec r = {random, text, 0};
  random_text(&r, "groups: {sector: {S000: a, S002: b, S003: a, S004: b, S005: a, S007: c}}\n");
  random_text(&r, "params: {gap: %s}\nfeatures:\n", random_gap(&r));
  static const char *const norms[] = {"roll_z: {n: 6, min: 3, ddof: 0, exclude_self: true}",
                                      "roll_robust: {n: 5}",
                                      "winsor: {n: 9, p: 0.2}",
                                      "rank: {n: 4}",
                                      "expand_z: {min: 3}",
                                      "demean: true"};
  for (size_t i = 0; i < n; i++) {
    random_text(&r, "  - {name: f%zu, expr: \"", i);
    random_call(&r, 2);
    random_text(&r, "\", warmup_bars: 10");
    if (random_of(&r, 4) == 0) random_text(&r, ", gap: %s", random_gap(&r));
    if (random_of(&r, 4) == 0) random_text(&r, ", tf: %s", random_of(&r, 2) ? "M5" : "H1");
    random_text(&r, "}\n");
  }
  if (random_of(&r, 2))
    random_text(&r, "norm: [{in: f0, %s}]\n", norms[random_of(&r, HY_COUNT(norms))]);
}

#endif
