/* SPDX-License-Identifier: Apache-2.0
 * The nearest of some names to a mistyped one, for error messages that suggest. */
#ifndef HY_CODEC_NEAREST_H
#define HY_CODEC_NEAREST_H

#include <stddef.h>

/* Insertions, deletions, substitutions and swaps of neighbours between two names (optimal string
 * alignment), case ignored; names over 64 bytes differ by 64. */
unsigned hy__edit_distance(const char *a, const char *b);

/* Remembers the `3` nearest names offered so far. */
enum { HY_NEAREST = 3 };
typedef struct hy__nearest {
  const char *text;
  const char *names[HY_NEAREST];
  unsigned distance[HY_NEAREST];
  size_t n;
} hy__nearest;

void hy__nearest_init(hy__nearest *n, const char *text);
void hy__nearest_offer(hy__nearest *n,
                       const char *name); /* the name must outlive n; far ones are dropped */
/* "; did you mean a, b?" into text, or "" when nothing is near. */
void hy__nearest_text(const hy__nearest *n, char *text, size_t bytes);

#endif
