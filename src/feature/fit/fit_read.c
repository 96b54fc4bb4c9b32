/* SPDX-License-Identifier: Apache-2.0
 * Reads a fit back. Its contents must be what its hash says, it must be of the very spec that the
 * program was made of, and there is no way around either. */
#include <math.h>

#include "feature/fit/fit_file.h"

static hy_status get_text(const hy__yaml *map, const char *key, const char **out, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  return node ? hy__yaml_text(node, out, err) : hy__yaml_fail(map, err, "%s is missing", key);
}

static hy_status get_count(const hy__yaml *map, const char *key, uint64_t *out, hy_error *err) {
  const hy__yaml *node = hy__yaml_get(map, key);
  int64_t value = 0;
  if (!node) return hy__yaml_fail(map, err, "%s is missing", key);
  HY_TRY(hy__yaml_i64(node, &value, err));
  if (value < 0) return hy__yaml_fail(node, err, "%s: a count was expected", key);
  *out = (uint64_t)value;
  return HY_OK;
}

/* "1200 0.5 2.25": how many values, center, scale. */
static hy_status read_constants(const hy__yaml *node, hy__fit_constants *out, hy_error *err) {
  const char *text;
  double n = 0;
  HY_TRY(hy__yaml_text(node, &text, err));
  const char *end = text + strlen(text), *at = hy__parse_f64(text, end, &n);
  bool good = at > text && at < end && *at == ' ' && n >= 0 && n < 1e15 && n == floor(n);
  const char *center = good ? at + 1 : end;
  at = hy__parse_f64(center, end, &out->center);
  good = good && at > center && at < end && *at == ' ';
  const char *scale = good ? at + 1 : end;
  at = hy__parse_f64(scale, end, &out->scale);
  good = good && at > scale && at == end && isfinite(out->center) && isfinite(out->scale);
  if (!good) return hy__yaml_fail(node, err, "a count, a center and a scale were expected");
  out->n = (uint64_t)n;
  return HY_OK;
}

static hy_status read_symbols(const hy__yaml *map, hy__arena *arena, hy__fit_entry *e,
                              hy_error *err) {
  void *memory[2] = {NULL};
  if (map->kind != HY__YAML_MAP) return hy__yaml_fail(map, err, "a map of symbols was expected");
  HY_TRY(hy__arena_array(arena, map->n_children, sizeof(char *), &memory[0], err));
  HY_TRY(hy__arena_array(arena, map->n_children, sizeof(hy__fit_constants), &memory[1], err));
  const char **symbols = memory[0];
  hy__fit_constants *constants = memory[1];
  for (size_t i = 0; i < map->n_children; i++) {
    const hy__yaml *node = &map->children[i];
    symbols[i] = node->key;
    if (i && strcmp(symbols[i - 1], symbols[i]) >= 0)
      return hy__yaml_fail(node, err, "symbols: %.60s does not come after %.60s", symbols[i],
                           symbols[i - 1]);
    HY_TRY(read_constants(node, &constants[i], err));
  }
  e->n = map->n_children;
  e->symbols = symbols;
  e->constants = constants;
  return HY_OK;
}

static hy_status read_entry(const hy__yaml *map, hy__arena *arena, hy__fit_entry *e,
                            hy_error *err) {
  static const char *const keys[] = {"step", "per", "constants", "symbols", NULL};
  static const char *const pers[] = {"pooled", "symbol"};
  size_t per = 0;
  void *memory = NULL;
  HY_TRY(hy__yaml_only_keys(map, keys, err));
  e->feature = map->key;
  HY_TRY(get_text(map, "step", &e->step, err));
  const hy__yaml *how = hy__yaml_get(map, "per"), *all = hy__yaml_get(map, "constants");
  const hy__yaml *each = hy__yaml_get(map, "symbols");
  if (!how) return hy__yaml_fail(map, err, "per is missing");
  HY_TRY(hy__spec_choice(how, pers, HY_COUNT(pers), &per, err));
  e->per_symbol = per == 1;
  if (e->per_symbol && !all && each) return read_symbols(each, arena, e, err);
  if (e->per_symbol || !all || each)
    return hy__yaml_fail(map, err, "per: %s goes with %s", pers[per],
                         e->per_symbol ? "symbols" : "constants");
  HY_TRY(hy__arena_array(arena, 1, sizeof(hy__fit_constants), &memory, err));
  HY_TRY(read_constants(all, memory, err));
  e->n = 1;
  e->constants = memory;
  return HY_OK;
}

static hy_status read_entries(const hy__yaml *map, hy__arena *arena, hy__fit *fit, hy_error *err) {
  void *memory = NULL;
  if (map->kind != HY__YAML_MAP) return hy__yaml_fail(map, err, "a map of features was expected");
  HY_TRY(hy__arena_array(arena, map->n_children, sizeof(hy__fit_entry), &memory, err));
  hy__fit_entry *entries = memory;
  for (size_t i = 0; i < map->n_children; i++)
    HY_TRY(read_entry(&map->children[i], arena, &entries[i], err));
  fit->entries = entries;
  fit->n_entries = map->n_children;
  return HY_OK;
}

static hy_status read_fit(const hy__yaml *root, hy__arena *arena, hy__fit *fit, const char **said,
                          hy_error *err) {
  static const char *const keys[] = {"hayate_fit", "sha256", "spec_sha256", "spec",     "from",
                                     "to",         "bars",   "symbols",     "features", NULL};
  uint64_t version = 0;
  HY_TRY(hy__yaml_only_keys(root, keys, err));
  HY_TRY(get_count(root, "hayate_fit", &version, err));
  if (version != 1)
    return hy__yaml_fail(root, err, "hayate_fit: version 1 was expected, not %llu",
                         (unsigned long long)version);
  HY_TRY(get_text(root, "sha256", said, err));
  HY_TRY(get_text(root, "spec_sha256", &fit->spec_sha256, err));
  HY_TRY(get_text(root, "spec", &fit->spec, err));
  HY_TRY(get_text(root, "from", &fit->from, err));
  HY_TRY(get_text(root, "to", &fit->to, err));
  HY_TRY(get_count(root, "bars", &fit->n_bars, err));
  HY_TRY(get_count(root, "symbols", &fit->n_symbols, err));
  const hy__yaml *features = hy__yaml_get(root, "features");
  if (!features) return hy__yaml_fail(root, err, "features is missing");
  return read_entries(features, arena, fit, err);
}

static hy_status check_fit(const hy_features *f, const hy__fit *fit, const char *said,
                           hy_error *err) {
  char hex[65], path[HY__DIFFERENCE_BYTES];
  HY_TRY(hy__fit_hash(f->allocator, fit, hex, err));
  HY_FAIL_IF(strcmp(hex, said) != 0, HY_MISMATCH, err,
             "the fit's contents have changed: their SHA-256 is %.12s..., and was %.12s...", hex,
             said);
  if (strcmp(fit->spec_sha256, f->spec_sha256) == 0) return HY_OK;
  hy__canonical_difference(f->canonical, fit->spec, path);
  HY_FAIL(HY_MISMATCH, err, "the fit is of spec %.12s..., this spec is %.12s...: %s",
          fit->spec_sha256, f->spec_sha256, path);
}

/* The numbers that the step's nodes read. */
static hy_status fill_slot(hy_features *f, hy__fit_slot *slot, const hy__fit_entry *e,
                           hy_error *err) {
  void *memory[3] = {NULL};
  if (!e->per_symbol) {
    slot->center.others = e->constants->center;
    slot->scale.others = e->constants->scale;
    return HY_OK;
  }
  HY_TRY(hy__arena_array(f->arena, e->n, sizeof(char *), &memory[0], err));
  HY_TRY(hy__arena_array(f->arena, e->n, sizeof(double), &memory[1], err));
  HY_TRY(hy__arena_array(f->arena, e->n, sizeof(double), &memory[2], err));
  const char **symbols = memory[0];
  double *centers = memory[1], *scales = memory[2];
  for (size_t i = 0; i < e->n; i++) {
    HY_TRY(hy__arena_text(f->arena, e->symbols[i], strlen(e->symbols[i]), &symbols[i], err));
    centers[i] = e->constants[i].center;
    scales[i] = e->constants[i].scale;
  }
  slot->center.n = slot->scale.n = e->n;
  slot->center.symbols = slot->scale.symbols = symbols;
  slot->center.values = centers;
  slot->scale.values = scales;
  return HY_OK;
}

static hy_status fill_slots(hy_features *f, const hy__fit *fit, hy_error *err) {
  for (size_t i = 0; i < f->n_fits; i++) {
    const hy__symbols *slot = &f->fits[i].center;
    const hy__fit_entry *found = NULL;
    for (size_t k = 0; k < fit->n_entries; k++)
      if (!strcmp(fit->entries[k].feature, slot->name)) found = &fit->entries[k];
    HY_FAIL_IF(!found || strcmp(found->step, slot->of_step) != 0 ||
                   found->per_symbol != slot->per_symbol,
               HY_MISMATCH, err, "the fit has no %s of %.60s per %s", slot->of_step, slot->name,
               slot->per_symbol ? "symbol" : "pooled");
    HY_TRY(fill_slot(f, &f->fits[i], found, err));
  }
  return HY_OK;
}

hy_status hy__fit_load(hy_features *f, const void *text, size_t bytes, const char *subject,
                       hy_error *err) {
  hy__arena *arena;
  const hy__yaml *root;
  const char *said = "";
  hy__fit fit = {0};
  HY_FAIL_IF(bytes > HY__FIT_BYTES_MAX, HY_LIMIT, err, "a fit of %zu bytes; the limit is %d", bytes,
             HY__FIT_BYTES_MAX);
  HY_FAIL_IF(f->n_fits == 0, HY_MISMATCH, err, "a fit is given, but the spec has no step of one");
  HY_TRY(hy__arena_create(f->allocator, 0, 0, &arena, err));
  hy_status status = hy__yaml_parse(text, bytes, subject, arena, &root, err);
  if (status == HY_OK) status = read_fit(root, arena, &fit, &said, err);
  if (status == HY_OK) status = check_fit(f, &fit, said, err);
  if (status == HY_OK) status = fill_slots(f, &fit, err);
  if (status == HY_OK) memcpy(f->fit_sha256, said, sizeof f->fit_sha256);
  hy__arena_destroy(arena);
  if (status != HY_OK) hy__error_subject(err, subject);
  return status;
}
