/* SPDX-License-Identifier: Apache-2.0
 * Names near to a mistyped one: used wherever a reader refuses a name it does not know. */
#include "codec/nearest.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

static char lower(char c) { return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

unsigned hy__edit_distance(const char *a, const char *b) {
  size_t na = strlen(a), nb = strlen(b);
  if (na > NAME_MAX_BYTES || nb > NAME_MAX_BYTES) return NAME_MAX_BYTES;
  unsigned rows[3][NAME_MAX_BYTES + 1]; /* of the alignment table: two back, one back, this one */
  unsigned *before = rows[0], *last = rows[1], *now = rows[2];
  for (size_t j = 0; j <= nb; j++) last[j] = (unsigned)j;
  for (size_t i = 1; i <= na; i++) {
    now[0] = (unsigned)i;
    for (size_t j = 1; j <= nb; j++) {
      unsigned differs = lower(a[i - 1]) != lower(b[j - 1]);
      now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + differs);
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1]))
        now[j] = least(now[j], before[j - 2] + 1);
    }
    unsigned *free_row = before;
    before = last, last = now, now = free_row;
  }
  return last[nb];
}

void hy__nearest_init(hy__nearest *n, const char *text) { *n = (hy__nearest){.text = text}; }

void hy__nearest_offer(hy__nearest *n, const char *name) {
  size_t length = strlen(n->text);
  unsigned distance = hy__edit_distance(n->text, name);
  /* A name that continues the text, or has it after a dot, is near however long it is. */
  if (length >= 2 && strstr(name, n->text)) distance = least(distance, 2);
  if (distance > 1 + length / 3) return;
  for (size_t i = 0; i < n->n; i++)
    if (!strcmp(n->names[i], name)) return;
  size_t at = n->n;
  while (at > 0 && n->distance[at - 1] > distance) at--;
  if (at == HY_NEAREST) return;
  if (n->n < HY_NEAREST) n->n++;
  for (size_t i = n->n - 1; i > at; i--)
    n->names[i] = n->names[i - 1], n->distance[i] = n->distance[i - 1];
  n->names[at] = name, n->distance[at] = distance;
}

void hy__nearest_text(const hy__nearest *n, char *text, size_t bytes) {
  text[0] = 0;
  size_t used = 0;
  for (size_t i = 0; i < n->n && used < bytes; i++) {
    const char *before = i == 0 ? "; did you mean " : i + 1 == n->n ? " or " : ", ";
    int length = snprintf(text + used, bytes - used, "%s%s%s", before, n->names[i],
                          i + 1 == n->n ? "?" : "");
    used += length > 0 ? (size_t)length : 0;
  }
}
