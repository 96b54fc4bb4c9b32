/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as UBJSON: read into an arena with a ceiling. Nothing may crash, hang or leak. */
#include <stddef.h>
#include <stdint.h>

#include "codec/ubjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const hy__json_limits limits = {.max_depth = 32, .max_nodes = 1 << 16};
  hy__json_document d = {.text = (const char *)data, .bytes = size};
  hy__arena *arena;
  hy_error err;
  if (hy__arena_create(&hy__allocator_libc, 0, 1 << 24, &arena, NULL) != HY_OK) return 0;
  if (hy__ubjson_parse(&d, &limits, arena, &err) == HY_OK) (void)hy__json_get(d.root, "learner");
  hy__arena_destroy(arena);
  return 0;
}
