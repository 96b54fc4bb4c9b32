/* SPDX-License-Identifier: Apache-2.0 */
/* The protobuf wire format: see protobuf.h. This file alone moves a span's position by hand, for
 * speed: a boosted model is half a million two-byte fields. */
#include "codec/protobuf.h"

enum { VARINT_MAX = 10, TAG_SHIFT = 3, AHEAD_MAX = 1 << 20 };

/* At most ten bytes, the tenth at most 1; false (nothing moved) past the end or overlong. */
static inline bool take_varint(hy__span *s, uint64_t *out) {
  const uint8_t *p = s->pos;
  size_t left = hy__span_left(s);
  if (left && p[0] < 0x80) {
    *out = p[0];
    s->pos = p + 1;
    return true;
  }
  uint64_t value = 0;
  size_t most = HY_MIN(left, (size_t)VARINT_MAX);
  for (size_t i = 0; i < most; i++) {
    value |= (uint64_t)(p[i] & 0x7f) << (7 * i);
    if (p[i] < 0x80) {
      if (i == VARINT_MAX - 1 && p[i] > 1) return false;
      *out = value;
      s->pos = p + i + 1;
      return true;
    }
  }
  return false;
}

static inline bool take_bytes(hy__span *s, hy__span *out) {
  uint64_t n;
  if (!take_varint(s, &n) || n > hy__span_left(s)) return false;
  *out = *s;
  out->end = s->pos + n;
  s->pos += n;
  return true;
}

static inline bool take_fixed(hy__span *s, size_t bytes, uint64_t *out) {
  *out = 0;
  if (hy__span_left(s) < bytes) return false;
  memcpy(out, s->pos, bytes); /* little-endian, as the machine */
  s->pos += bytes;
  return true;
}

bool hy__pb_next(hy__span *s, hy__pb_field *out) {
  if (s->failed || s->pos == s->end) return false;
  uint64_t tag;
  bool good = take_varint(s, &tag) && tag >> TAG_SHIFT && tag <= UINT32_MAX;
  if (good) {
    out->number = (uint32_t)(tag >> TAG_SHIFT);
    out->wire = (hy__pb_wire)(tag & 7);
    out->value = 0; /* who asks what a field of another kind holds finds nothing */
    out->bytes = (hy__span){.pos = s->pos, .end = s->pos, .begin = s->begin};
    switch (out->wire) {
    case HY__PB_VARINT: good = take_varint(s, &out->value); break;
    case HY__PB_FIXED64: good = take_fixed(s, 8, &out->value); break;
    case HY__PB_FIXED32: good = take_fixed(s, 4, &out->value); break;
    case HY__PB_BYTES: good = take_bytes(s, &out->bytes); break;
    default: good = false;
    }
  }
  s->failed = !good;
  return good;
}

hy_status hy__pb_malformed(const hy__span *s, const char *what, hy_error *err) {
  (void)hy__error_set(err, HY_BAD_FORMAT, "malformed protobuf in %s", what);
  hy__error_place(err, 0, 0, (int64_t)hy__span_offset(s));
  return HY_BAD_FORMAT;
}

void hy__pb_list_free(hy__pb_list *list, const hy_allocator *a, size_t each) {
  hy__free(a, list->items, list->capacity * each);
  *list = (hy__pb_list){0};
}

static hy_status reserve(hy__pb_list *list, const hy_allocator *a, size_t more, size_t each,
                         hy_error *err) {
  size_t need;
  HY_FAIL_IF(!hy__add(list->n, more, &need), HY_LIMIT, err, "a list with too many elements");
  if (need <= list->capacity) return HY_OK;
  return hy__grow(a, &list->items, &list->capacity, HY_MAX(need, (size_t)64), each, err);
}

/* The tag of field `number` in one or two bytes (numbers up to 2047), as it follows in an unpacked
 * run. */
typedef struct run_tag {
  uint8_t byte[2];
  size_t n;
} run_tag;

static run_tag tag_of(const hy__pb_field *f, hy__pb_wire wire) {
  uint32_t tag = f->number << TAG_SHIFT | (uint32_t)wire;
  run_tag t = {{(uint8_t)tag, 0}, 1};
  if (tag >= 0x80) t = (run_tag){{(uint8_t)(tag | 0x80), (uint8_t)(tag >> 7)}, 2};
  return t;
}

/* Room for as many elements of at least `least` bytes as may still come, within reason: a list that
 * turns out long is grown once then, and its scratch serves the next. Not before the first few are
 * read: a tensor's dims stand before megabytes that are none of theirs. */
static hy_status reserve_ahead(hy__pb_list *list, const hy_allocator *a, const hy__span *s,
                               size_t least, size_t each, hy_error *err) {
  size_t ahead = HY_MIN(hy__span_left(s) / least, (size_t)AHEAD_MAX);
  return reserve(list, a, ahead + 1, each, err);
}

static inline bool follows(hy__span *s, const run_tag *t) {
  if (hy__span_left(s) < t->n || s->pos[0] != t->byte[0]) return false;
  if (t->n == 2 && s->pos[1] != t->byte[1]) return false;
  s->pos += t->n;
  return true;
}

/* Each varint ends with the one byte of it that has no top bit. */
static size_t count_varints(const hy__span *s) {
  size_t n = 0, bytes = hy__span_left(s);
  for (size_t i = 0; i < bytes; i++) n += s->pos[i] < 0x80;
  return n;
}

/* The elements that follow unpacked. The common ones, of one or two bytes under a one-byte tag,
 * stay in registers; the rest goes the long way round. */
static hy_status varint_run(hy__span *s, const run_tag *tag, const hy_allocator *a,
                            hy__pb_list *list, hy_error *err) {
  for (;;) {
    const uint8_t *p = s->pos, *end = s->end, t = tag->byte[0];
    int64_t *items = list->items;
    size_t n = list->n, capacity = list->capacity;
    while (tag->n == 1 && end - p >= 3 && p[0] == t && n < capacity) {
      if (p[1] < 0x80) {
        items[n++] = p[1];
        p += 2;
      } else if (p[2] < 0x80) {
        items[n++] = (p[1] & 0x7f) | p[2] << 7;
        p += 3;
      } else {
        break;
      }
    }
    s->pos = p;
    list->n = n;
    uint64_t value;
    if (!follows(s, tag)) return HY_OK;
    if (list->n == list->capacity) HY_TRY(reserve_ahead(list, a, s, tag->n + 1, 8, err));
    if (!take_varint(s, &value)) return hy__pb_malformed(s, "a list of integers", err);
    ((int64_t *)list->items)[list->n++] = (int64_t)value;
  }
}

hy_status hy__pb_varints(hy__span *s, const hy__pb_field *f, const hy_allocator *a,
                         hy__pb_list *list, hy_error *err) {
  uint64_t value;
  if (f->wire == HY__PB_BYTES) {
    hy__span in = f->bytes;
    HY_TRY(reserve(list, a, count_varints(&in), 8, err));
    int64_t *items = list->items;
    while (in.pos != in.end) {
      if (!take_varint(&in, &value)) return hy__pb_malformed(&in, "a packed list of integers", err);
      items[list->n++] = (int64_t)value;
    }
    return HY_OK;
  }
  if (f->wire != HY__PB_VARINT) return hy__pb_malformed(s, "a list of integers", err);
  run_tag tag = tag_of(f, HY__PB_VARINT);
  HY_TRY(reserve(list, a, 1, 8, err));
  ((int64_t *)list->items)[list->n++] = (int64_t)f->value;
  return varint_run(s, &tag, a, list, err);
}

hy_status hy__pb_fixed(hy__span *s, const hy__pb_field *f, size_t each, const hy_allocator *a,
                       hy__pb_list *list, hy_error *err) {
  hy__pb_wire wire = each == 4 ? HY__PB_FIXED32 : HY__PB_FIXED64;
  if (f->wire == HY__PB_BYTES) {
    size_t bytes = hy__span_left(&f->bytes);
    if (bytes % each) return hy__pb_malformed(&f->bytes, "a packed list of numbers", err);
    HY_TRY(reserve(list, a, bytes / each, each, err));
    if (bytes) memcpy((uint8_t *)list->items + list->n * each, f->bytes.pos, bytes);
    list->n += bytes / each;
    return HY_OK;
  }
  if (f->wire != wire) return hy__pb_malformed(s, "a list of numbers", err);
  run_tag tag = tag_of(f, wire);
  HY_TRY(reserve(list, a, 1, each, err));
  memcpy((uint8_t *)list->items + list->n++ * each, &f->value, each);
  size_t both = tag.n + each;
  for (;;) {
    const uint8_t *p = s->pos, *end = s->end;
    uint8_t *items = (uint8_t *)list->items;
    size_t n = list->n, capacity = list->capacity;
    while ((size_t)(end - p) >= both && p[0] == tag.byte[0] &&
           (tag.n == 1 || p[1] == tag.byte[1]) && n < capacity) {
      if (each == 4)
        memcpy(items + n++ * 4, p + tag.n, 4);
      else
        memcpy(items + n++ * 8, p + tag.n, 8);
      p += both;
    }
    s->pos = p;
    list->n = n;
    if (n < capacity || !follows(s, &tag)) break;
    if (hy__span_left(s) < each) return hy__pb_malformed(s, "a list of numbers", err);
    HY_TRY(reserve_ahead(list, a, s, tag.n + each, each, err));
    memcpy((uint8_t *)list->items + list->n++ * each, s->pos, each);
    s->pos += each;
  }
  return HY_OK;
}

hy_status hy__pb_strings(hy__span *s, const hy__pb_field *f, const hy_allocator *a,
                         hy__pb_list *list, hy_error *err) {
  if (f->wire != HY__PB_BYTES) return hy__pb_malformed(s, "a list of strings", err);
  run_tag tag = tag_of(f, HY__PB_BYTES);
  hy__span in = f->bytes;
  HY_TRY(reserve(list, a, 1, sizeof(hy_string), err));
  for (;;) {
    hy_string *items = list->items;
    items[list->n++] = (hy_string){(const char *)in.pos, hy__span_left(&in)};
    if (!follows(s, &tag)) return HY_OK;
    if (list->n == list->capacity)
      HY_TRY(reserve_ahead(list, a, s, tag.n + 1, sizeof(hy_string), err));
    if (!take_bytes(s, &in)) return hy__pb_malformed(s, "a list of strings", err);
  }
}

/* --- into memory of known size --- */

static int32_t narrowed(uint64_t value) {
  const int64_t v = (int64_t)value;
  return v < INT32_MIN || v > INT32_MAX ? INT32_MIN : (int32_t)v;
}

static hy_status overfull(const hy__span *s, hy_error *err) {
  (void)hy__error_set(err, HY_BAD_FORMAT, "a list is longer than another that goes with it");
  hy__error_place(err, 0, 0, (int64_t)hy__span_offset(s));
  return HY_BAD_FORMAT;
}

static hy_status narrow_put(hy__pb_ints32 *list, uint64_t value, const hy__span *s, hy_error *err) {
  if (list->n == list->capacity) return overfull(s, err);
  if (list->items) list->items[list->n] = narrowed(value);
  list->n++;
  return HY_OK;
}

/* Elements of one byte under a one-byte tag, four at a time, then of one or two bytes: what trees
 * are made of. The rest goes the long way round. */
static void narrow_short(hy__span *s, uint8_t tag, hy__pb_ints32 *list) {
  const uint64_t tags = tag * 0x0001000100010001u, mask = 0x80ff80ff80ff80ffu;
  const uint8_t *p = s->pos, *end = s->end;
  int32_t *items = list->items;
  size_t n = list->n, capacity = list->capacity;
  while (end - p >= 8 && capacity - n >= 4) {
    uint64_t four;
    memcpy(&four, p, 8);
    if (!((four ^ tags) & mask)) {
      for (size_t i = 0; items && i < 4; i++) items[n + i] = (int32_t)(four >> (16 * i + 8) & 0x7f);
      n += 4;
      p += 8;
      continue;
    }
    const bool one = p[1] < 0x80;
    if (p[0] != tag || (!one && p[2] >= 0x80)) break;
    if (items) items[n] = one ? p[1] : (p[1] & 0x7f) | p[2] << 7;
    n++;
    p += one ? 2 : 3;
  }
  s->pos = p;
  list->n = n;
}

hy_status hy__pb_narrow(hy__span *s, const hy__pb_field *f, hy__pb_ints32 *list, hy_error *err) {
  uint64_t value;
  if (f->wire == HY__PB_BYTES) {
    hy__span in = f->bytes;
    while (in.pos != in.end) {
      if (!take_varint(&in, &value)) return hy__pb_malformed(&in, "a packed list of integers", err);
      HY_TRY(narrow_put(list, value, &in, err));
    }
    return HY_OK;
  }
  if (f->wire != HY__PB_VARINT) return hy__pb_malformed(s, "a list of integers", err);
  const run_tag tag = tag_of(f, HY__PB_VARINT);
  HY_TRY(narrow_put(list, f->value, s, err));
  for (;;) {
    if (tag.n == 1) narrow_short(s, tag.byte[0], list);
    if (!follows(s, &tag)) return HY_OK;
    if (!take_varint(s, &value)) return hy__pb_malformed(s, "a list of integers", err);
    HY_TRY(narrow_put(list, value, s, err));
  }
}

hy_status hy__pb_float_run(hy__span *s, const hy__pb_field *f, hy__pb_floats *list, hy_error *err) {
  const size_t room = list->capacity - list->n;
  if (f->wire == HY__PB_BYTES) {
    const size_t bytes = hy__span_left(&f->bytes);
    if (bytes % sizeof(float)) return hy__pb_malformed(&f->bytes, "a list of numbers", err);
    if (bytes / sizeof(float) > room) return overfull(s, err);
    if (bytes) memcpy(list->items + list->n, f->bytes.pos, bytes);
    list->n += bytes / sizeof(float);
    return HY_OK;
  }
  if (f->wire != HY__PB_FIXED32) return hy__pb_malformed(s, "a list of numbers", err);
  const run_tag tag = tag_of(f, HY__PB_FIXED32);
  if (!room) return overfull(s, err);
  memcpy(&list->items[list->n++], &f->value, sizeof(float));
  while (follows(s, &tag)) {
    if (hy__span_left(s) < sizeof(float)) return hy__pb_malformed(s, "a list of numbers", err);
    if (list->n == list->capacity) return overfull(s, err);
    memcpy(&list->items[list->n++], s->pos, sizeof(float));
    s->pos += sizeof(float);
  }
  return HY_OK;
}

/* --- texts out of a few --- */

static size_t slot_of(const hy__pb_choices *c, const uint64_t word[2]) {
  return (word[0] * c->factor + (word[1] ^ word[1] << 31) * c->factor) >> 58;
}

static bool choices_try(const char *const *texts, const uint8_t *values, size_t n,
                        hy__pb_choices *out) {
  memset(out->slots, 0, sizeof out->slots);
  for (size_t i = 0; i < n; i++) {
    uint64_t word[2] = {0, 0};
    const size_t len = strlen(texts[i]);
    if (!len || len > HY__PB_CHOICE_BYTES) return false;
    memcpy(word, texts[i], len);
    const size_t slot = slot_of(out, word);
    if (out->slots[slot].len) return false;
    memcpy(out->slots[slot].word, word, sizeof word);
    out->slots[slot].len = (uint8_t)len;
    out->slots[slot].value = values[i];
  }
  return true;
}

bool hy__pb_choices_make(const char *const *texts, const uint8_t *values, size_t n,
                         hy__pb_choices *out) {
  enum { TRIES = 1000 };
  *out = (hy__pb_choices){.factor = 0x9e3779b97f4a7c15u};
  for (int i = 0; i < TRIES; i++, out->factor += 0x632be59bd9b4e01au)
    if (choices_try(texts, values, n, out)) return true;
  return false;
}

static bool choice_put(hy__pb_choices *c, const uint64_t word[2], size_t len) {
  const size_t slot = slot_of(c, word);
  if (len != c->slots[slot].len || word[0] != c->slots[slot].word[0] ||
      word[1] != c->slots[slot].word[1])
    return false;
  c->items[c->n++] = c->slots[slot].value;
  return true;
}

/* Texts with their tags and lengths ahead, while there are as many bytes as the longest has. */
static void choice_short(hy__span *s, uint8_t tag, hy__pb_choices *c) {
  static const uint64_t last[9] = {0,           0xff,        0xffff,     0xffffff, 0xffffffff,
                                   ~0ull >> 24, ~0ull >> 16, ~0ull >> 8, ~0ull};
  const uint8_t *p = s->pos, *end = s->end;
  while (end - p >= 2 + HY__PB_CHOICE_BYTES && c->n < c->capacity) {
    uint64_t word[2];
    const size_t len = p[1];
    if (p[0] != tag || !len || len > HY__PB_CHOICE_BYTES) break;
    memcpy(word, p + 2, sizeof word);
    word[0] &= last[HY_MIN(len, (size_t)8)];
    word[1] &= last[len > 8 ? len - 8 : 0];
    if (!choice_put(c, word, len)) break;
    p += 2 + len;
  }
  s->pos = p;
}

static hy_status choice_take(hy__pb_choices *c, const hy__span *text, hy_error *err) {
  uint64_t word[2] = {0, 0};
  const size_t len = hy__span_left(text);
  if (c->n == c->capacity) return overfull(text, err);
  if (len && len <= HY__PB_CHOICE_BYTES) {
    memcpy(word, text->pos, len);
    if (choice_put(c, word, len)) return HY_OK;
  }
  return hy__error_set(err, HY_BAD_FORMAT, "'%.*s' is not known", (int)HY_MIN(len, (size_t)40),
                       (const char *)text->pos);
}

hy_status hy__pb_choice_run(hy__span *s, const hy__pb_field *f, hy__pb_choices *list,
                            hy_error *err) {
  if (f->wire != HY__PB_BYTES) return hy__pb_malformed(s, "a list of strings", err);
  const run_tag tag = tag_of(f, HY__PB_BYTES);
  hy__span in = f->bytes;
  for (;;) {
    HY_TRY(choice_take(list, &in, err));
    if (tag.n == 1) choice_short(s, tag.byte[0], list);
    if (!follows(s, &tag)) return HY_OK;
    if (!take_bytes(s, &in)) return hy__pb_malformed(s, "a list of strings", err);
  }
}
