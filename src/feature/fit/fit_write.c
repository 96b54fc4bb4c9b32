/* SPDX-License-Identifier: Apache-2.0
 * A fit as text: JSON for the file, and the same without line ends for the hash. */
#include "feature/fit/fit_file.h"

typedef struct writer {
  hy__buffer *b;
  bool lines; /* for people */
  hy_error *err;
} writer;

static hy_status put_text(const writer *w, const char *text) {
  HY_TRY(hy__buffer_append(w->b, "\"", 1, w->err));
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      HY_TRY(hy__buffer_printf(w->b, w->err, "\\%c", *c));
    else if (*c < 0x20)
      HY_TRY(hy__buffer_printf(w->b, w->err, "\\u%04x", *c));
    else
      HY_TRY(hy__buffer_append(w->b, c, 1, w->err));
  }
  return hy__buffer_append(w->b, "\"", 1, w->err);
}

/* The start of a member: a comma behind the one before, a line of its own. */
static hy_status put_key(const writer *w, const char *key, bool first, int depth) {
  if (!first) HY_TRY(hy__buffer_append(w->b, ",", 1, w->err));
  if (w->lines) HY_TRY(hy__buffer_printf(w->b, w->err, "\n%*s", 2 * depth, ""));
  HY_TRY(put_text(w, key));
  return hy__buffer_append(w->b, w->lines ? ": " : ":", w->lines ? 2 : 1, w->err);
}

static hy_status put_member(const writer *w, const char *key, const char *text) {
  HY_TRY(put_key(w, key, false, 1));
  return put_text(w, text);
}

static hy_status put_constants(const writer *w, const hy__fit_constants *c) {
  char center[HY_NUMBER_TEXT], scale[HY_NUMBER_TEXT];
  hy__format_f64(c->center, center);
  hy__format_f64(c->scale, scale);
  return hy__buffer_printf(w->b, w->err, "\"%llu %s %s\"", (unsigned long long)c->n, center, scale);
}

static hy_status put_entry(const writer *w, const hy__fit_entry *e) {
  HY_TRY(hy__buffer_printf(w->b, w->err, "{\"step\":%s\"%s\",%s\"per\":%s\"%s\",%s\"%s\":%s",
                           w->lines ? " " : "", e->step, w->lines ? " " : "", w->lines ? " " : "",
                           e->per_symbol ? "symbol" : "pooled", w->lines ? " " : "",
                           e->per_symbol ? "symbols" : "constants", w->lines ? " " : ""));
  if (!e->per_symbol) {
    HY_TRY(put_constants(w, e->constants));
    return hy__buffer_append(w->b, "}", 1, w->err);
  }
  HY_TRY(hy__buffer_append(w->b, "{", 1, w->err));
  for (size_t i = 0; i < e->n; i++) {
    HY_TRY(put_key(w, e->symbols[i], i == 0, 3));
    HY_TRY(put_constants(w, &e->constants[i]));
  }
  return hy__buffer_append(w->b, "}}", 2, w->err);
}

static hy_status put_fit(const writer *w, const hy__fit *fit, const char *hex) {
  HY_TRY(hy__buffer_append(w->b, "{", 1, w->err));
  HY_TRY(put_key(w, "hayate_fit", true, 1));
  HY_TRY(hy__buffer_append(w->b, "1", 1, w->err));
  if (hex) HY_TRY(put_member(w, "sha256", hex));
  HY_TRY(put_member(w, "spec_sha256", fit->spec_sha256));
  HY_TRY(put_member(w, "spec", fit->spec));
  HY_TRY(put_member(w, "from", fit->from));
  HY_TRY(put_member(w, "to", fit->to));
  HY_TRY(put_key(w, "bars", false, 1));
  HY_TRY(hy__buffer_printf(w->b, w->err, "%llu", (unsigned long long)fit->n_bars));
  HY_TRY(put_key(w, "symbols", false, 1));
  HY_TRY(hy__buffer_printf(w->b, w->err, "%llu", (unsigned long long)fit->n_symbols));
  HY_TRY(put_key(w, "features", false, 1));
  HY_TRY(hy__buffer_append(w->b, "{", 1, w->err));
  for (size_t i = 0; i < fit->n_entries; i++) {
    HY_TRY(put_key(w, fit->entries[i].feature, i == 0, 2));
    HY_TRY(put_entry(w, &fit->entries[i]));
  }
  return hy__buffer_append(w->b, w->lines ? "}}\n" : "}}", w->lines ? 3 : 2, w->err);
}

hy_status hy__fit_hash(const hy_allocator *a, const hy__fit *fit, char hex[65], hy_error *err) {
  hy__buffer b;
  const writer w = {.b = &b, .err = err};
  hy__buffer_init(&b, a, 2 * HY__FIT_BYTES_MAX);
  const hy_status status = put_fit(&w, fit, NULL);
  if (status == HY_OK) hy__sha256_hex(b.data, b.len_bytes, hex);
  hy__buffer_destroy(&b);
  return status;
}

hy_status hy__fit_write(const hy_allocator *a, const hy__fit *fit, const char *path, char hex[65],
                        hy_error *err) {
  hy__buffer b;
  const writer w = {.b = &b, .lines = true, .err = err};
  HY_TRY(hy__fit_hash(a, fit, hex, err));
  hy__buffer_init(&b, a, HY__FIT_BYTES_MAX);
  hy_status status = put_fit(&w, fit, hex);
  if (status == HY_OK) status = hy__file_write_all(path, b.data, b.len_bytes, err);
  hy__buffer_destroy(&b);
  return status;
}
