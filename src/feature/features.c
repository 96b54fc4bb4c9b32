/* SPDX-License-Identifier: Apache-2.0
 * hy_features: a spec from a file, an inline list or a pipeline's node, compiled and hashed. */
#include "feature/fit/fit_file.h"
#include "feature/solo/solo.h"

enum { ARENA_BYTES_MAX = 512 << 20 };

static const double stable_tol = 1e-9;

static bool looks_like_file(const char *spec) {
  size_t n = strlen(spec);
  return (n > 5 && !strcmp(spec + n - 5, ".yaml")) || (n > 4 && !strcmp(spec + n - 4, ".yml"));
}

static hy_status read_file(const char *path, hy__arena *arena, hy__spec *spec, hy_error *err) {
  hy__map map;
  const hy__yaml *root;
  HY_TRY(hy__map_open(path, &map, err));
  hy_status status = hy__yaml_parse((const char *)map.data, map.bytes, path, arena, &root, err);
  if (status == HY_OK) status = hy__spec_yaml(root, true, arena, spec, err);
  hy__map_close(&map);
  hy__error_subject(err, path);
  return status;
}

static hy_status compile(hy_features *f, const hy__spec *spec, hy_error *err) {
  void *rows = NULL;
  HY_TRY(hy__graph_build(f, spec, err));
  HY_TRY(hy__canonical_make(f, err));
  HY_TRY(hy__arena_array(f->arena, f->n_nodes, sizeof(size_t), &rows, err));
  hy__stable_query q = {.refs = f->refs, .n_refs = f->n_features, .tol = stable_tol, .rows = rows};
  if (!hy__node_stable(f, &q, &f->stable_bars, NULL))
    f->stable_bars = 0;
  else
    f->stable_bars = HY_MAX(f->stable_bars, 1);
  return HY_OK;
}

static hy_status load_file(hy_features *f, const char *path, hy_error *err) {
  hy__map map;
  HY_TRY(hy__arena_text(f->arena, path, strlen(path), &f->fit_path, err));
  HY_TRY(hy__map_open(path, &map, err));
  hy_status status = hy__fit_load(f, map.data, map.bytes, f->fit_path, err);
  hy__map_close(&map);
  return status;
}

/* The fit that is given, or the one that the spec names beside itself. */
static hy_status load_fit(hy_features *f, const hy__spec *spec, const hy__fit_source *fit,
                          hy_error *err) {
  const hy__spec_name *named = &spec->fit_file;
  char path[4096];
  if (f->fit_inputs || (fit && fit->none)) return HY_OK;
  if (fit && fit->data) return hy__fit_load(f, fit->data, fit->bytes, fit->path, err);
  if (fit && fit->path && named->text)
    return hy__place_fail(named->place, HY_MISMATCH, err,
                          "the spec names its fit %.80s, and another is given: %.120s", named->text,
                          fit->path);
  if (fit && fit->path) return load_file(f, fit->path, err);
  if (!named->text) return HY_OK;
  hy_status status = hy__path_beside(spec->subject, named->text, path, sizeof path, err);
  if (status != HY_OK) {
    hy__place_add(named->place, err);
    return status;
  }
  if (hy__path_is_folder(path))
    return hy__place_fail(named->place, HY_INVALID_ARGUMENT, err,
                          "the fit %.80s is a folder: what hayate features fit made was expected",
                          named->text);
  if (!hy__path_exists(path))
    return hy__place_fail(named->place, HY_NOT_FOUND, err,
                          "no fit %.80s beside the spec: hayate features fit makes one",
                          named->text);
  return load_file(f, path, err);
}

static hy_status start(hy_runtime *runtime, hy_features **out, hy_error *err) {
  const hy_allocator *a = hy__runtime_allocator(runtime);
  void *memory;
  HY_TRY(hy__alloc_zero(a, sizeof(hy_features), &memory, err));
  hy_features *f = memory;
  f->runtime = runtime;
  f->allocator = a;
  f->isa = hy_runtime_isa(runtime);
  hy_status status = hy__arena_create(a, 16384, ARENA_BYTES_MAX, &f->arena, err);
  if (status == HY_OK) status = hy__arena_array(f->arena, 1, sizeof(hy__solo_kept), &memory, err);
  if (status == HY_OK) {
    f->solo = memory;
    *out = f;
  } else {
    hy__arena_destroy(f->arena);
    hy__free(a, f, sizeof *f);
  }
  return status;
}

/* Of a spec that was read with `status`: the program, or nothing. */
static hy_status finish(hy_features *f, hy_status status, const hy__spec *spec,
                        const hy__fit_source *fit, hy_features **out, hy_error *err) {
  f->fit_inputs = fit && fit->inputs;
  if (status == HY_OK) status = compile(f, spec, err);
  if (status == HY_OK) status = load_fit(f, spec, fit, err);
  if (status == HY_OK) {
    hy__arena_freeze(f->arena);
    *out = f;
  } else {
    hy__error_subject(err, spec->subject);
    hy_features_destroy(f);
  }
  return status;
}

hy_status hy__features_create_text(hy_runtime *runtime, const char *spec_text,
                                   const hy__fit_source *fit, hy_features **out, hy_error *err) {
  hy_features *f;
  hy_status status;
  hy__spec spec = {.subject = "spec"};
  HY_TRY(start(runtime, &f, err));
  if (hy__path_exists(spec_text) || looks_like_file(spec_text)) {
    spec.subject = spec_text;
    status = read_file(spec_text, f->arena, &spec, err);
  } else {
    hy__place place = {.subject = "spec", .line = 1, .column = 1};
    const char *kept;
    status = hy__arena_text(f->arena, spec_text, strlen(spec_text), &kept, err);
    if (status == HY_OK) status = hy__spec_inline(kept, place, f->arena, &spec, err);
  }
  return finish(f, status, &spec, fit, out, err);
}

hy_status hy_features_create(hy_runtime *runtime, const char *spec, hy_features **out,
                             hy_error *err) {
  HY_FAIL_IF(!runtime || !spec || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_create: runtime, spec and out must be given");
  return hy__features_create_text(runtime, spec, NULL, out, err);
}

hy_status hy_features_create_fitted(hy_runtime *runtime, const char *spec, const char *fit,
                                    hy_features **out, hy_error *err) {
  const hy__fit_source source = {.path = fit};
  HY_FAIL_IF(!runtime || !spec || !out, HY_INVALID_ARGUMENT, err,
             "hy_features_create_fitted: runtime, spec and out must be given");
  return hy__features_create_text(runtime, spec, &source, out, err);
}

/* The node belongs to the caller: what the program keeps of it is copied. */
static hy_status copy_yaml(const hy__yaml *from, const char *subject, hy__arena *arena,
                           hy__yaml *to, hy_error *err) {
  void *memory = NULL;
  *to = *from;
  to->subject = subject;
  if (from->text) HY_TRY(hy__arena_text(arena, from->text, strlen(from->text), &to->text, err));
  if (from->key) HY_TRY(hy__arena_text(arena, from->key, strlen(from->key), &to->key, err));
  HY_TRY(hy__arena_array(arena, from->n_children, sizeof(hy__yaml), &memory, err));
  hy__yaml *children = memory;
  for (size_t i = 0; i < from->n_children; i++)
    HY_TRY(copy_yaml(&from->children[i], subject, arena, &children[i], err));
  to->children = children;
  return HY_OK;
}

hy_status hy__features_create_node(hy_runtime *runtime, const hy__yaml *node, const char *subject,
                                   const hy__fit_source *fit, hy_features **out, hy_error *err) {
  hy_features *f;
  hy__spec spec = {.subject = "spec"};
  hy__yaml copy;
  HY_TRY(start(runtime, &f, err));
  hy_status status = hy__arena_text(f->arena, subject, strlen(subject), &spec.subject, err);
  if (status == HY_OK) status = copy_yaml(node, spec.subject, f->arena, &copy, err);
  if (status == HY_OK) status = hy__spec_yaml(&copy, false, f->arena, &spec, err);
  return finish(f, status, &spec, fit, out, err);
}

void hy_features_destroy(hy_features *f) {
  if (!f) return;
  hy__solo_destroy(atomic_load_explicit(&f->solo->plan, memory_order_acquire));
  hy__arena_destroy(f->arena);
  hy__free(f->allocator, f, sizeof *f);
}

void hy_features_describe(const hy_features *f, hy_features_info *info) {
  hy_features_info full = {.struct_size = info->struct_size,
                           .n_features = f->n_features,
                           .names = f->names,
                           .lookback_bars = f->lookback_bars,
                           .stable_bars = f->stable_bars,
                           .spec_sha256 = f->spec_sha256,
                           .canonical = f->canonical,
                           .fit_sha256 = f->n_fits ? f->fit_sha256 : NULL};
  memcpy(info, &full, HY_MIN(info->struct_size, sizeof full));
}

const char *hy__features_fit_path(const hy_features *f) { return f->fit_path; }

bool hy__features_skip_missing(const hy_features *f) { return f->gaps[0].fill == HY__GAP_NONE; }

bool hy__features_read(const hy_features *f, const hy_universe *universe, int32_t field) {
  for (size_t k = 0; k < f->n_nodes; k++)
    if (f->nodes[k].kind == HY__NODE_FIELD &&
        hy__universe_field(universe, f->nodes[k].name) == field)
      return true;
  for (size_t k = 0; k < f->inputs.n_fields; k++)
    if (hy__universe_field(universe, f->inputs.fields[k].text) == field) return true;
  return false;
}

/* A timeframe that says nothing is unknown to all who read it. */
void hy__features_forget_names(const hy_features *f, hy_panel *panel) {
  int64_t ignored;
  bool asks = f->n_timeframes > 1 || f->inputs.zone.text || f->inputs.calendar.text;
  for (size_t k = 0; k < f->n_nodes; k++) asks |= f->nodes[k].kind == HY__NODE_CLOCK;
  if (!asks) panel->zone = panel->calendar = NULL;
  if (panel->timeframe && hy__timeframe_parse(panel->timeframe, &ignored, NULL) != HY_OK)
    panel->timeframe = NULL;
}

hy__features_wants hy__features_wanted(const hy_features *f) {
  const hy__spec_inputs *in = &f->inputs;
  return (hy__features_wants){in->base.text, in->zone.text, in->calendar.text};
}
