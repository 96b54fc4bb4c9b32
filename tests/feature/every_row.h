/* SPDX-License-Identifier: Apache-2.0
 * For the tests that walk the tables: each definition called with plain arguments. */
#ifndef TESTS_FEATURE_EVERY_ROW_H
#define TESTS_FEATURE_EVERY_ROW_H

#include "feature/panel.h"
#include "feature/table.h"

enum { SPEC_BYTES = 1 << 16 };

static inline void add_text(char *to, const char *format, ...) HY_PRINTF(2, 3);
static inline void add_text(char *to, const char *format, ...) {
  size_t used = strlen(to);
  va_list args;
  va_start(args, format);
  vsnprintf(to + used, SPEC_BYTES - used, format, args);
  va_end(args);
  assert_true(strlen(to) < SPEC_BYTES - 1);
}

static inline hy__def def_at(size_t row) {
  hy__def def;
  hy_error err;
  if (hy__def_read(row, &def, &err) != HY_OK) fail_msg("%s: %s", err.subject, err.message);
  return def;
}

/* A call with plain arguments, once for each output; n > 0: windows of n. */
static inline void add_row(char *to, const hy__def *def, double n) {
  const bool arc = !strcmp(def->id, "asin") || !strcmp(def->id, "acos"); /* of -1 to 1 */
  const char *const series[] = {arc ? "sin(close)" : "close", "high", "ref(low, 2)"};
  for (size_t o = 0; o < def->n_outputs; o++) {
    const char *comma = "";
    add_text(to, "%s(", def->id);
    for (size_t i = 0; i < def->n_free; i++, comma = ", ")
      add_text(to, "%s%s", comma, series[i % 3]);
    for (size_t i = 0; i < def->n_params; i++, comma = ", ") {
      const hy__def_param *p = &def->params[i];
      double value = p->has_default ? p->value : p->integer ? HY_MAX(n, 3.0) : 1.0 + (double)i;
      if (n > 0 && !strcmp(p->name, "n")) value = n;
      add_text(to, "%s%s=%.17g", comma, p->name, value);
    }
    add_text(to, ")%s%s; ", def->outputs[o][0] ? "." : "", def->outputs[o]);
  }
}

/* A row of which the window is all there is to choose. */
static inline bool takes_n_alone(const hy__def *def) {
  return def->n_params == 1 && !strcmp(def->params[0].name, "n") && !def->is_cross;
}

#endif
