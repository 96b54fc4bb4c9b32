/* SPDX-License-Identifier: Apache-2.0
 * Reads the rows of indicator.inc and cross.inc: the text columns become names and defaults here,
 * once per compiled spec, so that a row stays one line that a script can read too. */
#include "feature/table.h"

#include <math.h>
#include <stdio.h>

/* clang-format off */
#define HY_IND(id, version, symbol, klass, is_default, inputs, params, outputs, doc) \
  extern const hy__ind_code HY__IND_EACH_ISA(HY__IND_CODE, symbol), HY__IND_ONE(symbol);
#include "feature/indicator.inc"
#undef HY_IND


#define HY_CROSS(id, version, symbol, is_default, inputs, params, doc) \
  void hy__cross_##symbol(const hy__cross_step *s);
#include "feature/cross.inc"
#undef HY_CROSS

typedef struct row_text {
  const char *id;
  uint32_t version;
  hy__ind_class klass;
  bool is_default;
  const char *inputs, *params, *outputs, *doc;
  const hy__ind_code *code[HY__IND_N_ISAS], *one;
  hy__cross_fn cross;
} row_text;

static const row_text rows[] = {
#define HY_IND(id, version, symbol, klass, is_default, inputs, params, outputs, doc) \
  {id, version, HY__IND_##klass, is_default, inputs, params, outputs, doc,           \
   {HY__IND_EACH_ISA(HY__IND_CODE_AT, symbol)}, &HY__IND_ONE(symbol), NULL},
#include "feature/indicator.inc"
#undef HY_IND
#define HY_CROSS(id, version, symbol, is_default, inputs, params, doc) \
  {id, version, HY__IND_W, is_default, inputs, params, "", doc, {NULL}, NULL,        \
   hy__cross_##symbol},
#include "feature/cross.inc"
#undef HY_CROSS
};
/* clang-format on */

size_t hy__def_n(void) { return HY_COUNT(rows); }

size_t hy__def_n_indicators(void) {
  size_t n = 0;
  while (n < HY_COUNT(rows) && !rows[n].cross) n++;
  return n;
}

static int level_of(hy_isa isa) {
  const int level = isa == HY_ISA_AVX512 || isa == HY_ISA_AMX ? 2 : isa == HY_ISA_AVX2 ? 1 : 0;
  return level < HY__IND_N_ISAS ? level : HY__IND_N_ISAS - 1;
}

const hy__ind_code *hy__def_code(size_t row, hy_isa isa) { return rows[row].code[level_of(isa)]; }

const hy__ind_code *hy__def_code_one(size_t row) { return rows[row].one; }

hy__cross_fn hy__def_cross(size_t row) { return rows[row].cross; }

/* The next blank-separated word; its length is 0 at the end. */
static size_t next_word(const char **text) {
  while (**text == ' ') ++*text;
  return strcspn(*text, " ");
}

static hy_status copy_name(char out[HY__DEF_NAME], const char *text, size_t length, hy_error *err) {
  HY_FAIL_IF(length == 0 || length >= HY__DEF_NAME, HY_INTERNAL, err,
             "a name of %zu bytes in the table", length);
  memcpy(out, text, length);
  out[length] = 0;
  return HY_OK;
}

static bool is_field(const char *name) {
  static const char *const fields[] = {"open", "high", "low", "close", "volume", "vwap"};
  for (size_t i = 0; i < HY_COUNT(fields); i++)
    if (!strcmp(name, fields[i])) return true;
  return false;
}

static hy_status read_inputs(const char *text, hy__def *def, hy_error *err) {
  size_t length;
  while ((length = next_word(&text)) > 0) {
    HY_FAIL_IF(def->n_inputs == HY__IND_INPUTS, HY_INTERNAL, err, "too many inputs");
    hy__def_input *input = &def->inputs[def->n_inputs++];
    input->optional = text[length - 1] == '?';
    HY_TRY(copy_name(input->name, text, length - input->optional, err));
    input->kind = text[0] == '@'          ? HY__INPUT_CLOCK
                  : is_field(input->name) ? HY__INPUT_FIELD
                                          : HY__INPUT_FREE;
    def->n_free += input->kind == HY__INPUT_FREE;
    HY_FAIL_IF(input->kind == HY__INPUT_FREE && def->n_free != def->n_inputs, HY_INTERNAL, err,
               "free inputs come before fields");
    text += length;
  }
  return HY_OK;
}

/* "[0,1]", "(0,inf)"; without brackets an integer is a window's number of bars, and another number
 * is not read on. */
static const char *read_range(const char *text, const char *end, hy__def_param *param) {
  param->least = 1, param->most = HY__WINDOW_MAX;
  if (*text != '[' && *text != '(') return param->integer ? text : NULL;
  param->open_least = *text == '(';
  const bool endless = !strncmp(text + 1, "-inf,", 5);
  param->least = -INFINITY;
  text = endless ? text + 5 : hy__parse_f64(text + 1, end, &param->least);
  if (*text != ',') return NULL;
  param->most = INFINITY;
  text = !strncmp(text + 1, "inf", 3) ? text + 4 : hy__parse_f64(text + 1, end, &param->most);
  param->open_most = *text == ')';
  return *text == ']' || *text == ')' ? text + 1 : NULL;
}

static hy_status read_params(const char *text, hy__def *def, hy_error *err) {
  size_t length;
  while ((length = next_word(&text)) > 0) {
    HY_FAIL_IF(def->n_params == HY__IND_PARAMS, HY_INTERNAL, err, "too many parameters");
    hy__def_param *param = &def->params[def->n_params++];
    const char *end = text + length;
    size_t name_bytes = strcspn(text, ":=[( ");
    HY_TRY(copy_name(param->name, text, name_bytes, err));
    text += name_bytes;
    param->integer = !strncmp(text, ":i", 2);
    if (param->integer) text += 2;
    text = read_range(text, end, param);
    HY_FAIL_IF(!text, HY_INTERNAL, err, "parameter %s has no range", param->name);
    param->has_default = *text == '=';
    if (param->has_default) text = hy__parse_f64(text + 1, end, &param->value);
    HY_FAIL_IF(text != end, HY_INTERNAL, err, "parameter %s is malformed", param->name);
    HY_FAIL_IF(param->has_default && !hy__def_allows(param, param->value), HY_INTERNAL, err,
               "the default of %s is outside its range", param->name);
  }
  return HY_OK;
}

static hy_status read_outputs(const char *text, hy__def *def, hy_error *err) {
  size_t length;
  while ((length = next_word(&text)) > 0) {
    HY_FAIL_IF(def->n_outputs == HY__IND_OUTPUTS, HY_INTERNAL, err, "too many outputs");
    HY_TRY(copy_name(def->outputs[def->n_outputs++], text, length, err));
    text += length;
  }
  if (def->n_outputs == 0) def->n_outputs = 1;
  return HY_OK;
}

hy_status hy__def_read(size_t row, hy__def *out, hy_error *err) {
  HY_FAIL_IF(row >= HY_COUNT(rows), HY_INTERNAL, err, "row %zu of %zu definitions", row,
             HY_COUNT(rows));
  const row_text *text = &rows[row];
  *out = (hy__def){.id = text->id,
                   .doc = text->doc,
                   .version = text->version,
                   .row = (uint32_t)row,
                   .klass = text->klass,
                   .is_default = text->is_default,
                   .is_cross = text->cross != NULL};
  hy_status status = read_inputs(text->inputs, out, err);
  if (status == HY_OK) status = read_params(text->params, out, err);
  if (status == HY_OK) status = read_outputs(text->outputs, out, err);
  if (status != HY_OK) hy__error_subject(err, text->id);
  return status;
}

static bool id_is(const char *id, const char *text, size_t length) {
  return strlen(id) == length && !memcmp(id, text, length);
}

static bool family_is(const char *id, const char *text, size_t length) {
  return strcspn(id, ".") == length && !memcmp(id, text, length);
}

static hy_status fail_unknown(const char *text, hy_error *err) {
  hy__nearest near;
  char families[HY_COUNT(rows)][32]; /* what is typed most is a bare family: rsi, not rsi.talib */
  hy__nearest_init(&near, text);
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    (void)snprintf(families[i], sizeof families[i], "%.*s", (int)strcspn(rows[i].id, "."),
                   rows[i].id);
    if (rows[i].is_default && !strchr(text, '.')) hy__nearest_offer(&near, families[i]);
    hy__nearest_offer(&near, rows[i].id);
  }
  char suggestion[160];
  hy__nearest_text(&near, suggestion, sizeof suggestion);
  HY_FAIL(HY_NOT_FOUND, err, "unknown feature \"%s\"%s", text, suggestion);
}

/* A family without a default row: its variants are named. */
static hy_status fail_variant(const char *text, hy_error *err) {
  char variants[200] = "";
  size_t used = 0;
  for (size_t i = 0; i < HY_COUNT(rows) && used < sizeof variants; i++)
    if (family_is(rows[i].id, text, strlen(text)))
      used += (size_t)snprintf(variants + used, sizeof variants - used, "%s%s", used ? ", " : "",
                               rows[i].id);
  HY_FAIL(HY_NOT_FOUND, err, "\"%s\" has no default, choose one of %s", text, variants);
}

hy_status hy__def_find(const char *id, size_t length, uint32_t version, size_t *row,
                       hy_error *err) {
  char text[HY__DEF_ID * 2];
  snprintf(text, sizeof text, "%.*s", (int)HY_MIN(length, sizeof text - 1), id);
  bool known_exact = false, known_family = false;
  uint32_t best = 0;
  for (size_t i = 0; i < HY_COUNT(rows); i++) known_exact |= id_is(rows[i].id, id, length);
  for (size_t i = 0; i < HY_COUNT(rows); i++) {
    bool family = family_is(rows[i].id, id, length);
    known_family |= family;
    bool means = known_exact ? id_is(rows[i].id, id, length) : family && rows[i].is_default;
    if (!means || (version && rows[i].version != version) || rows[i].version <= best) continue;
    best = rows[i].version;
    *row = i;
  }
  if (best) return HY_OK;
  HY_FAIL_IF(known_exact && version, HY_NOT_FOUND, err, "\"%s\" has no version %u", text, version);
  return known_family && !version ? fail_variant(text, err) : fail_unknown(text, err);
}

bool hy__def_allows(const hy__def_param *p, double v) {
  if (p->integer && v != floor(v)) return false;
  return (p->open_least ? v > p->least : v >= p->least) &&
         (p->open_most ? v < p->most : v <= p->most);
}

void hy__def_range(const hy__def_param *p, char text[HY__RANGE_TEXT]) {
  const char *what = p->integer ? "a whole number" : "a number";
  char least[HY_NUMBER_TEXT], most[HY_NUMBER_TEXT];
  hy__format_f64(p->least, least);
  hy__format_f64(p->most, most);
  if (isinf(p->least) && isinf(p->most))
    (void)snprintf(text, HY__RANGE_TEXT, "a finite number");
  else if (isinf(p->most))
    (void)snprintf(text, HY__RANGE_TEXT, p->open_least ? "%s above %s" : "%s of %s or more", what,
                   least);
  else if (isinf(p->least))
    (void)snprintf(text, HY__RANGE_TEXT, p->open_most ? "%s below %s" : "%s of %s or less", what,
                   most);
  else if (!p->open_least && !p->open_most)
    (void)snprintf(text, HY__RANGE_TEXT, "%s of %s to %s", what, least, most);
  else
    (void)snprintf(text, HY__RANGE_TEXT, "%s %s %s and %s %s", what,
                   p->open_least ? "above" : "from", least, p->open_most ? "below" : "up to", most);
}

void hy__def_signature(const hy__def *def, char *text, size_t bytes) {
  size_t used = (size_t)snprintf(text, bytes, "%s(", def->id);
  const char *comma = "";
  for (size_t i = 0; i < def->n_free && used < bytes; i++, comma = ", ")
    used += (size_t)snprintf(text + used, bytes - used, "%s%s%s", comma, def->inputs[i].name,
                             def->inputs[i].optional ? "?" : "");
  for (size_t i = 0; i < def->n_params && used < bytes; i++, comma = ", ") {
    char value[HY_NUMBER_TEXT] = "";
    if (def->params[i].has_default) hy__format_f64(def->params[i].value, value);
    used += (size_t)snprintf(text + used, bytes - used, "%s%s%s%s", comma, def->params[i].name,
                             value[0] ? "=" : "", value);
  }
  if (used < bytes) snprintf(text + used, bytes - used, ")");
}
