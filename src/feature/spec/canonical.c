/* SPDX-License-Identifier: Apache-2.0
 * The canonical form of a spec: what determines its values and nothing else, as JSON without
 * blanks, keys sorted, numbers as hexadecimal floats. Its SHA-256 is the spec's identity in models,
 * data sets and snapshots. */
#include <stdlib.h>

#include "feature/program.h"

enum { CANONICAL_BYTES_MAX = 32 << 20, HEX_FLOAT_BYTES = 40 };

/* C99's %a with the shortest mantissa; printf's own takes its point from the locale. */
static void hex_float(double value, char text[HEX_FLOAT_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
  int exponent = (int)((bits >> 52) & 0x7ff);
  char *at = text;
  if (bits >> 63) *at++ = '-';
  *at++ = '0', *at++ = 'x', *at++ = exponent ? '1' : '0';
  if (mantissa) *at++ = '.';
  for (; mantissa; mantissa = (mantissa << 4) & ((UINT64_C(1) << 52) - 1))
    *at++ = digits[mantissa >> 48];
  *at++ = 'p';
  int power = exponent ? exponent - 1023 : (bits << 1) ? -1022 : 0;
  *at++ = power < 0 ? '-' : '+';
  char power_text[HY_NUMBER_TEXT];
  size_t n = hy__format_i64(power < 0 ? -power : power, power_text);
  memcpy(at, power_text, n);
  at[n] = 0;
}

/* The table's and the grammar's names are identifiers: nothing in them needs an escape. Zones and
 * calendars come from the spec's text. */
static hy_status put_text(hy__buffer *b, const char *text, hy_error *err) {
  HY_TRY(hy__buffer_append(b, "\"", 1, err));
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\' || *c < 0x20)
      HY_TRY(hy__buffer_printf(b, err, "\\u%04x", *c));
    else
      HY_TRY(hy__buffer_append(b, c, 1, err));
  }
  return hy__buffer_append(b, "\"", 1, err);
}

static hy_status put_gap(hy__buffer *b, const hy__gap *gap, hy_error *err) {
  if (gap->fill == HY__GAP_FLAT)
    return hy__buffer_printf(b, err, "\"gap\":\"flat,max=%u\"", gap->max);
  if (gap->fill == HY__GAP_MARK) return hy__buffer_printf(b, err, "\"gap\":\"mark\"");
  if (!gap->reset_after_ns) return hy__buffer_printf(b, err, "\"gap\":\"none\"");
  return hy__buffer_printf(b, err, "\"gap\":\"none,reset_after_ns=%lld\"",
                           (long long)gap->reset_after_ns);
}

static hy_status put_params(hy__buffer *b, const hy__node *n, hy_error *err) {
  size_t order[HY__IND_PARAMS];
  for (size_t i = 0; i < n->def->n_params; i++) {
    size_t at = i;
    for (; at > 0 && strcmp(n->def->params[order[at - 1]].name, n->def->params[i].name) > 0; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  HY_TRY(hy__buffer_printf(b, err, ",\"params\":{"));
  for (size_t i = 0; i < n->def->n_params; i++) {
    char value[HEX_FLOAT_BYTES];
    hex_float(n->p[order[i]], value);
    HY_TRY(hy__buffer_printf(b, err, "%s\"%s\":\"%s\"", i ? "," : "", n->def->params[order[i]].name,
                             value));
  }
  return hy__buffer_printf(b, err, "},\"version\":%u}", n->def->version);
}

static const char *const anchors[] = {[HY__ANCHOR_DEFAULT] = "default",
                                      [HY__ANCHOR_SESSION] = "session",
                                      [HY__ANCHOR_CLOCK] = "clock",
                                      [HY__ANCHOR_UTC] = "utc"};

/* Nothing for the universe's own, so that a spec without timeframes has the form that it had before
 * there were any. */
static hy_status put_timeframe(hy__buffer *b, const char *key, const hy_features *f, uint32_t tf,
                               hy_error *err) {
  const hy__timeframe *t = &f->timeframes[tf];
  if (!tf) return HY_OK;
  return hy__buffer_printf(b, err, ",\"%s\":\"ns=%lld,anchor=%s\"", key, (long long)t->ns,
                           anchors[t->anchor]);
}

static hy_status put_source(hy__buffer *b, const hy_features *f, const hy__node *n, hy_error *err) {
  HY_TRY(put_gap(b, hy__node_gap(f, n), err));
  if (n->kind == HY__NODE_AGE) HY_TRY(put_timeframe(b, "slower", f, n->slower, err));
  HY_TRY(put_timeframe(b, "tf", f, hy__node_timeframe(f, n), err));
  return hy__buffer_printf(b, err, "}");
}

/* Numbers of groups: which symbols are together. Those of a fit are not the spec's: the fit has a
 * hash of its own. */
static hy_status put_symbols(hy__buffer *b, const hy_features *f, const hy__node *n,
                             hy_error *err) {
  const hy__symbols *of = n->by_symbol;
  HY_TRY(hy__buffer_printf(b, err, "{"));
  if (of->of_step) {
    HY_TRY(hy__buffer_printf(b, err, "\"fit\":\"%s.%s\",", of->of_step, of->part));
    HY_TRY(put_gap(b, hy__node_gap(f, n), err));
    HY_TRY(hy__buffer_printf(b, err, ",\"of\":"));
    HY_TRY(put_text(b, of->name, err));
    return hy__buffer_printf(b, err, ",\"per\":\"%s\"}", of->per_symbol ? "symbol" : "pooled");
  }
  HY_TRY(put_gap(b, hy__node_gap(f, n), err));
  HY_TRY(hy__buffer_printf(b, err, ",\"symbols\":{"));
  for (size_t i = 0; i < of->n; i++) {
    char value[HEX_FLOAT_BYTES];
    hex_float(of->values[i], value);
    if (i) HY_TRY(hy__buffer_printf(b, err, ","));
    HY_TRY(put_text(b, of->symbols[i], err));
    HY_TRY(hy__buffer_printf(b, err, ":\"%s\"", value));
  }
  return hy__buffer_printf(b, err, "}}");
}

static hy_status put_node(hy__buffer *b, const hy_features *f, const hy__node *n, hy_error *err) {
  char value[HEX_FLOAT_BYTES];
  switch (n->kind) {
  case HY__NODE_FIELD: HY_TRY(hy__buffer_printf(b, err, "{\"field\":\"%s\",", n->name)); break;
  case HY__NODE_CLOCK: HY_TRY(hy__buffer_printf(b, err, "{\"clock\":\"%s\",", n->name)); break;
  case HY__NODE_AGE: HY_TRY(hy__buffer_printf(b, err, "{\"age\":\"bars\",")); break;
  case HY__NODE_ASOF:
    HY_TRY(hy__buffer_printf(b, err, "{\"asof\":[%u,%u],", n->in[0].node, n->in[0].output));
    break;
  case HY__NODE_NUMBER:
    if (n->by_symbol) return put_symbols(b, f, n, err);
    hex_float(n->number, value);
    HY_TRY(hy__buffer_printf(b, err, "{"));
    HY_TRY(put_gap(b, hy__node_gap(f, n), err));
    return hy__buffer_printf(b, err, ",\"number\":\"%s\"}", value);
  default:
    HY_TRY(hy__buffer_printf(b, err, "{\"id\":\"%s\",\"in\":[", n->def->id));
    for (size_t i = 0; i < n->n_in; i++)
      HY_TRY(hy__buffer_printf(b, err, "%s[%u,%u]", i ? "," : "", n->in[i].node, n->in[i].output));
    HY_TRY(hy__buffer_printf(b, err, "]"));
    return put_params(b, n, err);
  }
  return put_source(b, f, n, err);
}

static const char *standard_or(const char *name) {
  const char *standard = hy__field_standard(name);
  return standard ? standard : name;
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hy_status put_fields(hy__buffer *b, const hy_features *f, hy_error *err) {
  void *memory = NULL;
  size_t n = f->inputs.n_fields;
  HY_TRY(hy__arena_array(f->arena, n, sizeof(char *), &memory, err));
  const char **names = memory;
  for (size_t i = 0; i < n; i++) names[i] = standard_or(f->inputs.fields[i].text);
  if (n) qsort(names, n, sizeof *names, by_text);
  HY_TRY(hy__buffer_printf(b, err, ",\"fields\":["));
  const char *comma = "";
  for (size_t i = 0; i < n; i++) {
    if (i && !strcmp(names[i], names[i - 1])) continue;
    HY_TRY(hy__buffer_printf(b, err, "%s", comma));
    HY_TRY(put_text(b, names[i], err));
    comma = ",";
  }
  return hy__buffer_printf(b, err, "]");
}

static hy_status put_inputs(hy__buffer *b, const hy_features *f, hy_error *err) {
  const hy__spec_inputs *in = &f->inputs;
  HY_TRY(hy__buffer_printf(b, err,
                           "\"inputs\":{\"base_ns\":%lld,\"calendar\":", (long long)in->base_ns));
  HY_TRY(put_text(b, in->calendar.text ? in->calendar.text : "", err));
  HY_TRY(put_fields(b, f, err));
  HY_TRY(hy__buffer_printf(b, err, ",\"price\":\"raw\",\"stamp\":\"close\",\"zone\":"));
  HY_TRY(put_text(b, in->zone.text ? in->zone.text : "", err));
  return hy__buffer_printf(b, err, "}");
}

static hy_status put_features(hy__buffer *b, const hy_features *f, hy_error *err) {
  HY_TRY(hy__buffer_printf(b, err, "{\"features\":["));
  for (size_t i = 0; i < f->n_features; i++) {
    HY_TRY(hy__buffer_printf(b, err, "%s{\"name\":", i ? "," : ""));
    HY_TRY(put_text(b, f->names[i], err));
    HY_TRY(hy__buffer_printf(b, err, ",\"value\":[%u,%u]}", f->refs[i].node, f->refs[i].output));
  }
  return hy__buffer_printf(b, err, "],\"hayate_spec\":1,");
}

static hy_status put_all(hy__buffer *b, const hy_features *f, hy_error *err) {
  HY_TRY(put_features(b, f, err));
  HY_TRY(put_inputs(b, f, err));
  HY_TRY(hy__buffer_printf(b, err, ",\"masks\":[\"valid\"],\"nodes\":["));
  for (size_t i = 0; i < f->n_nodes; i++) {
    if (i) HY_TRY(hy__buffer_printf(b, err, ","));
    HY_TRY(put_node(b, f, &f->nodes[i], err));
  }
  return hy__buffer_printf(b, err, "],\"warmup\":\"%s\"}", f->warmup_qlib ? "qlib" : "strict");
}

hy_status hy__canonical_make(hy_features *f, hy_error *err) {
  hy__buffer b;
  hy__buffer_init(&b, f->allocator, CANONICAL_BYTES_MAX);
  hy_status status = put_all(&b, f, err);
  if (status == HY_OK) {
    hy__sha256_hex(b.data, b.len_bytes, f->spec_sha256);
    status = hy__arena_text(f->arena, b.data, b.len_bytes, &f->canonical, err);
  }
  hy__buffer_destroy(&b);
  return status;
}
