/* SPDX-License-Identifier: Apache-2.0
 * Reading UBJSON: a marker byte, then big-endian data. Containers may state their number of members
 * (#) and their members' one type ($); a stated number is believed only as far as there are bytes
 * for it. No-op markers (N) are passed over. High-precision numbers (H) are refused. */
#include "codec/ubjson.h"

enum { NONE = 0 };

typedef struct reader {
  hy__span in;
  const hy__json_document *document;
  hy__json_limits limits;
  size_t n_nodes, depth;
  hy__arena *arena;
  hy_error *err;
} reader;

/* A container's head: the type of all members (NONE: each has its own) and their number. */
typedef struct head {
  uint8_t type;
  bool counted;
  size_t n;
} head;

static hy_status read_value(reader *r, uint8_t marker, hy__json *out);

static hy_status fail(reader *r, hy_status status, const char *message) {
  hy__error_set(r->err, status, "%s", message);
  hy__error_place(r->err, 0, 0, (int64_t)hy__span_offset(&r->in));
  hy__error_subject(r->err, r->document->subject);
  return status;
}

static hy_status cut(reader *r) { return fail(r, HY_BAD_FORMAT, "the file ends inside a value"); }

static bool peek(const reader *r, uint8_t marker) {
  return hy__span_left(&r->in) && *r->in.pos == marker;
}

/* The next marker that is not a no-op. */
static uint8_t next_marker(reader *r) {
  uint8_t m = 'N';
  while (m == 'N' && !r->in.failed) m = hy__span_u8(&r->in);
  return m;
}

/* Bytes of a number of this type, 0: it is none. */
static size_t width_of(uint8_t type) {
  switch (type) {
  case 'i':
  case 'U': return 1;
  case 'I': return 2;
  case 'l':
  case 'd': return 4;
  case 'L':
  case 'D': return 8;
  default: return 0;
  }
}

static uint64_t big_endian(const uint8_t *p, size_t n) {
  uint64_t v = 0;
  for (size_t k = 0; k < n; k++) v = v << 8 | p[k];
  return v;
}

static bool is_float(uint8_t type) { return type == 'd' || type == 'D'; }

static int64_t integer_of(uint8_t type, const uint8_t *p) {
  const uint64_t v = big_endian(p, width_of(type));
  switch (type) {
  case 'i': return (int8_t)v;
  case 'I': return (int16_t)v;
  case 'l': return (int32_t)v;
  default: return (int64_t)v;
  }
}

static double number_of(uint8_t type, const uint8_t *p) {
  const uint64_t v = big_endian(p, width_of(type));
  const uint32_t low = (uint32_t)v;
  float f;
  double d;
  if (!is_float(type)) return (double)integer_of(type, p);
  memcpy(&f, &low, sizeof f);
  memcpy(&d, &v, sizeof d);
  return type == 'd' ? (double)f : d;
}

static hy_status read_number(reader *r, uint8_t type, hy__json *out) {
  const uint8_t *p = hy__span_take(&r->in, width_of(type));
  if (!p) return cut(r);
  out->kind = HY__JSON_NUMBER;
  out->number = number_of(type, p);
  out->is_integer = !is_float(type);
  out->integer = out->is_integer ? integer_of(type, p) : 0;
  if (!r->limits.allow_nonfinite && out->number - out->number != 0)
    return fail(r, HY_BAD_FORMAT, "a number that is not finite");
  return HY_OK;
}

/* A length: an integer with its marker, not below zero and at most `most`. */
static hy_status read_length(reader *r, size_t most, size_t *out) {
  hy__json n;
  const uint8_t type = next_marker(r);
  if (r->in.failed) return cut(r);
  if (!width_of(type) || is_float(type))
    return fail(r, HY_BAD_FORMAT, "an integer type is expected as a length");
  HY_TRY(read_number(r, type, &n));
  if (n.integer < 0 || (uint64_t)n.integer > most)
    return fail(r, HY_BAD_FORMAT, "a length beyond the end of the file");
  *out = (size_t)n.integer;
  return HY_OK;
}

static hy_status read_text(reader *r, const char **out) {
  size_t n;
  HY_TRY(read_length(r, hy__span_left(&r->in), &n));
  const uint8_t *p = hy__span_take(&r->in, n);
  if (!p) return cut(r);
  if (n && memchr(p, 0, n)) return fail(r, HY_BAD_FORMAT, "a zero byte in text");
  return hy__arena_text(r->arena, (const char *)p, n, out, r->err);
}

static hy_status read_head(reader *r, head *out) {
  *out = (head){.type = NONE};
  if (peek(r, '$')) {
    (void)hy__span_u8(&r->in);
    out->type = hy__span_u8(&r->in);
    if (!peek(r, '#')) return fail(r, HY_BAD_FORMAT, "a typed container without its number");
  }
  if (!peek(r, '#')) return HY_OK;
  (void)hy__span_u8(&r->in);
  out->counted = true;
  HY_TRY(read_length(r, SIZE_MAX >> 8, &out->n));
  /* every member has a byte at least, but for types that are a value in themselves */
  const size_t each = out->type ? width_of(out->type) : 1;
  if (out->n > hy__span_left(&r->in) / HY_MAX(each, (size_t)1))
    return fail(r, HY_BAD_FORMAT, "more members than the file has bytes for");
  return HY_OK;
}

static hy_status node_new(reader *r, hy__json **last, hy__json *parent, hy__json **out) {
  void *memory;
  if (++r->n_nodes > r->limits.max_nodes) return fail(r, HY_LIMIT, "too many values");
  HY_TRY(hy__arena_alloc(r->arena, sizeof(hy__json), _Alignof(hy__json), &memory, r->err));
  *out = memory;
  if (*last)
    (*last)->next = *out;
  else
    parent->first = *out;
  *last = *out;
  parent->n_children++;
  return HY_OK;
}

/* An array of one number type. */
static hy_status read_numbers(reader *r, const head *h, hy__json *out) {
  double *numbers;
  const size_t each = width_of(h->type);
  const uint8_t *p = hy__span_take(&r->in, h->n * each);
  if (!p) return cut(r);
  HY_TRY(hy__arena_array(r->arena, HY_MAX(h->n, (size_t)1), sizeof *numbers, (void **)&numbers,
                         r->err));
  for (size_t k = 0; k < h->n; k++) {
    numbers[k] = number_of(h->type, p + k * each);
    if (!r->limits.allow_nonfinite && numbers[k] - numbers[k] != 0)
      return fail(r, HY_BAD_FORMAT, "a number that is not finite");
  }
  out->numbers = numbers;
  out->n_children = h->n;
  return HY_OK;
}

/* An array of numbers that have each a marker becomes plain doubles too, as JSON's does. */
static hy_status plain_numbers(reader *r, hy__json *out) {
  double *numbers;
  size_t k = 0;
  for (const hy__json *c = out->first; c; c = c->next)
    if (c->kind != HY__JSON_NUMBER) return HY_OK;
  HY_TRY(hy__arena_array(r->arena, HY_MAX(out->n_children, (size_t)1), sizeof *numbers,
                         (void **)&numbers, r->err));
  for (const hy__json *c = out->first; c; c = c->next) numbers[k++] = c->number;
  out->numbers = numbers;
  out->first = NULL;
  return HY_OK;
}

static hy_status read_array(reader *r, hy__json *out) {
  head h;
  hy__json *last = NULL, *item;
  out->kind = HY__JSON_ARRAY;
  HY_TRY(read_head(r, &h));
  if (h.type && width_of(h.type)) return read_numbers(r, &h, out);
  for (size_t k = 0; !h.counted || k < h.n; k++) {
    const uint8_t marker = h.type ? h.type : next_marker(r);
    if (r->in.failed) return cut(r);
    if (!h.counted && marker == ']') break;
    HY_TRY(node_new(r, &last, out, &item));
    HY_TRY(read_value(r, marker, item));
  }
  return plain_numbers(r, out);
}

static hy_status read_member(reader *r, hy__json *out, hy__json **last, uint8_t type) {
  const char *key;
  hy__json *item;
  HY_TRY(read_text(r, &key));
  if (hy__json_get(out, key)) return fail(r, HY_BAD_FORMAT, "an object with a key twice");
  if (out->n_children >= r->limits.max_members)
    return fail(r, HY_LIMIT, "an object with too many members");
  const uint8_t marker = type ? type : next_marker(r);
  if (r->in.failed) return cut(r);
  HY_TRY(node_new(r, last, out, &item));
  item->key = key;
  return read_value(r, marker, item);
}

static hy_status read_object(reader *r, hy__json *out) {
  head h;
  hy__json *last = NULL;
  out->kind = HY__JSON_OBJECT;
  HY_TRY(read_head(r, &h));
  for (size_t k = 0; !h.counted || k < h.n; k++) {
    while (peek(r, 'N')) (void)hy__span_u8(&r->in);
    if (!h.counted && peek(r, '}')) {
      (void)hy__span_u8(&r->in);
      break;
    }
    if (!hy__span_left(&r->in)) return cut(r);
    HY_TRY(read_member(r, out, &last, h.type));
  }
  return HY_OK;
}

static hy_status read_value(reader *r, uint8_t marker, hy__json *out) {
  out->offset_bytes = hy__span_offset(&r->in);
  if (width_of(marker)) return read_number(r, marker, out);
  switch (marker) {
  case 'Z': return HY_OK; /* the kind of a zeroed node */
  case 'T':
  case 'F':
    out->kind = HY__JSON_BOOL;
    out->boolean = marker == 'T';
    return HY_OK;
  case 'S': out->kind = HY__JSON_TEXT; return read_text(r, &out->text);
  case '[':
  case '{': break;
  default: return fail(r, HY_BAD_FORMAT, "an unknown type of value");
  }
  if (++r->depth > r->limits.max_depth) return fail(r, HY_LIMIT, "values nested too deeply");
  HY_TRY(marker == '[' ? read_array(r, out) : read_object(r, out));
  r->depth--;
  return HY_OK;
}

hy_status hy__ubjson_parse(hy__json_document *document, const hy__json_limits *limits,
                           hy__arena *arena, hy_error *err) {
  reader r = {.in = hy__span_make(document->text, document->bytes),
              .document = document,
              .limits = hy__json_defaults(limits),
              .arena = arena,
              .err = err};
  void *memory;
  document->root = NULL;
  document->is_binary = true;
  if (document->bytes > r.limits.max_bytes) return fail(&r, HY_LIMIT, "the file is too large");
  HY_TRY(hy__arena_alloc(arena, sizeof(hy__json), _Alignof(hy__json), &memory, err));
  const uint8_t marker = next_marker(&r);
  if (r.in.failed) return cut(&r);
  HY_TRY(read_value(&r, marker, memory));
  while (peek(&r, 'N')) (void)hy__span_u8(&r.in);
  if (hy__span_left(&r.in)) return fail(&r, HY_BAD_FORMAT, "bytes after the end of the document");
  document->root = memory;
  return HY_OK;
}
