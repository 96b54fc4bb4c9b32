/* SPDX-License-Identifier: Apache-2.0
 * The row store of import: segments that never move, and a symbol table that guesses the next
 * symbol from the one before, since files list their symbols in the same order for every time. */
#include "market/rows.h"

#include <sys/mman.h>

void hy__rows_init(hy__rows *r, const hy_allocator *a, size_t n_fields) {
  *r = (hy__rows){.allocator = a,
                  .n_fields = n_fields,
                  .row_bytes = sizeof(hy__row) + n_fields * sizeof(double)};
}

void hy__rows_destroy(hy__rows *r) {
  for (size_t k = 0; k < r->n_segments; k++)
    hy__free(r->allocator, r->segments[k], HY_ROWS_PER_SEGMENT * r->row_bytes);
  hy__free(r->allocator, r->segments, r->capacity * sizeof(char *));
  r->segments = NULL;
  r->n_segments = r->capacity = r->n_rows = 0;
}

/* Fresh memory costs a fault per 4 KiB, a third of the parse's time; per 2 MiB it costs little. Not
 * for the first segment, so that small imports stay small. Advice: a refusal changes nothing. */
static void advise_huge(void *segment, size_t bytes) {
  const uintptr_t huge = (uintptr_t)2 << 20, begin = ((uintptr_t)segment + huge - 1) & ~(huge - 1);
  const uintptr_t end = ((uintptr_t)segment + bytes) & ~(huge - 1);
  if (end > begin) (void)madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

hy_status hy__rows_grow(hy__rows *r, hy_error *err) {
  void *list = r->segments, *segment;
  HY_FAIL_IF(r->n_rows + HY_ROWS_PER_SEGMENT > HY_ROWS_MAX, HY_LIMIT, err,
             "more than %d bars in one import", (int)HY_ROWS_MAX);
  HY_TRY(hy__grow(r->allocator, &list, &r->capacity, r->n_segments + 1, sizeof(char *), err));
  r->segments = list;
  HY_TRY(hy__alloc_array(r->allocator, HY_ROWS_PER_SEGMENT, r->row_bytes, &segment, err));
  if (r->n_segments > 0) advise_huge(segment, HY_ROWS_PER_SEGMENT * r->row_bytes);
  r->segments[r->n_segments++] = segment;
  return HY_OK;
}

void hy__symbols_init(hy__symbols *s, const hy_allocator *a, hy__arena *arena) {
  *s = (hy__symbols){.allocator = a, .arena = arena};
}

void hy__symbols_destroy(hy__symbols *s) {
  hy__free(s->allocator, s->names, s->capacity * sizeof(char *));
  hy__free(s->allocator, s->lengths, s->capacity_lengths * sizeof(uint32_t));
  hy__free(s->allocator, s->after, s->capacity_after * sizeof(uint32_t));
  hy__free(s->allocator, s->slots, s->n_slots * sizeof(uint32_t));
  *s = (hy__symbols){0};
}

static bool is_name(const hy__symbols *s, uint32_t k, const char *text, size_t len_bytes) {
  return s->lengths[k] == len_bytes && memcmp(s->names[k], text, len_bytes) == 0;
}

static size_t slot_of(const hy__symbols *s, const char *text, size_t len_bytes) {
  size_t at = (size_t)hy__hash64(text, len_bytes, 0) & (s->n_slots - 1);
  while (s->slots[at] && !is_name(s, s->slots[at] - 1, text, len_bytes))
    at = (at + 1) & (s->n_slots - 1);
  return at;
}

static hy_status more_slots(hy__symbols *s, hy_error *err) {
  void *memory;
  const size_t old = s->n_slots;
  HY_TRY(hy__alloc_zero(s->allocator, (old ? old * 2 : 256) * sizeof(uint32_t), &memory, err));
  hy__free(s->allocator, s->slots, old * sizeof(uint32_t));
  s->slots = memory;
  s->n_slots = old ? old * 2 : 256;
  for (uint32_t k = 0; k < s->n; k++) s->slots[slot_of(s, s->names[k], s->lengths[k])] = k + 1;
  return HY_OK;
}

static hy_status add_name(hy__symbols *s, const char *text, size_t len_bytes, hy_error *err) {
  void *names = s->names, *lengths = s->lengths, *after = s->after;
  HY_FAIL_IF(len_bytes == 0, HY_BAD_FORMAT, err, "expected a symbol, found nothing");
  HY_FAIL_IF(len_bytes > HY_UNIVERSE_NAME_MAX, HY_LIMIT, err,
             "a symbol of %zu bytes; the limit is %d", len_bytes, (int)HY_UNIVERSE_NAME_MAX);
  for (size_t k = 0; k < len_bytes; k++)
    HY_FAIL_IF((uint8_t)text[k] < 0x20 || text[k] == 0x7f, HY_BAD_FORMAT, err,
               "a symbol with the control character 0x%02x", (uint8_t)text[k]);
  HY_FAIL_IF(s->n == HY_UNIVERSE_SYMBOLS_MAX, HY_LIMIT, err, "more than %d symbols",
             (int)HY_UNIVERSE_SYMBOLS_MAX);
  HY_TRY(hy__grow(s->allocator, &names, &s->capacity, s->n + 1, sizeof(char *), err));
  s->names = names;
  HY_TRY(hy__grow(s->allocator, &lengths, &s->capacity_lengths, s->n + 1, sizeof(uint32_t), err));
  s->lengths = lengths;
  HY_TRY(hy__grow(s->allocator, &after, &s->capacity_after, s->n + 1, sizeof(uint32_t), err));
  s->after = after;
  HY_TRY(hy__arena_text(s->arena, text, len_bytes, &s->names[s->n], err));
  s->lengths[s->n] = (uint32_t)len_bytes;
  s->after[s->n] = 0;
  s->n++;
  return HY_OK;
}

hy_status hy__symbols_find(hy__symbols *s, const char *text, size_t len_bytes, uint32_t *out,
                           hy_error *err) {
  if (s->n > 0) {
    const uint32_t guess = s->after[s->last];
    if (is_name(s, s->last, text, len_bytes)) return *out = s->last, HY_OK;
    if (is_name(s, guess, text, len_bytes)) return *out = s->last = guess, HY_OK;
  }
  while (len_bytes > 0 && *text == ' ') text++, len_bytes--;
  while (len_bytes > 0 && text[len_bytes - 1] == ' ') len_bytes--;
  if (2 * s->n >= s->n_slots) HY_TRY(more_slots(s, err));
  const size_t at = slot_of(s, text, len_bytes);
  if (!s->slots[at]) {
    HY_TRY(add_name(s, text, len_bytes, err));
    s->slots[at] = (uint32_t)s->n;
  }
  *out = s->slots[at] - 1;
  s->after[s->last] = *out;
  s->last = *out;
  return HY_OK;
}
