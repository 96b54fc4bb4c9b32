/* SPDX-License-Identifier: Apache-2.0
 * Verifying a container: every checksum, then its golden input again with each instruction set, by
 * whoever knows what the container holds (pack_verify.c a model, score a pipeline), and the answer
 * for people and machines. */
#include <hayate/version.h>

#include "engine/engine.h"
#include "engine/packed.h"

enum { ARENA_BLOCK = 1 << 14 };

static hy_status replay_one(hy__verifying *v, const hy__hyp_section *wanted, hy_isa isa,
                            hy_error *err) {
  hy_runtime *runtime = NULL;
  hy__replay *r = &v->replays[v->n];
  bool same_build =
      v->file.revision == hy__pack_revision() && strcmp(v->file.version, HY_VERSION) == 0;
  *r = (hy__replay){.isa = isa, .must_be_bits = same_build && wanted->isa == (uint32_t)isa};
  for (size_t i = 0; i < v->file.n; i++)
    r->packed |=
        v->file.sections[i].kind == HY__HYP_PACKS && v->file.sections[i].isa == (uint32_t)isa;
  HY_TRY(hy__runtime_beside(v->runtime, isa, true, &runtime, err));
  hy_status status = v->replay(v, runtime, wanted, r, err);
  hy_runtime_destroy(runtime);
  if (status == HY_OK) v->n++;
  return status;
}

/* With each instruction set of the file that the runtime may use; with the runtime's own where the
 * file has none of them. */
static hy_status replay_all(hy__verifying *v, hy_error *err) {
  hy_isa best = hy_runtime_isa(v->runtime);
  const hy__hyp_section *any = NULL;
  for (size_t i = 0; i < v->file.n; i++) {
    const hy__hyp_section *s = &v->file.sections[i];
    if (s->kind != HY__HYP_GOLDEN_OUT || *s->owner) continue;
    any = s;
    if (s->isa < HY_ISA_SCALAR || s->isa > (uint32_t)best || v->n == HY__REPLAYS_MAX) continue;
    HY_TRY(replay_one(v, s, (hy_isa)s->isa, err));
  }
  HY_FAIL_IF(!any, HY_BAD_FORMAT, err, "the container has no golden output");
  return v->n ? HY_OK : replay_one(v, any, best, err);
}

static hy_status verify(hy__verifying *v, hy_error *err) {
  HY_TRY(hy__map_open(v->path, &v->map, err));
  HY_TRY(hy__hyp_read(v->map.data, v->map.bytes, v->arena, &v->file, err));
  for (size_t i = 0; i < v->file.n; i++) HY_TRY(hy__hyp_check(&v->file.sections[i], err));
  const hy__hyp_section *input = hy__hyp_find(&v->file, HY__HYP_GOLDEN_IN, 0, "");
  HY_FAIL_IF(!input, HY_BAD_FORMAT, err, "the container has no golden input");
  HY_TRY(hy__golden_read(input, v->arena, &v->input, err));
  if (v->begin) HY_TRY(v->begin(v, err));
  return replay_all(v, err);
}

static hy_status render_text(const hy__verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "%zu sections, written by %s: checksums hold\n", v->file.n,
                         v->file.version));
  for (size_t i = 0; i < v->n; i++) {
    const hy__replay *r = &v->replays[i];
    HY_TRY(hy__sink_printf(sink, err,
                           "  %-8s %s: %s, largest difference %.3g; %zu packed weights of "
                           "the file used\n",
                           hy_isa_name(r->isa), r->ok ? "ok" : "NOT the same",
                           r->bit_equal ? "bit-equal" : "other bits", r->max_abs, r->n_taken));
  }
  return hy__sink_printf(sink, err, "%s\n", ok ? "verified" : "FAILED");
}

static hy_status render_json(const hy__verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_bool(&w, "ok", ok);
  hy__json_member_text(&w, "version", v->file.version);
  hy__json_member_i64(&w, "sections", (int64_t)v->file.n);
  if (v->n_bars) {
    hy__json_member_i64(&w, "bars", (int64_t)v->n_bars);
    hy__json_member_i64(&w, "symbols", (int64_t)v->n_symbols);
  }
  hy__json_key(&w, "replays");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < v->n; i++) {
    const hy__replay *r = &v->replays[i];
    hy__json_object_begin(&w);
    hy__json_member_text(&w, "isa", hy_isa_name(r->isa));
    hy__json_member_bool(&w, "ok", r->ok);
    hy__json_member_bool(&w, "bit_equal", r->bit_equal);
    hy__json_member_bool(&w, "packed", r->packed);
    hy__json_member_i64(&w, "packs_used", (int64_t)r->n_taken);
    hy__json_member_f64(&w, "max_abs", r->max_abs);
    hy__json_object_end(&w);
  }
  hy__json_array_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

hy_status hy__verify(hy__verifying *v, bool json, const hy_sink *sink, bool *ok, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!v->runtime || !v->path || !sink || !ok, HY_INVALID_ARGUMENT, err,
             "runtime, path, sink and ok must not be NULL");
  *ok = true;
  HY_TRY(hy__arena_create(hy__runtime_allocator(v->runtime), ARENA_BLOCK, 0, &v->arena, err));
  hy_status status = verify(v, err);
  for (size_t i = 0; i < v->n; i++) *ok = *ok && v->replays[i].ok;
  if (status == HY_OK)
    status = json ? render_json(v, *ok, sink, err) : render_text(v, *ok, sink, err);
  else
    hy__error_subject(err, v->path);
  hy__map_close(&v->map);
  hy__arena_destroy(v->arena);
  return status;
}
