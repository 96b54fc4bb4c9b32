/* SPDX-License-Identifier: Apache-2.0
 * What a spec asks of the universe or stream that it is bound to: its fields, its zone, calendar
 * and timeframe. */
#include "feature/bind.h"

#include <stdlib.h>

static hy_status fail_field(const hy_universe_info *info, const char *field, hy__place place,
                            hy_error *err) {
  hy__nearest near;
  char suggestion[160];
  hy__nearest_init(&near, field);
  for (size_t i = 0; i < info->n_fields; i++) hy__nearest_offer(&near, info->fields[i]);
  hy__nearest_text(&near, suggestion, sizeof suggestion);
  return hy__place_fail(place, HY_NOT_FOUND, err, "the universe has no field \"%.60s\"%s", field,
                        suggestion);
}

static hy_status require_text(const hy__spec_name *wanted, const char *key, const char *have,
                              hy_error *err) {
  if (!wanted->text || !wanted->text[0] || !strcmp(wanted->text, have)) return HY_OK;
  return hy__place_fail(wanted->place, HY_MISMATCH, err,
                        "the spec requires %s %.60s, the universe has %.60s", key, wanted->text,
                        have[0] ? have : "none");
}

static hy_status check_inputs(const hy_features *f, const hy_universe *universe,
                              const hy_universe_info *info, hy_error *err) {
  const hy__spec_inputs *in = &f->inputs;
  HY_TRY(require_text(&in->zone, "zone", info->zone, err));
  HY_TRY(require_text(&in->calendar, "calendar", info->calendar, err));
  if (in->base_ns && in->base_ns != info->timeframe_ns)
    return hy__place_fail(in->base.place, HY_MISMATCH, err,
                          "the spec requires base %.20s, the universe has timeframe %.20s",
                          in->base.text, info->timeframe[0] ? info->timeframe : "unknown");
  for (size_t i = 0; i < in->n_fields; i++)
    if (hy__universe_field(universe, in->fields[i].text) < 0)
      return fail_field(info, in->fields[i].text, in->fields[i].place, err);
  return HY_OK;
}

hy_status hy__bind_fields(const hy_features *f, const hy_universe *universe, int32_t *fields,
                          int32_t *close_field, hy_error *err) {
  hy_universe_info info = {.struct_size = sizeof info};
  hy_universe_describe(universe, &info);
  HY_TRY(check_inputs(f, universe, &info, err));
  if (f->n_fits && !f->fit_sha256[0])
    return hy__place_fail(f->fits[0].center.place, HY_MISMATCH, err,
                          "%s of %.60s has no fit: make one with hayate features fit, and name "
                          "it with file, fit or --fit",
                          f->fits[0].center.of_step, f->fits[0].feature);
  for (size_t i = 0; i < f->n_nodes; i++) {
    const hy__node *n = &f->nodes[i];
    if (n->kind != HY__NODE_FIELD) continue;
    if (hy__node_timeframe(f, n) && !strcmp(n->name, hy__field_n_src)) {
      fields[i] = HY__FIELD_N_SRC;
      continue;
    }
    fields[i] = hy__universe_field(universe, n->name);
    if (fields[i] < 0) return fail_field(&info, n->name, n->place, err);
  }
  *close_field = hy__universe_field(universe, "close");
  for (size_t i = 0; i < f->n_gaps; i++)
    HY_FAIL_IF(f->gaps[i].fill == HY__GAP_FLAT && *close_field < 0, HY_NOT_FOUND, err,
               "gap: flat needs the field close, which the universe lacks");
  return HY_OK;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void hy__bind_symbols(const hy__symbols *map, const hy_universe_info *info, double *out) {
  const size_t n = hy__universe_n_blocks(info->n_symbols) * HY_LANES;
  for (size_t i = 0; i < n; i++) out[i] = map->others;
  if (map->n == 0) return;
  for (size_t i = 0; i < info->n_symbols; i++) {
    const char *const *at =
        bsearch(&info->symbols[i], map->symbols, map->n, sizeof *map->symbols, by_text);
    if (at) out[i] = map->values[at - map->symbols];
  }
}

typedef struct named {
  const char *name;
  uint32_t place;
} named;

static int by_name(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

hy_status hy__bind_order(hy__arena *arena, const char *const *symbols, size_t n, uint32_t **out,
                         hy_error *err) {
  void *order, *memory;
  bool ascending = true;
  HY_TRY(hy__arena_array(arena, n, sizeof **out, &order, err));
  *out = order;
  for (size_t i = 0; i < n; i++) (*out)[i] = (uint32_t)i;
  for (size_t i = 1; ascending && i < n; i++) ascending = strcmp(symbols[i - 1], symbols[i]) < 0;
  if (ascending) return HY_OK;
  HY_TRY(hy__arena_array(arena, n, sizeof(named), &memory, err));
  named *names = memory;
  for (size_t i = 0; i < n; i++) names[i] = (named){symbols[i], (uint32_t)i};
  qsort(names, n, sizeof *names, by_name);
  for (size_t i = 0; i < n; i++) (*out)[i] = names[i].place;
  return HY_OK;
}
