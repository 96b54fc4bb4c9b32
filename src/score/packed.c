/* SPDX-License-Identifier: Apache-2.0
 * A pipeline inside a .hyp container, in place of its files: its text is read as the file would be,
 * the spec's file is a section, models are found by their names. Nothing of the folder that it was
 * packed in is looked at. */
#include "score/pipeline.h"

enum { SHA_TEXT = 64 }; /* hex digits of a SHA-256 */

static hy_status section_find(const hy_pipeline *p, uint32_t kind, const char *what,
                              const hy__hyp_section **out, hy_error *err) {
  *out = hy__hyp_find(&p->container, kind, 0, "");
  HY_FAIL_IF(!*out, HY_BAD_FORMAT, err, "the container holds no %s", what);
  return hy__hyp_check(*out, err);
}

hy_status hy__packed_open(hy_pipeline *p, hy__span *text, hy_error *err) {
  const hy__hyp_section *s;
  HY_TRY(hy__hyp_read(p->map.data, p->map.bytes, p->arena, &p->container, err));
  HY_FAIL_IF(!hy__hyp_find(&p->container, HY__HYP_PIPELINE, 0, "") &&
                 hy__hyp_find(&p->container, HY__HYP_MODEL, 0, ""),
             HY_BAD_FORMAT, err, "a packed model, not a pipeline: `hayate infer` takes it");
  HY_TRY(section_find(p, HY__HYP_PIPELINE, "pipeline", &s, err));
  *text = hy__span_make(s->data, s->bytes);
  return HY_OK;
}

/* The spec as it was packed, and as this version understands it, must be one. */
static hy_status check_spec(const hy_pipeline *p, const hy_features *features, hy_error *err) {
  char hex[SHA_TEXT + 1];
  const hy__hyp_section *s;
  hy_features_info now = {.struct_size = sizeof now};
  hy_features_describe(features, &now);
  HY_TRY(section_find(p, HY__HYP_SPEC, "spec", &s, err));
  HY_FAIL_IF(s->bytes <= SHA_TEXT || s->data[SHA_TEXT] != '\n', HY_BAD_FORMAT, err,
             "section '%s' is cut short", s->name);
  hy__span in = hy__span_make(s->data, s->bytes);
  const char *said = (const char *)hy__span_take(&in, SHA_TEXT);
  (void)hy__span_u8(&in);
  hy__sha256_hex(in.pos, hy__span_left(&in), hex);
  HY_FAIL_IF(memcmp(hex, said, SHA_TEXT) != 0, HY_MISMATCH, err,
             "the container's spec has the SHA-256 %.12s..., and is said to have %.12s...", hex,
             said);
  if (strcmp(hex, now.spec_sha256) == 0) return HY_OK;
  char difference[HY__DIFFERENCE_BYTES];
  const char *theirs;
  HY_TRY(hy__arena_text(p->arena, (const char *)in.pos, hy__span_left(&in), &theirs, err));
  hy__canonical_difference(now.canonical, theirs, difference);
  HY_FAIL(HY_MISMATCH, err,
          "packed with spec %.12s..., which is %.12s... with this version of hayate (%s): pack it "
          "again",
          hex, now.spec_sha256, difference);
}

/* The fit's section, or none: the folder is not looked at. */
static hy_status find_fit(hy_pipeline *p, hy_error *err) {
  const hy__hyp_section *fit = hy__hyp_find(&p->container, HY__HYP_FIT, 0, "");
  p->fit.none = fit == NULL;
  if (!fit) return HY_OK;
  HY_TRY(hy__hyp_check(fit, err));
  p->fit = (hy__fit_source){.path = p->path, .data = fit->data, .bytes = fit->bytes};
  return HY_OK;
}

hy_status hy__packed_features(hy_pipeline *p, const hy__yaml *node, hy_error *err) {
  const hy__hyp_section *file = hy__hyp_find(&p->container, HY__HYP_FILE, 0, "");
  const hy__yaml *root = NULL;
  HY_TRY(find_fit(p, err));
  if (file) {
    HY_TRY(hy__hyp_check(file, err));
    HY_TRY(hy__yaml_parse((const char *)file->data, file->bytes, p->path, p->arena, &root, err));
    HY_TRY(hy__features_create_node(p->runtime, root, p->path, &p->fit, &p->features, err));
  } else {
    HY_TRY(hy__pipeline_inline(p, node, err));
  }
  return check_spec(p, p->features, err);
}
