/* SPDX-License-Identifier: Apache-2.0 */
/* The working graph as a data structure: values, nodes, uses, rewriting of single nodes. */
#include "pass/rewrite.h"

size_t hy__work_bytes(const hy_tensor *t) {
  size_t bytes = 0;
  (void)hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes);
  return bytes;
}

hy_status hy__work_value_new(hy__work *w, const hy_tensor *t, const char *name, int32_t *id,
                             hy_error *err) {
  if (w->n_values == w->values_capacity) {
    void *values = w->values;
    HY_TRY(hy__grow(w->allocator, &values, &w->values_capacity, HY_MAX(w->n_values + 1, (size_t)64),
                    sizeof(hy__work_value), err));
    w->values = values;
  }
  w->values[w->n_values] =
      (hy__work_value){.name = name, .forward = -1, .producer = -1, .user = -1, .wide = -1};
  if (t) w->values[w->n_values].t = *t;
  *id = (int32_t)w->n_values++;
  return HY_OK;
}

void hy__work_destroy(hy__work *w) {
  hy__free(w->allocator, w->values, w->values_capacity * sizeof *w->values);
  hy__free(w->allocator, w->nodes, w->nodes_capacity * sizeof *w->nodes);
  hy__free(w->allocator, w->scratch, w->scratch_bytes);
  w->values = NULL;
  w->nodes = NULL;
  w->scratch = NULL;
}

void hy__work_forward(hy__work *w, int32_t from, int32_t to) { w->values[from].forward = to; }

int32_t hy__work_resolve(const hy__work *w, int32_t id) {
  while (id >= 0 && w->values[id].forward >= 0) id = w->values[id].forward;
  return id;
}

static void resolve_list(const hy__work *w, const int32_t *ids, size_t n) {
  int32_t *own = (int32_t *)(uintptr_t)ids; /* the lists are this graph's own memory */
  for (size_t k = 0; k < n; k++) own[k] = hy__work_resolve(w, own[k]);
}

void hy__work_count(hy__work *w) {
  for (size_t v = 0; v < w->n_values; v++) {
    w->values[v].uses = 0;
    w->values[v].user = -1;
    w->values[v].producer = -1;
  }
  resolve_list(w, w->outputs, w->n_outputs);
  for (size_t k = 0; k < w->n_outputs; k++) w->values[w->outputs[k]].uses++;
  for (size_t n = w->n_nodes; n-- > 0;) {
    hy__work_node *node = &w->nodes[n];
    bool wanted = false;
    if (node->dead) continue;
    resolve_list(w, node->node.inputs, node->node.n_inputs);
    for (size_t k = 0; k < node->node.n_outputs; k++)
      wanted = wanted || (node->node.outputs[k] >= 0 && w->values[node->node.outputs[k]].uses > 0);
    node->dead = !wanted;
    if (!wanted) continue;
    for (size_t k = 0; k < node->node.n_outputs; k++)
      if (node->node.outputs[k] >= 0) w->values[node->node.outputs[k]].producer = (int32_t)n;
    for (size_t k = 0; k < node->node.n_inputs; k++)
      if (node->node.inputs[k] >= 0) {
        w->values[node->node.inputs[k]].uses++;
        w->values[node->node.inputs[k]].user = (int32_t)n;
      }
  }
}

bool hy__work_is(const hy__work *w, int32_t n, const char *op_type) {
  const hy__work_node *node = &w->nodes[n];
  if (node->dead || strcmp(node->node.op_type, op_type) != 0) return false;
  return !*node->node.domain || strcmp(node->node.domain, "hayate") == 0;
}

int32_t hy__work_maker(const hy__work *w, int32_t id, const char *op_type) {
  if (id < 0 || w->values[id].uses != 1) return -1;
  int32_t n = w->values[id].producer;
  return n >= 0 && hy__work_is(w, n, op_type) ? n : -1;
}

int32_t hy__work_input(const hy__work *w, int32_t n, size_t k) {
  const hy__node *node = &w->nodes[n].node;
  return k < node->n_inputs ? node->inputs[k] : HY__ABSENT;
}

const hy_tensor *hy__work_tensor(const hy__work *w, int32_t id) {
  return id < 0 ? NULL : &w->values[id].t;
}

const hy_tensor *hy__work_known_input(const hy__work *w, int32_t n, size_t k) {
  const hy_tensor *t = hy__work_tensor(w, hy__work_input(w, n, k));
  return t && t->data ? t : NULL;
}

static bool reads(const hy__work_node *node, int32_t id) {
  for (size_t k = 0; !node->dead && k < node->node.n_inputs; k++)
    if (node->node.inputs[k] == id) return true;
  return false;
}

int32_t hy__work_sole_user(const hy__work *w, int32_t id) {
  if (id < 0 || w->values[id].uses != 1) return -1;
  int32_t producer = w->values[id].producer, user = w->values[id].user;
  if (user >= 0 && reads(&w->nodes[user], id)) return user;
  for (size_t n = producer < 0 ? 0 : (size_t)producer + 1; n < w->n_nodes; n++)
    if (reads(&w->nodes[n], id)) return (int32_t)n; /* rewritten since the count */
  return -1;                                        /* a graph output */
}

hy_status hy__work_blame(const hy__node *node, hy_status status, hy_error *err) {
  if (status == HY_OK) return HY_OK;
  if (*node->name)
    hy__error_prefix(err, "node '%s' (%s)", node->name, node->op_type);
  else
    hy__error_prefix(err, "a node without name (%s)", node->op_type);
  hy__error_place(err, 0, 0, node->offset_bytes);
  return status;
}

/* The arrays of a view, carved from one block of scratch. */
static hy_status view_room(hy__work *w, size_t n_in, size_t n_out, hy__op_plan *p, hy_error *err) {
  size_t each_in = sizeof(hy_tensor) + 2 * sizeof(bool);
  size_t each_out = sizeof(hy_tensor) + sizeof(int32_t) + sizeof(uint32_t) + sizeof(bool);
  size_t bytes = (n_in + 1) * each_in + (n_out + 1) * each_out;
  if (bytes > w->scratch_bytes) {
    hy__free(w->allocator, w->scratch, w->scratch_bytes);
    w->scratch = NULL;
    w->scratch_bytes = 0;
    HY_TRY(hy__alloc(w->allocator, 2 * bytes, &w->scratch, err));
    w->scratch_bytes = 2 * bytes;
  }
  memset(w->scratch, 0, bytes);
  hy_tensor *tensors = w->scratch;
  p->in = tensors;
  p->out = tensors + n_in;
  p->out_alias = (int32_t *)(tensors + n_in + n_out);
  p->out_inplace = (uint32_t *)(p->out_alias + n_out);
  bool *flags = (bool *)(p->out_inplace + n_out);
  p->in_present = flags;
  p->in_stable = flags + n_in;
  p->out_wanted = flags + 2 * n_in;
  return HY_OK;
}

static hy_status arity_check(const hy__op *op, const hy__op_plan *p, hy_error *err) {
  HY_FAIL_IF((int64_t)p->n_in < op->in_min || (op->in_max >= 0 && (int64_t)p->n_in > op->in_max),
             HY_BAD_FORMAT, err, "it has %zu inputs, the operator takes %d to %d", p->n_in,
             (int)op->in_min, (int)op->in_max);
  HY_FAIL_IF((int64_t)p->n_out < op->out_min ||
                 (op->out_max >= 0 && (int64_t)p->n_out > op->out_max),
             HY_BAD_FORMAT, err, "it has %zu outputs, the operator gives %d to %d", p->n_out,
             (int)op->out_min, (int)op->out_max);
  for (int32_t k = 0; k < op->in_min; k++)
    HY_FAIL_IF(!p->in_present[k], HY_BAD_FORMAT, err, "input %d must not be left out", (int)k);
  for (size_t k = 0; k < p->n_in; k++) {
    if (!p->in_present[k]) continue;
    HY_FAIL_IF(!(op->types & 1u << p->in[k].dtype), HY_UNSUPPORTED, err,
               "elements of type %s are not supported here", hy_dtype_name(p->in[k].dtype));
    break;
  }
  return HY_OK;
}

hy_status hy__work_view(hy__work *w, const hy__work_node *node, hy__op_plan *p, hy_error *err) {
  const hy__node *n = &node->node;
  *p = (hy__op_plan){.node = n,
                     .n_in = n->n_inputs - node->n_captured,
                     .n_out = n->n_outputs,
                     .n_captured = node->n_captured,
                     .host = w->host,
                     .arena = w->arena,
                     .packs = w->packs,
                     .pool = w->pool,
                     .kernels = w->kernels,
                     .runtime = w->runtime};
  HY_TRY(view_room(w, n->n_inputs, n->n_outputs, p, err));
  bool own = false;
  for (size_t k = 0; k < n->n_inputs; k++) {
    if (n->inputs[k] < 0) continue;
    const hy__work_value *v = &w->values[n->inputs[k]];
    ((bool *)(uintptr_t)p->in_present)[k] = true;
    ((bool *)(uintptr_t)p->in_stable)[k] = v->stable;
    ((hy_tensor *)(uintptr_t)p->in)[k] = v->t;
    own = own || (v->t.data && !v->stable);
  }
  if (w->packs) w->packs->own = own;
  for (size_t k = 0; k < n->n_outputs; k++) {
    p->out_alias[k] = -1;
    ((bool *)(uintptr_t)p->out_wanted)[k] = n->outputs[k] >= 0 && w->values[n->outputs[k]].uses > 0;
  }
  HY_TRY(arity_check(node->op, p, err));
  HY_FAIL_IF(w->deadline_ns && hy__clock_monotonic_ns() > w->deadline_ns, HY_LIMIT, err,
             "planning takes longer than the model's max_plan_ms allows");
  HY_TRY(node->op->infer(p, err));
  for (size_t k = 0; k < p->n_out && w->max_elements; k++)
    HY_FAIL_IF(p->out_wanted[k] && p->out[k].dtype &&
                   hy__work_bytes(&p->out[k]) / hy_dtype_bytes(p->out[k].dtype) > w->max_elements,
               HY_LIMIT, err, "output %zu has more elements than the %zu of max_elements", k,
               w->max_elements);
  return HY_OK;
}

static bool same_type(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank &&
         memcmp(a->dims, b->dims, (size_t)a->rank * sizeof a->dims[0]) == 0;
}

static hy_status ids_copy(hy__work *w, const int32_t *from, size_t n, const int32_t **out,
                          hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(w->arena, n + 1, sizeof(int32_t), &memory, err));
  if (n) memcpy(memory, from, n * sizeof(int32_t));
  *out = memory;
  return HY_OK;
}

hy_status hy__work_replace(hy__work *w, int32_t n, const hy__work_rewrite *to, bool *done,
                           hy_error *err) {
  hy__work_node *old = &w->nodes[n], made = {.node = old->node};
  *done = false;
  made.op = hy__op_find(to->domain, to->op_type, to->version, NULL);
  if (!made.op) return HY_OK;
  made.node.domain = to->domain;
  made.node.op_type = to->op_type;
  made.node.version = to->version;
  made.node.n_inputs = to->n_inputs;
  made.node.attrs = to->attrs;
  made.node.n_attrs = to->n_attrs;
  HY_TRY(ids_copy(w, to->inputs, to->n_inputs, &made.node.inputs, err));
  if (to->outputs) {
    made.node.n_outputs = to->n_outputs;
    HY_TRY(ids_copy(w, to->outputs, to->n_outputs, &made.node.outputs, err));
  }
  hy__op_plan view;
  hy_error why;
  hy_status status = hy__work_view(w, &made, &view, &why);
  HY_FAIL_IF(status == HY_OUT_OF_MEMORY, status, err, "%s", why.message);
  if (status != HY_OK) return HY_OK; /* the operator refuses: the graph stays as it is */
  for (size_t k = 0; k < made.node.n_outputs; k++) {
    if (!view.out_wanted[k]) continue;
    if (!same_type(&view.out[k], &w->values[made.node.outputs[k]].t)) return HY_OK;
  }
  *old = made;
  *done = true;
  return HY_OK;
}
