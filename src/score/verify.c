/* SPDX-License-Identifier: Apache-2.0
 * hy_pipeline_verify: every checksum of a packed pipeline, then its golden bars scored again with
 * each instruction set, beside the golden answers. */
#include <hayate/version.h>
#include <math.h>

#include "score/golden.h"

enum { ARENA_BLOCK = 1 << 14, REPLAYS_MAX = 8 };

/* Where another build wrote the file, or packed for another instruction set. */
static const double tolerance_of_scale = 1e-5, tolerance = 1e-6;

typedef struct replay {
  hy_isa isa;
  bool packed; /* the file has packed weights for it */
  bool must_be_bits;
  bool bit_equal, ok;
  size_t n_taken; /* packed forms used from the file */
  double max_abs;
} replay;

typedef struct verifying {
  hy_runtime *runtime;
  const char *path;
  hy__arena *arena;
  hy__map map;
  hy__hyp file;
  hy_panel panel;
  replay replays[REPLAYS_MAX];
  size_t n;
} verifying;

static size_t cells_of(const hy_tensor *t) { return (size_t)t->dims[0] * (size_t)t->dims[1]; }

static bool same_type(const hy_tensor *a, const hy_tensor *b) {
  return a->dtype == b->dtype && a->rank == b->rank && a->dims[0] == b->dims[0] &&
         a->dims[1] == b->dims[1];
}

/* NaN is no score, on both sides or on neither. */
static bool near(const double *a, const double *b, size_t n, replay *r) {
  double scale = 0, most = 0;
  bool paired = true;
  for (size_t k = 0; k < n; k++) {
    paired = paired && isnan(a[k]) == isnan(b[k]);
    if (isnan(a[k]) || isnan(b[k])) continue;
    scale = HY_MAX(scale, fabs(b[k]));
    most = HY_MAX(most, fabs(a[k] - b[k]));
  }
  r->max_abs = HY_MAX(r->max_abs, most);
  return paired && most <= tolerance_of_scale * scale + tolerance;
}

static void compare(const hy__golden *now, const hy__golden *then, replay *r) {
  bool close_by = now->n == then->n;
  r->bit_equal = close_by;
  for (size_t k = 0; k < now->n && close_by; k++) {
    const hy_tensor *a = &now->tensors[k], *b = &then->tensors[k];
    close_by = strcmp(now->names[k], then->names[k]) == 0 && same_type(a, b);
    if (!close_by) break;
    size_t n = cells_of(a);
    bool same = memcmp(a->data, b->data, n * hy_dtype_bytes(a->dtype)) == 0;
    r->bit_equal = r->bit_equal && same;
    close_by = same || (a->dtype == HY_F64 && near(a->data, b->data, n, r));
  }
  r->bit_equal = r->bit_equal && close_by;
  r->ok = r->must_be_bits ? r->bit_equal : close_by;
}

static hy_status count_taken(const hy_pipeline *p, replay *r, hy_error *err) {
  for (size_t m = 0; m < p->n_models; m++) {
    hy_session *session;
    HY_TRY(hy__pipeline_take(p, m, &session, err));
    r->n_taken += hy__part_n_taken(session);
    hy__pipeline_give(p, m, session);
  }
  return HY_OK;
}

static hy_status replay_pipeline(verifying *v, const hy_pipeline *p, const hy__hyp_section *wanted,
                                 replay *r, hy_error *err) {
  hy__golden then, now;
  hy_score_result *result;
  HY_TRY(hy__golden_read(wanted, v->arena, &then, err));
  bool shaped = then.n && then.tensors[0].rank == 2 && then.tensors[0].dims[0] > 0;
  HY_FAIL_IF(!shaped, HY_BAD_FORMAT, err, "the golden answers are malformed");
  HY_TRY(hy__score_panel(p, &v->panel, (size_t)then.tensors[0].dims[0], &result, err));
  hy_status status = hy__golden_answers(result, v->arena, &now, err);
  if (status == HY_OK) compare(&now, &then, r);
  if (status == HY_OK) status = count_taken(p, r, err);
  hy_score_result_destroy(result);
  return status;
}

static hy_status replay_one(verifying *v, const hy__hyp_section *wanted, hy_isa isa,
                            hy_error *err) {
  hy_runtime *runtime = NULL;
  hy_pipeline *pipeline = NULL;
  replay *r = &v->replays[v->n];
  bool same_build =
      v->file.revision == hy__part_revision() && strcmp(v->file.version, HY_VERSION) == 0;
  *r = (replay){.isa = isa, .must_be_bits = same_build && wanted->isa == (uint32_t)isa};
  for (size_t i = 0; i < v->file.n; i++)
    r->packed |=
        v->file.sections[i].kind == HY__HYP_PACKS && v->file.sections[i].isa == (uint32_t)isa;
  hy_status status = hy__runtime_beside(v->runtime, isa, true, &runtime, err);
  if (status == HY_OK) status = hy_pipeline_open(runtime, v->path, &pipeline, err);
  if (status == HY_OK) status = replay_pipeline(v, pipeline, wanted, r, err);
  hy_pipeline_destroy(pipeline);
  hy_runtime_destroy(runtime);
  if (status == HY_OK) v->n++;
  return status;
}

/* With each instruction set of the file that the runtime may use; with the runtime's own where the
 * file has none of them. */
static hy_status replay_all(verifying *v, hy_error *err) {
  hy_isa best = hy_runtime_isa(v->runtime);
  const hy__hyp_section *any = NULL;
  for (size_t i = 0; i < v->file.n; i++) {
    const hy__hyp_section *s = &v->file.sections[i];
    if (s->kind != HY__HYP_GOLDEN_OUT || *s->owner) continue;
    any = s;
    if (s->isa < HY_ISA_SCALAR || s->isa > (uint32_t)best || v->n == REPLAYS_MAX) continue;
    HY_TRY(replay_one(v, s, (hy_isa)s->isa, err));
  }
  HY_FAIL_IF(!any, HY_BAD_FORMAT, err, "the container has no golden output");
  return v->n ? HY_OK : replay_one(v, any, best, err);
}

static hy_status verify(verifying *v, hy_error *err) {
  hy__golden in;
  HY_TRY(hy__map_open(v->path, &v->map, err));
  HY_TRY(hy__hyp_read(v->map.data, v->map.bytes, v->arena, &v->file, err));
  for (size_t i = 0; i < v->file.n; i++) HY_TRY(hy__hyp_check(&v->file.sections[i], err));
  HY_FAIL_IF(!hy__hyp_find(&v->file, HY__HYP_PIPELINE, 0, ""), HY_BAD_FORMAT, err,
             "the container holds no pipeline");
  const hy__hyp_section *input = hy__hyp_find(&v->file, HY__HYP_GOLDEN_IN, 0, "");
  HY_FAIL_IF(!input, HY_BAD_FORMAT, err, "the container has no golden input");
  HY_TRY(hy__golden_read(input, v->arena, &in, err));
  HY_TRY(hy__golden_to_panel(&in, v->arena, &v->panel, err));
  return replay_all(v, err);
}

static hy_status render_text(const verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "%zu sections, written by %s: checksums hold\n", v->file.n,
                         v->file.version));
  for (size_t i = 0; i < v->n; i++) {
    const replay *r = &v->replays[i];
    HY_TRY(hy__sink_printf(sink, err,
                           "  %-8s %s: %s, largest difference %.3g; %zu packed weights of "
                           "the file used\n",
                           hy_isa_name(r->isa), r->ok ? "ok" : "NOT the same",
                           r->bit_equal ? "bit-equal" : "other bits", r->max_abs, r->n_taken));
  }
  return hy__sink_printf(sink, err, "%s\n", ok ? "verified" : "FAILED");
}

static hy_status render_json(const verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_bool(&w, "ok", ok);
  hy__json_member_text(&w, "version", v->file.version);
  hy__json_member_i64(&w, "sections", (int64_t)v->file.n);
  hy__json_member_i64(&w, "bars", (int64_t)v->panel.n_bars);
  hy__json_member_i64(&w, "symbols", (int64_t)v->panel.n_symbols);
  hy__json_key(&w, "replays");
  hy__json_array_begin(&w);
  for (size_t i = 0; i < v->n; i++) {
    const replay *r = &v->replays[i];
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

hy_status hy_pipeline_verify(hy_runtime *runtime, const char *path, bool json, const hy_sink *sink,
                             bool *ok, hy_error *err) {
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !sink || !ok, HY_INVALID_ARGUMENT, err,
             "runtime, path, sink and ok must not be NULL");
  verifying v = {.runtime = runtime, .path = path};
  *ok = true;
  HY_TRY(hy__arena_create(hy__runtime_allocator(runtime), ARENA_BLOCK, 0, &v.arena, err));
  hy_status status = verify(&v, err);
  for (size_t i = 0; i < v.n; i++) *ok = *ok && v.replays[i].ok;
  if (status == HY_OK)
    status = json ? render_json(&v, *ok, sink, err) : render_text(&v, *ok, sink, err);
  else
    hy__error_subject(err, path);
  hy__map_close(&v.map);
  hy__arena_destroy(v.arena);
  return status;
}
