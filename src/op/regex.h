/* SPDX-License-Identifier: Apache-2.0
 * Regular expressions in RE2's syntax, matched in time linear in pattern and text: a pattern
 * becomes a program of a few instructions, which is run with all its threads side by side (Pike's
 * machine). Without captures, since only a match of the whole text is asked for; look-around and
 * back-references do not exist in RE2 either. Texts are UTF-8; bytes that are none count as one
 * character each. */
#ifndef HY_OP_REGEX_H
#define HY_OP_REGEX_H

#include "op/op.h"

typedef struct hy__regex hy__regex;

/* Compiles into the arena. BAD_FORMAT with the place in the pattern, UNSUPPORTED for Unicode
 * classes
 * (\p), LIMIT for a program of over 8192 instructions or nesting over 64. */
HY_CHECKED hy_status hy__regex_compile(hy__arena *arena, hy_string pattern, const hy__regex **out,
                                       hy_error *err);
/* What hy__regex_matches needs as scratch. */
size_t hy__regex_scratch_bytes(const hy__regex *regex);
/* Whether the whole text matches. */
bool hy__regex_matches(const hy__regex *regex, hy_string text, void *scratch);

#endif
