/* SPDX-License-Identifier: Apache-2.0 */
/* hy_pack_verify: every checksum, then the golden input again with each instruction set. */
#include <hayate/pack.h>
#include <hayate/version.h>

#include "engine/bench.h"
#include "engine/packed.h"
#include "engine/report.h"

enum { ARENA_BLOCK = 1 << 14, REPLAYS_MAX = 16 };

typedef struct replay {
  hy_isa isa;
  bool packed; /* the file has packed weights for it */
  bool must_be_bits;
  bool bit_equal, ok;
  size_t n_taken; /* packed forms used from the file */
  hy__bench_agreement agreement;
} replay;

typedef struct verifying {
  hy_runtime *runtime;
  const char *path;
  hy__arena *arena;
  hy__map map;
  hy__hyp file;
  replay replays[REPLAYS_MAX];
  size_t n;
} verifying;

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
static void compare(hy_tensor *out, size_t n, replay *r) {
  hy__bench_case both = {.n_out = n, .out = out};
  bool typed = true;
  r->bit_equal = true;
  for (size_t k = 0; k < n; k++) {
    typed = typed && same_type(&out[k], &out[n + k]);
    r->bit_equal = r->bit_equal && same_bits(&out[k], &out[n + k]);
    if (out[k].dtype == HY_STRING) out[k].data = NULL; /* compared by bits alone */
  }
  if (typed) hy__bench_compare(&both, HY_PRECISION_FLOAT32, &r->agreement);
  r->ok = r->bit_equal || (!r->must_be_bits && typed && r->agreement.agrees);
}

static hy_status replay_session(verifying *v, hy_model *model, hy_session *session,
                                const hy__hyp_section *wanted, replay *r, hy_error *err) {
  hy__golden in, golden;
  void *memory;
  const hy__hyp_section *input = hy__hyp_find(&v->file, HY__HYP_GOLDEN_IN, 0, "");
  HY_FAIL_IF(!input, HY_BAD_FORMAT, err, "the container has no golden input");
  HY_TRY(hy__golden_read(input, v->arena, &in, err));
  HY_TRY(hy__golden_read(wanted, v->arena, &golden, err));
  size_t n_in = hy_model_n_inputs(model), n_out = hy_session_n_outputs(session);
  HY_FAIL_IF(golden.n != n_out, HY_BAD_FORMAT, err, "%zu golden outputs; the model has %zu",
             golden.n, n_out);
  HY_TRY(hy__arena_array(v->arena, n_in + 2 * n_out + 1, sizeof(hy_tensor), &memory, err));
  hy_tensor *tensors = memory, *out = tensors + n_in;
  HY_TRY(inputs_bind(model, &in, tensors, err));
  HY_TRY(hy_session_run(session, tensors, n_in, out, n_out, err));
  memcpy(out + n_out, golden.tensors, n_out * sizeof *out);
  compare(out, n_out, r);
  r->n_taken = hy__pack_store_n_taken(hy__session_shared(session)->packs);
  return HY_OK;
}

static hy_status replay_one(verifying *v, const hy__hyp_section *wanted, hy_isa isa,
                            hy_error *err) {
  hy_runtime *runtime = NULL;
  hy_model *model = NULL;
  hy_session *session = NULL;
  replay *r = &v->replays[v->n];
  bool same_build =
      v->file.revision == hy__pack_revision() && strcmp(v->file.version, HY_VERSION) == 0;
  *r = (replay){.isa = isa,
                .packed = hy__hyp_find(&v->file, HY__HYP_PACKS, (uint32_t)isa, "") != NULL,
                .must_be_bits = same_build && wanted->isa == (uint32_t)isa};
  hy_status status = hy__runtime_beside(v->runtime, isa, true, &runtime, err);
  if (status == HY_OK) status = hy_model_open(runtime, v->path, NULL, &model, err);
  if (status == HY_OK) status = hy_session_create(model, NULL, &session, err);
  if (status == HY_OK) status = replay_session(v, model, session, wanted, r, err);
  hy_session_destroy(session);
  hy_model_destroy(model);
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

static hy_status render_text(const verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  HY_TRY(hy__report_say(sink, err, "%zu sections, written by %s: checksums hold\n", v->file.n,
                        v->file.version));
  for (size_t i = 0; i < v->n; i++) {
    const replay *r = &v->replays[i];
    HY_TRY(hy__report_say(sink, err,
                          "  %-8s %s: %s, largest difference %.3g; %zu packed weights of "
                          "the file used\n",
                          hy_isa_name(r->isa), r->ok ? "ok" : "NOT the same",
                          r->bit_equal ? "bit-equal" : "other bits", r->agreement.max_abs,
                          r->n_taken));
  }
  return hy__report_say(sink, err, "%s\n", ok ? "verified" : "FAILED");
}

static hy_status render_json(const verifying *v, bool ok, const hy_sink *sink, hy_error *err) {
  hy__json_writer w;
  hy__json_begin(&w, *sink, 0);
  hy__json_object_begin(&w);
  hy__json_member_bool(&w, "ok", ok);
  hy__json_member_text(&w, "version", v->file.version);
  hy__json_member_i64(&w, "sections", (int64_t)v->file.n);
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
    hy__json_member_f64(&w, "max_abs", r->agreement.max_abs);
    hy__json_object_end(&w);
  }
  hy__json_array_end(&w);
  hy__json_object_end(&w);
  return hy__json_end(&w, err);
}

static hy_status verify(verifying *v, hy_error *err) {
  HY_TRY(hy__map_open(v->path, &v->map, err));
  HY_TRY(hy__hyp_read(v->map.data, v->map.bytes, v->arena, &v->file, err));
  for (size_t i = 0; i < v->file.n; i++) HY_TRY(hy__hyp_check(&v->file.sections[i], err));
  return replay_all(v, err);
}

hy_status hy_pack_verify(hy_runtime *runtime, const char *path, bool json, const hy_sink *sink,
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
