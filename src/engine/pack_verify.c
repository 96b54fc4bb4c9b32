/* SPDX-License-Identifier: Apache-2.0
 * hy_pack_verify: a packed model's golden input again with each instruction set (replay.c), beside
 * its golden outputs. */
#include <hayate/pack.h>

#include "engine/bench.h"
#include "engine/engine.h"

/* The golden input as the model's inputs, in the model's order. */
static hy_status inputs_bind(const hy_model *model, const hy__golden *golden, hy_tensor *in,
                             hy_error *err) {
  for (size_t k = 0; k < hy_model_n_inputs(model); k++) {
    const char *name = hy_model_input(model, k)->name;
    size_t i = 0;
    while (i < golden->n && strcmp(golden->names[i], name) != 0) i++;
    HY_FAIL_IF(i == golden->n, HY_BAD_FORMAT, err, "the golden input has no array '%s'", name);
    in[k] = golden->tensors[i];
  }
  return HY_OK;
}

static bool same_type(const hy_tensor *a, const hy_tensor *b) {
  bool same = a->dtype == b->dtype && a->rank == b->rank;
  for (int32_t d = 0; same && d < a->rank; d++) same = a->dims[d] == b->dims[d];
  return same;
}

static bool same_strings(const hy_tensor *a, const hy_tensor *b, size_t n) {
  const hy_string *x = a->data, *y = b->data;
  for (size_t i = 0; i < n; i++)
    if (x[i].len_bytes != y[i].len_bytes || memcmp(x[i].data, y[i].data, x[i].len_bytes) != 0)
      return false;
  return true;
}

static bool same_bits(const hy_tensor *a, const hy_tensor *b) {
  size_t n, bytes;
  if (!same_type(a, b) || !hy__shape_bytes(a->dims, a->rank, 0, &n)) return false;
  if (a->dtype == HY_STRING) return same_strings(a, b, n);
  return hy__shape_bytes(a->dims, a->rank, hy_dtype_bytes(a->dtype), &bytes) &&
         (!bytes || memcmp(a->data, b->data, bytes) == 0);
}

/* out: [2][n], ours and the golden ones. */
static void compare(hy_tensor *out, size_t n, hy__replay *r) {
  hy__bench_case both = {.n_out = n, .out = out};
  hy__bench_agreement agreement = {0};
  bool typed = true;
  r->bit_equal = true;
  for (size_t k = 0; k < n; k++) {
    typed = typed && same_type(&out[k], &out[n + k]);
    r->bit_equal = r->bit_equal && same_bits(&out[k], &out[n + k]);
    if (out[k].dtype == HY_STRING) out[k].data = NULL; /* compared by bits alone */
  }
  if (typed) hy__bench_compare(&both, HY_PRECISION_FLOAT32, &agreement);
  r->max_abs = agreement.max_abs;
  r->ok = r->bit_equal || (!r->must_be_bits && typed && agreement.agrees);
}

static hy_status replay_session(hy__verifying *v, hy_model *model, hy_session *session,
                                const hy__hyp_section *wanted, hy__replay *r, hy_error *err) {
  hy__golden golden;
  void *memory;
  HY_TRY(hy__golden_read(wanted, v->arena, &golden, err));
  size_t n_in = hy_model_n_inputs(model), n_out = hy_session_n_outputs(session);
  HY_FAIL_IF(golden.n != n_out, HY_BAD_FORMAT, err, "%zu golden outputs; the model has %zu",
             golden.n, n_out);
  HY_TRY(hy__arena_array(v->arena, n_in + 2 * n_out + 1, sizeof(hy_tensor), &memory, err));
  hy_tensor *tensors = memory, *out = tensors + n_in;
  HY_TRY(inputs_bind(model, &v->input, tensors, err));
  HY_TRY(hy_session_run(session, tensors, n_in, out, n_out, err));
  memcpy(out + n_out, golden.tensors, n_out * sizeof *out);
  compare(out, n_out, r);
  r->n_taken = hy__part_n_taken(session);
  return HY_OK;
}

static hy_status replay_model(hy__verifying *v, hy_runtime *runtime, const hy__hyp_section *wanted,
                              hy__replay *r, hy_error *err) {
  hy_model *model = NULL;
  hy_session *session = NULL;
  hy_status status = hy_model_open(runtime, v->path, NULL, &model, err);
  if (status == HY_OK) status = hy_session_create(model, NULL, &session, err);
  if (status == HY_OK) status = replay_session(v, model, session, wanted, r, err);
  hy_session_destroy(session);
  hy_model_destroy(model);
  return status;
}

hy_status hy_pack_verify(hy_runtime *runtime, const char *path, bool json, const hy_sink *sink,
                         bool *ok, hy_error *err) {
  hy__verifying v = {.runtime = runtime, .path = path, .replay = replay_model};
  return hy__verify(&v, json, sink, ok, err);
}
