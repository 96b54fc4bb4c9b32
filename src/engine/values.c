/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that are evaluated, and values that are no tensors: hy_value in, items through the
 * evaluator, hy_value out. */
#include "engine/session.h"

static const uint64_t rounds_default = (uint64_t)1 << 26, bytes_default = (uint64_t)1 << 34;

void hy__session_budget(hy_session *s) {
  uint64_t rounds = s->limits.max_rounds ? s->limits.max_rounds : rounds_default;
  s->budget.rounds = (int64_t)HY_MIN(rounds, (uint64_t)INT64_MAX);
  s->budget.deadline_ns = 0;
  if (s->limits.max_run_ms)
    s->budget.deadline_ns = hy__clock_monotonic_ns() + (int64_t)s->limits.max_run_ms * 1000000;
}

size_t hy__session_max_bytes(const hy_session *s) {
  uint64_t bytes = s->limits.max_bytes ? s->limits.max_bytes : bytes_default;
  return (size_t)HY_MIN(bytes, (uint64_t)SIZE_MAX / 2);
}

bool hy__session_dense(const hy_tensor *t) {
  bool all_zero = true, dense = true;
  int64_t stride = (int64_t)hy_dtype_bytes(t->dtype);
  for (int32_t d = t->rank - 1; d >= 0; d--) {
    all_zero = all_zero && t->strides_bytes[d] == 0;
    dense = dense && (t->dims[d] == 1 || t->strides_bytes[d] == stride);
    stride *= t->dims[d];
  }
  return all_zero || dense;
}

size_t hy__session_align(hy_dtype dtype) {
  return dtype == HY_STRING ? _Alignof(hy_string) : hy_dtype_bytes(dtype);
}

void hy__session_copy(const hy_tensor *t, bool dense, uint8_t *to) {
  size_t each = hy_dtype_bytes(t->dtype), bytes = hy__work_bytes(t);
  int64_t index[HY_MAX_RANK] = {0};
  const uint8_t *from = t->data;
  if (dense) {
    memcpy(to, from, bytes);
    return;
  }
  for (size_t done = 0; done < bytes; done += each) {
    memcpy(to + done, from, each);
    for (int32_t d = t->rank - 1; d >= 0; d--) {
      from += t->strides_bytes[d];
      if (++index[d] < t->dims[d]) break;
      from -= t->strides_bytes[d] * t->dims[d];
      index[d] = 0;
    }
  }
}

static hy_status evaluator_get(hy_session *s, hy__evaluator **out, hy_error *err) {
  hy__evaluator_options options = {.common = {.runtime = s->runtime,
                                              .shared = s->shared,
                                              .kernels = &s->kernels,
                                              .pool = s->pool,
                                              .halves = hy__session_halves(s),
                                              .limits = hy__model_limits_of(s->model),
                                              .budget = &s->budget},
                                   .graph = s->graph,
                                   .outputs = s->outputs,
                                   .n_outputs = s->n_outputs,
                                   .max_bytes = hy__session_max_bytes(s)};
  if (!s->evaluator) HY_TRY(hy__evaluator_create(&options, &s->evaluator, err));
  *out = s->evaluator;
  return HY_OK;
}

void hy__session_forget(hy_session *s) {
  if (!s->evaluator) return;
  hy__item_drop_all(&s->evaluator->items, s->items, s->n_inputs);
  hy__item_drop_all(&s->evaluator->items, s->held, 2 * s->n_outputs);
  hy__evaluator_destroy(s->evaluator);
  s->evaluator = NULL;
}

/* What is given out must not be the caller's own input. */
static hy_status own(hy__items *items, hy__item **at, hy_error *err) {
  hy__item *item = *at, *made;
  for (size_t k = 0; k < item->n_list; k++) HY_TRY(own(items, &item->list[k], err));
  const bool aligned = ((uintptr_t)item->t.data & (hy__session_align(item->t.dtype) - 1)) == 0;
  if (!item->borrowed || (item->stable && aligned)) return HY_OK;
  HY_TRY(hy__item_clone(items, &item->t, &made, err));
  hy__item_drop(items, item);
  *at = made;
  return HY_OK;
}

/* Over s->items, which it takes; the answers stand in s->held. Those of the run before stay until
 * this one has gone through: they may have been fed to it. */
static hy_status evaluate(hy_session *s, hy_error *err) {
  hy__items *items = &s->evaluator->items;
  hy__item **made = s->held + s->n_outputs;
  hy_status status = hy__evaluator_run(s->evaluator, s->items, made, err);
  memset(s->items, 0, s->n_inputs * sizeof *s->items);
  for (size_t k = 0; k < s->n_outputs && status == HY_OK; k++) status = own(items, &made[k], err);
  hy__item_drop_all(items, s->held, s->n_outputs);
  for (size_t k = 0; k < s->n_outputs && status == HY_OK; k++) {
    s->held[k] = made[k];
    made[k] = NULL;
  }
  hy__item_drop_all(items, made, s->n_outputs);
  if (status == HY_OK) s->evaluates = true;
  return status;
}

static hy_status answer(const hy_session *s, size_t k, hy_tensor *out, hy_error *err) {
  const hy__item *made = s->held[k];
  HY_FAIL_IF(made->kind != HY_VALUE_TENSOR, HY_UNSUPPORTED, err,
             "output '%s' is no tensor; hy_session_run_values gives it", s->ports[k].name);
  HY_TRY(hy__session_output_check(&s->ports[k], &made->t, out, err));
  if (out->data && hy__work_bytes(&made->t))
    memcpy(out->data, made->t.data, hy__work_bytes(&made->t));
  void *data = out->data ? out->data : made->t.data;
  *out = made->t;
  out->data = data;
  return HY_OK;
}

hy_status hy__session_evaluate(hy_session *s, const hy_tensor *in, hy_tensor *out, hy_error *err) {
  hy__evaluator *e;
  hy_status status = evaluator_get(s, &e, err);
  for (size_t k = 0; k < s->n_inputs && status == HY_OK; k++) {
    hy_tensor t = in[k];
    t.data = s->in[k];
    status = hy__item_view(&e->items, &t, &s->items[k], err);
  }
  if (status != HY_OK) {
    if (s->evaluator) hy__item_drop_all(&s->evaluator->items, s->items, s->n_inputs);
    return status;
  }
  HY_TRY(evaluate(s, err));
  for (size_t k = 0; k < s->n_outputs; k++) HY_TRY(answer(s, k, &out[k], err));
  return HY_OK;
}

/* --- hy_value --- */

static hy_status tensor_item(hy__items *items, const hy_tensor *t, hy__item **out, hy_error *err) {
  size_t bytes;
  HY_FAIL_IF(t->rank < 0 || t->rank > HY_MAX_RANK || !hy_dtype_bytes(t->dtype) ||
                 !hy__shape_bytes(t->dims, t->rank, hy_dtype_bytes(t->dtype), &bytes) ||
                 (bytes && !t->data),
             HY_INVALID_ARGUMENT, err,
             "a tensor without data, or with a rank or dims out of range");
  bool dense = hy__session_dense(t);
  if (dense && ((uintptr_t)t->data & (hy__session_align(t->dtype) - 1)) == 0)
    return hy__item_view(items, t, out, err);
  HY_TRY(hy__item_tensor(items, t, out, err));
  if (bytes) hy__session_copy(t, dense, (*out)->t.data);
  return HY_OK;
}

static hy_status value_item(hy__items *items, const hy_value *v, hy__item **out, hy_error *err) {
  hy__item *element;
  if (v->kind == HY_VALUE_NONE) return hy__item_none(items, out, err);
  if (v->kind == HY_VALUE_TENSOR) return tensor_item(items, &v->tensor, out, err);
  HY_FAIL_IF(v->kind != HY_VALUE_SEQUENCE || (v->n_items && !v->items), HY_INVALID_ARGUMENT, err,
             "it is no tensor, no sequence, and not nothing");
  HY_TRY(hy__item_sequence(items, v->tensor.dtype, out, err));
  for (size_t k = 0; k < v->n_items; k++) {
    const hy_value *item = &v->items[k];
    HY_FAIL_IF(item->kind != HY_VALUE_TENSOR, HY_INVALID_ARGUMENT, err,
               "element %zu of its sequence is no tensor", k);
    HY_FAIL_IF(k && item->tensor.dtype != v->items[0].tensor.dtype, HY_INVALID_ARGUMENT, err,
               "elements 0 and %zu of its sequence have different types", k);
    HY_TRY(tensor_item(items, &item->tensor, &element, err));
    HY_TRY(hy__item_insert(items, *out, k, element, err));
  }
  return HY_OK;
}

static hy_status inputs_make(hy_session *s, const hy_value *in, hy_error *err) {
  for (size_t k = 0; k < s->n_inputs; k++) {
    const hy_port *port = hy_model_input(s->model, k);
    HY_FAIL_IF(port->dtype && in[k].kind != HY_VALUE_TENSOR, HY_INVALID_ARGUMENT, err,
               "input '%s' is a tensor", port->name);
    if (port->dtype) HY_TRY(hy__session_input_check(port, &in[k].tensor, err));
    hy_status status = value_item(&s->evaluator->items, &in[k], &s->items[k], err);
    if (status != HY_OK) {
      hy__error_prefix(err, "input '%s'", port->name);
      return status;
    }
  }
  return HY_OK;
}

static hy_status value_of(hy_session *s, const hy__item *item, hy_value *out, hy_error *err) {
  void *list = NULL;
  *out = (hy_value){.kind = item->kind, .tensor = item->t, .n_items = item->n_list};
  if (!item->n_list) return HY_OK;
  HY_TRY(hy__arena_array(s->views, item->n_list, sizeof(hy_value), &list, err));
  for (size_t k = 0; k < item->n_list; k++)
    ((hy_value *)list)[k] = (hy_value){.kind = HY_VALUE_TENSOR, .tensor = item->list[k]->t};
  out->items = list;
  return HY_OK;
}

static hy_status run_evaluated(hy_session *s, const hy_value *in, hy_value *out, hy_error *err) {
  hy__evaluator *e;
  HY_TRY(evaluator_get(s, &e, err));
  hy_status status = inputs_make(s, in, err);
  if (status != HY_OK) {
    hy__item_drop_all(&e->items, s->items, s->n_inputs);
    return status;
  }
  hy__session_budget(s);
  HY_TRY(evaluate(s, err));
  if (!s->views) HY_TRY(hy__arena_create(s->allocator, 0, 0, &s->views, err));
  hy__arena_reset(s->views);
  for (size_t k = 0; k < s->n_outputs; k++) HY_TRY(value_of(s, s->held[k], &out[k], err));
  return HY_OK;
}

/* Do all inputs come as tensors where the model takes tensors, and can it be planned? */
static bool plain(const hy_session *s, const hy_value *in) {
  for (size_t k = 0; k < s->n_inputs; k++)
    if (in[k].kind != HY_VALUE_TENSOR || !hy_model_input(s->model, k)->dtype) return false;
  return !s->evaluates;
}

hy_status hy_session_run_values(hy_session *s, const hy_value *in, size_t n_in, hy_value *out,
                                size_t n_out, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!s || (!in && n_in) || !out, HY_INVALID_ARGUMENT, err,
             "session, in and out must not be NULL");
  HY_FAIL_IF(n_in != s->n_inputs, HY_INVALID_ARGUMENT, err, "%zu inputs given, the model takes %zu",
             n_in, s->n_inputs);
  HY_FAIL_IF(n_out != s->n_outputs, HY_INVALID_ARGUMENT, err,
             "%zu outputs given, the session has %zu", n_out, s->n_outputs);
  if (!plain(s, in)) return run_evaluated(s, in, out, err);
  hy_tensor *tensors = s->tensors, *answers = tensors + n_in;
  for (size_t k = 0; k < n_in; k++) tensors[k] = in[k].tensor;
  memset(answers, 0, n_out * sizeof *answers);
  hy_status status = hy_session_run(s, tensors, n_in, answers, n_out, err);
  if (status == HY_UNSUPPORTED && s->evaluates) return run_evaluated(s, in, out, err);
  HY_TRY(status);
  for (size_t k = 0; k < n_out; k++)
    out[k] = (hy_value){.kind = HY_VALUE_TENSOR, .tensor = answers[k]};
  return HY_OK;
}
