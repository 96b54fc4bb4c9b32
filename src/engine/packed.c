/* SPDX-License-Identifier: Apache-2.0 */
/* Packed weights from a container, given to a model's pack store in place of packing. The section:
 * a count, then per form (key, bytes, offset in the section, layout, 0), ascending, then the forms
 * at multiples of 64. */
#include "engine/packed.h"

static hy_status entry_read(hy__span *in, const hy__hyp_section *s, hy__pack_given *out,
                            hy_error *err) {
  out->key = hy__span_u64le(in);
  out->bytes = hy__span_u64le(in);
  uint64_t offset = hy__span_u64le(in);
  out->layout = hy__span_u32le(in);
  (void)hy__span_u32le(in);
  bool fits = offset % HY_ALIGN == 0 && offset <= s->bytes && out->bytes <= s->bytes - offset;
  HY_FAIL_IF(in->failed || !fits, HY_BAD_FORMAT, err,
             "a packed form of section '%s' lies outside it", s->name);
  hy__span whole = hy__span_make(s->data, s->bytes);
  (void)hy__span_take(&whole, (size_t)offset);
  out->data = whole.pos;
  return HY_OK;
}

static bool ascend(const hy__pack_given *a, const hy__pack_given *b) {
  if (a->key != b->key) return a->key < b->key;
  if (a->layout != b->layout) return a->layout < b->layout;
  return a->bytes < b->bytes;
}

hy_status hy__shared_give(hy__shared *shared, hy_error *err) {
  const char *owner;
  void *memory;
  const hy__hyp *container = hy__model_container(shared->model, &owner);
  if (!container || container->revision != hy__pack_revision()) return HY_OK;
  uint32_t isa = (uint32_t)hy_runtime_isa(hy__model_runtime(shared->model));
  const hy__hyp_section *s = hy__hyp_find(container, HY__HYP_PACKS, isa, owner);
  if (!s) return HY_OK;
  HY_TRY(hy__hyp_check(s, err));
  hy__span in = hy__span_make(s->data, s->bytes);
  uint64_t n = hy__span_u64le(&in);
  HY_FAIL_IF(n > hy__span_left(&in) / HY__PACKED_ENTRY, HY_BAD_FORMAT, err,
             "section '%s' is cut short", s->name);
  if (!n) return HY_OK;
  HY_TRY(hy__alloc_array(shared->allocator, (size_t)n, sizeof(hy__pack_given), &memory, err));
  shared->given = memory;
  shared->n_given = (size_t)n;
  for (size_t i = 0; i < n; i++) {
    HY_TRY(entry_read(&in, s, &shared->given[i], err));
    HY_FAIL_IF(i && !ascend(&shared->given[i - 1], &shared->given[i]), HY_BAD_FORMAT, err,
               "the packed forms of section '%s' do not ascend", s->name);
  }
  hy__pack_store_give(shared->packs, shared->given, shared->n_given, hy__shared_key, shared);
  return HY_OK;
}

void hy__shared_take_back(hy__shared *shared) {
  hy__free(shared->allocator, shared->given, shared->n_given * sizeof(hy__pack_given));
  shared->given = NULL;
}

/* By its place in the model's file, else (a copy, or a folded value) by the value it is. */
uint64_t hy__shared_key(void *ctx, const void *source) {
  const hy__shared *shared = ctx;
  const hy__graph *graph = hy__model_graph(shared->model);
  const void *data;
  size_t bytes;
  hy__model_bytes(shared->model, &data, &bytes);
  uintptr_t begin = (uintptr_t)data, at = (uintptr_t)source;
  if (at >= begin && at - begin < bytes) return (uint64_t)(at - begin) << 1;
  for (size_t v = 0; v < graph->n_values; v++)
    if (graph->values[v].constant && graph->values[v].constant->data == source)
      return (uint64_t)v << 1 | 1;
  size_t folded = hy__fold_cache_find(shared->folds, source);
  return folded == SIZE_MAX ? HY__PACK_NO_KEY : (uint64_t)(graph->n_values + folded) << 1 | 1;
}

/* --- writing --- */

static int by_key(const void *a, const void *b) { return ascend(a, b) ? -1 : ascend(b, a); }

static uint8_t *put(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> (8 * i));
  return at + bytes;
}

static size_t rounded(size_t bytes) { return (bytes + HY_ALIGN - 1) & ~(size_t)(HY_ALIGN - 1); }

hy_status hy__packed_section(const hy_session *session, hy__arena *arena, hy__hyp_section *out,
                             hy_error *err) {
  hy__shared *shared = hy__session_shared(session);
  void *memory;
  size_t n = hy__pack_store_list(shared->packs, hy__shared_key, shared, NULL);
  HY_TRY(hy__arena_array(arena, n + 1, sizeof(hy__pack_given), &memory, err));
  hy__pack_given *forms = memory;
  n = hy__pack_store_list(shared->packs, hy__shared_key, shared, forms);
  qsort(forms, n, sizeof *forms, by_key);
  size_t total = rounded(8 + n * HY__PACKED_ENTRY), at = total;
  for (size_t i = 0; i < n; i++) total += rounded((size_t)forms[i].bytes);
  HY_TRY(hy__arena_alloc(arena, total, HY_ALIGN, &memory, err));
  uint8_t *data = memory, *entry = put(data, n, 8);
  for (size_t i = 0; i < n; i++) {
    entry = put(put(put(entry, forms[i].key, 8), forms[i].bytes, 8), at, 8);
    entry = put(put(entry, forms[i].layout, 4), 0, 4);
    memcpy(data + at, forms[i].data, (size_t)forms[i].bytes);
    at += rounded((size_t)forms[i].bytes);
  }
  *out = (hy__hyp_section){.kind = HY__HYP_PACKS, .owner = "", .data = data, .bytes = total};
  return HY_OK;
}
