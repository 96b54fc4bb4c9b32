/* SPDX-License-Identifier: Apache-2.0 */
/* hy_pack_write: a model is opened and run once per instruction set, each in a runtime of its own;
 * what its sessions packed, the input and the outputs become sections. */
#include <hayate/pack.h>

#include "engine/bench.h"
#include "engine/packed.h"

enum { ARENA_BLOCK = 1 << 16, ISAS_MAX = 8 };

typedef struct packing {
  hy_runtime *runtime;
  const char *path;
  const hy_pack_options *options;
  hy__pack_list list;
} packing;

/* One instruction set's part: run once, then keep the packed weights and the answer. */
static hy_status run_and_keep(packing *p, hy_model *model, hy_session *session, hy__bench_case *c,
                              hy_error *err) {
  void *out;
  hy__pack_list *list = &p->list;
  hy__golden in = {c->in_names, c->in, c->n_in};
  HY_TRY(hy__arena_array(list->arena, c->n_out + 1, sizeof(hy_tensor), &out, err));
  HY_TRY(hy_session_run(session, c->in, c->n_in, out, c->n_out, err));
  if (!list->n) {
    HY_TRY(hy__pack_add_model(list, model, "", err));
    HY_TRY(hy__pack_add_golden(list, HY__HYP_GOLDEN_IN, HY_ISA_DEFAULT, &in, err));
  }
  HY_TRY(hy__pack_add_weights(list, session, "", err));
  hy__golden answer = {c->out_names, out, c->n_out};
  hy_isa isa = hy_runtime_isa(hy__model_runtime(model));
  return hy__pack_add_golden(list, HY__HYP_GOLDEN_OUT, isa, &answer, err);
}

static hy_status pack_model(packing *p, hy_model *model, hy_error *err) {
  const hy_pack_options *o = p->options;
  const hy_bench_options shapes = {.struct_size = sizeof shapes,
                                   .batch = o->batch,
                                   .shapes = o->shapes,
                                   .n_shapes = o->n_shapes,
                                   .input_names = o->input_names,
                                   .inputs = o->inputs,
                                   .n_inputs = o->n_inputs,
                                   .rows = 1,
                                   .seed = o->seed};
  hy__bench_case made = {.allocator = hy__runtime_allocator(p->runtime), .arena = p->list.arena};
  hy_session *session = NULL;
  hy_status status = hy__bench_case_make(model, &shapes, &made, err);
  if (status == HY_OK) status = hy_session_create(model, NULL, &session, err);
  if (status == HY_OK) status = run_and_keep(p, model, session, &made, err);
  hy_session_destroy(session);
  hy__bench_case_destroy(&made);
  return status;
}

static hy_status pack_isa(packing *p, hy_isa isa, hy_error *err) {
  hy_runtime *runtime = NULL;
  hy_model *model = NULL;
  hy_status status = hy__runtime_beside(p->runtime, isa, false, &runtime, err);
  if (status == HY_OK) status = hy_model_open(runtime, p->path, NULL, &model, err);
  if (status == HY_OK) status = pack_model(p, model, err);
  hy_model_destroy(model);
  hy_runtime_destroy(runtime);
  return status;
}

hy_status hy_pack_write(hy_runtime *runtime, const char *path, const char *output,
                        const hy_pack_options *options, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !output, HY_INVALID_ARGUMENT, err,
             "runtime, path and output must not be NULL");
  const hy_pack_options none = {.struct_size = sizeof none};
  if (!options) options = &none;
  HY_FAIL_IF(options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_pack_options has an unknown struct_size of %zu", options->struct_size);
  const hy_isa own = hy_runtime_isa(runtime);
  const hy_isa *isas = options->isas ? options->isas : &own;
  size_t n = options->isas ? options->n_isas : 1;
  HY_FAIL_IF(!n || n > ISAS_MAX, HY_INVALID_ARGUMENT, err,
             "1 to %d instruction sets are packed for", (int)ISAS_MAX);
  packing p = {.runtime = runtime, .path = path, .options = options};
  const hy_allocator *a = hy__runtime_allocator(runtime);
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &p.list.arena, err));
  hy_status status = HY_OK;
  for (size_t i = 0; i < n && status == HY_OK; i++) status = pack_isa(&p, isas[i], err);
  if (status == HY_OK) status = hy__pack_list_write(&p.list, a, output, err);
  hy__arena_destroy(p.list.arena);
  return status;
}
