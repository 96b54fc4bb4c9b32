/* SPDX-License-Identifier: Apache-2.0 */
/* The pass table of pass.inc and its driver. */
#include "pass/rewrite.h"

static const hy__pass passes[] = {
#define HY_PASS(name, summary) {#name, summary, hy__pass_##name},
#include "pass/pass.inc"
#undef HY_PASS
};

enum { ROUNDS_MAX = 4 };

size_t hy__pass_count(void) { return HY_COUNT(passes); }

const hy__pass *hy__pass_at(size_t index) { return &passes[index]; }

hy_status hy__pass_run_all(hy__work *w, hy_error *err) {
  hy__work_count(w);
  for (int round = 0; round < ROUNDS_MAX; round++) {
    size_t n_rewrites = 0;
    for (size_t i = 0; i < HY_COUNT(passes); i++) {
      size_t n = 0;
      HY_TRY(passes[i].run(w, &n, err));
      if (w->unordered) HY_TRY(hy__work_sort(w, err));
      if (n) hy__work_count(w);
      if (w->rewrites) w->rewrites[i] += n;
      n_rewrites += n;
    }
    if (!n_rewrites) break;
  }
  return HY_OK;
}
