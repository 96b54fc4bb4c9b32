/* SPDX-License-Identifier: Apache-2.0
 * Between needed_steps.c, which carries demands through the graph, and needed_rule.c, which knows
 * what each operator makes of one. */
#ifndef HY_PASS_NEEDED_H
#define HY_PASS_NEEDED_H

#include "pass/rewrite.h"

/* What is wanted of a value: nothing, places along one axis, or all. */
typedef enum hy__want { HY__WANT_NOTHING, HY__WANT_STEPS, HY__WANT_ALL } hy__want;
typedef struct hy__demand {
  hy__want want;
  int32_t axis;
  hy__steps steps;
} hy__demand;

enum { HY__NEEDED_INPUTS = 16 };

/* What node n asks of its inputs to give `out` of its first output, and how it is written then. */
typedef struct hy__needed_request {
  hy__demand in[HY__NEEDED_INPUTS];
  /* Conv: the one spatial dim's new values, written to `dim` of the lists. */
  bool window;
  int32_t dim;
  int64_t stride, dilation, before, after;
} hy__needed_request;

/* False: the node cannot give a part of its output alone. */
bool hy__needed_rule(const hy__work *w, int32_t n, const hy__demand *out, hy__needed_request *r);
/* Steps `of` the places `in` along the same axis. */
hy__steps hy__needed_compose(hy__steps in, hy__steps of);
/* Adds the node that gives `out` from these inputs; *made HY__ABSENT where it cannot be. */
HY_CHECKED hy_status hy__needed_write(hy__work *w, int32_t n, const hy__demand *out,
                                      const hy__needed_request *r, const int32_t *inputs,
                                      int32_t *made, hy_error *err);
/* needed_attention.c: the parts for AttentionView. */
bool hy__needed_attention(const hy__work *w, int32_t n, const hy__demand *out);
HY_CHECKED hy_status hy__needed_write_attention(hy__work *w, int32_t n, const hy__demand *out,
                                                hy__work_rewrite *to, hy_error *err);

#endif
