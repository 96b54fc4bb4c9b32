/* SPDX-License-Identifier: Apache-2.0
 * Where two canonical forms differ first, as a path: what a refusal says of another's spec. */
#include <stdio.h>

#include "feature/program.h"

enum { DEPTH = 32, VALUE_BYTES = 40 };

/* Where the walk stands: in a map at a key, in a list at a place. */
typedef struct frame {
  bool is_list, at_key;
  size_t index;
  const char *key;
  int key_bytes;
} frame;

typedef struct walk {
  frame frames[DEPTH];
  size_t depth, value; /* the newest value's first byte */
} walk;

static size_t string_end(const char *text, size_t at) {
  for (at++; text[at] && text[at] != '"'; at++)
    if (text[at] == '\\' && text[at + 1]) at++;
  return at;
}

static void open(walk *w, size_t at, bool is_list) {
  if (w->depth == DEPTH) return;
  w->frames[w->depth++] = (frame){.is_list = is_list, .at_key = !is_list, .key = ""};
  if (is_list) w->value = at + 1;
}

/* One mark of the text; the place of its last byte is returned. */
static size_t take(walk *w, const char *text, size_t at, size_t end) {
  frame *top = w->depth ? &w->frames[w->depth - 1] : NULL;
  const char c = text[at];
  if (c == '{' || c == '[') open(w, at, c == '[');
  if (!top) return at;
  if (c == '}' || c == ']') w->depth--;
  if (c == ':') w->value = at + 1, top->at_key = false;
  if (c == ',' && top->is_list) top->index++, w->value = at + 1;
  if (c == ',') top->at_key = !top->is_list;
  if (c != '"') return at;
  const size_t last = string_end(text, at);
  if (top->at_key && last < end) {
    top->key = text + at + 1;
    top->key_bytes = (int)(last - at - 1);
  }
  return last;
}

static size_t value_bytes(const char *text, size_t at) {
  const size_t begin = at;
  if (text[at] == '"') at = string_end(text, at);
  if (text[at] == '"') at++; /* or the text ends within the string */
  while (text[at] && !strchr(",}]", text[at])) at++;
  return at - begin < VALUE_BYTES ? at - begin : VALUE_BYTES;
}

void hy__canonical_difference(const char *ours, const char *theirs,
                              char text[HY__DIFFERENCE_BYTES]) {
  walk w = {.depth = 0};
  size_t end = 0, used = 0;
  while (ours[end] && ours[end] == theirs[end]) end++;
  if (!ours[end] && !theirs[end]) {
    snprintf(text, HY__DIFFERENCE_BYTES, "the forms are equal, their hashes were made otherwise");
    return;
  }
  for (size_t at = 0; at < end; at++) at = take(&w, ours, at, end);
  for (size_t i = 0; i < w.depth && used < HY__DIFFERENCE_BYTES / 2; i++) {
    const frame *f = &w.frames[i];
    used += (size_t)(f->is_list
                         ? snprintf(text + used, HY__DIFFERENCE_BYTES - used, "[%zu]", f->index)
                         : snprintf(text + used, HY__DIFFERENCE_BYTES - used, "%s%.*s",
                                    i ? "." : "", f->key_bytes < 60 ? f->key_bytes : 60, f->key));
  }
  const size_t here = value_bytes(ours, w.value), there = value_bytes(theirs, w.value);
  snprintf(text + used, HY__DIFFERENCE_BYTES - used, " is %.*s here, %.*s there", (int)here,
           ours + w.value, (int)there, theirs + w.value);
}
