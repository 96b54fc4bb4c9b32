/* SPDX-License-Identifier: Apache-2.0
 * The definitions as text for people and as JSON for machines: all of them, or one. */
#include <math.h>
#include <stdio.h>

#include "feature/program.h"

enum { TEXT_BYTES = 512 };

static hy_status list_names(const hy_sink *sink, const char *key, const hy__def *def, bool inputs,
                            hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err, "\"%s\":[", key));
  size_t n = inputs ? def->n_inputs : def->outputs[0][0] ? def->n_outputs : 0;
  for (size_t i = 0; i < n; i++)
    HY_TRY(hy__sink_printf(sink, err, "%s\"%s\"", i ? "," : "",
                           inputs ? def->inputs[i].name : def->outputs[i]));
  return hy__sink_text(sink, "],", err);
}

/* Who made the golden values that the row is held to, and of which series. */
static const char *golden_of(const hy__def *def) {
  static const char *const goldens[][2] = {
#define HY_GOLDEN(id, text) {id, text},
#include "feature/golden.inc"
#undef HY_GOLDEN
  };
  for (size_t i = 0; i < HY_COUNT(goldens); i++)
    if (!strcmp(goldens[i][0], def->id)) return goldens[i][1];
  return "none";
}

/* Rows of history with the defaults (a parameter without one at 10): until the first value, and
 * until a start elsewhere makes no difference beyond 1e-6 and 1e-9 of scale; null: no bound. */
typedef struct history {
  size_t lookback, stable[2];
  bool bounded;
} history;

static history history_of(const hy__def *def) {
  static const double tols[] = {1e-6, 1e-9};
  const hy__ind_code *code = def->is_cross ? NULL : hy__def_code(def->row, HY_ISA_SCALAR);
  double p[HY__IND_PARAMS] = {0};
  history h = {.bounded = def->klass == HY__IND_W || def->klass == HY__IND_E};
  for (size_t i = 0; i < def->n_params; i++)
    p[i] = def->params[i].has_default ? def->params[i].value : 10;
  if (code && code->lookback) h.lookback = code->lookback(p);
  for (size_t i = 0; i < HY_COUNT(tols); i++)
    h.stable[i] = h.lookback + (code && code->stable ? code->stable(p, tols[i]) : 0);
  return h;
}

static hy_status list_history(const hy_sink *sink, const hy__def *def, hy_error *err) {
  const history h = history_of(def);
  HY_TRY(hy__sink_printf(sink, err, "\"lookback\":%zu,\"stable_after\":", h.lookback));
  if (!h.bounded) return hy__sink_text(sink, "{\"1e-6\":null,\"1e-9\":null},", err);
  return hy__sink_printf(sink, err, "{\"1e-6\":%zu,\"1e-9\":%zu},", h.stable[0], h.stable[1]);
}

/* A number, or null where there is none. */
static void number_or_null(bool is, double v, char text[HY_NUMBER_TEXT]) {
  if (is)
    hy__format_f64(v, text);
  else
    (void)snprintf(text, HY_NUMBER_TEXT, "null");
}

static hy_status list_param(const hy_sink *sink, const hy__def_param *p, bool first,
                            hy_error *err) {
  char value[HY_NUMBER_TEXT], least[HY_NUMBER_TEXT], most[HY_NUMBER_TEXT], range[HY__RANGE_TEXT];
  number_or_null(p->has_default, p->value, value);
  number_or_null(isfinite(p->least), p->least, least);
  number_or_null(isfinite(p->most), p->most, most);
  hy__def_range(p, range);
  return hy__sink_printf(sink, err,
                         "%s{\"name\":\"%s\",\"integer\":%s,\"default\":%s,\"min\":%s,\"max\":%s,"
                         "\"min_open\":%s,\"max_open\":%s,\"range\":\"%s\"}",
                         first ? "" : ",", p->name, p->integer ? "true" : "false", value, least,
                         most, p->open_least ? "true" : "false", p->open_most ? "true" : "false",
                         range);
}

static hy_status list_json(const hy_sink *sink, const hy__def *def, bool first, hy_error *err) {
  HY_TRY(hy__sink_printf(sink, err,
                         "%s{\"id\":\"%s\",\"version\":%u,\"kind\":\"%s\",\"class\":\"%c\","
                         "\"default\":%s,",
                         first ? "" : ",", def->id, def->version,
                         def->is_cross ? "cross" : "series", hy__class_letter(def->klass),
                         def->is_default ? "true" : "false"));
  HY_TRY(list_names(sink, "inputs", def, true, err));
  size_t n_optional = 0; /* the last so many inputs may be left out */
  for (size_t i = 0; i < def->n_inputs; i++) n_optional += def->inputs[i].optional;
  HY_TRY(hy__sink_printf(sink, err, "\"n_optional\":%zu,\"params\":[", n_optional));
  for (size_t i = 0; i < def->n_params; i++) HY_TRY(list_param(sink, &def->params[i], i == 0, err));
  HY_TRY(hy__sink_text(sink, "],", err));
  HY_TRY(list_names(sink, "outputs", def, false, err));
  HY_TRY(list_history(sink, def, err));
  HY_TRY(hy__sink_printf(sink, err, "\"golden\":\"%s\",\"doc\":", golden_of(def)));
  HY_TRY(hy__put_json_text(sink, def->doc, err));
  return hy__sink_text(sink, "}", err);
}

static hy_status list_text(const hy_sink *sink, const hy__def *def, hy_error *err) {
  char text[TEXT_BYTES];
  hy__def_signature(def, text, sizeof text);
  if (def->outputs[0][0]) {
    size_t used = strlen(text);
    for (size_t i = 0; i < def->n_outputs && used < sizeof text; i++)
      used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : " . ",
                               def->outputs[i]);
  }
  return hy__sink_printf(sink, err, "%-46s %c %s  %s\n", text, hy__class_letter(def->klass),
                         def->is_default ? "*" : " ", def->doc);
}

hy_status hy_features_list(const char *pattern, bool json, const hy_sink *sink, hy_error *err) {
  HY_FAIL_IF(!sink, HY_INVALID_ARGUMENT, err, "hy_features_list: sink must be given");
  size_t n = 0;
  if (json) HY_TRY(hy__sink_text(sink, "{\"definitions\":[", err));
  for (size_t row = 0; row < hy__def_n(); row++) {
    hy__def def;
    HY_TRY(hy__def_read(row, &def, err));
    if (pattern && !strstr(def.id, pattern)) continue;
    HY_TRY(json ? list_json(sink, &def, n == 0, err) : list_text(sink, &def, err));
    n++;
  }
  if (json) return hy__sink_printf(sink, err, "],\"n\":%zu}\n", n);
  return hy__sink_printf(
      sink, err,
      "%zu definitions; class W window, E recurrence that forgets, A cumulative, P path "
      "dependent; * what the bare family means\n",
      n);
}

/* ---- one id ---- */

/* The whole id, or its family. */
static bool is_meant(const hy__def *def, const char *id) {
  const size_t n = strlen(id);
  return !strncmp(def->id, id, n) && (def->id[n] == 0 || def->id[n] == '.') && !strchr(id, '(');
}

static const char *class_text(hy__ind_class klass) {
  static const char *const texts[] = {
      [HY__IND_W] = "a window: a value depends on its rows alone",
      [HY__IND_E] = "a recurrence that forgets where it began",
      [HY__IND_A] = "cumulative: a value depends on where the series begins",
      [HY__IND_P] = "path dependent: no bound is known, a spec gives warmup_bars"};
  return texts[klass];
}

static hy_status describe_params(const hy_sink *sink, const hy__def *def, hy_error *err) {
  for (size_t i = 0; i < def->n_params; i++) {
    const hy__def_param *p = &def->params[i];
    char value[HY_NUMBER_TEXT] = "required", range[HY__RANGE_TEXT];
    if (p->has_default) hy__format_f64(p->value, value);
    hy__def_range(p, range);
    HY_TRY(hy__sink_printf(sink, err, "  %-12s %s, %s\n", p->name, value, range));
  }
  return HY_OK;
}

static hy_status describe(const hy_sink *sink, const hy__def *def, hy_error *err) {
  const history h = history_of(def);
  HY_TRY(hy__sink_printf(
      sink, err, "%s@%u%s\n  %s\n  %s\n", def->id, def->version,
      def->is_default && strchr(def->id, '.') ? "  (what its bare family means)" : "", def->doc,
      def->is_cross ? "a cross-section of one time" : class_text(def->klass)));
  HY_TRY(hy__sink_text(sink, "  inputs      ", err));
  for (size_t i = 0; i < def->n_inputs; i++)
    HY_TRY(hy__sink_printf(sink, err, " %s%s", def->inputs[i].name,
                           def->inputs[i].optional ? " (may be left out)" : ""));
  HY_TRY(hy__sink_text(sink, "\n", err));
  HY_TRY(describe_params(sink, def, err));
  if (def->outputs[0][0]) HY_TRY(hy__sink_text(sink, "  outputs     ", err));
  for (size_t i = 0; def->outputs[0][0] && i < def->n_outputs; i++)
    HY_TRY(hy__sink_printf(sink, err, " %s", def->outputs[i]));
  if (def->outputs[0][0]) HY_TRY(hy__sink_text(sink, "\n", err));
  HY_TRY(hy__sink_printf(sink, err, "  golden       %s\n", golden_of(def)));
  if (def->is_cross) return HY_OK;
  HY_TRY(hy__sink_printf(sink, err, "  look-back    %zu rows with the defaults\n", h.lookback));
  if (!h.bounded) return hy__sink_text(sink, "  stable after never\n", err);
  return hy__sink_printf(sink, err, "  stable after %zu rows to 1e-6 of scale, %zu to 1e-9\n",
                         h.stable[0], h.stable[1]);
}

hy_status hy_features_describe_id(const char *id, bool json, const hy_sink *sink, hy_error *err) {
  HY_FAIL_IF(!sink || !id, HY_INVALID_ARGUMENT, err,
             "hy_features_describe_id: id and sink must be given");
  size_t n = 0, ignored;
  for (size_t row = 0; row < hy__def_n(); row++) {
    hy__def def;
    HY_TRY(hy__def_read(row, &def, err));
    if (!is_meant(&def, id)) continue;
    if (json && n == 0) HY_TRY(hy__sink_text(sink, "{\"definitions\":[", err));
    HY_TRY(json ? list_json(sink, &def, n == 0, err) : describe(sink, &def, err));
    n++;
  }
  if (n == 0) return hy__def_find(id, strlen(id), 0, &ignored, err);
  return json ? hy__sink_printf(sink, err, "],\"n\":%zu}\n", n) : HY_OK;
}
