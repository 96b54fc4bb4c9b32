/* SPDX-License-Identifier: Apache-2.0 */
/* StringConcat, StringSplit and StringNormalizer. Texts have no bound that a plan could know, so
 * the inputs must be known; then so is the result, its bytes in the arena. Letters change case by
 * the ranges of letter_case, in which a letter and its other form have equally many bytes of
 * UTF-8; others stay. */
#include <string.h>

#include "op/rule.h"

static hy_status known(const hy__op_plan *p, hy_error *err) {
  for (size_t k = 0; k < p->n_in; k++) {
    HY_FAIL_IF(!p->in_present[k] || p->in[k].dtype != HY_STRING, HY_BAD_FORMAT, err,
               "input %zu must be of strings", k);
    HY_FAIL_IF(!p->in[k].data, HY_UNSUPPORTED, err,
               "input %zu is not known before the run; the bytes of its texts depend on data", k);
  }
  return HY_OK;
}

static hy_status output(hy__op_plan *p, size_t k, hy_error *err) {
  void *memory;
  const size_t n = HY_MAX(hy__op_bytes_of(&p->out[k]), (size_t)1);
  HY_TRY(hy__arena_alloc(p->arena, n, HY_ALIGN, &memory, err));
  memset(memory, 0, n);
  p->out[k].data = memory;
  return HY_OK;
}

/* The two parts, one behind the other, in the arena. */
static hy_status join(hy__op_plan *p, hy_string a, hy_string b, hy_string *out, hy_error *err) {
  size_t bytes;
  void *memory;
  HY_FAIL_IF(!hy__add(a.len_bytes, b.len_bytes, &bytes), HY_LIMIT, err, "a text is too long");
  HY_TRY(hy__arena_alloc(p->arena, HY_MAX(bytes, (size_t)1), 1, &memory, err));
  if (a.len_bytes) memcpy(memory, a.data, a.len_bytes);
  if (b.len_bytes) memcpy((char *)memory + a.len_bytes, b.data, b.len_bytes);
  *out = (hy_string){memory, bytes};
  return HY_OK;
}

static hy_status concat(hy__op_plan *p, hy_error *err) {
  const hy_tensor *both[2] = {&p->in[0], &p->in[1]};
  int64_t index[HY_MAX_RANK] = {0}, at[HY__WALK_OPERANDS] = {0};
  hy__walk w;
  HY_TRY(hy__op_elementwise(p, HY_STRING, err));
  p->out_inplace[0] = 0;
  HY_TRY(output(p, 0, err));
  hy__walk_broadcast(&w, &p->out[0], both, 2);
  hy_string *to = p->out[0].data;
  for (size_t r = 0; r < w.n_rows; r++) {
    for (size_t i = 0; i < w.row; i++, to++) {
      const int64_t a = at[0] + (int64_t)i * w.inner[0], b = at[1] + (int64_t)i * w.inner[1];
      HY_TRY(join(p, ((const hy_string *)p->in[0].data)[a], ((const hy_string *)p->in[1].data)[b],
                  to, err));
    }
    hy__walk_next(&w, index, at);
  }
  return HY_OK;
}

/* --- StringSplit --- */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* What is still to be split of a text. */
typedef struct rest {
  const char *at, *end;
  hy_string by; /* the delimiter; empty: white space */
  int64_t left; /* splits still allowed; negative: any number */
  bool over;
} rest;

/* Up to the next run of white space, or the end. */
static bool next_word(rest *r, hy_string *out) {
  while (r->at < r->end && is_space(*r->at)) r->at++;
  if (r->at == r->end) return false;
  const char *from = r->at;
  if (r->left == 0) { /* all that remains, without the space behind it */
    const char *to = r->end;
    while (to > from && is_space(to[-1])) to--;
    r->at = r->end;
    *out = (hy_string){from, (size_t)(to - from)};
    return true;
  }
  while (r->at < r->end && !is_space(*r->at)) r->at++;
  *out = (hy_string){from, (size_t)(r->at - from)};
  r->left--;
  return true;
}

static bool next_part(rest *r, hy_string *out) {
  if (r->over) return false;
  if (!r->by.len_bytes) return next_word(r, out);
  const char *from = r->at;
  const size_t n = r->by.len_bytes;
  for (const char *c = from; r->left != 0 && (size_t)(r->end - c) >= n; c++)
    if (memcmp(c, r->by.data, n) == 0) {
      *out = (hy_string){from, (size_t)(c - from)};
      r->at = c + n;
      r->left--;
      return true;
    }
  *out = (hy_string){from, (size_t)(r->end - from)};
  r->over = true;
  return true;
}

static rest rest_of(const hy__op_plan *p, hy_string text) {
  const char *from = text.data ? text.data : "";
  return (rest){.at = from,
                .end = from + text.len_bytes,
                .by = hy__node_string(p->node, "delimiter", ""),
                .left = hy__node_int(p->node, "maxsplit", -1)};
}

static hy_status split(hy__op_plan *p, hy_error *err) {
  const hy_tensor *x = &p->in[0];
  const hy_string *texts = x->data;
  const size_t n = hy__op_count_of(x);
  int64_t dims[HY_MAX_RANK + 1], most = 0;
  HY_FAIL_IF(x->rank >= HY_MAX_RANK, HY_LIMIT, err, "the output has more than %d dims",
             (int)HY_MAX_RANK);
  HY_TRY(hy__op_out(p, 1, HY_I64, x->rank, x->dims, err));
  HY_TRY(output(p, 1, err));
  int64_t *counts = p->out[1].data;
  hy_string part;
  for (size_t i = 0; i < n; i++) {
    for (rest r = rest_of(p, texts[i]); next_part(&r, &part);) counts[i]++;
    most = HY_MAX(most, counts[i]);
  }
  memcpy(dims, x->dims, sizeof x->dims);
  dims[x->rank] = most;
  HY_TRY(hy__op_out(p, 0, HY_STRING, x->rank + 1, dims, err));
  HY_TRY(output(p, 0, err));
  hy_string *to = p->out[0].data;
  const hy_string none = {"", 0};
  for (size_t i = 0; i < n; i++, to += most) {
    rest r = rest_of(p, texts[i]);
    for (int64_t k = 0; k < most; k++)
      HY_TRY(join(p, next_part(&r, &part) ? part : none, none, &to[k], err));
  }
  return HY_OK;
}

/* --- StringNormalizer --- */

typedef enum letter_case { AS_IT_IS, LOWER, UPPER } letter_case;

/* Ranges of capital letters: `step` 2 where capital and small letter alternate, else the small ones
 * lie `apart` further. */
static const struct {
  int32_t first, last, apart, step;
} capitals[] = {
    {'A', 'Z', 32, 1},     {0xC0, 0xD6, 32, 1},   {0xD8, 0xDE, 32, 1},   {0x100, 0x12E, 1, 2},
    {0x132, 0x136, 1, 2},  {0x139, 0x147, 1, 2},  {0x14A, 0x176, 1, 2},  {0x178, 0x178, -121, 1},
    {0x179, 0x17D, 1, 2},  {0x391, 0x3A1, 32, 1}, {0x3A3, 0x3AB, 32, 1}, {0x400, 0x40F, 80, 1},
    {0x410, 0x42F, 32, 1}, {0x460, 0x480, 1, 2},  {0x48A, 0x4BE, 1, 2},  {0x4D0, 0x52E, 1, 2}};

static int32_t letter(int32_t c, letter_case to) {
  for (size_t i = 0; i < HY_COUNT(capitals); i++) {
    const int32_t shift = to == UPPER ? capitals[i].apart : 0, from = capitals[i].first + shift;
    if (c < from || c > capitals[i].last + shift || (c - from) % capitals[i].step) continue;
    return to == UPPER ? c - shift : c + capitals[i].apart;
  }
  return c;
}

/* In place; bytes that are no letter of one or two bytes stay. */
static void set_case(char *text, size_t n, letter_case to) {
  for (size_t i = 0; i < n && to != AS_IT_IS; i++) {
    const unsigned char a = (unsigned char)text[i];
    if (a < 0x80) {
      text[i] = (char)letter(a, to);
    } else if ((a & 0xE0) == 0xC0 && i + 1 < n && ((unsigned char)text[i + 1] & 0xC0) == 0x80) {
      const uint32_t c =
          letter((uint32_t)(a & 0x1F) << 6 | ((unsigned char)text[i + 1] & 0x3F), to);
      text[i] = (char)(0xC0 | c >> 6);
      text[++i] = (char)(0x80 | (c & 0x3F));
    }
  }
}

static bool same(hy_string a, hy_string b) {
  return a.len_bytes == b.len_bytes && (!a.len_bytes || !memcmp(a.data, b.data, a.len_bytes));
}

typedef struct stops {
  hy_string *words;
  size_t n;
  bool exact;
} stops;

static hy_status copy_as(hy__op_plan *p, hy_string text, letter_case to, hy_string *out,
                         hy_error *err) {
  HY_TRY(join(p, text, (hy_string){"", 0}, out, err));
  set_case((char *)(uintptr_t)out->data, out->len_bytes, to);
  return HY_OK;
}

static hy_status stops_of(hy__op_plan *p, stops *s, hy_error *err) {
  const hy__attr *words = hy__node_attr(p->node, "stopwords");
  void *memory;
  *s = (stops){.exact = hy__node_int(p->node, "is_case_sensitive", 0) != 0};
  if (!words || words->kind != HY__ATTR_STRINGS || !words->n) return HY_OK;
  HY_TRY(hy__arena_array(p->arena, words->n, sizeof(hy_string), &memory, err));
  s->words = memory;
  for (; s->n < words->n; s->n++)
    HY_TRY(copy_as(p, words->as.strings[s->n], s->exact ? AS_IT_IS : LOWER, &s->words[s->n], err));
  return HY_OK;
}

static hy_status stopped(hy__op_plan *p, const stops *s, hy_string text, bool *is, hy_error *err) {
  hy_string seen = text;
  *is = false;
  if (s->n && !s->exact) HY_TRY(copy_as(p, text, LOWER, &seen, err));
  for (size_t i = 0; i < s->n && !*is; i++) *is = same(seen, s->words[i]);
  return HY_OK;
}

static hy_status normalise(hy__op_plan *p, hy_error *err) {
  static const char *const cases[] = {"NONE", "LOWER", "UPPER", NULL};
  const hy_tensor *x = &p->in[0];
  const hy_string *texts = x->data;
  const size_t n = hy__op_count_of(x);
  int32_t to;
  stops words;
  void *memory;
  HY_FAIL_IF(x->rank < 1 || x->rank > 2 || (x->rank == 2 && x->dims[0] != 1), HY_BAD_FORMAT, err,
             "the input must be [C] or [1, C]");
  HY_TRY(hy__op_choice(p, "case_change_action", cases, &to, err));
  HY_TRY(stops_of(p, &words, err));
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(hy_string), &memory, err));
  hy_string *kept = memory;
  size_t n_kept = 0;
  for (size_t i = 0; i < n; i++) {
    bool drop;
    HY_TRY(stopped(p, &words, texts[i], &drop, err));
    if (!drop) HY_TRY(copy_as(p, texts[i], (letter_case)to, &kept[n_kept++], err));
  }
  if (!n_kept) kept[n_kept++] = (hy_string){"", 0};
  const int64_t dims[2] = {x->rank == 2 ? 1 : (int64_t)n_kept, (int64_t)n_kept};
  HY_TRY(hy__op_out(p, 0, HY_STRING, x->rank, dims, err));
  p->out[0].data = kept;
  return HY_OK;
}

hy_status hy__op_text_infer(hy__op_plan *p, hy_error *err) {
  HY_TRY(known(p, err));
  const char kind = p->node->op_type[6]; /* StringC.., StringS.., StringN.. */
  return kind == 'C' ? concat(p, err) : kind == 'S' ? split(p, err) : normalise(p, err);
}

hy_status hy__op_text_lower(hy__op_plan *p, hy_error *err) { return hy__op_identity_lower(p, err); }
