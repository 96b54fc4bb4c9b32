/* SPDX-License-Identifier: Apache-2.0
 * The sections of a container in the making: a model with what it names, its packed weights, golden
 * arrays. For pack_write.c (one model) and for score's pipelines. */
#include <stdio.h>

#include <hayate/pack.h>

#include "engine/packed.h"

enum { FIRST_SECTIONS = 16 };

static hy_status grow(hy__pack_list *list, hy_error *err) {
  void *memory;
  size_t capacity = list->capacity ? 2 * list->capacity : FIRST_SECTIONS;
  HY_TRY(hy__arena_array(list->arena, capacity, sizeof(hy__hyp_section), &memory, err));
  if (list->n) memcpy(memory, list->sections, list->n * sizeof(hy__hyp_section));
  list->sections = memory;
  list->capacity = capacity;
  return HY_OK;
}

hy_status hy__pack_add(hy__pack_list *list, const hy__hyp_section *section, hy_error *err) {
  char name[HY__HYP_NAME];
  int used = section->isa ? snprintf(name, sizeof name, "%s/%s", section->name,
                                     hy_isa_name((hy_isa)section->isa))
                          : snprintf(name, sizeof name, "%s", section->name);
  HY_FAIL_IF(used < 0 || (size_t)used >= sizeof name, HY_LIMIT, err,
             "the name '%s' is too long for a container", section->name);
  if (list->n == list->capacity) HY_TRY(grow(list, err));
  hy__hyp_section *s = &list->sections[list->n];
  *s = *section;
  HY_TRY(hy__arena_text(list->arena, name, strlen(name), &s->name, err));
  HY_TRY(hy__arena_text(list->arena, section->owner, strlen(section->owner), &s->owner, err));
  list->n++;
  return HY_OK;
}

/* The same with the bytes copied, as their owner may be closed before they are written. */
static hy_status add_copy(hy__pack_list *list, hy__hyp_section section, hy_error *err) {
  void *copy;
  HY_TRY(hy__arena_alloc(list->arena, section.bytes + 1, HY_ALIGN, &copy, err));
  if (section.bytes) memcpy(copy, section.data, section.bytes);
  section.data = copy;
  return hy__pack_add(list, &section, err);
}

hy_status hy__pack_add_model(hy__pack_list *list, const hy_model *model, const char *owner,
                             hy_error *err) {
  void *memory;
  const void *data;
  const char *packed;
  hy__hyp_section s = {.kind = HY__HYP_MODEL, .owner = owner, .name = "model"}, constants;
  HY_FAIL_IF(hy__model_container(model, &packed), HY_INVALID_ARGUMENT, err,
             "the model is packed already");
  hy__model_bytes(model, &data, &s.bytes);
  s.data = data;
  HY_TRY(add_copy(list, s, err));
  HY_TRY(hy__model_constants(model, list->arena, &constants, err));
  constants.owner = owner;
  HY_TRY(hy__pack_add(list, &constants, err));
  size_t n = hy__model_externals(model, NULL);
  HY_TRY(hy__arena_array(list->arena, n + 1, sizeof(hy__hyp_section), &memory, err));
  hy__hyp_section *externals = memory;
  (void)hy__model_externals(model, externals);
  for (size_t i = 0; i < n; i++) {
    externals[i].owner = owner;
    HY_TRY(add_copy(list, externals[i], err));
  }
  return HY_OK;
}

hy_status hy__pack_add_weights(hy__pack_list *list, const hy_session *session, const char *owner,
                               hy_error *err) {
  hy__hyp_section s;
  const hy_model *model = hy__session_shared(session)->model;
  HY_TRY(hy__packed_section(session, list->arena, &s, err));
  s.isa = (uint32_t)hy_runtime_isa(hy__model_runtime(model));
  s.owner = owner;
  s.name = "packed";
  return hy__pack_add(list, &s, err);
}

hy_status hy__pack_add_golden(hy__pack_list *list, hy__hyp_kind kind, hy_isa isa,
                              const hy__golden *golden, hy_error *err) {
  hy__hyp_section s;
  HY_TRY(hy__golden_write(golden->names, golden->tensors, golden->n, list->arena, &s, err));
  s.kind = kind;
  s.isa = (uint32_t)isa;
  s.name = kind == HY__HYP_GOLDEN_IN ? "input" : "output";
  return hy__pack_add(list, &s, err);
}

hy_status hy__pack_list_write(const hy__pack_list *list, const hy_allocator *a, const char *path,
                              hy_error *err) {
  return hy__hyp_write(a, path, list->sections, list->n, hy__pack_revision(), err);
}

/* --- the other way --- */

hy_status hy__part_open(hy_runtime *runtime, hy__map container, const char *owner, hy_model **out,
                        hy_error *err) {
  return hy__model_open_owner(runtime, container, owner, out, err);
}

void hy__part_bytes(const hy_model *model, const void **data, size_t *bytes) {
  hy__model_bytes(model, data, bytes);
}

uint64_t hy__part_revision(void) { return hy__pack_revision(); }

size_t hy__part_n_taken(const hy_session *session) {
  return hy__pack_store_n_taken(hy__session_shared(session)->packs);
}

static hy_status kind_read(hy_runtime *runtime, hy__map map, hy_pack_kind *out, hy_error *err) {
  hy__arena *arena;
  hy__hyp file;
  *out = HY_PACK_NONE;
  if (!hy__hyp_is(map.data, map.bytes)) return HY_OK;
  HY_TRY(hy__arena_create(hy__runtime_allocator(runtime), 0, 0, &arena, err));
  hy_status status = hy__hyp_read(map.data, map.bytes, arena, &file, err);
  if (status == HY_OK)
    *out = hy__hyp_find(&file, HY__HYP_PIPELINE, 0, "") ? HY_PACK_PIPELINE : HY_PACK_MODEL;
  hy__arena_destroy(arena);
  return status;
}

hy_status hy_pack_kind_of(hy_runtime *runtime, const char *path, hy_pack_kind *out, hy_error *err) {
  hy__map map;
  hy_error_clear(err);
  HY_FAIL_IF(!runtime || !path || !out, HY_INVALID_ARGUMENT, err,
             "runtime, path and out must not be NULL");
  hy_status status = hy__map_open(path, &map, err);
  if (status == HY_OK) {
    status = kind_read(runtime, map, out, err);
    hy__map_close(&map);
  }
  if (status != HY_OK) hy__error_subject(err, path);
  return status;
}
