/* SPDX-License-Identifier: Apache-2.0 */
/* A model inside a .hyp container: its section is read as the file would be, external data are
 * sections beside it, and constants that do not lie aligned are found aligned there. */
#include "model/onnx.h"

enum { ENTRY = 16, COUNT = 8 };

/* --- aligned constants --- */

static hy_status aligned_enter(hy_model *model, hy_error *err) {
  const hy__hyp_section *s = hy__hyp_find(model->container, HY__HYP_CONSTANTS, 0, model->owner);
  if (!s) return HY_OK;
  HY_TRY(hy__hyp_check(s, err));
  hy__span in = hy__span_make(s->data, s->bytes);
  uint64_t n = hy__span_u64le(&in);
  HY_FAIL_IF(in.failed || n > hy__span_left(&in) / ENTRY, HY_BAD_FORMAT, err,
             "section '%s' is cut short", s->name);
  model->aligned = hy__span_make(s->data, s->bytes);
  return HY_OK;
}

const void *hy__model_aligned(const hy_model *model, size_t bytes) {
  hy__span in = model->aligned, at = in;
  uint64_t n = in.pos ? hy__span_u64le(&in) : 0;
  if (model->n_copied >= n) return NULL;
  (void)hy__span_take(&in, model->n_copied * ENTRY);
  uint64_t has = hy__span_u64le(&in), offset = hy__span_u64le(&in), whole = hy__span_left(&at);
  if (has != bytes || offset % HY_ALIGN || offset > whole || bytes > whole - offset) return NULL;
  (void)hy__span_take(&at, (size_t)offset);
  return at.pos;
}

hy_status hy__model_copied(hy_model *model, const void *data, size_t bytes, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(model->arena, sizeof(hy__copied), _Alignof(hy__copied), &memory, err));
  *model->copied_end = memory;
  **model->copied_end = (hy__copied){data, bytes, NULL};
  model->copied_end = &(*model->copied_end)->next;
  model->n_copied++;
  return HY_OK;
}

static size_t rounded(size_t bytes) { return (bytes + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1); }

static uint8_t *put(uint8_t *at, uint64_t value) {
  for (size_t i = 0; i < COUNT; i++) at[i] = (uint8_t)(value >> (8 * i));
  return at + COUNT;
}

hy_status hy__model_constants(const hy_model *model, hy__arena *arena, hy__hyp_section *out,
                              hy_error *err) {
  void *memory;
  size_t at = rounded(COUNT + model->n_copied * ENTRY), total = at;
  for (const hy__copied *c = model->copied; c; c = c->next) total += rounded(c->bytes);
  HY_TRY(hy__arena_alloc(arena, total, HY_ALIGN, &memory, err));
  uint8_t *data = memory, *entry = put(data, model->n_copied);
  for (const hy__copied *c = model->copied; c; c = c->next) {
    entry = put(put(entry, c->bytes), at);
    memcpy(data + at, c->data, c->bytes);
    at += rounded(c->bytes);
  }
  *out = (hy__hyp_section){
      .kind = HY__HYP_CONSTANTS, .owner = "", .name = "constants", .data = data, .bytes = total};
  return HY_OK;
}

/* --- the container --- */

/* Where the bytes are a container, the model is its section of that owner. */
hy_status hy__model_enter(hy_model *model, const char *owner, hy_error *err) {
  void *memory;
  if (!hy__hyp_is(model->map.data, model->map.bytes)) return HY_OK;
  HY_TRY(hy__arena_alloc(model->arena, sizeof(hy__hyp), _Alignof(hy__hyp), &memory, err));
  hy__hyp *container = memory;
  HY_TRY(hy__hyp_read(model->map.data, model->map.bytes, model->arena, container, err));
  const hy__hyp_section *section = hy__hyp_find(container, HY__HYP_MODEL, 0, owner);
  HY_FAIL_IF(!section && !*owner && hy__hyp_find(container, HY__HYP_PIPELINE, 0, ""), HY_BAD_FORMAT,
             err, "a packed pipeline, not a model: `hayate score` takes it");
  HY_FAIL_IF(!section, HY_BAD_FORMAT, err, "the container holds no model%s%s", *owner ? " " : "",
             owner);
  HY_TRY(hy__hyp_check(section, err));
  model->whole = model->map;
  model->map = (hy__map){section->data, section->bytes};
  model->container = container;
  model->owner = section->owner;
  return aligned_enter(model, err);
}

void hy__model_bytes(const hy_model *model, const void **data, size_t *bytes) {
  *data = model->map.data;
  *bytes = model->map.bytes;
}

const hy__hyp *hy__model_container(const hy_model *model, const char **owner) {
  *owner = model->owner;
  return model->container;
}

size_t hy__model_externals(const hy_model *model, hy__hyp_section *out) {
  size_t n = 0;
  for (const hy__external *e = model->externals; e; e = e->next, n++)
    if (out)
      out[n] = (hy__hyp_section){.kind = HY__HYP_EXTERNAL,
                                 .owner = "",
                                 .name = e->location,
                                 .data = e->map.data,
                                 .bytes = e->map.bytes};
  return n;
}
