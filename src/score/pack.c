/* SPDX-License-Identifier: Apache-2.0
 * hy_pipeline_pack: the pipeline is opened and scores golden bars once per instruction set, each in
 * a runtime of its own; its files, what its sessions packed, the bars and the scores become
 * sections.
 */
#include <math.h>

#include "score/golden.h"

enum { ARENA_BLOCK = 1 << 16, ISAS_MAX = 8, SPARE_BARS = 16, SEED = 7 };

typedef struct packing {
  hy_runtime *runtime;
  const char *path;
  const hy_pipeline_pack_options *options;
  hy__pack_list list;
  hy_universe *universe; /* of options->data */
  hy_panel golden;
} packing;

/* --- the golden bars --- */

static bool any_score(const hy_score_result *r) {
  for (size_t k = r->n_lead * r->n_symbols; k < r->n_rows * r->n_symbols; k++)
    if (!isnan(r->score[k])) return true;
  return false;
}

static hy_status golden_bars(packing *p, const hy_pipeline *pipeline, size_t n, hy_error *err) {
  uint64_t seed = p->options->seed ? p->options->seed : SEED;
  hy__arena *arena = p->list.arena;
  if (p->universe)
    return hy__golden_slice(pipeline->features, p->universe, n, arena, &p->golden, err);
  return hy__golden_make(pipeline->features, n, seed, arena, &p->golden, err);
}

/* As few bars as give a score: twice as many until there is one, or no more bars. */
static hy_status golden_find(packing *p, const hy_pipeline *pipeline, hy_score_result **out,
                             hy_error *err) {
  size_t n = pipeline->spec.lookback_bars + pipeline->window + HY__GOLDEN_ROWS + SPARE_BARS;
  for (n = HY_MIN(n, (size_t)HY__GOLDEN_BARS_MAX);;
       n = HY_MIN(2 * n, (size_t)HY__GOLDEN_BARS_MAX)) {
    HY_TRY(golden_bars(p, pipeline, n, err));
    HY_TRY(hy__score_panel(pipeline, &p->golden, HY__GOLDEN_ROWS, out, err));
    if (any_score(*out)) return HY_OK;
    hy_score_result_destroy(*out);
    *out = NULL;
    HY_FAIL_IF(p->golden.n_bars < n || n == HY__GOLDEN_BARS_MAX, HY_NEED_MORE_DATA, err,
               "%zu golden bars give no score: a universe that gives some is needed (--data)",
               p->golden.n_bars);
  }
}

static hy_status golden_first(packing *p, const hy_pipeline *pipeline, hy_score_result **out,
                              hy_error *err) {
  hy_status status = golden_find(p, pipeline, out, err);
  if (status != HY_OK && !p->options->data)
    hy__error_prefix(err, "bars were made up, as no universe was given");
  return status;
}

/* --- the sections --- */

static hy_status add_text(packing *p, uint32_t kind, const char *name, hy__span text,
                          hy_error *err) {
  void *copy;
  size_t bytes = hy__span_left(&text);
  HY_TRY(hy__arena_alloc(p->list.arena, bytes + 1, HY_ALIGN, &copy, err));
  if (bytes) memcpy(copy, text.pos, bytes);
  hy__hyp_section s = {.kind = kind, .owner = "", .name = name, .data = copy, .bytes = bytes};
  return hy__pack_add(&p->list, &s, err);
}

static hy_status add_file(packing *p, uint32_t kind, const char *name, const char *path,
                          hy_error *err) {
  hy__map map;
  HY_TRY(hy__map_open(path, &map, err));
  hy_status status = add_text(p, kind, name, hy__span_make(map.data, map.bytes), err);
  hy__map_close(&map);
  return status;
}

static hy_status add_spec(packing *p, const hy_pipeline *pipeline, hy_error *err) {
  const char *text;
  HY_TRY(hy__arena_printf(p->list.arena, &text, err, "%s\n", pipeline->spec.spec_sha256));
  size_t head = strlen(text), n = strlen(pipeline->spec.canonical);
  void *memory;
  HY_TRY(hy__arena_alloc(p->list.arena, head + n + 1, HY_ALIGN, &memory, err));
  uint8_t *data = memory;
  memcpy(data, text, head);
  memcpy(data + head, pipeline->spec.canonical, n);
  hy__hyp_section s = {
      .kind = HY__HYP_SPEC, .owner = "", .name = "spec", .data = data, .bytes = head + n};
  return hy__pack_add(&p->list, &s, err);
}

/* What does not depend on the instruction set. */
static hy_status add_files(packing *p, const hy_pipeline *pipeline, hy_error *err) {
  hy__golden in;
  HY_TRY(add_file(p, HY__HYP_PIPELINE, "pipeline", pipeline->path, err));
  if (pipeline->features_path)
    HY_TRY(add_file(p, HY__HYP_FILE, "features", pipeline->features_path, err));
  if (hy__features_fit_path(pipeline->features))
    HY_TRY(add_file(p, HY__HYP_FIT, "fit", hy__features_fit_path(pipeline->features), err));
  HY_TRY(add_spec(p, pipeline, err));
  for (size_t m = 0; m < pipeline->n_models; m++) {
    const hy__pipeline_model *model = &pipeline->models[m];
    HY_FAIL_IF(!*model->name, HY_INVALID_ARGUMENT, err, "a model without a name");
    HY_TRY(hy__pack_add_model(&p->list, model->model, model->name, err));
  }
  HY_TRY(hy__golden_from_panel(&p->golden, p->list.arena, &in, err));
  return hy__pack_add_golden(&p->list, HY__HYP_GOLDEN_IN, HY_ISA_DEFAULT, &in, err);
}

/* The sessions that scored have packed what scoring needs. */
static hy_status add_weights(packing *p, const hy_pipeline *pipeline, hy_error *err) {
  for (size_t m = 0; m < pipeline->n_models; m++) {
    hy_session *session;
    HY_TRY(hy__pipeline_take(pipeline, m, &session, err));
    hy_status status = hy__pack_add_weights(&p->list, session, pipeline->models[m].name, err);
    hy__pipeline_give(pipeline, m, session);
    HY_TRY(status);
  }
  return HY_OK;
}

/* The last bar alone, as most runs ask for: batches are smaller then, and may be packed otherwise.
 */
static hy_status score_last(packing *p, const hy_pipeline *pipeline, hy_error *err) {
  hy_score_result *r;
  HY_TRY(hy__score_panel(pipeline, &p->golden, 1, &r, err));
  hy_score_result_destroy(r);
  return HY_OK;
}

static hy_status add_answers(packing *p, const hy_pipeline *pipeline, const hy_score_result *r,
                             hy_error *err) {
  hy__golden out;
  hy_isa isa = hy_runtime_isa(pipeline->runtime);
  HY_TRY(score_last(p, pipeline, err));
  HY_TRY(add_weights(p, pipeline, err));
  HY_TRY(hy__golden_answers(r, p->list.arena, &out, err));
  return hy__pack_add_golden(&p->list, HY__HYP_GOLDEN_OUT, isa, &out, err);
}

static hy_status pack_pipeline(packing *p, const hy_pipeline *pipeline, hy_error *err) {
  hy_score_result *r = NULL;
  bool first = p->list.n == 0;
  HY_FAIL_IF(hy__pipeline_packed(pipeline), HY_INVALID_ARGUMENT, err,
             "the pipeline is packed already");
  hy_status status = first ? golden_first(p, pipeline, &r, err)
                           : hy__score_panel(pipeline, &p->golden, HY__GOLDEN_ROWS, &r, err);
  if (status == HY_OK && first) status = add_files(p, pipeline, err);
  if (status == HY_OK) status = add_answers(p, pipeline, r, err);
  hy_score_result_destroy(r);
  return status;
}

/* One runtime for each instruction set; what is to be said about the files is said once. */
static hy_status pack_isa(packing *p, hy_isa isa, hy_error *err) {
  hy_runtime *runtime = NULL;
  hy_pipeline *pipeline = NULL;
  hy_status status = hy__runtime_beside(p->runtime, isa, p->list.n != 0, &runtime, err);
  if (status == HY_OK) status = hy_pipeline_open(runtime, p->path, &pipeline, err);
  if (status == HY_OK) status = pack_pipeline(p, pipeline, err);
  hy_pipeline_destroy(pipeline);
  hy_runtime_destroy(runtime);
  return status;
}

hy_status hy_pipeline_pack(hy_runtime *runtime, const char *path, const char *output,
                           const hy_pipeline_pack_options *options, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !output, HY_INVALID_ARGUMENT, err,
             "runtime, path and output must not be NULL");
  const hy_pipeline_pack_options none = {.struct_size = sizeof none};
  if (!options) options = &none;
  HY_FAIL_IF(options->struct_size != sizeof *options, HY_INVALID_ARGUMENT, err,
             "hy_pipeline_pack_options has an unknown struct_size of %zu", options->struct_size);
  const hy_isa own = hy_runtime_isa(runtime);
  const hy_isa *isas = options->isas ? options->isas : &own;
  size_t n = options->isas ? options->n_isas : 1;
  HY_FAIL_IF(!n || n > ISAS_MAX, HY_INVALID_ARGUMENT, err,
             "1 to %d instruction sets are packed for", (int)ISAS_MAX);
  packing p = {.runtime = runtime, .path = path, .options = options};
  const hy_allocator *a = hy__runtime_allocator(runtime);
  HY_TRY(hy__arena_create(a, ARENA_BLOCK, 0, &p.list.arena, err));
  hy_status status = HY_OK;
  if (options->data) status = hy_universe_open(runtime, options->data, &p.universe, err);
  for (size_t i = 0; i < n && status == HY_OK; i++) status = pack_isa(&p, isas[i], err);
  if (status == HY_OK) status = hy__pack_list_write(&p.list, a, output, err);
  hy_universe_destroy(p.universe);
  hy__arena_destroy(p.list.arena);
  return status;
}
