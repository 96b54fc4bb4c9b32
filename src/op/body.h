/* SPDX-License-Identifier: Apache-2.0
 * What operators with subgraphs share: asking the host for a body, and the memory that a step of
 * such an operator carves from its scratch. */
#ifndef HY_OP_BODY_H
#define HY_OP_BODY_H

#include "op/rule.h"

/* The graph attribute `name` of the node, which must take and give so many values; n_in SIZE_MAX:
 * any number. */
HY_CHECKED hy_status hy__op_graph(const hy__op_plan *p, const char *name, size_t n_in, size_t n_out,
                                  const hy__graph **out, hy_error *err);
/* Plans it for these inputs (data: known for good); what it captures comes from the node. */
HY_CHECKED hy_status hy__op_body(hy__op_plan *p, const char *name, const hy_tensor *in,
                                 const bool *wanted, hy__body **out, hy_error *err);
/* Where the captures of the attribute's graph begin among the node's inputs. */
size_t hy__op_first_captured(const hy__op_plan *p, const char *name);

/* Sizes with HY_ALIGN between: adds room for `bytes`, and gives where it begins. */
HY_CHECKED hy_status hy__op_room(size_t *total, size_t bytes, size_t *at, hy_error *err);

/* Pointers of a body's inputs and outputs in a step's scratch; behind the outputs n_out more, for
 * the operator. */
typedef struct hy__op_slots {
  size_t in_at, out_at, body_at; /* in the step's scratch */
} hy__op_slots;
HY_CHECKED hy_status hy__op_slots_make(size_t *total, const hy__body *body, hy__op_slots *out,
                                       hy_error *err);
static inline void **hy__op_slots_in(const hy__op_slots *slots, const hy__step *s) {
  return (void **)(void *)((uint8_t *)s->scratch + slots->in_at);
}
static inline void **hy__op_slots_out(const hy__op_slots *slots, const hy__step *s) {
  return (void **)(void *)((uint8_t *)s->scratch + slots->out_at);
}
void hy__op_slots_capture(const hy__op_slots *slots, const hy__body *body, const hy__step *s);
HY_CHECKED hy_status hy__op_slots_run(const hy__op_slots *slots, const hy__op_host *host,
                                      hy__body *body, const hy__step *s, hy_error *err);

/* How often a Loop goes round where its condition follows from its counters alone and these are
 * known at the start: found by running that part of the body. *rounds -1: not so, or too often. */
typedef struct hy__op_counted {
  const char *attr;
  const hy__graph *graph;
  const hy_tensor *in; /* of the graph */
  int64_t most;        /* the trip count */
} hy__op_counted;
HY_CHECKED hy_status hy__op_loop_rounds(hy__op_plan *p, const hy__op_counted *c, int64_t *rounds,
                                        hy_error *err);

#endif
