/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions: a recursive descent over the pattern writes the program; see regex.h.
 *
 * A fragment is written where it stands and moved up when something must come before it (a split
 * in front of a repeated part); jumps are relative, so that a fragment can be copied for counted
 * repetition. */
#include "op/regex.h"

#include <string.h>

enum { PROGRAM_MAX = 1 << 13, DEPTH_MAX = 64, REPEAT_MAX = 1000, ANY_MAX = 0x10FFFF };

typedef enum opcode {
  ONE,        /* a character in [low, high] */
  SET,        /* a character in a class: ranges [a, a + b) of the program's list, c: negated */
  JUMP,       /* to +a */
  SPLIT,      /* to +a and to +b */
  TEXT_BEGIN, /* assertions */
  TEXT_END,
  LINE_BEGIN,
  LINE_END,
  WORD_EDGE,
  NO_WORD_EDGE,
  NEVER,
  MATCH
} opcode;

typedef struct instruction {
  opcode op;
  int32_t a, b, c;
} instruction;

typedef struct range {
  int32_t low, high;
} range;

struct hy__regex {
  instruction *code;
  range *ranges;
  size_t n_code, n_ranges;
};

typedef struct flags {
  bool no_case, multi_line, dot_all; /* (?ims); U, who is lazy, does not matter to a match */
} flags;

typedef struct parser {
  const char *from, *at, *end;
  hy__regex *re;
  size_t code_capacity, ranges_capacity;
  hy__arena *arena;
  flags flags;
  int depth;
  hy_error *err;
} parser;

static hy_status fault(const parser *p, const char *what) {
  HY_FAIL(HY_BAD_FORMAT, p->err, "pattern: %s at byte %zu", what, (size_t)(p->at - p->from));
}

/* --- the program --- */

/* A list of the arena grown to hold n elements: a copy, what was is left behind. */
static hy_status grow(parser *p, void **list, size_t *capacity, size_t n, size_t each) {
  void *memory;
  HY_FAIL_IF(n > PROGRAM_MAX, HY_LIMIT, p->err, "pattern: a program of over %d instructions",
             (int)PROGRAM_MAX);
  if (n <= *capacity) return HY_OK;
  const size_t wanted = HY_MAX(2 * *capacity, HY_MAX(n, (size_t)64));
  HY_TRY(hy__arena_array(p->arena, wanted, each, &memory, p->err));
  if (*capacity) memcpy(memory, *list, *capacity * each);
  *list = memory;
  *capacity = wanted;
  return HY_OK;
}

/* Room for n instructions at `at`; what stands there moves up. */
static hy_status insert(parser *p, size_t at, size_t n) {
  hy__regex *re = p->re;
  void *list = re->code;
  HY_TRY(grow(p, &list, &p->code_capacity, re->n_code + n, sizeof *re->code));
  re->code = list;
  memmove(&re->code[at + n], &re->code[at], (re->n_code - at) * sizeof *re->code);
  re->n_code += n;
  return HY_OK;
}

static hy_status emit(parser *p, instruction i) {
  HY_TRY(insert(p, p->re->n_code, 1));
  p->re->code[p->re->n_code - 1] = i;
  return HY_OK;
}

static hy_status add_range(parser *p, int32_t low, int32_t high) {
  hy__regex *re = p->re;
  void *list = re->ranges;
  HY_TRY(grow(p, &list, &p->ranges_capacity, re->n_ranges + 1, sizeof *re->ranges));
  re->ranges = list;
  re->ranges[re->n_ranges++] = (range){low, high};
  return HY_OK;
}

/* --- characters --- */

/* The next character of UTF-8, a byte that is none as itself. */
static int32_t next_char(const char **at, const char *end) {
  const unsigned char *s = (const unsigned char *)*at;
  const size_t left = (size_t)(end - *at);
  size_t n = s[0] < 0xC2 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 1;
  int32_t c = n == 1 ? s[0] : s[0] & (0xFF >> (n + 1));
  if (n > left) n = 1;
  for (size_t i = 1; i < n; i++) {
    if ((s[i] & 0xC0) != 0x80) n = 1;
    c = c << 6 | (s[i] & 0x3F);
  }
  if (n == 1) c = s[0];
  *at += n;
  return c;
}

static bool more(const parser *p) { return p->at < p->end; }

static bool take(parser *p, const char *text) {
  const size_t n = strlen(text);
  if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0) return false;
  p->at += n;
  return true;
}

static int hex_of(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* \xHH or \x{H...}. */
static hy_status hex_escape(parser *p, int32_t *out) {
  int32_t value = 0, n = 0;
  const bool open = take(p, "{");
  while (more(p) && hex_of(*p->at) >= 0 && n < (open ? 8 : 2) && value <= ANY_MAX) {
    value = value << 4 | hex_of(*p->at++);
    n++;
  }
  if ((open && !take(p, "}")) || (!open && n != 2) || n == 0 || value > ANY_MAX)
    return fault(p, "a bad \\x escape");
  *out = value;
  return HY_OK;
}

static hy_status octal_escape(parser *p, int32_t *out) {
  *out = 0;
  for (int n = 0; n < 3 && more(p) && *p->at >= '0' && *p->at <= '7'; n++)
    *out = *out * 8 + (*p->at++ - '0');
  return HY_OK;
}

/* What follows a backslash as one character; classes and assertions were looked for before. */
static hy_status escape(parser *p, int32_t *out) {
  static const char names[] = "aftnrv", values[] = "\a\f\t\n\r\v";
  if (!more(p)) return fault(p, "a backslash at the end");
  const char c = *p->at;
  if (c == '0') return octal_escape(p, out);
  p->at++;
  if (c == 'x') return hex_escape(p, out);
  const char *name = strchr(names, c);
  if (c && name) {
    *out = values[name - names];
    return HY_OK;
  }
  const bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  if (word) {
    p->at--;
    return fault(p, "an escape that is not known");
  }
  p->at--;
  *out = next_char(&p->at, p->end);
  return HY_OK;
}

/* --- classes --- */

static const struct {
  const char *name; /* within [: :], or the letter behind a backslash */
  const char *ranges;
} classes[] = {{"alnum", "09AZaz"},
               {"alpha", "AZaz"},
               {"ascii", "\1\177"},
               {"blank", "\t\t  "},
               {"cntrl", "\1\37\177\177"},
               {"digit", "09"},
               {"graph", "!~"},
               {"lower", "az"},
               {"print", " ~"},
               {"punct", "!/:@[`{~"},
               {"space", "\t\r  "},
               {"upper", "AZ"},
               {"word", "09AZ__az"},
               {"xdigit", "09AFaf"},
               {"d", "09"},
               {"s", "\t\n\f\r  "},
               {"w", "09AZ__az"}};

/* The named class's ranges, or what they leave free. */
static hy_status add_class(parser *p, const char *ranges, bool negated) {
  int32_t free_from = 0;
  if (!negated && ranges[0] == '\1') HY_TRY(add_range(p, 0, 0)); /* zero has no place in a text */
  for (const char *r = ranges; *r; r += 2) {
    if (!negated) HY_TRY(add_range(p, r[0], r[1]));
    if (negated && free_from < r[0] && !(free_from == 0 && r[0] == 1))
      HY_TRY(add_range(p, free_from, r[0] - 1));
    free_from = r[1] + 1;
  }
  return negated ? add_range(p, free_from, ANY_MAX) : HY_OK;
}

/* \d \D \s \S \w \W at the place; *done false, and nothing taken, where it is none of them. */
static hy_status escaped_class(parser *p, bool *done) {
  *done = false;
  if ((size_t)(p->end - p->at) < 2 || p->at[0] != '\\') return HY_OK;
  const char c = p->at[1], low = (char)(c | 0x20);
  HY_FAIL_IF(low == 'p', HY_UNSUPPORTED, p->err, "pattern: Unicode classes (\\%c at byte %zu)", c,
             (size_t)(p->at - p->from));
  if (low != 'd' && low != 's' && low != 'w') return HY_OK;
  p->at += 2;
  *done = true;
  for (size_t i = 0; i < HY_COUNT(classes); i++)
    if (classes[i].name[0] == low && !classes[i].name[1])
      return add_class(p, classes[i].ranges, c != low);
  return HY_OK;
}

static hy_status posix_class(parser *p) {
  p->at += 2;
  const bool negated = take(p, "^");
  for (size_t i = 0; i < HY_COUNT(classes); i++) {
    const char *before = p->at;
    if (classes[i].name[1] && take(p, classes[i].name) && take(p, ":]"))
      return add_class(p, classes[i].ranges, negated);
    p->at = before;
  }
  return fault(p, "a class that is not known");
}

/* The other case of a letter of ASCII; others have none here. */
static int32_t other_case(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c ^ 0x20 : c;
}

static hy_status fold_ranges(parser *p, size_t from) {
  const size_t n = p->re->n_ranges;
  for (size_t i = from; i < n && p->flags.no_case; i++) {
    const range r = p->re->ranges[i];
    for (int32_t c = HY_MAX(r.low, 'A'); c <= HY_MIN(r.high, 'z'); c++)
      if (other_case(c) != c) HY_TRY(add_range(p, other_case(c), other_case(c)));
  }
  return HY_OK;
}

static hy_status class_char(parser *p, int32_t *out) {
  if (take(p, "\\")) return escape(p, out);
  if (!more(p)) return fault(p, "a class without its end");
  *out = next_char(&p->at, p->end);
  return HY_OK;
}

static hy_status class_item(parser *p) {
  bool done;
  int32_t low, high;
  HY_TRY(escaped_class(p, &done));
  if (done) return HY_OK;
  if ((size_t)(p->end - p->at) > 1 && p->at[0] == '[' && p->at[1] == ':') return posix_class(p);
  HY_TRY(class_char(p, &low));
  high = low;
  if ((size_t)(p->end - p->at) > 1 && p->at[0] == '-' && p->at[1] != ']') {
    p->at++;
    HY_TRY(class_char(p, &high));
  }
  if (high < low) return fault(p, "a range that ends before it begins");
  return add_range(p, low, high);
}

/* Behind the opening bracket. */
static hy_status class_set(parser *p) {
  const size_t from = p->re->n_ranges;
  const bool negated = take(p, "^");
  do {
    if (!more(p)) return fault(p, "a class without its end");
    HY_TRY(class_item(p));
  } while (more(p) && *p->at != ']');
  if (!take(p, "]")) return fault(p, "a class without its end");
  HY_TRY(fold_ranges(p, from));
  return emit(p, (instruction){SET, (int32_t)from, (int32_t)(p->re->n_ranges - from), negated});
}

/* --- the grammar --- */

static hy_status alternatives(parser *p);

/* i, m, s, U with a minus before those that are unset; up to the closing or the colon. */
static hy_status group_flags(parser *p, bool *closed) {
  bool on = true;
  for (; more(p); p->at++) {
    const char c = *p->at;
    if (c == ':' || c == ')') {
      *closed = c == ')';
      p->at++;
      return HY_OK;
    }
    if (c == '-')
      on = false;
    else if (c == 'i')
      p->flags.no_case = on;
    else if (c == 'm')
      p->flags.multi_line = on;
    else if (c == 's')
      p->flags.dot_all = on;
    else if (c != 'U')
      return fault(p, "a flag that is not known");
  }
  return fault(p, "a group without its end");
}

/* Behind an opening parenthesis. */
static hy_status group(parser *p) {
  const flags outside = p->flags;
  bool closed = false;
  if (++p->depth > DEPTH_MAX) HY_FAIL(HY_LIMIT, p->err, "pattern: groups nested too deep");
  if (take(p, "?P<") || take(p, "?<")) {
    while (more(p) && *p->at != '>' && *p->at != ')') p->at++;
    if (!take(p, ">")) return fault(p, "a group's name without its end");
  } else if (take(p, "?")) {
    HY_TRY(group_flags(p, &closed));
  }
  if (!closed) {
    HY_TRY(alternatives(p));
    if (!take(p, ")")) return fault(p, "a group without its end");
    p->flags = outside;
  }
  p->depth--;
  return HY_OK;
}

static hy_status one(parser *p, int32_t c) {
  const size_t from = p->re->n_ranges;
  if (!p->flags.no_case || other_case(c) == c) return emit(p, (instruction){ONE, c, c, 0});
  HY_TRY(add_range(p, c, c));
  HY_TRY(add_range(p, other_case(c), other_case(c)));
  return emit(p, (instruction){SET, (int32_t)from, 2, 0});
}

/* \Q...\E: each character as it is; *from is the last one's place, which alone is repeated. */
static hy_status quoted(parser *p, size_t *from) {
  while (more(p) && !take(p, "\\E")) {
    *from = p->re->n_code;
    HY_TRY(one(p, next_char(&p->at, p->end)));
  }
  return HY_OK;
}

static hy_status backslash(parser *p) {
  static const struct {
    const char *text;
    opcode op;
  } edges[] = {{"\\A", TEXT_BEGIN}, {"\\z", TEXT_END}, {"\\b", WORD_EDGE}, {"\\B", NO_WORD_EDGE}};
  const size_t from = p->re->n_ranges;
  bool done;
  int32_t c;
  for (size_t i = 0; i < HY_COUNT(edges); i++)
    if (take(p, edges[i].text)) return emit(p, (instruction){edges[i].op, 0, 0, 0});
  if (take(p, "\\C")) return emit(p, (instruction){ONE, 0, ANY_MAX, 0});
  HY_TRY(escaped_class(p, &done));
  if (done) return emit(p, (instruction){SET, (int32_t)from, (int32_t)(p->re->n_ranges - from), 0});
  p->at++;
  HY_TRY(escape(p, &c));
  return one(p, c);
}

static hy_status dot(parser *p) {
  const size_t from = p->re->n_ranges;
  if (p->flags.dot_all) return emit(p, (instruction){ONE, 0, ANY_MAX, 0});
  HY_TRY(add_range(p, '\n', '\n'));
  return emit(p, (instruction){SET, (int32_t)from, 1, true});
}

static hy_status atom(parser *p) {
  if (take(p, "(")) return group(p);
  if (take(p, "[")) return class_set(p);
  if (take(p, ".")) return dot(p);
  if (take(p, "^"))
    return emit(p, (instruction){p->flags.multi_line ? LINE_BEGIN : TEXT_BEGIN, 0, 0, 0});
  if (take(p, "$"))
    return emit(p, (instruction){p->flags.multi_line ? LINE_END : TEXT_END, 0, 0, 0});
  if (*p->at == '\\') return backslash(p);
  if (strchr("*+?", *p->at) && *p->at) return fault(p, "nothing to repeat");
  return one(p, next_char(&p->at, p->end));
}

/* The fragment from `from` on any number of times: split, fragment, back. */
static hy_status star(parser *p, size_t from) {
  const int32_t n = (int32_t)(p->re->n_code - from);
  HY_TRY(insert(p, from, 1));
  p->re->code[from] = (instruction){SPLIT, 1, n + 2, 0};
  return emit(p, (instruction){JUMP, -(n + 1), 0, 0});
}

static hy_status maybe(parser *p, size_t from) {
  const int32_t n = (int32_t)(p->re->n_code - from);
  HY_TRY(insert(p, from, 1));
  p->re->code[from] = (instruction){SPLIT, 1, n + 1, 0};
  return HY_OK;
}

static hy_status copy(parser *p, const instruction *code, size_t n) {
  const size_t at = p->re->n_code;
  if (!n) return HY_OK;
  HY_TRY(insert(p, at, n));
  memcpy(&p->re->code[at], code, n * sizeof *code);
  return HY_OK;
}

/* The fragment at least `least` and at most `most` times (negative: any number). */
static hy_status repeat(parser *p, size_t from, int32_t least, int32_t most) {
  const size_t n = p->re->n_code - from;
  void *memory;
  HY_TRY(hy__arena_array(p->arena, n + 1, sizeof(instruction), &memory, p->err));
  if (n) memcpy(memory, &p->re->code[from], n * sizeof(instruction));
  p->re->n_code = from;
  for (int32_t i = 0; i < least; i++) HY_TRY(copy(p, memory, n));
  if (most < 0) {
    const size_t at = p->re->n_code;
    HY_TRY(copy(p, memory, n));
    return star(p, at);
  }
  for (int32_t i = least; i < most; i++) { /* each with a way past all that follow */
    HY_TRY(emit(p, (instruction){SPLIT, 1, (int32_t)((size_t)(most - i) * (n + 1)), 0}));
    HY_TRY(copy(p, memory, n));
  }
  return HY_OK;
}

static bool number(parser *p, int32_t *out) {
  const char *from = p->at;
  for (*out = 0; more(p) && *p->at >= '0' && *p->at <= '9' && *out <= REPEAT_MAX; p->at++)
    *out = *out * 10 + (*p->at - '0');
  return p->at > from;
}

/* {n}, {n,} and {n,m}; *done false, and nothing taken, where the brace is only a brace. */
static hy_status counted(parser *p, size_t from, bool *done) {
  const char *before = p->at;
  int32_t least, most;
  *done = false;
  if (!take(p, "{")) return HY_OK;
  bool good = number(p, &least);
  most = least;
  if (good && take(p, ",") && !number(p, &most)) most = -1;
  if (!good || !take(p, "}")) {
    p->at = before;
    return HY_OK;
  }
  if (least > REPEAT_MAX || most > REPEAT_MAX || (most >= 0 && most < least))
    return fault(p, "a bad count of repetitions");
  *done = true;
  return repeat(p, from, least, most);
}

static hy_status repeated(parser *p) {
  size_t from = p->re->n_code;
  bool done = true;
  HY_TRY(take(p, "\\Q") ? quoted(p, &from) : atom(p));
  if (take(p, "*"))
    HY_TRY(star(p, from));
  else if (take(p, "+"))
    HY_TRY(repeat(p, from, 1, -1));
  else if (take(p, "?"))
    HY_TRY(maybe(p, from));
  else
    HY_TRY(counted(p, from, &done));
  if (done) (void)take(p, "?"); /* lazy: the same texts match */
  return HY_OK;
}

static hy_status sequence(parser *p) {
  while (more(p) && *p->at != '|' && *p->at != ')') HY_TRY(repeated(p));
  return HY_OK;
}

/* a|b|c: before each but the last a split to it and to the rest, behind it a jump to the end. The
 * jumps hang together by their b until the end is known. */
static hy_status alternatives(parser *p) {
  size_t from = p->re->n_code, jump = 0;
  HY_TRY(sequence(p));
  while (take(p, "|")) {
    HY_TRY(insert(p, from, 1));
    HY_TRY(emit(p, (instruction){JUMP, 0, (int32_t)jump, 0}));
    jump = p->re->n_code - 1;
    p->re->code[from] = (instruction){SPLIT, 1, (int32_t)(p->re->n_code - from), 0};
    from = p->re->n_code;
    HY_TRY(sequence(p));
  }
  while (jump) {
    instruction *i = &p->re->code[jump];
    i->a = (int32_t)(p->re->n_code - jump);
    jump = (size_t)i->b;
    i->b = 0;
  }
  return HY_OK;
}

hy_status hy__regex_compile(hy__arena *arena, hy_string pattern, const hy__regex **out,
                            hy_error *err) {
  void *memory;
  HY_TRY(hy__arena_alloc(arena, sizeof(hy__regex), _Alignof(hy__regex), &memory, err));
  const char *text = pattern.data ? pattern.data : "";
  parser p = {.from = text,
              .at = text,
              .end = text + pattern.len_bytes,
              .re = memory,
              .arena = arena,
              .err = err};
  HY_TRY(alternatives(&p));
  if (more(&p)) return fault(&p, "a closing parenthesis without its opening");
  HY_TRY(emit(&p, (instruction){MATCH, 0, 0, 0}));
  *out = memory;
  return HY_OK;
}

/* --- matching --- */

/* The threads alive before a character: places in the program, each once. */
typedef struct threads {
  uint32_t *list, *mark; /* mark[place] == round: it stands in the list */
  size_t n;
} threads;

typedef struct moment {
  bool first, last, line_first, line_last, edge;
} moment;

static bool holds(opcode op, const moment *now) {
  switch (op) {
  case TEXT_BEGIN: return now->first;
  case TEXT_END: return now->last;
  case LINE_BEGIN: return now->line_first;
  case LINE_END: return now->line_last;
  case WORD_EDGE: return now->edge;
  case NO_WORD_EDGE: return !now->edge;
  default: return false;
  }
}

/* Follows everything that takes no character, from the places put into the list so far. */
static void follow(const hy__regex *re, threads *t, uint32_t round, const moment *now) {
  for (size_t i = 0; i < t->n; i++) {
    const uint32_t at = t->list[i];
    const instruction *c = &re->code[at];
    int32_t next[2] = {0, 0};
    if (c->op == JUMP) next[0] = c->a;
    if (c->op == SPLIT) {
      next[0] = c->a;
      next[1] = c->b;
    }
    if (c->op >= TEXT_BEGIN && c->op <= NO_WORD_EDGE && holds(c->op, now)) next[0] = 1;
    for (int k = 0; k < 2; k++) {
      const uint32_t to = (uint32_t)((int64_t)at + next[k]);
      if (!next[k] || t->mark[to] == round) continue;
      t->mark[to] = round;
      t->list[t->n++] = to;
    }
  }
}

static bool takes(const hy__regex *re, const instruction *i, int32_t c) {
  if (i->op == ONE) return c >= i->a && c <= i->b;
  if (i->op != SET) return false;
  for (int32_t k = 0; k < i->b; k++) {
    const range r = re->ranges[i->a + k];
    if (c >= r.low && c <= r.high) return i->c == 0;
  }
  return i->c != 0;
}

static bool is_word(int32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z');
}

size_t hy__regex_scratch_bytes(const hy__regex *re) { return 4 * re->n_code * sizeof(uint32_t); }

bool hy__regex_matches(const hy__regex *re, hy_string text, void *scratch) {
  const size_t n = re->n_code;
  uint32_t *words = scratch, round = 1;
  threads now = {words, words + n, 0}, then = {words + 2 * n, words + 3 * n, 0};
  const char *at = text.data ? text.data : "", *end = at + text.len_bytes;
  int32_t before = -1;
  memset(scratch, 0, hy__regex_scratch_bytes(re));
  now.list[now.n++] = 0;
  now.mark[0] = round;
  for (;; round++) {
    const char *next = at;
    const int32_t c = at < end ? next_char(&next, end) : -1;
    const moment m = {.first = before < 0,
                      .last = c < 0,
                      .line_first = before < 0 || before == '\n',
                      .line_last = c < 0 || c == '\n',
                      .edge = is_word(before) != is_word(c)};
    follow(re, &now, round, &m);
    if (c < 0) break;
    then.n = 0;
    for (size_t i = 0; i < now.n; i++) {
      const uint32_t to = now.list[i] + 1;
      if (!takes(re, &re->code[now.list[i]], c) || then.mark[to] == round + 1) continue;
      then.mark[to] = round + 1;
      then.list[then.n++] = to;
    }
    const threads swap = now;
    now = then;
    then = swap;
    if (!now.n) return false;
    before = c;
    at = next;
  }
  for (size_t i = 0; i < now.n; i++)
    if (re->code[now.list[i]].op == MATCH) return true;
  return false;
}
