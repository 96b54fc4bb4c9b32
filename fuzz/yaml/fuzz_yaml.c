/* SPDX-License-Identifier: Apache-2.0
 * The YAML reader over arbitrary bytes: a tree or a refusal, and every place within the text. */
#include "codec/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t visit(const hy__yaml *node) {
  size_t n = strlen(node->kind == HY__YAML_SCALAR ? node->text : "") + (size_t)node->line;
  for (size_t i = 0; i < node->n_children; i++) n += visit(&node->children[i]);
  return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  hy__arena *arena;
  const hy__yaml *root;
  hy_error err;
  if (hy__arena_create(&hy__allocator_libc, 4096, 64 << 20, &arena, &err) != HY_OK) return 0;
  if (hy__yaml_parse((const char *)data, size, "fuzz", arena, &root, &err) == HY_OK) {
    static const char *const keys[] = {"features", "norm", NULL};
    volatile size_t seen = visit(root);
    (void)seen;
    (void)(hy__yaml_only_keys(root, keys, &err) == HY_OK);
  }
  hy__arena_destroy(arena);
  return 0;
}
