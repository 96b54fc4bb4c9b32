/* SPDX-License-Identifier: Apache-2.0 */
/* Only the steps that somebody reads are computed: a head that takes the last step of a stack of
 * dilated convolutions needs a few columns of each layer, of a transformer's last layer one row.
 * What is wanted of each value is carried from the outputs back, then the nodes are written anew
 * for their part. Values are those that the whole computation has at these places. */
#include "pass/needed.h"

typedef struct state {
  hy__work *w;
  hy__demand *wanted; /* per value at the start */
  int32_t *part;      /* per value: the value that holds what is wanted, or HY__ABSENT */
  size_t n_values;
} state;

static int64_t gcd(int64_t a, int64_t b) {
  while (b) {
    const int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

static int64_t last_of(hy__steps s) { return s.first + (s.n - 1) * s.step; }

hy__steps hy__needed_compose(hy__steps in, hy__steps of) {
  return (hy__steps){in.first + of.first * in.step, in.step * of.step, of.n};
}

/* The places of both, in steps that meet all of them. */
static hy__steps hull(hy__steps a, hy__steps b) {
  int64_t step = gcd(a.n > 1 ? a.step : 0, b.n > 1 ? b.step : 0);
  step = gcd(step, a.first - b.first);
  if (!step) return a; /* one place, the same */
  const int64_t first = HY_MIN(a.first, b.first), last = HY_MAX(last_of(a), last_of(b));
  return (hy__steps){first, step, (last - first) / step + 1};
}

static void want(state *s, int32_t id, const hy__demand *d) {
  if (id < 0 || (size_t)id >= s->n_values || d->want == HY__WANT_NOTHING) return;
  hy__demand *own = &s->wanted[id];
  const hy_tensor *t = hy__work_tensor(s->w, id);
  if (own->want == HY__WANT_NOTHING)
    *own = *d;
  else if (own->want == HY__WANT_ALL || d->want == HY__WANT_ALL || own->axis != d->axis)
    own->want = HY__WANT_ALL;
  else
    own->steps = hull(own->steps, d->steps);
  if (own->want == HY__WANT_STEPS && own->steps.n >= t->dims[own->axis]) own->want = HY__WANT_ALL;
}

/* What a node that takes steps wants of its input, given what is wanted of it. */
static bool taken(const hy__work *w, int32_t n, const hy__demand *out, hy__demand *in) {
  int32_t axis;
  int64_t index;
  hy__steps steps;
  if (hy__work_read_slice(w, n, &axis, &steps)) {
    if (out->want == HY__WANT_STEPS && out->axis == axis)
      steps = hy__needed_compose(steps, out->steps);
  } else if (hy__work_read_gather(w, n, &axis, &index)) {
    steps = (hy__steps){index, 1, 1};
  } else {
    return false;
  }
  *in = (hy__demand){HY__WANT_STEPS, axis, steps};
  return true;
}

static void backward(state *s, int32_t n) {
  const hy__node *node = &s->w->nodes[n].node;
  const hy__demand all = {.want = HY__WANT_ALL};
  hy__needed_request r;
  hy__demand out = {.want = HY__WANT_NOTHING}, in;
  for (size_t k = 0; k < node->n_outputs; k++)
    if (node->outputs[k] >= 0 && s->wanted[node->outputs[k]].want != HY__WANT_NOTHING)
      out = k ? all : s->wanted[node->outputs[k]];
  if (out.want == HY__WANT_NOTHING) return;
  if (node->n_outputs == 1 && taken(s->w, n, &out, &in)) {
    want(s, node->inputs[0], &in);
    return;
  }
  const bool part = out.want == HY__WANT_STEPS && node->n_outputs == 1 &&
                    node->n_inputs <= HY__NEEDED_INPUTS && hy__needed_rule(s->w, n, &out, &r);
  for (size_t k = 0; k < node->n_inputs; k++) want(s, node->inputs[k], part ? &r.in[k] : &all);
}

/* The value that holds `d` of value id: made already, cut from what is, or cut from the whole. */
static hy_status fetch(state *s, int32_t n, int32_t id, const hy__demand *d, int32_t *out,
                       hy_error *err) {
  hy__work_rewrite to;
  *out = id;
  if (id < 0 || d->want != HY__WANT_STEPS) return HY_OK;
  hy__steps steps = d->steps;
  const bool shrunk = (size_t)id < s->n_values && s->part[id] >= 0;
  if (shrunk && s->wanted[id].axis != d->axis) {
    *out = HY__ABSENT; /* the part lies along another axis */
    return HY_OK;
  }
  if (shrunk) {
    const hy__steps from = s->wanted[id].steps;
    *out = s->part[id];
    steps = (hy__steps){(steps.first - from.first) / from.step,
                        from.n > 1 && steps.n > 1 ? steps.step / from.step : 1, steps.n};
  }
  if (steps.first == 0 && steps.step == 1 && steps.n == hy__work_tensor(s->w, *out)->dims[d->axis])
    return HY_OK;
  HY_TRY(hy__work_slice(s->w, *out, d->axis, steps, &to, err));
  return hy__work_add(s->w, n, &to, out, err);
}

/* A Slice or Gather from the part of its input; HY__ABSENT where there is none. */
static hy_status take(state *s, int32_t n, const hy__demand *in, int32_t *out, hy_error *err) {
  hy__work_rewrite to;
  const hy__node node = s->w->nodes[n].node;
  HY_TRY(fetch(s, n, node.inputs[0], in, out, err));
  const hy_tensor *y = hy__work_tensor(s->w, node.outputs[0]);
  if (*out < 0 || hy__work_tensor(s->w, *out)->rank == y->rank) return HY_OK;
  HY_TRY(hy__work_reshape(s->w, *out, y->rank, y->dims, &to, err)); /* drops Gather's axis */
  return hy__work_add(s->w, n, &to, out, err);
}

/* The same, of which a part along another axis is wanted. */
static hy_status take_both(state *s, int32_t n, const hy__demand *in, hy_error *err) {
  hy__work_rewrite to;
  int32_t whole;
  const int32_t id = s->w->nodes[n].node.outputs[0];
  HY_TRY(take(s, n, in, &whole, err));
  if (whole < 0) return HY_OK;
  HY_TRY(hy__work_slice(s->w, whole, s->wanted[id].axis, s->wanted[id].steps, &to, err));
  return hy__work_add(s->w, n, &to, &s->part[id], err);
}

/* A node of which a part is wanted, made anew for it. */
static hy_status shrink(state *s, int32_t n, hy_error *err) {
  const hy__node node = s->w->nodes[n].node;
  const hy__demand *out = &s->wanted[node.outputs[0]];
  int32_t inputs[HY__NEEDED_INPUTS], *part = &s->part[node.outputs[0]];
  hy__needed_request r;
  hy__demand in;
  if (node.n_outputs == 1 && taken(s->w, n, out, &in)) {
    if (hy__work_is(s->w, n, "Slice") && in.axis == out->axis)
      return fetch(s, n, node.inputs[0], &in, part, err);
    return take_both(s, n, &in, err);
  }
  if (node.n_inputs > HY__NEEDED_INPUTS || !hy__needed_rule(s->w, n, out, &r)) return HY_OK;
  for (size_t k = 0; k < node.n_inputs; k++) {
    HY_TRY(fetch(s, n, node.inputs[k], &r.in[k], &inputs[k], err));
    if (inputs[k] < 0 && node.inputs[k] >= 0) return HY_OK;
  }
  return hy__needed_write(s->w, n, out, &r, inputs, part, err);
}

/* Slice and Gather whose own result is wanted whole read from the part. */
static hy_status take_from_part(state *s, int32_t n, bool *done, hy_error *err) {
  const hy__node node = s->w->nodes[n].node;
  const hy__demand all = {.want = HY__WANT_ALL};
  hy__demand in;
  int32_t id;
  if (!taken(s->w, n, &all, &in) || s->part[node.inputs[0]] < 0) return HY_OK;
  HY_TRY(fetch(s, n, node.inputs[0], &in, &id, err));
  if (id < 0) return HY_OK;
  hy__work_rewrite to;
  const hy_tensor *y = hy__work_tensor(s->w, node.outputs[0]);
  HY_TRY(hy__work_reshape(s->w, id, y->rank, y->dims, &to, err)); /* drops Gather's axis */
  return hy__work_replace(s->w, n, &to, done, err);
}

static hy_status forward(state *s, size_t n_nodes, size_t *n_rewrites, hy_error *err) {
  for (size_t i = 0; i < n_nodes; i++) {
    const hy__node *node = &s->w->nodes[i].node;
    bool done = false;
    if (s->w->nodes[i].dead || node->n_outputs != 1 || node->outputs[0] < 0) continue;
    const hy__demand *out = &s->wanted[node->outputs[0]];
    if (out->want == HY__WANT_STEPS) HY_TRY(shrink(s, (int32_t)i, err));
    if (out->want == HY__WANT_ALL) HY_TRY(take_from_part(s, (int32_t)i, &done, err));
    *n_rewrites += done;
  }
  return HY_OK;
}

hy_status hy__pass_needed_steps(hy__work *w, size_t *n_rewrites, hy_error *err) {
  state s = {.w = w, .n_values = w->n_values};
  const size_t n_nodes = w->n_nodes, each = sizeof(hy__demand) + sizeof(int32_t);
  const hy__demand all = {.want = HY__WANT_ALL};
  void *memory;
  HY_TRY(hy__alloc_array(w->allocator, s.n_values + 1, each, &memory, err));
  s.wanted = memory;
  s.part = (int32_t *)(void *)(s.wanted + s.n_values + 1);
  for (size_t v = 0; v < s.n_values; v++) {
    s.wanted[v] = (hy__demand){.want = HY__WANT_NOTHING};
    s.part[v] = HY__ABSENT;
  }
  for (size_t k = 0; k < w->n_outputs; k++) want(&s, w->outputs[k], &all);
  for (size_t i = n_nodes; i-- > 0;)
    if (!w->nodes[i].dead) backward(&s, (int32_t)i);
  const hy_status status = forward(&s, n_nodes, n_rewrites, err);
  hy__free(w->allocator, memory, (s.n_values + 1) * each);
  return status;
}
