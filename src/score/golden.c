/* SPDX-License-Identifier: Apache-2.0
 * Golden bars: cut out of a universe or made up, as named arrays of a container and back, and the
 * answers that go beside them. */
#include "score/golden.h"

static const char field_prefix[] = "field.";
enum { PREFIX = sizeof field_prefix - 1, FIELDS_MAX = 256 };

/* --- cut out --- */

/* The blocks of lanes to take: the first two that have a bar in the last row, else the first. */
static hy_status choose_blocks(const hy_universe *u, const hy_universe_info *info, size_t blocks[2],
                               size_t *n, hy_error *err) {
  *n = 0;
  size_t n_blocks = hy__universe_n_blocks(info->n_symbols);
  for (size_t b = 0; b < n_blocks && *n < 2; b++) {
    uint8_t mask = 0;
    bool all;
    HY_TRY(hy__universe_present(u, b, info->n_bars - 1, info->n_bars, &mask, &all, err));
    if (mask) blocks[(*n)++] = b;
  }
  if (!*n) blocks[(*n)++] = 0;
  return HY_OK;
}

typedef struct slicing {
  const hy_universe *u;
  hy_universe_info info;
  size_t t_begin, blocks[2], n_blocks;
  hy__arena *arena;
  hy_panel *panel;
} slicing;

static size_t lanes_of(const slicing *s, size_t block) {
  return HY_MIN((size_t)HY_LANES, s->info.n_symbols - s->blocks[block] * HY_LANES);
}

static hy_status slice_field(const slicing *s, int32_t field, double *out, hy_error *err) {
  void *scratch;
  const double *cells;
  size_t n_bars = s->panel->n_bars;
  HY_TRY(hy__arena_array(s->arena, n_bars * HY_LANES, sizeof(double), &scratch, err));
  for (size_t b = 0; b < s->n_blocks; b++) {
    HY_TRY(hy__universe_block(s->u, field, s->blocks[b], s->t_begin, s->info.n_bars, scratch,
                              &cells, err));
    for (size_t t = 0; t < n_bars; t++)
      memcpy(out + t * s->panel->n_symbols + b * HY_LANES, cells + t * HY_LANES,
             lanes_of(s, b) * sizeof(double));
  }
  return HY_OK;
}

static hy_status slice_fields(slicing *s, const hy_features *features, hy_error *err) {
  void *names, *list, *cells;
  size_t n = 0;
  HY_TRY(hy__arena_array(s->arena, s->info.n_fields, sizeof(char *), &names, err));
  HY_TRY(hy__arena_array(s->arena, s->info.n_fields, sizeof(double *), &list, err));
  const char **field = names;
  const double **data = list;
  for (size_t f = 0; f < s->info.n_fields; f++) {
    bool is_close = strcmp(s->info.fields[f], "close") == 0;
    if (!is_close && !hy__features_read(features, s->u, (int32_t)f)) continue;
    HY_TRY(hy__arena_array(s->arena, s->panel->n_bars * s->panel->n_symbols, sizeof(double), &cells,
                           err));
    HY_TRY(slice_field(s, (int32_t)f, cells, err));
    field[n] = s->info.fields[f];
    data[n++] = cells;
  }
  s->panel->fields = field, s->panel->data = data, s->panel->n_fields = n;
  return HY_OK;
}

static hy_status slice_valid(slicing *s, hy_error *err) {
  void *memory, *bits;
  bool all;
  size_t n_bars = s->panel->n_bars, n_symbols = s->panel->n_symbols;
  HY_TRY(hy__arena_array(s->arena, n_bars * n_symbols, 1, &memory, err));
  HY_TRY(hy__arena_array(s->arena, n_bars, 1, &bits, err));
  uint8_t *valid = memory;
  const uint8_t *mask = bits;
  for (size_t b = 0; b < s->n_blocks; b++) {
    HY_TRY(hy__universe_present(s->u, s->blocks[b], s->t_begin, s->info.n_bars, bits, &all, err));
    for (size_t t = 0; t < n_bars; t++)
      for (size_t k = 0; k < lanes_of(s, b); k++)
        valid[t * n_symbols + b * HY_LANES + k] = mask[t] >> k & 1;
  }
  s->panel->valid = valid;
  return HY_OK;
}

hy_status hy__golden_slice(const hy_features *features, const hy_universe *u, size_t n_bars,
                           hy__arena *arena, hy_panel *out, hy_error *err) {
  void *memory;
  slicing s = {.u = u, .info = {.struct_size = sizeof s.info}, .arena = arena, .panel = out};
  hy_universe_describe(u, &s.info);
  HY_FAIL_IF(!s.info.n_symbols || !s.info.n_bars, HY_NEED_MORE_DATA, err, "the universe is empty");
  HY_TRY(choose_blocks(u, &s.info, s.blocks, &s.n_blocks, err));
  n_bars = HY_MIN(n_bars, s.info.n_bars);
  s.t_begin = s.info.n_bars - n_bars;
  *out = (hy_panel){.struct_size = sizeof *out,
                    .n_bars = n_bars,
                    .time_ns = s.info.time_ns + s.t_begin,
                    .timeframe = s.info.timeframe,
                    .zone = s.info.zone,
                    .calendar = s.info.calendar};
  HY_TRY(hy__arena_array(arena, HY__GOLDEN_SYMBOLS, sizeof(char *), &memory, err));
  const char **symbols = memory;
  for (size_t b = 0; b < s.n_blocks; b++)
    for (size_t k = 0; k < lanes_of(&s, b); k++)
      symbols[out->n_symbols++] = s.info.symbols[s.blocks[b] * HY_LANES + k];
  out->symbols = symbols;
  HY_TRY(slice_fields(&s, features, err));
  return slice_valid(&s, err);
}

hy_status hy__golden_make(const hy_features *features, size_t n_bars, uint64_t seed,
                          hy__arena *arena, hy_panel *out, hy_error *err) {
  hy__features_wants wants = hy__features_wanted(features);
  *out = (hy_panel){.n_symbols = HY__GOLDEN_SYMBOLS,
                    .n_bars = n_bars,
                    .timeframe = wants.timeframe ? wants.timeframe : "1d"};
  HY_TRY(hy__generate_panel(out, seed, arena, err));
  if (wants.zone) out->zone = wants.zone;
  if (wants.calendar) out->calendar = wants.calendar;
  return HY_OK;
}

/* --- as arrays --- */

typedef struct filling {
  hy__arena *arena;
  hy__golden *out;
} filling;

static hy_status golden_alloc(hy__golden *g, size_t n, hy__arena *arena, hy_error *err) {
  void *names, *tensors;
  HY_TRY(hy__arena_array(arena, n, sizeof(char *), &names, err));
  HY_TRY(hy__arena_array(arena, n, sizeof(hy_tensor), &tensors, err));
  *g = (hy__golden){names, tensors, 0};
  return HY_OK;
}

static hy_tensor *put(hy__golden *g, const char *name, hy_dtype dtype, const void *data) {
  hy_tensor *t = &g->tensors[g->n];
  g->names[g->n++] = name;
  *t = (hy_tensor){.dtype = dtype, .data = (void *)(uintptr_t)data};
  return t;
}

static void shape(hy_tensor *t, int32_t rank, size_t rows, size_t columns) {
  t->rank = rank;
  t->dims[0] = (int64_t)rows;
  t->dims[1] = (int64_t)columns;
}

static hy_status put_texts(const filling *f, const char *name, const char *const *texts, size_t n,
                           hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(f->arena, n, sizeof(hy_string), &memory, err));
  hy_string *strings = memory;
  for (size_t k = 0; k < n; k++) {
    const char *text = texts[k] ? texts[k] : "";
    strings[k] = (hy_string){text, strlen(text)};
  }
  shape(put(f->out, name, HY_STRING, strings), 1, n, 0);
  return HY_OK;
}

hy_status hy__golden_from_panel(const hy_panel *p, hy__arena *arena, hy__golden *out,
                                hy_error *err) {
  const char *const about[3] = {p->timeframe, p->zone, p->calendar};
  filling f = {arena, out};
  HY_TRY(golden_alloc(out, p->n_fields + 4, arena, err));
  HY_TRY(put_texts(&f, "about", about, HY_COUNT(about), err));
  HY_TRY(put_texts(&f, "symbol", p->symbols, p->n_symbols, err));
  shape(put(out, "time", HY_I64, p->time_ns), 1, p->n_bars, 0);
  shape(put(out, "valid", HY_U8, p->valid), 2, p->n_bars, p->n_symbols);
  for (size_t k = 0; k < p->n_fields; k++) {
    const char *name;
    HY_TRY(hy__arena_printf(arena, &name, err, "%s%s", field_prefix, p->fields[k]));
    shape(put(out, name, HY_F64, p->data[k]), 2, p->n_bars, p->n_symbols);
  }
  return HY_OK;
}

/* The array of that name, type and shape; dims that are 0 are taken as they are. */
static hy_status want(const hy__golden *g, const char *name, hy_tensor shaped,
                      const hy_tensor **out, hy_error *err) {
  size_t k = 0;
  while (k < g->n && strcmp(g->names[k], name) != 0) k++;
  HY_FAIL_IF(k == g->n, HY_BAD_FORMAT, err, "the golden input has no array '%s'", name);
  const hy_tensor *t = &g->tensors[k];
  bool fits = t->dtype == shaped.dtype && t->rank == shaped.rank;
  for (int32_t d = 0; fits && d < t->rank; d++)
    fits = t->dims[d] > 0 && (!shaped.dims[d] || t->dims[d] == shaped.dims[d]);
  HY_FAIL_IF(!fits, HY_BAD_FORMAT, err, "the golden array '%s' has another type or shape", name);
  *out = t;
  return HY_OK;
}

static hy_status texts_of(const hy_tensor *t, hy__arena *arena, const char *const **out,
                          hy_error *err) {
  void *memory;
  size_t n = (size_t)t->dims[0];
  HY_TRY(hy__arena_array(arena, n, sizeof(char *), &memory, err));
  const char **texts = memory;
  const hy_string *strings = t->data;
  for (size_t k = 0; k < n; k++)
    HY_TRY(hy__arena_text(arena, strings[k].data, strings[k].len_bytes, &texts[k], err));
  *out = texts;
  return HY_OK;
}

static hy_status fields_of(const hy__golden *g, hy__arena *arena, hy_panel *out, hy_error *err) {
  void *names, *list;
  const hy_tensor *t;
  hy_tensor cells = {.dtype = HY_F64, .rank = 2};
  shape(&cells, 2, out->n_bars, out->n_symbols);
  HY_TRY(hy__arena_array(arena, g->n + 1, sizeof(char *), &names, err));
  HY_TRY(hy__arena_array(arena, g->n + 1, sizeof(double *), &list, err));
  const char **field = names;
  const double **data = list;
  for (size_t k = 0; k < g->n; k++) {
    if (strncmp(g->names[k], field_prefix, PREFIX) != 0) continue;
    HY_TRY(want(g, g->names[k], cells, &t, err));
    HY_FAIL_IF(out->n_fields == FIELDS_MAX, HY_LIMIT, err, "more than %d fields", (int)FIELDS_MAX);
    field[out->n_fields] = g->names[k] + PREFIX;
    data[out->n_fields++] = t->data;
  }
  out->fields = field;
  out->data = data;
  return HY_OK;
}

hy_status hy__golden_to_panel(const hy__golden *g, hy__arena *arena, hy_panel *out, hy_error *err) {
  const hy_tensor *time, *symbol, *valid, *about;
  const char *const *texts;
  hy_tensor line = {.dtype = HY_I64, .rank = 1}, names = {.dtype = HY_STRING, .rank = 1};
  hy_tensor three = {.dtype = HY_STRING, .rank = 1, .dims = {3}};
  HY_TRY(want(g, "about", three, &about, err));
  HY_TRY(want(g, "time", line, &time, err));
  HY_TRY(want(g, "symbol", names, &symbol, err));
  *out = (hy_panel){.struct_size = sizeof *out,
                    .n_bars = (size_t)time->dims[0],
                    .n_symbols = (size_t)symbol->dims[0],
                    .time_ns = time->data};
  hy_tensor mask = {.dtype = HY_U8, .rank = 2};
  shape(&mask, 2, out->n_bars, out->n_symbols);
  HY_TRY(want(g, "valid", mask, &valid, err));
  out->valid = valid->data;
  HY_TRY(texts_of(about, arena, &texts, err));
  out->timeframe = texts[0], out->zone = texts[1], out->calendar = texts[2];
  HY_TRY(texts_of(symbol, arena, &out->symbols, err));
  return fields_of(g, arena, out, err);
}

hy_status hy__golden_answers(const hy_score_result *r, hy__arena *arena, hy__golden *out,
                             hy_error *err) {
  size_t n = r->n_rows - r->n_lead, plane = r->n_rows * r->n_symbols;
  size_t first = r->n_lead * r->n_symbols;
  HY_TRY(golden_alloc(out, r->n_models + 2, arena, err));
  shape(put(out, "score", HY_F64, r->score + first), 2, n, r->n_symbols);
  shape(put(out, "flag", HY_U8, r->flag + first), 2, n, r->n_symbols);
  for (size_t m = 0; m < r->n_models; m++) {
    const char *name;
    HY_TRY(hy__arena_printf(arena, &name, err, "model.%s", r->pipeline->models[m].name));
    shape(put(out, name, HY_F64, r->model_score + m * plane + first), 2, n, r->n_symbols);
  }
  return HY_OK;
}
