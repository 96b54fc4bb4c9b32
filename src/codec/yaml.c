/* SPDX-License-Identifier: Apache-2.0
 * YAML through libyaml's events into a tree in an arena: what specs and pipelines are read from.
 * Files come from outside, so depth, nodes and bytes are bounded before anything is kept. */
#include "codec/yaml.h"

#include <stdarg.h>
#include <stdio.h>

#include <yaml.h>

#include "codec/nearest.h"

enum {
  YAML_DEPTH_MAX = 48,
  YAML_NODES_MAX = 200000,
  YAML_BYTES_MAX = 8 << 20,
  YAML_FAILURE_BYTES = 300
};

typedef struct reader {
  yaml_parser_t parser;
  yaml_event_t event;
  const char *subject;
  hy__arena *arena;
  size_t n_nodes;
  const char *line_at, *end; /* where line n_lines of the text begins, from 0 */
  size_t n_lines;
  hy_error *err;
} reader;

/* Children while their number is still unknown. */
typedef struct link {
  hy__yaml node;
  struct link *next;
} link;

typedef struct chain {
  link *first, *last;
  size_t n;
} chain;

static hy_status fail_at(reader *r, yaml_mark_t mark, const char *what) {
  hy_status status = hy__error_set(r->err, HY_BAD_FORMAT, "%s", what);
  hy__error_subject(r->err, r->subject);
  hy__error_place(r->err, (int64_t)mark.line + 1, (int64_t)mark.column + 1, (int64_t)mark.index);
  return status;
}

static hy_status next_event(reader *r) {
  yaml_event_delete(&r->event);
  if (yaml_parser_parse(&r->parser, &r->event)) return HY_OK;
  if (r->parser.error == YAML_MEMORY_ERROR)
    HY_FAIL(HY_OUT_OF_MEMORY, r->err, "no memory for the YAML parser");
  char what[YAML_FAILURE_BYTES];
  snprintf(what, sizeof what, "not YAML: %s%s%s",
           r->parser.problem ? r->parser.problem : "unreadable", r->parser.context ? ", " : "",
           r->parser.context ? r->parser.context : "");
  return fail_at(r, r->parser.problem_mark, what);
}

static hy_status keep_text(reader *r, const char **out) {
  const char *text = (const char *)r->event.data.scalar.value;
  size_t length = r->event.data.scalar.length;
  if (memchr(text, 0, length)) return fail_at(r, r->event.start_mark, "text holds a zero byte");
  return hy__arena_text(r->arena, text, length, out, r->err);
}

static hy_status chain_add(reader *r, chain *c, link **out) {
  void *memory;
  HY_TRY(hy__arena_alloc(r->arena, sizeof(link), _Alignof(link), &memory, r->err));
  *out = memory;
  if (c->last)
    c->last->next = *out;
  else
    c->first = *out;
  c->last = *out;
  c->n++;
  return HY_OK;
}

static hy_status chain_close(reader *r, const chain *c, hy__yaml *node) {
  void *memory = NULL;
  HY_TRY(hy__arena_array(r->arena, c->n, sizeof(hy__yaml), &memory, r->err));
  hy__yaml *children = memory;
  size_t i = 0;
  for (const link *l = c->first; l; l = l->next) children[i++] = l->node;
  node->children = children;
  node->n_children = c->n;
  return HY_OK;
}

static hy_status read_node(reader *r, unsigned depth, hy__yaml *node);

static hy_status read_list(reader *r, unsigned depth, hy__yaml *node) {
  chain items = {0};
  for (;;) {
    HY_TRY(next_event(r));
    if (r->event.type == YAML_SEQUENCE_END_EVENT) return chain_close(r, &items, node);
    link *item;
    HY_TRY(chain_add(r, &items, &item));
    HY_TRY(read_node(r, depth + 1, &item->node));
  }
}

static const char *refused_event(const yaml_event_t *e) {
  switch (e->type) {
  case YAML_ALIAS_EVENT: return "aliases (*name) are not accepted here: write the value out";
  case YAML_SCALAR_EVENT:
    if (e->data.scalar.anchor) return "anchors (&name) are not accepted here";
    return e->data.scalar.tag ? "tags (!name) are not accepted here" : NULL;
  case YAML_SEQUENCE_START_EVENT:
    if (e->data.sequence_start.anchor) return "anchors (&name) are not accepted here";
    return e->data.sequence_start.tag ? "tags (!name) are not accepted here" : NULL;
  case YAML_MAPPING_START_EVENT:
    if (e->data.mapping_start.anchor) return "anchors (&name) are not accepted here";
    return e->data.mapping_start.tag ? "tags (!name) are not accepted here" : NULL;
  default: return "a value was expected";
  }
}

/* Linear search is fine for the maps people write; the bound on nodes times keys keeps it so. */
enum { YAML_KEYS_MAX = 4096 };

static hy_status read_key(reader *r, const chain *members, const char **key) {
  if (r->event.type != YAML_SCALAR_EVENT)
    return fail_at(r, r->event.start_mark, "a key must be plain text");
  const char *refused = refused_event(&r->event);
  if (refused) return fail_at(r, r->event.start_mark, refused);
  if (members->n >= YAML_KEYS_MAX)
    return fail_at(r, r->event.start_mark, "more than 4096 keys in one map");
  HY_TRY(keep_text(r, key));
  for (const link *l = members->first; l; l = l->next) {
    if (strcmp(l->node.key, *key)) continue;
    char what[YAML_FAILURE_BYTES];
    snprintf(what, sizeof what, "key \"%.100s\" stands twice, first in line %d", *key,
             (int)l->node.key_line);
    return fail_at(r, r->event.start_mark, what);
  }
  return HY_OK;
}

static hy_status read_map(reader *r, unsigned depth, hy__yaml *node) {
  chain members = {0};
  for (;;) {
    HY_TRY(next_event(r));
    if (r->event.type == YAML_MAPPING_END_EVENT) return chain_close(r, &members, node);
    const char *key;
    HY_TRY(read_key(r, &members, &key));
    yaml_mark_t mark = r->event.start_mark;
    link *member;
    HY_TRY(next_event(r));
    HY_TRY(chain_add(r, &members, &member));
    member->node.key = key;
    member->node.key_line = (int32_t)mark.line + 1;
    member->node.key_column = (int32_t)mark.column + 1;
    HY_TRY(read_node(r, depth + 1, &member->node));
  }
}

/* Of a line break at `at`, 0 where there is none: those that libyaml counts lines by. */
static size_t break_bytes(const char *at, const char *end) {
  const size_t left = (size_t)(end - at);
  if (left && *at == '\n') return 1;
  if (left && *at == '\r') return left > 1 && at[1] == '\n' ? 2 : 1;
  if (left > 1 && !memcmp(at, "\xc2\x85", 2)) return 2;
  return left > 2 && (!memcmp(at, "\xe2\x80\xa8", 3) || !memcmp(at, "\xe2\x80\xa9", 3)) ? 3 : 0;
}

/* The spaces before the first character of the first line that has any other. */
static size_t leading_spaces(const char *at, const char *end) {
  for (;;) {
    size_t n = 0, skip;
    while (at + n < end && at[n] == ' ') n++;
    skip = break_bytes(at + n, end);
    if (!skip) return n;
    at += n + skip;
  }
}

/* libyaml's mark of a block scalar is its | or >, and it does not tell the indentation. Marks only
 * go forward, so that all blocks together read the text once. */
static void place_block(reader *r, hy__yaml *node) {
  const yaml_mark_t mark = r->event.start_mark;
  const char *text = node->text;
  while (r->n_lines <= mark.line && r->line_at < r->end) {
    const size_t bytes = break_bytes(r->line_at, r->end);
    r->line_at += bytes ? bytes : 1;
    r->n_lines += bytes > 0;
  }
  const size_t there = leading_spaces(r->line_at, r->end);
  const size_t kept = leading_spaces(text, text + strlen(text));
  node->block = true;
  node->margin = there > kept ? (int32_t)(there - kept) : 0;
  node->line = (int32_t)mark.line + 2;
  node->column = node->margin + 1;
}

static hy_status read_scalar(reader *r, hy__yaml *node) {
  const yaml_scalar_style_t style = r->event.data.scalar.style;
  node->kind = HY__YAML_SCALAR;
  node->quoted = style != YAML_PLAIN_SCALAR_STYLE;
  HY_TRY(keep_text(r, &node->text));
  if (style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE) place_block(r, node);
  return HY_OK;
}

/* Of the current event on; children by further ones. */
static hy_status read_node(reader *r, unsigned depth, hy__yaml *node) {
  yaml_mark_t mark = r->event.start_mark;
  const char *refused = refused_event(&r->event);
  if (refused) return fail_at(r, mark, refused);
  if (depth > YAML_DEPTH_MAX) return fail_at(r, mark, "nested deeper than 48 levels");
  if (++r->n_nodes > YAML_NODES_MAX) return fail_at(r, mark, "more than 200000 values");
  node->line = (int32_t)mark.line + 1;
  node->column = (int32_t)mark.column + 1;
  node->subject = r->subject;
  switch (r->event.type) {
  case YAML_SCALAR_EVENT: return read_scalar(r, node);
  case YAML_SEQUENCE_START_EVENT: node->kind = HY__YAML_LIST; return read_list(r, depth, node);
  default: node->kind = HY__YAML_MAP; return read_map(r, depth, node);
  }
}

static hy_status read_document(reader *r, hy__yaml *root) {
  HY_TRY(next_event(r)); /* stream start */
  HY_TRY(next_event(r));
  if (r->event.type == YAML_STREAM_END_EVENT)
    return fail_at(r, r->event.start_mark, "the document is empty");
  if (r->event.data.document_start.version_directive ||
      r->event.data.document_start.tag_directives.start !=
          r->event.data.document_start.tag_directives.end)
    return fail_at(r, r->event.start_mark, "directives (%YAML, %TAG) are not accepted here");
  HY_TRY(next_event(r));
  HY_TRY(read_node(r, 1, root));
  HY_TRY(next_event(r)); /* document end */
  HY_TRY(next_event(r));
  if (r->event.type != YAML_STREAM_END_EVENT)
    return fail_at(r, r->event.start_mark, "one document was expected, a second one begins here");
  return HY_OK;
}

static const char byte_order_mark[3] = {'\xef', '\xbb', '\xbf'};

hy_status hy__yaml_parse(const char *text, size_t bytes, const char *subject, hy__arena *arena,
                         const hy__yaml **out, hy_error *err) {
  if (bytes > YAML_BYTES_MAX) {
    hy_status status = hy__error_set(err, HY_LIMIT, "%zu bytes, at most %d are read as YAML", bytes,
                                     YAML_BYTES_MAX);
    hy__error_subject(err, subject);
    return status;
  }
  void *root;
  reader r = {.arena = arena, .err = err};
  if (!bytes) text = ""; /* an empty file may come without memory, which the parser does not take */
  if (bytes >= sizeof byte_order_mark && !memcmp(text, byte_order_mark, sizeof byte_order_mark)) {
    text += sizeof byte_order_mark;
    bytes -= sizeof byte_order_mark;
  }
  r.line_at = text;
  r.end = text + bytes;
  HY_TRY(hy__arena_text(arena, subject, strlen(subject), &r.subject, err));
  HY_TRY(hy__arena_alloc(arena, sizeof(hy__yaml), _Alignof(hy__yaml), &root, err));
  if (!yaml_parser_initialize(&r.parser))
    HY_FAIL(HY_OUT_OF_MEMORY, err, "no memory for the YAML parser");
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, bytes);
  hy_status status = read_document(&r, root);
  yaml_event_delete(&r.event);
  yaml_parser_delete(&r.parser);
  *out = status == HY_OK ? root : NULL;
  return status;
}

const hy__yaml *hy__yaml_get(const hy__yaml *map, const char *key) {
  if (map->kind != HY__YAML_MAP) return NULL;
  for (size_t i = 0; i < map->n_children; i++)
    if (!strcmp(map->children[i].key, key)) return &map->children[i];
  return NULL;
}

hy_status hy__yaml_fail(const hy__yaml *node, hy_error *err, const char *format, ...) {
  char message[sizeof err->message];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  hy_status status = hy__error_set(err, HY_BAD_FORMAT, "%s", message);
  hy__error_subject(err, node->subject);
  hy__error_place(err, node->line, node->column, -1);
  return status;
}

static const char *kind_text(const hy__yaml *node) {
  if (node->kind == HY__YAML_MAP) return "a map";
  if (node->kind == HY__YAML_LIST) return "a list";
  return node->text[0] || node->quoted ? node->text : "nothing";
}

static hy_status expected(const hy__yaml *node, const char *what, hy_error *err) {
  const char *key = node->key ? node->key : "";
  return hy__yaml_fail(node, err, "%.60s%s%s was expected, not %.80s", key, key[0] ? ": " : "",
                       what, kind_text(node));
}

static bool is_plain(const hy__yaml *node) {
  return node->kind == HY__YAML_SCALAR && !node->quoted;
}

hy_status hy__yaml_text(const hy__yaml *node, const char **out, hy_error *err) {
  if (node->kind != HY__YAML_SCALAR || (!node->text[0] && !node->quoted))
    return expected(node, "text", err);
  *out = node->text;
  return HY_OK;
}

hy_status hy__yaml_f64(const hy__yaml *node, double *out, hy_error *err) {
  if (!is_plain(node) || !hy__text_f64(node->text, out)) return expected(node, "a number", err);
  return HY_OK;
}

hy_status hy__yaml_i64(const hy__yaml *node, int64_t *out, hy_error *err) {
  if (!is_plain(node) || !hy__text_i64(node->text, out))
    return expected(node, "a whole number", err);
  return HY_OK;
}

hy_status hy__yaml_bool(const hy__yaml *node, bool *out, hy_error *err) {
  bool yes = is_plain(node) && !strcmp(node->text, "true");
  if (!yes && !(is_plain(node) && !strcmp(node->text, "false")))
    return expected(node, "true or false", err);
  *out = yes;
  return HY_OK;
}

hy_status hy__yaml_only_keys(const hy__yaml *map, const char *const *keys, hy_error *err) {
  if (map->kind != HY__YAML_MAP) return expected(map, "a map", err);
  for (size_t i = 0; i < map->n_children; i++) {
    const hy__yaml *member = &map->children[i];
    hy__nearest near;
    hy__nearest_init(&near, member->key);
    bool known = false;
    for (const char *const *key = keys; *key; key++) {
      known |= !strcmp(*key, member->key);
      hy__nearest_offer(&near, *key);
    }
    if (known) continue;
    char suggestion[200];
    hy__nearest_text(&near, suggestion, sizeof suggestion);
    hy__yaml at_key = {
        .subject = member->subject, .line = member->key_line, .column = member->key_column};
    return hy__yaml_fail(&at_key, err, "unknown key \"%.60s\"%s", member->key, suggestion);
  }
  return HY_OK;
}
