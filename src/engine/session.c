/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: outputs chosen, plans kept for the last few shapes, runs that bind and step. */
#include <stdio.h>

#include "engine/engine.h"
#include "engine/session.h"

enum { THREADS_MAX = 256, ARENA_BLOCK = 1 << 12 };

static void shared_destroy(void *ptr) {
  hy__shared *shared = ptr;
  hy__pack_store_destroy(shared->packs);
  hy__fold_cache_destroy(shared->folds);
  hy__shared_take_back(shared);
  hy__free(shared->allocator, shared, sizeof *shared);
}

/* What packing may come to: the constants that are matrices. */
static size_t weights_of(const hy__graph *graph) {
  size_t sum = 0, bytes;
  for (size_t v = 0; v < graph->n_values; v++) {
    const hy_tensor *t = graph->values[v].outer < 0 ? graph->values[v].constant : NULL;
    if (!t || t->rank < 2 || t->dtype != HY_F32) continue;
    if (hy__shape_bytes(t->dims, t->rank, sizeof(float), &bytes) && bytes < SIZE_MAX / 2 - sum)
      sum += bytes;
  }
  return sum;
}

/* The model's shared part, made by whoever comes first. */
static hy_status shared_get(hy_model *model, const hy_allocator *a, hy__shared **out,
                            hy_error *err) {
  hy__model_shared *slot = hy__model_shared_slot(model);
  *out =
      __atomic_load_n((hy__shared **)(void *)&slot->ptr, __ATOMIC_ACQUIRE); /* pairs with below */
  if (*out) return HY_OK;
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy__shared), &memory, err));
  hy__shared *made = memory, *none = NULL;
  made->allocator = a;
  made->model = model;
  hy_status status =
      hy__pack_store_create(a, weights_of(hy__model_graph(model)), &made->packs, err);
  if (status == HY_OK)
    status = hy__fold_cache_create(a, hy__model_graph(model)->n_values,
                                   hy__model_limits_of(model).max_plan_bytes, &made->folds, err);
  if (status == HY_OK) status = hy__shared_give(made, err);
  if (status != HY_OK) {
    shared_destroy(made);
    return status;
  }
  __atomic_store_n(&slot->destroy, shared_destroy, __ATOMIC_RELAXED); /* always the same value */
  if (__atomic_compare_exchange_n((hy__shared **)(void *)&slot->ptr, &none, made, false,
                                  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    *out = made;
  } else { /* another thread was first */
    shared_destroy(made);
    *out = none;
  }
  return HY_OK;
}

static hy_status output_find(const hy_session *s, const char *name, int32_t *id, hy_error *err) {
  for (size_t v = 0; v < s->graph->n_values; v++)
    if (strcmp(s->graph->values[v].name, name) == 0) {
      *id = (int32_t)v;
      return HY_OK;
    }
  HY_FAIL(HY_NOT_FOUND, err, "the model has no output or value named '%s'", name);
}

static hy_status outputs_choose(hy_session *s, const hy_session_options *options, hy_error *err) {
  bool all = !options || !options->outputs;
  void *ids, *ports;
  s->n_outputs = all ? s->graph->n_outputs : options->n_outputs;
  HY_FAIL_IF(!s->n_outputs, HY_INVALID_ARGUMENT, err, "no outputs to compute");
  HY_TRY(hy__arena_array(s->arena, s->n_outputs, sizeof(int32_t), &ids, err));
  HY_TRY(hy__arena_array(s->arena, s->n_outputs, sizeof(hy_port), &ports, err));
  s->outputs = ids;
  s->ports = ports;
  for (size_t k = 0; k < s->n_outputs; k++) {
    if (all)
      s->outputs[k] = s->graph->outputs[k];
    else
      HY_TRY(output_find(s, options->outputs[k], &s->outputs[k], err));
    s->ports[k] = hy__port_of(s->graph, s->outputs[k]);
  }
  return HY_OK;
}

static hy_status ops_check(const hy_session *s, hy_error *err) {
  void *needed;
  size_t n = s->graph->n_nodes + 1;
  HY_TRY(hy__alloc(s->allocator, n * sizeof(bool), &needed, err));
  hy__work_needed(s->graph, s->outputs, s->n_outputs, needed);
  hy_status status = hy__work_check_ops(s->graph, needed, err);
  hy__free(s->allocator, needed, n * sizeof(bool));
  return status;
}

static hy_status lists_make(hy_session *s, hy_error *err) {
  void *staged, *in, *out, *typed, *items, *held, *tensors;
  HY_TRY(hy__arena_array(s->arena, s->graph->n_inputs + 1, sizeof(hy_tensor), &typed, err));
  HY_TRY(hy__arena_array(s->arena, s->graph->n_inputs + 1, sizeof(staging), &staged, err));
  HY_TRY(hy__arena_array(s->arena, s->graph->n_inputs + 1, sizeof(void *), &in, err));
  HY_TRY(hy__arena_array(s->arena, s->n_outputs + 1, sizeof(void *), &out, err));
  s->staged = staged;
  s->typed = typed;
  HY_TRY(hy__arena_array(s->arena, s->n_inputs + 1, sizeof(hy__item *), &items, err));
  HY_TRY(hy__arena_array(s->arena, 2 * s->n_outputs + 1, sizeof(hy__item *), &held, err));
  HY_TRY(
      hy__arena_array(s->arena, s->n_inputs + s->n_outputs + 1, sizeof(hy_tensor), &tensors, err));
  s->items = items;
  s->held = held;
  s->tensors = tensors;
  s->in = in;
  s->out = out;
  return HY_OK;
}

static hy_status workers_choose(hy_session *s, uint32_t n_threads, hy_error *err) {
  if (n_threads == HY_THREADS_SHARED) {
    hy__pool *pool = hy__runtime_pool(s->runtime);
    s->pool = hy__pool_n_workers(pool) > 1 ? pool : NULL;
    return HY_OK;
  }
  if (n_threads < 2) return HY_OK;
  /* Not pinned: sessions would meet on the same CPUs. */
  HY_TRY(hy__pool_create(s->allocator, HY_MIN(n_threads, (uint32_t)THREADS_MAX),
                         hy__runtime_cpu(s->runtime)->n_usable, false, &s->own_pool, err));
  hy__pool_be_eager(s->own_pool);
  s->pool = s->own_pool;
  return HY_OK;
}

static hy_status session_make(hy_session *s, const hy_session_options *options, hy_error *err) {
  const hy__cpu *cpu = hy__runtime_cpu(s->runtime);
  hy__kernels_for(cpu->mask, &s->kernels);
  HY_TRY(workers_choose(s, options ? options->n_threads : 1, err));
  HY_TRY(shared_get(s->model, s->allocator, &s->shared, err));
  if (options) s->limits = *options;
  HY_TRY(outputs_choose(s, options, err));
  HY_TRY(ops_check(s, err));
  return lists_make(s, err);
}

bool hy__session_halves(const hy_session *s) {
  return s->limits.precision == HY_PRECISION_BFLOAT16_WEIGHTS;
}

static const char *const precisions[] = {"float32", "bfloat16"};

const char *hy_precision_name(hy_precision precision) {
  return (size_t)precision < HY_COUNT(precisions) ? precisions[precision] : NULL;
}

hy_status hy_precision_parse(const char *name, hy_precision *out, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!name || !out, HY_INVALID_ARGUMENT, err, "name and out must not be NULL");
  for (size_t i = 0; i < HY_COUNT(precisions); i++) {
    if (strcmp(name, precisions[i]) != 0) continue;
    *out = (hy_precision)i;
    return HY_OK;
  }
  HY_FAIL(HY_INVALID_ARGUMENT, err, "precision '%.40s' is unknown: float32 and bfloat16 are known",
          name);
}

hy_status hy_session_create(hy_model *model, const hy_session_options *options, hy_session **out,
                            hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!model || !out, HY_INVALID_ARGUMENT, err, "model and out must not be NULL");
  *out = NULL;
  HY_FAIL_IF(options && options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_session_options has an unknown struct_size of %zu", options->struct_size);
  HY_FAIL_IF(options && !hy_precision_name(options->precision), HY_INVALID_ARGUMENT, err,
             "precision %d is unknown", (int)options->precision);
  hy_runtime *runtime = (hy_runtime *)(uintptr_t)hy__model_runtime(model);
  const hy_allocator *a = hy__runtime_allocator(runtime);
  hy__arena *arena;
  void *memory;
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &arena, err));
  hy_status status = hy__arena_alloc(arena, sizeof(hy_session), HY_ALIGN, &memory, err);
  if (status != HY_OK) {
    hy__arena_destroy(arena);
    return status;
  }
  hy_session *s = memory;
  *s = (hy_session){.model = model,
                    .runtime = runtime,
                    .allocator = a,
                    .graph = hy__model_graph(model),
                    .n_inputs = hy_model_n_inputs(model),
                    .arena = arena};
  status = session_make(s, options, err);
  if (status != HY_OK) {
    hy_session_destroy(s);
    return status;
  }
  *out = s;
  return HY_OK;
}

void hy_session_destroy(hy_session *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n_plans; i++) hy__plan_destroy(s->plans[i]);
  hy__session_forget(s);
  for (size_t k = 0; s->staged && k < s->n_inputs; k++) /* the model may be gone by now */
    hy__free(s->allocator, s->staged[k].data, s->staged[k].bytes);
  hy__free(s->allocator, s->memory, s->memory_bytes);
  hy__pool_destroy(s->own_pool);
  if (s->views) hy__arena_destroy(s->views);
  hy__arena_destroy(s->arena);
}

/* --- inputs --- */

static void shape_text(int32_t rank, const int64_t *dims, char *text, size_t bytes) {
  size_t used = 0;
  text[0] = 0;
  for (int32_t d = 0; d < rank && used + 24 < bytes; d++) {
    const char *mark = d ? "," : "";
    if (dims[d] < 0)
      used += (size_t)snprintf(text + used, bytes - used, "%s?", mark);
    else
      used += (size_t)snprintf(text + used, bytes - used, "%s%lld", mark, (long long)dims[d]);
  }
}

static hy_status refuse_shape(const hy_port *port, const hy_tensor *t, hy_error *err) {
  char got[128], expected[128];
  shape_text(t->rank, t->dims, got, sizeof got);
  shape_text(port->rank, port->dims, expected, sizeof expected);
  (void)hy__error_set(err, HY_INVALID_ARGUMENT, "input '%s' has shape [%s], the model expects [%s]",
                      port->name, got, expected);
  hy__error_subject(err, port->name);
  return HY_INVALID_ARGUMENT;
}

hy_status hy__session_input_check(const hy_port *port, const hy_tensor *t, hy_error *err) {
  size_t bytes;
  HY_FAIL_IF(port->dtype == HY_DTYPE_NONE, HY_UNSUPPORTED, err,
             "input '%s' is a sequence, map or optional (hy_session_run_values takes those), or of "
             "a type that is not supported",
             port->name);
  HY_FAIL_IF(t->dtype != port->dtype, HY_INVALID_ARGUMENT, err,
             "input '%s' has type %s, the model expects %s", port->name, hy_dtype_name(t->dtype),
             hy_dtype_name(port->dtype));
  HY_FAIL_IF(t->rank < 0 || t->rank > HY_MAX_RANK, HY_INVALID_ARGUMENT, err,
             "input '%s' has rank %d", port->name, (int)t->rank);
  bool fits = port->rank < 0 || port->rank == t->rank;
  for (int32_t d = 0; fits && d < port->rank; d++)
    fits = port->dims[d] < 0 || port->dims[d] == t->dims[d];
  if (!fits) return refuse_shape(port, t, err);
  HY_FAIL_IF(!hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes),
             HY_INVALID_ARGUMENT, err, "input '%s' has dims that are negative or overflow",
             port->name);
  HY_FAIL_IF(!t->data && bytes, HY_INVALID_ARGUMENT, err, "input '%s' has no data", port->name);
  return HY_OK;
}

/* Elements as the steps want them: the caller's own where dense and aligned, else a copy. */
static hy_status input_stage(hy_session *s, size_t k, const hy_tensor *t, hy_error *err) {
  static const uint64_t nothing[HY_ALIGN / sizeof(uint64_t)]; /* an address for no elements */
  if (!t->data) {
    s->in[k] = (void *)(uintptr_t)nothing;
    return HY_OK;
  }
  bool dense = hy__session_dense(t);
  if (dense && ((uintptr_t)t->data & (hy__session_align(t->dtype) - 1)) == 0) {
    s->in[k] = t->data;
    return HY_OK;
  }
  size_t bytes = hy__work_bytes(t);
  staging *to = &s->staged[k];
  if (bytes > to->bytes) {
    hy__free(s->allocator, to->data, to->bytes);
    *to = (staging){0};
    HY_TRY(hy__alloc(s->allocator, bytes, &to->data, err));
    to->bytes = bytes;
  }
  if (bytes) hy__session_copy(t, dense, to->data);
  s->in[k] = to->data;
  return HY_OK;
}

/* --- plans --- */

static bool plan_fits(const hy__plan *plan, const hy_tensor *in, void *const *values) {
  for (size_t k = 0; k < plan->n_inputs; k++) {
    if (plan->inputs[k].rank != in[k].rank) return false;
    for (int32_t d = 0; d < in[k].rank; d++)
      if (plan->inputs[k].dims[d] != in[k].dims[d]) return false;
    if (plan->inputs[k].data &&
        memcmp(plan->inputs[k].data, values[k], hy__work_bytes(&plan->inputs[k])) != 0)
      return false;
  }
  return true;
}

static hy_status plan_new(hy_session *s, const hy_tensor *in, hy__plan **out, hy_error *err) {
  for (size_t k = 0; k < s->graph->n_inputs; k++) {
    s->typed[k] = in[k];
    s->typed[k].data = s->in[k]; /* dense by now */
    memset(s->typed[k].strides_bytes, 0, sizeof s->typed[k].strides_bytes);
  }
  hy__plan_request request = {.runtime = s->runtime,
                              .graph = s->graph,
                              .shared = s->shared,
                              .kernels = &s->kernels,
                              .pool = s->pool,
                              .inputs = s->typed,
                              .outputs = s->outputs,
                              .n_outputs = s->n_outputs,
                              .halves = hy__session_halves(s),
                              .limits = hy__model_limits_of(s->model),
                              .budget = &s->budget};
  hy__plan *plan;
  hy_status made = hy__plan_create(&request, &plan, err);
  if (made == HY_UNSUPPORTED) { /* a shape that is fed as an input? */
    hy_error first_err;
    request.values = HY__PLAN_SHAPES;
    made = hy__plan_create(&request, &plan, &first_err);
    HY_FAIL_IF(made == HY_OUT_OF_MEMORY, made, err, "%s", first_err.message);
    if (made != HY_OK) return HY_UNSUPPORTED;
    hy_error_clear(err);
  }
  HY_TRY(made);
  if (plan->arena_bytes > s->memory_bytes) {
    void *memory = NULL;
    hy_status status =
        plan->arena_bytes > hy__session_max_bytes(s)
            ? hy__error_set(err, HY_LIMIT,
                            "the plan needs %zu bytes, more than the %zu of max_bytes",
                            plan->arena_bytes, hy__session_max_bytes(s))
            : hy__alloc(s->allocator, plan->arena_bytes, &memory, err);
    if (status != HY_OK) {
      hy__plan_destroy(plan);
      return status;
    }
    hy__free(s->allocator, s->memory, s->memory_bytes);
    s->memory = memory;
    s->memory_bytes = plan->arena_bytes;
  }
  size_t place = s->n_plans;
  if (s->n_plans == HY__SESSION_PLANS) { /* the one used longest ago goes */
    place = 0;
    for (size_t i = 1; i < HY__SESSION_PLANS; i++)
      if (s->plans[i]->last_used < s->plans[place]->last_used) place = i;
    hy__plan_destroy(s->plans[place]);
  } else {
    s->n_plans++;
  }
  *out = s->plans[place] = plan;
  return HY_OK;
}

static hy_status plan_get(hy_session *s, const hy_tensor *in, hy__plan **out, hy_error *err) {
  *out = NULL;
  if (s->latest && plan_fits(s->latest, in, s->in)) *out = s->latest;
  for (size_t i = 0; i < s->n_plans && !*out; i++)
    if (plan_fits(s->plans[i], in, s->in)) *out = s->plans[i];
  if (!*out) HY_TRY(plan_new(s, in, out, err));
  s->latest = *out;
  s->latest->last_used = ++s->n_runs;
  return HY_OK;
}

hy_status hy__session_output_check(const hy_port *port, const hy_tensor *made, const hy_tensor *t,
                                   hy_error *err) {
  if (!t->data) return HY_OK;
  bool same = t->dtype == made->dtype && t->rank == made->rank;
  for (int32_t d = 0; same && d < t->rank; d++) same = t->dims[d] == made->dims[d];
  if (!same) {
    char got[128] = "", expected[128];
    if (t->rank >= 0 && t->rank <= HY_MAX_RANK) shape_text(t->rank, t->dims, got, sizeof got);
    shape_text(made->rank, made->dims, expected, sizeof expected);
    HY_FAIL(HY_INVALID_ARGUMENT, err, "output '%s' is %s [%s], the buffer given is %s [%s]",
            port->name, hy_dtype_name(made->dtype), expected, hy_dtype_name(t->dtype), got);
  }
  HY_FAIL_IF(!hy__session_dense(t) || ((uintptr_t)t->data & (hy__session_align(t->dtype) - 1)),
             HY_INVALID_ARGUMENT, err, "the buffer for output '%s' must be dense and aligned",
             port->name);
  return HY_OK;
}

static hy_status inputs_take(hy_session *s, const hy_tensor *in, hy_error *err) {
  for (size_t k = 0; k < s->n_inputs; k++)
    HY_TRY(hy__session_input_check(hy_model_input(s->model, k), &in[k], err));
  for (size_t k = 0; k < s->n_inputs; k++) HY_TRY(input_stage(s, k, &in[k], err));
  return HY_OK;
}

static hy_status run_plan(hy_session *s, hy__plan *plan, hy_tensor *out, hy_error *err) {
  for (size_t k = 0; k < s->n_outputs; k++)
    HY_TRY(hy__session_output_check(&s->ports[k], &plan->outputs[k], &out[k], err));
  for (size_t k = 0; k < s->n_outputs; k++) s->out[k] = out[k].data;
  hy__plan_bind(plan, s->memory, s->in, s->out);
  HY_TRY(hy__plan_run(plan, err));
  for (size_t k = 0; k < s->n_outputs; k++) out[k] = plan->outputs[k];
  return HY_OK;
}

hy_status hy_session_run(hy_session *s, const hy_tensor *in, size_t n_in, hy_tensor *out,
                         size_t n_out, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!s || (!in && n_in) || !out, HY_INVALID_ARGUMENT, err,
             "session, in and out must not be NULL");
  HY_FAIL_IF(n_in != s->n_inputs, HY_INVALID_ARGUMENT, err, "%zu inputs given, the model takes %zu",
             n_in, s->n_inputs);
  HY_FAIL_IF(n_out != s->n_outputs, HY_INVALID_ARGUMENT, err,
             "%zu outputs given, the session has %zu", n_out, s->n_outputs);
  hy__plan *plan = NULL;
  HY_TRY(inputs_take(s, in, err));
  hy__session_budget(s);
  hy_status status = s->evaluates ? HY_UNSUPPORTED : plan_get(s, in, &plan, err);
  if (status == HY_UNSUPPORTED) return hy__session_evaluate(s, in, out, err);
  HY_TRY(status);
  return run_plan(s, plan, out, err);
}

hy__shared *hy__session_shared(const hy_session *s) { return s->shared; }

const hy__plan *hy__session_plan(const hy_session *s) { return s->evaluates ? NULL : s->latest; }

size_t hy_session_n_outputs(const hy_session *s) { return s->n_outputs; }

const hy_port *hy_session_output(const hy_session *s, size_t index) {
  return index < s->n_outputs ? &s->ports[index] : NULL;
}

void hy_session_describe(const hy_session *s, hy_session_info *info) {
  if (info->struct_size != sizeof *info) return;
  info->arena_bytes = s->memory_bytes;
  info->weight_bytes = s->latest ? s->latest->weight_bytes : 0;
  info->n_steps = s->latest ? s->latest->n_steps : 0;
  info->evaluated = s->evaluates;
}
