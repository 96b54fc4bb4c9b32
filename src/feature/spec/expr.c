/* SPDX-License-Identifier: Apache-2.0
 * The expression parser: recursive descent over bytes, with C's precedence. Depth and length are
 * bounded, since the text may come from anywhere. */
#include "feature/spec/expr.h"

#include <stdarg.h>
#include <stdio.h>

enum { EXPR_DEPTH_MAX = 64, EXPR_BYTES_MAX = 1 << 20, EXPR_ARGS_MAX = 32, EXPR_VERSION_MAX = 9999 };

typedef struct parser {
  const char *at, *end;
  hy__place place; /* of at */
  hy__arena *arena;
  hy_error *err;
  unsigned depth;
} parser;

hy_status hy__place_fail(hy__place place, hy_status status, hy_error *err, const char *format,
                         ...) {
  char message[sizeof err->message];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  hy__error_set(err, status, "%s", message);
  hy__place_add(place, err);
  return status;
}

void hy__place_add(hy__place place, hy_error *err) {
  hy__error_subject(err, place.subject);
  hy__error_place(err, place.line, place.column, -1);
}

static void advance(parser *p, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) {
    if (p->at[i] == '\n')
      p->place.line++, p->place.column = p->place.margin + 1;
    else
      p->place.column++;
  }
  p->at += bytes;
}

static char peek_at(const parser *p, size_t offset) {
  return (size_t)(p->end - p->at) > offset ? p->at[offset] : 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void skip_blanks(parser *p) {
  while (p->at < p->end && is_blank(*p->at)) advance(p, 1);
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static hy_status fail_here(parser *p, const char *expected) {
  if (p->at == p->end)
    return hy__place_fail(p->place, HY_BAD_FORMAT, p->err, "%s was expected, not the end",
                          expected);
  return hy__place_fail(p->place, HY_BAD_FORMAT, p->err, "%s was expected, not \"%.*s\"", expected,
                        (int)HY_MIN(p->end - p->at, 20), p->at);
}

static hy_status expect(parser *p, char c) {
  skip_blanks(p);
  char expected[4] = {'"', c, '"', 0};
  if (peek_at(p, 0) != c) return fail_here(p, expected);
  advance(p, 1);
  return HY_OK;
}

static hy_status new_expr(parser *p, hy__expr_kind kind, hy__place place, hy__expr **out) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, sizeof(hy__expr), _Alignof(hy__expr), &memory, p->err));
  *out = memory;
  (*out)->kind = kind;
  (*out)->place = place;
  return HY_OK;
}

static hy_status new_call(parser *p, hy__place place, const char *id,
                          const hy__expr *const *operands, size_t n, const hy__expr **out) {
  hy__expr *call;
  void *memory;
  HY_TRY(new_expr(p, HY__EXPR_CALL, place, &call));
  HY_TRY(hy__arena_array(p->arena, n, sizeof(hy__arg), &memory, p->err));
  hy__arg *args = memory;
  for (size_t i = 0; i < n; i++)
    args[i] = (hy__arg){.place = operands[i]->place, .value = operands[i]};
  call->name = id;
  call->args = args;
  call->n_args = n;
  *out = call;
  return HY_OK;
}

/* Letters, digits and, with dots, parts joined by dots (the later ones may begin with a digit); 0
 * when there is none. */
static size_t name_bytes(const parser *p, bool dots) {
  if (!is_letter(peek_at(p, 0))) return 0;
  size_t n = 1;
  for (;;) {
    char c = peek_at(p, n);
    if (dots && c == '.' && (is_letter(peek_at(p, n + 1)) || is_digit(peek_at(p, n + 1))))
      n += 2;
    else if (is_letter(c) || is_digit(c))
      n++;
    else
      return n;
  }
}

static hy_status parse_expr(parser *p, const hy__expr **out);

static hy_status parse_number(parser *p, const hy__expr **out) {
  hy__expr *e;
  HY_TRY(new_expr(p, HY__EXPR_NUMBER, p->place, &e));
  const char *after = hy__parse_f64(p->at, p->end, &e->number);
  if (after == p->at) return fail_here(p, "a number");
  if (e->number - e->number != 0)
    return hy__place_fail(p->place, HY_BAD_FORMAT, p->err, "the number is not finite");
  advance(p, (size_t)(after - p->at));
  *out = e;
  return HY_OK;
}

/* name=expr or expr; a name is followed by one '=', a comparison by two. */
static hy_status parse_arg(parser *p, hy__arg *arg) {
  skip_blanks(p);
  arg->place = p->place;
  size_t n = name_bytes(p, false), after = n;
  while (n && (peek_at(p, after) == ' ' || peek_at(p, after) == '\t')) after++;
  if (n && peek_at(p, after) == '=' && peek_at(p, after + 1) != '=') {
    HY_TRY(hy__arena_text(p->arena, p->at, n, &arg->name, p->err));
    advance(p, after + 1);
  }
  return parse_expr(p, &arg->value);
}

static hy_status parse_args(parser *p, hy__expr *call) {
  hy__arg args[EXPR_ARGS_MAX] = {0};
  void *memory = NULL;
  size_t n = 0;
  HY_TRY(expect(p, '('));
  skip_blanks(p);
  while (peek_at(p, 0) != ')' || n > 0) {
    if (n == EXPR_ARGS_MAX)
      return hy__place_fail(p->place, HY_LIMIT, p->err, "more than %d arguments", EXPR_ARGS_MAX);
    HY_TRY(parse_arg(p, &args[n++]));
    skip_blanks(p);
    if (peek_at(p, 0) != ',') break;
    advance(p, 1);
  }
  skip_blanks(p);
  if (peek_at(p, 0) != ')') return fail_here(p, "\",\" or \")\"");
  advance(p, 1);
  HY_TRY(hy__arena_array(p->arena, n, sizeof(hy__arg), &memory, p->err));
  if (n) memcpy(memory, args, n * sizeof(hy__arg));
  call->args = memory;
  call->n_args = n;
  return HY_OK;
}

/* Behind the "@" of an id. */
static hy_status parse_version(parser *p, uint32_t *version) {
  uint32_t value = 0;
  size_t n = 0;
  advance(p, 1);
  while (is_digit(peek_at(p, n)) && value <= EXPR_VERSION_MAX)
    value = value * 10 + (uint32_t)(p->at[n++] - '0');
  if (n == 0 || value == 0 || value > EXPR_VERSION_MAX)
    return fail_here(p, "a version number or a timeframe after \"@\"");
  advance(p, n);
  *version = value;
  skip_blanks(p);
  return peek_at(p, 0) == '(' ? HY_OK : fail_here(p, "\"(\" after the version");
}

/* Behind the "@" of a field, an item or a call: H1. */
static hy_status parse_timeframe(parser *p, hy__expr *e) {
  if (peek_at(p, 0) != '@') return HY_OK;
  e->timeframe_place = p->place;
  advance(p, 1);
  size_t n = name_bytes(p, false);
  if (n == 0) return fail_here(p, "a timeframe such as H1 after \"@\"");
  HY_TRY(hy__arena_text(p->arena, p->at, n, &e->timeframe, p->err));
  advance(p, n);
  if (peek_at(p, 0) != '(') return HY_OK;
  return fail_here(p, "a version number before \"(\", or an operator,");
}

static hy_status parse_call(parser *p, hy__expr *e) {
  e->kind = HY__EXPR_CALL;
  HY_TRY(parse_args(p, e));
  if (peek_at(p, 0) == '.') {
    advance(p, 1);
    size_t n = name_bytes(p, false);
    if (n == 0) return fail_here(p, "an output's name after \".\"");
    HY_TRY(hy__arena_text(p->arena, p->at, n, &e->output, p->err));
    advance(p, n);
  }
  return parse_timeframe(p, e);
}

static hy_status parse_name(parser *p, const hy__expr **out) {
  hy__expr *e;
  HY_TRY(new_expr(p, HY__EXPR_NAME, p->place, &e));
  size_t n = name_bytes(p, true);
  if (n > HY__NAME_BYTES_MAX)
    return hy__place_fail(p->place, HY_LIMIT, p->err, "a name of %zu bytes, at most %d", n,
                          HY__NAME_BYTES_MAX);
  HY_TRY(hy__arena_text(p->arena, p->at, n, &e->name, p->err));
  advance(p, n);
  *out = e;
  if (peek_at(p, 0) == '@' && is_letter(peek_at(p, 1))) return parse_timeframe(p, e);
  if (peek_at(p, 0) == '@') HY_TRY(parse_version(p, &e->version));
  skip_blanks(p);
  return peek_at(p, 0) == '(' ? parse_call(p, e) : HY_OK;
}

static hy_status parse_primary(parser *p, const hy__expr **out) {
  skip_blanks(p);
  hy__place place = p->place;
  char c = peek_at(p, 0);
  if (c == '-' && (is_digit(peek_at(p, 1)) || (peek_at(p, 1) == '.' && is_digit(peek_at(p, 2)))))
    return parse_number(p, out);
  if (c == '-') {
    const hy__expr *operand;
    advance(p, 1);
    if (++p->depth > EXPR_DEPTH_MAX)
      return hy__place_fail(place, HY_LIMIT, p->err, "nested deeper than 64 levels");
    HY_TRY(parse_primary(p, &operand));
    p->depth--;
    return new_call(p, place, "neg", &operand, 1, out);
  }
  if (is_digit(c) || (c == '.' && is_digit(peek_at(p, 1)))) return parse_number(p, out);
  if (is_letter(c)) return parse_name(p, out);
  if (c != '(') return fail_here(p, "a number, a name, a call or \"(\"");
  advance(p, 1);
  HY_TRY(parse_expr(p, out));
  return expect(p, ')');
}

typedef struct operator_row {
  const char *text, *id;
  int level; /* higher binds tighter */
} operator_row;

/* Longer texts before their beginnings. */
static const operator_row operators[] = {
    {"==", "eq", 1}, {">=", "ge", 2}, {"<=", "le", 2}, {">", "gt", 2},  {"<", "lt", 2},
    {"+", "add", 3}, {"-", "sub", 3}, {"*", "mul", 4}, {"/", "div", 4},
};

static const operator_row *next_operator(const parser *p) {
  for (size_t i = 0; i < HY_COUNT(operators); i++) {
    size_t n = strlen(operators[i].text);
    if ((size_t)(p->end - p->at) >= n && !memcmp(p->at, operators[i].text, n)) return &operators[i];
  }
  return NULL;
}

/* All operators of at least `level`, left to right. */
static hy_status parse_level(parser *p, int level, const hy__expr **out) {
  HY_TRY(parse_primary(p, out));
  for (;;) {
    skip_blanks(p);
    const operator_row *op = next_operator(p);
    if (!op || op->level < level) return HY_OK;
    hy__place place = p->place;
    const hy__expr *operands[2] = {*out, NULL};
    advance(p, strlen(op->text));
    HY_TRY(parse_level(p, op->level + 1, &operands[1]));
    HY_TRY(new_call(p, place, op->id, operands, 2, out));
  }
}

static hy_status parse_expr(parser *p, const hy__expr **out) {
  if (++p->depth > EXPR_DEPTH_MAX)
    return hy__place_fail(p->place, HY_LIMIT, p->err, "nested deeper than %d levels",
                          EXPR_DEPTH_MAX);
  HY_TRY(parse_level(p, 1, out));
  p->depth--;
  return HY_OK;
}

static hy_status make_parser(const char *text, hy__place place, hy__arena *arena, parser *p,
                             hy_error *err) {
  size_t bytes = strlen(text);
  if (bytes > EXPR_BYTES_MAX)
    return hy__place_fail(place, HY_LIMIT, err, "%zu bytes, at most %d are read as one", bytes,
                          EXPR_BYTES_MAX);
  while (bytes && is_blank(text[bytes - 1])) bytes--; /* what lacks is behind the last word */
  *p = (parser){.at = text, .end = text + bytes, .place = place, .arena = arena, .err = err};
  return HY_OK;
}

hy_status hy__expr_parse(const char *text, hy__place place, hy__arena *arena, const hy__expr **out,
                         hy_error *err) {
  parser p;
  HY_TRY(make_parser(text, place, arena, &p, err));
  HY_TRY(parse_expr(&p, out));
  skip_blanks(&p);
  return p.at == p.end ? HY_OK : fail_here(&p, "an operator or the end");
}

static hy_status text_without_blanks(const parser *p, const char *begin, const char **out) {
  void *memory;
  HY_TRY(hy__arena_alloc(p->arena, (size_t)(p->at - begin) + 1, 1, &memory, p->err));
  char *text = memory;
  size_t n = 0;
  for (const char *c = begin; c < p->at; c++)
    if (!is_blank(*c)) text[n++] = *c;
  text[n] = 0;
  *out = text;
  return HY_OK;
}

static hy_status parse_item(parser *p, hy__expr_item *item) {
  hy__arg arg = {0};
  skip_blanks(p);
  item->place = p->place;
  const char *begin = p->at;
  p->depth = 0;
  HY_TRY(parse_arg(p, &arg));
  item->value = arg.value;
  item->name = arg.name;
  item->named = arg.name != NULL;
  if (!arg.name) HY_TRY(text_without_blanks(p, begin, &item->name));
  skip_blanks(p);
  return p->at == p->end || *p->at == ';' ? HY_OK : fail_here(p, "an operator, \";\" or the end");
}

hy_status hy__expr_parse_list(const char *text, hy__place place, hy__arena *arena,
                              const hy__expr_item **out, size_t *n, hy_error *err) {
  parser p;
  HY_TRY(make_parser(text, place, arena, &p, err));
  size_t most = 1;
  for (const char *c = p.at; c < p.end; c++) most += *c == ';';
  void *memory;
  HY_TRY(hy__arena_array(arena, most, sizeof(hy__expr_item), &memory, err));
  hy__expr_item *items = memory;
  *n = 0;
  for (;;) {
    skip_blanks(&p);
    if (p.at < p.end && *p.at != ';') HY_TRY(parse_item(&p, &items[(*n)++]));
    if (p.at == p.end) break;
    advance(&p, 1);
  }
  *out = items;
  if (*n == 0) return hy__place_fail(place, HY_BAD_FORMAT, err, "the list of features is empty");
  return HY_OK;
}

bool hy__expr_is_name(const char *text) {
  parser p = {.at = text, .end = text + strlen(text)};
  size_t n = name_bytes(&p, false);
  return n > 0 && n == strlen(text);
}
