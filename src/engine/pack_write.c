/* SPDX-License-Identifier: Apache-2.0 */
/* hy_pack_write: a model is opened and run once per instruction set, each in a runtime of its own;
 * what its sessions packed, the input and the outputs become sections. */
#include <stdio.h>

#include <hayate/pack.h>

#include "engine/bench.h"
#include "engine/packed.h"

enum { ARENA_BLOCK = 1 << 16, ISAS_MAX = 8 };

typedef struct packing {
  hy_runtime *runtime;
  const char *path;
  const hy_pack_options *options;
  hy__arena *arena;
  hy__hyp_section *sections;
  size_t n;
} packing;

static hy_status add(packing *p, hy__hyp_section section, uint32_t kind, hy_isa isa,
                     const char *what, hy_error *err) {
  char name[HY__HYP_NAME];
  int used = isa ? snprintf(name, sizeof name, "%s/%s", what, hy_isa_name(isa))
                 : snprintf(name, sizeof name, "%s", what);
  HY_FAIL_IF(used < 0 || (size_t)used >= sizeof name, HY_LIMIT, err,
             "the name '%s' is too long for a container", what);
  section.kind = kind;
  section.isa = (uint32_t)isa;
  HY_TRY(hy__arena_text(p->arena, name, strlen(name), &section.name, err));
  p->sections[p->n++] = section;
  return HY_OK;
}

/* The file itself and what it names, copied: the model is closed before they are written. */
static hy_status model_add(packing *p, const hy_model *model, hy_error *err) {
  const void *data;
  void *copy, *list;
  hy__hyp_section s = {.owner = ""};
  const char *owner;
  HY_FAIL_IF(hy__model_container(model, &owner), HY_INVALID_ARGUMENT, err,
             "the model is packed already");
  size_t n = hy__model_externals(model, NULL);
  HY_TRY(hy__arena_array(p->arena, n + 4 + 2 * ISAS_MAX, sizeof(hy__hyp_section), &list, err));
  p->sections = list;
  hy__model_bytes(model, &data, &s.bytes);
  HY_TRY(hy__arena_alloc(p->arena, s.bytes + 1, HY_ALIGN, &copy, err));
  memcpy(copy, data, s.bytes);
  s.data = copy;
  HY_TRY(add(p, s, HY__HYP_MODEL, HY_ISA_DEFAULT, "model", err));
  HY_TRY(hy__model_constants(model, p->arena, &s, err));
  HY_TRY(add(p, s, HY__HYP_CONSTANTS, HY_ISA_DEFAULT, "constants", err));
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(hy__hyp_section), &list, err));
  hy__hyp_section *externals = list;
  (void)hy__model_externals(model, externals);
  for (size_t i = 0; i < n; i++) {
    HY_TRY(hy__arena_alloc(p->arena, externals[i].bytes + 1, HY_ALIGN, &copy, err));
    if (externals[i].bytes) memcpy(copy, externals[i].data, externals[i].bytes);
    externals[i].data = copy;
    HY_TRY(add(p, externals[i], HY__HYP_EXTERNAL, HY_ISA_DEFAULT, externals[i].name, err));
  }
  return HY_OK;
}

/* One instruction set's part: run once, then keep the packed weights and the answer. */
static hy_status run_and_keep(packing *p, hy_model *model, hy_session *session, hy__bench_case *c,
                              hy_error *err) {
  void *out;
  hy__hyp_section s;
  hy_isa isa = hy_runtime_isa(hy__model_runtime(model));
  HY_TRY(hy__arena_array(p->arena, c->n_out + 1, sizeof(hy_tensor), &out, err));
  HY_TRY(hy_session_run(session, c->in, c->n_in, out, c->n_out, err));
  if (!p->n) {
    HY_TRY(model_add(p, model, err));
    HY_TRY(hy__golden_write(c->in_names, c->in, c->n_in, p->arena, &s, err));
    HY_TRY(add(p, s, HY__HYP_GOLDEN_IN, HY_ISA_DEFAULT, "input", err));
  }
  HY_TRY(hy__packed_section(session, p->arena, &s, err));
  HY_TRY(add(p, s, HY__HYP_PACKS, isa, "packed", err));
  HY_TRY(hy__golden_write(c->out_names, out, c->n_out, p->arena, &s, err));
  return add(p, s, HY__HYP_GOLDEN_OUT, isa, "output", err);
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
  hy__bench_case made = {.allocator = hy__runtime_allocator(p->runtime), .arena = p->arena};
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
  hy_runtime_options options = {.struct_size = sizeof options,
                                .allocator = hy__runtime_allocator(p->runtime),
                                .n_threads = 1,
                                .isa = isa};
  hy_status status = hy_runtime_create(&options, &runtime, err);
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
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &p.arena, err));
  hy_status status = HY_OK;
  for (size_t i = 0; i < n && status == HY_OK; i++) status = pack_isa(&p, isas[i], err);
  if (status == HY_OK) status = hy__hyp_write(a, output, p.sections, p.n, hy__pack_revision(), err);
  hy__arena_destroy(p.arena);
  return status;
}
