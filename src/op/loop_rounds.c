/* SPDX-License-Identifier: Apache-2.0 */
/* Counting the rounds of a Loop at planning. tf2onnx writes every Keras loop with a condition such
 * as "i < n" over counters that it carries as state: their first values are known, and what a round
 * makes of them depends on nothing else. Then that part of the body alone is run until it says
 * stop. */
#include "op/body.h"

enum { ROUNDS_MOST = 1 << 16, STATE_BYTES = 64 };

typedef struct part {
  const hy__graph *graph;
  bool *value; /* per value of the graph: needed */
  bool *out;   /* per output of the graph: computed */
} part;

static void mark(part *a) {
  const hy__graph *g = a->graph;
  for (size_t k = 0; k < g->n_outputs; k++)
    if (a->out[k]) a->value[g->outputs[k]] = true;
  for (size_t n = g->n_nodes; n-- > 0;) {
    const hy__node *node = &g->nodes[n];
    bool needed = false;
    for (size_t k = 0; k < node->n_outputs; k++)
      needed = needed || (node->outputs[k] >= 0 && a->value[node->outputs[k]]);
    for (size_t k = 0; needed && k < node->n_inputs; k++)
      if (node->inputs[k] >= 0) a->value[node->inputs[k]] = true;
  }
}

/* Nodes with graphs of their own, and those whose result is not a function of their inputs. */
static bool all_plain(const part *a) {
  for (size_t n = 0; n < a->graph->n_nodes; n++) {
    const hy__node *node = &a->graph->nodes[n];
    const hy__op *op = hy__op_find(node->domain, node->op_type, node->version, NULL);
    for (size_t k = 0; k < node->n_outputs; k++)
      if (node->outputs[k] >= 0 && a->value[node->outputs[k]] && (!op || !op->pure)) return false;
  }
  return true;
}

/* Adds the states that the part needs until there are no more; false if one is not known. */
static bool close_over(const hy__op_plan *p, part *a, size_t first_captured) {
  for (bool more = true; more;) {
    more = false;
    mark(a);
    for (size_t k = 2; k < a->graph->n_inputs; k++) {
      if (!a->value[a->graph->inputs[k]] || a->out[k - 1]) continue;
      if (!p->in[k].data || hy__op_bytes_of(&p->in[k]) > STATE_BYTES) return false;
      a->out[k - 1] = more = true;
    }
  }
  size_t j = first_captured;
  for (size_t v = 0; v < a->graph->n_values; v++) {
    const hy__value *value = &a->graph->values[v];
    if (value->outer < 0 || value->constant) continue;
    if (a->value[v] && !p->in[j].data) return false;
    j++;
  }
  return all_plain(a);
}

/* Memory of the trial: two places per state, taken in turn. */
typedef struct trial {
  void **in, **out;
  uint8_t (*state)[2][STATE_BYTES];
  void *scratch;
} trial;

static void trial_bind(const part *a, trial *t, int64_t *round, uint8_t *condition) {
  size_t at = 0;
  t->in[0] = round;
  t->out[at++] = condition;
  for (size_t k = 2; k < a->graph->n_inputs; k++) {
    t->in[k] = t->state[k][*round & 1];
    if (a->out[k - 1]) t->out[at++] = t->state[k][~*round & 1];
  }
}

static hy_status count(const part *a, trial *t, hy__op_plan *p, hy__body *body, int64_t most,
                       int64_t *rounds, hy_error *err) {
  uint8_t condition = 1;
  for (int64_t round = 0;; round++) {
    if (!condition || round >= most || round >= ROUNDS_MOST) {
      *rounds = !condition || round >= most ? round : -1;
      return HY_OK;
    }
    trial_bind(a, t, &round, &condition);
    HY_TRY(p->host->run(body, t->scratch, t->in, t->out, err));
  }
}

static hy_status try_out(hy__op_plan *p, const part *a, const hy__op_counted *c, int64_t *rounds,
                         hy_error *err) {
  hy__body *body;
  trial t;
  void *in, *out, *state;
  uint8_t truth = 1;
  HY_TRY(hy__op_body(p, c->attr, c->in, a->out, &body, err));
  HY_TRY(hy__arena_array(p->arena, body->n_in + 1, sizeof(void *), &in, err));
  HY_TRY(hy__arena_array(p->arena, body->n_out + 1, sizeof(void *), &out, err));
  HY_TRY(hy__arena_array(p->arena, body->n_in + 1, sizeof *t.state, &state, err));
  t = (trial){.in = in, .out = out, .state = state};
  for (size_t k = 2, at = 1; k < a->graph->n_inputs; k++) {
    if (!a->out[k - 1]) continue;
    const hy_tensor *made = &body->out[at++];
    if (made->dtype != p->in[k].dtype || !hy__op_same_dims(made, &p->in[k])) return HY_OK;
    memcpy(t.state[k][0], p->in[k].data, hy__op_bytes_of(&p->in[k]));
  }
  t.in[1] = &truth;
  for (size_t j = 0; j < body->n_captured; j++)
    t.in[body->n_in - body->n_captured + j] = p->in[body->first_captured + j].data;
  const hy_allocator *memory = hy__runtime_allocator(p->runtime);
  HY_TRY(hy__alloc(memory, body->scratch_bytes, &t.scratch, err));
  hy_status status = count(a, &t, p, body, c->most, rounds, err);
  hy__free(memory, t.scratch, body->scratch_bytes);
  return status;
}

hy_status hy__op_loop_rounds(hy__op_plan *p, const hy__op_counted *c, int64_t *rounds,
                             hy_error *err) {
  part a = {.graph = c->graph};
  void *value, *out;
  *rounds = -1;
  HY_TRY(hy__arena_array(p->arena, c->graph->n_values + 1, sizeof(bool), &value, err));
  HY_TRY(hy__arena_array(p->arena, c->graph->n_outputs + 1, sizeof(bool), &out, err));
  a.value = value;
  a.out = out;
  a.out[0] = true;
  if (!close_over(p, &a, hy__op_first_captured(p, c->attr))) return HY_OK;
  return try_out(p, &a, c, rounds, err);
}
