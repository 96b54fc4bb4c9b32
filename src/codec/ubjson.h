/* SPDX-License-Identifier: Apache-2.0
 * UBJSON (draft 12) into the tree that JSON becomes, within the same limits. Numbers of all widths
 * are doubles (and integers where they are whole); arrays of one number type are plain doubles. */
#ifndef HY_CODEC_UBJSON_H
#define HY_CODEC_UBJSON_H

#include "codec/json.h"

/* Reads document->text, `bytes` of them; all memory from the arena. Errors: BAD_FORMAT with the
 * byte offset, LIMIT, OUT_OF_MEMORY. */
HY_CHECKED hy_status hy__ubjson_parse(hy__json_document *document, const hy__json_limits *limits,
                                      hy__arena *arena, hy_error *err);

#endif
