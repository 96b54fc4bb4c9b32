/* SPDX-License-Identifier: Apache-2.0 */
/* Loop whose state keeps its shape: the body is planned once and run round by round. The number of
 * rounds is known where the trip count is and the condition stays true or counts (loop_rounds.c);
 * else it may only end a Loop that stacks no outputs. Every other Loop is evaluated. */
#include "op/body.h"

typedef struct loop {
  hy__op_host *host;
  hy__body *body;
  size_t n_state, n_scan;
  int64_t rounds; /* -1: found while running */
  int64_t most;   /* the trip count, where it is known */
  bool reads_m, reads_condition, gives_condition;
  hy__op_slots slots;
  size_t flags_at; /* the round's number, the condition */
  size_t state_at; /* two places per state, one after the other */
  size_t *bytes;   /* per state, rounded up; then per stacked output, of one round */
} loop;

static const uint8_t truth = 1;

static bool known_int(const hy_tensor *t, int64_t *out) {
  if (!t->data || hy__op_count_of(t) != 1) return false;
  *out = *(const int64_t *)t->data;
  return true;
}

/* The body's own inputs: the round's number, the condition, the states. */
static hy_status body_types(hy__op_plan *p, const hy__graph *graph, hy_tensor **out,
                            hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(p->arena, graph->n_inputs, sizeof(hy_tensor), &memory, err));
  hy_tensor *in = memory;
  for (size_t k = 0; k < graph->n_inputs; k++) {
    if (k >= 2) {
      HY_FAIL_IF(!p->in_present[k], HY_BAD_FORMAT, err, "input %zu must not be left out", k);
      in[k] = p->in[k];
      in[k].data = NULL; /* of the first round alone */
      continue;
    }
    in[k] = (hy_tensor){.dtype = k ? HY_BOOL : HY_I64};
    if (graph->values[graph->inputs[k]].rank != 1) continue;
    in[k].rank = 1;
    in[k].dims[0] = 1;
  }
  in[1].data = (void *)(uintptr_t)&truth;
  *out = in;
  return HY_OK;
}

static hy_status inputs_check(const hy__op_plan *p, hy_error *err) {
  HY_FAIL_IF(hy__op_has(p, 0) && (p->in[0].dtype != HY_I64 || hy__op_count_of(&p->in[0]) != 1),
             HY_BAD_FORMAT, err, "its trip count must be one i64");
  HY_FAIL_IF(hy__op_has(p, 1) && (p->in[1].dtype != HY_BOOL || hy__op_count_of(&p->in[1]) != 1),
             HY_BAD_FORMAT, err, "its condition must be one bool");
  return HY_OK;
}

/* How many rounds, as far as it is known, and the body for that. */
static hy_status rounds_find(hy__op_plan *p, loop *l, const hy__graph *graph, bool *wanted,
                             hy_error *err) {
  hy_tensor *in;
  int64_t most = INT64_MAX;
  HY_TRY(body_types(p, graph, &in, err));
  l->reads_m = hy__op_has(p, 0) && !known_int(&p->in[0], &most);
  l->reads_condition = hy__op_has(p, 1) && !p->in[1].data;
  if (hy__op_has(p, 1) && p->in[1].data && !*(const uint8_t *)p->in[1].data) most = 0;
  most = HY_MAX(most, (int64_t)0);
  wanted[0] = l->gives_condition = true;
  HY_TRY(hy__op_body(p, "body", in, wanted, &l->body, err));
  const hy_tensor *condition = &l->body->out[0];
  HY_FAIL_IF(condition->dtype != HY_BOOL || hy__op_count_of(condition) != 1, HY_BAD_FORMAT, err,
             "the condition that its body gives must be one bool");
  if (condition->data && !*(const uint8_t *)condition->data) most = HY_MIN(most, (int64_t)1);
  l->most = most;
  l->rounds = l->reads_m || l->reads_condition ? -1 : most;
  if (condition->data || l->rounds == 0) return HY_OK;
  if (l->rounds > 0) {
    hy__op_counted c = {"body", graph, in, most};
    if (!l->body->note) {
      HY_TRY(hy__op_loop_rounds(p, &c, &l->rounds, err));
      l->body->note = l->rounds + 2;
    }
    l->rounds = l->body->note - 2;
  }
  if (l->rounds < 0) { /* the condition is asked in every round, so the first may not be assumed */
    in[1].data = NULL;
    return hy__op_body(p, "body", in, wanted, &l->body, err);
  }
  wanted[0] = l->gives_condition = false;
  return hy__op_body(p, "body", in, wanted, &l->body, err);
}

static hy_status loop_plan(hy__op_plan *p, loop *l, hy_error *err) {
  const hy__graph *graph;
  void *wanted;
  HY_FAIL_IF(p->n_in < 2, HY_BAD_FORMAT, err, "it takes a trip count and a condition at least");
  HY_TRY(inputs_check(p, err));
  *l = (loop){.host = p->host, .n_state = p->n_in - 2};
  HY_FAIL_IF(p->n_out < l->n_state, HY_BAD_FORMAT, err, "%zu outputs for %zu states", p->n_out,
             l->n_state);
  l->n_scan = p->n_out - l->n_state;
  HY_TRY(hy__op_graph(p, "body", p->n_in, 1 + p->n_out, &graph, err));
  HY_TRY(hy__arena_array(p->arena, 1 + p->n_out, sizeof(bool), &wanted, err));
  for (size_t k = 0; k < p->n_out; k++)
    ((bool *)wanted)[1 + k] = k < l->n_state || p->out_wanted[k];
  return rounds_find(p, l, graph, wanted, err);
}

static hy_status stacked(hy__op_plan *p, const loop *l, size_t k, const hy_tensor *one,
                         hy_error *err) {
  int64_t dims[HY_MAX_RANK + 1];
  HY_FAIL_IF(l->rounds < 0, HY_UNSUPPORTED, err,
             "the shape of output %zu depends on data: the number of rounds is not known", k);
  dims[0] = l->rounds;
  for (int32_t d = 0; d < one->rank; d++) dims[d + 1] = one->dims[d];
  return hy__op_out(p, k, one->dtype, one->rank + 1, dims, err);
}

hy_status hy__op_loop_infer(hy__op_plan *p, hy_error *err) {
  loop l;
  HY_TRY(loop_plan(p, &l, err));
  for (size_t k = 0, at = l.gives_condition; k < p->n_out; k++) {
    if (k >= l.n_state && !p->out_wanted[k]) continue;
    const hy_tensor *made = &l.body->out[at++];
    HY_FAIL_IF(made->dtype == HY_STRING, HY_UNSUPPORTED, err, "it carries texts");
    if (k >= l.n_state) {
      HY_TRY(stacked(p, &l, k, made, err));
      continue;
    }
    const hy_tensor *first = &p->in[2 + k];
    HY_FAIL_IF(made->dtype != first->dtype || !hy__op_same_dims(made, first), HY_UNSUPPORTED, err,
               "the shape of state %zu depends on data: a round changes it", k);
    HY_TRY(hy__op_out_like(p, k, first, err));
  }
  return HY_OK;
}

hy_status hy__op_loop_count(hy__op_plan *p, int64_t *rounds, hy_error *err) {
  loop l;
  HY_TRY(loop_plan(p, &l, err));
  *rounds = l.rounds;
  return HY_OK;
}

static bool goes_on(const loop *l, const hy__step *s, int64_t round, int64_t most) {
  if (round >= most) return false;
  const uint8_t *condition = (const uint8_t *)s->scratch + l->flags_at + sizeof(int64_t);
  return *condition != 0;
}

static void round_bind(const loop *l, const hy__step *s, int64_t round, void **state) {
  void **in = hy__op_slots_in(&l->slots, s), **out = hy__op_slots_out(&l->slots, s);
  uint8_t *base = s->scratch, *place = base + l->state_at;
  int64_t *flags = (int64_t *)(void *)(base + l->flags_at);
  flags[0] = round;
  in[0] = flags;
  in[1] = flags + 1;
  if (l->gives_condition) *out++ = flags + 2;
  for (size_t k = 0; k < l->n_state; k++) {
    in[2 + k] = state[k];
    bool last = round + 1 == l->rounds && s->out[k].data;
    *out++ = state[k] = last ? s->out[k].data : place + (size_t)(round & 1) * l->bytes[k];
    place += 2 * l->bytes[k];
  }
  for (size_t k = 0; k < l->n_scan; k++) {
    const hy_tensor *t = &s->out[l->n_state + k];
    if (t->data) *out++ = (uint8_t *)t->data + (size_t)round * l->bytes[l->n_state + k];
  }
}

/* state: where each state lies now, behind the pointers of the body's outputs. */
static hy_status run(const hy__step *s, hy_error *err) {
  const loop *l = s->params;
  void **state = hy__op_slots_out(&l->slots, s) + l->body->n_out;
  uint8_t *flags = (uint8_t *)s->scratch + l->flags_at;
  uint8_t *now = flags + sizeof(int64_t), *next = flags + 2 * sizeof(int64_t);
  int64_t most = l->rounds >= 0 ? l->rounds : l->most;
  if (l->reads_m) most = *(const int64_t *)s->in[0].data;
  *now = l->reads_condition ? *(const uint8_t *)s->in[1].data : 1;
  hy__op_slots_capture(&l->slots, l->body, s);
  for (size_t k = 0; k < l->n_state; k++) state[k] = s->in[2 + k].data;
  for (int64_t round = 0; goes_on(l, s, round, most); round++) {
    round_bind(l, s, round, state);
    HY_TRY(hy__op_slots_run(&l->slots, l->host, l->body, s, err));
    if (l->gives_condition && l->rounds < 0) *now = *next;
  }
  for (size_t k = 0; k < l->n_state; k++)
    if (s->out[k].data && state[k] != s->out[k].data)
      memcpy(s->out[k].data, state[k], hy__op_bytes_of(&s->out[k]));
  return HY_OK;
}

static hy_status memory_plan(hy__op_plan *p, loop *l, hy_error *err) {
  size_t total = 0, at;
  void *bytes;
  HY_TRY(hy__arena_array(p->arena, p->n_out + 1, sizeof(size_t), &bytes, err));
  l->bytes = bytes;
  HY_TRY(hy__op_slots_make(&total, l->body, &l->slots, err));
  HY_TRY(hy__op_room(&total, 3 * sizeof(int64_t), &l->flags_at, err));
  l->state_at = total;
  for (size_t k = 0, out = l->gives_condition; k < p->n_out; k++) {
    if (k >= l->n_state && !p->out_wanted[k]) continue;
    l->bytes[k] = hy__op_bytes_of(&l->body->out[out++]);
    if (k >= l->n_state) continue;
    l->bytes[k] = (l->bytes[k] + HY_ALIGN) / HY_ALIGN * HY_ALIGN;
    HY_TRY(hy__op_room(&total, l->bytes[k], &at, err));
    HY_TRY(hy__op_room(&total, l->bytes[k], &at, err));
  }
  p->scratch_bytes = total;
  return HY_OK;
}

hy_status hy__op_loop_lower(hy__op_plan *p, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(loop), _Alignof(loop), &memory, err));
  loop *l = memory;
  HY_TRY(loop_plan(p, l, err));
  HY_TRY(memory_plan(p, l, err));
  p->params = l;
  p->run = run;
  return HY_OK;
}
