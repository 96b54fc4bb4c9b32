/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions: the first line is a pattern, the rest the text. Compiling must end in a
 * program or a refusal, and a match in an answer. */
#include <string.h>

#include "op/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
  const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
  const size_t n_pattern = line ? (size_t)(line - data) : n;
  const hy_string pattern = {(const char *)data, n_pattern};
  const hy_string text = {(const char *)data + n_pattern, n - n_pattern};
  const hy__regex *regex;
  hy__arena *arena;
  void *scratch;
  hy_error err;
  if (hy__arena_create(&hy__allocator_libc, 0, (size_t)64 << 20, &arena, &err) != HY_OK) return 0;
  if (hy__regex_compile(arena, pattern, &regex, &err) == HY_OK) {
    const size_t bytes = hy__regex_scratch_bytes(regex);
    if (hy__alloc(&hy__allocator_libc, bytes, &scratch, &err) == HY_OK) {
      (void)hy__regex_matches(regex, text, scratch);
      hy__free(&hy__allocator_libc, scratch, bytes);
    }
  }
  hy__arena_destroy(arena);
  return 0;
}
