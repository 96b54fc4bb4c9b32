/* SPDX-License-Identifier: Apache-2.0
 * JSON: a streaming writer to a sink with an error latch, and a bounded reader into an arena.
 * Reports, the command's --json, model dumps and the wire all go through here. */
#ifndef HY_CODEC_JSON_H
#define HY_CODEC_JSON_H

#include "base/base.h"

enum { HY_JSON_WRITE_DEPTH = 64, HY_JSON_BUFFER_BYTES = 1024 };

/* A writer keeps the commas and remembers the first failure of the sink: write everything, then ask
 * hy__json_end. Misuse (a value where a key belongs, an unmatched end) latches INTERNAL.
 *
 *   hy__json_writer w;
 *   hy__json_begin(&w, sink, 2);
 *   hy__json_object_begin(&w);
 *   hy__json_key(&w, "symbols");  hy__json_i64(&w, 500);
 *   hy__json_member_f64(&w, "ic", 0.03);           // the same in one call
 *   hy__json_object_end(&w);
 *   HY_TRY(hy__json_end(&w, err));                 // a newline, and what was buffered
 */
typedef struct hy__json_writer {
  hy_sink sink;
  int32_t indent; /* blanks per level; 0: all in one line */
  bool html_safe; /* set after begin: '<' and '&' as \u escapes, for a <script> element */
  bool has_value; /* the innermost container, or the document, has one */
  bool after_key;
  uint32_t depth;
  uint64_t in_object; /* bit k: level k is an object */
  size_t n_buffered;
  hy_status status;
  hy_error error;
  char buffer[HY_JSON_BUFFER_BYTES];
} hy__json_writer;

void hy__json_begin(hy__json_writer *w, hy_sink sink, int32_t indent);
HY_CHECKED hy_status hy__json_end(hy__json_writer *w, hy_error *err);
void hy__json_object_begin(hy__json_writer *w);
void hy__json_object_end(hy__json_writer *w);
void hy__json_array_begin(hy__json_writer *w);
void hy__json_array_end(hy__json_writer *w);
void hy__json_key(hy__json_writer *w, const char *key);
/* Text is UTF-8; bytes that are not become U+FFFD. NULL text is null. */
void hy__json_text(hy__json_writer *w, const char *text);
void hy__json_text_bytes(hy__json_writer *w, const char *text, size_t len_bytes);
void hy__json_f64(hy__json_writer *w,
                  double value); /* shortest form; NaN and infinities are null */
void hy__json_f32(hy__json_writer *w, float value);
void hy__json_i64(hy__json_writer *w, int64_t value);
void hy__json_u64(hy__json_writer *w, uint64_t value);
void hy__json_bool(hy__json_writer *w, bool value);
void hy__json_null(hy__json_writer *w);
/* A key and its value. */
void hy__json_member_text(hy__json_writer *w, const char *key, const char *text);
void hy__json_member_f64(hy__json_writer *w, const char *key, double value);
void hy__json_member_i64(hy__json_writer *w, const char *key, int64_t value);
void hy__json_member_bool(hy__json_writer *w, const char *key, bool value);

/* Bytes of the well-formed UTF-8 sequence at text (left > 0), 0 when it is not one. */
size_t hy__json_utf8(const char *text, size_t left);

/* Zero in a member means its default. */
typedef struct hy__json_limits {
  size_t max_bytes;     /* of the text, default 1 GiB */
  size_t max_depth;     /* default 64, at most 512 */
  size_t max_nodes;     /* default 16 Mi; a number inside an array of numbers is none */
  size_t max_members;   /* of one object, default 1024 */
  bool allow_nonfinite; /* NaN, Infinity, -Infinity, which some model writers use */
} hy__json_limits;
hy__json_limits hy__json_defaults(const hy__json_limits *limits); /* NULL: all of them */

typedef enum hy__json_kind {
  HY__JSON_NULL,
  HY__JSON_BOOL,
  HY__JSON_NUMBER,
  HY__JSON_TEXT,
  HY__JSON_ARRAY,
  HY__JSON_OBJECT
} hy__json_kind;

/* A value. An array that holds numbers only has them in `numbers` and no children. */
typedef struct hy__json {
  hy__json_kind kind;
  bool boolean;
  bool is_integer;     /* the number has neither point nor exponent and fits int64 */
  size_t offset_bytes; /* where it stands in the text */
  double number;
  int64_t integer;
  const char *text; /* terminated UTF-8 without zero bytes */
  const char *key;  /* when a member of an object */
  const double *numbers;
  size_t n_children; /* members, items or numbers */
  const struct hy__json *first, *next;
} hy__json;

/* The caller fills all but the root. The text must outlive the document: places are worked out
 * from it; `subject` names the source in errors. */
typedef struct hy__json_document {
  const char *text, *subject;
  size_t bytes;
  bool is_binary; /* of UBJSON: places are byte offsets alone */
  const hy__json *root;
} hy__json_document;

/* Reads document->text; all memory from the arena. Strict RFC 8259; duplicate keys and zero
 * bytes in text are refused. limits may be NULL. Errors: BAD_FORMAT with line and column, LIMIT,
 * OUT_OF_MEMORY. */
HY_CHECKED hy_status hy__json_parse(hy__json_document *document, const hy__json_limits *limits,
                                    hy__arena *arena, hy_error *err);
const hy__json *hy__json_get(const hy__json *object, const char *key); /* NULL if absent */
/* The member, of that kind, or BAD_FORMAT with the object's place, naming what is missing. */
HY_CHECKED hy_status hy__json_need(const hy__json_document *d, const hy__json *object,
                                   const char *key, hy__json_kind kind, const hy__json **out,
                                   hy_error *err);
/* An integer in [low, high]; with hy__json_need(..., HY__JSON_NUMBER, ...) before. */
HY_CHECKED hy_status hy__json_integer(const hy__json_document *d, const hy__json *number,
                                      int64_t low, int64_t high, int64_t *out, hy_error *err);
/* Sets status and message with the node's place; returns status. */
hy_status hy__json_fail(const hy__json_document *d, const hy__json *node, hy_status status,
                        hy_error *err, const char *format, ...) HY_PRINTF(5, 6);

#endif
