/* SPDX-License-Identifier: Apache-2.0
 * The inside of a session, between session.c (planned runs) and values.c (evaluated ones). */
#ifndef HY_ENGINE_SESSION_H
#define HY_ENGINE_SESSION_H

#include "engine/evaluate.h"
#include "engine/plan.h"

enum { HY__SESSION_PLANS = 8 };

/* Memory for inputs that do not come dense or aligned. */
typedef struct staging {
  void *data;
  size_t bytes;
} staging;

struct hy_session {
  hy_model *model;
  hy_runtime *runtime;
  const hy_allocator *allocator;
  const hy__graph *graph;
  hy__shared *shared;
  hy__arena *arena; /* this, and the lists below */
  hy__kernels kernels;
  hy__pool *pool, *own_pool; /* NULL with one thread; own_pool where it is not the runtime's */
  int32_t *outputs;          /* value ids */
  hy_port *ports;
  size_t n_outputs;
  hy__plan *plans[HY__SESSION_PLANS];
  hy__plan *latest;
  size_t n_plans;
  uint64_t n_runs;
  hy__budget budget;
  void *memory; /* the arena that all plans run in, one at a time */
  size_t memory_bytes;
  staging *staged;  /* per input */
  hy_tensor *typed; /* per input, while a plan is made */
  size_t n_inputs;
  void **in, **out;
  hy_session_options limits;
  hy__evaluator *evaluator; /* NULL until a run cannot be planned */
  bool evaluates;           /* no run is planned any more */
  hy__item **items;         /* per input, while an evaluation begins */
  hy__item **held;          /* per output: what the latest evaluation gave; then as many to come */
  hy_tensor *tensors;       /* of hy_session_run_values: per input, per output */
  hy__arena *views;         /* of values given out */
};

/* Is the view dense and aligned for its type? */
bool hy__session_dense(const hy_tensor *t);
size_t hy__session_align(hy_dtype dtype);
/* The view's elements in C order to `to`. */
void hy__session_copy(const hy_tensor *t, bool dense, uint8_t *to);
HY_CHECKED hy_status hy__session_input_check(const hy_port *port, const hy_tensor *t,
                                             hy_error *err);
HY_CHECKED hy_status hy__session_output_check(const hy_port *port, const hy_tensor *made,
                                              const hy_tensor *t, hy_error *err);

/* What a run may spend, from now on. */
void hy__session_budget(hy_session *s);
size_t hy__session_max_bytes(const hy_session *s);
bool hy__session_halves(const hy_session *s); /* weights are rounded to bfloat16 */
/* Evaluates over the staged inputs. */
HY_CHECKED hy_status hy__session_evaluate(hy_session *s, const hy_tensor *in, hy_tensor *out,
                                          hy_error *err);
/* Drops what the latest evaluation gave, and the evaluator. */
void hy__session_forget(hy_session *s);

#endif
