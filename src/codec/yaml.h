/* SPDX-License-Identifier: Apache-2.0
 * YAML documents as a small tree with places, by libyaml. Aliases, anchors, tags and several
 * documents are refused; depth, nodes and bytes are limited. The one place of the tree where
 * libyaml is called. */
#ifndef HY_CODEC_YAML_H
#define HY_CODEC_YAML_H

#include "base/base.h"

typedef enum hy__yaml_kind { HY__YAML_SCALAR, HY__YAML_LIST, HY__YAML_MAP } hy__yaml_kind;

typedef struct hy__yaml {
  hy__yaml_kind kind;
  bool quoted;          /* a scalar written with quotes is text, whatever it looks like */
  bool block;           /* a scalar behind | or >: its place is that of its first line's text */
  int32_t line, column; /* from 1 */
  int32_t margin;       /* of a block: columns before the text of each of its lines; else 0 */
  const char *subject;  /* the source's name, for errors */
  const char *text;     /* scalar */
  const char *key;      /* when a member of a map */
  int32_t key_line, key_column;
  const struct hy__yaml *children; /* list items or map members, in file order */
  size_t n_children;
} hy__yaml;

/* All memory from the arena. `subject` names the source in errors. Duplicate keys are refused. */
HY_CHECKED hy_status hy__yaml_parse(const char *text, size_t bytes, const char *subject,
                                    hy__arena *arena, const hy__yaml **out, hy_error *err);
const hy__yaml *hy__yaml_get(const hy__yaml *map, const char *key); /* NULL if absent */
/* Typed reads that fail with the place and what was expected. */
HY_CHECKED hy_status hy__yaml_text(const hy__yaml *node, const char **out, hy_error *err);
HY_CHECKED hy_status hy__yaml_f64(const hy__yaml *node, double *out, hy_error *err);
HY_CHECKED hy_status hy__yaml_i64(const hy__yaml *node, int64_t *out, hy_error *err);
HY_CHECKED hy_status hy__yaml_bool(const hy__yaml *node, bool *out, hy_error *err);
/* Fails on the first key that is not in the NULL-terminated list, naming the nearest. */
HY_CHECKED hy_status hy__yaml_only_keys(const hy__yaml *map, const char *const *keys,
                                        hy_error *err);
/* BAD_FORMAT at the node's place. */
hy_status hy__yaml_fail(const hy__yaml *node, hy_error *err, const char *format, ...)
    HY_PRINTF(3, 4);

#endif
