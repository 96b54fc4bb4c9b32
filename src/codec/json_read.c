/* SPDX-License-Identifier: Apache-2.0
 * Reading JSON into an arena, strictly and within limits. Arrays of numbers, the bulk of model
 * dumps and of inference requests, become plain doubles: a look ahead finds them, so a number
 * costs 8 bytes and no node. */
#include <stdarg.h>
#include <stdio.h>

#include "codec/json.h"

enum { MAX_DEPTH = 512, DEFAULT_DEPTH = 64, DEFAULT_MEMBERS = 1024 };

typedef struct reader {
  const char *pos, *end;
  const hy__json_document *document;
  hy__json_limits limits;
  size_t n_nodes, depth;
  hy__arena *arena;
  hy_error *err;
} reader;

typedef struct parts {
  hy__json *first, *last;
  size_t n;
} parts;

static hy_status read_value(reader *r, hy__json *out);

/* Line and column, both from 1, of an offset; columns count bytes. */
static void place(const hy__json_document *d, size_t offset, hy_error *err) {
  int64_t line = 1, column = 1;
  if (d->is_binary) line = column = 0;
  for (size_t i = 0; i < offset && i < d->bytes && !d->is_binary; i++) {
    column++;
    if (d->text[i] == '\n') {
      line++;
      column = 1;
    }
  }
  hy__error_place(err, line, column, (int64_t)offset);
  hy__error_subject(err, d->subject);
}

hy_status hy__json_fail(const hy__json_document *d, const hy__json *node, hy_status status,
                        hy_error *err, const char *format, ...) {
  if (!err) return status;
  char text[sizeof err->message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  hy__error_set(err, status, "%s", text);
  place(d, node->offset_bytes, err);
  return status;
}

static hy_status fail_at(reader *r, const char *at, hy_status status, const char *message) {
  hy__error_set(r->err, status, "%s", message);
  if (r->err) place(r->document, (size_t)(at - r->document->text), r->err);
  return status;
}

static hy_status fail(reader *r, const char *message) {
  return fail_at(r, r->pos, HY_BAD_FORMAT,
                 r->pos == r->end ? "the text ends in the middle of a value" : message);
}

static void skip_blanks(reader *r) {
  while (r->pos < r->end &&
         (*r->pos == ' ' || *r->pos == '\n' || *r->pos == '\r' || *r->pos == '\t'))
    r->pos++;
}

static bool at(const reader *r, char c) { return r->pos < r->end && *r->pos == c; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && is_digit(*p)) p++;
  return p;
}

/* The end of the number at p by JSON's grammar; NULL when there is none. */
static const char *number_end(const char *p, const char *end, bool *is_integer) {
  *is_integer = true;
  if (p < end && *p == '-') p++;
  if (p == end || !is_digit(*p)) return NULL;
  p = *p == '0' ? p + 1 : skip_digits(p, end);
  if (p < end && *p == '.') {
    *is_integer = false;
    if (++p == end || !is_digit(*p)) return NULL;
    p = skip_digits(p, end);
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    *is_integer = false;
    p++;
    if (p < end && (*p == '+' || *p == '-')) p++;
    if (p == end || !is_digit(*p)) return NULL;
    p = skip_digits(p, end);
  }
  return p;
}

static bool take_word(reader *r, const char *word) {
  size_t n = strlen(word);
  if ((size_t)(r->end - r->pos) < n || memcmp(r->pos, word, n) != 0) return false;
  r->pos += n;
  return true;
}

static bool take_nonfinite(reader *r, double *out) {
  const char *begin = r->pos;
  if (!r->limits.allow_nonfinite) return false;
  if (!take_word(r, "NaN") && !take_word(r, "Infinity") && !take_word(r, "-Infinity")) return false;
  (void)hy__parse_f64(begin, r->pos, out);
  return true;
}

static hy_status read_number(reader *r, hy__json *out) {
  bool is_integer;
  out->kind = HY__JSON_NUMBER;
  if (take_nonfinite(r, &out->number)) return HY_OK;
  const char *end = number_end(r->pos, r->end, &is_integer);
  if (!end) return fail(r, "a value is expected");
  (void)hy__parse_f64(r->pos, end, &out->number);
  if (out->number - out->number != 0) return fail(r, "a number beyond the range of a double");
  out->is_integer = is_integer && hy__parse_i64(r->pos, end, &out->integer) == end;
  r->pos = end;
  return HY_OK;
}

static int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex4(reader *r, uint32_t *out) {
  uint32_t value = 0;
  if (r->end - r->pos < 4) return false;
  for (int i = 0; i < 4; i++) {
    int digit = hex_value(r->pos[i]);
    if (digit < 0) return false;
    value = value * 16 + (uint32_t)digit;
  }
  r->pos += 4;
  *out = value;
  return true;
}

static char *put_utf8(char *to, uint32_t c) {
  if (c < 0x80) {
    *to++ = (char)c;
  } else if (c < 0x800) {
    *to++ = (char)(0xC0 | c >> 6);
    *to++ = (char)(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *to++ = (char)(0xE0 | c >> 12);
    *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    *to++ = (char)(0x80 | (c & 0x3F));
  } else {
    *to++ = (char)(0xF0 | c >> 18);
    *to++ = (char)(0x80 | (c >> 12 & 0x3F));
    *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    *to++ = (char)(0x80 | (c & 0x3F));
  }
  return to;
}

/* After "\u": one unit, or a pair of surrogates. */
static hy_status read_unicode(reader *r, char **to) {
  uint32_t c, second;
  const char *begin = r->pos;
  if (!take_hex4(r, &c)) return fail(r, "four hexadecimal digits are expected after \\u");
  if (c == 0) return fail_at(r, begin, HY_BAD_FORMAT, "a zero byte in text");
  if (c >= 0xDC00 && c <= 0xDFFF)
    return fail_at(r, begin, HY_BAD_FORMAT, "the second half of a surrogate pair alone");
  if (c >= 0xD800 && c <= 0xDBFF) {
    if (!take_word(r, "\\u") || !take_hex4(r, &second) || second < 0xDC00 || second > 0xDFFF)
      return fail_at(r, begin, HY_BAD_FORMAT, "the first half of a surrogate pair alone");
    c = 0x10000 + ((c - 0xD800) << 10) + (second - 0xDC00);
  }
  *to = put_utf8(*to, c);
  return HY_OK;
}

static hy_status read_escape(reader *r, char **to) {
  static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
  r->pos++;
  if (r->pos == r->end) return fail(r, "");
  char c = *r->pos++;
  if (c == 'u') return read_unicode(r, to);
  const char *found = c ? strchr(from, c) : NULL;
  if (!found) return fail_at(r, r->pos - 1, HY_BAD_FORMAT, "an unknown escape in text");
  *(*to)++ = into[found - from];
  return HY_OK;
}

static hy_status read_text(reader *r, const char **out) {
  const char *begin = ++r->pos, *close = begin;
  /* The decoded text is never longer than the written one. */
  for (; close < r->end && *close != '"'; close++)
    if (*close == '\\') close++;
  if (close >= r->end)
    return fail_at(r, begin - 1, HY_BAD_FORMAT, "a text without its closing quote");
  void *ptr;
  HY_TRY(hy__arena_alloc(r->arena, (size_t)(close - begin) + 1, 1, &ptr, r->err));
  char *to = ptr;
  while (r->pos < close) {
    unsigned char c = (unsigned char)*r->pos;
    size_t n = hy__json_utf8(r->pos, (size_t)(close - r->pos));
    if (c < 0x20) return fail(r, "a control character in text");
    if (n == 0) return fail(r, "bytes in text that are not UTF-8");
    if (c == '\\') {
      HY_TRY(read_escape(r, &to));
      continue;
    }
    memcpy(to, r->pos, n);
    to += n;
    r->pos += n;
  }
  *to = 0;
  r->pos = close + 1;
  *out = ptr;
  return HY_OK;
}

static hy_status node_add(reader *r, parts *list, hy__json **out) {
  void *ptr;
  if (++r->n_nodes > r->limits.max_nodes) return fail_at(r, r->pos, HY_LIMIT, "too many values");
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy__json), _Alignof(hy__json), &ptr, r->err));
  hy__json *node = ptr;
  if (list->last)
    list->last->next = node;
  else
    list->first = node;
  list->last = node;
  list->n++;
  *out = node;
  return HY_OK;
}

/* How many numbers the array at pos holds if its bytes can be nothing else; 0: read it value by
 * value. */
static size_t count_numbers(const reader *r) {
  size_t n = 1;
  for (const char *p = r->pos; p < r->end; p++) {
    char c = *p;
    if (c == ']') return n;
    if (c == ',') n++;
    bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!blank && !is_digit(c) && c != ',' && c != '-' && c != '+' && c != '.' && c != 'e' &&
        c != 'E')
      return 0;
  }
  return 0;
}

static hy_status read_numbers(reader *r, size_t n, hy__json *out) {
  void *ptr;
  HY_TRY(hy__arena_array(r->arena, n, sizeof(double), &ptr, r->err));
  double *numbers = ptr;
  for (size_t i = 0; i < n; i++) {
    hy__json item;
    skip_blanks(r);
    HY_TRY(read_number(r, &item));
    numbers[i] = item.number;
    skip_blanks(r);
    if (!at(r, i + 1 < n ? ',' : ']')) return fail(r, "a comma or ] is expected");
    r->pos++;
  }
  out->numbers = numbers;
  out->n_children = n;
  return HY_OK;
}

static hy_status read_array(reader *r, hy__json *out) {
  out->kind = HY__JSON_ARRAY;
  r->pos++;
  skip_blanks(r);
  if (at(r, ']')) {
    r->pos++;
    return HY_OK;
  }
  size_t n_numbers = count_numbers(r);
  if (n_numbers) return read_numbers(r, n_numbers, out);
  parts items = {0};
  for (bool more = true; more;) {
    hy__json *item = NULL;
    HY_TRY(node_add(r, &items, &item));
    HY_TRY(read_value(r, item));
    skip_blanks(r);
    more = at(r, ',');
    if (!more && !at(r, ']')) return fail(r, "a comma or ] is expected");
    r->pos++;
  }
  out->first = items.first;
  out->n_children = items.n;
  return HY_OK;
}

static hy_status read_member(reader *r, parts *members) {
  const char *key, *begin;
  hy__json *member = NULL;
  skip_blanks(r);
  begin = r->pos;
  if (!at(r, '"')) return fail(r, "a key in quotes is expected");
  HY_TRY(read_text(r, &key));
  for (const hy__json *other = members->first; other; other = other->next)
    if (strcmp(other->key, key) == 0)
      return fail_at(r, begin, HY_BAD_FORMAT, "a key that the object has already");
  if (members->n == r->limits.max_members)
    return fail_at(r, begin, HY_LIMIT, "too many members in one object");
  skip_blanks(r);
  if (!at(r, ':')) return fail(r, "a colon is expected");
  r->pos++;
  HY_TRY(node_add(r, members, &member));
  member->key = key;
  return read_value(r, member);
}

static hy_status read_object(reader *r, hy__json *out) {
  out->kind = HY__JSON_OBJECT;
  parts members = {0};
  r->pos++;
  skip_blanks(r);
  if (at(r, '}')) {
    r->pos++;
    return HY_OK;
  }
  for (bool more = true; more;) {
    HY_TRY(read_member(r, &members));
    skip_blanks(r);
    more = at(r, ',');
    if (!more && !at(r, '}')) return fail(r, "a comma or } is expected");
    r->pos++;
  }
  out->first = members.first;
  out->n_children = members.n;
  return HY_OK;
}

static hy_status read_scalar(reader *r, hy__json *out) {
  if (at(r, '"')) {
    out->kind = HY__JSON_TEXT;
    return read_text(r, &out->text);
  }
  if (take_word(r, "null")) return HY_OK; /* the kind of a zeroed node */
  if (take_word(r, "true") || take_word(r, "false")) {
    out->kind = HY__JSON_BOOL;
    out->boolean = r->pos[-2] == 'u';
    return HY_OK;
  }
  return read_number(r, out);
}

static hy_status read_value(reader *r, hy__json *out) {
  skip_blanks(r);
  out->offset_bytes = (size_t)(r->pos - r->document->text);
  if (!at(r, '{') && !at(r, '[')) return read_scalar(r, out);
  if (++r->depth > r->limits.max_depth)
    return fail_at(r, r->pos, HY_LIMIT, "values nested too deeply");
  HY_TRY(at(r, '{') ? read_object(r, out) : read_array(r, out));
  r->depth--;
  return HY_OK;
}

hy__json_limits hy__json_defaults(const hy__json_limits *limits) {
  hy__json_limits l = limits ? *limits : (hy__json_limits){0};
  if (!l.max_bytes) l.max_bytes = (size_t)1 << 30;
  if (!l.max_depth) l.max_depth = DEFAULT_DEPTH;
  if (l.max_depth > MAX_DEPTH) l.max_depth = MAX_DEPTH; /* the reader recurses */
  if (!l.max_nodes) l.max_nodes = (size_t)1 << 24;
  if (!l.max_members) l.max_members = DEFAULT_MEMBERS;
  return l;
}

hy_status hy__json_parse(hy__json_document *document, const hy__json_limits *limits,
                         hy__arena *arena, hy_error *err) {
  parts root = {0};
  hy__json *node;
  if (document->bytes == 0) document->text = "";
  document->root = NULL;
  reader r = {.pos = document->text,
              .end = document->text + document->bytes,
              .document = document,
              .limits = hy__json_defaults(limits),
              .arena = arena,
              .err = err};
  if (document->bytes > r.limits.max_bytes) {
    hy__error_set(err, HY_LIMIT, "%zu bytes of JSON are over the limit of %zu", document->bytes,
                  r.limits.max_bytes);
    hy__error_subject(err, document->subject);
    return HY_LIMIT;
  }
  (void)take_word(&r, "\xEF\xBB\xBF"); /* a byte order mark, as some editors leave */
  HY_TRY(node_add(&r, &root, &node));
  HY_TRY(read_value(&r, node));
  skip_blanks(&r);
  if (r.pos != r.end) return fail(&r, "text after the end of the document");
  document->root = node;
  return HY_OK;
}

const hy__json *hy__json_get(const hy__json *object, const char *key) {
  if (object->kind != HY__JSON_OBJECT) return NULL;
  for (const hy__json *member = object->first; member; member = member->next)
    if (strcmp(member->key, key) == 0) return member;
  return NULL;
}

static const char *kind_name(hy__json_kind kind) {
  static const char *const names[] = {"null",   "true or false", "a number",
                                      "a text", "an array",      "an object"};
  return names[kind];
}

hy_status hy__json_need(const hy__json_document *d, const hy__json *object, const char *key,
                        hy__json_kind kind, const hy__json **out, hy_error *err) {
  const hy__json *member = hy__json_get(object, key);
  *out = member;
  if (object->kind != HY__JSON_OBJECT)
    return hy__json_fail(d, object, HY_BAD_FORMAT, err, "an object with '%s' is expected, not %s",
                         key, kind_name(object->kind));
  if (!member) return hy__json_fail(d, object, HY_BAD_FORMAT, err, "the object lacks '%s'", key);
  if (member->kind != kind)
    return hy__json_fail(d, member, HY_BAD_FORMAT, err, "'%s' is %s, %s is expected", key,
                         kind_name(member->kind), kind_name(kind));
  return HY_OK;
}

hy_status hy__json_integer(const hy__json_document *d, const hy__json *number, int64_t low,
                           int64_t high, int64_t *out, hy_error *err) {
  bool fits = number->kind == HY__JSON_NUMBER && number->is_integer && number->integer >= low &&
              number->integer <= high;
  if (!fits)
    return hy__json_fail(d, number, HY_BAD_FORMAT, err, "an integer from %lld to %lld is expected",
                         (long long)low, (long long)high);
  *out = number->integer;
  return HY_OK;
}
