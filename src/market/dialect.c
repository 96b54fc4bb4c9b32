/* SPDX-License-Identifier: Apache-2.0
 * The dialect table as data, samples of files, and what the dialects' own files share. */
#include "market/dialect.h"

#include <stdio.h>

const hy__dialect hy__dialects[] = {
#define HY_DIALECT(name, function, about)                                                          \
  {name, about, hy__dialect_##function##_knows, hy__dialect_##function##_plan},
#include "market/dialect.inc"
#undef HY_DIALECT
};
const size_t hy__n_dialects = HY_COUNT(hy__dialects);

const hy__dialect *hy__dialect_find(const char *name) {
  for (size_t k = 0; k < hy__n_dialects; k++)
    if (strcmp(hy__dialects[k].name, name) == 0) return &hy__dialects[k];
  return NULL;
}

/* The candidate that occurs most often in the first line that is not empty. */
static char guess_delimiter(const char *text, size_t bytes) {
  static const char candidates[] = ",;\t|";
  size_t counts[sizeof candidates] = {0}, best = 0;
  bool quoted = false, any = false;
  for (size_t k = 0; k < bytes && (!any || text[k] != '\n'); k++) {
    any = any || (text[k] != '\n' && text[k] != '\r');
    if (text[k] == '"') quoted = !quoted;
    const char *at = text[k] && !quoted ? strchr(candidates, text[k]) : NULL;
    if (at) counts[at - candidates]++;
  }
  for (size_t k = 1; k + 1 < sizeof candidates; k++)
    if (counts[k] > counts[best]) best = k;
  return counts[best] ? candidates[best] : '\0';
}

static hy_status keep_row(hy__sample *s, const hy__csv *c, hy__arena *arena, hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_array(arena, c->n_fields, sizeof(hy__csv_field), &memory, err));
  memcpy(memory, c->fields, c->n_fields * sizeof(hy__csv_field));
  s->row[s->n_rows] = memory;
  s->n_fields[s->n_rows] = c->n_fields;
  s->line[s->n_rows] = (size_t)c->line;
  s->n_rows++;
  return HY_OK;
}

/* 1,5 where commas do not separate: some number has a comma, and none reads with a point alone. */
static char guess_decimal(const hy__sample *s) {
  bool comma = false, point = false;
  double value;
  if (s->delimiter == ',') return '.';
  for (size_t r = 1; r < s->n_rows; r++)
    for (size_t k = 0; k < s->n_fields[r]; k++) {
      const hy__csv_field *f = &s->row[r][k];
      if (hy__csv_f64_grouped(f->text, f->len_bytes, ',', &value))
        comma = comma || memchr(f->text, ',', f->len_bytes) != NULL;
      else
        point = point || hy__csv_f64_grouped(f->text, f->len_bytes, '.', &value);
    }
  return comma && !point ? ',' : '.';
}

hy_status hy__sample_take(const hy__source *source, hy__arena *arena, hy__sample *out,
                          hy_error *err) {
  const size_t bytes = HY_MIN(source->bytes, (size_t)HY_CSV_ROW_BYTES_MAX + HY_SAMPLE_BYTES);
  *out = (hy__sample){.source = source};
  out->delimiter = guess_delimiter(source->text, HY_MIN(bytes, (size_t)HY_CSV_ROW_BYTES_MAX));
  HY_FAIL_IF(!out->delimiter, HY_BAD_FORMAT, err,
             "no delimiter in the first line; expected columns between , ; | or tabs");
  void *fields;
  HY_TRY(hy__arena_array(arena, HY_CSV_FIELDS_MAX, sizeof(hy__csv_field), &fields, err));
  hy__csv c = {.fields = fields, .max_fields = HY_CSV_FIELDS_MAX};
  hy__csv_init(&c, source->text, bytes, out->delimiter);
  while (out->n_rows < HY_SAMPLE_ROWS) {
    hy_status status = hy__csv_next(&c, err);
    if (status != HY_OK && out->n_rows > 4) break; /* the whole reading will say where */
    HY_TRY(status);
    if (c.n_fields == 0) break;
    if (bytes < source->bytes && c.pos == c.end) break; /* cut by the sample's end */
    HY_TRY(keep_row(out, &c, arena, err));
  }
  HY_FAIL_IF(out->n_rows == 0, HY_BAD_FORMAT, err, "no row; expected a table of bars");
  out->decimal = guess_decimal(out);
  return HY_OK;
}

bool hy__field_is(const hy__csv_field *f, const char *text) {
  const char *from = f->text, *end = f->text + f->len_bytes;
  while (from < end && *from == ' ') from++;
  while (end > from && end[-1] == ' ') end--;
  if ((size_t)(end - from) != strlen(text)) return false;
  for (size_t k = 0; from + k < end; k++) {
    const char c = from[k] >= 'A' && from[k] <= 'Z' ? (char)(from[k] - 'A' + 'a') : from[k];
    const char w = text[k] >= 'A' && text[k] <= 'Z' ? (char)(text[k] - 'A' + 'a') : text[k];
    if (c != w) return false;
  }
  return true;
}

bool hy__column_name(const hy__csv_field *name, char out[64]) {
  size_t n = 0;
  bool gap = false;
  for (size_t k = 0; k < name->len_bytes; k++) {
    char c = name->text[k];
    if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80);
    if (!plain) {
      gap = n > 0;
      continue;
    }
    if (n + 2 >= 64) return false;
    if (gap) out[n++] = '_';
    gap = false;
    out[n++] = c;
  }
  out[n] = '\0';
  return n > 0;
}

/* Names as tools write them, without what is not a letter or digit. */
static const struct {
  const char *name, *field;
  hy__role role;
} known_columns[] = {
    {"date", NULL, HY_ROLE_DATE},
    {"day", NULL, HY_ROLE_DATE},
    {"tradedate", NULL, HY_ROLE_DATE},
    {"time", NULL, HY_ROLE_CLOCK},
    {"datetime", NULL, HY_ROLE_STAMP},
    {"timestamp", NULL, HY_ROLE_STAMP},
    {"localtime", NULL, HY_ROLE_STAMP},
    {"gmttime", NULL, HY_ROLE_STAMP},
    {"utctime", NULL, HY_ROLE_STAMP},
    {"dateandtime", NULL, HY_ROLE_STAMP},
    {"opentime", NULL, HY_ROLE_STAMP},
    {"barstart", NULL, HY_ROLE_STAMP},
    {"tsevent", NULL, HY_ROLE_STAMP},
    {"ts", NULL, HY_ROLE_STAMP},
    {"unix", NULL, HY_ROLE_STAMP},
    {"symbol", NULL, HY_ROLE_SYMBOL},
    {"ticker", NULL, HY_ROLE_SYMBOL},
    {"tic", NULL, HY_ROLE_SYMBOL},
    {"code", NULL, HY_ROLE_SYMBOL},
    {"instrument", NULL, HY_ROLE_SYMBOL},
    {"asset", NULL, HY_ROLE_SYMBOL},
    {"sid", NULL, HY_ROLE_SYMBOL},
    {"isin", NULL, HY_ROLE_SYMBOL},
    {"permno", NULL, HY_ROLE_SYMBOL},
    {"pair", NULL, HY_ROLE_SYMBOL},
    {"contract", NULL, HY_ROLE_SYMBOL},
    {"stock", NULL, HY_ROLE_SYMBOL},
    {"open", "open", HY_ROLE_FIELD},
    {"o", "open", HY_ROLE_FIELD},
    {"openprice", "open", HY_ROLE_FIELD},
    {"high", "high", HY_ROLE_FIELD},
    {"h", "high", HY_ROLE_FIELD},
    {"highprice", "high", HY_ROLE_FIELD},
    {"low", "low", HY_ROLE_FIELD},
    {"l", "low", HY_ROLE_FIELD},
    {"lowprice", "low", HY_ROLE_FIELD},
    {"close", "close", HY_ROLE_FIELD},
    {"c", "close", HY_ROLE_FIELD},
    {"last", "close", HY_ROLE_FIELD},
    {"closelast", "close", HY_ROLE_FIELD},
    {"closeprice", "close", HY_ROLE_FIELD},
    {"price", "close", HY_ROLE_FIELD},
    {"adjclose", "adj_close", HY_ROLE_FIELD},
    {"adjustedclose", "adj_close", HY_ROLE_FIELD},
    {"volume", "volume", HY_ROLE_FIELD},
    {"vol", "volume", HY_ROLE_FIELD},
    {"v", "volume", HY_ROLE_FIELD},
    {"tickvol", "tick_volume", HY_ROLE_FIELD},
    {"tickvolume", "tick_volume", HY_ROLE_FIELD},
};

hy__role hy__column_role(const hy__csv_field *name, const char **field) {
  char plain[64], letters[64];
  size_t n = 0;
  *field = NULL;
  if (!hy__column_name(name, plain)) return HY_ROLE_OTHER;
  for (const char *c = plain; *c; c++)
    if (*c != '_') letters[n++] = *c;
  letters[n] = '\0';
  for (size_t k = 0; k < HY_COUNT(known_columns); k++) {
    if (strcmp(known_columns[k].name, letters) != 0) continue;
    *field = known_columns[k].field;
    return known_columns[k].role;
  }
  return HY_ROLE_OTHER;
}

bool hy__sample_is_time(const hy__sample *s, size_t row, size_t column) {
  if (row >= s->n_rows || column >= s->n_fields[row]) return false;
  const hy__csv_field *f = &s->row[row][column];
  return hy__stamp_forms(f->text, f->len_bytes) != 0;
}

bool hy__sample_is_number(const hy__sample *s, size_t from, size_t column) {
  bool any = false;
  double value;
  for (size_t r = from; r < s->n_rows; r++) {
    if (column >= s->n_fields[r]) return false;
    const hy__csv_field *f = &s->row[r][column];
    if (hy__csv_is_missing(f->text, f->len_bytes)) continue;
    if (!hy__csv_f64_grouped(f->text, f->len_bytes, s->decimal, &value)) return false;
    any = true;
  }
  return any;
}

hy_status hy__plan_start(const hy__sample *s, const char *dialect, hy__arena *arena, hy__plan *out,
                         hy_error *err) {
  void *memory;
  size_t most = 0;
  for (size_t r = 0; r < s->n_rows; r++) most = HY_MAX(most, s->n_fields[r]);
  *out = (hy__plan){.dialect = dialect,
                    .date = -1,
                    .clock = -1,
                    .symbol = -1,
                    .n_columns = s->n_fields[s->n_rows - 1],
                    .ignored = "",
                    .zone = "UTC"};
  HY_TRY(hy__arena_array(arena, most, sizeof(hy__cell_column), &memory, err));
  out->cells = memory;
  HY_TRY(hy__arena_array(arena, HY_MIN(most, (size_t)HY_UNIVERSE_FIELDS_MAX), sizeof(char *),
                         &memory, err));
  out->fields = memory;
  return HY_OK;
}

hy_status hy__plan_add(hy__plan *p, hy__arena *arena, uint32_t column, const char *field,
                       int32_t symbol, hy_error *err) {
  size_t k = 0;
  while (k < p->n_fields && strcmp(p->fields[k], field) != 0) k++;
  if (k == p->n_fields) {
    HY_FAIL_IF(k == HY_UNIVERSE_FIELDS_MAX, HY_LIMIT, err, "more than %d value columns",
               (int)HY_UNIVERSE_FIELDS_MAX);
    HY_TRY(hy__arena_text(arena, field, strlen(field), &p->fields[p->n_fields++], err));
  }
  p->cells[p->n_cells++] = (hy__cell_column){column, (int32_t)k, symbol};
  return HY_OK;
}

hy_status hy__plan_fixed(hy__plan *p, hy__arena *arena, const char *const *fields,
                         const uint32_t *columns, size_t n, hy_error *err) {
  for (size_t k = 0; k < n; k++) HY_TRY(hy__plan_add(p, arena, columns[k], fields[k], -1, err));
  return HY_OK;
}

hy_status hy__plan_symbol_from_stem(const hy__sample *s, char separator, size_t index,
                                    hy__arena *arena, hy__plan *out, hy_error *err) {
  const char *from = s->source->stem;
  for (size_t k = 0; separator && k < index && strchr(from, separator); k++)
    from = strchr(from, separator) + 1;
  const char *end = separator ? strchr(from, separator) : NULL;
  void *memory;
  HY_TRY(hy__arena_array(arena, 1, sizeof(char *), &memory, err));
  out->symbols = memory;
  out->n_symbols = 1;
  return hy__arena_text(arena, from, end ? (size_t)(end - from) : strlen(from), &out->symbols[0],
                        err);
}
